"""What in the record explains a look at a chart, and what does not; and reviews as they are kept."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.oversight import Grounds, Reviews
from caseload.db.tables import attendance, caseload, checkin, checkin_plan
from caseload.db.tables import people as people_tables
from caseload.db.tables.oversight import finding_review
from caseload.domain.access import Role
from caseload.domain.ids import ClientId, EntryId, ProgrammeId, ReviewId, StaffId, new_id
from caseload.domain.oversight import (
    Conclusion,
    FindingUnknown,
    Question,
    Review,
    ReviewedAlready,
    Span,
    Trace,
)
from tests.factories import clients, people
from tests.factories.people import LONG_AGO, NOW

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Scene:
    """Somebody who opened the record of a client of another's caseload."""

    connection: AsyncConnection
    programme: ProgrammeId
    client: ClientId
    responsible: StaffId
    who: StaffId

    def look(self, *, who: StaffId | None = None, at: datetime = NOW) -> Trace:
        return Trace(
            actor=who or self.who,
            day=at.date(),
            entries=1,
            first=EntryId(new_id()),
            first_at=at,
            last_at=at,
            client=self.client,
        )

    async def is_linked(self, *, who: StaffId | None = None, at: datetime = NOW) -> bool:
        found = await Grounds(self.connection).linked([self.look(who=who, at=at)], days=7, programme_days=1)
        return 0 in found


@pytest.fixture
async def scene(connection: AsyncConnection) -> Scene:
    programme = await people.programme(connection)
    responsible = (await people.staff(connection, holds=[(Role.COUNSELLOR, programme)])).id
    client = await clients.in_care(connection, programme=programme, counsellor=responsible)
    who = (await people.staff(connection, printed_name="Sam Okafor", holds=[(Role.COUNSELLOR, programme)])).id
    return Scene(connection, programme, client.id, responsible, who)


async def booked(scene: Scene, *, at: datetime, led_by: StaffId) -> None:
    session, by = new_id(), await people.bystander(scene.connection)
    await scene.connection.execute(
        insert(attendance.therapy_session).values(
            id=session,
            programme_id=scene.programme,
            kind="group",
            title="Tuesdays",
            starts_at=at,
            ends_at=at + timedelta(hours=1),
            planned_by=by,
            planned_at=at - 2 * DAY,
        )
    )
    await scene.connection.execute(
        insert(attendance.therapy_session_facilitator).values(session_id=session, staff_id=led_by)
    )
    await scene.connection.execute(
        insert(attendance.therapy_session_booking).values(
            session_id=session, client_id=scene.client, booked_by=by, booked_at=at - DAY
        )
    )


async def covered(scene: Scene, *, since: datetime, until: datetime) -> None:
    await scene.connection.execute(
        insert(caseload.cover).values(
            id=new_id(),
            client_id=scene.client,
            counsellor_id=scene.who,
            period=Range(since, until),
            reason="leave",
            recorded_by=scene.responsible,
            recorded_at=since,
        )
    )


async def test_a_stranger_to_the_client_has_no_reason_and_the_responsible_counsellor_has(scene: Scene) -> None:
    found = await Grounds(scene.connection).linked(
        [scene.look(), scene.look(who=scene.responsible), scene.look()], days=7, programme_days=1
    )
    assert found == {1}
    assert await Grounds(scene.connection).linked([], days=7, programme_days=1) == frozenset()


def on_cover(scene: Scene) -> Awaitable[None]:
    return covered(scene, since=NOW, until=NOW + DAY)


def leading(scene: Scene) -> Awaitable[None]:
    return booked(scene, at=NOW, led_by=scene.who)


def on_duty(scene: Scene) -> Awaitable[None]:
    return people.on_duty(
        scene.connection, who=scene.who, programme=scene.programme, starts_at=NOW, ends_at=NOW + DAY / 2
    )


@pytest.mark.parametrize(
    ("happens", "near", "far"),
    [
        (on_cover, NOW - 6 * DAY, NOW + 9 * DAY),
        (leading, NOW + 6 * DAY, NOW - 8 * DAY),
        (on_duty, NOW - DAY / 2, NOW + 3 * DAY),
    ],
)
async def test_a_counsellor_has_a_reason_near_their_own_work_with_the_client(
    scene: Scene, happens: Callable[[Scene], Awaitable[None]], near: datetime, far: datetime
) -> None:
    assert not await scene.is_linked(at=near)
    await happens(scene)
    assert await scene.is_linked(at=near)
    assert not await scene.is_linked(at=far)


async def test_an_appointment_gives_the_desk_a_reason_and_a_counsellor_none(scene: Scene) -> None:
    desk = (await people.staff(scene.connection, holds=[(Role.FRONT_DESK, scene.programme)])).id
    elsewhere = await people.programme(scene.connection)
    other = (await people.staff(scene.connection, holds=[(Role.FRONT_DESK, elsewhere)])).id
    await booked(scene, at=NOW + DAY / 2, led_by=scene.responsible)
    assert await scene.is_linked(who=desk)
    assert not await scene.is_linked(who=desk, at=NOW - 3 * DAY)
    assert not await scene.is_linked(who=other)
    assert not await scene.is_linked()


async def test_a_check_in_gives_a_nurse_a_reason(scene: Scene) -> None:
    nurse = (await people.staff(scene.connection, holds=[(Role.NURSE, scene.programme)])).id
    assert not await scene.is_linked(who=nurse)
    plan = new_id()
    await scene.connection.execute(
        insert(checkin_plan.check_in_plan).values(id=plan, client_id=scene.client, programme_id=scene.programme)
    )
    await scene.connection.execute(
        insert(checkin_plan.check_in_plan_version).values(
            plan_id=plan, version=1, replaces_from=LONG_AGO, decided_by=scene.responsible, decided_at=LONG_AGO
        )
    )
    await scene.connection.execute(
        insert(checkin.check_in).values(
            id=new_id(),
            plan_id=plan,
            plan_version=1,
            client_id=scene.client,
            programme_id=scene.programme,
            scheduled_on=NOW.date(),
            due_at=NOW,
            grace_ends_at=NOW,
            made_at=LONG_AGO,
        )
    )
    assert await scene.is_linked(who=nurse)
    assert not await scene.is_linked(who=nurse, at=NOW + 2 * DAY)


async def test_who_registered_somebody_has_a_reason_for_a_while(scene: Scene) -> None:
    await scene.connection.execute(
        insert(caseload.client).values(
            id=(new := ClientId(new_id())), programme_id=scene.programme, registered_by=scene.who, recorded_at=NOW
        )
    )
    of_new = replace(scene, client=new)
    assert await of_new.is_linked()
    assert not await of_new.is_linked(at=NOW + 8 * DAY)


@pytest.mark.parametrize(
    ("printed_name", "family_name", "given_name", "alike"),
    [
        ("Sam Okafor", "OKAFOR", "Sam", {0: True}),
        ("Sam Okafor", "Okafor", "Ada", {0: False}),
        ("Okafor", "Okafor", "Ada", {0: False}),
        ("Sam de la Cruz", "de la Cruz", "Ada", {0: False}),
        ("Sam Okafor", "For", "Ada", {}),
        ("Sam Okafor", "Lindqvist", "Ada", {}),
    ],
)
async def test_a_namesake_bears_the_whole_family_name(
    scene: Scene, printed_name: str, family_name: str, given_name: str, alike: dict[int, bool]
) -> None:
    who = (await people.staff(scene.connection, printed_name=printed_name)).id
    named = await clients.in_care(
        scene.connection,
        programme=scene.programme,
        counsellor=scene.responsible,
        given_name=given_name,
        family_name=family_name,
    )
    look = replace(scene, client=named.id).look(who=who)
    assert await Grounds(scene.connection).alike([look]) == alike


async def test_shifts_end_where_they_were_called_off(scene: Scene) -> None:
    await people.on_duty(
        scene.connection, who=scene.who, programme=scene.programme, starts_at=NOW, ends_at=NOW + DAY / 2
    )
    span = Span(since=NOW - DAY, until=NOW + DAY)
    [shift] = [each for each in await Grounds(scene.connection).shifts(span) if each.staff == scene.who]
    assert (shift.starts_at, shift.ends_at) == (NOW, NOW + DAY / 2)
    of_theirs = select(people_tables.duty_shift.c.id).where(people_tables.duty_shift.c.staff_id == scene.who)
    await scene.connection.execute(
        insert(people_tables.duty_shift_cancellation).values(
            shift_id=(await scene.connection.execute(of_theirs)).scalar_one(),
            cancelled_by=scene.responsible,
            cancelled_at=NOW + DAY / 4,
        )
    )
    [shift] = [each for each in await Grounds(scene.connection).shifts(span) if each.staff == scene.who]
    assert shift.ends_at == NOW + DAY / 4


async def test_accounts_are_told_with_their_last_use_and_their_last_role(scene: Scene) -> None:
    connection, grounds = scene.connection, Grounds(scene.connection)
    roleless = (await people.staff(connection)).id
    ends = datetime(2026, 12, 24, tzinfo=UTC)
    leaving = (await people.staff(connection)).id
    await people.grant(connection, to=leaving, role=Role.COUNSELLOR, programme=scene.programme, ends_at=ends)
    await people.signed_in(connection, leaving, at=NOW)
    closed = (await people.staff(connection, holds=[(Role.COUNSELLOR, scene.programme)])).id
    await connection.execute(
        insert(people_tables.staff_deactivation).values(
            staff_id=closed, deactivated_at=NOW, deactivated_by=roleless, reason="left"
        )
    )
    found = {each.staff: each for each in await grounds.open_accounts(programmes=None)}
    assert closed not in found
    assert (found[roleless].ever_held, found[roleless].last_used_at) == (False, None)
    assert (found[leaving].ever_held, found[leaving].role_until, found[leaving].last_used_at) == (True, ends, NOW)
    assert (found[scene.who].ever_held, found[scene.who].role_until) == (True, None)
    assert await grounds.closed_accounts(None) == {closed: NOW}
    here = {each.staff for each in await grounds.open_accounts(programmes=[scene.programme])}
    assert here == {scene.who, scene.responsible, leaving}
    assert await grounds.closed_accounts([ProgrammeId(new_id())]) == {}


async def test_reviews_come_back_newest_last_and_never_change(scene: Scene) -> None:
    reviews = Reviews(scene.connection)
    first = Review(
        id=ReviewId(new_id()),
        question=Question.WITHOUT_LINK,
        finding=new_id(),
        staff=scene.who,
        covers_until=NOW - DAY,
        conclusion=Conclusion.EXPLAINED,
        note="On the phone with the client.",
        reviewed_by=scene.responsible,
        reviewed_at=NOW,
    )
    later = replace(first, id=ReviewId(new_id()), covers_until=NOW, conclusion=Conclusion.BREACH)
    await reviews.add(first)
    await reviews.add(later)
    assert await reviews.of(Question.WITHOUT_LINK, [first.finding, new_id()]) == {first.finding: later}
    assert await reviews.of(Question.BULK_READS, [first.finding]) == {}
    assert await reviews.get(first.id) == first
    with pytest.raises(FindingUnknown):
        await reviews.get(ReviewId(new_id()))
    async with scene.connection.begin_nested() as attempt:
        with pytest.raises(ReviewedAlready):
            await reviews.add(replace(later, id=ReviewId(new_id())))
        await attempt.rollback()


async def test_the_database_itself_refuses_a_review_of_ones_own(scene: Scene) -> None:
    values = {
        "id": new_id(),
        "question": Question.BULK_READS,
        "finding_id": new_id(),
        "staff_id": scene.who,
        "covers_until": NOW,
        "conclusion": Conclusion.EXPLAINED,
        "note": "x",
        "reviewed_by": scene.who,
        "reviewed_at": NOW,
    }
    for refused in (
        insert(finding_review).values(values),
        update(finding_review).values(note="y"),
        delete(finding_review),
    ):
        async with scene.connection.begin_nested() as attempt:
            with pytest.raises(Exception, match=r"by_another|permission denied"):
                await scene.connection.execute(refused)
            await attempt.rollback()
