"""The page of an instrument: its week, the starts that fit, what a slot costs, and taking it."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, redirect, render_template, request, url_for
from flask_babel import gettext

from booking.accounts import queries as accounts
from booking.accounts.auth import acting_organisation, caller_or_none
from booking.accounts.rules import Caller, Permission
from booking.attachments import queries as attachments
from booking.attachments.models import Attachment
from booking.attachments.rules import AttachmentKind
from booking.availability import queries as availability
from booking.availability.errors import SlotTaken
from booking.availability.rules import Classes
from booking.kernel import clock, formats, forms, http, pages
from booking.kernel.db import transaction
from booking.kernel.errors import DomainError
from booking.qualifications import queries as qualifications
from booking.qualifications.rules import SOON_DAYS, CalibrationKind
from booking.registry import queries as registry
from booking.registry.rules import technical_pairs
from booking.reservations import queries, rules, service
from booking.reservations.errors import NotBookable
from booking.reservations.models import HOLDING, Reservation
from booking.reservations.views.basket import gathered
from booking.reservations.views.calendar import longest, week_drawn
from booking.reservations.views.choice import Choice, read_choice
from booking.reservations.views.costs import Costs, costs_of, panel
from booking.reservations.views.frame import bp, go
from booking.reservations.views.slots import slot_lists
from booking.tariffs import queries as tariff_queries
from booking.tariffs.rules import Customer


@bp.get("/instruments/<id:instrument_id>")
def instrument(instrument_id: int) -> Response:
    """Show an instrument, its next seven days, and the slot that is chosen or comes first."""
    return _show(read_choice(instrument_id, request.args))


@bp.post("/instruments/<id:instrument_id>/reserve")
def reserve(instrument_id: int) -> Response:
    """Take the chosen slot; taken or refused, everything typed stays and a way on is shown."""
    choice = read_choice(instrument_id, request.form)
    caller = caller_or_none()
    if caller is None:
        # Back to the same sheet, with everything that was typed.
        back = url_for("accounts_pages.log_in_page", next=choice.address(sheet="1"))
        response = redirect(back, code=303)
        assert isinstance(response, Response)  # noqa: S101 - flask's own class
        return response
    try:
        forms.check_token()
    except DomainError as error:
        return _show(choice, trouble=http.translate(error.message), status=403)
    if choice.slot is None:
        return _show(choice, trouble=gettext("请先选择开始时间。"), status=422)
    if forms.came_before() and (made := _mine(choice, caller)):
        return go("made", reservation_id=made.id)
    return _take(instrument_id, choice, caller)


def _take(instrument_id: int, choice: Choice, caller: Caller) -> Response:
    assert choice.slot is not None  # noqa: S101 - asked only with one
    try:
        with transaction():
            made = service.reserve(
                instrument_id,
                choice.slot,
                caller=caller,
                organisation_id=acting_organisation(caller),
                purpose=choice.purpose,
                is_assisted=choice.is_assisted,
                samples=choice.samples,
                is_statutory=choice.is_statutory,
                prepaid=choice.prepaid,
            )
    except DomainError as refused:
        # Rolled back: what was read before is to be read again.
        return _refused(read_choice(instrument_id, request.form), refused, caller)
    response = go("made", reservation_id=made.id)
    pages.remember(response, pages.LENGTH_COOKIE, str(choice.slot.minutes))
    return response


def _refused(choice: Choice, refused: DomainError, caller: Caller) -> Response:
    status = http.status_of(type(refused))
    if isinstance(refused, SlotTaken):
        if mine := _mine(choice, caller):  # pressed twice: the first one has it
            return go("made", reservation_id=mine.id)
        return _show(choice, taken=refused, status=status)
    if isinstance(refused, NotBookable):
        return _show(choice, nearest=refused.details["alternatives"], status=status)
    return _show(choice, trouble=http.translate(refused.message), status=status)


def _mine(choice: Choice, caller: Caller) -> Reservation | None:
    """Return the caller's own reservation of exactly this slot, if there is one."""
    assert choice.slot is not None  # noqa: S101 - asked only with one
    window = (choice.slot.starts_at, choice.slot.ends_at)
    found = queries.list_reservations(
        caller=caller, limit=20, cursor=None, instrument_id=choice.instrument.id, window=window
    )
    return next(
        (
            each
            for each in found.items
            if each.user_id == caller.user_id
            and each.slot == choice.slot
            and each.status in HOLDING
        ),
        None,
    )


def _show(
    choice: Choice,
    *,
    taken: SlotTaken | None = None,
    nearest: Sequence[Mapping[str, Any]] = (),
    trouble: str = "",
    status: int = 200,
) -> Response:
    caller, week = caller_or_none(), choice.week
    costs, lists = costs_of(choice, caller), slot_lists(choice)
    [described] = registry.described([choice.instrument], caller=caller)
    page = render_template(
        "reservations/instrument.html",
        choice=choice,
        instrument=choice.instrument,
        described=described,
        operation=availability.operation_of(choice.instrument.id).value,
        attached=_attached(choice),
        qualified=_qualified(choice),
        sheet_open=request.args.get("sheet") == "1",
        technical=technical_pairs(choice.instrument.technical),
        obstacles=_obstacles(choice, caller),
        signed_in=caller is not None,
        gathered=len(gathered()) if caller else 0,
        buyers=_buyers(caller),
        acting_for=acting_organisation(caller) if caller else None,
        taken=taken is not None,
        instead=_instead(choice, taken, nearest),
        trouble=trouble,
        drawn=_drawn(choice, lists["axis"], costs, caller),
        longest=longest(week) if week else None,
        wait_url=_wait_url(choice),
        **lists,
        **panel(choice, costs),
    )
    return Response(page, status=status, content_type="text/html; charset=utf-8")


def _wait_url(choice: Choice) -> str:
    """Return where one joins the waiting list for what is chosen, or for the day shown."""
    given: dict[str, Any] = {
        "minutes": choice.minutes,
        "purpose": choice.purpose or None,
        "samples": choice.samples if choice.samples > 1 else None,
        "assisted": None if choice.is_assisted is None else int(choice.is_assisted),
        "organisation": request.values.get("organisation") or None,
    }
    if choice.slot is not None:
        given["starts_at"] = choice.written(choice.slot.starts_at)
        given["ends_at"] = choice.written(choice.slot.ends_at)
    elif choice.day is not None:
        given |= {"starts_at": f"{choice.day}T08:00", "ends_at": f"{choice.day}T18:00"}
    return url_for("waiting_pages.join_page", instrument_id=choice.instrument.id, **given)


def _qualified(choice: Choice) -> dict[str, Any]:
    today = clock.now().astimezone(choice.zone).date()
    current = qualifications.current(qualifications.calibrations_of(choice.instrument.id))
    covering = qualifications.covering(choice.instrument, today=today)
    return {
        "today": today,
        "soon": SOON_DAYS,
        "current": {kind.value: found for kind, found in current.items()},
        "extension": qualifications.extension_of(current.get(CalibrationKind.CALIBRATION)),
        "covering": covering,
        "schemes": sorted({each.certificate.scheme for each in covering if each.lines}),
    }


def _attached(choice: Choice) -> dict[str, Sequence[Attachment]]:
    found = attachments.of_instrument(choice.instrument.id)
    return {kind.value: found.get(kind, ()) for kind in AttachmentKind}


def _drawn(choice: Choice, axis: tuple[int, int], costs: Costs, caller: Caller | None) -> str:
    if choice.week is None:
        return ""
    return week_drawn(
        choice.week,
        axis=axis,
        chosen=choice.slot,
        price=costs.quote.price if costs.quote else None,
        caller=caller,
        address=choice.address(start=None, minutes=None),
    )


def _obstacles(choice: Choice, caller: Caller | None) -> list[str]:
    """Return why it cannot be booked at all, for whoever looks."""
    own = caller.organisations_with(Permission.RESERVE) if caller else frozenset()
    is_own = choice.instrument.institution_id in own
    customer = tariff_queries.customer_of(caller)
    priced = tariff_queries.current_prices([choice.instrument.id], customer)
    found = availability.obstacles(
        choice.instrument,
        is_own=is_own,
        has_hours=choice.week is not None,
        has_price=bool(priced),
        only=_only(choice, customer),
    )
    unfit = rules.unfit_on(
        clock.now().astimezone(choice.zone).date(),
        verified_until=choice.instrument.verified_until,
        calibrated_until=choice.instrument.calibrated_until,
    )
    return [http.translate(each) for each in (*(each.detail for each in found), *unfit)]


def _only(choice: Choice, customer: Customer) -> Classes | None:
    if choice.week is None:
        return None
    asked = choice.week.policy.conditions
    return availability.closed_to(asked, customer, choice.instrument.institution_id)


def _buyers(caller: Caller | None) -> list[tuple[int, str]]:
    """Return the organisations the caller may reserve for, if there is a choice."""
    may = sorted(caller.organisations_with(Permission.RESERVE)) if caller else []
    if len(may) < 2:
        return []
    names = accounts.names_of(may)
    return [(each, names[each]) for each in may]


def _instead(
    choice: Choice, taken: SlotTaken | None, nearest: Sequence[Mapping[str, Any]]
) -> list[tuple[str, str, str]]:
    """Return what is free instead: when, where if elsewhere, and the address that chooses it."""
    here = taken.details["alternatives"] if taken else nearest
    elsewhere = taken.details["elsewhere"] if taken else ()
    found = [(each, "") for each in here]
    names = registry.instrument_names([each["instrument_id"] for each in elsewhere])
    found += [(each, names.get(each["instrument_id"], "")) for each in elsewhere]
    return [
        (
            f"{formats.near(each['starts_at'], choice.zone)} · {formats.money(each['price'])}",
            name,
            url_for(
                "reservations_pages.instrument",
                instrument_id=each["instrument_id"],
                start=choice.written(each["starts_at"]),
                minutes=choice.minutes,
                purpose=choice.purpose or None,
            ),
        )
        for each, name in found
    ]
