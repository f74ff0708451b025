"""Exports with proofs that are made beside the requests: asked for, made by some worker, and fetched by whoever asked.

A worker takes an export for a while and says again and again that it is still at it. When it is killed, the time runs
out, and another one begins anew. Three attempts, and it is given up.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final, Protocol
from uuid import UUID

from caseload.domain.accesslog import Proof
from caseload.domain.errors import Conflict, NotFound
from caseload.domain.ids import BundleId, StaffId
from caseload.domain.journal import Event

HELD_FOR: Final = timedelta(seconds=60)
"""For how long a worker has an export to itself after it last said so."""
MOST_ATTEMPTS: Final = 3
KEPT_FOR: Final = timedelta(hours=24)
"""How long a finished export can be fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleFailed(Event):
    """An export was given up, and why."""

    name: ClassVar[str] = "audit_log.export_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveRemoved(Event):
    """The archive of an export is no longer kept."""

    name: ClassVar[str] = "audit_log.archive_removed"


class State(StrEnum):
    """How far an export has come."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class BundleUnknown(NotFound):
    """There is no such export of yours."""

    def __init__(self) -> None:
        super().__init__("Whoever asked for an export fetches it, within a day. Ask for a new one.")


class BundleNotDone(Conflict):
    """The export is not done."""

    def __init__(self, state: State) -> None:
        super().__init__(f"It is {state.value}. Ask how far it is, and fetch it when it is done.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How an export ended."""

    at: datetime
    problem: str | None = None
    """Why there is no file."""
    entries: int = 0
    octets: int = 0
    """Of the file."""
    sha256: str = ""
    """Of the manifest in it, as the log has it too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """An export as it was asked for, and how far it is."""

    id: BundleId
    request: UUID
    """The request that asked, as the log knows it: all of an export's entries name it."""
    wanted: Proof
    asked_by: StaffId
    asked_at: datetime
    attempts: int = 0
    held_until: datetime | None = None
    written: int = 0
    of: int = 0
    """How many entries have been written, and of how many as far as is known."""
    result: Result | None = field(default=None)

    def state(self, now: datetime) -> State:
        """How far it has come."""
        if self.result is not None:
            return State.DONE if self.result.problem is None else State.FAILED
        return State.RUNNING if self.held_until is not None and self.held_until > now else State.WAITING

    def check_done(self, now: datetime) -> Result:
        """What can be fetched. Raises `BundleNotDone`, or `BundleUnknown` when it is no longer kept."""
        state = self.state(now)
        if self.result is None or state is not State.DONE:
            raise BundleNotDone(state)
        if self.result.at + KEPT_FOR <= now:
            raise BundleUnknown
        return self.result


class Bundles(Protocol):
    """What is kept of exports."""

    async def add(self, new: Bundle) -> None:
        """Keep one that has been asked for."""
        ...

    async def get(self, wanted: BundleId, *, by: StaffId) -> Bundle:
        """One that this person asked for. Raises `BundleUnknown`."""
        ...

    async def take(self, *, now: datetime) -> Bundle | None:
        """The oldest one that nobody is at, held from now on; None when there is none."""
        ...

    async def hold(self, held: Bundle, *, written: int, of: int, now: datetime) -> bool:
        """Say that one is still at it, and how far; whether that is still so."""
        ...

    async def end(self, held: Bundle, result: Result) -> None:
        """Keep how it ended."""
        ...


async def ask_for_bundle(
    new: BundleId, wanted: Proof, *, request: UUID, by: StaffId, now: datetime, bundles: Bundles
) -> Bundle:
    """Keep that an export is wanted; `wanted` has been allowed (`accesslog.export_with_proof`)."""
    bundle = Bundle(id=new, request=request, wanted=wanted, asked_by=by, asked_at=now)
    await bundles.add(bundle)
    return bundle
