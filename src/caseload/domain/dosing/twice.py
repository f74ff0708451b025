"""Taken twice: what becomes known afterwards of a day on which our window gave something too holds the next dose.

A dose that is written down beside another is an exception, which holds the next (decision 301). The same can become known
from the other side: a source tells, and somebody here verifies, that a day was taken elsewhere on which we gave something;
or a unit that was said to be untaken, so that the dose of its day was given here, was taken after all. Either way the client
has swallowed two, and nothing is given before a prescriber has looked (product convention).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Final, Protocol

from caseload.domain.access import Act
from caseload.domain.dosing.facts import AlreadyGiven
from caseload.domain.ids import ClientId, HoldId, new_id
from caseload.domain.journal import Journal
from caseload.domain.medication import Hold, HoldReason, Holds, MedicationRecord, keep_hold
from caseload.domain.medicines import DosePart
from caseload.domain.people import Staff

TAKEN_TWICE_HOLDS: Final = "taken_twice_holds_next"
"""The rule by which a day that turns out to have been taken twice holds the next dose."""


class TakenTwice(Holds, Protocol):
    """Where it is found, and where the hold is kept."""

    async def holds_of(self, client: ClientId, /) -> Sequence[Hold]:
        """Every hold of a client, newest first."""
        ...

    async def given_on(self, clients: Sequence[ClientId], day: date, /) -> Mapping[ClientId, Sequence[AlreadyGiven]]:
        """Our own doses taken on a day, by client."""
        ...


async def hold_after_twice(
    parts: Iterable[tuple[date, DosePart]],
    source: str,
    record: MedicationRecord,
    *,
    by: Staff,
    now: datetime,
    doses: TakenTwice,
    journal: Journal,
) -> Hold | None:
    """Hold the next dose where our window gave something on one of these parts of days, of which `source` says that they were taken.

    None where it did not, and where this holds the client already.
    """
    client = record.client
    days = [
        day
        for day, part in sorted(parts)
        if any(each.part.meets(part) for each in (await doses.given_on([client], day)).get(client, ()) if each.given_by)
    ]
    if not days or any(
        each.by_rule == TAKEN_TWICE_HOLDS and each.cleared_at is None for each in await doses.holds_of(client)
    ):
        return None
    named = ", ".join(dict.fromkeys(str(day) for day in days))
    hold = Hold(
        id=HoldId(new_id()),
        client=client,
        programme=record.place(by, Act.RECORD_DOSE),
        reason=HoldReason.OTHER,
        note=f"{source} says that something was taken on {named}, when a dose was given here too.",
        raised_by=by.id,
        raised_at=now,
        by_rule=TAKEN_TWICE_HOLDS,
    )
    await keep_hold(hold, record, holds=doses, journal=journal)
    return hold
