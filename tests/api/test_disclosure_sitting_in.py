"""Who sat in sessions with a client, in the client's account of disclosures: what the register that counts says, once."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from caseload.domain.access import Role
from tests.api.conftest import Clinic
from tests.api.test_attendance import line
from tests.api.test_attendance_relatives import KNOWN, Family, relative

pytestmark = pytest.mark.anyio


@pytest.fixture
async def family(clinic: Clinic) -> Family:
    programme = await clinic.programme(time_zone="America/New_York", profile="US")
    return Family(clinic, programme, await clinic.person((Role.COUNSELLOR, programme)))


async def account(family: Family, client: str, **query: Any) -> list[dict[str, Any]]:
    read = await family.robin.get(f"/clients/{client}/disclosures", params=query)
    assert read.status_code == 200, read.text
    return read.json()["items"]


async def corrected(family: Family, session: str, version: int, *lines: Any, relatives: list[Any]) -> None:
    body = {"lines": lines, "relatives": relatives, "reason": "It was otherwise"}
    mended = await family.robin.put(f"/sessions/{session}/register", body, headers={"If-Match": f'"{version}"'})
    assert mended.status_code == 200, mended.text


async def test_who_sat_in_a_session_with_a_client_is_a_line_of_the_clients_account(
    clinic: Clinic, family: Family
) -> None:
    ada = await family.client()
    mother = await family.relative(ada)
    consent = await family.consent(ada, mother)
    session = await family.plan(ada, kind="family")
    place = await family.seated(session, ada, mother)
    assert await account(family, ada) == [], "a place is not yet a disclosure"

    came = relative(place, "attended_late", late_minutes=10, check=KNOWN)
    taken = await family.take(session, line(ada), relatives=[came])

    [told] = await account(family, ada)
    started = datetime.fromisoformat(taken.json()["register"]["started_at"])
    assert datetime.fromisoformat(told["disclosed_at"]) == started + timedelta(minutes=10)
    assert (told["recipient"]["person_id"], told["name"]) == (mother, "Rosa Lindqvist")
    assert (told["categories"], told["purpose"]) == (["joint_sessions"], "family_involvement")
    assert (told["consent_id"], told["session_id"], told["ground"]) == (consent, session, "consent")
    assert (told["rule"], told["check"]["method"]) == ("42 CFR 2.31 and 2.33", "in_person")
    officer = await clinic.person((Role.PRIVACY_OFFICER, None))
    accountings = f"/clients/{ada}/disclosure-accountings"
    part2, hipaa = [(await officer.get(f"{accountings}/{kind}")).json() for kind in ("part2", "hipaa")]
    assert [(each["id"], each["session_id"], each["was_allowed"]) for each in part2["lines"]] == [
        (told["id"], session, True)
    ]
    assert (hipaa["lines"], hipaa["left_out"]) == (
        [],
        {"By the client's authorisation (45 CFR 164.528(a)(1)(iv)).": 1},
    )


async def test_a_corrected_register_neither_loses_nor_doubles_a_line_of_the_account(family: Family) -> None:
    ada = await family.client()
    mother = await family.relative(ada)
    await family.consent(ada, mother)
    session = await family.plan(ada, kind="family")
    place = await family.seated(session, ada, mother)
    absent, there = relative(place, "did_not_attend"), relative(place, check=KNOWN)

    await family.take(session, line(ada), relatives=[absent])
    assert await account(family, ada) == []
    await corrected(family, session, 1, line(ada), relatives=[there])
    [first] = await account(family, ada)
    await corrected(family, session, 2, line(ada), relatives=[{**there, "note": "Brought a picture"}])
    [second] = await account(family, ada)
    await corrected(family, session, 3, line(ada), relatives=[relative(place, "recorded_in_error")])

    assert first["session_id"] == second["session_id"] == session
    assert first["id"] < second["id"], "what was recorded last stands first"
    assert await account(family, ada) == []


async def test_what_was_heard_under_a_consent_stays_in_the_account_after_its_revocation(family: Family) -> None:
    ada = await family.client()
    mother = await family.relative(ada)
    consent = await family.consent(ada, mother)
    earlier, later = [await family.plan(ada, kind="family", clashes_agreed=True) for _ in range(2)]
    [first, second] = [await family.seated(each, ada, mother) for each in (earlier, later)]
    await family.take(earlier, line(ada), relatives=[relative(first, check=KNOWN)])
    await family.revoke(ada, consent, hours_ago=24)
    because = "Nobody had read the revocation."
    spite = relative(second, check=KNOWN, in_spite_because=because)

    taken = await family.take(later, line(ada), relatives=[spite])

    assert taken.status_code == 201, taken.text
    by_nothing, by_consent = await account(family, ada)
    assert (by_consent["session_id"], by_consent["consent_id"]) == (earlier, consent)
    assert (by_nothing["session_id"], by_nothing["consent_id"], by_nothing["ground"]) == (later, None, None)
    assert (by_nothing["in_spite_because"], by_nothing["rule"]) == (because, "42 CFR 2.13(a) and (c)")


async def test_what_nothing_allowed_is_in_the_accounting_of_164_528_and_in_that_of_2_25_what_was_consented(
    clinic: Clinic, family: Family
) -> None:
    ada = await family.client()
    mother = await family.relative(ada)
    consent = await family.consent(ada, mother)
    session = await family.plan(ada, kind="family")
    place = await family.seated(session, ada, mother)
    await family.revoke(ada, consent, hours_ago=24)
    spite = relative(place, check=KNOWN, in_spite_because="She was let in by mistake.")
    await family.take(session, line(ada), relatives=[spite])
    officer = await clinic.person((Role.PRIVACY_OFFICER, None))
    accountings = f"/clients/{ada}/disclosure-accountings"

    part2, hipaa = [(await officer.get(f"{accountings}/{kind}")).json() for kind in ("part2", "hipaa")]
    printed = await officer.get(f"{accountings}/hipaa", params={"format": "pdf"})

    assert (part2["lines"], part2["left_out"]) == ([], {"Not made with consent (42 CFR 2.25(a)).": 1})
    assert [(each["session_id"], each["was_allowed"]) for each in hipaa["lines"]] == [(session, False)]
    assert printed.content.startswith(b"%PDF-")


async def test_after_an_education_evening_nobody_finds_another_client_in_their_own_account(
    clinic: Clinic, family: Family
) -> None:
    ada, ben, cleo = [await family.client() for _ in range(3)]
    mother, father = await family.relative(ada), await family.relative(ben, "Olu Okafor", "father")
    aunt = await family.relative(cleo, "Iris Vane", "other_relative")
    consents = [await family.consent(ada, mother), await family.consent(ben, father)]
    evening = await family.plan(ada, ben, kind="education")
    first, second = await family.seated(evening, ada, mother), await family.seated(evening, ben, father)
    herself = await family.seated(evening, cleo, aunt, "in_own_right")

    taken = await family.take(
        evening,
        line(ada),
        line(ben),
        relatives=[relative(first, check=KNOWN), relative(second, check=KNOWN), relative(herself)],
    )

    assert taken.status_code == 201, taken.text
    names = {ada: "Rosa Lindqvist", ben: "Olu Okafor", cleo: "Iris Vane"}
    officer = await clinic.person((Role.PRIVACY_OFFICER, None))
    for client, consent in zip((ada, ben), consents, strict=True):
        [told] = await account(family, client)
        accounting = await officer.get(f"/clients/{client}/disclosure-accountings/part2")
        assert (told["client_id"], told["consent_id"], told["name"]) == (client, consent, names[client])
        assert [each["name"] for each in accounting.json()["lines"]] == [names[client]]
        for text in (str(told), accounting.text):
            assert not any(name in text or other in text for other, name in names.items() if other != client)
    assert await account(family, cleo) == [], "who comes in their own right is told nothing about anybody"


async def test_the_account_is_read_page_by_page_through_both_kinds_of_lines(family: Family) -> None:
    ada = await family.client()
    mother = await family.relative(ada)
    await family.consent(ada, mother, categories=["joint_sessions", "presence"])
    for _ in range(2):
        session = await family.plan(ada, kind="family", clashes_agreed=True)
        place = await family.seated(session, ada, mother)
        await family.take(session, line(ada), relatives=[relative(place, check=KNOWN)])
        body = {
            "recipient": {"person_id": mother},
            "name": "Rosa Lindqvist, mother",
            "categories": ["presence"],
            "manner": "spoken",
            "notice_how": "read_out",
            "purpose": "family_involvement",
            "check": KNOWN,
        }
        made = await family.robin.post(f"/clients/{ada}/disclosures", body)
        assert made.status_code == 201, made.text

    whole = await account(family, ada)
    assert [each["session_id"] is not None for each in whole] == [False, True, False, True]
    page: list[dict[str, Any]] = []
    read: list[str] = []
    while page or not read:
        page = await account(family, ada, limit=1, **({"after": read[-1]} if read else {}))
        read += [each["id"] for each in page]
    assert read == [each["id"] for each in whole]


async def test_the_auditors_view_of_disclosures_has_who_sat_in_by_what(clinic: Clinic, family: Family) -> None:
    ada = await family.client()
    mother = await family.relative(ada)
    await family.consent(ada, mother)
    session = await family.plan(ada, kind="family")
    place = await family.seated(session, ada, mother)
    await family.take(session, line(ada), relatives=[relative(place, check=KNOWN)])
    officer = await clinic.person((Role.PRIVACY_OFFICER, None))

    seen = await officer.get(f"/clients/{ada}/confidentiality", params={"matter": "disclosures"})
    lines = seen.json()["items"]

    assert [(each["event"], each["facts"]["ground"]) for each in lines] == [("disclosure.sat_in", "consent")]
