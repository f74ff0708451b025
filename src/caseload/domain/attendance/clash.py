"""Clashes: a room and a facilitator are at one place at a time; whoever plans is told with what it clashes.

What is planned in spite of a clash says so. What has taken place is recorded whatever it clashes with. A client who is
expected twice at one time is warned of and never refused: somebody may mean it.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from caseload.domain.errors import Conflict
from caseload.domain.ids import ClientId, ProgrammeId, StaffId, TherapySessionId

MOST_TOLD = 20
"""So many clashes are told; of a series there may be hundreds."""


class ClaimOn(StrEnum):
    """What a session has for itself while it lasts."""

    ROOM = "room"
    FACILITATOR = "facilitator"


class SessionClashes(Conflict):
    """A room or somebody who leads it is taken at that time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A room or a person, from when to when."""

    on: ClaimOn
    key: str
    """The person, or the programme and the room: `Room 3` and `room  3` are one."""
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """Another session that claims the same at the same time."""

    on: ClaimOn
    session: TherapySessionId
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientClash:
    """A client who is expected at another session at the same time."""

    client: ClientId
    session: TherapySessionId
    starts_at: datetime
    ends_at: datetime


def claims_of(
    programme: ProgrammeId,
    *,
    place: str | None,
    facilitators: Sequence[StaffId],
    starts_at: datetime,
    ends_at: datetime,
) -> Sequence[Claim]:
    """What a session claims."""
    keys: list[tuple[ClaimOn, str]] = [(ClaimOn.FACILITATOR, str(each)) for each in facilitators]
    if place is not None:
        keys.append((ClaimOn.ROOM, f"{programme}/{_folded(place)}"))
    return [Claim(on=on, key=key, starts_at=starts_at, ends_at=ends_at) for on, key in keys]


def require_free(found: Sequence[Clash]) -> None:
    """Raise `SessionClashes` with what it clashes, unless nothing does."""
    if found:
        raise SessionClashes(
            "Choose another time, room or person, or say that you mean it (`clashes_agreed`).",
            clashes=[
                {
                    "of": clash.on.value,
                    "session_id": str(clash.session),
                    "starts_at": clash.starts_at.isoformat(),
                    "ends_at": clash.ends_at.isoformat(),
                }
                for clash in found[:MOST_TOLD]
            ],
            more=max(len(found) - MOST_TOLD, 0),
        )


def _folded(place: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", place).casefold().split())
