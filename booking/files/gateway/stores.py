"""The door to wherever files lie: a folder now; another kind of place is one more class here."""

import contextlib
import hashlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import unquote, urlsplit

from flask import Flask, current_app

from booking.kernel.config import ConfigError

_KEPT = "booking_files"


class Store(Protocol):
    """Keeps contents by their SHA-256."""

    def put(self, sha256: str, content: bytes) -> None:
        """Keep the content for good, whole or not at all; again is harmless."""

    def open(self, sha256: str) -> BinaryIO:
        """Return the content from its beginning; raises FileNotFoundError."""

    def is_whole(self, sha256: str) -> bool:
        """Tell whether it is there and its content is what the name says."""

    def remove(self, sha256: str) -> None:
        """Forget it, if it is there."""

    def names(self) -> Iterator[tuple[str, float]]:
        """Yield what is there, with when it was written (seconds since 1970)."""

    def clear(self, *, before: float) -> int:
        """Remove what a crash left half written before then; returns how many."""


class FolderStore:
    """A folder on this machine: `ab/abcdef…`, so that no folder grows without bound."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, sha256: str, content: bytes) -> None:
        """Write beside it and rename: nobody ever sees half of it, not even after a crash."""
        path = self._path(sha256)
        if self.is_whole(sha256):
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{sha256[:12]}.{secrets.token_hex(4)}")
        try:
            with fresh.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
        for folder_changed in (path.parent, self.root):
            _settle(folder_changed)

    def open(self, sha256: str) -> BinaryIO:
        """Return the content from its beginning; raises FileNotFoundError."""
        return self._path(sha256).open("rb")

    def is_whole(self, sha256: str) -> bool:
        """Tell whether it is there and its content is what the name says."""
        try:
            with self._path(sha256).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == sha256
        except FileNotFoundError:
            return False

    def remove(self, sha256: str) -> None:
        """Forget it, if it is there."""
        self._path(sha256).unlink(missing_ok=True)

    def names(self) -> Iterator[tuple[str, float]]:
        """Yield what is there, with when it was written (seconds since 1970)."""
        for path in self.root.glob("[0-9a-f][0-9a-f]/[0-9a-f]*"):
            with contextlib.suppress(FileNotFoundError):
                yield path.name, path.stat().st_mtime

    def clear(self, *, before: float) -> int:
        """Remove what a crash left half written before then; returns how many."""
        halves = [path for path in self.root.glob("??/.*") if path.stat().st_mtime < before]
        for path in halves:
            path.unlink(missing_ok=True)
        return len(halves)

    def _path(self, sha256: str) -> Path:
        return self.root / sha256[:2] / sha256


def _settle(folder_changed: Path) -> None:
    """Let the disk know the names too."""
    descriptor = os.open(folder_changed, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def init_files(app: Flask) -> None:
    """Open the place FILES_URL names; without it, `files` in the data folder.

    Raises ConfigError for an address that means none.
    """
    app.extensions[_KEPT] = FolderStore(
        _folder_of(str(app.config.get("FILES_URL") or ""), Path(app.config["DATA_DIR"]))
    )


def _folder_of(url: str, data: Path) -> Path:
    if not url:
        return data / "files"
    parts = urlsplit(url)
    if parts.scheme == "s3":
        raise ConfigError(
            "FILES_URL=s3://… is not supported yet: name a folder, file:///srv/files."
        )
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        return Path(unquote(parts.path))
    if not parts.scheme and url.startswith("/"):
        return Path(url)
    raise ConfigError(f"FILES_URL={url} is unusable: write it like file:///srv/booking/files.")


def store() -> FolderStore:
    """Return where the files of this application lie."""
    found: FolderStore = current_app.extensions[_KEPT]
    return found


def folder() -> Path:
    """Return the folder a backup has to take along."""
    return store().root
