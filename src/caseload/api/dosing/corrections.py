"""What puts a recorded dose right: an amendment, and the word that it was not given."""

from uuid import UUID

from litestar import Response
from litestar.params import FromPath, JSONBody

from caseload.api.amounts import milligrams
from caseload.api.dosing.store import charts
from caseload.api.dosing.wire import AmendmentIn, CorrectionIn, DoseOut, versioned
from caseload.api.route import writing
from caseload.api.work import IfMatch, TheKey, TheWork, require_version
from caseload.db.idempotency import Kept
from caseload.domain import dosing as domain
from caseload.domain.access import Act
from caseload.domain.dosing import Amendment, Charted
from caseload.domain.ids import CorrectionId, DoseId, new_id
from caseload.request.idempotency import once
from caseload.request.sign_in import prove


@writing("/doses/{dose_id:uuid}/amendments", act=Act.RECORD_DOSE, name="amend_dose", problems=(404, 412, 428))
async def amend_dose(
    dose_id: FromPath[UUID], data: JSONBody[AmendmentIn], work: TheWork, key: TheKey, if_match: IfMatch = None
) -> Response[DoseOut]:
    """Record what was in fact given as a new version; it voids a signature and needs a new one."""
    store, wanted = charts(work), DoseId(dose_id)
    seen = await store.dose(wanted, by=work.by, act=Act.RECORD_DOSE)

    async def amend() -> Charted:
        require_version(if_match, seen.version)
        amendment = Amendment(
            medicine=data.medicine,
            form=data.form,
            amount_mg=milligrams(data.amount_mg),
            given_at=data.given_at,
            supervised=data.supervised,
            reason=data.reason,
        )
        await domain.amend(wanted, seen.version, amendment, by=work.by, now=work.now, doses=store, journal=work.journal)
        return (await store.versions(wanted, by=work.by, act=Act.RECORD_DOSE))[0]

    async def again(kept: Kept) -> Charted:
        versions = await store.versions(DoseId(kept.resource), by=work.by, act=Act.RECORD_DOSE)
        return next(each for each in versions if each.dose.version == kept.version)

    kept = Kept(status=201, resource=wanted, version=seen.version + 1)
    return versioned(await once(work, key, kept, do=amend, again=again))


@writing("/doses/{dose_id:uuid}/correction", act=Act.SIGN_OFF_DOSE, name="correct_dose", problems=(404, 412, 428, 429))
async def correct_dose(
    dose_id: FromPath[UUID], data: JSONBody[CorrectionIn], work: TheWork, key: TheKey, if_match: IfMatch = None
) -> Response[DoseOut]:
    """Sign that a recorded dose was in fact not given, which frees its part of the day.

    Only a clinician who neither gave nor recorded it may, with the password proved again.
    """
    proof = await prove(work, data.evidence())
    store, wanted = charts(work), DoseId(dose_id)

    async def correct() -> None:
        seen = await store.dose(wanted, by=work.by, act=Act.SIGN_OFF_DOSE)
        require_version(if_match, seen.version)
        await domain.correct_as_not_given(
            wanted,
            seen.version,
            data.reason,
            as_id=CorrectionId(new_id()),
            by=work.by,
            proof=proof,
            now=work.now,
            doses=store,
            journal=work.journal,
        )

    async def again(_: Kept) -> None:
        """The answer is read below."""

    await once(work, key, Kept(status=201, resource=wanted), do=correct, again=again)
    versions = await store.versions(wanted, by=work.by, act=Act.SIGN_OFF_DOSE)
    return versioned(versions[0])
