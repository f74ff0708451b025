"""The routine review of the log: saved questions, what they find, and who has looked at that."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from litestar import Router
from litestar.params import FromPath, JSONBody, QueryParameter

from caseload.api.audit_log import Since, Until
from caseload.api.pages import USUAL, After, Limit, Page
from caseload.api.route import reading, writing
from caseload.api.wire import Instant, Wire
from caseload.api.work import TheKey, TheWork
from caseload.audit.traces import LogTraces
from caseload.db.idempotency import Kept
from caseload.db.oversight import Grounds, Reviews
from caseload.db.programme import Programmes
from caseload.domain import oversight as domain
from caseload.domain.access import Act
from caseload.domain.ids import ReviewId, new_id
from caseload.domain.oversight import Conclusion, Office, Places, Question, Review, Reviewed, Span
from caseload.request.idempotency import once
from caseload.request.work import Work

Asked = Annotated[Question, QueryParameter(name="question", description="Which of the saved questions.")]
UnreviewedOnly = Annotated[
    bool,
    QueryParameter(name="unreviewed_only", required=False, description="Leave out what somebody has looked at."),
]


class FindingReviewIn(Wire, frozen=True, kw_only=True):
    """What you came to."""

    question: Question
    covers_until: Instant
    """The `last_at` of the finding as you saw it: what comes later is not covered and opens it again."""
    conclusion: Conclusion
    note: str
    """What it rests on. No names and nothing clinical: the finding already says whom it is about."""


class FindingReviewOut(Wire, frozen=True, kw_only=True):
    """Somebody's word that they have looked at a finding."""

    id: UUID
    question: Question
    finding_id: UUID
    staff_id: UUID
    covers_until: datetime
    conclusion: Conclusion
    note: str
    reviewed_by: UUID
    reviewed_at: datetime

    @classmethod
    def of(cls, review: Review) -> "FindingReviewOut":
        """From the domain."""
        return cls(
            id=review.id,
            question=review.question,
            finding_id=review.finding,
            staff_id=review.staff,
            covers_until=review.covers_until,
            conclusion=review.conclusion,
            note=review.note,
            reviewed_by=review.reviewed_by,
            reviewed_at=review.reviewed_at,
        )


class FindingOut(Wire, frozen=True, kw_only=True):
    """Something to look at, with its reason."""

    id: UUID
    """The first entry it rests on, or the account: the same whenever the question is asked."""
    question: Question
    rule: str
    """The rule and its version."""
    says: str
    """What a finding of this question is."""
    staff_id: UUID
    """Whom it is about."""
    client_id: UUID | None
    """Whose record it is, where it is about one."""
    day: date | None
    """By the programme's own clock."""
    entries: int
    """How many entries of the log it rests on."""
    first_at: datetime | None
    last_at: datetime
    why: str
    """Why it was found, in words."""
    review: FindingReviewOut | None
    """Who has looked at it, and at all of it."""

    @classmethod
    def of(cls, reviewed: Reviewed) -> "FindingOut":
        """From the domain."""
        finding = reviewed.finding
        return cls(
            id=finding.id,
            question=finding.question,
            rule=finding.rule,
            says=domain.questions().says(finding.question),
            staff_id=finding.staff,
            client_id=finding.client,
            day=finding.day,
            entries=finding.entries,
            first_at=finding.first_at,
            last_at=finding.last_at,
            why=finding.why,
            review=None if reviewed.review is None else FindingReviewOut.of(reviewed.review),
        )


class FindingsCountOut(Wire, frozen=True, kw_only=True):
    """How much of what a saved question finds waits for a look."""

    unreviewed: int


async def office_of(work: Work) -> Office:
    """Everything a question is answered from, as this piece of work reads it."""
    return Office(
        traces=LogTraces(work.connection, work.service.trail),
        grounds=Grounds(work.connection),
        reviews=Reviews(work.connection),
        places=Places.of(await Programmes(work.connection).all()),
    )


@reading("/audit/findings", act=Act.REVIEW_ACCESS, name="list_findings", problems=())
async def list_findings(
    question: Asked,
    work: TheWork,
    since: Since = None,
    until: Until = None,
    *,
    unreviewed_only: UnreviewedOnly = False,
    after: After = None,
    limit: Limit = USUAL,
) -> Page[FindingOut]:
    """What one of the saved questions finds, newest first: of the last month, or of 92 days at most."""
    span = _asked_about(work, question, since, until)
    found = await domain.ask(
        question,
        span,
        unreviewed_only=unreviewed_only,
        after=after,
        limit=limit,
        by=work.by,
        office=await office_of(work),
        journal=work.journal,
    )
    items = [FindingOut.of(each) for each in found]
    return Page(items=items, next=items[-1].id if len(items) == limit else None)


@reading("/audit/findings/count", act=Act.REVIEW_ACCESS, name="count_findings", problems=())
async def count_findings(question: Asked, work: TheWork, since: Since = None, until: Until = None) -> FindingsCountOut:
    """How many lines of `/audit/findings` wait for you to look at them; those about yourself are for somebody else."""
    span = _asked_about(work, question, since, until)
    found = await domain.unreviewed(question, span, by=work.by, office=await office_of(work))
    return FindingsCountOut(unreviewed=found)


def _asked_about(work: Work, question: Question, since: datetime | None, until: datetime | None) -> Span:
    """The span, which is told to the log with the question."""
    span = Span.of(since, until, now=work.now)
    work.circumstances.filter = {
        "question": question.value,
        "since": span.since.isoformat(),
        "until": span.until.isoformat(),
    }
    return span


@writing("/audit/findings/{finding_id:uuid}/reviews", act=Act.REVIEW_ACCESS, name="review_finding")
async def review_finding(
    finding_id: FromPath[UUID], data: JSONBody[FindingReviewIn], work: TheWork, key: TheKey
) -> FindingReviewOut:
    """Record that you have looked at a finding, and what you came to. Nobody reviews what they did themselves."""
    office = await office_of(work)
    new = ReviewId(new_id())

    async def look() -> Review:
        made = Review(
            id=new,
            question=data.question,
            finding=finding_id,
            staff=await domain.subject_of(data.question, finding_id, by=work.by, office=office),
            covers_until=data.covers_until,
            conclusion=data.conclusion,
            note=data.note.strip(),
            reviewed_by=work.by.id,
            reviewed_at=work.now,
        )
        return await domain.review(made, by=work.by, now=work.now, office=office, journal=work.journal)

    async def again(kept: Kept) -> Review:
        return await office.reviews.get(ReviewId(kept.resource))

    return FindingReviewOut.of(await once(work, key, Kept(status=201, resource=new), do=look, again=again))


router = Router("/", route_handlers=[list_findings, count_findings, review_finding], tags=["Review of the log"])
