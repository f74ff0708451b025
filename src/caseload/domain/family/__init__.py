"""The people around a client: who they are, how they are involved, and what they have told us.

Being listed here allows nobody to be told anything: that is what a consent is for (`domain/consent`).
"""

from caseload.domain.family.information import Families, Information, InformationUnknown, Told, receive_information
from caseload.domain.family.person import (
    Involvement,
    PersonChanged,
    PersonDetails,
    PersonUnknown,
    RelatedPerson,
    Relationship,
    add_person,
    change_person,
)
from caseload.domain.family.texts import LONGEST_NAME, LONGEST_TEXT, text_fault

__all__ = [
    "LONGEST_NAME",
    "LONGEST_TEXT",
    "Families",
    "Information",
    "InformationUnknown",
    "Involvement",
    "PersonChanged",
    "PersonDetails",
    "PersonUnknown",
    "RelatedPerson",
    "Relationship",
    "Told",
    "add_person",
    "change_person",
    "receive_information",
    "text_fault",
]
