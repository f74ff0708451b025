"""The audit log: what anyone did or saw, who saw one client, and a part of it as a file."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Router
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Stream

from caseload.api.filed import filed
from caseload.api.log_filter import LogFilterIn, log_filter
from caseload.api.pages import USUAL, After, Limit, Page
from caseload.api.route import reading, searching
from caseload.api.wire import Wire
from caseload.api.work import TheWork
from caseload.audit.accesslog import LogReader
from caseload.audit.export import LogExport
from caseload.audit.trail import Op
from caseload.db.people.accounts import Accounts
from caseload.domain import accesslog as domain
from caseload.domain.access import Act
from caseload.domain.accesslog import Access, LogEntry, LogFilter, LogFormat, LogOutcome
from caseload.domain.ids import ClientId, EntryId, StaffId
from caseload.request.still import still_allowed
from caseload.request.work import Work

NOBODY: Final = frozenset({"anonymous", "system"})
"""What an entry calls an actor who is nobody of the staff."""
MEDIA_TYPES: Final = {LogFormat.CSV: "text/csv", LogFormat.NDJSON: "application/x-ndjson"}
LOG_FILE: Final = filed("The file: CSV (RFC 4180) or one leaf per line, as stored.", *MEDIA_TYPES.values())

Since = Annotated[
    datetime | None, QueryParameter(name="since", required=False, description="The first instant, with its offset.")
]
Until = Annotated[
    datetime | None, QueryParameter(name="until", required=False, description="The first instant that counts no more.")
]
Actor = Annotated[UUID | None, QueryParameter(name="actor", required=False, description="Who acted.")]
EventName = Annotated[
    str | None,
    QueryParameter(
        name="event",
        required=False,
        max_length=160,
        description="The name of an event (`dose.recorded`), or its first word (`dose`).",
    ),
]
HowItEnded = Annotated[LogOutcome | None, QueryParameter(name="outcome", required=False)]
OfProgramme = Annotated[UUID | None, QueryParameter(name="programme", required=False, description="Where it happened.")]


class AuditEntryOut(Wire, frozen=True, kw_only=True):
    """What an entry says without laying a client open."""

    id: UUID
    index: int | None
    """Its place in the tree; null while it waits for one."""
    at: datetime
    actor: str
    """A staff identifier, `anonymous` or `system`."""
    actor_name: str | None
    """The actor's printed name, which never changes; null where it was nobody of the staff."""
    roles: list[str]
    """The roles that the actor held then."""
    authenticated_by: str
    operation: str
    """FHIR `audit-event-action`."""
    event: str
    outcome: LogOutcome
    status: int | None
    route: str
    purpose: str
    """HL7 v3 PurposeOfUse."""
    programme_id: UUID | None
    request_id: str
    clients: int
    """How many clients it names."""
    about: list[dict[str, Any]]
    """What was recorded of the request: source address, filter, events that concern no client."""

    @classmethod
    def of(cls, entry: LogEntry, names: Mapping[str, str]) -> "AuditEntryOut":
        """From the domain, with the names of actors."""
        return cls(
            id=entry.id,
            index=entry.index,
            at=entry.at,
            actor=entry.actor,
            actor_name=names.get(entry.actor),
            roles=list(entry.roles),
            authenticated_by=entry.authenticated_by,
            operation=entry.operation,
            event=entry.event,
            outcome=entry.outcome,
            status=entry.status,
            route=entry.route,
            purpose=entry.purpose,
            programme_id=entry.programme,
            request_id=entry.request,
            clients=entry.clients,
            about=[dict(fact) for fact in entry.about],
        )


class AccessOut(Wire, frozen=True, kw_only=True):
    """One access to the client: what was seen or done, and nothing of anybody else."""

    entry: AuditEntryOut
    saw: list[str]
    """The kinds of data that were shown."""
    did: list[dict[str, Any]]
    """What was done to the record."""
    tried: list[dict[str, Any]]
    """What would have been done, had it not been refused or failed."""
    asked: dict[str, Any]
    """Identifiers in the request. With nothing seen and nothing done, it was asked for and not shown."""
    proved: bool
    """Whether this is what the stored leaf commits to."""

    @classmethod
    def of(cls, access: Access, names: Mapping[str, str]) -> "AccessOut":
        """From the domain, with the names of actors."""
        return cls(
            entry=AuditEntryOut.of(access.entry, names),
            saw=list(access.saw),
            did=[dict(done) for done in access.did],
            tried=[dict(tried) for tried in access.tried],
            asked=dict(access.asked),
            proved=access.proved,
        )


class AuditExportIn(LogFilterIn, frozen=True, kw_only=True):
    """Which part of the log to take away, and as what."""

    format: LogFormat


def _ask(work: Work, asked: LogFilter) -> tuple[LogFilter, LogReader]:
    """Put the question into the entry that it leaves, once it is known to be one."""
    asked.check()
    work.circumstances.filter = asked.facts() or None
    return asked, LogReader(work.connection, work.service.trail)


@reading("/audit/entries", act=Act.SEE_AUDIT_LOG, name="list_audit_entries", problems=())
async def list_audit_entries(
    work: TheWork,
    since: Since = None,
    until: Until = None,
    actor: Actor = None,
    event: EventName = None,
    outcome: HowItEnded = None,
    programme: OfProgramme = None,
    after: After = None,
    limit: Limit = USUAL,
) -> Page[AuditEntryOut]:
    """The log, newest first. It shows who did what, never to whom: ask for the accesses to one client."""
    asked, log = _ask(work, log_filter(since, until, actor, event, outcome, programme))
    entries = await domain.list_entries(asked, after=_entry(after), limit=limit, by=work.by, log=log)
    names = await names_of(work, entries)
    items = [AuditEntryOut.of(each, names) for each in entries]
    return Page(items=items, next=items[-1].id if len(items) == limit else None)


@reading("/clients/{client_id:uuid}/accesses", act=Act.SEE_AUDIT_LOG, name="list_accesses")
async def list_accesses(
    client_id: FromPath[UUID],
    work: TheWork,
    since: Since = None,
    until: Until = None,
    actor: Actor = None,
    event: EventName = None,
    outcome: HowItEnded = None,
    programme: OfProgramme = None,
    after: After = None,
    limit: Limit = USUAL,
) -> Page[AccessOut]:
    """Who saw or changed this client's record, newest first, refused attempts among them."""
    asked, log = _ask(work, log_filter(since, until, actor, event, outcome, programme))
    accesses = await domain.who_saw(
        ClientId(client_id), asked, after=_entry(after), limit=limit, by=work.by, log=log, journal=work.journal
    )
    names = await names_of(work, [each.entry for each in accesses])
    items = [AccessOut.of(each, names) for each in accesses]
    return Page(items=items, next=items[-1].entry.id if len(items) == limit else None)


@searching(
    "/audit/exports",
    act=Act.EXPORT_AUDIT_LOG,
    name="export_audit_log",
    problems=(404,),
    operation_class=LOG_FILE,
)
async def export_audit_log(data: JSONBody[AuditExportIn], work: TheWork) -> Stream:
    """A part of the log as a file, as of this moment. A second entry, with rows and SHA-256, closes the export."""
    asked, log = _ask(work, data.read())
    work.circumstances.op = Op.EXECUTE
    what = domain.export(asked, data.format, by=work.by, journal=work.journal)
    key = None if asked.client is None else await log.key_of(asked.client)
    export = LogExport(
        work.service.engine,
        work.service.batcher,
        what,
        key=key,
        actor=work.by,
        circumstances=work.circumstances,
        allowed=still_allowed(work.service, what, work.by),
    )
    name = f"audit-log-{work.now:%Y%m%dT%H%M%SZ}.{data.format.value}"
    return Stream(
        export.stream(),
        media_type=MEDIA_TYPES[data.format],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def names_of(work: Work, entries: Sequence[LogEntry]) -> Mapping[str, str]:
    """The printed names of the actors who are people of the staff."""
    people = {StaffId(UUID(each.actor)) for each in entries if each.actor not in NOBODY}
    return {str(who): name for who, name in (await Accounts(work.connection).printed_names(people)).items()}


def _entry(after: UUID | None) -> EntryId | None:
    return None if after is None else EntryId(after)


router = Router("/", route_handlers=[list_audit_entries, list_accesses, export_audit_log], tags=["Audit log"])
