"""What the tables of people refuse by themselves, whatever the code above them thinks."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.failures import violated
from caseload.db.people.roles import Roles
from caseload.db.tables import people as tables
from caseload.db.tables import programme as programme_tables
from caseload.db.tables import sign_in as sign_in_tables
from caseload.domain.access import CLINICIANS, WITHOUT_PROGRAMME, Role
from caseload.domain.ids import GrantId, ProgrammeId, StaffId, new_id
from caseload.domain.people import COMMAND_LINE
from caseload.domain.programme import ProgrammeUnknown
from tests.factories import people
from tests.factories.people import LONG_AGO, NOW

pytestmark = pytest.mark.anyio


@pytest.fixture
async def programme(connection: AsyncConnection) -> ProgrammeId:
    return await people.programme(connection)


@pytest.fixture
async def ada(connection: AsyncConnection) -> StaffId:
    return await people.bystander(connection)


@pytest.fixture
async def ben(connection: AsyncConnection) -> StaffId:
    return await people.bystander(connection)


@pytest.fixture
async def cleo(connection: AsyncConnection) -> StaffId:
    return await people.bystander(connection)


async def test_today_is_the_local_date_of_the_programme(connection: AsyncConnection) -> None:
    roles = Roles(connection)
    evening = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    found = [
        await roles.today_in(await people.programme(connection, time_zone=zone), at=evening)
        for zone in ("Australia/Sydney", "Europe/London", "America/New_York")
    ]
    assert found == [date(2026, 11, 23), date(2026, 11, 22), date(2026, 11, 22)]
    with pytest.raises(ProgrammeUnknown):
        await roles.today_in(ProgrammeId(new_id()), at=evening)


async def refused(connection: AsyncConnection, table: Table, **row: Any) -> str:
    """Try to keep the row and return the name of the constraint that refused it."""
    with pytest.raises(IntegrityError) as error:
        async with connection.begin_nested():
            await connection.execute(insert(table).values(**row))
    return violated(error.value)


def a_grant(staff: StaffId, by: StaffId, **changes: Any) -> dict[str, Any]:
    return {
        "id": new_id(),
        "staff_id": staff,
        "programme_id": None,
        "role": Role.ADMINISTRATOR,
        "starts_at": NOW,
        "ends_at": None,
        "granted_by": by,
        "granted_at": NOW,
        "registration_id": None,
        **changes,
    }


async def a_registration(connection: AsyncConnection, staff: StaffId, by: StaffId) -> Any:
    made = new_id()
    await connection.execute(
        insert(tables.registration).values(
            id=made, staff_id=staff, body="NMC", number=f"N{made.hex[-10:].upper()}", recorded_at=NOW, recorded_by=by
        )
    )
    return made


@pytest.mark.parametrize("user_name", ["Ada", "a", "ada nowak", "\u0430da", "ada;", "", "x" * 65, "-ada"])
async def test_a_user_name_is_small_letters_that_look_like_nothing_else(
    connection: AsyncConnection, ada: StaffId, user_name: str
) -> None:
    row = {"id": new_id(), "user_name": user_name, "printed_name": "A", "created_at": NOW, "created_by": ada}
    assert await refused(connection, tables.staff, **row) == "staff_user_name_check"


async def test_a_user_name_is_one_persons(connection: AsyncConnection, ada: StaffId) -> None:
    await people.staff(connection, user_name="somebody")
    row = {"id": new_id(), "user_name": "somebody", "printed_name": "A", "created_at": NOW, "created_by": ada}
    assert await refused(connection, tables.staff, **row) == "staff_user_name_key"


async def test_what_another_sets_is_a_one_time_secret_and_what_one_sets_oneself_is_not(
    connection: AsyncConnection, ada: StaffId, ben: StaffId
) -> None:
    row = {"staff_id": ada, "number": 1, "set_at": NOW, "hash": "$argon2id$x"}
    later = NOW + timedelta(hours=1)
    for set_by, until in ((ben, None), (ada, later)):
        name = await refused(connection, tables.staff_password, **row, set_by=set_by, one_time_until=until)
        assert name == "staff_password_set_by_another_is_one_time_check"
    name = await refused(connection, tables.staff_password, **{**row, "hash": "secret"}, set_by=ada)
    assert name == "staff_password_hash_check"


async def test_the_command_line_has_no_password_no_role_and_no_session(
    connection: AsyncConnection, ada: StaffId
) -> None:
    later = NOW + timedelta(hours=1)
    assert (
        await refused(
            connection,
            tables.staff_password,
            staff_id=COMMAND_LINE,
            number=1,
            set_at=NOW,
            set_by=ada,
            hash="$argon2id$x",
            one_time_until=later,
        )
        == "staff_password_a_person_check"
    )
    assert await refused(connection, tables.role_grant, **a_grant(COMMAND_LINE, ada)) == "role_grant_to_a_person_check"
    assert (
        await refused(
            connection,
            sign_in_tables.sign_in_session,
            id=new_id(),
            token_digest=bytes(32),
            staff_id=COMMAND_LINE,
            source_digest=bytes(32),
            methods=["password"],
            started_at=NOW,
            last_used_at=NOW,
            expires_at=later,
        )
        == "sign_in_session_a_person_check"
    )


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
async def test_the_command_line_grants_no_role_but_an_administrators(
    connection: AsyncConnection, programme: ProgrammeId, ada: StaffId, ben: StaffId, role: Role
) -> None:
    row = a_grant(
        ada,
        COMMAND_LINE,
        role=role,
        programme_id=programme,
        ends_at=NOW + timedelta(days=1),
        registration_id=await a_registration(connection, ada, ben) if role in CLINICIANS else None,
    )
    name = await refused(connection, tables.role_grant, **row)
    assert name == "role_grant_command_line_administrators_only_check"


async def test_nobody_grants_revokes_registers_resets_or_closes_anything_of_their_own(
    connection: AsyncConnection, programme: ProgrammeId, ada: StaffId
) -> None:
    assert await refused(connection, tables.role_grant, **a_grant(ada, ada)) == "role_grant_by_another_check"
    grant = await people.grant(connection, to=ada, role=Role.COUNSELLOR, programme=programme)
    row = {"grant_id": grant, "staff_id": ada, "revoked_by": ada, "revoked_at": NOW, "reason": "x"}
    assert await refused(connection, tables.role_revocation, **row) == "role_revocation_by_another_check"
    row = {"id": new_id(), "staff_id": ada, "body": "NMC", "number": "1", "recorded_at": NOW, "recorded_by": ada}
    assert await refused(connection, tables.registration, **row) == "registration_by_another_check"
    row = {"id": new_id(), "staff_id": ada, "reset_by": ada, "reset_at": NOW}
    assert await refused(connection, tables.password_reset, **row) == "password_reset_by_another_check"
    row = {"staff_id": ada, "deactivated_at": NOW, "deactivated_by": ada, "reason": "x"}
    assert await refused(connection, tables.staff_deactivation, **row) == "staff_deactivation_by_another_check"
    row = {"id": new_id(), "staff_id": ada, "programme_id": programme, "set_by": ada, "set_at": NOW}
    shift = {**row, "period": Range(NOW, NOW + timedelta(hours=8))}
    assert await refused(connection, tables.duty_shift, **shift) == "duty_shift_by_another_check"


@pytest.mark.parametrize("role", list(Role))
async def test_a_role_is_held_in_a_programme_unless_it_may_be_held_everywhere(
    connection: AsyncConnection, ada: StaffId, ben: StaffId, role: Role
) -> None:
    row = a_grant(
        ada,
        ben,
        role=role,
        ends_at=NOW + timedelta(days=1),
        registration_id=await a_registration(connection, ada, ben) if role in CLINICIANS else None,
    )
    if role in WITHOUT_PROGRAMME:
        await connection.execute(insert(tables.role_grant).values(**row))
    else:
        name = await refused(connection, tables.role_grant, **row)
        assert name == "role_grant_programme_where_one_is_needed_check"


@pytest.mark.parametrize("role", list(Role))
async def test_a_registration_stands_behind_clinical_roles_and_no_other(
    connection: AsyncConnection, programme: ProgrammeId, ada: StaffId, ben: StaffId, role: Role
) -> None:
    wrong = None if role in CLINICIANS else await a_registration(connection, ada, ben)
    row = a_grant(ada, ben, role=role, programme_id=programme, ends_at=NOW + timedelta(days=1), registration_id=wrong)
    name = await refused(connection, tables.role_grant, **row)
    assert name == "role_grant_registration_for_clinical_roles_check"


async def test_nobody_practises_on_somebody_elses_registration(
    connection: AsyncConnection, programme: ProgrammeId, ada: StaffId, ben: StaffId, cleo: StaffId
) -> None:
    bens = await a_registration(connection, ben, cleo)
    row = a_grant(ada, cleo, role=Role.NURSE, programme_id=programme, registration_id=bens)
    assert await refused(connection, tables.role_grant, **row) == "role_grant_own_registration_fkey"


async def test_a_registration_number_is_one_persons(
    connection: AsyncConnection, ada: StaffId, ben: StaffId, cleo: StaffId
) -> None:
    row = {"body": "NMC", "number": "77X", "recorded_at": NOW, "recorded_by": cleo}
    await connection.execute(insert(tables.registration).values(id=new_id(), staff_id=ada, **row))
    name = await refused(connection, tables.registration, id=new_id(), staff_id=ben, **row)
    assert name == "registration_body_number_key"


async def test_an_inspection_ends(
    connection: AsyncConnection, programme: ProgrammeId, ada: StaffId, ben: StaffId
) -> None:
    row = a_grant(ada, ben, role=Role.INSPECTOR, programme_id=programme)
    assert await refused(connection, tables.role_grant, **row) == "role_grant_inspector_ends_check"


@pytest.mark.parametrize("clinical", sorted(CLINICIANS))
async def test_an_administrator_becomes_no_clinician_and_a_clinician_no_administrator(
    connection: AsyncConnection, programme: ProgrammeId, ada: StaffId, ben: StaffId, clinical: Role
) -> None:
    apart = "role_grant_administrator_apart_from_clinic"
    await people.grant(connection, to=ada, role=clinical, programme=programme)
    assert await refused(connection, tables.role_grant, **a_grant(ada, ben)) == apart
    assert await refused(connection, tables.role_grant, **a_grant(ada, ben, programme_id=programme)) == apart
    await people.grant(connection, to=ben, role=Role.ADMINISTRATOR, programme=None)
    registration = await a_registration(connection, ben, ada)
    row = a_grant(ben, ada, role=clinical, programme_id=programme, registration_id=registration)
    assert await refused(connection, tables.role_grant, **row) == apart


async def revoke(connection: AsyncConnection, grant: GrantId, staff: StaffId, by: StaffId, at: datetime) -> None:
    await connection.execute(
        insert(tables.role_revocation).values(
            grant_id=grant, staff_id=staff, revoked_by=by, revoked_at=at, reason="changed work"
        )
    )


async def test_once_a_clinical_role_is_revoked_or_over_its_holder_may_administer(
    connection: AsyncConnection, programme: ProgrammeId, ada: StaffId, ben: StaffId, cleo: StaffId
) -> None:
    grant = await people.grant(connection, to=ada, role=Role.NURSE, programme=programme)
    await revoke(connection, grant, ada, ben, NOW)
    await connection.execute(insert(tables.role_grant).values(**a_grant(ada, ben)))
    await people.grant(connection, to=cleo, role=Role.NURSE, programme=programme, ends_at=NOW)
    await connection.execute(insert(tables.role_grant).values(**a_grant(cleo, ben)))


async def test_a_role_revoked_before_it_began_never_counts(
    connection: AsyncConnection, programme: ProgrammeId, ada: StaffId, ben: StaffId
) -> None:
    begins = NOW + timedelta(days=7)
    grant = await people.grant(connection, to=ada, role=Role.COUNSELLOR, programme=programme, starts_at=begins)
    await revoke(connection, grant, ada, ben, NOW)
    period = select(tables.role_grant.c.period).where(tables.role_grant.c.id == grant)
    assert (await connection.execute(period)).scalar_one().isempty


async def test_the_same_role_is_not_held_twice_at_once(
    connection: AsyncConnection, programme: ProgrammeId, ada: StaffId, ben: StaffId
) -> None:
    await people.grant(connection, to=ada, role=Role.COUNSELLOR, programme=programme, ends_at=NOW)
    elsewhere = await people.programme(connection)
    for where, starts_at in ((elsewhere, LONG_AGO), (programme, NOW)):
        row = a_grant(ada, ben, role=Role.COUNSELLOR, programme_id=where, starts_at=starts_at)
        await connection.execute(insert(tables.role_grant).values(**row))
        name = await refused(connection, tables.role_grant, **{**row, "id": new_id()})
        assert name == "role_grant_once_at_a_time"
    row = a_grant(ada, ben, role=Role.AUDITOR)
    await connection.execute(insert(tables.role_grant).values(**row))
    assert await refused(connection, tables.role_grant, **{**row, "id": new_id()}) == "role_grant_once_at_a_time"


async def test_a_role_is_confirmed_by_a_third_person_and_once(
    connection: AsyncConnection, programme: ProgrammeId, ada: StaffId, ben: StaffId, cleo: StaffId
) -> None:
    registration = await a_registration(connection, ada, ben)
    row = a_grant(ada, ben, role=Role.NURSE, programme_id=programme, registration_id=registration)
    await connection.execute(insert(tables.role_grant).values(**row))
    confirmation = {"grant_id": row["id"], "staff_id": ada, "granted_by": ben, "confirmed_at": NOW}
    table = tables.role_confirmation
    for by in (ada, ben):
        name = await refused(connection, table, **confirmation, confirmed_by=by)
        assert name == "role_confirmation_by_a_third_person_check"
    name = await refused(connection, table, **confirmation, confirmed_by=COMMAND_LINE)
    assert name == "role_confirmation_by_a_person_check"
    lie = {**confirmation, "granted_by": cleo}
    assert await refused(connection, table, **lie, confirmed_by=ben) == "role_confirmation_of_grant_fkey"
    await connection.execute(insert(table).values(**confirmation, confirmed_by=cleo))
    name = await refused(connection, table, **confirmation, confirmed_by=cleo)
    assert name == "role_confirmation_pkey"


async def test_a_reset_is_confirmed_by_a_third_person_and_once(
    connection: AsyncConnection, ada: StaffId, ben: StaffId, cleo: StaffId
) -> None:
    reset = new_id()
    await connection.execute(insert(tables.password_reset).values(id=reset, staff_id=ada, reset_by=ben, reset_at=NOW))
    confirmation = {"reset_id": reset, "staff_id": ada, "reset_by": ben, "confirmed_at": NOW}
    table = tables.reset_confirmation
    for by in (ada, ben):
        name = await refused(connection, table, **confirmation, confirmed_by=by)
        assert name == "reset_confirmation_by_a_third_person_check"
    lie = {**confirmation, "reset_by": cleo}
    assert await refused(connection, table, **lie, confirmed_by=ben) == "reset_confirmation_of_reset_fkey"
    await connection.execute(insert(table).values(**confirmation, confirmed_by=cleo))
    assert await refused(connection, table, **confirmation, confirmed_by=cleo) == "reset_confirmation_pkey"


async def test_a_shift_has_two_ends_and_lasts_a_day_at_most(
    connection: AsyncConnection, programme: ProgrammeId, ada: StaffId, ben: StaffId
) -> None:
    day = timedelta(hours=24)
    row = {"id": new_id(), "staff_id": ada, "programme_id": programme, "set_by": ben, "set_at": NOW}
    for period, name in (
        (Range(NOW, None), "duty_shift_period_has_an_end_check"),
        (Range(None, NOW), "duty_shift_period_has_an_end_check"),
        (Range(NOW, NOW), "duty_shift_period_has_an_end_check"),
        (Range(NOW, NOW + day + timedelta(microseconds=1)), "duty_shift_one_day_at_most_check"),
    ):
        assert await refused(connection, tables.duty_shift, **row, period=period) == name
    await connection.execute(insert(tables.duty_shift).values(**row, period=Range(NOW, NOW + day)))


INSERT_ONLY = [
    programme_tables.programme,
    tables.staff,
    tables.staff_password,
    tables.staff_deactivation,
    tables.password_reset,
    tables.reset_confirmation,
    tables.registration,
    tables.registration_check,
    tables.role_grant,
    tables.role_confirmation,
    tables.role_revocation,
    tables.duty_shift,
    tables.duty_shift_cancellation,
]


@pytest.mark.parametrize("table", INSERT_ONLY, ids=lambda table: str(table.name))
async def test_the_service_changes_and_removes_nothing_of_what_was_granted_and_done(
    connection: AsyncConnection, table: Table
) -> None:
    column = list(table.c)[-1] if table is not tables.role_grant else table.c.revoked_at
    for statement in (update(table).values({column: column}), delete(table)):
        with pytest.raises(ProgrammingError, match="permission denied"):
            async with connection.begin_nested():
                await connection.execute(statement)


async def test_the_service_cannot_say_that_a_role_was_revoked_without_revoking_it(
    connection: AsyncConnection, ada: StaffId, ben: StaffId
) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        await connection.execute(insert(tables.role_grant).values(**a_grant(ada, ben), revoked_at=NOW))


async def test_the_service_cannot_lengthen_or_hand_over_a_session(
    connection: AsyncConnection, ada: StaffId, ben: StaffId
) -> None:
    await people.signed_in(connection, ada)
    session = sign_in_tables.sign_in_session
    for values in ({"expires_at": NOW + timedelta(days=9)}, {"staff_id": ben}, {"token_digest": bytes(32)}):
        with pytest.raises(ProgrammingError, match="permission denied"):
            async with connection.begin_nested():
                await connection.execute(update(session).where(session.c.staff_id == ada).values(**values))
    with pytest.raises(ProgrammingError, match="permission denied"):
        await connection.execute(delete(session))


async def test_an_expiry_is_looked_up_by_somebody_else(connection: AsyncConnection, ada: StaffId, ben: StaffId) -> None:
    registration = await a_registration(connection, ada, ben)
    row = {
        "registration_id": registration,
        "number": 1,
        "staff_id": ada,
        "expires_on": date(2027, 1, 1),
        "checked_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    name = await refused(connection, tables.registration_check, **row, checked_by=ada)
    assert name == "registration_check_by_another_check"
