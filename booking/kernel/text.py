"""Sentences for people: written in Chinese where they are meant, translated only at the edge."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Text:
    """A sentence with named gaps. Its id is the Chinese sentence; catalogues hold the others."""

    msgid: str
    params: dict[str, Any] = field(default_factory=dict, hash=False)

    def render(self, translate: Callable[[str], str] = str) -> str:
        """Return the sentence in the language of `translate`, gaps filled."""
        params = {
            key: value.render(translate) if isinstance(value, Text) else value
            for key, value in self.params.items()
        }
        sentence = translate(self.msgid)
        return sentence % params if params else sentence

    def __str__(self) -> str:
        return self.render()


def N_(msgid: str, **params: Any) -> Text:  # noqa: N802 - gettext's own name, found by extraction
    """Mark a sentence for translation."""
    return Text(msgid, params)
