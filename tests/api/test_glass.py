"""Break-glass over HTTP: the door, what it opens, what every answer says meanwhile, and who looks at it."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from caseload.domain.access import GLASS_OPENS, Act, Role
from caseload.domain.ids import ClientId
from tests.api.conftest import Clinic, Person
from tests.api.house import House, open_house
from tests.factories.clients import InCare

pytestmark = pytest.mark.anyio

REASON = "Collapsed in the street, the ambulance asks."


@dataclass(frozen=True)
class Scene:
    """A client of one house, and a nurse of another who does not know them."""

    house: House
    client: InCare
    family_name: str
    nurse: Person
    officer: Person

    @property
    def path(self) -> str:
        return f"/clients/{self.client.id}"

    def body(self, **changes: Any) -> dict[str, Any]:
        return {
            "given_name": "Ada",
            "family_name": self.family_name,
            "birth_date": "1984-02-29",
            "code": "overdose",
            "reason": REASON,
            **changes,
        }

    async def broken(self, by: Person | None = None, **changes: Any) -> dict[str, Any]:
        answer = await (by or self.nurse).post("/break-glass", self.body(**changes))
        assert answer.status_code == 201, answer.text
        assert answer.json()["opened"] is not None, answer.text
        return answer.json()["opened"]


@pytest.fixture
async def scene(clinic: Clinic) -> Scene:
    house = await open_house(clinic)
    family_name = f"Lindqvist-{uuid4().hex[:8]}"
    client = await house.client(family_name=family_name)
    nurse = await clinic.person((Role.NURSE, await clinic.programme()))
    return Scene(house, client, family_name, nurse, await clinic.person((Role.PRIVACY_OFFICER, None)))


async def test_outside_ones_reach_a_client_is_opened_by_exact_name_and_reason_and_closed_again(scene: Scene) -> None:
    assert (await scene.nurse.get(scene.path)).status_code == 404
    key = str(uuid4())
    first = await scene.nurse.post("/break-glass", scene.body(given_name="ADA "), key=key)
    assert first.status_code == 201, first.text
    assert (await scene.nurse.post("/break-glass", scene.body(given_name="ADA "), key=key)).json() == first.json()
    opened = first.json()["opened"]
    until = datetime.fromisoformat(opened["until_at"])
    assert until - datetime.fromisoformat(opened["starts_at"]) == timedelta(minutes=60)

    summary = await scene.nurse.get(f"{scene.path}/summary")
    assert summary.status_code == 200, summary.text
    assert summary.headers["broken-glass"] == f"{opened['id']}; until={until.isoformat()}"
    assert (await scene.nurse.get("/clients/" + str(uuid4()))).headers["broken-glass"].startswith(opened["id"])
    me = await scene.nurse.get("/me")
    assert me.json()["glass"] == {
        "id": opened["id"],
        "client_id": str(scene.client.id),
        "until_at": opened["until_at"],
    }
    assert (await scene.nurse.get(f"{scene.path}/medication")).status_code == 200
    assert (await scene.nurse.get(f"{scene.path}/notes")).json().get("items", []) == []

    ended = await scene.nurse.post(f"/break-glass/{opened['id']}/end", key=(end := str(uuid4())))
    assert (ended.status_code, ended.json()["is_now"]) == (201, False)
    assert (await scene.nurse.post(f"/break-glass/{opened['id']}/end", key=end)).json() == ended.json()
    gone = await scene.nurse.get(f"{scene.path}/summary")
    assert (gone.status_code, "broken-glass" in gone.headers) == (404, False)
    assert (await scene.nurse.get("/me")).json()["glass"] is None


async def test_nobody_and_two_of_one_name_are_the_same_answer_and_a_number_tells_them_apart(scene: Scene) -> None:
    await scene.house.client(family_name=scene.family_name)
    two = await scene.nurse.post("/break-glass", scene.body())
    none = await scene.nurse.post("/break-glass", scene.body(birth_date="1984-02-28"))
    other = await scene.nurse.post("/break-glass", scene.body(identifier="there is none"))
    assert {two.status_code, none.status_code, other.status_code} == {201}
    assert two.content == none.content == other.content
    tries = (await scene.officer.get("/break-glass/tries", params={"limit": 200})).json()["items"]
    mine = [each["tried"] for each in tries if each["staff_id"] == str(scene.nurse.staff.id)]
    assert mine == ["nobody", "nobody", "several"]


async def merged(scene: Scene, **options: Any) -> tuple[ClientId, dict[str, Any]]:
    """A second registration of the client, closed since another person confirmed it."""
    double = (await scene.house.client(**options)).id
    supervisor = await scene.house.clinic.person((Role.SUPERVISOR, scene.house.programme))
    director = await scene.house.clinic.person((Role.MEDICAL_DIRECTOR, scene.house.programme))
    said = {"survivor_id": str(scene.client.id), "reason": "The same photograph."}
    proposed = await supervisor.post(f"/clients/{double}/merges", said)
    assert proposed.status_code == 201, proposed.text
    left = await supervisor.post(f"/clients/{double}/discharge", {"reason": "registered_twice"})
    assert left.is_success, left.text
    confirmed = await director.post(f"/client-merges/{proposed.json()['id']}/confirmation", {"reason": "Both cards."})
    assert confirmed.status_code == 201, confirmed.text
    return double, confirmed.json()


async def test_whoever_was_registered_twice_and_merged_is_opened_where_their_record_is(scene: Scene) -> None:
    await merged(scene, family_name=scene.family_name)
    opened = await scene.broken()
    assert opened["client_id"] == str(scene.client.id)
    assert (await scene.nurse.get(f"{scene.path}/summary")).status_code == 200


async def test_the_name_of_the_closed_registration_opens_the_one_that_is_used(scene: Scene) -> None:
    misspelt = f"Linquist-{uuid4().hex[:8]}"
    double, _ = await merged(scene, family_name=misspelt)
    opened = await scene.broken(family_name=misspelt)
    assert opened["client_id"] == str(scene.client.id)
    assert (await scene.nurse.get(f"{scene.path}/summary")).status_code == 200
    assert (await scene.nurse.get(f"/clients/{double}/summary")).status_code == 404


async def test_when_the_merge_is_undone_each_registration_is_opened_for_itself(scene: Scene) -> None:
    misspelt = f"Linquist-{uuid4().hex[:8]}"
    double, merge = await merged(scene, family_name=misspelt)
    director = await scene.house.clinic.person((Role.MEDICAL_DIRECTOR, scene.house.programme))
    undone = await director.post(f"/client-merges/{merge['id']}/undoing", {"reason": "Two sisters."})
    assert undone.status_code == 201, undone.text
    assert (await scene.broken(family_name=misspelt))["client_id"] == str(double)


async def test_after_five_tries_that_open_nobody_even_the_right_name_waits(scene: Scene) -> None:
    wrong = scene.body(family_name="Lindqvis")
    tried = await asyncio.gather(*(scene.nurse.post("/break-glass", wrong) for _ in range(7)))
    assert sorted(each.status_code for each in tried) == [201] * 5 + [429] * 2
    right = await scene.nurse.post("/break-glass", scene.body())
    assert (right.status_code, 3500 < int(right.headers["retry-after"]) <= 3600) == (429, True)


async def test_of_two_at_once_one_is_opened_and_the_other_waits(scene: Scene) -> None:
    both = await asyncio.gather(*(scene.nurse.post("/break-glass", scene.body()) for _ in range(2)))
    assert sorted(each.status_code for each in both) == [201, 409]
    stranger = await scene.house.clinic.person((Role.COUNSELLOR, await scene.house.clinic.programme()))
    await scene.broken(stranger)


async def test_whoever_sees_the_client_anyway_needs_no_door_and_roles_without_need_have_none(scene: Scene) -> None:
    assert (await scene.house.robin.post("/break-glass", scene.body())).status_code == 409
    for role in (Role.FRONT_DESK, Role.AUDITOR, Role.PRIVACY_OFFICER, Role.INSPECTOR, Role.ADMINISTRATOR):
        where = None if role in {Role.AUDITOR, Role.PRIVACY_OFFICER, Role.ADMINISTRATOR} else scene.house.programme
        by = await scene.house.clinic.person((role, where))
        assert (await by.post("/break-glass", scene.body())).status_code == 403, role


async def test_a_privacy_officer_sees_it_at_once_and_every_access_behind_it_is_marked(scene: Scene) -> None:
    before = (await scene.officer.get("/me")).json()["to_review"]
    broken = await scene.broken()
    await scene.nurse.get(f"{scene.path}/summary")
    after = (await scene.officer.get("/me")).json()["to_review"]
    assert (after["waiting"], after["overdue"]) == (before["waiting"] + 1, before["overdue"])
    listed = (await scene.officer.get("/break-glass", params={"unreviewed_only": True, "limit": 200})).json()
    assert broken["id"] in {each["id"] for each in listed["items"]}
    assert listed["waiting"] == after["waiting"]

    accesses = (await scene.officer.get(f"{scene.path}/accesses")).json()["items"]
    seen = [each for each in accesses if each["entry"]["actor"] == str(scene.nurse.staff.id)]
    assert {each["entry"]["event"] for each in seen} >= {"summary.read", "glass.broken"}
    assert {each["entry"]["purpose"] for each in seen if each["saw"] or each["did"]} == {"BTG"}
    [summary] = [each for each in seen if each["entry"]["event"] == "summary.read"]
    assert summary["asked"]["glass"] == broken["id"]


async def test_somebody_else_reviews_it_once_and_what_is_still_open_ends_with_it(scene: Scene) -> None:
    broken = await scene.broken()
    path, said = f"/break-glass/{broken['id']}/review", {"outcome": "justified", "note": "The ambulance rang us."}
    assert (await scene.nurse.post(path, said)).status_code == 403
    elsewhere = await scene.house.clinic.person((Role.PRIVACY_OFFICER, await scene.house.clinic.programme()))
    assert (await elsewhere.post(path, said)).status_code == 404
    assert (await scene.officer.post(path, {**said, "note": " "})).status_code == 422
    answers = await asyncio.gather(*(scene.officer.post(path, said, key=f"{broken['id']}-{n}") for n in range(2)))
    assert sorted(each.status_code for each in answers) == [201, 409]
    first = next(each for each in answers if each.status_code == 201).json()
    assert (first["review"]["outcome"], first["is_now"], first["is_overdue"]) == ("justified", False, False)
    assert first["ended_by"] == str(scene.officer.staff.id)
    assert (await scene.nurse.get(f"{scene.path}/summary")).status_code == 404


async def test_nobody_ends_a_glass_that_somebody_else_broke(scene: Scene) -> None:
    broken = await scene.broken()
    other = await scene.house.clinic.person((Role.NURSE, scene.house.programme))
    assert (await other.post(f"/break-glass/{broken['id']}/end")).status_code == 404
    assert (await scene.nurse.get(f"{scene.path}/summary")).status_code == 200


async def test_a_restricted_client_is_opened_for_an_emergency_too(scene: Scene, clinic: Clinic) -> None:
    restricted = await scene.officer.post(
        f"{scene.path}/restrictions",
        {"kind": "colleague", "reason": "Works here.", "staff": [str(scene.house.robin.staff.id)]},
    )
    assert restricted.status_code == 201, restricted.text
    supervisor = await clinic.person((Role.SUPERVISOR, scene.house.programme))
    assert (await supervisor.get(f"{scene.path}/summary")).status_code == 404
    broken = await scene.broken(supervisor, code="nobody_named_there", minutes=5)
    assert (await supervisor.get(f"{scene.path}/summary")).status_code == 200
    raised = await supervisor.post(f"{scene.path}/escalations", {"ground": "overdose", "said": "Found at home."})
    assert raised.status_code == 201, raised.text
    assert (await supervisor.get(f"{scene.path}/contact")).status_code == 200

    assert not broken["is_overdue"]


WRITTEN = frozenset({
    Act.ESCALATE, Act.ACKNOWLEDGE_ESCALATION, Act.RAISE_HOLD, Act.ASK_CONSENT, Act.RELEASE_IN_EMERGENCY,
})  # fmt: skip
"""What a glass opens besides reading; each is done below by somebody of another programme."""


async def test_somebody_of_another_programme_does_all_that_a_broken_glass_is_for(scene: Scene) -> None:
    assert {act for act in GLASS_OPENS if not act.startswith("see_")} == WRITTEN
    path, nurse = scene.path, scene.nurse
    question = {
        "recipient": {"name": "County ED"},
        "categories": ["medication"],
        "purpose": "treatment",
        "check": {"method": "call_back", "detail": "The number in the directory."},
    }
    writings: dict[Act, tuple[str, dict[str, Any]]] = {
        Act.ESCALATE: (f"{path}/escalations", {"ground": "overdose", "said": "Found at home."}),
        Act.RAISE_HOLD: (f"{path}/holds", {"reason": "medical", "note": "Overdosed; given naloxone."}),
        Act.ASK_CONSENT: (f"{path}/disclosure-questions", question),
        Act.RELEASE_IN_EMERGENCY: (f"{path}/emergency-releases", {"name": "Dr Kim", "emergency": "Overdose."}),
    }
    shut = [await nurse.post(where, body) for where, body in writings.values()]
    assert [each.status_code for each in shut] == [404] * len(writings)

    await scene.broken()
    done = {act: await nurse.post(where, body) for act, (where, body) in writings.items()}
    escalation = done[Act.ESCALATE].json()["escalation"]["id"]
    taken = {"doing": "Rang the ambulance; it is on its way."}
    done[Act.ACKNOWLEDGE_ESCALATION] = await nurse.post(f"/escalations/{escalation}/acknowledgement", taken)

    assert done.keys() == WRITTEN
    assert {act: each.status_code for act, each in done.items()} == dict.fromkeys(WRITTEN, 201) | {Act.ASK_CONSENT: 200}
    [answer] = done[Act.ASK_CONSENT].json()["items"]
    assert answer["reason"] == "no_consent"
    hold = done[Act.RAISE_HOLD].json()
    prescriber = await scene.house.clinic.person((Role.PRESCRIBER, scene.house.programme))
    held = (await prescriber.get(f"/programmes/{scene.house.programme}/holds")).json()["items"]
    assert hold["id"] in {each["id"] for each in held}, "it waits for the prescriber of the client's own programme"


async def test_a_broken_glass_gives_no_right_that_the_role_has_not(scene: Scene, clinic: Clinic) -> None:
    counsellor = await clinic.person((Role.COUNSELLOR, await clinic.programme()))
    await scene.broken(counsellor)
    refused = await counsellor.post(f"{scene.path}/holds", {"reason": "medical", "note": "Overdosed."})
    assert refused.status_code == 403
    other = await scene.house.client()
    asked = await counsellor.post(
        f"/clients/{other.id}/emergency-releases", {"name": "Dr Kim", "emergency": "Overdose."}
    )
    assert asked.status_code == 404, "one client is open, and no other of their programme"
