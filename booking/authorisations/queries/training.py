"""Training sessions, and who has which seat."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload

from booking.authorisations.models import TrainingSeat, TrainingSession
from booking.kernel.db import db
from booking.kernel.errors import NotFound
from booking.registry.models import Instrument

MOST = 300


@dataclass(frozen=True)
class Session:
    """A training session with how many of its seats are taken, and its instruments' names."""

    row: TrainingSession
    taken: int
    instruments: Sequence[str]

    @property
    def free(self) -> int:
        """Return how many seats are left."""
        return max(self.row.seats - self.taken, 0)


def coming_sessions(
    *, now: datetime, institution_id: int | None = None, instrument_id: int | None = None
) -> list[Session]:
    """Return what has not begun and was not cancelled, soonest first."""
    query = _sessions().where(TrainingSession.starts_at > now)
    query = query.where(TrainingSession.cancelled_at.is_(None))
    if institution_id is not None:
        query = query.where(TrainingSession.institution_id == institution_id)
    if instrument_id is not None:
        query = query.where(TrainingSession.instrument_ids.contains([instrument_id]))
    return _with_seats(query.order_by(TrainingSession.starts_at, TrainingSession.id).limit(50))


def sessions_of(institution_id: int) -> list[Session]:
    """Return an institution's sessions, latest first."""
    query = _sessions().where(TrainingSession.institution_id == institution_id)
    return _with_seats(query.order_by(TrainingSession.starts_at.desc()).limit(50))


def find_session(session_id: int, *, for_update: bool = False) -> TrainingSession:
    """Return a session, or raise NotFound; all who are signed in may see them."""
    query = select(TrainingSession).where(TrainingSession.id == session_id)
    query = query.options(joinedload(TrainingSession.institution))
    if for_update:
        query = query.with_for_update(of=TrainingSession).execution_options(populate_existing=True)
    found = db.session.scalar(query)
    if found is None:
        raise NotFound
    return found


def session_shown(session_id: int) -> Session:
    """Return a session with its seats and instruments, or raise NotFound."""
    found = _with_seats(_sessions().where(TrainingSession.id == session_id))
    if not found:
        raise NotFound
    return found[0]


def seats_of(session_id: int) -> Sequence[TrainingSeat]:
    """Return the seats that are taken, in the order in which they were."""
    query = (
        select(TrainingSeat)
        .where(TrainingSeat.session_id == session_id, TrainingSeat.given_up_at.is_(None))
        .options(joinedload(TrainingSeat.user), joinedload(TrainingSeat.organisation))
    )
    return db.session.scalars(query.order_by(TrainingSeat.id)).all()


def own_seats(user_id: int) -> Sequence[TrainingSeat]:
    """Return the person's seats, those that come last first."""
    query = (
        select(TrainingSeat)
        .join(TrainingSession, TrainingSession.id == TrainingSeat.session_id)
        .where(TrainingSeat.user_id == user_id, TrainingSeat.given_up_at.is_(None))
        .options(joinedload(TrainingSeat.session).joinedload(TrainingSession.institution))
        .order_by(TrainingSession.starts_at.desc())
    )
    return db.session.scalars(query.limit(MOST)).all()


def find_seat(session_id: int, user_id: int) -> TrainingSeat | None:
    """Return the seat the person holds in the session, or None."""
    return db.session.scalar(
        select(TrainingSeat).where(
            TrainingSeat.session_id == session_id,
            TrainingSeat.user_id == user_id,
            TrainingSeat.given_up_at.is_(None),
        )
    )


def get_seat(session_id: int, seat_id: int) -> TrainingSeat:
    """Return a seat that is taken, locked, or raise NotFound."""
    found = db.session.scalar(
        select(TrainingSeat)
        .where(
            TrainingSeat.id == seat_id,
            TrainingSeat.session_id == session_id,
            TrainingSeat.given_up_at.is_(None),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound
    return found


def count_taken(session_id: int) -> int:
    """Return how many seats of a session are taken."""
    query = select(func.count()).where(
        TrainingSeat.session_id == session_id, TrainingSeat.given_up_at.is_(None)
    )
    return db.session.scalar(query) or 0


def _sessions() -> Select[TrainingSession, int]:
    taken = (
        select(func.count())
        .where(TrainingSeat.session_id == TrainingSession.id, TrainingSeat.given_up_at.is_(None))
        .scalar_subquery()
    )
    return select(TrainingSession, taken).options(joinedload(TrainingSession.institution))


def _with_seats(query: Select[TrainingSession, int]) -> list[Session]:
    rows = db.session.execute(query).all()
    ids = {each for session, _ in rows for each in session.instrument_ids}
    names = dict(
        db.session.execute(
            select(Instrument.id, Instrument.name).where(Instrument.id.in_(ids))
        ).all()
        if ids
        else ()
    )
    return [
        Session(session, taken, [names[each] for each in session.instrument_ids if each in names])
        for session, taken in rows
    ]
