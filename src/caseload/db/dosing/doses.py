"""Doses in PostgreSQL. Recording one takes three statements: lock, facts, and the dose with its place in the queue."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import NoReturn

import asyncpg
from sqlalchemy import bindparam, delete, exists, insert, literal, null, select
from sqlalchemy.dialects.postgresql import insert as insert_or_update
from sqlalchemy.exc import IntegrityError

from caseload.db.access import reach_of, within_reach
from caseload.db.direct import Direct
from caseload.db.dosing.injections import (
    ADD_DELIVERY,
    ADD_INJECTION,
    DELIVERIES_OF,
    delivery_values,
    injection_values,
    named_delivery_of,
)
from caseload.db.dosing.known import KIND, KnownDoses
from caseload.db.dosing.rows import (
    DOSE_COLUMNS,
    correction_of,
    correction_values,
    dose_of,
    dose_values,
    not_given_of,
    not_given_values,
    rank,
)
from caseload.db.dosing.steps import ADD_SEEN, ONE_SEEN, pre_dose_of, pre_dose_values
from caseload.db.stock.taking import KEPT_COLUMNS, Takings, taken_by
from caseload.db.tables.base import INSTANT
from caseload.db.tables.before_dose import dose_not_given, pre_dose_observation
from caseload.db.tables.caseload import client
from caseload.db.tables.dosing import dose, dose_correction
from caseload.db.tables.hold import medication_decision
from caseload.db.tables.second_look import dose_waiting
from caseload.db.tables.window_doses import dose_identity_check, dose_replacement
from caseload.db.takehome.suspending import SUSPEND_BY_RULE, by_rule
from caseload.domain.access import Act
from caseload.domain.dosing import (
    Correction,
    Dose,
    DoseMoved,
    DoseUnknown,
    Injecting,
    NamedDelivery,
    NotGiven,
    PreDose,
)
from caseload.domain.dosing.at_home import Missed
from caseload.domain.errors import Fault, Invalid
from caseload.domain.ids import ClientId, DecisionId, DoseId, PreDoseId, ReplacementId, StationId, SuspensionId
from caseload.domain.people import Staff
from caseload.domain.profiles.around import IdentifiedBy
from caseload.domain.signature import Signature

_FOREIGN_KEY = "23503"

_newer = dose.alias("newer")
IS_NEWEST = ~exists().where(_newer.c.id == dose.c.id, _newer.c.version > dose.c.version)

_kept = (
    insert(dose)
    .values({column.name: bindparam(column.name, type_=column.type) for column in DOSE_COLUMNS})
    .returning(
        dose.c.id, dose.c.version, dose.c.recorded_by, dose.c.kind, dose.c.entry, dose.c.decision_id, *KEPT_COLUMNS
    )
    .cte("kept")
)
_queued = insert_or_update(dose_waiting).from_select(
    [
        dose_waiting.c.dose_id,
        dose_waiting.c.dose_version,
        dose_waiting.c.programme_id,
        dose_waiting.c.recorded_by,
        dose_waiting.c.risk,
        dose_waiting.c.sign_by,
        dose_waiting.c.rejected_at,
    ],
    select(
        _kept.c.id,
        _kept.c.version,
        _kept.c.programme_id,
        _kept.c.recorded_by,
        rank(_kept.c),
        bindparam("sign_by", type_=INSTANT),
        literal(None, INSTANT),
    ),
)
_ADD = _queued.on_conflict_do_update(
    index_elements=[dose_waiting.c.dose_id],
    set_={
        "dose_version": _queued.excluded.dose_version,
        "risk": _queued.excluded.risk,
        "sign_by": _queued.excluded.sign_by,
        "rejected_at": null(),
    },
).add_cte(taken_by(_kept).cte("taken"))
_ADD_ONE = Direct(_ADD)

_NEWEST = (
    select(*DOSE_COLUMNS)
    .join(client, client.c.id == dose.c.client_id)
    .where(dose.c.id == bindparam("dose"), IS_NEWEST, within_reach())
)
_CORRECTION = select(
    dose_correction.c.id,
    dose_correction.c.dose_id,
    dose_correction.c.dose_version,
    dose_correction.c.client_id,
    dose_correction.c.dosing_day,
    dose_correction.c.part,
    dose_correction.c.reason,
    dose_correction.c.signed_by,
    dose_correction.c.signed_at,
).where(dose_correction.c.dose_id == bindparam("dose"))
_LIMIT = select(medication_decision.c.at_most_mg).where(medication_decision.c.id == bindparam("decision"))
_REPLACED_BY_MOST = select(dose_replacement.c.at_most_mg).where(dose_replacement.c.id == bindparam("replacement"))
_ADD_NOT_GIVEN = insert(dose_not_given)
_ADD_IDENTITY_CHECK = insert(dose_identity_check)
NOT_GIVEN = select(
    dose_not_given.c.id,
    dose_not_given.c.client_id,
    dose_not_given.c.programme_id,
    dose_not_given.c.order_id,
    dose_not_given.c.dosing_day,
    dose_not_given.c.part,
    dose_not_given.c.reason,
    dose_not_given.c.note,
    dose_not_given.c.recorded_at,
    dose_not_given.c.recorded_by,
)
_NOT_GIVEN = NOT_GIVEN.join(client, client.c.id == dose_not_given.c.client_id).where(
    dose_not_given.c.id == bindparam("not_given"), within_reach()
)
_ONE_SEEN = ONE_SEEN.join(client, client.c.id == pre_dose_observation.c.client_id).where(
    pre_dose_observation.c.id == bindparam("seen"), within_reach()
)
_ADD_CORRECTION = insert(dose_correction)
_LEAVE_QUEUE = delete(dose_waiting).where(dose_waiting.c.dose_id == bindparam("dose"))


class Doses(KnownDoses):
    """Satisfies `domain.dosing.Doses` and `domain.dosing.Histories`."""

    async def add_delivery(self, made: NamedDelivery) -> None:
        """See `domain.dosing.Deliveries.add_delivery`."""
        await self._connection.execute(ADD_DELIVERY, delivery_values(made))

    async def deliveries_of(self, wanted: ClientId) -> Sequence[NamedDelivery]:
        """What was delivered for a client by name, the last first. Whoever asks has been let through to the client."""
        self._journal.saw(wanted, KIND)
        rows = (await self._connection.execute(DELIVERIES_OF, {"client": wanted})).mappings().all()
        return [named_delivery_of(row) for row in rows]

    async def add_pre_dose(self, seen: PreDose) -> None:
        """See `domain.dosing.PreDoses.add_pre_dose`."""
        await self._connection.execute(ADD_SEEN, pre_dose_values(seen))

    async def pre_dose(self, wanted: PreDoseId, *, by: Staff, act: Act) -> PreDose:
        """One observation before a dose; raises `DoseUnknown` outside the person's reach."""
        given = {"seen": wanted, **reach_of(by.reach(act), at=self._now)}
        row = (await self._connection.execute(_ONE_SEEN, given)).first()
        if row is None:
            raise DoseUnknown("Read the client's medication chart.")
        self._journal.saw(ClientId(row.client_id), KIND)
        return pre_dose_of(row)

    async def add_dose(
        self,
        recorded: Dose,
        *,
        sign_by: datetime,
        station: StationId | None = None,
        injecting: Injecting | None = None,
    ) -> None:
        """See `domain.dosing.Doses.add_dose`."""
        delivered = injecting is not None and injecting.delivery is not None
        given = {**dose_values(recorded), "sign_by": sign_by, "station": station, "delivered": delivered}
        try:
            await _ADD_ONE.run(self._connection, given)
        except (IntegrityError, asyncpg.IntegrityConstraintViolationError) as refused:
            _explain(refused)
        if injecting is not None:
            await self._connection.execute(ADD_INJECTION, injection_values(recorded, injecting))
        if recorded.version > 1:
            await Takings(self._connection).take_anew(recorded)

    async def add_doses(self, recorded: Sequence[tuple[Dose, datetime]]) -> None:
        """Keep several in one go, each with the deadline of its signature."""
        try:
            await self._connection.execute(
                _ADD,
                [
                    {**dose_values(each), "sign_by": sign_by, "station": None, "delivered": False}
                    for each, sign_by in recorded
                ],
            )
        except IntegrityError as refused:
            _explain(refused)
        for each, _ in recorded:
            if each.version > 1:
                await Takings(self._connection).take_anew(each)

    async def add_identity_check(self, checked: DoseId, identified_by: IdentifiedBy) -> None:
        """See `domain.dosing.Doses.add_identity_check`."""
        given = {"dose_id": checked, "dose_version": 1, "identified_by": identified_by}
        await self._connection.execute(_ADD_IDENTITY_CHECK, given)

    async def suspend_take_home(self, missed: Missed, *, as_id: SuspensionId) -> bool:
        """See `domain.dosing.at_home.Suspendable.suspend_take_home`."""
        return (await self._connection.execute(SUSPEND_BY_RULE, by_rule(missed, as_id))).first() is not None

    async def add_not_given(self, not_given: NotGiven) -> None:
        """See `domain.dosing.Doses.add_not_given`."""
        try:
            await self._connection.execute(_ADD_NOT_GIVEN, not_given_values(not_given))
        except IntegrityError as refused:
            raise Invalid(Fault("order_id", "is not an order of this client")) from refused

    async def not_given(self, wanted: DoseId, *, by: Staff, act: Act) -> NotGiven:
        """One dose that was not given; raises `DoseUnknown` outside the person's reach."""
        given = {"not_given": wanted, **reach_of(by.reach(act), at=self._now)}
        row = (await self._connection.execute(_NOT_GIVEN, given)).first()
        if row is None:
            raise DoseUnknown("Read the client's medication chart for the doses there are.")
        self._journal.saw(ClientId(row.client_id), KIND)
        return not_given_of(row)

    async def dose(self, wanted: DoseId, *, by: Staff, act: Act) -> Dose:
        """See `domain.dosing.Doses.dose`."""
        given = {"dose": wanted, **reach_of(by.reach(act), at=self._now)}
        row = (await self._connection.execute(_NEWEST, given)).first()
        if row is None:
            raise DoseUnknown("Read the client's medication chart for the doses there are.")
        self._journal.saw(ClientId(row.client_id), KIND)
        return dose_of(row)

    async def decided_limit_mg(self, decision: DecisionId) -> Decimal | None:
        """See `domain.dosing.Doses.decided_limit_mg`."""
        return (await self._connection.execute(_LIMIT, {"decision": decision})).scalar_one()

    async def replacement_limit_mg(self, replacement: ReplacementId) -> Decimal | None:
        """See `domain.dosing.Doses.replacement_limit_mg`."""
        return (await self._connection.execute(_REPLACED_BY_MOST, {"replacement": replacement})).scalar_one()

    async def correction_of(self, wanted: DoseId) -> Correction | None:
        """See `domain.dosing.Doses.correction_of`."""
        row = (await self._connection.execute(_CORRECTION, {"dose": wanted})).first()
        if row is None:
            return None
        return correction_of(row)

    async def add_correction(self, correction: Correction, signature: Signature) -> None:
        """See `domain.dosing.Doses.add_correction`."""
        await self.add(signature)
        try:
            await self._connection.execute(_ADD_CORRECTION, correction_values(correction, signature))
        except IntegrityError as refused:
            _explain(refused)
        await self._connection.execute(_LEAVE_QUEUE, {"dose": correction.dose})
        await Takings(self._connection).put_back(correction)


def _explain(refused: IntegrityError | asyncpg.IntegrityConstraintViolationError) -> NoReturn:
    """Say in the clinic's words which constraint refused a row; the lock makes every one of these a rarity."""
    if getattr(getattr(refused, "orig", refused), "sqlstate", None) == _FOREIGN_KEY:
        if "stock_taking_station_fkey" in str(refused):
            raise Invalid(Fault("station_id", "is no station of this programme")) from refused
        raise Invalid(Fault("given_by", "is nobody of the staff")) from refused
    raise DoseMoved("Somebody else has changed it at the same moment. Read the chart again.") from refused
