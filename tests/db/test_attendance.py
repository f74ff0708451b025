"""Sessions as they are kept: totals equal the registers, keys settle races, nothing is changed, no list is walked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, text, update
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of
from caseload.db.attendance import Attendances, Sessions
from caseload.db.attendance import claims as claim_statements
from caseload.db.attendance import clients as client_statements
from caseload.db.attendance import hours as hour_statements
from caseload.db.attendance import registers as register_statements
from caseload.db.attendance import rosters as roster_statements
from caseload.db.attendance import sessions as session_statements
from caseload.db.attendance.hours import Hours
from caseload.db.note import notes as kept_notes
from caseload.db.note import reading as note_statements
from caseload.db.note import rows as note_rows
from caseload.db.tables import attendance as tables
from caseload.db.tables import note as note_tables
from caseload.domain.access import Act, Role
from caseload.domain.attendance import (
    AlreadyOnRoster,
    Attendance,
    Booking,
    Cancellation,
    CancelledBy,
    Line,
    NotOnRoster,
    Register,
    RegisterAlreadyTaken,
    Session,
    SessionKind,
    SessionUnknown,
    Status,
    Taking,
    Wanted,
    cancel,
    correct_register,
    plan_session,
    take_register,
    totals,
)
from caseload.domain.attendance.rules import usual_rules
from caseload.domain.client import ClientUnknown
from caseload.domain.ids import ClientId, ProgrammeId, TherapySessionId, new_id
from caseload.domain.people import Staff
from tests.factories import clients, people
from tests.factories.checkin import Remembered
from tests.factories.explain import plan_of
from tests.factories.people import LONG_AGO, NOW

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
LATER = NOW + 2 * HOUR


@dataclass
class Place:
    """A programme, its counsellor, and clients in care."""

    connection: AsyncConnection
    programme: ProgrammeId
    robin: Staff
    clients: list[ClientId]
    journal: Remembered

    @property
    def sessions(self) -> Sessions:
        return Sessions(self.connection, self.journal, now=LATER)

    @property
    def attendances(self) -> Attendances:
        return Attendances(self.connection, self.journal, now=LATER)

    async def plan(self, *on_roster: ClientId, **wanted: Any) -> Session:
        usual: dict[str, Any] = {
            "kind": SessionKind.GROUP,
            "title": "Relapse prevention",
            "starts_at": NOW,
            "ends_at": NOW + HOUR,
            "facilitators": (self.robin.id,),
        }
        return await plan_session(
            Wanted(**{**usual, **wanted}),
            on_roster,
            as_id=TherapySessionId(new_id()),
            programme=self.programme,
            rules=usual_rules(),
            clashes_agreed=True,
            by=self.robin,
            now=NOW - HOUR,
            sessions=self.sessions,
            journal=self.journal,
        )

    async def take(self, session: Session, *lines: Line) -> Register:
        return await take_register(
            session,
            Taking(started_at=NOW, ended_at=NOW + HOUR, lines=lines, note="Triggers"),
            by=self.robin,
            now=LATER,
            sessions=self.sessions,
            journal=self.journal,
        )

    async def correct(self, session: TherapySessionId, *lines: Line, version: int) -> Register:
        return await correct_register(
            await self.get(session),
            Taking(started_at=NOW, ended_at=NOW + HOUR, lines=lines),
            reason="Wrong",
            version=version,
            by=self.robin,
            now=LATER,
            sessions=self.sessions,
            journal=self.journal,
        )

    async def get(self, session: TherapySessionId) -> Session:
        return await self.sessions.hold(session, by=self.robin, act=Act.TAKE_REGISTER)


@pytest.fixture
async def place(connection: AsyncConnection) -> Place:
    programme = await people.programme(connection)
    robin = await people.staff(connection, holds=[(Role.COUNSELLOR, programme)])
    in_care = [await clients.in_care(connection, programme=programme, counsellor=robin.id) for _ in range(3)]
    return Place(connection, programme, robin, [each.id for each in in_care], Remembered())


def attended(client: ClientId, **more: Any) -> Line:
    return Line(client=client, status=Status.ATTENDED, **more)


async def test_a_session_is_read_back_as_it_was_kept(place: Place) -> None:
    ada, ben, cleo = place.clients
    session = await place.plan(ada, ben, capacity=5, place="Room 2")
    session = await cancel(
        session,
        ben,
        cancelled_by=CancelledBy.PROVIDER,
        reason="No room",
        by=place.robin,
        now=NOW,
        sessions=place.sessions,
        journal=place.journal,
    )
    register = await place.take(
        session,
        Line(client=ada, status=Status.LEFT_EARLY, late_minutes=5, left_early_minutes=10, note="Tired"),
        attended(cleo, walk_in=True),
    )

    kept = await place.get(session.id)

    assert kept.register == register
    assert (kept.wanted, kept.roster, kept.planned_by) == (session.wanted, session.roster, place.robin.id)
    registers, seen = await place.sessions.registers(kept, by=place.robin, act=Act.SEE_SESSIONS)
    assert (registers, set(seen)) == ([register], {ada, ben, cleo})


lines_of = st.tuples(*(st.sampled_from(Status) for _ in range(3)))


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(st.tuples(lines_of, st.lists(lines_of, max_size=2), st.integers(1, 40)), max_size=4))
async def test_totals_equal_the_registers(
    place: Place, told: list[tuple[Sequence[Status], list[Sequence[Status]], int]]
) -> None:
    async with place.connection.begin_nested() as nested:
        registers: list[Register] = []
        for first, corrections, late in told:
            session = await place.plan(*place.clients)
            register = await place.take(session, *lines(place, first, late))
            for version, correction in enumerate(corrections, start=1):
                register = await place.correct(session.id, *lines(place, correction, late), version=version)
            registers.append(register)
        for client in place.clients:
            expected = [
                Attendance(status=line.status, minutes=register.minutes(line))
                for register in registers
                for line in register.lines
                if line.client == client
            ]
            counted = await place.attendances.counted(client, reach=place.robin.reach(Act.SEE_SESSIONS))
            assert totals(counted, minimum_minutes=20) == totals(expected, minimum_minutes=20)
            listed = await place.attendances.of_client(
                client, reach=place.robin.reach(Act.SEE_SESSIONS), after=None, limit=100
            )
            assert sorted((each.status, each.minutes) for each in listed) == sorted(
                (each.status, each.minutes) for each in expected
            )
        together = [
            Attendance(status=line.status, minutes=register.minutes(line))
            for register in registers
            for line in register.lines
        ]
        counted_here = await Hours(place.connection, place.journal).totals(
            place.programme, first=NOW, last=NOW + HOUR, minimum_minutes=20
        )
        assert counted_here == totals(together, minimum_minutes=20)
        for client in place.clients:
            places = await Hours(place.connection, place.journal).places(client, first=NOW, last=NOW + HOUR)
            assert sorted((each.status, each.minutes) for each in places) == sorted(
                (line.status, register.minutes(line))
                for register in registers
                for line in register.lines
                if line.client == client
            )
        await nested.rollback()


def lines(place: Place, statuses: Sequence[Status], minutes: int) -> list[Line]:
    return [
        Line(
            client=client,
            status=status,
            late_minutes=minutes if status is Status.ATTENDED_LATE else None,
            left_early_minutes=minutes if status is Status.LEFT_EARLY else None,
        )
        for client, status in zip(place.clients, statuses, strict=True)
    ]


async def test_the_same_place_cancellation_or_register_is_kept_once(place: Place) -> None:
    ada, *_ = place.clients
    session = await place.plan(ada)
    called_off = Cancellation(
        client=ada, by=CancelledBy.CLIENT, reason="Work", recorded_by=place.robin.id, recorded_at=NOW
    )
    register = await place.take(session, attended(ada))

    for error, again in (
        (AlreadyOnRoster, place.sessions.add_bookings([(session.id, a_booking(place, ada))])),
        (RegisterAlreadyTaken, place.sessions.add_register(register)),
    ):
        async with place.connection.begin_nested() as nested:
            with pytest.raises(error):
                await again
            await nested.rollback()
    await place.sessions.add_cancellation(session.id, called_off)
    with pytest.raises(NotOnRoster):
        await place.sessions.add_cancellation(session.id, called_off)


def a_booking(place: Place, client: ClientId) -> Booking:
    return Booking(client=client, booked_by=place.robin.id, booked_at=NOW)


async def test_outside_the_reach_there_is_nothing(place: Place) -> None:
    session = await place.plan(place.clients[0])
    elsewhere = await people.programme(place.connection)
    stranger = await people.staff(place.connection, holds=[(Role.COUNSELLOR, elsewhere)])
    reach = stranger.reach(Act.SEE_SESSIONS)

    with pytest.raises(SessionUnknown):
        await place.sessions.get(session.id, by=stranger, act=Act.SEE_SESSIONS)
    with pytest.raises(SessionUnknown):
        await place.sessions.hold(TherapySessionId(new_id()), by=place.robin, act=Act.SEE_SESSIONS)
    with pytest.raises(ClientUnknown):
        await place.attendances.counted(place.clients[0], reach=reach)
    with pytest.raises(ClientUnknown):
        await place.attendances.of_client(place.clients[0], reach=reach, after=None, limit=1)
    assert await place.sessions.in_care(place.clients, reach=reach) == set()


async def test_whoever_is_not_in_care_any_more_is_not_booked(place: Place) -> None:
    ada, *_ = place.clients
    everybody = place.robin.reach(Act.PLAN_SESSION)
    assert ada in await place.sessions.in_care([ada], reach=everybody)

    async with place.connection.begin_nested() as nested:
        await place.connection.execute(
            text("update clinic.episode set period = tstzrange(lower(period), :at) where client_id = :client"),
            {"at": NOW, "client": ada},
        )
        assert await place.sessions.in_care([ada], reach=everybody) == set()
        await nested.rollback()


async def test_who_may_lead_held_the_role_then(place: Place) -> None:
    nurse = await people.staff(place.connection, holds=[(Role.NURSE, place.programme)])
    locum = await people.bystander(place.connection)
    await people.grant(
        place.connection, to=locum, role=Role.COUNSELLOR, programme=place.programme, starts_at=LONG_AGO, ends_at=NOW
    )

    able = await place.sessions.may_lead([place.robin.id, nurse.id, locum], programme=place.programme, at=NOW)
    earlier = await place.sessions.may_lead([locum], programme=place.programme, at=NOW - HOUR)

    assert able == {place.robin.id}
    assert earlier == {locum}


async def test_names_are_told_to_the_journal_for_those_who_are_shown(place: Place) -> None:
    ada, ben, _ = place.clients
    colleague = await people.staff(place.connection, holds=[(Role.COUNSELLOR, place.programme)])
    theirs = await clients.in_care(place.connection, programme=place.programme, counsellor=colleague.id)
    session = await place.plan(ada, ben)
    await place.sessions.add_bookings([(session.id, a_booking(place, theirs.id))])
    session = await place.get(session.id)

    mine = await place.sessions.names(session, by=place.robin, act=Act.SEE_SESSIONS)
    assert set(mine) == {ada, ben, theirs.id}
    assert set(place.journal.seen) == {(each, "session") for each in mine}
    place.journal.seen.clear()
    only = await place.sessions.names(session, by=colleague, act=Act.SEE_SESSIONS)
    assert set(only) == {theirs.id}
    assert place.journal.seen == [(theirs.id, "session")]


@pytest.mark.parametrize(
    "table",
    [
        tables.therapy_session,
        tables.therapy_session_facilitator,
        tables.therapy_session_booking,
        tables.therapy_session_cancellation,
        tables.therapy_session_register,
        tables.therapy_session_line,
        tables.session_series,
        tables.therapy_session_moved,
        tables.therapy_session_wait,
        tables.therapy_session_wait_over,
        note_tables.session_note,
        note_tables.session_note_version,
        note_tables.session_note_signature,
        note_tables.session_note_sent_back,
        note_tables.session_note_voided,
        note_tables.programme_session_rules,
    ],
    ids=lambda table: table.name,
)
@pytest.mark.parametrize("how", ["update", "delete"])
async def test_the_service_can_neither_change_nor_remove_a_fact(place: Place, table: Any, how: str) -> None:
    column = next(iter(table.primary_key))
    statement = delete(table) if how == "delete" else update(table).values({column: column})

    with pytest.raises(ProgrammingError, match="permission denied"):
        await place.connection.execute(statement)


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"minutes": 0}, "minutes_of_who_was_there"),
        ({"status": "did_not_attend", "minutes": 5}, "minutes_of_who_was_there"),
        ({"late_minutes": 5}, "late_minutes"),
        ({"status": "attended_late"}, "came_late"),
        ({"status": "attended_late", "late_minutes": 0}, "late_minutes"),
        ({"status": "left_early"}, "left_early"),
        ({"left_early_minutes": 5}, "left_early"),
        ({"status": "slept", "minutes": 0}, "status"),
    ],
)
async def test_a_line_that_contradicts_itself_cannot_be_kept(
    place: Place, values: dict[str, Any], constraint: str
) -> None:
    ada, ben, _ = place.clients
    session = await place.plan(ada)
    await place.take(session, attended(ada))
    usual = {"status": "attended", "minutes": 60, "walk_in": False, "number": 1, "version": 1}

    with pytest.raises(IntegrityError, match=f"therapy_session_line_{constraint}_check"):
        await place.connection.execute(
            insert(tables.therapy_session_line).values(session_id=session.id, client_id=ben, **{**usual, **values})
        )


CROWD = (
    """
    insert into clinic.therapy_session (id, programme_id, kind, title, starts_at, ends_at, planned_by, planned_at)
    select gen_random_uuid(), programme_id, kind, title, starts_at - n * interval '1 hour',
           starts_at - n * interval '1 hour' + interval '30 minutes', planned_by, planned_at
    from clinic.therapy_session, generate_series(1, 3000) n
    """,
    """
    insert into clinic.therapy_session_facilitator (session_id, staff_id)
    select id, planned_by from clinic.therapy_session on conflict do nothing
    """,
    """
    insert into clinic.therapy_session_booking (session_id, client_id, booked_by, booked_at)
    select s.id, c.id, s.planned_by, s.planned_at from clinic.therapy_session s, clinic.client c
    on conflict do nothing
    """,
    """
    insert into clinic.therapy_session_register (session_id, version, started_at, ended_at, taken_by, taken_at)
    select id, 1, starts_at, ends_at, planned_by, ends_at from clinic.therapy_session on conflict do nothing
    """,
    """
    insert into clinic.therapy_session_line (session_id, version, client_id, number, status, minutes, walk_in)
    select b.session_id, 1, b.client_id, 1, 'attended', 30, false
    from clinic.therapy_session_booking b on conflict do nothing
    """,
    """
    insert into clinic.therapy_session_current (session_id, register_version)
    select id, 1 from clinic.therapy_session on conflict do nothing
    """,
    # As many clients as make it dear to ask of each whether they are within reach.
    """
    insert into clinic.client (id, programme_id, registered_by, recorded_at)
    select gen_random_uuid(), programme_id, registered_by, recorded_at from clinic.client, generate_series(1, 1000)
    """,
)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (session_statements, "_OF_PROGRAMME"),
        (session_statements, "_OF_PROGRAMME_NEXT"),
        (session_statements, "_SESSIONS"),
        (roster_statements, "_ROSTER"),
        (register_statements, "_REGISTERS"),
        (register_statements, "_LINES"),
        (client_statements, "_SESSIONS_OF_CLIENT"),
        (client_statements, "_SESSIONS_OF_CLIENT_NEXT"),
        (session_statements, "_OF_SERIES"),
        (claim_statements, "TAKEN"),
        (claim_statements, "ELSEWHERE"),
        (claim_statements, "WAITING"),
        (claim_statements, "NEXT"),
        (hour_statements, "_PLACES"),
        (hour_statements, "_STRETCHES"),
        (hour_statements, "_TOTALS"),
        (note_statements, "_ONE"),
        (note_statements, "_OF_SESSION"),
        (note_statements, "_OF_CLIENT"),
        (note_statements, "_OF_CLIENT_NEXT"),
        (note_statements, "_DRAFTS"),
        (note_statements, "_WAITING"),
        (note_rows, "VERSIONS"),
        (kept_notes, "NAMES_AROUND"),
    ],
)
async def test_no_list_of_sessions_walks_a_table_that_grows(place: Place, module: Any, name: str) -> None:
    session = await place.plan(place.clients[0])
    for statement in CROWD:
        await place.connection.execute(text(statement))
    given = {
        "programme": place.programme,
        "first": NOW,
        "these": [session.id],
        "client": place.clients[0],
        "after": session.id,
        "limit": 50,
        "series": session.id,
        "keys": ["Room 3"],
        "starts": [NOW] if name == "TAKEN" else NOW,
        "ends": [NOW + HOUR] if name == "TAKEN" else NOW + HOUR,
        "besides": session.id,
        "clients": [place.clients[0]],
        "now": NOW,
        "last": NOW + HOUR,
        "zone": "UTC",
        "minimum": 8,
        "note": session.id,
        "session": session.id,
        "about": None,
        "reader": place.robin.id,
        "here": [place.programme],
        "co_signs_in": [place.programme],
        "wanted": [session.id],
        **reach_of(place.robin.reach(Act.SEE_SESSIONS), at=NOW),
    }
    # The service may not analyse; without statistics a small table is walked whatever its indexes.
    await place.connection.execute(text("set local enable_seqscan = off"))

    plan = await plan_of(place.connection, getattr(module, name), given)

    assert [line for line in plan if "Seq Scan" in line] == [], "\n".join(plan)
