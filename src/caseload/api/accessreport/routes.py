"""Who saw my record: a report is prepared, looked through, released, and leaves as a file."""

import asyncio
from collections.abc import AsyncGenerator, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Annotated, Final
from uuid import UUID

from litestar import Response, Router
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Stream

from caseload.api.accessreport import files
from caseload.api.accessreport.files import Cover
from caseload.api.accessreport.wire import (
    AccessLineOut,
    AccessReportIn,
    AccessReportOut,
    AccessReportsOut,
    ReleaseOut,
    WithholdIn,
)
from caseload.api.filed import filed
from caseload.api.pages import USUAL, After, Limit, Page
from caseload.api.reaching import reach_by
from caseload.api.route import reading, writing
from caseload.api.work import TheKey, TheWork, nothing_more
from caseload.audit.accessreport import ProvedAccesses, every_line
from caseload.audit.sending import Sending
from caseload.audit.tlog.proof import Proof
from caseload.audit.trail import Op
from caseload.db.accessreport import Reports
from caseload.db.idempotency import Kept
from caseload.db.merge import Merges
from caseload.db.programme import Programmes
from caseload.domain import accessreport as domain
from caseload.domain.access import Act
from caseload.domain.accessreport import (
    Counted,
    Line,
    LineUnknown,
    Release,
    Report,
    ReportFormat,
    ReportSent,
    Withheld,
    leave_out,
)
from caseload.domain.ids import ClientId, EntryId, ReportId, StaffId, new_id
from caseload.domain.people import Staff
from caseload.request.idempotency import once
from caseload.request.still import still_found
from caseload.request.work import Work
from caseload.typesetting import typeset

MEDIA_TYPES: Final = {
    ReportFormat.JSON: "application/json",
    ReportFormat.CSV: "text/csv",
    ReportFormat.PDF: "application/pdf",
}
PROOF_TYPE: Final = "text/plain"

As = Annotated[ReportFormat, QueryParameter(name="format", description="As what the report leaves.")]


def _accesses(work: Work) -> ProvedAccesses:
    return ProvedAccesses(work.connection, work.service.trail)


async def _report(work: Work, report_id: UUID) -> Report:
    report = await domain.report_for(ReportId(report_id), by=work.by, reports=Reports(work.connection))
    work.circumstances.programme = report.programme
    return report


@writing("/clients/{client_id:uuid}/access-reports", act=Act.REPORT_ACCESS, name="prepare_access_report")
async def prepare_access_report(
    client_id: FromPath[UUID], data: JSONBody[AccessReportIn], work: TheWork, key: TheKey
) -> AccessReportOut:
    """Prepare a report of who looked at a client's record, as of the log's last signed checkpoint."""
    reports, client = Reports(work.connection), ClientId(client_id)
    new = ReportId(new_id())

    async def prepare() -> Report:
        report = Report(
            id=new,
            client=client,
            programme=await reports.programme_of(client),
            since=data.since,
            size=(await _accesses(work).newest_tree()).size,
            prepared_by=work.by.id,
            prepared_at=work.now,
        )
        await domain.prepare_report(report, by=work.by, reports=reports, journal=work.journal)
        return report

    async def again(kept: Kept) -> Report:
        return await domain.report_for(ReportId(kept.resource), by=work.by, reports=reports)

    report = await once(work, key, Kept(status=201, resource=new), do=prepare, again=again)
    return AccessReportOut.of(report, await reach_by(work, report.client))


@reading("/clients/{client_id:uuid}/access-reports", act=Act.REPORT_ACCESS, name="list_access_reports")
async def list_access_reports(client_id: FromPath[UUID], work: TheWork) -> AccessReportsOut:
    """Reports that were prepared about a client, the newest first."""
    reports, client = Reports(work.connection), ClientId(client_id)
    domain.require_programme(await reports.programme_of(client), by=work.by)
    work.journal.saw(client, "access_report")
    ways = await reach_by(work, client)
    merges = Merges(work.connection, work.journal, now=work.now)
    return AccessReportsOut(
        items=[AccessReportOut.of(each, ways) for each in await reports.of(client)],
        merged_with=list(await merges.merged_with(client, reach=work.by.reach(Act.REPORT_ACCESS))),
    )


@reading("/access-reports/{report_id:uuid}", act=Act.REPORT_ACCESS, name="read_access_report")
async def read_access_report(report_id: FromPath[UUID], work: TheWork) -> AccessReportOut:
    """What was asked for, and how far the report has come."""
    report = await _report(work, report_id)
    work.journal.saw(report.client, "access_report")
    return AccessReportOut.of(report, await reach_by(work, report.client))


@reading("/access-reports/{report_id:uuid}/lines", act=Act.REPORT_ACCESS, name="list_access_report_lines")
async def list_access_report_lines(
    report_id: FromPath[UUID], work: TheWork, after: After = None, limit: Limit = USUAL
) -> Page[AccessLineOut]:
    """Every access with its proof, newest first, for whoever looks through the report: withheld lines stand in it."""
    report, reports = await _report(work, report_id), Reports(work.connection)
    zone = (await Programmes(work.connection).get(report.programme)).zone
    shown = await domain.look_through(
        report,
        after=None if after is None else EntryId(after),
        limit=limit,
        accesses=_accesses(work),
        reports=reports,
        journal=work.journal,
    )
    names = await reports.names(_people(each.line for each in shown))
    items = [
        AccessLineOut.reviewed(each, who=files.name_of(each.line.access.entry.actor, names), zone=zone)
        for each in shown
    ]
    return Page(items=items, next=items[-1].entry if len(items) == limit else None)


@reading(
    "/access-reports/{report_id:uuid}/lines/{entry_id:uuid}/proof",
    act=Act.REPORT_ACCESS,
    name="read_access_report_proof",
    operation_class=filed("A C2SP tlog-proof.", PROOF_TYPE),
)
async def read_access_report_proof(report_id: FromPath[UUID], entry_id: FromPath[UUID], work: TheWork) -> Response[str]:
    """That the entry of a line is in the log, as a C2SP tlog-proof that any verifier of transparency logs reads."""
    report, accesses = await _report(work, report_id), _accesses(work)
    line = await accesses.line(report, EntryId(entry_id))
    work.journal.saw(report.client, "access_log")
    if line.evidence is None:
        raise LineUnknown
    tree = await accesses.tree_at(report.size)
    proof = Proof(index=line.evidence.index, path=line.evidence.path, checkpoint=tree.note)
    return Response(proof.encode().decode(), media_type=PROOF_TYPE)


@writing(
    "/access-reports/{report_id:uuid}/withheld", act=Act.REPORT_ACCESS, name="withhold_access_report_lines", status=204
)
async def withhold_access_report_lines(
    report_id: FromPath[UUID], data: JSONBody[WithholdIn], work: TheWork, key: TheKey
) -> None:
    """Withhold lines: they do not leave, the reason is recorded, and the report says how many there are."""

    async def withhold() -> None:
        await domain.withhold_lines(
            await _report(work, report_id),
            [EntryId(each) for each in data.entries],
            Withheld(reason=data.reason, note=data.note.strip(), by=work.by.id, at=work.now),
            accesses=_accesses(work),
            reports=Reports(work.connection),
            journal=work.journal,
        )

    await once(work, key, Kept(status=204, resource=report_id), do=withhold, again=nothing_more)


@writing("/access-reports/{report_id:uuid}/release", act=Act.REPORT_ACCESS, name="release_access_report")
async def release_access_report(report_id: FromPath[UUID], work: TheWork, key: TheKey) -> ReleaseOut:
    """Say, having looked through it, that the report may leave as it is."""

    async def release() -> Release:
        return await domain.release_report(
            await _report(work, report_id),
            by=work.by,
            now=work.now,
            accesses=_accesses(work),
            reports=Reports(work.connection),
            journal=work.journal,
        )

    async def again(_: Kept) -> Release:
        return (await _report(work, report_id)).require_released()

    return ReleaseOut.of(await once(work, key, Kept(status=201, resource=report_id), do=release, again=again))


@reading(
    "/access-reports/{report_id:uuid}/file",
    act=Act.REPORT_ACCESS,
    name="send_access_report",
    problems=(404, 409),
    operation_class=filed("The report, with every line that is not withheld.", *MEDIA_TYPES.values()),
)
async def send_access_report(report_id: FromPath[UUID], format_: As, work: TheWork) -> Stream:
    """A released report as a file. A second entry, with length and SHA-256, closes it."""
    report = await _report(work, report_id)
    report.require_released()
    reports = Reports(work.connection)
    zone = (await Programmes(work.connection).get(report.programme)).zone
    cover = Cover(report, await _accesses(work).tree_at(report.size), zone)
    withheld, names, counted = await reports.withheld(report.id), dict[str, str](), Counted()
    await _accesses(work).key_of(report)
    work.circumstances.op = Op.EXECUTE
    work.journal.saw(report.client, "access_log")
    groups = files.by_group(_leaving(work, report, withheld, counted, names), zone)
    if format_ is ReportFormat.PDF:
        printed = await files.for_print(cover, groups, names, counted)
        pieces = _one(await asyncio.to_thread(typeset, "access_report.typ", printed))
    else:
        make = files.as_json if format_ is ReportFormat.JSON else files.as_csv
        pieces = make(cover, groups, names, counted)
    sending = Sending(
        work.service.batcher,
        ReportSent,
        client=report.client,
        record=report.id,
        written_as=format_.value,
        actor=work.by,
        circumstances=work.circumstances,
        allowed=still_found(work.service, work.by, partial(_found, work, report.id)),
    )
    return Stream(
        sending.stream(pieces),
        media_type=MEDIA_TYPES[format_],
        headers={"Content-Disposition": f'attachment; filename="who-saw-my-record-{report.id}.{format_.value}"'},
    )


async def _found(work: Work, report: ReportId, by: Staff) -> Report:
    """The report as somebody finds it at this moment, whoever they were when the file began."""
    async with work.service.engine.connect() as connection:
        return await domain.report_for(report, by=by, reports=Reports(connection))


async def _leaving(
    work: Work, report: Report, withheld: Mapping[bytes, Withheld], counted: Counted, names: dict[str, str]
) -> AsyncGenerator[Sequence[Line], None]:
    """The lines that leave, some hundred at a time; their people's names are known by then."""
    service = work.service
    async for lines in every_line(service.engine, service.trail, report):
        left = leave_out(lines, withheld, counted)
        unknown = [each for each in _people(left) if str(each) not in names]
        if unknown:
            async with service.engine.connect() as connection:
                names |= await Reports(connection).names(unknown)
        if left:
            yield left


async def _one(piece: bytes) -> AsyncGenerator[bytes, None]:
    yield piece


def _people(lines: Iterable[Line]) -> Collection[StaffId]:
    return {StaffId(UUID(line.access.entry.actor)) for line in lines if len(line.access.entry.actor) == _IDENTIFIER}


_IDENTIFIER: Final = 36
"""A staff identifier as text; `anonymous` and `system` are shorter."""

router = Router(
    "/",
    route_handlers=[
        prepare_access_report,
        list_access_reports,
        read_access_report,
        list_access_report_lines,
        read_access_report_proof,
        withhold_access_report_lines,
        release_access_report,
        send_access_report,
    ],
    tags=["Access reports"],
)
