"""What follows from a dose besides its record: whom to tell."""

from collections.abc import Sequence
from datetime import datetime

from caseload.domain.dosing.dose import Dose
from caseload.domain.dosing.refusal import Refusal
from caseload.domain.ids import TaskId, new_id
from caseload.domain.journal import Journal
from caseload.domain.medication import Task, TaskKind, Tasks, raise_task
from caseload.domain.people import Staff


async def tell_prescriber(
    dose: Dose, to_do: Sequence[Refusal], *, by: Staff, now: datetime, tasks: Tasks, journal: Journal
) -> None:
    """Put on the list whom to tell of what a dose showed, such as one missed while the dose is built up."""
    for each in to_do:
        task = Task(
            id=TaskId(new_id()),
            client=dose.client,
            programme=dose.programme,
            kind=TaskKind.CONTACT_PRESCRIBER,
            says=each.says,
            policy=each.policy,
            facts=each.facts,
            raised_by=by.id,
            raised_at=now,
            order=dose.order,
            dose=dose.id,
        )
        await raise_task(task, tasks=tasks, journal=journal)
