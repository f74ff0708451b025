"""A dispensing window: a programme with nurses and a prescriber, a client, and orders signed for them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.dosing import Doses
from caseload.db.signoff import Queue, SignOffs
from caseload.db.tables.caseload import client as client_table
from caseload.db.tables.history import client_history, history_import
from caseload.domain.access import Role
from caseload.domain.dosing import Dose, Giving, Injecting, Late, allow_dose, give, record_late
from caseload.domain.dosing.decision import Wanted
from caseload.domain.ids import ClientId, DecisionId, DoseId, HoldId, OrderId, ProgrammeId, StationId, new_id
from caseload.domain.journal import Event
from caseload.domain.medication import (
    Decision,
    Hold,
    HoldReason,
    Order,
    OrderNeedsConfirmation,
    Wish,
    Words,
    raise_hold,
    sign_order,
    write_order,
)
from caseload.domain.medicines import DosePart, Form, Medicine
from caseload.domain.people import Proof, Staff
from tests.factories import people
from tests.factories.seals import SEALING

MORNING = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
"""Eight in the morning of a Sunday, also on the wall in London."""
TODAY = MORNING.date()


@dataclass
class Told:
    """A journal that remembers what it was told."""

    events: list[Event] = field(default_factory=list[Event])
    seen: set[tuple[ClientId, str]] = field(default_factory=set[tuple[ClientId, str]])

    def saw(self, client: ClientId, kind: str) -> None:
        self.seen.add((client, kind))

    def tell(self, event: Event) -> None:
        self.events.append(event)

    def names(self) -> list[str]:
        return [event.name for event in self.events]


def proof(staff: Staff, at: datetime) -> Proof:
    return Proof(staff=staff.id, at=at, methods=("password",), sealing=SEALING)


def wish(
    *,
    medicine: Medicine = Medicine.METHADONE,
    form: Form = Form.ORAL_SOLUTION,
    amounts_mg: Mapping[DosePart, Decimal] | None = None,
    amount_mg: str = "60",
    every_days: int = 1,
    starts_on: date = TODAY,
    ends_on: date | None = None,
    replaces: OrderId | None = None,
) -> Wish:
    return Wish(
        medicine=medicine,
        form=form,
        strength_mg=Decimal(1),
        amounts_mg={DosePart.WHOLE: Decimal(amount_mg)} if amounts_mg is None else amounts_mg,
        every_days=every_days,
        starts_on=starts_on,
        ends_on=ends_on,
        supervised=True,
        note="",
        replaces=replaces,
        no_opioid_known="Asked: none." if medicine is Medicine.NALTREXONE else None,
    )


@dataclass
class Window:
    """Everything a morning needs, on one connection."""

    connection: AsyncConnection
    programme: ProgrammeId
    nurse: Staff
    colleague: Staff
    prescriber: Staff
    client: ClientId
    journal: Told = field(default_factory=Told)

    def doses(self, now: datetime = MORNING) -> Doses:
        return Doses(self.connection, self.journal, now=now)

    def sign_offs(self, now: datetime = MORNING) -> SignOffs:
        return SignOffs(self.connection, self.journal, now=now)

    def queue(self, now: datetime = MORNING) -> Queue:
        return Queue(self.connection, self.journal, now=now)

    async def source(self) -> UUID:
        """What a run brought in of the client."""
        run, made = new_id(), new_id()
        await self.connection.execute(
            insert(history_import).values(id=run, source="former system", begun_by=self.nurse.id, begun_at=MORNING)
        )
        await self.connection.execute(
            insert(client_history).values(
                id=made,
                import_id=run,
                client_id=self.client,
                source=f"former system {made.hex[-8:]}",
                external_id=str(made),
                number=1,
                content=bytes(32),
                last_day_covered=TODAY,
                recorded={},
                recorded_by=self.nurse.id,
                recorded_at=MORNING,
            )
        )
        return made

    async def another_client(self) -> ClientId:
        made = ClientId(new_id())
        await self.connection.execute(
            insert(client_table).values(
                id=made, programme_id=self.programme, registered_by=self.nurse.id, recorded_at=people.LONG_AGO
            )
        )
        return made

    async def draft(
        self, wished: Wish | None = None, *, now: datetime = MORNING, client: ClientId | None = None
    ) -> Order:
        return await write_order(
            wished or wish(starts_on=now.date()),
            client or self.client,
            as_id=OrderId(new_id()),
            by=self.prescriber,
            now=now,
            orders=self.doses(now),
            journal=self.journal,
        )

    async def order(
        self, wished: Wish | None = None, *, now: datetime = MORNING, client: ClientId | None = None
    ) -> Order:
        drafted = await self.draft(wished, now=now, client=client)
        try:
            return await self.sign(drafted, now=now)
        except OrderNeedsConfirmation as asked:
            return await self.sign(drafted, now=now, confirmed=dict.fromkeys(asked.rules, "Seen, and meant."))

    async def sign(
        self, drafted: Order, *, now: datetime = MORNING, confirmed: Mapping[str, str] | None = None
    ) -> Order:
        return await sign_order(
            drafted.id,
            by=self.prescriber,
            proof=proof(self.prescriber, now),
            now=now,
            orders=self.doses(now),
            journal=self.journal,
            confirmed=confirmed,
        )

    async def give(  # noqa: PLR0913  any part of a dose may be what a test is about
        self,
        order: Order,
        *,
        at: datetime = MORNING,
        by: Staff | None = None,
        amount_mg: str | None = None,
        part: DosePart = DosePart.WHOLE,
        medicine: Medicine | None = None,
        form: Form | None = None,
        less_reason: str | None = None,
        given_at: datetime | None = None,
        dose_id: DoseId | None = None,
        station: StationId | None = None,
        injecting: Injecting | None = None,
    ) -> Dose:
        return await give(
            Giving(
                client=order.client,
                order=order.id,
                medicine=medicine or order.medicine,
                form=form or order.form,
                amount_mg=Decimal(amount_mg) if amount_mg else order.amounts_mg.get(part, Decimal(1)),
                part=part,
                given_at=given_at or at,
                supervised=True,
                less_reason=less_reason,
                station=station,
                injecting=injecting,
            ),
            as_id=dose_id or DoseId(new_id()),
            by=by or self.nurse,
            now=at,
            doses=self.doses(at),
            journal=self.journal,
        )

    async def late(
        self,
        order: Order | None,
        *,
        given_at: datetime,
        now: datetime = MORNING,
        amount_mg: str = "60",
        reason: str = "The network was down.",
        by: Staff | None = None,
        given_by: Staff | None = None,
        part: DosePart = DosePart.WHOLE,
        station: StationId | None = None,
    ) -> Dose:
        return await record_late(
            Giving(
                client=order.client if order else self.client,
                order=order.id if order else None,
                medicine=order.medicine if order else Medicine.METHADONE,
                form=order.form if order else Form.ORAL_SOLUTION,
                amount_mg=Decimal(amount_mg),
                part=part,
                given_at=given_at,
                supervised=True,
                station=station,
            ),
            Late(reason=reason, given_by=given_by.id if given_by else None),
            as_id=DoseId(new_id()),
            by=by or self.nurse,
            now=now,
            doses=self.doses(now),
            journal=self.journal,
        )

    async def hold(self, *, at: datetime = MORNING, by: Staff | None = None) -> Hold:
        return await raise_hold(
            self.client,
            HoldReason.SEDATION,
            Words(note="Drowsy."),
            as_id=HoldId(new_id()),
            by=by or self.nurse,
            now=at,
            holds=self.doses(at),
            journal=self.journal,
        )

    async def allow(
        self,
        *days: date,
        at: datetime = MORNING,
        at_most_mg: str | None = None,
        by: Staff | None = None,
        medicine: Medicine | None = None,
    ) -> Decision:
        prescriber = by or self.prescriber
        at_most = Decimal(at_most_mg) if at_most_mg else None
        return await allow_dose(
            Wanted(days=days, reason="Seen and sober.", at_most_mg=at_most, medicine=medicine),
            self.client,
            as_id=DecisionId(new_id()),
            by=prescriber,
            proof=proof(prescriber, at),
            now=at,
            histories=self.doses(at),
            journal=self.journal,
        )


async def clinician(
    connection: AsyncConnection, programme: ProgrammeId, role: Role, name: str = "Robin Ashdown"
) -> Staff:
    made = await people.staff(connection, printed_name=name, holds=[(role, programme)])
    return replace(made, registration=f"NMC {made.id.hex[-8:]}")


async def window(connection: AsyncConnection, *, profile: str = "UK", time_zone: str = "Europe/London") -> Window:
    programme = await people.programme(connection, profile=profile, time_zone=time_zone)
    made = Window(
        connection=connection,
        programme=programme,
        nurse=await clinician(connection, programme, Role.NURSE, "Nora Quill"),
        colleague=await clinician(connection, programme, Role.NURSE, "Imran Shah"),
        prescriber=await clinician(connection, programme, Role.PRESCRIBER, "Dr Ada Osei"),
        client=ClientId(new_id()),
    )
    await connection.execute(
        insert(client_table).values(
            id=made.client, programme_id=programme, registered_by=made.nurse.id, recorded_at=people.LONG_AGO
        )
    )
    return made
