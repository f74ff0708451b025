"""Merges in PostgreSQL: as they were proposed, answered and undone, and what is still open under a duplicate."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import (
    Row,
    and_,
    bindparam,
    insert,
    or_,
    select,
)
from sqlalchemy.exc import IntegrityError

from caseload.db.access import reach_of, within_reach
from caseload.db.medication import Holds
from caseload.db.merge.still_open import BOTH, STILL_OPEN
from caseload.db.tables.caseload import client
from caseload.db.tables.merge import client_merge, client_merge_answer, client_merge_side, client_merge_undoing
from caseload.domain.access import Act, Reach
from caseload.domain.ids import ClientId, MergeId, StaffId
from caseload.domain.merge import (
    Answer,
    Merge,
    MergeMoved,
    MergeOverlaps,
    MergeUnknown,
    OpenKind,
    Outcome,
    Side,
    Standing,
    StillOpen,
    Undoing,
)
from caseload.domain.people import Staff

KIND: Final = "merge"
"""What the journal calls the data of this module."""
_MOST: Final = 100

_duplicate, _survivor = client.alias("duplicate"), client.alias("survivor")
_sees_duplicate, _sees_survivor = within_reach(_duplicate), within_reach(_survivor)
_EVERY = (
    select(
        client_merge.c.id,
        client_merge.c.duplicate_id,
        client_merge.c.survivor_id,
        client_merge.c.reason,
        client_merge.c.proposed_by,
        client_merge.c.proposed_at,
        client_merge_answer.c.outcome,
        client_merge_answer.c.reason.label("answer_reason"),
        client_merge_answer.c.answered_by,
        client_merge_answer.c.answered_at,
        client_merge_undoing.c.reason.label("undoing_reason"),
        client_merge_undoing.c.undone_by,
        client_merge_undoing.c.undone_at,
        and_(_sees_duplicate, _sees_survivor).label("sees_both"),
    )
    .select_from(
        client_merge.join(_duplicate, _duplicate.c.id == client_merge.c.duplicate_id)
        .join(_survivor, _survivor.c.id == client_merge.c.survivor_id)
        .outerjoin(client_merge_answer, client_merge_answer.c.merge_id == client_merge.c.id)
        .outerjoin(client_merge_undoing, client_merge_undoing.c.merge_id == client_merge.c.id)
    )
    .order_by(client_merge.c.id.desc())
)
ONE_MERGE: Final = _EVERY.where(client_merge.c.id == bindparam("merge"), _sees_duplicate, _sees_survivor)
MERGES_OF: Final = _EVERY.where(
    or_(
        and_(client_merge.c.duplicate_id == bindparam("client"), _sees_duplicate),
        and_(client_merge.c.survivor_id == bindparam("client"), _sees_survivor),
    )
)
WAITING: Final = _EVERY.where(
    client_merge.c.id.in_(
        select(client_merge_side.c.merge_id).where(client_merge_side.c.standing == Standing.SUSPECTED.value)
    ),
    client_merge_answer.c.merge_id.is_(None),
    _sees_duplicate,
    _sees_survivor,
).limit(_MOST)
_closed = client_merge_side
CLOSED: Final = (
    select(_closed.c.survivor_id, _sees_survivor.label("sees_survivor"))
    .select_from(
        _closed.join(_duplicate, _duplicate.c.id == _closed.c.client_id).join(
            _survivor, _survivor.c.id == _closed.c.survivor_id
        )
    )
    .where(
        _closed.c.client_id == bindparam("client"),
        _closed.c.side == Side.DUPLICATE.value,
        _closed.c.standing == Standing.MERGED.value,
        _sees_duplicate,
    )
)
_HOLD_STILL = select(client.c.id).where(client.c.id.in_(BOTH)).order_by(client.c.id).with_for_update(of=client)

_ADD, _ANSWER, _UNDO = insert(client_merge), insert(client_merge_answer), insert(client_merge_undoing)


class Merges(Holds):
    """Satisfies `domain.merge.Merges`."""

    async def merge(self, wanted: MergeId, *, by: Staff, act: Act) -> Merge:
        """See `domain.merge.Merges.merge`."""
        given = {"merge": wanted, **reach_of(by.reach(act), at=self._now)}
        row = (await self._connection.execute(ONE_MERGE, given)).first()
        if row is None:
            raise MergeUnknown
        return self._shown(row)

    async def waiting(self, *, by: Staff, act: Act) -> Sequence[Merge]:
        """The proposals that wait, of which both registrations are within the person's reach, the last first."""
        given = reach_of(by.reach(act), at=self._now)
        return [self._shown(row) for row in (await self._connection.execute(WAITING, given)).all()]

    async def merges_of(self, wanted: ClientId, *, reach: Reach) -> Sequence[tuple[Merge, bool]]:
        """The merges of a registration, the last first, each with whether the other one is within reach, too."""
        given = {"client": wanted, **reach_of(reach, at=self._now, by_identifier=True)}
        found: list[tuple[Merge, bool]] = []
        for row in (await self._connection.execute(MERGES_OF, given)).all():
            self._journal.saw(wanted, KIND)
            found.append((self._shown(row) if row.sees_both else _merge_of(row), row.sees_both))
        return found

    async def merged_with(self, wanted: ClientId, *, reach: Reach) -> Sequence[ClientId]:
        """The other registrations within reach that were confirmed to be this client's."""
        given = {"client": wanted, **reach_of(reach, at=self._now, by_identifier=True)}
        rows = (await self._connection.execute(MERGES_OF, given)).all()
        found = [_merge_of(row) for row in rows if row.sees_both]
        others = [each.other(wanted) for each in found if each.standing is Standing.MERGED]
        for each in others:
            self._journal.saw(each, KIND)
        return others

    async def closed_into(self, wanted: ClientId, *, reach: Reach) -> tuple[bool, ClientId | None]:
        """Whether a registration within reach is closed, and the one that is used, where that is within reach, too."""
        given = {"client": wanted, **reach_of(reach, at=self._now, by_identifier=True)}
        row = (await self._connection.execute(CLOSED, given)).first()
        if row is None:
            return False, None
        return True, ClientId(row.survivor_id) if row.sees_survivor else None

    async def add_merge(self, merge: Merge) -> None:
        """See `domain.merge.Merges.add_merge`."""
        try:
            await self._connection.execute(
                _ADD,
                {
                    "id": merge.id,
                    "duplicate_id": merge.duplicate,
                    "survivor_id": merge.survivor,
                    "reason": merge.reason,
                    "proposed_by": merge.proposed_by,
                    "proposed_at": merge.proposed_at,
                },
            )
        except IntegrityError as raced:
            raise MergeOverlaps(
                "Of registrations of one person all others are merged into the same one: answer or undo the other merge"
                " first, or name its survivor."
            ) from raced

    async def hold_still(self, merge: Merge) -> None:
        """See `domain.merge.Merges.hold_still`. Whatever names a client waits for the lock on their row."""
        await self._connection.execute(_HOLD_STILL, {"duplicate": merge.duplicate, "survivor": merge.survivor})

    async def still_open(self, merge: Merge, today: date) -> Sequence[StillOpen]:
        """See `domain.merge.Merges.still_open`."""
        given = {"duplicate": merge.duplicate, "survivor": merge.survivor, "today": today, "now": self._now}
        rows = (await self._connection.execute(STILL_OPEN, given)).all()
        return [StillOpen(kind=OpenKind(row.kind), record=row.record) for row in rows]

    async def add_answer(self, merge: Merge, answer: Answer) -> None:
        """See `domain.merge.Merges.add_answer`."""
        given = {
            "merge_id": merge.id,
            "outcome": answer.outcome,
            "reason": answer.reason,
            "proposed_by": merge.proposed_by,
            "answered_by": answer.by,
            "answered_at": answer.at,
        }
        try:
            await self._connection.execute(_ANSWER, given)
        except IntegrityError as raced:
            raise MergeMoved("Read the merge again.") from raced

    async def add_undoing(self, merge: Merge, undoing: Undoing) -> None:
        """See `domain.merge.Merges.add_undoing`."""
        given = {
            "merge_id": merge.id,
            "outcome": Outcome.CONFIRMED,
            "reason": undoing.reason,
            "undone_by": undoing.by,
            "undone_at": undoing.at,
        }
        try:
            await self._connection.execute(_UNDO, given)
        except IntegrityError as raced:
            raise MergeMoved("Read the merge again.") from raced

    def _shown(self, row: Row[*tuple[Any, ...]]) -> Merge:
        found = _merge_of(row)
        self._journal.saw(found.duplicate, KIND)
        self._journal.saw(found.survivor, KIND)
        return found


def _merge_of(row: Row[*tuple[Any, ...]]) -> Merge:
    answer, undoing = None, None
    if row.outcome is not None:
        answer = Answer(
            outcome=Outcome(row.outcome),
            reason=row.answer_reason,
            by=StaffId(row.answered_by),
            at=row.answered_at,
        )
    if row.undone_at is not None:
        undoing = Undoing(reason=row.undoing_reason, by=StaffId(row.undone_by), at=row.undone_at)
    return Merge(
        id=MergeId(row.id),
        duplicate=ClientId(row.duplicate_id),
        survivor=ClientId(row.survivor_id),
        reason=row.reason,
        proposed_by=StaffId(row.proposed_by),
        proposed_at=row.proposed_at,
        answer=answer,
        undoing=undoing,
    )
