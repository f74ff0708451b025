"""Orders by word of mouth over HTTP: read back, countersigned by the same prescriber in time, and off in the UK."""

from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from caseload.domain.access import Role
from tests.api.conftest import Clinic
from tests.api.dispensary import PASSWORD, Dispensary, dispensary, fresh, give_password

pytestmark = pytest.mark.anyio

NEW_YORK: dict[str, str] = {"profile": "US", "time_zone": "America/New_York"}


async def take(here: Dispensary, *, by: Any = None, key: str | None = None, **said: Any) -> httpx.Response:
    wanted: dict[str, Any] = {
        "prescriber": str(here.prescriber.staff.id),
        "read_back": True,
        "order": here.wish(amounts_mg={"whole": "30"}),
        **said,
    }
    return await (by or here.nurse).post(f"/clients/{here.client}/verbal-orders", wanted, key=key or fresh())


async def too_late(here: Dispensary, order: dict[str, Any]) -> None:
    """Move the order back so far that its deadline has passed."""
    owner = await asyncpg.connect(here.clinic.addresses.owner)
    await owner.execute(
        "update clinic.medication_order set written_at = written_at - $1::interval,"
        " countersign_by = countersign_by - $1::interval where id = $2",
        timedelta(hours=73),
        order["id"],
    )
    await owner.close()


async def test_a_verbal_order_counts_at_once_and_is_countersigned_by_its_prescriber(clinic: Clinic) -> None:
    here = await dispensary(clinic, **NEW_YORK)
    key = fresh()
    taken = await take(here, key=key)
    assert (taken.status_code, taken.json()["standing"]) == (201, "in_force")
    order = taken.json()
    assert order["verbal_by"] == str(here.prescriber.staff.id)
    assert (await take(here, key=key)).json() == order
    assert (await here.chart())["due"]["order_id"] == order["id"]
    listed = (await here.nurse.get(f"/programmes/{here.programme}/dispensing")).json()["items"]
    assert [each["due"]["order_id"] for each in listed] == [order["id"]]
    assert (await here.give(order)).status_code == 201
    waiting = (await here.prescriber.get(f"/programmes/{here.programme}/verbal-orders")).json()["items"]
    assert [each["id"] for each in waiting] == [order["id"]]
    another = await clinic.person((Role.PRESCRIBER, here.programme), printed_name="Dr Another")
    await give_password(clinic, another)
    refused = await another.post(f"/orders/{order['id']}/signature", {"password": PASSWORD})
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:caseload:problem:not-their-word")
    signed = await here.sign(order)
    assert (signed.status_code, signed.json()["signed_at"] is not None) == (201, True)
    assert (await here.prescriber.get(f"/programmes/{here.programme}/verbal-orders")).json()["items"] == []


async def test_after_the_deadline_nothing_is_given_until_its_prescriber_signs(clinic: Clinic) -> None:
    here = await dispensary(clinic, **NEW_YORK)
    order = (await take(here)).json()
    await too_late(here, order)
    refused = await here.give(order)
    [told] = refused.json()["facts"]["rules"]
    assert (told["rule"], told["policy"]) == ("countersign_overdue", "us.verbal of US-1")
    assert [each["rule"] for each in (await here.chart())["due"]["in_the_way"]] == ["countersign_overdue"]
    assert (await here.sign(order)).status_code == 201
    assert (await here.give(order)).status_code == 201


async def test_a_verbal_order_whose_last_day_has_passed_is_countersigned_all_the_same(clinic: Clinic) -> None:
    here = await dispensary(clinic, **NEW_YORK)
    order = (await take(here, order=here.wish(amounts_mg={"whole": "30"}, ends_on=str(here.today)))).json()
    owner = await asyncpg.connect(here.clinic.addresses.owner)
    await owner.execute(
        "update clinic.medication_order set starts_on = starts_on - 2, ends_on = ends_on - 2 where id = $1", order["id"]
    )
    await owner.close()
    signed = await here.sign(order)
    assert (signed.status_code, signed.json()["standing"]) == (201, "ended")


async def test_there_is_no_verbal_order_in_the_uk(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    refused = await take(here)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:caseload:problem:no-verbal-orders")
    assert refused.json()["facts"]["policy"] == "uk.verbal of UK-1"


async def test_what_the_profile_would_ask_its_prescriber_nobody_takes_down(clinic: Clinic) -> None:
    here = await dispensary(clinic, **NEW_YORK)
    refused = await take(here, order=here.wish(amounts_mg={"whole": "60"}))
    assert (refused.status_code, refused.json()["facts"]["rules"]) == (409, ["us.first_day"])
    assert (await here.chart())["orders"] == []


async def test_who_spoke_must_order_here_and_be_read_back(clinic: Clinic) -> None:
    here = await dispensary(clinic, **NEW_YORK)
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({"read_back": False}, "read_back"),
        ({"prescriber": str(here.colleague.staff.id)}, "prescriber"),
        ({"prescriber": str(here.nurse.staff.id)}, "prescriber"),
        ({"prescriber": fresh()}, "prescriber"),
    )
    for said, field in wrong:
        refused = await take(here, **said)
        assert (refused.status_code, [each["field"] for each in refused.json()["errors"]]) == (422, [field])
    elsewhere = await clinic.person((Role.PRESCRIBER, await clinic.programme(profile="US")))
    assert (await take(here, prescriber=str(elsewhere.staff.id))).status_code == 422
    counsellor = await clinic.person((Role.COUNSELLOR, here.programme))
    assert (await take(here, by=counsellor)).status_code == 403


async def test_a_verbal_order_replaces_none_and_stands_beside_none(clinic: Clinic) -> None:
    here = await dispensary(clinic, **NEW_YORK)
    first = await here.order(amounts_mg={"whole": "30"})
    assert (await take(here)).json()["type"] == "urn:caseload:problem:order-in-the-way"
    refused = await take(here, order=here.wish(amounts_mg={"whole": "30"}, replaces=first["id"]))
    assert [each["field"] for each in refused.json()["errors"]] == ["wish.replaces"]


async def test_a_verbal_order_that_is_stopped_is_given_no_longer(clinic: Clinic) -> None:
    here = await dispensary(clinic, **NEW_YORK)
    order = (await take(here)).json()
    stop = {"reason": "Misheard.", "password": PASSWORD}
    assert (await here.prescriber.post(f"/orders/{order['id']}/stop", stop)).status_code == 201
    assert (await here.give(order)).status_code == 409
    assert (await here.sign(order)).status_code == 409
