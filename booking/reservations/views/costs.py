"""What the chosen slot costs whom, what refuses it, and the owner's rules in words."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask_babel import gettext

from booking.accounts.auth import acting_organisation
from booking.accounts.rules import Caller
from booking.authorisations.rules import assisted_unless_told
from booking.availability import queries as availability
from booking.availability.rules import in_words
from booking.kernel import clock, http
from booking.packages import queries as packages
from booking.packages.models import PrepaidBalance
from booking.packages.rules import Prepaid
from booking.reservations import queries, rules, service
from booking.reservations.service import Approval, Offer
from booking.reservations.views.choice import Choice
from booking.tariffs import queries as tariff_queries
from booking.tariffs import rules as tariffs
from booking.tariffs.models import Price
from booking.tariffs.rules import EXTERNAL_CLASSES, NoBaseline


@dataclass(frozen=True)
class Costs:
    """What the chosen slot costs whom, and what refuses it."""

    quote: tariffs.Quote | None
    broken: Sequence[str] = ()
    approval: Approval = field(default_factory=Approval)
    is_assisted: bool = False
    lacks_authorisation: bool = False
    balances: Sequence[PrepaidBalance] = ()  # with which its hours could be paid
    prepaid: Prepaid | None = None


def panel(choice: Choice, costs: Costs) -> dict[str, Any]:
    """Return what the panel says beside the figures, and the published prices."""
    history = queries.price_history(choice.instrument.id)
    now = clock.now()
    return {
        "costs": costs,
        "kept": _kept(choice),
        "no_baseline": _no_baseline(costs.quote),
        "free_until": _until(choice),
        "packages": packages.packages_for(choice.instrument, EXTERNAL_CLASSES),
        "prices": [each.price for each in history if each.price.holds_at(now)],
        "history": [each for each in history if each.price.customer_class in EXTERNAL_CLASSES],
        "now": now,
        "rise_percent": queries.rise_of(history, costs.quote.price_id) if costs.quote else None,
    }


def costs_of(choice: Choice, caller: Caller | None) -> Costs:
    """Return the quote for who may reserve, else the published price for strangers."""
    if choice.slot is None or choice.week is None:
        return Costs(None)
    organisation_id = acting_organisation(caller) if caller else None
    if caller is None or organisation_id is None:
        customer = tariff_queries.customer_of(caller)
        price = tariff_queries.current_prices([choice.instrument.id], customer).get(
            choice.instrument.id
        )
        broken = rules.broken_rules(
            choice.slot, choice.week.policy, choice.week.plan, now=clock.now()
        )
        operation = availability.operation_of(choice.instrument.id)
        assisted = assisted_unless_told(operation, choice.is_assisted)
        usage = tariffs.Usage(choice.slot.starts_at, choice.slot.minutes, choice.samples, assisted)
        return Costs(
            _published(price, usage, choice, customer) if price else None,
            [http.translate(each.detail) for each in broken],
            is_assisted=assisted,
        )
    day = choice.slot.ends_at.astimezone(clock.CHINA).date()
    balances = packages.usable(organisation_id, choice.instrument, on=day)
    offer: Offer = service.quote(
        choice.instrument.id,
        choice.slot,
        caller=caller,
        organisation_id=organisation_id,
        is_assisted=choice.is_assisted,
        is_statutory=choice.is_statutory,
        samples=choice.samples,
        prepaid=next((each.id for each in balances if each.id == choice.prepaid), None),
    )
    refused = [http.translate(each.detail) for each in offer.violations]
    lacks = any(each.rule == "authorisation" for each in offer.violations)
    return Costs(
        offer.quote, refused, offer.approval, offer.is_assisted, lacks, balances, offer.prepaid
    )


def _no_baseline(quote: tariffs.Quote | None) -> str:
    """Return why nothing can be said about a saving, in words."""
    if quote is None or quote.no_baseline is None:
        return ""
    words: dict[NoBaseline, str] = {
        NoBaseline.LIST_TOO_YOUNG: gettext("这个公示价公示未满 30 天。"),
        NoBaseline.NOT_AN_ENTERPRISE: gettext("节约只统计企业客户。"),
        NoBaseline.OWN_USE: gettext("本机构自用不计。"),
        NoBaseline.RELATED: gettext("关联单位之间不计节约。"),
        NoBaseline.STATUTORY: gettext("强制检定、监督抽查和法定检验不计节约。"),
    }
    return words[quote.no_baseline]


def _kept(choice: Choice) -> list[str]:
    """Return the owner's rules in words, for who keeps them all."""
    if choice.week is None:
        return []
    pairs = availability.pairs_of(choice.instrument.id)
    return [http.translate(each.words) for each in in_words(choice.week.policy, pairs)]


def _until(choice: Choice) -> datetime | None:
    """Return until when the chosen slot could be given back, if that is still ahead."""
    if choice.slot is None or choice.week is None:
        return None
    until = rules.changeable_until(choice.slot, choice.week.policy)
    return until if until > clock.now() else None


def _published(
    price: Price, usage: tariffs.Usage, choice: Choice, customer: tariffs.Customer
) -> tariffs.Quote | None:
    return tariffs.quote(
        customer.facts_at(
            price.facts,
            price.customer_class,
            institution_id=choice.instrument.institution_id,
            instrument_id=choice.instrument.id,
        ),
        usage,
        customer_class=price.customer_class,
        now=clock.now(),
        wall=choice.week.plan.wall if choice.week else tariffs.CHINA,
    )
