"""Asking another programme to take a client over; declining that, and taking it back."""

from datetime import datetime, timedelta
from typing import Final

from caseload.domain.access import Act
from caseload.domain.departure import Answer, DischargeWithdrawn
from caseload.domain.errors import Faults
from caseload.domain.ids import ClientId, TransferId
from caseload.domain.journal import Journal
from caseload.domain.medication.record import check_reason
from caseload.domain.people import Staff
from caseload.domain.transfer.transfer import (
    Ending,
    Outcome,
    Places,
    RestrictedStays,
    Standing,
    Transfer,
    TransferEnded,
    TransferMoved,
    TransferRequested,
    Transfers,
    Wish,
)

FURTHEST_AHEAD: Final = timedelta(days=92)
"""How far ahead a transfer can be proposed (product convention)."""


async def ask_transfer(
    client: ClientId, wish: Wish, *, as_id: TransferId, by: Staff, now: datetime, places: Places, journal: Journal
) -> Transfer:
    """Ask another programme to take a client over; nothing changes until it has accepted.

    Raises `ClientUnknown`, `NoOpenEpisode`, `NotPermitted`, `ProgrammeUnknown`, `Invalid`, `RestrictedStays`,
    `TransferAsked`.
    """
    reach = by.reach(Act.DISCHARGE)
    episode = await places.caseloads.open_episode(client, reach=reach, held=True)
    by.require(Act.DISCHARGE, episode.programme)
    faults = Faults()
    check_reason(wish.reason, faults)
    check_reason(wish.told, faults, "told")
    faults.check(
        when=wish.to == episode.programme, where="to_programme_id", problem="is the programme that the client is in"
    )
    faults.check(
        when=wish.proposed_at > now + FURTHEST_AHEAD,
        where="proposed_at",
        problem=f"must lie within {FURTHEST_AHEAD.days} days",
    )
    faults.raise_if_any()
    await places.programmes.get(wish.to)
    if await places.transfers.is_restricted(client):
        raise RestrictedStays
    transfer = Transfer(
        id=as_id,
        client=client,
        episode=episode.id,
        programme=episode.programme,
        wish=wish,
        asked_by=by.id,
        asked_at=now,
    )
    await places.transfers.add_transfer(transfer)
    journal.tell(TransferRequested(client=client, records=(as_id,), facts={"to": str(wish.to)}))
    return transfer


async def decline_transfer(
    wanted: TransferId, reason: str, *, by: Staff, now: datetime, places: Places, journal: Journal
) -> None:
    """Not take a client over, also after all: the client stays where they are.

    Raises `TransferUnknown`, `NotPermitted`, `Invalid`, `TransferMoved`.
    """
    transfer = await _waiting(wanted, reason, by=by, act=Act.HAND_OVER, places=places)
    by.require(Act.HAND_OVER, transfer.wish.to)
    await _end(transfer, Outcome.DECLINED, reason, by=by, now=now, places=places, journal=journal)


async def withdraw_transfer(
    wanted: TransferId, reason: str, *, by: Staff, now: datetime, places: Places, journal: Journal
) -> None:
    """Take a transfer back: the client stays. Raises `TransferUnknown`, `NotPermitted`, `Invalid`, `TransferMoved`."""
    transfer = await _waiting(wanted, reason, by=by, act=Act.DISCHARGE, places=places)
    by.require(Act.DISCHARGE, transfer.programme)
    await _end(transfer, Outcome.WITHDRAWN, reason, by=by, now=now, places=places, journal=journal)


async def still_waiting(wanted: TransferId, *, by: Staff, act: Act, places: Places) -> Transfer:
    """One that waits, once the client's record is locked; raises `TransferUnknown`, `TransferMoved`."""
    seen = await places.transfers.transfer(wanted, by=by, act=act)
    await places.transfers.hold_record(seen.client)
    transfer = await places.transfers.transfer(wanted, by=by, act=act)
    if not transfer.waits:
        raise TransferMoved("Read the transfer again.", transfer=str(transfer.id))
    return transfer


async def _waiting(wanted: TransferId, reason: str, *, by: Staff, act: Act, places: Places) -> Transfer:
    faults = Faults()
    check_reason(reason, faults)
    faults.raise_if_any()
    return await still_waiting(wanted, by=by, act=act, places=places)


async def _end(
    transfer: Transfer,
    outcome: Outcome,
    reason: str,
    *,
    by: Staff,
    now: datetime,
    places: Places,
    journal: Journal,
) -> None:
    """End it, and with it the discharge that waits for a prescriber on its account."""
    await places.transfers.add_ending(transfer, Ending(outcome=outcome, reason=reason, by=by.id, at=now))
    journal.tell(TransferEnded(client=transfer.client, records=(transfer.id,), facts={"outcome": outcome.value}))
    if transfer.acceptance is None or transfer.acceptance.departure is None:
        return
    asked = await places.leaving.departures.last_asked(transfer.episode)
    if asked is not None and asked.waits:
        await places.leaving.departures.add_answer(asked, Answer(reason=reason, answered_by=by.id, answered_at=now))
        journal.tell(DischargeWithdrawn(client=asked.client, records=(asked.id,)))


async def look_back(wanted: TransferId, *, by: Staff, act: Act, transfers: Transfers) -> tuple[Transfer, Staff]:
    """Whose chart the giving programme may read as it was known when the client went, and the person with that reach.

    The past of a programme is its own: what it recorded, and what it was told until then. What comes later is the other
    programme's. Raises `TransferUnknown`, `NotPermitted` for anybody else, `TransferMoved` where the client has not gone.
    """
    transfer = await transfers.transfer(wanted, by=by, act=act)
    by.require(act, transfer.programme)
    if transfer.standing is not Standing.MOVED:
        raise TransferMoved("The client has not gone: read the chart itself.", transfer=str(transfer.id))
    return transfer, by.looking_back(transfer.client)
