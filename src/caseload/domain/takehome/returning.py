"""What became of units: each is accounted for by itself, and one that came back full is destroyed before two people.

Until somebody has said what became of it, a unit covers its day at the window; said to be taken, it still does; said not
to be taken, its day was one without medicine. What came back full is never given to anybody again: it stands as waste
that waits for a witness who did not handle it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final, Protocol

from caseload.domain.access import Act
from caseload.domain.dosing.twice import TakenTwice, hold_after_twice
from caseload.domain.errors import Conflict, Faults
from caseload.domain.ids import ClientId, ContainerId, ProgrammeId, ReturnId, StaffId, UnitId, WasteId, new_id
from caseload.domain.journal import Event, Journal
from caseload.domain.medication.record import LONGEST_NOTE
from caseload.domain.people import Staff
from caseload.domain.stock.waste import Waste
from caseload.domain.stock.words import WasteKind
from caseload.domain.takehome.unit import CameBack, Outcome, TakeHomeUnit

MOST_REPORTED: Final = 200
LONGEST_NAME: Final = 200
SOURCE: Final = "The report of a take-home unit"


class OutcomeMoved(Conflict):
    """What became of these units has been said differently since you looked."""


class TakeHomeReturned(Event):
    """Somebody said what became of units."""

    name: ClassVar[str] = "take_home.returned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is said of one unit."""

    unit: UnitId
    state: CameBack
    taken: bool
    reason: str | None = None
    """Why what was said before is not right; only then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What somebody said of a client's units at one time."""

    id: ReturnId
    client: ClientId
    programme: ProgrammeId
    informant: str | None
    """Who said so, when it was not the client."""
    note: str
    recorded_by: StaffId
    recorded_at: datetime
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Destroyed:
    """A unit that came back full: its amount is back in the books, and gone from them as waste, at once."""

    unit: TakeHomeUnit
    waste: Waste


class Returns(TakenTwice, Protocol):
    """What is said of units. Whoever adds to it has locked the client's record first."""

    async def units(self, client: ClientId, wanted: Sequence[UnitId], /) -> Sequence[TakeHomeUnit]:
        """These units of a client, with what was last said of each; those that are not the client's are left out."""
        ...

    async def taken_from(self, units: Sequence[UnitId], /) -> dict[UnitId, ContainerId]:
        """The container from which each was taken; nothing of one that took from no stock of ours."""
        ...

    async def add_report(self, report: Report, destroyed: Sequence[Destroyed], /) -> None:
        """Keep a report, and what came back full as waste; raises `OutcomeMoved`."""
        ...


async def report_units(
    client: ClientId,
    told: Sequence[Told],
    *,
    informant: str | None = None,
    note: str = "",
    as_id: ReturnId,
    by: Staff,
    now: datetime,
    returns: Returns,
    journal: Journal,
) -> Report:
    """Record what became of units. What has happened can always be recorded; only a full one is settled for good.

    One that was taken after all, on a day on which the window gave a dose because it was not, holds the next dose.
    Raises `Invalid`, `ClientUnknown`, `NotPermitted`, `OutcomeMoved`.
    """
    record = await returns.lock(client, by=by, act=Act.RECORD_DOSE)
    place = record.place(by, Act.RECORD_DOSE)
    units = {unit.id: unit for unit in await returns.units(client, [each.unit for each in told])}
    _check(told, units, informant, note)
    full = [units[each.unit] for each in told if each.state is CameBack.FULL]
    containers = await returns.taken_from([unit.id for unit in full]) if full else {}
    within = timedelta(hours=record.rules_on(record.day_of(now)).stock.witness.within_hours)
    destroyed = [
        Destroyed(unit=unit, waste=_waste(unit, containers[unit.id], by=by.id, now=now, witness_by=now + within))
        for unit in full
        if unit.id in containers
    ]
    wastes = {each.unit.id: each.waste.id for each in destroyed}
    report = Report(
        id=as_id,
        client=client,
        programme=place,
        informant=informant,
        note=note,
        recorded_by=by.id,
        recorded_at=now,
        outcomes=tuple(_outcome(each, units[each.unit], as_id, wastes.get(each.unit)) for each in told),
    )
    await returns.add_report(report, destroyed)
    after_all = [units[each.unit] for each in told if each.taken and _was_untaken(units[each.unit])]
    parts = [(unit.for_on, unit.part) for unit in after_all]
    await hold_after_twice(parts, SOURCE, record, by=by, now=now, doses=returns, journal=journal)
    journal.tell(
        TakeHomeReturned(
            client=client,
            records=(report.id, *(outcome.unit for outcome in report.outcomes)),
            facts={"units": len(told), "not_taken": sum(not each.taken for each in told)},
        )
    )
    return report


def _check(told: Sequence[Told], units: dict[UnitId, TakeHomeUnit], informant: str | None, note: str) -> None:
    faults = Faults()
    faults.check(when=not 1 <= len(told) <= MOST_REPORTED, where="units", problem=f"name 1 to {MOST_REPORTED} units")
    faults.check(
        when=informant is not None and not 0 < len(informant.strip()) <= LONGEST_NAME,
        where="informant",
        problem=f"a name of 1 to {LONGEST_NAME} characters, or nothing when it was the client",
    )
    faults.check(when=len(note) > LONGEST_NOTE, where="note", problem=f"at most {LONGEST_NOTE} characters")
    named: set[UnitId] = set()
    for place, each in enumerate(told):
        where = f"units.{place}"
        faults.check(when=each.unit in named, where=where, problem="name each unit once")
        named.add(each.unit)
        unit = units.get(each.unit)
        if unit is None:
            faults.add(f"{where}.unit_id", "is no unit of this client")
            continue
        _check_one(each, unit, where, faults)
    faults.raise_if_any()


def _check_one(told: Told, unit: TakeHomeUnit, where: str, faults: Faults) -> None:
    faults.check(
        when=told.state is CameBack.FULL and told.taken,
        where=f"{where}.taken",
        problem="what came back full was not taken",
    )
    if unit.outcome is None:
        faults.check(when=told.reason is not None, where=f"{where}.reason", problem="nothing was said of it before")
        return
    faults.check(
        when=unit.is_back, where=where, problem="came back full and was put to waste: nothing more can become of it"
    )
    faults.check(
        when=told.reason is None or not 0 < len(told.reason.strip()) <= LONGEST_NOTE,
        where=f"{where}.reason",
        problem="say why what was said of it before is not right",
    )


def _was_untaken(unit: TakeHomeUnit) -> bool:
    """Whether it had been said not to be taken, so that the dose of its day could be given at the window."""
    return unit.outcome is not None and not unit.outcome.taken


def _outcome(told: Told, unit: TakeHomeUnit, report: ReturnId, waste: WasteId | None) -> Outcome:
    return Outcome(
        unit=unit.id,
        version=1 if unit.outcome is None else unit.outcome.version + 1,
        report=report,
        state=told.state,
        taken=told.taken,
        reason=told.reason,
        waste=waste,
    )


def _waste(unit: TakeHomeUnit, container: ContainerId, *, by: StaffId, now: datetime, witness_by: datetime) -> Waste:
    return Waste(
        id=WasteId(new_id()),
        container=container,
        programme=unit.programme,
        kind=WasteKind.RETURNED,
        amount_mg=unit.amount_mg,
        reason=f"Take-home unit {unit.label} of {unit.for_on} came back full.",
        happened_at=now,
        handled_by=by,
        recorded_at=now,
        witness_by=witness_by,
        unit=unit.id,
    )
