"""What the saved questions find, what they leave alone, and who may say that it has been looked at."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from caseload.domain.access import Holding, Role
from caseload.domain.accesslog import LogScope
from caseload.domain.errors import Invalid, NotPermitted
from caseload.domain.ids import ClientId, EntryId, ProgrammeId, ReviewId, StaffId, new_id
from caseload.domain.journal import Event
from caseload.domain.oversight import (
    Conclusion,
    Finding,
    FindingUnknown,
    NotYourOwn,
    Office,
    OpenAccount,
    Places,
    Quarter,
    Question,
    RestrictedWhile,
    Review,
    ReviewedAlready,
    Shift,
    Span,
    Trace,
    ask,
    questions,
    review,
    subject_of,
    unreviewed,
)
from caseload.domain.oversight.findings import accounts_to_close, bulk_reads, out_of_hours, repeated_denials
from caseload.domain.people import Staff
from caseload.domain.profiles.selected import Selected
from caseload.domain.programme import Programme

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
HERE = ProgrammeId(new_id())
NEW_YORK = ZoneInfo("America/New_York")
PLACES = Places.of([Programme(id=HERE, code="HH", name="H", time_zone="America/New_York", profiles=Selected("US"))])
RULES = questions()


def somebody(*roles: Role, programme: ProgrammeId | None = None) -> Staff:
    holdings = tuple(Holding(role=role, programme=programme) for role in roles)
    return Staff(id=StaffId(new_id()), user_name="u", printed_name="U", session=None, holdings=holdings)


def trace(actor: StaffId | None = None, *, day: int = 20, entries: int = 1, clients: int = 1) -> Trace:
    at = datetime(2026, 11, day, 15, tzinfo=UTC)
    return Trace(
        actor=actor or StaffId(new_id()),
        day=date(2026, 11, day),
        entries=entries,
        first=EntryId(new_id()),
        first_at=at,
        last_at=at + timedelta(minutes=entries),
        clients=clients,
        client=ClientId(new_id()),
    )


@dataclass
class World:
    """The log and the record, as far as the questions ask about them."""

    traces_opened: Sequence[Trace] = ()
    traces_refused: Sequence[Trace] = ()
    traces_shown: Sequence[Trace] = ()
    traces_told: Sequence[Trace] = ()
    traces_after: Sequence[Trace] = ()
    traces_restricted: Sequence[Trace] = ()
    restrictions: Sequence[RestrictedWhile] = ()
    read: Sequence[Quarter] = ()
    reasons: frozenset[int] = frozenset()
    names: Mapping[int, bool] = field(default_factory=dict[int, bool])
    duty: Sequence[Shift] = ()
    accounts: Sequence[OpenAccount] = ()
    closed: Mapping[StaffId, datetime] = field(default_factory=dict[StaffId, datetime])
    kept: list[Review] = field(default_factory=list[Review])
    scopes: list[LogScope] = field(default_factory=list[LogScope])
    seen: list[ClientId] = field(default_factory=list[ClientId])
    told_of: list[Event] = field(default_factory=list[Event])

    async def opened(self, span: Span, scope: LogScope, places: Places) -> Sequence[Trace]:
        self.scopes.append(scope)
        return self.traces_opened

    async def quarters(self, span: Span, scope: LogScope) -> Sequence[Quarter]:
        return self.read

    async def shown(self, span: Span, scope: LogScope, places: Places, *, but: Sequence[str]) -> Sequence[Trace]:
        return self.traces_shown

    async def told(self, span: Span, scope: LogScope, places: Places, *, events: Sequence[str]) -> Sequence[Trace]:
        return self.traces_told

    async def refused(self, span: Span, scope: LogScope, places: Places) -> Sequence[Trace]:
        return self.traces_refused

    async def after(self, ends: Mapping[StaffId, datetime], span: Span, places: Places) -> Sequence[Trace]:
        return [each for each in self.traces_after if each.actor in ends]

    async def restricted(self, span: Span, scope: Any = None, places: Any = None, restricted: Any = None) -> Any:
        """Of the record by the span alone, of the log with what the record said."""
        if scope is None:
            return self.restrictions
        assert restricted is self.restrictions
        return self.traces_restricted

    async def actor_of(self, entry: EntryId, scope: LogScope) -> StaffId | None:
        return next((each.actor for each in self.traces_opened if each.first == entry), None)

    async def linked(self, opened: Sequence[Trace], *, days: int, programme_days: int) -> frozenset[int]:
        return self.reasons

    async def alike(self, opened: Sequence[Trace]) -> Mapping[int, bool]:
        return self.names

    async def shifts(self, span: Span) -> Sequence[Shift]:
        return self.duty

    async def open_accounts(self, *, programmes: Iterable[ProgrammeId] | None) -> Sequence[OpenAccount]:
        return self.accounts

    async def closed_accounts(self, programmes: Iterable[ProgrammeId] | None) -> Mapping[StaffId, datetime]:
        return self.closed

    async def of(self, question: Question, found: Sequence[UUID]) -> Mapping[UUID, Review]:
        newest = sorted(self.kept, key=lambda each: each.covers_until)
        return {each.finding: each for each in newest if each.question is question and each.finding in found}

    async def get(self, review: ReviewId) -> Review:
        raise FindingUnknown

    async def add(self, review: Review) -> None:
        self.kept.append(review)

    def saw(self, client: ClientId, kind: str) -> None:
        self.seen.append(client)

    def tell(self, event: Event) -> None:
        self.told_of.append(event)

    @property
    def office(self) -> Office:
        return Office(traces=self, grounds=self, reviews=self, places=PLACES)


async def asked(
    question: Question,
    world: World,
    *,
    by: Staff | None = None,
    unreviewed_only: bool = False,
    after: UUID | None = None,
    limit: int = 50,
) -> list[Finding]:
    found = await ask(
        question,
        Span.of(None, None, now=NOW),
        unreviewed_only=unreviewed_only,
        after=after,
        limit=limit,
        by=by or somebody(Role.AUDITOR),
        office=world.office,
        journal=world,
    )
    return [each.finding for each in found]


def a_review(of: Trace, *, by: Staff, covers: datetime | None = None, note: str = "Their sister's record.") -> Review:
    return Review(
        id=ReviewId(new_id()),
        question=Question.WITHOUT_LINK,
        finding=of.first,
        staff=of.actor,
        covers_until=covers or of.last_at,
        conclusion=Conclusion.TAKEN_UP,
        note=note,
        reviewed_by=by.id,
        reviewed_at=NOW,
    )


async def test_a_record_opened_without_a_reason_is_found_and_one_with_a_reason_is_not() -> None:
    with_reason, without = trace(), trace(entries=3)
    world = World(traces_opened=[with_reason, without], reasons=frozenset({0}))
    [finding] = await asked(Question.WITHOUT_LINK, world)
    assert (finding.id, finding.staff, finding.client, finding.entries) == (
        without.first,
        without.actor,
        without.client,
        3,
    )
    assert "3 times on 2026-11-20" in finding.why
    assert finding.rule == f"without_link/{RULES.version}"
    assert world.seen == [without.client], "whoever is named to the reviewer is shown to the reviewer"


async def test_a_namesake_is_found_and_said_to_be_one_or_perhaps_the_person_themselves() -> None:
    world = World(traces_opened=[trace(), trace(), trace()], names={0: True, 2: False})
    found = await asked(Question.OWN_OR_NAMESAKE, world)
    assert sorted(("given and family" in each.why, "once" in each.why) for each in found) == [
        (False, True),
        (True, True),
    ]


def quarter(at: datetime, *, actor: StaffId, programme: ProgrammeId | None = HERE) -> Quarter:
    return Quarter(
        actor=actor,
        programme=programme,
        begins=at,
        entries=2,
        first=EntryId(new_id()),
        last_at=at + timedelta(minutes=9),
    )


async def test_hours_are_those_of_the_programmes_own_clock_and_a_shift_excuses() -> None:
    night, nurse, on_duty = datetime(2026, 11, 20, 3, tzinfo=NEW_YORK), StaffId(new_id()), StaffId(new_id())
    day = datetime(2026, 11, 20, 9, tzinfo=NEW_YORK)
    read = [
        quarter(night, actor=nurse),
        quarter(night + timedelta(hours=1), actor=nurse, programme=None),
        quarter(day, actor=nurse),
        quarter(night, actor=on_duty),
        quarter(night + timedelta(hours=9, minutes=0), actor=on_duty),
    ]
    shift = Shift(staff=on_duty, starts_at=night - timedelta(hours=3), ends_at=night + timedelta(hours=3))
    [finding] = await asked(Question.OUT_OF_HOURS, World(read=read, duty=[shift]))
    assert (finding.staff, finding.entries, finding.day) == (nurse, 4, date(2026, 11, 20))
    assert (finding.id, finding.first_at) == (read[0].first, night)
    assert finding.last_at == read[1].last_at
    assert "4 times" in finding.why


async def test_the_first_and_the_last_minute_of_opening() -> None:
    rules = RULES.out_of_hours
    for minute, found in (("05:45", 1), ("06:00", 0), ("20:45", 0), ("21:00", 1)):
        at = datetime.fromisoformat(f"2026-11-20T{minute}").replace(tzinfo=NEW_YORK)
        assert len(list(out_of_hours([quarter(at, actor=StaffId(new_id()))], [], PLACES.zones, rules))) == found, minute


async def test_a_day_is_measured_by_the_other_days_of_the_same_person() -> None:
    rules = RULES.bulk_reads
    curious, busy, new = (StaffId(new_id()) for _ in range(3))
    usual = [
        trace(who, day=day, clients=clients) for who, clients in ((curious, 40), (busy, 300)) for day in range(1, 8)
    ]
    outlier = trace(curious, day=20, clients=120)
    found = list(bulk_reads([*usual, outlier, trace(busy, day=20, clients=310)], [], rules))
    assert [each.id for each in found] == [outlier.first]
    assert "120 clients on 2026-11-20; on their 7 other days in this time the median was 40" in found[0].why
    few = [trace(new, day=1, clients=rules.clients_without_comparison - 1), trace(new, day=2, clients=500)]
    [first_days] = bulk_reads(few, [], rules)
    assert first_days.id == few[1].first
    assert "only 1 other days" in first_days.why
    small = [*usual[:7], trace(curious, day=21, clients=rules.at_least_clients - 1)]
    assert not list(bulk_reads([replace(each, clients=min(each.clients, 99)) for each in small], [], rules))


async def test_every_file_that_was_taken_away_is_found() -> None:
    world = World(traces_told=[trace(entries=2)])
    [finding] = await asked(Question.BULK_READS, world)
    assert "as a file 2 times on 2026-11-20" in finding.why


async def test_refusals_count_from_the_threshold_on() -> None:
    least = RULES.repeated_denials.at_least_refusals
    world = World(traces_refused=[trace(entries=least - 1), trace(entries=least)])
    [finding] = await asked(Question.REPEATED_DENIALS, world)
    assert finding.entries == least
    assert not list(repeated_denials(world.traces_refused, least + 1))


def account(*, made: int = 400, used: int | None = 1, role_ended: int | None = None, held: bool = True) -> OpenAccount:
    return OpenAccount(
        staff=StaffId(new_id()),
        created_at=NOW - timedelta(days=made),
        last_used_at=None if used is None else NOW - timedelta(days=used),
        role_until=None if role_ended is None else NOW - timedelta(days=role_ended),
        ever_held=held,
    )


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (account(), ""),
        (account(role_ended=-30), ""),
        (account(used=44), ""),
        (account(used=45), "not been used since 2026-10-08"),
        (account(used=None, made=45), "when it was made, and never used"),
        (account(used=None, made=44), ""),
        (account(role_ended=13), ""),
        (account(role_ended=14), "The last role ended on 2026-11-08."),
        (account(held=False), "never given a role"),
        (account(held=False, made=13, used=None), ""),
    ],
)
async def test_an_account_is_to_be_closed_when_nobody_needs_it(given: OpenAccount, why: str) -> None:
    found = list(accounts_to_close([given], [], RULES.accounts_to_close, at=NOW))
    assert [each.id for each in found] == ([given.staff] if why else [])
    assert all(why in each.why and each.last_at == NOW for each in found)


async def test_what_a_closed_account_still_did_is_found() -> None:
    late, other = trace(entries=2), trace()
    world = World(traces_after=[late, other], closed={late.actor: NOW - timedelta(days=9)})
    [finding] = await asked(Question.ACCOUNTS_TO_CLOSE, world)
    assert (finding.id, finding.staff) == (late.first, late.actor)
    assert "Left 2 entries after the account was closed" in finding.why


async def test_pages_follow_one_another_newest_first() -> None:
    world = World(traces_opened=[trace() for _ in range(5)])
    found: list[UUID] = []
    while page := await asked(Question.WITHOUT_LINK, world, after=found[-1] if found else None, limit=2):
        found += [each.id for each in page]
    assert found == sorted((each.first for each in world.traces_opened), reverse=True)


async def test_a_review_settles_what_was_there_and_what_comes_later_opens_it_again() -> None:
    subject = trace(entries=3)
    world, reviewer = World(traces_opened=[subject]), somebody(Role.PRIVACY_OFFICER)
    await review(a_review(subject, by=reviewer), by=reviewer, now=NOW, office=world.office, journal=world)
    assert await asked(Question.WITHOUT_LINK, world, unreviewed_only=True) == []
    [kept] = await ask(
        Question.WITHOUT_LINK,
        Span.of(None, None, now=NOW),
        unreviewed_only=False,
        after=None,
        limit=9,
        by=reviewer,
        office=world.office,
        journal=world,
    )
    assert kept.review == world.kept[0]
    world.traces_opened = [replace(subject, entries=4, last_at=subject.last_at + timedelta(hours=1))]
    assert len(await asked(Question.WITHOUT_LINK, world, unreviewed_only=True)) == 1
    [told] = world.told_of
    assert (told.client, told.records[1:]) == (None, (subject.first, subject.actor))


async def test_nobody_reviews_what_they_did_themselves() -> None:
    reviewer = somebody(Role.AUDITOR)
    subject = trace(reviewer.id)
    world = World(traces_opened=[subject])
    with pytest.raises(NotYourOwn):
        await review(a_review(subject, by=reviewer), by=reviewer, now=NOW, office=world.office, journal=world)
    assert not world.kept


async def test_a_review_says_something_covers_no_future_and_is_made_once() -> None:
    reviewer, subject = somebody(Role.AUDITOR), trace()
    world = World(traces_opened=[subject])
    for wrong in (
        a_review(subject, by=reviewer, note=" "),
        a_review(subject, by=reviewer, note="x" * 2001),
        a_review(subject, by=reviewer, covers=NOW + timedelta(seconds=1)),
    ):
        with pytest.raises(Invalid):
            await review(wrong, by=reviewer, now=NOW, office=world.office, journal=world)
    await review(a_review(subject, by=reviewer), by=reviewer, now=NOW, office=world.office, journal=world)
    with pytest.raises(ReviewedAlready):
        await review(a_review(subject, by=reviewer), by=reviewer, now=NOW, office=world.office, journal=world)


async def test_the_subject_of_a_finding_is_read_from_the_log_or_is_the_account() -> None:
    by, subject, idle = somebody(Role.AUDITOR), trace(), account()
    office = World(traces_opened=[subject], accounts=[idle]).office
    assert await subject_of(Question.WITHOUT_LINK, subject.first, by=by, office=office) == subject.actor
    assert await subject_of(Question.ACCOUNTS_TO_CLOSE, idle.staff, by=by, office=office) == idle.staff
    for question, unknown in ((Question.WITHOUT_LINK, idle.staff), (Question.ACCOUNTS_TO_CLOSE, new_id())):
        with pytest.raises(FindingUnknown):
            await subject_of(question, unknown, by=by, office=office)


@pytest.mark.parametrize("role", [role for role in Role if role not in {Role.AUDITOR, Role.PRIVACY_OFFICER}])
async def test_only_who_may_read_the_log_asks_and_reviews(role: Role) -> None:
    world, by, subject = World(), somebody(role), trace()
    with pytest.raises(NotPermitted):
        await asked(Question.WITHOUT_LINK, world, by=by)
    with pytest.raises(NotPermitted):
        await review(a_review(subject, by=by), by=by, now=NOW, office=world.office, journal=world)
    with pytest.raises(NotPermitted):
        await subject_of(Question.WITHOUT_LINK, subject.first, by=by, office=world.office)


async def test_an_auditor_of_one_programme_asks_about_that_programme_alone() -> None:
    world = World()
    await asked(Question.WITHOUT_LINK, world, by=somebody(Role.AUDITOR, programme=HERE))
    assert world.scopes == [LogScope(programmes=frozenset({HERE}))]


def test_a_span_is_a_month_unless_said_and_three_at_most() -> None:
    assert Span.of(None, None, now=NOW) == Span(since=NOW - timedelta(days=31), until=NOW)
    assert Span.of(None, NOW + timedelta(days=9), now=NOW).until == NOW, "the future has not happened"
    for since, until in (
        (NOW, NOW),
        (NOW - timedelta(days=93), NOW),
        (datetime(2026, 11, 1), None),  # noqa: DTZ001  what a caller may send
        (None, datetime(1, 1, 1, 1, tzinfo=UTC)),
        (datetime.max.replace(tzinfo=UTC), None),
    ):
        with pytest.raises(Invalid):
            Span.of(since, until, now=NOW)


def test_without_a_programme_the_days_are_those_of_greenwich() -> None:
    assert Places.of([]).zones == {None: ZoneInfo("UTC")}
    assert PLACES.zones == {HERE: NEW_YORK, None: NEW_YORK}


async def test_a_restricted_client_who_was_shown_to_somebody_not_named_is_a_finding() -> None:
    shown = trace(entries=3)
    world = World(traces_restricted=[shown])
    [finding] = await asked(Question.RESTRICTED_USE, world)
    assert (finding.staff, finding.client, finding.entries) == (shown.actor, shown.client, 3)
    assert "3 times on 2026-11-20, without being named" in finding.why
    assert world.seen == [shown.client]


async def test_what_waits_to_be_looked_at_is_counted_without_what_one_did_oneself_and_what_somebody_looked_at() -> None:
    officer, settled, reopened = somebody(Role.PRIVACY_OFFICER), trace(), trace()
    world = World(traces_restricted=[settled, reopened, trace(), trace(actor=officer.id)])
    span = Span.of(None, None, now=NOW)
    for made in (
        a_review(settled, by=officer),
        a_review(reopened, by=officer, covers=reopened.last_at - timedelta(hours=1)),
    ):
        await review(
            replace(made, question=Question.RESTRICTED_USE), by=officer, now=NOW, office=world.office, journal=world
        )
    assert await unreviewed(Question.RESTRICTED_USE, span, by=officer, office=world.office) == 2
    assert world.seen == [], "nobody is shown"
    with pytest.raises(NotPermitted):
        await unreviewed(Question.RESTRICTED_USE, span, by=somebody(Role.NURSE), office=world.office)
