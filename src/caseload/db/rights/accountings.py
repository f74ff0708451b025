"""Accountings of disclosures as they were made for clients' requests, in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, Uuid, bindparam, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of, within_reach
from caseload.db.tables.caseload import client
from caseload.db.tables.rights import rights_accounting, rights_request
from caseload.domain.access import Act
from caseload.domain.disclosure import AccountingKind
from caseload.domain.ids import AccountingId, ClientId, ProgrammeId, RightsRequestId, StaffId
from caseload.domain.journal import Journal
from caseload.domain.people import Staff
from caseload.domain.rights import AccountingUnknown, GivenAccounting

KIND: Final = "accounting"
"""What the journal calls it."""
_made = rights_accounting.c
_EVERY = (
    select(
        _made.id,
        _made.request_id,
        _made.client_id,
        rights_request.c.programme_id,
        _made.definition,
        _made.rule,
        _made.since_on,
        _made.lines,
        _made.left_out,
        _made.written,
        _made.recorded_by,
        _made.recorded_at,
    )
    .join(rights_request, rights_request.c.id == _made.request_id)
    .join(client, client.c.id == _made.client_id)
    .where(within_reach())
)
_ONE = _EVERY.where(_made.id == bindparam("accounting", type_=Uuid()))
_MADE_FOR = _EVERY.where(_made.request_id == bindparam("request", type_=Uuid())).order_by(_made.id.desc())


class KeptAccountings:
    """Satisfies `domain.rights.Accountings`."""

    def __init__(self, connection: AsyncConnection, journal: Journal, *, now: datetime) -> None:
        self._connection = connection
        self._journal = journal
        self._now = now

    async def add(self, made: GivenAccounting) -> None:
        """See `domain.rights.Accountings.add`."""
        await self._connection.execute(
            insert(rights_accounting).values(
                id=made.id,
                request_id=made.request,
                kind="accounting",
                client_id=made.client,
                definition=made.definition,
                rule=made.rule,
                since_on=made.since,
                lines=made.lines,
                left_out=made.left_out,
                written=made.written,
                sha256=made.sha256,
                recorded_by=made.made_by,
                recorded_at=made.made_at,
            )
        )

    async def get(self, wanted: AccountingId, *, by: Staff, act: Act) -> GivenAccounting:
        """See `domain.rights.Accountings.get`."""
        row = (await self._connection.execute(_ONE, {"accounting": wanted, **self._reach(by, act)})).first()
        if row is None:
            raise AccountingUnknown
        return self._seen(row)

    async def made_for(self, request: RightsRequestId, *, by: Staff, act: Act) -> Sequence[GivenAccounting]:
        """See `domain.rights.Accountings.made_for`."""
        rows = await self._connection.execute(_MADE_FOR, {"request": request, **self._reach(by, act)})
        return [self._seen(row) for row in rows]

    def _reach(self, by: Staff, act: Act) -> dict[str, object]:
        return reach_of(by.reach(act), at=self._now, by_identifier=True)

    def _seen(self, row: Row[*tuple[Any, ...]]) -> GivenAccounting:
        self._journal.saw(ClientId(row.client_id), KIND)
        return GivenAccounting(
            id=AccountingId(row.id),
            request=RightsRequestId(row.request_id),
            client=ClientId(row.client_id),
            programme=ProgrammeId(row.programme_id),
            definition=AccountingKind(row.definition),
            rule=row.rule,
            since=row.since_on,
            lines=row.lines,
            left_out=row.left_out,
            written=row.written,
            made_by=StaffId(row.recorded_by),
            made_at=row.recorded_at,
        )
