"""One person registered twice, as a nurse would meet them: a dose under one registration at 9:00, the other one at 9:05."""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute
from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import DBAPIError

from caseload.api.closed import GOES_ON
from caseload.db.failures import Failure, failure_of
from caseload.db.tables.caseload import episode
from caseload.domain.access import Role
from caseload.domain.ids import ClientId, new_id
from tests.api.conftest import Clinic, Person
from tests.api.days import pass_days
from tests.api.dispensary import PASSWORD, Dispensary, dispensary, fresh, give_password, register
from tests.api.homes import begun
from tests.api.test_dosing_injections import SUBLOCADE
from tests.api.test_guest import rules
from tests.api.test_window import line_of, queue_of, where

pytestmark = pytest.mark.anyio


@dataclass
class Twice:
    """A dispensary at which one person is registered twice: `here.client`, and `double`."""

    here: Dispensary
    double: ClientId
    supervisor: Person
    director: Person

    async def propose(
        self,
        *,
        duplicate: ClientId | None = None,
        survivor: ClientId | None = None,
        by: Person | None = None,
        **said: Any,
    ) -> httpx.Response:
        body = {"survivor_id": str(survivor or self.here.client), "reason": "Same photograph."}
        return await (by or self.supervisor).post(f"/clients/{duplicate or self.double}/merges", body, **said)

    async def proposed(self) -> dict[str, Any]:
        made = await self.propose()
        assert made.status_code == 201, made.text
        return made.json()

    async def answer(
        self, merge: dict[str, Any], what: str, *, by: Person | None = None, **said: Any
    ) -> httpx.Response:
        return await (by or self.director).post(
            f"/client-merges/{merge['id']}/{what}", {"reason": "Seen with both cards."}, **said
        )

    async def merged(self) -> dict[str, Any]:
        confirmed = await self.answer(await self.proposed(), "confirmation")
        assert confirmed.status_code == 201, confirmed.text
        return confirmed.json()

    async def clear(self, client: ClientId) -> None:
        """A prescriber clears every hold of a registration."""
        chart = (await self.here.nurse.get(f"/clients/{client}/medication")).json()
        for hold in chart["holds"]:
            if hold["cleared_at"] is None:
                body = {"reason": "Looked at both.", "password": PASSWORD}
                cleared = await self.here.prescriber.post(f"/holds/{hold['id']}/clearance", body)
                assert cleared.status_code == 201, cleared.text

    async def stop(self, order: dict[str, Any]) -> None:
        stopped = await self.here.prescriber.post(
            f"/orders/{order['id']}/stop", {"reason": "Ordered under the other one.", "password": PASSWORD}
        )
        assert stopped.status_code in {200, 201}, stopped.text

    async def due(self, client: ClientId) -> dict[str, Any]:
        """What is due by the chart, which the queue says too."""
        chart = (await self.here.nurse.get(f"/clients/{client}/medication")).json()
        assert line_of(await queue_of(self.here), client)["due"] == chart["due"]
        return chart["due"]


@pytest.fixture
async def twice(clinic: Clinic) -> Twice:
    return await registered_twice(clinic)


async def registered_twice(clinic: Clinic, **where: str) -> Twice:
    here = await dispensary(clinic, **where)
    supervisor = await clinic.person((Role.SUPERVISOR, here.programme))
    director = await clinic.person((Role.MEDICAL_DIRECTOR, here.programme))
    await give_password(clinic, director)
    return Twice(here, await here.another_client(), supervisor, director)


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("urn:caseload:problem:")


async def test_a_dose_under_one_stands_in_the_way_of_the_other_from_the_proposal_on(twice: Twice) -> None:
    here = twice.here
    order, other = await here.order(), await here.order(client=twice.double)
    assert (await here.give(order)).status_code == 201
    assert (await twice.propose(by=here.nurse)).status_code == 201, "whoever stands at the window can say so"

    assert rules(await here.give(other)) == ["client_held", "other_registration"]
    assert where(await queue_of(here), twice.double) == "held"
    due = await twice.due(twice.double)
    assert [each["rule"] for each in due["in_the_way"]] == ["client_held", "other_registration"]

    await twice.clear(twice.double)
    refused = await here.give(other)
    assert rules(refused) == ["other_registration"], "a prescriber's clearance lets nobody be dosed twice"
    assert str(here.client) not in refused.text
    await twice.clear(here.client)
    assert rules(await here.give(order)) == ["already_given"]


async def test_of_two_windows_at_once_one_gives_while_the_two_may_be_one_person(twice: Twice) -> None:
    here = twice.here
    order, other = await here.order(), await here.order(client=twice.double)
    await twice.proposed()
    assert rules(await here.give(order)) == rules(await here.give(other)) == ["client_held"]
    await twice.clear(twice.double)
    await twice.clear(here.client)
    answers = await asyncio.gather(here.give(order), here.give(other, by=here.colleague))
    assert sorted(answer.status_code for answer in answers) == [201, 409], [answer.text for answer in answers]


async def test_what_the_other_took_hides_no_missed_day_before_it_is_confirmed_and_counts_from_then_on(
    twice: Twice,
) -> None:
    here = twice.here
    order = await here.order()
    assert (await here.give(order)).status_code == 201
    await pass_days(here, 2)
    other = await here.order(client=twice.double)
    assert (await here.give(other)).status_code == 201
    await pass_days(here, 1, client=twice.double)
    merge = await twice.proposed()
    await twice.clear(here.client)
    before = await twice.due(here.client)
    assert before["missed"] == 1
    assert "other_registration" not in [each["rule"] for each in before["in_the_way"]]

    await twice.stop(other)
    assert (await twice.answer(merge, "confirmation")).status_code == 201
    after = await twice.due(here.client)
    assert (after["missed"], after["in_the_way"]) == (0, [])
    assert (await here.give(order)).status_code == 201


async def test_a_dose_of_today_under_the_duplicate_is_not_given_again_under_the_survivor(twice: Twice) -> None:
    here = twice.here
    order, other = await here.order(), await here.order(client=twice.double)
    given = await here.give(other)
    assert given.status_code == 201
    merge = await twice.proposed()
    await twice.clear(here.client)
    await twice.stop(other)
    confirmed = await twice.answer(merge, "confirmation")
    assert (confirmed.status_code, confirmed.json()["standing"]) == (201, "merged")
    refused = await here.give(order)
    assert rules(refused) == ["already_given"]
    assert "Another registration of this client says" in refused.text
    due = await twice.due(here.client)
    assert due["parts"][0]["given"] is not None

    # Recorded by mistake, it was never swallowed: putting it right under the duplicate frees the survivor's day.
    corrected = await here.colleague.post(
        f"/doses/{given.json()['id']}/correction",
        {"reason": "Spilled, nothing was swallowed.", "password": PASSWORD},
        headers={"If-Match": given.headers["etag"]},
    )
    assert corrected.status_code in {200, 201}, corrected.text
    assert (await here.give(order)).status_code == 201


async def test_a_depot_under_the_duplicate_counts_for_the_survivors_next_injection(clinic: Clinic) -> None:
    twice = await registered_twice(clinic)
    here = twice.here
    other = await here.order(client=twice.double, **SUBLOCADE)
    assert (await here.give(other)).status_code == 201
    await pass_days(here, 5, client=twice.double)
    merge = await twice.proposed()
    await twice.clear(here.client)
    order = await here.order()
    assert "other_registration" in rules(await here.give(order)), "it acts for weeks"
    await twice.stop(other)
    assert (await twice.answer(merge, "confirmation")).status_code == 201
    assert "another_acts" in rules(await here.give(order))
    await twice.stop(order)
    again = await here.order(**SUBLOCADE)
    assert rules(await here.give(again)) == ["not_scheduled"], "the last injection was five days ago"


async def test_a_merge_is_confirmed_by_another_person_once_nothing_is_open_under_the_duplicate(twice: Twice) -> None:
    here = twice.here
    other = await here.order(client=twice.double)
    key = fresh()
    made = await twice.propose(key=key)
    again = await twice.propose(key=key)
    assert (made.status_code, again.json()) == (201, made.json())
    merge = made.json()
    assert problem(await twice.answer(merge, "confirmation", by=twice.supervisor)) == (403, "merge-needs-another")

    held = await here.nurse.post(f"/clients/{twice.double}/holds", {"reason": "sedation", "note": "Drowsy."})
    refused = await twice.answer(merge, "confirmation")
    assert problem(refused) == (409, "merge-unsettled")
    left = refused.json()["facts"]["open"]
    assert {(each["kind"], each["record"]) for each in left} == {("order", other["id"]), ("hold", held.json()["id"])}
    assert all(each["settle"] for each in left)
    read = (await twice.director.get(f"/client-merges/{merge['id']}")).json()
    assert {each["record_id"] for each in read["still_open"]} == {each["record"] for each in left}
    [waiting] = (await twice.director.get("/client-merges")).json()["items"]
    assert waiting == read["merge"] == merge

    await twice.stop(other)
    await twice.clear(twice.double)
    confirming = fresh()
    first, second = await asyncio.gather(
        twice.answer(merge, "confirmation", key=confirming), twice.answer(merge, "confirmation", key=confirming)
    )
    assert (first.status_code, first.json()) == (201, second.json())
    assert problem(await twice.answer(merge, "rejection")) == (409, "merge-moved")
    assert (await twice.director.get("/client-merges")).json()["items"] == []
    [mine] = (await here.nurse.get(f"/clients/{here.client}/merges")).json()["items"]
    assert (mine["side"], mine["standing"], mine["other_id"]) == ("survivor", "merged", str(twice.double))


async def test_an_episode_is_ended_as_registered_twice_and_somebody_answers_for_the_survivor(twice: Twice) -> None:
    here = twice.here
    counsellor = await here.clinic.person((Role.COUNSELLOR, here.programme))
    admission = {"counsellor_id": str(counsellor.staff.id), "level_of_care": {"edition": "local", "level": "OTP"}}
    admitted = await twice.supervisor.post(f"/clients/{twice.double}/episodes", admission)
    assert admitted.status_code == 201, admitted.text
    merge = await twice.proposed()

    async def left() -> set[str]:
        refused = await twice.answer(merge, "confirmation")
        return {each["kind"] for each in refused.json()["facts"]["open"]}

    assert await left() == {"episode", "survivor_not_in_care"}
    gone = await twice.supervisor.post(f"/clients/{twice.double}/discharge", {"reason": "registered_twice"})
    assert gone.status_code in {200, 201, 204}, gone.text
    assert await left() == {"survivor_not_in_care"}
    assert (await twice.supervisor.post(f"/clients/{here.client}/episodes", admission)).status_code == 201
    assert (await twice.answer(merge, "confirmation")).status_code == 201
    [line] = (await counsellor.get("/caseload")).json()["items"]
    assert line["client_id"] == str(here.client)
    officer = await here.clinic.person((Role.PRIVACY_OFFICER, here.programme))
    kept = await officer.post(f"/clients/{twice.double}/log-erasure", {"ground": "registered_in_error"})
    assert problem(kept) == (409, "must-be-kept")
    assert kept.json()["facts"]["rule"] == "in_care", "the person is in care, under the other registration"


async def test_nothing_new_is_written_under_a_closed_registration(clinic: Clinic, twice: Twice) -> None:
    """Every route that writes about a client of its address."""
    here = twice.here
    await twice.merged()
    everybody = {role: await clinic.person((role, here.programme)) for role in Role if role is not Role.INSPECTOR} | {
        Role.SUPERVISOR: twice.supervisor
    }
    asked = 0
    for route in clinic.application.litestar.routes:
        if not isinstance(route, HTTPRoute) or "{client_id:uuid}" not in route.path:
            continue
        for handler in route.route_handlers:
            if not handler.opt.get("writes") or handler.operation_id in GOES_ON:
                continue
            person = next(each for each in everybody.values() if each.staff.may(handler.opt["act"]))
            path = route.path.replace("{client_id:uuid}", str(twice.double))
            for name in ("id:uuid}", "id:str}"):
                while "{" in path and name in path:
                    path = path[: path.index("{")] + str(new_id()) + path[path.index("}") + 1 :]
            method = next(iter(handler.http_methods))
            answer = await person.http.request(str(method), path, json={})
            said = f"{handler.operation_id}: {answer.text}"
            if person.staff.id == everybody[Role.COUNSELLOR].staff.id and answer.status_code != 409:
                continue
            assert problem(answer) == (409, "registration-closed"), said
            asked += 1
    assert asked > 30
    assert GOES_ON.keys() <= {
        str(handler.operation_id)
        for route in clinic.application.litestar.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        if isinstance(handler, HTTPRouteHandler)
    }

    # The window refuses by the lock of the record itself.
    body = {"order_id": str(new_id()), "medicine": "methadone", "form": "oral_solution", "amount_mg": "60"}
    dosed = await here.nurse.post(f"/clients/{twice.double}/doses", body, key=fresh())
    assert problem(dosed) == (409, "registration-closed")
    told = await here.nurse.post(f"/clients/{twice.double}/care-tasks", {})
    assert told.json()["facts"]["survivor_id"] == str(here.client)
    assert (await here.nurse.get(f"/clients/{twice.double}")).status_code == 200, "it stays readable"


async def test_an_undone_merge_opens_the_duplicate_and_holds_both(twice: Twice) -> None:
    here = twice.here
    order = await here.order()
    merge = await twice.merged()
    await twice.clear(here.client)
    assert (await here.give(order)).status_code == 201
    undone = await twice.answer(merge, "undoing")
    assert (undone.status_code, undone.json()["standing"]) == (201, "apart")
    assert problem(await twice.answer(merge, "undoing")) == (409, "merge-moved")
    other = await here.order(client=twice.double)
    assert rules(await here.give(other)) == ["client_held"]
    assert rules(await here.give(order)) == ["already_given", "client_held"]
    await twice.clear(twice.double)
    assert (await here.give(other)).status_code == 201, "two people, each with their own dose"
    assert (await twice.propose()).status_code == 201, "and it can be proposed again"


async def test_rejected_they_are_two_people_and_a_prescriber_clears_each_hold(twice: Twice) -> None:
    here = twice.here
    order, other = await here.order(), await here.order(client=twice.double)
    assert (await here.give(order)).status_code == 201
    merge = await twice.proposed()
    assert (await twice.answer(merge, "rejection")).json()["standing"] == "apart"
    assert rules(await here.give(other)) == ["client_held"]
    await twice.clear(twice.double)
    assert (await here.give(other)).status_code == 201


async def test_whoever_proposed_a_merge_withdraws_it_and_nobody_else_does(twice: Twice) -> None:
    here = twice.here
    order = await here.order()
    merge = (await twice.propose(by=here.nurse)).json()
    assert problem(await twice.answer(merge, "withdrawal", by=twice.director)) == (403, "merge-of-another")
    assert problem(await twice.answer(merge, "rejection", by=here.nurse)) == (403, "not-permitted")
    key = str(uuid4())
    withdrawn = await twice.answer(merge, "withdrawal", by=here.nurse, key=key)
    assert withdrawn.status_code == 201, withdrawn.text
    said = withdrawn.json()
    assert (said["standing"], said["outcome"], said["answered_by"]) == ("apart", "withdrawn", str(here.nurse.staff.id))
    assert (await twice.answer(merge, "withdrawal", by=here.nurse, key=key)).json() == said, "a retry says the same"
    assert problem(await twice.answer(merge, "withdrawal", by=here.nurse)) == (409, "merge-moved")
    assert problem(await twice.answer(merge, "confirmation")) == (409, "merge-moved")
    assert (await twice.director.get("/client-merges")).json()["items"] == [], "it waits for nobody"
    assert rules(await here.give(order)) == ["client_held"], "a prescriber has still to look"
    await twice.clear(here.client)
    assert (await here.give(order)).status_code == 201
    assert (await twice.propose()).status_code == 201, "and it can be proposed again"


async def test_of_a_withdrawal_and_a_confirmation_at_once_one_takes_place(twice: Twice) -> None:
    merge = await twice.proposed()
    answers = await asyncio.gather(
        twice.answer(merge, "withdrawal", by=twice.supervisor), twice.answer(merge, "confirmation")
    )
    assert sorted(each.status_code for each in answers) == [201, 409]
    [kept] = [each.json()["outcome"] for each in answers if each.status_code == 201]
    found = await twice.director.get(f"/client-merges/{merge['id']}")
    assert found.json()["merge"]["outcome"] == kept


async def test_registrations_of_one_person_hang_on_one_survivor(twice: Twice) -> None:
    here = twice.here
    third = await here.another_client(family_name="Third")
    first, second = await asyncio.gather(
        twice.propose(), twice.propose(duplicate=here.client, survivor=twice.double, by=twice.director)
    )
    assert sorted([first.status_code, second.status_code]) == [201, 409], "never each into the other"
    made = (first if first.status_code == 201 else second).json()
    if made["survivor_id"] != str(here.client):
        assert (await twice.answer(made, "rejection")).status_code == 201
        made = await twice.proposed()
    assert problem(await twice.propose(duplicate=third, survivor=twice.double)) == (409, "merge-overlaps")
    assert problem(await twice.propose(duplicate=here.client, survivor=third)) == (409, "merge-overlaps")
    assert problem(await twice.propose(survivor=third)) == (409, "merge-overlaps")
    assert (await twice.propose(duplicate=third)).status_code == 201, "a third one merges into the same survivor"
    assert (await twice.answer(made, "confirmation")).status_code == 201
    into_closed = await twice.propose(duplicate=await here.another_client(family_name="Fourth"), survivor=twice.double)
    assert (into_closed.status_code, into_closed.json()["errors"][0]["field"]) == (422, "survivor_id")
    assert problem(await twice.propose(survivor=third)) == (409, "registration-closed")
    assert (await twice.propose(duplicate=here.client)).status_code == 422, "not into itself"


async def test_nobody_learns_of_a_registration_that_they_do_not_see(clinic: Clinic, twice: Twice) -> None:
    here = twice.here
    elsewhere = await dispensary(clinic)
    far = await register(clinic, elsewhere.programme, elsewhere.nurse, family_name="Far")
    assert problem(await twice.propose(survivor=far)) == (404, "client-unknown")
    both = await clinic.person((Role.SUPERVISOR, here.programme), (Role.SUPERVISOR, elsewhere.programme))
    merge = (await twice.propose(survivor=far, by=both)).json()
    assert problem(await twice.answer(merge, "confirmation")) == (404, "merge-unknown")
    second = await clinic.person((Role.SUPERVISOR, here.programme), (Role.MEDICAL_DIRECTOR, elsewhere.programme))
    assert (await twice.answer(merge, "confirmation", by=second)).status_code == 201
    [seen] = (await here.nurse.get(f"/clients/{twice.double}/merges")).json()["items"]
    assert (seen["standing"], seen["other_id"]) == ("merged", None)
    [seen] = (await both.get(f"/clients/{twice.double}/merges")).json()["items"]
    assert seen["other_id"] == str(far)
    told = await here.nurse.post(f"/clients/{twice.double}/care-tasks", {})
    assert problem(told) == (409, "registration-closed")
    assert str(far) not in told.text
    hidden = await elsewhere.nurse.post(f"/clients/{twice.double}/care-tasks", {})
    assert hidden.status_code in {404, 422}, "that somebody is closed is told to nobody who does not see them"


async def test_both_registrations_say_who_merged_them(clinic: Clinic, twice: Twice) -> None:
    merge = await twice.merged()
    assert (await twice.answer(merge, "undoing")).status_code == 201
    officer = await clinic.person((Role.PRIVACY_OFFICER, None))
    for client in (twice.here.client, twice.double):
        found = await officer.get(f"/clients/{client}/accesses")
        assert found.status_code == 200, found.text
        events = [each["entry"]["event"] for each in found.json()["items"]]
        assert {"merge.proposed", "merge.answered", "merge.undone"} <= set(events)


async def test_what_one_has_at_home_stands_in_the_way_of_the_other_and_is_settled_before_a_merge(
    clinic: Clinic,
) -> None:
    home, order = await begun(clinic, day_of_treatment=60)
    here = home.here
    assert (await here.give(order)).status_code == 201
    await home.may_take(6)
    units = await home.handed(1, 2)
    await home.days_pass(1)
    director = await clinic.person((Role.MEDICAL_DIRECTOR, here.programme))
    twice = Twice(here, await here.another_client(), await clinic.person((Role.SUPERVISOR, here.programme)), director)
    other = await here.order(client=twice.double)
    proposed = await twice.propose(duplicate=here.client, survivor=twice.double)
    assert proposed.status_code == 201, proposed.text
    await twice.clear(twice.double)
    assert rules(await here.give(other)) == ["other_registration"], "a unit at home covers the day"
    assert {"client_held", "other_registration"} <= set(rules(await home.hand_out(3)))

    await twice.stop(order)
    refused = await twice.answer(proposed.json(), "confirmation")
    assert [each["kind"] for each in refused.json()["facts"]["open"]] == ["take_home", "take_home"]
    assert (await home.report(units[0])).status_code == 201
    assert (await home.report(units[1], state="full", taken=False)).status_code == 201
    confirmed = await twice.answer(proposed.json(), "confirmation")
    assert confirmed.status_code == 201, confirmed.text
    assert rules(await here.give(other)) == ["already_given"], "what was taken at home today counts"


async def test_a_lost_dose_is_not_replaced_under_a_closed_registration(twice: Twice) -> None:
    here = twice.here
    other = await here.order(client=twice.double)
    given = (await here.give(other)).json()
    merge = await twice.proposed()
    await twice.stop(other)
    assert (await twice.answer(merge, "confirmation")).status_code == 201
    replaced = await here.nurse.post(f"/doses/{given['id']}/replacement", {"amount_mg": "60"}, key=fresh())
    assert problem(replaced) == (409, "registration-closed"), replaced.text


async def test_the_person_is_shown_once_and_each_registration_names_the_other(clinic: Clinic, twice: Twice) -> None:
    here = twice.here
    merge = await twice.merged()
    read = (await here.nurse.get(f"/clients/{twice.double}")).json()
    assert (read["closed"], read["survivor_id"]) == (True, str(here.client))
    found = (await here.nurse.post("/clients/search", {"birth_date": read["birth_date"]})).json()["items"]
    assert {each["id"]: each["survivor_id"] for each in found} == {
        str(here.client): None,
        str(twice.double): str(here.client),
    }
    for client, other, side in ((here.client, twice.double, "survivor"), (twice.double, here.client, "duplicate")):
        [named] = (await here.nurse.get(f"/clients/{client}/summary")).json()["merges"]
        assert (named["merge_id"], named["side"], named["standing"]) == (merge["id"], side, "merged")
        assert named["other_id"] == str(other)
    officer = await clinic.person((Role.PRIVACY_OFFICER, here.programme))
    for client, other in ((here.client, twice.double), (twice.double, here.client)):
        reports = await officer.get(f"/clients/{client}/access-reports")
        assert reports.json()["merged_with"] == [str(other)], "who saw my record is asked of both"
    assert (await here.nurse.get(f"/clients/{twice.double}/contact")).status_code == 200, (
        "of one alone: the log says so"
    )
    correction = {
        "identity": {"given_name": "Alexis", "family_name": read["family_name"], "birth_date": read["birth_date"]},
        "reason": "As it stands on the passport.",
    }
    corrected = await twice.supervisor.put(
        f"/clients/{twice.double}/identity", correction, headers={"If-Match": f'"{read["version"]}"'}
    )
    shown = corrected.json()
    assert (shown["given_name"], shown["closed"], shown["survivor_id"]) == ("Alexis", True, str(here.client))
    await twice.answer(merge, "undoing")
    assert (await here.nurse.get(f"/clients/{twice.double}")).json()["closed"] is False
    [named] = (await here.nurse.get(f"/clients/{here.client}/summary")).json()["merges"]
    assert named["standing"] == "apart"
    assert (await officer.get(f"/clients/{here.client}/access-reports")).json()["merged_with"] == []


async def test_what_the_survivor_would_lack_is_settled_first(clinic: Clinic, twice: Twice) -> None:
    here = twice.here
    officer = await clinic.person((Role.PRIVACY_OFFICER, here.programme))
    merge = await twice.proposed()
    allergy = {"kind": "allergy", "what": "Naloxone: rash", "since": "2026-01-01"}
    assert (await here.nurse.post(f"/clients/{twice.double}/flags", allergy)).status_code == 201
    died = await twice.supervisor.post(f"/clients/{twice.double}/deaths", {"source": "A relative."})
    assert died.status_code == 201, died.text
    restricted = {"kind": "colleague", "reason": "Works here.", "staff": [str(twice.director.staff.id)]}
    made = await officer.post(f"/clients/{twice.double}/restrictions", restricted)
    assert made.status_code == 201, made.text

    async def left() -> set[str]:
        refused = await twice.answer(merge, "confirmation")
        assert problem(refused) == (409, "merge-unsettled")
        return {each["kind"] for each in refused.json()["facts"]["open"]}

    assert await left() == {"flag", "restriction", "death"}
    flagged = await here.nurse.post(f"/clients/{here.client}/flags", {**allergy, "what": "naloxone: RASH"})
    assert flagged.status_code == 201
    assert await left() == {"restriction", "death"}


async def test_what_was_agreed_with_the_client_is_agreed_for_the_survivor_first(clinic: Clinic, twice: Twice) -> None:
    officer = await clinic.person((Role.PRIVACY_OFFICER, twice.here.programme))
    merge = await twice.proposed()

    async def granted(client: ClientId, kind: str, **to: Any) -> None:
        asked = {
            "kind": kind,
            "says": "Nobody at home may know.",
            "received_at": clinic.service.clock().isoformat(),
            "check": {"method": "in_person"},
        }
        made = await officer.post(f"/clients/{client}/rights-requests", asked)
        assert made.status_code == 201, made.text
        answer = {"outcome": "granted", "says": "Told at the desk.", **to}
        answered = await officer.post(f"/rights-requests/{made.json()['id']}/answer", answer)
        assert answered.status_code == 201, answered.text

    async def left() -> set[str]:
        refused = await twice.answer(merge, "confirmation")
        assert problem(refused) == (409, "merge-unsettled")
        return {each["kind"] for each in refused.json()["facts"]["open"]}

    box = {"allowed": ["post"], "address": "PO Box 9"}
    await granted(twice.double, "confidential_contact", contact=box)
    await granted(twice.double, "restriction", restricts={"categories": ["attendance", "presence"]})
    assert await left() == {"agreed_contact", "agreed_restriction"}
    await granted(twice.here.client, "confidential_contact", contact=box)
    await granted(twice.here.client, "restriction", restricts={"categories": ["attendance"]})
    assert await left() == {"agreed_restriction"}, "of presence it could still be told"
    await granted(twice.here.client, "restriction", restricts={"categories": ["attendance", "plan", "presence"]})
    assert (await twice.answer(merge, "confirmation")).status_code == 201


async def test_of_a_confirmation_and_an_admission_at_once_one_takes_place(clinic: Clinic, twice: Twice) -> None:
    counsellor = await clinic.person((Role.COUNSELLOR, twice.here.programme))
    admission = {"counsellor_id": str(counsellor.staff.id), "level_of_care": {"edition": "local", "level": "OTP"}}
    merge = await twice.proposed()
    confirmed, admitted = await asyncio.gather(
        twice.answer(merge, "confirmation"),
        twice.supervisor.post(f"/clients/{twice.double}/episodes", admission),
    )
    assert sorted([confirmed.status_code == 201, admitted.status_code == 201]) == [False, True], admitted.text


async def test_the_database_refuses_what_begins_under_a_closed_registration(clinic: Clinic, twice: Twice) -> None:
    await twice.merged()
    async with clinic.service.engine.connect() as connection:
        with pytest.raises(DBAPIError) as refused:
            await connection.execute(
                insert(episode).values(
                    id=new_id(),
                    client_id=twice.double,
                    programme_id=twice.here.programme,
                    admitted_on=twice.here.today,
                    period=Range(clinic.service.clock(), None, bounds="[)"),
                    recorded_by=twice.supervisor.staff.id,
                    recorded_at=clinic.service.clock(),
                )
            )
    assert failure_of(refused.value) is Failure.BUSY, "whoever tries again is told why"


async def test_whoever_was_never_admitted_waits_once(twice: Twice) -> None:
    here = twice.here
    path = f"/caseload/waiting-list?programme={here.programme}"

    async def who() -> set[str]:
        return {each["client_id"] for each in (await twice.supervisor.get(path)).json()["items"]}

    assert await who() == {str(here.client), str(twice.double)}
    merge = await twice.merged()
    assert await who() == {str(here.client)}
    await twice.answer(merge, "undoing")
    assert await who() == {str(here.client), str(twice.double)}
