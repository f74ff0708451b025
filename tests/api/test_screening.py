"""Drug screens over HTTP: drawn once a day, recorded or refused, results added as they come, within reach only."""

import asyncio
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError

from caseload.db.access import reach_of
from caseload.db.screening import BY_NAME, DRAWN, OF_CLIENT, ON_MEDICINE
from caseload.db.tables.screening import drug_screen, drug_screen_result
from caseload.domain.access import Act, Role
from caseload.domain.ids import ClientId, new_id
from tests.api.conftest import Clinic, Person
from tests.api.dispensary import Dispensary, dispensary
from tests.factories import clients
from tests.factories.explain import plan_of, walks

pytestmark = pytest.mark.anyio

A_SAMPLE = {"why": "clinical", "matrix": "urine", "observed": False}
FENTANYL = {"substance": "fentanyl", "method": "point_of_care", "finding": "negative"}


@dataclass(frozen=True)
class Ward:
    """A US programme, with somebody whose year of treatment is nearly over and who was never screened."""

    here: Dispensary
    ada: ClientId

    @property
    def nurse(self) -> Person:
        return self.here.nurse

    @property
    def path(self) -> str:
        return f"/clients/{self.ada}/drug-screens"

    @property
    def draws(self) -> str:
        return f"/programmes/{self.here.programme}/drug-screen-draws"

    async def recorded(self, **said: Any) -> dict[str, Any]:
        answer = await self.nurse.post(self.path, A_SAMPLE | said)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def drawn(self) -> dict[str, Any]:
        answer = await self.nurse.post(self.draws)
        assert answer.status_code == 201, answer.text
        return answer.json()


async def in_care(here: Dispensary, *, days: int, family_name: str = "Lindqvist") -> ClientId:
    """Somebody admitted so many days ago, on methadone from today."""
    since = here.clinic.service.clock() - timedelta(days=days)
    async with here.clinic.service.engine.begin() as connection:
        made = await clients.in_care(
            connection,
            programme=here.programme,
            counsellor=here.nurse.staff.id,
            since=since,
            family_name=family_name,
        )
    await here.order(client=made.id)
    return made.id


@pytest.fixture
async def ward(clinic: Clinic) -> Ward:
    here = await dispensary(clinic, profile="US", time_zone="America/New_York")
    return Ward(here, await in_care(here, days=362))


async def test_whoever_must_be_screened_is_drawn_and_leaves_the_list_with_the_sample(ward: Ward) -> None:
    drawn = await ward.drawn()
    assert (drawn["rule"], drawn["required"], drawn["considered"]) == ("us.random_screens of US-1", 8, 1)
    (line,) = drawn["items"]
    assert (line["client_id"], line["done"], line["settled"]) == (str(ward.ada), 0, False)

    said = await ward.recorded(why="random", drawn_on=drawn["day"])
    assert said["sample"]["drawn_on"] == drawn["day"]

    (line,) = (await ward.nurse.get(ward.draws)).json()["items"]
    assert line["settled"] is True


async def test_of_several_who_draw_at_once_one_does_and_all_see_the_same(ward: Ward) -> None:
    answers = await asyncio.gather(*(ward.nurse.post(ward.draws) for _ in range(4)))
    assert sorted(each.status_code for each in answers) == [201, 409, 409, 409]
    (made,) = (each.json() for each in answers if each.status_code == 201)
    assert (await ward.nurse.get(ward.draws)).json() == made
    assert (await ward.nurse.get(f"{ward.draws}?on={made['day']}")).json() == made


async def test_a_retried_draw_answers_with_the_first(ward: Ward) -> None:
    key = str(uuid4())
    first, again = [await ward.nurse.post(ward.draws, key=key) for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()


async def test_a_draw_that_is_retried_after_midnight_answers_with_the_first_and_draws_nobody_anew(ward: Ward) -> None:
    key = str(uuid4())
    first = (await ward.nurse.post(ward.draws, key=key)).json()
    yesterday = ward.here.today - timedelta(days=1)
    owner = await asyncpg.connect(ward.here.clinic.addresses.owner)
    try:  # The night passes.
        await owner.execute("set session_replication_role = replica")
        for table in ("screen_draw", "screen_draw_line"):
            moved = f"update clinic.{table} set day = $2 where programme_id = $1"  # noqa: S608  two names of our own
            await owner.execute(moved, ward.here.programme, yesterday)
    finally:
        await owner.close()
    again = await ward.nurse.post(ward.draws, key=key)
    assert (again.status_code, again.json()) == (201, first | {"day": str(yesterday)})
    assert (await ward.nurse.get(ward.draws)).status_code == 404, "of today nobody has drawn"


async def test_who_is_behind_stands_on_a_list_with_the_rule_that_says_so(ward: Ward) -> None:
    await in_care(ward.here, days=3, family_name="Newcome")
    answer = await ward.nurse.get(f"/programmes/{ward.here.programme}/drug-screens-behind")
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert (said["rule"], said["required"]) == ("us.random_screens of US-1", 8)
    assert "42 CFR 8.12(f)(6)" in said["source"]
    (line,) = said["items"]
    assert (line["client_id"], line["family_name"], line["done"], line["expected"]) == (
        str(ward.ada),
        "Lindqvist",
        0,
        7,
    )
    elsewhere = await clinic_person_elsewhere(ward)
    assert (await elsewhere.get(f"/programmes/{ward.here.programme}/drug-screens-behind")).status_code == 403


async def clinic_person_elsewhere(ward: Ward) -> Person:
    clinic = ward.here.clinic
    return await clinic.person((Role.NURSE, await clinic.programme(profile="US")))


async def test_only_clients_on_medicine_in_this_programme_are_considered(ward: Ward) -> None:
    async with ward.here.clinic.service.engine.begin() as connection:
        await clients.in_care(connection, programme=ward.here.programme, counsellor=ward.nurse.staff.id)
    other = await dispensary(ward.here.clinic, profile="US", time_zone="America/New_York")
    await in_care(other, days=362)
    tomorrow = await in_care(ward.here, days=362, family_name="Stopped")
    chart = (await ward.nurse.get(f"/clients/{tomorrow}/medication")).json()
    stop = await ward.here.prescriber.post(
        f"/orders/{chart['orders'][0]['id']}/stop",
        {"reason": "moves away", "password": "correct horse battery staple"},
    )
    assert stop.status_code == 201, stop.text
    drawn = await ward.drawn()
    assert (drawn["considered"], [each["client_id"] for each in drawn["items"]]) == (1, [str(ward.ada)])


async def test_where_no_number_is_asked_for_nobody_is_drawn(clinic: Clinic) -> None:
    here = await dispensary(clinic, profile="UK")
    await in_care(here, days=362)
    drawn = (await here.nurse.post(f"/programmes/{here.programme}/drug-screen-draws")).json()
    assert (drawn["required"], drawn["considered"], drawn["items"]) == (0, 1, [])


async def test_there_is_no_draw_of_a_day_on_which_nobody_drew(ward: Ward) -> None:
    assert (await ward.nurse.get(ward.draws)).status_code == 404
    assert (await ward.nurse.get(f"{ward.draws}?on=2020-01-01")).status_code == 404


async def test_a_screen_is_random_only_when_it_was_drawn(ward: Ward) -> None:
    today = str(ward.here.today)
    refused = await ward.nurse.post(ward.path, A_SAMPLE | {"why": "random", "drawn_on": today})
    assert (refused.status_code, refused.json()["title"]) == (409, "The client was not drawn for that day.")
    missing = await ward.nurse.post(ward.path, A_SAMPLE | {"why": "random"})
    assert [each["field"] for each in missing.json()["errors"]] == ["drawn_on"]


async def test_random_screens_of_this_year_are_counted_and_refusals_are_not(ward: Ward) -> None:
    day = (await ward.drawn())["day"]
    refusal = await ward.recorded(why="random", drawn_on=day, refused=True)

    async def counted() -> list[date]:
        async with ward.here.clinic.service.engine.connect() as connection:
            given = {
                "programme": ward.here.programme, "today": ward.here.today, "at": ward.here.clinic.service.clock(),
            }  # fmt: skip
            ((_, _, days),) = (await connection.execute(ON_MEDICINE, given)).all()
            return days or []

    assert await counted() == []
    given = A_SAMPLE | {"why": "random", "drawn_on": day}
    path = f"{ward.path}/{refusal['id']}"
    put = await ward.nurse.put(
        path, {"reason": "gave a sample after all", "sample": given}, headers={"If-Match": '"1"'}
    )
    assert put.status_code == 200, put.text
    assert await counted() == [date.fromisoformat(day)]
    put = await ward.nurse.put(path, {"reason": "another client's"}, headers={"If-Match": '"2"'})
    assert put.status_code == 200, put.text
    assert await counted() == []


async def test_results_come_as_versions_and_the_former_stay_readable(ward: Ward) -> None:
    first = await ward.recorded(results=[FENTANYL])
    path = f"{ward.path}/{first['id']}"
    confirmed = A_SAMPLE | {
        "results": [
            {"substance": "methadone_metabolite", "method": "laboratory", "finding": "positive"},
            FENTANYL,
        ],
        "expected": "present",
        "interpretation": "as ordered",
    }
    amendment = {"reason": "the laboratory answered", "sample": confirmed}
    assert (await ward.nurse.put(path, amendment)).status_code == 428
    amended = await ward.nurse.put(path, amendment, headers={"If-Match": '"1"'})
    assert (await ward.nurse.put(path, amendment, headers={"If-Match": '"1"'})).status_code == 412

    assert amended.status_code == 200, amended.text
    said = amended.json()
    assert (said["version"], amended.headers["etag"]) == (2, '"2"')
    assert said["sample"]["collected_at"] == first["sample"]["collected_at"]
    assert [each["substance"] for each in said["sample"]["results"]] == ["fentanyl", "methadone_metabolite"]
    assert (await ward.nurse.get(path)).json()["items"] == [said, first]
    assert (await ward.nurse.get(ward.path)).json()["items"] == [said]


async def test_of_two_who_amend_at_once_one_learns_of_the_other(ward: Ward) -> None:
    path = f"{ward.path}/{(await ward.recorded())['id']}"
    body = {"reason": "the laboratory answered", "sample": A_SAMPLE | {"results": [FENTANYL]}}
    answers = await asyncio.gather(*(ward.nurse.put(path, body, headers={"If-Match": '"1"'}) for _ in range(4)))
    codes = sorted(each.status_code for each in answers)
    assert codes[0] == 200
    assert set(codes[1:]) <= {409, 412}


async def test_what_was_taken_back_stays_so(ward: Ward) -> None:
    path = f"{ward.path}/{(await ward.recorded())['id']}"
    back = await ward.nurse.put(path, {"reason": "another client's"}, headers={"If-Match": '"1"'})
    assert back.json()["sample"] is None
    again = await ward.nurse.put(path, {"reason": "another client's"}, headers={"If-Match": '"2"'})
    assert again.status_code == 409


async def test_a_refused_sample_has_no_results(ward: Ward) -> None:
    refused = await ward.nurse.post(ward.path, A_SAMPLE | {"refused": True, "results": [FENTANYL]})
    assert refused.status_code == 422
    assert "not a positive result" in refused.text


async def test_pages_follow_each_other_the_last_recorded_first(ward: Ward) -> None:
    made = [(await ward.recorded())["id"] for _ in range(3)]
    first = (await ward.nurse.get(f"{ward.path}?limit=2")).json()
    rest = (await ward.nurse.get(f"{ward.path}?limit=2&after={first['next']}")).json()
    assert [each["id"] for each in (*first["items"], *rest["items"])] == made[::-1]


async def test_nobody_beyond_the_programme_learns_of_a_screen_or_a_draw(ward: Ward) -> None:
    made, clinic = await ward.recorded(), ward.here.clinic
    elsewhere = await clinic.person((Role.NURSE, await clinic.programme()))
    counsellor = await clinic.person((Role.COUNSELLOR, ward.here.programme))
    for path in (ward.path, f"{ward.path}/{made['id']}"):
        assert (await elsewhere.get(path)).status_code == 404
    await ward.drawn()
    assert (await elsewhere.get(ward.draws)).status_code == 403
    assert (await elsewhere.post(ward.draws)).status_code == 403
    assert (await counsellor.get(ward.draws)).status_code == 403
    assert (await counsellor.post(ward.path, A_SAMPLE)).status_code == 403


@pytest.mark.parametrize(
    ("wrong", "constraint"),
    [
        ({"why": None}, "drug_screen_whole_or_taken_back_check"),
        ({"reason": "first"}, "drug_screen_later_has_reason_check"),
        ({"version": 2, "reason": " "}, "drug_screen_reason_not_blank_check"),
        ({"why": "random"}, "drug_screen_random_was_drawn_check"),
        ({"refused": True, "expected": "present"}, "drug_screen_refused_has_no_result_check"),
        (
            {"version": 2, "reason": "back", "interpretation": "left behind"}
            | dict.fromkeys(("why", "collected_at", "matrix", "observed", "refused")),
            "drug_screen_taken_back_check",
        ),
    ],
)
async def test_a_wrong_state_cannot_be_stored(ward: Ward, wrong: dict[str, Any], constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        await _store(ward, wrong)


async def test_a_result_of_a_refusal_cannot_be_stored(ward: Ward) -> None:
    refusal = await ward.recorded(refused=True)
    for said, constraint in ((False, "screen_fkey"), (True, "refused_has_none_check")):
        with pytest.raises(IntegrityError, match=constraint):
            async with ward.here.clinic.service.engine.begin() as connection:
                await connection.execute(
                    insert(drug_screen_result).values(screen_id=refusal["id"], version=1, refused=said, **FENTANYL)
                )


async def test_no_list_walks_a_table_that_grows(ward: Ward) -> None:
    now = ward.here.clinic.service.clock()
    reach = reach_of(ward.nurse.staff.reach(Act.DRAW_SCREENS), at=now)
    given = {"programme": ward.here.programme, "day": ward.here.today, **reach}
    on_medicine = {"programme": ward.here.programme, "today": ward.here.today, "at": now}
    of_client = {"client": ward.ada, "after": new_id(), "limit": 50}
    async with ward.here.clinic.service.engine.connect() as connection:
        await connection.execute(text("set local enable_seqscan = off"))
        for statement, its in (
            (DRAWN, given),
            (OF_CLIENT, of_client),
            (ON_MEDICINE, on_medicine),
            (BY_NAME, on_medicine | reach),
        ):
            plan = await plan_of(connection, statement, its)
            assert not walks(plan), "\n".join(plan)


async def _store(ward: Ward, wrong: dict[str, Any]) -> None:
    now = ward.here.clinic.service.clock()
    row = {
        "id": new_id(), "version": 1, "client_id": ward.ada, "programme_id": ward.here.programme, "collected_at": now,
        "refused": False, "recorded_by": ward.nurse.staff.id, "recorded_at": now, **A_SAMPLE,
    }  # fmt: skip
    async with ward.here.clinic.service.engine.begin() as connection:
        await connection.execute(insert(drug_screen).values(**row | wrong))
