"""The stories of the demo clinic: the same for the same seed, and every situation in the smallest one."""

from collections import Counter

from caseload.demo.cast import ADMINISTRATORS, COLLEAGUES, SHOWN_FIRST, SITES, person
from caseload.demo.stories import FEWEST_CLIENTS, SHORTEST_DAYS, YEAR_DAYS, Course, Sharing, Tale, stories

SMALLEST = stories(clients=FEWEST_CLIENTS, days=SHORTEST_DAYS, seed=1)


def test_the_same_seed_tells_the_same_stories_and_another_seed_others() -> None:
    again = stories(clients=FEWEST_CLIENTS, days=SHORTEST_DAYS, seed=1)
    assert again == SMALLEST
    assert stories(clients=FEWEST_CLIENTS, days=SHORTEST_DAYS, seed=2) != again


def test_the_smallest_demo_holds_every_situation() -> None:
    assert {story.treatment.tale for story in SMALLEST if story.treatment} == set(Tale)
    assert {story.course for story in SMALLEST} == set(Course)
    assert {story.sharing for story in SMALLEST} == set(Sharing)
    assert any(story.handed_over for story in SMALLEST)
    assert sum(story.admitted == YEAR_DAYS for story in SMALLEST) >= 2


def test_two_of_five_clients_are_on_medicine_and_every_programme_has_its_share() -> None:
    told = stories(clients=300, days=60, seed=1)
    assert sum(story.treatment is not None for story in told) == 120
    assert Counter(story.site for story in told) == {0: 100, 1: 100, 2: 100}


def test_whoever_returns_was_away_in_between() -> None:
    relapsed = next(story for story in SMALLEST if story.treatment and story.treatment.tale is Tale.RELAPSED)
    assert relapsed.discharged is not None
    assert relapsed.returned is not None
    care = [relapsed.in_care(ago) for ago in (relapsed.admitted, relapsed.discharged, relapsed.returned, 1)]
    assert care == [True, False, True, True]


def test_there_are_26_of_the_staff_and_whoever_is_shown_first_is_among_them() -> None:
    names = [colleague.user_name for colleague in (*ADMINISTRATORS, *COLLEAGUES)]
    assert (len(names), len(set(names))) == (26, 26)
    assert set(SHOWN_FIRST) <= set(names)
    codes = {site.code for site in SITES} | {None}
    assert {where for colleague in COLLEAGUES for _, where in colleague.holds} <= codes


def test_nobody_looks_like_somebody_else() -> None:
    people = [person(number) for number in range(16_001)]
    assert len({one.birth_date for one in people}) == len(people)
    assert len({(one.given_name, one.family_name) for one in people[:300]}) == 300
