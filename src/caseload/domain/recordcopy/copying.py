"""The copy of a record that a client asks for: prepared as of a moment, looked through, decided entry by entry, released once.

45 CFR 164.524, UK GDPR art. 15. What others told in confidence, what names another client or tells of somebody else, and what
could warn or endanger somebody is held back until a privacy officer decides; what they withhold keeps its reason and is counted in
the copy, where the profile lets the client be told. Counselling notes lie apart (42 CFR 2.11): the copy counts them and holds none.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Final, Protocol

from caseload.domain.errors import Faults
from caseload.domain.family import text_fault
from caseload.domain.ids import CopyEntryId, RecordCopyId, RelatedPersonId
from caseload.domain.journal import Event, Journal
from caseload.domain.outreach import Channel, Contact, ways_to
from caseload.domain.people import Staff
from caseload.domain.profiles.rights import RightKind, Rights, Withholding, WithholdingReason
from caseload.domain.programme import Programme
from caseload.domain.recordcopy.copy import (
    AuthorityEnded,
    CopyEntry,
    CopyRelease,
    Counts,
    Decision,
    EntriesUndecided,
    EntryDecided,
    EntryUnknown,
    HandedOver,
    LiesApart,
    NotForACopy,
    NotThatWay,
    RecordCopy,
    Releasing,
)
from caseload.domain.rights import AgreedContacts, RightsRequest, RightsRequests

LONGEST_NOTE: Final = 2_000
MOST_DECIDED: Final = 200
"""Entries that may be decided in one call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyPrepared(Event):
    """A copy of a client's record was prepared."""

    name: ClassVar[str] = "record_copy.prepared"


@dataclass(frozen=True, slots=True, kw_only=True)
class EntriesDecided(Event):
    """It was decided whether entries of a copy leave."""

    name: ClassVar[str] = "record_copy.decided"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCopyReleased(Event):
    """A copy of a client's record may leave."""

    name: ClassVar[str] = "record_copy.released"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCopySent(Event):
    """A copy of a client's record left as a file, wholly or as far as it came."""

    name: ClassVar[str] = "record_copy.sent"


class Copies(Protocol):
    """The copies that are kept."""

    async def prepare(self, copy: RecordCopy, programme: Programme, /) -> int:
        """Keep it with everything that the record holds about the client, and say how many entries that is."""
        ...

    async def entries(self, copy: RecordCopyId, wanted: Collection[CopyEntryId], /) -> Sequence[CopyEntry]:
        """These entries of a copy, as many of them as there are."""
        ...

    async def counts(self, copy: RecordCopyId, /) -> Counts:
        """How its entries stand."""
        ...

    async def later(self, copy: RecordCopy, /) -> int:
        """How many entries about the client were recorded after the copy was prepared."""
        ...

    async def decide(self, copy: RecordCopyId, entries: Sequence[CopyEntryId], decision: Decision, /) -> None:
        """Keep it; `EntryDecided` when one of them was, `CopyReleased` when the copy has left."""
        ...

    async def release(self, copy: RecordCopy, release: CopyRelease, /) -> None:
        """Keep that it leaves; `CopyReleased` when one has left for this request."""
        ...


class Written(Protocol):
    """A copy as the file that leaves."""

    async def digest(self, copy: RecordCopy, counts: Counts, how: Releasing, later: int, /, *, at: datetime) -> bytes:
        """The SHA-256 of the copy as JSON, as it will be written every time."""
        ...


async def prepare_copy(
    copy: RecordCopy, request: RightsRequest, programme: Programme, *, copies: Copies, journal: Journal
) -> None:
    """Prepare a copy for a request, which is held. Raises `NotForACopy`, `RightsRequestAnswered`."""
    if request.asked.kind is not RightKind.RECORD_COPY:
        raise NotForACopy
    request.require_open()
    entries = await copies.prepare(copy, programme)
    journal.tell(CopyPrepared(client=copy.client, records=(copy.id, request.id), facts={"entries": entries}))


async def decide_entries(
    copy: RecordCopy,
    wanted: Collection[CopyEntryId],
    reason: WithholdingReason | None,
    note: str,
    *,
    rights: Rights,
    by: Staff,
    now: datetime,
    copies: Copies,
    journal: Journal,
) -> None:
    """Withhold entries for a reason that the profile knows, or let leave what is held back (`reason` None).

    Raises `CopyReleased`, `Invalid`, `EntryUnknown`, `LiesApart`, `EntryDecided`.
    """
    copy.require_open()
    faults = Faults()
    if problem := text_fault(note, longest=LONGEST_NOTE):
        faults.add("note", problem)
    known = {each.reason for each in rights.withholding}
    faults.check(
        when=reason is not None and reason not in known,
        where="reason",
        problem=f"must be one that the profile knows: {', '.join(sorted(known))}",
    )
    faults.check(
        when=not 1 <= len(wanted) <= MOST_DECIDED, where="entries", problem=f"must name 1 to {MOST_DECIDED} entries"
    )
    faults.raise_if_any()
    found = await copies.entries(copy.id, wanted)
    if len(found) != len(set(wanted)):
        raise EntryUnknown
    if any(each.content is None for each in found):
        raise LiesApart
    if any(each.decision is not None for each in found):
        raise EntryDecided
    await copies.decide(
        copy.id, [each.id for each in found], Decision(reason=reason, note=note.strip(), by=by.id, at=now)
    )
    facts: dict[str, str | int] = {"leave": int(reason is None), "entries": len(found)}
    if reason is not None:
        facts["reason"] = reason.value
    journal.tell(EntriesDecided(client=copy.client, records=(copy.id,), facts=facts))


async def release_copy(
    copy: RecordCopy,
    how: Releasing,
    request: RightsRequest,
    *,
    rights: Rights,
    by: Staff,
    now: datetime,
    copies: Copies,
    requests: AgreedContacts,
    written: Written,
    journal: Journal,
) -> RecordCopy:
    """Say, having looked through it, that a copy leaves as it is; the request is held, so that one copy leaves.

    To the client it goes as they are reached. Raises `CopyReleased`, `RightsRequestAnswered`, `Invalid`,
    `EntriesUndecided`, `AuthorityEnded`, `NotThatWay`.
    """
    copy.require_open()
    request.require_open()
    _check_recipient(how, request.asked.representative)
    if how.to_representative and request.asked.representative is not None:
        await _require_authority(request.asked.representative, copy, now, requests)
    address = posted_to(how, await requests.contact(copy.client))
    counts = await copies.counts(copy.id)
    if counts.waiting:
        raise EntriesUndecided(f"{counts.waiting} wait: withhold each with its reason, or let it leave.")
    later = await copies.later(copy)
    told, unsaid = withheld_by_rule(counts.withheld, rights)
    release = CopyRelease(
        how=replace(how, detail=how.detail.strip()),
        entries=counts.entries,
        withheld=sum(told.values()),
        unsaid=unsaid,
        later=later,
        sha256=await written.digest(copy, counts, how, later, at=now),
        by=by.id,
        at=now,
        address=address,
    )
    await copies.release(copy, release)
    facts: dict[str, str | int] = {
        "entries": release.entries,
        "withheld": release.withheld + release.unsaid,
        "manner": how.manner.value,
        "sha256": release.sha256.hex(),
    }
    journal.tell(RecordCopyReleased(client=copy.client, records=(copy.id, request.id), facts=facts))
    return replace(copy, release=release)


def posted_to(how: Releasing, contact: Contact) -> str | None:
    """Pure: the address to which a copy is posted to the client, the one at which they are reached; None where it is not posted.

    Nothing electronic is among the ways that can be agreed with a client (45 CFR 164.522(b)), so that where one was agreed a
    copy is posted or handed over. Whoever acts for the client is reached where they say. Raises `NotThatWay`.
    """
    ways = ways_to(contact)
    if how.to_representative:
        return None
    if how.manner is HandedOver.ELECTRONIC and ways.is_agreed:
        raise NotThatWay
    if how.manner is not HandedOver.POST:
        return None
    if Channel.POST not in ways.by:
        raise NotThatWay
    return ways.address


def withheld_by_rule(
    withheld: Mapping[WithholdingReason, int], rights: Rights
) -> tuple[Mapping[WithholdingReason, int], int]:
    """Pure: what a copy says is withheld, by reason, and how much is withheld that it says nothing of.

    What the profile does not know, as what an earlier version knew, is said: silence needs a rule.
    """
    silent = {each.reason for each in rights.withholding if not each.told}
    told = {reason: entries for reason, entries in withheld.items() if reason not in silent}
    return told, sum(withheld.values()) - sum(told.values())


def rule_for(reason: WithholdingReason, rights: Rights) -> Withholding | None:
    """What the profile says of withholding something for this reason."""
    return next((each for each in rights.withholding if each.reason is reason), None)


def _check_recipient(how: Releasing, representative: RelatedPersonId | None) -> None:
    faults = Faults()
    if problem := text_fault(how.detail, longest=LONGEST_NOTE):
        faults.add("detail", problem)
    faults.check(
        when=how.to_representative and representative is None,
        where="to_representative",
        problem="must be false: the client asked themselves",
    )
    faults.raise_if_any()


async def _require_authority(
    representative: RelatedPersonId, copy: RecordCopy, now: datetime, requests: RightsRequests
) -> None:
    if not await requests.acts_for(representative, copy.client, at=now):
        raise AuthorityEnded
