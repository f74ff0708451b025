"""Caseloads: admission, discharge, handover, cover and levels of care, against ports kept in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from caseload.domain import caseload
from caseload.domain.access import Reach, Role
from caseload.domain.caseload import (
    AlreadyInCare,
    Cover,
    DischargeReason,
    Edition,
    Episode,
    LevelOfCare,
    NoOpenEpisode,
    Responsibility,
)
from caseload.domain.caseload.discharging import discharge as end_care
from caseload.domain.checkin import Plan
from caseload.domain.errors import Invalid, NotPermitted
from caseload.domain.ids import ClientId, EpisodeId, ProgrammeId, StaffId, TherapySessionId, new_id
from caseload.domain.journal import Event
from caseload.domain.people import Staff
from caseload.domain.profiles.selected import Selected
from caseload.domain.programme import Programme
from tests.factories.staff import somebody

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
OUTPATIENT = LevelOfCare(edition=Edition.ASAM_4, level="1.5")
HARBOUR = Programme(
    id=ProgrammeId(new_id()),
    code="HARBOUR",
    name="Harbour House",
    time_zone="Australia/Sydney",
    profiles=Selected("AU"),
)


@dataclass
class Told:
    """A journal that remembers."""

    events: list[Event] = field(default_factory=list[Event])

    def saw(self, client: ClientId, kind: str) -> None: ...

    def tell(self, event: Event) -> None:
        self.events.append(event)


@dataclass
class Kept:
    """Caseloads in memory."""

    counsellors: set[StaffId]
    episodes: list[Episode] = field(default_factory=list[Episode])
    calls: list[tuple[str, Any]] = field(default_factory=list[tuple[str, Any]])

    async def open_episode(self, of: ClientId, *, reach: Reach, held: bool = False) -> Episode:
        raise NotImplementedError

    async def last_episode(self, of: ClientId) -> Episode | None:
        return self.episodes[-1] if self.episodes else None

    async def counsels_in(self, staff: StaffId, programme: ProgrammeId, *, at: datetime) -> bool:
        return staff in self.counsellors

    async def add_episode(self, new: Episode, first: Responsibility) -> None:
        self.calls.append(("episode", (new, first)))

    async def end_episode(self, ending: Episode, **rest: Any) -> None:
        self.calls.append(("end", rest))

    async def pass_on(self, new: Responsibility) -> None:
        self.calls.append(("pass_on", new))

    async def add_cover(self, new: Cover) -> None:
        self.calls.append(("cover", new))

    async def add_level(self, of: EpisodeId, level: LevelOfCare, **rest: Any) -> None:
        self.calls.append(("level", level))


def someone(role: Role) -> Staff:
    return somebody((role, HARBOUR.id))


SUPERVISOR = someone(Role.SUPERVISOR)
COUNSELLOR = StaffId(new_id())
OTHER = StaffId(new_id())


def an_episode(**changes: Any) -> Episode:
    return replace(
        Episode(
            id=EpisodeId(new_id()),
            client=ClientId(new_id()),
            programme=HARBOUR.id,
            admitted_on=date(2026, 11, 1),
            starts_at=NOW - timedelta(days=21),
            ends_at=None,
            level=OUTPATIENT,
            responsible=COUNSELLOR,
            returns_from=None,
        ),
        **changes,
    )


async def admit(kept: Kept, told: Told, **changes: Any) -> Episode:
    given: dict[str, Any] = {
        "as_id": EpisodeId(new_id()),
        "programme": HARBOUR,
        "counsellor": COUNSELLOR,
        "at": NOW,
        "level": OUTPATIENT,
        "by": SUPERVISOR,
        "now": NOW,
        "caseloads": kept,
        "journal": told,
    }
    return await caseload.admit(ClientId(new_id()), **{**given, **changes})


async def test_an_admission_has_a_responsible_counsellor_from_its_first_moment() -> None:
    kept, told = Kept({COUNSELLOR}), Told()

    episode = await admit(kept, told, at=NOW - timedelta(hours=20))

    ((_, (stored, first)),) = kept.calls
    assert stored == episode
    assert (first.counsellor, first.since) == (COUNSELLOR, episode.starts_at)
    assert episode.admitted_on == date(2026, 11, 22), "the date is the programme's, where it is already morning"
    assert [event.name for event in told.events] == ["episode.admitted"]


async def test_a_return_keeps_the_former_episode_in_view() -> None:
    former = an_episode(ends_at=NOW - timedelta(days=3))

    episode = await admit(Kept({COUNSELLOR}, [former]), Told())

    assert episode.returns_from == former.id


async def test_nobody_is_admitted_twice() -> None:
    with pytest.raises(AlreadyInCare):
        await admit(Kept({COUNSELLOR}, [an_episode()]), Told())


async def test_an_admission_names_every_fault_at_once() -> None:
    level = LevelOfCare(edition=Edition.ASAM_4, level="3.3")

    with pytest.raises(Invalid) as refused:
        await admit(Kept(set()), Told(), at=NOW + timedelta(seconds=1), level=level)

    assert [fault.field for fault in refused.value.faults] == ["level_of_care.level", "admitted_at", "counsellor_id"]


async def test_front_desk_does_not_admit() -> None:
    with pytest.raises(NotPermitted):
        await admit(Kept({COUNSELLOR}), Told(), by=someone(Role.FRONT_DESK))


@pytest.mark.parametrize("year", [1, 1025, 1949])
async def test_an_admission_of_another_age_is_a_slip_of_the_keyboard(year: int) -> None:
    with pytest.raises(Invalid, match="1950"):
        await admit(Kept({COUNSELLOR}), Told(), at=datetime(year, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("edition", "level", "good"),
    [
        (Edition.ASAM_4, "1.0", True),
        (Edition.ASAM_4, "0.5", False),
        (Edition.UK_MODALITY, "community prescribing", True),
        (Edition.LOCAL, "", False),
        (Edition.LOCAL, "x" * 81, False),
    ],
)
def test_a_level_of_care_is_one_its_edition_knows(edition: Edition, level: str, *, good: bool) -> None:
    faults: Sequence[object] = LevelOfCare(edition=edition, level=level).faults()

    assert (not faults) is good


async def discharge(kept: Kept, episode: Episode, **changes: Any) -> None:
    given: dict[str, Any] = {
        "at": NOW - timedelta(hours=1),
        "reason": DischargeReason.COMPLETED,
        "note": None,
        "by": SUPERVISOR,
        "now": NOW,
        "caseloads": kept,
        "plans": Waiting(kept),
        "sessions": Waiting(kept),
        "journal": Told(),
    }
    await end_care(episode, **{**given, **changes})


@dataclass
class Waiting:
    """What waits for a client elsewhere in the record: no check-ins, and a place in one session."""

    kept: Kept
    session: TherapySessionId = field(default_factory=lambda: TherapySessionId(new_id()))

    async def held_of(self, client: ClientId) -> Sequence[Plan]:
        self.kept.calls.append(("plans", client))
        return []

    async def cancel_from(self, since: datetime, **rest: Any) -> Sequence[TherapySessionId]:
        self.kept.calls.append(("places", (since, rest)))
        return [self.session]

    async def next_waiting(self, session: TherapySessionId) -> ClientId | None:
        return None


async def test_a_discharge_keeps_when_it_happened_and_when_we_were_told() -> None:
    kept = Kept(set())

    await discharge(kept, an_episode())

    _, ended = kept.calls[0]
    assert (ended["at"], ended["now"]) == (NOW - timedelta(hours=1), NOW)


async def test_with_a_discharge_end_the_plans_and_the_places_from_then_on() -> None:
    kept, episode, journal = Kept(set()), an_episode(), Told()
    sessions = Waiting(kept)

    await discharge(kept, episode, sessions=sessions, journal=journal)

    (ended, _), plans, (places, (since, called_off)) = kept.calls
    assert (ended, plans, places) == ("end", ("plans", episode.client), "places")
    assert since == NOW - timedelta(hours=1)
    assert (called_off["client"], called_off["reason"]) == (episode.client, "Discharged: completed")
    assert [(event.name, event.records) for event in journal.events] == [
        ("episode.discharged", (episode.id,)),
        ("session.cancelled", (sessions.session,)),
    ]


@pytest.mark.parametrize("changes", [{"at": NOW + timedelta(seconds=1)}, {"at": NOW - timedelta(days=22)}])
async def test_a_discharge_lies_between_admission_and_now(changes: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match="effective_at"):
        await discharge(Kept(set()), an_episode(), **changes)


async def test_a_note_of_a_discharge_has_an_end() -> None:
    with pytest.raises(Invalid, match="note"):
        await discharge(Kept(set()), an_episode(), note="x" * 4001)


async def hand_over(kept: Kept, **changes: Any) -> Responsibility:
    given: dict[str, Any] = {
        "as_id": new_id(),
        "to": OTHER,
        "at": NOW,
        "note": "knows the family",
        "by": SUPERVISOR,
        "now": NOW,
        "caseloads": kept,
        "journal": Told(),
    }
    return await caseload.hand_over(an_episode(), **{**given, **changes})


async def test_a_handover_passes_responsibility_at_one_moment() -> None:
    kept = Kept({OTHER})

    passed = await hand_over(kept)

    assert kept.calls == [("pass_on", passed)]
    assert (passed.counsellor, passed.since) == (OTHER, NOW)


async def test_a_handover_names_every_fault_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        await hand_over(Kept(set()), to=COUNSELLOR, at=NOW - timedelta(minutes=6), note="x" * 4001)

    assert [fault.field for fault in refused.value.faults] == ["to", "effective_at", "note", "to"]
    with pytest.raises(Invalid, match="within a year"):
        await hand_over(Kept({OTHER}), at=NOW + timedelta(days=367))


async def test_a_counsellor_does_not_hand_over_by_themselves() -> None:
    with pytest.raises(NotPermitted):
        await hand_over(Kept({OTHER}), by=someone(Role.COUNSELLOR))


async def arrange_cover(kept: Kept, **changes: Any) -> Cover:
    given: dict[str, Any] = {
        "as_id": new_id(),
        "counsellor": OTHER,
        "starts_at": NOW,
        "ends_at": NOW + timedelta(days=14),
        "reason": "leave",
        "by": SUPERVISOR,
        "now": NOW,
        "caseloads": kept,
        "journal": Told(),
    }
    return await caseload.arrange_cover(an_episode(), **{**given, **changes})


async def test_a_cover_has_an_end_of_its_own() -> None:
    kept = Kept({OTHER})

    cover = await arrange_cover(kept)

    assert kept.calls == [("cover", cover)]
    assert cover.ends_at == NOW + timedelta(days=14)


async def test_a_cover_names_every_fault_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        await arrange_cover(Kept(set()), counsellor=COUNSELLOR, starts_at=NOW, ends_at=NOW, reason=" ")

    fields = [fault.field for fault in refused.value.faults]
    assert fields == ["counsellor_id", "ends_at", "ends_at", "reason", "counsellor_id"]


async def test_a_cover_lasts_a_year_at_most() -> None:
    with pytest.raises(Invalid, match="a year"):
        await arrange_cover(Kept({OTHER}), ends_at=NOW + timedelta(days=367))


async def move(episode: Episode, kept: Kept, **changes: Any) -> None:
    given: dict[str, Any] = {"on": date(2026, 11, 22), "by": SUPERVISOR, "now": NOW, "caseloads": kept}
    await caseload.move_level_of_care(
        episode, LevelOfCare(edition=Edition.ASAM_4, level="2.1"), journal=Told(), **{**given, **changes}
    )


async def test_a_move_between_levels_is_kept_with_its_date() -> None:
    kept = Kept(set())

    await move(an_episode(), kept)

    assert [what for what, _ in kept.calls] == ["level"]


async def test_no_move_before_the_admission_and_none_after_the_end() -> None:
    with pytest.raises(Invalid, match="from_on"):
        await move(an_episode(), Kept(set()), on=date(2026, 10, 31))
    with pytest.raises(Invalid, match="within a year"):
        await move(an_episode(), Kept(set()), on=date(9999, 12, 31))
    with pytest.raises(NoOpenEpisode):
        await move(an_episode(ends_at=NOW), Kept(set()))
