"""The people around a client over HTTP."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest

from caseload.domain.access import Role
from caseload.domain.ids import ProgrammeId
from tests.api.conftest import Clinic, Person

pytestmark = pytest.mark.anyio

MOTHER: dict[str, Any] = {
    "name": "Rosa Lindqvist",
    "relationship": "mother",
    "involvements": ["care_partner", "family_therapy"],
    "phone": "020 7946 0000",
}


@dataclass(frozen=True, slots=True)
class Chart:
    """A nurse and a client of one programme."""

    programme: ProgrammeId
    nurse: Person
    client: UUID

    @property
    def path(self) -> str:
        return f"/clients/{self.client}"


@pytest.fixture
async def chart(clinic: Clinic) -> Chart:
    programme = await clinic.programme()
    nurse = await clinic.person((Role.NURSE, programme))
    identity = {"given_name": "Ada", "family_name": f"Lindqvist {uuid4()}", "birth_date": "1984-02-29"}
    made = await nurse.post("/clients", {"programme_id": str(programme), "identity": identity})
    assert made.status_code == 201, made.text
    return Chart(programme, nurse, UUID(made.json()["id"]))


async def test_somebody_around_a_client_is_added_once_and_read_back(chart: Chart) -> None:
    key = str(uuid4())
    first = await chart.nurse.post(f"{chart.path}/related-people", MOTHER, key=key)
    assert (first.status_code, first.headers["etag"]) == (201, '"1"')
    again = await chart.nurse.post(f"{chart.path}/related-people", MOTHER, key=key)
    assert (again.status_code, again.json()) == (201, first.json())
    listed = await chart.nurse.get(f"{chart.path}/related-people")
    assert listed.json()["items"] == [first.json()]
    one = await chart.nurse.get(f"{chart.path}/related-people/{first.json()['id']}")
    assert one.json() == first.json()


async def test_a_change_names_the_version_it_saw(chart: Chart) -> None:
    person = (await chart.nurse.post(f"{chart.path}/related-people", MOTHER)).json()
    path, change = (
        f"{chart.path}/related-people/{person['id']}",
        {"person": {**MOTHER, "phone": None}, "reason": "moved"},
    )
    assert (await chart.nurse.put(path, change)).status_code == 428
    assert (await chart.nurse.put(path, change, headers={"If-Match": '"2"'})).status_code == 412
    changed = await chart.nurse.put(path, change, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.headers["etag"], changed.json()["phone"]) == (200, '"2"', None)
    assert (await chart.nurse.put(path, change, headers={"If-Match": '"1"'})).status_code == 412


async def test_every_fault_is_named_at_once(chart: Chart) -> None:
    wrong = {"name": " ", "relationship": "guardian", "involvements": ["legal_representative"], "phone": ""}
    refused = await chart.nurse.post(f"{chart.path}/related-people", wrong)
    assert refused.status_code == 422
    assert {error["field"] for error in refused.json()["errors"]} == {"name", "phone", "evidence"}


async def test_what_a_relative_says_is_recorded_without_consent_and_read_back(chart: Chart) -> None:
    mother = (await chart.nurse.post(f"{chart.path}/related-people", MOTHER)).json()
    key, said = str(uuid4()), {"text": "He sleeps badly.", "person_id": mother["id"], "confidential": True}
    first = await chart.nurse.post(f"{chart.path}/family-information", said, key=key)
    assert first.status_code == 201, first.text
    again = await chart.nurse.post(f"{chart.path}/family-information", said, key=key)
    assert again.json() == first.json()
    listed = await chart.nurse.get(f"{chart.path}/family-information")
    assert listed.json()["items"] == [first.json()]
    stranger = await chart.nurse.post(f"{chart.path}/family-information", {"text": "news", "person_id": str(uuid4())})
    assert stranger.status_code == 404


async def test_families_are_hidden_from_whoever_has_no_part_in_them(clinic: Clinic, chart: Chart) -> None:
    elsewhere = await clinic.person((Role.NURSE, await clinic.programme()))
    pharmacist = await clinic.person((Role.PHARMACIST, chart.programme))
    for path in (f"{chart.path}/related-people", f"{chart.path}/family-information"):
        assert (await elsewhere.get(path)).status_code == 404
        assert (await pharmacist.get(path)).status_code == 403
        assert (await clinic.client().get(f"/api/v1{path}")).status_code == 401
