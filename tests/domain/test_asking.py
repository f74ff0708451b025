"""What a profile asks before an order is signed: soft stops, on their boundaries."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseload.domain.catalogue import catalogue, listed, product
from caseload.domain.errors import Invalid
from caseload.domain.ids import OrderId, new_id
from caseload.domain.medication import Acting, MedicationRecord, Order, OrderNeedsConfirmation
from caseload.domain.medication.asking import answer, ask
from caseload.domain.medication.beside import in_conflict
from caseload.domain.medication.soft_stop import Before, SoftStop
from caseload.domain.medicines import ACTION, Action, DosePart, Form, Medicine
from caseload.domain.profiles import Profile, profile_on
from tests.domain.test_medication import order, record

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
LONG_AGO = NOW - 400 * DAY


def rules(name: str = "UK") -> Profile:
    return profile_on(name, TODAY)


def ordered(amount: str = "30", **changed: Any) -> Order:
    """An order of methadone that the catalogue lists, from today on."""
    return order(**({"amounts_mg": {DosePart.WHOLE: Decimal(amount)}, "product": "methadone_solution_1"} | changed))


def running(amount: str, *, since: int, until: int | None = None, **changed: Any) -> Order:
    """An order that was signed as it began, so many days ago."""
    begun = TODAY - since * DAY
    return ordered(
        amount,
        starts_on=begun,
        ends_on=None if until is None else TODAY - until * DAY,
        signed_at=datetime(begun.year, begun.month, begun.day, 8, tzinfo=UTC),
        **changed,
    )


def replaced(former: Order, *, since: int) -> Order:
    """The former, replaced from so many days ago on."""
    on = TODAY - since * DAY
    return replace(former, replaced_from=on, replaced_at=datetime(on.year, on.month, on.day, 8, tzinfo=UTC))


def took(name: str, days_ago: int) -> Acting:
    found = product(name)
    return Acting(medicine=found.medicine, form=found.form, product=name, on=TODAY - days_ago * DAY)


def before(*orders: Order, given: tuple[Acting, ...] = (), here: MedicationRecord | None = None) -> Before:
    return Before(record=here or record(), orders=orders, given=given, today=TODAY)


def asked(new: Order, known: Before, profile: str = "UK") -> Mapping[str, Mapping[str, object]]:
    return {stop.said.rule.partition(".")[2]: stop.facts for stop in ask(new, known, rules(profile))}


YESTERDAY = (took("methadone_solution_1", 1),)


@pytest.mark.parametrize(
    ("profile", "amount", "asks"),
    [
        ("US", "50", False),
        ("US", "50.001", True),
        ("US", "80", True),
        ("US-CA-BRIDGE", "51", True),
        ("UK", "30", False),
        ("UK", "30.001", True),
        ("AU", "31", True),
    ],
)
def test_the_first_day_asks_above_the_limit_of_the_profile(profile: str, amount: str, asks: bool) -> None:  # noqa: FBT001  a parameter of the test, given by name
    assert ("first_day" in asked(ordered(amount), before(), profile)) is asks


def test_the_first_day_counts_all_parts_together() -> None:
    split = ordered(amounts_mg={DosePart.MORNING: Decimal(20), DosePart.EVENING: Decimal(11)})
    assert asked(split, before())["first_day"]["first_day_mg"] == "31"


@pytest.mark.parametrize(("days_ago", "asks"), [(1, False), (5, False), (6, True), (7, True)])
def test_who_has_had_none_for_six_days_begins_anew(days_ago: int, asks: bool) -> None:  # noqa: FBT001  a parameter of the test, given by name
    known = before(running("60", since=100), given=(took("methadone_solution_1", days_ago),))
    assert ("first_day" in asked(ordered("60"), known)) is asks


def test_another_medicine_is_no_reason_to_begin_high() -> None:
    assert "first_day" in asked(ordered("60"), before(given=(took("buprenorphine_naloxone_film_8", 1),)))


@pytest.mark.parametrize(("amount", "asks"), [("70", False), ("70.001", True), ("60", False), ("40", False)])
def test_a_rise_asks_above_its_size(amount: str, asks: bool) -> None:  # noqa: FBT001  a parameter of the test, given by name
    known = before(running("60", since=100), given=YESTERDAY)
    assert ("rise" in asked(ordered(amount), known)) is asks


@pytest.mark.parametrize(("since", "asks"), [(1, True), (2, True), (3, False), (30, False)])
def test_in_the_us_rises_stand_three_days_apart(since: int, asks: bool) -> None:  # noqa: FBT001  a parameter of the test, given by name
    known = before(replaced(running("50", since=100), since=since), running("60", since=since), given=YESTERDAY)
    found = asked(ordered("70"), known, "US")
    assert ("rise" in found) is asks
    assert "rise" not in asked(ordered("70"), known, "UK")


@pytest.mark.parametrize(("since", "asks"), [(2, True), (3, False)])
def test_the_first_day_counts_as_a_change_like_a_rise(since: int, asks: bool) -> None:  # noqa: FBT001  a parameter of the test, given by name
    known = before(running("40", since=since), given=YESTERDAY)
    assert ("rise" in asked(ordered("50"), known, "US")) is asks


def course(*amounts: tuple[str, int]) -> list[Order]:
    """Orders one after the other: so much from so many days ago on."""
    orders: list[Order] = []
    for amount, since in amounts:
        if orders:
            orders[-1] = replaced(orders[-1], since=since)
        orders.append(running(amount, since=since))
    return orders


@pytest.mark.parametrize(
    ("begun", "amounts", "asks"),
    [
        (8, [("30", 8), ("40", 6), ("50", 4), ("60", 2)], True),
        (9, [("30", 9), ("40", 7), ("50", 4), ("60", 2)], False),
        (13, [("30", 13), ("40", 6), ("50", 4), ("60", 2)], True),
        (14, [("30", 14), ("40", 6), ("50", 4), ("60", 2)], False),
    ],
)
def test_in_the_uk_thirty_a_week_in_the_first_two_weeks(
    begun: int,
    amounts: list[tuple[str, int]],
    asks: bool,  # noqa: FBT001  a parameter of the test, given by name
) -> None:
    assert amounts[0][1] == begun
    found = asked(ordered("70"), before(*course(*amounts), given=YESTERDAY))
    assert ("rise" in found) is asks
    if asks:
        assert found["rise"]["risen_in_week_mg"] == "40"


def test_days_without_an_order_make_no_rise_smaller() -> None:
    known = before(running("40", since=20, until=4), given=(took("methadone_solution_1", 4),))
    found = asked(ordered("80"), known)["rise"]
    assert (found["from_mg"], found["rise_mg"]) == ("40", "40")


def test_who_begins_anew_is_in_their_first_two_weeks_again() -> None:
    known = before(running("60", since=100, until=40), running("30", since=3), given=YESTERDAY)
    found = asked(ordered("61"), known)
    assert (found["rise"]["rise_mg"], found["rise"]["week_mg"]) == ("31", 30)


@given(
    amounts=st.lists(st.integers(1, 120), min_size=1, max_size=6),
    gaps=st.lists(st.integers(1, 10), min_size=6, max_size=6),
    new=st.integers(1, 130),
    profile=st.sampled_from(["US", "UK", "AU"]),
)
def test_rises_are_asked_about_exactly_when_a_count_made_day_by_day_says_so(
    amounts: list[int], gaps: list[int], new: int, profile: str
) -> None:
    since: list[int] = []
    for gap in reversed(gaps[: len(amounts)]):
        since.insert(0, gap + (since[0] if since else 0))
    known = before(*course(*((str(mg), days) for mg, days in zip(amounts, since, strict=True))), given=YESTERDAY)
    rule = rules(profile).ordering.rising[0]
    daily = [mg for mg, gap in zip(amounts, gaps, strict=False) for _ in range(gap)] + [new]
    changes = [number for number, mg in enumerate(daily) if number == 0 or mg > daily[number - 1]]
    size = daily[-1] - daily[-2]
    week = sum(max(0, daily[day] - daily[day - 1]) for day in range(max(1, len(daily) - 7), len(daily)))
    expected = size > 0 and (
        (rule.at_most_mg is not None and size > rule.at_most_mg)
        or (rule.days_apart is not None and changes[-1] - changes[-2] < rule.days_apart)
        or (
            rule.week_mg is not None
            and (rule.week_until_day is None or len(daily) <= rule.week_until_day)
            and week > rule.week_mg
        )
    )
    assert ("rise" in asked(ordered(str(new)), known, profile)) is expected


def test_days_between_two_orders_are_asked_about_and_none_when_they_touch() -> None:
    known = before(running("60", since=30, until=-1), given=YESTERDAY)  # its last day is tomorrow
    assert "uncovered_days" not in asked(ordered("60", starts_on=TODAY + 2 * DAY), known)
    found = asked(ordered("60", starts_on=TODAY + 4 * DAY), known)
    assert found["uncovered_days"]["days"] == ["2026-11-24", "2026-11-25"]


def test_days_that_are_over_are_not_asked_about() -> None:
    known = before(running("60", since=30, until=5), given=(took("methadone_solution_1", 5),))
    assert "uncovered_days" not in asked(ordered("60", starts_on=TODAY), known)


def test_an_order_that_ends_before_the_next_one_begins_leaves_days_too() -> None:
    later = ordered("60", starts_on=TODAY + 10 * DAY)
    found = asked(ordered("60", ends_on=TODAY + 7 * DAY), before(later, given=YESTERDAY))
    assert found["uncovered_days"]["days"] == ["2026-11-30", "2026-12-01"]


def test_a_stopped_order_covers_nothing_and_promises_nothing() -> None:
    stopped = running("8", since=30, stopped_at=NOW, medicine=Medicine.BUPRENORPHINE, product="buprenorphine_tablet_8")
    assert "another_agonist_beside" not in asked(ordered("30"), before(stopped))


def test_a_strength_that_is_not_listed_is_asked_about() -> None:
    assert asked(ordered(product=None, strength_mg=Decimal(7)), before())["unlisted_product"]["strength_mg"] == "7"


# What still acts


@pytest.mark.parametrize(
    ("medicine", "name", "days_ago", "rule"),
    [
        (Medicine.NALTREXONE, "methadone_solution_1", 13, "antagonist_beside"),
        (Medicine.NALTREXONE, "methadone_solution_1", 14, None),
        (Medicine.NALTREXONE, "buvidal_monthly_96", 30, "antagonist_beside"),
        (Medicine.NALTREXONE, "buvidal_monthly_96", 31, None),
        (Medicine.METHADONE, "vivitrol_380", 30, "antagonist_beside"),
        (Medicine.METHADONE, "vivitrol_380", 31, None),
        (Medicine.BUPRENORPHINE, "naltrexone_tablet_50", 2, "antagonist_beside"),
        (Medicine.BUPRENORPHINE, "naltrexone_tablet_50", 3, None),
        (Medicine.METHADONE, "sublocade_300", 30, "another_agonist_beside"),
        (Medicine.METHADONE, "sublocade_300", 31, None),
        (Medicine.METHADONE, "brixadi_weekly_8", 8, "another_agonist_beside"),
        (Medicine.METHADONE, "brixadi_weekly_8", 9, None),
        (Medicine.BUPRENORPHINE_NALOXONE, "methadone_solution_1", 2, "another_agonist_beside"),
        (Medicine.BUPRENORPHINE_NALOXONE, "methadone_solution_1", 3, None),
        (Medicine.BUPRENORPHINE, "buprenorphine_naloxone_film_8", 0, None),
        (Medicine.METHADONE, "methadone_tablet_5", 0, None),
    ],
)
def test_what_was_given_stands_in_the_way_as_long_as_it_acts(
    medicine: Medicine, name: str, days_ago: int, rule: str | None
) -> None:
    found = in_conflict(medicine, TODAY, [took(name, days_ago)], rules().ordering)
    assert [conflict.said.rule for conflict in found] == ([f"uk.{rule}"] if rule else [])


@given(
    medicine=st.sampled_from(list(Medicine)),
    taken=st.lists(st.tuples(st.sampled_from(catalogue().products), st.integers(0, 61)), max_size=5),
    later=st.integers(0, 40),
)
def test_a_conflict_only_ever_ends(medicine: Medicine, taken: list[tuple[Any, int]], later: int) -> None:
    acting = [took(one.product, days_ago) for one, days_ago in taken]
    now, then = (in_conflict(medicine, TODAY + days * DAY, acting, rules().ordering) for days in (0, later))
    assert {conflict.said.rule for conflict in then} <= {conflict.said.rule for conflict in now}
    for conflict in now:
        assert conflict.until >= conflict.acting.until >= conflict.acting.on
        antagonists = Action.ANTAGONIST in {ACTION[medicine], ACTION[conflict.acting.medicine]}
        assert (conflict.said is rules().ordering.antagonist_beside) is antagonists
    assert not in_conflict(medicine, TODAY + 62 * DAY, acting, rules().ordering)


def test_a_depot_is_asked_about_although_no_order_is_in_force() -> None:
    found = asked(ordered("30"), before(given=(took("vivitrol_380", 28),)))
    assert found["antagonist_beside"] == {
        "medicine": "naltrexone",
        "product": "vivitrol_380",
        "last_on": "2026-10-25",
        "acts_until": "2026-11-24",
        "in_the_way_until": "2026-11-24",
    }


def test_an_order_promises_its_last_dose_before_the_next_one_begins() -> None:
    methadone = running("60", since=30)
    naltrexone = order(
        medicine=Medicine.NALTREXONE,
        form=Form.TABLET,
        strength_mg=Decimal(50),
        amounts_mg={DosePart.WHOLE: Decimal(50)},
        product="naltrexone_tablet_50",
        starts_on=TODAY + 5 * DAY,
        replaces=methadone.id,
    )
    found = asked(naltrexone, before(methadone, given=YESTERDAY))
    assert found["antagonist_beside"]["last_on"] == "2026-11-26"
    much_later = replace(naltrexone, starts_on=TODAY + 40 * DAY)
    ending = replace(methadone, ends_on=TODAY)
    assert "antagonist_beside" not in asked(much_later, before(ending, given=YESTERDAY))


# Answers


def stops() -> list[SoftStop]:
    return [SoftStop(said=rules().ordering.unlisted_product), SoftStop(said=rules().ordering.starting[0])]


def test_every_rule_wants_an_answer_of_its_own() -> None:
    with pytest.raises(OrderNeedsConfirmation) as refused:
        answer(stops(), {"uk.first_day": "Transferred."}, rules(), now=NOW)
    assert refused.value.rules == ("uk.unlisted_product", "uk.first_day")
    both = {"uk.first_day": "Transferred.", "uk.unlisted_product": "A new label."}
    answered = answer(stops(), both, rules(), now=NOW)
    assert [(each.rule, each.reason, each.profile_version) for each in answered] == [
        ("uk.first_day", "Transferred.", 1),
        ("uk.unlisted_product", "A new label.", 1),
    ]


@pytest.mark.parametrize("reasons", [{"uk.first_day": " "}, {"uk.rise": "Not asked."}])
def test_an_answer_that_says_nothing_or_to_nothing_is_refused(reasons: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        answer(stops(), reasons, rules(), now=NOW)


def test_where_nothing_is_asked_nothing_is_answered() -> None:
    assert answer([], {}, rules(), now=NOW) == ()


def test_the_answers_are_part_of_what_is_signed() -> None:
    new = ordered("60", id=OrderId(new_id()))
    reasons = {"uk.first_day": "Transferred."}
    confirmed = replace(new, confirmed=answer(ask(new, before(), rules()), reasons, rules(), now=NOW))
    assert "confirmed" not in new.as_signed().content
    [told] = cast("list[dict[str, Any]]", confirmed.as_signed().content["confirmed"])
    assert (told["rule"], told["facts"]["first_day_mg"]) == ("uk.first_day", "60")


@pytest.mark.parametrize("profile", ["US", "UK", "AU", "US-CA-BRIDGE"])
def test_an_ordinary_start_asks_nothing(profile: str) -> None:
    country = rules(profile).country
    strength = next(
        one.strength_mg
        for one in catalogue().products
        if one.medicine is Medicine.METHADONE and country in one.countries
    )
    found = next(one for one in catalogue().products if country in one.countries and one.strength_mg == strength)
    assert listed(found.medicine, found.form, strength, country) is found
    assert not asked(ordered("20", product=found.product, client=UUID(int=9)), before(), profile)
