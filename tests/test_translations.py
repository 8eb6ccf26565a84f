"""Every sentence has its translation, and none has more or fewer gaps than its source."""

import re

import pytest

from tests.catalogues import CATALOGUES, HAN, load, wanted

GAP = re.compile(r"%\(\w+\)s|%%")


@pytest.fixture(params=CATALOGUES, ids="-".join)
def named(request):
    return request.param


@pytest.fixture
def messages(named):
    return [message for message in load(*named) if message.id]


def test_the_catalogue_holds_what_the_program_says_and_nothing_else(named, messages, app):
    held = {(message.context, message.id) for message in messages}

    assert held == wanted(*named, app)


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
