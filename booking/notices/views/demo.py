"""The demo's mail folder, as a page: only where demo data are, and no mail server is named."""

from flask import Flask, Response, render_template

from booking.kernel import pages
from booking.kernel.errors import NotFound
from booking.notices import gateway
from booking.notices.gateway import KeptMail

SHOWN = 100
# A mail carries its own styles and nothing else; it may not run, load or send anything.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox allow-popups; base-uri 'none'"

bp = pages.Blueprint("demo_pages", __name__)


def init_demo_mail(app: Flask) -> None:
    """Show the folder if this is the demo and mails lie there."""
    shown = bool(app.config["DEMO"]) and not app.config.get("SMTP_URL")
    app.jinja_env.globals["shows_demo_mail"] = shown
    if shown:
        app.register_blueprint(bp)


@bp.get("/demo/mail")
def mails() -> str:
    """List the mails that would have been sent, latest first."""
    return render_template("notices/demo_mails.html", mails=gateway.list_kept(limit=SHOWN))


@bp.get("/demo/mail/<string:name>")
def mail(name: str) -> str:
    """Show one of them as text."""
    found = _find(name)
    return render_template(
        "notices/demo_mail.html",
        mail=found,
        text=found.body("plain"),
        calendar=found.body("calendar"),
    )


@bp.get("/demo/mail/<string:name>/html")
def html(name: str) -> Response:
    """Show it as a mail program would."""
    response = Response(_find(name).body("html"), content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = _POLICY
    return response


@bp.get("/demo/mail/<string:name>.eml")
def eml(name: str) -> Response:
    """Give the file, to be opened with a mail program."""
    response = Response(_find(name).raw, content_type="message/rfc822")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.eml"'
    return response


@bp.get("/demo/mail/<string:name>.ics")
def ics(name: str) -> Response:
    """Give its calendar entry, to be opened with a calendar program."""
    entry = _find(name).body("calendar")
    if not entry:
        raise NotFound
    response = Response(entry, content_type="text/calendar; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.ics"'
    return response


def _find(name: str) -> KeptMail:
    found = gateway.find_kept(name)
    if found is None:
        raise NotFound
    return found
