"""Configuration: default.toml, the environment's file, then the variables of contract §1."""

import contextlib
import os
import secrets
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

NAMED = ("DATABASE_URL", "SECRET_KEY", "BASE_URL", "SMTP_URL", "FILES_URL", "LOG_FORMAT")
PREFIX = "BOOKING_"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
LOG_FORMATS = frozenset({"json", "console"})
SWITCHES = {"true": True, "1": True, "false": False, "0": False}
SHORTEST_SECRET = 32


class ConfigError(RuntimeError):
    """A value is missing or unusable; the sentence says which and what to do."""


def root(folder: str) -> Path:
    """Return a folder that ships beside the package, in a checkout or in an installed wheel."""
    package = Path(__file__).resolve().parent.parent
    beside = package.parent / folder
    return beside if beside.is_dir() else package / f"_{folder}"


def load(environment: str, overrides: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the configuration; raises ConfigError with one clear sentence."""
    config: dict[str, Any] = {"ENVIRONMENT": environment}
    for name in ("default", environment):
        path = root("config") / f"{name}.toml"
        if not path.is_file():
            raise ConfigError(f"BOOKING_ENV={environment} is unknown: there is no {path.name}.")
        config |= tomllib.loads(path.read_text(encoding="utf-8"))
    config |= _from_environment(config) | (overrides or {})
    config["DATA_DIR"] = Path(config.get("DATA_DIR", "var")).absolute()
    _check_base_url(config)
    _check_log_format(config)
    config["SECRET_KEY"] = _secret(config)
    return config


def is_loopback(base_url: str) -> bool:
    """Tell whether the address means this machine only."""
    return urlsplit(base_url).hostname in LOOPBACK


def _from_environment(defaults: dict[str, Any]) -> dict[str, Any]:
    """Return what the environment says; empty variables count as not set."""
    found: dict[str, Any] = {name: os.environ[name] for name in NAMED if os.environ.get(name)}
    for name, value in os.environ.items():
        if name.startswith(PREFIX) and value:
            key = name.removeprefix(PREFIX)
            found[key] = _parsed(name, value, like=defaults.get(key))
    return found


def _parsed(name: str, value: str, *, like: Any) -> Any:
    """Return the value in the type of the default it replaces."""
    if isinstance(like, bool):
        if value.lower() not in SWITCHES:
            raise ConfigError(f"{name}={value} is unusable: write true or false.")
        return SWITCHES[value.lower()]
    if isinstance(like, int):
        if not (value.isascii() and value.isdigit()):
            raise ConfigError(f"{name}={value} is unusable: write a whole number.")
        return int(value)
    if isinstance(like, list):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _check_base_url(config: dict[str, Any]) -> None:
    url = str(config["BASE_URL"])
    try:
        parts = urlsplit(url)
        usable = (
            parts.scheme in {"http", "https"}
            and parts.hostname
            and parts.port != 0
            and not (parts.query or parts.fragment or parts.username)
        )
    except ValueError:
        usable = False
    if not usable:
        raise ConfigError(f"BASE_URL={url} is no address: write it like https://lab.example.cn.")
    config["BASE_URL"] = url.rstrip("/")


def _check_log_format(config: dict[str, Any]) -> None:
    if config["LOG_FORMAT"] not in LOG_FORMATS:
        raise ConfigError(f"LOG_FORMAT={config['LOG_FORMAT']} is unknown: write json or console.")


def _secret(config: dict[str, Any]) -> str:
    given = config.get("SECRET_KEY")
    if is_loopback(config["BASE_URL"]):
        return str(given) if given else _kept_secret(config["DATA_DIR"] / "secret_key")
    if not given:
        raise ConfigError("SECRET_KEY is missing: set it, at least 32 random characters.")
    if len(str(given)) < SHORTEST_SECRET:
        raise ConfigError("SECRET_KEY is too short: set at least 32 random characters.")
    return str(given)


def _kept_secret(path: Path) -> str:
    """Return the secret kept in the data folder, made by whichever process comes first."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _make_secret(path)
        return path.read_text().strip()
    except OSError as exc:
        raise ConfigError(f"The data folder {path.parent} is unusable: {exc.strerror}.") from exc


def _make_secret(path: Path) -> None:
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    try:
        descriptor = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        # A link appears whole or not at all, and never over another process's secret.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(fresh)
    finally:
        fresh.unlink(missing_ok=True)
