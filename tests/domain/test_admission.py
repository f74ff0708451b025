"""The clocks of an admission: each on its last day and the first one after it, and what may be recorded."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from caseload.domain.access import Role
from caseload.domain.admission import (
    LONGEST_NAME,
    LONGEST_TEXT,
    AdmissionDone,
    AdmissionDoneTakenBack,
    Admitted,
    Clock,
    Duty,
    Said,
    State,
    clocks,
    record_done,
    take_back_done,
    waiting,
)
from caseload.domain.errors import Invalid, NotPermitted
from caseload.domain.ids import AdmissionDoneId, ClientId, EpisodeId, ProgrammeId, new_id
from caseload.domain.profiles import ProfileBroken, profile_version, profiles, read_profile
from caseload.domain.taken_back import TakenBack
from tests.factories.checkin import MORNING, Remembered, counsellor, episode

pytestmark = pytest.mark.anyio

US, DAY = profile_version("US", 1), timedelta(days=1)
ADMITTED_ON, LAST = date(2026, 6, 1), date(2026, 6, 15)
EXAMINED = Said(duty=Duty.EXAMINATION, done_on=ADMITTED_ON, done_by="Dr Osei")
HERE = ProgrammeId(new_id())
EPISODE = episode(programme=HERE)
ROBIN = counsellor(HERE)
TODAY = EPISODE.admitted_on + 20 * DAY


class Kept:
    """Keeps records in memory."""

    def __init__(self) -> None:
        self.records: list[AdmissionDone] = []
        self.taken_back: list[TakenBack] = []

    async def add(self, done: AdmissionDone, /) -> None:
        self.records.append(done)

    async def add_taken_back(self, done: AdmissionDone, taken_back: TakenBack, /) -> None:
        assert done.taken_back is None
        self.taken_back.append(taken_back)


async def recorded(kept: Kept, **said: Any) -> AdmissionDone:
    given: dict[str, Any] = {"by": ROBIN, "journal": Remembered()} | {
        name: said.pop(name) for name in ("by", "journal") if name in said
    }
    return await record_done(
        EPISODE,
        replace(EXAMINED, **{"done_on": TODAY, **said}),
        as_id=AdmissionDoneId(new_id()),
        today=TODAY,
        now=MORNING,
        admissions=kept,
        **given,
    )


@pytest.mark.parametrize(("today", "state"), [(ADMITTED_ON, "due"), (LAST, "due"), (LAST + DAY, "overdue")])
def test_both_are_due_until_the_14th_day_after_the_admission_and_overdue_on_the_15th(today: date, state: str) -> None:
    assert clocks(ADMITTED_ON, [], today, US) == tuple(
        Clock(duty=duty, due_on=LAST, state=State(state), done_on=None) for duty in Duty
    )


@pytest.mark.parametrize(("done_on", "state"), [(ADMITTED_ON, "done"), (LAST, "done"), (LAST + DAY, "done_late")])
def test_what_is_done_on_the_14th_day_is_in_time_and_on_the_15th_late(done_on: date, state: str) -> None:
    examination, assessment = clocks(ADMITTED_ON, [replace(EXAMINED, done_on=done_on)], LAST + 30 * DAY, US)
    assert (examination.state, examination.done_on) == (state, done_on)
    assert (assessment.state, assessment.done_on) == (State.OVERDUE, None)


def test_of_two_records_the_first_day_counts_in_whichever_order_they_come() -> None:
    both = [replace(EXAMINED, done_on=LAST + DAY), replace(EXAMINED, done_on=LAST)]
    for done in (both, both[::-1]):
        assert clocks(ADMITTED_ON, done, LAST + DAY, US)[0].state is State.DONE


def test_only_the_profiles_of_the_us_have_clocks() -> None:
    has = {name for name, (version, *_) in profiles().items() if clocks(ADMITTED_ON, [EXAMINED], LAST, version)}
    assert has == {"US", "US-CA-BRIDGE"}


def test_each_duty_has_its_own_days_and_the_earliest_waits_first() -> None:
    document = msgspec.json.decode(msgspec.json.encode(US))
    document["monitoring"]["admission"]["assessment_days"] = 7
    rules = read_profile(msgspec.json.encode(document), "own.json")
    one = Admitted(
        client=ClientId(new_id()),
        episode=EpisodeId(new_id()),
        given_name="Ann",
        family_name="Example",
        admitted_on=ADMITTED_ON,
        done=[],
    )
    seventh = ADMITTED_ON + 7 * DAY
    assert waiting(one, seventh - DAY, seventh, rules) == []
    assert [each.duty for each in waiting(one, seventh, seventh, rules)] == [Duty.ASSESSMENT]
    assert [each.duty for each in waiting(one, LAST, seventh, rules)] == [Duty.ASSESSMENT, Duty.EXAMINATION]
    examined = replace(one, done=[EXAMINED])
    assert [each.duty for each in waiting(examined, LAST, seventh, rules)] == [Duty.ASSESSMENT]


@pytest.mark.parametrize("name", ["examination_days", "assessment_days"])
def test_a_clock_of_no_days_is_refused(name: str) -> None:
    document = msgspec.json.decode(msgspec.json.encode(US))
    document["monitoring"]["admission"][name] = 0
    with pytest.raises(ProfileBroken, match=f"monitoring.admission.{name} must be more than zero"):
        read_profile(msgspec.json.encode(document), "own.json")


@pytest.mark.parametrize("done_on", [EPISODE.admitted_on, TODAY])
async def test_what_was_done_is_kept_and_told_without_a_name(done_on: date) -> None:
    kept, journal = Kept(), Remembered()
    made = await recorded(kept, done_on=done_on, journal=journal)
    assert kept.records == [made]
    assert (made.episode, made.said.done_on, made.recorded_by) == (EPISODE.id, done_on, ROBIN.id)
    [event] = journal.events
    assert (event.name, event.client, dict(event.facts)) == (
        "admission.done",
        EPISODE.client,
        {"duty": "examination"},
    )


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"done_on": TODAY + DAY}, "done_on"),
        ({"done_on": EPISODE.admitted_on - DAY}, "done_on"),
        ({"done_by": "  "}, "done_by"),
        ({"done_by": "x" * (LONGEST_NAME + 1)}, "done_by"),
    ],
)
async def test_what_contradicts_itself_is_refused(wrong: dict[str, Any], where: str) -> None:
    kept = Kept()
    with pytest.raises(Invalid) as refused:
        await recorded(kept, **wrong)
    assert [fault.field for fault in refused.value.faults] == [where]
    assert not kept.records


async def test_a_name_may_be_as_long_as_it_may() -> None:
    assert (await recorded(Kept(), done_by="x" * LONGEST_NAME)).said.done_by == "x" * LONGEST_NAME


async def test_only_whoever_may_admit_there_records_it() -> None:
    for by in (counsellor(HERE, role=Role.FRONT_DESK), counsellor(ProgrammeId(new_id()))):
        with pytest.raises(NotPermitted):
            await recorded(Kept(), by=by)


async def test_a_mistake_is_taken_back_once_and_says_why() -> None:
    kept, journal = Kept(), Remembered()
    made = await recorded(kept)

    async def take_back(done: AdmissionDone, reason: str) -> AdmissionDone:
        return await take_back_done(
            done, reason, client=EPISODE.client, by=ROBIN, now=MORNING, admissions=kept, journal=journal
        )

    for reason in (" ", "x" * (LONGEST_TEXT + 1)):
        with pytest.raises(Invalid):
            await take_back(made, reason)
    wrong = await take_back(made, "x" * LONGEST_TEXT)
    assert [wrong.taken_back] == kept.taken_back
    assert [event.name for event in journal.events] == ["admission.done_taken_back"]
    with pytest.raises(AdmissionDoneTakenBack):
        await take_back(wrong, "Again.")
