"""What the record says of a client that a duty to keep depends on."""

from datetime import date, timedelta

import pytest
from sqlalchemy import insert, update
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.erasure import Record
from caseload.db.tables import caseload as tables
from caseload.domain.client import ClientUnknown, Sex
from caseload.domain.ids import ClientId, new_id
from tests.factories import clients, people
from tests.factories.people import LONG_AGO, NOW

pytestmark = pytest.mark.anyio


async def test_the_end_of_care_and_the_youngest_age_count(connection: AsyncConnection) -> None:
    programme = await people.programme(connection)
    counsellor = await people.bystander(connection)
    made = await clients.in_care(connection, programme=programme, counsellor=counsellor)
    record = Record(connection)
    kept = await record.kept(made.id, last_access_at=NOW)
    assert (kept.programme, kept.in_care, kept.care_ended_at) == (programme, True, None)
    assert (kept.registered_at, kept.born_on, kept.last_access_at) == (LONG_AGO, date(1984, 2, 29), NOW)

    ended = NOW - timedelta(days=3)
    by = {"recorded_by": counsellor, "recorded_at": NOW}
    await connection.execute(
        insert(tables.client_identity).values(
            client_id=made.id,
            version=2,
            given_name="Ada",
            family_name="Lindqvist",
            birth_date=date(1994, 2, 28),
            birth_date_estimated=False,
            sex=Sex.UNKNOWN,
            reason="passport",
            **by,
        )
    )
    await connection.execute(
        insert(tables.discharge).values(episode_id=made.episode.id, effective_at=ended, reason="completed", **by)
    )
    await connection.execute(
        update(tables.responsibility)
        .where(tables.responsibility.c.client_id == made.id)
        .values(period=Range(LONG_AGO, ended))
    )
    await connection.execute(
        update(tables.episode).where(tables.episode.c.id == made.episode.id).values(period=Range(LONG_AGO, ended))
    )
    kept = await record.kept(made.id, last_access_at=None)
    assert (kept.in_care, kept.care_ended_at, kept.born_on) == (False, ended, date(1994, 2, 28))


async def test_of_nobody_nothing_is_known(connection: AsyncConnection) -> None:
    with pytest.raises(ClientUnknown):
        await Record(connection).kept(ClientId(new_id()), last_access_at=None)
