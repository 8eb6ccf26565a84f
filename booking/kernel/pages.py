"""What every page shares: formats, assets, the form's token, language, flash and headers."""

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint as FlaskBlueprint
from flask import Flask, Response, current_app, redirect, request, url_for
from flask_babel import get_locale

from booking.kernel import assets, formats, forms, http, language, login, qr
from booking.kernel.language import COOKIE, locale_of

YEAR = 366 * 24 * 3600
LENGTH_COOKIE = "length"  # minutes booked last, looked for next
KEYS_COOKIE = "shortcuts"


class Blueprint(FlaskBlueprint):
    """Pages of a feature: who is there is known before the first word is chosen."""

    def __init__(self, name: str, import_name: str) -> None:
        super().__init__(name, import_name)
        self.before_request(_look_who_is_there)

    def go(self, endpoint: str, **values: Any) -> Response:
        """Answer a form with the way to a page of the feature, so that a reload posts nothing."""
        response = redirect(url_for(f"{self.name}.{endpoint}", **values), code=303)
        assert isinstance(response, Response)  # noqa: S101 - flask's own class
        return response


def _look_who_is_there() -> None:
    login.signed_in()


def init_pages(app: Flask) -> None:
    """Give templates their words and tools, and pages their headers."""
    app.config["SESSION_COOKIE_NAME"] = "booking_visit"
    app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
    app.config["SESSION_COOKIE_SECURE"] = app.config["BASE_URL"].startswith("https:")
    assets.init_assets(app)
    formats.init_formats(app)
    language.init_words(app)
    app.jinja_env.globals |= {
        "form_token": forms.token,
        "once": forms.once,
        "qr_code": qr.qr_code,
        "whole_form": forms.WHOLE,
    }
    app.context_processor(_words)
    app.after_request(_finish)


def _words() -> dict[str, Any]:
    locale = get_locale()
    language = "en" if locale is not None and locale.language == "en" else "zh"
    return {
        "language": language,
        "html_lang": "en" if language == "en" else "zh-CN",
        "in_other_language": _here_in("zh" if language == "en" else "en"),
        "keys_act": request.cookies.get(KEYS_COOKIE) != "off",
    }


def _here_in(language: str) -> str:
    """Return this page's address in the other language; the front page's where it has none."""
    if http.endpoint_of(request.path, "GET") is None:
        return url_for("home", lang=language)
    asked = request.args.to_dict(flat=False) if request.method == "GET" else {}
    return f"{request.path}?{urlencode(asked | {'lang': language}, doseq=True)}"


def _finish(response: Response) -> Response:
    """Pages are made for one person in one language, and are asked for anew each time."""
    if response.mimetype != "text/html":
        return response
    keep_language(response, request.args.get("lang", ""))
    response.headers.setdefault("Content-Language", str(_words()["html_lang"]))
    response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "private, no-cache"
        response.vary.update(["Accept-Language", "Cookie"])
    return response


def keep_language(response: Response, short: str) -> None:
    """Remember the language (`zh` or `en`) that was chosen in this browser."""
    if locale_of(short) is not None:
        remember(response, COOKIE, short)


def remember(response: Response, name: str, value: str) -> None:
    """Let this browser keep what was chosen last, for a year."""
    response.set_cookie(
        name,
        value,
        max_age=YEAR,
        httponly=True,
        samesite="Lax",
        secure=bool(current_app.config["SESSION_COOKIE_SECURE"]),
    )
