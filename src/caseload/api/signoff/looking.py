"""The second look: signatures under doses as displayed, and what is sent back."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar.params import FromPath, JSONBody

from caseload.api.dosing.store import charts
from caseload.api.problems import title_of, type_of
from caseload.api.proving import ProvedIn
from caseload.api.route import writing
from caseload.api.wire import Wire
from caseload.api.work import IfMatch, TheKey, TheWork, nothing_more, require_version
from caseload.db.idempotency import Kept
from caseload.db.signoff import SignOffs
from caseload.domain import signoff as domain
from caseload.domain.access import Act
from caseload.domain.errors import Faults
from caseload.domain.ids import DoseId
from caseload.domain.signature import Meaning
from caseload.domain.signoff import SignedOff
from caseload.request.idempotency import once
from caseload.request.sign_in import prove
from caseload.request.work import Work


class VersionIn(Wire, frozen=True, kw_only=True):
    """A dose in the version that was displayed."""

    dose_id: UUID
    version: Annotated[int, msgspec.Meta(ge=1, le=32767)]


class SignOffIn(ProvedIn, frozen=True, kw_only=True):
    """Doses to sign for together, and your password once more."""

    doses: tuple[VersionIn, ...]
    meaning: Meaning = Meaning.REVIEWED

    def versions(self) -> dict[DoseId, int]:
        """By dose; raises `Invalid` where one is named twice, of whose versions only one was displayed."""
        found: dict[DoseId, int] = {}
        faults = Faults()
        for place, each in enumerate(self.doses):
            faults.check(when=each.dose_id in found, where=f"doses.{place}.dose_id", problem="name each dose once")
            found[DoseId(each.dose_id)] = each.version
        faults.raise_if_any()
        return found


class SignatureOut(Wire, frozen=True, kw_only=True):
    """A signature as it must be shown: printed name, time and meaning (21 CFR 11.50)."""

    id: UUID
    dose_id: UUID
    version: int
    printed_name: str
    signed_at: datetime
    meaning: Meaning
    digest: str
    """SHA-256 of the exact bytes that were signed, in hexadecimal."""


class NotSignedOut(Wire, frozen=True, kw_only=True):
    """A dose that was not signed, and why."""

    dose_id: UUID
    type: str
    title: str
    detail: str


class SignOffOut(Wire, frozen=True, kw_only=True):
    """What became of the doses: each signed by a signature of its own, or refused by name."""

    signed: list[SignatureOut]
    refused: list[NotSignedOut]


class RejectionIn(Wire, frozen=True, kw_only=True):
    """Why the record of a dose goes back to its recorder."""

    reason: str


def _store(work: Work) -> SignOffs:
    return SignOffs(work.connection, work.journal, now=work.now)


@writing("/dose-sign-offs", act=Act.SIGN_OFF_DOSE, name="sign_off_doses", problems=(404, 429))
async def sign_off_doses(data: JSONBody[SignOffIn], work: TheWork, key: TheKey) -> SignOffOut:
    """Sign for doses as they were displayed, with the password proved again.

    Never for a dose that you gave, recorded or amended. What has changed meanwhile is refused by name and the rest
    is signed; a single dose that cannot be signed is a problem of its own. A dose that broke a rule is signed by itself,
    and so is every order and decision, each on its own route with its facts.
    """
    versions = data.versions()
    proof = await prove(work, data.evidence())

    async def sign() -> SignedOff:
        outcome = await domain.sign_off(
            versions,
            by=work.by,
            proof=proof,
            meaning=data.meaning,
            now=work.now,
            sign_offs=_store(work),
            journal=work.journal,
        )
        if len(versions) == 1 and outcome.refused:
            raise next(iter(outcome.refused.values()))
        return outcome

    async def again(_: Kept) -> SignedOff:
        return await domain.signed_before(versions, by=work.by, sign_offs=_store(work))

    outcome = await once(work, key, Kept(status=201, resource=work.circumstances.request), do=sign, again=again)
    return SignOffOut(
        signed=[
            SignatureOut(
                id=made.id,
                dose_id=dose,
                version=made.subject_version,
                printed_name=made.statement.printed_name,
                signed_at=made.statement.signed_at,
                meaning=made.statement.meaning,
                digest=made.digest.hex(),
            )
            for dose, made in outcome.signed.items()
        ],
        refused=[
            NotSignedOut(
                dose_id=dose, type=type_of(type(error).__name__), title=title_of(type(error)), detail=error.detail
            )
            for dose, error in outcome.refused.items()
        ],
    )


@writing(
    "/doses/{dose_id:uuid}/rejection",
    act=Act.SIGN_OFF_DOSE,
    name="reject_dose",
    status=204,
    problems=(404, 412, 428),
)
async def reject_dose(
    dose_id: FromPath[UUID], data: JSONBody[RejectionIn], work: TheWork, key: TheKey, if_match: IfMatch = None
) -> None:
    """Send a version of a dose back to its recorder; only an amendment makes it ready to sign again."""
    wanted = DoseId(dose_id)

    async def reject() -> None:
        seen = await charts(work).dose(wanted, by=work.by, act=Act.SIGN_OFF_DOSE)
        require_version(if_match, seen.version)
        await domain.reject(
            wanted,
            seen.version,
            data.reason,
            by=work.by,
            now=work.now,
            sign_offs=_store(work),
            journal=work.journal,
        )

    await once(work, key, Kept(status=204, resource=wanted), do=reject, again=nothing_more)
