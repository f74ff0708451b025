"""Transfers of clients from one programme to another, in PostgreSQL."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, Row, Uuid, all_, and_, any_, bindparam, func, insert, or_, select, true, union_all, update
from sqlalchemy.exc import IntegrityError

from caseload.db.access import CLOSED, is_restricted, reach_of, within_reach
from caseload.db.medication.record import MedicationRecords
from caseload.db.merge.still_open import BY_THEIR_PEOPLE
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client, client_identity, episode
from caseload.db.tables.transfer import client_transfer
from caseload.domain.access import Act
from caseload.domain.caseload import Edition, LevelOfCare
from caseload.domain.ids import ClientId, DepartureId, EpisodeId, ProgrammeId, StaffId, TransferId
from caseload.domain.merge import OpenKind
from caseload.domain.people import Staff
from caseload.domain.transfer import (
    Acceptance,
    Ending,
    Outcome,
    Person,
    Taking,
    Transfer,
    TransferAsked,
    TransferMoved,
    TransferUnknown,
    Unsettled,
    Wish,
)

KIND: Final = "transfer"
"""What the journal calls the data of this module."""

_t = client_transfer.c
_identity = (
    select(client_identity.c.given_name, client_identity.c.family_name, client_identity.c.birth_date)
    .where(client_identity.c.client_id == _t.client_id)
    .order_by(client_identity.c.version.desc())
    .limit(1)
    .lateral("identity")
)
_STILL_OPEN = func.upper_inf(episode.c.period)
_TRANSFER = (
    select(*client_transfer.c, _STILL_OPEN.label("episode_is_open"), *_identity.c)
    .select_from(client_transfer)
    .join(client, client.c.id == _t.client_id)
    .join(episode, episode.c.id == _t.episode_id)
    .join(_identity, true())
)
_EVERYONE_IN = bindparam("reach_everyone_in", type_=ARRAY(Uuid()))
_CASELOAD_IN = bindparam("reach_caseload_in", type_=ARRAY(Uuid()))
_CONCERNS_RECEIVER = or_(
    and_(_t.outcome.is_(None), _STILL_OPEN), _t.outcome.in_([Outcome.MOVED.value, Outcome.DECLINED.value])
)
"""What was withdrawn, and what lapsed, the receiving programme need not know any more."""
_SEEN = and_(
    client.c.id != all_(CLOSED),
    or_(
        and_(_t.to_programme_id == any_(_EVERYONE_IN), _CONCERNS_RECEIVER),
        and_(
            _t.programme_id == any_(_CASELOAD_IN),
            _t.asked_by == bindparam("reach_staff", type_=Uuid()),
        ),
        within_reach(kept_in=_t.programme_id),
    ),
)
"""By whoever sees the client; in the receiving programme by whoever sees all of its clients; and by who asked for it."""
_ONE = _TRANSFER.where(_t.id == bindparam("transfer", type_=Uuid()), _SEEN)
_HERE = bindparam("programme", type_=Uuid())
_WAITS = and_(_t.outcome.is_(None), _STILL_OPEN)
WAITING: Final = (
    _TRANSFER.where(
        or_(_t.programme_id == _HERE, _t.to_programme_id == _HERE),
        _WAITS,
        _SEEN,
        _t.id > bindparam("after", type_=Uuid()),
    )
    .order_by(_t.id)
    .limit(bindparam("limit"))
)
GONE: Final = (
    _TRANSFER.where(
        _t.programme_id == _HERE,
        _t.outcome == Outcome.MOVED.value,
        _SEEN,
        _t.id > bindparam("after", type_=Uuid()),
    )
    .order_by(_t.id)
    .limit(bindparam("limit"))
)
_WAITING_ON = _TRANSFER.where(_t.departure_id == bindparam("departure", type_=Uuid()), _WAITS)
_ACCEPT = (
    update(client_transfer)
    .where(_t.id == bindparam("accepting", type_=Uuid()), _t.accepted_at.is_(None), _t.outcome.is_(None))
    .values(
        counsellor_id=bindparam("counsellor"),
        edition=bindparam("in_edition"),
        level=bindparam("at_level"),
        accepted_by=bindparam("by"),
        accepted_at=bindparam("at", type_=INSTANT),
        departure_id=bindparam("departure"),
    )
)
_END = (
    update(client_transfer)
    .where(_t.id == bindparam("ending", type_=Uuid()), _t.outcome.is_(None))
    .values(
        outcome=bindparam("how"),
        ended_because=bindparam("because"),
        ended_by=bindparam("by"),
        ended_at=bindparam("at", type_=INSTANT),
        into_episode_id=bindparam("into"),
    )
)
_IS_RESTRICTED = select(is_restricted(bindparam("client", type_=Uuid()), bindparam("at", type_=INSTANT)))
_UNSETTLED = union_all(*BY_THEIR_PEOPLE)
_FIRST: Final = UUID(int=0)


class Transfers(MedicationRecords):
    """Satisfies `domain.transfer.Transfers`."""

    async def transfer(self, wanted: TransferId, *, by: Staff, act: Act) -> Transfer:
        """See `domain.transfer.Transfers.transfer`."""
        return (await self.shown(wanted, by=by, act=act))[0]

    async def shown(self, wanted: TransferId, *, by: Staff, act: Act) -> tuple[Transfer, Person]:
        """The same, with who the client is."""
        given = {"transfer": wanted, **reach_of(by.reach(act), at=self._now)}
        row = (await self._connection.execute(_ONE, given)).first()
        if row is None:
            raise TransferUnknown
        self._journal.saw(ClientId(row.client_id), KIND)
        return _shown(row)

    async def waiting(
        self, programme: ProgrammeId, *, by: Staff, act: Act, after: UUID | None, limit: int
    ) -> Sequence[tuple[Transfer, Person]]:
        """What waits from or to a programme, the longest waiting first."""
        return await self._list(WAITING, programme, by=by, act=act, after=after, limit=limit)

    async def gone(
        self, programme: ProgrammeId, *, by: Staff, act: Act, after: UUID | None, limit: int
    ) -> Sequence[tuple[Transfer, Person]]:
        """Who went on from a programme to another one, the first first."""
        return await self._list(GONE, programme, by=by, act=act, after=after, limit=limit)

    async def _list(
        self, statement: Any, programme: ProgrammeId, *, by: Staff, act: Act, after: UUID | None, limit: int
    ) -> Sequence[tuple[Transfer, Person]]:
        given = {
            "programme": programme,
            "after": after or _FIRST,
            "limit": limit,
            **reach_of(by.reach(act), at=self._now),
        }
        rows = (await self._connection.execute(statement, given)).all()
        for row in rows:
            self._journal.saw(ClientId(row.client_id), KIND)
        return [_shown(row) for row in rows]

    async def waiting_on(self, departure: DepartureId) -> Transfer | None:
        """See `domain.transfer.Transfers.waiting_on`."""
        row = (await self._connection.execute(_WAITING_ON, {"departure": departure})).first()
        return None if row is None else _shown(row)[0]

    async def add_transfer(self, new: Transfer) -> None:
        """See `domain.transfer.Transfers.add_transfer`."""
        try:
            await self._connection.execute(
                insert(client_transfer).values(
                    id=new.id,
                    client_id=new.client,
                    episode_id=new.episode,
                    programme_id=new.programme,
                    to_programme_id=new.wish.to,
                    reason=new.wish.reason,
                    told=new.wish.told,
                    proposed_at=new.wish.proposed_at,
                    asked_by=new.asked_by,
                    asked_at=new.asked_at,
                )
            )
        except IntegrityError as raced:
            raise TransferAsked("Read it, and withdraw it first if it is to be another one.") from raced

    async def add_acceptance(self, transfer: Transfer, acceptance: Acceptance) -> None:
        """See `domain.transfer.Transfers.add_acceptance`."""
        taking = acceptance.taking
        await self._write(
            transfer,
            _ACCEPT,
            {
                "accepting": transfer.id,
                "counsellor": taking.counsellor,
                "in_edition": taking.level.edition,
                "at_level": taking.level.level,
                "by": acceptance.accepted_by,
                "at": acceptance.accepted_at,
                "departure": acceptance.departure,
            },
        )

    async def add_ending(self, transfer: Transfer, ending: Ending) -> None:
        """See `domain.transfer.Transfers.add_ending`. The client's own row and the medication record follow by a trigger."""
        await self._write(
            transfer,
            _END,
            {
                "ending": transfer.id,
                "how": ending.outcome,
                "because": ending.reason,
                "by": ending.by,
                "at": ending.at,
                "into": ending.into,
            },
        )

    async def _write(self, transfer: Transfer, statement: Any, given: Mapping[str, object]) -> None:
        if (await self._connection.execute(statement, given)).rowcount != 1:
            raise TransferMoved("Read the transfer again.", transfer=str(transfer.id))

    async def is_restricted(self, wanted: ClientId) -> bool:
        """See `domain.transfer.Transfers.is_restricted`."""
        return bool(await self._connection.scalar(_IS_RESTRICTED, {"client": wanted, "at": self._now}))

    async def unsettled(self, wanted: ClientId, today: date) -> Sequence[Unsettled]:
        """See `domain.transfer.Transfers.unsettled`."""
        rows = await self._connection.execute(_UNSETTLED, {"duplicate": wanted, "today": today})
        return [Unsettled(kind=OpenKind(row.kind), record=row.record) for row in rows]


def _shown(row: Row[*tuple[Any, ...]]) -> tuple[Transfer, Person]:
    return _transfer(row), Person(given_name=row.given_name, family_name=row.family_name, birth_date=row.birth_date)


def _transfer(row: Row[*tuple[Any, ...]]) -> Transfer:
    return Transfer(
        id=TransferId(row.id),
        client=ClientId(row.client_id),
        episode=EpisodeId(row.episode_id),
        programme=ProgrammeId(row.programme_id),
        wish=Wish(to=ProgrammeId(row.to_programme_id), reason=row.reason, told=row.told, proposed_at=row.proposed_at),
        asked_by=StaffId(row.asked_by),
        asked_at=row.asked_at,
        acceptance=_acceptance(row),
        ending=_ending(row),
        episode_is_open=row.episode_is_open,
    )


def _acceptance(row: Row[*tuple[Any, ...]]) -> Acceptance | None:
    if row.accepted_at is None:
        return None
    return Acceptance(
        taking=Taking(
            counsellor=StaffId(row.counsellor_id), level=LevelOfCare(edition=Edition(row.edition), level=row.level)
        ),
        accepted_by=StaffId(row.accepted_by),
        accepted_at=row.accepted_at,
        departure=None if row.departure_id is None else DepartureId(row.departure_id),
    )


def _ending(row: Row[*tuple[Any, ...]]) -> Ending | None:
    if row.outcome is None:
        return None
    return Ending(
        outcome=Outcome(row.outcome),
        by=StaffId(row.ended_by),
        at=row.ended_at,
        reason=row.ended_because,
        into=None if row.into_episode_id is None else EpisodeId(row.into_episode_id),
    )
