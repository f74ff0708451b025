"""Observations: withdrawal scales and measurements of a client, scored by versioned instruments.

`instrument` says what can be answered and what a score means (`instruments.toml`), `observing` what people do.
"""

from caseload.domain.observation.instrument import (
    Band,
    Instrument,
    InstrumentName,
    Item,
    Score,
    instrument,
    instruments,
    score,
)
from caseload.domain.observation.observing import (
    Observation,
    ObservationChanged,
    Observations,
    ObservationUnknown,
    Observed,
    correct,
    record,
    take_back,
)

__all__ = [
    "Band",
    "Instrument",
    "InstrumentName",
    "Item",
    "Observation",
    "ObservationChanged",
    "ObservationUnknown",
    "Observations",
    "Observed",
    "Score",
    "correct",
    "instrument",
    "instruments",
    "record",
    "score",
    "take_back",
]
