"""What the forms of notices send."""

from marshmallow import fields, validate

from booking.kernel.forms import FormSchema
from booking.notices.rules import OPTIONAL, Kind


class SettingsForm(FormSchema):
    """Which kinds a person wants by mail; none of them is an answer too."""

    lists = frozenset({"by_mail"})
    by_mail = fields.List(
        fields.Enum(Kind, by_value=True),
        load_default=list,
        validate=validate.Length(max=len(OPTIONAL)),
    )
