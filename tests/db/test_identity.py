"""Who holds a token: the roles in force at that moment, to the second, and nobody else."""

from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from caseload.db.failures import Failure, failure_of
from caseload.db.people.sessions import MOST_AT_ONCE, by_tokens, find_sessions, note_use, session_of
from caseload.db.tables import people as tables
from caseload.db.tables import sign_in as sign_in_tables
from caseload.domain.access import Holding, Role
from caseload.domain.errors import NotSignedIn
from caseload.domain.ids import ProgrammeId, SessionId, StaffId, new_id
from caseload.domain.people import COMMAND_LINE, SessionOver, SessionRules, Staff, token_digest
from tests.factories import people
from tests.factories.explain import plan_of
from tests.factories.people import NOW, identified

pytestmark = pytest.mark.anyio
SECOND = timedelta(seconds=1)
LONG_IDLE = SessionRules(idle=timedelta(days=2))


class Used:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.sessions: list[SessionId] = []

    def note(self, session: SessionId, *, at: datetime) -> None:
        self.sessions.append(session)


async def held(connection: AsyncConnection, who: StaffId, *, at: datetime = NOW) -> tuple[Holding, ...]:
    token = await people.signed_in(connection, who, at=at)
    return (await identified(connection, token, at)).holdings


@pytest.fixture
async def programme(connection: AsyncConnection) -> ProgrammeId:
    return await people.programme(connection)


@pytest.fixture
async def nobody_special(connection: AsyncConnection) -> Staff:
    return await people.staff(connection)


async def test_the_token_gives_the_person_and_every_role_in_force(
    connection: AsyncConnection, programme: ProgrammeId
) -> None:
    elsewhere = await people.programme(connection)
    holds = [(Role.NURSE, programme), (Role.COUNSELLOR, elsewhere), (Role.AUDITOR, None)]
    made = await people.staff(connection, printed_name="Ada Nowak", holds=holds)
    staff = await identified(connection, await people.signed_in(connection, made.id), NOW)
    assert (staff.id, staff.user_name, staff.printed_name) == (made.id, made.user_name, "Ada Nowak")
    assert set(staff.holdings) == {Holding(role=role, programme=where) for role, where in holds}
    assert staff.may_sign
    assert staff.registration is not None
    assert staff.registration.startswith("NMC ")


async def test_somebody_without_any_role_is_known_and_holds_nothing(
    connection: AsyncConnection, nobody_special: Staff
) -> None:
    assert await held(connection, nobody_special.id) == ()


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "ü" * 43, "a" * 100_000, "\x00" * 43])
async def test_an_unknown_token_is_nobody(connection: AsyncConnection, token: str) -> None:
    with pytest.raises(NotSignedIn):
        await identified(connection, token, NOW)


async def test_a_session_is_over_fifteen_minutes_after_its_last_use_to_the_second(
    connection: AsyncConnection, nobody_special: Staff
) -> None:
    token = await people.signed_in(connection, nobody_special.id)
    last = timedelta(minutes=15)
    await identified(connection, token, NOW + last - SECOND)
    with pytest.raises(SessionOver):
        await identified(connection, token, NOW + last)


async def test_a_session_is_over_after_twelve_hours_however_busy(
    connection: AsyncConnection, nobody_special: Staff
) -> None:
    token = await people.signed_in(connection, nobody_special.id)
    last = timedelta(hours=12)
    await identified(connection, token, NOW + last - SECOND, rules=LONG_IDLE)
    with pytest.raises(SessionOver):
        await identified(connection, token, NOW + last, rules=LONG_IDLE)


async def test_use_is_noted_once_a_minute_and_carries_the_session_on(
    connection: AsyncConnection, nobody_special: Staff
) -> None:
    token = await people.signed_in(connection, nobody_special.id)
    used = Used()
    await identified(connection, token, NOW + timedelta(seconds=59), uses=used)
    assert used.sessions == []
    later = NOW + timedelta(minutes=14)
    staff = await identified(connection, token, later, uses=used)
    assert used.sessions == [staff.session]
    await note_use(connection, dict.fromkeys(used.sessions, later))
    await identified(connection, token, later + timedelta(minutes=14), uses=used)


async def test_noting_an_earlier_use_later_takes_nothing_back(
    connection: AsyncConnection, nobody_special: Staff
) -> None:
    token = await people.signed_in(connection, nobody_special.id)
    session = (await identified(connection, token, NOW)).session
    assert session is not None
    await note_use(connection, {session: NOW + timedelta(minutes=10)})
    await note_use(connection, {session: NOW + timedelta(minutes=5)})
    await identified(connection, token, NOW + timedelta(minutes=24))


async def test_an_ended_session_is_over_and_cannot_be_opened_again(
    connection: AsyncConnection, nobody_special: Staff
) -> None:
    token = await people.signed_in(connection, nobody_special.id)
    mine = sign_in_tables.sign_in_session.c.staff_id == nobody_special.id
    await connection.execute(
        update(sign_in_tables.sign_in_session).where(mine).values(ended_at=NOW, end_reason="signed_out")
    )
    with pytest.raises(SessionOver):
        await identified(connection, token, NOW)
    with pytest.raises(Exception, match="has ended"):
        await connection.execute(
            update(sign_in_tables.sign_in_session).where(mine).values(ended_at=None, end_reason=None)
        )


async def test_a_deactivated_person_is_signed_out_everywhere(
    connection: AsyncConnection, nobody_special: Staff
) -> None:
    token = await people.signed_in(connection, nobody_special.id)
    await connection.execute(
        insert(tables.staff_deactivation).values(
            staff_id=nobody_special.id, deactivated_at=NOW, deactivated_by=COMMAND_LINE, reason="left"
        )
    )
    with pytest.raises(SessionOver):
        await identified(connection, token, NOW)


async def test_a_role_begins_and_ends_by_itself(connection: AsyncConnection, programme: ProgrammeId) -> None:
    locum = (await people.staff(connection)).id
    ends = NOW + timedelta(days=1)
    await people.grant(connection, to=locum, role=Role.NURSE, programme=programme, starts_at=NOW, ends_at=ends)
    assert await held(connection, locum, at=NOW - SECOND) == ()
    assert [holding.role for holding in await held(connection, locum, at=NOW)] == [Role.NURSE]
    assert [holding.role for holding in await held(connection, locum, at=ends - SECOND)] == [Role.NURSE]
    assert await held(connection, locum, at=ends) == ()


@pytest.mark.parametrize("role", [Role.NURSE, Role.MEDICAL_DIRECTOR, Role.SUPERVISOR])
async def test_a_role_that_signs_or_confirms_counts_only_once_confirmed(
    connection: AsyncConnection, programme: ProgrammeId, role: Role
) -> None:
    newcomer = (await people.staff(connection)).id
    await people.grant(connection, to=newcomer, role=role, programme=programme, confirmed=False)
    assert await held(connection, newcomer) == ()


@pytest.mark.parametrize("role", [Role.COUNSELLOR, Role.FRONT_DESK, Role.INSPECTOR])
async def test_other_roles_count_at_once(connection: AsyncConnection, programme: ProgrammeId, role: Role) -> None:
    newcomer = (await people.staff(connection)).id
    await people.grant(connection, to=newcomer, role=role, programme=programme, confirmed=False)
    assert [holding.role for holding in await held(connection, newcomer)] == [role]


async def test_an_administrator_made_on_the_command_line_counts_at_once_and_another_does_not(
    connection: AsyncConnection, nobody_special: Staff
) -> None:
    by_hand = await people.staff(connection)
    await people.grant(connection, to=by_hand.id, role=Role.ADMINISTRATOR, programme=None, confirmed=False)
    assert await held(connection, by_hand.id) == ()
    await connection.execute(
        insert(tables.role_grant).values(
            id=new_id(),
            staff_id=nobody_special.id,
            role=Role.ADMINISTRATOR,
            starts_at=NOW,
            granted_by=COMMAND_LINE,
            granted_at=NOW,
        )
    )
    assert [holding.role for holding in await held(connection, nobody_special.id)] == [Role.ADMINISTRATOR]


@pytest.mark.parametrize(
    ("time_zone", "last_moment"),
    [
        ("America/Los_Angeles", datetime(2026, 11, 23, 7, 59, 59, tzinfo=UTC)),
        ("Europe/London", datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC)),
        ("Australia/Sydney", datetime(2026, 11, 22, 12, 59, 59, tzinfo=UTC)),
    ],
)
async def test_a_registration_holds_to_the_end_of_its_last_day_in_the_programme(
    connection: AsyncConnection, time_zone: str, last_moment: datetime
) -> None:
    programme = await people.programme(connection, time_zone=time_zone)
    nurse = (await people.staff(connection)).id
    await people.grant(connection, to=nurse, role=Role.NURSE, programme=programme, registered_until=date(2026, 11, 22))
    assert [holding.role for holding in await held(connection, nurse, at=last_moment)] == [Role.NURSE]
    assert await held(connection, nurse, at=last_moment + SECOND) == ()


async def test_the_newest_check_of_a_registration_counts(connection: AsyncConnection, programme: ProgrammeId) -> None:
    nurse = (await people.staff(connection)).id
    grant = await people.grant(
        connection, to=nurse, role=Role.NURSE, programme=programme, registered_until=date(2026, 11, 1)
    )
    registration = (
        await connection.execute(
            tables.role_grant.select()
            .with_only_columns(tables.role_grant.c.registration_id)
            .where(tables.role_grant.c.id == grant)
        )
    ).scalar_one()
    assert await held(connection, nurse) == ()
    checker = await people.bystander(connection)
    for number, expires_on in ((2, date(2027, 11, 1)), (3, date(2026, 11, 20))):
        await connection.execute(
            insert(tables.registration_check).values(
                registration_id=registration,
                number=number,
                staff_id=nurse,
                expires_on=expires_on,
                checked_at=NOW,
                checked_by=checker,
            )
        )
        assert bool(await held(connection, nurse)) is (number == 2)


async def test_a_revoked_role_is_gone_at_once(connection: AsyncConnection, programme: ProgrammeId) -> None:
    counsellor = (await people.staff(connection)).id
    grant = await people.grant(connection, to=counsellor, role=Role.COUNSELLOR, programme=programme)
    await connection.execute(
        insert(tables.role_revocation).values(
            grant_id=grant,
            staff_id=counsellor,
            revoked_by=await people.bystander(connection),
            revoked_at=NOW,
            reason="moved to another programme",
        )
    )
    assert [holding.role for holding in await held(connection, counsellor, at=NOW - SECOND)] == [Role.COUNSELLOR]
    assert await held(connection, counsellor, at=NOW) == ()


async def test_a_shift_on_duty_shows_while_it_runs_and_only_in_its_programme(
    connection: AsyncConnection, programme: ProgrammeId
) -> None:
    elsewhere = await people.programme(connection)
    counsellor = await people.staff(connection, holds=[(Role.COUNSELLOR, programme), (Role.COUNSELLOR, elsewhere)])
    until = NOW + timedelta(hours=8)
    await people.on_duty(connection, who=counsellor.id, programme=programme, starts_at=NOW, ends_at=until)
    running = {holding.programme: holding.on_duty for holding in await held(connection, counsellor.id)}
    assert running == {programme: True, elsewhere: False}
    over = {holding.programme: holding.on_duty for holding in await held(connection, counsellor.id, at=until)}
    assert over == {programme: False, elsewhere: False}


async def test_signing_is_suspended_until_a_third_person_confirms_a_reset(
    connection: AsyncConnection, nobody_special: Staff
) -> None:
    token = await people.signed_in(connection, nobody_special.id)
    reset, resetter = new_id(), await people.bystander(connection)
    await connection.execute(
        insert(tables.password_reset).values(id=reset, staff_id=nobody_special.id, reset_by=resetter, reset_at=NOW)
    )
    assert not (await identified(connection, token, NOW)).may_sign
    await connection.execute(
        insert(tables.reset_confirmation).values(
            reset_id=reset,
            staff_id=nobody_special.id,
            reset_by=resetter,
            confirmed_by=await people.bystander(connection),
            confirmed_at=NOW,
        )
    )
    assert (await identified(connection, token, NOW)).may_sign


@pytest.mark.parametrize("many", [1, 4, MOST_AT_ONCE])
async def test_finding_sessions_walks_no_table(connection: AsyncConnection, many: int) -> None:
    await connection.execute(text("set local enable_seqscan = off"))
    given = {f"digest_{number}": bytes(32) for number in range(many)}
    plan = await plan_of(connection, by_tokens(many), {**given, "now": NOW})
    assert not [line for line in plan if "Seq Scan" in line], "\n".join(plan)


async def test_both_ways_of_asking_say_the_same(connection: AsyncConnection, programme: ProgrammeId) -> None:
    made = await people.staff(connection, holds=[(Role.NURSE, programme), (Role.AUDITOR, None)])
    digest = token_digest(await people.signed_in(connection, made.id))
    slowly = (await connection.execute(by_tokens(1), {"digest_0": digest, "now": NOW})).mappings().one()
    assert {digest: session_of(dict(slowly))} == await find_sessions(connection, [digest], now=NOW)


@pytest.mark.parametrize("many", [1, 2, 4, 5, MOST_AT_ONCE])
async def test_each_token_finds_its_own_session_however_many_are_asked_for(
    connection: AsyncConnection, programme: ProgrammeId, many: int
) -> None:
    made = [await people.staff(connection, holds=[(Role.NURSE, programme)] * (number % 2)) for number in range(many)]
    digests = [token_digest(await people.signed_in(connection, each.id)) for each in made]
    found = await find_sessions(connection, [*digests[:-1], bytes(32)], now=NOW)
    assert {digest: session.staff.id for digest, session in found.items()} == {
        digest: each.id for digest, each in zip(digests[:-1], made[:-1], strict=True)
    }
    assert [len(found[digest].staff.holdings) for digest in digests[:-1]] == [number % 2 for number in range(many - 1)]


async def test_a_connection_that_has_gone_is_the_databases_failure_and_the_next_one_works(
    engine: AsyncEngine, owner_dsn: str
) -> None:
    async with engine.connect() as opened:
        process = await opened.scalar(select(func.pg_backend_pid()))
        owner = await asyncpg.connect(owner_dsn)
        await owner.execute("select pg_terminate_backend($1, 5000)", process)
        await owner.close()
        with pytest.raises(ConnectionResetError) as error:
            await identified(opened, "A" * 43, NOW)
        assert failure_of(error.value) is Failure.UNAVAILABLE
    async with engine.connect() as opened:
        with pytest.raises(NotSignedIn):
            await identified(opened, "A" * 43, NOW)
