"""Clients over HTTP: registered, found, read and corrected, and hidden from whoever has no right to know."""

import asyncio
import secrets
import string

import pytest

from caseload.domain.access import Role
from tests.api.conftest import Clinic
from tests.conftest import Counts

pytestmark = pytest.mark.anyio


def identity(given_name: str = "Ada", family_name: str = "Lindqvist", birth_date: str = "1984-02-29") -> dict[str, str]:
    return {"given_name": given_name, "family_name": family_name, "birth_date": birth_date}


def a_name() -> str:
    """A name that no other test of this worker's clinic has: registering somebody like another is refused."""
    return "".join(secrets.choice(string.ascii_lowercase) for _ in range(12)).title()


async def test_one_person_at_two_desks_at_once_is_registered_once(clinic: Clinic, counts: Counts) -> None:
    here, there = await clinic.programme(), await clinic.programme()
    desks = [(await clinic.person((Role.FRONT_DESK, where)), where) for where in (here, there, here)]
    for _ in range(counts(3, full=50)):
        who = identity(family_name=a_name())
        made = await asyncio.gather(
            *(desk.post("/clients", {"programme_id": str(where), "identity": who}) for desk, where in desks)
        )
        assert sorted(each.status_code for each in made) == [201, 409, 409]


async def test_the_records_lead_finds_whose_number_a_refused_registration_has(clinic: Clinic) -> None:
    programme = await clinic.programme()
    desk, lead = await clinic.person((Role.FRONT_DESK, programme)), await clinic.person((Role.SUPERVISOR, programme))
    numbered = {"identifiers": [{"kind": "national_health", "value": secrets.token_hex(8)}]}
    known = await desk.post(
        "/clients", {"programme_id": str(programme), "identity": identity(family_name=a_name()), **numbered}
    )
    other = identity(family_name=a_name(), birth_date="1950-01-01")
    refused = await desk.post("/clients", {"programme_id": str(programme), "identity": other, **numbered})

    assert (known.status_code, refused.json()["title"]) == (201, "Probable match, ask the records lead.")
    compared = await lead.post("/clients/matches/search", {**other, **numbered})
    assert [(each["client_id"], each["because"]) for each in compared.json()["items"]] == [
        (known.json()["id"], "identifier")
    ]


async def test_a_registered_client_is_read_back_and_found(clinic: Clinic) -> None:
    programme = await clinic.programme()
    nurse = await clinic.person((Role.NURSE, programme))

    name = a_name()
    made = await nurse.post("/clients", {"programme_id": str(programme), "identity": identity(family_name=name)})

    assert made.status_code == 201, made.text
    client = made.json()
    read = await nurse.get(f"/clients/{client['id']}")
    assert read.status_code == 200
    assert read.json() == client
    found = await nurse.post("/clients/search", {"name": name.lower()})
    assert [each["id"] for each in found.json()["items"]] == [client["id"]]


async def test_whoever_reads_the_log_finds_one_client_by_number_and_nobody_by_name(clinic: Clinic) -> None:
    programme, elsewhere = await clinic.programme(), await clinic.programme()
    desk = await clinic.person((Role.FRONT_DESK, programme))
    officer, auditor, of_another = [
        await clinic.person(holds)
        for holds in ((Role.PRIVACY_OFFICER, None), (Role.AUDITOR, programme), (Role.AUDITOR, elsewhere))
    ]
    name, number = a_name(), f"HH-{secrets.token_hex(8)}"
    made = await desk.post(
        "/clients",
        {
            "programme_id": str(programme),
            "identity": identity(family_name=name),
            "identifiers": [{"kind": "chart", "value": number}],
        },
    )
    client = made.json()["id"]

    for person, seen in ((officer, [client]), (auditor, [client]), (of_another, [])):
        found = await person.post("/clients/search", {"identifier": number.lower()})
        assert [each["id"] for each in found.json()["items"]] == seen
        for wider in ({"name": name}, {"identifier": number, "name": name}, {"birth_date": "1984-02-29"}):
            assert (await person.post("/clients/search", wider)).json()["items"] == []
        assert (await person.get(f"/clients/{client}")).status_code == (200 if seen else 404)


async def test_a_correction_is_a_new_version_of_the_one_that_was_seen_and_former_names_still_find(
    clinic: Clinic,
) -> None:
    programme = await clinic.programme()
    nurse = await clinic.person((Role.NURSE, programme))
    supervisor = await clinic.person((Role.SUPERVISOR, programme))
    before, after = a_name(), a_name()
    made = await nurse.post("/clients", {"programme_id": str(programme), "identity": identity(family_name=before)})
    path = f"/clients/{made.json()['id']}/identity"
    correction = {"identity": identity(family_name=after, birth_date="1984-02-28"), "reason": "Read from the passport."}

    unseen = await supervisor.put(path, correction)
    corrected = await supervisor.put(path, correction, headers={"If-Match": made.headers["etag"]})
    stale = await supervisor.put(path, correction, headers={"If-Match": made.headers["etag"]})

    assert (unseen.status_code, corrected.status_code, stale.status_code) == (428, 200, 412)
    shown = corrected.json()
    assert (shown["family_name"], shown["birth_date"], shown["version"]) == (after, "1984-02-28", 2)
    assert corrected.headers["etag"] == '"2"'
    for name in (before, after):
        found = (await nurse.post("/clients/search", {"name": name})).json()["items"]
        assert [(each["id"], each["family_name"]) for each in found] == [(shown["id"], after)]
