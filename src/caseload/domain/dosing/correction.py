"""Putting a record right: an amendment is a new version, and "not given" frees the day. Nothing is ever overwritten."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar, Final

from caseload.domain.access import Act
from caseload.domain.catalogue import millilitres
from caseload.domain.dosing.dose import Correction, Dose, Kind
from caseload.domain.dosing.facts import Giving
from caseload.domain.dosing.late import hold_next
from caseload.domain.dosing.own import too_close
from caseload.domain.dosing.refusal import Refusal
from caseload.domain.dosing.rules import EVERYTHING_COMMITTED, against_content, against_decision, against_interval
from caseload.domain.dosing.steps import in_step
from caseload.domain.dosing.window import Doses, check_giving
from caseload.domain.errors import Conflict, Faults, NotPermitted
from caseload.domain.ids import CorrectionId, DoseId
from caseload.domain.journal import Event, Journal
from caseload.domain.medication import MedicationRecord
from caseload.domain.medication.record import check_reason
from caseload.domain.medicines import ACTION, LONG_ACTING, Form, Medicine
from caseload.domain.moments import check_year
from caseload.domain.people import Proof, Staff
from caseload.domain.profiles import profile_version
from caseload.domain.signature import Meaning, sign, signing_role

_ANEW: Final = 'correct the dose as "not given" and record it anew'


class DoseMoved(Conflict):
    """The dose has been amended, signed, rejected or corrected since you read it."""


class BroughtInDose(Conflict):
    """A brought-in dose stays as its source recorded it."""


class OwnDose(NotPermitted):
    """You cannot be the second pair of eyes on your own record."""


class DoseAmended(Event):
    """A new version of a dose was recorded; it needs a signature of its own."""

    name: ClassVar[str] = "dose.amended"


class DoseCorrected(Event):
    """A recorded dose was in fact not given; the day is free again."""

    name: ClassVar[str] = "dose.corrected_as_not_given"


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """What was in fact given. The client, the day and its part stay, and so does what kind of medicine it was.

    Those are corrected as "not given" and recorded anew.
    """

    medicine: Medicine
    form: Form
    amount_mg: Decimal
    given_at: datetime
    supervised: bool
    reason: str


async def amend(
    dose_id: DoseId, version: int, amendment: Amendment, *, by: Staff, now: datetime, doses: Doses, journal: Journal
) -> Dose:
    """Record what was in fact given as a new version, which voids a signature and asks for a new one.

    No rule refuses it; one that it newly breaks makes it an exception that holds the next dose.
    Raises `DoseUnknown`, `DoseMoved` (another version is the newest), `BroughtInDose`, `Invalid`, `NotPermitted`.
    """
    faults = Faults()
    check_reason(amendment.reason, faults)
    check_year(amendment.given_at, faults, "given_at")
    faults.check(when=amendment.given_at > now, where="given_at", problem="what has happened cannot lie in the future")
    faults.raise_if_any()
    record, dose = await newest_dose(dose_id, by=by, act=Act.RECORD_DOSE, doses=doses, version=version)
    if record.day_of(amendment.given_at) != dose.dosing_day:
        faults.add("given_at", f"must stay on the dosing day; {_ANEW}")
    _check_kind(amendment, dose, faults)
    faults.raise_if_any()
    giving = Giving(
        client=dose.client,
        order=dose.order,
        medicine=amendment.medicine,
        form=amendment.form,
        amount_mg=amendment.amount_mg,
        part=dose.part,
        given_at=amendment.given_at,
        supervised=amendment.supervised,
    )
    check_giving(giving)
    newly = await _newly_broken(dose, giving, record, doses)
    amount_ml = None
    if dose.strength_mg is not None and amendment.form is dose.form:
        amount_ml = millilitres(amendment.amount_mg, amendment.form, dose.strength_mg)
    amended = replace(
        dose,
        version=dose.version + 1,
        medicine=amendment.medicine,
        form=amendment.form,
        amount_mg=amendment.amount_mg,
        amount_ml=amount_ml,
        strength_mg=dose.strength_mg if amount_ml is not None else None,
        given_at=amendment.given_at,
        supervised=amendment.supervised,
        kind=Kind.EXCEPTION if newly else dose.kind,
        rules=(*dose.rules, *newly),
        amended_at=now,
        amended_by=by.id,
        amendment_reason=amendment.reason,
    )
    rules = profile_version(dose.profile, dose.profile_version)
    await doses.add_dose(amended, sign_by=now + timedelta(hours=rules.sign_off.deadline_hours))
    journal.tell(DoseAmended(client=dose.client, records=(dose.id,), facts={"version": amended.version}))
    if newly:
        await hold_next(amended, newly, record, by=by, now=now, doses=doses, journal=journal)
    await doses.note_gap(dose.client, record.day_of(now))
    return amended


def _check_kind(amendment: Amendment, dose: Dose, faults: Faults) -> None:
    """Add a fault for another action at the receptor or another duration.

    By these two a dose counts for one ladder and one interval and not for another, and a prescriber's decision may rest on
    it: naltrexone that was in fact methadone is no smaller dose of the same, but another dose.
    """
    faults.check(
        when=ACTION[amendment.medicine] is not ACTION[dose.medicine],
        where="medicine",
        problem=f"an opioid and naltrexone are never put in each other's place; {_ANEW}",
    )
    faults.check(
        when=(amendment.form in LONG_ACTING) is not (dose.form in LONG_ACTING),
        where="form",
        problem=f"an injection that lasts for weeks and a dose of the day are never put in each other's place; {_ANEW}",
    )


async def correct_as_not_given(
    dose_id: DoseId,
    version: int,
    reason: str,
    *,
    as_id: CorrectionId,
    by: Staff,
    proof: Proof,
    now: datetime,
    doses: Doses,
    journal: Journal,
) -> Correction:
    """Say that a recorded dose was in fact not given, which frees its part of the day.

    Signed by a clinician who neither gave nor recorded it: a slip must not let one person give a second dose.
    Raises `DoseUnknown`, `DoseMoved`, `BroughtInDose`, `OwnDose`, `Invalid`, `NotPermitted`, and what `sign` raises.
    """
    faults = Faults()
    check_reason(reason, faults)
    faults.raise_if_any()
    record, dose = await newest_dose(dose_id, by=by, act=Act.SIGN_OFF_DOSE, doses=doses, version=version)
    if by.id in dose.hands:
        raise OwnDose("Ask a colleague to sign that it was not given.")
    role = signing_role(by, Act.SIGN_OFF_DOSE, record.place(by, Act.SIGN_OFF_DOSE))
    correction = Correction(
        id=as_id,
        dose=dose.id,
        dose_version=dose.version,
        client=dose.client,
        dosing_day=dose.dosing_day,
        part=dose.part,
        reason=reason,
        signed_by=by.id,
        signed_at=now,
    )
    signature = sign(correction.as_signed(), by=by, role=role, meaning=Meaning.WITNESSED, proof=proof, now=now)
    await doses.add_correction(correction, signature)
    await doses.note_gap(dose.client, record.day_of(now))
    journal.tell(DoseCorrected(client=dose.client, records=(dose.id, correction.id, signature.id)))
    return correction


async def newest_dose(
    dose_id: DoseId, *, by: Staff, act: Act, doses: Doses, version: int | None = None
) -> tuple[MedicationRecord, Dose]:
    """The dose as it stands once the client's record is locked, which counts as given.

    Raises `DoseUnknown`, `BroughtInDose`, and `DoseMoved` where it was in fact not given, or has moved on from the version
    that was read.
    """
    seen = await doses.dose(dose_id, by=by, act=act)
    record = await doses.lock(seen.client, by=by, act=act)
    dose = await doses.dose(dose_id, by=by, act=act)
    if dose.kind is Kind.BROUGHT_IN:
        raise BroughtInDose("Record what you know in a note; the source stays as it is.")
    if version not in {None, dose.version} or await doses.correction_of(dose_id) is not None:
        raise DoseMoved("Read the dose again.", version=dose.version)
    return record, dose


async def _newly_broken(dose: Dose, giving: Giving, record: MedicationRecord, doses: Doses) -> tuple[str, ...]:
    """The rules about what was given, and at which hour, that the amended content breaks and the former did not.

    The other rules (the order's days, holds, missed doses) were settled when the dose was recorded.
    """
    broken: list[Refusal] = []
    day = dose.dosing_day
    facts = in_step(await doses.facts(record, giving, day, at=EVERYTHING_COMMITTED, past=True), day)
    if giving.given_at != dose.given_at:
        broken += against_interval(giving, day, facts, record, record.rules_on(day))
        broken += too_close(giving, facts, record, record.rules_on(day))
    if facts.order is not None:
        broken += against_content(giving, facts.order)
    if dose.decision is not None:
        broken += against_decision(giving, await doses.decided_limit_mg(dose.decision), dose.decision)
    if dose.replacement is not None:
        broken += against_decision(giving, await doses.replacement_limit_mg(dose.replacement), dose.replacement)
    return tuple(refusal.rule.value for refusal in broken if refusal.rule.value not in dose.rules)
