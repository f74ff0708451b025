"""The last-dose statement for another provider: the last dose, the missed days, and the take-homes that are held.

It goes out as a disclosure and no other way: by a consent in force that covers this recipient, this purpose and
medication (42 CFR 2.31, 2.33), or in a medical emergency to medical personnel, with the four facts that must be written
down at once (2.51(c)). Take-home days are told only where the consent covers them too. What was told is kept as it was
told, with the notice that goes with it (2.32) and what the client disputes of it, in the client's account of disclosures
(2.25).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Protocol

from caseload.domain.access import Act
from caseload.domain.client import Client
from caseload.domain.consent import Asked, Category, Consents, sound
from caseload.domain.disclosure import (
    Covering,
    Disclosure,
    Disclosures,
    DisputeTold,
    Ground,
    Manner,
    NoticeHow,
    Telling,
    carried,
    covering,
    exceptions_on,
    scope_of,
    tell_made,
)
from caseload.domain.dosing.covered import CoveredDay
from caseload.domain.dosing.decision import Histories
from caseload.domain.dosing.missed import DaysWithout, days_without
from caseload.domain.dosing.own import own_first
from caseload.domain.dosing.statement import check_name
from caseload.domain.errors import Conflict, Faults
from caseload.domain.family import Families
from caseload.domain.ids import ClientId, DisclosureId
from caseload.domain.journal import Journal
from caseload.domain.medication import MedicationRecord, Order, is_another
from caseload.domain.medication.record import check_reason
from caseload.domain.medicines import LONG_ACTING, Medicine
from caseload.domain.people import Staff
from caseload.domain.programme import Programme

_ASKED: Final = (Category.MEDICATION, Category.TAKE_HOME)


class NothingToHandOn(Conflict):
    """Nothing was ever ordered for this client: there is no last dose to tell of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenThatDay:
    """A dose of ours of the last day: the last alone may be a part of the day, or what was given for one that came back."""

    at: datetime | None
    medicine: Medicine
    amount_mg: Decimal
    came_back_after_minutes: int | None = None
    is_replacement: bool = False

    @property
    def content(self) -> Mapping[str, object]:
        """As it is kept and told."""
        return {
            "at": None if self.at is None else self.at.isoformat(),
            "medicine": self.medicine.value,
            "amount_mg": _text(self.amount_mg),
            "came_back_after_minutes": self.came_back_after_minutes,
            "is_replacement": self.is_replacement,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LastDose:
    """What another provider is told."""

    day: date
    """The dosing day on which it was told."""
    order: Order
    """In force, or else the last that was signed."""
    without: DaysWithout
    take_homes: Sequence[CoveredDay]
    """From that day on."""
    beside: tuple[tuple[Order, DaysWithout], ...] = ()
    """Another medicine that is ordered beside it, each with its own last dose."""
    that_day: Mapping[date, Sequence[GivenThatDay]]
    """Every dose of ours of each day that is told as a last one, of any medicine, the first first."""

    @property
    def content(self) -> Mapping[str, object]:
        """As it is kept and told: texts, numbers and lists of texts."""
        told = {"day": str(self.day)} | self._of_order(self.order, self.without)
        if self.beside:
            told["beside"] = [self._of_order(order, without) for order, without in self.beside]
        told["take_homes"] = [{"day": str(each.day), "amount_mg": _text(each.amount_mg)} for each in self.take_homes]
        return told

    def _of_order(self, order: Order, without: DaysWithout) -> dict[str, object]:
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
                "all_of_that_day": [
                    each.content
                    for each in self.that_day.get(last.day, ())
                    if not is_another(last.medicine, each.medicine)
                ],
            },
            "missed_days": [str(day) for day in without.missed],
            "not_known_days": [str(day) for day in without.not_known],
        }


class LastDoses(Histories, Protocol):
    """What the last dose is worked out from."""

    async def take_homes_from(self, client: ClientId, day: date, /) -> Sequence[CoveredDay]:
        """The take-home days that a client holds from a day on."""
        ...

    async def all_given_on(self, client: ClientId, day: date, /) -> Sequence[GivenThatDay]:
        """Every dose of ours of a day as its newest version says, the first first."""
        ...


class HandingOn(LastDoses, Disclosures, Protocol):
    """The last dose, and what was told of it to others."""


async def hand_on_last_dose(
    telling: Telling,
    client: Client,
    programme: Programme,
    *,
    as_id: DisclosureId,
    by: Staff,
    now: datetime,
    disclosures: HandingOn,
    consents: Consents,
    families: Families,
    journal: Journal,
) -> Disclosure:
    """Tell another provider of the last dose, and keep what was told.

    Raises `ClientUnknown`, `NotPermitted`, `Invalid`, `NothingAllowsIt`, `NothingToHandOn`.
    """
    _check(telling)
    record = await disclosures.lock(client.id, by=by, act=Act.RECORD_DOSE)
    covered = None
    if telling.emergency is None:
        asked = Asked(
            recipient=telling.recipient,
            categories=_ASKED,
            purpose=telling.purpose,
            check=telling.check,
            by_name=telling.name,
        )
        await consents.hold(client.id)
        asked = await sound(asked, client, families, by=by, now=now)
        covered = await covering(
            asked, client, programme, now=now, consents=consents, journal=journal, needed=(Category.MEDICATION,)
        )
    categories = _ASKED if covered is None else covered.categories
    content = (await last_dose(record, now, disclosures)).content
    if Category.TAKE_HOME not in categories:
        content = {**content, "take_homes": None}
    made = _made(
        telling,
        categories,
        covered,
        programme,
        as_id=as_id,
        record=record,
        content=content,
        disputes=carried(await disclosures.disputes_of(client.id), categories, Manner.WRITTEN),
        by=by,
        now=now,
    )
    await disclosures.add_disclosure(made)
    tell_made(made, journal)
    return made


def _made(
    telling: Telling,
    categories: tuple[Category, ...],
    covered: Covering | None,
    programme: Programme,
    *,
    as_id: DisclosureId,
    record: MedicationRecord,
    content: Mapping[str, object],
    disputes: tuple[DisputeTold, ...],
    by: Staff,
    now: datetime,
) -> Disclosure:
    rules = exceptions_on(programme.profiles.name_on(programme.today(now)), programme.today(now))
    notice = None if covered is None else covered.answer.notice
    return Disclosure(
        id=as_id,
        client=record.client,
        programme=record.place(by, Act.RECORD_DOSE),
        telling=telling,
        ground=Ground.EMERGENCY if covered is None else Ground.CONSENT,
        consent=None if covered is None else covered.consent.id,
        categories=categories,
        rule=rules.emergency_rule if covered is None else covered.answer.rule,
        rules_version=rules.version if covered is None else covered.answer.rules_version,
        manner=Manner.WRITTEN,
        notice=notice,
        notice_how=None if notice is None else NoticeHow.ON_THE_DOCUMENT,
        scope=None if covered is None else scope_of(covered.consent, programme),
        content=content,
        disputes=disputes,
        disclosed_by=by.id,
        disclosed_at=now,
        recorded_by=by.id,
        recorded_at=now,
    )


def _check(telling: Telling) -> None:
    faults = Faults()
    check_name(telling.name, "name", faults)
    if telling.facility is not None or telling.emergency is None:
        check_name(telling.facility or "", "facility", faults)
    if problem := telling.recipient.problem():
        faults.add("recipient", problem)
    if telling.emergency is not None:
        check_reason(telling.emergency, faults, "emergency")
        faults.check(
            when=telling.recipient.person is not None,
            where="recipient",
            problem="an emergency opens the record to medical personnel only; name whoever receives it (42 CFR 2.51)",
        )
    faults.raise_if_any()


async def last_dose(record: MedicationRecord, now: datetime, histories: LastDoses) -> LastDose:
    """The last dose of what is in force, or else of the last that was. Raises `NothingToHandOn`."""
    today = record.day_of(now)
    orders = [order for order in await histories.orders_of(record.client) if order.counts]
    told = [order for order in orders if order.covers(today, record.time_zone)] or orders[:1]
    if not told:
        raise NothingToHandOn
    withouts: list[DaysWithout] = []
    for order in told:
        last = await histories.last_taken(record, order.medicine, order.form, today)
        without = DaysWithout(last=last)
        if order.form not in LONG_ACTING:
            without = days_without(last, today, own_first(orders, order.medicine), record)
        withouts.append(without)
    days = {without.last.day for without in withouts if without.last is not None}
    return LastDose(
        day=today,
        order=told[0],
        without=withouts[0],
        beside=tuple(zip(told[1:], withouts[1:], strict=True)),
        take_homes=await histories.take_homes_from(record.client, today),
        that_day={day: await histories.all_given_on(record.client, day) for day in days},
    )


def _text(amount: Decimal) -> str:
    return f"{amount.normalize():f}"
