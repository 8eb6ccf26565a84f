"""House rules about the text of the program itself."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "booking").rglob("*.py"))
NAMES = [str(path.relative_to(ROOT)) for path in SOURCES]
LONGEST_FILE, LONGEST_FUNCTION, DEEPEST = 400, 50, 4
COMMITTERS = {"booking/kernel/db.py"}
WATCHED_CLOCKS = {"now", "utcnow", "today", "time"}
CLOCK = "booking/kernel/clock.py"


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_no_file_is_longer_than_400_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_no_function_is_longer_than_50_lines(path):
    lengths = {found.name: found.end_lineno - found.lineno + 1 for found in functions(path)}

    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION} == {}


@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_nothing_is_nested_deeper_than_three(path):
    too_deep = [found.name for found in functions(path) if depth(found) > DEEPEST - 1]

    assert too_deep == []


def depth(node: ast.AST) -> int:
    """Return how many blocks stand inside each other; an elif is no deeper than its if."""
    deepest = 0
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        own = isinstance(child, ast.If | ast.For | ast.While | ast.With | ast.Try)
        is_elif = isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
        deepest = max(deepest, depth(child) + (own and not is_elif))
    return deepest


@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_every_module_says_in_a_sentence_what_it_is(path):
    said = ast.get_docstring(tree_of(path)) or ""

    assert said.split("\n\n")[0].rstrip().endswith((".", "law")), said


def test_only_the_kernel_commits():
    committing = {
        name
        for name, path in zip(NAMES, SOURCES, strict=True)
        if re.search(r"\.commit\(", path.read_text(encoding="utf-8"))
    }

    assert committing == COMMITTERS


def test_only_the_clock_reads_the_wall_clock():
    reading = set()
    for name, path in zip(NAMES, SOURCES, strict=True):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Call) and reads_a_clock(node.func):
                reading.add(name)

    assert reading == {CLOCK}


def reads_a_clock(function: ast.expr) -> bool:
    """Tell whether it is datetime.now() and its like, or time.time(); durations are no clock."""
    if not isinstance(function, ast.Attribute) or function.attr not in WATCHED_CLOCKS:
        return False
    owner = ast.unparse(function.value)
    return owner in {"datetime", "date", "datetime.datetime", "datetime.date", "dt", "time"}


@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_nobody_catches_everything(path):
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ExceptHandler):
            caught = ast.unparse(node.type) if node.type else "everything"
            assert caught not in {"everything", "Exception"}, node.lineno
            # BaseException only to undo and pass it on.
            if caught == "BaseException":
                assert isinstance(node.body[-1], ast.Raise)


@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_nothing_is_left_to_do_in_comments(path):
    assert not re.search(r"\b(TODO|FIXME|XXX|HACK)\b", path.read_text(encoding="utf-8"))
