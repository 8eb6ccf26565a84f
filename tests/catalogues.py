"""The translation catalogues: what belongs into them, read from the program itself.

`python -m tests.catalogues` writes them anew: sentences that are gone are dropped, new ones stand
there empty, and the tests fail until they are filled.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po, write_po
from flask import Flask

from booking.kernel import config, document

HAN = re.compile(r"[\u3400-\u9fff]")
Key = tuple[str | None, str]  # context and sentence

FOLDER = config.root("booking/translations")
# Sentences are Chinese in the source; `api` holds what is English there, and names of fields.
CATALOGUES = (("messages", "en"), ("api", "en"), ("api", "zh_Hans_CN"))


def path_of(domain: str, locale: str) -> Path:
    """Where a catalogue lies."""
    return FOLDER / locale / "LC_MESSAGES" / f"{domain}.po"


def load(domain: str, locale: str) -> Catalog:
    """The catalogue as it stands; an empty one if there is none."""
    path = path_of(domain, locale)
    if not path.exists():
        return Catalog(locale=locale, domain=domain)
    with path.open("rb") as file:
        return read_po(file, locale=locale, domain=domain)


def wanted(domain: str, locale: str, app: Flask) -> set[Key]:
    """What the catalogue has to hold."""
    if domain == "messages":
        return set(_in_sources())
    return {
        (context, said)
        for context, said in _asked_of_document(app)
        if context or bool(HAN.search(said)) is (locale == "en")
    }


def _in_sources() -> Iterator[Key]:
    for folder, methods in (
        ("booking", [("**.py", "python")]),
        ("templates", [("**.html", "jinja2")]),
    ):
        found = extract_from_dir(
            config.root(folder), methods, keywords={**DEFAULT_KEYWORDS, "N_": None}
        )
        for _, _, said, _, context in found:
            yield context, said if isinstance(said, str) else said[0]


class _Recorder:
    """Stands for the `api` domain and notes what it is asked."""

    def __init__(self) -> None:
        self.asked: set[Key] = set()

    def gettext(self, said: str) -> str:
        self.asked.add((None, said))
        return said

    def pgettext(self, context: str, said: str) -> str:
        self.asked.add((context, said))
        return said


def _asked_of_document(app: Flask) -> set[Key]:
    recorder = _Recorder()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(document, "_words", recorder)
        patch.setitem(app.extensions, "booking_documents", {})  # what it was built before
        for address in ("/api/v1/openapi.json", "/api/docs"):
            for language in ("zh-CN", "en"):
                client = app.test_client()
                client.get(address, headers={"Accept-Language": language})
    return recorder.asked


def write(app: Flask) -> None:
    """Write all catalogues anew, in a stable order."""
    for domain, locale in CATALOGUES:
        old, new = load(domain, locale), Catalog(locale=locale, domain=domain)
        keys = sorted(wanted(domain, locale, app), key=lambda key: (key[0] or "", key[1]))
        for context, said in keys:
            before = old.get(said, context)
            new.add(said, before.string if before else "", context=context)
        path = path_of(domain, locale)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.write(f'msgid ""\nmsgstr ""\n"Language: {locale}\\n"\n'.encode())
            file.write(b'"MIME-Version: 1.0\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n')
            file.write(b'"Content-Transfer-Encoding: 8bit\\n"\n\n')
            write_po(file, new, omit_header=True, width=0, no_location=True)
        empty = sum(1 for message in new if message.id and not message.string)
        print(f"{path.relative_to(config.root('.'))}: {len(new)} sentences, {empty} empty")


if __name__ == "__main__":
    from booking.app import create_app

    write(create_app("development"))
