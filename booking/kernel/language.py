"""In which language to answer: the signed-in person's own, else what the client asks for."""

from flask import g, request

CHINESE, ENGLISH = "zh_Hans_CN", "en"
_ASKED = {"zh": CHINESE, "en": ENGLISH}


def choose() -> str:
    """Return the locale of this request; `?lang=` on pages comes first, for links to share.

    Only a caller who is already loaded counts: an error's words must not cost a query.
    """
    if not request.path.startswith("/api/v") and (linked := request.args.get("lang")) in _ASKED:
        return _ASKED[linked]
    own = getattr(g.get("_login_user"), "locale", None)
    if own in _ASKED.values():
        return str(own)
    best = request.accept_languages.best_match(["zh-CN", "zh", "en"], "zh-CN")
    return ENGLISH if best == "en" else CHINESE
