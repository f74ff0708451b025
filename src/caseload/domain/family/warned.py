"""Recording a safety warning about somebody around a client, and lifting it."""

from dataclasses import replace
from datetime import datetime

from caseload.domain.access import Act
from caseload.domain.client import Client
from caseload.domain.errors import Fault, Faults, Invalid
from caseload.domain.family.person import RelatedPeople, RelatedPerson
from caseload.domain.family.texts import LONGEST_NAME, LONGEST_TEXT, text_fault
from caseload.domain.family.warning import (
    PersonNoLongerWarnedOf,
    PersonWarnedOf,
    SafetyWarning,
    WarnedBy,
    WarningKind,
    WarningLifted,
    WarningUnknown,
)
from caseload.domain.ids import WarningId, new_id
from caseload.domain.journal import Journal
from caseload.domain.people import Staff


async def warn_of(
    person: RelatedPerson,
    kind: WarningKind,
    note: str,
    *,
    said: WarnedBy | None = None,
    client: Client,
    by: Staff,
    now: datetime,
    families: RelatedPeople,
    journal: Journal,
) -> RelatedPerson:
    """Record a safety warning; it counts at once. That somebody must not be rung is somebody's word, with when they said it.

    Raises `NotPermitted`, `Invalid`, or `AlreadyWarned`.
    """
    by.require(Act.RECORD_FAMILY, client.programme)
    faults = Faults()
    if problem := text_fault(note, longest=LONGEST_TEXT):
        faults.add("note", problem)
    if said is None:
        faults.check(when=kind is WarningKind.DO_NOT_CALL, where="said_by", problem="say who said so")
    else:
        if problem := text_fault(said.who, longest=LONGEST_NAME):
            faults.add("said_by", problem)
        faults.check(when=said.at > now, where="said_at", problem="must not lie in the future")
    faults.raise_if_any()
    warning = SafetyWarning(
        id=WarningId(new_id()),
        client=client.id,
        person=person.id,
        kind=kind,
        note=note,
        recorded_by=by.id,
        recorded_at=now,
        said=said,
    )
    await families.warn(warning)
    journal.tell(PersonWarnedOf(client=client.id, records=(person.id, warning.id)))
    return replace(person, warnings=(*person.warnings, warning))


async def lift_warning(
    person: RelatedPerson,
    wanted: WarningId,
    *,
    reason: str,
    client: Client,
    by: Staff,
    now: datetime,
    families: RelatedPeople,
    journal: Journal,
) -> RelatedPerson:
    """Lift a safety warning, with the reason; it stays readable.

    Raises `NotPermitted`, `Invalid`, `WarningUnknown`, or `WarningLifted`.
    """
    by.require(Act.RECORD_FAMILY, client.programme)
    if problem := text_fault(reason, longest=LONGEST_TEXT):
        raise Invalid(Fault("reason", problem))
    standing = next((each for each in person.warnings if each.id == wanted), None)
    if standing is None:
        raise WarningUnknown
    if standing.lifted_at is not None:
        raise WarningLifted
    lifted = replace(standing, lifted_at=now, lifted_by=by.id, lifted_because=reason)
    await families.lift(lifted)
    journal.tell(PersonNoLongerWarnedOf(client=client.id, records=(person.id, lifted.id)))
    return replace(person, warnings=tuple(lifted if each.id == wanted else each for each in person.warnings))
