"""What stands beside the doses on a past chart: take-homes, what others said, flags, and whom somebody was to tell.

Known is what had been recorded by a moment. Happened is, as it is known now: the units that had been handed out, with what
became of those whose day was over or that had been told of; the days before that moment of which somebody else tells, unless
it was taken back; the flags that counted on its day. A decision and a task occur as they are recorded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from caseload.domain.dosing.statement import Statement, StatementDay
from caseload.domain.flag import Flag
from caseload.domain.ids import UnitId
from caseload.domain.medication import Task
from caseload.domain.takehome import Dispense, Outcome, TakeHomeDecision, TakeHomeUnit


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldOf:
    """What was said of a unit, and when."""

    outcome: Outcome
    told_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Everything beside the doses of a client's chart, in every version."""

    decisions: Sequence[TakeHomeDecision]
    """About take-homes, each with its suspension."""
    dispensed: Sequence[Dispense]
    """What was handed out, each time with its units."""
    told: Mapping[UnitId, Sequence[ToldOf]]
    """Everything that was said of each unit, in its order."""
    statements: Sequence[Statement]
    flags: Sequence[Flag]
    tasks: Sequence[Task]


def beside_known(beside: Beside, at: datetime) -> Beside:
    """What had been recorded by a moment, as it stood then; nothing that comes later changes it."""
    told = {unit: [each for each in said if each.told_at <= at] for unit, said in beside.told.items()}
    return _acts(
        beside,
        at,
        dispensed=[_with(each, told) for each in beside.dispensed if each.recorded_at <= at],
        statements=[_statement_known(each, at) for each in beside.statements if each.recorded_at <= at],
        flags=[_flag_known(each, at) for each in beside.flags if each.recorded_at <= at],
    )


def beside_happened(beside: Beside, at: datetime, day: date) -> Beside:
    """What had occurred by a moment, as is known now. `day` is the dosing day of the moment."""
    over = {unit.id for each in beside.dispensed for unit in each.units if unit.for_on < day}
    told = {
        unit: said if unit in over else [each for each in said if each.told_at <= at]
        for unit, said in beside.told.items()
    }
    statements = [_statement_happened(each, at, day) for each in beside.statements if each.withdrawn is None]
    return _acts(
        beside,
        at,
        dispensed=[_with(each, told) for each in beside.dispensed if each.dispensed_at <= at],
        statements=[each for each in statements if each.said.days],
        flags=[each for each in beside.flags if each.is_shown_on(day)],
    )


def _acts(
    beside: Beside,
    at: datetime,
    *,
    dispensed: Sequence[Dispense],
    statements: Sequence[Statement],
    flags: Sequence[Flag],
) -> Beside:
    """What occurs as it is recorded, as it stood at a moment, beside the rest."""
    return Beside(
        decisions=[_decision_known(each, at) for each in beside.decisions if each.decided_at <= at],
        dispensed=dispensed,
        told={},
        statements=statements,
        flags=flags,
        tasks=[_task_known(each, at) for each in beside.tasks if each.raised_at <= at],
    )


def _with(dispensed: Dispense, told: Mapping[UnitId, Sequence[ToldOf]]) -> Dispense:
    """What was handed out, each unit with the last word on it."""
    return replace(dispensed, units=tuple(_last_word(unit, told.get(unit.id, ())) for unit in dispensed.units))


def _last_word(unit: TakeHomeUnit, said: Sequence[ToldOf]) -> TakeHomeUnit:
    return replace(unit, outcome=said[-1].outcome if said else None)


def _decision_known(decision: TakeHomeDecision, at: datetime) -> TakeHomeDecision:
    if decision.suspension is not None and decision.suspension.suspended_at > at:
        return replace(decision, suspension=None)
    return decision


def _statement_known(statement: Statement, at: datetime) -> Statement:
    if statement.verified is not None and statement.verified.verified_at > at:
        statement = replace(statement, verified=None)
    if statement.withdrawn is not None and statement.withdrawn.withdrawn_at > at:
        statement = replace(statement, withdrawn=None)
    return statement


def _statement_happened(statement: Statement, at: datetime, day: date) -> Statement:
    """With the days that lay before the moment."""
    days = tuple(each for each in statement.said.days if _was_over(each, at, day))
    return replace(statement, said=replace(statement.said, days=days))


def _was_over(told: StatementDay, at: datetime, day: date) -> bool:
    return told.taken_at <= at if told.taken_at is not None else told.day < day


def _flag_known(flag: Flag, at: datetime) -> Flag:
    return replace(flag, end=None) if flag.end is not None and flag.end.recorded_at > at else flag


def _task_known(task: Task, at: datetime) -> Task:
    return replace(task, done=None) if task.done is not None and task.done.done_at > at else task
