"""What follows the end of a history: the worklist, and what somebody found out."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar.params import FromPath, JSONBody

from caseload.api.amounts import written
from caseload.api.pages import USUAL, After, Limit, Page
from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork, client_within
from caseload.db.history import Verifications
from caseload.db.idempotency import Kept
from caseload.db.programme import Programmes
from caseload.domain.access import Act
from caseload.domain.history import verifying as domain
from caseload.domain.history.verifying import Finding, ToVerify, Verification
from caseload.domain.ids import ClientId, new_id
from caseload.domain.medicines import Medicine
from caseload.request.idempotency import once


class ToVerifyOut(Wire, frozen=True, kw_only=True):
    """A client of whom nothing is known since their history ended."""

    client_id: UUID
    programme_id: UUID
    given_name: str
    family_name: str
    source: str
    last_dose_on: date | None
    last_medicine: Medicine | None
    last_amounts_mg: list[str]
    """Of every dose of that day; two where nobody has decided whether the second corrects the first."""
    last_day_covered: date
    because: str
    clears: str

    @classmethod
    def of(cls, waiting: ToVerify) -> "ToVerifyOut":
        """From the domain."""
        return cls(
            client_id=waiting.client,
            programme_id=waiting.programme,
            given_name=waiting.given_name,
            family_name=waiting.family_name,
            source=waiting.source,
            last_dose_on=waiting.last_dose_on,
            last_medicine=waiting.last_medicine,
            last_amounts_mg=[written(amount) for amount in waiting.last_amounts_mg],
            last_day_covered=waiting.last_day_covered,
            because=waiting.because,
            clears=waiting.clears,
        )


class VerificationIn(Wire, frozen=True, kw_only=True):
    """What you found out about the days after a history ends."""

    finding: Finding
    note: Annotated[str, msgspec.Meta(description="Whom you asked and what they said.")]
    until: date | None = None
    """The last day that it speaks of; today when left out."""


class VerificationOut(Wire, frozen=True, kw_only=True):
    """What somebody found out about the days after a history ends."""

    id: UUID
    client_id: UUID
    until: date
    finding: Finding
    note: str
    verified_by: UUID
    recorded_at: datetime

    @classmethod
    def of(cls, verification: Verification) -> "VerificationOut":
        """From the domain."""
        return cls(
            id=verification.id,
            client_id=verification.client,
            until=verification.until,
            finding=verification.finding,
            note=verification.note,
            verified_by=verification.verified_by,
            recorded_at=verification.recorded_at,
        )


@reading("/histories-to-verify", act=Act.VERIFY_HISTORY, name="list_histories_to_verify", problems=())
async def list_histories_to_verify(work: TheWork, after: After = None, limit: Limit = USUAL) -> Page[ToVerifyOut]:
    """Clients of whom nothing is known since their history ended, in the order of registration."""
    verifications = Verifications(work.connection, work.journal, now=work.now)
    found = await verifications.to_verify(by=work.by, after=None if after is None else ClientId(after), limit=limit)
    items = [ToVerifyOut.of(each) for each in found]
    return Page(items=items, next=items[-1].client_id if len(items) == limit else None)


@writing("/clients/{client_id:uuid}/history-verifications", act=Act.VERIFY_HISTORY, name="verify_history")
async def verify_history(
    client_id: FromPath[UUID], data: JSONBody[VerificationIn], work: TheWork, key: TheKey
) -> VerificationOut:
    """Record what you found out about the days after a client's history ends; it takes them off the worklist."""
    client = await client_within(work, client_id, Act.VERIFY_HISTORY)
    today = (await Programmes(work.connection).get(client.programme)).today(work.now)
    verifications = Verifications(work.connection, work.journal, now=work.now)
    new = new_id()

    async def verify() -> Verification:
        return await domain.verify(
            client.id,
            data.finding,
            data.note,
            as_id=new,
            until=data.until or today,
            today=today,
            by=work.by,
            now=work.now,
            verifications=verifications,
            journal=work.journal,
        )

    async def again(kept: Kept) -> Verification:
        return await verifications.get(kept.resource, of=client.id)

    return VerificationOut.of(await once(work, key, Kept(status=201, resource=new), do=verify, again=again))
