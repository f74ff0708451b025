"""Take-home decisions: how many days a client may take home at once, on a prescriber's word, and until when.

42 CFR 8.12(i)(2): the medical director or a practitioner of the programme decides on six criteria, and the rationale is
in the record. The ladder of 8.12(i)(3) is a maximum and no entitlement. The wording of the six is from general
knowledge; the eight criteria before 2024 (stability at home, length of treatment, offences) are repealed and are not
asked. What is decided is never changed: another decision takes its place, a suspension ends it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Protocol

from caseload.domain.access import Act
from caseload.domain.dosing import Refusal, Rule
from caseload.domain.dosing.refusal import policy
from caseload.domain.errors import Conflict, Faults, NotFound
from caseload.domain.ids import ClientId, DoseId, ProgrammeId, StaffId, SuspensionId, TakeHomeDecisionId
from caseload.domain.journal import Event, Journal
from caseload.domain.medication import MedicationRecord, MedicationRecords
from caseload.domain.medication.record import LONGEST_NOTE, check_reason
from caseload.domain.medicines import Medicine
from caseload.domain.people import Proof, Staff
from caseload.domain.profiles import Profile
from caseload.domain.profiles.takehome import MOST_DAYS, Ceiling
from caseload.domain.signature import Meaning, Signature, Signatures, Subject, Version, sign, signing_role


class Criterion(StrEnum):
    """The six of 42 CFR 8.12(i)(2)."""

    NO_CONDITION_THAT_ENDANGERS = "no_condition_that_endangers"
    """No active substance use disorder or other condition that raises the risk of an overdose or impairs."""
    ATTENDS_REGULARLY = "attends_regularly"
    """Comes regularly for supervised doses."""
    NO_BEHAVIOUR_THAT_ENDANGERS = "no_behaviour_that_endangers"
    """No serious behaviour that endangers the client or others."""
    NO_KNOWN_DIVERSION = "no_known_diversion"
    """No known recent diversion."""
    STORES_SAFELY = "stores_safely"
    """Can carry and store it safely."""
    OTHERWISE_SAFE = "otherwise_safe"
    """Nothing else stands against it for the safety of the client or the public."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the prescriber says of one criterion."""

    met: bool
    note: str = ""
    """Needed where it is not met: why the benefit outweighs it."""


class TakeHomeRefused(Conflict):
    """This must not be taken home."""

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


class TakeHomeDecisionUnknown(NotFound):
    """There is no such take-home decision within your reach."""

    def __init__(self) -> None:
        super().__init__("Read the client's take-homes for the decisions there are.")


class DecisionReplaced(Conflict):
    """This take-home decision is in force no longer."""

    def __init__(self) -> None:
        super().__init__("It was suspended, or another took its place. Read the client's take-homes again.")


class TakeHomeDecided(Event):
    """A prescriber decided how many days a client may take home."""

    name: ClassVar[str] = "take_home.decided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspension:
    """The end of a decision before its time, by a prescriber or by a rule of the profile."""

    id: SuspensionId
    decision: TakeHomeDecisionId
    client: ClientId
    programme: ProgrammeId
    reason: str
    review_on: date
    suspended_by: StaffId
    suspended_at: datetime
    profile: str
    profile_version: int
    by_rule: str | None = None
    """The profile's rule that suspended it; then nobody has signed, and `suspended_by` recorded the dose."""
    dose: DoseId | None = None
    """The first dose after the days that were missed."""
    missed: int | None = None

    def as_signed(self) -> Version:
        """What the prescriber signs."""
        return Version(
            subject=Subject.TAKE_HOME_SUSPENSION,
            id=self.id,
            number=1,
            content={
                "client": self.client,
                "decision": self.decision,
                "programme": self.programme,
                "reason": self.reason,
                "review_on": self.review_on,
                "suspended_at": self.suspended_at,
                "suspended_by": self.suspended_by,
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeHomeDecision:
    """A prescriber's signed decision about one medicine, with the facts it rests on."""

    id: TakeHomeDecisionId
    client: ClientId
    programme: ProgrammeId
    medicine: Medicine
    days: int
    """How many at once, closure days apart; 0 says that none may be taken home."""
    answers: Mapping[Criterion, Answer]
    rationale: str
    review_on: date
    decided_on: date
    decided_by: StaffId
    decided_at: datetime
    day_of_treatment: int
    first_dose_on: date | None
    """The first dose of the episode; None before it."""
    ceiling_days: int | None
    ceiling_rule: str | None
    """None where no ladder names the medicine."""
    profile: str
    profile_version: int
    suspension: Suspension | None = None

    def as_signed(self) -> Version:
        """What the prescriber signs."""
        return Version(
            subject=Subject.TAKE_HOME_DECISION,
            id=self.id,
            number=1,
            content={
                "answers": {key: {"met": each.met, "note": each.note} for key, each in self.answers.items()},
                "ceiling_days": self.ceiling_days,
                "ceiling_rule": self.ceiling_rule,
                "client": self.client,
                "day_of_treatment": self.day_of_treatment,
                "days": self.days,
                "decided_at": self.decided_at,
                "decided_by": self.decided_by,
                "decided_on": self.decided_on,
                "first_dose_on": self.first_dose_on,
                "medicine": self.medicine,
                "profile": self.profile,
                "profile_version": self.profile_version,
                "programme": self.programme,
                "rationale": self.rationale,
                "review_on": self.review_on,
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeHomeWish:
    """What a prescriber wants to decide."""

    medicine: Medicine
    days: int
    answers: Mapping[Criterion, Answer]
    rationale: str
    review_on: date


class TakeHomeDecisions(MedicationRecords, Signatures, Protocol):
    """The take-home decisions of clients. Whoever adds one has locked the client's record first."""

    async def treatment_began(self, record: MedicationRecord, day: date, /) -> date | None:
        """The first dosing day, until a day, of the episode of care in which the client is.

        After a discharge it counts from there. None before the first dose.
        """
        ...

    async def decision_in_force(self, client: ClientId, medicine: Medicine, /) -> TakeHomeDecision | None:
        """The newest decision about a medicine, with its suspension."""
        ...

    async def take_home_decision(self, wanted: TakeHomeDecisionId, /, *, by: Staff, act: Act) -> TakeHomeDecision:
        """One decision with its suspension; raises `TakeHomeDecisionUnknown` outside the person's reach."""
        ...

    async def add_take_home_decision(self, decision: TakeHomeDecision, signature: Signature, /) -> None:
        """Keep a signed decision."""
        ...

    async def add_suspension(self, suspension: Suspension, signature: Signature, /) -> None:
        """Keep a signed suspension; raises `DecisionReplaced` when there is one."""
        ...


def day_of_treatment(began: date | None, day: date) -> int:
    """The day of treatment: the day of the first dose of the episode is day 1 (domain convention)."""
    return 1 if began is None else (day - began).days + 1


def check_wish(wish: TakeHomeWish, today: date, rules: Profile, faults: Faults) -> None:
    """Add a fault for everything that is no decision yet."""
    check_reason(wish.rationale, faults, "rationale")
    faults.check(
        when=not 0 <= wish.days <= MOST_DAYS, where="days", problem=f"must lie between 0 (none) and {MOST_DAYS}"
    )
    for criterion in Criterion:
        answer = wish.answers.get(criterion)
        where = f"answers.{criterion}"
        if answer is None:
            faults.add(where, "must be answered")
            continue
        faults.check(
            when=not answer.met and not answer.note.strip(), where=where, problem="not met: say why all the same"
        )
        faults.check(when=len(answer.note) > LONGEST_NOTE, where=where, problem=f"at most {LONGEST_NOTE} characters")
    last = today + timedelta(days=rules.take_home.review.within_days)
    faults.check(
        when=not today < wish.review_on <= last, where="review_on", problem=f"must lie after today, until {last}"
    )


def above(ceiling: Ceiling, days: int, began: date | None, on: date, rules: Profile) -> Refusal:
    """What a ladder says to more days than it allows on a day."""
    return Refusal(
        rule=Rule.TAKE_HOME_CEILING,
        says=ceiling.ladder.says,
        policy=policy(ceiling.ladder.rule, rules),
        facts={
            "days": days,
            "at_most_days": ceiling.at_most_days,
            "day_of_treatment": day_of_treatment(began, on),
            "first_dose_on": None if began is None else str(began),
        },
    )


async def decide_take_home(
    wish: TakeHomeWish,
    client: ClientId,
    *,
    as_id: TakeHomeDecisionId,
    by: Staff,
    proof: Proof,
    now: datetime,
    decisions: TakeHomeDecisions,
    journal: Journal,
) -> TakeHomeDecision:
    """Decide how many days of a medicine a client may take home at once; it takes the place of the one before.

    Raises `ClientUnknown`, `NotPermitted`, `Invalid`, `TakeHomeRefused` (above the strictest ladder of the profile),
    and what `sign` raises.
    """
    record = await decisions.lock(client, by=by, act=Act.DECIDE_MEDICATION)
    record.require_open()
    place = record.place(by, Act.DECIDE_MEDICATION)
    today = record.day_of(now)
    rules = record.rules_on(today)
    faults = Faults()
    check_wish(wish, today, rules, faults)
    faults.raise_if_any()
    began = await decisions.treatment_began(record, today)
    ceiling = rules.take_home.ceiling(wish.medicine, day_of_treatment(began, today))
    if ceiling is not None and wish.days > ceiling.at_most_days:
        raise TakeHomeRefused([above(ceiling, wish.days, began, today, rules)], rules.label)
    decision = TakeHomeDecision(
        id=as_id,
        client=client,
        programme=place,
        medicine=wish.medicine,
        days=wish.days,
        answers={criterion: wish.answers[criterion] for criterion in Criterion},
        rationale=wish.rationale,
        review_on=wish.review_on,
        decided_on=today,
        decided_by=by.id,
        decided_at=now,
        day_of_treatment=day_of_treatment(began, today),
        first_dose_on=began,
        ceiling_days=None if ceiling is None else ceiling.at_most_days,
        ceiling_rule=None if ceiling is None else ceiling.ladder.rule,
        profile=rules.profile,
        profile_version=rules.version,
    )
    role = signing_role(by, Act.DECIDE_MEDICATION, place)
    signature = sign(decision.as_signed(), by=by, role=role, meaning=Meaning.APPROVED, proof=proof, now=now)
    await decisions.add_take_home_decision(decision, signature)
    facts: dict[str, str | int] = {"profile": rules.label, "days": wish.days}
    journal.tell(TakeHomeDecided(client=client, records=(decision.id, signature.id), facts=facts))
    return decision
