"""A relative who is a client too: linked by the privacy officer, and shown by neither chart."""

import re
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from caseload.domain.access import Role
from caseload.domain.ids import ProgrammeId
from tests.api.conftest import Clinic, Person
from tests.architecture.test_role_by_route import doors

pytestmark = pytest.mark.anyio

KNOWN = {"reason": "Both said so, each by themselves."}
_ANOTHER = re.compile(r"\{(?!client_id)\w+:\w+\}")


@dataclass(frozen=True, slots=True)
class Household:
    """Two clients in one household; the one is on the other's list, with the naloxone that they share."""

    programme: ProgrammeId
    nurse: Person
    officer: Person
    ada: str
    ben: str
    person: str
    name: str
    """Under which Ben is registered."""

    @property
    def path(self) -> str:
        return f"/clients/{self.ada}/relative-links"

    async def link(self, own: str | None = None, *, key: str | None = None, **changes: Any) -> int:
        body = {"own_client_id": own or self.ben, **KNOWN, **changes}
        return (await self.officer.post(f"{self.path}/{self.person}", body, key=key)).status_code


@pytest.fixture
async def household(clinic: Clinic) -> Household:
    programme = await clinic.programme()
    nurse, name = await clinic.person((Role.NURSE, programme)), f"Registered {uuid4()}"
    ada, ben = [
        (
            await nurse.post(
                "/clients",
                {
                    "programme_id": str(programme),
                    "identity": {"given_name": given, "family_name": family, "birth_date": "1984-02-29"},
                },
            )
        ).json()["id"]
        for given, family in (("Ada", f"Lindqvist {uuid4()}"), ("Benedict", name))
    ]
    body = {
        "name": "Ben",
        "relationship": "partner",
        "involvements": [{"kind": "household_naloxone"}, {"kind": "emergency_contact"}],
    }
    person = (await nurse.post(f"/clients/{ada}/related-people", body)).json()["id"]
    officer = await clinic.person((Role.PRIVACY_OFFICER, None))
    return Household(programme, nurse, officer, ada, ben, person, name)


async def test_no_route_of_one_chart_returns_anything_of_the_other(clinic: Clinic, household: Household) -> None:
    assert await household.link() == 204
    [link] = (await household.officer.get(household.path)).json()["items"]
    staff = [
        household.nurse,
        await clinic.person((Role.SUPERVISOR, household.programme)),
        await clinic.person((Role.MEDICAL_DIRECTOR, household.programme)),
        await clinic.person((Role.PHARMACIST, household.programme)),
    ]
    paths = [
        door.path.removeprefix("/api/v1")
        for door in doors(clinic.application.litestar)
        if door.method == "GET" and "{client_id:uuid}" in door.path and not _ANOTHER.search(door.path)
    ]
    read = 0
    for client, other, secrets in (
        (household.ada, household.ben, (household.name, "Benedict")),
        (household.ben, household.ada, ("Lindqvist", household.person)),
    ):
        for path in paths:
            for person in staff:
                answer = await person.get(path.replace("{client_id:uuid}", client))
                read += answer.is_success
                assert not [each for each in (other, link["link_id"], *secrets) if each in answer.text], path
    assert read > 2 * len(staff)


async def test_the_privacy_officer_alone_reads_writes_and_undoes_a_link(clinic: Clinic, household: Household) -> None:
    [before] = (await household.officer.get(household.path)).json()["items"]
    key = str(uuid4())
    first, again = await household.link(key=key), await household.link(key=key)
    [linked] = (await household.officer.get(household.path)).json()["items"]
    director = await clinic.person((Role.MEDICAL_DIRECTOR, household.programme))
    body = {"own_client_id": household.ben, **KNOWN}
    for other in (household.nurse, director):
        assert (await other.get(household.path)).status_code == 403
        assert (await other.post(f"{household.path}/{household.person}", body)).status_code == 403

    assert (before["person_id"], before["name"], before["link_id"]) == (household.person, "Ben", None)
    assert (first, again) == (204, 204)
    assert linked["own_client_id"] == household.ben
    assert await household.link() == 409
    undoing = f"{household.path}/{household.person}/undoing"
    assert (await household.officer.post(undoing, {"reason": " "})).status_code == 422
    assert (await household.officer.post(undoing, {"reason": "Another Ben."})).status_code == 204
    assert (await household.officer.post(undoing, {"reason": "Another Ben."})).status_code == 404
    assert (await household.officer.get(household.path)).json()["items"] == [before]
    assert await household.link() == 204


async def test_nobody_is_linked_to_themselves_or_to_whom_there_is_not(household: Household) -> None:
    assert await household.link(household.ada, reason=" ") == 422
    assert await household.link(str(uuid4())) == 404
    unknown = await household.officer.post(f"{household.path}/{uuid4()}", {"own_client_id": household.ben, **KNOWN})
    assert unknown.status_code == 404
