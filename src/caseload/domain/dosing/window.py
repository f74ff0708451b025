"""At the window: give a dose and record it. What had been given before is in `late`, what was not in `not_given`.

Recording names the giver from their own session and asks for no further proof; the queue must move. The second
clinician's signature follows (`signoff`) and never delays tomorrow's dose.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import ClassVar, Protocol

from caseload.domain.access import Act
from caseload.domain.catalogue import agree, millilitres
from caseload.domain.dosing.at_home import Suspendable, suspend_after_missed
from caseload.domain.dosing.contacting import tell_prescriber
from caseload.domain.dosing.dose import Correction, Dose, Entry, Kind, NotGiven
from caseload.domain.dosing.facts import AlreadyGiven, Facts, Giving
from caseload.domain.dosing.guest import against_guest
from caseload.domain.dosing.identity import against_identity
from caseload.domain.dosing.injecting import Injecting, check_injecting, check_site, next_injection
from caseload.domain.dosing.refusal import Refusal, Rule
from caseload.domain.dosing.rules import EVERYTHING_COMMITTED, Judgement, due_mg, judge
from caseload.domain.dosing.steps import in_step
from caseload.domain.errors import Conflict, Fault, Faults, Invalid, NotFound
from caseload.domain.ids import ClientId, DecisionId, DoseId, ProgrammeId, ReplacementId, StationId
from caseload.domain.journal import Event, Journal
from caseload.domain.medication import Holds, MedicationRecord, Order, OrderUnknown, Standing
from caseload.domain.medication.record import check_reason
from caseload.domain.medicines import FORMS, LIQUIDS, LONG_ACTING, check_milligrams
from caseload.domain.moments import check_year
from caseload.domain.people import Staff
from caseload.domain.profiles import Profile
from caseload.domain.profiles.around import IdentifiedBy
from caseload.domain.signature import Signature


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


class Doses(Holds, Suspendable, Protocol):
    """The doses of clients. Whoever adds to them has locked the client's record first."""

    async def facts(
        self, record: MedicationRecord, giving: Giving, day: date, /, *, at: datetime, past: bool = False
    ) -> Facts:
        """Read what the rules need to know for one dose of a dosing day.

        `at` is the moment whose holds and decisions count; `past` asks also for the next dose of a later day.
        """
        ...

    async def given_on(self, clients: Sequence[ClientId], day: date, /) -> Mapping[ClientId, Sequence[AlreadyGiven]]:
        """Our own doses taken on a day, by client."""
        ...

    async def covered_on(self, record: MedicationRecord, day: date, /) -> Sequence[AlreadyGiven]:
        """The parts of a client's day that are covered by something besides our own doses."""
        ...

    async def add_dose(
        self, dose: Dose, /, *, sign_by: datetime, station: StationId | None = None, injecting: Injecting | None = None
    ) -> None:
        """Keep a version of a dose, and put it in the queue that waits for a second clinician until `sign_by`.

        Where the programme keeps its stock with us it takes from what the station uses, in the same statement; what a
        pharmacy delivered for this client by name never was in that stock and takes nothing. Of an injection it keeps
        where it was given, and what was delivered.
        """
        ...

    async def add_identity_check(self, dose: DoseId, identified_by: IdentifiedBy, /) -> None:
        """Keep how whoever gave a dose made sure who it was."""
        ...

    async def add_not_given(self, not_given: NotGiven, /) -> None:
        """Keep that a dose was not given."""
        ...

    async def dose(self, dose: DoseId, /, *, by: Staff, act: Act) -> Dose:
        """The newest version of one dose; raises `DoseUnknown` outside the person's reach."""
        ...

    async def decided_limit_mg(self, decision: DecisionId, /) -> Decimal | None:
        """The most that a decision allows; None when it leaves it to the order."""
        ...

    async def replacement_limit_mg(self, replacement: ReplacementId, /) -> Decimal | None:
        """The most that a decision lets be given in the place of another dose."""
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
    record.require_open()
    place = record.place(by, Act.RECORD_DOSE)
    giving = _at_the_window(giving, record, now)
    day = record.day_of(giving.given_at)
    # Just after midnight a dose of yesterday may still be recorded: then today's may have been given already.
    facts = await doses.facts(record, giving, day, at=EVERYTHING_COMMITTED, past=day < record.day_of(now))
    _require_order_as_displayed(giving, day, facts)
    facts = in_step(facts, day)
    rules = record.rules_on(day)
    check_volume(giving, facts.order)
    check_injecting(giving.injecting, giving.form, giving.medicine, facts.delivery, day)
    judgement = judge(giving, day, facts, record, at=EVERYTHING_COMMITTED, now=now)
    broken = (
        *judgement.broken,
        *against_guest(facts.guests, day, at=EVERYTHING_COMMITTED, place=place, order=giving.order, record=record),
        *against_identity(giving.identified_by, rules),
    )
    if broken:
        raise DoseRefused(broken, rules.label)
    _require_reason_for_less(giving, facts, judgement)
    if facts.order is not None and giving.form in LONG_ACTING:
        check_site(giving.injecting, next_injection(facts.order, facts.injected), rules)
    dose = ordinary_dose(
        giving, as_id=as_id, place=place, day=day, facts=facts, judgement=judgement, rules=rules, by=by, now=now
    )
    sign_by = now + timedelta(hours=rules.sign_off.deadline_hours)
    await doses.add_dose(dose, sign_by=sign_by, station=giving.station, injecting=giving.injecting)
    if giving.identified_by is not None:
        await doses.add_identity_check(dose.id, giving.identified_by)
    journal.tell(DoseRecorded(client=dose.client, records=(dose.id,), facts={"profile": rules.label}))
    if judgement.without.missed or dose.amount_mg != due_mg(giving, facts, judgement):
        await doses.note_gap(dose.client, day)
    await tell_prescriber(dose, judgement.to_do, by=by, now=now, tasks=doses, journal=journal)
    await suspend_after_missed(dose, judgement.without.missed, rules, doses=doses, journal=journal)
    return dose


def ordinary_dose(
    giving: Giving,
    *,
    as_id: DoseId,
    place: ProgrammeId,
    day: date,
    facts: Facts,
    judgement: Judgement,
    rules: Profile,
    by: Staff,
    now: datetime,
) -> Dose:
    """The record of a dose that breaks no rule, given and recorded by the same person."""
    amount_ml = measured(giving, facts.order)
    return Dose(
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
        amount_ml=amount_ml,
        strength_mg=facts.order.strength_mg if facts.order is not None and amount_ml is not None else None,
    )


def check_giving(giving: Giving) -> None:
    """Raise `Invalid` with everything that cannot be a dose."""
    faults = Faults()
    check_milligrams(giving.amount_mg, "amount_mg", faults)
    faults.check(
        when=giving.form not in FORMS[giving.medicine],
        where="form",
        problem=f"{giving.medicine} is not made so; choose one of {', '.join(sorted(FORMS[giving.medicine]))}",
    )
    faults.check(
        when=giving.form in LONG_ACTING and not giving.supervised,
        where="supervised",
        problem="an injection is given here and never handed to the client",
    )
    check_year(giving.given_at, faults, "given_at")
    if giving.less_reason is not None:
        check_reason(giving.less_reason, faults, "less_reason")
    faults.raise_if_any()


def check_volume(giving: Giving, order: Order | None) -> None:
    """Raise `Invalid` when the millilitres that were measured are not the milligrams, by the order's concentration."""
    if giving.amount_ml is None:
        return
    if order is None or giving.form is not order.form or giving.form not in LIQUIDS:
        raise Invalid(Fault("amount_ml", "no order tells the concentration of what was measured: leave it out"))
    if not agree(giving.amount_mg, giving.amount_ml, order.strength_mg):
        problem = f"{giving.amount_ml} mL of {order.strength_mg} mg/mL are not {giving.amount_mg} mg: measure again"
        raise Invalid(Fault("amount_ml", problem), order=str(order.id))


def measured(giving: Giving, order: Order | None) -> Decimal | None:
    """The millilitres of a liquid: as somebody says, else as the order's concentration does."""
    if giving.amount_ml is not None or order is None or giving.form is not order.form:
        return giving.amount_ml
    return millilitres(giving.amount_mg, giving.form, order.strength_mg)


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
