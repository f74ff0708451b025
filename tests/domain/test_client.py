"""Clients: registered once, corrected in versions, and nobody told who is known."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseload.domain import client
from caseload.domain.access import Reach, Role
from caseload.domain.client import (
    Client,
    Identifier,
    IdentifierKind,
    Identity,
    Likely,
    ProbableMatch,
    Wanted,
)
from caseload.domain.errors import Invalid, NotPermitted
from caseload.domain.ids import ClientId, MatchDecisionId, ProgrammeId, new_id
from caseload.domain.journal import Event
from caseload.domain.people import Staff
from tests.factories.staff import somebody

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
TODAY = NOW.date()
HARBOUR = ProgrammeId(new_id())
ADA = Identity(given_name="Ada", family_name="Lindqvist", birth_date=date(1984, 2, 29))


def someone(role: Role) -> Staff:
    return somebody((role, HARBOUR))


NURSE = someone(Role.NURSE)


@dataclass
class Told:
    """A journal that remembers."""

    events: list[Event] = field(default_factory=list[Event])

    def saw(self, client: ClientId, kind: str) -> None: ...

    def tell(self, event: Event) -> None:
        self.events.append(event)


@dataclass
class Kept:
    """Clients in memory."""

    likely: Sequence[Likely] = ()
    decision: MatchDecisionId | None = None
    used: list[tuple[MatchDecisionId, ClientId]] = field(default_factory=list[tuple[MatchDecisionId, ClientId]])
    held: list[date] = field(default_factory=list[date])
    added: list[Client] = field(default_factory=list[Client])
    versions: list[tuple[Identity, int, str]] = field(default_factory=list[tuple[Identity, int, str]])
    decided: list[str] = field(default_factory=list[str])

    async def add(self, new: Client) -> None:
        self.added.append(new)

    async def get(self, wanted: ClientId, *, reach: Reach, shows_survivor: bool = False) -> Client:
        raise NotImplementedError

    async def add_identity(self, of: ClientId, identity: Identity, *, version: int, reason: str, **_: Any) -> None:
        self.versions.append((identity, version, reason))

    async def search(self, wanted: Wanted, *, reach: Reach, limit: int) -> Sequence[Client]:
        raise NotImplementedError

    async def like(self, identity: Identity, identifiers: Sequence[Identifier]) -> Sequence[Likely]:
        assert self.held == [identity.birth_date]
        return self.likely

    async def hold_still(self, born: date) -> None:
        self.held.append(born)

    async def match_decision(self, identity: Identity, *, since: datetime) -> MatchDecisionId | None:
        return self.decision

    async def use_match_decision(self, decision: MatchDecisionId, *, by: ClientId) -> None:
        self.used.append((decision, by))

    async def keep_match_decision(self, identity: Identity, *, reason: str, **_: Any) -> None:
        self.decided.append(reason)


SOMEBODY_LIKE_ADA = Likely(client=ClientId(new_id()), programme=HARBOUR, identity=ADA, because="name and date of birth")


async def register(kept: Kept, told: Told, **changes: Any) -> Client:
    given_values: dict[str, Any] = {
        "as_id": ClientId(new_id()),
        "programme": HARBOUR,
        "by": NURSE,
        "now": NOW,
        "today": TODAY,
        "clients": kept,
        "journal": told,
    }
    identity = changes.pop("identity", ADA)
    return await client.register(identity, changes.pop("identifiers", ()), **{**given_values, **changes})


async def test_a_registration_is_kept_and_told() -> None:
    kept, told = Kept(), Told()

    registered = await register(kept, told, identifiers=[Identifier(kind=IdentifierKind.CHART, value="A-1")])

    assert kept.added == [registered]
    assert [(event.name, event.client) for event in told.events] == [("client.registered", registered.id)]


async def test_a_probable_match_says_nothing_of_whom_it_resembles() -> None:
    told = Told()

    with pytest.raises(ProbableMatch) as refused:
        await register(Kept(likely=[SOMEBODY_LIKE_ADA]), told)

    assert "records lead" in refused.value.detail
    assert not refused.value.facts
    assert not told.events


async def test_the_records_lead_lets_a_different_person_through() -> None:
    kept = Kept(likely=[SOMEBODY_LIKE_ADA], decision=MatchDecisionId(new_id()))

    registered = await register(kept, Told())

    assert kept.added == [registered]
    assert kept.used == [(kept.decision, registered.id)]


async def test_an_administrator_registers_nobody() -> None:
    with pytest.raises(NotPermitted):
        await register(Kept(), Told(), by=someone(Role.ADMINISTRATOR))


async def test_every_fault_of_a_registration_is_named_at_once() -> None:
    wrong = Identity(given_name=" ", family_name="a\x00b" + "c" * 200, birth_date=date(1025, 1, 1))

    with pytest.raises(Invalid) as refused:
        await register(Kept(), Told(), identity=wrong, identifiers=[Identifier(kind=IdentifierKind.CHART, value=" ")])

    fields = [fault.field for fault in refused.value.faults]
    assert fields == ["given_name", "family_name", "family_name", "birth_date", "identifiers.0.value"]


async def test_nobody_is_born_tomorrow() -> None:
    assert [f.field for f in replace(ADA, birth_date=date(2026, 11, 23)).faults(today=TODAY)] == ["birth_date"]
    assert not replace(ADA, birth_date=TODAY).faults(today=TODAY)


@given(st.sampled_from(["Ada Lindqvist", "ada  LINDQVIST", "Ada Líndqvist", "A.d.a Lindqvist"]))
def test_likeness_does_not_hang_on_how_a_name_is_written(name: str) -> None:
    given_name, _, family_name = name.partition(" ")

    written = replace(ADA, given_name=given_name, family_name=family_name)

    assert written.likeness == ADA.likeness
    assert replace(written, birth_date=date(1984, 3, 1)).likeness != ADA.likeness


def a_client() -> Client:
    return Client(
        id=ClientId(new_id()),
        programme=HARBOUR,
        identity=ADA,
        version=3,
        identifiers=(),
        registered_by=NURSE.id,
        registered_at=NOW,
    )


async def correct(kept: Kept, told: Told, **changes: Any) -> Client:
    identity = changes.pop("identity", replace(ADA, family_name="Berg"))
    given_values: dict[str, Any] = {
        "reason": "married",
        "by": NURSE,
        "now": NOW,
        "clients": kept,
        "journal": told,
    }
    return await client.correct_identity(a_client(), identity, **{**given_values, **changes})


async def test_a_correction_is_a_new_version_with_its_reason() -> None:
    kept, told = Kept(), Told()

    corrected = await correct(kept, told)

    assert corrected.version == 4
    assert kept.versions == [(corrected.identity, 4, "married")]
    assert [event.name for event in told.events] == ["client.identity_corrected"]


async def test_a_correction_without_a_reason_is_refused() -> None:
    with pytest.raises(Invalid, match="reason"):
        await correct(Kept(), Told(), reason=" ")


async def test_the_records_lead_says_how_they_know() -> None:
    kept, told = Kept(), Told()
    await client.decide_different_person(
        ADA, reason="seen both together", by=NURSE, now=NOW, clients=kept, journal=told
    )

    assert kept.decided == ["seen both together"]
    with pytest.raises(Invalid, match="reason"):
        await client.decide_different_person(ADA, reason="", by=NURSE, now=NOW, clients=kept, journal=told)


@pytest.mark.parametrize("name", [None, "a", "a" * 201])
def test_nobody_looks_for_everybody(name: str | None) -> None:
    with pytest.raises(Invalid):
        Wanted(name=name)


def test_one_thing_known_is_enough_to_look_for_somebody() -> None:
    assert Wanted(identifier="A-1").identifier == "A-1"
