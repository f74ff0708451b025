"""Proposing a merge, which holds both registrations at once; confirming, rejecting, withdrawing and undoing it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from caseload.domain.access import Act
from caseload.domain.client import RegistrationClosed
from caseload.domain.errors import Fault, Faults, Invalid
from caseload.domain.ids import ClientId, HoldId, MergeId, new_id
from caseload.domain.journal import Journal
from caseload.domain.medication import Hold, HoldReason, MedicationRecord, keep_hold
from caseload.domain.medication.record import check_reason
from caseload.domain.merge.merge import (
    Answer,
    Merge,
    MergeAnswered,
    MergeMoved,
    MergeNeedsAnother,
    MergeOfAnother,
    MergeProposed,
    Merges,
    MergeUndone,
    MergeUnsettled,
    Outcome,
    Standing,
    Undoing,
)
from caseload.domain.people import Staff

SUSPICION_HOLDS: Final = "registered_twice_holds"
"""The rule by which two registrations that may be one person's are held until a prescriber has looked at both."""
_MAYBE: Final = (
    "Somebody says that this client is registered twice. Look at the doses and orders of both registrations."
)
_UNDONE: Final = "A merge with another registration was undone. Look at which doses were taken by whom."

Records = Mapping[ClientId, MedicationRecord]


async def propose_merge(new: Merge, *, by: Staff, now: datetime, merges: Merges, journal: Journal) -> None:
    """Say that two registrations are one person's: from now on each is held, and heeds what the other took.

    Raises `Invalid`, `ClientUnknown` where either is outside the reach, `RegistrationClosed`, `MergeOverlaps`.
    """
    faults = Faults()
    check_reason(new.reason, faults)
    faults.check(when=new.duplicate == new.survivor, where="survivor_id", problem="is this very registration")
    faults.raise_if_any()
    records = await _lock(new, by=by, act=Act.PROPOSE_MERGE, merges=merges)
    if records[new.survivor].merged_into is not None:
        raise Invalid(Fault("survivor_id", "is closed itself: name the registration that it was merged into"))
    if records[new.duplicate].merged_into is not None:
        raise RegistrationClosed
    await merges.add_merge(new)
    for client in (new.duplicate, new.survivor):
        journal.tell(MergeProposed(client=client, records=(new.id,)))
    await _hold(new, records, note=_MAYBE, by=by, now=now, merges=merges, journal=journal)


async def confirm_merge(
    wanted: MergeId, reason: str, *, by: Staff, now: datetime, merges: Merges, journal: Journal
) -> Merge:
    """Close the duplicate, as a second person who answers for both programmes.

    Raises `Invalid`, `MergeUnknown`, `NotPermitted`, `MergeMoved`, `MergeNeedsAnother`, and `MergeUnsettled` with
    everything that is open under the duplicate and how it is settled.
    """
    merge, records = await _found(wanted, reason, Standing.SUSPECTED, by=by, merges=merges)
    if by.id == merge.proposed_by:
        raise MergeNeedsAnother
    await merges.hold_still(merge)
    left = await merges.still_open(merge, records[merge.duplicate].day_of(now))
    if left:
        raise MergeUnsettled(
            "Settle each of these, and confirm again.",
            open=[{"kind": each.kind, "record": str(each.record), "settle": each.settle} for each in left],
        )
    await merges.note_gap(merge.survivor, records[merge.survivor].day_of(now))
    return await _answer(merge, Outcome.CONFIRMED, reason, by=by, now=now, merges=merges, journal=journal)


async def reject_merge(
    wanted: MergeId, reason: str, *, by: Staff, now: datetime, merges: Merges, journal: Journal
) -> Merge:
    """Say that they are two people. The holds stay until a prescriber clears each: they are signed away like any other.

    Raises `Invalid`, `MergeUnknown`, `NotPermitted`, `MergeMoved`.
    """
    merge, _ = await _found(wanted, reason, Standing.SUSPECTED, by=by, merges=merges)
    return await _answer(merge, Outcome.REJECTED, reason, by=by, now=now, merges=merges, journal=journal)


async def withdraw_merge(
    wanted: MergeId, reason: str, *, by: Staff, now: datetime, merges: Merges, journal: Journal
) -> Merge:
    """Take back one's own proposal while nobody has answered it. The holds stay until a prescriber clears each.

    Raises `Invalid`, `MergeUnknown`, `MergeMoved`, `MergeOfAnother`.
    """
    act = Act.PROPOSE_MERGE
    merge, _ = await _found(wanted, reason, Standing.SUSPECTED, by=by, merges=merges, act=act)
    if by.id != merge.proposed_by:
        raise MergeOfAnother
    return await _answer(merge, Outcome.WITHDRAWN, reason, by=by, now=now, merges=merges, journal=journal)


async def undo_merge(
    wanted: MergeId, reason: str, *, by: Staff, now: datetime, merges: Merges, journal: Journal
) -> Merge:
    """Open the duplicate again: each registration stands as it was, with what was recorded under it meanwhile.

    Both are held, because doses of two people may have been counted as one's. Raises `Invalid`, `MergeUnknown`,
    `NotPermitted`, `MergeMoved`.
    """
    merge, records = await _found(wanted, reason, Standing.MERGED, by=by, merges=merges)
    undoing = Undoing(reason=reason, by=by.id, at=now)
    await merges.add_undoing(merge, undoing)
    for client, record in records.items():
        await merges.note_gap(client, record.day_of(now))
    for client in (merge.duplicate, merge.survivor):
        journal.tell(MergeUndone(client=client, records=(merge.id,)))
    await _hold(merge, records, note=_UNDONE, by=by, now=now, merges=merges, journal=journal)
    return replace(merge, undoing=undoing)


async def _found(
    wanted: MergeId, reason: str, standing: Standing, *, by: Staff, merges: Merges, act: Act = Act.CONFIRM_MERGE
) -> tuple[Merge, Records]:
    """The merge, once both records are locked, as somebody who may do this in the programmes of both."""
    faults = Faults()
    check_reason(reason, faults)
    faults.raise_if_any()
    seen = await merges.merge(wanted, by=by, act=act)
    records = await _lock(seen, by=by, act=act, merges=merges)
    for record in records.values():
        by.require(act, record.programme)
    merge = await merges.merge(wanted, by=by, act=act)
    if merge.standing is not standing:
        raise MergeMoved("Read the merge again.", standing=merge.standing)
    return merge, records


async def _lock(merge: Merge, *, by: Staff, act: Act, merges: Merges) -> Records:
    """Both medication records, in one order whoever locks them."""
    return {client: await merges.lock(client, by=by, act=act) for client in sorted((merge.duplicate, merge.survivor))}


async def _answer(
    merge: Merge, outcome: Outcome, reason: str, *, by: Staff, now: datetime, merges: Merges, journal: Journal
) -> Merge:
    answer = Answer(outcome=outcome, reason=reason, by=by.id, at=now)
    await merges.add_answer(merge, answer)
    for client in (merge.duplicate, merge.survivor):
        journal.tell(MergeAnswered(client=client, records=(merge.id,), facts={"outcome": outcome.value}))
    return replace(merge, answer=answer)


async def _hold(
    merge: Merge, records: Records, *, note: str, by: Staff, now: datetime, merges: Merges, journal: Journal
) -> None:
    for client in (merge.duplicate, merge.survivor):
        record = records[client]
        hold = Hold(
            id=HoldId(new_id()),
            client=client,
            programme=record.programme,
            reason=HoldReason.REGISTERED_TWICE,
            note=note,
            raised_by=by.id,
            raised_at=now,
            by_rule=SUSPICION_HOLDS,
        )
        await keep_hold(hold, record, holds=merges, journal=journal)
