"""Death: one act ends everything that would still be done for the client, and asks for what they have at home.

A report can be wrong. A second person says so, with a reason; what the report ended stays ended, because medicine
begins anew only with a prescriber's order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar, Protocol

from caseload.domain.access import Act
from caseload.domain.attendance import cancel_all
from caseload.domain.caseload import DischargeReason
from caseload.domain.caseload.discharging import end_care
from caseload.domain.checkin import stop_all
from caseload.domain.departure.asking import Places
from caseload.domain.errors import Conflict, Faults, NotFound, NotPermitted
from caseload.domain.ids import ClientId, DeathId, OrderId, ProgrammeId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.medication import MedicationRecord, OrderStopped
from caseload.domain.medication.record import LONGEST_NOTE, check_reason
from caseload.domain.people import Staff
from caseload.domain.takehome.unit import TakeHomeUnit

EARLIEST_YEAR = 2000
WHY = "The client has died."


class DeathUnknown(NotFound):
    """There is no such report of a death within your reach."""


class DeathMoved(Conflict):
    """A death of this client is recorded already, or the report has been corrected since you read it."""


class SameHand(NotPermitted):
    """Whoever recorded the death cannot be the one who corrects it."""


class UnitsStillOut(Conflict):
    """Nobody has said yet what became of some of the units at home."""


class RecoveryMoved(Conflict):
    """This recovery has been closed already."""


class DeathRecorded(Event):
    """A client has died: orders, plans and places ended with it."""

    name: ClassVar[str] = "client.death_recorded"


class DeathCorrected(Event):
    """A second person said that the report of a death was wrong."""

    name: ClassVar[str] = "client.death_corrected"


class RecoveryOpened(Event):
    """Somebody has to ask for the medicine that a client who died had at home."""

    name: ClassVar[str] = "recovery.opened"


class RecoveryClosed(Event):
    """What there was to say about the medicine at home has been said."""

    name: ClassVar[str] = "recovery.closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeathCorrection:
    """A second person's word that the report was wrong."""

    reason: str
    corrected_by: StaffId
    corrected_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """That a client has died, as somebody was told."""

    id: DeathId
    client: ClientId
    programme: ProgrammeId
    known_at: datetime
    """When we were told."""
    source: str
    died_on: date | None
    """None while nobody knows."""
    note: str
    recorded_by: StaffId
    recorded_at: datetime
    after: DeathId | None = None
    """The report before, which was wrong."""
    correction: DeathCorrection | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """Somebody has to ask for the medicine that a client who died had at home."""

    death: DeathId
    client: ClientId
    programme: ProgrammeId
    opened_at: datetime
    outcome: str | None = None
    closed_by: StaffId | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What somebody tells us about a death."""

    source: str
    known_at: datetime
    died_on: date | None = None
    note: str = ""

    def check(self, record: MedicationRecord, now: datetime) -> None:
        """Raise `Invalid` with everything that cannot be."""
        faults = Faults()
        check_reason(self.source, faults, "source")
        faults.check(when=len(self.note) > LONGEST_NOTE, where="note", problem=f"at most {LONGEST_NOTE} characters")
        faults.check(when=self.known_at > now, where="known_at", problem="nobody can know it in the future")
        faults.check(
            when=self.known_at.year < EARLIEST_YEAR, where="known_at", problem=f"must not lie before {EARLIEST_YEAR}"
        )
        faults.raise_if_any()
        faults.check(
            when=self.died_on is not None and self.died_on > record.day_of(self.known_at),
            where="died_on",
            problem="must not lie after the day on which it was known",
        )
        faults.raise_if_any()


class Deaths(Protocol):
    """The deaths that were reported, and what has to be asked back. Whoever adds has locked the client's record first."""

    async def death(self, death: DeathId, /, *, by: Staff, act: Act) -> Death:
        """One report; raises `DeathUnknown` outside the person's reach."""
        ...

    async def last_death(self, client: ClientId, /) -> Death | None:
        """The newest report of a client's death."""
        ...

    async def add_death(self, death: Death, /, *, today: date) -> Sequence[OrderId]:
        """Keep it, and stop every order and draft of the client that has not ended by a local day; says which.

        Raises `DeathMoved` when one is recorded already that nobody has corrected.
        """
        ...

    async def add_correction(self, death: Death, correction: DeathCorrection, /) -> None:
        """Keep it; raises `DeathMoved` when it is corrected already."""
        ...

    async def open_recovery(self, recovery: Recovery, /) -> None:
        """Keep what has to be asked."""
        ...

    async def recovery(self, death: DeathId, /, *, by: Staff, act: Act) -> Recovery:
        """One of them; raises `DeathUnknown` outside the person's reach."""
        ...

    async def close_recovery(self, recovery: Recovery, /) -> None:
        """Keep how it ended; raises `RecoveryMoved` when it has ended already."""
        ...


class UnitsAtHome(Protocol):
    """The units that were handed out for days at home."""

    async def still_out(self, client: ClientId, /) -> Sequence[TakeHomeUnit]:
        """Those of which nobody has said what became of them."""
        ...


async def record_death(
    report: Report,
    client: ClientId,
    *,
    as_id: DeathId,
    by: Staff,
    now: datetime,
    deaths: Deaths,
    places: Places,
    journal: Journal,
) -> Death:
    """Record a death: every order stops, drafts too, plans of check-ins and places in sessions end, and so does the care.

    Nothing is due any more, so no ladder counts. Who may see the record does not change. What the client has at home is
    to be asked for. Raises `ClientUnknown`, `NotPermitted`, `Invalid`, `DeathMoved`.
    """
    record = await places.orders.lock(client, by=by, act=Act.RECORD_DEATH)
    by.require(Act.RECORD_DEATH, record.programme)
    report.check(record, now)
    former = await deaths.last_death(client)
    death = Death(
        id=as_id,
        client=client,
        programme=record.programme,
        known_at=report.known_at,
        source=report.source.strip(),
        died_on=report.died_on,
        note=report.note,
        recorded_by=by.id,
        recorded_at=now,
        after=former.id if former is not None else None,
    )
    stopped = await deaths.add_death(death, today=record.day_of(now))
    journal.tell(DeathRecorded(client=client, records=(death.id,), facts={"orders": len(stopped)}))
    for order in stopped:
        journal.tell(OrderStopped(client=client, records=(order, death.id)))
    await _end_everything(death, by=by, now=now, places=places, journal=journal)
    await deaths.open_recovery(Recovery(death=death.id, client=client, programme=death.programme, opened_at=now))
    journal.tell(RecoveryOpened(client=client, records=(death.id,)))
    return death


async def _end_everything(death: Death, *, by: Staff, now: datetime, places: Places, journal: Journal) -> None:
    episode = await places.caseloads.last_episode(death.client)
    if episode is not None and episode.ends_at is None:
        await end_care(
            episode,
            at=death.known_at if death.known_at > episode.starts_at else now,
            reason=DischargeReason.DIED,
            note=None,
            by=by,
            now=now,
            caseloads=places.caseloads,
            plans=places.plans,
            sessions=places.sessions,
            journal=journal,
        )
        return
    await stop_all(death.client, reason=WHY, by=by, now=now, plans=places.plans, journal=journal)
    await cancel_all(
        death.client, since=death.known_at, reason=WHY, by=by, now=now, sessions=places.sessions, journal=journal
    )


async def correct_death(
    death_id: DeathId, reason: str, *, by: Staff, now: datetime, deaths: Deaths, places: Places, journal: Journal
) -> Death:
    """Say that a report was wrong. What it stopped stays stopped: care begins anew with an admission and an order.

    Raises `DeathUnknown`, `NotPermitted`, `SameHand`, `Invalid`, `DeathMoved`.
    """
    faults = Faults()
    check_reason(reason, faults)
    faults.raise_if_any()
    seen = await deaths.death(death_id, by=by, act=Act.RECORD_DEATH)
    await places.orders.lock(seen.client, by=by, act=Act.RECORD_DEATH)
    by.require(Act.RECORD_DEATH, seen.programme)
    death = await deaths.death(death_id, by=by, act=Act.RECORD_DEATH)
    if death.recorded_by == by.id:
        raise SameHand("Ask a colleague who has made sure that the client lives.")
    if death.correction is not None:
        raise DeathMoved("Read it again.", death=str(death.id))
    correction = DeathCorrection(reason=reason, corrected_by=by.id, corrected_at=now)
    await deaths.add_correction(death, correction)
    journal.tell(DeathCorrected(client=death.client, records=(death.id,)))
    return await deaths.death(death_id, by=by, act=Act.RECORD_DEATH)


async def close_recovery(
    death_id: DeathId,
    outcome: str,
    *,
    by: Staff,
    now: datetime,
    deaths: Deaths,
    units: UnitsAtHome,
    journal: Journal,
) -> Recovery:
    """Say how the asking for medicine at home ended: what came back, or why nothing did.

    Of each unit that was handed out somebody has said before whether it came back, and how. Raises `DeathUnknown`,
    `NotPermitted`, `Invalid`, `UnitsStillOut`, `RecoveryMoved`.
    """
    faults = Faults()
    check_reason(outcome, faults, "outcome")
    faults.raise_if_any()
    found = await deaths.recovery(death_id, by=by, act=Act.RECORD_DOSE)
    by.require(Act.RECORD_DOSE, found.programme)
    out = await units.still_out(found.client)
    if out:
        raise UnitsStillOut(
            "Record of each whether it came back full, empty or not at all, and close it then.",
            units=[str(unit.id) for unit in out],
        )
    closed = Recovery(
        death=found.death,
        client=found.client,
        programme=found.programme,
        opened_at=found.opened_at,
        outcome=outcome,
        closed_by=by.id,
        closed_at=now,
    )
    await deaths.close_recovery(closed)
    journal.tell(RecoveryClosed(client=found.client, records=(found.death,)))
    return closed
