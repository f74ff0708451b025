"""What every rule of a profile says of itself."""

import msgspec


class Data(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of a profile file."""


class SaidBy(Data, frozen=True):
    """Where a rule comes from, and what it says to the person whom it stops."""

    rule: str
    """The rule's own name, such as `uk.missed.3`: it stands in every refusal and decision that rests on it."""
    source: str
    says: str
