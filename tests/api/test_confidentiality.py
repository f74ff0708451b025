"""What was done about confidentiality in a period, over HTTP: who, when, by which rule, how it ended; and never to whom."""

import csv
import hashlib
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import insert, update

from caseload.api.route import event_of
from caseload.audit import confidentiality as reading
from caseload.db.tables.people import role_grant, staff_deactivation
from caseload.domain.access import Role
from caseload.domain.accesslog.confidentiality import ATTEMPTS, MATTERS
from caseload.domain.alert import ConsentExpired
from caseload.domain.ids import ProgrammeId, StaffId
from caseload.domain.journal import Event
from caseload.domain.people import Staff
from caseload.request import still
from caseload.request.work import Service
from tests.api.conftest import Clinic, Person
from tests.api.dispensary import fresh
from tests.api.test_consent import Chart, chart_in
from tests.api.test_disclosure import SPOKEN, given, made, telling
from tests.api.test_glass import Scene, scene

pytestmark = pytest.mark.anyio
__all__ = ["scene"]

WAYS_IN = {
    "ask_disclosure", "make_disclosure", "release_in_emergency", "disclose_last_dose", "break_glass",
}  # fmt: skip
"""Operations whose entry bears their own name where they are refused before anything is told."""


@pytest.fixture
async def chart(clinic: Clinic) -> Chart:
    return await chart_in(clinic, "US")


@pytest.fixture
async def auditor(clinic: Clinic, chart: Chart) -> Person:
    """Of this programme alone, so that nobody else's test is read."""
    return await clinic.person((Role.AUDITOR, ProgrammeId(UUID(chart.programme))))


async def lines(by: Person, path: str = "/audit/confidentiality", **asked: Any) -> list[dict[str, Any]]:
    """Every line, page by page."""
    found: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    while True:
        answer = await by.get(path, params={**asked, **after})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page["items"]
        if page["next"] is None:
            return found
        after = {"after": page["next"]}


async def a_months_work(chart: Chart) -> dict[str, Any]:
    """A consent, what was told by it, what was refused, and its revocation."""
    consent = await given(chart, "attendance")
    told = await made(chart, telling(chart, "attendance"))
    refused = await chart.nurse.post(f"{chart.path}/disclosures", telling(chart, "medication"), key=fresh())
    subpoena = await chart.nurse.post(
        f"{chart.path}/disclosures",
        telling(
            chart,
            "attendance",
            **SPOKEN
            | {"ground": "research", "purpose": None, "notice_how": None, "recipient": {"name": "A university"}},
        ),
        key=fresh(),
    )
    assert (refused.status_code, subpoena.status_code) == (409, 409), subpoena.text
    revoked = await chart.nurse.post(f"{chart.path}/consents/{consent['id']}/revocation", {"how": "spoken"})
    assert revoked.status_code == 201, revoked.text
    return {"consent": consent["id"], "disclosure": told["id"]}


def told_of(line: dict[str, Any]) -> tuple[str, str, str]:
    return line["matter"], line["event"], line["result"]


async def test_an_auditor_reads_who_did_what_by_which_rule_and_how_it_ended_and_never_to_whom(
    chart: Chart, auditor: Person
) -> None:
    ids = await a_months_work(chart)
    found = await lines(auditor)
    assert [told_of(line) for line in reversed(found)] == [
        ("consents", "consent.given", "done"),
        ("decisions", "consent.asked", "allowed"),
        ("disclosures", "disclosure.made", "done"),
        ("decisions", "consent.asked", "refused"),
        ("disclosures", "disclosure.refused", "refused"),
        ("disclosures", "disclosure.refused", "refused"),
        ("consents", "consent.revoked", "done"),
    ]
    assert {line["actor"] for line in found} == {str(chart.nurse.staff.id)}
    assert {line["actor_name"] for line in found} == {chart.nurse.staff.printed_name}
    assert {line["programme_id"] for line in found} == {chart.programme}
    assert all(line["proved"] for line in found)
    refused = [line for line in found if line["event"] == "disclosure.refused"]
    assert [line["facts"]["reason"] for line in refused] == ["not_by_this", "other_category"]
    assert all(line["rule"] for line in found if line["event"] != "consent.revoked")
    said = json.dumps(found)
    for secret in (*ids.values(), chart.path.removeprefix("/clients/"), chart.mother, "Lindqvist"):
        assert secret not in said


async def test_of_one_client_the_records_are_named_and_the_asking_stands_in_who_saw_them(
    clinic: Clinic, chart: Chart, auditor: Person
) -> None:
    ids = await a_months_work(chart)
    other = await chart_in(clinic, "US")
    await given(other, "attendance")
    found = await lines(auditor, f"{chart.path}/confidentiality")
    assert {line["event"]: line["records"] for line in found if line["event"] == "consent.given"} == {
        "consent.given": [ids["consent"]]
    }
    [told] = [line for line in found if line["event"] == "disclosure.made"]
    assert told["records"] == [ids["disclosure"], ids["consent"]]
    newest = (await auditor.get(f"{chart.path}/accesses", params={"limit": 1})).json()["items"][0]
    assert (newest["entry"]["actor"], newest["saw"]) == (str(auditor.staff.id), ["access_log"])
    assert (await auditor.get(f"/clients/{fresh()}/confidentiality")).status_code == 404


async def test_it_is_narrowed_by_matter_refusal_period_person_and_programme(
    clinic: Clinic, chart: Chart, auditor: Person
) -> None:
    await a_months_work(chart)
    for matter, many in {
        "consents": 2,
        "decisions": 2,
        "disclosures": 3,
        "break_glass": 0,
        "rights_requests": 0,
    }.items():
        assert len(await lines(auditor, matter=matter)) == many, matter
    assert {line["result"] for line in await lines(auditor, refused_only=True)} == {"refused"}
    assert len(await lines(auditor, refused_only=True, matter="disclosures")) == 2
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert await lines(auditor, since=tomorrow) == []
    assert len(await lines(auditor, until=tomorrow)) == 7
    assert await lines(auditor, actor=str(auditor.staff.id)) == []
    assert await lines(auditor, programme=str(await clinic.programme())) == []
    everywhere = await clinic.person((Role.AUDITOR, None))
    assert len(await lines(everywhere, programme=chart.programme)) == 7
    invalid = await auditor.get("/audit/confidentiality", params={"since": tomorrow, "until": tomorrow})
    assert invalid.status_code == 422


async def test_pages_follow_one_another_without_losing_a_line(chart: Chart, auditor: Person) -> None:
    await a_months_work(chart)
    whole = await lines(auditor)
    for limit in (1, 2, 3):
        assert await lines(auditor, limit=limit) == whole
        assert await lines(auditor, limit=limit, matter="consents") == [
            line for line in whole if line["matter"] == "consents"
        ]


async def test_what_a_privacy_officer_of_the_whole_clinic_did_is_read_in_the_clients_programme(
    clinic: Clinic, scene: Scene
) -> None:
    """Their role is held in no programme; what they did concerns one."""
    reviewer = scene.officer
    broken = await scene.broken()
    await scene.nurse.post("/break-glass", scene.body(given_name="Nobody", reason="Found in the street, unconscious."))
    reviewed = await reviewer.post(f"/break-glass/{broken['id']}/review", {"outcome": "justified", "note": "Looked."})
    assert reviewed.status_code == 201, reviewed.text
    there = await clinic.person((Role.AUDITOR, scene.house.programme))
    found = await lines(there, matter="break_glass")
    assert [(line["event"], line["actor"]) for line in found] == [
        ("glass.ended", str(reviewer.staff.id)),
        ("glass.reviewed", str(reviewer.staff.id)),
        ("glass.broken", str(scene.nurse.staff.id)),
    ]
    assert found[1]["facts"] == {"outcome": "justified"}
    assert found[2]["rule"] == broken["rule"]


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.AUDITOR, Role.PRIVACY_OFFICER}))
async def test_it_is_closed_to_everybody_else(clinic: Clinic, chart: Chart, role: Role) -> None:
    by = await clinic.person((role, ProgrammeId(UUID(chart.programme))))
    assert (await by.get("/audit/confidentiality")).status_code == 403
    assert (await by.get(f"{chart.path}/confidentiality")).status_code == 403
    assert (await by.post("/audit/confidentiality/exports", {"format": "csv"})).status_code == 403


@pytest.mark.parametrize("format_", ["ndjson", "csv"])
async def test_it_is_taken_away_between_two_entries_and_the_second_has_its_digest(
    chart: Chart, auditor: Person, format_: str
) -> None:
    ids = await a_months_work(chart)
    shown = [told_of(line) for line in reversed(await lines(auditor))]
    file = await auditor.post("/audit/confidentiality/exports", {"format": format_})
    assert file.status_code == 200, file.text
    rows = (
        [json.loads(line) for line in file.text.splitlines()]
        if format_ == "ndjson"
        else list(csv.DictReader(io.StringIO(file.text, newline="")))
    )
    assert [told_of(row) for row in rows] == shown
    assert not [each for each in (*ids.values(), chart.path.removeprefix("/clients/")) if each in file.text]
    closed = await closing(auditor)
    [did] = [about["did"] for about in closed["about"] if "did" in about]
    assert did[0]["facts"] == {
        "format": format_,
        "view": "confidentiality",
        "rows": len(rows),
        "octets": len(file.content),
        "sha256": hashlib.sha256(file.content).hexdigest(),
    }
    assert closed["outcome"] == "done"


async def test_an_export_of_one_client_has_that_clients_lines_alone(
    clinic: Clinic, chart: Chart, auditor: Person
) -> None:
    ids = await a_months_work(chart)
    other = await chart_in(clinic, "US")
    await given(other, "attendance")
    client = chart.path.removeprefix("/clients/")
    everywhere = await clinic.person((Role.PRIVACY_OFFICER, None))
    file = await everywhere.post(
        "/audit/confidentiality/exports", {"format": "ndjson", "client_id": client, "matter": "consents"}
    )
    rows = [json.loads(line) for line in file.text.splitlines()]
    assert [row["records"] for row in rows] == [[ids["consent"]]] * 2
    nobody = await auditor.post("/audit/confidentiality/exports", {"format": "csv", "client_id": fresh()})
    assert nobody.status_code == 404


@pytest.mark.parametrize("path", ["/audit/confidentiality/exports", "/audit/exports"])
@pytest.mark.parametrize("how", ["role", "account"])
async def test_whoever_loses_the_right_half_way_gets_no_more_and_the_log_says_what_they_have(
    clinic: Clinic, chart: Chart, monkeypatch: pytest.MonkeyPatch, path: str, how: str
) -> None:
    """Also of a restricted client: who may read the log is looked up again before each piece."""
    await a_months_work(chart)
    client = chart.path.removeprefix("/clients/")
    asker, manager = await clinic.person((Role.PRIVACY_OFFICER, None)), chart.nurse.staff.id
    restricted = await asker.post(
        f"{chart.path}/restrictions", {"kind": "colleague", "reason": "R.", "staff": [str(manager)]}
    )
    assert restricted.status_code == 201, restricted.text
    looked, as_of_now = 0, still.as_of_now

    async def losing(service: Service, somebody: StaffId) -> Staff | None:
        nonlocal looked
        looked += 1
        if looked == 2:
            await (lose_role if how == "role" else lose_account)(clinic, asker.staff.id, manager)
        return await as_of_now(service, somebody)

    monkeypatch.setattr(reading, "BATCH", 2)
    monkeypatch.setattr(still, "as_of_now", losing)
    # Past the witness, which looks at whole answers.
    door = httpx.ASGITransport(clinic.application, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=door, base_url="http://caseload.test", headers=asker.http.headers) as http:
        file = await http.post(f"/api/v1{path}", json={"format": "csv", "client_id": client})
    assert file.content.count(b"\n") == 1, "the header, and nothing after the right was lost"
    everywhere = await clinic.person((Role.AUDITOR, None))
    closed = await closing(everywhere, actor=str(asker.staff.id))
    [tried] = [about["tried"] for about in closed["about"] if "tried" in about] or [
        each["tried"] for each in (await everywhere.get(f"{chart.path}/accesses", params={"limit": 1})).json()["items"]
    ]
    facts = tried[0]["facts"]
    assert (closed["outcome"], facts["rows"], facts["octets"]) == ("failed", 0, len(file.content))
    assert facts["sha256"] == hashlib.sha256(file.content).hexdigest()
    assert looked == 2


async def lose_role(clinic: Clinic, who: StaffId, _: StaffId) -> None:
    async with clinic.service.engine.begin() as connection:
        now = clinic.service.clock()
        await connection.execute(update(role_grant).where(role_grant.c.staff_id == who).values(revoked_at=now))


async def lose_account(clinic: Clinic, who: StaffId, by: StaffId) -> None:
    async with clinic.service.engine.begin() as connection:
        closed = {"deactivated_by": by, "deactivated_at": clinic.service.clock(), "reason": "Left."}
        await connection.execute(insert(staff_deactivation).values(staff_id=who, **closed))


async def closing(by: Person, **asked: str) -> dict[str, Any]:
    """The entry that closed the newest export."""
    answer = await by.get("/audit/entries", params={"event": "audit_log.exported", "limit": 1, **asked})
    return answer.json()["items"][0]


def test_every_name_is_one_that_something_is_called(clinic: Clinic) -> None:
    """A renamed event or operation would leave the list without a word."""
    told = {each.name for each in Event.__subclasses__()}
    assert ConsentExpired.name in told, "what a job tells counts too"
    assert set(MATTERS) - told == set(ATTEMPTS) == {event_of(operation) for operation in WAYS_IN}
    operations = {
        handler.operation_id
        for route in clinic.application.litestar.routes
        for handler in getattr(route, "route_handlers", ())
    }
    assert operations >= WAYS_IN
    first_words = {"consent", "disclosure", "glass", "rights"}
    assert {name for name in told if name.partition(".")[0] in first_words} <= set(MATTERS), "Say what matter it is."
