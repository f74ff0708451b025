"""Guest days on the database: to the last moment of the last day, in two zones, and whatever is recorded afterwards."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.guest import Guests
from caseload.domain.access import Holding, Role
from caseload.domain.client import ClientUnknown
from caseload.domain.dosing import DoseRefused, HowVerified, Kind, Rule
from caseload.domain.guest import Arrangement, Confirmation, Guest, GuestOverlaps, arrange_guest, end_guest
from caseload.domain.ids import GuestId, ProgrammeId, new_id
from caseload.domain.medication import Direction
from caseload.domain.medicines import Form, Medicine
from caseload.domain.people import Staff
from tests.factories import people
from tests.factories.window import MORNING, TODAY, Window, clinician, window, wish

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)


def guests(here: Window, now: datetime) -> Guests:
    return Guests(here.connection, here.journal, now=now)


async def away(
    here: Window, host: ProgrammeId, *, first_on: date = TODAY, last_on: date = TODAY, now: datetime = MORNING
) -> Guest:
    """The client is a guest of another programme of ours."""
    return await arrange_guest(
        here.client,
        Arrangement(
            direction=Direction.ELSEWHERE,
            first_on=first_on,
            last_on=last_on,
            medicine=Medicine.METHADONE,
            form=Form.ORAL_SOLUTION,
            amount_mg=Decimal(60),
            why="A funeral.",
            confirmed=Confirmation(by="Kim Lee, nurse", how=HowVerified.TELEPHONE, at=now),
            other_enrolments="None found.",
            host=host,
        ),
        as_id=GuestId(new_id()),
        by=here.nurse,
        now=now,
        guests=guests(here, now),
        journal=here.journal,
    )


async def over(here: Window, guest: Guest, last_on: date, *, now: datetime) -> Guest:
    return await end_guest(
        guest.id, last_on, "Home early.", by=here.nurse, now=now, guests=guests(here, now), journal=here.journal
    )


async def hosts(connection: AsyncConnection, *, zone: str = "America/New_York") -> tuple[ProgrammeId, Staff]:
    host = await people.programme(connection, time_zone=zone, profile="US")
    return host, await clinician(connection, host, Role.NURSE, "Nia Host")


def broken(refused: pytest.ExceptionInfo[DoseRefused]) -> list[Rule]:
    return [refusal.rule for refusal in refused.value.refusals]


async def test_the_host_gives_on_the_guest_days_and_home_on_the_others(connection: AsyncConnection) -> None:
    here = await window(connection)
    host, visitor = await hosts(connection)
    order = await here.order()
    await away(here, host, first_on=TODAY + DAY, last_on=TODAY + DAY)
    await here.give(order)
    with pytest.raises(ClientUnknown):
        await here.give(order, by=visitor)
    with pytest.raises(DoseRefused) as refused:
        await here.give(order, at=MORNING + DAY)
    assert broken(refused) == [Rule.GUEST_ELSEWHERE]
    assert refused.value.refusals[0].facts["first_on"] == str(TODAY + DAY)
    given = await here.give(order, by=visitor, at=MORNING + DAY)
    assert (given.programme, given.dosing_day, given.kind) == (host, TODAY + DAY, Kind.ORDINARY)
    with pytest.raises(ClientUnknown):
        await here.give(order, by=visitor, at=MORNING + 2 * DAY)
    at_home = await here.give(order, at=MORNING + 2 * DAY)
    assert at_home.kind is Kind.ORDINARY, "what our own host gave is in the record: nothing was missed"


@pytest.mark.parametrize(
    ("zone", "day", "begins", "ends"),
    [
        (
            "Europe/London",
            date(2026, 10, 25),
            datetime(2026, 10, 24, 23, tzinfo=UTC),
            datetime(2026, 10, 26, tzinfo=UTC),
        ),
        ("Europe/London", date(2027, 3, 28), datetime(2027, 3, 28, tzinfo=UTC), datetime(2027, 3, 28, 23, tzinfo=UTC)),
        ("Australia/Sydney", TODAY, datetime(2026, 11, 21, 13, tzinfo=UTC), datetime(2026, 11, 22, 13, tzinfo=UTC)),
    ],
)
async def test_it_begins_and_ends_by_itself_at_midnight_of_home_whatever_the_clocks_do(
    connection: AsyncConnection, zone: str, day: date, begins: datetime, ends: datetime
) -> None:
    here = await window(connection, time_zone=zone)
    host, visitor = await hosts(connection)
    before = begins - timedelta(hours=30)
    order = await here.order(wish(starts_on=day), now=before)
    await away(here, host, first_on=day, last_on=day, now=before)
    for outside in (begins - TICK, ends):
        with pytest.raises(ClientUnknown):
            await here.give(order, by=visitor, at=outside)
    with pytest.raises(DoseRefused) as refused:
        await here.give(order, at=begins)
    assert broken(refused) == [Rule.GUEST_ELSEWHERE]
    with pytest.raises(DoseRefused) as refused:
        await here.give(order, at=ends - TICK)
    assert broken(refused) == [Rule.GUEST_ELSEWHERE]
    given = await here.give(order, by=visitor, at=ends - TICK)
    assert (given.dosing_day, given.programme) == (day, host)
    following = await here.give(order, at=ends + timedelta(hours=23))
    assert (following.dosing_day, following.programme) == (day + DAY, here.programme)


async def test_what_the_host_gives_just_after_midnight_is_not_a_dose_of_the_day_before(
    connection: AsyncConnection,
) -> None:
    here = await window(connection)
    host, visitor = await hosts(connection)
    order = await here.order()
    await away(here, host, first_on=TODAY + DAY, last_on=TODAY + DAY)
    midnight = datetime(2026, 11, 23, tzinfo=UTC)
    with pytest.raises(DoseRefused) as refused:
        await here.give(order, by=visitor, at=midnight, given_at=midnight - TICK)
    assert broken(refused) == [Rule.GUEST_OVER]
    assert (await here.give(order, by=visitor, at=midnight)).dosing_day == TODAY + DAY


async def test_whoever_comes_home_early_is_given_something_once_the_agreement_is_ended(
    connection: AsyncConnection,
) -> None:
    here = await window(connection)
    host, visitor = await hosts(connection)
    order = await here.order()
    guest = await away(here, host, last_on=TODAY + 5 * DAY)
    await here.give(order, by=visitor)
    tomorrow = MORNING + DAY
    with pytest.raises(DoseRefused):
        await here.give(order, at=tomorrow)
    await over(here, guest, TODAY, now=tomorrow)
    with pytest.raises(ClientUnknown):
        await here.give(order, by=visitor, at=tomorrow)
    assert (await here.give(order, at=tomorrow)).kind is Kind.ORDINARY


async def test_nobody_is_two_guests_on_one_day(connection: AsyncConnection) -> None:
    here = await window(connection)
    host, _ = await hosts(connection)
    await away(here, host, last_on=TODAY + DAY)
    savepoint = await connection.begin_nested()
    with pytest.raises(GuestOverlaps):
        await away(here, host, first_on=TODAY + DAY, last_on=TODAY + 2 * DAY)
    await savepoint.rollback()
    await away(here, host, first_on=TODAY + 2 * DAY, last_on=TODAY + 2 * DAY)


async def test_an_agreement_that_never_was_stands_in_no_way(connection: AsyncConnection) -> None:
    here = await window(connection)
    host, visitor = await hosts(connection)
    order = await here.order()
    guest = await away(here, host, last_on=TODAY + DAY)
    await over(here, guest, TODAY - DAY, now=MORNING)
    with pytest.raises(ClientUnknown):
        await here.give(order, by=visitor)
    await here.give(order)
    await away(here, host, first_on=TODAY + DAY, last_on=TODAY + DAY)
    assert (await here.give(order, by=visitor, at=MORNING + DAY)).programme == host


async def test_what_home_gave_on_a_guest_day_is_kept_as_an_exception_and_before_it_was_arranged_as_ordinary(
    connection: AsyncConnection,
) -> None:
    here = await window(connection)
    host, _ = await hosts(connection)
    order = await here.order(now=MORNING - timedelta(hours=1))
    await away(here, host, last_on=TODAY + DAY)
    before = await here.late(order, given_at=MORNING - TICK, now=MORNING + timedelta(hours=1))
    assert before.kind is Kind.ORDINARY
    after = await here.late(order, given_at=MORNING + DAY, now=MORNING + DAY + timedelta(hours=1))
    assert (after.kind, after.rules) == (Kind.EXCEPTION, (Rule.GUEST_ELSEWHERE.value,))


async def test_whoever_works_in_both_programmes_gives_where_they_are_on_duty(connection: AsyncConnection) -> None:
    here = await window(connection)
    host, _ = await hosts(connection)
    order = await here.order()
    await away(here, host)
    both = replace(
        here.nurse,
        holdings=(*here.nurse.holdings, Holding(role=Role.NURSE, programme=host)),
    )
    with pytest.raises(DoseRefused) as refused:
        await here.give(order, by=both)
    assert broken(refused) == [Rule.GUEST_ELSEWHERE], "the window of home, as far as anybody knows"
    there = replace(both, holdings=(*here.nurse.holdings, Holding(role=Role.NURSE, programme=host, on_duty=True)))
    assert (await here.give(order, by=there)).programme == host
