"""Who is expected on a programme's dosing day: everybody with an order in force, a guest of today too."""

from typing import Final

from sqlalchemy import Integer, Uuid, any_, bindparam, exists, func, literal_column, or_, select, true, union
from sqlalchemy.dialects.postgresql import ARRAY

from caseload.db.access import within_reach
from caseload.db.direct import Direct
from caseload.db.dosing.facts import allowed, held
from caseload.db.dosing.known import GIVEN, GivenRow
from caseload.db.dosing.taken import DAY, INJECTIONS, last_taken
from caseload.db.medication.beside import has_another
from caseload.db.medication.rows import COUNTS, ORDER_COLUMNS, SINCE_COLUMNS, WITH_WHAT_HAPPENED
from caseload.db.programme import HOME_ZONES, later_profiles
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client, client_identity, guest_stay
from caseload.db.tables.medication import (
    medication_order,
    medication_order_replacement,
    medication_order_signature,
    medication_order_stop,
    medication_record,
)
from caseload.db.tables.programme import programme
from caseload.db.takehome.covering import COVERING, UnitRow
from caseload.db.together import Together, rows

_last = last_taken(client.c.id, medication_order.c.medicine, medication_order.c.form, "last_taken")
_held = held(client.c.id, medication_order.c.id)
_allowed = allowed(client.c.id, true(), medication_order.c.medicine)
_newer = client_identity.alias("newer_identity")
_ROW_OF_ORDER: Final = literal_column("clinic.medication_order.xmin", Integer())
"""Which writing of the row it is: PostgreSQL's own number, another one after any change."""

_PROGRAMME: Final = bindparam("programme", type_=Uuid())
_own = client.alias("own_client")
_AT_HOME_OR_GUESTS: Final = union(
    select(_own.c.id).where(_own.c.programme_id == _PROGRAMME),
    select(guest_stay.c.client_id).where(
        guest_stay.c.host_programme_id == _PROGRAMME,
        guest_stay.c.period.op("@>")(bindparam("reach_at", type_=INSTANT)),
    ),
)
_asked = func.unnest(func.array(_AT_HOME_OR_GUESTS.scalar_subquery())).table_valued("id", name="asked").render_derived()
"""The clients of the programme, and its guests: found first, and gone through one by one. What is in force elsewhere is
never looked at, whatever the planner knows of how the orders lie (a plan is made once for all programmes)."""

_EXPECTED = (
    select(
        client.c.id.label("client_id"),
        client.c.programme_id.label("home_id"),
        client_identity.c.given_name,
        client_identity.c.family_name,
        client_identity.c.birth_date,
        HOME_ZONES.label("time_zone"),
        programme.c.profile,
        later_profiles.c.later_profiles,
        medication_record.c.history_until,
        medication_record.c.covered_until,
        medication_record.c.gaps_until,
        medication_record.c.has_guest_days,
        medication_record.c.suspected_with,
        medication_order.c.id.label("order_id"),
        _ROW_OF_ORDER.label("order_row"),
        *SINCE_COLUMNS,
        _last.c.dosing_day.label("last_day"),
        _last.c.given_at.label("last_at"),
        _last.c.medicine.label("last_medicine"),
        _last.c.amount_mg.label("last_mg"),
        _held.c.id.label("hold_id"),
        _held.c.reason.label("hold_reason"),
        _held.c.raised_at.label("hold_raised_at"),
        _held.c.order_id.label("hold_order_id"),
        _held.c.on_day.label("hold_on_day"),
        _held.c.part.label("hold_part"),
        _allowed.c.id.label("decision_id"),
        _allowed.c.at_most_mg,
        _allowed.c.last_taken_on.label("decision_last_taken_on"),
        _allowed.c.medicine.label("decision_medicine"),
        has_another(client.c.id, medication_order.c.medicine).label("has_another"),
    )
    .select_from(
        _asked.join(client, client.c.id == _asked.c.id)
        .join(programme, programme.c.id == client.c.programme_id)
        .outerjoin(later_profiles, later_profiles.c.programme_id == programme.c.id)
        .join(client_identity, client_identity.c.client_id == client.c.id)
        .join(medication_record, medication_record.c.client_id == client.c.id)
        .join(medication_order, medication_order.c.client_id == client.c.id)
        .outerjoin(medication_order_signature, medication_order_signature.c.order_id == medication_order.c.id)
        .outerjoin(medication_order_stop, medication_order_stop.c.order_id == medication_order.c.id)
        .outerjoin(medication_order_replacement, medication_order_replacement.c.replaced_id == medication_order.c.id)
        .outerjoin(_last, true())
        .outerjoin(_held, true())
        .outerjoin(_allowed, true())
    )
    .where(
        ~exists().where(_newer.c.client_id == client.c.id, _newer.c.version > client_identity.c.version),
        COUNTS,
        medication_order.c.starts_on <= DAY,
        or_(medication_order.c.ends_on.is_(None), medication_order.c.ends_on >= DAY),
        medication_order_stop.c.order_id.is_(None),
        or_(medication_order_replacement.c.from_on.is_(None), medication_order_replacement.c.from_on > DAY),
        within_reach(),
    )
)
_INJECTED = _EXPECTED.where(medication_order.c.form.in_(INJECTIONS))

EXPECTED: Final = Direct(_EXPECTED, anywhere=True)
"""Whom, by which order, and what may be otherwise the next time; what an order says stands in its own row (`ORDERS`)."""
INJECTED: Final = Direct(_INJECTED, anywhere=True)
"""Of them those whose order is an injection."""

ORDERS: Final = Direct(
    select(*ORDER_COLUMNS, _ROW_OF_ORDER.label("order_row"))
    .select_from(WITH_WHAT_HAPPENED)
    .where(medication_order.c.id == any_(bindparam("orders", type_=ARRAY(Uuid())))),
    anywhere=True,
)
ORDERS_OF: Final = Direct(
    select(*ORDER_COLUMNS)
    .select_from(WITH_WHAT_HAPPENED)
    .where(COUNTS, medication_order.c.client_id == any_(bindparam("clients", type_=ARRAY(Uuid()))))
    .order_by(medication_order.c.starts_on.desc()),
    anywhere=True,
)
"""Every order of clients that counts, the last begun first."""
GIVEN_ON: Final = rows("given", GIVEN, GivenRow)
AT_HOME_ON: Final = rows("at_home", COVERING, UnitRow)
BESIDE: Final = Together(GIVEN_ON, AT_HOME_ON)
"""What was given on a day already, and what is held or was taken at home for it."""
