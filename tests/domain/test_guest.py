"""Guest dosing in plain rules: what a day says to home and host, which order a guest may have, and what is arranged."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from caseload.domain.access import Role
from caseload.domain.dosing import EVERYTHING_COMMITTED, HowVerified, Rule
from caseload.domain.dosing.guest import against_guest, guest_on
from caseload.domain.errors import Invalid
from caseload.domain.guest import Arrangement, Confirmation, HomeDose
from caseload.domain.guest.arranging import FARTHEST, LONGEST_DAYS, check_arrangement, stay
from caseload.domain.ids import ClientId, DisclosureId, GuestId, OrderId, ProgrammeId, new_id
from caseload.domain.medication import (
    Direction,
    GuestDays,
    MedicationRecord,
    OrderBeyondGuest,
    Step,
    Supply,
    guests_here,
)
from caseload.domain.medication.guest import agreement_for
from caseload.domain.medicines import DosePart, Form, Medicine
from caseload.domain.people import Staff
from caseload.domain.profiles.selected import Selected
from caseload.domain.window import Flag, Group
from tests.domain.test_dosing import running
from tests.domain.test_medication import AWAY, DAY, HOME, NOW, TODAY, WHOLE, order, staff
from tests.domain.test_window import one, waiting

OUTSIDE = "Riverside OTP"
ORDER = OrderId(UUID(int=5))
LAST = TODAY + 2 * DAY


def record(*, time_zone: str = "Europe/London", **said: Any) -> MedicationRecord:
    return MedicationRecord(
        client=ClientId(UUID(int=9)),
        programme=HOME,
        time_zone=time_zone,
        profiles=Selected("UK"),
        has_guest_days=True,
        **said,
    )


def days(**changed: Any) -> GuestDays:
    """Our client, at an outside programme, for three days from today."""
    made = GuestDays(
        agreement=GuestId(new_id()),
        direction=Direction.ELSEWHERE,
        facility=OUTSIDE,
        host=None,
        first_on=TODAY,
        last_on=LAST,
        medicine=Medicine.METHADONE,
        form=Form.ORAL_SOLUTION,
        amount_mg=Decimal(60),
        recorded_at=NOW,
    )
    return replace(made, **changed)


def here(**changed: Any) -> GuestDays:
    return days(**{"direction": Direction.HERE, "orders": frozenset({ORDER}), **changed})


def rules(
    *guests: GuestDays,
    day: date = TODAY,
    place: ProgrammeId = HOME,
    at: datetime = EVERYTHING_COMMITTED,
    given: OrderId | None = ORDER,
) -> list[Rule]:
    return [each.rule for each in against_guest(guests, day, at=at, place=place, order=given, record=record())]


def test_whoever_is_no_guest_is_asked_nothing() -> None:
    assert rules() == []
    assert guest_on([], TODAY) is None


@pytest.mark.parametrize(
    ("day", "refused"),
    [(TODAY - DAY, []), (TODAY, [Rule.GUEST_ELSEWHERE]), (LAST, [Rule.GUEST_ELSEWHERE]), (LAST + DAY, [])],
)
def test_home_gives_nothing_from_the_first_day_to_the_last(day: date, refused: list[Rule]) -> None:
    assert rules(days(), day=day) == refused
    assert rules(days(host=AWAY), day=day) == refused


def test_the_refusal_names_the_host_and_the_days() -> None:
    [refusal] = against_guest([days()], TODAY, at=EVERYTHING_COMMITTED, place=HOME, order=ORDER, record=record())
    assert all(word in refusal.says for word in (OUTSIDE, str(TODAY), str(LAST)))
    assert refusal.facts["facility"] == OUTSIDE


@pytest.mark.parametrize(
    ("day", "refused"),
    [(TODAY - DAY, [Rule.GUEST_OVER]), (TODAY, []), (LAST, []), (LAST + DAY, [Rule.GUEST_OVER])],
)
def test_the_host_gives_from_the_first_day_to_the_last(day: date, refused: list[Rule]) -> None:
    assert rules(days(host=AWAY), day=day, place=AWAY) == refused


def test_a_third_programme_gives_nothing() -> None:
    other = ProgrammeId(UUID(int=3))
    assert rules(days(host=AWAY), place=other) == [Rule.GUEST_ELSEWHERE]
    assert rules(days(host=AWAY), day=LAST + DAY, place=other) == [], "nobody there sees the client at all"


def test_what_was_given_before_the_agreement_was_made_broke_nothing() -> None:
    assert rules(days(), at=NOW - timedelta(seconds=1)) == []
    assert rules(days(), at=NOW) == [Rule.GUEST_ELSEWHERE]


def test_what_never_was_stands_in_no_way() -> None:
    assert rules(days(last_on=TODAY - DAY)) == []


@pytest.mark.parametrize(
    ("day", "refused"),
    [(TODAY - DAY, [Rule.GUEST_OVER]), (TODAY, []), (LAST, []), (LAST + DAY, [Rule.GUEST_OVER])],
)
def test_a_guest_here_is_given_something_on_the_agreed_days_alone(day: date, refused: list[Rule]) -> None:
    assert rules(here(), day=day) == refused


def test_a_guest_here_has_an_order_of_this_agreement() -> None:
    assert rules(here(), given=OrderId(UUID(int=6))) == [Rule.NOT_ITS_GUEST_ORDER]
    assert rules(here(), given=None) == [Rule.NOT_ITS_GUEST_ORDER]


def test_a_day_for_which_home_has_handed_out_a_dose_is_not_given_again() -> None:
    holding = here(holds_on=frozenset({TODAY + DAY}))
    assert rules(holding) == []
    assert rules(holding, day=TODAY + DAY) == [Rule.TAKE_HOME_COVERS]


def test_a_guest_who_stays_is_ours_and_a_later_agreement_counts_again() -> None:
    stayed = here(became_ours=True)
    assert rules(stayed, given=None) == rules(stayed, day=LAST + DAY) == []
    assert guest_on([stayed], TODAY) is None
    later = here(first_on=LAST + 30 * DAY, last_on=LAST + 31 * DAY)
    assert list(guests_here([later, stayed])) == [later]
    assert rules(later, stayed) == [Rule.GUEST_OVER]


def test_what_was_arranged_after_a_guest_stayed_counts_and_what_was_arranged_before_does_not() -> None:
    """Whoever said that they stay before a planned visit began may be a guest anew on days that come before it."""
    planned = here(first_on=LAST + DAY, last_on=LAST + 2 * DAY, became_ours=True)
    anew = here(recorded_at=NOW + timedelta(minutes=1))
    assert list(guests_here([planned, anew])) == [anew]
    before = here(recorded_at=NOW - timedelta(minutes=1))
    assert list(guests_here([planned, before])) == []
    assert rules(planned, before, given=None) == []


@pytest.mark.parametrize(
    ("guest", "group", "flags"),
    [
        (days(), Group.NOT_EXPECTED, (Flag.GUEST_ELSEWHERE,)),
        (days(first_on=TODAY + DAY), Group.TO_ATTEND, ()),
        (here(), Group.TO_ATTEND, (Flag.GUEST,)),
        (here(first_on=TODAY - 3 * DAY, last_on=TODAY - DAY), Group.NOT_EXPECTED, ()),
        (here(holds_on=frozenset({TODAY})), Group.NOT_EXPECTED, (Flag.GUEST,)),
        (here(orders=frozenset()), Group.HELD, (Flag.GUEST,)),
        (here(became_ours=True), Group.TO_ATTEND, ()),
    ],
)
def test_the_queue_of_home_says_who_is_a_guest(guest: GuestDays, group: Group, flags: tuple[Flag, ...]) -> None:
    line = one(waiting(ordered=running(id=ORDER), guests=[guest]))
    assert (line.group, line.flags) == (group, flags)


def test_what_is_due_says_where_the_client_is_a_guest_also_where_nothing_is_ordered() -> None:
    nothing = waiting(ordered=running(id=ORDER, ends_on=TODAY - DAY), guests=[days()])
    assert nothing.due.order is None
    assert nothing.due.guest is not None
    at_host = waiting(ordered=running(id=ORDER), guests=[days(host=AWAY)], place=AWAY)
    assert (at_host.due.in_the_way, at_host.due.guest is not None) == ((), True)


def test_whoever_works_in_both_programmes_stands_where_their_shift_is() -> None:
    hosted = record(host=AWAY)
    both = staff((Role.NURSE, HOME), (Role.NURSE, AWAY))

    def on_duty(*places: ProgrammeId) -> Staff:
        return replace(both, holdings=tuple(replace(each, on_duty=each.programme in places) for each in both.holdings))

    assert hosted.where(both) == hosted.where(on_duty(HOME)) == hosted.where(on_duty(HOME, AWAY)) == HOME
    assert hosted.where(on_duty(AWAY)) == AWAY
    assert record().where(on_duty(AWAY)) == HOME, "nobody hosts the client now"


GUESTS_ORDER = order(id=ORDER, ends_on=LAST)


def test_an_order_of_nobodys_guest_is_bound_to_nothing() -> None:
    assert agreement_for(GUESTS_ORDER, [days()]) is None
    assert agreement_for(GUESTS_ORDER, []) is None


def test_an_order_that_says_what_home_has_confirmed_is_bound_to_the_agreement() -> None:
    guest = here()
    assert agreement_for(GUESTS_ORDER, [guest]) is guest
    less = replace(GUESTS_ORDER, amounts_mg={DosePart.MORNING: Decimal(30), DosePart.EVENING: Decimal(30)})
    assert agreement_for(less, [guest]) is guest


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"ends_on": None}, "days"),
        ({"ends_on": LAST + DAY}, "days"),
        ({"starts_on": TODAY - DAY}, "days"),
        ({"starts_on": LAST + DAY, "ends_on": LAST + DAY}, "days"),
        ({"form": Form.TABLET}, "medicine"),
        ({"supply": Supply.PHARMACY}, "medicine"),
        ({"amounts_mg": {DosePart.WHOLE: Decimal("60.001")}}, "amount"),
        ({"amounts_mg": {DosePart.MORNING: Decimal(30), DosePart.EVENING: Decimal("30.5")}}, "amount"),
        ({"steps": (Step(from_on=TODAY + DAY, amounts_mg={DosePart.WHOLE: Decimal(65)}),)}, "amount"),
    ],
)
def test_an_order_beyond_what_home_has_confirmed_is_refused(changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(OrderBeyondGuest) as refused:
        agreement_for(replace(GUESTS_ORDER, **changed), [here()])
    assert refused.value.facts["reason"] == reason
    assert refused.value.facts["first_on"] == str(TODAY)


def arrangement(**changed: Any) -> Arrangement:
    made = Arrangement(
        direction=Direction.ELSEWHERE,
        first_on=TODAY,
        last_on=LAST,
        medicine=Medicine.METHADONE,
        form=Form.ORAL_SOLUTION,
        amount_mg=WHOLE[DosePart.WHOLE],
        why="Her mother's funeral, 200 miles away.",
        confirmed=Confirmation(by="Kim Lee, nurse", how=HowVerified.TELEPHONE, at=NOW),
        other_enrolments="Central registry: none.",
        host=AWAY,
    )
    return replace(made, **changed)


def incoming(**changed: Any) -> Arrangement:
    given = {
        "direction": Direction.HERE,
        "host": None,
        "facility": OUTSIDE,
        "home_dose": HomeDose(day=TODAY - DAY, amount_mg=Decimal(60), at=NOW - DAY),
    }
    return arrangement(**given | changed)


@pytest.mark.parametrize(
    "said",
    [
        arrangement(),
        arrangement(host=None, disclosure=DisclosureId(UUID(int=4))),
        arrangement(last_on=TODAY + (LONGEST_DAYS - 1) * DAY),
        arrangement(first_on=TODAY + FARTHEST, last_on=TODAY + FARTHEST),
        incoming(),
        incoming(home_dose=HomeDose(day=TODAY, amount_mg=Decimal(60), at=NOW)),
        incoming(home_dose=HomeDose(day=TODAY, amount_mg=Decimal(60))),
        incoming(holds_on=(TODAY, LAST)),
    ],
)
def test_what_both_programmes_have_agreed_is_arranged(said: Arrangement) -> None:
    check_arrangement(said, record(), NOW)


@pytest.mark.parametrize(
    ("said", "field"),
    [
        (arrangement(why=" "), "why"),
        (arrangement(other_enrolments=""), "other_enrolments"),
        (arrangement(confirmed=Confirmation(by=" ", how=HowVerified.TELEPHONE, at=NOW)), "confirmed_by"),
        (
            arrangement(confirmed=Confirmation(by="Kim", how=HowVerified.DOCUMENT, at=NOW + timedelta(seconds=1))),
            "confirmed_at",
        ),
        (arrangement(first_on=TODAY - DAY), "first_on"),
        (arrangement(first_on=TODAY + FARTHEST + DAY, last_on=TODAY + FARTHEST + DAY), "first_on"),
        (arrangement(last_on=TODAY - DAY), "last_on"),
        (arrangement(last_on=TODAY + LONGEST_DAYS * DAY), "last_on"),
        (arrangement(amount_mg=Decimal(0)), "amount_mg"),
        (arrangement(form=Form.SUBLINGUAL_FILM), "form"),
        (arrangement(medicine=Medicine.BUPRENORPHINE, form=Form.EXTENDED_RELEASE_INJECTION), "form"),
        (arrangement(host=None), "disclosure_id"),
        (arrangement(disclosure=DisclosureId(UUID(int=4))), "disclosure_id"),
        (arrangement(host=HOME), "host_programme_id"),
        (arrangement(facility=OUTSIDE), "facility"),
        (arrangement(holds_on=(TODAY,)), "facility"),
        (arrangement(home_dose=HomeDose(day=TODAY, amount_mg=Decimal(60))), "facility"),
        (incoming(host=AWAY), "host_programme_id"),
        (incoming(disclosure=DisclosureId(UUID(int=4))), "disclosure_id"),
        (incoming(facility=None), "facility"),
        (incoming(home_dose=None), "home_dose"),
        (incoming(home_dose=HomeDose(day=TODAY + DAY, amount_mg=Decimal(60))), "home_dose.day"),
        (incoming(home_dose=HomeDose(day=TODAY, amount_mg=Decimal("0.0001"))), "home_dose.amount_mg"),
        (incoming(home_dose=HomeDose(day=TODAY, amount_mg=Decimal(60), at=NOW - DAY)), "home_dose.taken_at"),
        (
            incoming(home_dose=HomeDose(day=TODAY, amount_mg=Decimal(60), at=NOW + timedelta(seconds=1))),
            "home_dose.taken_at",
        ),
        (incoming(holds_on=(TODAY - DAY,)), "holds_on"),
        (incoming(holds_on=(LAST + DAY,)), "holds_on"),
        (incoming(holds_on=(TODAY, TODAY)), "holds_on"),
    ],
)
def test_what_cannot_be_arranged_is_named(said: Arrangement, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_arrangement(said, record(), NOW)
    assert field in [fault.field for fault in refused.value.faults]


@pytest.mark.parametrize(
    ("zone", "day", "begins", "hours"),
    [
        ("Europe/London", date(2026, 3, 29), datetime(2026, 3, 29, 0, tzinfo=UTC), 23),
        ("Europe/London", date(2026, 10, 25), datetime(2026, 10, 24, 23, tzinfo=UTC), 25),
        ("America/New_York", date(2026, 3, 8), datetime(2026, 3, 8, 5, tzinfo=UTC), 23),
        ("America/New_York", date(2026, 11, 1), datetime(2026, 11, 1, 4, tzinfo=UTC), 25),
        ("Australia/Sydney", date(2026, 10, 4), datetime(2026, 10, 3, 14, tzinfo=UTC), 23),
        ("Africa/Cairo", date(2026, 4, 24), datetime(2026, 4, 23, 22, tzinfo=UTC), 23),
    ],
)
def test_a_host_sees_the_client_for_exactly_the_local_days_of_home(
    zone: str, day: date, begins: datetime, hours: int
) -> None:
    whose = record(time_zone=zone)
    first, after = stay(arrangement(first_on=day, last_on=day), whose)
    assert (first, after - first) == (begins, timedelta(hours=hours))
    tick = timedelta(microseconds=1)
    assert [whose.day_of(each) for each in (first - tick, first, after - tick, after)] == [
        day - DAY,
        day,
        day,
        day + DAY,
    ]
