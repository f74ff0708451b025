"""The word of whoever gave a dose that somebody else entered: theirs, or not theirs.

A name that is typed in from paper is a claim about a colleague. That colleague says in a session of their own whether it was
so, once of each version. Until then nothing waits for it: the dose counts as swallowed, and the second look at it is somebody
else's. A giver who disputes it is a doubt about what was swallowed, so the next dose is held until a prescriber has looked,
and the version is signed by itself alone (21 CFR 11.10(e), 11.50: a record tells who did what; the rest is product convention).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final, Literal, Protocol

from caseload.domain.access import Act
from caseload.domain.dosing.correction import newest_dose
from caseload.domain.dosing.dose import Dose, Entry
from caseload.domain.dosing.window import Doses
from caseload.domain.errors import Conflict, Fault, Faults, Invalid, NotPermitted
from caseload.domain.ids import DoseId, HoldId, StaffId, new_id
from caseload.domain.journal import Event, Journal
from caseload.domain.medication import Hold, HoldReason, keep_hold
from caseload.domain.medication.record import check_reason
from caseload.domain.people import Staff

GIVER_DISPUTES: Final = "giver_disputes"
"""The rule by which a dose that its named giver disputes holds the next one until a prescriber has looked."""
_CLEARS: Final = "It is found out what was given and by whom, and a prescriber's signed decision."


class Word(StrEnum):
    """What whoever stands on a record as the giver says of it."""

    CONFIRMED = "confirmed"
    DISPUTED = "disputed"
    CLOSED = "closed"
    """Somebody else's: the named giver cannot be asked any more (`giver_left`)."""


OwnWord = Literal[Word.CONFIRMED, Word.DISPUTED]
"""What the giver can say."""


class GiverStanding(StrEnum):
    """Where the word of the named giver stands."""

    WAITS = "waits"
    CONFIRMED = "confirmed"
    DISPUTED = "disputed"
    CLOSED = "closed"


class NotTheirDose(NotPermitted):
    """Another name than yours stands on this dose."""


class OwnEntry(Conflict):
    """You entered this dose yourself: there is nobody else's word to confirm."""


class GiverHasSpoken(Conflict):
    """You have said already whether this version of the dose is yours."""


class DoseConfirmed(Event):
    """The named giver of a dose that somebody else entered says that it was so."""

    name: ClassVar[str] = "dose.giver_confirmed"


class DoseDisputed(Event):
    """The named giver of a dose that somebody else entered says that it was not so."""

    name: ClassVar[str] = "dose.giver_disputed"


@dataclass(frozen=True, slots=True, kw_only=True)
class GiverWord:
    """What the named giver says of one version of a dose, or whoever closed the question in their place."""

    word: Word
    at: datetime
    by: StaffId
    reason: str | None = None
    """Of a disputed one what was not so; of a closed one what was found."""


class GiversDoses(Doses, Protocol):
    """Doses, and the words of those whose names stand on them."""

    async def add_giver_word(self, dose: Dose, said: GiverWord, /) -> None:
        """Keep a giver's word about a version; raises `GiverHasSpoken` when there is one already."""
        ...


def asks_giver(dose: Dose) -> bool:
    """Whether somebody else than the named giver wrote this version of a dose that was entered afterwards."""
    wrote = dose.amended_by or dose.recorded_by
    return dose.entry is Entry.LATE and dose.given_by is not None and dose.given_by != wrote


def standing_of(dose: Dose, said: GiverWord | None) -> GiverStanding | None:
    """Where the giver's word about a version stands; None where nobody is asked."""
    if said is not None:
        return GiverStanding(said.word)
    return GiverStanding.WAITS if asks_giver(dose) else None


async def say_as_giver(
    dose_id: DoseId,
    version: int,
    word: OwnWord,
    reason: str | None,
    *,
    by: Staff,
    now: datetime,
    doses: GiversDoses,
    journal: Journal,
) -> Dose:
    """Confirm a dose on which your name stands and that somebody else entered, or dispute it with a reason.

    Disputed, it goes on counting as swallowed, and holds the next dose until a prescriber has looked. Raises `Invalid`,
    `DoseUnknown`, `DoseMoved` (another version is the newest, or it was not given), `NotTheirDose`, `OwnEntry`,
    `GiverHasSpoken`, `NotPermitted`.
    """
    _check(word, reason)
    record, dose = await newest_dose(dose_id, by=by, act=Act.RECORD_DOSE, doses=doses, version=version)
    if dose.given_by != by.id:
        raise NotTheirDose("Leave it to whoever is named.")
    if not asks_giver(dose):
        raise OwnEntry("Amend it if it is wrong.")
    said = GiverWord(word=word, at=now, by=by.id, reason=reason)
    await doses.add_giver_word(dose, said)
    facts: dict[str, str | int] = {"version": dose.version}
    if word is Word.CONFIRMED:
        journal.tell(DoseConfirmed(client=dose.client, records=(dose.id,), facts=facts))
        return dose
    hold = _hold(dose, by.id, now)
    journal.tell(DoseDisputed(client=dose.client, records=(dose.id, hold.id), facts=facts))
    await keep_hold(hold, record, holds=doses, journal=journal)
    return dose


def _check(word: OwnWord, reason: str | None) -> None:
    if word is Word.CONFIRMED and reason is not None:
        raise Invalid(Fault("reason", "is asked of a dose that is disputed"))
    if word is Word.DISPUTED:
        faults = Faults()
        check_reason(reason or "", faults)
        faults.raise_if_any()


def _hold(dose: Dose, giver: StaffId, now: datetime) -> Hold:
    return Hold(
        id=HoldId(new_id()),
        client=dose.client,
        programme=dose.programme,
        reason=HoldReason.EXCEPTION,
        note="",
        raised_by=giver,
        raised_at=now,
        by_rule=GIVER_DISPUTES,
        dose=dose.id,
        dose_version=dose.version,
        clears=_CLEARS,
    )
