"""The list of whose electrocardiogram is due, over HTTP."""

from datetime import timedelta
from typing import Any

import pytest

from caseload.domain.access import Role
from caseload.domain.ids import ClientId
from tests.api.conftest import Clinic
from tests.api.days import pass_days
from tests.api.dispensary import Dispensary, dispensary, fresh

pytestmark = pytest.mark.anyio


async def due(here: Dispensary, **asked: Any) -> dict[str, Any]:
    answer = await here.nurse.get(f"/programmes/{here.programme}/ecgs-due", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def ecg(here: Dispensary, ms: int = 430, *, days_ago: int = 0, client: ClientId | None = None) -> None:
    seen = here.clinic.service.clock() - timedelta(days=days_ago)
    kept = await here.nurse.post(
        f"/clients/{client or here.client}/observations",
        {"instrument": "qtc", "observed_at": seen.isoformat(), "answers": {"qtc": ms}},
        key=fresh(),
    )
    assert kept.status_code == 201, kept.text


async def test_who_begins_methadone_is_listed_until_an_ecg_is_recorded(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    assert (await due(here))["items"] == []
    await here.order()
    listed = await due(here)
    [line] = listed["items"]
    assert (line["client_id"], line["due_on"], line["last_ecg_on"]) == (str(here.client), str(here.today), None)
    assert line["reasons"] == [{"reason": "before_start", "due_on": str(here.today)}]
    assert (listed["rule"], listed["follow_up_days"], listed["every_days"]) == ("uk.ecg of UK-1", 30, 365)
    await ecg(here)
    assert (await due(here))["items"] == []
    [soon] = (await due(here, ahead_days=30))["items"]
    assert (soon["reasons"], soon["last_qtc"]) == (
        [{"reason": "follow_up", "due_on": str(here.today + timedelta(days=30))}],
        430,
    )


async def test_an_order_that_is_not_of_methadone_or_has_ended_asks_for_none(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    await here.order(medicine="buprenorphine", form="sublingual_tablet", strength_mg="2", amounts_mg={"whole": "8"})
    other = await here.another_client()
    await here.order(client=other, ends_on=str(here.today))
    assert [each["client_id"] for each in (await due(here))["items"]] == [str(other)]
    await pass_days(here, 1, client=other)
    assert (await due(here))["items"] == []


async def test_a_high_dose_and_a_faint_each_ask_again_and_the_longest_due_comes_first(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    await ecg(here, days_ago=1)
    await here.order(amounts_mg={"whole": "110"})
    other = await here.another_client()
    await ecg(here, days_ago=5, client=other)
    await here.order(client=other)
    path, fainted = f"/clients/{other}/flags", here.today - timedelta(days=3)
    flag = await here.nurse.post(path, {"kind": "fainted", "what": "Fell in the street.", "since": str(fainted)})
    assert flag.status_code == 201, flag.text
    items = (await due(here))["items"]
    assert [(each["client_id"], [why["reason"] for why in each["reasons"]]) for each in items] == [
        (str(other), ["fainted"]),
        (str(here.client), ["high_dose"]),
    ]
    ended = await here.nurse.post(f"{path}/{flag.json()['id']}/end", {"reason": "A tripped kerb."})
    assert ended.status_code == 201, ended.text
    assert [each["client_id"] for each in (await due(here))["items"]] == [str(here.client)]


async def test_the_list_is_for_who_looks_after_them(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    for role in (Role.FRONT_DESK, Role.ADMINISTRATOR):
        other = await clinic.person((role, here.programme))
        assert (await other.get(f"/programmes/{here.programme}/ecgs-due")).status_code == 403
    for wrong in (-1, 93):
        assert (await here.nurse.get(f"/programmes/{here.programme}/ecgs-due?ahead_days={wrong}")).status_code == 422
