"""What a transfer looks like on the wire."""

from datetime import date, datetime
from uuid import UUID

from caseload.api.caseload.episodes import LevelOfCareWire
from caseload.api.medication.past import ContentsOut
from caseload.api.wire import Instant, Wire
from caseload.domain.transfer import Acceptance, Ending, Person, Standing, Transfer


class TransferIn(Wire, frozen=True, kw_only=True):
    """What another programme is asked for."""

    to_programme_id: UUID
    reason: str
    told: str
    """What the other programme is told of the client before it answers. It sees the name, the birth date and this."""
    proposed_at: Instant | None = None
    """Not before that moment; as soon as it is accepted when left out."""


class TransferAcceptanceIn(Wire, frozen=True, kw_only=True):
    """Who answers for the client in the receiving programme, and at which level of care."""

    counsellor_id: UUID
    level_of_care: LevelOfCareWire


class TransferEndIn(Wire, frozen=True, kw_only=True):
    """Why the client stays."""

    reason: str


class TransferAcceptanceOut(Wire, frozen=True, kw_only=True):
    """That the receiving programme takes the client over."""

    counsellor_id: UUID
    level_of_care: LevelOfCareWire
    accepted_by: UUID
    accepted_at: datetime
    waits_for: UUID | None
    """The discharge that a prescriber of the giving programme decides; null where no order was in force."""

    @classmethod
    def of(cls, acceptance: Acceptance) -> "TransferAcceptanceOut":
        """From the domain."""
        level = acceptance.taking.level
        return cls(
            counsellor_id=acceptance.taking.counsellor,
            level_of_care=LevelOfCareWire(edition=level.edition, level=level.level),
            accepted_by=acceptance.accepted_by,
            accepted_at=acceptance.accepted_at,
            waits_for=acceptance.departure,
        )


class TransferEndOut(Wire, frozen=True, kw_only=True):
    """How it came out."""

    reason: str | None
    """Null of a client who moved."""
    ended_by: UUID
    ended_at: datetime
    """Of a client who moved the moment from which the receiving programme answers for them."""
    episode_id: UUID | None
    """The episode that began there."""

    @classmethod
    def of(cls, ending: Ending) -> "TransferEndOut":
        """From the domain."""
        return cls(reason=ending.reason, ended_by=ending.by, ended_at=ending.at, episode_id=ending.into)


class TransferOut(Wire, frozen=True, kw_only=True):
    """A client is to go on, or went on, from one programme to another."""

    id: UUID
    client_id: UUID
    given_name: str
    family_name: str
    birth_date: date
    from_programme_id: UUID
    to_programme_id: UUID
    reason: str
    told: str
    proposed_at: datetime
    asked_by: UUID
    asked_at: datetime
    standing: Standing
    acceptance: TransferAcceptanceOut | None
    end: TransferEndOut | None

    @classmethod
    def of(cls, transfer: Transfer, person: Person) -> "TransferOut":
        """From the domain."""
        return cls(
            id=transfer.id,
            client_id=transfer.client,
            given_name=person.given_name,
            family_name=person.family_name,
            birth_date=person.birth_date,
            from_programme_id=transfer.programme,
            to_programme_id=transfer.wish.to,
            reason=transfer.wish.reason,
            told=transfer.wish.told,
            proposed_at=transfer.wish.proposed_at,
            asked_by=transfer.asked_by,
            asked_at=transfer.asked_at,
            standing=transfer.standing,
            acceptance=None if transfer.acceptance is None else TransferAcceptanceOut.of(transfer.acceptance),
            end=None if transfer.ending is None else TransferEndOut.of(transfer.ending),
        )


class TransferPastOut(Wire, frozen=True, kw_only=True):
    """A client's medication as the giving programme knew it when the client went, with the doses of the 35 days before."""

    transfer: TransferOut
    day: date
    """The dosing day of that moment."""
    known: ContentsOut
