"""Administering people over HTTP: who may do what to whom, two people where two are needed, and races."""

import asyncio
import itertools
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text

from caseload.audit.leaf import decode
from caseload.db.tables import people as tables
from caseload.domain.access import Role
from caseload.domain.ids import ProgrammeId
from tests.api.conftest import Clinic, Person

pytestmark = pytest.mark.anyio

_stations = itertools.count(1)
CHOSEN = "unremarkable teapot voyage"


@dataclass(frozen=True)
class House:
    """A programme with two administrators for everything and two supervisors."""

    clinic: Clinic
    programme: ProgrammeId
    admin: Person
    other_admin: Person
    supervisor: Person
    other_supervisor: Person
    station: int
    """The last part of the address from which people of this house sign in."""

    async def newcomer(self, *, by: Person | None = None) -> dict[str, Any]:
        """Somebody added just now, with the secret."""
        made = await (by or self.admin).post(
            "/staff", {"user_name": f"n-{uuid4().hex[:12]}", "printed_name": "Nadia Newcomer"}
        )
        assert made.status_code == 201, made.text
        return {**made.json()["account"], "secret": made.json()["secret"]}

    async def registered(self, staff: str, *, expires_on: str = "2099-12-31", body: str = "NMC") -> str:
        """A registration of this person."""
        made = await self.admin.post(
            f"/staff/{staff}/registrations",
            {"body": body, "number": uuid4().hex[:10], "expires_on": expires_on},
        )
        assert made.status_code == 201, made.text
        return made.json()["id"]

    async def nurse(self, staff: str, **more: Any) -> Any:
        """Grant the role of a nurse here."""
        registration = more.pop("registration_id", None) or await self.registered(staff)
        return await self.admin.post(
            f"/staff/{staff}/roles",
            {"role": "nurse", "programme_id": str(self.programme), "registration_id": registration, **more},
        )

    async def enter(self, someone: dict[str, Any], password: str | None = None, **more: Any) -> Any:
        """Sign in as somebody added."""
        return await self.clinic.client(address=f"192.0.2.{self.station}").post(
            "/api/v1/sign-in",
            json={"user_name": someone["user_name"], "password": password or someone["secret"], **more},
        )

    async def roles(self, someone: dict[str, Any], password: str = CHOSEN) -> list[str]:
        """The roles in force for somebody, as they see them."""
        answer = await self.enter(someone, password)
        assert answer.status_code == 200, answer.text
        return [held["role"] for held in answer.json()["me"]["roles"]]


@pytest.fixture
async def house(clinic: Clinic) -> House:
    programme = await clinic.programme()
    return House(
        clinic=clinic,
        programme=programme,
        admin=await clinic.person((Role.ADMINISTRATOR, None)),
        other_admin=await clinic.person((Role.ADMINISTRATOR, None)),
        supervisor=await clinic.person((Role.SUPERVISOR, programme)),
        other_supervisor=await clinic.person((Role.SUPERVISOR, programme)),
        station=next(_stations),
    )


def kind(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("urn:caseload:problem:")


def faulty(answer: Any) -> set[str]:
    assert answer.status_code == 422, answer.text
    return {fault["field"] for fault in answer.json()["errors"]}


async def test_from_being_added_to_working_as_a_nurse(house: House) -> None:
    newcomer = await house.newcomer()
    assert (await house.enter(newcomer, new_password=CHOSEN)).status_code == 200
    assert await house.roles(newcomer) == []
    granted = await house.nurse(newcomer["id"])
    assert granted.status_code == 201, granted.text
    assert granted.json()["waits_for_confirmation"] is True
    assert await house.roles(newcomer) == [], "not before somebody else has confirmed it"
    waiting = await house.supervisor.get("/roles/waiting")
    assert granted.json()["id"] in {each["id"] for each in waiting.json()["items"]}
    assert (await house.supervisor.post(f"/roles/{granted.json()['id']}/confirmation")).status_code == 204
    assert await house.roles(newcomer) == ["nurse"]
    waiting = await house.supervisor.get("/roles/waiting")
    assert granted.json()["id"] not in {each["id"] for each in waiting.json()["items"]}
    person = await house.supervisor.get(f"/staff/{newcomer['id']}")
    assert [grant["confirmed_by"] for grant in person.json()["roles"]] == [str(house.supervisor.staff.id)]
    assert person.json()["registrations"][0]["body"] == "NMC"


async def test_whoever_granted_a_role_cannot_confirm_it_nor_whoever_holds_it(house: House) -> None:
    granted = (await house.nurse((await house.newcomer())["id"])).json()["id"]
    assert kind(await house.admin.post(f"/roles/{granted}/confirmation")) == (403, "needs-a-third-person")
    supervisors = await house.admin.post(
        f"/staff/{house.supervisor.staff.id}/roles", {"role": "administrator", "programme_id": str(house.programme)}
    )
    assert supervisors.status_code == 201, supervisors.text
    own = await house.supervisor.post(f"/roles/{supervisors.json()['id']}/confirmation")
    assert kind(own) == (403, "needs-a-third-person")
    assert (await house.other_admin.post(f"/roles/{granted}/confirmation")).status_code == 204


async def test_two_people_confirm_at_once_and_one_of_them_is_told_that_it_is_done(house: House) -> None:
    granted = (await house.nurse((await house.newcomer())["id"])).json()["id"]
    answers = await asyncio.gather(
        *(who.post(f"/roles/{granted}/confirmation") for who in (house.supervisor, house.other_supervisor))
    )
    assert sorted(answer.status_code for answer in answers) == [204, 409]


async def test_a_supervisor_of_another_programme_confirms_nothing_here(house: House) -> None:
    granted = (await house.nurse((await house.newcomer())["id"])).json()["id"]
    stranger = await house.clinic.person((Role.SUPERVISOR, await house.clinic.programme()))
    assert (await stranger.post(f"/roles/{granted}/confirmation")).status_code == 403


async def test_a_role_that_is_over_or_needs_no_confirmation_cannot_be_confirmed(house: House) -> None:
    newcomer = await house.newcomer()
    granted = (await house.nurse(newcomer["id"])).json()["id"]
    assert (await house.admin.post(f"/roles/{granted}/revocation", {"reason": "by mistake"})).status_code == 204
    assert kind(await house.supervisor.post(f"/roles/{granted}/confirmation")) == (409, "already-revoked")
    counsellor = await house.admin.post(
        f"/staff/{newcomer['id']}/roles", {"role": "counsellor", "programme_id": str(house.programme)}
    )
    assert counsellor.json()["waits_for_confirmation"] is False
    again = await house.supervisor.post(f"/roles/{counsellor.json()['id']}/confirmation")
    assert kind(again) == (409, "already-confirmed")


async def test_nobody_changes_their_own_roles_account_registration_or_wait(house: House) -> None:
    me = house.admin.staff.id
    role = {"role": "auditor"}
    assert kind(await house.admin.post(f"/staff/{me}/roles", role)) == (403, "not-yourself")
    theirs = (await house.admin.get(f"/staff/{me}")).json()["roles"][0]["id"]
    for path, body in (
        (f"/roles/{theirs}/revocation", {"reason": "x"}),
        (f"/staff/{me}/deactivation", {"reason": "x"}),
        (f"/staff/{me}/password-reset", None),
        (f"/staff/{me}/registrations", {"body": "NMC", "number": "1", "expires_on": "2099-01-01"}),
        (f"/staff/{me}/lock-out/lift", None),
    ):
        assert kind(await house.admin.post(path, body)) == (403, "not-yourself"), path
    own = house.supervisor.staff.id
    shift = {"staff_id": str(own), "programme_id": str(house.programme)}
    times = {"starts_at": "2099-01-01T08:00:00Z", "ends_at": "2099-01-01T16:00:00Z"}
    assert kind(await house.supervisor.post("/duty-shifts", {**shift, **times})) == (403, "not-yourself")


async def test_a_clinician_does_not_become_an_administrator_nor_the_other_way_round(house: House) -> None:
    nurse = await house.clinic.person((Role.NURSE, house.programme))
    refused = await house.admin.post(f"/staff/{nurse.staff.id}/roles", {"role": "administrator"})
    assert kind(refused) == (409, "administrators-stay-apart")
    assert kind(await house.nurse(str(house.other_admin.staff.id))) == (409, "administrators-stay-apart")


async def test_an_administrator_and_a_clinician_made_of_one_person_at_once_become_one_of_them(house: House) -> None:
    staff = (await house.newcomer())["id"]
    registration = await house.registered(staff)
    answers = await asyncio.gather(
        house.nurse(staff, registration_id=registration),
        house.other_admin.post(f"/staff/{staff}/roles", {"role": "administrator"}),
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409]


async def test_a_clinical_role_needs_a_registration_of_that_person_in_force(house: House) -> None:
    staff, other = (await house.newcomer())["id"], (await house.newcomer())["id"]
    nurse = {"role": "nurse", "programme_id": str(house.programme)}
    path = f"/staff/{staff}/roles"
    assert faulty(await house.admin.post(path, nurse)) == {"registration_id"}
    others = await house.registered(other)
    assert (await house.admin.post(path, {**nurse, "registration_id": others})).status_code == 404
    own = await house.registered(staff)
    lapsed = await house.admin.post(f"/registrations/{own}/checks", {"expires_on": "2020-01-01"})
    assert lapsed.status_code == 201
    assert faulty(await house.admin.post(path, {**nurse, "registration_id": own})) == {"registration_id"}
    await house.admin.post(f"/registrations/{own}/checks", {"expires_on": "2099-01-01"})
    assert (await house.admin.post(path, {**nurse, "registration_id": own})).status_code == 201
    counsellor = {"role": "counsellor", "programme_id": str(house.programme), "registration_id": own}
    assert faulty(await house.admin.post(path, counsellor)) == {"registration_id"}


async def test_a_registration_that_lapses_takes_the_role_with_it_and_its_renewal_brings_it_back(house: House) -> None:
    newcomer = await house.newcomer()
    await house.enter(newcomer, new_password=CHOSEN)
    registration = await house.registered(newcomer["id"])
    granted = (await house.nurse(newcomer["id"], registration_id=registration)).json()["id"]
    await house.supervisor.post(f"/roles/{granted}/confirmation")
    for expires_on, roles in (("2020-01-01", []), ("2099-01-01", ["nurse"])):
        await house.admin.post(f"/registrations/{registration}/checks", {"expires_on": expires_on})
        assert await house.roles(newcomer) == roles


async def test_every_fault_of_a_role_is_named_at_once(house: House) -> None:
    staff = (await house.newcomer())["id"]
    answer = await house.admin.post(
        f"/staff/{staff}/roles",
        {"role": "inspector", "starts_at": "2020-01-01T00:00:00Z", "registration_id": str(uuid4())},
    )
    assert faulty(answer) == {"programme_id", "starts_at", "ends_at", "registration_id"}


async def test_a_role_in_a_programme_that_is_not_there_or_for_nobody_is_not_found(house: House) -> None:
    staff = (await house.newcomer())["id"]
    counsellor = {"role": "counsellor", "programme_id": str(uuid4())}
    assert kind(await house.admin.post(f"/staff/{staff}/roles", counsellor)) == (404, "programme-unknown")
    assert kind(await house.admin.post(f"/staff/{uuid4()}/roles", counsellor)) == (404, "staff-unknown")
    for path in (f"/roles/{uuid4()}/confirmation", f"/password-resets/{uuid4()}/confirmation"):
        assert (await house.supervisor.post(path)).status_code == 404


async def test_the_same_role_twice_at_once_is_a_conflict_and_a_retry_is_not(house: House) -> None:
    staff = (await house.newcomer())["id"]
    role = {"role": "counsellor", "programme_id": str(house.programme)}
    first = await house.admin.post(f"/staff/{staff}/roles", role, key="a key")
    again = await house.admin.post(f"/staff/{staff}/roles", role, key="a key")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert kind(await house.admin.post(f"/staff/{staff}/roles", role, key="another")) == (409, "role-already-held")


async def test_an_administrator_of_one_programme_gives_and_takes_nothing_elsewhere(house: House) -> None:
    local = await house.clinic.person((Role.ADMINISTRATOR, house.programme))
    elsewhere = await house.clinic.programme()
    staff = (await house.newcomer(by=local))["id"]
    path = f"/staff/{staff}/roles"
    here = await local.post(path, {"role": "counsellor", "programme_id": str(house.programme)})
    assert here.status_code == 201
    assert (await local.post(path, {"role": "counsellor", "programme_id": str(elsewhere)})).status_code == 403
    assert (await local.post(path, {"role": "auditor"})).status_code == 403
    theirs = await house.admin.post(path, {"role": "counsellor", "programme_id": str(elsewhere)})
    revoked = await local.post(f"/roles/{theirs.json()['id']}/revocation", {"reason": "x"})
    assert revoked.status_code == 403


async def test_nobody_takes_over_an_account_that_may_more_than_they_manage(house: House) -> None:
    local = await house.clinic.person((Role.ADMINISTRATOR, house.programme))
    for path, body in (("password-reset", None), ("deactivation", {"reason": "x"})):
        assert (await local.post(f"/staff/{house.admin.staff.id}/{path}", body)).status_code == 403
        assert (await house.admin.get("/me")).status_code == 200


async def test_a_secret_is_shown_once_even_when_the_answer_was_lost(house: House) -> None:
    asked = {"user_name": f"n-{uuid4().hex[:12]}", "printed_name": "Nadia Newcomer"}
    first = await house.admin.post("/staff", asked, key="lost")
    again = await house.admin.post("/staff", asked, key="lost")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["account"] == again.json()["account"]
    assert first.json()["secret"] is not None
    assert again.json()["secret"] is None
    assert first.headers["cache-control"] == "no-store"
    assert kind(await house.admin.post("/staff", asked, key="new")) == (409, "user-name-taken")
    shouted = {**asked, "user_name": asked["user_name"].upper()}
    assert kind(await house.admin.post("/staff", shouted)) == (409, "user-name-taken")


async def test_a_reset_ends_sessions_and_suspends_signing_until_a_third_person_confirms(house: House) -> None:
    newcomer = await house.newcomer()
    token = (await house.enter(newcomer, new_password=CHOSEN)).json()["token"]
    reset = await house.admin.post(f"/staff/{newcomer['id']}/password-reset")
    assert reset.status_code == 201, reset.text
    assert (await house.clinic.client(token).get("/api/v1/me")).status_code == 401
    assert (await house.enter(newcomer, CHOSEN)).status_code == 401
    secret, number = reset.json()["secret"], reset.json()["reset"]["id"]
    entered = await house.enter(newcomer, secret, new_password="nineteen velvet harpoons")
    assert entered.json()["me"]["may_sign"] is False
    me = Person(house.admin.staff, house.clinic.client(entered.json()["token"]))
    listed = await house.supervisor.get("/password-resets")
    assert number in {each["id"] for each in listed.json()["items"]}
    assert kind(await house.admin.post(f"/password-resets/{number}/confirmation")) == (403, "needs-a-third-person")
    assert (await house.supervisor.post(f"/password-resets/{number}/confirmation")).status_code == 204
    assert (await me.get("/me")).json()["may_sign"] is True
    again = await house.other_supervisor.post(f"/password-resets/{number}/confirmation")
    assert kind(again) == (409, "already-confirmed")


async def test_two_people_confirm_a_reset_at_once_and_one_counts(house: House) -> None:
    newcomer = await house.newcomer()
    number = (await house.admin.post(f"/staff/{newcomer['id']}/password-reset")).json()["reset"]["id"]
    answers = await asyncio.gather(
        *(
            who.post(f"/password-resets/{number}/confirmation")
            for who in (house.supervisor, house.other_supervisor, house.other_admin)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [204, 409, 409]


async def test_an_administrator_cannot_reset_a_colleague_to_confirm_with_their_hand(house: House) -> None:
    victim = house.other_admin.staff
    reset = (await house.admin.post(f"/staff/{victim.id}/password-reset")).json()
    entered = await house.clinic.client().post(
        "/api/v1/sign-in",
        json={"user_name": victim.user_name, "password": reset["secret"], "new_password": CHOSEN},
    )
    puppet = Person(victim, house.clinic.client(entered.json()["token"]))
    granted = (await house.nurse((await house.newcomer())["id"])).json()["id"]
    assert kind(await puppet.post(f"/roles/{granted}/confirmation")) == (403, "signing-suspended")
    others = (await house.admin.post(f"/staff/{(await house.newcomer())['id']}/password-reset")).json()["reset"]["id"]
    assert kind(await puppet.post(f"/password-resets/{others}/confirmation")) == (403, "signing-suspended")
    own = reset["reset"]["id"]
    assert kind(await puppet.post(f"/password-resets/{own}/confirmation")) == (403, "needs-a-third-person")


async def test_an_invented_colleague_confirms_nothing_before_somebody_has_confirmed_them(house: House) -> None:
    invented = await house.newcomer()
    granted = await house.admin.post(
        f"/staff/{invented['id']}/roles", {"role": "supervisor", "programme_id": str(house.programme)}
    )
    assert granted.json()["waits_for_confirmation"] is True
    entered = await house.enter(invented, new_password=CHOSEN)
    puppet = Person(house.admin.staff, house.clinic.client(entered.json()["token"]))
    nurse = (await house.nurse((await house.newcomer())["id"])).json()["id"]
    assert (await puppet.post(f"/roles/{nurse}/confirmation")).status_code == 403


async def test_deactivation_ends_sessions_and_keeps_everything_else(house: House) -> None:
    newcomer = await house.newcomer()
    token = (await house.enter(newcomer, new_password=CHOSEN)).json()["token"]
    path = f"/staff/{newcomer['id']}/deactivation"
    assert faulty(await house.admin.post(path, {"reason": "  "})) == {"reason"}
    assert (await house.admin.post(path, {"reason": "left the clinic"})).status_code == 204
    assert (await house.clinic.client(token).get("/api/v1/me")).status_code == 401
    assert (await house.enter(newcomer, CHOSEN)).status_code == 401
    assert kind(await house.admin.post(path, {"reason": "twice"})) == (409, "already-deactivated")
    for more in ("password-reset", "roles"):
        body = {"role": "counsellor", "programme_id": str(house.programme)} if more == "roles" else None
        assert kind(await house.admin.post(f"/staff/{newcomer['id']}/{more}", body)) == (409, "already-deactivated")
    kept = await house.admin.get(f"/staff/{newcomer['id']}")
    assert kept.json()["account"]["deactivated_at"] is not None


async def test_the_list_of_staff_comes_in_pages_and_shows_everybody_once(house: House) -> None:
    added = {(await house.newcomer())["id"] for _ in range(5)}
    async with house.clinic.service.engine.connect() as connection:
        everybody = await connection.scalar(select(func.count()).select_from(tables.staff)) or 0
    limit = min(200, max(2, everybody // 8))
    seen: list[str] = []
    after = None
    while True:
        asked = {"limit": limit, **({"after": after} if after else {})}
        page = (await house.supervisor.get("/staff", params=asked)).json()
        seen += [each["id"] for each in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert len(seen) == len(set(seen))
    assert added <= set(seen)
    assert everybody == len(seen) + 1, "all but the command line"


async def test_a_shift_is_planned_for_a_counsellor_of_the_programme_and_called_off(house: House) -> None:
    counsellor = await house.clinic.person((Role.COUNSELLOR, house.programme))
    now = house.clinic.service.clock()
    shift = {
        "staff_id": str(counsellor.staff.id),
        "programme_id": str(house.programme),
        "starts_at": now.isoformat(),
        "ends_at": (now + timedelta(hours=8)).isoformat(),
    }
    planned = await house.supervisor.post("/duty-shifts", shift, key="shift")
    assert planned.status_code == 201, planned.text
    assert (await house.supervisor.post("/duty-shifts", shift, key="shift")).json() == planned.json()
    me = await counsellor.get("/me")
    assert [held["on_duty"] for held in me.json()["roles"]] == [True]
    listed = await house.supervisor.get("/duty-shifts", params={"programme_id": str(house.programme)})
    assert [each["id"] for each in listed.json()["items"]] == [planned.json()["id"]]
    assert (await house.other_supervisor.post(f"/duty-shifts/{planned.json()['id']}/cancellation")).status_code == 204
    me = await counsellor.get("/me")
    assert [held["on_duty"] for held in me.json()["roles"]] == [False]
    twice = await house.supervisor.post(f"/duty-shifts/{planned.json()['id']}/cancellation")
    assert kind(twice) == (409, "shift-already-cancelled")


async def test_every_fault_of_a_shift_is_named_at_once(house: House) -> None:
    nurse = await house.clinic.person((Role.NURSE, house.programme))
    shift = {
        "staff_id": str(nurse.staff.id),
        "programme_id": str(house.programme),
        "starts_at": "2020-01-02T08:00:00Z",
        "ends_at": "2020-01-01T08:00:00Z",
    }
    assert faulty(await house.supervisor.post("/duty-shifts", shift)) == {"ends_at", "staff_id"}
    long = {**shift, "starts_at": "2099-01-01T08:00:00Z", "ends_at": "2099-01-02T08:00:01Z"}
    assert faulty(await house.supervisor.post("/duty-shifts", long)) == {"ends_at", "staff_id"}
    stranger = await house.clinic.person((Role.SUPERVISOR, await house.clinic.programme()))
    assert (await stranger.post("/duty-shifts", shift)).status_code == 403
    listed = await stranger.get("/duty-shifts", params={"programme_id": str(house.programme)})
    assert listed.status_code == 403


async def test_a_supervisor_lifts_a_wait_that_failures_have_brought(house: House) -> None:
    newcomer = await house.newcomer()
    await house.enter(newcomer, new_password=CHOSEN)
    await house.admin.post(
        f"/staff/{newcomer['id']}/roles", {"role": "counsellor", "programme_id": str(house.programme)}
    )
    for _ in range(12):
        answer = await house.enter(newcomer, "wrong")
        if answer.status_code == 429:
            break
    listed = (await house.supervisor.get("/lock-outs")).json()["items"]
    assert newcomer["id"] in {each["staff_id"] for each in listed}
    stranger = await house.clinic.person((Role.SUPERVISOR, await house.clinic.programme()))
    assert newcomer["id"] not in {each["staff_id"] for each in (await stranger.get("/lock-outs")).json()["items"]}
    assert (await stranger.post(f"/staff/{newcomer['id']}/lock-out/lift")).status_code == 403
    assert (await house.supervisor.post(f"/staff/{newcomer['id']}/lock-out/lift")).status_code == 204
    assert (await house.enter(newcomer, CHOSEN)).status_code == 200


async def test_a_programme_is_opened_by_an_administrator_and_seen_by_everybody(house: House) -> None:
    code = f"T{uuid4().hex[:8].upper()}"
    asked = {"code": code, "name": "Town", "time_zone": "Australia/Hobart", "profile": "AU"}
    assert (await house.supervisor.post("/programmes", asked)).status_code == 403
    assert (await house.admin.post("/programmes", asked)).status_code == 201
    assert (await house.admin.post("/programmes", asked)).status_code == 409
    wrong = {"code": "?", "name": " ", "time_zone": "Mars", "profile": "XX"}
    assert faulty(await house.admin.post("/programmes", wrong)) == {"code", "name", "time_zone", "profile"}
    listed = (await house.supervisor.get("/programmes")).json()["items"]
    assert [each["code"] for each in listed] == sorted(each["code"] for each in listed)
    assert code in {each["code"] for each in listed}


async def test_each_act_of_administration_leaves_an_entry_that_names_who_did_it(house: House) -> None:
    newcomer = await house.newcomer()
    granted = (await house.nurse(newcomer["id"])).json()["id"]
    await house.supervisor.post(f"/roles/{granted}/confirmation")
    await house.admin.post(f"/roles/{granted}/revocation", {"reason": "changed work"})
    number = (await house.admin.post(f"/staff/{newcomer['id']}/password-reset")).json()["reset"]["id"]
    await house.supervisor.post(f"/password-resets/{number}/confirmation")
    await house.admin.post(f"/staff/{newcomer['id']}/deactivation", {"reason": "left"})
    async with house.clinic.service.engine.begin() as connection:
        await connection.execute(text("set local role audit_reader"))
        found = await connection.execute(
            text("select leaf from audit.log where actor = any(:actors) order by entry_id"),
            {"actors": [str(house.admin.staff.id), str(house.supervisor.staff.id)]},
        )
        said = [(leaf.ev, leaf.act.id) for leaf in map(decode, found.scalars())]
    admin, supervisor = str(house.admin.staff.id), str(house.supervisor.staff.id)
    assert said == [
        ("staff.added", admin),
        ("staff.registration_recorded", admin),
        ("staff.role_granted", admin),
        ("staff.role_confirmed", supervisor),
        ("staff.role_revoked", admin),
        ("staff.password_reset", admin),
        ("staff.password_reset_confirmed", supervisor),
        ("staff.deactivated", admin),
    ]
