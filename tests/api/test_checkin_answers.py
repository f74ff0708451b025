"""What check-ins ask and what was answered, over HTTP: null is not zero, and what does not wait is told at once."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from caseload.domain.access import Role
from caseload.domain.checkin import Question
from tests.api.conftest import Clinic
from tests.api.house import House, open_house

pytestmark = pytest.mark.anyio

EVERYTHING: dict[str, Any] = {
    "craving": 10,
    "use_days_28": 0,
    "use_days_30": 1,
    "mood": 0,
    "housing": "at_risk",
    "work": "education",
    "medication": "partly",
    "naloxone_held": False,
    "mutual_aid_days_28": 28,
    "triggers": "Payday.",
    "new_events": None,
    "next_contact": "Thursday, after work.",
    "suicide": "no",
    "overdose_since": False,
    "safeguarding": None,
}


@pytest.fixture
async def house(clinic: Clinic) -> House:
    return await open_house(clinic)


async def late(house: House) -> str:
    """The address of a check-in that is overdue."""
    await house.planned(await house.client(), days_ago=2)
    (line,) = await house.overdue()
    return f"/check-ins/{line['check_in_id']}"


def done(**answers: Any) -> dict[str, Any]:
    return {"mode": "telephone", "answers": answers}


async def test_every_answer_is_kept_as_it_was_given_and_none_is_not_zero(house: House) -> None:
    check_in = await late(house)

    answer = await house.robin.post(f"{check_in}/completion", done(**EVERYTHING))

    assert answer.status_code == 201, answer.text
    assert set(EVERYTHING) == {question.value for question in Question}
    assert answer.json()["outcome"]["answers"] == {"template_version": None, "given": EVERYTHING}
    assert answer.json()["emergency"] is None
    assert (await house.robin.get(check_in)).json()["outcome"]["answers"]["given"] == EVERYTHING


async def test_what_was_not_asked_does_not_stand_there(house: House) -> None:
    check_in = await late(house)

    answer = await house.robin.post(f"{check_in}/completion", done(craving=None, use_days_28=0))

    assert answer.json()["outcome"]["answers"]["given"] == {"craving": None, "use_days_28": 0}


@pytest.mark.parametrize("nothing", [None, {}])
async def test_a_check_in_without_questions_has_no_answers(house: House, nothing: Any) -> None:
    answer = await house.robin.post(f"{await late(house)}/completion", {"mode": "text", "answers": nothing})

    assert (answer.status_code, answer.json()["outcome"]["answers"]) == (201, None)


async def test_every_answer_that_cannot_be_is_refused_at_once(house: House) -> None:
    check_in = await late(house)
    wrong = {"craving": 11, "use_days_28": 29, "use_days_30": 31, "mood": -1, "housing": "castle", "suicide": "perhaps",
             "naloxone_held": 1, "overdose_since": "no", "triggers": " ", "next_contact": "x" * 4001, "work": 3}  # fmt: skip

    refused = await house.robin.post(f"{check_in}/completion", done(**wrong))
    unknown = await house.robin.post(f"{check_in}/completion", done(shoe_size=43))

    assert (refused.status_code, unknown.status_code) == (422, 422)
    assert {each["field"] for each in refused.json()["errors"]} == {f"answers.{name}" for name in wrong}
    assert [each["field"] for each in unknown.json()["errors"]] == ["answers"]
    assert (await house.robin.get(check_in)).json()["waiting"]


@pytest.mark.parametrize(
    ("answers", "grounds"),
    [
        ({"suicide": "intent"}, ["suicidal_intent"]),
        ({"suicide": "thoughts"}, ["suicidal_thoughts"]),
        ({"overdose_since": True}, ["overdose"]),
        ({"safeguarding": True, "overdose_since": True}, ["overdose", "safeguarding"]),
    ],
)
async def test_what_does_not_wait_is_answered_with_what_to_do_and_stays_open(
    house: House, answers: dict[str, Any], grounds: list[str]
) -> None:
    check_in, key = await late(house), str(uuid4())

    first = await house.robin.post(f"{check_in}/completion", done(**answers), key=key)
    again = await house.robin.post(f"{check_in}/completion", done(**answers), key=key)

    assert first.status_code == 201, first.text
    assert again.json() == first.json()
    emergency = first.json()["emergency"]
    assert [each["ground"] for each in emergency["escalations"]] == grounds
    assert "988" in emergency["instruction"]["says"]
    opened = (await house.robin.get("/open-escalations")).json()["items"]
    assert opened == emergency["escalations"]
    assert {each["check_in_id"] for each in opened} == {check_in.removeprefix("/check-ins/")}


async def test_a_correction_escalates_what_is_new_and_takes_nothing_back(house: House) -> None:
    check_in = await late(house)
    first = (await house.robin.post(f"{check_in}/completion", done(suicide="intent", craving=3))).json()
    corrected = {
        "ended": "completed",
        "occurred_at": first["outcome"]["occurred_at"],
        "mode": "telephone",
        "reason": "Ticked the wrong box.",
    }

    without = await house.robin.put(f"{check_in}/outcome", corrected, headers={"If-Match": '"1"'})
    with_other = await house.robin.put(
        f"{check_in}/outcome",
        {**corrected, "answers": {"suicide": "no", "safeguarding": True}},
        headers={"If-Match": '"2"'},
    )

    assert without.json()["outcome"]["answers"] == first["outcome"]["answers"], "as it stood"
    assert with_other.status_code == 200, with_other.text
    assert with_other.json()["outcome"]["answers"]["given"] == {"suicide": "no", "safeguarding": True}
    assert [each["answers"]["given"]["suicide"] for each in with_other.json()["outcomes"]] == ["intent", "intent", "no"]
    assert [each["ground"] for each in with_other.json()["emergency"]["escalations"]] == [
        "suicidal_intent",
        "safeguarding",
    ]


async def test_what_did_not_take_place_has_no_answers(house: House) -> None:
    check_in = await late(house)
    assert (await house.robin.post(f"{check_in}/completion", done(craving=3))).status_code == 201
    missed = {"ended": "missed", "reason": "It was another client."}

    refused = await house.robin.put(
        f"{check_in}/outcome", {**missed, "answers": {"craving": 1}}, headers={"If-Match": '"1"'}
    )
    corrected = await house.robin.put(f"{check_in}/outcome", missed, headers={"If-Match": '"1"'})

    assert [each["field"] for each in refused.json()["errors"]] == ["answers"]
    assert corrected.json()["outcome"]["answers"] is None
    assert corrected.json()["outcomes"][0]["answers"]["given"] == {"craving": 3}


async def test_a_programme_asks_in_versions_and_each_check_in_keeps_its_own(house: House) -> None:
    supervisor = await house.clinic.person((Role.SUPERVISOR, house.programme))
    path = f"/programmes/{house.programme}/check-in-questions"
    before = await house.robin.get(path)
    assert (before.headers["ETag"], {each["asked"] for each in before.json()["questions"]}) == ('"0"', {False})
    asks = {"asks": ["suicide", "craving"], "reason": "What we ask everybody."}

    assert (await supervisor.put(path, asks)).status_code == 428
    assert (await house.robin.put(path, asks, headers={"If-Match": '"0"'})).status_code == 403
    changed = await supervisor.put(path, asks, headers={"If-Match": '"0"'})
    stale = await supervisor.put(path, asks, headers={"If-Match": '"0"'})

    assert (changed.status_code, changed.headers["ETag"], stale.status_code) == (200, '"1"', 412), changed.text
    assert [each["question"] for each in changed.json()["questions"]][:3] == ["suicide", "craving", "use_days_28"]
    check_in = await late(house)
    left_out = await house.robin.post(f"{check_in}/completion", done(craving=1))
    nothing = await house.robin.post(f"{check_in}/completion", {"mode": "telephone"})
    whole = await house.robin.post(f"{check_in}/completion", done(craving=1, suicide=None, mood=7))
    assert [each["field"] for each in left_out.json()["errors"]] == ["answers.suicide"]
    assert [each["field"] for each in nothing.json()["errors"]] == ["answers.suicide", "answers.craving"]
    assert whole.json()["outcome"]["answers"] == {
        "template_version": 1,
        "given": {"craving": 1, "mood": 7, "suicide": None},
    }


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"asks": []}, "asks"),
        ({"asks": ["mood", "mood"]}, "asks"),
        ({"reason": " "}, "reason"),
        ({"reason": "x" * 4001}, "reason"),
    ],
)
async def test_questions_are_named_once_and_with_a_reason(house: House, change: dict[str, Any], field: str) -> None:
    supervisor = await house.clinic.person((Role.SUPERVISOR, house.programme))

    refused = await supervisor.put(
        f"/programmes/{house.programme}/check-in-questions",
        {"asks": ["mood"], "reason": "Yes.", **change},
        headers={"If-Match": '"0"'},
    )

    assert [each["field"] for each in refused.json()["errors"]] == [field]


async def test_two_who_change_the_questions_at_once_make_one_version(house: House) -> None:
    supervisors = [await house.clinic.person((Role.SUPERVISOR, house.programme)) for _ in range(2)]
    path = f"/programmes/{house.programme}/check-in-questions"

    answers = await asyncio.gather(
        *(each.put(path, {"asks": ["mood"], "reason": "Shorter."}, headers={"If-Match": '"0"'}) for each in supervisors)
    )

    assert sorted(each.status_code for each in answers) in ([200, 409], [200, 412])


async def test_a_contact_is_recorded_on_behalf_of_a_colleague_who_works_here(house: House) -> None:
    check_in = await late(house)
    kim = await house.clinic.person((Role.COUNSELLOR, house.programme))

    nobody = await house.robin.post(f"{check_in}/completion", {"mode": "telephone", "on_behalf_of": str(uuid4())})
    done = await house.robin.post(f"{check_in}/completion", {"mode": "telephone", "on_behalf_of": str(kim.staff.id)})

    assert [each["field"] for each in nobody.json()["errors"]] == ["on_behalf_of"]
    outcome = done.json()["outcome"]
    assert (outcome["on_behalf_of"], outcome["recorded_by"]) == (str(kim.staff.id), str(house.robin.staff.id))


async def test_whoever_records_their_own_contact_acts_for_nobody_else(house: House) -> None:
    me = str(house.robin.staff.id)

    done = await house.robin.post(f"{await late(house)}/completion", {"mode": "telephone", "on_behalf_of": me})

    assert done.json()["outcome"]["on_behalf_of"] is None


async def test_of_two_who_complete_one_check_in_at_once_only_one_escalates(house: House) -> None:
    check_in = await late(house)
    nurse = await house.clinic.person((Role.NURSE, house.programme))

    answers = await asyncio.gather(
        *(each.post(f"{check_in}/completion", done(overdose_since=True)) for each in (house.robin, nurse))
    )

    assert sorted(each.status_code for each in answers) == [201, 409]
    (opened,) = (await nurse.get("/open-escalations")).json()["items"]
    assert UUID(opened["check_in_id"]) == UUID(check_in.removeprefix("/check-ins/"))


async def test_a_plan_that_is_changed_meanwhile_loses_no_answer(house: House) -> None:
    client = await house.client()
    plan = await house.planned(client, days_ago=2)
    next_one = max(await house.check_ins(client.id), key=lambda each: each["due_at"])
    stop = house.robin.post(f"/check-in-plans/{plan}/stop", {"reason": "New plan."}, headers={"If-Match": '"1"'})
    (line,) = await house.overdue()

    stopped, completed = await asyncio.gather(
        stop, house.robin.post(f"/check-ins/{line['check_in_id']}/completion", done(suicide="thoughts"))
    )

    assert (stopped.status_code, completed.status_code) == (200, 201), (stopped.text, completed.text)
    assert completed.json()["emergency"]["escalations"][0]["ground"] == "suicidal_thoughts"
    assert (await house.robin.get(f"/check-ins/{next_one['id']}")).json()["outcome"]["ended"] == "withdrawn"
