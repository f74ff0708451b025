"""What the steps of an order rest on: the doses since it began, and what was seen before them. Read only with need."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Date, Row, Uuid, any_, bindparam, exists, false, func, insert, select, union_all
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.dosing.taken import FIRST
from caseload.db.tables.before_dose import pre_dose_observation
from caseload.db.tables.dosing import dose, dose_correction
from caseload.db.tables.takehome import take_home_unit
from caseload.db.tables.window_doses import dose_vomited
from caseload.db.takehome.covering import NO_HOUR, counts
from caseload.domain.dosing import Observed, PreDose, Sedation, TakenPart
from caseload.domain.ids import ClientId, HoldId, PreDoseId, ProgrammeId, StaffId
from caseload.domain.medicines import DosePart, Form, Medicine

_CLIENTS = any_(bindparam("clients", type_=ARRAY(Uuid())))
_SINCE, _DAY = bindparam("since", type_=Date()), bindparam("day", type_=Date())
_newest, _newer = dose.alias("newest_version"), dose.alias("newer_version")

_GIVEN_SINCE = (
    select(
        dose.c.client_id,
        dose.c.dosing_day,
        dose.c.part,
        _newest.c.amount_mg,
        _newest.c.given_at,
        exists().where(dose_vomited.c.dose_id == dose.c.id).label("came_back"),
        _newest.c.medicine,
        _newest.c.form,
    )
    .select_from(dose.join(_newest, _newest.c.id == dose.c.id))
    .where(
        dose.c.client_id == _CLIENTS,
        dose.c.dosing_day >= _SINCE,
        dose.c.dosing_day <= _DAY,
        dose.c.version == FIRST,
        ~exists().where(_newer.c.id == _newest.c.id, _newer.c.version > _newest.c.version),
        ~exists().where(dose_correction.c.dose_id == dose.c.id),
    )
)
_AT_HOME_SINCE = select(
    take_home_unit.c.client_id,
    take_home_unit.c.for_on,
    take_home_unit.c.part,
    take_home_unit.c.amount_mg,
    NO_HOUR,
    false(),
    take_home_unit.c.medicine,
    take_home_unit.c.form,
).where(
    take_home_unit.c.client_id == _CLIENTS,
    take_home_unit.c.for_on >= _SINCE,
    take_home_unit.c.for_on <= _DAY,
    counts(take_home_unit),
)
TAKEN_SINCE = union_all(_GIVEN_SINCE, _AT_HOME_SINCE)
SEEN_SINCE = select(
    pre_dose_observation.c.client_id,
    pre_dose_observation.c.dosing_day,
    pre_dose_observation.c.sedation,
    pre_dose_observation.c.intoxicated,
    func.coalesce(pre_dose_observation.c.seen_at, pre_dose_observation.c.recorded_at).label("seen_at"),
).where(
    pre_dose_observation.c.client_id == _CLIENTS,
    pre_dose_observation.c.dosing_day >= _SINCE,
    pre_dose_observation.c.dosing_day <= _DAY,
)
ONE_SEEN = select(
    pre_dose_observation.c.id,
    pre_dose_observation.c.client_id,
    pre_dose_observation.c.programme_id,
    pre_dose_observation.c.dosing_day,
    pre_dose_observation.c.sedation,
    pre_dose_observation.c.intoxicated,
    pre_dose_observation.c.note,
    pre_dose_observation.c.recorded_by,
    pre_dose_observation.c.recorded_at,
    pre_dose_observation.c.observation_id,
    pre_dose_observation.c.hold_id,
    pre_dose_observation.c.seen_at,
)
ADD_SEEN = insert(pre_dose_observation)


async def taken_since(
    connection: AsyncConnection, clients: Sequence[ClientId], since: date, day: date
) -> Mapping[ClientId, Sequence[TakenPart]]:
    """The doses that clients took from a day to another, here as their newest versions say, and at home."""
    found: dict[ClientId, list[TakenPart]] = defaultdict(list)
    for row in (await connection.execute(TAKEN_SINCE, {"clients": list(clients), "since": since, "day": day})).all():
        taken = TakenPart(
            day=row.dosing_day,
            part=DosePart(row.part),
            amount_mg=row.amount_mg,
            at=row.given_at,
            came_back=row.came_back,
            medicine=Medicine(row.medicine),
            form=Form(row.form),
        )
        found[ClientId(row.client_id)].append(taken)
    return found


async def seen_since(
    connection: AsyncConnection, clients: Sequence[ClientId], since: date, day: date
) -> Mapping[ClientId, Sequence[Observed]]:
    """What was seen of clients before doses from a day to another."""
    found: dict[ClientId, list[Observed]] = defaultdict(list)
    for row in (await connection.execute(SEEN_SINCE, {"clients": list(clients), "since": since, "day": day})).all():
        well = row.sedation == Sedation.ALERT and not row.intoxicated
        found[ClientId(row.client_id)].append(Observed(day=row.dosing_day, at=row.seen_at, is_well=well))
    return found


def pre_dose_of(row: Row[*tuple[Any, ...]]) -> PreDose:
    """The observation in a row of `ONE_SEEN`."""
    return PreDose(
        id=PreDoseId(row.id),
        client=ClientId(row.client_id),
        programme=ProgrammeId(row.programme_id),
        dosing_day=row.dosing_day,
        sedation=Sedation(row.sedation),
        intoxicated=row.intoxicated,
        note=row.note,
        recorded_by=StaffId(row.recorded_by),
        recorded_at=row.recorded_at,
        withdrawal=row.observation_id,
        hold=HoldId(row.hold_id) if row.hold_id is not None else None,
        seen_at=row.seen_at,
    )


def pre_dose_values(seen: PreDose) -> dict[str, Any]:
    """The columns of an observation."""
    return {
        "id": seen.id,
        "client_id": seen.client,
        "programme_id": seen.programme,
        "dosing_day": seen.dosing_day,
        "sedation": seen.sedation,
        "intoxicated": seen.intoxicated,
        "note": seen.note,
        "recorded_by": seen.recorded_by,
        "recorded_at": seen.recorded_at,
        "observation_id": seen.withdrawal,
        "observation_version": None if seen.withdrawal is None else 1,
        "hold_id": seen.hold,
        "seen_at": seen.seen_at,
    }
