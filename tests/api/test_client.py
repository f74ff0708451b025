"""Clients over HTTP: registered, found, read and corrected, and hidden from whoever has no right to know."""

import secrets
import string

import pytest

from caseload.domain.access import Role
from tests.api.conftest import Clinic

pytestmark = pytest.mark.anyio


def identity(given_name: str = "Ada", family_name: str = "Lindqvist", birth_date: str = "1984-02-29") -> dict[str, str]:
    return {"given_name": given_name, "family_name": family_name, "birth_date": birth_date}


async def test_a_registered_client_is_read_back_and_found(clinic: Clinic) -> None:
    programme = await clinic.programme()
    nurse = await clinic.person((Role.NURSE, programme))

    # A name that no other test of this worker's clinic has: registering somebody like another is refused.
    name = "".join(secrets.choice(string.ascii_lowercase) for _ in range(12)).title()
    made = await nurse.post("/clients", {"programme_id": str(programme), "identity": identity(family_name=name)})

    assert made.status_code == 201, made.text
    client = made.json()
    read = await nurse.get(f"/clients/{client['id']}")
    assert read.status_code == 200
    assert read.json() == client
    found = await nurse.post("/clients/search", {"name": name.lower()})
    assert [each["id"] for each in found.json()["items"]] == [client["id"]]
