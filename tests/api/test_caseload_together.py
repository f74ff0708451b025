"""A whole caseload in one call: handed over, all of them or none, and covered while its counsellor is away."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from caseload.domain.access import Role
from tests.api.conftest import Person
from tests.api.test_caseload import LEVEL, on_caseload
from tests.api.test_leaving import House, house
from tests.conftest import Counts
from tests.factories import people

pytestmark = pytest.mark.anyio

__all__ = ["house"]


async def hand_over(house: House, to: Person, *, by: Person | None = None, **said: Any) -> httpx.Response:
    key = said.pop("key", None)
    wish = {"programme_id": str(house.programme), "to": str(to.staff.id), **said}
    return await (by or house.supervisor).post("/caseload/handovers", wish, key=key)


async def away(house: House, *, begins: float = 0, days: float = 7, **said: Any) -> httpx.Response:
    """The first counsellor is away, and the second stands in."""
    key, now = said.pop("key", None), house.clinic.service.clock()
    wish = {
        "programme_id": str(house.programme),
        "counsellor_id": str(house.first.staff.id),
        "covered_by": str(house.second.staff.id),
        "starts_at": (now + timedelta(days=begins)).isoformat(),
        "ends_at": (now + timedelta(days=begins + days)).isoformat(),
        "reason": "Annual leave.",
        **said,
    }
    return await house.supervisor.post("/caseload/absences", wish, key=key)


def faults(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [each["field"] for each in answer.json()["errors"]]


async def admitted(house: House, many: int) -> list[str]:
    return sorted([await house.admitted() for _ in range(many)])


async def caseloads(*people: Person) -> list[list[str]]:
    return [sorted(await on_caseload(each)) for each in people]


async def never_alone(house: House, clients: Sequence[str]) -> None:
    """Somebody, and nobody else, is responsible from the admission on, however the periods lie."""
    async with house.clinic.service.engine.connect() as connection:
        found = await connection.execute(
            text(
                "select client_id::text, count(*) filter (where upper_inf(period)), "
                "range_agg(period) = tstzmultirange(tstzrange(min(lower(period)), null)), "
                "sum(upper(period) - lower(period)) from clinic.responsibility "
                "where client_id = any(cast(:clients as uuid[])) group by client_id"
            ),
            {"clients": list(clients)},
        )
        rows = found.all()
    assert {row[0] for row in rows} == set(clients)
    assert {(row[1], row[2]) for row in rows} == {(1, True)}


async def test_many_clients_are_handed_over_in_one_call(house: House) -> None:
    ada, bea, cat = await admitted(house, 3)

    passed = await hand_over(house, house.second, clients=[bea, ada], note="Group of the evening.")

    assert passed.status_code == 201, passed.text
    assert [each["client_id"] for each in passed.json()["items"]] == [ada, bea]
    assert await caseloads(house.first, house.second) == [[cat], [ada, bea]]
    await never_alone(house, (ada, bea, cat))
    items = (await house.supervisor.get(f"/clients/{ada}/handovers")).json()["items"]
    assert items[0]["id"] == passed.json()["items"][0]["handover_id"]


async def test_a_retried_call_answers_the_first_one_again_also_when_one_was_cancelled(house: House) -> None:
    ada, bea = await admitted(house, 2)
    at = (house.clinic.service.clock() + timedelta(days=3)).isoformat()
    said: dict[str, Any] = {"clients": [ada, bea], "effective_at": at}

    first = await hand_over(house, house.second, key="call-1", **said)
    seen = (await house.supervisor.get(f"/clients/{ada}/handovers")).headers["etag"]
    planned = first.json()["items"][0]["handover_id"]
    cancelled = await house.supervisor.post(
        f"/clients/{ada}/handovers/{planned}/cancellation", headers={"If-Match": seen}
    )
    again = await hand_over(house, house.second, key="call-1", **said)

    assert (first.status_code, cancelled.status_code, again.status_code) == (201, 204, 201), again.text
    assert again.json() == first.json()
    await never_alone(house, (ada, bea))


async def test_a_call_that_is_wrong_for_one_client_changes_nothing_and_says_for_which(house: House) -> None:
    ada, theirs = await house.admitted(), await house.admitted()
    stranger = str(uuid4())
    assert (await house.hand_over(theirs, house.second)).status_code == 201

    refused = await hand_over(house, house.second, clients=[ada, theirs, stranger])

    assert faults(refused) == ["clients.1", "clients.2"]
    assert await caseloads(house.first, house.second) == [[ada], [theirs]]


async def test_what_cannot_be_a_call_is_refused_with_every_fault(house: House) -> None:
    ada, now = await house.admitted(), house.clinic.service.clock()

    nobody = await hand_over(house, house.second)
    both = await hand_over(house, house.second, clients=[ada], of=str(house.first.staff.id))
    twice = await hand_over(house, house.second, clients=[ada, ada])
    far = await hand_over(house, house.second, clients=[ada], effective_at=(now + timedelta(days=367)).isoformat())
    itself = await hand_over(house, house.first, of=str(house.first.staff.id))
    many = await hand_over(house, house.second, clients=[str(uuid4()) for _ in range(501)])
    to_nobody = await hand_over(house, house.supervisor, clients=[ada])
    of_nobody = await hand_over(house, house.first, of=str(house.second.staff.id))

    assert [faults(each) for each in (nobody, both, twice, far, itself, many, to_nobody, of_nobody)] == [
        ["clients"], ["clients"], ["clients"], ["effective_at"], ["to"], ["clients"], ["to"], ["of"],
    ]  # fmt: skip
    assert await caseloads(house.first) == [[ada]]


async def test_who_hands_over_in_one_programme_hands_over_in_no_other(house: House) -> None:
    ada, elsewhere = await house.admitted(), await house.clinic.programme()
    stranger = await house.clinic.person((Role.SUPERVISOR, elsewhere), (Role.COUNSELLOR, elsewhere))

    theirs = {"programme_id": str(elsewhere), "clients": [ada], "to": str(stranger.staff.id)}

    assert (await hand_over(house, house.second, by=stranger, clients=[ada])).status_code == 403
    assert faults(await stranger.post("/caseload/handovers", theirs)) == ["clients.0"]
    assert (await away(house, programme_id=str(elsewhere))).status_code == 403
    assert (await house.supervisor.get(f"/caseload/absences?programme={elsewhere}")).status_code == 403


async def test_a_whole_caseload_goes_with_what_is_planned_to_become_theirs_and_its_counsellor_can_leave(
    house: House,
) -> None:
    third = await house.clinic.person((Role.COUNSELLOR, house.programme))
    ada, bea = await admitted(house, 2)
    to_come = await house.admitted(to=third)
    assert (await house.hand_over(to_come, house.first, days=10)).status_code == 201
    assert (await house.hand_over(ada, third, days=20)).status_code == 201
    assert (await house.close(house.first)).status_code == 409

    passed = await hand_over(house, house.second, of=str(house.first.staff.id))

    assert passed.status_code == 201, passed.text
    assert {each["client_id"] for each in passed.json()["items"]} == {ada, bea, to_come}
    assert await caseloads(house.first, house.second, third) == [[], [ada, bea], [to_come]]
    await never_alone(house, (ada, bea, to_come))
    periods = (await house.supervisor.get(f"/clients/{ada}/handovers")).json()["items"]
    assert [each["counsellor_id"] for each in periods] == [
        str(each.staff.id) for each in (third, house.second, house.first)
    ], "what was planned for another still takes place"
    assert (await house.close(house.first)).status_code == 204


async def test_a_call_for_the_very_moment_of_a_planned_handover_is_refused(house: House) -> None:
    client, at = await house.admitted(), (house.clinic.service.clock() + timedelta(days=7)).isoformat()
    third = await house.clinic.person((Role.COUNSELLOR, house.programme))
    planned = await house.supervisor.post(
        f"/clients/{client}/handovers", {"to": str(house.second.staff.id), "effective_at": at}
    )

    refused = await hand_over(house, third, clients=[client], effective_at=at)

    assert (planned.status_code, refused.status_code) == (201, 409), refused.text


async def test_two_supervisors_who_hand_over_the_same_clients_at_once_leave_each_with_exactly_one(
    house: House, counts: Counts
) -> None:
    colleague = await house.clinic.person((Role.SUPERVISOR, house.programme))
    third = await house.clinic.person((Role.COUNSELLOR, house.programme))
    for _ in range(counts(3, full=30)):
        clients = await admitted(house, 4)
        one, other = await asyncio.gather(
            hand_over(house, house.second, clients=clients),
            hand_over(house, third, by=colleague, clients=clients[::-1]),
        )
        assert {one.status_code, other.status_code} <= {201, 409}, (one.text, other.text)
        assert 201 in {one.status_code, other.status_code}
        await never_alone(house, clients)
        first, second, last = await caseloads(house.first, house.second, third)
        assert set(clients) & set(first) == set()
        assert {len(set(clients) & set(second)), len(set(clients) & set(last))} == {0, 4}


async def test_whoever_is_given_a_client_while_their_caseload_is_handed_over_still_answers_for_that_client(
    house: House, counts: Counts
) -> None:
    for _ in range(counts(3, full=30)):
        await admitted(house, 2)
        newcomer = await house.admitted(to=house.second)
        whole, single = await asyncio.gather(
            hand_over(house, house.second, of=str(house.first.staff.id)),
            house.hand_over(newcomer, house.first),
        )
        assert single.status_code == 201, single.text
        await never_alone(house, [newcomer])
        if whole.status_code == 409:  # the newcomer joined after its clock was read: nothing of it was done
            assert whole.json()["type"] == "urn:caseload:problem:caseload-moved", whole.text
            assert len((await caseloads(house.first))[0]) == 3
            whole = await hand_over(house, house.second, of=str(house.first.staff.id))
        assert whole.status_code == 201, whole.text
        left = (await caseloads(house.first))[0]
        assert left in ([], [newcomer])
        if left:
            assert (await house.hand_over(newcomer, house.second)).status_code == 201


async def test_an_absence_covers_the_whole_caseload_and_what_joins_it_until_it_ends(house: House) -> None:
    third = await house.clinic.person((Role.COUNSELLOR, house.programme))
    ada, bea = await admitted(house, 2)

    arranged = await away(house, key="leave-1")

    assert arranged.status_code == 201, arranged.text
    assert (await away(house, key="leave-1", ends_at=arranged.json()["ends_at"])).status_code == 422, "another body"
    joined = await house.admitted()
    assert await caseloads(house.first, house.second) == [sorted([ada, bea, joined])] * 2
    assert (await house.hand_over(bea, third)).status_code == 201
    assert await caseloads(house.first, house.second, third) == [sorted([ada, joined])] * 2 + [[bea]]
    listed = (await house.supervisor.get(f"/caseload/absences?programme={house.programme}")).json()
    assert listed == {"items": [arranged.json()], "next": None}

    ended = await house.supervisor.post(f"/caseload/absences/{arranged.json()['id']}/end", key="back-1")

    assert ended.status_code == 204, ended.text
    assert await caseloads(house.first, house.second) == [sorted([ada, joined]), []]
    assert (await house.supervisor.get(f"/caseload/absences?programme={house.programme}")).json()["items"] == []
    again = await house.supervisor.post(f"/caseload/absences/{arranged.json()['id']}/end", key="back-1")
    twice = await house.supervisor.post(f"/caseload/absences/{arranged.json()['id']}/end")
    assert (again.status_code, twice.status_code) == (204, 409)


async def test_a_retried_absence_answers_the_first_one_again(house: House) -> None:
    await house.admitted()
    now = house.clinic.service.clock()
    said: dict[str, Any] = {"starts_at": now.isoformat(), "ends_at": (now + timedelta(days=7)).isoformat()}

    first, again = [await away(house, key="leave-2", **said) for _ in range(2)]

    assert (first.status_code, again.status_code) == (201, 201), again.text
    assert first.json() == again.json()


async def test_an_absence_of_next_week_covers_nobody_yet_follows_what_is_planned_and_may_not_take_place(
    house: House,
) -> None:
    third = await house.clinic.person((Role.COUNSELLOR, house.programme))
    ada, bea = await admitted(house, 2)
    assert (await house.hand_over(bea, third, days=9)).status_code == 201

    arranged = await away(house, begins=7)

    assert arranged.status_code == 201, arranged.text
    assert await caseloads(house.second) == [[]]
    assert await covered_days(house, bea) == [(7, 9)]
    planned = (await house.supervisor.get(f"/clients/{bea}/handovers")).json()["items"][0]["id"]
    seen = (await house.supervisor.get(f"/clients/{bea}/handovers")).headers["etag"]
    cancelled = await house.supervisor.post(
        f"/clients/{bea}/handovers/{planned}/cancellation", headers={"If-Match": seen}
    )
    assert cancelled.status_code == 204, cancelled.text
    assert await covered_days(house, bea) == [(7, 14)], "it follows the handover that does not take place"
    assert (await house.supervisor.post(f"/caseload/absences/{arranged.json()['id']}/end")).status_code == 204
    assert await covered_days(house, bea) == await covered_days(house, ada) == []
    assert (await away(house, begins=7)).status_code == 201, "the time is free again"


async def covered_days(house: House, client: str) -> list[tuple[int, int]]:
    """From how many days on until how many days on a client is covered."""
    async with house.clinic.service.engine.connect() as connection:
        found = await connection.execute(
            text(
                "select round(extract(epoch from lower(period) - now()) / 86400)::int, "
                "round(extract(epoch from upper(period) - now()) / 86400)::int "
                "from clinic.cover where client_id = cast(:client as uuid) and upper(period) > now() "
                "order by lower(period)"
            ),
            {"client": client},
        )
        return [(row[0], row[1]) for row in found]


async def test_one_counsellor_is_away_once_at_a_time(house: House, counts: Counts) -> None:
    await house.admitted()
    third = await house.clinic.person((Role.COUNSELLOR, house.programme))
    assert (await away(house, days=7)).status_code == 201
    assert (await away(house, begins=6, days=3)).status_code == 409
    for place in range(counts(2, full=20)):
        both = await asyncio.gather(
            away(house, begins=20 + 10 * place), away(house, begins=20 + 10 * place, covered_by=str(third.staff.id))
        )
        assert sorted(each.status_code for each in both) == [201, 409], [each.text for each in both]


async def test_what_cannot_be_an_absence_is_refused_with_every_fault(house: House) -> None:
    soon = await house.clinic.person()
    async with house.clinic.service.engine.begin() as connection:
        await people.grant(
            connection,
            to=soon.staff.id,
            role=Role.COUNSELLOR,
            programme=house.programme,
            ends_at=house.clinic.service.clock() + timedelta(days=5),
        )
    same = await away(house, covered_by=str(house.first.staff.id))
    past = await away(house, begins=-1)
    backwards = await away(house, days=-1)
    endless = await away(house, days=367)
    silent = await away(house, reason=" ")
    strangers = await away(house, counsellor_id=str(house.supervisor.staff.id), covered_by=str(uuid4()))
    too_long = await away(house, covered_by=str(soon.staff.id))

    assert [faults(each) for each in (same, past, backwards, endless, silent, too_long)] == [
        ["covered_by"], ["starts_at"], ["ends_at", "ends_at"], ["ends_at"], ["reason"], ["covered_by"],
    ]  # fmt: skip
    assert faults(strangers) == ["counsellor_id", "covered_by", "covered_by"]
    assert (await away(house, covered_by=str(soon.staff.id), days=4.99)).status_code == 201


async def test_an_absence_of_another_programme_is_unknown(house: House) -> None:
    await house.admitted()
    arranged = (await away(house)).json()
    stranger = await house.clinic.person((Role.SUPERVISOR, await house.clinic.programme()))

    assert (await stranger.post(f"/caseload/absences/{arranged['id']}/end")).status_code == 404
    assert (await house.supervisor.post(f"/caseload/absences/{uuid4()}/end")).status_code == 404


async def test_absences_come_in_pages(house: House) -> None:
    made = [(await away(house, begins=begins, days=1)).json()["id"] for begins in (0, 2, 4)]
    path = f"/caseload/absences?programme={house.programme}&limit=2"

    first = (await house.supervisor.get(path)).json()
    second = (await house.supervisor.get(f"{path}&after={first['next']}")).json()

    assert [each["id"] for each in (*first["items"], *second["items"])] == made
    assert second["next"] is None


async def test_a_discharge_ends_the_cover_of_an_absence_and_a_return_is_covered_again(house: House) -> None:
    client = await house.admitted()
    assert (await away(house)).status_code == 201

    gone = await house.supervisor.post(f"/clients/{client}/discharge", {"reason": "completed"})

    assert gone.status_code == 201, gone.text
    assert await caseloads(house.second) == [[]]
    back = await house.supervisor.post(
        f"/clients/{client}/episodes", {"counsellor_id": str(house.first.staff.id), "level_of_care": LEVEL}
    )
    assert back.status_code == 201, back.text
    assert await caseloads(house.second) == [[client]]
