"""What was observed of a client, as versions: corrected with a reason, or taken back, and never changed.

ALCOA, as in the rest of the record: when it was observed and when we were told are two facts, and what was said first
stays readable (21 CFR 11.10(e) as design baseline).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Final, Protocol
from uuid import UUID

from caseload.domain.errors import Conflict, Faults, NotFound
from caseload.domain.ids import CheckInId, ClientId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.observation.instrument import Instrument, InstrumentName, Score, score
from caseload.domain.people import Staff

LONGEST_TEXT: Final = 2000


class ObservationUnknown(NotFound):
    """No such observation of this client within your reach."""


class ObservationChanged(Conflict):
    """Somebody has corrected this observation since you read it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One version of what was observed. The first stands as it was; a later one says why it came."""

    id: UUID
    version: int
    client: ClientId
    instrument: InstrumentName
    instrument_version: int
    observed_at: datetime
    score: Score | None
    """None where the observation was taken back: it was of another client, or never made."""
    note: str | None
    reason: str | None
    """Why the version before was wrong; None in the first."""
    recorded_by: StaffId
    recorded_at: datetime
    check_in: CheckInId | None = None
    """The check-in in which it was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What somebody says they observed."""

    observed_at: datetime
    answers: Mapping[str, int | None]
    """By the codes of the items; None for what could not be observed."""
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservationRecorded(Event):
    """Something was observed of a client."""

    name: ClassVar[str] = "observation.recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservationCorrected(Event):
    """What was observed of a client was corrected."""

    name: ClassVar[str] = "observation.corrected"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservationTakenBack(Event):
    """What was said to have been observed of a client was taken back."""

    name: ClassVar[str] = "observation.taken_back"


class Observations(Protocol):
    """The observations that are kept."""

    async def add(self, observation: Observation, /) -> None:
        """Keep a version; `ObservationChanged` when there is one of that number."""
        ...


async def record(
    client: ClientId,
    observed: Observed,
    *,
    as_id: UUID,
    instrument: Instrument,
    by: Staff,
    now: datetime,
    observations: Observations,
    journal: Journal,
    check_in: CheckInId | None = None,
    where: str = "answers",
) -> Observation:
    """Record what was observed; `where` is where its answers stand in what was sent. Raises `Invalid`."""
    observation = Observation(
        id=as_id,
        version=1,
        client=client,
        instrument=instrument.name,
        instrument_version=instrument.version,
        observed_at=observed.observed_at,
        score=_checked(observed, instrument, now=now, where=where),
        note=observed.note,
        reason=None,
        recorded_by=by.id,
        recorded_at=now,
        check_in=check_in,
    )
    await observations.add(observation)
    journal.tell(ObservationRecorded(client=client, records=(as_id,), facts=_facts(observation)))
    return observation


async def correct(
    last: Observation,
    observed: Observed,
    *,
    reason: str,
    instrument: Instrument,
    by: Staff,
    now: datetime,
    observations: Observations,
    journal: Journal,
    where: str = "answers",
) -> Observation:
    """Say what was observed instead, by the same version of the instrument. Raises `Invalid`, `ObservationChanged`."""
    _check_reason(reason)
    corrected = replace(
        last,
        version=last.version + 1,
        observed_at=observed.observed_at,
        score=_checked(observed, instrument, now=now, where=where),
        note=observed.note,
        reason=reason,
        recorded_by=by.id,
        recorded_at=now,
    )
    await observations.add(corrected)
    journal.tell(ObservationCorrected(client=last.client, records=(last.id,), facts=_facts(corrected)))
    return corrected


async def take_back(
    last: Observation, *, reason: str, by: Staff, now: datetime, observations: Observations, journal: Journal
) -> Observation:
    """Say that it was not observed of this client. Raises `Invalid`, `ObservationChanged`."""
    _check_reason(reason)
    if last.score is None:
        raise ObservationChanged("It has been taken back already.", version=last.version)
    taken_back = replace(
        last,
        version=last.version + 1,
        score=None,
        note=None,
        reason=reason,
        recorded_by=by.id,
        recorded_at=now,
    )
    await observations.add(taken_back)
    journal.tell(ObservationTakenBack(client=last.client, records=(last.id,), facts=_facts(taken_back)))
    return taken_back


def _checked(observed: Observed, instrument: Instrument, *, now: datetime, where: str) -> Score:
    faults = Faults()
    faults.check(when=observed.observed_at > now, where="observed_at", problem="must not lie in the future")
    if observed.note is not None:
        _check_text(faults, "note", observed.note)
    faults.raise_if_any()
    return score(instrument, observed.answers, where=where)


def _check_reason(reason: str) -> None:
    faults = Faults()
    faults.check(when=not reason.strip(), where="reason", problem="say what was wrong")
    _check_text(faults, "reason", reason)
    faults.raise_if_any()


def _check_text(faults: Faults, where: str, text: str) -> None:
    faults.check(when=len(text) > LONGEST_TEXT, where=where, problem=f"must have at most {LONGEST_TEXT} characters")


def _facts(observation: Observation) -> dict[str, str | int]:
    return {"instrument": f"{observation.instrument}-{observation.instrument_version}", "version": observation.version}
