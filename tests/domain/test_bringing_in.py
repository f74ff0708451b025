"""Bringing in: what is new comes in once, with its source, and what the folder no longer says stays."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import pytest

from caseload.domain.access import Holding, Role
from caseload.domain.caseload import Episode, Responsibility
from caseload.domain.client import Client, Identity, ProbableMatch
from caseload.domain.errors import Invalid, NotPermitted
from caseload.domain.history import (
    CLIENTS,
    DECISIONS,
    DOSES,
    DRUG_SCREENS,
    PROGRAMMES,
    VISITS,
    ClientRow,
    History,
    Refusal,
    Sheet,
)
from caseload.domain.history.bringing_in import BroughtIn, Known, NobodyResponsible, bring_in
from caseload.domain.history.comparing import Kept, VisitKey, VisitSource, dose_key, screen_key, visit_key
from caseload.domain.history.importing import Import, Into, Result, SourceFile, begin, end
from caseload.domain.ids import ClientId, ImportId, MatchDecisionId, ProgrammeId, StaffId, new_id
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.profiles.selected import Selected
from caseload.domain.programme import Programme
from tests.domain.test_history import NOW, Cells, a_client, a_dose, a_programme, a_screen, a_visit

pytestmark = pytest.mark.anyio

ANNA = StaffId(new_id())
FILES = (SourceFile(file="doses.csv", sha256="0" * 64, rows=1, accepted=1),)


def somebody(*roles: Role) -> Staff:
    return Staff(
        id=StaffId(new_id()),
        user_name="sam",
        printed_name="Sam",
        session=None,
        holdings=tuple(Holding(role=role, programme=None) for role in roles),
    )


@dataclass
class Clinic:
    """Everything that is kept, in memory; satisfies every port that an import needs."""

    by: Staff = field(default_factory=lambda: somebody(Role.ADMINISTRATOR))
    programmes: list[Programme] = field(default_factory=list[Programme])
    counsellors: set[tuple[StaffId, ProgrammeId]] = field(default_factory=set[tuple[StaffId, ProgrammeId]])
    clients: list[Client] = field(default_factory=list[Client])
    episodes: list[tuple[Episode, Responsibility]] = field(default_factory=list[tuple[Episode, Responsibility]])
    imports: list[Import] = field(default_factory=list[Import])
    refused: Sequence[Refusal] = ()
    ended: list[ImportId] = field(default_factory=list[ImportId])
    brought: list[BroughtIn] = field(default_factory=list[BroughtIn])
    told: list[Event] = field(default_factory=list[Event])
    elsewhere: bool = False
    decision: MatchDecisionId | None = None
    used: list[tuple[MatchDecisionId, ClientId]] = field(default_factory=list[tuple[MatchDecisionId, ClientId]])

    async def get(self, wanted: ProgrammeId) -> Programme:
        return next(each for each in self.programmes if each.id == wanted)

    async def all(self) -> Sequence[Programme]:
        return list(self.programmes)

    async def add(self, new: Programme, *, opened_at: datetime) -> None:
        assert opened_at == NOW
        self.programmes.append(new)

    async def counsels_in(self, counsellor: StaffId, programme: ProgrammeId, *, at: datetime) -> bool:
        assert at == NOW
        return (counsellor, programme) in self.counsellors

    async def appoint_counsellor(
        self, counsellor: StaffId, programme: ProgrammeId, *, by: Staff, now: datetime, journal: Journal
    ) -> None:
        assert (by, now, journal) == (self.by, NOW, self)
        self.counsellors.add((counsellor, programme))

    def saw(self, client: ClientId, kind: str) -> None:
        raise AssertionError((client, kind))

    def tell(self, event: Event) -> None:
        self.told.append(event)

    async def begin(self, history: History, source: str = "old record", **counsellors: StaffId) -> Mapping[str, Into]:
        _, into = await begin(
            source,
            FILES,
            history,
            counsellors=counsellors,
            by=self.by,
            now=NOW,
            programmes=self,
            roles=self,
            histories=_Histories(self),
            journal=self,
        )
        return into

    async def bring_in(self, history: History, source: str = "old record") -> Result:
        into = await self.begin(history, source, P1=ANNA)
        return await bring_in(
            history.people["C1"],
            into["P1"],
            by=self.by,
            now=NOW,
            clients=_Registry(self),
            caseloads=_Admissions(self),
            histories=_Histories(self),
            journal=self,
        )


@dataclass
class _Registry:
    clinic: Clinic

    async def add(self, new: Client) -> None:
        self.clinic.clients.append(new)

    async def hold_still(self, born: date) -> None:
        assert not self.clinic.clients

    async def match_decision(self, identity: Identity, *, since: datetime) -> MatchDecisionId | None:
        assert identity.given_name
        assert since < NOW
        return self.clinic.decision

    async def use_match_decision(self, decision: MatchDecisionId, *, by: ClientId) -> None:
        self.clinic.used.append((decision, by))


@dataclass
class _Admissions:
    clinic: Clinic

    async def counsels_in(self, staff: StaffId, programme: ProgrammeId, *, at: datetime) -> bool:
        return await self.clinic.counsels_in(staff, programme, at=at)

    async def add_episode(self, new: Episode, first: Responsibility) -> None:
        self.clinic.episodes.append((new, first))


@dataclass
class _Histories:
    clinic: Clinic

    async def add_import(self, begun: Import, refused: Sequence[Refusal]) -> None:
        self.clinic.imports.append(begun)
        self.clinic.refused = refused

    async def end_import(self, import_id: ImportId, *, at: datetime) -> None:
        assert at == NOW
        self.clinic.ended.append(import_id)

    async def lock(self, source: str, external_id: str) -> Known | None:
        found = [each for each in self.clinic.brought if (each.source, each.external_id) == (source, external_id)]
        if not found:
            return None
        return Known(client=found[-1].client, number=found[-1].number, content=found[-1].content)

    async def known_elsewhere(self, person: ClientRow, source: str) -> bool:
        assert (person.external_id, source) == ("C1", "old record")
        return self.clinic.elsewhere

    async def kept_of(self, client: ClientId, source: str) -> Kept:
        found = [each for each in self.clinic.brought if (each.client, each.source) == (client, source)]
        replaced = {visit.replaces for each in found for visit in each.visits if visit.replaces}
        visits: dict[VisitKey, list[VisitSource]] = {}
        for each in found:
            for visit in each.visits:
                at = VisitSource(history=each.id, line=visit.row.line)
                if at not in replaced:
                    visits.setdefault(visit_key(visit.row), []).append(at)
        return Kept(
            doses=Counter(dose_key(dose) for each in found for dose in (*each.doses, *each.replaced_doses)),
            visits=visits,
            screens=Counter(screen_key(screen) for each in found for screen in each.screens),
        )

    async def add(self, brought: BroughtIn) -> None:
        self.clinic.brought.append(brought)


def a_history(*rows: tuple[Sheet, Cells], client: Cells | None = None) -> History:
    history = History(now=NOW)
    history.take(PROGRAMMES, 2, a_programme())
    history.take(CLIENTS, 2, client or a_client())
    for line, (sheet, cells) in enumerate(rows, start=2):
        assert history.take(sheet, line, cells)
    return history


async def test_a_person_comes_in_as_a_client_with_an_episode_and_a_history() -> None:
    clinic = Clinic()
    history = a_history(
        (DOSES, a_dose()),
        (VISITS, a_visit()),
        (DRUG_SCREENS, a_screen()),
        client=a_client(housing="stable"),
    )
    assert await clinic.bring_in(history) is Result.BROUGHT_IN
    [client], [(episode, responsibility)], [brought] = clinic.clients, clinic.episodes, clinic.brought
    assert [(number.kind, number.value) for number in client.identifiers] == [("brought_in", "C1")]
    assert client.registered_by == clinic.by.id
    assert episode.starts_at == datetime(2025, 5, 1, 4, tzinfo=UTC)
    assert episode.responsible == responsibility.counsellor == ANNA
    assert responsibility.note is not None
    assert "old record" in responsibility.note
    assert (len(brought.doses), len(brought.visits), len(brought.screens)) == (1, 1, 1)
    assert (brought.recorded, brought.number) == ({"housing": "stable"}, 1)
    assert [event.name for event in clinic.told] == [
        "history.import_begun",
        "programme.opened",
        "history.brought_in",
        "client.registered",
        "episode.admitted",
    ]


async def test_the_same_again_is_nothing_new_wherever_it_stands() -> None:
    clinic = Clinic()
    await clinic.bring_in(a_history((DOSES, a_dose()), (DOSES, a_dose(given_on="2025-05-03"))))
    moved = a_history((DOSES, a_dose(given_on="2025-05-03")), (DOSES, a_dose()))
    assert await clinic.bring_in(moved) is Result.UNCHANGED
    assert len(clinic.brought) == len(clinic.clients) == 1


async def test_a_later_export_adds_what_is_new_and_takes_nothing_away() -> None:
    clinic = Clinic()
    await clinic.bring_in(a_history((DOSES, a_dose()), (VISITS, a_visit()), (DRUG_SCREENS, a_screen())))
    later = a_history(
        (DOSES, a_dose(amount_mg="60.0")),
        (DOSES, a_dose()),
        (DOSES, a_dose(given_on="2025-06-01")),
        (VISITS, a_visit(label="Week 2", scheduled_on="2025-05-09")),
        (DRUG_SCREENS, a_screen()),
    )
    assert await clinic.bring_in(later) is Result.ADDED_TO
    added = clinic.brought[-1]
    assert [(dose.line, dose.given_on.isoformat()) for dose in added.doses] == [(3, "2025-05-02"), (4, "2025-06-01")]
    assert [(visit.row.label, visit.replaces) for visit in added.visits] == [("Week 2", None)]
    assert not added.screens
    assert (added.number, added.last_day_covered.isoformat()) == (2, "2025-06-01")
    assert len(clinic.clients) == len(clinic.episodes) == 1


async def test_an_outcome_that_has_become_known_takes_the_place_of_the_unknown_one() -> None:
    clinic = Clinic()
    await clinic.bring_in(
        a_history(
            (VISITS, a_visit(status="unknown")),
            (VISITS, a_visit(status="unknown", reason="ill")),
            (VISITS, a_visit(status="unknown", label="Week 9")),
        )
    )
    known = a_history(
        (VISITS, a_visit(status="attended")),
        (VISITS, a_visit(status="unknown", reason="ill")),
        (VISITS, a_visit(status="unknown", label="Week 9")),
    )
    assert await clinic.bring_in(known) is Result.ADDED_TO
    [visit] = clinic.brought[-1].visits
    assert visit.row.status == "attended"
    assert visit.replaces == VisitSource(history=clinic.brought[0].id, line=2)
    assert await clinic.bring_in(known) is Result.UNCHANGED


async def test_a_replaced_dose_is_kept_beside_the_doses() -> None:
    clinic = Clinic()
    history = a_history(
        (DOSES, a_dose(amount_mg="6")),
        (DOSES, a_dose(amount_mg="24")),
        (DECISIONS, {"external_id": "C1", "day": "2025-05-02", "decision": "correction"}),
    )
    await clinic.bring_in(history)
    [brought] = clinic.brought
    assert [str(dose.amount_mg) for dose in brought.doses] == ["24"]
    assert [str(dose.amount_mg) for dose in brought.replaced_doses] == ["6"]


async def test_somebody_who_may_be_known_from_elsewhere_waits_for_the_records_lead() -> None:
    clinic = Clinic(elsewhere=True)
    with pytest.raises(ProbableMatch):
        await clinic.bring_in(a_history())
    assert not clinic.clients
    clinic.decision = MatchDecisionId(new_id())
    assert await clinic.bring_in(a_history()) is Result.BROUGHT_IN
    assert clinic.used == [(clinic.decision, clinic.clients[0].id)]


async def test_nobody_comes_in_without_somebody_responsible() -> None:
    clinic = Clinic()
    history = a_history()
    into = await clinic.begin(history, P1=ANNA)
    clinic.counsellors.clear()
    with pytest.raises(NobodyResponsible):
        await bring_in(
            history.people["C1"],
            into["P1"],
            by=clinic.by,
            now=NOW,
            clients=_Registry(clinic),
            caseloads=_Admissions(clinic),
            histories=_Histories(clinic),
            journal=clinic,
        )


async def test_a_missing_programme_is_opened_and_its_counsellor_appointed() -> None:
    clinic = Clinic()
    into = await clinic.begin(a_history(), P1=ANNA)
    [programme] = clinic.programmes
    assert (programme.code, programme.time_zone, programme.profiles.first) == ("P1", "America/New_York", "US")
    assert into["P1"].programme == programme
    assert clinic.counsellors == {(ANNA, programme.id)}


async def test_a_programme_without_people_is_opened_and_needs_no_counsellor() -> None:
    clinic = Clinic()
    history = a_history()
    history.take(PROGRAMMES, 3, a_programme(code="P2"))
    into = await clinic.begin(history, P1=ANNA)
    assert [programme.code for programme in clinic.programmes] == ["P1", "P2"]
    assert list(into) == ["P1"]


async def test_a_programme_that_is_there_is_used_and_must_agree_with_the_folder() -> None:
    clinic = Clinic()
    history = a_history()
    await clinic.begin(history, P1=ANNA)
    await clinic.begin(history, P1=ANNA)
    assert len(clinic.programmes) == 1
    clinic.programmes[0] = Programme(
        id=clinic.programmes[0].id, code="P1", name="One", time_zone="Europe/London", profiles=Selected("UK")
    )
    with pytest.raises(Invalid) as refused:
        await clinic.begin(history, P1=ANNA)
    assert [fault.problem for fault in refused.value.faults] == [
        "has the time zone Europe/London here; the folder says America/New_York",
        "has the profile UK here; the folder says US",
    ]


async def test_everything_that_an_import_lacks_is_said_at_once() -> None:
    clinic = Clinic()
    with pytest.raises(Invalid) as refused:
        await clinic.begin(a_history(), source=" ")
    assert [fault.field for fault in refused.value.faults] == ["source", "P1"]
    with pytest.raises(Invalid, match="source"):
        await clinic.begin(a_history(), source="old\x1b[2J", P1=ANNA)
    assert not clinic.imports


async def test_whoever_may_not_grant_roles_names_somebody_who_is_a_counsellor_already() -> None:
    clinic = Clinic()
    history = a_history()
    await clinic.begin(history, P1=ANNA)
    clinic.by = Staff(
        id=StaffId(new_id()),
        user_name="sue",
        printed_name="Sue",
        session=None,
        holdings=(Holding(role=Role.SUPERVISOR, programme=clinic.programmes[0].id),),
    )
    assert await clinic.begin(history, P1=ANNA)
    with pytest.raises(Invalid, match="not a counsellor"):
        await clinic.begin(history, P1=StaffId(new_id()))


async def test_a_nurse_brings_nothing_in() -> None:
    clinic = Clinic()
    history = a_history()
    into = await clinic.begin(history, P1=ANNA)
    clinic.by = somebody(Role.NURSE)
    with pytest.raises(NotPermitted):
        await clinic.begin(history, P1=ANNA)
    with pytest.raises(NotPermitted):
        await bring_in(
            history.people["C1"],
            into["P1"],
            by=clinic.by,
            now=NOW,
            clients=_Registry(clinic),
            caseloads=_Admissions(clinic),
            histories=_Histories(clinic),
            journal=clinic,
        )


async def test_an_import_keeps_what_it_left_out_and_that_it_ended() -> None:
    clinic = Clinic()
    history = a_history()
    history.take(DOSES, 9, a_dose(medicine="gin"))
    into = await clinic.begin(history, P1=ANNA)
    assert [refusal.line for refusal in clinic.refused] == [9]
    assert "medicine is not one of" in clinic.refused[0].reason
    begun = into["P1"].begun
    await end(begun, {Result.BROUGHT_IN: 3}, now=NOW, histories=_Histories(clinic), journal=clinic)
    assert clinic.ended == [begun.id]
    assert clinic.told[-1].facts == {"brought_in": 3}
