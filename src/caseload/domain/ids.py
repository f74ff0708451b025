"""One type per kind of identifier, and the one place where identifiers are made."""

import uuid
from typing import NewType
from uuid import UUID

import uuid_utils

StaffId = NewType("StaffId", UUID)
SessionId = NewType("SessionId", UUID)
ProgrammeId = NewType("ProgrammeId", UUID)
GrantId = NewType("GrantId", UUID)
RegistrationId = NewType("RegistrationId", UUID)
ResetId = NewType("ResetId", UUID)
ShiftId = NewType("ShiftId", UUID)
ClientId = NewType("ClientId", UUID)
EpisodeId = NewType("EpisodeId", UUID)
PlanId = NewType("PlanId", UUID)
CheckInId = NewType("CheckInId", UUID)
TherapySessionId = NewType("TherapySessionId", UUID)
OrderId = NewType("OrderId", UUID)
DoseId = NewType("DoseId", UUID)
DrawId = NewType("DrawId", UUID)
FlagId = NewType("FlagId", UUID)
NaloxoneId = NewType("NaloxoneId", UUID)
CorrectionId = NewType("CorrectionId", UUID)
HoldId = NewType("HoldId", UUID)
DecisionId = NewType("DecisionId", UUID)
SignatureId = NewType("SignatureId", UUID)
RelatedPersonId = NewType("RelatedPersonId", UUID)
InformationId = NewType("InformationId", UUID)
ConsentId = NewType("ConsentId", UUID)
MatchDecisionId = NewType("MatchDecisionId", UUID)
ImportId = NewType("ImportId", UUID)
HistoryId = NewType("HistoryId", UUID)
EntryId = NewType("EntryId", UUID)
BundleId = NewType("BundleId", UUID)
ReviewId = NewType("ReviewId", UUID)
ErasureId = NewType("ErasureId", UUID)
ReportId = NewType("ReportId", UUID)
PreDoseId = NewType("PreDoseId", UUID)
DisclosureId = NewType("DisclosureId", UUID)
DeliveryId = NewType("DeliveryId", UUID)
TaskId = NewType("TaskId", UUID)
StatementId = NewType("StatementId", UUID)
StationId = NewType("StationId", UUID)
ReceiptId = NewType("ReceiptId", UUID)
ContainerId = NewType("ContainerId", UUID)
PourId = NewType("PourId", UUID)
WasteId = NewType("WasteId", UUID)
CountId = NewType("CountId", UUID)
InventoryId = NewType("InventoryId", UUID)
LossId = NewType("LossId", UUID)
SelectionId = NewType("SelectionId", UUID)
DepartureId = NewType("DepartureId", UUID)
DeathId = NewType("DeathId", UUID)


def new_id() -> UUID:
    """A fresh UUIDv7 (RFC 9562, section 5.7): ordered by the time it was made, and never a secret."""
    return uuid.UUID(bytes=uuid_utils.uuid7().bytes)
