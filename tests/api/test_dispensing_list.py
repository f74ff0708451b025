"""The day's list at the window: for each client what is due, and each client's own history beside it."""

from decimal import Decimal

import pytest

from tests.api.conftest import Clinic
from tests.api.dispensary import dispensary

pytestmark = pytest.mark.anyio


async def test_each_line_shows_the_last_dose_of_its_own_client(clinic: Clinic) -> None:
    place = await dispensary(clinic)
    other = await place.another_client()
    third = await place.another_client(family_name="Third")
    first_order = await place.order(amounts_mg={"whole": "60"})
    other_order = await place.order(client=other, amounts_mg={"whole": "35"})
    await place.order(client=third, amounts_mg={"whole": "20"})
    for order in (first_order, other_order):
        assert (await place.give(order)).status_code == 201

    listed = await place.nurse.get(f"/programmes/{place.programme}/dispensing")

    assert listed.status_code == 200, listed.text
    taken = {line["client_id"]: line["due"]["last_taken"] for line in listed.json()["items"]}
    assert Decimal(taken[str(place.client)]["amount_mg"]) == 60
    assert Decimal(taken[str(other)]["amount_mg"]) == 35
    assert taken[str(third)] is None
