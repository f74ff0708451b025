"""What check-ins ask and what was answered, in PostgreSQL: a column for each question, and which of them were put."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import RowMapping, Uuid, any_, bindparam, insert, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.tables.checkin import check_in, check_in_answers, check_in_template
from caseload.domain.checkin import Answers, Outcome, Question, Template, TemplateChanged
from caseload.domain.ids import ProgrammeId, StaffId

ANSWERS: Final = select(*check_in_answers.c).where(
    check_in_answers.c.check_in_id == any_(bindparam("these", type_=ARRAY(Uuid())))
)
_ADD: Final = insert(check_in_answers).values(
    programme_id=select(check_in.c.programme_id).where(check_in.c.id == bindparam("of")).scalar_subquery()
)
_TEMPLATE: Final = (
    select(
        check_in_template.c.version,
        check_in_template.c.asks,
        check_in_template.c.reason,
        check_in_template.c.decided_by,
        check_in_template.c.decided_at,
    )
    .where(check_in_template.c.programme_id == bindparam("programme"))
    .order_by(check_in_template.c.version.desc())
    .limit(1)
)


class Templates:
    """Satisfies `domain.checkin.Templates`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def template(self, programme: ProgrammeId) -> Template:
        """See `domain.checkin.Templates.template`."""
        row = (await self._connection.execute(_TEMPLATE, {"programme": programme})).first()
        if row is None:
            return Template(programme=programme, version=0)
        return Template(
            programme=programme,
            version=row.version,
            asks=tuple(Question(each) for each in row.asks),
            reason=row.reason,
            decided_by=StaffId(row.decided_by),
            decided_at=row.decided_at,
        )

    async def add_template(self, template: Template) -> None:
        """See `domain.checkin.Templates.add_template`."""
        try:
            await self._connection.execute(
                insert(check_in_template).values(
                    programme_id=template.programme,
                    version=template.version,
                    asks=list(template.asks),
                    reason=template.reason,
                    decided_by=template.decided_by,
                    decided_at=template.decided_at,
                )
            )
        except IntegrityError as raced:
            raise TemplateChanged("Read it again and decide whether your change still holds.") from raced


async def add_answers(connection: AsyncConnection, outcomes: Sequence[Outcome]) -> None:
    """Keep what was answered in these, where anything was asked."""
    for one in outcomes:
        if one.answers is not None:
            given = one.answers.given
            await connection.execute(
                _ADD,
                {
                    "of": one.check_in,
                    "check_in_id": one.check_in,
                    "version": one.version,
                    "template_version": one.answers.template_version,
                    "asked": sorted(given),
                    **{question: given.get(question) for question in Question},
                },
            )


def answers_of(row: RowMapping) -> Answers:
    """The answers of this row, in the order in which questions are listed."""
    asked = frozenset(row["asked"])
    return Answers(
        given={question: row[question.value] for question in Question if question.value in asked},
        template_version=row["template_version"],
    )
