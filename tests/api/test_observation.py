"""Observations over HTTP: recorded once, scored, corrected by a new version, within reach only."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from httpx import Response
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError

from caseload.db.observation import OF_CLIENT
from caseload.db.tables.escalation import escalation, escalation_open
from caseload.db.tables.observation import observation
from caseload.domain.access import Role
from caseload.domain.ids import ProgrammeId, new_id
from caseload.domain.observation import InstrumentName, instrument
from tests.api.conftest import Clinic, Person
from tests.api.house import open_house
from tests.factories import clients
from tests.factories.clients import InCare
from tests.factories.explain import plan_of, walks
from tests.factories.waits import until_others_wait

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class Ward:
    """A programme with a nurse, and a client."""

    clinic: Clinic
    programme: ProgrammeId
    nurse: Person
    ada: InCare

    @property
    def path(self) -> str:
        return f"/clients/{self.ada.id}/observations"

    async def scale(self, name: str) -> dict[str, Any]:
        return {each["name"]: each for each in (await self.nurse.get("/instruments")).json()["items"]}[name]

    async def highest(self, name: str) -> dict[str, Any]:
        """A body with the highest answer to everything."""
        items = (await self.scale(name))["items"]
        return {"instrument": name, "answers": {item["code"]: item["highest"] for item in items}}

    async def recorded(self, **body: Any) -> dict[str, Any]:
        answer = await self.nurse.post(self.path, {"instrument": "qtc", "answers": {"qtc": 438}, **body})
        assert answer.status_code == 201, answer.text
        return kept_of(answer)


@pytest.fixture
async def ward(clinic: Clinic) -> Ward:
    programme = await clinic.programme()
    counsellor = await clinic.person((Role.COUNSELLOR, programme))
    async with clinic.service.engine.begin() as connection:
        ada = await clients.in_care(connection, programme=programme, counsellor=counsellor.staff.id)
    return Ward(clinic, programme, await clinic.person((Role.NURSE, programme)), ada)


@pytest.mark.parametrize(
    ("name", "total", "band", "says"),
    [
        ("cows", 48, "severe", "Severe withdrawal"),
        ("sows", 64, "severe", "Severe withdrawal"),
        ("ciwa_ar", 67, "severe", "Severe alcohol withdrawal"),
    ],
)
async def test_a_scale_is_answered_by_its_own_description_and_scored(
    ward: Ward, name: str, total: int, band: str, says: str
) -> None:
    answer = await ward.nurse.post(ward.path, await ward.highest(name))
    assert answer.status_code == 201, answer.text
    assert answer.headers["etag"] == '"1"'
    said = kept_of(answer)
    assert (said["total"], said["band"], said["instrument_version"]) == (total, band, 1)
    assert said["says"].startswith(says)
    assert (await ward.nurse.get(ward.path)).json()["items"] == [said]


def answers_to(items: list[dict[str, Any]], total: int) -> dict[str, int] | None:
    """Answers that the scale has and that come to this total, if there are any."""
    ways: dict[int, dict[str, int]] = {0: {}}
    for item in items:
        ways = {
            before + value: {**said, item["code"]: value} for before, said in ways.items() for value in item["values"]
        }
    return ways.get(total)


@pytest.mark.parametrize(
    ("total", "band"),
    [
        (4, "none"),
        (5, "mild"),
        (12, "mild"),
        (13, "moderate"),
        (24, "moderate"),
        (25, "moderately_severe"),
        (36, "moderately_severe"),
        (37, "severe"),
    ],
)
async def test_a_cows_total_is_told_by_its_band(ward: Ward, total: int, band: str) -> None:
    """Worked example 39."""
    answers = answers_to((await ward.scale("cows"))["items"], total)
    said = await ward.recorded(instrument="cows", answers=answers)
    assert (said["total"], said["band"]) == (total, band)


async def test_a_cows_total_of_49_cannot_be(ward: Ward) -> None:
    """Worked example 39: no answers come to it, and an answer that the scale does not have is refused by name."""
    items = (await ward.scale("cows"))["items"]
    assert answers_to(items, 48) is not None
    assert answers_to(items, 49) is None
    highest = {item["code"]: item["highest"] for item in items}
    refused = await ward.nurse.post(ward.path, {"instrument": "cows", "answers": highest | {"gooseflesh": 6}})
    assert (refused.status_code, [each["field"] for each in refused.json()["errors"]]) == (422, ["answers.gooseflesh"])


@pytest.mark.parametrize(("qtc", "band"), [(450, "routine"), (451, "prolonged"), (499, "prolonged"), (500, "high")])
async def test_a_qtc_of_exactly_500_is_high(ward: Ward, qtc: int, band: str) -> None:
    assert (await ward.recorded(answers={"qtc": qtc}))["band"] == band


async def test_what_could_not_be_observed_is_null_and_leaves_no_score(ward: Ward) -> None:
    body = await ward.highest("cows")
    body["answers"]["tremor"] = None
    said = (await ward.nurse.post(ward.path, body)).json()
    assert said["answers"]["tremor"] is None
    assert (said["total"], said["band"], said["says"]) == (None, None, None)


async def test_every_wrong_answer_is_named(ward: Ward) -> None:
    body = await ward.highest("cows")
    body["answers"] |= {"resting_pulse": 3, "gooseflesh": 4, "mood": 1}
    del body["answers"]["yawning"]
    refused = await ward.nurse.post(ward.path, body)
    assert refused.status_code == 422
    assert {each["field"] for each in refused.json()["errors"]} == {
        "answers", "answers.resting_pulse", "answers.gooseflesh", "answers.yawning",
    }  # fmt: skip
    assert (await ward.nurse.get(ward.path)).json()["items"] == []


async def test_a_retry_records_nothing_twice(ward: Ward) -> None:
    body, key = {"instrument": "qtc", "answers": {"qtc": 512}, "note": "read by the cardiologist"}, str(uuid4())
    first, again = [await ward.nurse.post(ward.path, body, key=key) for _ in range(2)]
    assert first.json() == again.json()
    assert first.json()["band"] == "high"
    assert len((await ward.nurse.get(ward.path)).json()["items"]) == 1


async def test_a_correction_is_a_new_version_and_the_former_stays_readable(ward: Ward) -> None:
    first = await ward.recorded()
    path = f"{ward.path}/{first['id']}"
    correction = {"answers": {"qtc": 483}, "reason": "another lead"}

    assert (await ward.nurse.put(path, correction)).status_code == 428
    corrected = await ward.nurse.put(path, correction, headers={"If-Match": '"1"'})
    assert (await ward.nurse.put(path, correction, headers={"If-Match": '"1"'})).status_code == 412

    assert corrected.status_code == 200, corrected.text
    assert (corrected.headers["etag"], corrected.json()["band"]) == ('"2"', "prolonged")
    assert corrected.json()["observed_at"] == first["observed_at"]
    whole = await ward.nurse.get(path)
    assert whole.headers["etag"] == '"2"'
    assert whole.json()["items"] == [kept_of(corrected), first]
    assert (await ward.nurse.get(ward.path)).json()["items"] == [kept_of(corrected)]


async def test_an_observation_of_somebody_else_is_taken_back(ward: Ward) -> None:
    first = await ward.recorded()
    path = f"{ward.path}/{first['id']}"
    body = {"reason": "it was the next client's tracing"}
    taken_back = (await ward.nurse.put(path, body, headers={"If-Match": '"1"'})).json()
    assert (taken_back["answers"], taken_back["total"], taken_back["version"]) == (None, None, 2)
    assert (await ward.nurse.put(path, body, headers={"If-Match": '"2"'})).status_code == 409


async def test_of_two_who_correct_at_once_one_learns_of_the_other(ward: Ward) -> None:
    path = f"{ward.path}/{(await ward.recorded())['id']}"
    answers = await asyncio.gather(
        *(
            ward.nurse.put(path, {"answers": {"qtc": 450 + n}, "reason": "again"}, headers={"If-Match": '"1"'})
            for n in range(4)
        )
    )
    codes = sorted(each.status_code for each in answers)
    assert codes[0] == 200
    assert set(codes[1:]) <= {409, 412}
    assert len((await ward.nurse.get(path)).json()["items"]) == 2


async def test_pages_follow_each_other_the_last_recorded_first(ward: Ward) -> None:
    made = [(await ward.recorded(answers={"qtc": 400 + n}))["id"] for n in range(3)]
    first = (await ward.nurse.get(f"{ward.path}?limit=2")).json()
    rest = (await ward.nurse.get(f"{ward.path}?limit=2&after={first['next']}")).json()
    assert [each["id"] for each in (*first["items"], *rest["items"])] == made[::-1]
    assert rest["next"] is None


async def test_tomorrow_cannot_have_been_observed(ward: Ward) -> None:
    later = (ward.clinic.service.clock() + timedelta(days=1)).isoformat()
    refused = await ward.nurse.post(ward.path, {"instrument": "qtc", "answers": {"qtc": 430}, "observed_at": later})
    assert refused.status_code == 422
    assert [each["field"] for each in refused.json()["errors"]] == ["observed_at"]


async def test_nobody_beyond_the_programme_learns_that_there_is_an_observation(ward: Ward) -> None:
    made = await ward.recorded()
    elsewhere = await ward.clinic.person((Role.NURSE, await ward.clinic.programme()))
    desk = await ward.clinic.person((Role.FRONT_DESK, ward.programme))
    for path in (ward.path, f"{ward.path}/{made['id']}"):
        assert (await elsewhere.get(path)).status_code == 404
        assert (await desk.get(path)).status_code == 403
    assert (await elsewhere.post(ward.path, {"instrument": "qtc", "answers": {"qtc": 430}})).status_code == 404
    assert (await ward.nurse.get(f"{ward.path}/{new_id()}")).status_code == 404


async def test_no_list_walks_a_table_that_grows(ward: Ward) -> None:
    async with ward.clinic.service.engine.connect() as connection:
        await connection.execute(text("set local enable_seqscan = off"))
        plan = await plan_of(connection, OF_CLIENT, {"client": ward.ada.id, "after": new_id(), "limit": 50})
    assert not walks(plan), "\n".join(plan)


@pytest.mark.parametrize(
    ("wrong", "constraint"),
    [
        ({"answers": [400, 401]}, "observation_answers_check"),
        ({"answers": None, "total": None, "band": None}, "observation_first_says_what_check"),
        ({"total": None, "band": None}, "observation_score_of_all_answers_check"),
        ({"answers": [None]}, "observation_score_of_all_answers_check"),
        ({"reason": "first"}, "observation_correction_has_reason_check"),
        ({"version": 2}, "observation_correction_has_reason_check"),
        ({"version": 2, "reason": " "}, "observation_reason_not_blank_check"),
        ({"instrument": "guess"}, "observation_instrument_check"),
    ],
)
async def test_a_wrong_state_cannot_be_stored(ward: Ward, wrong: dict[str, Any], constraint: str) -> None:
    now = ward.clinic.service.clock()
    row = {
        "id": new_id(), "version": 1, "client_id": ward.ada.id, "instrument": "qtc", "instrument_version": 1,
        "observed_at": now, "answers": [430], "total": 430, "band": "routine", "recorded_by": ward.nurse.staff.id,
        "recorded_at": now,
    }  # fmt: skip
    with pytest.raises(IntegrityError, match=constraint):
        async with ward.clinic.service.engine.begin() as connection:
            await connection.execute(insert(observation).values(**row | wrong))


async def test_the_ninth_item_of_a_phq9_outside_a_check_in_is_escalated_as_it_is_saved(ward: Ward) -> None:
    key = str(uuid4())
    body = {"instrument": "phq9", "answers": whole(InstrumentName.PHQ9, better_off_dead=1)}

    first = await ward.nurse.post(ward.path, body, key=key)
    again = await ward.nurse.post(ward.path, body, key=key)

    assert (first.status_code, again.json()) == (201, first.json()), first.text
    emergency = first.json()["emergency"]
    assert "999" in emergency["instruction"]["says"], "what to do on the spot, by the country of the programme"
    assert emergency["reaches"]["on_call"] is None, "nobody is on call, and whoever recorded it is told so"
    (raised,) = emergency["escalations"]
    assert (raised["ground"], raised["observation_id"]) == ("suicidal_thoughts", first.json()["id"])
    assert (raised["check_in_id"], raised["acknowledgement"]) == (None, None)
    assert (await ward.nurse.get("/open-escalations")).json()["items"] == [raised]


@pytest.mark.parametrize("ninth", [0, None])
async def test_no_answer_and_not_at_all_escalate_nothing(ward: Ward, ninth: int | None) -> None:
    answers = whole(InstrumentName.PHQ9, better_off_dead=ninth)

    answer = await ward.nurse.post(ward.path, {"instrument": "phq9", "answers": answers})

    assert (answer.status_code, answer.json()["emergency"]) == (201, None)
    assert (await ward.nurse.get("/open-escalations")).json()["items"] == []


async def test_a_correction_escalates_what_only_it_says_and_takes_nothing_back(ward: Ward) -> None:
    calm, alarming = whole(InstrumentName.PHQ9), whole(InstrumentName.PHQ9, better_off_dead=2)
    made = await ward.nurse.post(ward.path, {"instrument": "phq9", "answers": calm})
    path = f"{ward.path}/{made.json()['id']}"

    said: list[Any] = []
    for version, answers in enumerate([alarming, calm, alarming], start=1):
        body = {"answers": answers, "reason": "Read the wrong column."}
        said.append(await ward.nurse.put(path, body, headers={"If-Match": f'"{version}"'}))

    assert [each.status_code for each in said] == [200, 200, 200], said[-1].text
    ids = [[one["id"] for one in each.json()["emergency"]["escalations"]] for each in said]
    assert len(ids[0]) == 1, "raised by the version that said it first"
    assert ids == [ids[0]] * 3, "and it stays open, and is not raised again"


async def test_what_was_filled_in_during_a_check_in_is_escalated_as_of_that_check_in(clinic: Clinic) -> None:
    house = await open_house(clinic)
    nurse = await clinic.person((Role.NURSE, house.programme))
    await house.planned(await house.client(), days_ago=2)
    (line,) = await house.overdue()
    done = await house.robin.post(
        f"/check-ins/{line['check_in_id']}/completion",
        {"mode": "video", "instruments": {"phq9": whole(InstrumentName.PHQ9)}},
    )
    path = f"/clients/{line['client_id']}/observations/{done.json()['observations'][0]['id']}"
    body = {"answers": whole(InstrumentName.PHQ9, better_off_dead=3), "reason": "Read the wrong column."}

    corrected = await nurse.put(path, body, headers={"If-Match": '"1"'})

    assert corrected.status_code == 200, corrected.text
    (raised,) = corrected.json()["emergency"]["escalations"]
    assert (raised["check_in_id"], raised["observation_id"]) == (line["check_in_id"], None)
    shown = await house.robin.get(f"/clients/{line['client_id']}/escalations")
    assert shown.json()["items"] == [raised]


async def test_a_check_in_and_what_was_filled_in_during_it_are_corrected_at_once_and_escalate_once(
    clinic: Clinic,
) -> None:
    """Whoever comes second waits at the key for the first, loses nothing of their correction, and is shown the same."""
    house = await open_house(clinic)
    nurse = await clinic.person((Role.NURSE, house.programme))
    await house.planned(await house.client(), days_ago=2)
    (line,) = await house.overdue()
    path = f"/check-ins/{line['check_in_id']}"
    calm = {"mode": "video", "instruments": {"phq9": whole(InstrumentName.PHQ9)}}
    done = (await house.robin.post(f"{path}/completion", calm)).json()
    seen = f"/clients/{line['client_id']}/observations/{done['observations'][0]['id']}"
    body = {"answers": whole(InstrumentName.PHQ9, better_off_dead=3), "reason": "Read the wrong column."}
    first = {
        "id": new_id(),
        "client_id": line["client_id"],
        "programme_id": house.programme,
        "ground": "suicidal_thoughts",
        "check_in_id": line["check_in_id"],
        "recorded_by": house.robin.staff.id,
        "recorded_at": clinic.service.clock(),
    }
    async with clinic.service.engine.connect() as connection:
        await connection.begin()
        await connection.execute(insert(escalation).values(first))
        opened = {"escalation_id": first["id"], "programme_id": house.programme}
        await connection.execute(insert(escalation_open).values(opened))
        correcting = asyncio.create_task(nurse.put(seen, body, headers={"If-Match": '"1"'}))
        await until_others_wait(connection)
        await connection.commit()

    corrected = await correcting

    assert corrected.status_code == 200, corrected.text
    assert [each["id"] for each in corrected.json()["emergency"]["escalations"]] == [str(first["id"])]
    again = {
        "ended": "completed",
        "mode": "video",
        "occurred_at": done["outcome"]["occurred_at"],
        "answers": {"suicide": "thoughts"},
        "reason": "Said it at the door.",
    }
    answered = await house.robin.put(f"{path}/outcome", again, headers={"If-Match": '"1"'})
    assert answered.status_code == 200, answered.text
    (shown,) = (await house.robin.get(f"/clients/{line['client_id']}/escalations")).json()["items"]
    assert shown["id"] == str(first["id"])


async def test_the_database_raises_nothing_of_an_observation_twice(ward: Ward) -> None:
    answers = whole(InstrumentName.PHQ9, better_off_dead=3)
    made = (await ward.nurse.post(ward.path, {"instrument": "phq9", "answers": answers})).json()
    values = {
        "client_id": ward.ada.id,
        "programme_id": ward.programme,
        "ground": "suicidal_thoughts",
        "observation_id": made["id"],
        "recorded_by": ward.nurse.staff.id,
        "recorded_at": ward.clinic.service.clock(),
    }

    with pytest.raises(IntegrityError, match="escalation_observation_id_ground_key"):
        async with ward.clinic.service.engine.begin() as connection:
            await connection.execute(insert(escalation).values(id=new_id(), observation_version=1, **values))
    with pytest.raises(IntegrityError, match="escalation_raised_by_one_check"):
        async with ward.clinic.service.engine.begin() as connection:
            await connection.execute(insert(escalation).values(id=new_id(), **values))


def kept_of(answer: Response) -> dict[str, Any]:
    """What was recorded, without what to do about it."""
    return {field: said for field, said in answer.json().items() if field != "emergency"}


def whole(name: InstrumentName, **changes: int | None) -> dict[str, int | None]:
    return {**{item.code: item.reaches[0] for item in instrument(name).items}, **changes}
