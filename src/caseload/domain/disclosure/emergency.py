"""A medical emergency: what is needed is told at once, and the rest of the record is filled in afterwards.

42 CFR 2.51: to medical personnel, as far as it is needed to meet a medical emergency in which the client's consent
cannot be had. It asks nothing that could make anybody wait: who receives it and the nature of the emergency. The
other things that 2.51(c) wants written down immediately afterwards keep the record open, and overdue, until they are.
Neither a restriction nor another programme stops it: whoever gives and prescribes sees a restricted client for this act, and a
broken glass opens its client for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import ClassVar, Final, Protocol

from caseload.domain.access import Act
from caseload.domain.client import Client
from caseload.domain.consent import Category, IdentityCheck, Purpose, Recipient
from caseload.domain.disclosure.disclosing import Rendering, document, tell_made
from caseload.domain.disclosure.disputes import carried
from caseload.domain.disclosure.made import Disclosure, Disclosures, Telling
from caseload.domain.disclosure.rules import RuleSet, exceptions_on
from caseload.domain.disclosure.words import Ground, Manner
from caseload.domain.errors import Conflict, Faults, NotFound
from caseload.domain.family import LONGEST_NAME, LONGEST_TEXT, text_fault
from caseload.domain.ids import DisclosureId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.programme import Programme

TOLD_IN_AN_EMERGENCY: Final = (Category.PRESENCE, Category.MEDICATION, Category.TAKE_HOME, Category.RISK)
"""What treating somebody safely needs at once, written down from the record."""
MOST_OPEN: Final = 500


class NotOpen(Conflict):
    """This emergency's record is complete already."""

    def __init__(self) -> None:
        super().__init__("Nothing needs to be done. Read the disclosure for what was filled in.")


class ReleaseUnknown(NotFound):
    """There is no such emergency release within your reach."""

    def __init__(self) -> None:
        super().__init__("Read the list of open emergency releases, or the client's account of disclosures.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Who receives it and why. Everything else may wait."""

    name: str
    """The medical personnel who receive it, by name or function."""
    emergency: str
    """The nature of the emergency."""
    manner: Manner = Manner.WRITTEN
    facility: str | None = None
    check: IdentityCheck | None = None
    disclosed_by: StaffId | None = None
    """Who told, where it was spoken; a document is told by whoever makes it."""
    disclosed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What was missing of an emergency's record."""

    facility: str | None = None
    disclosed_by: StaffId | None = None
    disclosed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """An emergency release whose record is not complete."""

    release: Disclosure
    missing: tuple[str, ...]
    due_at: datetime
    rule: str
    advice: str

    def is_overdue(self, at: datetime) -> bool:
        """Whether it should have been complete by then."""
        return at >= self.due_at


class ReleaseCompleted(Event):
    """What was missing of an emergency's record was filled in."""

    name: ClassVar[str] = "disclosure.completed"


class Releases(Disclosures, Protocol):
    """What was told in emergencies, and what was missing."""

    async def open_releases(self, *, by: Staff, act: Act, limit: int) -> Sequence[tuple[Disclosure, date, str]]:
        """Those whose record is not complete, the oldest first, each with its local day and the profile by which its programme went on it."""
        ...

    async def add_completion(self, completed: Disclosure, /, *, by: StaffId, at: datetime) -> None:
        """Keep what was missing; `NotOpen` when somebody else was faster."""
        ...

    async def is_staff(self, somebody: StaffId, /) -> bool:
        """Whether there is such a person among the staff."""
        ...


async def release_in_emergency(
    release: Release,
    client: Client,
    programme: Programme,
    *,
    as_id: DisclosureId,
    by: Staff,
    now: datetime,
    releases: Releases,
    rendering: Rendering,
    journal: Journal,
) -> Disclosure:
    """Tell medical personnel what the emergency needs, now. Asks for no consent and waits for nothing.

    Raises `NotPermitted`, or `Invalid` without a recipient or the nature of the emergency.
    """
    by.require(Act.RELEASE_IN_EMERGENCY, client.programme, of=client.id)
    written = release.manner is Manner.WRITTEN
    if written:
        by.require(Act.SEE_MEDICATION, client.programme, of=client.id)
    await _check(release, now, releases)
    known = _rules(programme, now)
    categories = TOLD_IN_AN_EMERGENCY if written else (Category.EMERGENCY,)
    made = Disclosure(
        id=as_id,
        client=client.id,
        programme=client.programme,
        telling=Telling(
            recipient=Recipient(name=release.name),
            name=release.name,
            purpose=Purpose.TREATMENT,
            facility=release.facility,
            emergency=release.emergency,
            check=release.check,
        ),
        ground=Ground.EMERGENCY,
        consent=None,
        categories=categories,
        rule=known.emergency_rule,
        rules_version=known.version,
        manner=release.manner,
        notice=None,
        notice_how=None,
        scope=None,
        content=await document(client, programme, categories, by=by, rendering=rendering) if written else {},
        disputes=carried(await releases.disputes_of(client.id), TOLD_IN_AN_EMERGENCY, release.manner),
        disclosed_by=by.id if written else release.disclosed_by,
        disclosed_at=now if written else release.disclosed_at,
        recorded_by=by.id,
        recorded_at=now,
    )
    await releases.add_disclosure(made)
    tell_made(made, journal)
    return made


async def complete_release(
    release: Disclosure, completion: Completion, *, by: Staff, now: datetime, releases: Releases, journal: Journal
) -> Disclosure:
    """Fill in what was missing: all of it at once, and nothing that is known already is changed.

    Raises `NotPermitted`, `NotOpen`, or `Invalid` with everything that is still missing (42 CFR 2.51(c)).
    """
    by.require(Act.RELEASE_IN_EMERGENCY, release.programme, of=release.client)
    if not release.open_fields:
        raise NotOpen if release.ground is Ground.EMERGENCY else ReleaseUnknown
    faults = Faults()
    given = {
        "facility": completion.facility,
        "disclosed_by": completion.disclosed_by,
        "disclosed_at": completion.disclosed_at,
    }
    for name, value in given.items():
        missing = name in release.open_fields
        faults.check(when=missing and value is None, where=name, problem=f"is needed ({release.rule})")
        faults.check(when=not missing and value is not None, where=name, problem="is known already and stays as it is")
    await _check_said(completion.facility, completion.disclosed_by, completion.disclosed_at, faults, now, releases)
    faults.raise_if_any()
    completed = replace(
        release,
        telling=replace(release.telling, facility=release.telling.facility or completion.facility),
        disclosed_by=release.disclosed_by or completion.disclosed_by,
        disclosed_at=release.disclosed_at or completion.disclosed_at,
    )
    await releases.add_completion(completed, by=by.id, at=now)
    journal.tell(
        ReleaseCompleted(
            client=release.client, records=(release.id,), facts={"filled_in": ",".join(release.open_fields)}
        )
    )
    return completed


async def open_releases(*, by: Staff, act: Act, releases: Releases) -> Sequence[Open]:
    """Emergencies whose record is not complete, the oldest first, each with what is missing and since when."""
    return [
        _open(release, exceptions_on(profile, day))
        for release, day, profile in await releases.open_releases(by=by, act=act, limit=MOST_OPEN)
    ]


def _open(release: Disclosure, rules: RuleSet) -> Open:
    return Open(
        release=release,
        missing=release.open_fields,
        due_at=release.recorded_at + timedelta(minutes=rules.emergency_minutes),
        rule=f"{rules.emergency_rule} ({rules.version})",
        advice=rules.emergency_advice,
    )


def _rules(programme: Programme, now: datetime) -> RuleSet:
    day = programme.today(now)
    return exceptions_on(programme.profiles.name_on(day), day)


async def _check(release: Release, now: datetime, releases: Releases) -> None:
    faults = Faults()
    for where, text, longest in (
        ("name", release.name, LONGEST_NAME),
        ("emergency", release.emergency, LONGEST_TEXT),
    ):
        if problem := text_fault(text, longest=longest):
            faults.add(where, problem)
    if release.check is not None and (problem := text_fault(release.check.detail, longest=LONGEST_NAME)):
        faults.add("check.detail", problem)
    for where in ("disclosed_by", "disclosed_at"):
        faults.check(
            when=release.manner is Manner.WRITTEN and getattr(release, where) is not None,
            where=where,
            problem="is only for what was spoken; a document is told now, by whoever makes it",
        )
    await _check_said(release.facility, release.disclosed_by, release.disclosed_at, faults, now, releases)
    faults.raise_if_any()


async def _check_said(
    facility: str | None,
    told_by: StaffId | None,
    told_at: datetime | None,
    faults: Faults,
    now: datetime,
    releases: Releases,
) -> None:
    if problem := text_fault(facility, longest=LONGEST_NAME):
        faults.add("facility", problem)
    faults.check(when=told_at is not None and told_at > now, where="disclosed_at", problem="must not lie in the future")
    faults.check(
        when=told_by is not None and not await releases.is_staff(told_by),
        where="disclosed_by",
        problem="is nobody of the staff",
    )
