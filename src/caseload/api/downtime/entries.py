"""Entering a completed downtime sheet: one form, every line answered by itself."""

from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.downtime.wire import SheetIn, SheetOut
from caseload.api.route import reading, writing
from caseload.api.stock.containers import acts
from caseload.api.work import TheKey, TheWork
from caseload.db.downtime import Sheets
from caseload.db.idempotency import Kept
from caseload.db.observation import KeptObservations
from caseload.db.programme import Programmes
from caseload.domain.access import Act
from caseload.domain.downtime import Aside, Entered, enter_sheet
from caseload.domain.ids import DowntimeId, ProgrammeId, new_id
from caseload.domain.journal import Journal
from caseload.domain.programme import Programme
from caseload.request.idempotency import KeyMissing, once
from caseload.request.work import Work


@writing("/programmes/{programme_id:uuid}/downtime-entries", act=Act.RECORD_DOSE, name="enter_downtime_sheet")
async def enter_downtime_sheet(
    programme_id: FromPath[UUID], data: JSONBody[SheetIn], work: TheWork, key: TheKey
) -> SheetOut:
    """Enter a completed downtime sheet; `Idempotency-Key` is mandatory. Every line is answered by itself.

    What was swallowed is never refused: what broke a rule is an exception that names it and holds the next dose, and
    what is in the record already is said with who and when. Refused is only what cannot be understood. All of it is kept
    together or nothing is: after a lost answer send the same again with the same key.
    """
    if key is None:
        raise KeyMissing
    store, new = sheets(work), DowntimeId(new_id())
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))

    async def do() -> Entered:
        return await _entered(data, programme, new, work, store, work.journal)

    async def again(kept: Kept) -> Entered:
        return await store.entered(DowntimeId(kept.resource), by=work.by, act=Act.RECORD_DOSE)

    return SheetOut.of(await once(work, key, Kept(status=201, resource=new), do=do, again=again))


@writing(
    "/programmes/{programme_id:uuid}/downtime-entries/preview",
    act=Act.RECORD_DOSE,
    name="preview_downtime_sheet",
    status=200,
)
async def preview_downtime_sheet(programme_id: FromPath[UUID], data: JSONBody[SheetIn], work: TheWork) -> SheetOut:
    """See how each line would be answered, as the record is now; nothing is kept."""
    store = sheets(work)
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    async with store.undone():
        entered = await _entered(data, programme, DowntimeId(new_id()), work, store, Aside(work.journal))
    return SheetOut.of(entered, is_kept=False)


@reading("/downtime-entries/{entry_id:uuid}", act=Act.SEE_MEDICATION, name="read_downtime_entry")
async def read_downtime_entry(entry_id: FromPath[UUID], work: TheWork) -> SheetOut:
    """A sheet as it was entered, with the answers to the lines of clients within your reach."""
    return SheetOut.of(await sheets(work).entered(DowntimeId(entry_id), by=work.by, act=Act.SEE_MEDICATION))


def sheets(work: Work) -> Sheets:
    """Downtime sheets, beside the doses and what became of them."""
    return Sheets(work.connection, work.journal, now=work.now)


async def _entered(
    data: SheetIn, programme: Programme, new: DowntimeId, work: Work, store: Sheets, journal: Journal
) -> Entered:
    return await enter_sheet(
        data.read(programme.id),
        as_id=new,
        programme=programme,
        by=work.by,
        now=work.now,
        store=store,
        wastes=acts(work),
        observations=KeptObservations(work.connection, work.journal),
        journal=journal,
    )
