"""Escalations: what a clinician must hear of at once. Each stays open until a named clinician has acknowledged it.

`raising` says what they are and what people do with them, `instruction` what whoever learns of one does on the spot,
`on_call` which clinician is on call, `passing` to whom one goes that nobody acknowledges. What the dose record raises by
itself is in `missed`, which nothing here imports: it rests on the rules of doses.
"""

from caseload.domain.escalation.instruction import (
    OWN,
    Instruction,
    InstructionChanged,
    Instructions,
    instruct,
    usual_instruction,
)
from caseload.domain.escalation.on_call import (
    NOBODY,
    OnCall,
    OnCallOver,
    OnCallTaken,
    OnCallUnknown,
    end_on_call,
    holes,
    plan_on_call,
)
from caseload.domain.escalation.passing import PassedTo, Passing, pass_on
from caseload.domain.escalation.raising import (
    Acknowledgement,
    AlreadyAcknowledged,
    Escalation,
    Escalations,
    EscalationUnknown,
    Ground,
    OfObservation,
    acknowledge,
    escalate,
    escalate_from,
)

__all__ = [
    "NOBODY",
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
    "OfObservation",
    "OnCall",
    "OnCallOver",
    "OnCallTaken",
    "OnCallUnknown",
    "PassedTo",
    "Passing",
    "acknowledge",
    "end_on_call",
    "escalate",
    "escalate_from",
    "holes",
    "instruct",
    "pass_on",
    "plan_on_call",
    "usual_instruction",
]
