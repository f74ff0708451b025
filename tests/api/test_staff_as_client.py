"""Somebody of the staff who is also a client: they do their work, and see nothing of their own care by it."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from caseload.domain.access import Role
from tests.api.conftest import Clinic
from tests.api.house import House, open_house
from tests.api.test_restriction import body

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(clinic: Clinic) -> House:
    return await open_house(clinic)


async def test_a_facilitator_who_is_also_a_client_leads_their_group_and_sees_nothing_of_their_own_care(
    house: House,
) -> None:
    """Nothing in the record links somebody's account to their registration: what keeps them apart is the restriction."""
    frank = await house.clinic.person((Role.SUPERVISOR, house.programme))
    officer = await house.clinic.person((Role.PRIVACY_OFFICER, None))
    ada, registered = str((await house.client()).id), (await house.client()).id
    own = str(registered)
    assert (await officer.post(f"/clients/{own}/restrictions", body(house.robin))).status_code == 201
    theirs = await group(house, own, ada)
    led = await group(house, ada, facilitators=[str(frank.staff.id)])
    note = await house.robin.post(f"/sessions/{theirs}/notes", {"text": "Spoke of work.", "client_id": own})
    taken = await house.robin.post(f"/sessions/{theirs}/register", attended(own, ada))
    assert (note.status_code, taken.status_code) == (201, 201), taken.text

    into_mine = await frank.post(f"/sessions/{led}/bookings", {"clients": [own]})
    nobody = await frank.post(f"/sessions/{led}/bookings", {"clients": [str(uuid4())]})

    assert into_mine.status_code == nobody.status_code == 422, into_mine.text
    assert into_mine.json()["errors"] == nobody.json()["errors"], "they are nobody there"
    assert (await frank.post(f"/sessions/{led}/register", attended(ada))).status_code == 201
    for path in (
        f"/clients/{own}",
        f"/clients/{own}/sessions",
        f"/clients/{own}/attendance",
        f"/notes/{note.json()['id']}",
        f"/sessions/{theirs}",
        f"/sessions/{theirs}/notes",
        f"/programmes/{house.programme}/sessions",
        "/day",
    ):
        assert own not in (await frank.get(path)).text, path
    assert own not in (await frank.post("/clients/search", {"name": "Ada Lindqvist"})).text
    assert (await frank.post(f"/sessions/{theirs}/notes", {"text": "Mine.", "client_id": own})).status_code in {
        403,
        404,
    }


def attended(*clients: str) -> dict[str, Any]:
    return {"lines": [{"client_id": each, "status": "attended"} for each in clients]}


async def group(house: House, *roster: str, **wanted: Any) -> str:
    """A group that began two hours ago; returns its id."""
    starts_at = house.clinic.service.clock() - timedelta(hours=2)
    body = {
        "kind": "group",
        "title": "Relapse prevention",
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(hours=1)).isoformat(),
        "clients": roster,
        **wanted,
    }
    made = await house.robin.post(f"/programmes/{house.programme}/sessions", body, key=str(uuid4()))
    assert made.status_code == 201, made.text
    return made.json()["session"]["id"]
