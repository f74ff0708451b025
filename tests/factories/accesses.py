"""Lines of an access report, as the log would give them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from caseload.domain.accesslog import Access, LogEntry, LogOutcome
from caseload.domain.accessreport import Line
from caseload.domain.ids import EntryId, ProgrammeId, new_id

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
HERE = ProgrammeId(new_id())
NURSE = str(new_id())
ONE, MANY = "GET /api/v1/clients/{client_id}", "GET /api/v1/check-ins/overdue"


def line(
    *,
    at: datetime = NOW,
    actor: str = NURSE,
    event: str = "client.read",
    route: str = ONE,
    clients: int = 1,
    outcome: LogOutcome = LogOutcome.DONE,
    saw: Sequence[str] = ("identity",),
    did: Sequence[Mapping[str, object]] = (),
    tried: Sequence[Mapping[str, object]] = (),
    roles: Sequence[str] = ("nurse",),
) -> Line:
    entry = LogEntry(
        id=EntryId(new_id()),
        index=7,
        at=at,
        actor=actor,
        roles=tuple(roles),
        authenticated_by="password",
        operation="R",
        event=event,
        outcome=outcome,
        status=200,
        route=route,
        purpose="TREAT",
        programme=HERE,
        request="r",
        clients=clients,
        about=(),
    )
    access = Access(entry=entry, saw=tuple(saw), did=tuple(did), tried=tuple(tried), asked={}, proved=True)
    return Line(access=access, mark=entry.id.bytes * 2, evidence=None)
