"""Restricted clients: whom a restriction names, that nobody is lost by it, and what a supervisor owes them."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

import pytest

from caseload.domain.access import (
    CLINICIANS,
    GLASS_OPENS,
    MAY,
    SEES_RESTRICTED,
    Act,
    Apart,
    BrokenGlass,
    Holding,
    Role,
    reach,
)
from caseload.domain.client import Client, Identity, Sex
from caseload.domain.errors import Invalid, NotPermitted
from caseload.domain.ids import ClientId, GlassId, NamingId, ProgrammeId, RestrictionId, StaffId, new_id
from caseload.domain.journal import Event
from caseload.domain.people import Staff
from caseload.domain.restriction import (
    MOST_NAMED,
    AlreadyRestricted,
    Naming,
    NamingOver,
    ObligationKind,
    Restriction,
    RestrictionKind,
    RestrictionOver,
    RestrictionUnknown,
    StillNeeded,
    Unattended,
    end_naming,
    end_restriction,
    name_staff,
    owed,
    restrict,
)

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
HERE, ELSEWHERE = ProgrammeId(new_id()), ProgrammeId(new_id())
ME, ROBIN, ALEX = StaffId(new_id()), StaffId(new_id()), StaffId(new_id())
CLIENT = Client(
    id=ClientId(new_id()),
    programme=HERE,
    identity=Identity(
        given_name="Ada",
        family_name="Lindqvist",
        birth_date=date(1984, 2, 29),
        birth_date_estimated=False,
        sex=Sex.UNKNOWN,
    ),
    version=1,
    identifiers=(),
    registered_by=ROBIN,
    registered_at=NOW,
)


def somebody(role: Role, programme: ProgrammeId | None = HERE) -> Staff:
    return Staff(
        id=ME,
        user_name="me",
        printed_name="Me",
        session=None,
        holdings=(Holding(role=role, programme=programme),),
    )


OFFICER = somebody(Role.PRIVACY_OFFICER, None)


@dataclass
class House:
    """What is kept, and who works here."""

    answering: frozenset[StaffId] = frozenset({ROBIN})
    caring: frozenset[StaffId] = frozenset({ROBIN, ALEX})
    kept: dict[RestrictionId, Restriction] = field(default_factory=dict[RestrictionId, Restriction])
    told: list[str] = field(default_factory=list[str])

    async def hold(self, wanted: RestrictionId, *, by: Staff) -> Restriction:
        if wanted not in self.kept:
            raise RestrictionUnknown
        return self.kept[wanted]

    async def answer_for(self, client: ClientId) -> Collection[StaffId]:
        return self.answering

    async def care_in(self, programme: ProgrammeId, staff: Collection[StaffId]) -> Collection[StaffId]:
        return self.caring & set(staff)

    async def add(self, new: Restriction) -> None:
        if self.kept:
            raise AlreadyRestricted
        self.kept[new.id] = new

    async def add_naming(self, restriction: RestrictionId, new: Naming, *, by: StaffId) -> None:
        self.kept[restriction] = replace(self.kept[restriction], named=(*self.kept[restriction].named, new))

    async def end_naming(self, ending: Naming, *, by: StaffId) -> None:
        assert ending.ended_at == NOW

    async def end(self, ending: Restriction) -> None:
        self.kept[ending.id] = ending

    def saw(self, client: ClientId, kind: str) -> None:
        raise AssertionError(kind)

    def tell(self, event: Event) -> None:
        assert event.client == CLIENT.id
        self.told.append(event.name)

    async def restrict(
        self,
        *staff: StaffId,
        by: Staff = OFFICER,
        reason: str = "Works at another site.",
        until: datetime | None = None,
    ) -> Restriction:
        return await restrict(
            CLIENT,
            RestrictionKind.COLLEAGUE,
            reason,
            [(NamingId(new_id()), who) for who in staff],
            until_at=until,
            as_id=RestrictionId(new_id()),
            by=by,
            now=NOW,
            restrictions=self,
            journal=self,
        )

    async def name(self, of: Restriction, who: StaffId, *, until: datetime | None = None) -> Restriction:
        return await name_staff(
            of.id,
            who,
            until_at=until,
            as_id=NamingId(new_id()),
            by=OFFICER,
            now=NOW,
            restrictions=self,
            journal=self,
        )

    async def end_of(self, of: Restriction, naming: NamingId) -> Restriction:
        return await end_naming(of.id, naming, by=OFFICER, now=NOW, restrictions=self, journal=self)


async def test_a_restriction_names_whoever_answers_for_the_client_and_only_people_of_the_house() -> None:
    house = House()
    for staff, where in (
        ((), "staff"),
        ((ALEX,), "staff"),
        ((ROBIN, ROBIN), "staff"),
        ((ROBIN, ME), "staff"),
        ((ROBIN, *(StaffId(new_id()) for _ in range(MOST_NAMED))), "staff"),
    ):
        with pytest.raises(Invalid) as refused:
            await house.restrict(*staff)
        assert {fault.field for fault in refused.value.faults} == {where}, staff
    made = await house.restrict(ROBIN, ALEX)
    assert made.names(NOW) == {ROBIN, ALEX}
    assert made.counts(NOW)
    assert not made.counts(NOW - INSTANT)
    with pytest.raises(AlreadyRestricted):
        await house.restrict(ROBIN)
    assert house.told == ["restriction.set"]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ({"reason": " "}, {"reason": "x" * 500}),
        ({"reason": "x" * 501}, {"reason": "x"}),
        ({"until": NOW}, {"until": NOW + INSTANT}),
        ({"until": NOW + timedelta(days=3660) + INSTANT}, {"until": NOW + timedelta(days=3660)}),
    ],
)
async def test_a_reason_and_an_end_have_their_bounds(wrong: dict[str, object], right: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        await House().restrict(ROBIN, **wrong)  # type: ignore[arg-type]  # a table of single arguments
    await House().restrict(ROBIN, **right)  # type: ignore[arg-type]  # a table of single arguments


async def test_only_a_privacy_officer_and_the_medical_director_of_the_house_restrict() -> None:
    for role in Role:
        if role in {Role.PRIVACY_OFFICER, Role.MEDICAL_DIRECTOR}:
            await House().restrict(ROBIN, by=somebody(role))
            with pytest.raises(NotPermitted):
                await House().restrict(ROBIN, by=somebody(role, ELSEWHERE))
        else:
            with pytest.raises(NotPermitted):
                await House().restrict(ROBIN, by=somebody(role))


async def test_one_more_person_is_named_until_a_moment() -> None:
    house = House()
    made = await house.restrict(ROBIN)
    with pytest.raises(Invalid):
        await house.name(made, ME)
    with pytest.raises(Invalid):
        await house.name(made, ALEX, until=NOW)
    with_alex = await house.name(made, ALEX, until=NOW + timedelta(hours=1))
    assert with_alex.names(NOW + timedelta(hours=1) - INSTANT) == {ROBIN, ALEX}
    assert with_alex.names(NOW + timedelta(hours=1)) == {ROBIN}
    with pytest.raises(RestrictionUnknown):
        await house.name(replace(made, id=RestrictionId(new_id())), ALEX)


async def test_no_more_are_named_than_a_restriction_may_name() -> None:
    others = frozenset(StaffId(new_id()) for _ in range(MOST_NAMED))
    house = House(caring=frozenset({ROBIN, *others}))
    first, *rest = others
    made = await house.restrict(ROBIN, *rest)
    with pytest.raises(Invalid):
        await house.name(made, first)


async def test_whoever_answers_for_the_client_and_the_last_one_stay_named() -> None:
    house = House()
    made = await house.restrict(ROBIN, ALEX)
    robin, alex = made.named
    with pytest.raises(StillNeeded):
        await house.end_of(made, robin.id)
    left = await house.end_of(made, alex.id)
    assert left.names(NOW) == {ROBIN}
    house.kept[made.id], house.answering = left, frozenset()
    with pytest.raises(StillNeeded):
        await house.end_of(made, robin.id)
    with pytest.raises(NamingOver):
        await house.end_of(made, alex.id)


async def test_a_restriction_ends_once_and_then_nothing_of_it_changes() -> None:
    house = House()
    made = await house.restrict(ROBIN)
    with pytest.raises(Invalid):
        await end_restriction(made.id, " ", by=OFFICER, now=NOW, restrictions=house, journal=house)
    ended = await end_restriction(made.id, " Left. ", by=OFFICER, now=NOW, restrictions=house, journal=house)
    assert (ended.ended_because, ended.ended_by, ended.counts(NOW)) == ("Left.", ME, False)
    with pytest.raises(RestrictionOver):
        await end_restriction(made.id, "Twice.", by=OFFICER, now=NOW, restrictions=house, journal=house)
    with pytest.raises(RestrictionOver):
        await house.name(made, ALEX)
    assert house.told == ["restriction.set", "restriction.ended"]


NOTHING_WAITS = Unattended(
    restriction=RestrictionId(new_id()),
    client=CLIENT.id,
    since=NOW,
    named=(ROBIN,),
    is_anybody_there=True,
    is_anybody_on_duty=True,
    is_answering_named=True,
    escalated_at=None,
    check_in_overdue_since=None,
    care_task_due_at=None,
)
ALL_WAITS = replace(NOTHING_WAITS, escalated_at=NOW, check_in_overdue_since=NOW, care_task_due_at=NOW)


@pytest.mark.parametrize(
    ("found", "kinds"),
    [
        (NOTHING_WAITS, []),
        (ALL_WAITS, []),
        (replace(ALL_WAITS, is_anybody_on_duty=False), [ObligationKind.ESCALATION]),
        (replace(ALL_WAITS, is_anybody_there=False), [ObligationKind.CHECK_IN, ObligationKind.CARE_TASK]),
        (replace(NOTHING_WAITS, is_anybody_there=False, is_anybody_on_duty=False), []),
        (replace(NOTHING_WAITS, is_answering_named=False), [ObligationKind.NOT_NAMED]),
    ],
)
async def test_a_supervisor_owes_what_nobody_named_is_there_to_see(
    found: Unattended, kinds: list[ObligationKind]
) -> None:
    assert [each.kind for each in owed(found)] == kinds


async def sees(role: Role, act: Act, apart: Apart, *, home: ProgrammeId = HERE, on_duty: bool = False) -> bool:
    holding = Holding(role=role, programme=HERE, on_duty=on_duty)
    return reach(ME, [holding], act, apart).covers(CLIENT.id, programmes=[home], looked_after_by=[], by_identifier=True)


@pytest.mark.parametrize("act", list(Act))
async def test_who_is_not_named_sees_a_restricted_client_only_where_the_table_says_so(act: Act) -> None:
    closed, named = Apart(closed=((CLIENT.id, HERE),)), Apart(named=frozenset({CLIENT.id}))
    for role in Role:
        unrestricted = await sees(role, act, Apart(), on_duty=True)
        sees_it = role in SEES_RESTRICTED.get(act, ())
        assert await sees(role, act, closed, on_duty=True) is (unrestricted and sees_it), role
        assert await sees(role, act, named) is await sees(role, act, Apart(), on_duty=True), role
    elsewhere = Apart(closed=((CLIENT.id, ELSEWHERE),))
    assert not await sees(Role.NURSE, act, elsewhere, home=ELSEWHERE)


async def test_the_exceptions_are_for_whoever_gives_and_prescribes_and_whoever_keeps_the_restriction() -> None:
    for act, roles in SEES_RESTRICTED.items():
        assert roles <= CLINICIANS | {Role.PRIVACY_OFFICER}, act
        assert roles & MAY[act], act
    assert {Act.SEE_CLIENT, Act.SEE_NOTES, Act.SEE_CHECK_INS, Act.SEE_CASELOAD}.isdisjoint(SEES_RESTRICTED)


async def test_a_privacy_officer_of_the_whole_clinic_sees_whom_a_restriction_is_about() -> None:
    apart = Apart(closed=((CLIENT.id, HERE),))
    seen = reach(ME, OFFICER.holdings, Act.SEE_IDENTITY, apart)
    assert seen.covers(CLIENT.id, programmes=[HERE], looked_after_by=[], by_identifier=True)
    assert not seen.covers(CLIENT.id, programmes=[HERE], looked_after_by=[], by_identifier=False)


@pytest.mark.parametrize("act", list(Act))
async def test_a_broken_glass_opens_its_client_for_an_emergency_and_nobody_else(act: Act) -> None:
    glass = BrokenGlass(id=GlassId(new_id()), client=CLIENT.id, until=NOW)
    apart = Apart(closed=((CLIENT.id, ELSEWHERE),), glass=glass)
    for role in Role:
        may = act in GLASS_OPENS and role in MAY[act]
        assert await sees(role, act, apart, home=ELSEWHERE) is may, role
    other = replace(CLIENT, id=ClientId(new_id())).id
    seen = reach(ME, [Holding(role=Role.NURSE, programme=HERE)], act, apart)
    assert not seen.covers(other, programmes=[ELSEWHERE], looked_after_by=[], by_identifier=True)
