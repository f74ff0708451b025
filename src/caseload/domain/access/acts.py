"""Everything a person can ask the service to do, and which roles may: the one table."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from caseload.domain.access.roles import CLINICIANS, PRESCRIBERS, SIGNERS, Role


class Act(StrEnum):
    """Something a person can ask the service to do. Every route names exactly one."""

    KNOW_MYSELF = "know_myself"
    REGISTER_CLIENT = "register_client"
    FIND_CLIENT = "find_client"
    SEE_IDENTITY = "see_identity"
    SEE_CLIENT = "see_client"
    CORRECT_IDENTITY = "correct_identity"
    ADMIT = "admit"
    DISCHARGE = "discharge"
    RECORD_DEATH = "record_death"
    RESTRICT_CLIENT = "restrict_client"
    """To say which staff alone may see a client, to name them, and to end that."""
    SEE_OBLIGATIONS = "see_obligations"
    """To hear, without whom it is about, that nobody named looks after a restricted client."""
    BREAK_GLASS = "break_glass"
    """To open one client outside one's reach in an emergency."""
    SEE_GLASS = "see_glass"
    REVIEW_GLASS = "review_glass"
    SEE_CASELOAD = "see_caseload"
    SEE_DASHBOARD = "see_dashboard"
    """A whole programme in numbers, by which its supervisor shares out the work."""
    HAND_OVER = "hand_over"
    ANSWER_HANDOVER = "answer_handover"
    """To take over a client who is offered, or not."""
    SEE_CHECK_INS = "see_check_ins"
    PLAN_CHECK_INS = "plan_check_ins"
    COMPLETE_CHECK_IN = "complete_check_in"
    KEEP_CHECK_IN_RULES = "keep_check_in_rules"
    """To say what the check-ins of a programme ask, and what is done in an emergency."""
    SEE_CONTACT = "see_contact"
    """To see how a client may be reached."""
    KEEP_CONTACT = "keep_contact"
    KEEP_CARE_TASKS = "keep_care_tasks"
    """To see what is to be done about a client, to ask a colleague for it, and to do it."""
    SEE_ESCALATIONS = "see_escalations"
    ESCALATE = "escalate"
    ACKNOWLEDGE_ESCALATION = "acknowledge_escalation"
    SEE_APPOINTMENTS = "see_appointments"
    RECORD_ARRIVAL = "record_arrival"
    SEE_SESSIONS = "see_sessions"
    PLAN_SESSION = "plan_session"
    TAKE_REGISTER = "take_register"
    SEE_NOTES = "see_notes"
    WRITE_NOTE = "write_note"
    CO_SIGN_NOTE = "co_sign_note"
    SET_SESSION_RULES = "set_session_rules"
    """To say how a programme holds its sessions: how large groups are, who countersigns notes."""
    SEE_MEDICATION = "see_medication"
    WRITE_ORDER = "write_order"
    RECORD_DOSE = "record_dose"
    CLOSE_GIVER_WORD = "close_giver_word"
    """To close the question who gave a dose from paper, where its named giver has left."""
    RAISE_HOLD = "raise_hold"
    DECIDE_MEDICATION = "decide_medication"
    DECIDE_REPLACEMENT = "decide_replacement"
    """Whether a vomited or spilled dose is replaced; the profile says which of the clinicians may."""
    ARRANGE_GUEST = "arrange_guest"
    """To arrange with another programme where a client is dosed for some days, and to end that."""
    SIGN_OFF_DOSE = "sign_off_dose"
    SEE_SIGN_OFFS = "see_sign_offs"
    """To see what waits for one's own signature, whatever it is."""
    SEE_DISPENSING_LOG = "see_dispensing_log"
    SEE_OBSERVATIONS = "see_observations"
    RECORD_OBSERVATION = "record_observation"
    SEE_STOCK = "see_stock"
    KEEP_STOCK = "keep_stock"
    """To begin keeping it, to name stations, to report losses."""
    RECEIVE_STOCK = "receive_stock"
    POUR_STOCK = "pour_stock"
    """To put a container to use or away, to pour, to close what is empty."""
    WASTE_STOCK = "waste_stock"
    WITNESS_STOCK = "witness_stock"
    COUNT_STOCK = "count_stock"
    DRAW_SCREENS = "draw_screens"
    EXCUSE_CLIENT = "excuse_client"
    TELL_WINDOW = "tell_window"
    SEE_FAMILY = "see_family"
    RECORD_FAMILY = "record_family"
    LINK_RELATIVES = "link_relatives"
    """To say that somebody on a client's list is a client too, which no chart shows."""
    SEE_CONSENT = "see_consent"
    RECORD_CONSENT = "record_consent"
    ASK_CONSENT = "ask_consent"
    DISCLOSE = "disclose"
    """To tell somebody outside something about a client, and to record that it was told."""
    RELEASE_IN_EMERGENCY = "release_in_emergency"
    """To tell medical personnel what an emergency needs, to complete its record and to read that back (42 CFR 2.51)."""
    ACCOUNT_DISCLOSURES = "account_disclosures"
    """To make the accountings of disclosures that a client asks for."""
    TAKE_RIGHTS_REQUEST = "take_rights_request"
    """To take what a client asks for about their own record."""
    SEE_RIGHTS_REQUESTS = "see_rights_requests"
    ANSWER_RIGHTS_REQUEST = "answer_rights_request"
    """To answer it: to put it off, to look through a copy and release it, to grant or deny."""
    SEE_NOTICES = "see_notices"
    """To see the versions of a programme's notice, and which a client was given."""
    GIVE_NOTICE = "give_notice"
    KEEP_NOTICES = "keep_notices"
    """To put a version of a programme's notice in force."""
    MATCH_RECORDS = "match_records"
    PROPOSE_MERGE = "propose_merge"
    """To say that two registrations are one person's: both are held from then on."""
    CONFIRM_MERGE = "confirm_merge"
    """To confirm, reject or undo that."""
    SEE_AUDIT_LOG = "see_audit_log"
    EXPORT_AUDIT_LOG = "export_audit_log"
    REVIEW_ACCESS = "review_access"
    REPORT_ACCESS = "report_access"
    PROPOSE_ERASURE = "propose_erasure"
    CONFIRM_ERASURE = "confirm_erasure"
    SEE_STAFF = "see_staff"
    MANAGE_STAFF = "manage_staff"
    CONFIRM_ROLE = "confirm_role"
    CONFIRM_IDENTITY = "confirm_identity"
    PLAN_DUTY = "plan_duty"
    LIFT_LOCKOUT = "lift_lockout"
    MANAGE_PROGRAMMES = "manage_programmes"
    KEEP_CALENDAR = "keep_calendar"
    """To say on which days the window stays closed."""
    SELECT_PROFILE = "select_profile"
    """To let a programme go over to another jurisdiction profile from a day on."""
    SEE_PROGRAMMES = "see_programmes"
    BRING_IN_HISTORY = "bring_in_history"
    """On the command line only: it writes charts from files and shows none."""
    VERIFY_HISTORY = "verify_history"


_EVERYONE = frozenset(Role)
_CARE = frozenset({
    Role.NURSE, Role.PRESCRIBER, Role.PHARMACIST, Role.COUNSELLOR, Role.SUPERVISOR, Role.MEDICAL_DIRECTOR,
})  # fmt: skip
_COUNSELLING = _CARE - {Role.PHARMACIST}
_LEADS_SESSIONS = PRESCRIBERS | {Role.COUNSELLOR, Role.SUPERVISOR}
_LOG_READERS = frozenset({Role.AUDITOR, Role.PRIVACY_OFFICER})

MAY: Mapping[Act, frozenset[Role]] = MappingProxyType({
    Act.KNOW_MYSELF: _EVERYONE,
    Act.REGISTER_CLIENT: _COUNSELLING | {Role.FRONT_DESK},
    Act.FIND_CLIENT: _CARE | {Role.FRONT_DESK} | _LOG_READERS,
    Act.SEE_IDENTITY: _CARE | {Role.FRONT_DESK} | _LOG_READERS,
    Act.SEE_CLIENT: _CARE,
    Act.CORRECT_IDENTITY: _COUNSELLING | {Role.FRONT_DESK},
    Act.ADMIT: _COUNSELLING,
    Act.DISCHARGE: frozenset({Role.COUNSELLOR, Role.SUPERVISOR, Role.PRESCRIBER, Role.MEDICAL_DIRECTOR}),
    Act.RECORD_DEATH: _COUNSELLING,
    Act.RESTRICT_CLIENT: frozenset({Role.PRIVACY_OFFICER, Role.MEDICAL_DIRECTOR}),
    Act.SEE_OBLIGATIONS: frozenset({Role.SUPERVISOR, Role.MEDICAL_DIRECTOR}),
    Act.BREAK_GLASS: _CARE,
    Act.SEE_GLASS: _LOG_READERS,
    Act.REVIEW_GLASS: frozenset({Role.PRIVACY_OFFICER}),
    Act.SEE_CASELOAD: frozenset({Role.COUNSELLOR, Role.SUPERVISOR, Role.MEDICAL_DIRECTOR}),
    Act.SEE_DASHBOARD: frozenset({Role.SUPERVISOR, Role.MEDICAL_DIRECTOR}),
    Act.HAND_OVER: frozenset({Role.SUPERVISOR, Role.MEDICAL_DIRECTOR}),
    Act.ANSWER_HANDOVER: frozenset({Role.COUNSELLOR}),
    Act.SEE_CHECK_INS: _COUNSELLING,
    Act.PLAN_CHECK_INS: frozenset({Role.COUNSELLOR, Role.SUPERVISOR, Role.MEDICAL_DIRECTOR}),
    Act.COMPLETE_CHECK_IN: frozenset({Role.COUNSELLOR, Role.SUPERVISOR, Role.NURSE}),
    Act.KEEP_CHECK_IN_RULES: frozenset({Role.SUPERVISOR, Role.MEDICAL_DIRECTOR}),
    Act.SEE_CONTACT: _COUNSELLING | {Role.FRONT_DESK},
    Act.KEEP_CONTACT: _COUNSELLING | {Role.FRONT_DESK},
    Act.KEEP_CARE_TASKS: _COUNSELLING,
    Act.SEE_ESCALATIONS: _CARE,
    Act.ESCALATE: _CARE,
    Act.ACKNOWLEDGE_ESCALATION: CLINICIANS - {Role.PHARMACIST},
    Act.SEE_APPOINTMENTS: _COUNSELLING | {Role.FRONT_DESK},
    Act.RECORD_ARRIVAL: _COUNSELLING | {Role.FRONT_DESK},
    Act.SEE_SESSIONS: _COUNSELLING,
    Act.PLAN_SESSION: _LEADS_SESSIONS,
    Act.TAKE_REGISTER: _LEADS_SESSIONS,
    Act.SEE_NOTES: _COUNSELLING,
    Act.WRITE_NOTE: _LEADS_SESSIONS,
    Act.CO_SIGN_NOTE: frozenset({Role.SUPERVISOR, Role.MEDICAL_DIRECTOR}),
    Act.SET_SESSION_RULES: frozenset({Role.ADMINISTRATOR, Role.SUPERVISOR, Role.MEDICAL_DIRECTOR}),
    Act.SEE_MEDICATION: _CARE,
    Act.WRITE_ORDER: PRESCRIBERS,
    Act.RECORD_DOSE: frozenset({Role.NURSE, Role.PRESCRIBER, Role.PHARMACIST, Role.MEDICAL_DIRECTOR}),
    Act.CLOSE_GIVER_WORD: frozenset({Role.SUPERVISOR, Role.MEDICAL_DIRECTOR}),
    Act.RAISE_HOLD: CLINICIANS,
    Act.DECIDE_MEDICATION: PRESCRIBERS,
    Act.DECIDE_REPLACEMENT: CLINICIANS,
    Act.ARRANGE_GUEST: CLINICIANS,
    Act.SIGN_OFF_DOSE: CLINICIANS,
    Act.SEE_SIGN_OFFS: SIGNERS,
    Act.SEE_DISPENSING_LOG: CLINICIANS | {Role.INSPECTOR},
    Act.SEE_OBSERVATIONS: _CARE,
    Act.RECORD_OBSERVATION: CLINICIANS,
    Act.SEE_STOCK: CLINICIANS | {Role.INSPECTOR},
    Act.KEEP_STOCK: frozenset({Role.PHARMACIST, Role.MEDICAL_DIRECTOR}),
    Act.RECEIVE_STOCK: frozenset({Role.NURSE, Role.PHARMACIST, Role.MEDICAL_DIRECTOR}),
    Act.POUR_STOCK: frozenset({Role.NURSE, Role.PHARMACIST}),
    Act.WASTE_STOCK: CLINICIANS,
    Act.WITNESS_STOCK: CLINICIANS,
    Act.COUNT_STOCK: frozenset({Role.NURSE, Role.PHARMACIST, Role.MEDICAL_DIRECTOR}),
    Act.DRAW_SCREENS: CLINICIANS,
    Act.EXCUSE_CLIENT: _CARE,
    Act.TELL_WINDOW: _CARE | {Role.FRONT_DESK},
    Act.SEE_FAMILY: _COUNSELLING,
    Act.RECORD_FAMILY: _COUNSELLING,
    Act.LINK_RELATIVES: frozenset({Role.PRIVACY_OFFICER}),
    Act.SEE_CONSENT: _COUNSELLING | {Role.PRIVACY_OFFICER},
    Act.RECORD_CONSENT: _COUNSELLING | {Role.PRIVACY_OFFICER},
    Act.ASK_CONSENT: _CARE | {Role.FRONT_DESK, Role.PRIVACY_OFFICER},
    Act.DISCLOSE: _CARE | {Role.PRIVACY_OFFICER},
    Act.RELEASE_IN_EMERGENCY: _CARE | {Role.PRIVACY_OFFICER},
    Act.ACCOUNT_DISCLOSURES: frozenset({Role.PRIVACY_OFFICER}),
    Act.TAKE_RIGHTS_REQUEST: _CARE | {Role.FRONT_DESK, Role.PRIVACY_OFFICER},
    Act.SEE_RIGHTS_REQUESTS: _LOG_READERS,
    Act.ANSWER_RIGHTS_REQUEST: frozenset({Role.PRIVACY_OFFICER}),
    Act.SEE_NOTICES: _CARE | {Role.FRONT_DESK} | _LOG_READERS,
    Act.GIVE_NOTICE: _CARE | {Role.FRONT_DESK},
    Act.KEEP_NOTICES: frozenset({Role.PRIVACY_OFFICER}),
    Act.MATCH_RECORDS: frozenset({Role.PRIVACY_OFFICER, Role.SUPERVISOR}),
    Act.PROPOSE_MERGE: CLINICIANS | {Role.SUPERVISOR},
    Act.CONFIRM_MERGE: frozenset({Role.SUPERVISOR, Role.MEDICAL_DIRECTOR}),
    Act.SEE_AUDIT_LOG: _LOG_READERS,
    Act.EXPORT_AUDIT_LOG: _LOG_READERS,
    Act.REVIEW_ACCESS: _LOG_READERS,
    Act.REPORT_ACCESS: frozenset({Role.PRIVACY_OFFICER}),
    Act.PROPOSE_ERASURE: frozenset({Role.PRIVACY_OFFICER}),
    Act.CONFIRM_ERASURE: frozenset({Role.PRIVACY_OFFICER, Role.MEDICAL_DIRECTOR}),
    Act.SEE_STAFF: frozenset({
        Role.ADMINISTRATOR, Role.SUPERVISOR, Role.MEDICAL_DIRECTOR, Role.AUDITOR, Role.PRIVACY_OFFICER,
    }),
    Act.MANAGE_STAFF: frozenset({Role.ADMINISTRATOR}),
    Act.CONFIRM_ROLE: frozenset({Role.ADMINISTRATOR, Role.MEDICAL_DIRECTOR, Role.SUPERVISOR}),
    Act.CONFIRM_IDENTITY: frozenset({Role.ADMINISTRATOR, Role.MEDICAL_DIRECTOR, Role.SUPERVISOR}),
    Act.PLAN_DUTY: frozenset({Role.SUPERVISOR, Role.MEDICAL_DIRECTOR}),
    Act.LIFT_LOCKOUT: frozenset({Role.SUPERVISOR, Role.MEDICAL_DIRECTOR, Role.ADMINISTRATOR}),
    Act.MANAGE_PROGRAMMES: frozenset({Role.ADMINISTRATOR}),
    Act.KEEP_CALENDAR: frozenset({Role.ADMINISTRATOR, Role.SUPERVISOR, Role.MEDICAL_DIRECTOR}),
    Act.SELECT_PROFILE: frozenset({Role.ADMINISTRATOR, Role.MEDICAL_DIRECTOR}),
    Act.SEE_PROGRAMMES: _EVERYONE,
    Act.BRING_IN_HISTORY: frozenset({Role.ADMINISTRATOR, Role.SUPERVISOR, Role.MEDICAL_DIRECTOR}),
    Act.VERIFY_HISTORY: CLINICIANS,
})  # fmt: skip
"""What each role may do. A role that does not stand beside an act may not do it."""

CONFIRMED_BY_ANOTHER = CLINICIANS | MAY[Act.CONFIRM_ROLE]
"""Roles that count only once a second person has confirmed them: those that sign, and those that confirm.

The second half closes the circle: without it one administrator could invent a colleague and confirm with that
colleague's hand (21 CFR 11.200(a)(3): misuse must need two people).
"""
