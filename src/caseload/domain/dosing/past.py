"""The chart at a past moment: what was known then, and what had happened by then, as two answers.

What was known is what had been recorded by that moment, in the state in which it stood: it never changes later. What had
happened is what had occurred by that moment, as it is known now: a late entry, an amendment or a correction changes it.
An order, a hold, a decision, a task and a signature occur as they are recorded, so both answers agree on them; doses,
take-homes, what others said and flags do not (`past_beside`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from caseload.domain.dosing.chart import Charted
from caseload.domain.dosing.dose import NotGiven
from caseload.domain.dosing.observing import PreDose
from caseload.domain.dosing.past_beside import Beside, beside_happened, beside_known
from caseload.domain.errors import Fault, Invalid
from caseload.domain.medication import Decision, Hold, Order
from caseload.domain.signature import Signature

EARLIEST_YEAR = 1900
DAYS_BACK = 35
"""How many days before the moment, by the calendar of UTC, doses are shown of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """Everything on a client's chart: orders with their steps, holds, decisions, doses in all versions, signatures."""

    orders: Sequence[Order]
    holds: Sequence[Hold]
    decisions: Sequence[Decision]
    doses: Sequence[Charted]
    """Every version of each dose; with it the second look at that version, and the correction of the dose."""
    not_given: Sequence[NotGiven]
    observations: Sequence[PreDose]
    signatures: Sequence[Signature]
    beside: Beside
    """Take-homes, statements, flags and tasks."""


def shown_days(at: datetime) -> tuple[date, date]:
    """Between which dosing days a dose is shown for a moment: the calendar of UTC, so that no zone can move it."""
    day = at.astimezone(UTC).date()
    return day - timedelta(days=DAYS_BACK), day + timedelta(days=1)


def check_past(at: datetime, *, now: datetime, settled_after: timedelta) -> None:
    """Raise `Invalid` unless whatever was recorded by that moment has been committed, or never will be."""
    if at.tzinfo is None:
        raise Invalid(Fault("as_of", "needs an offset, such as Z"))
    if at.year < EARLIEST_YEAR:
        raise Invalid(Fault("as_of", f"must not lie before {EARLIEST_YEAR}"))
    if at > now - settled_after:
        seconds = int(settled_after.total_seconds())
        raise Invalid(
            Fault("as_of", f"must lie at least {seconds} seconds back: what is being recorded now may be under way")
        )


def as_known(contents: Contents, at: datetime) -> Contents:
    """What had been recorded by a moment, as it stood then; nothing that comes later changes it."""
    return _acts(
        contents,
        at,
        doses=_versions_known(contents.doses, at),
        not_given=[each for each in contents.not_given if each.recorded_at <= at],
        observations=[each for each in contents.observations if each.recorded_at <= at],
        beside=beside_known(contents.beside, at),
    )


def as_happened(contents: Contents, at: datetime, day: date) -> Contents:
    """What had occurred by a moment, as is known now; of a dose without a time whether its day was over.

    `day` is the dosing day of the moment. A dose that was corrected as "not given" did not occur.
    """
    doses = [
        replace(each, vomited=each.vomited if _came_back(each, at) else None)
        for each in contents.doses
        if each.is_newest and each.correction is None and _occurred(each.dose.given_at, each.dose.dosing_day, at, day)
    ]
    return _acts(
        contents,
        at,
        doses=doses,
        not_given=[each for each in contents.not_given if each.dosing_day < day or each.recorded_at <= at],
        observations=[each for each in contents.observations if each.happened_at <= at],
        beside=beside_happened(contents.beside, at, day),
    )


def _came_back(charted: Charted, at: datetime) -> bool:
    given_at, vomited = charted.dose.given_at, charted.vomited
    return vomited is not None and given_at is not None and given_at + timedelta(minutes=vomited.minutes) <= at


def _occurred(given_at: datetime | None, dosing_day: date, at: datetime, day: date) -> bool:
    return dosing_day < day if given_at is None else given_at <= at


def _acts(
    contents: Contents,
    at: datetime,
    *,
    doses: Sequence[Charted],
    not_given: Sequence[NotGiven],
    observations: Sequence[PreDose],
    beside: Beside,
) -> Contents:
    """What occurs as it is recorded, as it stood at a moment, beside what else stands on the chart."""
    return Contents(
        orders=[order.known_at(at) for order in contents.orders if order.written_at <= at],
        holds=[_hold_at(hold, at) for hold in contents.holds if hold.raised_at <= at],
        decisions=[decision for decision in contents.decisions if decision.decided_at <= at],
        doses=doses,
        not_given=not_given,
        observations=observations,
        signatures=[each for each in contents.signatures if each.statement.signed_at <= at],
        beside=beside,
    )


def _hold_at(hold: Hold, at: datetime) -> Hold:
    if hold.cleared_at is not None and hold.cleared_at > at:
        return replace(hold, cleared_at=None, cleared_by=None)
    return hold


def _versions_known(doses: Iterable[Charted], at: datetime) -> Sequence[Charted]:
    known = [each for each in doses if (each.dose.amended_at or each.dose.recorded_at) <= at]
    newest = {each.dose.id: each.dose.version for each in sorted(known, key=lambda each: each.dose.version)}
    return [
        replace(
            each,
            reviewed=each.reviewed if each.reviewed is not None and each.reviewed.at <= at else None,
            correction=each.correction if each.correction is not None and each.correction.signed_at <= at else None,
            vomited=each.vomited if each.vomited is not None and each.vomited.recorded_at <= at else None,
            giver=each.giver if each.giver is not None and each.giver.at <= at else None,
            is_newest=each.dose.version == newest[each.dose.id],
        )
        for each in known
    ]
