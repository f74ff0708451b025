"""Escalations: what a clinician must hear of at once. Each stays open until a named clinician has acknowledged it.

`raising` says what they are and what people do with them, `instruction` what whoever learns of one does on the spot.
"""

from caseload.domain.escalation.instruction import (
    OWN,
    Instruction,
    InstructionChanged,
    Instructions,
    instruct,
    usual_instruction,
)
from caseload.domain.escalation.raising import (
    Acknowledgement,
    AlreadyAcknowledged,
    Escalation,
    Escalations,
    EscalationUnknown,
    Ground,
    acknowledge,
    escalate,
    escalate_from,
)

__all__ = [
    "OWN",
    "Acknowledgement",
    "AlreadyAcknowledged",
    "Escalation",
    "EscalationUnknown",
    "Escalations",
    "Ground",
    "Instruction",
    "InstructionChanged",
    "Instructions",
    "acknowledge",
    "escalate",
    "escalate_from",
    "instruct",
    "usual_instruction",
]
