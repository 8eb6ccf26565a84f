"""Mail over SMTP: where `SMTP_URL` leads, and one connection that carries mails there."""

import contextlib
import smtplib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from threading import Timer
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from booking.kernel.config import LOOPBACK, ConfigError
from booking.notices.errors import Postponed, Refused, Unreachable
from booking.notices.rules import LONGEST_SEND, one_line

Security = Literal["none", "starttls", "tls"]
_SCHEMES: dict[str, tuple[Security, int]] = {
    "smtp": ("none", 25),
    "smtp+starttls": ("starttls", 587),
    "smtps": ("tls", 465),
}
_EXAMPLE = "write it like smtp+starttls://user:password@mail.example.cn:587"
_READY = 220
_CLOSING = 421  # the server's last word before it hangs up


@dataclass(frozen=True)
class Server:
    """A mail server and how to speak to it."""

    host: str
    port: int
    security: Security
    user: str = ""
    password: str = ""


def parse(url: str) -> Server:
    """Return the server behind `SMTP_URL`, or raise ConfigError, which never repeats the password.

    smtp:// is plain (port 25), smtp+starttls:// turns to TLS or fails (587), smtps:// is TLS from
    the first byte (465). A password goes over plain SMTP only to this machine.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as exc:
        raise ConfigError(f"SMTP_URL cannot be read: {_EXAMPLE}.") from exc
    if parts.scheme not in _SCHEMES:
        known = ", ".join(f"{scheme}://" for scheme in _SCHEMES)
        raise ConfigError(f"SMTP_URL must begin with one of {known}: {_EXAMPLE}.")
    extra = parts.path.strip("/") or parts.query or parts.fragment
    if not parts.hostname or port == 0 or extra:
        raise ConfigError(f"SMTP_URL must name a host and nothing after its port: {_EXAMPLE}.")
    security, usual_port = _SCHEMES[parts.scheme]
    server = Server(
        host=parts.hostname,
        port=port or usual_port,
        security=security,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )
    if server.password and security == "none" and server.host not in LOOPBACK:
        raise ConfigError(
            f"SMTP_URL would send the password to {server.host} unencrypted: "
            "write smtp+starttls:// or smtps:// instead of smtp://."
        )
    return server


class SmtpCarrier:
    """A connection to the server; raises Unreachable when it is opened or breaks."""

    def __init__(self, server: Server, *, sender: str, timeout_seconds: float) -> None:
        self._sender = sender
        self._timeout = timeout_seconds
        self._smtp = self._client(server)
        with _told_plainly(), contextlib.ExitStack() as undo:
            undo.callback(self._smtp.close)
            with self._within(LONGEST_SEND.total_seconds()):
                self._greet(server)
            undo.pop_all()

    def send(self, mail: EmailMessage, *, to: str) -> None:
        """Hand one mail over; raises Refused, Postponed or Unreachable.

        After Unreachable it may have arrived or not, and nothing more can be sent here.
        """
        with _told_plainly(), self._within(LONGEST_SEND.total_seconds()):
            self._smtp.sendmail(self._sender, [to], mail.as_bytes())

    def close(self) -> None:
        """Say goodbye if anybody listens."""
        with contextlib.suppress(OSError, smtplib.SMTPException), self._within(self._timeout):
            self._smtp.quit()
        self._smtp.close()

    def _client(self, server: Server) -> smtplib.SMTP:
        given: dict[str, Any] = {
            "local_hostname": self._sender.partition("@")[2],
            "timeout": self._timeout,
        }
        if server.security == "tls":
            client: smtplib.SMTP = smtplib.SMTP_SSL(context=ssl.create_default_context(), **given)
        else:
            client = smtplib.SMTP(**given)
        # Only its constructor sets what certificates are checked against, and that one would
        # connect at once, where nothing bounds the time it takes.
        client._host = server.host  # type: ignore[attr-defined]
        return client

    def _greet(self, server: Server) -> None:
        code, said = self._smtp.connect(server.host, server.port)
        if code != _READY:
            raise smtplib.SMTPConnectError(code, said)
        self._smtp.ehlo_or_helo_if_needed()
        if server.security == "starttls":
            self._smtp.starttls(context=ssl.create_default_context())
        if server.user:
            self._smtp.login(server.user, server.password)

    @contextlib.contextmanager
    def _within(self, seconds: float) -> Iterator[None]:
        """Hang up when it takes too long in all: a socket's timeout begins anew with each byte."""
        guard = Timer(seconds, self._hang_up)
        guard.daemon = True
        guard.start()
        try:
            yield
        finally:
            guard.cancel()

    def _hang_up(self) -> None:
        if self._smtp.sock is not None:
            with contextlib.suppress(OSError):
                self._smtp.sock.shutdown(2)


@contextlib.contextmanager
def _told_plainly() -> Iterator[None]:
    """Turn what the library raises into what it means for the mail."""
    try:
        yield
    except smtplib.SMTPRecipientsRefused as exc:
        code, said = next(iter(exc.recipients.values()))
        raise _answer(code, said) from exc
    except smtplib.SMTPDataError as exc:
        raise _answer(exc.smtp_code, exc.smtp_error) from exc
    except smtplib.SMTPResponseException as exc:
        # Log-in or sender refused: an operator has to look, no mail is at fault.
        raise Unreachable(_said(exc.smtp_code, exc.smtp_error)) from exc
    except (OSError, smtplib.SMTPException) as exc:
        raise Unreachable(one_line(f"{type(exc).__name__}: {exc}")) from exc


def _answer(code: int, said: bytes | str) -> Exception:
    if code == _CLOSING:
        return Unreachable(_said(code, said))
    return (Refused if code >= 500 else Postponed)(_said(code, said))


def _said(code: int, said: bytes | str) -> str:
    words = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return one_line(f"{code} {words}")
