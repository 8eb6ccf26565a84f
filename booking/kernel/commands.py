"""What all commands share: a business "no" is one sentence and exit code 1."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from booking.kernel.errors import DomainError


@contextmanager
def refusals() -> Iterator[None]:
    """Turn a DomainError into the command line's own error, with every field's reason."""
    try:
        yield
    except DomainError as error:
        by_field = error.details.get("errors", {}).values()
        reasons = [str(reason) for reasons in by_field for reason in reasons]
        raise click.ClickException(" ".join(reasons) or str(error.message)) from error
