"""What a handler is given: its piece of work, its idempotency key, the version the caller saw, and whom it is about."""

from typing import Annotated, Any, TypeAlias, TypeVar
from uuid import UUID

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import HeaderParameter, SkipValidation

from caseload.api.problems import VersionMissing, VersionStale
from caseload.db.client import Clients
from caseload.db.idempotency import Kept
from caseload.domain.access import MAY, Act
from caseload.domain.client import Client
from caseload.domain.ids import ClientId, ProgrammeId
from caseload.request.gate import work_of
from caseload.request.idempotency import RequestKey
from caseload.request.work import Work

TheWork: TypeAlias = SkipValidation[NamedDependency[Work]]
"""Says in a handler's signature that it is given its piece of work, under the name `work`."""

TheKey: TypeAlias = SkipValidation[NamedDependency[RequestKey | None]]
"""The request's idempotency key, under the name `key`."""

Said = TypeVar("Said", bound=msgspec.Struct)

IdempotencyKey = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        required=False,
        max_length=255,
        description="A fresh random key per act; a retry with the same key and body gets the first answer again.",
    ),
]
IfMatch = Annotated[
    str | None, HeaderParameter(name="If-Match", required=False, description="The ETag of the version you saw.")
]


async def piece_of_work(request: Request[Any, Any, Any]) -> Work:
    """The request's one piece of work, opened."""
    work = work_of(request.scope)
    await work.open()
    return work


async def request_key(request: Request[Any, Any, Any], idempotency_key: IdempotencyKey = None) -> RequestKey | None:
    """The request's key with the digest of what it asks, when it has one."""
    if idempotency_key is None:
        return None
    work = work_of(request.scope)
    return RequestKey.of(
        route=work.circumstances.route,
        key=idempotency_key,
        path=request.scope["path"],
        body=await request.body(),
        secret=work.service.request_secret,
    )


async def client_within(work: Work, client_id: UUID, act: Act) -> Client:
    """The client of a request. Raises `ClientUnknown` when they are beyond the reach of whoever asks, for this act."""
    clients = Clients(work.connection, work.journal, now=work.now)
    client = await clients.get(ClientId(client_id), reach=work.by.reach(act))
    concerns(work, client.programme, act)
    return client


def concerns(work: Work, programme: ProgrammeId, act: Act) -> None:
    """Let the entry say in which programme it happened, where whoever does it may do so in the whole organisation."""
    if any(held.programme is None for held in work.by.holdings if held.role in MAY[act]):
        work.circumstances.programme = programme


def etag(version: int) -> str:
    """The strong validator of a version (RFC 9110, section 8.8.3)."""
    return f'"{version}"'


def require_version(if_match: str | None, version: int) -> None:
    """Raise `VersionMissing` (428) without If-Match and `VersionStale` (412) when it names another version."""
    if if_match is None:
        raise VersionMissing
    if if_match.strip() != etag(version):
        raise VersionStale


def versioned(said: Said, version: int, status: int = 200) -> Response[Said]:
    """An answer that shows one version, with the ETag that a change of it asks for."""
    return Response(said, status_code=status, headers={"ETag": etag(version)})


async def nothing_more(_: Kept) -> None:
    """The answer to a retry of something that answers with nothing."""
