"""Idempotency-Key: a POST that is repeated gets the stored answer, not a second effect."""

import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, NamedTuple, ParamSpec

from flask import Response, current_app, g, make_response, request
from sqlalchemy import LargeBinary, SmallInteger, String, delete
from sqlalchemy.orm import Mapped, mapped_column

from booking.kernel import clock, driver, login
from booking.kernel.db import Model, db, transaction
from booking.kernel.errors import Conflict, InvalidField, RuleViolation
from booking.kernel.text import N_

P = ParamSpec("P")

KEPT_FOR = timedelta(hours=24)
LONGEST_KEY = 255


class IdempotencyMismatch(RuleViolation):
    """The same key came with another request."""

    code = "idempotency_mismatch"
    sentence = N_("这个 Idempotency-Key 已用于另一项内容不同的请求。")


class IdempotencyInFlight(Conflict):
    """The first request with this key has not answered yet."""

    code = "idempotency_in_flight"
    sentence = N_("相同 Idempotency-Key 的请求仍在处理，请稍后重试。")


class StoredAnswer(Model):
    """The answer given to a key, by caller; one transaction with what it answers for."""

    __tablename__ = "stored_answers"

    caller: Mapped[str] = mapped_column(String, primary_key=True)
    key: Mapped[str] = mapped_column(String, primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int] = mapped_column(SmallInteger)
    body: Mapped[str]
    location: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(index=True)


@dataclass(frozen=True)
class _Key:
    caller: str
    key: str
    fingerprint: bytes


@dataclass
class Look:
    """A look at a key in the statement that finds out who asks, to spare one of its own.

    That selects `LOOKED` and joins `LOOKED_IN`, given `values`, and hands over what it `found`.
    """

    values: Mapping[str, Any]
    found: Sequence[Any] | None = None


class _Stored(NamedTuple):
    status: int
    body: str
    location: str | None
    fingerprint: bytes


class _LostRace(Exception):
    """Another request with the key committed between our look and our write."""


def idempotent(view: Callable[P, Any]) -> Callable[P, Response]:
    """Run the view in one transaction with its stored answer, or replay that answer."""
    return _once(view, withheld=())


def idempotent_without(
    *fields: str,
) -> Callable[[Callable[P, Any]], Callable[P, Response]]:
    """Do as `idempotent`, for answers with a secret: in the stored one the fields are null."""
    return lambda view: _once(view, withheld=fields)


def _once(view: Callable[P, Any], *, withheld: Sequence[str]) -> Callable[P, Response]:
    @wraps(view)
    def once(*args: P.args, **kwargs: P.kwargs) -> Response:
        header = request.headers.get("Idempotency-Key")
        if header is None:
            return make_response(view(*args, **kwargs))
        key = _key(header)
        try:
            return _answer(key, lambda: make_response(view(*args, **kwargs)), withheld)
        except _LostRace:
            return _answer(key, _never, withheld)

    once.takes_idempotency_key = True  # type: ignore[attr-defined]
    return once


def _answer(key: _Key, run: Callable[[], Response], withheld: Sequence[str]) -> Response:
    with transaction():
        stored = _look_up(key)
        if stored is not None:
            if stored.fingerprint != key.fingerprint:
                raise IdempotencyMismatch
            return _replay(stored)
        response = run()
        if response.status_code < 300:
            _store(key, response, withheld)
        return response


def look_ahead() -> Look | None:
    """Return the look for the statement that finds the caller; None where nothing needs one."""
    header = request.headers.get("Idempotency-Key")
    view = current_app.view_functions.get(request.endpoint or "")
    if header is None or not _is_key(header) or not getattr(view, "takes_idempotency_key", False):
        return None
    g.idempotency_look = look = Look(_sought(header))
    return look


def _never() -> Response:
    raise IdempotencyInFlight


# The lock says whether it is in flight, the row whether it was answered.
LOOKED = """
pg_try_advisory_xact_lock(hashtextextended(%(key)s, hashtext({caller}))),
       a.status, a.body, a.location, a.fingerprint
"""
LOOKED_IN = """
LEFT JOIN stored_answers a ON a.caller = {caller} AND a.key = %(key)s AND a.created_at > %(since)s
"""
_LOOK_UP = f"SELECT {LOOKED} FROM (SELECT 1) one {LOOKED_IN}".format(caller="%(caller)s::text")  # noqa: S608 - our own words
# An answer that is too old gives way; none back means that another request was first.
_STORE = """
INSERT INTO stored_answers (caller, key, fingerprint, status, body, location, created_at)
VALUES (%(caller)s, %(key)s, %(fingerprint)s, %(status)s, %(body)s, %(location)s, %(now)s)
ON CONFLICT (caller, key) DO UPDATE SET fingerprint = excluded.fingerprint,
   status = excluded.status, body = excluded.body, location = excluded.location,
   created_at = excluded.created_at
 WHERE stored_answers.created_at <= %(since)s
RETURNING 1
"""


def _look_up(key: _Key) -> _Stored | None:
    look: Look | None = g.pop("idempotency_look", None)
    found = look.found if look else None
    if found is None:
        found = driver.first(_LOOK_UP, _sought(key.key) | {"caller": key.caller})
    free, status, *stored = found or (False, None)
    if status is not None:
        return _Stored(status, *stored)
    if not free:
        raise IdempotencyInFlight
    return None


def _sought(key: str) -> dict[str, Any]:
    return {"key": key, "since": clock.now() - KEPT_FOR}


def _store(key: _Key, response: Response, withheld: Sequence[str]) -> None:
    body = response.get_data(as_text=True)
    if withheld:
        body = json.dumps(json.loads(body) | dict.fromkeys(withheld), ensure_ascii=False)
    now = clock.now()
    values = {
        "caller": key.caller,
        "key": key.key,
        "fingerprint": key.fingerprint,
        "status": response.status_code,
        "body": body,
        "location": response.headers.get("Location"),
        "now": now,
        "since": now - KEPT_FOR,
    }
    if driver.first(_STORE, values) is None:
        raise _LostRace


def _replay(stored: _Stored) -> Response:
    response = Response(stored.body, status=stored.status, content_type="application/json")
    response.headers["Idempotent-Replayed"] = "true"
    if stored.location:
        response.headers["Location"] = stored.location
    return response


def _key(header: str) -> _Key:
    if not _is_key(header):
        raise InvalidField("Idempotency-Key", N_("Idempotency-Key 须为 1 到 255 个可见字符。"))
    raw = f"{request.method} {request.path}\n".encode() + _body()
    # Keyed: a body may hold a password, and a bare hash of it could be guessed at offline.
    fingerprint = hmac.digest(current_app.config["SECRET_KEY"].encode(), raw, "sha256")
    caller = login.signed_in()
    if caller is None:
        # Strangers share no keys: what one of them used says nothing to the next.
        return _Key(caller="", key=f"{header} {fingerprint.hex()}", fingerprint=fingerprint)
    return _Key(caller=caller.get_id(), key=header, fingerprint=fingerprint)


def _is_key(header: str) -> bool:
    return header.isascii() and header.isprintable() and 0 < len(header) <= LONGEST_KEY


def _body() -> bytes:
    """Return the body so that order and spacing of JSON make no difference."""
    if not request.is_json:
        return request.get_data(cache=True)
    body = request.get_json(silent=True)
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()


def forget_answers_of(caller: str) -> int:
    """Drop the answers stored for one caller; returns how many."""
    gone = delete(StoredAnswer).where(StoredAnswer.caller == caller)
    return len(db.session.execute(gone.returning(StoredAnswer.key)).all())


def forget_old_answers() -> int:
    """Drop answers older than 24 hours; returns how many."""
    result = db.session.execute(
        delete(StoredAnswer)
        .where(StoredAnswer.created_at <= clock.now() - KEPT_FOR)
        .returning(StoredAnswer.key)
    )
    return len(result.all())
