"""Handovers that wait for the new counsellor, in PostgreSQL, and which programmes want that."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Row,
    Uuid,
    any_,
    bindparam,
    insert,
    literal_column,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError

from caseload.db.access import reach_of, within_reach
from caseload.db.caseload.absences import NIL
from caseload.db.caseload.responsibilities import MOVED, Responsibilities
from caseload.db.periods import running
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client, client_identity, responsibility
from caseload.db.tables.caseload_acts import caseload_terms, handover_offer
from caseload.domain.access import Reach
from caseload.domain.caseload import Answer, CaseloadMoved, Offer, OfferAnswered, Offered, OfferUnknown
from caseload.domain.ids import ClientId, EpisodeId, HandoverId, ProgrammeId, StaffId

_NOW: Final[BindParameter[Any]] = bindparam("reach_at", type_=INSTANT)
_OFFER: Final[Sequence[ColumnElement[Any]]] = (
    handover_offer.c.id,
    handover_offer.c.client_id,
    handover_offer.c.episode_id,
    handover_offer.c.programme_id,
    handover_offer.c.to_id,
    handover_offer.c.effective_at,
    handover_offer.c.note,
    handover_offer.c.handover_id,
    handover_offer.c.recorded_by,
    handover_offer.c.recorded_at,
    handover_offer.c.answer,
)
_ONE = select(*_OFFER).where(handover_offer.c.id == bindparam("wanted"))
_ONE_TO = _ONE.where(handover_offer.c.to_id == bindparam("to", type_=Uuid()))
ONE_WITHIN: Final = _ONE.join(client, client.c.id == handover_offer.c.client_id).where(
    handover_offer.c.programme_id == any_(bindparam("programmes", type_=ARRAY(Uuid()))), within_reach()
)
OF_CALL: Final = (
    select(*_OFFER)
    .join(client, client.c.id == handover_offer.c.client_id)
    .where(handover_offer.c.handover_id == bindparam("call"), within_reach())
    .order_by(handover_offer.c.client_id)
)
_newest = (
    select(client_identity.c.given_name, client_identity.c.family_name, client_identity.c.birth_date)
    .where(client_identity.c.client_id == handover_offer.c.client_id)
    .order_by(client_identity.c.version.desc())
    .limit(literal_column("1"))
    .lateral("identity")
)
_SHOWN = (
    select(*_OFFER, *_newest.c, responsibility.c.counsellor_id.label("responsible"))
    .select_from(handover_offer)
    .join(
        responsibility,
        (responsibility.c.episode_id == handover_offer.c.episode_id) & running(responsibility.c.period, _NOW),
    )
    .join(_newest, true())
    .where(handover_offer.c.answer.is_(None), handover_offer.c.id > bindparam("after"))
    .order_by(handover_offer.c.id)
    .limit(bindparam("limit"))
)
OFFERED_TO: Final = _SHOWN.where(
    handover_offer.c.to_id == bindparam("to"),
    handover_offer.c.programme_id == any_(bindparam("programmes", type_=ARRAY(Uuid()))),
)
WAITING_IN: Final = _SHOWN.join(client, client.c.id == handover_offer.c.client_id).where(
    handover_offer.c.programme_id == bindparam("programme"), within_reach()
)
_ANSWER = (
    update(handover_offer)
    .where(handover_offer.c.id == bindparam("offer"), handover_offer.c.answer.is_(None))
    .values(
        answer=bindparam("said"),
        answer_note=bindparam("why"),
        answered_by=bindparam("by"),
        answered_at=bindparam("at", type_=INSTANT),
    )
)
WITHDRAW: Final = (
    update(handover_offer)
    .where(
        handover_offer.c.episode_id == any_(bindparam("episodes", type_=ARRAY(Uuid()))),
        handover_offer.c.answer.is_(None),
    )
    .values(answer=Answer.WITHDRAWN, answered_by=bindparam("by"), answered_at=bindparam("at", type_=INSTANT))
    .returning(*_OFFER)
)
_TERMS = (
    select(caseload_terms.c.version, caseload_terms.c.handovers_wait)
    .where(caseload_terms.c.programme_id == bindparam("programme"))
    .order_by(caseload_terms.c.version.desc())
    .limit(literal_column("1"))
)


class Offers(Responsibilities):
    """Offers, and which programmes want them: see `domain.caseload.offering`."""

    async def handovers_wait(self, programme: ProgrammeId) -> bool:
        """See `domain.caseload.offering.MayWait.handovers_wait`."""
        row = (await self._connection.execute(_TERMS, {"programme": programme})).one_or_none()
        return row is not None and row.handovers_wait

    async def add_terms(
        self, programme: ProgrammeId, *, handovers_wait: bool, reason: str, by: StaffId, now: datetime
    ) -> None:
        """See `domain.caseload.offering.TheirTerms.add_terms`."""
        row = (await self._connection.execute(_TERMS, {"programme": programme})).one_or_none()
        try:
            await self._connection.execute(
                insert(caseload_terms).values(
                    programme_id=programme,
                    version=1 if row is None else row.version + 1,
                    handovers_wait=handovers_wait,
                    reason=reason,
                    recorded_by=by,
                    recorded_at=now,
                )
            )
        except IntegrityError as raced:
            raise CaseloadMoved("Read how the programme hands over again.") from raced

    async def add_offers(self, new: Sequence[Offer]) -> None:
        """See `domain.caseload.offering.MayWait.add_offers`."""
        try:
            await self._connection.execute(
                insert(handover_offer),
                [
                    {
                        "id": each.id,
                        "client_id": each.client,
                        "episode_id": each.episode,
                        "programme_id": each.programme,
                        "to_id": each.to,
                        "effective_at": each.effective_at,
                        "note": each.note,
                        "handover_id": each.handover,
                        "recorded_by": each.recorded_by,
                        "recorded_at": each.recorded_at,
                    }
                    for each in new
                ],
            )
        except IntegrityError as raced:
            raise CaseloadMoved(MOVED) from raced

    async def withdraw_of(self, episodes: Sequence[EpisodeId], *, by: StaffId, now: datetime) -> Sequence[Offer]:
        """See `domain.caseload.offering.MayWait.withdraw_of`."""
        given = {"episodes": list(episodes), "by": by, "at": now}
        return [offer_of(row) for row in await self._connection.execute(WITHDRAW, given)]

    async def answer(self, offer: UUID, answer: Answer, *, note: str | None, by: StaffId, now: datetime) -> None:
        """See `domain.caseload.offering.Offers.answer`."""
        given = {"offer": offer, "said": answer, "why": note, "by": by, "at": now}
        if (await self._connection.execute(_ANSWER, given)).rowcount != 1:
            raise OfferAnswered

    async def offer_to(self, wanted: UUID, *, to: StaffId) -> Offer:
        """One offer to somebody; `OfferUnknown`."""
        return self._one((await self._connection.execute(_ONE_TO, {"wanted": wanted, "to": to})).one_or_none())

    async def offer_within(self, wanted: UUID, *, reach: Reach) -> Offer:
        """One offer of a client within reach, to whoever sees everybody of the programme that offers them; `OfferUnknown`."""
        given = {"wanted": wanted, "programmes": sorted(reach.everyone_in), **reach_of(reach, at=self._now)}
        return self._one((await self._connection.execute(ONE_WITHIN, given)).one_or_none())

    def _one(self, row: Row[*tuple[Any, ...]] | None) -> Offer:
        if row is None:
            raise OfferUnknown
        self._journal.saw(ClientId(row.client_id), "caseload")
        return offer_of(row)

    async def offered_to(
        self,
        to: StaffId,
        *,
        programmes: Collection[ProgrammeId],
        after: UUID | None,
        limit: int,
        closed: Collection[ClientId] = (),
    ) -> Sequence[Offered]:
        """What waits for somebody in these programmes, the longest waiting first; `closed` are restricted clients not naming them."""
        given = {"to": to, "programmes": sorted(programmes), "after": after or NIL, "limit": limit}
        rows = (await self._connection.execute(OFFERED_TO, {**given, "reach_at": self._now})).all()
        return self._lines(rows, closed=closed)

    async def waiting_in(
        self, programme: ProgrammeId, *, reach: Reach, after: UUID | None, limit: int
    ) -> Sequence[Offered]:
        """What waits for anybody in a programme, the longest waiting first."""
        given = {"programme": programme, "after": after or NIL, "limit": limit, **reach_of(reach, at=self._now)}
        return self._lines((await self._connection.execute(WAITING_IN, given)).all())

    def _lines(self, rows: Sequence[Row[*tuple[Any, ...]]], *, closed: Collection[ClientId] = ()) -> Sequence[Offered]:
        for row in rows:
            self._journal.saw(ClientId(row.client_id), "caseload")
        return [
            Offered(
                offer=offer_of(row),
                given_name=row.given_name,
                family_name=row.family_name,
                birth_date=row.birth_date,
                responsible=StaffId(row.responsible),
                is_hidden=row.client_id in closed,
            )
            for row in rows
        ]


def offer_of(row: Row[*tuple[Any, ...]]) -> Offer:
    """The offer in a row."""
    return Offer(
        id=row.id,
        client=ClientId(row.client_id),
        episode=EpisodeId(row.episode_id),
        programme=ProgrammeId(row.programme_id),
        to=StaffId(row.to_id),
        effective_at=row.effective_at,
        note=row.note,
        handover=None if row.handover_id is None else HandoverId(row.handover_id),
        recorded_by=StaffId(row.recorded_by),
        recorded_at=row.recorded_at,
        answer=None if row.answer is None else Answer(row.answer),
    )
