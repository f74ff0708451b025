"""What an inspector is shown: the ledger of a day, the register of controlled drugs, the dispensing log as a file."""

import csv
import io
from datetime import timedelta

import httpx
import pytest

from caseload.domain.access import Role
from tests.api.conftest import Clinic
from tests.api.dispensary import PASSWORD, dispensary
from tests.api.storeroom import Storeroom, storeroom

pytestmark = pytest.mark.anyio

WHICH = "medicine=methadone&form=oral_solution"


def table(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text)))


async def played(clinic: Clinic, profile: str) -> tuple[Storeroom, str]:
    """A morning: received, poured, two doses, one taken back, a spill with its witness, a count."""
    store = await storeroom(clinic, profile=profile)
    [bottle] = await store.receive(store.bottle("B-1"), supplier_name="=North", supplier_address="@1 Quay")
    pump = await store.dispenser("=1+1")
    assert (await store.pour(bottle, pump, "500")).status_code == 201
    await store.use(pump)
    assert (await store.give("60")).status_code == 201
    wrong = (await store.give("40")).json()
    corrected = await store.here.colleague.post(
        f"/doses/{wrong['id']}/correction",
        {"reason": "Another client.", "password": PASSWORD},
        headers={"If-Match": '"1"'},
    )
    assert corrected.status_code == 201
    assert (await store.witness(await store.waste(bottle, "5"))).status_code == 201
    mistaken = await store.waste(bottle, "7")
    withdrawn = await store.here.nurse.post(f"/stock-wastes/{mistaken['id']}/withdrawal", {"reason": "A slip."})
    assert withdrawn.status_code == 201
    count = await store.count(bottle, "497", cause="overfill", explanation="The maker's.")
    assert (await store.confirm(count.json())).status_code == 201
    return store, pump


async def test_the_ledger_of_a_day_runs_from_one_balance_to_the_next(clinic: Clinic) -> None:
    store, pump = await played(clinic, "US")
    inspector = await clinic.person((Role.INSPECTOR, store.here.programme))
    path = f"/programmes/{store.here.programme}/stock-ledger?{WHICH}"

    day = (await inspector.get(path)).json()

    assert (day["opening_mg"], day["closing_mg"]) == ("0", "937")
    assert [(each["kind"], each["amount_mg"], each["balance_mg"]) for each in day["entries"]] == [
        ("received", "1000", "1000"),
        ("poured_out", "-500", "500"),
        ("poured_in", "500", "1000"),
        ("dose", "-60", "940"),
        ("dose", "-40", "900"),
        ("put_back", "40", "940"),
        ("waste", "-5", "935"),
        ("waste", "-7", "928"),
        ("waste_withdrawn", "7", "935"),
        ("variance", "2", "937"),
    ]
    assert {each["container_id"] for each in day["entries"] if each["kind"] == "dose"} == {pump}
    [total] = (await store.stock())["totals"]
    assert total["balance_mg"] == day["closing_mg"]
    tomorrow = (await inspector.get(f"{path}&first={store.here.today + timedelta(days=1)}")).json()
    assert (tomorrow["opening_mg"], tomorrow["entries"], tomorrow["closing_mg"]) == ("937", [], "937")


async def test_the_register_names_whom_it_was_supplied_to_where_the_profile_says_so(clinic: Clinic) -> None:
    store, _ = await played(clinic, "UK")
    inspector = await clinic.person((Role.INSPECTOR, store.here.programme))

    forward, *lines = table(
        await inspector.get(f"/programmes/{store.here.programme}/controlled-drugs-register?{WHICH}")
    )

    assert (forward["entry"], forward["balance_mg"]) == ("brought forward", "0")
    assert [line["entry"] for line in lines] == [
        "received", "dose", "dose", "put_back", "waste", "waste", "waste_withdrawn", "variance",
    ]  # fmt: skip
    assert lines[-1]["balance_mg"] == "937"
    received, given = lines[0], lines[1]
    assert (received["received_from"], received["supplier_address"]) == ("'=North", "'@1 Quay")
    assert (received["quantity_in"], received["document"]) == ("1000", "INV-1")
    assert given["supplied_to"].endswith(" Second")
    assert (given["authority"], given["quantity_out"], given["amount_out_mg"]) == ("Dr Ada Osei", "60", "60")
    assert given["container"] == "'=1+1"
    assert (lines[4]["recorded_by"], lines[4]["witness"]) == ("Nora Quill", "Imran Shah")


async def test_the_register_of_another_profile_and_the_dispensing_log_name_nobody(clinic: Clinic) -> None:
    store, _ = await played(clinic, "US")
    inspector = await clinic.person((Role.INSPECTOR, store.here.programme))

    register = await inspector.get(f"/programmes/{store.here.programme}/controlled-drugs-register?{WHICH}")
    log = await inspector.get(f"/programmes/{store.here.programme}/dispensing-log/file")

    assert "Second" not in register.text + log.text
    assert len(table(register)) == 9
    given, corrected = table(log)
    assert (given["substance"], given["strength_mg"], given["dosage_form"]) == ("methadone", "1", "oral_solution")
    assert (given["amount_consumed_mg"], given["taken_home_mg"], given["initials"]) == ("60", "0", "NQ")
    assert given["patient"]
    assert (corrected["amount_consumed_mg"], corrected["not_given"]) == ("0", "corrected as not given")


async def test_a_shortfall_stands_in_the_register_as_the_number_it_is(clinic: Clinic) -> None:
    store = await storeroom(clinic)
    await store.open_bottle(amount_mg="50")
    assert (await store.give("60")).status_code == 201

    *_, last = table(
        await store.here.nurse.get(f"/programmes/{store.here.programme}/controlled-drugs-register?{WHICH}")
    )

    assert last["balance_mg"] == "-10"


async def test_whoever_may_not_read_the_log_there_is_shown_no_file(clinic: Clinic) -> None:
    store, elsewhere = await storeroom(clinic), await dispensary(clinic)

    for path in (f"stock-ledger?{WHICH}", f"controlled-drugs-register?{WHICH}", "dispensing-log/file"):
        assert (await elsewhere.nurse.get(f"/programmes/{store.here.programme}/{path}")).status_code == 403
    year = f"first={store.here.today - timedelta(days=365)}&last={store.here.today}"
    for path in (f"controlled-drugs-register?{WHICH}&{year}", f"dispensing-log/file?{year}"):
        assert (await store.here.nurse.get(f"/programmes/{store.here.programme}/{path}")).status_code == 422
