"""The blueprint of these addresses."""

from booking.kernel.openapi import Blueprint

bp = Blueprint("reservations", __name__, description="预约：询价、预约、改期、取消、停用")
Headers = dict[str, str]
