"""Observations: withdrawal scales and measurements of a client, scored by versioned instruments.

`instrument` says what can be answered and what a score means (`instruments.toml`), `observing` what people do.
"""

from caseload.domain.observation.instrument import (
    ASKED_IN_CHECK_INS,
    Band,
    Instrument,
    InstrumentName,
    Item,
    Score,
    Subscale,
    Subscore,
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
    "ASKED_IN_CHECK_INS",
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
    "Subscale",
    "Subscore",
    "correct",
    "instrument",
    "instruments",
    "record",
    "score",
    "take_back",
]
