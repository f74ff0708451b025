"""What was done about confidentiality in a period, for the auditor and the privacy officer: read page by page, or as a file."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Router
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Stream

from caseload.api.audit_log import LOG_FILE, MEDIA_TYPES, Actor, OfProgramme, Since, Until, names_of
from caseload.api.log_filter import log_filter
from caseload.api.pages import USUAL, After, Limit, Page
from caseload.api.route import reading, searching
from caseload.api.wire import Instant, Wire
from caseload.api.work import TheWork
from caseload.audit.accesslog import LogReader
from caseload.audit.confidentiality import ConfidentialityFile, ConfidentialityReader
from caseload.audit.trail import Op
from caseload.domain.access import Act
from caseload.domain.accesslog import LogFormat
from caseload.domain.accesslog.confidentiality import Deed, Matter, Result, Sought, export_deeds, list_deeds
from caseload.domain.ids import EntryId
from caseload.request.still import still_allowed
from caseload.request.work import Work

OfMatter = Annotated[Matter | None, QueryParameter(name="matter", required=False, description="What it is about.")]
RefusedOnly = Annotated[bool, QueryParameter(name="refused_only", required=False, description="Refusals alone.")]


class ConfidentialityLineOut(Wire, frozen=True, kw_only=True):
    """Who did what, when, by which rule, and how it ended; never to whom."""

    entry_id: UUID
    """The entry of the log that says so."""
    place: int | None
    """Of that entry in the signed tree; null while it waits for one."""
    at: datetime
    actor: str
    """A staff identifier, `anonymous` or `system`."""
    actor_name: str | None
    roles: list[str]
    programme_id: UUID | None
    matter: Matter
    event: str
    result: Result
    rule: str | None
    """The rule, the version of the rules or the form by which it was done; null where none is named."""
    facts: dict[str, Any]
    """What the event says besides: codes, never names."""
    records: list[str]
    """The records, where the lines of one client were asked for; otherwise none."""
    proved: bool
    """Whether this is what the stored leaf commits to; false also of somebody who was erased from the log."""

    @classmethod
    def of(cls, deed: Deed, names: Mapping[str, str]) -> "ConfidentialityLineOut":
        """From the domain, with the names of actors."""
        entry = deed.entry
        return cls(
            entry_id=entry.id,
            place=entry.index,
            at=entry.at,
            actor=entry.actor,
            actor_name=names.get(entry.actor),
            roles=list(entry.roles),
            programme_id=entry.programme,
            matter=deed.matter,
            event=deed.event,
            result=deed.result,
            rule=deed.rule,
            facts=dict(deed.facts),
            records=list(deed.records),
            proved=deed.proved,
        )


class ConfidentialityExportIn(Wire, frozen=True, kw_only=True):
    """Which lines to take away, and as what: those that fulfil everything that is given."""

    format: LogFormat
    since: Instant | None = None
    until: Instant | None = None
    actor_id: UUID | None = None
    programme_id: UUID | None = None
    client_id: UUID | None = None
    """Only lines about this client, with the records that they are about."""
    matter: Matter | None = None
    refused_only: bool = False

    def read(self) -> Sought:
        """As the domain speaks of it."""
        asked = log_filter(self.since, self.until, self.actor_id, None, None, self.programme_id, client=self.client_id)
        return Sought(filter=asked, matter=self.matter, refused_only=self.refused_only)


@reading("/audit/confidentiality", act=Act.SEE_AUDIT_LOG, name="list_confidentiality_lines", problems=())
async def list_confidentiality_lines(
    work: TheWork,
    since: Since = None,
    until: Until = None,
    actor: Actor = None,
    programme: OfProgramme = None,
    matter: OfMatter = None,
    *,
    refused_only: RefusedOnly = False,
    after: After = None,
    limit: Limit = USUAL,
) -> Page[ConfidentialityLineOut]:
    """Consents, decisions, disclosures, refusals, broken glasses and rights requests, newest first, and never of whom.

    A page ends with a whole entry of the log. It can be shorter than `limit` and still have a `next`, where few of many
    entries belong there.
    """
    asked = log_filter(since, until, actor, None, None, programme)
    return await _page(work, Sought(filter=asked, matter=matter, refused_only=refused_only), after, limit)


@reading(
    "/clients/{client_id:uuid}/confidentiality", act=Act.SEE_AUDIT_LOG, name="list_confidentiality_lines_of_client"
)
async def list_confidentiality_lines_of_client(
    client_id: FromPath[UUID],
    work: TheWork,
    since: Since = None,
    until: Until = None,
    matter: OfMatter = None,
    *,
    refused_only: RefusedOnly = False,
    after: After = None,
    limit: Limit = USUAL,
) -> Page[ConfidentialityLineOut]:
    """The same of one client, with the identifiers of the records. That it was asked for stands in who saw the client."""
    asked = log_filter(since, until, None, None, None, None, client=client_id)
    return await _page(work, Sought(filter=asked, matter=matter, refused_only=refused_only), after, limit)


@searching(
    "/audit/confidentiality/exports",
    act=Act.EXPORT_AUDIT_LOG,
    name="export_confidentiality_lines",
    problems=(404,),
    operation_class=LOG_FILE,
)
async def export_confidentiality_lines(data: JSONBody[ConfidentialityExportIn], work: TheWork) -> Stream:
    """The lines as a file, as of this moment, oldest first. A second entry, with rows and SHA-256, closes the export.

    Whoever loses the right meanwhile gets no more of it: the file breaks off, and the closing entry says how far it came.
    """
    sought = data.read()
    what = export_deeds(sought, data.format, by=work.by, journal=work.journal)
    work.circumstances.filter = sought.facts() or None
    work.circumstances.op = Op.EXECUTE
    client = sought.filter.client
    key = None if client is None else await LogReader(work.connection, work.service.trail).key_of(client)
    file = ConfidentialityFile(
        work.service.engine,
        work.service.batcher,
        what,
        work.service.trail,
        key=key,
        actor=work.by,
        circumstances=work.circumstances,
        allowed=still_allowed(work.service, what, work.by),
    )
    name = f"confidentiality-{work.now:%Y%m%dT%H%M%SZ}.{data.format.value}"
    return Stream(
        file.stream(),
        media_type=MEDIA_TYPES[data.format],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _page(work: Work, sought: Sought, after: UUID | None, limit: int) -> Page[ConfidentialityLineOut]:
    sought.filter.check()
    work.circumstances.filter = sought.facts() or None
    found = await list_deeds(
        sought,
        after=None if after is None else EntryId(after),
        limit=limit,
        by=work.by,
        log=ConfidentialityReader(work.connection, work.service.trail),
        journal=work.journal,
    )
    names = await names_of(work, [deed.entry for deed in found.deeds])
    return Page(items=[ConfidentialityLineOut.of(deed, names) for deed in found.deeds], next=found.next)


router = Router(
    "/",
    route_handlers=[
        list_confidentiality_lines,
        list_confidentiality_lines_of_client,
        export_confidentiality_lines,
    ],
    tags=["Audit log"],
)
