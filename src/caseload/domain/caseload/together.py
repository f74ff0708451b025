"""Handing over many clients in one call: those that are named, or everybody whom one counsellor answers for.

All of them or none: a call that cannot be carried out for one client says for which, and changes nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol

from caseload.domain.access import Act, Reach
from caseload.domain.caseload.offering import Offer, check_at_once, tell_offered, tell_withdrawn
from caseload.domain.caseload.responsibility import CaseloadMoved, HandedOver, Responsibility, check_handover
from caseload.domain.errors import Fault, Faults, Invalid, NotFound
from caseload.domain.ids import ClientId, EpisodeId, HandoverId, ProgrammeId, StaffId, new_id
from caseload.domain.journal import Journal
from caseload.domain.people import Staff

MOST_AT_ONCE: Final = 500
"""Clients of one call: far more than anybody's caseload."""


class HandoverCallUnknown(NotFound):
    """No such handover within your reach."""

    def __init__(self) -> None:
        super().__init__("Use the identifier that the handover answered with.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Who is to answer for whom, and from when on."""

    programme: ProgrammeId
    clients: tuple[ClientId, ...] = ()
    """Those that are named; none where everybody of `of` is meant."""
    of: StaffId | None = None
    """Whose whole caseload it is, with what is planned to become theirs."""
    to: StaffId
    at: datetime
    note: str | None = None
    at_once: bool = False
    """Not to ask the new counsellor first where the programme wants it; needs a note."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseloadHandover:
    """Clients who were handed over in one call."""

    id: HandoverId
    programme: ProgrammeId
    of: StaffId | None
    to: StaffId
    effective_at: datetime
    note: str | None
    recorded_by: StaffId
    recorded_at: datetime
    passed: Sequence[Responsibility] = ()
    offered: Sequence[Offer] = ()
    """What waits for the new counsellor instead, where the programme wants it."""


class HandsOver(Protocol):
    """The responsibilities that are kept, for many clients at once."""

    async def hold_still(self, *, of: StaffId | None, to: StaffId) -> None:
        """Until the end of the work nobody gives `of` a client, and nobody takes the role away from either."""
        ...

    async def counsels_in(self, staff: StaffId, programme: ProgrammeId, *, at: datetime) -> bool:
        """See `Responsibilities.counsels_in`."""
        ...

    async def held_of(
        self, clients: Collection[ClientId], programme: ProgrammeId, *, at: datetime, reach: Reach
    ) -> Mapping[ClientId, Responsibility]:
        """Who answers at that moment for each of these clients who has an open episode within reach; nobody else changes it.

        `CaseloadMoved` on a race.
        """
        ...

    async def held_by(
        self, counsellor: StaffId, programme: ProgrammeId, *, since: datetime, reach: Reach
    ) -> Sequence[Responsibility]:
        """What this counsellor answers for at that moment or later, as planned; nobody else changes it.

        `CaseloadMoved` on a race.
        """
        ...

    async def handovers_wait(self, programme: ProgrammeId) -> bool:
        """See `offering.MayWait.handovers_wait`."""
        ...

    async def withdraw_of(self, episodes: Sequence[EpisodeId], *, by: StaffId, now: datetime) -> Sequence[Offer]:
        """See `offering.MayWait.withdraw_of`."""
        ...

    async def offer_together(self, call: CaseloadHandover) -> None:
        """Keep the call and its offers. `CaseloadMoved` on a race."""
        ...

    async def pass_together(self, call: CaseloadHandover, standing: Sequence[Responsibility]) -> None:
        """Keep the call; let each of what stands end where what is passed begins, and keep that.

        What would begin only then is taken back. `CaseloadMoved` on a race.
        """
        ...


async def hand_over_together(
    wish: Wish,
    *,
    as_id: HandoverId,
    reach: Reach,
    by: Staff,
    now: datetime,
    caseloads: HandsOver,
    journal: Journal,
) -> CaseloadHandover:
    """Pass responsibility for many clients to one counsellor, none of them left without anybody for a moment.

    Where the programme wants it they wait for the new counsellor, and whoever is responsible stays so until then.
    Of a whole caseload also what is planned to become the former's goes to the new one. Handovers to others that are
    planned for later still take place. Raises `NotPermitted`, `Invalid` with every client of whom it cannot be true,
    or `CaseloadMoved` when somebody else handed over at the same moment.
    """
    by.require(Act.HAND_OVER, wish.programme)
    faults = Faults()
    check_handover(wish.at, wish.note, now=now, faults=faults)
    check_at_once(wish.note, at_once=wish.at_once, faults=faults)
    _check_whom(wish, faults)
    faults.raise_if_any()
    at = max(wish.at, now)
    await caseloads.hold_still(of=wish.of, to=wish.to)
    faults.check(
        when=not await caseloads.counsels_in(wish.to, wish.programme, at=at),
        where="to",
        problem="must be somebody who is a counsellor in this programme then",
    )
    standing = await _standing(wish, at=at, reach=reach, caseloads=caseloads, faults=faults)
    faults.raise_if_any()
    if any(each.since == at for each in standing if wish.of is None or at == now):
        raise CaseloadMoved("One of them was handed over at this very moment. Read the caseload again.")
    episodes = [each.episode for each in standing]
    waits = not wish.at_once and wish.to != by.id and await caseloads.handovers_wait(wish.programme)
    if waits and any(each.since >= at for each in standing):
        raise Invalid(Fault("of", "has clients who are planned to become theirs: cancel those handovers first"))
    call = CaseloadHandover(
        id=as_id,
        programme=wish.programme,
        of=wish.of,
        to=wish.to,
        effective_at=at,
        note=wish.note,
        recorded_by=by.id,
        recorded_at=now,
    )
    if waits:
        tell_withdrawn(await caseloads.withdraw_of(episodes, by=by.id, now=now), journal)
        call = replace(call, offered=[_offer(call, each) for each in standing])
        await caseloads.offer_together(call)
        tell_offered(call.offered, journal)
        return call
    call = replace(call, passed=[_passed(call, each) for each in standing])
    await caseloads.pass_together(call, standing)
    tell_withdrawn(await caseloads.withdraw_of(episodes, by=by.id, now=now), journal)
    for each in call.passed:
        journal.tell(HandedOver(client=each.client, records=(each.id, call.id), facts={"to": str(wish.to)}))
    return call


def _passed(call: CaseloadHandover, standing: Responsibility) -> Responsibility:
    return Responsibility(
        id=new_id(),
        client=standing.client,
        episode=standing.episode,
        counsellor=call.to,
        since=max(call.effective_at, standing.since),
        until=standing.until,
        note=call.note,
        recorded_by=call.recorded_by,
        recorded_at=call.recorded_at,
        handover=call.id,
    )


def _offer(call: CaseloadHandover, standing: Responsibility) -> Offer:
    return Offer(
        id=new_id(),
        client=standing.client,
        episode=standing.episode,
        programme=call.programme,
        to=call.to,
        effective_at=call.effective_at,
        note=call.note,
        handover=call.id,
        recorded_by=call.recorded_by,
        recorded_at=call.recorded_at,
    )


def _check_whom(wish: Wish, faults: Faults) -> None:
    faults.check(
        when=bool(wish.clients) is (wish.of is not None),
        where="clients",
        problem="name the clients, or whose whole caseload it is",
    )
    faults.check(
        when=len(wish.clients) > MOST_AT_ONCE, where="clients", problem=f"{MOST_AT_ONCE} clients at once at most"
    )
    faults.check(
        when=len(set(wish.clients)) < len(wish.clients), where="clients", problem="names a client more than once"
    )
    faults.check(when=wish.of == wish.to, where="to", problem="is responsible already")


async def _standing(
    wish: Wish, *, at: datetime, reach: Reach, caseloads: HandsOver, faults: Faults
) -> Sequence[Responsibility]:
    """What is to end, in the order of the clients; a fault for each client of whom it cannot be."""
    if wish.of is not None:
        standing = await caseloads.held_by(wish.of, wish.programme, since=at, reach=reach)
        faults.check(
            when=not standing, where="of", problem="answers for nobody within your reach in this programme by then"
        )
        return standing
    held = await caseloads.held_of(wish.clients, wish.programme, at=at, reach=reach)
    for place, client in enumerate(wish.clients):
        standing_now = held.get(client)
        if standing_now is None:
            faults.add(f"clients.{place}", "has no open episode in this programme within your reach")
        elif standing_now.counsellor == wish.to:
            faults.add(f"clients.{place}", "is theirs already")
    return [held[client] for client in sorted(held)]
