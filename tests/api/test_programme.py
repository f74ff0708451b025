"""The profiles of a programme over HTTP: from a later day on, with what they loosen, and what was judged stays judged."""

import asyncio
from datetime import date, timedelta
from typing import Any

import asyncpg
import pytest

from caseload.domain.access import Role
from tests.api.conftest import Clinic, Person
from tests.api.dispensary import Dispensary, days_ago, dispensary, fresh

pytestmark = pytest.mark.anyio


async def director(here: Dispensary) -> Person:
    return await here.clinic.person((Role.MEDICAL_DIRECTOR, here.programme))


def wanted(here: Dispensary, profile: str = "AU", **said: Any) -> dict[str, Any]:
    tomorrow = str(here.today + timedelta(days=1))
    return {"profile": profile, "from_on": tomorrow, "reason": "The licence says so.", **said}


async def loosened(here: Dispensary, by: Person, profile: str) -> list[str]:
    refused = await by.post(f"/programmes/{here.programme}/profiles", wanted(here, profile), key=fresh())
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:caseload:problem:profile-loosens")
    return refused.json()["facts"]["loosens"]


async def days_pass(here: Dispensary, days: int) -> None:
    """Move what was chosen back, as if so many days had passed since."""
    owner = await asyncpg.connect(here.clinic.addresses.owner)
    await owner.execute(
        "update clinic.programme_profile set from_on = from_on - $1::integer,"
        " selected_at = selected_at - $1::integer * interval '1 day' where programme_id = $2",
        days,
        here.programme,
    )
    await owner.close()


async def test_a_looser_profile_needs_its_loosened_rules_named_and_counts_from_its_day(clinic: Clinic) -> None:
    here = await dispensary(clinic, profile="US", time_zone="America/New_York")
    by, path = await director(here), f"/programmes/{here.programme}/profiles"
    looser = await loosened(here, by, "US-CA-BRIDGE")
    assert "methadone, 3 missed: ask_prescriber became give" in looser
    said, key = wanted(here, "US-CA-BRIDGE", loosens=looser), fresh()
    made = await by.post(path, said, key=key)
    assert (made.status_code, made.json()["policy"], made.json()["loosens"]) == (201, "US-CA-BRIDGE-1", looser)
    assert (await by.post(path, said, key=key)).json() == made.json()
    listed = (await here.nurse.get(path)).json()
    assert (listed["opened_with"], listed["in_force"], listed["items"]) == ("US", "US-1", [made.json()])
    assert (await here.chart())["profile"] == "US-1"
    await days_pass(here, 1)
    assert (await here.nurse.get(path)).json()["in_force"] == "US-CA-BRIDGE-1"
    assert (await here.chart())["profile"] == "US-CA-BRIDGE-1"


async def test_three_missed_doses_are_judged_by_the_profile_of_the_day(clinic: Clinic) -> None:
    here = await dispensary(clinic, profile="US", time_zone="America/New_York")
    by = await director(here)
    order = await here.order()
    late = await here.give(order, given_at=days_ago(here, 4), late={"reason": "The network was down."})
    assert late.status_code == 201
    assert late.json()["profile"] == "US-1"
    cleared = await here.prescriber.get(f"/clients/{here.client}/medication")
    holds = [each["id"] for each in cleared.json()["holds"]]
    for hold in holds:
        done = await here.prescriber.post(
            f"/holds/{hold}/clearance",
            {"reason": "Looked at.", "password": "correct horse battery staple"},
            key=fresh(),
        )
        assert done.status_code == 201, done.text

    def ladder(rows: list[dict[str, Any]]) -> list[str]:
        return [each["policy"] for each in rows if each["rule"] == "missed_doses"]

    assert ladder((await here.chart())["due"]["in_the_way"]) == ["us.missed.3 of US-1"]
    said = wanted(here, "US-CA-BRIDGE", loosens=await loosened(here, by, "US-CA-BRIDGE"))
    assert (await by.post(f"/programmes/{here.programme}/profiles", said, key=fresh())).status_code == 201
    assert ladder((await here.chart())["due"]["in_the_way"]) == ["us.missed.3 of US-1"]
    await days_pass(here, 1)
    assert ladder((await here.chart())["due"]["in_the_way"]) == []
    listed = (await here.nurse.get(f"/programmes/{here.programme}/dispensing")).json()["items"]
    assert ladder(listed[0]["due"]["in_the_way"]) == []
    given = await here.give(order)
    assert (given.status_code, given.json()["profile"]) == (201, "US-CA-BRIDGE-1")
    [first] = [each for each in (await here.chart())["doses"] if each["id"] == late.json()["id"]]
    assert first["profile"] == "US-1"


async def test_a_stricter_profile_needs_none_named(clinic: Clinic) -> None:
    here = await dispensary(clinic, profile="US-CA-BRIDGE", time_zone="America/New_York")
    administrator = await clinic.person((Role.ADMINISTRATOR, None))
    made = await administrator.post(f"/programmes/{here.programme}/profiles", wanted(here, "US"), key=fresh())
    assert (made.status_code, made.json()["loosens"]) == (201, [])


async def test_it_is_refused_for_a_day_that_has_begun_to_anybody_else_and_without_a_reason(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    by, path = await director(here), f"/programmes/{here.programme}/profiles"
    for said, field in ((wanted(here, from_on=str(here.today)), "from_on"), (wanted(here, reason=" "), "reason")):
        refused = await by.post(path, said, key=fresh())
        assert (refused.status_code, [each["field"] for each in refused.json()["errors"]]) == (422, [field])
    assert (await here.prescriber.post(path, wanted(here), key=fresh())).status_code == 403
    elsewhere = await clinic.person((Role.MEDICAL_DIRECTOR, await clinic.programme()))
    assert (await elsewhere.post(path, wanted(here), key=fresh())).status_code == 403
    assert (await by.post(f"/programmes/{fresh()}/profiles", wanted(here), key=fresh())).status_code == 404


async def test_of_two_who_choose_at_once_each_word_has_its_own_number(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    by, path = await director(here), f"/programmes/{here.programme}/profiles"
    answers = await asyncio.gather(*(by.post(path, wanted(here, "UK"), key=fresh()) for _ in range(4)))
    made = sorted(each.json()["number"] for each in answers if each.status_code == 201)
    assert made == sorted(set(made))
    assert {each.status_code for each in answers} <= {201, 409}
    assert [each["number"] for each in (await here.nurse.get(path)).json()["items"]] == list(range(1, len(made) + 1))


async def test_the_database_takes_no_word_for_a_day_that_is_long_past(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    by = await director(here)
    made = await by.post(f"/programmes/{here.programme}/profiles", wanted(here, "UK"), key=fresh())
    owner = await asyncpg.connect(clinic.addresses.owner)
    with pytest.raises(asyncpg.CheckViolationError, match="programme_profile_from_a_later_day"):
        await owner.execute(
            "update clinic.programme_profile set from_on = $1 where id = $2", date(2020, 1, 1), made.json()["id"]
        )
    await owner.close()
