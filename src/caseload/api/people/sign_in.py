"""Signing in and out, and what one is oneself."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, post
from litestar.datastructures import Cookie
from litestar.params import JSONBody

from caseload.api.problems import documented
from caseload.api.route import SESSION_COOKIE, public, reading, same_origin, writing
from caseload.api.wire import Wire
from caseload.api.work import TheWork
from caseload.audit.trail import Op, Purpose
from caseload.db.disclosure import KeptDisclosures
from caseload.db.glass import KeptGlasses
from caseload.db.programme import Programmes
from caseload.db.rights import KeptRights
from caseload.domain.access import MAY, Act, Role
from caseload.domain.accesslog import scope_of
from caseload.domain.disclosure import open_releases
from caseload.domain.errors import NotPermitted
from caseload.domain.journal import Unseen
from caseload.domain.people import Staff
from caseload.domain.rights import due_requests
from caseload.request import sign_in as door
from caseload.request.gate import work_of
from caseload.request.work import Work


class SignInIn(Wire, frozen=True, kw_only=True):
    """User name and password."""

    user_name: str
    password: str
    new_password: str | None = None
    """Chosen by yourself; needed when what you were given is a one-time secret."""
    cookie: bool = False
    """Keep the token in a cookie that scripts cannot read, instead of giving it back: for our own pages."""

    def __repr__(self) -> str:
        """Without the passwords, wherever it may be printed."""
        return "SignInIn(...)"


class RoleHeldOut(Wire, frozen=True, kw_only=True):
    """A role in force."""

    role: Role
    programme_id: UUID | None
    on_duty: bool


class MyGlassOut(Wire, frozen=True, kw_only=True):
    """The client whom you have opened."""

    id: UUID
    client_id: UUID
    until_at: datetime


class ToReviewOut(Wire, frozen=True, kw_only=True):
    """How much waits for somebody of the privacy office."""

    waiting: int
    overdue: int
    """Of these, how many should have been dealt with by now."""


class MeOut(Wire, frozen=True, kw_only=True):
    """Who you are and what you may do now."""

    id: UUID
    user_name: str
    printed_name: str
    may_sign: bool
    """False while a reset of your password waits for somebody to confirm that it was you who asked."""
    registration: str | None
    roles: list[RoleHeldOut]
    may: list[Act]
    glass: MyGlassOut | None = None
    """A client outside your reach whom you have opened, while it lasts."""
    to_review: ToReviewOut | None = None
    """For a privacy officer: broken glasses that wait for a review."""
    to_answer: ToReviewOut | None = None
    """For a privacy officer: requests of clients about their own record that nobody has answered."""
    to_complete: ToReviewOut | None = None
    """For a privacy officer: emergency releases whose record is not complete."""

    @classmethod
    def of(cls, staff: Staff) -> "MeOut":
        """From the domain."""
        return cls(
            id=staff.id,
            user_name=staff.user_name,
            printed_name=staff.printed_name,
            may_sign=staff.may_sign,
            registration=staff.registration,
            roles=[
                RoleHeldOut(role=held.role, programme_id=held.programme, on_duty=held.on_duty)
                for held in staff.holdings
            ],
            may=[act for act in MAY if staff.may(act)],
        )


class SignedInOut(Wire, frozen=True, kw_only=True):
    """A session that has begun."""

    token: str | None
    """Send it as `Authorization: Bearer`. Null when it went into a cookie."""
    expires_at: datetime
    """When the session ends however busy it is; unused it ends after a few minutes."""
    me: MeOut


class NewPasswordIn(Wire, frozen=True, kw_only=True):
    """The present password and the one to come."""

    password: str
    new_password: str

    def __repr__(self) -> str:
        """Without the passwords, wherever it may be printed."""
        return "NewPasswordIn(...)"


@public(
    post,
    "/sign-in",
    name="sign_in",
    why="whoever signs in is not signed in yet",
    status_code=200,
    responses=documented(400, 401, 403, 409, 413, 415, 422, 429, 503),
)
async def sign_in(request: Request[Any, Any, Any], data: JSONBody[SignInIn]) -> Response[SignedInOut]:
    """Sign in. Failures in a row make each further one wait longer; live sessions are not touched."""
    if data.cookie and not same_origin(request):
        raise NotPermitted("Only our own pages may keep a session in a cookie. Ask for the token instead.")
    work = work_of(request.scope)
    said = work.circumstances
    said.route, said.op, said.purpose = "POST /api/v1/sign-in", Op.EXECUTE, Purpose.ADMINISTRATION
    token, staff = await door.sign_in(work, data.user_name, data.password, new_password=data.new_password)
    longest = work.service.door.rules.sessions.absolute
    answer = SignedInOut(token=None if data.cookie else token, expires_at=work.now + longest, me=MeOut.of(staff))
    cookies = [session_cookie(token, seconds=int(longest.total_seconds()))] if data.cookie else []
    return Response(answer, headers={"cache-control": "no-store"}, cookies=cookies)


@writing("/sign-out", act=Act.KNOW_MYSELF, name="sign_out", status=204, problems=())
async def sign_out(work: TheWork) -> Response[None]:
    """End this session."""
    await door.sign_out(work)
    return Response(None, status_code=204, cookies=[session_cookie("", seconds=0)])


@reading(
    "/me", act=Act.KNOW_MYSELF, name="read_me", problems=(), unaudited="shows nobody but the one who asks to themselves"
)
async def read_me(work: TheWork) -> MeOut:
    """Who you are and what you may do; whom you have opened, and what waits for your review."""
    me, glass = MeOut.of(work.by), work.by.apart.glass
    if glass is not None:
        work.journal.saw(glass.client, "glass")
        me = msgspec.structs.replace(me, glass=MyGlassOut(id=glass.id, client_id=glass.client, until_at=glass.until))
    if work.by.may(Act.REVIEW_GLASS):
        glasses = KeptGlasses(work.connection, work.journal, now=work.now)
        waiting, overdue = await glasses.waiting(scope=scope_of(work.by.holdings, Act.REVIEW_GLASS))
        me = msgspec.structs.replace(me, to_review=ToReviewOut(waiting=waiting, overdue=overdue))
    if work.by.may(Act.ANSWER_RIGHTS_REQUEST):
        me = msgspec.structs.replace(me, to_answer=await _to_answer(work), to_complete=await _to_complete(work))
    return me


async def _to_answer(work: Work) -> ToReviewOut:
    """By the list's own definition of due (`domain.rights.due_requests`)."""
    requests = KeptRights(work.connection, Unseen(), now=work.now)
    programmes = await Programmes(work.connection).all()
    due = await due_requests(by=work.by, now=work.now, programmes=programmes, requests=requests)
    return ToReviewOut(waiting=len(due), overdue=sum(each.days_left < 0 for each in due))


async def _to_complete(work: Work) -> ToReviewOut:
    """By the list's own definition of overdue (`domain.disclosure.open_releases`)."""
    releases = KeptDisclosures(work.connection, Unseen(), now=work.now)
    found = await open_releases(by=work.by, act=Act.SEE_CONSENT, releases=releases)
    return ToReviewOut(waiting=len(found), overdue=sum(each.is_overdue(work.now) for each in found))


@writing("/me/password", act=Act.KNOW_MYSELF, name="change_password", status=204, problems=(429,))
async def change_password(data: JSONBody[NewPasswordIn], work: TheWork) -> None:
    """Choose another password; your other sessions end."""
    await door.change_password(work, data.password, data.new_password)


def session_cookie(token: str, *, seconds: int) -> Cookie:
    """The cookie of our own pages: this host only, TLS only, unreadable for scripts, never sent from another site."""
    return Cookie(
        key=SESSION_COOKIE, value=token, max_age=seconds, path="/", secure=True, httponly=True, samesite="strict"
    )


router = Router("/", route_handlers=[sign_in, sign_out, read_me, change_password], tags=["Signing in"])
