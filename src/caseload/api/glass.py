"""Break-glass over HTTP: the door, how it closes, and who looks at it."""

from datetime import date, datetime
from typing import Annotated, Final
from uuid import UUID

from litestar import Router
from litestar.params import FromPath, JSONBody, QueryParameter

from caseload.api.pages import USUAL, After, Limit, Page
from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork, concerns
from caseload.audit.trail import Outcome as Ended
from caseload.db.glass import KeptGlasses, Line, Try
from caseload.db.idempotency import Kept
from caseload.db.versions import AFTER_ALL
from caseload.domain import glass as domain
from caseload.domain.access import Act
from caseload.domain.accesslog import scope_of
from caseload.domain.glass import Broken, GlassReview, Outcome, ReasonCode, Tried, Wanted
from caseload.domain.ids import GlassId, new_id
from caseload.request.idempotency import once
from caseload.request.work import Work

NOBODY: Final = (
    "Nobody was opened. Look at name and birth date as a document has them; a number that the client is known by tells "
    "two of the same name apart. The privacy officer sees every try."
)
UnreviewedOnly = Annotated[
    bool,
    QueryParameter(name="unreviewed_only", required=False, description="Leave out what somebody has looked at."),
]


class GlassIn(Wire, frozen=True, kw_only=True):
    """Who is needed, exactly as the record has them, and why."""

    given_name: str
    family_name: str
    birth_date: date
    code: ReasonCode
    reason: str
    """What happened, in your words; whoever reviews it reads this."""
    identifier: str | None = None
    """A number the client is known by; needed where two share name and birth date."""
    minutes: int | None = None
    """For how long; the longest there is (an hour) when left out."""


class GlassReviewOut(Wire, frozen=True, kw_only=True):
    """What somebody else came to."""

    outcome: Outcome
    note: str
    reviewed_by: UUID
    reviewed_at: datetime

    @classmethod
    def of(cls, review: GlassReview) -> "GlassReviewOut":
        """From the domain."""
        return cls(outcome=review.outcome, note=review.note, reviewed_by=review.by, reviewed_at=review.at)


class GlassOut(Wire, frozen=True, kw_only=True):
    """One client opened to one person, from when to when."""

    id: UUID
    staff_id: UUID
    client_id: UUID
    programme_id: UUID
    code: ReasonCode
    reason: str
    rule: str
    starts_at: datetime
    until_at: datetime
    ended_at: datetime | None
    ended_by: UUID | None
    is_now: bool
    review_due_at: datetime
    is_overdue: bool
    """Nobody has reviewed it, and the day is over."""
    review: GlassReviewOut | None

    @classmethod
    def of(cls, broken: Broken, review: GlassReview | None, *, now: datetime) -> "GlassOut":
        """From the domain."""
        return cls(
            id=broken.id,
            staff_id=broken.staff,
            client_id=broken.client,
            programme_id=broken.programme,
            code=broken.code,
            reason=broken.reason,
            rule=broken.rule,
            starts_at=broken.starts_at,
            until_at=broken.until_at,
            ended_at=broken.ended_at,
            ended_by=broken.ended_by,
            is_now=broken.counts(now),
            review_due_at=broken.review_due_at,
            is_overdue=review is None and broken.review_due_at <= now,
            review=None if review is None else GlassReviewOut.of(review),
        )


class TriedOut(Wire, frozen=True, kw_only=True):
    """What came of it. Nobody is the same answer, whether there is no such client or more than one."""

    opened: GlassOut | None
    says: str


class GlassReviewIn(Wire, frozen=True, kw_only=True):
    """What you came to."""

    outcome: Outcome
    note: str
    """What it rests on. Nothing clinical."""


class GlassTryOut(Wire, frozen=True, kw_only=True):
    """A try that opened nobody; the name that was given is not kept."""

    id: UUID
    staff_id: UUID
    tried: Tried
    tried_at: datetime

    @classmethod
    def of(cls, one: Try) -> "GlassTryOut":
        """From the database."""
        return cls(id=one.id, staff_id=one.staff, tried=one.tried, tried_at=one.at)


class GlassesOut(Wire, frozen=True, kw_only=True):
    """A page of the list, with how much of it waits."""

    items: list[GlassOut]
    next: UUID | None
    waiting: int
    """Not reviewed yet."""
    overdue: int
    """Of these, how many should have been by now."""


@writing("/break-glass", act=Act.BREAK_GLASS, name="break_glass", problems=(429,))
async def break_glass(data: JSONBody[GlassIn], work: TheWork, key: TheKey) -> TriedOut:
    """Open one client outside your reach, in an emergency, for an hour at most. A privacy officer sees it at once."""
    new = GlassId(new_id())
    wanted = Wanted(
        given_name=data.given_name,
        family_name=data.family_name,
        birth_date=data.birth_date,
        identifier=data.identifier,
        code=data.code,
        reason=data.reason,
        minutes=data.minutes,
    )

    async def try_it() -> Broken | None:
        return await domain.break_glass(
            wanted, as_id=new, by=work.by, now=work.now, glasses=_kept(work), journal=work.journal
        )

    async def again(kept: Kept) -> Broken | None:
        return await _kept(work).opened(GlassId(kept.resource))

    opened = await once(work, key, Kept(status=201, resource=new), do=try_it, again=again)
    if opened is None:
        work.outcome = Ended.REFUSED
        return TriedOut(opened=None, says=NOBODY)
    work.circumstances.programme = opened.programme
    says = f"Open until {opened.until_at.isoformat()}. Everything you see of this client is marked, and somebody else reviews it."
    return TriedOut(opened=GlassOut.of(opened, None, now=work.now), says=says)


@writing("/break-glass/{glass_id:uuid}/end", act=Act.BREAK_GLASS, name="end_glass")
async def end_glass(glass_id: FromPath[UUID], work: TheWork, key: TheKey) -> GlassOut:
    """Close the client again, as soon as you do not need them any more."""
    wanted = GlassId(glass_id)

    async def end() -> Line:
        line = await _kept(work).hold_own(wanted, work.by.id)
        ended = await domain.end_glass(
            line.broken, by=work.by.id, now=work.now, glasses=_kept(work), journal=work.journal
        )
        return line._replace(broken=ended)

    async def again(_: Kept) -> Line:
        return await _kept(work).hold_own(wanted, work.by.id)

    line = await once(work, key, Kept(status=201, resource=wanted), do=end, again=again)
    work.circumstances.programme = line.broken.programme
    return GlassOut.of(line.broken, line.review, now=work.now)


@reading("/break-glass", act=Act.SEE_GLASS, name="list_glasses", problems=())
async def list_glasses(
    work: TheWork,
    *,
    unreviewed_only: UnreviewedOnly = False,
    after: After = None,
    limit: Limit = USUAL,
) -> GlassesOut:
    """Who opened whom and why, the newest first; how many wait for a review, and how many of these are overdue."""
    scope, kept = scope_of(work.by.holdings, Act.SEE_GLASS), _kept(work)
    found = await kept.page(scope=scope, unreviewed_only=unreviewed_only, after=after or AFTER_ALL, limit=limit)
    waiting, overdue = await kept.waiting(scope=scope)
    items = [GlassOut.of(each.broken, each.review, now=work.now) for each in found]
    following = items[-1].id if len(items) == limit else None
    return GlassesOut(items=items, next=following, waiting=waiting, overdue=overdue)


@reading("/break-glass/tries", act=Act.SEE_GLASS, name="list_glass_tries", problems=())
async def list_glass_tries(work: TheWork, after: After = None, limit: Limit = USUAL) -> Page[GlassTryOut]:
    """Tries that opened nobody, the newest first, of everybody."""
    items = [GlassTryOut.of(each) for each in await _kept(work).tries(after=after or AFTER_ALL, limit=limit)]
    return Page(items=items, next=items[-1].id if len(items) == limit else None)


@writing("/break-glass/{glass_id:uuid}/review", act=Act.REVIEW_GLASS, name="review_glass")
async def review_glass(glass_id: FromPath[UUID], data: JSONBody[GlassReviewIn], work: TheWork, key: TheKey) -> GlassOut:
    """Say what you came to. Nobody reviews what they did themselves; what is still open ends with it."""
    wanted = GlassId(glass_id)
    scope = scope_of(work.by.holdings, Act.REVIEW_GLASS)

    async def look() -> Line:
        line = await _kept(work).hold(wanted, scope=scope)
        await domain.review_glass(
            line.broken,
            data.outcome,
            data.note,
            by=work.by,
            now=work.now,
            glasses=_kept(work),
            journal=work.journal,
        )
        return await _kept(work).get(wanted)

    async def again(_: Kept) -> Line:
        return await _kept(work).hold(wanted, scope=scope)

    line = await once(work, key, Kept(status=201, resource=wanted), do=look, again=again)
    concerns(work, line.broken.programme, Act.REVIEW_GLASS)
    return GlassOut.of(line.broken, line.review, now=work.now)


def _kept(work: Work) -> KeptGlasses:
    return KeptGlasses(work.connection, work.journal, now=work.now)


router = Router(
    "/",
    route_handlers=[break_glass, end_glass, list_glasses, list_glass_tries, review_glass],
    tags=["Restricted records"],
)
