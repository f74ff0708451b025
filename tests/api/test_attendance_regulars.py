"""Relatives who come to every session of a series over HTTP: placed once, and each place for itself afterwards."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from caseload.db.tables.attendance import therapy_session_current
from caseload.domain.access import Role
from tests.api.conftest import Clinic, Person
from tests.api.dispensary import fresh
from tests.api.test_attendance_relatives import KNOWN, Family
from tests.factories.waits import until_others_wait

pytestmark = pytest.mark.anyio

NOTHING_ALLOWS = "Nothing allows this person to sit in the session with the client."


class Evenings(Family):
    """A programme with a family evening every day for a week, from tomorrow on."""

    async def series(self, *clients: str, days: int = 5, **changes: Any) -> str:
        tomorrow = self.clinic.service.clock().date() + timedelta(days=2)
        body = {
            "kind": "family",
            "title": "Families learn together",
            "every": 1,
            "unit": "days",
            "at": "17:00",
            "starts_on": str(tomorrow),
            "ends_on": str(tomorrow + timedelta(days=days - 1)),
            "minutes": 60,
            "clients": clients,
            **changes,
        }
        made = await self.robin.post(f"/programmes/{self.programme}/session-series", body)
        assert made.status_code == 201, made.text
        return made.json()["id"]

    async def sessions(self, series: str) -> list[str]:
        return [each["id"] for each in (await self.robin.get(f"/session-series/{series}")).json()["items"]]

    async def regular(
        self,
        series: str,
        client: str,
        person: str,
        comes_as: str = "with_client",
        *,
        by: Person | None = None,
        key: str | None = None,
        others_agreed: bool = True,
    ) -> Any:
        body = {"client_id": client, "person_id": person, "comes_as": comes_as, "others_agreed": others_agreed}
        return await (by or self.robin).post(f"/session-series/{series}/relatives", body, key=key)

    async def no_more(
        self, series: str, client: str, person: str, reason: str = "She moves away", **options: Any
    ) -> Any:
        body = {"client_id": client, "person_id": person, "cancelled_by": "client", "reason": reason}
        return await self.robin.post(f"/session-series/{series}/relatives/cancellation", body, **options)


@pytest.fixture
async def evenings(clinic: Clinic) -> Evenings:
    programme = await clinic.programme(time_zone="America/New_York", profile="US")
    return Evenings(clinic, programme, await clinic.person((Role.COUNSELLOR, programme)))


def ways(answer: Any) -> list[str | None]:
    assert answer.status_code == 201, answer.text
    return [each["in_the_way"] for each in answer.json()["items"]]


async def test_a_mother_is_placed_once_for_every_evening_and_each_place_lives_for_itself(evenings: Evenings) -> None:
    ada = await evenings.client()
    mother = await evenings.relative(ada)
    series = await evenings.series(ada)
    refused = await evenings.regular(series, ada, mother)
    assert (refused.status_code, refused.json()["title"]) == (409, NOTHING_ALLOWS)
    consent = await evenings.consent(ada, mother)
    key = fresh()

    placed = await evenings.regular(series, ada, mother, key=key)
    again = await evenings.regular(series, ada, mother, key=key)

    assert ways(placed) == [None] * 5
    assert again.json() == placed.json()
    sessions = await evenings.sessions(series)
    assert [each["session_id"] for each in placed.json()["items"]] == sessions
    places = [each["place_id"] for each in placed.json()["items"]]
    off = {"cancelled_by": "client", "reason": "Away that evening"}
    assert (await evenings.robin.post(f"/sessions/{sessions[1]}/relatives/{places[1]}/cancellation", off)).is_success
    twice = await evenings.regular(series, ada, mother)
    assert (twice.status_code, twice.json()["title"]) == (409, "No session of this series has a place for this person.")
    read = [(await evenings.robin.get(f"/sessions/{each}")).json() for each in sessions]
    assert [each["session"]["relatives_expected"] for each in read] == [1, 0, 1, 1, 1]
    assert (await evenings.door(sessions[0], places[0], KNOWN))["may_come_in"] is True
    await evenings.revoke(ada, consent)
    assert (await evenings.door(sessions[2], places[2], KNOWN))["may_come_in"] is False


async def test_what_a_session_cannot_take_is_left_out_and_filled_in_when_asked_again(evenings: Evenings) -> None:
    ada, ben = await evenings.client(), await evenings.client()
    mother = await evenings.relative(ada)
    series = await evenings.series(ada, capacity=2)
    sessions = await evenings.sessions(series)
    assert (await evenings.robin.post(f"/sessions/{sessions[0]}/bookings", {"clients": [ben]})).is_success
    away = {"client_id": ada, "cancelled_by": "client", "reason": "Away"}
    assert (await evenings.robin.post(f"/sessions/{sessions[1]}/cancellations", away)).is_success
    last_day = evenings.clinic.service.clock().date() + timedelta(days=5)
    await evenings.consent(ada, mother, expiry={"last_day": str(last_day)})

    first = await evenings.regular(series, ada, mother)
    await evenings.consent(ada, mother)
    second = await evenings.regular(series, ada, mother)

    assert ways(first) == ["full", "client_not_expected", None, None, "nothing_allows"]
    assert ways(second) == ["full", "client_not_expected", None, None, None]
    kept = [each["place_id"] for each in second.json()["items"]]
    assert kept[2:4] == [each["place_id"] for each in first.json()["items"]][2:4], "what was placed stays"


async def test_a_relative_who_comes_no_more_loses_every_place_to_come_and_whoever_waits_moves_up(
    evenings: Evenings,
) -> None:
    ada, ben = await evenings.client(), await evenings.client()
    mother, father = await evenings.relative(ada), await evenings.relative(ada, "Olu", "father")
    for person in (mother, father):
        await evenings.consent(ada, person)
    series = await evenings.series(ada, days=2, capacity=3)
    for person in (mother, father):
        assert ways(await evenings.regular(series, ada, person)) == [None, None]
    sessions = await evenings.sessions(series)
    waits = await evenings.robin.post(
        f"/sessions/{sessions[0]}/waiting-list", {"clients": [ben], "others_agreed": True}
    )
    assert waits.status_code == 201, waits.text
    key = fresh()

    unsaid = await evenings.no_more(series, ada, mother, " ")
    off = await evenings.no_more(series, ada, mother, key=key)
    again = await evenings.no_more(series, ada, mother, key=key)
    gone = await evenings.no_more(series, ada, mother)

    assert (unsaid.status_code, off.status_code, gone.status_code) == (422, 201, 404), off.text
    assert [each["cancelled_by"] for each in off.json()["items"]] == ["client", "client"]
    assert again.json() == off.json()
    read = [(await evenings.robin.get(f"/sessions/{each}")).json() for each in sessions]
    assert [[each["client_id"] for each in one["roster"]] for one in read] == [[ada, ben], [ada]]
    assert [one["session"]["relatives_expected"] for one in read] == [1, 1]


async def test_an_evening_that_was_called_off_before_stays_as_it_was_when_the_others_are(evenings: Evenings) -> None:
    ada = await evenings.client()
    mother = await evenings.relative(ada)
    await evenings.consent(ada, mother)
    series = await evenings.series(ada, days=2)
    first, _ = (await evenings.regular(series, ada, mother)).json()["items"]
    once = {"cancelled_by": "provider", "reason": "The room is taken"}
    path = f"/sessions/{first['session_id']}/relatives/{first['place_id']}/cancellation"
    assert (await evenings.robin.post(path, once)).is_success

    off = await evenings.no_more(series, ada, mother)

    assert [each["cancelled_by"] for each in off.json()["items"]] == ["provider", "client"], off.text


async def test_a_sister_in_her_own_right_comes_to_the_evenings_at_which_her_brother_is_not_expected(
    evenings: Evenings,
) -> None:
    ada, ben = await evenings.client(), await evenings.client()
    sister = await evenings.relative(ada, "Rosa", "sibling")
    series = await evenings.series(ben, days=3, kind="education")
    sessions = await evenings.sessions(series)
    assert (await evenings.robin.post(f"/sessions/{sessions[0]}/bookings", {"clients": [ada]})).is_success
    placed = await evenings.regular(series, ada, sister, "in_own_right")
    assert ways(placed) == ["client_expected", None, None]
    assert ben not in placed.text


async def test_a_session_that_was_moved_takes_its_regulars_along_and_is_not_asked_for_again(evenings: Evenings) -> None:
    ada = await evenings.client()
    mother = await evenings.relative(ada)
    await evenings.consent(ada, mother)
    series = await evenings.series(ada, days=2)
    assert ways(await evenings.regular(series, ada, mother)) == [None, None]
    [first, second] = await evenings.sessions(series)
    starts_at = evenings.clinic.service.clock() + timedelta(days=1)
    to = {"starts_at": starts_at.isoformat(), "ends_at": (starts_at + timedelta(hours=1)).isoformat()}
    moved = await evenings.robin.post(f"/sessions/{first}/move", {**to, "reason": "The room is taken"})
    assert moved.status_code == 201, moved.text

    off = await evenings.no_more(series, ada, mother)

    assert {each["session_id"] for each in off.json()["items"]} == {moved.json()["session"]["id"], second}


async def test_relatives_come_to_series_of_their_own_programme_and_kind_that_are_not_over(
    clinic: Clinic, evenings: Evenings
) -> None:
    ada = await evenings.client()
    mother = await evenings.relative(ada)
    await evenings.consent(ada, mother)
    groups = await evenings.series(ada, kind="group")
    wrong_kind = await evenings.regular(groups, ada, mother)
    series = await evenings.series(ada, days=1, clashes_agreed=True)
    [only] = await evenings.sessions(series)
    nobody = await evenings.regular(series, ada, str(uuid4()))
    unknown = await evenings.regular(str(uuid4()), ada, mother)
    colleague = await clinic.person((Role.COUNSELLOR, evenings.programme))
    beyond_reach = await evenings.regular(series, ada, mother, by=colleague)
    stranger = await clinic.person((Role.COUNSELLOR, await clinic.programme()))
    elsewhere = await evenings.regular(series, ada, mother, by=stranger)
    assert (await evenings.robin.post(f"/sessions/{only}/calling-off", {"reason": "Flood"})).is_success
    over = await evenings.regular(series, ada, mother)

    assert [each["field"] for each in wrong_kind.json()["errors"]] == ["session_id"]
    assert [each.status_code for each in (nobody, unknown, beyond_reach, elsewhere)] == [404, 404, 404, 404]
    assert (over.status_code, over.json()["title"]) == (409, "No session of this series is still to come.")


async def test_a_series_with_other_clients_asks_that_they_agreed(evenings: Evenings) -> None:
    ada, ben = await evenings.client(), await evenings.client()
    mother = await evenings.relative(ada)
    await evenings.consent(ada, mother)
    series = await evenings.series(ada, days=2)
    [first, _] = await evenings.sessions(series)
    assert (await evenings.robin.post(f"/sessions/{first}/bookings", {"clients": [ben]})).is_success
    some = await evenings.regular(series, ada, mother, others_agreed=False)
    mixed = await evenings.series(ada, ben, days=2, at="19:00")
    none = await evenings.regular(mixed, ada, mother, others_agreed=False)
    assert ways(some) == ["others_not_asked", None]
    assert (none.status_code, none.json()["title"]) == (
        409,
        "Other clients and relatives would meet at this session, and nobody has said that they agree to it.",
    )


async def test_a_place_that_moves_with_its_evening_meanwhile_is_not_forgotten(evenings: Evenings) -> None:
    """Whoever waits for an evening that is moved meanwhile is told so, instead of leaving the new one as it was."""
    ada = await evenings.client()
    mother = await evenings.relative(ada)
    await evenings.consent(ada, mother)
    series = await evenings.series(ada, days=2)
    assert ways(await evenings.regular(series, ada, mother)) == [None, None]
    first, _ = (await evenings.robin.get(f"/session-series/{series}")).json()["items"]
    starts_at = datetime.fromisoformat(first["starts_at"]) + timedelta(hours=2)
    body = {
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(hours=1)).isoformat(),
        "reason": "Fire drill.",
    }
    async with evenings.clinic.service.engine.begin() as before:
        held = select(therapy_session_current.c.session_id).where(therapy_session_current.c.session_id == first["id"])
        await before.execute(held.with_for_update())
        moving = asyncio.create_task(evenings.robin.post(f"/sessions/{first['id']}/move", body))
        await until_others_wait(before)
        calling_off = asyncio.create_task(evenings.no_more(series, ada, mother))
        await until_others_wait(before, 2)
    moved, refused = await moving, await calling_off

    assert moved.status_code == 201, moved.text
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:caseload:problem:session-moved")
    assert (await evenings.no_more(series, ada, mother)).status_code == 201
    now = (await evenings.robin.get(f"/sessions/{moved.json()['session']['id']}")).json()
    assert [each["cancelled_by"] for each in now["relatives"]] == ["client"]
