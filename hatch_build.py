"""Build hook: compiles the translation catalogues (.po -> .mo) into the package."""

from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CatalogueHook(BuildHookInterface):
    """Runs at `pip install .`, `pip install -e .` and when a wheel is built."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile every catalogue; `version` and `build_data` are the builder's own."""
        for source in Path(self.root, "booking", "translations").rglob("*.po"):
            with source.open("rb") as file:
                catalogue = read_po(file, locale=source.parts[-3], domain=source.stem)
            with source.with_suffix(".mo").open("wb") as file:
                write_mo(file, catalogue)
