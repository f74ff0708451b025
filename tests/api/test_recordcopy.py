"""The copy of their record that a client asks for, over HTTP: prepared, looked through, decided, released once, and fetched."""

import asyncio
import hashlib
import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from caseload.api.recordcopy import routes
from caseload.audit import sending
from caseload.domain.access import Role
from caseload.domain.ids import StaffId
from caseload.domain.people import Staff
from caseload.request import still
from caseload.request.work import Service
from tests.api.conftest import Clinic, Person
from tests.api.test_note import Practice, practice_in

pytestmark = pytest.mark.anyio

CONFIDED = "She said he drinks again; please do not say it was me."
ANALYSIS = "He speaks of his father only when he is late."
WITHHELD = {"reason": "in_confidence", "note": "His sister was promised that he will not learn of it."}
TO_THE_CLIENT = {"manner": "in_person", "detail": "Driving licence seen at the desk."}


@dataclass(frozen=True)
class Office:
    """A client of whom the record holds something in confidence, and the privacy officer."""

    practice: Practice
    client: str
    nurse: Person
    officer: Person
    stranger: Person
    sister: str

    @property
    def clinic(self) -> Clinic:
        return self.practice.clinic

    async def asked(self, kind: str = "record_copy", **changes: Any) -> str:
        body = {
            "kind": kind,
            "says": "All of it.",
            "received_at": (self.clinic.service.clock() - timedelta(minutes=1)).isoformat(),
            "check": {"method": "in_person"},
            **changes,
        }
        made = await self.nurse.post(f"/clients/{self.client}/rights-requests", body)
        assert made.status_code == 201, made.text
        return made.json()["id"]

    async def prepared(self, request: str) -> dict[str, Any]:
        made = await self.officer.post(f"/rights-requests/{request}/copies")
        assert made.status_code == 201, made.text
        return made.json()

    async def entries(self, copy: dict[str, Any], **asked: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        after: dict[str, str] = {}
        while True:
            answer = await self.officer.get(
                f"/record-copies/{copy['id']}/entries", params={"limit": 200, **asked, **after}
            )
            assert answer.status_code == 200, answer.text
            found += answer.json()["items"]
            if answer.json()["next"] is None:
                return found
            after = {"after": answer.json()["next"]}

    async def decided(self, copy: dict[str, Any], entries: list[dict[str, Any]], **body: Any) -> Any:
        return await self.officer.post(
            f"/record-copies/{copy['id']}/decisions", {"entries": [each["id"] for each in entries], **body}
        )

    async def released(self, copy: dict[str, Any], **changes: Any) -> Any:
        return await self.officer.post(f"/record-copies/{copy['id']}/release", {**TO_THE_CLIENT, **changes})

    async def file(self, copy: dict[str, Any], format_: str = "json", **asked: Any) -> Any:
        return await self.officer.get(f"/record-copies/{copy['id']}/file", params={"format": format_, **asked})

    async def settled(self, request: str) -> dict[str, Any]:
        """A copy of which everything that was held back is withheld."""
        copy = await self.prepared(request)
        waiting = await self.entries(copy, waiting=True)
        assert (await self.decided(copy, waiting, **WITHHELD)).status_code == 204
        return copy


@pytest.fixture
async def office(clinic: Clinic) -> Office:
    practice = await practice_in(clinic)
    nurse = await clinic.person((Role.NURSE, practice.programme), printed_name="Nora Field")
    path = f"/clients/{practice.ada}"
    sister = await nurse.post(f"{path}/related-people", {"name": "Eve Hill", "relationship": "sibling"})
    assert sister.status_code == 201, sister.text
    for said, is_confidential in (("She will fetch him on Fridays.", False), (CONFIDED, True)):
        body = {"text": said, "person_id": sister.json()["id"], "confidential": is_confidential}
        heard = await nurse.post(f"{path}/family-information", body)
        assert heard.status_code == 201, heard.text
    for kind, said in (("progress", "Talked about work."), ("counselling", ANALYSIS)):
        note = await practice.write(said, client_id=str(practice.ada), kind=kind)
        assert (await practice.sign(note)).status_code == 201
    await practice.write("A draft of hers.", client_id=str(practice.ada))
    return Office(
        practice,
        str(practice.ada),
        nurse,
        await clinic.person((Role.PRIVACY_OFFICER, practice.programme)),
        await clinic.person((Role.PRIVACY_OFFICER, await clinic.programme())),
        sister.json()["id"],
    )


async def test_a_copy_holds_the_record_and_says_how_much_is_withheld_and_why(office: Office) -> None:
    copy = await office.settled(await office.asked())
    released = await office.released(copy)
    assert released.status_code == 201, released.text
    told = released.json()
    assert told["withheld"] == 3, "the sister, what she said in confidence, and the counselling note"
    file = await office.file(copy)
    said = file.json()
    assert hashlib.sha256(file.content).hexdigest() == told["sha256"]
    assert (await office.file(copy)).content == file.content, "the same each time"
    assert {each["reason"]: each["entries"] for each in said["withheld"]} == {"counselling_note": 1, "in_confidence": 2}
    assert "counsellor's own notes" in json.dumps(said["withheld"])
    assert said["given_to"] == "client"
    assert len(said["entries"]) == told["entries"] - 3
    kinds = {each["kind"] for each in said["entries"]}
    assert {"client_identity", "episode", "session_note_version", "family_information", "rights_request"} <= kinds
    assert "Talked about work." in file.text
    assert "She will fetch him on Fridays." in file.text
    assert "Nora Field" in file.text, "people are called by their names"
    for apart in (CONFIDED, ANALYSIS, "A draft of hers.", "Eve Hill"):
        assert apart not in file.text


async def test_what_lies_apart_is_shown_to_no_officer_and_no_copy(office: Office) -> None:
    copy = await office.prepared(await office.asked())
    shown = await office.entries(copy)
    assert ANALYSIS not in json.dumps(shown)
    assert "A draft of hers." not in json.dumps(shown), "a draft is its author's alone"
    [apart] = [each for each in shown if each["held_for"] == "counselling_note"]
    assert (apart["content"], apart["waits"]) == (None, False)
    assert (await office.decided(copy, [apart], note="Her author agrees.")).status_code == 409


async def test_nothing_leaves_while_somebody_must_decide_and_what_is_let_go_leaves(office: Office) -> None:
    request = await office.asked()
    copy = await office.prepared(request)
    assert (await office.file(copy)).status_code == 409
    refused = await office.released(copy)
    assert (refused.status_code, copy["waiting"]) == (409, 2)
    assert refused.json()["detail"].startswith("2 wait")
    waiting = await office.entries(copy, waiting=True)
    confided = [each for each in waiting if each["kind"] == "family_information"]
    sister = [each for each in waiting if each["kind"] == "related_person_version"]
    assert (await office.decided(copy, confided, reason="in_confidence", note=" ")).status_code == 422
    assert (await office.decided(copy, confided, **WITHHELD)).status_code == 204
    assert (await office.decided(copy, sister, note="She agrees on the phone.")).status_code == 204
    assert (await office.decided(copy, sister, **WITHHELD)).status_code == 409, "decided once"
    assert (await office.decided(copy, [{"id": str(uuid4())}], **WITHHELD)).status_code == 404
    read = (await office.officer.get(f"/record-copies/{copy['id']}")).json()
    assert read["waiting"] == 0
    assert (await office.released(copy)).status_code == 201
    leaving = (await office.file(copy)).text
    assert "Eve Hill" in leaving
    assert CONFIDED not in leaving


async def test_what_nobody_held_back_may_be_withheld_too_and_a_tip_off_is_not_even_counted(office: Office) -> None:
    copy = await office.settled(await office.asked())
    [note] = [each for each in await office.entries(copy) if each["kind"] == "session_note_version" and each["content"]]
    hidden = {"reason": "tip_off", "note": "The police asked us to wait."}
    assert (await office.decided(copy, [note], **hidden)).status_code == 204
    told = (await office.released(copy)).json()
    assert (told["withheld"], told["unsaid"]) == (3, 1)
    file = await office.file(copy)
    assert "tip_off" not in file.text
    assert "Talked about work." not in file.text


async def test_a_request_is_granted_in_part_once_its_copy_left(office: Office) -> None:
    request = await office.asked()
    path, said = f"/rights-requests/{request}/answer", "Handed over."
    assert (await office.officer.post(path, {"outcome": "granted", "says": said})).status_code == 409
    copy = await office.settled(request)
    assert (await office.officer.post(path, {"outcome": "granted_in_part", "says": said})).status_code == 409
    assert (await office.released(copy)).status_code == 201
    assert (await office.officer.post(path, {"outcome": "granted", "says": said})).status_code == 409
    assert (await office.officer.post(path, {"outcome": "granted_in_part", "says": said})).status_code == 201
    assert (await office.officer.post(f"/rights-requests/{request}/copies")).status_code == 409
    listed = (await office.officer.get(f"/rights-requests/{request}/copies")).json()["items"]
    assert [each["id"] for each in listed] == [copy["id"]]


async def test_a_copy_is_as_of_a_moment_and_says_what_was_recorded_since(office: Office) -> None:
    copy = await office.settled(await office.asked())
    note = await office.practice.write("Said a day later.", client_id=office.client)
    assert (await office.practice.sign(note)).status_code == 201
    heard = {"text": "She rang again.", "person_id": office.sister, "confidential": False}
    assert (await office.nurse.post(f"/clients/{office.client}/family-information", heard)).status_code == 201
    read = (await office.officer.get(f"/record-copies/{copy['id']}")).json()
    assert read["recorded_since"] >= 1
    told = (await office.released(copy)).json()
    assert told["recorded_since"] == read["recorded_since"]
    file = await office.file(copy)
    assert "She rang again." not in file.text
    assert file.json()["recorded_since"] == told["recorded_since"]
    assert "Said a day later." not in file.text


async def test_two_officers_at_once_release_one_copy_and_a_retry_is_told_the_same(office: Office) -> None:
    request = await office.asked()
    first, second = await office.settled(request), await office.settled(request)
    both = await asyncio.gather(office.released(first), office.released(second))
    assert sorted(each.status_code for each in both) == [201, 409]
    left = first if both[0].status_code == 201 else second
    body, key = [each["id"] for each in (await office.entries(left))[:1]], uuid4().hex
    late = await office.officer.post(f"/record-copies/{left['id']}/decisions", {"entries": body, **WITHHELD}, key=key)
    assert late.status_code == 409, "what has left is not changed"
    other, key = await office.settled(await office.asked()), uuid4().hex
    told = [
        await office.officer.post(f"/record-copies/{other['id']}/release", TO_THE_CLIENT, key=key) for _ in range(2)
    ]
    assert [each.status_code for each in told] == [201, 201]
    assert told[0].json() == told[1].json()


async def test_two_officers_at_once_decide_one_entry_once(office: Office) -> None:
    copy = await office.prepared(await office.asked())
    waiting = await office.entries(copy, waiting=True)
    both = await asyncio.gather(
        office.decided(copy, waiting, **WITHHELD), office.decided(copy, waiting, note="They agree.")
    )
    assert sorted(each.status_code for each in both) == [204, 409]


@pytest.mark.parametrize("way", ["confidence", "withdrawal"])
async def test_what_was_told_and_mended_afterwards_waits_for_the_officer(office: Office, way: str) -> None:
    path = f"/clients/{office.client}/family-information"
    [open_] = [each for each in (await office.nurse.get(path)).json()["items"] if not each["confidential"]]
    why = {"reason": "His mother rang: it was about his brother."}
    assert (await office.nurse.post(f"{path}/{open_['id']}/{way}", why)).status_code == 201

    waiting = await office.entries(await office.prepared(await office.asked()), waiting=True)

    texts = [str(each["content"]) for each in waiting if each["kind"].startswith("family_information")]
    assert len(texts) == 3, "both that were told, and why one was mended"
    assert all(any(said in text for text in texts) for said in (open_["text"], CONFIDED, why["reason"]))


async def test_who_is_out_of_reach_or_has_lost_it_gets_nothing(office: Office) -> None:
    request = await office.asked()
    copy = await office.settled(request)
    assert (await office.released(copy)).status_code == 201
    lost = office.officer
    elsewhere = replace(office, officer=office.stranger)
    for each in (
        await elsewhere.officer.post(f"/rights-requests/{request}/copies"),
        await elsewhere.officer.get(f"/record-copies/{copy['id']}"),
        await elsewhere.officer.get(f"/record-copies/{copy['id']}/entries"),
        await elsewhere.file(copy),
        await elsewhere.released(copy),
    ):
        assert each.status_code == 404
    assert (await office.nurse.get(f"/record-copies/{copy['id']}")).status_code == 403
    owner = await asyncpg.connect(office.clinic.addresses.owner)
    await owner.execute("update clinic.role_grant set revoked_at = now() where staff_id = $1", lost.staff.id)
    await owner.close()
    assert (await office.file(copy)).status_code == 403


async def test_a_restricted_client_is_answered_by_the_privacy_officer(office: Office) -> None:
    body = {"kind": "colleague", "reason": "Works here.", "staff": [str(office.practice.robin.staff.id)]}
    request = await office.asked()
    made = await office.officer.post(f"/clients/{office.client}/restrictions", body)
    assert made.status_code == 201, made.text
    copy = await office.prepared(request)
    [held] = [each for each in await office.entries(copy, waiting=True) if each["kind"] == "restriction"]
    assert held["held_for"] == "another_person"


async def test_a_representative_whose_authority_has_ended_is_given_nothing(office: Office) -> None:
    person = {
        "name": "Guardian",
        "relationship": "guardian",
        "involvements": [
            {"kind": "legal_representative", "first_day": "2020-03-01", "evidence": "Order of 3 March, in the safe."}
        ],
    }
    made = (await office.nurse.post(f"/clients/{office.client}/related-people", person)).json()
    before = await office.settled(await office.asked(representative_id=made["id"]))
    assert (await office.released(before, to_representative=True, detail=" ")).status_code == 422
    assert (await office.released(before, to_representative=True)).status_code == 201
    copy = await office.settled(await office.asked(representative_id=made["id"]))
    ended = await office.nurse.post(
        f"/clients/{office.client}/related-people/{made['id']}/involvements/{made['involvements'][0]['id']}/end",
        {"reason": "The court ended it."},
    )
    assert ended.status_code == 201, ended.text
    assert (await office.released(copy, to_representative=True)).status_code == 409
    assert (await office.released(copy)).status_code == 201
    own = await office.settled(await office.asked())
    assert (await office.released(own, to_representative=True)).status_code == 422


async def test_a_copy_is_prepared_for_nothing_but_a_request_for_one(office: Office) -> None:
    refused = await office.officer.post(f"/rights-requests/{await office.asked('amendment')}/copies")
    assert refused.status_code == 409
    assert "record_copy" in refused.json()["detail"]


async def test_the_copy_can_be_read_as_a_pdf_in_parts(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "IN_A_PART", 6)
    copy = await office.settled(await office.asked())
    assert (await office.released(copy)).status_code == 201
    pages = [await office.file(copy, "pdf", part=part) for part in (1, 2)]
    assert [each.content[:5] for each in pages] == [b"%PDF-"] * 2
    assert pages[0].content != pages[1].content
    assert (await office.file(copy, "pdf", part=999)).status_code == 404


def typeset_by_nobody(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What would be printed, as it comes."""
    printed: list[Any] = []

    def typeset(template: str, data: object) -> bytes:
        printed.append((template, data))
        return b"%PDF-"

    monkeypatch.setattr(routes, "typeset", typeset)
    return printed


async def test_a_copy_says_what_everything_in_it_is_called(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    printed = typeset_by_nobody(monkeypatch)
    copy = await office.settled(await office.asked())
    assert (await office.released(copy)).status_code == 201
    said = (await office.file(copy)).json()
    await office.file(copy, "pdf")

    called = said["labels"]
    assert (called["tables"]["client_identity"], called["columns"]["birth_date"]) == ("Who you are", "Date of birth")
    for entry in said["entries"]:
        assert entry["kind"] in called["tables"], entry["kind"]
        assert entry["content"].keys() <= called["columns"].keys(), entry["kind"]
    entries = [entry for section in printed[0][1]["sections"] for entry in section["entries"]]
    assert {"Who you are", "Episode of care", "Progress note"} <= {entry["kind"] for entry in entries}
    lines = {line["name"]: line["value"] for entry in entries for line in entry["lines"]}
    assert lines["What you asked for"]
    assert not any("_" in name for name in lines)


async def test_a_copy_from_before_there_were_labels_keeps_its_bytes_and_is_printed_with_those_of_now(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = typeset_by_nobody(monkeypatch)
    copy = await office.settled(await office.asked())
    owner = await asyncpg.connect(office.clinic.addresses.owner)
    await owner.execute("update clinic.record_copy set labels = null where id = $1", copy["id"])
    await owner.close()
    released = await office.released(copy)
    file = await office.file(copy)
    await office.file(copy, "pdf")
    assert released.status_code == 201, released.text
    assert hashlib.sha256(file.content).hexdigest() == released.json()["sha256"]
    assert "labels" not in file.json()
    assert printed[0][1]["sections"][0]["entries"][0]["kind"] == "Who you are"


@pytest.mark.parametrize("format_", ["json", "pdf"])
async def test_whoever_loses_the_role_while_the_copy_of_a_restricted_client_leaves_gets_no_more_of_it(
    office: Office, monkeypatch: pytest.MonkeyPatch, format_: str
) -> None:
    typeset_by_nobody(monkeypatch)
    copy = await office.settled(await office.asked())
    assert (await office.released(copy)).status_code == 201
    whole = await office.file(copy)
    body = {"kind": "colleague", "reason": "Works here.", "staff": [str(office.practice.robin.staff.id)]}
    assert (await office.officer.post(f"/clients/{office.client}/restrictions", body)).status_code == 201
    looked, as_of_now, before = 0, still.as_of_now, 1 if format_ == "json" else 0

    async def losing(service: Service, somebody: StaffId) -> Staff | None:
        nonlocal looked
        looked += 1
        if looked == 1 + before:
            owner = await asyncpg.connect(office.clinic.addresses.owner)
            await owner.execute("update clinic.role_grant set revoked_at = now() where staff_id = $1", somebody)
            await owner.close()
        return await as_of_now(service, somebody)

    monkeypatch.setattr(still, "as_of_now", losing)
    monkeypatch.setattr(sending, "AT_ONCE", 1)
    # Past the witness, which looks at whole answers.
    door = httpx.ASGITransport(office.clinic.application, raise_app_exceptions=False)
    headers = office.officer.http.headers
    async with httpx.AsyncClient(transport=door, base_url="http://caseload.test", headers=headers) as http:
        file = await http.get(f"/api/v1/record-copies/{copy['id']}/file", params={"format": format_})

    assert looked == 1 + before
    assert len(file.content) < len(whole.content)
    assert file.content == (whole.content.partition(b'"entries":[')[0] + b'"entries":[' if before else b"")
    everywhere = await office.clinic.person((Role.AUDITOR, None))
    closed = await everywhere.get("/audit/entries", params={"event": "record_copy.sent", "limit": 1})
    assert closed.json()["items"][0]["outcome"] == "failed"
