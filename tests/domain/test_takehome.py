"""Take-homes without a database: what a profile may say of them, the strictest ladder, labels and reviews."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from caseload.domain.dosing.at_home import Missed, suspend_after_missed
from caseload.domain.errors import Faults
from caseload.domain.ids import SuspensionId, new_id
from caseload.domain.medicines import Medicine
from caseload.domain.profiles import Profile, ProfileBroken, profiles, read_profile
from caseload.domain.profiles.comparing import loosened
from caseload.domain.takehome import Answer, Criterion, TakeHomeWish, label_of
from caseload.domain.takehome.decision import check_wish, day_of_treatment
from tests.domain.test_comparing import changed
from tests.domain.test_signoff import ROUTINE
from tests.factories.window import Told

pytestmark = pytest.mark.anyio


def us() -> Profile:
    return profiles()["US"][0]


def with_state(*steps: tuple[int, int]) -> Profile:
    """The US profile with a ladder of a state beside the federal one."""
    federal = msgspec.to_builtins(us().take_home.ladders[0])
    state = federal | {
        "rule": "state.take_home_ladder",
        "steps": [{"from_day": day, "at_most_days": days} for day, days in steps],
    }
    return changed(us(), "take_home", "ladders", to=[federal, state])


@pytest.mark.parametrize(
    ("day", "allowed", "rule"),
    [
        (1, 1, "state.take_home_ladder"),
        (89, 1, "state.take_home_ladder"),
        (90, 28, "us.take_home_ladder"),
        (400, 28, "us.take_home_ladder"),
    ],
)
def test_of_two_ladders_the_strictest_counts_and_is_named(day: int, allowed: int, rule: str) -> None:
    ceiling = with_state((1, 1), (90, 60)).take_home.ceiling(Medicine.METHADONE, day)
    assert ceiling is not None
    assert (ceiling.at_most_days, ceiling.ladder.rule) == (allowed, rule)


@pytest.mark.parametrize("medicine", [each for each in Medicine if each is not Medicine.METHADONE])
def test_a_ladder_says_nothing_of_a_medicine_that_it_does_not_name(medicine: Medicine) -> None:
    assert us().take_home.ceiling(medicine, 1) is None


def test_a_ladder_beside_the_federal_one_only_tightens() -> None:
    assert list(loosened(us(), with_state((1, 1), (90, 60)))) == []
    [looser] = loosened(with_state((1, 1), (31, 28)), with_state((1, 1), (15, 28)))
    assert looser == "take_home.ladders of methadone from day 15: at_most_days: 1 became 14"
    without = changed(us(), "take_home", "ladders", to=[])
    assert "take_home.ladders of methadone from day 1: at_most_days: 7 became no limit" in loosened(us(), without)
    assert list(loosened(without, us())) == []


@pytest.mark.parametrize(
    ("path", "to", "complaint"),
    [
        (("closure", "needs_decision"), False, "closed days need none any more"),
        (("review", "within_days"), 91, "take_home.review.within_days: 90 became 91"),
        (("suspension", "after_missed"), 4, "take_home.suspension.after_missed: 3 became 4"),
        (("suspension", "after_missed"), None, "take_home.suspension.after_missed: 3 became no limit"),
        (("suspension", "review_days"), 8, "take_home.suspension.review_days: 7 became 8"),
    ],
)
def test_what_loosens_take_homes_is_named(path: tuple[str, ...], to: object, complaint: str) -> None:
    uk = profiles()["UK"][0]
    other = changed(uk, "take_home", *path, to=to)
    [looser] = loosened(uk, other)
    assert complaint in looser
    assert list(loosened(other, uk)) == []


@pytest.mark.parametrize(
    ("path", "to", "complaint"),
    [
        (("ladders", 0, "steps"), [], "must begin on day 1 of treatment and rise"),
        (("ladders", 0, "steps"), [{"from_day": 2, "at_most_days": 7}], "must begin on day 1 of treatment and rise"),
        (
            ("ladders", 0, "steps"),
            [{"from_day": 1, "at_most_days": 7}, {"from_day": 1, "at_most_days": 8}],
            "must begin on day 1 of treatment and rise",
        ),
        (("ladders", 0, "steps"), [{"from_day": 1, "at_most_days": 93}], "at_most_days must lie between 0 and 92"),
        (("ladders", 0, "steps"), [{"from_day": 1, "at_most_days": -1}], "at_most_days must lie between 0 and 92"),
        (("review", "within_days"), 0, "take_home.review.within_days must be more than zero"),
        (("suspension", "review_days"), 0, "take_home.suspension.review_days must be more than zero"),
        (("suspension", "after_missed"), -1, "take_home.suspension.after_missed must be more than zero"),
    ],
)
def test_a_profile_that_contradicts_itself_about_take_homes_is_refused(
    path: tuple[str | int, ...], to: object, complaint: str
) -> None:
    with pytest.raises(ProfileBroken, match=complaint):
        changed(us(), "take_home", *path, to=to)


def test_a_profile_says_what_it_means_by_leaving_nothing_out() -> None:
    whole: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(us()))
    del whole["take_home"]["suspension"]["after_missed"]
    with pytest.raises(ProfileBroken, match="after_missed"):
        read_profile(msgspec.json.encode(whole), "x.json")


def test_the_first_dose_is_on_day_one_and_so_is_nobody_before_it() -> None:
    day = date(2026, 11, 22)
    assert [day_of_treatment(began, day) for began in (None, day, day - timedelta(days=30))] == [1, 1, 31]


def test_labels_can_be_read_out_and_differ() -> None:
    labels = [label_of(new_id()) for _ in range(1000)]
    assert len(set(labels)) == 1000
    assert all(len(label) == 14 and set(label) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ-") for label in labels)
    assert label_of(UUID(int=0)) == "0000-0000-0000"
    assert label_of(UUID(int=(1 << 128) - 1)) == "ZZZZ-ZZZZ-ZZZZ"


class Suspendable:
    """Remembers what it was asked to suspend."""

    def __init__(self, *, there_is_one: bool) -> None:
        self.there_is_one = there_is_one
        self.asked: list[Missed] = []

    async def suspend_take_home(self, missed: Missed, *, as_id: SuspensionId) -> bool:
        assert as_id
        self.asked.append(missed)
        return self.there_is_one


def days(number: int) -> Sequence[date]:
    return [date(2026, 11, 10) + timedelta(days=each) for each in range(number)]


@pytest.mark.parametrize(
    ("after", "missed", "asked", "told"),
    [(3, 2, 0, 0), (3, 3, 1, 1), (3, 5, 1, 1), (1, 1, 1, 1), (None, 9, 0, 0)],
)
async def test_a_decision_is_suspended_from_so_many_missed_doses_on(
    after: int | None, missed: int, asked: int, told: int
) -> None:
    rules = changed(us(), "take_home", "suspension", "after_missed", to=after)
    for there_is_one in (True, False):
        doses, journal = Suspendable(there_is_one=there_is_one), Told()
        await suspend_after_missed(ROUTINE, days(missed), rules, doses=doses, journal=journal)
        assert len(doses.asked) == asked
        assert journal.names() == ["take_home.suspended"] * (told if there_is_one else 0)
        if doses.asked and after is not None:
            [why] = doses.asked
            assert (why.missed, why.since, why.rule) == (missed, days(missed)[after - 1], "us.take_home_suspension")
            assert why.review_on == why.dose.dosing_day + timedelta(days=7)


def test_each_criterion_that_nobody_answered_is_named() -> None:
    day, faults = date(2026, 11, 22), Faults()
    answered = dict.fromkeys(list(Criterion)[:-2], Answer(met=True))
    wish = TakeHomeWish(
        medicine=Medicine.METHADONE, days=7, answers=answered, rationale="Steady.", review_on=day + timedelta(days=1)
    )
    check_wish(wish, day, us(), faults)
    assert [each.field for each in faults.found] == ["answers.stores_safely", "answers.otherwise_safe"]
