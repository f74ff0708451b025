"""The medication chart at a past moment, over HTTP."""

from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from caseload.domain.access import Role
from tests.api.conftest import Clinic
from tests.api.dispensary import Dispensary, days_ago, dispensary

pytestmark = pytest.mark.anyio


async def as_of(here: Dispensary, moment: str, *, by: Any = None) -> httpx.Response:
    return await (by or here.nurse).get(f"/clients/{here.client}/medication", params={"as_of": moment})


async def an_hour_ago(here: Dispensary) -> None:
    """Let everything about the client have been recorded two hours earlier, which may have been yesterday."""
    owner = await asyncpg.connect(here.clinic.addresses.owner)
    for change in (
        (
            "update clinic.medication_order set written_at = written_at - interval '2 hours', starts_on = starts_on - 1"
            " where client_id = $1"
        ),
        "alter table clinic.medication_order_confirmation disable trigger all",
        (
            "update clinic.medication_order_confirmation set confirmed_at = confirmed_at - interval '2 hours'"
            " where order_id in (select id from clinic.medication_order where client_id = $1)"
        ),
        "alter table clinic.medication_order_signature disable trigger all",
        (
            "update clinic.medication_order_signature set signed_at = signed_at - interval '2 hours'"
            " where order_id in (select id from clinic.medication_order where client_id = $1)"
        ),
        "alter table clinic.medication_order_signature enable trigger all",
        "alter table clinic.medication_order_confirmation enable trigger all",
    ):
        await owner.execute(change, *([here.client] if "$1" in change else []))
    await owner.close()


async def test_the_chart_of_a_moment_tells_what_was_known_and_what_had_happened(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await here.order()
    await an_hour_ago(here)
    moment = (clinic.service.clock() - timedelta(hours=1)).isoformat()
    first = await as_of(here, moment)
    assert first.status_code == 200, first.text
    known = first.json()["known"]
    assert [(each["id"], each["standing"]) for each in known["orders"]] == [(order["id"], "in_force")]
    assert (known["doses"], known["not_given"], known["holds"], first.json()["happened"]["doses"]) == ([], [], [], [])
    ninety = (clinic.service.clock() - timedelta(minutes=90)).isoformat()
    late = await here.give(order, given_at=ninety, late={"reason": "The network was down."})
    assert late.status_code == 201, late.text
    await here.hold()
    again = await as_of(here, moment)
    assert again.json()["known"] == known
    assert [each["id"] for each in again.json()["happened"]["doses"]] == [late.json()["id"]]
    assert (await here.chart())["doses"][0]["id"] == late.json()["id"]


async def test_a_moment_that_is_not_settled_or_says_no_offset_is_refused(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    settled = 2 * clinic.service.settings.request_seconds
    now = clinic.service.clock()
    for moment in (
        now.isoformat(),
        days_ago(here, -1),
        (now - timedelta(seconds=settled - 5)).isoformat(),
        "2026-01-01T00:00:00",
        "1899-12-31T23:59:59Z",
    ):
        refused = await as_of(here, moment)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "as_of"), moment
    for moment in ((now - timedelta(seconds=settled + 5)).isoformat(), "1900-01-01T00:00:00Z"):
        assert (await as_of(here, moment)).status_code == 200


async def test_it_is_for_whoever_may_see_the_chart(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    elsewhere = await clinic.person((Role.NURSE, await clinic.programme()))
    assert (await as_of(here, "2026-01-01T00:00:00Z", by=elsewhere)).status_code == 404
    desk = await clinic.person((Role.FRONT_DESK, here.programme))
    assert (await as_of(here, "2026-01-01T00:00:00Z", by=desk)).status_code == 403
