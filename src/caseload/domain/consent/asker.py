"""Who is asking: how staff made sure of it before anything could be told.

Without that nothing is ever allowed, whatever the client has consented to: a voice on the telephone is nobody yet
(45 CFR 164.514(h): verify the identity of whoever requests; 42 CFR 2.13(c): until then neither confirm nor deny).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from caseload.domain.consent.addressee import Addressee, Recipient
from caseload.domain.errors import Faults
from caseload.domain.family import LONGEST_NAME, RelatedPerson, text_fault
from caseload.domain.ids import RelatedPersonId


class CheckMethod(StrEnum):
    """How staff made sure of who is asking."""

    KNOWN_PASSWORD = "known_password"  # noqa: S105 - the name of a check, and no secret
    """They said the word that was agreed with the client."""
    CALL_BACK = "call_back"
    """Staff hung up and rang the number on file; never a number that the caller gave."""
    IN_PERSON = "in_person"
    """Staff know them by sight."""
    DOCUMENT = "document"
    """They showed or sent something that proves it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityCheck:
    """The check of an asker that was made."""

    method: CheckMethod
    detail: str | None = None
    """Which document; or which number was rung and where it was on file, for somebody who is not on the list."""


def check_asker(
    check: IdentityCheck | None,
    asker: Recipient,
    around: Mapping[RelatedPersonId, RelatedPerson],
    faults: Faults,
) -> None:
    """Add what is wrong with a check, if one was made: a call back needs a number on file, a document its name."""
    if check is None:
        return
    if problem := text_fault(check.detail, longest=LONGEST_NAME):
        faults.add("check.detail", problem)
    if check.method is CheckMethod.DOCUMENT:
        faults.check(when=check.detail is None, where="check.detail", problem="say which document it was")
    if check.method is not CheckMethod.CALL_BACK:
        return
    if asker.person is None:
        faults.check(
            when=check.detail is None,
            where="check.detail",
            problem="say which number was rung and where it was on file; a number that the caller gave is no check",
        )
        return
    person = around.get(asker.person)
    faults.check(
        when=person is None or person.details.phone is None,
        where="check.method",
        problem="no number of this person is on file; check in another way, or ask the client for the number",
    )


def is_warned_of(to: Addressee, check: IdentityCheck | None, *, at: datetime) -> bool:
    """Whether a safety warning forbids telling whoever may be meant anything at that moment.

    A warning that can be passed by writing out a name, rightly or nearly, is none. Nobody who is not to be called is told
    anything on a call back.
    """
    rings = check is not None and check.method is CheckMethod.CALL_BACK
    return any(person.stopped_by(at=at, rings=rings) is not None and to.may_be(person) for person in to.around)
