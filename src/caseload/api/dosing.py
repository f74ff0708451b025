"""Dosing: what is due, doses at the window and afterwards, doses not given, amendments and corrections."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, Router
from litestar.params import FromPath, JSONBody, QueryParameter

from caseload.api.amounts import Milligrams, milligrams, written
from caseload.api.route import reading, writing
from caseload.api.wire import Instant, Wire
from caseload.api.work import IfMatch, TheKey, TheWork, etag, require_version
from caseload.db.dosing import Charts, DueTo
from caseload.db.idempotency import Kept
from caseload.db.programme import Programmes
from caseload.domain import dosing as domain
from caseload.domain.access import Act
from caseload.domain.dosing import (
    Amendment,
    Charted,
    DoseStanding,
    Due,
    Entry,
    Giving,
    Kind,
    Late,
    Missing,
    NotGiven,
    NotGivenReason,
    Refusal,
    Rule,
)
from caseload.domain.ids import ClientId, CorrectionId, DoseId, OrderId, ProgrammeId, StaffId, new_id
from caseload.domain.medicines import DosePart, Form, Medicine
from caseload.domain.people import Evidence
from caseload.domain.signature import Meaning
from caseload.request.idempotency import KeyMissing, once
from caseload.request.sign_in import prove
from caseload.request.work import Work


class LateIn(Wire, frozen=True, kw_only=True):
    """Why a dose is recorded only now."""

    reason: str
    given_by: UUID | None = None
    """The colleague who gave it, when it was not you (a downtime sheet typed in)."""


class DoseIn(Wire, frozen=True, kw_only=True):
    """A dose: about to be given and refused when a rule stands in the way, or, with `late`, given already."""

    order_id: UUID | None
    """The order that was displayed. Null only for what was given without any order, with `late`."""
    medicine: Medicine
    form: Form
    amount_mg: Milligrams
    part: DosePart = DosePart.WHOLE
    given_at: Instant | None = None
    """When it is or was given; now when left out."""
    supervised: bool = True
    less_reason: str | None = None
    """Why less is given than is due."""
    late: LateIn | None = None


class AmendmentIn(Wire, frozen=True, kw_only=True):
    """What was in fact given. The client, the day and its part stay."""

    medicine: Medicine
    form: Form
    amount_mg: Milligrams
    given_at: Instant
    supervised: bool
    reason: str


class CorrectionIn(Wire, frozen=True, kw_only=True):
    """A recorded dose was in fact not given: the reason, and your password once more."""

    reason: str
    password: str


class NotGivenIn(Wire, frozen=True, kw_only=True):
    """A dose of today that is not given."""

    order_id: UUID | None = None
    part: DosePart = DosePart.WHOLE
    reason: NotGivenReason
    note: str = ""


class ReviewedOut(Wire, frozen=True, kw_only=True):
    """A second clinician's look at this version: their printed name, the time and the meaning, or why it went back."""

    by: UUID
    printed_name: str
    at: datetime
    meaning: Meaning | None
    reason: str | None


class DoseOut(Wire, frozen=True, kw_only=True):
    """A version of the record of a dose."""

    id: UUID
    version: int
    client_id: UUID
    programme_id: UUID
    order_id: UUID | None
    dosing_day: date
    part: DosePart
    medicine: Medicine
    form: Form
    amount_mg: str
    supervised: bool | None
    given_at: datetime | None
    given_by: UUID | None
    """Null for a brought-in dose: nobody here gave it."""
    recorded_at: datetime
    recorded_by: UUID
    kind: Kind
    entry: Entry
    late_reason: str | None
    less_reason: str | None
    rules: list[str]
    """The rules that an exception broke."""
    profile: str
    """The profile and version by which it was judged."""
    decision_id: UUID | None
    amended_at: datetime | None
    amended_by: UUID | None
    amendment_reason: str | None
    standing: DoseStanding
    reviewed: ReviewedOut | None

    @classmethod
    def of(cls, charted: Charted) -> "DoseOut":
        """From the domain."""
        dose, reviewed = charted.dose, charted.reviewed
        return cls(
            id=dose.id,
            version=dose.version,
            client_id=dose.client,
            programme_id=dose.programme,
            order_id=dose.order,
            dosing_day=dose.dosing_day,
            part=dose.part,
            medicine=dose.medicine,
            form=dose.form,
            amount_mg=written(dose.amount_mg),
            supervised=dose.supervised,
            given_at=dose.given_at,
            given_by=dose.given_by,
            recorded_at=dose.recorded_at,
            recorded_by=dose.recorded_by,
            kind=dose.kind,
            entry=dose.entry,
            late_reason=dose.late_reason,
            less_reason=dose.less_reason,
            rules=list(dose.rules),
            profile=dose.profile_label,
            decision_id=dose.decision,
            amended_at=dose.amended_at,
            amended_by=dose.amended_by,
            amendment_reason=dose.amendment_reason,
            standing=charted.standing,
            reviewed=None
            if reviewed is None
            else ReviewedOut(
                by=reviewed.by,
                printed_name=reviewed.printed_name,
                at=reviewed.at,
                meaning=reviewed.meaning,
                reason=reviewed.reason,
            ),
        )


class VersionsOut(Wire, frozen=True, kw_only=True):
    """Every version of a dose, newest first: nothing is ever overwritten."""

    items: list[DoseOut]


class NotGivenOut(Wire, frozen=True, kw_only=True):
    """A dose that was not given."""

    id: UUID
    client_id: UUID
    order_id: UUID | None
    dosing_day: date
    part: DosePart
    reason: NotGivenReason
    note: str
    recorded_at: datetime
    recorded_by: UUID

    @classmethod
    def of(cls, not_given: NotGiven) -> "NotGivenOut":
        """From the domain."""
        return cls(
            id=not_given.id,
            client_id=not_given.client,
            order_id=not_given.order,
            dosing_day=not_given.dosing_day,
            part=not_given.part,
            reason=not_given.reason,
            note=not_given.note,
            recorded_at=not_given.recorded_at,
            recorded_by=not_given.recorded_by,
        )


class RefusalOut(Wire, frozen=True, kw_only=True):
    """A rule that stands in the way, in words that tell what to do, with what it rests on."""

    rule: Rule
    says: str
    policy: str
    """The profile's own name of the rule and the profile's version, where the profile decides."""
    facts: dict[str, Any]

    @classmethod
    def of(cls, refusal: Refusal) -> "RefusalOut":
        """From the domain."""
        return cls(rule=refusal.rule, says=refusal.says, policy=refusal.policy, facts=refusal.facts)


class GivenOut(Wire, frozen=True, kw_only=True):
    """Who gave a part of the day, and when."""

    dose_id: UUID
    given_at: datetime | None
    given_by: str | None
    """The printed name of the colleague; null where a brought-in history tells of it."""
    source: str | None
    """The record that tells of a brought-in dose."""


class DuePartOut(Wire, frozen=True, kw_only=True):
    """A part of the day that is due or has been given."""

    part: DosePart
    amount_mg: str
    given: GivenOut | None


class LastTakenOut(Wire, frozen=True, kw_only=True):
    """The last dose that was taken."""

    day: date
    at: datetime | None
    medicine: Medicine
    amount_mg: str


class DueOut(Wire, frozen=True, kw_only=True):
    """What is due on a dosing day, and what stands in the way of it."""

    day: date
    order_id: UUID | None
    """The order to name when the dose is recorded; null when nothing is due."""
    medicine: Medicine | None
    form: Form | None
    parts: list[DuePartOut]
    last_taken: LastTakenOut | None
    missed: int
    """Days since the last dose on which one was due and none was taken."""
    not_known: int
    """Days since brought-in history ends of which nobody knows."""
    in_the_way: list[RefusalOut]
    decision_id: UUID | None
    """The prescriber's decision that the next dose uses."""

    @classmethod
    def of(cls, due: Due) -> "DueOut":
        """From the domain."""
        last = due.without.last
        return cls(
            day=due.day,
            order_id=due.order.id if due.order is not None else None,
            medicine=due.order.medicine if due.order is not None else None,
            form=due.order.form if due.order is not None else None,
            parts=[
                DuePartOut(
                    part=each.part,
                    amount_mg=written(each.amount_mg),
                    given=None
                    if each.given is None
                    else GivenOut(
                        dose_id=each.given.dose,
                        given_at=each.given.given_at,
                        given_by=each.given.given_by,
                        source=each.given.source,
                    ),
                )
                for each in due.parts
            ],
            last_taken=None
            if last is None
            else LastTakenOut(day=last.day, at=last.at, medicine=last.medicine, amount_mg=written(last.amount_mg)),
            missed=len(due.without.missed),
            not_known=len(due.without.not_known),
            in_the_way=[RefusalOut.of(refusal) for refusal in due.in_the_way],
            decision_id=due.allowed.decision if due.allowed is not None else None,
        )


class DispensingLineOut(Wire, frozen=True, kw_only=True):
    """A client to whom something is due."""

    client_id: UUID
    given_name: str
    family_name: str
    birth_date: date
    due: DueOut

    @classmethod
    def of(cls, line: DueTo) -> "DispensingLineOut":
        """From the database."""
        return cls(
            client_id=line.client,
            given_name=line.given_name,
            family_name=line.family_name,
            birth_date=line.birth_date,
            due=DueOut.of(line.due),
        )


class DispensingListOut(Wire, frozen=True, kw_only=True):
    """Everybody to whom something is due on a day, by family name."""

    programme_id: UUID
    day: date
    items: list[DispensingLineOut]


Day = Annotated[
    date | None, QueryParameter(name="day", required=False, description="A local day; today when left out.")
]


def _store(work: Work) -> Charts:
    return Charts(work.connection, work.journal, now=work.now)


@reading("/programmes/{programme_id:uuid}/dispensing", act=Act.RECORD_DOSE, name="read_dispensing_list")
async def read_dispensing_list(programme_id: FromPath[UUID], work: TheWork, day: Day = None) -> DispensingListOut:
    """What is due to whom in a programme on a day, the last dose, and what stands in the way."""
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    work.by.require(Act.RECORD_DOSE, programme.id)
    today = programme.today(work.now)
    wanted = today if day is None else day
    domain.check_day(wanted, today)
    lines = await _store(work).due_in(programme.id, wanted, by=work.by, act=Act.RECORD_DOSE)
    return DispensingListOut(
        programme_id=programme.id, day=wanted, items=[DispensingLineOut.of(line) for line in lines]
    )


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
    store, new = _store(work), DoseId(new_id())
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
        return Charted(dose=dose)

    async def again(kept: Kept) -> Charted:
        versions = await store.versions(DoseId(kept.resource), by=work.by, act=Act.RECORD_DOSE)
        return Charted(dose=versions[-1].dose)

    return _versioned(await once(work, key, Kept(status=201, resource=new, version=1), do=record, again=again))


@writing("/clients/{client_id:uuid}/doses-not-given", act=Act.RECORD_DOSE, name="record_not_given")
async def record_not_given(
    client_id: FromPath[UUID], data: JSONBody[NotGivenIn], work: TheWork, key: TheKey
) -> NotGivenOut:
    """Record that a dose of today is not given, and why."""
    store, new = _store(work), DoseId(new_id())

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
    versions = await _store(work).versions(DoseId(dose_id), by=work.by, act=Act.SEE_MEDICATION)
    return _versioned(versions[0], 200)


@reading("/doses/{dose_id:uuid}/versions", act=Act.SEE_MEDICATION, name="list_dose_versions")
async def list_dose_versions(dose_id: FromPath[UUID], work: TheWork) -> VersionsOut:
    """Every version of a dose, newest first, each with the look at it."""
    versions = await _store(work).versions(DoseId(dose_id), by=work.by, act=Act.SEE_MEDICATION)
    return VersionsOut(items=[DoseOut.of(each) for each in versions])


@writing("/doses/{dose_id:uuid}/amendments", act=Act.RECORD_DOSE, name="amend_dose", problems=(404, 412, 428))
async def amend_dose(
    dose_id: FromPath[UUID], data: JSONBody[AmendmentIn], work: TheWork, key: TheKey, if_match: IfMatch = None
) -> Response[DoseOut]:
    """Record what was in fact given as a new version; it voids a signature and needs a new one."""
    store, wanted = _store(work), DoseId(dose_id)
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
        amended = await domain.amend(
            wanted, seen.version, amendment, by=work.by, now=work.now, doses=store, journal=work.journal
        )
        return Charted(dose=amended)

    async def again(kept: Kept) -> Charted:
        versions = await store.versions(DoseId(kept.resource), by=work.by, act=Act.RECORD_DOSE)
        return next(each for each in versions if each.dose.version == kept.version)

    kept = Kept(status=201, resource=wanted, version=seen.version + 1)
    return _versioned(await once(work, key, kept, do=amend, again=again))


@writing("/doses/{dose_id:uuid}/correction", act=Act.SIGN_OFF_DOSE, name="correct_dose", problems=(404, 412, 428, 429))
async def correct_dose(
    dose_id: FromPath[UUID], data: JSONBody[CorrectionIn], work: TheWork, key: TheKey, if_match: IfMatch = None
) -> Response[DoseOut]:
    """Sign that a recorded dose was in fact not given, which frees its part of the day.

    Only a clinician who neither gave nor recorded it may, with the password proved again.
    """
    proof = await prove(work, Evidence(password=data.password))
    store, wanted = _store(work), DoseId(dose_id)

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
    return _versioned(versions[0])


def _versioned(charted: Charted, status: int = 201) -> Response[DoseOut]:
    return Response(DoseOut.of(charted), status_code=status, headers={"etag": etag(charted.dose.version)})


router = Router(
    "/",
    route_handlers=[
        read_dispensing_list,
        record_dose,
        record_not_given,
        read_dose,
        list_dose_versions,
        amend_dose,
        correct_dose,
    ],
    tags=["Dosing"],
)
