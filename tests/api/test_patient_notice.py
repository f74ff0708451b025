"""Patient notices over HTTP: put in force, given, taken back, and who is still to be given the one in force."""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from caseload.db import locks
from caseload.db.patient_notice import OF_CLIENT
from caseload.db.programme import Programmes
from caseload.db.tables.patient_notice import patient_notice, patient_notice_given
from caseload.domain.access import Role
from caseload.domain.ids import ProgrammeId, new_id
from tests.api.conftest import Clinic, Person
from tests.factories import clients
from tests.factories.explain import plan_of, walks
from tests.factories.waits import until_others_wait

pytestmark = pytest.mark.anyio

DIGEST = hashlib.sha256(b"How we protect your record").hexdigest()
SIGNED = {"manner": "paper", "acknowledgement": "signed"}
REFUSED = {"manner": "read_aloud", "acknowledgement": "declined", "why_not": "Asked twice; signs nothing."}


@dataclass(frozen=True)
class Hall:
    """A programme with a desk, a counsellor, a privacy officer, and two clients of whom the counsellor has the first."""

    clinic: Clinic
    programme: ProgrammeId
    today: date
    desk: Person
    counsellor: Person
    officer: Person
    clients: tuple[str, str]

    @property
    def versions(self) -> str:
        return f"/programmes/{self.programme}/patient-notices"

    def given_to(self, place: int) -> str:
        return f"/clients/{self.clients[place]}/patient-notices"

    def wording(self, **said: Any) -> dict[str, Any]:
        plain = {"title": "Privacy", "version": uuid4().hex, "in_force_from": str(self.today), "text_sha256": DIGEST}
        return plain | said

    async def put(self, **said: Any) -> dict[str, Any]:
        answer = await self.officer.post(self.versions, self.wording(**said))
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def give(self, place: int = 0, *, by: Person | None = None, said: Any = SIGNED) -> dict[str, Any]:
        answer = await (by or self.desk).post(self.given_to(place), said)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def waiting(self, by: Person | None = None, **asked: Any) -> dict[str, Any]:
        answer = await (by or self.desk).get(f"{self.versions}/still-to-give", params=asked)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
async def hall(clinic: Clinic) -> Hall:
    programme = await clinic.programme(profile="US")
    counsellor = await clinic.person((Role.COUNSELLOR, programme))
    other = await clinic.person((Role.COUNSELLOR, programme))
    async with clinic.service.engine.begin() as connection:
        here = await Programmes(connection).get(programme)
        two = [
            await clients.in_care(connection, programme=programme, counsellor=each.staff.id)
            for each in (counsellor, other)
        ]
    return Hall(
        clinic,
        programme,
        here.today(clinic.service.clock()),
        await clinic.person((Role.FRONT_DESK, programme)),
        counsellor,
        await clinic.person((Role.PRIVACY_OFFICER, programme)),
        (str(two[0].id), str(two[1].id)),
    )


def of(page: dict[str, Any]) -> tuple[int, list[str]]:
    return page["count"], [each["client_id"] for each in page["items"]]


async def test_whoever_is_in_care_is_to_be_given_the_version_in_force_until_they_were(hall: Hall) -> None:
    assert await hall.waiting() == {"notice": None, "count": 0, "items": [], "next": None}
    assert (await hall.desk.post(hall.given_to(0), SIGNED)).json()["type"].endswith("no-notice-in-force")
    await hall.put(in_force_from=str(hall.today + timedelta(days=1)))
    assert (await hall.waiting())["notice"] is None
    first = await hall.put(version="2026-1")
    page = await hall.waiting()
    assert (page["notice"], of(page)) == (first, (2, sorted(hall.clients)))
    assert page["items"][0] == {
        "client_id": min(hall.clients), "given_name": "Ada", "family_name": "Lindqvist",
        "admitted_on": page["items"][0]["admitted_on"],
    }  # fmt: skip
    given = await hall.give(said=REFUSED)
    assert (given["notice"], given["acknowledgement"], given["why_not"]) == (first, "declined", REFUSED["why_not"])
    assert of(await hall.waiting()) == (1, [hall.clients[1]])
    signed = await hall.give()
    listed = (await hall.officer.get(hall.given_to(0))).json()["items"]
    assert listed == [signed, given]


async def test_the_list_comes_in_pages_and_says_how_many_there_are(hall: Hall) -> None:
    await hall.put()
    page = await hall.waiting(limit=1)
    assert of(page) == (2, [min(hall.clients)])
    after = await hall.waiting(limit=1, after=page["next"])
    assert of(after) == (2, [max(hall.clients)])
    assert of(await hall.waiting(after=after["next"])) == (2, [])


async def test_a_counsellor_sees_who_of_their_own_clients_is_still_to_be_given_it(hall: Hall) -> None:
    await hall.put()
    assert of(await hall.waiting(hall.counsellor)) == (1, [hall.clients[0]])
    await hall.give(by=hall.counsellor)
    assert of(await hall.waiting(hall.counsellor)) == (0, [])


async def test_whoever_was_discharged_is_not_on_the_list(hall: Hall) -> None:
    await hall.put()
    async with hall.clinic.service.engine.begin() as connection:
        for table in ("responsibility", "episode"):
            await connection.execute(
                text(f"update clinic.{table} set period = tstzrange(lower(period), now()) where client_id = :client"),  # noqa: S608  ours
                {"client": hall.clients[0]},
            )
    assert of(await hall.waiting()) == (1, [hall.clients[1]])


async def test_a_later_version_is_to_be_given_to_everybody_again(hall: Hall) -> None:
    old = await hall.put(in_force_from=str(hall.today - timedelta(days=30)))
    await hall.give()
    new = await hall.put()
    assert (await hall.officer.get(hall.versions)).json() == {"in_force": new["id"], "items": [new, old]}
    assert of(await hall.waiting()) == (2, sorted(hall.clients))
    assert (await hall.give(1, said=SIGNED | {"notice_id": old["id"]}))["notice"] == old
    assert of(await hall.waiting()) == (2, sorted(hall.clients))


async def test_two_officers_at_once_put_one_version_in_force_from_a_day(hall: Hall) -> None:
    colleague = await hall.clinic.person((Role.PRIVACY_OFFICER, hall.programme))
    answers = await asyncio.gather(*(by.post(hall.versions, hall.wording()) for by in (hall.officer, colleague)))
    assert sorted(each.status_code for each in answers) == [201, 409]
    refused = next(each for each in answers if each.status_code == 409)
    assert refused.json()["type"] == "urn:caseload:problem:notice-taken"


async def test_of_two_first_notices_with_past_days_one_at_once_is_the_first(hall: Hall) -> None:
    """Else what was in force on a day that has passed would change with whichever was kept last."""
    days = [str(hall.today - timedelta(days=past)) for past in (30, 60)]
    async with hall.clinic.service.engine.begin() as before:
        await locks.hold(before, f"patient notices {hall.programme}")
        both = [asyncio.create_task(hall.officer.post(hall.versions, hall.wording(in_force_from=day))) for day in days]
        await until_others_wait(before, 2)
    answers = await asyncio.gather(*both)
    assert sorted(each.status_code for each in answers) == [201, 422], [each.text for each in answers]


async def test_retries_put_one_version_in_force_and_give_it_once(hall: Hall) -> None:
    keys = uuid4().hex, uuid4().hex, uuid4().hex
    body = hall.wording()
    first, again = [await hall.officer.post(hall.versions, body, key=keys[0]) for _ in range(2)]
    assert (first.status_code, again.json()) == (201, first.json())
    given, once_more = [await hall.desk.post(hall.given_to(0), SIGNED, key=keys[1]) for _ in range(2)]
    assert (given.status_code, once_more.json()) == (201, given.json())
    where = f"{hall.given_to(0)}/{given.json()['id']}/withdrawal"
    wrong, repeated = [await hall.desk.post(where, {"reason": "Another client."}, key=keys[2]) for _ in range(2)]
    assert (wrong.status_code, repeated.json()) == (201, wrong.json())
    assert len((await hall.desk.get(hall.given_to(0))).json()["items"]) == 1


async def test_a_record_that_was_a_mistake_is_taken_back_once_and_the_client_is_to_be_given_it(hall: Hall) -> None:
    await hall.put()
    made = await hall.give()
    where = f"{hall.given_to(0)}/{made['id']}/withdrawal"
    answers = await asyncio.gather(*(by.post(where, {"reason": "Both."}) for by in (hall.desk, hall.counsellor)))
    assert sorted(each.status_code for each in answers) == [201, 409]
    (line,) = (await hall.desk.get(hall.given_to(0))).json()["items"]
    assert (line["id"], line["taken_back"]) == (made["id"], "Both.")
    assert of(await hall.waiting()) == (2, sorted(hall.clients))


async def test_nobody_beyond_the_programme_learns_of_it_and_only_its_officer_puts_one_in_force(hall: Hall) -> None:
    await hall.put()
    made = await hall.give()
    elsewhere = await hall.clinic.programme()
    stranger = await hall.clinic.person((Role.NURSE, elsewhere))
    where = f"{hall.given_to(0)}/{made['id']}/withdrawal"
    asked = [
        await stranger.get(hall.given_to(0)),
        await stranger.post(hall.given_to(0), SIGNED),
        await stranger.post(where, {"reason": "?"}),
        await hall.desk.post(f"{hall.given_to(0)}/{new_id()}/withdrawal", {"reason": "?"}),
        await hall.desk.post(f"{hall.given_to(1)}/{made['id']}/withdrawal", {"reason": "?"}),
        await hall.desk.post(hall.given_to(0), SIGNED | {"notice_id": str(new_id())}),
    ]
    assert [each.status_code for each in asked] == [404] * 6
    officer = await hall.clinic.person((Role.PRIVACY_OFFICER, elsewhere))
    refused = [
        await stranger.get(f"{hall.versions}/still-to-give"),
        await stranger.get(hall.versions),
        await hall.desk.post(hall.versions, hall.wording()),
        await officer.post(hall.versions, hall.wording()),
    ]
    assert [each.status_code for each in refused] == [403] * 4


@pytest.mark.parametrize(
    ("wrong", "constraint"),
    [
        ({"manner": "pigeon"}, "patient_notice_given_manner_check"),
        ({"acknowledgement": "perhaps"}, "patient_notice_given_acknowledgement_check"),
        ({"why_not": "Did not want to."}, "patient_notice_given_signed_or_why_not_check"),
        ({"acknowledgement": "declined"}, "patient_notice_given_signed_or_why_not_check"),
        ({"acknowledgement": "declined", "why_not": " "}, "patient_notice_given_why_not_not_blank_check"),
        ({"later_by": timedelta(seconds=1)}, "patient_notice_given_not_in_the_future_check"),
        ({"notice_id": new_id()}, "patient_notice_given_notice_fkey"),
        ({"elsewhere": True}, "patient_notice_given_notice_fkey"),
    ],
)
async def test_a_wrong_record_cannot_be_stored(hall: Hall, wrong: dict[str, Any], constraint: str) -> None:
    now, notice = hall.clinic.service.clock(), await hall.put()
    later, elsewhere = wrong.get("later_by", timedelta()), "elsewhere" in wrong
    row = {
        "id": new_id(),
        "client_id": hall.clients[0],
        "programme_id": await hall.clinic.programme() if elsewhere else hall.programme,
        "notice_id": notice["id"],
        "given_at": now + later,
        **SIGNED,
        "recorded_by": hall.desk.staff.id,
        "recorded_at": now,
    } | {name: value for name, value in wrong.items() if name not in {"later_by", "elsewhere"}}
    with pytest.raises(IntegrityError, match=constraint):
        async with hall.clinic.service.engine.begin() as connection:
            await connection.execute(insert(patient_notice_given).values(**row))


@pytest.mark.parametrize(
    ("wrong", "constraint"),
    [
        ({"version": "one"}, "patient_notice_version_key"),
        ({"in_force_from": date(2026, 1, 1)}, "patient_notice_day_key"),
        ({"title": " "}, "patient_notice_title_not_blank_check"),
        ({"text_sha256": b"short"}, "patient_notice_text_sha256_check"),
    ],
)
async def test_a_wrong_version_cannot_be_stored(hall: Hall, wrong: dict[str, Any], constraint: str) -> None:
    row = {
        "programme_id": hall.programme,
        "title": "Privacy",
        "version": "one",
        "in_force_from": date(2026, 1, 1),
        "text_sha256": bytes.fromhex(DIGEST),
        "recorded_by": hall.officer.staff.id,
        "recorded_at": hall.clinic.service.clock(),
    }
    other = {"version": "two", "in_force_from": date(2026, 2, 1)}
    async with hall.clinic.service.engine.begin() as connection:
        await connection.execute(insert(patient_notice).values(id=new_id(), **row))
    with pytest.raises(IntegrityError, match=constraint):
        async with hall.clinic.service.engine.begin() as connection:
            await connection.execute(insert(patient_notice).values(id=new_id(), **row | other | wrong))


@pytest.mark.parametrize("table", ["patient_notice", "patient_notice_given", "patient_notice_taken_back"])
async def test_the_service_can_neither_change_nor_delete_a_record(clinic: Clinic, table: str) -> None:
    for statement in (f"delete from clinic.{table}", f"update clinic.{table} set recorded_at = now()"):  # noqa: S608  ours
        async with clinic.service.engine.connect() as connection:
            with pytest.raises(ProgrammingError, match="permission denied"):
                await connection.execute(text(statement))


async def test_what_a_client_was_given_is_found_by_the_client(clinic: Clinic) -> None:
    async with clinic.service.engine.connect() as connection:
        await connection.execute(text("set local enable_seqscan = off"))
        plan = await plan_of(connection, OF_CLIENT, {"client": new_id()})
    assert not walks(plan), "\n".join(plan)
