"""Exports of the log with proofs, in PostgreSQL: one row and a time in it decide which worker is at one."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, bindparam, delete, exists, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.tables.base import INSTANT
from caseload.db.tables.bundle import bundle, bundle_end, bundle_hold, bundle_piece
from caseload.domain.accesslog import LaidOpen, LogFilter, LogOutcome, LogScope, Proof
from caseload.domain.bundle import HELD_FOR, KEPT_FOR, Bundle, BundleUnknown, Result
from caseload.domain.ids import BundleId, ClientId, ProgrammeId, StaffId

_COLUMNS = (
    *bundle.c, bundle_hold.c.attempts, bundle_hold.c.held_until, bundle_hold.c.written, bundle_hold.c.total,
    bundle_end.c.at, bundle_end.c.problem, bundle_end.c.entries, bundle_end.c.octets, bundle_end.c.sha256,
)  # fmt: skip
_FOUND: Select[*tuple[Any, ...]] = select(*_COLUMNS).select_from(
    bundle.outerjoin(bundle_hold, bundle_hold.c.bundle_id == bundle.c.id).outerjoin(
        bundle_end, bundle_end.c.bundle_id == bundle.c.id
    )
)
_GET = _FOUND.where(bundle.c.id == bindparam("bundle"), bundle.c.asked_by == bindparam("by"))
_NEXT = (
    _FOUND.where(
        bundle_end.c.bundle_id.is_(None),
        or_(bundle_hold.c.held_until.is_(None), bundle_hold.c.held_until <= bindparam("now", type_=INSTANT)),
    )
    .order_by(bundle.c.asked_at, bundle.c.id)
    .limit(1)
)
_ADD = insert(bundle)
_NEW_HOLD = insert(bundle_hold).values(
    bundle_id=bindparam("bundle"), attempts=1, held_until=bindparam("until"), written=0, total=0
)
_TAKE = _NEW_HOLD.on_conflict_do_update(
    index_elements=[bundle_hold.c.bundle_id],
    set_={
        "attempts": bundle_hold.c.attempts + 1,
        "held_until": _NEW_HOLD.excluded.held_until,
        "written": 0,
        "total": 0,
    },
    where=bundle_hold.c.held_until <= bindparam("now", type_=INSTANT),
).returning(bundle_hold.c.bundle_id)
_HOLD = (
    update(bundle_hold)
    .where(
        bundle_hold.c.bundle_id == bindparam("bundle"),
        bundle_hold.c.attempts == bindparam("mine"),
        ~exists().where(bundle_end.c.bundle_id == bundle_hold.c.bundle_id),
    )
    .values(held_until=bindparam("until"), written=bindparam("so_far"), total=bindparam("of"))
)
_END = insert(bundle_end).on_conflict_do_nothing()
_KEEP_PIECE = insert(bundle_piece)
_PIECE = select(bundle_piece.c.sealed).where(
    bundle_piece.c.bundle_id == bindparam("bundle"), bundle_piece.c.number == bindparam("number")
)
_HAS_FILE = select(
    exists().where(bundle_piece.c.bundle_id == bindparam("bundle"), bundle_piece.c.number == 0).label("has_file")
)
_IS_OVER = bundle_piece.c.bundle_id.in_(
    select(bundle_end.c.bundle_id).where(bundle_end.c.at <= bindparam("before", type_=INSTANT))
)
_KEPT_TOO_LONG = select(exists().where(bundle_piece.c.number == 0, _IS_OVER).label("kept_too_long"))
_FORGET = delete(bundle_piece).where(_IS_OVER).returning(bundle_piece.c.bundle_id)


class Bundles:
    """Satisfies `domain.bundle.Bundles`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, new: Bundle) -> None:
        """See `domain.bundle.Bundles.add`."""
        asked = new.wanted.filter
        await self._connection.execute(
            _ADD,
            {
                "id": new.id,
                "request": new.request,
                "asked_by": new.asked_by,
                "asked_at": new.asked_at,
                "laid_open": new.wanted.laid_open.value,
                "scope": None if new.wanted.scope.programmes is None else sorted(new.wanted.scope.programmes),
                "towards": list(new.wanted.towards),
                "since": asked.since,
                "until": asked.until,
                "actor": asked.actor,
                "event": asked.event,
                "outcome": None if asked.outcome is None else asked.outcome.value,
                "programme": asked.programme,
                "client": asked.client,
            },
        )

    async def get(self, wanted: BundleId, *, by: StaffId) -> Bundle:
        """See `domain.bundle.Bundles.get`."""
        row = (await self._connection.execute(_GET, {"bundle": wanted, "by": by})).first()
        if row is None:
            raise BundleUnknown
        return _bundle(row)

    async def take(self, *, now: datetime) -> Bundle | None:
        """See `domain.bundle.Bundles.take`."""
        row = (await self._connection.execute(_NEXT, {"now": now})).first()
        if row is None:
            return None
        taken = await self._connection.execute(_TAKE, {"bundle": row.id, "until": now + HELD_FOR, "now": now})
        if taken.first() is None:
            return None
        return await self.get(BundleId(row.id), by=StaffId(row.asked_by))

    async def hold(self, held: Bundle, *, written: int, of: int, now: datetime) -> bool:
        """See `domain.bundle.Bundles.hold`."""
        given = {"bundle": held.id, "mine": held.attempts, "until": now + HELD_FOR, "so_far": written, "of": of}
        return (await self._connection.execute(_HOLD, given)).rowcount == 1

    async def end(self, held: Bundle, result: Result) -> None:
        """See `domain.bundle.Bundles.end`."""
        await self._connection.execute(
            _END,
            {
                "bundle_id": held.id,
                "at": result.at,
                "problem": result.problem,
                "entries": result.entries,
                "octets": result.octets,
                "sha256": result.sha256,
            },
        )

    async def add_piece(self, of: BundleId, number: int, sealed: bytes) -> None:
        """Keep a piece of an export's archive, in the transaction that ends it."""
        await self._connection.execute(_KEEP_PIECE, {"bundle_id": of, "number": number, "sealed": sealed})

    async def piece(self, of: BundleId, number: int) -> bytes | None:
        """A piece of an export's archive; None when it is no longer kept."""
        found: bytes | None = await self._connection.scalar(_PIECE, {"bundle": of, "number": number})
        return found

    async def has_file(self, of: BundleId) -> bool:
        """Whether an export's archive is there: all of it, since its pieces come and go together."""
        return bool(await self._connection.scalar(_HAS_FILE, {"bundle": of}))

    async def kept_too_long(self, *, now: datetime) -> bool:
        """Whether there is an archive that is to be removed."""
        return bool(await self._connection.scalar(_KEPT_TOO_LONG, {"before": now - KEPT_FOR}))

    async def forget_files(self, *, now: datetime) -> list[BundleId]:
        """Remove what is kept no longer; return which archives that were."""
        gone = (await self._connection.execute(_FORGET, {"before": now - KEPT_FOR})).scalars()
        return sorted({BundleId(each) for each in gone})


def _bundle(row: Row[*tuple[Any, ...]]) -> Bundle:
    asked = LogFilter(
        since=row.since,
        until=row.until,
        actor=None if row.actor is None else StaffId(row.actor),
        event=row.event,
        outcome=None if row.outcome is None else LogOutcome(row.outcome),
        programme=None if row.programme is None else ProgrammeId(row.programme),
        client=None if row.client is None else ClientId(row.client),
    )
    programmes = None if row.scope is None else frozenset(ProgrammeId(each) for each in row.scope)
    result = (
        None
        if row.at is None
        else Result(at=row.at, problem=row.problem, entries=row.entries, octets=row.octets, sha256=row.sha256)
    )
    return Bundle(
        id=BundleId(row.id),
        request=row.request,
        wanted=Proof(
            filter=asked,
            scope=LogScope(programmes=programmes),
            laid_open=LaidOpen(row.laid_open),
            towards=tuple(row.towards),
        ),
        asked_by=StaffId(row.asked_by),
        asked_at=row.asked_at,
        attempts=row.attempts or 0,
        held_until=row.held_until,
        written=row.written or 0,
        of=row.total or 0,
        result=result,
    )
