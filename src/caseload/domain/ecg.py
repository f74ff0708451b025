"""Whose electrocardiogram is due: before methadone begins, soon after, every year, when the dose is high, after a faint.

Source: Krantz 2009 (Ann Intern Med 150: 387-395): an ECG before the start, within 30 days and then yearly, also when the dose
exceeds 100 mg a day or after an unexplained faint or seizure. The days and the milligrams are values of the profile. Nothing is
refused for want of one; who has a QTc in a band that asks for more is shown by the band itself (`flag.heart`). An ECG is an
observation of the scale `qtc` with a value, on whatever day it was made.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from caseload.domain.ids import ClientId
from caseload.domain.medication import MedicationRecord, Order, treatment_begun
from caseload.domain.medicines import Medicine
from caseload.domain.profiles import Profile


class EcgReason(StrEnum):
    """Why an ECG is due."""

    BEFORE_START = "before_start"
    """None is known at all."""
    FOLLOW_UP = "follow_up"
    """None since methadone was begun."""
    YEARLY = "yearly"
    HIGH_DOSE = "high_dose"
    """None since the ordered dose rose above the profile's number."""
    FAINTED = "fainted"
    """None since a faint or seizure that nothing explains."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """One reason, and the day from which the ECG is due for it."""

    reason: EcgReason
    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Heart:
    """What is known of a client on methadone."""

    record: MedicationRecord
    given_name: str
    family_name: str
    order: Order
    """Of methadone: in force, or about to begin."""
    orders: Sequence[Order]
    """All of the client's that count, of whatever time."""
    ecgs: Sequence[date]
    """The local days of the electrocardiograms of which a QTc is recorded."""
    last_qtc: int | None
    fainted: Sequence[date]
    """From when flags tell of a faint or seizure, and still count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EcgDue:
    """A client whose ECG is due, with every reason; the earliest day first."""

    client: ClientId
    given_name: str
    family_name: str
    began_on: date | None
    """Methadone; None where it was begun before the record."""
    last_ecg_on: date | None
    last_qtc: int | None
    reasons: tuple[Since, ...]

    @property
    def due_on(self) -> date:
        """The first day on which it was due for any reason."""
        return self.reasons[0].due_on


def ecg_due(heart: Heart, until: date, rules: Profile) -> EcgDue | None:
    """Why an ECG is due by a day, or None. What is made on the day itself counts."""
    began = treatment_begun(heart.order, heart.orders, heart.record, rules)
    last = max(heart.ecgs, default=None)
    found = sorted(_reasons(heart, began, last, until, rules), key=lambda since: since.due_on)
    reasons = tuple(since for since in found if since.due_on <= until)
    if not reasons:
        return None
    return EcgDue(
        client=heart.record.client,
        given_name=heart.given_name,
        family_name=heart.family_name,
        began_on=None if began == date.min else began,
        last_ecg_on=last,
        last_qtc=heart.last_qtc,
        reasons=reasons,
    )


def _reasons(heart: Heart, began: date, last: date | None, until: date, rules: Profile) -> Iterator[Since]:
    said = rules.monitoring.ecg
    first = heart.order.starts_on if began == date.min else began
    if last is None:
        yield Since(reason=EcgReason.BEFORE_START, due_on=first)
    else:
        yield Since(reason=EcgReason.YEARLY, due_on=last + timedelta(days=said.every_days))
    if began != date.min and (last is None or last <= began):
        yield Since(reason=EcgReason.FOLLOW_UP, due_on=began + timedelta(days=said.follow_up_days))
    above = above_since(heart, until, rules.monitoring.high_dose.methadone_mg_a_day_above)
    if above is not None and (last is None or last < above):
        yield Since(reason=EcgReason.HIGH_DOSE, due_on=above)
    unseen = [day for day in heart.fainted if last is None or last < day]
    if unseen:
        yield Since(reason=EcgReason.FAINTED, due_on=min(unseen))


def above_since(heart: Heart, until: date, above_mg: int) -> date | None:
    """From which day on more methadone than this was ordered, without a day until `until` on which it was not more."""
    zone = heart.record.time_zone
    changes = sorted(
        (step.from_on, step.total_mg)
        for order in heart.orders
        if order.medicine is Medicine.METHADONE
        for step in (order.first_step, *order.steps)
        if (last := order.last_day(zone)) is None or step.from_on <= last
    )
    since = None
    for day, total_mg in changes:
        if day > until:
            break
        since = (since or day) if total_mg > above_mg else None
    return since
