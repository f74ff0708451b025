"""Programmes: the sites of a clinic, each with the time zone of its days and the profile of its rules."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import ClassVar, Final, Protocol
from zoneinfo import ZoneInfo

from caseload.domain.access import Act
from caseload.domain.errors import Conflict, Faults, NotFound, NotPermitted
from caseload.domain.ids import ProgrammeId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.profiles import Profile, profiles
from caseload.domain.profiles.selected import Selected
from caseload.domain.zones import zone_of

LONGEST_NAME: Final = 200
_CODE: Final = re.compile(r"[A-Z0-9][A-Z0-9-]{0,15}")


class ProgrammeUnknown(NotFound):
    """No such programme."""

    def __init__(self) -> None:
        super().__init__("Ask for the list of programmes and use one of their identifiers.")


class CodeTaken(Conflict):
    """There is a programme with this code already."""


@lru_cache(maxsize=256)
def is_zone(name: str) -> bool:
    """Whether the IANA database knows a time zone of this name."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, malformed, or the name of a folder
        return False
    return True


def check_programme(code: str, name: str, time_zone: str, profile: str, faults: Faults) -> None:
    """Add a fault for everything that cannot be a programme."""
    faults.check(
        when=not _CODE.fullmatch(code), where="code", problem="must be 1 to 16 capital letters, digits and dashes"
    )
    faults.check(
        when=not name.strip() or len(name) > LONGEST_NAME or not name.isprintable(),
        where="name",
        problem=f"must have 1 to {LONGEST_NAME} printable characters",
    )
    faults.check(
        when=not is_zone(time_zone),
        where="time_zone",
        problem="must be a time zone of the IANA database, such as America/New_York",
    )
    faults.check(
        when=profile not in profiles(), where="profile", problem=f"must be one of {', '.join(sorted(profiles()))}"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """A site of the clinic."""

    id: ProgrammeId
    code: str
    name: str
    time_zone: str
    """An IANA zone name. Days, deadlines and dosing days are those of this zone."""
    zones: str | None = None
    """That zone with those before it, as `zone_of` reads them; None where it has never moved."""
    profiles: Selected
    """The jurisdiction profiles whose rules apply, each from its day on."""

    def rules_on(self, day: date) -> Profile:
        """The version of the profile that is in force on a local day."""
        return self.profiles.on(day)

    @property
    def zone(self) -> ZoneInfo:
        """The zone of its days: of those before a move the one that it had then."""
        return zone_of(self.zones or self.time_zone)

    def today(self, now: datetime) -> date:
        """The local date at an instant."""
        return now.astimezone(self.zone).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgrammeOpened(Event):
    """A programme was opened."""

    name: ClassVar[str] = "programme.opened"


class Programmes(Protocol):
    """The programmes that are kept."""

    async def all(self) -> Sequence[Programme]:
        """Every programme, by code."""
        ...

    async def add(self, new: Programme, *, opened_at: datetime) -> None:
        """Keep a new programme; `CodeTaken` when there is one with its code."""
        ...

    async def get(self, wanted: ProgrammeId) -> Programme:
        """The programme, or `ProgrammeUnknown`."""
        ...


async def open_programme(
    code: str,
    name: str,
    *,
    as_id: ProgrammeId,
    time_zone: str,
    profile: str,
    by: Staff,
    now: datetime,
    programmes: Programmes,
    journal: Journal,
) -> Programme:
    """Open a programme. Raises `NotPermitted`, `Invalid` with every fault, or `CodeTaken`."""
    if not by.may(Act.MANAGE_PROGRAMMES):
        raise NotPermitted("None of your roles may open a programme. Ask an administrator.")
    faults = Faults()
    check_programme(code, name, time_zone, profile, faults)
    faults.raise_if_any()
    programme = Programme(id=as_id, code=code, name=name.strip(), time_zone=time_zone, profiles=Selected(profile))
    await programmes.add(programme, opened_at=now)
    journal.tell(ProgrammeOpened(records=(programme.id,), facts={"programme": str(programme.id), "profile": profile}))
    return programme
