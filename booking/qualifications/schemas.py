"""What comes in and goes out for certificates and calibrations."""

from typing import Any, ClassVar

from flask import url_for
from marshmallow import fields, pre_dump

from booking.kernel.forms import FormSchema
from booking.kernel.schema import Line, Paragraph, QueryCount, Schema
from booking.kernel.text import N_
from booking.qualifications.models import Calibration, Certificate
from booking.qualifications.rules import LONGEST_CELL, CalibrationKind, Result, Scheme


class CertificateForm(FormSchema):
    """A certificate as its holder copies it."""

    required: ClassVar = {
        "number": N_("请填写证书编号。"),
        "issuer": N_("请填写发证机关。"),
        "valid_from": N_("请填写生效日期。"),
        "valid_until": N_("请填写有效期。"),
    }
    scheme = fields.Enum(Scheme, by_value=True, required=True)
    number = Line(max_length=40, required=True)
    issuer = Line(max_length=100, required=True)
    valid_from = fields.Date(required=True)
    valid_until = fields.Date(required=True)


class CertificateEdit(CertificateForm):
    """The same put right; what it is about stays."""

    class Meta:
        """A form of another scheme would be another certificate."""

        exclude = ("scheme",)

    version = QueryCount(least=1, most=2**31, load_default=None)


class LineForm(FormSchema):
    """A line of a scope."""

    required: ClassVar = {"standard": N_("请填写标准（方法）编号。")}
    product = Line(max_length=LONGEST_CELL, load_default="")
    parameter = Line(max_length=LONGEST_CELL, load_default="")
    standard = Line(max_length=LONGEST_CELL, required=True)
    limits = Line(max_length=LONGEST_CELL, load_default="")


class CalibrationForm(FormSchema):
    """A verification or calibration as its certificate says it."""

    required: ClassVar = {
        "number": N_("请填写证书编号。"),
        "agency": N_("请填写检定或校准机构。"),
        "performed_on": N_("请填写检定或校准日期。"),
    }
    kind = fields.Enum(CalibrationKind, by_value=True, required=True)
    number = Line(max_length=60, required=True)
    agency = Line(max_length=100, required=True)
    performed_on = fields.Date(required=True)
    valid_until = fields.Date(load_default=None)
    result = fields.Enum(Result, by_value=True, load_default=Result.PASSED)
    note = Line(max_length=200, load_default="")


class WithdrawForm(FormSchema):
    """Why a record counts no longer."""

    required: ClassVar = {"reason": N_("请填写作废原因。")}
    reason = Line(max_length=200, required=True)


class ExtensionForm(FormSchema):
    """Until when somebody answers for using it, and why."""

    required: ClassVar = {
        "until": N_("请填写延用到哪一天。"),
        "extension_reason": N_("请填写依据，例如期间核查记录编号。"),
    }
    until = fields.Date(required=True)
    extension_reason = Line(max_length=200, required=True)


class CalibrationIn(Schema):
    """A verification or calibration."""

    kind = fields.Enum(CalibrationKind, by_value=True, required=True)
    number = Line(min_length=1, max_length=60, required=True)
    agency = Line(min_length=1, max_length=100, required=True)
    performed_on = fields.Date(required=True)
    valid_until = fields.Date(load_default=None, allow_none=True)
    result = fields.Enum(Result, by_value=True, load_default=Result.PASSED)
    note = Paragraph(max_length=200, load_default="")


class WithdrawIn(Schema):
    """Why a record counts no longer."""

    reason = Line(min_length=1, max_length=200, required=True)


class CalibrationOut(Schema):
    """A verification or calibration; withdrawn ones stay on record."""

    id = fields.Integer()
    kind = fields.Enum(CalibrationKind, by_value=True)
    number = fields.String()
    agency = fields.String()
    performed_on = fields.Date()
    valid_until = fields.Date(allow_none=True)
    result = fields.Enum(Result, by_value=True)
    is_withdrawn = fields.Boolean()
    file_url = fields.String(allow_none=True)

    @pre_dump
    def flat(self, found: Calibration, **_: Any) -> dict[str, Any]:
        """Put an address in the place of the file."""
        plain = ("id", "kind", "number", "agency", "performed_on", "valid_until", "result")
        return {
            **{name: getattr(found, name) for name in plain},
            "is_withdrawn": found.withdrawn_at is not None,
            "file_url": url_for(
                "qualifications_pages.calibration_file",
                instrument_id=found.instrument_id,
                calibration_id=found.id,
            )
            if found.file_sha256
            else None,
        }


class CertificateOut(Schema):
    """A certificate that holds, and which of its lines name the instrument's standards."""

    id = fields.Integer()
    scheme = fields.Enum(Scheme, by_value=True)
    number = fields.String()
    issuer = fields.String()
    valid_from = fields.Date()
    valid_until = fields.Date()
    in_scope = fields.List(fields.Dict(keys=fields.String(), values=fields.String()))

    @pre_dump
    def flat(self, found: Any, **_: Any) -> dict[str, Any]:
        """Put the lines beside the certificate's facts."""
        certificate: Certificate = found.certificate
        columns = ("product", "parameter", "standard", "limits")
        plain = ("id", "scheme", "number", "issuer", "valid_from", "valid_until")
        return {
            **{name: getattr(certificate, name) for name in plain},
            "in_scope": [{name: getattr(line, name) for name in columns} for line in found.lines],
        }


class QualificationsOut(Schema):
    """What an instrument is qualified for."""

    verified_until = fields.Date(allow_none=True)
    calibrated_until = fields.Date(allow_none=True)
    calibrations = fields.List(fields.Nested(CalibrationOut))
    certificates = fields.List(fields.Nested(CertificateOut))
