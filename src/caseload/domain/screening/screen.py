"""A drug screen: the sample, what was found in it, and what somebody made of it; as versions, never changed.

A refusal is not a positive result, and a result by itself does nothing: no take-home dose, no order and no hold follows
from it without a person's decision (42 CFR 8.12(f)(6) asks for tests, not for consequences).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, Final, NamedTuple, Protocol
from uuid import UUID

from caseload.domain.errors import Conflict, Faults, NotFound
from caseload.domain.ids import ClientId, ProgrammeId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff

LONGEST_TEXT: Final = 2000


class Why(StrEnum):
    """Why a sample was asked for."""

    RANDOM = "random"
    """The draw of the day named the client."""
    ADMISSION = "admission"
    CLINICAL = "clinical"
    """A clinician wanted to know."""
    CLIENT_WISH = "client_wish"


class Matrix(StrEnum):
    """What the sample is."""

    URINE = "urine"
    ORAL_FLUID = "oral_fluid"
    BLOOD = "blood"
    BREATH = "breath"
    HAIR = "hair"


class Substance(StrEnum):
    """What was looked for."""

    OPIATES = "opiates"
    SIX_MAM = "six_mam"
    """6-monoacetylmorphine: heroin itself."""
    FENTANYL = "fentanyl"
    OXYCODONE = "oxycodone"
    METHADONE = "methadone"
    METHADONE_METABOLITE = "methadone_metabolite"
    """EDDP: shows that methadone went through the body and not only into the cup."""
    BUPRENORPHINE = "buprenorphine"
    BUPRENORPHINE_METABOLITE = "buprenorphine_metabolite"
    BENZODIAZEPINES = "benzodiazepines"
    COCAINE = "cocaine"
    AMPHETAMINES = "amphetamines"
    CANNABIS = "cannabis"
    GABAPENTINOIDS = "gabapentinoids"
    XYLAZINE = "xylazine"
    ALCOHOL = "alcohol"


class Method(StrEnum):
    """How it was looked for."""

    POINT_OF_CARE = "point_of_care"
    LABORATORY = "laboratory"
    CONFIRMATORY = "confirmatory"
    """By mass spectrometry or its like."""


class Finding(StrEnum):
    """What was found."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    INVALID = "invalid"
    """Diluted, adulterated, cold, or not enough."""


class Expected(StrEnum):
    """Whether the prescribed medicine was in the sample."""

    PRESENT = "present"
    ABSENT = "absent"
    NOT_LOOKED_FOR = "not_looked_for"


class Result(NamedTuple):
    """What one method found of one substance."""

    substance: Substance
    method: Method
    finding: Finding


class ScreenUnknown(NotFound):
    """No such drug screen of this client within your reach."""


class ScreenChanged(Conflict):
    """Somebody has added to this drug screen, or corrected it, since you read it."""


class NotDrawn(Conflict):
    """The client was not drawn for that day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What there is to say of a screen: of the sample, or of its refusal."""

    why: Why
    collected_at: datetime
    """When the sample was given or refused."""
    drawn_on: date | None = None
    """The day of the draw, of a random screen alone."""
    matrix: Matrix
    observed: bool
    """Whether somebody watched."""
    refused: bool = False
    results: Sequence[Result] = ()
    """None yet, until a laboratory has answered."""
    expected: Expected | None = None
    interpretation: str | None = None
    """What whoever records this version makes of the results."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """One version of a drug screen."""

    id: UUID
    version: int
    client: ClientId
    programme: ProgrammeId
    sample: Sample | None
    """None where the screen was taken back: it was of another client, or never made."""
    reason: str | None
    """Why this version came: an answer of the laboratory, a mistake; None in the first."""
    recorded_by: StaffId
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenRecorded(Event):
    """A drug screen was recorded."""

    name: ClassVar[str] = "drug_screen.recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenAmended(Event):
    """A drug screen got its results, or was put right."""

    name: ClassVar[str] = "drug_screen.amended"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenTakenBack(Event):
    """A drug screen was taken back."""

    name: ClassVar[str] = "drug_screen.taken_back"


class Screens(Protocol):
    """The screens that are kept."""

    async def add(self, screen: Screen, /) -> None:
        """Keep a version; `ScreenChanged` when there is one of that number, `NotDrawn` for a draw that never was."""
        ...


async def record_screen(
    client: ClientId,
    sample: Sample,
    *,
    as_id: UUID,
    programme: ProgrammeId,
    by: Staff,
    now: datetime,
    screens: Screens,
    journal: Journal,
) -> Screen:
    """Record a sample, or its refusal. Raises `Invalid`, `NotDrawn`."""
    check(sample, now=now).raise_if_any()
    screen = Screen(
        id=as_id,
        version=1,
        client=client,
        programme=programme,
        sample=sample,
        reason=None,
        recorded_by=by.id,
        recorded_at=now,
    )
    await screens.add(screen)
    journal.tell(ScreenRecorded(client=client, records=(as_id,), facts={"version": 1}))
    return screen


async def amend_screen(
    last: Screen,
    sample: Sample | None,
    *,
    reason: str,
    by: Staff,
    now: datetime,
    screens: Screens,
    journal: Journal,
) -> Screen:
    """Add results, put right, or (with None) take back. Raises `Invalid`, `ScreenChanged`, `NotDrawn`."""
    faults = Faults() if sample is None else check(sample, now=now)
    faults.check(when=not reason.strip(), where="reason", problem="say why: which result came, or what was wrong")
    faults.check(
        when=len(reason) > LONGEST_TEXT, where="reason", problem=f"must have at most {LONGEST_TEXT} characters"
    )
    faults.raise_if_any()
    if sample is None and last.sample is None:
        raise ScreenChanged("It has been taken back already.", version=last.version)
    screen = replace(last, version=last.version + 1, sample=sample, reason=reason, recorded_by=by.id, recorded_at=now)
    await screens.add(screen)
    kind = ScreenTakenBack if sample is None else ScreenAmended
    journal.tell(kind(client=last.client, records=(last.id,), facts={"version": screen.version}))
    return screen


def check(sample: Sample, *, now: datetime) -> Faults:
    """What contradicts itself in a sample."""
    faults = Faults()
    is_random = sample.why is Why.RANDOM
    faults.check(when=sample.collected_at > now, where="collected_at", problem="must not lie in the future")
    faults.check(
        when=is_random and sample.drawn_on is None,
        where="drawn_on",
        problem="is needed: a screen is random when the draw of a day named the client",
    )
    faults.check(
        when=not is_random and sample.drawn_on is not None, where="drawn_on", problem="belongs to random screens only"
    )
    faults.check(
        when=sample.refused and bool(sample.results or sample.expected),
        where="results",
        problem="a refused sample has none: a refusal is not a positive result",
    )
    found = [(result.substance, result.method) for result in sample.results]
    faults.check(when=len(set(found)) < len(found), where="results", problem="one result of each substance and method")
    faults.check(
        when=len(sample.interpretation or "") > LONGEST_TEXT,
        where="interpretation",
        problem=f"must have at most {LONGEST_TEXT} characters",
    )
    return faults
