"""Every page there is, found in the map of addresses: looked at as everybody who may see it.

`faults` gathers what a page does wrong at any size, spacing, language or choice of colours.
"""

import re
from datetime import UTC
from typing import Any

from flask import Flask
from playwright.sync_api import Page
from sqlalchemy import select
from werkzeug.exceptions import NotFound
from werkzeug.routing import Rule

from booking.accounts import queries as accounts
from booking.accounts.models import Membership
from booking.authorisations.models import Authorisation, TrainingSession
from booking.authorisations.queries import visible_to
from booking.journal.models import JournalSeal
from booking.kernel import clock
from booking.kernel.db import db
from booking.notices import gateway
from booking.notices.models import Message
from booking.packages.models import PrepaidBalance
from booking.pricegroups.models import PriceGroup
from booking.registry.models import Instrument
from booking.reservations import queries as reservations
from booking.reservations.models import Fault, Reservation
from booking.savings.models import SavingsLine
from tests.browser.conftest import DESKTOP, HEIGHTS, NARROWEST, NOW, PHONE, flaws, scrolls_sideways

ROLES = {
    "visitor": "",
    "firm": "firm@demo.example",
    "lab": "lab@demo.example",
    "window": "window@demo.example",
    "admin": "admin@demo.example",
}
# What programs read, files, and the page of all components, which has tests of its own.
NO_PAGES = (
    "/api/v1/",
    "/static/",
    "/healthz",
    "/readyz",
    "/metrics",
    "/styleguide",
    "/calendars/feeds/",
)
# A mail as its own program shows it, and what institutions keep: not our pages.
FOREIGN = (
    "/demo/mail/<string:name>/html",
    "/instruments/<id:instrument_id>/attachments/<id:attachment_id>",
    "/authorisations/<id:authorisation_id>/evidence",
    "/certificates/<id:certificate_id>/file",
    "/instruments/<id:instrument_id>/calibrations/<id:calibration_id>/file",
)
# Met only amid a flow, which test_amid_a_flow.py goes through.
AMID_A_FLOW = {
    "/account/second-factor/set-up",
    "/log-in/code",
    "/institution/certificates/<id:certificate_id>",
    "/institution/certificates/<id:certificate_id>/edit",
    "/institution/drafts/<id:draft_id>/<string:step>",
    "/savings/<id:line_id>",
    "/institution/imports/<id:import_id>",
    "/institution/imports/<id:import_id>/findings.csv",
}
# Where a name means something else than elsewhere.
OF_ONE_RULE = {"/admin/jobs/<string:name>": {"name": "reminders"}}
# States that an address alone does not show.
STATES = {
    "visitor": [
        "/nowhere",
        "/instruments?q=zzzz",
        "/instruments?q=dzwn&region=430100&minutes=60",
        "/instruments/1?view=list",
        "/instruments/1?minutes=120&start=1999-01-01T08:00",
        "/sign-up?kind=enterprise",
        "/sign-up?kind=institution",
        "/sign-up?kind=person",
    ],
    "firm": [
        "/instruments/1?minutes=60&view=list",
        "/reservations?view=past",
        "/reservations?view=month",
        "/inbox?view=unread",
    ],
    "lab": [
        "/institution/instruments/bulk?do=hours&id=1",
        "/institution/instruments/bulk?do=price&id=1",
    ],
    "window": ["/reservations?view=all"],
}


# Tokens and numbers that each answer has of its own.
OWN = re.compile(r'(name="(form_token|once|repeat_key)"\s+value=)"[^"]*"')


class Everything:
    """All pages and who may see them."""

    def __init__(self, program: Flask) -> None:
        self.program = program
        self.rules = [rule for rule in program.url_map.iter_rules() if _is_for_people(rule)]
        self.pieces: set[str] = set()

    def answers(self, role: str, page: Page) -> dict[str, tuple[str, str]]:
        """Return the rule and the content by the address of each page the person is given."""
        samples = _samples(self.program, ROLES[role])
        asked = [(address, self._rule_at(address)) for address in STATES.get(role, [])]
        asked += [(self._address(rule, samples), rule.rule) for rule in self.rules]
        found = {}
        for address, rule in asked:
            if not address or rule in self.pieces:
                continue
            answer = page.request.get(address, max_redirects=0)
            text = answer.text() if "text/html" in answer.headers.get("content-type", "") else ""
            elsewhere = answer.headers.get("location", "")
            if "<main" in text and (answer.ok or not rule):
                found[address] = rule, _content(text)
            elif answer.ok or (elsewhere and not elsewhere.startswith("/log-in")):
                self.pieces.add(rule)  # a file, a part that a script asks for, or a way elsewhere
        return found

    def _rule_at(self, address: str) -> str:
        try:
            rule, _ = self.program.url_map.bind("").match(
                address.partition("?")[0], return_rule=True
            )
        except NotFound:
            return ""
        return str(rule.rule)

    def _address(self, rule: Rule, samples: dict[str, Any]) -> str:
        samples = samples | OF_ONE_RULE.get(rule.rule, {})
        if not rule.arguments <= samples.keys():
            return ""
        given = {name: samples[name] for name in rule.arguments}
        return str(self.program.url_map.bind("").build(rule.endpoint, given))


def _is_for_people(rule: Rule) -> bool:
    is_read = "GET" in (rule.methods or ())
    return is_read and not rule.rule.startswith(NO_PAGES) and rule.rule not in FOREIGN


def _content(text: str) -> str:
    """Return what the page says besides what stands around every page."""
    main = text[text.index("<main") : text.index("</main>")]
    return OWN.sub(r"\1", re.sub(r"\s+", " ", main))


def _samples(program: Flask, login: str) -> dict[str, Any]:
    """Return a value for each argument of an address, such as the person would meet."""
    with clock.pretend(NOW.astimezone(UTC)), program.app_context():
        lab = accounts.user_by_login("lab@demo.example")
        owner = db.session.scalar(
            select(Membership.organisation_id).where(Membership.user_id == lab.id)
        )
        found = {
            "instrument_id": db.session.scalar(
                select(Instrument.id)
                .where(Instrument.institution_id == owner)
                .order_by(Instrument.id)
            ),
            "field": "uscc",
            "kind": "xlsx",
        }
        if fault := db.session.scalar(select(Fault.id).limit(1)):
            found["fault_id"] = fault
        if seal := db.session.scalar(select(JournalSeal.id).limit(1)):
            found["seal_id"] = seal
        mail = next((kept for kept in gateway.list_kept(limit=200) if kept.body("calendar")), None)
        if mail is not None:
            found["name"] = mail.name
        user = accounts.user_by_login(login) if login else None
        if user is not None:
            found |= _own(user)
        db.session.remove()
        return found


def _own(user: Any) -> dict[str, Any]:
    caller = accounts.caller_of(user)
    coming = reservations.list_coming(caller=caller, now=clock.now(), limit=1, cursor=None).items
    seat = db.session.scalars(
        select(Membership.organisation_id).where(Membership.user_id == user.id)
    ).first()
    others = select(Membership.user_id).where(
        Membership.organisation_id == seat, Membership.user_id != user.id
    )
    found = {
        "reservation_id": coming[0].id if coming else None,
        "group_id": db.session.scalars(
            reservations.visible_to(caller)
            .where(Reservation.group_id.is_not(None))
            .with_only_columns(Reservation.group_id)
            .order_by(Reservation.group_id)
        ).first(),
        "message_id": db.session.scalars(
            select(Message.id).where(Message.user_id == user.id).order_by(Message.id.desc())
        ).first(),
        "organisation_id": seat,
        "user_id": db.session.scalars(others).first() or user.id,
    }
    found["authorisation_id"] = db.session.scalars(
        visible_to(caller).with_only_columns(Authorisation.id).order_by(Authorisation.id)
    ).first()
    found["class_id"] = db.session.scalars(
        select(PriceGroup.id).where(PriceGroup.institution_id == seat).order_by(PriceGroup.id)
    ).first()
    found["session_id"] = db.session.scalars(
        select(TrainingSession.id).where(TrainingSession.institution_id == seat)
    ).first()
    found["balance_id"] = db.session.scalars(
        select(PrepaidBalance.id).where(
            (PrepaidBalance.organisation_id == seat) | (PrepaidBalance.institution_id == seat)
        )
    ).first()
    found["line_id"] = db.session.scalars(
        select(SavingsLine.id).where(SavingsLine.organisation_id == seat)
    ).first()
    return {name: value for name, value in found.items() if value is not None}


# A sheet made by script is not what the content policy forbids; people bring theirs the same way.
SPACED = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync('* {line-height: 1.5 !important; letter-spacing: .12em !important;'
    + ' word-spacing: .16em !important} p {margin-bottom: 2em !important}');
  document.adoptedStyleSheets = [sheet];
}"""
# Words that their box does not show whole; what is hidden on purpose, or a picture, is left out.
CUT = """() => { const SKIPPED =
  '[aria-hidden=true], [hidden], .visually-hidden, dialog:not([open]), svg, option';
  return [...document.querySelectorAll('body *')].filter(e => {
  if (e.closest(SKIPPED)) return false;
  if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) return false;
  const s = getComputedStyle(e);
  if (s.visibility === 'hidden' || !e.getClientRects().length) return false;
  if (!/hidden|clip/.test(s.overflowX + s.overflowY)) return false;
  return e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1;
}).map(e => e.className || e.tagName) }"""
# How much of a window is left between what sticks to its edges.
LEFT = """() => {
  const stuck = [...document.querySelectorAll('.site-header, .bottom-bar')].filter(e =>
    ['fixed', 'sticky'].includes(getComputedStyle(e).position) && e.getClientRects().length);
  return innerHeight - stuck.reduce((sum, e) => sum + e.getBoundingClientRect().height, 0);
}"""
# Where the browser paints in the reader's colours only lines tell a choice and a button.
UNMARKED = """() => {
  const shown = e => e.getClientRects().length && !e.closest('.visually-hidden');
  const lined = s => (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0)
    || ['Top', 'Right', 'Bottom', 'Left'].some(side => s['border' + side + 'Style'] !== 'none'
      && parseFloat(s['border' + side + 'Width']) > 0) || s.forcedColorAdjust === 'none';
  const choices = [...document.querySelectorAll('input:checked + label')].filter(e =>
    getComputedStyle(e.previousElementSibling).opacity === '0');
  const parts = '.btn:not(.btn-link), .form-control, .form-select, .search-box';
  return [...document.querySelectorAll(parts), ...choices]
    .filter(e => shown(e) && !lined(getComputedStyle(e)))
    .map(e => e.className || e.textContent.trim());
}"""
MOVING = """() => document.getAnimations().filter(each =>
  each.effect.getComputedTiming().duration > 0).length"""


def faults(page: Page) -> list[str]:
    """Return what is wrong with the page that is open, from a wide window to the narrowest."""
    found = []
    page.emulate_media(forced_colors="none", reduced_motion="no-preference")
    for width in (DESKTOP, PHONE):
        page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
        found += [f"axe at {width}: {rule} {places}" for rule, places in flaws(page).items()]
    page.set_viewport_size({"width": NARROWEST, "height": 256})  # 1280 x 1024 at 400 %
    if scrolls_sideways(page):
        found.append("scrolls sideways at 320")
    if page.evaluate(LEFT) < 100:
        found.append("little is left between the bars at 400 %")
    page.evaluate(SPACED)
    if scrolls_sideways(page):
        found.append("scrolls sideways with wide spacing")
    if cut := page.evaluate(CUT):
        found.append(f"cuts words with wide spacing: {cut}")
    page.emulate_media(forced_colors="active", reduced_motion="reduce")
    if unmarked := page.evaluate(UNMARKED):
        found.append(f"has no line in forced colours: {unmarked}")
    if page.evaluate(MOVING):
        found.append("moves though less motion is asked for")
    return found
