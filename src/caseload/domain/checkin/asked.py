"""What was asked in a contact: checked against the questions of the programme, kept, and told at once where it must be."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from caseload.domain.checkin.answers import Answers, check_answers
from caseload.domain.checkin.filling import Filled, FilledIn, check_filled, fill_in
from caseload.domain.checkin.record import Outcome, Record
from caseload.domain.checkin.template import Template
from caseload.domain.errors import Faults
from caseload.domain.escalation import Escalations, escalate_from
from caseload.domain.journal import Journal
from caseload.domain.people import Staff


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked in a contact and answered, with the questions of the programme, and who hears of what cannot wait."""

    answers: Answers | None
    """None where nothing was answered."""
    template: Template
    escalations: Escalations
    observations: FilledIn
    filled: Sequence[Filled] = ()

    def check(self, faults: Faults) -> None:
        """Add a fault for whatever the programme asks and was left out, and for what is no answer."""
        check_answers(self.answers or Answers(given={}), self.template.asks, faults)
        check_filled(self.filled, faults)

    async def keep(
        self,
        record: Record,
        outcome: Outcome,
        *,
        by: Staff,
        now: datetime,
        journal: Journal,
    ) -> None:
        """Keep what was filled in, and escalate what does not wait; what this check-in has raised is not raised again."""
        grounds = await fill_in(
            record,
            self.filled,
            at=outcome.occurred_at or now,
            reason=outcome.reason,
            by=by,
            now=now,
            observations=self.observations,
            journal=journal,
        )
        await escalate_from(
            record.check_in.id,
            [*(() if outcome.answers is None else outcome.answers.grounds()), *grounds],
            client=record.check_in.client,
            programme=record.check_in.programme,
            by=by,
            now=now,
            escalations=self.escalations,
            journal=journal,
        )
