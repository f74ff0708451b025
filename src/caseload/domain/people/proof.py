"""Proof, in the act of signing, that it is this person who signs (21 CFR 11.200(a)).

A live session is not a signature: who signs is proved again for the act itself (`request.sign_in.prove`). The first
signing of a session asks for every proof that the account has, the later ones for at least one. With the proof comes the
service's own seal: nothing can be sealed for somebody who has proved nothing.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from caseload.domain.errors import Conflict, NotPermitted
from caseload.domain.ids import StaffId
from caseload.domain.people.staff import Staff

PASSWORD: Final = "password"  # noqa: S105 - the name of a kind of proof, not a password


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """An Ed25519 signature (RFC 8032) of the service over bytes that somebody signed, and which of its keys made it."""

    key: int
    """The number of the key in the key store."""
    value: bytes


class Sealing(Protocol):
    """The service's own key. Whoever has the database and not the key can copy a signature, and not make one."""

    def seal(self, signed: bytes, /) -> Seal:
        """Seal the exact bytes that were signed."""
        ...


class SecondFactor(Protocol):
    """A proof beside the password, such as a one-time code. It belongs to a person, who has set it up."""

    @property
    def name(self) -> str:
        """By what it is called under a signature."""
        ...

    async def is_set_up_for(self, staff: StaffId, /) -> bool:
        """Whether the account has this proof."""
        ...

    async def fits(self, staff: StaffId, answer: str, /, *, now: datetime) -> bool:
        """Whether the answer is right now. An answer that was accepted once is not accepted again."""
        ...


class ProofIncomplete(NotPermitted):
    """The first signing of a session needs every proof that your account has."""


class ProofSpent(Conflict):
    """This proof of identity has already been used."""


class ProofNotYours(NotPermitted):
    """This proof of identity is somebody else's."""


@dataclass(slots=True, kw_only=True)
class Proof:
    """Who proved themselves, when, and by which methods; good for one act, or for one batch signed together.

    It is made within one piece of work and is never kept or sent anywhere, so it cannot outlive it.
    """

    staff: StaffId
    at: datetime
    methods: tuple[str, ...]
    sealing: Sealing = field(repr=False, compare=False)
    _spent: bool = field(default=False, init=False, repr=False, compare=False)

    def spend(self, *, by: Staff) -> None:
        """Use the proof up for the one act of `by`; raise `ProofSpent` a second time, `ProofNotYours` for another."""
        if by.id != self.staff:
            raise ProofNotYours("Prove your own identity for what you sign.")
        if self._spent:
            raise ProofSpent("Prove your identity again: each act of signing needs a proof of its own.")
        by.require_signing()
        self._spent = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What somebody offers to prove themselves: the password, and what their second factor says where one is asked for."""

    password: str = field(repr=False)
    second_factor: str | None = field(default=None, repr=False)


def check_complete(offered: Collection[str], *, of_account: Collection[str], first: bool) -> None:
    """Raise `ProofIncomplete` unless these proofs are enough: in the first signing of a session all that the account has.

    Later ones of the same session need one (21 CFR 11.200(a)(1)); the password is always among them.
    """
    missing = sorted(set(of_account) - set(offered))
    if first and missing:
        raise ProofIncomplete("Sign again and send these proofs, too.", missing=missing)
