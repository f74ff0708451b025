"""How the second look at a dose ended, in PostgreSQL: leaving the queue settles every race."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import (
    SmallInteger,
    Uuid,
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

from caseload.db.access import signing_reach_of, within_reach
from caseload.db.dosing.doses import IS_NEWEST
from caseload.db.dosing.giver import disputed_of
from caseload.db.dosing.known import KIND
from caseload.db.dosing.rows import DOSE_COLUMNS, dose_of
from caseload.db.signature import Signatures, signature_of
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client
from caseload.db.tables.dosing import dose
from caseload.db.tables.second_look import dose_review, dose_waiting
from caseload.db.tables.signature import signature
from caseload.domain.access import Act
from caseload.domain.dosing import Dose
from caseload.domain.ids import DoseId
from caseload.domain.journal import Journal
from caseload.domain.people import Staff
from caseload.domain.signature import Signature
from caseload.domain.signoff import Rejection, Verdict

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
_locked = (
    select(dose_waiting.c.dose_id)
    .where(
        tuple_(dose_waiting.c.dose_id, dose_waiting.c.dose_version).in_(select(_asked.c.id, _asked.c.version)),
        dose_waiting.c.rejected_at.is_(None),
    )
    # In one order, whatever was asked: two who sign the same doses at once wait for each other once, and not for ever.
    .order_by(dose_waiting.c.dose_id)
    .with_for_update()
    .cte("locked")
)
_SIGNED = (
    delete(dose_waiting).where(dose_waiting.c.dose_id.in_(select(_locked.c.dose_id))).returning(dose_waiting.c.dose_id)
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

_MADE = (
    select(*signature.c)
    .join(dose_review, dose_review.c.signature_id == signature.c.id)
    .where(
        dose_review.c.reviewed_by == _SIGNER,
        tuple_(dose_review.c.dose_id, dose_review.c.dose_version).in_(select(_asked.c.id, _asked.c.version)),
    )
)


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

    async def disputed(self, doses: Collection[DoseId]) -> Collection[tuple[DoseId, int]]:
        """See `domain.signoff.SignOffs.disputed`."""
        return await disputed_of(self._connection, doses)

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
