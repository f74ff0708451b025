"""One client whose record is restricted, a glass broken this morning that waits for its review, and one nobody has looked at for days."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from caseload.db.glass import KeptGlasses
from caseload.db.restriction import KeptRestrictions
from caseload.demo.telling.stage import Stage
from caseload.domain.access import Apart
from caseload.domain.client import Client
from caseload.domain.glass import ReasonCode, Wanted, break_glass
from caseload.domain.ids import GlassId, NamingId, RestrictionId, new_id
from caseload.domain.restriction import RestrictionKind, restrict
from caseload.request.work import Work

RESTRICTED_BEFORE: Final = timedelta(days=3)
BROKEN_BEFORE: Final = timedelta(hours=2)
"""Longer than a glass stays broken."""
FORGOTTEN_DAYS: Final = 6
"""Longer than a review may wait, over any weekend."""


async def tell_restricted(stage: Stage, *, work: Work) -> None:
    """Of the last client in care here who came before the restriction."""
    since = work.now - RESTRICTED_BEFORE
    there = [
        life.client
        for life in stage.lives
        if life.client is not None
        and life.episode is not None
        and life.story.discharged is None
        and life.episode.starts_at < since
    ]
    if there:
        await _restrict(there[-1], stage, work)
        await _break_glass(there[-1], stage, work)
    await _forget_a_glass(stage, work)


async def _forget_a_glass(stage: Stage, work: Work) -> None:
    """A counsellor opened a colleague's client in the evening, and nobody has reviewed it."""
    of_a_colleague = [
        life.client
        for life in stage.lives
        if life.client is not None
        and life.episode is not None
        and life.story.discharged is None
        and life.counsellor == 1
        and life.story.admitted > FORGOTTEN_DAYS
    ]
    now = stage.moment(FORGOTTEN_DAYS, 19, 40)
    for client in of_a_colleague[:1]:
        await break_glass(
            Wanted(
                given_name=client.identity.given_name,
                family_name=client.identity.family_name,
                birth_date=client.identity.birth_date,
                identifier=None,
                code=ReasonCode.RISK_TO_LIFE,
                reason="Rang in the evening: does not want to live until the morning. Their counsellor cannot be reached.",
                minutes=None,
            ),
            as_id=GlassId(new_id()),
            by=stage.team.counsellors[0],
            now=now,
            glasses=KeptGlasses(work.connection, work.journal, now=now),
            journal=work.journal,
        )


async def _restrict(client: Client, stage: Stage, work: Work) -> None:
    now = work.now - RESTRICTED_BEFORE
    # Who answers for the client now, as whoever sets one today would name them.
    answering = await KeptRestrictions(work.connection, work.journal, now=work.now).answer_for(client.id)
    kept = KeptRestrictions(work.connection, work.journal, now=now)
    before = await kept.answer_for(client.id)
    await restrict(
        client,
        RestrictionKind.COLLEAGUE,
        "Works at the front desk of another site.",
        [(NamingId(new_id()), who) for who in sorted({*answering, *before, stage.team.prescriber.id})],
        until_at=None,
        as_id=RestrictionId(new_id()),
        by=stage.team.director,
        now=now,
        restrictions=kept,
        journal=work.journal,
    )


async def _break_glass(client: Client, stage: Stage, work: Work) -> None:
    now, identity = work.now - BROKEN_BEFORE, client.identity
    closed_out = replace(stage.team.supervisor, apart=Apart(closed=((client.id, client.programme),)))
    await break_glass(
        Wanted(
            given_name=identity.given_name,
            family_name=identity.family_name,
            birth_date=identity.birth_date,
            identifier=None,
            code=ReasonCode.NOBODY_NAMED_THERE,
            reason="The hospital called: brought in unconscious, and nobody named could be reached.",
            minutes=None,
        ),
        as_id=GlassId(new_id()),
        by=closed_out,
        now=now,
        glasses=KeptGlasses(work.connection, work.journal, now=now),
        journal=work.journal,
    )
