"""Session notes over HTTP: drafts nobody else sees, signatures that stay, the second person, and names that do not belong."""

import asyncio
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from caseload.domain.access import Role
from caseload.domain.ids import ClientId, ProgrammeId
from tests.api.conftest import Clinic, Person
from tests.api.dispensary import PASSWORD, fresh, give_password
from tests.factories import clients, people

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
PROBLEM = "urn:caseload:problem:"


@dataclass
class Practice:
    """A programme with two counsellors, a supervisor, and a group of two who are clients of each of them."""

    clinic: Clinic
    programme: ProgrammeId
    robin: Person
    kim: Person
    supervisor: Person
    ada: ClientId
    ben: ClientId
    session: str

    async def somebody(self, role: Role) -> Person:
        found = await self.clinic.person((role, self.programme))
        await give_password(self.clinic, found)
        return found

    async def plan(self, *on_roster: ClientId, **wanted: Any) -> str:
        starts_at = self.clinic.service.clock() - 2 * HOUR
        body = {
            "kind": "group",
            "title": "Relapse prevention",
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + HOUR).isoformat(),
            "clients": [str(each) for each in on_roster],
            "facilitators": [str(self.robin.staff.id)],
            **wanted,
        }
        made = await self.supervisor.post(f"/programmes/{self.programme}/sessions", body)
        assert made.status_code == 201, made.text
        return made.json()["session"]["id"]

    async def write(self, text: str = "Talked about work.", *, by: Person | None = None, **said: Any) -> dict[str, Any]:
        made = await (by or self.robin).post(f"/sessions/{self.session}/notes", {"text": text, **said})
        assert made.status_code == 201, made.text
        return made.json()

    async def sign(
        self, note: dict[str, Any], *, by: Person | None = None, key: str | None = None, **said: Any
    ) -> httpx.Response:
        body = {"version": note["newest"]["version"], "password": PASSWORD, **said}
        return await (by or self.robin).post(f"/notes/{note['id']}/signature", body, key=key)

    async def co_sign(self, note: dict[str, Any], by: Person | None = None) -> httpx.Response:
        body = {"version": note["newest"]["version"], "password": PASSWORD}
        return await (by or self.supervisor).post(f"/notes/{note['id']}/co-signature", body)

    async def ask_for_co_signatures(self) -> None:
        path = f"/programmes/{self.programme}/session-rules"
        usual = (await self.supervisor.get(path)).json()
        said = await self.supervisor.put(path, {**usual, "notes_co_signed": True}, headers={"If-Match": '"0"'})
        assert said.status_code == 200, said.text


async def practice_in(clinic: Clinic) -> Practice:
    programme = await clinic.programme(time_zone="America/New_York", profile="US")
    robin, kim, supervisor = [
        await clinic.person((role, programme)) for role in (Role.COUNSELLOR, Role.COUNSELLOR, Role.SUPERVISOR)
    ]
    for each in (robin, kim, supervisor):
        await give_password(clinic, each)
    async with clinic.service.engine.begin() as connection:
        ada = await clients.in_care(
            connection, programme=programme, counsellor=robin.staff.id, given_name="Zoë", family_name="van der Berg"
        )
        ben = await clients.in_care(
            connection, programme=programme, counsellor=kim.staff.id, given_name="Al", family_name="Łęcki-O'Brien"
        )
    found = Practice(clinic, programme, robin, kim, supervisor, ada.id, ben.id, "")
    found.session = await found.plan(ada.id, ben.id)
    return found


@pytest.fixture
async def here(clinic: Clinic) -> Practice:
    return await practice_in(clinic)


async def test_a_draft_is_seen_by_its_author_alone_and_every_version_is_kept(here: Practice) -> None:
    note = await here.write(client_id=str(here.ada))
    path = f"/notes/{note['id']}"

    changed = await here.robin.put(path, {"text": "Talked about work and sleep."}, headers={"If-Match": '"1"'})
    stale = await here.robin.put(path, {"text": "Other."}, headers={"If-Match": '"1"'})
    unseen = await here.robin.put(path, {"text": "Other."})

    assert (changed.status_code, stale.status_code, unseen.status_code) == (200, 412, 428), changed.text
    assert (changed.headers["ETag"], changed.json()["standing"]) == ('"2"', "draft")
    versions = (await here.robin.get(f"{path}/versions")).json()["items"]
    assert [(each["version"], each["text"]) for each in versions] == [
        (1, "Talked about work."),
        (2, "Talked about work and sleep."),
    ]
    for other in (here.kim, here.supervisor):
        assert (await other.get(path)).status_code == 404
        assert (await other.get(f"/sessions/{here.session}/notes")).json()["items"] == []
    assert (await here.supervisor.get(f"/clients/{here.ada}/notes")).json()["items"] == []
    assert (await here.supervisor.put(path, {"text": "Mine"}, headers={"If-Match": '"2"'})).status_code == 404


async def test_a_signed_note_is_read_by_whoever_sees_its_client_and_covers_that_version(here: Practice) -> None:
    note = await here.write(client_id=str(here.ada))
    assert (await here.robin.get("/sign-off-queue")).json()["note_drafts"][0]["id"] == note["id"]
    wrong = await here.sign(note, password="guess")
    key = fresh()
    signed = await here.sign(note, key=key)
    again = await here.sign(note, key=key)
    twice = await here.sign(note)

    assert (wrong.status_code, wrong.json()["type"]) == (403, PROBLEM + "wrong-password")
    assert (signed.status_code, signed.json()["standing"]) == (201, "signed"), signed.text
    assert again.json() == signed.json()
    assert (twice.status_code, twice.json()["type"]) == (409, PROBLEM + "note-moved")
    assert (await here.robin.get("/sign-off-queue")).json()["note_drafts"] == []
    [listed] = (await here.supervisor.get(f"/clients/{here.ada}/notes")).json()["items"]
    assert listed["newest"]["text"] == "Talked about work."
    assert (await here.kim.get(f"/notes/{note['id']}")).status_code == 404, "it is about no client of theirs"
    [made] = (await here.supervisor.get(f"/notes/{note['id']}/signatures")).json()["items"]
    said = json.loads(made["signed"])
    assert (made["meaning"], made["role"], made["registration"]) == ("authored", "counsellor", None)
    assert said["subject"]["content"]["text"] == "Talked about work."
    assert said["subject"]["content"]["client"] == str(here.ada)


async def test_an_amendment_says_why_and_the_signed_version_counts_until_the_new_one_is_signed(here: Practice) -> None:
    note = await here.write(client_id=str(here.ada))
    assert (await here.sign(note)).status_code == 201
    path, match = f"/notes/{note['id']}", {"If-Match": '"1"'}

    silent = await here.robin.put(path, {"text": "Spoke of sleep."}, headers=match)
    amended = await here.robin.put(path, {"text": "Spoke of sleep.", "reason": "Wrong client."}, headers=match)
    meanwhile = (await here.supervisor.get(path)).json()
    assert (await here.sign(amended.json())).status_code == 201

    assert (silent.status_code, silent.json()["errors"][0]["field"]) == (422, "reason")
    assert amended.json()["standing"] == "draft"
    assert (meanwhile["newest"]["version"], meanwhile["newest"]["text"]) == (1, "Talked about work.")
    versions = (await here.supervisor.get(f"{path}/versions")).json()["items"]
    assert [(each["text"], each["reason"]) for each in versions] == [
        ("Talked about work.", None),
        ("Spoke of sleep.", "Wrong client."),
    ]
    assert len((await here.supervisor.get(f"{path}/signatures")).json()["items"]) == 2


async def test_a_counsellors_note_waits_for_a_supervisor_where_the_programme_asks(here: Practice) -> None:
    await here.ask_for_co_signatures()
    note = await here.write(client_id=str(here.ada))
    signed = (await here.sign(note)).json()
    other = await here.somebody(Role.SUPERVISOR)

    assert signed["standing"] == "waits_for_co_signature"
    assert [each["id"] for each in (await here.supervisor.get("/sign-off-queue")).json()["notes"]] == [note["id"]]
    assert (await here.co_sign(signed, by=here.robin)).status_code == 403
    answers = await asyncio.gather(here.co_sign(signed), here.co_sign(signed, by=other))

    assert sorted(each.status_code for each in answers) == [201, 409]
    assert (await here.robin.get(f"/notes/{note['id']}")).json()["standing"] == "signed"
    made = (await here.robin.get(f"/notes/{note['id']}/signatures")).json()["items"]
    assert [(each["meaning"], each["role"]) for each in made] == [
        ("authored", "counsellor"),
        ("reviewed", "supervisor"),
    ]
    assert (await here.supervisor.get("/sign-off-queue")).json()["notes"] == []


async def test_a_supervisor_does_not_countersign_their_own_note_and_needs_nobody_for_it(here: Practice) -> None:
    await here.ask_for_co_signatures()
    note = await here.write(by=here.supervisor, client_id=str(here.ada))

    assert (await here.sign(note, by=here.supervisor)).json()["standing"] == "signed"
    own = await here.co_sign(note)
    assert (own.status_code, own.json()["type"]) == (403, PROBLEM + "own-note")


async def test_a_note_that_was_sent_back_is_signed_again_only_in_a_new_version(here: Practice) -> None:
    await here.ask_for_co_signatures()
    signed = (await here.sign(await here.write(client_id=str(here.ada)))).json()
    path = f"/notes/{signed['id']}"

    silent = await here.supervisor.post(f"{path}/rejection", {"version": 1, "reason": " "})
    key, body = fresh(), {"version": 1, "reason": "Say what was agreed."}
    back = await here.supervisor.post(f"{path}/rejection", body, key=key)
    again = await here.supervisor.post(f"{path}/rejection", body, key=key)
    queued = (await here.robin.get("/sign-off-queue")).json()["note_drafts"]
    same = await here.sign(signed)
    new = await here.robin.put(path, {"text": "Agreed to call.", "reason": "Asked."}, headers={"If-Match": '"1"'})
    waits = (await here.sign(new.json())).json()

    assert (silent.status_code, back.status_code, again.status_code) == (422, 204, 204)
    assert [each["newest"]["sent_back"] for each in queued] == ["Say what was agreed."]
    assert (same.status_code, same.json()["type"]) == (409, PROBLEM + "note-moved")
    assert waits["standing"] == "waits_for_co_signature"
    assert (await here.co_sign(waits)).status_code == 201


@pytest.mark.parametrize(
    ("text", "members"),
    [("ZOE was late", "a"), ("what VAN DER BERG said", "a"), ("Berg\u2019s brother", "a"), ("with (al) and Zoë", "ab")],
)
async def test_a_common_note_that_names_a_member_is_warned_of_before_it_is_signed(
    here: Practice, text: str, members: str
) -> None:
    note = await here.write(text)

    warned = await here.sign(note)
    meant = await here.sign(note, names_confirmed=True)

    there = {"a": str(here.ada), "b": str(here.ben)}
    assert set(note["names"]) == {there[each] for each in members}, "whom it names is shown with the draft"
    assert (warned.status_code, warned.json()["type"]) == (409, PROBLEM + "note-names-others")
    assert "berg" not in warned.text.casefold()
    assert meant.status_code == 201, meant.text


async def test_a_note_about_a_client_may_name_them_and_nobody_else(here: Practice) -> None:
    own = await here.write("Zoë van der Berg was well. Always. In den Vans. Vander.", client_id=str(here.ada))
    other = await here.write("Sat with Lecki O'Brien.", client_id=str(here.ada))

    assert own["names"] == []
    assert other["names"] == [str(here.ben)]
    assert (await here.sign(own)).status_code == 201
    assert (await here.sign(other)).status_code == 409


async def test_a_counselling_note_stays_apart_from_the_record(here: Practice) -> None:
    await here.ask_for_co_signatures()
    note = await here.write(client_id=str(here.ada), kind="counselling")
    signed = (await here.sign(note)).json()
    path, other = f"/notes/{note['id']}", await here.somebody(Role.SUPERVISOR)

    assert (await other.get(path)).status_code == 200, "it waits for one of the supervisors"
    assert (await here.co_sign(signed)).status_code == 201
    assert (await here.supervisor.get(path)).status_code == 200, "who countersigned it has read it"
    assert (await other.get(path)).status_code == 404
    for role in (Role.NURSE, Role.PRESCRIBER, Role.MEDICAL_DIRECTOR):
        assert (await (await here.somebody(role)).get(path)).status_code == 404
    assert (await other.get(f"/clients/{here.ada}/notes")).json()["items"] == []


@pytest.mark.parametrize("role", [Role.PHARMACIST, Role.FRONT_DESK])
async def test_pharmacists_and_the_front_desk_read_no_notes(here: Practice, role: Role) -> None:
    note = await here.write(client_id=str(here.ada))
    assert (await here.sign(note)).status_code == 201
    somebody = await here.somebody(role)

    for path in (f"/notes/{note['id']}", f"/sessions/{here.session}/notes", f"/clients/{here.ada}/notes"):
        assert (await somebody.get(path)).status_code == 403


async def test_a_common_note_is_read_by_whoever_leads_or_sees_one_of_the_group(here: Practice) -> None:
    note = await here.write("Triggers and how to leave them.")
    assert (await here.sign(note)).status_code == 201
    stranger = await here.clinic.person((Role.COUNSELLOR, here.programme))
    path = f"/notes/{note['id']}"

    assert (await here.kim.get(path)).status_code == 200
    assert (await here.supervisor.get(path)).status_code == 200
    assert (await stranger.get(path)).status_code == 404


async def test_a_voided_note_stays_readable_and_can_be_changed_no_more(here: Practice) -> None:
    note = await here.write(client_id=str(here.ada))
    assert (await here.sign(note)).status_code == 201
    path = f"/notes/{note['id']}"

    key = fresh()
    voided = await here.supervisor.post(f"{path}/voiding", {"reason": "Wrong client."}, key=key)
    again = await here.supervisor.post(f"{path}/voiding", {"reason": "Wrong client."}, key=key)
    twice = await here.robin.post(f"{path}/voiding", {"reason": "Wrong client."})
    change = await here.robin.put(path, {"text": "x", "reason": "y"}, headers={"If-Match": '"1"'})

    assert (voided.status_code, voided.json()["standing"], voided.json()["voided"]) == (
        201,
        "voided",
        "Wrong client.",
    ), voided.text
    assert again.json() == voided.json()
    assert [(each.status_code, each.json()["type"]) for each in (twice, change)] == [
        (409, PROBLEM + "note-voided"),
        (409, PROBLEM + "note-voided"),
    ]
    assert (await here.supervisor.get(path)).json()["newest"]["text"] == "Talked about work."
    assert (await here.sign(voided.json())).status_code == 409
    assert (await here.kim.post(f"{path}/voiding", {"reason": "x"})).status_code == 404


async def test_who_may_not_take_the_register_writes_no_note_and_none_is_about_a_stranger(here: Practice) -> None:
    async with here.clinic.service.engine.begin() as connection:
        stranger = await clients.in_care(connection, programme=here.programme, counsellor=here.robin.staff.id)
    path = f"/sessions/{here.session}/notes"

    for body, field in (({"text": "x", "client_id": str(stranger.id)}, "client_id"), ({"text": "  "}, "text")):
        refused = await here.robin.post(path, body)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)
    outsider = await here.kim.post(path, {"text": "x"})
    assert (outsider.status_code, outsider.json()["type"]) == (403, PROBLEM + "not-your-session")
    later = here.clinic.service.clock() + HOUR
    here.session = await here.plan(
        here.ada, starts_at=later.isoformat(), ends_at=(later + HOUR).isoformat(), title="Next"
    )
    early = await here.robin.post(f"/sessions/{here.session}/notes", {"text": "x"})
    assert (early.status_code, early.json()["errors"][0]["field"]) == (422, "session_id")


async def test_a_retry_writes_no_second_note(here: Practice) -> None:
    key, path = fresh(), f"/sessions/{here.session}/notes"

    first, again = [await here.robin.post(path, {"text": "Once."}, key=key) for _ in range(2)]

    assert first.json() == again.json()
    assert len((await here.robin.get(path)).json()["items"]) == 1


async def test_of_two_versions_written_at_once_one_is_kept(here: Practice) -> None:
    note = await here.write()
    path = f"/notes/{note['id']}"

    answers = await asyncio.gather(
        *(here.robin.put(path, {"text": text}, headers={"If-Match": '"1"'}) for text in ("one", "two"))
    )

    assert sorted(each.status_code for each in answers) == [200, 412]


async def test_notes_about_a_client_come_in_pages(here: Practice) -> None:
    written = [await here.write(f"Note {n}", client_id=str(here.ada)) for n in range(3)]

    first = (await here.robin.get(f"/clients/{here.ada}/notes?limit=2")).json()
    rest = (await here.robin.get(f"/clients/{here.ada}/notes?limit=2&after={first['next']}")).json()

    assert [each["id"] for each in first["items"] + rest["items"]] == [each["id"] for each in reversed(written)]
    assert rest["next"] is None


async def test_how_sessions_are_held_is_said_in_versions_within_bounds(here: Practice) -> None:
    path = f"/programmes/{here.programme}/session-rules"
    usual = await here.robin.get(path)
    assert (usual.json(), usual.headers["ETag"]) == (
        {"week_starts_on": "monday", "group_places": 12, "notes_co_signed": False, "sign_within_hours": 72},
        '"0"',
    )
    wrong = {**usual.json(), "group_places": 201, "sign_within_hours": 0}
    refused = await here.supervisor.put(path, wrong, headers={"If-Match": '"0"'})
    assert [each["field"] for each in refused.json()["errors"]] == ["group_places", "sign_within_hours"]
    said = {**usual.json(), "group_places": 200, "week_starts_on": "sunday"}
    assert (await here.robin.put(path, said, headers={"If-Match": '"0"'})).status_code == 403
    assert (await here.supervisor.put(path, said)).status_code == 428
    assert (await here.supervisor.put(path, said, headers={"If-Match": '"0"'})).json() == said
    assert (await here.supervisor.put(path, said, headers={"If-Match": '"0"'})).status_code == 412


async def test_a_colleague_who_is_a_client_is_shown_in_the_register_and_nowhere_else(here: Practice) -> None:
    """Kim is a client of this clinic, too: leading a group in which Kim sits opens Kim's place in it and no chart."""
    async with here.clinic.service.engine.begin() as connection:
        kim = await clients.in_care(
            connection,
            programme=here.programme,
            counsellor=(await people.staff(connection, holds=[(Role.COUNSELLOR, here.programme)])).id,
            given_name="Kim",
            family_name="Ashdown",
        )
    here.session = await here.plan(here.ada, kim.id)
    roster = (await here.robin.get(f"/sessions/{here.session}")).json()["roster"]
    assert str(kim.id) in {each["client_id"] for each in roster}, "Robin leads the group"
    for path in ("", "/notes", "/sessions", "/attendance"):
        assert (await here.robin.get(f"/clients/{kim.id}{path}")).status_code == 404
    note = await here.write("Spoke of work.", client_id=str(kim.id))
    assert (await here.sign(note)).status_code == 201
    assert (await here.kim.get(f"/notes/{note['id']}")).status_code == 404, "staff read no chart of their own by it"
    assert (await here.kim.get(f"/sessions/{uuid4()}/notes")).status_code == 404
