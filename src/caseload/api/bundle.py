"""Exports of the log that prove themselves: asked for, made beside the requests, and fetched."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Router
from litestar.params import FromPath, JSONBody
from litestar.response import Stream

from caseload.api.log_filter import LogFilterIn
from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork
from caseload.audit.accesslog import LogReader
from caseload.audit.trail import Op
from caseload.db.bundle import Bundles
from caseload.db.idempotency import Kept
from caseload.domain import bundle as domain
from caseload.domain.access import Act
from caseload.domain.accesslog import LaidOpen, export_with_proof, may_still_have
from caseload.domain.bundle import Bundle, BundleUnknown, State
from caseload.domain.ids import BundleId, new_id
from caseload.request.bundling import archive_of
from caseload.request.idempotency import once
from caseload.request.work import Work


class BundleIn(LogFilterIn, frozen=True, kw_only=True):
    """Which part of the log to take away with its proofs. Without a filter it is the whole log."""

    client_id: UUID | None = None
    """Only entries about this client, and what they say of this client."""
    lay_open: LaidOpen = LaidOpen.FACTS
    """How much of what the entries commit to goes with them."""
    known_sizes: Annotated[tuple[Annotated[int, msgspec.Meta(ge=1)], ...], msgspec.Meta(max_length=100)] = ()
    """Sizes of checkpoints that the auditor has kept, towards which a part of the log is to be proved."""


class BundleOut(Wire, frozen=True, kw_only=True):
    """An export, and how far it is."""

    id: UUID
    asked_at: datetime
    state: State
    written: int
    """Entries that have been written."""
    total: int
    """Of how many, as far as that is known."""
    problem: str | None
    octets: int | None
    """How large the file is, once it is done."""
    sha256: str | None
    """Of the manifest in it; the closing entry in the log has it too."""

    @classmethod
    def of(cls, bundle: Bundle, now: datetime) -> "BundleOut":
        """From the domain."""
        result = bundle.result
        done = result is not None and result.problem is None
        return cls(
            id=bundle.id,
            asked_at=bundle.asked_at,
            state=bundle.state(now),
            written=result.entries if result is not None and done else bundle.written,
            total=result.entries if result is not None and done else bundle.of,
            problem=None if result is None else result.problem,
            octets=result.octets if result is not None and done else None,
            sha256=result.sha256 if result is not None and done else None,
        )


@writing("/audit/bundles", act=Act.EXPORT_AUDIT_LOG, name="export_audit_bundle")
async def export_audit_bundle(data: JSONBody[BundleIn], work: TheWork, key: TheKey) -> BundleOut:
    """Ask for an export that proves itself. It is made beside the requests: ask how far it is, then fetch it."""
    asked = data.read()
    wanted = export_with_proof(asked, data.lay_open, data.known_sizes, by=work.by, journal=work.journal)
    work.circumstances.filter = {**asked.facts(), "lay_open": data.lay_open.value}
    work.circumstances.op = Op.EXECUTE
    if asked.client is not None:
        await LogReader(work.connection, work.service.trail).key_of(asked.client)
    bundles, new = Bundles(work.connection), BundleId(new_id())

    async def ask() -> Bundle:
        return await domain.ask_for_bundle(
            new, wanted, request=work.circumstances.request, by=work.by.id, now=work.now, bundles=bundles
        )

    async def again(kept: Kept) -> Bundle:
        return await bundles.get(BundleId(kept.resource), by=work.by.id)

    return BundleOut.of(await once(work, key, Kept(status=201, resource=new), do=ask, again=again), work.now)


@reading("/audit/bundles/{bundle_id:uuid}", act=Act.EXPORT_AUDIT_LOG, name="read_audit_bundle")
async def read_audit_bundle(bundle_id: FromPath[UUID], work: TheWork) -> BundleOut:
    """How far an export of yours is."""
    return BundleOut.of(await _mine(work, bundle_id), work.now)


@reading(
    "/audit/bundles/{bundle_id:uuid}/file", act=Act.EXPORT_AUDIT_LOG, name="fetch_audit_bundle", problems=(404, 409)
)
async def fetch_audit_bundle(bundle_id: FromPath[UUID], work: TheWork) -> Stream:
    """The export as a zip archive, which `caseload audit verify` reads as it is. Kept for a day."""
    bundle = await _mine(work, bundle_id)
    result = bundle.check_done(work.now)
    if not await Bundles(work.connection).has_file(bundle.id):
        raise BundleUnknown
    return Stream(
        archive_of(work.service, bundle.id, octets=result.octets),
        media_type="application/zip",
        headers={
            "Content-Disposition": f'attachment; filename="audit-log-{bundle.asked_at:%Y%m%dT%H%M%SZ}.zip"',
            "Content-Length": str(result.octets),
        },
    )


async def _mine(work: Work, bundle_id: UUID) -> Bundle:
    """An export that this person asked for and would be given again now; or `BundleUnknown`."""
    bundle = await Bundles(work.connection).get(BundleId(bundle_id), by=work.by.id)
    if not may_still_have(bundle.wanted, by=work.by):
        raise BundleUnknown
    return bundle


router = Router("/", route_handlers=[export_audit_bundle, read_audit_bundle, fetch_audit_bundle], tags=["Audit log"])
