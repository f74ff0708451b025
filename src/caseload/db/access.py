"""Whom a person may see, as a condition on rows of `client`: the SQL twin of `Reach.covers`.

The condition is the same for everybody, so a statement with it is built once, when its module loads; what differs
between people travels as parameters:

    _GET = select(...).where(client.c.id == bindparam("client"), within_reach())
    await connection.execute(_GET, {"client": wanted, **reach_of(reach, at=now, by_identifier=True)})
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    Boolean,
    ColumnElement,
    FromClause,
    Uuid,
    all_,
    and_,
    any_,
    bindparam,
    exists,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY

from caseload.db.periods import running
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client, cover, episode, guest_stay, keyworker, responsibility
from caseload.db.tables.restriction import restriction, restriction_naming
from caseload.db.tables.transfer import client_transfer
from caseload.domain.access import Reach
from caseload.domain.transfer import Outcome

CLOSED: Final[BindParameter[Sequence[UUID]]] = bindparam("reach_closed", type_=ARRAY(Uuid()))
"""Restricted clients whom whoever asks does not see, for conditions that stand beside `within_reach`."""

_AT: Final[BindParameter[datetime]] = bindparam("reach_at", type_=INSTANT)
_STAFF: Final[BindParameter[UUID]] = bindparam("reach_staff", type_=Uuid())
_EVERYONE_IN: Final[BindParameter[Sequence[UUID]]] = bindparam("reach_everyone_in", type_=ARRAY(Uuid()))
_CASELOAD_IN: Final[BindParameter[Sequence[UUID]]] = bindparam("reach_caseload_in", type_=ARRAY(Uuid()))
_ANY: Final[BindParameter[bool]] = bindparam("reach_any", type_=Boolean())
_NAMED: Final[BindParameter[Sequence[UUID]]] = bindparam("reach_named", type_=ARRAY(Uuid()))
_OPENED: Final[BindParameter[UUID | None]] = bindparam("reach_opened", type_=Uuid())
_SIGNS_IN: Final[BindParameter[Sequence[UUID]]] = bindparam("reach_signs_in", type_=ARRAY(Uuid()))


def within_reach(
    clients: FromClause = client,
    *,
    signed_in: ColumnElement[UUID] | None = None,
    kept_in: ColumnElement[UUID] | None = None,
) -> ColumnElement[bool]:
    """A row of `clients` is within the reach whose parameters come with the statement.

    `clients` is `client` or an alias of it; any table with its columns will do. The statement may
    itself be about a table that the condition looks into: only `clients` is taken from it. A statement that shows
    doses to whoever signs for them says by `signed_in` where each was given (see `Reach.covers`), and is given the
    parameters of `signing_reach_of`. One that shows what a programme keeps of somebody who was transferred from it says by
    `kept_in` which programme's record a row is.
    """

    def is_guest_of(programmes: ColumnElement[Sequence[UUID]]) -> ColumnElement[bool]:
        return exists(
            select(guest_stay.c.id)
            .where(
                guest_stay.c.client_id == clients.c.id,
                guest_stay.c.host_programme_id == any_(programmes),
                guest_stay.c.period.op("@>")(_AT),
            )
            .correlate(clients)
        )

    is_responsible = exists(
        select(responsibility.c.id)
        .where(
            responsibility.c.client_id == clients.c.id,
            responsibility.c.counsellor_id == _STAFF,
            running(responsibility.c.period, _AT),
        )
        .correlate(clients)
    )
    covers = exists(
        select(cover.c.id)
        .where(cover.c.client_id == clients.c.id, cover.c.counsellor_id == _STAFF, cover.c.period.op("@>")(_AT))
        .correlate(clients)
    )
    # Few clients have one: looked for last, and only where whoever asks is not responsible and covers nobody.
    keyworks = exists(
        select(keyworker.c.id)
        .where(
            keyworker.c.client_id == clients.c.id,
            keyworker.c.staff_id == _STAFF,
            running(keyworker.c.period, _AT),
        )
        .correlate(clients)
    )
    has_registered = and_(
        clients.c.registered_by == _STAFF,
        ~exists(select(episode.c.id).where(episode.c.client_id == clients.c.id).correlate(clients)),
    )
    signs = [] if signed_in is None else [signs_for(signed_in)]
    keeps = [] if kept_in is None else [and_(kept_in == any_(_EVERYONE_IN), was_transferred_from(clients, kept_in))]
    looks_after = or_(is_responsible, covers, has_registered, keyworks, clients.c.id == any_(_NAMED))
    return or_(
        *signs,
        and_(
            or_(
                clients.c.programme_id == any_(_EVERYONE_IN),
                is_guest_of(_EVERYONE_IN),
                and_(looks_after, or_(clients.c.programme_id == any_(_CASELOAD_IN), is_guest_of(_CASELOAD_IN))),
                _ANY,
                *keeps,
            ),
            # Empty for nearly everybody: who is restricted is known since it was found out who asks.
            clients.c.id != all_(CLOSED),
        ),
        clients.c.id == _OPENED,
    )


def was_transferred_from(clients: FromClause, giving: ColumnElement[UUID]) -> ColumnElement[bool]:
    """A client has gone on from that programme to another one."""
    return exists(
        select(client_transfer.c.id)
        .where(
            client_transfer.c.client_id == clients.c.id,
            client_transfer.c.programme_id == giving,
            client_transfer.c.outcome == Outcome.MOVED.value,
        )
        .correlate_except(client_transfer)
    )


def is_restricted(of: ColumnElement[UUID], at: ColumnElement[datetime]) -> ColumnElement[bool]:
    """A client is restricted at that moment; for asking about another than whoever asks."""
    return exists().where(restriction.c.client_id == of, running(restriction.c.period, at))


def names(of: ColumnElement[UUID], staff: ColumnElement[UUID], at: ColumnElement[datetime]) -> ColumnElement[bool]:
    """A restriction of a client that runs at that moment names somebody then."""
    return exists().where(
        restriction.c.client_id == of,
        running(restriction.c.period, at),
        restriction_naming.c.restriction_id == restriction.c.id,
        restriction_naming.c.staff_id == staff,
        running(restriction_naming.c.period, at),
    )


def signs_for(signed_in: ColumnElement[UUID]) -> ColumnElement[bool]:
    """What was given in that programme and waits for its signature is within reach, whoever its client is."""
    return signed_in == any_(_SIGNS_IN)


def reach_of(reach: Reach, *, at: datetime, by_identifier: bool = False) -> dict[str, object]:
    """The parameters of `within_reach`: one person's reach at one moment.

    `by_identifier` says that the caller asked for one client by identifier: only then does an auditor's or a privacy
    officer's reach count, never in a list.
    """
    return {
        "reach_at": at,
        "reach_staff": reach.staff,
        "reach_everyone_in": sorted(reach.everyone_in | reach.one_in if by_identifier else reach.everyone_in),
        "reach_caseload_in": sorted(reach.caseload_in),
        "reach_any": by_identifier and reach.any_by_identifier,
        "reach_closed": sorted(reach.closed),
        "reach_named": sorted(reach.named),
        "reach_opened": reach.opened,
    }


def signing_reach_of(reach: Reach, *, at: datetime) -> dict[str, object]:
    """The parameters of `within_reach` for a statement that says where each dose was given."""
    return {**reach_of(reach, at=at), "reach_signs_in": sorted(reach.signs_in)}
