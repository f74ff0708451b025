"""Writing down what somebody else says of a client's medicine, making sure of it, and taking it back."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar, Protocol

from caseload.domain.access import Act
from caseload.domain.dosing.decision import Histories
from caseload.domain.dosing.missed import days_without, ladder_says
from caseload.domain.dosing.own import own_first
from caseload.domain.dosing.statement import (
    AlreadyVerified,
    DayOutcome,
    HowVerified,
    Report,
    Said,
    Statement,
    StatementWithdrawn,
    Verification,
    Withdrawal,
    check_name,
)
from caseload.domain.dosing.twice import TakenTwice, hold_after_twice
from caseload.domain.errors import Fault, Faults, Invalid
from caseload.domain.ids import ClientId, HoldId, StatementId, new_id
from caseload.domain.journal import Event, Journal
from caseload.domain.medication import Aim, Hold, HoldReason, MedicationRecord, Order, Supply, keep_hold
from caseload.domain.medication.record import check_reason
from caseload.domain.people import Staff


class StatementRecorded(Event):
    """Somebody wrote down what another source says of a client's medicine."""

    name: ClassVar[str] = "statement.recorded"


class StatementVerified(Event):
    """Somebody made sure that a statement is true: its days count as taken."""

    name: ClassVar[str] = "statement.verified"


class StatementTakenBack(Event):
    """A statement was withdrawn and counts no longer."""

    name: ClassVar[str] = "statement.withdrawn"


class Statements(Histories, TakenTwice, Protocol):
    """What others said. Whoever adds to it has locked the client's record first."""

    async def add_statement(self, statement: Statement, /) -> None:
        """Keep a statement, with its verification where it has one."""
        ...

    async def statement(self, wanted: StatementId, /, *, by: Staff, act: Act) -> Statement:
        """One statement; raises `StatementUnknown` outside the person's reach."""
        ...

    async def add_verification(self, wanted: StatementId, verification: Verification, /) -> None:
        """Keep who made sure; raises `AlreadyVerified`."""
        ...

    async def add_withdrawal(self, wanted: StatementId, withdrawal: Withdrawal, /) -> None:
        """Keep that it was withdrawn; raises `StatementWithdrawn`."""
        ...


async def record_statement(
    said: Said,
    client: ClientId,
    *,
    as_id: StatementId,
    by: Staff,
    now: datetime,
    statements: Statements,
    journal: Journal,
) -> Statement:
    """Write down what another source says. It counts for nothing until somebody has verified it.

    Raises `ClientUnknown`, `NotPermitted`, `Invalid`.
    """
    record = await statements.lock(client, by=by, act=Act.RECORD_DOSE)
    said.check(record, now)
    return await _keep(said, record, None, as_id=as_id, by=by, now=now, statements=statements, journal=journal)


async def record_supply(
    report: Report,
    client: ClientId,
    *,
    as_id: StatementId,
    by: Staff,
    now: datetime,
    statements: Statements,
    journal: Journal,
) -> Statement:
    """Write down what a pharmacy reports of an order of ours that it supplies. What it saw taken counts at once.

    Where the days that it reports come to a rung of the ladder that asks, the rule holds the order.
    Raises `ClientUnknown`, `NotPermitted`, `Invalid`.
    """
    record = await statements.lock(client, by=by, act=Act.RECORD_DOSE)
    signed = [order for order in await statements.orders_of(client) if order.counts]
    order = next((order for order in signed if order.id == report.order), None)
    if order is None or order.supply is not Supply.PHARMACY:
        raise Invalid(Fault("order_id", "is no signed order of this client that a pharmacy supplies"))
    said = report.said(order)
    said.check(record, now, source_at="pharmacy")
    seen = Verification(asked=report.informant, how=report.how, verified_by=by.id, verified_at=now)
    kept = await _keep(said, record, seen, as_id=as_id, by=by, now=now, statements=statements, journal=journal)
    await _hold_what_was_taken_twice(said, record, by=by, now=now, statements=statements, journal=journal)
    after = max(each.day for each in said.days) + timedelta(days=1)
    last = await statements.last_taken(record, order.medicine, order.form, after)
    ladder = ladder_says(
        days_without(last, after, own_first(signed, order.medicine), record), order.medicine, record.rules_on(after)
    )
    if ladder.rung is not None and not ladder.gives and not await _is_held(order, statements):
        await _hold_order(order, ladder.rung.rule, record, by=by, now=now, statements=statements, journal=journal)
    return kept


async def _is_held(order: Order, statements: Statements) -> bool:
    """Whether the rule holds an order already."""
    return any(
        hold.reason is HoldReason.MISSED_DOSES and hold.aim.order == order.id and hold.cleared_at is None
        for hold in await statements.holds_of(order.client)
    )


async def _hold_order(
    order: Order,
    rule: str,
    record: MedicationRecord,
    *,
    by: Staff,
    now: datetime,
    statements: Statements,
    journal: Journal,
) -> None:
    """Hold an order that a pharmacy supplies, by the rung that its report reached: somebody telephones it."""
    hold = Hold(
        id=HoldId(new_id()),
        client=order.client,
        programme=order.programme,
        reason=HoldReason.MISSED_DOSES,
        note="",
        raised_by=by.id,
        raised_at=now,
        by_rule=rule,
        aim=Aim(order=order.id),
    )
    await keep_hold(hold, record, holds=statements, journal=journal)


async def _keep(
    said: Said,
    record: MedicationRecord,
    verified: Verification | None,
    *,
    as_id: StatementId,
    by: Staff,
    now: datetime,
    statements: Statements,
    journal: Journal,
) -> Statement:
    kept = Statement(
        id=as_id,
        client=record.client,
        programme=record.place(by, Act.RECORD_DOSE),
        said=said,
        recorded_by=by.id,
        recorded_at=now,
        verified=verified,
    )
    await statements.add_statement(kept)
    await statements.note_gap(record.client, record.day_of(now))
    facts: dict[str, str | int] = {"source": said.source, "days": len({each.day for each in said.days})}
    journal.tell(StatementRecorded(client=record.client, records=(as_id,), facts=facts))
    return kept


async def verify_statement(
    wanted: StatementId,
    asked: str,
    how: HowVerified,
    *,
    by: Staff,
    now: datetime,
    statements: Statements,
    journal: Journal,
) -> Statement:
    """Say with whom you made sure that a statement is true: from now on its days count as taken.

    Raises `StatementUnknown`, `AlreadyVerified`, `StatementWithdrawn`, `NotPermitted`, `Invalid`.
    """
    faults = Faults()
    check_name(asked, "asked", faults)
    faults.raise_if_any()
    record, found = await _as_it_stands(wanted, by=by, statements=statements)
    if found.verified is not None:
        raise AlreadyVerified("Read the client's statements again.")
    verification = Verification(asked=asked, how=how, verified_by=by.id, verified_at=now)
    await statements.add_verification(wanted, verification)
    await statements.note_gap(record.client, record.day_of(now))
    journal.tell(StatementVerified(client=found.client, records=(wanted,), facts={"how": how}))
    await _hold_what_was_taken_twice(found.said, record, by=by, now=now, statements=statements, journal=journal)
    return replace(found, verified=verification)


async def _hold_what_was_taken_twice(
    said: Said, record: MedicationRecord, *, by: Staff, now: datetime, statements: Statements, journal: Journal
) -> None:
    """Hold the next dose where a day that counts as taken from now on has a dose of ours too."""
    parts = [(each.day, each.part) for each in said.days if each.outcome is DayOutcome.TAKEN]
    await hold_after_twice(parts, said.source_name, record, by=by, now=now, doses=statements, journal=journal)


async def withdraw_statement(
    wanted: StatementId, reason: str, *, by: Staff, now: datetime, statements: Statements, journal: Journal
) -> Statement:
    """Take a statement back that was wrong: it counts no longer, and stays readable.

    Raises `StatementUnknown`, `StatementWithdrawn`, `NotPermitted`, `Invalid`.
    """
    faults = Faults()
    check_reason(reason, faults)
    faults.raise_if_any()
    record, found = await _as_it_stands(wanted, by=by, statements=statements)
    withdrawal = Withdrawal(reason=reason, withdrawn_by=by.id, withdrawn_at=now)
    await statements.add_withdrawal(wanted, withdrawal)
    await statements.note_gap(record.client, record.day_of(now))
    journal.tell(StatementTakenBack(client=found.client, records=(wanted,)))
    return replace(found, withdrawn=withdrawal)


async def _as_it_stands(
    wanted: StatementId, *, by: Staff, statements: Statements
) -> tuple[MedicationRecord, Statement]:
    """The statement once its client's record is locked. Raises `StatementWithdrawn`."""
    seen = await statements.statement(wanted, by=by, act=Act.RECORD_DOSE)
    record = await statements.lock(seen.client, by=by, act=Act.RECORD_DOSE)
    record.place(by, Act.RECORD_DOSE)
    found = await statements.statement(wanted, by=by, act=Act.RECORD_DOSE)
    if found.withdrawn is not None:
        raise StatementWithdrawn("Write down anew what was said, if it was said.")
    return record, found
