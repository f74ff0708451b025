"""Making exports with proofs beside the requests: some worker takes one, writes it, packs it, and says how it ended."""

import asyncio
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog

from caseload.audit.batcher import LogUnavailable
from caseload.audit.enclosed import Enclosed
from caseload.audit.packing import Packed
from caseload.audit.taking import Taking
from caseload.audit.trail import Auth, Circumstances, Op, Purpose
from caseload.db.bundle import Bundles
from caseload.domain.access import Holding
from caseload.domain.accesslog import NothingSigned
from caseload.domain.bundle import MOST_ATTEMPTS, Bundle, Result
from caseload.domain.ids import BundleId, SessionId, StaffId
from caseload.request.work import Service

ROUTE: Final = "POST /api/v1/audit/bundles"
PAGE: Final = 256
"""Entries at a time, so that requests of the same worker wait for some ten milliseconds and not for a hundred."""

_PIECE: Final = 1 << 20
_log = structlog.get_logger()


class TakenOver(Exception):
    """Another worker has taken this export, because this one was silent for too long."""


@dataclass(frozen=True, slots=True)
class _Asker:
    """Whoever asked, in the closing entry. They may have left since; what they were is in the entry of their asking."""

    id: StaffId
    session: SessionId | None = None
    holdings: tuple[Holding, ...] = ()


def file_of(service: Service, bundle: BundleId) -> Path:
    """Where the finished archive lies, on the machine whose worker made it."""
    return _folder(service) / f"{bundle}.zip"


def _folder(service: Service) -> Path:
    return service.settings.data_dir / "bundles"


async def make_bundles(service: Service) -> int:
    """Make every export that is waiting; return how many that were. Several processes may do it at once."""
    done = 0
    while (taken := await _take(service)) is not None:
        await _make(service, taken)
        done += 1
    await _forget(service)
    return done


async def _take(service: Service) -> Bundle | None:
    async with service.engine.begin() as connection:
        return await Bundles(connection).take(now=service.clock())


async def _make(service: Service, bundle: Bundle) -> None:
    """One attempt. What goes wrong is kept for whoever asked; what another worker has taken over is left to it."""
    problem = f"It was begun {MOST_ATTEMPTS} times and never came to its end."
    path = file_of(service, bundle.id)
    packed = Packed(0, 0, "")
    try:
        if bundle.attempts <= MOST_ATTEMPTS:
            packed = await _written(service, bundle, path)
            problem = ""
    except TakenOver:
        _log.warning("export was taken over", bundle=str(bundle.id))
        return
    except NothingSigned as nothing:
        problem = str(nothing)
    except (LogUnavailable, OSError) as error:
        _log.warning("export failed", bundle=str(bundle.id), error=type(error).__name__)
        problem = "The log or the disk of the service could not take it. Ask again."
    octets = path.stat().st_size if not problem else 0
    result = Result(
        at=service.clock(), problem=problem or None, entries=packed.entries, octets=octets, sha256=packed.sha256
    )
    async with service.engine.begin() as connection:
        await Bundles(connection).end(bundle, result)


async def _written(service: Service, bundle: Bundle, path: Path) -> Packed:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = path.with_suffix("")
    _clear(folder, path)
    client = bundle.wanted.filter.client
    async with service.engine.connect() as connection:
        key = None if client is None else await service.trail.keys.existing(connection, client)
    trail = service.trail
    taking = Taking(engine=service.engine, keys=trail.keys, box=trail.box, wanted=bundle.wanted, key=key, page=PAGE)
    said = Circumstances(
        request=bundle.request, route=ROUTE, op=Op.EXECUTE, purpose=Purpose.COMPLIANCE, auth=Auth.SYSTEM, client=client
    )
    asker = _Asker(bundle.asked_by)
    enclosed = Enclosed(taking=taking, batcher=service.batcher, actor=asker, circumstances=said)
    progress = _Progress(service, bundle)
    try:
        packed = await enclosed.write(folder, now=service.clock(), progress=progress.tell)
        await asyncio.to_thread(_pack, folder, path)
    finally:
        _clear(folder)
    return packed


class _Progress:
    """Says how far it is, at most once in some seconds, and learns from it when the export is another's by now."""

    EVERY_SECONDS: Final = 5.0

    def __init__(self, service: Service, bundle: Bundle) -> None:
        self._service = service
        self._bundle = bundle
        self._next: datetime | None = None

    async def tell(self, written: int, of: int) -> None:
        """Raises `TakenOver`."""
        now = self._service.clock()
        if self._next is None or (now - self._next).total_seconds() >= self.EVERY_SECONDS or written == of:
            self._next = now
            async with self._service.engine.begin() as connection:
                if not await Bundles(connection).hold(self._bundle, written=written, of=of, now=now):
                    raise TakenOver
        await asyncio.sleep(0)


def _pack(folder: Path, path: Path) -> None:
    """One archive of the folder, which appears when it is complete."""
    draft = path.with_suffix(".packing")
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for each in sorted(folder.rglob("*")):
            if each.is_file():
                archive.write(each, each.relative_to(folder).as_posix())
    draft.chmod(0o600)
    draft.rename(path)


def _clear(folder: Path, *more: Path) -> None:
    """Take away what an attempt has left: the folder, its drafts, and what is named."""
    for each in (folder, *folder.parent.glob(f".{folder.name}.*")):
        shutil.rmtree(each, ignore_errors=True)
    for path in (*more, folder.with_suffix(".packing")):
        path.unlink(missing_ok=True)


async def _forget(service: Service) -> None:
    """Remove files that are kept no longer."""
    if not _folder(service).is_dir():
        return
    async with service.engine.connect() as connection:
        expired = await Bundles(connection).expired(now=service.clock())
    for each in expired:
        file_of(service, each).unlink(missing_ok=True)


def pieces(path: Path) -> Iterator[bytes]:
    """A file, a megabyte at a time."""
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece
