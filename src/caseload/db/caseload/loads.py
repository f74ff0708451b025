"""What counsellors carry, and whose role ends while clients are theirs, in PostgreSQL."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    Row,
    Select,
    Uuid,
    and_,
    bindparam,
    exists,
    false,
    func,
    insert,
    literal_column,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import TSTZMULTIRANGE

from caseload.db.access import reach_of, within_reach
from caseload.db.caseload.absences import NIL
from caseload.db.caseload.together import TogetherBook
from caseload.db.checkin.overdue import is_overdue
from caseload.db.people.grants import constants
from caseload.db.periods import running
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client, client_identity, cover, episode, responsibility
from caseload.db.tables.caseload_acts import absence, caseload_ceiling
from caseload.db.tables.checkin import check_in_waiting
from caseload.db.tables.people import role_grant, staff, staff_deactivation
from caseload.domain.access import Reach, Role
from caseload.domain.caseload import Load, Unlooked
from caseload.domain.ids import ClientId, EpisodeId, ProgrammeId, StaffId

_NOW: Final[BindParameter[Any]] = bindparam("reach_at", type_=INSTANT)
_PROGRAMME: Final[BindParameter[UUID]] = bindparam("programme", type_=Uuid())
_AFTER: Final[BindParameter[UUID]] = bindparam("after", type_=Uuid())
_NEVER = literal_column("'{}'::tstzmultirange", TSTZMULTIRANGE())
_FROM_NOW_ON = func.tstzrange(_NOW, null())

_is_closed = exists(select(staff_deactivation.c.staff_id).where(staff_deactivation.c.staff_id == role_grant.c.staff_id))
_COUNSELS = (
    # When somebody is a counsellor of the programme: never once the account is closed.
    select(
        role_grant.c.staff_id,
        func.coalesce(func.range_agg(role_grant.c.period).filter(~_is_closed), _NEVER).label("counsels"),
    )
    .where(role_grant.c.programme_id == _PROGRAMME, role_grant.c.role.in_(constants({Role.COUNSELLOR})))
    .group_by(role_grant.c.staff_id)
    .cte("counselling")
)
_THEIRS = (
    select(responsibility.c.counsellor_id, responsibility.c.client_id)
    .select_from(client)
    .join(responsibility, responsibility.c.client_id == client.c.id)
    .where(client.c.programme_id == _PROGRAMME, running(responsibility.c.period, _NOW))
    .cte("theirs")
)
_COVERING = (
    select(cover.c.counsellor_id, cover.c.client_id)
    .distinct()
    .select_from(client)
    .join(cover, cover.c.client_id == client.c.id)
    .where(client.c.programme_id == _PROGRAMME, running(cover.c.period, _NOW))
    .cte("covering")
)
_LOOKED_AFTER = select(_THEIRS).union(select(_COVERING)).subquery("looked_after")
_LATE = (
    select(
        _LOOKED_AFTER.c.counsellor_id,
        func.count().label("overdue"),
        func.min(check_in_waiting.c.grace_ends_at).label("overdue_since"),
    )
    .join(check_in_waiting, check_in_waiting.c.client_id == _LOOKED_AFTER.c.client_id)
    .where(is_overdue(check_in_waiting))
    .group_by(_LOOKED_AFTER.c.counsellor_id)
    .cte("late")
)
_ANSWERING = select(_THEIRS.c.counsellor_id, func.count().label("clients")).group_by("counsellor_id").cte("answering")
_STANDING_IN = (
    select(_COVERING.c.counsellor_id, func.count().label("clients")).group_by("counsellor_id").cte("standing_in")
)
_span = func.unnest(_COUNSELS.c.counsels).column_valued("span")
_UNTIL = select(func.upper(_span)).where(_span.bool_op("@>")(_NOW)).correlate(_COUNSELS).scalar_subquery()


def _newest_ceiling(of: Any) -> Any:
    return (
        select(caseload_ceiling.c.ceiling)
        .where(caseload_ceiling.c.programme_id == _PROGRAMME, of)
        .order_by(caseload_ceiling.c.id.desc())
        .limit(literal_column("1"))
        .scalar_subquery()
    )


LOADS: Final[Select[*tuple[Any, ...]]] = (
    select(
        staff.c.id,
        staff.c.printed_name,
        func.coalesce(_ANSWERING.c.clients, 0).label("responsible"),
        func.coalesce(_STANDING_IN.c.clients, 0).label("covering"),
        func.coalesce(_LATE.c.overdue, 0).label("overdue"),
        _LATE.c.overdue_since,
        func.coalesce(
            _newest_ceiling(caseload_ceiling.c.counsellor_id == staff.c.id),
            _newest_ceiling(caseload_ceiling.c.counsellor_id.is_(None)),
        ).label("ceiling"),
        func.coalesce(_COUNSELS.c.counsels.bool_op("@>")(_NOW), false()).label("counsels_now"),
        _UNTIL.label("counsels_until"),
        func.upper(absence.c.period).label("away_until"),
        absence.c.covered_by,
    )
    .select_from(staff)
    .outerjoin(_COUNSELS, _COUNSELS.c.staff_id == staff.c.id)
    .outerjoin(_ANSWERING, _ANSWERING.c.counsellor_id == staff.c.id)
    .outerjoin(_STANDING_IN, _STANDING_IN.c.counsellor_id == staff.c.id)
    .outerjoin(_LATE, _LATE.c.counsellor_id == staff.c.id)
    .outerjoin(
        absence,
        and_(
            absence.c.programme_id == _PROGRAMME,
            absence.c.counsellor_id == staff.c.id,
            absence.c.period.op("@>")(_NOW),
        ),
    )
    .where(
        staff.c.id > _AFTER,
        or_(_COUNSELS.c.counsels.bool_op("@>")(_NOW), _ANSWERING.c.clients > 0, _STANDING_IN.c.clients > 0),
    )
    .order_by(staff.c.id)
    .limit(bindparam("limit"))
)
_PROGRAMME_OF = select(episode.c.programme_id).where(episode.c.id == bindparam("episode"))
LOAD_OF: Final = LOADS.where(staff.c.id == bindparam("counsellor", type_=Uuid()))

_gap = (
    select(
        (
            func.tstzmultirange(responsibility.c.period * _FROM_NOW_ON, type_=TSTZMULTIRANGE()) - _COUNSELS.c.counsels
        ).label("gap")
    )
    .correlate(responsibility, _COUNSELS)
    .lateral("alone")
)
_newest = (
    select(client_identity.c.given_name, client_identity.c.family_name, client_identity.c.birth_date)
    .where(client_identity.c.client_id == client.c.id)
    .order_by(client_identity.c.version.desc())
    .limit(literal_column("1"))
    .lateral("identity")
)
UNLOOKED: Final = (
    select(
        responsibility.c.id,
        responsibility.c.client_id,
        responsibility.c.counsellor_id,
        func.lower(_gap.c.gap).label("since"),
        _newest.c.given_name,
        _newest.c.family_name,
        _newest.c.birth_date,
    )
    # Few counsel for a time only; nobody else's clients are looked at.
    .select_from(_COUNSELS)
    .join(responsibility, responsibility.c.counsellor_id == _COUNSELS.c.staff_id)
    .join(client, client.c.id == responsibility.c.client_id)
    .join(_gap, true())
    .join(_newest, true())
    .where(
        ~_COUNSELS.c.counsels.bool_op("@>")(_FROM_NOW_ON),
        client.c.programme_id == _PROGRAMME,
        responsibility.c.id > _AFTER,
        or_(func.upper_inf(responsibility.c.period), func.upper(responsibility.c.period) > _NOW),
        ~func.isempty(_gap.c.gap),
        within_reach(),
    )
    .order_by(responsibility.c.id)
    .limit(bindparam("limit"))
)


class Loads(TogetherBook):
    """What counsellors carry: see `domain.caseload.load`."""

    async def add_ceiling(
        self,
        as_id: UUID,
        programme: ProgrammeId,
        counsellor: StaffId | None,
        ceiling: int | None,
        *,
        by: StaffId,
        now: Any,
    ) -> None:
        """See `domain.caseload.load.Ceilings.add_ceiling`."""
        await self._connection.execute(
            insert(caseload_ceiling).values(
                id=as_id,
                programme_id=programme,
                counsellor_id=counsellor,
                ceiling=ceiling,
                recorded_by=by,
                recorded_at=now,
            )
        )

    async def loads(self, of: ProgrammeId, *, after: StaffId | None, limit: int) -> Sequence[Load]:
        """Everybody who counsels in a programme, or has clients there, by who they are."""
        given = {"programme": of, "reach_at": self._now, "after": after or NIL, "limit": limit}
        return [_load_of(row) for row in await self._connection.execute(LOADS, given)]

    async def load(self, of: StaffId, programme: ProgrammeId) -> Load | None:
        """What one counsellor of a programme carries; None where they do not counsel there and have no clients."""
        given = {"programme": programme, "counsellor": of, "reach_at": self._now, "after": NIL, "limit": 1}
        row = (await self._connection.execute(LOAD_OF, given)).one_or_none()
        return None if row is None else _load_of(row)

    async def load_in(self, wanted: EpisodeId, of: StaffId) -> Load | None:
        """What a counsellor carries in the programme of an episode."""
        where = (await self._connection.execute(_PROGRAMME_OF, {"episode": wanted})).scalar_one()
        return await self.load(of, ProgrammeId(where))

    async def unlooked(self, in_: ProgrammeId, *, reach: Reach, after: UUID | None, limit: int) -> Sequence[Unlooked]:
        """Clients whose responsible counsellor is or will be no counsellor any more, in the order of the handovers."""
        given = {"programme": in_, "after": after or NIL, "limit": limit, **reach_of(reach, at=self._now)}
        rows = (await self._connection.execute(UNLOOKED, given)).all()
        for row in rows:
            self._journal.saw(ClientId(row.client_id), "caseload")
        return [
            Unlooked(
                responsibility=row.id,
                client=ClientId(row.client_id),
                given_name=row.given_name,
                family_name=row.family_name,
                birth_date=row.birth_date,
                counsellor=StaffId(row.counsellor_id),
                since=row.since,
            )
            for row in rows
        ]


def _load_of(row: Row[*tuple[Any, ...]]) -> Load:
    return Load(
        counsellor=StaffId(row.id),
        printed_name=row.printed_name,
        responsible=row.responsible,
        covering=row.covering,
        overdue=row.overdue,
        overdue_since=row.overdue_since,
        ceiling=row.ceiling,
        counsels_now=row.counsels_now,
        counsels_until=row.counsels_until,
        away_until=row.away_until,
        covered_by=None if row.covered_by is None else StaffId(row.covered_by),
    )
