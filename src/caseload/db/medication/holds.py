"""Holds and decisions in PostgreSQL."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Date, Row, Uuid, any_, bindparam, cast, func, insert, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of, within_reach
from caseload.db.medication.guests import GuestOrders
from caseload.db.medication.record import KIND
from caseload.db.medication.tasks import Tasks
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client
from caseload.db.tables.hold import hold, medication_decision
from caseload.db.tables.programme import programme
from caseload.domain.access import Act
from caseload.domain.ids import ClientId, DecisionId, HoldId, ProgrammeId, StaffId
from caseload.domain.medication import (
    Aim,
    Decision,
    DecisionKind,
    DecisionUnknown,
    Hold,
    HoldCleared,
    HoldReason,
    HoldUnknown,
)
from caseload.domain.medicines import DosePart, Medicine
from caseload.domain.people import Staff
from caseload.domain.signature import Signature

_HOLDS = select(
    hold.c.id,
    hold.c.client_id,
    hold.c.programme_id,
    hold.c.reason,
    hold.c.note,
    hold.c.raised_by,
    hold.c.raised_at,
    hold.c.by_rule,
    hold.c.policy,
    hold.c.dose_id,
    hold.c.dose_version,
    hold.c.order_id,
    hold.c.on_day,
    hold.c.part,
    hold.c.told,
    hold.c.clears,
    medication_decision.c.id.label("cleared_by"),
    medication_decision.c.decided_at.label("cleared_at"),
).select_from(hold.outerjoin(medication_decision, medication_decision.c.hold_id == hold.c.id))
_ONE = _HOLDS.join(client, client.c.id == hold.c.client_id).where(hold.c.id == bindparam("hold"), within_reach())
_OF_CLIENT = _HOLDS.where(hold.c.client_id == bindparam("client")).order_by(hold.c.raised_at.desc(), hold.c.id.desc())
_TODAY_AT_HOME = cast(func.timezone(programme.c.time_zone, bindparam("reach_at", type_=INSTANT)), Date())
_IN_FORCE = (
    _HOLDS.join(client, client.c.id == hold.c.client_id)
    .join(programme, programme.c.id == client.c.programme_id)
    .where(
        or_(hold.c.programme_id == bindparam("programme"), client.c.programme_id == bindparam("programme")),
        medication_decision.c.id.is_(None),
        or_(hold.c.on_day.is_(None), hold.c.on_day >= _TODAY_AT_HOME),
        within_reach(),
    )
    .order_by((hold.c.reason == HoldReason.EXCEPTION).desc(), hold.c.raised_at, hold.c.id)
)
_DECISION = select(
    medication_decision.c.id,
    medication_decision.c.client_id,
    medication_decision.c.programme_id,
    medication_decision.c.kind,
    medication_decision.c.hold_id,
    medication_decision.c.days,
    medication_decision.c.at_most_mg,
    medication_decision.c.reason,
    medication_decision.c.decided_by,
    medication_decision.c.decided_at,
    medication_decision.c.profile,
    medication_decision.c.profile_version,
    medication_decision.c.rules,
    medication_decision.c.last_taken_on,
    medication_decision.c.missed,
    medication_decision.c.medicine,
)
_DECISIONS = _DECISION.where(medication_decision.c.client_id == bindparam("client")).order_by(
    medication_decision.c.decided_at.desc(), medication_decision.c.id.desc()
)
_ONE_DECISION = _DECISION.join(client, client.c.id == medication_decision.c.client_id).where(
    medication_decision.c.id == bindparam("decision"), within_reach()
)
_DECISIONS_NAMED = _DECISION.where(medication_decision.c.id == any_(bindparam("decisions", type_=ARRAY(Uuid()))))
ADD_HOLD = insert(hold)
_DECIDE = insert(medication_decision)


def hold_row(raised: Hold) -> dict[str, Any]:
    """The row of a hold."""
    return {
        "id": raised.id,
        "client_id": raised.client,
        "programme_id": raised.programme,
        "reason": raised.reason,
        "note": raised.note,
        "raised_by": raised.raised_by,
        "raised_at": raised.raised_at,
        "by_rule": raised.by_rule,
        "policy": raised.policy,
        "dose_id": raised.dose,
        "dose_version": raised.dose_version,
        "order_id": raised.aim.order,
        "on_day": raised.aim.on_day,
        "part": raised.aim.part,
        "told": list(raised.told),
        "clears": raised.clears,
    }


class Holds(GuestOrders, Tasks):
    """Satisfies `domain.medication.Holds`."""

    async def add_hold(self, raised: Hold) -> None:
        """See `domain.medication.Holds.add_hold`."""
        await self._connection.execute(ADD_HOLD, hold_row(raised))

    async def hold(self, wanted: HoldId, *, by: Staff, act: Act) -> Hold:
        """See `domain.medication.Holds.hold`."""
        given = {"hold": wanted, **reach_of(by.reach(act), at=self._now)}
        row = (await self._connection.execute(_ONE, given)).first()
        if row is None:
            raise HoldUnknown("Read the client's medication chart for the holds there are.")
        found = hold_of(row)
        self._journal.saw(found.client, KIND)
        return found

    async def holds_of(self, wanted: ClientId) -> Sequence[Hold]:
        """Every hold of a client, newest first."""
        rows = (await self._connection.execute(_OF_CLIENT, {"client": wanted})).all()
        self._journal.saw(wanted, KIND)
        return [hold_of(row) for row in rows]

    async def decisions_of(self, wanted: ClientId) -> Sequence[Decision]:
        """Every decision about a client, newest first."""
        rows = (await self._connection.execute(_DECISIONS, {"client": wanted})).all()
        self._journal.saw(wanted, KIND)
        return [_decision_of(row) for row in rows]

    async def decision(self, wanted: DecisionId, *, by: Staff, act: Act) -> Decision:
        """One decision; raises `DecisionUnknown` outside the person's reach."""
        given = {"decision": wanted, **reach_of(by.reach(act), at=self._now)}
        row = (await self._connection.execute(_ONE_DECISION, given)).first()
        if row is None:
            raise DecisionUnknown("Read the client's medication chart for the decisions there are.")
        found = _decision_of(row)
        self._journal.saw(found.client, KIND)
        return found

    async def in_force(self, programme: ProgrammeId, *, by: Staff, act: Act) -> Sequence[Hold]:
        """The holds of a programme and of its own clients that wait for a prescriber: exceptions first, then the oldest.

        One that a host raised holds the client at home too, also once the stay has ended.
        """
        given = {"programme": programme, **reach_of(by.reach(act), at=self._now)}
        found = [hold_of(row) for row in (await self._connection.execute(_IN_FORCE, given)).all()]
        for each in found:
            self._journal.saw(each.client, KIND)
        return found

    async def add_decision(self, decision: Decision, signature: Signature) -> None:
        """See `domain.medication.Holds.add_decision`."""
        await self.add(signature)
        try:
            await self._connection.execute(
                _DECIDE,
                {
                    "id": decision.id,
                    "client_id": decision.client,
                    "programme_id": decision.programme,
                    "kind": decision.kind,
                    "hold_id": decision.hold,
                    "days": list(decision.days),
                    "at_most_mg": decision.at_most_mg,
                    "reason": decision.reason,
                    "decided_by": decision.decided_by,
                    "decided_at": decision.decided_at,
                    "profile": decision.profile,
                    "profile_version": decision.profile_version,
                    "rules": list(decision.rules),
                    "last_taken_on": decision.last_taken_on,
                    "missed": decision.missed,
                    "medicine": decision.medicine,
                    "signature_id": signature.id,
                },
            )
        except IntegrityError as raced:
            raise HoldCleared("Somebody else cleared it. Read the chart again.") from raced


async def decisions_named(connection: AsyncConnection, wanted: Sequence[UUID]) -> Sequence[Decision]:
    """These decisions, whoever asks: for what shows nobody, such as the verification of signatures."""
    rows = (await connection.execute(_DECISIONS_NAMED, {"decisions": list(wanted)})).all()
    return [_decision_of(row) for row in rows]


def hold_of(row: Row[*tuple[Any, ...]]) -> Hold:
    """The hold in a row."""
    return Hold(
        id=HoldId(row.id),
        client=ClientId(row.client_id),
        programme=ProgrammeId(row.programme_id),
        reason=HoldReason(row.reason),
        note=row.note,
        raised_by=StaffId(row.raised_by),
        raised_at=row.raised_at,
        by_rule=row.by_rule,
        policy=row.policy,
        dose=row.dose_id,
        dose_version=row.dose_version,
        aim=Aim(order=row.order_id, on_day=row.on_day, part=DosePart(row.part) if row.part is not None else None),
        told=tuple(row.told),
        clears=row.clears,
        cleared_at=row.cleared_at,
        cleared_by=row.cleared_by,
    )


def _decision_of(row: Row[*tuple[Any, ...]]) -> Decision:
    return Decision(
        id=DecisionId(row.id),
        client=ClientId(row.client_id),
        programme=ProgrammeId(row.programme_id),
        kind=DecisionKind(row.kind),
        hold=row.hold_id,
        days=tuple(row.days),
        at_most_mg=row.at_most_mg,
        reason=row.reason,
        decided_by=StaffId(row.decided_by),
        decided_at=row.decided_at,
        profile=row.profile,
        profile_version=row.profile_version,
        rules=tuple(row.rules),
        last_taken_on=row.last_taken_on,
        missed=row.missed,
        medicine=Medicine(row.medicine) if row.medicine is not None else None,
    )
