"""Alerts: what would wait on a list until somebody looks becomes a task of one person, once for each step.

When something is due is decided where the lists have it from: `domain/consent/expiring.py` and `domain/disclosure/emergency.py`. A
task says what ends or is missing and by when; what the consent is about, and what was told, is read in the record.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final, Protocol

from caseload.domain.care_task import CareTask, CareTaskRaised
from caseload.domain.consent import Consent, Expiring, Standing
from caseload.domain.disclosure import Disclosure, Open
from caseload.domain.ids import CareTaskId, ClientId, ConsentId, DisclosureId, ProgrammeId, StaffId, new_id
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff

EXPIRED: Final = 0
"""The step on which nobody has anything left to do: the consent has ended, and the log says so."""
AT_ONCE: Final = 50
"""So many are raised in one piece of work, so that its entry stays small."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentExpired(Event):
    """The last day of a consent is over."""

    name: ClassVar[str] = "consent.expired"


class Alerts(Protocol):
    """The alerts that were raised, and whom they are for."""

    async def named_for(self, client: ClientId, /) -> StaffId | None:
        """Who answers for the client now: whoever covers, else the responsible counsellor."""
        ...

    async def sees(self, staff: StaffId, client: ClientId, /) -> bool:
        """Whether somebody may see this client's tasks now."""
        ...

    async def raised_of(self, consents: Collection[ConsentId], /) -> Collection[tuple[ConsentId, int]]:
        """The steps that have been raised of these consents."""
        ...

    async def releases_raised(self, releases: Collection[DisclosureId], /) -> Collection[DisclosureId]:
        """Those of these emergencies of which somebody was told."""
        ...

    async def raise_of_consent(self, consent: ConsentId, step: int, task: CareTask | None, /) -> bool:
        """Keep that a step was raised, with its task; False when somebody has raised it already."""
        ...

    async def raise_of_release(self, release: Disclosure, task: CareTask, /) -> bool:
        """Keep that somebody was told of an emergency whose record is open; False when somebody was already."""
        ...


async def tell_expired(ended: Iterable[Consent], *, now: datetime, alerts: Alerts, journal: Journal) -> int:
    """Put into the log that the last day of a consent is over, once for each; not of one that was revoked before."""
    over = [each for each in ended if each.standing(now) is Standing.EXPIRED and each.expiry.last_day is not None]
    raised = await alerts.raised_of([each.id for each in over])
    told = 0
    for each in [one for one in over if (one.id, EXPIRED) not in raised][:AT_ONCE]:
        if await alerts.raise_of_consent(each.id, EXPIRED, None):
            facts: dict[str, str | int] = {"last_day": str(each.expiry.last_day), "form": each.form}
            journal.tell(ConsentExpired(client=each.client, records=(each.id,), facts=facts))
            told += 1
    return told


async def alert_of_consents(
    lines: Sequence[Expiring], *, by: Staff, now: datetime, alerts: Alerts, journal: Journal
) -> int:
    """Give whoever answers for the client a task for each step that a consent in force has reached; return how many.

    Where nobody answers for the client there is no task yet: it is looked at again.
    """
    raised = await alerts.raised_of([line.consent.id for line in lines])
    made = 0
    for line in lines:
        named = await alerts.named_for(line.consent.client) if (line.consent.id, line.alert) not in raised else None
        if named is None:
            continue
        consent = line.consent
        days = "today" if line.days_left == 0 else f"in {line.days_left} days"
        task = _task(
            consent.client,
            consent.discloser,
            f"A consent of this client ends {days}, with {line.last_day}. Ask whether they want to give another one.",
            for_staff=named,
            due_at=consent.expires_at or now,
            by=by,
            now=now,
        )
        if await alerts.raise_of_consent(consent.id, line.alert, task):
            _tell(task, (consent.id,), line.rule, journal)
            made += 1
        if made == AT_ONCE:
            break
    return made


async def alert_of_releases(
    open_: Sequence[Open], *, by: Staff, now: datetime, alerts: Alerts, journal: Journal
) -> int:
    """Give whoever recorded an emergency, or whoever answers for the client, a task once its record is overdue."""
    overdue = [each for each in open_ if each.is_overdue(now)]
    raised = await alerts.releases_raised([each.release.id for each in overdue])
    made = 0
    for each in overdue:
        release = each.release
        named = await _who_completes(release, alerts) if release.id not in raised else None
        if named is None:
            continue
        missing = ", ".join(name.replace("_", " ") for name in each.missing)
        task = _task(
            release.client,
            release.programme,
            f"The record of an emergency release is not complete ({each.rule}). Fill in: {missing}.",
            for_staff=named,
            due_at=each.due_at,
            by=by,
            now=now,
        )
        if await alerts.raise_of_release(release, task):
            _tell(task, (release.id,), each.rule, journal)
            made += 1
        if made == AT_ONCE:
            break
    return made


async def _who_completes(release: Disclosure, alerts: Alerts) -> StaffId | None:
    if await alerts.sees(release.recorded_by, release.client):
        return release.recorded_by
    return await alerts.named_for(release.client)


def _task(
    client: ClientId,
    programme: ProgrammeId,
    says: str,
    *,
    for_staff: StaffId,
    due_at: datetime,
    by: Staff,
    now: datetime,
) -> CareTask:
    return CareTask(
        id=CareTaskId(new_id()),
        client=client,
        programme=programme,
        says=says,
        for_staff=for_staff,
        due_at=due_at,
        raised_by=by.id,
        raised_at=now,
    )


def _tell(task: CareTask, of: tuple[ConsentId | DisclosureId, ...], rule: str, journal: Journal) -> None:
    facts: dict[str, str | int] = {"kind": task.kind.value, "rule": rule}
    journal.tell(CareTaskRaised(client=task.client, records=(task.id, *of), facts=facts))
