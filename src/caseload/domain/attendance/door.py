"""At the door of a session: may this relative sit there with the client, now?

`domain.consent.may_tell` decides it, as it decides everything that could tell anybody anything: a relative in the room
hears what is said. What was planned is asked again at the door, so a consent that was revoked meanwhile is found there.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from caseload.domain.attendance.relative import ComesAs, RelativeCancellation, RelativePlace
from caseload.domain.consent import (
    Answer,
    Asked,
    Category,
    Consent,
    IdentityCheck,
    Purpose,
    answers_to,
    rules_on,
    tell_asked,
)
from caseload.domain.consent.asker import is_warned_of
from caseload.domain.consent.disclosure import without_the_reason
from caseload.domain.family import RelatedPerson
from caseload.domain.ids import ClientId, ConsentId, ProgrammeId, RelativePlaceId, TherapySessionId
from caseload.domain.journal import Journal
from caseload.domain.programme import Programme


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """What decides who of the relatives may sit in a session: read once for all of them."""

    programme: Programme
    consents: Mapping[ClientId, Sequence[Consent]]
    around: Mapping[ClientId, Sequence[RelatedPerson]]

    def answer(self, place: RelativePlace, check: IdentityCheck | None, *, at: datetime, journal: Journal) -> Answer:
        """Whether they may sit there at that moment; question and answer go into the log.

        In their own right nothing about anybody is told them, so that is always allowed.
        """
        [answer] = self.answers(place, check, moments=[at], journal=journal)
        return answer

    def answers(
        self, place: RelativePlace, check: IdentityCheck | None, *, moments: Sequence[datetime], journal: Journal
    ) -> Sequence[Answer]:
        """The same for each of several moments; what is answered alike, by one consent and one rule, is in the log once."""
        decided = [self._decided(place, check, at) for at in moments]
        told: set[tuple[bool, str, ConsentId | None]] = set()
        for asked, answer in decided:
            alike = (answer.allowed, answer.rule, answer.consent)
            if alike not in told:
                told.add(alike)
                tell_asked(asked, [answer], client=place.client, journal=journal)
        return [answer for _, answer in decided]

    def _decided(self, place: RelativePlace, check: IdentityCheck | None, at: datetime) -> tuple[Asked, Answer]:
        together = place.comes_as is ComesAs.WITH_CLIENT
        asked = Asked(
            recipient=place.asker,
            categories=(Category.JOINT_SESSIONS if together else Category.GENERAL_INFORMATION,),
            purpose=Purpose.FAMILY_INVOLVEMENT,
            check=check,
            around=tuple(self.around.get(place.client, ())),
        )
        asked = replace(asked, warned=is_warned_of(asked.addressee, check, at=at))
        [answer] = answers_to(asked, self.consents.get(place.client, ()), programme=self.programme, at=at)
        return asked, answer

    def for_whoever_leads(self, answer: Answer, *, at: datetime) -> Answer:
        """The answer without why not: whoever leads need not see the client's chart, and a restriction is the client's own."""
        day = self.programme.today(at)
        return without_the_reason(answer, rules_on(self.programme.profiles.name_on(day), day))


class Seats(Protocol):
    """The places of relatives."""

    async def add_relatives(self, session: TherapySessionId, places: Sequence[RelativePlace]) -> None:
        """Keep places of relatives; `AlreadyOnRoster` when one of them has one there."""
        ...

    async def add_relative_cancellation(self, place: RelativePlaceId, cancellation: RelativeCancellation) -> None:
        """Keep that a relative's place was called off; `NotOnRoster` when it has been before."""
        ...

    async def door(self, clients: Collection[ClientId], *, of: ProgrammeId) -> Door:
        """What decides whether relatives may sit in a session with these clients."""
        ...
