"""The audit log over HTTP: who reads it, what it shows, and that reading it is an entry too."""

import csv
import hashlib
import io
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from caseload.audit.leaf import decode
from caseload.audit.tlog.merkle import leaf_hash
from caseload.domain.access import Role
from caseload.domain.ids import ProgrammeId
from tests.api.conftest import Clinic, Person

pytestmark = pytest.mark.anyio


async def registered(clinic: Clinic, by: Person, programme: ProgrammeId) -> str:
    identity = {"given_name": "Ada", "family_name": uuid4().hex, "birth_date": "1984-02-29"}
    made = await by.post("/clients", {"programme_id": str(programme), "identity": identity})
    assert made.status_code == 201, made.text
    return made.json()["id"]


async def entries(by: Person, **asked: Any) -> list[dict[str, Any]]:
    answer = await by.get("/audit/entries", params={"limit": 200, **asked})
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_a_read_a_write_and_a_refusal_each_leave_an_entry_that_the_auditor_reads(clinic: Clinic) -> None:
    programme, elsewhere = await clinic.programme(), await clinic.programme()
    nurse = await clinic.person((Role.NURSE, programme))
    stranger = await clinic.person((Role.NURSE, elsewhere))
    auditor = await clinic.person((Role.AUDITOR, None))
    client = await registered(clinic, nurse, programme)
    shown = await nurse.get(f"/clients/{client}")
    refused = await stranger.get(f"/clients/{client}")
    assert (shown.status_code, refused.status_code) == (200, 404)

    [read, wrote] = await entries(auditor, actor=str(nurse.staff.id))
    [denied] = await entries(auditor, actor=str(stranger.staff.id))

    assert wrote["event"] == "client.registered"
    assert (read["event"], read["operation"], read["outcome"], read["status"]) == ("client.read", "R", "done", 200)
    assert (read["id"], read["request_id"]) == (shown.headers["audit-entry"], shown.headers["request-id"])
    assert (read["route"], read["roles"], read["clients"]) == ("GET /api/v1/clients/{client_id}", ["nurse"], 1)
    assert (denied["outcome"], denied["status"], denied["clients"]) == ("refused", 404, 1)
    assert denied["actor_name"] == stranger.staff.printed_name
    assert client not in str([read, wrote, denied]), "an entry lays no client open"


async def test_who_saw_a_client_lists_every_access_and_asking_is_one_of_them(clinic: Clinic) -> None:
    programme, elsewhere = await clinic.programme(), await clinic.programme()
    nurse = await clinic.person((Role.NURSE, programme))
    stranger = await clinic.person((Role.NURSE, elsewhere))
    privacy = await clinic.person((Role.PRIVACY_OFFICER, None))
    client, other = await registered(clinic, nurse, programme), await registered(clinic, nurse, programme)
    for of in (client, other):
        assert (await nurse.get(f"/clients/{of}")).status_code == 200
    assert (await stranger.get(f"/clients/{client}")).status_code == 404

    first = (await privacy.get(f"/clients/{client}/accesses")).json()["items"]
    second = (await privacy.get(f"/clients/{client}/accesses")).json()["items"]

    assert [access["entry"]["event"] for access in first] == ["client.read", "client.read", "client.registered"]
    refused, read, registration = first
    assert (refused["entry"]["actor"], refused["saw"], refused["did"]) == (str(stranger.staff.id), [], [])
    assert (read["entry"]["actor"], read["saw"]) == (str(nurse.staff.id), ["identity"])
    assert (read["entry"]["actor_name"], read["entry"]["roles"]) == (nurse.staff.printed_name, ["nurse"])
    assert registration["did"][0]["ev"] == "client.registered"
    assert all(access["proved"] for access in first)
    assert [access["entry"]["event"] for access in second[:1]] == ["accesses.list"]
    assert (second[0]["entry"]["actor"], second[0]["saw"]) == (str(privacy.staff.id), ["access_log"])
    assert other not in str(second)


async def test_nobody_is_said_to_have_seen_somebody_who_is_not_there(clinic: Clinic) -> None:
    privacy = await clinic.person((Role.PRIVACY_OFFICER, None))
    answer = await privacy.get(f"/clients/{uuid4()}/accesses")
    assert answer.status_code == 404
    assert "erased" in answer.json()["detail"]


@pytest.mark.parametrize("role", [Role.NURSE, Role.SUPERVISOR, Role.MEDICAL_DIRECTOR, Role.ADMINISTRATOR])
async def test_the_log_is_closed_to_everybody_else(clinic: Clinic, role: Role) -> None:
    programme = None if role is Role.ADMINISTRATOR else await clinic.programme()
    person = await clinic.person((role, programme))
    for answer in (
        await person.get("/audit/entries"),
        await person.get(f"/clients/{uuid4()}/accesses"),
        await person.post("/audit/exports", {"format": "csv"}),
    ):
        assert answer.status_code == 403


async def test_an_auditor_of_one_programme_reads_that_programme_alone(clinic: Clinic) -> None:
    programme, elsewhere = await clinic.programme(), await clinic.programme()
    here, there = await clinic.person((Role.NURSE, programme)), await clinic.person((Role.NURSE, elsewhere))
    local = await clinic.person((Role.AUDITOR, programme))
    for nurse, where in ((here, programme), (there, elsewhere)):
        await registered(clinic, nurse, where)
    found = await entries(local)
    assert {entry["programme_id"] for entry in found} <= {str(programme)}
    assert str(there.staff.id) not in {entry["actor"] for entry in found}


async def test_pages_of_the_log_follow_one_another(clinic: Clinic) -> None:
    nurse = await clinic.person((Role.NURSE, await clinic.programme()))
    auditor = await clinic.person((Role.AUDITOR, None))
    for _ in range(5):
        await nurse.get(f"/clients/{uuid4()}")
    found: list[str] = []
    params: dict[str, Any] = {"actor": str(nurse.staff.id), "limit": 2}
    while True:
        page = (await auditor.get("/audit/entries", params=params)).json()
        found += [entry["id"] for entry in page["items"]]
        if page["next"] is None:
            break
        params["after"] = page["next"]
    assert len(found) == len(set(found)) == 5
    assert found == sorted(found, reverse=True)


async def test_the_question_stands_in_the_entry_that_it_leaves(clinic: Clinic) -> None:
    auditor = await clinic.person((Role.AUDITOR, None))
    since = datetime.now(UTC) - timedelta(minutes=1)
    await entries(auditor, event="dose", outcome="refused", since=since.isoformat())
    [asked] = await entries(auditor, actor=str(auditor.staff.id), event="audit_entries.list", limit=1)
    assert {"filter": {"event": "dose", "outcome": "refused", "since": since.isoformat()}} in asked["about"]
    assert asked["purpose"] == "HCOMPL"


async def test_what_a_list_was_narrowed_to_stands_in_the_entry_that_it_leaves(clinic: Clinic) -> None:
    programme = await clinic.programme()
    nurse = await clinic.person((Role.NURSE, programme))
    auditor = await clinic.person((Role.AUDITOR, None))
    asked = [
        await nurse.get("/overdue-check-ins", params={"programme": str(programme), "limit": 7}),
        await nurse.get(f"/programmes/{programme}/dispensing", params={"day": "2026-11-22"}),
        await nurse.get("/overdue-check-ins/count", params={"counsellor": "nobody"}),
        await nurse.post("/clients/search", {"name": "Quillfeather", "birth_date": "1984-02-29"}),
    ]
    assert [answer.status_code for answer in asked] == [200, 200, 422, 200]

    told = {entry["id"]: entry["about"] for entry in await entries(auditor, actor=str(nurse.staff.id))}
    filters = [[fact["filter"] for fact in told[answer.headers["audit-entry"]] if "filter" in fact] for answer in asked]

    assert filters == [
        [{"programme": str(programme)}],
        [{"day": "2026-11-22"}],
        [],
        [{"by": ["name", "birth_date"]}],
    ]
    assert "Quillfeather" not in str(told)
    assert "1984" not in str(told)


@pytest.mark.parametrize(
    ("params", "fields"),
    [
        ({"since": "2026-11-22T09:30:00"}, ["since"]),
        ({"since": "2026-11-22T09:30:00Z", "until": "2026-11-22T09:30:00Z"}, ["until"]),
        ({"event": "Dose Recorded"}, ["event"]),
        ({"event": "e\u0301"}, ["event"]),
        ({"event": "x" * 150}, ["event"]),
    ],
)
async def test_a_question_that_makes_no_sense_is_refused_by_field(
    clinic: Clinic, params: dict[str, str], fields: list[str]
) -> None:
    auditor = await clinic.person((Role.AUDITOR, None))
    answer = await auditor.get("/audit/entries", params=params)
    assert answer.status_code == 422, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == fields


async def test_an_export_is_the_leaves_between_two_entries(clinic: Clinic) -> None:
    programme = await clinic.programme()
    nurse = await clinic.person((Role.NURSE, programme))
    auditor = await clinic.person((Role.AUDITOR, None))
    await registered(clinic, nurse, programme)
    since = datetime.now(UTC) - timedelta(hours=1)

    file = await auditor.post("/audit/exports", {"format": "ndjson", "since": since.isoformat()})

    assert file.status_code == 200, file.text
    assert file.headers["content-type"] == "application/x-ndjson"
    assert file.headers["content-disposition"].startswith('attachment; filename="audit-log-')
    leaves = [decode(line) for line in file.content.splitlines()]
    assert [leaf.id for leaf in leaves] == sorted(leaf.id for leaf in leaves)
    assert leaves[-1].id == file.headers["audit-entry"], "the entry of the export is durable before its first byte"
    [closed] = await entries(auditor, actor=str(auditor.staff.id), event="audit_log.exported")
    [opened] = await entries(auditor, actor=str(auditor.staff.id), event="audit_log.export")
    assert opened["request_id"] == closed["request_id"]
    [did] = [about["did"] for about in closed["about"] if "did" in about]
    assert did[0]["facts"] == {
        "format": "ndjson",
        "rows": len(leaves),
        "octets": len(file.content),
        "sha256": hashlib.sha256(file.content).hexdigest(),
    }
    async with clinic.service.engine.connect() as connection:
        await connection.exec_driver_sql("set local role audit_reader")
        stored = await connection.exec_driver_sql("select entry_id, sha256('\\x00'::bytea || leaf) from audit.log")
        hashes = {row.entry_id: row.sha256 for row in stored}
    for line, leaf in zip(file.content.splitlines(), leaves, strict=True):
        assert hashes[UUID(leaf.id)] == leaf_hash(line)


async def test_an_export_about_one_client_as_csv_names_no_client(clinic: Clinic) -> None:
    programme = await clinic.programme()
    nurse = await clinic.person((Role.NURSE, programme))
    privacy = await clinic.person((Role.PRIVACY_OFFICER, None))
    client = await registered(clinic, nurse, programme)
    await registered(clinic, nurse, programme)
    await nurse.get(f"/clients/{client}")

    file = await privacy.post("/audit/exports", {"format": "csv", "client_id": client})

    assert file.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(file.text, newline="")))
    assert [row["event"] for row in rows] == ["client.registered", "client.read", "audit_log.export"]
    assert client not in file.text
    accesses = (await privacy.get(f"/clients/{client}/accesses")).json()["items"]
    assert [access["entry"]["event"] for access in accesses[:2]] == ["audit_log.exported", "audit_log.export"]


async def test_an_export_about_nobody_is_not_found(clinic: Clinic) -> None:
    privacy = await clinic.person((Role.PRIVACY_OFFICER, None))
    answer = await privacy.post("/audit/exports", {"format": "csv", "client_id": str(uuid4())})
    assert answer.status_code == 404
    invalid = await privacy.post("/audit/exports", {"format": "pdf", "event": "x" * 500, "colour": "red"})
    assert invalid.status_code == 422
    assert {error["field"] for error in invalid.json()["errors"]} == {"format", "event", "colour"}
