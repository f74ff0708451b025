"""Brought-in histories as they are read back: counts equal the rule, and the worklist names whoever is left."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.audit.journal import RequestJournal
from caseload.db.access import reach_of
from caseload.db.history import HistoryReadings, Verifications, reading, verifying
from caseload.db.tables.caseload import episode
from caseload.domain.access import Act, Role
from caseload.domain.client import ClientUnknown
from caseload.domain.history import LONG_RUN, Outcome, ScreenRow
from caseload.domain.history.reading import gaps
from caseload.domain.history.verifying import Finding, Verification
from caseload.domain.ids import HistoryId, ProgrammeId, StaffId, new_id
from caseload.domain.medicines import Form, Medicine
from caseload.domain.people import Staff
from tests.factories import clients, people
from tests.factories.clients import InCare
from tests.factories.explain import plan_of
from tests.factories.histories import a_dose, a_visit, brought_in, our_own_dose
from tests.factories.people import NOW

pytestmark = pytest.mark.anyio

START = date(2026, 1, 1)


@dataclass
class Place:
    """A programme with a nurse who sees everybody in it."""

    connection: AsyncConnection
    programme: ProgrammeId
    nurse: Staff
    counsellor: StaffId
    journal: RequestJournal

    async def client(self, family_name: str = "Lindqvist") -> InCare:
        return await clients.in_care(
            self.connection, programme=self.programme, counsellor=self.counsellor, family_name=family_name
        )

    async def brought_in(self, client: InCare, **options: Any) -> HistoryId:
        return await brought_in(self.connection, client.id, programme=self.programme, **options)

    async def our_own_dose(self, client: InCare, on: date) -> None:
        await our_own_dose(self.connection, client.id, on, programme=self.programme)

    @property
    def readings(self) -> HistoryReadings:
        return HistoryReadings(self.connection, self.journal, now=NOW)

    @property
    def verifications(self) -> Verifications:
        return Verifications(self.connection, self.journal, now=NOW)


@pytest.fixture
async def place(connection: AsyncConnection) -> Place:
    programme = await people.programme(connection)
    nurse = await people.staff(connection, holds=[(Role.NURSE, programme)])
    counsellor = await people.staff(connection, holds=[(Role.COUNSELLOR, programme)])
    return Place(connection, programme, nurse, counsellor.id, RequestJournal())


def day(number: int) -> date:
    return START + timedelta(days=number)


async def test_the_counts_of_a_programme_are_what_the_rule_counts_on_random_histories(
    place: Place, counts: Callable[..., int]
) -> None:
    chance = random.Random(20261122)  # noqa: S311 a story, not a secret
    expected: Counter[int] = Counter()
    after: Counter[tuple[Medicine, int]] = Counter()
    with_daily = 0
    for _ in range(counts(15, full=200)):
        client = await place.client()
        theirs = sorted(chance.sample(range(60), chance.randint(0, 30)))
        until = day(max(theirs, default=0) + chance.choice([0, 0, 3, 20]))
        rows = [a_dose(day(number), line=line) for line, number in enumerate([*theirs, *theirs[:2]], start=2)]
        rows += [
            a_dose(
                day(number),
                line=100 + number,
                medicine=Medicine.NALTREXONE,
                form=Form.EXTENDED_RELEASE_INJECTION,
                amount_mg=Decimal(380),
            )
            for number in chance.sample(range(60), 3)
        ]
        await place.brought_in(client, doses=rows, until=until)
        ours = sorted(chance.sample(range(61, 120), chance.choice([0, 0, 5, 12])))
        for number in ours:
            await place.our_own_dose(client, day(number))
        found = list(gaps([day(number) for number in (*theirs, *ours)], until))
        assert list((await place.readings.of(client.id)).gaps) == found
        expected.update(min(gap.missed, LONG_RUN) for gap in found if gap.missed)
        after.update((Medicine.METHADONE, gap.missed) for gap in found if gap.missed)
        with_daily += bool(theirs or ours)
    shown = await place.readings.shown_by(place.programme, by=place.nurse)
    assert shown.missed_runs == expected
    assert shown.after_missed == after
    assert shown.people_with_daily_doses == with_daily


async def test_a_client_is_read_back_as_the_source_recorded_them(place: Place) -> None:
    client = await place.client()
    first = await place.brought_in(
        client,
        doses=[a_dose(day(0), line=2), a_dose(day(3), line=3)],
        visits=[a_visit(None, line=3, status=Outcome.DID_NOT_ATTEND), a_visit(day(0), line=2)],
        screens=[ScreenRow(line=9, collected_on=day(1), substance="opioid", result="positive")],
        until=day(3),
        recorded={"housing": "stable"},
    )
    history = await place.readings.of(client.id)
    assert [(visit.line, visit.scheduled_on) for visit in history.visits] == [(2, day(0)), (3, None)]
    assert [(screen.line, screen.substance) for screen in history.screens] == [(9, "opioid")]
    [provenance] = history.provenance
    assert (provenance.source, provenance.last_day_covered) == ("old record", day(3))
    assert provenance.recorded == {"housing": "stable"}
    assert [(gap.missed, gap.not_known) for gap in history.gaps] == [(2, 0)]
    assert place.journal.kinds[client.id] == ("history",)
    assert first


async def test_days_after_the_history_ends_are_not_known_until_our_own_record_begins(place: Place) -> None:
    client = await place.client()
    await place.brought_in(client, doses=[a_dose(day(0), line=2)], until=day(2))
    await place.our_own_dose(client, day(10))
    [gap] = (await place.readings.of(client.id)).gaps
    assert (gap.after, gap.before, gap.missed, gap.not_known) == (day(0), day(10), 2, 7)


async def test_a_counsellor_is_shown_counts_over_their_own_clients_only(place: Place) -> None:
    other = await people.staff(place.connection, holds=[(Role.COUNSELLOR, place.programme)])
    client = await place.client()
    await place.brought_in(client, visits=[a_visit(day(0), line=2)], until=day(0))
    assert (await place.readings.shown_by(place.programme, by=place.nurse)).people == 1
    shown = await place.readings.shown_by(place.programme, by=other)
    assert (shown.people, shown.visits.total()) == (0, 0)
    assert place.journal.is_empty


async def test_whoever_was_brought_in_waits_until_somebody_has_found_out(place: Place) -> None:
    later = await place.client(family_name="Younger")
    client = await place.client()
    for each in (client, later):
        await place.brought_in(
            each,
            doses=[a_dose(day(5), line=7, amount_mg=Decimal(24)), a_dose(day(5), line=6, amount_mg=Decimal(6))],
            until=day(8),
        )
    first, second = await place.verifications.to_verify(by=place.nurse, after=None, limit=10)
    assert [first.client, second.client] == [later.id, client.id]
    assert (first.last_dose_on, first.last_medicine, first.last_day_covered) == (day(5), Medicine.METHADONE, day(8))
    assert first.last_amounts_mg == (Decimal(6), Decimal(24))
    assert set(place.journal.kinds) == {client.id, later.id}
    [after] = await place.verifications.to_verify(by=place.nurse, after=first.client, limit=10)
    assert after == second

    found = Verification(
        id=new_id(),
        client=client.id,
        until=day(30),
        finding=Finding.NO_DOSES,
        note="Asked.",
        verified_by=place.nurse.id,
        recorded_at=NOW,
    )
    await place.verifications.add_verification(found)
    assert await place.verifications.waiting(client.id, by=place.nurse) is None
    assert await place.verifications.of(client.id) == [found]
    assert await place.verifications.get(found.id, of=client.id) == found

    await place.brought_in(client, until=day(40), number=2, at=NOW + timedelta(hours=1))
    again = await place.verifications.waiting(client.id, by=place.nurse)
    assert again is not None
    assert again.last_day_covered == day(40)


async def test_somebody_without_doses_waits_too_and_whoever_was_discharged_does_not(place: Place) -> None:
    client = await place.client()
    await place.brought_in(client, until=day(0))
    waiting = await place.verifications.waiting(client.id, by=place.nurse)
    assert waiting is not None
    assert (waiting.last_dose_on, waiting.last_medicine, waiting.last_amounts_mg) == (None, None, ())
    ended = Range(client.episode.starts_at, datetime(2026, 2, 1, tzinfo=UTC))
    await place.connection.execute(update(episode).where(episode.c.client_id == client.id).values(period=ended))
    assert await place.verifications.waiting(client.id, by=place.nurse) is None


async def test_nobody_learns_of_a_client_outside_their_reach(place: Place) -> None:
    client = await place.client()
    await place.brought_in(client, until=day(0))
    elsewhere = await people.staff(
        place.connection, holds=[(Role.NURSE, await people.programme(place.connection, code="ELSEWHERE"))]
    )
    with pytest.raises(ClientUnknown):
        await place.verifications.waiting(client.id, by=elsewhere)
    assert await place.verifications.to_verify(by=elsewhere, after=None, limit=10) == []
    assert place.journal.is_empty


async def test_a_line_of_a_file_comes_in_once(place: Place) -> None:
    client = await place.client()
    with pytest.raises(IntegrityError, match="dose_source_line_key"):
        await place.brought_in(client, doses=[a_dose(day(0), line=2), a_dose(day(1), line=2)], until=day(1))


@pytest.mark.parametrize("name", ["_LIST", "_ONE"])
async def test_the_worklist_walks_no_table_that_grows(place: Place, name: str) -> None:
    given = reach_of(place.nurse.reach(Act.VERIFY_HISTORY), at=NOW)
    given |= {"after": verifying.NIL, "limit": 50} if name == "_LIST" else {"client": new_id()}
    await place.connection.exec_driver_sql("set local enable_seqscan = off")
    plan = await plan_of(place.connection, getattr(verifying, name), given)
    assert not [line for line in plan if "Seq Scan" in line], plan


@pytest.mark.parametrize("name", ["_PROVENANCE", "_VISITS", "_SCREENS", "_DAYS"])
async def test_one_clients_history_is_found_by_index(place: Place, name: str) -> None:
    await place.connection.exec_driver_sql("set local enable_seqscan = off")
    given = {"client": new_id(), "daily": ["methadone oral_solution"]}
    plan = await plan_of(place.connection, getattr(reading, name), given)
    assert not [line for line in plan if "Seq Scan" in line], plan
