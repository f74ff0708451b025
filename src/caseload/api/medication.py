"""Medication: a client's chart, orders, holds, and the prescriber's decisions."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from litestar import Router
from litestar.params import FromPath, JSONBody

from caseload.api.amounts import Milligrams, milligrams, written
from caseload.api.dosing.due import DueOut
from caseload.api.dosing.wire import DoseOut
from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork
from caseload.db.dosing import Charts
from caseload.db.idempotency import Kept
from caseload.domain import medication as domain
from caseload.domain.access import Act
from caseload.domain.dosing import EVERYTHING_COMMITTED, Wanted, allow_dose
from caseload.domain.ids import ClientId, DecisionId, HoldId, OrderId, ProgrammeId, new_id
from caseload.domain.medication import Decision, DecisionKind, Hold, HoldReason, Order, Standing, Wish
from caseload.domain.medicines import DosePart, Form, Medicine
from caseload.domain.people import Evidence
from caseload.request.idempotency import once
from caseload.request.sign_in import prove
from caseload.request.work import Work


class AmountsWire(Wire, frozen=True, kw_only=True):
    """How much in which part of the day: either the whole day at once, or a morning and an evening part."""

    whole: Milligrams | None = None
    morning: Milligrams | None = None
    evening: Milligrams | None = None

    def read(self) -> dict[DosePart, Decimal]:
        """As the domain speaks of it."""
        parts = ((DosePart.WHOLE, self.whole), (DosePart.MORNING, self.morning), (DosePart.EVENING, self.evening))
        return {part: milligrams(text) for part, text in parts if text is not None}

    @classmethod
    def of(cls, order: Order) -> "AmountsWire":
        """From the domain."""
        return cls(**{part.value: written(amount) for part, amount in order.amounts_mg.items()})


class OrderIn(Wire, frozen=True, kw_only=True):
    """An order to be written; it counts for nothing until a prescriber has signed it."""

    medicine: Medicine
    form: Form
    strength_mg: Milligrams
    """Milligrams in one millilitre of a liquid, else in one tablet, film or injection."""
    amounts_mg: AmountsWire
    every_days: int = 1
    starts_on: date
    ends_on: date | None = None
    """The last day, included; left out, the order stays open."""
    supervised: bool = True
    note: str = ""
    replaces: UUID | None = None
    """The order whose place this one takes from its first day on."""


class SignatureIn(Wire, frozen=True, kw_only=True):
    """Your password once more: what you sign carries your name, the time and the meaning."""

    password: str


class ReasonedSignatureIn(Wire, frozen=True, kw_only=True):
    """A reason, and your password once more."""

    reason: str
    password: str


class OrderOut(Wire, frozen=True, kw_only=True):
    """An order, with what has happened to it."""

    id: UUID
    chain_id: UUID
    version: int
    replaces: UUID | None
    client_id: UUID
    programme_id: UUID
    medicine: Medicine
    form: Form
    strength_mg: str
    amounts_mg: AmountsWire
    every_days: int
    starts_on: date
    ends_on: date | None
    supervised: bool
    note: str
    written_by: UUID
    written_at: datetime
    signed_at: datetime | None
    stopped_at: datetime | None
    replaced_by: UUID | None
    replaced_from: date | None
    standing: Standing
    """How it stands today."""

    @classmethod
    def of(cls, order: Order, today: date) -> "OrderOut":
        """From the domain."""
        return cls(
            id=order.id,
            chain_id=order.chain,
            version=order.version,
            replaces=order.replaces,
            client_id=order.client,
            programme_id=order.programme,
            medicine=order.medicine,
            form=order.form,
            strength_mg=written(order.strength_mg),
            amounts_mg=AmountsWire.of(order),
            every_days=order.every_days,
            starts_on=order.starts_on,
            ends_on=order.ends_on,
            supervised=order.supervised,
            note=order.note,
            written_by=order.written_by,
            written_at=order.written_at,
            signed_at=order.signed_at,
            stopped_at=order.stopped_at,
            replaced_by=order.replaced_by,
            replaced_from=order.replaced_from,
            standing=order.standing(today, EVERYTHING_COMMITTED),
        )


class HoldIn(Wire, frozen=True, kw_only=True):
    """A hold on every dose of a client."""

    reason: HoldReason
    note: str = ""


class HoldOut(Wire, frozen=True, kw_only=True):
    """A hold."""

    id: UUID
    client_id: UUID
    programme_id: UUID
    reason: HoldReason
    note: str
    raised_by: UUID
    raised_at: datetime
    by_rule: str | None
    dose_id: UUID | None
    """The dose that broke a rule."""
    cleared_at: datetime | None
    cleared_by: UUID | None
    """The decision that cleared it."""

    @classmethod
    def of(cls, hold: Hold) -> "HoldOut":
        """From the domain."""
        return cls(
            id=hold.id,
            client_id=hold.client,
            programme_id=hold.programme,
            reason=hold.reason,
            note=hold.note,
            raised_by=hold.raised_by,
            raised_at=hold.raised_at,
            by_rule=hold.by_rule,
            dose_id=hold.dose,
            cleared_at=hold.cleared_at,
            cleared_by=hold.cleared_by,
        )


class HoldsOut(Wire, frozen=True, kw_only=True):
    """The holds of a programme that wait for a prescriber: exceptions first, then the oldest."""

    items: list[HoldOut]


class DecisionIn(Wire, frozen=True, kw_only=True):
    """One dose on one of these days, in spite of missed doses or days that nobody knows of."""

    days: tuple[date, ...]
    reason: str
    at_most_mg: Milligrams | None = None
    """The amount to restart with; needed when so many doses were missed that it is a new start."""
    password: str


class DecisionOut(Wire, frozen=True, kw_only=True):
    """A prescriber's signed decision, with the facts and the rules it rests on."""

    id: UUID
    client_id: UUID
    kind: DecisionKind
    hold_id: UUID | None
    days: list[date]
    at_most_mg: str | None
    reason: str
    decided_by: UUID
    decided_at: datetime
    profile: str
    rules: list[str]
    last_taken_on: date | None
    missed: int

    @classmethod
    def of(cls, decision: Decision) -> "DecisionOut":
        """From the domain."""
        return cls(
            id=decision.id,
            client_id=decision.client,
            kind=decision.kind,
            hold_id=decision.hold,
            days=list(decision.days),
            at_most_mg=written(decision.at_most_mg) if decision.at_most_mg is not None else None,
            reason=decision.reason,
            decided_by=decision.decided_by,
            decided_at=decision.decided_at,
            profile=f"{decision.profile}-{decision.profile_version}",
            rules=list(decision.rules),
            last_taken_on=decision.last_taken_on,
            missed=decision.missed,
        )


class ChartOut(Wire, frozen=True, kw_only=True):
    """A client's medication: what is due today and what stands in the way, and the record behind it."""

    client_id: UUID
    today: date
    """The dosing day now, in the home programme's zone."""
    profile: str
    due: DueOut
    orders: list[OrderOut]
    holds: list[HoldOut]
    decisions: list[DecisionOut]
    doses: list[DoseOut]
    """The newest versions of the doses of the last days, newest first."""


DAYS_SHOWN = 35


def _store(work: Work) -> Charts:
    return Charts(work.connection, work.journal, now=work.now)


@reading("/clients/{client_id:uuid}/medication", act=Act.SEE_MEDICATION, name="read_medication_chart")
async def read_medication_chart(client_id: FromPath[UUID], work: TheWork) -> ChartOut:
    """What is due today, what stands in the way, and the orders, holds, decisions and doses behind it."""
    chart = await _store(work).chart(ClientId(client_id), by=work.by, act=Act.SEE_MEDICATION, days=DAYS_SHOWN)
    return ChartOut(
        client_id=chart.record.client,
        today=chart.due.day,
        profile=chart.record.rules_on(chart.due.day).label,
        due=DueOut.of(chart.due),
        orders=[OrderOut.of(order, chart.due.day) for order in chart.orders],
        holds=[HoldOut.of(hold) for hold in chart.holds],
        decisions=[DecisionOut.of(decision) for decision in chart.decisions],
        doses=[DoseOut.of(each) for each in chart.doses],
    )


@writing("/clients/{client_id:uuid}/orders", act=Act.WRITE_ORDER, name="write_order")
async def write_order(client_id: FromPath[UUID], data: JSONBody[OrderIn], work: TheWork, key: TheKey) -> OrderOut:
    """Write an order, or one that replaces another; nothing is given under it before it is signed."""
    store, new = _store(work), OrderId(new_id())

    async def write() -> Order:
        wish = Wish(
            medicine=data.medicine,
            form=data.form,
            strength_mg=milligrams(data.strength_mg),
            amounts_mg=data.amounts_mg.read(),
            every_days=data.every_days,
            starts_on=data.starts_on,
            ends_on=data.ends_on,
            supervised=data.supervised,
            note=data.note,
            replaces=OrderId(data.replaces) if data.replaces is not None else None,
        )
        return await domain.write_order(
            wish, ClientId(client_id), as_id=new, by=work.by, now=work.now, orders=store, journal=work.journal
        )

    kept = Kept(status=201, resource=new, version=1)
    return await _order(work, await once(work, key, kept, do=write, again=_again(work)))


@writing("/orders/{order_id:uuid}/signature", act=Act.WRITE_ORDER, name="sign_order", problems=(404, 429))
async def sign_order(order_id: FromPath[UUID], data: JSONBody[SignatureIn], work: TheWork, key: TheKey) -> OrderOut:
    """Sign an order with your password proved again: from its first day doses are given under it."""
    proof = await prove(work, Evidence(password=data.password))
    wanted = OrderId(order_id)

    async def sign() -> Order:
        return await domain.sign_order(
            wanted, by=work.by, proof=proof, now=work.now, orders=_store(work), journal=work.journal
        )

    return await _order(work, await once(work, key, Kept(status=201, resource=wanted), do=sign, again=_again(work)))


@writing("/orders/{order_id:uuid}/stop", act=Act.WRITE_ORDER, name="stop_order", problems=(404, 429))
async def stop_order(
    order_id: FromPath[UUID], data: JSONBody[ReasonedSignatureIn], work: TheWork, key: TheKey
) -> OrderOut:
    """Stop an order at once, or withdraw a draft, with your password proved again."""
    proof = await prove(work, Evidence(password=data.password))
    wanted = OrderId(order_id)

    async def stop() -> Order:
        return await domain.stop_order(
            wanted, data.reason, by=work.by, proof=proof, now=work.now, orders=_store(work), journal=work.journal
        )

    return await _order(work, await once(work, key, Kept(status=201, resource=wanted), do=stop, again=_again(work)))


@reading("/orders/{order_id:uuid}", act=Act.SEE_MEDICATION, name="read_order")
async def read_order(order_id: FromPath[UUID], work: TheWork) -> OrderOut:
    """One order with what has happened to it."""
    return await _order(work, await _store(work).order(OrderId(order_id), by=work.by, act=Act.SEE_MEDICATION))


@writing("/clients/{client_id:uuid}/holds", act=Act.RAISE_HOLD, name="raise_hold")
async def raise_hold(client_id: FromPath[UUID], data: JSONBody[HoldIn], work: TheWork, key: TheKey) -> HoldOut:
    """Hold every dose of a client from now on, until a prescriber's signed decision."""
    store, new = _store(work), HoldId(new_id())

    async def hold() -> Hold:
        return await domain.raise_hold(
            ClientId(client_id),
            data.reason,
            data.note,
            as_id=new,
            by=work.by,
            now=work.now,
            holds=store,
            journal=work.journal,
        )

    async def again(kept: Kept) -> Hold:
        return await store.hold(HoldId(kept.resource), by=work.by, act=Act.RAISE_HOLD)

    return HoldOut.of(await once(work, key, Kept(status=201, resource=new), do=hold, again=again))


@reading("/programmes/{programme_id:uuid}/holds", act=Act.DECIDE_MEDICATION, name="list_holds")
async def list_holds(programme_id: FromPath[UUID], work: TheWork) -> HoldsOut:
    """What waits for a prescriber in a programme: doses that broke a rule first, then the oldest hold."""
    found = await _store(work).in_force(ProgrammeId(programme_id), by=work.by, act=Act.DECIDE_MEDICATION)
    return HoldsOut(items=[HoldOut.of(hold) for hold in found])


@writing("/holds/{hold_id:uuid}/clearance", act=Act.DECIDE_MEDICATION, name="clear_hold", problems=(404, 429))
async def clear_hold(
    hold_id: FromPath[UUID], data: JSONBody[ReasonedSignatureIn], work: TheWork, key: TheKey
) -> DecisionOut:
    """Clear a hold by a prescriber's decision, signed with the password proved again."""
    proof = await prove(work, Evidence(password=data.password))
    new = DecisionId(new_id())

    async def clear() -> Decision:
        return await domain.clear_hold(
            HoldId(hold_id),
            data.reason,
            as_id=new,
            by=work.by,
            proof=proof,
            now=work.now,
            holds=_store(work),
            journal=work.journal,
        )

    kept = Kept(status=201, resource=new)
    return DecisionOut.of(await once(work, key, kept, do=clear, again=_decision_again(work)))


@writing(
    "/clients/{client_id:uuid}/dosing-decisions", act=Act.DECIDE_MEDICATION, name="allow_dose", problems=(404, 429)
)
async def allow(client_id: FromPath[UUID], data: JSONBody[DecisionIn], work: TheWork, key: TheKey) -> DecisionOut:
    """Allow one dose on one of the named days after missed ones, signed with the password proved again."""
    proof = await prove(work, Evidence(password=data.password))
    new = DecisionId(new_id())

    async def decide() -> Decision:
        at_most = milligrams(data.at_most_mg) if data.at_most_mg is not None else None
        return await allow_dose(
            Wanted(days=data.days, reason=data.reason, at_most_mg=at_most),
            ClientId(client_id),
            as_id=new,
            by=work.by,
            proof=proof,
            now=work.now,
            histories=_store(work),
            journal=work.journal,
        )

    kept = Kept(status=201, resource=new)
    return DecisionOut.of(await once(work, key, kept, do=decide, again=_decision_again(work)))


def _again(work: Work) -> Any:
    async def again(kept: Kept) -> Order:
        return await _store(work).order(OrderId(kept.resource), by=work.by, act=Act.WRITE_ORDER)

    return again


def _decision_again(work: Work) -> Any:
    async def again(kept: Kept) -> Decision:
        return await _store(work).decision(DecisionId(kept.resource), by=work.by, act=Act.DECIDE_MEDICATION)

    return again


async def _order(work: Work, order: Order) -> OrderOut:
    record = await _store(work).record(order.client, by=work.by, act=Act.SEE_MEDICATION)
    return OrderOut.of(order, record.day_of(work.now))


router = Router(
    "/",
    route_handlers=[
        read_medication_chart,
        write_order,
        sign_order,
        stop_order,
        read_order,
        raise_hold,
        list_holds,
        clear_hold,
        allow,
    ],
    tags=["Medication"],
)
