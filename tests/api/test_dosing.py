"""A morning at the window over HTTP."""

from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy import insert, literal, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine

from caseload.db.tables.dosing import dose as doses
from caseload.domain.access import Role
from caseload.domain.ids import new_id
from tests.api.conftest import Clinic, Person
from tests.api.dispensary import PASSWORD, days_ago, dispensary, fresh

pytestmark = pytest.mark.anyio


def rules(answer: Any) -> list[str]:
    return [each["rule"] for each in answer.json()["facts"]["rules"]]


async def test_a_nurse_gives_a_dose_and_the_prescriber_signs_for_it(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await here.order()
    given = await here.give(order)
    assert given.status_code == 201, given.text
    dose = given.json()
    assert (dose["amount_mg"], dose["kind"], dose["standing"]) == ("60", "ordinary", "waiting")
    waiting = await here.prescriber.get(f"/programmes/{here.programme}/doses/waiting")
    assert [line["dose"]["id"] for line in waiting.json()["items"]] == [dose["id"]]
    signed = await here.prescriber.post(
        "/dose-sign-offs", {"doses": [{"dose_id": dose["id"], "version": 1}], "password": PASSWORD}
    )
    assert signed.status_code == 201, signed.text
    assert signed.json()["signed"][0]["printed_name"] == "Dr Ada Osei"
    read = (await here.nurse.get(f"/doses/{dose['id']}")).json()
    assert (read["standing"], read["reviewed"]["meaning"]) == ("signed", "reviewed")


async def test_recording_a_dose_needs_an_idempotency_key(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await here.order()
    answer = await here.nurse.post(
        f"/clients/{here.client}/doses",
        {"order_id": order["id"], "medicine": "methadone", "form": "oral_solution", "amount_mg": "60"},
    )
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:caseload:problem:key-missing"


async def test_a_retry_with_the_same_key_gets_the_first_answer_and_no_second_dose(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await here.order()
    key = fresh()
    first, again = await here.give(order, key=key), await here.give(order, key=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()


async def test_another_key_is_refused_and_says_who_gave_it_when(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await here.order()
    first = (await here.give(order)).json()
    second = await here.give(order, by=here.colleague)
    assert second.status_code == 409
    assert rules(second) == ["already_given"]
    facts = second.json()["facts"]["rules"][0]["facts"]
    assert (facts["dose"], facts["given_by"]) == (first["id"], "Nora Quill")


async def test_the_chart_shows_what_is_due_and_what_stands_in_the_way(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    empty = await here.chart()
    assert (empty["due"]["order_id"], empty["orders"], empty["doses"]) == (None, [], [])
    order = await here.order(amounts_mg={"morning": "40", "evening": "20.5"})
    chart = await here.chart()
    assert chart["profile"] == "UK-1"
    assert [(part["part"], part["amount_mg"], part["given"]) for part in chart["due"]["parts"]] == [
        ("morning", "40", None),
        ("evening", "20.5", None),
    ]
    assert chart["orders"][0]["standing"] == "in_force"
    await here.give(order, part="morning")
    await here.hold()
    chart = await here.chart(here.prescriber)
    assert chart["due"]["parts"][0]["given"]["given_by"] == "Nora Quill"
    assert [each["rule"] for each in chart["due"]["in_the_way"]] == ["client_held"]
    assert chart["due"]["last_taken"]["amount_mg"] == "40"
    assert [each["reason"] for each in chart["holds"]] == ["sedation"]
    assert [each["standing"] for each in chart["doses"]] == ["waiting"]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"amount_mg": "0"}, "amount_mg"),
        ({"amount_mg": "-1"}, "amount_mg"),
        ({"amount_mg": "1e2"}, "amount_mg"),
        ({"amount_mg": "60.0001"}, "amount_mg"),
        ({"amount_mg": "99999"}, "amount_mg"),
        ({"amount_mg": 60}, "amount_mg"),
        ({"amount_mg": "30"}, "less_reason"),
        ({"form": "sublingual_film"}, "form"),
        ({"given_at": "1999-12-31T00:00:00Z"}, "given_at"),
        ({"given_at": "9999-12-31T23:59:59-14:00"}, "given_at"),
        ({"given_at": "0001-01-01T00:00:00+14:00", "late": {"reason": "Paper."}}, "given_at"),
        ({"given_at": "2026-11-22T08:00:00"}, "given_at"),
        ({"part": "noon"}, "part"),
        ({"late": {"reason": " "}}, "late_reason"),
        ({"witness": "me"}, "witness"),
    ],
)
async def test_what_cannot_be_a_dose_is_refused_with_its_field(
    clinic: Clinic, said: dict[str, Any], field: str
) -> None:
    here = await dispensary(clinic)
    answer = await here.give(await here.order(), **said)
    assert answer.status_code == 422, answer.text
    assert field in {each["field"] for each in answer.json()["errors"]}
    assert (await here.chart())["doses"] == []


async def test_a_refusal_says_each_rule_its_profile_and_what_to_do_but_nothing_of_the_client(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await here.order()
    await here.hold()
    refused = await here.give(order, amount_mg="90")
    told = refused.json()
    assert (refused.status_code, told["type"]) == (409, "urn:caseload:problem:dose-refused")
    assert rules(refused) == ["more_than_ordered", "client_held"]
    assert told["facts"]["profile"] == "UK-1"
    assert "A prescriber must clear the hold" in told["detail"]
    for secret in ("Alex", "Example", "1990", "Drowsy", str(here.client)):
        assert secret not in refused.text


async def test_a_late_entry_is_recorded_against_every_rule_and_holds_the_next(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await here.order()
    yesterday = days_ago(here, 1)
    late = await here.give(
        order, amount_mg="90", given_at=yesterday, late={"reason": "The network was down since noon."}
    )
    assert late.status_code == 201, late.text
    dose = late.json()
    assert (dose["kind"], dose["entry"]) == ("exception", "late")
    assert dose["rules"] == ["no_order_in_force"]
    assert rules(await here.give(order)) == ["client_held"]
    queue = (await here.prescriber.get(f"/programmes/{here.programme}/holds")).json()["items"]
    assert [(each["reason"], each["dose_id"]) for each in queue] == [("exception", dose["id"])]
    cleared = await here.prescriber.post(
        f"/holds/{queue[0]['id']}/clearance", {"reason": "Seen, awake.", "password": PASSWORD}
    )
    assert cleared.status_code == 201, cleared.text
    assert (await here.give(order)).status_code == 201


async def test_a_dose_without_any_order_can_be_told_only_afterwards(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await here.order()
    assert (await here.give(order, order_id=None)).status_code == 404
    told = await here.give(order, order_id=None, late={"reason": "Given on another clinic's word."})
    assert (told.status_code, told.json()["rules"]) == (201, ["no_order_in_force"])


async def test_an_amendment_needs_the_version_that_was_seen(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    given = await here.give(await here.order())
    dose = given.json()
    assert given.headers["etag"] == '"1"'
    said = {
        "medicine": "methadone",
        "form": "oral_solution",
        "amount_mg": "55",
        "given_at": dose["given_at"],
        "supervised": True,
        "reason": "Misread the measure.",
    }
    path = f"/doses/{dose['id']}/amendments"
    assert (await here.nurse.post(path, said)).status_code == 428
    assert (await here.nurse.post(path, said, headers={"If-Match": '"2"'})).status_code == 412
    key = fresh()
    far = await here.nurse.post(path, said | {"given_at": "9999-12-31T23:59:59-14:00"}, headers={"If-Match": '"1"'})
    assert far.status_code == 422
    amended = await here.nurse.post(path, said, headers={"If-Match": '"1"'}, key=key)
    assert (amended.status_code, amended.json()["version"], amended.headers["etag"]) == (201, 2, '"2"')
    again = await here.nurse.post(path, said, headers={"If-Match": '"1"'}, key=key)
    assert again.json() == amended.json()
    versions = (await here.nurse.get(f"/doses/{dose['id']}/versions")).json()["items"]
    assert [(each["version"], each["amount_mg"], each["standing"]) for each in versions] == [
        (2, "55", "waiting"),
        (1, "60", "amended"),
    ]


NALTREXONE: dict[str, Any] = {"medicine": "naltrexone", "form": "tablet", "amount_mg": "50"}


async def test_an_amendment_never_puts_naltrexone_in_the_place_of_an_opioid(clinic: Clinic) -> None:
    """The first version decides for which ladder a dose counts: such a change is another dose, and recorded as one."""
    here = await dispensary(clinic)
    order = await here.order()
    dose = (await here.give(order)).json()
    path, seen = f"/doses/{dose['id']}", {"If-Match": '"1"'}
    kept = {"given_at": dose["given_at"], "supervised": True, "reason": "Taken from the wrong drawer."}
    depot = {"medicine": "buprenorphine", "form": "extended_release_injection", "amount_mg": "300"}
    for other, field in ((NALTREXONE, "medicine"), (depot, "form")):
        refused = await here.nurse.post(f"{path}/amendments", kept | other, headers=seen)
        assert (refused.status_code, [each["field"] for each in refused.json()["errors"]]) == (422, [field])
        assert "record it anew" in refused.json()["errors"][0]["problem"]
    engine = create_async_engine("postgresql+asyncpg://", connect_args={"dsn": clinic.addresses.owner})
    written = {column.name: column for column in doses.c if column.computed is None}
    changed = written | {"version": literal(2), "medicine": literal("naltrexone")}
    stored = insert(doses).from_select([*changed], select(*changed.values()).where(doses.c.id == dose["id"]))
    async with engine.connect() as connection:
        with pytest.raises(IntegrityError, match="what kind it was"):
            await connection.execute(stored)
    await engine.dispose()

    said = {"reason": "It was naltrexone.", "password": PASSWORD}
    assert (await here.colleague.post(f"{path}/correction", said, headers=seen)).status_code == 201
    given = await here.give(order, given_at=dose["given_at"], late={"reason": "It was naltrexone."}, **NALTREXONE)

    assert (given.status_code, given.json()["kind"]) == (201, "exception"), given.text
    assert "another_medicine" in given.json()["rules"]
    due = (await here.chart())["due"]
    assert due["last_taken"] is None, "no methadone was taken, and the ladder of methadone knows it"
    assert "client_held" in [each["rule"] for each in due["in_the_way"]]


async def test_an_amendment_to_another_opioid_is_the_last_dose_by_its_own_name(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    dose = (await here.give(await here.order())).json()
    amended = await here.nurse.post(
        f"/doses/{dose['id']}/amendments",
        {
            "medicine": "buprenorphine",
            "form": "sublingual_tablet",
            "amount_mg": "8",
            "given_at": dose["given_at"],
            "supervised": True,
            "reason": "Read from the strip.",
        },
        headers={"If-Match": '"1"'},
    )
    assert (amended.status_code, amended.json()["kind"]) == (201, "exception"), amended.text
    last = (await here.chart())["due"]["last_taken"]
    assert (last["medicine"], last["amount_mg"]) == ("buprenorphine", "8")


async def test_not_given_is_signed_by_a_colleague_and_frees_the_day(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await here.order()
    dose = (await here.give(order)).json()
    path, said = f"/doses/{dose['id']}/correction", {"reason": "Poured away.", "password": PASSWORD}
    seen = {"If-Match": '"1"'}
    assert (await here.colleague.post(path, said)).status_code == 428
    own = await here.nurse.post(path, said, headers=seen)
    assert (own.status_code, own.json()["type"]) == (403, "urn:caseload:problem:own-dose")
    wrong = await here.colleague.post(path, {**said, "password": "guessed, and wrong"}, headers=seen)
    assert wrong.status_code in {401, 403}
    key = fresh()
    corrected = await here.colleague.post(path, said, headers=seen, key=key)
    assert (corrected.status_code, corrected.json()["standing"]) == (201, "not_given")
    assert (await here.colleague.post(path, said, headers=seen, key=key)).json() == corrected.json()
    assert (await here.colleague.post(path, said, headers=seen)).status_code == 409
    assert (await here.give(order)).status_code == 201


async def test_a_rejection_goes_back_to_the_recorder(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    dose = (await here.give(await here.order())).json()
    path = f"/doses/{dose['id']}/rejection"
    assert (await here.prescriber.post(path, {"reason": "Which bottle?"})).status_code == 428
    rejected = await here.prescriber.post(path, {"reason": "Which bottle?"}, headers={"If-Match": '"1"'})
    assert rejected.status_code == 204
    back = (await here.nurse.get("/doses/sent-back")).json()["items"]
    assert [(line["dose"]["id"], line["rejection"]) for line in back] == [(dose["id"], "Which bottle?")]
    assert (await here.nurse.get(f"/doses/{dose['id']}")).json()["standing"] == "sent_back"


async def test_signing_several_names_what_could_not_be_signed_and_a_retry_learns_the_same(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    first = (await here.give(await here.order())).json()
    second = (await here.give(await here.order(client=await here.another_client()), by=here.colleague)).json()
    third = (await here.give(await here.order(client=await here.another_client()))).json()
    signed = {"doses": [{"dose_id": third["id"], "version": 1}], "meaning": "witnessed", "password": PASSWORD}
    assert (await here.prescriber.post("/dose-sign-offs", signed)).status_code == 201
    said = {
        "doses": [{"dose_id": each["id"], "version": 1} for each in (first, second, third)],
        "meaning": "witnessed",
        "password": PASSWORD,
    }
    key = fresh()
    answer = await here.colleague.post("/dose-sign-offs", said, key=key)
    assert answer.status_code == 201, answer.text
    assert [each["dose_id"] for each in answer.json()["signed"]] == [first["id"]]
    assert [(each["dose_id"], each["type"]) for each in answer.json()["refused"]] == [
        (second["id"], "urn:caseload:problem:own-dose"),
        (third["id"], "urn:caseload:problem:dose-moved"),
    ]
    again = await here.colleague.post("/dose-sign-offs", said, key=key)
    assert again.json() == answer.json()


async def test_what_a_guest_was_given_is_signed_for_by_the_host_when_they_have_gone_home(clinic: Clinic) -> None:
    home, host = await dispensary(clinic), await dispensary(clinic)
    order, now = await home.order(), clinic.service.clock()
    owner = await asyncpg.connect(clinic.addresses.owner)
    try:
        await owner.execute(
            "insert into clinic.guest_stay (id, client_id, host_programme_id, period, reason, recorded_by, recorded_at)"
            " values ($1, $2, $3, tstzrange($4, $5), 'holiday', $6, $4)",
            *(
                new_id(),
                home.client,
                host.programme,
                now - timedelta(days=1),
                now + timedelta(days=1),
                home.nurse.staff.id,
            ),
        )
        dose = (await host.give(order)).json()
        await owner.execute(
            "update clinic.guest_stay set period = tstzrange(lower(period), $2) where client_id = $1",
            *(home.client, clinic.service.clock()),
        )
    finally:
        await owner.close()
    said, key = {"doses": [{"dose_id": dose["id"], "version": 1}], "password": PASSWORD}, fresh()

    async def queue(by: Person) -> list[str]:
        lines = await by.get(f"/programmes/{host.programme}/doses/waiting")
        return [line["dose"]["id"] for line in lines.json()["items"]]

    assert await queue(host.prescriber) == [dose["id"]]
    assert (await home.prescriber.post("/dose-sign-offs", said)).status_code == 403
    for path in (f"/clients/{home.client}", f"/clients/{home.client}/medication", f"/doses/{dose['id']}"):
        assert (await host.prescriber.get(path)).status_code == 404, "the dose is all there is to see, and in the queue"
    sent_back = await host.prescriber.post(
        f"/doses/{dose['id']}/rejection", {"reason": "?"}, headers={"If-Match": '"1"'}
    )
    assert sent_back.status_code == 404, "nobody there could put it right"

    signed = await host.prescriber.post("/dose-sign-offs", said, key=key)

    assert (signed.status_code, signed.json()["signed"][0]["dose_id"]) == (201, dose["id"]), signed.text
    assert await queue(host.prescriber) == []
    assert (await host.prescriber.post("/dose-sign-offs", said, key=key)).json() == signed.json()
    assert (await host.colleague.post("/dose-sign-offs", said)).status_code == 404
    assert (await home.nurse.get(f"/doses/{dose['id']}")).json()["standing"] == "signed"


async def test_the_queue_comes_in_pages(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    given = [(await here.give(await here.order(client=await here.another_client()))).json()["id"] for _ in range(3)]
    path = f"/programmes/{here.programme}/doses/waiting"
    page = (await here.prescriber.get(path, params={"limit": 2})).json()
    rest = (await here.prescriber.get(path, params={"limit": 2, "after": page["next"]})).json()
    assert [line["dose"]["id"] for line in page["items"] + rest["items"]] == given
    assert rest["next"] is None


async def test_a_dose_that_is_not_given_has_its_reason(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await here.order()
    key = fresh()
    path, said = f"/clients/{here.client}/doses-not-given", {"order_id": order["id"], "reason": "refused"}
    answer = await here.nurse.post(path, said, key=key)
    assert (answer.status_code, answer.json()["reason"]) == (201, "refused")
    assert (await here.nurse.post(path, said, key=key)).json() == answer.json()


async def test_the_days_list_says_what_the_charts_say(clinic: Clinic) -> None:
    """One definition: each line of the list is the chart's own answer, whatever happened to whom."""
    here = await dispensary(clinic, profile="AU", time_zone="Australia/Sydney")
    clients = [here.client, *[await here.another_client(family_name=name) for name in ("Bee", "Cee", "Dee", "Eff")]]
    orders = [await here.order(client=client) for client in clients]
    await here.give(orders[0])
    await here.hold()
    await here.give(orders[1], given_at=days_ago(here, 4), late={"reason": "Paper."})
    await here.give(orders[2], amount_mg="30", less_reason="Sleepy.")
    listed = await here.nurse.get(f"/programmes/{here.programme}/dispensing")
    lines = {line["client_id"]: line["due"] for line in listed.json()["items"]}
    assert set(lines) == {str(client) for client in clients}
    for client in clients:
        chart = (await here.nurse.get(f"/clients/{client}/medication")).json()
        assert lines[str(client)] == chart["due"]


async def test_a_day_may_be_named_and_nothing_is_due_before_the_order_begins(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    await here.order()
    path = f"/programmes/{here.programme}/dispensing"
    tomorrow = await here.nurse.get(path, params={"day": str(here.today + timedelta(days=1))})
    yesterday = await here.nurse.get(path, params={"day": str(here.today - timedelta(days=1))})
    assert (len(tomorrow.json()["items"]), len(yesterday.json()["items"])) == (1, 0)
    for far in ("0001-01-01", "9999-12-31"):
        assert (await here.nurse.get(path, params={"day": far})).status_code == 422


async def test_a_counsellor_sees_the_medication_of_their_own_clients_and_records_nothing(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await here.order()
    counsellor = await clinic.person((Role.COUNSELLOR, here.programme))
    assert (await counsellor.get(f"/clients/{here.client}/medication")).status_code == 404
    assert (await here.give(order, by=counsellor)).status_code == 403
    elsewhere = await clinic.person((Role.NURSE, await clinic.programme()))
    assert (await here.give(order, by=elsewhere)).status_code == 404
    assert (await elsewhere.get(f"/programmes/{here.programme}/dispensing")).status_code == 403
