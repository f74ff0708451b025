"""Taking a register: everybody in one call, and correcting it without losing a word."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar

from caseload.domain.access import Act
from caseload.domain.attendance.beside import completed, judged
from caseload.domain.attendance.lines import check_line, check_text
from caseload.domain.attendance.register import (
    CALLED_OFF,
    CALLED_OFF_BY,
    WAS_THERE,
    Line,
    Register,
    RelativeLine,
    Status,
)
from caseload.domain.attendance.session import (
    FOR_ONE,
    LARGEST_ROSTER,
    LONGEST,
    Booking,
    Session,
    SessionMoved,
    Sessions,
    sees_everybody,
)
from caseload.domain.errors import Conflict, Faults, NotPermitted
from caseload.domain.ids import ClientId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff


class NotYourSession(NotPermitted):
    """Somebody else leads this session."""


class RegisterAlreadyTaken(Conflict):
    """The register of this session has already been taken."""


class RegisterMissing(Conflict):
    """The register of this session has not been taken."""


class RegisterChanged(Conflict):
    """The register has been corrected since you read it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """A register as it is handed in: when the session really began and ended, and what became of each place."""

    started_at: datetime
    ended_at: datetime
    lines: tuple[Line, ...]
    note: str | None = None
    relatives: tuple[RelativeLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterTaken(Event):
    """The register of a session was taken; told of each client on it."""

    name: ClassVar[str] = "session.register_taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterCorrected(Event):
    """The register of a session was corrected; told of each client on it."""

    name: ClassVar[str] = "session.register_corrected"


async def take_register(
    session: Session, taking: Taking, *, by: Staff, now: datetime, sessions: Sessions, journal: Journal
) -> Register:
    """Take the register of a session that is held, of everybody at once.

    Everybody expected has a line; a place that was called off before gets its line by itself, unless they came all
    the same. Before the session begins, only cancellations can be recorded: that is how a whole session is called off.
    Raises `NotPermitted`, `Invalid` with every fault, or `RegisterAlreadyTaken` saying when, or `SessionMoved`.
    Where everybody was called off, its room and its people are free again.
    """
    _require_leading(session, by=by)
    if session.moved_to is not None:
        raise SessionMoved("Take the register of the one that takes place instead.", session_id=str(session.moved_to))
    if session.register is not None:
        raise RegisterAlreadyTaken(
            "Correct it instead, with the reason.",
            taken_at=session.register.taken_at.isoformat(),
            version=session.register.version,
        )
    lines = _completed(session.roster, taking.lines)
    taking = replace(taking, lines=lines, relatives=completed(session, taking.relatives))
    faults = await _faults(session, taking, by=by, now=now, sessions=sessions)
    beside = await judged(session, taking, faults=faults, sessions=sessions, journal=journal)
    faults.raise_if_any()
    register = Register(
        session=session.id,
        version=1,
        started_at=taking.started_at,
        ended_at=taking.ended_at,
        lines=lines,
        note=taking.note,
        reason=None,
        taken_by=by.id,
        taken_at=now,
        relatives=beside,
    )
    await sessions.add_register(register)
    if all(line.status in CALLED_OFF for line in (*lines, *beside)):
        await sessions.release(session.id)
    for line in lines:
        journal.tell(RegisterTaken(client=line.client, records=(session.id,), facts={"version": 1}))
    return register


async def correct_register(
    session: Session,
    taking: Taking,
    *,
    reason: str,
    version: int,
    by: Staff,
    now: datetime,
    sessions: Sessions,
    journal: Journal,
) -> Register:
    """Replace a register by its next version, with the reason; the former one stays readable.

    Everybody who had a line keeps one: who should not have had it is recorded in error. `version` is the one that the
    caller read. Raises `NotPermitted`, `Invalid`, `RegisterMissing`, or `RegisterChanged`.
    """
    _require_leading(session, by=by)
    former = session.register
    if former is None:
        raise RegisterMissing("Take it first.")
    if former.version != version:
        raise RegisterChanged("Read the register again, and correct what it says now.", version=former.version)
    faults = await _faults(session, taking, by=by, now=now, sessions=sessions, former=former)
    faults.check(when=not reason.strip(), where="reason", problem="say why the register is corrected")
    check_text(faults, "reason", reason)
    beside = await judged(session, taking, faults=faults, sessions=sessions, journal=journal)
    faults.raise_if_any()
    register = Register(
        session=session.id,
        version=version + 1,
        started_at=taking.started_at,
        ended_at=taking.ended_at,
        lines=taking.lines,
        note=taking.note,
        reason=reason,
        taken_by=by.id,
        taken_at=now,
        relatives=beside,
    )
    await sessions.add_register(register)
    for line in taking.lines:
        journal.tell(RegisterCorrected(client=line.client, records=(session.id,), facts={"version": register.version}))
    return register


async def call_off(
    session: Session, reason: str, *, by: Staff, now: datetime, sessions: Sessions, journal: Journal
) -> Register:
    """Call off a whole session as its provider: its register says so of everybody, and nobody is counted against.

    Raises what `take_register` raises.
    """
    faults = Faults()
    faults.check(when=not reason.strip(), where="reason", problem="say why it is called off")
    check_text(faults, "reason", reason)
    faults.raise_if_any()
    taking = Taking(
        started_at=session.wanted.starts_at,
        ended_at=session.wanted.ends_at,
        lines=tuple(Line(client=each, status=Status.CANCELLED_BY_PROVIDER) for each in sorted(session.expected)),
        note=reason,
        relatives=tuple(
            RelativeLine(place=each.id, status=Status.CANCELLED_BY_PROVIDER) for each in session.relatives_expected
        ),
    )
    return await take_register(session, taking, by=by, now=now, sessions=sessions, journal=journal)


def _require_leading(session: Session, *, by: Staff) -> None:
    by.require(Act.TAKE_REGISTER, session.programme)
    if not sees_everybody(session, by=by, act=Act.TAKE_REGISTER):
        raise NotYourSession("Ask whoever leads it, or the supervisor, to take the register.")


def _completed(roster: Collection[Booking], lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """The lines that were handed in, and one for each place that was called off and has none."""
    given = {line.client for line in lines}
    called_off = [
        Line(client=booking.client, status=CALLED_OFF_BY[booking.cancellation.by])
        for booking in roster
        if booking.cancellation is not None and booking.client not in given
    ]
    return (*lines, *called_off)


async def _faults(
    session: Session,
    taking: Taking,
    *,
    by: Staff,
    now: datetime,
    sessions: Sessions,
    former: Register | None = None,
) -> Faults:
    faults = Faults()
    _check_times(faults, session, taking, now=now)
    check_text(faults, "note", taking.note)
    on_roster = {booking.client for booking in session.roster}
    had_line: set[ClientId] = {line.client for line in former.lines} if former else set()
    known = on_roster | had_line
    strangers = {line.client for line in taking.lines} - known
    if strangers:
        known |= set(await sessions.in_care(strangers, reach=by.reach(Act.TAKE_REGISTER)))
    seen: set[ClientId] = set()
    for number, line in enumerate(taking.lines):
        where = f"lines.{number}"
        faults.check(when=line.client in seen, where=f"{where}.client_id", problem="has a line already")
        faults.check(
            when=line.client not in known, where=f"{where}.client_id", problem="is nobody in care within your reach"
        )
        _check_walk_in(faults, session, line, where, expected=line.client in on_roster)
        check_line(faults, line, where, lasted=taking.ended_at - taking.started_at)
        seen.add(line.client)
    missing = len((session.expected | had_line) - seen)
    faults.check(when=missing > 0, where="lines", problem=f"{missing} of those expected have no line")
    return faults


def _check_times(faults: Faults, session: Session, taking: Taking, *, now: datetime) -> None:
    faults.check(
        when=not timedelta() < taking.ended_at - taking.started_at <= LONGEST,
        where="ended_at",
        problem="must be after the start, by 12 hours at most",
    )
    faults.check(
        when=taking.ended_at > max(now, session.wanted.ends_at),
        where="ended_at",
        problem="must not lie in the future beyond the planned end",
    )
    begun = taking.started_at <= now
    faults.check(
        when=not begun and any(line.status not in CALLED_OFF for line in (*taking.lines, *taking.relatives)),
        where="started_at",
        problem="lies in the future: until then only cancellations can be recorded",
    )
    faults.check(when=len(taking.lines) > LARGEST_ROSTER, where="lines", problem=f"must be {LARGEST_ROSTER} at most")


def _check_walk_in(faults: Faults, session: Session, line: Line, where: str, *, expected: bool) -> None:
    faults.check(when=line.walk_in and expected, where=f"{where}.walk_in", problem="is on the roster, not a walk-in")
    faults.check(
        when=not line.walk_in and not expected,
        where=f"{where}.walk_in",
        problem="is not on the roster: say so if they came without being expected",
    )
    faults.check(
        when=line.walk_in and session.wanted.kind in FOR_ONE,
        where=f"{where}.walk_in",
        problem="this session is about one client",
    )
    faults.check(
        when=line.walk_in and line.status not in WAS_THERE | {Status.RECORDED_IN_ERROR},
        where=f"{where}.status",
        problem="who was not expected was there, or is recorded in error",
    )
