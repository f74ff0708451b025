"""Levels of care by their edition, and phases of treatment, as pure rules at their boundaries."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import pytest

from caseload.domain.access import Role
from caseload.domain.caseload import (
    Edition,
    InPhase,
    LevelOfCare,
    NoOpenEpisode,
    Phase,
    begin_phase,
    known_levels,
)
from caseload.domain.errors import Invalid, NotPermitted
from caseload.domain.ids import EpisodeId, ProgrammeId, new_id
from tests.factories.checkin import MORNING, Remembered, counsellor, episode

pytestmark = pytest.mark.anyio

HERE = ProgrammeId(new_id())
EPISODE = episode(programme=HERE)
ROBIN = counsellor(HERE)
A_DAY = timedelta(days=1)


@dataclass
class Kept:
    """Phases in memory, the latest first."""

    phases: list[InPhase] = field(default_factory=list[InPhase])

    async def phases_of(self, _: EpisodeId, /) -> Sequence[InPhase]:
        return sorted(self.phases, key=lambda each: each.from_on, reverse=True)

    async def add_phase(self, new: InPhase) -> None:
        self.phases.append(new)


async def begin(kept: Kept, phase: Phase = Phase.INDUCTION, **changes: Any) -> InPhase:
    given: dict[str, Any] = {
        "reason": "First dose today.",
        "on": EPISODE.admitted_on,
        "by": ROBIN,
        "now": MORNING,
        "journal": Remembered(),
        "episode": EPISODE,
        **changes,
    }
    return await begin_phase(given.pop("episode"), phase, given.pop("reason"), phases=kept, **given)


async def test_a_phase_follows_another_and_both_stay() -> None:
    kept, journal = Kept(), Remembered()

    await begin(kept)
    await begin(kept, Phase.MAINTENANCE, on=date(2026, 3, 1), reason="  Stable. ", journal=journal)

    assert [(each.phase, each.from_on) for each in await kept.phases_of(EPISODE.id)] == [
        (Phase.MAINTENANCE, date(2026, 3, 1)),
        (Phase.INDUCTION, EPISODE.admitted_on),
    ]
    assert kept.phases[-1].reason == "Stable."
    assert [(event.name, event.client, dict(event.facts)) for event in journal.events] == [
        ("episode.phase_begun", EPISODE.client, {"phase": "maintenance"})
    ]


@pytest.mark.parametrize(
    ("changes", "good"),
    [
        ({"on": EPISODE.admitted_on - A_DAY}, False),
        ({"on": EPISODE.admitted_on}, True),
        ({"on": (MORNING + 366 * A_DAY).date()}, True),
        ({"on": (MORNING + 367 * A_DAY).date()}, False),
        ({"reason": " "}, False),
        ({"reason": "x" * 500}, True),
        ({"reason": "x" * 501}, False),
    ],
)
async def test_a_phase_begins_within_the_episode_and_says_why(changes: dict[str, Any], *, good: bool) -> None:
    kept = Kept()
    if good:
        await begin(kept, **changes)
    else:
        with pytest.raises(Invalid):
            await begin(kept, **changes)
    assert len(kept.phases) == good


async def test_the_phase_that_it_is_in_is_no_other_one() -> None:
    kept = Kept()
    await begin(kept)

    with pytest.raises(Invalid, match="the one that the episode is in"):
        await begin(kept, on=EPISODE.admitted_on + A_DAY)
    await begin(kept, Phase.TAPERING, on=EPISODE.admitted_on + A_DAY)
    await begin(kept, on=EPISODE.admitted_on + 2 * A_DAY)

    assert len(kept.phases) == 3, "it may come back to a phase"


async def test_only_an_open_episode_has_a_next_phase_and_only_who_admits_says_so() -> None:
    with pytest.raises(NoOpenEpisode):
        await begin(Kept(), episode=replace(EPISODE, ends_at=MORNING))
    with pytest.raises(NotPermitted):
        await begin(Kept(), by=counsellor(HERE, role=Role.FRONT_DESK))


@pytest.mark.parametrize(
    ("edition", "level", "name"),
    [
        (Edition.ASAM_4, "1.0", "Long-Term Remission Monitoring"),
        (Edition.ASAM_4, "1.5", "Outpatient Therapy"),
        (Edition.ASAM_4, "2.5", "High-Intensity Outpatient"),
        (Edition.ASAM_4, "RR", "Recovery Residence"),
        (Edition.UK_MODALITY, "psychosocial", "Psychosocial intervention"),
        (Edition.UK_MODALITY, "community prescribing", None),
        (Edition.LOCAL, "1.5", None),
    ],
)
def test_a_level_is_called_what_its_edition_calls_it(edition: Edition, level: str, name: str | None) -> None:
    assert LevelOfCare(edition=edition, level=level).name == name


def test_every_edition_says_where_its_levels_come_from_and_the_fourth_knows_eleven() -> None:
    said = known_levels()

    assert set(said.editions) == set(Edition)
    assert all(each.source and each.edition is edition for edition, each in said.editions.items())
    assert {each.edition: each.complete for each in said.editions.values()} == {
        Edition.ASAM_4: True,
        Edition.UK_MODALITY: False,
        Edition.LOCAL: False,
    }
    assert len(said.editions[Edition.ASAM_4].levels) == 11
    assert not {"0.5", "3.3"} & set(said.editions[Edition.ASAM_4].levels), "gone since the 3rd edition"
