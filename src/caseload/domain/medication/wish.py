"""What a prescriber wants to order, and what nobody can mean."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from caseload.domain.catalogue import agree
from caseload.domain.errors import Faults
from caseload.domain.ids import OrderId
from caseload.domain.medication.ordered import Step, Supply
from caseload.domain.medication.record import LONGEST_NOTE, check_reason
from caseload.domain.medicines import FORMS, LIQUIDS, LONG_ACTING, DosePart, Form, Medicine, check_milligrams
from caseload.domain.moments import check_year

FURTHEST_AHEAD = timedelta(days=366)
LONGEST_CYCLE_DAYS = 92
MOST_STEPS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a prescriber wants to order."""

    medicine: Medicine
    form: Form
    strength_mg: Decimal
    """Milligrams in one millilitre of a liquid, else in one tablet, film or injection."""
    amounts_mg: Mapping[DosePart, Decimal]
    every_days: int
    starts_on: date
    ends_on: date | None
    """The last day, included: the order ends at its local midnight. None leaves it open."""
    supervised: bool
    note: str
    replaces: OrderId | None = None
    amounts_ml: Mapping[DosePart, Decimal] = field(default_factory=dict[DosePart, Decimal])
    """The same amounts in millilitres, where the prescriber says them too: both must agree by the concentration."""
    supply: Supply = Supply.WINDOW
    steps: tuple[Step, ...] = ()
    rapid_start: bool = False
    last_opioid_on: date | None = None
    no_opioid_known: str | None = None
    """Of naltrexone: why nobody knows of an opioid outside the record, where none is known."""
    beside: OrderId | None = None
    """The order in force beside which this one is to stand, each in a part of the day of its own."""

    def check(self, *, today: date) -> None:
        """Raise `Invalid` with everything that no prescriber can mean."""
        faults = Faults()
        faults.check(
            when=self.form not in FORMS[self.medicine],
            where="form",
            problem=f"{self.medicine} is not made so; choose one of {', '.join(sorted(FORMS[self.medicine]))}",
        )
        check_milligrams(self.strength_mg, "strength_mg", faults)
        self._check_parts(faults)
        self._check_days(today, faults)
        check_steps(self, faults)
        self._check_injection(today, faults)
        faults.check(when=len(self.note) > LONGEST_NOTE, where="note", problem=f"at most {LONGEST_NOTE} characters")
        faults.raise_if_any()

    def _check_injection(self, today: date, faults: Faults) -> None:
        faults.check(
            when=self.rapid_start and self.form not in LONG_ACTING,
            where="rapid_start",
            problem="only an injection is started rapidly",
        )
        if self.last_opioid_on is not None:
            faults.check(
                when=self.medicine is not Medicine.NALTREXONE or self.last_opioid_on > today,
                where="last_opioid_on",
                problem="is a day until today, and asked for naltrexone alone",
            )
        if self.no_opioid_known is not None:
            check_reason(self.no_opioid_known, faults, "no_opioid_known")
            faults.check(
                when=self.medicine is not Medicine.NALTREXONE,
                where="no_opioid_known",
                problem="is asked for naltrexone alone",
            )
        faults.check(
            when=not is_answered(self.medicine, self.last_opioid_on, self.no_opioid_known),
            where="last_opioid_on",
            problem="say when the last opioid was used, or under `no_opioid_known` why none is known: one of the two",
        )

    def _check_parts(self, faults: Faults) -> None:
        parts = set(self.amounts_mg)
        faults.check(
            when=self.beside is not None and (len(parts) > 1 or DosePart.WHOLE in parts),
            where="amounts_mg",
            problem="beside another order this one is given in the morning or in the evening alone",
        )
        faults.check(
            when=self.beside is not None and self.beside == self.replaces,
            where="beside",
            problem="is the order that this one replaces",
        )
        faults.check(when=not parts, where="amounts_mg", problem="order an amount for at least one part of the day")
        faults.check(
            when=DosePart.WHOLE in parts and len(parts) > 1,
            where="amounts_mg",
            problem="order either the whole day at once or parts of it, not both",
        )
        faults.check(
            when=self.form in LONG_ACTING and parts != {DosePart.WHOLE},
            where="amounts_mg",
            problem="an injection is ordered as one whole dose",
        )
        faults.check(
            when=self.form in LONG_ACTING and not self.supervised,
            where="supervised",
            problem="an injection is given here and never handed to the client",
        )
        for part, amount in self.amounts_mg.items():
            check_milligrams(amount, f"amounts_mg.{part}", faults)
        for part, amount_ml in self.amounts_ml.items():
            self._check_volume(part, amount_ml, faults)

    def _check_volume(self, part: DosePart, amount_ml: Decimal, faults: Faults) -> None:
        amount_mg, where = self.amounts_mg.get(part), f"amounts_ml.{part}"
        if self.form not in LIQUIDS:
            faults.add(where, f"{self.form} is not measured in millilitres")
        elif amount_mg is None:
            faults.add(where, "has no milligrams beside it")
        elif self.strength_mg > 0 and not agree(amount_mg, amount_ml, self.strength_mg):
            faults.add(where, f"{amount_ml} mL of {self.strength_mg} mg/mL are not {amount_mg} mg")

    def _check_days(self, today: date, faults: Faults) -> None:
        faults.check(
            when=not 1 <= self.every_days <= LONGEST_CYCLE_DAYS,
            where="every_days",
            problem=f"must lie between 1 (daily) and {LONGEST_CYCLE_DAYS}",
        )
        faults.check(when=self.starts_on < today, where="starts_on", problem="must not lie before today")
        faults.check(
            when=self.starts_on > today + FURTHEST_AHEAD,
            where="starts_on",
            problem=f"must lie within {FURTHEST_AHEAD.days} days from today",
        )
        faults.check(
            when=self.ends_on is not None and self.ends_on < self.starts_on,
            where="ends_on",
            problem="must not lie before the first day",
        )
        if self.ends_on is not None:
            check_year(self.ends_on, faults, "ends_on")


def is_answered(medicine: Medicine, last_opioid_on: date | None, no_opioid_known: str | None) -> bool:
    """Whether an order of naltrexone, oral or as a depot, says when the last opioid was used, or that none is known.

    Nothing is assumed of whoever did not ask (Vivitrol label: opioid-free for 7 to 10 days, by the client's own account too).
    """
    return medicine is not Medicine.NALTREXONE or (last_opioid_on is None) is not (no_opioid_known is None)


def check_steps(wish: Wish, faults: Faults) -> None:
    """Add faults unless the steps rise day by day inside the order, with its parts of the day."""
    faults.check(when=wish.form in LONG_ACTING and bool(wish.steps), where="steps", problem="an injection has no steps")
    faults.check(when=len(wish.steps) > MOST_STEPS, where="steps", problem=f"at most {MOST_STEPS} steps")
    before = wish.starts_on
    for number, step in enumerate(wish.steps):
        where = f"steps.{number}"
        faults.check(when=step.from_on <= before, where=f"{where}.from_on", problem="must lie after the step before")
        faults.check(
            when=wish.ends_on is not None and step.from_on > wish.ends_on,
            where=f"{where}.from_on",
            problem="must not lie after the last day",
        )
        faults.check(
            when=set(step.amounts_mg) != set(wish.amounts_mg),
            where=f"{where}.amounts_mg",
            problem="must have the parts of the day that the order has",
        )
        for part, amount in step.amounts_mg.items():
            check_milligrams(amount, f"{where}.amounts_mg.{part}", faults)
        before = max(before, step.from_on)
