"""Programmes: the sites of a clinic, each with the time zone of its days and the profile of its rules."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from caseload.domain.errors import NotFound
from caseload.domain.ids import ProgrammeId


class ProgrammeUnknown(NotFound):
    """No such programme."""

    def __init__(self) -> None:
        super().__init__("Ask for the list of programmes and use one of their identifiers.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """A site of the clinic."""

    id: ProgrammeId
    code: str
    name: str
    time_zone: str
    """An IANA zone name. Days, deadlines and dosing days are those of this zone."""
    profile: str
    """The jurisdiction profile whose rules apply."""

    @property
    def zone(self) -> ZoneInfo:
        """The zone of its days."""
        return ZoneInfo(self.time_zone)

    def today(self, now: datetime) -> date:
        """The local date at an instant."""
        return now.astimezone(self.zone).date()


class Programmes(Protocol):
    """The programmes that are kept."""

    async def get(self, programme: ProgrammeId) -> Programme:
        """The programme, or `ProgrammeUnknown`."""
        ...
