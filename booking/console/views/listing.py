"""The instruments of an institution, for those who work there: what stands how, and publishing."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

from flask import Response, flash, render_template, request, url_for
from flask_babel import gettext

from booking.accounts.auth import caller
from booking.accounts.rules import Permission
from booking.console import queries
from booking.console.queries import Wanted
from booking.console.views.frame import (
    bp,
    chosen_institution,
    go,
    institutions,
    number,
    own_instrument,
)
from booking.kernel import forms, http
from booking.kernel.db import transaction
from booking.kernel.errors import DomainError, NotFound
from booking.kernel.login import login_required
from booking.registry import service
from booking.registry.models import Instrument, Publication, RunningState, SharingMode

SHOWN = 50
LONGEST_Q = 100
_Word = TypeVar("_Word", bound=StrEnum)


@bp.get("/institution/instruments")
@login_required
def instruments() -> Response:
    """List the instruments of the institution one works at, published or not."""
    return _list()


@bp.post("/institution/instruments/<id:instrument_id>/publish")
@login_required
def publish(instrument_id: int) -> Response:
    """Let everybody find an instrument, or say what is missing for that."""
    return _move(instrument_id, service.publish, gettext("“%(name)s”已发布，企业可以找到它。"))


@bp.post("/institution/instruments/<id:instrument_id>/withdraw")
@login_required
def withdraw(instrument_id: int) -> Response:
    """Take an instrument out of everybody's sight; what is reserved stays."""
    return _move(instrument_id, service.withdraw, gettext("“%(name)s”已撤回，已有预约不受影响。"))


def wanted() -> Wanted:
    """Return what the address or form narrows the list to; what cannot be meant narrows nothing."""
    given = request.values
    return Wanted(
        q=" ".join(given.get("q", "").split())[:LONGEST_Q],
        publication=_word(Publication, "publication"),
        state=_word(RunningState, "state"),
        sharing=_word(SharingMode, "sharing"),
        lacking=given.get("lacking", "") if given.get("lacking") in {"hours", "price"} else "",
        mark=given.get("mark", "") if given.get("mark") in {"customs", "national"} else "",
    )


def as_arguments(found: Wanted) -> dict[str, str]:
    """Return it as it stands in an address."""
    return {name: str(value) for name, value in vars(found).items() if value}


def _word(kind: type[_Word], name: str) -> _Word | None:
    value = request.values.get(name, "")
    return kind(value) if value in set(kind) else None


def _move(instrument_id: int, change: Callable[..., Instrument], done: str) -> Response:
    name = own_instrument(instrument_id, Permission.MANAGE_INSTRUMENTS).name
    try:
        forms.check_token()
        with transaction():
            change(instrument_id, caller=caller(), version=number("version"))
    except NotFound:
        raise
    except DomainError as refused:
        reason = http.translate(refused.message)
        trouble = gettext("“%(name)s”没有更改。%(reason)s", name=name, reason=reason)
        return _list(trouble, http.status_of(type(refused)))
    flash(done % {"name": name}, "ok")
    return go(
        "instruments",
        institution=number("institution"),
        page=number("page"),
        **as_arguments(wanted()),
    )


def _list(trouble: str = "", status: int = 200) -> Response:
    among = institutions()
    chosen = chosen_institution(among)
    who, found = caller(), wanted()
    page_number = max(1, number("page") or 1)
    rows, total = _page(chosen, found, page_number)
    if not rows and total:  # past the last page
        page_number = -(-total // SHOWN)
        rows, _ = _page(chosen, found, page_number)
    kept: dict[str, Any] = {"institution": chosen} | as_arguments(found)

    def page_url(to: int) -> str:
        return url_for("console_pages.instruments", page=to, **kept)

    page = render_template(
        "console/instruments.html",
        institutions=among,
        chosen=chosen,
        rows=rows,
        total=total,
        number=page_number,
        wanted=found,
        kept=kept,
        newer_url=page_url(page_number - 1) if page_number > 1 else "",
        older_url=page_url(page_number + 1) if page_number * SHOWN < total else "",
        publications=list(Publication),
        states=list(RunningState),
        sharing_modes=list(SharingMode),
        most=queries.MOST_AT_ONCE,
        may_run=who.may(Permission.RUN_INSTRUMENTS, chosen),
        may_publish=who.may(Permission.MANAGE_INSTRUMENTS, chosen),
        trouble=trouble,
    )
    return Response(page, status=status, content_type="text/html; charset=utf-8")


def _page(chosen: int, found: Wanted, page: int) -> Any:
    return queries.list_instruments(
        chosen, found, caller=caller(), limit=SHOWN, skip=(page - 1) * SHOWN
    )
