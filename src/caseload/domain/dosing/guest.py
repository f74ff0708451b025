"""What guest agreements put in the way of a dose: at home, where the guest is, and on every other day.

A client is dosed in one place at a time (42 CFR 8.12(g), whose wording could not be confirmed: by a second programme only
while the own one cannot be reached). While the agreement runs the home programme gives nothing; whoever comes home early
is given something once the agreement has been ended. A guest of ours is given something on the agreed days and on no
other, under an order that was signed for them. The days are those of the client's home programme with us.
"""

from collections.abc import Sequence
from datetime import date, datetime

from caseload.domain.dosing.refusal import Refusal, Rule
from caseload.domain.ids import OrderId, ProgrammeId
from caseload.domain.medication import Direction, GuestDays, MedicationRecord, guests_here


def guest_on(guests: Sequence[GuestDays], day: date) -> GuestDays | None:
    """The agreement of which a dosing day is one; of those here none from before the guest stayed with us."""
    here = {each.agreement for each in guests_here(guests)}
    return next(
        (
            each
            for each in guests
            if each.covers(day) and (each.direction is Direction.ELSEWHERE or each.agreement in here)
        ),
        None,
    )


def against_guest(
    guests: Sequence[GuestDays],
    day: date,
    *,
    at: datetime,
    place: ProgrammeId,
    order: OrderId | None,
    record: MedicationRecord,
) -> list[Refusal]:
    """What stands in the way of a dose of a day in a programme; agreements of after `at` do not count."""
    known = [each for each in guests if each.recorded_at <= at]
    now = guest_on(known, day)
    if now is not None and now.direction is Direction.ELSEWHERE and now.host != place:
        return [_elsewhere(now)]
    hosted = [each for each in known if each.host == place]
    if now is None and hosted and place != record.programme:
        return [_over(hosted[0])]
    here = guests_here(known)
    if now is None and here:
        return [_over(here[0])]
    return _of_guest_here(now, day, order) if now is not None and now.direction is Direction.HERE else []


def _elsewhere(guest: GuestDays) -> Refusal:
    return Refusal(
        rule=Rule.GUEST_ELSEWHERE,
        says=f"The client is a guest of {guest.facility} from {guest.first_on} to {guest.last_on}: give nothing here."
        " Of whoever has come home early say so in the guest agreement first.",
        facts=guest.facts,
    )


def _over(guest: GuestDays) -> Refusal:
    return Refusal(
        rule=Rule.GUEST_OVER,
        says=f"The client was a guest here from {guest.first_on} to {guest.last_on}: give nothing on another day."
        " Arrange further days with the home programme.",
        facts=guest.facts,
    )


def _of_guest_here(guest: GuestDays, day: date, order: OrderId | None) -> list[Refusal]:
    broken: list[Refusal] = []
    if day in guest.holds_on:
        says = f"{guest.facility} has handed out a dose for this day. Give nothing here."
        broken.append(Refusal(rule=Rule.TAKE_HOME_COVERS, says=says, facts=guest.facts | {"day": str(day)}))
    if order not in guest.orders:
        says = "The order was not signed for this guest agreement. Ask a prescriber for one that is."
        broken.append(Refusal(rule=Rule.NOT_ITS_GUEST_ORDER, says=says, facts=guest.facts | {"order": str(order)}))
    return broken
