"""What waits for a second clinician, in PostgreSQL: it costs what waits, whatever the record has grown to."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, Uuid, and_, any_, bindparam, exists, func, or_, select, true, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import signing_reach_of, signs_for, within_reach
from caseload.db.dosing.doses import IS_NEWEST
from caseload.db.dosing.known import KIND
from caseload.db.dosing.rows import DOSE_COLUMNS, GIVER_COLUMNS, dose_of, giver_word_of, rank
from caseload.db.people.grants import constants, in_force, works_here
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client
from caseload.db.tables.dosing import dose
from caseload.db.tables.people import role_grant
from caseload.db.tables.second_look import dose_review, dose_waiting
from caseload.domain.access import MAY, Act
from caseload.domain.ids import ClientId, ProgrammeId
from caseload.domain.journal import Journal
from caseload.domain.people import Staff
from caseload.domain.signoff import Waiting

_IS_OF_IT = and_(dose.c.id == dose_waiting.c.dose_id, dose.c.version == dose_waiting.c.dose_version)
_IN_QUEUE = (
    select(
        *DOSE_COLUMNS,
        *GIVER_COLUMNS,
        dose_waiting.c.sign_by,
        dose_waiting.c.rejected_at,
        dose_review.c.reason.label("rejection"),
    )
    .select_from(dose_waiting)
    .join(dose, _IS_OF_IT)
    .outerjoin(dose_review, and_(dose_review.c.dose_id == dose.c.id, dose_review.c.dose_version == dose.c.version))
)
_WAITING = _IN_QUEUE.join(client, client.c.id == dose.c.client_id).where(within_reach())

_after, _after_rank = bindparam("after", type_=Uuid()), bindparam("after_rank", type_=dose_waiting.c.risk.type)
_not_by = bindparam("not_by", type_=Uuid())
_place = func.unnest(bindparam("programmes", type_=ARRAY(Uuid()))).table_valued("id", name="place").render_derived()
_here = (
    select(dose_waiting.c.dose_id, dose_waiting.c.dose_version, dose_waiting.c.risk, dose_waiting.c.sign_by)
    .join(dose, _IS_OF_IT)
    .where(
        dose_waiting.c.programme_id == _place.c.id,
        dose_waiting.c.rejected_at.is_(None),
        or_(_after.is_(None), tuple_(dose_waiting.c.risk, dose_waiting.c.dose_id) > tuple_(_after_rank, _after)),
        or_(
            _not_by.is_(None),
            and_(
                dose.c.given_by != _not_by,
                dose.c.recorded_by != _not_by,
                dose.c.amended_by.is_distinct_from(_not_by),
            ),
        ),
    )
    .order_by(dose_waiting.c.risk, dose_waiting.c.dose_id)
    .limit(bindparam("limit"))
    .correlate(_place)
    .lateral("here")
)
_QUEUE = (
    select(*DOSE_COLUMNS, *GIVER_COLUMNS, _here.c.sign_by)
    .select_from(_place.join(_here, true()))
    .join(dose, and_(dose.c.id == _here.c.dose_id, dose.c.version == _here.c.dose_version))
    .where(signs_for(_place.c.id))
    .order_by(_here.c.risk, _here.c.dose_id)
    .limit(bindparam("limit"))
)
"""Of each programme no more than a page is read, by the index of what waits there."""

_SENT_BACK = _WAITING.where(
    dose_waiting.c.recorded_by == bindparam("recorder"), dose_waiting.c.rejected_at.is_not(None)
).order_by(dose_waiting.c.rejected_at, dose_waiting.c.dose_id)
_NOW = bindparam("now", type_=INSTANT)
_LEFT_BEHIND = _WAITING.where(
    dose_waiting.c.programme_id == any_(bindparam("programmes", type_=ARRAY(Uuid()))),
    dose_waiting.c.rejected_at.is_not(None),
    dose_waiting.c.recorded_by != bindparam("recorder"),
    ~exists().where(
        role_grant.c.staff_id == dose_waiting.c.recorded_by,
        role_grant.c.programme_id == dose_waiting.c.programme_id,
        role_grant.c.role.in_(constants(MAY[Act.RECORD_DOSE])),
        in_force(_NOW),
        works_here(_NOW),
    ),
).order_by(dose_waiting.c.rejected_at, dose_waiting.c.dose_id)
_RANK = select(rank(dose.c)).where(dose.c.id == bindparam("dose"), IS_NEWEST)


class Queue:
    """Reads what waits."""

    def __init__(self, connection: AsyncConnection, journal: Journal, *, now: datetime) -> None:
        self._connection = connection
        self._journal = journal
        self._now = now

    async def waiting(
        self,
        programmes: Sequence[ProgrammeId],
        *,
        by: Staff,
        after: UUID | None,
        limit: int,
        for_them: bool = False,
    ) -> Sequence[Waiting]:
        """What waits for a signature in these programmes, the highest risk first, then the oldest.

        `for_them` leaves out what this person gave, recorded or amended: they cannot be its second pair of eyes.
        """
        after_rank = None
        if after is not None:
            after_rank = (await self._connection.execute(_RANK, {"dose": after})).scalar() or 0
        asked = {
            "programmes": list(programmes),
            "after": after,
            "after_rank": after_rank,
            "not_by": by.id if for_them else None,
            "limit": limit,
        }
        return [_waiting(row) for row in await self._rows(_QUEUE, by, asked)]

    async def sent_back(self, *, by: Staff) -> Sequence[Waiting]:
        """What was sent back to this person, oldest first; then what was sent back to somebody who has left.

        A locum's last doses would otherwise stand in nobody's list: a colleague who may record doses there amends them.
        """
        own = await self._rows(_SENT_BACK, by, {"recorder": by.id})
        where = [each.programme for each in by.holdings if each.programme and each.role in MAY[Act.RECORD_DOSE]]
        left = await self._rows(_LEFT_BEHIND, by, {"recorder": by.id, "programmes": where, "now": self._now})
        return [_waiting(row, rejected_at=row.rejected_at, rejection=row.rejection) for row in (*own, *left)]

    async def _rows(
        self, statement: Select[*tuple[Any, ...]], by: Staff, asked: dict[str, Any]
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        given = {**asked, **signing_reach_of(by.reach(Act.SIGN_OFF_DOSE), at=self._now)}
        rows = (await self._connection.execute(statement, given)).all()
        for row in rows:
            self._journal.saw(ClientId(row.client_id), KIND)
        return rows


def _waiting(
    row: Row[*tuple[Any, ...]], *, rejected_at: datetime | None = None, rejection: str | None = None
) -> Waiting:
    return Waiting(
        dose=dose_of(row), sign_by=row.sign_by, rejected_at=rejected_at, rejection=rejection, giver=giver_word_of(row)
    )
