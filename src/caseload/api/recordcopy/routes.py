"""A copy of a client's record: prepared for a request, looked through, decided entry by entry, released, and fetched as a file."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Router
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Stream

from caseload.api.filed import filed
from caseload.api.pages import USUAL, After, Limit, Page
from caseload.api.reaching import reach_by
from caseload.api.recordcopy import files
from caseload.api.recordcopy.wire import (
    CopyDecisionIn,
    CopyEntryOut,
    CopyReleaseIn,
    CopyReleaseOut,
    RecordCopiesOut,
    RecordCopyOut,
)
from caseload.api.rights.requests import kept_in as requests_in
from caseload.api.route import reading, writing
from caseload.api.work import TheKey, TheWork, nothing_more
from caseload.audit.sending import Sending
from caseload.audit.trail import Op
from caseload.db.idempotency import Kept
from caseload.db.programme import Programmes
from caseload.db.recordcopy import AT_ONCE, Cover, Digested, KeptCopies, Pages, as_json, every
from caseload.domain import recordcopy as domain
from caseload.domain.access import Act
from caseload.domain.ids import CopyEntryId, RecordCopyId, RightsRequestId, new_id
from caseload.domain.people import Staff
from caseload.domain.profiles.rights import Rights
from caseload.domain.programme import Programme
from caseload.domain.recordcopy import (
    CopyEntry,
    CopyFormat,
    CopyRelease,
    CopyUnknown,
    RecordCopy,
    RecordCopySent,
    labels,
)
from caseload.domain.rights import RightsRequest
from caseload.request.idempotency import once
from caseload.request.still import still_found
from caseload.request.work import Work
from caseload.typesetting import typeset

MEDIA_TYPES: Final = {CopyFormat.JSON: "application/json", CopyFormat.PDF: "application/pdf"}
IN_A_PART: Final = 2_000
"""Entries in one part of the PDF: it is set by a process that needs memory for all of them."""
_ACT: Final = Act.ANSWER_RIGHTS_REQUEST

As = Annotated[CopyFormat, QueryParameter(name="format", description="As what the copy leaves.")]
Part = Annotated[
    int,
    QueryParameter(name="part", ge=1, le=1_000, description=f"Which {IN_A_PART} entries of the PDF.", required=False),
]
Waiting = Annotated[
    bool | None, QueryParameter(name="waiting", description="Only entries that wait for a decision.", required=False)
]


@writing("/rights-requests/{request_id:uuid}/copies", act=_ACT, name="prepare_record_copy")
async def prepare_record_copy(request_id: FromPath[UUID], work: TheWork, key: TheKey) -> RecordCopyOut:
    """Prepare a copy of everything that the record holds about the client, as of now, for somebody to look through."""
    wanted, new = RightsRequestId(request_id), RecordCopyId(new_id())

    async def prepare() -> RecordCopy:
        request = await requests_in(work).hold(wanted, by=work.by, act=_ACT)
        copy = RecordCopy(
            id=new,
            request=wanted,
            client=request.client,
            programme=request.programme,
            prepared_by=work.by.id,
            prepared_at=work.now,
            labels=labels(),
        )
        programme = await Programmes(work.connection).get(request.programme)
        await domain.prepare_copy(copy, request, programme, copies=_kept(work), journal=work.journal)
        return copy

    async def again(kept: Kept) -> RecordCopy:
        return await _kept(work).get(RecordCopyId(kept.resource), by=work.by)

    return await _out(work, await once(work, key, Kept(status=201, resource=new), do=prepare, again=again))


@reading("/rights-requests/{request_id:uuid}/copies", act=_ACT, name="list_record_copies")
async def list_record_copies(request_id: FromPath[UUID], work: TheWork) -> RecordCopiesOut:
    """The copies that were prepared for a request, the last first."""
    request = await requests_in(work).get(RightsRequestId(request_id), by=work.by, act=_ACT)
    found = await _kept(work).of(request.id, by=work.by)
    return RecordCopiesOut(items=[await _out(work, each) for each in found])


@reading("/record-copies/{copy_id:uuid}", act=_ACT, name="read_record_copy")
async def read_record_copy(copy_id: FromPath[UUID], work: TheWork) -> RecordCopyOut:
    """How far a copy has come: what waits for a decision, what is withheld, and how much was recorded since."""
    return await _out(work, await _copy(work, copy_id))


@reading("/record-copies/{copy_id:uuid}/entries", act=_ACT, name="list_record_copy_entries")
async def list_record_copy_entries(
    copy_id: FromPath[UUID], work: TheWork, waiting: Waiting = None, after: After = None, limit: Limit = USUAL
) -> Page[CopyEntryOut]:
    """Every entry in the order of the copy, for whoever looks through it: what is withheld stands in it."""
    copy = await _copy(work, copy_id)
    found = await _kept(work).page(
        copy.id, after=None if after is None else CopyEntryId(after), limit=limit, waiting=bool(waiting)
    )
    items = [CopyEntryOut.of(each) for each in found]
    return Page(items=items, next=items[-1].id if len(items) == limit else None)


@writing("/record-copies/{copy_id:uuid}/decisions", act=_ACT, name="decide_record_copy_entries", status=204)
async def decide_record_copy_entries(
    copy_id: FromPath[UUID], data: JSONBody[CopyDecisionIn], work: TheWork, key: TheKey
) -> None:
    """Withhold entries with a reason, or let leave what is held back."""

    async def decide() -> None:
        copy, request, programme = await _held(work, copy_id)
        await domain.decide_entries(
            copy,
            [CopyEntryId(each) for each in data.entries],
            data.reason,
            data.note,
            rights=_rights(programme, request),
            by=work.by,
            now=work.now,
            copies=_kept(work),
            journal=work.journal,
        )

    await once(work, key, Kept(status=204, resource=copy_id), do=decide, again=nothing_more)


@writing("/record-copies/{copy_id:uuid}/release", act=_ACT, name="release_record_copy")
async def release_record_copy(
    copy_id: FromPath[UUID], data: JSONBody[CopyReleaseIn], work: TheWork, key: TheKey
) -> CopyReleaseOut:
    """Say, having looked through it, that the copy leaves as it is, to whom and how; once for a request."""

    async def release() -> CopyRelease:
        copy, request, programme = await _held(work, copy_id)
        rights = _rights(programme, request)

        async def pages(after: CopyEntryId | None) -> Sequence[CopyEntry]:
            return await _kept(work).leaving(copy.id, after=after, limit=AT_ONCE)

        released = await domain.release_copy(
            copy,
            data.read(),
            request,
            rights=rights,
            by=work.by,
            now=work.now,
            copies=_kept(work),
            requests=requests_in(work),
            written=Digested(pages, rights, programme.zone),
            journal=work.journal,
        )
        return released.require_released()

    async def again(_: Kept) -> CopyRelease:
        return (await _copy(work, copy_id)).require_released()

    return CopyReleaseOut.of(await once(work, key, Kept(status=201, resource=copy_id), do=release, again=again))


@reading(
    "/record-copies/{copy_id:uuid}/file",
    act=_ACT,
    name="send_record_copy",
    problems=(404, 409),
    operation_class=filed("The copy, with every entry that is not withheld.", *MEDIA_TYPES.values()),
)
async def send_record_copy(copy_id: FromPath[UUID], format_: As, work: TheWork, part: Part = 1) -> Stream:
    """A released copy as a file, the same each time. A second entry, with length and SHA-256, closes it."""
    copy = await _copy(work, copy_id)
    release = copy.require_released()
    request = await requests_in(work).get(copy.request, by=work.by, act=_ACT)
    programme = await Programmes(work.connection).get(copy.programme)
    counts = await _kept(work).counts(copy.id)
    cover = Cover(
        copy=copy,
        counts=counts,
        how=release.how,
        later=release.later,
        released_at=release.at,
        rights=_rights(programme, request),
        zone=programme.zone,
    )
    parts = max(1, -(-counts.leaving // IN_A_PART))
    if part > parts:
        raise CopyUnknown
    work.circumstances.op = Op.EXECUTE
    entries = every(_reader(work, copy))
    if format_ is CopyFormat.PDF:
        printed = await files.for_print(
            cover, entries, digest=release.sha256.hex(), part=part, parts=parts, each=IN_A_PART
        )
        pieces = _typeset(printed)
    else:
        pieces = as_json(cover, entries)
    sending = Sending(
        work.service.batcher,
        RecordCopySent,
        client=copy.client,
        record=copy.id,
        written_as=format_.value,
        actor=work.by,
        circumstances=work.circumstances,
        allowed=still_found(work.service, work.by, partial(_found, work, copy.id)),
    )
    return Stream(
        sending.stream(pieces),
        media_type=MEDIA_TYPES[format_],
        headers={"Content-Disposition": f'attachment; filename="record-{copy.id}-{part}.{format_.value}"'},
    )


def _kept(work: Work) -> KeptCopies:
    return KeptCopies(work.connection, work.journal, now=work.now)


async def _copy(work: Work, copy_id: UUID) -> RecordCopy:
    return await _kept(work).get(RecordCopyId(copy_id), by=work.by)


async def _held(work: Work, copy_id: UUID) -> tuple[RecordCopy, RightsRequest, Programme]:
    """The copy with its request, held so that nobody else decides or releases meanwhile."""
    found = await _copy(work, copy_id)
    request = await requests_in(work).hold(found.request, by=work.by, act=_ACT)
    programme = await Programmes(work.connection).get(found.programme)
    return await _copy(work, copy_id), request, programme


async def _out(work: Work, copy: RecordCopy) -> RecordCopyOut:
    kept = _kept(work)
    return RecordCopyOut.of(copy, await kept.counts(copy.id), await kept.later(copy), await reach_by(work, copy.client))


def _rights(programme: Programme, request: RightsRequest) -> Rights:
    """What may be withheld, by the version that was in force when the request came."""
    return programme.rules_on(request.received_on).rights


async def _found(work: Work, copy: RecordCopyId, by: Staff) -> RecordCopy:
    """The copy as somebody finds it at this moment, whoever they were when the file began."""
    async with work.service.engine.connect() as connection:
        return await KeptCopies(connection, work.journal, now=work.service.clock()).get(copy, by=by)


def _reader(work: Work, copy: RecordCopy) -> Pages:
    """Reads for as long as the file takes, and holds nothing open between two pages."""
    engine, journal, now = work.service.engine, work.journal, work.now

    async def pages(after: CopyEntryId | None) -> Sequence[CopyEntry]:
        async with engine.connect() as connection:
            return await KeptCopies(connection, journal, now=now).leaving(copy.id, after=after, limit=AT_ONCE)

    return pages


async def _typeset(printed: Mapping[str, Any]) -> AsyncGenerator[bytes, None]:
    yield await asyncio.to_thread(typeset, "record_copy.typ", printed)


router = Router(
    "/",
    route_handlers=[
        prepare_record_copy,
        list_record_copies,
        read_record_copy,
        list_record_copy_entries,
        decide_record_copy_entries,
        release_record_copy,
        send_record_copy,
    ],
    tags=["Copies of records"],
)
