"""What a programme asks in its check-ins, in versions: the questions and the instruments."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final, Protocol

from caseload.domain.access import Act
from caseload.domain.checkin.answers import Question
from caseload.domain.errors import Conflict, Faults
from caseload.domain.ids import ProgrammeId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff

LONGEST_REASON: Final = 4000


class TemplateChanged(Conflict):
    """What this programme asks has been changed since you read it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One version of what a programme asks in its check-ins."""

    programme: ProgrammeId
    version: int
    """0 where the programme has said nothing: then anything may be answered and nothing must be asked."""
    asks: tuple[Question, ...] = ()
    reason: str | None = None
    decided_by: StaffId | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckInQuestionsChanged(Event):
    """What a programme asks in its check-ins was changed."""

    name: ClassVar[str] = "check_in.questions_changed"


class Templates(Protocol):
    """What programmes ask."""

    async def template(self, programme: ProgrammeId, /) -> Template:
        """The newest version; version 0 where there is none."""
        ...

    async def add_template(self, template: Template, /) -> None:
        """Keep it; `TemplateChanged` when there is such a version already."""
        ...


async def ask_instead(
    before: Template,
    asks: Sequence[Question],
    reason: str,
    *,
    by: Staff,
    now: datetime,
    templates: Templates,
    journal: Journal,
) -> Template:
    """Say what a programme asks from now on; check-ins completed before keep what they were asked.

    Raises `NotPermitted`, `Invalid`, `TemplateChanged`.
    """
    by.require(Act.KEEP_CHECK_IN_RULES, before.programme)
    faults = Faults()
    faults.check(when=not asks, where="asks", problem="ask something")
    faults.check(when=len(set(asks)) != len(asks), where="asks", problem="name each question once")
    faults.check(when=not reason.strip(), where="reason", problem="say why")
    faults.check(
        when=len(reason) > LONGEST_REASON, where="reason", problem=f"must have at most {LONGEST_REASON} characters"
    )
    faults.raise_if_any()
    after = Template(
        programme=before.programme,
        version=before.version + 1,
        asks=tuple(asks),
        reason=reason,
        decided_by=by.id,
        decided_at=now,
    )
    await templates.add_template(after)
    journal.tell(CheckInQuestionsChanged(facts={"programme": str(before.programme), "version": after.version}))
    return after
