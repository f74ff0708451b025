"""What others say of a client's medicine, in PostgreSQL."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import Date, RowMapping, Uuid, any_, bindparam, insert, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError

from caseload.db.access import reach_of, within_reach
from caseload.db.dosing.doses import Doses
from caseload.db.medication.record import KIND
from caseload.db.tables.caseload import client
from caseload.db.tables.statement import (
    dose_statement,
    dose_statement_day,
    dose_statement_verification,
    dose_statement_withdrawal,
)
from caseload.domain.access import Act
from caseload.domain.dosing import (
    AlreadyVerified,
    DayOutcome,
    HowVerified,
    Said,
    Source,
    Statement,
    StatementDay,
    StatementUnknown,
    StatementWithdrawn,
    Verification,
    Withdrawal,
)
from caseload.domain.ids import ClientId, ProgrammeId, StaffId, StatementId
from caseload.domain.medicines import DosePart, Form, Medicine
from caseload.domain.people import Staff

_AFTER_ALL: Final = UUID(int=2**128 - 1)
"""Sorts behind every identifier that will ever be made."""

_EVERY = (
    select(
        dose_statement.c.id,
        dose_statement.c.client_id,
        dose_statement.c.programme_id,
        dose_statement.c.source,
        dose_statement.c.source_name,
        dose_statement.c.informant,
        dose_statement.c.told_at,
        dose_statement.c.order_id,
        dose_statement.c.medicine,
        dose_statement.c.form,
        dose_statement.c.note,
        dose_statement.c.recorded_by,
        dose_statement.c.recorded_at,
        dose_statement_verification.c.asked,
        dose_statement_verification.c.how,
        dose_statement_verification.c.verified_by,
        dose_statement_verification.c.verified_at,
        dose_statement_withdrawal.c.reason.label("withdrawal"),
        dose_statement_withdrawal.c.withdrawn_by,
        dose_statement_withdrawal.c.withdrawn_at,
    )
    .select_from(
        dose_statement.join(client, client.c.id == dose_statement.c.client_id)
        .outerjoin(dose_statement_verification, dose_statement_verification.c.statement_id == dose_statement.c.id)
        .outerjoin(dose_statement_withdrawal, dose_statement_withdrawal.c.statement_id == dose_statement.c.id)
    )
    .where(within_reach())
)
ONE_STATEMENT: Final = _EVERY.where(dose_statement.c.id == bindparam("statement"))
STATEMENTS_OF: Final = (
    _EVERY.where(dose_statement.c.client_id == bindparam("client"), dose_statement.c.id < bindparam("after"))
    .order_by(dose_statement.c.id.desc())
    .limit(bindparam("limit"))
)
DAYS_OF: Final = (
    select(
        dose_statement_day.c.statement_id,
        dose_statement_day.c.day,
        dose_statement_day.c.part,
        dose_statement_day.c.outcome,
        dose_statement_day.c.amount_mg,
        dose_statement_day.c.taken_at,
        dose_statement_day.c.reason,
    )
    .where(dose_statement_day.c.statement_id == any_(bindparam("statements", type_=ARRAY(Uuid()))))
    .order_by(dose_statement_day.c.day, dose_statement_day.c.part)
)
STATEMENTS_ABOUT: Final = _EVERY.where(
    dose_statement.c.id.in_(
        select(dose_statement_day.c.statement_id).where(
            dose_statement_day.c.client_id == bindparam("client"),
            dose_statement_day.c.day.between(bindparam("since", type_=Date()), bindparam("until", type_=Date())),
        )
    )
).order_by(dose_statement.c.id.desc())
_ADD = insert(dose_statement)
_ADD_DAYS = insert(dose_statement_day)
_VERIFY = insert(dose_statement_verification)
_WITHDRAW = insert(dose_statement_withdrawal)


class Statements(Doses):
    """Satisfies `domain.dosing.Statements`."""

    async def add_statement(self, statement: Statement) -> None:
        """See `domain.dosing.Statements.add_statement`."""
        said = statement.said
        await self._connection.execute(
            _ADD,
            {
                "id": statement.id,
                "client_id": statement.client,
                "programme_id": statement.programme,
                "source": said.source,
                "source_name": said.source_name,
                "informant": said.informant,
                "told_at": said.told_at,
                "order_id": said.order,
                "medicine": said.medicine,
                "form": said.form,
                "note": said.note,
                "recorded_by": statement.recorded_by,
                "recorded_at": statement.recorded_at,
            },
        )
        await self._connection.execute(
            _ADD_DAYS,
            [
                {
                    "statement_id": statement.id,
                    "client_id": statement.client,
                    "day": each.day,
                    "part": each.part,
                    "outcome": each.outcome,
                    "amount_mg": each.amount_mg,
                    "taken_at": each.taken_at,
                    "reason": each.reason,
                }
                for each in said.days
            ],
        )
        if statement.verified is not None:
            await self.add_verification(statement.id, statement.verified)

    async def add_verification(self, wanted: StatementId, verification: Verification) -> None:
        """See `domain.dosing.Statements.add_verification`."""
        given = {
            "statement_id": wanted,
            "asked": verification.asked,
            "how": verification.how,
            "verified_by": verification.verified_by,
            "verified_at": verification.verified_at,
        }
        try:
            await self._connection.execute(_VERIFY, given)
        except IntegrityError as raced:
            raise AlreadyVerified("Read the client's statements again.") from raced

    async def add_withdrawal(self, wanted: StatementId, withdrawal: Withdrawal) -> None:
        """See `domain.dosing.Statements.add_withdrawal`."""
        given = {
            "statement_id": wanted,
            "reason": withdrawal.reason,
            "withdrawn_by": withdrawal.withdrawn_by,
            "withdrawn_at": withdrawal.withdrawn_at,
        }
        try:
            await self._connection.execute(_WITHDRAW, given)
        except IntegrityError as raced:
            raise StatementWithdrawn("Read the client's statements again.") from raced

    async def statement(self, wanted: StatementId, *, by: Staff, act: Act) -> Statement:
        """See `domain.dosing.Statements.statement`."""
        given = {"statement": wanted, **reach_of(by.reach(act), at=self._now)}
        rows = (await self._connection.execute(ONE_STATEMENT, given)).mappings().all()
        if not rows:
            raise StatementUnknown("Read the client's statements for those there are.")
        [found] = await self._whole(rows)
        return found

    async def statements_of(
        self, wanted: ClientId, *, by: Staff, act: Act, after: UUID | None, limit: int
    ) -> Sequence[Statement]:
        """What was said of a client, newest first. Nothing for a client outside the person's reach."""
        given = {
            "client": wanted,
            "after": after or _AFTER_ALL,
            "limit": limit,
            **reach_of(by.reach(act), at=self._now, by_identifier=True),
        }
        return await self._whole((await self._connection.execute(STATEMENTS_OF, given)).mappings().all())

    async def statements_about(
        self, wanted: ClientId, since: date, until: date, *, by: Staff, act: Act
    ) -> Sequence[Statement]:
        """What was said of any of these days, newest first. Nothing for a client outside the person's reach."""
        given = {
            "client": wanted,
            "since": since,
            "until": until,
            **reach_of(by.reach(act), at=self._now, by_identifier=True),
        }
        return await self._whole((await self._connection.execute(STATEMENTS_ABOUT, given)).mappings().all())

    async def _whole(self, rows: Sequence[RowMapping]) -> Sequence[Statement]:
        days: dict[UUID, list[StatementDay]] = defaultdict(list)
        for row in (await self._connection.execute(DAYS_OF, {"statements": [row["id"] for row in rows]})).all():
            days[row.statement_id].append(
                StatementDay(
                    day=row.day,
                    part=DosePart(row.part),
                    outcome=DayOutcome(row.outcome),
                    amount_mg=row.amount_mg,
                    taken_at=row.taken_at,
                    reason=row.reason,
                )
            )
        for row in rows:
            self._journal.saw(ClientId(row["client_id"]), KIND)
        return [_statement_of(row, days[row["id"]]) for row in rows]


def _statement_of(row: RowMapping, days: Sequence[StatementDay]) -> Statement:
    return Statement(
        id=StatementId(row["id"]),
        client=ClientId(row["client_id"]),
        programme=ProgrammeId(row["programme_id"]),
        said=Said(
            source=Source(row["source"]),
            source_name=row["source_name"],
            informant=row["informant"],
            told_at=row["told_at"],
            medicine=Medicine(row["medicine"]),
            form=Form(row["form"]),
            days=tuple(days),
            note=row["note"],
            order=row["order_id"],
        ),
        recorded_by=StaffId(row["recorded_by"]),
        recorded_at=row["recorded_at"],
        verified=_verification_of(row),
        withdrawn=_withdrawal_of(row),
    )


def _verification_of(row: RowMapping) -> Verification | None:
    if row["verified_at"] is None:
        return None
    return Verification(
        asked=row["asked"],
        how=HowVerified(row["how"]),
        verified_by=StaffId(row["verified_by"]),
        verified_at=row["verified_at"],
    )


def _withdrawal_of(row: RowMapping) -> Withdrawal | None:
    if row["withdrawn_at"] is None:
        return None
    return Withdrawal(
        reason=row["withdrawal"], withdrawn_by=StaffId(row["withdrawn_by"]), withdrawn_at=row["withdrawn_at"]
    )
