"""What another registration took stands in the way of a dose and never lets one through; the boundaries of it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from caseload.domain.attendance.retention import Stay, retention
from caseload.domain.caseload import DischargeReason
from caseload.domain.client import RegistrationClosed
from caseload.domain.dosing import Found, Rule, UnderAnother
from caseload.domain.dosing.covered import CoveredBy, CoveredDay, last_of
from caseload.domain.dosing.suspected import against_another_registration, against_handing_out
from caseload.domain.ids import ClientId, MergeId, ProgrammeId, StaffId, new_id
from caseload.domain.medication import Acting, MedicationRecord
from caseload.domain.medicines import DosePart, Form, Medicine
from caseload.domain.merge import SETTLE, Answer, Merge, OpenKind, Outcome, Standing, StillOpen, Undoing
from caseload.domain.profiles import profile_on
from caseload.domain.profiles.selected import Selected

TODAY = date(2026, 11, 23)
NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
UK = profile_on("UK", TODAY)
HOURS = UK.minimum_interval.hours


def taken(
    days_ago: int,
    *,
    at: datetime | None = None,
    medicine: Medicine = Medicine.METHADONE,
    form: Form = Form.ORAL_SOLUTION,
) -> UnderAnother:
    day = TODAY - timedelta(days=days_ago)
    last = Acting(medicine=medicine, form=form, product=None, on=day)
    return UnderAnother(what=Found.TAKEN, day=day, at=at, last=last)


def stands(found: UnderAnother, *, medicine: Medicine = Medicine.METHADONE, at: datetime | None = NINE) -> bool:
    refused = against_another_registration([found], medicine, TODAY, at, UK)
    assert all(each.rule is Rule.OTHER_REGISTRATION for each in refused)
    return bool(refused)


def test_nothing_known_of_the_other_stands_in_no_way() -> None:
    assert not against_another_registration([], Medicine.METHADONE, TODAY, NINE, UK)


def test_a_dose_of_the_same_day_stands_in_the_way_whatever_its_hour() -> None:
    assert stands(taken(0))
    assert stands(taken(0), at=None)
    assert not stands(taken(1))


def test_doses_of_two_days_lie_as_far_apart_as_the_profile_says() -> None:
    apart = timedelta(hours=HOURS)
    assert not stands(taken(1, at=NINE - apart))
    assert stands(taken(1, at=NINE - apart + timedelta(minutes=1)))
    assert not stands(taken(1, at=NINE - apart + timedelta(minutes=1)), at=None), "a list asks for no hour"
    assert stands(taken(-1, at=NINE + apart - timedelta(minutes=1)))


@pytest.mark.parametrize("medicine", [Medicine.BUPRENORPHINE, Medicine.METHADONE])
def test_a_depot_stands_in_the_way_until_its_last_day(medicine: Medicine) -> None:
    depot = taken(0, medicine=Medicine.BUPRENORPHINE, form=Form.EXTENDED_RELEASE_INJECTION)
    assert depot.last is not None
    lasts = (depot.last.until - TODAY).days
    for ago, expected in ((1, True), (lasts, True), (lasts + 1, False), (-1, False)):
        found = taken(ago, medicine=Medicine.BUPRENORPHINE, form=Form.EXTENDED_RELEASE_INJECTION)
        assert stands(found, medicine=medicine) is expected


def test_another_medicine_stands_in_the_way_as_long_as_it_acts() -> None:
    yesterday = taken(1, medicine=Medicine.NALTREXONE, form=Form.TABLET)
    assert yesterday.last is not None
    lasts = (yesterday.last.until - yesterday.day).days
    assert stands(taken(lasts, medicine=Medicine.NALTREXONE, form=Form.TABLET))
    assert not stands(taken(lasts + 1, medicine=Medicine.NALTREXONE, form=Form.TABLET))


@pytest.mark.parametrize("what", [Found.AT_HOME, Found.HELD])
def test_what_is_kept_at_home_or_held_stands_in_the_way_of_its_day(what: Found) -> None:
    assert stands(UnderAnother(what=what, day=TODAY))
    assert not stands(UnderAnother(what=what, day=TODAY + timedelta(days=1)))


def test_a_refusal_says_nothing_of_whose_the_other_registration_is() -> None:
    [refused] = against_another_registration(
        [taken(0), UnderAnother(what=Found.HELD, day=TODAY)], Medicine.METHADONE, TODAY, NINE, UK
    )
    assert refused.facts == {"day": "2026-11-23", "other_registration": ["held", "taken"]}
    assert against_handing_out(TODAY).facts == {"day": "2026-11-23"}


def test_a_depot_under_a_merged_registration_is_no_last_dose_of_an_oral_medicine() -> None:
    depot = CoveredDay(
        day=TODAY,
        part=DosePart.WHOLE,
        at=NINE,
        medicine=Medicine.BUPRENORPHINE,
        form=Form.EXTENDED_RELEASE_INJECTION,
        amount_mg=Decimal(300),
        product=None,
        by=CoveredBy.REGISTRATION,
        record=UUID(int=1),
        source="Another registration of this client",
    )
    tablet = replace(depot, form=Form.SUBLINGUAL_TABLET)
    assert last_of(None, [depot], Medicine.BUPRENORPHINE, Form.SUBLINGUAL_TABLET, TODAY) is None
    assert last_of(None, [tablet], Medicine.BUPRENORPHINE, Form.SUBLINGUAL_TABLET, TODAY) is not None


def merge() -> Merge:
    return Merge(
        id=MergeId(new_id()),
        duplicate=ClientId(new_id()),
        survivor=ClientId(new_id()),
        reason="Same photograph.",
        proposed_by=StaffId(new_id()),
        proposed_at=NINE,
    )


def test_how_two_registrations_stand_follows_from_what_was_said() -> None:
    made = merge()
    confirmed = replace(made, answer=Answer(outcome=Outcome.CONFIRMED, reason="Seen.", by=made.proposed_by, at=NINE))
    rejected = replace(made, answer=Answer(outcome=Outcome.REJECTED, reason="Twins.", by=made.proposed_by, at=NINE))
    withdrawn = replace(made, answer=Answer(outcome=Outcome.WITHDRAWN, reason="No.", by=made.proposed_by, at=NINE))
    undone = replace(confirmed, undoing=Undoing(reason="Twins.", by=made.proposed_by, at=NINE))
    assert [each.standing for each in (made, confirmed, rejected, withdrawn, undone)] == [
        Standing.SUSPECTED,
        Standing.MERGED,
        Standing.APART,
        Standing.APART,
        Standing.APART,
    ]
    assert (made.other(made.duplicate), made.other(made.survivor)) == (made.survivor, made.duplicate)


def test_whatever_is_still_open_says_how_it_is_settled() -> None:
    assert SETTLE.keys() == set(OpenKind)
    assert StillOpen(kind=OpenKind.ORDER, record=UUID(int=1)).settle == SETTLE[OpenKind.ORDER]


def test_a_duplicate_takes_nothing_new() -> None:
    record = MedicationRecord(
        client=ClientId(new_id()), programme=ProgrammeId(new_id()), time_zone="Europe/London", profiles=Selected("UK")
    )
    record.require_open()
    closed = replace(record, merged_into=ClientId(new_id()))
    with pytest.raises(RegistrationClosed) as refused:
        closed.require_open()
    assert refused.value.facts == {}, "which one is used is told only to those who may see it"
    survivor = ClientId(new_id())
    assert RegistrationClosed(survivor).facts == {"survivor_id": str(survivor)}


def test_an_episode_of_somebody_registered_twice_stands_in_no_count() -> None:
    began = TODAY - timedelta(days=90)
    stays = [
        Stay(admitted_on=began, left_on=began + timedelta(days=9), reason=DischargeReason.REGISTERED_TWICE),
        Stay(admitted_on=began, left_on=None, reason=None),
    ]
    counted = retention(stays, days=30, today=TODAY)
    assert (counted.retained, counted.counted, counted.registered_twice) == (1, 1, 1)
