"""A client at a glance over HTTP: care, medication and check-ins, and nothing for whoever has no right to see it."""

from uuid import uuid4

import pytest

from caseload.domain.access import Role
from tests.api.conftest import Clinic

pytestmark = pytest.mark.anyio


async def test_a_summary_says_where_the_client_stands(clinic: Clinic) -> None:
    programme = await clinic.programme(name="Harbour House")
    supervisor = await clinic.person((Role.SUPERVISOR, programme))
    counsellor = await clinic.person((Role.COUNSELLOR, programme), printed_name="Kim Counsellor")
    identity = {"given_name": "Ada", "family_name": uuid4().hex, "birth_date": "1984-02-29"}
    made = await supervisor.post("/clients", {"programme_id": str(programme), "identity": identity})
    client = made.json()["id"]

    before = await supervisor.get(f"/clients/{client}/summary")
    admitted = await supervisor.post(
        f"/clients/{client}/episodes",
        {"counsellor_id": str(counsellor.staff.id), "level_of_care": {"edition": "asam_4", "level": "1.5"}},
    )
    after = await counsellor.get(f"/clients/{client}/summary")

    assert before.status_code == 200, before.text
    assert before.json()["care"] is None
    assert admitted.status_code == 201
    assert after.json()["care"]["responsible_counsellor"] == "Kim Counsellor"
    assert after.json()["programme"] == "Harbour House"
    assert (after.json()["medication"], after.json()["overdue_check_ins"]) == (None, 0)


async def test_front_desk_has_no_summary_and_a_stranger_no_client(clinic: Clinic) -> None:
    programme, elsewhere = await clinic.programme(), await clinic.programme()
    front_desk = await clinic.person((Role.FRONT_DESK, programme))
    stranger = await clinic.person((Role.NURSE, elsewhere))
    identity = {"given_name": "Ada", "family_name": uuid4().hex, "birth_date": "1984-02-29"}
    made = await front_desk.post("/clients", {"programme_id": str(programme), "identity": identity})
    client = made.json()["id"]

    assert (await front_desk.get(f"/clients/{client}")).status_code == 200
    assert (await front_desk.get(f"/clients/{client}/summary")).status_code == 403
    assert (await stranger.get(f"/clients/{client}/summary")).status_code == 404
