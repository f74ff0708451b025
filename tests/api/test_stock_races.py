"""Two windows at one bottle, retries, and what is left when a transaction dies between dose and stock."""

from collections import Counter
from decimal import Decimal

import anyio
import httpx
import pytest
from sqlalchemy import text

from tests.api.conftest import Clinic
from tests.api.dispensary import fresh
from tests.api.storeroom import Storeroom, storeroom

pytestmark = pytest.mark.anyio


async def _doses_mg(store: Storeroom) -> Decimal:
    """What the doses of the programme come to, by the doses themselves."""
    async with store.clinic.service.engine.connect() as connection:
        found = await connection.execute(
            text("select coalesce(sum(amount_mg), 0) from clinic.dose where programme_id = :programme and version = 1"),
            {"programme": store.here.programme},
        )
        return found.scalar_one()


async def test_two_nurses_at_one_bottle_never_lose_a_milligram(clinic: Clinic) -> None:
    store = await storeroom(clinic)
    bottle = await store.open_bottle()
    orders = [await store.here.order(client=await store.here.another_client()) for _ in range(12)]
    answers: list[int] = []

    async def give(number: int) -> None:
        by = (store.here.nurse, store.here.colleague)[number % 2]
        answers.append((await store.here.give(orders[number], by=by)).status_code)

    async with anyio.create_task_group() as both:
        for number in range(12):
            both.start_soon(give, number)

    assert Counter(answers) == {201: 12}
    assert await store.balance(bottle) == 1000 - await _doses_mg(store) == Decimal(280)


async def test_one_dose_raced_by_two_nurses_takes_once(clinic: Clinic) -> None:
    store = await storeroom(clinic)
    bottle = await store.open_bottle()
    for _ in range(5):
        order = await store.here.order(client=await store.here.another_client())
        answers: list[httpx.Response] = []

        async def give(by: int, order: dict[str, str] = order, answers: list[httpx.Response] = answers) -> None:
            answers.append(await store.here.give(order, by=(store.here.nurse, store.here.colleague)[by]))

        async with anyio.create_task_group() as both:
            both.start_soon(give, 0)
            both.start_soon(give, 1)
        assert sorted(each.status_code for each in answers) == [201, 409]

    assert await store.balance(bottle) == 1000 - await _doses_mg(store) == Decimal(700)


async def test_a_retry_with_the_same_key_takes_once(clinic: Clinic) -> None:
    store = await storeroom(clinic)
    bottle = await store.open_bottle()
    pump = await store.dispenser()
    order = await store.here.order()
    key, seen = fresh(), (await store.read(bottle)).headers["etag"]

    doses = [await store.here.give(order, key=key) for _ in range(3)]
    poured = await store.move(bottle, "pours", {"target_id": pump, "amount_mg": "100"}, key=key)
    again = await store.move(bottle, "pours", {"target_id": pump, "amount_mg": "100"}, key=key, seen=seen)
    wastes = [await store.waste(bottle, "5", key=key) for _ in range(2)]

    assert {each.status_code for each in doses} == {201}
    assert len({each.json()["id"] for each in doses}) == 1
    assert poured.status_code == again.status_code == 201
    assert wastes[0]["id"] == wastes[1]["id"]
    assert (await store.balance(bottle), await store.balance(pump)) == (Decimal(835), Decimal(100))


async def test_of_two_pours_of_one_bottle_as_it_was_displayed_one_is_made(clinic: Clinic) -> None:
    store = await storeroom(clinic)
    [bottle] = await store.receive(store.bottle("B-1"))
    pumps = [await store.dispenser(f"Pump {number}") for number in range(2)]
    seen = (await store.read(bottle)).headers["etag"]
    answers: list[int] = []

    async def pour(pump: str) -> None:
        answer = await store.move(bottle, "pours", {"target_id": pump, "amount_mg": "700"}, seen=seen)
        answers.append(answer.status_code)

    async with anyio.create_task_group() as both:
        for pump in pumps:
            both.start_soon(pour, pump)

    assert answers.count(201) == 1
    assert set(answers) <= {201, 409, 412}
    assert await store.balance(bottle) == Decimal(300)
    assert sum([await store.balance(pump) for pump in pumps]) == Decimal(700)


async def test_of_a_witness_and_a_withdrawal_at_once_one_settles_it(clinic: Clinic) -> None:
    store = await storeroom(clinic)
    bottle = await store.open_bottle()
    waste = await store.waste(bottle, "100")
    answers: list[int] = []

    async def witness() -> None:
        answers.append((await store.witness(waste)).status_code)

    async def withdraw() -> None:
        path = f"/stock-wastes/{waste['id']}/withdrawal"
        answers.append((await store.here.nurse.post(path, {"reason": "A slip."})).status_code)

    async with anyio.create_task_group() as both:
        both.start_soon(witness)
        both.start_soon(withdraw)

    assert sorted(answers) == [201, 409]
    settled = (await store.here.nurse.get(f"/programmes/{store.here.programme}/stock")).json()
    assert settled["waiting_for_a_witness"] == []
    assert await store.balance(bottle) in {Decimal(900), Decimal(1000)}


async def test_a_count_waits_for_the_dose_under_way_and_then_sees_it(clinic: Clinic) -> None:
    store = await storeroom(clinic)
    bottle = await store.open_bottle()
    dose = (await store.give("60")).json()
    seen = (await store.read(bottle)).headers["etag"]
    answers: list[httpx.Response] = []

    async def count() -> None:
        answers.append(await store.count(bottle, "940", seen=seen))

    async with clinic.service.engine.connect() as connection:
        # A dose of another window that has taken and has not been committed.
        await connection.execute(
            text(
                "insert into clinic.stock_taking (dose_id, line, dose_version, programme_id, medicine, form,"
                " container_id, amount_mg, taken_at, recorded_by, recorded_at)"
                " select id, 2, 1, programme_id, medicine, form, :container, 60, given_at, recorded_by, recorded_at"
                " from clinic.dose where id = :dose"
            ),
            {"container": bottle, "dose": dose["id"]},
        )
        async with anyio.create_task_group() as counting:
            counting.start_soon(count)
            await anyio.sleep(0.5)
            assert answers == [], "it must not count beside an act that is under way"
            await connection.rollback()

    assert [each.status_code for each in answers] == [201], answers[0].text
