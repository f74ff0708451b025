"""Writing down what somebody else says of a client's medicine, making sure of it, and taking it back."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import ClassVar, Protocol

from caseload.domain.access import Act
from caseload.domain.dosing.statement import (
    AlreadyVerified,
    HowVerified,
    Report,
    Said,
    Statement,
    StatementWithdrawn,
    Verification,
    Withdrawal,
    check_name,
)
from caseload.domain.errors import Fault, Faults, Invalid
from caseload.domain.ids import ClientId, StatementId
from caseload.domain.journal import Event, Journal
from caseload.domain.medication import MedicationRecord, MedicationRecords, Order, Supply
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


class Statements(MedicationRecords, Protocol):
    """What others said. Whoever adds to it has locked the client's record first."""

    async def orders_of(self, client: ClientId, /) -> Sequence[Order]:
        """Every order of a client, newest first."""
        ...

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

    Raises `ClientUnknown`, `NotPermitted`, `Invalid`.
    """
    record = await statements.lock(client, by=by, act=Act.RECORD_DOSE)
    order = next((order for order in await statements.orders_of(client) if order.id == report.order), None)
    if order is None or order.supply is not Supply.PHARMACY or not order.counts:
        raise Invalid(Fault("order_id", "is no signed order of this client that a pharmacy supplies"))
    said = report.said(order)
    said.check(record, now)
    seen = Verification(asked=report.informant, how=report.how, verified_by=by.id, verified_at=now)
    return await _keep(said, record, seen, as_id=as_id, by=by, now=now, statements=statements, journal=journal)


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
    return replace(found, verified=verification)


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
