"""Doses at the window and afterwards, doses not given, and what was recorded of them."""

from uuid import UUID

from litestar import Response
from litestar.params import FromPath, JSONBody

from caseload.api.amounts import milligrams
from caseload.api.dosing.store import charts
from caseload.api.dosing.wire import DoseIn, DoseOut, NotGivenIn, NotGivenOut, VersionsOut, versioned
from caseload.api.route import reading, writing
from caseload.api.work import TheKey, TheWork
from caseload.db.idempotency import Kept
from caseload.domain import dosing as domain
from caseload.domain.access import Act
from caseload.domain.dosing import Charted, Giving, Late, Missing, NotGiven
from caseload.domain.ids import ClientId, DoseId, OrderId, StaffId, StationId, new_id
from caseload.request.idempotency import KeyMissing, once


@writing("/clients/{client_id:uuid}/doses", act=Act.RECORD_DOSE, name="record_dose")
async def record_dose(
    client_id: FromPath[UUID], data: JSONBody[DoseIn], work: TheWork, key: TheKey
) -> Response[DoseOut]:
    """Record a dose as it is given, or with `late` one that has been given; `Idempotency-Key` is mandatory.

    What is about to be given is refused with every rule that stands in the way. What has been given is always
    recorded; if it broke a rule it is an exception that names it and holds the next dose.
    """
    if key is None:
        raise KeyMissing
    store, new = charts(work), DoseId(new_id())
    giving = Giving(
        client=ClientId(client_id),
        order=OrderId(data.order_id) if data.order_id is not None else None,
        medicine=data.medicine,
        form=data.form,
        amount_mg=milligrams(data.amount_mg),
        part=data.part,
        given_at=data.given_at or work.now,
        supervised=data.supervised,
        less_reason=data.less_reason,
        amount_ml=milligrams(data.amount_ml) if data.amount_ml is not None else None,
        station=StationId(data.station_id) if data.station_id is not None else None,
        injecting=data.injection.read() if data.injection is not None else None,
        identified_by=data.identified_by,
    )

    async def record() -> Charted:
        if data.late is None:
            dose = await domain.give(giving, as_id=new, by=work.by, now=work.now, doses=store, journal=work.journal)
        else:
            given_by = StaffId(data.late.given_by) if data.late.given_by is not None else None
            dose = await domain.record_late(
                giving,
                Late(reason=data.late.reason, given_by=given_by),
                as_id=new,
                by=work.by,
                now=work.now,
                doses=store,
                journal=work.journal,
            )
        return Charted(dose=dose, identified_by=data.identified_by)

    async def again(kept: Kept) -> Charted:
        versions = await store.versions(DoseId(kept.resource), by=work.by, act=Act.RECORD_DOSE)
        return versions[-1].as_recorded()

    return versioned(await once(work, key, Kept(status=201, resource=new, version=1), do=record, again=again))


@writing("/clients/{client_id:uuid}/doses-not-given", act=Act.RECORD_DOSE, name="record_not_given")
async def record_not_given(
    client_id: FromPath[UUID], data: JSONBody[NotGivenIn], work: TheWork, key: TheKey
) -> NotGivenOut:
    """Record that a dose of today is not given, and why."""
    store, new = charts(work), DoseId(new_id())

    async def record() -> NotGiven:
        missing = Missing(
            client=ClientId(client_id),
            order=OrderId(data.order_id) if data.order_id is not None else None,
            part=data.part,
            reason=data.reason,
            note=data.note,
        )
        return await domain.record_not_given(
            missing, as_id=new, by=work.by, now=work.now, doses=store, journal=work.journal
        )

    async def again(kept: Kept) -> NotGiven:
        return await store.not_given(DoseId(kept.resource), by=work.by, act=Act.RECORD_DOSE)

    return NotGivenOut.of(await once(work, key, Kept(status=201, resource=new), do=record, again=again))


@reading("/doses/{dose_id:uuid}", act=Act.SEE_MEDICATION, name="read_dose")
async def read_dose(dose_id: FromPath[UUID], work: TheWork) -> Response[DoseOut]:
    """The newest version of a dose, and where its second look stands."""
    versions = await charts(work).versions(DoseId(dose_id), by=work.by, act=Act.SEE_MEDICATION)
    return versioned(versions[0], 200)


@reading("/doses/{dose_id:uuid}/versions", act=Act.SEE_MEDICATION, name="list_dose_versions")
async def list_dose_versions(dose_id: FromPath[UUID], work: TheWork) -> VersionsOut:
    """Every version of a dose, newest first, each with the look at it."""
    versions = await charts(work).versions(DoseId(dose_id), by=work.by, act=Act.SEE_MEDICATION)
    return VersionsOut(items=[DoseOut.of(each) for each in versions])
