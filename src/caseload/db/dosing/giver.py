"""The words of named givers in PostgreSQL, and what waits for one's own."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, Text, Uuid, and_, any_, bindparam, exists, func, insert, literal_column, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of
from caseload.db.dosing.chart import CHARTED, Charts, charted_of
from caseload.db.dosing.doses import IS_NEWEST
from caseload.db.dosing.known import KIND
from caseload.db.people.grants import constants, works_here
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client, guest_stay
from caseload.db.tables.dosing import dose, dose_correction
from caseload.db.tables.giver import dose_giver_word
from caseload.db.tables.people import role_grant, staff
from caseload.domain.access import MAY, Act
from caseload.domain.dosing import Charted, Dose
from caseload.domain.dosing.giver import GiverHasSpoken, GiverWord, Word
from caseload.domain.ids import ClientId, DoseId, ProgrammeId
from caseload.domain.people import Staff

_FIRST: Final = UUID(int=0)
"""Sorts before every identifier that was ever made."""
ENTERED_BY_ANOTHER: Final = and_(
    dose.c.entry == literal_column("'late'", Text()),
    dose.c.given_by != func.coalesce(dose.c.amended_by, dose.c.recorded_by),
)
"""In the words of the partial index; `domain.dosing.giver.asks_giver`, of a row."""
_WAITS: Final = and_(
    dose.c.id > bindparam("after", type_=Uuid()),
    ENTERED_BY_ANOTHER,
    IS_NEWEST,
    ~exists().where(dose_giver_word.c.dose_id == dose.c.id, dose_giver_word.c.dose_version == dose.c.version),
    dose_correction.c.id.is_(None),
)
TO_CONFIRM: Final = (
    CHARTED.where(dose.c.given_by == bindparam("giver", type_=Uuid()), _WAITS)
    .order_by(dose.c.id)
    .limit(bindparam("limit"))
)
_NOW = bindparam("reach_at", type_=INSTANT)
_PROGRAMME = bindparam("programme", type_=Uuid())
_RECORDS_DOSES: Final = and_(
    role_grant.c.role.in_(constants(MAY[Act.RECORD_DOSE])), role_grant.c.period.op("@>")(_NOW), works_here(_NOW)
)
_CAN_SPEAK: Final = exists(
    select(role_grant.c.id)
    .where(
        role_grant.c.staff_id == dose.c.given_by,
        or_(
            role_grant.c.programme_id == client.c.programme_id,
            exists().where(
                guest_stay.c.client_id == client.c.id,
                guest_stay.c.host_programme_id == role_grant.c.programme_id,
                guest_stay.c.period.op("@>")(_NOW),
            ),
        ),
        _RECORDS_DOSES,
    )
    .correlate(dose, client)
)
"""`domain.dosing.giver_left.LeftDoses.giver_can_speak`, of a row: who records doses sees the clients of the programme."""
_WORKS_IN_IT: Final = exists(
    select(role_grant.c.id)
    .where(role_grant.c.staff_id == staff.c.id, role_grant.c.programme_id == _PROGRAMME, _RECORDS_DOSES)
    .correlate(staff)
)
WITHOUT_GIVER: Final = (
    CHARTED.where(
        dose.c.given_by.in_(select(staff.c.id).where(~_WORKS_IN_IT)),
        or_(dose.c.programme_id == _PROGRAMME, client.c.programme_id == _PROGRAMME),
        ~_CAN_SPEAK,
        _WAITS,
    )
    .order_by(dose.c.id)
    .limit(bindparam("limit"))
)
"""Those who do not work in the programme are gone through first, and of each what others entered: both are few."""
SPEAKS: Final = select(_CAN_SPEAK.label("speaks")).where(
    dose.c.id == bindparam("dose", type_=Uuid()),
    dose.c.version == bindparam("version"),
    client.c.id == dose.c.client_id,
)
DISPUTED: Final = select(dose_giver_word.c.dose_id, dose_giver_word.c.dose_version).where(
    dose_giver_word.c.dose_id == any_(bindparam("doses", type_=ARRAY(Uuid()))),
    dose_giver_word.c.word == Word.DISPUTED.value,
)
_ADD = insert(dose_giver_word)


async def disputed_of(connection: AsyncConnection, doses: Collection[DoseId]) -> Collection[tuple[DoseId, int]]:
    """The versions of these doses that their givers dispute."""
    rows = (await connection.execute(DISPUTED, {"doses": list(doses)})).all()
    return {(DoseId(row.dose_id), row.dose_version) for row in rows}


class GiversDoses(Charts):
    """Satisfies `domain.dosing.giver.GiversDoses` and `domain.dosing.giver_left.LeftDoses`."""

    async def to_confirm(self, *, by: Staff, act: Act, after: UUID | None, limit: int) -> Sequence[Charted]:
        """The doses that somebody else entered under this person's name and of which they have said nothing, oldest first."""
        given = {
            "giver": by.id,
            "after": after or _FIRST,
            "limit": limit,
            **reach_of(by.reach(act), at=self._now),
        }
        return await self._listed(TO_CONFIRM, given)

    async def without_giver(
        self, programme: ProgrammeId, *, by: Staff, act: Act, after: UUID | None, limit: int
    ) -> Sequence[Charted]:
        """The doses of a programme of which the named giver has said nothing and never can, oldest first."""
        given = {
            "programme": programme,
            "after": after or _FIRST,
            "limit": limit,
            **reach_of(by.reach(act), at=self._now),
        }
        return await self._listed(WITHOUT_GIVER, given)

    async def _listed(self, statement: Select[*tuple[Any, ...]], given: Mapping[str, object]) -> Sequence[Charted]:
        found = [charted_of(row) for row in (await self._connection.execute(statement, given)).all()]
        for each in found:
            self._journal.saw(ClientId(each.dose.client), KIND)
        return found

    async def giver_can_speak(self, of: Dose) -> bool:
        """See `domain.dosing.giver_left.LeftDoses.giver_can_speak`."""
        given = {"dose": of.id, "version": of.version, "reach_at": self._now}
        return (await self._connection.execute(SPEAKS, given)).scalar_one()

    async def add_giver_word(self, of: Dose, said: GiverWord) -> None:
        """See `domain.dosing.giver.GiversDoses.add_giver_word`."""
        values = {
            "dose_id": of.id,
            "dose_version": of.version,
            "word": said.word,
            "reason": said.reason,
            "said_by": said.by,
            "said_at": said.at,
        }
        try:
            await self._connection.execute(_ADD, values)
        except IntegrityError as raced:
            raise GiverHasSpoken("Read the dose again.") from raced
