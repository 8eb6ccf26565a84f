"""A firm, a lab and what they get told: builders for the tests of notices."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from booking.accounts.models import Organisation, User
from booking.accounts.rules import Caller, Role
from booking.kernel import clock
from booking.kernel.db import db, transaction
from booking.notices import service
from booking.notices.models import Message, Notice
from booking.notices.rules import Kind, MailState, Side, State, To
from booking.registry.models import Instrument
from booking.reservations import service as reservations
from booking.reservations.models import Reservation
from tests.factories import (
    caller_of,
    make_institution,
    make_instrument,
    make_organisation,
    make_user,
    slot,
)


@dataclass
class Scene:
    """A firm with a member and a manager, a lab with an operator and a manager, an instrument."""

    firm: Organisation
    lab: Organisation
    li: User
    boss: User
    operator: User
    head: User
    instrument: Instrument

    @property
    def as_li(self) -> Caller:
        """The firm's member, acting."""
        return caller_of(self.li, (self.firm, Role.MEMBER))

    @property
    def as_operator(self) -> Caller:
        """The lab's operator, acting."""
        return caller_of(self.operator, (self.lab, Role.OPERATOR))

    def reserve(self, **given: Any) -> Reservation:
        """Li reserves Wednesday 10:00 to 12:00."""
        with transaction():
            return reservations.reserve(
                self.instrument.id, given.pop("slot", slot()), caller=self.as_li, **given
            )


def make_scene(**instrument: Any) -> Scene:
    """Everybody, each with a password and an address."""
    firm, lab = (
        make_organisation(name="长沙精工机械有限公司"),
        make_institution(name="湖南省检测院"),
    )
    given = {"name": "电子万能试验机", "model": "CMT5105", "place": "长沙市雨花区 3 号楼"}
    return Scene(
        firm=firm,
        lab=lab,
        li=somebody(firm, Role.MEMBER, "li", "李明"),
        boss=somebody(firm, Role.MANAGER, "boss", "王总"),
        operator=somebody(lab, Role.OPERATOR, "operator", "张工"),
        head=somebody(lab, Role.MANAGER, "head", "刘主任"),
        instrument=make_instrument(institution=lab, **given | instrument),
    )


def somebody(organisation: Organisation, role: Role, login: str, name: str, **given: Any) -> User:
    """A person who can sign in."""
    given.setdefault("email", f"{login}@example.cn")
    return make_user(organisation, role, name=name, password="korrekt-pferd", **given)


def post(kind: Kind = Kind.VERIFICATION, *people: User, **given: Any) -> bool:
    """Tell people, of an institution that was verified unless told otherwise."""
    facts = {"organisation": "湖南省检测院", "verified": True, "reason": ""}
    to = [To(Side.SELF, user_id=person.id) for person in people]
    with transaction():
        return service.post(
            kind,
            given.pop("subject", ("organisation", 1)),
            to=given.pop("to", to),
            facts=given.pop("facts", facts),
            **given,
        )


def message_to(person: User, **given: Any) -> Message:
    """A message that waits to be mailed."""
    notice = Notice(
        kind=given.pop("kind", Kind.VERIFICATION),
        subject_type="organisation",
        subject_id=1,
        audience=[],
        facts=given.pop("facts", {"organisation": "湖南省检测院", "verified": True, "reason": ""}),
        state=State.DONE,
        posted_at=clock.now(),
        due_at=clock.now(),
    )
    db.session.add(notice)
    db.session.flush()
    message = Message(
        notice_id=notice.id,
        user_id=person.id,
        side=Side.SELF,
        name=person.name,
        email=person.email,
        locale=person.locale,
        **{"mail": MailState.WAITING, "due_at": clock.now() - timedelta(seconds=1)} | given,
    )
    db.session.add(message)
    db.session.flush()
    return message


def expand() -> None:
    """Turn all that waits into messages."""
    with transaction():
        while service.expand():
            pass


def messages(*where: Any) -> list[Message]:
    """All messages in their order, as the database has them."""
    query = select(Message).where(*where).order_by(Message.id)
    return list(db.session.scalars(query.execution_options(populate_existing=True)))


def told() -> list[tuple[str, str]]:
    """Who has been told, and on which side; from what waits too."""
    expand()
    return [(message.name, message.side.value) for message in messages()]
