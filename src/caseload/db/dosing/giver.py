"""The words of named givers in PostgreSQL, and what waits for one's own."""

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import Text, Uuid, and_, any_, bindparam, exists, func, insert, literal_column, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of
from caseload.db.dosing.chart import CHARTED, Charts, charted_of
from caseload.db.dosing.doses import IS_NEWEST
from caseload.db.dosing.known import KIND
from caseload.db.tables.dosing import dose, dose_correction
from caseload.db.tables.giver import dose_giver_word
from caseload.domain.access import Act
from caseload.domain.dosing import Charted, Dose
from caseload.domain.dosing.giver import GiverHasSpoken, GiverWord, Word
from caseload.domain.ids import ClientId, DoseId
from caseload.domain.people import Staff

_FIRST: Final = UUID(int=0)
"""Sorts before every identifier that was ever made."""
ENTERED_BY_ANOTHER: Final = and_(
    dose.c.entry == literal_column("'late'", Text()),
    dose.c.given_by != func.coalesce(dose.c.amended_by, dose.c.recorded_by),
)
"""In the words of the partial index; `domain.dosing.giver.asks_giver`, of a row."""
TO_CONFIRM: Final = (
    CHARTED.where(
        dose.c.given_by == bindparam("giver", type_=Uuid()),
        dose.c.id > bindparam("after", type_=Uuid()),
        ENTERED_BY_ANOTHER,
        IS_NEWEST,
        ~exists().where(dose_giver_word.c.dose_id == dose.c.id, dose_giver_word.c.dose_version == dose.c.version),
        dose_correction.c.id.is_(None),
    )
    .order_by(dose.c.id)
    .limit(bindparam("limit"))
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
    """Satisfies `domain.dosing.giver.GiversDoses`."""

    async def to_confirm(self, *, by: Staff, act: Act, after: UUID | None, limit: int) -> Sequence[Charted]:
        """The doses that somebody else entered under this person's name and of which they have said nothing, oldest first."""
        given = {
            "giver": by.id,
            "after": after or _FIRST,
            "limit": limit,
            **reach_of(by.reach(act), at=self._now),
        }
        found = [charted_of(row) for row in (await self._connection.execute(TO_CONFIRM, given)).all()]
        for each in found:
            self._journal.saw(ClientId(each.dose.client), KIND)
        return found

    async def add_giver_word(self, of: Dose, said: GiverWord) -> None:
        """See `domain.dosing.giver.GiversDoses.add_giver_word`."""
        values = {
            "dose_id": of.id,
            "dose_version": of.version,
            "word": said.word,
            "reason": said.reason,
            "said_by": of.given_by,
            "said_at": said.at,
        }
        try:
            await self._connection.execute(_ADD, values)
        except IntegrityError as raced:
            raise GiverHasSpoken("Read the dose again.") from raced
