"""Routes, lists and what jobs leave, as every role, with a client in reach, out of reach, restricted and behind a broken glass.

Compared with the one table: `MAY`, `EXTENT`, `SEES_RESTRICTED` and `GLASS_OPENS`, as `reach` reads them. Whom one does not see
is answered exactly as somebody who does not exist; whom one sees is not. What would change something is only sent about those whom
nobody may see, so that nothing is ever changed. Records by their own identifier, and pages: `test_role_by_record.py`.
"""

import json
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.programme import Programmes
from caseload.db.tables.glass import glass
from caseload.db.tables.outreach import client_contact
from caseload.db.tables.restriction import restriction, restriction_naming
from caseload.domain.access import MAY, WITHOUT_PROGRAMME, Act, Apart, BrokenGlass, Role, reach
from caseload.domain.ids import ClientId, GlassId, ProgrammeId, StaffId, new_id
from caseload.domain.people import the_service
from caseload.domain.programme import Programme
from caseload.jobs.alerts import RAISE_ALERTS, raise_alerts_in
from caseload.jobs.check_ins import SCHEDULE_CHECK_INS, STEP_UP_CHECK_INS
from caseload.jobs.escalations import MISSED_DOSES, PASS_ON, escalate_missed_in, pass_on_in
from caseload.jobs.kind import Kind
from caseload.jobs.kinds import KINDS
from caseload.jobs.outreach import CLIMB_LADDERS, climb_in
from caseload.jobs.tidying import FORGET_JOBS
from caseload.jobs.zones import FOLLOW_ZONES
from caseload.request.work import Work
from caseload.web.pages import description
from tests.api.conftest import Clinic, Person
from tests.api.house import House
from tests.architecture.test_role_by_route import Door, doors
from tests.conftest import Counts
from tests.factories import clients
from tests.factories.clients import InCare
from tests.factories.people import NOW

pytestmark = pytest.mark.anyio

NOBODY = ClientId(new_id())
ELSE = str(new_id())
PLACE = re.compile(r"\{(\w+):(\w+)\}")
OTHER = {"uuid": ELSE, "date": "2026-11-22", "int": "1", "str": "x"}
OVERDUE_DAYS = 5
"""Long enough for the ladder to have begun."""
BODIES: Mapping[str, Any] = {
    f"{method.upper()} {path}": operation.get("requestBody", {})
    .get("content", {})
    .get("application/json", {})
    .get("example")
    for path, methods in json.loads(description())["paths"].items()
    for method, operation in methods.items()
}

BY_THE_LOG = frozenset({
    Act.SEE_AUDIT_LOG, Act.REPORT_ACCESS, Act.PROPOSE_ERASURE, Act.CONFIRM_ERASURE,
})  # fmt: skip
"""Acts about a client's entries in the log, which outlive the record: whoever reads the log names anybody, and is shown no record."""


NOT_BY_REACH = BY_THE_LOG | {Act.KNOW_MYSELF, Act.SEE_GLASS, Act.SEE_DISPENSING_LOG}
"""What also says of clients by other rules: oneself whom one has opened, the privacy officer's list of that, and the dispensing log,
which the law wants whole and which names nobody (decision 435)."""


class Standing(StrEnum):
    """How a client stands to whoever asks."""

    IN_REACH = "in reach"
    OUT_OF_REACH = "out of reach"
    RESTRICTED = "restricted"
    BROKEN_GLASS = "broken glass"


@dataclass(frozen=True)
class Hall:
    """Somebody of each role, and four clients."""

    here: ProgrammeId
    people: Mapping[Role, Person]
    clients: Mapping[Standing, ClientId]
    homes: Mapping[Standing, ProgrammeId]
    glasses: Mapping[Role, GlassId]

    def covers(self, role: Role, act: Act, standing: Standing) -> bool:
        """What the table says."""
        staff, client = self.people[role].staff, self.clients[standing]
        apart = Apart(closed=((self.clients[Standing.RESTRICTED], self.here),), glass=self._glass(role))
        counsellor = self.people[Role.COUNSELLOR].staff.id
        return reach(staff.id, staff.holdings, act, apart).covers(
            client,
            programmes=[self.homes[standing]],
            looked_after_by=[counsellor] if standing is Standing.IN_REACH else [],
            by_identifier=True,
        )

    def roles(self, act: Act, most: int) -> list[Role]:
        """Who may do it: of those whom the table treats alike so many, for it is the table that is compared."""
        alike: dict[tuple[bool, ...], list[Role]] = defaultdict(list)
        for role in sorted(MAY[act]):
            alike[tuple(self.covers(role, act, standing) for standing in Standing)].append(role)
        return [role for roles in alike.values() for role in roles[:most]]

    def _glass(self, role: Role) -> BrokenGlass | None:
        if role not in self.glasses:
            return None
        return BrokenGlass(id=self.glasses[role], client=self.clients[Standing.BROKEN_GLASS], until=NOW)


@pytest.fixture(scope="module")
async def hall(clinic: Clinic) -> AsyncIterator[Hall]:
    here, there = await clinic.programme(), await clinic.programme()
    people = {role: await clinic.person((role, None if role in WITHOUT_PROGRAMME else here)) for role in Role}
    robin, counsellor = (await clinic.person((Role.COUNSELLOR, here))).staff.id, people[Role.COUNSELLOR].staff.id
    elsewhere = await clinic.person((Role.COUNSELLOR, there))
    homes = dict.fromkeys(Standing, here) | {Standing.OUT_OF_REACH: there, Standing.BROKEN_GLASS: there}
    glasses = {role: GlassId(new_id()) for role in Role if role in MAY[Act.BREAK_GLASS]}
    made: dict[Standing, InCare] = {}
    async with clinic.service.engine.begin() as connection:
        for standing, home in homes.items():
            answers = counsellor if standing is Standing.IN_REACH else robin
            made[standing] = await clients.in_care(connection, programme=home, counsellor=answers)
            await may_be_rung(connection, made[standing].id, robin, clinic)
        await restrict(connection, made[Standing.RESTRICTED].id, robin, clinic)
        for role, new in glasses.items():
            await break_glass(connection, new, people[role].staff.id, made[Standing.BROKEN_GLASS].id, there, clinic)
    for standing, client in made.items():
        planner = people[Role.COUNSELLOR] if homes[standing] == here else elsewhere
        await House(clinic, homes[standing], planner).planned(client, days_ago=OVERDUE_DAYS)
    yield Hall(here, people, {standing: client.id for standing, client in made.items()}, homes, glasses)
    for person in people.values():
        await person.http.aclose()


async def may_be_rung(connection: AsyncConnection, client: ClientId, by: StaffId, clinic: Clinic) -> None:
    said = {"allowed": ["telephone"], "telephone": "555 0100"}
    recorded = {"recorded_by": by, "recorded_at": clinic.service.clock()}
    await connection.execute(insert(client_contact).values(client_id=client, version=1, **said, **recorded))


async def restrict(connection: AsyncConnection, client: ClientId, named: StaffId, clinic: Clinic) -> None:
    now, new = clinic.service.clock(), new_id()
    by = {"recorded_by": named, "recorded_at": now, "starts_at": now}
    await connection.execute(insert(restriction).values(id=new, client_id=client, kind="colleague", reason="R", **by))
    await connection.execute(insert(restriction_naming).values(id=new_id(), restriction_id=new, staff_id=named, **by))


async def break_glass(
    connection: AsyncConnection, new: GlassId, by: StaffId, client: ClientId, home: ProgrammeId, clinic: Clinic
) -> None:
    now = clinic.service.clock()
    await connection.execute(
        insert(glass).values(
            id=new,
            staff_id=by,
            client_id=client,
            programme_id=home,
            code="overdose",
            reason="Found unconscious in the yard.",
            rule="break_glass/1",
            starts_at=now,
            until_at=now + timedelta(hours=1),
            review_due_at=now + timedelta(days=1),
        )
    )


@pytest.fixture(scope="module")
def about_one_client(clinic: Clinic) -> list[tuple[Door, Act]]:
    found = [(door, door.act) for door in doors(clinic.application.litestar) if "{client_id:uuid}" in door.path]
    return [(door, act) for door, act in found if act is not None and act not in BY_THE_LOG]


async def knock(door: Door, by: Person, about: UUID, of: str = "client_id") -> tuple[Any, ...]:
    """How it is answered, without what differs from one request to the next."""
    path = PLACE.sub(lambda place: str(about) if place[1] == of else OTHER[place[2]], door.path)
    body = BODIES[f"{door.method} {PLACE.sub(lambda place: '{' + place[1] + '}', door.path)}"]
    answer: httpx.Response = await by.http.request(door.method, path, json=body)
    if answer.is_success:
        return answer.status_code, answer.content
    said = answer.json()
    return answer.status_code, said.get("type"), said.get("detail"), json.dumps(said.get("faults"))


@pytest.fixture
def most(counts: Counts) -> int:
    """How many of the roles that the table treats alike are tried: one, and all of them with `make soak`."""
    return counts(1, full=2 * len(Role))


async def test_who_reads_of_a_client_is_who_the_table_lets(
    hall: Hall, about_one_client: list[tuple[Door, Act]], most: int
) -> None:
    wrong: list[str] = []
    read = [(door, act) for door, act in about_one_client if door.method == "GET" and door.path.count("{") == 1]
    assert len(read) > 25
    for door, act in read:
        for role in hall.roles(act, most):
            by = hall.people[role]
            nobody = await knock(door, by, NOBODY)
            for standing, client in hall.clients.items():
                said = await knock(door, by, client)
                if (said != nobody) is not hall.covers(role, act, standing):
                    wrong.append(
                        f"{door} ({act}) as {role} about a client {standing}: {said[:2]}, about nobody: {nobody[:2]}"
                    )
    assert not wrong, "\n".join(wrong)


async def test_what_is_done_to_a_client_whom_one_does_not_see_is_answered_as_for_nobody(
    hall: Hall, about_one_client: list[tuple[Door, Act]], most: int
) -> None:
    wrong: list[str] = []
    for door, act in about_one_client:
        if door.method == "GET" and door.path.count("{") == 1:
            continue
        shut = [
            (role, standing)
            for standing in (Standing.RESTRICTED, Standing.OUT_OF_REACH)
            for role in sorted(MAY[act])
            if not hall.covers(role, act, standing)
        ]
        for role, standing in shut[:most]:
            by, client = hall.people[role], hall.clients[standing]
            said, nobody = await knock(door, by, client), await knock(door, by, NOBODY)
            if said != nobody or said[0] < 400:
                wrong.append(f"{door} ({act}) as {role} about a client {standing}: {said}, about nobody: {nobody}")
    assert not wrong, "\n".join(wrong)


IN_A_PROGRAMME: Mapping[Kind, Callable[[Work, Programme], Awaitable[int]]] = {
    CLIMB_LADDERS: climb_in,
    RAISE_ALERTS: raise_alerts_in,
    MISSED_DOSES: escalate_missed_in,
    PASS_ON: pass_on_in,
}
"""What each job that leaves something for people to read does in one programme."""

LEAVES_NOTHING = {SCHEDULE_CHECK_INS, STEP_UP_CHECK_INS, FOLLOW_ZONES, FORGET_JOBS}
"""Jobs that make what is read as a check-in or a session like any other, or only take away."""


async def test_what_the_jobs_leave_is_in_no_list_of_whoever_does_not_see_the_client(
    clinic: Clinic, hall: Hall, most: int
) -> None:
    assert set(KINDS) == LEAVES_NOTHING | set(IN_A_PROGRAMME), "Say what the new job leaves, and run it here."
    for programme in sorted(set(hall.homes.values())):
        for kind, run in IN_A_PROGRAMME.items():
            async with clinic.service.work(by=the_service(), event=kind.name) as work:
                await run(work, await Programmes(work.connection).get(programme))
    listed = await hall.people[Role.COUNSELLOR].get("/care-tasks")
    assert str(hall.clients[Standing.IN_REACH]) in listed.text
    wrong = await shown_beyond_reach(clinic, hall, most)
    assert not wrong, "\n".join(wrong)


async def test_no_list_names_a_client_whom_whoever_reads_it_does_not_see(clinic: Clinic, hall: Hall, most: int) -> None:
    wrong = await shown_beyond_reach(clinic, hall, most)
    assert not wrong, "\n".join(wrong)


async def shown_beyond_reach(clinic: Clinic, hall: Hall, most: int) -> list[str]:
    wrong: list[str] = []
    for door in doors(clinic.application.litestar):
        if door.act is None or door.method != "GET" or door.act in NOT_BY_REACH or "client_id" in door.path:
            continue
        path = PLACE.sub(lambda place: str(hall.here) if place[1] == "programme_id" else OTHER[place[2]], door.path)
        asked = {"programme": str(hall.here)} if "programme" in door.handler.parsed_fn_signature.parameters else {}
        for role in hall.roles(door.act, most):
            answer = await hall.people[role].http.get(path, params=asked)
            for standing, client in hall.clients.items():
                if str(client) in answer.text and not hall.covers(role, door.act, standing):
                    wrong.append(f"{door} ({door.act}) shows {role} a client {standing}")
    return wrong
