"""Telling people what would wait on a list: a consent that ends soon, an emergency whose record is overdue; once for each step."""

from datetime import timedelta
from typing import Final

from caseload.db.alert import KeptAlerts
from caseload.db.consent import Consents
from caseload.db.disclosure import KeptDisclosures
from caseload.db.programme import Programmes
from caseload.domain.access import Act
from caseload.domain.alert import alert_of_consents, alert_of_releases, tell_expired
from caseload.domain.consent import expiring
from caseload.domain.disclosure import open_releases
from caseload.domain.job import Job
from caseload.domain.journal import Unseen
from caseload.domain.programme import Programme
from caseload.jobs.kind import Kind, Step
from caseload.jobs.reader import reader
from caseload.request.work import Work

LOOKS_BACK: Final = timedelta(days=30)
"""A consent that ended longer ago is not told of any more."""
MOST: Final = 10_000


async def raise_alerts(work: Work, _: Job) -> Step:
    """Raise some of what is due in the next programme where anything is."""
    programmes = await Programmes(work.connection).all()
    for programme in programmes:
        work.circumstances.programme = programme.id
        if await tell_expired_in(work, programme) or await raise_alerts_in(work, programme):
            return Step.MORE
    work.circumstances.programme = None
    return Step.NOTHING


async def tell_expired_in(work: Work, programme: Programme) -> int:
    """Put into the log which consents of a programme have expired; return how many."""
    ended = await Consents(work.connection, Unseen()).ending(
        after=work.now - LOOKS_BACK, until=work.now, by=reader(programme.id), act=Act.SEE_CONSENT, limit=MOST
    )
    own = [each for each in ended if each.discloser == programme.id]
    return await tell_expired(own, now=work.now, alerts=_alerts(work), journal=work.journal)


async def raise_alerts_in(work: Work, programme: Programme) -> int:
    """Raise some of what is due in a programme and has not been raised; return how many."""
    by, alerts = reader(programme.id), _alerts(work)
    lines = await expiring(
        by=by,
        act=Act.SEE_CONSENT,
        now=work.now,
        consents=Consents(work.connection, Unseen()),
        programmes=await Programmes(work.connection).all(),
        limit=MOST,
    )
    own = [line for line in lines if line.consent.discloser == programme.id]
    made = await alert_of_consents(own, by=work.by, now=work.now, alerts=alerts, journal=work.journal)
    kept = KeptDisclosures(work.connection, Unseen(), now=work.now)
    open_ = [
        each
        for each in await open_releases(by=by, act=Act.SEE_CONSENT, releases=kept)
        if each.release.programme == programme.id
    ]
    return made + await alert_of_releases(open_, by=work.by, now=work.now, alerts=alerts, journal=work.journal)


def _alerts(work: Work) -> KeptAlerts:
    return KeptAlerts(work.connection, work.journal, now=work.now)


RAISE_ALERTS: Final = Kind(name="alert.raised", step=raise_alerts, every=timedelta(hours=1))
