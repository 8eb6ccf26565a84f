"""Who carries mails: the server of `SMTP_URL`, otherwise the folder; and who sends them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from flask import Flask, current_app

from booking.kernel.config import LOOPBACK, ConfigError
from booking.kernel.errors import InvalidField
from booking.kernel.names import clean_email
from booking.notices.gateway import folder, smtp
from booking.notices.gateway.folder import FolderCarrier, KeptMail


class Carrier(Protocol):
    """Takes mails one after the other."""

    def send(self, mail: EmailMessage, *, to: str) -> None:
        """Hand one mail over; raises Refused, Postponed or Unreachable."""

    def close(self) -> None:
        """End the connection, if there is one."""


@dataclass(frozen=True)
class Post:
    """How mail leaves this installation."""

    sender: str
    server: smtp.Server | None
    folder: Path
    timeout_seconds: int


def init_carriers(app: Flask) -> None:
    """Read the configuration once; raises ConfigError."""
    url = app.config.get("SMTP_URL")
    app.extensions["booking_post"] = Post(
        sender=_sender(app),
        server=smtp.parse(url) if url else None,
        folder=app.config["DATA_DIR"] / "mail",
        timeout_seconds=app.config["SMTP_TIMEOUT_SECONDS"],
    )


def post() -> Post:
    """Return how mail leaves."""
    found: Post = current_app.extensions["booking_post"]
    return found


@contextmanager
def carrier() -> Iterator[Carrier]:
    """Open the way out; raises Unreachable."""
    ours = post()
    opened = (
        FolderCarrier(ours.folder)
        if ours.server is None
        else smtp.SmtpCarrier(ours.server, sender=ours.sender, timeout_seconds=ours.timeout_seconds)
    )
    try:
        yield opened
    finally:
        opened.close()


def way() -> str:
    """Return where mails go, for administrators: the server's name, or the folder."""
    ours = post()
    return str(ours.folder) if ours.server is None else f"{ours.server.host}:{ours.server.port}"


def list_kept(*, limit: int) -> list[KeptMail]:
    """Return the mails in the folder, latest made first."""
    return folder.list_kept(post().folder, limit=limit)


def find_kept(name: str) -> KeptMail | None:
    """Return a mail of the folder by its name, None if there is none."""
    return folder.find_kept(post().folder, name)


def _sender(app: Flask) -> str:
    given = str(app.config["MAIL_FROM"])
    if given:
        try:
            return clean_email(given)
        except InvalidField as exc:
            raise ConfigError(
                f"BOOKING_MAIL_FROM={given} is no address: write it like no-reply@example.cn."
            ) from exc
    host = urlsplit(app.config["BASE_URL"]).hostname or ""
    if host in LOOPBACK:  # nobody's mail domain
        return "no-reply@localhost.localdomain"
    try:
        address = ip_address(host)
    except ValueError:
        return f"no-reply@{host}"
    return f"no-reply@[{'IPv6:' if address.version == 6 else ''}{address}]"
