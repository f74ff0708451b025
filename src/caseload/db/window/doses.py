"""What came up of doses again in PostgreSQL, and what clinicians decided about whatever was lost."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Uuid, any_, bindparam, exists, insert, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of, within_reach
from caseload.db.dosing.known import KIND
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client
from caseload.db.tables.dosing import dose, dose_correction
from caseload.db.tables.window_doses import dose_replacement, dose_vomited
from caseload.db.window.spills import SPILLED_OF, Spills
from caseload.domain.access import Act
from caseload.domain.ids import (
    ClientId,
    DoseId,
    ProgrammeId,
    ReplacementId,
    StaffId,
    VomitId,
)
from caseload.domain.medicines import DosePart
from caseload.domain.people import Staff
from caseload.domain.signature import Signature
from caseload.domain.window import (
    AlreadyVomited,
    Loss,
    LossUnknown,
    Replacement,
    Verdict,
    Vomited,
)

_DOSE = bindparam("dose", type_=Uuid())
_replaces = dose_replacement.alias("decided")
_VOMITED = select(
    dose_vomited.c.id,
    dose_vomited.c.dose_id,
    dose_vomited.c.dose_version,
    dose_vomited.c.client_id,
    dose_vomited.c.programme_id,
    dose_vomited.c.dosing_day,
    dose_vomited.c.part,
    dose_vomited.c.minutes_after,
    dose_vomited.c.witnessed,
    dose_vomited.c.note,
    dose_vomited.c.recorded_by,
    dose_vomited.c.recorded_at,
)
VOMITED_OF: Final = _VOMITED.where(dose_vomited.c.dose_id == _DOSE)
UNDECIDED: Final = (
    _VOMITED.join(client, client.c.id == dose_vomited.c.client_id)
    .where(
        dose_vomited.c.programme_id == bindparam("programme"),
        dose_vomited.c.recorded_at >= bindparam("since", type_=INSTANT),
        ~exists().where(_replaces.c.dose_id == dose_vomited.c.dose_id),
        within_reach(),
    )
    .order_by(dose_vomited.c.recorded_at, dose_vomited.c.id)
)
_REPLACEMENT = select(
    dose_replacement.c.id,
    dose_replacement.c.dose_id,
    dose_replacement.c.dose_version,
    dose_replacement.c.client_id,
    dose_replacement.c.programme_id,
    dose_replacement.c.dosing_day,
    dose_replacement.c.part,
    dose_replacement.c.verdict,
    dose_replacement.c.at_most_mg,
    dose_replacement.c.reason,
    dose_replacement.c.asked,
    dose_replacement.c.decided_by,
    dose_replacement.c.decided_at,
    dose_replacement.c.profile,
    dose_replacement.c.profile_version,
)
REPLACEMENTS_OF: Final = _REPLACEMENT.where(dose_replacement.c.dose_id == _DOSE).order_by(dose_replacement.c.id.desc())
_ONE_REPLACEMENT = _REPLACEMENT.join(client, client.c.id == dose_replacement.c.client_id).where(
    dose_replacement.c.id == bindparam("replacement"), within_reach()
)
REPLACED_BY: Final = (
    select(dose.c.id)
    .select_from(dose.join(dose_replacement, dose_replacement.c.id == dose.c.replacement_id))
    .where(
        dose_replacement.c.dose_id == _DOSE,
        dose.c.replacement_id.is_not(None),
        dose.c.version == 1,
        ~exists().where(dose_correction.c.dose_id == dose.c.id),
    )
)
_REPLACEMENTS_NAMED = _REPLACEMENT.where(dose_replacement.c.id == any_(bindparam("wanted", type_=ARRAY(Uuid()))))
_ADD_VOMITED, _ADD_REPLACEMENT = insert(dose_vomited), insert(dose_replacement)


class LostDoses(Spills):
    """Satisfies `domain.window.VomitedDoses` and `Replacements`, and what its base does."""

    async def add_vomited(self, vomited: Vomited) -> None:
        """See `domain.window.VomitedDoses.add_vomited`."""
        try:
            await self._connection.execute(
                _ADD_VOMITED,
                {
                    "id": vomited.id,
                    "dose_id": vomited.dose,
                    "dose_version": vomited.dose_version,
                    "client_id": vomited.client,
                    "programme_id": vomited.programme,
                    "dosing_day": vomited.dosing_day,
                    "part": vomited.part,
                    "minutes_after": vomited.minutes_after,
                    "witnessed": vomited.witnessed,
                    "note": vomited.note,
                    "recorded_by": vomited.recorded_by,
                    "recorded_at": vomited.recorded_at,
                },
            )
        except IntegrityError as twice:
            raise AlreadyVomited("Read the client's medication chart.", dose=str(vomited.dose)) from twice

    async def vomited(self, wanted: DoseId, *, by: Staff, act: Act) -> Vomited:
        """What is recorded of a dose that came back; raises `DoseUnknown` outside the reach, `LossUnknown`."""
        await self.dose(wanted, by=by, act=act)
        row = (await self._connection.execute(VOMITED_OF, {"dose": wanted})).first()
        if row is None:
            raise LossUnknown("Read the client's medication chart.")
        return _vomited(row)

    async def undecided(self, programme: ProgrammeId, *, since: datetime, by: Staff, act: Act) -> Sequence[Vomited]:
        """The doses that came back since then, of which nobody has decided whether they are replaced; oldest first."""
        given = {"programme": programme, "since": since, **reach_of(by.reach(act), at=self._now)}
        found = [_vomited(row) for row in (await self._connection.execute(UNDECIDED, given)).all()]
        for each in found:
            self._journal.saw(each.client, KIND)
        return found

    async def loss_of(self, wanted: DoseId) -> Loss:
        """See `domain.window.Replacements.loss_of`."""
        given = {"dose": wanted}
        vomited = (await self._connection.execute(VOMITED_OF, given)).first()
        spilled: Decimal = (await self._connection.execute(SPILLED_OF, given)).scalar_one()
        decision = (await self._connection.execute(REPLACEMENTS_OF, given)).first()
        replaced_by = (await self._connection.execute(REPLACED_BY, given)).scalar_one_or_none()
        return Loss(
            minutes_after=vomited.minutes_after if vomited is not None else None,
            witnessed=vomited is not None and vomited.witnessed,
            spilled_mg=spilled,
            decision=_replacement(decision) if decision is not None else None,
            replaced_by=DoseId(replaced_by) if replaced_by is not None else None,
        )

    async def add_replacement(self, decision: Replacement, signature: Signature) -> None:
        """See `domain.window.Replacements.add_replacement`."""
        await self.add(signature)
        await self._connection.execute(
            _ADD_REPLACEMENT,
            {
                "id": decision.id,
                "dose_id": decision.dose,
                "dose_version": decision.dose_version,
                "client_id": decision.client,
                "programme_id": decision.programme,
                "dosing_day": decision.dosing_day,
                "part": decision.part,
                "verdict": decision.verdict,
                "at_most_mg": decision.at_most_mg,
                "reason": decision.reason,
                "asked": list(decision.asked),
                "decided_by": decision.decided_by,
                "decided_at": decision.decided_at,
                "profile": decision.profile,
                "profile_version": decision.profile_version,
                "signature_id": signature.id,
            },
        )

    async def replacement(self, wanted: ReplacementId, *, by: Staff, act: Act) -> Replacement:
        """One decision; raises `LossUnknown` outside the person's reach."""
        given = {"replacement": wanted, **reach_of(by.reach(act), at=self._now)}
        row = (await self._connection.execute(_ONE_REPLACEMENT, given)).first()
        if row is None:
            raise LossUnknown("Read the client's medication chart.")
        self._journal.saw(ClientId(row.client_id), KIND)
        return _replacement(row)


async def replacements_named(connection: AsyncConnection, wanted: Sequence[UUID]) -> Sequence[Replacement]:
    """These decisions, whoever asks: for verifying what was signed."""
    rows = (await connection.execute(_REPLACEMENTS_NAMED, {"wanted": list(wanted)})).all()
    return [_replacement(row) for row in rows]


def _vomited(row: Row[*tuple[Any, ...]]) -> Vomited:
    return Vomited(
        id=VomitId(row.id),
        dose=DoseId(row.dose_id),
        dose_version=row.dose_version,
        client=ClientId(row.client_id),
        programme=ProgrammeId(row.programme_id),
        dosing_day=row.dosing_day,
        part=DosePart(row.part),
        minutes_after=row.minutes_after,
        witnessed=row.witnessed,
        note=row.note,
        recorded_by=StaffId(row.recorded_by),
        recorded_at=row.recorded_at,
    )


def _replacement(row: Row[*tuple[Any, ...]]) -> Replacement:
    return Replacement(
        id=ReplacementId(row.id),
        dose=DoseId(row.dose_id),
        dose_version=row.dose_version,
        client=ClientId(row.client_id),
        programme=ProgrammeId(row.programme_id),
        dosing_day=row.dosing_day,
        part=DosePart(row.part),
        verdict=Verdict(row.verdict),
        at_most_mg=row.at_most_mg,
        reason=row.reason,
        asked=tuple(row.asked),
        decided_by=StaffId(row.decided_by),
        decided_at=row.decided_at,
        profile=row.profile,
        profile_version=row.profile_version,
    )
