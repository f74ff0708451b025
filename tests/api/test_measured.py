"""Medicines over HTTP: the catalogue, millilitres beside milligrams, and injections that never leave the clinic."""

from typing import Any

import pytest

from caseload.domain.access import Role
from tests.api.conftest import Clinic
from tests.api.dispensary import days_ago, dispensary

pytestmark = pytest.mark.anyio

DEPOT: dict[str, Any] = {
    "medicine": "buprenorphine",
    "form": "extended_release_injection",
    "strength_mg": "96",
    "amounts_mg": {"whole": "96"},
    "every_days": 28,
}


async def test_the_catalogue_says_what_can_be_ordered_with_its_sources(clinic: Clinic) -> None:
    anybody = await clinic.person((Role.FRONT_DESK, await clinic.programme()))
    told = (await anybody.get("/medicines")).json()
    by_name = {each["product"]: each for each in told["products"]}
    depot = by_name["sublocade_300"]
    assert (depot["volume_ml"], depot["concentration_mg_per_ml"], depot["long_acting"]) == ("1.5", "200", True)
    assert by_name["methadone_solution_1"]["confirmed"] is False
    methadone = next(each for each in told["medicines"] if each["medicine"] == "methadone")
    assert {each["country"]: each["schedule"] for each in methadone["schedules"]} == {"US": "II", "UK": "2", "AU": "8"}


async def test_an_order_names_its_product_and_shows_millilitres(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await here.order(strength_mg="5", amounts_mg={"morning": "30", "evening": "32.5"})
    assert order["product"] == "methadone_solution_5"
    assert order["amounts_ml"] == {"whole": None, "morning": "6", "evening": "6.5"}
    due = (await here.chart())["due"]["parts"]
    assert {each["part"]: each["amount_ml"] for each in due} == {"morning": "6", "evening": "6.5"}
    odd = await here.draft(strength_mg="7")
    assert (odd["product"], odd["amounts_ml"]["whole"]) == (None, "8.57")
    tablet = await here.draft(form="tablet", strength_mg="5")
    assert tablet["amounts_ml"] is None


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"strength_mg": "5", "amounts_ml": {"whole": "11.99"}}, "amounts_ml.whole"),
        ({"strength_mg": "5", "amounts_ml": {"morning": "12"}}, "amounts_ml.morning"),
        ({"form": "tablet", "strength_mg": "5", "amounts_ml": {"whole": "12"}}, "amounts_ml.whole"),
    ],
)
async def test_an_order_whose_millilitres_are_not_its_milligrams_is_refused(
    clinic: Clinic, said: dict[str, object], field: str
) -> None:
    here = await dispensary(clinic)
    refused = await here.prescriber.post(f"/clients/{here.client}/orders", here.wish(**said))
    assert refused.status_code == 422
    assert [each["field"] for each in refused.json()["errors"]] == [field]
    agreed = await here.draft(strength_mg="5", amounts_ml={"whole": "12"})
    assert agreed["amounts_ml"]["whole"] == "12"


async def test_a_dose_keeps_its_millilitres_and_a_wrong_measure_is_refused(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await here.order(strength_mg="5")
    refused = await here.give(order, amount_ml="60")
    assert (refused.status_code, [each["field"] for each in refused.json()["errors"]]) == (422, ["amount_ml"])
    assert "measure again" in refused.text
    given = await here.give(order, amount_ml="12")
    assert (given.status_code, given.json()["amount_ml"]) == (201, "12")
    assert (await here.nurse.get(f"/doses/{given.json()['id']}")).json()["amount_ml"] == "12"


async def test_a_dose_of_a_liquid_has_millilitres_also_when_nobody_says_them(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    given = (await here.give(await here.order(strength_mg="5"))).json()
    assert given["amount_ml"] == "12"
    amended = await here.nurse.post(
        f"/doses/{given['id']}/amendments",
        {
            **{name: given[name] for name in ("medicine", "form", "given_at", "supervised")},
            "amount_mg": "50",
            "reason": "Miscounted.",
        },
        headers={"If-Match": '"1"'},
    )
    assert (amended.status_code, amended.json()["amount_ml"]) == (201, "10")


async def test_millilitres_of_a_dose_without_an_order_are_refused_for_nobody_knows_the_concentration(
    clinic: Clinic,
) -> None:
    here = await dispensary(clinic)
    order = await here.order()
    said: dict[str, Any] = {"order_id": None, "given_at": days_ago(here, 1), "late": {"reason": "Paper."}}
    refused = await here.give(order, **said, amount_ml="60")
    assert (refused.status_code, [each["field"] for each in refused.json()["errors"]]) == (422, ["amount_ml"])
    kept = await here.give(order, **said)
    assert (kept.status_code, kept.json()["amount_ml"]) == (201, None)


async def test_an_injection_is_never_handed_to_the_client(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    refused = await here.prescriber.post(f"/clients/{here.client}/orders", here.wish(**DEPOT, supervised=False))
    assert (refused.status_code, [each["field"] for each in refused.json()["errors"]]) == (422, ["supervised"])
    depot = await here.order(**DEPOT)
    assert depot["product"] == "buvidal_monthly_96"
    handed = await here.give(depot, supervised=False)
    assert (handed.status_code, [each["field"] for each in handed.json()["errors"]]) == (422, ["supervised"])
    assert (await here.give(depot)).status_code == 201
