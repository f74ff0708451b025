"""Who may do what, and whom they may see: one table and one function.

The table is read by the guards of every route and by the test that tries every route as every role.
Supporting rules: 21 CFR 11.10(d) and (g) (authority checks per act), 42 CFR 2.13(a) (need to know).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from caseload.domain.errors import NotPermitted
from caseload.domain.ids import ProgrammeId, StaffId


class Role(StrEnum):
    """What a person is in a programme. Several per person, each with a start and an end."""

    NURSE = "nurse"
    PRESCRIBER = "prescriber"
    PHARMACIST = "pharmacist"
    COUNSELLOR = "counsellor"
    SUPERVISOR = "supervisor"
    MEDICAL_DIRECTOR = "medical_director"
    FRONT_DESK = "front_desk"
    AUDITOR = "auditor"
    PRIVACY_OFFICER = "privacy_officer"
    INSPECTOR = "inspector"
    ADMINISTRATOR = "administrator"


CLINICIANS = frozenset({Role.NURSE, Role.PRESCRIBER, Role.PHARMACIST, Role.MEDICAL_DIRECTOR})
"""Who may record or sign for medicine. All of them need a registration number in force."""

PRESCRIBERS = frozenset({Role.PRESCRIBER, Role.MEDICAL_DIRECTOR})
"""Who may sign orders and medication decisions."""

WITHOUT_PROGRAMME = frozenset({Role.ADMINISTRATOR, Role.AUDITOR, Role.PRIVACY_OFFICER})
"""Roles that may be held for the whole organisation instead of one programme."""


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
    SEE_CASELOAD = "see_caseload"
    HAND_OVER = "hand_over"
    SEE_CHECK_INS = "see_check_ins"
    PLAN_CHECK_INS = "plan_check_ins"
    COMPLETE_CHECK_IN = "complete_check_in"
    SEE_APPOINTMENTS = "see_appointments"
    RECORD_ARRIVAL = "record_arrival"
    SEE_SESSIONS = "see_sessions"
    PLAN_SESSION = "plan_session"
    TAKE_REGISTER = "take_register"
    SEE_MEDICATION = "see_medication"
    WRITE_ORDER = "write_order"
    RECORD_DOSE = "record_dose"
    RAISE_HOLD = "raise_hold"
    DECIDE_MEDICATION = "decide_medication"
    DECIDE_REPLACEMENT = "decide_replacement"
    """Whether a vomited or spilled dose is replaced; the profile says which of the clinicians may."""
    SIGN_OFF_DOSE = "sign_off_dose"
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
    SEE_CONSENT = "see_consent"
    RECORD_CONSENT = "record_consent"
    ASK_CONSENT = "ask_consent"
    MATCH_RECORDS = "match_records"
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
    Act.SEE_CASELOAD: frozenset({Role.COUNSELLOR, Role.SUPERVISOR, Role.MEDICAL_DIRECTOR}),
    Act.HAND_OVER: frozenset({Role.SUPERVISOR, Role.MEDICAL_DIRECTOR}),
    Act.SEE_CHECK_INS: _COUNSELLING,
    Act.PLAN_CHECK_INS: frozenset({Role.COUNSELLOR, Role.SUPERVISOR, Role.MEDICAL_DIRECTOR}),
    Act.COMPLETE_CHECK_IN: frozenset({Role.COUNSELLOR, Role.SUPERVISOR, Role.NURSE}),
    Act.SEE_APPOINTMENTS: _COUNSELLING | {Role.FRONT_DESK},
    Act.RECORD_ARRIVAL: _COUNSELLING | {Role.FRONT_DESK},
    Act.SEE_SESSIONS: _COUNSELLING,
    Act.PLAN_SESSION: frozenset({Role.COUNSELLOR, Role.SUPERVISOR}),
    Act.TAKE_REGISTER: frozenset({Role.COUNSELLOR, Role.SUPERVISOR}),
    Act.SEE_MEDICATION: _CARE,
    Act.WRITE_ORDER: PRESCRIBERS,
    Act.RECORD_DOSE: frozenset({Role.NURSE, Role.PRESCRIBER, Role.PHARMACIST, Role.MEDICAL_DIRECTOR}),
    Act.RAISE_HOLD: CLINICIANS,
    Act.DECIDE_MEDICATION: PRESCRIBERS,
    Act.DECIDE_REPLACEMENT: CLINICIANS,
    Act.SIGN_OFF_DOSE: CLINICIANS,
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
    Act.SEE_CONSENT: _COUNSELLING | {Role.PRIVACY_OFFICER},
    Act.RECORD_CONSENT: _COUNSELLING | {Role.PRIVACY_OFFICER},
    Act.ASK_CONSENT: _CARE | {Role.FRONT_DESK, Role.PRIVACY_OFFICER},
    Act.MATCH_RECORDS: frozenset({Role.PRIVACY_OFFICER, Role.SUPERVISOR}),
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


class Extent(StrEnum):
    """How far a role sees."""

    PROGRAMME = "programme"
    """The clients of the programmes in which the role is held, and the guests they host."""
    CASELOAD = "caseload"
    """Clients one is responsible for or covers; the whole programme for a shift on duty."""
    ONE_BY_IDENTIFIER = "one_by_identifier"
    """One client at a time, by identifier, never a list; each look is an entry of its own.

    Any client where the role is held for the whole organisation; else those of its programme.
    """
    NOBODY = "nobody"


EXTENT: Mapping[Role, Extent] = MappingProxyType(
    {
        Role.NURSE: Extent.PROGRAMME,
        Role.PRESCRIBER: Extent.PROGRAMME,
        Role.PHARMACIST: Extent.PROGRAMME,
        Role.COUNSELLOR: Extent.CASELOAD,
        Role.SUPERVISOR: Extent.PROGRAMME,
        Role.MEDICAL_DIRECTOR: Extent.PROGRAMME,
        Role.FRONT_DESK: Extent.PROGRAMME,
        Role.AUDITOR: Extent.ONE_BY_IDENTIFIER,
        Role.PRIVACY_OFFICER: Extent.ONE_BY_IDENTIFIER,
        Role.INSPECTOR: Extent.NOBODY,
        Role.ADMINISTRATOR: Extent.NOBODY,
    }
)
"""How far each role sees, in one place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A role that is in force right now: granted, started, not ended, and confirmed where it must be."""

    role: Role
    programme: ProgrammeId | None
    """None where the role is held for the whole organisation."""
    on_duty: bool = False
    """A shift on duty in this programme is running."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Which clients one person may see for one act, as data that both Python and SQL can apply."""

    staff: StaffId
    everyone_in: frozenset[ProgrammeId]
    caseload_in: frozenset[ProgrammeId]
    any_by_identifier: bool
    one_in: frozenset[ProgrammeId] = frozenset()
    """Where one client at a time may be seen, by identifier."""
    signs_in: frozenset[ProgrammeId] = frozenset()
    """Where one signs for what was given at the window, whoever hosts its client by now."""

    def covers(
        self,
        *,
        programmes: Iterable[ProgrammeId],
        looked_after_by: Iterable[StaffId],
        by_identifier: bool,
        signed_in: ProgrammeId | None = None,
    ) -> bool:
        """Whether a client is within reach; or, with `signed_in`, one dose of theirs and nothing else.

        `programmes` are the client's home programme and any that host the client as a guest now;
        `looked_after_by` are the responsible counsellor and whoever covers now, and until somebody admits the client
        for the first time whoever registered them. `signed_in` is where a dose was given that waits for its signature, or
        that this person has signed: a guest goes home, and the signature is still the window's. The SQL in `db/access.py` answers the same question and is tested
        against this function.
        """
        where = frozenset(programmes)
        return (
            bool(where & self.everyone_in)
            or (bool(where & self.caseload_in) and self.staff in looked_after_by)
            or (by_identifier and (self.any_by_identifier or bool(where & self.one_in)))
            or signed_in in self.signs_in
        )


def may(holdings: Iterable[Holding], act: Act) -> bool:
    """Whether any role held now allows the act somewhere."""
    return any(holding.role in MAY[act] for holding in holdings)


def may_in(holdings: Iterable[Holding], act: Act, programme: ProgrammeId) -> bool:
    """Whether a role held now in this programme (or for the whole organisation) allows the act."""
    return any(holding.role in MAY[act] and holding.programme in {programme, None} for holding in holdings)


def require(holdings: Iterable[Holding], act: Act, programme: ProgrammeId) -> None:
    """Raise `NotPermitted` unless a role held in this programme allows the act."""
    if not may_in(holdings, act, programme):
        raise NotPermitted(
            f"None of your roles in this programme may {act.value.replace('_', ' ')}. Ask your supervisor."
        )


def reach(staff: StaffId, holdings: Iterable[Holding], act: Act) -> Reach:
    """Whom a person may see for one act: only roles that allow the act count, each as far as it sees."""
    everyone_in: set[ProgrammeId] = set()
    caseload_in: set[ProgrammeId] = set()
    one_in: set[ProgrammeId] = set()
    any_by_identifier = False
    for holding in holdings:
        if holding.role not in MAY[act]:
            continue
        extent = EXTENT[holding.role]
        if extent is Extent.NOBODY:
            continue
        if holding.programme is None:
            any_by_identifier |= extent is Extent.ONE_BY_IDENTIFIER
        elif extent is Extent.ONE_BY_IDENTIFIER:
            one_in.add(holding.programme)
        elif extent is Extent.PROGRAMME or holding.on_duty:
            everyone_in.add(holding.programme)
        else:
            caseload_in.add(holding.programme)
    return Reach(
        staff=staff,
        everyone_in=frozenset(everyone_in),
        caseload_in=frozenset(caseload_in),
        any_by_identifier=any_by_identifier,
        one_in=frozenset(one_in),
        signs_in=frozenset(everyone_in if act is Act.SIGN_OFF_DOSE else ()),
    )
