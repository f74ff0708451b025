"""The register of a session: a line for everybody who was expected or came, as versions of which the last counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from caseload.domain.consent import IdentityCheck
from caseload.domain.ids import ClientId, ConsentId, RelativePlaceId, StaffId, TherapySessionId


class CancelledBy(StrEnum):
    """Who called it off. What the provider calls off never counts against the client."""

    CLIENT = "client"
    PROVIDER = "provider"


class Status(StrEnum):
    """What became of one client's place in a session."""

    ATTENDED = "attended"
    ATTENDED_LATE = "attended_late"
    LEFT_EARLY = "left_early"
    DID_NOT_ATTEND = "did_not_attend"
    CANCELLED_BY_CLIENT = "cancelled_by_client"
    CANCELLED_BY_PROVIDER = "cancelled_by_provider"
    """Never counts against the client."""
    RECORDED_IN_ERROR = "recorded_in_error"
    """The line should not have been there; it counts for nothing."""


CALLED_OFF_BY: Mapping[CancelledBy, Status] = MappingProxyType({
    CancelledBy.CLIENT: Status.CANCELLED_BY_CLIENT,
    CancelledBy.PROVIDER: Status.CANCELLED_BY_PROVIDER,
})  # fmt: skip
WAS_THERE = frozenset({Status.ATTENDED, Status.ATTENDED_LATE, Status.LEFT_EARLY})
CALLED_OFF = frozenset({Status.CANCELLED_BY_CLIENT, Status.CANCELLED_BY_PROVIDER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What became of one client's place."""

    client: ClientId
    status: Status
    late_minutes: int | None = None
    """Minutes after the session began; of whoever came late, also when they left early."""
    left_early_minutes: int | None = None
    """Minutes before the session ended."""
    walk_in: bool = False
    """Was there without being expected."""
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RelativeLine:
    """What became of a relative's place. It counts in nobody's hours."""

    place: RelativePlaceId
    status: Status
    late_minutes: int | None = None
    left_early_minutes: int | None = None
    check: IdentityCheck | None = None
    """How whoever led the session made sure who it was; for those who come with a client."""
    in_spite_because: str | None = None
    """Why they were there although nothing allowed it: it happened, so it is kept."""
    note: str | None = None
    consent: ConsentId | None = None
    """The client's consent by which they sat there; found out, never handed in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """One version of the register, whole, kept for ever."""

    session: TherapySessionId
    version: int
    started_at: datetime
    ended_at: datetime
    lines: tuple[Line, ...]
    note: str | None
    """What concerns everybody. It names nobody of the group."""
    reason: str | None
    """Why it replaces the version before."""
    taken_by: StaffId
    taken_at: datetime
    relatives: tuple[RelativeLine, ...] = ()

    def minutes(self, line: Line | RelativeLine) -> int:
        """How many whole minutes somebody was there; none for whoever was not."""
        if line.status not in WAS_THERE:
            return 0
        whole = (self.ended_at - self.started_at) // timedelta(minutes=1)
        return whole - (line.late_minutes or 0) - (line.left_early_minutes or 0)
