"""Discharges: done, or waiting for a prescriber while an order is in force, and what a prescriber decided."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.caseload.store import caseloads_of
from caseload.api.departure.store import departures, places, transfer_places
from caseload.api.medication.order_wire import AnswerIn, reasons_of
from caseload.api.proving import ProvedIn
from caseload.api.route import reading, writing
from caseload.api.wire import Instant, Wire
from caseload.api.work import TheKey, TheWork
from caseload.db.idempotency import Kept
from caseload.db.programme import Programmes
from caseload.domain import departure as domain
from caseload.domain.access import Act
from caseload.domain.caseload import DischargeReason
from caseload.domain.departure import Asked, Fate, Leaving, Wanted
from caseload.domain.ids import ClientId, DepartureId, ProgrammeId, new_id
from caseload.domain.transfer import decide_leaving, withdraw_leaving
from caseload.request.idempotency import once
from caseload.request.sign_in import prove
from caseload.request.work import Work


class DischargeIn(Wire, frozen=True, kw_only=True):
    """A discharge."""

    reason: DischargeReason
    effective_at: Instant | None = None
    """When it happened; now when left out."""
    note: str | None = None


class DischargedOut(Wire, frozen=True, kw_only=True):
    """What came of a discharge: it is done, or it waits for a prescriber."""

    waits: UUID | None
    """The discharge that waits, because something may still be given under an order; null when the client has left."""


class DischargeDecisionIn(ProvedIn, frozen=True, kw_only=True):
    """What becomes of the medicine."""

    fate: Fate
    reason: str
    until: date | None = None
    """The last day on which something may be given; left out where it stops now."""
    to: str | None = None
    """Who takes over, for a transfer."""
    confirmed: tuple[AnswerIn, ...] = ()
    """Reasons for what the profile asks about the orders that this shortens."""


class WithdrawalIn(Wire, frozen=True, kw_only=True):
    """Why the client stays."""

    reason: str


class DischargeAnswerOut(Wire, frozen=True, kw_only=True):
    """How the waiting ended."""

    fate: Fate | None
    """Null when it was taken back."""
    until: date | None
    to: str | None
    reason: str
    facts: dict[str, Any] | None
    """What the decision rested on and what became of each order, as signed."""
    answered_by: UUID
    answered_at: datetime


class DischargeOut(Wire, frozen=True, kw_only=True):
    """A discharge that waits, or waited, for a prescriber's decision about the medicine."""

    id: UUID
    client_id: UUID
    programme_id: UUID
    reason: DischargeReason
    note: str | None
    effective_at: datetime
    orders: list[UUID]
    """The orders that were in force as it was asked."""
    asked_by: UUID
    asked_at: datetime
    waits: bool
    answer: DischargeAnswerOut | None

    @classmethod
    def of(cls, asked: Asked) -> "DischargeOut":
        """From the domain."""
        answer = asked.answer
        return cls(
            id=asked.id,
            client_id=asked.client,
            programme_id=asked.programme,
            reason=asked.leaving.reason,
            note=asked.leaving.note,
            effective_at=asked.leaving.at,
            orders=list(asked.orders),
            asked_by=asked.asked_by,
            asked_at=asked.asked_at,
            waits=asked.waits,
            answer=None
            if answer is None
            else DischargeAnswerOut(
                fate=answer.fate,
                until=answer.until,
                to=answer.to,
                reason=answer.reason,
                facts=None if answer.facts is None else dict(answer.facts),
                answered_by=answer.answered_by,
                answered_at=answer.answered_at,
            ),
        )


class DischargesOut(Wire, frozen=True, kw_only=True):
    """The discharges of a programme that wait for a prescriber, the oldest first."""

    items: list[DischargeOut]


@writing("/clients/{client_id:uuid}/discharge", act=Act.DISCHARGE, name="discharge_client")
async def discharge_client(
    client_id: FromPath[UUID], data: JSONBody[DischargeIn], work: TheWork, key: TheKey
) -> DischargedOut:
    """End the open episode, and with it cover, plans of check-ins and places in sessions; both clocks are kept.

    While something may still be given under an order it waits: a prescriber decides what becomes of the medicine.
    """
    new = DepartureId(new_id())

    async def discharge() -> Asked | None:
        episode = await caseloads_of(work).open_episode(ClientId(client_id), reach=work.by.reach(Act.DISCHARGE))
        leaving = Leaving(at=data.effective_at or work.now, reason=data.reason, note=data.note)
        return await domain.ask_to_discharge(
            episode, leaving, as_id=new, by=work.by, now=work.now, places=places(work), journal=work.journal
        )

    async def again(kept: Kept) -> Asked | None:
        return await departures(work).found(DepartureId(kept.resource), by=work.by, act=Act.DISCHARGE)

    asked = await once(work, key, Kept(status=201, resource=new), do=discharge, again=again)
    return DischargedOut(waits=asked.id if asked is not None else None)


@reading("/programmes/{programme_id:uuid}/discharges", act=Act.DISCHARGE, name="list_waiting_discharges")
async def list_waiting_discharges(programme_id: FromPath[UUID], work: TheWork) -> DischargesOut:
    """The discharges that wait for a prescriber, the oldest first."""
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    work.by.require(Act.DISCHARGE, programme.id)
    found = await departures(work).waiting_in(programme.id, by=work.by, act=Act.DISCHARGE)
    return DischargesOut(items=[DischargeOut.of(each) for each in found])


@reading("/discharges/{discharge_id:uuid}", act=Act.DISCHARGE, name="read_discharge")
async def read_discharge(discharge_id: FromPath[UUID], work: TheWork) -> DischargeOut:
    """One discharge that waits or waited, with what was decided."""
    return DischargeOut.of(await departures(work).asked(DepartureId(discharge_id), by=work.by, act=Act.DISCHARGE))


@writing(
    "/discharges/{discharge_id:uuid}/decision", act=Act.DECIDE_MEDICATION, name="decide_discharge", problems=(404, 429)
)
async def decide_discharge(
    discharge_id: FromPath[UUID], data: JSONBody[DischargeDecisionIn], work: TheWork, key: TheKey
) -> DischargeOut:
    """Decide what becomes of the medicine, with your password proved again: with it the client is discharged.

    `stop` ends every order now. `continue` and `transfer` shorten each order that outlasts the date. `taper` rests on
    an order that you have signed before and that ends by the date. Where the discharge is a transfer to another programme of
    ours it must be `stop`: with it the client goes there, and is ordered for anew.
    """
    proof = await prove(work, data.evidence())
    wanted = DepartureId(discharge_id)
    decision = Wanted(
        fate=data.fate, reason=data.reason, until=data.until, to=data.to, confirmed=reasons_of(data.confirmed)
    )

    async def decide() -> Asked:
        await decide_leaving(
            wanted, decision, by=work.by, proof=proof, now=work.now, places=transfer_places(work), journal=work.journal
        )
        return await departures(work).asked(wanted, by=work.by, act=Act.DECIDE_MEDICATION)

    kept = Kept(status=201, resource=wanted)
    return DischargeOut.of(await once(work, key, kept, do=decide, again=_again(work, Act.DECIDE_MEDICATION)))


@writing("/discharges/{discharge_id:uuid}/withdrawal", act=Act.DISCHARGE, name="withdraw_discharge")
async def withdraw_discharge(
    discharge_id: FromPath[UUID], data: JSONBody[WithdrawalIn], work: TheWork, key: TheKey
) -> DischargeOut:
    """Take back a discharge that waits, and a transfer that waits for it: the client stays."""
    wanted = DepartureId(discharge_id)

    async def withdraw() -> Asked:
        await withdraw_leaving(
            wanted, data.reason, by=work.by, now=work.now, places=transfer_places(work), journal=work.journal
        )
        return await departures(work).asked(wanted, by=work.by, act=Act.DISCHARGE)

    kept = Kept(status=201, resource=wanted)
    return DischargeOut.of(await once(work, key, kept, do=withdraw, again=_again(work, Act.DISCHARGE)))


def _again(work: Work, act: Act) -> Callable[[Kept], Awaitable[Asked]]:
    async def again(kept: Kept) -> Asked:
        return await departures(work).asked(DepartureId(kept.resource), by=work.by, act=act)

    return again
