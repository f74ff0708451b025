"""The whole demo clinic, in one transaction: it is there, or nothing of it is, whenever somebody stops it."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final

from caseload.db.closure import ClosureDays
from caseload.db.people.accounts import Accounts
from caseload.db.programme import Programmes
from caseload.db.takehome.premises import TheirPremises
from caseload.demo.cast import HARBOR, MILL_LANE, SHOWN_FIRST
from caseload.demo.hiring import Clinic, Hiring, SignIn, make_secrets
from caseload.demo.stories import YEAR_DAYS, Story, stories
from caseload.demo.telling import care, course, family
from caseload.demo.telling.calendars import tell_calendars
from caseload.demo.telling.check_ins import Contact
from caseload.demo.telling.confidences import tell_confidences
from caseload.demo.telling.going_on import tell_going_on
from caseload.demo.telling.groups import Groups
from caseload.demo.telling.joint import come_to_every_evening
from caseload.demo.telling.medicine import Dispensary, stop_treatment, tell_day, tell_evening, tell_guests, tell_newest
from caseload.demo.telling.minor import tell_minor
from caseload.demo.telling.outreach import tell_outreach
from caseload.demo.telling.patient_notices import tell_notices
from caseload.demo.telling.registered_twice import tell_registered_twice
from caseload.demo.telling.restricted import tell_restricted
from caseload.demo.telling.rights import tell_rights
from caseload.demo.telling.stage import Life, Stage, Team
from caseload.demo.telling.stockroom import Stockroom
from caseload.domain.access import Role
from caseload.domain.closure import close_window
from caseload.domain.people import the_command_line
from caseload.domain.takehome import keep_premises
from caseload.request.work import Service, Work
from caseload.settings import OperatorError

PEOPLE: Final = "demo-people.txt"
HIRED_BEFORE: Final = timedelta(days=YEAR_DAYS + 30)
HANDED_OVER_DAYS_AGO: Final = 10
CHAPTER_DAYS: Final = 7
"""How many days of one programme make one entry of the audit log."""

Progress = Callable[[int, int], None]
"""Told how much has been done, of how much."""


class DemoRefused(OperatorError):
    """The demo clinic cannot be made here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large a demo."""

    clients: int = 300
    days: int = 60
    seed: int = 1


async def fill(service: Service, size: Size, *, progress: Progress) -> Sequence[SignIn]:
    """Make the demo clinic in an empty database, and keep who can sign in.

    Everything is one transaction; the entries of the audit log carry the real time, what they tell of happened in the
    weeks before. Raises `DemoRefused` in production and where there is anything already.
    """
    if service.settings.production:
        raise DemoRefused("A clinic in production holds no made-up people. Use a data folder of its own for a demo.")
    secrets = await make_secrets()
    async with service.work(by=the_command_line(), event="demo.filled") as work:
        await _require_empty(work)
        hired_at = work.now - HIRED_BEFORE
        clinic = await Hiring(work=work, secrets=secrets, now=hired_at, today=work.now.date()).hire()
        await _open_the_doors(clinic, work, hired_at)
        await work.turn_page("demo.hired")
        told = stories(clients=size.clients, days=size.days, seed=size.seed)
        stages = [_stage(clinic, place, told, size, work) for place in range(len(clinic.programmes))]
        total = sum(stage.days for stage in stages)
        done = 0
        for stage in stages:
            chapter = _Chapter(
                stage=stage,
                work=work,
                dispensary=Dispensary(stage=stage, work=work),
                contact=Contact(stage=stage, work=work),
                groups=Groups(stage=stage, work=work),
                stockroom=Stockroom(stage=stage, work=work),
            )
            for first in range(stage.days, 0, -CHAPTER_DAYS):
                last = max(first - CHAPTER_DAYS, 0)
                await chapter.tell(range(first, last, -1))
                done += first - last
                progress(done, total)
            await tell_newest(chapter.dispensary)
            await tell_guests(chapter.dispensary)
            await _tell_the_rest(stage, work)
        harbor, mill_lane, _ = stages
        await tell_going_on(harbor, mill_lane.programme, work=work)
        # Before the commit: a demo that nobody can sign in to would be of no use.
        keep_people(service.settings.data_dir, secrets.of_those_here)
    return secrets.of_those_here


async def _require_empty(work: Work) -> None:
    if await Programmes(work.connection).all() or await Accounts(work.connection).page(after=None, most=1, at=work.now):
        raise DemoRefused(
            "There is a clinic in this database already, and a demo is only made in an empty one. "
            "Point CASELOAD_DATA_DIR at a new folder."
        )


def _stage(clinic: Clinic, place: int, told: Sequence[Story], size: Size, work: Work) -> Stage:
    programme = clinic.programmes[place]
    return Stage(
        programme=programme,
        team=Team(
            nurses=clinic.of(Role.NURSE, programme.id),
            prescriber=clinic.of(Role.PRESCRIBER, programme.id)[0],
            counsellors=clinic.of(Role.COUNSELLOR, programme.id),
            supervisor=clinic.of(Role.SUPERVISOR, programme.id)[0],
            director=clinic.of(Role.MEDICAL_DIRECTOR, programme.id)[0],
            privacy=clinic.of(Role.PRIVACY_OFFICER, None)[0],
        ),
        today=programme.today(work.now),
        recent=size.days,
        chance=Random(f"{size.seed} {programme.code}"),  # noqa: S311 as below
        sealing=work.service.seals.newest(),
        lives=[
            Life(story=story, chance=Random(f"{size.seed} {story.number} life"))  # noqa: S311 a story, not a secret
            for story in told
            if story.site == place
        ],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chapter:
    """Some days of one programme, with everything that can happen on them."""

    stage: Stage
    work: Work
    dispensary: Dispensary
    contact: Contact
    groups: Groups
    stockroom: Stockroom

    async def tell(self, days: Sequence[int]) -> None:
        """One day after the other, from the longest ago on."""
        for ago in days:
            await self.stockroom.morning(ago)
            for life in self.stage.lives:
                await self._live(life, ago)
            if ago <= self.stage.recent:
                await self.groups.day(ago)
            # Longer ago doses were signed once a week, and so too late: something for the medical director to see.
            if ago <= self.stage.recent or ago == days[-1]:
                await tell_evening(self.dispensary, ago)
            await self.stockroom.evening(ago)
        for life in self.stage.lives:
            await self.contact.look_ahead(life, self.stage.moment(days[-1], 22))
        await self.work.turn_page("demo.days_told")

    async def _live(self, life: Life, ago: int) -> None:
        """One day of one client."""
        story = life.story
        if ago in {story.admitted, story.returned}:
            await care.begin(life, ago, stage=self.stage, work=self.work)
            await self.contact.begin(life, ago)
        if ago == story.discharged:
            await self.contact.stop(life, ago)
            await stop_treatment(self.dispensary, life, ago)
            await care.end(life, ago, stage=self.stage, work=self.work)
        elif ago == HANDED_OVER_DAYS_AGO and story.handed_over:
            await care.pass_to_another(life, ago, stage=self.stage, work=self.work)
        await self.contact.day(life, ago)
        if ago == 1:
            await self.contact.see_more_often(life, ago)
        await tell_day(self.dispensary, life, ago)


async def _open_the_doors(clinic: Clinic, work: Work, now: datetime) -> None:
    """Where each programme is, as its labels say, and that its window stays closed on the Sunday to come."""
    for programme in clinic.programmes:
        await keep_premises(
            programme.id,
            f"1 Demo Street, {programme.name}",
            "555 0100",
            by=the_command_line(),
            now=now,
            places=TheirPremises(work.connection),
            journal=work.journal,
        )
        today = programme.today(work.now)
        await close_window(
            programme.id,
            (today + timedelta(days=6 - today.weekday() or 7),),
            "Sunday",
            by=clinic.of(Role.SUPERVISOR, programme.id)[0],
            now=work.now,
            closures=ClosureDays(work.connection),
            journal=work.journal,
        )


async def _tell_the_rest(stage: Stage, work: Work) -> None:
    """What is told at once: families and consents, where treatment stands, and who covers for whom now."""
    for life in stage.lives:
        await family.operations(life, stage=stage, work=work)
        await family.tell(life, stage=stage, work=work)
        await course.tell_course(life, stage=stage, work=work)
    evenings = await Groups(stage=stage, work=work).to_come()
    await come_to_every_evening(evenings, stage=stage, work=work)
    await tell_outreach(stage, work=work)
    await tell_calendars(stage, work=work)
    if stage.programme.code == HARBOR:
        await care.whole_caseloads(stage, work=work)
        await tell_registered_twice(stage, work=work)
        await tell_rights(stage, work=work)
        await tell_confidences(stage, work=work)
        await tell_notices(stage, work=work)
        await tell_minor(stage, work=work)
    if stage.programme.code == MILL_LANE:
        await tell_restricted(stage, work=work)
    await work.turn_page("demo.families_told")


def keep_people(folder: Path, sign_ins: Sequence[SignIn]) -> None:
    """Keep who can sign in where only the owner of the data folder can read it."""
    text = people_text(sign_ins)
    path, fresh = folder / PEOPLE, folder / f".{PEOPLE}.new"
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def people_text(sign_ins: Sequence[SignIn]) -> str:
    """The people of the demo, those whom a newcomer meets first in front."""
    first = [who for name in SHOWN_FIRST for who in sign_ins if who.colleague.user_name == name]
    others = [who for who in sign_ins if who not in first]
    lines = ["Sign in to the demo clinic as one of these (user name, password, who it is):", ""]
    lines += [_line(who) for who in first]
    lines += ["", "And the others:", ""]
    lines += [_line(who) for who in others]
    return "\n".join(lines) + "\n"


def _line(who: SignIn) -> str:
    roles = ", ".join(
        f"{role.value.replace('_', ' ')}{f' at {where}' if where else ''}" for role, where in who.colleague.holds
    )
    return f"  {who.colleague.user_name:<19} {who.password}   {who.colleague.printed_name}, {roles}"
