"""Naloxone, offered to everybody on opioid medicine and to whom they live with: offered, supplied, and how to use it shown.

One record for each time it was spoken of, insert-only; what was recorded by mistake is taken back with a reason and stays
readable.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, Final, Protocol
from uuid import UUID

from caseload.domain.errors import Conflict, Faults, NotFound
from caseload.domain.ids import ClientId, NaloxoneId, ProgrammeId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.taken_back import TakenBack, because

LONGEST_TEXT: Final = 500
MOST_UNITS: Final = 20


class Outcome(StrEnum):
    """What came of it."""

    DECLINED = "declined"
    """Offered, and not wanted now."""
    SUPPLIED = "supplied"
    HAS_SOME = "has_some"
    """Offered, and they have some that is in date."""


class Recipient(StrEnum):
    """To whom."""

    CLIENT = "client"
    HOUSEHOLD = "household"
    """Somebody whom the client lives with or who looks after them."""


class NaloxoneForm(StrEnum):
    """What was supplied."""

    NASAL_SPRAY = "nasal_spray"
    INJECTION = "injection"


class NaloxoneUnknown(NotFound):
    """No such record of naloxone of this client within your reach."""


class NaloxoneTakenBack(Conflict):
    """This record of naloxone has been taken back already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What somebody says was offered, on which day, to whom, and what came of it."""

    offered_on: date
    recipient: Recipient
    person: UUID | None
    """The person around the client, of a household; None where they are not listed."""
    outcome: Outcome
    form: NaloxoneForm | None = None
    units: int | None = None
    """How many devices or ampoules, where any were supplied."""
    trained: bool
    """Whether it was shown how to see an overdose, how to give naloxone, and to call for help."""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Naloxone:
    """One record of naloxone."""

    id: NaloxoneId
    client: ClientId
    programme: ProgrammeId
    offer: Offer
    recorded_by: StaffId
    recorded_at: datetime
    taken_back: TakenBack | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NaloxoneOffered(Event):
    """Naloxone was offered."""

    name: ClassVar[str] = "naloxone.offered"


@dataclass(frozen=True, slots=True, kw_only=True)
class NaloxoneRecordTakenBack(Event):
    """A record of naloxone was taken back."""

    name: ClassVar[str] = "naloxone.taken_back"


class Supplies(Protocol):
    """The records of naloxone that are kept."""

    async def add(self, naloxone: Naloxone, /) -> None:
        """Keep a record; `Invalid` for a person who is not around this client."""
        ...

    async def add_taken_back(self, naloxone: Naloxone, taken_back: TakenBack, /) -> None:
        """Keep that it was a mistake; `NaloxoneTakenBack` when that was kept before."""
        ...


async def offer(
    client: ClientId,
    said: Offer,
    *,
    as_id: NaloxoneId,
    programme: ProgrammeId,
    today: date,
    by: Staff,
    now: datetime,
    supplies: Supplies,
    journal: Journal,
) -> Naloxone:
    """Record that naloxone was offered, and what came of it. Raises `Invalid`."""
    _check(said, today).raise_if_any()
    made = Naloxone(id=as_id, client=client, programme=programme, offer=said, recorded_by=by.id, recorded_at=now)
    await supplies.add(made)
    facts: dict[str, str | int] = {"outcome": said.outcome, "recipient": said.recipient, "trained": int(said.trained)}
    journal.tell(NaloxoneOffered(client=client, records=(as_id,), facts=facts))
    return made


async def take_back(
    naloxone: Naloxone, reason: str, *, by: Staff, now: datetime, supplies: Supplies, journal: Journal
) -> Naloxone:
    """Say that a record was a mistake. Raises `Invalid`, `NaloxoneTakenBack`."""
    taken_back = because(reason, by=by, now=now)
    if naloxone.taken_back is not None:
        raise NaloxoneTakenBack("Read the client's records of naloxone again.")
    await supplies.add_taken_back(naloxone, taken_back)
    journal.tell(NaloxoneRecordTakenBack(client=naloxone.client, records=(naloxone.id,)))
    return replace(naloxone, taken_back=taken_back)


def _check(said: Offer, today: date) -> Faults:
    """What contradicts itself in an offer."""
    faults = Faults()
    is_supplied = said.outcome is Outcome.SUPPLIED
    faults.check(when=said.offered_on > today, where="offered_on", problem="must not lie in the future")
    faults.check(
        when=is_supplied != (said.form is not None),
        where="form",
        problem="belongs to what was supplied, and to that only",
    )
    faults.check(
        when=is_supplied != (said.units is not None),
        where="units",
        problem="belongs to what was supplied, and to that only",
    )
    faults.check(
        when=said.units is not None and not 1 <= said.units <= MOST_UNITS,
        where="units",
        problem=f"must lie between 1 and {MOST_UNITS}",
    )
    faults.check(
        when=said.person is not None and said.recipient is Recipient.CLIENT,
        where="person_id",
        problem="names somebody of the household, not the client",
    )
    faults.check(
        when=len(said.note) > LONGEST_TEXT, where="note", problem=f"must have at most {LONGEST_TEXT} characters"
    )
    return faults
