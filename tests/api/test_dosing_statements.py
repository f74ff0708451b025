"""What others say of a client's medicine, over HTTP: days covered by a verified statement, and pharmacies."""

from datetime import UTC, timedelta
from typing import Any

import anyio
import pytest

from caseload.domain.access import Role
from tests.api.conftest import Clinic, Person
from tests.api.days import pass_days
from tests.api.dispensary import Dispensary, dispensary, fresh
from tests.api.test_dosing import rules

pytestmark = pytest.mark.anyio


def ago(here: Dispensary, days: int) -> str:
    return str(here.today - timedelta(days=days))


def taken(here: Dispensary, *days: int, amount_mg: str = "60", **said: Any) -> list[dict[str, Any]]:
    return [{"day": ago(here, each), "outcome": "taken", "amount_mg": amount_mg, **said} for each in days]


def statement(here: Dispensary, days: list[dict[str, Any]], **said: Any) -> dict[str, Any]:
    return {
        "source": "prison",
        "source_name": "HMP Example",
        "informant": "Sister Bell, healthcare",
        "told_at": here.clinic.service.clock().isoformat(),
        "medicine": "methadone",
        "form": "oral_solution",
        "days": days,
        **said,
    }


async def state(
    here: Dispensary, days: list[dict[str, Any]], *, by: Person | None = None, **said: Any
) -> dict[str, Any]:
    path, body, key = f"/clients/{here.client}/dose-statements", statement(here, days, **said), fresh()
    kept = await (by or here.nurse).post(path, body, key=key)
    assert kept.status_code == 201, kept.text
    assert (await (by or here.nurse).post(path, body, key=key)).json() == kept.json()
    return kept.json()


async def verify(here: Dispensary, said: dict[str, Any]) -> dict[str, Any]:
    path, key = f"/dose-statements/{said['id']}/verification", fresh()
    body = {"asked": "Governor's office, by telephone back", "how": "telephone"}
    done = await here.colleague.post(path, body, key=key)
    assert done.status_code == 201, done.text
    assert (await here.colleague.post(path, body, key=key)).json() == done.json()
    return done.json()


async def dosed_daily(here: Dispensary, *, days: int = 3, then: int, **said: Any) -> dict[str, Any]:
    """An order under which a dose was given each day, the last one so many days ago."""
    order = await here.order(**said)
    for _ in range(days - 1):
        assert (await here.give(order)).status_code == 201
        await pass_days(here, 1)
    assert (await here.give(order)).status_code == 201
    await pass_days(here, then)
    return order


async def test_five_days_in_prison_are_a_hold_until_somebody_verified_what_was_taken(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await dosed_daily(here, then=6)
    assert rules(await here.give(order)) == ["missed_doses"]
    said = await state(here, taken(here, 5, 4, 3, 2, 1))
    assert said["counts"] is False
    refused = await here.give(order)
    assert rules(refused) == ["missed_doses"]
    assert refused.json()["facts"]["rules"][0]["facts"]["missed"] == 5
    assert (await verify(here, said))["counts"] is True
    due = (await here.chart())["due"]
    assert (due["missed"], due["in_the_way"]) == (0, [])
    assert (due["last_taken"]["day"], due["last_taken"]["amount_mg"]) == (ago(here, 1), "60")
    listed = (await here.nurse.get(f"/programmes/{here.programme}/dispensing")).json()["items"][0]["due"]
    assert listed == due
    assert (await here.give(order)).status_code == 201


async def test_only_the_days_since_the_last_covered_one_are_missed(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await dosed_daily(here, then=6)
    await verify(here, await state(here, [*taken(here, 5, 4), {"day": ago(here, 3), "outcome": "missed"}]))
    refused = await here.give(order)
    assert refused.json()["facts"]["rules"][0]["facts"]["missed_days"] == [ago(here, 3), ago(here, 2), ago(here, 1)]
    await verify(here, await state(here, taken(here, 3)))
    assert (await here.give(order)).status_code == 201


async def test_a_withdrawn_statement_counts_no_longer_and_stays_readable(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await dosed_daily(here, then=4)
    said = await verify(here, await state(here, taken(here, 3, 2, 1)))
    path, key = f"/dose-statements/{said['id']}/withdrawal", fresh()
    body = {"reason": "It was another man of that name."}
    gone = await here.nurse.post(path, body, key=key)
    assert (gone.status_code, gone.json()["counts"]) == (201, False), gone.text
    assert (await here.nurse.post(path, body, key=key)).json() == gone.json()
    assert rules(await here.give(order)) == ["missed_doses"]
    again = await here.nurse.post(path, body)
    assert (again.status_code, again.json()["type"]) == (409, "urn:caseload:problem:statement-withdrawn")
    late = await here.colleague.post(
        f"/dose-statements/{said['id']}/verification", {"asked": "The office", "how": "document"}
    )
    assert late.status_code == 409
    [listed] = (await here.nurse.get(f"/clients/{here.client}/dose-statements")).json()["items"]
    assert (listed["withdrawn"]["reason"], listed["verified"]["how"]) == (body["reason"], "telephone")


async def test_two_who_verify_at_once_leave_one_verification(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    said = await state(here, taken(here, 1))
    answers: list[int] = []

    async def try_it(who: Person) -> None:
        path = f"/dose-statements/{said['id']}/verification"
        answers.append((await who.post(path, {"asked": "Sister Bell", "how": "telephone"})).status_code)

    async with anyio.create_task_group() as both:
        both.start_soon(try_it, here.nurse)
        both.start_soon(try_it, here.colleague)
    assert sorted(answers) == [201, 409]


async def test_a_day_that_was_taken_elsewhere_is_not_given_again(clinic: Clinic) -> None:
    """Two windows, one client: what was taken this morning elsewhere takes this part of the day."""
    here = await dispensary(clinic)
    order = await dosed_daily(here, then=1)
    await verify(here, await state(here, taken(here, 0), source="hospital", source_name="St Example's"))
    refused = await here.give(order)
    assert rules(refused) == ["already_given"]
    assert "St Example's says that this part of the day was taken" in refused.json()["detail"]
    part = (await here.chart())["due"]["parts"][0]
    assert part["given"]["source"] == "St Example's"
    not_given = await here.nurse.post(f"/clients/{here.client}/doses-not-given", {"reason": "absent"})
    assert (not_given.status_code, not_given.json()["type"]) == (409, "urn:caseload:problem:was-given")
    told = await here.give(order, late={"reason": "He had it before we knew."})
    assert (told.json()["kind"], told.json()["rules"]) == ("exception", ["already_given"])


def where_it_is(hour: int, here: Clinic) -> str:
    """A time zone in which that hour of the day has begun."""
    east = (hour - here.service.clock().astimezone(UTC).hour) % 24
    return f"Etc/GMT{-(east if east <= 12 else east - 24):+d}"  # their sign is the other way round


@pytest.mark.parametrize(("hour", "status"), [(6, 409), (8, 201)])
async def test_the_interval_to_a_dose_taken_elsewhere_is_kept(clinic: Clinic, hour: int, status: int) -> None:
    """The last minute of yesterday elsewhere is too near to the first eight hours of today here."""
    here = await dispensary(clinic, time_zone=where_it_is(hour, clinic))
    order = await dosed_daily(here, then=2)
    midnight = here.clinic.service.clock().astimezone(here.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    late = (midnight - timedelta(minutes=1)).isoformat()
    await verify(here, await state(here, taken(here, 1, taken_at=late)))
    given = await here.give(order)
    assert (given.status_code, status == 409 and rules(given)) == (status, ["too_soon"] if status == 409 else False)


async def test_buprenorphine_taken_elsewhere_stands_in_the_way_of_methadone(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await dosed_daily(here, then=1)
    mixed = await state(
        here, taken(here, 0, part="evening", amount_mg="8"), medicine="buprenorphine", form="sublingual_tablet"
    )
    await verify(here, mixed)
    assert "another_acts" in rules(await here.give(order))
    assert "another_acts" in [each["rule"] for each in (await here.chart())["due"]["in_the_way"]]
    anew = await here.order(replaces=order["id"], starts_on=str(here.today + timedelta(days=1)))
    assert [each["rule"] for each in anew["confirmed"]] == ["uk.another_agonist_beside"], "it acts two days"


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"source_name": " "}, "source_name"),
        ({"informant": "x" * 201}, "informant"),
        ({"told_at": "2999-01-01T00:00:00Z"}, "told_at"),
        ({"note": "x" * 4001}, "note"),
        ({"form": "sublingual_film"}, "form"),
        ({"medicine": "buprenorphine", "form": "extended_release_injection"}, "form"),
    ],
)
async def test_what_nobody_can_have_said_is_refused(clinic: Clinic, said: dict[str, Any], field: str) -> None:
    here = await dispensary(clinic)
    body = statement(here, taken(here, 1), **said)
    refused = await here.nurse.post(f"/clients/{here.client}/dose-statements", body)
    assert refused.status_code == 422, refused.text
    assert field in {each["field"] for each in refused.json()["errors"]}


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"outcome": "taken"}, "amount_mg"),
        ({"outcome": "taken", "amount_mg": "0"}, "amount_mg"),
        ({"outcome": "missed", "amount_mg": "60"}, "amount_mg"),
        ({"outcome": "missed", "reason": "Ill."}, "reason"),
        ({"outcome": "withheld"}, "reason"),
        ({"outcome": "withheld", "reason": " "}, "reason"),
        ({"outcome": "missed", "day": "2999-01-01"}, "day"),
        ({"outcome": "missed", "day": "1999-12-31"}, "day"),
        ({"outcome": "taken", "amount_mg": "60", "taken_at": "2020-01-01T08:00:00Z"}, "taken_at"),
        ({"outcome": "missed", "taken_at": "2020-01-01T08:00:00Z"}, "taken_at"),
    ],
)
async def test_a_day_that_contradicts_itself_is_refused(clinic: Clinic, said: dict[str, Any], field: str) -> None:
    here = await dispensary(clinic)
    body = statement(here, [{"day": ago(here, 1), **said}])
    refused = await here.nurse.post(f"/clients/{here.client}/dose-statements", body)
    assert refused.status_code == 422, refused.text
    assert f"days.0.{field}" in {each["field"] for each in refused.json()["errors"]}


async def test_a_statement_speaks_of_some_day_and_of_not_too_many(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    for days in ([], [{"day": ago(here, each), "outcome": "missed"} for each in range(367)]):
        refused = await here.nurse.post(f"/clients/{here.client}/dose-statements", statement(here, days))
        assert (refused.status_code, [each["field"] for each in refused.json()["errors"]]) == (422, ["days"])


async def test_a_part_of_a_day_is_said_once_and_halves_are_two(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    halves = [*taken(here, 1, part="morning", amount_mg="40"), *taken(here, 1, part="evening", amount_mg="20")]
    twice = await here.nurse.post(
        f"/clients/{here.client}/dose-statements", statement(here, [*halves, *taken(here, 1)])
    )
    assert [each["field"] for each in twice.json()["errors"]] == ["days.2.part"]
    kept = await state(here, halves)
    assert [(each["part"], each["amount_mg"]) for each in kept["days"]] == [("evening", "20"), ("morning", "40")]


async def test_only_who_gives_doses_records_what_others_say(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    said = await state(here, taken(here, 1))
    counsellor = await clinic.person((Role.COUNSELLOR, here.programme))
    elsewhere = await clinic.person((Role.NURSE, await clinic.programme()))
    body = {"asked": "Sister Bell", "how": "telephone"}
    for person, expected in ((counsellor, 403), (elsewhere, 404)):
        for path, sent in (
            (f"/clients/{here.client}/dose-statements", statement(here, taken(here, 1))),
            (f"/dose-statements/{said['id']}/verification", body),
            (f"/dose-statements/{said['id']}/withdrawal", {"reason": "Wrong."}),
        ):
            assert (await person.post(path, sent)).status_code == expected
    assert (await elsewhere.get(f"/clients/{here.client}/dose-statements")).status_code == 404


async def test_the_statements_come_in_pages(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    made = [(await state(here, taken(here, 1)))["id"] for _ in range(3)]
    path = f"/clients/{here.client}/dose-statements"
    page = (await here.nurse.get(path, params={"limit": 2})).json()
    rest = (await here.nurse.get(path, params={"limit": 2, "after": page["next"]})).json()
    assert [each["id"] for each in page["items"] + rest["items"]] == made[::-1]


def report(here: Dispensary, days: list[dict[str, Any]], **said: Any) -> dict[str, Any]:
    return {
        "pharmacy": "High Street Pharmacy",
        "informant": "Mr Patel, pharmacist",
        "told_at": here.clinic.service.clock().isoformat(),
        "days": days,
        **said,
    }


async def test_what_a_pharmacy_saw_taken_counts_when_the_client_comes_back_to_our_window(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await here.order(supply="pharmacy")
    await pass_days(here, 6)
    path = f"/clients/{here.client}/orders/{order['id']}/pharmacy-reports"
    days = [*taken(here, 6, 5, 4, 3), {"day": ago(here, 2), "outcome": "missed"}]
    days.append({"day": ago(here, 1), "outcome": "withheld", "reason": "Drunk at the counter."})
    key, body = fresh(), report(here, days)
    kept = await here.nurse.post(path, body, key=key)
    assert (kept.status_code, kept.json()["counts"], kept.json()["order_id"]) == (201, True, order["id"]), kept.text
    assert (kept.json()["medicine"], kept.json()["form"]) == ("methadone", "oral_solution")
    assert (await here.nurse.post(path, body, key=key)).json() == kept.json()
    here_again = await here.order(replaces=order["id"])
    due = (await here.chart())["due"]
    assert (due["missed"], due["in_the_way"], due["last_taken"]["day"]) == (2, [], ago(here, 3))
    assert (await here.give(here_again)).status_code == 201


async def test_a_report_is_of_an_order_that_a_pharmacy_supplies(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    window = await here.order()
    body = report(here, taken(here, 0))
    draft = await here.draft(supply="pharmacy", starts_on=str(here.today + timedelta(days=9)))
    for order in (window["id"], draft["id"], str(here.client)):
        refused = await here.nurse.post(f"/clients/{here.client}/orders/{order}/pharmacy-reports", body)
        assert [each["field"] for each in refused.json()["errors"]] == ["order_id"]
