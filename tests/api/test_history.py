"""Brought-in histories over HTTP."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from caseload.domain.access import Role
from caseload.domain.history import Outcome
from caseload.domain.ids import ProgrammeId, new_id
from tests.api.conftest import Clinic, Person
from tests.api.dispensary import dispensary
from tests.factories import clients
from tests.factories.clients import InCare
from tests.factories.histories import a_dose, a_visit, brought_in

pytestmark = pytest.mark.anyio

FOUND = {"finding": "no_doses", "note": "The other clinic closed on that day.", "until": "2026-01-20"}
ATTENDANCE = {"attended": 1, "did_not_attend": 1, "not_known": 0, "rate_percent": 50, "without_day": 1}


@dataclass(frozen=True, slots=True)
class Ward:
    """A programme with a nurse, a counsellor and a client who came with a history."""

    programme: ProgrammeId
    nurse: Person
    counsellor: Person
    client: InCare


@pytest.fixture
async def ward(clinic: Clinic) -> Ward:
    programme = await clinic.programme()
    nurse = await clinic.person((Role.NURSE, programme))
    counsellor = await clinic.person((Role.COUNSELLOR, programme))
    async with clinic.service.engine.begin() as connection:
        client = await clients.in_care(connection, programme=programme, counsellor=counsellor.staff.id)
        await brought_in(
            connection,
            client.id,
            programme=programme,
            doses=[
                a_dose(date(2026, 1, 1), line=2),
                a_dose(date(2026, 1, 4), line=3, amount_mg=Decimal("6.5")),
                a_dose(date(2026, 1, 4), line=4, amount_mg=Decimal(24)),
            ],
            visits=[a_visit(date(2026, 1, 2), line=2), a_visit(None, line=3, status=Outcome.DID_NOT_ATTEND)],
            until=date(2026, 1, 4),
        )
    return Ward(programme, nurse, counsellor, client)


async def test_a_clients_history_is_read_as_its_source_recorded_it(ward: Ward) -> None:
    answer = await ward.counsellor.get(f"/clients/{ward.client.id}/history")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert [(each["source"], each["last_day_covered"]) for each in body["provenance"]] == [("old record", "2026-01-04")]
    assert [(each["line"], each["status"]) for each in body["visits"]] == [(2, "attended"), (3, "did_not_attend")]
    assert body["attendance"] == ATTENDANCE
    assert body["gaps"] == [{"after": "2026-01-01", "before": "2026-01-04", "missed": 2, "not_known": 0}]
    assert answer.headers["audit-entry"]


async def test_a_programmes_history_is_shown_in_counts(ward: Ward) -> None:
    body = (await ward.nurse.get(f"/programmes/{ward.programme}/history")).json()
    assert (body["people"], body["people_with_daily_doses"], body["drug_screens"]) == (1, 1, 0)
    assert {each["days"]: each["runs"] for each in body["missed_runs"] if each["runs"]} == {2: 1}
    assert body["missed_runs"][-1] == {"days": 8, "or_more": True, "runs": 0}
    assert {each["profile"]: each["doses"] for each in body["would_have_stopped"]} == {
        "AU": 0, "UK": 0, "US": 0, "US-CA-BRIDGE": 0,
    }  # fmt: skip
    assert body["attendance"] == ATTENDANCE
    assert (await ward.nurse.get(f"/programmes/{new_id()}/history")).status_code == 404


async def test_the_worklist_says_why_and_what_would_clear_a_line_and_finding_out_clears_it(ward: Ward) -> None:
    [line] = (await ward.nurse.get("/histories-to-verify")).json()["items"]
    assert line["client_id"] == str(ward.client.id)
    assert (line["last_dose_on"], line["last_amounts_mg"]) == ("2026-01-04", ["6.5", "24"])
    assert line["because"] == "The history from old record tells of the days up to 2026-01-04."
    path, key = f"/clients/{ward.client.id}/history-verifications", str(uuid4())
    first = await ward.nurse.post(path, FOUND, key=key)
    assert first.status_code == 201, first.text
    assert first.json()["verified_by"] == str(ward.nurse.staff.id)
    again = await ward.nurse.post(path, FOUND, key=key)
    assert (again.status_code, again.json()) == (201, first.json())
    assert (await ward.nurse.get("/histories-to-verify")).json() == {"items": [], "next": None}
    assert (await ward.nurse.post(path, FOUND)).status_code == 409
    body = (await ward.counsellor.get(f"/clients/{ward.client.id}/history")).json()
    assert body["verifications"] == [first.json()]


async def test_the_worklist_comes_in_pages(clinic: Clinic, ward: Ward) -> None:
    async with clinic.service.engine.begin() as connection:
        other = await clients.in_care(connection, programme=ward.programme, counsellor=ward.counsellor.staff.id)
        await brought_in(connection, other.id, programme=ward.programme, until=date(2026, 1, 4))
    page = (await ward.nurse.get("/histories-to-verify", params={"limit": 1})).json()
    assert [each["client_id"] for each in page["items"]] == [str(ward.client.id)]
    rest = (await ward.nurse.get("/histories-to-verify", params={"limit": 1, "after": page["next"]})).json()
    assert [each["client_id"] for each in rest["items"]] == [str(other.id)]
    end = (await ward.nurse.get("/histories-to-verify", params={"limit": 1, "after": rest["next"]})).json()
    assert (end["items"], end["next"]) == ([], None)


async def test_a_finding_that_cannot_be_kept_says_everything_that_is_wrong(ward: Ward) -> None:
    path = f"/clients/{ward.client.id}/history-verifications"
    answer = await ward.nurse.post(path, {"finding": "no_doses", "note": " ", "until": "2026-01-04"})
    assert answer.status_code == 422
    assert {each["field"] for each in answer.json()["errors"]} == {"note", "until"}


async def test_who_may_not_verify_or_see_is_told_so(clinic: Clinic, ward: Ward) -> None:
    path = f"/clients/{ward.client.id}/history-verifications"
    assert (await ward.counsellor.post(path, FOUND)).status_code == 403
    stranger = await clinic.person((Role.NURSE, await clinic.programme()))
    assert (await stranger.get(f"/clients/{ward.client.id}/history")).status_code == 404
    assert (await stranger.post(path, FOUND)).status_code == 404
    assert (await stranger.get("/histories-to-verify")).json()["items"] == []


async def test_a_brought_in_dose_is_the_last_one_and_days_since_the_history_ended_hold_the_next(
    clinic: Clinic,
) -> None:
    window = await dispensary(clinic)
    today = window.today
    async with clinic.service.engine.begin() as connection:
        await brought_in(
            connection,
            window.client,
            programme=window.programme,
            doses=[a_dose(today - timedelta(days=10), line=2, amount_mg=Decimal(55))],
            until=today - timedelta(days=8),
        )
    order = await window.order()
    refused = await window.give(order)
    assert refused.status_code == 409, refused.text
    rules = {each["rule"]: each["facts"] for each in refused.json()["facts"]["rules"]}
    assert rules["days_not_known"]["not_known"] == 7
    assert rules["days_not_known"]["last_taken_on"] == str(today - timedelta(days=10))
