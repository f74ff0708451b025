"""Flags over HTTP: raised and ended by clinicians, shown on the chart and at the window, and never in the way."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from caseload.db.flag import LAST_QTC, OF_CLIENTS
from caseload.db.tables.flag import flag as flags_table
from caseload.domain.access import Role
from caseload.domain.ids import new_id
from tests.api.conftest import Clinic
from tests.api.dispensary import Dispensary, dispensary, fresh
from tests.factories.explain import plan_of, walks

pytestmark = pytest.mark.anyio


async def raised(here: Dispensary, **said: Any) -> dict[str, Any]:
    answer = await here.nurse.post(
        f"/clients/{here.client}/flags", {"kind": "sedative", "what": "Diazepam 10 mg", **said}, key=fresh()
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


async def shown(here: Dispensary) -> list[str]:
    """What the chart shows, which must be what the window shows."""
    on_chart = [each["kind"] for each in (await here.chart())["flags"]]
    answer = await here.nurse.get(f"/programmes/{here.programme}/dispensing")
    (line,) = [each for each in answer.json()["items"] if each["client_id"] == str(here.client)]
    assert [each["kind"] for each in line["flags"]] == on_chart
    queue = (await here.nurse.get(f"/programmes/{here.programme}/queue")).json()
    groups = ("to_attend", "held", "attended", "not_expected")
    (line,) = [each for group in groups for each in queue[group] if each["client_id"] == str(here.client)]
    assert [each["kind"] for each in line["see_first"]] == on_chart
    return on_chart


async def test_a_flag_is_shown_on_the_chart_and_at_the_window_and_refuses_nothing(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await here.order()
    assert await shown(here) == []
    for kind in ("allergy", "pregnancy", "sedative", "qt_prolonging", "cyp3a4_inducer", "cyp3a4_inhibitor"):
        await raised(here, kind=kind, what="As it is.")
    assert set(await shown(here)) == {
        "allergy", "pregnancy", "sedative", "qt_prolonging", "cyp3a4_inducer", "cyp3a4_inhibitor",
    }  # fmt: skip
    assert all(each["says"] for each in (await here.chart())["flags"])
    assert (await here.give(order)).status_code == 201, "a flag is no block"


async def test_a_flag_ends_with_who_when_and_why_and_stays_readable(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    await here.order()
    flag, key = await raised(here, since=str(here.today - timedelta(days=3))), fresh()
    path = f"/clients/{here.client}/flags/{flag['id']}/end"
    ended = await here.colleague.post(path, {"reason": "Stopped it."}, key=key)
    assert ended.status_code == 201, ended.text
    assert (ended.json()["ended_on"], ended.json()["ended_by"]) == (str(here.today), str(here.colleague.staff.id))
    assert (await here.colleague.post(path, {"reason": "Stopped it."}, key=key)).json() == ended.json()
    again = await here.nurse.post(path, {"reason": "Again."})
    assert (again.status_code, again.json()["type"]) == (409, "urn:caseload:problem:flag-already-ended")
    assert await shown(here) == []
    (line,) = (await here.nurse.get(f"/clients/{here.client}/flags")).json()["items"]
    assert (line["what"], line["end_reason"], line["recorded_by"]) == (
        "Diazepam 10 mg",
        "Stopped it.",
        str(here.nurse.staff.id),
    )


async def test_of_two_who_end_a_flag_at_once_one_does(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    flag = await raised(here)
    path = f"/clients/{here.client}/flags/{flag['id']}/end"
    answers = await asyncio.gather(*(by.post(path, {"reason": "Over."}) for by in (here.nurse, here.colleague)))
    assert sorted(each.status_code for each in answers) == [201, 409]


async def test_a_retry_raises_no_second_flag(clinic: Clinic) -> None:
    here, key = await dispensary(clinic), fresh()
    said = {"kind": "allergy", "what": "Penicillin: rash"}
    first, again = [await here.nurse.post(f"/clients/{here.client}/flags", said, key=key) for _ in range(2)]
    assert first.json() == again.json()
    assert len((await here.nurse.get(f"/clients/{here.client}/flags")).json()["items"]) == 1


async def test_a_flag_of_tomorrow_is_refused_and_one_that_began_earlier_is_kept(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    refused = await here.nurse.post(
        f"/clients/{here.client}/flags",
        {"kind": "allergy", "what": "Latex", "since": str(here.today + timedelta(days=1))},
    )
    assert [each["field"] for each in refused.json()["errors"]] == ["since"]
    assert (await raised(here, since="2020-01-01"))["since"] == "2020-01-01"


@pytest.mark.parametrize(
    ("amounts", "high"), [({"whole": "100"}, []), ({"morning": "60", "evening": "41"}, ["high_dose"])]
)
async def test_a_daily_dose_above_a_hundred_milligrams_is_a_flag_that_nobody_raises(
    clinic: Clinic, amounts: dict[str, str], high: list[str]
) -> None:
    here = await dispensary(clinic)
    await here.order(amounts_mg=amounts)
    found = (await here.chart())["flags"]
    assert high == [each["kind"] for each in found] == await shown(here)
    if high:
        assert (found[0]["what"], found[0]["facts"]["rule"]) == ("101 mg a day", "uk.high_dose of UK-1")
        assert "Krantz" in found[0]["facts"]["source"]


async def test_a_last_qtc_of_500_ms_is_a_flag_that_nobody_raises_until_another_is_lower(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    await here.order()
    path = f"/clients/{here.client}/observations"

    async def seen(qtc: int, **said: Any) -> dict[str, Any]:
        answer = await here.nurse.post(path, {"instrument": "qtc", "answers": {"qtc": qtc}, **said}, key=fresh())
        assert answer.status_code == 201, answer.text
        return answer.json()

    await seen(499)
    assert await shown(here) == []
    high = await seen(500)
    assert await shown(here) == ["high_qtc"]
    (flag,) = (await here.chart())["flags"]
    assert (flag["what"], flag["facts"]["observed_at"][:10]) == ("QTc 500 ms", high["observed_at"][:10])
    await seen(430, observed_at="2020-01-01T09:00:00Z")
    assert await shown(here) == ["high_qtc"], "an older tracing that comes later changes nothing"
    wrong = await here.nurse.put(f"{path}/{high['id']}", {"reason": "Another client's."}, headers={"If-Match": '"1"'})
    assert wrong.status_code == 200, wrong.text
    assert await shown(here) == [], "what was taken back does not count"


async def test_flags_are_raised_by_clinicians_and_unknown_beyond_the_programme(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    flag = await raised(here)
    counsellor = await clinic.person((Role.COUNSELLOR, here.programme))
    path = f"/clients/{here.client}/flags"
    assert (await counsellor.post(path, {"kind": "allergy", "what": "Latex"})).status_code == 403
    stranger = await clinic.person((Role.NURSE, await clinic.programme()))
    assert (await stranger.get(path)).status_code == 404
    assert (await stranger.post(f"{path}/{flag['id']}/end", {"reason": "?"})).status_code == 404
    other = await here.another_client()
    elsewhere = await here.nurse.post(f"/clients/{other}/flags/{flag['id']}/end", {"reason": "?"})
    assert elsewhere.status_code == 404, "it is of another client"


@pytest.mark.parametrize(
    ("wrong", "constraint"),
    [({"kind": "mood"}, "flag_kind_check"), ({"what": " "}, "flag_what_not_blank_check")],
)
async def test_a_wrong_flag_cannot_be_stored(clinic: Clinic, wrong: dict[str, Any], constraint: str) -> None:
    here = await dispensary(clinic)
    row = {
        "id": new_id(),
        "client_id": here.client,
        "programme_id": here.programme,
        "kind": "allergy",
        "what": "Latex",
        "since": here.today,
        "recorded_by": here.nurse.staff.id,
        "recorded_at": clinic.service.clock(),
    }
    with pytest.raises(IntegrityError, match=constraint):
        async with clinic.service.engine.begin() as connection:
            await connection.execute(insert(flags_table).values(**row | wrong))


@pytest.mark.parametrize("table", ["flag", "flag_end"])
async def test_the_service_can_neither_change_nor_delete_a_flag(clinic: Clinic, table: str) -> None:
    for statement in (f"delete from clinic.{table}", f"update clinic.{table} set since = since"):  # noqa: S608  ours
        async with clinic.service.engine.connect() as connection:
            with pytest.raises(ProgrammingError, match="permission denied"):
                await connection.execute(text(statement))


async def test_flags_are_found_by_their_clients(clinic: Clinic) -> None:
    async with clinic.service.engine.connect() as connection:
        await connection.execute(text("set local enable_seqscan = off"))
        for statement in (OF_CLIENTS, LAST_QTC):
            plan = await plan_of(connection, statement, {"clients": [new_id()]})
            assert not walks(plan), "\n".join(plan)
