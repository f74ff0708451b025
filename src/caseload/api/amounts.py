"""Amounts on the wire: milligrams as text, so that no binary fraction and no exponent can slip in."""

from decimal import Decimal
from typing import Annotated

import msgspec

Milligrams = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[0-9]{1,4}(\.[0-9]{1,3})?$",
        description="Milligrams as text, up to four digits and three decimals.",
        examples=["60", "32.5"],
    ),
]


Millilitres = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[0-9]{1,5}(\.[0-9]{1,2})?$",
        description="Millilitres as text, up to five digits and two decimals.",
        examples=["12", "6.5"],
    ),
]


def milligrams(text: str) -> Decimal:
    """The amount that the text says, in whichever unit; its range is the domain's to judge."""
    return Decimal(text)


def written(amount: Decimal) -> str:
    """An amount as text, without zeros that say nothing."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
