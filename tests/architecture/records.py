"""Every record that has an address of its own, by the collection in its address: of which table it is, or whose it is instead."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

OF_A_CLIENT: Final[Mapping[str, str]] = MappingProxyType({
    "appointments": "check_in",
    "care-tasks": "care_task",
    "caseload/handovers/waiting": "handover_offer",
    "caseload/offers": "handover_offer",
    "check-in-plans": "check_in_plan",
    "check-ins": "check_in",
    "client-merges": "client_merge",
    "deaths": "client_death",
    "decisions": "medication_decision",
    "discharges": "discharge_asked",
    "disclosures": "disclosure_made",
    "dose-statements": "dose_statement",
    "doses": "dose",
    "emergency-releases": "disclosure_made",
    "escalations": "escalation",
    "guest-agreements": "guest_agreement",
    "holds": "hold",
    "last-dose-statements": "disclosure_made",
    "medication-tasks": "medication_task",
    "notes": "session_note",
    "orders": "medication_order",
    "overdue-check-ins": "check_in",
    "record-copies": "record_copy",
    "replacement-decisions": "dose_replacement",
    "restrictions": "restriction",
    "rights-accountings": "rights_accounting",
    "rights-requests": "rights_request",
    "spills": "dose_spill",
    "take-home-decisions": "take_home_decision",
    "take-homes": "take_home_dispense",
    "transfers": "client_transfer",
})  # fmt: skip
"""Records of one client: read by whoever sees the client, and to everybody else as if they did not exist."""

OF_A_PROGRAMME: Final[Mapping[str, str]] = MappingProxyType({
    "downtime-entries": "downtime_entry",
    "session-series": "session_series",
    "sessions": "therapy_session",
})  # fmt: skip
"""Records of a programme: read by whoever has a role there, and naming those clients whom the reader sees."""

NAMES_NO_CLIENT: Final[Mapping[str, str]] = MappingProxyType({
    "access-reports": "made from the log, which outlives the record: whoever reads the log names anybody",
    "audit/bundles": "an export of the log",
    "audit/entries": "an entry of the log",
    "audit/findings": "a finding about how staff used the log",
    "audit/log/tile": "hashes",
    "break-glass": "ended by whoever broke it, reviewed by the privacy officer: neither by reach",
    "calendar-feeds": "one's own",
    "caseload/absences": "of a colleague",
    "duty-shifts": "of a colleague",
    "log-erasures": "about the log, which outlives the record",
    "on-call": "of a colleague",
    "password-resets": "of a colleague",
    "profiles": "rules",
    "programmes": "lists of a programme, which `test_role_by_client.py` reads as every role",
    "registrations": "of a colleague",
    "roles": "of a colleague",
    "staff": "of a colleague",
    "stock-containers": "what is in a bottle",
    "stock-counts": "what was in a bottle",
    "stock-losses": "what is in no bottle any more",
    "stock-wastes": "what is in no bottle any more",
})  # fmt: skip
"""Collections of whose records none is a client's, each with what it is of."""

IN_A_CHART: Final[Mapping[str, str]] = MappingProxyType({
    "admission-done": "admission_done",
    "consents": "consent",
    "drug-screens": "drug_screen",
    "excusals": "excusal",
    "family-information": "family_information",
    "flags": "flag",
    "handovers": "responsibility",
    "interim-treatments": "interim_treatment",
    "keyworkers": "keyworker",
    "messages": "window_message",
    "naloxone": "naloxone",
    "observations": "observation",
    "orders": "medication_order",
    "patient-notices": "patient_notice_given",
    "related-people": "related_person",
    "relative-links": "related_person",
    "window-messages": "window_message",
})  # fmt: skip
"""Records that are asked for with the client whose they are: with another one they are nobody's."""
