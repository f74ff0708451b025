"""Breaking the glass: who is opened to whom, for how long, how often it may be tried, and who looks at it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from caseload.domain.access import MAY, Act, Role
from caseload.domain.errors import Invalid
from caseload.domain.glass import (
    Broken,
    GlassReview,
    GlassReviewedAlready,
    GlassStillBroken,
    NotYourOwnGlass,
    Outcome,
    ReasonCode,
    TooManyGuesses,
    Tried,
    Wanted,
    WithinReachAlready,
    break_glass,
    end_glass,
    review_due,
    review_glass,
    rules,
)
from caseload.domain.ids import ClientId, GlassId, ProgrammeId, StaffId, new_id
from caseload.domain.journal import Event
from caseload.domain.people import Staff
from caseload.domain.profiles.selected import Selected
from caseload.domain.programme import Programme

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)  # a Friday
INSTANT, MINUTE = timedelta(microseconds=1), timedelta(minutes=1)
HERE = Programme(id=ProgrammeId(new_id()), code="H", name="H", time_zone="America/New_York", profiles=Selected("US"))
CLIENT, NURSE, OFFICER = ClientId(new_id()), StaffId(new_id()), StaffId(new_id())
WANTED = Wanted(
    given_name="Ada",
    family_name="Lindqvist",
    birth_date=date(1984, 2, 29),
    identifier=None,
    code=ReasonCode.OVERDOSE,
    reason="Found unconscious in the yard.",
    minutes=None,
)


def somebody(who: StaffId) -> Staff:
    return Staff(id=who, user_name="u", printed_name="U", session=None, holdings=())


@dataclass
class Hall:
    """What is kept."""

    there: Sequence[tuple[ClientId, ProgrammeId]] = ((CLIENT, HERE.id),)
    tried_at: list[datetime] = field(default_factory=list[datetime])
    open_now: Broken | None = None
    within: bool = False
    closed_on: frozenset[date] = frozenset()
    kept: list[Broken] = field(default_factory=list[Broken])
    tries: list[Tried] = field(default_factory=list[Tried])
    ended: list[Broken] = field(default_factory=list[Broken])
    reviews: list[GlassReview] = field(default_factory=list[GlassReview])
    told: list[Event] = field(default_factory=list[Event])

    async def hold_still(self, staff: StaffId) -> None:
        assert staff == NURSE

    async def guesses(self, staff: StaffId, *, since: datetime) -> Sequence[datetime]:
        return [each for each in self.tried_at if each > since]

    async def running(self, staff: StaffId) -> Broken | None:
        return self.open_now

    async def find(self, wanted: Wanted) -> Sequence[tuple[ClientId, ProgrammeId]]:
        return self.there

    async def is_within(self, client: ClientId, *, by: Staff) -> bool:
        return self.within

    async def programme(self, wanted: ProgrammeId) -> Programme:
        return HERE

    async def closed(self, programme: ProgrammeId, first: date, last: date) -> Collection[date]:
        return {day for day in self.closed_on if first <= day <= last}

    async def add_try(self, as_id: GlassId, staff: StaffId, tried: Tried) -> None:
        self.tries.append(tried)

    async def add(self, new: Broken) -> None:
        self.kept.append(new)

    async def end(self, ending: Broken) -> None:
        self.ended.append(ending)

    async def add_review(self, broken: Broken, review: GlassReview) -> None:
        if self.reviews:
            raise GlassReviewedAlready
        self.reviews.append(review)

    def saw(self, client: ClientId, kind: str) -> None:
        raise AssertionError(kind)

    def tell(self, event: Event) -> None:
        self.told.append(event)

    async def break_it(self, **changes: Any) -> Broken | None:
        return await break_glass(
            replace(WANTED, **changes),
            as_id=GlassId(new_id()),
            by=somebody(NURSE),
            now=NOW,
            glasses=self,
            journal=self,
        )

    async def broken(self, **changes: Any) -> Broken:
        made = await self.break_it(**changes)
        assert made is not None
        return made

    async def review(self, broken: Broken, *, by: StaffId = OFFICER, note: str = "Ambulance came.") -> GlassReview:
        return await review_glass(broken, Outcome.JUSTIFIED, note, by=somebody(by), now=NOW, glasses=self, journal=self)


async def test_one_client_is_opened_from_now_for_an_hour_and_not_a_moment_longer() -> None:
    hall = Hall()
    made = await hall.broken()
    assert (made.client, made.staff, made.starts_at) == (CLIENT, NURSE, NOW)
    assert made.until_at == NOW + timedelta(minutes=rules().minutes)
    assert not made.counts(NOW - INSTANT)
    assert made.counts(NOW)
    assert made.counts(made.until_at - INSTANT)
    assert not made.counts(made.until_at)
    assert hall.tries == [Tried.OPENED]
    assert [(each.name, each.client) for each in hall.told] == [("glass.broken", CLIENT)]


@pytest.mark.parametrize("there", [(), ((CLIENT, HERE.id), (ClientId(new_id()), HERE.id))])
async def test_nobody_and_more_than_one_open_nothing_and_name_nobody(there: Any) -> None:
    hall = Hall(there=there)
    assert await hall.break_it() is None
    assert hall.kept == []
    assert hall.tries == [Tried.SEVERAL if there else Tried.NOBODY]
    assert [(each.name, each.client) for each in hall.told] == [("glass.not_broken", None)]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ({"reason": "x" * 19}, {"reason": "x" * 20}),
        ({"reason": " " * 30 + "x"}, {"reason": "x" * 1000}),
        ({"reason": "x" * 1001}, {"reason": f" {'x' * 20} "}),
        ({"minutes": 0}, {"minutes": 1}),
        ({"minutes": 61}, {"minutes": 60}),
        ({"given_name": " "}, {"given_name": "A"}),
        ({"family_name": "x" * 1001}, {"family_name": "x" * 1000}),
        ({"identifier": " "}, {"identifier": "12"}),
    ],
)
async def test_a_reason_a_time_and_a_name_have_their_bounds(wrong: dict[str, Any], right: dict[str, Any]) -> None:
    hall = Hall()
    with pytest.raises(Invalid):
        await hall.break_it(**wrong)
    assert hall.tries == []
    assert await hall.break_it(**right) is not None


async def test_whoever_has_guessed_too_often_waits_until_the_first_of_them_is_an_hour_ago() -> None:
    hour, most = timedelta(minutes=rules().guessing_minutes), rules().guesses
    guesses = [NOW - hour + MINUTE * (number + 1) for number in range(most)]
    with pytest.raises(TooManyGuesses) as refused:
        await Hall(tried_at=guesses).break_it()
    assert refused.value.retry_after_s == 60
    with pytest.raises(TooManyGuesses) as refused:
        await Hall(tried_at=[NOW - hour + INSTANT, *guesses[1:]]).break_it()
    assert refused.value.retry_after_s == 1
    assert await Hall(tried_at=[NOW - hour, *guesses[1:]]).break_it() is not None
    with pytest.raises(TooManyGuesses) as refused:
        await Hall(tried_at=[*guesses, NOW]).break_it()
    assert refused.value.retry_after_s == 120


async def test_one_client_at_a_time_and_only_whoever_is_not_seen_anyway() -> None:
    made = await Hall().broken()
    with pytest.raises(GlassStillBroken):
        await Hall(open_now=made).break_it()
    hall = Hall(within=True)
    with pytest.raises(WithinReachAlready):
        await hall.break_it()
    assert (hall.kept, hall.tries) == ([], [])


async def test_what_is_over_is_not_ended_again() -> None:
    hall = Hall()
    made = await hall.broken()
    ended = await end_glass(made, by=NURSE, now=NOW + MINUTE, glasses=hall, journal=hall)
    assert (ended.ended_at, ended.ended_by) == (NOW + MINUTE, NURSE)
    assert ended.counts(NOW + MINUTE - INSTANT)
    assert not ended.counts(NOW + MINUTE)
    assert await end_glass(ended, by=NURSE, now=NOW + 2 * MINUTE, glasses=hall, journal=hall) is ended
    assert await end_glass(made, by=NURSE, now=made.until_at, glasses=hall, journal=hall) is made
    assert hall.ended == [ended]


@pytest.mark.parametrize(
    ("closed", "due"),
    [
        (frozenset[date](), datetime(2026, 11, 22, 5, tzinfo=UTC)),  # the end of Saturday in New York
        (frozenset({date(2026, 11, 21), date(2026, 11, 22)}), datetime(2026, 11, 24, 5, tzinfo=UTC)),
        (frozenset({date(2026, 11, 20), date(2026, 11, 22)}), datetime(2026, 11, 22, 5, tzinfo=UTC)),
    ],
)
async def test_a_review_is_due_by_the_end_of_the_next_day_on_which_the_programme_is_open(
    closed: frozenset[date], due: datetime
) -> None:
    assert (await Hall(closed_on=closed).broken()).review_due_at == due


async def test_a_review_is_due_even_where_the_programme_never_opens_again() -> None:
    closed = {NOW.date() + timedelta(days=number) for number in range(400)}
    assert review_due(HERE, closed, now=NOW) == datetime(2026, 12, 23, 5, tzinfo=UTC)


async def test_the_end_of_a_day_is_that_of_the_local_clock_also_when_it_changes() -> None:
    before = datetime(2026, 10, 31, 15, 0, tzinfo=UTC)
    assert review_due(HERE, (), now=before) == datetime(2026, 11, 2, 5, tzinfo=UTC)  # 25 hours on Sunday


async def test_nobody_reviews_what_they_did_themselves_and_once_is_enough() -> None:
    hall = Hall()
    made = await hall.broken()
    with pytest.raises(NotYourOwnGlass):
        await hall.review(made, by=NURSE)
    for note in (" ", "x" * 2001):
        with pytest.raises(Invalid):
            await hall.review(made, note=note)
    review = await hall.review(made)
    assert (review.outcome, review.by, review.at) == (Outcome.JUSTIFIED, OFFICER, NOW)
    assert hall.ended == [replace(made, ended_at=NOW, ended_by=OFFICER)], "what is still open ends with it"
    with pytest.raises(GlassReviewedAlready):
        await hall.review(made)


async def test_only_roles_that_care_for_clients_ever_need_it() -> None:
    assert MAY[Act.BREAK_GLASS].isdisjoint({
        Role.FRONT_DESK, Role.AUDITOR, Role.PRIVACY_OFFICER, Role.INSPECTOR, Role.ADMINISTRATOR,
    })  # fmt: skip
    assert MAY[Act.REVIEW_GLASS].isdisjoint(MAY[Act.BREAK_GLASS])
