"""Which part of the audit log is asked for, as everybody who takes some of it away says it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from caseload.api.wire import Instant, Wire
from caseload.domain.accesslog import LogFilter, LogOutcome
from caseload.domain.ids import ClientId, ProgrammeId, StaffId


class LogFilterIn(Wire, frozen=True, kw_only=True):
    """Which entries: those that fulfil everything that is given."""

    since: Instant | None = None
    until: Instant | None = None
    actor_id: UUID | None = None
    event: Annotated[str, msgspec.Meta(max_length=160)] | None = None
    outcome: LogOutcome | None = None
    programme_id: UUID | None = None
    client_id: UUID | None = None
    """Only entries about this client."""

    def read(self) -> LogFilter:
        """As the domain speaks of it."""
        return log_filter(
            self.since, self.until, self.actor_id, self.event, self.outcome, self.programme_id, self.client_id
        )


def log_filter(
    since: datetime | None,
    until: datetime | None,
    actor: UUID | None,
    event: str | None,
    outcome: LogOutcome | None,
    programme: UUID | None,
    client: UUID | None = None,
) -> LogFilter:
    """What is asked for, as the domain speaks of it."""
    return LogFilter(
        since=since,
        until=until,
        actor=None if actor is None else StaffId(actor),
        event=event,
        outcome=outcome,
        programme=None if programme is None else ProgrammeId(programme),
        client=None if client is None else ClientId(client),
    )
