"""The instruments that are filled in during a check-in: BAM, TOP, PHQ-9 and GAD-7, kept as observations of the client."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from caseload.domain.checkin.record import Record
from caseload.domain.errors import Faults
from caseload.domain.escalation import Ground
from caseload.domain.ids import CheckInId, new_id
from caseload.domain.journal import Journal
from caseload.domain.observation import (
    ASKED_IN_CHECK_INS,
    InstrumentName,
    Observation,
    Observations,
    Observed,
    correct,
    grounds_of,
    instrument,
    record,
    take_back,
)
from caseload.domain.people import Staff


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """One instrument with its answers by item; None for an item without an answer, and then there is no score."""

    instrument: InstrumentName
    answers: Mapping[str, int | None]


class FilledIn(Observations, Protocol):
    """The observations that are kept, and which of them a check-in brought."""

    async def of_check_in(self, check_in: CheckInId, /) -> Sequence[Observation]:
        """What was filled in during a check-in, each as it stands now."""
        ...


def check_filled(filled: Sequence[Filled], faults: Faults) -> None:
    """Add a fault for what is a clinician's to observe, and for what was filled in twice."""
    names = [each.instrument for each in filled]
    for name in sorted(set(names) - ASKED_IN_CHECK_INS):
        faults.add(f"instruments.{name}", "is observed by a clinician, and recorded as an observation")
    faults.check(when=len(set(names)) < len(names), where="instruments", problem="fill in each instrument once")


async def fill_in(
    of: Record,
    filled: Sequence[Filled],
    *,
    at: datetime,
    reason: str | None,
    by: Staff,
    now: datetime,
    observations: FilledIn,
    journal: Journal,
) -> Sequence[Ground]:
    """Keep what was filled in; what was filled in before is corrected, with the reason. Return what does not wait.

    The check-in is held. Raises `Invalid`.
    """
    before = {each.instrument: each for each in await observations.of_check_in(of.check_in.id)} if filled else {}
    kept: list[Observation] = []
    for each in filled:
        said = Observed(observed_at=at, answers=each.answers)
        where, last = f"instruments.{each.instrument}", before.get(each.instrument)
        if last is None:
            kept.append(
                await record(
                    of.check_in.client,
                    said,
                    as_id=new_id(),
                    instrument=instrument(each.instrument),
                    by=by,
                    now=now,
                    observations=observations,
                    journal=journal,
                    check_in=of.check_in.id,
                    where=where,
                )
            )
        else:
            kept.append(
                await correct(
                    last,
                    replace(said, note=last.note),
                    reason=reason or "Filled in again.",
                    instrument=instrument(last.instrument, last.instrument_version),
                    by=by,
                    now=now,
                    observations=observations,
                    journal=journal,
                    where=where,
                )
            )
    return [ground for each in kept for ground in grounds_of(each)]


async def take_back_all(
    of: Record, *, reason: str, by: Staff, now: datetime, observations: FilledIn, journal: Journal
) -> None:
    """A check-in did not take place after all: nothing was filled in during it."""
    for each in await observations.of_check_in(of.check_in.id):
        if each.score is not None:
            await take_back(each, reason=reason, by=by, now=now, observations=observations, journal=journal)
