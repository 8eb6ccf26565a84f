"""Photos drawn by ourselves, certificates with their scope, and calibrations, mostly in order."""

from collections.abc import Mapping
from datetime import date, timedelta
from importlib import resources

from booking.accounts.rules import Caller
from booking.attachments import service as attachments
from booking.attachments.rules import AttachmentKind
from booking.demo import tables
from booking.demo.tables import Instrument
from booking.kernel.uploads import Upload
from booking.qualifications import service as qualifications
from booking.qualifications.rules import CalibrationKind, Line, Scheme

# By the beginning of the category, the longest that fits; the others stay with the drawing.
_DRAWN = {
    "0101": "microscope",
    "0102": "chromatograph",
    "0104": "spectrometer",
    "0105": "chromatograph",
    "0201": "tensile",
    "02": "physical",
    "03": "metrology",
    "04": "electronics",
    "12": "process",
}
_PRODUCTS = {
    "": "工业产品",
    "01": "材料与化学品",
    "0201": "金属与高分子材料",
    "02": "工程材料与零部件",
    "03": "计量器具",
    "04": "电子电气产品",
    "12": "机电产品",
}
_PHOTOGRAPHED = 3  # every so manieth instrument
_OUT_OF_SCOPE = 6  # every so manieth instrument's standards are in no certificate
_ACCREDITED = 2  # every so manieth institution has a CNAS certificate
_SOON, _SOON_DAYS = 12, 12  # the instrument whose calibration ends soon
_ENDED, _EXTENDED = -1, -2  # from the end of the table: a verification, a calibration
_YEAR = timedelta(days=365)
_LETTERS = {CalibrationKind.VERIFICATION: "JD", CalibrationKind.CALIBRATION: "LX"}
_ISSUERS = {Scheme.CMA: "湖南省市场监督管理局", Scheme.CNAS: "中国合格评定国家认可委员会"}


def file_all(everybody: Mapping[str, Caller], ids: Mapping[int, int], today: date) -> None:
    """File everything; after all bookings, for what has ended can no longer be booked."""
    rows, sites = tables.instruments(), tables.sites()
    for row in rows:
        owner = everybody[sites[row.site].institution]
        if row.number % _PHOTOGRAPHED == 2:
            _photos(row, ids[row.number], owner)
        _calibration(row, rows, ids[row.number], owner, today)
    for number, institution in enumerate(tables.institutions()):
        own = [row for row in rows if sites[row.site].institution == institution.login]
        _certificates(number, everybody[institution.login], own, today)


def _photos(row: Instrument, instrument_id: int, owner: Caller) -> None:
    fitting = [code for code in _DRAWN if row.category.startswith(code)]
    if not fitting:
        return
    drawn = _DRAWN[max(fitting, key=len)]
    for view, caption in (("front", "正面"), ("side", "侧面")):
        content = _content(f"photos/{drawn}-{view}.jpg")
        photo = AttachmentKind.PHOTO
        attachments.attach(
            instrument_id, photo, content, f"{view}.jpg", caller=owner, caption=caption
        )
    attachments.attach(
        instrument_id,
        AttachmentKind.DOCUMENT,
        _content("sample-notes.pdf"),
        "送样须知.pdf",
        caller=owner,
    )


def _calibration(
    row: Instrument, rows: list[Instrument], instrument_id: int, owner: Caller, today: date
) -> None:
    ended, extended = rows[_ENDED].number, rows[_EXTENDED].number
    done = today - timedelta(days=30 + row.number * 37 % 270)
    kind = CalibrationKind.VERIFICATION if row.number % 4 == 0 else CalibrationKind.CALIBRATION
    if row.number == _SOON:
        kind, done = CalibrationKind.CALIBRATION, today - _YEAR + timedelta(days=_SOON_DAYS + 1)
    if row.number in {ended, extended}:
        kind = CalibrationKind.VERIFICATION if row.number == ended else CalibrationKind.CALIBRATION
        done = today - _YEAR - timedelta(days=5)
    made = qualifications.record_calibration(
        instrument_id,
        kind,
        number=f"{_LETTERS[kind]}-{done:%Y}-{row.number:04d}",
        agency="中国测试技术研究院" if row.number % 3 else "湖南省计量检测研究院",
        performed_on=done,
        valid_until=done + _YEAR - timedelta(days=1),
        caller=owner,
        file=Upload("校准证书.pdf", _content("calibration.pdf")) if row.number % 5 == 1 else None,
    )
    if row.number == extended:
        until = today + timedelta(days=60)
        reason = f"期间核查合格，记录 HC-{today:%Y}-{row.number:03d}"
        qualifications.extend(instrument_id, made.id, until, reason=reason, caller=owner)


def _certificates(number: int, owner: Caller, rows: list[Instrument], today: date) -> None:
    [institution_id] = owner.organisations
    schemes = [Scheme.CMA] if number % _ACCREDITED else [Scheme.CMA, Scheme.CNAS]
    for scheme in schemes:
        # Six years, and the second institution's nearly over.
        left = timedelta(days=52 if number == 1 else 400 + number * 97 % 1500)
        until = today + left
        made = qualifications.add_certificate(
            institution_id,
            scheme,
            f"{until.year % 100 - 6:02d}18{20340127 + number * 137:08d}"
            if scheme is Scheme.CMA
            else f"CNAS L{10234 + number * 61}",
            issuer=_ISSUERS[scheme],
            valid_from=until - 6 * _YEAR - timedelta(days=1),
            valid_until=until,
            caller=owner,
        )
        for row in rows:
            if row.number % _OUT_OF_SCOPE:
                _lines(made.id, row, owner)


def _lines(certificate_id: int, row: Instrument, owner: Caller) -> None:
    product = _PRODUCTS[max((code for code in _PRODUCTS if row.category.startswith(code)), key=len)]
    for standard in row.standards:
        line = Line(product, row.functions, standard)
        qualifications.add_line(certificate_id, line, caller=owner)


def _content(name: str) -> bytes:
    return resources.files("booking.demo").joinpath("data", name).read_bytes()
