"""People and programmes for tests, written straight into the tables: the constraints hold, the ceremonies do not."""

import secrets
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.tables import people as tables
from caseload.db.tables import programme as programme_tables
from caseload.db.tables import sign_in as sign_in_tables
from caseload.domain.access import CLINICIANS, CONFIRMED_BY_ANOTHER, Holding, Role
from caseload.domain.ids import GrantId, ProgrammeId, SessionId, StaffId, new_id
from caseload.domain.people import COMMAND_LINE, SessionRules, Staff, new_token, token_digest
from caseload.request.identity import RULES, LookUp, Uses, identify

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FAR_OFF = date(2099, 12, 31)


async def programme(
    connection: AsyncConnection,
    *,
    code: str | None = None,
    name: str = "Harbour House",
    time_zone: str = "Europe/London",
    profile: str = "UK",
) -> ProgrammeId:
    """A programme, open since long ago."""
    made = ProgrammeId(new_id())
    await connection.execute(
        insert(programme_tables.programme).values(
            id=made,
            code=code or f"P-{secrets.token_hex(5).upper()}",
            name=name,
            time_zone=time_zone,
            profile=profile,
            opened_at=LONG_AGO,
        )
    )
    return made


async def staff(
    connection: AsyncConnection,
    *,
    user_name: str | None = None,
    printed_name: str = "Robin Ashdown",
    holds: Iterable[tuple[Role, ProgrammeId | None]] = (),
    session: SessionId | None = None,
) -> Staff:
    """A person of the staff who holds these roles, granted, registered and confirmed since long ago."""
    made = StaffId(new_id())
    name = user_name or f"user-{secrets.token_hex(5)}"
    await connection.execute(
        insert(tables.staff).values(
            id=made, user_name=name, printed_name=printed_name, created_at=LONG_AGO, created_by=COMMAND_LINE
        )
    )
    holdings = tuple(holds)
    for role, where in holdings:
        await grant(connection, to=made, role=role, programme=where)
    return Staff(
        id=made,
        user_name=name,
        printed_name=printed_name,
        session=session,
        holdings=tuple(Holding(role=role, programme=where) for role, where in holdings),
    )


async def bystander(connection: AsyncConnection) -> StaffId:
    """Somebody who only lends a name to what must be done by another."""
    return (await staff(connection, printed_name="Sam Bystander")).id


async def grant(
    connection: AsyncConnection,
    *,
    to: StaffId,
    role: Role,
    programme: ProgrammeId | None,
    starts_at: datetime = LONG_AGO,
    ends_at: datetime | None = None,
    confirmed: bool = True,
    registered_until: date = FAR_OFF,
) -> GrantId:
    """A role as somebody granted it; confirmed by a third person where the role needs that."""
    granter = await bystander(connection)
    made = GrantId(new_id())
    registration = None
    if role in CLINICIANS:
        registration = new_id()
        await connection.execute(
            insert(tables.registration).values(
                id=registration,
                staff_id=to,
                body="NMC",
                number=secrets.token_hex(6).upper(),
                recorded_at=LONG_AGO,
                recorded_by=granter,
            )
        )
        await connection.execute(
            insert(tables.registration_check).values(
                registration_id=registration,
                number=1,
                staff_id=to,
                expires_on=registered_until,
                checked_at=LONG_AGO,
                checked_by=granter,
            )
        )
    if role is Role.INSPECTOR and ends_at is None:
        ends_at = datetime(2099, 12, 31, tzinfo=UTC)
    await connection.execute(
        insert(tables.role_grant).values(
            id=made,
            staff_id=to,
            programme_id=programme,
            role=role,
            starts_at=starts_at,
            ends_at=ends_at,
            granted_by=granter,
            granted_at=LONG_AGO,
            registration_id=registration,
        )
    )
    if confirmed and role in CONFIRMED_BY_ANOTHER:
        await connection.execute(
            insert(tables.role_confirmation).values(
                grant_id=made,
                staff_id=to,
                granted_by=granter,
                confirmed_by=await bystander(connection),
                confirmed_at=LONG_AGO,
            )
        )
    return made


async def on_duty(
    connection: AsyncConnection, *, who: StaffId, programme: ProgrammeId, starts_at: datetime, ends_at: datetime
) -> None:
    """A shift on duty."""
    await connection.execute(
        insert(tables.duty_shift).values(
            id=new_id(),
            staff_id=who,
            programme_id=programme,
            period=Range(starts_at, ends_at),
            set_by=await bystander(connection),
            set_at=LONG_AGO,
        )
    )


async def signed_in(
    connection: AsyncConnection, who: StaffId, *, at: datetime = NOW, for_: timedelta = timedelta(hours=12)
) -> str:
    """Open a session for this person and return its token."""
    token = new_token()
    await connection.execute(
        insert(sign_in_tables.sign_in_session).values(
            id=new_id(),
            token_digest=token_digest(token),
            staff_id=who,
            source_digest=bytes(32),
            methods=["password"],
            started_at=at,
            last_used_at=at,
            expires_at=at + for_,
        )
    )
    return token


async def identified(
    connection: AsyncConnection,
    token: str,
    now: datetime,
    *,
    rules: SessionRules = RULES,
    uses: Uses | None = None,
) -> Staff:
    """Who holds this token, asked alone on this connection."""

    async def connect() -> AsyncConnection:
        return connection

    return await identify(LookUp(), connect, token, now, rules=rules, uses=uses)
