"""Making exports with proofs beside the requests: some worker takes one, writes it, packs it, and says how it ended.

It is written in a scratch folder of the worker's machine, and kept in the database, from where every machine serves it.
There it is sealed under a key that is not in the database: it may lay open what entries say of clients, and whoever has
a copy of the database could not read that there.
"""

import asyncio
import os
import shutil
import zipfile
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from caseload.audit.batcher import LogUnavailable
from caseload.audit.enclosed import Enclosed
from caseload.audit.packing import Packed
from caseload.audit.taking import Taking
from caseload.audit.trail import Auth, Circumstances, Op, Purpose
from caseload.db.bundle import Bundles
from caseload.domain.access import Holding
from caseload.domain.accesslog import ErasureWaits, NothingSigned
from caseload.domain.bundle import (
    KEPT_FOR,
    MOST_ATTEMPTS,
    ArchiveRemoved,
    Bundle,
    BundleFailed,
    BundleUnknown,
    Result,
)
from caseload.domain.ids import BundleId, SessionId, StaffId
from caseload.domain.people import the_command_line
from caseload.request.work import Service, Work

ROUTE: Final = "POST /api/v1/audit/bundles"
PAGE: Final = 256
"""Entries at a time, so that requests of the same worker wait for some ten milliseconds and not for a hundred."""

_PIECE: Final = 1 << 20
_NONCE: Final = 12
_POSITION: Final = 4
_log = structlog.get_logger()


class TakenOver(Exception):
    """Another worker has taken this export, because this one was silent for too long."""


@dataclass(frozen=True, slots=True)
class _Asker:
    """Whoever asked, in the closing entry. They may have left since; what they were is in the entry of their asking."""

    id: StaffId
    session: SessionId | None = None
    holdings: tuple[Holding, ...] = ()


class _Seal:
    """Under which the pieces of one archive are kept: each bound to its archive and its place."""

    def __init__(self, service: Service, bundle: BundleId) -> None:
        self._box = AESGCM(service.settings.key_for("bundle"))
        self._bundle = bundle.bytes

    def close(self, number: int, piece: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._box.encrypt(nonce, piece, self._bundle + number.to_bytes(_POSITION, "big"))

    def open(self, number: int, sealed: bytes) -> bytes:
        """Raises `cryptography.exceptions.InvalidTag` for what is not that piece."""
        return self._box.decrypt(sealed[:_NONCE], sealed[_NONCE:], self._bundle + number.to_bytes(_POSITION, "big"))


async def archive_of(service: Service, bundle: BundleId, *, octets: int) -> AsyncGenerator[bytes]:
    """The archive of a finished export, a megabyte at a time; between two of them no connection is held.

    Raises `BundleUnknown` when it goes while it is being read.
    """
    seal, sent, number = _Seal(service, bundle), 0, 0
    while sent < octets:
        async with service.engine.connect() as connection:
            sealed = await Bundles(connection).piece(bundle, number)
        if sealed is None:
            raise BundleUnknown
        piece = seal.open(number, sealed)
        yield piece
        sent, number = sent + len(piece), number + 1


def scratch(service: Service) -> Path:
    """Where exports are written before they are kept."""
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
    path = scratch(service) / f"{bundle.id}-{bundle.attempts}.zip"
    try:
        if bundle.attempts <= MOST_ATTEMPTS:
            await _keep(service, bundle, path, await _written(service, bundle, path))
            return
    except TakenOver:
        _log.warning("export was taken over", bundle=str(bundle.id))
        return
    except (NothingSigned, ErasureWaits) as early:
        problem = str(early)
    except (LogUnavailable, OSError) as error:
        _log.warning("export failed", bundle=str(bundle.id), error=type(error).__name__)
        problem = "The log or the disk of the service could not take it. Ask again."
    finally:
        path.unlink(missing_ok=True)
    async with _own_work(service, BundleFailed.name) as work:
        bundles = Bundles(work.connection)
        if await bundles.hold(bundle, written=0, of=0, now=work.now):
            await bundles.end(bundle, Result(at=work.now, problem=problem))
            work.journal.tell(BundleFailed(records=(bundle.id,), facts={"problem": problem}))
        else:
            await work.drop()


@asynccontextmanager
async def _own_work(service: Service, event: str) -> AsyncGenerator[Work]:
    """What nobody asked for at this moment; its entry is in the same transaction."""
    async with service.work(by=the_command_line(), event=event) as work:
        said = work.circumstances
        said.route, said.op, said.purpose, said.auth = ROUTE, Op.EXECUTE, Purpose.COMPLIANCE, Auth.SYSTEM
        yield work


async def _keep(service: Service, bundle: Bundle, path: Path, packed: Packed) -> None:
    """Bring the archive into the database, whole or not at all. Raises `TakenOver`."""
    seal, octets = _Seal(service, bundle.id), 0
    async with service.engine.begin() as connection:
        bundles = Bundles(connection)
        # Whoever would take it over waits for this row, and finds that it has ended.
        if not await bundles.hold(bundle, written=packed.entries, of=packed.entries, now=service.clock()):
            raise TakenOver
        for number, piece in enumerate(_pieces(path)):
            await bundles.add_piece(bundle.id, number, seal.close(number, piece))
            octets += len(piece)
        result = Result(at=service.clock(), entries=packed.entries, octets=octets, sha256=packed.sha256)
        await bundles.end(bundle, result)


async def _written(service: Service, bundle: Bundle, path: Path) -> Packed:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = path.with_suffix("")
    _clear(path.parent.glob(f"*{bundle.id}*"))
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
        _clear([folder, path.with_suffix(".packing")])
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


def _clear(left: Iterable[Path]) -> None:
    """Take away what an attempt has left: folders and files."""
    for each in left:
        if each.is_dir():
            shutil.rmtree(each, ignore_errors=True)
        else:
            each.unlink(missing_ok=True)


async def _forget(service: Service) -> None:
    """Remove archives that are kept no longer, and what a worker that was killed has left on this machine."""
    now = service.clock()
    async with service.engine.connect() as connection:
        kept_too_long = await Bundles(connection).kept_too_long(now=now)
    if kept_too_long:
        async with _own_work(service, ArchiveRemoved.name) as work:
            for each in await Bundles(work.connection).forget_files(now=now):
                work.journal.tell(ArchiveRemoved(records=(each,)))
            if work.journal.is_empty:
                await work.drop()
    if scratch(service).is_dir():
        _clear(each for each in scratch(service).iterdir() if _is_older(each, now - KEPT_FOR))


def _is_older(path: Path, than: datetime) -> bool:
    try:
        return path.stat().st_mtime < than.timestamp()
    except FileNotFoundError:
        return False


def _pieces(path: Path) -> Iterator[bytes]:
    """A file, a megabyte at a time."""
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece
