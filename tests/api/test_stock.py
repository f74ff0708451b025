"""Stock over HTTP: what came, what is poured, and what doses take."""

from datetime import timedelta
from decimal import Decimal

import pytest

from caseload.domain.access import Role
from tests.api.conftest import Clinic
from tests.api.dispensary import PASSWORD, days_ago, dispensary, fresh
from tests.api.storeroom import SUPPLIER, storeroom

pytestmark = pytest.mark.anyio


async def test_a_dose_takes_from_the_bottle_that_the_station_uses(clinic: Clinic) -> None:
    store = await storeroom(clinic)
    bottle = await store.open_bottle()

    assert (await store.give("60")).status_code == 201
    assert (await store.give("42.5", station_id=store.station)).status_code == 201

    read = (await store.read(bottle)).json()
    assert (read["balance_mg"], read["quantity"]) == ("897.5", "897.5")
    assert await store.wrong() == []


async def test_what_is_poured_leaves_the_bottle_and_doses_leave_the_dispenser(clinic: Clinic) -> None:
    store = await storeroom(clinic)
    [bottle] = await store.receive(store.bottle("B-1", strength_mg="10", form="oral_concentrate"))
    pump = await store.dispenser(strength_mg="10", form="oral_concentrate")

    poured = await store.pour(bottle, pump, "400")
    await store.use(pump)
    given = await store.give("60", order={"form": "oral_concentrate", "strength_mg": "10"})

    assert poured.status_code == given.status_code == 201, poured.text
    assert (await store.balance(bottle), await store.balance(pump)) == (Decimal(600), Decimal(340))
    assert (await store.read(pump)).json()["quantity"] == "34"
    [total] = (await store.stock())["totals"]
    assert (total["balance_mg"], total["quantity"]) == ("940", "94")


async def test_a_programme_that_keeps_no_stock_records_doses_all_the_same(clinic: Clinic) -> None:
    here = await dispensary(clinic)

    assert (await here.give(await here.order())).status_code == 201
    pharmacist = await clinic.person((Role.PHARMACIST, here.programme))
    station = await pharmacist.post(f"/programmes/{here.programme}/stations", {"name": "Window 1"})
    assert (station.status_code, station.json()["type"]) == (409, "urn:caseload:problem:stock-not-kept")
    refused = await here.nurse.get(f"/programmes/{here.programme}/stock")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:caseload:problem:stock-not-kept")


async def test_the_books_cannot_begin_on_a_day_that_has_doses(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    assert (await here.give(await here.order())).status_code == 201
    pharmacist = await clinic.person((Role.PHARMACIST, here.programme))
    path = f"/programmes/{here.programme}/stock-keeping"

    today = await pharmacist.post(path, {"from_on": str(here.today)})
    yesterday = await pharmacist.post(path, {"from_on": str(here.today - timedelta(days=1))})
    tomorrow = await pharmacist.post(path, {"from_on": str(here.today + timedelta(days=1))}, key=(key := fresh()))
    again = await pharmacist.post(path, {"from_on": str(here.today + timedelta(days=1))}, key=key)
    twice = await pharmacist.post(path, {"from_on": str(here.today + timedelta(days=2))})

    assert (today.status_code, today.json()["type"]) == (409, "urn:caseload:problem:doses-of-that-day")
    assert yesterday.status_code == 422
    assert tomorrow.status_code == again.status_code == 201
    assert (twice.status_code, twice.json()["type"]) == (409, "urn:caseload:problem:stock-kept-already")
    assert (await here.give(await here.order(client=await here.another_client()))).status_code == 201


async def test_a_dose_that_the_stock_does_not_reach_is_recorded_and_must_be_explained(clinic: Clinic) -> None:
    store = await storeroom(clinic)
    bottle = await store.open_bottle(amount_mg="50")

    assert (await store.give("60")).status_code == 201

    assert await store.balance(bottle) == Decimal(-10)
    assert await store.wrong() == [("below_zero", "10")]
    counted = await store.count(bottle, "0", cause="overfill", explanation="Ten more than the label says.")
    assert counted.status_code == 201, counted.text
    assert await store.wrong() == [("below_zero", "10")], "one person alone changes nothing"
    assert (await store.confirm(counted.json())).status_code == 201
    assert await store.wrong() == []


async def test_a_dose_with_nothing_in_use_comes_from_nowhere_until_somebody_says_whence(clinic: Clinic) -> None:
    store = await storeroom(clinic)
    bottle, other = await store.receive(store.bottle("B-1"), store.bottle("B-2"))
    dose = (await store.give("60")).json()
    assert await store.wrong() == [("from_nowhere", "60")]
    path, seen = f"/doses/{dose['id']}/stock", {"If-Match": '"1"'}
    sources = [{"container_id": bottle, "amount_mg": "40"}, {"container_id": other, "amount_mg": "20"}]

    short = await store.here.nurse.post(path, {"sources": sources[:1], "reason": "Two bottles."}, headers=seen)
    nobody = await store.here.nurse.post(
        path, {"sources": [{"container_id": dose["id"], "amount_mg": "60"}], "reason": "Guess."}, headers=seen
    )
    stale = await store.here.nurse.post(
        path, {"sources": sources, "reason": "Two bottles."}, headers={"If-Match": '"7"'}
    )
    said = await store.here.nurse.post(
        path, {"sources": sources, "reason": "Two bottles."}, headers=seen, key=(key := fresh())
    )
    again = await store.here.nurse.post(path, {"sources": sources, "reason": "Two bottles."}, headers=seen, key=key)

    assert (short.status_code, nobody.status_code, stale.status_code) == (422, 422, 412)
    assert said.status_code == again.status_code == 201, said.text
    assert (await store.balance(bottle), await store.balance(other)) == (Decimal(960), Decimal(980))
    assert await store.wrong() == []


async def test_a_late_entry_and_an_exception_count_at_once_and_an_earlier_day_does_not(clinic: Clinic) -> None:
    store = await storeroom(clinic)
    bottle = await store.open_bottle()
    here = store.here
    client = await here.another_client()
    order = await here.order(client=client)
    assert (await here.give(order)).status_code == 201

    twice = await here.give(order, late={"reason": "Given twice."}, given_at=here.clinic.service.clock().isoformat())
    before = await here.give(order, late={"reason": "Typed in."}, given_at=days_ago(here, 3))

    assert (twice.status_code, twice.json()["kind"], before.status_code) == (201, "exception", 201)
    assert await store.balance(bottle) == Decimal(880)


async def test_a_correction_and_an_amendment_put_back_by_lines_of_their_own(clinic: Clinic) -> None:
    store = await storeroom(clinic)
    bottle = await store.open_bottle()
    here = store.here
    dose = (await store.give("60")).json()

    amended = await here.nurse.post(
        f"/doses/{dose['id']}/amendments",
        {
            "medicine": "methadone",
            "form": "oral_solution",
            "amount_mg": "55",
            "given_at": dose["given_at"],
            "supervised": True,
            "reason": "Read from the cup.",
        },
        headers={"If-Match": '"1"'},
    )
    assert amended.status_code == 201, amended.text
    assert await store.balance(bottle) == Decimal(945)
    corrected = await here.colleague.post(
        f"/doses/{dose['id']}/correction",
        {"reason": "Another client's chart.", "password": PASSWORD},
        headers={"If-Match": '"2"'},
    )
    assert corrected.status_code == 201, corrected.text
    assert await store.balance(bottle) == Decimal(1000)
    assert await store.wrong() == []
    nothing = await here.nurse.post(
        f"/doses/{dose['id']}/stock",
        {"sources": [{"container_id": bottle, "amount_mg": "55"}], "reason": "Whence."},
        headers={"If-Match": '"2"'},
    )
    assert (nothing.status_code, nothing.json()["type"]) == (409, "urn:caseload:problem:took-nothing")


async def test_an_amendment_to_another_form_takes_from_the_container_of_that_form(clinic: Clinic) -> None:
    store = await storeroom(clinic)
    solution = await store.open_bottle()
    concentrate = await store.open_bottle("B-2", form="oral_concentrate", strength_mg="10")
    dose = (await store.give("60")).json()

    amended = await store.here.nurse.post(
        f"/doses/{dose['id']}/amendments",
        {
            "medicine": "methadone",
            "form": "oral_concentrate",
            "amount_mg": "60",
            "given_at": dose["given_at"],
            "supervised": True,
            "reason": "It was the concentrate.",
        },
        headers={"If-Match": '"1"'},
    )

    assert amended.status_code == 201, amended.text
    assert (await store.balance(solution), await store.balance(concentrate)) == (Decimal(1000), Decimal(940))


async def test_with_two_stations_the_one_that_is_named_is_taken_from(clinic: Clinic) -> None:
    store = await storeroom(clinic)
    one = await store.open_bottle("B-1")
    [two] = await store.receive(store.bottle("B-2"))
    second = await store.pharmacist.post(f"/programmes/{store.here.programme}/stations", {"name": "Window 2"})
    await store.use(two, second.json()["id"])

    assert (await store.give("60", station_id=second.json()["id"])).status_code == 201
    assert (await store.give("30")).status_code == 201
    elsewhere = await store.give("30", station_id=one)

    assert (await store.balance(one), await store.balance(two)) == (Decimal(1000), Decimal(940))
    assert await store.wrong() == [("from_nowhere", "30")]
    assert elsewhere.status_code == 422
    assert elsewhere.json()["errors"][0]["field"] == "station_id"


async def test_what_is_received_is_checked_and_all_that_is_wrong_is_named(clinic: Clinic) -> None:
    store = await storeroom(clinic)
    await store.receive(store.bottle("B-1"))
    path = f"/programmes/{store.here.programme}/stock-receipts"
    past = str(store.here.today - timedelta(days=1))
    later = (store.clinic.service.clock() + timedelta(days=1)).isoformat()

    wrong = await store.pharmacist.post(
        path,
        {
            "received_at": later,
            "bottles": [
                store.bottle("B-2", form="sublingual_film", lot=" ", amount_mg="0", expires_on=past),
                store.bottle("B-2", strength_mg="0"),
            ],
        },
    )
    taken = await store.pharmacist.post(path, {**SUPPLIER, "bottles": [store.bottle("B-1")]})
    none = await store.pharmacist.post(path, {**SUPPLIER, "bottles": []})
    first = await store.pharmacist.post(
        path, {"kind": "first_inventory", "bottles": [store.bottle("B-9", expires_on=past)]}, key=(key := fresh())
    )
    again = await store.pharmacist.post(
        path, {"kind": "first_inventory", "bottles": [store.bottle("B-9", expires_on=past)]}, key=key
    )

    assert {each["field"] for each in wrong.json()["errors"]} == {
        "received_at",
        "supplier_name",
        "supplier_address",
        "bottles",
        "bottles.0.form",
        "bottles.0.lot",
        "bottles.0.amount_mg",
        "bottles.0.expires_on",
        "bottles.1.strength_mg",
    }
    assert (taken.status_code, taken.json()["type"]) == (409, "urn:caseload:problem:name-taken")
    assert none.status_code == 422
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()


async def test_pouring_is_refused_where_it_would_mix_overdraw_or_use_what_has_expired(clinic: Clinic) -> None:
    store = await storeroom(clinic)
    past = str(store.here.today - timedelta(days=1))
    [bottle, strong] = await store.receive(store.bottle("B-1"), store.bottle("B-2", strength_mg="2"))
    [old] = await store.receive(store.bottle("B-3", expires_on=past), kind="first_inventory")
    pump = await store.dispenser()

    assert (await store.pour(strong, pump, "10")).status_code == 422
    assert (await store.pour(bottle, strong, "10")).status_code == 422
    assert (await store.pour(bottle, pump, "0")).status_code == 422
    assert (await store.pour(old, pump, "10")).json()["type"] == "urn:caseload:problem:container-expired"
    assert (await store.move(old, "uses", {"station_id": store.station})).status_code == 409
    much = await store.pour(bottle, pump, "1000.001")
    assert (much.status_code, much.json()["type"]) == (409, "urn:caseload:problem:not-that-much")
    unseen = await store.here.nurse.post(f"/stock-containers/{bottle}/pours", {"target_id": pump, "amount_mg": "10"})
    assert unseen.status_code == 428
    assert (await store.pour(bottle, pump, "1000")).status_code == 201


async def test_a_container_is_used_at_one_station_and_closed_when_nothing_is_left(clinic: Clinic) -> None:
    store = await storeroom(clinic)
    bottle = await store.open_bottle()
    [other] = await store.receive(store.bottle("B-2"))
    pump = await store.dispenser()

    taken = await store.move(other, "uses", {"station_id": store.station})
    nowhere = await store.move(other, "uses", {"station_id": other})
    not_used = await store.move(other, "uses/end")
    in_use = await store.move(bottle, "closing")
    away = await store.move(bottle, "uses/end", key=fresh())
    full = await store.move(bottle, "closing")
    assert (await store.pour(bottle, pump, "1000")).status_code == 201
    closed = await store.move(bottle, "closing", key=(key := fresh()), seen=(await store.read(bottle)).headers["etag"])
    again = await store.move(bottle, "closing", key=key, seen='"7"')
    over = await store.move(bottle, "uses", {"station_id": store.station})

    assert [each.json()["type"].rpartition(":")[2] for each in (taken, not_used, in_use, full, over)] == [
        "in-use",
        "not-in-use",
        "in-use",
        "not-empty",
        "container-closed",
    ]
    assert nowhere.status_code == 404
    assert away.status_code == closed.status_code == again.status_code == 201, away.text
    assert closed.json()["closed_at"] is not None
    assert bottle not in {each["id"] for each in (await store.stock())["containers"]}


async def test_nobody_of_another_programme_sees_or_moves_a_container(clinic: Clinic) -> None:
    store = await storeroom(clinic)
    bottle = await store.open_bottle()
    waste = await store.waste(bottle)
    count = (await store.count(bottle, "995")).json()
    elsewhere = await storeroom(clinic)
    stranger = elsewhere.here.nurse

    assert (await stranger.get(f"/stock-containers/{bottle}")).status_code == 404
    assert (await stranger.get(f"/stock-counts/{count['id']}")).status_code == 404
    assert (await store.witness(waste, by=stranger)).status_code == 404
    assert (await store.confirm(count, by=stranger)).status_code == 404
    assert (await stranger.get(f"/programmes/{store.here.programme}/stock")).status_code == 403
    assert (await store.move(bottle, "uses/end", by=stranger)).status_code == 404


async def test_an_inspector_reads_the_stock_and_changes_nothing(clinic: Clinic) -> None:
    store = await storeroom(clinic)
    bottle = await store.open_bottle()
    await store.give("60")
    inspector = await clinic.person((Role.INSPECTOR, store.here.programme))

    stock = await store.stock(by=inspector)

    assert [each["balance_mg"] for each in stock["containers"]] == ["940"]
    assert (await store.move(bottle, "uses/end", by=inspector)).status_code == 403
