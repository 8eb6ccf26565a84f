"""Forgetting a person: their inbox and mails go, their name leaves what others were told."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, cast, delete, func, literal, update
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import String

from booking.kernel.db import db
from booking.notices.models import Message, Notice, NoticeSetting


def forget_person(
    user_id: int,
    name: str,
    pseudonym: str,
    *,
    reservations: Collection[int],
    invited: Collection[int],
    authorisations: Collection[int] = (),
) -> dict[str, int]:
    """Drop what a person was told; put the pseudonym for their name where others were told of it.

    `reservations` are those they made, `invited` whom they invited, `authorisations` what they
    asked for. Returns how much went.
    """
    told = db.session.execute(
        delete(Message).where(Message.user_id == user_id).returning(Message.id)
    ).all()
    db.session.execute(delete(NoticeSetting).where(NoticeSetting.user_id == user_id))
    # Invitations and password links: about nobody else.
    db.session.execute(
        delete(Notice).where(Notice.subject_type == "user", Notice.subject_id == user_id)
    )
    _rename("person", name, pseudonym, _about("reservation", reservations))
    _rename("person", name, pseudonym, _about("authorisation", authorisations))
    _rename("inviter", name, pseudonym, _about("user", invited))
    return {"messages": len(told)}


def _about(subject_type: str, ids: Collection[int]) -> ColumnElement[bool]:
    return (Notice.subject_type == subject_type) & Notice.subject_id.in_(ids)


def _rename(fact: str, name: str, pseudonym: str, where: ColumnElement[bool]) -> None:
    path: Any = cast([fact], ARRAY(String))
    changed = func.jsonb_set(Notice.facts, path, cast(literal(pseudonym, JSONB), JSONB))
    db.session.execute(
        update(Notice)
        .where(where, Notice.facts[fact].astext == name)
        .values(facts=changed)
        .execution_options(synchronize_session=False)
    )
