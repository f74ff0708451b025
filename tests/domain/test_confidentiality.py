"""The lines that tell of confidentiality: what an entry is read as, and how pages of them end."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from caseload.domain.access import Holding, Role
from caseload.domain.accesslog import Access, LogEntry, LogFilter, LogFormat, LogOutcome, LogScope, may_still_take
from caseload.domain.accesslog.confidentiality import (
    MOST_LOOKED_AT,
    Matter,
    Read,
    Result,
    Sought,
    deeds_of,
    export_deeds,
    list_deeds,
)
from caseload.domain.errors import NotPermitted
from caseload.domain.ids import ClientId, EntryId, ProgrammeId, new_id
from caseload.domain.journal import Event
from tests.factories.staff import somebody

pytestmark = pytest.mark.anyio

AUDITOR = somebody((Role.AUDITOR, None))
EVERYTHING = Sought(filter=LogFilter())


def an_entry(event: str, **changes: Any) -> LogEntry:
    given: dict[str, Any] = {
        "id": EntryId(new_id()),
        "index": 3,
        "at": datetime(2026, 11, 22, 9, tzinfo=UTC),
        "actor": str(new_id()),
        "roles": ("nurse",),
        "authenticated_by": "pwd",
        "operation": "C",
        "event": event,
        "outcome": LogOutcome.DONE,
        "status": 201,
        "route": "POST /",
        "purpose": "TREAT",
        "programme": None,
        "request": "r",
        "clients": 1,
        "about": (),
        **changes,
    }
    return LogEntry(**given)


def read(
    event: str,
    *did: Mapping[str, object],
    tried: Sequence[Mapping[str, object]] = (),
    proved: bool = True,
    **changes: Any,
) -> Read:
    entry = an_entry(event, **changes)
    return Read(entry, [Access(entry=entry, saw=(), did=did, tried=tuple(tried), asked={}, proved=proved)])


GIVEN = {"ev": "consent.given", "rec": ["c-1"], "facts": {"kind": "named", "form": "us-named-2026-02"}}
ASKED = {"ev": "consent.asked", "facts": {"answer": "refused", "reason": "no_consent", "rules": "us/2"}}


def test_each_event_of_an_entry_is_a_line_with_its_matter_its_rule_and_its_end() -> None:
    [line] = deeds_of(read("consent.given", GIVEN), EVERYTHING)
    assert (line.matter, line.result, line.rule, line.proved) == (
        Matter.CONSENTS,
        Result.DONE,
        "us-named-2026-02",
        True,
    )
    asked, made = deeds_of(read("consent.asked", ASKED, {"ev": "disclosure.made", "facts": {}}), EVERYTHING)
    assert (asked.matter, asked.result, asked.rule) == (Matter.DECISIONS, Result.REFUSED, "us/2")
    assert (made.matter, made.result, made.rule) == (Matter.DISCLOSURES, Result.DONE, None)


def test_records_are_named_where_one_client_was_asked_for_and_nowhere_else() -> None:
    one = Sought(filter=LogFilter(client=ClientId(new_id())))
    assert [line.records for line in deeds_of(read("consent.given", GIVEN), one)] == [("c-1",)]
    assert [line.records for line in deeds_of(read("consent.given", GIVEN), EVERYTHING)] == [()]


@pytest.mark.parametrize(
    ("outcome", "result"),
    [
        (LogOutcome.REFUSED, Result.REFUSED),
        (LogOutcome.FAILED, Result.FAILED),
        (LogOutcome.UNAVAILABLE, Result.FAILED),
    ],
)
def test_what_was_tried_ends_as_its_entry_and_a_decision_as_it_was_answered(
    outcome: LogOutcome, result: Result
) -> None:
    allowed: dict[str, object] = {"ev": "consent.asked", "facts": {"answer": "allowed"}}
    told: dict[str, object] = {"ev": "disclosure.made"}
    lines = deeds_of(read("disclosure.make", tried=[allowed, told], outcome=outcome), EVERYTHING)
    assert [line.result for line in lines] == [Result.ALLOWED, result]


def test_a_refusal_before_anything_was_told_has_a_line_under_the_entrys_own_name() -> None:
    [line] = deeds_of(read("disclosure.make", outcome=LogOutcome.REFUSED), EVERYTHING)
    assert (line.event, line.result, line.facts, line.proved) == ("disclosure.make", Result.REFUSED, {}, True)


def test_an_attempt_that_failed_after_its_decision_has_a_line_of_its_own() -> None:
    lines = deeds_of(read("disclosure.make", tried=[ASKED], outcome=LogOutcome.FAILED), EVERYTHING)
    assert [(line.event, line.result) for line in lines] == [
        ("consent.asked", Result.REFUSED),
        ("disclosure.make", Result.FAILED),
    ]


def test_a_retry_that_did_nothing_again_is_no_line() -> None:
    assert deeds_of(read("disclosure.make"), EVERYTHING) == []


def test_of_somebody_who_was_erased_there_is_a_line_that_says_no_more_than_the_leaf() -> None:
    [line] = deeds_of(Read(an_entry("consent.given"), []), EVERYTHING)
    assert (line.event, line.facts, line.proved) == ("consent.given", {}, False)


def test_what_cannot_be_held_to_its_leaf_says_so() -> None:
    [line] = deeds_of(read("consent.given", GIVEN, proved=False), EVERYTHING)
    assert not line.proved


def test_a_try_that_opened_nobody_is_about_no_client_and_has_its_line() -> None:
    about = ({"source": "10.0.0.1"}, {"did": [{"ev": "glass.not_broken", "facts": {"tried": "nobody"}}]})
    [line] = deeds_of(Read(an_entry("glass.not_broken", clients=0, about=about), []), EVERYTHING)
    assert (line.matter, line.facts) == (Matter.BREAK_GLASS, {"tried": "nobody"})


def test_what_is_none_of_its_business_is_no_line() -> None:
    assert deeds_of(read("dose.recorded", {"ev": "dose.recorded"}), EVERYTHING) == []


def test_a_narrower_question_leaves_lines_out() -> None:
    both = read("consent.asked", ASKED, {"ev": "disclosure.made", "facts": {}})
    assert [line.event for line in deeds_of(both, replace(EVERYTHING, matter=Matter.DISCLOSURES))] == [
        "disclosure.made"
    ]
    assert [line.event for line in deeds_of(both, replace(EVERYTHING, refused_only=True))] == ["consent.asked"]


class Seen:
    """A journal that remembers of whom it was shown something."""

    def __init__(self) -> None:
        self.clients: list[tuple[ClientId, str]] = []

    def saw(self, client: ClientId, kind: str) -> None:
        self.clients.append((client, kind))

    def tell(self, event: Event) -> None: ...


class Shelf:
    """A log in memory, the newest first."""

    def __init__(self, *entries: Read) -> None:
        self.entries = sorted(entries, key=lambda each: each.entry.id, reverse=True)
        self.looked_at = 0

    async def read(self, asked: LogFilter, scope: LogScope, *, after: EntryId | None, limit: int) -> Sequence[Read]:
        found = [each for each in self.entries if after is None or each.entry.id < after][:limit]
        self.looked_at += len(found)
        return found


async def all_of(shelf: Shelf, sought: Sought, *, limit: int) -> list[EntryId]:
    found: list[EntryId] = []
    after: EntryId | None = None
    while True:
        page = await list_deeds(sought, after=after, limit=limit, by=AUDITOR, log=shelf, journal=Seen())
        found += [deed.entry.id for deed in page.deeds]
        if page.next is None:
            return found
        after = page.next


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 200])
async def test_pages_hold_every_line_once(limit: int) -> None:
    shelf = Shelf(*(read("consent.given", GIVEN) for _ in range(3)), *(read("consent.asked", ASKED) for _ in range(4)))
    assert await all_of(shelf, EVERYTHING, limit=limit) == [each.entry.id for each in shelf.entries]
    consents = await all_of(shelf, replace(EVERYTHING, matter=Matter.CONSENTS), limit=limit)
    assert len(consents) == len(set(consents)) == 3


async def test_a_page_looks_at_so_many_entries_and_says_where_to_go_on() -> None:
    first = read("consent.given", GIVEN)
    shelf = Shelf(first, *(read("consent.asked", ASKED) for _ in range(MOST_LOOKED_AT + 300)))
    sought = replace(EVERYTHING, matter=Matter.CONSENTS)
    page = await list_deeds(sought, after=None, limit=1, by=AUDITOR, log=shelf, journal=Seen())
    assert (list(page.deeds), page.next is None) == ([], False)
    assert shelf.looked_at < MOST_LOOKED_AT + 200
    assert await all_of(shelf, sought, limit=1) == [first.entry.id]


async def test_only_who_reads_the_log_reads_this_and_asking_of_a_client_is_noted() -> None:
    nurse, journal, client = somebody((Role.NURSE, ProgrammeId(new_id()))), Seen(), ClientId(new_id())
    with pytest.raises(NotPermitted):
        await list_deeds(EVERYTHING, after=None, limit=1, by=nurse, log=Shelf(), journal=journal)
    with pytest.raises(NotPermitted):
        export_deeds(EVERYTHING, LogFormat.CSV, by=nurse, journal=journal)
    one = Sought(filter=LogFilter(client=client))
    await list_deeds(one, after=None, limit=1, by=AUDITOR, log=Shelf(), journal=journal)
    export_deeds(one, LogFormat.CSV, by=AUDITOR, journal=journal)
    export_deeds(EVERYTHING, LogFormat.CSV, by=AUDITOR, journal=journal)
    assert journal.clients == [(client, "access_log")] * 2


def test_whoever_may_read_less_than_they_asked_for_may_not_go_on_taking_it() -> None:
    here, there = ProgrammeId(new_id()), ProgrammeId(new_id())
    everywhere = export_deeds(EVERYTHING, LogFormat.CSV, by=AUDITOR, journal=Seen())
    of_one = replace(AUDITOR, holdings=(Holding(role=Role.AUDITOR, programme=here),))
    of_two = replace(AUDITOR, holdings=(*of_one.holdings, Holding(role=Role.PRIVACY_OFFICER, programme=there)))
    asked = export_deeds(EVERYTHING, LogFormat.CSV, by=of_two, journal=Seen())
    assert asked.scope.programmes == frozenset({here, there})
    assert may_still_take(everywhere, by=AUDITOR)
    assert may_still_take(asked, by=AUDITOR)
    assert may_still_take(asked, by=of_two)
    for now in (None, of_one, replace(AUDITOR, holdings=()), somebody((Role.NURSE, ProgrammeId(new_id())))):
        assert not may_still_take(asked, by=now)
    assert not may_still_take(everywhere, by=of_two)
