"""A client at a glance, in one statement over indexes."""

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BindParameter, Integer, and_, bindparam, case, exists, func, literal_column, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of, within_reach
from caseload.db.direct import Direct, Named
from caseload.db.merge import Merges
from caseload.db.periods import running
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client, client_identity, episode, level_of_care, responsibility
from caseload.db.tables.checkin import check_in_waiting
from caseload.db.tables.dosing import dose, dose_correction
from caseload.db.tables.hold import hold, medication_decision
from caseload.db.tables.medication import (
    medication_order,
    medication_order_days,
    medication_order_replacement,
    medication_order_signature,
    medication_order_stop,
)
from caseload.db.tables.people import staff
from caseload.db.tables.programme import programme
from caseload.db.tables.takehome import take_home_unit
from caseload.db.takehome.covering import counts
from caseload.domain.access import Reach
from caseload.domain.caseload import Edition, LevelOfCare
from caseload.domain.client import ClientUnknown, Identity, Sex
from caseload.domain.ids import ClientId, EpisodeId, OrderId, ProgrammeId, StaffId
from caseload.domain.journal import Journal
from caseload.domain.summary import InCare, OnMedication, Summary

_NOW: Final[BindParameter[datetime]] = bindparam("reach_at", type_=INSTANT)
_TODAY = func.timezone(programme.c.time_zone, _NOW).cast(dose.c.dosing_day.type)

_identity = (
    select(
        client_identity.c.version,
        client_identity.c.given_name,
        client_identity.c.family_name,
        client_identity.c.birth_date,
        client_identity.c.birth_date_estimated,
        client_identity.c.sex,
    )
    .where(client_identity.c.client_id == client.c.id)
    .order_by(client_identity.c.version.desc())
    .limit(1)
    .lateral("identity")
)
_level = (
    select(level_of_care.c.edition, level_of_care.c.level)
    .where(level_of_care.c.episode_id == episode.c.id, level_of_care.c.from_on <= _TODAY)
    .order_by(level_of_care.c.from_on.desc())
    .limit(1)
    .correlate(episode, programme)
    .lateral("level")
)
_care = (
    select(
        episode.c.id.label("episode_id"),
        episode.c.admitted_on,
        _level.c.edition,
        _level.c.level,
        responsibility.c.counsellor_id,
        staff.c.printed_name,
    )
    .select_from(
        episode.join(
            responsibility,
            and_(responsibility.c.episode_id == episode.c.id, running(responsibility.c.period, _NOW)),
        )
        .join(staff, staff.c.id == responsibility.c.counsellor_id)
        .join(_level, true())
    )
    .where(episode.c.client_id == client.c.id, episode.c.period.op("@>")(_NOW))
    .limit(1)
    .correlate(client, programme)
    .lateral("care")
)
_order = (
    select(medication_order.c.id.label("order_id"), medication_order.c.medicine, medication_order.c.form)
    .select_from(
        medication_order.join(
            medication_order_signature, medication_order_signature.c.order_id == medication_order.c.id
        ).outerjoin(
            medication_order_replacement,
            and_(
                medication_order_replacement.c.replaced_id == medication_order.c.id,
                medication_order_replacement.c.from_on <= _TODAY,
            ),
        )
    )
    .where(
        medication_order.c.client_id == client.c.id,
        medication_order.c.starts_on <= _TODAY,
        or_(medication_order.c.ends_on.is_(None), medication_order.c.ends_on >= _TODAY),
        medication_order_replacement.c.replaced_id.is_(None),
        ~exists().where(medication_order_stop.c.order_id == medication_order.c.id),
    )
    .order_by(medication_order_signature.c.signed_at.desc())
    .limit(1)
    .correlate(client, programme)
    .lateral("current_order")
)
_named, _other, _days = medication_order.alias("names_another"), medication_order.alias("other"), medication_order_days
_beside = case(
    (
        exists().where(_named.c.client_id == client.c.id, _named.c.beside_id.is_not(None)),
        select(_other.c.medicine)
        .select_from(_other.join(_days, _days.c.order_id == _other.c.id))
        .where(_other.c.client_id == client.c.id, _other.c.id != _order.c.order_id, _days.c.days.op("@>")(_TODAY))
        .limit(1)
        .correlate(client, programme, _order)
        .scalar_subquery(),
    ),
)
"""Looked up for the few who ever had two orders beside each other: an index of their own says so."""
_held = exists().where(hold.c.client_id == client.c.id, ~exists().where(medication_decision.c.hold_id == hold.c.id))
_FIRST = literal_column("1", Integer())


def _last_day(ordinary: Any) -> Any:
    """The last day with a dose taken, of one kind: each kind has its own index."""
    return (
        select(dose.c.dosing_day)
        .where(
            dose.c.client_id == client.c.id,
            ordinary,
            dose.c.version == _FIRST,
            ~exists().where(dose_correction.c.dose_id == dose.c.id),
        )
        .order_by(dose.c.dosing_day.desc())
        .limit(1)
        .scalar_subquery()
    )


_LAST_AT_HOME = (
    select(take_home_unit.c.for_on)
    .where(take_home_unit.c.client_id == client.c.id, take_home_unit.c.for_on <= _TODAY, counts(take_home_unit))
    .order_by(take_home_unit.c.for_on.desc())
    .limit(1)
    .scalar_subquery()
)
_LAST_DOSE = func.greatest(
    _last_day(dose.c.kind == literal_column("'ordinary'")),
    _last_day(dose.c.kind != literal_column("'ordinary'")),
    _LAST_AT_HOME,
)
_WAITING = select(
    func.count().filter(check_in_waiting.c.grace_ends_at < _NOW).label("overdue"),
    func.min(check_in_waiting.c.due_at).filter(check_in_waiting.c.due_at >= _NOW).label("next_at"),
).where(check_in_waiting.c.client_id == client.c.id)
_waiting = _WAITING.lateral("waiting")

SUMMARY: Final = (
    select(
        client.c.id,
        client.c.programme_id,
        client.c.has_merges,
        programme.c.name.label("programme_name"),
        _identity.c.version,
        _identity.c.given_name,
        _identity.c.family_name,
        _identity.c.birth_date,
        _identity.c.birth_date_estimated,
        _identity.c.sex,
        _care.c.episode_id,
        _care.c.admitted_on,
        _care.c.edition,
        _care.c.level,
        _care.c.counsellor_id,
        _care.c.printed_name,
        _order.c.order_id,
        _order.c.medicine,
        _order.c.form,
        _beside.label("beside"),
        _held.label("held"),
        _LAST_DOSE.label("last_dose_on"),
        _waiting.c.overdue,
        _waiting.c.next_at,
    )
    .select_from(
        client.join(programme, programme.c.id == client.c.programme_id)
        .join(_identity, true())
        .join(_waiting, true())
        .outerjoin(_care, true())
        .outerjoin(_order, true())
    )
    .where(client.c.id == bindparam("client"), within_reach())
)
_SUMMARY: Final = Direct(SUMMARY, anywhere=True)


class Summaries:
    """Satisfies `domain.summary.Summaries`."""

    def __init__(self, connection: AsyncConnection, journal: Journal, *, now: datetime) -> None:
        self._connection = connection
        self._journal = journal
        self._now = now

    async def of(self, wanted: ClientId, *, reach: Reach) -> Summary:
        """See `domain.summary.Summaries.of`."""
        given = {"client": wanted, **reach_of(reach, at=self._now, by_identifier=True)}
        row = await _SUMMARY.first(self._connection, given)
        if row is None:
            raise ClientUnknown
        self._journal.saw(wanted, "summary")
        summary = _summary(row)
        if row["has_merges"]:
            merges = Merges(self._connection, self._journal, now=self._now)
            summary = replace(summary, merges=await merges.merges_of(wanted, reach=reach))
        return summary


def _summary(row: Named) -> Summary:
    return Summary(
        client=ClientId(row["id"]),
        programme=ProgrammeId(row["programme_id"]),
        programme_name=row["programme_name"],
        identity=Identity(
            given_name=row["given_name"],
            family_name=row["family_name"],
            birth_date=row["birth_date"],
            birth_date_estimated=row["birth_date_estimated"],
            sex=Sex(row["sex"]),
        ),
        version=row["version"],
        care=_in_care(row),
        medication=_on_medication(row),
        overdue_check_ins=row["overdue"],
        next_check_in_at=row["next_at"],
    )


def _in_care(row: Named) -> InCare | None:
    if row["episode_id"] is None:
        return None
    return InCare(
        episode=EpisodeId(row["episode_id"]),
        admitted_on=row["admitted_on"],
        level=LevelOfCare(edition=Edition(row["edition"]), level=row["level"]),
        responsible=StaffId(row["counsellor_id"]),
        responsible_name=row["printed_name"],
    )


def _on_medication(row: Named) -> OnMedication | None:
    if row["order_id"] is None:
        return None
    return OnMedication(
        order=OrderId(row["order_id"]),
        medicine=row["medicine"],
        form=row["form"],
        beside=row["beside"],
        held=row["held"],
        last_dose_on=row["last_dose_on"],
    )
