"""Clients in care, written straight into the tables: with an identity, an episode, and whoever looks after them."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.tables import caseload as tables
from caseload.domain.caseload import Edition, Episode, LevelOfCare
from caseload.domain.client import Sex
from caseload.domain.ids import ClientId, EpisodeId, ProgrammeId, StaffId, new_id
from tests.factories import people
from tests.factories.people import LONG_AGO

BORN = date(1984, 2, 29)
LEVEL = LevelOfCare(edition=Edition.ASAM_4, level="1.5")


@dataclass(frozen=True)
class InCare:
    """A client with an open episode."""

    id: ClientId
    episode: Episode


async def name(
    connection: AsyncConnection,
    client: ClientId,
    *,
    by: StaffId,
    given_name: str = "Alex",
    family_name: str = "Example",
    recorded_at: datetime = LONG_AGO,
) -> None:
    """The first version of a client's identity."""
    await connection.execute(
        insert(tables.client_identity).values(
            client_id=client,
            version=1,
            given_name=given_name,
            family_name=family_name,
            birth_date=BORN,
            birth_date_estimated=False,
            sex=Sex.UNKNOWN,
            recorded_by=by,
            recorded_at=recorded_at,
        )
    )


async def in_care(
    connection: AsyncConnection,
    *,
    programme: ProgrammeId,
    counsellor: StaffId,
    given_name: str = "Ada",
    family_name: str = "Lindqvist",
    since: datetime = LONG_AGO,
) -> InCare:
    """Somebody in care since long ago, with a responsible counsellor."""
    recorder = await people.bystander(connection)
    by = {"recorded_by": recorder, "recorded_at": since}
    client = ClientId(new_id())
    await connection.execute(
        insert(tables.client).values(id=client, programme_id=programme, registered_by=recorder, recorded_at=since)
    )
    await name(connection, client, given_name=given_name, family_name=family_name, by=recorder, recorded_at=since)
    episode = EpisodeId(new_id())
    await connection.execute(
        insert(tables.episode).values(
            id=episode,
            client_id=client,
            programme_id=programme,
            admitted_on=since.date(),
            period=Range(since, None),
            **by,
        )
    )
    await connection.execute(
        insert(tables.level_of_care).values(
            episode_id=episode, from_on=since.date(), edition=LEVEL.edition, level=LEVEL.level, **by
        )
    )
    await connection.execute(
        insert(tables.responsibility).values(
            id=new_id(),
            client_id=client,
            episode_id=episode,
            counsellor_id=counsellor,
            period=Range(since, None),
            **by,
        )
    )
    return InCare(
        id=client,
        episode=Episode(
            id=episode,
            client=client,
            programme=programme,
            admitted_on=since.date(),
            starts_at=since,
            ends_at=None,
            level=LEVEL,
            responsible=counsellor,
            returns_from=None,
        ),
    )


async def cover(
    connection: AsyncConnection, client: ClientId, *, counsellor: StaffId, starts_at: datetime, ends_at: datetime
) -> None:
    """Somebody stands in for a while."""
    await connection.execute(
        insert(tables.cover).values(
            id=new_id(),
            client_id=client,
            counsellor_id=counsellor,
            period=Range(starts_at, ends_at),
            reason="Leave",
            recorded_by=await people.bystander(connection),
            recorded_at=starts_at,
        )
    )
