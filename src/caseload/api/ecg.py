"""Whose electrocardiogram is due, over HTTP."""

from datetime import date, timedelta
from typing import Annotated
from uuid import UUID

from litestar import Router
from litestar.params import FromPath, QueryParameter

from caseload.api.route import reading
from caseload.api.wire import Wire
from caseload.api.work import TheWork
from caseload.db.ecg import hearts_in
from caseload.db.programme import Programmes
from caseload.domain.access import Act
from caseload.domain.ecg import EcgDue, EcgReason, ecg_due
from caseload.domain.ids import ProgrammeId

MOST_AHEAD = 92
Ahead = Annotated[
    int,
    QueryParameter(
        name="ahead_days", ge=0, le=MOST_AHEAD, required=False, description="Those due within so many days, too."
    ),
]


class EcgReasonOut(Wire, frozen=True, kw_only=True):
    """Why, and from when on."""

    reason: EcgReason
    """Before the start, none since it, a year after the last, none since the dose is high, none since a faint."""
    due_on: date


class EcgDueOut(Wire, frozen=True, kw_only=True):
    """A client whose ECG is due. An observation of `qtc` with a value takes the line away."""

    client_id: UUID
    given_name: str
    family_name: str
    began_on: date | None
    """Methadone; null where it was begun before the record."""
    last_ecg_on: date | None
    last_qtc: int | None
    due_on: date
    """The earliest day of its reasons."""
    reasons: list[EcgReasonOut]

    @classmethod
    def of(cls, line: EcgDue) -> "EcgDueOut":
        """From the domain."""
        return cls(
            client_id=line.client,
            given_name=line.given_name,
            family_name=line.family_name,
            began_on=line.began_on,
            last_ecg_on=line.last_ecg_on,
            last_qtc=line.last_qtc,
            due_on=line.due_on,
            reasons=[EcgReasonOut(reason=each.reason, due_on=each.due_on) for each in line.reasons],
        )


class EcgsDueOut(Wire, frozen=True, kw_only=True):
    """Everybody on methadone, or about to begin, whose ECG is due, the longest first, by which rule."""

    rule: str
    source: str
    follow_up_days: int
    every_days: int
    methadone_mg_a_day_above: int
    items: list[EcgDueOut]


@reading("/programmes/{programme_id:uuid}/ecgs-due", act=Act.SEE_OBSERVATIONS, name="list_ecgs_due")
async def list_ecgs_due(programme_id: FromPath[UUID], work: TheWork, ahead_days: Ahead = 0) -> EcgsDueOut:
    """Whose electrocardiogram is due by the programme's profile, each with every reason. It refuses no dose."""
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    work.by.require(Act.SEE_OBSERVATIONS, programme.id)
    today = programme.today(work.now)
    profile = programme.rules_on(today)
    hearts = await hearts_in(work.connection, programme, today, reach=work.by.reach(Act.SEE_OBSERVATIONS), at=work.now)
    found = [ecg_due(heart, today + timedelta(days=ahead_days), profile) for heart in hearts]
    lines = sorted((each for each in found if each is not None), key=lambda each: (each.due_on, each.client))
    for line in lines:
        for kind in ("identity", "order", "observation"):
            work.journal.saw(line.client, kind)
    said = profile.monitoring.ecg
    return EcgsDueOut(
        rule=f"{said.rule} of {profile.label}",
        source=said.source,
        follow_up_days=said.follow_up_days,
        every_days=said.every_days,
        methadone_mg_a_day_above=profile.monitoring.high_dose.methadone_mg_a_day_above,
        items=[EcgDueOut.of(each) for each in lines],
    )


router = Router("/", route_handlers=[list_ecgs_due], tags=["Observations"])
