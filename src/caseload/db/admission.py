"""What belongs to an admission, as it was done, in PostgreSQL."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Uuid, any_, bindparam, exists, insert, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of, within_reach
from caseload.db.periods import running
from caseload.db.tables.admission import admission_done, admission_done_taken_back
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client, client_identity, episode
from caseload.domain.access import Reach
from caseload.domain.admission import (
    AdmissionDone,
    AdmissionDoneTakenBack,
    Admitted,
    Duty,
    Said,
)
from caseload.domain.ids import AdmissionDoneId, ClientId, EpisodeId, ProgrammeId, StaffId
from caseload.domain.journal import Journal
from caseload.domain.taken_back import TakenBack

_later = client_identity.alias("later")

OF_EPISODE: Final = (
    select(
        *admission_done.c,
        admission_done_taken_back.c.reason,
        admission_done_taken_back.c.recorded_by.label("taken_back_by"),
        admission_done_taken_back.c.recorded_at.label("taken_back_at"),
    )
    .select_from(
        admission_done.outerjoin(
            admission_done_taken_back, admission_done_taken_back.c.admission_done_id == admission_done.c.id
        )
    )
    .where(admission_done.c.episode_id == bindparam("episode"))
    .order_by(admission_done.c.done_on, admission_done.c.id)
)
ADMITTED_IN: Final = (
    select(
        client.c.id.label("client_id"),
        client_identity.c.given_name,
        client_identity.c.family_name,
        episode.c.id.label("episode_id"),
        episode.c.admitted_on,
    )
    .select_from(
        client.join(client_identity, client_identity.c.client_id == client.c.id).join(
            episode, episode.c.client_id == client.c.id
        )
    )
    .where(
        client.c.programme_id == bindparam("programme", type_=Uuid()),
        ~exists().where(_later.c.client_id == client.c.id, _later.c.version > client_identity.c.version),
        running(episode.c.period, bindparam("now", type_=INSTANT)),
        within_reach(),
    )
    .order_by(episode.c.admitted_on, client.c.id)
)
"""The open episodes of a programme, the longest first."""
COUNTED: Final = select(
    admission_done.c.episode_id, admission_done.c.duty, admission_done.c.done_on, admission_done.c.done_by
).where(
    admission_done.c.episode_id == any_(bindparam("episodes", type_=ARRAY(Uuid()))),
    ~exists().where(admission_done_taken_back.c.admission_done_id == admission_done.c.id),
)
_ADD, _TAKE_BACK = insert(admission_done), insert(admission_done_taken_back)


class KeptAdmissions:
    """Satisfies `domain.admission.Admissions`. Whoever asks has been let through to the client before."""

    def __init__(self, connection: AsyncConnection, journal: Journal) -> None:
        self._connection = connection
        self._journal = journal

    async def of(self, wanted: EpisodeId, client: ClientId) -> Sequence[AdmissionDone]:
        """Every record of an episode, the first day first, also what was taken back."""
        rows = (await self._connection.execute(OF_EPISODE, {"episode": wanted})).all()
        self._journal.saw(client, "episode")
        return [_done(row) for row in rows]

    async def add(self, new: AdmissionDone, /) -> None:
        """See `domain.admission.Admissions.add`."""
        await self._connection.execute(
            _ADD,
            {
                "id": new.id,
                "episode_id": new.episode,
                "duty": new.said.duty,
                "done_on": new.said.done_on,
                "done_by": new.said.done_by,
                "recorded_by": new.recorded_by,
                "recorded_at": new.recorded_at,
            },
        )

    async def add_taken_back(self, wrong: AdmissionDone, taken_back: TakenBack, /) -> None:
        """See `domain.admission.Admissions.add_taken_back`."""
        try:
            await self._connection.execute(
                _TAKE_BACK,
                {
                    "admission_done_id": wrong.id,
                    "reason": taken_back.reason,
                    "recorded_by": taken_back.by,
                    "recorded_at": taken_back.at,
                },
            )
        except IntegrityError as raced:
            raise AdmissionDoneTakenBack("Read the clocks of the client's admission again.") from raced


async def admitted_in(
    connection: AsyncConnection, programme: ProgrammeId, *, reach: Reach, at: datetime
) -> Sequence[Admitted]:
    """Everybody in care at a programme, with what of their admission counts as done, the longest first.

    Whoever shows somebody of them tells the journal.
    """
    rows = (await connection.execute(ADMITTED_IN, {"programme": programme, "now": at, **reach_of(reach, at=at)})).all()
    counted = (await connection.execute(COUNTED, {"episodes": [row.episode_id for row in rows]})).all()
    done: dict[UUID, list[Said]] = defaultdict(list)
    for each in counted:
        done[each.episode_id].append(_said(each))
    return [
        Admitted(
            client=ClientId(row.client_id),
            episode=EpisodeId(row.episode_id),
            given_name=row.given_name,
            family_name=row.family_name,
            admitted_on=row.admitted_on,
            done=done[row.episode_id],
        )
        for row in rows
    ]


def _said(row: Row[*tuple[Any, ...]]) -> Said:
    return Said(duty=Duty(row.duty), done_on=row.done_on, done_by=row.done_by)


def _done(row: Row[*tuple[Any, ...]]) -> AdmissionDone:
    return AdmissionDone(
        id=AdmissionDoneId(row.id),
        episode=EpisodeId(row.episode_id),
        said=_said(row),
        recorded_by=StaffId(row.recorded_by),
        recorded_at=row.recorded_at,
        taken_back=None
        if row.reason is None
        else TakenBack(reason=row.reason, by=StaffId(row.taken_back_by), at=row.taken_back_at),
    )
