"""The queue of a day as pure decisions: who stands in which group, and whose names could be taken for one another."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseload.domain.dosing import AlreadyGiven, DueTo, Morning, NotGivenReason, Observed, Rule, due_on
from caseload.domain.dosing.identity import against_identity
from caseload.domain.ids import ClientId, ExcusalId, MessageId, ProgrammeId, StaffId
from caseload.domain.medication import Step
from caseload.domain.medicines import DosePart, Form, Medicine
from caseload.domain.profiles import profile_on
from caseload.domain.profiles.around import IdentifiedBy
from caseload.domain.window import (
    Excused,
    ExcuseReason,
    Flag,
    Group,
    Line,
    Message,
    NotGivenToday,
    Told,
    WindowDay,
    likeness,
    namesakes,
    queue_of,
)
from caseload.domain.window.likeness import Named
from tests.domain.test_dosing import DECIDED, HELD, record, running, taken
from tests.domain.test_medication import DAY, NOW, TODAY, order

HOME = ProgrammeId(UUID(int=1))
SPLIT = {DosePart.MORNING: Decimal(30), DosePart.EVENING: Decimal(30)}
BORN = date(1980, 1, 1)
OPEN = WindowDay(programme=HOME, day=TODAY, rules=profile_on("UK", TODAY))


def waiting(name: str = "Ada Example", *, born: date = BORN, **known: Any) -> DueTo:
    given_name, _, family_name = name.partition(" ")
    ordered = known.pop("ordered", None) or running()
    morning = Morning(
        record=record(),
        orders=[ordered],
        given=[],
        last=taken(1),
        held=None,
        allowed=None,
    )
    return DueTo(
        client=ClientId(uuid4()),
        home=known.pop("home", HOME),
        given_name=given_name,
        family_name=family_name,
        birth_date=born,
        due=due_on(TODAY, replace(morning, **known)),
    )


def given_part(part: DosePart = DosePart.WHOLE) -> AlreadyGiven:
    return AlreadyGiven(dose=uuid4(), part=part, given_at=NOW, given_by="Nora Quill")


def not_given(reason: NotGivenReason, part: DosePart = DosePart.WHOLE) -> NotGivenToday:
    return NotGivenToday(part=part, reason=reason, recorded_at=NOW)


EXCUSED = Excused(excusal=ExcusalId(UUID(int=3)), reason=ExcuseReason.PRISON, first_on=TODAY - 5 * DAY, last_on=None)


def one(each: DueTo, told: Told | None = None) -> Line:
    queue = queue_of(OPEN, [each], {each.client: told} if told is not None else {})
    (line,) = [line for lines in queue.values() for line in lines]
    assert queue[line.group] == [line]
    return line


def test_whoever_has_had_nothing_yet_is_still_to_attend() -> None:
    line = one(waiting())
    assert (line.group, line.flags, line.alike, line.told) == (Group.TO_ATTEND, (), frozenset(), Told())


@pytest.mark.parametrize(
    ("known", "told", "group"),
    [
        ({"given": [given_part()]}, Told(), Group.ATTENDED),
        ({"given": [given_part()]}, Told(excused=EXCUSED), Group.ATTENDED),
        ({"given": [given_part()], "held": HELD}, Told(), Group.ATTENDED),
        ({}, Told(excused=EXCUSED), Group.NOT_EXPECTED),
        ({"held": HELD}, Told(excused=EXCUSED), Group.NOT_EXPECTED),
        ({"held": HELD}, Told(), Group.HELD),
        ({"last": taken(4)}, Told(), Group.HELD),
        ({"last": taken(3)}, Told(), Group.TO_ATTEND),
        ({"last": taken(4), "allowed": DECIDED}, Told(), Group.TO_ATTEND),
        ({}, Told(not_given=[not_given(NotGivenReason.REFUSED)]), Group.ATTENDED),
        ({"held": HELD}, Told(not_given=[not_given(NotGivenReason.INTOXICATED)]), Group.ATTENDED),
        ({}, Told(not_given=[not_given(NotGivenReason.ABSENT)]), Group.TO_ATTEND),
        ({}, Told(excused=EXCUSED, not_given=[not_given(NotGivenReason.ABSENT)]), Group.NOT_EXPECTED),
    ],
)
def test_each_client_stands_in_one_group(known: dict[str, Any], told: Told, group: Group) -> None:
    assert one(waiting(**known), told).group is group


@pytest.mark.parametrize(
    ("given_parts", "refused", "group"),
    [
        ([], [], Group.TO_ATTEND),
        ([DosePart.MORNING], [], Group.TO_ATTEND),
        ([DosePart.MORNING, DosePart.EVENING], [], Group.ATTENDED),
        ([], [DosePart.MORNING], Group.TO_ATTEND),
        ([DosePart.MORNING], [DosePart.EVENING], Group.ATTENDED),
        ([], [DosePart.MORNING, DosePart.EVENING], Group.ATTENDED),
        ([], [DosePart.WHOLE], Group.ATTENDED),
    ],
)
def test_a_split_dose_has_been_attended_when_both_parts_have(
    given_parts: Sequence[DosePart], refused: Sequence[DosePart], group: Group
) -> None:
    each = waiting(ordered=running(amounts_mg=SPLIT), given=[given_part(part) for part in given_parts])
    told = Told(not_given=[not_given(NotGivenReason.REFUSED, part) for part in refused])
    assert one(each, told).group is group


@pytest.mark.parametrize(
    ("known", "flags"),
    [
        ({"last": None}, (Flag.FIRST_DOSE,)),
        (
            {"last": None, "ordered": running(medicine=Medicine.BUPRENORPHINE, form=Form.SUBLINGUAL_TABLET)},
            (Flag.FIRST_DOSE, Flag.WITHDRAWAL),
        ),
        ({"home": ProgrammeId(UUID(int=2))}, (Flag.GUEST,)),
        ({"last": taken(4), "allowed": DECIDED}, (Flag.DECISION,)),
        ({"ordered": running(supervised=False)}, (Flag.UNSUPERVISED,)),
        (
            {"ordered": order(signed_at=None, verbal_by=StaffId(UUID(int=4)), countersign_by=NOW + 3 * DAY), "at": NOW},
            (Flag.VERBAL_ORDER,),
        ),
        (
            {
                "ordered": running(steps=(Step(from_on=TODAY, amounts_mg={DosePart.WHOLE: Decimal(70)}),)),
                "observed": [Observed(day=TODAY, at=NOW, is_well=False)],
            },
            (Flag.STEP_WAITS,),
        ),
    ],
)
def test_a_flag_says_what_should_be_seen_at_once(known: dict[str, Any], flags: tuple[Flag, ...]) -> None:
    assert one(waiting(**known)).flags == flags


def test_nobody_is_expected_while_the_window_is_closed() -> None:
    """Whoever was given something all the same has attended."""
    closed = replace(OPEN, closed="New Year")
    held, came = waiting(held=HELD), waiting(given=[given_part()])
    queue = queue_of(closed, [held, came], {})
    assert [line.waiting for line in queue[Group.NOT_EXPECTED]] == [held]
    assert [line.waiting for line in queue[Group.ATTENDED]] == [came]


def test_what_the_window_is_told_stands_beside_the_client() -> None:
    each = waiting()
    message = Message(
        id=MessageId(uuid4()),
        client=each.client,
        programme=HOME,
        text="Ask for the blood result.",
        left_by=StaffId(uuid4()),
        printed_name="Sam Counsellor",
        left_at=NOW,
    )
    told = Told(chart_number="N-1", photograph_on=TODAY, messages=[message])
    assert one(each, told).told == told


def alike(first: str, second: str, *, born: date = BORN, other_born: date = BORN + timedelta(days=1)) -> bool:
    both = [waiting(first, born=born), waiting(second, born=other_born)]
    queue = queue_of(OPEN, both, {})
    one_way, other_way = (line.alike for line in queue[Group.TO_ATTEND])
    assert bool(one_way) is bool(other_way)
    return both[1].client in one_way


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Ann Smith", "Anna Smith"),
        ("Ann Smith", "Ann Smyth"),
        ("Alan Smith", "Ann Schmidt"),  # both sound S530
        ("Ann Smith", "Ann Smiths"),
        ("Ann Carter", "Alice Garter"),  # one letter other, and they sound apart
        ("Ann Brain", "Ann Brian"),
        ("Catherine Lee", "Katherine Lee"),
        ("Phil Moss", "Paul Mosse"),
        ("Ann O'Neil", "ann oneil"),
        ("Zoë Müller", "Zoe Muller"),
        ("Li Wu", "Lu Wu"),
        ("James Martin", "Martin James"),
        ("Анна Иванова", "Алла Иванов"),
        ("Robert Rupert", "Rupert Robert"),
    ],
)
def test_names_that_sound_or_read_alike_are_told(first: str, second: str) -> None:
    assert alike(first, second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Ann Smith", "Bob Smith"),
        ("Ann Smith", "Ann Jones"),
        ("Li Wu", "Li Xu"),  # in short names one letter makes another name
        ("Ann Carter", "Ann Parsons"),
        ("Анна Иванова", "Борис Иванов"),
    ],
)
def test_names_that_are_not_alike_are_left_alone(first: str, second: str) -> None:
    assert not alike(first, second)


def test_who_was_born_on_the_same_day_needs_only_the_family_name() -> None:
    assert alike("Ann Smith", "Bob Smith", other_born=BORN)


@given(st.lists(st.tuples(st.text(max_size=6), st.text(max_size=6)), max_size=8))
def test_being_alike_is_mutual_and_never_with_oneself(names: list[tuple[str, str]]) -> None:
    people = [
        Named(client=ClientId(UUID(int=number)), given_name=first, family_name=last, birth_date=BORN + number * DAY)
        for number, (first, last) in enumerate(names)
    ]
    found = namesakes(people)
    for client, others in found.items():
        assert client not in others
        assert all(client in found[other] for other in others)


@pytest.mark.parametrize(
    ("name", "sound"),
    [
        ("Robert", "R163"),
        ("Rupert", "R163"),
        ("Ashcraft", "A261"),
        ("Tymczak", "T522"),
        ("Pfister", "P236"),
        ("Lee", "L000"),
    ],
)
def test_soundex_is_that_of_the_national_archives(name: str, sound: str) -> None:
    assert sound in likeness._spoken(name).keys


@pytest.mark.parametrize(
    ("required", "identified_by", "refused"),
    [
        (False, None, False),
        (False, IdentifiedBy.PHOTOGRAPH, False),
        (False, IdentifiedBy.KNOWN, True),
        (True, None, True),
        (True, IdentifiedBy.PHOTOGRAPH, False),
        (True, IdentifiedBy.KNOWN, True),
    ],
)
def test_a_check_of_identity_counts_where_the_profile_says_so(
    *, required: bool, identified_by: IdentifiedBy | None, refused: bool
) -> None:
    """Known to the nurse is not enough where the profile leaves it out."""
    uk = profile_on("UK", TODAY)
    identity = msgspec.structs.replace(
        uk.around_the_dose.identity, required=required, accepts=(IdentifiedBy.PHOTOGRAPH, IdentifiedBy.QUESTIONS)
    )
    around = msgspec.structs.replace(uk.around_the_dose, identity=identity)
    found = against_identity(identified_by, msgspec.structs.replace(uk, around_the_dose=around))
    assert [(each.rule, each.policy) for each in found] == (
        [(Rule.IDENTITY_NOT_CHECKED, "uk.identity of UK-1")] if refused else []
    )
