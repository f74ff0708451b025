"""What is due is remembered with everything that it follows from: another answer as soon as any of it is another."""

from dataclasses import fields
from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from caseload.db.dosing import line, remembered
from caseload.domain.dosing import Due, Morning
from caseload.domain.dosing.missed import DaysWithout
from tests.domain.test_dosing import record, running

TODAY = date(2026, 11, 22)


class Fact:
    """Equal to itself alone, and nothing that anybody could take for a value left out."""


def known(**said: Any) -> Any:
    named: dict[str, Any] = {
        "day": TODAY,
        "client": uuid4(),
        "record": record(),
        "order": running(),
        "last": Fact(),
        "held": Fact(),
        "allowed": Fact(),
        "given_name": "Ada",
        "family_name": "Example",
        "birth_date": TODAY,
        "alphabetical": ("example", "ada", uuid4()),
        "is_mixed": False,
        "covered_since": None,
        "gaps_since": None,
        "is_behind": False,
        "steps_since": None,
    }
    return line.Known(**{**named, **said})


def test_every_fact_that_the_rules_ask_for_comes_from_what_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new field of `Morning` fails here until it is read for the day's list, beside the row or in it."""
    asked: list[Morning] = []

    def due_on(_: date, morning: Morning) -> Due:
        asked.append(morning)
        without = DaysWithout(last=None)
        return Due(day=TODAY, order=None, parts=(), without=without, in_the_way=(), allowed=None)

    monkeypatch.setattr(line, "due_on", due_on)
    beside: dict[str, Any] = {each.name: (Fact(),) for each in fields(line.Beside) if each.name != "covered"}
    answers: Any = frozenset({Fact()})
    at: Any = Fact()
    row = known()
    line.due_by((row, line.Beside(**beside), answers, at))
    [morning] = asked
    read = {
        **beside,
        "record": row.record,
        "last": row.last,
        "held": row.held,
        "allowed": row.allowed,
        "answered": answers,
        "at": at,
    }
    # Whoever has two orders beside each other is never remembered: `_line_of_two` reads their chart.
    of_two = {"asked": None, "together": ()}
    assert {each.name: getattr(morning, each.name) for each in fields(Morning)} == {**read, **of_two}


@pytest.mark.parametrize("name", [each.name for each in fields(line.Beside)])
def test_whatever_is_read_beside_a_row_makes_other_facts_of_it(name: str) -> None:
    said: dict[str, Any] = {name: (Fact(),)}
    assert line.Beside(**said) != line.Beside()
    assert line.Beside(**said) == line.Beside(**said)
    assert known() != known(), "what a row says is compared by identity, and made anew from another row"


def test_an_answer_is_made_once_for_the_same_facts_and_again_for_others() -> None:
    made: list[int] = []

    def twice(number: int) -> int:
        made.append(number)
        return number * 2

    kept = remembered.Remembered(twice)
    assert [kept.of("a", 1), kept.of("a", 1), kept.of("b", 1), kept.of("a", 2), kept.of("a", 1)] == [2, 2, 2, 4, 2]
    assert made == [1, 1, 2, 1]


def test_what_is_remembered_has_a_bound_and_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "MOST", 2)
    made: list[int] = []
    kept = remembered.Remembered(made.append)
    for number in (1, 2, 2, 3, 3, 1):
        kept.of(number, number)
    assert made == [1, 2, 3, 1], "the third makes room"


def test_names_stand_in_the_order_of_their_letters_whatever_their_accents() -> None:
    names = ["Zoë", "ábel", "Abel", "Ölund", "Olund", "O'Neil", "Ångström"]
    assert sorted(names, key=line._as_sorted) == ["ábel", "Abel", "Ångström", "O'Neil", "Ölund", "Olund", "Zoë"]
