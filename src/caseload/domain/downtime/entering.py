"""Entering a completed sheet: every line is judged by itself, and what was swallowed is never refused.

All of it is one act and is kept together (decision 0330). Who enters it is not who gave it: both are kept, and the second
look at a dose is somebody else's than either's (`signoff`).
"""

from datetime import datetime
from functools import partial

from caseload.domain.access import Act
from caseload.domain.client import ClientUnknown
from caseload.domain.downtime.answer import Answer, Entered, Outcome, SheetEntered
from caseload.domain.downtime.desk import Desk, Doing, Sheets, check_client
from caseload.domain.downtime.lines import (
    bring_in_given,
    bring_in_not_given,
    bring_in_observed,
    bring_in_spilled,
    bring_in_taken_home,
    bring_in_vomited,
)
from caseload.domain.downtime.paper import PaperLine, Sheet, What
from caseload.domain.downtime.telling import Aside
from caseload.domain.errors import CaseloadError
from caseload.domain.ids import DoseId, DowntimeId, StaffId
from caseload.domain.journal import Journal
from caseload.domain.observation import Observations
from caseload.domain.people import Staff
from caseload.domain.programme import Programme
from caseload.domain.stock.waste import Wastes


async def enter_sheet(
    sheet: Sheet,
    *,
    as_id: DowntimeId,
    programme: Programme,
    by: Staff,
    now: datetime,
    store: Sheets,
    wastes: Wastes,
    observations: Observations,
    journal: Journal,
) -> Entered:
    """Enter a completed sheet: every line is answered, and only what cannot be understood is refused.

    Raises `NotPermitted`, and `Invalid` for what is no form yet.
    """
    by.require(Act.RECORD_DOSE, programme.id)
    sheet.check(programme.today(now))
    desk = Desk(
        sheet=sheet,
        programme=programme,
        by=by,
        now=now,
        store=store,
        wastes=wastes,
        observations=observations,
        journal=journal,
        hands=await store.hands(_named(sheet, now), programme.id),
    )
    answers: list[Answer] = []
    # Always the same way round, so that two sheets with the same clients wait for each other and never in a circle.
    for line in sorted(sheet.lines, key=lambda line: (line.client, min(line.moments(), default=now), line.number)):
        answers += await _line(line, desk)
    entered = Entered(
        id=as_id,
        programme=programme.id,
        day=sheet.day,
        reason=sheet.reason,
        entered_by=by.id,
        entered_at=now,
        answers=tuple(sorted(answers, key=lambda answer: (answer.line, list(What).index(answer.what)))),
    )
    await store.add_entry(entered)
    journal.tell(SheetEntered(records=(as_id,), facts=_counts(entered)))
    return entered


def _named(sheet: Sheet, now: datetime) -> list[tuple[StaffId, datetime]]:
    """Everybody whose name stands on the sheet, at every moment of their lines."""
    named: set[tuple[StaffId, datetime]] = set()
    for line in sheet.lines:
        named.update((line.written_by, at) for at in (*line.moments(), now))
        if line.given is not None and line.given.observed_by is not None:
            named.add((line.given.observed_by, now))
    return sorted(named)


def _counts(entered: Entered) -> dict[str, str | int]:
    """How many lines ended how, for the log; and in which programme."""
    counted = {outcome.value: sum(each.outcome is outcome for each in entered.answers) for outcome in Outcome}
    return {"programme": str(entered.programme), **counted}


async def _line(line: PaperLine, desk: Desk) -> list[Answer]:
    """Each thing that a line says, in the order in which it happened; what is refused takes nothing else with it."""
    answers: list[Answer] = []
    if line.observed is not None:
        answers.append(await _attempt(line, What.OBSERVED, desk, partial(bring_in_observed, line.observed)))
    dose: DoseId | None = None
    if line.given is not None:
        given = await _attempt(line, What.GIVEN, desk, partial(bring_in_given, line.given))
        dose = DoseId(given.record) if given.record is not None else None
        answers.append(given)
    if line.vomited is not None:
        answers.append(await _attempt(line, What.VOMITED, desk, partial(bring_in_vomited, line.vomited, dose)))
    if line.spilled is not None:
        answers.append(await _attempt(line, What.SPILLED, desk, partial(bring_in_spilled, line.spilled, dose)))
    if line.not_given is not None:
        answers.append(await _attempt(line, What.NOT_GIVEN, desk, partial(bring_in_not_given, line.not_given)))
    if line.taken_home is not None:
        answers.append(await _attempt(line, What.TAKEN_HOME, desk, partial(bring_in_taken_home, line.taken_home)))
    return answers


async def _attempt(line: PaperLine, what: What, desk: Desk, do: Doing) -> Answer:
    """One thing that a line says: in the record, or refused with what to do."""
    aside = Aside(desk.journal)
    try:
        async with desk.store.aside():
            await check_client(line, desk)
            answer = await do(line, desk, aside)
    except CaseloadError as refused:
        is_staff = (line.written_by, desk.now) in desk.hands
        return Answer(
            line=line.number,
            what=what,
            outcome=Outcome.REFUSED,
            client=None if isinstance(refused, ClientUnknown) else line.client,
            written_by=line.written_by if is_staff else None,
            says=f"{type(refused).__doc__} {refused.detail}".strip(),
        )
    aside.pass_on()
    return answer
