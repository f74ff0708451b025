"""Disclosures over HTTP: what is released, what is refused, what stays open, and what the client can see of it."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event

from caseload.db.consent import Consents
from caseload.db.family import Families
from caseload.domain.access import Role
from caseload.domain.consent import How, Revocation
from caseload.domain.family import SafetyWarning, WarningKind
from caseload.domain.ids import ClientId, ConsentId, RelatedPersonId, WarningId, new_id
from tests.api.conftest import Clinic
from tests.api.dispensary import fresh
from tests.api.test_consent import Chart, chart_in
from tests.factories.families import Seen

pytestmark = pytest.mark.anyio

DOCUMENT = {"method": "document", "detail": "a letter on the plan's paper"}
SPOKEN: dict[str, Any] = {"manner": "spoken", "notice_how": "read_out"}


@pytest.fixture
async def chart(clinic: Clinic) -> Chart:
    return await chart_in(clinic, "US")


def telling(chart: Chart, *categories: str, **said: Any) -> dict[str, Any]:
    return {
        "recipient": {"person_id": chart.mother},
        "name": "Rosa Lindqvist, mother",
        "categories": list(categories),
        "manner": "written",
        "check": {"method": "call_back"},
        "purpose": "family_involvement",
        **said,
    }


async def given(chart: Chart, *categories: str, **said: Any) -> dict[str, Any]:
    answer = await chart.nurse.post(f"{chart.path}/consents", chart.consent(categories=list(categories), **said))
    assert answer.status_code == 201, answer.text
    return answer.json()


async def made(chart: Chart, body: dict[str, Any]) -> dict[str, Any]:
    answer = await chart.nurse.post(f"{chart.path}/disclosures", body, key=fresh())
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_an_ask_without_a_check_is_answered_as_to_anybody_unknown_and_says_what_check_to_make(
    chart: Chart,
) -> None:
    unknown = await chart.nurse.post(
        f"{chart.path}/disclosure-questions", chart.question("attendance", recipient={"name": "A caller"}, check=None)
    )
    await given(chart, "attendance")
    mother = await chart.nurse.post(f"{chart.path}/disclosure-questions", chart.question("attendance", check=None))
    assert mother.content == unknown.content
    [answer] = mother.json()["items"]
    assert (answer["allowed"], answer["reason"], answer["consent_id"]) == (False, "asker_not_checked", None)
    assert "call back to the number on file" in answer["advice"]
    refused = await chart.nurse.post(f"{chart.path}/disclosures", telling(chart, "attendance", check=None))
    assert (refused.status_code, refused.json()["facts"]["reason"]) == (409, "asker_not_checked")


async def test_63_what_the_consent_covers_is_released_once_and_the_doses_are_not(chart: Chart) -> None:
    consent = await given(chart, "attendance")
    refused = await chart.nurse.post(f"{chart.path}/disclosures", telling(chart, "attendance", "medication"))
    facts = refused.json()["facts"]
    assert (refused.status_code, facts["reason"], facts["category"]) == (409, "other_category", "medication")
    assert (await chart.nurse.get(f"{chart.path}/disclosures")).json()["items"] == []
    path, key = f"{chart.path}/disclosures", fresh()
    first = await chart.nurse.post(path, telling(chart, "attendance"), key=key)
    told = first.json()
    assert (first.status_code, told["consent_id"], told["content"]["attendance"]) == (201, consent["id"], [])
    assert told["content"]["about"]["given_name"] == "Ada"
    assert told["notice"] == "42 CFR part 2 prohibits unauthorized use or disclosure of these records."
    assert told["scope"].startswith("Disclosed under a consent signed on 2026-03-01. It covers attendance,")
    again = await chart.nurse.post(path, telling(chart, "attendance"), key=key)
    assert (again.status_code, again.json()) == (201, told)
    [line] = (await chart.nurse.get(path)).json()["items"]
    assert line == {
        name: value for name, value in told.items() if name not in {"content", "disputes", "notice", "scope"}
    }
    assert (await chart.nurse.get(f"/disclosures/{told['id']}")).json() == told


async def test_a_revocation_that_is_being_recorded_is_waited_for_and_refuses(clinic: Clinic, chart: Chart) -> None:
    """Two people at once: one records that the client has revoked, the other has begun to disclose."""
    consent = await given(chart, "attendance")
    client = ClientId(consent["client_id"])
    async with clinic.service.engine.connect() as connection:
        kept = Consents(connection, Seen())
        await kept.hold(client)
        disclosing = asyncio.create_task(chart.nurse.post(f"{chart.path}/disclosures", telling(chart, "attendance")))
        await asyncio.sleep(0.2)
        assert not disclosing.done()
        now = clinic.service.clock()
        revocation = Revocation(
            consent=ConsentId(consent["id"]),
            how=How.SPOKEN,
            received_at=now,
            recorded_at=now,
            recorded_by=chart.nurse.staff.id,
        )
        await kept.add_revocation(revocation, of=await kept.get(ConsentId(consent["id"]), client=client))
        await connection.commit()
        refused = await disclosing
    assert (refused.status_code, refused.json()["facts"]["reason"]) == (409, "revoked")
    assert (await chart.nurse.get(f"{chart.path}/disclosures")).json()["items"] == []


async def test_a_safety_warning_that_is_being_recorded_is_waited_for_and_refuses(clinic: Clinic, chart: Chart) -> None:
    """Two people at once: one writes down what the client has just said of their mother, the other has begun to disclose."""
    client = ClientId((await given(chart, "attendance"))["client_id"])
    async with clinic.service.engine.connect() as connection:
        kept = Families(connection, Seen())
        warning = SafetyWarning(
            id=WarningId(new_id()),
            client=client,
            person=RelatedPersonId(UUID(chart.mother)),
            kind=WarningKind.DOMESTIC_RISK,
            note="Has hurt her.",
            recorded_by=chart.nurse.staff.id,
            recorded_at=clinic.service.clock(),
        )
        await kept.warn(warning)
        disclosing = asyncio.create_task(chart.nurse.post(f"{chart.path}/disclosures", telling(chart, "attendance")))
        await asyncio.sleep(0.2)
        assert not disclosing.done()
        await connection.commit()
        refused = await disclosing
    assert (refused.status_code, refused.json()["facts"]["reason"]) == (409, "safety_warning")
    assert (await chart.nurse.get(f"{chart.path}/disclosures")).json()["items"] == []


async def _restricted(clinic: Clinic, chart: Chart, **restricts: Any) -> str:
    """A restriction that the privacy officer has agreed to; its path."""
    body = {
        "kind": "restriction",
        "says": "My mother is not to know when I come.",
        "received_at": (clinic.service.clock() - timedelta(minutes=1)).isoformat(),
        "check": {"method": "in_person"},
    }
    asked = await chart.nurse.post(f"{chart.path}/rights-requests", body)
    assert asked.status_code == 201, asked.text
    officer = await clinic.person((Role.PRIVACY_OFFICER, None))
    path = f"/rights-requests/{asked.json()['id']}"
    answer = {
        "outcome": "granted",
        "says": "Told on the phone.",
        "restricts": {"categories": ["attendance"]} | restricts,
    }
    granted = await officer.post(f"{path}/answer", answer)
    assert granted.status_code == 201, granted.text
    return path


async def test_an_agreed_restriction_is_obeyed_until_the_client_gives_it_up(clinic: Clinic, chart: Chart) -> None:
    await given(chart, "attendance", "plan")
    path = await _restricted(clinic, chart, recipient={"person_id": chart.mother})
    [answer] = (await chart.nurse.post(f"{chart.path}/disclosure-questions", chart.question("attendance"))).json()[
        "items"
    ]
    assert (answer["allowed"], answer["reason"]) == (False, "agreed_restriction")
    assert "164.522(a)" in answer["rule"]
    refused = await chart.nurse.post(f"{chart.path}/disclosures", telling(chart, "attendance", **SPOKEN))
    assert (refused.status_code, refused.json()["facts"]["reason"]) == (409, "agreed_restriction")
    assert (await chart.nurse.post(f"{chart.path}/disclosures", telling(chart, "plan", **SPOKEN))).status_code == 201
    emergency = {"name": "Dr Roe", "facility": "General", "emergency": "Collapsed.", "manner": "spoken"}
    assert (await chart.nurse.post(f"{chart.path}/emergency-releases", emergency)).status_code == 201
    officer = await clinic.person((Role.PRIVACY_OFFICER, None))
    end = {"how": "agreed_aloud", "says": "She may know again; asked for her birth date."}
    stranger = await clinic.person((Role.PRIVACY_OFFICER, await clinic.programme()))
    assert (await stranger.post(f"{path}/restriction-end", end)).status_code == 404
    key = fresh()
    over = [await officer.post(f"{path}/restriction-end", end, key=key) for _ in range(2)]
    assert [each.status_code for each in over] == [201, 201]
    assert over[1].json()["restriction"]["is_over"]
    assert (await officer.post(f"{path}/restriction-end", end)).status_code == 409
    told = await chart.nurse.post(f"{chart.path}/disclosures", telling(chart, "attendance", **SPOKEN))
    assert told.status_code == 201


async def test_a_restriction_that_is_being_agreed_is_waited_for_and_refuses(clinic: Clinic, chart: Chart) -> None:
    client = ClientId((await given(chart, "attendance"))["client_id"])
    async with clinic.service.engine.connect() as connection:
        await Consents(connection, Seen()).hold(client)
        both = asyncio.gather(
            _restricted(clinic, chart),
            asyncio.sleep(0.3),
        )
        await asyncio.sleep(0.4)
        assert not both.done(), "whoever tells something now is waited for"
        await connection.commit()
        path, _ = await both
    assert path
    refused = await chart.nurse.post(f"{chart.path}/disclosures", telling(chart, "attendance"))
    assert refused.json()["facts"]["reason"] == "agreed_restriction"


async def test_whoever_discloses_and_whoever_revokes_at_once_leave_one_of_two_stories(chart: Chart) -> None:
    consent = await given(chart, "attendance")
    told, revoked = await asyncio.gather(
        chart.nurse.post(f"{chart.path}/disclosures", telling(chart, "attendance")),
        chart.nurse.post(f"{chart.path}/consents/{consent['id']}/revocation", {"how": "spoken"}),
    )
    assert revoked.status_code == 201
    assert told.status_code in {201, 409}
    later = await chart.nurse.post(f"{chart.path}/disclosures", telling(chart, "attendance"))
    assert (later.status_code, later.json()["facts"]["reason"]) == (409, "revoked")
    made_before = (await chart.nurse.get(f"{chart.path}/disclosures")).json()["items"]
    assert len(made_before) == (told.status_code == 201)


async def test_what_is_spoken_says_how_the_notice_went_and_is_refused_without(chart: Chart) -> None:
    await given(chart, "attendance")
    refused = await chart.nurse.post(f"{chart.path}/disclosures", telling(chart, "attendance", manner="spoken"))
    assert [error["field"] for error in refused.json()["errors"]] == ["notice_how"]
    told = await made(chart, telling(chart, "attendance", **SPOKEN))
    assert (told["notice_how"], told["content"]) == ("read_out", {})


async def test_66_an_emergency_is_told_at_once_and_stays_open_until_the_record_is_complete(
    clinic: Clinic, chart: Chart
) -> None:
    path = f"{chart.path}/emergency-releases"
    nothing = await chart.nurse.post(path, {"name": " ", "emergency": ""})
    assert [error["field"] for error in nothing.json()["errors"]] == ["name", "emergency"]
    key, said = fresh(), {"name": "The nurse at the emergency department", "emergency": "Overdose."}
    released = await chart.nurse.post(path, said, key=key)
    told = released.json()
    assert (released.status_code, told["missing"], told["rule"]) == (201, ["facility"], "42 CFR 2.51")
    assert (await chart.nurse.post(path, said, key=key)).json() == told
    officer = await clinic.person((Role.PRIVACY_OFFICER, None))

    async def waiting() -> dict[str, Any] | None:
        found = (await officer.get("/emergency-releases")).json()
        assert (found["open"], found["overdue"]) >= (len(found["items"]), 0)
        return next((each for each in found["items"] if each["id"] == told["id"]), None)

    line = await waiting()
    assert line is not None
    assert (line["missing"], line["overdue"]) == (["facility"], True)
    completion = f"/disclosures/{told['id']}/completion"
    incomplete = await chart.nurse.post(completion, {})
    assert [error["field"] for error in incomplete.json()["errors"]] == ["facility"]
    assert await waiting() is not None
    key = fresh()
    whole = await chart.nurse.post(completion, {"facility": "County Hospital"}, key=key)
    assert (whole.status_code, whole.json()["facility"], whole.json()["missing"]) == (201, "County Hospital", [])
    assert (await chart.nurse.post(completion, {"facility": "County Hospital"}, key=key)).json() == whole.json()
    assert await waiting() is None
    twice = await chart.nurse.post(completion, {"facility": "Another"})
    assert (twice.status_code, twice.json()["type"]) == (409, "urn:caseload:problem:not-open")


async def test_two_people_who_complete_an_emergency_at_once_write_it_once(chart: Chart) -> None:
    said = {"name": "Dr Kim, County ED", "emergency": "Overdose.", "manner": "spoken"}
    released = (await chart.nurse.post(f"{chart.path}/emergency-releases", said)).json()
    assert released["missing"] == ["facility", "disclosed_by", "disclosed_at"]
    filled = {
        "facility": "County Hospital",
        "disclosed_by": str(chart.nurse.staff.id),
        "disclosed_at": datetime.now(UTC).isoformat(),
    }
    path = f"/disclosures/{released['id']}/completion"
    wrong = await chart.nurse.post(path, {**filled, "disclosed_by": str(uuid4())})
    assert [error["field"] for error in wrong.json()["errors"]] == ["disclosed_by"]
    answers = await asyncio.gather(chart.nurse.post(path, filled), chart.nurse.post(path, filled))
    assert sorted(answer.status_code for answer in answers) == [201, 409]


COURT = {
    "instrument": "order_with_subpoena",
    "section": "2.64",
    "court": "District court",
    "docket": "26-1, 1 October 2026",
    "limits": "Presence only, to the court.",
}


async def test_69_a_subpoena_alone_is_refused_with_its_rule_and_a_court_order_with_its_fields_is_not(
    clinic: Clinic, chart: Chart
) -> None:
    order = telling(
        chart, "presence", ground="court_order", purpose=None, recipient={"name": "District court"}, name="The clerk"
    )
    refused = await chart.nurse.post(
        f"{chart.path}/disclosures", {**order, "stated": {**COURT, "instrument": "subpoena"}}
    )
    assert (refused.status_code, refused.json()["facts"]["rule"]) == (409, "42 CFR part 2, subpart E (2.61 to 2.67)")
    assert "A subpoena alone" in refused.json()["detail"]
    document = {"check": {"method": "document", "detail": "The order, under seal"}}
    told = await made(chart, {**order, **document, "stated": COURT})
    assert (told["ground"], told["stated"], told["notice"]) == ("court_order", COURT, None)
    auditor = await clinic.person((Role.AUDITOR, None))
    accesses = (await auditor.get(f"{chart.path}/accesses")).json()["items"]
    assert {"refused", "done"} <= {one["entry"]["outcome"] for one in accesses}


async def test_research_is_refused_and_every_exception_can_be_looked_up(chart: Chart) -> None:
    refused = await chart.nurse.post(f"{chart.path}/disclosures", telling(chart, "presence", ground="research"))
    assert (refused.status_code, "not supported" in refused.json()["detail"]) == (409, True)
    shown = (await chart.nurse.get("/disclosure-exceptions")).json()["items"]
    assert {(each["jurisdiction"], each["ground"]) for each in shown} >= {
        ("US", "court_order"),
        ("UK", "coroner"),
        ("UK", "safeguarding"),
    }
    assert all(each["unsupported"] for each in shown if each["ground"] == "research")


async def test_a_consent_for_the_criminal_justice_system_is_revoked_from_its_own_day_on(chart: Chart) -> None:
    bound = {
        "kind": "criminal_justice",
        "form": "us-criminal-justice-2026-02",
        "recipients": [{"name": "County probation"}],
        "purposes": ["criminal_justice"],
        "revocable_from": "2039-05-01",
    }
    consent = await given(chart, "attendance", **bound)
    assert consent["revocable_at"] == "2039-05-01T04:00:00Z"
    revoked = await chart.nurse.post(f"{chart.path}/consents/{consent['id']}/revocation", {"how": "in_writing"})
    assert (revoked.json()["standing"], revoked.json()["revoked_at"]) == ("in_force", "2039-05-01T04:00:00Z")
    report = telling(chart, "attendance", recipient={"name": "County probation"}, purpose="criminal_justice")
    report["check"] = {"method": "document", "detail": "Badge"}
    assert (await made(chart, report))["purpose"] == "criminal_justice"


async def test_where_it_went_from_there_is_kept_beside_it(chart: Chart) -> None:
    await given(chart, "attendance")
    told = await made(chart, telling(chart, "attendance", **SPOKEN))
    path, key = f"/disclosures/{told['id']}/redisclosures", fresh()
    said = {"to": "Her employer", "learnt_from": "The client"}
    heard = await chart.nurse.post(path, said, key=key)
    assert (heard.status_code, heard.json()["to"]) == (201, "Her employer")
    assert (await chart.nurse.post(path, said, key=key)).json() == heard.json()
    assert (await chart.nurse.get(path)).json()["items"] == [heard.json()]


async def test_the_accountings_are_given_as_json_and_as_a_file_for_the_client(clinic: Clinic, chart: Chart) -> None:
    await given(chart, "attendance")
    told = await made(chart, telling(chart, "attendance", address="1 Elm Street"))
    await chart.nurse.post(f"{chart.path}/emergency-releases", {"name": "A nurse", "emergency": "Overdose."})
    report = telling(chart, "presence", ground="crime_on_premises", purpose=None, recipient={"name": "The police"})
    report |= {"check": {"method": "document", "detail": "Badge"}, "name": "Officer Bell, county police"}
    crime = await made(
        chart, {**report, "stated": {"crime": "A theft.", "where": "At the desk.", "authority": "Police"}}
    )
    officer = await clinic.person((Role.PRIVACY_OFFICER, None))
    accounting = f"{chart.path}/disclosure-accountings"
    part2 = (await officer.get(f"{accounting}/part2")).json()
    assert [(line["id"], line["name"], line["address"]) for line in part2["lines"]] == [
        (told["id"], "Rosa Lindqvist, mother", "1 Elm Street")
    ]
    assert sum(part2["left_out"].values()) == 2
    hipaa = (await officer.get(f"{accounting}/hipaa")).json()
    assert [line["id"] for line in hipaa["lines"]] == [crime["id"]]
    file = await officer.get(f"{accounting}/hipaa", params={"format": "pdf"})
    assert file.headers["content-type"] == "application/pdf"
    assert file.content.startswith(b"%PDF-")
    assert (await chart.nurse.get(f"{accounting}/hipaa")).status_code == 403
    britain = await chart_in(clinic, "UK")
    assert (await officer.get(f"{britain.path}/disclosure-accountings/hipaa")).status_code == 409


async def test_the_privacy_officer_sees_that_it_was_told_and_not_what_the_document_says(
    clinic: Clinic, chart: Chart
) -> None:
    await given(chart, "attendance")
    told = await made(chart, telling(chart, "attendance"))
    officer = await clinic.person((Role.PRIVACY_OFFICER, None))
    seen = (await officer.get(f"/disclosures/{told['id']}")).json()
    assert seen == {**told, "content": None, "disputes": None}
    refused = await officer.post(f"{chart.path}/disclosures", telling(chart, "attendance"))
    assert [error["field"] for error in refused.json()["errors"]] == ["categories"]


async def test_out_of_reach_there_is_no_such_disclosure_and_no_such_client(clinic: Clinic, chart: Chart) -> None:
    """And who is a client elsewhere is refused as somebody who is none."""
    await given(chart, "attendance")
    told = await made(chart, telling(chart, "attendance"))
    stranger = await clinic.person((Role.NURSE, await clinic.programme()))
    for path in (f"/disclosures/{told['id']}", f"/disclosures/{told['id']}/redisclosures"):
        assert (await stranger.get(path)).status_code == 404
    for path, body in (
        ("disclosures", telling(chart, "attendance")),
        ("emergency-releases", {"name": "A nurse", "emergency": "Overdose."}),
        ("disclosure-questions", chart.question("attendance")),
    ):
        theirs = await stranger.post(f"{chart.path}/{path}", body)
        nobodys = await stranger.post(f"/clients/{uuid4()}/{path}", body)
        assert theirs.status_code == nobodys.status_code == 404
        assert {**theirs.json(), "request": None} == {**nobodys.json(), "request": None}
    found = (await stranger.get("/emergency-releases")).json()
    assert (found["items"], found["open"], found["overdue"]) == ([], 0, 0)


@pytest.mark.parametrize("stands", ["elsewhere", "restricted"])
@pytest.mark.parametrize("route", ["disclosures", "emergency-releases", "disclosure-questions"])
async def test_whom_one_does_not_see_is_looked_for_as_somebody_who_is_none(
    clinic: Clinic, chart: Chart, route: str, stands: str
) -> None:
    """The same statements, and the same bytes but for the number of the request."""
    await given(chart, "attendance")
    here = chart.nurse.staff.holdings[0].programme
    where = await clinic.programme() if stands == "elsewhere" else here
    stranger = await clinic.person((Role.SUPERVISOR, where))
    if stands == "restricted":
        officer, named = await clinic.person((Role.PRIVACY_OFFICER, None)), await clinic.person((Role.COUNSELLOR, here))
        said = {"kind": "colleague", "reason": "Works here.", "staff": [str(named.staff.id)]}
        assert (await officer.post(f"{chart.path}/restrictions", said)).status_code == 201
    body = {
        "disclosures": telling(chart, "attendance"),
        "emergency-releases": {"name": "A nurse", "emergency": "Overdose."},
        "disclosure-questions": chart.question("attendance"),
    }[route]
    ran: list[str] = []

    def note(*said: Any) -> None:
        ran.append(str(said[2]))

    async def asked(whose: str) -> tuple[list[str], bytes]:
        ran.clear()
        answer = await stranger.post(f"{whose}/{route}", body)
        assert answer.status_code == 404
        return list(ran), answer.content.replace(answer.headers["request-id"].encode(), b"")

    event.listen(clinic.service.engine.sync_engine, "before_cursor_execute", note)
    try:
        theirs, nobodys = await asked(chart.path), await asked(f"/clients/{uuid4()}")
    finally:
        event.remove(clinic.service.engine.sync_engine, "before_cursor_execute", note)
    assert any("clinic.client" in statement for statement in theirs[0])
    assert theirs == nobodys


async def test_a_last_dose_statement_without_a_check_is_refused_and_an_emergency_may_lack_the_facility(
    chart: Chart,
) -> None:
    path = f"{chart.path}/last-dose-statements"
    said = {"recipient": {"name": "Riverside OTP"}, "name": "Kim Lee", "facility": "Riverside", "purpose": "treatment"}
    refused = await chart.nurse.post(path, said)
    assert (refused.status_code, refused.json()["facts"]["reason"]) == (409, "asker_not_checked")
    to_mother = {**said, "recipient": {"person_id": chart.mother}, "emergency": "Overdose."}
    assert [error["field"] for error in (await chart.nurse.post(path, to_mother)).json()["errors"]] == ["recipient"]
    no_one = {**said, "recipient": {}, "facility": None}
    fields = [error["field"] for error in (await chart.nurse.post(path, no_one)).json()["errors"]]
    assert fields == ["facility", "recipient"]


async def test_whoever_receives_it_by_name_is_stopped_by_a_warning_whatever_class_the_consent_names(
    chart: Chart,
) -> None:
    harmful = (
        await chart.nurse.post(f"{chart.path}/related-people", {"name": "Sam Berg", "relationship": "partner"})
    ).json()
    warned = {"kind": "domestic_risk", "note": "Threatened them."}
    path = f"{chart.path}/related-people/{harmful['id']}/warnings"
    assert (await chart.nurse.post(path, warned)).status_code == 201
    tpo = {
        "kind": "treatment_payment_operations",
        "form": "us-tpo-2026-02",
        "recipients": [{"group": "health_plans"}],
        "purposes": ["payment"],
        "expiry": {"never": True},
    }
    await given(chart, "attendance", **tpo)
    body = telling(chart, "attendance", recipient={"group": "health_plans"}, purpose="payment")

    to_them = await chart.nurse.post(
        f"{chart.path}/disclosures", {**body, "check": DOCUMENT, "name": "Berg, Sam: claims clerk"}
    )
    to_another = await chart.nurse.post(
        f"{chart.path}/disclosures", {**body, "check": DOCUMENT, "name": "Sam Okafor, clerk"}
    )

    assert (to_them.status_code, to_them.json()["facts"]["reason"]) == (409, "safety_warning")
    assert to_another.status_code == 201, to_another.text


async def warned_of(chart: Chart, name: str) -> str:
    """Somebody on the client's list of whom there is a safety warning."""
    body = {"name": name, "relationship": "partner"}
    person = (await chart.nurse.post(f"{chart.path}/related-people", body)).json()
    warned = {"kind": "domestic_risk", "note": "Threatened them."}
    path = f"{chart.path}/related-people/{person['id']}"
    assert (await chart.nurse.post(f"{path}/warnings", warned)).status_code == 201
    return path


async def test_a_last_dose_statement_is_not_handed_to_whoever_is_warned_of(chart: Chart) -> None:
    await warned_of(chart, "Sam Berg")
    provider = {"name": "Riverside OTP"}
    await given(chart, "medication", recipients=[provider], purposes=["treatment"])
    said = {"recipient": provider, "facility": "Riverside", "purpose": "treatment", "check": DOCUMENT}
    path = f"{chart.path}/last-dose-statements"
    for name in ("Berg, Sam: nurse", "Sam Bergh"):
        refused = await chart.nurse.post(path, {**said, "name": name})
        assert (refused.status_code, refused.json()["facts"]["reason"]) == (409, "safety_warning")
    another = await chart.nurse.post(path, {**said, "name": "Kim Lee, nurse"})
    assert "safety_warning" not in another.text


async def test_nobody_is_told_by_a_slip_of_the_pen_or_under_the_name_they_had_before(chart: Chart) -> None:
    path = await warned_of(chart, "Mary Smith")
    changed = {"person": {"name": "Mary Okafor", "relationship": "partner"}, "reason": "Married."}
    put = await chart.nurse.put(path, changed, headers={"If-Match": '"1"'})
    assert put.status_code == 200, put.text
    for name in ("Marry Smith", "Mary Okaffor"):
        await given(chart, "attendance", recipients=[{"name": name}])
        told = telling(chart, "attendance", recipient={"name": name}, name=name, check={"method": "in_person"})
        refused = await chart.nurse.post(f"{chart.path}/disclosures", told)
        assert (refused.status_code, refused.json()["facts"]["reason"]) == (409, "safety_warning")
        assert "put them on the client's list" in refused.json()["detail"]
