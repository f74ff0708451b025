"""The ladder by which whoever has not come is looked for: when each step is due, what it obeys, and that it is taken once."""

import dataclasses
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseload.domain.care_task import CareTask, CareTaskKind
from caseload.domain.checkin import Mode
from caseload.domain.consent import Category, Consent, Purpose, Recipient, Setting
from caseload.domain.errors import Invalid
from caseload.domain.family import InvolvementKind, RelatedPerson
from caseload.domain.ids import CheckInId, ClientId, ProgrammeId, RelatedPersonId, RightsRequestId, StaffId, new_id
from caseload.domain.outreach import (
    SAYS,
    SKIPPED_SAYS,
    AgreedContact,
    Calendar,
    Channel,
    Climber,
    Contact,
    ContactAgreed,
    Ground,
    Next,
    Reachable,
    Skipped,
    Taken,
    agree_contact,
    climb,
    ground_of,
    next_step,
    require_agreed,
    say_contact,
    way,
    ways_to,
)
from caseload.domain.profiles import profile_on
from caseload.domain.profiles.outreach import Outreach, OutreachStep
from caseload.domain.profiles.selected import Selected
from caseload.domain.programme import Programme
from tests.domain.test_consent import consent, draft, person, programme, signature
from tests.factories.checkin import Remembered, counsellor

pytestmark = pytest.mark.anyio

NEW_YORK = ZoneInfo("America/New_York")
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
SINCE = datetime(2026, 6, 2, 13, tzinfo=UTC)
"""Tuesday 2 June 2026, 09:00 in New York."""
RULES = profile_on("US", date(2026, 6, 2))
LADDER = RULES.outreach
CLIENT = ClientId(new_id())
HOUSE = ProgrammeId(new_id())


def taken(step: OutreachStep, due_at: datetime, *, taken_at: datetime | None = None) -> Taken:
    return Taken(step=step, due_at=due_at, taken_at=taken_at or due_at, rule="us.outreach of US-1")


def whole(*, since: datetime = SINCE, closed: Sequence[date] = (), ladder: Outreach = LADDER) -> list[Next]:
    """Every step with when it is due, each taken the moment it is."""
    calendar = Calendar(zone=NEW_YORK, closed=frozenset(closed))
    done: list[Taken] = []
    found: list[Next] = []
    while (coming := next_step(since, done, ladder, calendar)) is not None:
        found.append(coming)
        done.append(taken(coming.step, coming.due_at))
    return found


def days(steps: Sequence[Next]) -> list[int]:
    return [(each.due_at.astimezone(NEW_YORK).date() - SINCE.astimezone(NEW_YORK).date()).days for each in steps]


def test_the_steps_come_in_their_order_at_the_local_time_at_which_it_became_overdue() -> None:
    found = whole()

    assert [each.step for each in found] == list(OutreachStep)
    assert days(found) == [0, 1, 2, 5, 10, 14]
    assert {each.due_at.astimezone(NEW_YORK).time().hour for each in found} == {9}


def test_working_days_are_days_on_which_the_programme_is_open() -> None:
    wednesday, saturday, sunday = date(2026, 6, 3), date(2026, 6, 6), date(2026, 6, 7)

    assert days(whole(closed=[wednesday])) == [0, 2, 3, 5, 10, 14]
    assert days(whole(closed=[sunday])) == [0, 1, 2, 6, 10, 14], "a letter that falls on a closed day waits a day"
    assert days(whole(closed=[wednesday, date(2026, 6, 4), date(2026, 6, 5), saturday, sunday])) == [
        0, 6, 7, 7, 10, 14,
    ], "no step comes before the one before it"  # fmt: skip


def test_the_hour_stays_when_the_clocks_change() -> None:
    found = whole(since=datetime(2026, 10, 30, 13, 30, tzinfo=UTC))

    assert [each.due_at.astimezone(NEW_YORK).strftime("%d %H:%M") for each in found] == [
        "30 09:30", "31 09:30", "01 09:30", "04 09:30", "09 09:30", "13 09:30",
    ]  # fmt: skip
    assert found[3].due_at == datetime(2026, 11, 4, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("late", "expected"), [(10 * MINUTE, 1), (14 * 60 * MINUTE + 59 * MINUTE, 1), (15 * 60 * MINUTE, 2)]
)
def test_a_step_that_was_taken_days_late_makes_the_next_as_many_days_later(late: timedelta, expected: int) -> None:
    before = [taken(OutreachStep.SAME_DAY, SINCE, taken_at=SINCE + late)]

    coming = next_step(SINCE, before, LADDER, Calendar(zone=NEW_YORK))

    assert coming == Next(step=OutreachStep.NEXT_DAY, due_at=SINCE + expected * DAY)


def test_a_server_that_stood_still_for_months_does_not_take_every_step_at_once() -> None:
    late = SINCE + 100 * DAY
    calendar = Calendar(zone=NEW_YORK)
    done: list[Taken] = []
    at: list[int] = []
    now = late
    while (coming := next_step(SINCE, done, LADDER, calendar)) is not None:
        now = max(now, coming.due_at)
        at.append((now - late).days)
        done.append(taken(coming.step, coming.due_at, taken_at=now))

    assert at == [0, 1, 2, 5, 10, 14]


def test_a_profile_that_changes_on_the_way_goes_on_behind_the_last_step() -> None:
    without = msgspec.structs.replace(
        LADDER, steps=tuple(each for each in LADDER.steps if each.step is not OutreachStep.NEXT_DAY)
    )
    shorter = msgspec.structs.replace(LADDER, steps=LADDER.steps[:2])
    calendar, at = Calendar(zone=NEW_YORK), SINCE + 4 * DAY
    second = [taken(OutreachStep.NEXT_DAY, SINCE + DAY)]

    assert next_step(SINCE, second, without, calendar) == Next(
        step=OutreachStep.CONSENTED_CONTACT, due_at=SINCE + 2 * DAY
    )
    late = [taken(OutreachStep.NEXT_DAY, SINCE + DAY, taken_at=at)]
    assert next_step(SINCE, late, without, calendar) == Next(step=OutreachStep.CONSENTED_CONTACT, due_at=at)
    assert next_step(SINCE, [taken(OutreachStep.LETTER, SINCE + 5 * DAY)], shorter, calendar) is None
    assert next_step(SINCE, [taken(OutreachStep.NEXT_DAY, SINCE + DAY)], shorter, calendar) is None


def test_a_step_that_closed_days_moved_behind_the_next_and_was_late_delays_that_one_from_its_own_day() -> None:
    """The second call was due on 8 June because of closed days, behind the fifth day; it was made a day late."""
    closed = frozenset(date(2026, 6, day) for day in (4, 5, 6, 7))
    calendar = Calendar(zone=NEW_YORK, closed=closed)
    due_at = SINCE + 6 * DAY
    late = [taken(OutreachStep.CONSENTED_CONTACT, due_at, taken_at=due_at + DAY)]

    assert next_step(SINCE, late, LADDER, calendar) == Next(step=OutreachStep.LETTER, due_at=due_at + DAY)


@given(st.lists(st.integers(0, 20_000), min_size=6, max_size=6), st.frozensets(st.integers(0, 40), max_size=20))
def test_no_step_comes_before_the_one_before_it_was_taken_nor_on_a_closed_day(
    waits: list[int], closed: frozenset[int]
) -> None:
    began = SINCE.astimezone(NEW_YORK).date()
    calendar = Calendar(zone=NEW_YORK, closed=frozenset(began + number * DAY for number in closed))
    done: list[Taken] = []
    for wait in waits:
        coming = next_step(SINCE, done, LADDER, calendar)
        assert coming is not None
        assert coming.due_at >= SINCE
        assert coming.due_at.astimezone(NEW_YORK).date() not in calendar.closed
        if done:
            assert coming.due_at.astimezone(NEW_YORK).date() >= done[-1].taken_at.astimezone(NEW_YORK).date()
            assert list(OutreachStep).index(coming.step) == list(OutreachStep).index(done[-1].step) + 1
        done.append(taken(coming.step, coming.due_at, taken_at=coming.due_at + wait * MINUTE))
    assert next_step(SINCE, done, LADDER, calendar) is None


# What the client allows.


NEVER = Contact(client=CLIENT, version=0)


def contact(*allowed: Channel, version: int = 1) -> Contact:
    return Contact(
        client=CLIENT,
        version=version,
        said=Reachable(allowed=frozenset(allowed), telephone="555 0100", address="1 Example Street"),
    )


@pytest.mark.parametrize(
    ("step", "allowed", "expected"),
    [
        (OutreachStep.SAME_DAY, [Channel.TEXT], (Channel.TEXT,)),
        (OutreachStep.SAME_DAY, [Channel.TELEPHONE, Channel.TEXT], (Channel.TEXT, Channel.TELEPHONE)),
        (OutreachStep.SAME_DAY, [Channel.POST, Channel.VISIT], Skipped.NO_ALLOWED_CHANNEL),
        (OutreachStep.NEXT_DAY, [Channel.TEXT], Skipped.NO_ALLOWED_CHANNEL),
        (OutreachStep.NEXT_DAY, [Channel.TELEPHONE], (Channel.TELEPHONE,)),
        (OutreachStep.NEXT_DAY, [Channel.TELEPHONE, Channel.VOICEMAIL], (Channel.TELEPHONE, Channel.VOICEMAIL)),
        (OutreachStep.LETTER, [Channel.POST], (Channel.POST,)),
        (OutreachStep.LETTER, [Channel.VISIT], (Channel.VISIT,)),
        (OutreachStep.LETTER, [Channel.TELEPHONE, Channel.VOICEMAIL, Channel.TEXT], Skipped.NO_ALLOWED_CHANNEL),
        (OutreachStep.CONSENTED_CONTACT, list(Channel), Skipped.NO_CONSENT),
        (OutreachStep.TEAM_REVIEW, [], ()),
        (OutreachStep.CASE_CONFERENCE, [], ()),
    ],
)
def test_a_step_obeys_what_the_client_allows(
    step: OutreachStep, allowed: list[Channel], expected: tuple[Channel, ...] | Skipped
) -> None:
    assert way(step, contact(*allowed)) == expected


def test_of_whoever_was_never_asked_nothing_is_allowed() -> None:
    never = Contact(client=CLIENT, version=0)

    assert [way(step, never) for step in (OutreachStep.SAME_DAY, OutreachStep.LETTER)] == [Skipped.NOT_ASKED] * 2
    assert way(OutreachStep.TEAM_REVIEW, never) == ()


def test_every_step_and_every_reason_says_something() -> None:
    assert set(SAYS) == set(OutreachStep)
    assert set(SKIPPED_SAYS) == set(Skipped)


class Contacts:
    """Keeps contacts in memory."""

    def __init__(self) -> None:
        self.kept: list[Contact] = []

    async def add_contact(self, contact: Contact, /) -> None:
        self.kept.append(contact)


async def said(before: Contact, reason: str | None = None, **what: Any) -> Contact:
    return await say_contact(
        before,
        Reachable(**what),
        reason,
        by=counsellor(HOUSE),
        now=SINCE,
        contacts=Contacts(),
        journal=Remembered(),
    )


@pytest.mark.parametrize(
    ("what", "where"),
    [
        ({"allowed": frozenset({Channel.TEXT})}, "telephone"),
        ({"allowed": frozenset({Channel.POST})}, "address"),
        ({"allowed": frozenset({Channel.VISIT})}, "address"),
        ({"allowed": frozenset({Channel.VOICEMAIL}), "telephone": "555"}, "allowed"),
        ({"telephone": " "}, "telephone"),
        ({"telephone": "5" * 65}, "telephone"),
        ({"address": "x" * 1001}, "address"),
        ({"heed": ""}, "heed"),
    ],
)
async def test_what_could_not_be_done_is_not_allowed(what: dict[str, Any], where: str) -> None:
    with pytest.raises(Invalid) as refused:
        await said(NEVER, **what)
    assert [fault.field for fault in refused.value.faults] == [where]


async def test_how_somebody_may_be_reached_changes_with_a_reason() -> None:
    first = await said(NEVER, telephone="5" * 64, allowed=frozenset({Channel.TELEPHONE, Channel.VOICEMAIL}))
    assert (first.version, first.reason) == (1, None)
    with pytest.raises(Invalid, match="say why"):
        await said(first)

    second = await said(first, "Moved out; nobody else is to pick up.")

    assert (second.version, second.said.allowed) == (2, frozenset())


# What was agreed with the client on their request (45 CFR 164.522(b)).

BOX = Reachable(
    allowed=frozenset({Channel.POST, Channel.TEXT}), telephone="555 0177", address="PO Box 9", heed="Ask for Sam."
)
AGREED = AgreedContact(request=RightsRequestId(new_id()), to=BOX)


def test_only_what_is_allowed_is_shown_for_use() -> None:
    ways = ways_to(contact(Channel.TEXT))

    assert (ways.by, ways.telephone, ways.address, ways.is_agreed) == ((Channel.TEXT,), "555 0100", None, False)
    assert ways_to(contact(Channel.VISIT, Channel.POST)).telephone is None
    assert ways_to(contact(Channel.VISIT, Channel.POST)).by == (Channel.POST, Channel.VISIT), "in their order"
    never = ways_to(NEVER)
    assert (never.by, never.telephone, never.address, never.heed) == ((), None, None, None)


@given(st.frozensets(st.sampled_from(Channel)), st.frozensets(st.sampled_from(Channel)))
def test_nothing_is_used_that_was_not_both_said_and_agreed(
    said: frozenset[Channel], agreed: frozenset[Channel]
) -> None:
    to = Reachable(allowed=agreed, telephone="555 0177", address="PO Box 9")
    one = replace(contact(*said), agreed=AgreedContact(request=AGREED.request, to=to))

    ways = ways_to(one)

    assert set(ways.by) == said & agreed
    assert ways.telephone in {None, "555 0177"}
    assert ways.address in {None, "PO Box 9"}
    for step in OutreachStep:
        by = way(step, one)
        assert isinstance(by, Skipped) or set(by) <= said & agreed


@pytest.mark.parametrize(
    "wider",
    [
        {"allowed": frozenset({Channel.POST, Channel.VISIT})},
        {"telephone": "555 0100"},
        {"address": "1 Example Street"},
    ],
)
async def test_what_was_agreed_is_narrowed_at_once_and_never_widened(wider: dict[str, Any]) -> None:
    agreed = replace(contact(), said=BOX, agreed=AGREED)
    whole = {"allowed": BOX.allowed, "telephone": BOX.telephone, "address": BOX.address}

    with pytest.raises(ContactAgreed):
        await said(agreed, "They moved.", **{**whole, **wider})
    less = await said(agreed, "No more texts.", allowed=frozenset({Channel.POST}), address=BOX.address)

    assert (less.said.allowed, less.agreed, less.agreed_in) == ({Channel.POST}, AGREED, None)
    assert ways_to(less).by == (Channel.POST,)


@pytest.mark.parametrize(
    ("agreed", "said", "heeded"),
    [
        (None, None, None),
        (None, "Not in August.", "Not in August."),
        ("Plain envelopes.", None, "Plain envelopes."),
        ("Plain envelopes.", "Plain envelopes.", "Plain envelopes."),
        ("Plain envelopes.", "Not in August.", "Plain envelopes.\nNot in August."),
        ("Plain envelopes.", "Plain envelopes.\nNot in August.", "Plain envelopes.\nNot in August."),
        ("Not at home.", "Not at home", "Not at home.\nNot at home"),
    ],
)
def test_what_was_agreed_to_be_heeded_stands_before_what_was_said(
    agreed: str | None, said: str | None, heeded: str | None
) -> None:
    standing = AgreedContact(request=RightsRequestId(new_id()), to=Reachable(heed=agreed))
    one = Contact(client=ClientId(new_id()), version=2, said=Reachable(heed=said), agreed=standing)
    assert ways_to(one).heed == heeded


async def test_what_was_agreed_is_the_newest_version_whatever_stood_before() -> None:
    kept = Contacts()
    given: dict[str, Any] = {"by": counsellor(HOUSE), "now": SINCE, "contacts": kept, "journal": Remembered()}

    first = await agree_contact(NEVER, AGREED, **given)
    after = await agree_contact(contact(*Channel, version=3), AGREED, **given)

    assert kept.kept == [first, after]
    assert (first.version, first.reason, first.agreed_in) == (1, None, AGREED.request)
    assert (after.version, after.said, after.agreed) == (4, BOX, AGREED)
    assert after.reason is not None


def test_a_check_in_is_not_planned_beside_what_was_agreed() -> None:
    agreed = replace(contact(), said=BOX, agreed=AGREED)

    for mode in (Mode.IN_PERSON, Mode.VIDEO, Mode.TEXT):
        require_agreed(mode, agreed)
    for mode in (Mode.TELEPHONE, Mode.HOME_VISIT):
        with pytest.raises(Invalid, match="agreed"):
            require_agreed(mode, agreed)
        require_agreed(mode, contact(Channel.TEXT))


async def test_a_task_says_that_another_number_on_file_is_not_to_be_used() -> None:
    shelf = Shelf()

    await climbed(climber(), shelf, now=SINCE)
    await climbed(climber(said=replace(contact(*Channel), said=BOX, agreed=AGREED)), shelf, now=SINCE)

    plain, agreed = shelf.tasks
    assert "no other that is on file" not in plain.says
    assert "Allowed: text. It was agreed" in agreed.says
    assert "no other that is on file" in agreed.says


# Taking the steps.


class Shelf:
    """Keeps steps in memory; the key is theirs."""

    def __init__(self) -> None:
        self.steps: dict[tuple[CheckInId, datetime, OutreachStep], Taken] = {}
        self.tasks: list[CareTask] = []
        self.standing: Next | None = None
        self.people: Sequence[RelatedPerson] = ()
        self.consents: Sequence[Consent] = ()

    async def around(self, client: ClientId, /) -> tuple[Sequence[RelatedPerson], Sequence[Consent]]:
        assert client == CLIENT
        return self.people, self.consents

    async def take(self, climber: Climber, taken: Taken, task: CareTask | None, /) -> bool:
        key = (climber.check_in, climber.overdue_since, taken.step)
        if key in self.steps:
            return False
        self.steps[key] = taken
        self.tasks += [] if task is None else [task]
        return True

    async def stand(self, climber: Climber, next_one: Next | None, /) -> None:
        self.standing = next_one


def climber(said: Contact | None = None) -> Climber:
    return Climber(
        client=CLIENT,
        programme=HOUSE,
        check_in=CheckInId(new_id()),
        overdue_since=SINCE,
        named=StaffId(new_id()),
        contact=said or contact(*Channel),
    )


def ground() -> Ground:
    house = Programme(id=HOUSE, code="H", name="House", time_zone=NEW_YORK.key, profiles=Selected("US"))
    return ground_of(house, frozenset(), now=SINCE)


async def climbed(one: Climber, shelf: Shelf, *, now: datetime) -> tuple[list[OutreachStep], Remembered]:
    journal = Remembered()
    made = await climb(one, ground(), by=counsellor(HOUSE), now=now, ladders=shelf, journal=journal)
    return [each.step for each in made], journal


async def test_a_step_becomes_a_task_of_whoever_answers_for_the_client() -> None:
    one, shelf = climber(), Shelf()

    made, journal = await climbed(one, shelf, now=SINCE)

    assert made == [OutreachStep.SAME_DAY]
    [task] = shelf.tasks
    assert (task.for_staff, task.kind, task.due_at) == (one.named, CareTaskKind.OUTREACH, SINCE)
    assert task.says == "Reach the client today. Allowed: text or telephone or a message on the machine."
    assert task.ladder is not None
    assert task.ladder.rule == "us.outreach of US-1"
    assert shelf.standing == Next(step=OutreachStep.NEXT_DAY, due_at=SINCE + DAY)
    [event] = journal.events
    assert (event.client, event.facts, event.records) == (CLIENT, {"step": "same_day"}, (one.check_in, task.id))


async def test_before_it_is_due_nothing_is_taken() -> None:
    one, shelf = climber(), Shelf()
    await climbed(one, shelf, now=SINCE)
    [first] = shelf.steps.values()
    again = dataclasses.replace(one, taken=(first,))

    assert await climbed(again, shelf, now=SINCE + DAY - MINUTE) == ([], Remembered())
    assert (await climbed(again, shelf, now=SINCE + DAY))[0] == [OutreachStep.NEXT_DAY]


async def test_whoever_comes_second_takes_nothing_and_tells_nothing() -> None:
    one, shelf = climber(), Shelf()
    await climbed(one, shelf, now=SINCE)

    made, journal = await climbed(one, shelf, now=SINCE)

    assert (made, journal.events, len(shelf.tasks)) == ([], [], 1)


async def test_a_skipped_step_says_why_makes_no_task_and_the_ladder_goes_on() -> None:
    one, shelf = climber(Contact(client=CLIENT, version=0)), Shelf()

    made, journal = await climbed(one, shelf, now=SINCE)

    assert made == [OutreachStep.SAME_DAY]
    assert shelf.tasks == []
    assert [each.skipped for each in shelf.steps.values()] == [Skipped.NOT_ASKED]
    assert journal.events[0].facts == {"step": "same_day", "skipped": "not_asked"}
    assert shelf.standing == Next(step=OutreachStep.NEXT_DAY, due_at=SINCE + DAY)


async def told_whom(*categories: Category, people: int = 1) -> tuple[Shelf, Remembered, list[RelatedPerson]]:
    """The step that asks others, of a client who lets so many people be told this."""
    shelf = Shelf()
    around = [person(RelatedPersonId(new_id()), InvolvementKind.EMERGENCY_CONTACT) for _ in range(people)]
    shelf.people = around
    if categories:
        signed = consent(
            draft(
                recipients=tuple(Recipient(person=each.id) for each in around),
                categories=frozenset(categories),
                purposes=frozenset({Purpose.FAMILY_INVOLVEMENT}),
            ),
            where=Setting(programme=programme(), around={each.id: each for each in around}, born=date(1990, 1, 1)),
        )
        shelf.consents = [dataclasses.replace(signed, discloser=HOUSE, signature=signature(SINCE - DAY))]
    before = (taken(OutreachStep.SAME_DAY, SINCE), taken(OutreachStep.NEXT_DAY, SINCE + DAY))
    _, journal = await climbed(dataclasses.replace(climber(), taken=before), shelf, now=SINCE + 2 * DAY)
    return shelf, journal, around


async def test_the_step_that_asks_others_names_whom_and_what_they_may_be_told() -> None:
    shelf, journal, [mother] = await told_whom(Category.PRESENCE)

    [step], [task] = shelf.steps.values(), shelf.tasks
    assert (step.skipped, [each.person for each in step.asked]) == (None, [mother.id])
    assert task.says == (
        "Ask whom the client lets us ask. Rosa Example (mother) may be told that the client comes here, and nothing else."
        " Look again before you ring: a consent can be revoked."
    )
    [event] = journal.events
    assert event.records[1:] == (task.id, mother.id, step.asked[0].consent)


@pytest.mark.parametrize(("people", "named"), [(5, 5), (6, 5)])
async def test_a_task_names_a_few_and_the_step_keeps_all(people: int, named: int) -> None:
    shelf, _, around = await told_whom(Category.PRESENCE, Category.ATTENDANCE, people=people)

    [step], [task] = shelf.steps.values(), shelf.tasks
    assert {each.person for each in step.asked} == {each.id for each in around}
    assert task.says.count("that the client comes here and that they have not come, and nothing else.") == named


async def test_without_a_consent_nobody_is_asked_and_the_step_says_so() -> None:
    shelf, journal, _ = await told_whom()

    [step] = shelf.steps.values()
    assert (step.skipped, step.asked, shelf.tasks) == (Skipped.NO_CONSENT, (), [])
    assert journal.events[0].facts == {"step": "consented_contact", "skipped": "no_consent"}


async def test_at_its_end_nothing_stands_next() -> None:
    one, shelf = climber(), Shelf()
    now = SINCE
    for step in OutreachStep:
        made, _ = await climbed(dataclasses.replace(one, taken=tuple(shelf.steps.values())), shelf, now=now)
        assert made == [step]
        now = shelf.standing.due_at if shelf.standing is not None else now

    assert shelf.standing is None
    assert [task.ladder.step for task in shelf.tasks if task.ladder is not None] == [
        step for step in OutreachStep if step is not OutreachStep.CONSENTED_CONTACT
    ]
