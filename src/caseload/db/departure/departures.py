"""Discharges that wait for a prescriber in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Uuid, any_, bindparam, func, insert, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of, within_reach
from caseload.db.signature import Signatures
from caseload.db.tables.caseload import client, episode
from caseload.db.tables.departure import discharge_answer, discharge_asked
from caseload.domain.access import Act
from caseload.domain.caseload import DischargeReason
from caseload.domain.departure import Answer, Asked, AskedAlready, AskedMoved, AskedUnknown, Fate, Leaving
from caseload.domain.ids import ClientId, DepartureId, EpisodeId, OrderId, ProgrammeId, StaffId
from caseload.domain.journal import Journal
from caseload.domain.people import Staff
from caseload.domain.signature import Signature, Version

KIND = "departure"
"""What the journal calls the data of these modules."""

_ASKED = (
    select(
        discharge_asked.c.id,
        discharge_asked.c.client_id,
        discharge_asked.c.episode_id,
        discharge_asked.c.programme_id,
        discharge_asked.c.effective_at,
        discharge_asked.c.reason,
        discharge_asked.c.note,
        discharge_asked.c.orders,
        discharge_asked.c.after_id,
        discharge_asked.c.asked_by,
        discharge_asked.c.asked_at,
        discharge_answer.c.fate,
        discharge_answer.c.until_on,
        discharge_answer.c.transferred_to,
        discharge_answer.c.facts,
        discharge_answer.c.reason.label("answer"),
        discharge_answer.c.answered_by,
        discharge_answer.c.answered_at,
        func.upper_inf(episode.c.period).label("episode_is_open"),
    )
    .join(client, client.c.id == discharge_asked.c.client_id)
    .join(episode, episode.c.id == discharge_asked.c.episode_id)
    .outerjoin(discharge_answer, discharge_answer.c.asked_id == discharge_asked.c.id)
)
_ONE = _ASKED.where(
    discharge_asked.c.id == bindparam("departure"), within_reach(kept_in=discharge_asked.c.programme_id)
)
_LAST = (
    _ASKED.where(discharge_asked.c.episode_id == bindparam("episode"))
    .order_by(discharge_asked.c.asked_at.desc(), discharge_asked.c.id.desc())
    .limit(1)
)
_WAITING = _ASKED.where(
    discharge_asked.c.programme_id == bindparam("programme"),
    discharge_answer.c.asked_id.is_(None),
    func.upper_inf(episode.c.period),
    within_reach(),
).order_by(discharge_asked.c.asked_at, discharge_asked.c.id)
_ADD = insert(discharge_asked)
_ANSWER = insert(discharge_answer)


_NAMED = _ASKED.where(discharge_asked.c.id == any_(bindparam("wanted", type_=ARRAY(Uuid()))))


async def decided_named(connection: AsyncConnection, wanted: Sequence[UUID]) -> Sequence[Version]:
    """These decisions as they were signed, whoever asks: for what shows nobody, as the verification of signatures."""
    found = [_asked(row) for row in (await connection.execute(_NAMED, {"wanted": list(wanted)})).all()]
    return [each.as_decided(each.answer) for each in found if each.answer is not None and each.answer.fate is not None]


class Departures(Signatures):
    """Satisfies `domain.departure.Departures`."""

    def __init__(self, connection: AsyncConnection, journal: Journal, *, now: datetime) -> None:
        super().__init__(connection)
        self._journal = journal
        self._now = now

    async def asked(self, wanted: DepartureId, *, by: Staff, act: Act) -> Asked:
        """See `domain.departure.Departures.asked`."""
        given = {"departure": wanted, **reach_of(by.reach(act), at=self._now)}
        row = (await self._connection.execute(_ONE, given)).first()
        if row is None:
            raise AskedUnknown("Read the list of the discharges that wait.")
        self._journal.saw(ClientId(row.client_id), KIND)
        return _asked(row)

    async def found(self, wanted: DepartureId, *, by: Staff, act: Act) -> Asked | None:
        """The same, or None: a discharge that did not have to wait has no row here."""
        try:
            return await self.asked(wanted, by=by, act=act)
        except AskedUnknown:
            return None

    async def last_asked(self, of: EpisodeId) -> Asked | None:
        """See `domain.departure.Departures.last_asked`."""
        row = (await self._connection.execute(_LAST, {"episode": of})).first()
        return None if row is None else _asked(row)

    async def waiting_in(self, programme: ProgrammeId, *, by: Staff, act: Act) -> Sequence[Asked]:
        """The discharges of a programme that wait for a prescriber, the oldest first."""
        given = {"programme": programme, **reach_of(by.reach(act), at=self._now)}
        found = [_asked(row) for row in (await self._connection.execute(_WAITING, given)).all()]
        for each in found:
            self._journal.saw(each.client, KIND)
        return found

    async def add_asked(self, asked: Asked) -> None:
        """See `domain.departure.Departures.add_asked`."""
        try:
            await self._connection.execute(
                _ADD,
                {
                    "id": asked.id,
                    "client_id": asked.client,
                    "episode_id": asked.episode,
                    "programme_id": asked.programme,
                    "effective_at": asked.leaving.at,
                    "reason": asked.leaving.reason,
                    "note": asked.leaving.note,
                    "orders": list(asked.orders),
                    "after_id": asked.after,
                    "asked_by": asked.asked_by,
                    "asked_at": asked.asked_at,
                },
            )
        except IntegrityError as raced:
            raise AskedAlready("Ask a prescriber to decide it, or withdraw it first.") from raced

    async def add_answer(self, asked: Asked, answer: Answer, *, signed: Signature | None = None) -> None:
        """See `domain.departure.Departures.add_answer`."""
        if signed is not None:
            await self.add(signed)
        try:
            await self._connection.execute(
                _ANSWER,
                {
                    "asked_id": asked.id,
                    "fate": answer.fate,
                    "until_on": answer.until,
                    "transferred_to": answer.to,
                    "facts": dict(answer.facts) if answer.facts is not None else None,
                    "reason": answer.reason,
                    "answered_by": answer.answered_by,
                    "answered_at": answer.answered_at,
                    "signature_id": signed.id if signed is not None else None,
                },
            )
        except IntegrityError as raced:
            raise AskedMoved("Read the discharges that wait again.", discharge=str(asked.id)) from raced


def _asked(row: Row[*tuple[Any, ...]]) -> Asked:
    answer = None
    if row.answer is not None:
        answer = Answer(
            reason=row.answer,
            answered_by=StaffId(row.answered_by),
            answered_at=row.answered_at,
            fate=Fate(row.fate) if row.fate is not None else None,
            until=row.until_on,
            to=row.transferred_to,
            facts=row.facts,
        )
    return Asked(
        id=DepartureId(row.id),
        client=ClientId(row.client_id),
        episode=EpisodeId(row.episode_id),
        programme=ProgrammeId(row.programme_id),
        leaving=Leaving(at=row.effective_at, reason=DischargeReason(row.reason), note=row.note),
        asked_by=StaffId(row.asked_by),
        asked_at=row.asked_at,
        orders=tuple(OrderId(order) for order in row.orders),
        after=None if row.after_id is None else DepartureId(row.after_id),
        answer=answer,
        episode_is_open=row.episode_is_open,
    )
