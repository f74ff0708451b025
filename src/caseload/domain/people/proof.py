"""Proof, in the act of signing, that it is this person who signs (21 CFR 11.200(a)).

A live session is not a signature: the password is proved again for the act itself (`request.sign_in.prove`). A second
factor adds a field to `Evidence` and its name to `methods`; whoever signs with a proof need not know.
"""

from dataclasses import dataclass, field
from datetime import datetime

from caseload.domain.errors import Conflict, NotPermitted
from caseload.domain.ids import StaffId
from caseload.domain.people.staff import Staff


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
    """What somebody offers to prove themselves: the password; a second factor will stand beside it."""

    password: str = field(repr=False)
