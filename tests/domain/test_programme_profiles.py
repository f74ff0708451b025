"""Going over to another profile: from tomorrow on at the earliest, and knowing what it loosens."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseload.domain.access import Holding, Role
from caseload.domain.errors import Invalid, NotPermitted
from caseload.domain.ids import ClientId, ProgrammeId, SelectionId, StaffId, new_id
from caseload.domain.journal import Event
from caseload.domain.people import Staff
from caseload.domain.profiles import ProfileUnknown, profiles
from caseload.domain.profiles.selected import Selected, read_selected
from caseload.domain.programme import (
    Choice,
    ProfileLoosens,
    Programme,
    Selection,
    select_profile,
    what_it_loosens,
)

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
"""Ten in the evening of the day before, in New York."""
TODAY = date(2026, 11, 21)
TOMORROW = date(2026, 11, 22)
HOUSE = Programme(
    id=ProgrammeId(new_id()), code="H", name="House", time_zone="America/New_York", profiles=Selected("US")
)


@dataclass
class Kept:
    """What was chosen, and told of it, in memory."""

    said: list[Selection] = field(default_factory=list[Selection])
    told: list[Event] = field(default_factory=list[Event])

    async def selections(self, programme: ProgrammeId) -> Sequence[Selection]:
        assert programme == HOUSE.id
        return self.said

    async def add_selection(self, selection: Selection) -> None:
        self.said.append(selection)

    def saw(self, client: ClientId, kind: str) -> None:
        raise AssertionError((client, kind))

    def tell(self, event: Event) -> None:
        self.told.append(event)


def somebody(role: Role, programme: ProgrammeId | None = HOUSE.id) -> Staff:
    return Staff(
        id=StaffId(new_id()),
        user_name="sam",
        printed_name="Sam",
        session=None,
        holdings=(Holding(role=role, programme=programme),),
    )


async def chosen(choice: Choice, kept: Kept, *, by: Staff | None = None, programme: Programme = HOUSE) -> Selection:
    return await select_profile(
        programme,
        choice,
        as_id=SelectionId(new_id()),
        by=by or somebody(Role.MEDICAL_DIRECTOR),
        now=NOW,
        selections=kept,
        journal=kept,
    )


def over(profile: str = "US", from_on: date = TOMORROW, **said: object) -> Choice:
    return replace(Choice(profile=profile, from_on=from_on, reason="The state asks for it."), **said)  # pyright: ignore[reportArgumentType]  any field may be what a test is about


@pytest.mark.parametrize("who", [somebody(Role.ADMINISTRATOR, None), somebody(Role.MEDICAL_DIRECTOR)])
async def test_an_administrator_or_a_medical_director_chooses_the_profile_of_tomorrow(who: Staff) -> None:
    kept = Kept()
    made = await chosen(over(), kept, by=who)
    assert (made.number, made.profile, made.profile_version, made.loosens) == (1, "US", 1, ())
    assert kept.said == [made]
    [told] = kept.told
    assert (told.name, told.client) == ("programme.profile_selected", None)
    assert told.facts == {"programme": str(HOUSE.id), "profile": "US-1", "loosens": 0}
    assert (await chosen(over(), kept)).number == 2


@pytest.mark.parametrize(
    "who",
    [somebody(Role.PRESCRIBER), somebody(Role.SUPERVISOR), somebody(Role.MEDICAL_DIRECTOR, ProgrammeId(new_id()))],
)
async def test_nobody_else_does(who: Staff) -> None:
    kept = Kept()
    with pytest.raises(NotPermitted):
        await chosen(over(), kept, by=who)
    assert not kept.said


@pytest.mark.parametrize(
    ("choice", "field"),
    [
        (over(from_on=TODAY), "from_on"),
        (over(from_on=TODAY - timedelta(days=1)), "from_on"),
        (over(from_on=TODAY + timedelta(days=367)), "from_on"),
        (over("FR"), "profile"),
        (over(reason=" "), "reason"),
        (over(reason="x" * 4001), "reason"),
    ],
)
async def test_a_day_that_has_begun_keeps_its_rules_and_every_choice_its_reason(choice: Choice, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        await chosen(choice, Kept())
    assert [fault.field for fault in refused.value.faults] == [field]


async def test_the_furthest_day_is_a_year_ahead() -> None:
    assert (await chosen(over(from_on=TODAY + timedelta(days=366)), Kept())).from_on == TODAY + timedelta(days=366)


async def test_what_is_loosened_has_to_be_named_every_bit_of_it_and_nothing_else() -> None:
    kept = Kept()
    looser = what_it_loosens(HOUSE, "US-CA-BRIDGE", TOMORROW)
    assert "methadone, 3 missed: ask_prescriber became give" in looser
    for named in ((), looser[1:], (*looser, "and more")):
        with pytest.raises(ProfileLoosens) as refused:
            await chosen(over("US-CA-BRIDGE", loosens=named), kept)
        assert refused.value.rules == looser
        assert refused.value.facts["after"] == "US-CA-BRIDGE-1"
    assert not kept.said
    made = await chosen(over("US-CA-BRIDGE", loosens=tuple(reversed(looser))), kept)
    assert made.loosens == looser
    back = replace(HOUSE, profiles=Selected("US-CA-BRIDGE"))
    assert (await chosen(over("US"), kept, programme=back)).loosens == ()
    with pytest.raises(ProfileLoosens):
        await chosen(over("US", loosens=("nothing",)), kept, programme=back)


async def test_a_profile_that_is_not_there_loosens_nothing_that_could_be_said() -> None:
    with pytest.raises(ProfileUnknown):
        what_it_loosens(HOUSE, "FR", TOMORROW)
    assert what_it_loosens(HOUSE, "US", date.min) == ()


def test_the_last_word_whose_day_has_come_counts() -> None:
    january, december = date(2027, 1, 1), date(2026, 12, 15)
    found = Selected("US", ((january, "UK"), (december, "AU")))
    days = (date(2000, 1, 1), date(2026, 12, 14), december, date(2026, 12, 31), january, date(2030, 1, 1))
    assert [found.name_on(day) for day in days] == ["US", "US", "AU", "AU", "AU", "AU"]
    assert found.on(december).label == "AU-1"
    assert Selected("US", ((december, "AU"), (january, "UK"))).name_on(january) == "UK"


@given(
    said=st.lists(st.tuples(st.integers(1, 60), st.integers(0, 60), st.sampled_from(sorted(profiles()))), max_size=8),
    asked=st.integers(0, 60),
)
def test_a_day_that_has_begun_never_gets_other_rules(said: list[tuple[int, int, str]], asked: int) -> None:
    """Whatever is said later, from its tomorrow on: the profile of a day is what was known as the day began."""
    begin = date(2026, 11, 22)
    words: list[tuple[date, str]] = []
    known: str | None = None
    at = 0
    for later_by, ahead, name in said:
        at += later_by
        if at > asked and known is None:
            known = Selected("UK", tuple(words)).name_on(begin + timedelta(days=asked))
        words.append((begin + timedelta(days=at + 1 + ahead), name))
    found = Selected("UK", tuple(words)).name_on(begin + timedelta(days=asked))
    assert known is None or found == known


def test_words_are_read_as_a_row_holds_them() -> None:
    assert read_selected("UK", None) == Selected("UK")
    read = read_selected("US", ["2027-01-01 US-CA-BRIDGE"])
    assert read == Selected("US", ((date(2027, 1, 1), "US-CA-BRIDGE"),))
