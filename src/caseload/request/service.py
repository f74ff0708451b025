"""Everything a process needs to do pieces of work, opened and closed together: for the service and for commands."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from caseload.audit.batcher import Batcher
from caseload.audit.keys import ClientKeys
from caseload.audit.keystore import key_store
from caseload.audit.trail import AuditTrail
from caseload.db.engine import make_engine
from caseload.domain.people import PasswordRules, SessionRules
from caseload.request.door import Door, DoorRules
from caseload.request.housekeeping import kept_house
from caseload.request.key_names import KeyNames
from caseload.request.own_profiles import bring_own_profiles
from caseload.request.seals import Seals
from caseload.request.work import Service
from caseload.settings import Settings

MOST_REMEMBERED: Final = 1_024
"""Keys of clients that a process remembers which does one thing and ends: it meets most of them once."""


@asynccontextmanager
async def open_service(settings: Settings, *, takes_jobs: bool = False) -> AsyncGenerator[Service, None]:
    """Everything a process needs to do pieces of work; drained and closed at the end.

    A process that stays `takes_jobs`, of which others would only use up an attempt. It tells the log of its keys when
    it tells of its start (`presence`); every other one before it does anything.
    """
    bring_own_profiles(settings)
    engine = make_engine(settings)
    keys = key_store(settings)
    known = ClientKeys(keys) if takes_jobs else ClientKeys(keys, most=MOST_REMEMBERED, most_awake=MOST_REMEMBERED)
    trail = AuditTrail(keys, organisation=settings.organisation, keys=known)
    batcher = Batcher(engine, trail)
    try:
        service = Service(
            settings=settings,
            engine=engine,
            trail=trail,
            batcher=batcher,
            request_secret=settings.key_for("idempotency"),
            door=Door(engine, secret=settings.key_for("sign-in"), rules=_door_rules(settings)),
            seals=Seals(keys),
        )
        if not takes_jobs:
            await KeyNames(service).tell()
        async with kept_house(service, takes_jobs=takes_jobs):
            try:
                yield service
            finally:
                await service.readers.close()
    finally:
        await batcher.close()
        await engine.dispose()


def _door_rules(settings: Settings) -> DoorRules:
    return DoorRules(
        sessions=SessionRules(
            idle=timedelta(seconds=settings.session_idle_seconds),
            absolute=timedelta(seconds=settings.session_longest_seconds),
        ),
        passwords=PasswordRules(shortest=settings.password_shortest),
    )
