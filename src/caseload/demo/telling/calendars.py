"""A counsellor's calendar on their telephone, and the one on a telephone that was lost."""

from datetime import timedelta

from caseload.db.calendar_feed import KeptFeeds
from caseload.demo.telling.stage import Stage
from caseload.domain.calendar_feed import make_feed, revoke_feed
from caseload.domain.ids import CalendarFeedId, new_id
from caseload.request.work import Work


async def tell_calendars(stage: Stage, *, work: Work) -> None:
    """Of the programme's first counsellor. Nobody knows the secret of either address: whoever looks makes one of their own."""
    by, feeds = stage.team.counsellors[0], KeptFeeds(work.connection)
    lost, _ = await make_feed(
        as_id=CalendarFeedId(new_id()), by=by, now=stage.moment(20, 9), feeds=feeds, journal=work.journal
    )
    found_out = stage.moment(3, 18)
    await revoke_feed(lost.id, by=by, now=found_out, feeds=feeds, journal=work.journal)
    await make_feed(
        as_id=CalendarFeedId(new_id()), by=by, now=found_out + timedelta(minutes=5), feeds=feeds, journal=work.journal
    )
