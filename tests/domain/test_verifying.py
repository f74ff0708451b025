"""Days after a history ends are not known until somebody has asked, and said what they found."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from caseload.domain.access import Holding, Role
from caseload.domain.errors import Invalid, NotPermitted
from caseload.domain.history.verifying import Finding, NothingToVerify, ToVerify, Verification, verify
from caseload.domain.ids import ClientId, ProgrammeId, StaffId, new_id
from caseload.domain.journal import Event
from caseload.domain.medicines import Medicine
from caseload.domain.people import Staff

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
TODAY = date(2026, 1, 10)
PROGRAMME = ProgrammeId(new_id())
WAITING = ToVerify(
    client=ClientId(new_id()),
    programme=PROGRAMME,
    given_name="Ada",
    family_name="Miles",
    source="old record",
    last_dose_on=date(2025, 12, 1),
    last_medicine=Medicine.METHADONE,
    last_amounts_mg=(Decimal(60),),
    last_day_covered=date(2025, 12, 1),
)


@dataclass
class Kept:
    """The worklist and what was found out, in memory."""

    waits: ToVerify | None = WAITING
    found: list[Verification] = field(default_factory=list[Verification])
    told: list[Event] = field(default_factory=list[Event])

    async def waiting(self, whom: ClientId, *, by: Staff) -> ToVerify | None:
        assert by.user_name == "sam"
        return self.waits if self.waits and self.waits.client == whom else None

    async def to_verify(self, *, by: Staff, after: ClientId | None, limit: int) -> Sequence[ToVerify]:
        raise AssertionError((by, after, limit))

    async def add_verification(self, verification: Verification) -> None:
        self.found.append(verification)

    def saw(self, client: ClientId, kind: str) -> None:
        raise AssertionError((client, kind))

    def tell(self, event: Event) -> None:
        self.told.append(event)


async def found_out(
    kept: Kept, *, role: Role = Role.NURSE, note: str = "Asked the other clinic.", until: date = TODAY
) -> Verification:
    by = Staff(
        id=StaffId(new_id()),
        user_name="sam",
        printed_name="Sam",
        session=None,
        holdings=(Holding(role=role, programme=PROGRAMME),),
    )
    return await verify(
        WAITING.client,
        Finding.NO_DOSES,
        note,
        as_id=new_id(),
        until=until,
        today=TODAY,
        by=by,
        now=NOW,
        verifications=kept,
        journal=kept,
    )


async def test_what_was_found_out_is_kept_with_a_name() -> None:
    kept = Kept()
    verification = await found_out(kept)
    assert kept.found == [verification]
    assert (verification.finding, verification.until) == (Finding.NO_DOSES, TODAY)
    assert [event.name for event in kept.told] == ["history.verified"]


async def test_a_line_of_the_worklist_says_why_and_what_would_clear_it() -> None:
    assert WAITING.because == "The history from old record tells of the days up to 2025-12-01."
    assert "record what you found" in WAITING.clears


async def test_nobody_verifies_what_is_not_waiting() -> None:
    with pytest.raises(NothingToVerify):
        await found_out(Kept(waits=None))


async def test_a_counsellor_does_not_vouch_for_doses() -> None:
    with pytest.raises(NotPermitted):
        await found_out(Kept(), role=Role.COUNSELLOR)


@pytest.mark.parametrize(
    ("note", "until", "field"),
    [
        (" ", TODAY, "note"),
        ("x" * 2001, TODAY, "note"),
        ("a\x1b[2J", TODAY, "note"),
        ("Asked.", date(2026, 1, 11), "until"),
        ("Asked.", date(2025, 12, 1), "until"),
    ],
)
async def test_a_finding_says_whom_was_asked_and_of_which_days_it_speaks(note: str, until: date, field: str) -> None:
    kept = Kept()
    with pytest.raises(Invalid) as refused:
        await found_out(kept, note=note, until=until)
    assert [fault.field for fault in refused.value.faults] == [field]
    assert not kept.found
