"""The routine review over HTTP: a look that nothing explains is found, and somebody else says what it was."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from caseload.domain.access import Role
from caseload.domain.oversight import Question, questions
from tests.api.conftest import Clinic, Person
from tests.factories import clients

pytestmark = pytest.mark.anyio


async def findings(by: Person, question: Question, **asked: Any) -> list[dict[str, Any]]:
    answer = await by.get("/audit/findings", params={"question": question, "limit": 200, **asked})
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_a_chart_opened_without_a_reason_is_found_explained_and_reviewed_once(clinic: Clinic) -> None:
    programme = await clinic.programme()
    counsellor = await clinic.person((Role.COUNSELLOR, programme))
    curious = await clinic.person((Role.NURSE, programme), (Role.AUDITOR, programme), printed_name="Tove Lindqvist")
    auditor = await clinic.person((Role.AUDITOR, programme))
    async with clinic.service.engine.begin() as connection:
        client = await clients.in_care(connection, programme=programme, counsellor=counsellor.staff.id)
    for person in (counsellor, curious, curious):
        assert (await person.get(f"/clients/{client.id}")).status_code == 200

    [found] = await findings(auditor, Question.WITHOUT_LINK)
    [namesake] = await findings(auditor, Question.OWN_OR_NAMESAKE)

    assert (found["staff_id"], found["client_id"], found["entries"]) == (str(curious.staff.id), str(client.id), 2)
    assert found["rule"] == f"without_link/{questions().version}"
    assert "did not answer for or cover" in found["why"]
    assert found["review"] is None
    assert (namesake["staff_id"], "same family name" in namesake["why"]) == (str(curious.staff.id), True)
    asked = (await auditor.get(f"/clients/{client.id}/accesses")).json()["items"]
    assert [each["entry"]["event"] for each in asked[:2]] == ["findings.list"] * 2, "asking names whom it showed"

    said = {"question": "without_link", "covers_until": found["last_at"], "conclusion": "taken_up", "note": "Talked."}
    where = f"/audit/findings/{found['id']}/reviews"
    own = await curious.post(where, said)
    assert (own.status_code, own.json()["type"]) == (403, "urn:caseload:problem:not-your-own")
    first, again = await auditor.post(where, said, key="1"), await auditor.post(where, said, key="1")
    assert first.status_code == again.status_code == 201, first.text
    assert first.json() == again.json()
    assert (await auditor.post(where, said)).status_code == 409
    assert await findings(auditor, Question.WITHOUT_LINK, unreviewed_only=True) == []
    [settled] = await findings(auditor, Question.WITHOUT_LINK)
    assert settled["review"] == first.json()

    await curious.get(f"/clients/{client.id}")
    [reopened] = await findings(auditor, Question.WITHOUT_LINK, unreviewed_only=True)
    assert (reopened["id"], reopened["entries"], reopened["review"]) == (found["id"], 3, None)


async def test_repeated_denials_are_found(clinic: Clinic) -> None:
    programme = await clinic.programme()
    nosy, auditor = await clinic.person((Role.NURSE, programme)), await clinic.person((Role.AUDITOR, programme))
    for _ in range(questions().repeated_denials.at_least_refusals):
        assert (await nosy.get(f"/clients/{uuid4()}")).status_code == 404
    found = await findings(auditor, Question.REPEATED_DENIALS)
    assert [each["staff_id"] for each in found] in ([str(nosy.staff.id)], [str(nosy.staff.id)] * 2)


@pytest.mark.parametrize("question", list(Question))
async def test_every_question_is_answered_for_a_clinic_in_which_nothing_happened(
    clinic: Clinic, question: Question
) -> None:
    auditor = await clinic.person((Role.AUDITOR, await clinic.programme()))
    assert await findings(auditor, question) == []


async def test_what_makes_no_sense_is_refused_by_name(clinic: Clinic) -> None:
    auditor = await clinic.person((Role.AUDITOR, None))
    now = datetime.now(UTC)
    for asked, field in (
        ({"question": "who"}, "question"),
        ({"question": "bulk_reads", "since": (now - timedelta(days=100)).isoformat()}, "since"),
    ):
        answer = await auditor.get("/audit/findings", params=asked)
        assert answer.status_code == 422, answer.text
        assert [error["field"] for error in answer.json()["errors"]] == [field]
    said = {"question": "bulk_reads", "covers_until": now.isoformat(), "conclusion": "explained", "note": "x"}
    assert (await auditor.post(f"/audit/findings/{uuid4()}/reviews", said)).status_code == 404
