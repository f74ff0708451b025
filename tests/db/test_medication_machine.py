"""A nurse, a prescriber, a pharmacy, a client and a clock, played at random over every profile.

Whatever they do, the record keeps its promises (`promises`). They are looked up in the database with statements of their
own, and whatever was accepted is held against an oracle that knows the rules from the handbook, not from the code.
"""

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from caseload.domain.medication import Supply
from tests.conftest import Counts
from tests.db.medication_machine.homes import AtHome
from tests.db.medication_machine.lost import Lost
from tests.db.medication_machine.pharmacy import Elsewhere
from tests.db.medication_machine.promises import Promises
from tests.db.medication_machine.stories import Stories
from tests.db.medication_machine.visiting import Visiting


class Morning(Promises, Lost, AtHome, Elsewhere, Visiting, Stories):
    """Everybody at once."""

    def begins(self) -> None:
        """A bottle in use, an order, and its first dose."""
        self.bottles.append(self.run(self.store.bottle("1000", now=self.now)))
        self.books.received += 1000
        self.run(self.store.use(self.bottles[0], self.station, now=self.now))
        self.in_use = self.bottles[0]
        self.orders(amount="60", begins=0, lasts=None, every=1, instead=False, split=False, supply=Supply.WINDOW)
        self.comes(days=1)


def test_whatever_is_done_at_the_window_the_record_keeps_its_promises(database: str, counts: Counts) -> None:
    class Here(Morning):
        pass

    Here.database = database
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=counts(8, full=300),
            stateful_step_count=counts(25, full=60),
            # The same mornings in every run, so that a change is judged by what it changes; new ones at full counts.
            derandomize=counts(1, full=0) == 1,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
        ),
    )
