"""Flags that somebody raises: allergies, pregnancy, and what else the client takes. Each ends by a record of its own.

Flag and not block: benzodiazepines and alcohol, medicines that prolong the QT interval, inducers and inhibitors of CYP3A4,
pregnancy (the labels of methadone and buprenorphine). What was raised by mistake is ended with that reason.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, Final, Protocol

from caseload.domain.errors import Conflict, Faults, NotFound
from caseload.domain.ids import ClientId, FlagId, ProgrammeId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff

LONGEST_TEXT: Final = 500


class FlagKind(StrEnum):
    """What is to be seen first."""

    ALLERGY = "allergy"
    PREGNANCY = "pregnancy"
    SEDATIVE = "sedative"
    """A benzodiazepine, another sedative, or alcohol."""
    QT_PROLONGING = "qt_prolonging"
    FAINTED = "fainted"
    """Syncope or a seizure that nothing explains."""
    CYP3A4_INDUCER = "cyp3a4_inducer"
    CYP3A4_INHIBITOR = "cyp3a4_inhibitor"


SAYS: Final = {
    FlagKind.ALLERGY: "Allergic: look what it is before anything is given.",
    FlagKind.PREGNANCY: "Pregnant: ask the prescriber before the dose changes; withdrawal is a risk of its own.",
    FlagKind.SEDATIVE: "Takes a sedative or alcohol: breathing may fail together with an opioid. Look before you give.",
    FlagKind.QT_PROLONGING: "Takes a medicine that prolongs the QT interval: with methadone look at the ECG.",
    FlagKind.FAINTED: "Fainted or had a seizure that nothing explains: with methadone an ECG is due.",
    FlagKind.CYP3A4_INDUCER: "Takes an inducer of CYP3A4: methadone and buprenorphine may work less; watch for withdrawal.",
    FlagKind.CYP3A4_INHIBITOR: "Takes an inhibitor of CYP3A4: methadone and buprenorphine may work more; watch for sedation.",
}
"""What a flag of each kind tells whoever sees it."""


class FlagUnknown(NotFound):
    """No such flag of this client within your reach."""


class FlagAlreadyEnded(Conflict):
    """This flag has ended already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """What somebody says should be seen first."""

    kind: FlagKind
    what: str
    """What exactly: the substance, the medicine and its dose, the expected date of birth."""
    since: date

    def is_shown_on(self, day: date, ended_on: date | None) -> bool:
        """Whether it counts on a local day: from its first day until the day before its end."""
        return self.since <= day and (ended_on is None or day < ended_on)


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """That a flag counts no longer, from a day on."""

    ended_on: date
    """The first day on which it counts no longer."""
    reason: str
    ended_by: StaffId
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """One flag with its end, if it has one."""

    id: FlagId
    client: ClientId
    programme: ProgrammeId
    said: Raised
    recorded_by: StaffId
    recorded_at: datetime
    end: End | None = None

    def is_shown_on(self, day: date) -> bool:
        """Whether it counts on a local day."""
        return self.said.is_shown_on(day, self.end.ended_on if self.end is not None else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagRaised(Event):
    """A flag was raised for a client."""

    name: ClassVar[str] = "flag.raised"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagEnded(Event):
    """A flag of a client was ended."""

    name: ClassVar[str] = "flag.ended"


class Flags(Protocol):
    """The flags that are kept."""

    async def add(self, flag: Flag, /) -> None:
        """Keep a flag."""
        ...

    async def add_end(self, flag: Flag, end: End, /) -> None:
        """Keep its end; `FlagAlreadyEnded` when it has one."""
        ...


async def raise_flag(
    client: ClientId,
    said: Raised,
    *,
    as_id: FlagId,
    programme: ProgrammeId,
    today: date,
    by: Staff,
    now: datetime,
    flags: Flags,
    journal: Journal,
) -> Flag:
    """Raise a flag for a client. Raises `Invalid`."""
    faults = Faults()
    _check_text(said.what, "what", "say what exactly", faults)
    faults.check(when=said.since > today, where="since", problem="must not lie in the future")
    faults.raise_if_any()
    flag = Flag(id=as_id, client=client, programme=programme, said=said, recorded_by=by.id, recorded_at=now)
    await flags.add(flag)
    journal.tell(FlagRaised(client=client, records=(as_id,), facts={"kind": said.kind}))
    return flag


async def end_flag(
    flag: Flag, ended_on: date, reason: str, *, today: date, by: Staff, now: datetime, flags: Flags, journal: Journal
) -> Flag:
    """Say from which day on a flag counts no longer, and why. Raises `Invalid`, `FlagAlreadyEnded`."""
    faults = Faults()
    _check_text(reason, "reason", "say why it counts no longer", faults)
    faults.check(when=ended_on > today, where="ended_on", problem="must not lie in the future")
    faults.check(when=ended_on < flag.said.since, where="ended_on", problem="must not lie before its first day")
    faults.raise_if_any()
    if flag.end is not None:
        raise FlagAlreadyEnded("Read the client's flags again.")
    end = End(ended_on=ended_on, reason=reason, ended_by=by.id, recorded_at=now)
    await flags.add_end(flag, end)
    journal.tell(FlagEnded(client=flag.client, records=(flag.id,), facts={"kind": flag.said.kind}))
    return replace(flag, end=end)


def _check_text(text: str, where: str, blank: str, faults: Faults) -> None:
    faults.check(when=not text.strip(), where=where, problem=blank)
    faults.check(when=len(text) > LONGEST_TEXT, where=where, problem=f"must have at most {LONGEST_TEXT} characters")
