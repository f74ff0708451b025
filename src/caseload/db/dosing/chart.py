"""The medication chart in PostgreSQL."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Date, Row, Uuid, bindparam, select, union_all

from caseload.db.access import reach_of, within_reach
from caseload.db.dosing.day import DosingDays
from caseload.db.dosing.doses import IS_NEWEST
from caseload.db.dosing.known import KIND
from caseload.db.dosing.rows import DOSE_COLUMNS, GIVER_COLUMNS, dose_of, giver_word_of
from caseload.db.dosing.taken import FIRST, is_of_kind
from caseload.db.tables.caseload import client
from caseload.db.tables.dosing import dose, dose_correction
from caseload.db.tables.people import staff
from caseload.db.tables.second_look import dose_review
from caseload.db.tables.signature import signature
from caseload.db.tables.window_doses import dose_identity_check, dose_replacement, dose_vomited
from caseload.domain.access import Act
from caseload.domain.dosing import (
    Chart,
    Charted,
    Correction,
    DoseUnknown,
    Due,
    Reviewed,
    VomitedAfter,
)
from caseload.domain.ids import ClientId, CorrectionId, DoseId, StaffId
from caseload.domain.medication import MedicationRecord
from caseload.domain.people import Staff
from caseload.domain.profiles.around import IdentifiedBy
from caseload.domain.signature import Meaning

_reviewer = staff.alias("reviewer")


def _beside(column: ColumnElement[Any], where: ColumnElement[bool], name: str) -> ColumnElement[Any]:
    """Looked up for each dose that is shown: with one join more the planner would try no other order of them all."""
    return select(column).where(where).scalar_subquery().label(name)


CHARTED = (
    select(
        *DOSE_COLUMNS,
        dose_correction.c.id.label("correction_id"),
        dose_correction.c.dose_version.label("corrected_version"),
        dose_correction.c.reason.label("correction_reason"),
        dose_correction.c.signed_by.label("corrected_by"),
        dose_correction.c.signed_at.label("corrected_at"),
        dose_review.c.reviewed_by,
        dose_review.c.reviewed_at,
        dose_review.c.reason.label("rejection"),
        _reviewer.c.printed_name.label("reviewer_name"),
        signature.c.printed_name.label("signed_name"),
        signature.c.meaning,
        _beside(dose_identity_check.c.identified_by, dose_identity_check.c.dose_id == dose.c.id, "identified_by"),
        _beside(dose_vomited.c.minutes_after, dose_vomited.c.dose_id == dose.c.id, "minutes_after"),
        _beside(dose_vomited.c.witnessed, dose_vomited.c.dose_id == dose.c.id, "witnessed"),
        _beside(dose_vomited.c.recorded_at, dose_vomited.c.dose_id == dose.c.id, "vomited_recorded_at"),
        _beside(dose_replacement.c.dose_id, dose_replacement.c.id == dose.c.replacement_id, "replaces"),
        *GIVER_COLUMNS,
    )
    .select_from(
        dose.join(client, client.c.id == dose.c.client_id)
        .outerjoin(dose_correction, dose_correction.c.dose_id == dose.c.id)
        .outerjoin(dose_review, (dose_review.c.dose_id == dose.c.id) & (dose_review.c.dose_version == dose.c.version))
        .outerjoin(_reviewer, _reviewer.c.id == dose_review.c.reviewed_by)
        .outerjoin(signature, signature.c.id == dose_review.c.signature_id)
    )
    .where(within_reach())
)

_OF_CLIENT = union_all(
    *(
        select(dose.c.id).where(
            dose.c.client_id == bindparam("client", type_=Uuid()),
            dose.c.dosing_day >= bindparam("since", type_=Date()),
            dose.c.version == FIRST,
            kind,
        )
        for kind in is_of_kind()
    )
).subquery("recent")
_RECENT = CHARTED.where(dose.c.id.in_(select(_OF_CLIENT.c.id)), IS_NEWEST).order_by(
    dose.c.dosing_day.desc(), dose.c.given_at.desc().nulls_last(), dose.c.id.desc()
)
_VERSIONS = CHARTED.where(dose.c.id == bindparam("dose")).order_by(dose.c.version.desc())


class Charts(DosingDays):
    """Reads a client's medication chart."""

    async def chart(self, wanted: ClientId, *, by: Staff, act: Act, days: int) -> Chart:
        """The chart with the doses of the last days; raises `ClientUnknown` outside the person's reach."""
        record = await self.record(wanted, by=by, act=act)
        today = record.day_of(self._now)
        orders = await self.orders_of(wanted)
        due, *beside = await self.dues(today, record=record, orders=orders, place=record.where(by))
        return Chart(
            record=record,
            due=due,
            beside=beside,
            orders=orders,
            holds=await self.holds_of(wanted),
            decisions=await self.decisions_of(wanted),
            doses=await self.recent(wanted, since=today - timedelta(days=days), by=by, act=act),
        )

    async def dues_of(self, record: MedicationRecord, day: date) -> Sequence[Due]:
        """See `domain.dosing.Contacts.dues_of`."""
        return await self.dues(day, record=record, orders=await self.orders_of(record.client))

    async def recent(self, wanted: ClientId, *, since: date, by: Staff, act: Act) -> Sequence[Charted]:
        """The newest versions of the doses since a day, newest first."""
        given = {"client": wanted, "since": since, **reach_of(by.reach(act), at=self._now, by_identifier=True)}
        rows = (await self._connection.execute(_RECENT, given)).all()
        self._journal.saw(wanted, KIND)
        return [charted_of(row) for row in rows]

    async def versions(self, wanted: DoseId, *, by: Staff, act: Act) -> Sequence[Charted]:
        """Every version of a dose, newest first; raises `DoseUnknown` outside the person's reach."""
        given = {"dose": wanted, **reach_of(by.reach(act), at=self._now, by_identifier=True)}
        rows = (await self._connection.execute(_VERSIONS, given)).all()
        if not rows:
            raise DoseUnknown("Read the client's medication chart for the doses there are.")
        found = [charted_of(row, is_newest=row is rows[0]) for row in rows]
        self._journal.saw(found[0].dose.client, KIND)
        return found


def charted_of(row: Row[*tuple[Any, ...]], *, is_newest: bool = True) -> Charted:
    """The version of a dose in a row of `CHARTED`."""
    recorded = dose_of(row)
    reviewed = correction = None
    if row.reviewed_by is not None:
        reviewed = Reviewed(
            by=StaffId(row.reviewed_by),
            printed_name=row.signed_name or row.reviewer_name,
            at=row.reviewed_at,
            meaning=Meaning(row.meaning) if row.meaning is not None else None,
            reason=row.rejection,
        )
    if row.correction_id is not None:
        correction = Correction(
            id=CorrectionId(row.correction_id),
            dose=recorded.id,
            dose_version=row.corrected_version,
            client=recorded.client,
            dosing_day=recorded.dosing_day,
            part=recorded.part,
            reason=row.correction_reason,
            signed_by=StaffId(row.corrected_by),
            signed_at=row.corrected_at,
        )
    return Charted(
        dose=recorded,
        reviewed=reviewed,
        correction=correction,
        is_newest=is_newest,
        identified_by=IdentifiedBy(row.identified_by) if row.identified_by is not None else None,
        vomited=None
        if row.minutes_after is None
        else VomitedAfter(minutes=row.minutes_after, witnessed=row.witnessed, recorded_at=row.vomited_recorded_at),
        replaces=DoseId(row.replaces) if row.replaces is not None else None,
        giver=giver_word_of(row),
    )
