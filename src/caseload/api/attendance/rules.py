"""How a programme holds its sessions, over HTTP."""

from uuid import UUID

from litestar import Response
from litestar.params import FromPath, JSONBody

from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import IfMatch, TheWork, require_version, versioned
from caseload.db.attendance.rules import RulesOfSessions
from caseload.db.programme import Programmes
from caseload.domain import attendance as domain
from caseload.domain.access import Act
from caseload.domain.attendance.rules import SessionRules
from caseload.domain.ids import ProgrammeId
from caseload.domain.schedule import Weekday


class SessionRulesIO(Wire, frozen=True, kw_only=True):
    """How a programme holds its sessions."""

    week_starts_on: Weekday
    """On which local day the week begins in which hours are counted."""
    group_places: int
    """The largest group."""
    notes_co_signed: bool
    """Whether the note of anybody who is no supervisor there waits for one."""
    sign_within_hours: int
    """Within how many hours after its session a note is to be signed."""

    @classmethod
    def of(cls, rules: SessionRules) -> "SessionRulesIO":
        """From the domain."""
        return cls(
            week_starts_on=rules.week_starts_on,
            group_places=rules.group_places,
            notes_co_signed=rules.notes_co_signed,
            sign_within_hours=rules.sign_within_hours,
        )

    def read(self) -> SessionRules:
        """As the domain speaks of it."""
        return SessionRules(
            week_starts_on=self.week_starts_on,
            group_places=self.group_places,
            notes_co_signed=self.notes_co_signed,
            sign_within_hours=self.sign_within_hours,
        )


@reading(
    "/programmes/{programme_id:uuid}/session-rules",
    act=Act.SEE_PROGRAMMES,
    name="read_session_rules",
    unaudited="how a site holds its sessions, and nothing of any client",
)
async def read_session_rules(programme_id: FromPath[UUID], work: TheWork) -> Response[SessionRulesIO]:
    """How the programme holds its sessions; what is usual where nobody has said."""
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    rules, version = await RulesOfSessions(work.connection).rules_of(programme.id)
    return versioned(SessionRulesIO.of(rules), version)


@writing(
    "/programmes/{programme_id:uuid}/session-rules",
    act=Act.SET_SESSION_RULES,
    name="set_session_rules",
    method="PUT",
    status=200,
    problems=(404, 412, 428),
)
async def set_session_rules(
    programme_id: FromPath[UUID], data: JSONBody[SessionRulesIO], work: TheWork, if_match: IfMatch = None
) -> Response[SessionRulesIO]:
    """Say how the programme holds its sessions from now on."""
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    kept = RulesOfSessions(work.connection)
    _, version = await kept.rules_of(programme.id)
    require_version(if_match, version)
    await domain.set_session_rules(
        data.read(),
        version=version,
        programme=programme.id,
        by=work.by,
        now=work.now,
        kept=kept,
        journal=work.journal,
    )
    return versioned(data, version + 1)
