"""One container: read, put to use, put away, poured from, closed. Each names by If-Match the version it was decided on."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from litestar import Response
from litestar.params import FromPath, JSONBody

from caseload.api.amounts import milligrams
from caseload.api.route import reading, writing
from caseload.api.stock.wire import ContainerOut, PourIn, UseIn
from caseload.api.work import IfMatch, TheKey, TheWork, etag, require_version
from caseload.db.idempotency import Kept
from caseload.db.stock.acts import Acts
from caseload.domain.access import Act
from caseload.domain.ids import ContainerId, PourId, StationId, new_id
from caseload.domain.stock import moving as domain
from caseload.domain.stock.container import Container
from caseload.request.idempotency import RequestKey, once
from caseload.request.work import Work

_MOVES = (404, 412, 428)


def acts(work: Work) -> Acts:
    """Where the stock is kept, for one piece of work."""
    return Acts(work.connection)


def shown(container: Container, status: int = 200) -> Response[ContainerOut]:
    """A container, named by its ETag."""
    return Response(ContainerOut.of(container), status_code=status, headers={"etag": etag(container.version)})


@reading("/stock-containers/{container_id:uuid}", act=Act.SEE_STOCK, name="read_container")
async def read_container(container_id: FromPath[UUID], work: TheWork) -> Response[ContainerOut]:
    """A bottle or a filling of a dispenser, and what is in it by the books."""
    return shown(await acts(work).container(ContainerId(container_id), by=work.by, act=Act.SEE_STOCK))


@writing("/stock-containers/{container_id:uuid}/uses", act=Act.POUR_STOCK, name="use_container", problems=_MOVES)
async def use_container(
    container_id: FromPath[UUID], data: JSONBody[UseIn], work: TheWork, key: TheKey, if_match: IfMatch = None
) -> Response[ContainerOut]:
    """Let a station take its doses from this container, until it is put away."""

    async def use(version: int) -> None:
        await domain.put_to_use(
            ContainerId(container_id),
            StationId(data.station_id),
            version,
            by=work.by,
            now=work.now,
            movements=acts(work),
            journal=work.journal,
        )

    return await _moved(work, key, if_match, ContainerId(container_id), use)


@writing("/stock-containers/{container_id:uuid}/uses/end", act=Act.POUR_STOCK, name="put_container", problems=_MOVES)
async def put_container(
    container_id: FromPath[UUID], work: TheWork, key: TheKey, if_match: IfMatch = None
) -> Response[ContainerOut]:
    """Put a container away: no station takes doses from it any more."""

    async def put_away(version: int) -> None:
        await domain.put_away(
            ContainerId(container_id),
            version,
            by=work.by,
            now=work.now,
            movements=acts(work),
            journal=work.journal,
        )

    return await _moved(work, key, if_match, ContainerId(container_id), put_away)


@writing("/stock-containers/{container_id:uuid}/pours", act=Act.POUR_STOCK, name="pour_container", problems=_MOVES)
async def pour_container(
    container_id: FromPath[UUID], data: JSONBody[PourIn], work: TheWork, key: TheKey, if_match: IfMatch = None
) -> Response[ContainerOut]:
    """Pour from this container, as it was read, into a dispenser that holds the same; the answer is this container."""
    new = PourId(new_id())

    async def pour(version: int) -> None:
        await domain.pour(
            ContainerId(container_id),
            version,
            ContainerId(data.target_id),
            milligrams(data.amount_mg),
            as_id=new,
            by=work.by,
            now=work.now,
            movements=acts(work),
            journal=work.journal,
        )

    return await _moved(work, key, if_match, ContainerId(container_id), pour)


@writing("/stock-containers/{container_id:uuid}/closing", act=Act.POUR_STOCK, name="close_container", problems=_MOVES)
async def close_container(
    container_id: FromPath[UUID], work: TheWork, key: TheKey, if_match: IfMatch = None
) -> Response[ContainerOut]:
    """Close a container in which nothing is left: no balance, and no station that uses it."""

    async def close(version: int) -> None:
        await domain.close(
            ContainerId(container_id),
            version,
            by=work.by,
            now=work.now,
            movements=acts(work),
            journal=work.journal,
        )

    return await _moved(work, key, if_match, ContainerId(container_id), close)


async def _moved(
    work: Work,
    key: RequestKey | None,
    if_match: str | None,
    wanted: ContainerId,
    do: Callable[[int], Awaitable[None]],
) -> Response[ContainerOut]:
    """Do something with the version of a container that the caller saw, once, and show what it has become."""

    async def read() -> Container:
        return await acts(work).container(wanted, by=work.by, act=Act.POUR_STOCK)

    async def move() -> Container:
        seen = await read()
        require_version(if_match, seen.version)
        await do(seen.version)
        return await read()

    async def again(_: Kept) -> Container:
        return await read()

    return shown(await once(work, key, Kept(status=201, resource=wanted), do=move, again=again), 201)
