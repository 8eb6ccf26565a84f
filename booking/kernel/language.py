"""In which language to answer: what was chosen, else the person's own, else the client's."""

from typing import Any

from babel import Locale
from babel.support import NullTranslations
from flask import Flask, g, request
from flask_babel import get_locale, get_translations
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

CHINESE, ENGLISH = "zh_Hans_CN", "en"
COOKIE = "booking_language"
_ASKED = {"zh": CHINESE, "en": ENGLISH}


def choose() -> str:
    """Return the locale of this request.

    Programs say it with each request. On pages `?lang=` comes first, for links to share, then
    what was chosen in this browser, then the signed-in person's own if it is not the one that
    everybody has who never chose. Only a caller who is already loaded counts: an error's words
    must not cost a query.
    """
    if not request.path.startswith("/api/v"):
        for said in (request.args.get("lang"), request.cookies.get(COOKIE)):
            if said in _ASKED:
                return _ASKED[said]
        if getattr(g.get("_login_user"), "locale", CHINESE) == ENGLISH:
            return ENGLISH
    best = request.accept_languages.best_match(["zh-CN", "zh", "en"], "zh-CN")
    return ENGLISH if best == "en" else CHINESE


def locale_of(short: str) -> str | None:
    """Return the locale behind `zh` or `en`, None for anything else."""
    return _ASKED.get(short)


def init_words(app: Flask) -> None:
    """Give templates a `_` that looks the catalogue up once, not for each of a page's sentences."""
    app.jinja_env.globals |= {"_": _say, "gettext": _say}


@pass_eval_context
def _say(context: EvalContext, said: str, **values: Any) -> str:
    found = _catalogue().ugettext(said)
    if context.autoescape:
        found = Markup(found)  # noqa: S704 - our own sentences; the values are escaped
    return found % values if "%" in found else found


def _catalogue() -> NullTranslations:
    locale = get_locale()
    kept: tuple[Locale | None, NullTranslations] | None = g.get("catalogue")
    if kept is None or kept[0] is not locale:  # a mail is written in its reader's language
        g.catalogue = kept = (locale, get_translations())
    return kept[1]
