"""A relative who is a client too: linked by the privacy officer, and shown by neither chart nor what either is given."""

import csv
import io
import re
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from caseload.domain.access import Act, Role
from caseload.domain.accessreport import TELLS_OF_SOMEBODY_ELSE
from caseload.domain.family import linked
from caseload.domain.ids import ProgrammeId
from caseload.domain.journal import Event
from tests.api.conftest import Clinic, Person
from tests.architecture.test_role_by_route import doors
from tests.factories.sequenced import sequenced

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


def test_whatever_a_link_leaves_in_the_log_is_in_no_clients_report(clinic: Clinic) -> None:
    routes = {
        door.handler.opt["event"] for door in doors(clinic.application.litestar) if door.act is Act.LINK_RELATIVES
    }
    told = {each.name for each in Event.__subclasses__() if each.__module__ == linked.__name__}
    assert len(routes) == 3
    assert routes | told == TELLS_OF_SOMEBODY_ELSE, "say it in `domain/accessreport/lines.py`, or it betrays a relative"


async def test_who_saw_my_record_tells_neither_client_of_the_other(clinic: Clinic, household: Household) -> None:
    officer, plain = household.officer, await report(clinic, household.officer, household.ben)
    assert await household.link() == 204
    assert await household.link() == 409
    assert (await officer.get(household.path)).status_code == 200
    undoing = f"{household.path}/{household.person}/undoing"
    assert (await officer.post(undoing, {"reason": "Another Ben."})).status_code == 204

    for client in (household.ada, household.ben):
        path = f"/clients/{client}/accesses"
        accesses = (await officer.get(path, params={"limit": 200})).json()["items"]
        betraying = {
            each["entry"]["id"]
            for each in accesses
            if "relative-links" in each["entry"]["route"] or "link" in str(each)
        }
        assert household.person not in str([each for each in accesses if each["entry"]["id"] in betraying])
        assert len(betraying) == 4, "the log itself has all of them, for the privacy officer"
        shown = await report(clinic, officer, client)
        for text in (*shown.files.values(), str(shown.lines)):
            assert not any(each in text for each in (*betraying, "relative_link", "relative.link", "relative-link"))
        assert shown.lines, "what is about this client alone is there"
        assert shown.released == {"lines": len(shown.lines), "withheld": 0}
        assert (shown.json["lines"], shown.json["withheld"]) == (len(shown.lines), {})
        assert shown.counted == {"# lines": str(len(shown.lines))}, "what is not there is not counted either"
        assert shown.json["says"] == plain.json["says"], "nor is it said to some and not to others"
        for entry in betraying:
            assert (await officer.get(f"{shown.path}/lines/{entry}/proof")).status_code == 404
            body = {"entries": [entry], "reason": "third_party", "note": "A relative."}
            assert (await officer.post(f"{shown.another}/withheld", body)).status_code == 404


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """A report of who saw a client's record, in every form in which it leaves."""

    path: str
    another: str
    """Of a report that is not released."""
    lines: list[dict[str, Any]]
    released: dict[str, int]
    json: dict[str, Any]
    files: dict[str, str]
    counted: dict[str, str]


async def report(clinic: Clinic, officer: Person, client: str) -> Reported:
    owner = await asyncpg.connect(clinic.addresses.owner)
    await sequenced(owner)
    await owner.close()
    path, another = [
        f"/access-reports/{(await officer.post(f'/clients/{client}/access-reports', {})).json()['id']}"
        for _ in range(2)
    ]
    lines = (await officer.get(f"{path}/lines", params={"limit": 200})).json()["items"]
    released = (await officer.post(f"{path}/release")).json()
    files = {each: await officer.get(f"{path}/file", params={"format": each}) for each in ("json", "csv", "pdf")}
    assert {each.status_code for each in files.values()} == {200}
    rows = csv.reader(io.StringIO(files["csv"].text, newline=""))
    return Reported(
        path=path,
        another=another,
        lines=lines,
        released={each: released[each] for each in ("lines", "withheld")},
        json=files["json"].json(),
        files={each: files[each].text for each in ("json", "csv")},
        counted={row[0]: row[1] for row in rows if row[0].startswith(("# lines", "# withheld"))},
    )
