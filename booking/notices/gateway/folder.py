"""Without a mail server: mails as files in the data folder, which the demo shows."""

import contextlib
import os
import re
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from booking.notices.errors import Unreachable
from booking.notices.rules import one_line

_NAME = re.compile(r"[0-9]{10}-[0-9a-f]{16}")


class FolderCarrier:
    """Writes each mail to a file named by its Message-ID: the same mail twice is one file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as exc:
            raise Unreachable(one_line(f"{folder}: {exc.strerror}")) from exc

    def send(self, mail: EmailMessage, *, to: str) -> None:
        """Write the mail, whole or not at all; raises Unreachable if the folder takes none."""
        path = self._folder / f"{_name_of(mail)}.eml"
        fresh = path.with_suffix(f".{os.getpid()}")
        try:
            fresh.write_bytes(mail.as_bytes())
            fresh.replace(path)
        except OSError as exc:
            with contextlib.suppress(OSError):
                fresh.unlink(missing_ok=True)
            raise Unreachable(one_line(f"{path}: {exc.strerror}")) from exc

    def close(self) -> None:
        """Nothing is open."""


def _name_of(mail: EmailMessage) -> str:
    """Return the part of the Message-ID before its host, which we made (gateway.mime)."""
    name = str(mail["Message-ID"]).strip("<>").partition("@")[0]
    if not _NAME.fullmatch(name):
        msg = f"{name} is no id of ours"
        raise ValueError(msg)
    return name


@dataclass(frozen=True)
class KeptMail:
    """A mail that lies in the folder."""

    name: str
    raw: bytes
    parsed: EmailMessage

    @property
    def subject(self) -> str:
        """Return its subject."""
        return str(self.parsed["Subject"])

    @property
    def to(self) -> str:
        """Return whom it is addressed to."""
        return str(self.parsed["To"])

    @property
    def sent_at(self) -> datetime:
        """Return its date."""
        sent_at: datetime = self.parsed["Date"].datetime
        return sent_at

    def body(self, kind: str) -> str:
        """Return its plain, html or calendar part; empty if it has none."""
        part = next(
            (each for each in self.parsed.walk() if each.get_content_type() == f"text/{kind}"),
            None,
        )
        return str(part.get_content()) if part is not None else ""


def list_kept(folder: Path, *, limit: int) -> list[KeptMail]:
    """Return the mails in the folder, latest made first."""
    names = sorted((path.stem for path in folder.glob("*.eml")), reverse=True)
    found = (find_kept(folder, name) for name in names[:limit])
    return [mail for mail in found if mail is not None]


def find_kept(folder: Path, name: str) -> KeptMail | None:
    """Return one mail by its name, None if there is none."""
    if not _NAME.fullmatch(name):
        return None
    try:
        raw = (folder / f"{name}.eml").read_bytes()
    except OSError:
        return None
    parsed = message_from_bytes(raw, _class=EmailMessage, policy=default)
    return KeptMail(name, raw, parsed)
