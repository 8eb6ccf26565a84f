"""Who is signed in: the only importer of flask_login; accounts registers the loader."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import flask_login
from flask import Flask, Request, current_app

P = ParamSpec("P")
R = TypeVar("R")

_manager = flask_login.LoginManager()
_manager.session_protection = None  # our sessions live in the database and end there


def init_login(app: Flask, load: Callable[[Request], Any]) -> None:
    """Load the caller of each request by `load` (None if nobody is signed in)."""
    _manager.init_app(app)
    _manager.request_loader(load)


def signed_in() -> Any | None:
    """Return the caller's object, or None."""
    user = flask_login.current_user._get_current_object()
    return user if user.is_authenticated else None


def administrator(permission: str) -> int:
    """Return the signed-in user's id, or raise NotAllowed unless they may do this on the platform.

    For features that stand below accounts and cannot ask its rules themselves.
    """
    user = signed_in()
    assert isinstance(user, SignedIn), "the view lacks login_required"  # noqa: S101
    return user.administer(permission)


def own_id() -> int:
    """Return the id of who is signed in with a browser, or raise SignInNeeded for tokens.

    For pages of features that stand below accounts.
    """
    user = signed_in()
    assert isinstance(user, SignedIn), "the view lacks login_required"  # noqa: S101
    return user.own_id()


def own_id_or_none() -> int | None:
    """Return the same, or None for tokens and if nobody is signed in."""
    user = signed_in()
    return user.own_id() if isinstance(user, SignedIn) and user.by_session else None


def require_signed_in() -> None:
    """Refuse the request (401) unless somebody is signed in; for views that ask it themselves."""
    if signed_in() is None:
        current_app.login_manager.unauthorized()  # type: ignore[attr-defined]


def login_required(view: Callable[P, R]) -> Callable[P, R]:
    """Refuse the view to callers who are not signed in (401)."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        require_signed_in()
        return view(*args, **kwargs)

    guarded.needs_login = True  # type: ignore[attr-defined]
    return guarded


class SignedIn:
    """Mix-in for the caller's object: what flask_login asks of it."""

    is_authenticated = True
    is_active = True
    is_anonymous = False

    @property
    def by_session(self) -> bool:
        """Tell whether a browser is signed in, and not a token used."""
        raise NotImplementedError

    def own_id(self) -> int:
        """Return the user's id, or raise SignInNeeded for tokens."""
        raise NotImplementedError

    def administer(self, permission: str) -> int:
        """Return the user's id, or raise NotAllowed; accounts knows who runs the platform."""
        raise NotImplementedError
