"""What somebody wants to disclose, and whether it is complete: who, what, how, and what an exception asks to be stated."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import Final

from caseload.domain.access import Act
from caseload.domain.client import Client
from caseload.domain.consent import NEEDS_NO_CONSENT, Category, IdentityCheck, Purpose, Recipient
from caseload.domain.disclosure.rules import ExceptionRule
from caseload.domain.disclosure.words import BY_WORD, Ground, Manner, NoticeHow
from caseload.domain.errors import Faults
from caseload.domain.family import LONGEST_NAME, LONGEST_TEXT, text_fault
from caseload.domain.people import Staff

MADE_FROM_THE_RECORD: Final[Mapping[Category, Act]] = MappingProxyType({
    Category.PRESENCE: Act.SEE_CLIENT,
    Category.ATTENDANCE: Act.SEE_SESSIONS,
    Category.APPOINTMENTS: Act.SEE_APPOINTMENTS,
    Category.MEDICATION: Act.SEE_MEDICATION,
    Category.TAKE_HOME: Act.SEE_MEDICATION,
    Category.DRUG_SCREENS: Act.SEE_OBSERVATIONS,
    Category.RISK: Act.SEE_ESCALATIONS,
    Category.SESSION_RECORDS: Act.SEE_NOTES,
})  # fmt: skip
"""What this service can write down from the record, and what whoever releases it must be allowed to see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """What you tell, to whom, how, and what allows it."""

    recipient: Recipient
    """As a consent names them."""
    name: str
    """Who receives it, by name and function."""
    categories: tuple[Category, ...]
    manner: Manner
    check: IdentityCheck | None
    purpose: Purpose | None = None
    """What it is for; an exception has a purpose of its own and needs none said."""
    facility: str | None = None
    address: str | None = None
    ground: Ground = Ground.CONSENT
    stated: Mapping[str, str] = field(default_factory=dict[str, str])
    """What the exception asks to be stated, where it is one."""
    notice_how: NoticeHow | None = None
    """How the notice went with what was spoken."""
    since: datetime | None = None
    """Only what came into the record after that moment; everything where it is None."""


def require_complete(
    making: Making, exception: ExceptionRule | None, client: Client, by: Staff, *, notice: str | None, day: date
) -> None:
    """Raise `Invalid` with everything that is missing or does not belong on a local day, before anything is decided."""
    faults = Faults()
    faults.check(when=not making.name.strip(), where="name", problem="say who receives it, by name and function")
    for where, text, longest in (
        ("name", making.name or None, LONGEST_NAME),
        ("facility", making.facility, LONGEST_NAME),
        ("address", making.address, LONGEST_TEXT),
    ):
        if problem := text_fault(text, longest=longest):
            faults.add(where, problem)
    for category in sorted(NEEDS_NO_CONSENT.intersection(making.categories)):
        faults.add("categories", f"{category} discloses nothing about the client; there is nothing to record")
    if exception is not None:
        _check_exception(making, exception, faults, day=day)
    elif making.stated:
        faults.add("stated", "belongs to an exception; a consent needs none of it")
    by_consent = exception is None or exception.needs_consent or exception.scope is not None
    needs_word = notice is not None and by_consent and making.manner is Manner.SPOKEN
    faults.check(
        when=needs_word is not (making.notice_how in BY_WORD),
        where="notice_how",
        problem=f"say how the notice went with it: {', '.join(sorted(BY_WORD))} (42 CFR 2.32)"
        if needs_word
        else "is only for what is spoken under a consent that asks for a notice",
    )
    if making.manner is Manner.WRITTEN:
        _check_can_be_written(making, client, by, faults)
    faults.raise_if_any()


def _check_exception(making: Making, exception: ExceptionRule, faults: Faults, *, day: date) -> None:
    exception.faults(making.stated, frozenset(making.categories), faults, on=day)
    faults.check(
        when=making.purpose not in {None, exception.purpose},
        where="purpose",
        problem=f"this exception is for {exception.purpose} alone ({exception.rule}); leave the purpose out",
    )
    faults.check(
        when=not exception.reaches(making.recipient),
        where="recipient.group",
        problem=f"must be one of {', '.join(sorted(exception.recipients))} ({exception.rule})",
    )


def _check_can_be_written(making: Making, client: Client, by: Staff, faults: Faults) -> None:
    for category in sorted(set(making.categories) - NEEDS_NO_CONSENT):
        act = MADE_FROM_THE_RECORD.get(category)
        if act is None:
            faults.add("categories", f"{category} cannot be written down from the record here; it can be told in words")
        elif not by.may_in(act, client.programme):
            faults.add(
                "categories", f"{category} is not yours to see; ask a colleague of the client's care to release it"
            )
