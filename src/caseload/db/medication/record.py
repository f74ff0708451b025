"""The client's medication record in PostgreSQL: the row that is locked first."""

from datetime import date, datetime
from typing import Final

from sqlalchemy import Date, bindparam, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db import locks
from caseload.db.access import reach_of, within_reach
from caseload.db.direct import Direct, Named
from caseload.db.programme import HOME_ZONES, LATER_PROFILES
from caseload.db.signature import Signatures
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client, guest_stay
from caseload.db.tables.medication import medication_record
from caseload.db.tables.programme import programme
from caseload.domain.access import Act
from caseload.domain.client import ClientUnknown
from caseload.domain.ids import ClientId, ProgrammeId
from caseload.domain.journal import Journal
from caseload.domain.medication import MedicationRecord
from caseload.domain.people import Staff
from caseload.domain.profiles.selected import read_selected

KIND: Final = "medication"
"""What the journal calls the data of these modules."""

_HOST = (
    select(guest_stay.c.host_programme_id)
    .where(guest_stay.c.client_id == client.c.id, guest_stay.c.period.op("@>")(bindparam("reach_at", type_=INSTANT)))
    .scalar_subquery()
)

_AT_HOME = client.join(programme, programme.c.id == client.c.programme_id)
_COLUMNS = select(
    client.c.programme_id,
    HOME_ZONES.label("time_zone"),
    programme.c.profile,
    LATER_PROFILES,
    _HOST.label("host_programme_id"),
    medication_record.c.history_until,
    medication_record.c.covered_until,
    medication_record.c.gaps_until,
    medication_record.c.has_guest_days,
    medication_record.c.merged_into,
    medication_record.c.suspected_with,
).where(client.c.id == bindparam("client"))
_READ = _COLUMNS.select_from(_AT_HOME.outerjoin(medication_record, medication_record.c.client_id == client.c.id)).where(
    within_reach()
)
_IS_HOME = or_(medication_record.c.home_id.is_(None), medication_record.c.home_id == client.c.programme_id)
"""Of two who wait for a lock the second is shown the locked row as it has become, and every other as it was: without this, whoever
waits while a client is transferred would go on at the former home."""
_LOCKED = (
    _COLUMNS.select_from(_AT_HOME.join(medication_record, medication_record.c.client_id == client.c.id))
    .where(_IS_HOME)
    .with_for_update(of=medication_record)
)
_LOCK = Direct(_LOCKED.where(within_reach()))
_HOLD = Direct(_LOCKED)
_MERGING: Final = frozenset({Act.PROPOSE_MERGE, Act.CONFIRM_MERGE})
"""Acts that lock the records of both by themselves."""
_OPEN = insert(medication_record).on_conflict_do_nothing()


_NOTE_GAP = (
    update(medication_record)
    .where(
        medication_record.c.client_id == bindparam("client"),
        medication_record.c.gaps_until.is_distinct_from(bindparam("noted", type_=Date())),
    )
    .values(gaps_until=bindparam("noted", type_=Date()))
)


class MedicationRecords(Signatures):
    """Satisfies `domain.medication.MedicationRecords`."""

    def __init__(self, connection: AsyncConnection, journal: Journal, *, now: datetime) -> None:
        super().__init__(connection)
        self._journal = journal
        self._now = now

    async def lock(self, wanted: ClientId, *, by: Staff, act: Act) -> MedicationRecord:
        """See `domain.medication.MedicationRecords.lock`."""
        given = {"client": wanted, **reach_of(by.reach(act), at=self._now)}
        row = await _LOCK.first(self._connection, given)
        if row is None:
            # Outside the reach, or the first time that anybody touches this client's medication.
            await self.record(wanted, by=by, act=act)
            await self._connection.execute(_OPEN, {"client_id": wanted})
            row = await _LOCK.first(self._connection, given)
        if row is not None and row["suspected_with"] is not None and act not in _MERGING:
            # What may be one person's is dosed one after the other, whichever registration is named.
            await locks.hold(self._connection, f"registered twice {row['suspected_with']}")
        return self._record(wanted, row)

    async def hold_record(self, wanted: ClientId) -> MedicationRecord:
        """The record, locked, whoever asks: for who is moved by a rule and not by somebody who sees them."""
        await self._connection.execute(_OPEN, {"client_id": wanted})
        given = {"client": wanted, "reach_at": self._now}
        row = await _HOLD.first(self._connection, given) or await _HOLD.first(self._connection, given)
        return self._record(wanted, row)

    async def note_gap(self, wanted: ClientId, day: date) -> None:
        """See `domain.medication.MedicationRecords.note_gap`."""
        await self._connection.execute(_NOTE_GAP, {"client": wanted, "noted": day})

    async def record(self, wanted: ClientId, *, by: Staff, act: Act) -> MedicationRecord:
        """The record without a lock, for reading; raises `ClientUnknown` outside the person's reach."""
        given = {"client": wanted, **reach_of(by.reach(act), at=self._now)}
        return self._record(wanted, (await self._connection.execute(_READ, given)).mappings().first())

    def _record(self, wanted: ClientId, row: Named | None) -> MedicationRecord:
        if row is None:
            raise ClientUnknown
        self._journal.saw(wanted, KIND)
        return MedicationRecord(
            client=wanted,
            programme=ProgrammeId(row["programme_id"]),
            time_zone=row["time_zone"],
            profiles=read_selected(row["profile"], row["later_profiles"]),
            host=row["host_programme_id"],
            history_until=row["history_until"],
            covered_until=row["covered_until"],
            gaps_until=row["gaps_until"],
            # There is no such row yet of whoever never was given anything.
            has_guest_days=bool(row["has_guest_days"]),
            merged_into=row["merged_into"],
            suspected_with=row["suspected_with"],
        )
