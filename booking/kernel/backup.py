"""One file with everything that is kept: the database as one moment saw it, and the stored files.

The programs of the embedded server are used whichever server is backed up: they are the newest.
SECRET_KEY is not in it; whoever restores elsewhere brings it along.
"""

import hashlib
import io
import json
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import make_url

from booking.kernel import clock
from booking.kernel.postgres import EmbeddedPostgres

FORMAT = 1
MANIFEST, DUMP, FILES = "manifest.json", "database.dump", "files/"
HEAD_LINES = 60  # within which a dump sets what holds for the session
LARGEST_MANIFEST = 2**20
_CHUNK = 2**20

Progress = Callable[[str], None]


class BackupFailed(RuntimeError):
    """It could not be written or read back; the sentence says why."""


def write(target: Path, *, url: str, files: Path, migration: str | None, said: Progress) -> None:
    """Write a backup to a new file; raises BackupFailed and leaves nothing half done behind.

    The database first: a file is stored before the row that names it, and swept long after.
    """
    if target.exists():
        raise BackupFailed(f"{target} exists already: name a new file.")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as folder:
            whole = _packed(Path(folder), url=url, files=files, migration=migration, said=said)
            os.link(whole, target)  # whole or not at all, and never over another file
    except OSError as exc:
        raise BackupFailed(f"{target} cannot be written: {exc.strerror}.") from exc


def _packed(folder: Path, *, url: str, files: Path, migration: str | None, said: Progress) -> Path:
    dump, whole = folder / DUMP, folder / "whole.tar"
    said("database")
    _dump(url, dump)
    with tarfile.open(whole, "w") as tar:
        _add_manifest(tar, migration, dump)
        tar.add(dump, DUMP)
        for path in sorted(_stored(files)):
            said(path.name)
            tar.add(path, FILES + path.relative_to(files).as_posix(), recursive=False)
    _settle(whole)
    return whole


def read(
    source: Path, *, url: str, files: Path, knows: Callable[[str], bool], said: Progress
) -> dict[str, Any]:
    """Restore a backup into an empty database; returns its manifest.

    `knows` tells whether this program has the migration the backup was made at.

    One transaction: it is there whole or not at all. Raises BackupFailed.
    """
    try:
        with tarfile.open(source) as tar, tempfile.TemporaryDirectory() as folder:
            manifest, dump = _manifest(tar), Path(folder) / DUMP
            _check_known(manifest, source, knows)
            _extract(tar, DUMP, dump)
            _check_whole(dump, manifest, source)
            _extract_files(tar, files, said)
            said("database")
            _restore(url, dump)
            return manifest
    except (OSError, tarfile.TarError, KeyError) as exc:
        raise BackupFailed(f"{source} is no backup that can be read: {exc}.") from exc


def _check_known(manifest: dict[str, Any], source: Path, knows: Callable[[str], bool]) -> None:
    if not knows(manifest["migration"]):
        raise BackupFailed(
            f"{source} was made by a newer version (migration {manifest['migration']}): "
            "install that one or a later one."
        )


def _check_whole(dump: Path, manifest: dict[str, Any], source: Path) -> None:
    if _digest(dump) != manifest["database_sha256"]:
        raise BackupFailed(f"{source} is damaged: the database in it has changed.")


def _extract_files(tar: tarfile.TarFile, files: Path, said: Progress) -> None:
    for member in tar:
        if member.isfile() and member.name.startswith(FILES):
            said(member.name)
            _extract(tar, member.name, files / _inside(member.name))


def _stored(files: Path) -> Iterator[Path]:
    return (path for path in files.rglob("*") if path.is_file()) if files.is_dir() else iter(())


def _add_manifest(tar: tarfile.TarFile, migration: str | None, dump: Path) -> None:
    manifest = {
        "format": FORMAT,
        "made_at": clock.now().isoformat(),
        "migration": migration,
        "database_sha256": _digest(dump),
    }
    raw = json.dumps(manifest, indent=1).encode()
    member = tarfile.TarInfo(MANIFEST)
    member.size = len(raw)
    tar.addfile(member, io.BytesIO(raw))


def _manifest(tar: tarfile.TarFile) -> dict[str, Any]:
    member = tar.getmember(MANIFEST)
    source = tar.extractfile(member)
    if source is None or member.size > LARGEST_MANIFEST:
        raise BackupFailed("The manifest in it is none of ours.")
    try:
        manifest = json.load(source)
    except ValueError as exc:
        raise BackupFailed("The manifest in it is none of ours.") from exc
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise BackupFailed("It was made by another version whose form is not known here.")
    return manifest


def _inside(name: str) -> PurePosixPath:
    """Return the path below the folder of files; a name that leads elsewhere is refused."""
    path = PurePosixPath(name).relative_to(FILES)
    if path.is_absolute() or ".." in path.parts:
        raise BackupFailed(f"{name} leads out of the folder of files.")
    return path


def _extract(tar: tarfile.TarFile, name: str, target: Path) -> None:
    source = tar.extractfile(name)
    if source is None:
        raise BackupFailed(f"{name} in it is no file.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        while chunk := source.read(_CHUNK):
            file.write(chunk)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _settle(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _dump(url: str, target: Path) -> None:
    _run("pg_dump", url, "--format=custom", "--no-owner", "--no-privileges", f"--file={target}")


def _restore(url: str, dump: Path) -> None:
    """Send the dump's statements through psql, less those an older server does not know."""
    script = dump.with_suffix(".sql")
    _run("pg_restore", None, "--no-owner", "--no-privileges", f"--file={script}", str(dump))
    plain = dump.with_suffix(".plain.sql")
    with script.open("rb") as source, plain.open("wb") as target:
        _without_new_settings(source, target)
    _run(
        "psql",
        url,
        "--no-psqlrc",
        "--quiet",
        "--single-transaction",
        "--set=ON_ERROR_STOP=1",
        f"--file={plain}",
    )


def _without_new_settings(source: IO[bytes], target: IO[bytes]) -> None:
    # Only among the first lines: further down a row of a table could read the same.
    for number, line in enumerate(source):
        if number < HEAD_LINES and line == b"SET transaction_timeout = 0;\n":
            continue
        target.write(line)


def _run(program: str, url: str | None, *arguments: str) -> None:
    """Run a program of the embedded server; the password travels where nobody can list it."""
    environment = dict(os.environ)
    command = [str(EmbeddedPostgres.programs / program), *arguments]
    if url is not None:
        # As libpq reads it: ours names the driver too.
        plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        facts = {name: str(value) for name, value in conninfo_to_dict(plain).items()}
        environment["PGPASSWORD"] = facts.pop("password", "")
        command.insert(1, f"--dbname={make_conninfo('', **facts)}")
    done = subprocess.run(  # noqa: S603 - our own programs
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().splitlines()
        raise BackupFailed(f"{program}: {reason[0] if reason else done.returncode}")
