from datetime import date, timedelta
from decimal import Decimal

import msgspec
import pytest

from caseload.domain.medicines import Medicine
from caseload.domain.profiles import (
    Profile,
    ProfileBroken,
    ProfileUnknown,
    in_order,
    profile_on,
    profile_version,
    profiles,
    read_profile,
)
from caseload.domain.profiles.ladder import Outcome

TODAY = date(2026, 11, 22)


def rung(profile: str, medicine: Medicine, missed: int) -> tuple[str, Outcome] | None:
    ladder = profile_on(profile, TODAY).ladder(medicine)
    assert ladder is not None
    found = ladder.rung(missed)
    return (found.rule, found.outcome) if found else None


def changed(profile: Profile, **fields: object) -> bytes:
    return msgspec.json.encode(msgspec.structs.replace(profile, **fields))


def test_every_jurisdiction_has_its_profile() -> None:
    assert set(profiles()) == {"US", "US-CA-BRIDGE", "UK", "AU"}


@pytest.mark.parametrize(
    ("profile", "outcomes"),
    [
        ("UK", ["give", "give", "ask_prescriber", "ask_prescriber", "ask_prescriber", "ask_prescriber"]),
        ("AU", ["give", "give_unless_intoxicated", "ask_prescriber", "ask_prescriber", "new_start", "new_start"]),
        ("US-CA-BRIDGE", ["give", "give", "give", "ask_prescriber", "new_start", "new_start"]),
        ("US", ["give", "give", "ask_prescriber", "ask_prescriber", "new_start", "new_start"]),
    ],
)
def test_each_published_ladder_stops_where_its_text_says(profile: str, outcomes: list[str]) -> None:
    found = [rung(profile, Medicine.METHADONE, missed) for missed in range(1, 7)]
    assert [step[1] for step in found if step] == outcomes


@pytest.mark.parametrize("profile", sorted(profiles()))
def test_no_missed_dose_reaches_no_rung(profile: str) -> None:
    assert rung(profile, Medicine.METHADONE, 0) is None


@pytest.mark.parametrize("profile", sorted(profiles()))
@pytest.mark.parametrize("medicine", list(Medicine))
def test_three_or_four_missed_of_any_medicine_never_pass_unseen(profile: str, medicine: Medicine) -> None:
    step = rung(profile, medicine, 4)
    assert step is not None
    assert step[1] in {Outcome.ASK_PRESCRIBER, Outcome.NEW_START}


@pytest.mark.parametrize(
    ("profile", "missed", "last_mg", "proposed_mg"),
    [
        ("AU", 3, "100", "50"),
        ("AU", 4, "100", "40"),  # lower of 40 and 50
        ("AU", 4, "60", "30"),
        ("AU", 3, "65", "32.5"),  # only a prescriber rounds
        ("US-CA-BRIDGE", 4, "100", "50"),  # higher of 50 and 30
        ("US-CA-BRIDGE", 4, "40", "30"),
        ("US-CA-BRIDGE", 4, "20", "20"),  # never more than the last dose taken
    ],
)
def test_a_restart_is_proposed_as_published(profile: str, missed: int, last_mg: str, proposed_mg: str) -> None:
    ladder = profile_on(profile, TODAY).ladder(Medicine.METHADONE)
    assert ladder is not None
    step = ladder.rung(missed)
    assert step is not None
    assert step.proposal is not None
    assert step.proposal.amount_mg(Decimal(last_mg)) == Decimal(proposed_mg)


def test_every_rule_names_itself_once_and_its_source() -> None:
    for versions in profiles().values():
        for profile in versions:
            steps = [step for ladder in profile.missed_doses for step in ladder.rungs]
            rules = [*steps, profile.unknown_days, profile.minimum_interval, profile.sign_off, profile.at_the_window]
            beside = [rule for ladder in profile.missed_doses for rule in (ladder.titration, ladder.repeated)]
            rules += [rule for rule in beside if rule is not None]
            injections = profile.injections
            rules += [
                injections.early,
                injections.overdue,
                injections.site,
                injections.named_patient,
                profile.tolerance,
            ]
            around = profile.around_the_dose
            rules += [around.identity, around.before, around.withdrawal, around.vomited, around.spilled]
            rules += profile.ordering.rules()
            assert len({rule.rule for rule in rules}) == len(rules)
            assert all(rule.source.strip() and rule.says.strip() for rule in rules)


def test_a_later_version_counts_from_its_date_and_the_earlier_stays() -> None:
    first = profile_on("UK", TODAY)
    second = msgspec.structs.replace(first, version=2, in_force_from=TODAY)
    assert in_order([second, first]) == (first, second)


@pytest.mark.parametrize("fields", [{}, {"version": 2}, {"in_force_from": TODAY}])
def test_versions_and_dates_must_rise_together(fields: dict[str, object]) -> None:
    first = profile_on("UK", TODAY)
    with pytest.raises(ProfileBroken):
        in_order([first, msgspec.structs.replace(first, **fields)])


def test_a_day_before_the_first_version_has_the_first_version() -> None:
    first = profiles()["UK"][0]
    assert profile_on("UK", first.in_force_from - timedelta(days=1)) is first


def test_a_version_is_found_by_its_number() -> None:
    assert profile_version("UK", 1).label == "UK-1"


@pytest.mark.parametrize(("name", "version"), [("UK", 99), ("FR", 1)])
def test_an_unknown_version_is_said_to_be_unknown(name: str, version: int) -> None:
    with pytest.raises(ProfileUnknown):
        profile_version(name, version)


def test_an_unknown_profile_names_the_known_ones() -> None:
    with pytest.raises(ProfileUnknown, match="AU, UK, US, US-CA-BRIDGE"):
        profile_on("FR", TODAY)


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        (("version",), 0, "version must be 1"),
        (("country",), "FR", "Invalid enum"),
        (("ordering", "antagonist_beside", "opioid_free_days"), 0, "opioid_free_days must be more"),
        (("ordering", "starting", 0, "first_day_mg"), 0, "first_day_mg and after_days"),
        (("ordering", "starting", 0, "medicines"), ["methadone", "methadone"], "name a medicine once"),
        (("ordering", "rising", 0, "at_most_mg"), 0, "every limit must be more"),
        (("ordering", "rising", 0, "week_until_day"), 367, "stands beside week_mg"),
        (("ordering", "verbal", "countersign_hours"), 0, "countersign_hours must be more"),
        (
            ("ordering", "rising", 0),
            {"rule": "au.rise", "source": "none", "says": "Say why.", "medicines": ["methadone"]},
            "must limit something",
        ),
        (("missed_doses",), [], "every medicine"),
        (("missed_doses", 0, "rungs"), [], "begin at 1"),
        (("missed_doses", 0, "rungs", 0, "from_missed"), 2, "begin at 1"),
        (("missed_doses", 0, "rungs", 1, "from_missed"), 1, "begin at 1"),
        (("missed_doses", 0, "rungs", 2, "proposal", "percent"), 0, "percent"),
        (("missed_doses", 0, "rungs", 2, "proposal", "percent"), 101, "percent"),
        (("sign_off", "roles"), [], "name clinicians"),
        (("sign_off", "roles"), ["counsellor"], "name clinicians"),
        (("sign_off", "deadline_hours"), 0, "deadline_hours must be more"),
        (("minimum_interval", "hours"), 0, "hours must be more"),
        (("at_the_window", "late_after_minutes"), -1, "late_after_minutes must be more"),
        (("at_the_window", "clock_ahead_seconds"), -1, "not be negative"),
        (("check_ins", "slack"), [], "begin at an interval of 1 day"),
        (("check_ins", "slack", 0, "from_interval_days"), 2, "begin at an interval of 1 day"),
        (("check_ins", "slack", 1, "from_interval_days"), 1, "begin at an interval of 1 day"),
        (("check_ins", "slack", 1, "grace_days"), -1, "between 0 and 31"),
        (("check_ins", "slack", 1, "early_days"), 32, "between 0 and 31"),
        (("check_ins", "slack", 1, "grace_days"), "two", "Expected `int`"),
        (("outreach", "steps"), [], "name steps in their order"),
        (("outreach", "steps", 1, "step"), "same_day", "name steps in their order"),
        (("outreach", "steps", 1, "after_days"), 3, "not come earlier than the step before"),
        (("outreach", "steps", 0, "after_days"), -1, "between 0 and 90"),
        (("outreach", "steps", 5, "after_days"), 91, "between 0 and 90"),
        (("escalating", "on_call_after_minutes"), 0, "must hold"),
        (("escalating", "on_call_after_minutes"), 31, "must hold"),
        (("escalating", "supervisor_after_minutes"), 1441, "must hold"),
        (("escalating", "missed_doses_from"), 0, "missed_doses_from must be more"),
        (("attendance", "minimum_minutes"), 0, "minimum_minutes must be more"),
        (("stock", "inventory", "every_days"), 0, "every_days must be more"),
        (("stock", "witness", "within_hours"), 0, "within_hours must be more"),
        (("stock", "loss", "notice_business_days"), 0, "notice_business_days must be more"),
        (("stock", "loss", "form_days"), 0, "form_days must be more"),
        (("ordering", "antagonist_beside", "other_opioid_free_days"), 0, "other_opioid_free_days must be more"),
        (("injections", "named_patient", "within_days"), 0, "within_days must be more"),
        (("tolerance", "away_days"), 0, "away_days must be more"),
        (("tolerance", "naltrexone_days"), 0, "between 1 and 61"),
        (("tolerance", "naltrexone_days"), 62, "between 1 and 61"),
        (("missed_doses", 0, "titration", "days"), 0, "titration: days and from_missed"),
        (("missed_doses", 0, "titration", "from_missed"), 0, "titration: days and from_missed"),
        (("missed_doses", 0, "repeated", "from_days"), 0, "1 <= from_days <= of_days <= 31"),
        (("missed_doses", 0, "repeated", "from_days"), 8, "1 <= from_days <= of_days <= 31"),
        (("missed_doses", 0, "repeated", "of_days"), 32, "1 <= from_days <= of_days <= 31"),
        (("around_the_dose", "identity", "accepts"), [], "identity.accepts must name a check"),
        (("around_the_dose", "vomited", "decided_by"), [], "decided_by must name clinicians"),
        (("around_the_dose", "vomited", "decided_by"), ["counsellor"], "decided_by must name clinicians"),
        (("around_the_dose", "vomited", "asks_after_minutes"), -1, "asks_after_minutes must not be negative"),
        (("surprise",), 1, "unknown field"),
    ],
)
def test_a_profile_that_contradicts_itself_is_refused_by_name(
    path: tuple[str | int, ...], value: object, complaint: str
) -> None:
    document = msgspec.json.decode(changed(profile_on("AU", TODAY)))
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(ProfileBroken, match=f"(?s)broken.json: .*{complaint}"):
        read_profile(msgspec.json.encode(document), "broken.json")


@pytest.mark.parametrize(
    ("interval_days", "grace_days"), [(1, 0), (6, 0), (7, 1), (13, 1), (14, 3), (27, 3), (28, 7), (366, 7)]
)
def test_the_rarer_the_check_in_the_longer_its_grace(interval_days: int, grace_days: int) -> None:
    assert profile_on("US", TODAY).check_ins.slack_for(interval_days).grace_days == grace_days
