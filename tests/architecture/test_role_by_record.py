"""Records by their own identifier, and pages, as every role: a client in reach, out of reach, restricted and behind a broken glass.

The same table as in `test_role_by_client.py`: a record of somebody whom one does not see is answered exactly as one that does not
exist. Here the clients are few and the people many: everybody has a namesake in another programme, who is out of reach, and one
there who has broken the glass. A record has whatever rows it needs (`tests/factories/planted.py`), and a route with an address that
nobody has said anything about fails (`records.py`).
"""

import contextlib
import json
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from caseload.db.engine import make_engine
from caseload.db.tables.caseload import responsibility
from caseload.domain.access import MAY, WITHOUT_PROGRAMME, Act, Apart, BrokenGlass, Role, may_in, reach
from caseload.domain.ids import ClientId, GlassId, ProgrammeId, StaffId, new_id
from caseload.settings import Secret, Settings
from tests.api.conftest import Clinic, Person
from tests.api.dispensary import PASSWORD, give_password
from tests.api.witness import AN_ID
from tests.architecture.records import IN_A_CHART, NAMES_NO_CLIENT, OF_A_CLIENT, OF_A_PROGRAMME
from tests.architecture.test_role_by_client import (
    BODIES,
    OTHER,
    PLACE,
    Standing,
    break_glass,
    restrict,
)
from tests.architecture.test_role_by_route import Door, doors
from tests.conftest import Counts
from tests.factories import clients
from tests.factories.clients import InCare
from tests.factories.people import NOW
from tests.factories.planted import Planting

pytestmark = pytest.mark.anyio

CHANGE_BY_THEMSELVES = {"/metrics"}
"""What counts requests is another one after each."""

_COLLECTION = re.compile(r"/api/v1/([^{]+)/\{(\w+):\w+\}")
_IN_CHART = re.compile(r"/api/v1/clients/\{client_id:uuid\}/([^{]+)/\{(\w+):uuid\}")

ASKED = {"/api/v1/record-copies/{copy_id:uuid}/file": {"format": "json"}}
"""What some doors must be asked along."""
REFUSED_FIRST = {"/api/v1/doses/{dose_id:uuid}/replacement-decisions"}
"""Doors at which the example of the body is refused before anybody looks for the record: alike for every record."""
OF_ANOTHER_KIND = {"last-dose-statements"}
"""Collections in which the planted record is not, being one of their neighbours: nobody finds it there."""


@dataclass(frozen=True)
class Archive:
    """Records of two clients, one of them restricted, and somebody of each role for each way of standing to them."""

    home: ProgrammeId
    counsellor: StaffId
    people: Mapping[Standing, Mapping[Role, Person]]
    open: Mapping[str, UUID]
    """The records of a client whom nobody has restricted, by their tables; and the client."""
    restricted: Mapping[str, UUID]
    other: ClientId
    """Somebody else in care there, of whom there are none."""

    def of(self, standing: Standing) -> Mapping[str, UUID]:
        return self.restricted if standing is Standing.RESTRICTED else self.open

    def covers(self, role: Role, act: Act, standing: Standing) -> bool:
        """What the table says."""
        who, client = self.people[standing][role].staff, ClientId(self.of(standing)["client"])
        breaks = standing is Standing.BROKEN_GLASS and role in MAY[Act.BREAK_GLASS]
        apart = Apart(
            closed=((ClientId(self.restricted["client"]), self.home),),
            glass=BrokenGlass(id=GlassId(new_id()), client=client, until=NOW) if breaks else None,
        )
        return reach(who.id, who.holdings, act, apart).covers(
            client, programmes=[self.home], looked_after_by=[self.counsellor], by_identifier=True
        )

    def tried(self, act: Act, most: int) -> Iterator[tuple[Role, Standing, bool]]:
        """Who asks: of those whom the table treats alike so many."""
        alike: dict[tuple[Standing, bool], list[Role]] = defaultdict(list)
        for role, standing in product(sorted(MAY[act]), Standing):
            alike[standing, self.covers(role, act, standing)].append(role)
        for (standing, sees), roles in alike.items():
            yield from ((role, standing, sees) for role in roles[:most])


@pytest.fixture(scope="module")
async def archive(clinic: Clinic) -> AsyncIterator[Archive]:
    home, there, beyond = [await clinic.programme() for _ in range(3)]

    async def everybody(where: ProgrammeId) -> Mapping[Role, Person]:
        return {role: await clinic.person((role, None if role in WITHOUT_PROGRAMME else where)) for role in Role}

    here, elsewhere, behind_glass = await everybody(home), await everybody(there), await everybody(there)
    await give_password(clinic, *(who for cast in (here, elsewhere, behind_glass) for who in cast.values()))
    counsellor, robin = here[Role.COUNSELLOR].staff.id, (await clinic.person((Role.COUNSELLOR, home))).staff.id
    async with clinic.service.engine.begin() as connection:
        made = [
            await clients.in_care(connection, programme=home, counsellor=each)
            for each in (counsellor, counsellor, counsellor)
        ]
        await restrict(connection, made[1].id, robin, clinic)
        for role, person in behind_glass.items():
            if role in MAY[Act.BREAK_GLASS]:
                await break_glass(connection, GlassId(new_id()), person.staff.id, made[0].id, home, clinic)
    shared: dict[str, dict[str, Any]] = {}
    yield Archive(
        home=home,
        counsellor=counsellor,
        people={
            Standing.IN_REACH: here,
            Standing.RESTRICTED: here,
            Standing.OUT_OF_REACH: elsewhere,
            Standing.BROKEN_GLASS: behind_glass,
        },
        open=await planted(clinic, made[0], beyond, made[2].id, robin, shared),
        restricted=await planted(clinic, made[1], beyond, made[2].id, robin, shared),
        other=made[2].id,
    )
    for person in (*here.values(), *elsewhere.values(), *behind_glass.values()):
        await person.http.aclose()


async def planted(
    clinic: Clinic,
    of: InCare,
    there: ProgrammeId,
    other: ClientId,
    by: StaffId,
    shared: dict[str, dict[str, Any]],
) -> Mapping[str, UUID]:
    """One record of every kind, by its table; and the client."""
    async with contextlib.aclosing(_Owner(clinic)) as owner, owner.engine.begin() as connection:
        answers = select(responsibility.c.id).where(responsibility.c.client_id == of.id)
        planting = Planting(
            connection=connection,
            client=of.id,
            programme=of.episode.programme,
            other_programme=there,
            other_client=other,
            staff=by,
            now=clinic.service.clock(),
            rows={
                "episode": {"id": of.episode.id, "client_id": of.id, "programme_id": of.episode.programme},
                "responsibility": {"id": await connection.scalar(answers)},
                **shared,
            },
        )
        tables = {*OF_A_CLIENT.values(), *OF_A_PROGRAMME.values(), *IN_A_CHART.values()}
        found = {table: (await planting.one(table))["id"] for table in sorted(tables)}
        for part_of_it in PARTS:
            await planting.one(part_of_it)
        shared.update({name: row for name, row in planting.rows.items() if name in OF_THE_HOUSE})
    return {**found, "client": of.id}


OF_THE_HOUSE = {"patient_notice", "screen_draw"}
"""Of which a programme has one at a time."""


class _Owner:
    """The owner of the database, whom its keys and triggers do not bind."""

    def __init__(self, clinic: Clinic) -> None:
        settings = Settings(database_url=Secret(clinic.addresses.owner))
        self.engine = make_engine(settings, application_name="planting")

    async def aclose(self) -> None:
        await self.engine.dispose()


PARTS = (
    "therapy_session_facilitator",
    "therapy_session_current",
    "therapy_session_booking",
    "session_note_version",
    "session_note_current",
    "session_note_signature",
    "downtime_line",
    "check_in_plan_version",
    "check_in_plan_current",
)
"""Without which some records are not read at all, or name nobody."""


@pytest.fixture
def most(counts: Counts) -> int:
    """How many of the roles that the table treats alike are tried: one, and all of them with `make soak`."""
    return counts(1, full=2 * len(Role))


async def knock(door: Door, by: Person, **places: UUID) -> tuple[Any, ...]:
    """How it is answered, without what differs from one request to the next."""
    path = PLACE.sub(lambda place: str(places.get(place[1], OTHER[place[2]])), door.path)
    body: Any = BODIES[f"{door.method} {PLACE.sub(lambda place: '{' + place[1] + '}', door.path)}"]
    if "password" in (body or {}):
        body = {**body, "password": PASSWORD}
    asked = ASKED.get(door.path, {})
    headers = {} if door.method == "GET" else {"Idempotency-Key": str(new_id()), "If-Match": '"1"'}
    answer = await by.http.request(door.method, path, params=asked, json=body, headers=headers)
    if answer.is_success:
        return answer.status_code, answer.text
    said = answer.json()
    return answer.status_code, said.get("type"), said.get("detail"), json.dumps(said.get("faults"))


def with_an_address(clinic: Clinic) -> list[tuple[Door, Act, str, str]]:
    """Every door to a record that has an address of its own: its collection, and what the place of its identifier is called."""
    return [
        (door, door.act, found[1], found[2])
        for door in doors(clinic.application.litestar)
        if door.act is not None and (found := _COLLECTION.match(door.path)) and found[2] != "client_id"
    ]


async def test_every_record_with_an_address_is_walked_or_said_to_be_no_clients(clinic: Clinic) -> None:
    there = {collection for _, _, collection, _ in with_an_address(clinic)}
    charts = {found[1] for door in doors(clinic.application.litestar) if (found := _IN_CHART.match(door.path))}
    known = {*OF_A_CLIENT, *OF_A_PROGRAMME, *NAMES_NO_CLIENT}
    assert there == known, f"say in records.py whose these are, or take them out: {sorted(there ^ known)}"
    assert charts == {*IN_A_CHART}, f"say in records.py which table: {sorted(charts ^ {*IN_A_CHART})}"


async def test_a_record_by_its_own_identifier_is_reached_by_whoever_the_table_lets_see_its_client(
    clinic: Clinic, archive: Archive, most: int
) -> None:
    wrong: list[str] = []
    for door, act, collection, place in with_an_address(clinic):
        if collection not in OF_A_CLIENT:
            continue
        for role, standing, sees in archive.tried(act, most):
            if sees and (door.method != "GET" or door.path.count("{") > 1 or collection in OF_ANOTHER_KIND):
                continue  # It would change something, or ask for a part that is not there.
            by, record = archive.people[standing][role], archive.of(standing)[OF_A_CLIENT[collection]]
            said, nobody = await knock(door, by, **{place: record}), await knock(door, by, **{place: new_id()})
            if door.path in REFUSED_FIRST and said == nobody:
                continue
            if _is_wrong(said, nobody, sees=sees):
                wrong.append(f"{door} ({act}) as {role}, a client {standing}: {said}, nobody's: {nobody}")
    assert not wrong, "\n".join(wrong)


def _is_wrong(said: tuple[Any, ...], nobody: tuple[Any, ...], *, sees: bool) -> bool:
    """Whoever sees the client is answered about the record; everybody else as about none, which is not found."""
    return said[0] >= 500 or (said == nobody) if sees else said != nobody or said[0] != 404


async def test_a_record_of_a_programme_names_only_clients_whom_its_reader_sees(
    clinic: Clinic, archive: Archive, most: int
) -> None:
    wrong: list[str] = []
    for door, act, collection, place in with_an_address(clinic):
        if collection not in OF_A_PROGRAMME:
            continue
        for role, standing, sees in archive.tried(act, most):
            by, of = archive.people[standing][role], archive.of(standing)
            works_there = may_in(by.staff.holdings, act, archive.home)
            if works_there and door.method != "GET":
                continue  # It would change something.
            said = await knock(door, by, **{place: of[OF_A_PROGRAMME[collection]]})
            nobody = await knock(door, by, **{place: new_id()})
            if _is_wrong(said, nobody, sees=works_there):
                wrong.append(f"{door} ({act}) as {role}, a client {standing}: {said}, nobody's: {nobody}")
            if str(of["client"]) in str(said) and not sees:
                wrong.append(f"{door} ({act}) shows {role} a client {standing}: {said}")
    assert not wrong, "\n".join(wrong)


async def test_a_record_asked_for_in_another_clients_chart_is_nobodys(
    clinic: Clinic, archive: Archive, most: int
) -> None:
    wrong: list[str] = []
    for door in doors(clinic.application.litestar):
        found, act = _IN_CHART.match(door.path), door.act
        if found is None or act is None:
            continue
        table, place = IN_A_CHART[found[1]], found[2]
        for role, standing, _ in archive.tried(act, most):
            if standing not in {Standing.IN_REACH, Standing.RESTRICTED}:
                continue
            by, other = archive.people[standing][role], archive.other
            said = await knock(door, by, client_id=other, **{place: archive.of(standing)[table]})
            nobody = await knock(door, by, client_id=other, **{place: new_id()})
            if said != nobody or said[0] < 400:
                wrong.append(f"{door} ({act}) as {role}, of a client {standing}: {said}, nobody's: {nobody}")
    assert not wrong, "\n".join(wrong)


async def test_pages_are_the_same_for_everybody_and_name_nobody(clinic: Clinic, archive: Archive) -> None:
    """Whatever needs nobody signed in: an answer that a role, a client in reach or a broken glass changes would show here."""
    pages = [door for door in doors(clinic.application.litestar) if door.act is None and door.method == "GET"]
    assert {"/", "/docs", "/openapi.json"} <= {door.path for door in pages}
    in_an_emergency = archive.people[Standing.BROKEN_GLASS][Role.NURSE]
    people = [*archive.people[Standing.IN_REACH].values(), in_an_emergency]
    named = (str(archive.open["client"]), str(archive.restricted["client"]), str(archive.other))
    async with clinic.client() as stranger:
        for door in pages:
            path = PLACE.sub(lambda place: OTHER[place[2]], door.path)
            seen = await stranger.get(path)
            for person in people:
                own = await person.http.get(path)
                assert own.status_code == seen.status_code, path
                same = AN_ID.sub("", own.text) == AN_ID.sub("", seen.text)
                assert same or path in CHANGE_BY_THEMSELVES, path
                assert not [client for client in named if client in own.text], path
