"""A letter as a mail: text, HTML and, for what stands in calendars, the entry that follows it."""

import hmac
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from flask import current_app
from flask_babel import get_locale, gettext

from booking.kernel import ical
from booking.notices.gateway.carriers import post
from booking.notices.gateway.letter import Entry, Letter
from booking.notices.gateway.letters import settings_url
from booking.notices.gateway.visits import labelled
from booking.notices.rules import one_line

# Seven bits: no server on the way has to know better.
_POLICY = SMTP.clone(cte_type="7bit")


@dataclass(frozen=True)
class Envelope:
    """From which message a mail is made, and to whom it goes."""

    id: int
    name: str
    email: str
    at: datetime


def message_id(envelope: Envelope) -> str:
    """Return the same id for each attempt, so that whoever gets it twice can tell."""
    key = str(current_app.config["SECRET_KEY"]).encode()
    told_apart = f"message {envelope.id} {envelope.at.isoformat()}".encode()
    mark = hmac.digest(key, told_apart, "sha256").hex()[:16]
    return f"<{envelope.id:010d}-{mark}@{_host()}>"


def build(letter: Letter, envelope: Envelope, *, date: datetime) -> EmailMessage:
    """Return the mail, in the language that is current."""
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = _address(gettext("仪器共享"), post().sender)
    mail["To"] = _address(envelope.name, envelope.email)
    mail["Subject"] = one_line(letter.subject)
    mail["Date"] = date
    mail["Message-ID"] = message_id(envelope)
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(_as_text(letter), cte="base64")
    mail.add_alternative(_as_html(letter), subtype="html", cte="base64")
    if letter.entry is not None:
        _attach(mail, letter.entry, envelope)
    # Last: what is named Content- before there are parts goes to the first of them.
    mail["Content-Language"] = _language()
    return mail


def _attach(mail: EmailMessage, entry: Entry, envelope: Envelope) -> None:
    """Add the entry twice: as what programs act on, and as a file for those that show none."""
    text = calendar(entry, envelope)
    mail.add_alternative(text, subtype="calendar", params={"method": entry.method}, cte="base64")
    mail.add_attachment(
        text.encode(), maintype="application", subtype="ics", filename=f"{entry.number}.ics"
    )


def calendar(entry: Entry, envelope: Envelope) -> str:
    """Return the entry as its reader's program takes it (iTIP, RFC 5546)."""
    event = ical.CalendarEvent(
        uid=ical.opaque_uid(entry.thing, key=current_app.config["SECRET_KEY"]),
        slot=entry.slot,
        summary=entry.summary,
        status=_status(entry),
        sequence=entry.sequence,
        created_at=entry.created_at,
        modified_at=envelope.at,
        description=entry.description,
        location=entry.place,
        contact=entry.contact,
        url=entry.url,
        organizer=ical.Party(gettext("仪器共享"), post().sender),
        attendee=ical.Party(envelope.name, envelope.email),
    )
    head = ical.CalendarHead(name="", method=entry.method, refresh=None)
    return ical.calendar_text(head, [ical.event_text(event)])


def _status(entry: Entry) -> ical.EventStatus:
    if entry.method == "CANCEL":
        return "CANCELLED"
    return "TENTATIVE" if entry.is_tentative else "CONFIRMED"


def _address(name: str, email: str) -> Address:
    user, _, host = email.rpartition("@")
    return Address(one_line(name), user, host)


def _host() -> str:
    return post().sender.rpartition("@")[2]


def _as_text(letter: Letter) -> str:
    """Return what the HTML says, without it."""
    parts = [letter.sentence, "\n".join(labelled(*row) for row in letter.rows)]
    if letter.steps:
        parts.append("\n".join([gettext("接下来"), *(f"- {step}" for step in letter.steps)]))
    if letter.offers:
        free = (f"- {said}\n  {address}" for said, address in letter.offers)
        parts.append("\n".join([gettext("可以改约"), *free]))
    if letter.button is not None:
        words, url = letter.button
        parts.append(labelled(words, f"\n{url}"))
    if letter.number:
        parts.append(gettext("编号：%(number)s", number=letter.number))
    foot = ["-- ", letter.why]
    if letter.optional:
        foot.append(labelled(gettext("设置"), settings_url()))
    return "\n\n".join([*filter(None, parts), "\n".join(foot)]) + "\n"


def _as_html(letter: Letter) -> str:
    # Not render_template: what pages are given needs a request.
    template = current_app.jinja_env.get_template("notices/mail.html")
    return template.render(
        letter=letter,
        settings_url=settings_url() if letter.optional else "",
        language=_language(),
    )


def _language() -> str:
    return "en" if get_locale().language == "en" else "zh-CN"
