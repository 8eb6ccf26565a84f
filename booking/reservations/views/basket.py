"""What somebody gathers to reserve at one confirmation: it lies in their browser, not with us."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Response, flash, redirect, render_template, request
from flask_babel import gettext

from booking.accounts.auth import acting_organisation, caller
from booking.kernel import forms, http, pages
from booking.kernel.db import transaction
from booking.kernel.errors import DomainError
from booking.kernel.login import login_required
from booking.kernel.money import Money
from booking.kernel.timeslot import TimeSlot, UnusableSlot
from booking.registry import queries as registry
from booking.reservations import queries, service
from booking.reservations.rules import MOST_SAMPLES
from booking.reservations.schemas import MOST_ITEMS
from booking.reservations.service import Judged, Wish
from booking.reservations.views.choice import read_choice
from booking.reservations.views.frame import bp, go

COOKIE = "basket"
_ASSISTED = {"": None, "0": False, "1": True}
_LONGEST = 60 * 24 * 31


@dataclass(frozen=True)
class Shown:
    """An item as the page shows it."""

    judged: Judged
    name: str
    broken: Sequence[str]


@bp.get("/reservations/basket")
@login_required
def basket() -> str:
    """Show what was gathered: what each costs, what would refuse it, and all of it together."""
    return _page()


@bp.post("/instruments/<id:instrument_id>/basket")
@login_required
def gather(instrument_id: int) -> Response:
    """Add the chosen slot to the list; nothing is held by that."""
    forms.check_token()
    choice, wishes = read_choice(instrument_id, request.form), gathered()
    if choice.slot is None:
        flash(gettext("请先选择开始时间。"), "wait")
        return go("instrument", instrument_id=instrument_id)
    if choice.prepaid is not None:
        flash(gettext("预付机时不能一次约多项。请直接确认这一项，或改为按次付费。"), "wait")
        return redirect(choice.address(), code=303)  # type: ignore[return-value]
    wish = Wish(
        instrument_id,
        choice.slot,
        choice.samples,
        choice.is_assisted,
        is_statutory=choice.is_statutory,
    )
    if len(wishes) >= MOST_ITEMS:
        flash(gettext("清单最多 %(most)s 项，请先确认或移除几项。", most=MOST_ITEMS), "wait")
    elif wish not in wishes:
        wishes.append(wish)
        flash(gettext("已加入清单。时段还没有锁定，确认后才为您保留。"), "ok")
    return _keep(go("basket"), wishes)


@bp.post("/reservations/basket/remove")
@login_required
def leave_out() -> Response:
    """Take one item out of the list."""
    forms.check_token()
    named = request.form.get("item", "")
    return _keep(go("basket"), [each for each in gathered() if written([each]) != named])


@bp.post("/reservations/basket")
@login_required
def confirm_all() -> Response:
    """Reserve all that was gathered, or none and say what is in the way."""
    wishes, who = gathered(), caller()
    if not wishes:
        return go("basket")
    try:
        forms.check_token()
        with transaction():
            made = service.reserve_all(
                wishes,
                caller=who,
                organisation_id=acting_organisation(who),
                purpose=request.form.get("purpose", "").strip()[:200],
            )
    except DomainError as refused:
        return _answered(
            _page(trouble=http.translate(refused.message)), http.status_of(type(refused))
        )
    flash(gettext("%(count)s 个预约已一次确认。", count=len(made.reservations)), "ok")
    return _keep(go("group", group_id=made.group.id), [])


@bp.get("/reservations/groups/<id:group_id>")
@login_required
def group(group_id: int) -> str:
    """Show what was reserved together."""
    found = queries.get_group(group_id, caller=caller())
    total = sum((each.due for each in found.reservations if each.due), Money(0))
    return render_template("reservations/group.html", found=found, total=total)


def gathered() -> list[Wish]:
    """Return what lies in this browser; what nobody can have gathered is left out."""
    parts = request.cookies.get(COOKIE, "").split("~")[:MOST_ITEMS]
    found = (_read(part) for part in parts if part)
    return [wish for wish in found if wish is not None]


def written(wishes: Sequence[Wish]) -> str:
    """Return wishes as the cookie keeps them."""
    return "~".join(
        ".".join(
            (
                str(wish.instrument_id),
                str(int(wish.slot.starts_at.timestamp()) // 60),
                str(wish.slot.minutes),
                str(wish.samples),
                "" if wish.is_assisted is None else str(int(wish.is_assisted)),
                str(int(wish.is_statutory)),
            )
        )
        for wish in wishes
    )


def _read(part: str) -> Wish | None:
    *numbers, assisted, statutory = ["", *part.split(".")]
    plain = all(each.isascii() and each.isdigit() and len(each) < 12 for each in numbers[1:])
    if len(numbers) != 5 or not plain or assisted not in _ASSISTED or statutory not in "01":
        return None
    instrument_id, start, minutes, samples = map(int, numbers[1:])
    if not (0 < minutes <= _LONGEST and 0 < samples <= MOST_SAMPLES and instrument_id):
        return None
    try:
        begins = datetime.fromtimestamp(start * 60, UTC)
        slot = TimeSlot(begins, begins + timedelta(minutes=minutes))
    except (UnusableSlot, OverflowError, ValueError, OSError):
        return None
    return Wish(instrument_id, slot, samples, _ASSISTED[assisted], is_statutory=statutory == "1")


def _keep(response: Response, wishes: Sequence[Wish]) -> Response:
    pages.remember(response, COOKIE, written(wishes))
    return response


def _page(*, trouble: str = "") -> str:
    wishes, who = gathered(), caller()
    shown: list[Shown] = []
    try:
        judged = service.preview(wishes, caller=who, organisation_id=acting_organisation(who))
    except DomainError as refused:
        trouble = trouble or http.translate(refused.message)
    else:
        shown = _shown(judged)
    return render_template(
        "reservations/basket.html",
        items=shown,
        written=written,
        trouble=trouble,
        purpose=request.form.get("purpose") or queries.last_purpose(who),
        **sums([each.judged for each in shown]),
    )


def sums(judged: Sequence[Judged]) -> dict[str, Any]:
    """Return what they cost and save together, and whether nothing is in the way."""
    quotes = [each.offer.quote for each in judged if each.offer and each.offer.quote]
    return {
        "price": sum((each.price for each in quotes), Money(0)),
        "saving": sum((each.saving for each in quotes if each.saving), Money(0)),
        "refused": sum(not each.bookable for each in judged),
        "asks": any(each.offer and each.offer.approval.needed for each in judged),
    }


def _shown(judged: Sequence[Judged]) -> list[Shown]:
    names = registry.instrument_names([each.wish.instrument_id for each in judged if each.offer])
    return [Shown(each, names.get(each.wish.instrument_id, ""), broken_of(each)) for each in judged]


def broken_of(judged: Judged) -> list[str]:
    """Return in words what refuses it."""
    broken = [http.translate(each.detail) for each in judged.violations]
    return [*broken, *([gettext("这个时段已被约走。")] if judged.is_taken else [])]


def _answered(page: str, status: int) -> Response:
    return Response(page, status=status, content_type="text/html; charset=utf-8")
