"""The words of consents and disclosures, stored and sent as they stand here."""

from enum import StrEnum


class Category(StrEnum):
    """A kind of information about a client that somebody may ask to be told."""

    PRESENCE = "presence"
    """That the person is a client here at all."""
    ATTENDANCE = "attendance"
    """When they came, and when they did not."""
    APPOINTMENTS = "appointments"
    MEDICATION = "medication"
    """Medicine, dose, and which doses were taken."""
    TAKE_HOME = "take_home"
    """The days for which medicine is kept at home."""
    DRUG_SCREENS = "drug_screens"
    PLAN = "plan"
    """The treatment and relapse-prevention plan."""
    RISK = "risk"
    """Overdose, self-harm and safeguarding concerns."""
    EMERGENCY = "emergency"
    """That there is an emergency, and the facts needed in it."""
    SESSION_RECORDS = "session_records"
    """What sessions were about, without the counselling notes."""
    JOINT_SESSIONS = "joint_sessions"
    """To sit in sessions together with the client, and to hear what is said there; nothing that is written."""
    COUNSELLING_NOTES = "counselling_notes"
    """Notes of a conversation kept apart from the record (42 CFR 2.11); only by a consent of their own."""
    GENERAL_INFORMATION = "general_information"
    """About addiction, overdose or naloxone in general, and nothing about anybody."""
    BEING_HEARD = "being_heard"
    """They want to tell us something, and are told nothing."""


NEEDS_NO_CONSENT = frozenset({Category.GENERAL_INFORMATION, Category.BEING_HEARD})
"""Nothing about the client is disclosed by these, so no consent can or need cover them."""

CONSENTABLE = frozenset(Category) - NEEDS_NO_CONSENT
"""What a consent can cover."""

TELLS_WHEN = frozenset({Category.ATTENDANCE, Category.DRUG_SCREENS, Category.SESSION_RECORDS})
"""Kinds whose entries each belong to a day, so that only what came after a moment can be told of them."""


class Purpose(StrEnum):
    """What a disclosure is for."""

    CLIENTS_REQUEST = "clients_request"
    """"At the request of the patient": enough when the client asks for it (2.31(a)(5)(i))."""
    FAMILY_INVOLVEMENT = "family_involvement"
    """So that somebody close can support the client's recovery."""
    EMERGENCY_CONTACT = "emergency_contact"
    TREATMENT = "treatment"
    PAYMENT = "payment"
    OPERATIONS = "operations"
    LEGAL_PROCEEDINGS = "legal_proceedings"
    """Civil, criminal, administrative or legislative proceedings; only by a consent of its own (2.31(d))."""
    CRIMINAL_JUSTICE = "criminal_justice"
    """Probation, parole or a court that made treatment a condition; only by a consent of its own (2.35)."""
    PRESCRIPTION_MONITORING = "prescription_monitoring"
    """The state's prescription drug monitoring programme, where its law asks for it (2.36)."""
    MULTIPLE_ENROLMENT = "multiple_enrolment"
    """So that nobody is treated in two opioid treatment programmes at once (2.34)."""
    PUBLIC_DUTY = "public_duty"
    """What a law or a court asks of the programme, or what keeps somebody from harm; never by consent."""
    AUDIT = "audit"
    """An audit or evaluation of the programme (2.53); never by consent."""


TREATMENT_PAYMENT_OPERATIONS = frozenset({Purpose.TREATMENT, Purpose.PAYMENT, Purpose.OPERATIONS})


class RecipientClass(StrEnum):
    """A class of persons that a consent may name instead of individuals (2.31(a)(4)(i))."""

    TREATING_PROVIDERS = "treating_providers"
    HEALTH_PLANS = "health_plans"
    THIRD_PARTY_PAYERS = "third_party_payers"
    PROGRAMME_OPERATORS = "programme_operators"
    """People helping to operate this programme."""


class ConsentKind(StrEnum):
    """The five consents that must not be mixed with each other."""

    NAMED = "named"
    """To persons named, for purposes named, until a date or an event. The only kind for family and friends."""
    TREATMENT_PAYMENT_OPERATIONS = "treatment_payment_operations"
    """One consent for all future treatment, payment and operations; the only kind that may never expire."""
    COUNSELLING_NOTES = "counselling_notes"
    LEGAL_PROCEEDINGS = "legal_proceedings"
    CRIMINAL_JUSTICE = "criminal_justice"
    """Those in the criminal justice system who made treatment a condition (2.35); with revocation terms of its own."""


class Signatory(StrEnum):
    """In what right a consent was signed (42 CFR 2.31(a)(8))."""

    CLIENT = "client"
    REPRESENTATIVE = "representative"
    """Somebody authorised to sign for the client (2.14, 2.15), whose authority is on file."""
