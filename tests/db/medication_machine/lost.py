"""What comes back and what is spilled: whether it is replaced a prescriber decides, and it is replaced once."""

from datetime import timedelta
from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from caseload.db.window import LostDoses
from caseload.domain.dosing import Dose, Giving
from caseload.domain.ids import DoseId, ReplacementId, SpillId, VomitId, new_id
from caseload.domain.medication import Order
from caseload.domain.medicines import DosePart
from caseload.domain.window import (
    Replacement,
    Spill,
    Spilled,
    Verdict,
    Vomited,
    Wished,
    decide_replacement,
    record_spill,
    record_vomited,
    replace_dose,
    witness_spill,
)
from tests.db.medication_machine.prescriber import AMOUNTS
from tests.db.medication_machine.products import INJECTION
from tests.db.medication_machine.remembered import Given
from tests.db.medication_machine.storeroom import InTheStoreroom
from tests.db.medication_machine.window import AtTheWindow
from tests.factories.window import proof


class Lost(AtTheWindow, InTheStoreroom):
    """Doses that did not stay where they belong."""

    def losses(self) -> LostDoses:
        return LostDoses(self.connection, self.here.journal, now=self.now)

    @precondition(lambda self: self.known.taken() and self.known.orders)
    @rule(data=st.data())
    def loses(self, data: st.DataObject) -> None:
        acts = [self.vomits, self.vomits, self.replaces, *([self.spills] * bool(self.in_use))]
        data.draw(st.sampled_from([*acts, *([self.decides_on_a_replacement] * 2 * bool(self.came_back()))]))(data)

    def vomits(self, data: st.DataObject) -> None:
        minutes, witnessed = data.draw(st.sampled_from([0, 29, 30, 90])), data.draw(st.booleans())
        given = self.drawn(data)
        recorded = self.attempt(
            record_vomited(
                given.id,
                minutes,
                "In the yard.",
                witnessed=witnessed,
                as_id=VomitId(new_id()),
                by=self.here.nurse,
                now=self.now,
                doses=self.losses(),
                journal=self.here.journal,
            )
        )
        if isinstance(recorded, Vomited):
            assert not given.came_back, "it came back twice"
            assert given.dose.form is not INJECTION, "what was injected came back"
            assert given.at + timedelta(minutes=minutes) <= self.now
            given.came_back = True

    def came_back(self) -> list[Given]:
        return [dose for dose in self.known.taken() if dose.came_back]

    def decides_on_a_replacement(self, data: st.DataObject) -> None:
        given, at_most = self.came_back()[-1], data.draw(st.sampled_from([None, *AMOUNTS]))
        decided = self.attempt(
            decide_replacement(
                given.id,
                Wished(
                    verdict=Verdict.LEAVE if at_most is None else Verdict.REPLACE,
                    at_most_mg=None if at_most is None else Decimal(at_most),
                    reason="Assessed.",
                    confirmed=True,
                ),
                as_id=ReplacementId(new_id()),
                by=self.here.prescriber,
                proof=proof(self.here.prescriber, self.now),
                now=self.now,
                replacements=self.losses(),
                journal=self.here.journal,
            )
        )
        if isinstance(decided, Replacement):
            assert decided.at_most_mg is None or decided.at_most_mg <= given.dose.amount_mg, "more than was lost"
            assert not self.is_replaced(given), "decided again after it was replaced"
            given.lost_at_most = decided.at_most_mg or Decimal()

    def is_replaced(self, given: Given) -> bool:
        return given.replaced_by is not None and self.known.doses[given.replaced_by].taken

    def replaces(self, data: st.DataObject) -> None:
        amount = data.draw(st.sampled_from(AMOUNTS))
        if data.draw(st.booleans()):
            self.puts_in_order()
        given = self.came_back()[-1] if self.came_back() else self.drawn(data)
        order = next((each for each in self.known.orders if each.id == given.dose.order), None)
        in_the_way = self.against_replacing(given, order, Decimal(amount))
        replaced = self.attempt(
            replace_dose(
                given.id,
                Giving(
                    client=self.here.client,
                    order=given.dose.order,
                    medicine=given.dose.medicine,
                    form=given.dose.form,
                    amount_mg=Decimal(amount),
                    part=given.dose.part,
                    given_at=self.now,
                    supervised=True,
                ),
                as_id=DoseId(new_id()),
                by=self.here.nurse,
                now=self.now,
                replacements=self.losses(),
                journal=self.here.journal,
            )
        )
        if isinstance(replaced, Dose):
            assert not in_the_way, f"replaced in spite of {in_the_way}"
            given.replaced_by = replaced.id
            self.known.doses[replaced.id] = Given(replaced)

    def against_replacing(self, given: Given, order: Order | None, amount: Decimal) -> list[str]:
        """Why nothing may be given in the place of a dose."""
        if order is None:
            return ["no order"]
        why = self.handbook.in_the_way(order, amount, given.dose.part, self.now)
        # The one thing that a decision lets through: the part of the day has been given.
        why = [each for each in why if each != "given already"]
        if given.day != self.today:
            why.append("another day")
        if self.is_replaced(given):
            why.append("replaced already")
        if given.lost_at_most is None or amount > given.lost_at_most:
            why.append("not decided")
        return why

    def spills(self, data: st.DataObject) -> None:
        """Before anything was taken: the client is held, and it is gone from the bottle."""
        witnessed = data.draw(st.booleans())
        order, container = data.draw(st.sampled_from(self.known.orders)), self.in_use
        assert container is not None
        part = data.draw(st.sampled_from([DosePart.WHOLE, *order.amounts_mg]))
        spill = Spill(
            client=self.here.client,
            order=order.id,
            part=part,
            amount_mg=Decimal("0.5"),
            reason="The cup fell.",
            happened_at=self.now,
            container=container,
        )
        store, acts = self.losses(), self.store.acts
        spilled = self.attempt(
            record_spill(
                spill,
                as_id=SpillId(new_id()),
                by=self.here.nurse,
                now=self.now,
                spills=store,
                wastes=acts,
                journal=self.here.journal,
            )
        )
        if not isinstance(spilled, Spilled):
            return
        self.books.wasted += spill.amount_mg
        self.learns_of_holds()
        assert spilled.hold in self.known.holds, "spilled before it was taken, and nobody is held"
        if witnessed:
            self.run(
                witness_spill(
                    spilled.id,
                    by=self.here.colleague,
                    proof=proof(self.here.colleague, self.now),
                    now=self.now,
                    spills=store,
                    wastes=acts,
                    journal=self.here.journal,
                )
            )
