"""Doses to take home: decided, handed out for their days, and accounted for."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from caseload.db.closure import ClosureDays
from caseload.db.takehome.returns import Returns
from caseload.domain.closure import close_window, reopen_window
from caseload.domain.ids import DispenseId, ReturnId, SuspensionId, TakeHomeDecisionId, new_id
from caseload.domain.medication import Aim
from caseload.domain.medicines import DosePart, Medicine
from caseload.domain.takehome import (
    Answer,
    CameBack,
    Criterion,
    Dispense,
    Handing,
    Report,
    Suspension,
    TakeHomeDecision,
    TakeHomeWish,
    Told,
    Wanted,
    decide_take_home,
    dispense,
    report_units,
    suspend_take_home,
)
from caseload.domain.takehome.collecting import Collecting
from tests.db.medication_machine.clinic import Clinic
from tests.db.medication_machine.handbook import CLOSED_NEEDS_DECISION
from tests.db.medication_machine.remembered import Unit
from tests.factories.window import proof

REVIEW_DAYS: Final = 60


class AtHome(Clinic):
    """What clients take home."""

    def homes(self) -> Returns:
        return Returns(self.connection, self.here.journal, now=self.now)

    @rule(days=st.sampled_from([None, 0, 1, 6, 7, 8, 15]))
    def is_decided_or_suspended(self, days: int | None) -> None:
        if days is not None:
            self.decides_what_is_taken_home(days)
        elif self.known.decision is not None:
            self.suspends(self.known.decision)

    def decides_what_is_taken_home(self, days: int) -> None:
        decided = self.attempt(
            decide_take_home(
                TakeHomeWish(
                    medicine=Medicine.METHADONE,
                    days=days,
                    answers={criterion: Answer(met=True) for criterion in Criterion},
                    rationale="Steady at work, locked box seen.",
                    review_on=self.today + timedelta(days=REVIEW_DAYS),
                ),
                self.here.client,
                as_id=TakeHomeDecisionId(new_id()),
                by=self.here.prescriber,
                proof=proof(self.here.prescriber, self.now),
                now=self.now,
                decisions=self.homes(),
                journal=self.here.journal,
            )
        )
        if isinstance(decided, TakeHomeDecision):
            assert not self.handbook.above_the_ladder(days, self.today), "more than federal law lets go"
            self.known.decision, self.known.suspended = decided, False

    def suspends(self, decision: TakeHomeDecision) -> None:
        suspended = self.attempt(
            suspend_take_home(
                decision.id,
                "Sold one.",
                self.today + timedelta(days=7),
                as_id=SuspensionId(new_id()),
                by=self.here.prescriber,
                proof=proof(self.here.prescriber, self.now),
                now=self.now,
                decisions=self.homes(),
                journal=self.here.journal,
            )
        )
        if isinstance(suspended, Suspension):
            assert not self.known.suspended, "suspended twice"
            self.known.suspended = True

    @precondition(lambda self: self.known.orders)
    @rule(first=st.integers(0, 2), days=st.sampled_from([1, 1, 2, 6, 8]), well=st.booleans())
    def hands_out(self, *, first: int, days: int, well: bool) -> None:
        if well:
            self.puts_in_order()
            self.decides_what_is_taken_home(7)
        wanted: list[Wanted] = []
        in_the_way: list[str] = []
        of_methadone: set[date] = set()
        for number in range(first, first + days):
            day = self.today + timedelta(days=number)
            order = self.handbook.order_on(day)
            amounts = {DosePart.WHOLE: Decimal(20)} if order is None else order.amounts_mg
            of_methadone |= {day} if order is None or order.medicine is Medicine.METHADONE else set()
            for part, amount in amounts.items():
                wanted.append(Wanted(for_on=day, part=part, amount_mg=amount))
                in_the_way += self.handbook.against_taking_home(order, part, day, self.now)
        others = {each.for_on for each in wanted} - of_methadone
        if others and (others - self.known.closed or self.profile in CLOSED_NEEDS_DECISION):
            in_the_way.append("nobody has decided about this medicine")
        in_the_way += self.handbook.against_so_many(of_methadone, self.today) if of_methadone else []
        handed = self.attempt(
            dispense(
                Handing(
                    client=self.here.client, units=tuple(wanted), educated=True, collecting=Collecting(by_client=True)
                ),
                as_id=DispenseId(new_id()),
                by=self.here.nurse,
                now=self.now,
                homes=self.homes(),
                journal=self.here.journal,
            )
        )
        if isinstance(handed, Dispense):
            assert not in_the_way, f"handed out in spite of {in_the_way}"
            self.known.units |= {unit.id: Unit(unit) for unit in handed.units}

    @rule(ahead=st.integers(0, 3))
    def is_closed_or_opens(self, ahead: int) -> None:
        """A day on which the window is closed; what is handed out for it counts apart."""
        day = self.today + timedelta(days=ahead)
        days = ClosureDays(self.connection)
        if day in self.known.closed:
            act = reopen_window(
                self.here.programme,
                day,
                "Open after all.",
                by=self.supervisor,
                now=self.now,
                closures=days,
                journal=self.here.journal,
            )
        else:
            act = close_window(
                self.here.programme,
                [day],
                "Snow.",
                by=self.supervisor,
                now=self.now,
                closures=days,
                journal=self.here.journal,
            )
        self.run(act)
        self.known.closed ^= {day}

    @precondition(lambda self: any(not each.full for each in self.known.units.values()))
    @rule(data=st.data(), state=st.sampled_from([*CameBack]), taken=st.booleans(), every=st.booleans())
    def says_what_became_of_them(self, *, data: st.DataObject, state: CameBack, taken: bool, every: bool) -> None:
        """Of one, or of every one that did not come back full."""
        units = [each for each in self.known.units.values() if not each.full]
        if not every:
            units = [data.draw(st.sampled_from(units))]
        told = [
            Told(
                unit=each.unit.id,
                state=state,
                taken=taken and state is not CameBack.FULL,
                reason=None if each.taken is None else "She found it.",
            )
            for each in units
        ]
        reported = self.run(
            report_units(
                self.here.client,
                told,
                as_id=ReturnId(new_id()),
                by=self.here.nurse,
                now=self.now,
                returns=self.homes(),
                journal=self.here.journal,
            )
        )
        assert isinstance(reported, Report)
        self.learns_of_holds()
        for each, said in zip(units, told, strict=True):
            ours = [given for given in self.known.taken() if given.day == each.unit.for_on]
            twice = said.taken and each.taken is False and any(given.dose.part.meets(each.unit.part) for given in ours)
            assert not twice or Aim() in self.known.holds.values(), "taken here and at home, and nobody is held"
            each.taken, each.full = said.taken, state is CameBack.FULL
