"""Records of naloxone in PostgreSQL."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Row, bindparam, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.tables.naloxone import naloxone, naloxone_taken_back
from caseload.domain.errors import Fault, Invalid
from caseload.domain.ids import ClientId, NaloxoneId, ProgrammeId, StaffId
from caseload.domain.journal import Journal
from caseload.domain.naloxone import (
    Naloxone,
    NaloxoneForm,
    NaloxoneTakenBack,
    NaloxoneUnknown,
    Offer,
    Outcome,
    Recipient,
)
from caseload.domain.taken_back import TakenBack

OF_CLIENT: Final = (
    select(
        *naloxone.c,
        naloxone_taken_back.c.reason,
        naloxone_taken_back.c.recorded_by.label("taken_back_by"),
        naloxone_taken_back.c.recorded_at.label("taken_back_at"),
    )
    .select_from(naloxone.outerjoin(naloxone_taken_back, naloxone_taken_back.c.naloxone_id == naloxone.c.id))
    .where(naloxone.c.client_id == bindparam("client"))
    .order_by(naloxone.c.offered_on.desc(), naloxone.c.id.desc())
)
_ADD, _TAKE_BACK = insert(naloxone), insert(naloxone_taken_back)


class Supplies:
    """Satisfies `domain.naloxone.Supplies`. Whoever asks has been let through to the client before."""

    def __init__(self, connection: AsyncConnection, journal: Journal) -> None:
        self._connection = connection
        self._journal = journal

    async def of(self, client: ClientId) -> Sequence[Naloxone]:
        """Every record of a client, the last day first, also what was taken back."""
        rows = (await self._connection.execute(OF_CLIENT, {"client": client})).all()
        self._journal.saw(client, "naloxone")
        return [_naloxone(row) for row in rows]

    async def one(self, wanted: NaloxoneId, *, of: ClientId) -> Naloxone:
        """One record; or `NaloxoneUnknown`."""
        found = next((each for each in await self.of(of) if each.id == wanted), None)
        if found is None:
            raise NaloxoneUnknown("Look at the client's records of naloxone for its identifier.")
        return found

    async def add(self, new: Naloxone, /) -> None:
        """See `domain.naloxone.Supplies.add`."""
        said = new.offer
        try:
            await self._connection.execute(
                _ADD,
                {
                    "id": new.id,
                    "client_id": new.client,
                    "programme_id": new.programme,
                    "offered_on": said.offered_on,
                    "recipient": said.recipient,
                    "person_id": said.person,
                    "outcome": said.outcome,
                    "form": said.form,
                    "units": said.units,
                    "trained": said.trained,
                    "note": said.note,
                    "recorded_by": new.recorded_by,
                    "recorded_at": new.recorded_at,
                },
            )
        except IntegrityError as refused:
            raise Invalid(Fault("person_id", "is nobody around this client")) from refused

    async def add_taken_back(self, wrong: Naloxone, taken_back: TakenBack, /) -> None:
        """See `domain.naloxone.Supplies.add_taken_back`."""
        try:
            await self._connection.execute(
                _TAKE_BACK,
                {
                    "naloxone_id": wrong.id,
                    "reason": taken_back.reason,
                    "recorded_by": taken_back.by,
                    "recorded_at": taken_back.at,
                },
            )
        except IntegrityError as raced:
            raise NaloxoneTakenBack("Read the client's records of naloxone again.") from raced


def _naloxone(row: Row[*tuple[Any, ...]]) -> Naloxone:
    return Naloxone(
        id=NaloxoneId(row.id),
        client=ClientId(row.client_id),
        programme=ProgrammeId(row.programme_id),
        offer=Offer(
            offered_on=row.offered_on,
            recipient=Recipient(row.recipient),
            person=row.person_id,
            outcome=Outcome(row.outcome),
            form=None if row.form is None else NaloxoneForm(row.form),
            units=row.units,
            trained=row.trained,
            note=row.note,
        ),
        recorded_by=StaffId(row.recorded_by),
        recorded_at=row.recorded_at,
        taken_back=None
        if row.reason is None
        else TakenBack(reason=row.reason, by=StaffId(row.taken_back_by), at=row.taken_back_at),
    )
