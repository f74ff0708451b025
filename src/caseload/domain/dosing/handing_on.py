"""The last-dose statement for another provider: the last dose, the missed days, and the take-homes that are held.

It goes out as a disclosure and no other way: by a consent in force that covers this recipient, this purpose and
medication (42 CFR 2.31, 2.33), or in a medical emergency to medical personnel, with the four facts that must be written
down at once (2.51(c)). Take-home days are told only where the consent covers them too. What was told is kept as it was
told, with the notice that goes with it (2.32), in the client's account of disclosures (2.25).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar, Final, Protocol

from caseload.domain.access import Act
from caseload.domain.client import Client
from caseload.domain.consent import Answer, Asked, Category, Consents, Purpose, Recipient, ask
from caseload.domain.dosing.covered import CoveredDay
from caseload.domain.dosing.decision import Histories
from caseload.domain.dosing.missed import DaysWithout, days_without
from caseload.domain.dosing.own import own_first
from caseload.domain.dosing.statement import check_name
from caseload.domain.errors import Conflict, Faults, NotFound
from caseload.domain.ids import ClientId, ConsentId, DisclosureId, ProgrammeId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.medication import MedicationRecord, Order
from caseload.domain.medication.record import check_reason
from caseload.domain.medicines import LONG_ACTING
from caseload.domain.people import Staff
from caseload.domain.programme import Programme

EMERGENCY_RULE: Final = "42 CFR 2.51"
_ASKED: Final = (Category.MEDICATION, Category.TAKE_HOME)


class Ground(StrEnum):
    """What allows it."""

    CONSENT = "consent"
    EMERGENCY = "emergency"
    """A medical emergency in which consent cannot be had; to medical personnel only (42 CFR 2.51)."""


class NothingAllowsIt(Conflict):
    """Nothing allows telling this."""


class NothingToHandOn(Conflict):
    """Nothing was ever ordered for this client: there is no last dose to tell of."""


class DisclosureUnknown(NotFound):
    """There is no such disclosure within your reach."""


class DisclosureMade(Event):
    """Somebody outside was told about a client's medicine."""

    name: ClassVar[str] = "disclosure.made"


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """Whom you tell, for what, and what allows it."""

    recipient: Recipient
    """As a consent names them."""
    name: str
    """Who receives it, by name and function."""
    facility: str
    """Where they work."""
    purpose: Purpose
    emergency: str | None = None
    """The nature of the emergency, where that is what allows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastDose:
    """What another provider is told."""

    day: date
    """The dosing day on which it was told."""
    order: Order
    """In force, or else the last that was signed."""
    without: DaysWithout
    take_homes: Sequence[CoveredDay] | None
    """From that day on; None where they may not be told."""
    beside: tuple[tuple[Order, DaysWithout], ...] = ()
    """Another medicine that is ordered beside it, each with its own last dose."""

    @property
    def content(self) -> Mapping[str, object]:
        """As it is kept and told: texts, numbers and lists of texts."""
        told = {"day": str(self.day)} | _of_order(self.order, self.without)
        if self.beside:
            told["beside"] = [_of_order(order, without) for order, without in self.beside]
        told["take_homes"] = (
            None
            if self.take_homes is None
            else [{"day": str(each.day), "amount_mg": _text(each.amount_mg)} for each in self.take_homes]
        )
        return told


def _of_order(order: Order, without: DaysWithout) -> dict[str, object]:
    """What is told of one medicine."""
    last = without.last
    return {
        "medicine": order.medicine.value,
        "form": order.form.value,
        "ordered_mg": {part.value: _text(amount) for part, amount in order.amounts_mg.items()},
        "every_days": order.every_days,
        "last_dose": None
        if last is None
        else {
            "day": str(last.day),
            "at": last.at.isoformat() if last.at is not None else None,
            "medicine": last.medicine.value,
            "amount_mg": _text(last.amount_mg),
        },
        "missed_days": [str(day) for day in without.missed],
        "not_known_days": [str(day) for day in without.not_known],
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """What was told, to whom, for what, and what allowed it."""

    id: DisclosureId
    client: ClientId
    programme: ProgrammeId
    telling: Telling
    ground: Ground
    consent: ConsentId | None
    categories: tuple[Category, ...]
    rule: str
    rules_version: str
    notice: str | None
    """What went with it (42 CFR 2.32)."""
    content: Mapping[str, object]
    disclosed_by: StaffId
    disclosed_at: datetime


class Disclosures(Histories, Protocol):
    """What was told to others."""

    async def take_homes_from(self, client: ClientId, day: date, /) -> Sequence[CoveredDay]:
        """The take-home days that a client holds from a day on."""
        ...

    async def add_disclosure(self, disclosure: Disclosure, /) -> None:
        """Keep what was told."""
        ...


async def hand_on_last_dose(
    telling: Telling,
    client: Client,
    programme: Programme,
    *,
    as_id: DisclosureId,
    by: Staff,
    now: datetime,
    disclosures: Disclosures,
    consents: Consents,
    journal: Journal,
) -> Disclosure:
    """Tell another provider of the last dose, and keep what was told.

    Raises `ClientUnknown`, `NotPermitted`, `Invalid`, `NothingAllowsIt`, `NothingToHandOn`.
    """
    _check(telling)
    record = await disclosures.lock(client.id, by=by, act=Act.RECORD_DOSE)
    answers = await ask(
        Asked(recipient=telling.recipient, categories=_ASKED, purpose=telling.purpose),
        client=client,
        programme=programme,
        by=by,
        now=now,
        consents=consents,
        journal=journal,
    )
    medication, take_home = answers
    if telling.emergency is None and not medication.allowed:
        raise NothingAllowsIt(
            medication.advice or "Ask the client for a consent.",
            rule=medication.rule,
            rules_version=medication.rules_version,
            reason=medication.reason,
            category=Category.MEDICATION,
        )
    tells_take_homes = telling.emergency is not None or take_home.allowed
    told = await _last_dose(record, now, disclosures, tells_take_homes=tells_take_homes)
    made = Disclosure(
        id=as_id,
        client=client.id,
        programme=record.place(by, Act.RECORD_DOSE),
        telling=telling,
        ground=Ground.CONSENT if telling.emergency is None else Ground.EMERGENCY,
        consent=medication.consent if telling.emergency is None else None,
        categories=_ASKED if tells_take_homes else (Category.MEDICATION,),
        rule=medication.rule if telling.emergency is None else EMERGENCY_RULE,
        rules_version=medication.rules_version,
        notice=_notice(telling, medication),
        content=told.content,
        disclosed_by=by.id,
        disclosed_at=now,
    )
    await disclosures.add_disclosure(made)
    journal.tell(
        DisclosureMade(
            client=client.id,
            records=(made.id,) if made.consent is None else (made.id, made.consent),
            facts={"ground": made.ground, "purpose": telling.purpose, "categories": ",".join(made.categories)},
        )
    )
    return made


def _check(telling: Telling) -> None:
    faults = Faults()
    check_name(telling.name, "name", faults)
    check_name(telling.facility, "facility", faults)
    if telling.emergency is not None:
        check_reason(telling.emergency, faults, "emergency")
    faults.raise_if_any()


def _notice(telling: Telling, answer: Answer) -> str | None:
    return answer.notice if telling.emergency is None else None


async def _last_dose(
    record: MedicationRecord, now: datetime, disclosures: Disclosures, *, tells_take_homes: bool
) -> LastDose:
    today = record.day_of(now)
    orders = [order for order in await disclosures.orders_of(record.client) if order.counts]
    told = [order for order in orders if order.covers(today, record.time_zone)] or orders[:1]
    if not told:
        raise NothingToHandOn
    withouts: list[DaysWithout] = []
    for order in told:
        last = await disclosures.last_taken(record, order.medicine, order.form, today)
        without = DaysWithout(last=last)
        if order.form not in LONG_ACTING:
            without = days_without(last, today, own_first(orders, order.medicine), record)
        withouts.append(without)
    return LastDose(
        day=today,
        order=told[0],
        without=withouts[0],
        beside=tuple(zip(told[1:], withouts[1:], strict=True)),
        take_homes=await disclosures.take_homes_from(record.client, today) if tells_take_homes else None,
    )


def _text(amount: Decimal) -> str:
    return f"{amount.normalize():f}"
