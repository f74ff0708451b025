"""A morning on paper over HTTP: every line answered by itself, nothing lost, nothing twice, and nothing refused that was swallowed."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from caseload.domain.access import Role
from caseload.domain.ids import ClientId
from tests.api.conftest import Clinic, Person
from tests.api.dispensary import PASSWORD, Dispensary, dispensary, fresh
from tests.api.homes import rules_of
from tests.api.storeroom import storeroom
from tests.api.test_dosing_injections import SUBLOCADE
from tests.api.test_stock_ledger import table
from tests.api.test_takehome_stock import Shelf, shelf

pytestmark = pytest.mark.anyio


SIGNED_YESTERDAY = (
    "update clinic.medication_order set written_at = written_at - interval '1 day' where id = $1",
    "update clinic.medication_order_signature set signed_at = signed_at - interval '1 day' where order_id = $1",
)


@dataclass
class Paper:
    """A dispensary whose nurse gave on paper, and somebody else who types it in."""

    here: Dispensary

    @property
    def now(self) -> datetime:
        return self.here.clinic.service.clock()

    def at(self, minutes_ago: int = 60) -> str:
        """A moment of today: some minutes ago, or just after midnight where today is younger than that."""
        local = self.now.astimezone(self.here.zone)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        return max(midnight, local - timedelta(minutes=minutes_ago)).isoformat()

    async def order(self, **said: Any) -> dict[str, Any]:
        """An order that was signed yesterday: what is given before the signature has no order."""
        made = await self.here.order(**said)
        owner = await asyncpg.connect(self.here.clinic.addresses.owner)
        try:
            await owner.execute("set session_replication_role = replica")
            for statement in SIGNED_YESTERDAY:
                await owner.execute(statement, made["id"])
        finally:
            await owner.close()
        return made

    def given(self, order: dict[str, Any], **said: Any) -> dict[str, Any]:
        return {
            "order_id": order["id"],
            "medicine": order["medicine"],
            "form": order["form"],
            "amount_mg": order["amounts_mg"].get(said.get("part", "whole"), "60"),
            "given_at": self.at(),
            **said,
        }

    def line(self, number: int = 1, *, client: ClientId | str | None = None, **said: Any) -> dict[str, Any]:
        who = {"client_id": str(client or self.here.client), "written_by": str(self.here.nurse.staff.id)}
        return {"line": number, **who, **said}

    async def enter(
        self,
        *lines: dict[str, Any],
        by: Person | None = None,
        key: str | None = None,
        preview: bool = False,
        **said: Any,
    ) -> httpx.Response:
        form = {"day": str(self.here.today), "reason": "The network was down.", "lines": lines, **said}
        path = f"/programmes/{self.here.programme}/downtime-entries{'/preview' if preview else ''}"
        return await (by or self.here.colleague).post(path, form, key=None if preview else key or fresh())

    async def answers(self, *lines: dict[str, Any], **said: Any) -> list[dict[str, Any]]:
        entered = await self.enter(*lines, **said)
        assert entered.status_code in {200, 201}, entered.text
        return entered.json()["answers"]

    async def only(self, **said: Any) -> dict[str, Any]:
        """The one answer to one line that says one thing."""
        [answer] = await self.answers(self.line(**said))
        return answer


async def paper(clinic: Clinic, **options: Any) -> Paper:
    return Paper(await dispensary(clinic, **options))


async def test_a_dose_on_paper_names_who_gave_it_and_who_entered_it(clinic: Clinic) -> None:
    sheet = await paper(clinic)
    here = sheet.here
    order = await sheet.order()
    answer = await sheet.only(
        given=sheet.given(order, given_at=sheet.at(30), observed_by=str(here.prescriber.staff.id))
    )
    assert (answer["outcome"], answer["line"], answer["rules"]) == ("recorded", 1, [])
    assert answer["observed_by"] == str(here.prescriber.staff.id)
    dose = (await here.nurse.get(f"/doses/{answer['record_id']}")).json()
    assert (dose["given_by"], dose["recorded_by"]) == (str(here.nurse.staff.id), str(here.colleague.staff.id))
    assert (dose["entry"], dose["late_reason"], dose["standing"]) == ("late", "The network was down.", "waiting")
    # Neither whoever gave it nor whoever typed it in is its second pair of eyes.
    for own in (here.nurse, here.colleague):
        looked = await own.post(
            "/dose-sign-offs", {"doses": [{"dose_id": dose["id"], "version": 1}], "password": PASSWORD}
        )
        assert (looked.status_code, looked.json()["type"]) == (403, "urn:caseload:problem:own-dose")
    third = {"doses": [{"dose_id": dose["id"], "version": 1}], "password": PASSWORD}
    assert (await here.prescriber.post("/dose-sign-offs", third)).status_code == 201


async def test_what_broke_a_rule_is_an_exception_that_holds_the_next_dose(clinic: Clinic) -> None:
    sheet = await paper(clinic)
    order = await sheet.order()
    await sheet.here.hold()
    answer = await sheet.only(given=sheet.given(order, amount_mg="70", given_at=sheet.at(0)))
    assert answer["outcome"] == "exception"
    assert set(answer["rules"]) >= {"more_than_ordered"}
    stops = [each["rule"] for each in (await sheet.here.chart())["due"]["in_the_way"]]
    assert "client_held" in stops


async def test_a_second_dose_on_paper_is_recorded_beside_the_one_at_the_window(clinic: Clinic) -> None:
    sheet = await paper(clinic)
    order = await sheet.order()
    assert (await sheet.here.give(order)).status_code == 201
    answer = await sheet.only(
        written_by=str(sheet.here.prescriber.staff.id), given=sheet.given(order, given_at=sheet.at(0))
    )
    assert (answer["outcome"], answer["rules"]) == ("exception", ["already_given"])


async def test_the_same_dose_written_down_twice_is_there_already_with_who_and_when(clinic: Clinic) -> None:
    sheet = await paper(clinic)
    order = await sheet.order()
    line = sheet.line(given=sheet.given(order))
    [first] = await sheet.answers(line)
    [again] = await sheet.answers(line)
    assert again["outcome"] == "already"
    assert again["record_id"] == first["record_id"]
    assert again["found"]["by"] == str(sheet.here.colleague.staff.id)
    assert len((await sheet.here.chart())["doses"]) == 1


@pytest.mark.parametrize(("minutes", "outcome"), [(5, "already"), (6, "exception")])
async def test_five_minutes_are_the_same_dose_and_six_are_another(clinic: Clinic, minutes: int, outcome: str) -> None:
    sheet = await paper(clinic)
    order = await sheet.order()
    later = datetime.fromisoformat(sheet.at(0))
    earlier = later - timedelta(minutes=minutes)
    if earlier.date() != later.date():
        pytest.skip("within minutes of midnight the two lie on two days")
    assert (await sheet.only(given=sheet.given(order, given_at=earlier.isoformat())))["outcome"] == "recorded"
    assert (await sheet.only(given=sheet.given(order, given_at=later.isoformat())))["outcome"] == outcome


async def test_a_dose_that_was_corrected_as_not_given_is_not_the_one_on_paper(clinic: Clinic) -> None:
    sheet = await paper(clinic)
    order = await sheet.order()
    first = await sheet.only(given=sheet.given(order))
    corrected = await sheet.here.prescriber.post(
        f"/doses/{first['record_id']}/correction",
        {"reason": "Of another.", "password": PASSWORD},
        headers={"If-Match": '"1"'},
    )
    assert corrected.status_code == 201, corrected.text
    again = await sheet.only(given=sheet.given(order))
    assert again["outcome"] == "recorded"
    assert again["record_id"] != first["record_id"]


async def test_a_retry_gets_the_first_answers_again_and_another_form_is_refused(clinic: Clinic) -> None:
    sheet = await paper(clinic)
    order = await sheet.order()
    key = fresh()
    lines = [
        sheet.line(1, given=sheet.given(order)),
        sheet.line(2, client=str(uuid4()), not_given={"reason": "absent"}),
    ]
    first = await sheet.enter(*lines, key=key)
    assert first.status_code == 201, first.text
    again = await sheet.enter(*lines, key=key)
    assert (again.status_code, again.json()) == (201, first.json())
    assert len((await sheet.here.chart())["doses"]) == 1
    other = await sheet.enter(lines[0], key=key)
    assert other.status_code == 422
    read = await sheet.here.nurse.get(f"/downtime-entries/{first.json()['id']}")
    assert read.json() == first.json()


async def test_two_people_who_enter_the_same_sheet_at_once_record_it_once(clinic: Clinic) -> None:
    sheet = await paper(clinic)
    clients = [sheet.here.client, *[await sheet.here.another_client() for _ in range(3)]]
    orders = [await sheet.order(client=client) for client in clients]
    lines = [
        sheet.line(number, client=client, given=sheet.given(order))
        for number, (client, order) in enumerate(zip(clients, orders, strict=True), start=1)
    ]
    one, other = await asyncio.gather(sheet.enter(*lines), sheet.enter(*reversed(lines), by=sheet.here.prescriber))
    assert (one.status_code, other.status_code) == (201, 201)
    outcomes = [each["outcome"] for answer in (one, other) for each in answer.json()["answers"]]
    assert sorted(outcomes) == ["already"] * 4 + ["recorded"] * 4


async def test_without_a_key_nothing_is_entered(clinic: Clinic) -> None:
    sheet = await paper(clinic)
    order = await sheet.order()
    form = {"day": str(sheet.here.today), "reason": "Down.", "lines": [sheet.line(given=sheet.given(order))]}
    refused = await sheet.here.colleague.post(f"/programmes/{sheet.here.programme}/downtime-entries", form)
    assert refused.status_code == 422


async def test_a_preview_answers_every_line_and_keeps_nothing(clinic: Clinic) -> None:
    sheet = await paper(clinic)
    order = await sheet.order()
    lines = [
        sheet.line(1, given=sheet.given(order, amount_mg="70"), vomited={"minutes_after": 1, "witnessed": True}),
        sheet.line(2, client=await sheet.here.another_client(), not_given={"reason": "absent"}),
    ]
    seen = await sheet.enter(*lines, preview=True)
    assert seen.status_code == 200, seen.text
    assert seen.json()["id"] is None
    assert [(each["what"], each["outcome"], each["record_id"]) for each in seen.json()["answers"]] == [
        ("given", "exception", None),
        ("vomited", "recorded", None),
        ("not_given", "recorded", None),
    ]
    chart = await sheet.here.chart()
    assert (chart["doses"], chart["holds"]) == ([], [])
    assert [each["outcome"] for each in await sheet.answers(*lines)] == ["exception", "recorded", "recorded"]
    [found, *_] = (await sheet.enter(*lines, preview=True)).json()["answers"]
    assert (found["outcome"], found["record_id"]) == ("already", (await sheet.here.chart())["doses"][0]["id"])


async def test_what_cannot_be_understood_is_refused_alone_with_what_to_do(clinic: Clinic) -> None:
    sheet = await paper(clinic)
    here = sheet.here
    order = await sheet.order()
    desk = await clinic.person((Role.FRONT_DESK, here.programme))
    elsewhere = await dispensary(clinic)
    yesterday = (datetime.fromisoformat(sheet.at()) - timedelta(days=1)).isoformat()
    good = sheet.given(order)
    answers = await sheet.answers(
        sheet.line(1, client=str(uuid4()), given=good),
        sheet.line(2, client=elsewhere.client, given=good),
        sheet.line(3, written_by=str(uuid4()), given=good),
        sheet.line(4, written_by=str(desk.staff.id), given=good),
        sheet.line(5, given=sheet.given(order, amount_mg="0")),
        sheet.line(6, given=sheet.given(order, given_at=yesterday)),
        sheet.line(7, given=sheet.given(order, observed_by=str(uuid4()))),
        sheet.line(8, client=await here.another_client(), given=sheet.given(order, order_id=str(uuid4()))),
        sheet.line(9, given=good),
    )
    outcomes = {each["line"]: each["outcome"] for each in answers}
    assert outcomes == {**dict.fromkeys(range(1, 9), "refused"), 9: "recorded"}
    said = {each["line"]: each for each in answers}
    assert said[1]["client_id"] is None
    assert said[2]["client_id"] is None
    assert (said[3]["written_by"], said[4]["written_by"]) == (None, str(desk.staff.id))
    assert "nobody of the staff" in said[3]["says"]
    assert "late entry" in said[4]["says"]
    assert "amount_mg" in said[5]["says"]
    assert "another day" in said[6]["says"]
    assert len((await here.chart())["doses"]) == 1


async def test_a_client_of_another_programme_of_ours_belongs_on_its_own_sheet(clinic: Clinic) -> None:
    sheet, other = await paper(clinic), await paper(clinic)
    both = await clinic.person((Role.NURSE, sheet.here.programme), (Role.NURSE, other.here.programme))
    order = await other.order()
    [answer] = await sheet.answers(sheet.line(client=other.here.client, given=sheet.given(order)), by=both)
    assert (answer["outcome"], answer["client_id"]) == ("refused", str(other.here.client))
    assert "another programme" in answer["says"]


async def test_the_form_itself_must_be_one(clinic: Clinic) -> None:
    sheet = await paper(clinic)
    order = await sheet.order()
    line = sheet.line(given=sheet.given(order))
    tomorrow = str(sheet.here.today + timedelta(days=1))
    forms: list[dict[str, Any]] = [
        {"lines": []},
        {"lines": [line, line]},
        {"lines": [sheet.line()]},
        {"lines": [sheet.line(vomited={"minutes_after": 1, "witnessed": True})]},
        {"lines": [line], "day": tomorrow},
        {"lines": [line], "reason": " "},
        {"lines": [line], "day": "0001-01-01"},
        {"lines": [sheet.line(given=sheet.given(order, given_at="0001-01-01T00:00:00+14:00"))]},
        {"lines": [sheet.line(given=sheet.given(order, given_at="9999-12-31T23:59:59-14:00"))]},
        {"lines": [line | {"line": number} for number in range(1, 102)]},
    ]
    for form in forms:
        refused = await sheet.enter(**form)
        assert refused.status_code == 422, refused.text
    assert (await sheet.here.chart())["doses"] == []


async def test_vomited_and_not_given_and_what_was_seen_come_with_the_line_and_once(clinic: Clinic) -> None:
    sheet = await paper(clinic)
    order = await sheet.order()
    absent = await sheet.here.another_client()
    lines = [
        sheet.line(
            1,
            observed={"seen_at": sheet.at(61), "sedation": "alert", "intoxicated": False},
            given=sheet.given(order),
            vomited={"minutes_after": 0, "witnessed": True, "note": "At once."},
        ),
        sheet.line(2, client=absent, not_given={"reason": "absent"}),
    ]
    assert [(each["what"], each["outcome"]) for each in await sheet.answers(*lines)] == [
        ("observed", "recorded"),
        ("given", "recorded"),
        ("vomited", "recorded"),
        ("not_given", "recorded"),
    ]
    again = await sheet.answers(*lines)
    assert {each["outcome"] for each in again} == {"already"}
    assert all(each["found"]["by"] == str(sheet.here.colleague.staff.id) for each in again)
    [dose] = (await sheet.here.chart())["doses"]
    assert dose["vomited"] == {"minutes_after": 0, "witnessed": True}
    was_given = await sheet.only(not_given={"reason": "refused"})
    assert (was_given["outcome"], "This part of the day has been given" in was_given["says"]) == ("refused", True)
    nobody = await sheet.only(client=absent, written_by=str(uuid4()), not_given={"reason": "refused"})
    assert nobody["outcome"] == "refused"


async def test_what_became_of_a_dose_waits_for_the_dose(clinic: Clinic) -> None:
    sheet = await paper(clinic)
    order = await sheet.order()
    spilled = {"order_id": order["id"], "amount_mg": "5", "reason": "It fell.", "happened_at": sheet.at()}
    answers = await sheet.answers(
        sheet.line(
            written_by=str(sheet.here.colleague.staff.id),
            given=sheet.given(order, amount_mg="0"),
            vomited={"minutes_after": 0, "witnessed": True},
            spilled=spilled,
        )
    )
    assert [each["outcome"] for each in answers] == ["refused"] * 3
    assert "Put the dose right first" in answers[1]["says"]
    assert "Put the dose right first" in answers[2]["says"]


async def test_an_observation_on_paper_counts_for_the_step_of_its_dose(clinic: Clinic) -> None:
    sheet = await paper(clinic)
    seen = {"seen_at": sheet.at(30), "sedation": "drowsy", "intoxicated": True, "note": "Slurred."}
    answer = await sheet.only(observed=seen)
    assert answer["outcome"] == "recorded"
    chart = await sheet.here.chart()
    assert [each["reason"] for each in chart["holds"]] == ["intoxication"]
    later = await sheet.only(observed={**seen, "sedation": "alert", "intoxicated": False})
    assert later["outcome"] == "recorded"
    future = (sheet.now + timedelta(minutes=10)).isoformat()
    refused = await sheet.only(observed={**seen, "seen_at": future})
    assert refused["outcome"] == "refused"


async def test_a_spill_is_entered_by_whoever_handled_it_and_stock_and_doses_agree(clinic: Clinic) -> None:
    store = await storeroom(clinic)
    sheet = Paper(store.here)
    bottle = await store.open_bottle()
    order = await sheet.order()
    at = sheet.now.isoformat()
    rest = {
        "order_id": order["id"],
        "amount_mg": "10",
        "reason": "It fell.",
        "happened_at": at,
        "container_id": bottle,
    }
    given = sheet.given(order, amount_mg="50", given_at=at, station_id=store.station, less_reason="The rest fell.")
    other = await sheet.answers(sheet.line(given=given, spilled=rest), preview=True)
    assert [each["outcome"] for each in other] == ["recorded", "refused"]
    assert "in their own session" in other[1]["says"]
    line = sheet.line(given=given, spilled=rest)
    assert [each["outcome"] for each in await sheet.answers(line, by=sheet.here.nurse)] == ["recorded", "recorded"]
    assert await store.balance(bottle) == Decimal(940)
    assert [each["outcome"] for each in await sheet.answers(line, by=sheet.here.nurse)] == ["already", "already"]
    assert await store.balance(bottle) == Decimal(940)
    more = sheet.line(given=given, spilled={**rest, "amount_mg": "5"})
    assert [each["outcome"] for each in await sheet.answers(more, by=sheet.here.nurse)] == ["already", "recorded"]
    assert await store.balance(bottle) == Decimal(935)
    whole = sheet.line(2, client=await sheet.here.another_client(), spilled={**rest, "container_id": None})
    [unknown] = await sheet.answers(whole, by=sheet.here.nurse)
    assert unknown["outcome"] == "refused"
    assert await store.wrong() == []


async def test_a_sheet_of_yesterday_counts_for_yesterday(clinic: Clinic) -> None:
    sheet = await paper(clinic)
    yesterday = sheet.here.today - timedelta(days=1)
    [answer] = await sheet.answers(sheet.line(not_given={"reason": "absent"}), day=str(yesterday))
    assert answer["outcome"] == "recorded"
    [again] = await sheet.answers(sheet.line(not_given={"reason": "absent"}), day=str(yesterday))
    assert again["outcome"] == "already"
    [second] = await sheet.answers(sheet.line(not_given={"reason": "refused"}), day=str(yesterday))
    assert second["outcome"] == "recorded"
    today = await sheet.only(not_given={"reason": "absent"})
    assert today["outcome"] == "recorded"


async def test_an_entered_sheet_is_read_within_reach_only(clinic: Clinic) -> None:
    sheet = await paper(clinic)
    entered = await sheet.enter(sheet.line(not_given={"reason": "absent"}))
    path = f"/downtime-entries/{entered.json()['id']}"
    stranger = await clinic.person((Role.NURSE, await clinic.programme()))
    assert (await stranger.get(path)).status_code == 404
    assert (await sheet.here.nurse.get(f"/downtime-entries/{uuid4()}")).status_code == 404
    counsellor = await clinic.person((Role.COUNSELLOR, sheet.here.programme))
    theirs = await counsellor.get(path)
    assert (theirs.status_code, theirs.json()["answers"]) == (200, [])


def on_paper(at: Shelf, *days: int, **said: Any) -> dict[str, Any]:
    """Units for these days, counted from today, handed out a moment ago."""
    units = [{"for_on": str(at.made.day(number)), "amount_mg": "60"} for number in days]
    handed = {"dispensed_at": at.made.clinic.service.clock().isoformat(), "units": units, "educated": True}
    return {**handed, "station_id": at.store.station, **said}


async def test_take_homes_on_paper_have_the_consequences_of_the_window_and_are_there_once(clinic: Clinic) -> None:
    at = await shelf(clinic)
    sheet = Paper(at.made.here)
    given = sheet.given(at.order, given_at=sheet.at(0), station_id=at.store.station)
    line = sheet.line(given=given, taken_home=on_paper(at, 1, 2))
    assert [(each["what"], each["outcome"]) for each in await sheet.answers(line)] == [
        ("given", "recorded"),
        ("taken_home", "recorded"),
    ]
    assert {each["outcome"] for each in await sheet.answers(line)} == {"already"}
    assert await at.store.balance(at.bottle) == Decimal(820)
    assert await at.store.wrong() == []
    units = (await at.made.read())["units"]
    assert [(unit["for_on"], unit["is_exception"]) for unit in units] == [
        (str(at.made.day(1)), False),
        (str(at.made.day(2)), False),
    ]
    log = (await sheet.here.nurse.get(f"/programmes/{sheet.here.programme}/dispensing-log")).json()["items"]
    assert {(each["entry"], each["dispensed_by"]) for each in log} == {("late", "Nora Quill")}
    twice = await at.made.hand_out(1)
    assert "dispensed_already" in rules_of(twice)
    back = await at.made.report(units[0], state="full", taken=False)
    assert back.status_code == 201, back.text
    assert await at.store.wrong() == []


async def test_who_collected_it_and_what_they_showed_comes_from_the_paper_too(clinic: Clinic) -> None:
    at = await shelf(clinic, profile="UK", time_zone="Europe/London")
    assert (await at.made.here.give(at.order)).status_code == 201
    said = {"collected_by": "Dr Iqbal", "collector_address": "12 Mill Lane"}
    proof = {"identity": {"requested": True, "provided": False}}
    answer = await Paper(at.made.here).only(taken_home=on_paper(at, 1, **said, **proof))
    assert answer["outcome"] == "recorded", answer
    path = f"/programmes/{at.made.here.programme}/controlled-drugs-register?medicine=methadone&form=oral_solution"
    [line] = [each for each in table(await at.store.pharmacist.get(path)) if each["entry"] == "take_home"]
    shown = ("collector", "identity_requested", "identity_provided")
    assert [line[each] for each in shown] == ["healthcare professional", "yes", "no"]


async def test_take_homes_that_a_rule_forbade_are_an_exception_that_holds_the_client(clinic: Clinic) -> None:
    at = await shelf(clinic)
    sheet = Paper(at.made.here)
    handed = on_paper(at, *range(1, 9))
    answer = await sheet.only(taken_home=handed)
    assert answer["outcome"] == "exception"
    assert "take_home_more_than_decided" in answer["rules"]
    assert await at.store.balance(at.bottle) == Decimal(520)
    assert {unit["is_exception"] for unit in (await at.made.read())["units"]} == {True}
    [hold] = (await sheet.here.chart())["holds"]
    assert (hold["reason"], hold["by_rule"]) == ("other", "exception_holds_next")
    assert "client_held" in rules_of(await at.made.hand_out(20))
    log = (await sheet.here.nurse.get(f"/programmes/{sheet.here.programme}/dispensing-log")).json()["items"]
    assert all("take_home_more_than_decided" in each["rules_broken"] for each in log)
    # The same days from another hand are a second set of units, and in the record beside the first.
    other = await sheet.only(written_by=str(sheet.here.colleague.staff.id), taken_home=on_paper(at, 1))
    assert (other["outcome"], "dispensed_already" in other["rules"]) == ("exception", True)
    assert len((await at.made.read())["units"]) == 9


async def test_take_homes_without_an_order_or_a_bottle_say_what_to_name(clinic: Clinic) -> None:
    at = await shelf(clinic)
    sheet = Paper(at.made.here)
    stopped = await sheet.here.prescriber.post(
        f"/orders/{at.order['id']}/stop", {"reason": "Moved.", "password": PASSWORD}
    )
    assert stopped.status_code in {200, 201}, stopped.text
    nameless = await sheet.only(taken_home=on_paper(at, 1))
    assert (nameless["outcome"], "units.0.order_id" in nameless["says"]) == ("refused", True)
    unit = {"for_on": str(at.made.day(1)), "amount_mg": "60", "order_id": at.order["id"]}
    named = await sheet.only(taken_home=on_paper(at, units=[unit]))
    assert (named["outcome"], named["rules"]) == ("exception", ["no_order_in_force"])
    other = await at.store.receive(at.store.bottle("B-2"))
    second = await at.store.pharmacist.post(
        f"/programmes/{sheet.here.programme}/stations", {"name": "Window 2"}, key=fresh()
    )
    unit["for_on"] = str(at.made.day(2))
    nowhere = on_paper(at, units=[unit], station_id=second.json()["id"])
    unclear = await sheet.only(taken_home=nowhere)
    assert (unclear["outcome"], "say from which it came" in unclear["says"]) == ("refused", True)
    assert (await sheet.only(taken_home={**nowhere, "container_id": str(uuid4())}))["outcome"] == "refused"
    assert (await sheet.only(taken_home={**nowhere, "container_id": other[0]}))["outcome"] == "exception"
    assert await at.store.balance(other[0]) == Decimal(940)


async def test_take_homes_by_themselves_are_entered_late_with_their_reason(clinic: Clinic) -> None:
    at = await shelf(clinic)
    nurse, colleague = at.made.here.nurse, at.made.here.colleague
    late = {"reason": "No power.", "dispensed_at": clinic.service.clock().isoformat()}
    key = fresh()
    made = await at.made.hand_out(1, by=colleague, key=key, late={**late, "dispensed_by": str(nurse.staff.id)})
    assert made.status_code == 201, made.text
    said = made.json()
    assert (said["dispensed_by"], said["recorded_by"]) == (str(nurse.staff.id), str(colleague.staff.id))
    assert (said["late_reason"], said["rules"]) == ("No power.", [])
    again = await at.made.hand_out(1, by=colleague, key=key, late={**late, "dispensed_by": str(nurse.staff.id)})
    assert (again.status_code, again.json()) == (201, said)
    own = await at.made.hand_out(2, late=late, educated=False)
    assert (own.json()["dispensed_by"], own.json()["education_note"]) == (
        str(nurse.staff.id),
        "The paper does not say.",
    )
    tomorrow = (clinic.service.clock() + timedelta(days=1)).isoformat()
    for wrong in ({"dispensed_at": tomorrow}, {"reason": " "}, {"dispensed_by": str(uuid4())}):
        refused = await at.made.hand_out(3, late={**late, **wrong})
        assert refused.status_code == 422, refused.text


async def test_an_injection_is_never_a_unit_on_paper_either(clinic: Clinic) -> None:
    sheet = await paper(clinic)
    order = await sheet.order(**SUBLOCADE)
    unit = {"for_on": str(sheet.here.today), "amount_mg": "300", "order_id": order["id"]}
    handed = {"dispensed_at": sheet.at(0), "units": [unit]}
    answer = await sheet.only(taken_home=handed)
    assert (answer["outcome"], "cannot be taken home" in answer["says"]) == ("refused", True)


async def test_a_dose_that_was_spilled_whole_holds_the_client_once(clinic: Clinic) -> None:
    sheet = await paper(clinic)
    order = await sheet.order()
    spilled = {"order_id": order["id"], "amount_mg": "60", "reason": "The bottle broke.", "happened_at": sheet.at(0)}
    line = sheet.line(spilled=spilled)
    [first] = await sheet.answers(line, by=sheet.here.nurse)
    [again] = await sheet.answers(line, by=sheet.here.nurse)
    assert (first["outcome"], again["outcome"], again["record_id"]) == ("recorded", "already", first["record_id"])
    assert [each["reason"] for each in (await sheet.here.chart())["holds"]] == ["other"]
    own = await sheet.here.nurse.post(f"/spills/{first['record_id']}/witness", {"password": PASSWORD})
    assert own.status_code == 403
    seen = await sheet.here.colleague.post(f"/spills/{first['record_id']}/witness", {"password": PASSWORD})
    assert seen.status_code == 201
