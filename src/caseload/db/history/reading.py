"""What histories show, read back: one client as recorded, a programme as counts."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Row,
    Text,
    and_,
    any_,
    bindparam,
    case,
    distinct,
    exists,
    func,
    literal_column,
    select,
    union,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of, within_reach
from caseload.db.dosing.taken import is_of_kind, is_taken
from caseload.db.tables.caseload import client
from caseload.db.tables.dosing import dose
from caseload.db.tables.history import client_history, history_drug_screen, history_visit
from caseload.db.tables.medication import medication_record
from caseload.domain.access import Act
from caseload.domain.history import LONG_RUN, Outcome, is_daily
from caseload.domain.history.reading import (
    ClientHistory,
    Gap,
    ProgrammeHistory,
    Provenance,
    RecordedScreen,
    RecordedVisit,
    gaps,
)
from caseload.domain.ids import ClientId, ProgrammeId, StaffId
from caseload.domain.journal import Journal
from caseload.domain.medicines import FORMS, Medicine
from caseload.domain.people import Staff

_CLIENT: Final[BindParameter[Any]] = bindparam("client")
_later = history_visit.alias("later")
_newest = dose.alias("newest")
_newer = dose.alias("newer")

_DAILY: Final = [
    f"{medicine} {form}"
    for medicine, forms in sorted(FORMS.items())
    for form in sorted(forms)
    if is_daily(medicine, form)
]
"""What can be missed."""

_STANDS = ~exists().where(
    _later.c.replaces_history_id == history_visit.c.history_id, _later.c.replaces_line == history_visit.c.line
)
_BROUGHT_IN = exists().where(client_history.c.client_id == client.c.id)

_PROVENANCE = (
    select(
        client_history.c.source,
        client_history.c.external_id,
        client_history.c.recorded_at,
        client_history.c.recorded_by,
        client_history.c.last_day_covered,
        client_history.c.recorded,
    )
    .where(client_history.c.client_id == _CLIENT)
    .order_by(client_history.c.id)
)
_VISITS = (
    select(
        history_visit.c.scheduled_on,
        history_visit.c.label,
        history_visit.c.status,
        history_visit.c.reason,
        client_history.c.source,
        history_visit.c.line,
    )
    .join(client_history, client_history.c.id == history_visit.c.history_id)
    .where(history_visit.c.client_id == _CLIENT, _STANDS)
    .order_by(history_visit.c.scheduled_on.nulls_last(), history_visit.c.history_id, history_visit.c.line)
)
_SCREENS = (
    select(
        history_drug_screen.c.collected_on,
        history_drug_screen.c.substance,
        history_drug_screen.c.result,
        client_history.c.source,
        history_drug_screen.c.line,
    )
    .join(client_history, client_history.c.id == history_drug_screen.c.history_id)
    .where(history_drug_screen.c.client_id == _CLIENT)
    .order_by(history_drug_screen.c.collected_on, history_drug_screen.c.history_id, history_drug_screen.c.line)
)


def _daily_days(whose: ColumnElement[bool]) -> CompoundSelect[Any, Any, Any]:
    """The days on which clients took each daily medicine, as the newest version of each dose says.

    Ordinary doses and the others apart, because each has its own index.
    """
    is_newest = ~exists().where(_newer.c.id == _newest.c.id, _newer.c.version > _newest.c.version)
    return union(
        *(
            select(dose.c.client_id, dose.c.dosing_day, _newest.c.medicine)
            .join(_newest, _newest.c.id == dose.c.id)
            .where(
                whose,
                is_taken(dose),
                kind,
                is_newest,
                (_newest.c.medicine + " " + _newest.c.form) == any_(bindparam("daily", type_=ARRAY(Text()))),
            )
            for kind in is_of_kind()
        )
    )


_days_of_client = _daily_days(dose.c.client_id == _CLIENT).subquery("days")
_HISTORY_UNTIL = select(medication_record.c.history_until).where(medication_record.c.client_id == _CLIENT)
_DAYS = select(_days_of_client.c.dosing_day)

_within = (
    select(client.c.id)
    .where(client.c.programme_id == bindparam("programme"), _BROUGHT_IN, within_reach())
    .cte("people")
)
_days = _daily_days(dose.c.client_id.in_(select(_within.c.id))).cte("days")
_day = select(_days.c.client_id, _days.c.dosing_day).distinct().subquery("day")
_gaps = (
    select(
        _day.c.client_id,
        _day.c.dosing_day,
        func.lag(_day.c.dosing_day).over(partition_by=_day.c.client_id, order_by=_day.c.dosing_day).label("after"),
        medication_record.c.history_until,
    )
    .select_from(_day.outerjoin(medication_record, medication_record.c.client_id == _day.c.client_id))
    .subquery("gaps")
)
_between: ColumnElement[int] = _gaps.c.dosing_day - _gaps.c.after - 1
_missed = case(
    (
        and_(_gaps.c.after <= _gaps.c.history_until, _gaps.c.history_until < _gaps.c.dosing_day),
        func.least(_between, _gaps.c.history_until - _gaps.c.after),
    ),
    else_=_between,
)
_RUNS = (
    select(func.least(_missed, LONG_RUN).label("length"), func.count().label("runs"))
    .where(_missed > 0)
    .group_by(literal_column("length"))
)
_AFTER_MISSED = (
    select(_days.c.medicine, _missed.label("missed"), func.count().label("doses"))
    .select_from(
        _gaps.join(_days, and_(_days.c.client_id == _gaps.c.client_id, _days.c.dosing_day == _gaps.c.dosing_day))
    )
    .where(_missed > 0)
    .group_by(_days.c.medicine, literal_column("missed"))
)
_PEOPLE = select(
    select(func.count()).select_from(_within).scalar_subquery().label("people"),
    select(func.count(distinct(_days.c.client_id))).scalar_subquery().label("with_daily"),
    select(func.count())
    .select_from(history_drug_screen)
    .where(history_drug_screen.c.client_id.in_(select(_within.c.id)))
    .scalar_subquery()
    .label("screens"),
)
_ATTENDANCE = (
    select(
        history_visit.c.status,
        func.count().label("visits"),
        func.count().filter(history_visit.c.scheduled_on.is_(None)).label("without_day"),
    )
    .where(history_visit.c.client_id.in_(select(_within.c.id)), _STANDS)
    .group_by(history_visit.c.status)
)


class HistoryReadings:
    """Reads histories back."""

    def __init__(self, connection: AsyncConnection, journal: Journal, *, now: datetime) -> None:
        self._connection = connection
        self._journal = journal
        self._now = now

    async def of(self, whom: ClientId) -> ClientHistory:
        """Everything that was brought in of a client whom the reader may see, as it was recorded."""
        wanted = {"client": whom}
        provenance = [_provenance(row) for row in await self._connection.execute(_PROVENANCE, wanted)]
        visits = [_visit(row) for row in await self._connection.execute(_VISITS, wanted)]
        screens = [_screen(row) for row in await self._connection.execute(_SCREENS, wanted)]
        self._journal.saw(whom, "history")
        return ClientHistory(
            client=whom, provenance=provenance, visits=visits, screens=screens, gaps=await self._gaps_of(whom)
        )

    async def _gaps_of(self, whom: ClientId) -> Sequence[Gap]:
        until = (await self._connection.execute(_HISTORY_UNTIL, {"client": whom})).scalar_one_or_none()
        days = await self._connection.execute(_DAYS, {"client": whom, "daily": _DAILY})
        return list(gaps((row.dosing_day for row in days), until))

    async def shown_by(self, programme: ProgrammeId, *, by: Staff) -> ProgrammeHistory:
        """Counts over the people of a programme who came with a history, as far as the reader sees. Shows nobody."""
        given = {"programme": programme, "daily": _DAILY, **reach_of(by.reach(Act.SEE_MEDICATION), at=self._now)}
        runs = Counter({row.length: row.runs for row in await self._connection.execute(_RUNS, given)})
        after_missed = await self._connection.execute(_AFTER_MISSED, given)
        people = (await self._connection.execute(_PEOPLE, given)).one()
        attendance = (await self._connection.execute(_ATTENDANCE, given)).all()
        return ProgrammeHistory(
            people=people.people,
            people_with_daily_doses=people.with_daily,
            missed_runs=runs,
            after_missed=Counter({(Medicine(row.medicine), row.missed): row.doses for row in after_missed}),
            visits=Counter({Outcome(row.status): row.visits for row in attendance}),
            visits_without_day=sum(row.without_day for row in attendance),
            screens=people.screens,
        )


def _provenance(row: Row[*tuple[Any, ...]]) -> Provenance:
    return Provenance(
        source=row.source,
        external_id=row.external_id,
        brought_in_at=row.recorded_at,
        brought_in_by=StaffId(row.recorded_by),
        last_day_covered=row.last_day_covered,
        recorded=row.recorded,
    )


def _visit(row: Row[*tuple[Any, ...]]) -> RecordedVisit:
    return RecordedVisit(
        scheduled_on=row.scheduled_on,
        label=row.label,
        status=Outcome(row.status),
        reason=row.reason,
        source=row.source,
        line=row.line,
    )


def _screen(row: Row[*tuple[Any, ...]]) -> RecordedScreen:
    return RecordedScreen(
        collected_on=row.collected_on,
        substance=row.substance,
        result=row.result,
        source=row.source,
        line=row.line,
    )
