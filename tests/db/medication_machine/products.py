"""What can be ordered, with what the handbook says of it (docs/medication.md), written anew and not read from the catalogue."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from caseload.domain.medicines import Form, Medicine

INJECTION: Final = Form.EXTENDED_RELEASE_INJECTION


@dataclass(frozen=True, kw_only=True)
class Product:
    """A medicine as it is made."""

    medicine: Medicine
    form: Form
    strength_mg: str
    amounts_mg: tuple[str, ...]
    acts_days: int
    """Days, the first one among them, on which it acts on what is given beside it."""
    every_days: tuple[int, ...] = (1,)
    profiles: tuple[str, ...] = ("AU", "UK", "US", "US-CA-BRIDGE")
    earliest_days: int = 0
    """Of an injection: so many days after the last one, and not before."""
    late_days: int = 0
    asks_early: bool = False
    """Whether its window comes from no text that could be read: before the due date a prescriber decides."""

    @property
    def is_injection(self) -> bool:
        return self.form is INJECTION


SOLUTION: Final = Product(
    medicine=Medicine.METHADONE,
    form=Form.ORAL_SOLUTION,
    strength_mg="1",
    amounts_mg=("0.5", "20", "30", "60"),
    acts_days=3,
)
TABLETS: Final = Product(
    medicine=Medicine.BUPRENORPHINE,
    form=Form.SUBLINGUAL_TABLET,
    strength_mg="8",
    amounts_mg=("8", "16"),
    acts_days=2,
    every_days=(1, 1, 2),
)
FILM: Final = Product(
    medicine=Medicine.BUPRENORPHINE_NALOXONE,
    form=Form.SUBLINGUAL_FILM,
    strength_mg="8",
    amounts_mg=("8", "16"),
    acts_days=2,
)
SUBLOCADE: Final = Product(
    medicine=Medicine.BUPRENORPHINE,
    form=INJECTION,
    strength_mg="300",
    amounts_mg=("300",),
    acts_days=31,
    every_days=(28,),
    profiles=("AU", "US", "US-CA-BRIDGE"),
    earliest_days=26,
    late_days=2,
)
BRIXADI: Final = Product(
    medicine=Medicine.BUPRENORPHINE,
    form=INJECTION,
    strength_mg="16",
    amounts_mg=("16",),
    acts_days=9,
    every_days=(7,),
    profiles=("US", "US-CA-BRIDGE"),
    earliest_days=5,
    late_days=2,
)
BUVIDAL: Final = Product(
    medicine=Medicine.BUPRENORPHINE,
    form=INJECTION,
    strength_mg="16",
    amounts_mg=("16",),
    acts_days=9,
    every_days=(7,),
    profiles=("AU", "UK"),
    earliest_days=5,
    late_days=2,
    asks_early=True,
)
NALTREXONE: Final = Product(
    medicine=Medicine.NALTREXONE,
    form=Form.TABLET,
    strength_mg="50",
    amounts_mg=("50",),
    acts_days=3,
)
VIVITROL: Final = Product(
    medicine=Medicine.NALTREXONE,
    form=INJECTION,
    strength_mg="380",
    amounts_mg=("380",),
    acts_days=31,
    every_days=(28,),
    profiles=("US", "US-CA-BRIDGE"),
    earliest_days=28,
)
PRODUCTS: Final = (SOLUTION, TABLETS, FILM, SUBLOCADE, BRIXADI, BUVIDAL, NALTREXONE, VIVITROL)

OPIOID_FREE_DAYS: Final = 14
"""Naltrexone comes so many days after methadone or buprenorphine of ours, or later (Vivitrol label)."""
OTHER_OPIOID_FREE_DAYS: Final = 7
"""And so many after any other opioid that the client tells of."""
TOLERANCE_DAYS: Final = 60
"""So long after the last naltrexone the first agonist asks a prescriber."""


def product_of(medicine: Medicine, form: Form, profile: str, strength_mg: Decimal) -> Product:
    """What it is, by what an order says of it."""
    return next(
        each
        for each in PRODUCTS
        if (each.medicine, each.form) == (medicine, form)
        and profile in each.profiles
        and (not each.is_injection or Decimal(each.strength_mg) == strength_mg)
    )


def kind(medicine: Medicine) -> Medicine:
    """Both buprenorphines are one medicine."""
    return Medicine.BUPRENORPHINE if medicine is Medicine.BUPRENORPHINE_NALOXONE else medicine


def blocks(medicine: Medicine) -> bool:
    """Whether it blocks what opioids do."""
    return medicine is Medicine.NALTREXONE


@dataclass(frozen=True)
class Swallowed:
    """Something that was taken, here, at home or elsewhere."""

    medicine: Medicine
    form: Form
    day: date
    acts_days: int

    def is_like(self, medicine: Medicine, form: Form) -> bool:
        """Whether it tells of the tolerance to this: the same action, and as long-acting."""
        return blocks(self.medicine) is blocks(medicine) and (self.form is INJECTION) is (form is INJECTION)

    def stands_against(self, medicine: Medicine, day: date) -> bool:
        """Whether nothing of another medicine may be given beside it on a day, but for a prescriber's signature."""
        if kind(self.medicine) is kind(medicine) or self.day > day:
            return False
        days = max(self.acts_days, OPIOID_FREE_DAYS) if blocks(medicine) else self.acts_days
        return day < self.day + timedelta(days=days)
