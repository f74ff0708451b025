"""Which moments and days anybody can mean: everything else is a slip of the keyboard, and no calendar reckons with it."""

from datetime import date, datetime
from typing import Final

from caseload.domain.errors import Faults

YEARS: Final = range(2000, 2200)
"""Whatever is recorded happened, or will, in one of these."""


def check_year(said: date | datetime, faults: Faults, where: str) -> None:
    """Add a fault unless it lies in a year in which something can happen."""
    faults.check(when=said.year not in YEARS, where=where, problem=f"must lie from {YEARS[0]} to {YEARS[-1]}")
