"""How the domain tells what was done and whom it showed. The audit log implements it; `app` joins the two."""

from dataclasses import dataclass, field
from typing import ClassVar, Protocol
from uuid import UUID

from caseload.domain.ids import ClientId


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened. Subclasses are past tense and name what changed, by id only.

    `name` is what stands in the log (`dose.recorded`); `client` is whose record it changed, if anyone's;
    `records` are the ids of the rows written, so that the entry can be tied to them.
    """

    name: ClassVar[str]
    client: ClientId | None = None
    records: tuple[UUID, ...] = ()
    facts: dict[str, str | int] = field(default_factory=dict[str, str | int])
    """Short facts that identify nobody: a rule, a version, a count, a programme id."""


class Journal(Protocol):
    """One piece of work's account of itself; it becomes one entry of the audit log."""

    def saw(self, client: ClientId, kind: str) -> None:
        """Say that a client's data of this kind (`identity`, `dose`, `check_in`, ...) were read for the caller."""
        ...

    def tell(self, event: Event) -> None:
        """Say that something happened. It is durable only together with the change itself."""
        ...


class Unseen:
    """A journal for what is only worked out or counted and shown to nobody; what follows from it is told to another."""

    def saw(self, client: ClientId, kind: str) -> None:
        """Nobody sees it."""

    def tell(self, event: Event) -> None:
        """Reading changes nothing."""
