"""Styles, scripts and icons as the front end's build left them: names that say their content."""

import json
import re
from functools import cache
from pathlib import Path

from flask import Flask, url_for
from whitenoise import WhiteNoise

YEAR = 366 * 24 * 3600
_HASHED = re.compile(r"-[A-Z0-9]{8}[.](css|js|svg)$")


class Assets:
    """The built files by their plain names; without a build there are none and pages do without."""

    def __init__(self, folder: Path, *, rereads: bool) -> None:
        self.folder = folder
        self._names = self._read if rereads else cache(self._read)

    def address(self, name: str) -> str | None:
        """Return where the file is served, or None if it was not built."""
        found = self._names().get(name)
        return url_for("static", filename=f"dist/{found}") if found else None

    def _read(self) -> dict[str, str]:
        manifest = self.folder / "manifest.json"
        if not manifest.is_file():
            return {}
        names: dict[str, str] = json.loads(manifest.read_text(encoding="utf-8"))
        return names


def init_assets(app: Flask) -> None:
    """Serve the built files, compressed and to be kept for ever; `asset()` names them in pages."""
    folder = Path(app.static_folder or "") / "dist"
    rereads = app.config["ENVIRONMENT"] == "development"
    app.jinja_env.globals["asset"] = Assets(folder, rereads=rereads).address
    if not folder.is_dir():
        return
    app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]
        app.wsgi_app,
        root=str(folder),
        prefix="static/dist",
        autorefresh=rereads,
        max_age=YEAR,
        immutable_file_test=lambda path, _: bool(_HASHED.search(path)),
        allow_all_origins=False,
        add_headers_function=_guard,
    )


def _guard(headers: dict[str, str], path: str, url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
    # An icon opened by itself is a document too.
    headers["Content-Security-Policy"] = "default-src 'none'"
