"""What a completed sheet is before anybody judges it, and how things stood when something was handed out on paper."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from caseload.domain.downtime import Aside, PaperLine, Sheet, VomitedOnPaper
from caseload.domain.downtime.answer import SheetEntered
from caseload.domain.errors import Invalid
from caseload.domain.ids import ClientId, ProgrammeId, StaffId, SuspensionId, TakeHomeDecisionId, new_id
from caseload.domain.medicines import Medicine
from caseload.domain.takehome import Suspension, TakeHomeDecision
from caseload.domain.takehome.handed_out import decisions_at
from tests.factories.window import Told

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TODAY = NOON.date()
SOMEBODY = StaffId(UUID(int=1))


def decided(
    at: datetime, *, medicine: Medicine = Medicine.METHADONE, ended: datetime | None = None
) -> TakeHomeDecision:
    made = TakeHomeDecisionId(new_id())
    client, programme = ClientId(UUID(int=2)), ProgrammeId(UUID(int=3))
    suspension = None
    if ended is not None:
        suspension = Suspension(
            id=SuspensionId(new_id()),
            decision=made,
            client=client,
            programme=programme,
            reason="Sold one.",
            review_on=TODAY,
            suspended_by=SOMEBODY,
            suspended_at=ended,
            profile="US",
            profile_version=1,
        )
    return TakeHomeDecision(
        id=made,
        client=client,
        programme=programme,
        medicine=medicine,
        days=3,
        answers={},
        rationale="Steady.",
        review_on=TODAY,
        decided_on=TODAY,
        decided_by=SOMEBODY,
        decided_at=at,
        day_of_treatment=1,
        first_dose_on=None,
        ceiling_days=None,
        ceiling_rule=None,
        profile="US",
        profile_version=1,
        suspension=suspension,
    )


HOUR = timedelta(hours=1)


def test_a_decision_stands_as_it_stood_when_something_was_handed_out() -> None:
    later, before, oldest = decided(NOON + HOUR), decided(NOON - HOUR, ended=NOON + HOUR), decided(NOON - 2 * HOUR)
    other = decided(NOON, medicine=Medicine.BUPRENORPHINE, ended=NOON)
    found = decisions_at([later, other, before, oldest], NOON)
    assert {medicine: each.id for medicine, each in found.items()} == {
        Medicine.METHADONE: before.id,
        Medicine.BUPRENORPHINE: other.id,
    }
    assert found[Medicine.METHADONE].suspension is None, "it was suspended only later"
    assert found[Medicine.BUPRENORPHINE].suspension is not None
    assert decisions_at([later], NOON) == {}


def test_every_fault_of_a_form_is_named_at_once() -> None:
    vomited = VomitedOnPaper(minutes_after=1, witnessed=True)
    nothing = PaperLine(number=0, client=ClientId(UUID(int=2)), written_by=SOMEBODY)
    lines = (nothing, PaperLine(number=0, client=nothing.client, written_by=SOMEBODY, vomited=vomited))
    form = Sheet(programme=ProgrammeId(UUID(int=3)), day=TODAY + timedelta(days=1), reason=" ", lines=lines)
    with pytest.raises(Invalid) as refused:
        form.check(TODAY)
    assert [fault.field for fault in refused.value.faults] == [
        "reason", "day", "lines.0.line", "lines.0", "lines.1.line", "lines.1.line", "lines.1.vomited",
    ]  # fmt: skip


@pytest.mark.parametrize(("day", "is_one"), [(date(2026, 11, 22), True), (date(2026, 11, 23), False)])
def test_a_sheet_is_of_today_or_before(day: date, *, is_one: bool) -> None:
    line = PaperLine(number=1, client=ClientId(UUID(int=2)), written_by=SOMEBODY)
    form = Sheet(programme=ProgrammeId(UUID(int=3)), day=day, reason="No power.", lines=(line,))
    with pytest.raises(Invalid) as refused:
        form.check(TODAY)
    assert ("day" not in [fault.field for fault in refused.value.faults]) is is_one


def test_what_is_kept_aside_is_told_only_when_it_is_passed_on() -> None:
    told = Told()
    aside = Aside(told)
    aside.saw(ClientId(UUID(int=2)), "dose")
    aside.tell(SheetEntered())
    assert (told.names(), len(told.seen)) == ([], 1)
    aside.pass_on()
    assert told.names() == ["downtime_sheet.entered"]
