"""The rules of the window, as pure decisions from facts."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseload.domain.dosing import (
    EVERYTHING_COMMITTED,
    Allowed,
    AlreadyGiven,
    Due,
    Facts,
    Giving,
    Held,
    Judgement,
    Morning,
    Rule,
    Taken,
    days_without,
    due_on,
    judge,
    ladder_says,
    stopped_by,
)
from caseload.domain.dosing.rules import due_mg
from caseload.domain.ids import ClientId, DecisionId, HoldId, ProgrammeId
from caseload.domain.medication import MedicationRecord, Order
from caseload.domain.medicines import DosePart, Form, Medicine
from caseload.domain.profiles import profile_on
from caseload.domain.profiles.ladder import Outcome
from caseload.domain.profiles.selected import Selected
from tests.domain.test_medication import DAY, NOW, TODAY, order

HOUR = timedelta(hours=1)


def decided(days_ago: int = 4, *, at_most_mg: str | None = None) -> Allowed:
    """A decision about the gap since a dose so many days ago."""
    return Allowed(
        decision=DecisionId(UUID(int=5)),
        at_most_mg=Decimal(at_most_mg) if at_most_mg else None,
        last_taken_on=TODAY - days_ago * DAY,
    )


DECIDED = decided()
HELD = Held(hold=HoldId(UUID(int=6)), reason="sedation", raised_at=NOW - HOUR)
STARTED = TODAY - 100 * DAY
"""The first day of an order that has been running for long."""


def record(profile: str = "UK", **changed: Any) -> MedicationRecord:
    made = MedicationRecord(
        client=ClientId(UUID(int=9)),
        programme=ProgrammeId(UUID(int=1)),
        time_zone="Europe/London",
        profiles=Selected(profile),
    )
    return replace(made, **changed)


def running(**changed: Any) -> Order:
    """An order that has been in force for a hundred days."""
    begun = datetime.combine(STARTED, NOW.time(), UTC)
    return order(**{"starts_on": STARTED, "written_at": begun, "signed_at": begun, **changed})


def taken(days_ago: int, *, amount_mg: str = "60", at: datetime | None = None, **changed: Any) -> Taken:
    day = TODAY - days_ago * DAY
    made = Taken(day=day, at=at or NOW - days_ago * DAY, medicine=Medicine.METHADONE, amount_mg=Decimal(amount_mg))
    return replace(made, **changed)


def facts(ordered: Order | None = None, **changed: Any) -> Facts:
    """An order in force and a dose taken yesterday: nothing stands in the way."""
    ordered = ordered or running()
    made = Facts(order=ordered, given=None, last=taken(1), held=None, allowed=None, freed_by=None, earlier=(ordered,))
    return replace(made, **changed)


def giving(ordered: Order | None = None, **changed: Any) -> Giving:
    made = Giving(
        client=ClientId(UUID(int=9)),
        order=(ordered or running()).id,
        medicine=Medicine.METHADONE,
        form=Form.ORAL_SOLUTION,
        amount_mg=Decimal(60),
        part=DosePart.WHOLE,
        given_at=NOW,
        supervised=True,
    )
    return replace(made, **changed)


def judged(
    said: Giving | None = None, known: Facts | None = None, *, profile: str = "UK", now: datetime = NOW
) -> Judgement:
    return judge(said or giving(), TODAY, known or facts(), record(profile), at=EVERYTHING_COMMITTED, now=now)


def broken(judgement: Judgement) -> list[Rule]:
    return [refusal.rule for refusal in judgement.broken]


def test_nothing_stands_in_the_way_of_an_ordinary_dose() -> None:
    assert judged() == Judgement(broken=(), uses=None, without=judged().without)


def test_a_first_dose_on_the_first_day_of_its_order_needs_no_ladder() -> None:
    assert broken(judged(known=facts(order(), last=None))) == []


@pytest.mark.parametrize(("days", "says"), [(2, []), (3, [Rule.MISSED_DOSES])])
def test_what_nobody_ever_took_is_missed_since_it_was_ordered(days: int, says: list[Rule]) -> None:
    begun = NOW - days * DAY
    ordered = order(starts_on=TODAY - days * DAY, written_at=begun, signed_at=begun)
    found = judged(giving(ordered), facts(ordered, last=None))
    assert (broken(found), len(found.without.missed)) == (says, days)


def test_without_any_dose_the_days_of_an_injection_and_those_between_the_scheduled_ones_are_not_missed() -> None:
    depot = running(medicine=Medicine.BUPRENORPHINE, form=Form.EXTENDED_RELEASE_INJECTION, ends_on=TODAY - 5 * DAY)
    alternate = running(starts_on=TODAY - 4 * DAY, every_days=2)
    without = days_without(None, TODAY, [alternate, depot], record())
    assert without.missed == (TODAY - 4 * DAY, TODAY - 2 * DAY)


def test_without_any_dose_a_new_start_is_cleared_by_a_named_amount_or_an_order_written_since() -> None:
    known = facts(last=None, allowed=replace(DECIDED, last_taken_on=None))
    assert broken(judged(known=known, profile="AU")) == [Rule.MISSED_DOSES]
    restart = replace(known, allowed=replace(DECIDED, last_taken_on=None, at_most_mg=Decimal(20)))
    assert broken(judged(giving(amount_mg=Decimal(20)), restart, profile="AU")) == []
    anew = order()
    assert broken(judged(giving(anew), replace(known, order=anew, earlier=[anew, running()]), profile="AU")) == []


@pytest.mark.parametrize(
    ("said", "known", "rule"),
    [
        ({"given_at": NOW + timedelta(seconds=1)}, {}, Rule.FUTURE),
        ({"medicine": Medicine.BUPRENORPHINE, "form": Form.SUBLINGUAL_TABLET}, {}, Rule.ANOTHER_MEDICINE),
        ({"form": Form.ORAL_CONCENTRATE}, {}, Rule.ANOTHER_MEDICINE),
        ({"amount_mg": Decimal("60.001")}, {}, Rule.MORE_THAN_ORDERED),
        ({"part": DosePart.EVENING}, {}, Rule.PART_NOT_ORDERED),
        ({}, {"held": HELD}, Rule.CLIENT_HELD),
        ({}, {"order": None}, Rule.NO_ORDER_IN_FORCE),
        ({}, {"order": running(signed_at=None)}, Rule.NO_ORDER_IN_FORCE),
        ({}, {"order": running(ends_on=TODAY - DAY)}, Rule.NO_ORDER_IN_FORCE),
        ({}, {"order": running(starts_on=TODAY + DAY)}, Rule.NO_ORDER_IN_FORCE),
        ({}, {"order": running(every_days=3)}, Rule.NOT_SCHEDULED),
        ({}, {"last": taken(1, at=NOW - 7 * HOUR)}, Rule.TOO_SOON),
        ({}, {"last": taken(0), "before_at": NOW - 7 * HOUR}, Rule.TOO_SOON),
        ({}, {"next_at": NOW + 7 * HOUR}, Rule.TOO_SOON),
        ({}, {"last": taken(4)}, Rule.MISSED_DOSES),
    ],
)
def test_each_rule_stands_in_the_way_by_its_name(said: dict[str, Any], known: dict[str, Any], rule: Rule) -> None:
    assert broken(judged(giving(**said), facts(**known))) == [rule]


def test_less_than_ordered_breaks_no_rule() -> None:
    assert broken(judged(giving(amount_mg=Decimal(10)))) == []


@pytest.mark.parametrize("hours", [8, 20])
def test_doses_of_two_days_may_be_as_far_apart_as_the_profile_says(hours: int) -> None:
    assert broken(judged(known=facts(last=taken(1, at=NOW - hours * HOUR)))) == []


@pytest.mark.parametrize(
    ("profile", "zone", "last", "boundary", "says"),
    [
        # Clocks in New York go back from 02:00 EDT to 01:00 EST on 2026-11-01 at 06:00Z: half past one happens twice.
        ("US", "America/New_York", "2026-10-31T22:30Z", "2026-11-01T06:30Z", "2026-11-01 01:30 EST"),
        ("US", "America/New_York", "2026-10-31T21:30Z", "2026-11-01T05:30Z", "2026-11-01 01:30 EDT"),
        # In London at 01:00Z on 2026-10-25.
        ("UK", "Europe/London", "2026-10-24T17:15Z", "2026-10-25T01:15Z", "2026-10-25 01:15 GMT"),
        # They go forward from 02:00 to 03:00 in New York on 2026-03-08 at 07:00Z: half past two does not exist.
        ("US", "America/New_York", "2026-03-07T23:30Z", "2026-03-08T07:30Z", "2026-03-08 03:30"),
        ("AU", "Australia/Sydney", "2026-04-04T08:30Z", "2026-04-04T16:30Z", "2026-04-05 02:30 AEST"),
    ],
)
def test_the_interval_across_midnight_is_counted_in_hours_that_pass(
    profile: str, zone: str, last: str, boundary: str, says: str
) -> None:
    """Eight hours between the doses of two days, also in the night in which an hour happens twice, or not at all."""
    local = record(profile, time_zone=zone)
    before, first = datetime.fromisoformat(last), datetime.fromisoformat(boundary)
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    ordered = running(starts_on=begun.date(), written_at=begun, signed_at=begun)
    for given_at, rules in ((first - timedelta(microseconds=1), [Rule.TOO_SOON]), (first, [])):
        day = local.day_of(given_at)
        assert local.day_of(before) == day - DAY
        known = facts(ordered, last=Taken(day=day - DAY, at=before, medicine=Medicine.METHADONE, amount_mg=Decimal(60)))
        said = judge(giving(ordered, given_at=given_at), day, known, local, at=EVERYTHING_COMMITTED, now=given_at)
        assert broken(said) == rules
        assert all(says in refusal.says for refusal in said.broken)


def test_the_evening_part_may_follow_the_morning_part_of_the_same_day() -> None:
    split = running(amounts_mg={DosePart.MORNING: Decimal(30), DosePart.EVENING: Decimal(30)})
    known = facts(split, last=taken(0, at=NOW - HOUR))
    assert broken(judged(giving(split, part=DosePart.EVENING, amount_mg=Decimal(30)), known)) == []


def test_a_brought_in_dose_of_unknown_time_says_nothing_of_the_interval() -> None:
    last = Taken(day=TODAY - DAY, at=None, medicine=Medicine.METHADONE, amount_mg=Decimal(60))
    assert broken(judged(known=facts(last=last))) == []


@pytest.mark.parametrize("at", [NOW - HOUR, None])
def test_a_part_that_was_given_is_refused_with_the_giver_and_the_time(at: datetime | None) -> None:
    known = AlreadyGiven(dose=UUID(int=3), part=DosePart.WHOLE, given_at=at, given_by="Nora Quill")
    refusal = judged(known=facts(given=known, last=taken(0))).broken[0]
    assert refusal.rule is Rule.ALREADY_GIVEN
    assert refusal.says.startswith("Nora Quill gave this part of the day" + (" at 2026-11-22 08:00" if at else "."))
    assert refusal.facts["given_by"] == "Nora Quill"


def test_a_brought_in_dose_names_its_source_and_nobody_as_the_giver() -> None:
    known = AlreadyGiven(dose=UUID(int=3), part=DosePart.WHOLE, given_at=None, given_by=None, source="Old Mill")
    refusal = judged(known=facts(given=known, last=taken(0))).broken[0]
    assert refusal.says == "The history from Old Mill has a dose on this day. Do not give it again."
    assert (refusal.facts["given_by"], refusal.facts["source"]) == (None, "Old Mill")


def test_every_rule_that_stands_in_the_way_is_said_at_once() -> None:
    found = judged(giving(amount_mg=Decimal(90)), facts(held=HELD, last=taken(4)))
    assert broken(found) == [Rule.MORE_THAN_ORDERED, Rule.CLIENT_HELD, Rule.MISSED_DOSES]


@pytest.mark.parametrize(
    ("profile", "missed", "gives"),
    [
        ("UK", 2, True),
        ("UK", 3, False),
        ("AU", 2, True),
        ("AU", 3, False),
        ("US", 2, True),
        ("US", 3, False),
        ("US-CA-BRIDGE", 3, True),
        ("US-CA-BRIDGE", 4, False),
    ],
)
def test_the_ladder_of_the_profile_says_when_to_ask(profile: str, missed: int, *, gives: bool) -> None:
    found = judged(known=facts(last=taken(missed + 1)), profile=profile)
    assert (broken(found) == []) is gives
    if not gives:
        refusal = found.broken[0]
        assert refusal.facts["missed"] == missed
        assert refusal.facts["last_taken_on"] == str(TODAY - (missed + 1) * DAY)
        assert refusal.policy.endswith(f" of {profile}-1")


def test_a_refusal_names_the_days_that_were_missed_and_what_the_ladder_proposes() -> None:
    refusal = judged(known=facts(last=taken(5, amount_mg="100")), profile="AU").broken[0]
    assert refusal.policy == "au.missed.4 of AU-1"
    assert refusal.facts["missed_days"] == [str(TODAY - number * DAY) for number in (4, 3, 2, 1)]
    assert refusal.facts["proposed_mg"] == "40.000"


def test_milligrams_of_methadone_are_never_proposed_for_another_medicine() -> None:
    last = taken(5, medicine=Medicine.BUPRENORPHINE, amount_mg="8")
    without = days_without(last, TODAY, [running()], record("AU"))
    assert ladder_says(without, Medicine.METHADONE, profile_on("AU", TODAY)).proposed_mg is None


def test_a_decision_lets_a_dose_through_after_missed_ones_and_is_used_by_it() -> None:
    found = judged(known=facts(last=taken(4), allowed=DECIDED))
    assert (found.broken, found.uses) == ((), DECIDED.decision)


def test_a_decision_is_not_used_when_nothing_needs_it() -> None:
    assert judged(known=facts(allowed=DECIDED)).uses is None


@pytest.mark.parametrize("about", [decided(9), decided(9, at_most_mg="30"), replace(DECIDED, last_taken_on=None)])
def test_a_decision_that_no_dose_used_says_nothing_of_the_days_missed_after_the_next_dose(about: Allowed) -> None:
    assert broken(judged(known=facts(last=taken(4), allowed=about))) == [Rule.MISSED_DOSES]
    found = due(morning(last=taken(4), allowed=about))
    assert ([refusal.rule for refusal in found.in_the_way], found.allowed) == ([Rule.MISSED_DOSES], None)


def test_a_decision_clears_neither_a_hold_nor_a_second_dose() -> None:
    given_before = AlreadyGiven(dose=UUID(int=3), part=DosePart.WHOLE, given_at=NOW - HOUR, given_by="Nora Quill")
    found = judged(known=facts(last=taken(4), allowed=DECIDED, held=HELD, given=given_before))
    assert broken(found) == [Rule.ALREADY_GIVEN, Rule.CLIENT_HELD]


def test_a_decision_may_name_the_most_that_is_given() -> None:
    half = decided(at_most_mg="30")
    known = facts(last=taken(4), allowed=half)
    assert broken(judged(known=known)) == [Rule.MORE_THAN_DECIDED]
    found = judged(giving(amount_mg=Decimal(30)), known)
    assert found.broken == ()
    assert due_mg(giving(), known, found) == Decimal(30)
    assert due_mg(giving(), facts(), judged()) == Decimal(60)
    assert due_mg(giving(), facts(order=None), judged()) is None


def test_so_many_missed_doses_are_a_new_start_that_a_plain_decision_does_not_clear() -> None:
    """Worked example 9: the existing order is not dosable."""
    known = facts(last=taken(6), allowed=decided(6))
    assert broken(judged(known=known, profile="AU")) == [Rule.MISSED_DOSES]
    restart = decided(6, at_most_mg="20")
    assert broken(judged(giving(amount_mg=Decimal(20)), replace(known, allowed=restart), profile="AU")) == []


def test_a_new_start_is_cleared_by_a_decision_on_an_order_written_since() -> None:
    fresh = order()
    known = facts(fresh, last=taken(6), allowed=decided(6), earlier=[fresh, running()])
    assert broken(judged(giving(fresh), known, profile="AU")) == []


def test_injections_are_due_when_their_days_have_passed_and_no_ladder_applies() -> None:
    depot = running(
        medicine=Medicine.NALTREXONE, form=Form.EXTENDED_RELEASE_INJECTION, every_days=28,
        amounts_mg={DosePart.WHOLE: Decimal(380)},
    )  # fmt: skip
    said = giving(depot, medicine=Medicine.NALTREXONE, form=Form.EXTENDED_RELEASE_INJECTION, amount_mg=Decimal(380))

    def last(days_ago: int) -> Taken:
        return taken(days_ago, medicine=Medicine.NALTREXONE, amount_mg="380")

    assert broken(judged(said, facts(depot, last=None))) == []
    assert broken(judged(said, facts(depot, last=last(27)))) == [Rule.NOT_SCHEDULED]
    assert broken(judged(said, facts(depot, last=last(28)))) == []
    assert broken(judged(said, facts(depot, last=last(40)))) == []


def test_an_injection_under_an_order_of_something_else_is_another_medicine_and_has_no_window() -> None:
    said = giving(medicine=Medicine.BUPRENORPHINE, form=Form.EXTENDED_RELEASE_INJECTION)
    assert broken(judged(said, facts(last=None, earlier=()))) == [Rule.ANOTHER_MEDICINE]
    assert broken(judged(said, replace(facts(), order=None))) == [Rule.NO_ORDER_IN_FORCE]


@pytest.mark.parametrize(("days_ago", "says"), [(6, [Rule.OPIOID_TOO_RECENT]), (7, [])])
def test_naltrexone_waits_for_its_days_after_an_opioid_that_no_record_tells_of(days_ago: int, says: list[Rule]) -> None:
    tablets = running(
        medicine=Medicine.NALTREXONE,
        form=Form.TABLET,
        amounts_mg={DosePart.WHOLE: Decimal(50)},
        last_opioid_on=TODAY - days_ago * DAY,
    )
    said = giving(tablets, medicine=Medicine.NALTREXONE, form=Form.TABLET, amount_mg=Decimal(50))
    last = taken(1, medicine=Medicine.NALTREXONE, amount_mg="50")
    assert broken(judged(said, facts(tablets, last=last))) == says
    assert broken(judged(said, facts(tablets, last=last, answered=frozenset({"uk.antagonist_beside"})))) == []
    assert [each.rule for each in due(morning(tablets, last=last)).in_the_way] == says


# Missed days


def test_with_the_last_dose_four_days_ago_three_were_missed() -> None:
    without = days_without(taken(4), TODAY, [running()], record())
    assert without.missed == tuple(TODAY - number * DAY for number in (3, 2, 1))


@pytest.mark.parametrize(("every_days", "missed"), [(1, 9), (2, 4), (3, 3)])
def test_only_the_days_of_the_order_count(every_days: int, missed: int) -> None:
    last = TODAY - 10 * DAY
    spaced = running(starts_on=last, every_days=every_days)
    without = days_without(taken(10), TODAY, [spaced], record())
    assert len(without.missed) == missed
    assert all((day - last).days % every_days == 0 for day in without.missed)


def test_a_day_without_an_order_in_force_is_a_day_without_medicine() -> None:
    ended = running(ends_on=TODAY - 4 * DAY)
    fresh = order()
    without = days_without(taken(4), TODAY, [fresh, ended], record())
    assert len(without.missed) == 3


def test_days_after_brought_in_history_are_not_known_until_an_order_of_ours_was_in_force() -> None:
    known_until = TODAY - 5 * DAY
    ours = running(starts_on=TODAY - 2 * DAY, signed_at=NOW - 3 * DAY)
    without = days_without(taken(7), TODAY, [ours], record(history_until=known_until))
    assert without.missed == tuple(TODAY - number * DAY for number in (6, 5, 2, 1))
    assert without.not_known == (TODAY - 4 * DAY, TODAY - 3 * DAY)


def test_once_a_dose_of_ours_was_taken_nothing_is_unknown() -> None:
    without = days_without(taken(4), TODAY, [running()], record(history_until=TODAY - 5 * DAY))
    assert without.not_known == ()


def test_days_under_an_injection_that_nobody_knows_of_are_not_known() -> None:
    depot = running(form=Form.EXTENDED_RELEASE_INJECTION, medicine=Medicine.BUPRENORPHINE)
    without = days_without(taken(3), TODAY, [depot], record(history_until=TODAY - 3 * DAY))
    assert len(without.not_known) == 2


def test_days_that_nobody_knows_of_are_refused_by_their_own_name_until_a_prescriber_decides() -> None:
    known = facts(order(), last=taken(3), earlier=[order()])
    here = record(history_until=TODAY - 3 * DAY)
    found = judge(giving(), TODAY, known, here, at=EVERYTHING_COMMITTED, now=NOW)
    assert broken(found) == [Rule.DAYS_NOT_KNOWN]
    assert found.broken[0].facts["not_known"] == 2
    allowed = judge(giving(), TODAY, replace(known, allowed=decided(3)), here, at=EVERYTHING_COMMITTED, now=NOW)
    assert (allowed.broken, allowed.uses) == ((), DECIDED.decision)


@given(
    days_ago=st.integers(0, 40),
    every_days=st.integers(1, 5),
    starts=st.integers(-40, 0),
    ends=st.none() | st.integers(-40, 5),
    stopped=st.none() | st.integers(-40, 0),
    history=st.none() | st.integers(-45, 0),
)
def test_every_day_between_is_taken_for_exactly_one_of_missed_unknown_or_not_scheduled(
    days_ago: int, every_days: int, starts: int, ends: int | None, stopped: int | None, history: int | None
) -> None:
    ordered = running(
        starts_on=TODAY + starts * DAY,
        ends_on=None if ends is None else TODAY + ends * DAY,
        every_days=every_days,
        stopped_at=None if stopped is None else NOW + stopped * DAY,
    )
    until = None if history is None else TODAY + history * DAY
    last = taken(days_ago)
    without = days_without(last, TODAY, [ordered], record(history_until=until))
    for number in range(1, days_ago):
        day = TODAY - number * DAY
        in_force = (
            ordered.starts_on <= day
            and (ordered.ends_on is None or day <= ordered.ends_on)
            and (stopped is None or day < TODAY + stopped * DAY)
        )
        unknown = not in_force and until is not None and last.day <= until < day
        skipped = in_force and (day - ordered.starts_on).days % every_days != 0
        assert (day in without.not_known) is unknown
        assert (day in without.missed) is (not unknown and not skipped)
    assert len(without.missed) + len(without.not_known) <= max(0, days_ago - 1)


# What is due


def morning(ordered: Order | None = None, **changed: Any) -> Morning:
    made = Morning(record=record(), orders=(ordered or running(),), given=(), last=taken(1), held=None, allowed=None)
    return replace(made, **changed)


def due(said: Morning) -> Due:
    return due_on(TODAY, said)


def test_what_is_due_names_the_order_the_parts_and_who_gave_which() -> None:
    split = running(amounts_mg={DosePart.MORNING: Decimal(40), DosePart.EVENING: Decimal(20)})
    given_before = AlreadyGiven(dose=UUID(int=3), part=DosePart.MORNING, given_at=NOW, given_by="Nora Quill")
    found = due(morning(split, given=(given_before,)))
    assert [(part.part, part.amount_mg, part.given) for part in found.parts] == [
        (DosePart.MORNING, Decimal(40), given_before),
        (DosePart.EVENING, Decimal(20), None),
    ]
    assert found.is_open
    whole = AlreadyGiven(dose=UUID(int=3), part=DosePart.WHOLE, given_at=NOW, given_by="Nora Quill")
    assert not due(morning(split, given=(whole,))).is_open


@pytest.mark.parametrize("ordered", [running(signed_at=None), running(ends_on=TODAY - DAY), running(every_days=3)])
def test_nothing_is_due_without_an_order_that_asks_for_it(ordered: Order) -> None:
    found = due(morning(ordered))
    assert (found.order, found.parts) == (None, ())


def test_what_stands_in_the_way_is_said_before_the_window_says_it() -> None:
    found = due(morning(last=taken(4), held=HELD))
    assert [refusal.rule for refusal in found.in_the_way] == [Rule.CLIENT_HELD, Rule.MISSED_DOSES]


def test_a_decision_shows_the_amount_it_allows() -> None:
    half = decided(at_most_mg="30")
    found = due(morning(last=taken(4), allowed=half))
    assert (found.in_the_way, found.allowed, found.parts[0].amount_mg) == ((), half, Decimal(30))
    assert due(morning(allowed=half)).parts[0].amount_mg == Decimal(60)


@pytest.mark.parametrize(("days_ago", "is_due"), [(0, True), (27, False), (28, True)])
def test_an_injection_is_due_when_its_days_have_passed(days_ago: int, *, is_due: bool) -> None:
    depot = running(
        medicine=Medicine.NALTREXONE, form=Form.EXTENDED_RELEASE_INJECTION, every_days=28,
        amounts_mg={DosePart.WHOLE: Decimal(380)},
    )  # fmt: skip
    last = taken(days_ago, medicine=Medicine.NALTREXONE, amount_mg="380")
    assert (due(morning(depot, last=last)).order is not None) is is_due
    assert due(morning(depot, last=None)).order is depot


# What a prescriber is shown before deciding


def test_a_prescriber_is_shown_the_rules_in_the_way_and_the_proposal() -> None:
    here = record("AU")
    found = stopped_by(taken(5, amount_mg="100"), TODAY, running(), [running()], here)
    assert found is not None
    assert (found.rules, found.proposed_mg, found.needs_amount) == (("au.missed.4",), Decimal(40), False)
    assert stopped_by(taken(1), TODAY, running(), [running()], here) is None
    worst = stopped_by(taken(6), TODAY, running(), [running()], here)
    assert worst is not None
    assert worst.needs_amount


def test_unknown_days_alone_also_wait_for_a_prescriber() -> None:
    found = stopped_by(taken(2), TODAY, order(), [order()], record(history_until=TODAY - 2 * DAY))
    assert found is not None
    assert found.rules == ("uk.days_not_known",)


def test_the_outcomes_of_a_ladder_read_as_they_do_at_the_window() -> None:
    says = ladder_says(
        days_without(taken(3), TODAY, [running()], record("AU")), Medicine.METHADONE, profile_on("AU", TODAY)
    )
    assert says.rung is not None
    assert (says.rung.outcome, says.gives, says.is_new_start) == (Outcome.GIVE_UNLESS_INTOXICATED, True, False)


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)])
def test_a_day_of_23_or_25_hours_is_one_day(day: date) -> None:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    last = Taken(day=day - DAY, at=noon - DAY, medicine=Medicine.METHADONE, amount_mg=Decimal(60))
    assert days_without(
        last, day + DAY, [running(starts_on=day - 9 * DAY, signed_at=noon - 9 * DAY)], record()
    ).missed == (day,)
