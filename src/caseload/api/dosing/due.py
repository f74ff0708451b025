"""What is due on the wire, and what stands in the way of it."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from caseload.api.amounts import written
from caseload.api.wire import Wire
from caseload.domain.catalogue import millilitres
from caseload.domain.dosing import Due, InjectionStanding, NextInjection, Refusal, Rule, Site
from caseload.domain.medication import Direction, GuestDays, Order
from caseload.domain.medicines import DosePart, Form, Medicine


class RefusalOut(Wire, frozen=True, kw_only=True):
    """A rule that stands in the way, in words that tell what to do, with what it rests on."""

    rule: Rule
    says: str
    policy: str
    """By which rule of which version: of the profile (`uk.missed.3 of UK-1`), or of the product itself where no profile
    decides (`caseload.already_given of caseload-1`). Never empty."""
    facts: dict[str, Any]

    @classmethod
    def of(cls, refusal: Refusal) -> "RefusalOut":
        """From the domain."""
        return cls(rule=refusal.rule, says=refusal.says, policy=refusal.policy, facts=refusal.facts)


class GivenOut(Wire, frozen=True, kw_only=True):
    """Who gave a part of the day, and when."""

    dose_id: UUID
    given_at: datetime | None
    given_by: str | None
    """The printed name of the colleague; null where a brought-in history tells of it."""
    source: str | None
    """The record that tells of a brought-in dose."""


class DuePartOut(Wire, frozen=True, kw_only=True):
    """A part of the day that is due or has been given."""

    part: DosePart
    amount_mg: str
    amount_ml: str | None
    """Of a liquid, by the order's concentration."""
    given: GivenOut | None


class LastTakenOut(Wire, frozen=True, kw_only=True):
    """The last dose that was taken."""

    day: date
    at: datetime | None
    medicine: Medicine
    amount_mg: str


def in_millilitres(amount_mg: Decimal, order: Order | None) -> str | None:
    """The millilitres of a liquid that hold the amount, by the order's concentration."""
    found = millilitres(amount_mg, order.form, order.strength_mg) if order is not None else None
    return written(found) if found is not None else None


class NextInjectionOut(Wire, frozen=True, kw_only=True):
    """When the next injection may come, by the order's days and the product's window."""

    last_on: date | None
    last_site: Site | None
    """Alternate the sites: the same one again needs a reason."""
    earliest_on: date
    due_on: date
    latest_on: date
    """After it the injection is overdue."""
    standing: InjectionStanding

    @classmethod
    def of(cls, coming: NextInjection, day: date) -> "NextInjectionOut":
        """From the domain."""
        return cls(
            last_on=coming.last.day if coming.last is not None else None,
            last_site=coming.last.site if coming.last is not None else None,
            earliest_on=coming.earliest_on,
            due_on=coming.due_on,
            latest_on=coming.latest_on,
            standing=coming.standing(day),
        )


class GuestDaysOut(Wire, frozen=True, kw_only=True):
    """The agreement that makes a client a guest on a day."""

    agreement_id: UUID
    direction: Direction
    """`elsewhere`: our client at another programme. `here`: another programme's client with us."""
    facility: str
    """The other programme, by name."""
    first_on: date
    last_on: date

    @classmethod
    def of(cls, guest: GuestDays) -> "GuestDaysOut":
        """From the domain."""
        return cls(
            agreement_id=guest.agreement,
            direction=guest.direction,
            facility=guest.facility,
            first_on=guest.first_on,
            last_on=guest.last_on,
        )


class DueOut(Wire, frozen=True, kw_only=True):
    """What is due on a dosing day, and what stands in the way of it."""

    day: date
    order_id: UUID | None
    """The order to name when the dose is recorded; null when nothing is due."""
    medicine: Medicine | None
    form: Form | None
    parts: list[DuePartOut]
    last_taken: LastTakenOut | None
    missed: int
    """Days since the last dose on which one was due and none was taken."""
    not_known: int
    """Days since brought-in history ends of which nobody knows."""
    in_the_way: list[RefusalOut]
    decision_id: UUID | None
    """The prescriber's decision that the next dose uses."""
    waits: RefusalOut | None
    """A step up that has come and not taken effect: the amounts are those of the step before."""
    injection: NextInjectionOut | None
    """Of an injection: when it may come, and until when it is not overdue."""
    to_do: list[RefusalOut]
    """Whom to tell although the dose may be given: it goes on the programme's list as the dose is recorded."""
    beside: list[RefusalOut]
    """The medicine that is ordered beside this one, and the rule about the two that a prescriber overrode."""
    guest: GuestDaysOut | None
    """Where the client is a guest on this day; null of nearly everybody."""

    @classmethod
    def of(cls, due: Due) -> "DueOut":
        """From the domain."""
        last = due.without.last
        return cls(
            day=due.day,
            order_id=due.order.id if due.order is not None else None,
            medicine=due.order.medicine if due.order is not None else None,
            form=due.order.form if due.order is not None else None,
            parts=[
                DuePartOut(
                    part=each.part,
                    amount_mg=written(each.amount_mg),
                    amount_ml=in_millilitres(each.amount_mg, due.order),
                    given=None
                    if each.given is None
                    else GivenOut(
                        dose_id=each.given.dose,
                        given_at=each.given.given_at,
                        given_by=each.given.given_by,
                        source=each.given.source,
                    ),
                )
                for each in due.parts
            ],
            last_taken=None
            if last is None
            else LastTakenOut(day=last.day, at=last.at, medicine=last.medicine, amount_mg=written(last.amount_mg)),
            missed=len(due.without.missed),
            not_known=len(due.without.not_known),
            in_the_way=[RefusalOut.of(refusal) for refusal in due.in_the_way],
            waits=RefusalOut.of(due.waits) if due.waits is not None else None,
            injection=NextInjectionOut.of(due.injection, due.day) if due.injection is not None else None,
            to_do=[RefusalOut.of(each) for each in due.to_do],
            beside=[RefusalOut.of(each) for each in due.beside],
            guest=GuestDaysOut.of(due.guest) if due.guest is not None else None,
            decision_id=due.allowed.decision if due.allowed is not None else None,
        )
