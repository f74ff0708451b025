"""The whole of a client's chart in PostgreSQL, every version of everything: for the answers about a past moment."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from uuid import UUID

from sqlalchemy import Date, Uuid, any_, bindparam, select, union_all
from sqlalchemy.dialects.postgresql import ARRAY

from caseload.db.access import reach_of
from caseload.db.dosing.chart import CHARTED, charted_of
from caseload.db.dosing.doses import NOT_GIVEN
from caseload.db.dosing.known import KIND
from caseload.db.dosing.rows import not_given_of
from caseload.db.dosing.statements import Statements
from caseload.db.dosing.steps import ONE_SEEN, pre_dose_of
from caseload.db.dosing.taken import FIRST, is_of_kind
from caseload.db.flag import KeptFlags
from caseload.db.signature import signature_of
from caseload.db.tables.before_dose import dose_not_given, pre_dose_observation
from caseload.db.tables.dosing import dose
from caseload.db.tables.signature import signature
from caseload.db.takehome.returns import Returns
from caseload.domain.access import Act
from caseload.domain.dosing.chart import Charted
from caseload.domain.dosing.past import Contents, shown_days
from caseload.domain.dosing.past_beside import Beside
from caseload.domain.ids import ClientId
from caseload.domain.people import Staff
from caseload.domain.signature import Signature

_CLIENT = bindparam("client", type_=Uuid())
_SINCE, _UNTIL = bindparam("since", type_=Date()), bindparam("until", type_=Date())
_OF_DAYS = union_all(
    *(
        select(dose.c.id).where(
            dose.c.client_id == _CLIENT,
            dose.c.dosing_day >= _SINCE,
            dose.c.dosing_day <= _UNTIL,
            dose.c.version == FIRST,
            kind,
        )
        for kind in is_of_kind()
    )
).subquery("of_days")
VERSIONS = CHARTED.where(dose.c.id.in_(select(_OF_DAYS.c.id))).order_by(
    dose.c.dosing_day.desc(), dose.c.id.desc(), dose.c.version.desc()
)
"""Which doses there are the indexes of their recordings tell; their versions stand beside them."""
NOT_GIVEN_OF_DAYS = NOT_GIVEN.where(
    dose_not_given.c.client_id == _CLIENT, dose_not_given.c.dosing_day >= _SINCE, dose_not_given.c.dosing_day <= _UNTIL
).order_by(dose_not_given.c.recorded_at.desc(), dose_not_given.c.id.desc())
SEEN_OF_DAYS = ONE_SEEN.where(
    pre_dose_observation.c.client_id == _CLIENT,
    pre_dose_observation.c.dosing_day >= _SINCE,
    pre_dose_observation.c.dosing_day <= _UNTIL,
).order_by(pre_dose_observation.c.recorded_at.desc(), pre_dose_observation.c.id.desc())
SIGNATURES_UNDER = (
    select(*signature.c)
    .where(signature.c.subject_id == any_(bindparam("subjects", type_=ARRAY(Uuid()))))
    .order_by(signature.c.signed_at.desc(), signature.c.id.desc())
)


class Pasts(Returns):
    """Reads everything that was ever on a client's chart."""

    async def contents(self, wanted: ClientId, at: datetime, *, by: Staff, act: Act) -> tuple[Contents, date]:
        """Everything on the chart, with the doses of the days before a moment, and the dosing day of that moment.

        Raises `ClientUnknown` outside the person's reach.
        """
        record = await self.record(wanted, by=by, act=act)
        orders, holds = await self.orders_of(wanted), await self.holds_of(wanted)
        decisions, doses = await self.decisions_of(wanted), await self._versions(wanted, at, by=by, act=act)
        since, until = shown_days(at)
        given = {"client": wanted, "since": since, "until": until, **reach_of(by.reach(act), at=self._now)}
        not_given = [not_given_of(row) for row in (await self._connection.execute(NOT_GIVEN_OF_DAYS, given)).all()]
        seen = [pre_dose_of(row) for row in (await self._connection.execute(SEEN_OF_DAYS, given)).all()]
        corrections = {each.correction.id for each in doses if each.correction is not None}
        subjects: list[UUID] = [*(each.id for each in orders), *(each.id for each in decisions), *corrections]
        subjects.extend({each.dose.id for each in doses})
        contents = Contents(
            orders=orders,
            holds=holds,
            decisions=decisions,
            doses=doses,
            not_given=not_given,
            observations=seen,
            signatures=await self._signatures(subjects),
            beside=await self._beside(wanted, at, by=by, act=act),
        )
        return contents, record.day_of(at)

    async def _beside(self, wanted: ClientId, at: datetime, *, by: Staff, act: Act) -> Beside:
        since, until = shown_days(at)
        dispensed = await self.handed_out_for(wanted, since)
        statements = Statements(self._connection, self._journal, now=self._now)
        began = datetime.combine(since, time(), UTC)
        return Beside(
            decisions=await self.take_home_decisions_of(wanted),
            dispensed=dispensed,
            told=await self.told_of([unit.id for each in dispensed for unit in each.units]),
            statements=await statements.statements_about(wanted, since, until, by=by, act=act),
            flags=await KeptFlags(self._connection, self._journal).of(wanted),
            tasks=await self.tasks_since(wanted, began, by=by, act=act),
        )

    async def _versions(self, wanted: ClientId, at: datetime, *, by: Staff, act: Act) -> Sequence[Charted]:
        since, until = shown_days(at)
        reach = reach_of(by.reach(act), at=self._now, by_identifier=True)
        rows = (
            await self._connection.execute(VERSIONS, {"client": wanted, "since": since, "until": until, **reach})
        ).all()
        self._journal.saw(wanted, KIND)
        newest: dict[UUID, int] = {}
        for row in rows:
            newest.setdefault(row.id, row.version)
        return [charted_of(row, is_newest=row.version == newest[row.id]) for row in rows]

    async def _signatures(self, subjects: Iterable[UUID]) -> Sequence[Signature]:
        rows = (await self._connection.execute(SIGNATURES_UNDER, {"subjects": sorted(subjects)})).all()
        return [signature_of(row) for row in rows]
