"""The notice that tells clients how their record is protected: which version is in force, and that it was given.

A programme has versions, each in force from a local day until a later one is. Each client is given the one in force, and signs that
they have it, or it is written down what was done to have it signed and why it was not (42 CFR 2.22; 45 CFR 164.520(c)(2)(ii)).
All insert-only: what was recorded by mistake is taken back with a reason and stays readable.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, Final, Protocol

from caseload.domain.access import Act
from caseload.domain.errors import Conflict, Faults, NotFound
from caseload.domain.ids import ClientId, NoticeGivenId, NoticeId, ProgrammeId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.programme import Programme
from caseload.domain.taken_back import TakenBack, because

LONGEST_NAME: Final = 200
LONGEST_TEXT: Final = 500
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class Manner(StrEnum):
    """How it was given."""

    PAPER = "paper"
    ELECTRONIC = "electronic"
    READ_ALOUD = "read_aloud"


class Acknowledgement(StrEnum):
    """Whether the client signed that they have it."""

    SIGNED = "signed"
    DECLINED = "declined"
    """They have it, and did not want to sign."""
    UNABLE = "unable"
    """They have it, and could not sign now."""
    NOT_ASKED = "not_asked"
    """In an emergency, or where no rule asks for it."""


class NoticeTaken(Conflict):
    """This programme has a notice of this version, or one in force from this day."""


class NoticeUnknown(NotFound):
    """This programme has no such notice."""


class NoNoticeInForce(Conflict):
    """This programme has no notice in force."""


class NoticeGivenUnknown(NotFound):
    """No such record of a notice given to this client within your reach."""


class NoticeGivenTakenBack(Conflict):
    """This record of a notice has been taken back already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """A version of a programme's notice."""

    title: str
    version: str
    in_force_from: date
    """A local day of the programme."""
    text_sha256: str
    """Of its text as it is handed out: 64 lower-case hexadecimal digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A version of a programme's notice, as a privacy officer put it in force."""

    id: NoticeId
    programme: ProgrammeId
    wording: Wording
    recorded_by: StaffId
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Giving:
    """What somebody says of how a client was given the notice."""

    given_at: datetime
    manner: Manner
    acknowledgement: Acknowledgement
    why_not: str | None = None
    """What was done to have it signed, and why it was not; None where it was signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeGiven:
    """That a client was given a version, by whoever recorded it."""

    id: NoticeGivenId
    client: ClientId
    notice: Notice
    giving: Giving
    recorded_by: StaffId
    recorded_at: datetime
    taken_back: TakenBack | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StillToGive:
    """A client in care who has not been given the version in force."""

    client: ClientId
    given_name: str
    family_name: str
    admitted_on: date


class NoticePutInForce(Event):
    """A version of a programme's notice was put in force from a day."""

    name: ClassVar[str] = "notice.put_in_force"


class ANoticeWasGiven(Event):
    """A client was given a notice."""

    name: ClassVar[str] = "notice.given"


class NoticeRecordTakenBack(Event):
    """A record that a client was given a notice was taken back."""

    name: ClassVar[str] = "notice.taken_back"


class Notices(Protocol):
    """The versions that are kept, and to whom they were given."""

    async def hold_still(self, programme: ProgrammeId, /) -> None:
        """Until this piece of work ends, nobody else puts a notice of this programme in force."""
        ...

    async def versions(self, programme: ProgrammeId, /) -> Sequence[Notice]:
        """Every version of a programme, the last day first."""
        ...

    async def add_version(self, new: Notice, /) -> None:
        """Keep a version; `NoticeTaken` when there is one of its name, or from its day."""
        ...

    async def add_given(self, new: NoticeGiven, /) -> None:
        """Keep that a client was given one."""
        ...

    async def add_taken_back(self, wrong: NoticeGiven, taken_back: TakenBack, /) -> None:
        """Keep that it was a mistake; `NoticeGivenTakenBack` when that was kept before."""
        ...


def in_force(versions: Iterable[Notice], day: date) -> Notice | None:
    """Pure: the version in force on a local day, if there is one: the last whose day has come."""
    begun = [each for each in versions if each.wording.in_force_from <= day]
    return max(begun, key=lambda each: each.wording.in_force_from, default=None)


async def put_in_force(
    programme: Programme,
    said: Wording,
    *,
    as_id: NoticeId,
    by: Staff,
    now: datetime,
    notices: Notices,
    journal: Journal,
) -> Notice:
    """Put a version of a programme's notice in force from a day.

    Only a programme's first may have been in force before today: what was in force on a day that has passed stays what it was.
    Raises `NotPermitted`, `Invalid`, `NoticeTaken`.
    """
    by.require(Act.KEEP_NOTICES, programme.id)
    await notices.hold_still(programme.id)
    _check_wording(said, programme.today(now), is_first=not await notices.versions(programme.id)).raise_if_any()
    new = Notice(id=as_id, programme=programme.id, wording=said, recorded_by=by.id, recorded_at=now)
    await notices.add_version(new)
    facts: dict[str, str | int] = {"programme": str(programme.id), "sha256": said.text_sha256}
    journal.tell(NoticePutInForce(records=(as_id,), facts={**facts, "in_force_from": str(said.in_force_from)}))
    return new


async def give(
    client: ClientId,
    said: Giving,
    *,
    version: NoticeId | None,
    programme: Programme,
    as_id: NoticeGivenId,
    by: Staff,
    now: datetime,
    notices: Notices,
    journal: Journal,
) -> NoticeGiven:
    """Record that a client was given a version: the one that was in force on that day where none is named.

    Once more for the same version where they sign later. Raises `NotPermitted`, `Invalid`, `NoticeUnknown`, `NoNoticeInForce`.
    """
    by.require(Act.GIVE_NOTICE, programme.id)
    given_on = programme.today(said.given_at)
    notice = _chosen(await notices.versions(programme.id), version, given_on)
    _check_giving(said, notice, given_on, now).raise_if_any()
    given = NoticeGiven(id=as_id, client=client, notice=notice, giving=said, recorded_by=by.id, recorded_at=now)
    await notices.add_given(given)
    facts: dict[str, str | int] = {"manner": said.manner, "acknowledgement": said.acknowledgement}
    journal.tell(ANoticeWasGiven(client=client, records=(as_id, notice.id), facts=facts))
    return given


async def take_back(
    given: NoticeGiven, reason: str, *, by: Staff, now: datetime, notices: Notices, journal: Journal
) -> NoticeGiven:
    """Say that a record was a mistake: the client was not given it. Raises `Invalid`, `NoticeGivenTakenBack`."""
    taken_back = because(reason, by=by, now=now)
    if given.taken_back is not None:
        raise NoticeGivenTakenBack("Read again what notices the client was given.")
    await notices.add_taken_back(given, taken_back)
    journal.tell(NoticeRecordTakenBack(client=given.client, records=(given.id,)))
    return replace(given, taken_back=taken_back)


def _chosen(versions: Sequence[Notice], version: NoticeId | None, given_on: date) -> Notice:
    if version is None:
        found = in_force(versions, given_on)
        if found is None:
            raise NoNoticeInForce("Ask a privacy officer of the programme to put its notice in force.")
        return found
    named = next((each for each in versions if each.id == version), None)
    if named is None:
        raise NoticeUnknown("Read the notices of the client's programme for its identifier.")
    return named


def _check_wording(said: Wording, today: date, *, is_first: bool) -> Faults:
    faults = Faults()
    for where, what in (("title", said.title), ("version", said.version)):
        faults.check(
            when=not what.strip() or len(what) > LONGEST_NAME,
            where=where,
            problem=f"must be given, in {LONGEST_NAME} characters at most",
        )
    faults.check(
        when=_SHA256.fullmatch(said.text_sha256) is None,
        where="text_sha256",
        problem="must be the SHA-256 of the text: 64 lower-case hexadecimal digits",
    )
    faults.check(
        when=not is_first and said.in_force_from < today,
        where="in_force_from",
        problem="must not have passed, because another version was in force",
    )
    return faults


def _check_giving(said: Giving, notice: Notice, given_on: date, now: datetime) -> Faults:
    faults = Faults()
    faults.check(when=said.given_at > now, where="given_at", problem="must not lie in the future")
    faults.check(
        when=given_on < notice.wording.in_force_from,
        where="given_at",
        problem="must not lie before the day from which this version is in force",
    )
    is_signed = said.acknowledgement is Acknowledgement.SIGNED
    faults.check(
        when=is_signed and said.why_not is not None, where="why_not", problem="belongs to what was not signed only"
    )
    faults.check(
        when=not is_signed and not (said.why_not or "").strip(),
        where="why_not",
        problem="say what was done to have it signed, and why it was not",
    )
    faults.check(
        when=len(said.why_not or "") > LONGEST_TEXT,
        where="why_not",
        problem=f"must have at most {LONGEST_TEXT} characters",
    )
    return faults
