"""Accountings contain exactly what they should: told by whole histories, against the definitions written down once more.

The oracle knows neither the rules' files nor the functions that are tested: 42 CFR 2.25 lists three years of what was told with
consent, and of treatment, payment and operations only what went through the electronic record; 45 CFR 164.528 six years of what was
told neither for these nor by the client's own authorisation. Who sat in a session with the client was told by their consent, or by nothing. Years are the programme's calendar years, to the local midnight.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from caseload.domain.consent import Category, Consent, ConsentKind, Expiry, Purpose, rules_on
from caseload.domain.disclosure import (
    AccountingKind,
    Disclosure,
    Ground,
    Manner,
    NothingAllowsIt,
    NoticeHow,
    SatIn,
    Telling,
)
from caseload.domain.ids import ConsentId, DisclosureId, TherapySessionId, new_id
from tests.domain.test_consent import CLIENT, SECOND, TO_MOTHER, consent, draft, operations, programme
from tests.domain.test_disclosure import EMERGENCY, HOSPITAL, NURSE, Room, by_exception, making, stated

LONG_AGO: Final = datetime(2026, 1, 1, tzinfo=UTC)
CLINIC: Final = ZoneInfo("America/New_York")
"""Where the clocks change on the second Sunday of March and the first of November."""
NOWS: Final = [
    datetime(2032, 3, 11, 17, tzinfo=UTC),
    datetime(2032, 11, 4, 17, tzinfo=UTC),
    datetime(2032, 11, 1, 4, 30, tzinfo=UTC),
    datetime(2032, 2, 29, 17, tzinfo=UTC),
    datetime(2032, 3, 14, 6, 59, 59, tzinfo=UTC),
    datetime(2032, 11, 7, 5, 30, tzinfo=UTC),
]
"""Three years before the first, and six before the third, a day of 23 or 25 hours begins; the third is still October there, the fourth
has no day of its own three years before, on the last two the clocks change."""
WITH_CONSENT: Final = {
    Ground.CONSENT, Ground.CENTRAL_REGISTRY, Ground.OTHER_PROGRAMME, Ground.PRESCRIPTION_MONITORING,
}  # fmt: skip
FOR_CARE: Final = {Purpose.TREATMENT, Purpose.PAYMENT, Purpose.OPERATIONS}
REPORTED: Final = {
    Ground.CHILD_ABUSE, Ground.CRIME_ON_PREMISES, Ground.CAUSE_OF_DEATH, Ground.AUDIT_EVALUATION, Ground.COURT_ORDER,
}  # fmt: skip
"""Neither care, nor the client's own wish, nor within the programme: what 164.528 is about."""
OTHERS: Final = {Ground.WITHIN_PROGRAMME, Ground.SERVICE_ORGANISATION}
FOR: Final = {
    Ground.CENTRAL_REGISTRY: Purpose.MULTIPLE_ENROLMENT,
    Ground.OTHER_PROGRAMME: Purpose.MULTIPLE_ENROLMENT,
    Ground.PRESCRIPTION_MONITORING: Purpose.PRESCRIPTION_MONITORING,
}
IN_THEIR_PLACE: Final = {Ground.DIRECTORS_CONSENT}
"""Consented by somebody else, for payment alone (42 CFR 2.15(a)(2))."""
YEARS: Final = {AccountingKind.PART_2: 3, AccountingKind.HIPAA: 6}


def years_before(day: date, years: int) -> date:
    """The same day so many years before; the last of February where there is none."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return date(day.year - years, 2, 28)


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=CLINIC).astimezone(UTC)


@dataclass(frozen=True)
class Signed:
    """One consent as the test knows it: for these purposes, from when, until when."""

    purposes: frozenset[Purpose]
    signed_at: datetime
    last_day: date | None
    revoked_at: datetime | None

    def holds(self, purpose: Purpose, at: datetime) -> bool:
        ends = [] if self.last_day is None else [midnight(self.last_day + timedelta(days=1))]
        ends += [] if self.revoked_at is None else [self.revoked_at]
        return purpose in self.purposes and self.signed_at <= at and all(at < end for end in ends)

    def as_kept(self) -> Consent:
        usual = operations(recipients=(HOSPITAL,)) if self.last_day is None else draft(recipients=(HOSPITAL,))
        made = consent(replace(usual, categories=frozenset({Category.PRESENCE}), purposes=self.purposes))
        return replace(
            made,
            signature=replace(made.signature, signed_at=self.signed_at),
            expiry=Expiry(never=True) if self.last_day is None else Expiry(last_day=self.last_day),
            expires_at=None if self.last_day is None else midnight(self.last_day + timedelta(days=1)),
            revoked_at=self.revoked_at,
        )


@dataclass(frozen=True)
class Tried:
    """One attempt to tell somebody that the client is one."""

    ground: Ground
    purpose: Purpose
    manner: Manner
    at: datetime
    told_at: datetime | None = None
    """Of an emergency, where it is known."""


@dataclass(frozen=True)
class Sat:
    """A relative who sat in a session with the client, by a consent or although nothing allowed it."""

    by_consent: bool
    at: datetime

    def as_registered(self) -> SatIn:
        return SatIn(
            id=DisclosureId(new_id()),
            client=CLIENT,
            programme=programme().id,
            session=TherapySessionId(new_id()),
            telling=Telling(recipient=TO_MOTHER, name="Rosa Example", purpose=Purpose.FAMILY_INVOLVEMENT),
            consent=ConsentId(new_id()) if self.by_consent else None,
            in_spite_because=None if self.by_consent else "Nobody had read the revocation.",
            rules=rules_on("US", self.at.astimezone(CLINIC).date()),
            disclosed_at=self.at,
            disclosed_by=NURSE.id,
            recorded_at=self.at,
        )


@dataclass(frozen=True)
class Story:
    """What happened until somebody asks for the accountings."""

    now: datetime
    consents: Sequence[Signed]
    tried: Sequence[Tried]
    sat: Sequence[Sat] = ()

    def told(self, one: Tried) -> bool:
        """What should have been told: by a consent in force for exactly that, or by an exception that needs none."""
        return one.ground not in WITH_CONSENT or any(each.holds(one.purpose, one.at) for each in self.consents)

    def lists(self, kind: AccountingKind, one: Tried) -> bool:
        """What the definition says of one that was told."""
        told_on = (one.told_at or one.at).astimezone(CLINIC).date()
        if told_on < years_before(self.now.astimezone(CLINIC).date(), YEARS[kind]):
            return False
        if kind is AccountingKind.HIPAA:
            return one.ground in REPORTED
        consented = one.ground in WITH_CONSENT | IN_THEIR_PLACE
        return consented and not (one.purpose in FOR_CARE and one.manner is Manner.SPOKEN)

    def lists_sitting(self, kind: AccountingKind, one: Sat) -> bool:
        """What the definition says of somebody who sat in a session."""
        came_on = one.at.astimezone(CLINIC).date()
        within = came_on >= years_before(self.now.astimezone(CLINIC).date(), YEARS[kind])
        return within and one.by_consent is (kind is AccountingKind.PART_2)


@some.composite
def stories(draw: some.DrawFn) -> Story:
    now = draw(some.sampled_from(NOWS))
    today = now.astimezone(CLINIC).date()
    edges = [midnight(years_before(today, years)) for years in YEARS.values()]
    near_edges = [
        edge + by
        for edge in (*edges, now)
        for by in (-timedelta(hours=25), -SECOND, timedelta(0), SECOND, timedelta(hours=23))
        if edge + by <= now
    ]
    moments = some.one_of(
        some.sampled_from(near_edges),
        some.sampled_from(near_edges),
        some.datetimes(
            datetime(2026, 1, 1),  # noqa: DTZ001  the bounds go without the zone that is given
            now.replace(tzinfo=None),
            timezones=some.just(UTC),
        ),
    )
    signed_at = some.just(LONG_AGO) | moments
    purposes = some.frozensets(some.sampled_from([Purpose.FAMILY_INVOLVEMENT, *FOR.values()]), min_size=1)
    signed = some.one_of(
        some.builds(
            Signed,
            some.frozensets(some.sampled_from(sorted(FOR_CARE)), min_size=1),
            signed_at,
            some.none(),
            some.none() | moments,
        ),
        some.builds(Signed, purposes, signed_at, some.dates(date(2026, 1, 1), today), some.none() | moments),
    )
    consents = draw(some.lists(signed, max_size=4))
    ends = [midnight(each.last_day + timedelta(days=1)) for each in consents if each.last_day is not None]
    ends += [each.revoked_at for each in consents if each.revoked_at is not None]
    near = [at + by for at in ends for by in (-SECOND, timedelta(0)) if at + by <= now]
    at = some.one_of(moments, some.sampled_from(near)) if near else moments
    by_consent = some.builds(
        Tried,
        some.just(Ground.CONSENT),
        some.sampled_from([Purpose.FAMILY_INVOLVEMENT, *sorted(FOR_CARE)]),
        some.sampled_from(Manner),
        at,
    )
    both = some.sampled_from(sorted(FOR)).flatmap(
        lambda ground: some.builds(Tried, some.just(ground), some.just(FOR[ground]), some.sampled_from(Manner), at)
    )
    without = some.builds(
        Tried, some.sampled_from(sorted(REPORTED | OTHERS)), some.just(Purpose.AUDIT), some.sampled_from(Manner), at
    )
    emergency = at.flatmap(
        lambda when: some.builds(
            Tried,
            some.just(Ground.EMERGENCY),
            some.just(Purpose.TREATMENT),
            some.just(Manner.SPOKEN),
            some.just(when),
            some.none() | some.just(when - timedelta(hours=2)),
        )
    )
    in_their_place = some.builds(
        Tried, some.just(Ground.DIRECTORS_CONSENT), some.just(Purpose.PAYMENT), some.sampled_from(Manner), at
    )
    tried = some.lists(some.one_of(by_consent, both, without, in_their_place, emergency), max_size=8)
    sat = some.lists(some.builds(Sat, some.booleans(), moments), max_size=4)
    return Story(now, consents, draw(tried), draw(sat))


def told_in(room: Room, one: Tried) -> Disclosure | None:
    """By the one operation that tells; None where it refuses."""
    if one.ground is Ground.EMERGENCY:
        return room.releases(replace(EMERGENCY, manner=one.manner, disclosed_at=one.told_at), now=one.at)
    word = one.ground in WITH_CONSENT | IN_THEIR_PLACE and one.manner is Manner.SPOKEN
    notice = NoticeHow.READ_OUT if word else None
    wanted = (
        making(recipient=HOSPITAL, categories=(Category.PRESENCE,), purpose=one.purpose)
        if one.ground is Ground.CONSENT
        else by_exception(one.ground, stated=stated(one.ground, on=one.at.astimezone(CLINIC).date()))
    )
    try:
        return room.tells(replace(wanted, manner=one.manner, notice_how=notice), now=one.at)
    except NothingAllowsIt:
        return None


@given(stories())
def test_an_accounting_lists_exactly_what_its_definition_says_of_everything_that_was_told(story: Story) -> None:
    check(story)


@pytest.mark.parametrize("now", NOWS)
def test_at_every_edge_the_second_decides(now: datetime) -> None:
    """Of the years, and of the consents: what was told one second before, at the edge, and one after."""
    today = now.astimezone(CLINIC).date()
    last_days = [
        years_before(today, 2),
        *(today.replace(year=2031, month=month, day=day) for month, day in ((3, 9), (11, 2))),
    ]
    revoked_at = midnight(years_before(today, 1))
    edges = [midnight(years_before(today, years)) for years in YEARS.values()]
    edges += [midnight(day + timedelta(days=1)) for day in last_days] + [revoked_at]
    consents = [Signed(frozenset({Purpose.TREATMENT}), LONG_AGO, None, revoked_at)]
    consents += [
        Signed(frozenset({purpose}), LONG_AGO, day, None)
        for purpose, day in zip([Purpose.FAMILY_INVOLVEMENT, *sorted(set(FOR.values()))], last_days, strict=True)
    ]
    moments = [edge + by for edge in edges for by in (-SECOND, timedelta(0), SECOND)]
    grounds = [(Ground.COURT_ORDER, Purpose.AUDIT), (Ground.EMERGENCY, Purpose.TREATMENT), *FOR.items()]
    grounds += [(Ground.CONSENT, Purpose.TREATMENT), (Ground.CONSENT, Purpose.FAMILY_INVOLVEMENT)]
    ways = [Manner.SPOKEN, Manner.WRITTEN]
    tried = [Tried(ground, purpose, way, at) for at in moments for ground, purpose in grounds for way in ways]
    sat = [Sat(by_consent, at) for at in moments for by_consent in (True, False)]
    told = [one for one in tried if one.ground is not Ground.EMERGENCY or one.manner is ways[0]]
    check(Story(now, consents, told, sat))


def check(story: Story) -> None:
    room = Room()
    for each in story.consents:
        room.gives(each.as_kept())
    made = {each: [told_in(room, each)] for each in dict.fromkeys(story.tried)}
    sat = [(each, each.as_registered()) for each in story.sat]
    room.book.sat = [line for _, line in sat]
    for one, [disclosure] in made.items():
        assert (disclosure is not None) is story.told(one), one
    for kind, years in YEARS.items():
        accounting = room.accounts(kind, now=story.now)
        seated = {line.id for one, line in sat if story.lists_sitting(kind, one)}
        expected = {
            disclosure.id for one, [disclosure] in made.items() if disclosure is not None and story.lists(kind, one)
        }
        assert {line.id for line in accounting.lines} == expected | seated
        assert len(accounting.lines) == len(expected) + len(seated)
        told = [disclosure for [disclosure] in made.values() if disclosure is not None]
        assert sum(accounting.left_out.values()) == len(told) + len(sat) - len(expected) - len(seated)
        assert accounting.since == years_before(story.now.astimezone(CLINIC).date(), years)


@given(stories())
def test_every_decision_is_told_to_the_log_whether_it_allowed_or_refused(story: Story) -> None:
    """And what was refused says so once, with its ground and reason; nothing that was told says that it was refused."""
    room = Room()
    for each in story.consents:
        room.gives(each.as_kept())
    for one in dict.fromkeys(story.tried):
        before = len(room.told.events)
        disclosure = told_in(room, one)
        events = room.told.events[before:]
        names = Counter(event.name for event in events)
        assert names["disclosure.made"] + names["disclosure.refused"] == 1
        assert names["disclosure.made"] == (disclosure is not None)
        assert names["consent.asked"] == (one.ground in WITH_CONSENT)
        for event in events:
            if event.name == "consent.asked":
                assert event.facts["answer"] == ("allowed" if story.told(one) else "refused")
            if event.name == "disclosure.refused":
                assert (event.facts["ground"], bool(event.facts["reason"])) == (one.ground.value, True)


def test_the_story_covers_every_ground_there_is() -> None:
    """So that a ground that is added is not left out of the accountings' test."""
    of_britain = {Ground.SAFEGUARDING, Ground.SERIOUS_HARM, Ground.CORONER, Ground.BEST_INTERESTS}
    told = WITH_CONSENT | REPORTED | OTHERS | IN_THEIR_PLACE | {Ground.EMERGENCY}
    assert told == set(Ground) - of_britain - {Ground.RESEARCH}
    assert {ConsentKind.NAMED, ConsentKind.TREATMENT_PAYMENT_OPERATIONS} <= set(ConsentKind)
