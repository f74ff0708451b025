"""A dose whose named giver can no longer be asked: somebody who answers for the programme closes the question.

A locum's name stands on a paper sheet, and the locum has gone. Nobody speaks in their place: whether they gave it stays
unsaid. What is kept is that they cannot be asked, who looked into it and what they found. Product convention (21 CFR
11.10(e): a record tells who did what).
"""

from datetime import datetime
from typing import ClassVar, Protocol

from caseload.domain.access import Act
from caseload.domain.dosing.correction import newest_dose
from caseload.domain.dosing.dose import Dose
from caseload.domain.dosing.giver import GiversDoses, GiverWord, Word, asks_giver
from caseload.domain.errors import Conflict, Faults, NotPermitted
from caseload.domain.ids import DoseId
from caseload.domain.journal import Event, Journal
from caseload.domain.medication.record import check_reason
from caseload.domain.people import Staff


class GiverCanSpeak(Conflict):
    """The named giver still works here, and can say it."""


class NobodyIsAsked(Conflict):
    """Whoever gave this dose entered it too, or nobody here gave it: no word is missing."""


class OwnQuestion(NotPermitted):
    """You gave or entered this dose: somebody else closes the question."""


class GiverWordClosed(Event):
    """The named giver of a dose can no longer be asked, and somebody closed the question with what was found."""

    name: ClassVar[str] = "dose.giver_closed"


class LeftDoses(GiversDoses, Protocol):
    """Doses, and whether their named givers can still be asked."""

    async def giver_can_speak(self, dose: Dose, /) -> bool:
        """Whether the named giver has an open account and a role that records doses where the client is dosed now.

        An expired registration is no leaving: it is renewed.
        """
        ...


async def close_for_giver(
    dose_id: DoseId, version: int, reason: str, *, by: Staff, now: datetime, doses: LeftDoses, journal: Journal
) -> Dose:
    """Close the question whose dose it was, with what was found, where the named giver cannot be asked any more.

    The dose stays as it is, and its second look somebody's own. Raises `Invalid`, `DoseUnknown`, `DoseMoved` (another
    version is the newest, or it was not given), `NobodyIsAsked`, `OwnQuestion`, `GiverCanSpeak`, `GiverHasSpoken`.
    """
    faults = Faults()
    check_reason(reason, faults)
    faults.raise_if_any()
    _, dose = await newest_dose(dose_id, by=by, act=Act.CLOSE_GIVER_WORD, doses=doses, version=version)
    if not asks_giver(dose):
        raise NobodyIsAsked("Amend it if it is wrong.")
    if by.id in dose.hands:
        raise OwnQuestion("Leave it to another supervisor or medical director.")
    if await doses.giver_can_speak(dose):
        raise GiverCanSpeak("Ask them: it stands in their list of doses to confirm.")
    await doses.add_giver_word(dose, GiverWord(word=Word.CLOSED, at=now, by=by.id, reason=reason))
    journal.tell(GiverWordClosed(client=dose.client, records=(dose.id,), facts={"version": dose.version}))
    return dose
