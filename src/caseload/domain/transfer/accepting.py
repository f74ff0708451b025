"""Taking a client over: at once, or as soon as a prescriber of the giving programme has stopped what is ordered.

In one piece of work the episode at the one programme ends and the one at the other begins, at the same instant, with a
responsible counsellor. With it ends what a discharge ends. Every order stops: the other programme gives nothing until
somebody there has signed an order, and a hold lists the client for its prescribers until one of them has looked. What was
taken, missed and is held at home is the client's, and counts on.
"""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from caseload.domain.access import Act
from caseload.domain.caseload import DischargeReason, Episode, Responsibility
from caseload.domain.caseload.admitting import Admitted
from caseload.domain.caseload.discharging import check_discharge, end_care
from caseload.domain.departure import (
    Asked,
    AskedAlready,
    Decided,
    DischargeAsked,
    Fate,
    Leaving,
    Wanted,
    decide,
    running,
)
from caseload.domain.departure import withdraw as withdraw_departure
from caseload.domain.errors import Fault, Faults, Invalid
from caseload.domain.ids import DepartureId, EpisodeId, HoldId, TransferId, new_id
from caseload.domain.journal import Journal
from caseload.domain.medication import Hold, HoldReason, MedicationRecord, keep_hold
from caseload.domain.people import Proof, Staff
from caseload.domain.programme import Programme
from caseload.domain.transfer.asking import still_waiting, withdraw_transfer
from caseload.domain.transfer.transfer import (
    Acceptance,
    DaysDiffer,
    Ending,
    MaybeRegisteredTwice,
    Outcome,
    Places,
    RestrictedStays,
    Taking,
    Transfer,
    TransferAccepted,
    TransferMoved,
    TransferredAway,
    TransferTooEarly,
    TransferUnsettled,
)
from caseload.domain.zones import can_give_way, possible_from, zone_of

TRANSFER_HOLDS: Final = "transfer_holds"
"""The rule by which whoever comes with medicine from another programme is held until a prescriber has looked."""
_LOOK: Final = (
    "Comes from {name}, where every order stopped with the transfer. Look at the last doses, and order anew or say that"
    " nothing is given."
)


async def accept_transfer(
    wanted: TransferId, taking: Taking, *, by: Staff, now: datetime, places: Places, journal: Journal
) -> None:
    """Take a client over: the client is theirs from now on, or from a prescriber's decision about what is ordered.

    Raises `TransferUnknown`, `NotPermitted`, `TransferMoved`, `Invalid`, `TransferTooEarly`, `RestrictedStays`,
    `RegistrationClosed`, `MaybeRegisteredTwice`, `DaysDiffer`, `TransferUnsettled`, `AskedAlready`, `CaseloadMoved`.
    """
    transfer = await still_waiting(wanted, by=by, act=Act.HAND_OVER, places=places)
    by.require(Act.HAND_OVER, transfer.wish.to)
    if transfer.acceptance is not None:
        raise TransferMoved("It waits for a prescriber of the other programme.", transfer=str(transfer.id))
    if now < transfer.wish.proposed_at:
        raise TransferTooEarly("Accept it then.", proposed_at=transfer.wish.proposed_at.isoformat())
    record = await places.transfers.hold_record(transfer.client)
    await _require_possible(transfer, taking, record, now=now, places=places)
    orders = running(await places.leaving.orders.orders_of(transfer.client), record, record.day_of(now))
    acceptance = Acceptance(taking=taking, accepted_by=by.id, accepted_at=now)
    if not orders:
        await places.transfers.add_acceptance(transfer, acceptance)
        await _move(transfer, taking, is_medicated=False, by=by, now=now, places=places, journal=journal)
        return
    before = await places.leaving.departures.last_asked(transfer.episode)
    if before is not None and before.waits:
        raise AskedAlready("Have it decided or withdrawn by the other programme first.", discharge=str(before.id))
    asked = Asked(
        id=DepartureId(new_id()),
        client=transfer.client,
        episode=transfer.episode,
        programme=transfer.programme,
        leaving=Leaving(at=now, reason=DischargeReason.TRANSFERRED, note=transfer.wish.reason),
        asked_by=by.id,
        asked_at=now,
        orders=tuple(order.id for order in orders),
        after=before.id if before is not None else None,
    )
    await places.leaving.departures.add_asked(asked)
    await places.transfers.add_acceptance(
        transfer, Acceptance(taking=taking, accepted_by=by.id, accepted_at=now, departure=asked.id)
    )
    journal.tell(DischargeAsked(client=asked.client, records=(asked.id,), facts={"orders": len(orders)}))
    journal.tell(TransferAccepted(client=transfer.client, records=(transfer.id, asked.id)))


async def decide_leaving(
    departure: DepartureId, wanted: Wanted, *, by: Staff, proof: Proof, now: datetime, places: Places, journal: Journal
) -> Decided:
    """Decide about the medicine of whoever leaves: `departure.decide`, and for a transfer the client goes with it.

    Of a transfer every order stops: the last dose under it has been given here. Raises what both raise.
    """
    transfer = await places.transfers.waiting_on(departure)
    if transfer is None or transfer.acceptance is None:
        return await decide(departure, wanted, by=by, proof=proof, now=now, places=places.leaving, journal=journal)
    taking = transfer.acceptance.taking

    async def leave(decided: Decided) -> None:
        if decided.wanted.fate is not Fate.STOP:
            raise Invalid(
                Fault("fate", "must be stop: the client goes to another programme of ours, which orders anew")
            )
        record = await places.transfers.hold_record(transfer.client)
        await _require_possible(transfer, taking, record, now=now, places=places)
        await _move(transfer, taking, is_medicated=True, by=by, now=now, places=places, journal=journal)

    return await decide(
        departure, wanted, by=by, proof=proof, now=now, places=places.leaving, journal=journal, leave=leave
    )


async def withdraw_leaving(
    departure: DepartureId, reason: str, *, by: Staff, now: datetime, places: Places, journal: Journal
) -> None:
    """Take a discharge back that waits for a prescriber; one that a transfer waits for is withdrawn with the transfer."""
    transfer = await places.transfers.waiting_on(departure)
    if transfer is None:
        await withdraw_departure(departure, reason, by=by, now=now, places=places.leaving, journal=journal)
    else:
        await withdraw_transfer(transfer.id, reason, by=by, now=now, places=places, journal=journal)


async def _require_possible(
    transfer: Transfer, taking: Taking, record: MedicationRecord, *, now: datetime, places: Places
) -> None:
    """Raise whatever stands in the way of the client going now."""
    record.require_open()
    if record.suspected_with is not None:
        raise MaybeRegisteredTwice
    if await places.transfers.is_restricted(transfer.client):
        raise RestrictedStays
    faults = Faults(list(taking.level.faults()))
    if not await places.caseloads.counsels_in(taking.counsellor, transfer.wish.to, at=now):
        faults.add("counsellor_id", "must be somebody who is a counsellor in the receiving programme now")
    faults.raise_if_any()
    receiving = await places.programmes.get(transfer.wish.to)
    check_clocks(zone_of(record.time_zone), receiving.zone, now)
    left = await places.transfers.unsettled(transfer.client, record.day_of(now))
    if left:
        raise TransferUnsettled(
            "The giving programme settles each of these first.",
            open=[{"kind": each.kind.value, "record": str(each.record), "settle": each.settle} for each in left],
        )


def check_clocks(here: ZoneInfo, there: ZoneInfo, now: datetime) -> None:
    """Raise `DaysDiffer` unless a day stays one day: the clocks of a client who goes are changed as those of a programme that moves."""
    if here.key != there.key and not can_give_way(now, here, there):
        raise DaysDiffer(possible_from(now, here, there))


async def _move(
    transfer: Transfer,
    taking: Taking,
    *,
    is_medicated: bool,
    by: Staff,
    now: datetime,
    places: Places,
    journal: Journal,
) -> None:
    giving, receiving = [await places.programmes.get(each) for each in (transfer.programme, transfer.wish.to)]
    former = await places.caseloads.hold_episode(transfer.episode)
    check_discharge(former, at=now, note=None, now=now)
    await end_care(
        former,
        at=now,
        reason=DischargeReason.TRANSFERRED,
        note=transfer.wish.reason,
        by=by,
        now=now,
        caseloads=places.caseloads,
        plans=places.leaving.plans,
        sessions=places.leaving.sessions,
        journal=journal,
    )
    episode = _next(former, taking, receiving, now)
    responsibility = Responsibility(
        id=new_id(),
        client=episode.client,
        episode=episode.id,
        counsellor=taking.counsellor,
        since=now,
        note=None,
        recorded_by=by.id,
        recorded_at=now,
    )
    await places.caseloads.add_episode(episode, responsibility)
    await places.transfers.add_ending(transfer, Ending(outcome=Outcome.MOVED, by=by.id, at=now, into=episode.id))
    facts: dict[str, str | int] = {"from": str(giving.id), "programme": str(receiving.id)}
    journal.tell(TransferredAway(client=transfer.client, records=(transfer.id, former.id, episode.id), facts=facts))
    journal.tell(Admitted(client=episode.client, records=(episode.id, responsibility.id), facts=facts))
    if is_medicated:
        await _hold(transfer, giving, by=by, now=now, places=places, journal=journal)


def _next(former: Episode, taking: Taking, receiving: Programme, now: datetime) -> Episode:
    return Episode(
        id=EpisodeId(new_id()),
        client=former.client,
        programme=receiving.id,
        admitted_on=receiving.today(now),
        starts_at=now,
        ends_at=None,
        level=taking.level,
        responsible=taking.counsellor,
        returns_from=former.id,
    )


async def _hold(
    transfer: Transfer, giving: Programme, *, by: Staff, now: datetime, places: Places, journal: Journal
) -> None:
    hold = Hold(
        id=HoldId(new_id()),
        client=transfer.client,
        programme=transfer.wish.to,
        reason=HoldReason.TRANSFERRED,
        note=_LOOK.format(name=giving.name),
        raised_by=by.id,
        raised_at=now,
        by_rule=TRANSFER_HOLDS,
    )
    record = await places.transfers.hold_record(transfer.client)
    await keep_hold(hold, record, holds=places.holds, journal=journal)
