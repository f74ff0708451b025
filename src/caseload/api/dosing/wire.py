"""Doses on the wire: given, not given, amended and corrected."""

from datetime import date, datetime
from uuid import UUID

from litestar import Response

from caseload.api.amounts import Milligrams, Millilitres, written
from caseload.api.proving import ProvedIn
from caseload.api.wire import Instant, Wire
from caseload.api.work import etag
from caseload.domain.dosing import Charted, DoseStanding, Entry, Injecting, Kind, NotGiven, NotGivenReason, Site
from caseload.domain.dosing.giver import GiverStanding
from caseload.domain.ids import DeliveryId
from caseload.domain.medicines import DosePart, Form, Medicine
from caseload.domain.profiles.around import IdentifiedBy
from caseload.domain.signature import Meaning


class LateIn(Wire, frozen=True, kw_only=True):
    """Why a dose is recorded only now."""

    reason: str
    given_by: UUID | None = None
    """The colleague who gave it, when it was not you (a downtime sheet typed in)."""


class InjectionIn(Wire, frozen=True, kw_only=True):
    """Where an injection is given, and what a pharmacy delivered for this client by name, where it is that."""

    site: Site | None = None
    same_site_reason: str | None = None
    """Why it is the site of the last one."""
    delivery_id: UUID | None = None

    def read(self) -> Injecting:
        """To the domain."""
        return Injecting(
            site=self.site,
            same_site_reason=self.same_site_reason,
            delivery=DeliveryId(self.delivery_id) if self.delivery_id is not None else None,
        )


class DoseIn(Wire, frozen=True, kw_only=True):
    """A dose: about to be given and refused when a rule stands in the way, or, with `late`, given already."""

    order_id: UUID | None
    """The order that was displayed. Null only for what was given without any order, with `late`."""
    medicine: Medicine
    form: Form
    amount_mg: Milligrams
    amount_ml: Millilitres | None = None
    """What was measured of a liquid: refused unless it is the milligrams, by the order's concentration."""
    part: DosePart = DosePart.WHOLE
    given_at: Instant | None = None
    """When it is or was given; now when left out."""
    supervised: bool = True
    less_reason: str | None = None
    """Why less is given than is due."""
    station_id: UUID | None = None
    """Where it is given: the dose takes from what this station uses. May be left out where only one is in use."""
    injection: InjectionIn | None = None
    """Of an injection: where it is given. Needed for what is about to be given."""
    identified_by: IdentifiedBy | None = None
    """How you made sure who it is; the programme's profile says which checks count, and whether one must be made."""
    late: LateIn | None = None


class AmendmentIn(Wire, frozen=True, kw_only=True):
    """What was in fact given. The client, the day and its part stay."""

    medicine: Medicine
    form: Form
    amount_mg: Milligrams
    given_at: Instant
    supervised: bool
    reason: str


class CorrectionIn(ProvedIn, frozen=True, kw_only=True):
    """A recorded dose was in fact not given: the reason, and your password once more."""

    reason: str


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


class VomitedAfterOut(Wire, frozen=True, kw_only=True):
    """A dose came back."""

    minutes_after: int
    witnessed: bool


class GiverOut(Wire, frozen=True, kw_only=True):
    """What whoever is named as the giver says of what somebody else entered."""

    standing: GiverStanding
    """Waits, confirmed or disputed; closed by somebody else where the giver cannot be asked any more."""
    said_at: datetime | None
    said_by: UUID | None
    """The giver; of a closed one whoever closed it."""
    reason: str | None
    """Of a disputed one what was not so; of a closed one what was found."""

    @classmethod
    def of(cls, charted: Charted) -> "GiverOut | None":
        """From the domain."""
        standing, said = charted.giver_standing, charted.giver
        if standing is None:
            return None
        if said is None:
            return cls(standing=standing, said_at=None, said_by=None, reason=None)
        return cls(standing=standing, said_at=said.at, said_by=said.by, reason=said.reason)


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
    amount_ml: str | None
    """Of a liquid, by the concentration of its order."""
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
    identified_by: IdentifiedBy | None
    """How whoever gave it made sure who it was."""
    vomited: VomitedAfterOut | None
    """Whether it came back; it stays as it was given."""
    replaces_dose_id: UUID | None
    """The dose in whose place it was given."""
    giver: GiverOut | None
    """The word of the named giver; null where whoever gave it entered it too, or nobody here gave it."""

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
            amount_ml=written(dose.amount_ml) if dose.amount_ml is not None else None,
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
            identified_by=charted.identified_by,
            vomited=None
            if charted.vomited is None
            else VomitedAfterOut(minutes_after=charted.vomited.minutes, witnessed=charted.vomited.witnessed),
            replaces_dose_id=charted.replaces,
            giver=GiverOut.of(charted),
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


def versioned(charted: Charted, status: int = 201) -> Response[DoseOut]:
    """A version of a dose, named by its ETag."""
    return Response(DoseOut.of(charted), status_code=status, headers={"etag": etag(charted.dose.version)})
