"""Observations: withdrawal scales and measurements of a client, scored by versioned instruments.

`instrument` says what can be answered and what a score means (`instruments.toml`), `observing` what people do, `alarming`
what of it does not wait.
"""

from caseload.domain.observation.alarming import escalate_observed, grounds_of
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
    "escalate_observed",
    "grounds_of",
    "instrument",
    "instruments",
    "record",
    "score",
    "take_back",
]
