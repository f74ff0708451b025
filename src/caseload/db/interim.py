"""Interim treatment in PostgreSQL."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Table, Uuid, any_, bindparam, exists, func, insert, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of, within_reach
from caseload.db.periods import running
from caseload.db.programme import zone_at
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client, client_identity, episode
from caseload.db.tables.interim import interim_end, interim_plan, interim_taken_back, interim_treatment
from caseload.db.tables.programme import programme
from caseload.db.tables.screening import drug_screen
from caseload.domain.access import Reach
from caseload.domain.ids import ClientId, EpisodeId, InterimId, ProgrammeId, StaffId
from caseload.domain.interim import (
    READ_AGAIN,
    Begun,
    End,
    Ended,
    InterimRunning,
    InterimSettled,
    InterimTreatment,
    Plan,
    Waiting,
)
from caseload.domain.journal import Journal
from caseload.domain.taken_back import TakenBack

_later, _newer = client_identity.alias("later"), drug_screen.alias("newer")
_CLIENTS: Final = any_(bindparam("clients", type_=ARRAY(Uuid())))

OF_CLIENTS: Final = (
    select(
        *interim_treatment.c,
        interim_end.c.last_on.label("ended_on"),
        interim_end.c.how,
        interim_end.c.recorded_by.label("ended_by"),
        interim_end.c.recorded_at.label("ended_at"),
        interim_taken_back.c.reason,
        interim_taken_back.c.recorded_by.label("taken_back_by"),
        interim_taken_back.c.recorded_at.label("taken_back_at"),
        func.date(func.timezone(zone_at(func.upper(episode.c.period)), func.upper(episode.c.period))).label("left_on"),
    )
    .select_from(
        interim_treatment.outerjoin(interim_end, interim_end.c.interim_treatment_id == interim_treatment.c.id)
        .outerjoin(interim_taken_back, interim_taken_back.c.interim_treatment_id == interim_treatment.c.id)
        .outerjoin(episode, episode.c.id == interim_treatment.c.episode_id)
        .outerjoin(programme, programme.c.id == episode.c.programme_id)
    )
    .where(interim_treatment.c.client_id == _CLIENTS)
    .order_by(interim_treatment.c.started_on, interim_treatment.c.number)
)
PLANS_OF: Final = (
    select(*interim_plan.c)
    .join(interim_treatment, interim_treatment.c.id == interim_plan.c.interim_treatment_id)
    .where(interim_treatment.c.client_id == _CLIENTS)
    .order_by(interim_plan.c.interim_treatment_id, interim_plan.c.version)
)
RUNNING_IN: Final = (
    select(
        interim_treatment.c.id,
        client.c.id.label("client_id"),
        client_identity.c.given_name,
        client_identity.c.family_name,
    )
    .select_from(
        client.join(client_identity, client_identity.c.client_id == client.c.id)
        .join(episode, episode.c.client_id == client.c.id)
        .join(
            interim_treatment,
            (interim_treatment.c.client_id == client.c.id) & (interim_treatment.c.episode_id == episode.c.id),
        )
    )
    .where(
        client.c.programme_id == bindparam("programme", type_=Uuid()),
        running(episode.c.period, bindparam("now", type_=INSTANT)),
        ~exists().where(_later.c.client_id == client.c.id, _later.c.version > client_identity.c.version),
        ~exists().where(interim_end.c.interim_treatment_id == interim_treatment.c.id),
        ~exists().where(interim_taken_back.c.interim_treatment_id == interim_treatment.c.id),
        within_reach(),
    )
)
"""Whoever is in interim treatment at a programme."""
SCREENED: Final = select(drug_screen.c.client_id, drug_screen.c.drawn_on).where(
    drug_screen.c.client_id == _CLIENTS,
    drug_screen.c.drawn_on.is_not(None),
    drug_screen.c.refused.is_(False),
    ~exists().where(_newer.c.id == drug_screen.c.id, _newer.c.version > drug_screen.c.version),
)
"""The days of the random screens for which a sample was given, as the newest version of each says."""


class KeptInterims:
    """Satisfies `domain.interim.Interims`. Whoever asks has been let through to the client before."""

    def __init__(self, connection: AsyncConnection, journal: Journal) -> None:
        self._connection = connection
        self._journal = journal

    async def of(self, wanted: ClientId) -> Sequence[InterimTreatment]:
        """Every one of a client, the first day first, also what was taken back."""
        self._journal.saw(wanted, "episode")
        return (await _of_clients(self._connection, [wanted])).get(wanted, [])

    async def screened_on(self, wanted: ClientId) -> Sequence[date]:
        """On which days a random screen was drawn for which they gave a sample."""
        return (await _screened(self._connection, [wanted])).get(wanted, [])

    async def begin(self, new: InterimTreatment, /) -> None:
        """See `domain.interim.Interims.begin`."""
        try:
            await self._connection.execute(
                insert(interim_treatment),
                {
                    "id": new.id,
                    "client_id": new.client,
                    "number": new.number,
                    "episode_id": new.episode,
                    "elsewhere": new.begun.elsewhere,
                    "started_on": new.begun.started_on,
                    "last_on": new.begun.last_on,
                    "recorded_by": new.recorded_by,
                    "recorded_at": new.recorded_at,
                },
            )
        except IntegrityError as raced:
            raise InterimRunning(READ_AGAIN) from raced

    async def add_plan(self, of: InterimTreatment, plan: Plan, /) -> None:
        """See `domain.interim.Interims.add_plan`."""
        said = {"version": plan.version, "made_on": plan.made_on, "made_by": plan.made_by, "reason": plan.reason}
        await self._say(interim_plan, of, said, by=plan.recorded_by, at=plan.recorded_at)

    async def add_end(self, of: InterimTreatment, end: End, /) -> None:
        """See `domain.interim.Interims.add_end`."""
        said = {"last_on": end.last_on, "how": end.how}
        await self._say(interim_end, of, said, by=end.recorded_by, at=end.recorded_at)

    async def add_taken_back(self, wrong: InterimTreatment, taken_back: TakenBack, /) -> None:
        """See `domain.interim.Interims.add_taken_back`."""
        await self._say(interim_taken_back, wrong, {"reason": taken_back.reason}, by=taken_back.by, at=taken_back.at)

    async def _say(
        self, table: Table, of: InterimTreatment, said: Mapping[str, Any], *, by: StaffId, at: datetime
    ) -> None:
        try:
            await self._connection.execute(
                insert(table), {"interim_treatment_id": of.id, **said, "recorded_by": by, "recorded_at": at}
            )
        except IntegrityError as raced:
            raise InterimSettled(READ_AGAIN) from raced


async def interims_in(
    connection: AsyncConnection, wanted: ProgrammeId, *, reach: Reach, at: datetime
) -> Sequence[Waiting]:
    """Every interim treatment that runs in a programme. Whoever shows one of them tells the journal."""
    rows = (await connection.execute(RUNNING_IN, {"programme": wanted, "now": at, **reach_of(reach, at=at)})).all()
    clients = [ClientId(row.client_id) for row in rows]
    treatments, screened = await _of_clients(connection, clients), await _screened(connection, clients)
    return [
        Waiting(
            given_name=row.given_name,
            family_name=row.family_name,
            treatment=next(each for each in treatments[ClientId(row.client_id)] if each.id == row.id),
            all_of_client=treatments[ClientId(row.client_id)],
            screened_on=screened.get(ClientId(row.client_id), []),
        )
        for row in rows
    ]


async def _of_clients(
    connection: AsyncConnection, clients: Sequence[UUID]
) -> Mapping[ClientId, Sequence[InterimTreatment]]:
    plans: dict[UUID, list[Plan]] = defaultdict(list)
    for row in (await connection.execute(PLANS_OF, {"clients": clients})).all():
        plans[row.interim_treatment_id].append(_plan(row))
    found: dict[ClientId, list[InterimTreatment]] = defaultdict(list)
    for row in (await connection.execute(OF_CLIENTS, {"clients": clients})).all():
        found[ClientId(row.client_id)].append(_treatment(row, plans[row.id]))
    return found


async def _screened(connection: AsyncConnection, clients: Sequence[UUID]) -> Mapping[ClientId, Sequence[date]]:
    found: dict[ClientId, list[date]] = defaultdict(list)
    for row in (await connection.execute(SCREENED, {"clients": clients})).all():
        found[ClientId(row.client_id)].append(row.drawn_on)
    return found


def _plan(row: Row[*tuple[Any, ...]]) -> Plan:
    return Plan(
        version=row.version,
        made_on=row.made_on,
        made_by=row.made_by,
        reason=row.reason,
        recorded_by=StaffId(row.recorded_by),
        recorded_at=row.recorded_at,
    )


def _treatment(row: Row[*tuple[Any, ...]], plans: Sequence[Plan]) -> InterimTreatment:
    return InterimTreatment(
        id=InterimId(row.id),
        client=ClientId(row.client_id),
        number=row.number,
        episode=None if row.episode_id is None else EpisodeId(row.episode_id),
        begun=Begun(started_on=row.started_on, elsewhere=row.elsewhere, last_on=row.last_on),
        recorded_by=StaffId(row.recorded_by),
        recorded_at=row.recorded_at,
        left_on=row.left_on,
        plans=tuple(plans),
        end=None
        if row.ended_on is None
        else End(last_on=row.ended_on, how=Ended(row.how), recorded_by=StaffId(row.ended_by), recorded_at=row.ended_at),
        taken_back=None
        if row.reason is None
        else TakenBack(reason=row.reason, by=StaffId(row.taken_back_by), at=row.taken_back_at),
    )
