"""What check-ins ask, over HTTP: the questions of a programme, and what was answered."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response
from litestar.params import FromPath, JSONBody

from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import IfMatch, TheWork, require_version, versioned
from caseload.db.checkin import Templates
from caseload.db.programme import Programmes
from caseload.domain import checkin as domain
from caseload.domain.access import Act
from caseload.domain.checkin import Answer, Answers, Question, Template, kind_of
from caseload.domain.ids import ProgrammeId

AnswersIn = Annotated[
    dict[str, Answer],
    msgspec.Meta(
        description="Answers by question; null for what was asked and not answered, which is not zero.",
        max_length=64,
        examples=[{"craving": 4, "use_days_28": 0, "use_days_30": None, "suicide": "no", "overdose_since": False}],
    ),
]


class CheckInAnswersOut(Wire, frozen=True, kw_only=True):
    """What was asked in a check-in and what was answered."""

    template_version: int | None
    """The version of the programme's questions that was in force; null where it had none."""
    given: dict[str, Answer]
    """By question: null where it was asked and not answered. What does not stand here was not asked."""

    @classmethod
    def of(cls, answers: Answers) -> "CheckInAnswersOut":
        """From the domain."""
        return cls(
            template_version=answers.template_version,
            given={question.value: answer for question, answer in answers.given.items()},
        )


class QuestionOut(Wire, frozen=True, kw_only=True):
    """One question: answered by a number up to `most`, by one of some words, by true or false, or in words."""

    question: Question
    asked: bool
    """Whether this programme asks it; the others may be answered, too."""
    most: int | None
    one_of: list[str]
    yes_or_no: bool


class CheckInQuestionsOut(Wire, frozen=True, kw_only=True):
    """What a programme asks in its check-ins."""

    programme_id: UUID
    version: int
    """Also the ETag. 0 where the programme has said nothing: then nothing must be asked."""
    questions: list[QuestionOut]
    """In the order in which the programme asks, and after them what it does not ask."""
    reason: str | None
    decided_by: UUID | None
    decided_at: datetime | None

    @classmethod
    def of(cls, template: Template) -> "CheckInQuestionsOut":
        """From the domain."""
        others = [question for question in Question if question not in template.asks]
        return cls(
            programme_id=template.programme,
            version=template.version,
            questions=[
                QuestionOut(
                    question=each,
                    asked=each in template.asks,
                    most=kind_of(each).most,
                    one_of=list(kind_of(each).one_of),
                    yes_or_no=kind_of(each).yes_or_no,
                )
                for each in (*template.asks, *others)
            ],
            reason=template.reason,
            decided_by=template.decided_by,
            decided_at=template.decided_at,
        )


class CheckInQuestionsIn(Wire, frozen=True, kw_only=True):
    """What a programme asks from now on, and why."""

    asks: list[Question]
    reason: str


@reading(
    "/programmes/{programme_id:uuid}/check-in-questions",
    act=Act.SEE_PROGRAMMES,
    name="read_check_in_questions",
    unaudited="what is asked of everybody",
)
async def read_check_in_questions(programme_id: FromPath[UUID], work: TheWork) -> Response[CheckInQuestionsOut]:
    """What a programme asks in its check-ins, and how each question is answered."""
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    template = await Templates(work.connection).template(programme.id)
    return versioned(CheckInQuestionsOut.of(template), template.version)


@writing(
    "/programmes/{programme_id:uuid}/check-in-questions",
    act=Act.KEEP_CHECK_IN_RULES,
    name="change_check_in_questions",
    method="PUT",
    status=200,
    problems=(404, 412, 428),
)
async def change_check_in_questions(
    programme_id: FromPath[UUID], data: JSONBody[CheckInQuestionsIn], work: TheWork, if_match: IfMatch = None
) -> Response[CheckInQuestionsOut]:
    """Say what a programme asks from now on: a new version; what was asked before stays as it was asked."""
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    templates = Templates(work.connection)
    before = await templates.template(programme.id)
    require_version(if_match, before.version)
    after = await domain.ask_instead(
        before, data.asks, data.reason, by=work.by, now=work.now, templates=templates, journal=work.journal
    )
    return versioned(CheckInQuestionsOut.of(after), after.version)
