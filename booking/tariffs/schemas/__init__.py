"""What comes in and goes out for prices, over the API and from pages."""

from booking.kernel.schema import Percent
from booking.tariffs.schemas.fields import DAYS
from booking.tariffs.schemas.prices import (
    Nothing,
    PreviewIn,
    PreviewOut,
    PriceIn,
    PriceOfClassIn,
    PriceOut,
    PricePage,
    PriceQuery,
    QuoteLineOut,
)

__all__ = [
    "DAYS",
    "Nothing",
    "Percent",
    "PreviewIn",
    "PreviewOut",
    "PriceIn",
    "PriceOfClassIn",
    "PriceOut",
    "PricePage",
    "PriceQuery",
    "QuoteLineOut",
]
