"""What a process does by itself while it serves.

It tells the log of keys that are new to it and of failed sign-ins, notes which sessions are in use, keeps room ahead in
the log, looks how far the log has been signed and how the jobs stand, and makes the exports that somebody waits for.
What is done beside the requests and not in every process is a job (`caseload.jobs`).
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, Final

import structlog

from caseload.audit.behind import behind
from caseload.audit.room import make_room
from caseload.audit.standing import policy_of
from caseload.audit.tlog.note import VerifierKey
from caseload.db.job import Jobs
from caseload.db.people.sign_in import forget_old_failures
from caseload.request.bundling import make_bundles
from caseload.request.key_names import KeyNames
from caseload.request.metrics import jobs_stand, log_is_behind
from caseload.request.presence import tell_of_strangers
from caseload.request.sign_in import tell_failures
from caseload.request.work import Service

NAME_KEYS_EVERY: Final = timedelta(minutes=1)
NOTE_USES_EVERY: Final = timedelta(seconds=5)
TELL_FAILURES_EVERY: Final = timedelta(seconds=20)
FORGET_FAILURES_EVERY: Final = timedelta(hours=1)
MAKE_ROOM_EVERY: Final = timedelta(minutes=30)
LOOK_AT_LOG_EVERY: Final = timedelta(seconds=2)
MAKE_BUNDLES_EVERY: Final = timedelta(seconds=3)
SAY_HOW_FAR_BEHIND_EVERY: Final = timedelta(seconds=5)
SAY_HOW_JOBS_STAND_EVERY: Final = timedelta(seconds=15)

_log = structlog.get_logger()


@contextlib.asynccontextmanager
async def kept_house(service: Service, *, takes_jobs: bool = False) -> AsyncGenerator[None, None]:
    """Keep house for as long as the context lasts, and once more at its end."""
    chores = [
        asyncio.create_task(_every(NOTE_USES_EVERY, service.door.note_uses)),
        asyncio.create_task(_every(TELL_FAILURES_EVERY, lambda: tell_failures(service))),
        asyncio.create_task(_every(TELL_FAILURES_EVERY, lambda: tell_of_strangers(service, before=service.clock()))),
        asyncio.create_task(_every(FORGET_FAILURES_EVERY, lambda: _forget(service))),
        asyncio.create_task(_every(MAKE_ROOM_EVERY, lambda: make_room(service.engine))),
        asyncio.create_task(_every(LOOK_AT_LOG_EVERY, lambda: _look_at_log(service))),
    ]
    if takes_jobs:
        policy = policy_of(service.settings)
        witnesses = [] if policy is None else [witness.key for witness in policy.witnesses]
        chores += [
            asyncio.create_task(_every(NAME_KEYS_EVERY, KeyNames(service).tell)),
            asyncio.create_task(_every(MAKE_BUNDLES_EVERY, lambda: make_bundles(service))),
            asyncio.create_task(_every(SAY_HOW_FAR_BEHIND_EVERY, lambda: say_how_far_behind(service, witnesses))),
            asyncio.create_task(_every(SAY_HOW_JOBS_STAND_EVERY, lambda: say_how_jobs_stand(service))),
        ]
    try:
        yield
    finally:
        for chore in chores:
            chore.cancel()
        await asyncio.gather(*chores, return_exceptions=True)
        await service.door.close()
        await _tried(service.door.note_uses)


async def _every(pause: timedelta, chore: Callable[[], Awaitable[Any]]) -> None:
    while True:
        await asyncio.sleep(pause.total_seconds())
        await _tried(chore)


async def _tried(chore: Callable[[], Awaitable[Any]]) -> None:
    """Do it; a database that is away is no reason to stop trying."""
    try:
        await chore()
    except Exception as error:  # noqa: BLE001  whatever it was, the next time it may succeed
        _log.warning("housekeeping failed", chore=getattr(chore, "__qualname__", "chore"), error=type(error).__name__)


async def _forget(service: Service) -> None:
    async with service.engine.begin() as connection:
        before = service.clock() - service.door.rules.lockout.forgotten_after
        await forget_old_failures(connection, before=before)


async def say_how_far_behind(service: Service, witnesses: Sequence[VerifierKey]) -> None:
    """Let the operators' numbers say for how long the log waits for its signature, and for these witnesses."""
    async with service.engine.connect() as connection:
        log_is_behind(await behind(connection, witnesses, now=service.clock()))


async def say_how_jobs_stand(service: Service) -> None:
    """Let the operators' numbers say how many jobs wait, for how long, and how many were given up."""
    async with service.engine.connect() as connection:
        jobs_stand(await Jobs(connection, now=service.clock()).stand())


async def _look_at_log(service: Service) -> None:
    async with service.engine.connect() as connection:
        await service.newest.look(connection)
