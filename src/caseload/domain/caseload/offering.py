"""Handovers that wait until the new counsellor accepts, where a programme wants it.

Whoever is responsible stays so until then: an offer changes nothing, an acceptance is a handover, and the only way out
of an offer that nobody answers is another handover, a withdrawal or a discharge.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, Final, Protocol
from uuid import UUID

from caseload.domain.access import Act
from caseload.domain.caseload.episode import Episode
from caseload.domain.caseload.responsibility import (
    HandedOver,
    Responsibilities,
    Responsibility,
    hand_over,
    require_possible,
)
from caseload.domain.errors import Conflict, Fault, Faults, Invalid, NotFound
from caseload.domain.ids import ClientId, EpisodeId, HandoverId, ProgrammeId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff

LONGEST_REASON: Final = 500


class Answer(StrEnum):
    """What became of an offer."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    """By whoever hands over: withdrawn, replaced by another handover, or ended by a discharge."""


class OfferUnknown(NotFound):
    """No such handover waits."""

    def __init__(self) -> None:
        super().__init__("Read the handovers that wait and use one of their identifiers.")


class OfferAnswered(Conflict):
    """This handover has been answered, or does not wait any more."""

    def __init__(self) -> None:
        super().__init__("Read the handovers that wait again.")


class RoleEndedMeanwhile(Conflict):
    """You are no counsellor of this programme at the moment of this handover."""

    def __init__(self) -> None:
        super().__init__("Decline it, or ask an administrator to grant the role.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A handover that waits for the new counsellor."""

    id: UUID
    """Also the identifier of the responsibility, once it is accepted."""
    client: ClientId
    episode: EpisodeId
    programme: ProgrammeId
    to: StaffId
    effective_at: datetime
    note: str | None
    handover: HandoverId | None
    recorded_by: StaffId
    recorded_at: datetime
    answer: Answer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """An offer as it is shown to whoever is to answer it: who the client is, and who answers for them now."""

    offer: Offer
    given_name: str
    family_name: str
    birth_date: date
    responsible: StaffId
    is_hidden: bool = False
    """The client is restricted and does not name whoever is asked: that an offer waits is said, and not of whom."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverOffered(Event):
    """A handover waits for the new counsellor."""

    name: ClassVar[str] = "caseload.handover_offered"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferDeclined(Event):
    """A counsellor does not take a client over."""

    name: ClassVar[str] = "caseload.handover_declined"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferWithdrawn(Event):
    """A handover does not wait any more."""

    name: ClassVar[str] = "caseload.handover_withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsSet(Event):
    """Somebody said whether the handovers of a programme wait."""

    name: ClassVar[str] = "caseload.terms_set"


class Offers(Protocol):
    """The offers that are kept."""

    async def counsels_in(self, staff: StaffId, programme: ProgrammeId, *, at: datetime) -> bool:
        """See `Responsibilities.counsels_in`."""
        ...

    async def hold_episode(self, wanted: EpisodeId) -> Episode:
        """The episode, which nobody ends until the end of the work; `NoOpenEpisode`."""
        ...

    async def pass_on(self, new: Responsibility) -> None:
        """See `Responsibilities.pass_on`."""
        ...

    async def answer(self, offer: UUID, answer: Answer, *, note: str | None, by: StaffId, now: datetime) -> None:
        """Keep the answer; `OfferAnswered` when there is one."""
        ...


class MayWait(Responsibilities, Protocol):
    """The responsibilities and the offers that are kept."""

    async def handovers_wait(self, programme: ProgrammeId) -> bool:
        """Whether the handovers of a programme wait now."""
        ...

    async def add_offers(self, new: Sequence[Offer]) -> None:
        """Keep them; `CaseloadMoved` when another waits for one of the episodes."""
        ...

    async def withdraw_of(self, episodes: Sequence[EpisodeId], *, by: StaffId, now: datetime) -> Sequence[Offer]:
        """Withdraw whatever waits for these episodes, and give it back."""
        ...


class TheirTerms(Protocol):
    """The terms that are kept."""

    async def add_terms(
        self, programme: ProgrammeId, *, handovers_wait: bool, reason: str, by: StaffId, now: datetime
    ) -> None:
        """Keep them as the newest; `CaseloadMoved` on a race."""
        ...


async def set_terms(
    programme: ProgrammeId,
    reason: str,
    *,
    handovers_wait: bool,
    by: Staff,
    now: datetime,
    terms: TheirTerms,
    journal: Journal,
) -> None:
    """Say whether the handovers of a programme wait for the new counsellor from now on; those that wait still do.

    Raises `NotPermitted`, `Invalid`, `CaseloadMoved`.
    """
    by.require(Act.HAND_OVER, programme)
    check_reason(reason)
    await terms.add_terms(programme, handovers_wait=handovers_wait, reason=reason.strip(), by=by.id, now=now)
    facts: dict[str, str | int] = {"programme": str(programme), "handovers_wait": int(handovers_wait)}
    journal.tell(TermsSet(records=(programme,), facts=facts))


async def hand_over_or_offer(
    episode: Episode,
    *,
    as_id: UUID,
    to: StaffId,
    at: datetime,
    note: str | None,
    at_once: bool,
    by: Staff,
    now: datetime,
    caseloads: MayWait,
    journal: Journal,
) -> Responsibility | Offer:
    """Hand a client over, or ask the new counsellor first where the programme wants it.

    Nobody is asked who takes the client over themselves, nor with `at_once`, which needs a note. What waited for this
    client is withdrawn. Raises `NotPermitted`, `Invalid`, `CaseloadMoved`.
    """
    by.require(Act.HAND_OVER, episode.programme)
    faults = Faults()
    check_at_once(note, at_once=at_once, faults=faults)
    faults.raise_if_any()
    await require_possible(episode, to, at, note, now=now, caseloads=caseloads)
    if at_once or to == by.id or not await caseloads.handovers_wait(episode.programme):
        passed = await hand_over(
            episode, as_id=as_id, to=to, at=at, note=note, by=by, now=now, caseloads=caseloads, journal=journal
        )
        tell_withdrawn(await caseloads.withdraw_of([episode.id], by=by.id, now=now), journal)
        return passed
    tell_withdrawn(await caseloads.withdraw_of([episode.id], by=by.id, now=now), journal)
    offer = Offer(
        id=as_id,
        client=episode.client,
        episode=episode.id,
        programme=episode.programme,
        to=to,
        effective_at=at,
        note=note,
        handover=None,
        recorded_by=by.id,
        recorded_at=now,
    )
    await caseloads.add_offers([offer])
    tell_offered([offer], journal)
    return offer


async def accept(offer: Offer, *, by: Staff, now: datetime, offers: Offers, journal: Journal) -> Responsibility:
    """Take a client over: from the moment that was asked for, or from now on where that has passed.

    Raises `NotPermitted`, `OfferUnknown` for anybody else's, `OfferAnswered`, `NoOpenEpisode`, `RoleEndedMeanwhile`,
    and `CaseloadMoved` when somebody handed over at the same moment.
    """
    _require_own(offer, by)
    if offer.answer is not None:
        raise OfferAnswered
    since = max(now, offer.effective_at)
    if not await offers.counsels_in(offer.to, offer.programme, at=since):
        raise RoleEndedMeanwhile
    episode = await offers.hold_episode(offer.episode)
    responsibility = Responsibility(
        id=offer.id,
        client=offer.client,
        episode=episode.id,
        counsellor=offer.to,
        since=since,
        note=offer.note,
        recorded_by=by.id,
        recorded_at=now,
        handover=offer.handover,
    )
    await offers.pass_on(responsibility)
    await offers.answer(offer.id, Answer.ACCEPTED, note=None, by=by.id, now=now)
    journal.tell(HandedOver(client=offer.client, records=(offer.id,), facts={"to": str(offer.to)}))
    return responsibility


async def decline(offer: Offer, reason: str, *, by: Staff, now: datetime, offers: Offers, journal: Journal) -> None:
    """Not take a client over, and say why: whoever is responsible stays so.

    Raises `NotPermitted`, `OfferUnknown` for anybody else's, `Invalid`, `OfferAnswered`.
    """
    _require_own(offer, by)
    check_reason(reason)
    await offers.answer(offer.id, Answer.DECLINED, note=reason.strip(), by=by.id, now=now)
    journal.tell(OfferDeclined(client=offer.client, records=(offer.id,)))


async def withdraw(offer: Offer, *, by: Staff, now: datetime, offers: Offers, journal: Journal) -> None:
    """Let a handover not wait any more. Raises `NotPermitted`, `OfferAnswered`."""
    by.require(Act.HAND_OVER, offer.programme)
    await offers.answer(offer.id, Answer.WITHDRAWN, note=None, by=by.id, now=now)
    tell_withdrawn([offer], journal)


def tell_offered(offers: Sequence[Offer], journal: Journal) -> None:
    """Say of each that it waits."""
    for each in offers:
        journal.tell(HandoverOffered(client=each.client, records=(each.id,), facts={"to": str(each.to)}))


def tell_withdrawn(offers: Sequence[Offer], journal: Journal) -> None:
    """Say of each that it does not wait any more."""
    for each in offers:
        journal.tell(OfferWithdrawn(client=each.client, records=(each.id,)))


def check_at_once(note: str | None, *, at_once: bool, faults: Faults) -> None:
    """Whoever hands over without asking says why."""
    faults.check(
        when=at_once and not (note or "").strip(), where="note", problem="say why the counsellor is not asked first"
    )


def check_reason(reason: str) -> None:
    """Raise `Invalid` for a reason that says nothing or too much."""
    if not 0 < len(reason.strip()) <= LONGEST_REASON:
        raise Invalid(Fault("reason", f"must have 1 to {LONGEST_REASON} characters"))


def _require_own(offer: Offer, by: Staff) -> None:
    by.require(Act.ANSWER_HANDOVER, offer.programme)
    if offer.to != by.id:
        raise OfferUnknown
