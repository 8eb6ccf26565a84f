"""What stops a start is said in one sentence, without a traceback."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from booking.kernel import config


@pytest.fixture
def booking(tmp_path):
    """The command as an operator runs it, with a data folder of its own."""

    def run(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [Path(sys.executable).with_name("booking"), *words],
            env=os.environ
            | {"BOOKING_DATA_DIR": str(tmp_path), "BOOKING_ENV": "development"}
            | env,
            cwd=config.root("booking").parent,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def one_sentence(done):
    assert done.returncode in {1, 2}, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    (said,) = [line for line in done.stderr.splitlines() if line.strip()]
    return said


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("nonsense", "DATABASE_URL"),
        ("mysql://root@127.0.0.1/booking", "DATABASE_URL"),
        ("postgresql://nobody@127.0.0.1:1/none", "127.0.0.1"),
        ("postgresql://nobody@no-such-host.invalid/none", "no-such-host.invalid"),
    ],
)
def test_an_unusable_database_is_named(booking, url, named):
    assert named in one_sentence(booking("db", "upgrade", DATABASE_URL=url))


@pytest.mark.parametrize("command", [("serve",), ("worker",)])
def test_an_unusable_mail_server_is_named_without_its_password(booking, command):
    said = one_sentence(booking(*command, SMTP_URL="smtp://li:geheim@mail.example.cn"))

    assert "SMTP_URL" in said
    assert "geheim" not in said


def test_an_unusable_sender_is_named(booking):
    assert "BOOKING_MAIL_FROM=nobody" in one_sentence(booking("worker", BOOKING_MAIL_FROM="nobody"))


def test_a_port_in_use_is_named_with_the_way_out(booking):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        said = one_sentence(booking("serve", "--port", str(port)))

    assert f"Port {port}" in said
    assert "PORT=" in said


def test_a_data_folder_that_is_a_file_is_named(booking, tmp_path):
    file = tmp_path / "a-file"
    file.touch()

    assert "a-file" in one_sentence(booking("verify", BOOKING_DATA_DIR=str(file)))
