"""The sessions of a day, and who is expected at them."""

from typing import Final

from sqlalchemy import (
    ColumnElement,
    FromClause,
    and_,
    exists,
    literal_column,
    or_,
    select,
    true,
)

from caseload.db.caseload.day.asked import A_DAY, A_WEEK_AGO, CLIENTS, ME, NOW, PROGRAMMES, midnight, newest
from caseload.db.tables.appointment import arrival
from caseload.db.tables.attendance import (
    therapy_session,
    therapy_session_booking,
    therapy_session_cancellation,
    therapy_session_current,
    therapy_session_facilitator,
    therapy_session_moved,
)
from caseload.db.tables.caseload import client
from caseload.db.tables.programme import programme

_leads = exists().where(
    therapy_session_facilitator.c.session_id == therapy_session.c.id, therapy_session_facilitator.c.staff_id == ME
)


def _stands(booking: FromClause) -> ColumnElement[bool]:
    """The place has not been called off."""
    return ~exists().where(
        therapy_session_cancellation.c.session_id == booking.c.session_id,
        therapy_session_cancellation.c.client_id == booking.c.client_id,
    )


_theirs_there = therapy_session_booking.alias("theirs_there")
_is_booked = exists().where(
    _theirs_there.c.session_id == therapy_session.c.id,
    _theirs_there.c.client_id == CLIENTS,
    _stands(_theirs_there),
)
_near = (
    select(therapy_session.c.id)
    .select_from(
        programme.join(
            therapy_session,
            and_(
                therapy_session.c.programme_id == programme.c.id,
                therapy_session.c.starts_at >= midnight(programme.c.time_zone, A_WEEK_AGO),
                therapy_session.c.starts_at < midnight(programme.c.time_zone, A_DAY),
            ),
        )
    )
    .where(programme.c.id == PROGRAMMES, or_(_leads, _is_booked))
    .cte("near")
    .prefix_with("MATERIALIZED", dialect="postgresql")
)
"""Out of the week's sessions those that may be theirs: found in the index of programmes and times alone."""
_mine = (
    select(
        therapy_session.c.id,
        therapy_session.c.kind,
        therapy_session.c.title,
        therapy_session.c.starts_at,
        therapy_session.c.ends_at,
        _leads.label("leads"),
    )
    .select_from(
        _near.join(therapy_session, therapy_session.c.id == _near.c.id)
        .join(therapy_session_current, therapy_session_current.c.session_id == therapy_session.c.id)
        .outerjoin(therapy_session_moved, therapy_session_moved.c.session_id == therapy_session.c.id)
    )
    .where(
        therapy_session_current.c.register_version == literal_column("0"),
        therapy_session_moved.c.session_id.is_(None),
        or_(_leads, therapy_session.c.ends_at > NOW),
    )
    .cte("mine")
    .prefix_with("MATERIALIZED", dialect="postgresql")
)
"""Found once, for the sessions themselves and for who is expected at them."""
SESSIONS: Final = select(*_mine.c)
_last = (
    select(arrival.c.arrived_at)
    .where(
        arrival.c.appointment_id == therapy_session_booking.c.session_id,
        arrival.c.client_id == therapy_session_booking.c.client_id,
    )
    .order_by(arrival.c.version.desc())
    .limit(literal_column("1"))
    .lateral("last")
)
EXPECTED: Final = (
    select(
        therapy_session_booking.c.session_id,
        therapy_session_booking.c.client_id,
        newest.c.given_name,
        newest.c.family_name,
        _last.c.arrived_at,
    )
    .select_from(
        _mine.join(therapy_session_booking, therapy_session_booking.c.session_id == _mine.c.id)
        .join(client, client.c.id == therapy_session_booking.c.client_id)
        .join(newest, true())
        .outerjoin(_last, true())
    )
    .where(_stands(therapy_session_booking), or_(_mine.c.leads, therapy_session_booking.c.client_id == CLIENTS))
    .order_by(newest.c.family_name, newest.c.given_name, therapy_session_booking.c.client_id)
)
