"""Whom to tell of what a morning shows although the dose may be given: a prescriber, of a dose missed while it is built up.

A day is missed as soon as it has ended (at midnight of the home programme): whoever asks who missed one is answered from the
record, and nothing is written by asking. The task that is kept is made by whoever tells the prescriber, before the client comes
back; else by the next dose. A missed day is told once, of each of two medicines that are ordered beside each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Protocol, cast

from caseload.domain.access import Act
from caseload.domain.dosing.dose import Dose
from caseload.domain.dosing.due import Due
from caseload.domain.dosing.refusal import Refusal
from caseload.domain.errors import Conflict, Faults
from caseload.domain.ids import ClientId, OrderId, ProgrammeId, TaskId, new_id
from caseload.domain.journal import Journal
from caseload.domain.medication import Done, MedicationRecord, Task, TaskKind, Tasks, raise_task
from caseload.domain.medication.record import check_reason
from caseload.domain.medication.task import TaskFinished, Told
from caseload.domain.medicines import Medicine
from caseload.domain.people import Staff


class NothingToTell(Conflict):
    """There is nothing of which this client's prescriber has not been told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MissedInTitration:
    """A client who missed a dose while it is built up, and the task by which the prescriber was told."""

    client: ClientId
    order: OrderId
    refusal: Refusal
    told: TaskId | None
    """None while a missed day stands on no list and nobody was told of it."""


class Contacts(Tasks, Protocol):
    """The tasks of programmes, and what is due to their clients."""

    async def dues_of(self, record: MedicationRecord, day: date, /) -> Sequence[Due]:
        """What is due to a client on a day, by each order in force."""
        ...


def missed_days(refusal: Refusal) -> Sequence[date]:
    """The days of which somebody must be told."""
    days = cast("Sequence[str]", refusal.facts["missed_days"])
    return [date.fromisoformat(day) for day in days]


def told_by(refusal: Refusal, medicine: Medicine, told: Told) -> TaskId | None:
    """The task that tells of the last of these days, where each of them is told of a medicine."""
    days = missed_days(refusal)
    return told[medicine, days[-1]] if all((medicine, day) in told for day in days) else None


async def tell_prescriber(
    dose: Dose, to_do: Sequence[Refusal], *, by: Staff, now: datetime, tasks: Tasks, journal: Journal
) -> None:
    """Put on the list whom to tell of what a dose showed, unless somebody was told of all of it before."""
    if not to_do:
        return
    told = (await tasks.told_days([dose.client])).get(dose.client, {})
    for each in to_do:
        if told_by(each, dose.medicine, told) is None:
            task = _task(each, dose.client, dose.programme, as_id=TaskId(new_id()), by=by, now=now)
            await raise_task(replace(task, order=dose.order, dose=dose.id), tasks=tasks, journal=journal)


async def tell_of_missed(
    client: ClientId,
    spoke_to: str,
    said: str,
    *,
    as_id: TaskId,
    by: Staff,
    now: datetime,
    contacts: Contacts,
    journal: Journal,
) -> Task:
    """Say that you have told the prescriber of the doses that a client has missed in titration, before the next is given.

    Raises `ClientUnknown`, `NotPermitted`, `Invalid`, `NothingToTell`.
    """
    faults = Faults()
    check_reason(spoke_to, faults, "spoke_to")
    check_reason(said, faults, "said")
    faults.raise_if_any()
    record = await contacts.lock(client, by=by, act=Act.RAISE_HOLD)
    place = record.place(by, Act.RAISE_HOLD)
    told = (await contacts.told_days([client])).get(client, {})
    untold = [
        (due.order.id, each)
        for due in await contacts.dues_of(record, record.day_of(now))
        if due.order is not None
        for each in due.to_do
        if told_by(each, due.order.medicine, told) is None
    ]
    if not untold:
        raise NothingToTell("Read the list of who missed a dose while it is built up.")
    done = Done(spoke_to=spoke_to, said=said, done_by=by.id, done_at=now)
    tasks: list[Task] = []
    for order, each in untold:
        task = _task(each, client, place, as_id=TaskId(new_id()) if tasks else as_id, by=by, now=now)
        tasks.append(replace(task, order=order))
        await raise_task(tasks[-1], tasks=contacts, journal=journal)
        await contacts.add_done(tasks[-1], done)
        journal.tell(TaskFinished(client=client, records=(task.id,), facts={"kind": task.kind}))
    return replace(tasks[0], done=done)


def _task(refusal: Refusal, client: ClientId, place: ProgrammeId, *, as_id: TaskId, by: Staff, now: datetime) -> Task:
    return Task(
        id=as_id,
        client=client,
        programme=place,
        kind=TaskKind.CONTACT_PRESCRIBER,
        says=refusal.says,
        policy=refusal.policy,
        facts=refusal.facts,
        raised_by=by.id,
        raised_at=now,
    )
