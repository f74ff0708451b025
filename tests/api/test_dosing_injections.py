"""Long-acting injections through the API: windows, rapid start, sites, named patients, opioid-free days."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.api.conftest import Clinic
from tests.api.days import pass_days
from tests.api.dispensary import PASSWORD, Dispensary, dispensary, fresh
from tests.api.storeroom import storeroom
from tests.api.test_dosing import rules
from tests.api.test_dosing_statements import ago

pytestmark = pytest.mark.anyio

LEFT, RIGHT = {"site": "abdomen_left"}, {"site": "abdomen_right"}


def product(mg: str, *, every_days: int = 28, medicine: str = "buprenorphine", **said: Any) -> dict[str, Any]:
    return {
        "medicine": medicine,
        "form": "extended_release_injection",
        "strength_mg": mg,
        "amounts_mg": {"whole": mg},
        "every_days": every_days,
        **said,
    }


SUBLOCADE = product("300")
WEEKLY = product("16", every_days=7)
MONTHLY = product("96")
DEPOT = product("380", medicine="naltrexone")
ORAL = {"medicine": "naltrexone", "form": "tablet", "strength_mg": "50", "amounts_mg": {"whole": "50"}}
VIVITROL = {**DEPOT, "no_opioid_known": "Asked: none for a year; the urine is clean."}


async def american(clinic: Clinic) -> Dispensary:
    return await dispensary(clinic, profile="US", time_zone="America/New_York")


async def injected(here: Dispensary, said: dict[str, Any], *, then: int, site: str = "buttock_left") -> dict[str, Any]:
    """An order whose first injection was given so many days ago."""
    order = await here.order(**said)
    given = await here.give(order, injection={"site": site})
    assert given.status_code == 201, given.text
    await pass_days(here, then)
    return order


async def lines(here: Dispensary) -> list[dict[str, Any]]:
    return (await here.nurse.get(f"/programmes/{here.programme}/injections")).json()["items"]


async def allow(here: Dispensary) -> Any:
    return await here.prescriber.post(
        f"/clients/{here.client}/dosing-decisions",
        {"days": [str(here.today)], "reason": "Seen.", "password": PASSWORD},
    )


WINDOWS = [
    # product, days since the last one, what the window says, how the next one stands
    (SUBLOCADE, 25, ["not_scheduled"], "not_yet"),
    (SUBLOCADE, 26, None, "open"),
    (SUBLOCADE, 28, None, "due"),
    (SUBLOCADE, 30, None, "due"),
    (SUBLOCADE, 31, ["injection_overdue"], "overdue"),
    (WEEKLY, 4, ["not_scheduled"], "not_yet"),
    (WEEKLY, 5, None, "open"),
    (WEEKLY, 9, None, "due"),
    (WEEKLY, 10, ["injection_overdue"], "overdue"),
    (MONTHLY, 20, ["not_scheduled"], "not_yet"),
    (MONTHLY, 21, ["injection_early"], "open"),
    (MONTHLY, 27, ["injection_early"], "open"),
    (MONTHLY, 28, None, "due"),
    (MONTHLY, 35, None, "due"),
    (MONTHLY, 36, ["injection_overdue"], "overdue"),
    (VIVITROL, 27, ["not_scheduled"], "not_yet"),
    (VIVITROL, 28, None, "due"),
    (VIVITROL, 29, ["injection_overdue"], "overdue"),
]


@pytest.mark.parametrize(("said", "days", "says", "standing"), WINDOWS)
async def test_the_window_of_each_product_at_its_boundaries(
    clinic: Clinic, said: dict[str, Any], days: int, says: list[str] | None, standing: str
) -> None:
    here = await american(clinic)
    order = await injected(here, said, then=days)
    [line] = await lines(here)
    assert (line["order_id"], line["next"]["standing"], line["next"]["last_on"]) == (
        order["id"],
        standing,
        ago(here, days),
    )
    listed = (await here.nurse.get(f"/programmes/{here.programme}/dispensing")).json()["items"]
    chart = (await here.chart())["due"]
    assert [each["due"] for each in listed] == ([] if standing == "not_yet" else [chart])
    if standing != "not_yet":
        assert (chart["injection"], [each["rule"] for each in chart["in_the_way"]]) == (line["next"], says or [])
    answer = await here.give(order, injection={"site": "buttock_right"})
    assert (answer.status_code, says and rules(answer)) == (409 if says else 201, says)


@pytest.mark.parametrize(
    ("said", "days", "rule"), [(MONTHLY, 22, "injection_early"), (VIVITROL, 40, "injection_overdue")]
)
async def test_a_prescribers_decision_lets_an_injection_through(
    clinic: Clinic, said: dict[str, Any], days: int, rule: str
) -> None:
    here = await american(clinic)
    order = await injected(here, said, then=days)
    assert rules(await here.give(order, injection=RIGHT)) == [rule]
    decided = await allow(here)
    assert (decided.status_code, decided.json()["rules"]) == (201, [f"us.{rule}"]), decided.text
    given = await here.give(order, injection={"site": "buttock_right"})
    assert (given.status_code, given.json()["decision_id"]) == (201, decided.json()["id"])


async def test_where_nothing_stands_in_the_way_there_is_nothing_to_decide(clinic: Clinic) -> None:
    here = await american(clinic)
    await injected(here, SUBLOCADE, then=28)
    nothing = await allow(here)
    assert (nothing.status_code, nothing.json()["type"]) == (409, "urn:caseload:problem:nothing-to-decide")


@pytest.mark.parametrize(("rapid", "days", "status"), [(True, 6, 409), (True, 7, 201), (False, 7, 409)])
async def test_under_rapid_start_the_second_injection_may_come_from_day_seven(
    clinic: Clinic, *, rapid: bool, days: int, status: int
) -> None:
    here = await american(clinic)
    order = await injected(here, product("300", rapid_start=rapid), then=days)
    assert order["rapid_start"] is rapid
    assert (await here.give(order, injection={"site": "buttock_right"})).status_code == status


async def test_rapid_start_is_for_the_second_injection_alone(clinic: Clinic) -> None:
    here = await american(clinic)
    order = await injected(here, product("300", rapid_start=True), then=7)
    assert (await here.give(order, injection={"site": "buttock_right"})).status_code == 201
    await pass_days(here, 25)
    assert rules(await here.give(order, injection=LEFT)) == ["not_scheduled"]
    await pass_days(here, 1)
    assert (await here.give(order, injection=LEFT)).status_code == 201


async def test_rapid_start_and_the_last_opioid_belong_to_their_own_orders(clinic: Clinic) -> None:
    here = await american(clinic)
    for said, field in (
        ({"rapid_start": True}, "rapid_start"),
        ({"last_opioid_on": str(here.today)}, "last_opioid_on"),
        ({"no_opioid_known": "Asked."}, "no_opioid_known"),
        ({**DEPOT, "last_opioid_on": str(here.today + timedelta(days=1))}, "last_opioid_on"),
    ):
        refused = await here.prescriber.post(f"/clients/{here.client}/orders", here.wish(**said))
        assert [each["field"] for each in refused.json()["errors"]] == [field]


@pytest.mark.parametrize("said", [DEPOT, ORAL], ids=["depot", "oral"])
async def test_naltrexone_is_not_ordered_before_somebody_has_asked_for_the_last_opioid(
    clinic: Clinic, said: dict[str, Any]
) -> None:
    here = await american(clinic)
    path, on = f"/clients/{here.client}/orders", {"last_opioid_on": ago(here, 30)}
    none = {"no_opioid_known": "Asked, and his wife: none for years."}
    for wrong, field in (
        ({}, "last_opioid_on"),
        ({**on, **none}, "last_opioid_on"),
        ({"no_opioid_known": " "}, "no_opioid_known"),
    ):
        refused = await here.prescriber.post(path, here.wish(**{**said, **wrong}))
        assert (refused.status_code, [each["field"] for each in refused.json()["errors"]]) == (422, [field])
    for right in (on, none):
        written = await here.prescriber.post(path, here.wish(**{**said, **right}))
        assert written.status_code == 201, written.text
        assert {name: written.json()[name] for name in right} == right
    signed = await here.sign(written.json())
    assert signed.status_code == 201, signed.text
    assert signed.json()["no_opioid_known"] == none["no_opioid_known"], "it is part of what was signed"
    spoken = {"order": here.wish(**said), "prescriber": str(here.prescriber.staff.id), "read_back": True}
    taken = await here.nurse.post(f"/clients/{await here.another_client()}/verbal-orders", spoken)
    assert taken.status_code == 422, taken.text


async def test_a_strength_that_is_not_listed_has_no_window_but_its_own_days(clinic: Clinic) -> None:
    here = await american(clinic)
    order = await injected(here, product("77", every_days=14), then=13)
    assert rules(await here.give(order, injection=LEFT)) == ["not_scheduled"]
    await pass_days(here, 1)
    assert (await here.give(order, injection=LEFT)).status_code == 201
    await pass_days(here, 90)
    assert [line["next"]["standing"] for line in await lines(here)] == ["overdue"]
    assert (await here.give(order, injection=RIGHT)).status_code == 201, "no window says how late is too late"


async def test_a_first_injection_is_due_on_the_first_day_of_its_order_and_may_come_later(clinic: Clinic) -> None:
    here = await american(clinic)
    order = await here.order(**WEEKLY)
    await pass_days(here, 3)
    [line] = await lines(here)
    assert (line["next"]["due_on"], line["next"]["standing"], line["next"]["last_on"]) == (
        ago(here, 3),
        "overdue",
        None,
    )
    assert (await here.give(order, injection=LEFT)).status_code == 201


async def test_what_is_overdue_longest_stands_first(clinic: Clinic) -> None:
    here = await american(clinic)
    await injected(here, WEEKLY, then=12)
    second = await here.another_client()
    order = await here.order(client=second, **MONTHLY)
    assert (await here.give(order, injection=LEFT)).status_code == 201
    assert [line["next"]["standing"] for line in await lines(here)] == ["overdue", "not_yet"]
    assert (await here.prescriber.get(f"/programmes/{here.programme}/injections")).status_code == 200
    elsewhere = await american(clinic)
    assert (await elsewhere.nurse.get(f"/programmes/{here.programme}/injections")).status_code == 403


async def test_an_injection_is_overdue_however_long_ago_the_last_one_was_and_whatever_came_between(
    clinic: Clinic,
) -> None:
    here = await american(clinic)
    for said, then in ((SUBLOCADE, 365), (VIVITROL, 60)):
        order = await injected(here, said, then=then)
        ended = await here.prescriber.post(
            f"/orders/{order['id']}/stop", {"reason": "Another medicine.", "password": PASSWORD}
        )
        assert ended.status_code == 201, ended.text
    order = await here.order(**SUBLOCADE)
    [line] = await lines(here)

    assert (line["next"]["standing"], line["next"]["last_on"]) == ("overdue", ago(here, 425))
    assert "injection_overdue" in rules(await here.give(order, injection={"site": "buttock_right"}))


async def test_sites_alternate_or_say_why_not(clinic: Clinic) -> None:
    here = await american(clinic)
    order = await here.order(**WEEKLY)
    nowhere = await here.give(order, injection=None)
    assert [each["field"] for each in nowhere.json()["errors"]] == ["injection.site"]
    assert (await here.give(order, injection=LEFT)).status_code == 201
    await pass_days(here, 7)
    assert (await here.chart())["due"]["injection"]["last_site"] == "abdomen_left"
    again = await here.give(order, injection=LEFT)
    assert [each["field"] for each in again.json()["errors"]] == ["injection.same_site_reason"]
    assert again.json()["facts"]["rule"] == "us.injection_site"
    blank = await here.give(order, injection={**LEFT, "same_site_reason": " "})
    assert [each["field"] for each in blank.json()["errors"]] == ["injection.same_site_reason"]
    why = {**LEFT, "same_site_reason": "The other side is inflamed."}
    assert (await here.give(order, injection=why)).status_code == 201


async def test_a_site_is_one_of_the_products(clinic: Clinic) -> None:
    here = await american(clinic)
    order = await here.order(**VIVITROL)
    refused = await here.give(order, injection=LEFT)
    assert [each["field"] for each in refused.json()["errors"]] == ["injection.site"]
    assert "buttock" in refused.json()["errors"][0]["problem"]
    tablet = await here.order(client=await here.another_client(), amounts_mg={"whole": "50"})
    wrong = await here.give(tablet, injection=LEFT)
    assert [each["field"] for each in wrong.json()["errors"]] == ["injection"]


async def test_an_injection_told_afterwards_needs_no_site_and_the_next_one_asks_nothing_of_it(clinic: Clinic) -> None:
    here = await american(clinic)
    order = await here.order(**WEEKLY)
    told = await here.give(order, injection=None, late={"reason": "Paper."})
    assert told.status_code == 201, told.text
    await pass_days(here, 7)
    assert (await here.chart())["due"]["injection"]["last_site"] is None
    late = await here.give(order, injection=LEFT, late={"reason": "Paper."})
    assert late.status_code == 201, late.text
    await pass_days(here, 7)
    assert (await here.chart())["due"]["injection"]["last_site"] == "abdomen_left"


async def deliver(here: Dispensary, days_ago: int, **said: Any) -> dict[str, Any]:
    path, key = f"/clients/{here.client}/named-deliveries", fresh()
    body = {
        "medicine": "buprenorphine",
        "strength_mg": "300",
        "pharmacy": "Specialty Pharmacy",
        "lot": "A1",
        "received_on": ago(here, days_ago),
        **said,
    }
    made = await here.nurse.post(path, body, key=key)
    assert made.status_code == 201, made.text
    assert (await here.nurse.post(path, body, key=key)).json() == made.json()
    return made.json()


@pytest.mark.parametrize(("days", "status"), [(45, 201), (46, 409)])
async def test_what_was_delivered_for_a_client_is_given_within_45_days(clinic: Clinic, days: int, status: int) -> None:
    here = await american(clinic)
    order = await here.order(**SUBLOCADE)
    delivery = await deliver(here, days)
    answer = await here.give(order, injection={**LEFT, "delivery_id": delivery["id"]})
    assert answer.status_code == status
    if status == 409:
        [told] = answer.json()["facts"]["rules"]
        assert (told["rule"], told["policy"]) == ("delivered_too_long_ago", "us.named_patient of US-1")
        assert (told["facts"]["received_on"], told["facts"]["within_days"]) == (ago(here, 46), 45)
        late = await here.give(
            order, injection={"delivery_id": delivery["id"]}, late={"reason": "Given before we saw."}
        )
        assert (late.json()["kind"], late.json()["rules"]) == ("exception", ["delivered_too_long_ago"])


async def test_in_a_country_without_that_limit_it_is_given_later(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await here.order(**MONTHLY)
    delivery = await deliver(here, 90, strength_mg="96")
    assert (await here.give(order, injection={**LEFT, "delivery_id": delivery["id"]})).status_code == 201


async def test_a_delivery_is_the_clients_own_and_given_once_unless_it_was_not_given(clinic: Clinic) -> None:
    here = await american(clinic)
    delivery = await deliver(here, 3)
    used = {**LEFT, "delivery_id": delivery["id"]}
    second = await here.another_client()
    theirs = await here.order(client=second, **SUBLOCADE)
    stolen = await here.give(theirs, injection=used)
    assert [each["field"] for each in stolen.json()["errors"]] == ["injection.delivery_id"]
    order = await here.order(**SUBLOCADE)
    dose = (await here.give(order, injection=used)).json()
    path = f"/clients/{here.client}/named-deliveries"
    assert [each["is_used"] for each in (await here.nurse.get(path)).json()["items"]] == [True]
    corrected = await here.colleague.post(
        f"/doses/{dose['id']}/correction", {"reason": "Not given.", "password": PASSWORD}, headers={"If-Match": '"1"'}
    )
    assert corrected.status_code == 201
    assert [each["is_used"] for each in (await here.nurse.get(path)).json()["items"]] == [False]
    assert (await here.give(order, injection=used)).status_code == 201
    await pass_days(here, 28)
    twice = await here.give(order, injection={**RIGHT, "delivery_id": delivery["id"]})
    assert [each["field"] for each in twice.json()["errors"]] == ["injection.delivery_id"]


async def test_what_was_delivered_for_a_client_takes_nothing_from_our_stock(clinic: Clinic) -> None:
    store = await storeroom(clinic, profile="US", time_zone="America/New_York")
    here = store.here
    shelf = await store.open_bottle(
        medicine="buprenorphine", form=SUBLOCADE["form"], strength_mg="300", amount_mg="900"
    )
    order = await here.order(**SUBLOCADE)
    given = await here.give(order, injection={**LEFT, "delivery_id": (await deliver(here, 3))["id"]})
    assert (given.status_code, await store.balance(shelf), await store.wrong()) == (201, 900, [])
    dose = given.json()
    path = f"/doses/{dose['id']}"
    whence = {"sources": [{"container_id": shelf, "amount_mg": "300"}], "reason": "It was ours."}
    refused = await here.nurse.post(f"{path}/stock", whence, headers={"If-Match": '"1"'})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:caseload:problem:took-nothing")
    said = {"reason": "Not given.", "password": PASSWORD}
    assert (await here.colleague.post(f"{path}/correction", said, headers={"If-Match": '"1"'})).status_code == 201
    assert (await here.give(order, injection=RIGHT)).status_code == 201
    assert (await store.balance(shelf), await store.wrong()) == (600, [])


async def test_a_delivery_of_another_strength_is_not_what_is_ordered(clinic: Clinic) -> None:
    """Three hundred milligrams for a month in the place of a hundred; swallowed is what was injected all the same."""
    here = await american(clinic)
    order = await here.order(**product("100"))
    used = {**LEFT, "delivery_id": (await deliver(here, 3))["id"]}
    assert rules(await here.give(order, injection=used)) == ["another_medicine"]
    late = await here.give(order, amount_mg="300", injection=used, late={"reason": "Seen only afterwards."})
    assert (late.json()["kind"], late.json()["rules"]) == ("exception", ["more_than_ordered", "another_medicine"])


async def test_what_was_injected_does_not_come_back(clinic: Clinic) -> None:
    here = await american(clinic)
    dose = (await here.give(await here.order(**SUBLOCADE), injection=LEFT)).json()
    refused = await here.nurse.post(f"/doses/{dose['id']}/vomited", {"minutes_after": 0, "witnessed": True})
    assert (refused.status_code, [each["field"] for each in refused.json()["errors"]]) == (422, ["dose_id"])


async def test_a_delivery_told_twice_at_once_with_one_key_is_one(clinic: Clinic) -> None:
    here = await american(clinic)
    path, key = f"/clients/{here.client}/named-deliveries", fresh()
    body = {
        "medicine": "buprenorphine",
        "strength_mg": "300",
        "pharmacy": "Specialty Pharmacy",
        "lot": "A1",
        "received_on": ago(here, 1),
    }
    told = await asyncio.gather(*(here.nurse.post(path, body, key=key) for _ in range(8)))
    assert {answer.status_code for answer in told} == {201}
    [kept] = (await here.nurse.get(path)).json()["items"]
    assert {answer.json()["id"] for answer in told} == {kept["id"]}


async def test_of_two_windows_at_once_one_gives_what_was_delivered_and_a_retry_gives_no_other(clinic: Clinic) -> None:
    here = await american(clinic)
    order = await here.order(**SUBLOCADE)
    delivery = await deliver(here, 3)
    used = {**LEFT, "delivery_id": delivery["id"]}
    keys = {here.nurse: fresh(), here.colleague: fresh()}

    async def both() -> list[httpx.Response]:
        return await asyncio.gather(
            *(here.give(order, by=by, key=key, injection=used) for by, key in keys.items() for _ in range(4))
        )

    for _ in range(2):
        answers = await both()
        given = [answer.json()["id"] for answer in answers if answer.status_code == 201]
        assert (len(given), len(set(given))) == (4, 1), "one of the two, and whoever asks again with the same key"
        fields = [answer.json()["errors"][0]["field"] for answer in answers if answer.status_code != 201]
        assert fields == ["injection.delivery_id"] * 4, "it has been given"
    doses = (await here.chart())["doses"]
    assert len(doses) == 1
    assert [
        each["is_used"] for each in (await here.nurse.get(f"/clients/{here.client}/named-deliveries")).json()["items"]
    ] == [True]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"pharmacy": " "}, "pharmacy"),
        ({"lot": ""}, "lot"),
        ({"strength_mg": "0"}, "strength_mg"),
        ({"form": "tablet"}, "form"),
        ({"medicine": "methadone"}, "form"),
        ({"received_on": "2999-01-01"}, "received_on"),
    ],
)
async def test_what_no_pharmacy_delivers_is_refused(clinic: Clinic, said: dict[str, Any], field: str) -> None:
    here = await american(clinic)
    body = {
        "medicine": "buprenorphine",
        "strength_mg": "300",
        "pharmacy": "Specialty Pharmacy",
        "lot": "A1",
        "received_on": ago(here, 1),
        **said,
    }
    refused = await here.nurse.post(f"/clients/{here.client}/named-deliveries", body)
    assert [each["field"] for each in refused.json()["errors"]] == [field]


@pytest.mark.parametrize(("days", "asks"), [(6, True), (7, False)])
async def test_example_36_naltrexone_after_an_opioid_that_only_the_client_tells_of(
    clinic: Clinic, days: int, *, asks: bool
) -> None:
    """Vivitrol planned; last opioid 5 days before: hold, because at least 7 days must lie between."""
    here = await american(clinic)
    draft = await here.draft(**DEPOT, last_opioid_on=ago(here, days))
    signed = await here.sign(draft)
    assert (signed.status_code == 409) is asks
    if asks:
        [told] = signed.json()["facts"]["rules"]
        assert (told["rule"], told["facts"]["opioid_free_days"]) == ("us.antagonist_beside", 7)
        assert (await here.sign(draft, "us.antagonist_beside")).status_code == 201
    assert (await here.give(draft)).status_code == 201, "signed in spite of it, or long enough ago"


async def test_naltrexone_signed_for_later_is_refused_until_its_opioid_free_days_have_passed(clinic: Clinic) -> None:
    here = await american(clinic)
    order = await here.order(**DEPOT, last_opioid_on=ago(here, 3), starts_on=str(here.today + timedelta(days=4)))
    assert order["confirmed"] == []
    await pass_days(here, 4)
    assert (await here.chart())["due"]["in_the_way"] == []
    assert (await here.give(order)).status_code == 201


async def test_methadone_of_ours_keeps_naltrexone_away_for_the_longer_time(clinic: Clinic) -> None:
    """The stricter of the two: two weeks after methadone or buprenorphine, whatever the client tells of."""
    here = await american(clinic)
    methadone = await here.order(amounts_mg={"whole": "50"}, ends_on=str(here.today))
    assert (await here.give(methadone)).status_code == 201
    await pass_days(here, 8)
    draft = await here.draft(**DEPOT, last_opioid_on=ago(here, 1))
    [told] = (await here.sign(draft)).json()["facts"]["rules"]
    assert (told["rule"], told["facts"]["in_the_way_until"]) == (
        "us.antagonist_beside",
        str(here.today + timedelta(days=5)),
    )
