"""What each counsellor carries, how late it is, and whose role ends while clients are theirs."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import text

from caseload.domain.access import Role
from caseload.domain.ids import GrantId
from tests.api.conftest import Person
from tests.api.test_leaving import House, house
from tests.factories import people

pytestmark = pytest.mark.anyio

__all__ = ["house"]


async def loads(house: House, *, query: str = "") -> dict[str, dict[str, Any]]:
    answer = await house.supervisor.get(f"/caseload/counsellors?programme={house.programme}{query}")
    assert answer.status_code == 200, answer.text
    return {each["counsellor_id"]: each for each in answer.json()["items"]}


async def load(house: House, of: Person) -> dict[str, Any]:
    return (await loads(house))[str(of.staff.id)]


async def ending(house: House, *, query: str = "") -> dict[str, Any]:
    answer = await house.supervisor.get(f"/caseload/roles-ending?programme={house.programme}{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def temporary(house: House, *, starts: float = -30, ends: float | None = 30) -> tuple[Person, GrantId]:
    """Somebody who counsels for a while."""
    somebody, now = await house.clinic.person(), house.clinic.service.clock()
    async with house.clinic.service.engine.begin() as connection:
        grant = await people.grant(
            connection,
            to=somebody.staff.id,
            role=Role.COUNSELLOR,
            programme=house.programme,
            starts_at=now + timedelta(days=starts),
            ends_at=None if ends is None else now + timedelta(days=ends),
        )
    return somebody, grant


async def set_ceiling(house: House, ceiling: int | None, of: Person | None = None) -> int:
    said = {"programme_id": str(house.programme), "ceiling": ceiling}
    whose = {} if of is None else {"counsellor_id": str(of.staff.id)}
    return (await house.supervisor.post("/caseload/ceilings", {**said, **whose})).status_code


LATE = """
    update clinic.check_in_waiting set grace_ends_at = now() - interval '1 hour'
    where client_id = any($1) and grace_ends_at < now() + interval '4 days'
"""
ENDED = "update clinic.role_grant set ends_at = now() - interval '1 minute' where id = $1"


async def by_owner(house: House, statement: str, whom: object) -> None:
    """Time passes, which only the owner of the database can make it do."""
    owner = await asyncpg.connect(house.clinic.addresses.owner)
    try:
        await owner.execute(statement, whom)
    finally:
        await owner.close()


async def test_a_supervisor_sees_what_everybody_carries_and_how_late_it_is(house: House) -> None:
    clients = [await house.admitted() for _ in range(3)]
    now = house.clinic.service.clock()
    await house.supervisor.post(
        f"/clients/{clients[0]}/covers",
        {
            "counsellor_id": str(house.second.staff.id),
            "starts_at": (now - timedelta(minutes=1)).isoformat(),
            "ends_at": (now + timedelta(days=1)).isoformat(),
            "reason": "leave",
        },
    )
    for client in clients[:2]:
        plan = {
            "every": 1,
            "unit": "days",
            "at": "09:00",
            "mode": "telephone",
            "starts_on": (now + timedelta(days=1)).date().isoformat(),
        }
        made = await house.supervisor.post(f"/clients/{client}/check-in-plans", plan)
        assert made.status_code == 201, made.text
    await by_owner(house, LATE, [UUID(each) for each in clients])

    found = await loads(house)

    assert set(found) == {str(each.staff.id) for each in (house.first, house.second)}
    first, second = (found[str(each.staff.id)] for each in (house.first, house.second))
    assert (first["responsible"], first["covering"], second["responsible"], second["covering"]) == (3, 0, 0, 1)
    for who, each in ((house.first, first), (house.second, second)):
        counted = await house.supervisor.get(f"/overdue-check-ins/count?counsellor={who.staff.id}")
        assert each["overdue_check_ins"] == counted.json()["count"] > 0
        listed = await house.supervisor.get(f"/overdue-check-ins?counsellor={who.staff.id}&limit=1")
        assert each["overdue_since"] == listed.json()["items"][0]["overdue_since"]
    assert (first["ceiling"], first["over_ceiling"], first["counsels_now"], first["counsels_until"]) == (
        None,
        False,
        True,
        None,
    )


async def test_a_ceiling_is_of_somebody_who_counsels_here(house: House) -> None:
    nurse = await house.clinic.person((Role.NURSE, house.programme))
    unknown = {"programme_id": str(house.programme), "counsellor_id": str(uuid4()), "ceiling": None}

    assert await set_ceiling(house, 3, nurse) == 422
    answer = await house.supervisor.post("/caseload/ceilings", unknown)

    assert (answer.status_code, [each["field"] for each in answer.json()["errors"]]) == (422, ["counsellor_id"])


async def test_a_ceiling_warns_and_refuses_nobody_a_counsellor(house: House) -> None:
    clients = [await house.admitted(to=house.second) for _ in range(2)]
    assert await set_ceiling(house, 2) == 204

    at_it = await house.hand_over(await house.admitted(to=house.second), house.first)
    assert (await load(house, house.second))["over_ceiling"] is False
    assert await set_ceiling(house, 1, house.second) == 204
    over = await load(house, house.second)
    third = await house.admitted()
    passed = await house.supervisor.post(
        "/caseload/handovers",
        {"programme_id": str(house.programme), "clients": [third], "to": str(house.second.staff.id)},
    )

    assert at_it.json()["warnings"] == []
    assert (over["responsible"], over["ceiling"], over["over_ceiling"]) == (len(clients), 1, True)
    assert passed.status_code == 201
    assert passed.json()["warnings"] == [{"worry": "over_ceiling", "clients": 3, "ceiling": 1, "at": None}]
    assert await set_ceiling(house, None, house.second) == 204
    assert (await load(house, house.second))["ceiling"] == 2, "what was said of everybody counts again"
    assert [await set_ceiling(house, ceiling) for ceiling in (0, 501, 1, 500)] == [422, 422, 204, 204]


async def test_a_role_that_ends_by_itself_while_clients_are_theirs_stands_on_the_list(house: House) -> None:
    somebody, grant = await temporary(house)
    client, planned, safe = await house.admitted(), await house.admitted(), await house.admitted()

    passed = await house.hand_over(client, somebody)
    assert (await house.hand_over(planned, somebody, days=10)).status_code == 201
    assert (await house.hand_over(safe, somebody)).status_code == 201
    assert (await house.hand_over(safe, house.first, days=29)).status_code == 201

    assert passed.status_code == 201, passed.text
    (warned,) = passed.json()["warnings"]
    assert warned["worry"] == "role_ends"
    found = (await ending(house))["items"]
    assert [each["client_id"] for each in found] == [client, planned]
    until = (await load(house, somebody))["counsels_until"]
    assert {each["since"] for each in found} == {until, warned["at"]}
    assert found[0]["handover_id"] == passed.json()["id"]
    assert found[0]["counsellor_id"] == str(somebody.staff.id)

    await by_owner(house, ENDED, grant)
    gone = await load(house, somebody)
    assert (gone["responsible"], gone["counsels_now"], gone["counsels_until"]) == (2, False, None)
    found = (await ending(house))["items"]
    assert len(found) == 3
    assert await house.supervisor.post(
        "/caseload/handovers",
        {"programme_id": str(house.programme), "of": str(somebody.staff.id), "to": str(house.second.staff.id)},
    )
    assert (await ending(house))["items"] == []
    assert str(somebody.staff.id) not in await loads(house)


async def test_a_role_that_is_granted_again_in_time_leaves_the_list(house: House) -> None:
    somebody, _ = await temporary(house)
    assert (await house.hand_over(await house.admitted(), somebody)).status_code == 201
    until = datetime.fromisoformat((await load(house, somebody))["counsels_until"])
    day = timedelta(days=1)

    async def grant(starts_at: datetime, ends_at: datetime | None) -> None:
        async with house.clinic.service.engine.begin() as connection:
            await people.grant(
                connection,
                to=somebody.staff.id,
                role=Role.COUNSELLOR,
                programme=house.programme,
                starts_at=starts_at,
                ends_at=ends_at,
            )

    await grant(until + day, None)
    (between,) = (await ending(house))["items"]
    assert datetime.fromisoformat(between["since"]) == until, "one day without a role is too much"
    await grant(until, until + day)
    assert (await ending(house))["items"] == []
    assert (await load(house, somebody))["counsels_until"] is None


async def test_whose_account_was_closed_stands_on_the_list_however_it_came_to_be(house: House) -> None:
    client = await house.admitted()
    async with house.clinic.service.engine.begin() as connection:
        await connection.execute(
            text(
                "insert into clinic.staff_deactivation (staff_id, deactivated_at, deactivated_by, reason) "
                "values (:who, now() - interval '1 minute', :by, 'left')"
            ),
            {"who": house.first.staff.id, "by": house.administrator.staff.id},
        )
    assert [each["client_id"] for each in (await ending(house))["items"]] == [client]
    assert (await load(house, house.first))["counsels_now"] is False


async def test_both_lists_come_in_pages(house: House) -> None:
    somebody, _ = await temporary(house)
    clients = [await house.admitted() for _ in range(3)]
    for client in clients:
        await house.hand_over(client, somebody)

    first = await ending(house, query="&limit=2")
    second = await ending(house, query=f"&limit=2&after={first['next']}")
    assert [each["client_id"] for each in (*first["items"], *second["items"])] == clients
    assert second["next"] is None
    everybody = sorted(str(each.staff.id) for each in (house.first, house.second, somebody))
    one = await loads(house, query="&limit=2")
    other = await loads(house, query=f"&limit=2&after={list(one)[-1]}")
    assert [*one, *other] == everybody


async def test_only_who_hands_over_here_sees_them(house: House) -> None:
    elsewhere = await house.clinic.programme()
    stranger = await house.clinic.person((Role.SUPERVISOR, elsewhere))
    for path in ("counsellors", "roles-ending"):
        assert (await stranger.get(f"/caseload/{path}?programme={house.programme}")).status_code == 403
        assert (await house.first.get(f"/caseload/{path}?programme={house.programme}")).status_code == 403
    said = {"programme_id": str(house.programme), "ceiling": 5}
    assert (await stranger.post("/caseload/ceilings", said)).status_code == 403
    assert (await house.supervisor.post("/caseload/ceilings", said, key="ceiling-1")).status_code == 204
    assert (await house.supervisor.post("/caseload/ceilings", said, key="ceiling-1")).status_code == 204


async def test_a_warning_says_that_somebody_is_away(house: House) -> None:
    client, now = await house.admitted(), house.clinic.service.clock()
    arranged = await house.supervisor.post(
        "/caseload/absences",
        {
            "programme_id": str(house.programme),
            "counsellor_id": str(house.second.staff.id),
            "covered_by": str(house.first.staff.id),
            "starts_at": now.isoformat(),
            "ends_at": (now + timedelta(days=5)).isoformat(),
            "reason": "Annual leave.",
        },
    )
    assert arranged.status_code == 201, arranged.text

    passed = await house.hand_over(client, house.second)

    assert [(each["worry"], each["at"]) for each in passed.json()["warnings"]] == [("away", arranged.json()["ends_at"])]
    away = await load(house, house.second)
    assert (away["away_until"], away["covered_by"]) == (arranged.json()["ends_at"], str(house.first.staff.id))
