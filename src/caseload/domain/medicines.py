"""The medicines for opioid use disorder, their forms, what an amount is, and the parts of a day."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from caseload.domain.errors import Fault, Faults, Invalid


class Medicine(StrEnum):
    """A medicine for opioid use disorder, as orders and doses name it."""

    METHADONE = "methadone"
    BUPRENORPHINE = "buprenorphine"
    BUPRENORPHINE_NALOXONE = "buprenorphine_naloxone"
    """Amounts are milligrams of buprenorphine; naloxone follows from the fixed ratio of 4 to 1."""
    NALTREXONE = "naltrexone"


class Form(StrEnum):
    """How a medicine is made up."""

    ORAL_SOLUTION = "oral_solution"
    ORAL_CONCENTRATE = "oral_concentrate"
    TABLET = "tablet"
    DISPERSIBLE_TABLET = "dispersible_tablet"
    SUBLINGUAL_TABLET = "sublingual_tablet"
    SUBLINGUAL_FILM = "sublingual_film"
    ORAL_LYOPHILISATE = "oral_lyophilisate"
    EXTENDED_RELEASE_INJECTION = "extended_release_injection"


class Action(StrEnum):
    """What a medicine does at the opioid receptor. An agonist beside an antagonist is dangerous."""

    AGONIST = "agonist"
    ANTAGONIST = "antagonist"


ACTION: Mapping[Medicine, Action] = MappingProxyType(
    {
        Medicine.METHADONE: Action.AGONIST,
        Medicine.BUPRENORPHINE: Action.AGONIST,
        Medicine.BUPRENORPHINE_NALOXONE: Action.AGONIST,
        Medicine.NALTREXONE: Action.ANTAGONIST,
    }
)
"""A partial agonist (buprenorphine) counts as an agonist here."""

FORMS: Mapping[Medicine, frozenset[Form]] = MappingProxyType({
    Medicine.METHADONE: frozenset({
        Form.ORAL_SOLUTION, Form.ORAL_CONCENTRATE, Form.TABLET, Form.DISPERSIBLE_TABLET,
    }),
    Medicine.BUPRENORPHINE: frozenset({
        Form.SUBLINGUAL_TABLET, Form.ORAL_LYOPHILISATE, Form.EXTENDED_RELEASE_INJECTION,
    }),
    Medicine.BUPRENORPHINE_NALOXONE: frozenset({Form.SUBLINGUAL_TABLET, Form.SUBLINGUAL_FILM}),
    Medicine.NALTREXONE: frozenset({Form.TABLET, Form.EXTENDED_RELEASE_INJECTION}),
})  # fmt: skip
"""The forms in which each medicine exists."""

LONG_ACTING = frozenset({Form.EXTENDED_RELEASE_INJECTION})
"""Forms that last for weeks: days without one are not missed doses."""


LOOKS_BACK_DAYS = 62
"""So far back is read what a client took of other products: nothing listed, and no rule of a profile, reaches farther."""

LIQUIDS = frozenset({Form.ORAL_SOLUTION, Form.ORAL_CONCENTRATE})
"""Forms that are measured: their strength is milligrams in one millilitre."""


class DosePart(StrEnum):
    """Which part of the dosing day a dose is."""

    WHOLE = "whole"
    MORNING = "morning"
    EVENING = "evening"

    def meets(self, other: "DosePart") -> bool:
        """Whether the two cannot both be given on one day: the same part, or the whole day beside a part of it."""
        return self is other or DosePart.WHOLE in {self, other}


_THOUSANDTHS = Decimal("0.001")
_MOST_MG = Decimal(9999)


def milligrams(value: Decimal, where: str = "amount_mg") -> Decimal:
    """The amount to three decimals, as it is stored (NUMERIC(7,3)); refuses zero, the absurd and a fourth decimal.

    Raises `Invalid`.
    """
    faults = Faults()
    check_milligrams(value, where, faults)
    faults.raise_if_any()
    return value.quantize(_THOUSANDTHS)


def check_milligrams(value: Decimal, where: str, faults: Faults) -> None:
    """Add a fault unless the value is an amount in milligrams that can be given."""
    if not value.is_finite():
        faults.add(where, "must be a number of milligrams")
    elif value <= 0:
        faults.add(
            where,
            "must be more than zero: a dose that was not given has a reason instead of an amount",
        )
    elif value > _MOST_MG:
        faults.add(where, f"must be at most {_MOST_MG} mg")
    elif value != value.quantize(_THOUSANDTHS):
        faults.add(where, "must have at most three decimals of a milligram")


def check_form(medicine: Medicine, form: Form, where: str = "form") -> None:
    """Raise `Invalid` unless the medicine exists in this form."""
    if form not in FORMS[medicine]:
        offered = ", ".join(sorted(FORMS[medicine]))
        raise Invalid(
            Fault(
                where,
                f"{medicine.value} is not made as {form.value}; choose one of {offered}",
            )
        )
