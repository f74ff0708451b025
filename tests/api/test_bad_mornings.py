"""Bad mornings at the window: whatever happens between display and recording, the answer is clear and nothing is given twice."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from caseload.domain.access import Role
from tests.api.conftest import Clinic
from tests.api.dispensary import PASSWORD, Dispensary, dispensary, fresh
from tests.api.storeroom import storeroom
from tests.api.test_departure import admit, decide, waiting
from tests.api.test_signing import REFUSED
from tests.api.test_window import as_owner

pytestmark = pytest.mark.anyio


async def doses(here: Dispensary) -> list[dict[str, Any]]:
    return (await here.chart(here.colleague))["doses"]


async def test_a_session_that_ends_between_display_and_recording_loses_nothing_and_gives_nothing_twice(
    clinic: Clinic,
) -> None:
    here = await dispensary(clinic)
    order, key = await here.order(), fresh()
    assert (await here.chart())["due"]["parts"][0]["given"] is None
    await as_owner(
        here,
        "update clinic.sign_in_session set started_at = started_at - interval '1 hour',"
        " last_used_at = last_used_at - interval '1 hour' where staff_id = $1",
        here.nurse.staff.id,
    )
    refused = await here.give(order, key=key)
    assert (refused.status_code, refused.json()["type"]) == (401, REFUSED + "session-over")
    said = {"user_name": here.nurse.staff.user_name, "password": PASSWORD}
    signed_in = await clinic.client().post("/api/v1/sign-in", json=said)
    assert signed_in.status_code == 200, signed_in.text
    again = replace(here.nurse, http=clinic.client(signed_in.json()["token"]))
    first = await here.give(order, key=key, by=again)
    assert first.status_code == 201, first.text
    assert (await here.give(order, key=key, by=again)).json() == first.json(), (
        "the answer was lost; the key tells it again"
    )
    assert [each["id"] for each in await doses(here)] == [first.json()["id"]]


async def test_a_client_who_died_meanwhile_is_given_nothing_and_the_refusal_says_so(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await here.order()
    died = await here.colleague.post(
        f"/clients/{here.client}/deaths", {"source": "Her sister, by telephone.", "died_on": str(here.today)}
    )
    assert died.status_code == 201, died.text
    refused = await here.give(order)
    assert (refused.status_code, refused.json()["type"]) == (409, REFUSED + "order-changed")
    assert refused.json()["facts"]["standing"] == "stopped"
    assert await doses(here) == []


async def test_a_client_who_was_discharged_meanwhile_is_given_nothing(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    counsellor = await clinic.person((Role.COUNSELLOR, here.programme))
    await admit(here, counsellor)
    order = await here.order()
    assert (await decide(here, await waiting(here, counsellor), "stop")).status_code == 201
    refused = await here.give(order)
    assert (refused.status_code, refused.json()["facts"]["standing"]) == (409, "stopped")
    assert await doses(here) == []


async def test_another_clients_order_and_another_programmes_are_no_order_of_this_one(clinic: Clinic) -> None:
    here, elsewhere = await dispensary(clinic), await dispensary(clinic)
    ours, theirs = await here.order(client=await here.another_client()), await elsewhere.order()
    for order in (ours, theirs):
        said = {"order_id": order["id"], "medicine": "methadone", "form": "oral_solution", "amount_mg": "60"}
        refused = await here.nurse.post(f"/clients/{here.client}/doses", said, key=fresh())
        assert (refused.status_code, refused.json()["type"]) == (404, REFUSED + "order-unknown")
    refused = await here.give(theirs)
    assert (refused.status_code, refused.json()["type"]) == (404, REFUSED + "client-unknown"), "not in reach at all"
    assert await doses(here) == []


async def test_two_tabs_of_one_nurse_give_one_dose(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await here.order()
    answers = await asyncio.gather(*(here.give(order) for _ in range(4)))
    assert sorted(each.status_code for each in answers) == [201, 409, 409, 409]
    [dose] = await doses(here)
    for each in answers:
        if each.status_code == 409:
            assert [rule["rule"] for rule in each.json()["facts"]["rules"]] == ["already_given"]
            assert each.json()["facts"]["rules"][0]["facts"]["dose"] == dose["id"]


async def test_a_key_that_was_used_for_another_dose_gives_nothing(clinic: Clinic) -> None:
    """The other tab sends the same key for another amount, or for another client."""
    here = await dispensary(clinic)
    order, key = await here.order(), fresh()
    assert (await here.give(order, key=key, amount_mg="30", less_reason="Drowsy.")).status_code == 201
    other = await here.order(client=await here.another_client())
    for said in (here.give(order, key=key, amount_mg="60"), here.give(other, key=key)):
        refused = await said
        assert refused.status_code in {409, 422}, refused.text
    assert [each["amount_mg"] for each in await doses(here)] == ["30"]


async def test_a_dose_before_the_order_begins_and_one_in_the_future_are_refused_with_the_reason(
    clinic: Clinic,
) -> None:
    here = await dispensary(clinic)
    order = await here.order(starts_on=str(here.today + timedelta(days=1)))
    refused = await here.give(order)
    assert [each["rule"] for each in refused.json()["facts"]["rules"]] == ["no_order_in_force"]
    assert refused.json()["facts"]["rules"][0]["facts"]["standing"] == "not_begun"
    ahead = (clinic.service.clock() + timedelta(minutes=5)).isoformat()
    refused = await here.give(order, given_at=ahead)
    assert "future" in [each["rule"] for each in refused.json()["facts"]["rules"]]
    assert await doses(here) == []


@asynccontextmanager
async def full_disk(here: Dispensary) -> AsyncGenerator[None]:
    """Whatever a dose takes from the stock of this programme cannot be written."""
    await as_owner(
        here,
        "create function clinic.full_disk() returns trigger language plpgsql as"
        " $$ begin raise exception 'no space left' using errcode = 'disk_full'; end $$",
    )
    try:
        await as_owner(
            here,
            "create trigger full_disk before insert on clinic.stock_taking for each row"
            f" when (new.programme_id = '{here.programme}') execute function clinic.full_disk()",
        )
        yield
    finally:
        await as_owner(here, "drop function clinic.full_disk() cascade")


async def test_a_database_that_fails_between_dose_and_stock_keeps_neither_and_a_retry_keeps_both(
    clinic: Clinic,
) -> None:
    store = await storeroom(clinic)
    here, bottle = store.here, await store.open_bottle()
    order, key = await here.order(), fresh()
    async with full_disk(here):
        failed = await here.give(order, key=key)
        assert failed.status_code in {500, 503}, failed.text
        assert await doses(here) == []
        assert await store.balance(bottle) == Decimal(1000)
    assert (await here.give(order, key=key)).status_code == 201
    assert len(await doses(here)) == 1
    assert await store.balance(bottle) == Decimal(940)


async def test_a_morning_entered_from_paper_keeps_who_gave_what_when_and_the_stock_agrees(clinic: Clinic) -> None:
    store = await storeroom(clinic)
    here, bottle = store.here, await store.open_bottle()
    sheet = [await here.order(client=await here.another_client()) for _ in range(3)]
    at = clinic.service.clock()
    late = {"reason": "The downtime sheet.", "given_by": str(here.colleague.staff.id)}
    for order in [*sheet, sheet[0]]:
        recorded = await here.give(order, given_at=at.isoformat(), late=late)
        assert recorded.status_code == 201, recorded.text
        dose = recorded.json()
        assert (dose["entry"], dose["given_by"]) == ("late", str(here.colleague.staff.id))
        assert datetime.fromisoformat(dose["given_at"]) == at
        assert datetime.fromisoformat(dose["recorded_at"]) > at
        twice = order is sheet[0] and dose["kind"] == "exception"
        assert dose["rules"] == (["already_given"] if twice else [])
    assert await store.balance(bottle) == Decimal(1000 - 4 * 60), "what was swallowed is gone, twice too"
    waiting = (await here.prescriber.get("/sign-off-queue")).json()["doses"]
    assert [line["risk"] for line in waiting] == ["exception", "late", "late", "late"]
    assert (await here.colleague.get("/sign-off-queue")).json()["doses"] == [], "who gave them looks at none of them"
