"""The photograph by which a client is recognised: from when it is, so that nobody trusts an old one.

The picture itself stays where the clinic keeps it; the record says that there is one and of which day.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar, Final, Protocol

from caseload.domain.errors import Faults
from caseload.domain.ids import ClientId, PhotographId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff

LONGEST_PLACE: Final = 400
EARLIEST: Final = date(1990, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Photograph:
    """The newest record counts: a photograph of a day, or that none is held any more."""

    id: PhotographId
    client: ClientId
    taken_on: date | None
    """None where none is held any more: withdrawn by the client, or of somebody else."""
    kept_where: str
    """Where the picture is; why none is held, where there is none."""
    recorded_by: StaffId
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotographRecorded(Event):
    """A photograph of a client is held, or none any more."""

    name: ClassVar[str] = "client.photograph_recorded"


class Photographs(Protocol):
    """The records of photographs."""

    async def add_photograph(self, photograph: Photograph, /) -> None:
        """Keep a record."""
        ...


async def record_photograph(
    client: ClientId,
    taken_on: date | None,
    kept_where: str,
    *,
    as_id: PhotographId,
    today: date,
    by: Staff,
    now: datetime,
    photographs: Photographs,
    journal: Journal,
) -> Photograph:
    """Record from when the client's photograph is and where it lies, or why none is held.

    Raises `Invalid`.
    """
    faults = Faults()
    faults.check(
        when=taken_on is not None and not EARLIEST <= taken_on <= today,
        where="taken_on",
        problem=f"must lie between {EARLIEST} and today",
    )
    faults.check(
        when=not 0 < len(kept_where.strip()) <= LONGEST_PLACE,
        where="kept_where",
        problem=f"must have 1 to {LONGEST_PLACE} characters",
    )
    faults.raise_if_any()
    photograph = Photograph(
        id=as_id, client=client, taken_on=taken_on, kept_where=kept_where.strip(), recorded_by=by.id, recorded_at=now
    )
    await photographs.add_photograph(photograph)
    journal.tell(PhotographRecorded(client=client, records=(photograph.id,)))
    return photograph
