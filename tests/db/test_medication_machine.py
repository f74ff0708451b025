"""A nurse, a prescriber, a pharmacy, a client and a clock, played at random over every profile; and a guest from outside, and
somebody with two orders beside each other.

Whatever they do, the record keeps its promises (`promises`). They are looked up in the database with statements of their
own, and whatever was accepted is held against an oracle that knows the rules from the handbook, not from the code.
"""

from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from caseload.domain.medication import Supply
from tests.conftest import Counts
from tests.db.medication_machine.from_outside import FromOutside
from tests.db.medication_machine.homes import AtHome
from tests.db.medication_machine.lost import Lost
from tests.db.medication_machine.pair import HOURS, Beside
from tests.db.medication_machine.pharmacy import Elsewhere
from tests.db.medication_machine.products import TABLETS
from tests.db.medication_machine.promises import Promises
from tests.db.medication_machine.stories import Stories
from tests.db.medication_machine.visiting import Visiting


class Morning(Promises, Lost, AtHome, Elsewhere, Visiting, Stories):
    """Everybody at once."""

    def begins(self) -> None:
        """A bottle in use, an order, and its first dose."""
        self.uses_a_bottle()
        self.orders(amount="60", begins=0, lasts=None, every=1, instead=False, split=False, supply=Supply.WINDOW)
        self.comes(days=1)


class Travelling(Promises, Lost, FromOutside):
    """Somebody of another programme, who is our guest."""

    def begins(self) -> None:
        """A bottle in use, a visit, and what was confirmed for it."""
        self.uses_a_bottle()
        self.arrives(first=0, days=4, amount="60", hours=20, held=set())
        self.comes_as_a_guest(days=1, well=False)


class Slowly(Promises, Lost, AtHome, Elsewhere, Beside):
    """Somebody who goes over from one medicine to the other, with two orders beside each other."""

    def begins(self) -> None:
        """A bottle in use, and some days of both."""
        self.uses_a_bottle()
        self.goes_over_slowly(
            parts=[*HOURS], product=TABLETS, visits=["both", *["second"] * 4, "both"], decided=False, ends=None
        )


MACHINES: Mapping[str, type[Promises]] = {"a client": Morning, "a guest": Travelling, "two orders": Slowly}


@pytest.mark.parametrize("who", MACHINES)
def test_whatever_is_done_at_the_window_the_record_keeps_its_promises(who: str, database: str, counts: Counts) -> None:
    played = type("Here", (MACHINES[who],), {"database": database})
    run_state_machine_as_test(
        played,
        settings=settings(
            max_examples=counts(8, full=100),
            stateful_step_count=counts(25, full=60),
            # The same mornings in every run, so that a change is judged by what it changes; new ones at full counts.
            derandomize=counts(1, full=0) == 1,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
        ),
    )
