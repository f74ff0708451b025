"""The worklist of histories to verify, and what was found out."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, and_, bindparam, exists, func, insert, literal_column, select, true
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of, within_reach
from caseload.db.tables.caseload import client, client_identity, episode
from caseload.db.tables.dosing import dose
from caseload.db.tables.history import client_history, history_verification
from caseload.domain.access import Act
from caseload.domain.client import ClientUnknown
from caseload.domain.dosing import Kind
from caseload.domain.history.verifying import Finding, ToVerify, Verification
from caseload.domain.ids import ClientId, ProgrammeId, StaffId
from caseload.domain.journal import Journal
from caseload.domain.medicines import Medicine
from caseload.domain.people import Staff

NIL: Final = UUID(int=0)
"""Sorts before every identifier that was ever made."""

_identity = client_identity.alias("identity")
_newer = client_identity.alias("newer")

_history = (
    select(client_history.c.source, client_history.c.last_day_covered, client_history.c.recorded_at)
    .where(client_history.c.client_id == client.c.id)
    .order_by(client_history.c.last_day_covered.desc(), client_history.c.id.desc())
    .limit(1)
    .lateral("history")
)
_BROUGHT_IN = and_(
    dose.c.client_id == client.c.id,
    # As they stand in the text of the partial index.
    dose.c.kind != literal_column("'ordinary'"),
    dose.c.version == literal_column("1"),
    dose.c.kind == Kind.BROUGHT_IN,
)
_last_day = select(func.max(dose.c.dosing_day).label("day")).where(_BROUGHT_IN).lateral("last_day")
_last_doses = (
    select(
        func.array_agg(aggregate_order_by(dose.c.medicine, dose.c.source_line)).label("medicines"),
        func.array_agg(aggregate_order_by(dose.c.amount_mg, dose.c.source_line)).label("amounts_mg"),
    )
    .where(_BROUGHT_IN, dose.c.dosing_day == _last_day.c.day)
    .lateral("last_doses")
)
_WAITING = (
    select(
        client.c.id,
        client.c.programme_id,
        _identity.c.given_name,
        _identity.c.family_name,
        _history.c.source,
        _history.c.last_day_covered,
        _last_day.c.day.label("last_dose_on"),
        _last_doses.c.medicines,
        _last_doses.c.amounts_mg,
    )
    .select_from(client)
    .join(_identity, _identity.c.client_id == client.c.id)
    .join(_history, true())
    .join(_last_day, true())
    .join(_last_doses, true())
    .where(
        client.c.id.in_(select(client_history.c.client_id)),
        ~exists().where(_newer.c.client_id == _identity.c.client_id, _newer.c.version > _identity.c.version),
        exists().where(episode.c.client_id == client.c.id, func.upper_inf(episode.c.period)),
        ~exists().where(
            history_verification.c.client_id == client.c.id,
            history_verification.c.recorded_at >= _history.c.recorded_at,
        ),
        within_reach(),
    )
)
_ONE = _WAITING.where(client.c.id == bindparam("client"))
_LIST = _WAITING.where(client.c.id > bindparam("after")).order_by(client.c.id).limit(bindparam("limit"))
_WITHIN = select(client.c.id).where(client.c.id == bindparam("client"), within_reach())
_VERIFICATION = select(
    history_verification.c.id,
    history_verification.c.client_id,
    history_verification.c.until,
    history_verification.c.finding,
    history_verification.c.note,
    history_verification.c.verified_by,
    history_verification.c.recorded_at,
).where(history_verification.c.client_id == bindparam("client"))
_VERIFICATIONS = _VERIFICATION.order_by(history_verification.c.recorded_at)
_ONE_VERIFICATION = _VERIFICATION.where(history_verification.c.id == bindparam("verification"))


class Verifications:
    """Satisfies `domain.history.verifying.Verifications`."""

    def __init__(self, connection: AsyncConnection, journal: Journal, *, now: datetime) -> None:
        self._connection = connection
        self._journal = journal
        self._now = now

    async def waiting(self, whom: ClientId, *, by: Staff) -> ToVerify | None:
        """See `Verifications.waiting`."""
        given = {"client": whom, **reach_of(by.reach(Act.VERIFY_HISTORY), at=self._now)}
        row = (await self._connection.execute(_ONE, given)).first()
        if row is None:
            if (await self._connection.execute(_WITHIN, given)).first() is None:
                raise ClientUnknown
            return None
        self._journal.saw(whom, "history")
        return _to_verify(row)

    async def to_verify(self, *, by: Staff, after: ClientId | None, limit: int) -> Sequence[ToVerify]:
        """See `Verifications.to_verify`."""
        given = {"after": after or NIL, "limit": limit, **reach_of(by.reach(Act.VERIFY_HISTORY), at=self._now)}
        rows = (await self._connection.execute(_LIST, given)).all()
        for row in rows:
            self._journal.saw(ClientId(row.id), "history")
        return [_to_verify(row) for row in rows]

    async def add_verification(self, verification: Verification) -> None:
        """See `Verifications.add_verification`."""
        await self._connection.execute(
            insert(history_verification).values(
                id=verification.id,
                client_id=verification.client,
                until=verification.until,
                finding=verification.finding,
                note=verification.note,
                verified_by=verification.verified_by,
                recorded_at=verification.recorded_at,
            )
        )

    async def of(self, whom: ClientId) -> Sequence[Verification]:
        """What was found out about a client whom the reader may see, in order."""
        rows = await self._connection.execute(_VERIFICATIONS, {"client": whom})
        self._journal.saw(whom, "history")
        return [_verification(row) for row in rows]

    async def get(self, verification: UUID, *, of: ClientId) -> Verification:
        """One of them, as it was just kept."""
        given = {"client": of, "verification": verification}
        row = (await self._connection.execute(_ONE_VERIFICATION, given)).one()
        self._journal.saw(of, "history")
        return _verification(row)


def _to_verify(row: Row[*tuple[Any, ...]]) -> ToVerify:
    last_dose_on: date | None = row.last_dose_on
    return ToVerify(
        client=ClientId(row.id),
        programme=ProgrammeId(row.programme_id),
        given_name=row.given_name,
        family_name=row.family_name,
        source=row.source,
        last_dose_on=last_dose_on,
        last_medicine=Medicine(row.medicines[-1]) if row.medicines else None,
        last_amounts_mg=tuple(row.amounts_mg or ()),
        last_day_covered=row.last_day_covered,
    )


def _verification(row: Row[*tuple[Any, ...]]) -> Verification:
    return Verification(
        id=row.id,
        client=ClientId(row.client_id),
        until=row.until,
        finding=Finding(row.finding),
        note=row.note,
        verified_by=StaffId(row.verified_by),
        recorded_at=row.recorded_at,
    )
