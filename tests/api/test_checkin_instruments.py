"""PHQ-9, GAD-7, BAM and TOP within a check-in: scored at once, corrected with it, and told at once where they must be."""

from typing import Any
from uuid import uuid4

import pytest

from caseload.domain.access import Role
from caseload.domain.observation import InstrumentName, instrument
from tests.api.conftest import Clinic
from tests.api.house import House, open_house

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(clinic: Clinic) -> House:
    return await open_house(clinic)


async def late(house: House) -> dict[str, Any]:
    await house.planned(await house.client(), days_ago=2)
    (line,) = await house.overdue()
    return line


def whole(name: InstrumentName, value: int = 0, **changes: int | None) -> dict[str, int | None]:
    items = instrument(name).items
    return {**{item.code: value if item.takes(value) else item.reaches[0] for item in items}, **changes}


def done(**instruments: Any) -> dict[str, Any]:
    return {"mode": "video", "instruments": instruments}


async def test_what_is_filled_in_is_scored_in_the_answer_and_stands_with_the_client(house: House) -> None:
    line, key = await late(house), str(uuid4())
    body = done(phq9=whole(InstrumentName.PHQ9, 1, better_off_dead=0), bam=whole(InstrumentName.BAM, 1))

    first = await house.robin.post(f"/check-ins/{line['check_in_id']}/completion", body, key=key)
    again = await house.robin.post(f"/check-ins/{line['check_in_id']}/completion", body, key=key)

    assert (first.status_code, again.json()) == (201, first.json()), first.text
    filled = {each["instrument"]: each for each in first.json()["observations"]}
    assert (filled["phq9"]["total"], filled["phq9"]["band"]) == (8, "mild")
    assert filled["bam"]["total"] is None
    assert {each["code"]: (each["total"], each["flagged"]) for each in filled["bam"]["subscores"]} == {
        "use": (3, True),
        "risk": (6, False),
        "protective": (6, True),
    }
    assert first.json()["emergency"] is None
    kept = (await house.robin.get(f"/clients/{line['client_id']}/observations")).json()["items"]
    assert {each["id"] for each in kept} == {each["id"] for each in filled.values()}
    assert {each["check_in_id"] for each in kept} == {line["check_in_id"]}


@pytest.mark.parametrize(("ninth", "escalated"), [(None, False), (0, False), (1, True), (3, True)])
async def test_the_ninth_item_of_a_phq9_does_not_wait(house: House, ninth: int | None, *, escalated: bool) -> None:
    line = await late(house)
    body = done(phq9=whole(InstrumentName.PHQ9, better_off_dead=ninth))

    answer = await house.robin.post(f"/check-ins/{line['check_in_id']}/completion", body)

    assert (answer.json()["emergency"] is not None) is escalated
    assert (answer.json()["observations"][0]["total"] is None) is (ninth is None)
    if escalated:
        assert answer.json()["emergency"]["escalations"][0]["ground"] == "suicidal_thoughts"


async def test_nothing_is_kept_where_an_item_is_left_out_or_the_scale_is_a_clinicians(house: House) -> None:
    path = f"/check-ins/{(await late(house))['check_in_id']}"
    short = whole(InstrumentName.GAD7)
    del short["afraid"]

    refused = await house.robin.post(f"{path}/completion", done(phq9=whole(InstrumentName.PHQ9), gad7=short))
    not_theirs = await house.robin.post(f"{path}/completion", done(cows=whole(InstrumentName.COWS)))

    assert [each["field"] for each in refused.json()["errors"]] == ["instruments.gad7.afraid"]
    assert [each["field"] for each in not_theirs.json()["errors"]] == ["instruments.cows"]
    assert (await house.robin.get(path)).json()["waiting"]


async def test_a_correction_is_a_new_version_of_what_was_filled_in(house: House) -> None:
    line = await late(house)
    path = f"/check-ins/{line['check_in_id']}"
    first = await house.robin.post(f"{path}/completion", done(phq9=whole(InstrumentName.PHQ9, 1, better_off_dead=0)))
    same = {"ended": "completed", "occurred_at": line["due_at"], "mode": "video", "reason": "Read the wrong column."}

    corrected = await house.robin.put(
        f"{path}/outcome",
        {**same, "instruments": {"phq9": whole(InstrumentName.PHQ9, 2), "gad7": whole(InstrumentName.GAD7)}},
        headers={"If-Match": '"1"'},
    )

    assert corrected.status_code == 200, corrected.text
    filled = {each["instrument"]: each for each in corrected.json()["observations"]}
    assert (filled["phq9"]["version"], filled["phq9"]["total"], filled["gad7"]["version"]) == (2, 18, 1)
    assert filled["phq9"]["reason"] == "Read the wrong column."
    assert corrected.json()["emergency"]["escalations"][0]["ground"] == "suicidal_thoughts"
    before = first.json()["observations"][0]
    versions = (await house.robin.get(f"/clients/{line['client_id']}/observations/{before['id']}")).json()["items"]
    assert [each["total"] for each in versions] == [18, 8]


async def test_what_was_filled_in_of_another_client_is_taken_back_with_the_check_in(house: House) -> None:
    line = await late(house)
    path = f"/check-ins/{line['check_in_id']}"
    await house.robin.post(f"{path}/completion", done(gad7=whole(InstrumentName.GAD7)))
    wrong = {"ended": "recorded_in_error", "reason": "That was another client."}

    refused = await house.robin.put(
        f"{path}/outcome", {**wrong, "instruments": {"gad7": whole(InstrumentName.GAD7)}}, headers={"If-Match": '"1"'}
    )
    taken_back = await house.robin.put(f"{path}/outcome", wrong, headers={"If-Match": '"1"'})
    missed = await house.robin.post(f"{path}/miss", {"reason": "Never reached."})
    again = await house.robin.put(
        f"{path}/outcome", {"ended": "missed", "reason": "Spelling."}, headers={"If-Match": '"3"'}
    )

    assert [each["field"] for each in refused.json()["errors"]] == ["instruments"]
    assert (taken_back.status_code, missed.status_code, again.status_code) == (200, 201, 200), again.text
    (one,) = taken_back.json()["observations"]
    assert (one["version"], one["answers"]) == (2, None)
    assert again.json()["observations"][0]["version"] == 2, "taken back once"


async def test_a_nurse_observes_a_withdrawal_scale_beside_the_check_in_as_before(house: House) -> None:
    nurse = await house.clinic.person((Role.NURSE, house.programme))
    line = await late(house)

    observed = await nurse.post(
        f"/clients/{line['client_id']}/observations", {"instrument": "cows", "answers": whole(InstrumentName.COWS)}
    )

    assert (observed.status_code, observed.json()["check_in_id"], observed.json()["subscores"]) == (201, None, [])
