"""What a document that leaves says from the record, kind by kind."""

from datetime import timedelta
from typing import Any

import pytest

from tests.api.conftest import Clinic
from tests.api.test_consent import MOTHER, Chart, chart_in
from tests.api.test_disclosure import given, made, telling
from tests.api.test_note import Practice, practice_in

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


@pytest.fixture
async def chart(clinic: Clinic) -> Chart:
    return await chart_in(clinic, "US")


@pytest.fixture
async def practice(clinic: Clinic) -> Practice:
    return await practice_in(clinic)


async def told_of_ada(practice: Practice, *kinds: str, **said: Any) -> dict[str, Any]:
    """What Robin writes to Ada's mother, who may be told of these."""
    path = f"/clients/{practice.ada}"
    mother = (await practice.robin.post(f"{path}/related-people", MOTHER)).json()
    chart = Chart(practice.robin, path, str(practice.programme), mother["id"])
    await given(chart, *kinds)
    return (await made(chart, telling(chart, *kinds, **said)))["content"]


async def test_a_document_says_of_each_kind_what_the_record_holds(chart: Chart) -> None:
    kinds = [
        "presence",
        "attendance",
        "appointments",
        "medication",
        "take_home",
        "drug_screens",
        "risk",
        "session_records",
    ]
    await given(chart, *kinds)
    told = await made(chart, telling(chart, *kinds))
    assert {name: value for name, value in told["content"].items() if name not in {"about", "presence"}} == {
        "attendance": [],
        "appointments": [],
        "medication": {"medicine": None},
        "take_home": [],
        "drug_screens": [],
        "risk": {"see_first": [], "escalated": []},
        "session_records": {"records": [], "left_out_because_they_name_somebody_else": 0},
    }
    assert set(told["content"]["presence"]) == {"is_a_client_of"}


async def test_an_appointment_is_told_by_its_time_in_the_clinic_and_by_nothing_else(practice: Practice) -> None:
    starts_at = practice.clinic.service.clock().replace(microsecond=0) + 48 * HOUR
    await practice.plan(practice.ada, starts_at=starts_at.isoformat(), ends_at=(starts_at + HOUR).isoformat())
    [coming] = (await told_of_ada(practice, "appointments"))["appointments"]
    assert list(coming) == ["at"]
    assert coming["at"][:16] != starts_at.isoformat()[:16], "as the clinic's own clock has it"
    assert starts_at.fromisoformat(coming["at"]) == starts_at.replace(second=0)


async def test_only_signed_progress_notes_that_name_nobody_else_are_told_as_session_records(practice: Practice) -> None:
    about_ada: dict[str, Any] = {"client_id": str(practice.ada)}
    assert (await practice.sign(await practice.write("Slept better.", **about_ada))).status_code == 201
    named = await practice.write("Quarrelled with Al Łęcki-O'Brien.", **about_ada)
    assert (await practice.sign(named, names_confirmed=True)).status_code == 201
    await practice.write("Not signed yet.", **about_ada)
    kept_apart = await practice.write("Why she cannot sleep.", kind="counselling", **about_ada)
    assert (await practice.sign(kept_apart)).status_code == 201

    told = (await told_of_ada(practice, "session_records"))["session_records"]

    assert [each["text"] for each in told["records"]] == ["Slept better."]
    assert told["left_out_because_they_name_somebody_else"] == 1


async def test_a_note_from_before_the_bound_is_not_counted_among_what_was_left_out(practice: Practice) -> None:
    """That there is one was agreed not to be told, too."""
    named = await practice.write("Quarrelled with Al Łęcki-O'Brien.", client_id=str(practice.ada))
    assert (await practice.sign(named, names_confirmed=True)).status_code == 201

    since = practice.clinic.service.clock().isoformat()
    told = (await told_of_ada(practice, "session_records", since=since))["session_records"]

    assert told == {"records": [], "left_out_because_they_name_somebody_else": 0}
