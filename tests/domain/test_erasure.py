"""When a client may be erased from the log, and that it takes two people and a wait."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseload.domain.access import MAY, Act, Role
from caseload.domain.client import ClientUnknown
from caseload.domain.erasure import (
    IN_CARE,
    WAIT,
    Erased,
    Erasure,
    ErasureUnknown,
    Ground,
    Kept,
    Longer,
    MustBeKept,
    NeedsAnother,
    TooSoon,
    confirm_erasure,
    list_erasures,
    longest_duty,
    propose_erasure,
    retention_rules,
    withdraw_erasure,
)
from caseload.domain.ids import ClientId, ErasureId, ProgrammeId, StaffId, new_id
from caseload.domain.journal import Event
from caseload.domain.people import Staff
from tests.factories.staff import somebody

pytestmark = pytest.mark.anyio

NOW = datetime(2046, 11, 22, 9, 30, tzinfo=UTC)
HERE, THERE = ProgrammeId(new_id()), ProgrammeId(new_id())
FREE = Kept(
    programme=HERE,
    registered_at=datetime(2026, 1, 5, tzinfo=UTC),
    in_care=False,
    care_ended_at=datetime(2027, 1, 5, tzinfo=UTC),
    born_on=date(1984, 2, 29),
    last_access_at=datetime(2030, 3, 1, tzinfo=UTC),
)
NO_LONGER = Longer()


def until(kept: Kept, longer: Longer = NO_LONGER, *, now: datetime = datetime(2027, 2, 1, tzinfo=UTC)) -> Any:
    duty = longest_duty(kept, longer, now=now)
    return None if duty is None else (duty.rule, duty.until)


def test_the_longest_rule_wins_and_is_named_with_its_day() -> None:
    assert until(FREE) == ("access_entries", date(2040, 3, 2))
    assert until(replace(FREE, last_access_at=None)) == ("record", date(2037, 1, 6))
    assert until(replace(FREE, last_access_at=None, care_ended_at=None)) == ("record", date(2036, 1, 6))
    assert until(replace(FREE, born_on=date(2024, 2, 29))) == ("minor", date(2044, 3, 1))
    assert until(replace(FREE, in_care=True)) == (IN_CARE, None)


def test_a_clinic_lengthens_a_rule_and_cannot_shorten_it() -> None:
    assert until(FREE, Longer(record_years=20)) == ("record", date(2047, 1, 6))
    assert until(FREE, Longer(access_years=30)) == ("access_entries", date(2060, 3, 2))
    assert until(FREE, Longer(access_years=1, record_years=1)) == until(FREE)


def test_a_duty_ends_on_its_day() -> None:
    for now, held in ((datetime(2040, 3, 1, 23, tzinfo=UTC), True), (datetime(2040, 3, 2, tzinfo=UTC), False)):
        assert (until(FREE, now=now) is not None) is held


days = st.datetimes(datetime(1990, 1, 1), datetime(2045, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  the bounds go without the zone that is given


@given(ended=days, accessed=days, now=days, more=st.integers(0, 60))
def test_nothing_younger_than_ten_years_is_ever_free(
    ended: datetime, accessed: datetime, now: datetime, more: int
) -> None:
    kept = replace(FREE, care_ended_at=ended, last_access_at=accessed)
    duty = longest_duty(kept, Longer(access_years=more), now=now)
    years = timedelta(days=365 * max(10, more))
    if max(now - accessed, timedelta(0)) < years or now - ended < timedelta(days=3650):
        assert duty is not None
        assert duty.until is not None
        assert duty.until > now.date()
    if duty is None:
        assert longest_duty(kept, NO_LONGER, now=now) is None


def test_no_rule_is_shorter_than_the_standard_says() -> None:
    rules = retention_rules()
    assert rules.access.years >= 10
    assert rules.record.years >= 10
    assert (rules.minor.of_age, rules.minor.years) == (18, 2)


def officer_at(role: Role = Role.PRIVACY_OFFICER, programme: ProgrammeId | None = HERE) -> Staff:
    return somebody((role, programme))


@dataclass
class Keys:
    """The keys, the record and the journal of one test."""

    facts: Kept = FREE
    proposals: dict[ErasureId, Erasure] = field(default_factory=dict[ErasureId, Erasure])
    destroyed: list[ClientId] = field(default_factory=list[ClientId])
    told: list[Event] = field(default_factory=list[Event])
    seen: list[ClientId] = field(default_factory=list[ClientId])

    async def kept(self, wanted: ClientId, *, last_access_at: datetime | None) -> Kept:
        return replace(self.facts, last_access_at=last_access_at)

    async def last_access(self, client: ClientId) -> datetime | None:
        return self.facts.last_access_at

    async def add(self, new: Erasure) -> None:
        self.proposals[new.id] = new

    async def waiting(self) -> Sequence[Erasure]:
        return list(self.proposals.values())

    async def get(self, wanted: ErasureId) -> Erasure:
        if wanted not in self.proposals:
            raise ErasureUnknown
        return self.proposals[wanted]

    async def withdraw(self, proposal: Erasure) -> None:
        del self.proposals[proposal.id]

    async def destroy_key(self, proposal: Erasure, *, by: StaffId, at: datetime) -> Erased:
        self.destroyed.append(self.proposals.pop(proposal.id).client)
        return Erased(
            id=proposal.id,
            key=new_id(),
            ground=proposal.ground,
            proposed_by=proposal.proposed_by,
            confirmed_by=by,
            erased_at=at,
        )

    def saw(self, client: ClientId, kind: str) -> None:
        self.seen.append(client)

    def tell(self, event: Event) -> None:
        self.told.append(event)

    async def propose(self, by: Staff, *, now: datetime = NOW) -> Erasure:
        new = Erasure(
            id=ErasureId(new_id()),
            client=ClientId(new_id()),
            ground=Ground.RETENTION_OVER,
            proposed_by=by.id,
            proposed_at=now,
        )
        await propose_erasure(new, by=by, now=now, longer=NO_LONGER, record=self, erasures=self, journal=self)
        return new

    async def confirm(self, wanted: ErasureId, by: Staff, *, now: datetime = NOW + WAIT) -> Erased:
        return await confirm_erasure(wanted, by=by, now=now, longer=NO_LONGER, record=self, erasures=self, journal=self)


async def test_an_erasure_takes_two_people_and_leaves_an_entry_that_names_the_key_and_not_the_client() -> None:
    keys, officer = Keys(), officer_at()
    proposal = await keys.propose(officer)
    with pytest.raises(NeedsAnother):
        await keys.confirm(proposal.id, officer)
    second = officer_at(Role.MEDICAL_DIRECTOR)
    erased = await keys.confirm(proposal.id, second)
    assert keys.destroyed == [proposal.client]
    assert (erased.proposed_by, erased.confirmed_by) == (officer.id, second.id)
    proposed, done = keys.told
    assert proposed.client == proposal.client, "goes under the client's own key, and with it"
    assert (done.client, done.records) == (None, (erased.key, proposal.id, officer.id))
    assert keys.seen == []
    with pytest.raises(ErasureUnknown):
        await keys.confirm(proposal.id, second)


async def test_it_cannot_be_confirmed_while_a_process_may_remember_the_key() -> None:
    keys = Keys()
    proposal = await keys.propose(officer_at())
    with pytest.raises(TooSoon) as refused:
        await keys.confirm(proposal.id, officer_at(), now=NOW + WAIT - timedelta(seconds=1))
    assert refused.value.facts == {"from_": "2046-11-22T09:40:00+00:00"}
    await keys.confirm(proposal.id, officer_at(), now=NOW + WAIT)


async def test_a_duty_to_keep_refuses_the_proposal_and_later_the_confirmation_by_rule_and_day() -> None:
    keys = Keys(replace(FREE, last_access_at=NOW - timedelta(days=300)))
    with pytest.raises(MustBeKept) as refused:
        await keys.propose(officer_at())
    assert refused.value.facts == {"rule": "access_entries", "until": "2056-01-27"}
    assert "until 2056-01-27" in refused.value.detail
    keys.facts = replace(FREE, in_care=True)
    with pytest.raises(MustBeKept, match="while that is so"):
        await keys.propose(officer_at())
    keys.facts = FREE
    proposal = await keys.propose(officer_at())
    keys.facts = replace(FREE, last_access_at=NOW)
    with pytest.raises(MustBeKept, match="2056-11-23"):
        await keys.confirm(proposal.id, officer_at())
    assert keys.destroyed == []


async def test_a_proposal_can_be_taken_back() -> None:
    keys = Keys()
    proposal = await keys.propose(officer_at())
    await withdraw_erasure(proposal.id, by=officer_at(), record=keys, erasures=keys, journal=keys)
    assert keys.proposals == {}
    assert keys.told[-1].client == proposal.client


async def test_only_people_of_the_clients_programme_propose_see_confirm_and_withdraw() -> None:
    keys, elsewhere = Keys(), officer_at(programme=THERE)
    with pytest.raises(ClientUnknown):
        await keys.propose(elsewhere)
    with pytest.raises(ClientUnknown):
        await keys.propose(officer_at(Role.MEDICAL_DIRECTOR))
    proposal = await keys.propose(officer_at(programme=None))
    with pytest.raises(ErasureUnknown):
        await keys.confirm(proposal.id, elsewhere)
    with pytest.raises(ErasureUnknown):
        await withdraw_erasure(proposal.id, by=elsewhere, record=keys, erasures=keys, journal=keys)
    assert await list_erasures(by=elsewhere, record=keys, erasures=keys, journal=keys) == []
    assert keys.seen == []
    assert await list_erasures(by=officer_at(), record=keys, erasures=keys, journal=keys) == [proposal]
    assert keys.seen == [proposal.client]


def test_nobody_who_works_with_clients_alone_can_erase_one() -> None:
    assert MAY[Act.PROPOSE_ERASURE] == {Role.PRIVACY_OFFICER}
