"""What the service counts for its operators (Prometheus). No label ever holds an identifier: a route is its template.

Several worker processes share one folder of small files (`PROMETHEUS_MULTIPROC_DIR`, set by `observability.count_together`), so
that whichever of them is asked answers for all. Without that folder the numbers are those of one process.
"""

import asyncio
import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import (  # pyright: ignore[reportMissingTypeStubs]  this module of theirs has no types
    MultiProcessCollector,
    mark_process_dead,  # pyright: ignore[reportUnknownVariableType]  as above
)

from caseload.audit.behind import Behind
from caseload.db.health import connections
from caseload.domain.job import JobEnded, JobsStand
from caseload.request.work import Service

MEDIA_TYPE: Final = "text/plain; version=0.0.4"
FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
SAMPLE_SECONDS: Final = 5.0
METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})

_registry = CollectorRegistry()

REQUESTS = Counter(
    "caseload_http_requests",
    "Answers by route template, method and status; status `none` where the caller went away first.",
    ["route", "method", "status"],
    registry=_registry,
)
SECONDS = Histogram(
    "caseload_http_request_seconds",
    "From the first byte of a request to the last of its answer.",
    ["route", "method"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=_registry,
)
CONNECTIONS = Gauge(
    "caseload_db_connections",
    "Connections to the database, in use and idle, of all workers; looked at every few seconds.",
    ["state"],
    multiprocess_mode="livesum",
    registry=_registry,
)
CONNECTIONS_AT_MOST = Gauge(
    "caseload_db_connections_at_most",
    "How many connections all workers may take.",
    multiprocess_mode="livesum",
    registry=_registry,
)
ENTRIES_WAITING = Gauge(
    "caseload_audit_entries_waiting",
    "Entries of reads and refusals that are not durable yet, of all workers; looked at every few seconds.",
    multiprocess_mode="livesum",
    registry=_registry,
)
LOG_BEHIND = Gauge(
    "caseload_audit_behind_seconds",
    "For how long the oldest entry of the log waits: for its signature, and for the cosignature of every witness there "
    "is. 0 where none waits; more than some seconds mean that a sequencer or a witness is away.",
    ["of"],
    multiprocess_mode="livemax",
    registry=_registry,
)
JOBS_ENDED = Counter(
    "caseload_jobs_ended",
    "Jobs beside the requests that ended, by kind and how: done, or given up for an operator to look at.",
    ["kind", "how"],
    registry=_registry,
)
JOBS_WAITING = Gauge(
    "caseload_jobs_waiting",
    "Jobs that are due and not done.",
    multiprocess_mode="livemax",
    registry=_registry,
)
JOBS_OLDEST = Gauge(
    "caseload_jobs_oldest_seconds",
    "For how long the oldest job that is due has waited; more than some minutes mean that no worker is there.",
    multiprocess_mode="livemax",
    registry=_registry,
)
JOBS_GIVEN_UP = Gauge(
    "caseload_jobs_given_up",
    "Jobs that were tried as often as anything is: `caseload jobs list` names them.",
    multiprocess_mode="livemax",
    registry=_registry,
)


def job_ended(kind: str, how: JobEnded) -> None:
    """Count a job that ended."""
    JOBS_ENDED.labels(kind, how.value).inc()


def jobs_stand(found: JobsStand) -> None:
    """Show how the jobs stand."""
    JOBS_WAITING.set(found.waiting)
    JOBS_OLDEST.set(found.oldest.total_seconds())
    JOBS_GIVEN_UP.set(found.given_up)


def log_is_behind(found: Behind) -> None:
    """Show how far behind the log is."""
    LOG_BEHIND.labels("signature").set(found.signature.total_seconds())
    if found.witness is not None:
        LOG_BEHIND.labels("witness").set(found.witness.total_seconds())


def answered(*, route: str, method: str, status: int | None, seconds: float) -> None:
    """Count one answer."""
    requests, durations = _counted(route, method if method in METHODS else "other", str(status or "none"))
    requests.inc()
    durations.observe(seconds)


@lru_cache(maxsize=4096)
def _counted(route: str, method: str, status: str) -> tuple[Counter, Histogram]:
    """What one kind of answer is counted by: looking it up costs more than counting."""
    return REQUESTS.labels(route, method, status), SECONDS.labels(route, method)


def exposition() -> bytes:
    """All of it, as a Prometheus server reads it."""
    folder = os.environ.get(FOLDER)
    if not folder:
        return generate_latest(_registry)
    for pid in _gone(Path(folder)):
        mark_process_dead(pid, folder)
    together = CollectorRegistry()
    MultiProcessCollector(together, path=folder)
    return generate_latest(together)


def _gone(folder: Path) -> Iterator[int]:
    """The workers whose gauges are still there although they are not."""
    for file in folder.glob("gauge_live*_*.db"):
        pid = int(file.stem.rpartition("_")[2])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            yield pid
        except PermissionError:
            continue


async def sample(service: Service) -> None:
    """Look every few seconds at what has no event to count: the pool and the queue of the log."""
    CONNECTIONS_AT_MOST.set(service.settings.db_pool_size)
    while True:
        taken, idle = connections(service.engine)
        CONNECTIONS.labels("in_use").set(taken - service.readers.idle)
        CONNECTIONS.labels("idle").set(idle + service.readers.idle)
        ENTRIES_WAITING.set(service.batcher.waiting)
        await asyncio.sleep(SAMPLE_SECONDS)
