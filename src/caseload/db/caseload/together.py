"""Handing over many clients at once in PostgreSQL."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    Uuid,
    and_,
    any_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, Range
from sqlalchemy.exc import IntegrityError

from caseload.db.access import reach_of, within_reach
from caseload.db.caseload.handovers import HandoverBook
from caseload.db.caseload.offers import OF_CALL, offer_of
from caseload.db.caseload.responsibilities import MOVED, STANDS, responsibility_of
from caseload.db.periods import running
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client, episode, responsibility, responsibility_taken_back
from caseload.db.tables.caseload_acts import caseload_handover
from caseload.domain.access import Reach
from caseload.domain.caseload import CaseloadHandover, CaseloadMoved, HandoverCallUnknown, Responsibility
from caseload.domain.ids import ClientId, EpisodeId, HandoverId, ProgrammeId, StaffId

_AT: Final[BindParameter[Any]] = bindparam("at", type_=INSTANT)
_CLIENTS: Final[BindParameter[Sequence[UUID]]] = bindparam("clients", type_=ARRAY(Uuid()))
_EPISODES: Final[BindParameter[Sequence[UUID]]] = bindparam("episodes", type_=ARRAY(Uuid()))
_THESE: Final[BindParameter[Sequence[UUID]]] = bindparam("these", type_=ARRAY(Uuid()))
_COUNSELLOR: Final[BindParameter[UUID]] = bindparam("counsellor", type_=Uuid())

_not_over = or_(func.upper_inf(responsibility.c.period), func.upper(responsibility.c.period) > _AT)


def _episodes(whose: ColumnElement[bool]) -> Select[UUID]:
    """The open episodes of a programme within reach, kept from being discharged while the work lasts."""
    return (
        select(episode.c.id)
        .join(client, client.c.id == episode.c.client_id)
        .where(
            whose,
            episode.c.programme_id == bindparam("programme"),
            func.upper_inf(episode.c.period),
            within_reach(),
        )
        .order_by(episode.c.client_id)
        .with_for_update(read=True, of=episode)
    )


EPISODES_OF = _episodes(episode.c.client_id == any_(_CLIENTS))
EPISODES_BY = _episodes(
    episode.c.id.in_(
        select(responsibility.c.episode_id).where(responsibility.c.counsellor_id == _COUNSELLOR, _not_over)
    )
)
HELD = (
    select(*STANDS)
    .where(
        responsibility.c.episode_id == any_(_EPISODES),
        or_(
            and_(_COUNSELLOR.is_(None), running(responsibility.c.period, _AT)),
            and_(responsibility.c.counsellor_id == _COUNSELLOR, _not_over),
        ),
    )
    # Everybody takes them in this order, so that two who hand over the same clients wait for one another once.
    .order_by(responsibility.c.client_id, func.lower(responsibility.c.period))
    .with_for_update()
)
NEWER = select(
    exists().where(
        responsibility.c.episode_id == any_(_EPISODES),
        func.lower(responsibility.c.period) > _AT,
        responsibility.c.recorded_at >= bindparam("now", type_=INSTANT),
    )
)
_SHORTEN = (
    update(responsibility)
    .where(responsibility.c.id == any_(_THESE))
    .values(period=func.tstzrange(func.lower(responsibility.c.period), _AT))
)
_KEEP = insert(responsibility_taken_back).from_select(
    list(responsibility_taken_back.c),
    select(*responsibility.c, bindparam("by", type_=Uuid()), bindparam("now", type_=INSTANT)).where(
        responsibility.c.id == any_(_THESE)
    ),
)
_DROP = delete(responsibility).where(responsibility.c.id == any_(_THESE))

_CALL = select(
    caseload_handover.c.id,
    caseload_handover.c.programme_id,
    caseload_handover.c.from_id,
    caseload_handover.c.to_id,
    caseload_handover.c.effective_at,
    caseload_handover.c.note,
    caseload_handover.c.recorded_by,
    caseload_handover.c.recorded_at,
).where(caseload_handover.c.id == bindparam("call"))
_taken_back = responsibility_taken_back.c
_PASSED = (
    select(*STANDS)
    .join(client, client.c.id == responsibility.c.client_id)
    .where(responsibility.c.handover_id == bindparam("call"), within_reach())
)
_PASSED_AND_TAKEN_BACK = (
    select(
        _taken_back.id,
        _taken_back.client_id,
        _taken_back.episode_id,
        _taken_back.counsellor_id,
        func.lower(_taken_back.period).label("since"),
        func.upper(_taken_back.period).label("until"),
        _taken_back.note,
        _taken_back.recorded_by,
        _taken_back.recorded_at,
        _taken_back.handover_id,
    )
    .join(client, client.c.id == _taken_back.client_id)
    .where(_taken_back.handover_id == bindparam("call"), within_reach())
)


class TogetherBook(HandoverBook):
    """Satisfies `domain.caseload.together.HandsOver`."""

    async def held_of(
        self, clients: Collection[ClientId], programme: ProgrammeId, *, at: datetime, reach: Reach
    ) -> Mapping[ClientId, Responsibility]:
        """See `domain.caseload.together.HandsOver.held_of`."""
        asked = {"clients": list(clients), "programme": programme, **reach_of(reach, at=self._now)}
        episodes = [EpisodeId(row.id) for row in await self._connection.execute(EPISODES_OF, asked)]
        return {each.client: each for each in await self._held(episodes, counsellor=None, at=at)}

    async def held_by(
        self, counsellor: StaffId, programme: ProgrammeId, *, since: datetime, reach: Reach
    ) -> Sequence[Responsibility]:
        """See `domain.caseload.together.HandsOver.held_by`."""
        asked = {"counsellor": counsellor, "programme": programme, "at": since, **reach_of(reach, at=self._now)}
        episodes = [EpisodeId(row.id) for row in await self._connection.execute(EPISODES_BY, asked)]
        return await self._held(episodes, counsellor=counsellor, at=since)

    async def _held(
        self, episodes: Sequence[EpisodeId], *, counsellor: StaffId | None, at: datetime
    ) -> Sequence[Responsibility]:
        """The responsibilities of these episodes, locked; `CaseloadMoved` where one has moved since they were found."""
        given = {"episodes": episodes, "at": at, "now": self._now}
        rows = (await self._connection.execute(HELD, {**given, "counsellor": counsellor})).all()
        if {row.episode_id for row in rows} != set(episodes):
            raise CaseloadMoved(MOVED)
        if (await self._connection.execute(NEWER, given)).scalar_one():
            raise CaseloadMoved(MOVED)  # not planned: made since this piece of work read its clock
        for row in rows:
            self._journal.saw(ClientId(row.client_id), "caseload")
        return [responsibility_of(row) for row in rows]

    async def _add_call(self, call: CaseloadHandover) -> None:
        await self._connection.execute(
            insert(caseload_handover).values(
                id=call.id,
                programme_id=call.programme,
                from_id=call.of,
                to_id=call.to,
                effective_at=call.effective_at,
                note=call.note,
                recorded_by=call.recorded_by,
                recorded_at=call.recorded_at,
            )
        )

    async def offer_together(self, call: CaseloadHandover) -> None:
        """See `domain.caseload.together.HandsOver.offer_together`."""
        await self._add_call(call)
        await self.add_offers(call.offered)

    async def pass_together(self, call: CaseloadHandover, standing: Sequence[Responsibility]) -> None:
        """See `domain.caseload.together.HandsOver.pass_together`."""
        await self._add_call(call)
        running = {"these": [each.id for each in standing if each.since < call.effective_at], "at": call.effective_at}
        later = {"these": [each.id for each in standing if each.since >= call.effective_at]}
        await self._connection.execute(_SHORTEN, running)
        if later["these"]:
            await self._connection.execute(_KEEP, {**later, "by": call.recorded_by, "now": call.recorded_at})
            await self._connection.execute(_DROP, later)
        try:
            await self._connection.execute(insert(responsibility), [_kept(each) for each in call.passed])
        except IntegrityError as raced:
            raise CaseloadMoved(MOVED) from raced
        await self.follow([each.client for each in call.passed], by=call.recorded_by)

    async def call(self, wanted: HandoverId, *, reach: Reach) -> CaseloadHandover:
        """One call with whom it handed over, as far as they are within reach; `HandoverCallUnknown`."""
        row = (await self._connection.execute(_CALL, {"call": wanted})).one_or_none()
        given = {"call": wanted, **reach_of(reach, at=self._now)}
        offered = [offer_of(each) for each in await self._connection.execute(OF_CALL, given)]
        passed = [
            responsibility_of(each)
            for statement in (_PASSED, _PASSED_AND_TAKEN_BACK)
            for each in await self._connection.execute(statement, given)
            if not offered  # what was accepted of it since was no part of the first answer
        ]
        if row is None or not (passed or offered):
            raise HandoverCallUnknown
        for each in (*passed, *offered):
            self._journal.saw(each.client, "caseload")
        return CaseloadHandover(
            id=wanted,
            programme=ProgrammeId(row.programme_id),
            of=None if row.from_id is None else StaffId(row.from_id),
            to=StaffId(row.to_id),
            effective_at=row.effective_at,
            note=row.note,
            recorded_by=StaffId(row.recorded_by),
            recorded_at=row.recorded_at,
            passed=sorted(passed, key=lambda each: (each.client, each.since)),
            offered=offered,
        )


def _kept(new: Responsibility) -> dict[str, Any]:
    return {
        "id": new.id,
        "client_id": new.client,
        "episode_id": new.episode,
        "counsellor_id": new.counsellor,
        "period": Range(new.since, new.until),
        "note": new.note,
        "recorded_by": new.recorded_by,
        "recorded_at": new.recorded_at,
        "handover_id": new.handover,
    }
