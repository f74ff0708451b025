"""Registers on the wire."""

from collections.abc import Container
from datetime import datetime
from uuid import UUID

from caseload.api.wire import Instant, Wire
from caseload.domain.attendance import Line, Register, Session, Status, Taking
from caseload.domain.ids import ClientId


class RegisterLineIn(Wire, frozen=True, kw_only=True):
    """What became of one client's place."""

    client_id: UUID
    status: Status
    late_minutes: int | None = None
    left_early_minutes: int | None = None
    walk_in: bool = False
    """Was there without being expected."""
    note: str | None = None

    def read(self) -> Line:
        """As the domain speaks of it."""
        return Line(
            client=ClientId(self.client_id),
            status=self.status,
            late_minutes=self.late_minutes,
            left_early_minutes=self.left_early_minutes,
            walk_in=self.walk_in,
            note=self.note,
        )


class RegisterIn(Wire, frozen=True, kw_only=True):
    """The register of a whole session in one call."""

    lines: tuple[RegisterLineIn, ...]
    started_at: Instant | None = None
    """When it really began; as planned when left out."""
    ended_at: Instant | None = None
    """When it really ended; as planned when left out."""
    note: str | None = None
    """What concerns everybody; it names nobody of the group."""

    def read(self, session: Session) -> Taking:
        """As the domain speaks of it."""
        return Taking(
            started_at=self.started_at or session.wanted.starts_at,
            ended_at=self.ended_at or session.wanted.ends_at,
            lines=tuple(line.read() for line in self.lines),
            note=self.note,
        )


class RegisterCorrectionIn(RegisterIn, frozen=True, kw_only=True):
    """The next version of a register, whole, and why it is corrected."""

    reason: str


class RegisterLineOut(Wire, frozen=True, kw_only=True):
    """What became of one client's place."""

    client_id: UUID
    status: Status
    minutes: int
    """Whole minutes they were there."""
    late_minutes: int | None
    left_early_minutes: int | None
    walk_in: bool
    note: str | None


class RegisterOut(Wire, frozen=True, kw_only=True):
    """One version of a register, with the lines you may see."""

    session_id: UUID
    version: int
    started_at: datetime
    ended_at: datetime
    lines: list[RegisterLineOut]
    note: str | None
    reason: str | None
    """Why it replaces the version before."""
    taken_by: UUID
    taken_at: datetime

    @classmethod
    def of(cls, register: Register, *, only: Container[ClientId]) -> "RegisterOut":
        """From the domain, with the lines of these clients."""
        return cls(
            session_id=register.session,
            version=register.version,
            started_at=register.started_at,
            ended_at=register.ended_at,
            lines=[
                RegisterLineOut(
                    client_id=line.client,
                    status=line.status,
                    minutes=register.minutes(line),
                    late_minutes=line.late_minutes,
                    left_early_minutes=line.left_early_minutes,
                    walk_in=line.walk_in,
                    note=line.note,
                )
                for line in register.lines
                if line.client in only
            ],
            note=register.note,
            reason=register.reason,
            taken_by=register.taken_by,
            taken_at=register.taken_at,
        )
