"""What was handed out to take home, as it stands on the paper."""

from datetime import date
from uuid import UUID

from caseload.api.amounts import Milligrams, milligrams
from caseload.api.takehome.dispensing import IdentityIn
from caseload.api.wire import Instant, Wire
from caseload.domain.downtime.paper import TakenHomeOnPaper
from caseload.domain.ids import ContainerId, OrderId, StationId
from caseload.domain.medicines import DosePart
from caseload.domain.takehome import UnitHandedOut
from caseload.domain.takehome.collecting import Collecting


class UnitOnPaperIn(Wire, frozen=True, kw_only=True):
    """One unit that was handed out."""

    for_on: date
    amount_mg: Milligrams
    part: DosePart = DosePart.WHOLE
    order_id: UUID | None = None
    """The order that the paper names, where none was in force on that day."""


class TakenHomeOnPaperIn(Wire, frozen=True, kw_only=True):
    """Units that were handed out together to take home."""

    dispensed_at: Instant
    units: tuple[UnitOnPaperIn, ...]
    educated: bool = False
    education_note: str = ""
    collected_by: str | None = None
    """Who collected it, when it was not the client."""
    collected_by_client: bool = False
    collector_address: str | None = None
    """Of the healthcare professional who is named under `collected_by`; of nobody else."""
    identity: IdentityIn | None = None
    """Whether whoever collected it was asked for proof of identity, and showed any."""
    station_id: UUID | None = None
    container_id: UUID | None = None
    """What it came from, where the station does not tell and the programme keeps its stock with us."""


def taken_home_of(said: TakenHomeOnPaperIn | None) -> TakenHomeOnPaper | None:
    """For the domain; None where the line says nothing of it."""
    if said is None:
        return None
    return TakenHomeOnPaper(
        units=tuple(
            UnitHandedOut(
                for_on=each.for_on,
                part=each.part,
                amount_mg=milligrams(each.amount_mg),
                order=OrderId(each.order_id) if each.order_id is not None else None,
            )
            for each in said.units
        ),
        at=said.dispensed_at,
        educated=said.educated,
        education_note=said.education_note,
        collecting=Collecting(
            by_client=said.collected_by_client,
            name=said.collected_by,
            address=said.collector_address,
            identity=said.identity.read() if said.identity is not None else None,
        ),
        station=StationId(said.station_id) if said.station_id is not None else None,
        container=ContainerId(said.container_id) if said.container_id is not None else None,
    )
