"""Asking for a discharge: it takes place at once, or waits for a prescriber while an order is in force."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar, Protocol

from caseload.domain.access import Act
from caseload.domain.attendance import Waits
from caseload.domain.caseload import DischargeReason, Episode
from caseload.domain.caseload.discharging import check_discharge, discharge
from caseload.domain.caseload.episode import Episodes
from caseload.domain.checkin import Plans
from caseload.domain.departure.fate import Fate, running
from caseload.domain.errors import Conflict, Fault, Faults, Invalid, NotFound
from caseload.domain.ids import ClientId, DepartureId, EpisodeId, OrderId, ProgrammeId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.medication import Orders
from caseload.domain.medication.record import check_reason
from caseload.domain.people import Staff
from caseload.domain.signature import Signature, Subject, Version


class AskedUnknown(NotFound):
    """There is no such discharge within your reach."""


class AskedAlready(Conflict):
    """A discharge of this client waits for a prescriber already."""


class AskedMoved(Conflict):
    """This discharge has been decided or withdrawn since you read it, or the client has left meanwhile."""


class DischargeAsked(Event):
    """A discharge waits for a prescriber, because an order is in force."""

    name: ClassVar[str] = "discharge.asked"


class DischargeWithdrawn(Event):
    """A discharge that waited was taken back."""

    name: ClassVar[str] = "discharge.withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """That a client leaves: when, why, and what there is to say about it."""

    at: datetime
    reason: DischargeReason
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How the waiting of a discharge ended: decided by a prescriber, or taken back by whoever may discharge."""

    reason: str
    answered_by: StaffId
    answered_at: datetime
    fate: Fate | None = None
    """None when it was taken back."""
    until: date | None = None
    to: str | None = None
    facts: Mapping[str, object] | None = None
    """What the decision rested on and what became of each order, as signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A discharge that waits, or waited, for a prescriber's decision about the medicine."""

    id: DepartureId
    client: ClientId
    episode: EpisodeId
    programme: ProgrammeId
    leaving: Leaving
    asked_by: StaffId
    asked_at: datetime
    orders: tuple[OrderId, ...] = ()
    """The orders that were in force as it was asked."""
    after: DepartureId | None = None
    """The one before for the same episode, which was taken back."""
    answer: Answer | None = None
    episode_is_open: bool = True

    def as_decided(self, answer: Answer) -> Version:
        """What a prescriber signs who decides it so."""
        content = {
            "client": self.client,
            "decided_at": answer.answered_at,
            "decided_by": answer.answered_by,
            "facts": answer.facts,
            "fate": answer.fate,
            "programme": self.programme,
            "reason": answer.reason,
            "to": answer.to,
            "until": answer.until,
        }
        return Version(subject=Subject.DISCHARGE, id=self.id, number=1, content=content)

    @property
    def waits(self) -> bool:
        """Whether a prescriber still has to decide."""
        return self.answer is None and self.episode_is_open


class Departures(Protocol):
    """Discharges that wait, and how the waiting of each ended. Whoever adds has locked the client's record first."""

    async def asked(self, departure: DepartureId, /, *, by: Staff, act: Act) -> Asked:
        """One of them; raises `AskedUnknown` outside the person's reach."""
        ...

    async def last_asked(self, episode: EpisodeId, /) -> Asked | None:
        """The newest of an episode."""
        ...

    async def add_asked(self, asked: Asked, /) -> None:
        """Keep it; raises `AskedAlready` when the one before still waits."""
        ...

    async def add_answer(self, asked: Asked, answer: Answer, /, *, signed: Signature | None = None) -> None:
        """Keep how it ended, a decision with its signature; raises `AskedMoved` when it has ended already."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where everything is kept that ends when a client leaves."""

    departures: Departures
    caseloads: Episodes
    plans: Plans
    sessions: Waits
    orders: Orders


async def ask_to_discharge(
    episode: Episode,
    leaving: Leaving,
    *,
    as_id: DepartureId,
    by: Staff,
    now: datetime,
    places: Places,
    journal: Journal,
) -> Asked | None:
    """Discharge a client, or keep the discharge waiting while something may still be given under an order.

    Medicine that ends without anybody having decided it is a danger of its own, so a discharge never ends an order by
    itself. None when the client has left. Raises `NotPermitted`, `Invalid`, `AskedAlready`, `CaseloadMoved`.
    """
    by.require(Act.DISCHARGE, episode.programme)
    check_discharge(episode, at=leaving.at, note=leaving.note, now=now)
    if leaving.reason is DischargeReason.DIED:
        raise Invalid(Fault("reason", "record the death: it ends the orders and everything else in one act"))
    record = await places.orders.lock(episode.client, by=by, act=Act.DISCHARGE)
    waiting = await places.departures.last_asked(episode.id)
    orders = running(await places.orders.orders_of(episode.client), record, record.day_of(now))
    if not orders:
        await discharge(
            episode,
            at=leaving.at,
            reason=leaving.reason,
            note=leaving.note,
            by=by,
            now=now,
            caseloads=places.caseloads,
            plans=places.plans,
            sessions=places.sessions,
            journal=journal,
        )
        return None
    if waiting is not None and waiting.waits:
        raise AskedAlready("Ask a prescriber to decide it, or withdraw it first.", discharge=str(waiting.id))
    asked = Asked(
        id=as_id,
        client=episode.client,
        episode=episode.id,
        programme=episode.programme,
        leaving=leaving,
        asked_by=by.id,
        asked_at=now,
        orders=tuple(order.id for order in orders),
        after=waiting.id if waiting is not None else None,
    )
    await places.departures.add_asked(asked)
    journal.tell(DischargeAsked(client=asked.client, records=(asked.id,), facts={"orders": len(orders)}))
    return asked


async def withdraw(
    departure: DepartureId, reason: str, *, by: Staff, now: datetime, places: Places, journal: Journal
) -> Asked:
    """Take a discharge back that waits: the client stays. Raises `AskedUnknown`, `Invalid`, `AskedMoved`."""
    faults = Faults()
    check_reason(reason, faults)
    faults.raise_if_any()
    asked = await still_waiting(departure, by=by, act=Act.DISCHARGE, places=places)
    by.require(Act.DISCHARGE, asked.programme)
    answer = Answer(reason=reason, answered_by=by.id, answered_at=now)
    await places.departures.add_answer(asked, answer)
    journal.tell(DischargeWithdrawn(client=asked.client, records=(asked.id,)))
    return asked


async def still_waiting(departure: DepartureId, *, by: Staff, act: Act, places: Places) -> Asked:
    """One that waits, once the client's record is locked; raises `AskedUnknown`, `AskedMoved`."""
    asked = _require_waiting(await places.departures.asked(departure, by=by, act=act))
    await places.orders.lock(asked.client, by=by, act=act)
    return _require_waiting(await places.departures.asked(departure, by=by, act=act))


def _require_waiting(asked: Asked) -> Asked:
    if not asked.waits:
        raise AskedMoved("Read the discharges that wait again.", discharge=str(asked.id))
    return asked
