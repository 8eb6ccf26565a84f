"""REST for calendar feeds: make one, see them, revoke one."""

from typing import Any

from booking.accounts.auth import caller
from booking.calendars import queries, service
from booking.calendars.models import CalendarFeed
from booking.calendars.schemas import FeedCreated, FeedIn, FeedOut, FeedPage
from booking.kernel.db import transaction
from booking.kernel.idempotency import idempotent, idempotent_without
from booking.kernel.login import login_required
from booking.kernel.openapi import Blueprint
from booking.kernel.paging import Page
from booking.kernel.schema import PageQuery

bp = Blueprint("calendars", __name__, description="日历订阅：本人、企业、机构")


@bp.post("/calendar-feeds")
@login_required
@idempotent_without("url")
@bp.arguments(FeedIn)
@bp.response(201, FeedCreated)
def create(data: dict[str, Any]) -> dict[str, Any]:
    """Make a feed; its secret address is in this answer only."""
    with transaction():
        made = service.create_feed(**data, caller=caller())
    return {name: getattr(made.feed, name) for name in FeedOut().fields} | {"url": made.url}


@bp.get("/calendar-feeds")
@login_required
@bp.arguments(PageQuery, location="query")
@bp.response(200, FeedPage)
def index(query: dict[str, Any]) -> Page[CalendarFeed]:
    """List one's own feeds and those of organisations one manages, also the revoked."""
    return queries.list_feeds(caller=caller(), **query)


@bp.post("/calendar-feeds/<id:feed_id>/revoke")
@login_required
@idempotent
@bp.response(200, FeedOut)
def revoke(feed_id: int) -> CalendarFeed:
    """End a feed: its address answers 404 from now on."""
    with transaction():
        return service.revoke_feed(feed_id, caller=caller())
