"""The people around a client, in versions, and what they told us."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

import pytest

from caseload.domain.access import Holding, Role
from caseload.domain.client import Client, Identity
from caseload.domain.errors import Invalid, NotPermitted
from caseload.domain.family import (
    Families,
    Information,
    InformationUnknown,
    Involvement,
    PersonChanged,
    PersonDetails,
    PersonUnknown,
    RelatedPerson,
    Relationship,
    Told,
    add_person,
    change_person,
    receive_information,
)
from caseload.domain.ids import ClientId, InformationId, ProgrammeId, RelatedPersonId, StaffId, new_id
from caseload.domain.journal import Event
from caseload.domain.people import Staff

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
    involvements=frozenset({Involvement.FAMILY_THERAPY, Involvement.EMERGENCY_CONTACT}),
    phone="617 555 0100",
)


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
    heard: list[Information] = field(default_factory=list[Information])

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

    async def add_information(self, information: Information) -> None:
        self.heard.append(information)

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


def added(kept: Families, told: Remembered, details: PersonDetails = MOTHER, by: Staff = COUNSELLOR) -> RelatedPerson:
    return asyncio.run(
        add_person(CLIENT, details, as_id=RelatedPersonId(new_id()), by=by, now=NOW, families=kept, journal=told)
    )


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
        involvements=frozenset({Involvement.LEGAL_REPRESENTATIVE}),
        phone="",
        email="a" * 201,
        address="one\x00two",
        contact_note="calls are fine\nafter six",
    )
    with pytest.raises(Invalid) as refused:
        added(Kept(), Remembered(), wrong)
    assert faults_of(refused) == {"name", "phone", "email", "address", "evidence"}


@pytest.mark.parametrize(
    ("involvements", "evidence", "may_sign"),
    [
        ({Involvement.LEGAL_REPRESENTATIVE}, "Court order 12/26", True),
        ({Involvement.CARE_PARTNER}, "Court order 12/26", False),
    ],
)
def test_only_a_legal_representative_may_sign(involvements: set[Involvement], evidence: str, *, may_sign: bool) -> None:
    details = replace(MOTHER, involvements=frozenset(involvements), evidence=evidence)
    assert added(Kept(), Remembered(), details).may_sign is may_sign


def test_a_representative_without_evidence_may_not_sign_however_it_was_kept() -> None:
    person = added(Kept(), Remembered())
    claimed = replace(MOTHER, involvements=frozenset({Involvement.LEGAL_REPRESENTATIVE}))
    assert not replace(person, details=claimed).may_sign


def test_a_change_is_a_new_version_with_a_reason_and_the_former_one_stays() -> None:
    kept, told = Kept(), Remembered()
    mother = added(kept, told)
    gone = changed(kept, told, mother, replace(MOTHER, involvements=frozenset()))
    assert (gone.version, gone.reason, gone.details.involvements) == (2, "moved away", frozenset())
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


def test_the_source_must_be_on_this_clients_list() -> None:
    with pytest.raises(PersonUnknown):
        received(Kept(), Remembered(), Told(text="news", received_at=NOW, person=RelatedPersonId(new_id())))


def test_the_front_desk_keeps_nothing_about_families() -> None:
    kept, told = Kept(), Remembered()
    mother = added(kept, told)
    for attempt in (
        lambda: added(kept, told, by=FRONT_DESK),
        lambda: changed(kept, told, mother, MOTHER, by=FRONT_DESK),
        lambda: received(kept, told, Told(text="news", received_at=NOW, source="a neighbour"), by=FRONT_DESK),
    ):
        with pytest.raises(NotPermitted):
            attempt()
    assert len(told.events) == 1
