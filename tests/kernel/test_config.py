"""A missing or unusable value stops the start with one clear sentence."""

import errno
import os
import stat

import pytest

from booking.kernel import config
from booking.kernel.config import ConfigError


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch, tmp_path):
    for name in [*config.NAMED, *(name for name in os.environ if name.startswith("BOOKING_"))]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BOOKING_DATA_DIR", str(tmp_path))


def test_the_environments_file_wins_over_the_default_one():
    assert config.load("development")["LOG_FORMAT"] == "console"


def test_an_environment_variable_wins_over_the_files(monkeypatch):
    monkeypatch.setenv("LOG_FORMAT", "json")
    monkeypatch.setenv("BOOKING_DB_POOL_SIZE", "3")
    monkeypatch.setenv("BOOKING_DEMO", "false")
    monkeypatch.setenv("BOOKING_LANGUAGES", "en, zh_Hans_CN")

    found = config.load("development")

    assert (found["LOG_FORMAT"], found["DB_POOL_SIZE"], found["DEMO"]) == ("json", 3, False)
    assert found["LANGUAGES"] == ["en", "zh_Hans_CN"]


def test_an_empty_variable_counts_as_not_set(monkeypatch):
    monkeypatch.setenv("LOG_FORMAT", "")
    monkeypatch.setenv("BOOKING_DB_POOL_SIZE", "")

    assert config.load("development")["LOG_FORMAT"] == "console"


def test_an_unknown_environment_is_named():
    with pytest.raises(ConfigError, match="BOOKING_ENV=nowhere"):
        config.load("nowhere")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BASE_URL", "lab.example.cn"),
        ("BASE_URL", "ftp://lab.example.cn"),
        ("BASE_URL", "http://"),
        ("BASE_URL", "http://[::1"),
        ("BASE_URL", "http://lab.example.cn:70000"),
        ("BASE_URL", "http://lab.example.cn?x=1"),
        ("LOG_FORMAT", "xml"),
        ("BOOKING_DB_POOL_SIZE", "many"),
        ("BOOKING_DB_POOL_SIZE", "-1"),
        ("BOOKING_DB_POOL_SIZE", "²"),
        ("BOOKING_DEMO", "perhaps"),
    ],
)
def test_an_unusable_value_is_named(monkeypatch, name, value):
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigError, match=name):
        config.load("development")


def test_a_trailing_slash_of_the_base_address_is_dropped(monkeypatch):
    monkeypatch.setenv("BASE_URL", "http://127.0.0.1:9000/")

    assert config.load("development")["BASE_URL"] == "http://127.0.0.1:9000"


def test_on_a_laptop_a_secret_is_made_once_and_kept_private(tmp_path):
    first = config.load("development")["SECRET_KEY"]

    assert config.load("development")["SECRET_KEY"] == first
    assert len(first) >= 32
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_a_public_address_needs_a_secret(monkeypatch):
    monkeypatch.setenv("BASE_URL", "https://lab.example.cn")

    with pytest.raises(ConfigError, match="SECRET_KEY is missing"):
        config.load("production")


def test_a_public_address_needs_a_long_secret(monkeypatch):
    monkeypatch.setenv("BASE_URL", "https://lab.example.cn")
    monkeypatch.setenv("SECRET_KEY", "123456")

    with pytest.raises(ConfigError, match="SECRET_KEY is too short"):
        config.load("production")


def test_a_given_secret_is_taken(monkeypatch):
    monkeypatch.setenv("BASE_URL", "https://lab.example.cn")
    monkeypatch.setenv("SECRET_KEY", "s" * 40)

    assert config.load("production")["SECRET_KEY"] == "s" * 40


def test_a_data_folder_that_cannot_be_made_is_named(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("BOOKING_DATA_DIR", str(tmp_path / "file" / "var"))

    with pytest.raises(ConfigError, match="data folder"):
        config.load("development")


def test_a_full_disk_is_named(monkeypatch, tmp_path):
    def full(*_args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(config.os, "fsync", full)

    with pytest.raises(ConfigError, match="No space left"):
        config.load("development")
    assert list(tmp_path.iterdir()) == []


def test_two_processes_that_start_together_agree_on_the_secret(tmp_path, monkeypatch):
    (tmp_path / "secret_key").write_text("made by the other process")
    seen = iter([False, True])
    monkeypatch.setattr(config.Path, "exists", lambda _self: next(seen, True))

    assert config.load("development")["SECRET_KEY"] == "made by the other process"


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://localhost", True),
        ("http://[::1]:8000", True),
        ("https://lab.example.cn", False),
        ("http://0.0.0.0:8000", False),
    ],
)
def test_loopback_means_this_machine_only(url, loopback):
    assert config.is_loopback(url) is loopback
