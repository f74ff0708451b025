"""Take-home units out of stock over HTTP: taken as they are handed out, destroyed before two people when they come back."""

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from caseload.domain.access import Role
from tests.api.conftest import Clinic, Person
from tests.api.dispensary import fresh, give_password
from tests.api.homes import Homes, homes, rules_of
from tests.api.storeroom import Storeroom
from tests.api.test_stock_ledger import table

pytestmark = pytest.mark.anyio


@dataclass
class Shelf:
    """A dispensary with a stock of its own that hands out, and the bottle at its station."""

    made: Homes
    store: Storeroom
    bottle: str
    order: dict[str, Any]


async def shelf(clinic: Clinic, **options: Any) -> Shelf:
    made = await homes(clinic, **options)
    here = made.here
    pharmacist = await clinic.person((Role.PHARMACIST, here.programme), printed_name="Petra Vale")
    await give_password(clinic, pharmacist)
    begun = await pharmacist.post(f"/programmes/{here.programme}/stock-keeping", {"from_on": str(here.today)})
    assert begun.status_code == 201, begun.text
    station = await pharmacist.post(f"/programmes/{here.programme}/stations", {"name": "Window 1"}, key=fresh())
    store = Storeroom(here=here, pharmacist=pharmacist, station=station.json()["id"])
    bottle = await store.open_bottle()
    await made.may_take(7)
    return Shelf(made=made, store=store, bottle=bottle, order=await here.order())


async def test_each_unit_takes_from_stock_and_a_full_one_is_destroyed_before_two_people(clinic: Clinic) -> None:
    at = await shelf(clinic)
    units = await at.made.handed(1, 2, 3)
    assert await at.store.balance(at.bottle) == Decimal(820)
    version = (await at.store.read(at.bottle)).json()["version"]
    report = await at.made.report(units[0], state="full", taken=False)
    waste = report.json()["units"][0]["waste_id"]
    assert waste is not None
    assert (await at.made.report(units[1])).json()["units"][0]["waste_id"] is None
    assert await at.store.balance(at.bottle) == Decimal(820)
    assert (await at.store.read(at.bottle)).json()["version"] > version
    stock = await at.store.stock()
    assert [(each["id"], each["kind"], each["amount_mg"]) for each in stock["waiting_for_a_witness"]] == [
        (waste, "returned", "60")
    ]
    withdrawn = await at.made.here.nurse.post(f"/stock-wastes/{waste}/withdrawal", {"reason": "Still good."})
    assert (withdrawn.status_code, withdrawn.json()["type"]) == (409, "urn:caseload:problem:never-put-back")
    own = await at.store.witness({"id": waste}, by=at.made.here.nurse)
    assert own.status_code == 403
    assert (await at.store.witness({"id": waste})).status_code in {200, 201}
    assert (await at.store.stock())["waiting_for_a_witness"] == []
    assert await at.store.wrong() == []


@pytest.mark.parametrize(("profile", "by_name"), [("UK", "Her sister May"), ("US", "somebody else")])
async def test_the_register_says_who_collected_each_unit(clinic: Clinic, profile: str, by_name: str) -> None:
    at = await shelf(clinic, profile=profile, time_zone="Europe/London")
    assert (await at.made.here.give(at.order)).status_code == 201
    await at.made.handed(1)
    await at.made.handed(2, collected_by="Her sister May")
    path = f"/programmes/{at.made.here.programme}/controlled-drugs-register?medicine=methadone&form=oral_solution"
    _, *lines = table(await at.store.pharmacist.get(path))
    supplied = [line["collected_by"] for line in lines if line["entry"] == "take_home"]
    assert supplied == ["the client", by_name]


REGISTERED = ("collected_by", "collector", "collector_address", "identity_requested", "identity_provided")


@pytest.mark.parametrize(
    ("profile", "named"),
    [("UK", ("Dr Iqbal", "12 Mill Lane")), ("US", ("somebody else", ""))],
)
async def test_the_register_says_in_which_role_and_whether_identity_was_asked_for_and_shown(
    clinic: Clinic, profile: str, named: tuple[str, str]
) -> None:
    """Regulation 19 of the Misuse of Drugs Regulations 2001; of a healthcare professional also the address."""
    at = await shelf(clinic, profile=profile, time_zone="Europe/London")
    assert (await at.made.here.give(at.order, identified_by="id_document")).status_code == 201
    await at.made.handed(1, identity={"requested": True, "provided": False})
    await at.made.handed(2, collected_by="Her sister May", identity={"requested": True, "provided": True})
    kept = await at.made.hand_out(3, collected_by="Dr Iqbal", collector_address="12 Mill Lane")
    assert (kept.status_code, kept.json()["collector"]) == (201, "health_professional"), kept.text
    assert [kept.json()[each] for each in ("collector_address", "identity_requested", "identity_provided")] == [
        "12 Mill Lane",
        None,
        None,
    ]
    path = f"/programmes/{at.made.here.programme}/controlled-drugs-register?medicine=methadone&form=oral_solution"
    _, *lines = table(await at.store.pharmacist.get(path))
    sister = "Her sister May" if profile == "UK" else "somebody else"
    assert [tuple(line[each] for each in REGISTERED) for line in lines if line["entry"] in {"dose", "take_home"}] == [
        ("the client, at the window", "patient", "", "yes", "yes"),
        ("the client", "patient", "", "yes", "no"),
        (sister, "representative", "", "yes", "yes"),
        (named[0], "healthcare professional", named[1], "not said", "not said"),
    ]
    [dose] = [line for line in lines if line["entry"] == "dose"]
    assert dose["identified_by"] == "id_document"
    assert all(line["identity_requested"] == "" for line in lines if line["entry"] == "received")


@pytest.mark.parametrize("profile", ["UK", "US"])
async def test_the_register_has_the_address_that_the_client_had_given_when_the_line_was_recorded(
    clinic: Clinic, profile: str
) -> None:
    at = await shelf(clinic, profile=profile, time_zone="Europe/London")
    here, where = at.made.here, f"/clients/{at.made.here.client}/contact"
    path = f"/programmes/{here.programme}/controlled-drugs-register?medicine=methadone&form=oral_solution"

    async def addresses() -> list[str]:
        lines = table(await at.store.pharmacist.get(path))
        return [each["supplied_to_address"] for each in lines if each["entry"] in {"dose", "take_home"}]

    assert (await here.give(at.order)).status_code == 201
    for number, address in enumerate(("1 Mill Lane", "2 Quay Street"), start=1):
        said = {"allowed": ["post"], "address": address, "reason": None if number == 1 else "Moved."}
        told = await here.nurse.put(where, said, headers={"If-Match": f'"{number - 1}"'})
        assert told.status_code == 200, told.text
        await at.made.handed(number)
    assert await addresses() == (["", "1 Mill Lane", "2 Quay Street"] if profile == "UK" else [""] * 3)


async def test_whoever_is_known_by_sight_was_not_asked_for_a_proof(clinic: Clinic) -> None:
    at = await shelf(clinic, profile="UK", time_zone="Europe/London")
    assert (await at.made.here.give(at.order, identified_by="known")).status_code == 201
    path = f"/programmes/{at.made.here.programme}/controlled-drugs-register?medicine=methadone&form=oral_solution"
    [dose] = [line for line in table(await at.store.pharmacist.get(path)) if line["entry"] == "dose"]
    assert [dose[each] for each in ("identity_requested", "identity_provided", "identified_by")] == [
        "no",
        "no",
        "known",
    ]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"collector_address": "12 Mill Lane"}, "collector_address"),
        ({"collected_by": "Dr Iqbal", "collector_address": " "}, "collector_address"),
        ({"collected_by": "Dr Iqbal", "collector_address": "x" * 501}, "collector_address"),
        ({"collected_by": "Dr Iqbal", "collected_by_client": True}, "collected_by_client"),
        ({"identity": {"requested": True}}, "identity.provided"),
    ],
)
async def test_what_is_said_of_whoever_collects_must_fit_together(
    clinic: Clinic, said: dict[str, Any], field: str
) -> None:
    at = await shelf(clinic, profile="UK", time_zone="Europe/London")
    refused = await at.made.hand_out(1, **said)
    assert (refused.status_code, [each["field"] for each in refused.json()["errors"]]) == (422, [field]), refused.text
    longest = await at.made.hand_out(1, collected_by="Dr Iqbal", collector_address="x" * 500)
    assert longest.status_code == 201, longest.text


async def test_the_ledger_and_the_dispensing_log_say_what_was_taken_home(clinic: Clinic) -> None:
    at = await shelf(clinic)
    assert (await at.made.here.give(at.order)).status_code == 201
    first, second = await at.made.handed(1, 2)
    await at.made.report(first, state="full", taken=False)
    path = f"/programmes/{at.made.here.programme}"
    ledger = (await at.made.here.nurse.get(f"{path}/stock-ledger?medicine=methadone&form=oral_solution")).json()
    lines = [(each["kind"], each["amount_mg"], each["unit_id"]) for each in ledger["entries"]]
    assert sorted(lines[1:]) == sorted(
        [
            ("dose", "-60", None),
            ("take_home", "-60", first["id"]),
            ("take_home", "-60", second["id"]),
            ("take_home_back", "60", first["id"]),
            ("waste", "-60", first["id"]),
        ]
    )
    assert lines[-2:] == [("take_home_back", "60", first["id"]), ("waste", "-60", first["id"])]
    assert ledger["closing_mg"] == "820"
    home = next(each for each in ledger["entries"] if each["unit_id"] == second["id"])
    assert home["remark"] == f"{second['label']} for {second['for_on']}"
    assert home["client_id"] == str(at.made.here.client)
    log = (await at.made.here.nurse.get(f"{path}/dispensing-log")).json()["items"]
    told = {each["dose_id"]: each for each in log}
    assert len(told) == 3
    unit = told[second["id"]]
    assert (unit["amount_consumed_mg"], unit["taken_home_mg"]) == ("0", "60")
    assert (unit["label"], unit["for_on"]) == (second["label"], second["for_on"])
    [dose] = [each for each in log if each["label"] is None]
    assert (dose["amount_consumed_mg"], dose["taken_home_mg"], dose["for_on"]) == ("60", "0", None)
    paged: list[str] = []
    after = ""
    while True:
        page = (await at.made.here.nurse.get(f"{path}/dispensing-log?limit=1{after}")).json()
        paged += [each["dose_id"] for each in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert paged == [each["dose_id"] for each in log]
    file = (await at.made.here.nurse.get(f"{path}/dispensing-log/file")).text.splitlines()
    columns = file[0].split(",")
    cells = [dict(zip(columns, line.split(","), strict=True)) for line in file[1:]]
    by_dose = {each["dose"]: each for each in cells}
    assert (by_dose[second["id"]]["taken_home_mg"], by_dose[second["id"]]["taken_home_form"]) == ("60", "oral_solution")
    assert (by_dose[dose["dose_id"]]["taken_home_mg"], by_dose[dose["dose_id"]]["taken_home_form"]) == ("0", "")


async def test_nothing_goes_home_from_a_container_that_nobody_can_name(clinic: Clinic) -> None:
    at = await shelf(clinic)
    second = await at.store.pharmacist.post(
        f"/programmes/{at.made.here.programme}/stations", {"name": "Window 2"}, key=fresh()
    )
    other = await at.store.receive(at.store.bottle("B-2"))
    await at.store.use(other[0], second.json()["id"])
    refused = await at.made.hand_out(1)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:caseload:problem:nothing-to-take-from")
    assert (await at.made.read())["units"] == []
    wrong = await at.made.hand_out(1, station_id=fresh())
    assert wrong.status_code in {409, 422}
    assert (await at.made.hand_out(1, station_id=second.json()["id"])).status_code == 201
    assert (await at.store.balance(at.bottle), await at.store.balance(other[0])) == (Decimal(1000), Decimal(940))


async def test_where_no_stock_is_kept_nothing_is_taken_and_a_full_unit_leaves_no_waste(clinic: Clinic) -> None:
    made = await homes(clinic)
    await made.may_take(7)
    await made.here.order()
    [unit] = await made.handed(1)
    report = await made.report(unit, state="full", taken=False)
    assert report.json()["units"][0]["waste_id"] is None


async def test_the_books_cannot_begin_before_units_that_are_out(clinic: Clinic) -> None:
    made = await homes(clinic)
    await made.may_take(7)
    await made.here.order()
    await made.handed(1)
    pharmacist = await clinic.person((Role.PHARMACIST, made.here.programme))
    path = f"/programmes/{made.here.programme}/stock-keeping"
    refused = await pharmacist.post(path, {"from_on": str(made.day(0))})
    assert refused.status_code == 409
    assert (await pharmacist.post(path, {"from_on": str(made.day(1))})).status_code == 201


@pytest.mark.parametrize(
    "statement",
    [
        (
            "insert into clinic.stock_take_home select unit_id, 2, programme_id, medicine, form, container_id, station_id,"
            " -amount_mg, taken_at, recorded_by, recorded_at from clinic.stock_take_home where unit_id = $1"
        ),
        (
            "insert into clinic.take_home_outcome (unit_id, version, client_id, return_id, state, taken)"
            " select id, 1, client_id, (select id from clinic.take_home_return where client_id = u.client_id limit 1),"
            " 'full', false from clinic.take_home_unit u where id = $1"
        ),
        (
            "insert into clinic.stock_waste (id, container_id, kind, amount_mg, reason, happened_at, handled_by, recorded_at,"
            " witness_by, unit_id) select gen_random_uuid(), container_id, 'returned', 60, 'x', now(), recorded_by, now(),"
            " now(), unit_id from clinic.stock_take_home where unit_id = $1"
        ),
    ],
)
async def test_the_database_holds_stock_to_what_the_units_say(clinic: Clinic, statement: str) -> None:
    at = await shelf(clinic)
    unit, other = await at.made.handed(1, 2)
    await at.made.report(other)
    connection = await asyncpg.connect(clinic.addresses.owner)
    try:
        with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="what unit"):
            await change(connection, statement, unit["id"])
    finally:
        await connection.close()


async def change(connection: asyncpg.Connection, statement: str, unit: str) -> None:
    """Change what stands in the stock of a unit, as far as the end of the transaction."""
    async with connection.transaction():
        await connection.execute(statement, unit)
        await connection.execute("set constraints all immediate")


async def test_two_windows_hand_out_a_day_once(clinic: Clinic) -> None:
    at = await shelf(clinic)
    answers = await both(at.made, at.made.here.nurse, at.made.here.colleague)
    assert sorted(each.status_code for each in answers) == [201, 409]
    [refused] = [each for each in answers if each.status_code == 409]
    assert rules_of(refused) == ["dispensed_already"]
    assert await at.store.balance(at.bottle) == Decimal(940)


async def both(made: Homes, *nurses: Person) -> list[Any]:

    return list(await asyncio.gather(*(made.hand_out(1, by=nurse) for nurse in nurses)))
