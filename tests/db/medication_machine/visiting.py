"""The client as a guest of another programme of ours: given there on the agreed days, here on every other, never in both."""

from datetime import timedelta
from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from caseload.db.guest import Guests
from caseload.domain.access import Role
from caseload.domain.dosing import Dose, HowVerified
from caseload.domain.guest import Arrangement, Confirmation, Guest, arrange_guest, end_guest
from caseload.domain.ids import GuestId, ProgrammeId, new_id
from caseload.domain.medication import Direction
from caseload.domain.medicines import Form, Medicine
from caseload.domain.people import Staff
from tests.db.medication_machine.products import INJECTION
from tests.db.medication_machine.remembered import Away
from tests.db.medication_machine.window import AtTheWindow
from tests.factories import people
from tests.factories.window import clinician


class Visiting(AtTheWindow):
    """Whoever travels."""

    def __init__(self) -> None:
        super().__init__()
        self.host: tuple[ProgrammeId, Staff] | None = None

    def guests(self) -> Guests:
        return Guests(self.connection, self.here.journal, now=self.now)

    def hosts(self) -> tuple[ProgrammeId, Staff]:
        """The other programme, and who gives there; it is opened when somebody first travels."""
        if self.host is None:

            async def opened() -> tuple[ProgrammeId, Staff]:
                host = await people.programme(self.connection, profile=self.profile, time_zone=str(self.zone))
                return host, await clinician(self.connection, host, Role.NURSE, "Nia Host")

            self.host = self.run(opened())
        return self.host

    @rule(first=st.integers(0, 2), days=st.integers(1, 3))
    def goes_away(self, first: int, days: int) -> None:
        host, _ = self.hosts()
        first_on = self.today + timedelta(days=first)
        last_on = first_on + timedelta(days=days - 1)
        arranged = self.attempt(
            arrange_guest(
                self.here.client,
                Arrangement(
                    direction=Direction.ELSEWHERE,
                    first_on=first_on,
                    last_on=last_on,
                    medicine=Medicine.METHADONE,
                    form=Form.ORAL_SOLUTION,
                    amount_mg=Decimal(60),
                    why="A funeral.",
                    confirmed=Confirmation(by="Kim Lee, nurse", how=HowVerified.TELEPHONE, at=self.now),
                    other_enrolments="None found.",
                    host=host,
                ),
                as_id=GuestId(new_id()),
                by=self.here.nurse,
                now=self.now,
                guests=self.guests(),
                journal=self.here.journal,
            )
        )
        if isinstance(arranged, Guest):
            held = {each.unit.for_on for each in self.known.units.values() if each.taken is None}
            agreed = {first_on + timedelta(days=number) for number in range(days)}
            assert not held & agreed, "a guest elsewhere who holds units for those days"
            assert not any(self.handbook.is_away(day) for day in agreed), "a guest of two at once"
            self.known.away[arranged.id] = Away(first_on, last_on)

    @precondition(lambda self: self.known.away)
    @rule(data=st.data(), ago=st.integers(0, 1))
    def comes_home(self, data: st.DataObject, ago: int) -> None:
        """Earlier than was said."""
        wanted = GuestId(data.draw(st.sampled_from(sorted(self.known.away))))
        last_on = self.today - timedelta(days=ago)
        ended = self.attempt(
            end_guest(
                wanted,
                last_on,
                "Home early.",
                by=self.here.nurse,
                now=self.now,
                guests=self.guests(),
                journal=self.here.journal,
            )
        )
        if isinstance(ended, Guest):
            self.known.away[wanted].last_on = last_on

    @precondition(lambda self: self.known.away and self.known.orders)
    @rule(days=st.integers(1, 3), well=st.booleans())
    def comes_to_both(self, *, days: int, well: bool) -> None:
        """To the other window and to ours, on each of some days."""
        if well:
            self.puts_in_order()
        for number in range(days):
            acts = [self.tries_there, self.asks_for_everything]
            for act in acts if number % 2 else reversed(acts):
                act()
            self.now += timedelta(days=1)

    def tries_there(self) -> None:
        _, visitor = self.hosts()
        for order in self.known.orders[-2:]:
            if order.form is INJECTION:
                continue
            for part, amount in order.amounts_mg.items():
                in_the_way = self.handbook.in_the_way(order, amount, part, self.now, at_home=False)
                given = self.attempt(
                    self.here.give(
                        order,
                        at=self.now,
                        by=visitor,
                        amount_mg=str(amount),
                        part=part,
                        less_reason="As was agreed.",
                    )
                )
                if isinstance(given, Dose):
                    assert not in_the_way, f"accepted elsewhere in spite of {in_the_way}"
                    self.remembers(given)
