"""What nobody means, in bodies that are otherwise right: every route of a morning refuses it by its field and keeps nothing."""

from collections.abc import Iterator
from typing import Any, Final, cast

import pytest
from sqlalchemy import text

from caseload.domain.access import Role
from tests.api.conftest import Clinic, Person
from tests.api.dispensary import PASSWORD, Dispensary, dispensary, fresh
from tests.api.homes import MET
from tests.api.storeroom import Storeroom, storeroom

pytestmark = pytest.mark.anyio

INSTANTS: Final = ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-11-22T08:00:00", "now")
DAYS: Final = ("0001-01-01", "9999-12-31", "2026-02-30")
AMOUNTS: Final = (
    "0", "-1", "1e2", "60.0001", "60,5", " 60", "", "60.", "NaN", "\uff16\uff10", "\u0666\u0660", "9999999999", 60, None,
)  # fmt: skip
"""Full-width and Arabic-Indic digits among them."""
TEXTS: Final = ("  ", "\u0000", "x" * 5000, None)
PLACES: Final = {"starts_on": DAYS, "ends_on": DAYS, "day": DAYS, "for_on": DAYS, "review_on": DAYS, "from_on": DAYS}
HOSTILE: Final[dict[str, tuple[Any, ...]]] = {
    **PLACES,
    **dict.fromkeys(("given_at", "told_at", "taken_at", "happened_at"), INSTANTS),
    **dict.fromkeys(("received_at", "discovered_at", "effective_at", "known_at"), INSTANTS),
    **dict.fromkeys(("amount_mg", "whole", "at_most_mg", "counted_mg", "strength_mg"), AMOUNTS),
    **dict.fromkeys(("reason", "pharmacy", "informant", "rationale"), TEXTS),
    "every_days": (0, -1, 2**31, "1", 1.5),
    "minutes_after": (-1, 2**31, 1441, "1"),
    "days": ([], None, 7.5, -1, 10**9),
    "part": ("noon", "", None),
    "order_id": ("00000000-0000-0000-0000-000000000000", "x", 7),
}
NULL_IS_AN_ANSWER: Final = {"ends_on", "at_most_mg"}


def spoilt(body: Any, name: str = "") -> Iterator[tuple[str, Any, Any]]:
    """The body with one thing wrong, once for each thing that can be: where it is, what stands there, the whole."""
    if isinstance(body, dict):
        fields = cast("dict[str, Any]", body)
        for key, value in fields.items():
            for where, wrong, inner in spoilt(value, key):
                yield where, wrong, {**fields, key: inner}
        return
    for wrong in HOSTILE.get(name, ()):
        if wrong is not None or name not in NULL_IS_AN_ANSWER:
            yield name, wrong, wrong
    if isinstance(body, list) and body and isinstance(body[0], dict):
        for where, wrong, inner in spoilt(body[0]):
            yield where, wrong, [inner, *body[1:]]


async def a_morning(store: Storeroom) -> list[tuple[Person, str, dict[str, Any]]]:
    """A request to every route that writes about medicine; each would be kept."""
    here, clinic = store.here, store.clinic
    nurse, prescriber, now, today = here.nurse, here.prescriber, clinic.service.clock().isoformat(), str(here.today)
    bottle = await store.open_bottle()
    order = await here.order()
    dose = (await here.give(await here.order(client=await here.another_client()))).json()
    supplied = await here.order(client=await here.another_client(), supply="pharmacy")
    theirs, ours = f"/clients/{supplied['client_id']}", f"/clients/{here.client}"
    counsellor = await clinic.person((Role.COUNSELLOR, here.programme))
    given = {"medicine": "methadone", "form": "oral_solution", "amount_mg": "60", "given_at": now}
    taken = {"day": today, "part": "whole", "outcome": "taken", "amount_mg": "40", "taken_at": now}
    said = {"informant": "Mr Lund", "told_at": now, "days": [taken]}
    wish = here.wish(starts_on="2027-01-01", ends_on="2027-02-01", every_days=1)
    hospital = {"source": "hospital", "source_name": "St Anne's", "medicine": "methadone", "form": "oral_solution"}
    decision = {"medicine": "methadone", "days": 1, "answers": MET, "rationale": "Steady.", "review_on": today}
    programme = f"/programmes/{here.programme}"
    receipt = {"supplier_name": "W", "supplier_address": "Quay", "document": "1", "received_at": now}
    return [
        (nurse, f"{ours}/doses", {"order_id": order["id"], "part": "whole", **given}),
        (nurse, f"{ours}/doses", {"order_id": order["id"], **given, "late": {"reason": "Paper."}}),
        (nurse, f"/doses/{dose['id']}/amendments", {**given, "supervised": True, "reason": "Misread."}),
        (nurse, f"/doses/{dose['id']}/vomited", {"minutes_after": 0, "witnessed": True}),
        (nurse, f"{ours}/spills", {
            "order_id": order["id"], "amount_mg": "60", "reason": "Fell.", "happened_at": now, "container_id": bottle,
        }),
        (nurse, f"{theirs}/orders/{supplied['id']}/pharmacy-reports", {"pharmacy": "Quay", **said}),
        (nurse, f"{ours}/dose-statements", {**hospital, **said}),
        (prescriber, f"{ours}/orders", {**wish, "steps": [{"from_on": "2027-01-10", "amounts_mg": {"whole": "70"}}]}),
        (prescriber, f"{ours}/dosing-decisions", {"days": [], "at_most_mg": "20", "reason": "Seen.", "password": PASSWORD}),
        (prescriber, f"{ours}/take-home-decisions", {**decision, "password": PASSWORD}),
        (nurse, f"{ours}/take-homes", {"units": [{"for_on": today, "amount_mg": "60"}], "educated": True}),
        (counsellor, f"{ours}/discharge", {"reason": "completed", "effective_at": now}),
        (nurse, f"{ours}/deaths", {"source": "Her sister.", "known_at": now, "died_on": today}),
        (store.pharmacist, f"{programme}/stock-receipts", {**receipt, "bottles": [store.bottle("B-9")]}),
        (store.pharmacist, f"{programme}/stock-losses", {"kind": "loss", "what": "A bottle.", "discovered_at": now}),
        (nurse, f"/stock-containers/{bottle}/wastes", {
            "kind": "spill", "amount_mg": "5", "reason": "Fell.", "happened_at": now,
        }),
        (nurse, f"/stock-containers/{bottle}/counts", {"counted_mg": "7", "password": PASSWORD}),
    ]  # fmt: skip


async def kept(here: Dispensary) -> list[int]:
    """How much there is of everything."""
    counted = text(
        "select (select count(*) from clinic.dose), (select count(*) from clinic.medication_order),"
        " (select count(*) from clinic.dose_statement), (select count(*) from clinic.dose_spill),"
        " (select count(*) from clinic.stock_waste), (select count(*) from clinic.stock_count),"
        " (select count(*) from clinic.signature), (select count(*) from clinic.take_home_unit)"
    )
    async with here.clinic.service.engine.connect() as connection:
        return list((await connection.execute(counted)).one())


@pytest.mark.parametrize("amount_mg", ["-5", "6e1", "60.0001", "99999", "60,5", ""])
async def test_an_amount_that_is_none_is_answered_with_how_one_is_written(clinic: Clinic, amount_mg: str) -> None:
    here = await dispensary(clinic)
    refused = await here.give(await here.order(), amount_mg=amount_mg)
    [told] = refused.json()["errors"]
    assert (refused.status_code, told["field"]) == (422, "amount_mg")
    assert told["problem"] == "write milligrams as text, up to four digits and three decimals, such as 60 or 32.5"
    draft = here.wish(amounts_mg={"whole": amount_mg})
    [told] = (await here.prescriber.post(f"/clients/{here.client}/orders", draft)).json()["errors"]
    assert told["problem"].startswith("write milligrams as text")


async def test_what_nobody_means_is_refused_by_its_field_on_every_route_of_a_morning(clinic: Clinic) -> None:
    store = await storeroom(clinic)
    requests = await a_morning(store)
    before = await kept(store.here)
    wrong: list[str] = []
    for by, path, body in requests:
        for where, value, sent in spoilt(body):
            answer = await by.post(path, sent, headers={"If-Match": '"1"'}, key=fresh())
            told = answer.json()
            named = " ".join(each["field"] for each in told.get("errors", []))
            at = "amounts_mg" if where == "whole" else where
            if answer.status_code not in {404, 412, 422} or (answer.status_code == 422 and at not in named):
                wrong.append(f"{path} {where}={value!r}: {answer.status_code} {named} {answer.text[:200]}")
    assert not wrong, f"{len(wrong)}\n" + "\n".join(wrong)
    assert await kept(store.here) == before
