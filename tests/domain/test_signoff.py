"""What waits for a signature: what it is ranked by, and where somebody is asked to be the second pair of eyes."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from caseload.domain.access import Role
from caseload.domain.dosing import Dose, Entry, Kind
from caseload.domain.ids import ClientId, DecisionId, DoseId, OrderId, ProgrammeId, ReplacementId, StaffId, new_id
from caseload.domain.medicines import DosePart, Form, Medicine
from caseload.domain.profiles.selected import Selected
from caseload.domain.programme import Programme
from caseload.domain.signoff import RANKS, Risk, Waiting, risk_of, signs_for_doses
from tests.factories.staff import somebody

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
HOME, AWAY, OTHER = [
    Programme(id=ProgrammeId(new_id()), code=code, name=code, time_zone="Etc/UTC", profiles=Selected("UK"))
    for code in "HAO"
]
NURSE = StaffId(new_id())
ROUTINE = Dose(
    id=DoseId(new_id()),
    version=1,
    client=ClientId(new_id()),
    programme=HOME.id,
    order=OrderId(new_id()),
    dosing_day=date(2026, 11, 22),
    part=DosePart.WHOLE,
    medicine=Medicine.METHADONE,
    form=Form.ORAL_SOLUTION,
    amount_mg=Decimal(60),
    supervised=True,
    given_at=NOW,
    given_by=NURSE,
    recorded_at=NOW,
    recorded_by=NURSE,
    kind=Kind.ORDINARY,
    entry=Entry.WINDOW,
    profile="UK",
    profile_version=1,
)
LATE = replace(ROUTINE, entry=Entry.LATE, late_reason="Paper.")
DECIDED = replace(LATE, decision=DecisionId(new_id()))
AMENDED = replace(DECIDED, version=2)
EXCEPTION = replace(AMENDED, kind=Kind.EXCEPTION, rules=("too_soon",))


@pytest.mark.parametrize(
    ("dose", "risk"),
    [
        (ROUTINE, Risk.ROUTINE),
        (LATE, Risk.LATE),
        (DECIDED, Risk.DECIDED),
        (AMENDED, Risk.AMENDED),
        (EXCEPTION, Risk.EXCEPTION),
    ],
)
def test_a_dose_is_ranked_by_the_highest_risk_that_is_true_of_it(dose: Dose, risk: Risk) -> None:
    assert risk_of(dose) is risk
    waiting = Waiting(dose=dose, sign_by=NOW, rejected_at=None, rejection=None)
    assert (waiting.risk, waiting.is_late(NOW)) == (risk, False), "late only after its deadline"


def test_the_highest_risk_has_the_lowest_number() -> None:
    assert sorted(RANKS, key=RANKS.__getitem__) == [
        Risk.EXCEPTION,
        Risk.AMENDED,
        Risk.DECIDED,
        Risk.LATE,
        Risk.ROUTINE,
    ]


def test_somebody_is_asked_to_sign_where_they_hold_a_role_that_the_profile_asks_for() -> None:
    by = somebody((Role.NURSE, HOME.id), (Role.COUNSELLOR, AWAY.id))
    assert signs_for_doses(by, [HOME, AWAY, OTHER], now=NOW) == [HOME.id]
    director = somebody((Role.MEDICAL_DIRECTOR, None))
    assert signs_for_doses(director, [HOME, AWAY], now=NOW) == [HOME.id, AWAY.id]


def test_a_dose_in_the_place_of_another_is_signed_as_that() -> None:
    decided = ReplacementId(new_id())
    assert "replacement" not in ROUTINE.as_signed().content
    assert replace(ROUTINE, replacement=decided).as_signed().content["replacement"] == decided
