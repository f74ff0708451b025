"""The queue of doses that wait for a second clinician, and how each ended, in PostgreSQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Select,
    SmallInteger,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import signing_reach_of, signs_for, within_reach
from caseload.db.dosing.doses import IS_NEWEST, KIND
from caseload.db.dosing.rows import DOSE_COLUMNS, dose_of
from caseload.db.people.grants import constants, in_force, works_here
from caseload.db.signature import Signatures, signature_of
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client
from caseload.db.tables.dosing import dose, dose_review, dose_waiting
from caseload.db.tables.people import role_grant
from caseload.db.tables.signature import signature
from caseload.domain.access import MAY, Act
from caseload.domain.dosing import Dose
from caseload.domain.ids import DoseId, ProgrammeId
from caseload.domain.journal import Journal
from caseload.domain.people import Staff
from caseload.domain.signature import Signature
from caseload.domain.signoff import Rejection, Verdict, Waiting

_DOSES = bindparam("doses", type_=ARRAY(Uuid()))
_SIGNER = bindparam("signer", type_=Uuid())
_waits = exists().where(
    dose_waiting.c.dose_id == dose.c.id,
    dose_waiting.c.dose_version == dose.c.version,
    dose_waiting.c.rejected_at.is_(None),
)
_signed_by_them = exists().where(
    dose_review.c.dose_id == dose.c.id,
    dose_review.c.dose_version == dose.c.version,
    dose_review.c.reviewed_by == _SIGNER,
    dose_review.c.signature_id.is_not(None),
)
_NEWEST = (
    select(*DOSE_COLUMNS)
    .join(client, client.c.id == dose.c.client_id)
    .where(
        dose.c.id == any_(_DOSES),
        IS_NEWEST,
        within_reach(signed_in=case((or_(_waits, _signed_by_them), dose.c.programme_id))),
    )
)
_asked = (
    func.unnest(_DOSES, bindparam("versions", type_=ARRAY(SmallInteger())))
    .table_valued("id", "version")
    .render_derived()
)
_SIGNED = (
    delete(dose_waiting)
    .where(
        tuple_(dose_waiting.c.dose_id, dose_waiting.c.dose_version).in_(select(_asked.c.id, _asked.c.version)),
        dose_waiting.c.rejected_at.is_(None),
    )
    .returning(dose_waiting.c.dose_id)
)
_REJECTED = (
    update(dose_waiting)
    .where(
        dose_waiting.c.dose_id == bindparam("dose"),
        dose_waiting.c.dose_version == bindparam("seen_version"),
        dose_waiting.c.rejected_at.is_(None),
    )
    .values(rejected_at=bindparam("at", type_=INSTANT))
    .returning(dose_waiting.c.dose_id)
)
_REVIEW = insert(dose_review)

_IN_QUEUE = (
    select(
        *DOSE_COLUMNS,
        dose_waiting.c.sign_by,
        dose_waiting.c.rejected_at,
        dose_review.c.reason.label("rejection"),
    )
    .select_from(dose_waiting)
    .join(dose, and_(dose.c.id == dose_waiting.c.dose_id, dose.c.version == dose_waiting.c.dose_version))
    .outerjoin(dose_review, and_(dose_review.c.dose_id == dose.c.id, dose_review.c.dose_version == dose.c.version))
)
_WAITING = _IN_QUEUE.join(client, client.c.id == dose.c.client_id).where(within_reach())
_PROGRAMME = bindparam("programme", type_=Uuid())
_after_is_exception = bindparam("after_is_exception", type_=Boolean())
_after = bindparam("after", type_=Uuid())
_QUEUE = (
    _IN_QUEUE.where(
        signs_for(_PROGRAMME),
        dose_waiting.c.programme_id == _PROGRAMME,
        dose_waiting.c.rejected_at.is_(None),
        or_(
            _after.is_(None),
            and_(_after_is_exception, ~dose_waiting.c.is_exception),
            and_(dose_waiting.c.is_exception == _after_is_exception, dose_waiting.c.dose_id > _after),
        ),
    )
    .order_by(dose_waiting.c.is_exception.desc(), dose_waiting.c.dose_id)
    .limit(bindparam("limit"))
)
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
_MADE = (
    select(*signature.c)
    .join(dose_review, dose_review.c.signature_id == signature.c.id)
    .where(
        dose_review.c.reviewed_by == _SIGNER,
        tuple_(dose_review.c.dose_id, dose_review.c.dose_version).in_(select(_asked.c.id, _asked.c.version)),
    )
)
_IS_EXCEPTION = select(func.bool_or(dose.c.kind == "exception")).where(dose.c.id == bindparam("dose"))


class SignOffs(Signatures):
    """Satisfies `domain.signoff.SignOffs`."""

    def __init__(self, connection: AsyncConnection, journal: Journal, *, now: datetime) -> None:
        super().__init__(connection)
        self._journal = journal
        self._now = now

    async def newest(self, doses: Sequence[DoseId], *, by: Staff) -> Sequence[Dose]:
        """See `domain.signoff.SignOffs.newest`."""
        reach = signing_reach_of(by.reach(Act.SIGN_OFF_DOSE), at=self._now)
        given = {"doses": list(doses), "signer": by.id, **reach}
        found = [dose_of(row) for row in (await self._connection.execute(_NEWEST, given)).all()]
        for each in found:
            self._journal.saw(each.client, KIND)
        return found

    async def add_sign_offs(self, signed: Sequence[tuple[Dose, Signature]]) -> Sequence[DoseId]:
        """See `domain.signoff.SignOffs.add_sign_offs`. Leaving the queue settles every race."""
        asked = {"doses": [each.id for each, _ in signed], "versions": [each.version for each, _ in signed]}
        left = set((await self._connection.execute(_SIGNED, asked)).scalars())
        kept = [(each, made) for each, made in signed if each.id in left]
        if kept:
            await self.add_all([made for _, made in kept])
            await self._connection.execute(
                _REVIEW,
                [
                    {
                        "dose_id": each.id,
                        "dose_version": each.version,
                        "verdict": Verdict.SIGNED,
                        "reviewed_by": made.statement.signer,
                        "reviewed_at": made.statement.signed_at,
                        "reason": None,
                        "signature_id": made.id,
                    }
                    for each, made in kept
                ],
            )
        return [each.id for each, _ in signed if each.id not in left]

    async def made_by(self, by: Staff, versions: Mapping[DoseId, int]) -> Sequence[Signature]:
        """See `domain.signoff.SignOffs.made_by`."""
        asked = {"signer": by.id, "doses": list(versions), "versions": list(versions.values())}
        return [signature_of(row) for row in (await self._connection.execute(_MADE, asked)).all()]

    async def add_rejection(self, rejection: Rejection) -> bool:
        """See `domain.signoff.SignOffs.add_rejection`."""
        asked = {"dose": rejection.dose, "seen_version": rejection.version, "at": rejection.rejected_at}
        if (await self._connection.execute(_REJECTED, asked)).first() is None:
            return False
        await self._connection.execute(
            _REVIEW,
            {
                "dose_id": rejection.dose,
                "dose_version": rejection.version,
                "verdict": Verdict.REJECTED,
                "reviewed_by": rejection.rejected_by,
                "reviewed_at": rejection.rejected_at,
                "reason": rejection.reason,
                "signature_id": None,
            },
        )
        return True

    async def queue(self, programme: ProgrammeId, *, by: Staff, after: UUID | None, limit: int) -> Sequence[Waiting]:
        """What waits for a signature in a programme, exceptions first, then the oldest."""
        is_exception = False
        if after is not None:
            is_exception = bool((await self._connection.execute(_IS_EXCEPTION, {"dose": after})).scalar())
        return await self._queued(
            _QUEUE,
            by,
            {"programme": programme, "after": after, "after_is_exception": is_exception, "limit": limit},
        )

    async def sent_back(self, *, by: Staff) -> Sequence[Waiting]:
        """What was sent back to this person, oldest first; then what was sent back to somebody who has left.

        A locum's last doses would otherwise stand in nobody's list: a colleague who may record doses there amends them.
        """
        own = await self._queued(_SENT_BACK, by, {"recorder": by.id})
        where = [each.programme for each in by.holdings if each.programme and each.role in MAY[Act.RECORD_DOSE]]
        asked = {"recorder": by.id, "programmes": where, "now": self._now}
        return [*own, *await self._queued(_LEFT_BEHIND, by, asked)]

    async def _queued(self, statement: Select[*tuple[Any, ...]], by: Staff, asked: dict[str, Any]) -> Sequence[Waiting]:
        given = {**asked, **signing_reach_of(by.reach(Act.SIGN_OFF_DOSE), at=self._now)}
        found: list[Waiting] = []
        for row in (await self._connection.execute(statement, given)).all():
            queued = dose_of(row)
            self._journal.saw(queued.client, KIND)
            found.append(
                Waiting(dose=queued, sign_by=row.sign_by, rejected_at=row.rejected_at, rejection=row.rejection)
            )
        return found
