"""The other flag that nobody raises: a last QTc in the highest band of the scale that it was recorded with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from caseload.domain.flag.raising import Raised
from caseload.domain.observation import InstrumentName, instrument


@dataclass(frozen=True, slots=True, kw_only=True)
class LastQtc:
    """The newest electrocardiogram of a client of which a QTc is recorded."""

    milliseconds: int
    instrument_version: int
    observed_at: datetime

    @property
    def says(self) -> str | None:
        """What to do, when it stands in the highest band (Krantz 2009); None below it."""
        by = instrument(InstrumentName.QTC, self.instrument_version)
        highest = by.bands[-1]
        return highest.says if by.band(self.milliseconds) == highest else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeeFirst:
    """What should be seen before a medicine is ordered or given to one client, on one day."""

    flags: Sequence[Raised] = ()
    qtc: LastQtc | None = None


NO_FLAGS: Final = SeeFirst()
"""Nothing to see first."""
