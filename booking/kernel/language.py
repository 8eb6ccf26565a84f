"""In which language to answer: what was chosen, else the person's own, else the client's."""

from flask import g, request

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
