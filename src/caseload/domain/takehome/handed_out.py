"""What has been handed out already, on paper: units that are out are in the record, whatever rule they broke.

The same consequences as at the window: each unit covers its day, takes from stock and is accounted for. Where a rule stood
in the way when it was handed out, it is an exception that names the rule and holds the client until a prescriber has looked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Final, Protocol

from caseload.domain.access import Act
from caseload.domain.errors import Fault, Faults, Invalid
from caseload.domain.ids import ClientId, ContainerId, DispenseId, HoldId, OrderId, StaffId, StationId, new_id
from caseload.domain.journal import Event, Journal
from caseload.domain.medication import EXCEPTION_HOLDS_NEXT, Hold, HoldReason, Holds, MedicationRecord, Order, keep_hold
from caseload.domain.medication.record import check_reason
from caseload.domain.medicines import LONG_ACTING, Medicine
from caseload.domain.moments import check_year
from caseload.domain.people import Staff
from caseload.domain.takehome.collecting import NOBODY_SAID, Collecting
from caseload.domain.takehome.decision import TakeHomeDecision
from caseload.domain.takehome.dispensing import (
    Handing,
    NothingToTakeFrom,
    TakeHomes,
    check_handing,
    unit_of,
)
from caseload.domain.takehome.in_the_way import Situation, Wanted, order_for, stands_in_the_way
from caseload.domain.takehome.unit import Dispense, Late

NOT_SAID: Final = "The paper does not say."
HELD: Final = (
    "Take-homes were handed out on paper although a rule stood in the way. A prescriber looks before the next."
)


class WhichContainer(Invalid):
    """Nobody can tell from which container it came."""

    def __init__(self) -> None:
        super().__init__(
            Fault("container_id", "none, or more than one of this kind, was in use then: say from which it came")
        )


class TakeHomeDispensedLate(Event):
    """Units that had been handed out before were recorded, with the reason why only then."""

    name: ClassVar[str] = "take_home.dispensed_late"


class TakeHomeExceptionRecorded(Event):
    """Units were recorded that had been handed out although a rule stood in the way."""

    name: ClassVar[str] = "take_home.exception_recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitHandedOut(Wanted):
    """One unit that was handed out."""

    order: OrderId | None = None
    """The order that the paper names; needed where none was in force on that day, for the medicine and its strength."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOut:
    """What was handed out at one time, and why it is written down only now."""

    client: ClientId
    units: tuple[UnitHandedOut, ...]
    educated: bool
    at: datetime
    by: StaffId
    """Who handed it out."""
    reason: str
    education_note: str = ""
    collecting: Collecting = NOBODY_SAID
    station: StationId | None = None
    container: ContainerId | None = None
    """What it came from, where the station does not tell."""


class TakeHomesHandedOut(TakeHomes, Holds, Protocol):
    """What clients have taken home, and the holds that follow from it."""

    async def take_home_decisions_of(self, client: ClientId, /) -> Sequence[TakeHomeDecision]:
        """Every take-home decision about a client, newest first."""
        ...


async def record_handed_out(
    said: HandedOut, *, as_id: DispenseId, by: Staff, now: datetime, homes: TakeHomesHandedOut, journal: Journal
) -> Dispense:
    """Record units that have been handed out. No rule refuses them: what is in a client's hands is in the record.

    Raises `ClientUnknown`, `NotPermitted`, `Invalid` (among it units that no order tells of), `WhichContainer`.
    """
    record = await homes.lock(said.client, by=by, act=Act.RECORD_DOSE)
    record.require_open()
    place = record.place(by, Act.RECORD_DOSE)
    _check(said, record, now)
    here = await homes.situation(record, place, [each.for_on for each in said.units], at=said.at)
    here = await _as_it_stood(here, said, homes)
    broken = tuple(sorted({refusal.rule.value for refusal in stands_in_the_way(said.units, here)}))
    orders = _orders(said, here)
    units = tuple(
        replace(unit_of(each, order, as_id, place, here), is_exception=bool(broken))
        for each, order in zip(said.units, orders, strict=True)
    )
    made = Dispense(
        id=as_id,
        client=said.client,
        programme=place,
        units=units,
        educated=said.educated,
        education_note=_education_note(said),
        collecting=said.collecting,
        dispensed_by=said.by,
        dispensed_at=said.at,
        dispensed_on=here.today,
        profile=here.rules.profile,
        profile_version=here.rules.version,
        rules=broken,
        late=Late(reason=said.reason, recorded_by=by.id, recorded_at=now),
    )
    try:
        await homes.add_dispense(made, station=said.station, container=said.container)
    except NothingToTakeFrom as unclear:
        raise WhichContainer from unclear
    records = (made.id, *(unit.id for unit in made.units))
    facts: dict[str, str | int] = {"profile": here.rules.label, "units": len(units)}
    journal.tell(TakeHomeDispensedLate(client=made.client, records=records, facts=facts))
    if broken:
        await _hold(made, record, by=by, now=now, homes=homes, journal=journal)
    return made


def _check(said: HandedOut, record: MedicationRecord, now: datetime) -> None:
    faults = Faults()
    check_reason(said.reason, faults, "late_reason")
    faults.check(when=said.at > now, where="dispensed_at", problem="what has happened cannot lie in the future")
    check_year(said.at, faults, "dispensed_at")
    faults.raise_if_any()
    handing = Handing(
        client=said.client,
        units=said.units,
        educated=said.educated,
        education_note=_education_note(said),
        collecting=said.collecting,
    )
    check_handing(handing, record.day_of(said.at))


def _education_note(said: HandedOut) -> str:
    return said.education_note if said.educated or said.education_note.strip() else NOT_SAID


async def _as_it_stood(here: Situation, said: HandedOut, homes: TakeHomesHandedOut) -> Situation:
    """The orders and decisions as they stood when it was handed out: what was signed or stopped later did not count."""
    orders = [order.known_at(said.at) for order in here.morning.orders if order.written_at <= said.at]
    morning = replace(here.morning, orders=[order for order in orders if order.counts], at=said.at)
    decisions = decisions_at(await homes.take_home_decisions_of(said.client), said.at)
    return replace(here, morning=morning, decisions=decisions)


def decisions_at(decisions: Sequence[TakeHomeDecision], at: datetime) -> dict[Medicine, TakeHomeDecision]:
    """The newest decision about each medicine as it stood at a moment; `decisions` come newest first."""
    found: dict[Medicine, TakeHomeDecision] = {}
    for decision in decisions:
        if decision.decided_at <= at and decision.medicine not in found:
            ended = decision.suspension
            found[decision.medicine] = (
                replace(decision, suspension=None) if ended is not None and ended.suspended_at > at else decision
            )
    return found


def _orders(said: HandedOut, here: Situation) -> list[Order]:
    """The order of each unit: that of its day, or the one that the paper names. Raises `Invalid` without either."""
    known = {order.id: order for order in here.all_orders}
    faults = Faults()
    orders: list[Order] = []
    for place, each in enumerate(said.units):
        named = known.get(each.order) if each.order is not None else None
        order = order_for(each, here) or named
        if order is None:
            problem = "no order of this client was in force on that day: name the one that the paper names"
            faults.add(f"units.{place}.order_id", problem)
        elif order.form in LONG_ACTING:
            faults.add(f"units.{place}.order_id", "a long-acting injection cannot be taken home: read the paper again")
        else:
            orders.append(order)
    faults.raise_if_any()
    return orders


async def _hold(
    made: Dispense, record: MedicationRecord, *, by: Staff, now: datetime, homes: Holds, journal: Journal
) -> None:
    """Hold the client after units that broke a rule, until a prescriber has looked."""
    hold = Hold(
        id=HoldId(new_id()),
        client=made.client,
        programme=made.programme,
        reason=HoldReason.OTHER,
        note=HELD,
        raised_by=by.id,
        raised_at=now,
        by_rule=EXCEPTION_HOLDS_NEXT,
    )
    facts: dict[str, str | int] = {"rules": ",".join(made.rules)}
    journal.tell(TakeHomeExceptionRecorded(client=made.client, records=(made.id, hold.id), facts=facts))
    await keep_hold(hold, record, holds=homes, journal=journal)
