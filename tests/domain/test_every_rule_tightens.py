"""Every field of a profile: a clinic's own variant may tighten it and may not loosen it.

`FIELDS` says of each field of the schema which way is tighter. A field that is new and not named there fails.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import inspect

from caseload.domain.access import CLINICIANS
from caseload.domain.catalogue import Country
from caseload.domain.medicines import Medicine
from caseload.domain.profiles import Profile, ProfileBroken, profiles, read_profile
from caseload.domain.profiles.around import IdentifiedBy, Sedation
from caseload.domain.profiles.comparing import loosened
from caseload.domain.profiles.ladder import Outcome
from caseload.domain.profiles.outreach import CountedIn, OutreachStep
from caseload.domain.profiles.rights import Counted, DenialGround, RightKind, WithholdingReason

Path = tuple[str | int, ...]
Holds = Callable[[Any, Any], bool]
"""Whether a value (the second) is no looser than another."""

ENDLESS = float("inf")
VERSIONS = [version for versions in profiles().values() for version in versions]


def more(none: float = 0) -> Holds:
    return lambda old, new: (none if new is None else new) >= (none if old is None else old)


def less(none: float = ENDLESS) -> Holds:
    return lambda old, new: (none if new is None else new) <= (none if old is None else old)


def fewer(old: list[str], new: list[str]) -> bool:
    return set(new) <= set(old)


def wider(old: list[str], new: list[str]) -> bool:
    return set(new) >= set(old)


def asked(old: Any, new: Any) -> bool:
    return bool(new) or not old


def in_order(*words: str | None) -> Holds:
    """The loosest first."""
    return lambda old, new: words.index(new) >= words.index(old)


def says_nothing(_old: Any, _new: Any) -> bool:
    """A name, a word or a date: no strictness of its own."""
    return True


def never_changes(old: Any, new: Any) -> bool:
    return bool(old == new)


def keeps_its_members(old: Any, new: Any) -> bool:
    return set(old) == set(new)


FIELDS: Mapping[str, Holds] = {
    **dict.fromkeys(("profile", "version", "in_force_from", "name", "tightens"), says_nothing),
    "country": never_changes,
    "missed_doses.*.medicines": keeps_its_members,
    "missed_doses.*.rungs.*.from_missed": less(),
    "missed_doses.*.rungs.*.outcome": in_order(*Outcome),
    "missed_doses.*.rungs.*.proposal.percent": less(),
    "missed_doses.*.rungs.*.proposal.at_most_mg": less(),
    "missed_doses.*.rungs.*.proposal.at_least_mg": less(none=0),
    "missed_doses.*.titration.days": more(),
    "missed_doses.*.titration.from_missed": less(),
    "missed_doses.*.repeated.from_days": less(),
    "missed_doses.*.repeated.of_days": more(),
    "ordering.antagonist_beside.opioid_free_days": more(),
    "ordering.antagonist_beside.other_opioid_free_days": more(),
    "ordering.pharmacy.medicines": fewer,
    "ordering.verbal.countersign_hours": less(none=0),
    "ordering.starting.*.medicines": wider,
    "ordering.starting.*.first_day_mg": less(),
    "ordering.starting.*.after_days": less(),
    "ordering.rising.*.medicines": wider,
    "ordering.rising.*.at_most_mg": less(),
    "ordering.rising.*.days_apart": more(),
    "ordering.rising.*.week_mg": less(),
    "ordering.rising.*.week_until_day": more(none=ENDLESS),
    "injections.named_patient.within_days": less(),
    "tolerance.away_days": less(),
    "tolerance.naltrexone_days": more(),
    "minimum_interval.hours": more(),
    "at_the_window.late_after_minutes": less(),
    "at_the_window.clock_ahead_seconds": less(),
    "around_the_dose.identity.required": asked,
    "around_the_dose.identity.accepts": fewer,
    "around_the_dose.before.holds_intoxicated": asked,
    "around_the_dose.before.holds_from": in_order(None, *reversed(Sedation)),
    "around_the_dose.withdrawal.medicines": wider,
    "around_the_dose.vomited.decided_by": fewer,
    "around_the_dose.vomited.asks_after_minutes": less(),
    "around_the_dose.vomited.asks_unwitnessed": asked,
    "sign_off.roles": fewer,
    "sign_off.deadline_hours": less(),
    "check_ins.slack.*.from_interval_days": more(),
    "check_ins.slack.*.grace_days": less(),
    "check_ins.slack.*.early_days": less(),
    "check_ins.phases.*.from_day": more(),
    "check_ins.phases.*.every_weeks": less(),
    "check_ins.step_up.days": more(),
    "check_ins.step_up.dose_change_percent": less(),
    "check_ins.step_up.relapse_use_days": less(),
    "outreach.steps.*.step": never_changes,
    "outreach.steps.*.after_days": less(),
    "outreach.steps.*.counted_in": in_order(*CountedIn),
    "escalating.on_call_after_minutes": less(),
    "escalating.supervisor_after_minutes": less(),
    "escalating.missed_doses_from": less(),
    "attendance.minimum_minutes": more(),
    "stock.inventory.every_days": less(),
    "stock.witness.within_hours": less(),
    "stock.loss.notice_business_days": less(),
    "stock.loss.form_days": less(),
    "stock.register.medicines": wider,
    "stock.register.names_clients": asked,
    "stock.register.collector_required": wider,
    "stock.register.collector_asked": wider,
    "take_home.ladders.*.medicines": wider,
    "take_home.ladders.*.steps.*.from_day": more(),
    "take_home.ladders.*.steps.*.at_most_days": less(),
    "take_home.closure.needs_decision": asked,
    "take_home.review.within_days": less(),
    "take_home.suspension.after_missed": less(),
    "take_home.suspension.review_days": less(),
    "monitoring.random_screens.a_year": more(),
    "monitoring.high_dose.methadone_mg_a_day_above": less(),
    "monitoring.ecg.follow_up_days": less(),
    "monitoring.ecg.every_days": less(),
    "monitoring.admission.examination_days": less(),
    "monitoring.admission.assessment_days": less(),
    "monitoring.interim.at_most_days": less(),
    "monitoring.interim.months": more(),
    "monitoring.interim.plan_by_day": less(),
    "monitoring.interim.random_screens": more(),
    "minors.until_age": more(),
    # From which age a minor signs alone is state law: a variant says it either way.
    "minors.alone_from_age": says_nothing,
    **{f"rights.clocks.{kind}.within": less() for kind in RightKind},
    **{f"rights.clocks.{kind}.counted_in": never_changes for kind in RightKind},
    **{f"rights.clocks.{kind}.longer": less(none=0) for kind in RightKind},
    "rights.withholding.*.reason": never_changes,
    "rights.withholding.*.told": never_changes,
    "rights.denials.*.ground": never_changes,
    "rights.denials.*.kinds": never_changes,
}
"""By the path of the field, `*` standing for each of a list: whether a changed value keeps the rule."""

PARTS: Mapping[str, bool] = {
    "missed_doses": True,
    "missed_doses.*.rungs": True,
    "missed_doses.*.rungs.*.proposal": False,
    "missed_doses.*.titration": True,
    "missed_doses.*.repeated": True,
    "ordering.starting": True,
    "ordering.rising": True,
    "check_ins.slack": False,
    "check_ins.phases": False,
    "outreach.steps": True,
    "take_home.ladders": True,
    "take_home.ladders.*.steps": False,
    "monitoring.admission": True,
    "monitoring.interim": False,
    "minors": True,
    "rights.clocks.accounting": True,
    "rights.withholding": True,
    "rights.denials": True,
    "rights.self_paid": True,
    "rights.termination": False,
}
"""What may be left out, or be one fewer: whether that loosens. The last step of an allowance left out tightens."""

WORDS = frozenset({"rule", "source", "says"})
CHOICES: Mapping[str, list[Any]] = {
    "country": [*Country],
    "missed_doses.*.rungs.*.outcome": [*Outcome],
    "around_the_dose.before.holds_from": [None, *Sedation],
    "outreach.steps.*.step": [*OutreachStep],
    "outreach.steps.*.counted_in": [*CountedIn],
    **{f"rights.clocks.{kind}.counted_in": [*Counted] for kind in RightKind},
    "rights.withholding.*.reason": [*WithholdingReason],
    "rights.denials.*.ground": [*DenialGround],
    "in_force_from": ["2020-01-01", "2030-01-01"],
    "tightens": [None, "UK"],
}
MEMBERS: Mapping[str, list[Any]] = {
    "around_the_dose.identity.accepts": [*IdentifiedBy],
    "around_the_dose.vomited.decided_by": sorted(CLINICIANS),
    "sign_off.roles": sorted(CLINICIANS),
    "rights.denials.*.kinds": [*RightKind],
}


def schema(kind: inspect.Type, path: str = "") -> Iterator[tuple[str, str]]:
    """Every path of the schema: a field, or a part that may be left out."""
    if isinstance(kind, inspect.UnionType):
        [inner] = (each for each in kind.types if not isinstance(each, inspect.NoneType))
        if isinstance(inner, inspect.StructType):
            yield path, "part"
        yield from schema(inner, path)
    elif isinstance(kind, inspect.StructType):
        for field in kind.fields:
            if field.name not in WORDS:
                yield from schema(field.type, f"{path}.{field.name}" if path else field.name)
    elif isinstance(kind, inspect.VarTupleType) and isinstance(kind.item_type, inspect.StructType):
        yield path, "part"
        yield from schema(kind.item_type, f"{path}.*")
    else:
        yield path, "field"


def places(value: Any, path: Path = ()) -> Iterator[tuple[str, Path]]:
    """Everything that a profile says, by its path in the schema and where it stands."""
    named = ".".join("*" if isinstance(step, int) else step for step in path)
    if isinstance(value, dict):
        for name, inner in cast("dict[str, Any]", value).items():
            yield from places(inner, (*path, name))
        if named in PARTS:
            yield named, path
    elif isinstance(value, list) and (named in PARTS):
        yield named, path
        for number, inner in enumerate(cast("list[Any]", value)):
            yield from places(inner, (*path, number))
    elif not WORDS & {str(path[-1])}:
        yield named, path


def at(whole: Any, path: Path) -> Any:
    for step in path:
        whole = whole[step]
    return whole


def changed(profile: Profile, path: Path, to: object) -> Profile:
    """Raises `ProfileBroken` where nobody could mean it."""
    whole = msgspec.json.decode(msgspec.json.encode(profile))
    at(whole, path[:-1])[path[-1]] = to
    return read_profile(msgspec.json.encode(whole), "changed.json")


def plain(profile: Profile) -> Any:
    return msgspec.json.decode(msgspec.json.encode(profile))


def is_the_same_again(profile: Profile, path: Path) -> bool:
    """A rung that differs from the one before in its words alone, wherever it begins."""
    if path[0] != "missed_doses" or len(path) < 4 or path[2] != "rungs" or path[3] == 0:
        return False
    rungs = at(plain(profile), path[:3])
    rung, before = rungs[path[3]], rungs[int(path[3]) - 1]
    return all(rung.get(name) == before.get(name) for name in ("outcome", "proposal"))


EVERYWHERE = [
    (version, named, path)
    for version in VERSIONS
    for named, path in places(plain(version))
    if not is_the_same_again(version, path)
]
LEAVES = [place for place in EVERYWHERE if place[1] not in PARTS]


def test_every_field_of_the_schema_says_which_way_is_tighter() -> None:
    found = list(schema(inspect.type_info(Profile)))
    assert {path for path, kind in found if kind == "field"} == set(FIELDS)
    assert {path for path, kind in found if kind == "part"} == set(PARTS)


def test_every_field_stands_in_a_profile_of_ours() -> None:
    assert {named for _, named, _ in LEAVES if named in FIELDS} == set(FIELDS)
    assert not {named for _, named, _ in LEAVES} - set(FIELDS) - {*PARTS}


def other_values(named: str, old: Any) -> st.SearchStrategy[Any]:
    """Values that the field could have; the reader refuses what nobody could mean."""
    if named in CHOICES:
        return st.sampled_from(CHOICES[named])
    if isinstance(old, bool):
        return st.booleans()
    if isinstance(old, list):
        return st.lists(st.sampled_from(MEMBERS.get(named, [*Medicine])), unique=True)
    if isinstance(old, str) and not old.replace(".", "").isdigit():
        return st.text(min_size=1, max_size=8)
    numbers = st.integers(0, 400)
    return st.one_of(numbers, st.none()) if is_optional(named) else numbers


def is_optional(named: str) -> bool:
    """Whether the field may be null."""
    kind = inspect.type_info(Profile)
    for step in named.split("."):
        if isinstance(kind, inspect.UnionType):
            [kind] = (each for each in kind.types if not isinstance(each, inspect.NoneType))
        if step == "*":
            assert isinstance(kind, inspect.VarTupleType)
            kind = kind.item_type
        else:
            assert isinstance(kind, inspect.StructType)
            kind = next(field.type for field in kind.fields if field.name == step)
    return isinstance(kind, inspect.UnionType)


def number(value: Any) -> Any:
    """A decimal stands in the file as text."""
    return float(value) if isinstance(value, str) and value.replace(".", "").isdigit() else value


@given(st.data(), st.sampled_from(LEAVES))
def test_a_loosened_value_is_named_and_a_tightened_one_is_not(
    data: st.DataObject, place: tuple[Profile, str, Path]
) -> None:
    profile, named, path = place
    old = at(plain(profile), path)
    new = data.draw(other_values(named, old))
    try:
        variant = changed(profile, path, new)
    except ProfileBroken:
        return
    old, new = number(old), number(new)
    assert (loosened(profile, variant) == []) is FIELDS[named](old, new), (named, old, new)
    assert (loosened(variant, profile) == []) is FIELDS[named](new, old), (named, new, old)


@pytest.mark.parametrize(
    "named", [name for name, keeps in FIELDS.items() if keeps not in {says_nothing, never_changes, keeps_its_members}]
)
def test_each_field_can_be_tightened_and_loosened(named: str) -> None:
    """So that no field passes because the reader refuses whatever is tried."""
    seen: set[bool] = set()
    for profile, other, path in LEAVES:
        if other != named:
            continue
        old = at(plain(profile), path)
        members = MEMBERS.get(named, [*Medicine])
        here = int(number(old)) if isinstance(number(old), int | float) else 0
        near = range(max(0, here - 2), here + 3)
        numbers = sorted({*near, *range(4), *range(0, 401, 25)})
        tried: list[Any] = [True, False, *CHOICES.get(named, []), members[:1], members, [*range(61)], *numbers, None]
        for new in tried:
            if new == old and type(new) is type(old):
                continue
            try:
                variant = changed(profile, path, new)
            except ProfileBroken:
                continue
            keeps = FIELDS[named](number(old), number(new))
            assert (loosened(profile, variant) == []) is keeps, (profile.label, path, old, new)
            back = FIELDS[named](number(new), number(old))
            assert (loosened(variant, profile) == []) is back, (profile.label, path, new, old)
            seen |= {keeps, back}
    assert seen == {True, False}


def dropped(old: Any, new: Any) -> int:
    """Which of a list is gone."""
    return next((number for number, each in enumerate(new) if each != old[number]), len(new))


@pytest.mark.parametrize("named", PARTS)
def test_a_limit_that_is_left_out_loosens_and_an_allowance_does_not(named: str) -> None:
    tried = 0
    for profile, other, path in EVERYWHERE:
        if other != named:
            continue
        old = at(plain(profile), path)
        if old is None:
            continue
        rest = [None] if isinstance(old, dict) else [old[:number] + old[number + 1 :] for number in range(len(old))]
        for new in rest:
            try:
                variant = changed(profile, path, new)
            except ProfileBroken:
                continue
            if PARTS[named]:
                same = new is not None and is_the_same_again(profile, (*path, dropped(old, new)))
                assert loosened(profile, variant) or same, (profile.label, path)
            elif new is None or new == old[:-1]:
                assert loosened(profile, variant) == [], (profile.label, path)
            tried += 1
    assert tried or named == "missed_doses"


def test_a_variant_that_counts_otherwise_or_knows_interim_treatment_of_its_own_loosens() -> None:
    [*_, base] = profiles()["US"]
    clock = msgspec.structs.replace(base.rights.clocks.amendment, counted_in=Counted.MONTHS)
    clocks = msgspec.structs.replace(base.rights.clocks, amendment=clock)
    otherwise = msgspec.structs.replace(base, rights=msgspec.structs.replace(base.rights, clocks=clocks))
    assert base.rights.clocks.amendment.counted_in is Counted.DAYS
    assert list(loosened(base, otherwise)) == ["rights.clocks.amendment.counted_in: days became months"]
    unknown = msgspec.structs.replace(base, monitoring=msgspec.structs.replace(base.monitoring, interim=None))
    assert list(loosened(unknown, base)) == ["monitoring.interim: interim treatment is known"]
