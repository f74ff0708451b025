"""Two orders beside each other over HTTP: buprenorphine built up in the evening while methadone goes on in the morning."""

import asyncio
import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from caseload.db.medication.orders import orders_named
from caseload.domain.ids import OrderId
from tests.api.conftest import Clinic
from tests.api.days import pass_days
from tests.api.dispensary import PASSWORD, Dispensary, days_ago, dispensary, fresh
from tests.api.homes import homes
from tests.api.test_dosing_handing_on import telling

pytestmark = pytest.mark.anyio

METHADONE: dict[str, Any] = {"amounts_mg": {"morning": "60"}}
BUPRENORPHINE: dict[str, Any] = {
    "medicine": "buprenorphine",
    "form": "sublingual_tablet",
    "strength_mg": "2",
    "amounts_mg": {"evening": "2"},
}
NALTREXONE: dict[str, Any] = {
    "medicine": "naltrexone",
    "form": "tablet",
    "strength_mg": "50",
    "amounts_mg": {"evening": "50"},
    "no_opioid_known": "Asked: none.",
}
BOTH = ["uk.another_agonist_beside", "uk.minimum_interval"]


async def both(here: Dispensary) -> tuple[dict[str, Any], dict[str, Any]]:
    """Methadone in the morning, and buprenorphine beside it in the evening."""
    methadone = await here.order(**METHADONE)
    return methadone, await here.order(**BUPRENORPHINE, beside=methadone["id"])


async def give(here: Dispensary, order: dict[str, Any], **said: Any) -> httpx.Response:
    """The dose of the part of the day that the order has."""
    [(part, amount)] = ((part, amount) for part, amount in order["amounts_mg"].items() if amount is not None)
    return await here.give(order, **{"part": part, "amount_mg": amount, **said})


async def give_late(here: Dispensary, order: dict[str, Any], days: int) -> None:
    kept = await give(here, order, given_at=days_ago(here, days), late={"reason": "From the sheet."})
    assert (kept.status_code, kept.json()["kind"]) == (201, "ordinary"), kept.text


def rules(answer: httpx.Response) -> list[str]:
    return [each["rule"] for each in answer.json()["facts"].get("rules", [])]


def problem(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).rpartition(":")[2]


async def stop(here: Dispensary, order: dict[str, Any]) -> httpx.Response:
    return await here.prescriber.post(f"/orders/{order['id']}/stop", {"reason": "Ended.", "password": PASSWORD})


async def lines(here: Dispensary) -> list[dict[str, Any]]:
    return (await here.nurse.get(f"/programmes/{here.programme}/dispensing")).json()["items"]


async def test_an_order_beside_another_names_it_and_the_override_under_its_signature(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    methadone = await here.order(**METHADONE)
    drafted = await here.draft(**BUPRENORPHINE, beside=methadone["id"])
    asked = await here.sign(drafted)
    assert rules(asked) == BOTH
    about, apart = (each["facts"] for each in asked.json()["facts"]["rules"])
    assert (about["medicine"], about["beside"], apart["beside"]) == ("methadone", methadone["id"], methadone["id"])
    assert apart["hours"] == 8
    assert rules(await here.sign(drafted, BOTH[0])) == BOTH
    signed = (await here.sign(drafted, *BOTH, reason="Low-dose induction.")).json()
    assert (signed["standing"], signed["beside"]) == ("in_force", methadone["id"])
    assert [(each["rule"], each["reason"]) for each in signed["confirmed"]] == [
        (rule, "Low-dose induction.") for rule in BOTH
    ]
    assert (await here.nurse.get(f"/orders/{methadone['id']}")).json()["standing"] == "in_force"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (METHADONE, BUPRENORPHINE | {"amounts_mg": {"morning": "2"}}),
        ({"amounts_mg": {"whole": "60"}}, BUPRENORPHINE),
        ({"amounts_mg": {"morning": "40", "evening": "20"}}, BUPRENORPHINE),
        (METHADONE, {"amounts_mg": {"evening": "20"}}),
        (BUPRENORPHINE, {**BUPRENORPHINE, "medicine": "buprenorphine_naloxone", "amounts_mg": {"morning": "2"}}),
    ],
    ids=["the same part", "the whole day", "both parts", "the same medicine", "both are buprenorphine"],
)
async def test_each_medicine_has_one_order_and_each_order_a_part_of_the_day_of_its_own(
    clinic: Clinic, first: dict[str, Any], second: dict[str, Any]
) -> None:
    here = await dispensary(clinic)
    standing = await here.order(**first)
    drafted = await here.draft(**second, beside=standing["id"])
    assert problem(await here.sign(drafted, *BOTH)) == "order-in-the-way"


async def test_what_is_not_named_stays_in_the_way(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    methadone = await here.order(**METHADONE)
    assert problem(await here.sign(await here.draft(**BUPRENORPHINE))) == "order-in-the-way"
    wrong = (
        BUPRENORPHINE | {"amounts_mg": {"whole": "2"}, "beside": methadone["id"]},
        BUPRENORPHINE | {"amounts_mg": {"morning": "2", "evening": "2"}, "beside": methadone["id"]},
        METHADONE | {"beside": methadone["id"], "replaces": methadone["id"]},
    )
    for said in wrong:
        refused = await here.prescriber.post(f"/clients/{here.client}/orders", here.wish(**said))
        assert refused.status_code == 422, refused.text
    unknown = here.wish(**BUPRENORPHINE, beside=fresh())
    assert (await here.prescriber.post(f"/clients/{here.client}/orders", unknown)).status_code == 404


async def test_what_was_written_beside_an_order_that_ended_is_not_signed(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    methadone = await here.order(**METHADONE)
    drafted = await here.draft(**BUPRENORPHINE, beside=methadone["id"])
    assert (await stop(here, methadone)).status_code == 201
    assert problem(await here.sign(drafted)) == "order-moved"


async def test_nothing_stands_beside_a_word_that_is_not_countersigned(clinic: Clinic) -> None:
    here = await dispensary(clinic, profile="US", time_zone="America/New_York")
    said = {"prescriber": str(here.prescriber.staff.id), "read_back": True}
    order = here.wish(amounts_mg={"morning": "30"})
    spoken = await here.nurse.post(f"/clients/{here.client}/verbal-orders", said | {"order": order})
    assert spoken.status_code == 201, spoken.text
    drafted = await here.draft(**BUPRENORPHINE, beside=spoken.json()["id"])
    assert problem(await here.sign(drafted)) == "order-in-the-way"
    assert (await here.sign(spoken.json())).status_code == 201
    assert rules(await here.sign(drafted)) == ["us.another_agonist_beside", "us.minimum_interval"]
    again = await here.nurse.post(
        f"/clients/{here.client}/verbal-orders",
        said | {"order": here.wish(**BUPRENORPHINE, beside=spoken.json()["id"])},
    )
    assert problem(again) == "order-needs-its-prescriber"


async def test_both_are_due_each_in_its_part_and_each_part_is_given_once(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    methadone, buprenorphine = await both(here)
    chart = await here.chart()
    assert (chart["due"]["order_id"], [each["order_id"] for each in chart["due_beside"]]) == (
        methadone["id"],
        [buprenorphine["id"]],
    )
    [told] = chart["due"]["beside"]
    assert (told["rule"], told["policy"]) == ("ordered_beside", "uk.another_agonist_beside of UK-1")
    assert (told["facts"]["order"], told["facts"]["part"]) == (buprenorphine["id"], "evening")
    assert told["facts"]["reason"] == "Seen, and meant."
    assert chart["due_beside"][0]["beside"][0]["facts"]["order"] == methadone["id"]
    assert sorted(each["due"]["order_id"] for each in await lines(here)) == sorted(
        [methadone["id"], buprenorphine["id"]]
    )
    summary = (await here.nurse.get(f"/clients/{here.client}/summary")).json()["medication"]
    assert {summary["medicine"], summary["beside"]} == {"methadone", "buprenorphine"}
    assert (await give(here, methadone)).status_code == 201
    assert (await give(here, buprenorphine)).status_code == 201
    for order in (methadone, buprenorphine):
        assert rules(await give(here, order)) == ["already_given"]
    queue = (await here.nurse.get(f"/programmes/{here.programme}/queue")).json()
    assert len(queue["attended"]) == 2
    assert all(not each["alike"] for each in queue["attended"])


async def test_the_chart_of_a_past_moment_shows_both(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    orders = await both(here)
    await pass_days(here, 2)
    moment = (clinic.service.clock() - timedelta(days=1)).isoformat()
    past = (await here.nurse.get(f"/clients/{here.client}/medication", params={"as_of": moment})).json()
    for told in (past["known"], past["happened"]):
        assert {(each["id"], each["beside"], each["standing"]) for each in told["orders"]} == {
            (orders[0]["id"], None, "in_force"),
            (orders[1]["id"], orders[0]["id"], "in_force"),
        }


async def test_another_provider_is_told_of_both(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    methadone, buprenorphine = await both(here)
    for order in (methadone, buprenorphine):
        assert (await give(here, order)).status_code == 201
    said = telling(emergency="Overdose.", facility="County ED")
    told = await here.nurse.post(f"/clients/{here.client}/last-dose-statements", said)
    content = told.json()["content"]
    [other] = content["beside"]
    assert {(each["medicine"], each["last_dose"]["medicine"]) for each in (content, other)} == {
        ("methadone", "methadone"),
        ("buprenorphine", "buprenorphine"),
    }


async def test_each_part_of_a_day_is_taken_home_by_its_own_order(clinic: Clinic) -> None:
    made = await homes(clinic, profile="UK", time_zone="Europe/London")
    here = made.here
    methadone, buprenorphine = await both(here)
    for order in (methadone, buprenorphine):
        assert (await give(here, order)).status_code == 201
    await made.may_take(7)
    tomorrow = str(made.day(1))
    wanted = [
        {"for_on": tomorrow, "part": "morning", "amount_mg": "60"},
        {"for_on": tomorrow, "part": "evening", "amount_mg": "2"},
    ]
    path = f"/clients/{here.client}/take-homes"
    refused = await here.nurse.post(path, {"units": wanted, "educated": True, "collected_by_client": True}, key=fresh())
    assert [(each["rule"], each["facts"]["medicine"]) for each in refused.json()["facts"]["rules"]] == [
        ("take_home_not_decided", "buprenorphine")
    ]
    await made.may_take(7, medicine="buprenorphine")
    kept = await here.nurse.post(path, {"units": wanted, "educated": True, "collected_by_client": True}, key=fresh())
    assert kept.status_code == 201, kept.text
    assert [(each["part"], each["medicine"]) for each in kept.json()["units"]] == [
        ("morning", "methadone"),
        ("evening", "buprenorphine"),
    ]
    await made.days_pass(1)
    chart = await here.chart()
    for due, unit in zip((chart["due"], chart["due_beside"][0]), kept.json()["units"], strict=True):
        assert [each["facts"]["unit"] for each in due["in_the_way"]] == [unit["id"]]
    for order in (methadone, buprenorphine):
        assert rules(await give(here, order)) == ["take_home_covers"]


async def test_the_other_part_of_an_order_beside_another_is_not_its_own(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    _, buprenorphine = await both(here)
    assert rules(await give(here, buprenorphine, part="morning")) == ["part_not_ordered"]


async def test_each_is_counted_by_its_own_ladder(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    methadone, buprenorphine = await both(here)
    assert (await give(here, methadone)).status_code == 201
    assert (await give(here, buprenorphine)).status_code == 201
    await pass_days(here, 4)
    for days in (3, 2, 1):
        await give_late(here, buprenorphine, days)
    first, second = (await here.chart())["due"], (await here.chart())["due_beside"][0]
    assert [(each["missed"], [stop["rule"] for stop in each["in_the_way"]]) for each in (first, second)] == [
        (3, ["missed_doses"]),
        (0, []),
    ]
    assert (first["last_taken"]["medicine"], second["last_taken"]["medicine"]) == ("methadone", "buprenorphine")
    assert [(each["due"]["medicine"], each["due"]["missed"]) for each in await lines(here)] == [
        ("methadone", 3),
        ("buprenorphine", 0),
    ] or [(each["due"]["medicine"], each["due"]["missed"]) for each in await lines(here)] == [
        ("buprenorphine", 0),
        ("methadone", 3),
    ]
    assert rules(await give(here, methadone)) == ["missed_doses"]
    assert (await give(here, buprenorphine)).status_code == 201


async def test_the_prescriber_is_told_of_each_that_was_missed_while_it_is_built_up(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    methadone, buprenorphine = await both(here)
    for order in (methadone, buprenorphine):
        assert (await give(here, order)).status_code == 201
    await pass_days(here, 2)
    listed = f"/programmes/{here.programme}/missed-in-titration"
    assert {each["order_id"]: each["task_id"] for each in (await here.nurse.get(listed)).json()["items"]} == {
        methadone["id"]: None,
        buprenorphine["id"]: None,
    }
    path, said = f"/clients/{here.client}/prescriber-contacts", {"spoke_to": "Dr Osei", "said": "Give both."}
    told = await here.nurse.post(path, said)
    assert (told.status_code, told.json()["order_id"]) == (201, methadone["id"]), told.text
    items = (await here.nurse.get(listed)).json()["items"]
    assert len({each["task_id"] for each in items} - {None}) == len(items) == 2
    assert problem(await here.nurse.post(path, said)) == "nothing-to-tell"


async def test_a_list_on_which_neither_stands_names_the_client_in_no_entry(clinic: Clinic) -> None:
    """The witness of every answer compares whom the entry names with whom it shows."""
    here = await dispensary(clinic)
    await both(here)
    for by, path in ((here.nurse, "missed-in-titration"), (here.prescriber, "waiting-steps")):
        answer = await by.get(f"/programmes/{here.programme}/{path}")
        assert (answer.status_code, answer.json()["items"]) == (200, []), answer.text


async def test_a_decision_is_about_one_of_the_two(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    methadone, buprenorphine = await both(here)
    assert (await give(here, methadone)).status_code == 201
    assert (await give(here, buprenorphine)).status_code == 201
    await pass_days(here, 4)
    wanted: dict[str, Any] = {"days": [str(here.today)], "reason": "Seen.", "at_most_mg": "30", "password": PASSWORD}
    refused = await here.prescriber.post(f"/clients/{here.client}/dosing-decisions", wanted)
    assert [each["field"] for each in refused.json()["errors"]] == ["medicine"]
    decided = await here.prescriber.post(f"/clients/{here.client}/dosing-decisions", wanted | {"medicine": "methadone"})
    assert (decided.status_code, decided.json()["medicine"]) == (201, "methadone"), decided.text
    assert rules(await give(here, buprenorphine)) == ["missed_doses"]
    assert rules(await give(here, methadone)) == ["more_than_decided"]
    given = await give(here, methadone, amount_mg="30")
    assert (given.status_code, given.json()["decision_id"]) == (201, decided.json()["id"]), given.text


async def test_stopping_one_leaves_the_other(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    methadone, buprenorphine = await both(here)
    assert (await give(here, buprenorphine)).status_code == 201
    assert (await stop(here, buprenorphine)).status_code == 201
    chart = await here.chart()
    assert (chart["due"]["order_id"], chart["due_beside"], chart["due"]["in_the_way"]) == (methadone["id"], [], [])
    assert (await here.nurse.get(f"/clients/{here.client}/summary")).json()["medication"]["beside"] is None
    assert (await give(here, methadone)).status_code == 201
    await pass_days(here, 1)
    assert (await give(here, methadone)).status_code == 201


async def test_a_replacement_goes_on_standing_beside_the_other(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    methadone, buprenorphine = await both(here)
    smaller = await here.draft(amounts_mg={"morning": "50"}, replaces=methadone["id"])
    assert smaller["beside"] == buprenorphine["id"]
    assert rules(await here.sign(smaller)) == [*BOTH, "uk.first_day"]
    assert (await here.sign(smaller, *BOTH, "uk.first_day")).status_code == 201
    wanted: dict[str, Any] = {**BUPRENORPHINE, "amounts_mg": {"evening": "4"}, "replaces": buprenorphine["id"]}
    larger = await here.draft(**wanted)
    assert larger["beside"] == smaller["id"]
    assert (await here.sign(larger, *BOTH)).status_code == 201
    chart = await here.chart()
    assert (chart["due"]["order_id"], chart["due_beside"][0]["order_id"]) == (smaller["id"], larger["id"])
    assert (await give(here, smaller)).status_code == 201
    assert (await give(here, larger)).status_code == 201
    whole = here.wish(amounts_mg={"whole": "50"}, replaces=smaller["id"])
    assert (await here.prescriber.post(f"/clients/{here.client}/orders", whole)).status_code == 422
    assert (await stop(here, larger)).status_code == 201
    assert (await here.prescriber.post(f"/clients/{here.client}/orders", whole)).json()["beside"] is None


async def test_a_hold_on_the_client_holds_both_and_one_on_an_order_that_one(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    methadone, buprenorphine = await both(here)
    aimed = {"reason": "prescriber_asked", "order_id": methadone["id"]}
    held = await here.prescriber.post(f"/clients/{here.client}/holds", aimed)
    assert held.status_code == 201, held.text
    assert rules(await give(here, methadone)) == ["order_held"]
    assert (await give(here, buprenorphine)).status_code == 201
    await here.hold()
    await pass_days(here, 1)
    for order in (methadone, buprenorphine):
        assert "held" in "".join(rules(await give(here, order)))


async def test_naltrexone_beside_an_agonist_is_overridden_like_any_other(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    methadone = await here.order(**METHADONE)
    naltrexone = await here.draft(**NALTREXONE, beside=methadone["id"])
    asked = ["uk.antagonist_beside", "uk.minimum_interval"]
    assert sorted(rules(await here.sign(naltrexone))) == asked
    signed = await here.sign(naltrexone, *asked)
    assert (await give(here, methadone)).status_code == 201
    assert (await give(here, signed.json())).status_code == 201


async def test_two_who_sign_beside_one_order_at_once_leave_two_orders(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    methadone = await here.order(**METHADONE)
    drafts = [await here.draft(**BUPRENORPHINE, beside=methadone["id"]) for _ in range(4)]
    answers = await asyncio.gather(*(here.sign(each, *BOTH) for each in drafts))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert {problem(answer) for answer in answers if answer.status_code == 409} == {"order-in-the-way"}
    chart = await here.chart()
    assert sum(each["standing"] == "in_force" for each in chart["orders"]) == 2


async def test_the_key_that_was_signed_with_answers_again_with_the_order_beside(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    methadone = await here.order(**METHADONE)
    drafted, key = await here.draft(**BUPRENORPHINE, beside=methadone["id"]), fresh()
    said = {"password": PASSWORD, "confirmed": [{"rule": rule, "reason": "Agreed."} for rule in BOTH]}
    answers = [await here.prescriber.post(f"/orders/{drafted['id']}/signature", said, key=key) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert answers[1].json()["beside"] == methadone["id"]


@pytest.mark.parametrize(
    ("said", "constraint"),
    [
        ({**BUPRENORPHINE, "amounts_mg": {"morning": "2"}, "beside": True}, "order_in_its_own_part_of_the_day"),
        ({"amounts_mg": {"evening": "20"}, "beside": True}, "order_of_its_own_kind"),
        (BUPRENORPHINE, "order_that_names_no_other_alone"),
    ],
    ids=["a part that the other has", "a medicine that the other is", "without a name"],
)
async def test_the_database_keeps_no_two_orders_that_share_a_part_a_medicine_or_no_name(
    clinic: Clinic, said: dict[str, Any], constraint: str
) -> None:
    here = await dispensary(clinic)
    methadone = await here.order(**METHADONE)
    drafted = await here.draft(**{**said, **({"beside": methadone["id"]} if "beside" in said else {})})
    owner = await asyncpg.connect(clinic.addresses.owner)
    with pytest.raises(asyncpg.ExclusionViolationError, match=constraint):
        await owner.execute("select clinic.order_days_of($1, now())", drafted["id"])
    assert (await stop(here, methadone)).status_code == 201
    await owner.execute("select clinic.order_days_of($1, now())", drafted["id"])
    await owner.close()


async def test_of_two_that_come_at_once_past_every_lock_the_database_keeps_one(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    methadone = await here.order(**METHADONE)
    drafts = [await here.draft(**BUPRENORPHINE, beside=methadone["id"]) for _ in range(2)]
    owners = [await asyncpg.connect(clinic.addresses.owner) for _ in drafts]
    first, second = (owner.transaction() for owner in owners)
    await first.start()
    await second.start()
    await owners[0].execute("select clinic.order_days_of($1, now())", drafts[0]["id"])
    waiting = asyncio.create_task(owners[1].execute("select clinic.order_days_of($1, now())", drafts[1]["id"]))
    await first.commit()
    with pytest.raises(asyncpg.ExclusionViolationError):
        await waiting
    for owner in owners:
        await owner.close()


async def test_the_signature_covers_which_order_it_stands_beside(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    methadone, buprenorphine = await both(here)
    async with clinic.service.engine.connect() as connection:
        [signed] = list(await orders_named(connection, [buprenorphine["id"]]))
    assert signed.as_signed().content["beside"] == OrderId(uuid.UUID(methadone["id"]))
    assert replace(signed, beside=None).as_signed().content != signed.as_signed().content


async def test_a_replacement_may_name_the_order_beside_which_it_stands(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    methadone, buprenorphine = await both(here)
    more: dict[str, Any] = {**BUPRENORPHINE, "amounts_mg": {"evening": "4"}, "replaces": buprenorphine["id"]}
    named = await here.draft(**more, beside=methadone["id"])
    kept = await here.draft(**more)
    assert named["beside"] == kept["beside"] == methadone["id"]
