"""Doses to take home: decided, handed out for their days, and accounted for."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from caseload.db.takehome.returns import Returns
from caseload.domain.ids import DispenseId, ReturnId, SuspensionId, TakeHomeDecisionId, new_id
from caseload.domain.medication import Order
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
from tests.db.medication_machine.clinic import Clinic
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

    def order_on(self, day: date) -> Order | None:
        orders = [each for each in self.known.orders if each.id not in self.known.stopped]
        return next((each for each in orders if self.handbook.in_force(each, day)), None)

    @precondition(lambda self: self.known.orders)
    @rule(first=st.integers(0, 2), days=st.sampled_from([1, 1, 2, 6, 8]), well=st.booleans())
    def hands_out(self, *, first: int, days: int, well: bool) -> None:
        if well:
            self.puts_in_order()
            self.decides_what_is_taken_home(7)
        wanted: list[Wanted] = []
        in_the_way: list[str] = []
        for number in range(first, first + days):
            day = self.today + timedelta(days=number)
            order = self.order_on(day)
            amounts = {DosePart.WHOLE: Decimal(20)} if order is None else order.amounts_mg
            for part, amount in amounts.items():
                wanted.append(Wanted(for_on=day, part=part, amount_mg=amount))
                in_the_way += self.handbook.against_taking_home(order, part, day, self.now)
        in_the_way += self.against_so_many({each.for_on for each in wanted})
        handed = self.attempt(
            dispense(
                Handing(client=self.here.client, units=tuple(wanted), educated=True),
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

    def against_so_many(self, days: set[date]) -> list[str]:
        """What the decision and the ladder say of days that would then be in the client's hands."""
        together, decision = len(days | self.handbook.held_days(self.today)), self.known.decision
        why = ["above the ladder"] if self.handbook.above_the_ladder(together, self.today) else []
        if decision is None or self.known.suspended or together > decision.days:
            why.append("not decided")
        elif self.handbook.suspends(self.today):
            why.append("suspended by the rule")
        elif decision.review_on < self.today:
            why.append("to be looked at again")
        return why

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
        for each, said in zip(units, told, strict=True):
            each.taken, each.full = said.taken, state is CameBack.FULL
