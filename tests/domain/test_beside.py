"""Two orders beside each other: who names whom, which doses count for which medicine, and what is said about the two."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from caseload.domain.dosing import (
    EVERYTHING_COMMITTED,
    Due,
    Facts,
    Lately,
    Morning,
    Rule,
    Taken,
    TakenPart,
    due_on,
    judge,
    orders_on,
)
from caseload.domain.dosing.own import (
    beside_since,
    counts_for,
    last_of_parts,
    not_signed_for,
    ordered_beside,
    own_first,
    own_lately,
    own_parts,
    too_close,
)
from caseload.domain.dosing.tolerance import is_enough
from caseload.domain.ids import OrderId, new_id
from caseload.domain.medication import (
    Acting,
    Confirmed,
    Order,
    OrderInTheWay,
    OrderMoved,
    both_ordered,
    stood_beside,
    was_in_force,
)
from caseload.domain.medication.together import keep_beside, require_named, require_together
from caseload.domain.medicines import DosePart, Form, Medicine
from caseload.domain.profiles import profile_on
from tests.domain.test_dosing import HOUR, decided, facts, giving, record, running
from tests.domain.test_medication import DAY, NOW, TODAY

UK = profile_on("UK", TODAY)
HERE = record()
METHADONE, BUPRENORPHINE, NALTREXONE = Medicine.METHADONE, Medicine.BUPRENORPHINE, Medicine.NALTREXONE
MORNING, EVENING = {DosePart.MORNING: Decimal(60)}, {DosePart.EVENING: Decimal(2)}


def answered(rule: str, *, reason: str = "Low-dose induction.") -> Confirmed:
    return Confirmed(rule=rule, profile="UK", profile_version=1, reason=reason, facts={}, at=NOW)


OVERRIDE = answered("uk.another_agonist_beside")
APART = answered("uk.minimum_interval")


def methadone(**changed: Any) -> Order:
    """Sixty milligrams each morning for a hundred days."""
    return running(**{"amounts_mg": MORNING, **changed})


def evening(beside: Order, days: int = 10, **changed: Any) -> Order:
    """Buprenorphine each evening for so many days, signed beside another order."""
    begun = TODAY - days * DAY
    made: dict[str, Any] = {
        "medicine": BUPRENORPHINE,
        "form": Form.SUBLINGUAL_TABLET,
        "strength_mg": Decimal(2),
        "amounts_mg": EVENING,
        "beside": beside.id,
        "starts_on": begun,
        "signed_at": datetime.combine(begun, NOW.time(), UTC),
        "confirmed": (OVERRIDE, APART),
    }
    return running(**made | changed)


def pair(**changed: Any) -> tuple[Order, Order]:
    first = methadone()
    return first, evening(first, **changed)


def part(days_ago: int, medicine: Medicine, **changed: Any) -> TakenPart:
    made = TakenPart(
        day=TODAY - days_ago * DAY,
        part=DosePart.MORNING if medicine is METHADONE else DosePart.EVENING,
        amount_mg=Decimal(60 if medicine is METHADONE else 2),
        at=NOW - days_ago * DAY,
        medicine=medicine,
        form=Form.ORAL_SOLUTION if medicine is METHADONE else Form.SUBLINGUAL_TABLET,
    )
    return replace(made, **changed)


def test_an_order_beside_another_says_so_in_what_is_signed_and_no_other_does() -> None:
    first, second = pair()
    assert second.as_signed().content["beside"] == first.id
    assert "beside" not in first.as_signed().content


@pytest.mark.parametrize(
    ("ended", "last"),
    [
        ({"ends_on": TODAY}, 0),
        ({"stopped_at": NOW}, 0),
        ({"replaced_from": TODAY, "replaced_at": NOW}, -1),
        ({}, 1),
    ],
)
def test_an_order_was_in_force_from_its_first_day_to_that_on_which_it_was_stopped(
    ended: dict[str, Any], last: int
) -> None:
    order = methadone(**ended)
    assert was_in_force(order, order.starts_on, HERE)
    assert not was_in_force(order, order.starts_on - DAY, HERE)
    assert was_in_force(order, TODAY + last * DAY, HERE)
    assert was_in_force(order, TODAY + (last + 1) * DAY, HERE) is (not ended)
    assert not was_in_force(replace(order, signed_at=None), TODAY, HERE)


def test_two_stand_beside_each_other_on_the_days_on_which_both_are_in_force() -> None:
    first, second = pair()
    assert (stood_beside(first, [first, second], TODAY, HERE), stood_beside(second, [first], TODAY, HERE)) == (
        second,
        first,
    )
    before = second.starts_on - DAY
    assert stood_beside(first, [second], before, HERE) is None
    assert stood_beside(second, [first], before, HERE) is None
    assert stood_beside(first, [replace(second, beside=None)], TODAY, HERE) is None
    assert both_ordered(METHADONE, BUPRENORPHINE, [first, second], TODAY, HERE) == (first, second)
    assert both_ordered(BUPRENORPHINE, METHADONE, [first, second], TODAY, HERE) == (second, first)
    assert both_ordered(METHADONE, NALTREXONE, [first, second], TODAY, HERE) is None
    assert both_ordered(METHADONE, BUPRENORPHINE, [first, second], before, HERE) is None


def test_a_replacement_keeps_the_other_only_while_that_is_in_force_in_its_days() -> None:
    first, second = pair(ends_on=TODAY + 5 * DAY)
    assert keep_beside(first, [first, second], TODAY, None) == second.id
    assert keep_beside(second, [first, second], TODAY, None) == first.id
    assert keep_beside(first, [first, second], TODAY + 5 * DAY, None) == second.id
    assert keep_beside(first, [first, second], TODAY + 6 * DAY, None) is None
    for gone in (replace(second, stopped_at=NOW), replace(second, signed_at=None), replace(second, beside=None)):
        assert keep_beside(first, [first, gone], TODAY, None) is None


def test_an_order_stands_beside_the_signed_order_of_another_medicine_in_another_part_of_the_day() -> None:
    first, second = pair()
    require_together(second, first)
    require_named(second, [first])
    require_named(first, [])
    wrong = (
        (replace(second, beside=None), first, "as its replacement"),
        (replace(second, medicine=METHADONE), first, "the same medicine"),
        (replace(second, amounts_mg=MORNING), first, "the same part"),
        (second, replace(first, amounts_mg={DosePart.WHOLE: Decimal(60)}), "the same part"),
        (second, replace(first, signed_at=None), "countersign"),
    )
    for order, other, says in wrong:
        with pytest.raises(OrderInTheWay, match=says):
            require_together(order, other)
    with pytest.raises(OrderMoved, match="beside which it was written"):
        require_named(second, [])


def test_on_a_day_with_both_each_counts_for_itself_and_else_together() -> None:
    orders = pair()
    for day, together in ((0, False), (10, False), (11, True)):
        assert counts_for(METHADONE, BUPRENORPHINE, TODAY - day * DAY, orders, HERE) is together
    assert counts_for(METHADONE, METHADONE, TODAY, orders, HERE)
    assert counts_for(METHADONE, None, TODAY, orders, HERE)
    assert counts_for(BUPRENORPHINE, Medicine.BUPRENORPHINE_NALOXONE, TODAY, orders, HERE)
    both = [part(0, METHADONE), part(0, BUPRENORPHINE), part(11, BUPRENORPHINE)]
    assert own_parts(METHADONE, both, orders, HERE) == [both[0], both[2]]
    lately = [Lately(day=each.day, amount_mg=each.amount_mg, decided=False, medicine=each.medicine) for each in both]
    assert own_lately(METHADONE, lately, orders, HERE) == [lately[0], lately[2]]
    assert own_first(orders, BUPRENORPHINE) == [orders[1], orders[0]]


def test_the_last_dose_of_the_other_is_looked_behind_from_the_first_day_of_the_two() -> None:
    first, second = pair()
    bup = Taken(day=TODAY, at=NOW, medicine=BUPRENORPHINE, amount_mg=Decimal(2))
    assert beside_since(METHADONE, bup, [first, second], HERE) == second.starts_on
    assert beside_since(BUPRENORPHINE, bup, [first, second], HERE) is None
    assert beside_since(METHADONE, None, [first, second], HERE) is None
    assert beside_since(METHADONE, replace(bup, day=second.starts_on - DAY), [first, second], HERE) is None


def test_the_last_of_several_is_the_latest_and_at_an_unknown_hour_the_smallest() -> None:
    doses = [
        part(1, METHADONE, at=None, amount_mg=Decimal(50)),
        part(1, METHADONE, at=None, amount_mg=Decimal(40)),
        part(2, METHADONE),
        part(0, NALTREXONE),
        part(0, BUPRENORPHINE, form=Form.EXTENDED_RELEASE_INJECTION),
        replace(part(0, METHADONE), medicine=None),
    ]
    last = last_of_parts(doses, METHADONE, Form.ORAL_SOLUTION)
    assert last == Taken(day=TODAY - DAY, at=None, medicine=METHADONE, amount_mg=Decimal(40))
    assert last_of_parts([], METHADONE, Form.ORAL_SOLUTION) is None


@pytest.mark.parametrize(
    ("changed", "acted_on", "stays"),
    [
        ({}, TODAY, False),
        ({"stopped_at": NOW}, TODAY, False),
        ({"stopped_at": NOW - DAY}, TODAY, True),
        ({"confirmed": ()}, TODAY, True),
        ({"beside": None}, TODAY, True),
        ({}, TODAY - 11 * DAY, True),
    ],
)
def test_the_signature_of_the_one_lets_the_other_be_given_for_as_long_as_both_were_in_force(
    changed: dict[str, Any], acted_on: date, *, stays: bool
) -> None:
    first, second = pair()
    second = replace(second, **changed)
    acting = [Acting(medicine=BUPRENORPHINE, form=Form.SUBLINGUAL_TABLET, product=None, on=acted_on)]
    assert not_signed_for(first, acting, [first, second], HERE, UK) == (acting if stays else [])
    assert not_signed_for(None, acting, [first, second], HERE, UK) == acting


def test_what_acts_of_a_third_medicine_is_signed_for_by_neither() -> None:
    first, second = pair()
    acting = [Acting(medicine=NALTREXONE, form=Form.TABLET, product=None, on=TODAY)]
    assert not_signed_for(first, acting, [first, second], HERE, UK) == acting


@pytest.mark.parametrize(
    ("before", "confirmed", "rules"),
    [
        (timedelta(hours=7, minutes=59), (OVERRIDE, APART), []),
        (timedelta(hours=7, minutes=59), (OVERRIDE,), [Rule.TOO_SOON]),
        (timedelta(hours=8), (OVERRIDE,), []),
        (timedelta(hours=-7, minutes=-59), (OVERRIDE,), [Rule.TOO_SOON]),
    ],
)
def test_doses_of_both_come_near_each_other_only_as_a_prescriber_signed(
    before: timedelta, confirmed: tuple[Confirmed, ...], rules: list[Rule]
) -> None:
    first, second = pair(confirmed=confirmed)
    other = part(0, BUPRENORPHINE, at=NOW - before)
    known = facts(first, together=(first, second), of_another=(other,))
    found = too_close(giving(first, part=DosePart.MORNING), known, HERE, UK)
    assert [each.rule for each in found] == rules
    for quiet in (replace(other, at=None), replace(other, medicine=None), replace(other, medicine=NALTREXONE)):
        assert too_close(giving(first), replace(known, of_another=(quiet,)), HERE, UK) == []


def test_the_same_medicine_keeps_its_own_interval() -> None:
    first, second = pair()
    late = Taken(day=TODAY - DAY, at=NOW - 7 * HOUR, medicine=METHADONE, amount_mg=Decimal(60))
    known = facts(first, together=(first, second), last=late)
    assert [each.rule for each in judged(first, known)] == [Rule.TOO_SOON]


def judged(order: Order, known: Facts) -> Sequence[Any]:
    said = giving(order, part=DosePart.MORNING)
    return judge(said, TODAY, known, HERE, at=EVERYTHING_COMMITTED, now=NOW).broken


def test_the_other_medicine_and_the_override_stand_beside_what_is_due() -> None:
    first, second = pair()
    [told] = ordered_beside(first, TODAY, [first, second], HERE, UK)
    assert (told.rule, told.policy) == (Rule.ORDERED_BESIDE, "uk.another_agonist_beside of UK-1")
    assert told.facts == {
        "order": str(second.id),
        "medicine": BUPRENORPHINE,
        "part": DosePart.EVENING,
        "reason": "Low-dose induction.",
    }
    [back] = ordered_beside(second, TODAY, [first, second], HERE, UK)
    assert (back.policy, back.facts["order"]) == (told.policy, str(first.id))
    [bare] = ordered_beside(first, TODAY, [first, replace(second, confirmed=())], HERE, UK)
    assert (bare.policy, "reason" in bare.facts) == ("caseload.ordered_beside of caseload-1", False)
    assert ordered_beside(first, TODAY, [first], HERE, UK) == []
    [against] = ordered_beside(
        first,
        TODAY,
        [first, replace(second, medicine=NALTREXONE, confirmed=(answered("uk.antagonist_beside"),))],
        HERE,
        UK,
    )
    assert against.policy == "uk.antagonist_beside of UK-1"


def morning(asked: OrderId | None, orders: Sequence[Order], last: Taken | None) -> Due:
    return due_on(
        TODAY,
        Morning(
            record=HERE,
            orders=orders,
            given=(),
            last=last,
            held=None,
            allowed=None,
            together=orders,
            asked=asked,
        ),
    )


def test_what_is_due_is_due_by_the_order_that_is_asked_for() -> None:
    first, second = pair()
    orders = [second, first]
    assert orders_on(TODAY, orders) == [first, second]
    own = Taken(day=TODAY - DAY, at=NOW - DAY, medicine=BUPRENORPHINE, amount_mg=Decimal(2))
    due = morning(second.id, orders, own)
    assert (due.order, [each.part for each in due.parts], due.in_the_way) == (second, [DosePart.EVENING], ())
    assert [each.facts["order"] for each in due.beside] == [str(first.id)]
    assert morning(None, orders, own).order == first
    assert morning(OrderId(new_id()), orders, own).order == first


def test_a_decision_about_one_medicine_is_none_about_another() -> None:
    first, second = pair()
    without = morning(
        second.id,
        [second, first],
        Taken(day=TODAY - 4 * DAY, at=NOW - 4 * DAY, medicine=BUPRENORPHINE, amount_mg=Decimal(2)),
    ).without
    named = replace(decided(4), medicine=METHADONE)
    assert not is_enough(named, without, BUPRENORPHINE, second, HERE, UK)
    for medicine in (None, BUPRENORPHINE, Medicine.BUPRENORPHINE_NALOXONE):
        assert is_enough(replace(named, medicine=medicine), without, BUPRENORPHINE, second, HERE, UK)
