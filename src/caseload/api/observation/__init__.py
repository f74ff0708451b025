"""Observations over HTTP: withdrawal scales and QTc, scored as they are recorded, corrected by a new version."""

from litestar import Router

from caseload.api.observation.instruments import list_instruments
from caseload.api.observation.recording import (
    correct_observation,
    list_observations,
    read_observation,
    record_observation,
)
from caseload.api.observation.wire import Answers, ObservationOut

__all__ = ["Answers", "ObservationOut", "router"]

router = Router(
    "/",
    route_handlers=[
        list_instruments,
        list_observations,
        read_observation,
        record_observation,
        correct_observation,
    ],
    tags=["Observations"],
)
