"""Deaths in PostgreSQL, and what has to be asked back after one."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Date, Row, Text, Uuid, bindparam, exists, insert, or_, select
from sqlalchemy.exc import IntegrityError

from caseload.db.access import reach_of, within_reach
from caseload.db.departure.departures import KIND, Departures
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client
from caseload.db.tables.departure import (
    client_death,
    client_death_correction,
    takehome_recovery,
    takehome_recovery_closed,
)
from caseload.db.tables.medication import medication_order, medication_order_replacement, medication_order_stop
from caseload.domain.access import Act
from caseload.domain.departure import Death, DeathCorrection, DeathMoved, DeathUnknown, Recovery, RecoveryMoved
from caseload.domain.departure.dying import WHY
from caseload.domain.ids import ClientId, DeathId, OrderId, ProgrammeId, StaffId
from caseload.domain.people import Staff

_DEATH = (
    select(
        client_death.c.id,
        client_death.c.client_id,
        client_death.c.programme_id,
        client_death.c.known_at,
        client_death.c.source,
        client_death.c.died_on,
        client_death.c.note,
        client_death.c.after_id,
        client_death.c.recorded_by,
        client_death.c.recorded_at,
        client_death_correction.c.reason,
        client_death_correction.c.corrected_by,
        client_death_correction.c.corrected_at,
    )
    .join(client, client.c.id == client_death.c.client_id)
    .outerjoin(client_death_correction, client_death_correction.c.death_id == client_death.c.id)
)
_ONE = _DEATH.where(client_death.c.id == bindparam("death"), within_reach())
_REPORTED = _DEATH.where(client_death.c.id == bindparam("death"), client_death.c.recorded_by == bindparam("by"))
_OF_CLIENT = _DEATH.where(client_death.c.client_id == bindparam("client")).order_by(
    client_death.c.recorded_at.desc(), client_death.c.id.desc()
)
_ADD = insert(client_death)
_STOP_ORDERS = (
    insert(medication_order_stop)
    .from_select(
        ["order_id", "reason", "stopped_by", "stopped_at", "death_id"],
        select(
            medication_order.c.id,
            bindparam("why", type_=Text()),
            bindparam("by", type_=Uuid()),
            bindparam("at", type_=INSTANT),
            bindparam("death", type_=Uuid()),
        ).where(
            medication_order.c.client_id == bindparam("client", type_=Uuid()),
            ~exists().where(medication_order_stop.c.order_id == medication_order.c.id),
            or_(medication_order.c.ends_on.is_(None), medication_order.c.ends_on >= bindparam("today", type_=Date())),
            ~exists().where(
                medication_order_replacement.c.replaced_id == medication_order.c.id,
                medication_order_replacement.c.from_on <= bindparam("today", type_=Date()),
            ),
        ),
    )
    .returning(medication_order_stop.c.order_id)
)
_CORRECT = insert(client_death_correction)
_OPEN = insert(takehome_recovery)
_RECOVERY = (
    select(
        takehome_recovery.c.death_id,
        takehome_recovery.c.opened_at,
        client_death.c.client_id,
        client_death.c.programme_id,
        takehome_recovery_closed.c.outcome,
        takehome_recovery_closed.c.closed_by,
        takehome_recovery_closed.c.closed_at,
    )
    .join(client_death, client_death.c.id == takehome_recovery.c.death_id)
    .join(client, client.c.id == client_death.c.client_id)
    .outerjoin(takehome_recovery_closed, takehome_recovery_closed.c.death_id == takehome_recovery.c.death_id)
)
_ONE_RECOVERY = _RECOVERY.where(takehome_recovery.c.death_id == bindparam("death"), within_reach())
_OPEN_RECOVERIES = _RECOVERY.where(
    client_death.c.programme_id == bindparam("programme"),
    takehome_recovery_closed.c.death_id.is_(None),
    within_reach(),
).order_by(takehome_recovery.c.opened_at, takehome_recovery.c.death_id)
_CLOSE = insert(takehome_recovery_closed)


class Deaths(Departures):
    """Satisfies `domain.departure.Deaths`."""

    async def death(self, wanted: DeathId, *, by: Staff, act: Act) -> Death:
        """See `domain.departure.Deaths.death`."""
        given = {"death": wanted, **reach_of(by.reach(act), at=self._now)}
        row = (await self._connection.execute(_ONE, given)).first()
        if row is None:
            raise DeathUnknown("Read the client's record for what is known.")
        self._journal.saw(ClientId(row.client_id), KIND)
        return _death(row)

    async def reported(self, wanted: DeathId, *, by: Staff) -> Death:
        """What this person reported, also once the death has ended that they look after the client."""
        row = (await self._connection.execute(_REPORTED, {"death": wanted, "by": by.id})).first()
        if row is None:
            raise DeathUnknown("Read the client's record for what is known.")
        self._journal.saw(ClientId(row.client_id), KIND)
        return _death(row)

    async def last_death(self, of: ClientId) -> Death | None:
        """See `domain.departure.Deaths.last_death`."""
        row = (await self._connection.execute(_OF_CLIENT.limit(1), {"client": of})).first()
        return None if row is None else _death(row)

    async def deaths_of(self, of: ClientId) -> Sequence[Death]:
        """Every report of a client's death, newest first."""
        rows = (await self._connection.execute(_OF_CLIENT, {"client": of})).all()
        self._journal.saw(of, KIND)
        return [_death(row) for row in rows]

    async def add_death(self, death: Death, *, today: date) -> Sequence[OrderId]:
        """See `domain.departure.Deaths.add_death`."""
        try:
            await self._connection.execute(
                _ADD,
                {
                    "id": death.id,
                    "client_id": death.client,
                    "programme_id": death.programme,
                    "known_at": death.known_at,
                    "source": death.source,
                    "died_on": death.died_on,
                    "note": death.note,
                    "after_id": death.after,
                    "recorded_by": death.recorded_by,
                    "recorded_at": death.recorded_at,
                },
            )
        except IntegrityError as raced:
            raise DeathMoved("Read what is known of the client.") from raced
        given = {
            "why": WHY,
            "by": death.recorded_by,
            "at": death.recorded_at,
            "death": death.id,
            "client": death.client,
            "today": today,
        }
        return [OrderId(order) for order in (await self._connection.execute(_STOP_ORDERS, given)).scalars()]

    async def add_correction(self, death: Death, correction: DeathCorrection) -> None:
        """See `domain.departure.Deaths.add_correction`."""
        try:
            await self._connection.execute(
                _CORRECT,
                {
                    "death_id": death.id,
                    "recorded_by": death.recorded_by,
                    "reason": correction.reason,
                    "corrected_by": correction.corrected_by,
                    "corrected_at": correction.corrected_at,
                },
            )
        except IntegrityError as raced:
            raise DeathMoved("Read it again.", death=str(death.id)) from raced

    async def open_recovery(self, recovery: Recovery) -> None:
        """See `domain.departure.Deaths.open_recovery`."""
        await self._connection.execute(_OPEN, {"death_id": recovery.death, "opened_at": recovery.opened_at})

    async def recovery(self, wanted: DeathId, *, by: Staff, act: Act) -> Recovery:
        """See `domain.departure.Deaths.recovery`."""
        given = {"death": wanted, **reach_of(by.reach(act), at=self._now)}
        row = (await self._connection.execute(_ONE_RECOVERY, given)).first()
        if row is None:
            raise DeathUnknown("Read the list of what has to be asked back.")
        self._journal.saw(ClientId(row.client_id), KIND)
        return _recovery(row)

    async def recoveries_in(self, programme: ProgrammeId, *, by: Staff, act: Act) -> Sequence[Recovery]:
        """What has to be asked back in a programme and has not been, the oldest first."""
        given = {"programme": programme, **reach_of(by.reach(act), at=self._now)}
        found = [_recovery(row) for row in (await self._connection.execute(_OPEN_RECOVERIES, given)).all()]
        for each in found:
            self._journal.saw(each.client, KIND)
        return found

    async def close_recovery(self, recovery: Recovery) -> None:
        """See `domain.departure.Deaths.close_recovery`."""
        try:
            await self._connection.execute(
                _CLOSE,
                {
                    "death_id": recovery.death,
                    "outcome": recovery.outcome,
                    "closed_by": recovery.closed_by,
                    "closed_at": recovery.closed_at,
                },
            )
        except IntegrityError as raced:
            raise RecoveryMoved("Read the list again.", death=str(recovery.death)) from raced


def _death(row: Row[*tuple[Any, ...]]) -> Death:
    correction = None
    if row.corrected_by is not None:
        correction = DeathCorrection(
            reason=row.reason, corrected_by=StaffId(row.corrected_by), corrected_at=row.corrected_at
        )
    return Death(
        id=DeathId(row.id),
        client=ClientId(row.client_id),
        programme=ProgrammeId(row.programme_id),
        known_at=row.known_at,
        source=row.source,
        died_on=row.died_on,
        note=row.note,
        recorded_by=StaffId(row.recorded_by),
        recorded_at=row.recorded_at,
        after=None if row.after_id is None else DeathId(row.after_id),
        correction=correction,
    )


def _recovery(row: Row[*tuple[Any, ...]]) -> Recovery:
    return Recovery(
        death=DeathId(row.death_id),
        client=ClientId(row.client_id),
        programme=ProgrammeId(row.programme_id),
        opened_at=row.opened_at,
        outcome=row.outcome,
        closed_by=None if row.closed_by is None else StaffId(row.closed_by),
        closed_at=row.closed_at,
    )
