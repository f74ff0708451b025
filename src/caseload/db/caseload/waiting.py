"""Who waits for admission, in PostgreSQL: by what was said of them, or because nobody has said anything yet."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Uuid,
    and_,
    bindparam,
    case,
    exists,
    func,
    insert,
    literal_column,
    not_,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of, within_reach
from caseload.db.tables.caseload import client, client_identity, episode
from caseload.db.tables.caseload_acts import waiting_word
from caseload.db.tables.departure import client_death, client_death_correction
from caseload.db.tables.merge import client_merge_side
from caseload.domain.access import Reach
from caseload.domain.caseload import NotWaiting, Priority, WaitingMoved, Waits, Word
from caseload.domain.ids import ClientId, ProgrammeId
from caseload.domain.journal import Journal
from caseload.domain.merge import Side, Standing

_RANKS: Final = {priority.value: rank for rank, priority in enumerate(Priority, start=1)}


def _rank(priority: ColumnElement[str]) -> ColumnElement[int]:
    """Whoever nobody has looked at stands before everybody else."""
    return func.coalesce(case(_RANKS, value=priority), literal_column("0"))


_word = (
    select(
        waiting_word.c.client_id,
        waiting_word.c.since,
        waiting_word.c.priority,
        waiting_word.c.left_why,
        waiting_word.c.reason,
        waiting_word.c.recorded_at,
    )
    .where(waiting_word.c.client_id == client.c.id)
    .order_by(waiting_word.c.version.desc())
    .limit(literal_column("1"))
    .lateral("word")
)
_newest = (
    select(client_identity.c.given_name, client_identity.c.family_name, client_identity.c.birth_date)
    .where(client_identity.c.client_id == client.c.id)
    .order_by(client_identity.c.version.desc())
    .limit(literal_column("1"))
    .lateral("identity")
)
_theirs = episode.c.client_id == client.c.id
is_closed = and_(
    client.c.has_merges,
    exists().where(
        client_merge_side.c.client_id == client.c.id,
        client_merge_side.c.side == Side.DUPLICATE.value,
        client_merge_side.c.standing == Standing.MERGED.value,
    ),
)
"""Nobody waits under a registration that is closed; only of whoever was ever said to be registered twice is it asked."""
_waits = and_(
    not_(is_closed),
    ~exists().where(_theirs, func.upper_inf(episode.c.period)),
    or_(
        and_(_word.c.client_id.is_(None), ~exists().where(_theirs)),
        and_(
            _word.c.priority.is_not(None),
            ~exists().where(_theirs, episode.c.recorded_at >= _word.c.recorded_at),
        ),
    ),
    not_(
        exists().where(
            client_death.c.client_id == client.c.id,
            ~exists().where(client_death_correction.c.death_id == client_death.c.id),
        )
    ),
)
_since = func.coalesce(_word.c.since, client.c.recorded_at)
_LINES: Final[Select[*tuple[Any, ...]]] = (
    select(client.c.id, *_newest.c, _since.label("since"), _word.c.priority, _word.c.reason)
    .select_from(client)
    .join(_newest, true())
    .outerjoin(_word, true())
    .where(_waits, within_reach())
)
_other = client.alias("other")
_said = (
    select(waiting_word.c.since, waiting_word.c.priority)
    .where(waiting_word.c.client_id == _other.c.id)
    .order_by(waiting_word.c.version.desc())
    .limit(literal_column("1"))
    .lateral("said")
)
_PLACE: Final = (
    select(_rank(_said.c.priority), func.coalesce(_said.c.since, _other.c.recorded_at), _other.c.id)
    .select_from(_other.outerjoin(_said, true()))
    .where(_other.c.id == bindparam("after", type_=Uuid()))
    .scalar_subquery()
)
_ORDER: Final = (_rank(_word.c.priority), _since, client.c.id)
FIRST: Final = _LINES.where(client.c.programme_id == bindparam("programme")).order_by(*_ORDER).limit(bindparam("limit"))
NEXT: Final = FIRST.where(tuple_(*_ORDER) > _PLACE)
ONE: Final = _LINES.where(client.c.id == bindparam("client"))
COUNTS: Final = (
    select(_word.c.priority, func.count().label("clients"), func.min(_since).label("since"))
    .select_from(client)
    .outerjoin(_word, true())
    .where(_waits, within_reach(), client.c.programme_id == bindparam("programme"))
    .group_by(_word.c.priority)
    .order_by(_rank(_word.c.priority))
)
"""How many lines the list has, by priority."""
_IN_CARE = select(exists().where(episode.c.client_id == bindparam("client"), func.upper_inf(episode.c.period)))
_VERSION = select(func.coalesce(func.max(waiting_word.c.version), literal_column("0"))).where(
    waiting_word.c.client_id == bindparam("client")
)


class WaitingLists:
    """Satisfies `domain.caseload.waiting.WaitingList`."""

    def __init__(self, connection: AsyncConnection, journal: Journal, *, now: datetime) -> None:
        self._connection = connection
        self._journal = journal
        self._now = now

    async def is_in_care(self, client: ClientId) -> bool:
        """See `domain.caseload.waiting.WaitingList.is_in_care`."""
        return bool((await self._connection.execute(_IN_CARE, {"client": client})).scalar_one())

    async def add_word(self, new: Word) -> None:
        """See `domain.caseload.waiting.WaitingList.add_word`."""
        last = (await self._connection.execute(_VERSION, {"client": new.client})).scalar_one()
        try:
            await self._connection.execute(
                insert(waiting_word).values(
                    client_id=new.client,
                    version=last + 1,
                    since=new.since,
                    priority=new.priority,
                    left_why=new.left,
                    reason=new.reason,
                    recorded_by=new.recorded_by,
                    recorded_at=new.recorded_at,
                )
            )
        except IntegrityError as raced:
            raise WaitingMoved from raced

    async def line(self, of: ClientId, *, reach: Reach) -> Waits:
        """The line of a client who waits; `NotWaiting`."""
        given = {"client": of, **reach_of(reach, at=self._now)}
        return self._shown((await self._connection.execute(ONE, given)).one_or_none())

    async def lines(
        self, programme: ProgrammeId, *, reach: Reach, after: ClientId | None, limit: int
    ) -> Sequence[Waits]:
        """Who waits in a programme: whom nobody has looked at, then by urgency, the longest waiting first."""
        given = {"programme": programme, "after": after, "limit": limit, **reach_of(reach, at=self._now)}
        if after is None:
            del given["after"]
        rows = (await self._connection.execute(FIRST if after is None else NEXT, given)).all()
        return [self._shown(row) for row in rows]

    def _shown(self, row: Row[*tuple[Any, ...]] | None) -> Waits:
        if row is None:
            raise NotWaiting
        self._journal.saw(ClientId(row.id), "caseload")
        return Waits(
            client=ClientId(row.id),
            given_name=row.given_name,
            family_name=row.family_name,
            birth_date=row.birth_date,
            since=row.since,
            priority=None if row.priority is None else Priority(row.priority),
            reason=row.reason,
        )
