"""Disclosures on the wire: what is to be told, and what was."""

from datetime import datetime
from typing import Any
from uuid import UUID

from caseload.api.consent.wire import CheckWire, RecipientWire
from caseload.api.wire import Instant, Wire
from caseload.domain.consent import Category, Purpose
from caseload.domain.disclosure import (
    MADE_FROM_THE_RECORD,
    Completion,
    Disclosure,
    DisputeTold,
    Ground,
    Making,
    Manner,
    NoticeHow,
    Open,
    Redisclosure,
    Release,
    SatIn,
    Told,
)
from caseload.domain.ids import StaffId
from caseload.domain.people import Staff


class DisclosureIn(Wire, frozen=True, kw_only=True):
    """What you tell, to whom, how, and what allows it."""

    recipient: RecipientWire
    """As a consent names them."""
    name: str
    """Who receives it, by name and function."""
    categories: tuple[Category, ...]
    manner: Manner
    check: CheckWire | None = None
    """How you made sure who it is. Without it nothing is told."""
    purpose: Purpose | None = None
    """What it is for; an exception has a purpose of its own and needs none said."""
    facility: str | None = None
    address: str | None = None
    ground: Ground = Ground.CONSENT
    stated: dict[str, str] | None = None
    """What the exception asks to be stated; `GET /disclosure-exceptions` says what."""
    notice_how: NoticeHow | None = None
    """How the notice of 42 CFR 2.32 went with what was spoken."""
    since: Instant | None = None
    """Tell only what came into the record after that moment; everything when left out."""

    def read(self) -> Making:
        """As the domain speaks of it."""
        return Making(
            recipient=self.recipient.read(),
            name=self.name,
            categories=self.categories,
            manner=self.manner,
            check=None if self.check is None else self.check.read(),
            purpose=self.purpose,
            facility=self.facility,
            address=self.address,
            ground=self.ground,
            stated=self.stated or {},
            notice_how=self.notice_how,
            since=self.since,
        )


class ReleaseIn(Wire, frozen=True, kw_only=True):
    """A medical emergency: who receives it and why. The rest can be filled in afterwards (42 CFR 2.51(c))."""

    name: str
    """The medical personnel who receive it, by name or function."""
    emergency: str
    """The nature of the emergency."""
    manner: Manner = Manner.WRITTEN
    facility: str | None = None
    check: CheckWire | None = None
    disclosed_by: UUID | None = None
    """Who told, where it was spoken; a document is told by whoever makes it."""
    disclosed_at: Instant | None = None

    def read(self) -> Release:
        """As the domain speaks of it."""
        return Release(
            name=self.name,
            emergency=self.emergency,
            manner=self.manner,
            facility=self.facility,
            check=None if self.check is None else self.check.read(),
            disclosed_by=None if self.disclosed_by is None else StaffId(self.disclosed_by),
            disclosed_at=self.disclosed_at,
        )


class CompletionIn(Wire, frozen=True, kw_only=True):
    """What was missing of an emergency's record: all of it at once."""

    facility: str | None = None
    disclosed_by: UUID | None = None
    disclosed_at: Instant | None = None

    def read(self) -> Completion:
        """As the domain speaks of it."""
        return Completion(
            facility=self.facility,
            disclosed_by=None if self.disclosed_by is None else StaffId(self.disclosed_by),
            disclosed_at=self.disclosed_at,
        )


class DisclosureLineOut(Wire, frozen=True, kw_only=True):
    """One line of a client's account of disclosures: when, to whom, what kind of information, for what."""

    id: UUID
    client_id: UUID
    recipient: RecipientWire
    name: str
    facility: str | None
    address: str | None
    purpose: Purpose
    ground: Ground | None
    """What allowed it; null where nothing did."""
    consent_id: UUID | None
    session_id: UUID | None
    """Of a relative who sat in a session with the client: which. The line follows its register."""
    in_spite_because: str | None
    """Of a relative who sat there although nothing allowed it: why."""
    emergency: str | None
    check: CheckWire | None
    stated: dict[str, str]
    categories: list[Category]
    rule: str
    rules_version: str
    manner: Manner
    since: datetime | None
    """Only what had come into the record after that moment was told."""
    notice_how: NoticeHow | None
    disclosed_by: UUID | None
    disclosed_at: datetime | None
    recorded_at: datetime
    missing: list[str]
    """What is still to be filled in of an emergency."""

    @classmethod
    def of(cls, told: Told) -> "DisclosureLineOut":
        """From the domain."""
        return cls(**(_sat_in(told) if isinstance(told, SatIn) else _line(told)))


class DisputeToldOut(Wire, frozen=True, kw_only=True):
    """A denied amendment that goes along, because the client disagrees or asked for that."""

    request_id: UUID
    categories: list[Category]
    """In which kinds of information the entry is disclosed."""
    says: str
    """To be said with what is spoken, and above the words of a document."""
    words: dict[str, str]
    """The request, the denial, the disagreement and the rebuttal; nothing of them with what is spoken."""

    @classmethod
    def of(cls, one: DisputeTold) -> "DisputeToldOut":
        """From the domain."""
        return cls(request_id=one.request, categories=list(one.categories), says=one.says, words=dict(one.words))


class DisclosureOut(DisclosureLineOut, frozen=True, kw_only=True):
    """What was told, as it was told, and what went with it."""

    notice: str | None
    """What must accompany it (42 CFR 2.32(a))."""
    scope: str | None
    """What the consent allows (2.32(b))."""
    content: dict[str, Any] | None
    """What the document says, by category; nothing of what was spoken, and null where you may not see it."""
    disputes: list[DisputeToldOut] | None
    """What goes with it because the client disputes what the record says of it; null where you may not see it."""

    @classmethod
    def seen(cls, made: Disclosure, *, by: Staff) -> "DisclosureOut":
        """From the domain, with the content for whoever may see all of it in the record too."""
        needed = {MADE_FROM_THE_RECORD[each] for each in made.categories if each in MADE_FROM_THE_RECORD}
        sees = all(by.may_in(act, made.programme, of=made.client) for act in needed)
        content = dict(made.content) if sees else None
        disputes = [DisputeToldOut.of(each) for each in made.disputes] if sees else None
        return cls(**_line(made), notice=made.notice, scope=made.scope, content=content, disputes=disputes)


def _line(made: Disclosure) -> dict[str, Any]:
    return _both(made) | {
        "session_id": None,
        "in_spite_because": None,
        "stated": dict(made.stated),
        "rules_version": made.rules_version,
        "notice_how": made.notice_how,
        "since": made.since,
        "missing": list(made.open_fields),
    }


def _sat_in(told: SatIn) -> dict[str, Any]:
    return _both(told) | {
        "session_id": told.session,
        "in_spite_because": told.in_spite_because,
        "stated": {},
        "rules_version": told.rules.version,
        "notice_how": None,
        "since": None,
        "missing": [],
    }


def _both(told: Told) -> dict[str, Any]:
    telling = told.telling
    recipient, check = telling.recipient, telling.check
    return {
        "id": told.id,
        "client_id": told.client,
        "recipient": RecipientWire(person_id=recipient.person, name=recipient.name, group=recipient.group),
        "name": telling.name,
        "facility": telling.facility,
        "address": telling.address,
        "purpose": telling.purpose,
        "ground": told.ground,
        "consent_id": told.consent,
        "emergency": telling.emergency,
        "check": None if check is None else CheckWire(method=check.method, detail=check.detail),
        "categories": list(told.categories),
        "rule": told.rule,
        "manner": told.manner,
        "disclosed_by": told.disclosed_by,
        "disclosed_at": told.disclosed_at,
        "recorded_at": told.recorded_at,
    }


class OpenReleaseOut(Wire, frozen=True, kw_only=True):
    """An emergency release whose record is not complete. It names nobody: read the disclosure by its id."""

    id: UUID
    programme_id: UUID
    recorded_by: UUID
    recorded_at: datetime
    missing: list[str]
    due_at: datetime
    overdue: bool
    rule: str
    advice: str

    @classmethod
    def of(cls, found: Open, *, at: datetime) -> "OpenReleaseOut":
        """From the domain."""
        release = found.release
        return cls(
            id=release.id,
            programme_id=release.programme,
            recorded_by=release.recorded_by,
            recorded_at=release.recorded_at,
            missing=list(found.missing),
            due_at=found.due_at,
            overdue=found.is_overdue(at),
            rule=found.rule,
            advice=found.advice,
        )


class OpenReleasesOut(Wire, frozen=True, kw_only=True):
    """Emergency releases whose record is not complete, the oldest first."""

    items: list[OpenReleaseOut]
    open: int
    overdue: int


class RedisclosureIn(Wire, frozen=True, kw_only=True):
    """That somebody who was told has told somebody else."""

    to: str
    learnt_from: str
    learnt_at: Instant | None = None
    """When you learnt of it; now when left out."""
    why: str | None = None
    """What is said to have allowed it."""


class RedisclosureOut(Wire, frozen=True, kw_only=True):
    """What was told on, as far as it was heard of."""

    id: UUID
    disclosure_id: UUID
    to: str
    learnt_from: str
    learnt_at: datetime
    why: str | None
    recorded_by: UUID
    recorded_at: datetime

    @classmethod
    def of(cls, heard: Redisclosure) -> "RedisclosureOut":
        """From the domain."""
        return cls(
            id=heard.id,
            disclosure_id=heard.disclosure,
            to=heard.to,
            learnt_from=heard.learnt_from,
            learnt_at=heard.learnt_at,
            why=heard.why,
            recorded_by=heard.recorded_by,
            recorded_at=heard.recorded_at,
        )


class RedisclosuresOut(Wire, frozen=True, kw_only=True):
    """The redisclosure trail of one disclosure."""

    items: list[RedisclosureOut]
