"""The code lists: regions and instrument categories, and how much of ours stands under each."""

from flask import render_template

from booking.admin import queries
from booking.admin.views.frame import SHOWN, admins_only, asked, bp, page_of
from booking.reference import queries as reference


@bp.get("/admin/regions")
@admins_only
def regions() -> str:
    """List regions: the provinces, what lies in one, or what a word or code finds."""
    q, parent = asked("q"), asked("parent")
    found = page_of(
        lambda cursor: reference.list_regions(
            limit=SHOWN, cursor=cursor, parent=parent or None if not q else None, q=q or None
        )
    )
    codes = [region.code for region in found.items]
    return render_template(
        "admin/regions.html",
        regions=found.items,
        next_cursor=found.next_cursor,
        names=reference.region_names([*codes, *([parent] if parent else [])]),
        organisations=queries.organisations_within(codes),
        instruments=queries.instruments_within(codes),
        parent=parent,
        q=q,
    )


@bp.get("/admin/categories")
@admins_only
def categories() -> str:
    """List the categories of instruments, with how many instruments each has."""
    q = asked("q")
    is_code = q.isascii() and q.isdigit()
    found = page_of(
        lambda cursor: reference.list_categories(
            limit=SHOWN,
            cursor=cursor,
            prefix=q if is_code else None,
            q=q if q and not is_code else None,
        )
    )
    return render_template(
        "admin/categories.html",
        categories=found.items,
        next_cursor=found.next_cursor,
        instruments=queries.instruments_of([each.code for each in found.items]),
        q=q,
    )
