"""Why a check-in is overdue, and where the ladder stands by which the client is looked for: one line of the list."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from litestar.params import FromPath

from caseload.api.care_task import CareTaskOut
from caseload.api.checkin.overdue import OverdueLineOut
from caseload.api.checkin.store import check_ins_of
from caseload.api.reaching import ReachByOut
from caseload.api.route import reading
from caseload.api.wire import Wire
from caseload.api.work import TheWork
from caseload.db.family import Families
from caseload.db.outreach import Explained, OverdueLadders
from caseload.domain.access import Act
from caseload.domain.care_task import CareTask
from caseload.domain.checkin import CheckInNotOverdue, Overdue, explain, is_overdue, waiting
from caseload.domain.consent import Category
from caseload.domain.family import RelatedPerson, Relationship, SafetyWarning, WarningKind
from caseload.domain.ids import CheckInId
from caseload.domain.outreach import SAYS, SKIPPED_SAYS, Channel, Skipped, Taken
from caseload.domain.profiles.outreach import OutreachStep


class LadderStanding(StrEnum):
    """How the ladder stands."""

    CLIMBS = "climbs"
    BEHIND_ANOTHER = "behind_another"
    """Another check-in of the client has been overdue longer: the ladder is of that one."""
    NOBODY_ANSWERS = "nobody_answers"
    """Nobody is responsible for the client: they are not in care."""
    AT_ITS_END = "at_its_end"


class MayBeAskedOut(Wire, frozen=True, kw_only=True):
    """Somebody around the client whom a consent in force lets you ask, and what you may tell them."""

    person_id: UUID
    name: str
    relationship: Relationship
    consent_id: UUID
    may_tell: list[Category]


class AllowedOut(Wire, frozen=True, kw_only=True):
    """Whom a step would ask, and on which consent that rested when it was taken."""

    person_id: UUID
    consent_id: UUID


class OutreachStepOut(Wire, frozen=True, kw_only=True):
    """A step that was taken or skipped."""

    step: OutreachStep
    says: str
    due_at: datetime
    taken_at: datetime
    rule: str
    by_way_of: list[Channel]
    """What the client allowed then."""
    asked: list[AllowedOut]
    """Whom around the client; a consent may have been revoked since."""
    skipped: Skipped | None
    why_skipped: str | None
    task: CareTaskOut | None


class NextStepOut(Wire, frozen=True, kw_only=True):
    """The step that comes next."""

    step: OutreachStep
    says: str
    due_at: datetime
    for_staff: UUID | None
    """Who will be given it, as things stand."""
    will_be_skipped: Skipped | None
    why_skipped: str | None


class WarnedOfOut(Wire, frozen=True, kw_only=True):
    """Somebody around the client who must not be rung."""

    person_id: UUID
    name: str
    warning: WarningKind
    said_by: str | None
    """Whose word it was."""
    said_at: datetime | None

    @classmethod
    def of(cls, person: RelatedPerson, standing: SafetyWarning) -> "WarnedOfOut":
        """From the domain."""
        said = standing.said
        return cls(
            person_id=person.id,
            name=person.details.name,
            warning=standing.kind,
            said_by=None if said is None else said.who,
            said_at=None if said is None else said.at,
        )


class LadderOut(Wire, frozen=True, kw_only=True):
    """Where the ladder stands."""

    standing: LadderStanding
    rule: str
    behind: UUID | None
    """The check-in whose ladder is taken instead."""
    taken: list[OutreachStepOut]
    next: NextStepOut | None
    may_be_asked: list[MayBeAskedOut]
    """Whom around the client a step that is next, or was taken, may ask, as the consents stand at this moment."""
    reach_by: ReachByOut
    """How and where the client is reached, as it stands now."""
    not_to_be_asked: list[WarnedOfOut]
    """Of whom a safety warning stands: do not ring them. Empty for staff who may not see the people around a client."""
    tries: int
    """How often in a row something went wrong here with a step; 0 where nothing did."""


class OverdueWhyOut(OverdueLineOut, frozen=True, kw_only=False):
    """Why a check-in is on the overdue list, what takes it off, and what is done meanwhile."""

    ladder: LadderOut

    @classmethod
    def of(cls, line: Overdue, ladder: Explained, warned: list[WarnedOfOut]) -> "OverdueWhyOut":
        """From the domain."""
        return cls(*line, _ladder(ladder, warned))


@reading("/overdue-check-ins/{check_in_id:uuid}", act=Act.SEE_CHECK_INS, name="explain_overdue_check_in")
async def explain_overdue_check_in(check_in_id: FromPath[UUID], work: TheWork) -> OverdueWhyOut:
    """Why one check-in is overdue: its line of the list, and where the ladder stands by which the client is looked for."""
    reach = work.by.reach(Act.SEE_CHECK_INS)
    one = waiting(await check_ins_of(work).get(CheckInId(check_in_id), reach=reach))
    if one is None or not is_overdue(one, now=work.now):
        raise CheckInNotOverdue("Read the check-in for how it stands.")
    ladders = OverdueLadders(work.connection, work.journal, now=work.now)
    around: Sequence[RelatedPerson] = ()
    if work.by.may_in(Act.SEE_FAMILY, one.programme):
        around = await Families(work.connection, work.journal).around(one.client)
    warned = [
        WarnedOfOut.of(person, warning)
        for person in around
        if (kind := person.stopped_by(at=work.now, rings=True)) is not None
        for warning in person.warnings
        if warning.kind is kind and warning.counts(work.now)
    ]
    return OverdueWhyOut.of(explain(one, now=work.now), await ladders.of(one, reach=reach), warned)


def _ladder(found: Explained, warned: list[WarnedOfOut]) -> LadderOut:
    of_step = {task.ladder.step: task for task in found.tasks if task.ladder is not None}
    coming = found.coming
    return LadderOut(
        standing=_standing(found),
        rule=found.rule,
        behind=found.behind,
        taken=[_taken(each, of_step) for each in found.taken],
        next=None
        if coming is None
        else NextStepOut(
            step=coming.step,
            says=SAYS[coming.step],
            due_at=coming.due_at,
            for_staff=found.named,
            will_be_skipped=found.will_skip,
            why_skipped=None if found.will_skip is None else SKIPPED_SAYS[found.will_skip],
        ),
        may_be_asked=[
            MayBeAskedOut(
                person_id=each.person,
                name=each.name,
                relationship=each.relationship,
                consent_id=each.consent,
                may_tell=list(each.tells),
            )
            for each in found.may_be_asked
        ],
        reach_by=ReachByOut.of(found.contact),
        not_to_be_asked=warned,
        tries=found.tries,
    )


def _taken(each: Taken, tasks: Mapping[OutreachStep, CareTask]) -> OutreachStepOut:
    task = tasks.get(each.step)
    return OutreachStepOut(
        step=each.step,
        says=SAYS[each.step],
        due_at=each.due_at,
        taken_at=each.taken_at,
        rule=each.rule,
        by_way_of=list(each.by_way_of),
        asked=[AllowedOut(person_id=one.person, consent_id=one.consent) for one in each.asked],
        skipped=each.skipped,
        why_skipped=None if each.skipped is None else SKIPPED_SAYS[each.skipped],
        task=None if task is None else CareTaskOut.of(task),
    )


def _standing(found: Explained) -> LadderStanding:
    if found.named is None:
        return LadderStanding.NOBODY_ANSWERS
    if found.behind is not None:
        return LadderStanding.BEHIND_ANOTHER
    return LadderStanding.AT_ITS_END if found.coming is None else LadderStanding.CLIMBS
