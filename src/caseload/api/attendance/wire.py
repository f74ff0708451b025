"""Registers on the wire."""

from collections.abc import Container, Mapping
from datetime import datetime
from uuid import UUID

from caseload.api.consent.wire import CheckWire
from caseload.api.wire import Instant, Wire
from caseload.domain.attendance import ComesAs, Line, Register, RelativeLine, RelativePlace, Session, Status, Taking
from caseload.domain.ids import ClientId, RelativePlaceId


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


class RelativeLineIn(Wire, frozen=True, kw_only=True):
    """What became of a relative's place."""

    place_id: UUID
    status: Status
    late_minutes: int | None = None
    left_early_minutes: int | None = None
    check: CheckWire | None = None
    """How you made sure who it was; for whoever was there with a client."""
    in_spite_because: str | None = None
    """Why they were there with a client although nothing allowed it."""
    note: str | None = None

    def read(self) -> RelativeLine:
        """As the domain speaks of it."""
        return RelativeLine(
            place=RelativePlaceId(self.place_id),
            status=self.status,
            late_minutes=self.late_minutes,
            left_early_minutes=self.left_early_minutes,
            check=None if self.check is None else self.check.read(),
            in_spite_because=self.in_spite_because,
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
    relatives: tuple[RelativeLineIn, ...] = ()
    """What became of the places of relatives; it counts in nobody's hours."""

    def read(self, session: Session) -> Taking:
        """As the domain speaks of it."""
        return Taking(
            started_at=self.started_at or session.wanted.starts_at,
            ended_at=self.ended_at or session.wanted.ends_at,
            lines=tuple(line.read() for line in self.lines),
            note=self.note,
            relatives=tuple(line.read() for line in self.relatives),
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


class RelativeLineOut(Wire, frozen=True, kw_only=True):
    """What became of a relative's place."""

    place_id: UUID
    name: str
    comes_as: ComesAs
    status: Status
    minutes: int
    """Whole minutes they were there."""
    late_minutes: int | None
    left_early_minutes: int | None
    check: CheckWire | None
    in_spite_because: str | None
    """Why they were there with a client although nothing allowed it; none where the client's consent did."""
    note: str | None

    @classmethod
    def of(cls, line: RelativeLine, place: RelativePlace, register: Register) -> "RelativeLineOut":
        """From the domain."""
        check = line.check
        return cls(
            place_id=line.place,
            name=place.name,
            comes_as=place.comes_as,
            status=line.status,
            minutes=register.minutes(line),
            late_minutes=line.late_minutes,
            left_early_minutes=line.left_early_minutes,
            check=None if check is None else CheckWire(method=check.method, detail=check.detail),
            in_spite_because=line.in_spite_because,
            note=line.note,
        )


class RegisterOut(Wire, frozen=True, kw_only=True):
    """One version of a register, with the lines you may see."""

    session_id: UUID
    version: int
    started_at: datetime
    ended_at: datetime
    lines: list[RegisterLineOut]
    relatives: list[RelativeLineOut]
    note: str | None
    reason: str | None
    """Why it replaces the version before."""
    taken_by: UUID
    taken_at: datetime

    @classmethod
    def of(
        cls, register: Register, *, only: Container[ClientId], beside: Mapping[RelativePlaceId, RelativePlace]
    ) -> "RegisterOut":
        """From the domain, with the lines of these clients and of these relatives."""
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
            relatives=[
                RelativeLineOut.of(line, beside[line.place], register)
                for line in register.relatives
                if line.place in beside
            ],
            note=register.note,
            reason=register.reason,
            taken_by=register.taken_by,
            taken_at=register.taken_at,
        )
