"""How far each role sees, and whom one person may see for one act."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from caseload.domain.access.acts import MAY, Act
from caseload.domain.access.apart import GLASS_OPENS, NOBODY_APART, SEES_RESTRICTED, Apart
from caseload.domain.access.roles import Role
from caseload.domain.errors import NotPermitted
from caseload.domain.ids import ClientId, ProgrammeId, StaffId


class Extent(StrEnum):
    """How far a role sees."""

    PROGRAMME = "programme"
    """The clients of the programmes in which the role is held, and the guests they host."""
    CASELOAD = "caseload"
    """Clients one is responsible for, covers or is the keyworker of; the whole programme for a shift on duty."""
    ONE_BY_IDENTIFIER = "one_by_identifier"
    """One client at a time, by identifier, never a list; each look is an entry of its own.

    Any client where the role is held for the whole organisation; else those of its programme.
    """
    NOBODY = "nobody"


EXTENT: Mapping[Role, Extent] = MappingProxyType(
    {
        Role.NURSE: Extent.PROGRAMME,
        Role.PRESCRIBER: Extent.PROGRAMME,
        Role.PHARMACIST: Extent.PROGRAMME,
        Role.COUNSELLOR: Extent.CASELOAD,
        Role.SUPERVISOR: Extent.PROGRAMME,
        Role.MEDICAL_DIRECTOR: Extent.PROGRAMME,
        Role.FRONT_DESK: Extent.PROGRAMME,
        Role.AUDITOR: Extent.ONE_BY_IDENTIFIER,
        Role.PRIVACY_OFFICER: Extent.ONE_BY_IDENTIFIER,
        Role.INSPECTOR: Extent.NOBODY,
        Role.ADMINISTRATOR: Extent.NOBODY,
    }
)
"""How far each role sees, in one place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A role that is in force right now: granted, started, not ended, and confirmed where it must be."""

    role: Role
    programme: ProgrammeId | None
    """None where the role is held for the whole organisation."""
    on_duty: bool = False
    """A shift on duty in this programme is running."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Which clients one person may see for one act, as data that both Python and SQL can apply."""

    staff: StaffId
    everyone_in: frozenset[ProgrammeId]
    caseload_in: frozenset[ProgrammeId]
    any_by_identifier: bool
    one_in: frozenset[ProgrammeId] = frozenset()
    """Where one client at a time may be seen, by identifier."""
    signs_in: frozenset[ProgrammeId] = frozenset()
    """Where one signs for what was given at the window, whoever hosts its client by now."""
    closed: frozenset[ClientId] = frozenset()
    """Restricted clients whom this person does not see for the act."""
    named: frozenset[ClientId] = frozenset()
    """Restricted clients who name this person: they are on their caseload, whoever answers for them."""
    opened: ClientId | None = None
    """Whom a broken glass opens, or whose past is looked back at."""

    def covers(
        self,
        client: ClientId | None = None,
        *,
        programmes: Iterable[ProgrammeId],
        looked_after_by: Iterable[StaffId],
        by_identifier: bool,
        signed_in: ProgrammeId | None = None,
        kept_in: ProgrammeId | None = None,
    ) -> bool:
        """Whether a client is within reach; or, with `signed_in`, one dose of theirs and nothing else.

        Only somebody who is restricted, or to whom a glass was broken, needs to be told apart by `client`.
        `programmes` are the client's home programme and any that host the client as a guest now;
        `looked_after_by` are the responsible counsellor, whoever covers now and the keyworker, and until somebody admits the client
        for the first time whoever registered them. `signed_in` is where a dose was given that waits for its signature, or
        that this person has signed: a guest goes home, and the signature is still the window's. `kept_in` is the programme that
        keeps a record of somebody who was transferred from it: its past stays its own. The SQL in `db/access.py` answers the
        same question and is tested against this function.
        """
        where = frozenset(programmes)
        keeps = where if kept_in is None else where | {kept_in}
        looks_after = self.staff in looked_after_by or client in self.named
        return (
            signed_in in self.signs_in
            or (client is not None and client == self.opened)
            or (
                client not in self.closed
                and (
                    bool(keeps & self.everyone_in)
                    or (bool(where & self.caseload_in) and looks_after)
                    or (by_identifier and (self.any_by_identifier or bool(keeps & self.one_in)))
                )
            )
        )


def may(holdings: Iterable[Holding], act: Act) -> bool:
    """Whether any role held now allows the act somewhere."""
    return any(holding.role in MAY[act] for holding in holdings)


def may_in(holdings: Iterable[Holding], act: Act, programme: ProgrammeId) -> bool:
    """Whether a role held now in this programme (or for the whole organisation) allows the act."""
    return any(holding.role in MAY[act] and holding.programme in {programme, None} for holding in holdings)


def require(holdings: Iterable[Holding], act: Act, programme: ProgrammeId) -> None:
    """Raise `NotPermitted` unless a role held in this programme allows the act."""
    if not may_in(holdings, act, programme):
        raise NotPermitted(
            f"None of your roles in this programme may {act.value.replace('_', ' ')}. Ask your supervisor."
        )


def reach(staff: StaffId, holdings: Iterable[Holding], act: Act, apart: Apart = NOBODY_APART) -> Reach:
    """Whom a person may see for one act: only roles that allow the act count, each as far as it sees.

    A restricted client is seen by whoever is named, and without that where one of those roles may for this act
    (`SEES_RESTRICTED`). A broken glass opens its client for the acts of an emergency to whoever may do them anywhere.
    """
    counting = [holding for holding in holdings if holding.role in MAY[act]]
    everyone_in: set[ProgrammeId] = set()
    caseload_in: set[ProgrammeId] = set()
    one_in: set[ProgrammeId] = set()
    any_by_identifier = False
    for holding in counting:
        extent = EXTENT[holding.role]
        if extent is Extent.NOBODY:
            continue
        if holding.programme is None:
            any_by_identifier |= extent is Extent.ONE_BY_IDENTIFIER
        elif extent is Extent.ONE_BY_IDENTIFIER:
            one_in.add(holding.programme)
        elif extent is Extent.PROGRAMME or holding.on_duty:
            everyone_in.add(holding.programme)
        else:
            caseload_in.add(holding.programme)
    return Reach(
        staff=staff,
        everyone_in=frozenset(everyone_in),
        caseload_in=frozenset(caseload_in),
        any_by_identifier=any_by_identifier,
        one_in=frozenset(one_in),
        signs_in=frozenset(everyone_in if act is Act.SIGN_OFF_DOSE else ()),
        closed=_closed(counting, act, apart) if apart.closed else frozenset(),
        named=apart.named,
        opened=_opened(act, apart) if counting else None,
    )


def _opened(act: Act, apart: Apart) -> ClientId | None:
    if apart.looks_back_at is not None:
        return apart.looks_back_at
    return apart.glass.client if apart.glass is not None and act in GLASS_OPENS else None


def _closed(counting: Iterable[Holding], act: Act, apart: Apart) -> frozenset[ClientId]:
    """Restricted clients whom these roles do not see for the act."""
    sees = [holding.programme for holding in counting if holding.role in SEES_RESTRICTED.get(act, ())]
    return frozenset() if None in sees else apart.closed_but(frozenset(each for each in sees if each is not None))
