"""Waste and counts over HTTP: what takes two people, who they may be, and what one alone cannot do."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from caseload.domain.access import Role
from tests.api.conftest import Clinic
from tests.api.dispensary import fresh, give_password
from tests.api.storeroom import storeroom

pytestmark = pytest.mark.anyio


async def test_a_spill_counts_at_once_and_is_witnessed_by_somebody_else(clinic: Clinic) -> None:
    store = await storeroom(clinic)
    bottle = await store.open_bottle()

    waste = await store.waste(bottle, "12.5", key=None)
    assert await store.balance(bottle) == Decimal("987.5")
    assert [each["id"] for each in (await store.stock())["waiting_for_a_witness"]] == [waste["id"]]
    own = await store.witness(waste, by=store.here.nurse)
    key = fresh()
    witnessed = await store.witness(waste, key=key)
    again = await store.witness(waste, key=key)
    twice = await store.witness(waste)
    withdrawn = await store.here.nurse.post(f"/stock-wastes/{waste['id']}/withdrawal", {"reason": "A slip."})

    assert (own.status_code, own.json()["type"]) == (403, "urn:caseload:problem:own-waste")
    assert witnessed.status_code == again.status_code == 201, witnessed.text
    assert witnessed.json()["settled_by"] == str(store.here.colleague.staff.id)
    assert {twice.json()["type"], withdrawn.json()["type"]} == {"urn:caseload:problem:waste-settled"}
    assert await store.balance(bottle) == Decimal("987.5")
    assert (await store.stock())["waiting_for_a_witness"] == []


async def test_a_witness_proves_their_password(clinic: Clinic) -> None:
    store = await storeroom(clinic)
    waste = await store.waste(await store.open_bottle())

    wrong = await store.here.colleague.post(f"/stock-wastes/{waste['id']}/witness", {"password": "guess"})

    assert wrong.status_code in {401, 403, 422}, wrong.text
    assert [each["id"] for each in (await store.stock())["waiting_for_a_witness"]] == [waste["id"]]


async def test_a_record_of_waste_that_nobody_witnessed_can_be_withdrawn(clinic: Clinic) -> None:
    store = await storeroom(clinic)
    bottle = await store.open_bottle()
    path = f"/stock-wastes/{(await store.waste(bottle, '100'))['id']}/withdrawal"

    silent = await store.here.nurse.post(path, {"reason": " "})
    withdrawn = await store.here.nurse.post(path, {"reason": "Another bottle."}, key=fresh())

    assert (silent.status_code, withdrawn.status_code) == (422, 201), withdrawn.text
    assert withdrawn.json()["verdict"] == "withdrawn"
    assert await store.balance(bottle) == Decimal(1000)


async def test_waste_beyond_the_books_has_happened_and_must_be_explained(clinic: Clinic) -> None:
    store = await storeroom(clinic)
    bottle = await store.open_bottle()

    await store.waste(bottle, "1001")
    later = (store.clinic.service.clock() + timedelta(hours=1)).isoformat()
    future = await store.here.nurse.post(
        f"/stock-containers/{bottle}/wastes",
        {"kind": "spill", "amount_mg": "0", "reason": "", "happened_at": later},
    )

    assert await store.wrong() == [("below_zero", "1")]
    assert {each["field"] for each in future.json()["errors"]} == {"amount_mg", "reason", "happened_at"}


async def test_a_count_that_agrees_needs_no_reason_and_one_that_differs_does(clinic: Clinic) -> None:
    store = await storeroom(clinic)
    bottle = await store.open_bottle()

    unexplained = await store.count(bottle, "990")
    excused = await store.count(bottle, "1000", cause="measuring", explanation="None.")
    negative = await store.count(bottle, "-1")
    agreed = await store.count(bottle, "1000", key=(key := fresh()))
    again = await store.count(bottle, "1000", key=key, seen='"1"')
    read = await store.here.nurse.get(f"/stock-counts/{agreed.json()['id']}")

    assert {each["field"] for each in unexplained.json()["errors"]} == {"cause", "explanation"}
    assert {each["field"] for each in excused.json()["errors"]} == {"cause", "explanation"}
    assert negative.status_code == 422
    assert agreed.status_code == again.status_code == 201, agreed.text
    assert agreed.json() == again.json() == read.json()
    assert agreed.json()["variance_mg"] == "0"


async def test_a_count_is_in_the_books_when_a_second_person_has_signed(clinic: Clinic) -> None:
    store = await storeroom(clinic)
    bottle = await store.open_bottle()
    count = (await store.count(bottle, "1004", cause="overfill", explanation="As the label allows.")).json()
    assert await store.balance(bottle) == Decimal(1000)
    assert [each["id"] for each in (await store.stock())["waiting_for_a_second_count"]] == [count["id"]]
    assert (await store.give("60")).status_code == 201

    own = await store.confirm(count, by=store.here.nurse)
    key = fresh()
    confirmed = await store.confirm(count, key=key)
    again = await store.confirm(count, key=key)
    twice = await store.confirm(count, by=store.pharmacist)

    assert (own.status_code, own.json()["type"]) == (403, "urn:caseload:problem:own-count")
    assert confirmed.status_code == again.status_code == 201, confirmed.text
    assert confirmed.json()["confirmed_by"] == str(store.here.colleague.staff.id)
    assert (twice.status_code, twice.json()["type"]) == (409, "urn:caseload:problem:count-over")
    assert await store.balance(bottle) == Decimal(944)


async def test_a_count_of_what_has_moved_meanwhile_is_refused(clinic: Clinic) -> None:
    store = await storeroom(clinic)
    bottle = await store.open_bottle()
    seen = (await store.read(bottle)).headers["etag"]
    assert (await store.give("60")).status_code == 201

    counted = await store.count(bottle, "1000", seen=seen)

    assert counted.status_code == 412


async def test_only_the_newest_count_of_a_container_can_be_confirmed(clinic: Clinic) -> None:
    store = await storeroom(clinic)
    bottle = await store.open_bottle()
    said: dict[str, Any] = {"cause": "measuring", "explanation": "The measure."}
    first = (await store.count(bottle, "995", **said)).json()
    second = (await store.count(bottle, "996", by=store.here.colleague, **said)).json()

    stale = await store.confirm(first)
    newest = await store.confirm(second, by=store.here.nurse)

    assert (stale.status_code, stale.json()["type"]) == (409, "urn:caseload:problem:count-over")
    assert newest.status_code == 201, newest.text
    assert await store.balance(bottle) == Decimal(996)


async def test_a_prescriber_may_witness_waste_but_does_not_count(clinic: Clinic) -> None:
    store = await storeroom(clinic)
    bottle = await store.open_bottle()
    counsellor = await clinic.person((Role.COUNSELLOR, store.here.programme))
    await give_password(clinic, counsellor)
    waste = await store.waste(bottle)

    assert (await store.witness(waste, by=counsellor)).status_code == 403
    assert (await store.count(bottle, "995", by=store.here.prescriber)).status_code == 403
    assert (await store.witness(waste, by=store.here.prescriber)).status_code == 201
