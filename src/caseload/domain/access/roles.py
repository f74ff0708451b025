"""What a person can be in a programme."""

from enum import StrEnum


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

SIGNERS = CLINICIANS | {Role.COUNSELLOR, Role.SUPERVISOR}
"""Who may sign anything. Counsellors and supervisors sign notes, which asks for no registration (decision 0421)."""

PRESCRIBERS = frozenset({Role.PRESCRIBER, Role.MEDICAL_DIRECTOR})
"""Who may sign orders and medication decisions."""

WITHOUT_PROGRAMME = frozenset({Role.ADMINISTRATOR, Role.AUDITOR, Role.PRIVACY_OFFICER})
"""Roles that may be held for the whole organisation instead of one programme."""
