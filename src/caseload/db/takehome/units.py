"""Units in PostgreSQL: handed out in one statement with what they take from stock, and read with what became of them."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, NoReturn

from sqlalchemy import Date, Executable, Uuid, any_, bindparam, exists, insert, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError

from caseload.db.access import reach_of, within_reach
from caseload.db.closure import ClosureDays
from caseload.db.dosing import Charts
from caseload.db.medication.record import KIND
from caseload.db.stock.taking import UNIT_COLUMNS, taken_home
from caseload.db.tables.caseload import client, client_identity
from caseload.db.tables.programme import programme
from caseload.db.tables.takehome import (
    take_home_decision,
    take_home_dispense,
    take_home_outcome,
    take_home_suspension,
    take_home_unit,
)
from caseload.db.takehome.decisions import DECISIONS, TakeHomeDecisions, decision_of
from caseload.db.takehome.premises import TheirPremises
from caseload.db.takehome.rows import LAST_WORD, UNITS, dispense_of, dispense_row, unit_of, unit_row
from caseload.db.takehome.suspending import IS_NEWEST
from caseload.domain.access import Act
from caseload.domain.dosing import EVERYTHING_COMMITTED, Held, order_on, orders_on
from caseload.domain.errors import Fault, Invalid, NotFound
from caseload.domain.ids import (
    ClientId,
    ContainerId,
    DispenseId,
    ProgrammeId,
    StationId,
    UnitId,
)
from caseload.domain.medication import MedicationRecord
from caseload.domain.people import Staff
from caseload.domain.takehome import (
    CameBack,
    Dispense,
    Label,
    NoPremises,
    NothingToTakeFrom,
    Review,
    Situation,
    TakeHomeUnit,
    UnitsMoved,
    review_of,
)

_NOT_NULL = "23502"
_FOREIGN_KEY = "23503"

_IN_ORDER = (take_home_unit.c.for_on, take_home_unit.c.part, take_home_unit.c.id)
OUT_OR_AHEAD: Final = UNITS.where(
    take_home_unit.c.client_id == bindparam("client"),
    or_(take_home_unit.c.for_on >= bindparam("day", type_=Date()), LAST_WORD.c.unit_id.is_(None)),
).order_by(*_IN_ORDER)
SINCE: Final = UNITS.where(
    take_home_unit.c.client_id == bindparam("client"),
    or_(take_home_unit.c.for_on >= bindparam("since", type_=Date()), LAST_WORD.c.unit_id.is_(None)),
).order_by(*_IN_ORDER)
THESE: Final = UNITS.where(
    take_home_unit.c.client_id == bindparam("client"),
    take_home_unit.c.id == any_(bindparam("units", type_=ARRAY(Uuid()))),
)
OUT: Final = UNITS.where(take_home_unit.c.client_id == bindparam("client"), LAST_WORD.c.unit_id.is_(None)).order_by(
    *_IN_ORDER
)
_missing, _newer = take_home_outcome.alias("said_missing"), take_home_outcome.alias("newer_said_missing")
_LOST = exists().where(
    take_home_unit.c.decision_id == take_home_decision.c.id,
    _missing.c.unit_id == take_home_unit.c.id,
    _missing.c.state == CameBack.MISSING,
    ~exists().where(_newer.c.unit_id == _missing.c.unit_id, _newer.c.version > _missing.c.version),
)
REVIEWS: Final = (
    DECISIONS.add_columns(_LOST.label("is_missing_one"))
    .join(client, client.c.id == take_home_decision.c.client_id)
    .where(
        take_home_decision.c.programme_id == bindparam("programme"),
        IS_NEWEST,
        or_(
            take_home_suspension.c.id.is_not(None),
            take_home_decision.c.review_on <= bindparam("day", type_=Date()),
            _LOST,
        ),
        within_reach(),
    )
)
_OF_DISPENSE = UNITS.where(take_home_unit.c.dispense_id == bindparam("dispense")).order_by(*_IN_ORDER)
_DISPENSE = (
    select(*take_home_dispense.c)
    .join(client, client.c.id == take_home_dispense.c.client_id)
    .where(take_home_dispense.c.id == bindparam("dispense"), within_reach())
)
_DAY = bindparam("day", type_=Date())
_UNITS_OF_DAY = UNITS.where(
    take_home_unit.c.client_id == bindparam("client"), take_home_unit.c.dispensed_on == _DAY
).order_by(*_IN_ORDER)
_HANDED_OUT_ON = (
    select(*take_home_dispense.c)
    .where(take_home_dispense.c.client_id == bindparam("client"), take_home_dispense.c.dispensed_on == _DAY)
    .order_by(take_home_dispense.c.id)
)
UNITS_FOR: Final = UNITS.where(
    take_home_unit.c.client_id == bindparam("client"),
    take_home_unit.c.for_on >= bindparam("since", type_=Date()),
).order_by(*_IN_ORDER)
_THESE_DISPENSES = (
    select(*take_home_dispense.c)
    .where(take_home_dispense.c.id == any_(bindparam("dispenses", type_=ARRAY(Uuid()))))
    .order_by(take_home_dispense.c.dispensed_at.desc(), take_home_dispense.c.id.desc())
)
_WHO = (
    select(client_identity.c.given_name, client_identity.c.family_name, client_identity.c.birth_date, programme.c.name)
    .select_from(client_identity.join(programme, programme.c.id == bindparam("programme")))
    .where(client_identity.c.client_id == bindparam("client"))
    .order_by(client_identity.c.version.desc())
    .limit(1)
)
_ADD = insert(take_home_dispense)
_handed = (
    insert(take_home_unit)
    .values({column.name: bindparam(column.name, type_=column.type) for column in take_home_unit.c})
    .returning(*UNIT_COLUMNS)
    .cte("handed")
)
_ADD_UNIT = taken_home(_handed)


class DispenseUnknown(NotFound):
    """Nothing was handed out under this number within your reach."""

    def __init__(self) -> None:
        super().__init__("Read the client's take-homes.")


class TakeHomes(Charts, TakeHomeDecisions):
    """Satisfies `domain.takehome.dispensing.TakeHomes`."""

    async def situation(
        self, record: MedicationRecord, place: ProgrammeId, days: Sequence[date], *, at: datetime | None = None
    ) -> Situation:
        """See `domain.takehome.dispensing.TakeHomes.situation`."""
        today, moment = record.day_of(at or self._now), at or EVERYTHING_COMMITTED
        orders = await self.orders_of(record.client)
        counting = [order for order in orders if order.counts]
        first = order_on(min(days), counting)
        asked = {each.medicine: each for day in (min(days), today) for each in orders_on(day, counting)}
        two = any(each.beside is not None for each in counting)
        closed = await ClosureDays(self._connection).closed_days(place, min(days), max(days))
        return Situation(
            record=record,
            today=today,
            place=place,
            morning=await self.morning(today, record=record, orders=orders, or_else=first),
            beside={
                medicine: await self.morning(today, record=record, orders=orders, asked=order)
                for medicine, order in asked.items()
                if two
            },
            began=await self.treatment_began(record, today),
            units=await self._units(OUT_OR_AHEAD, record.client, day=today),
            closed=frozenset(each.day for each in closed),
            decisions=await self.newest_decisions(record.client),
            holds=[
                Held(
                    hold=each.id,
                    reason=each.reason,
                    raised_at=each.raised_at,
                    order=each.aim.order,
                    on_day=each.aim.on_day,
                    part=each.aim.part,
                )
                for each in await self.holds_of(record.client)
                if each.raised_at <= moment and (each.cleared_at is None or each.cleared_at > moment)
            ],
            all_orders=orders,
            has_premises=await TheirPremises(self._connection).premises(place) is not None,
        )

    async def units_since(self, wanted: ClientId, since: date) -> Sequence[TakeHomeUnit]:
        """The units of a client from a day on, and those before it of which nobody has said what became of them."""
        return await self._units(SINCE, wanted, since=since)

    async def still_out(self, wanted: ClientId) -> Sequence[TakeHomeUnit]:
        """The units of a client of which nobody has said what became of them: what is to be got back."""
        return await self._units(OUT, wanted)

    async def units(self, wanted: ClientId, named: Sequence[UnitId]) -> Sequence[TakeHomeUnit]:
        """See `domain.takehome.returning.Returns.units`."""
        return await self._units(THESE, wanted, units=list(named))

    async def _units(self, statement: Executable, wanted: ClientId, **given: object) -> Sequence[TakeHomeUnit]:
        rows = (await self._connection.execute(statement, {"client": wanted, **given})).mappings().all()
        self._journal.saw(wanted, KIND)
        return [unit_of(row) for row in rows]

    async def reviews(self, programme: ProgrammeId, today: date, *, by: Staff, act: Act) -> Sequence[Review]:
        """The decisions of a programme that a prescriber is to look at again, the first date first."""
        given = {"programme": programme, "day": today, **reach_of(by.reach(act), at=self._now)}
        rows = (await self._connection.execute(REVIEWS, given)).mappings().all()
        found = [review_of(decision_of(row), today, is_missing_one=row["is_missing_one"]) for row in rows]
        waiting = [each for each in found if each is not None]
        for each in waiting:
            self._journal.saw(each.decision.client, KIND)
        return sorted(waiting, key=lambda review: (review.review_by, review.decision.id))

    async def dispense(self, wanted: DispenseId, *, by: Staff, act: Act) -> Dispense:
        """What was handed out at one time; raises `DispenseUnknown` outside the person's reach."""
        given = {"dispense": wanted, **reach_of(by.reach(act), at=self._now)}
        row = (await self._connection.execute(_DISPENSE, given)).mappings().first()
        if row is None:
            raise DispenseUnknown
        units = (await self._connection.execute(_OF_DISPENSE, {"dispense": wanted})).mappings().all()
        self._journal.saw(ClientId(row["client_id"]), KIND)
        return dispense_of(row, [unit_of(each) for each in units])

    async def labels(self, wanted: DispenseId, *, by: Staff, act: Act) -> Sequence[Label]:
        """What stands on each unit; raises `DispenseUnknown` outside the person's reach, `NoPremises`."""
        handed = await self.dispense(wanted, by=by, act=act)
        premises = await TheirPremises(self._connection).premises(handed.programme)
        if premises is None:
            raise NoPremises
        given = {"client": handed.client, "programme": handed.programme}
        who = (await self._connection.execute(_WHO, given)).one()
        self._journal.saw(handed.client, "identity")
        return [
            Label(
                unit=unit,
                programme=who.name,
                address=premises.address,
                telephone=premises.telephone,
                given_name=who.given_name,
                family_name=who.family_name,
                birth_date=who.birth_date,
            )
            for unit in handed.units
        ]

    async def handed_out_on(self, wanted: ClientId, day: date) -> Sequence[Dispense]:
        """What was handed out to a client on a day. Whoever asks has been let through to the client."""
        rows = (await self._connection.execute(_HANDED_OUT_ON, {"client": wanted, "day": day})).mappings().all()
        units = await self._units(_UNITS_OF_DAY, wanted, day=day)
        return [dispense_of(row, [unit for unit in units if unit.dispense == row["id"]]) for row in rows]

    async def handed_out_for(self, wanted: ClientId, since: date) -> Sequence[Dispense]:
        """What was handed out for any day since one, each time with its units for those days."""
        units = await self._units(UNITS_FOR, wanted, since=since)
        given = {"client": wanted, "dispenses": sorted({unit.dispense for unit in units})}
        rows = (await self._connection.execute(_THESE_DISPENSES, given)).mappings().all()
        return [dispense_of(row, [unit for unit in units if unit.dispense == row["id"]]) for row in rows]

    async def add_dispense(
        self, made: Dispense, *, station: StationId | None, container: ContainerId | None = None
    ) -> None:
        """See `domain.takehome.dispensing.TakeHomes.add_dispense`."""
        taken = {
            "station": station,
            "container": container,
            "taken_at": made.dispensed_at,
            "recorded_by": made.dispensed_by if made.late is None else made.late.recorded_by,
            "recorded_at": made.recorded_at,
        }
        try:
            await self._connection.execute(_ADD, dispense_row(made))
            await self._connection.execute(_ADD_UNIT, [{**unit_row(unit), **taken} for unit in made.units])
        except IntegrityError as refused:
            _explain(refused)


def _explain(refused: IntegrityError) -> NoReturn:
    """Say in the clinic's words which constraint refused a unit."""
    if "stock_take_home_station_fkey" in str(refused):
        raise Invalid(Fault("station_id", "is no station of this programme")) from refused
    if "stock_take_home_container_fkey" in str(refused):
        raise Invalid(Fault("container_id", "holds something else, or stands in another programme")) from refused
    if "take_home_dispense_dispensed_by_fkey" in str(refused):
        raise Invalid(Fault("dispensed_by", "is nobody of the staff")) from refused
    if getattr(refused.orig, "sqlstate", None) == _NOT_NULL:
        raise NothingToTakeFrom from refused
    raise UnitsMoved from refused
