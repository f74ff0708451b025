"""The window over HTTP: the queue of a day, excused days that change attendance alone, messages, photographs."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import insert, text

from caseload.db.tables.caseload import client_identifier
from caseload.db.window import kept, queue
from caseload.domain.access import Role
from caseload.domain.ids import ClientId
from tests.api.conftest import Clinic, Person
from tests.api.dispensary import PASSWORD, Dispensary, days_ago, dispensary, fresh
from tests.factories.clients import BORN
from tests.factories.explain import plan_of
from tests.factories.people import LONG_AGO

pytestmark = pytest.mark.anyio

GROUPS = ("to_attend", "held", "attended", "not_expected")


@pytest.fixture
async def place(clinic: Clinic) -> Dispensary:
    return await dispensary(clinic)


async def queue_of(place: Dispensary, by: Person | None = None, **asked: str) -> dict[str, Any]:
    answer = await (by or place.nurse).get(f"/programmes/{place.programme}/queue", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def where(found: dict[str, Any], client: ClientId) -> str:
    groups = [group for group in GROUPS if any(line["client_id"] == str(client) for line in found[group])]
    (group,) = groups
    return group


def line_of(found: dict[str, Any], client: ClientId) -> dict[str, Any]:
    (line,) = [line for group in GROUPS for line in found[group] if line["client_id"] == str(client)]
    return line


async def as_owner(place: Dispensary, statement: str, *given: Any) -> None:
    """Move something into the past, as the owner of the tables only can."""
    owner = await asyncpg.connect(place.clinic.addresses.owner)
    try:
        await owner.execute(statement, *given)
    finally:
        await owner.close()


async def gave_before(place: Dispensary, order: dict[str, Any], *days: int) -> None:
    """Doses of days ago, typed in afterwards; a prescriber has looked at each, since the order was signed only today."""
    await as_owner(
        place,
        "update clinic.medication_order set starts_on = starts_on - $1::int where id = $2",
        *(max(days), order["id"]),
    )
    for each in sorted(days, reverse=True):
        said: dict[str, Any] = {"late": {"reason": "Paper."}, "given_at": days_ago(place, each)}
        assert (await place.give(order, **said)).status_code == 201
    for hold in (await place.prescriber.get(f"/programmes/{place.programme}/holds")).json()["items"]:
        seen = {"reason": "Seen.", "password": PASSWORD}
        assert (await place.prescriber.post(f"/holds/{hold['id']}/clearance", seen)).status_code == 201


async def excused(place: Dispensary, client: ClientId | None = None, **said: Any) -> dict[str, Any]:
    body = {"reason": "hospital", "first_on": str(place.today), "told_by": "Ward 3", **said}
    answer = await place.nurse.post(f"/clients/{client or place.client}/excusals", body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_everybody_of_the_day_stands_in_one_group(place: Dispensary) -> None:
    given, held, away = [await place.another_client(family_name=name) for name in ("Given", "Held", "Away")]
    orders = {client: await place.order(client=client) for client in (place.client, given, held, away)}
    assert (await place.give(orders[given])).status_code == 201
    assert (await place.nurse.post(f"/clients/{held}/holds", {"reason": "medical", "note": ""})).status_code == 201
    await excused(place, away)

    found = await queue_of(place)

    assert {client: where(found, client) for client in orders} == {
        place.client: "to_attend",
        given: "attended",
        held: "held",
        away: "not_expected",
    }
    assert found["day"] == str(place.today)
    assert line_of(found, held)["due"]["in_the_way"][0]["rule"] == "client_held"
    assert line_of(found, away)["excused"]["reason"] == "hospital"
    assert line_of(found, given)["due"]["parts"][0]["given"]["given_by"] == "Nora Quill"


async def test_a_line_says_who_it_is_and_what_to_know(place: Dispensary) -> None:
    other = await place.another_client(family_name="Exampel")
    await place.order(client=other)
    await gave_before(place, await place.order(), 1)
    async with place.clinic.service.engine.begin() as connection:
        await connection.execute(
            insert(client_identifier).values(
                client_id=place.client,
                kind="chart",
                value=f"C-{uuid4()}",
                recorded_by=place.nurse.staff.id,
                recorded_at=LONG_AGO,
            )
        )
    photograph = {"taken_on": "2026-01-31", "kept_where": "Folder 7"}
    assert (await place.nurse.post(f"/clients/{place.client}/photographs", photograph)).status_code == 201
    message = await place.prescriber.post(
        f"/clients/{place.client}/window-messages", {"text": "Ask for the blood result."}
    )
    assert message.status_code == 201, message.text

    line = line_of(await queue_of(place), place.client)

    assert (line["given_name"], line["family_name"], line["birth_date"]) == ("Alex", "Example", str(BORN))
    assert line["chart_number"].startswith("C-")
    assert line["photograph_on"] == "2026-01-31"
    assert line["alike"] == [str(other)]
    assert [(each["text"], each["left_by"]) for each in line["messages"]] == [
        ("Ask for the blood result.", "Dr Ada Osei")
    ]
    assert line["due"]["last_taken"]["day"] == str(place.today - timedelta(days=1))
    assert line["due"]["missed"] == 0
    assert line["flags"] == []
    assert line_of(await queue_of(place), other)["flags"] == ["first_dose"]


async def test_a_message_stands_until_somebody_at_the_window_has_seen_to_it(place: Dispensary) -> None:
    await place.order()
    path = f"/clients/{place.client}/window-messages"
    key = fresh()
    first = await place.colleague.post(path, {"text": "Bring the letter."}, key=key)
    again = await place.colleague.post(path, {"text": "Bring the letter."}, key=key)
    assert (first.status_code, again.json()) == (201, first.json())
    assert [each["id"] for each in (await place.nurse.get(path)).json()["items"]] == [first.json()["id"]]

    clearing = f"{path}/{first.json()['id']}/clearing"
    both = await asyncio.gather(place.nurse.post(clearing), place.colleague.post(clearing))
    assert sorted(answer.status_code for answer in both) == [204, 409]
    assert line_of(await queue_of(place), place.client)["messages"] == []
    assert (await place.nurse.get(path)).json() == {"items": []}
    assert (await place.nurse.post(f"{path}/{uuid4()}/clearing")).status_code == 404


async def test_a_message_of_another_client_is_not_found(place: Dispensary) -> None:
    other = await place.another_client()
    left = await place.nurse.post(f"/clients/{place.client}/window-messages", {"text": "Hello."})
    answer = await place.nurse.post(f"/clients/{other}/window-messages/{left.json()['id']}/clearing")
    assert answer.status_code == 404


async def test_the_front_desk_may_leave_a_message_and_not_clear_it(clinic: Clinic, place: Dispensary) -> None:
    desk = await clinic.person((Role.FRONT_DESK, place.programme))
    path = f"/clients/{place.client}/window-messages"
    left = await desk.post(path, {"text": "Brought the passport."})
    assert left.status_code == 201
    assert (await desk.post(f"{path}/{left.json()['id']}/clearing")).status_code == 403
    assert (await desk.get(f"/programmes/{place.programme}/queue")).status_code == 403


@pytest.mark.parametrize(("first", "last", "group"), [
    (0, 0, "not_expected"),
    (-1, 0, "not_expected"),
    (-1, -1, "to_attend"),
    (0, 1, "not_expected"),
    (1, 1, "to_attend"),
    (0, None, "not_expected"),
])  # fmt: skip
async def test_an_excused_day_counts_from_its_first_to_its_last(
    place: Dispensary, first: int, last: int | None, group: str
) -> None:
    await place.order()
    days = [None if days is None else str(place.today + timedelta(days=days)) for days in (first, last)]
    await excused(place, first_on=days[0], last_on=days[1])
    assert where(await queue_of(place), place.client) == group


@pytest.mark.parametrize(("last", "group"), [(-1, "to_attend"), (0, "not_expected"), (-3, "to_attend")])
async def test_an_excusal_that_ends_early_ends_in_the_queue(place: Dispensary, last: int, group: str) -> None:
    """Also one that never was: its last day is then the day before the first."""
    await place.order()
    made = await excused(place, first_on=str(place.today - timedelta(days=2)))
    path = f"/clients/{place.client}/excusals/{made['id']}/end"
    body = {"last_on": str(place.today + timedelta(days=last)), "reason": "Back already."}
    key = fresh()
    ended = await place.nurse.post(path, body, key=key)
    assert ended.status_code == 201, ended.text
    assert (await place.nurse.post(path, body, key=key)).json() == ended.json()
    assert (await place.colleague.post(path, body)).status_code == 409
    assert where(await queue_of(place), place.client) == group
    (kept_one,) = (await place.nurse.get(f"/clients/{place.client}/excusals")).json()["items"]
    assert kept_one["end"]["reason"] == "Back already."


@pytest.mark.parametrize("days", [-4, 6])
async def test_an_excusal_ends_on_one_of_its_days(place: Dispensary, days: int) -> None:
    made = await excused(
        place, first_on=str(place.today - timedelta(days=2)), last_on=str(place.today + timedelta(days=5))
    )
    answer = await place.nurse.post(
        f"/clients/{place.client}/excusals/{made['id']}/end",
        {"last_on": str(place.today + timedelta(days=days)), "reason": "x"},
    )
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == ["last_on"]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"told_by": " "}, "told_by"),
        ({"reason": "other"}, "note"),
        ({"first_days": -367}, "first_on"),
        ({"first_days": 367}, "first_on"),
        ({"last_days": -1}, "last_on"),
        ({"last_days": 367}, "last_on"),
        ({"note": "x" * 4001}, "note"),
    ],
)
async def test_an_excusal_says_what_cannot_be_right(place: Dispensary, said: dict[str, Any], field: str) -> None:
    body: dict[str, Any] = {"reason": "prison", "told_by": "HMP", "first_on": str(place.today)}
    for name, value in said.items():
        if name.endswith("_days"):
            body[f"{name.removesuffix('_days')}_on"] = str(place.today + timedelta(days=value))
        else:
            body[name] = value
    answer = await place.nurse.post(f"/clients/{place.client}/excusals", body)
    assert answer.status_code == 422, answer.text
    assert [fault["field"] for fault in answer.json()["errors"]] == [field]


async def test_five_days_in_prison_that_nobody_verified_hold_the_next_dose(place: Dispensary) -> None:
    """Excusing a day changes attendance, never tolerance (product convention; UK: three missed doses hold)."""
    order = await place.order()
    await gave_before(place, order, 6)
    await excused(
        place,
        reason="prison",
        first_on=str(place.today - timedelta(days=5)),
        last_on=str(place.today - timedelta(days=1)),
    )

    found = await queue_of(place)
    assert where(found, place.client) == "held"
    line = line_of(found, place.client)
    assert line["due"]["missed"] == 5
    assert [each["rule"] for each in line["due"]["in_the_way"]] == ["missed_doses"]
    refused = await place.give(order)
    assert refused.status_code == 409
    assert refused.json()["facts"]["rule"] == "missed_doses"


async def test_the_newest_record_of_a_photograph_counts(place: Dispensary) -> None:
    await place.order()
    path = f"/clients/{place.client}/photographs"
    assert line_of(await queue_of(place), place.client)["photograph_on"] is None
    key = fresh()
    for _ in range(2):
        first = await place.nurse.post(path, {"taken_on": "2025-05-01", "kept_where": "Folder 7"}, key=key)
        assert first.status_code == 201, first.text
    assert line_of(await queue_of(place), place.client)["photograph_on"] == "2025-05-01"
    assert (
        await place.nurse.post(path, {"taken_on": None, "kept_where": "Withdrawn by the client."})
    ).status_code == 201
    assert line_of(await queue_of(place), place.client)["photograph_on"] is None
    listed = (await place.nurse.get(path)).json()["items"]
    assert [each["taken_on"] for each in listed] == [None, "2025-05-01"]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"taken_on": "1989-12-31"}, "taken_on"),
        ({"taken_on": "2999-01-01"}, "taken_on"),
        ({"kept_where": " "}, "kept_where"),
    ],
)
async def test_a_photograph_has_a_day_and_a_place(place: Dispensary, said: dict[str, Any], field: str) -> None:
    answer = await place.nurse.post(
        f"/clients/{place.client}/photographs", {"taken_on": "2026-01-01", "kept_where": "Folder", **said}
    )
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == [field]


async def test_the_queue_of_another_programme_is_not_for_me(clinic: Clinic, place: Dispensary) -> None:
    elsewhere = await dispensary(clinic)
    answer = await elsewhere.nurse.get(f"/programmes/{place.programme}/queue")
    assert answer.status_code == 403


async def test_a_day_too_far_off_is_refused(place: Dispensary) -> None:
    answer = await place.nurse.get(f"/programmes/{place.programme}/queue", params={"day": "2020-01-01"})
    assert answer.status_code == 422


async def test_what_the_window_is_told_is_found_by_index(place: Dispensary) -> None:
    given = {"client": place.client, "clients": [place.client], "day": place.today}
    given |= {"after": uuid4(), "limit": 5, "place": "group"}
    statements = {
        "excusals": kept.EXCUSALS,
        "messages": kept.MESSAGES,
        "every message": kept.EVERY_MESSAGE,
        "messages at a place": kept.MESSAGES_AT,
        "photographs": kept.PHOTOGRAPHS,
        "excused": queue.EXCUSED,
        "open messages": queue.OPEN_MESSAGES,
        "newest photographs": queue.NEWEST_PHOTOGRAPHS,
        "chart numbers": queue.CHART_NUMBERS,
        "not given": queue.NOT_GIVEN_ON,
    }
    async with place.clinic.service.engine.connect() as connection:
        await connection.execute(text("set local enable_seqscan = off"))
        for name, statement in statements.items():
            plan = await plan_of(connection, statement, given)
            walked = [line for line in plan if "Seq Scan on" in line]
            assert not walked, f"{name}: {walked}"


async def test_nobody_is_expected_on_a_closure_day(clinic: Clinic, place: Dispensary) -> None:
    supervisor = await clinic.person((Role.SUPERVISOR, place.programme))
    await place.order()
    assert (await queue_of(place))["closed"] is None
    closed = await supervisor.post(
        f"/programmes/{place.programme}/closure-days", {"days": [str(place.today)], "reason": "Snow."}
    )
    assert closed.status_code == 201, closed.text
    found = await queue_of(place)
    assert (found["closed"], where(found, place.client)) == ("Snow.", "not_expected")
    assert line_of(found, place.client)["excused"] is None
