"""Whom a person may see, as a condition on rows of `client`: the SQL twin of `Reach.covers`.

The statement's text is the same for everybody; what differs between people travels as parameters.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, ColumnElement, FromClause, Uuid, and_, any_, bindparam, exists, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client, cover, guest_stay, responsibility
from caseload.domain.access import Reach
from caseload.domain.ids import ProgrammeId


def within(
    reach: Reach, *, at: datetime, by_identifier: bool = False, clients: FromClause = client
) -> ColumnElement[bool]:
    """A row of `clients` is within reach at that moment.

    `by_identifier` says that the caller asked for one client by identifier: only then does an auditor's or a privacy
    officer's reach count, never in a list. `clients` is `client` or an alias of it; any table with its `id` and
    `programme_id` will do.
    """
    return _condition(
        clients,
        now=literal(at, INSTANT),
        staff=literal(reach.staff, Uuid()),
        everyone_in=_array(reach.everyone_in),
        caseload_in=_array(reach.caseload_in),
        anyone=literal(by_identifier and reach.any_by_identifier, Boolean()),
    )


def within_given_reach(clients: FromClause = client) -> ColumnElement[bool]:
    """The same condition for a statement that is made once: what differs is given by `reach_given` at execution."""
    return _condition(
        clients,
        now=bindparam("reach_at", type_=INSTANT),
        staff=bindparam("reach_staff", type_=Uuid()),
        everyone_in=bindparam("reach_everyone_in", type_=ARRAY(Uuid())),
        caseload_in=bindparam("reach_caseload_in", type_=ARRAY(Uuid())),
        anyone=bindparam("reach_anyone", type_=Boolean()),
    )


def reach_given(reach: Reach, *, at: datetime, by_identifier: bool = False) -> dict[str, object]:
    """The parameters of `within_given_reach`."""
    return {
        "reach_at": at,
        "reach_staff": reach.staff,
        "reach_everyone_in": sorted(reach.everyone_in),
        "reach_caseload_in": sorted(reach.caseload_in),
        "reach_anyone": by_identifier and reach.any_by_identifier,
    }


def _condition(
    clients: FromClause,
    *,
    now: ColumnElement[datetime],
    staff: ColumnElement[UUID],
    everyone_in: ColumnElement[Sequence[UUID]],
    caseload_in: ColumnElement[Sequence[UUID]],
    anyone: ColumnElement[bool],
) -> ColumnElement[bool]:
    def is_guest_of(programmes: ColumnElement[Sequence[UUID]]) -> ColumnElement[bool]:
        return exists(
            select(guest_stay.c.id).where(
                guest_stay.c.client_id == clients.c.id,
                guest_stay.c.host_programme_id == any_(programmes),
                guest_stay.c.period.op("@>")(now),
            )
        )

    is_responsible = exists(
        select(responsibility.c.id).where(
            responsibility.c.client_id == clients.c.id,
            responsibility.c.counsellor_id == staff,
            responsibility.c.period.op("@>")(now),
        )
    )
    covers = exists(
        select(cover.c.id).where(
            cover.c.client_id == clients.c.id, cover.c.counsellor_id == staff, cover.c.period.op("@>")(now)
        )
    )
    return or_(
        clients.c.programme_id == any_(everyone_in),
        is_guest_of(everyone_in),
        and_(
            or_(is_responsible, covers),
            or_(clients.c.programme_id == any_(caseload_in), is_guest_of(caseload_in)),
        ),
        anyone,
    )


def _array(programmes: frozenset[ProgrammeId]) -> ColumnElement[Sequence[UUID]]:
    return bindparam(None, sorted(programmes), type_=ARRAY(Uuid()), unique=True)
