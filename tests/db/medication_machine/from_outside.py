"""A guest from outside: another programme's client, given by us on the days that it has confirmed, and what it has confirmed.

Nothing is given on another day, under another order, on a day for which home has handed out a dose, or more than was confirmed.
Whoever stays with us is a client like any other.
"""

from datetime import timedelta
from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from caseload.db.guest import Guests
from caseload.domain.dosing import HowVerified
from caseload.domain.guest import Arrangement, Confirmation, Guest, HomeDose, arrange_guest, end_guest
from caseload.domain.ids import GuestId, new_id
from caseload.domain.medication import Direction, Order, Wish
from caseload.domain.medicines import Form, Medicine
from tests.db.medication_machine.prescriber import Prescriber
from tests.db.medication_machine.remembered import Said, Visit
from tests.db.medication_machine.window import WELL, AtTheWindow


class FromOutside(AtTheWindow, Prescriber):
    """Whoever passes through."""

    def guests(self) -> Guests:
        return Guests(self.connection, self.here.journal, now=self.now)

    @rule(
        first=st.integers(0, 2),
        days=st.integers(1, 5),
        amount=st.sampled_from(["30", "60"]),
        hours=st.sampled_from([None, 1, 7, 20, 30]),
        held=st.sets(st.integers(0, 4), max_size=2),
    )
    def arrives(self, first: int, days: int, amount: str, hours: int | None, held: set[int]) -> None:
        """With the word of the home programme: which days, how much, the last dose, and what they hold."""
        self.now += timedelta(seconds=1)
        first_on = self.today + timedelta(days=first)
        last_on = first_on + timedelta(days=days - 1)
        holds_on = frozenset(first_on + timedelta(days=number) for number in held if number < days)
        dose_at = None if hours is None else self.now - timedelta(hours=hours)
        home_dose = None
        if dose_at is not None:
            home_dose = HomeDose(day=self.handbook.day_of(dose_at), amount_mg=Decimal(amount), at=dose_at)
        arranged = self.attempt(
            arrange_guest(
                self.here.client,
                Arrangement(
                    direction=Direction.HERE,
                    first_on=first_on,
                    last_on=last_on,
                    medicine=Medicine.METHADONE,
                    form=Form.ORAL_SOLUTION,
                    amount_mg=Decimal(amount),
                    why="On a visit.",
                    confirmed=Confirmation(by="Kim Lee, nurse", how=HowVerified.TELEPHONE, at=self.now),
                    other_enrolments="None found.",
                    facility="Hill Clinic",
                    home_dose=home_dose,
                    holds_on=tuple(sorted(holds_on)),
                ),
                as_id=GuestId(new_id()),
                by=self.here.nurse,
                now=self.now,
                guests=self.guests(),
                journal=self.here.journal,
            )
        )
        if not isinstance(arranged, Guest):
            return
        assert not any(each.covers(first_on) or each.covers(last_on) for each in self.known.visits.values())
        self.known.visits[arranged.id] = Visit(first_on, last_on, Decimal(amount), holds_on)
        if home_dose is not None and arranged.statement is not None:
            said = Said(arranged.statement, home_dose.day, home_dose.at, home_dose.amount_mg)
            self.known.said.append(said)

    def is_ordered(self, wanted: Wish, *, instead: bool) -> Order | None:
        """For a guest only what was confirmed is signed: in its days, in its medicine, and no more of it."""
        signed = super().is_ordered(wanted, instead=instead)
        if signed is None or not self.known.visits:
            return signed
        visit = next((each for each in self.known.visits.values() if each.covers(signed.starts_on)), None)
        assert visit is not None, "signed for a day on which nobody is a guest"
        assert signed.ends_on is not None, "signed without an end"
        assert visit.covers(signed.ends_on), "signed beyond the visit"
        assert (signed.medicine, signed.form) == (Medicine.METHADONE, Form.ORAL_SOLUTION), "another medicine"
        assert sum(signed.amounts_mg.values()) <= visit.amount_mg, "more than was confirmed"
        visit.orders.add(signed.id)
        return signed

    def orders_for_visit(self) -> None:
        """What was confirmed, for all of its days."""
        for visit in self.known.visits.values():
            begins, lasts = (visit.first_on - self.today).days, (visit.last_on - visit.first_on).days
            if begins >= 0 and not visit.orders:
                self.is_ordered(self.wished(str(visit.amount_mg), begins, lasts, 1, split=False), instead=False)

    @rule(days=st.integers(1, 4), held=st.sets(st.integers(0, 3), max_size=2), well=WELL)
    def passes_through(self, *, days: int, held: set[int], well: bool) -> None:
        """Arrives, comes on each of the days and once more, and goes on."""
        self.arrives(first=1, days=days, amount="60", hours=7, held=held)
        self.now += timedelta(days=1)
        self.comes_as_a_guest(days=days + 1, well=well)

    @precondition(lambda self: self.known.visits)
    @rule(days=st.integers(1, 7), well=WELL)
    def comes_as_a_guest(self, *, days: int, well: bool) -> None:
        """Each of some days, also when the visit is over."""
        self.orders_for_visit()
        for _ in range(days):
            if well:
                self.puts_holds_away()
                self.allows()
            self.asks_for_everything()
            self.now += timedelta(days=1)

    @precondition(lambda self: self.known.visits)
    @rule(data=st.data(), ago=st.integers(0, 1), stays=st.sampled_from([False, False, True]))
    def leaves_early_or_stays(self, data: st.DataObject, ago: int, *, stays: bool) -> None:
        wanted = GuestId(data.draw(st.sampled_from(sorted(self.known.visits))))
        last_on = self.today - timedelta(days=ago)
        ended = self.attempt(
            end_guest(
                wanted,
                last_on,
                "Stays with us." if stays else "Gone home.",
                became_ours=stays,
                by=self.here.nurse,
                now=self.now,
                guests=self.guests(),
                journal=self.here.journal,
            )
        )
        if not isinstance(ended, Guest):
            return
        self.known.visits[wanted].last_on = last_on
        if stays:
            # What was arranged later is another visit; what was arranged before limits nothing any more.
            arranged = [*self.known.visits]
            for before in arranged[: arranged.index(wanted) + 1]:
                del self.known.visits[before]
