"""The people around a client, in versions, and what they told us."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from caseload.domain.access import Holding, Role
from caseload.domain.client import Client, Identity
from caseload.domain.errors import Invalid, NotPermitted
from caseload.domain.family import (
    AlreadyInvolved,
    AlreadyWarned,
    Beginning,
    Confided,
    ConfidentialBefore,
    ContactWay,
    Families,
    Held,
    Information,
    InformationTakenBack,
    InformationUnknown,
    Involvement,
    InvolvementKind,
    InvolvementOver,
    InvolvementUnknown,
    NotInvolved,
    PersonChanged,
    PersonDetails,
    PersonUnknown,
    RelatedPerson,
    Relationship,
    SafetyWarning,
    Told,
    WarnedBy,
    WarningKind,
    WarningLifted,
    WarningUnknown,
    add_person,
    begin_involvement,
    change_person,
    confide_information,
    end_involvement,
    lift_warning,
    receive_information,
    remove_person,
    stopping,
    take_back_information,
    warn_of,
    without_emergency_contact,
)
from caseload.domain.ids import (
    ClientId,
    InformationId,
    InvolvementId,
    ProgrammeId,
    RelatedPersonId,
    StaffId,
    WarningId,
    new_id,
)
from caseload.domain.journal import Event
from caseload.domain.people import Staff
from caseload.domain.profiles.selected import Selected
from caseload.domain.programme import Programme
from caseload.domain.taken_back import TakenBack

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
PROGRAMME = ProgrammeId(new_id())
CLIENT = Client(
    id=ClientId(new_id()),
    programme=PROGRAMME,
    identity=Identity(given_name="Sam", family_name="Example", birth_date=date(1990, 1, 1)),
    version=1,
    identifiers=(),
    registered_by=StaffId(new_id()),
    registered_at=NOW,
)
MOTHER = PersonDetails(
    name="Rosa Example",
    relationship=Relationship.MOTHER,
    language="es",
    phone="617 555 0100",
)
BOSTON = Programme(
    id=PROGRAMME, code="HARBOUR", name="Harbour House", time_zone="America/New_York", profiles=Selected("US")
)
TODAY, DAY, SECOND = NOW.date(), timedelta(days=1), timedelta(seconds=1)
PARTNER, CONTACT = InvolvementKind.CARE_PARTNER, InvolvementKind.EMERGENCY_CONTACT
REPRESENTATIVE = InvolvementKind.LEGAL_REPRESENTATIVE


@dataclass
class Remembered:
    """A journal that remembers."""

    events: list[Event] = field(default_factory=list[Event])

    def saw(self, client: ClientId, kind: str) -> None: ...

    def tell(self, event: Event) -> None:
        self.events.append(event)


@dataclass
class Kept:
    """Families kept in memory."""

    versions: dict[tuple[RelatedPersonId, int], RelatedPerson] = field(
        default_factory=dict[tuple[RelatedPersonId, int], RelatedPerson]
    )
    warned: dict[WarningId, SafetyWarning] = field(default_factory=dict[WarningId, SafetyWarning])
    heard: list[Information] = field(default_factory=list[Information])
    involvements: dict[InvolvementId, Involvement] = field(default_factory=dict[InvolvementId, Involvement])

    async def add(self, person: RelatedPerson) -> None:
        if (person.id, person.version) in self.versions:
            raise PersonChanged
        self.versions[person.id, person.version] = person

    async def get(self, person: RelatedPersonId, *, client: ClientId) -> RelatedPerson:
        found = [kept for kept in await self.around(client) if kept.id == person]
        if not found:
            raise PersonUnknown
        return found[-1]

    async def around(self, client: ClientId) -> Sequence[RelatedPerson]:
        return [person for person in self.versions.values() if person.client == client]

    async def warn(self, warning: SafetyWarning) -> None:
        for other in self.warned.values():
            if (other.person, other.kind, other.lifted_at) == (warning.person, warning.kind, None):
                raise AlreadyWarned
        self.warned[warning.id] = warning

    async def lift(self, lifted: SafetyWarning) -> None:
        self.warned[lifted.id] = lifted

    async def begin(self, involvement: Involvement) -> None:
        for other in self.involvements.values():
            same = (other.person, other.kind) == (involvement.person, involvement.kind)
            if same and (other.over_at is None or other.over_at > involvement.starts_at):
                raise AlreadyInvolved
        self.involvements[involvement.id] = involvement

    async def end(self, ended: Involvement) -> None:
        if self.involvements[ended.id].ended_at is not None:
            raise InvolvementOver
        self.involvements[ended.id] = ended

    async def add_information(self, information: Information) -> None:
        self.heard.append(information)

    async def add_confided(self, information: Information, confided: Confided) -> None:
        self._mend(information, confided=confided)

    async def take_back_information(self, information: Information, taken_back: TakenBack) -> None:
        self._mend(information, taken_back=taken_back)

    def _mend(self, information: Information, **said: Any) -> None:
        self.heard = [replace(each, **said) if each.id == information.id else each for each in self.heard]

    async def get_information(self, information: InformationId, *, client: ClientId) -> Information:
        found = [told for told in await self.information(client) if told.id == information]
        if not found:
            raise InformationUnknown
        return found[0]

    async def information(self, client: ClientId) -> Sequence[Information]:
        return [told for told in self.heard if told.client == client]


def staff(role: Role) -> Staff:
    return Staff(
        id=StaffId(new_id()),
        user_name="kim",
        printed_name="Kim Example",
        session=None,
        holdings=(Holding(role=role, programme=PROGRAMME),),
    )


COUNSELLOR, FRONT_DESK = staff(Role.COUNSELLOR), staff(Role.FRONT_DESK)


def added(
    kept: Families,
    told: Remembered,
    details: PersonDetails = MOTHER,
    *beginnings: Beginning,
    by: Staff = COUNSELLOR,
) -> RelatedPerson:
    return asyncio.run(
        add_person(
            CLIENT,
            details,
            beginnings,
            as_id=RelatedPersonId(new_id()),
            programme=BOSTON,
            by=by,
            now=NOW,
            families=kept,
            journal=told,
        )
    )


def surroundings(kept: Families, told: Remembered, by: Staff = COUNSELLOR) -> dict[str, Any]:
    return {"client": CLIENT, "by": by, "now": NOW, "families": kept, "journal": told}


def begun(
    kept: Families, told: Remembered, person: RelatedPerson, beginning: Beginning, by: Staff = COUNSELLOR
) -> RelatedPerson:
    return asyncio.run(begin_involvement(person, beginning, programme=BOSTON, **surroundings(kept, told, by)))


def begun_at(beginning: Beginning, where: Programme) -> Involvement:
    details = replace(MOTHER)
    person = asyncio.run(
        add_person(
            CLIENT,
            details,
            [beginning],
            as_id=RelatedPersonId(new_id()),
            programme=where,
            by=COUNSELLOR,
            now=NOW,
            families=Kept(),
            journal=Remembered(),
        )
    )
    return person.involvements[0]


def over_with(
    kept: Families,
    told: Remembered,
    person: RelatedPerson,
    place: int,
    *,
    reason: str = "moved away",
    since: datetime = NOW,
    by: Staff = COUNSELLOR,
) -> RelatedPerson:
    ending = person.involvements[place].id
    return asyncio.run(end_involvement(person, ending, reason=reason, ended_at=since, **surroundings(kept, told, by)))


def removed(
    kept: Families,
    told: Remembered,
    person: RelatedPerson,
    *,
    reason: str = "moved away",
    since: datetime = NOW,
    by: Staff = COUNSELLOR,
) -> RelatedPerson:
    return asyncio.run(remove_person(person, reason=reason, ended_at=since, **surroundings(kept, told, by)))


def changed(
    kept: Families,
    told: Remembered,
    person: RelatedPerson,
    details: PersonDetails,
    *,
    reason: str = "moved away",
    by: Staff = COUNSELLOR,
) -> RelatedPerson:
    return asyncio.run(
        change_person(person, details, reason=reason, client=CLIENT, by=by, now=NOW, families=kept, journal=told)
    )


def received(kept: Families, told: Remembered, what: Told, by: Staff = COUNSELLOR) -> Information:
    return asyncio.run(
        receive_information(
            what, as_id=InformationId(new_id()), client=CLIENT, by=by, now=NOW, families=kept, journal=told
        )
    )


def faults_of(refused: pytest.ExceptionInfo[Invalid]) -> set[str]:
    return {fault.field for fault in refused.value.faults}


def test_a_person_is_added_as_a_first_version() -> None:
    kept, told = Kept(), Remembered()
    mother = added(kept, told)
    assert (mother.version, mother.details, mother.reason) == (1, MOTHER, None)
    assert kept.versions[mother.id, 1] == mother
    assert [event.name for event in told.events] == ["family.person_added"]


def test_every_fault_of_a_person_is_named_at_once() -> None:
    wrong = PersonDetails(
        name=" ",
        relationship=Relationship.GUARDIAN,
        language="Portuguese",
        contact_by=(ContactWay.TEXT, ContactWay.TEXT),
        phone="",
        email="a" * 201,
        address="one\x00two",
        contact_note="calls are fine\nafter six",
    )
    with pytest.raises(Invalid) as refused:
        added(Kept(), Remembered(), wrong, Beginning(kind=REPRESENTATIVE), Beginning(kind=REPRESENTATIVE, evidence=" "))
    assert faults_of(refused) == {
        "name", "language", "contact_by", "phone", "email", "address", "involvements.0.evidence",
        "involvements.1.evidence", "involvements.1.kind",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        (Beginning(kind=InvolvementKind.CARE_PARTNER, evidence="Court order 12/26"), {"evidence"}),
        (Beginning(kind=REPRESENTATIVE, evidence=None), {"evidence"}),
        (Beginning(kind=PARTNER, last_day=TODAY - DAY), {"last_day"}),
        (Beginning(kind=PARTNER, last_day=date.max), {"last_day"}),
        (Beginning(kind=PARTNER, first_day=date.min), {"first_day"}),
    ],
)
def test_a_way_of_taking_part_has_days_and_only_an_authority_has_evidence(wrong: Beginning, fields: set[str]) -> None:
    kept, told = Kept(), Remembered()
    with pytest.raises(Invalid) as refused:
        begun(kept, told, added(kept, told), wrong)
    assert faults_of(refused) == fields


def test_an_authority_holds_from_the_first_midnight_of_its_days_until_the_one_after_its_last() -> None:
    """By the programme's own calendar: the 31st of October ends at four in the morning of the 1st in UTC, before the change."""
    order = Beginning(
        kind=REPRESENTATIVE, evidence="Order 12/26", first_day=date(2026, 3, 1), last_day=date(2026, 10, 31)
    )
    guardian = added(Kept(), Remembered(), MOTHER, order)
    first, over = datetime(2026, 3, 1, 5, tzinfo=UTC), datetime(2026, 11, 1, 4, tzinfo=UTC)
    assert guardian.authority_at(first - SECOND) is Held.NOT_YET
    assert guardian.authority_at(first) is Held.YES
    assert guardian.authority_at(over - SECOND) is Held.YES
    assert guardian.authority_at(over) is Held.ENDED
    assert added(Kept(), Remembered()).authority_at(NOW) is Held.NEVER


@given(
    zone=some.sampled_from(["America/New_York", "Europe/London", "Pacific/Auckland", "Atlantic/Azores"]),
    first=some.dates(date(2023, 1, 1), date(2029, 1, 1)),
    days=some.integers(0, 800),
    away=some.integers(-40, 40),
)
def test_an_authority_holds_on_every_local_day_up_to_its_last_and_on_no_other(
    zone: str, first: date, days: int, away: int
) -> None:
    where, last = replace(BOSTON, time_zone=zone), first + timedelta(days=days)
    order = Beginning(kind=REPRESENTATIVE, evidence="Order 12/26", first_day=first, last_day=last)
    held = begun_at(order, where)
    for edge in (first, last):
        day = edge + timedelta(days=away)
        noon = datetime.combine(day, time(12), tzinfo=where.zone).astimezone(UTC)
        assert held.counts(noon) is (first <= day <= last)
    last_moment = datetime.combine(last, time(23, 59, 59), tzinfo=where.zone).astimezone(UTC)
    assert held.counts(last_moment)
    assert not held.counts(last_moment + SECOND)


def test_without_a_first_day_it_begins_with_the_local_day_on_which_it_is_recorded() -> None:
    partner = added(Kept(), Remembered(), MOTHER, Beginning(kind=PARTNER))
    [involvement] = partner.running(NOW)
    assert (involvement.starts_at, involvement.over_at) == (datetime(2026, 11, 22, 5, tzinfo=UTC), None)


def test_nobody_takes_part_twice_in_one_way_at_once_but_again_later() -> None:
    kept, told = Kept(), Remembered()
    partner = added(kept, told, MOTHER, Beginning(kind=PARTNER, last_day=TODAY))
    with pytest.raises(AlreadyInvolved):
        begun(kept, told, partner, Beginning(kind=PARTNER))
    again = begun(kept, told, partner, Beginning(kind=PARTNER, first_day=TODAY + DAY))
    assert [each.starts_at for each in again.running(NOW + DAY)] == [datetime(2026, 11, 23, 5, tzinfo=UTC)]
    assert told.events[-1].facts == {"kind": "care_partner"}


def test_what_ends_says_why_and_since_when_and_stays_readable() -> None:
    kept, told = Kept(), Remembered()
    partner = added(kept, told, MOTHER, Beginning(kind=PARTNER, first_day=TODAY - DAY), Beginning(kind=CONTACT))
    over = over_with(kept, told, partner, 0, since=NOW - timedelta(hours=1))
    assert [each.kind for each in over.running(NOW)] == [CONTACT]
    assert [each.kind for each in over.running(NOW - timedelta(hours=2))] == [PARTNER, CONTACT]
    assert (over.involvements[0].ended_because, over.involvements[0].ended_by) == ("moved away", COUNSELLOR.id)
    with pytest.raises(InvolvementOver):
        over_with(kept, told, over, 0)
    with pytest.raises(InvolvementOver):
        over_with(kept, told, partner, 0)  # somebody else was faster
    with pytest.raises(InvolvementUnknown):
        asyncio.run(
            end_involvement(over, InvolvementId(new_id()), reason="x", ended_at=NOW, **surroundings(kept, told))
        )


def test_what_was_to_begin_later_never_holds_and_what_had_ended_by_itself_needs_no_end() -> None:
    kept, told = Kept(), Remembered()
    days = (
        Beginning(kind=PARTNER, first_day=TODAY + DAY),
        Beginning(kind=CONTACT, first_day=TODAY - DAY, last_day=TODAY - DAY),
    )
    person = added(kept, told, MOTHER, *days)
    cancelled = over_with(kept, told, person, 0)
    assert not cancelled.running(NOW + 5 * DAY)
    with pytest.raises(InvolvementOver):
        over_with(kept, told, person, 1)


@pytest.mark.parametrize(("reason", "since", "fields"), [(" ", NOW, {"reason"}), ("x", NOW + SECOND, {"ended_at"})])
def test_an_end_has_a_reason_and_has_been(reason: str, since: datetime, fields: set[str]) -> None:
    kept, told = Kept(), Remembered()
    partner = added(kept, told, MOTHER, Beginning(kind=PARTNER))
    for attempt in (
        lambda: over_with(kept, told, partner, 0, reason=reason, since=since),
        lambda: removed(kept, told, partner, reason=reason, since=since),
    ):
        with pytest.raises(Invalid) as refused:
            attempt()
        assert faults_of(refused) == fields


def test_whoever_is_removed_takes_part_in_no_way_and_the_client_is_without_an_emergency_contact() -> None:
    kept, told = Kept(), Remembered()
    mother = added(kept, told, MOTHER, Beginning(kind=CONTACT), Beginning(kind=PARTNER, first_day=TODAY + DAY))
    assert not without_emergency_contact([mother], at=NOW)
    gone = removed(kept, told, mother)
    assert not gone.running(NOW)
    assert not gone.running(NOW + 5 * DAY)
    assert without_emergency_contact([gone], at=NOW)
    assert without_emergency_contact([], at=NOW)

    assert [event.name for event in told.events[1:]] == ["family.involvement_ended"] * 2
    with pytest.raises(NotInvolved):
        removed(kept, told, gone)


@pytest.mark.parametrize("kind", WarningKind)
def test_an_emergency_contact_who_must_not_be_rung_is_none(kind: WarningKind) -> None:
    mother = added(Kept(), Remembered(), MOTHER, Beginning(kind=CONTACT))
    warning = SafetyWarning(
        id=WarningId(new_id()),
        client=mother.client,
        person=mother.id,
        kind=kind,
        note="Has hurt him.",
        recorded_by=mother.recorded_by,
        recorded_at=NOW,
    )
    warned = replace(mother, warnings=(warning,))
    assert without_emergency_contact([warned], at=NOW)
    assert not without_emergency_contact([warned, mother], at=NOW)
    lifted = replace(warning, lifted_at=NOW, lifted_by=mother.recorded_by, lifted_because="It was not so.")
    assert not without_emergency_contact([replace(mother, warnings=(lifted,))], at=NOW)


def test_a_change_is_a_new_version_with_a_reason_and_the_former_one_stays() -> None:
    kept, told = Kept(), Remembered()
    mother = added(kept, told)
    moved = changed(kept, told, mother, replace(MOTHER, phone=None))
    assert (moved.version, moved.reason, moved.details.phone) == (2, "moved away", None)
    assert kept.versions[mother.id, 1] == mother
    assert told.events[-1].facts == {"version": 2}


def test_of_two_changes_to_one_version_the_second_is_refused() -> None:
    kept, told = Kept(), Remembered()
    mother = added(kept, told)
    changed(kept, told, mother, MOTHER)
    with pytest.raises(PersonChanged):
        changed(kept, told, mother, MOTHER)


def test_a_change_without_reason_is_refused() -> None:
    kept, told = Kept(), Remembered()
    with pytest.raises(Invalid) as refused:
        changed(kept, told, added(kept, told), MOTHER, reason="")
    assert faults_of(refused) == {"reason"}


def test_what_a_relative_says_is_kept_with_its_source() -> None:
    kept, told = Kept(), Remembered()
    mother = added(kept, told)
    heard = received(
        kept, told, Told(text="He has not slept for days.", received_at=NOW, person=mother.id, confidential=True)
    )
    assert (heard.told.person, heard.told.confidential, heard.recorded_at) == (mother.id, True, NOW)
    assert told.events[-1].name == "family.information_received"


def test_what_a_stranger_says_is_kept_too() -> None:
    kept, told = Kept(), Remembered()
    received(kept, told, Told(text="Saw him in the park.", received_at=NOW, source="an anonymous caller"))
    assert kept.heard[0].told.source == "an anonymous caller"


def test_what_was_heard_is_found_only_with_its_own_client() -> None:
    kept, told = Kept(), Remembered()
    heard = received(kept, told, Told(text="news", received_at=NOW, source="a neighbour"))
    assert asyncio.run(kept.get_information(heard.id, client=CLIENT.id)) == heard
    with pytest.raises(InformationUnknown):
        asyncio.run(kept.get_information(heard.id, client=ClientId(new_id())))


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        (Told(text="", received_at=NOW, source="a neighbour"), {"text"}),
        (Told(text="news", received_at=NOW), {"source"}),
        (Told(text="news", received_at=NOW, source=" "), {"source"}),
        (Told(text="news", received_at=NOW, source="x", person=RelatedPersonId(new_id())), {"source"}),
        (Told(text="news", received_at=NOW + timedelta(seconds=1), source="a neighbour"), {"received_at"}),
    ],
)
def test_information_needs_words_one_source_and_a_time_that_has_been(wrong: Told, fields: set[str]) -> None:
    with pytest.raises(Invalid) as refused:
        received(Kept(), Remembered(), wrong)
    assert faults_of(refused) == fields


def mended(kept: Families, told: Remembered, how: Any, heard: Information, reason: str, by: Staff = COUNSELLOR) -> Any:
    return asyncio.run(how(heard, reason, client=CLIENT, by=by, now=NOW, families=kept, journal=told))


def test_what_was_told_is_in_confidence_once_somebody_says_so() -> None:
    kept, told = Kept(), Remembered()
    heard = received(kept, told, Told(text="He drinks.", received_at=NOW, source="a neighbour"))
    assert not heard.is_confidential
    confided = mended(kept, told, confide_information, heard, "She rang again and asked for it.")
    assert (confided.is_confidential, told.events[-1].name) == (True, "family.information_confided")
    assert kept.heard == [confided]
    said_at_once = received(kept, told, Told(text="x", received_at=NOW, source="a neighbour", confidential=True))
    for known in (confided, said_at_once):
        with pytest.raises(ConfidentialBefore):
            mended(kept, told, confide_information, known, "Once more.")


def test_what_was_told_of_somebody_else_is_taken_back_once_and_stays_readable() -> None:
    kept, told = Kept(), Remembered()
    heard = received(kept, told, Told(text="news", received_at=NOW, source="a neighbour"))
    wrong = mended(kept, told, take_back_information, heard, "It was about another client.")
    assert (wrong.taken_back.by, told.events[-1].name) == (COUNSELLOR.id, "family.information_taken_back")
    for again in (take_back_information, confide_information):
        with pytest.raises(InformationTakenBack):
            mended(kept, told, again, wrong, "Once more.")


@pytest.mark.parametrize("how", [take_back_information, confide_information])
def test_whoever_mends_what_was_told_says_why_and_may_record_it(how: Any) -> None:
    kept, told = Kept(), Remembered()
    heard = received(kept, told, Told(text="news", received_at=NOW, source="a neighbour"))
    for reason in (" ", "x" * 501):
        with pytest.raises(Invalid):
            mended(kept, told, how, heard, reason)
    with pytest.raises(NotPermitted):
        mended(kept, told, how, heard, "why", by=FRONT_DESK)
    assert kept.heard == [heard]


def test_the_source_must_be_on_this_clients_list() -> None:
    with pytest.raises(PersonUnknown):
        received(Kept(), Remembered(), Told(text="news", received_at=NOW, person=RelatedPersonId(new_id())))


def test_the_front_desk_keeps_nothing_about_families() -> None:
    kept, told = Kept(), Remembered()
    mother = added(kept, told, MOTHER, Beginning(kind=PARTNER))
    for attempt in (
        lambda: added(kept, told, by=FRONT_DESK),
        lambda: changed(kept, told, mother, MOTHER, by=FRONT_DESK),
        lambda: begun(kept, told, mother, Beginning(kind=CONTACT), by=FRONT_DESK),
        lambda: over_with(kept, told, mother, 0, by=FRONT_DESK),
        lambda: removed(kept, told, mother, by=FRONT_DESK),
        lambda: received(kept, told, Told(text="news", received_at=NOW, source="a neighbour"), by=FRONT_DESK),
    ):
        with pytest.raises(NotPermitted):
            attempt()
    assert len(told.events) == 1


def test_a_warning_stands_until_it_is_lifted_with_a_reason_and_stays_readable() -> None:
    kept, told = Kept(), Remembered()
    around = surroundings(kept, told)
    said = WarnedBy(who="The client, on the telephone", at=NOW)
    mother = asyncio.run(
        warn_of(added(kept, told), WarningKind.DO_NOT_CALL, "His brother listens.", said=said, **around)
    )
    [warning] = mother.warnings
    assert mother.stopped_by(at=NOW, rings=True) is WarningKind.DO_NOT_CALL
    assert mother.stopped_by(at=NOW, rings=False) is None
    begun_before = NOW - timedelta(seconds=1)
    assert mother.stopped_by(at=begun_before, rings=True) is WarningKind.DO_NOT_CALL
    with pytest.raises(AlreadyWarned):
        asyncio.run(warn_of(mother, WarningKind.DO_NOT_CALL, "Again.", said=said, **around))
    both = asyncio.run(warn_of(mother, WarningKind.DOMESTIC_RISK, "Has hurt him.", **around))
    assert both.stopped_by(at=NOW, rings=False) is WarningKind.DOMESTIC_RISK
    lifted = asyncio.run(lift_warning(mother, warning.id, reason="He has moved out.", **around))
    assert lifted.warnings[0].lifted_because == "He has moved out."
    assert stopping(lifted.warnings, at=NOW, rings=True) is None
    with pytest.raises(WarningLifted):
        asyncio.run(lift_warning(lifted, warning.id, reason="Again.", **around))
    with pytest.raises(WarningUnknown):
        asyncio.run(lift_warning(lifted, WarningId(new_id()), reason="Whose?", **around))
    assert [event.name for event in told.events[1:]] == [
        "family.warning_recorded",
        "family.warning_recorded",
        "family.warning_lifted",
    ]


def test_a_warning_says_what_to_know_and_is_recorded_by_those_who_may() -> None:
    kept, told = Kept(), Remembered()
    mother = added(kept, told)
    for note, said, fields in (
        (" ", None, ["note", "said_by"]),
        ("x", WarnedBy(who=" ", at=NOW + timedelta(seconds=1)), ["said_by", "said_at"]),
    ):
        with pytest.raises(Invalid) as refused:
            asyncio.run(warn_of(mother, WarningKind.DO_NOT_CALL, note, said=said, **surroundings(kept, told)))
        assert [fault.field for fault in refused.value.faults] == fields
    with pytest.raises(Invalid):
        asyncio.run(lift_warning(mother, WarningId(new_id()), reason="", **surroundings(kept, told)))
    with pytest.raises(NotPermitted):
        asyncio.run(warn_of(mother, WarningKind.DO_NOT_CALL, "x", **surroundings(kept, told, FRONT_DESK)))
