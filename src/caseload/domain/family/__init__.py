"""The people around a client: who they are, how they are involved, and what they have told us.

Being listed here allows nobody to be told anything: that is what a consent is for (`domain/consent`).
"""

from caseload.domain.family.information import Families, Information, InformationUnknown, Told, receive_information
from caseload.domain.family.involvement import (
    WHY_NOT,
    AlreadyInvolved,
    Beginning,
    Held,
    Involvement,
    InvolvementOver,
    InvolvementUnknown,
    NotInvolved,
    authority,
)
from caseload.domain.family.linked import AlreadyLinked, LinkUnknown, RelativeLink, link_relative, unlink_relative
from caseload.domain.family.person import (
    PersonChanged,
    PersonDetails,
    PersonUnknown,
    RelatedPerson,
    add_person,
    begin_involvement,
    change_person,
    end_involvement,
    remove_person,
    without_emergency_contact,
)
from caseload.domain.family.texts import LONGEST_NAME, LONGEST_TEXT, text_fault
from caseload.domain.family.warned import lift_warning, warn_of
from caseload.domain.family.warning import (
    AlreadyWarned,
    SafetyWarning,
    WarnedBy,
    WarningKind,
    WarningLifted,
    WarningUnknown,
    stopping,
)
from caseload.domain.family.words import ContactWay, InvolvementKind, Relationship

__all__ = [
    "LONGEST_NAME",
    "LONGEST_TEXT",
    "WHY_NOT",
    "AlreadyInvolved",
    "AlreadyLinked",
    "AlreadyWarned",
    "Beginning",
    "ContactWay",
    "Families",
    "Held",
    "Information",
    "InformationUnknown",
    "Involvement",
    "InvolvementKind",
    "InvolvementOver",
    "InvolvementUnknown",
    "LinkUnknown",
    "NotInvolved",
    "PersonChanged",
    "PersonDetails",
    "PersonUnknown",
    "RelatedPerson",
    "Relationship",
    "RelativeLink",
    "SafetyWarning",
    "Told",
    "WarnedBy",
    "WarningKind",
    "WarningLifted",
    "WarningUnknown",
    "add_person",
    "authority",
    "begin_involvement",
    "change_person",
    "end_involvement",
    "lift_warning",
    "link_relative",
    "receive_information",
    "remove_person",
    "stopping",
    "text_fault",
    "unlink_relative",
    "warn_of",
    "without_emergency_contact",
]
