"""The label on an instrument, whose code begins and ends a use."""

from flask import render_template

from booking.accounts.rules import Permission
from booking.console.views.frame import bp, own_instrument
from booking.kernel.login import login_required


@bp.get("/institution/instruments/<id:instrument_id>/label")
@login_required
def label(instrument_id: int) -> str:
    """Show the label to print and put on the instrument."""
    instrument = own_instrument(instrument_id, Permission.RUN_INSTRUMENTS)
    return render_template("console/label.html", instrument=instrument)
