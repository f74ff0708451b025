"""Going over to another profile: from a later day on, with a reason, and knowing which rules it loosens."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import ClassVar, Final, Protocol

from caseload.domain.access import Act
from caseload.domain.errors import Conflict, Faults
from caseload.domain.ids import ProgrammeId, SelectionId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.profiles import Profile, profile_on, profiles
from caseload.domain.profiles.comparing import loosened
from caseload.domain.programme.opening import Programme

LONGEST_REASON: Final = 4000
FURTHEST_AHEAD: Final = timedelta(days=366)
_ONE = timedelta(days=1)


class ProfileLoosens(Conflict):
    """The profile loosens rules of the one before; say that you know which."""

    def __init__(self, before: Profile, after: Profile, rules: Sequence[str]) -> None:
        super().__init__(
            f"{after.label} loosens rules of {before.label}. Ask again with a reason, and with every one of them in"
            " `loosens`.",
            before=before.label,
            after=after.label,
            loosens=list(rules),
        )
        self.rules = tuple(rules)


class SelectionRaced(Conflict):
    """Somebody else has chosen a profile for this programme at the same moment."""


class ProfileSelected(Event):
    """A programme goes over to another profile from a day on."""

    name: ClassVar[str] = "programme.profile_selected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Somebody's word that a programme goes by a profile from a local day on."""

    id: SelectionId
    programme: ProgrammeId
    number: int
    """Counts the words about one programme from 1; the last of those whose day has come counts."""
    from_on: date
    profile: str
    profile_version: int
    """The version in force on that day, as whoever chose it saw it; a later version takes over on its own date."""
    loosens: tuple[str, ...]
    """The rules of the profile before that it loosens, as they were shown and accepted."""
    reason: str
    selected_by: StaffId
    selected_at: datetime


class Selections(Protocol):
    """What was chosen for programmes."""

    async def selections(self, programme: ProgrammeId, /) -> Sequence[Selection]:
        """What was chosen for a programme, in the order in which it was said."""
        ...

    async def add_selection(self, selection: Selection, /) -> None:
        """Keep it; raises `SelectionRaced` when there is one of this number already."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What somebody wants."""

    profile: str
    from_on: date
    reason: str
    loosens: tuple[str, ...] = ()
    """The rules that it loosens, as they know them; the order does not matter."""


async def select_profile(
    programme: Programme,
    choice: Choice,
    *,
    as_id: SelectionId,
    by: Staff,
    now: datetime,
    selections: Selections,
    journal: Journal,
) -> Selection:
    """Let a programme go over to a profile from a later day on; a word for a day takes back what was planned after it.

    Tomorrow at the earliest: the rules of a day are settled before it begins, so that no two doses of one day are
    judged by different ones. Compared is the profile of the day before. Raises `NotPermitted`, `Invalid`,
    `ProfileLoosens` unless exactly the rules that it loosens were named, and `SelectionRaced`.
    """
    by.require(Act.SELECT_PROFILE, programme.id)
    _check(choice, today=programme.today(now))
    before, after = _compared(programme, choice.profile, choice.from_on)
    looser = tuple(loosened(before, after))
    if sorted(looser) != sorted(choice.loosens):
        raise ProfileLoosens(before, after, looser)
    said = await selections.selections(programme.id)
    selection = Selection(
        id=as_id,
        programme=programme.id,
        number=len(said) + 1,
        from_on=choice.from_on,
        profile=after.profile,
        profile_version=after.version,
        loosens=looser,
        reason=choice.reason.strip(),
        selected_by=by.id,
        selected_at=now,
    )
    await selections.add_selection(selection)
    facts: dict[str, str | int] = {"programme": str(programme.id), "profile": after.label, "loosens": len(looser)}
    journal.tell(ProfileSelected(records=(selection.id, programme.id), facts=facts))
    return selection


def what_it_loosens(programme: Programme, profile: str, from_on: date) -> tuple[str, ...]:
    """Every rule of the day before that a profile would loosen. Raises `ProfileUnknown`."""
    return tuple(loosened(*_compared(programme, profile, from_on)))


def _compared(programme: Programme, profile: str, from_on: date) -> tuple[Profile, Profile]:
    eve = max(from_on, date.min + _ONE) - _ONE
    return programme.rules_on(eve), profile_on(profile, from_on)


def _check(choice: Choice, *, today: date) -> None:
    faults = Faults()
    faults.check(
        when=choice.profile not in profiles(),
        where="profile",
        problem=f"must be one of {', '.join(sorted(profiles()))}",
    )
    faults.check(
        when=choice.from_on <= today,
        where="from_on",
        problem=f"must be {today + _ONE} or later: the rules of a day are settled before it begins",
    )
    faults.check(
        when=choice.from_on > today + FURTHEST_AHEAD,
        where="from_on",
        problem=f"must lie within {FURTHEST_AHEAD.days} days from today",
    )
    faults.check(
        when=not choice.reason.strip() or len(choice.reason) > LONGEST_REASON,
        where="reason",
        problem=f"say why, in at most {LONGEST_REASON} characters",
    )
    faults.raise_if_any()
