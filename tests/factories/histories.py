"""Brought-in histories of clients who are in care already, and doses of our own that follow them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.history import Histories
from caseload.db.tables.dosing import dose
from caseload.domain.dosing import Entry, Kind
from caseload.domain.history import DoseRow, Outcome, ScreenRow, VisitRow
from caseload.domain.history.bringing_in import BroughtIn
from caseload.domain.history.comparing import Visit
from caseload.domain.history.importing import Import, SourceFile
from caseload.domain.ids import ClientId, HistoryId, ImportId, ProgrammeId, new_id
from caseload.domain.medicines import DosePart, Form, Medicine
from caseload.domain.profiles.selected import Selected
from caseload.domain.programme import Programme
from tests.factories import people
from tests.factories.people import NOW

SOURCE = "old record"
FILES = (SourceFile(file="doses.csv", sha256="0" * 64, rows=1, accepted=1),)


def a_dose(
    day: date,
    *,
    line: int,
    medicine: Medicine = Medicine.METHADONE,
    form: Form = Form.ORAL_SOLUTION,
    amount_mg: Decimal = Decimal(60),
) -> DoseRow:
    """A dose as others recorded it."""
    return DoseRow(line=line, given_on=day, medicine=medicine, form=form, amount_mg=amount_mg)


def a_visit(day: date | None, *, line: int, status: Outcome = Outcome.ATTENDED, label: str = "Week 1") -> VisitRow:
    """A visit as others recorded it."""
    return VisitRow(line=line, scheduled_on=day, label=label, status=status, reason="")


async def brought_in(
    connection: AsyncConnection,
    client: ClientId,
    *,
    programme: ProgrammeId,
    doses: Sequence[DoseRow] = (),
    visits: Sequence[VisitRow] = (),
    screens: Sequence[ScreenRow] = (),
    until: date,
    number: int = 1,
    at: datetime = NOW,
    recorded: Mapping[str, str] | None = None,
) -> HistoryId:
    """Bring in rows of a client who is registered already."""
    by = await people.bystander(connection)
    histories = Histories(connection)
    begun = Import(id=ImportId(new_id()), source=SOURCE, files=FILES, begun_by=by, begun_at=at)
    await histories.add_import(begun, [])
    history = HistoryId(new_id())
    await histories.add(
        BroughtIn(
            id=history,
            import_id=begun.id,
            client=client,
            programme=Programme(id=programme, code="P", name="P", time_zone="Europe/London", profiles=Selected("UK")),
            source=SOURCE,
            external_id=str(client),
            number=number,
            content=bytes(32),
            last_day_covered=until,
            recorded=recorded or {},
            doses=doses,
            replaced_doses=(),
            visits=[Visit(row=row) for row in visits],
            screens=screens,
            by=by,
            at=at,
        )
    )
    return history


async def our_own_dose(connection: AsyncConnection, client: ClientId, day: date, *, programme: ProgrammeId) -> None:
    """A dose of methadone that we gave, late and without an order, which needs the least around it."""
    by = await people.bystander(connection)
    await connection.execute(
        insert(dose).values(
            id=new_id(),
            version=1,
            client_id=client,
            programme_id=programme,
            dosing_day=day,
            part=DosePart.WHOLE,
            medicine=Medicine.METHADONE,
            form=Form.ORAL_SOLUTION,
            amount_mg=Decimal(40),
            supervised=True,
            given_at=datetime.combine(day, time(9), UTC),
            given_by=by,
            recorded_at=datetime.combine(day, time(10), UTC),
            recorded_by=by,
            kind=Kind.EXCEPTION,
            entry=Entry.LATE,
            late_reason="Typed in from the downtime sheet.",
            rules=["no_order_in_force"],
            profile="UK",
            profile_version=1,
        )
    )
