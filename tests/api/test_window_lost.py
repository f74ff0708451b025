"""Vomited, spilled and replaced: the dose stays as it was, and nothing is given in its place without a decision."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from caseload.db.window import doses as lost
from caseload.db.window import spills
from tests.api.conftest import Clinic, Person
from tests.api.days import pass_days
from tests.api.dispensary import PASSWORD, Dispensary, days_ago, dispensary, fresh
from tests.api.storeroom import storeroom
from tests.api.test_dosing_statements import state, taken, verify
from tests.api.test_steps import look, rising
from tests.api.test_window import as_owner, line_of, queue_of
from tests.factories.explain import generic_plan_of

pytestmark = pytest.mark.anyio


@pytest.fixture
async def place(clinic: Clinic) -> Dispensary:
    return await dispensary(clinic)


async def given(place: Dispensary, **said: Any) -> dict[str, Any]:
    answer = await place.give(await place.order(), **said)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def age(place: Dispensary, dose: dict[str, Any], *, minutes: int) -> None:
    """Move a dose into the past, as its owner only can."""
    await as_owner(
        place,
        "update clinic.dose set given_at = given_at - $1::int * interval '1 minute',"
        " recorded_at = recorded_at - $1::int * interval '1 minute' where id = $2",
        *(minutes, dose["id"]),
    )


async def vomited(place: Dispensary, dose: dict[str, Any], *, minutes: int = 0, witnessed: bool = True) -> None:
    answer = await place.nurse.post(
        f"/doses/{dose['id']}/vomited", {"minutes_after": minutes, "witnessed": witnessed, "note": "In the yard."}
    )
    assert answer.status_code == 201, answer.text


async def decide(place: Dispensary, dose: dict[str, Any], *, by: Person | None = None, **said: Any) -> Any:
    body = {"verdict": "replace", "at_most_mg": "30", "reason": "Seen and assessed.", "password": PASSWORD, **said}
    return await (by or place.prescriber).post(f"/doses/{dose['id']}/replacement-decisions", body)


async def replace(place: Dispensary, dose: dict[str, Any], *, key: str | None = None, **said: Any) -> Any:
    return await place.nurse.post(f"/doses/{dose['id']}/replacement", {"amount_mg": "30", **said}, key=key or fresh())


def rules(answer: Any) -> list[str]:
    assert answer.status_code == 409, answer.text
    return [each["rule"] for each in answer.json()["facts"]["rules"]]


async def test_a_vomited_dose_is_not_replaced_without_a_decision_and_stays_as_it_was(place: Dispensary) -> None:
    """60 mg, vomited 40 minutes later, unwitnessed; the nurse asks to replace it (domain.md, worked example 90)."""
    dose = await given(place)
    await age(place, dose, minutes=40)
    await vomited(place, dose, minutes=40, witnessed=False)

    refused = await replace(place, dose)
    assert rules(refused) == ["not_decided"]
    assert "uk.vomited of UK-1" in str(refused.json()["facts"]["rules"])
    assert (await place.give(await order_of(place, dose))).status_code == 409

    stands = (await place.nurse.get(f"/doses/{dose['id']}")).json()
    assert (stands["amount_mg"], stands["kind"], stands["version"]) == ("60", "ordinary", 1)
    assert stands["vomited"] == {"minutes_after": 40, "witnessed": False}
    (waiting,) = (await place.prescriber.get(f"/programmes/{place.programme}/vomited-doses")).json()["items"]
    assert waiting["dose_id"] == dose["id"]

    asked = await decide(place, dose)
    assert asked.status_code == 409
    assert asked.json()["facts"]["asked"] == ["late", "unwitnessed"]
    decided = await decide(place, dose, confirmed=True)
    assert decided.status_code == 201, decided.text
    assert decided.json()["asked"] == ["late", "unwitnessed"]
    assert (await place.prescriber.get(f"/programmes/{place.programme}/vomited-doses")).json()["items"] == []

    replaced = await replace(place, dose)
    assert replaced.status_code == 201, replaced.text
    assert (replaced.json()["kind"], replaced.json()["replaces_dose_id"]) == ("replacement", dose["id"])
    still = (await place.nurse.get(f"/doses/{dose['id']}")).json()
    assert {**still, "given_at": 0} == {**stands, "given_at": 0}


async def order_of(place: Dispensary, dose: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": dose["order_id"],
        "client_id": dose["client_id"],
        "medicine": dose["medicine"],
        "form": dose["form"],
        "amounts_mg": {"whole": "60"},
    }


@pytest.mark.parametrize(
    ("minutes", "witnessed", "asked"),
    [(29, True, None), (30, True, ["late"]), (29, False, ["unwitnessed"]), (0, True, None)],
)
async def test_the_profile_asks_twice_about_a_late_or_unseen_one(
    place: Dispensary, *, minutes: int, witnessed: bool, asked: list[str] | None
) -> None:
    dose = await given(place)
    await age(place, dose, minutes=minutes)
    await vomited(place, dose, minutes=minutes, witnessed=witnessed)
    answer = await decide(place, dose)
    assert answer.status_code == (201 if asked is None else 409)
    assert asked is None or answer.json()["facts"]["asked"] == asked
    leave = await decide(place, dose, verdict="leave", at_most_mg=None)
    assert leave.status_code == 201, leave.text


async def test_a_replacement_is_given_once_and_at_most_what_was_decided(place: Dispensary) -> None:
    dose = await given(place)
    await vomited(place, dose)
    assert (await decide(place, dose, at_most_mg="60.001")).status_code == 422
    assert (await decide(place, dose, at_most_mg="60")).status_code == 201
    assert (await decide(place, dose, at_most_mg="30")).status_code == 201, "the newest decision counts"
    assert rules(await replace(place, dose, amount_mg="30.001")) == ["more_than_decided"]
    key = fresh()
    first = await replace(place, dose, key=key, identified_by="photograph")
    again = await replace(place, dose, key=key, identified_by="photograph")
    assert (first.status_code, again.json()) == (201, first.json())
    assert rules(await replace(place, dose)) == ["already_given"]
    late = await decide(place, dose)
    assert late.status_code == 409
    assert "replaced" in late.json()["title"]


async def test_of_two_windows_at_once_one_replaces(place: Dispensary) -> None:
    dose = await given(place)
    await vomited(place, dose)
    assert (await decide(place, dose)).status_code == 201
    answers = await asyncio.gather(*(replace(place, dose) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 5]


async def test_a_decision_to_leave_it_is_a_decision(place: Dispensary) -> None:
    dose = await given(place)
    await vomited(place, dose)
    assert (await decide(place, dose, verdict="leave", at_most_mg=None)).status_code == 201
    assert rules(await replace(place, dose)) == ["not_decided"]


async def test_a_hold_stands_in_the_way_of_a_replacement_too(place: Dispensary) -> None:
    dose = await given(place)
    await vomited(place, dose)
    assert (await decide(place, dose)).status_code == 201
    await place.hold()
    assert rules(await replace(place, dose)) == ["client_held"]


async def test_a_decision_counts_on_its_own_day(place: Dispensary) -> None:
    dose = await given(place)
    await vomited(place, dose)
    assert (await decide(place, dose)).status_code == 201
    for statement in (
        "update clinic.dose_replacement set dosing_day = dosing_day - 1 where dose_id = $1",
        "update clinic.dose set dosing_day = dosing_day - 1, given_at = given_at - interval '1 day' where id = $1",
    ):
        await as_owner(place, statement, dose["id"])
    assert "not_decided" in rules(await replace(place, dose))


async def test_nothing_is_given_in_its_place_where_somebody_else_has_given_it_since(place: Dispensary) -> None:
    """It came back, the hospital gave the dose of the day, and then the client stands at the window again."""
    dose = await given(place)
    await vomited(place, dose)
    assert (await decide(place, dose)).status_code == 201
    await verify(place, await state(place, taken(place, 0), source="hospital"))
    assert rules(await replace(place, dose)) == ["already_given", "client_held"]
    await clear(place)
    assert rules(await replace(place, dose)) == ["already_given"]


async def test_only_whom_the_profile_names_decides(place: Dispensary) -> None:
    dose = await given(place)
    await vomited(place, dose)
    refused = await decide(place, dose, by=place.colleague)
    assert refused.status_code == 403
    assert refused.json()["facts"]["rule"] == "uk.vomited"


async def test_nothing_is_decided_about_a_dose_that_was_not_lost(place: Dispensary) -> None:
    dose = await given(place)
    assert (await decide(place, dose)).status_code == 409
    assert rules(await replace(place, dose)) == ["not_decided"]


@pytest.mark.parametrize("said", [{"at_most_mg": None}, {"verdict": "leave"}, {"reason": " "}, {"at_most_mg": "0"}])
async def test_a_decision_says_what_it_must(place: Dispensary, said: dict[str, Any]) -> None:
    dose = await given(place)
    await vomited(place, dose)
    assert (await decide(place, dose, **said)).status_code == 422


@pytest.mark.parametrize("minutes", [-1, 1441, 1])
async def test_a_dose_comes_back_within_a_day_and_not_in_the_future(place: Dispensary, minutes: int) -> None:
    dose = await given(place)
    answer = await place.nurse.post(f"/doses/{dose['id']}/vomited", {"minutes_after": minutes, "witnessed": True})
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == ["minutes_after"]


async def test_a_dose_comes_back_once_in_the_record(place: Dispensary) -> None:
    dose = await given(place)
    key, body = fresh(), {"minutes_after": 0, "witnessed": True}
    path = f"/doses/{dose['id']}/vomited"
    first = await place.nurse.post(path, body, key=key)
    assert (await place.nurse.post(path, body, key=key)).json() == first.json()
    assert (await place.colleague.post(path, body)).status_code == 409
    assert (await place.nurse.post(f"/doses/{uuid4()}/vomited", body)).status_code == 404


async def test_a_vomited_dose_and_its_replacement_are_taken_for_the_ladder_and_the_interval(place: Dispensary) -> None:
    """The last dose of yesterday is the replacement: its amount and time are what tomorrow's rules see."""
    dose = await given(place)
    await vomited(place, dose)
    assert (await decide(place, dose)).status_code == 201
    assert (await replace(place, dose)).status_code == 201
    line = line_of(await queue_of(place), place.client)
    assert line["due"]["last_taken"]["amount_mg"] == "30"
    assert line in (await queue_of(place))["attended"]
    chart = (await place.nurse.get(f"/clients/{place.client}/medication")).json()
    assert [each["kind"] for each in chart["doses"]] == ["replacement", "ordinary"]


@pytest.mark.parametrize(("replaced_mg", "asks"), [(None, True), ("29", True), ("30", False)])
async def test_a_dose_that_came_back_was_taken_in_part_unless_it_was_replaced_in_full(
    place: Dispensary, replaced_mg: str | None, *, asks: bool
) -> None:
    """Three such days of the last seven ask the prescriber: nobody can say how much of it was taken."""
    order = await place.order(amounts_mg={"whole": "30"})
    for number in range(3):
        dose = (await place.give(order, amount_mg="30")).json()
        await vomited(place, dose)
        if replaced_mg is not None and number == 1:
            assert (await decide(place, dose)).status_code == 201
            assert (await replace(place, dose, amount_mg=replaced_mg)).status_code == 201
        await pass_days(place, 1)
    answer = await place.give(order, amount_mg="30")
    assert (rules(answer) if asks else answer.status_code) == (["repeated_gaps"] if asks else 201)


async def test_an_amended_replacement_may_not_exceed_the_decision(place: Dispensary) -> None:
    dose = await given(place)
    await vomited(place, dose)
    assert (await decide(place, dose)).status_code == 201
    made = (await replace(place, dose)).json()
    amended = await place.nurse.post(
        f"/doses/{made['id']}/amendments",
        {
            "medicine": "methadone",
            "form": "oral_solution",
            "amount_mg": "35",
            "given_at": made["given_at"],
            "supervised": True,
            "reason": "Misread the cup.",
        },
        headers={"If-Match": '"1"'},
    )
    assert amended.status_code == 201, amended.text
    assert (amended.json()["kind"], amended.json()["rules"]) == ("exception", ["more_than_decided"])


async def spill(place: Dispensary, order: dict[str, Any], *, key: str | None = None, **said: Any) -> Any:
    body = {"order_id": order["id"], "amount_mg": "60", "reason": "The cup fell.", **said}
    return await place.nurse.post(f"/clients/{place.client}/spills", body, key=key)


async def test_what_was_spilled_before_it_was_taken_holds_the_client(place: Dispensary) -> None:
    order = await place.order()
    key = fresh()
    first = await spill(place, order, key=key)
    assert first.status_code == 201, first.text
    assert (await spill(place, order, key=key)).json() == first.json()
    assert rules(await place.give(order)) == ["client_held"]
    (hold,) = (await place.chart())["holds"]
    assert (hold["id"], hold["by_rule"]) == (first.json()["hold_id"], "uk.spilled")
    cleared = await place.prescriber.post(f"/holds/{hold['id']}/clearance", {"reason": "Seen.", "password": PASSWORD})
    assert cleared.status_code == 201
    assert (await place.give(order)).status_code == 201


async def test_a_spill_is_witnessed_by_somebody_else_in_their_own_session(place: Dispensary) -> None:
    made = (await spill(place, await place.order())).json()
    path, body = f"/spills/{made['id']}/witness", {"password": PASSWORD}
    assert (await place.nurse.post(path, body)).status_code == 403
    key = fresh()
    first = await place.colleague.post(path, body, key=key)
    assert first.status_code == 201, first.text
    assert first.json()["witness"] == str(place.colleague.staff.id)
    assert (await place.colleague.post(path, body, key=key)).json() == first.json()
    assert (await place.prescriber.post(path, body)).status_code == 409
    assert (await place.colleague.post(f"/spills/{uuid4()}/witness", body)).status_code == 404


async def test_the_rest_of_a_dose_that_was_spilled_may_be_replaced_by_so_much(place: Dispensary) -> None:
    order = await place.order()
    dose = (await place.give(order, amount_mg="40", less_reason="The rest was spilled.")).json()
    needs_dose = await spill(place, order, amount_mg="20")
    assert needs_dose.status_code == 422
    assert [fault["field"] for fault in needs_dose.json()["errors"]] == ["dose_id"]
    made = await spill(place, order, amount_mg="20", dose_id=dose["id"])
    assert (made.status_code, made.json()["hold_id"]) == (201, None)
    assert (await decide(place, dose, at_most_mg="20.001")).status_code == 422
    assert (await decide(place, dose, at_most_mg="20")).status_code == 201
    replaced = await replace(place, dose, amount_mg="20")
    assert replaced.status_code == 201, replaced.text


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"amount_mg": "0"}, 422),
        ({"reason": " "}, 422),
        ({"happened_at": "2999-01-01T08:00:00Z"}, 422),
        ({"container_id": str(uuid4())}, 422),
        ({"order_id": str(uuid4())}, 404),
        ({"dose_id": str(uuid4())}, 404),
    ],
)
async def test_a_spill_says_what_it_must(place: Dispensary, said: dict[str, Any], status: int) -> None:
    assert (await spill(place, await place.order(), **said)).status_code == status


async def test_a_spill_is_of_an_order_and_a_dose_of_this_client(place: Dispensary) -> None:
    other = await place.another_client()
    order, other_order = await place.order(), await place.order(client=other)
    other_dose = (await place.give(other_order)).json()
    assert (await spill(place, other_order)).status_code == 404
    answer = await spill(place, order, dose_id=other_dose["id"])
    assert answer.status_code == 422


async def test_a_spill_is_a_line_of_the_stock_where_the_programme_keeps_it(clinic: Clinic) -> None:
    """The dose takes what was taken, the waste what was spilled; one signature of a colleague settles both."""
    room = await storeroom(clinic)
    bottle = await room.open_bottle()
    place = room.here
    order = await place.order()
    dose = (await place.give(order, amount_mg="40", less_reason="The rest was spilled.")).json()
    without = await spill(place, order, amount_mg="20", dose_id=dose["id"])
    assert [fault["field"] for fault in without.json()["errors"]] == ["container_id"]
    made = await spill(place, order, amount_mg="20", dose_id=dose["id"], container_id=bottle)
    assert made.status_code == 201, made.text
    assert await room.balance(bottle) == 1000 - 40 - 20

    witnessed = await place.colleague.post(f"/spills/{made.json()['id']}/witness", {"password": PASSWORD})
    assert witnessed.status_code == 201, witnessed.text
    assert (await room.witness({"id": made.json()["waste_id"]}, by=place.prescriber)).status_code == 409

    assert (await decide(place, dose, at_most_mg="20")).status_code == 201
    assert (await replace(place, dose, amount_mg="20")).status_code == 201
    assert await room.balance(bottle) == 1000 - 40 - 20 - 20
    assert await room.wrong() == []


async def test_a_spill_whose_waste_was_witnessed_already_is_witnessed_all_the_same(clinic: Clinic) -> None:
    room = await storeroom(clinic)
    bottle = await room.open_bottle()
    made = (await spill(room.here, await room.here.order(), container_id=bottle)).json()
    assert (await room.witness({"id": made["waste_id"]})).status_code == 201
    answer = await room.here.colleague.post(f"/spills/{made['id']}/witness", {"password": PASSWORD})
    assert answer.status_code == 201, answer.text


async def test_a_spill_comes_from_a_container_that_holds_it(clinic: Clinic) -> None:
    room = await storeroom(clinic)
    other = await room.open_bottle("B-9", form="oral_concentrate", strength_mg="10")
    answer = await spill(room.here, await room.here.order(), container_id=other)
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == ["container_id"]


async def test_what_is_lost_is_found_by_index(place: Dispensary) -> None:
    given_ = {"dose": uuid4(), "programme": place.programme}
    statements = {
        "vomited": lost.VOMITED_OF,
        "spilled": spills.SPILLED_OF,
        "decisions": lost.REPLACEMENTS_OF,
        "replaced by": lost.REPLACED_BY,
    }
    async with place.clinic.service.engine.connect() as connection:
        await connection.exec_driver_sql("set local enable_seqscan = off")
        for name, statement in statements.items():
            plan = await generic_plan_of(connection, statement, given_)
            assert not any("Seq Scan on" in line for line in plan), f"{name}: {plan}"


async def test_how_identity_was_checked_stands_with_the_dose(place: Dispensary) -> None:
    dose = await given(place, identified_by="questions")
    assert dose["identified_by"] == "questions"
    assert (await place.nurse.get(f"/doses/{dose['id']}")).json()["identified_by"] == "questions"


async def test_how_identity_was_checked_stands_with_a_late_entry_and_a_replacement_too(place: Dispensary) -> None:
    late = {"late": {"reason": "Typed in."}, "given_at": days_ago(place, 0)}
    dose = await given(place, identified_by="known", **late)
    assert dose["identified_by"] == "known"
    await vomited(place, dose)
    assert (await decide(place, dose)).status_code == 201
    await clear(place)
    replaced = await replace(place, dose, identified_by="id_document")
    assert replaced.json()["identified_by"] == "id_document"


async def clear(place: Dispensary) -> None:
    """A prescriber has looked at whatever holds the client."""
    for hold in (await place.chart())["holds"]:
        seen = {"reason": "Seen.", "password": PASSWORD}
        assert (await place.prescriber.post(f"/holds/{hold['id']}/clearance", seen)).status_code == 201


async def test_a_step_up_waits_when_a_dose_came_back(place: Dispensary) -> None:
    """Nobody can say that it was taken in full."""
    order = await rising(place, taken_in_full=True)
    await look(place)
    yesterday = (await place.chart())["doses"][0]
    await vomited(place, yesterday)
    assert "step_waits" in rules(await place.give(order, amount_mg="40"))
