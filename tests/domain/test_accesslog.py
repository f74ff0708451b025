"""Who may read which part of the log, and what may be asked of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from caseload.domain.access import Act, Holding, Role
from caseload.domain.accesslog import (
    LARGEST_PAGE,
    Access,
    Export,
    LaidOpen,
    LogEntry,
    LogFilter,
    LogFormat,
    LogScope,
    Taken,
    export,
    export_with_proof,
    list_entries,
    may_still_have,
    scope_of,
    who_saw,
)
from caseload.domain.errors import Invalid, NotPermitted
from caseload.domain.ids import ClientId, EntryId, ProgrammeId, SessionId, StaffId, new_id
from caseload.domain.journal import Event
from caseload.domain.people import Staff

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
HERE, THERE = ProgrammeId(new_id()), ProgrammeId(new_id())


def somebody(*holdings: Holding) -> Staff:
    return Staff(id=StaffId(new_id()), user_name="u", printed_name="U", session=SessionId(new_id()), holdings=holdings)


def auditor(programme: ProgrammeId | None = None) -> Holding:
    return Holding(role=Role.AUDITOR, programme=programme)


@dataclass
class LogOfNothing:
    asked: list[tuple[LogFilter, LogScope, EntryId | None, int]] = field(default_factory=list[Any])

    async def entries(
        self, asked: LogFilter, scope: LogScope, *, after: EntryId | None, limit: int
    ) -> Sequence[LogEntry]:
        self.asked.append((asked, scope, after, limit))
        return []

    async def accesses(
        self, client: ClientId, asked: LogFilter, scope: LogScope, *, after: EntryId | None, limit: int
    ) -> Sequence[Access]:
        self.asked.append((asked, scope, after, limit))
        return []


@dataclass
class Notes:
    seen: list[tuple[ClientId, str]] = field(default_factory=list[Any])

    def saw(self, client: ClientId, kind: str) -> None:
        self.seen.append((client, kind))

    def tell(self, event: Event) -> None:
        raise AssertionError(event)


@pytest.mark.parametrize("role", [role for role in Role if role not in {Role.AUDITOR, Role.PRIVACY_OFFICER}])
async def test_nobody_but_auditors_and_privacy_officers_reads_the_log(role: Role) -> None:
    by, log = somebody(Holding(role=role, programme=HERE)), LogOfNothing()
    with pytest.raises(NotPermitted):
        await list_entries(LogFilter(), after=None, limit=10, by=by, log=log)
    with pytest.raises(NotPermitted):
        await who_saw(ClientId(new_id()), LogFilter(), after=None, limit=10, by=by, log=log, journal=Notes())
    with pytest.raises(NotPermitted):
        export(LogFilter(), LogFormat.CSV, by=by, journal=Notes())
    assert log.asked == []


def test_whoever_audits_the_organisation_reads_everything_and_others_their_programmes() -> None:
    everything = LogScope(programmes=None)
    assert scope_of([auditor()], Act.SEE_AUDIT_LOG) == everything
    assert scope_of([auditor(HERE), auditor()], Act.SEE_AUDIT_LOG) == everything
    assert scope_of([auditor(HERE)], Act.SEE_AUDIT_LOG) == LogScope(programmes=frozenset({HERE}))
    both = [
        auditor(HERE),
        Holding(role=Role.PRIVACY_OFFICER, programme=THERE),
        Holding(role=Role.NURSE, programme=None),
    ]
    assert scope_of(both, Act.SEE_AUDIT_LOG) == LogScope(programmes=frozenset({HERE, THERE}))


async def test_who_saw_a_client_is_itself_a_look_at_the_client() -> None:
    client, journal, log = ClientId(new_id()), Notes(), LogOfNothing()
    await who_saw(client, LogFilter(), after=None, limit=10, by=somebody(auditor()), log=log, journal=journal)
    export(LogFilter(client=client), LogFormat.CSV, by=somebody(auditor()), journal=journal)
    assert journal.seen == [(client, "access_log")] * 2


async def test_an_export_of_everybody_names_nobody() -> None:
    journal = Notes()
    made = export(LogFilter(), LogFormat.NDJSON, by=somebody(auditor(HERE)), journal=journal)
    assert made == Export(filter=LogFilter(), scope=LogScope(programmes=frozenset({HERE})), format=LogFormat.NDJSON)
    assert journal.seen == []


@pytest.mark.parametrize(("asked", "given"), [(0, 1), (-5, 1), (7, 7), (10**9, LARGEST_PAGE)])
async def test_a_page_has_a_sensible_size(asked: int, given: int) -> None:
    log = LogOfNothing()
    await list_entries(LogFilter(), after=None, limit=asked, by=somebody(auditor()), log=log)
    assert log.asked[0][3] == given


@pytest.mark.parametrize(
    ("asked", "fields"),
    [
        (LogFilter(since=NOW, until=NOW), ["until"]),
        (LogFilter(since=NOW, until=NOW - timedelta(days=1)), ["until"]),
        (LogFilter(since=datetime(2026, 1, 1), until=datetime(2026, 1, 2)), ["since", "until"]),  # noqa: DTZ001  a caller may leave the zone out
        (LogFilter(event="Dose Recorded"), ["event"]),
        (LogFilter(event="dose."), ["event"]),
        (LogFilter(event="%"), ["event"]),
        (LogFilter(event="x", since=NOW, until=NOW), ["until"]),
        (LogFilter(event="", since=NOW, until=NOW), ["until", "event"]),
    ],
)
async def test_a_filter_that_nothing_can_fulfil_is_refused(asked: LogFilter, fields: list[str]) -> None:
    by, log = somebody(auditor()), LogOfNothing()
    for refused in (
        lambda: list_entries(asked, after=None, limit=10, by=by, log=log),
        lambda: who_saw(ClientId(new_id()), asked, after=None, limit=10, by=by, log=log, journal=Notes()),
    ):
        with pytest.raises(Invalid) as faults:
            await refused()
        assert [fault.field for fault in faults.value.faults] == fields
    with pytest.raises(Invalid):
        export(asked, LogFormat.CSV, by=by, journal=Notes())
    assert log.asked == []


@pytest.mark.parametrize("event", ["dose", "dose.recorded", "check_in.late.entry"])
def test_a_filter_may_name_an_event_or_its_beginning(event: str) -> None:
    LogFilter(event=event, since=NOW, until=NOW + timedelta(microseconds=1)).check()


def test_what_was_taken_away_can_be_recognised_later() -> None:
    client = ClientId(new_id())
    what = Export(filter=LogFilter(client=client), scope=LogScope(programmes=None), format=LogFormat.CSV)
    told = Taken(rows=3, octets=400, sha256="ab").told(what)
    assert (told.name, told.client) == ("audit_log.exported", client)
    assert told.facts == {"format": "csv", "rows": 3, "octets": 400, "sha256": "ab"}


def officer(programme: ProgrammeId | None = None) -> Holding:
    return Holding(role=Role.PRIVACY_OFFICER, programme=programme)


def test_an_export_with_proof_keeps_to_the_scope_of_whoever_asks() -> None:
    journal = Notes()
    wanted = export_with_proof(
        LogFilter(event="dose"), LaidOpen.FACTS, [5, 7], by=somebody(auditor(HERE)), journal=journal
    )
    assert wanted.scope == LogScope(programmes=frozenset({HERE}))
    assert (wanted.laid_open, wanted.towards, journal.seen) == (LaidOpen.FACTS, (5, 7), [])
    with pytest.raises(NotPermitted):
        export_with_proof(LogFilter(), LaidOpen.NOTHING, [], by=somebody(), journal=journal)
    with pytest.raises(Invalid):
        export_with_proof(LogFilter(event="!"), LaidOpen.NOTHING, [], by=somebody(auditor()), journal=journal)


def test_an_export_about_a_client_says_so() -> None:
    journal, client = Notes(), ClientId(new_id())
    export_with_proof(LogFilter(client=client), LaidOpen.NOTHING, [], by=somebody(auditor()), journal=journal)
    assert journal.seen == [(client, "access_log")]


@pytest.mark.parametrize("holdings", [(auditor(),), (officer(HERE),), (auditor(), officer(HERE))])
def test_only_a_privacy_officer_of_the_whole_clinic_lays_clients_open(holdings: tuple[Holding, ...]) -> None:
    with pytest.raises(NotPermitted, match="privacy officer"):
        export_with_proof(LogFilter(), LaidOpen.CLIENTS, [], by=somebody(*holdings), journal=Notes())
    wanted = export_with_proof(LogFilter(), LaidOpen.CLIENTS, [], by=somebody(officer()), journal=Notes())
    assert wanted.laid_open is LaidOpen.CLIENTS


def whole_clinic(role: Role) -> Holding:
    return Holding(role=role, programme=None)


@pytest.mark.parametrize(
    ("asked_as", "lay_open", "holds_now", "still"),
    [
        (auditor(), LaidOpen.FACTS, [auditor()], True),
        (auditor(), LaidOpen.FACTS, [auditor(HERE)], False),
        (auditor(HERE), LaidOpen.FACTS, [auditor(HERE), auditor(THERE)], True),
        (auditor(HERE), LaidOpen.FACTS, [auditor()], True),
        (auditor(HERE), LaidOpen.FACTS, [auditor(THERE)], False),
        (whole_clinic(Role.PRIVACY_OFFICER), LaidOpen.CLIENTS, [whole_clinic(Role.PRIVACY_OFFICER)], True),
        (whole_clinic(Role.PRIVACY_OFFICER), LaidOpen.CLIENTS, [auditor()], False),
        (whole_clinic(Role.PRIVACY_OFFICER), LaidOpen.FACTS, [auditor()], True),
    ],
)
async def test_an_export_is_given_to_whoever_would_be_given_it_now(
    asked_as: Holding, lay_open: LaidOpen, holds_now: list[Holding], *, still: bool
) -> None:
    wanted = export_with_proof(LogFilter(), lay_open, (), by=somebody(asked_as), journal=Notes())
    assert may_still_have(wanted, by=somebody(*holds_now)) is still
