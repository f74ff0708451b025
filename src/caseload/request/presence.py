"""A process tells the log that it has begun to serve, with which settings and keys, and that it has ended in order.

Each process numbers its entries. The first says what the numbers belong to and what was configured; the last says that
none follows, so that entries missing at the end of a run are missed as well. A process that was killed has no last one.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from typing import ClassVar, Final
from unicodedata import normalize

import structlog
from sqlalchemy.exc import SQLAlchemyError

from caseload.audit.batcher import LogUnavailable
from caseload.audit.journal import RequestJournal
from caseload.audit.trail import Auth, Circumstances, Op, Outcome, Pending, Purpose
from caseload.domain.journal import Event
from caseload.domain.people import the_command_line
from caseload.request.key_names import KeyNames
from caseload.request.work import Service, Unsettled
from caseload.settings import Secret, Settings

FIRST_WAIT_SECONDS: Final = 2.0
TRY_AGAIN: Final = timedelta(seconds=5)

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStarted(Event):
    """A process has begun to serve, with these settings."""

    name: ClassVar[str] = "service.started"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStopped(Event):
    """A process ends in an orderly way: it leaves no entry after this one."""

    name: ClassVar[str] = "service.stopped"


@contextlib.asynccontextmanager
async def present(service: Service) -> AsyncGenerator[None]:
    """Tell the log of the beginning and the end.

    While the log cannot be written nothing is answered, so a beginning that cannot be told yet is told as soon as it
    can.
    """
    telling = asyncio.create_task(_tell_of_start(service), name="tell of the start")
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.shield(telling), FIRST_WAIT_SECONDS)
    try:
        yield
    finally:
        telling.cancel()
        await asyncio.wait([telling])
        await tell_of_strangers(service, before=datetime.max.replace(tzinfo=UTC))
        with contextlib.suppress(LogUnavailable):
            await _tell(service, ServiceStopped(), Outcome.DONE)


async def tell_of_strangers(service: Service, *, before: datetime) -> int:
    """Leave an entry for each source and minute in which somebody unknown was turned away; return how many."""
    told = 0
    for event in service.strangers.take(before=before):
        try:
            await _tell(service, event, Outcome.REFUSED)
        except LogUnavailable:
            service.strangers.put_back(event)
        else:
            told += 1
    return told


async def _tell_of_start(service: Service) -> None:
    began = ServiceStarted(facts={**configured(service.settings)})
    await _until_told(lambda: _tell(service, began, Outcome.DONE))
    await _until_told(KeyNames(service).tell)


async def _until_told(tell: Callable[[], Awaitable[object]]) -> None:
    while True:
        try:
            await tell()
        except (LogUnavailable, Unsettled, SQLAlchemyError, OSError):
            _log.warning("the log cannot be told of the start yet")
            await asyncio.sleep(TRY_AGAIN.total_seconds())
        else:
            return


async def _tell(service: Service, event: Event, outcome: Outcome) -> None:
    journal = RequestJournal()
    journal.tell(event)
    said = Circumstances(
        route="caseload serve", event=event.name, op=Op.EXECUTE, purpose=Purpose.ADMINISTRATION, auth=Auth.SYSTEM
    )
    await service.batcher.add(Pending(actor=the_command_line(), circumstances=said, outcome=outcome, journal=journal))


def configured(settings: Settings) -> Mapping[str, str]:
    """The version and every setting, of a secret only whether it is set, of the policy also what is in it."""
    values = {name: getattr(settings, name) for name in settings.__struct_fields__}
    policy = settings.audit_policy
    return {
        "version": _version(),
        **({} if policy is None else {"audit_policy_sha256": sha256(policy.read_bytes()).hexdigest()}),
        **{
            name: "set" if isinstance(value, Secret) else normalize("NFC", str(value))
            for name, value in sorted(values.items())
        },
    }


def _version() -> str:
    try:
        return version("caseload")
    except PackageNotFoundError:
        return "run from its source"
