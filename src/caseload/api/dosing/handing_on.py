"""The last-dose statement for another provider, and a client's account of such disclosures."""

from datetime import datetime
from typing import Any
from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.consent.wire import RecipientWire
from caseload.api.pages import USUAL, After, Limit, Page
from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork, client_within
from caseload.db.consent import Consents
from caseload.db.dosing import Disclosures
from caseload.db.idempotency import Kept
from caseload.db.programme import Programmes
from caseload.domain.access import Act
from caseload.domain.consent import Category, Purpose
from caseload.domain.dosing import Disclosure, Ground, Telling, hand_on_last_dose
from caseload.domain.ids import DisclosureId, new_id
from caseload.request.idempotency import once
from caseload.request.work import Work


class LastDoseIn(Wire, frozen=True, kw_only=True):
    """Whom you tell of the last dose, for what, and what allows it."""

    recipient: RecipientWire
    """As a consent names them."""
    name: str
    """Who receives it, by name and function."""
    facility: str
    """Where they work."""
    purpose: Purpose
    emergency: str | None = None
    """The nature of a medical emergency, where that is what allows it (42 CFR 2.51)."""


class DisclosureLineOut(Wire, frozen=True, kw_only=True):
    """One line of a client's account of disclosures: when, to whom, what kind of information, for what."""

    id: UUID
    client_id: UUID
    recipient: RecipientWire
    name: str
    facility: str
    purpose: Purpose
    ground: Ground
    consent_id: UUID | None
    emergency: str | None
    categories: list[Category]
    rule: str
    rules_version: str
    disclosed_by: UUID
    disclosed_at: datetime

    @classmethod
    def of(cls, made: Disclosure) -> "DisclosureLineOut":
        """From the domain."""
        return cls(**_line(made))


class DisclosureOut(DisclosureLineOut, frozen=True, kw_only=True):
    """What was told, as it was told, and what went with it."""

    notice: str | None
    """What must accompany it (42 CFR 2.32)."""
    content: dict[str, Any]
    """The day, what is ordered, the last dose, the missed days, and the take-homes where they may be told."""

    @classmethod
    def of(cls, made: Disclosure) -> "DisclosureOut":
        """From the domain."""
        return cls(**_line(made), notice=made.notice, content=dict(made.content))


def _line(made: Disclosure) -> dict[str, Any]:
    recipient = made.telling.recipient
    return {
        "id": made.id,
        "client_id": made.client,
        "recipient": RecipientWire(person_id=recipient.person, name=recipient.name, group=recipient.group),
        "name": made.telling.name,
        "facility": made.telling.facility,
        "purpose": made.telling.purpose,
        "ground": made.ground,
        "consent_id": made.consent,
        "emergency": made.telling.emergency,
        "categories": list(made.categories),
        "rule": made.rule,
        "rules_version": made.rules_version,
        "disclosed_by": made.disclosed_by,
        "disclosed_at": made.disclosed_at,
    }


@writing("/clients/{client_id:uuid}/last-dose-statements", act=Act.RECORD_DOSE, name="disclose_last_dose")
async def disclose_last_dose(
    client_id: FromPath[UUID], data: JSONBody[LastDoseIn], work: TheWork, key: TheKey
) -> DisclosureOut:
    """Tell another provider of the last dose, the missed days and the take-homes; refused where nothing allows it."""
    client = await client_within(work, client_id, Act.RECORD_DOSE)
    programme = await Programmes(work.connection).get(client.programme)
    new = DisclosureId(new_id())

    async def disclose() -> Disclosure:
        return await hand_on_last_dose(
            Telling(
                recipient=data.recipient.read(),
                name=data.name,
                facility=data.facility,
                purpose=data.purpose,
                emergency=data.emergency,
            ),
            client,
            programme,
            as_id=new,
            by=work.by,
            now=work.now,
            disclosures=_kept(work),
            consents=Consents(work.connection, work.journal),
            journal=work.journal,
        )

    async def again(kept: Kept) -> Disclosure:
        return await _kept(work).disclosure(DisclosureId(kept.resource), by=work.by, act=Act.RECORD_DOSE)

    return DisclosureOut.of(await once(work, key, Kept(status=201, resource=new), do=disclose, again=again))


@reading("/last-dose-statements/{disclosure_id:uuid}", act=Act.SEE_MEDICATION, name="read_last_dose_statement")
async def read_last_dose_statement(disclosure_id: FromPath[UUID], work: TheWork) -> DisclosureOut:
    """What was told, as it was told, with the notice that goes with it."""
    return DisclosureOut.of(
        await _kept(work).disclosure(DisclosureId(disclosure_id), by=work.by, act=Act.SEE_MEDICATION)
    )


@reading("/clients/{client_id:uuid}/disclosures", act=Act.SEE_CONSENT, name="list_disclosures")
async def list_disclosures(
    client_id: FromPath[UUID], work: TheWork, after: After = None, limit: Limit = USUAL
) -> Page[DisclosureLineOut]:
    """A client's account of disclosures: when, to whom, what kind of information and for what, the last first."""
    client = await client_within(work, client_id, Act.SEE_CONSENT)
    found = await _kept(work).disclosures_of(client.id, by=work.by, act=Act.SEE_CONSENT, after=after, limit=limit)
    items = [DisclosureLineOut.of(each) for each in found]
    return Page(items=items, next=items[-1].id if len(items) == limit else None)


def _kept(work: Work) -> Disclosures:
    return Disclosures(work.connection, work.journal, now=work.now)
