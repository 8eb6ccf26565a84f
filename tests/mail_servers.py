"""Mail servers for tests: one that behaves, one that says whatever it is told to, or nothing."""

import contextlib
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

from booking.notices.gateway.carriers import Post
from booking.notices.gateway.smtp import parse


@dataclass
class Received:
    """A mail as a server got it."""

    sender: str
    to: str
    raw: bytes

    @property
    def mail(self) -> EmailMessage:
        """The mail, parsed."""
        return message_from_bytes(self.raw, _class=EmailMessage, policy=default)


@dataclass
class GoodServer:
    """A real server (aiosmtpd): keeps what it gets; answers some recipients as told."""

    port: int = 0
    received: list[Received] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    data_answer: str = "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd finds it by this name
        self, server: Any, session: Any, envelope: Any, address: str, _: Any
    ) -> str:
        """Take the recipient, or answer as told."""
        answer = self.answers.get(address, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(  # noqa: N802 - likewise
        self, server: Any, session: Any, envelope: Any
    ) -> str:
        """Keep the mail unless told to refuse it."""
        if self.data_answer.startswith("250"):
            (to,) = envelope.rcpt_tos
            self.received.append(Received(envelope.mail_from, to, envelope.content))
        return self.data_answer

    @property
    def mails(self) -> list[EmailMessage]:
        """What was received."""
        return [each.mail for each in self.received]


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def serving(server: GoodServer, **options: Any) -> Iterator[GoodServer]:
    """Let the server run."""
    server.port = free_port()
    controller = Controller(server, hostname="127.0.0.1", port=server.port, **options)
    controller.start()
    try:
        yield server
    finally:
        controller.stop()


@pytest.fixture
def use_mail(app: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """A function that sends mails to an SMTP address, or to a folder of the test's own."""

    def use(url: str = "", *, seconds: float = 5) -> None:
        post = Post(
            sender="no-reply@booking.example.cn",
            server=parse(url) if url else None,
            folder=tmp_path / "mail",
            timeout_seconds=seconds,
        )
        monkeypatch.setitem(app.extensions, "booking_post", post)

    use()
    return use


@pytest.fixture
def mail_server(use_mail: Callable[..., None]) -> Iterator[GoodServer]:
    """A server that takes everything, to which all mails go."""
    with serving(GoodServer()) as server:
        use_mail(f"smtp://127.0.0.1:{server.port}")
        yield server


class OddServer:
    """Follows a script: for each line it reads by its first word, what it says (None: nothing)."""

    def __init__(self, script: dict[str, str | None], *, greeting: str | None = "220 odd") -> None:
        self.script = {
            "EHLO": "250 odd",
            "MAIL": "250 OK",
            "RCPT": "250 OK",
            "DATA": "354 go on",
            ".": "250 OK",
            "RSET": "250 OK",
            "QUIT": "221 bye",
        } | script
        self.greeting = greeting
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                self._open.append(client)
                threading.Thread(target=self._talk, args=[client], daemon=True).start()

    def _talk(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client.makefile("rb") as lines:
            if self.greeting is not None:
                self._say(client, self.greeting)
            in_data = False
            for line in lines:
                word = line.decode().split(None, 1)[0].strip().upper() if line.strip() else ""
                if in_data and word != ".":
                    continue
                said = self.script.get(word, "502 what?")
                in_data = word == "DATA" and bool(said) and said.startswith("354")
                if said is not None:
                    self._say(client, said)

    def _say(self, client: socket.socket, words: str) -> None:
        client.sendall(f"{words}\r\n".encode())

    def close(self) -> None:
        """Hang up everywhere."""
        for each in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


class Dripping(OddServer):
    """Sends its greeting byte by byte, each in time for a socket that waits anew each time."""

    def _say(self, client: socket.socket, words: str) -> None:
        stop = threading.Event()
        for byte in words.encode() * 1000:
            client.sendall(bytes([byte]))
            stop.wait(0.05)


@pytest.fixture
def odd_server(use_mail: Callable[..., None]) -> Iterator[Callable[..., OddServer]]:
    """A function that starts a server with a script, to which all mails then go."""
    started: list[OddServer] = []

    def start(
        script: dict[str, str | None] | None = None,
        *,
        kind: type[OddServer] = OddServer,
        seconds: float = 0.3,
        **given: Any,
    ) -> OddServer:
        server = kind(script or {}, **given)
        started.append(server)
        use_mail(f"smtp://127.0.0.1:{server.port}", seconds=seconds)
        return server

    yield start
    for server in started:
        server.close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost, with its key in the same file, that nobody trusts by itself."""
    folder = tmp_path_factory.mktemp("certificate")
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True,
    )  # fmt: skip
    both = folder / "both.pem"
    both.write_text(key.read_text() + cert.read_text())
    return both


def tls(certificate: Path) -> ssl.SSLContext:
    """The server's side of TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


class TlsController(Controller):
    """TLS from the first byte, as smtps:// wants it."""

    def __init__(self, handler: Any, context: ssl.SSLContext, **given: Any) -> None:
        super().__init__(handler, ssl_context=context, **given)


def only_li(server: SMTP, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    """Let only li with the password secret in."""
    known = (data.login, data.password) == (b"li", b"secret")
    return AuthResult(success=known, handled=False)
