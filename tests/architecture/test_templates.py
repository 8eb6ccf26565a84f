"""Templates: nothing undefined passes silently, nothing breaks the content policy."""

import re
from pathlib import Path

import pytest
from jinja2 import StrictUndefined, UndefinedError

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
NAMES = [str(path.relative_to(ROOT / "templates")) for path in TEMPLATES]


def test_an_undefined_name_is_an_error(app):
    assert app.jinja_env.undefined is StrictUndefined
    with app.test_request_context(), pytest.raises(UndefinedError):
        app.jinja_env.from_string("{{ nothing }}").render()


def test_what_people_typed_is_escaped(app):
    assert app.jinja_env.autoescape is not False
    with app.test_request_context("/<script>alert(1)</script>"):
        answer = app.test_client().get("/<script>alert(1)</script>")

    assert "<script>" not in answer.text


@pytest.mark.parametrize("name", NAMES)
def test_each_template_compiles(app, name):
    app.jinja_env.get_template(name)


@pytest.mark.parametrize("path", TEMPLATES, ids=NAMES)
def test_no_template_breaks_the_content_policy(path):
    text = path.read_text(encoding="utf-8")
    if path.relative_to(ROOT / "templates").as_posix() == "notices/mail.html":
        # Mail programs drop every other kind of style; the demo shows it under its own policy.
        text = text.replace(" style=", " data-style=")

    assert not re.search(r"\sstyle=|<style|\son\w+=|javascript:", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    assert "|safe" not in text.replace(" ", "")


@pytest.mark.parametrize("path", TEMPLATES, ids=NAMES)
def test_every_chinese_word_of_a_template_can_be_translated(path):
    text = re.sub(r"\b_\((\"[^\"]*\"|'[^']*')", "", path.read_text(encoding="utf-8"))
    text = text.replace('"中文"', "")  # the name of a language stands in that language

    assert re.findall(r"[\u4e00-\u9fff]+", text) == []


def _named(call: str) -> set[str]:
    """What templates name in such a call or argument."""
    found = re.compile(call + r"['\"]([a-z0-9-]+)['\"]")
    return {name for path in TEMPLATES for name in found.findall(path.read_text("utf-8"))}


def test_every_icon_and_drawing_that_is_named_is_there():
    # Names in quotes, and the keys of those drawn here.
    listed = re.compile(r"\"([a-z0-9-]+)\"|^  ([a-z]+): '<", re.MULTILINE)
    found = listed.findall((ROOT / "frontend/icons.mjs").read_text("utf-8"))
    icons = {name for pair in found for name in pair if name}
    source = (ROOT / "templates/components/icons.html").read_text("utf-8")
    drawings = set(re.findall(r'name == "([a-z]+)"', source))
    named, drawn = _named(r"(?:\bicon\(|icon_name=)"), _named(r"\bpicture=")

    assert {"search", "check"} <= named
    assert {"calendar"} <= drawn
    assert named - icons == set()
    assert drawn - drawings == set()
