"""Somebody at the client's number or in their home of whom a safety warning stands: which ways to the client that closes.

Who may harm the client opens the letters and the door of the home they share, and answers its telephone; who is not to be rung
must not pick up. Both are product conventions: no rule of 42 CFR part 2 asks for them, and a warning stands before every consent.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from caseload.domain.consent.names import words_of
from caseload.domain.family import WarningKind
from caseload.domain.outreach.channel import NEEDS_ADDRESS, NEEDS_TELEPHONE, Channel

LOCAL_DIGITS: Final = 7
"""So many digits at the end of two numbers are the same where they are one number, with or without its prefixes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """Somebody around a client of whom a warning stands now: where they are, and not who."""

    kind: WarningKind
    phone: str | None = None
    address: str | None = None
    in_household: bool = False
    """They live with the client, whatever address is on file."""


def closed_by(warned: Iterable[Warned], telephone: str | None, address: str | None) -> frozenset[Channel]:
    """The ways to this number and this address that must not be used."""
    closed: set[Channel] = set()
    for each in warned:
        if is_same_number(each.phone, telephone):
            closed |= NEEDS_TELEPHONE
        if each.kind is WarningKind.DOMESTIC_RISK and _lives_there(each, address):
            closed |= NEEDS_ADDRESS
    return frozenset(closed)


def beware_of(warned: Iterable[Warned], telephone: str | None, address: str | None) -> WarningKind | None:
    """The gravest warning about somebody who may be there, whether or not it closes a way."""
    kinds = {each.kind for each in warned if is_same_number(each.phone, telephone) or _lives_there(each, address)}
    return next((kind for kind in WarningKind if kind in kinds), None)


def _lives_there(warned: Warned, address: str | None) -> bool:
    return address is not None and (warned.in_household or is_same_address(warned.address, address))


def is_same_number(one: str | None, other: str | None) -> bool:
    """Whether two telephone numbers are one, however they are written: with or without their prefixes."""
    first, second = _digits(one)[-LOCAL_DIGITS:], _digits(other)[-LOCAL_DIGITS:]
    return bool(first) and first == second


def is_same_address(one: str | None, other: str | None) -> bool:
    """Whether two addresses may be one: every word of the shorter stands in the longer. It errs towards the warning."""
    first, second = words_of(one or ""), words_of(other or "")
    return bool(first and second) and (first <= second or second <= first)


def _digits(number: str | None) -> str:
    return "".join(each for each in number or "" if each.isdigit())
