"""Merges on the wire."""

from datetime import datetime
from uuid import UUID

from caseload.api.wire import Wire
from caseload.domain.ids import ClientId
from caseload.domain.merge import Merge, OpenKind, Outcome, Side, Standing, StillOpen


class MergeIn(Wire, frozen=True, kw_only=True):
    """Into which registration this one is to be merged, and how you know that they are one person's."""

    survivor_id: UUID
    reason: str


class MergeAnswerIn(Wire, frozen=True, kw_only=True):
    """Why a merge is confirmed, rejected, withdrawn or undone."""

    reason: str


class MergeOut(Wire, frozen=True, kw_only=True):
    """Two registrations that somebody says are one person's."""

    id: UUID
    duplicate_id: UUID
    survivor_id: UUID
    standing: Standing
    reason: str
    proposed_by: UUID
    proposed_at: datetime
    outcome: Outcome | None
    answer_reason: str | None
    answered_by: UUID | None
    answered_at: datetime | None
    undone_reason: str | None
    undone_by: UUID | None
    undone_at: datetime | None

    @classmethod
    def of(cls, merge: Merge) -> "MergeOut":
        """From the domain."""
        answer, undoing = merge.answer, merge.undoing
        return cls(
            id=merge.id,
            duplicate_id=merge.duplicate,
            survivor_id=merge.survivor,
            standing=merge.standing,
            reason=merge.reason,
            proposed_by=merge.proposed_by,
            proposed_at=merge.proposed_at,
            outcome=None if answer is None else answer.outcome,
            answer_reason=None if answer is None else answer.reason,
            answered_by=None if answer is None else answer.by,
            answered_at=None if answer is None else answer.at,
            undone_reason=None if undoing is None else undoing.reason,
            undone_by=None if undoing is None else undoing.by,
            undone_at=None if undoing is None else undoing.at,
        )


class MergesOut(Wire, frozen=True, kw_only=True):
    """Proposals that wait for a second person, the last first."""

    items: list[MergeOut]


class StillOpenOut(Wire, frozen=True, kw_only=True):
    """One thing that must be settled before the duplicate is closed."""

    kind: OpenKind
    record_id: UUID
    settle: str

    @classmethod
    def of(cls, left: StillOpen) -> "StillOpenOut":
        """From the domain."""
        return cls(kind=left.kind, record_id=left.record, settle=left.settle)


class WholeMergeOut(Wire, frozen=True, kw_only=True):
    """A merge, and what must still be settled under the duplicate."""

    merge: MergeOut
    still_open: list[StillOpenOut]


class MergedWithOut(Wire, frozen=True, kw_only=True):
    """A merge as one of its registrations shows it."""

    merge_id: UUID
    side: Side
    standing: Standing
    other_id: UUID | None
    """The other registration; null where it is not within your reach."""
    since: datetime

    @classmethod
    def of(cls, merge: Merge, client: ClientId, *, sees_both: bool) -> "MergedWithOut":
        """From the domain."""
        changed = merge.undoing or merge.answer
        return cls(
            merge_id=merge.id,
            side=Side.DUPLICATE if client == merge.duplicate else Side.SURVIVOR,
            standing=merge.standing,
            other_id=merge.other(client) if sees_both else None,
            since=merge.proposed_at if changed is None else changed.at,
        )


class MergedWithPage(Wire, frozen=True, kw_only=True):
    """The merges of one registration, the last first."""

    items: list[MergedWithOut]
