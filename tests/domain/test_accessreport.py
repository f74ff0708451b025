"""Who saw my record: what a line is, how lines are gathered, and that nothing leaves before somebody looked through it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from caseload.domain.access import Role
from caseload.domain.accesslog import LogOutcome
from caseload.domain.accessreport import (
    AlreadyReleased,
    Counted,
    Line,
    LineUnknown,
    Manner,
    NotReleased,
    Reason,
    Release,
    Report,
    ReportUnknown,
    Tree,
    Withheld,
    grouped,
    leave_out,
    look_through,
    prepare_report,
    release_report,
    report_for,
    why_in_words,
    withhold_lines,
)
from caseload.domain.client import ClientUnknown
from caseload.domain.errors import Invalid
from caseload.domain.ids import ClientId, EntryId, ProgrammeId, ReportId, StaffId, new_id
from caseload.domain.journal import Event
from caseload.domain.people import Staff
from tests.factories.accesses import MANY, NOW, line
from tests.factories.staff import somebody

pytestmark = pytest.mark.anyio

LONDON = ZoneInfo("Europe/London")
HERE, THERE = ProgrammeId(new_id()), ProgrammeId(new_id())


@pytest.mark.parametrize(
    ("made", "manner"),
    [
        (line(), Manner.OPENED),
        (line(route=MANY, clients=12), Manner.LISTED),
        (line(route=MANY, clients=1), Manner.LISTED),
        (line(route="GET /api/v1/sessions/{session_id}", clients=9), Manner.LISTED),
        (line(did=[{"ev": "dose.recorded"}]), Manner.CHANGED),
        (line(saw=()), Manner.NOT_SHOWN),
        (line(outcome=LogOutcome.REFUSED, saw=(), tried=[{"ev": "dose.recorded"}]), Manner.NOT_SHOWN),
        (line(outcome=LogOutcome.FAILED), Manner.NOT_SHOWN),
    ],
)
def test_opening_a_record_is_told_from_standing_in_a_list(made: Line, manner: Manner) -> None:
    assert made.manner is manner


def test_a_line_says_what_was_shown_and_what_was_done_or_tried() -> None:
    assert line(did=[{"ev": "dose.recorded", "rec": ["x"]}]).what == ("identity", "dose.recorded")
    assert line(saw=(), tried=[{"ev": "dose.recorded"}]).what == ("dose.recorded",)
    assert why_in_words("TREAT") == "care and treatment"
    assert why_in_words("NEW") == "NEW"


def test_lines_are_gathered_by_person_list_and_day_of_the_clinics_clock() -> None:
    late = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)
    other = str(new_id())
    lines = [
        line(at=late, saw=("dose",), roles=("nurse", "prescriber")),
        line(at=late + timedelta(minutes=5)),
        line(at=late - timedelta(minutes=90)),
        line(at=late, actor=other),
        line(at=late, route=MANY, clients=4),
        line(at=late, event="client.summary"),
    ]
    groups = grouped(reversed(lines), LONDON)
    assert [group.key.day for group in groups] == [date(2026, 7, 1), *[date(2026, 7, 2)] * 4]
    [twice] = [group for group in groups if len(group.lines) == 2]
    assert (twice.first_at, twice.last_at) == (late, late + timedelta(minutes=5))
    assert (twice.roles, twice.what, twice.why) == (
        ("nurse", "prescriber"),
        ("dose", "identity"),
        ("care and treatment",),
    )
    assert sum(len(group.lines) for group in groups) == len(lines)


def officer_at(programme: ProgrammeId | None = HERE, role: Role = Role.PRIVACY_OFFICER) -> Staff:
    return somebody((role, programme))


@dataclass
class Office:
    """The log, the kept reports and the journal of one test."""

    lines: Sequence[Line] = ()
    reports: dict[ReportId, Report] = field(default_factory=dict[ReportId, Report])
    kept: dict[bytes, Withheld] = field(default_factory=dict[bytes, Withheld])
    told: list[Event] = field(default_factory=list[Event])
    seen: list[ClientId] = field(default_factory=list[ClientId])

    async def newest_tree(self) -> Tree:
        raise NotImplementedError

    async def page(self, report: Report, *, after: EntryId | None, limit: int) -> Sequence[Line]:
        return self.lines[:limit]

    async def marks(self, report: Report, entries: Collection[EntryId]) -> Mapping[EntryId, bytes]:
        return {each.id: each.mark for each in self.lines if each.id in entries}

    async def all_marks(self, report: Report) -> Sequence[bytes]:
        return [each.mark for each in self.lines]

    async def programme_of(self, wanted: ClientId) -> ProgrammeId:
        return HERE

    async def add(self, report: Report) -> None:
        self.reports[report.id] = report

    async def get(self, report: ReportId) -> Report:
        if report not in self.reports:
            raise ReportUnknown
        return self.reports[report]

    async def of(self, client: ClientId) -> Sequence[Report]:
        return list(self.reports.values())

    async def withhold(self, report: ReportId, marks: Collection[bytes], why: Withheld) -> None:
        self.kept |= dict.fromkeys(marks, why)

    async def withheld(self, report: ReportId) -> Mapping[bytes, Withheld]:
        return self.kept

    async def release(self, report: Report, release: Release) -> None:
        self.reports[report.id] = replace(report, release=release)

    def saw(self, client: ClientId, kind: str) -> None:
        self.seen.append(client)

    def tell(self, event: Event) -> None:
        self.told.append(event)

    @property
    def ports(self) -> dict[str, Any]:
        return {"accesses": self, "reports": self, "journal": self}


def a_report() -> Report:
    return Report(
        id=ReportId(new_id()),
        client=ClientId(new_id()),
        programme=HERE,
        since=None,
        size=40,
        prepared_by=StaffId(new_id()),
        prepared_at=NOW,
    )


def because(reason: Reason = Reason.SAFETY, note: str = "A threat was made.") -> Withheld:
    return Withheld(reason=reason, note=note, by=StaffId(new_id()), at=NOW)


async def test_lines_are_withheld_with_a_reason_counted_and_nothing_changes_after_the_release() -> None:
    office, report, officer = Office([line() for _ in range(5)]), a_report(), officer_at()
    with pytest.raises(NotReleased):
        report.require_released()
    await withhold_lines(report, [office.lines[1].id], because(), **office.ports)
    await withhold_lines(report, [office.lines[3].id], because(Reason.THIRD_PARTY), **office.ports)
    shown = await look_through(report, after=None, limit=9, **office.ports)
    assert [each.withheld and each.withheld.reason for each in shown] == [
        None,
        Reason.SAFETY,
        None,
        Reason.THIRD_PARTY,
        None,
    ]
    assert office.seen == [report.client]
    release = await release_report(report, by=officer, now=NOW, **office.ports)
    assert (release.lines, release.withheld, release.released_by) == (5, 2, officer.id)
    released = office.reports[report.id]
    assert released.require_released() == release
    for late in (
        withhold_lines(released, [office.lines[0].id], because(), **office.ports),
        release_report(released, by=officer, now=NOW, **office.ports),
    ):
        with pytest.raises(AlreadyReleased):
            await late
    counted = Counted()
    left = leave_out(office.lines, office.kept, counted)
    assert [each.id for each in left] == [office.lines[place].id for place in (0, 2, 4)]
    assert (counted.lines, counted.withheld, counted.by_reason) == (5, 2, {Reason.SAFETY: 1, Reason.THIRD_PARTY: 1})
    assert [event.facts for event in office.told] == [
        {"reason": "safety", "lines": 1},
        {"reason": "third_party", "lines": 1},
        {"lines": 5, "withheld": 2},
    ]
    assert {event.client for event in office.told} == {report.client}


async def test_a_line_is_withheld_only_with_words_and_only_where_it_is() -> None:
    office, report = Office([line()]), a_report()
    for entries, why in (
        ([office.lines[0].id], because(note=" ")),
        ([office.lines[0].id], because(note="x" * 2001)),
        ([], because()),
        ([EntryId(new_id()) for _ in range(201)], because()),
    ):
        with pytest.raises(Invalid):
            await withhold_lines(report, entries, why, **office.ports)
    with pytest.raises(LineUnknown):
        await withhold_lines(report, [office.lines[0].id, EntryId(new_id())], because(), **office.ports)
    assert not office.kept


async def test_only_the_privacy_officer_of_the_clients_programme_has_to_do_with_a_report() -> None:
    office, report = Office(), a_report()
    for wrong in (officer_at(THERE), officer_at(role=Role.AUDITOR), officer_at(role=Role.MEDICAL_DIRECTOR)):
        with pytest.raises(ClientUnknown):
            await prepare_report(report, by=wrong, reports=office, journal=office)
    await prepare_report(report, by=officer_at(None), reports=office, journal=office)
    [prepared] = office.told
    assert (prepared.client, prepared.records, prepared.facts) == (report.client, (report.id,), {"size": 40})
    assert await report_for(report.id, by=officer_at(), reports=office) == report
    for wrong in (officer_at(THERE), officer_at(role=Role.AUDITOR)):
        with pytest.raises(ReportUnknown):
            await report_for(report.id, by=wrong, reports=office)
