"""The window as the stories meet it: one transaction in which nobody else works, so it need not ask what it knows.

A real window locks the client, reads the facts and keeps the dose, in three statements. The demo records some
thousands of doses; where a client has had nothing but ordinary doses, the facts are what was recorded the day before,
and the doses of a day are kept together. Everywhere else it asks, as the real one does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from caseload.db.dosing import Doses
from caseload.domain.access import Act
from caseload.domain.dosing import Correction, Dose, Entry, Facts, Giving, Injecting, Taken
from caseload.domain.ids import ClientId, DoseId, OrderId, StationId
from caseload.domain.medication import Acting, Decision, Hold, MedicationRecord, Order, Stop
from caseload.domain.medicines import DosePart, Form, Medicine
from caseload.domain.people import Staff
from caseload.domain.profiles.around import IdentifiedBy
from caseload.domain.signature import Signature
from caseload.request.work import Work


@dataclass(slots=True, kw_only=True)
class Memory:
    """What this transaction has recorded of a programme's medication."""

    records: dict[ClientId, MedicationRecord] = field(default_factory=dict[ClientId, MedicationRecord])
    orders: dict[OrderId, Order] = field(default_factory=dict[OrderId, Order])
    """Signed orders that nothing has happened to since."""
    last: dict[ClientId, Dose] = field(default_factory=dict[ClientId, Dose])
    """The last dose of each client."""
    eventful: set[ClientId] = field(default_factory=set[ClientId])
    """Clients of whom there is more to know than their last dose: a hold, a decision, something put right."""
    unkept: list[tuple[Dose, datetime]] = field(default_factory=list[tuple[Dose, datetime]])
    """Doses that are still to be kept, with the deadline of their signature."""


class Window(Doses):
    """Satisfies `domain.dosing.Doses` for one programme of the demo."""

    def __init__(self, work: Work, memory: Memory, *, now: datetime) -> None:
        super().__init__(work.connection, work.journal, now=now)
        self._memory = memory

    async def keep(self) -> None:
        """Keep what is still to be kept."""
        unkept, self._memory.unkept = self._memory.unkept, []
        if unkept:
            await self.add_doses(unkept)

    async def lock(self, wanted: ClientId, *, by: Staff, act: Act) -> MedicationRecord:
        """Lock a client's record once: it stays locked until the end of the transaction."""
        if wanted not in self._memory.records:
            self._memory.records[wanted] = await super().lock(wanted, by=by, act=act)
        return self._memory.records[wanted]

    async def facts(
        self, record: MedicationRecord, giving: Giving, day: date, *, at: datetime, past: bool = False
    ) -> Facts:
        """What is known from the day before, of a client about whom there is nothing else to know."""
        last = self._memory.last.get(record.client)
        order = self._memory.orders.get(giving.order) if giving.order is not None else None
        if (
            past
            or order is None
            or last is None
            or record.client in self._memory.eventful
            or giving.part is not DosePart.WHOLE
            or day - last.dosing_day != timedelta(days=1)
        ):
            await self.keep()
            return await super().facts(record, giving, day, at=at, past=past)
        self._journal.saw(record.client, "dose")
        taken = Taken(day=last.dosing_day, at=last.given_at, medicine=last.medicine, amount_mg=last.amount_mg)
        return Facts(order=order, given=None, last=taken, held=None, allowed=None, freed_by=None)

    async def given_lately(self, wanted: ClientId, day: date) -> Sequence[Acting]:
        """Ask, once everything is kept."""
        await self.keep()
        return await super().given_lately(wanted, day)

    async def last_taken(self, record: MedicationRecord, medicine: Medicine, form: Form, until: date) -> Taken | None:
        """Ask, once everything is kept."""
        await self.keep()
        return await super().last_taken(record, medicine, form, until)

    async def dose(self, wanted: DoseId, *, by: Staff, act: Act) -> Dose:
        """Ask, once everything is kept."""
        await self.keep()
        return await super().dose(wanted, by=by, act=act)

    async def add_dose(
        self,
        recorded: Dose,
        *,
        sign_by: datetime,
        station: StationId | None = None,
        injecting: Injecting | None = None,
    ) -> None:
        """Keep an ordinary dose with the others of its day; anything else at once."""
        if station is not None or injecting is not None:
            await self.keep()
            await super().add_dose(recorded, sign_by=sign_by, station=station, injecting=injecting)
        else:
            self._memory.unkept.append((recorded, sign_by))
        self._memory.last[recorded.client] = recorded
        if recorded.version > 1 or recorded.entry is not Entry.WINDOW or recorded.part is not DosePart.WHOLE:
            self._memory.eventful.add(recorded.client)
            await self.keep()

    async def add_identity_check(self, checked: DoseId, identified_by: IdentifiedBy) -> None:
        """Keep it beside its dose, once that is kept."""
        await self.keep()
        await super().add_identity_check(checked, identified_by)

    async def add_hold(self, raised: Hold) -> None:
        """Keep it, and remember that there is more to know of this client."""
        self._memory.eventful.add(raised.client)
        await self.keep()
        await super().add_hold(raised)

    async def add_decision(self, decision: Decision, signature: Signature) -> None:
        """Keep it, and remember that there is more to know of this client."""
        self._memory.eventful.add(decision.client)
        await super().add_decision(decision, signature)

    async def add_correction(self, correction: Correction, signature: Signature) -> None:
        """Keep it, and remember that there is more to know of this client."""
        self._memory.eventful.add(correction.client)
        await super().add_correction(correction, signature)

    async def add_order_signature(self, order: Order, signature: Signature) -> None:
        """Keep it, and remember the order now in force, and that the one it replaces is not what it was."""
        await super().add_order_signature(order, signature)
        self._memory.orders[order.id] = replace(order, signed_at=signature.statement.signed_at, confirmed=())
        if order.replaces is not None:
            self._memory.orders.pop(order.replaces, None)

    async def add_order_stop(self, stop: Stop, order: Order, signature: Signature) -> None:
        """Keep it, and forget the order."""
        await super().add_order_stop(stop, order, signature)
        self._memory.orders.pop(order.id, None)
