"""Where medication is told: a programme, the piece of work in which it is, and the doses that wait for a signature."""

from dataclasses import dataclass, field
from datetime import datetime

from caseload.demo.telling.medicine.window import Memory, Window
from caseload.demo.telling.stage import Stage
from caseload.domain.dosing import Dose
from caseload.domain.people import Staff
from caseload.request.work import Work


@dataclass(slots=True, kw_only=True)
class Dispensary:
    """The dispensary of one programme, within one piece of work."""

    stage: Stage
    work: Work
    memory: Memory = field(default_factory=Memory)
    to_sign: list[Dose] = field(default_factory=list[Dose])
    """What was recorded on the day that is being told, and nobody has signed yet."""
    of_locums: list[Dose] = field(default_factory=list[Dose])
    """What somebody gave on paper who has left since, and whose question is open."""

    def doses(self, now: datetime) -> Window:
        """The window at that moment."""
        return Window(self.work, self.memory, now=now)

    def nurse(self, ago: int) -> Staff:
        """Who gives the doses of the day."""
        return self.stage.team.nurses[ago % 2]

    def other_nurse(self, ago: int) -> Staff:
        """Who has no hand in them."""
        return self.stage.team.nurses[(ago + 1) % 2]
