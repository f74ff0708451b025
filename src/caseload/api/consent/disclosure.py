"""The question whether something may be told."""

from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.consent.wire import CheckWire, RecipientWire
from caseload.api.route import searching
from caseload.api.wire import Instant, Wire
from caseload.api.work import TheWork, client_within
from caseload.db.consent import Consents
from caseload.db.family import Families
from caseload.db.programme import Programmes
from caseload.domain import consent as domain
from caseload.domain.access import Act
from caseload.domain.consent import Answer, Asked, Category, Purpose, Reason


class QuestionIn(Wire, frozen=True, kw_only=True):
    """What you would tell, to whom, for what. Each category gets an answer of its own."""

    recipient: RecipientWire
    categories: tuple[Category, ...]
    purpose: Purpose
    check: CheckWire | None = None
    """How you made sure of who is asking. Without it nothing is allowed."""
    known_already: bool = False
    """Whoever asks has shown to know it without being told."""
    since: Instant | None = None
    """Only what came into the record after that moment would be told; everything when left out."""


class AnswerOut(Wire, frozen=True, kw_only=True):
    """Whether one category may be told, with what the answer rests on. It is not yet a disclosure."""

    category: Category
    allowed: bool
    reason: Reason
    consent_id: UUID | None
    """What an allowance rests on; for a refusal, the consent that comes nearest."""
    rule: str
    rules_version: str
    advice: str | None
    """What to do or say instead."""
    notice: str | None
    """What must accompany the disclosure (42 CFR 2.32)."""

    @classmethod
    def of(cls, answer: Answer) -> "AnswerOut":
        """From the domain."""
        return cls(
            category=answer.category,
            allowed=answer.allowed,
            reason=answer.reason,
            consent_id=answer.consent,
            rule=answer.rule,
            rules_version=answer.rules_version,
            advice=answer.advice,
            notice=answer.notice,
        )


class AnswersOut(Wire, frozen=True, kw_only=True):
    """One answer per category, in the order in which they were asked."""

    items: list[AnswerOut]
    recipients_on_file: list[RecipientWire]
    """Whom a consent in force names nearly as you wrote the asker. Nothing was allowed by that: are you sure that it is the
    same, choose the one on file and ask again. Empty for whoever does not see the client's consents."""
    no_longer_involved: list[UUID]
    """Whoever would be told by a consent and takes part in no way any more. The consent stands; ask the client about it before
    you tell. Empty for whoever does not see the client's consents."""


@searching(
    "/clients/{client_id:uuid}/disclosure-questions",
    act=Act.ASK_CONSENT,
    name="ask_disclosure",
    problems=(404,),
)
async def ask_disclosure(client_id: FromPath[UUID], data: JSONBody[QuestionIn], work: TheWork) -> AnswersOut:
    """May I tell this person this, for this purpose, now? Question and answer go into the log, allowed or not."""
    client = await client_within(work, client_id, Act.ASK_CONSENT)
    consents, families = Consents(work.connection, work.journal), Families(work.connection, work.journal)
    asked = Asked(
        recipient=data.recipient.read(),
        categories=data.categories,
        purpose=data.purpose,
        check=None if data.check is None else data.check.read(),
        known_already=data.known_already,
        since=data.since,
    )
    answers = await domain.ask(
        asked,
        client=client,
        programme=await Programmes(work.connection).get(client.programme),
        by=work.by,
        now=work.now,
        consents=consents,
        families=families,
        journal=work.journal,
    )
    near = await domain.near(
        asked, answers, client=client, by=work.by, now=work.now, consents=consents, families=families
    )
    gone = await domain.no_longer_involved(asked, answers, client=client, by=work.by, now=work.now, families=families)
    return AnswersOut(
        items=[AnswerOut.of(answer) for answer in answers],
        recipients_on_file=[RecipientWire(person_id=each.person, name=each.name, group=each.group) for each in near],
        no_longer_involved=list(gone),
    )
