"""Handovers as they stand, and one that is planned and cancelled: before its moment, by what was read, once."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from caseload.domain.access import Role
from tests.api.conftest import Clinic, Person
from tests.api.test_leaving import House, house
from tests.conftest import Counts

pytestmark = pytest.mark.anyio

__all__ = ["house"]


async def standing(by: Person, client: str) -> tuple[list[dict[str, Any]], str]:
    """The handovers of a client, the newest first, and their version."""
    answer = await by.get(f"/clients/{client}/handovers")
    assert answer.status_code == 200, answer.text
    return answer.json()["items"], answer.headers["etag"]


async def cancel(by: Person, client: str, handover: str, seen: str | None, **options: Any) -> httpx.Response:
    headers = {} if seen is None else {"If-Match": seen}
    return await by.post(f"/clients/{client}/handovers/{handover}/cancellation", headers=headers, **options)


def who(items: list[dict[str, Any]]) -> list[tuple[str, bool, bool]]:
    """Who answers, whether that has an end, and whether it is still to come."""
    return [(each["counsellor_id"], each["until"] is not None, each["is_planned"]) for each in items]


def kind(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("urn:caseload:problem:")


async def taken_back(clinic: Clinic, client: str) -> list[str]:
    async with clinic.service.engine.connect() as connection:
        found = await connection.execute(
            text("select id from clinic.responsibility_taken_back where client_id = cast(:client as uuid)"),
            {"client": client},
        )
        return [str(each) for each in found.scalars()]


async def test_a_planned_handover_is_cancelled_and_whoever_is_responsible_stays_so(house: House) -> None:
    client = await house.admitted()
    first, second = str(house.first.staff.id), str(house.second.staff.id)
    planned = (await house.hand_over(client, house.second, days=7)).json()["id"]
    items, seen = await standing(house.supervisor, client)
    assert who(items) == [(second, False, True), (first, True, False)]
    assert items[0]["id"] == planned
    assert items[0]["since"] == items[1]["until"]
    key = str(uuid4())

    cancelled = await cancel(house.supervisor, client, planned, seen, key=key)

    assert cancelled.status_code == 204, cancelled.text
    items, after = await standing(house.first, client)
    assert who(items) == [(first, False, False)], "and the counsellor reads it too"
    assert after != seen
    assert await taken_back(house.clinic, client) == [planned], "kept as it stood"
    assert (await cancel(house.supervisor, client, planned, seen, key=key)).status_code == 204, (
        "a retry learns the same"
    )
    assert kind(await cancel(house.supervisor, client, planned, after)) == (404, "handover-unknown")
    auditor = await house.clinic.person((Role.AUDITOR, None))
    entries = await auditor.get("/audit/entries", params={"event": "caseload.handover_cancelled", "limit": 200})
    assert cancelled.headers["audit-entry"] in {each["id"] for each in entries.json()["items"]}
    assert (await house.close(house.second)).status_code == 204, "nobody waits for them any more"


async def test_a_handover_in_the_middle_is_taken_out_and_the_next_still_takes_place(house: House) -> None:
    client = await house.admitted()
    third = await house.clinic.person((Role.COUNSELLOR, house.programme))
    middle = (await house.hand_over(client, house.second, days=7)).json()["id"]
    assert (await house.hand_over(client, third, days=14)).status_code == 201
    items, seen = await standing(house.supervisor, client)

    assert (await cancel(house.supervisor, client, middle, seen)).status_code == 204

    left, _ = await standing(house.supervisor, client)
    assert who(left) == [(str(third.staff.id), False, True), (str(house.first.staff.id), True, False)]
    assert left[0]["since"] == left[1]["until"] == items[0]["since"]


async def test_only_what_is_still_to_come_is_cancelled_and_only_as_it_was_read(house: House) -> None:
    client = await house.admitted()
    done = (await house.hand_over(client, house.second)).json()["id"]
    _, before = await standing(house.supervisor, client)
    planned = (await house.hand_over(client, house.first, days=7)).json()["id"]
    _, seen = await standing(house.supervisor, client)

    assert kind(await cancel(house.supervisor, client, done, seen)) == (409, "handover-took-place")
    assert kind(await cancel(house.supervisor, client, planned, None)) == (428, "version-missing")
    assert kind(await cancel(house.supervisor, client, planned, before)) == (412, "version-stale")
    assert (await cancel(house.second, client, planned, seen)).status_code == 403
    other = await house.admitted()
    assert kind(await cancel(house.supervisor, other, planned, (await standing(house.supervisor, other))[1])) == (
        404,
        "handover-unknown",
    )
    stranger = await house.clinic.person((Role.SUPERVISOR, await house.clinic.programme()))
    assert (await stranger.get(f"/clients/{client}/handovers")).status_code == 404
    assert kind(await cancel(stranger, client, planned, seen)) == (404, "client-unknown")
    assert (await standing(house.supervisor, client))[1] == seen, "nothing has changed"


async def test_a_client_is_not_left_to_somebody_whose_role_ends_before(house: House, clinic: Clinic) -> None:
    locum = await clinic.person()
    granted = await house.administrator.post(
        f"/staff/{locum.staff.id}/roles",
        {
            "role": "counsellor",
            "programme_id": str(house.programme),
            "ends_at": (clinic.service.clock() + timedelta(days=5)).isoformat(),
        },
    )
    assert granted.status_code == 201, granted.text
    client = await house.admitted(to=locum)
    planned = (await house.hand_over(client, house.second, days=5)).json()["id"]
    _, seen = await standing(house.supervisor, client)

    assert kind(await cancel(house.supervisor, client, planned, seen)) == (409, "nobody-until-then")


async def test_a_cancelling_and_whatever_else_moves_the_caseload_at_once_leave_one_responsible(
    house: House, counts: Counts
) -> None:
    third = await house.clinic.person((Role.COUNSELLOR, house.programme))
    for _ in range(counts(4, full=40)):
        client = await house.admitted()
        planned = (await house.hand_over(client, house.second, days=7)).json()["id"]
        _, seen = await standing(house.supervisor, client)
        answers = await asyncio.gather(
            cancel(house.supervisor, client, planned, seen),
            house.hand_over(client, third, days=3),
            cancel(house.supervisor, client, planned, seen),
            house.hand_over(client, third, days=9),
        )
        assert {answer.status_code for answer in answers} <= {201, 204, 404, 409, 412}, [each.text for each in answers]
        assert [answer.status_code for answer in answers].count(204) <= 1
        items, _ = await standing(house.supervisor, client)
        assert items[0]["until"] is None
        assert [each["until"] for each in items[1:]] == [each["since"] for each in items[:-1]], "no gap and no overlap"


async def test_a_discharge_and_a_cancelling_at_once_leave_nothing_behind(house: House) -> None:
    client = await house.admitted()
    planned = (await house.hand_over(client, house.second, days=7)).json()["id"]
    _, seen = await standing(house.supervisor, client)
    gone, cancelled = await asyncio.gather(
        house.supervisor.post(f"/clients/{client}/discharge", {"reason": "completed"}),
        cancel(house.supervisor, client, planned, seen),
    )
    assert (gone.status_code, cancelled.status_code) in {(201, 204), (201, 409), (201, 412)}
    (ended,), _ = await standing(house.supervisor, client)
    assert (ended["counsellor_id"], ended["until"] is not None) == (str(house.first.staff.id), True)
    assert await taken_back(house.clinic, client) == [planned]
