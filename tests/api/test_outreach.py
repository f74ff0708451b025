"""How clients may be reached, care tasks, and the ladder of whoever has not come, as a counsellor meets them."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, text

from caseload.db.outreach import KeptLadders
from caseload.db.programme import Programmes
from caseload.db.tables.outreach import outreach_step
from caseload.domain.access import Role
from caseload.domain.ids import ClientId
from caseload.domain.outreach import Climber
from caseload.domain.people import the_service
from caseload.jobs.outreach import CLIMB_LADDERS, climb_in
from tests.api.conftest import Clinic, Person
from tests.api.house import DAY, House, open_house

pytestmark = pytest.mark.anyio

REACHABLE: dict[str, Any] = {
    "allowed": ["telephone", "text", "post"],
    "telephone": "555 0100",
    "address": "1 Example Street",
    "heed": "Not before noon; ask for Sam.",
}


@pytest.fixture
async def house(clinic: Clinic) -> House:
    return await open_house(clinic)


async def say(house: House, client: ClientId, *, by: Person | None = None, version: int = 0, **changes: Any) -> Any:
    return await (by or house.robin).put(
        f"/clients/{client}/contact", {**REACHABLE, **changes}, headers={"If-Match": f'"{version}"'}
    )


async def overdue_client(house: House, *, days_ago: int = 5, reachable: bool = True) -> tuple[ClientId, str]:
    """A client with one check-in that was due some days ago, with a grace of a day."""
    client = await house.client()
    if reachable:
        assert (await say(house, client.id)).status_code == 200
    await house.planned(client, days_ago=days_ago)
    late = [line for line in await house.overdue() if line["client_id"] == str(client.id)]
    return client.id, late[0]["check_in_id"]


async def climb(house: House) -> int:
    """Have the job take what is due in this house; return how many ladders it looked at."""
    looked = 0
    async with house.clinic.service.work(by=the_service(), event=CLIMB_LADDERS.name) as work:
        programme = await Programmes(work.connection).get(house.programme)
        looked = await climb_in(work, programme)
        if looked == 0:
            await work.drop()
    return looked


async def why(house: House, check_in: str, by: Person | None = None) -> dict[str, Any]:
    answer = await (by or house.robin).get(f"/overdue-check-ins/{check_in}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def tasks(house: House, by: Person | None = None, **query: Any) -> list[dict[str, Any]]:
    answer = await (by or house.robin).get("/care-tasks", params=query)
    assert answer.status_code == 200, answer.text
    return [line["task"] for line in answer.json()["items"]]


# How a client may be reached.


async def test_of_whoever_was_not_asked_nothing_is_allowed_until_they_say_so(house: House) -> None:
    client = await house.client()
    before = await house.robin.get(f"/clients/{client.id}/contact")
    assert (before.headers["ETag"], before.json()["allowed"], before.json()["recorded_by"]) == ('"0"', [], None)

    kept = await say(house, client.id)
    stale = await say(house, client.id, reason="once more")
    unexplained = await say(house, client.id, version=1)
    second = await say(house, client.id, version=1, allowed=["text"], reason="Nobody is to ring any more.")

    assert (kept.status_code, kept.headers["ETag"]) == (200, '"1"'), kept.text
    assert (stale.status_code, unexplained.status_code, second.status_code) == (412, 422, 200)
    assert (await house.robin.get(f"/clients/{client.id}/contact")).json() == second.json()
    versions = (await house.robin.get(f"/clients/{client.id}/contact/versions")).json()["items"]
    assert [each["version"] for each in versions] == [2, 1]
    assert (versions[0]["address"], second.json()["address"]) == ("1 Example Street", None), (
        "a version is as it was said"
    )


async def test_two_who_write_it_down_at_once_make_one_version(house: House) -> None:
    client = await house.client()

    answers = await asyncio.gather(*(say(house, client.id) for _ in range(2)))

    assert sorted(each.status_code for each in answers) in ([200, 409], [200, 412])


async def test_the_front_desk_writes_it_down_and_nobody_beyond_reach_reads_it(house: House) -> None:
    client = await house.client()
    desk = await house.clinic.person((Role.FRONT_DESK, house.programme))
    stranger = await house.clinic.person((Role.COUNSELLOR, await house.clinic.programme()))

    assert (await say(house, client.id, by=desk)).status_code == 200
    assert (await stranger.get(f"/clients/{client.id}/contact")).status_code == 404
    assert (await say(house, client.id, by=stranger, version=1, reason="x")).status_code == 404


# The ladder.


async def test_a_line_of_the_list_explains_itself_and_which_step_comes_next(house: House) -> None:
    _, check_in = await overdue_client(house)
    line = next(one for one in await house.overdue() if one["check_in_id"] == check_in)

    before = await why(house, check_in)
    assert {name: before[name] for name in line if name in before} == {
        name: line[name] for name in line if name not in {"given_name", "family_name"}
    }
    assert before["ladder"]["standing"] == "climbs"
    assert before["ladder"]["next"]["step"] == "same_day"
    assert before["ladder"]["next"]["for_staff"] == str(house.robin.staff.id)
    await climb(house)
    after = (await why(house, check_in))["ladder"]

    [step] = after["taken"]
    assert (step["step"], step["by_way_of"], step["skipped"]) == ("same_day", ["text", "telephone"], None)
    assert step["rule"] == "us.outreach of US-1"
    [task] = await tasks(house)
    assert step["task"] == task
    assert (task["for_staff"], task["kind"]) == (str(house.robin.staff.id), "outreach")
    assert after["next"]["step"] == "next_day"
    assert await climb(house) == 0, "nothing is due before the next day"


async def test_a_step_without_an_allowed_way_is_skipped_and_says_so(house: House) -> None:
    _, check_in = await overdue_client(house, reachable=False)
    announced = (await why(house, check_in))["ladder"]["next"]
    assert (announced["will_be_skipped"], announced["why_skipped"][:6]) == ("not_asked", "Nobody")

    await climb(house)

    [step] = (await why(house, check_in))["ladder"]["taken"]
    assert (step["skipped"], step["task"], step["by_way_of"]) == ("not_asked", None, [])
    assert await tasks(house) == []


async def test_nobody_around_the_client_is_contacted(house: House) -> None:
    _, check_in = await overdue_client(house)
    await as_if_days_later(house, check_in, 0)
    await as_if_days_later(house, check_in, 1)
    announced = (await why(house, check_in))["ladder"]["next"]
    assert (announced["step"], announced["will_be_skipped"]) == ("consented_contact", "no_consent")

    await as_if_days_later(house, check_in, 2)

    taken = (await why(house, check_in))["ladder"]["taken"]
    assert [(each["step"], each["skipped"]) for each in taken][-1] == ("consented_contact", "no_consent")
    assert [task["step"] for task in await tasks(house)] == ["same_day", "next_day"]


async def consented(house: House, client: ClientId, *categories: str) -> tuple[str, str]:
    """Somebody around a client, and a consent that lets them be told this; their identifiers."""
    mother = {
        "name": "Rosa Example",
        "relationship": "mother",
        "involvements": [{"kind": "emergency_contact"}],
        "phone": "555 0199",
    }
    made = await house.robin.post(f"/clients/{client}/related-people", mother)
    assert made.status_code == 201, made.text
    signed = {
        "kind": "named",
        "form": "us-named-2026-02",
        "discloser_id": str(house.programme),
        "recipients": [{"person_id": made.json()["id"]}],
        "categories": list(categories),
        "purposes": ["family_involvement"],
        "expiry": {"last_day": "2040-05-01"},
        "signature": {"signatory": "client", "name": "Sam", "signed_at": "2026-03-01T12:00:00Z"},
    }
    given = await house.robin.post(f"/clients/{client}/consents", signed)
    assert given.status_code == 201, given.text
    return made.json()["id"], given.json()["id"]


async def test_whom_a_consent_names_is_asked_and_a_revocation_is_seen_before_anybody_rings(house: House) -> None:
    client, check_in = await overdue_client(house)
    person, consent = await consented(house, client, "presence", "attendance")
    for days in (0, 1):
        await as_if_days_later(house, check_in, days)
    announced = (await why(house, check_in))["ladder"]
    assert (announced["next"]["step"], announced["next"]["will_be_skipped"]) == ("consented_contact", None)
    rosa = {"person_id": person, "name": "Rosa Example", "relationship": "mother", "consent_id": consent}
    assert announced["may_be_asked"] == [{**rosa, "may_tell": ["presence", "attendance"]}]

    await as_if_days_later(house, check_in, 2)

    ladder = (await why(house, check_in))["ladder"]
    assert (ladder["taken"][-1]["step"], ladder["taken"][-1]["skipped"]) == ("consented_contact", None)
    assert ladder["taken"][-1]["asked"] == [{"person_id": person, "consent_id": consent}]
    assert "Rosa Example (mother)" in ladder["taken"][-1]["task"]["says"]
    assert ladder["may_be_asked"] == announced["may_be_asked"]

    revoked = await house.robin.post(f"/clients/{client}/consents/{consent}/revocation", {"how": "spoken"})
    assert revoked.status_code == 201, revoked.text
    after = (await why(house, check_in))["ladder"]
    assert after["may_be_asked"] == []
    assert after["taken"][-1]["asked"] == ladder["taken"][-1]["asked"], "what it rested on stays"


async def test_nobody_of_whom_a_safety_warning_stands_is_asked_and_the_list_says_whom_not_to_ring(house: House) -> None:
    client, check_in = await overdue_client(house)
    person, _ = await consented(house, client, "presence", "attendance")
    said_at = "2026-11-01T09:30:00Z"
    warning = {"kind": "do_not_call", "note": "Her partner answers.", "said_by": "She herself", "said_at": said_at}
    made = await house.robin.post(f"/clients/{client}/related-people/{person}/warnings", warning)
    assert made.status_code == 201, made.text
    for days in (0, 1):
        await as_if_days_later(house, check_in, days)
    ladder = (await why(house, check_in))["ladder"]
    assert (ladder["next"]["will_be_skipped"], ladder["may_be_asked"]) == ("no_consent", [])
    [not_to_be_asked] = ladder["not_to_be_asked"]
    assert not_to_be_asked == {
        "person_id": person,
        "name": "Rosa Example",
        "warning": "do_not_call",
        "said_by": "She herself",
        "said_at": said_at,
    }
    await as_if_days_later(house, check_in, 2)
    assert (await why(house, check_in))["ladder"]["taken"][-1]["skipped"] == "no_consent"


async def around(house: House, client: ClientId, **details: Any) -> str:
    body = {"name": "Sam Example", "relationship": "partner", **details}
    made = await house.robin.post(f"/clients/{client}/related-people", body)
    assert made.status_code == 201, made.text
    return made.json()["id"]


async def warn(house: House, client: ClientId, person: str, **changes: Any) -> Any:
    body = {"kind": "domestic_risk", "note": "Has threatened the client.", **changes}
    return await house.robin.post(f"/clients/{client}/related-people/{person}/warnings", body)


async def test_nobody_writes_to_or_goes_to_a_home_where_somebody_is_warned_of_and_the_step_says_so(
    house: House,
) -> None:
    client, check_in = await overdue_client(house, reachable=False)
    assert (await say(house, client, allowed=["post", "visit"])).status_code == 200
    partner = await around(house, client, address="1, EXAMPLE Street, Springfield")
    made = await warn(house, client, partner)
    assert made.status_code == 201, made.text

    for days in (0, 1, 2, 7):
        await as_if_days_later(house, check_in, days)
    ladder = (await why(house, check_in))["ladder"]

    letter = next(each for each in ladder["taken"] if each["step"] == "letter")
    assert (letter["skipped"], letter["by_way_of"], letter["task"]) == ("warned_of", [], None)
    assert "safety warning" in letter["why_skipped"]
    ways = ladder["reach_by"]
    assert (ways["by"], ways["address"], ways["closed"]) == ([], None, ["post", "visit"])
    assert ways["beware"] == "domestic_risk"
    lifted = await house.robin.post(
        f"/clients/{client}/related-people/{partner}/warnings/{made.json()['warnings'][0]['id']}/lifting",
        {"reason": "He has moved away."},
    )
    assert lifted.status_code == 201, lifted.text
    now = (await house.robin.get(f"/clients/{client}/contact")).json()
    assert (now["allowed"], now["address"], now["closed"], now["beware"]) == (
        ["post", "visit"], "1 Example Street", [], None,
    )  # fmt: skip


async def test_a_call_to_a_household_with_somebody_warned_of_is_made_with_a_word_of_warning(house: House) -> None:
    client, _ = await overdue_client(house)
    partner = await around(house, client, in_household=True)
    assert (await warn(house, client, partner)).status_code == 201

    await climb(house)

    [task] = await tasks(house)
    assert "Allowed: text or telephone. A safety warning stands" in task["says"]
    assert "Sam" not in task["says"]


async def test_that_somebody_is_not_to_be_rung_says_who_said_so_and_when(house: House) -> None:
    client, check_in = await overdue_client(house)
    mother = await around(house, client, relationship="mother", phone="+1 (303) 555 0100")

    nobody = await warn(house, client, mother, kind="do_not_call")
    only_when = await warn(house, client, mother, said_at="2026-11-01T09:30:00Z")
    later = await warn(house, client, mother, kind="do_not_call", said_by="She herself", said_at="2040-01-01T00:00:00Z")
    made = await warn(house, client, mother, kind="do_not_call", said_by="She herself", said_at="2026-11-01T09:30:00Z")

    assert [each.status_code for each in (nobody, only_when, later, made)] == [422, 422, 422, 201], made.text
    [warning] = made.json()["warnings"]
    assert (warning["said_by"], warning["said_at"]) == ("She herself", "2026-11-01T09:30:00Z")
    ladder = (await why(house, check_in))["ladder"]
    assert ladder["next"]["will_be_skipped"] == "warned_of", "it is the client's number, too"
    assert ladder["reach_by"]["by"] == ["post"]


async def test_a_consent_about_something_else_lets_nobody_be_asked(house: House) -> None:
    client, check_in = await overdue_client(house)
    await consented(house, client, "medication")
    for days in (0, 1, 2):
        await as_if_days_later(house, check_in, days)
    ladder = (await why(house, check_in))["ladder"]
    assert (ladder["taken"][-1]["skipped"], ladder["may_be_asked"]) == ("no_consent", [])


async def as_if_days_later(house: House, check_in: str, days: int) -> None:
    """Take what is due so many days (and five minutes) from now, by a job whose clock is ahead."""
    service = house.clinic.service
    before = service.clock
    object.__setattr__(service, "clock", lambda: before() + days * DAY + timedelta(minutes=5))
    try:
        await climb(house)
    finally:
        object.__setattr__(service, "clock", before)


@pytest.mark.parametrize("how", ["completed", "missed", "moved"])
async def test_the_ladder_stops_and_its_task_falls_away_when_the_check_in_is_settled(house: House, how: str) -> None:
    client, check_in = await overdue_client(house)
    await climb(house)
    [task] = await tasks(house)
    attempt = {"mode": "telephone", "result": "no_answer"}
    assert (await house.robin.post(f"/check-ins/{check_in}/attempts", attempt)).status_code == 201
    assert await tasks(house) == [task], "an attempt is not a completion"

    if how == "completed":
        answer = await house.robin.post(f"/check-ins/{check_in}/completion", {"mode": "telephone"})
    elif how == "missed":
        answer = await house.robin.post(f"/check-ins/{check_in}/miss", {"reason": "Never came."})
    else:
        later = (house.clinic.service.clock() + DAY).isoformat()
        answer = await house.robin.post(f"/check-ins/{check_in}/moves", {"due_at": later, "asked_by": "provider"})
    assert answer.status_code == 201, answer.text

    assert await tasks(house) == []
    assert (await house.robin.get(f"/overdue-check-ins/{check_in}")).status_code == 404
    assert await climb(house) == 0
    gone = await house.robin.post(f"/care-tasks/{task['id']}/completion", {"said": "Rang."})
    assert (gone.status_code, gone.json()["title"]) == (409, "This task has fallen away: its check-in no longer waits.")
    [kept] = (await house.robin.get(f"/clients/{client}/care-tasks")).json()["items"]
    assert (kept["id"], kept["fell_away"]) == (task["id"], True)


async def test_a_completion_that_was_a_mistake_brings_the_ladder_back_where_it_stood(house: House) -> None:
    _, check_in = await overdue_client(house)
    await climb(house)
    [task] = await tasks(house)
    done = await house.robin.post(f"/check-ins/{check_in}/completion", {"mode": "telephone"})
    assert await tasks(house) == []

    wrong = {"ended": "recorded_in_error", "reason": "That was another client."}
    back = await house.robin.put(f"/check-ins/{check_in}/outcome", wrong, headers={"If-Match": done.headers["ETag"]})

    assert back.status_code == 200, back.text
    assert await tasks(house) == [task]
    assert await climb(house) == 0, "a step is taken once"


async def test_a_discharge_stops_the_ladder(house: House) -> None:
    client, check_in = await overdue_client(house)
    supervisor = await house.clinic.person((Role.SUPERVISOR, house.programme))
    await climb(house)

    left = await supervisor.post(f"/clients/{client}/discharge", {"reason": "completed"})

    assert left.status_code in {200, 201}, left.text
    await as_if_days_later(house, check_in, 3)
    assert await tasks(house, supervisor, programme=str(house.programme)) == []
    assert (await supervisor.get(f"/overdue-check-ins/{check_in}")).status_code == 404


async def test_a_death_stops_the_ladder_and_nobody_is_rung_or_asked(house: House) -> None:
    client, check_in = await overdue_client(house)
    await consented(house, client, "presence")
    await climb(house)
    assert len(await tasks(house)) == 1

    died = await house.robin.post(
        f"/clients/{client}/deaths", {"source": "His sister, by telephone."}, key=str(uuid4())
    )

    assert died.status_code == 201, died.text
    for days in (1, 2, 5):
        await as_if_days_later(house, check_in, days)
    supervisor = await house.clinic.person((Role.SUPERVISOR, house.programme))
    assert await tasks(house, supervisor, programme=str(house.programme)) == []
    assert (await supervisor.get(f"/overdue-check-ins/{check_in}")).status_code == 404
    async with house.clinic.service.engine.connect() as connection:
        steps = await connection.execute(select(outreach_step.c.step).where(outreach_step.c.client_id == client))
        assert steps.scalars().all() == ["same_day"]


async def test_of_two_that_are_overdue_the_longest_has_the_ladder(house: House) -> None:
    client, longest = await overdue_client(house, days_ago=12)
    other = next(
        line["check_in_id"]
        for line in await house.overdue()
        if line["client_id"] == str(client) and line["check_in_id"] != longest
    )

    await climb(house)

    ladder = (await why(house, other))["ladder"]
    assert ladder.pop("reach_by")["by"] == ["telephone", "text", "post"]
    assert ladder == {
        "standing": "behind_another",
        "rule": "us.outreach of US-1",
        "behind": longest,
        "taken": [],
        "next": None,
        "may_be_asked": [],
        "not_to_be_asked": [],
        "tries": 0,
    }
    assert len(await tasks(house)) == 1


async def test_whoever_covers_is_given_the_step_and_the_counsellor_sees_it_too(house: House) -> None:
    client, _ = await overdue_client(house)
    supervisor = await house.clinic.person((Role.SUPERVISOR, house.programme))
    sam = await house.clinic.person((Role.COUNSELLOR, house.programme))
    now = house.clinic.service.clock()
    cover = {
        "counsellor_id": str(sam.staff.id),
        "starts_at": now.isoformat(),
        "ends_at": (now + DAY).isoformat(),
        "reason": "Robin is ill.",
    }
    assert (await supervisor.post(f"/clients/{client}/covers", cover)).status_code == 201

    await climb(house)

    [task] = await tasks(house, sam)
    assert task["for_staff"] == str(sam.staff.id)
    assert await tasks(house) == [task]


async def test_two_workers_at_once_take_each_step_once(house: House) -> None:
    for _ in range(3):
        await overdue_client(house)

    await asyncio.gather(*(climb(house) for _ in range(2)))

    assert len(await tasks(house)) == 3
    assert await climb(house) == 0


async def test_a_job_that_is_killed_half_way_loses_nothing_and_takes_nothing_twice(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        await overdue_client(house)
    stood: list[Climber] = []

    async def killed(self: KeptLadders, climber: Climber, next_one: object) -> None:
        stood.append(climber)
        if len(stood) == 2:
            raise asyncio.CancelledError

    with monkeypatch.context() as patched:
        patched.setattr(KeptLadders, "stand", killed)
        with pytest.raises(asyncio.CancelledError):
            await climb(house)
    assert await tasks(house) == []

    await climb(house)

    assert len(await tasks(house)) == 2


async def test_a_client_with_whom_something_goes_wrong_holds_up_nobody_and_is_tried_again_later(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, check_in = await overdue_client(house)
    _, whole = await overdue_client(house)
    stand = KeptLadders.stand

    async def breaks(self: KeptLadders, climber: Climber, next_one: Any) -> None:
        if climber.client == broken:
            raise RuntimeError
        await stand(self, climber, next_one)

    with monkeypatch.context() as patched:
        patched.setattr(KeptLadders, "stand", breaks)
        await climb(house)
    assert (await why(house, check_in))["ladder"]["tries"] == 1
    assert (await why(house, check_in))["ladder"]["taken"] == []
    assert len((await why(house, whole))["ladder"]["taken"]) == 1
    assert await climb(house) == 0, "not before its pause is over"

    async with house.clinic.service.engine.begin() as connection:
        await connection.execute(
            text("update clinic.outreach_failure set again_at = :at where client_id = :client"),
            {"at": house.clinic.service.clock() - timedelta(seconds=1), "client": broken},
        )
    assert await climb(house) == 1
    ladder = (await why(house, check_in))["ladder"]
    assert (ladder["tries"], len(ladder["taken"])) == (0, 1)
