"""Signing in and out, choosing a password, and proving oneself again in the act of signing.

While a password is being tried no connection is held: a queue at the door must not starve the window.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from caseload.audit.journal import RequestJournal
from caseload.audit.trail import Circumstances, Op, Outcome, Purpose
from caseload.db.people import sign_in as kept
from caseload.db.people.accounts import Accounts
from caseload.db.people.sessions import end_session
from caseload.db.people.sign_in import Attempt
from caseload.domain.errors import CaseloadError, Faults
from caseload.domain.ids import SessionId, new_id
from caseload.domain.journal import Event
from caseload.domain.people import (
    PASSWORD,
    Evidence,
    OneTimeSecretExpired,
    Password,
    PasswordJustChanged,
    PasswordMustBeChosen,
    Proof,
    SecondFactor,
    SessionEnd,
    Staff,
    check_complete,
    choose_password,
    new_token,
    token_digest,
)
from caseload.request.identity import LookUp, identify
from caseload.request.work import NotSignedInYet, Service, Work

METHODS = (PASSWORD,)
"""What has been proved when a password was right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn(Event):
    """Somebody signed in."""

    name: ClassVar[str] = "sign_in.succeeded"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedOut(Event):
    """Somebody signed out."""

    name: ClassVar[str] = "sign_in.ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInRefused(Event):
    """Somebody had the right password and was not let in: `why` is the name of the refusal."""

    name: ClassVar[str] = "sign_in.refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInsFailed(Event):
    """So many attempts to sign in failed in one minute from one source."""

    name: ClassVar[str] = "sign_in.failed"


async def sign_in(work: Work, user_name: str, password: str, *, new_password: str | None) -> tuple[str, Staff]:
    """Begin a session and return its token with whose it is.

    A one-time secret buys nothing but a password of one's own, sent along as `new_password`. Raises
    `WrongCredentials`, `WaitBeforeSigningIn`, `Busy`, `PasswordMustBeChosen`, `OneTimeSecretExpired`, `Invalid`,
    `PasswordJustChanged`.
    """
    door = work.service.door
    source = door.source(work.circumstances.source)
    found = await door.try_to_enter(user_name, password, source=source, now=work.now)
    try:
        return await _let_in(work, found, user_name, password, new_password)
    except CaseloadError as refusal:
        # Whoever knows a password that does not open the door is nobody's failed guess, and must not go unnoticed.
        work.journal = RequestJournal()
        work.journal.tell(SignInRefused(records=(found.staff,), facts={"why": type(refusal).__name__}))
        raise


async def _let_in(
    work: Work, found: Password, user_name: str, password: str, new_password: str | None
) -> tuple[str, Staff]:
    door = work.service.door
    source = door.source(work.circumstances.source)
    chosen = await _new_hash(work, found, password, user_name, new_password)
    work.writes = True
    connection = await work.open()
    accounts = Accounts(connection)
    await accounts.hold_still(found.staff, shared=chosen is None)
    await _still_counts(accounts, found)
    token, session = new_token(), SessionId(new_id())
    # First, because the first event gives the entry its name.
    work.journal.tell(SignedIn(records=(session,)))
    if chosen is not None:
        await choose_password(
            found, chosen, by=found.staff, session=None, now=work.now, accounts=accounts, journal=work.journal
        )
    rules = door.rules.sessions
    await kept.add_session(
        connection,
        session,
        token_digest=token_digest(token),
        of=found.staff,
        source=source,
        methods=METHODS,
        starts_at=work.now,
        expires_at=work.now + rules.absolute,
    )
    await kept.forget_failures(connection, Attempt(account=door.account(user_name), source=source))
    work.staff = await identify(LookUp(), work.open, token, work.now, rules=rules)
    return token, work.staff


async def _new_hash(work: Work, found: Password, password: str, user_name: str, new_password: str | None) -> str | None:
    """The hash to keep from now on: of the password chosen, or of the same one with today's parameters."""
    passwords = work.service.door.passwords
    if found.one_time_until is not None:
        if found.one_time_until <= work.now:
            raise OneTimeSecretExpired
        if new_password is None:
            raise PasswordMustBeChosen
    if new_password is not None:
        _check_new(work, new_password, former=password, about=(user_name,))
        return await passwords.hash(new_password)
    if passwords.is_outdated(found.hash):
        return await passwords.hash(password)
    return None


def _check_new(work: Work, password: str, *, former: str, about: tuple[str, ...]) -> None:
    rules = work.service.door.rules.passwords
    faults = Faults(rules.faults(password, field="new_password", about=("caseload", *about)))
    faults.check(when=password == former, where="new_password", problem="must be another than the present one")
    faults.raise_if_any()


async def _still_counts(accounts: Accounts, found: Password) -> None:
    """Raise `PasswordJustChanged` when, while it was being tried, the password was changed or the account closed."""
    newest = await accounts.newest_password(found.staff)
    if newest is None or newest.number != found.number or await accounts.is_deactivated(found.staff):
        raise PasswordJustChanged


async def sign_out(work: Work) -> None:
    """End the session of whoever asks."""
    session = _session_of(work)
    await end_session(work.connection, session, why=SessionEnd.SIGNED_OUT, at=work.now)
    work.journal.tell(SignedOut(records=(session,)))


async def change_password(work: Work, password: str, new_password: str) -> None:
    """Choose another password, proving the present one; every other session of this person ends.

    Raises `WrongPassword`, `WaitBeforeSigningIn`, `Invalid`, `PasswordJustChanged`.
    """
    by = work.by
    _check_new(work, new_password, former=password, about=(by.user_name, by.printed_name))
    former = await _prove(work, password)
    hashed = await work.service.door.passwords.hash(new_password)
    accounts = Accounts(await work.open())
    await accounts.hold_still(by.id)
    await _still_counts(accounts, former)
    await choose_password(
        former, hashed, by=by.id, session=by.session, now=work.now, accounts=accounts, journal=work.journal
    )


async def prove(work: Work, evidence: Evidence) -> Proof:
    """Prove, in the act of signing, that it is the person signed in who signs: for one act or one batch.

    The first signing of a session asks for every proof of the account, later ones for one of them; the session has made its
    first when it was committed. The first thing a handler does: it closes the connection for as long as the proofs are
    tried and opens another, so whatever was read before must be read again, and what was written would be lost. Raises
    `SigningSuspended`, `ProofIncomplete`, `WrongPassword` (counted), `WaitBeforeSigningIn`, `Busy`.
    """
    if not work.journal.is_empty:
        raise ProvedTooLate
    by, session = work.by, _session_of(work)
    by.require_signing()
    first = not await kept.has_proved(await work.open(), session)
    await work.undo()
    of_account = [each for each in work.service.second_factors if first and await each.is_set_up_for(by.id)]
    offered = METHODS if evidence.second_factor is None else (*METHODS, *(each.name for each in of_account))
    check_complete(offered, of_account=(*METHODS, *(each.name for each in of_account)), first=first)
    await _prove(work, evidence.password, [(each, evidence.second_factor or "") for each in of_account])
    connection = await work.open()
    if first:
        await kept.add_session_proof(connection, session, methods=offered, at=work.now)
    return Proof(staff=by.id, at=work.now, methods=offered, sealing=work.service.seals.newest())


class ProvedTooLate(RuntimeError):
    """Something was read or done before the proof, which would now be lost: a mistake of ours."""


async def _prove(work: Work, password: str, others: Sequence[tuple[SecondFactor, str]] = ()) -> Password:
    """The password that counts, when it is this one and the other proofs are right. Leaves the work without a connection."""
    by, session = work.by, _session_of(work)
    newest = await Accounts(await work.open()).newest_password(by.id)
    await work.undo()
    if newest is None:
        raise NotSignedInYet
    await work.service.door.try_to_sign(by.id, session, password, newest.hash, now=work.now, others=others)
    return newest


def _session_of(work: Work) -> SessionId:
    session = work.by.session
    if session is None:
        raise NotSignedInYet
    return session


async def tell_failures(service: Service) -> int:
    """Write one entry for each source and minute that is over; return how many. Safe in several processes at once."""
    told = 0
    while await _tell_one(service):
        told += 1
    return told


async def _tell_one(service: Service) -> bool:
    work = service.begin(
        Circumstances(
            route="POST /api/v1/sign-in", event=SignInsFailed.name, op=Op.EXECUTE, purpose=Purpose.ADMINISTRATION
        )
    )
    work.writes = True
    work.outcome = Outcome.REFUSED
    try:
        connection = await work.open()
        taken = await kept.take_minute(connection, before=work.now.replace(second=0, microsecond=0))
        if taken is None:
            return False
        minute, source, failures = taken
        named = "others" if source == kept.OTHERS else source[:8].hex()
        work.journal.tell(SignInsFailed(facts={"minute": minute.isoformat(), "source": named, "failures": failures}))
        await work.conclude()
    finally:
        await work.drop()
    return True
