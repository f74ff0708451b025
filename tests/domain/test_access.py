"""Whom a person may see: each sentence of the rule, and nobody beyond it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseload.domain.access import EXTENT, MAY, Act, Extent, Holding, Role, reach
from caseload.domain.ids import ProgrammeId, StaffId, new_id

HERE, ELSEWHERE = ProgrammeId(new_id()), ProgrammeId(new_id())
ME, COLLEAGUE = StaffId(new_id()), StaffId(new_id())


def sees(
    role: Role,
    act: Act,
    *,
    held_in: ProgrammeId | None = HERE,
    on_duty: bool = False,
    home: ProgrammeId = HERE,
    host: ProgrammeId | None = None,
    looked_after_by: StaffId = COLLEAGUE,
    by_identifier: bool = False,
) -> bool:
    """Whether somebody with this one role sees such a client for the act."""
    holding = Holding(role=role, programme=held_in, on_duty=on_duty)
    return reach(ME, [holding], act).covers(
        programmes=[home, *([host] if host else [])],
        looked_after_by=[looked_after_by],
        by_identifier=by_identifier,
    )


def test_a_counsellor_sees_those_they_look_after() -> None:
    assert sees(Role.COUNSELLOR, Act.SEE_CLIENT, looked_after_by=ME)
    assert not sees(Role.COUNSELLOR, Act.SEE_CLIENT)
    assert not sees(Role.COUNSELLOR, Act.SEE_CLIENT, looked_after_by=ME, home=ELSEWHERE)


def test_a_counsellor_on_duty_sees_everybody_of_that_programme() -> None:
    assert sees(Role.COUNSELLOR, Act.SEE_CLIENT, on_duty=True)
    assert not sees(Role.COUNSELLOR, Act.SEE_CLIENT, on_duty=True, home=ELSEWHERE)


@pytest.mark.parametrize("role", [role for role in Role if EXTENT[role] is Extent.PROGRAMME])
def test_whoever_works_for_the_whole_programme_sees_its_clients_and_its_guests(role: Role) -> None:
    assert sees(role, Act.SEE_IDENTITY)
    assert sees(role, Act.SEE_IDENTITY, home=ELSEWHERE, host=HERE)
    assert not sees(role, Act.SEE_IDENTITY, home=ELSEWHERE)
    assert not sees(role, Act.SEE_IDENTITY, home=ELSEWHERE, looked_after_by=ME)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("act", list(Act))
def test_a_dose_given_at_the_window_is_signed_for_there_whoever_hosts_its_client_by_now(role: Role, act: Act) -> None:
    seen = reach(ME, [Holding(role=role, programme=HERE)], act)

    def dose(given_in: ProgrammeId) -> bool:
        return seen.covers(programmes=[ELSEWHERE], looked_after_by=[], by_identifier=False, signed_in=given_in)

    assert dose(HERE) is (act is Act.SIGN_OFF_DOSE and role in MAY[Act.SIGN_OFF_DOSE])
    assert not dose(ELSEWHERE)


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.PRIVACY_OFFICER])
@pytest.mark.parametrize("held_in", [HERE, None])
def test_those_who_read_the_log_see_one_client_at_a_time_by_identifier(role: Role, held_in: ProgrammeId | None) -> None:
    assert sees(role, Act.SEE_IDENTITY, held_in=held_in, by_identifier=True)
    assert not sees(role, Act.SEE_IDENTITY, held_in=held_in)
    assert not sees(role, Act.SEE_CLIENT, held_in=held_in, by_identifier=True)
    assert sees(role, Act.SEE_IDENTITY, held_in=held_in, home=ELSEWHERE, by_identifier=True) is (held_in is None)


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.INSPECTOR])
@pytest.mark.parametrize("act", list(Act))
@pytest.mark.parametrize("by_identifier", [False, True])
def test_an_administrator_and_an_inspector_see_no_client(role: Role, act: Act, *, by_identifier: bool) -> None:
    assert not sees(role, act, looked_after_by=ME, by_identifier=by_identifier)
    assert not sees(role, act, held_in=None, looked_after_by=ME, by_identifier=by_identifier)


def test_a_role_for_the_whole_organisation_gives_no_list_of_anybodys_clients() -> None:
    for role in Role:
        for act in Act:
            assert not sees(role, act, held_in=None, on_duty=True, looked_after_by=ME), (role, act)


@given(
    st.lists(
        st.builds(
            Holding,
            role=st.sampled_from(Role),
            programme=st.sampled_from([HERE, ELSEWHERE, None]),
            on_duty=st.booleans(),
        ),
        max_size=4,
    ),
    st.sampled_from(Act),
)
def test_only_roles_that_allow_the_act_count_and_more_roles_never_show_less(holdings: list[Holding], act: Act) -> None:
    whole = reach(ME, holdings, act)
    counting = [holding for holding in holdings if holding.role in MAY[act]]
    assert whole == reach(ME, counting, act)
    for holding in holdings:
        part = reach(ME, [holding], act)
        assert part.everyone_in <= whole.everyone_in
        assert part.caseload_in <= whole.caseload_in
        assert part.any_by_identifier <= whole.any_by_identifier
        assert part.one_in <= whole.one_in
