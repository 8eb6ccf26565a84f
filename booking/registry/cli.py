"""Commands for registry."""

import click


@click.group("registry")
def cli() -> None:
    """Commands for registry."""
