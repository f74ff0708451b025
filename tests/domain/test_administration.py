"""Administering people, over tables that are lists: each rule by itself, and every refusal by its name."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from caseload.domain import people
from caseload.domain.access import CLINICIANS, WITHOUT_PROGRAMME, Act, Role
from caseload.domain.errors import Invalid, NotPermitted
from caseload.domain.ids import (
    GrantId,
    ProgrammeId,
    RegistrationId,
    ResetId,
    SessionId,
    ShiftId,
    StaffId,
    new_id,
)
from caseload.domain.journal import Event
from caseload.domain.people import (
    COMMAND_LINE,
    Account,
    AlreadyConfirmed,
    AlreadyDeactivated,
    AlreadyRevoked,
    Grant,
    GrantUnknown,
    LockOut,
    NeedsAThirdPerson,
    NotYourself,
    Password,
    PasswordRules,
    Registration,
    RegistrationUnknown,
    Reset,
    ResetUnknown,
    SessionEnd,
    Shift,
    ShiftAlreadyCancelled,
    SigningSuspended,
    Staff,
    StaffUnknown,
    StillResponsible,
    WaitBeforeSigningIn,
    the_command_line,
)
from tests.factories.staff import somebody

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
HERE, ELSEWHERE = ProgrammeId(new_id()), ProgrammeId(new_id())
RULES = PasswordRules()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


ADMIN = somebody((Role.ADMINISTRATOR, None))
LOCAL_ADMIN = somebody((Role.ADMINISTRATOR, HERE))
SUPERVISOR = somebody((Role.SUPERVISOR, HERE))
STRANGER = somebody((Role.SUPERVISOR, ELSEWHERE))
NURSE = somebody((Role.NURSE, HERE))


def account(*where: ProgrammeId | None, **changes: Any) -> Account:
    made = Account(
        id=StaffId(new_id()),
        user_name="ben",
        printed_name="Ben Okafor",
        created_at=NOW,
        deactivated_at=None,
        suspended=False,
        where=frozenset(where),
    )
    return replace(made, **changes)


class Told:
    """A journal that remembers the names of what it was told."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def saw(self, client: Any, kind: str) -> None:
        raise AssertionError((client, kind))

    def tell(self, event: Event) -> None:
        self.events.append(event)

    @property
    def names(self) -> list[str]:
        return [event.name for event in self.events]


@dataclass
class Book:
    """Accounts, roles, shifts and waits, kept in lists."""

    accounts: list[Account] = field(default_factory=list[Account])
    passwords: list[Password] = field(default_factory=list[Password])
    resets: list[Reset] = field(default_factory=list[Reset])
    grants: list[Grant] = field(default_factory=list[Grant])
    registrations: list[Registration] = field(default_factory=list[Registration])
    shifts: list[Shift] = field(default_factory=list[Shift])
    ended: list[tuple[StaffId, SessionEnd, SessionId | None]] = field(
        default_factory=list[tuple[StaffId, SessionEnd, SessionId | None]]
    )
    still: list[StaffId] = field(default_factory=list[StaffId])
    counsellors: bool = True
    clients: dict[tuple[ProgrammeId | None, datetime, datetime | None], int] = field(
        default_factory=dict[tuple[ProgrammeId | None, datetime, datetime | None], int]
    )
    forgotten: list[StaffId] = field(default_factory=list[StaffId])


class Accounts:
    def __init__(self, book: Book) -> None:
        self.book = book

    async def get(self, staff: StaffId, *, at: datetime) -> Account:
        assert at == NOW
        for kept in self.book.accounts:
            if kept.id == staff:
                return kept
        raise StaffUnknown

    async def hold_still(self, staff: StaffId) -> None:
        self.book.still.append(staff)

    async def answers_for(
        self, staff: StaffId, *, programme: ProgrammeId | None, since: datetime, until: datetime | None
    ) -> int:
        assert self.book.still == [staff], "nobody gives them a client meanwhile"
        return self.book.clients.get((programme, since, until), 0)

    async def add(self, account: Account, *, by: StaffId) -> None:
        assert by
        self.book.accounts.append(account)

    async def deactivate(self, staff: StaffId, *, reason: str, by: StaffId, at: datetime) -> None:
        assert reason == reason.strip() != ""
        assert by != staff
        self.book.accounts = [
            replace(kept, deactivated_at=at) if kept.id == staff else kept for kept in self.book.accounts
        ]

    async def newest_password(self, staff: StaffId) -> Password | None:
        return max((kept for kept in self.book.passwords if kept.staff == staff), key=lambda p: p.number, default=None)

    async def add_password(self, password: Password) -> None:
        self.book.passwords.append(password)

    async def add_reset(self, reset: Reset) -> None:
        self.book.resets.append(reset)

    async def get_reset(self, reset: ResetId) -> Reset:
        for kept in self.book.resets:
            if kept.id == reset:
                return kept
        raise ResetUnknown

    async def unconfirmed_resets(self) -> Sequence[Reset]:
        return [kept for kept in self.book.resets if not kept.confirmed]

    async def confirm_reset(self, reset: Reset, *, by: StaffId, at: datetime) -> None:
        assert by not in {reset.staff, reset.reset_by}
        assert at == NOW
        self.book.resets = [replace(kept, confirmed=kept.confirmed or kept == reset) for kept in self.book.resets]

    async def end_sessions(
        self, staff: StaffId, *, why: SessionEnd, at: datetime, but: SessionId | None = None
    ) -> None:
        assert at == NOW
        self.book.ended.append((staff, why, but))


class Roles:
    def __init__(self, book: Book) -> None:
        self.book = book

    async def of(self, staff: StaffId) -> Sequence[Grant]:
        return [kept for kept in self.book.grants if kept.staff == staff]

    async def today_in(self, programme: ProgrammeId, *, at: datetime) -> date:
        return at.astimezone(ZoneInfo("Pacific/Honolulu" if programme == ELSEWHERE else "UTC")).date()

    async def waiting(self, *, at: datetime) -> Sequence[Grant]:
        return [kept for kept in self.book.grants if kept.needs_confirmation and not kept.is_over(at)]

    async def get(self, grant: GrantId) -> Grant:
        for kept in self.book.grants:
            if kept.id == grant:
                return kept
        raise GrantUnknown

    async def add(self, grant: Grant) -> None:
        self.book.grants.append(grant)

    async def confirm(self, grant: Grant, *, by: StaffId, at: datetime) -> None:
        assert at == NOW
        self.book.grants = [replace(kept, confirmed_by=by) if kept == grant else kept for kept in self.book.grants]

    async def revoke(self, grant: Grant, *, reason: str, by: StaffId, at: datetime) -> None:
        assert reason == reason.strip() != ""
        assert by != grant.staff
        self.book.grants = [replace(kept, revoked_at=at) if kept == grant else kept for kept in self.book.grants]

    async def registrations_of(self, staff: StaffId) -> Sequence[Registration]:
        return [kept for kept in self.book.registrations if kept.staff == staff]

    async def get_registration(self, wanted: RegistrationId) -> Registration:
        for kept in reversed(self.book.registrations):
            if kept.id == wanted:
                return kept
        raise RegistrationUnknown

    async def add_registration(self, new: Registration, *, by: StaffId, at: datetime) -> None:
        assert at == NOW
        assert by != new.staff
        self.book.registrations.append(new)

    async def add_check(self, checked: Registration, *, by: StaffId, at: datetime) -> None:
        await self.add_registration(checked, by=by, at=at)


class Shifts:
    def __init__(self, book: Book) -> None:
        self.book = book

    async def holds(self, staff: StaffId, role: Role, programme: ProgrammeId, *, at: datetime) -> bool:
        assert staff
        assert programme
        assert role is Role.COUNSELLOR
        assert at >= NOW
        return self.book.counsellors

    async def add(self, shift: Shift, *, by: StaffId, at: datetime) -> None:
        assert at == NOW
        assert by != shift.staff
        self.book.shifts.append(shift)

    async def get(self, shift: ShiftId) -> Shift:
        return next(kept for kept in self.book.shifts if kept.id == shift)

    async def cancel(self, shift: Shift, *, by: StaffId, at: datetime) -> None:
        assert by
        self.book.shifts = [replace(kept, cancelled_at=at) if kept == shift else kept for kept in self.book.shifts]

    async def between(self, programme: ProgrammeId, *, since: datetime, until: datetime) -> Sequence[Shift]:
        raise AssertionError((programme, since, until))


class LockOuts:
    def __init__(self, book: Book) -> None:
        self.book = book

    async def running(self) -> Sequence[LockOut]:
        raise AssertionError

    async def forget(self, account: Account) -> None:
        self.book.forgotten.append(account.id)


def fields(error: pytest.ExceptionInfo[Invalid]) -> set[str]:
    return {fault.field for fault in error.value.faults}


def with_a_secret(by: Staff, book: Book, told: Told) -> dict[str, Any]:
    """What both ways to a one-time secret are given."""
    given = {"by": by, "now": NOW, "accounts": Accounts(book), "journal": told}
    return {"secret_hash": "$argon2id$", "rules": RULES, **given}


async def add(user_name: str, printed_name: str, *, by: Staff, book: Book, told: Told) -> Account:
    return await people.add_staff(user_name, printed_name, as_id=StaffId(new_id()), **with_a_secret(by, book, told))


async def test_somebody_added_has_a_one_time_secret_and_no_role() -> None:
    book, told = Book(), Told()
    made = await add(" Ada.Nowak ", " Ada Nowak ", by=ADMIN, book=book, told=told)
    assert (made.user_name, made.printed_name, made.where) == ("ada.nowak", "Ada Nowak", frozenset())
    [secret] = book.passwords
    assert (secret.number, secret.set_by, secret.one_time_until) == (1, ADMIN.id, NOW + timedelta(hours=72))
    assert told.names == ["staff.added"]
    assert told.events[0].records == (made.id,)


async def test_only_an_administrator_adds_staff() -> None:
    with pytest.raises(NotPermitted):
        await add("ada", "Ada", by=SUPERVISOR, book=Book(), told=Told())


@pytest.mark.parametrize(
    ("user_name", "printed_name", "wrong"),
    [
        ("a", "", {"user_name", "printed_name"}),
        ("ada nowak", "Ada", {"user_name"}),
        ("\u0430da", "Ada", {"user_name"}),
        ("ada", "x" * 121, {"printed_name"}),
        ("ada", "A\nda", {"printed_name"}),
    ],
)
async def test_names_that_cannot_stand_under_a_signature_are_refused(
    user_name: str, printed_name: str, wrong: set[str]
) -> None:
    with pytest.raises(Invalid) as error:
        await add(user_name, printed_name, by=ADMIN, book=Book(), told=Told())
    assert fields(error) == wrong


async def close(staff: StaffId, *, by: Staff, book: Book, told: Told, reason: str = " left ") -> None:
    await people.deactivate(staff, reason=reason, by=by, now=NOW, accounts=Accounts(book), journal=told)


async def test_a_closed_account_has_no_sessions_and_stays_closed() -> None:
    ben = account(HERE)
    book, told = Book([ben]), Told()
    await close(ben.id, by=LOCAL_ADMIN, book=book, told=told)
    assert book.ended == [(ben.id, SessionEnd.DEACTIVATED, None)]
    assert book.still == [ben.id], "no session may begin meanwhile"
    assert told.names == ["staff.deactivated"]
    with pytest.raises(AlreadyDeactivated):
        await close(ben.id, by=ADMIN, book=book, told=told)


async def test_whoever_answers_for_clients_does_not_leave_them_with_nobody() -> None:
    ben = account(HERE)
    book, told = Book([ben], clients={(None, NOW, None): 3}), Told()
    with pytest.raises(StillResponsible) as refused:
        await close(ben.id, by=LOCAL_ADMIN, book=book, told=told)
    assert refused.value.facts == {"clients": 3}
    assert "They answer for 3 clients" in refused.value.detail
    assert (book.accounts, book.ended, told.names) == ([ben], [], [])


@pytest.mark.parametrize(
    ("starts_in", "ends_in", "asked_since"), [(-1, None, 0), (-1, 9, 0), (2, 9, 2)], ids=["open", "locum", "later"]
)
async def test_a_counsellor_keeps_the_role_while_clients_are_theirs_in_the_time_that_would_go(
    starts_in: int, ends_in: int | None, asked_since: int
) -> None:
    ben, day = account(HERE), timedelta(days=1)
    ends_at = None if ends_in is None else NOW + ends_in * day
    grant = a_grant(
        ben.id, ADMIN, role=Role.COUNSELLOR, programme=HERE, starts_at=NOW + starts_in * day, ends_at=ends_at
    )
    kept = Book([ben], grants=[grant], clients={(HERE, NOW + asked_since * day, ends_at): 1})
    with pytest.raises(StillResponsible, match="one client,"):
        await revoke(grant, by=LOCAL_ADMIN, book=kept, told=Told())
    assert kept.grants == [grant]
    without, told = Book([ben], grants=[grant]), Told()
    await revoke(grant, by=LOCAL_ADMIN, book=without, told=told)
    assert told.names == ["staff.role_revoked"]


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
async def test_a_reason_is_given_in_so_many_words(reason: str) -> None:
    ben = account()
    with pytest.raises(Invalid) as error:
        await close(ben.id, by=ADMIN, book=Book([ben]), told=Told(), reason=reason)
    assert fields(error) == {"reason"}


@pytest.mark.parametrize(
    ("by", "where", "allowed"),
    [
        (ADMIN, (), True),
        (ADMIN, (HERE, None), True),
        (LOCAL_ADMIN, (), True),
        (LOCAL_ADMIN, (HERE,), True),
        (LOCAL_ADMIN, (HERE, ELSEWHERE), False),
        (LOCAL_ADMIN, (None,), False),
        (SUPERVISOR, (HERE,), False),
        (the_command_line(), (HERE, None), True),
    ],
)
async def test_who_takes_over_an_account_manages_everywhere_it_reaches(
    by: Staff, where: tuple[ProgrammeId | None, ...], *, allowed: bool
) -> None:
    ben = account(*where)
    book, told = Book([ben]), Told()
    if allowed:
        await reset(ben.id, by=by, book=book, told=told)
        assert told.names == ["staff.password_reset"]
    else:
        with pytest.raises(NotPermitted):
            await reset(ben.id, by=by, book=book, told=told)
        assert book.resets == book.passwords == book.ended == []


async def reset(staff: StaffId, *, by: Staff, book: Book, told: Told) -> Reset:
    return await people.reset_password(staff, as_id=ResetId(new_id()), **with_a_secret(by, book, told))


async def test_a_reset_replaces_the_password_and_ends_every_session() -> None:
    ben = account(HERE)
    book = Book([ben], [Password(staff=ben.id, number=4, hash="", set_by=ben.id, set_at=NOW, one_time_until=None)])
    made = await reset(ben.id, by=ADMIN, book=book, told=Told())
    assert [kept.number for kept in book.passwords] == [4, 5]
    assert book.passwords[-1].one_time_until == NOW + timedelta(hours=72)
    assert book.ended == [(ben.id, SessionEnd.PASSWORD_RESET, None)]
    assert (made.staff, made.reset_by, made.confirmed) == (ben.id, ADMIN.id, False)


async def test_nobody_resets_or_closes_their_own_account() -> None:
    own = account(id=ADMIN.id)
    book = Book([own])
    with pytest.raises(NotYourself):
        await reset(own.id, by=ADMIN, book=book, told=Told())
    with pytest.raises(NotYourself):
        await close(own.id, by=ADMIN, book=book, told=Told())


async def confirm_reset(made: Reset, *, by: Staff, book: Book, told: Told) -> None:
    await people.confirm_reset(made.id, by=by, now=NOW, accounts=Accounts(book), journal=told)


async def test_a_third_person_who_may_put_their_name_to_something_confirms_a_reset_once() -> None:
    ben = account(HERE)
    book, told = Book([ben]), Told()
    made = await reset(ben.id, by=ADMIN, book=book, told=told)
    himself = replace(SUPERVISOR, id=ben.id)
    for by, refusal in (
        (ADMIN, NeedsAThirdPerson),
        (himself, NeedsAThirdPerson),
        (the_command_line(), NeedsAThirdPerson),
        (replace(SUPERVISOR, may_sign=False), SigningSuspended),
        (STRANGER, NotPermitted),
        (NURSE, NotPermitted),
    ):
        with pytest.raises(refusal):
            await confirm_reset(made, by=by, book=book, told=told)
    await confirm_reset(made, by=SUPERVISOR, book=book, told=told)
    assert told.names == ["staff.password_reset", "staff.password_reset_confirmed"]
    assert await Accounts(book).unconfirmed_resets() == []
    with pytest.raises(AlreadyConfirmed):
        await confirm_reset(made, by=SUPERVISOR, book=book, told=told)


async def test_a_password_of_ones_own_has_no_end_and_ends_the_other_sessions() -> None:
    ada, session = StaffId(new_id()), SessionId(new_id())
    former = Password(staff=ada, number=1, hash="", set_by=ADMIN.id, set_at=NOW, one_time_until=NOW)
    book, told = Book(), Told()
    chosen = await people.choose_password(
        former, "$argon2id$", by=ada, session=session, now=NOW, accounts=Accounts(book), journal=told
    )
    assert (chosen.number, chosen.set_by, chosen.one_time_until) == (2, ada, None)
    assert book.ended == [(ada, SessionEnd.PASSWORD_CHANGED, session)]
    assert told.names == ["staff.password_chosen"]


def a_registration(staff: StaffId, **changes: Any) -> Registration:
    made = Registration(
        id=RegistrationId(new_id()), staff=staff, body="NMC", number="77X", expires_on=date(2027, 1, 1), checks=1
    )
    return replace(made, **changes)


async def register(new: Registration, *, by: Staff, book: Book, told: Told) -> None:
    await people.record_registration(new, by=by, now=NOW, accounts=Accounts(book), roles=Roles(book), journal=told)


async def test_a_registration_is_recorded_and_looked_up_again() -> None:
    ben = account(HERE)
    book, told = Book([ben]), Told()
    new = a_registration(ben.id)
    await register(new, by=ADMIN, book=book, told=told)
    checked = await people.check_registration(
        new.id,
        date(2028, 1, 1),
        by=ADMIN,
        now=NOW,
        accounts=Accounts(book),
        roles=Roles(book),
        journal=told,
    )
    assert (checked.expires_on, checked.checks) == (date(2028, 1, 1), 2)
    assert told.names == ["staff.registration_recorded", "staff.registration_checked"]
    assert told.events[1].facts == {"expires_on": "2028-01-01"}


async def test_every_fault_of_a_registration_is_named() -> None:
    ben = account()
    wrong = a_registration(ben.id, body="nursing & midwifery", number="", expires_on=date(2026, 11, 20))
    with pytest.raises(Invalid) as error:
        await register(wrong, by=ADMIN, book=Book([ben]), told=Told())
    assert fields(error) == {"body", "number", "expires_on"}


@pytest.mark.parametrize(("by", "refusal"), [(LOCAL_ADMIN, NotPermitted), (SUPERVISOR, NotPermitted)])
async def test_a_registration_is_recorded_by_who_manages_that_person(by: Staff, refusal: type[Exception]) -> None:
    ben = account(ELSEWHERE)
    with pytest.raises(refusal):
        await register(a_registration(ben.id), by=by, book=Book([ben]), told=Told())


def a_grant(staff: StaffId, by: Staff, **changes: Any) -> Grant:
    made = Grant(
        id=GrantId(new_id()),
        staff=staff,
        role=Role.COUNSELLOR,
        programme=HERE,
        starts_at=NOW,
        ends_at=None,
        granted_by=by.id,
        granted_at=NOW,
        registration=None,
    )
    return replace(made, **changes)


async def give(new: Grant, *, by: Staff, book: Book, told: Told) -> None:
    await people.grant_role(new, by=by, now=NOW, accounts=Accounts(book), roles=Roles(book), journal=told)


async def test_a_role_is_granted_and_told_with_its_programme() -> None:
    ben = account()
    book, told = Book([ben]), Told()
    await give(a_grant(ben.id, LOCAL_ADMIN), by=LOCAL_ADMIN, book=book, told=told)
    await give(a_grant(ben.id, ADMIN, role=Role.AUDITOR, programme=None), by=ADMIN, book=book, told=told)
    assert told.names == ["staff.role_granted"] * 2
    assert [event.facts for event in told.events] == [
        {"role": "counsellor", "programme": str(HERE)},
        {"role": "auditor", "programme": "all"},
    ]


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"programme": None}, {"programme_id"}),
        ({"starts_at": NOW - timedelta(minutes=5, seconds=1)}, {"starts_at"}),
        ({"ends_at": NOW}, {"ends_at"}),
        ({"role": Role.INSPECTOR}, {"ends_at"}),
        ({"registration": RegistrationId(new_id())}, {"registration_id"}),
        ({"role": Role.NURSE}, {"registration_id"}),
    ],
)
async def test_a_role_that_cannot_be_is_refused_by_field(changes: dict[str, Any], wrong: set[str]) -> None:
    ben = account()
    with pytest.raises(Invalid) as error:
        await give(a_grant(ben.id, ADMIN, **changes), by=ADMIN, book=Book([ben]), told=Told())
    assert fields(error) == wrong


async def test_a_clinical_role_rests_on_that_persons_registration_in_force() -> None:
    ben, cleo = account(), account()
    bens, lapsed = a_registration(ben.id), a_registration(ben.id, expires_on=date(2026, 11, 21))
    book, told = Book([ben, cleo], registrations=[bens, lapsed]), Told()
    nurse = {"role": Role.NURSE}
    with pytest.raises(RegistrationUnknown):
        await give(a_grant(cleo.id, ADMIN, **nurse, registration=bens.id), by=ADMIN, book=book, told=told)
    with pytest.raises(Invalid):
        await give(a_grant(ben.id, ADMIN, **nurse, registration=lapsed.id), by=ADMIN, book=book, told=told)
    await give(a_grant(ben.id, ADMIN, **nurse, registration=bens.id), by=ADMIN, book=book, told=told)
    assert told.names == ["staff.role_granted"]


async def test_a_registration_holds_to_the_end_of_its_last_day_in_the_programme() -> None:
    ben = account()
    last_day = a_registration(ben.id, expires_on=date(2026, 11, 21))
    book, told = Book([ben], registrations=[last_day]), Told()
    nurse = {"role": Role.NURSE, "registration": last_day.id}
    with pytest.raises(Invalid, match="has expired"):
        await give(a_grant(ben.id, ADMIN, programme=HERE, **nurse), by=ADMIN, book=book, told=told)
    await give(a_grant(ben.id, ADMIN, programme=ELSEWHERE, **nurse), by=ADMIN, book=book, told=told)
    assert [kept.programme for kept in book.grants] == [ELSEWHERE]


async def test_roles_are_given_by_somebody_else_who_manages_there_to_somebody_who_works_here() -> None:
    ben, gone, own = account(), account(deactivated_at=NOW), account(id=ADMIN.id)
    book, told = Book([ben, gone, own]), Told()
    for new, by, refusal in (
        (a_grant(own.id, ADMIN), ADMIN, NotYourself),
        (a_grant(gone.id, ADMIN), ADMIN, AlreadyDeactivated),
        (a_grant(ben.id, LOCAL_ADMIN, programme=ELSEWHERE), LOCAL_ADMIN, NotPermitted),
        (a_grant(ben.id, LOCAL_ADMIN, role=Role.AUDITOR, programme=None), LOCAL_ADMIN, NotPermitted),
        (a_grant(ben.id, SUPERVISOR), SUPERVISOR, NotPermitted),
    ):
        with pytest.raises(refusal):
            await give(new, by=by, book=book, told=told)
    assert book.grants == []


@pytest.mark.parametrize("role", list(Role))
def test_a_role_waits_for_confirmation_where_it_signs_or_confirms(role: Role) -> None:
    waits = role in CLINICIANS | {Role.SUPERVISOR, Role.ADMINISTRATOR}
    assert a_grant(StaffId(new_id()), ADMIN, role=role).needs_confirmation is waits
    confirmed = a_grant(StaffId(new_id()), ADMIN, role=role, confirmed_by=SUPERVISOR.id)
    assert confirmed.needs_confirmation is False


def test_an_administrator_made_on_the_command_line_waits_for_nobody() -> None:
    made = a_grant(StaffId(new_id()), the_command_line(), role=Role.ADMINISTRATOR, programme=None)
    assert made.granted_by == COMMAND_LINE
    assert not made.needs_confirmation
    assert Role.ADMINISTRATOR in WITHOUT_PROGRAMME


async def confirm(grant: Grant, *, by: Staff, book: Book, told: Told) -> Grant:
    return await people.confirm_role(grant.id, by=by, now=NOW, roles=Roles(book), journal=told)


async def test_a_third_person_of_the_programme_confirms_a_role_once() -> None:
    ben = StaffId(new_id())
    grant = a_grant(ben, ADMIN, role=Role.SUPERVISOR)
    book, told = Book(grants=[grant]), Told()
    for by, refusal in (
        (ADMIN, NeedsAThirdPerson),
        (replace(SUPERVISOR, id=ben), NeedsAThirdPerson),
        (the_command_line(), NeedsAThirdPerson),
        (replace(SUPERVISOR, may_sign=False), SigningSuspended),
        (STRANGER, NotPermitted),
        (NURSE, NotPermitted),
    ):
        with pytest.raises(refusal):
            await confirm(grant, by=by, book=book, told=told)
    await confirm(grant, by=SUPERVISOR, book=book, told=told)
    assert told.names == ["staff.role_confirmed"]
    with pytest.raises(AlreadyConfirmed):
        await confirm(grant, by=SUPERVISOR, book=book, told=told)
    assert await Roles(book).waiting(at=NOW) == []


@pytest.mark.parametrize("over", [{"revoked_at": NOW}, {"ends_at": NOW}])
async def test_a_role_that_is_over_is_neither_confirmed_nor_revoked(over: dict[str, Any]) -> None:
    ben = account()
    grant = a_grant(ben.id, ADMIN, role=Role.SUPERVISOR, **over)
    book = Book([ben], grants=[grant])
    with pytest.raises(AlreadyRevoked):
        await confirm(grant, by=SUPERVISOR, book=book, told=Told())
    with pytest.raises(AlreadyRevoked):
        await revoke(grant, by=ADMIN, book=book, told=Told())


async def revoke(grant: Grant, *, by: Staff, book: Book, told: Told) -> None:
    await people.revoke_role(
        grant.id, reason=" changed work ", by=by, now=NOW, accounts=Accounts(book), roles=Roles(book), journal=told
    )


async def test_a_role_is_revoked_by_somebody_else_who_manages_there() -> None:
    ben, own = account(), account(id=ADMIN.id)
    grant, mine = a_grant(ben.id, ADMIN), a_grant(own.id, LOCAL_ADMIN)
    book, told = Book([ben, own], grants=[grant, mine]), Told()
    with pytest.raises(NotYourself):
        await revoke(mine, by=ADMIN, book=book, told=told)
    with pytest.raises(NotPermitted):
        await revoke(grant, by=SUPERVISOR, book=book, told=told)
    await revoke(grant, by=LOCAL_ADMIN, book=book, told=told)
    assert told.names == ["staff.role_revoked"]
    assert [kept.revoked_at for kept in book.grants] == [NOW, None]


def a_shift(**changes: Any) -> Shift:
    made = Shift(
        id=ShiftId(new_id()),
        staff=StaffId(new_id()),
        programme=HERE,
        starts_at=NOW,
        ends_at=NOW + timedelta(hours=8),
    )
    return replace(made, **changes)


async def plan(shift: Shift, *, by: Staff, book: Book, told: Told) -> None:
    await people.plan_shift(shift, by=by, now=NOW, shifts=Shifts(book), journal=told)


async def test_a_shift_is_planned_and_cancelled_once_by_a_supervisor_of_the_programme() -> None:
    shift, book, told = a_shift(), Book(), Told()
    await plan(shift, by=SUPERVISOR, book=book, told=told)

    async def cancel(by: Staff) -> None:
        await people.cancel_shift(shift.id, by=by, now=NOW, shifts=Shifts(book), journal=told)

    with pytest.raises(NotPermitted):
        await cancel(STRANGER)
    await cancel(SUPERVISOR)
    assert told.names == ["duty.shift_planned", "duty.shift_cancelled"]
    with pytest.raises(ShiftAlreadyCancelled):
        await cancel(SUPERVISOR)


@pytest.mark.parametrize(
    "changes",
    [
        {"ends_at": NOW},
        {"starts_at": NOW - timedelta(hours=2), "ends_at": NOW - timedelta(hours=1)},
        {"ends_at": NOW + timedelta(hours=24, microseconds=1)},
    ],
)
async def test_a_shift_lies_ahead_and_lasts_a_day_at_most(changes: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as error:
        await plan(a_shift(**changes), by=SUPERVISOR, book=Book(), told=Told())
    assert fields(error) == {"ends_at"}


async def test_a_shift_is_a_counsellors_and_never_ones_own() -> None:
    with pytest.raises(Invalid) as error:
        await plan(a_shift(), by=SUPERVISOR, book=Book(counsellors=False), told=Told())
    assert fields(error) == {"staff_id"}
    with pytest.raises(NotYourself):
        await plan(a_shift(staff=SUPERVISOR.id), by=SUPERVISOR, book=Book(), told=Told())
    with pytest.raises(NotPermitted):
        await plan(a_shift(), by=STRANGER, book=Book(), told=Told())


async def test_a_wait_is_lifted_by_somebody_else_of_one_of_the_programmes() -> None:
    ben, own = account(HERE, ELSEWHERE), account(HERE, id=SUPERVISOR.id)
    book, told = Book(), Told()
    for whose, by, refusal in (
        (own, SUPERVISOR, NotYourself),
        (ben, NURSE, NotPermitted),
        (account(ELSEWHERE), SUPERVISOR, NotPermitted),
    ):
        with pytest.raises(refusal):
            await people.lift(whose, by=by, lockouts=LockOuts(book), journal=told)
    await people.lift(ben, by=SUPERVISOR, lockouts=LockOuts(book), journal=told)
    await people.lift(account(), by=SUPERVISOR, lockouts=LockOuts(book), journal=told)
    assert book.forgotten[0] == ben.id
    assert told.names == ["sign_in.lockout_lifted"] * 2


@pytest.mark.parametrize(
    ("where", "by", "seen"),
    [((HERE,), SUPERVISOR, True), ((HERE,), STRANGER, False), ((), STRANGER, True), ((None,), SUPERVISOR, False)],
)
def test_a_wait_is_shown_to_whoever_may_lift_it(
    where: tuple[ProgrammeId | None, ...], by: Staff, *, seen: bool
) -> None:
    waits = LockOut(
        staff=StaffId(new_id()), user_name="x", printed_name="X", failures=9, until=NOW, where=frozenset(where)
    )
    assert waits.is_within(by) is seen


def test_how_long_to_wait_is_told_in_whole_seconds_and_never_none() -> None:
    def told(until: datetime) -> int:
        return WaitBeforeSigningIn(until=until, now=NOW).retry_after_s

    assert told(NOW + timedelta(seconds=4)) == 4
    assert told(NOW + timedelta(seconds=4, microseconds=1)) == 5
    assert told(NOW + timedelta(microseconds=1)) == 1


def test_the_reach_of_a_person_is_that_of_their_roles() -> None:
    reach = NURSE.reach(Act.SEE_CLIENT)
    assert (reach.staff, reach.everyone_in) == (NURSE.id, frozenset({HERE}))
