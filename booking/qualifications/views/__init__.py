"""Pages around certificates and calibrations, and their files."""

from booking.qualifications.views.calibrations import calibrations_page
from booking.qualifications.views.certificates import certificates
from booking.qualifications.views.frame import bp
from booking.qualifications.views.scopes import certificate
from booking.qualifications.views.shown import certificate_file

__all__ = ["bp", "calibrations_page", "certificate", "certificate_file", "certificates"]
