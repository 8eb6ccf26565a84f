"""Every sentence has its translation, and none has more or fewer gaps than its source."""

import ast
import re
from collections.abc import Iterator

import pytest

from booking.kernel import config
from tests.catalogues import CATALOGUES, HAN, load, wanted

GAP = re.compile(r"%\(\w+\)s|%%|%")  # a lone % would break the sentence when it is filled


@pytest.fixture(params=CATALOGUES, ids="-".join)
def named(request):
    return request.param


@pytest.fixture
def messages(named):
    return [message for message in load(*named) if message.id]


def test_the_catalogue_holds_what_the_program_says_and_nothing_else(named, messages, app):
    held = {(message.context, message.id) for message in messages}

    assert held == wanted(*named, app)


def test_what_is_gone_is_gone(named):
    assert list(load(*named).obsolete) == []


def test_every_sentence_is_translated(messages):
    assert [message.id for message in messages if message.fuzzy or not message.string] == []


def test_gaps_are_the_same_on_both_sides(messages):
    wrong = [
        message.id
        for message in messages
        if sorted(GAP.findall(message.id)) != sorted(GAP.findall(message.string))
    ]
    assert wrong == []


def test_the_translation_is_in_the_language_of_its_catalogue(named, messages):
    english = named[1] == "en"
    wrong = [
        message.id
        for message in messages
        if (english and HAN.search(message.string))
        or (not english and not HAN.search(message.string))
    ]
    assert wrong == []


def test_no_refusal_is_raised_in_a_sentence_that_is_not_marked():
    sources = config.root("booking").rglob("*.py")
    unmarked = [
        f"{path.name}:{sentence.lineno} {sentence.value}"
        for path in sources
        if path.name != "cli.py"  # commands speak to operators, in Chinese alone
        for statement in ast.walk(ast.parse(path.read_text()))
        if isinstance(statement, ast.Raise)
        for sentence in _unmarked(statement)
    ]
    assert unmarked == []


def _unmarked(node: ast.AST) -> Iterator[ast.Constant]:
    if isinstance(node, ast.Call) and ast.unparse(node.func) in ("N_", "gettext"):
        node = ast.Tuple([keyword.value for keyword in node.keywords])
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and HAN.search(node.value):
        yield node
    for child in ast.iter_child_nodes(node):
        yield from _unmarked(child)
