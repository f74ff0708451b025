"""The list of entered sheets: what came of each and whose word is missing, and the printed sheet beside the form."""

from collections.abc import Iterator
from typing import Any, get_args

import msgspec
import pytest

from caseload.api.downtime.wire import PaperLineIn
from caseload.domain.access import Role
from caseload.domain.downtime.printed import BLANKS, ENTERED_ONLY, PRINTED
from tests.api.conftest import Clinic
from tests.api.dispensary import Dispensary, fresh
from tests.api.test_downtime import paper

pytestmark = pytest.mark.anyio


async def listed(here: Dispensary, **asked: Any) -> dict[str, Any]:
    answer = await here.prescriber.get(f"/programmes/{here.programme}/downtime-entries", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_entered_sheets_are_listed_with_what_came_of_each(clinic: Clinic) -> None:
    sheet = await paper(clinic)
    here = sheet.here
    assert (await listed(here))["items"] == []
    order = await sheet.order()
    given = sheet.given(order)
    first = await sheet.enter(sheet.line(1, given=given), sheet.line(2, client=fresh(), given=given))
    second = await sheet.enter(sheet.line(1, given=given), reason="The second page.")
    newest, before = (await listed(here))["items"]
    counts = ("lines", "recorded", "exceptions", "already", "refused", "to_confirm", "disputed")
    assert (newest["id"], newest["reason"]) == (second.json()["id"], "The second page.")
    assert [newest[name] for name in counts] == [1, 0, 0, 1, 0, 0, 0]
    assert (before["id"], before["entered_by"]) == (first.json()["id"], str(here.colleague.staff.id))
    assert [before[name] for name in counts] == [2, 1, 0, 0, 1, 1, 0]

    dose = first.json()["answers"][0]["record_id"]
    said = {"word": "disputed", "reason": "Not mine."}
    disputed = await here.nurse.post(f"/doses/{dose}/giver-word", said, headers={"If-Match": '"1"'})
    assert disputed.status_code == 201, disputed.text
    _, before = (await listed(here))["items"]
    assert (before["to_confirm"], before["disputed"]) == (0, 1)


async def test_the_list_is_of_one_programme_and_one_day_in_pages(clinic: Clinic) -> None:
    sheet = await paper(clinic)
    here = sheet.here
    for number in range(3):
        await sheet.enter(sheet.line(not_given={"reason": "absent"}), reason=f"Page {number}.")
    page = await listed(here, limit=2)
    rest = await listed(here, limit=2, after=page["next"])
    assert [each["reason"] for each in (*page["items"], *rest["items"])] == ["Page 2.", "Page 1.", "Page 0."]
    assert len((await listed(here, day=str(here.today)))["items"]) == 3
    assert (await listed(here, day="2026-01-01"))["items"] == []
    stranger = await clinic.person((Role.NURSE, await clinic.programme()))
    assert (await stranger.get(f"/programmes/{here.programme}/downtime-entries")).status_code == 403


def fields_of(struct: type[msgspec.Struct], before: str = "") -> Iterator[str]:
    """Every field of the form by its path, those of what stands inside it too."""
    for field in msgspec.structs.fields(struct):
        inner = next((each for each in _structs_in(field.type)), None)
        if inner is None:
            yield before + field.name
        else:
            yield from fields_of(inner, f"{before}{field.name}.")


def _structs_in(said: Any) -> Iterator[type[msgspec.Struct]]:
    if isinstance(said, type) and issubclass(said, msgspec.Struct):
        yield said
    for each in get_args(said):
        yield from _structs_in(each)


def test_the_paper_asks_for_all_that_the_form_takes_and_for_nothing_else() -> None:
    written = [field for blank in BLANKS for field in blank.fields]
    told = [*written, *PRINTED, *ENTERED_ONLY]
    assert sorted(told) == sorted(fields_of(PaperLineIn)), "say in domain/downtime/printed.py where it is on the paper"
