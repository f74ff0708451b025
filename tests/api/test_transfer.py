"""A client goes on from one programme to another, as both sides meet it."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import asyncpg
import httpx
import pytest

from caseload.domain.access import Role
from caseload.domain.zones import can_give_way
from tests.api.conftest import Clinic, Person
from tests.api.days import pass_days
from tests.api.dispensary import PASSWORD, Dispensary, days_ago, dispensary, fresh, give_password
from tests.api.homes import begun
from tests.api.test_departure import admit, decide, problem
from tests.api.test_signing import batch

pytestmark = pytest.mark.anyio

LONG_AGO_IN_PARIS = "Europe/Paris 2020-01-01T10:00:00.000000+00:00 Europe/London"
WAITS_FOR_A_LOCK = (
    "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
)
LEVEL = {"edition": "uk_modality", "level": "prescribing"}


@dataclass
class Two:
    """Two programmes; the client is in the care of the first."""

    here: Dispensary
    robin: Person
    giving: Person
    there: Dispensary
    kim: Person
    receiving: Person

    async def ask(self, *, by: Person | None = None, key: str | None = None, **said: Any) -> httpx.Response:
        body = {
            "to_programme_id": str(self.there.programme),
            "reason": "Moves closer to work.",
            "told": "Methadone 60 mg, stable, comes daily.",
            **said,
        }
        return await (by or self.robin).post(f"/clients/{self.here.client}/transfers", body, key=key)

    async def asked(self, **said: Any) -> str:
        answer = await self.ask(**said)
        assert (answer.status_code, answer.json()["standing"]) == (201, "asked"), answer.text
        return answer.json()["id"]

    async def accept(
        self, transfer: str, *, by: Person | None = None, key: str | None = None, **said: Any
    ) -> httpx.Response:
        body = {"counsellor_id": str(self.kim.staff.id), "level_of_care": LEVEL, **said}
        return await (by or self.receiving).post(f"/transfers/{transfer}/acceptance", body, key=key)

    async def accepted(self, **said: Any) -> tuple[str, str]:
        """A transfer that waits for a prescriber, and the discharge that is decided."""
        transfer = await self.asked(**said)
        answer = await self.accept(transfer)
        assert (answer.status_code, answer.json()["standing"]) == (201, "accepted"), answer.text
        return transfer, answer.json()["acceptance"]["waits_for"]

    async def moved(self) -> str:
        transfer = await self.asked()
        answer = await self.accept(transfer)
        assert answer.status_code == 201, answer.text
        if (waits := answer.json()["acceptance"]["waits_for"]) is not None:
            decided = await decide(self.here, waits, "stop")
            assert decided.status_code == 201, decided.text
        return transfer

    async def end(self, transfer: str, how: str, by: Person, *, key: str | None = None) -> httpx.Response:
        return await by.post(f"/transfers/{transfer}/{how}", {"reason": "Stays after all."}, key=key)

    async def standing(self, transfer: str, by: Person | None = None) -> str:
        return (await (by or self.giving).get(f"/transfers/{transfer}")).json()["standing"]

    async def episodes(self, by: Person) -> list[tuple[str, str | None]]:
        answer = await by.get(f"/clients/{self.here.client}/episodes")
        assert answer.status_code == 200, answer.text
        return [(each["programme_id"], each["discharge_reason"]) for each in answer.json()["items"]]

    async def arrived(self, by: Person | None = None) -> httpx.Response:
        return await (by or self.there.nurse).get(f"/clients/{self.here.client}/medication")


async def two(clinic: Clinic, **options: Any) -> Two:
    here, there = await dispensary(clinic), await dispensary(clinic, **options)
    robin, kim = [await clinic.person((Role.COUNSELLOR, each.programme)) for each in (here, there)]
    giving, receiving = [await clinic.person((Role.SUPERVISOR, each.programme)) for each in (here, there)]
    await admit(here, robin)
    return Two(here, robin, giving, there, kim, receiving)


@pytest.fixture
async def both(clinic: Clinic) -> Two:
    return await two(clinic)


async def test_whoever_has_no_order_goes_as_soon_as_the_other_programme_accepts(both: Two) -> None:
    here, there = both.here, both.there
    key = fresh()
    asked = await both.ask(key=key)
    assert (await both.ask(key=key)).json() == asked.json()
    transfer = asked.json()["id"]
    [listed] = (await both.receiving.get(f"/programmes/{there.programme}/transfers")).json()["items"]
    assert (listed["id"], listed["told"]) == (transfer, "Methadone 60 mg, stable, comes daily.")
    for path in ("", "/episodes", "/medication", "/notes", "/summary"):
        assert (await both.receiving.get(f"/clients/{here.client}{path}")).status_code in {403, 404}, path

    key = fresh()
    accepted = await both.accept(transfer, key=key)
    assert (accepted.status_code, accepted.json()["standing"]) == (201, "moved"), accepted.text
    assert (await both.accept(transfer, key=key)).json() == accepted.json()

    then, former = (await both.receiving.get(f"/clients/{here.client}/episodes")).json()["items"]
    assert (then["programme_id"], then["responsible_counsellor_id"]) == (str(there.programme), str(both.kim.staff.id))
    assert (former["discharge_reason"], former["ends_at"]) == ("transferred", then["starts_at"])
    assert then["returns_from"] == former["id"]
    assert (await both.kim.get(f"/clients/{here.client}")).status_code == 200
    assert (await both.arrived()).json()["holds"] == []
    assert (await both.receiving.get(f"/programmes/{there.programme}/transfers")).json()["items"] == []


async def test_the_giving_programme_keeps_its_own_past_and_sees_nothing_later(both: Two) -> None:
    here, there = both.here, both.there
    order = await here.order()
    assert (await here.give(order)).status_code == 201
    transfer = await both.moved()
    there.client = here.client
    await there.hold()

    for person in (here.nurse, here.prescriber, both.giving, both.robin):
        for path in ("", "/episodes", "/medication", "/summary", "/notes", "/check-ins"):
            assert (await person.get(f"/clients/{here.client}{path}")).status_code in {403, 404}, path
    assert str(here.client) not in (await queue_text(here))
    gone = await both.giving.get(f"/programmes/{here.programme}/transferred-clients")
    assert [each["id"] for each in gone.json()["items"]] == [transfer]
    assert (await both.receiving.get(f"/programmes/{here.programme}/transferred-clients")).status_code == 403

    past = await both.giving.get(f"/transfers/{transfer}/past")
    assert past.status_code == 200, past.text
    known = past.json()["known"]
    assert [each["order_id"] for each in known["doses"]] == [order["id"]]
    assert [each["id"] for each in known["orders"]] == [order["id"]]
    assert "sedation" not in {each["reason"] for each in known["holds"]}, "what the other programme recorded is its own"
    assert (await here.nurse.get(f"/transfers/{transfer}/past")).status_code == 200
    assert (await both.receiving.get(f"/transfers/{transfer}/past")).status_code == 403
    elsewhere = await here.clinic.person((Role.SUPERVISOR, await here.clinic.programme()))
    assert (await elsewhere.get(f"/transfers/{transfer}/past")).status_code == 404
    assert (await elsewhere.get(f"/transfers/{transfer}")).status_code == 404


async def test_what_the_giving_programme_wrote_and_gave_stays_in_its_own_books(clinic: Clinic, both: Two) -> None:
    here, there = both.here, both.there
    order = await here.order()
    dose = (await here.give(order)).json()
    await give_password(clinic, both.robin)
    begins = clinic.service.clock() - timedelta(hours=2)
    session = await both.giving.post(
        f"/programmes/{here.programme}/sessions",
        {
            "kind": "individual",
            "title": "Talk",
            "starts_at": begins.isoformat(),
            "ends_at": (begins + timedelta(hours=1)).isoformat(),
            "clients": [str(here.client)],
            "facilitators": [str(both.robin.staff.id)],
        },
    )
    path = f"/sessions/{session.json()['session']['id']}/notes"
    note = (await both.robin.post(path, {"text": "Looks forward to the job.", "client_id": str(here.client)})).json()
    signed = await both.robin.post(f"/notes/{note['id']}/signature", {"version": 1, "password": PASSWORD})
    assert signed.status_code == 201, signed.text
    transfer = await both.moved()

    looked_at = await here.colleague.post("/dose-sign-offs", batch(dose))
    assert looked_at.status_code == 201, looked_at.text
    log = await here.nurse.get(f"/programmes/{here.programme}/dispensing-log?first={here.today}")
    assert dose["id"] in log.text
    theirs = await there.nurse.get(f"/programmes/{there.programme}/dispensing-log?first={here.today}")
    assert dose["id"] not in theirs.text

    listed = await both.giving.get(f"/transfers/{transfer}/notes")
    assert [each["id"] for each in listed.json()["items"]] == [note["id"]], listed.text
    assert (await both.giving.get(f"/notes/{note['id']}")).status_code == 200
    assert (await both.receiving.get(f"/notes/{note['id']}")).status_code == 404
    assert (await both.receiving.get(f"/clients/{here.client}/notes")).json()["items"] == []
    assert (await both.receiving.get(f"/transfers/{transfer}/notes")).status_code == 403


async def test_there_is_nothing_to_look_back_at_before_the_client_has_gone(both: Two) -> None:
    assert problem(await both.here.nurse.get(f"/transfers/{await both.asked()}/past")) == (409, "transfer-moved")


async def test_treatment_began_where_it_began(clinic: Clinic) -> None:
    homes, order = await begun(clinic, day_of_treatment=31)
    here = homes.here
    there = await dispensary(clinic, profile="US", time_zone="America/New_York")
    robin, kim = [await clinic.person((Role.COUNSELLOR, each.programme)) for each in (here, there)]
    giving, receiving = [await clinic.person((Role.SUPERVISOR, each.programme)) for each in (here, there)]
    await admit(here, robin)
    both = Two(here, robin, giving, there, kim, receiving)
    path = f"/clients/{here.client}/take-homes"
    before = await here.prescriber.get(path)
    await both.moved()
    after = await there.prescriber.get(path)
    assert (before.json()["day_of_treatment"], after.json()["day_of_treatment"]) == (31, 31), (before.text, order["id"])


async def queue_text(here: Dispensary) -> str:
    answer = await here.nurse.get(f"/programmes/{here.programme}/dispensing")
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_a_client_with_an_order_goes_with_the_prescribers_decision(both: Two) -> None:
    here, there = both.here, both.there
    order = await here.order()
    transfer, waits = await both.accepted()
    assert (await here.give(order)).status_code == 201, "until then the medicine goes on where it was"
    assert (await both.arrived()).status_code == 404
    refused = await decide(here, waits, "continue", until=str(here.today + timedelta(days=9)))
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "fate")
    assert await both.standing(transfer) == "accepted"

    key = fresh()
    decided = await decide(here, waits, "stop", key=key)
    assert decided.status_code == 201, decided.text
    assert (await decide(here, waits, "stop", key=key)).json() == decided.json()
    assert await both.standing(transfer) == "moved"
    assert problem(await decide(here, waits, "stop")) == (409, "asked-moved")
    assert (await here.give(order)).status_code == 404

    chart = (await both.arrived()).json()
    assert [(each["id"], each["standing"]) for each in chart["orders"]] == [(order["id"], "stopped")]
    assert [each["amount_mg"] for each in chart["doses"]] == ["60"]
    [hold] = chart["holds"]
    assert (hold["reason"], hold["by_rule"], hold["cleared_at"]) == ("transferred", "transfer_holds", None)
    waiting = (await there.prescriber.get(f"/programmes/{there.programme}/holds")).json()["items"]
    assert [each["id"] for each in waiting] == [hold["id"]], "nobody who comes with medicine is overlooked"


async def test_nobody_is_given_a_second_dose_on_the_day_of_the_transfer_and_missed_days_count_on(both: Two) -> None:
    here, there = both.here, both.there
    order = await here.order()
    assert (await here.give(order)).status_code == 201
    await both.moved()
    there.client = here.client
    again = await there.order()
    assert rules(await there.give(again)) == ["already_given", "client_held"]
    [hold] = (await there.chart())["holds"]
    cleared = await there.prescriber.post(
        f"/holds/{hold['id']}/clearance", {"reason": "Ordered anew.", "password": PASSWORD}
    )
    assert cleared.status_code == 201, cleared.text
    assert rules(await there.give(again)) == ["already_given"]
    await pass_days(there, 1)
    assert (await there.give(again)).status_code == 201
    await pass_days(there, 5)
    assert rules(await there.give(again)) == ["missed_doses"]


def rules(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 409, answer.text
    return [each["rule"] for each in answer.json()["facts"]["rules"]]


async def test_whatever_a_discharge_ends_a_transfer_ends(both: Two) -> None:
    plan = await both.robin.post(
        f"/clients/{both.here.client}/check-in-plans",
        {"every": 1, "unit": "days", "at": "23:59", "starts_on": str(both.here.today), "mode": "in_person"},
    )
    assert plan.status_code == 201, plan.text
    await both.moved()
    plans = (await both.kim.get(f"/clients/{both.here.client}/check-in-plans")).json()["items"]
    assert all(each["terms"] is None for each in plans)
    waiting = (await both.kim.get(f"/clients/{both.here.client}/check-ins")).json()["items"]
    assert [each for each in waiting if each["waiting"]] == []


async def test_a_client_can_come_back(both: Two) -> None:
    first = await both.moved()
    back = await both.kim.post(
        f"/clients/{both.here.client}/transfers",
        {"to_programme_id": str(both.here.programme), "reason": "Back.", "told": "Nothing new."},
    )
    assert back.status_code == 201, back.text
    said = {"counsellor_id": str(both.robin.staff.id), "level_of_care": LEVEL}
    accepted = await both.giving.post(f"/transfers/{back.json()['id']}/acceptance", said)
    assert (accepted.status_code, accepted.json()["standing"]) == (201, "moved"), accepted.text
    assert [reason for _, reason in await both.episodes(both.giving)] == [None, "transferred", "transferred"]
    assert (await both.arrived()).status_code == 404
    assert (await both.here.nurse.get(f"/transfers/{first}/past")).status_code == 200


@pytest.mark.parametrize(("how", "standing"), [("refusal", "declined"), ("withdrawal", "withdrawn")])
async def test_either_side_can_say_no_until_the_client_has_gone(both: Two, how: str, standing: str) -> None:
    who = both.receiving if how == "refusal" else both.robin
    order = await both.here.order()
    transfer, waits = await both.accepted()
    assert (await both.end(transfer, how, both.here.nurse)).status_code == 403
    key = fresh()
    ended = await both.end(transfer, how, who, key=key)
    assert (ended.status_code, ended.json()["standing"]) == (201, standing), ended.text
    assert (await both.end(transfer, how, who, key=key)).json() == ended.json()
    assert (await both.end(transfer, how, who)).status_code in {404, 409}
    assert problem(await decide(both.here, waits, "stop")) == (409, "asked-moved")
    assert (await both.here.give(order)).status_code == 201
    seen = await both.receiving.get(f"/transfers/{transfer}")
    assert seen.status_code == (200 if standing == "declined" else 404), "what was taken back is told no longer"
    assert await both.standing(await both.asked()) == "asked", "and it can be asked anew"


async def test_a_request_that_nobody_has_answered_is_declined_with_a_reason(both: Two) -> None:
    transfer = await both.asked()
    assert (await both.receiving.post(f"/transfers/{transfer}/refusal", {"reason": " "})).status_code == 422
    assert (await both.end(transfer, "refusal", both.giving)).status_code == 403, "the giving side withdraws"
    assert (await both.end(transfer, "withdrawal", both.receiving)).status_code == 403, "the receiving side declines"
    assert (await both.end(transfer, "refusal", both.receiving)).json()["end"]["reason"] == "Stays after all."


async def test_withdrawing_the_discharge_that_a_transfer_waits_for_withdraws_the_transfer(both: Two) -> None:
    await both.here.order()
    transfer, waits = await both.accepted()
    back = await both.robin.post(f"/discharges/{waits}/withdrawal", {"reason": "Stays."})
    assert (back.status_code, back.json()["waits"]) == (201, False), back.text
    assert await both.standing(transfer) == "withdrawn"


async def test_a_discharge_lets_a_transfer_lapse(both: Two) -> None:
    transfer = await both.asked()
    assert (await both.robin.post(f"/clients/{both.here.client}/discharge", {"reason": "other"})).status_code == 201
    assert await both.standing(transfer) == "lapsed"
    assert (await both.accept(transfer)).status_code == 404, "the receiving programme need not know any more"
    assert problem(await both.end(transfer, "withdrawal", both.giving)) == (409, "transfer-moved")
    assert problem(await both.ask(by=both.giving)) == (409, "no-open-episode")


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"reason": " "}, "reason"),
        ({"told": " "}, "told"),
        ({"to_programme_id": "here"}, "to_programme_id"),
        ({"proposed_at": "2099-01-01T00:00:00Z"}, "proposed_at"),
    ],
)
async def test_a_request_says_what_it_must(both: Two, said: dict[str, Any], field: str) -> None:
    said = {name: str(both.here.programme) if value == "here" else value for name, value in said.items()}
    refused = await both.ask(**said)
    assert (refused.status_code, [each["field"] for each in refused.json()["errors"]]) == (422, [field])


async def test_only_the_programme_that_has_the_client_asks_and_only_the_other_answers(both: Two) -> None:
    assert (await both.ask(by=both.kim)).status_code == 404
    assert (await both.ask(to_programme_id=str(uuid4()))).status_code == 404
    transfer = await both.asked()
    assert problem(await both.ask()) == (409, "transfer-asked")
    assert (await both.accept(transfer, by=both.giving)).status_code == 403
    assert (await both.accept(transfer, by=both.kim)).status_code == 403
    assert (await both.accept(str(uuid4()))).status_code == 404
    stranger = await both.accept(transfer, counsellor_id=str(both.robin.staff.id))
    assert (stranger.status_code, stranger.json()["errors"][0]["field"]) == (422, "counsellor_id")
    level = await both.accept(transfer, level_of_care={"edition": "asam_4", "level": "9"})
    assert level.status_code == 422


async def test_a_client_goes_no_sooner_than_is_proposed(both: Two) -> None:
    transfer = await both.asked(proposed_at=days_ago(both.here, -2))
    assert problem(await both.accept(transfer)) == (409, "transfer-too-early")


async def test_what_only_the_giving_programme_can_settle_is_settled_first(both: Two) -> None:
    said = {"text": "Ask about the bus pass.", "places": ["window"]}
    message = await both.here.nurse.post(f"/clients/{both.here.client}/window-messages", said)
    assert message.status_code == 201, message.text
    transfer = await both.asked()
    refused = await both.accept(transfer)
    assert problem(refused) == (409, "transfer-unsettled")
    assert [each["kind"] for each in refused.json()["facts"]["open"]] == ["message"]


async def test_whoever_may_be_registered_twice_stays_until_that_is_answered(both: Two) -> None:
    double = await both.here.another_client()
    proposed = await both.giving.post(
        f"/clients/{double}/merges", {"survivor_id": str(both.here.client), "reason": "Same photograph."}
    )
    assert proposed.status_code == 201, proposed.text
    assert problem(await both.accept(await both.asked())) == (409, "maybe-registered-twice")


async def test_a_restricted_client_is_not_transferred(clinic: Clinic, both: Two) -> None:
    transfer = await both.asked()
    officer = await clinic.person((Role.PRIVACY_OFFICER, None))
    director = await clinic.person(*((Role.MEDICAL_DIRECTOR, each.programme) for each in (both.here, both.there)))
    named = [str(each.staff.id) for each in (both.robin, director)]
    body = {"kind": "colleague", "reason": "Works here.", "staff": named}
    restricted = await officer.post(f"/clients/{both.here.client}/restrictions", body)
    assert restricted.status_code == 201, restricted.text
    assert (await both.receiving.get(f"/transfers/{transfer}")).status_code == 404
    assert (await both.accept(transfer)).status_code == 404
    assert problem(await both.accept(transfer, by=director)) == (409, "restricted-stays")
    assert (await both.end(transfer, "withdrawal", both.robin)).status_code == 201
    assert problem(await both.ask()) == (409, "restricted-stays")


@pytest.mark.parametrize("time_zone", ["Europe/Lisbon", "Europe/Paris"])
async def test_whoever_goes_to_another_zone_keeps_the_days_they_had(clinic: Clinic, time_zone: str) -> None:
    if not can_give_way(clinic.service.clock(), ZoneInfo("Europe/London"), ZoneInfo(time_zone)):
        pytest.skip("it is another day there just now, or a clock is about to be changed: other tests are about that")
    apart = await two(clinic, time_zone=time_zone)
    here, there = apart.here, apart.there
    order = await here.order()
    assert (await here.give(order)).status_code == 201
    await apart.moved()
    owner = await asyncpg.connect(clinic.addresses.owner)
    zones = "select zones from clinic.client where id = $1"
    kept = (await owner.fetchval(zones, here.client)).split(" ")
    assert (kept[0], kept[2]) == ("Europe/London", time_zone)
    there.client = here.client
    chart = await there.chart()
    assert [each["dosing_day"] for each in chart["doses"]] == [str(here.today)]
    assert "already_given" in rules(await there.give(await there.order()))
    assert (await there.nurse.get(f"/programmes/{there.programme}/queue")).status_code == 200
    assert (await there.nurse.get(f"/programmes/{there.programme}/ecgs-due")).status_code == 200
    await owner.close()


async def test_whoever_comes_back_to_the_zone_has_its_clocks_again_and_a_programme_takes_its_clients_along(
    both: Two,
) -> None:
    here, there = both.here, both.there
    owner = await asyncpg.connect(here.clinic.addresses.owner)
    zones = "select zones from clinic.client where id = $1"
    async with owner.transaction():
        await owner.execute("update clinic.client set zones = $2 where id = $1", here.client, f"{LONG_AGO_IN_PARIS}")
        await owner.execute(
            "insert into clinic.programme_zone_move (id, programme_id, number, moved_at, from_zone, to_zone, reason, moved_by)"
            " values (gen_random_uuid(), $1, 1, now() - interval '9 days', 'Europe/London', 'Europe/Lisbon', 'x', $2)",
            here.programme,
            both.giving.staff.id,
        )
    moved = (await owner.fetchval(zones, here.client)).split(" ")
    assert moved[:3] == LONG_AGO_IN_PARIS.split(" ")
    assert (len(moved), moved[4]) == (5, "Europe/Lisbon")
    await owner.execute("update clinic.client set zones = 'Europe/London' where id = $1", here.client)
    await both.moved()
    assert await owner.fetchval(zones, here.client) is None, (
        "the same days as everybody there: the programme's zone is theirs"
    )
    assert (await both.arrived()).status_code == 200
    assert there.programme != here.programme
    await owner.close()


async def test_nobody_goes_where_it_is_another_day(clinic: Clinic) -> None:
    now = clinic.service.clock()
    far = "Pacific/Kiritimati" if now.hour >= 10 else "Etc/GMT+12"
    apart = await two(clinic, time_zone=far)
    refused = await apart.accept(await apart.asked())
    assert problem(refused) == (409, "days-differ")
    assert refused.json()["facts"]["possible_from"] > now.isoformat()


async def test_a_discharge_that_waits_for_a_prescriber_is_decided_first(both: Two) -> None:
    await both.here.order()
    transfer = await both.asked()
    waits = (await both.robin.post(f"/clients/{both.here.client}/discharge", {"reason": "other"})).json()["waits"]
    assert problem(await both.accept(transfer)) == (409, "asked-already")
    await both.robin.post(f"/discharges/{waits}/withdrawal", {"reason": "Goes on instead."})
    accepted = await both.accept(transfer)
    assert (accepted.status_code, accepted.json()["standing"]) == (201, "accepted"), accepted.text
    assert problem(await both.accept(transfer)) == (409, "transfer-moved")


async def test_of_two_who_accept_at_once_one_does(both: Two) -> None:
    transfer = await both.asked()
    other = await both.here.clinic.person((Role.SUPERVISOR, both.there.programme))
    answers = await asyncio.gather(both.accept(transfer), both.accept(transfer, by=other))
    assert sorted(each.status_code for each in answers) == [201, 409]
    assert len(await both.episodes(both.receiving)) == 2


async def test_of_two_who_ask_at_once_one_is_kept(both: Two) -> None:
    answers = await asyncio.gather(both.ask(), both.ask(by=both.giving))
    assert sorted(each.status_code for each in answers) == [201, 409]


async def test_a_discharge_at_the_same_moment_leaves_one_of_the_two(both: Two) -> None:
    transfer = await both.asked()
    discharge, accepted = await asyncio.gather(
        both.robin.post(f"/clients/{both.here.client}/discharge", {"reason": "other"}), both.accept(transfer)
    )
    assert (discharge.status_code == 201) is (accepted.status_code != 201), (discharge.text, accepted.text)
    assert await both.standing(transfer) == ("lapsed" if discharge.status_code == 201 else "moved")


async def test_a_dose_at_the_same_moment_is_given_before_the_transfer_or_not_at_all(clinic: Clinic) -> None:
    for _ in range(4):
        both = await two(clinic)
        order = await both.here.order()
        _, waits = await both.accepted()
        given, decided = await asyncio.gather(both.here.give(order), decide(both.here, waits, "stop"))
        assert decided.status_code == 201, decided.text
        assert given.status_code in {201, 404, 409}, given.text
        chart = (await both.arrived()).json()
        assert len(chart["doses"]) == (given.status_code == 201)


async def test_whoever_waited_while_the_client_went_does_not_go_on_at_the_former_home(both: Two) -> None:
    await both.here.order()
    owner = await asyncpg.connect(both.here.clinic.addresses.owner)
    try:
        async with owner.transaction():
            await owner.execute(
                "select from clinic.medication_record where client_id = $1 for update", both.here.client
            )
            held = asyncio.create_task(
                both.here.nurse.post(f"/clients/{both.here.client}/holds", {"reason": "sedation", "note": "Drowsy."})
            )
            while not await owner.fetchval(WAITS_FOR_A_LOCK):  # noqa: ASYNC110 - another connection makes it happen
                await asyncio.sleep(0.02)
            given = (both.here.client, both.there.programme)
            await owner.execute("update clinic.client set programme_id = $2 where id = $1", *given)
            await owner.execute("update clinic.medication_record set home_id = $2 where client_id = $1", *given)
        assert (await held).status_code == 404
    finally:
        await owner.close()


async def test_an_order_signed_at_the_same_moment_is_stopped_or_never_was(clinic: Clinic) -> None:
    for _ in range(4):
        both = await two(clinic)
        await both.here.order(ends_on=str(both.here.today + timedelta(days=3)))
        draft = await both.here.draft(starts_on=str(both.here.today + timedelta(days=4)))
        _, waits = await both.accepted()
        await asyncio.gather(both.here.sign(draft, "uk.first_day"), decide(both.here, waits, "stop"))
        standings = {each["standing"] for each in (await both.arrived()).json()["orders"]}
        assert standings <= {"stopped", "draft"}, "nothing is in force that the receiving programme has not signed"


async def test_the_database_lets_nobody_move_but_by_a_transfer(both: Two) -> None:
    transfer = await both.asked()
    service = await asyncpg.connect(both.here.clinic.addresses.service)
    owner = await asyncpg.connect(both.here.clinic.addresses.owner)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await service.execute(
            "update clinic.client set programme_id = $2 where id = $1", both.here.client, both.there.programme
        )
    accepts = (
        "update clinic.client_transfer set counsellor_id = asked_by, edition = 'asam_4', level = '1.5',"
        " accepted_by = asked_by, accepted_at = now() where id = $1"
    )
    moves = (
        "update clinic.client_transfer set outcome = 'moved', ended_by = asked_by, ended_at = now(),"
        " into_episode_id = episode_id where id = $1"
    )
    with pytest.raises(asyncpg.CheckViolationError, match="moved_once_accepted"):
        await owner.execute(moves, transfer)
    await owner.execute(accepts, transfer)
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="one episode ends and the other begins"):
        await owner.execute(moves, transfer)
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="stays as it was said"):
        await owner.execute("update clinic.client_transfer set level = '2.1' where id = $1", transfer)
    for each in (service, owner):
        await each.close()
