"""Deaths: recorded, corrected by a second person, and what has to be asked back after one."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.departure.store import departures, places
from caseload.api.route import reading, writing
from caseload.api.takehome.store import take_homes
from caseload.api.takehome.wire import UnitOut
from caseload.api.wire import Instant, Wire
from caseload.api.work import TheKey, TheWork, client_within
from caseload.db.idempotency import Kept
from caseload.db.programme import Programmes
from caseload.domain import departure as domain
from caseload.domain.access import Act
from caseload.domain.departure import Death, Recovery, Report
from caseload.domain.ids import ClientId, DeathId, ProgrammeId, new_id
from caseload.domain.takehome.unit import TakeHomeUnit
from caseload.request.idempotency import once


class DeathIn(Wire, frozen=True, kw_only=True):
    """What somebody told us about a death."""

    source: str
    """Who told us, or where it stands."""
    known_at: Instant | None = None
    """When we were told; now when left out."""
    died_on: date | None = None
    """Left out while nobody knows."""
    note: str = ""


class DeathCorrectionIn(Wire, frozen=True, kw_only=True):
    """Why the report was wrong."""

    reason: str


class DeathOut(Wire, frozen=True, kw_only=True):
    """The report of a death."""

    id: UUID
    client_id: UUID
    known_at: datetime
    source: str
    died_on: date | None
    note: str
    recorded_by: UUID
    recorded_at: datetime
    was_wrong: str | None
    """Why it was wrong, as a second person said; null while it stands."""
    corrected_by: UUID | None
    corrected_at: datetime | None

    @classmethod
    def of(cls, death: Death) -> "DeathOut":
        """From the domain."""
        correction = death.correction
        return cls(
            id=death.id,
            client_id=death.client,
            known_at=death.known_at,
            source=death.source,
            died_on=death.died_on,
            note=death.note,
            recorded_by=death.recorded_by,
            recorded_at=death.recorded_at,
            was_wrong=None if correction is None else correction.reason,
            corrected_by=None if correction is None else correction.corrected_by,
            corrected_at=None if correction is None else correction.corrected_at,
        )


class DeathsOut(Wire, frozen=True, kw_only=True):
    """Every report of a client's death, newest first."""

    items: list[DeathOut]


class RecoveryClosedIn(Wire, frozen=True, kw_only=True):
    """What came of the asking."""

    outcome: str
    """What was handed back, or why nothing was."""


class RecoveryOut(Wire, frozen=True, kw_only=True):
    """Medicine that a client who died may have had at home, and that somebody has to ask for."""

    death_id: UUID
    client_id: UUID
    opened_at: datetime
    units: list[UnitOut]
    """The units that were handed out and of which nobody has said what became of them."""
    outcome: str | None
    closed_by: UUID | None
    closed_at: datetime | None

    @classmethod
    def of(cls, recovery: Recovery, units: Sequence[TakeHomeUnit]) -> "RecoveryOut":
        """From the domain."""
        return cls(
            death_id=recovery.death,
            client_id=recovery.client,
            opened_at=recovery.opened_at,
            units=[UnitOut.of(each) for each in units],
            outcome=recovery.outcome,
            closed_by=recovery.closed_by,
            closed_at=recovery.closed_at,
        )


class RecoveriesOut(Wire, frozen=True, kw_only=True):
    """What has to be asked back in a programme and has not been, the oldest first."""

    items: list[RecoveryOut]


@writing("/clients/{client_id:uuid}/deaths", act=Act.RECORD_DEATH, name="record_death")
async def record_death(client_id: FromPath[UUID], data: JSONBody[DeathIn], work: TheWork, key: TheKey) -> DeathOut:
    """Record that a client has died: orders, plans of check-ins, places in sessions and the episode end with it.

    Somebody is to ask for the medicine at home. Who may see the record does not change.
    """
    store, new = departures(work), DeathId(new_id())

    async def record() -> Death:
        report = Report(source=data.source, known_at=data.known_at or work.now, died_on=data.died_on, note=data.note)
        return await domain.record_death(
            report,
            ClientId(client_id),
            as_id=new,
            by=work.by,
            now=work.now,
            deaths=store,
            places=places(work),
            journal=work.journal,
        )

    async def again(kept: Kept) -> Death:
        return await store.reported(DeathId(kept.resource), by=work.by)

    return DeathOut.of(await once(work, key, Kept(status=201, resource=new), do=record, again=again))


@reading("/clients/{client_id:uuid}/deaths", act=Act.SEE_CLIENT, name="list_deaths")
async def list_deaths(client_id: FromPath[UUID], work: TheWork) -> DeathsOut:
    """Whether a client has died, as we were told, and what was wrong about it."""
    client = await client_within(work, client_id, Act.SEE_CLIENT)
    return DeathsOut(items=[DeathOut.of(each) for each in await departures(work).deaths_of(client.id)])


@writing("/deaths/{death_id:uuid}/correction", act=Act.RECORD_DEATH, name="correct_death")
async def correct_death(
    death_id: FromPath[UUID], data: JSONBody[DeathCorrectionIn], work: TheWork, key: TheKey
) -> DeathOut:
    """Say that the report was wrong, as a second person. Orders stay stopped: a prescriber begins anew."""
    store, wanted = departures(work), DeathId(death_id)

    async def correct() -> Death:
        return await domain.correct_death(
            wanted, data.reason, by=work.by, now=work.now, deaths=store, places=places(work), journal=work.journal
        )

    async def again(kept: Kept) -> Death:
        return await store.death(DeathId(kept.resource), by=work.by, act=Act.RECORD_DEATH)

    return DeathOut.of(await once(work, key, Kept(status=201, resource=wanted), do=correct, again=again))


@reading("/programmes/{programme_id:uuid}/recoveries", act=Act.RECORD_DOSE, name="list_recoveries")
async def list_recoveries(programme_id: FromPath[UUID], work: TheWork) -> RecoveriesOut:
    """Clients who have died and whose medicine at home somebody has still to ask for, the oldest first."""
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    work.by.require(Act.RECORD_DOSE, programme.id)
    found = await departures(work).recoveries_in(programme.id, by=work.by, act=Act.RECORD_DOSE)
    units = take_homes(work)
    return RecoveriesOut(items=[RecoveryOut.of(each, await units.still_out(each.client)) for each in found])


@writing("/deaths/{death_id:uuid}/recovery", act=Act.RECORD_DOSE, name="close_recovery")
async def close_recovery(
    death_id: FromPath[UUID], data: JSONBody[RecoveryClosedIn], work: TheWork, key: TheKey
) -> RecoveryOut:
    """Say what came of asking for the medicine at home, once each unit that was handed out is accounted for."""
    store, wanted = departures(work), DeathId(death_id)

    async def close() -> Recovery:
        return await domain.close_recovery(
            wanted,
            data.outcome,
            by=work.by,
            now=work.now,
            deaths=store,
            units=take_homes(work),
            journal=work.journal,
        )

    async def again(kept: Kept) -> Recovery:
        return await store.recovery(DeathId(kept.resource), by=work.by, act=Act.RECORD_DOSE)

    return RecoveryOut.of(await once(work, key, Kept(status=201, resource=wanted), do=close, again=again), ())
