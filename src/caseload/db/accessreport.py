"""Reports of accesses in PostgreSQL: what was asked for, what is withheld, what was released."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Uuid, any_, bindparam, insert, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as insert_or_leave
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.tables.accessreport import access_report, access_report_release, access_report_withheld
from caseload.db.tables.caseload import client
from caseload.db.tables.people import staff
from caseload.domain.accessreport import AlreadyReleased, Reason, Release, Report, ReportUnknown, Withheld
from caseload.domain.client import ClientUnknown
from caseload.domain.ids import ClientId, ProgrammeId, ReportId, StaffId

_PROGRAMME = select(client.c.programme_id).where(client.c.id == bindparam("client"))
_REPORTS = (
    select(
        access_report.c.id,
        access_report.c.client_id,
        client.c.programme_id,
        access_report.c.since,
        access_report.c.size,
        access_report.c.prepared_by,
        access_report.c.prepared_at,
        access_report_release.c.released_by,
        access_report_release.c.released_at,
        access_report_release.c.lines,
        access_report_release.c.withheld,
    )
    .join(client, client.c.id == access_report.c.client_id)
    .outerjoin(access_report_release, access_report_release.c.report_id == access_report.c.id)
)
_GET = _REPORTS.where(access_report.c.id == bindparam("report"))
_OF = _REPORTS.where(access_report.c.client_id == bindparam("client")).order_by(access_report.c.id.desc())
_WITHHELD = select(
    access_report_withheld.c.mark,
    access_report_withheld.c.reason,
    access_report_withheld.c.note,
    access_report_withheld.c.withheld_by,
    access_report_withheld.c.withheld_at,
).where(access_report_withheld.c.report_id == bindparam("report"))
_WITHHOLD = insert_or_leave(access_report_withheld).on_conflict_do_nothing()
_NAMES = select(staff.c.id, staff.c.printed_name).where(staff.c.id == any_(bindparam("people", type_=ARRAY(Uuid()))))


class Reports:
    """Satisfies `domain.accessreport.Reports`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def programme_of(self, wanted: ClientId) -> ProgrammeId:
        """See `domain.accessreport.Reports.programme_of`."""
        found = (await self._connection.execute(_PROGRAMME, {"client": wanted})).scalar_one_or_none()
        if found is None:
            raise ClientUnknown
        return ProgrammeId(found)

    async def add(self, report: Report) -> None:
        """See `domain.accessreport.Reports.add`."""
        await self._connection.execute(
            insert(access_report).values(
                id=report.id,
                client_id=report.client,
                since=report.since,
                size=report.size,
                prepared_by=report.prepared_by,
                prepared_at=report.prepared_at,
            )
        )

    async def get(self, report: ReportId) -> Report:
        """See `domain.accessreport.Reports.get`."""
        row = (await self._connection.execute(_GET, {"report": report})).first()
        if row is None:
            raise ReportUnknown
        return _report(row)

    async def of(self, client: ClientId) -> Sequence[Report]:
        """See `domain.accessreport.Reports.of`."""
        return [_report(row) for row in await self._connection.execute(_OF, {"client": client})]

    async def withhold(self, report: ReportId, marks: Collection[bytes], why: Withheld) -> None:
        """See `domain.accessreport.Reports.withhold`."""
        given = {"reason": why.reason, "note": why.note, "withheld_by": why.by, "withheld_at": why.at}
        rows = [{"report_id": report, "mark": mark, **given} for mark in marks]
        try:
            await self._connection.execute(_WITHHOLD, rows)
        except IntegrityError as closed:
            raise AlreadyReleased from closed

    async def withheld(self, report: ReportId) -> Mapping[bytes, Withheld]:
        """See `domain.accessreport.Reports.withheld`."""
        return {
            row.mark: Withheld(
                reason=Reason(row.reason), note=row.note, by=StaffId(row.withheld_by), at=row.withheld_at
            )
            for row in await self._connection.execute(_WITHHELD, {"report": report})
        }

    async def release(self, report: Report, release: Release) -> None:
        """See `domain.accessreport.Reports.release`."""
        try:
            await self._connection.execute(
                insert(access_report_release).values(
                    report_id=report.id,
                    released_by=release.released_by,
                    released_at=release.released_at,
                    lines=release.lines,
                    withheld=release.withheld,
                )
            )
        except IntegrityError as twice:
            raise AlreadyReleased from twice

    async def names(self, people: Collection[StaffId]) -> Mapping[str, str]:
        """Printed names by identifier."""
        rows = await self._connection.execute(_NAMES, {"people": list(people)})
        return {str(row.id): row.printed_name for row in rows}


def _report(row: Row[*tuple[Any, ...]]) -> Report:
    release = None
    if row.released_by is not None:
        release = Release(
            released_by=StaffId(row.released_by),
            released_at=row.released_at,
            lines=row.lines,
            withheld=row.withheld,
        )
    return Report(
        id=ReportId(row.id),
        client=ClientId(row.client_id),
        programme=ProgrammeId(row.programme_id),
        since=row.since,
        size=row.size,
        prepared_by=StaffId(row.prepared_by),
        prepared_at=row.prepared_at,
        release=release,
    )
