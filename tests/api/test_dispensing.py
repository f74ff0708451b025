"""The dispensing log over HTTP: what an inspector reads, by number and not by name, for a limited time."""

from datetime import timedelta

import pytest

from caseload.domain.access import Role
from tests.api.conftest import Clinic
from tests.api.dispensary import dispensary

pytestmark = pytest.mark.anyio


async def test_an_inspector_reads_what_was_dispensed_and_no_name(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    dose = (await here.give(await here.order())).json()
    inspector = await clinic.person((Role.INSPECTOR, here.programme))

    log = await inspector.get(f"/programmes/{here.programme}/dispensing-log?first={here.today}")

    assert log.status_code == 200, log.text
    (line,) = log.json()["items"]
    assert (line["dose_id"], line["medicine"], line["amount_consumed_mg"]) == (dose["id"], "methadone", "60")
    assert (line["strength_mg"], line["dispensed_by"]) == ("1", here.nurse.staff.printed_name)
    assert not {"given_name", "family_name", "birth_date"} & line.keys()


async def test_the_log_comes_in_pages_without_a_gap(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    given = [(await here.give(await here.order())).json()["id"]]
    for number in range(2):
        client = await here.another_client(family_name=f"Other {number}")
        given.append((await here.give(await here.order(client=client))).json()["id"])

    found: list[str] = []
    after = ""
    for _ in range(3):
        page = (await here.nurse.get(f"/programmes/{here.programme}/dispensing-log?limit=2{after}")).json()
        found += [line["dose_id"] for line in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"

    assert found == given


async def test_a_log_of_another_programme_or_of_a_year_is_refused(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    elsewhere = await clinic.programme()
    inspector = await clinic.person((Role.INSPECTOR, here.programme))

    assert (await inspector.get(f"/programmes/{elsewhere}/dispensing-log")).status_code == 403
    year = f"first={here.today - timedelta(days=365)}&last={here.today}"
    assert (await inspector.get(f"/programmes/{here.programme}/dispensing-log?{year}")).status_code == 422
    backwards = f"first={here.today}&last={here.today - timedelta(days=1)}"
    assert (await inspector.get(f"/programmes/{here.programme}/dispensing-log?{backwards}")).status_code == 422
