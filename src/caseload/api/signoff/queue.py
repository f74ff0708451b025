"""What waits: for your signature, the highest risk first, and what was sent back to you."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from litestar.params import FromPath

from caseload.api.departure.discharges import DischargeOut
from caseload.api.departure.store import departures
from caseload.api.dosing.store import charts
from caseload.api.dosing.wire import DoseOut
from caseload.api.medication.holds import HoldOut
from caseload.api.medication.order_wire import OrderOut
from caseload.api.note.store import notes
from caseload.api.note.wire import NoteOut
from caseload.api.pages import USUAL, After, Limit, Page
from caseload.api.route import reading
from caseload.api.stock.containers import acts
from caseload.api.stock.wire import CountOut, WasteOut
from caseload.api.wire import Wire
from caseload.api.work import TheWork
from caseload.db.medication.drafts import drafts_in
from caseload.db.programme import Programmes
from caseload.db.signoff import Queue
from caseload.domain.access import Act
from caseload.domain.dosing import Charted
from caseload.domain.ids import ProgrammeId
from caseload.domain.programme import Programme
from caseload.domain.signoff import Risk, Waiting, signs_for_doses
from caseload.request.work import Work


class WaitingOut(Wire, frozen=True, kw_only=True):
    """A version of a dose that waits."""

    dose: DoseOut
    risk: Risk
    """What it is ranked by: exception, amended, decided, late, routine."""
    sign_by: datetime
    is_late: bool
    rejected_at: datetime | None
    rejection: str | None

    @classmethod
    def of(cls, waiting: Waiting, now: datetime) -> "WaitingOut":
        """From the domain."""
        return cls(
            dose=DoseOut.of(Charted(dose=waiting.dose, giver=waiting.giver)),
            risk=waiting.risk,
            sign_by=waiting.sign_by,
            is_late=waiting.is_late(now),
            rejected_at=waiting.rejected_at,
            rejection=waiting.rejection,
        )


class SentBackOut(Wire, frozen=True, kw_only=True):
    """What was sent back to you, and to who has left, oldest first; an amendment makes it ready to sign again."""

    items: list[WaitingOut]


class SignOffQueueOut(Wire, frozen=True, kw_only=True):
    """What waits for you, the highest risk first: orders, decisions, stock, doses."""

    orders: list[OrderOut]
    """Spoken by you and taken down; medicine is given under them, and nobody else can sign. The first deadline first."""
    drafts: list[OrderOut]
    """Written and not signed, with a first day of the last week or later; nothing is given under them. The first day first."""
    holds: list[HoldOut]
    """Holds that a prescriber clears by a signed decision; nothing is given meanwhile. Broken rules first, then the oldest."""
    discharges: list[DischargeOut]
    """Discharges that wait for a prescriber's decision about the medicine; the oldest first."""
    wastes: list[WasteOut]
    """Medicine that is gone, for a witness who did not handle it; the oldest first."""
    counts: list[CountOut]
    """Counts that wait for the second person who counted; the oldest first."""
    notes: list[NoteOut]
    """Of counsellors, for a supervisor who did not write them; the first deadline first, 100 at most."""
    note_drafts: list[NoteOut]
    """Your own, written and not signed, or sent back; the first deadline first, 100 at most."""
    doses: list[WaitingOut]
    """Doses that others gave, ranked by risk, then the oldest."""
    next: UUID | None
    """Give it as `after` for the doses that follow; null on the last page."""


A_WEEK: Final = timedelta(days=7)
MOST_NOTES: Final = 100


def _queue(work: Work) -> Queue:
    return Queue(work.connection, work.journal, now=work.now)


@reading("/sign-off-queue", act=Act.SEE_SIGN_OFFS, name="list_my_sign_offs", problems=())
async def list_my_sign_offs(work: TheWork, after: After = None, limit: Limit = USUAL) -> SignOffQueueOut:
    """Everything that waits for your signature, in all your programmes, with deadline and lateness.

    Never what you gave, recorded, amended, handled or counted yourself. Routine doses are signed together, all else one by
    one, on its own route. Whatever is no dose stands on the first page only.
    """
    programmes = await _programmes_of(work)
    mine = signs_for_doses(work.by, programmes, now=work.now)
    lines = await _queue(work).waiting(mine, by=work.by, after=after, limit=limit, for_them=True)
    first = programmes if after is None else ()
    return SignOffQueueOut(
        orders=await _orders(work, first),
        drafts=await _drafts(work, first),
        holds=await _holds(work, first),
        discharges=await _discharges(work, first),
        wastes=await _wastes(work, first),
        counts=await _counts(work, first),
        notes=await _notes(work) if after is None else [],
        note_drafts=await _note_drafts(work) if after is None else [],
        doses=[WaitingOut.of(each, work.now) for each in lines],
        next=lines[-1].dose.id if len(lines) == limit else None,
    )


@reading("/programmes/{programme_id:uuid}/doses/waiting", act=Act.SIGN_OFF_DOSE, name="list_waiting_doses")
async def list_waiting_doses(
    programme_id: FromPath[UUID], work: TheWork, after: After = None, limit: Limit = USUAL
) -> Page[WaitingOut]:
    """The doses of a programme that wait for a second clinician: the highest risk first, then the oldest."""
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    work.by.require(Act.SIGN_OFF_DOSE, programme.id)
    lines = await _queue(work).waiting([programme.id], by=work.by, after=after, limit=limit)
    return Page(
        items=[WaitingOut.of(each, work.now) for each in lines],
        next=lines[-1].dose.id if len(lines) == limit else None,
    )


@reading("/doses/sent-back", act=Act.RECORD_DOSE, name="list_sent_back_doses", problems=())
async def list_sent_back_doses(work: TheWork) -> SentBackOut:
    """The doses that you recorded and that were sent back to you, with the reason; then those of who has left there."""
    found = await _queue(work).sent_back(by=work.by)
    return SentBackOut(items=[WaitingOut.of(each, work.now) for each in found])


async def _programmes_of(work: Work) -> list[Programme]:
    """Where whoever asks holds a role."""
    held = {each.programme for each in work.by.holdings}
    return [each for each in await Programmes(work.connection).all() if held & {each.id, None}]


async def _orders(work: Work, programmes: Sequence[Programme]) -> list[OrderOut]:
    found: list[OrderOut] = []
    for programme in programmes:
        if work.by.may_in(Act.WRITE_ORDER, programme.id):
            spoken = await charts(work).spoken_in(programme.id, by=work.by, act=Act.WRITE_ORDER, prescriber=work.by.id)
            found += [OrderOut.of(order, programme.today(work.now)) for order in spoken]
    return found


async def _drafts(work: Work, programmes: Sequence[Programme]) -> list[OrderOut]:
    found: list[OrderOut] = []
    for programme in programmes:
        if work.by.may_in(Act.WRITE_ORDER, programme.id):
            today = programme.today(work.now)
            drafts = await drafts_in(
                work.connection,
                work.journal,
                programme.id,
                since=today - A_WEEK,
                today=today,
                reach=work.by.reach(Act.WRITE_ORDER),
                at=work.now,
            )
            found += [OrderOut.of(order, today) for order in drafts]
    return found


async def _holds(work: Work, programmes: Sequence[Programme]) -> list[HoldOut]:
    found = [
        HoldOut.of(hold)
        for programme in programmes
        if work.by.may_in(Act.DECIDE_MEDICATION, programme.id)
        for hold in await charts(work).in_force(programme.id, by=work.by, act=Act.DECIDE_MEDICATION)
    ]
    # A hold of a guest stands in the lists of the host and of home.
    return list({each.id: each for each in found}.values())


async def _discharges(work: Work, programmes: Sequence[Programme]) -> list[DischargeOut]:
    return [
        DischargeOut.of(asked)
        for programme in programmes
        if work.by.may_in(Act.DECIDE_MEDICATION, programme.id)
        for asked in await departures(work).waiting_in(programme.id, by=work.by, act=Act.DECIDE_MEDICATION)
    ]


async def _wastes(work: Work, programmes: Sequence[Programme]) -> list[WasteOut]:
    return [
        WasteOut.of(waste)
        for programme in programmes
        if work.by.may_in(Act.WITNESS_STOCK, programme.id)
        for waste in await acts(work).unwitnessed(programme.id)
        if waste.handled_by != work.by.id
    ]


async def _counts(work: Work, programmes: Sequence[Programme]) -> list[CountOut]:
    return [
        CountOut.of(count)
        for programme in programmes
        if work.by.may_in(Act.COUNT_STOCK, programme.id)
        for count in await acts(work).unconfirmed(programme.id)
        if count.counted_by != work.by.id
    ]


async def _notes(work: Work) -> list[NoteOut]:
    return [
        NoteOut.of(note, reader=work.by, now=work.now)
        for note in await notes(work).waiting(by=work.by, limit=MOST_NOTES)
    ]


async def _note_drafts(work: Work) -> list[NoteOut]:
    return [
        NoteOut.of(note, reader=work.by, now=work.now)
        for note in await notes(work).drafts(by=work.by, limit=MOST_NOTES)
    ]
