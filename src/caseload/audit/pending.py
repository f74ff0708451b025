"""What an entry is going to say, as it becomes known while a piece of work goes on."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from caseload.audit import canonical
from caseload.audit.commitment import Asked, Fact, Told
from caseload.audit.journal import RequestJournal
from caseload.audit.leaf import Act, Auth, KeyHandover, Op, Outcome, Purpose, session_digest
from caseload.domain.access import MAY, Holding
from caseload.domain.access import Act as Permission
from caseload.domain.ids import ClientId, ProgrammeId, SessionId, StaffId, new_id

_UNNAMED = "request.other"


class Actor(Protocol):
    """Who acts, as far as the log needs to know. `caseload.domain.people.Staff` is one."""

    @property
    def id(self) -> StaffId:
        """The person."""
        ...

    @property
    def session(self) -> SessionId | None:
        """The session they act from; None for the command line and for jobs."""
        ...

    @property
    def holdings(self) -> tuple[Holding, ...]:
        """The roles in force for them."""
        ...


@dataclass(slots=True, kw_only=True)
class Circumstances:
    """How a piece of work came about. Filled in as it becomes known, read when the entry is made."""

    request: UUID = field(default_factory=new_id)
    """Made by us for each request; never taken from a caller's header."""
    source: str = ""
    """The caller's address. Stands in the log as a commitment only."""
    route: str = "unknown"
    """Method and template, `GET /api/v1/clients/{client}`, or the words of a command. Never an identifier."""
    event: str | None = None
    """What the entry is called (`client.read`). Without one, the first event told gives its name."""
    op: Op = Op.READ
    act: Permission | None = None
    """What the caller asked to do: of the roles held, those that allow it are named in the entry."""
    purpose: Purpose = Purpose.TREATMENT
    programme: ProgrammeId | None = None
    """The programme that the work concerns; left out, the one in which the roles used are held, if it is one."""
    auth: Auth = Auth.PASSWORD
    client: ClientId | None = None
    """The client whom the path names. Stands in the log also when nothing of them was shown."""
    asked: Mapping[str, str] = field(default_factory=dict[str, str])
    """Other identifiers in the path, by their names in the route."""
    filter: Mapping[str, canonical.Value] | None = None
    """What a list or an export was narrowed to, by identifiers and codes. Stands in the log as a commitment, and
    outlives the erasure of a client: never a name or a birth date."""
    handover: KeyHandover | None = None
    """Of the entry `key.rotate`: the old signing key's word for the new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """Everything an entry will say, before it has been made."""

    actor: Actor | None
    """None where nobody has been identified: a failed sign-in, a request without a token."""
    circumstances: Circumstances
    outcome: Outcome
    journal: RequestJournal = field(default_factory=RequestJournal)
    status: int | None = None
    """The HTTP status of the answer; None where none left."""

    def event(self) -> str:
        """What the entry is called: as the circumstances say, or as the first event told is called."""
        if self.circumstances.event is not None:
            return self.circumstances.event
        return self.journal.events[0].name if self.journal.events else _UNNAMED

    def act(self) -> Act:
        """Who acted, with the roles used."""
        if self.actor is None:
            return Act(auth=Auth.NONE.value, id="anonymous")
        return Act(
            auth=self.circumstances.auth.value,
            id=str(self.actor.id),
            role=tuple(sorted({held.role.value for held in self._used()})),
            sess=session_digest(self.actor.session) if self.actor.session else None,
        )

    def programme(self) -> str | None:
        """The programme that the work named, or else the one in which the roles used are held, if it is one."""
        if self.circumstances.programme is not None:
            return str(self.circumstances.programme)
        held_in = {held.programme for held in self._used()}
        return str(held_in.pop()) if len(held_in) == 1 and None not in held_in else None

    def told(self) -> Told:
        """What is to be committed to."""
        said = self.circumstances
        facts: list[Fact] = []
        if said.source:
            facts.append({"source": said.source})
        if said.filter is not None:
            facts.append({"filter": dict(said.filter)})
        return Told(self.journal, Asked(said.client, said.asked), facts, self.outcome is Outcome.DONE)

    def _used(self) -> list[Holding]:
        """The roles used: those held that allow the act, or all of them where no act was named."""
        act = self.circumstances.act
        held = self.actor.holdings if self.actor else ()
        return [holding for holding in held if act is None or holding.role in MAY[act]]


def clients_of(pendings: Sequence[Pending]) -> tuple[Collection[UUID], Collection[UUID]]:
    """Clients whom these entries name, and identifiers that were only sent, or told of in work that was undone.

    The first get a key if they have none. Behind the others there may be nobody.
    """
    known: dict[UUID, None] = {}
    asked: set[UUID] = set()
    for pending in pendings:
        known.update(dict.fromkeys(pending.journal.shown()))
        if pending.outcome is Outcome.DONE:
            known.update(dict.fromkeys(pending.journal.told_of()))
        else:
            asked.update(pending.journal.told_of())
        if pending.circumstances.client is not None:
            asked.add(pending.circumstances.client)
    return known.keys(), asked - known.keys()
