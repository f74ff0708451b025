"""Two profiles beside each other: what differs, and what is looser."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseload.domain.profiles import Profile, profiles, read_profile
from caseload.domain.profiles.comparing import differences, loosened, said

VERSIONS = [version for versions in profiles().values() for version in versions]


def changed(profile: Profile, *path: str | int, to: object) -> Profile:
    whole = msgspec.json.decode(msgspec.json.encode(profile))
    inner: Any = whole
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = to
    return read_profile(msgspec.json.encode(whole), "changed.json")


def uk() -> Profile:
    return profiles()["UK"][0]


def us() -> Profile:
    return profiles()["US"][0]


@pytest.mark.parametrize("profile", VERSIONS, ids=lambda profile: profile.label)
def test_a_profile_loosens_nothing_of_itself_and_does_not_differ(profile: Profile) -> None:
    assert (list(loosened(profile, profile)), list(differences(profile, profile))) == ([], [])


@pytest.mark.parametrize("profile", VERSIONS, ids=lambda profile: profile.label)
def test_everything_of_a_profile_is_said(profile: Profile) -> None:
    told = dict(said(profile))
    assert told["minimum_interval.hours"] == "8"
    assert {rule.rule for rule in profile.ordering.rules()} <= set(told.values())
    assert not any("{" in value or "[" in value for value in told.values())


LIMITS: list[tuple[tuple[str | int, ...], bool]] = [
    (("minimum_interval", "hours"), True),
    (("at_the_window", "late_after_minutes"), False),
    (("at_the_window", "clock_ahead_seconds"), False),
    (("sign_off", "deadline_hours"), False),
    (("attendance", "minimum_minutes"), True),
    (("ordering", "antagonist_beside", "opioid_free_days"), True),
    (("ordering", "antagonist_beside", "other_opioid_free_days"), True),
    (("tolerance", "away_days"), False),
    (("tolerance", "naltrexone_days"), True),
    (("missed_doses", 0, "titration", "days"), True),
    (("missed_doses", 0, "titration", "from_missed"), False),
    (("ordering", "starting", 0, "first_day_mg"), False),
    (("ordering", "starting", 0, "after_days"), False),
    (("ordering", "rising", 0, "at_most_mg"), False),
    (("ordering", "rising", 0, "week_mg"), False),
    (("ordering", "rising", 0, "week_until_day"), True),
    (("check_ins", "slack", 1, "grace_days"), False),
    (("stock", "inventory", "every_days"), False),
    (("stock", "witness", "within_hours"), False),
    (("stock", "loss", "notice_business_days"), False),
]
"""A limit, and whether more of it is stricter."""


@given(st.sampled_from(LIMITS), st.integers(1, 20))
def test_a_limit_that_moves_one_way_tightens_and_the_other_way_is_named(
    limit: tuple[tuple[str | int, ...], bool], number: int
) -> None:
    path, more_is_stricter = limit
    inner: Any = msgspec.to_builtins(uk())
    for step in path:
        inner = inner[step]
    looser = loosened(uk(), changed(uk(), *path, to=number))
    is_looser = number < inner if more_is_stricter else number > inner
    assert bool(looser) is is_looser
    if is_looser:
        assert str(path[-1]) in looser[0]
        assert looser[0].endswith(f": {inner} became {number}")


@pytest.mark.parametrize(
    ("path", "to", "complaint"),
    [
        (("missed_doses", 0, "rungs", 1, "from_missed"), 4, "methadone, 3 missed: ask_prescriber became give"),
        (("missed_doses", 0, "rungs", 1, "outcome"), "give", "methadone, 3 missed: ask_prescriber became give"),
        (("ordering", "starting"), [], "no limit for methadone any more"),
        (("ordering", "rising"), [], "no limit for methadone any more"),
        (("ordering", "rising", 0, "days_apart"), None, "days_apart: 3 became 0"),
        (("ordering", "rising", 0, "at_most_mg"), None, "at_most_mg: 10 became no limit"),
        (("ordering", "pharmacy", "medicines"), ["methadone"], "a pharmacy may supply more"),
        (("stock", "register", "medicines"), [], "fewer medicines"),
        (("country",), "UK", "another country"),
        (("sign_off", "roles"), ["nurse", "counsellor"], ""),
    ],
)
def test_what_is_looser_is_named(path: tuple[str | int, ...], to: object, complaint: str) -> None:
    if path == ("sign_off", "roles"):
        fewer = changed(us(), *path, to=["prescriber"])
        assert list(loosened(us(), fewer)) == []
        assert list(loosened(fewer, us())) == ["sign_off.roles: more roles may sign"]
        return
    assert any(complaint in each for each in loosened(us(), changed(us(), *path, to=to)))


def test_the_ca_bridge_ladder_is_looser_than_the_federal_convention() -> None:
    assert list(loosened(us(), profiles()["US-CA-BRIDGE"][0])) == ["methadone, 3 missed: ask_prescriber became give"]


def test_a_stricter_ladder_tightens() -> None:
    stricter = changed(uk(), "missed_doses", 0, "rungs", 1, "from_missed", to=2)
    assert list(loosened(uk(), stricter)) == []
    assert ("missed_doses.0.rungs.1.from_missed", "3", "2") in differences(uk(), stricter)


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        (("missed_doses", 0, "titration"), "methadone: nobody is told of missed doses in titration any more"),
        (("missed_doses", 0, "repeated"), "methadone: nobody is asked about repeated gaps any more"),
    ],
)
def test_what_stands_beside_the_rungs_may_not_be_left_out(path: tuple[str | int, ...], complaint: str) -> None:
    assert complaint in loosened(uk(), changed(uk(), *path, to=None))
    assert loosened(changed(uk(), *path, to=None), uk()) == []


@pytest.mark.parametrize(
    ("name", "number", "looser"),
    [("from_days", 4, True), ("from_days", 2, False), ("of_days", 6, True), ("of_days", 8, False)],
)
def test_repeated_gaps_ask_no_later_and_look_no_less_far_back(name: str, number: int, *, looser: bool) -> None:
    found = loosened(uk(), changed(uk(), "missed_doses", 0, "repeated", name, to=number))
    assert bool(found) is looser
    assert all(f"repeated.{name}" in each for each in found)


def test_a_ladder_that_says_nothing_of_a_medicine_tells_and_asks_nobody() -> None:
    bare = msgspec.structs.replace(uk(), missed_doses=())
    assert any("titration any more" in each for each in loosened(uk(), bare))
    assert not any("any more" in each and "gaps" in each for each in loosened(bare, uk()))


@pytest.mark.parametrize(("days", "looser"), [(46, True), (None, True), (45, False), (14, False)])
def test_a_named_patients_days_may_be_fewer_and_not_more(days: int | None, *, looser: bool) -> None:
    assert bool(loosened(us(), changed(us(), "injections", "named_patient", "within_days", to=days))) is looser


@pytest.mark.parametrize(
    ("rule", "name", "strict", "loose"),
    [
        ("identity", "required", True, False),
        ("identity", "accepts", ["photograph"], ["photograph", "known"]),
        ("before", "holds_intoxicated", True, False),
        ("before", "holds_from", "drowsy", "hard_to_rouse"),
        ("before", "holds_from", "drowsy", None),
        ("before", "holds_from", "hard_to_rouse", None),
        ("withdrawal", "medicines", ["buprenorphine", "methadone"], ["methadone"]),
        ("vomited", "decided_by", ["prescriber"], ["prescriber", "nurse"]),
        ("vomited", "asks_after_minutes", 14, 15),
        ("vomited", "asks_unwitnessed", True, False),
    ],
)
def test_what_is_asked_around_a_dose_may_be_tightened_and_what_loosens_it_is_named(
    rule: str, name: str, strict: object, loose: object
) -> None:
    stricter = changed(uk(), "around_the_dose", rule, name, to=strict)
    looser = changed(uk(), "around_the_dose", rule, name, to=loose)
    assert list(loosened(looser, stricter)) == []
    (said_so,) = loosened(stricter, looser)
    assert said_so.startswith(f"around_the_dose.{rule}.{name}: ")
