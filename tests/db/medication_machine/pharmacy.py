"""A pharmacy that supplies an order and reports, and a hospital that somebody telephones."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from caseload.db.dosing import Statements
from caseload.domain.dosing import (
    DayOutcome,
    HowVerified,
    Report,
    Said,
    Source,
    Statement,
    StatementDay,
    record_statement,
    record_supply,
    verify_statement,
    withdraw_statement,
)
from caseload.domain.ids import StatementId, new_id
from caseload.domain.medication import Aim, Order, Supply
from caseload.domain.medicines import DosePart, Form, Medicine
from tests.db.medication_machine.clinic import Clinic
from tests.db.medication_machine.handbook import STOPS_FROM
from tests.db.medication_machine.remembered import Said as Remembered

OUTCOMES: Final = st.lists(st.sampled_from([*DayOutcome, DayOutcome.TAKEN]), min_size=1, max_size=5)
"""Of the last days, the last one last."""


class Elsewhere(Clinic):
    """Whoever gives medicine that is not ours to give."""

    def statements(self) -> Statements:
        return Statements(self.connection, self.here.journal, now=self.now)

    def days(self, outcomes: list[DayOutcome], *, until: date, hour: int | None) -> tuple[StatementDay, ...]:
        return tuple(
            StatementDay(
                day=(day := until - timedelta(days=len(outcomes) - 1 - number)),
                part=DosePart.WHOLE,
                outcome=outcome,
                amount_mg=Decimal(40) if outcome is DayOutcome.TAKEN else None,
                taken_at=self.on_the_wall(day, hour) if outcome is DayOutcome.TAKEN and hour is not None else None,
                reason="Drowsy." if outcome is DayOutcome.WITHHELD else None,
            )
            for number, outcome in enumerate(outcomes)
        )

    def on_the_wall(self, day: date, hour: int) -> datetime:
        return datetime(day.year, day.month, day.day, hour, 30, tzinfo=self.zone).astimezone(self.now.tzinfo)

    def supplied(self) -> list[Order]:
        return [order for order in self.known.orders if order.supply is Supply.PHARMACY]

    @precondition(lambda self: self.supplied())
    @rule(outcomes=OUTCOMES, hour=st.sampled_from([None, 1, 9, 22]), ago=st.sampled_from([0, 1, 1]))
    def reports(self, outcomes: list[DayOutcome], hour: int | None, ago: int) -> None:
        """What it says of its own supply counts at once."""
        until = self.today - timedelta(days=ago)
        recorded = self.attempt(
            record_supply(
                Report(
                    order=self.supplied()[-1].id,
                    pharmacy="Quay Pharmacy",
                    informant="Mr Lund, pharmacist",
                    how=HowVerified.TELEPHONE,
                    told_at=self.now,
                    days=self.days(outcomes, until=until, hour=hour if ago else None),
                ),
                self.here.client,
                as_id=StatementId(new_id()),
                by=self.here.nurse,
                now=self.now,
                statements=self.statements(),
                journal=self.here.journal,
            )
        )
        assert isinstance(recorded, Statement), f"what a pharmacy saw is not in the record: {recorded}"
        self.known.said += self.taken_in(recorded)
        self.holds_what_was_taken_twice(recorded.id)
        order, after = self.supplied()[-1].id, until + timedelta(days=1)
        last = self.handbook.last_day(after + timedelta(days=1), Medicine.METHADONE, Form.ORAL_SOLUTION)
        if len(self.handbook.missed(last, after)) >= STOPS_FROM[self.profile]:
            assert order in {aim.order for aim in self.known.holds.values()}, (
                "so many missed, and the order is not held"
            )

    def holds_what_was_taken_twice(self, statement: StatementId) -> None:
        """A day on which something was given here too holds the next dose."""
        self.learns_of_holds()
        days = {each.day for each in self.known.said if each.statement == statement}
        twice = days & {given.day for given in self.known.taken()}
        assert not twice or Aim() in self.known.holds.values(), f"taken twice on {twice}, and nobody is held"

    @rule(data=st.data())
    def asks_elsewhere(self, data: st.DataObject) -> None:
        acts = [self.is_heard_of, *([self.makes_sure] * bool(self.known.unverified))]
        data.draw(st.sampled_from([*acts, *([self.takes_back] * bool(self.known.said))]))(data)

    def is_heard_of(self, data: st.DataObject) -> None:
        """What a hospital says counts for nothing before somebody has made sure."""
        outcomes, hour = data.draw(OUTCOMES), data.draw(st.sampled_from([None, 9, 22]))
        said = Said(
            source=Source.HOSPITAL,
            source_name="St Anne's",
            informant="Ward sister Abel",
            told_at=self.now,
            medicine=Medicine.METHADONE,
            form=Form.ORAL_SOLUTION,
            days=self.days(outcomes, until=self.today - timedelta(days=1), hour=hour),
        )
        recorded = self.attempt(
            record_statement(
                said,
                self.here.client,
                as_id=StatementId(new_id()),
                by=self.here.nurse,
                now=self.now,
                statements=self.statements(),
                journal=self.here.journal,
            )
        )
        assert isinstance(recorded, Statement), f"what was said is not in the record: {recorded}"
        self.known.unverified[recorded.id] = self.taken_in(recorded)

    def taken_in(self, statement: Statement) -> list[Remembered]:
        days = statement.said.days
        return [
            Remembered(statement.id, each.day, each.taken_at, each.amount_mg)
            for each in days
            if each.amount_mg is not None
        ]

    def makes_sure(self, data: st.DataObject) -> None:
        wanted = StatementId(data.draw(st.sampled_from(sorted(self.known.unverified))))
        self.run(
            verify_statement(
                wanted,
                "Dr Iqbal",
                HowVerified.DOCUMENT,
                by=self.here.nurse,
                now=self.now,
                statements=self.statements(),
                journal=self.here.journal,
            )
        )
        self.known.said += self.known.unverified.pop(wanted)
        self.holds_what_was_taken_twice(wanted)

    def takes_back(self, data: st.DataObject) -> None:
        """What was said was wrong."""
        wanted = StatementId(data.draw(st.sampled_from(sorted({each.statement for each in self.known.said}))))
        self.run(
            withdraw_statement(
                wanted,
                "It was another client.",
                by=self.here.nurse,
                now=self.now,
                statements=self.statements(),
                journal=self.here.journal,
            )
        )
        self.known.said = [each for each in self.known.said if each.statement != wanted]
