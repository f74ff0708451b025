"""Handing units out: each for its own day, by the order of that day, within what a prescriber decided.

What is about to be handed out can be refused, and every rule that stands in the way is named at once. What counts
against the decision and the ladder is what the client would then hold for days to come, closure days apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import ClassVar, Final, Protocol

from caseload.domain.access import Act
from caseload.domain.catalogue import millilitres
from caseload.domain.errors import Conflict, Faults
from caseload.domain.ids import ClientId, ContainerId, DispenseId, ProgrammeId, StationId, UnitId, new_id
from caseload.domain.journal import Event, Journal
from caseload.domain.medication import MedicationRecord, Order
from caseload.domain.medication.record import LONGEST_NOTE
from caseload.domain.medicines import check_milligrams
from caseload.domain.people import Staff
from caseload.domain.profiles.takehome import MOST_DAYS
from caseload.domain.takehome.collecting import NOBODY_SAID, Collecting, against_collector
from caseload.domain.takehome.decision import (
    TakeHomeDecisions,
    TakeHomeRefused,
)
from caseload.domain.takehome.in_the_way import Situation, Wanted, for_part, order_for, stands_in_the_way
from caseload.domain.takehome.label import NoPremises
from caseload.domain.takehome.unit import Dispense, TakeHomeUnit, label_of

MOST_UNITS: Final = 200


class NothingToTakeFrom(Conflict):
    """No container that is in use holds this."""

    def __init__(self) -> None:
        super().__init__(
            "Put one of this medicine, form and strength to use, and name the station if there are several."
        )


class UnitsMoved(Conflict):
    """Somebody else has handed out one of these days."""

    def __init__(self) -> None:
        super().__init__("Read the client's take-homes again.")


class TakeHomeDispensed(Event):
    """Units were handed out to take home."""

    name: ClassVar[str] = "take_home.dispensed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handing:
    """What is about to be handed out."""

    client: ClientId
    units: Sequence[Wanted]
    educated: bool
    education_note: str = ""
    collecting: Collecting = NOBODY_SAID
    station: StationId | None = None


class TakeHomes(TakeHomeDecisions, Protocol):
    """What clients have taken home. Whoever adds to it has locked the client's record first."""

    async def situation(
        self, record: MedicationRecord, place: ProgrammeId, days: Sequence[date], /, *, at: datetime | None = None
    ) -> Situation:
        """What stands in the record today, with the days among these on which the window of the place is closed.

        For what was handed out before: on the day of that moment, with the holds that were in force then.
        """
        ...

    async def add_dispense(
        self, dispense: Dispense, /, *, station: StationId | None, container: ContainerId | None = None
    ) -> None:
        """Keep it; where the programme keeps its stock, each unit takes in the same statement.

        `container` is what it in fact came from, where somebody says so. Raises `NothingToTakeFrom`, `UnitsMoved`,
        `Invalid`.
        """
        ...


async def dispense(
    handing: Handing, *, as_id: DispenseId, by: Staff, now: datetime, homes: TakeHomes, journal: Journal
) -> Dispense:
    """Hand out units for the named days, unless a rule stands in the way of any of them.

    Raises `Invalid`, `ClientUnknown`, `NotPermitted`, `NoPremises`, `TakeHomeRefused` with every rule in the way,
    `NothingToTakeFrom`, `UnitsMoved`.
    """
    record = await homes.lock(handing.client, by=by, act=Act.RECORD_DOSE)
    record.require_open()
    place = record.place(by, Act.RECORD_DOSE)
    check_handing(handing, record.day_of(now))
    here = await homes.situation(record, place, [wanted.for_on for wanted in handing.units])
    if not here.has_premises:
        raise NoPremises
    orders = [(wanted, order_for(wanted, here)) for wanted in handing.units]
    medicines = {order.medicine for _, order in orders if order is not None}
    broken = [
        *stands_in_the_way(handing.units, here),
        *against_collector(handing.collecting.collector, medicines, here.rules),
    ]
    if broken:
        raise TakeHomeRefused(broken, here.rules.label)
    units = tuple(unit_of(wanted, order, as_id, place, here) for wanted, order in orders if order is not None)
    made = Dispense(
        id=as_id,
        client=handing.client,
        programme=place,
        units=units,
        educated=handing.educated,
        education_note=handing.education_note,
        collecting=handing.collecting,
        dispensed_by=by.id,
        dispensed_at=now,
        dispensed_on=here.today,
        profile=here.rules.profile,
        profile_version=here.rules.version,
    )
    await homes.add_dispense(made, station=handing.station)
    facts: dict[str, str | int] = {"profile": here.rules.label, "units": len(units)}
    journal.tell(TakeHomeDispensed(client=made.client, records=(made.id, *(unit.id for unit in units)), facts=facts))
    return made


def check_handing(handing: Handing, today: date) -> None:
    """Raise `Invalid` with everything that cannot be handed out on a day."""
    faults, last = Faults(), today + timedelta(days=MOST_DAYS)
    faults.check(when=not 1 <= len(handing.units) <= MOST_UNITS, where="units", problem=f"name 1 to {MOST_UNITS} units")
    for place, wanted in enumerate(handing.units):
        check_milligrams(wanted.amount_mg, f"units.{place}.amount_mg", faults)
        faults.check(
            when=wanted.for_on < today, where=f"units.{place}.for_on", problem="a day that has passed needs no unit"
        )
        faults.check(
            when=wanted.for_on > last, where=f"units.{place}.for_on", problem=f"must lie within {MOST_DAYS} days"
        )
        twice = any(other.for_on == wanted.for_on and other.part.meets(wanted.part) for other in handing.units[:place])
        faults.check(when=twice, where=f"units.{place}", problem="this part of the day is named already")
    faults.check(
        when=not handing.educated and not handing.education_note.strip(),
        where="education_note",
        problem="say why safe carrying and storage were not talked about",
    )
    faults.check(
        when=len(handing.education_note) > LONGEST_NOTE,
        where="education_note",
        problem=f"at most {LONGEST_NOTE} characters",
    )
    handing.collecting.check(faults)
    faults.raise_if_any()


def unit_of(wanted: Wanted, order: Order, dispensed: DispenseId, place: ProgrammeId, here: Situation) -> TakeHomeUnit:
    """The unit as it is labelled; it takes the place of one that came back full."""
    new = UnitId(new_id())
    is_closure = wanted.for_on in here.closed
    decision = here.decisions.get(order.medicine)
    needs_none = is_closure and not here.rules.take_home.closure.needs_decision
    back = [unit.id for unit in for_part(wanted, here) if unit.part is wanted.part and unit.is_back]
    return TakeHomeUnit(
        id=new,
        dispense=dispensed,
        client=here.record.client,
        programme=place,
        order=order.id,
        decision=None if decision is None or needs_none else decision.id,
        for_on=wanted.for_on,
        part=wanted.part,
        medicine=order.medicine,
        form=order.form,
        strength_mg=order.strength_mg,
        amount_mg=wanted.amount_mg,
        amount_ml=millilitres(wanted.amount_mg, order.form, order.strength_mg),
        label=label_of(new),
        is_closure=is_closure,
        dispensed_on=here.today,
        replaces=back[0] if back else None,
    )
