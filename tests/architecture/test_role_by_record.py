"""Records by their own identifier, and pages, as every role: a client in reach, out of reach, restricted and behind a broken glass.

The same hall and the same table as in `test_role_by_client.py`: a record of somebody whom one does not see is answered exactly as one
that does not exist.
"""

from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

import pytest
from sqlalchemy import Table, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.tables.checkin import check_in
from caseload.db.tables.checkin_plan import check_in_plan
from caseload.db.tables.disclosure import disclosure_made
from caseload.db.tables.rights import rights_accounting, rights_request
from caseload.domain.access import Role
from caseload.domain.ids import ClientId, ProgrammeId, StaffId, new_id
from tests.api.conftest import Clinic
from tests.api.witness import AN_ID
from tests.architecture.test_role_by_client import (
    NOBODY,
    OTHER,
    PLACE,
    Hall,
    Standing,
    hall,
    knock,
    most,
)
from tests.architecture.test_role_by_route import Door, doors

pytestmark = pytest.mark.anyio
__all__ = ["hall", "most"]

CHANGE_BY_THEMSELVES = {"/metrics"}
"""What counts requests is another one after each."""


async def told(connection: AsyncConnection, client: ClientId, home: ProgrammeId, by: StaffId, clinic: Clinic) -> None:
    """Something was told of the client in an emergency, and they asked for something of their own record, and for whom it was told."""
    now = clinic.service.clock()
    recorded = {"client_id": client, "programme_id": home, "recorded_by": by, "recorded_at": now, "rule": "R"}
    await connection.execute(
        insert(disclosure_made).values(
            id=new_id(),
            named="County ED",
            name="A nurse",
            purpose="treatment",
            ground="emergency",
            emergency="Found unconscious.",
            stated={},
            categories=["emergency"],
            rules_version="us-2026-02",
            manner="spoken",
            content={},
            disputes=[],
            **recorded,
        )
    )
    copy, accounting = new_id(), new_id()
    for request, kind in ((copy, "record_copy"), (accounting, "accounting")):
        await connection.execute(
            insert(rights_request).values(
                id=request,
                kind=kind,
                says="All of it.",
                received_at=now,
                received_on=now.date(),
                check_method="in_person",
                is_self_paid=False,
                due_on=now.date() + timedelta(days=30),
                **recorded,
            )
        )
    await connection.execute(
        insert(rights_accounting).values(
            id=new_id(),
            request_id=accounting,
            kind="accounting",
            client_id=client,
            definition="hipaa",
            rule="R",
            since_on=now.date(),
            lines=0,
            left_out=0,
            written=b"{}",
            sha256=sha256(b"{}").digest(),
            recorded_by=by,
            recorded_at=now,
        )
    )


OF_ONE_CLIENT: Mapping[str, Table] = {
    "check_in_id": check_in,
    "plan_id": check_in_plan,
    "disclosure_id": disclosure_made,
    "request_id": rights_request,
    "accounting_id": rights_accounting,
}
"""Records that are asked for by an identifier of their own, of which every client of the hall has one."""

NOT_THIS_ONE = {
    "/api/v1/last-dose-statements/{disclosure_id:uuid}": "a disclosure of another kind is none of these to anybody",
}
"""Doors behind which the hall's record of that name is not."""


def of_a_record(door: Door) -> str | None:
    """The record that a door is about, where it is one of those."""
    places = [place[1] for place in PLACE.finditer(door.path)]
    return places[0] if places and places[0] in OF_ONE_CLIENT and door.path not in NOT_THIS_ONE else None


@pytest.fixture(scope="module")
async def records(hall: Hall, clinic: Clinic) -> Mapping[str, Mapping[Standing, UUID]]:
    found: dict[str, Mapping[Standing, UUID]] = {}
    async with clinic.service.engine.begin() as connection:
        for standing, client in hall.clients.items():
            await told(connection, client, hall.homes[standing], hall.people[Role.COUNSELLOR].staff.id, clinic)
        for name, table in OF_ONE_CLIENT.items():
            first = [
                (
                    standing,
                    await connection.scalar(
                        select(table.c.id).where(table.c.client_id == client).order_by(table.c.id).limit(1)
                    ),
                )
                for standing, client in hall.clients.items()
            ]
            found[name] = {standing: record for standing, record in first if record is not None}
            assert len(found[name]) == len(Standing), name
    return found


async def test_a_record_by_its_own_identifier_is_read_by_whoever_the_table_lets_see_its_client(
    clinic: Clinic, hall: Hall, records: Mapping[str, Mapping[Standing, UUID]], most: int
) -> None:
    wrong: list[str] = []
    tried = 0
    for door in doors(clinic.application.litestar):
        of = of_a_record(door)
        if of is None or door.act is None or (door.method == "GET" and door.path.count("{") > 1):
            continue
        for role in hall.roles(door.act, most):
            by = hall.people[role]
            nobody = await knock(door, by, NOBODY, of)
            for standing, record in records[of].items():
                sees = hall.covers(role, door.act, standing)
                if door.method != "GET" and sees:
                    continue  # It would change something.
                tried += 1
                said = await knock(door, by, record, of)
                if (said != nobody) is not sees:
                    wrong.append(
                        f"{door} ({door.act}) as {role}, a client {standing}: {said[:2]}, nobody: {nobody[:2]}"
                    )
    assert tried > 60
    assert not wrong, "\n".join(wrong)


async def test_pages_are_the_same_for_everybody_and_name_nobody(clinic: Clinic, hall: Hall) -> None:
    """Whatever needs nobody signed in: an answer that a role, a client in reach or a broken glass changes would show here."""
    pages = [door for door in doors(clinic.application.litestar) if door.act is None and door.method == "GET"]
    assert {"/", "/docs", "/openapi.json"} <= {door.path for door in pages}
    async with clinic.client() as stranger:
        for door in pages:
            path = PLACE.sub(lambda place: OTHER[place[2]], door.path)
            seen = await stranger.get(path)
            for role, person in hall.people.items():
                own = await person.http.get(path)
                assert own.status_code == seen.status_code, (path, role)
                same = AN_ID.sub("", own.text) == AN_ID.sub("", seen.text)
                assert same or path in CHANGE_BY_THEMSELVES, (path, role)
                assert not [client for client in hall.clients.values() if str(client) in own.text], (path, role)
