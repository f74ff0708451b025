"""Who has looked at which finding, and what they came to."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Uuid, any_, bindparam, insert, select
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.tables.oversight import finding_review
from caseload.domain.ids import ReviewId, StaffId
from caseload.domain.oversight import Conclusion, FindingUnknown, Question, Review, ReviewedAlready

_REVIEWS = select(
    finding_review.c.id,
    finding_review.c.question,
    finding_review.c.finding_id,
    finding_review.c.staff_id,
    finding_review.c.covers_until,
    finding_review.c.conclusion,
    finding_review.c.note,
    finding_review.c.reviewed_by,
    finding_review.c.reviewed_at,
)
_REVIEWS_OF = (
    _REVIEWS.ext(distinct_on(finding_review.c.finding_id))
    .where(
        finding_review.c.question == bindparam("question"),
        finding_review.c.finding_id == any_(bindparam("found", type_=ARRAY(Uuid()))),
    )
    .order_by(finding_review.c.finding_id, finding_review.c.covers_until.desc())
)
_REVIEW = _REVIEWS.where(finding_review.c.id == bindparam("review"))
_ADD = insert(finding_review)


class Reviews:
    """Satisfies `domain.oversight.Reviews`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of(self, question: Question, found: Sequence[UUID]) -> Mapping[UUID, Review]:
        """See `domain.oversight.Reviews.of`."""
        rows = await self._connection.execute(_REVIEWS_OF, {"question": question, "found": list(found)})
        return {row.finding_id: _review(row) for row in rows}

    async def get(self, review: ReviewId) -> Review:
        """See `domain.oversight.Reviews.get`."""
        row = (await self._connection.execute(_REVIEW, {"review": review})).first()
        if row is None:
            raise FindingUnknown
        return _review(row)

    async def add(self, review: Review) -> None:
        """See `domain.oversight.Reviews.add`."""
        try:
            await self._connection.execute(
                _ADD,
                {
                    "id": review.id,
                    "question": review.question,
                    "finding_id": review.finding,
                    "staff_id": review.staff,
                    "covers_until": review.covers_until,
                    "conclusion": review.conclusion,
                    "note": review.note,
                    "reviewed_by": review.reviewed_by,
                    "reviewed_at": review.reviewed_at,
                },
            )
        except IntegrityError as twice:
            raise ReviewedAlready from twice


def _review(row: Row[*tuple[Any, ...]]) -> Review:
    return Review(
        id=ReviewId(row.id),
        question=Question(row.question),
        finding=row.finding_id,
        staff=StaffId(row.staff_id),
        covers_until=row.covers_until,
        conclusion=Conclusion(row.conclusion),
        note=row.note,
        reviewed_by=StaffId(row.reviewed_by),
        reviewed_at=row.reviewed_at,
    )
