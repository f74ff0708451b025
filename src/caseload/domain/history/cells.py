"""Reading the cells of a row: text becomes facts, and every fault of the row is named at once."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import TypeVar

from caseload.domain.errors import Faults
from caseload.domain.medicines import check_milligrams

EARLIEST_DAY = date(1900, 1, 1)
"""No day of anybody's record lies before it: earlier years are slips of the pen or of a spreadsheet."""

_WRITTEN_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WRITTEN_AMOUNT = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of writing: they make a name look like another one."""

_Word = TypeVar("_Word", bound=StrEnum)


@lru_cache(maxsize=4096)
def _day(written: str) -> date | None:
    """A calendar day in the one form that cannot be misread (ISO 8601, section 5.2.2.1), or None."""
    if not _WRITTEN_DAY.fullmatch(written):
        return None
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _amount(written: str) -> Decimal | None:
    return Decimal(written) if _WRITTEN_AMOUNT.fullmatch(written) else None


def is_plain(text: str) -> bool:
    """Whether a text holds nothing that hides, breaks or reorders what a person reads."""
    return text.isprintable() or not any(
        unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} or character in _BIDI for character in text
    )


@dataclass(slots=True)
class Reading:
    """One row while it is being read: takes cells out and keeps what is wrong with them.

    After a fault a stand-in is returned, so that reading goes on and finds the other faults too; `done` raises.
    """

    cells: Mapping[str, str]
    faults: Faults = field(default_factory=Faults)

    def text(self, column: str, *, most: int, needed: bool = True) -> str:
        found = self.cells.get(column, "")
        if not found:
            self.faults.check(when=needed, where=column, problem="is empty")
        elif len(found) > most:
            self.faults.add(column, f"has {len(found):,} characters; at most {most} are kept")
        elif not is_plain(found):
            self.faults.add(column, "holds a control character")
        return found if found.isascii() else unicodedata.normalize("NFC", found)

    def day_if_any(self, column: str, *, earliest: date = EARLIEST_DAY) -> date | None:
        written = self.cells.get(column, "")
        if not written:
            return None
        found = _day(written)
        if found is None:
            self.faults.add(column, "is not a day; write it as YYYY-MM-DD")
        elif found < earliest:
            self.faults.add(column, f"lies in the year {found.year}; no day before {earliest.year} is taken")
        return found

    def day(self, column: str, *, earliest: date = EARLIEST_DAY) -> date:
        found = self.day_if_any(column, earliest=earliest)
        self.faults.check(when=not self.cells.get(column, ""), where=column, problem="is empty")
        return found or EARLIEST_DAY

    def word(self, column: str, words: type[_Word], otherwise: _Word) -> _Word:
        written = self.cells.get(column, "")
        try:
            return words(written)
        except ValueError:
            known = ", ".join(sorted(words))
            self.faults.add(column, f"is not one of {known}" if written else f"is empty; write one of {known}")
            return otherwise

    def milligrams(self, column: str) -> Decimal:
        written = self.cells.get(column, "")
        amount = _amount(written)
        if amount is not None:
            check_milligrams(amount, column, self.faults)
            return amount
        if not written:
            self.faults.add(column, "is empty")
        elif "," in written:
            self.faults.add(column, "holds a comma; write decimals with a point and no thousands")
        else:
            self.faults.add(column, "is not a number of milligrams such as 16 or 2.5")
        return Decimal(1)

    def done(self) -> None:
        self.faults.raise_if_any()
