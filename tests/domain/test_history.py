"""What a valid row of a clinic's history is, and what the rows show."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseload.domain.history import (
    CLIENTS,
    DECISIONS,
    DOSES,
    DRUG_SCREENS,
    PROGRAMMES,
    SHEETS,
    VISITS,
    Decision,
    History,
    Outcome,
    Question,
    QuestionKind,
    Sheet,
    is_daily,
    missed_runs,
    show,
)
from caseload.domain.history.shows import after_missed_days
from caseload.domain.medicines import FORMS, Form, Medicine

NOW = datetime(2026, 1, 10, 3, 0, tzinfo=UTC)
"""Still the evening of the ninth in New York."""

Cells = Mapping[str, str]


def a_programme(**cells: str) -> Cells:
    return {"code": "P1", "name": "One", "time_zone": "America/New_York", "profile": "US"} | cells


def a_client(**cells: str) -> Cells:
    return {
        "external_id": "C1",
        "given_name": "Ada",
        "family_name": "Miles",
        "birth_date": "1980-02-29",
        "birth_date_estimated": "no",
        "sex": "female",
        "programme": "P1",
        "admitted_on": "2025-05-01",
        "housing": "",
        "employment": "",
        "education": "",
    } | cells


def a_dose(**cells: str) -> Cells:
    return {
        "external_id": "C1",
        "given_on": "2025-05-02",
        "medicine": "methadone",
        "form": "oral_solution",
        "amount_mg": "60",
    } | cells


def a_visit(**cells: str) -> Cells:
    return {
        "external_id": "C1",
        "scheduled_on": "2025-05-02",
        "label": "Week 1",
        "status": "attended",
        "reason": "",
    } | cells


def a_screen(**cells: str) -> Cells:
    return {"external_id": "C1", "collected_on": "2025-05-02", "substance": "opioid", "result": "positive"} | cells


def gathered(*rows: tuple[Sheet, Cells], now: datetime = NOW) -> History:
    """A history with one programme and one client, and the rows given."""
    history = History(now=now)
    history.take(PROGRAMMES, 2, a_programme())
    history.take(CLIENTS, 2, a_client())
    for line, (sheet, cells) in enumerate(rows, start=2):
        history.take(sheet, line, cells)
    return history


def problems(history: History) -> list[tuple[str, str]]:
    return [(fault.field, fault.problem) for refusal in history.refused for fault in refusal.faults]


def test_good_rows_are_accepted_as_they_stand() -> None:
    history = gathered((DOSES, a_dose(amount_mg="2.5")), (VISITS, a_visit()), (DRUG_SCREENS, a_screen()))
    person = history.people["C1"]
    assert not history.refused
    assert person.client.identity.birth_date == date(1980, 2, 29)
    assert [(dose.given_on, dose.amount_mg) for dose in person.doses] == [(date(2025, 5, 2), Decimal("2.5"))]
    assert [visit.status for visit in person.visits] == [Outcome.ATTENDED]
    assert [screen.substance for screen in person.screens] == ["opioid"]


@pytest.mark.parametrize(
    ("cells", "column", "says"),
    [
        (a_dose(given_on="1025-05-02"), "given_on", "lies in the year 1025"),
        (a_dose(given_on="2026-01-10"), "given_on", "lies in the future"),
        (a_dose(given_on="1979-12-31"), "given_on", "before the client's day of birth"),
        (a_dose(given_on="02/05/2025"), "given_on", "is not a day"),
        (a_dose(given_on="20250502"), "given_on", "is not a day"),
        (a_dose(given_on="2025-02-30"), "given_on", "is not a day"),
        (a_dose(given_on="٢٠٢٥-05-02"), "given_on", "is not a day"),
        (a_dose(given_on=""), "given_on", "is empty"),
        (a_dose(medicine="heroin"), "medicine", "is not one of"),
        (a_dose(medicine=""), "medicine", "is empty"),
        (a_dose(form="sublingual_film"), "form", "methadone is made as"),
        (a_dose(form="tincture"), "form", "is not one of"),
        (a_dose(amount_mg="0"), "amount_mg", "more than zero"),
        (a_dose(amount_mg="-5"), "amount_mg", "is not a number"),
        (a_dose(amount_mg="NaN"), "amount_mg", "is not a number"),
        (a_dose(amount_mg="1e3"), "amount_mg", "is not a number"),
        (a_dose(amount_mg="2,5"), "amount_mg", "holds a comma"),
        (a_dose(amount_mg="10000"), "amount_mg", "at most"),
        (a_dose(amount_mg="2.0005"), "amount_mg", "three decimals"),
        (a_dose(amount_mg=""), "amount_mg", "is empty"),
        (a_dose(amount_mg="9" * 1_000_000), "amount_mg", "is not a number"),
        (a_dose(external_id="C2"), "external_id", "does not stand in clients.csv"),
        (a_dose(external_id=""), "external_id", "is empty"),
    ],
)
def test_a_dose_that_cannot_be_right_is_refused_with_its_reason(cells: Cells, column: str, says: str) -> None:
    history = gathered((DOSES, cells))
    assert not history.people["C1"].doses
    [(field, problem)] = problems(history)
    assert field == column
    assert says in problem


def test_every_fault_of_a_row_is_named_at_once() -> None:
    history = gathered((DOSES, a_dose(given_on="yesterday", medicine="gin", amount_mg="a lot")))
    assert {field for field, _ in problems(history)} == {"given_on", "medicine", "amount_mg"}


def test_the_future_begins_at_midnight_in_the_programme() -> None:
    late = gathered((DOSES, a_dose(given_on="2026-01-09")), (DOSES, a_dose(given_on="2026-01-10")))
    assert [dose.given_on for dose in late.people["C1"].doses] == [date(2026, 1, 9)]


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        (a_client(given_name=""), "given_name"),
        (a_client(family_name="x" * 201), "family_name"),
        (a_client(given_name="A\x1b[2Jda"), "given_name"),
        (a_client(given_name="A\u202eda"), "given_name"),
        (a_client(birth_date="1780-01-01"), "birth_date"),
        (a_client(birth_date="2026-02-01", admitted_on="2026-02-01"), "birth_date"),
        (a_client(birth_date_estimated="perhaps"), "birth_date_estimated"),
        (a_client(sex="f"), "sex"),
        (a_client(programme="P9"), "programme"),
        (a_client(admitted_on="1979-01-01"), "admitted_on"),
        (a_client(covered_until="2025-01-01"), "covered_until"),
        (a_client(covered_until="2027-01-01"), "covered_until"),
        (a_client(external_id="x" * 65), "external_id"),
    ],
)
def test_a_client_that_cannot_be_right_is_refused(cells: Cells, column: str) -> None:
    history = History(now=NOW)
    history.take(PROGRAMMES, 2, a_programme())
    assert not history.take(CLIENTS, 2, cells)
    assert column in {field for field, _ in problems(history)}
    assert not history.people


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        (a_programme(code=""), "code"),
        (a_programme(code="site 1"), "code"),
        (a_programme(time_zone="Mars/Olympus"), "time_zone"),
        (a_programme(time_zone="../../etc/passwd"), "time_zone"),
        (a_programme(time_zone="America"), "time_zone"),
        (a_programme(profile="ZZ"), "profile"),
    ],
)
def test_a_programme_that_cannot_be_right_is_refused(cells: Cells, column: str) -> None:
    history = History(now=NOW)
    assert not history.take(PROGRAMMES, 2, cells)
    assert {field for field, _ in problems(history)} == {column}


def test_nothing_of_a_person_comes_in_without_the_person() -> None:
    history = History(now=NOW)
    history.take(PROGRAMMES, 2, a_programme(profile="ZZ"))
    history.take(CLIENTS, 3, a_client())
    history.take(DOSES, 4, a_dose())
    assert [problem for _, problem in problems(history)][1:] == [
        "was refused in line 2 of programmes.csv",
        "belongs to a client who was refused in line 3 of clients.csv",
    ]


def test_the_second_row_with_the_same_identifier_is_refused() -> None:
    history = gathered((CLIENTS, a_client(external_id="c1", given_name="Eve")), (PROGRAMMES, a_programme()))
    assert problems(history) == [
        ("external_id", "stands already in line 2"),
        ("code", "stands already in line 2"),
    ]
    assert history.people["C1"].client.identity.given_name == "Ada"


def test_only_a_missed_visit_may_lack_its_day() -> None:
    history = gathered(
        (VISITS, a_visit(scheduled_on="", status="did_not_attend")),
        (VISITS, a_visit(scheduled_on="", status="attended")),
        (VISITS, a_visit(scheduled_on="", status="unknown")),
    )
    assert [visit.line for visit in history.people["C1"].visits] == [2]
    assert {field for field, _ in problems(history)} == {"scheduled_on"}


def test_a_visit_or_screen_that_says_the_same_twice_counts_once() -> None:
    history = gathered((VISITS, a_visit()), (VISITS, a_visit()), (DRUG_SCREENS, a_screen()), (DRUG_SCREENS, a_screen()))
    assert [problem for _, problem in problems(history)] == ["says the same as line 2", "says the same as line 4"]


@pytest.mark.parametrize(
    ("sheet", "cells", "column"),
    [
        (VISITS, a_visit(status="late"), "status"),
        (VISITS, a_visit(reason="x" * 501), "reason"),
        (DRUG_SCREENS, a_screen(result="maybe"), "result"),
        (DRUG_SCREENS, a_screen(substance=""), "substance"),
    ],
)
def test_a_visit_or_screen_that_cannot_be_right_is_refused(sheet: Sheet, cells: Cells, column: str) -> None:
    history = gathered((sheet, cells))
    assert {field for field, _ in problems(history)} == {column}


def test_two_doses_on_one_day_are_kept_and_asked_about() -> None:
    history = gathered((DOSES, a_dose(amount_mg="6")), (DOSES, a_dose(amount_mg="24")))
    assert list(history.questions()) == [
        Question(
            kind=QuestionKind.TWO_DOSES_ON_ONE_DAY,
            external_id="C1",
            file="doses.csv",
            lines=(2, 3),
            day=date(2025, 5, 2),
            amounts_mg=(Decimal(6), Decimal(24)),
        )
    ]


def a_decision(**cells: str) -> Cells:
    return {"external_id": "C1", "day": "2025-05-02", "decision": "correction"} | cells


def test_a_correction_replaces_all_but_the_lowest_line_of_the_day() -> None:
    history = gathered((DOSES, a_dose(amount_mg="6")), (DOSES, a_dose(amount_mg="24")), (DECISIONS, a_decision()))
    [question] = history.questions()
    assert question.answer is Decision.CORRECTION
    assert history.people["C1"].replaced_doses() == {2}


def test_a_second_part_replaces_nothing() -> None:
    history = gathered((DOSES, a_dose()), (DOSES, a_dose()), (DECISIONS, a_decision(decision="second_part")))
    assert history.people["C1"].replaced_doses() == frozenset()


def test_a_decision_without_its_question_is_refused() -> None:
    history = gathered(
        (DOSES, a_dose()),
        (DECISIONS, a_decision()),
        (DECISIONS, a_decision(external_id="C9")),
        (DECISIONS, a_decision(decision="whatever")),
    )
    assert [field for field, _ in problems(history)] == ["day", "external_id", "decision"]


def test_a_day_is_decided_once() -> None:
    history = gathered(
        (DOSES, a_dose()), (DOSES, a_dose()), (DECISIONS, a_decision()), (DECISIONS, a_decision(decision="second_part"))
    )
    assert problems(history) == [("day", "is decided already in a line above")]
    assert history.people["C1"].decisions == {date(2025, 5, 2): Decision.CORRECTION}


def test_unknown_outcomes_early_doses_and_people_alike_are_asked_about() -> None:
    history = gathered(
        (VISITS, a_visit(status="unknown")),
        (VISITS, a_visit(status="attended")),
        (DOSES, a_dose(given_on="2025-04-01")),
        (CLIENTS, a_client(external_id="C2", given_name="ADA")),
    )
    assert Counter(question.kind for question in history.questions()) == {
        QuestionKind.OUTCOME_UNKNOWN: 1,
        QuestionKind.DOSE_BEFORE_ADMISSION: 1,
        QuestionKind.POSSIBLY_ONE_PERSON: 1,
    }


def test_coverage_ends_with_the_last_dose_unless_the_clinic_says_otherwise() -> None:
    dosed = (DOSES, a_dose(given_on="2025-06-01"))
    seen_later = (VISITS, a_visit(scheduled_on="2025-09-01"))
    assert gathered(dosed, seen_later).people["C1"].last_day_covered() == date(2025, 6, 1)
    history = History(now=NOW)
    history.take(PROGRAMMES, 2, a_programme())
    history.take(CLIENTS, 2, a_client(covered_until="2025-07-01"))
    assert history.people["C1"].last_day_covered() == date(2025, 7, 1)
    history.take(DOSES, 2, dosed[1])
    assert history.people["C1"].last_day_covered() == date(2025, 7, 1)
    history.take(DOSES, 3, a_dose(given_on="2025-08-01"))
    assert history.people["C1"].last_day_covered() == date(2025, 8, 1)


def test_somebody_without_doses_is_covered_as_long_as_they_were_seen() -> None:
    assert gathered().people["C1"].last_day_covered() == date(2025, 5, 1)
    seen = gathered(
        (VISITS, a_visit(scheduled_on="2025-06-01")),
        (VISITS, a_visit(scheduled_on="2025-08-01", status="unknown")),
        (DRUG_SCREENS, a_screen(collected_on="2025-07-01")),
    )
    assert seen.people["C1"].last_day_covered() == date(2025, 7, 1)


def test_each_medicine_of_a_day_comes_after_the_days_missed_before_it() -> None:
    two = {Medicine.METHADONE, Medicine.BUPRENORPHINE}
    doses = {
        date(2025, 5, 1): two,
        date(2025, 5, 2): two,
        date(2025, 5, 5): two,
        date(2025, 5, 7): {Medicine.METHADONE},
    }
    assert sorted(after_missed_days(doses)) == [
        (Medicine.BUPRENORPHINE, 2),
        (Medicine.METHADONE, 1),
        (Medicine.METHADONE, 2),
    ]


def test_missed_days_lie_between_two_days_with_a_dose() -> None:
    days = [date(2025, 5, day) for day in (9, 1, 2, 2, 4)]
    assert list(missed_runs(days)) == [1, 4]
    assert list(missed_runs([])) == []
    assert list(missed_runs(days[:1])) == []


@given(st.lists(st.integers(min_value=0, max_value=400)))
def test_missed_runs_are_what_counting_day_by_day_finds(taken: list[int]) -> None:
    days = [date(2025, 1, 1) + timedelta(days=day) for day in taken]
    found: list[int] = []
    if taken:
        run = 0
        for day in range(min(taken), max(taken) + 1):
            if day in taken:
                found += [run] if run else []
                run = 0
            else:
                run += 1
    assert list(missed_runs(days)) == found


def test_daily_medicines_are_the_agonists_that_last_a_day() -> None:
    daily = {(medicine, form) for medicine, forms in FORMS.items() for form in forms if is_daily(medicine, form)}
    assert (Medicine.METHADONE, Form.ORAL_SOLUTION) in daily
    assert (Medicine.BUPRENORPHINE_NALOXONE, Form.SUBLINGUAL_FILM) in daily
    assert {medicine for medicine, _ in daily} == set(Medicine) - {Medicine.NALTREXONE}
    assert Form.EXTENDED_RELEASE_INJECTION not in {form for _, form in daily}


def test_what_a_history_shows_is_counted_over_daily_medicine() -> None:
    shown = show(
        gathered(
            (DOSES, a_dose(given_on="2025-05-02")),
            (DOSES, a_dose(given_on="2025-05-02", amount_mg="70")),
            (DOSES, a_dose(given_on="2025-05-04")),
            (DOSES, a_dose(given_on="2025-05-20")),
            (
                DOSES,
                a_dose(
                    given_on="2025-05-03", medicine="naltrexone", form="extended_release_injection", amount_mg="380"
                ),
            ),
            (VISITS, a_visit(scheduled_on="", status="did_not_attend")),
        )
    )
    assert shown.missed_runs == {1: 1, 8: 1}
    assert shown.after_missed == {(Medicine.METHADONE, 1): 1, (Medicine.METHADONE, 15): 1}
    assert shown.people_with_daily_doses == 1
    assert shown.doses[Medicine.METHADONE, Form.ORAL_SOLUTION] == 4
    assert shown.largest_mg[Medicine.METHADONE, Form.ORAL_SOLUTION].line == 3
    assert shown.visits_without_day == 1
    [known] = shown.last_known
    assert [dose.given_on for dose in known.last_doses] == [date(2025, 5, 20)]


def test_both_doses_of_the_last_day_are_named() -> None:
    shown = show(gathered((DOSES, a_dose(amount_mg="6")), (DOSES, a_dose(amount_mg="24"))))
    assert [dose.amount_mg for dose in shown.last_known[0].last_doses] == [Decimal(6), Decimal(24)]


COLUMNS = sorted({column.name for sheet in SHEETS for column in sheet.columns})
CELLS = st.one_of(
    st.sampled_from(["", "C1", "P1", "2025-05-02", "attended", "5", "methadone", "2025-02-30", "NaN", "US"]),
    st.text(alphabet="aZ09-.,:/ \0\x1b\u202e\ud800\u00e9\u0662", max_size=12),
)


@given(st.sampled_from(SHEETS), st.dictionaries(st.sampled_from(COLUMNS), CELLS))
def test_whatever_a_row_holds_it_is_accepted_or_listed(sheet: Sheet, cells: dict[str, str]) -> None:
    history = gathered((DOSES, a_dose()), (DOSES, a_dose()))
    accepted = history.take(sheet, 99, cells)
    assert accepted == (not history.refused)
    assert all(refusal.faults for refusal in history.refused)
