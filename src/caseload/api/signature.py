"""Signatures as they must be shown: printed name, time and meaning (21 CFR 11.50), with all it takes to verify them."""

from base64 import b64encode
from datetime import datetime
from uuid import UUID

from litestar import Router
from litestar.params import FromPath

from caseload.api.departure.store import departures
from caseload.api.dosing.store import charts
from caseload.api.route import reading
from caseload.api.stock.containers import acts
from caseload.api.takehome.store import take_homes
from caseload.api.window.store import lost_doses
from caseload.api.wire import Wire
from caseload.api.work import TheWork
from caseload.db.signature import signatures_under
from caseload.domain.access import Act, Role
from caseload.domain.ids import (
    CountId,
    DecisionId,
    DepartureId,
    DoseId,
    HoldId,
    OrderId,
    ReplacementId,
    SpillId,
    TakeHomeDecisionId,
    WasteId,
)
from caseload.domain.signature import Meaning, Signature, Subject
from caseload.request.work import Work


class SignatureShownOut(Wire, frozen=True, kw_only=True):
    """One signature, with the exact text that was signed and the service's seal over it."""

    id: UUID
    kind: Subject
    """What was signed."""
    record_id: UUID
    version: int
    printed_name: str
    role: Role
    registration: str | None
    """Of clinicians; null for counsellors and supervisors, who sign notes."""
    signed_at: datetime
    meaning: Meaning
    proved_by: list[str]
    """How the signer had proved themselves in the act."""
    signed: str
    """The exact text that was signed: canonical JSON with this statement and the content of the version."""
    digest: str
    """SHA-256 of that text in UTF-8, in hexadecimal."""
    seal: str | None
    """Ed25519 over that text in UTF-8, in base 64; null only for what was signed before there were seals."""
    seal_key: int | None
    """Which of the keys that `caseload signatures keys` prints made it."""

    @classmethod
    def of(cls, made: Signature) -> "SignatureShownOut":
        """From the domain."""
        said, seal = made.statement, made.seal
        return cls(
            id=made.id,
            kind=made.subject,
            record_id=made.subject_id,
            version=made.subject_version,
            printed_name=said.printed_name,
            role=said.role,
            registration=said.registration,
            signed_at=said.signed_at,
            meaning=said.meaning,
            proved_by=list(said.methods),
            signed=made.signed_bytes.decode(),
            digest=made.digest.hex(),
            seal=None if seal is None else b64encode(seal.value).decode(),
            seal_key=None if seal is None else seal.key,
        )


class SignaturesOut(Wire, frozen=True, kw_only=True):
    """Every signature under a record, the first made first."""

    items: list[SignatureShownOut]


@reading("/orders/{order_id:uuid}/signatures", act=Act.SEE_MEDICATION, name="list_order_signatures")
async def list_order_signatures(order_id: FromPath[UUID], work: TheWork) -> SignaturesOut:
    """Who signed an order, and who stopped it."""
    order = await charts(work).order(OrderId(order_id), by=work.by, act=Act.SEE_MEDICATION)
    return await _under(work, order.id)


@reading("/decisions/{decision_id:uuid}/signatures", act=Act.SEE_MEDICATION, name="list_decision_signatures")
async def list_decision_signatures(decision_id: FromPath[UUID], work: TheWork) -> SignaturesOut:
    """Who signed a decision on a hold or on missed doses."""
    decision = await charts(work).decision(DecisionId(decision_id), by=work.by, act=Act.SEE_MEDICATION)
    return await _under(work, decision.id)


@reading("/holds/{hold_id:uuid}/signatures", act=Act.SEE_MEDICATION, name="list_hold_signatures")
async def list_hold_signatures(hold_id: FromPath[UUID], work: TheWork) -> SignaturesOut:
    """Who signed the decision that cleared a hold; nobody while it is in force."""
    hold = await charts(work).hold(HoldId(hold_id), by=work.by, act=Act.SEE_MEDICATION)
    return await _under(work, *([] if hold.cleared_by is None else [hold.cleared_by]))


@reading("/doses/{dose_id:uuid}/signatures", act=Act.SEE_MEDICATION, name="list_dose_signatures")
async def list_dose_signatures(dose_id: FromPath[UUID], work: TheWork) -> SignaturesOut:
    """Who signed for each version of a dose, and who signed that it was in fact not given."""
    newest = (await charts(work).versions(DoseId(dose_id), by=work.by, act=Act.SEE_MEDICATION))[0]
    corrected = [] if newest.correction is None else [newest.correction.id]
    return await _under(work, newest.dose.id, *corrected)


@reading(
    "/replacement-decisions/{decision_id:uuid}/signatures",
    act=Act.SEE_MEDICATION,
    name="list_replacement_decision_signatures",
)
async def list_replacement_decision_signatures(decision_id: FromPath[UUID], work: TheWork) -> SignaturesOut:
    """Who decided whether a dose that was vomited or spilled is replaced."""
    wanted = ReplacementId(decision_id)
    return await _under(work, (await lost_doses(work).replacement(wanted, by=work.by, act=Act.SEE_MEDICATION)).id)


@reading("/spills/{spill_id:uuid}/signatures", act=Act.SEE_MEDICATION, name="list_spill_signatures")
async def list_spill_signatures(spill_id: FromPath[UUID], work: TheWork) -> SignaturesOut:
    """Who witnessed that medicine meant for a client was spilled."""
    return await _under(work, (await lost_doses(work).spill(SpillId(spill_id), by=work.by, act=Act.SEE_MEDICATION)).id)


@reading(
    "/take-home-decisions/{decision_id:uuid}/signatures",
    act=Act.SEE_MEDICATION,
    name="list_take_home_decision_signatures",
)
async def list_take_home_decision_signatures(decision_id: FromPath[UUID], work: TheWork) -> SignaturesOut:
    """Who signed a take-home decision, and who suspended it; nobody signs a suspension that the profile's rule made."""
    wanted = TakeHomeDecisionId(decision_id)
    decision = await take_homes(work).take_home_decision(wanted, by=work.by, act=Act.SEE_MEDICATION)
    suspended = [] if decision.suspension is None else [decision.suspension.id]
    return await _under(work, decision.id, *suspended)


@reading("/discharges/{discharge_id:uuid}/signatures", act=Act.DISCHARGE, name="list_discharge_signatures")
async def list_discharge_signatures(discharge_id: FromPath[UUID], work: TheWork) -> SignaturesOut:
    """Who decided what becomes of the medicine of a client who leaves; nobody while it waits or was taken back."""
    return await _under(
        work, (await departures(work).asked(DepartureId(discharge_id), by=work.by, act=Act.DISCHARGE)).id
    )


@reading("/stock-wastes/{waste_id:uuid}/signatures", act=Act.SEE_STOCK, name="list_waste_signatures")
async def list_waste_signatures(waste_id: FromPath[UUID], work: TheWork) -> SignaturesOut:
    """Who witnessed that medicine is gone."""
    return await _under(work, (await acts(work).waste(WasteId(waste_id), by=work.by, act=Act.SEE_STOCK)).id)


@reading("/stock-counts/{count_id:uuid}/signatures", act=Act.SEE_STOCK, name="list_count_signatures")
async def list_count_signatures(count_id: FromPath[UUID], work: TheWork) -> SignaturesOut:
    """The two people who counted."""
    return await _under(work, (await acts(work).count(CountId(count_id), by=work.by, act=Act.SEE_STOCK)).id)


async def _under(work: Work, *records: UUID) -> SignaturesOut:
    found = await signatures_under(work.connection, records)
    return SignaturesOut(items=[SignatureShownOut.of(each) for each in found])


router = Router(
    "/",
    route_handlers=[
        list_order_signatures,
        list_decision_signatures,
        list_hold_signatures,
        list_dose_signatures,
        list_replacement_decision_signatures,
        list_spill_signatures,
        list_take_home_decision_signatures,
        list_discharge_signatures,
        list_waste_signatures,
        list_count_signatures,
    ],
    tags=["Sign-off"],
)
