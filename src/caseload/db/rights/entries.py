"""Whether an entry of some kind stands in a client's record, in one version."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from sqlalchemy import ColumnElement, FromClause, Integer, Select, Uuid, bindparam, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.tables.attendance import therapy_session_line
from caseload.db.tables.checkin import check_in, check_in_answers
from caseload.db.tables.dosing import dose
from caseload.db.tables.medication import medication_order
from caseload.db.tables.note import session_note, session_note_version
from caseload.db.tables.observation import observation
from caseload.db.tables.screening import drug_screen
from caseload.domain.ids import ClientId
from caseload.domain.note import NoteKind
from caseload.domain.rights import Entry, EntryKind

_CLIENT, _ID = bindparam("client", type_=Uuid()), bindparam("entry", type_=Uuid())
_VERSION = bindparam("version", type_=Integer())


def _there(
    of: FromClause,
    *more: ColumnElement[bool],
    client: ColumnElement[object] | None = None,
    identifier: str = "id",
) -> Select[bool]:
    whose = of.c.client_id if client is None else client
    return select(exists().where(whose == _CLIENT, of.c[identifier] == _ID, of.c.version == _VERSION, *more))


_THERE: Final[Mapping[EntryKind, Select[bool]]] = MappingProxyType({
    EntryKind.ORDER: _there(medication_order),
    EntryKind.DOSE: _there(dose),
    EntryKind.DRUG_SCREEN: _there(drug_screen),
    EntryKind.OBSERVATION: _there(observation),
    EntryKind.ATTENDANCE: _there(therapy_session_line, identifier="session_id"),
    EntryKind.NOTE: _there(
        session_note_version,
        session_note.c.id == session_note_version.c.note_id,
        session_note.c.kind == NoteKind.PROGRESS.value,
        client=session_note.c.client_id,
        identifier="note_id",
    ),
    EntryKind.CHECK_IN: _there(
        check_in_answers,
        check_in.c.id == check_in_answers.c.check_in_id,
        client=check_in.c.client_id,
        identifier="check_in_id",
    ),
})  # fmt: skip


async def has_entry(connection: AsyncConnection, entry: Entry, of: ClientId) -> bool:
    """See `domain.rights.RightsRequests.has_entry`."""
    given = {"client": of, "entry": entry.id, "version": entry.version}
    return bool((await connection.execute(_THERE[entry.kind], given)).scalar_one())
