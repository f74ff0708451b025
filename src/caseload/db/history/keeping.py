"""How what an import brings in is kept."""

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
    func,
    insert,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert

from caseload.db.history.known import KnownHistories
from caseload.db.tables.base import INSTANT
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
from caseload.domain.dosing import Entry, Kind
from caseload.domain.history import DoseRow, Refusal
from caseload.domain.history.bringing_in import BroughtIn
from caseload.domain.history.importing import Import
from caseload.domain.ids import ImportId, new_id
from caseload.domain.medicines import DosePart

_rows = (
    func.unnest(
        bindparam("ids", type_=ARRAY(Uuid())),
        bindparam("days", type_=ARRAY(Date())),
        bindparam("medicines", type_=ARRAY(Text())),
        bindparam("forms", type_=ARRAY(Text())),
        bindparam("amounts", type_=ARRAY(AMOUNT)),
        bindparam("profiles", type_=ARRAY(Text())),
        bindparam("profile_versions", type_=ARRAY(SmallInteger())),
        bindparam("lines", type_=ARRAY(Integer())),
    )
    .table_valued("id", "day", "medicine", "form", "amount_mg", "profile", "profile_version", "line", name="given")
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
    "profile": _rows.c.profile,
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


class Histories(KnownHistories):
    """Satisfies `domain.history.bringing_in.Histories` and `domain.history.importing.Imports`."""

    async def add_import(self, begun: Import, refused: Sequence[Refusal]) -> None:
        """See `Imports.add_import`."""
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
        """See `Imports.end_import`."""
        await self._connection.execute(insert(history_import_end).values(import_id=import_id, ended_at=at))

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
            rules = {day: brought.programme.rules_on(day) for day in {dose.given_on for dose in brought.doses}}
            await self._connection.execute(
                _ADD_DOSES,
                {
                    "ids": [new_id() for _ in brought.doses],
                    "days": [row.given_on for row in brought.doses],
                    "medicines": [row.medicine.value for row in brought.doses],
                    "forms": [row.form.value for row in brought.doses],
                    "amounts": [row.amount_mg for row in brought.doses],
                    "profiles": [rules[row.given_on].profile for row in brought.doses],
                    "profile_versions": [rules[row.given_on].version for row in brought.doses],
                    "lines": [row.line for row in brought.doses],
                    "client": brought.client,
                    "programme": brought.programme.id,
                    "by": brought.by,
                    "at": brought.at,
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
