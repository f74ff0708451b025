"""What a client has at home for a dosing day: a unit that was handed out covers its day until it is known not to be taken.

So nobody is given at the window what they hold, or have taken, at home; and the days for which they hold something are
days with medicine. One answer, for the window, the chart, the dispensing list and the downtime sheet.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar, Protocol

from caseload.domain.dosing.dose import Dose
from caseload.domain.dosing.refusal import Refusal, Rule, policy
from caseload.domain.ids import SuspensionId, UnitId, new_id
from caseload.domain.journal import Event, Journal
from caseload.domain.medicines import DosePart
from caseload.domain.profiles import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class AtHome:
    """A unit for a part of a dosing day that nobody has said was not taken."""

    unit: UnitId
    label: str
    part: DosePart
    dispensed_on: date
    is_reported: bool
    """Somebody has said that it was taken; else nobody has said anything of it yet."""


def covered(units: Iterable[AtHome], day: date, rules: Profile) -> list[Refusal]:
    """What the units for a day say to whoever would give a dose for it."""
    said = rules.take_home.covers
    return [
        Refusal(
            rule=Rule.TAKE_HOME_COVERS,
            says=f"Unit {unit.label} of this day was taken at home. Do not give it again."
            if unit.is_reported
            else said.says,
            policy=policy(said.rule, rules),
            facts={
                "unit": str(unit.unit),
                "label": unit.label,
                "day": str(day),
                "part": unit.part,
                "dispensed_on": str(unit.dispensed_on),
                "reported_taken": unit.is_reported,
            },
        )
        for unit in units
    ]


class TakeHomeSuspended(Event):
    """A take-home decision was suspended until a prescriber has decided again."""

    name: ClassVar[str] = "take_home.suspended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """Why a rule suspends a decision: so many doses in a row were missed before this one."""

    dose: Dose
    missed: int
    since: date
    """The day with which there were enough of them: who decided later has known."""
    rule: str
    review_on: date


class Suspendable(Protocol):
    """Where take-home decisions are suspended by a rule."""

    async def suspend_take_home(self, missed: Missed, /, *, as_id: SuspensionId) -> bool:
        """Suspend the decision in force about the medicine of the dose; whether there was one."""
        ...


async def suspend_after_missed(
    dose: Dose, missed: Sequence[date], rules: Profile, *, doses: Suspendable, journal: Journal
) -> None:
    """Suspend the take-home decision after as many missed doses in a row as the profile says, if it says so.

    Told by the first dose afterwards: until then nobody has come to whom something could be handed out.
    """
    said = rules.take_home.suspension
    if said.after_missed is None or len(missed) < said.after_missed:
        return
    why = Missed(
        dose=dose,
        missed=len(missed),
        since=missed[said.after_missed - 1],
        rule=said.rule,
        review_on=dose.dosing_day + timedelta(days=said.review_days),
    )
    new = SuspensionId(new_id())
    if await doses.suspend_take_home(why, as_id=new):
        facts: dict[str, str | int] = {"rule": said.rule, "profile": rules.label}
        journal.tell(TakeHomeSuspended(client=dose.client, records=(new, dose.id), facts=facts))
