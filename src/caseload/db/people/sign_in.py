"""What signing in reads and counts: the password and the waits in one statement, failures in a transaction of their own.

32 zero bytes stand for any account or any source; 32 times 0xff for all sources of a minute beyond the first hundred.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Float,
    Integer,
    LargeBinary,
    Row,
    ScalarSelect,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.people.sessions import IS_DEACTIVATED
from caseload.db.tables.base import INSTANT
from caseload.db.tables.people import staff, staff_password
from caseload.db.tables.sign_in import session_proof, sign_in_failure, sign_in_failure_minute, sign_in_session
from caseload.domain.ids import SessionId, StaffId
from caseload.domain.people import LockoutRules, Password, Patience
from caseload.domain.people.lockout import KNOWN_FOR

ANY: Final = bytes(32)
OTHERS: Final = b"\xff" * 32
MOST_SOURCES_A_MINUTE: Final = 100
"""Sources that get an entry of their own in one minute; the rest share one, so that nobody can fill the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Who tries to sign in, as digests: what was typed as a user name may have been the password."""

    account: bytes
    source: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """What is known of an attempt before the password is tried."""

    password: Password | None
    """None when nobody who works here has that user name, or no password yet."""
    blocked_until: datetime | None


_NOW = bindparam("now", type_=INSTANT)
_ACCOUNT = bindparam("account", type_=LargeBinary())
_SOURCE = bindparam("source", type_=LargeBinary())


def _blocked(account: ColumnElement[bytes], source: ColumnElement[bytes]) -> ScalarSelect[datetime | None]:
    return (
        select(sign_in_failure.c.blocked_until)
        .where(sign_in_failure.c.account_digest == account, sign_in_failure.c.source_digest == source)
        .scalar_subquery()
    )


ANY_DIGEST = literal_column("decode(repeat('00', 32), 'hex')", LargeBinary())
_PASSWORD = (
    select(
        staff_password.c.number,
        staff_password.c.hash,
        staff_password.c.set_by,
        staff_password.c.set_at,
        staff_password.c.one_time_until,
    )
    .where(staff_password.c.staff_id == staff.c.id)
    .order_by(staff_password.c.number.desc())
    .limit(literal_column("1", Integer()))
    .lateral("password")
)
_KNOWN_HERE = exists(
    select(sign_in_session.c.id).where(
        sign_in_session.c.staff_id == staff.c.id,
        sign_in_session.c.source_digest == _SOURCE,
        sign_in_session.c.started_at >= bindparam("known_since", type_=INSTANT),
    )
)
_NOBODY = select(literal_column("1", Integer()).label("one")).subquery("nobody")
_CLAIM = select(
    staff.c.id.label("staff_id"),
    IS_DEACTIVATED.label("deactivated"),
    _PASSWORD.c.number,
    _PASSWORD.c.hash,
    _PASSWORD.c.set_by,
    _PASSWORD.c.set_at,
    _PASSWORD.c.one_time_until,
    func.greatest(
        _blocked(_ACCOUNT, _SOURCE),
        case((~_KNOWN_HERE, func.greatest(_blocked(_ACCOUNT, ANY_DIGEST), _blocked(ANY_DIGEST, _SOURCE)))),
    ).label("blocked_until"),
).select_from(_NOBODY.outerjoin(staff, staff.c.user_name == bindparam("user_name")).outerjoin(_PASSWORD, true()))


def _counting() -> Any:
    """One failure more on one count: starts anew when the last one is long ago."""
    added = upsert(sign_in_failure).values(
        account_digest=bindparam("account"),
        source_digest=bindparam("source"),
        failures=literal_column("1"),
        last_at=_NOW,
        blocked_until=_NOW + _wait(literal_column("1", Integer())),
    )
    failures = case(
        (sign_in_failure.c.last_at < bindparam("forgotten", type_=INSTANT), literal_column("1", Integer())),
        else_=sign_in_failure.c.failures + literal_column("1"),
    )
    return added.on_conflict_do_update(
        index_elements=["account_digest", "source_digest"],
        set_={"failures": failures, "last_at": _NOW, "blocked_until": _NOW + _wait(failures)},
    )


def _wait(failures: ColumnElement[Any]) -> ColumnElement[timedelta]:
    waits = func.coalesce(bindparam("waits", type_=ARRAY(Float())), type_=ARRAY(Float()))
    seconds = waits[func.least(failures, func.cardinality(waits))]
    return func.make_interval(*[literal_column("0")] * 6, seconds)


_COUNT = _counting()

_OWN_LINE = exists(
    select(sign_in_failure_minute.c.minute).where(
        sign_in_failure_minute.c.minute == bindparam("minute"),
        sign_in_failure_minute.c.source_digest == _SOURCE,
    )
)
_LINES = (
    select(func.count())
    .select_from(sign_in_failure_minute)
    .where(sign_in_failure_minute.c.minute == bindparam("minute"))
    .scalar_subquery()
)
_TALLY = (
    upsert(sign_in_failure_minute)
    .values(
        minute=bindparam("minute"),
        source_digest=case(
            (or_(_OWN_LINE, literal_column(str(MOST_SOURCES_A_MINUTE)) > _LINES), _SOURCE),
            else_=literal_column("decode(repeat('ff', 32), 'hex')", LargeBinary()),
        ),
        failures=literal_column("1"),
    )
    .on_conflict_do_update(
        index_elements=["minute", "source_digest"],
        set_={"failures": sign_in_failure_minute.c.failures + literal_column("1")},
    )
)

_OLDEST_MINUTE = (
    select(sign_in_failure_minute.c.minute, sign_in_failure_minute.c.source_digest)
    .where(sign_in_failure_minute.c.minute < bindparam("before", type_=INSTANT))
    .order_by(sign_in_failure_minute.c.minute)
    .limit(literal_column("1", Integer()))
    .with_for_update(skip_locked=True)
)
_TAKE_MINUTE = (
    delete(sign_in_failure_minute)
    .where(tuple_(sign_in_failure_minute.c.minute, sign_in_failure_minute.c.source_digest).in_(_OLDEST_MINUTE))
    .returning(
        sign_in_failure_minute.c.minute, sign_in_failure_minute.c.source_digest, sign_in_failure_minute.c.failures
    )
)
_FORGET = delete(sign_in_failure).where(
    sign_in_failure.c.account_digest == _ACCOUNT,
    or_(sign_in_failure.c.source_digest == _SOURCE, sign_in_failure.c.source_digest == ANY_DIGEST),
)
_FORGET_OLD = delete(sign_in_failure).where(sign_in_failure.c.last_at < bindparam("before", type_=INSTANT))


async def claim(connection: AsyncConnection, user_name: str, attempt: Attempt, *, now: datetime) -> Claimed:
    """Who would be signing in with which password, and until when they must wait: one statement."""
    asked = {
        "user_name": user_name,
        "account": attempt.account,
        "source": attempt.source,
        "known_since": now - KNOWN_FOR,
    }
    row = (await connection.execute(_CLAIM, asked)).one()
    may_try = row.staff_id is not None and row.hash is not None and not row.deactivated
    return Claimed(password=_password(row) if may_try else None, blocked_until=row.blocked_until)


def _password(row: Row[*tuple[Any, ...]]) -> Password:
    return Password(
        staff=StaffId(row.staff_id),
        number=row.number,
        hash=row.hash,
        set_by=StaffId(row.set_by),
        set_at=row.set_at,
        one_time_until=row.one_time_until,
    )


async def blocked_until(connection: AsyncConnection, attempt: Attempt) -> datetime | None:
    """Until when this account must wait at this source, counting both together only."""
    asked = {"account": attempt.account, "source": attempt.source}
    return (await connection.execute(select(_blocked(_ACCOUNT, _SOURCE)), asked)).scalar_one()


async def count_failure(
    connection: AsyncConnection, counts: Sequence[tuple[Attempt, Patience]], *, rules: LockoutRules, now: datetime
) -> None:
    """Count one failure more on each of these. Always in the same order, so that two failures never wait in a ring."""
    await connection.execute(
        _COUNT,
        [
            {
                "account": attempt.account,
                "source": attempt.source,
                "now": now,
                "forgotten": now - rules.forgotten_after,
                "waits": patience.waits(),
            }
            for attempt, patience in counts
        ],
    )


async def tally(connection: AsyncConnection, source: bytes, *, now: datetime) -> None:
    """Count one failure of this source in this minute, for the audit log."""
    await connection.execute(_TALLY, {"minute": now.replace(second=0, microsecond=0), "source": source})


async def take_minute(connection: AsyncConnection, *, before: datetime) -> tuple[datetime, bytes, int] | None:
    """Take the oldest count of a minute that is over, which nobody else is taking: minute, source, failures."""
    row = (await connection.execute(_TAKE_MINUTE, {"before": before})).one_or_none()
    return None if row is None else (row.minute, row.source_digest, row.failures)


async def forget_failures(connection: AsyncConnection, attempt: Attempt) -> None:
    """Start the counts of this account at this source, and of this account everywhere, anew."""
    await connection.execute(_FORGET, {"account": attempt.account, "source": attempt.source})


async def forget_old_failures(connection: AsyncConnection, *, before: datetime) -> None:
    """Drop counts that have not grown since."""
    await connection.execute(_FORGET_OLD, {"before": before})


_HAS_PROVED = select(exists().where(session_proof.c.session_id == bindparam("session")))
_ADD_PROOF = upsert(session_proof).on_conflict_do_nothing(index_elements=[session_proof.c.session_id])


async def add_session(
    connection: AsyncConnection,
    session: SessionId,
    *,
    token_digest: bytes,
    of: StaffId,
    source: bytes,
    methods: Sequence[str],
    starts_at: datetime,
    expires_at: datetime,
) -> None:
    """Keep a session that begins now."""
    await connection.execute(
        insert(sign_in_session).values(
            id=session,
            token_digest=token_digest,
            staff_id=of,
            source_digest=source,
            methods=list(methods),
            started_at=starts_at,
            last_used_at=starts_at,
            expires_at=expires_at,
        )
    )


async def has_proved(connection: AsyncConnection, session: SessionId) -> bool:
    """Whether something was signed in this session before, with every proof of the account."""
    return bool((await connection.execute(_HAS_PROVED, {"session": session})).scalar_one())


async def add_session_proof(
    connection: AsyncConnection, session: SessionId, *, methods: Sequence[str], at: datetime
) -> None:
    """Keep that every proof was given in this session; of two first signings at once either counts."""
    await connection.execute(_ADD_PROOF, {"session_id": session, "methods": list(methods), "proved_at": at})
