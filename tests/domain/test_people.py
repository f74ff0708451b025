"""Who may do what, what a password may be, and when a session is over: plain rules."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseload.domain import people
from caseload.domain.access import (
    CLINICIANS,
    CONFIRMED_BY_ANOTHER,
    EXTENT,
    MAY,
    PRESCRIBERS,
    WITHOUT_PROGRAMME,
    Act,
    Extent,
    Role,
    may,
)
from caseload.domain.errors import CaseloadError, NotPermitted
from caseload.domain.ids import ProgrammeId, SessionId, new_id
from caseload.domain.people import (
    COMMAND_LINE,
    Evidence,
    LockoutRules,
    PasswordRules,
    Patience,
    Proof,
    ProofIncomplete,
    ProofNotYours,
    ProofSpent,
    Session,
    SessionOver,
    SessionRules,
    SigningSuspended,
    StillResponsible,
    WaitBeforeSigningIn,
    check_complete,
    new_secret,
    new_token,
    the_command_line,
    token_digest,
)
from caseload.domain.people.passwords import LONGEST, common_passwords, is_commonplace, normalised
from tests.factories.seals import SEALING
from tests.factories.staff import somebody

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
RULES = LockoutRules()
HERE = ProgrammeId(new_id())
ABOUT_CLIENTS = {
    Act.REGISTER_CLIENT, Act.FIND_CLIENT, Act.SEE_IDENTITY, Act.SEE_CLIENT, Act.CORRECT_IDENTITY, Act.ADMIT,
    Act.DISCHARGE, Act.SEE_CASELOAD, Act.HAND_OVER, Act.SEE_CHECK_INS, Act.PLAN_CHECK_INS, Act.COMPLETE_CHECK_IN,
    Act.SEE_APPOINTMENTS, Act.RECORD_ARRIVAL, Act.SEE_SESSIONS, Act.PLAN_SESSION, Act.TAKE_REGISTER,
    Act.SEE_MEDICATION, Act.WRITE_ORDER, Act.RECORD_DOSE, Act.RAISE_HOLD, Act.DECIDE_MEDICATION, Act.SIGN_OFF_DOSE,
    Act.SEE_FAMILY, Act.RECORD_FAMILY, Act.RECORD_CONSENT, Act.ASK_CONSENT, Act.MATCH_RECORDS,
}  # fmt: skip


def test_every_act_is_somebodys_and_every_role_sees_as_far_as_is_said() -> None:
    assert set(MAY) == set(Act)
    assert all(MAY.values())
    assert set(EXTENT) == set(Role)


def test_an_administrator_touches_no_client_and_no_log() -> None:
    allowed = {act for act in Act if Role.ADMINISTRATOR in MAY[act]}
    assert not allowed & ABOUT_CLIENTS
    assert not allowed & {Act.SEE_AUDIT_LOG, Act.EXPORT_AUDIT_LOG, Act.SEE_DISPENSING_LOG}
    assert EXTENT[Role.ADMINISTRATOR] is Extent.NOBODY


def test_those_who_read_the_log_change_nothing_about_clients_but_consents() -> None:
    for role in (Role.AUDITOR, Role.INSPECTOR):
        allowed = {act for act in Act if role in MAY[act]} & ABOUT_CLIENTS
        assert allowed <= {Act.SEE_IDENTITY, Act.FIND_CLIENT}, role


def test_an_inspector_sees_the_dispensing_log_and_the_stock_and_nothing_else() -> None:
    allowed = {act for act in Act if Role.INSPECTOR in MAY[act]}
    assert allowed == {Act.KNOW_MYSELF, Act.SEE_PROGRAMMES, Act.SEE_DISPENSING_LOG, Act.SEE_STOCK}


def test_the_front_desk_sees_nothing_clinical() -> None:
    allowed = {act for act in Act if Role.FRONT_DESK in MAY[act]}
    assert not allowed & {
        Act.SEE_CLIENT, Act.SEE_MEDICATION, Act.SEE_SESSIONS, Act.SEE_CHECK_INS, Act.SEE_FAMILY, Act.SEE_CASELOAD,
        Act.RECORD_DOSE, Act.SIGN_OFF_DOSE,
    }  # fmt: skip


def test_a_pharmacist_sees_no_counselling() -> None:
    allowed = {act for act in Act if Role.PHARMACIST in MAY[act]}
    assert not allowed & {Act.SEE_SESSIONS, Act.SEE_CHECK_INS, Act.SEE_FAMILY, Act.TAKE_REGISTER}


def test_only_prescribers_sign_orders_and_decisions_and_only_clinicians_sign_doses() -> None:
    assert MAY[Act.WRITE_ORDER] == MAY[Act.DECIDE_MEDICATION] == PRESCRIBERS
    assert MAY[Act.SIGN_OFF_DOSE] == CLINICIANS
    assert Role.COUNSELLOR not in MAY[Act.SIGN_OFF_DOSE] | MAY[Act.RECORD_DOSE] | MAY[Act.WRITE_ORDER]


def test_whoever_confirms_roles_or_people_had_to_be_confirmed() -> None:
    assert MAY[Act.CONFIRM_ROLE] | MAY[Act.CONFIRM_IDENTITY] | CLINICIANS <= CONFIRMED_BY_ANOTHER


def test_whoever_may_hold_a_role_everywhere_sees_clients_one_at_a_time_or_not_at_all() -> None:
    assert {EXTENT[role] for role in WITHOUT_PROGRAMME} <= {Extent.ONE_BY_IDENTIFIER, Extent.NOBODY}


def test_whoever_is_signed_in_may_know_themselves_and_leave_without_any_role() -> None:
    nobody = somebody()
    assert [act for act in Act if nobody.may(act)] == [Act.KNOW_MYSELF]


@given(st.lists(st.tuples(st.sampled_from(Role), st.booleans()), max_size=4), st.sampled_from(Act))
def test_a_role_counts_in_its_programme_and_one_held_everywhere_counts_in_each(
    holds: list[tuple[Role, bool]], act: Act
) -> None:
    elsewhere = ProgrammeId(new_id())
    staff = somebody(*((role, HERE if here else None) for role, here in holds))
    allowed_here = any(role in MAY[act] for role, _ in holds)
    allowed_elsewhere = any(role in MAY[act] for role, here in holds if not here)
    for programme, allowed in ((HERE, allowed_here), (elsewhere, allowed_elsewhere)):
        if allowed:
            staff.require(act, programme)
        else:
            with pytest.raises(NotPermitted):
                staff.require(act, programme)
    assert may(staff.holdings, act) is allowed_here


def test_the_command_line_administers_and_signs_nothing() -> None:
    by = the_command_line()
    assert (by.id, by.session, by.may_sign) == (COMMAND_LINE, None, False)
    assert {holding.role for holding in by.holdings} == {Role.ADMINISTRATOR}


@pytest.mark.parametrize(
    "password",
    [
        "passwordpassword",
        "Password-Password-2026",
        "P4ssw0rd!P4ssw0rd!",
        "123456789012345",
        "qwertyuiopasdfghjkl",
        "1qaz2wsx3edc4rfv",
        "iloveyouiloveyou",
        "Summer2026Summer2026",
        "aaaaaaaaaaaaaaaaaaaa",
        "abcdefghijklmnopqrstuvwxyz",
        "ada.nowak.2026.2026",
        "Nowak-Caseload-1984",
        "!!!!!!!!!!!!!!!!!!!!",
        "dragon monkey shadow",
    ],
)
def test_what_everybody_tries_first_is_refused(password: str) -> None:
    [fault] = PasswordRules().faults(password, field="new_password", about=("ada.nowak", "Ada Nowak", "caseload"))
    assert fault.field == "new_password"
    assert password not in fault.problem


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "unremarkable teapot voyage",
        "xk29vmq8trw0plzy",
        "Лошадь читает газету",
        "väljer aldrig samma väg",
        "马和电池订书钉正确的密码很长呢是吧",
        "🐴🔋📎✅ kettle fjord umbrella",
        "J2JT8-SRFGW-G5BR7-XWW2V-4BM7Y",
        "f2WqYw6m8oJx1cQvT0uZr3LkN5bHdSgEaPiXyVtM4lA",
    ],
)
def test_what_is_long_and_ones_own_is_taken_whatever_it_is_made_of(password: str) -> None:
    assert PasswordRules().faults(password, field="p", about=("ada",)) == []


@given(st.integers(0, 14))
def test_a_password_that_is_too_short_is_told_so_whatever_else_is_wrong(length: int) -> None:
    [fault] = PasswordRules().faults("a" * length, field="p", about=())
    assert "at least 15" in fault.problem


def test_the_length_is_counted_in_characters_and_its_limits_are_exact() -> None:
    rules = PasswordRules(shortest=20)
    assert rules.faults("violet kettle fjords", field="p", about=()) == []
    assert rules.faults("violet kettle fjord", field="p", about=()) != []
    assert rules.faults(("violet kettle fjord " * 20)[:LONGEST], field="p", about=()) == []
    assert rules.faults(("violet kettle fjord " * 20)[: LONGEST + 1], field="p", about=()) != []


def test_how_a_keyboard_composes_an_accent_does_not_matter() -> None:
    assert normalised("v\u00e4lj") == normalised("va\u0308lj")


def test_the_list_of_common_passwords_is_there_and_is_a_list_of_passwords() -> None:
    assert 29_000 < len(common_passwords()) <= 30_000
    assert {"password", "123456", "qwerty", "letmein"} <= common_passwords()


@given(st.text(max_size=60))
def test_any_text_can_be_weighed(text: str) -> None:
    assert is_commonplace(text) in {True, False}
    assert is_commonplace(text) is is_commonplace(text)


@given(st.sampled_from(sorted(common_passwords())[::50]), st.integers(0, 9999))
def test_a_common_password_with_a_number_behind_it_is_common(word: str, number: int) -> None:
    assert is_commonplace(f"{word}{number:04}")


def test_one_time_secrets_and_tokens_are_new_each_time_and_easy_to_tell_apart() -> None:
    made = {new_secret() for _ in range(1000)}
    assert len(made) == 1000
    assert all(not set("01IOLU") & set(secret) and len(secret) == 29 for secret in made)
    tokens = {new_token() for _ in range(1000)}
    assert len(tokens) == 1000
    assert {len(token) for token in tokens} == {43}
    assert {len(token_digest(token)) for token in tokens} == {32}


def a_session(**changes: object) -> Session:
    return Session(
        **{  # pyright: ignore[reportArgumentType]  each kind takes other words, and gets its own
            "id": SessionId(new_id()),
            "staff": somebody(),
            "last_used_at": NOW,
            "expires_at": NOW + timedelta(hours=12),
            "ended_at": None,
            "deactivated": False,
            **changes,
        }
    )


@pytest.mark.parametrize(
    ("session", "at"),
    [
        (a_session(), NOW + timedelta(minutes=15)),
        (a_session(ended_at=NOW), NOW),
        (a_session(deactivated=True), NOW),
        (a_session(expires_at=NOW + timedelta(seconds=1)), NOW + timedelta(seconds=1)),
    ],
)
def test_a_session_is_over(session: Session, at: datetime) -> None:
    with pytest.raises(SessionOver):
        session.check(now=at, rules=SessionRules())


def test_a_session_goes_on_until_the_last_moment_and_is_noted_once_a_minute() -> None:
    session = a_session()
    rules = SessionRules()
    moment = timedelta(microseconds=1)
    assert session.check(now=NOW + rules.idle - moment, rules=rules) is session.staff
    assert not session.is_due_to_be_noted(now=NOW + rules.noted_every - moment, rules=rules)
    assert session.is_due_to_be_noted(now=NOW + rules.noted_every, rules=rules)


def test_a_proof_is_good_for_one_act_of_its_own_maker() -> None:
    by, other = somebody(), somebody()
    proof = Proof(staff=by.id, at=NOW, methods=("password",), sealing=SEALING)
    with pytest.raises(ProofNotYours):
        proof.spend(by=other)
    proof.spend(by=by)
    with pytest.raises(ProofSpent):
        proof.spend(by=by)


def test_a_proof_does_not_help_while_signing_is_suspended() -> None:
    by = somebody(may_sign=False)
    proof = Proof(staff=by.id, at=NOW, methods=("password",), sealing=SEALING)
    with pytest.raises(SigningSuspended):
        proof.spend(by=by)


def test_a_password_offered_as_evidence_does_not_show_itself() -> None:
    assert "teapot" not in repr(Evidence(password="teapot"))


def test_the_command_lines_identifier_never_changes() -> None:
    assert UUID("00000000-0000-7000-8000-000000000001") == COMMAND_LINE
    assert COMMAND_LINE.version == 7


def test_the_wait_doubles_from_a_second_to_a_quarter_of_an_hour() -> None:
    waits = [Patience(forgiven=4).wait(failures).total_seconds() for failures in range(1, 18)]
    assert waits == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]
    assert Patience(forgiven=4).wait(10_000) == timedelta(minutes=15)


def test_the_table_of_waits_says_what_the_rule_says() -> None:
    for patience in (RULES.together, RULES.account, RULES.source):
        waits = patience.waits()
        for failures in range(1, len(waits) + 20):
            assert waits[min(failures, len(waits)) - 1] == patience.wait(failures).total_seconds()


def test_no_account_can_be_guessed_at_a_hundred_times_in_a_row_within_a_day() -> None:
    """NIST SP 800-63B-4, section 3.2.2, with as many sources as one likes."""
    elapsed, failures = timedelta(0), 0
    while elapsed < timedelta(days=1):
        failures += 1
        elapsed += RULES.account.wait(failures)
    assert failures < 160
    assert RULES.account.wait(61) == timedelta(minutes=15)


REFUSALS = sorted(
    (
        found
        for found in vars(people).values()
        if isinstance(found, type) and issubclass(found, CaseloadError) and "__init__" in vars(found)
    ),
    key=lambda found: found.__name__,
)


COUNTED: dict[type[CaseloadError], Callable[[], CaseloadError]] = {StillResponsible: lambda: StillResponsible(2)}
"""Those that say how many."""


@pytest.mark.parametrize(
    "refusal", [COUNTED.get(found, found) for found in REFUSALS if found is not WaitBeforeSigningIn]
)
def test_a_refusal_says_what_it_is_and_what_to_do_next(refusal: Callable[[], CaseloadError]) -> None:
    error = refusal()
    assert error.__doc__
    assert error.detail.endswith((".", "?"))


def test_the_first_signing_of_a_session_needs_every_proof_of_the_account_and_a_later_one_does_not() -> None:
    check_complete(["password"], of_account=["password"], first=True)
    check_complete(["password", "code"], of_account=["password", "code"], first=True)
    check_complete(["password"], of_account=["password", "code"], first=False)
    with pytest.raises(ProofIncomplete) as refused:
        check_complete(["password"], of_account=["password", "code"], first=True)
    assert refused.value.facts["missing"] == ["code"]
