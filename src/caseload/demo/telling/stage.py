"""Where a story happens: one programme with its team, its calendar, and the lives of its clients so far."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from caseload.demo.stories import Story
from caseload.domain.caseload import Episode
from caseload.domain.checkin import CheckIn, Plan
from caseload.domain.client import Client
from caseload.domain.dosing import Dose
from caseload.domain.ids import HoldId
from caseload.domain.medication import Order
from caseload.domain.people import PASSWORD, Proof, Sealing, Staff
from caseload.domain.profiles import Profile
from caseload.domain.programme import Programme


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """Who works at a programme, by what they do in the stories."""

    nurses: Sequence[Staff]
    prescriber: Staff
    counsellors: Sequence[Staff]
    supervisor: Staff
    director: Staff
    privacy: Staff


@dataclass(slots=True, kw_only=True)
class Life:
    """A client's story, and what has become of it so far."""

    story: Story
    chance: Random
    client: Client | None = None
    episode: Episode | None = None
    order: Order | None = None
    rising_to: Decimal | None = None
    """What the dose is being built up to, if it is."""
    risen_on: int = 0
    """How many days ago it last rose."""
    dose: Dose | None = None
    """A dose to which something is still to happen."""
    hold: HoldId | None = None
    plan: Plan | None = None
    check_ins: dict[date, CheckIn] = field(default_factory=dict[date, CheckIn])
    """What has been scheduled, by its day."""
    counsellor: int = 0
    """Which of the programme's counsellors is responsible now."""

    def __post_init__(self) -> None:
        """Begin with the counsellor of the story."""
        self.counsellor = self.story.counsellor


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One programme: who works there, which day is today, and whose stories are told."""

    programme: Programme
    team: Team
    today: date
    recent: int
    """The last so many days are told in full; of longer ago only the long stories."""
    lives: Sequence[Life]
    chance: Random
    """For what concerns several clients at once."""
    sealing: Sealing
    """The service's key, under what is signed."""

    @property
    def days(self) -> int:
        """How many days ago the first story began."""
        return max((life.story.admitted for life in self.lives), default=0)

    def day(self, ago: int) -> date:
        """The local date that was so many days ago."""
        return self.today - timedelta(days=ago)

    def rules(self, ago: int) -> Profile:
        """The rules in force on the day that was so many days ago."""
        return self.programme.rules_on(self.day(ago))

    def counsellor(self, life: Life) -> Staff:
        """Who is responsible for a client."""
        return self.team.counsellors[life.counsellor]

    def moment(self, ago: int, hour: int, minute: int = 0) -> datetime:
        """A wall-clock time of the day that was so many days ago."""
        local = datetime.combine(self.day(ago), time(hour, minute), tzinfo=self.programme.zone)
        return local.astimezone(UTC)

    def proof(self, staff: Staff, at: datetime) -> Proof:
        """Proof of identity for a signature in a story.

        There is nobody to ask for a password: the demo has made all of them. In a clinic only `request.sign_in` makes one.
        """
        return Proof(staff=staff.id, at=at, methods=(PASSWORD,), sealing=self.sealing)
