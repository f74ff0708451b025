"""What somebody is told whose registration does not hold any more."""

from datetime import UTC, date, datetime

import pytest

from caseload.domain.access import Act
from caseload.domain.errors import NotPermitted
from caseload.domain.ids import RegistrationId, StaffId, new_id
from caseload.domain.people import Registration, RegistrationExpired, why_not

NOW = datetime(2026, 11, 22, 9, 59, tzinfo=UTC)
"""The 22nd everywhere on earth; a minute later the 23rd has begun in Kiritimati."""


def held_until(day: int, number: str = "12A") -> Registration:
    return Registration(
        id=RegistrationId(new_id()),
        staff=StaffId(new_id()),
        body="NMC",
        number=number,
        expires_on=date(2026, 11, day),
        checks=1,
    )


def test_the_registration_that_ended_last_is_named_with_its_last_day() -> None:
    told = why_not(Act.RECORD_DOSE, [held_until(20), held_until(21, "34B"), held_until(30)], now=NOW)
    assert isinstance(told, RegistrationExpired)
    assert told.detail == "NMC 34B held until 2026-11-21. Ask the administrator to record its new expiry."


@pytest.mark.parametrize(("day", "kind"), [(21, RegistrationExpired), (22, NotPermitted)])
def test_a_registration_holds_on_its_last_day(day: int, kind: type[NotPermitted]) -> None:
    assert type(why_not(Act.RECORD_DOSE, [held_until(day)], now=NOW)) is kind


def test_what_no_clinician_may_no_registration_would_allow() -> None:
    assert type(why_not(Act.SEE_AUDIT_LOG, [held_until(1)], now=NOW)) is NotPermitted


def test_whoever_never_had_one_is_told_of_their_roles() -> None:
    assert why_not(Act.RECORD_DOSE, [], now=NOW).detail == "None of your roles may record dose."
