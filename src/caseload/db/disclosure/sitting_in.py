"""Relatives who sat in sessions with a client, as the account of disclosures reads them from the registers."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping, bindparam, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of, within_reach
from caseload.db.programme import Programmes
from caseload.db.tables.attendance import therapy_session, therapy_session_current, therapy_session_register
from caseload.db.tables.caseload import client
from caseload.db.tables.family import related_person_version
from caseload.db.tables.session_relative import session_relative, session_relative_line
from caseload.domain.access import Act
from caseload.domain.consent import CheckMethod, IdentityCheck, Purpose, Recipient, rules_on
from caseload.domain.disclosure import SatIn, Telling
from caseload.domain.ids import (
    ClientId,
    ConsentId,
    DisclosureId,
    ProgrammeId,
    RelatedPersonId,
    StaffId,
    TherapySessionId,
)
from caseload.domain.people import Staff
from caseload.domain.programme import Programme

_line, _register, _newer = session_relative_line.c, therapy_session_register.c, related_person_version.alias("newer")
SAT_IN: Final = (
    select(
        _line.told_id,
        _line.client_id,
        therapy_session.c.programme_id,
        _line.session_id,
        _line.consent_id,
        _line.in_spite_because,
        _line.check_method,
        _line.check_detail,
        _line.late_minutes,
        session_relative.c.person_id,
        related_person_version.c.name,
        _register.started_at,
        _register.taken_by,
        _register.taken_at,
    )
    .join(client, client.c.id == _line.client_id)
    .join(therapy_session, therapy_session.c.id == _line.session_id)
    .join(
        therapy_session_current,
        (therapy_session_current.c.session_id == _line.session_id)
        & (therapy_session_current.c.register_version == _line.version),
    )
    .join(therapy_session_register, (_register.session_id == _line.session_id) & (_register.version == _line.version))
    .join(session_relative, session_relative.c.id == _line.place_id)
    .join(related_person_version, related_person_version.c.person_id == session_relative.c.person_id)
    .where(
        within_reach(),
        _line.client_id == bindparam("client"),
        _line.told_id.is_not(None),
        _line.told_id < bindparam("after"),
        ~exists().where(
            _newer.c.person_id == related_person_version.c.person_id,
            _newer.c.version > related_person_version.c.version,
        ),
    )
    .order_by(_line.told_id.desc())
    .limit(bindparam("limit"))
)
"""Of each register the version that counts, and of each relative the name on the client's list now."""


async def sat_in(
    connection: AsyncConnection,
    of: ClientId,
    *,
    by: Staff,
    act: Act,
    now: datetime,
    after: UUID,
    limit: int,
) -> Sequence[SatIn]:
    """The relatives who sat in sessions with a client, the last recorded first."""
    given = {"client": of, "after": after, "limit": limit, **reach_of(by.reach(act), at=now, by_identifier=True)}
    rows = (await connection.execute(SAT_IN, given)).mappings().all()
    programmes = Programmes(connection)
    where = {each: await programmes.get(ProgrammeId(each)) for each in {row["programme_id"] for row in rows}}
    return [_sat_in_of(row, where[row["programme_id"]]) for row in rows]


def _sat_in_of(row: RowMapping, programme: Programme) -> SatIn:
    came_at = row["started_at"] + timedelta(minutes=row["late_minutes"] or 0)
    day = programme.today(came_at)
    method = row["check_method"]
    return SatIn(
        id=DisclosureId(row["told_id"]),
        client=ClientId(row["client_id"]),
        programme=programme.id,
        session=TherapySessionId(row["session_id"]),
        telling=Telling(
            recipient=Recipient(person=RelatedPersonId(row["person_id"])),
            name=row["name"],
            purpose=Purpose.FAMILY_INVOLVEMENT,
            check=None if method is None else IdentityCheck(method=CheckMethod(method), detail=row["check_detail"]),
        ),
        consent=None if row["consent_id"] is None else ConsentId(row["consent_id"]),
        in_spite_because=row["in_spite_because"],
        rules=rules_on(programme.profiles.name_on(day), day),
        disclosed_at=came_at,
        disclosed_by=StaffId(row["taken_by"]),
        recorded_at=row["taken_at"],
    )
