"""Disclosures: nothing leaves but by a consent or an exception that covers all of it, and each is kept whole."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as some

from caseload.domain.access import Act, Role
from caseload.domain.client import Client
from caseload.domain.consent import (
    AgreedRestriction,
    Category,
    CheckMethod,
    Consent,
    ConsentKind,
    Expiry,
    IdentityCheck,
    Purpose,
    Reason,
    Recipient,
    RecipientClass,
)
from caseload.domain.disclosure import (
    EXCEPTIONS,
    MADE_FROM_THE_RECORD,
    NEED_CONSENT,
    Accounting,
    AccountingKind,
    Completion,
    Desk,
    Disclosure,
    DisclosureUnknown,
    Dispute,
    Ground,
    Making,
    Manner,
    NoSuchAccounting,
    NothingAllowsIt,
    NoticeHow,
    NotOpen,
    Redisclosure,
    Release,
    ReleaseUnknown,
    SatIn,
    StatedField,
    account_for,
    accounted,
    complete_release,
    disclose,
    exceptions_on,
    hear_of_redisclosure,
    open_releases,
    release_in_emergency,
    rule_set,
    rule_sets,
    scope_of,
    why_left_out,
)
from caseload.domain.disclosure import rules as disclosure_rules
from caseload.domain.errors import Invalid, NotPermitted
from caseload.domain.family import WarningKind
from caseload.domain.ids import ClientId, ConsentId, DisclosureId, RedisclosureId, RightsRequestId, StaffId, new_id
from caseload.domain.people import Staff
from caseload.domain.profiles.minors import Minors
from caseload.domain.programme import Programme
from tests.domain.test_consent import (
    CLIENT,
    NOW,
    SECOND,
    TO_MOTHER,
    Around,
    Kept,
    Told,
    client,
    consent,
    covers,
    draft,
    kept_consents,
    operations,
    programme,
    question,
    staff,
    warned_mother,
)

NURSE, OFFICER = staff(Role.NURSE), staff(Role.PRIVACY_OFFICER)
BY_SIGHT = IdentityCheck(method=CheckMethod.IN_PERSON)
HOSPITAL = Recipient(name="General Hospital")
ALL_OF_IT = frozenset(Category) - {Category.COUNSELLING_NOTES, Category.GENERAL_INFORMATION, Category.BEING_HEARD}


@dataclass
class Book:
    """Everything that a disclosure is written into, kept in memory."""

    made: list[Disclosure] = field(default_factory=list[Disclosure])
    sat: list[SatIn] = field(default_factory=list[SatIn])
    heard: list[Redisclosure] = field(default_factory=list[Redisclosure])
    disputes: list[Dispute] = field(default_factory=list[Dispute])
    people: set[StaffId] = field(default_factory=lambda: {NURSE.id})

    async def add_disclosure(self, disclosure: Disclosure) -> None:
        self.made.append(disclosure)

    async def disputes_of(self, of: ClientId) -> Sequence[Dispute]:
        assert of == CLIENT
        return self.disputes

    async def disclosure(self, wanted: DisclosureId, *, by: Staff, act: Act) -> Disclosure:
        del by, act
        found = next((each for each in self.made if each.id == wanted), None)
        if found is None:
            raise DisclosureUnknown
        return found

    async def disclosures_of(
        self, of: ClientId, *, by: Staff, act: Act, after: UUID | None, limit: int
    ) -> Sequence[Disclosure | SatIn]:
        del by, act, after
        return [each for each in (*reversed(self.made), *reversed(self.sat)) if each.client == of][:limit]

    async def all_of(self, of: ClientId, *, by: Staff, act: Act) -> Sequence[Disclosure | SatIn]:
        assert act is Act.ANSWER_RIGHTS_REQUEST, "lines are read by the act by which the client was found"
        return await self.disclosures_of(of, by=by, act=act, after=None, limit=1000)

    async def open_releases(self, *, by: Staff, act: Act, limit: int) -> Sequence[tuple[Disclosure, date, str]]:
        del by, act
        return [(each, programme().today(each.recorded_at), "US") for each in self.made if each.open_fields][:limit]

    async def add_completion(self, completed: Disclosure, *, by: StaffId, at: datetime) -> None:
        del by, at
        self.made = [completed if each.id == completed.id else each for each in self.made]

    async def is_staff(self, somebody: StaffId) -> bool:
        return somebody in self.people

    async def add_redisclosure(self, heard: Redisclosure, *, of: Disclosure) -> None:
        assert heard.disclosure == of.id
        self.heard.append(heard)

    async def redisclosures_of(self, disclosure: Disclosure) -> Sequence[Redisclosure]:
        return [each for each in self.heard if each.disclosure == disclosure.id]


class Record:
    """A record that says of each kind which kind it is."""

    async def rendered(self, of: Client, category: Category, *, by: Staff, since: datetime | None) -> object:
        assert by.may_in(MADE_FROM_THE_RECORD[category], of.programme)
        return f"what the record holds of {category}"


@dataclass
class Room:
    """A programme in which somebody discloses."""

    where: Programme = field(default_factory=programme)
    kept: Kept = field(default_factory=Kept)
    book: Book = field(default_factory=Book)
    told: Told = field(default_factory=Told)
    around: Around = field(default_factory=Around)
    about: Client = field(default_factory=client)

    def gives(self, made: Consent) -> Consent:
        self.kept.consents[made.id] = made
        return made

    def tells(self, making: Making, *, by: Staff = NURSE, now: datetime = NOW) -> Disclosure:
        desk = Desk(consents=self.kept, families=self.around, rendering=Record(), disclosures=self.book)
        return asyncio.run(
            disclose(
                making,
                self.about,
                self.where,
                as_id=DisclosureId(new_id()),
                by=by,
                now=now,
                desk=desk,
                journal=self.told,
            )
        )

    def releases(self, release: Release, *, by: Staff = NURSE, now: datetime = NOW) -> Disclosure:
        return asyncio.run(
            release_in_emergency(
                release,
                client(),
                self.where,
                as_id=DisclosureId(new_id()),
                by=by,
                now=now,
                releases=self.book,
                rendering=Record(),
                journal=self.told,
            )
        )

    def completes(self, release: Disclosure, completion: Completion, *, by: Staff = NURSE) -> Disclosure:
        return asyncio.run(complete_release(release, completion, by=by, now=NOW, releases=self.book, journal=self.told))

    def accounts(self, kind: AccountingKind, *, by: Staff = OFFICER, now: datetime = NOW) -> Accounting:
        return asyncio.run(
            account_for(
                kind,
                client(),
                self.where,
                found_by=Act.ANSWER_RIGHTS_REQUEST,
                by=by,
                now=now,
                disclosures=self.book,
                journal=self.told,
            )
        )


def making(**said: Any) -> Making:
    usual = Making(
        recipient=TO_MOTHER,
        name="Rosa Example, mother",
        categories=(Category.ATTENDANCE,),
        manner=Manner.WRITTEN,
        check=BY_SIGHT,
        purpose=Purpose.FAMILY_INVOLVEMENT,
    )
    return replace(usual, **said)


def spoken(**said: Any) -> Making:
    return making(**{"manner": Manner.SPOKEN, "notice_how": NoticeHow.READ_OUT, **said})


def refusal_of(room: Room, wrong: Making, **how: Any) -> Mapping[str, object]:
    before = len(room.book.made)
    with pytest.raises(NothingAllowsIt) as refused:
        room.tells(wrong, **how)
    assert refused.value.detail
    assert len(room.book.made) == before
    return refused.value.facts


def faults_of(room: Room, wrong: Making, **how: Any) -> set[str]:
    with pytest.raises(Invalid) as refused:
        room.tells(wrong, **how)
    return {fault.field for fault in refused.value.faults}


# --- by consent ---------------------------------------------------------------------------------------------------


def test_a_document_says_what_the_record_holds_with_the_notice_and_the_scope() -> None:
    room = Room()
    given_consent = room.gives(consent())
    made = room.tells(making())
    assert (made.ground, made.rule) == (Ground.CONSENT, "42 CFR 2.31 and 2.33")
    assert made.consent == given_consent.id
    assert (made.notice, made.notice_how) == (
        "42 CFR part 2 prohibits unauthorized use or disclosure of these records.",
        NoticeHow.ON_THE_DOCUMENT,
    )
    assert made.scope == scope_of(given_consent, room.where)
    assert made.content["attendance"] == "what the record holds of attendance"
    assert made.content["about"] == {
        "given_name": "Sam",
        "family_name": "Example",
        "birth_date": "1990-01-01",
        "programme": "Harbour House",
    }
    assert (made.disclosed_by, made.disclosed_at, made.open_fields) == (NURSE.id, NOW, ())
    asked, event = room.told.events
    assert (asked.facts["answer"], event.name, event.records) == (
        "allowed",
        "disclosure.made",
        (made.id, given_consent.id),
    )


def test_what_was_spoken_says_how_the_notice_went_and_keeps_no_document() -> None:
    room = Room()
    room.gives(consent())
    made = room.tells(spoken(notice_how=NoticeHow.SENT))
    assert (made.notice_how, made.content, made.manner) == (NoticeHow.SENT, {}, Manner.SPOKEN)
    for wrong in (
        spoken(notice_how=None),
        spoken(notice_how=NoticeHow.ON_THE_DOCUMENT),
        making(notice_how=NoticeHow.READ_OUT),
    ):
        assert faults_of(room, wrong) == {"notice_how"}


def test_where_the_rules_ask_for_no_notice_none_goes_with_it() -> None:
    britain = Room(where=programme(profile="UK", time_zone="Europe/London"))
    where = replace(consent(), form="uk-named-2024-01")
    britain.gives(where)
    made = britain.tells(spoken(notice_how=None))
    assert (made.notice, made.notice_how) == (None, None)
    assert faults_of(britain, spoken()) == {"notice_how"}


def test_the_scope_says_until_when() -> None:
    here = programme()
    assert "until 2027-05-01" in scope_of(consent(), here)
    assert "until this has happened: discharge" in scope_of(consent(draft(expiry=Expiry(event="discharge"))), here)
    assert "without an end" in scope_of(consent(operations()), here)


def test_the_scope_says_the_day_of_the_signature_in_the_calendar_of_the_programme() -> None:
    """An evening in New York is the next day already in UTC."""
    evening = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)
    signed = consent(signature=replace(consent().signature, signed_at=evening))
    assert "signed on 2026-11-19." in scope_of(signed, programme(time_zone="America/New_York"))
    assert "signed on 2026-11-20." in scope_of(signed, programme(time_zone="Europe/London"))


def test_without_a_check_of_who_asks_nothing_is_told_by_any_ground() -> None:
    room = Room()
    room.gives(consent())
    assert refusal_of(room, making(check=None))["reason"] is Reason.ASKER_NOT_CHECKED
    report = by_exception(Ground.CHILD_ABUSE, categories=(Category.RISK,), check=None)
    assert refusal_of(room, report)["reason"] is Reason.ASKER_NOT_CHECKED


def test_one_consent_covers_all_of_it_or_nothing_is_told() -> None:
    room = Room()
    room.gives(consent())
    both = making(categories=(Category.ATTENDANCE, Category.MEDICATION))
    refused = refusal_of(room, both)
    assert (refused["reason"], refused["category"]) == (Reason.OTHER_CATEGORY, Category.MEDICATION)
    room.gives(consent(draft(categories=frozenset({Category.MEDICATION}))))
    assert refusal_of(room, both)["reason"] == "several_consents"
    wide = room.gives(consent(draft(categories=frozenset({Category.ATTENDANCE, Category.MEDICATION, Category.PLAN}))))
    assert room.tells(both).consent == wide.id


def test_a_consent_that_is_ended_while_it_is_prepared_refuses() -> None:
    """The work began before the revocation was received, and decides after it was recorded."""

    class Waited(Kept):
        async def hold(self, client: ClientId) -> datetime | None:
            del client
            made = next(iter(self.consents.values()))
            self.consents[made.id] = replace(made, revoked_at=NOW + SECOND)
            return NOW + SECOND

    room = Room(kept=Waited())
    room.gives(consent())
    assert refusal_of(room, making())["reason"] is Reason.REVOKED


def test_what_is_missing_or_does_not_belong_is_named_at_once() -> None:
    room = Room()
    room.gives(consent())
    wrong = making(name=" ", facility="", address=" ", stated={"law": "x"}, categories=(Category.BEING_HEARD,))
    assert faults_of(room, wrong) == {"name", "facility", "address", "stated", "categories"}
    assert faults_of(room, making(purpose=None)) == {"purpose"}
    assert faults_of(room, making(categories=())) == {"categories"}
    assert faults_of(room, making(categories=(Category.PLAN,))) == {"categories"}


def test_nobody_sees_through_a_disclosure_what_they_may_not_see() -> None:
    room = Room()
    room.gives(consent())
    assert faults_of(room, making(), by=OFFICER) == {"categories"}
    assert room.tells(spoken(), by=OFFICER).disclosed_by == OFFICER.id
    with pytest.raises(NotPermitted):
        room.tells(spoken(), by=staff(Role.FRONT_DESK))


# --- exceptions ---------------------------------------------------------------------------------------------------


def stated(ground: Ground, profile: str = "US", on: date | None = None) -> dict[str, str]:
    """Everything that an exception asks to be stated, so that it is allowed."""
    rule = exceptions_on(profile, NOW.date()).on(ground)
    assert rule is not None
    return {each.name: _said(each, on=on or NOW.date()) for each in rule.fields}


def _said(wanted: StatedField, *, on: date) -> str:
    if wanted.choices:
        return next(choice for choice, advice in wanted.choices.items() if not advice)
    return "Stated." if wanted.within_days is None else str(on)


def by_exception(ground: Ground, profile: str = "US", **said: Any) -> Making:
    rule = exceptions_on(profile, NOW.date()).on(ground)
    assert rule is not None
    return making(
        **{
            "ground": ground,
            "purpose": None,
            "recipient": Recipient(group=min(rule.recipients)) if rule.recipients else HOSPITAL,
            "name": "Whoever is entitled",
            "categories": (Category.PRESENCE,),
            "stated": stated(ground, profile),
            **said,
        }
    )


KNOWN = [(one.jurisdiction, rule.ground) for one in rule_sets() for rule in one.exceptions if rule.unsupported is None]


@pytest.mark.parametrize(("profile", "ground"), KNOWN)
def test_every_exception_needs_each_of_its_fields_and_allows_no_more_than_it_says(profile: str, ground: Ground) -> None:
    room = Room(where=programme(profile=profile))
    rule = exceptions_on(profile, NOW.date()).on(ground)
    assert rule is not None
    if rule.needs_consent:
        given_to = draft(
            recipients=(HOSPITAL,), categories=frozenset(rule.categories), purposes=frozenset({rule.purpose})
        )
        assert refusal_of(room, by_exception(ground, profile))["reason"] is Reason.NO_CONSENT
        room.gives(consent(given_to))
    made = room.tells(by_exception(ground, profile))
    assert (made.ground, made.stated, made.telling.purpose) == (ground, stated(ground, profile), rule.purpose)
    assert made.rule.startswith(rule.rule)
    assert (made.consent is not None) == (ground in NEED_CONSENT)
    assert (
        (made.notice is not None) == (made.scope is not None) == (ground in {*NEED_CONSENT, Ground.DIRECTORS_CONSENT})
    )
    for name in made.stated:
        less = {key: value for key, value in made.stated.items() if key != name}
        assert faults_of(room, by_exception(ground, profile, stated=less)) == {f"stated.{name}"}
        blank = {**made.stated, name: " "}
        assert faults_of(room, by_exception(ground, profile, stated=blank)) == {f"stated.{name}"}
    assert faults_of(room, by_exception(ground, profile, stated={**made.stated, "more": "x"})) == {"stated.more"}
    for category in ALL_OF_IT - rule.categories:
        beyond = by_exception(ground, profile, categories=(category,), manner=Manner.SPOKEN)
        assert "categories" in faults_of(room, beyond)


def test_69_a_subpoena_alone_is_refused_and_an_order_of_the_court_is_not() -> None:
    room = Room()
    for instrument in ("subpoena", "warrant"):
        said = {**stated(Ground.COURT_ORDER), "instrument": instrument}
        with pytest.raises(NothingAllowsIt, match="order of the court under subpart E") as refused:
            room.tells(by_exception(Ground.COURT_ORDER, stated=said))
        assert refused.value.facts["rule"] == "42 CFR part 2, subpart E (2.61 to 2.67)"
    said = {**stated(Ground.COURT_ORDER), "instrument": "order_alone"}
    assert room.tells(by_exception(Ground.COURT_ORDER, stated=said)).ground is Ground.COURT_ORDER


def test_another_programme_further_than_200_miles_away_takes_an_ordinary_consent() -> None:
    said = {**stated(Ground.OTHER_PROGRAMME), "distance": "further"}
    with pytest.raises(NothingAllowsIt, match="200 miles"):
        Room().tells(by_exception(Ground.OTHER_PROGRAMME, stated=said))


@pytest.mark.parametrize("profile", ["US", "UK", "AU"])
def test_research_is_unsupported_and_says_so(profile: str) -> None:
    with pytest.raises(NothingAllowsIt, match="research are not supported"):
        Room(where=programme(profile=profile)).tells(by_exception(Ground.RESEARCH, profile))


def test_an_exception_that_the_country_does_not_know_is_refused() -> None:
    abroad = making(ground=Ground.CORONER, stated=stated(Ground.CORONER, "UK"))
    assert refusal_of(Room(), abroad)["ground"] is Ground.CORONER
    assert {ground for _, ground in KNOWN} | {Ground.RESEARCH} == EXCEPTIONS


# --- in the place of somebody who cannot decide -------------------------------------------------------------------


IN_THEIR_PLACE = [("UK", Ground.BEST_INTERESTS), ("US", Ground.DIRECTORS_CONSENT)]


def agreed_with(categories: Sequence[Category]) -> AgreedRestriction:
    """That nobody is told this, as agreed with the client."""
    return AgreedRestriction(
        request=RightsRequestId(new_id()), recipient=None, categories=frozenset(categories), purposes=frozenset()
    )


@pytest.mark.parametrize(
    ("profile", "ground", "said", "advice"),
    [
        ("UK", Ground.BEST_INTERESTS, {"capacity": "regained"}, "ask the client for a consent"),
        ("UK", Ground.BEST_INTERESTS, {"capacity": "with_help"}, "help them"),
        ("UK", Ground.BEST_INTERESTS, {"capacity": "not_assessed"}, "assessed first"),
        ("UK", Ground.BEST_INTERESTS, {"can_wait": "yes"}, "when they can decide"),
        ("UK", Ground.BEST_INTERESTS, {"decides": "attorney_or_deputy"}, "the consent that they sign"),
        ("US", Ground.DIRECTORS_CONSENT, {"adjudicated": "yes"}, "personal representative"),
        ("US", Ground.DIRECTORS_CONSENT, {"condition_lasts": "no"}, "ask the client for a consent"),
    ],
)
def test_whoever_can_decide_or_is_stood_for_by_another_is_not_decided_for(
    profile: str, ground: Ground, said: dict[str, str], advice: str
) -> None:
    room = Room(where=programme(profile=profile))
    assert room.tells(by_exception(ground, profile)).ground is ground
    with pytest.raises(NothingAllowsIt, match=advice):
        room.tells(by_exception(ground, profile, stated=stated(ground, profile) | said))
    assert room.told.events[-1].facts["reason"] == "not_by_this"


@pytest.mark.parametrize(
    ("profile", "ground", "field"),
    [
        ("UK", Ground.BEST_INTERESTS, "assessed_on"),
        ("US", Ground.DIRECTORS_CONSENT, "found_on"),
        ("US", Ground.DIRECTORS_CONSENT, "signed_on"),
    ],
)
def test_what_was_found_longer_than_a_week_ago_or_on_no_day_allows_nothing(
    profile: str, ground: Ground, field: str
) -> None:
    room = Room(where=programme(profile=profile))
    today = room.where.today(NOW)

    def on(said: str) -> Making:
        return by_exception(ground, profile, stated=stated(ground, profile, on=today) | {field: said})

    for days in (0, 7):
        assert room.tells(on(str(today - timedelta(days=days))))
    for wrong in (str(today + timedelta(days=1)), str(today - timedelta(days=8)), "last week", f"{today:%Y%m%d}"):
        assert faults_of(room, on(wrong)) == {f"stated.{field}"}


@pytest.mark.parametrize(
    ("profile", "ground", "age"), [(*one, age) for one, age in zip(IN_THEIR_PLACE, (16, 18), strict=True)]
)
def test_from_the_birthday_on_and_not_a_day_earlier_somebody_is_old_enough_to_be_decided_for(
    profile: str, ground: Ground, age: int
) -> None:
    rule = exceptions_on(profile, NOW.date()).on(ground)
    assert rule is not None
    born = date(2010, 5, 4)
    birthday = born.replace(year=born.year + age)
    assert rule.too_young(born, birthday, None) is None
    advice = rule.too_young(born, birthday - timedelta(days=1), None)
    assert advice is not None
    assert str(age) in advice
    of_age_later = Minors(rule="us.minors", until_age=21, says="Here at 21.", source="State law")
    assert rule.too_young(born, birthday, of_age_later) is not None
    assert rule.too_young(born, born.replace(year=2031), of_age_later) is None


def test_who_is_too_young_is_refused_and_told_by_no_other_field() -> None:
    child = replace(client().identity, birth_date=date(2012, 1, 1))
    room = Room(where=programme(profile="UK"), about=replace(client(), identity=child))
    assert "reason" not in refusal_of(room, by_exception(Ground.BEST_INTERESTS, "UK"))
    assert room.told.events[-1].facts["reason"] == "not_by_this"


def test_a_director_consents_to_payment_alone_and_to_a_payer_alone() -> None:
    room = Room()
    wrong = by_exception(Ground.DIRECTORS_CONSENT, recipient=HOSPITAL, purpose=Purpose.TREATMENT)
    assert faults_of(room, wrong) == {"recipient.group", "purpose"}
    providers = Recipient(group=RecipientClass.TREATING_PROVIDERS)
    assert faults_of(room, by_exception(Ground.DIRECTORS_CONSENT, recipient=providers)) == {"recipient.group"}
    made = room.tells(by_exception(Ground.DIRECTORS_CONSENT, purpose=Purpose.PAYMENT))
    assert made.scope is not None
    assert "sole purpose of payment" in made.scope
    assert (made.notice_how, made.consent) == (NoticeHow.ON_THE_DOCUMENT, None)
    aloud = by_exception(Ground.DIRECTORS_CONSENT, manner=Manner.SPOKEN)
    assert faults_of(room, aloud) == {"notice_how"}
    said = room.tells(replace(aloud, notice_how=NoticeHow.SENT))
    assert why_left_out(AccountingKind.PART_2, made) is None
    assert why_left_out(AccountingKind.PART_2, said) is not None
    assert why_left_out(AccountingKind.HIPAA, made) == "For payment (45 CFR 164.528(a)(1)(i))."


@pytest.mark.parametrize(("profile", "ground"), IN_THEIR_PLACE)
def test_what_was_agreed_with_the_client_not_to_be_told_is_not_told_in_their_place(
    profile: str, ground: Ground
) -> None:
    room = Room(where=programme(profile=profile), kept=Kept(agreed=[agreed_with([Category.PRESENCE])]))
    assert refusal_of(room, by_exception(ground, profile))["reason"] is Reason.AGREED_RESTRICTION
    assert room.tells(by_exception(ground, profile, categories=(Category.ATTENDANCE,)))
    duty = Ground.CORONER if profile == "UK" else Ground.COURT_ORDER
    assert room.tells(by_exception(duty, profile)).ground is duty, "a duty does not ask for what was agreed"


def test_rules_are_those_of_their_day_and_the_first_before_that() -> None:
    assert exceptions_on("US", date(2020, 1, 1)).version == "us-2026-02"
    assert exceptions_on("US-CA-BRIDGE", date(2026, 11, 22)).version == "us-2026-02"
    assert rule_set("nobody's") is None


def test_what_stands_on_a_consent_is_the_same_in_every_country(monkeypatch: pytest.MonkeyPatch) -> None:
    read = disclosure_rules.msgspec.toml.decode

    def loosened(text: bytes, **how: Any) -> Any:
        return read(text.replace(b"needs_consent = true", b"needs_consent = false"), **how)

    monkeypatch.setattr(disclosure_rules.msgspec.toml, "decode", loosened)
    with pytest.raises(ValueError, match="stands on a consent"):
        rule_sets.__wrapped__()


# --- emergencies --------------------------------------------------------------------------------------------------


EMERGENCY = Release(name="The nurse at County ED", emergency="Overdose, unconscious.")


def test_66_an_emergency_waits_for_nothing_and_stays_open_until_all_of_it_is_filled_in() -> None:
    room = Room()
    released = room.releases(EMERGENCY)
    assert (released.ground, released.consent, released.rule) == (Ground.EMERGENCY, None, "42 CFR 2.51")
    assert set(released.content) == {"about", "presence", "medication", "take_home", "risk"}
    assert (released.open_fields, released.notice, released.telling.check) == (("facility",), None, None)
    [waiting] = asyncio.run(open_releases(by=OFFICER, act=Act.SEE_CONSENT, releases=room.book))
    assert (waiting.missing, waiting.due_at, waiting.is_overdue(NOW)) == (("facility",), NOW, True)
    with pytest.raises(Invalid) as refused:
        room.completes(released, Completion())
    assert [(each.field, each.problem) for each in refused.value.faults] == [("facility", "is needed (42 CFR 2.51)")]
    whole = room.completes(released, Completion(facility="County Hospital"))
    assert (whole.telling.facility, whole.open_fields, room.told.events[-1].name) == (
        "County Hospital",
        (),
        "disclosure.completed",
    )
    assert asyncio.run(open_releases(by=OFFICER, act=Act.SEE_CONSENT, releases=room.book)) == []
    with pytest.raises(NotOpen):
        room.completes(whole, Completion(facility="Another"))


def test_what_was_spoken_in_an_emergency_may_lack_who_told_and_when() -> None:
    room = Room()
    released = room.releases(replace(EMERGENCY, manner=Manner.SPOKEN), by=OFFICER)
    assert (released.open_fields, released.content) == (("facility", "disclosed_by", "disclosed_at"), {})
    with pytest.raises(Invalid) as refused:
        room.completes(released, Completion(facility="County Hospital"))
    assert [each.field for each in refused.value.faults] == ["disclosed_by", "disclosed_at"]
    wrong = Completion(facility=" ", disclosed_by=StaffId(new_id()), disclosed_at=NOW + SECOND)
    with pytest.raises(Invalid) as refused:
        room.completes(released, wrong)
    assert {each.field for each in refused.value.faults} == {"facility", "disclosed_by", "disclosed_at"}
    whole = room.completes(released, Completion(facility="County Hospital", disclosed_by=NURSE.id, disclosed_at=NOW))
    assert (whole.disclosed_by, whole.disclosed_at) == (NURSE.id, NOW)


def test_what_is_known_of_an_emergency_is_not_changed_afterwards() -> None:
    room = Room()
    released = room.releases(replace(EMERGENCY, manner=Manner.SPOKEN, facility="County Hospital"))
    with pytest.raises(Invalid) as refused:
        room.completes(released, Completion(facility="Another", disclosed_by=NURSE.id, disclosed_at=NOW))
    assert {each.field: each.problem for each in refused.value.faults} == {
        "facility": "is known already and stays as it is"
    }


def test_an_emergency_needs_a_recipient_and_its_nature_and_a_document_is_told_now() -> None:
    room = Room()
    wrong = Release(
        name=" ",
        emergency="",
        facility=" ",
        check=IdentityCheck(method=CheckMethod.DOCUMENT, detail=" "),
        disclosed_by=NURSE.id,
        disclosed_at=NOW,
    )
    with pytest.raises(Invalid) as refused:
        room.releases(wrong)
    assert {each.field for each in refused.value.faults} == {
        "name",
        "emergency",
        "facility",
        "check.detail",
        "disclosed_by",
        "disclosed_at",
    }
    assert room.releases(replace(EMERGENCY, check=BY_SIGHT)).telling.check == BY_SIGHT
    with pytest.raises(NotPermitted):
        room.releases(EMERGENCY, by=OFFICER)


def test_only_an_emergency_is_completed() -> None:
    room = Room()
    room.gives(consent())
    with pytest.raises(ReleaseUnknown):
        room.completes(room.tells(spoken()), Completion(facility="County Hospital"))


# --- the redisclosure trail ----------------------------------------------------------------------------------------


def test_what_was_told_on_is_kept_with_where_we_learnt_of_it() -> None:
    room = Room()
    room.gives(consent())
    made = room.tells(spoken())
    heard = Redisclosure(
        id=RedisclosureId(new_id()),
        disclosure=made.id,
        to="The client's employer",
        learnt_from="The client",
        why=None,
        learnt_at=NOW,
        recorded_by=NURSE.id,
        recorded_at=NOW,
    )

    def hears(said: Redisclosure) -> Redisclosure:
        return asyncio.run(
            hear_of_redisclosure(said, of=made, by=NURSE, now=NOW, redisclosures=room.book, journal=room.told)
        )

    assert hears(heard) in room.book.heard
    assert (room.told.events[-1].name, room.told.events[-1].records) == ("disclosure.passed_on", (made.id, heard.id))
    with pytest.raises(Invalid) as refused:
        hears(replace(heard, to=" ", learnt_from="", why=" ", learnt_at=NOW + SECOND))
    assert {each.field for each in refused.value.faults} == {"to", "learnt_from", "why", "learnt_at"}


# --- accountings --------------------------------------------------------------------------------------------------


def disclosures_of_each_ground() -> list[Disclosure]:
    """One of every ground, all of them for somebody who allowed everything."""
    room = Room()
    for kind, form, purposes in (
        (ConsentKind.NAMED, "us-named-2026-02", (Purpose.FAMILY_INVOLVEMENT, Purpose.PRESCRIPTION_MONITORING)),
        (ConsentKind.NAMED, "us-named-2026-02", (Purpose.MULTIPLE_ENROLMENT,)),
        (ConsentKind.TREATMENT_PAYMENT_OPERATIONS, "us-tpo-2026-02", (Purpose.TREATMENT,)),
    ):
        room.gives(
            consent(
                draft(
                    kind=kind,
                    form=form,
                    recipients=(HOSPITAL,),
                    categories=frozenset({Category.PRESENCE}),
                    purposes=frozenset(purposes),
                )
            )
        )
    for ground in sorted(EXCEPTIONS - {Ground.RESEARCH}):
        if exceptions_on("US", NOW.date()).on(ground) is not None:
            room.tells(by_exception(ground))
    presence: dict[str, Any] = {"recipient": HOSPITAL, "categories": (Category.PRESENCE,)}
    room.tells(making(**presence))
    room.tells(making(**presence, purpose=Purpose.TREATMENT))
    room.tells(spoken(**presence, purpose=Purpose.TREATMENT))
    room.releases(EMERGENCY)
    return room.book.made


def test_the_two_accountings_list_each_what_its_own_definition_says() -> None:
    found = disclosures_of_each_ground()
    [part2, hipaa] = [exceptions_on("US", NOW.date()).accounting(kind) for kind in AccountingKind]
    assert part2 is not None
    assert hipaa is not None

    def listed(rule: Any) -> list[tuple[Ground | None, Purpose, Manner]]:
        made = accounted(rule, found, client=CLIENT, zone=programme().zone, now=NOW)
        assert len(made.lines) + sum(made.left_out.values()) == len(found)
        told = [(each.ground, each.telling.purpose, each.manner) for each in made.lines]
        return sorted(told, key=str)

    assert listed(part2) == [
        (Ground.CENTRAL_REGISTRY, Purpose.MULTIPLE_ENROLMENT, Manner.WRITTEN),
        (Ground.CONSENT, Purpose.FAMILY_INVOLVEMENT, Manner.WRITTEN),
        (Ground.CONSENT, Purpose.TREATMENT, Manner.WRITTEN),
        (Ground.DIRECTORS_CONSENT, Purpose.PAYMENT, Manner.WRITTEN),
        (Ground.OTHER_PROGRAMME, Purpose.MULTIPLE_ENROLMENT, Manner.WRITTEN),
        (Ground.PRESCRIPTION_MONITORING, Purpose.PRESCRIPTION_MONITORING, Manner.WRITTEN),
    ]
    assert [ground for ground, _, _ in listed(hipaa)] == [
        Ground.AUDIT_EVALUATION,
        Ground.CAUSE_OF_DEATH,
        Ground.CHILD_ABUSE,
        Ground.COURT_ORDER,
        Ground.CRIME_ON_PREMISES,
    ]


@pytest.mark.parametrize(("kind", "years"), [(AccountingKind.PART_2, 3), (AccountingKind.HIPAA, 6)])
def test_an_accounting_reaches_back_so_many_years_by_the_programmes_calendar(kind: AccountingKind, years: int) -> None:
    rule = exceptions_on("US", NOW.date()).accounting(kind)
    assert rule is not None
    one = next(each for each in disclosures_of_each_ground() if why_left_out(kind, each) is None)
    first = datetime(NOW.year - years, NOW.month, NOW.day, 5, tzinfo=UTC)
    """Midnight in New York, in November."""

    def lines(at: datetime) -> int:
        made = replace(one, disclosed_at=at)
        return len(accounted(rule, [made], client=CLIENT, zone=programme().zone, now=NOW).lines)

    assert (lines(first), lines(first - SECOND)) == (1, 0)


def test_what_nobody_says_how_to_account_for_is_listed() -> None:
    room = Room()
    released = room.releases(EMERGENCY)
    assert why_left_out(AccountingKind.HIPAA, released) == "For treatment (45 CFR 164.528(a)(1)(i))."
    assert why_left_out(AccountingKind.HIPAA, replace(released, rules_version="of another house")) is None
    assert why_left_out(AccountingKind.HIPAA, replace(released, rules_version="uk-2024-01")) is None
    foreign = replace(released, ground=Ground.CORONER)
    assert why_left_out(AccountingKind.HIPAA, foreign) is None


def test_an_accounting_is_made_by_the_privacy_officer_where_the_country_knows_it() -> None:
    room = Room()
    room.gives(consent())
    room.tells(spoken())
    released = room.releases(replace(EMERGENCY, manner=Manner.SPOKEN))
    made = room.accounts(AccountingKind.PART_2)
    assert [each.ground for each in made.lines] == [Ground.CONSENT]
    assert made.left_out == {"Not made with consent (42 CFR 2.25(a)).": 1}
    assert released.disclosed_at is None, "and counted by when we were told"
    assert (room.told.events[-1].name, room.told.events[-1].facts["lines"]) == ("disclosure.accounted", 1)
    with pytest.raises(NotPermitted):
        room.accounts(AccountingKind.PART_2, by=NURSE)
    britain = Room(where=programme(profile="UK"))
    with pytest.raises(NoSuchAccounting):
        britain.accounts(AccountingKind.HIPAA)


# --- whatever is tried --------------------------------------------------------------------------------------------


RECIPIENTS = [TO_MOTHER, HOSPITAL, Recipient(group=RecipientClass.HEALTH_PLANS)]
TRIED = [
    Ground.CONSENT,
    Ground.COURT_ORDER,
    Ground.CENTRAL_REGISTRY,
    Ground.CHILD_ABUSE,
    Ground.DIRECTORS_CONSENT,
    Ground.BEST_INTERESTS,
]


@given(
    some.lists(kept_consents(), max_size=4),
    some.sampled_from(RECIPIENTS),
    some.lists(some.sampled_from(sorted(ALL_OF_IT)), min_size=1, max_size=3, unique=True),
    some.sampled_from(Purpose),
    some.tuples(some.sampled_from(["US", "UK"]), some.sampled_from(TRIED)),
    some.sampled_from([-1, 0, 7, 8]),
    some.booleans(),
    some.booleans(),
    some.sampled_from([None, 0, 1, 500]),
    some.datetimes(datetime(2026, 2, 17), datetime(2028, 1, 1), timezones=some.just(UTC)),  # noqa: DTZ001  the bounds go without the zone that is given
)
def test_nothing_is_disclosed_without_a_consent_or_an_exception_in_force_that_covers_all_of_it(
    consents: list[Consent],
    recipient: Recipient,
    categories: list[Category],
    purpose: Purpose,
    tried: tuple[str, Ground],
    found_days_ago: int,
    checked: bool,  # noqa: FBT001  given by hypothesis or pytest, by name
    agreed: bool,  # noqa: FBT001  given by hypothesis or pytest, by name
    ended_hours_later: int | None,
    at: datetime,
) -> None:
    """Also when consents are ended while it waits; and every decision that a consent could have made is in the journal."""
    profile, ground = tried
    room = Room(where=programme(profile=profile))
    ends = None if ended_hours_later is None else at + timedelta(hours=ended_hours_later)
    today = room.where.today(at)
    rule = exceptions_on(profile, today).on(ground)
    said = {} if rule is None else stated(ground, profile, on=today - timedelta(days=found_days_ago))

    class Ending(Kept):
        async def hold(self, client: ClientId) -> datetime | None:
            del client
            if ends is not None:
                self.consents = {
                    each.id: replace(each, revoked_at=min(each.revoked_at or ends, ends))
                    for each in self.consents.values()
                }
            return ends

    room.kept = Ending(agreed=[agreed_with(categories)] if agreed else [])
    for each in consents:
        room.gives(each)
    wanted = making(
        recipient=recipient,
        categories=tuple(categories),
        purpose=purpose if ground is Ground.CONSENT else None,
        ground=ground,
        stated=said,
        manner=Manner.SPOKEN,
        notice_how=NoticeHow.SENT if profile == "US" and ground in {*NEED_CONSENT, Ground.DIRECTORS_CONSENT} else None,
        check=BY_SIGHT if checked else None,
    )
    try:
        made = room.tells(wanted, now=at)
    except (NothingAllowsIt, Invalid):
        assert room.book.made == []
        assert not any(event.name == "disclosure.made" for event in room.told.events)
        return
    assert checked
    assert set(made.categories) == set(categories)
    moment = max(at, ends or at)
    if ground is not Ground.CONSENT:
        assert rule is not None
        assert set(categories) <= rule.categories
        assert rule.reaches(recipient)
        assert made.telling.purpose is rule.purpose
        assert 0 <= found_days_ago <= 7 or ground not in {Ground.DIRECTORS_CONSENT, Ground.BEST_INTERESTS}
        assert not rule.in_clients_place or not agreed
    if ground in NEED_CONSENT:
        used = room.kept.consents[ConsentId(made.consent or new_id())]
        for category in categories:
            asked = question(recipient=recipient, category=category, purpose=made.telling.purpose)
            assert covers(used, asked, moment)
        assert {event.facts["category"] for event in room.told.events if event.name == "consent.asked"} == set(
            categories
        )
    assert room.told.events[-1].name == "disclosure.made"


def test_a_safety_warning_stands_before_every_consent_and_every_exception() -> None:
    room = Room(around=warned_mother(WarningKind.DOMESTIC_RISK))
    room.gives(consent())
    assert refusal_of(room, making())["reason"] is Reason.SAFETY_WARNING
    report = by_exception(
        Ground.CHILD_ABUSE, categories=(Category.RISK,), recipient=TO_MOTHER, name="Rosa Example, mother"
    )
    assert refusal_of(room, report)["reason"] is Reason.SAFETY_WARNING
    assert refusal_of(room, report, by=staff(Role.PHARMACIST))["reason"] is Reason.NO_CONSENT
    spoken_by = making(manner=Manner.SPOKEN, notice_how=NoticeHow.READ_OUT)
    assert refusal_of(room, spoken_by, by=staff(Role.PHARMACIST))["reason"] is Reason.NO_CONSENT


DISPUTE = Dispute(
    request=RightsRequestId(new_id()),
    categories=(Category.ATTENDANCE,),
    received_on=NOW.date(),
    asked="I was there on Tuesday.",
    denied="The register was taken by two people.",
    disagreement="I was.",
    rebuttal=None,
)


def test_what_is_told_carries_what_the_client_disputes_of_it_and_of_nothing_else() -> None:
    room = Room()
    room.gives(consent(draft(categories=frozenset({Category.ATTENDANCE, Category.APPOINTMENTS}))))
    room.book.disputes = [DISPUTE]
    [written] = room.tells(making(categories=(Category.ATTENDANCE,))).disputes
    assert written.words == {
        "received_on": str(NOW.date()),
        "request": "I was there on Tuesday.",
        "denial": "The register was taken by two people.",
        "disagreement": "I was.",
    }
    [said] = room.tells(spoken(categories=(Category.ATTENDANCE,))).disputes
    assert (said.request, said.says, said.words) == (DISPUTE.request, written.says, {})
    assert "disputes" in said.says
    assert room.tells(making(categories=(Category.APPOINTMENTS,))).disputes == ()


def test_an_emergency_carries_what_is_disputed_of_what_it_needs() -> None:
    room = Room()
    room.book.disputes = [DISPUTE, replace(DISPUTE, categories=(Category.RISK,), rebuttal="Two people saw it.")]
    [written] = room.releases(EMERGENCY).disputes
    assert written.words["rebuttal"] == "Two people saw it."
    [said] = room.releases(replace(EMERGENCY, manner=Manner.SPOKEN)).disputes
    assert (said.categories, said.words) == ((Category.RISK,), {})
