"""What of an observation does not wait, whoever made it and wherever: told to the clinicians in the same piece of work."""

from collections.abc import Sequence
from datetime import datetime

from caseload.domain.escalation import Escalation, Escalations, Ground, OfObservation, escalate_from
from caseload.domain.ids import ProgrammeId
from caseload.domain.journal import Journal
from caseload.domain.observation.instrument import InstrumentName
from caseload.domain.observation.observing import Observation
from caseload.domain.people import Staff


def grounds_of(one: Observation) -> Sequence[Ground]:
    """What its answers say that does not wait: the ninth item of a PHQ-9, with another answer than "not at all"."""
    if one.instrument is not InstrumentName.PHQ9 or one.score is None:
        return ()
    ninth = one.score.answers[-1]
    return () if ninth is None or ninth == 0 else (Ground.SUICIDAL_THOUGHTS,)


async def escalate_observed(
    one: Observation, *, programme: ProgrammeId, by: Staff, now: datetime, escalations: Escalations, journal: Journal
) -> Sequence[Escalation]:
    """Raise what an observation says, once; what was filled in during a check-in, as of that check-in.

    It is new, or whoever corrects it has its next version.
    """
    source = OfObservation(one.id, one.version) if one.check_in is None else one.check_in
    return await escalate_from(
        source,
        grounds_of(one),
        client=one.client,
        programme=programme,
        by=by,
        now=now,
        escalations=escalations,
        journal=journal,
    )
