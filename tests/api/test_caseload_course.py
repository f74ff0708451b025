"""The course of an episode over HTTP: levels of care and phases with their history, and both clocks of a discharge."""

from datetime import date, timedelta
from typing import Any

import pytest

from tests.api.test_caseload import House, house

pytestmark = pytest.mark.anyio

__all__ = ["house"]

A_DAY = timedelta(days=1)
INTENSIVE = {"edition": "asam_4", "level": "2.1"}


async def history(house: House, client: str, what: str) -> list[dict[str, Any]]:
    answer = await house.supervisor.get(f"/clients/{client}/{what}")
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_every_level_of_care_stays_in_the_history_also_after_a_return(house: House) -> None:
    client = await house.admitted()
    (first,) = await history(house, client, "levels-of-care")
    today = date.fromisoformat(first["from_on"])
    for days, level in ((40, {"edition": "asam_4", "level": "2.5"}), (30, INTENSIVE)):
        said = {"level_of_care": level, "from_on": (today + days * A_DAY).isoformat()}
        assert (await house.supervisor.post(f"/clients/{client}/levels-of-care", said)).status_code == 204

    planned = await history(house, client, "levels-of-care")
    left = await house.supervisor.post(f"/clients/{client}/discharge", {"reason": "dropped_out", "note": "Moved away."})
    assert left.status_code == 201, left.text
    assert (await house.admit(client)).status_code == 201
    episodes = await history(house, client, "episodes")
    after = await history(house, client, "levels-of-care")

    assert [(each["level_of_care"]["level"], each["name"]) for each in planned] == [
        ("2.5", "High-Intensity Outpatient"),
        ("2.1", "Intensive Outpatient"),
        ("1.5", "Outpatient Therapy"),
    ]
    assert [each["until_on"] for each in planned] == [
        None,
        (today + 39 * A_DAY).isoformat(),
        (today + 29 * A_DAY).isoformat(),
    ]
    assert {each["recorded_by"] for each in planned} == {str(house.supervisor.staff.id)}
    now, before = episodes
    assert [(each["episode_id"], each["until_on"]) for each in after] == [
        (now["id"], None),
        (before["id"], before["ends_at"][:10]),
    ], "what was planned for after the discharge never began"
    assert (now["returns_from"], before["discharge_reason"], before["discharge_note"]) == (
        before["id"],
        "dropped_out",
        "Moved away.",
    )
    assert before["discharge_recorded_at"] >= before["ends_at"]
    assert (now["discharge_note"], now["discharge_recorded_at"]) == (None, None)


async def test_phases_follow_one_another_and_a_retry_says_it_once(house: House) -> None:
    client = await house.admitted()
    today = date.fromisoformat((await history(house, client, "episodes"))[0]["admitted_on"])
    path = f"/clients/{client}/phases"
    said = {"phase": "induction", "from_on": today.isoformat(), "reason": "First dose today."}

    first = [await house.first.post(path, said, key="phase-1") for _ in range(2)]
    twice = await house.first.post(path, {**said, "phase": "maintenance"})
    later = await house.first.post(
        path, {"phase": "maintenance", "from_on": (today + 7 * A_DAY).isoformat(), "reason": "Stable."}
    )

    assert [each.status_code for each in first] == [204, 204], first[0].text
    assert (twice.status_code, later.status_code) == (409, 204), "one a day"
    found = await history(house, client, "phases")
    assert [(each["phase"], each["reason"]) for each in found] == [
        ("maintenance", "Stable."),
        ("induction", "First dose today."),
    ]
    dashboard = (await house.supervisor.get(f"/programmes/{house.programme}/dashboard")).json()
    assert dashboard["phases"] == [{"phase": "induction", "clients": 1}], "the one of today"


async def test_nobody_beyond_the_reach_learns_of_a_course(house: House) -> None:
    client = await house.admitted()
    for what in ("levels-of-care", "phases"):
        assert (await house.second.get(f"/clients/{client}/{what}")).status_code == 404
    said = {"phase": "induction", "from_on": "2026-11-22", "reason": "First dose."}
    assert (await house.second.post(f"/clients/{client}/phases", said)).status_code == 404


async def test_the_levels_there_are_stand_with_their_edition_and_source(house: House) -> None:
    found = (await house.first.get("/levels-of-care")).json()

    assert found["version"] >= 1
    editions = {each["edition"]: each for each in found["items"]}
    assert {"level": "1.0", "name": "Long-Term Remission Monitoring"} in editions["asam_4"]["levels"]
    assert (editions["uk_modality"]["complete"], "unconfirmed" in editions["uk_modality"]["source"]) == (False, True)
