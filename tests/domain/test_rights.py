"""What clients ask for about their own record: the clocks at the ends of months, and what an answer needs."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from caseload.domain.access import Act, Role
from caseload.domain.client import Client, Identity, RegistrationClosed
from caseload.domain.consent import Addressee, Category, CheckMethod, IdentityCheck, Purpose, Recipient
from caseload.domain.errors import Invalid, NotPermitted
from caseload.domain.ids import ClientId, ProgrammeId, RelatedPersonId, RightsRequestId, new_id
from caseload.domain.outreach import AgreedContact, Channel, Contact, Reachable
from caseload.domain.people import Staff
from caseload.domain.profiles.rights import AnswerClock, AnswerClocks, Counted, DenialGround, RightKind
from caseload.domain.profiles.selected import Selected
from caseload.domain.programme import Programme
from caseload.domain.rights import (
    Agreed,
    AlreadyAskedAlong,
    Amended,
    AmendedHow,
    Answering,
    AskedAlong,
    AskedFor,
    CannotBePutOff,
    ContactAgreement,
    ContactAgreementOver,
    ContactEnd,
    ContactEndedHow,
    EndedHow,
    Entry,
    EntryKind,
    Fulfilled,
    MustBeAgreed,
    NoContactAgreed,
    NoSuchRight,
    NotDoneYet,
    NothingDisputed,
    NothingRestricted,
    NothingToDisagreeWith,
    Outcome,
    PutOff,
    Restricting,
    RestrictionEnd,
    RestrictionOver,
    RestrictionStands,
    RestrictionTerminated,
    RightsAnswer,
    RightsRequest,
    RightsRequestAnswered,
    RightsRequestUnknown,
    Side,
    SomethingWithheld,
    Statement,
    StatementMade,
    Termination,
    add_statement,
    answer_request,
    ask_along,
    due_requests,
    end_contact,
    end_restriction,
    put_off,
    take_request,
    terminate_restriction,
)
from tests.factories.checkin import Remembered
from tests.factories.staff import somebody

pytestmark = pytest.mark.anyio

HERE = ProgrammeId(new_id())
OFFICER = somebody((Role.PRIVACY_OFFICER, None))
DESK = somebody((Role.FRONT_DESK, HERE))
RECEIVED = datetime(2026, 1, 31, 15, 0, tzinfo=UTC)
MOTHER = RelatedPersonId(new_id())
DISPUTED: dict[str, Any] = {"ground": DenialGround.NOT_MADE_HERE, "disputed": (Category.MEDICATION,)}
WORDS_ADDED = Amended(how=AmendedHow.STATEMENT_ADDED)


def programme(profile: str = "US", zone: str = "America/Phoenix") -> Programme:
    return Programme(id=HERE, code="H", name="House", time_zone=zone, profiles=Selected(profile))


@dataclass
class Office:
    """What is kept of the requests of one test."""

    requests: dict[RightsRequestId, RightsRequest] = field(default_factory=dict[RightsRequestId, RightsRequest])
    journal: Remembered = field(default_factory=Remembered)
    made: Fulfilled | None = None
    entries: set[UUID] = field(default_factory=set[UUID])
    contacts: list[Contact] = field(default_factory=list[Contact])
    closed: bool = False

    async def hold_registration(self, of: ClientId, *, by: Staff, act: Act) -> None:
        assert of
        assert by.may(act)
        if self.closed:
            raise RegistrationClosed

    async def acts_for(self, person: RelatedPersonId, of: ClientId, *, at: datetime) -> bool:
        assert of
        assert at
        return person == MOTHER

    async def add(self, new: RightsRequest) -> None:
        self.requests[new.id] = new

    async def hold(self, wanted: RightsRequestId, *, by: Staff, act: Act) -> RightsRequest:
        assert by.may(act)
        if wanted not in self.requests:
            raise RightsRequestUnknown
        return self.requests[wanted]

    async def open_requests(self, *, by: Staff, act: Act) -> Sequence[RightsRequest]:
        assert by.may(act)
        return [each for each in self.requests.values() if each.answer is None]

    async def add_put_off(self, request: RightsRequestId, made: PutOff) -> None:
        self.requests[request] = replace(self.requests[request], put_off=made)

    async def fulfilled(self, request: RightsRequest) -> Fulfilled | None:
        assert request.id in self.requests
        return self.made

    async def is_listed(self, person: RelatedPersonId, of: ClientId) -> bool:
        assert of
        return person == MOTHER

    async def add_answer(self, request: RightsRequest, answer: RightsAnswer, answering: Answering) -> None:
        restricts = answering.restricts
        agreed = None if restricts is None else Agreed(restriction=restricts.agreed(request.id))
        self.requests[request.id] = replace(
            request,
            answer=answer,
            agreed=agreed,
            contact=None if answering.contact is None else ContactAgreement(to=answering.contact),
            amended=answering.amended,
            disputed=answering.disputed,
        )

    async def has_entry(self, entry: Entry, of: ClientId) -> bool:
        assert of
        return entry.id in self.entries

    async def add_asked_along(self, request: RightsRequest, asked: AskedAlong) -> None:
        self.requests[request.id] = replace(request, asked_along=asked)

    async def along(self, request: RightsRequest, says: str = "Send it with everything.") -> RightsRequest:
        return await ask_along(request.id, says, by=OFFICER, now=RECEIVED, amendments=self, journal=self.journal)

    async def contact(self, of: ClientId) -> Contact:
        standing = [each for each in self.requests.values() if each.contact is not None and each.contact.end is None]
        agreed = [AgreedContact(request=each.id, to=each.contact.to) for each in standing if each.contact is not None]
        newest = self.contacts[-1] if self.contacts else Contact(client=of, version=0)
        return replace(newest, client=of, agreed=agreed[0] if agreed else None)

    async def add_contact(self, contact: Contact) -> None:
        self.contacts.append(contact)

    async def end_contact(self, request: RightsRequestId, end: ContactEnd) -> None:
        kept = self.requests[request]
        assert kept.contact is not None
        self.requests[request] = replace(kept, contact=replace(kept.contact, end=end))

    async def no_longer(self, request: RightsRequest, says: str = "At home again.") -> RightsRequest:
        return await end_contact(
            request.id, says, by=OFFICER, now=RECEIVED + timedelta(days=50), contacts=self, journal=self.journal
        )

    async def terminate_restriction(self, request: RightsRequest, termination: Termination) -> None:
        assert request.agreed is not None
        self.requests[request.id] = replace(request, agreed=replace(request.agreed, termination=termination))

    async def terminate(
        self, request: RightsRequest, days: int = 45, *, says: str = "Told by letter.", at: Programme | None = None
    ) -> RightsRequest:
        return await terminate_restriction(
            request.id,
            RECEIVED + timedelta(days=days),
            says,
            programme=at or programme(),
            by=OFFICER,
            now=RECEIVED + timedelta(days=50),
            restrictions=self,
            journal=self.journal,
        )

    async def end_restriction(self, request: RightsRequest, end: RestrictionEnd) -> None:
        assert request.agreed is not None
        self.requests[request.id] = replace(request, agreed=replace(request.agreed, end=end))

    async def give_up(self, request: RightsRequest, says: str = "She may know again.") -> RightsRequest:
        return await end_restriction(
            request.id,
            EndedHow.AGREED_ALOUD,
            says,
            by=OFFICER,
            now=RECEIVED + timedelta(days=50),
            restrictions=self,
            journal=self.journal,
        )

    async def add_statement(self, request: RightsRequest, statement: Statement) -> None:
        kept = self.requests[request.id]
        self.requests[request.id] = replace(kept, statements=(*kept.statements, statement))

    async def say(self, request: RightsRequest, side: Side, says: str = "It was not so.") -> RightsRequest:
        return await add_statement(
            request.id, side, says, by=OFFICER, now=RECEIVED, statements=self, journal=self.journal
        )

    async def take(
        self, kind: RightKind = RightKind.RECORD_COPY, *, at: Programme | None = None, by: Staff = DESK, **changes: Any
    ) -> RightsRequest:
        check = IdentityCheck(method=CheckMethod.IN_PERSON)
        given: dict[str, Any] = {"kind": kind, "says": " All of it. ", "received_at": RECEIVED, "check": check}
        asked = AskedFor(**(given | changes))
        client = Client(
            id=ClientId(new_id()),
            programme=HERE,
            identity=Identity(given_name="Ada", family_name="Lindqvist", birth_date=date(1984, 2, 29)),
            version=1,
            identifiers=(),
            registered_by=DESK.id,
            registered_at=RECEIVED,
        )
        return await take_request(
            asked,
            client,
            at or programme(),
            as_id=RightsRequestId(new_id()),
            by=by,
            now=RECEIVED + timedelta(hours=1),
            requests=self,
            journal=self.journal,
        )

    async def later(
        self,
        request: RightsRequest,
        *,
        at: Programme | None = None,
        on: date = date(2026, 2, 1),
        told_on: date | None = None,
        reason: str = "The old files are on paper.",
    ) -> RightsRequest:
        now = datetime(on.year, on.month, on.day, 18, tzinfo=UTC)
        return await put_off(
            request.id, reason, told_on or on,
            programme=at or programme(), by=OFFICER, now=now, requests=self, journal=self.journal,
        )  # fmt: skip

    async def answer(
        self, request: RightsRequest, outcome: Outcome, *, at: Programme | None = None, **changes: Any
    ) -> RightsRequest:
        given: dict[str, Any] = {"says": "Told in a letter of today."}
        answering = Answering(outcome=outcome, **(given | changes))
        return await answer_request(
            request.id, answering,
            programme=at or programme(), by=OFFICER, now=RECEIVED + timedelta(days=40), answers=self, journal=self.journal,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("received_on", "within", "longest"),
    [
        (date(2026, 1, 31), date(2026, 2, 28), date(2026, 4, 30)),
        (date(2028, 1, 31), date(2028, 2, 29), date(2028, 4, 30)),
        (date(2026, 3, 1), date(2026, 4, 1), date(2026, 6, 1)),
        (date(2026, 11, 30), date(2026, 12, 30), date(2027, 2, 28)),
    ],
)
def test_months_are_counted_by_the_calendar_from_the_receipt(received_on: date, within: date, longest: date) -> None:
    clock = programme("UK").rules_on(received_on).rights.clocks.record_copy
    assert (clock.last_day(received_on), clock.longest_day(received_on)) == (within, longest)


def test_days_are_counted_as_days_and_a_clock_without_more_time_cannot_be_put_off() -> None:
    clocks = programme().rules_on(date(2026, 1, 31)).rights.clocks
    assert clocks.record_copy.last_day(date(2026, 1, 31)) == date(2026, 3, 2)
    assert clocks.record_copy.longest_day(date(2026, 1, 31)) == date(2026, 4, 1)
    assert clocks.restriction.longest_day(date(2026, 1, 31)) is None


async def test_the_clock_runs_from_the_local_day_on_which_it_was_received() -> None:
    office = Office()
    late = datetime(2026, 1, 31, 6, 30, tzinfo=UTC)
    request = await office.take(received_at=late)
    assert (request.received_on, request.last_day) == (date(2026, 1, 30), date(2026, 3, 1))
    assert request.asked.says == "All of it."
    assert not request.is_overdue(date(2026, 3, 1))
    assert request.is_overdue(date(2026, 3, 2))
    [told] = office.journal.events
    assert told.facts["rule"] == "us.rights.record_copy"


async def test_what_is_taken_names_everything_that_is_wrong_with_it() -> None:
    office = Office()
    wrong: dict[str, Any] = {
        "says": " ",
        "received_at": RECEIVED + timedelta(days=1),
        "check": IdentityCheck(method=CheckMethod.DOCUMENT),
        "representative": RelatedPersonId(new_id()),
        "is_self_paid": True,
    }
    with pytest.raises(Invalid) as refused:
        await office.take(**wrong)
    named = {fault.field for fault in refused.value.faults}
    assert named == {"says", "received_at", "check.detail", "representative_id", "is_self_paid"}
    with pytest.raises(Invalid):
        await office.take(check=IdentityCheck(method=CheckMethod.DOCUMENT, detail=" "))
    assert (await office.take(representative=MOTHER)).asked.representative == MOTHER


async def test_who_may_not_take_it_does_not_and_no_country_answers_what_it_does_not_know() -> None:
    office = Office()
    with pytest.raises(NotPermitted):
        await office.take(by=somebody((Role.SUPERVISOR, ProgrammeId(new_id()))))
    with pytest.raises(NoSuchRight):
        await office.take(RightKind.ACCOUNTING, at=programme("UK", "Europe/London"))


async def test_it_is_put_off_once_while_the_first_time_runs_and_the_client_knows() -> None:
    office = Office()
    request = await office.take()
    with pytest.raises(Invalid):
        await office.later(request, reason=" ")
    for told_on in (date(2026, 2, 2), date(2026, 1, 30)):
        with pytest.raises(Invalid):
            await office.later(request, told_on=told_on)
    made = await office.later(request, on=request.due_on)
    assert made.last_day == date(2026, 4, 1)
    assert not made.is_overdue(date(2026, 4, 1))
    with pytest.raises(CannotBePutOff):
        await office.later(request)
    with pytest.raises(RightsRequestUnknown):
        await office.later(replace(request, id=RightsRequestId(new_id())))


async def test_what_is_overdue_or_has_no_more_time_is_not_put_off() -> None:
    office = Office()
    over = await office.take()
    with pytest.raises(CannotBePutOff):
        await office.later(over, on=date(2026, 3, 3))
    fixed = await office.take(RightKind.RESTRICTION)
    with pytest.raises(CannotBePutOff):
        await office.later(fixed)
    gone = await office.take()
    office.requests[gone.id] = replace(gone, asked=replace(gone.asked, kind=RightKind.ACCOUNTING))
    with pytest.raises(CannotBePutOff):
        await office.later(gone, at=programme("UK", "America/Phoenix"))


async def test_it_is_answered_once_and_denied_only_on_a_ground_that_the_profile_knows() -> None:
    office = Office()
    request = await office.take(RightKind.AMENDMENT)
    for outcome, ground in (
        (Outcome.DENIED, None),
        (Outcome.DENIED, DenialGround.NOT_AGREED),
        (Outcome.GRANTED, DenialGround.NOT_MADE_HERE),
    ):
        with pytest.raises(Invalid):
            await office.answer(request, outcome, ground=ground)
    with pytest.raises(Invalid):
        await office.answer(request, Outcome.GRANTED, says="")
    denied = await office.answer(request, Outcome.DENIED, **DISPUTED)
    assert denied.answer is not None
    assert denied.answer.rule == "US-1/us.deny.not_made_here"
    assert office.journal.events[-1].facts == {
        "kind": "amendment", "outcome": "denied", "late": 0, "ground": "not_made_here",
        "rule": "US-1/us.deny.not_made_here",
    }  # fmt: skip
    for again in (office.answer(request, Outcome.GRANTED), office.later(request)):
        with pytest.raises(RightsRequestAnswered):
            await again


async def test_a_statement_is_put_to_a_denied_amendment_once_for_each_side() -> None:
    office = Office()
    asked = await office.take(RightKind.AMENDMENT)
    with pytest.raises(NothingToDisagreeWith):
        await office.say(asked, Side.DISAGREEMENT)
    await office.answer(asked, Outcome.DENIED, **DISPUTED)
    with pytest.raises(Invalid):
        await office.say(asked, Side.DISAGREEMENT, " ")
    with pytest.raises(NothingToDisagreeWith):
        await office.say(asked, Side.REBUTTAL)
    for side in Side:
        assert (await office.say(asked, side)).statements[-1].side is side
    with pytest.raises(StatementMade):
        await office.say(asked, Side.REBUTTAL)
    refused = await office.take(RightKind.RESTRICTION)
    await office.answer(refused, Outcome.DENIED, ground=DenialGround.NOT_AGREED)
    with pytest.raises(NothingToDisagreeWith):
        await office.say(refused, Side.DISAGREEMENT)


async def test_no_payer_is_told_of_what_was_paid_for_where_the_profile_says_so() -> None:
    office = Office()
    asked = await office.take(RightKind.RESTRICTION, is_self_paid=True)
    with pytest.raises(MustBeAgreed):
        await office.answer(asked, Outcome.DENIED, ground=DenialGround.NOT_AGREED)
    with pytest.raises(Invalid, match="say what is not told"):
        await office.answer(asked, Outcome.GRANTED)
    payers = Restricting(categories=(Category.PRESENCE,), purposes=(Purpose.PAYMENT,))
    granted = await office.answer(asked, Outcome.GRANTED, restricts=payers)
    assert granted.agreed is not None
    assert granted.agreed.restriction.purposes == {Purpose.PAYMENT}
    there = programme("UK", "Europe/London")
    elsewhere = await office.take(RightKind.RESTRICTION, is_self_paid=True, at=there)
    known = [
        each.ground for each in there.rules_on(RECEIVED.date()).rights.denials if RightKind.RESTRICTION in each.kinds
    ]
    assert (await office.answer(elsewhere, Outcome.DENIED, ground=known[0], at=there)).answer is not None


@pytest.mark.parametrize(
    ("restricting", "fault"),
    [
        (Restricting(categories=()), "restricts.categories"),
        (Restricting(categories=(Category.GENERAL_INFORMATION,)), "restricts.categories"),
        (Restricting(categories=(Category.RISK,), recipient=Recipient()), "restricts.recipient"),
        (
            Restricting(categories=(Category.RISK,), recipient=Recipient(person=RelatedPersonId(new_id()))),
            "restricts.recipient.person_id",
        ),
    ],
)
async def test_what_is_restricted_is_said_so_that_the_decision_can_obey_it(
    restricting: Restricting, fault: str
) -> None:
    office = Office()
    asked = await office.take(RightKind.RESTRICTION)
    with pytest.raises(Invalid) as refused:
        await office.answer(asked, Outcome.GRANTED, restricts=restricting)
    assert [each.field for each in refused.value.faults] == [fault]


async def test_only_a_restriction_that_is_granted_restricts_anything() -> None:
    office = Office()
    restricts = Restricting(categories=(Category.RISK,))
    asked = await office.take(RightKind.RESTRICTION)
    with pytest.raises(Invalid, match="belongs to a restriction that is granted"):
        await office.answer(asked, Outcome.WITHDRAWN, restricts=restricts)
    other = await office.take(RightKind.AMENDMENT)
    with pytest.raises(Invalid, match="belongs to a restriction that is granted"):
        await office.answer(other, Outcome.GRANTED, restricts=restricts)


async def test_nothing_is_agreed_to_under_a_closed_registration_and_the_request_can_be_withdrawn() -> None:
    office = Office(closed=True)
    kinds: list[tuple[RightKind, dict[str, Any]]] = [
        (RightKind.RESTRICTION, {"restricts": Restricting(categories=(Category.RISK,))}),
        (RightKind.CONFIDENTIAL_CONTACT, {"contact": Reachable()}),
    ]
    for kind, agreed in kinds:
        asked = await office.take(kind)
        with pytest.raises(RegistrationClosed):
            await office.answer(asked, Outcome.GRANTED, **agreed)
        assert office.requests[asked.id].answer is None
        assert (await office.answer(asked, Outcome.WITHDRAWN)).answer is not None


async def test_a_restriction_ends_once_and_only_what_was_agreed_ends() -> None:
    office = Office()
    asked = await office.take(RightKind.RESTRICTION)
    with pytest.raises(NothingRestricted):
        await office.give_up(asked)
    restricts = Restricting(categories=(Category.RISK,), recipient=Recipient(person=MOTHER))
    await office.answer(asked, Outcome.GRANTED, restricts=restricts)
    with pytest.raises(Invalid):
        await office.give_up(asked, " ")
    over = await office.give_up(asked)
    assert over.agreed is not None
    assert over.agreed.end is not None
    with pytest.raises(RestrictionOver):
        await office.give_up(asked)


async def test_what_was_withheld_in_silence_may_be_called_granted_or_in_part() -> None:
    for outcome in (Outcome.GRANTED, Outcome.GRANTED_IN_PART):
        office = Office(made=Fulfilled(withheld=0, unsaid=1))
        asked = await office.take(RightKind.RECORD_COPY)
        assert (await office.answer(asked, outcome)).answer is not None


async def test_what_has_a_product_is_granted_once_that_was_released() -> None:
    office = Office()
    asked = await office.take(RightKind.ACCESS_REPORT)
    with pytest.raises(NotDoneYet):
        await office.answer(asked, Outcome.GRANTED)
    office.made = Fulfilled(withheld=2)
    with pytest.raises(SomethingWithheld):
        await office.answer(asked, Outcome.GRANTED)
    office.made = Fulfilled(withheld=0)
    with pytest.raises(Invalid):
        await office.answer(asked, Outcome.GRANTED_IN_PART)
    assert (await office.answer(asked, Outcome.GRANTED)).answer is not None
    office.made = None
    assert (await office.answer(await office.take(RightKind.ACCESS_REPORT), Outcome.WITHDRAWN)).answer is not None


async def test_the_longest_overdue_comes_first() -> None:
    office = Office()
    slow, quick = await office.take(RightKind.AMENDMENT), await office.take(RightKind.CONFIDENTIAL_CONTACT)
    now = RECEIVED + timedelta(days=20)
    due = await due_requests(by=OFFICER, now=now, programmes=[programme()], requests=office)
    assert [(each.request.id, each.days_left) for each in due] == [(quick.id, -13), (slow.id, 40)]


def test_a_profile_that_contradicts_itself_says_where() -> None:
    rights = programme().rules_on(RECEIVED.date()).rights
    said = {"rule": "r", "source": "s", "says": "S"}
    wrong = AnswerClock(**said, within=0, counted_in=Counted.MONTHS, longer=13)
    clocks = AnswerClocks(
        access_report=wrong,
        record_copy=rights.clocks.record_copy,
        amendment=rights.clocks.amendment,
        restriction=rights.clocks.restriction,
        confidential_contact=rights.clocks.confidential_contact,
    )
    twice = type(rights)(
        clocks=clocks, withholding=rights.withholding * 2, denials=rights.denials * 2, self_paid=rights.self_paid
    )
    assert list(twice.contradictions()) == [
        "rights.clocks.access_report.within must lie between 1 and 12",
        "rights.clocks.access_report.longer must lie between 1 and 12",
        "rights.withholding must name each reason once",
        "rights.denials must name each ground once",
    ]


def test_a_variant_ends_nothing_by_itself_that_its_base_leaves_to_the_client() -> None:
    american = programme().rules_on(RECEIVED.date()).rights
    assert american.termination is not None
    without = msgspec.structs.replace(american, termination=None)
    assert list(american.looser_than(without)) == [
        "rights.termination: what was agreed may be ended without the client"
    ]
    assert not list(without.looser_than(american))


def dose(version: int = 1, *, kind: EntryKind = EntryKind.DOSE) -> Entry:
    return Entry(kind=kind, id=uuid4(), version=version)


def corrected(entry: Entry | None) -> Amended:
    return Amended(how=AmendedHow.CORRECTED, entry=entry)


async def test_an_amendment_names_an_entry_of_the_clients_own_record_and_nothing_else_does() -> None:
    office, wrong = Office(), dose()
    with pytest.raises(Invalid, match="must stand in the client's record"):
        await office.take(RightKind.AMENDMENT, about=wrong)
    office.entries.add(wrong.id)
    with pytest.raises(Invalid, match="for an amendment alone"):
        await office.take(about=wrong)
    assert (await office.take(RightKind.AMENDMENT, about=wrong)).asked.about == wrong


async def test_an_amendment_that_is_granted_is_linked_to_what_put_it_right_or_to_the_clients_own_words() -> None:
    office, wrong = Office(), dose(2)
    office.entries.add(wrong.id)
    request = await office.take(RightKind.AMENDMENT, about=wrong)
    for amended, fault in (
        (None, "amended"),
        (corrected(None), "amended.entry"),
        (corrected(dose()), "amended.entry"),
        (corrected(wrong), "amended.entry"),
        (replace(WORDS_ADDED, entry=wrong), "amended.entry"),
    ):
        with pytest.raises(Invalid) as refused:
            await office.answer(request, Outcome.GRANTED, amended=amended)
        assert [each.field for each in refused.value.faults] == [fault]
    granted = await office.answer(request, Outcome.GRANTED, amended=corrected(replace(wrong, version=3)))
    assert granted.amended == corrected(replace(wrong, version=3))
    by_words = await office.take(RightKind.AMENDMENT)
    assert (await office.answer(by_words, Outcome.GRANTED_IN_PART, amended=WORDS_ADDED)).amended == WORDS_ADDED
    unnamed = await office.take(RightKind.AMENDMENT)
    assert (await office.answer(unnamed, Outcome.GRANTED, amended=corrected(wrong))).amended == corrected(wrong)
    moved = await office.take(RightKind.AMENDMENT, about=wrong)
    other = dose()
    office.entries.add(other.id)
    assert (await office.answer(moved, Outcome.GRANTED, amended=corrected(other))).amended == corrected(other)
    restriction = await office.take(RightKind.RESTRICTION)
    with pytest.raises(Invalid, match="belongs to an amendment that is granted"):
        await office.answer(restriction, Outcome.DENIED, ground=DenialGround.NOT_AGREED, amended=WORDS_ADDED)


async def test_a_denied_amendment_says_in_which_kinds_of_information_the_entry_stays_disputed() -> None:
    office, wrong = Office(), dose()
    office.entries.add(wrong.id)
    request = await office.take(RightKind.AMENDMENT, about=wrong)
    for disputed in ((), (Category.GENERAL_INFORMATION,), (Category.ATTENDANCE,)):
        with pytest.raises(Invalid):
            await office.answer(request, Outcome.DENIED, ground=DenialGround.NOT_MADE_HERE, disputed=disputed)
    with pytest.raises(Invalid, match="belongs to an amendment that is denied"):
        await office.answer(request, Outcome.WITHDRAWN, disputed=(Category.MEDICATION,))
    assert (await office.answer(request, Outcome.DENIED, **DISPUTED)).disputed == (Category.MEDICATION,)
    vital = dose(kind=EntryKind.OBSERVATION)
    office.entries.add(vital.id)
    other = await office.take(RightKind.AMENDMENT, about=vital)
    assert (await office.answer(other, Outcome.DENIED, **DISPUTED)).disputed == (Category.MEDICATION,)


async def test_a_client_asks_once_that_a_denied_amendment_goes_along() -> None:
    office = Office()
    request = await office.take(RightKind.AMENDMENT)
    with pytest.raises(NothingDisputed):
        await office.along(request)
    await office.answer(request, Outcome.DENIED, **DISPUTED)
    with pytest.raises(Invalid):
        await office.along(request, " ")
    asked = await office.along(request)
    assert asked.asked_along is not None
    assert asked.asked_along.says == "Send it with everything."
    with pytest.raises(AlreadyAskedAlong):
        await office.along(request)


BOX = Reachable(allowed=frozenset({Channel.POST}), address="PO Box 9")


async def test_a_confidential_contact_that_is_granted_says_how_and_where_and_nothing_else_does() -> None:
    office = Office()
    asked = await office.take(RightKind.CONFIDENTIAL_CONTACT)
    with pytest.raises(Invalid, match="by no way is one"):
        await office.answer(asked, Outcome.GRANTED)
    with pytest.raises(Invalid) as refused:
        await office.answer(asked, Outcome.GRANTED, contact=Reachable(allowed=frozenset({Channel.TEXT})))
    assert [fault.field for fault in refused.value.faults] == ["contact.telephone"]
    with pytest.raises(Invalid, match="belongs to a confidential contact"):
        await office.answer(asked, Outcome.WITHDRAWN, contact=BOX)
    with pytest.raises(Invalid, match="belongs to a confidential contact"):
        await office.answer(await office.take(RightKind.AMENDMENT), Outcome.GRANTED, amended=WORDS_ADDED, contact=BOX)

    granted = await office.answer(asked, Outcome.GRANTED, contact=BOX)

    assert granted.contact == ContactAgreement(to=BOX)
    [kept] = office.contacts
    assert (kept.said, kept.agreed_in) == (BOX, asked.id)


async def test_what_is_agreed_later_replaces_what_was_agreed_before() -> None:
    office = Office()
    first, second = [await office.take(RightKind.CONFIDENTIAL_CONTACT) for _ in range(2)]
    await office.answer(first, Outcome.GRANTED, contact=BOX)
    await office.answer(second, Outcome.GRANTED_IN_PART, contact=Reachable())

    over = office.requests[first.id].contact
    assert over is not None
    assert over.end is not None
    assert over.end.how is ContactEndedHow.REPLACED
    assert [each.version for each in office.contacts] == [1, 2]
    with pytest.raises(ContactAgreementOver):
        await office.no_longer(first)


async def test_a_client_gives_up_what_was_agreed_once_and_only_that() -> None:
    office = Office()
    asked = await office.take(RightKind.CONFIDENTIAL_CONTACT)
    with pytest.raises(NoContactAgreed):
        await office.no_longer(asked)
    await office.answer(asked, Outcome.GRANTED, contact=BOX)
    with pytest.raises(Invalid):
        await office.no_longer(asked, " ")

    ended = await office.no_longer(asked)

    assert ended.contact is not None
    assert ended.contact.end is not None
    assert ended.contact.end.how is ContactEndedHow.GIVEN_UP
    assert office.journal.events[-1].name == "rights.contact_ended"
    with pytest.raises(ContactAgreementOver):
        await office.no_longer(asked)


NOT_ATTENDANCE = Restricting(categories=(Category.ATTENDANCE, Category.PRESENCE))
ANYBODY = Addressee(recipient=Recipient(name="Anybody"))


async def test_what_the_programme_ends_by_itself_frees_only_what_came_after_the_client_was_told() -> None:
    office = Office()
    asked = await office.take(RightKind.RESTRICTION)
    with pytest.raises(NothingRestricted):
        await office.terminate(asked)
    await office.answer(asked, Outcome.GRANTED, restricts=NOT_ATTENDANCE)
    for days, says, where in ((39, "Told.", "told_at"), (51, "Told.", "told_at"), (45, " ", "says")):
        with pytest.raises(Invalid) as refused:
            await office.terminate(asked, days, says=says)
        assert [fault.field for fault in refused.value.faults] == [where]

    ended = await office.terminate(asked)

    assert ended.agreed is not None
    restriction, told_at = ended.agreed.restriction, RECEIVED + timedelta(days=45)
    second = timedelta(seconds=1)
    for category, since, forbids in (
        (Category.ATTENDANCE, None, True),
        (Category.ATTENDANCE, told_at - second, True),
        (Category.ATTENDANCE, told_at, False),
        (Category.PRESENCE, told_at, True),
        (Category.PLAN, None, False),
    ):
        assert restriction.forbids(ANYBODY, category, Purpose.TREATMENT, since=since) is forbids
    assert office.journal.events[-1].name == "rights.restriction_terminated"
    with pytest.raises(RestrictionTerminated):
        await office.terminate(asked)
    await office.give_up(asked)
    with pytest.raises(RestrictionOver):
        await office.terminate(asked)


async def test_what_was_paid_for_in_full_or_where_no_rule_lets_it_is_not_ended_by_the_programme() -> None:
    office = Office()
    paid = await office.take(RightKind.RESTRICTION, is_self_paid=True)
    there = programme("UK", "Europe/London")
    elsewhere = await office.take(RightKind.RESTRICTION, at=there)
    for one, where in ((paid, None), (elsewhere, there)):
        await office.answer(one, Outcome.GRANTED, restricts=NOT_ATTENDANCE, at=where)
        with pytest.raises(RestrictionStands):
            await office.terminate(one, at=where)
