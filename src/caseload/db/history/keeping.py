"""How brought-in histories are kept."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Date,
    Integer,
    SmallInteger,
    Text,
    Uuid,
    bindparam,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.client import LIKE_ENOUGH
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client_identifier, client_identity
from caseload.db.tables.dosing import dose
from caseload.db.tables.history import (
    client_history,
    history_drug_screen,
    history_file,
    history_import,
    history_import_end,
    history_refusal,
    history_replaced_dose,
    history_visit,
)
from caseload.db.tables.medication import AMOUNT, medication_record
from caseload.domain.client import IdentifierKind
from caseload.domain.dosing import Entry, Kind
from caseload.domain.history import ClientRow, DoseRow, Outcome, Refusal
from caseload.domain.history.bringing_in import BroughtIn, Import, Known
from caseload.domain.history.comparing import Kept, VisitKey, VisitSource
from caseload.domain.ids import ClientId, HistoryId, ImportId, new_id
from caseload.domain.medicines import DosePart, Form, Medicine
from caseload.domain.profiles import profile_on

_newer = client_history.alias("newer")
_later = history_visit.alias("later")

_IS_NEWEST = ~exists().where(
    _newer.c.source == client_history.c.source,
    _newer.c.external_id == client_history.c.external_id,
    _newer.c.number > client_history.c.number,
)
_OF_SOURCE = select(
    client_history.c.external_id, client_history.c.client_id, client_history.c.number, client_history.c.content
).where(client_history.c.source == bindparam("source"), _IS_NEWEST)
_ONE_OF_SOURCE = _OF_SOURCE.where(client_history.c.external_id == bindparam("external_id"))

_LOCK = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("what"), 0)))

_FROM_ELSEWHERE = ~exists().where(
    client_history.c.client_id == client_identity.c.client_id, client_history.c.source == bindparam("source")
)
_KNOWN_ELSEWHERE = select(
    or_(
        exists().where(
            client_identity.c.birth_date == bindparam("birth_date"),
            func.similarity(client_identity.c.whole_name, func.lower(bindparam("name"))) >= LIKE_ENOUGH,
            _FROM_ELSEWHERE,
        ),
        exists().where(
            client_identifier.c.kind == IdentifierKind.BROUGHT_IN,
            func.lower(client_identifier.c.value) == func.lower(bindparam("external_id")),
        ),
    )
)

_KEPT_DOSES = (
    select(dose.c.dosing_day, dose.c.medicine, dose.c.form, dose.c.amount_mg)
    .join(client_history, client_history.c.id == dose.c.source_id)
    .where(
        dose.c.client_id == bindparam("client"),
        dose.c.kind == Kind.BROUGHT_IN,
        client_history.c.source == bindparam("source"),
    )
    .union_all(
        select(
            history_replaced_dose.c.given_on,
            history_replaced_dose.c.medicine,
            history_replaced_dose.c.form,
            history_replaced_dose.c.amount_mg,
        )
        .join(client_history, client_history.c.id == history_replaced_dose.c.history_id)
        .where(history_replaced_dose.c.client_id == bindparam("client"), client_history.c.source == bindparam("source"))
    )
)
_KEPT_VISITS = (
    select(
        history_visit.c.history_id,
        history_visit.c.line,
        history_visit.c.scheduled_on,
        history_visit.c.label,
        history_visit.c.status,
        history_visit.c.reason,
    )
    .join(client_history, client_history.c.id == history_visit.c.history_id)
    .where(
        history_visit.c.client_id == bindparam("client"),
        client_history.c.source == bindparam("source"),
        ~exists().where(
            _later.c.replaces_history_id == history_visit.c.history_id,
            _later.c.replaces_line == history_visit.c.line,
        ),
    )
    .order_by(history_visit.c.history_id, history_visit.c.line)
)
_KEPT_SCREENS = (
    select(history_drug_screen.c.collected_on, history_drug_screen.c.substance, history_drug_screen.c.result)
    .join(client_history, client_history.c.id == history_drug_screen.c.history_id)
    .where(history_drug_screen.c.client_id == bindparam("client"), client_history.c.source == bindparam("source"))
)

_rows = (
    func.unnest(
        bindparam("ids", type_=ARRAY(Uuid())),
        bindparam("days", type_=ARRAY(Date())),
        bindparam("medicines", type_=ARRAY(Text())),
        bindparam("forms", type_=ARRAY(Text())),
        bindparam("amounts", type_=ARRAY(AMOUNT)),
        bindparam("profile_versions", type_=ARRAY(SmallInteger())),
        bindparam("lines", type_=ARRAY(Integer())),
    )
    .table_valued("id", "day", "medicine", "form", "amount_mg", "profile_version", "line", name="given")
    .render_derived()
)
_DOSE: Final[Mapping[str, ColumnElement[Any]]] = {
    "id": _rows.c.id,
    "version": literal_column("1", SmallInteger()),
    "client_id": bindparam("client", type_=Uuid()),
    "programme_id": bindparam("programme", type_=Uuid()),
    "dosing_day": _rows.c.day,
    "part": literal_column(f"'{DosePart.WHOLE}'"),
    "medicine": _rows.c.medicine,
    "form": _rows.c.form,
    "amount_mg": _rows.c.amount_mg,
    "recorded_at": bindparam("at", type_=INSTANT),
    "recorded_by": bindparam("by", type_=Uuid()),
    "kind": literal_column(f"'{Kind.BROUGHT_IN}'"),
    "entry": literal_column(f"'{Entry.SOURCE}'"),
    "profile": bindparam("profile", type_=Text()),
    "profile_version": _rows.c.profile_version,
    "source_id": bindparam("source", type_=Uuid()),
    "source_line": _rows.c.line,
}
_ADD_DOSES = insert(dose).from_select(list(_DOSE), select(*_DOSE.values()))
"""All doses of a person in one statement: a person can have thousands."""

_COVER = upsert(medication_record).values(client_id=bindparam("client"), history_until=bindparam("last_day_covered"))
_COVERED_UNTIL: Final = _COVER.on_conflict_do_update(
    index_elements=[medication_record.c.client_id],
    set_={"history_until": func.greatest(medication_record.c.history_until, _COVER.excluded.history_until)},
)


class Histories:
    """Satisfies `domain.history.bringing_in.Histories`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add_import(self, begun: Import, refused: Sequence[Refusal]) -> None:
        """See `Histories.add_import`."""
        await self._connection.execute(
            insert(history_import).values(
                id=begun.id, source=begun.source, begun_by=begun.begun_by, begun_at=begun.begun_at
            )
        )
        await self._connection.execute(
            insert(history_file),
            [
                {
                    "import_id": begun.id,
                    "file": file.file,
                    "sha256": file.sha256,
                    "rows": file.rows,
                    "accepted": file.accepted,
                }
                for file in begun.files
            ],
        )
        if refused:
            await self._connection.execute(
                insert(history_refusal),
                [{"import_id": begun.id, "file": row.file, "line": row.line, "reason": row.reason} for row in refused],
            )

    async def end_import(self, import_id: ImportId, *, at: datetime) -> None:
        """See `Histories.end_import`."""
        await self._connection.execute(insert(history_import_end).values(import_id=import_id, ended_at=at))

    async def of_source(self, source: str) -> Mapping[str, Known]:
        """Everybody who was brought in from a source, by the identifier that they have there."""
        rows = await self._connection.execute(_OF_SOURCE, {"source": source})
        return {
            row.external_id: Known(client=ClientId(row.client_id), number=row.number, content=row.content)
            for row in rows
        }

    async def lock(self, source: str, external_id: str) -> Known | None:
        """See `Histories.lock`."""
        await self._connection.execute(_LOCK, {"what": f"history {source} {external_id}"})
        found = await self._connection.execute(_ONE_OF_SOURCE, {"source": source, "external_id": external_id})
        row = found.first()
        if row is None:
            return None
        return Known(client=ClientId(row.client_id), number=row.number, content=row.content)

    async def known_elsewhere(self, person: ClientRow, source: str) -> bool:
        """See `Histories.known_elsewhere`. Nobody is shown, so nobody is noted as seen."""
        identity = person.identity
        found = await self._connection.execute(
            _KNOWN_ELSEWHERE,
            {
                "birth_date": identity.birth_date,
                "name": f"{identity.given_name} {identity.family_name}",
                "external_id": person.external_id,
                "source": source,
            },
        )
        return bool(found.scalar_one())

    async def kept_of(self, client: ClientId, source: str) -> Kept:
        """See `Histories.kept_of`."""
        wanted = {"client": client, "source": source}
        doses = Counter(
            (row.dosing_day, Medicine(row.medicine), Form(row.form), row.amount_mg)
            for row in await self._connection.execute(_KEPT_DOSES, wanted)
        )
        visits: dict[VisitKey, list[VisitSource]] = {}
        for row in await self._connection.execute(_KEPT_VISITS, wanted):
            key = (row.scheduled_on, row.label, Outcome(row.status), row.reason)
            visits.setdefault(key, []).append(VisitSource(history=HistoryId(row.history_id), line=row.line))
        screens = Counter(
            (row.collected_on, row.substance, row.result)
            for row in await self._connection.execute(_KEPT_SCREENS, wanted)
        )
        return Kept(doses=doses, visits=visits, screens=screens)

    async def add(self, brought: BroughtIn) -> None:
        """See `Histories.add`."""
        await self._connection.execute(
            insert(client_history).values(
                id=brought.id,
                import_id=brought.import_id,
                client_id=brought.client,
                source=brought.source,
                external_id=brought.external_id,
                number=brought.number,
                content=brought.content,
                last_day_covered=brought.last_day_covered,
                recorded=dict(brought.recorded),
                recorded_by=brought.by,
                recorded_at=brought.at,
            )
        )
        await self._connection.execute(
            _COVERED_UNTIL, {"client": brought.client, "last_day_covered": brought.last_day_covered}
        )
        await self._add_doses(brought)
        await self._add_visits_and_screens(brought)

    async def _add_doses(self, brought: BroughtIn) -> None:
        if brought.doses:
            versions = {day: profile_on(brought.programme.profile, day) for day in {d.given_on for d in brought.doses}}
            await self._connection.execute(
                _ADD_DOSES,
                {
                    "ids": [new_id() for _ in brought.doses],
                    "days": [row.given_on for row in brought.doses],
                    "medicines": [row.medicine.value for row in brought.doses],
                    "forms": [row.form.value for row in brought.doses],
                    "amounts": [row.amount_mg for row in brought.doses],
                    "profile_versions": [versions[row.given_on].version for row in brought.doses],
                    "lines": [row.line for row in brought.doses],
                    "client": brought.client,
                    "programme": brought.programme.id,
                    "by": brought.by,
                    "at": brought.at,
                    "profile": brought.programme.profile,
                    "source": brought.id,
                },
            )
        if brought.replaced_doses:
            await self._connection.execute(
                insert(history_replaced_dose), [_replaced(brought, row) for row in brought.replaced_doses]
            )

    async def _add_visits_and_screens(self, brought: BroughtIn) -> None:
        of_client = {"history_id": brought.id, "client_id": brought.client}
        if brought.visits:
            await self._connection.execute(
                insert(history_visit),
                [
                    {
                        **of_client,
                        "line": visit.row.line,
                        "scheduled_on": visit.row.scheduled_on,
                        "label": visit.row.label,
                        "status": visit.row.status,
                        "reason": visit.row.reason,
                        "replaces_history_id": visit.replaces.history if visit.replaces else None,
                        "replaces_line": visit.replaces.line if visit.replaces else None,
                    }
                    for visit in brought.visits
                ],
            )
        if brought.screens:
            await self._connection.execute(
                insert(history_drug_screen),
                [
                    {
                        **of_client,
                        "line": screen.line,
                        "collected_on": screen.collected_on,
                        "substance": screen.substance,
                        "result": screen.result,
                    }
                    for screen in brought.screens
                ],
            )


def _replaced(brought: BroughtIn, row: DoseRow) -> dict[str, object]:
    return {
        "history_id": brought.id,
        "line": row.line,
        "client_id": brought.client,
        "given_on": row.given_on,
        "medicine": row.medicine,
        "form": row.form,
        "amount_mg": row.amount_mg,
    }
