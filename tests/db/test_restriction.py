"""Who is closed out by a restriction, to the microsecond, and what the constraints hold."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert, text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.people.sessions import by_tokens
from caseload.db.restriction import KeptRestrictions
from caseload.db.restriction.obligations import UNATTENDED
from caseload.db.tables.caseload import guest_stay
from caseload.domain.access import Apart, Role
from caseload.domain.ids import ClientId, NamingId, ProgrammeId, RestrictionId, StaffId, new_id
from caseload.domain.restriction import AlreadyNamed, AlreadyRestricted, Naming, Restriction, RestrictionKind
from tests.factories import clients, people
from tests.factories.checkin import Remembered
from tests.factories.clients import InCare
from tests.factories.explain import generic_plan_of
from tests.factories.people import NOW, identified

pytestmark = pytest.mark.anyio

INSTANT = timedelta(microseconds=1)


def kept(connection: AsyncConnection) -> KeptRestrictions:
    return KeptRestrictions(connection, Remembered(), now=NOW)


def a_restriction(of: InCare, *named: StaffId, until: datetime | None = None) -> Restriction:
    return Restriction(
        id=RestrictionId(new_id()),
        client=of.id,
        programme=of.episode.programme,
        kind=RestrictionKind.PUBLIC_PERSON,
        reason="Known from the news.",
        starts_at=NOW,
        until_at=until,
        recorded_by=named[0],
        named=tuple(Naming(id=NamingId(new_id()), staff=who, starts_at=NOW, until_at=None) for who in named),
    )


async def apart(connection: AsyncConnection, who: StaffId, *, at: datetime) -> Apart:
    token = await people.signed_in(connection, who, at=at)
    return (await identified(connection, token, at)).apart


async def test_whoever_is_not_named_is_closed_out_from_the_first_instant_to_the_last(
    connection: AsyncConnection,
) -> None:
    programme = await people.programme(connection)
    robin = (await people.staff(connection, holds=[(Role.COUNSELLOR, programme)])).id
    nurse = (await people.staff(connection, holds=[(Role.NURSE, programme)])).id
    client = await clients.in_care(connection, programme=programme, counsellor=robin)
    over = NOW + timedelta(days=1)
    new = a_restriction(client, robin, until=over)
    before = len((await apart(connection, nurse, at=NOW)).closed)
    await kept(connection).add(new)

    def closed(found: Apart) -> bool:
        return (client.id, programme) in found.closed

    assert not closed(await apart(connection, nurse, at=NOW - INSTANT))
    assert closed(await apart(connection, nurse, at=NOW))
    assert closed(await apart(connection, nurse, at=over - INSTANT))
    assert not closed(await apart(connection, nurse, at=over))
    assert len((await apart(connection, nurse, at=NOW)).closed) == before + 1

    assert client.id in (await apart(connection, robin, at=NOW)).named
    [naming] = new.named
    ended = replace(naming, ended_at=NOW + timedelta(hours=1))
    await kept(connection).end_naming(ended, by=robin)
    assert client.id in (await apart(connection, robin, at=NOW + timedelta(hours=1) - INSTANT)).named
    mine = await apart(connection, robin, at=NOW + timedelta(hours=1))
    assert client.id not in mine.named
    assert closed(mine)


async def test_a_guest_is_known_by_the_programme_that_hosts_them_too(connection: AsyncConnection) -> None:
    home, host = await people.programme(connection), await people.programme(connection)
    robin = (await people.staff(connection, holds=[(Role.COUNSELLOR, home)])).id
    client = await clients.in_care(connection, programme=home, counsellor=robin)
    await guest_of(connection, client.id, host, robin)
    await kept(connection).add(a_restriction(client, robin))
    stranger = await people.bystander(connection)
    closed = (await apart(connection, stranger, at=NOW)).closed
    assert {where for who, where in closed if who == client.id} == {home, host}


async def test_one_restriction_at_a_time_and_each_person_named_once(connection: AsyncConnection) -> None:
    programme = await people.programme(connection)
    robin = (await people.staff(connection, holds=[(Role.COUNSELLOR, programme)])).id
    client = await clients.in_care(connection, programme=programme, counsellor=robin)
    new = a_restriction(client, robin)
    await kept(connection).add(new)
    async with connection.begin_nested() as nested:
        with pytest.raises(AlreadyNamed):
            await kept(connection).add_naming(new.id, replace(new.named[0], id=NamingId(new_id())), by=robin)
        await nested.rollback()
    async with connection.begin_nested() as nested:
        with pytest.raises(AlreadyRestricted):
            await kept(connection).add(a_restriction(client, robin))
        await nested.rollback()


async def test_who_asks_and_what_is_owed_read_no_table_that_grows(connection: AsyncConnection) -> None:
    await connection.execute(text("set local enable_seqscan = off"))
    plan = await generic_plan_of(connection, by_tokens(1), {"digest_0": bytes(32), "now": NOW})
    assert not any("Seq Scan on client" in line or "Seq Scan on guest_stay" in line for line in plan), plan
    owed = await generic_plan_of(connection, UNATTENDED, {"programme": new_id(), "at": NOW})
    for table in ("check_in_waiting", "escalation", "care_task_open", "responsibility", "cover"):
        assert not any(f"Seq Scan on {table}" in line for line in owed), owed


async def guest_of(connection: AsyncConnection, client: ClientId, host: ProgrammeId, by: StaffId) -> None:
    await connection.execute(
        insert(guest_stay).values(
            id=new_id(),
            client_id=client,
            host_programme_id=host,
            period=Range(NOW - timedelta(days=1), NOW + timedelta(days=1)),
            reason="work",
            recorded_by=by,
            recorded_at=NOW,
        )
    )
