"""What the keeper of a stock owes the authorities, over HTTP: inventories in time, and word of every theft and loss."""

from datetime import date, timedelta

import pytest

from caseload.domain.stock.duties import business_days_after
from tests.api.conftest import Clinic
from tests.api.dispensary import fresh
from tests.api.storeroom import Storeroom, storeroom

pytestmark = pytest.mark.anyio


async def _counted(store: Storeroom, container: str) -> None:
    count = (await store.count(container, (await store.read(container)).json()["balance_mg"])).json()
    assert (await store.confirm(count)).status_code == 201


@pytest.mark.parametrize(("profile", "days"), [("US", 730), ("UK", 7), ("AU", 30)])
async def test_an_inventory_is_every_container_counted_by_two_people_that_day(
    clinic: Clinic, profile: str, days: int
) -> None:
    store = await storeroom(clinic, profile=profile)
    one, two = await store.receive(store.bottle("B-1"), store.bottle("B-2"))
    path = f"/programmes/{store.here.programme}/stock-inventories"
    assert (await store.stock())["inventory_due_on"] == str(store.here.today)
    await _counted(store, one)

    missing = await store.pharmacist.post(path, {"moment": "close"})
    await _counted(store, two)
    taken = await store.pharmacist.post(path, {"moment": "close"}, key=(key := fresh()))
    again = await store.pharmacist.post(path, {"moment": "close"}, key=key)
    twice = await store.pharmacist.post(path, {"moment": "close"})

    assert (missing.status_code, missing.json()["type"]) == (409, "urn:caseload:problem:not-all-counted")
    assert missing.json()["facts"]["containers"] == [two]
    assert taken.status_code == 201, taken.text
    assert taken.json() == again.json()
    assert {line["container_id"] for line in taken.json()["lines"]} == {one, two}
    assert (twice.status_code, twice.json()["type"]) == (409, "urn:caseload:problem:inventory-taken")
    stock = await store.stock()
    assert stock["last_inventory_on"] == str(store.here.today)
    assert stock["inventory_due_on"] == str(store.here.today + timedelta(days=days))


async def test_an_empty_safe_has_an_inventory_too(clinic: Clinic) -> None:
    store = await storeroom(clinic)

    taken = await store.pharmacist.post(f"/programmes/{store.here.programme}/stock-inventories", {"moment": "opening"})

    assert (taken.status_code, taken.json()["lines"]) == (201, [])


async def test_a_loss_has_the_deadlines_of_the_profile_until_the_authority_is_told(clinic: Clinic) -> None:
    store = await storeroom(clinic, profile="US", time_zone="America/New_York")
    [bottle] = await store.receive(store.bottle("B-1"))
    path = f"/programmes/{store.here.programme}/stock-losses"
    said = {"kind": "theft", "what": "The seal of B-1 was broken.", "container_id": bottle, "amount_mg": "40"}
    discovered = store.clinic.service.clock() - timedelta(days=60)
    found_on = discovered.astimezone(store.here.zone).date()

    loss = (await store.pharmacist.post(path, said | {"discovered_at": discovered.isoformat()}, key=fresh())).json()
    now = (await store.pharmacist.post(path, said, key=(key := fresh()))).json()
    again = (await store.pharmacist.post(path, said, key=key)).json()

    assert now == again
    assert loss["notice_by"] == str(business_days_after(found_on, 1))
    assert loss["form_by"] == str(found_on + timedelta(days=45))
    stock = await store.stock()
    assert [each["id"] for each in stock["losses"]] == [loss["id"], now["id"]]
    assert stock["late_losses"] == [loss["id"]]
    steps = f"/stock-losses/{loss['id']}/steps"
    noticed = await store.pharmacist.post(steps, {"step": "notice", "document": "Fax 12"}, key=(key := fresh()))
    repeated = await store.pharmacist.post(steps, {"step": "notice", "document": "Fax 12"}, key=key)
    twice = await store.pharmacist.post(steps, {"step": "notice", "document": "Fax 13"})
    empty = await store.pharmacist.post(steps, {"step": "form", "document": " "})
    sent = await store.pharmacist.post(steps, {"step": "form", "document": "DEA 106, copy in the safe"})
    assert noticed.json() == repeated.json()
    assert (twice.status_code, twice.json()["type"]) == (409, "urn:caseload:problem:step-done")
    assert (empty.status_code, sent.status_code, sent.json()["done"]) == (422, 201, ["form", "notice"])
    assert [each["id"] for each in (await store.stock())["losses"]] == [now["id"]]


async def test_where_no_form_is_asked_for_none_is_sent_and_a_loss_names_its_own_container(clinic: Clinic) -> None:
    store, other = await storeroom(clinic, profile="UK"), await storeroom(clinic)
    [elsewhere] = await other.receive(other.bottle("B-1"))
    path = f"/programmes/{store.here.programme}/stock-losses"
    later = (store.clinic.service.clock() + timedelta(days=1)).isoformat()

    wrong = await store.pharmacist.post(path, {"kind": "loss", "what": " ", "amount_mg": "0", "discovered_at": later})
    foreign = await store.pharmacist.post(path, {"kind": "loss", "what": "Spilled unseen.", "container_id": elsewhere})
    loss = (await store.pharmacist.post(path, {"kind": "loss", "what": "Spilled unseen."})).json()
    form = await store.pharmacist.post(f"/stock-losses/{loss['id']}/steps", {"step": "form", "document": "None"})
    stranger = await other.pharmacist.post(f"/stock-losses/{loss['id']}/steps", {"step": "notice", "document": "x"})

    assert {each["field"] for each in wrong.json()["errors"]} == {"what", "amount_mg", "discovered_at"}
    assert foreign.status_code == 422
    assert loss["form_by"] is None
    assert (form.status_code, stranger.status_code) == (409, 404)


@pytest.mark.parametrize(
    ("found", "days", "by"),
    [
        ("2026-11-19", 1, "2026-11-20"),
        ("2026-11-20", 1, "2026-11-23"),
        ("2026-11-21", 1, "2026-11-23"),
        ("2026-11-22", 2, "2026-11-24"),
        ("2026-11-20", 0, "2026-11-20"),
    ],
)
async def test_business_days_are_weekdays(found: str, days: int, by: str) -> None:
    assert business_days_after(date.fromisoformat(found), days) == date.fromisoformat(by)
