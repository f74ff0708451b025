"""The handovers of a client in PostgreSQL, and the one that is taken back."""

from datetime import datetime

from sqlalchemy import Uuid, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from caseload.db.access import reach_of, within_reach
from caseload.db.caseload.offers import Offers
from caseload.db.caseload.responsibilities import MOVED, STANDS, responsibility_of
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client, responsibility, responsibility_taken_back
from caseload.domain.access import Reach
from caseload.domain.caseload import CaseloadMoved, Handovers, Responsibility
from caseload.domain.client import ClientUnknown
from caseload.domain.ids import ClientId, StaffId

_CLIENT = bindparam("client", type_=Uuid())
_WANTED = bindparam("wanted", type_=Uuid())
_AT = bindparam("at", type_=INSTANT)

_PERIODS = (
    select(
        *STANDS,
        select(func.count(responsibility_taken_back.c.id))
        .where(responsibility_taken_back.c.client_id == _CLIENT)
        .scalar_subquery()
        .label("taken_back"),
    )
    .where(responsibility.c.client_id == _CLIENT)
    .order_by(func.lower(responsibility.c.period).desc())
)
_IS_WITHIN_REACH = select(client.c.id).where(client.c.id == _CLIENT, within_reach())

_to_come = (responsibility.c.id == _WANTED) & (func.lower(responsibility.c.period) > _AT)
_KEEP = insert(responsibility_taken_back).from_select(
    list(responsibility_taken_back.c), select(*responsibility.c, bindparam("by", type_=Uuid()), _AT).where(_to_come)
)
_DROP = delete(responsibility).where(_to_come).returning(func.upper(responsibility.c.period).label("until"))
_LAST = (
    update(responsibility)
    .where(responsibility.c.id == bindparam("former", type_=Uuid()), func.upper(responsibility.c.period) == _AT)
    .values(period=func.tstzrange(func.lower(responsibility.c.period), bindparam("until", type_=INSTANT)))
)


class HandoverBook(Offers):
    """Responsibilities as they stand, and the one that is taken back: see `domain.caseload.handovers.TakesBack`."""

    async def handovers(self, wanted: ClientId, *, reach: Reach) -> Handovers:
        """The handovers of a client, newest first; `ClientUnknown` outside the reach."""
        given = {"client": wanted, **reach_of(reach, at=self._now, by_identifier=True)}
        if (await self._connection.execute(_IS_WITHIN_REACH, given)).first() is None:
            raise ClientUnknown
        rows = (await self._connection.execute(_PERIODS, {"client": wanted})).all()
        self._journal.saw(wanted, "caseload")
        # A handover that is taken back leaves the one count and adds to the other: the sum only ever grows.
        version = len(rows) + 2 * (rows[0].taken_back if rows else 0)
        return Handovers(client=wanted, version=version, periods=[responsibility_of(row) for row in rows])

    async def take_back(self, planned: Responsibility, former: Responsibility, *, by: StaffId, now: datetime) -> None:
        """See `domain.caseload.handovers.TakesBack.take_back`. That nobody is left without anyone is seen at commit."""
        given = {"wanted": planned.id, "at": now}
        try:
            await self._connection.execute(_KEEP, {**given, "by": by})
        except IntegrityError as raced:
            raise CaseloadMoved(MOVED) from raced
        dropped = (await self._connection.execute(_DROP, given)).one_or_none()
        if dropped is None:
            raise CaseloadMoved(MOVED)
        longer = {"former": former.id, "at": planned.since, "until": dropped.until}
        if (await self._connection.execute(_LAST, longer)).rowcount != 1:
            raise CaseloadMoved(MOVED)
        await self.follow([planned.client], by=by)
