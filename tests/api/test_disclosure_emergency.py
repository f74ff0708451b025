"""Emergencies about somebody who stands apart: a restricted client, and a client of another programme behind a broken glass."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from caseload.domain.access import Role
from tests.api.conftest import Clinic, Person
from tests.api.house import House, open_house

pytestmark = pytest.mark.anyio

SAID = {"name": "The nurse at the emergency department", "emergency": "Overdose."}
WHOLE = {"facility": "County Hospital"}
TO_THE_POLICE: dict[str, Any] = {
    "recipient": {"name": "The police"},
    "name": "Officer Bell, county police",
    "categories": ["presence"],
    "manner": "spoken",
    "ground": "crime_on_premises",
    "stated": {"crime": "A theft.", "where": "At the desk.", "authority": "Police"},
    "check": {"method": "document", "detail": "Badge"},
}


@dataclass(frozen=True)
class Night:
    """A client who collapses, and those who are there."""

    house: House
    client: str
    family_name: str
    nurse: Person
    """Of the client's programme."""
    officer: Person

    @property
    def path(self) -> str:
        return f"/clients/{self.client}"

    async def restrict(self) -> None:
        body = {"kind": "colleague", "reason": "Works here.", "staff": [str(self.house.robin.staff.id)]}
        made = await self.officer.post(f"{self.path}/restrictions", body)
        assert made.status_code == 201, made.text

    async def outsider(self, role: Role = Role.NURSE) -> Person:
        """Somebody of another programme, who has broken the glass."""
        by = await self.house.clinic.person((role, await self.house.clinic.programme()))
        said = {"given_name": "Ada", "family_name": self.family_name, "birth_date": "1984-02-29"}
        broken = await by.post("/break-glass", {**said, "code": "medical_emergency", "reason": "The ambulance rings."})
        assert broken.json()["opened"], broken.text
        return by


@pytest.fixture
async def night(clinic: Clinic) -> Night:
    house = await open_house(clinic)
    family_name = f"Lindqvist-{uuid4().hex[:8]}"
    client = await house.client(family_name=family_name)
    nurse = await clinic.person((Role.NURSE, house.programme))
    return Night(house, str(client.id), family_name, nurse, await clinic.person((Role.PRIVACY_OFFICER, None)))


async def released(by: Person, night: Night, **said: Any) -> dict[str, Any]:
    key = str(uuid4())
    first = await by.post(f"{night.path}/emergency-releases", {**SAID, **said}, key=key)
    assert first.status_code == 201, first.text
    again = await by.post(f"{night.path}/emergency-releases", {**SAID, **said}, key=key)
    assert (again.status_code, again.json()) == (201, first.json())
    return first.json()


async def completed(by: Person, release: dict[str, Any]) -> dict[str, Any]:
    key = str(uuid4())
    answers = [await by.post(f"/disclosures/{release['id']}/completion", WHOLE, key=key) for _ in range(2)]
    assert [each.status_code for each in answers] == [201, 201], answers[0].text
    assert answers[0].json() == answers[1].json()
    return answers[0].json()


async def test_who_gives_and_prescribes_tells_what_an_emergency_needs_of_a_restricted_client_too(night: Night) -> None:
    await night.restrict()
    made = await released(night.nurse, night)
    assert (made["missing"], set(made["content"])) == (
        ["facility"],
        {"about", "presence", "medication", "take_home", "risk"},
    )
    assert (await night.nurse.get(f"/emergency-releases/{made['id']}")).json() == made
    whole = await completed(night.nurse, made)
    assert (whole["facility"], whole["missing"]) == ("County Hospital", [])


async def test_the_officer_and_a_colleague_complete_what_was_told_of_a_restricted_client(night: Night) -> None:
    await night.restrict()
    made = [await released(night.nurse, night) for _ in range(2)]
    listed = (await night.officer.get("/emergency-releases")).json()["items"]
    assert {each["id"] for each in made} <= {each["id"] for each in listed}
    pharmacist = await night.house.clinic.person((Role.PHARMACIST, night.house.programme))
    for by, release in zip((night.officer, pharmacist), made, strict=True):
        assert (await completed(by, release))["missing"] == []
        read = await by.get(f"/emergency-releases/{release['id']}")
        assert (read.status_code, read.json()["facility"]) == (200, "County Hospital")


@pytest.mark.parametrize("standing", ["elsewhere", "restricted"])
@pytest.mark.parametrize("role", [Role.NURSE, Role.COUNSELLOR, Role.SUPERVISOR])
async def test_whoever_broke_the_glass_tells_the_emergency_department_and_completes_its_record(
    night: Night, role: Role, standing: str
) -> None:
    if standing == "restricted":
        await night.restrict()
    by = await night.outsider(role)
    made = await released(by, night)
    assert (made["missing"], made["content"]["medication"]) == (["facility"], {"medicine": None})
    whole = await completed(by, made)
    read = await by.get(f"/emergency-releases/{made['id']}")
    assert read.json() == {**whole, "content": made["content"]}
    [line] = (await night.house.robin.get(f"{night.path}/disclosures")).json()["items"]
    assert (line["id"], line["disclosed_by"]) == (made["id"], str(by.staff.id))


async def test_when_the_glass_is_whole_again_there_is_no_such_client_and_no_such_release(night: Night) -> None:
    by = await night.outsider()
    made = await released(by, night)
    glass = (await by.get("/me")).json()["glass"]["id"]
    assert (await by.post(f"/break-glass/{glass}/end")).status_code == 201
    nobody = await by.get(f"/emergency-releases/{uuid4()}")
    for answer in (
        await by.get(f"/emergency-releases/{made['id']}"),
        await by.post(f"/disclosures/{made['id']}/completion", WHOLE),
    ):
        assert (answer.status_code, answer.json()["type"]) == (404, nobody.json()["type"])
    assert (await by.post(f"{night.path}/emergency-releases", SAID)).status_code == 404


async def test_what_is_no_emergency_stays_shut(night: Night) -> None:
    before = await night.nurse.post(f"{night.path}/disclosures", TO_THE_POLICE)
    assert before.status_code == 201, before.text
    await night.restrict()
    outsider, counsellor = (
        await night.outsider(),
        await night.house.clinic.person((Role.COUNSELLOR, night.house.programme)),
    )
    told, nobody = before.json()["id"], str(uuid4())
    for by in (night.nurse, outsider):
        assert (await by.post(f"{night.path}/disclosures", TO_THE_POLICE)).status_code == 404
        assert (await by.get(f"/disclosures/{told}")).status_code == 404
        for answers in (
            [await by.post(f"/disclosures/{each}/completion", WHOLE) for each in (told, nobody)],
            [await by.get(f"/emergency-releases/{each}") for each in (told, nobody)],
        ):
            assert [each.status_code for each in answers] == [404, 404]
            assert {**answers[0].json(), "request": None} == {**answers[1].json(), "request": None}
    assert (await counsellor.post(f"{night.path}/emergency-releases", SAID)).status_code == 404, "not named, no glass"
