"""The last-dose statement for another provider."""

from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.consent.wire import CheckWire, RecipientWire
from caseload.api.disclosure.wire import DisclosureOut
from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork, client_within
from caseload.db.consent import Consents
from caseload.db.dosing import HandingOn
from caseload.db.family import Families
from caseload.db.idempotency import Kept
from caseload.db.programme import Programmes
from caseload.domain.access import Act
from caseload.domain.consent import Purpose
from caseload.domain.disclosure import Disclosure, Telling
from caseload.domain.dosing import hand_on_last_dose
from caseload.domain.ids import DisclosureId, new_id
from caseload.request.idempotency import once
from caseload.request.work import Work


class LastDoseIn(Wire, frozen=True, kw_only=True):
    """Whom you tell of the last dose, for what, and what allows it."""

    recipient: RecipientWire
    """As a consent names them."""
    name: str
    """Who receives it, by name and function."""
    purpose: Purpose
    facility: str | None = None
    """Where they work; in an emergency it can be filled in afterwards."""
    check: CheckWire | None = None
    """How you made sure who it is. Without it nothing is told but in an emergency."""
    emergency: str | None = None
    """The nature of a medical emergency, where that is what allows it (42 CFR 2.51)."""


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
                check=None if data.check is None else data.check.read(),
            ),
            client,
            programme,
            as_id=new,
            by=work.by,
            now=work.now,
            disclosures=_kept(work),
            consents=Consents(work.connection, work.journal),
            families=Families(work.connection, work.journal),
            journal=work.journal,
        )

    async def again(kept: Kept) -> Disclosure:
        return await _kept(work).disclosure(DisclosureId(kept.resource), by=work.by, act=Act.RECORD_DOSE)

    return DisclosureOut.seen(
        await once(work, key, Kept(status=201, resource=new), do=disclose, again=again), by=work.by
    )


@reading("/last-dose-statements/{disclosure_id:uuid}", act=Act.SEE_MEDICATION, name="read_last_dose_statement")
async def read_last_dose_statement(disclosure_id: FromPath[UUID], work: TheWork) -> DisclosureOut:
    """What was told, as it was told, with the notice that goes with it."""
    made = await _kept(work).disclosure(DisclosureId(disclosure_id), by=work.by, act=Act.SEE_MEDICATION)
    return DisclosureOut.seen(made, by=work.by)


def _kept(work: Work) -> HandingOn:
    return HandingOn(work.connection, work.journal, now=work.now)
