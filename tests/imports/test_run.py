"""Bringing a folder in: one person is one transaction and one entry, and running it again finds nothing to do."""

import asyncio
import csv
import json
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from caseload.audit.journal import RequestJournal
from caseload.db.checkin import OverdueCheckIns
from caseload.db.history import HistoryReadings, Verifications
from caseload.db.programme import Programmes
from caseload.domain.access import Act, Holding, Role
from caseload.domain.errors import Invalid, NotPermitted
from caseload.domain.history import Outcome, show, would_have_stopped
from caseload.domain.history.importing import Result
from caseload.domain.history.reading import ProgrammeHistory, attendance
from caseload.domain.medicines import Medicine
from caseload.domain.people import Staff
from caseload.domain.profiles import profiles
from caseload.imports.account import Ran
from caseload.imports.folder import read
from caseload.imports.run import FolderUnusable, Runner
from caseload.request.service import open_service
from caseload.request.work import Service
from caseload.settings import Secret, Settings
from tests.factories import people
from tests.imports.folders import GOOD, a_folder, real_clinic
from tests.shared_server import Addresses

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TREE = Path(__file__).resolve().parents[2]


NOBODY = {name.removesuffix(".csv"): text.splitlines()[0] for name, text in GOOD.items() if name != "programmes.csv"}


def many_people(at: Path, number: int) -> Path:
    """A folder of so many people with three doses each."""
    clients, doses = [GOOD["clients.csv"].splitlines()[0]], [GOOD["doses.csv"].splitlines()[0]]
    for each in range(number):
        clients.append(f"M{each},Given,Family{each},1980-01-01,yes,other,P1,2025-05-01")
        doses += [f"M{each},2025-05-{day:02},methadone,oral_solution,{each + 1}" for day in (1, 2, 4)]
    return a_folder(at, **NOBODY | {"clients": "\n".join(clients), "doses": "\n".join(doses)})


@dataclass(frozen=True, slots=True)
class Place:
    """An empty clinic, an administrator and a counsellor-to-be."""

    service: Service
    owner: AsyncEngine
    administrator: Staff

    async def bring_in(self, folder: Path, *, by: Staff | None = None, counsellor: str = "anna") -> Ran:
        runner = Runner(service=self.service, by=by or self.administrator, source="old record")
        return await runner.run(read(folder, now=NOW), counsellors={"*": counsellor})

    async def rows(self, statement: str) -> list[tuple[Any, ...]]:
        async with self.owner.connect() as connection:
            return [tuple(row) for row in await connection.execute(text(statement))]

    async def shown(self) -> tuple[ProgrammeHistory, int]:
        """What supervisors of every programme are shown together, and how many stand on the worklist."""
        async with self.service.engine.connect() as connection:
            programmes = [each.id for each in await Programmes(connection).all()]
            everybody = [(role, each) for each in programmes for role in (Role.SUPERVISOR, Role.NURSE)]
            by = replace(
                self.administrator, holdings=tuple(Holding(role=role, programme=where) for role, where in everybody)
            )
            journal = RequestJournal()
            readings = HistoryReadings(connection, journal, now=NOW)
            each = [await readings.shown_by(programme, by=by) for programme in programmes]
            overdue = OverdueCheckIns(connection, journal, now=NOW)
            reach = by.reach(Act.SEE_CHECK_INS)
            assert not any([await overdue.count_of_programme(programme, reach=reach) for programme in programmes])
            verifications = Verifications(connection, journal, now=NOW)
            waiting = len(await verifications.to_verify(by=by, after=None, limit=5_000))
        together = ProgrammeHistory(
            people=sum(one.people for one in each),
            people_with_daily_doses=sum(one.people_with_daily_doses for one in each),
            missed_runs=sum((one.missed_runs for one in each), Counter[int]()),
            after_missed=sum((one.after_missed for one in each), Counter[tuple[Medicine, int]]()),
            visits=sum((one.visits for one in each), Counter[Outcome]()),
            visits_without_day=sum(one.visits_without_day for one in each),
            screens=sum(one.screens for one in each),
        )
        return together, waiting

    async def entries(self) -> list[dict[str, Any]]:
        """What the log says, in order, without the entries that name the keys of the service."""
        rows = await self.rows("select leaf from audit.log where event <> 'key.named' order by entry_id")
        return [json.loads(bytes(leaf)) for (leaf,) in rows]

    async def count(self, table: str) -> int:
        [(count,)] = await self.rows(f"select count(*) from {table}")  # noqa: S608 names of our own
        assert isinstance(count, int)
        return count


@pytest.fixture
async def place(anyio_backend: object, throwaway_database: Addresses, tmp_path: Path) -> AsyncIterator[Place]:
    settings = Settings(database_url=Secret(throwaway_database.service), data_dir=tmp_path / "data")
    owner = create_async_engine("postgresql+asyncpg://", connect_args={"dsn": throwaway_database.owner})
    async with open_service(settings) as service:
        async with service.engine.begin() as connection:
            administrator = await people.staff(connection, holds=[(Role.ADMINISTRATOR, None)])
            await people.staff(connection, user_name="anna")
        yield Place(service, owner, administrator)
    await owner.dispose()


async def test_a_folder_comes_in_with_its_source(place: Place, tmp_path: Path) -> None:
    ran = await place.bring_in(a_folder(tmp_path / "folder"))
    assert ran.results == {Result.BROUGHT_IN: 2}
    assert await place.rows(
        "select kind, entry, order_id, source_line, dosing_day::text, amount_mg::text from clinic.dose "
        "order by source_line"
    ) == [
        ("brought_in", "source", None, 2, "2025-05-02", "30.000"),
        ("brought_in", "source", None, 3, "2025-05-05", "40.000"),
        ("brought_in", "source", None, 4, "2025-05-04", "8.000"),
    ]
    assert await place.rows(
        "select external_id, source, number, last_day_covered::text from clinic.client_history order by external_id"
    ) == [("C1", "old record", 1, "2025-05-05"), ("C2", "old record", 1, "2025-05-04")]
    assert await place.rows("select file, rows, accepted from clinic.history_file where file = 'doses.csv'") == [
        ("doses.csv", 3, 3)
    ]
    assert await place.rows("select lower(period)::text from clinic.responsibility order by 1") == [
        ("2025-05-01 04:00:00+00",),
        ("2025-05-03 04:00:00+00",),
    ]
    assert await place.rows("select max(history_until)::text from clinic.medication_record") == [("2025-05-05",)]
    assert await place.count("clinic.history_import_end") == 1


async def test_running_it_again_finds_nothing_to_do(place: Place, tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "folder")
    await place.bring_in(folder)
    again = await place.bring_in(folder)
    assert again.results == {Result.UNCHANGED: 2}
    assert await place.count("clinic.dose") == 3
    assert await place.count("clinic.client") == 2


async def test_a_file_that_cannot_be_read_stops_everything_before_it_begins(place: Place, tmp_path: Path) -> None:
    with pytest.raises(FolderUnusable) as refused:
        await place.bring_in(a_folder(tmp_path / "folder", doses=None))
    assert [(fault.field, fault.problem) for fault in refused.value.faults] == [("doses.csv", "is not there")]
    assert await place.count("clinic.history_import") == 0


async def test_refused_rows_are_kept_as_left_out_and_the_rest_comes_in(place: Place, tmp_path: Path) -> None:
    spoilt = GOOD["doses.csv"] + "C1,1025-05-09,methadone,oral_solution,40\n"
    await place.bring_in(a_folder(tmp_path / "folder", doses=spoilt))
    assert await place.rows("select file, line, reason from clinic.history_refusal") == [
        ("doses.csv", 5, "given_on lies in the year 1025; no day before 1900 is taken")
    ]
    assert await place.count("clinic.dose") == 3


async def test_every_person_is_one_entry_in_the_log(place: Place, tmp_path: Path) -> None:
    await place.bring_in(a_folder(tmp_path / "folder"))
    entries = await place.entries()
    assert [entry["ev"] for entry in entries] == [
        "history.import_begun",
        "history.brought_in",
        "history.brought_in",
        "history.import_ended",
    ]
    assert {entry["act"]["id"] for entry in entries} == {str(place.administrator.id)}
    assert [entry["subj"]["n"] for entry in entries[1:3]] == [1, 1]


async def test_a_later_export_adds_to_people_who_are_there(place: Place, tmp_path: Path) -> None:
    await place.bring_in(a_folder(tmp_path / "first"))
    later = a_folder(
        tmp_path / "later",
        doses=GOOD["doses.csv"] + "C1,2025-05-06,methadone,oral_solution,40\n",
        visits=GOOD["visits.csv"].replace("2025-05-09,Week 2,unknown", "2025-05-09,Week 2,attended"),
    )
    ran = await place.bring_in(later)
    assert ran.results == {Result.ADDED_TO: 1, Result.UNCHANGED: 1}
    assert await place.count("clinic.dose") == 4
    assert await place.rows(
        "select status, replaces_line from clinic.history_visit where replaces_line is not null"
    ) == [("attended", 3)]
    assert await place.rows("select history_until::text from clinic.medication_record order by 1") == [
        ("2025-05-04",),
        ("2025-05-06",),
    ]
    again = await place.bring_in(later)
    assert again.results == {Result.UNCHANGED: 2}


async def test_a_corrected_row_is_kept_and_counts_nowhere(place: Place, tmp_path: Path) -> None:
    await place.bring_in(
        a_folder(
            tmp_path / "folder",
            doses=GOOD["doses.csv"] + "C1,2025-05-05,methadone,oral_solution,20\n",
            decisions="external_id,day,decision\nC1,2025-05-05,correction\n",
        )
    )
    assert await place.rows("select amount_mg::text from clinic.dose where dosing_day = '2025-05-05'") == [("20.000",)]
    assert await place.rows("select amount_mg::text from clinic.history_replaced_dose") == [("40.000",)]


async def test_somebody_known_from_elsewhere_is_left_out_and_named(place: Place, tmp_path: Path) -> None:
    await place.bring_in(a_folder(tmp_path / "folder"))
    other = Runner(service=place.service, by=place.administrator, source="another record")
    others = a_folder(
        tmp_path / "others",
        clients=GOOD["clients.csv"].replace("C1,", "D1,").replace("C2,Béla,Nagy,1990", "D2,Cleo,Novak,1991"),
        doses=GOOD["doses.csv"].replace("C1,", "D1,").replace("C2,", "D2,"),
        visits=GOOD["visits.csv"].splitlines()[0],
        drug_screens=GOOD["drug_screens.csv"].splitlines()[0],
    )
    ran = await other.run(read(others, now=NOW), counsellors={"P1": "anna"})
    assert ran.left_out == [("D1", "may be known already; ask the records lead")]
    assert ran.results == {Result.BROUGHT_IN: 1}


async def test_two_imports_at_once_bring_everybody_in_once(place: Place, tmp_path: Path) -> None:
    await place.bring_in(a_folder(tmp_path / "programme", **NOBODY))
    folder = many_people(tmp_path / "folder", 20)
    ran = await asyncio.gather(place.bring_in(folder), place.bring_in(folder))
    assert sum((each.results for each in ran), Counter[Result]()) == {Result.BROUGHT_IN: 20, Result.UNCHANGED: 20}
    assert await place.count("clinic.client") == 20


async def test_whoever_names_a_counsellor_names_somebody_who_exists(place: Place, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="bob is nobody's user name"):
        await place.bring_in(a_folder(tmp_path / "folder"), counsellor="bob")


async def test_only_those_who_may_bring_in_do(place: Place, tmp_path: Path) -> None:
    async with place.service.engine.begin() as connection:
        nurse = await people.staff(connection, holds=[(Role.NURSE, await people.programme(connection))])
    with pytest.raises(NotPermitted):
        await place.bring_in(a_folder(tmp_path / "folder"), by=nurse)
    assert await place.count("clinic.client") == 0
    assert [(entry["ev"], entry["out"]) for entry in await place.entries()] == [("history.begin_import", 4)]


async def test_an_import_that_is_killed_goes_on_where_it_stopped(
    place: Place, throwaway_database: Addresses, tmp_path: Path
) -> None:
    folder = many_people(tmp_path / "folder", 60)
    killed = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.imports.one_import",
        throwaway_database.service,
        str(tmp_path / "data"),
        str(folder),
        str(place.administrator.id),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(["src", "."])},
        cwd=TREE,
    )
    assert killed.stdout is not None
    await killed.stdout.readexactly(15)
    killed.kill()
    await killed.wait()
    there = await place.count("clinic.client")
    assert 15 <= there < 60
    assert await place.rows("select count(*) from clinic.dose group by client_id having count(*) <> 3") == []
    assert await place.count("clinic.client_history") == there
    assert sum(entry["ev"] == "history.brought_in" for entry in await place.entries()) == there
    assert await place.count("clinic.history_import_end") == 0

    ran = await place.bring_in(folder)
    assert ran.results == {Result.UNCHANGED: there, Result.BROUGHT_IN: 60 - there}
    assert await place.count("clinic.dose") == 180
    assert sum(entry["ev"] == "history.brought_in" for entry in await place.entries()) == 60


async def test_the_real_clinic_comes_in_whole_and_once_and_its_views_agree_with_its_counts(place: Place) -> None:
    folder = real_clinic()
    ran = await place.bring_in(folder)
    assert ran.results == {Result.BROUGHT_IN: 1_330}
    assert not ran.left_out
    assert await place.count("clinic.dose") == 116_710
    assert await place.count("clinic.history_visit") == 27_157
    assert await place.count("clinic.history_drug_screen") == 22_818
    assert await place.count("clinic.history_refusal") == 12
    assert (await place.bring_in(folder)).results == {Result.UNCHANGED: 1_330}
    assert await place.count("clinic.dose") == 116_710

    shown, waiting = await place.shown()
    assert (shown.people, shown.people_with_daily_doses) == (1_330, 1_202)
    assert shown.missed_runs == {1: 4_316, 2: 1_338, 3: 331, 4: 151, 5: 82, 6: 82, 7: 58, 8: 335}
    assert shown.visits == {"attended": 21_572, "did_not_attend": 4_547, "unknown": 1_038}
    assert (shown.visits_without_day, shown.screens) == (4_452, 22_818)
    assert attendance(shown.visits).counted == 21_572 + 4_547
    assert waiting == 1_330
    stopped = {name: would_have_stopped(shown.after_missed, versions[-1]) for name, versions in profiles().items()}
    assert stopped == {name: _counted(folder, from_missed) for name, from_missed in STOPS_FROM.items()}
    assert shown.after_missed == show(read(folder, now=NOW).history).after_missed
    assert stopped == {"AU": 1_039, "UK": 1_039, "US": 1_039, "US-CA-BRIDGE": 963}


ASKS_FROM_THREE: Final[Mapping[str, int]] = dict.fromkeys(("methadone", "buprenorphine", "buprenorphine_naloxone"), 3)
STOPS_FROM: Final[Mapping[str, Mapping[str, int]]] = {
    "AU": ASKS_FROM_THREE,
    "UK": ASKS_FROM_THREE,
    "US": ASKS_FROM_THREE,
    "US-CA-BRIDGE": {**ASKS_FROM_THREE, "methadone": 4},
}
"""From how many missed days on each published ladder stops the next dose of a medicine."""


def _counted(folder: Path, from_missed: Mapping[str, int]) -> int:
    """The doses of a folder that came after so many days without one, straight from its lines."""
    with (folder / "doses.csv").open(encoding="utf-8", newline="") as file:
        taken = {
            (line["external_id"], date.fromisoformat(line["given_on"]), line["medicine"])
            for line in csv.DictReader(file)
            if "injection" not in line["form"] and line["medicine"] in from_missed
        }
    stopped = 0
    for _, theirs in groupby(sorted(taken), key=itemgetter(0)):
        last, of_day = None, date.min
        for _, day, medicine in theirs:
            if day != of_day:
                last, of_day = (None if of_day == date.min else of_day), day
            stopped += last is not None and (day - last).days > from_missed[medicine]
    return stopped
