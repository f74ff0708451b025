"""Asking a saved question of a span of time, and saying of what it found that somebody has looked.

Nobody reviews what they did themselves (21 CFR 11.10(g) and the practice that whoever audits does not audit their own
access). A review covers what was there to be seen: what happens later opens the finding again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final, Protocol
from uuid import UUID

from caseload.domain.access import Act
from caseload.domain.accesslog import LogScope, scope_of
from caseload.domain.errors import Conflict, Faults, NotFound, NotPermitted
from caseload.domain.ids import EntryId, ReviewId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.oversight import findings
from caseload.domain.oversight.findings import Finding, Trace
from caseload.domain.oversight.questions import Question, questions
from caseload.domain.oversight.sources import Grounds, Places, Span, Traces
from caseload.domain.people import Staff

LONGEST_NOTE: Final = 2_000
MOST_FINDINGS: Final = 200


class FindingUnknown(NotFound):
    """There is no such finding."""

    def __init__(self) -> None:
        super().__init__("Ask the question again and use the identifier of one of its findings.")


class NotYourOwn(NotPermitted):
    """You cannot review what you did yourself."""

    def __init__(self) -> None:
        super().__init__("Ask another auditor or privacy officer to look at it.")


class ReviewedAlready(Conflict):
    """Somebody has reviewed this already."""

    def __init__(self) -> None:
        super().__init__("Read their conclusion; what happens later will open the finding again.")


class Conclusion(StrEnum):
    """What somebody who looked came to."""

    EXPLAINED = "explained"
    """There was a reason."""
    TAKEN_UP = "taken_up"
    """It has been taken up with the person, or the account is being closed."""
    BREACH = "breach"
    """It was unlawful; what follows from that is done elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Somebody's word that they have looked at a finding."""

    id: ReviewId
    question: Question
    finding: UUID
    staff: StaffId
    covers_until: datetime
    """What had happened by then was looked at."""
    conclusion: Conclusion
    note: str
    reviewed_by: StaffId
    reviewed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """A finding with the newest review that covers it, if there is one."""

    finding: Finding
    review: Review | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingReviewed(Event):
    """Somebody looked at a finding of the routine review."""

    name: ClassVar[str] = "finding.reviewed"


class Reviews(Protocol):
    """The reviews that are kept."""

    async def of(self, question: Question, found: Sequence[UUID]) -> Mapping[UUID, Review]:
        """The newest review of each of these findings."""
        ...

    async def get(self, review: ReviewId) -> Review:
        """The review, or `FindingUnknown`."""
        ...

    async def add(self, review: Review) -> None:
        """Keep it; `ReviewedAlready` when another covers the same."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """Everything a question is answered from."""

    traces: Traces
    grounds: Grounds
    reviews: Reviews
    places: Places


async def ask(
    question: Question,
    span: Span,
    *,
    unreviewed_only: bool,
    after: UUID | None,
    limit: int,
    by: Staff,
    office: Office,
    journal: Journal,
) -> Sequence[Reviewed]:
    """A page of what the question finds in that span, newest first. Every client who is named is noted as shown."""
    scope = scope_of(by.holdings, Act.REVIEW_ACCESS)
    found = sorted(await _answer(question, span, scope, office), key=lambda each: each.id, reverse=True)
    reviews = await office.reviews.of(question, [each.id for each in found])
    page: list[Reviewed] = []
    for finding in found:
        settled = _settling(finding, reviews)
        if (after is None or finding.id < after) and not (unreviewed_only and settled is not None):
            page.append(Reviewed(finding=finding, review=settled))
        if len(page) == min(limit, MOST_FINDINGS):
            break
    for each in page:
        if each.finding.client is not None:
            journal.saw(each.finding.client, "access_log")
    return page


async def unreviewed(question: Question, span: Span, *, by: Staff, office: Office) -> int:
    """How many findings of that span wait for somebody to look at them; not those about whoever asks, who may not."""
    scope = scope_of(by.holdings, Act.REVIEW_ACCESS)
    found = [each for each in await _answer(question, span, scope, office) if each.staff != by.id]
    reviews = await office.reviews.of(question, [each.id for each in found])
    return sum(_settling(each, reviews) is None for each in found)


async def review(new: Review, *, by: Staff, now: datetime, office: Office, journal: Journal) -> Review:
    """Keep that somebody other than its subject has looked at a finding, and what they came to.

    Raises `NotYourOwn`, `FindingUnknown`, `Invalid`, `ReviewedAlready`.
    """
    scope_of(by.holdings, Act.REVIEW_ACCESS)
    if new.staff == by.id:
        raise NotYourOwn
    faults = Faults()
    faults.check(
        when=not new.note.strip() or len(new.note) > LONGEST_NOTE,
        where="note",
        problem=f"must say in 1 to {LONGEST_NOTE} characters what the conclusion rests on",
    )
    faults.check(when=new.covers_until > now, where="covers_until", problem="must not lie in the future")
    faults.raise_if_any()
    former = (await office.reviews.of(new.question, [new.finding])).get(new.finding)
    if former is not None and former.covers_until >= new.covers_until:
        raise ReviewedAlready
    await office.reviews.add(new)
    facts: dict[str, str | int] = {"question": new.question.value, "conclusion": new.conclusion.value}
    journal.tell(FindingReviewed(records=(new.id, new.finding, new.staff), facts=facts))
    return new


async def subject_of(question: Question, finding: UUID, *, by: Staff, office: Office) -> StaffId:
    """Whom a finding is about: whoever left its first entry, or whose account it is. Raises `FindingUnknown`."""
    scope = scope_of(by.holdings, Act.REVIEW_ACCESS)
    actor = await office.traces.actor_of(EntryId(finding), scope)
    if actor is not None:
        return actor
    if question is Question.ACCOUNTS_TO_CLOSE:
        accounts = await office.grounds.open_accounts(programmes=scope.programmes)
        if any(account.staff == finding for account in accounts):
            return StaffId(finding)
    raise FindingUnknown


def _settling(finding: Finding, reviews: Mapping[UUID, Review]) -> Review | None:
    """The review of a finding, if it covers all of it."""
    review = reviews.get(finding.id)
    return review if review is not None and review.covers_until >= finding.last_at else None


async def _answer(question: Question, span: Span, scope: LogScope, office: Office) -> Iterable[Finding]:
    rules, traces, grounds, places = questions(), office.traces, office.grounds, office.places
    match question:
        case Question.WITHOUT_LINK | Question.OWN_OR_NAMESAKE:
            return await _of_opened(question, await traces.opened(span, scope, places), grounds)
        case Question.OUT_OF_HOURS:
            quarters, shifts = await traces.quarters(span, scope), await grounds.shifts(span)
            return findings.out_of_hours(quarters, shifts, places.zones, rules.out_of_hours)
        case Question.BULK_READS:
            events = rules.bulk_reads.files
            days = await traces.shown(span, scope, places, but=events)
            files = await traces.told(span, scope, places, events=events)
            return findings.bulk_reads(days, files, rules.bulk_reads)
        case Question.REPEATED_DENIALS:
            refused = await traces.refused(span, scope, places)
            return findings.repeated_denials(refused, rules.repeated_denials.at_least_refusals)
        case Question.ACCOUNTS_TO_CLOSE:
            accounts = await grounds.open_accounts(programmes=scope.programmes)
            late = await traces.after(await grounds.closed_accounts(scope.programmes), span, places)
            return findings.accounts_to_close(accounts, late, rules.accounts_to_close, at=span.until)
        case _:
            restricted = await grounds.restricted(span)
            return findings.restricted_use(await traces.restricted(span, scope, places, restricted))


async def _of_opened(question: Question, opened: Sequence[Trace], grounds: Grounds) -> Iterable[Finding]:
    """What is found among the records that were opened one at a time."""
    if question is Question.OWN_OR_NAMESAKE:
        return findings.own_or_namesake(opened, await grounds.alike(opened))
    near = questions().without_link
    linked = await grounds.linked(opened, days=near.days_around, programme_days=near.programme_days_around)
    return findings.without_link(opened, linked)
