"""Broken glasses in PostgreSQL: one at a time for each person, every try, and the reviews."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Boolean, Row, Uuid, and_, any_, bindparam, exists, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of, within_reach
from caseload.db.closure import ClosureDays
from caseload.db.people.accounts import Accounts
from caseload.db.programme import Programmes
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client, client_identifier, client_identity
from caseload.db.tables.glass import glass, glass_review, glass_try
from caseload.db.tables.merge import client_merge_side
from caseload.domain.access import Act
from caseload.domain.accesslog import LogScope
from caseload.domain.glass import (
    Broken,
    GlassReview,
    GlassReviewedAlready,
    GlassStillBroken,
    GlassUnknown,
    Outcome,
    ReasonCode,
    Tried,
    Wanted,
)
from caseload.domain.ids import ClientId, GlassId, ProgrammeId, StaffId
from caseload.domain.journal import Journal
from caseload.domain.merge import Side, Standing
from caseload.domain.people import Staff
from caseload.domain.programme import Programme

KIND: Final = "glass"
"""What the journal calls it."""

_AT = bindparam("at", type_=INSTANT)
_EVERY = select(
    glass.c.id,
    glass.c.staff_id,
    glass.c.client_id,
    glass.c.programme_id,
    glass.c.code,
    glass.c.reason,
    glass.c.rule,
    glass.c.starts_at,
    glass.c.until_at,
    glass.c.review_due_at,
    glass.c.ended_at,
    glass.c.ended_by,
    glass_review.c.outcome,
    glass_review.c.note,
    glass_review.c.reviewed_by,
    glass_review.c.reviewed_at,
).outerjoin(glass_review, glass_review.c.glass_id == glass.c.id)
_ONE = _EVERY.where(glass.c.id == bindparam("glass", type_=Uuid()))
_OWN = _ONE.where(glass.c.staff_id == bindparam("staff", type_=Uuid()))
_HOLD = select(glass.c.id).where(glass.c.id == bindparam("glass", type_=Uuid())).with_for_update()
_RUNNING = _EVERY.where(
    glass.c.staff_id == bindparam("staff", type_=Uuid()),
    glass.c.until_at > _AT,
    glass.c.ended_at.is_(None),
).limit(1)
_IN_SCOPE = or_(
    bindparam("everything", type_=Boolean()), glass.c.programme_id == any_(bindparam("programmes", type_=ARRAY(Uuid())))
)
_waits = ~exists().where(glass_review.c.glass_id == glass.c.id).correlate(glass)
_LIST = (
    _EVERY.where(
        _IN_SCOPE,
        glass.c.id < bindparam("after", type_=Uuid()),
        or_(~bindparam("unreviewed_only", type_=Boolean()), glass_review.c.glass_id.is_(None)),
    )
    .order_by(glass.c.id.desc())
    .limit(bindparam("limit"))
)
_WAITING = select(
    func.count().label("waiting"), func.count().filter(glass.c.review_due_at <= _AT).label("overdue")
).where(_IN_SCOPE, _waits)
_GUESSES = (
    select(glass_try.c.tried_at)
    .where(
        glass_try.c.staff_id == bindparam("staff", type_=Uuid()),
        glass_try.c.tried_at > bindparam("since", type_=INSTANT),
        glass_try.c.tried != Tried.OPENED.value,
    )
    .order_by(glass_try.c.tried_at)
)
_TRIES = (
    select(glass_try.c.id, glass_try.c.staff_id, glass_try.c.tried, glass_try.c.tried_at)
    .where(glass_try.c.tried != Tried.OPENED.value, glass_try.c.id < bindparam("after", type_=Uuid()))
    .order_by(glass_try.c.id.desc())
    .limit(bindparam("limit"))
)
_closed, _used = client_merge_side.alias("closed"), client.alias("used")
FIND: Final = (
    select(_used.c.id, _used.c.programme_id)
    .distinct()
    .select_from(client)
    .outerjoin(
        _closed,
        and_(
            _closed.c.client_id == client.c.id,
            _closed.c.side == Side.DUPLICATE.value,
            _closed.c.standing == Standing.MERGED.value,
        ),
    )
    .join(_used, _used.c.id == func.coalesce(_closed.c.survivor_id, client.c.id))
    .where(
        exists()
        .where(
            client_identity.c.client_id == client.c.id,
            client_identity.c.birth_date == bindparam("birth_date"),
            func.lower(client_identity.c.given_name) == func.lower(bindparam("given_name")),
            func.lower(client_identity.c.family_name) == func.lower(bindparam("family_name")),
        )
        .correlate(client)
    )
    .limit(2)
)
"""Whoever is registered twice is found by either name, as the registration that is used."""
_FIND_NUMBERED = FIND.where(
    exists()
    .where(
        client_identifier.c.client_id.in_((client.c.id, _used.c.id)),
        func.lower(client_identifier.c.value) == func.lower(bindparam("number")),
    )
    .correlate(client, _used)
)
_WITHIN = select(client.c.id).where(client.c.id == bindparam("client", type_=Uuid()), within_reach())
_END = (
    update(glass)
    .where(glass.c.id == bindparam("ending", type_=Uuid()), glass.c.ended_at.is_(None))
    .values(ended_at=_AT, ended_by=bindparam("by", type_=Uuid()))
)


class Line(NamedTuple):
    """A broken glass, and the review of it if there is one."""

    broken: Broken
    review: GlassReview | None


class Try(NamedTuple):
    """A try that opened nobody."""

    id: UUID
    staff: StaffId
    tried: Tried
    at: datetime


class KeptGlasses:
    """Satisfies `domain.glass.reviewing.GlassReviews`."""

    def __init__(self, connection: AsyncConnection, journal: Journal, *, now: datetime) -> None:
        self._connection = connection
        self._journal = journal
        self._now = now

    async def hold_still(self, staff: StaffId) -> None:
        """See `domain.glass.Glasses.hold_still`."""
        await Accounts(self._connection).hold_still(staff)

    async def guesses(self, staff: StaffId, *, since: datetime) -> Sequence[datetime]:
        """See `domain.glass.Glasses.guesses`."""
        return (await self._connection.execute(_GUESSES, {"staff": staff, "since": since})).scalars().all()

    async def running(self, staff: StaffId) -> Broken | None:
        """See `domain.glass.Glasses.running`."""
        row = (await self._connection.execute(_RUNNING, {"staff": staff, "at": self._now})).first()
        return None if row is None else self._seen(row).broken

    async def find(self, wanted: Wanted) -> Sequence[tuple[ClientId, ProgrammeId]]:
        """See `domain.glass.Glasses.find`. Whoever is not opened to anybody does not cause an entry about them."""
        given: dict[str, Any] = {
            "birth_date": wanted.birth_date,
            "given_name": wanted.given_name.strip(),
            "family_name": wanted.family_name.strip(),
        }
        statement = FIND
        if wanted.identifier is not None:
            statement, given["number"] = _FIND_NUMBERED, wanted.identifier.strip()
        rows = await self._connection.execute(statement, given)
        return [(ClientId(row.id), ProgrammeId(row.programme_id)) for row in rows]

    async def is_within(self, wanted: ClientId, *, by: Staff) -> bool:
        """See `domain.glass.Glasses.is_within`."""
        given = {"client": wanted, **reach_of(by.reach(Act.SEE_CLIENT), at=self._now, by_identifier=True)}
        return (await self._connection.execute(_WITHIN, given)).first() is not None

    async def programme(self, wanted: ProgrammeId) -> Programme:
        """See `domain.glass.Glasses.programme`."""
        return await Programmes(self._connection).get(wanted)

    async def closed(self, programme: ProgrammeId, first: date, last: date) -> Collection[date]:
        """See `domain.glass.Glasses.closed`."""
        return {each.day for each in await ClosureDays(self._connection).closed_days(programme, first, last)}

    async def add_try(self, as_id: GlassId, staff: StaffId, tried: Tried) -> None:
        """See `domain.glass.Glasses.add_try`."""
        await self._connection.execute(
            insert(glass_try).values(id=as_id, staff_id=staff, tried=tried, tried_at=self._now)
        )

    async def add(self, new: Broken) -> None:
        """See `domain.glass.Glasses.add`."""
        try:
            await self._connection.execute(
                insert(glass).values(
                    id=new.id,
                    staff_id=new.staff,
                    client_id=new.client,
                    programme_id=new.programme,
                    code=new.code,
                    reason=new.reason,
                    rule=new.rule,
                    starts_at=new.starts_at,
                    until_at=new.until_at,
                    review_due_at=new.review_due_at,
                )
            )
        except IntegrityError as overlapping:
            raise GlassStillBroken("End it first, or wait until it ends.") from overlapping

    async def end(self, ending: Broken) -> None:
        """See `domain.glass.Glasses.end`."""
        await self._connection.execute(_END, {"ending": ending.id, "at": ending.ended_at, "by": ending.ended_by})

    async def get(self, wanted: GlassId) -> Line:
        """One of them; or `GlassUnknown`."""
        row = (await self._connection.execute(_ONE, {"glass": wanted})).first()
        if row is None:
            raise GlassUnknown("Read the list for its identifier.")
        return self._seen(row)

    async def opened(self, wanted: GlassId) -> Broken | None:
        """What a try opened; None when it opened nobody."""
        row = (await self._connection.execute(_ONE, {"glass": wanted})).first()
        return None if row is None else self._seen(row).broken

    async def hold(self, wanted: GlassId, *, scope: LogScope) -> Line:
        """One of the scope's programmes, held so that nobody else ends or reviews it meanwhile; or `GlassUnknown`."""
        await self._connection.execute(_HOLD, {"glass": wanted})
        row = (await self._connection.execute(_ONE.where(_IN_SCOPE), {"glass": wanted, **_within(scope)})).first()
        if row is None:
            raise GlassUnknown("Read the list for its identifier.")
        return self._seen(row)

    async def hold_own(self, wanted: GlassId, staff: StaffId) -> Line:
        """One that this person broke, held so that nobody else ends or reviews it meanwhile; or `GlassUnknown`."""
        await self._connection.execute(_HOLD, {"glass": wanted})
        row = (await self._connection.execute(_OWN, {"glass": wanted, "staff": staff})).first()
        if row is None:
            raise GlassUnknown("Ask who you are for the one that you have open.")
        return self._seen(row)

    async def page(self, *, scope: LogScope, unreviewed_only: bool, after: UUID, limit: int) -> Sequence[Line]:
        """Broken glasses of the scope's programmes, the newest first."""
        given = {"unreviewed_only": unreviewed_only, "after": after, "limit": limit, **_within(scope)}
        return [self._seen(row) for row in await self._connection.execute(_LIST, given)]

    async def waiting(self, *, scope: LogScope) -> tuple[int, int]:
        """How many wait for a review, and how many of these are overdue."""
        row = (await self._connection.execute(_WAITING, {"at": self._now, **_within(scope)})).one()
        return row.waiting, row.overdue

    async def tries(self, *, after: UUID, limit: int) -> Sequence[Try]:
        """Tries that opened nobody, the newest first. They belong to no programme."""
        rows = await self._connection.execute(_TRIES, {"after": after, "limit": limit})
        return [Try(row.id, StaffId(row.staff_id), Tried(row.tried), row.tried_at) for row in rows]

    async def add_review(self, broken: Broken, review: GlassReview) -> None:
        """See `domain.glass.reviewing.GlassReviews.add_review`."""
        try:
            await self._connection.execute(
                insert(glass_review).values(
                    glass_id=review.glass,
                    staff_id=broken.staff,
                    outcome=review.outcome,
                    note=review.note,
                    reviewed_by=review.by,
                    reviewed_at=review.at,
                )
            )
        except IntegrityError as twice:
            raise GlassReviewedAlready from twice

    def _seen(self, row: Row[*tuple[Any, ...]]) -> Line:
        self._journal.saw(ClientId(row.client_id), KIND)
        return Line(_broken(row), _review(row))


def _within(scope: LogScope) -> dict[str, object]:
    return {"everything": scope.programmes is None, "programmes": sorted(scope.programmes or ())}


def _broken(row: Row[*tuple[Any, ...]]) -> Broken:
    return Broken(
        id=GlassId(row.id),
        staff=StaffId(row.staff_id),
        client=ClientId(row.client_id),
        programme=ProgrammeId(row.programme_id),
        code=ReasonCode(row.code),
        reason=row.reason,
        rule=row.rule,
        starts_at=row.starts_at,
        until_at=row.until_at,
        review_due_at=row.review_due_at,
        ended_at=row.ended_at,
        ended_by=None if row.ended_by is None else StaffId(row.ended_by),
    )


def _review(row: Row[*tuple[Any, ...]]) -> GlassReview | None:
    if row.outcome is None:
        return None
    return GlassReview(
        glass=GlassId(row.id),
        outcome=Outcome(row.outcome),
        note=row.note,
        by=StaffId(row.reviewed_by),
        at=row.reviewed_at,
    )
