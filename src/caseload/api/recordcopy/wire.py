"""Copies of records on the wire."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec

from caseload.api.reaching import ReachByOut
from caseload.api.wire import Wire
from caseload.domain.profiles.rights import WithholdingReason
from caseload.domain.recordcopy import (
    MOST_DECIDED,
    CopyEntry,
    CopyRelease,
    Counts,
    Decision,
    HandedOver,
    RecordCopy,
    Releasing,
    Section,
)


class CopyDecisionIn(Wire, frozen=True, kw_only=True):
    """Whether entries leave, and what that rests on."""

    entries: Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=MOST_DECIDED)]
    reason: WithholdingReason | None = None
    """Why they are withheld, one that the profile knows; null lets leave what is held back."""
    note: str
    """What it rests on; of harm, which health professional says so. It stays in the record and does not leave."""


class CopyReleaseIn(Wire, frozen=True, kw_only=True):
    """To whom the copy goes, and how."""

    to_representative: bool = False
    """To whoever asked for the client; to the client when left out."""
    manner: HandedOver
    detail: str
    """Which document was shown when it was handed over, or how it is sent. To the client it is posted to the address at which
    they are reached."""

    def read(self) -> Releasing:
        """For the domain."""
        return Releasing(to_representative=self.to_representative, manner=self.manner, detail=self.detail)


class CopyReleaseOut(Wire, frozen=True, kw_only=True):
    """That a copy left: to whom, how, and what exactly."""

    to_representative: bool
    manner: HandedOver
    detail: str
    entries: int
    withheld: int
    """How many do not leave, and the copy says so."""
    unsaid: int
    """How many do not leave, and the copy says nothing of it."""
    recorded_since: int
    """How many were recorded after it was prepared, and are not in it."""
    sha256: str
    """Of the copy as JSON, whenever it is fetched; the PDF names it."""
    address: str | None
    """Where it is posted to the client: the address at which they were reached when it was released."""
    released_by: UUID
    released_at: datetime

    @classmethod
    def of(cls, one: CopyRelease) -> "CopyReleaseOut":
        """From the domain."""
        return cls(
            to_representative=one.how.to_representative,
            manner=one.how.manner,
            detail=one.how.detail,
            entries=one.entries,
            withheld=one.withheld,
            unsaid=one.unsaid,
            recorded_since=one.later,
            sha256=one.sha256.hex(),
            address=one.address,
            released_by=one.by,
            released_at=one.at,
        )


class WithheldCount(Wire, frozen=True, kw_only=True):
    """How many entries are withheld for one reason."""

    reason: WithholdingReason
    entries: int


class RecordCopyOut(Wire, frozen=True, kw_only=True):
    """A copy of a client's record, as far as it has come."""

    id: UUID
    request_id: UUID
    client_id: UUID
    prepared_by: UUID
    as_of: datetime
    """What was recorded by then is in it."""
    entries: int
    waiting: int
    """How many are held back until somebody decides; the copy does not leave before."""
    withheld: list[WithheldCount]
    recorded_since: int
    """How many were recorded after it was prepared: prepare another if they belong in it."""
    release: CopyReleaseOut | None
    reach_by: ReachByOut
    """How and where the client is reached: by post a copy goes nowhere else."""

    @classmethod
    def of(cls, one: RecordCopy, counts: Counts, later: int, reach_by: ReachByOut) -> "RecordCopyOut":
        """From the domain."""
        return cls(
            id=one.id,
            request_id=one.request,
            client_id=one.client,
            prepared_by=one.prepared_by,
            as_of=one.prepared_at,
            entries=counts.entries,
            waiting=counts.waiting,
            withheld=[WithheldCount(reason=reason, entries=entries) for reason, entries in counts.withheld.items()],
            recorded_since=later,
            release=None if one.release is None else CopyReleaseOut.of(one.release),
            reach_by=reach_by,
        )


class RecordCopiesOut(Wire, frozen=True, kw_only=True):
    """The copies that were prepared for a request, the last first."""

    items: list[RecordCopyOut]


class CopyDecisionOut(Wire, frozen=True, kw_only=True):
    """Whether an entry leaves, and what that rests on."""

    reason: WithholdingReason | None
    """Why it is withheld; null where it leaves."""
    note: str
    decided_by: UUID
    decided_at: datetime

    @classmethod
    def of(cls, one: Decision) -> "CopyDecisionOut":
        """From the domain."""
        return cls(reason=one.reason, note=one.note, decided_by=one.by, decided_at=one.at)


class CopyEntryOut(Wire, frozen=True, kw_only=True):
    """One entry of a copy, for whoever looks through it."""

    id: UUID
    section: Section
    kind: str
    told_at: datetime | None
    held_for: WithholdingReason | None
    """Why it does not leave by itself."""
    waits: bool
    """Whether somebody must decide about it before the copy leaves."""
    content: dict[str, Any] | None
    """What it says; null of a counselling note, which lies apart and is in no copy."""
    decision: CopyDecisionOut | None

    @classmethod
    def of(cls, one: CopyEntry) -> "CopyEntryOut":
        """From the domain."""
        return cls(
            id=one.id,
            section=one.section,
            kind=one.kind,
            told_at=one.told_at,
            held_for=one.held_for,
            waits=one.waits,
            content=None if one.content is None else msgspec.json.decode(one.content, type=dict[str, Any]),
            decision=None if one.decision is None else CopyDecisionOut.of(one.decision),
        )
