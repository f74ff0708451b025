"""Reports as they are kept: what is withheld stays withheld, and what was released stays as it was."""

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.accessreport import Reports
from caseload.db.tables.accessreport import access_report, access_report_release, access_report_withheld
from caseload.domain.accessreport import AlreadyReleased, Reason, Release, Report, ReportUnknown, Withheld
from caseload.domain.client import ClientUnknown
from caseload.domain.ids import ClientId, ReportId, new_id
from tests.factories import clients, people
from tests.factories.people import NOW

pytestmark = pytest.mark.anyio

MARK, OTHER = bytes(32), bytes([1]) * 32


@dataclass(frozen=True)
class Kept:
    reports: Reports
    report: Report


@pytest.fixture
async def kept(connection: AsyncConnection) -> Kept:
    programme = await people.programme(connection)
    officer = await people.bystander(connection)
    client = await clients.in_care(connection, programme=programme, counsellor=officer)
    reports = Reports(connection)
    report = Report(
        id=ReportId(new_id()),
        client=client.id,
        programme=programme,
        since=NOW - timedelta(days=9),
        size=40,
        prepared_by=officer,
        prepared_at=NOW,
    )
    await reports.add(report)
    return Kept(reports, report)


def because(kept: Kept, reason: Reason) -> Withheld:
    return Withheld(reason=reason, note="A threat.", by=kept.report.prepared_by, at=NOW)


async def test_a_report_comes_back_as_it_was_prepared_and_released(kept: Kept) -> None:
    reports, report = kept.reports, kept.report
    assert await reports.get(report.id) == report
    assert await reports.of(report.client) == [report]
    assert await reports.programme_of(report.client) == report.programme
    release = Release(released_by=report.prepared_by, released_at=NOW, lines=7, withheld=1)
    await reports.release(report, release)
    assert await reports.get(report.id) == replace(report, release=release)
    assert await reports.names([report.prepared_by]) == {str(report.prepared_by): "Sam Bystander"}
    with pytest.raises(ReportUnknown):
        await reports.get(ReportId(new_id()))
    with pytest.raises(ClientUnknown):
        await reports.programme_of(ClientId(new_id()))


async def test_the_first_reason_stays(kept: Kept) -> None:
    first, second = because(kept, Reason.SAFETY), because(kept, Reason.INVESTIGATION)
    await kept.reports.withhold(kept.report.id, [MARK], first)
    await kept.reports.withhold(kept.report.id, [MARK, OTHER], second)
    assert await kept.reports.withheld(kept.report.id) == {MARK: first, OTHER: second}


async def test_what_has_left_stays_as_it_was(kept: Kept, connection: AsyncConnection) -> None:
    release = Release(released_by=kept.report.prepared_by, released_at=NOW, lines=7, withheld=0)
    await kept.reports.release(kept.report, release)
    for late in (
        lambda: kept.reports.withhold(kept.report.id, [MARK], because(kept, Reason.SAFETY)),
        lambda: kept.reports.release(kept.report, release),
    ):
        async with connection.begin_nested() as attempt:
            with pytest.raises(AlreadyReleased):
                await late()
            await attempt.rollback()
    for statement in (
        delete(access_report_release),
        update(access_report_withheld).values(note="x"),
        update(access_report).values(size=1),
    ):
        async with connection.begin_nested() as attempt:
            with pytest.raises(ProgrammingError, match="permission denied"):
                await connection.execute(statement)
            await attempt.rollback()
