"""For machines that look after the service: is it alive, is it ready, what does it count. Nobody needs to sign in."""

import asyncio
from typing import Any

from litestar import Request, Response, Router, get
from litestar.openapi.datastructures import ResponseSpec

from caseload.api.problems import Problem, answer, documented, type_of
from caseload.api.route import public
from caseload.api.wire import Wire
from caseload.db.failures import Failure, failure_of
from caseload.db.health import needed_revision, revision
from caseload.request import metrics
from caseload.request.gate import work_of

PATIENCE_SECONDS = 2.0
"""A probe that waits longer than its own limit learns nothing."""

AnyRequest = Request[Any, Any, Any]


class AliveOut(Wire, frozen=True, kw_only=True):
    """The process runs and answers."""

    status: str


class ReadyOut(Wire, frozen=True, kw_only=True):
    """The service can do its work."""

    status: str
    revision: str
    """The newest migration, of the database and of this version alike."""


@public(get, "/livez", name="read_liveness", why="a supervisor asks it and cannot sign in; it shows nothing")
async def read_liveness() -> AliveOut:
    """Whether this process runs. It does not ask the database: restarting us would not bring that back."""
    return AliveOut(status="alive")


@public(
    get,
    "/readyz",
    name="read_readiness",
    why="a load balancer asks it and cannot sign in; it shows only the number of a migration",
    responses=documented(503),
)
async def read_readiness(request: AnyRequest) -> Response[ReadyOut] | Response[Problem]:
    """Whether requests can be answered: the database answers, and has the shape this version needs."""
    needed = await asyncio.to_thread(needed_revision)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            found = await revision(work_of(request.scope).service.engine)
    except Exception as error:
        if not isinstance(error, TimeoutError) and failure_of(error) is not Failure.UNAVAILABLE:
            raise
        return _not_ready(request, "The database does not answer.", "Look at its log; this service waits for it.")
    if found != needed:
        return _not_ready(
            request,
            "The database does not have the shape this version needs.",
            f"It is at {found}, this version needs {needed}: run `caseload db upgrade`.",
        )
    return Response(ReadyOut(status="ready", revision=needed))


@public(
    get,
    "/metrics",
    name="read_metrics",
    why="a Prometheus server asks it and cannot sign in; no label holds an identifier",
    media_type=metrics.MEDIA_TYPE,
    responses={200: ResponseSpec(data_container=str, media_type=metrics.MEDIA_TYPE, generate_examples=False)},
)
async def read_metrics() -> Response[bytes]:
    """Counts and durations by route template, connections in use, entries of the log that wait. Of all workers."""
    return Response(await asyncio.to_thread(metrics.exposition), media_type=metrics.MEDIA_TYPE)


def _not_ready(request: AnyRequest, title: str, detail: str) -> Response[Problem]:
    return answer(
        request,
        Problem(type=type_of("NotReady"), title=title, status=503, detail=detail),
        {"retry-after": "5"},
    )


router = Router("/", route_handlers=[read_liveness, read_readiness, read_metrics], tags=["Operations"])
