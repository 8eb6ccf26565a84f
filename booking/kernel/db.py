"""The database session, column types and the one way a transaction is opened."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, DateTime, Dialect, MetaData, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, registry
from sqlalchemy.types import TypeDecorator

from booking.kernel import clock
from booking.kernel.errors import DomainError, Stale


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant, stored and returned in UTC; naive values are refused when binding."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse what has no offset."""
        if value is not None and value.tzinfo is None:
            raise TypeError("a naive datetime reached the database")
        return value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return UTC whatever zone the server session has."""
        return value if value is None else value.astimezone(UTC)


E = TypeVar("E", bound=StrEnum)


class Word(TypeDecorator[E]):
    """A StrEnum stored as text and returned as itself."""

    impl = String
    cache_ok = True

    def __init__(self, kind: type[E]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: E | str | None, dialect: Dialect) -> str | None:
        """Refuse words that are not among the enum's."""
        return None if value is None else self.kind(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> E | None:
        """Return the enum's member."""
        return None if value is None else self.kind(value)


NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """What every mapped class stands on: bigint keys, UTC instants, text enums."""

    registry = registry(
        metadata=MetaData(naming_convention=NAMES),
        type_annotation_map={
            datetime: UtcDateTime,
            int: BigInteger,
            str: String,
            dict[str, Any]: JSONB,
            list[Any]: JSONB,
        },
    )


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})

if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model


class Versioned:
    """Mix-in: bodies carry the version, older ones are refused."""

    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)

    def check_version(self, seen: int | None) -> None:
        """Raise Stale if the caller saw another version than the one that stands."""
        if seen is not None and seen != self.version:
            raise Stale(version=self.version)

    def touch(self) -> None:
        """Count a change."""
        self.version += 1
        self.updated_at = clock.now()


@contextmanager
def transaction() -> Iterator[None]:
    """Commit once on success, roll back on any error. Only edges (views, jobs, CLI) open one.

    Inside another one it joins: the outermost decides.
    """
    info = db.session().info
    if info.get("in_transaction"):
        yield
        return
    info["in_transaction"] = True
    try:
        yield
        db.session.commit()
    except BaseException:
        db.session.rollback()
        raise
    finally:
        info.pop("in_transaction", None)


@contextmanager
def violation_raises(constraint: str, error: DomainError) -> Iterator[None]:
    """Flush on leaving; a violation of `constraint` becomes `error`, the transaction lives on."""
    try:
        with db.session.begin_nested():
            yield
            db.session.flush()
    except IntegrityError as exc:
        if constraint_of(exc) != constraint:
            raise
        raise error from exc


def constraint_of(exc: IntegrityError) -> str | None:
    """Return the name of the constraint that was violated."""
    name: str | None = getattr(getattr(exc.orig, "diag", None), "constraint_name", None)
    return name
