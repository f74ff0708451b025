"""Guest dosing over HTTP: our client at another programme, another programme's client with us, and both windows at once."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import httpx
import pytest

from caseload.domain.access import Role
from caseload.domain.ids import ClientId
from tests.api.conftest import Clinic
from tests.api.days import pass_days
from tests.api.dispensary import Dispensary, dispensary, fresh
from tests.api.homes import begun
from tests.api.test_dosing_handing_on import american, telling
from tests.api.test_dosing_races import doses_of
from tests.api.test_window import line_of, queue_of, where
from tests.conftest import Counts

pytestmark = pytest.mark.anyio


@pytest.fixture
async def home(clinic: Clinic) -> Dispensary:
    return await dispensary(clinic)


def rules(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 409, answer.text
    return [each["rule"] for each in answer.json()["facts"]["rules"]]


def on(here: Dispensary, days: int) -> str:
    """A day so many days from today."""
    return str(here.today + timedelta(days=days))


def agreed(here: Dispensary, *, last: int = 2, **said: Any) -> dict[str, Any]:
    """What was agreed with another programme, from today on."""
    return {
        "direction": "elsewhere",
        "first_on": on(here, 0),
        "last_on": on(here, last),
        "medicine": "methadone",
        "form": "oral_solution",
        "amount_mg": "60",
        "why": "A funeral 200 miles away.",
        "confirmed_by": "Kim Lee, nurse",
        "how": "telephone",
        "confirmed_at": (here.clinic.service.clock() - timedelta(minutes=5)).isoformat(),
        "other_enrolments": "Central registry: none.",
        **said,
    }


def incoming(here: Dispensary, **said: Any) -> dict[str, Any]:
    """Somebody from an outside programme, who had their last dose there yesterday."""
    dose = {"day": on(here, -1), "amount_mg": "60"}
    return agreed(here, direction="here", facility="Riverside OTP", home_dose=dose, **said)


async def arrange(here: Dispensary, body: dict[str, Any], *, client: ClientId | None = None) -> dict[str, Any]:
    answer = await here.nurse.post(f"/clients/{client or here.client}/guest-agreements", body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def end(here: Dispensary, guest: dict[str, Any], last: int, **said: Any) -> httpx.Response:
    body = {"last_on": on(here, last), "reason": "Home early.", **said}
    return await here.nurse.post(f"/guest-agreements/{guest['id']}/end", body)


async def test_a_client_is_the_guest_of_another_programme_of_ours(clinic: Clinic, home: Dispensary) -> None:
    host = await dispensary(clinic, profile="US")
    order = await home.order()
    assert (await host.give(order)).status_code == 404
    body, path, key = agreed(home, host_programme_id=str(host.programme)), "guest-agreements", fresh()
    made = await home.nurse.post(f"/clients/{home.client}/{path}", body, key=key)
    assert made.status_code == 201, made.text
    assert (await home.nurse.post(f"/clients/{home.client}/{path}", body, key=key)).json() == made.json()
    again = await home.nurse.post(f"/clients/{home.client}/{path}", body)
    assert (again.status_code, again.json()["type"]) == (409, "urn:caseload:problem:guest-overlaps")
    guest = made.json()
    [listed] = (await home.nurse.get(f"/clients/{home.client}/{path}")).json()["items"]
    [there] = (await host.nurse.get(f"/programmes/{host.programme}/{path}")).json()["items"]
    assert listed == there == guest

    refused = await home.give(order)
    assert rules(refused) == ["guest_elsewhere"]
    facts = refused.json()["facts"]["rules"][0]["facts"]
    assert (facts["agreement"], facts["facility"]) == (guest["id"], guest["facility"])
    assert (facts["first_on"], facts["last_on"]) == (guest["first_on"], guest["last_on"])

    at_home, at_host = await queue_of(home), await queue_of(host)
    assert where(at_home, home.client) == "not_expected"
    line = line_of(at_home, home.client)
    assert "guest_elsewhere" in line["flags"]
    assert line["due"]["guest"]["facility"] == guest["facility"]
    assert (await home.chart())["due"] == line["due"], "one answer for the chart and the queue"
    assert where(at_host, home.client) == "to_attend"
    assert "guest" in line_of(at_host, home.client)["flags"]
    assert (await host.nurse.get(f"/clients/{home.client}/medication")).json()["due"]["in_the_way"] == []

    assert (await host.give(order)).status_code == 201
    assert where(await queue_of(home), home.client) == where(await queue_of(host), home.client) == "attended"


async def test_whoever_comes_home_early_is_refused_until_the_agreement_is_ended(
    clinic: Clinic, home: Dispensary
) -> None:
    host = await dispensary(clinic)
    order = await home.order()
    guest = await arrange(home, agreed(home, host_programme_id=str(host.programme)))
    assert rules(await home.give(order)) == ["guest_elsewhere"]
    key, path = fresh(), f"/guest-agreements/{guest['id']}/end"
    assert (await host.nurse.post(path, {"last_on": on(home, -1), "reason": "?"})).status_code == 403
    for wrong in ({"last_on": on(home, -2)}, {"last_on": on(home, 3)}, {"became_ours": True}, {"reason": " "}):
        answer = await home.nurse.post(path, {"last_on": on(home, -1), "reason": "Never left.", **wrong})
        assert answer.status_code == 422, wrong
    body = {"last_on": on(home, -1), "reason": "Never left."}
    ended = await home.nurse.post(path, body, key=key)
    assert ended.status_code == 201, ended.text
    assert ended.json()["end"]["last_on"] == on(home, -1)
    assert (await home.nurse.post(path, body, key=key)).json() == ended.json()
    again = await home.nurse.post(path, body)
    assert (again.status_code, again.json()["type"]) == (409, "urn:caseload:problem:guest-ended")
    assert (await host.give(order)).status_code == 404
    assert (await home.give(order)).status_code == 201


async def test_home_and_host_at_once_give_one_dose(clinic: Clinic, counts: Counts) -> None:
    home, host = await dispensary(clinic), await dispensary(clinic)
    for _ in range(counts(2, full=50)):
        order = await home.order(client=await home.another_client())
        client = ClientId(order["client_id"])
        guest = await arrange(home, agreed(home, host_programme_id=str(host.programme)), client=client)

        async def ended_and_given(order: dict[str, Any] = order, guest: dict[str, Any] = guest) -> httpx.Response:
            await end(home, guest, -1)
            return await home.give(order)

        answers = await asyncio.gather(
            *(host.give(order, by=by) for by in (host.nurse, host.colleague) for _ in range(4)),
            *(home.give(order, by=by) for by in (home.nurse, home.colleague) for _ in range(4)),
            ended_and_given(),
        )
        given = Counter(answer.status_code for answer in answers)
        assert given[201] == await doses_of(clinic, client) == 1, given
        assert set(given) <= {201, 404, 409}


async def test_two_who_arrange_the_same_days_make_one_agreement(clinic: Clinic, home: Dispensary) -> None:
    host = await dispensary(clinic)
    body = agreed(home, host_programme_id=str(host.programme))
    path = f"/clients/{home.client}/guest-agreements"
    answers = await asyncio.gather(*(by.post(path, body) for by in (home.nurse, home.colleague)))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    guest = next(answer.json() for answer in answers if answer.status_code == 201)
    ends = await asyncio.gather(*(end(home, guest, 0) for _ in range(2)))
    assert sorted(answer.status_code for answer in ends) == [201, 409]


async def test_what_is_held_at_home_for_a_day_is_not_given_elsewhere_too(clinic: Clinic) -> None:
    homes, order = await begun(clinic)
    here, host = homes.here, await dispensary(clinic)
    await homes.may_take(7)
    await homes.handed(1)
    path = f"/clients/{here.client}/guest-agreements"
    body = agreed(here, host_programme_id=str(host.programme))
    refused = await here.nurse.post(path, body)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:caseload:problem:holds-take-homes")
    assert refused.json()["facts"]["days"] == [on(here, 1)]
    await arrange(here, {**body, "first_on": on(here, 2), "last_on": on(here, 2)})
    handed = await homes.hand_out(2)
    assert rules(handed) == ["guest_elsewhere"], "nor is it handed out for a day on which another gives"
    assert order["client_id"] == str(here.client)


async def test_an_outside_host_is_told_by_a_disclosure_and_no_other_way(clinic: Clinic) -> None:
    home = await american(clinic, categories=["medication"])
    order = await home.order(amounts_mg={"whole": "40"})
    path = f"/clients/{home.client}/guest-agreements"
    without = await home.nurse.post(path, agreed(home))
    assert (without.status_code, [each["field"] for each in without.json()["errors"]]) == (422, ["disclosure_id"])
    unknown = await home.nurse.post(path, agreed(home, disclosure_id=fresh()))
    assert unknown.status_code == 404
    told = (await home.nurse.post(f"/clients/{home.client}/last-dose-statements", telling())).json()
    other = await home.another_client()
    await home.order(client=other, amounts_mg={"whole": "40"})
    wrong = await home.nurse.post(f"/clients/{other}/guest-agreements", agreed(home, disclosure_id=told["id"]))
    assert wrong.status_code == 422, wrong.text
    guest = await arrange(home, agreed(home, disclosure_id=told["id"]))
    assert (guest["facility"], guest["host_programme_id"]) == ("Riverside OTP", None)
    assert guest["told_at"] is None, "since it was arranged"
    later = (await home.nurse.post(f"/clients/{home.client}/last-dose-statements", telling())).json()
    [listed] = (await home.nurse.get(f"/clients/{home.client}/guest-agreements")).json()["items"]
    assert listed == {**guest, "told_at": later["disclosed_at"]}
    assert rules(await home.give(order, amount_mg="40")) == ["guest_elsewhere"]


async def test_days_at_an_outside_host_are_missed_until_somebody_verifies_them(clinic: Clinic) -> None:
    home = await american(clinic, categories=["medication"])
    order = await home.order(amounts_mg={"whole": "40"})
    assert (await home.give(order)).status_code == 201
    told = (await home.nurse.post(f"/clients/{home.client}/last-dose-statements", telling())).json()
    body = {**agreed(home, disclosure_id=told["id"]), "first_on": on(home, 1), "last_on": on(home, 3)}
    await arrange(home, body)
    await pass_days(home, 4)
    due = (await home.chart())["due"]
    assert (due["guest"], due["missed"], [each["rule"] for each in due["in_the_way"]]) == (None, 3, ["missed_doses"])
    said = {
        "source": "programme",
        "source_name": "Riverside OTP",
        "informant": "Kim Lee, nurse",
        "told_at": home.clinic.service.clock().isoformat(),
        "medicine": "methadone",
        "form": "oral_solution",
        "days": [
            {"day": on(home, -each), "part": "whole", "outcome": "taken", "amount_mg": "40"} for each in (3, 2, 1)
        ],
    }
    stated = await home.nurse.post(f"/clients/{home.client}/dose-statements", said)
    assert stated.status_code == 201, stated.text
    assert rules(await home.give(order, amount_mg="40")) == ["missed_doses"], "said, and not verified"
    seen = {"asked": "Kim Lee, nurse", "how": "telephone"}
    await home.colleague.post(f"/dose-statements/{stated.json()['id']}/verification", seen)
    assert (await home.give(order, amount_mg="40")).status_code == 201


async def guest_order(here: Dispensary, **said: Any) -> dict[str, Any]:
    return await here.order(**{"ends_on": on(here, 2), **said})


async def test_a_guest_of_ours_is_given_what_home_has_confirmed_on_the_agreed_days(home: Dispensary) -> None:
    guest = await arrange(home, incoming(home))
    assert (guest["facility"], guest["home_dose"]["amount_mg"]) == ("Riverside OTP", "60")
    [said] = (await home.nurse.get(f"/clients/{home.client}/dose-statements")).json()["items"]
    assert (said["id"], said["counts"], said["source"]) == (guest["statement_id"], True, "programme")
    order = await guest_order(home)
    due = (await home.chart())["due"]
    assert (due["last_taken"]["day"], due["missed"], due["in_the_way"]) == (on(home, -1), 0, [])
    assert (due["guest"]["direction"], due["guest"]["facility"]) == ("here", "Riverside OTP")
    line = line_of(await queue_of(home), home.client)
    assert "guest" in line["flags"]
    given = await home.give(order)
    assert (given.status_code, given.json()["kind"]) == (201, "ordinary"), given.text


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"ends_on": None}, "days"),
        ({"amounts_mg": {"whole": "65"}}, "amount"),
        ({"form": "oral_concentrate", "strength_mg": "10"}, "medicine"),
    ],
)
async def test_no_order_goes_beyond_what_home_has_confirmed(
    home: Dispensary, said: dict[str, Any], reason: str
) -> None:
    await arrange(home, incoming(home))
    wish = home.wish(**{"ends_on": on(home, 2), **said})
    drafted = (await home.prescriber.post(f"/clients/{home.client}/orders", wish)).json()
    refused = await home.sign(drafted)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:caseload:problem:order-beyond-guest")
    assert refused.json()["facts"]["reason"] == reason


async def test_an_order_by_telephone_is_bound_to_the_agreement_too(clinic: Clinic) -> None:
    here = await american(clinic)
    await arrange(here, {**incoming(here), "amount_mg": "40", "home_dose": {"day": on(here, -1), "amount_mg": "40"}})
    path = f"/clients/{here.client}/verbal-orders"
    said = {"prescriber": str(here.prescriber.staff.id), "read_back": True}
    wish = here.wish(ends_on=on(here, 2), amounts_mg={"whole": "45"})
    refused = await here.nurse.post(path, {**said, "order": wish})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:caseload:problem:order-beyond-guest")
    taken = await here.nurse.post(path, {**said, "order": {**wish, "amounts_mg": {"whole": "40"}}})
    assert taken.status_code == 201, taken.text
    assert (await here.give(taken.json(), amount_mg="40")).status_code == 201
    assert (await here.sign(taken.json())).status_code == 201, "countersigned, and bound already"


async def test_nothing_is_given_to_a_guest_after_the_last_day(home: Dispensary) -> None:
    guest = await arrange(home, incoming(home))
    order = await guest_order(home)
    assert (await home.give(order)).status_code == 201
    await pass_days(home, 3)
    assert (await home.chart())["due"]["order_id"] is None
    assert "guest_over" in rules(await home.give(order))
    drafted = await home.draft(ends_on=on(home, 2))
    refused = await home.sign(drafted)
    assert (refused.status_code, refused.json()["facts"]["agreement"]) == (409, guest["id"])
    [listed] = (await home.nurse.get(f"/programmes/{home.programme}/guest-agreements")).json()["items"]
    assert (listed["id"], listed["told_at"]) == (guest["id"], None), "home is still to be told of the last dose"


async def test_a_guest_who_leaves_early_is_given_nothing_under_the_order_that_stays_signed(home: Dispensary) -> None:
    guest = await arrange(home, incoming(home))
    order = await guest_order(home)
    assert (await end(home, guest, -1)).status_code == 201
    assert rules(await home.give(order)) == ["guest_over"]
    assert where(await queue_of(home), home.client) == "not_expected"
    less = {**incoming(home, last=1), "amount_mg": "40"}
    await arrange(home, less)
    assert rules(await home.give(order)) == ["not_its_guest_order"], "it says what another agreement confirmed"
    replaced = await home.order(replaces=order["id"], amounts_mg={"whole": "40"}, ends_on=on(home, 1))
    assert (await home.give(replaced)).status_code == 201


async def test_a_day_for_which_home_handed_out_a_dose_is_not_given_here(home: Dispensary) -> None:
    await arrange(home, incoming(home, holds_on=[on(home, 0)]))
    order = await guest_order(home)
    assert rules(await home.give(order)) == ["take_home_covers"]
    assert where(await queue_of(home), home.client) == "not_expected"


async def test_a_guest_who_stays_is_given_under_orders_like_any_other(home: Dispensary) -> None:
    guest = await arrange(home, incoming(home, last=0))
    stayed = await end(home, guest, 0, became_ours=True)
    assert (stayed.status_code, stayed.json()["end"]["became_ours"]) == (201, True), stayed.text
    order = await home.order()
    assert (await home.give(order)).status_code == 201
    refused = await home.nurse.post(f"/clients/{home.client}/guest-agreements", incoming(home, last=4))
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:caseload:problem:guest-is-ours")


async def test_nobody_in_treatment_with_us_is_a_guest_here(clinic: Clinic, home: Dispensary) -> None:
    path = f"/clients/{home.client}/guest-agreements"
    order = await home.order()
    refused = await home.nurse.post(path, incoming(home))
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:caseload:problem:guest-is-ours")
    stopped = {"reason": "Moved.", "password": "correct horse battery staple"}
    assert (await home.prescriber.post(f"/orders/{order['id']}/stop", stopped)).status_code == 201
    await arrange(home, incoming(home))
    host = await dispensary(clinic)
    elsewhere = agreed(home, host_programme_id=str(host.programme), first_on=on(home, 5), last_on=on(home, 6))
    sent_on = await home.nurse.post(path, elsewhere)
    assert sent_on.status_code == 422, sent_on.text


async def test_the_host_must_be_a_programme_of_ours_or_told(home: Dispensary) -> None:
    answer = await home.nurse.post(f"/clients/{home.client}/guest-agreements", agreed(home, host_programme_id=fresh()))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "host_programme_id")


async def test_who_may_arrange_it(clinic: Clinic, home: Dispensary) -> None:
    counsellor = await clinic.person((Role.COUNSELLOR, home.programme))
    path = f"/clients/{home.client}/guest-agreements"
    assert (await counsellor.post(path, agreed(home, host_programme_id=fresh()))).status_code == 403
    stranger = await dispensary(clinic)
    body = agreed(home, host_programme_id=str(stranger.programme))
    assert (await stranger.nurse.post(path, body)).status_code == 404
    nothing = {"last_on": on(home, 0), "reason": "?"}
    assert (await stranger.nurse.post(f"/guest-agreements/{fresh()}/end", nothing)).status_code == 404
