"""What others say of a client's medicine: written down, verified, withdrawn; and what a pharmacy reports of our orders."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar.params import FromPath, JSONBody

from caseload.api.amounts import Milligrams, milligrams, written
from caseload.api.pages import USUAL, After, Limit, Page
from caseload.api.route import reading, writing
from caseload.api.wire import Instant, Wire
from caseload.api.work import TheKey, TheWork, client_within
from caseload.db.dosing import Statements
from caseload.db.idempotency import Kept
from caseload.domain import dosing as domain
from caseload.domain.access import Act
from caseload.domain.dosing import DayOutcome, HowVerified, Report, Said, Source, Statement, StatementDay
from caseload.domain.dosing.statement import MOST_DAYS
from caseload.domain.ids import ClientId, OrderId, StatementId, new_id
from caseload.domain.medicines import DosePart, Form, Medicine
from caseload.request.idempotency import RequestKey, once
from caseload.request.work import Work


class StatementDayWire(Wire, frozen=True, kw_only=True):
    """What became of one part of one day's medicine."""

    day: date
    part: DosePart = DosePart.WHOLE
    outcome: DayOutcome
    amount_mg: Milligrams | None = None
    """Of what was taken."""
    taken_at: Instant | None = None
    """Where the time is known: the next dose keeps its distance from it."""
    reason: str | None = None
    """Why it was withheld."""

    def read(self) -> StatementDay:
        """To the domain."""
        return StatementDay(
            day=self.day,
            part=self.part,
            outcome=self.outcome,
            amount_mg=milligrams(self.amount_mg) if self.amount_mg is not None else None,
            taken_at=self.taken_at,
            reason=self.reason,
        )

    @classmethod
    def of(cls, day: StatementDay) -> "StatementDayWire":
        """From the domain."""
        return cls(
            day=day.day,
            part=day.part,
            outcome=day.outcome,
            amount_mg=written(day.amount_mg) if day.amount_mg is not None else None,
            taken_at=None if day.taken_at is None else day.taken_at.astimezone(UTC),
            reason=day.reason,
        )


Days = Annotated[list[StatementDayWire], msgspec.Meta(min_length=1, max_length=MOST_DAYS)]


class StatementIn(Wire, frozen=True, kw_only=True):
    """What another source says. Its days count as taken only once it is verified."""

    source: Source
    source_name: str
    """Which pharmacy, prison or hospital; how the client or relative is called."""
    informant: str
    """Who said it there, by name and function."""
    told_at: Instant
    medicine: Medicine
    form: Form
    days: Days
    note: str = ""


class PharmacyReportIn(Wire, frozen=True, kw_only=True):
    """What a pharmacy reports of an order of ours that it supplies; what it saw taken counts at once."""

    pharmacy: str
    informant: str
    """Who said it there, by name and function."""
    how: HowVerified = HowVerified.TELEPHONE
    told_at: Instant
    days: Days
    note: str = ""


class VerificationIn(Wire, frozen=True, kw_only=True):
    """With whom you made sure that it is true."""

    asked: str
    """Name and function of whoever was asked, or the document that was seen."""
    how: HowVerified


class StatementWithdrawalIn(Wire, frozen=True, kw_only=True):
    """Why it counts no longer."""

    reason: str


class VerificationOut(Wire, frozen=True, kw_only=True):
    """Who made sure of it, with whom, and how."""

    asked: str
    how: HowVerified
    verified_by: UUID
    verified_at: datetime


class StatementWithdrawalOut(Wire, frozen=True, kw_only=True):
    """Who took it back, and why."""

    reason: str
    withdrawn_by: UUID
    withdrawn_at: datetime


class StatementOut(Wire, frozen=True, kw_only=True):
    """What another source said of a client's medicine."""

    id: UUID
    client_id: UUID
    source: Source
    source_name: str
    informant: str
    told_at: datetime
    order_id: UUID | None
    """The order of ours that the pharmacy supplies."""
    medicine: Medicine
    form: Form
    days: list[StatementDayWire]
    note: str
    counts: bool
    """Whether its days count as taken: it is verified and not withdrawn."""
    verified: VerificationOut | None
    withdrawn: StatementWithdrawalOut | None
    recorded_by: UUID
    recorded_at: datetime

    @classmethod
    def of(cls, statement: Statement) -> "StatementOut":
        """From the domain."""
        said, verified, withdrawn = statement.said, statement.verified, statement.withdrawn
        return cls(
            id=statement.id,
            client_id=statement.client,
            source=said.source,
            source_name=said.source_name,
            informant=said.informant,
            told_at=said.told_at.astimezone(UTC),
            order_id=said.order,
            medicine=said.medicine,
            form=said.form,
            days=[StatementDayWire.of(each) for each in sorted(said.days, key=lambda each: (each.day, each.part))],
            note=said.note,
            counts=statement.counts,
            verified=None
            if verified is None
            else VerificationOut(
                asked=verified.asked,
                how=verified.how,
                verified_by=verified.verified_by,
                verified_at=verified.verified_at,
            ),
            withdrawn=None
            if withdrawn is None
            else StatementWithdrawalOut(
                reason=withdrawn.reason, withdrawn_by=withdrawn.withdrawn_by, withdrawn_at=withdrawn.withdrawn_at
            ),
            recorded_by=statement.recorded_by,
            recorded_at=statement.recorded_at,
        )


@reading("/clients/{client_id:uuid}/dose-statements", act=Act.SEE_MEDICATION, name="list_dose_statements")
async def list_dose_statements(
    client_id: FromPath[UUID], work: TheWork, after: After = None, limit: Limit = USUAL
) -> Page[StatementOut]:
    """What others said of a client's medicine, the last recorded first."""
    client = await client_within(work, client_id, Act.SEE_MEDICATION)
    found = await _kept(work).statements_of(client.id, by=work.by, act=Act.SEE_MEDICATION, after=after, limit=limit)
    items = [StatementOut.of(each) for each in found]
    return Page(items=items, next=items[-1].id if len(items) == limit else None)


@writing("/clients/{client_id:uuid}/dose-statements", act=Act.RECORD_DOSE, name="record_dose_statement")
async def record_dose_statement(
    client_id: FromPath[UUID], data: JSONBody[StatementIn], work: TheWork, key: TheKey
) -> StatementOut:
    """Write down what another source says of a client's medicine."""
    said = Said(
        source=data.source,
        source_name=data.source_name,
        informant=data.informant,
        told_at=data.told_at,
        medicine=data.medicine,
        form=data.form,
        days=tuple(each.read() for each in data.days),
        note=data.note,
    )
    new = StatementId(new_id())

    async def record() -> Statement:
        return await domain.record_statement(
            said,
            ClientId(client_id),
            as_id=new,
            by=work.by,
            now=work.now,
            statements=_kept(work),
            journal=work.journal,
        )

    return await _once(work, key, new, record)


@writing(
    "/clients/{client_id:uuid}/orders/{order_id:uuid}/pharmacy-reports",
    act=Act.RECORD_DOSE,
    name="record_pharmacy_report",
)
async def record_pharmacy_report(
    client_id: FromPath[UUID], order_id: FromPath[UUID], data: JSONBody[PharmacyReportIn], work: TheWork, key: TheKey
) -> StatementOut:
    """Record the doses taken, missed or withheld that the pharmacy of an order reports; our stock stays as it is."""
    report = Report(
        order=OrderId(order_id),
        pharmacy=data.pharmacy,
        informant=data.informant,
        how=data.how,
        told_at=data.told_at,
        days=tuple(each.read() for each in data.days),
        note=data.note,
    )
    new = StatementId(new_id())

    async def record() -> Statement:
        return await domain.record_supply(
            report,
            ClientId(client_id),
            as_id=new,
            by=work.by,
            now=work.now,
            statements=_kept(work),
            journal=work.journal,
        )

    return await _once(work, key, new, record)


@writing("/dose-statements/{statement_id:uuid}/verification", act=Act.RECORD_DOSE, name="verify_dose_statement")
async def verify_dose_statement(
    statement_id: FromPath[UUID], data: JSONBody[VerificationIn], work: TheWork, key: TheKey
) -> StatementOut:
    """Say with whom you made sure: from now on its days count as taken."""
    wanted = StatementId(statement_id)

    async def verify() -> Statement:
        return await domain.verify_statement(
            wanted, data.asked, data.how, by=work.by, now=work.now, statements=_kept(work), journal=work.journal
        )

    return await _once(work, key, wanted, verify)


@writing("/dose-statements/{statement_id:uuid}/withdrawal", act=Act.RECORD_DOSE, name="withdraw_dose_statement")
async def withdraw_dose_statement(
    statement_id: FromPath[UUID], data: JSONBody[StatementWithdrawalIn], work: TheWork, key: TheKey
) -> StatementOut:
    """Take back a statement that was wrong: it counts no longer, and stays readable."""
    wanted = StatementId(statement_id)

    async def withdraw() -> Statement:
        return await domain.withdraw_statement(
            wanted, data.reason, by=work.by, now=work.now, statements=_kept(work), journal=work.journal
        )

    return await _once(work, key, wanted, withdraw)


async def _once(
    work: Work, key: RequestKey | None, which: StatementId, do: Callable[[], Awaitable[Statement]]
) -> StatementOut:
    """What is done to a statement, once for each request key; with the key again, the first one's statement by now."""

    async def again(kept: Kept) -> Statement:
        return await _kept(work).statement(StatementId(kept.resource), by=work.by, act=Act.RECORD_DOSE)

    return StatementOut.of(await once(work, key, Kept(status=201, resource=which), do=do, again=again))


def _kept(work: Work) -> Statements:
    return Statements(work.connection, work.journal, now=work.now)
