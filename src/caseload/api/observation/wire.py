"""An observation on the wire: what is sent, and how it stands."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

import msgspec

from caseload.api.escalation import EmergencyOut
from caseload.api.wire import Instant, Wire
from caseload.domain.observation import InstrumentName, Observation, instrument

Answers = Annotated[
    dict[str, int | None],
    msgspec.Meta(
        description="An answer for each item of the instrument by its code; null for what could not be observed.",
        max_length=64,
        examples=[{"qtc": 438}],
    ),
]


class SubscoreOut(Wire, frozen=True, kw_only=True):
    """What the answers to the items of a subscale come to."""

    code: str
    total: int | None
    """Null while an item of it has no answer."""
    flagged: bool


class ObservationIn(Wire, frozen=True, kw_only=True):
    """What you observed of a client."""

    instrument: InstrumentName
    answers: Answers
    observed_at: Instant | None = None
    """Now when left out."""
    note: str | None = None


class ObservationCorrectionIn(Wire, frozen=True, kw_only=True):
    """What was observed instead; without answers, nothing was observed of this client."""

    reason: str
    answers: Answers | None = None
    observed_at: Instant | None = None
    """As it stood when left out."""
    note: str | None = None


class ObservationOut(Wire, frozen=True, kw_only=True):
    """One version of what was observed of a client."""

    id: UUID
    client_id: UUID
    check_in_id: UUID | None
    """The check-in in which it was asked."""
    version: int
    instrument: InstrumentName
    instrument_version: int
    observed_at: datetime
    answers: dict[str, int | None] | None
    """By the codes of the items; null where the observation was taken back."""
    total: int | None
    """Null while an item could not be observed: what nobody knows is not zero. Null also where there is no total."""
    subscores: list[SubscoreOut]
    unit: str
    band: str | None
    says: str | None
    """What the total means, and what to do."""
    note: str | None
    reason: str | None
    """Why the version before was wrong; null in the first."""
    recorded_by: UUID
    recorded_at: datetime

    @classmethod
    def of(cls, observation: Observation) -> Self:
        """From the domain, in the words of the version of the instrument that it was recorded with."""
        by, score = instrument(observation.instrument, observation.instrument_version), observation.score
        total = None if score is None else score.total
        return cls(
            id=observation.id,
            client_id=observation.client,
            check_in_id=observation.check_in,
            version=observation.version,
            instrument=observation.instrument,
            instrument_version=observation.instrument_version,
            observed_at=observation.observed_at,
            answers=None
            if score is None
            else {item.code: answer for item, answer in zip(by.items, score.answers, strict=True)},
            total=total,
            subscores=[
                SubscoreOut(code=each.subscale.code, total=each.total, flagged=each.flagged)
                for each in (() if score is None else by.subscores(score.answers))
            ],
            unit=by.unit,
            band=None if score is None else score.band,
            says=None if total is None else by.band(total).says,
            note=observation.note,
            reason=observation.reason,
            recorded_by=observation.recorded_by,
            recorded_at=observation.recorded_at,
        )


class ObservationKeptOut(ObservationOut, frozen=True, kw_only=True):
    """What you have just said that you observed."""

    emergency: EmergencyOut | None = None
    """What of it does not wait: act on it now. Null where nothing of it has raised an escalation."""


class ObservationVersionsOut(Wire, frozen=True, kw_only=True):
    """Everything that was ever said of one observation, the newest first."""

    items: list[ObservationOut]
