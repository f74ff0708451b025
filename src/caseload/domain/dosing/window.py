"""At the window: give a dose and record it, record what has already happened, or record that nothing was given.

Recording names the giver from their own session and asks for no further proof; the queue must move. The second
clinician's signature follows (`signoff`) and never delays tomorrow's dose.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import ClassVar, Final, Protocol

from caseload.domain.access import Act
from caseload.domain.dosing.dose import Correction, Dose, Entry, Kind, NotGiven, NotGivenReason
from caseload.domain.dosing.rules import (
    EVERYTHING_COMMITTED,
    AlreadyGiven,
    Facts,
    Giving,
    Judgement,
    Refusal,
    Rule,
    due_mg,
    judge,
)
from caseload.domain.errors import Conflict, Fault, Faults, Invalid, NotFound
from caseload.domain.ids import ClientId, DecisionId, DoseId, HoldId, OrderId, StaffId, new_id
from caseload.domain.journal import Event, Journal
from caseload.domain.medication import (
    EXCEPTION_HOLDS_NEXT,
    Hold,
    HoldRaised,
    HoldReason,
    MedicationRecord,
    MedicationRecords,
    OrderUnknown,
    Standing,
)
from caseload.domain.medication.order import LONGEST_NOTE, check_reason
from caseload.domain.medicines import FORMS, DosePart, check_milligrams
from caseload.domain.people import Staff
from caseload.domain.signature import Signature, Signatures

YEARS: Final = range(2000, 2200)
"""A dose of any other year is a slip of the keyboard."""


class DoseRefused(Conflict):
    """This dose must not be given."""

    def __init__(self, refusals: Sequence[Refusal], profile: str) -> None:
        super().__init__(
            " ".join(refusal.says for refusal in refusals),
            rule=refusals[0].rule,
            rules=[
                {"rule": refusal.rule, "says": refusal.says, "policy": refusal.policy, "facts": refusal.facts}
                for refusal in refusals
            ],
            profile=profile,
        )
        self.refusals = tuple(refusals)


class OrderChanged(Conflict):
    """The order was stopped or replaced since it was displayed."""


class DoseUnknown(NotFound):
    """There is no such dose within your reach."""


class DoseRecorded(Event):
    """A dose was given and recorded at the window."""

    name: ClassVar[str] = "dose.recorded"


class DoseRecordedLate(Event):
    """A dose that had been given before was recorded, with the reason why only then."""

    name: ClassVar[str] = "dose.recorded_late"


class ExceptionRecorded(Event):
    """A dose was recorded that broke a rule."""

    name: ClassVar[str] = "dose.exception_recorded"


class WasGiven(Conflict):
    """This part of the day has been given."""


class NotGivenRecorded(Event):
    """A dose that was due was not given."""

    name: ClassVar[str] = "dose.not_given"


class Doses(MedicationRecords, Signatures, Protocol):
    """The doses of clients. Whoever adds to them has locked the client's record first."""

    async def facts(
        self, record: MedicationRecord, giving: Giving, day: date, /, *, at: datetime, past: bool = False
    ) -> Facts:
        """Read what the rules need to know for one dose of a dosing day.

        `at` is the moment whose holds and decisions count; `past` asks also for the next dose of a later day.
        """
        ...

    async def given_on(self, clients: Sequence[ClientId], day: date, /) -> Mapping[ClientId, Sequence[AlreadyGiven]]:
        """The doses taken on a day, by client."""
        ...

    async def add_dose(self, dose: Dose, /, *, sign_by: datetime) -> None:
        """Keep a version of a dose, and put it in the queue that waits for a second clinician until `sign_by`."""
        ...

    async def add_not_given(self, not_given: NotGiven, /) -> None:
        """Keep that a dose was not given."""
        ...

    async def add_hold(self, hold: Hold, /) -> None:
        """Keep a hold."""
        ...

    async def dose(self, dose: DoseId, /, *, by: Staff, act: Act) -> Dose:
        """The newest version of one dose; raises `DoseUnknown` outside the person's reach."""
        ...

    async def decided_limit_mg(self, decision: DecisionId, /) -> Decimal | None:
        """The most that a decision allows; None when it leaves it to the order."""
        ...

    async def correction_of(self, dose: DoseId, /) -> Correction | None:
        """The correction "not given" of a dose, if there is one."""
        ...

    async def add_correction(self, correction: Correction, signature: Signature, /) -> None:
        """Keep a signed correction and take the dose out of the queue; raises `DoseMoved` when there is one already."""
        ...


async def give(giving: Giving, *, as_id: DoseId, by: Staff, now: datetime, doses: Doses, journal: Journal) -> Dose:
    """Record a dose as it is given, unless a rule stands in the way.

    Raises `Invalid`, `ClientUnknown`, `NotPermitted`, `OrderUnknown`, `OrderChanged` (stopped or replaced since it
    was displayed) and `DoseRefused`, which names every rule that stands in the way.
    """
    check_giving(giving)
    record = await doses.lock(giving.client, by=by, act=Act.RECORD_DOSE)
    place = record.place(by, Act.RECORD_DOSE)
    giving = _at_the_window(giving, record, now)
    day = record.day_of(giving.given_at)
    # Just after midnight a dose of yesterday may still be recorded: then today's may have been given already.
    facts = await doses.facts(record, giving, day, at=EVERYTHING_COMMITTED, past=day < record.day_of(now))
    _require_order_as_displayed(giving, day, facts)
    rules = record.rules_on(day)
    judgement = judge(giving, day, facts, record, at=EVERYTHING_COMMITTED, now=now)
    if judgement.broken:
        raise DoseRefused(judgement.broken, rules.label)
    _require_reason_for_less(giving, facts, judgement)
    dose = Dose(
        id=as_id,
        version=1,
        client=giving.client,
        programme=place,
        order=giving.order,
        dosing_day=day,
        part=giving.part,
        medicine=giving.medicine,
        form=giving.form,
        amount_mg=giving.amount_mg,
        supervised=giving.supervised,
        given_at=giving.given_at,
        given_by=by.id,
        recorded_at=now,
        recorded_by=by.id,
        kind=Kind.ORDINARY,
        entry=Entry.WINDOW,
        less_reason=giving.less_reason,
        profile=rules.profile,
        profile_version=rules.version,
        decision=judgement.uses,
        freed_by=facts.freed_by,
    )
    await doses.add_dose(dose, sign_by=now + timedelta(hours=rules.sign_off.deadline_hours))
    journal.tell(DoseRecorded(client=dose.client, records=(dose.id,), facts={"profile": rules.label}))
    return dose


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """Why and by whom something is recorded only now."""

    reason: str
    given_by: StaffId | None = None
    """The colleague who gave it, when it was not the person who records (a downtime sheet typed in)."""


async def record_late(
    giving: Giving, late: Late, *, as_id: DoseId, by: Staff, now: datetime, doses: Doses, journal: Journal
) -> Dose:
    """Record a dose that has already been given. No rule refuses it: what was swallowed must be in the record.

    If it broke a rule it is kept as an exception that names the rules, counts at once, holds the next dose and goes to
    a prescriber. Raises `Invalid`, `ClientUnknown`, `NotPermitted`, `OrderUnknown`.
    """
    check_giving(giving)
    faults = Faults()
    check_reason(late.reason, faults, "late_reason")
    faults.check(when=giving.given_at > now, where="given_at", problem="what has happened cannot lie in the future")
    faults.raise_if_any()
    record = await doses.lock(giving.client, by=by, act=Act.RECORD_DOSE)
    place = record.place(by, Act.RECORD_DOSE)
    day = record.day_of(giving.given_at)
    facts = await doses.facts(record, giving, day, at=giving.given_at, past=True)
    if giving.order is not None and facts.order is None:
        raise OrderUnknown("Read the client's medication chart for the orders there are, or name none.")
    rules = record.rules_on(day)
    judgement = judge(giving, day, facts, record, at=giving.given_at, now=now)
    broken = tuple(refusal.rule.value for refusal in judgement.broken)
    dose = Dose(
        id=as_id,
        version=1,
        client=giving.client,
        programme=place,
        order=giving.order,
        dosing_day=day,
        part=giving.part,
        medicine=giving.medicine,
        form=giving.form,
        amount_mg=giving.amount_mg,
        supervised=giving.supervised,
        given_at=giving.given_at,
        given_by=late.given_by or by.id,
        recorded_at=now,
        recorded_by=by.id,
        kind=Kind.EXCEPTION if broken else Kind.ORDINARY,
        entry=Entry.LATE,
        late_reason=late.reason,
        less_reason=giving.less_reason,
        rules=broken,
        profile=rules.profile,
        profile_version=rules.version,
        decision=None if broken else judgement.uses,
        freed_by=None if broken else facts.freed_by,
    )
    await doses.add_dose(dose, sign_by=now + timedelta(hours=rules.sign_off.deadline_hours))
    journal.tell(DoseRecordedLate(client=dose.client, records=(dose.id,), facts={"profile": rules.label}))
    if broken:
        await hold_next(dose, broken, by=by, now=now, doses=doses, journal=journal)
    return dose


async def hold_next(
    dose: Dose, broken: Sequence[str], *, by: Staff, now: datetime, doses: Doses, journal: Journal
) -> None:
    """Hold the next dose after one that broke a rule, until a prescriber has looked at it."""
    hold = Hold(
        id=HoldId(new_id()),
        client=dose.client,
        programme=dose.programme,
        reason=HoldReason.EXCEPTION,
        note="",
        raised_by=by.id,
        raised_at=now,
        by_rule=EXCEPTION_HOLDS_NEXT,
        dose=dose.id,
        dose_version=dose.version,
    )
    await doses.add_hold(hold)
    journal.tell(
        ExceptionRecorded(client=dose.client, records=(dose.id, hold.id), facts={"rules": ",".join(sorted(broken))})
    )
    journal.tell(HoldRaised(client=dose.client, records=(hold.id,), facts={"reason": hold.reason}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A dose of today that is not given, and why."""

    client: ClientId
    order: OrderId | None
    part: DosePart
    reason: NotGivenReason
    note: str = ""


async def record_not_given(
    missing: Missing, *, as_id: DoseId, by: Staff, now: datetime, doses: Doses, journal: Journal
) -> NotGiven:
    """Record that a dose of today was not given, and why.

    Raises `Invalid`, `ClientUnknown`, `NotPermitted`, and `WasGiven` when the record has a dose of that part: two
    records that contradict each other would leave the next nurse to choose.
    """
    faults = Faults()
    faults.check(
        when=missing.reason is NotGivenReason.OTHER and not missing.note.strip(),
        where="note",
        problem="say what the other reason is",
    )
    faults.check(when=len(missing.note) > LONGEST_NOTE, where="note", problem=f"at most {LONGEST_NOTE} characters")
    faults.raise_if_any()
    record = await doses.lock(missing.client, by=by, act=Act.RECORD_DOSE)
    today = record.day_of(now)
    taken = (await doses.given_on([missing.client], today)).get(missing.client, ())
    if any(given.part.meets(missing.part) for given in taken):
        raise WasGiven('If it was in fact not given, a colleague corrects that dose as "not given".')
    not_given = NotGiven(
        id=as_id,
        client=missing.client,
        programme=record.place(by, Act.RECORD_DOSE),
        order=missing.order,
        dosing_day=today,
        part=missing.part,
        reason=missing.reason,
        note=missing.note,
        recorded_at=now,
        recorded_by=by.id,
    )
    await doses.add_not_given(not_given)
    journal.tell(NotGivenRecorded(client=missing.client, records=(not_given.id,), facts={"reason": not_given.reason}))
    return not_given


def check_year(given_at: datetime, faults: Faults) -> None:
    """Add a fault unless it lies in a year in which something can be given."""
    faults.check(when=given_at.year not in YEARS, where="given_at", problem=f"must lie from {YEARS[0]} to {YEARS[-1]}")


def check_giving(giving: Giving) -> None:
    """Raise `Invalid` with everything that cannot be a dose."""
    faults = Faults()
    check_milligrams(giving.amount_mg, "amount_mg", faults)
    faults.check(
        when=giving.form not in FORMS[giving.medicine],
        where="form",
        problem=f"{giving.medicine} is not made so; choose one of {', '.join(sorted(FORMS[giving.medicine]))}",
    )
    check_year(giving.given_at, faults)
    if giving.less_reason is not None:
        check_reason(giving.less_reason, faults, "less_reason")
    faults.raise_if_any()


def _at_the_window(giving: Giving, record: MedicationRecord, now: datetime) -> Giving:
    """The time as it counts: a station's clock may run a little ahead; long ago is a late entry."""
    window = record.rules_on(record.day_of(now)).at_the_window
    if giving.given_at < now - timedelta(minutes=window.late_after_minutes):
        raise Invalid(
            Fault(
                "given_at",
                f"more than {window.late_after_minutes} minutes ago: record it as a late entry, with `late_reason`",
            ),
            rule=window.rule,
        )
    if now < giving.given_at <= now + timedelta(seconds=window.clock_ahead_seconds):
        return replace(giving, given_at=now)
    return giving


def _require_order_as_displayed(giving: Giving, day: date, facts: Facts) -> None:
    """Raise `OrderUnknown`, or `OrderChanged` when the order has moved on since the screen was drawn."""
    order = facts.order
    if giving.order is None or order is None:
        raise OrderUnknown("Read the client's medication chart and name the order that it shows.")
    standing = order.standing(day, EVERYTHING_COMMITTED)
    if standing in {Standing.STOPPED, Standing.REPLACED}:
        raise OrderChanged(
            "Show the client's medication again before giving anything.",
            rule=Rule.NO_ORDER_IN_FORCE,
            order=str(order.id),
            standing=standing,
            replaced_by=str(order.replaced_by) if order.replaced_by is not None else None,
        )


def _require_reason_for_less(giving: Giving, facts: Facts, judgement: Judgement) -> None:
    due = due_mg(giving, facts, judgement)
    if due is not None and giving.amount_mg < due and giving.less_reason is None:
        raise Invalid(Fault("less_reason", f"{due} mg is due: say why less is given"))
