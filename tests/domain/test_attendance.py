"""Sessions and registers: everybody in one call, corrected without losing a word, and what it adds up to."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseload.domain.access import Act, Apart, Holding, Reach, Role
from caseload.domain.attendance import (
    AlreadyOnRoster,
    Attendance,
    Booking,
    Cancellation,
    CancelledBy,
    Line,
    NotOnRoster,
    NotYourSession,
    Register,
    RegisterAlreadyTaken,
    RegisterChanged,
    RegisterMissing,
    RelativeCancellation,
    RelativePlace,
    RosterClosed,
    Session,
    SessionFull,
    SessionKind,
    Status,
    Taking,
    Wanted,
    book,
    call_off,
    cancel,
    correct_register,
    plan_session,
    sees_everybody,
    take_register,
    totals,
)
from caseload.domain.attendance.clash import MOST_TOLD, Claim, ClaimOn, Clash, SessionClashes, claims_of
from caseload.domain.attendance.door import Door
from caseload.domain.attendance.planning import FURTHEST
from caseload.domain.attendance.register import WAS_THERE
from caseload.domain.attendance.rules import SessionRules, usual_rules
from caseload.domain.attendance.session import FOR_ONE, NEVER_BILLABLE
from caseload.domain.attendance.waiting import WaitOver, wait
from caseload.domain.errors import Invalid, NotPermitted
from caseload.domain.ids import ClientId, ProgrammeId, RelativePlaceId, StaffId, TherapySessionId, new_id
from tests.factories.checkin import Remembered, counsellor

pytestmark = pytest.mark.anyio

TEN = datetime(2026, 6, 1, 14, tzinfo=UTC)
"""Monday 1 June 2026, 10:00 in New York: when the session begins."""
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
RULES = replace(usual_rules(), group_places=12)
PROGRAMME = ProgrammeId(new_id())
ROBIN = counsellor(PROGRAMME)
ADA, BEN, CLEO, DAN = (ClientId(new_id()) for _ in range(4))
STRANGER = ClientId(new_id())


@dataclass
class Kept:
    """Sessions in memory."""

    sessions: dict[TherapySessionId, Session] = field(default_factory=dict[TherapySessionId, Session])
    registers: list[Register] = field(default_factory=list[Register])
    taken: list[Clash] = field(default_factory=list[Clash])
    agreed: list[bool] = field(default_factory=list[bool])
    released: list[TherapySessionId] = field(default_factory=list[TherapySessionId])
    clients: set[ClientId] = field(default_factory=lambda: {ADA, BEN, CLEO, DAN})
    leaders: set[StaffId] = field(default_factory=lambda: {ROBIN.id})

    async def may_lead(
        self, staff: Collection[StaffId], *, programme: ProgrammeId, at: datetime
    ) -> Collection[StaffId]:
        return self.leaders & set(staff)

    async def in_care(self, clients: Collection[ClientId], *, reach: Reach) -> Collection[ClientId]:
        return self.clients & set(clients)

    async def clashes(self, claims: Sequence[Claim], *, besides: TherapySessionId | None) -> Sequence[Clash]:
        return self.taken

    async def add(self, sessions: Sequence[Session], *, clashes_agreed: bool) -> None:
        self.agreed.append(clashes_agreed)
        self.sessions |= {session.id: session for session in sessions}

    async def release(self, session: TherapySessionId) -> None:
        self.released.append(session)

    async def add_bookings(self, bookings: Sequence[tuple[TherapySessionId, Booking]]) -> None:
        for session, booking in bookings:
            kept = self.sessions[session]
            self.sessions[session] = replace(kept, roster=(*kept.roster, booking))

    async def add_waiting(
        self, session: TherapySessionId, clients: Sequence[ClientId], *, by: StaffId, now: datetime
    ) -> None:
        kept = self.sessions[session]
        self.sessions[session] = replace(kept, waiting=(*kept.waiting, *clients))

    async def next_waiting(self, session: TherapySessionId) -> ClientId | None:
        return next(iter(self.sessions[session].waiting), None)

    async def end_waiting(
        self, session: TherapySessionId, client: ClientId, *, how: WaitOver, by: StaffId, now: datetime
    ) -> None:
        kept = self.sessions[session]
        self.sessions[session] = replace(kept, waiting=tuple(each for each in kept.waiting if each != client))

    async def add_cancellation(self, session: TherapySessionId, cancellation: Cancellation) -> None:
        kept = self.sessions[session]
        roster = [
            replace(each, cancellation=cancellation) if each.client == cancellation.client else each
            for each in kept.roster
        ]
        self.sessions[session] = replace(kept, roster=tuple(roster))

    async def cancel_from(
        self, since: datetime, *, client: ClientId, reason: str, by: StaffId, now: datetime
    ) -> Sequence[TherapySessionId]:
        raise NotImplementedError

    async def add_relatives(self, session: TherapySessionId, places: Sequence[RelativePlace]) -> None:
        raise NotImplementedError

    async def add_relative_cancellation(self, place: RelativePlaceId, cancellation: RelativeCancellation) -> None:
        raise NotImplementedError

    async def door(self, clients: Collection[ClientId], *, of: ProgrammeId) -> Door:
        raise NotImplementedError

    async def add_register(self, register: Register) -> None:
        self.registers.append(register)
        self.sessions[register.session] = replace(self.sessions[register.session], register=register)


class Group:
    """A group on Monday at ten for an hour, led by Robin."""

    async def call_off(self, session: Session, reason: str) -> Register:
        return await call_off(session, reason, by=self.by, now=TEN - HOUR, sessions=self.kept, journal=self.journal)

    def __init__(self) -> None:
        self.kept = Kept()
        self.journal = Remembered()
        self.by = ROBIN

    async def plan(
        self,
        *clients: ClientId,
        now: datetime = TEN - HOUR,
        clashes_agreed: bool = False,
        rules: SessionRules = RULES,
        **wanted: Any,
    ) -> Session:
        return await plan_session(
            group(**wanted),
            clients,
            as_id=TherapySessionId(new_id()),
            programme=PROGRAMME,
            rules=rules,
            clashes_agreed=clashes_agreed,
            by=self.by,
            now=now,
            sessions=self.kept,
            journal=self.journal,
        )

    async def book(self, session: Session, *clients: ClientId) -> Session:
        return await book(session, clients, by=self.by, now=TEN - HOUR, sessions=self.kept, journal=self.journal)

    async def cancel(
        self, session: Session, client: ClientId, *, by: CancelledBy = CancelledBy.CLIENT, reason: str = "Work"
    ) -> Session:
        return await cancel(
            session,
            client,
            cancelled_by=by,
            reason=reason,
            by=self.by,
            now=TEN - HOUR,
            sessions=self.kept,
            journal=self.journal,
        )

    async def take(self, session: Session, *lines: Line, now: datetime = TEN + HOUR, **times: Any) -> Register:
        return await take_register(
            session, taking(*lines, **times), by=self.by, now=now, sessions=self.kept, journal=self.journal
        )

    async def correct(
        self,
        session: Session,
        *lines: Line,
        version: int = 1,
        reason: str = "Wrong line",
        now: datetime = TEN + 2 * HOUR,
        **times: Any,
    ) -> Register:
        return await correct_register(
            self.kept.sessions[session.id],
            taking(*lines, **times),
            reason=reason,
            version=version,
            by=self.by,
            now=now,
            sessions=self.kept,
            journal=self.journal,
        )

    def told(self) -> list[str]:
        return [event.name for event in self.journal.events]


def group(**wanted: Any) -> Wanted:
    usual: dict[str, Any] = {
        "kind": SessionKind.GROUP,
        "title": "Relapse prevention",
        "starts_at": TEN,
        "ends_at": TEN + HOUR,
        "facilitators": (ROBIN.id,),
    }
    return Wanted(**{**usual, **wanted})


def taking(
    *lines: Line, started_at: datetime = TEN, ended_at: datetime = TEN + HOUR, note: str | None = None
) -> Taking:
    return Taking(started_at=started_at, ended_at=ended_at, lines=lines, note=note)


def attended(client: ClientId, **more: Any) -> Line:
    return Line(client=client, status=Status.ATTENDED, **more)


def stayed_away(client: ClientId) -> Line:
    return Line(client=client, status=Status.DID_NOT_ATTEND)


@pytest.fixture
def monday() -> Group:
    return Group()


# Sessions and rosters.


async def test_a_session_is_planned_with_those_expected(monday: Group) -> None:
    session = await monday.plan(ADA, BEN)

    assert session.expected == {ADA, BEN}
    assert monday.kept.sessions[session.id] == session
    assert monday.told() == ["session.planned", "session.booked", "session.booked"]
    assert [event.client for event in monday.journal.events] == [None, ADA, BEN]


async def test_a_session_can_be_planned_before_anybody_is_expected_and_after_it_took_place(monday: Group) -> None:
    session = await monday.plan(now=TEN + 2 * HOUR)

    assert session.expected == frozenset()


@pytest.mark.parametrize(
    ("wanted", "fields"),
    [
        ({"title": " ", "place": " "}, ["title", "place"]),
        ({"title": "x" * 201, "place": "x" * 201}, ["title", "place"]),
        ({"ends_at": TEN}, ["ends_at"]),
        ({"ends_at": TEN + 13 * HOUR}, ["ends_at"]),
        ({"facilitators": ()}, ["facilitators"]),
        ({"facilitators": (ROBIN.id, ROBIN.id)}, ["facilitators"]),
        ({"facilitators": tuple(StaffId(new_id()) for _ in range(11))}, ["facilitators"]),
        ({"capacity": 0}, ["capacity"]),
        ({"capacity": 201}, ["capacity"]),
        ({"link": "http://example.org/room"}, ["link"]),
        ({"link": "https://example.org/a room"}, ["link"]),
        ({"link": "https://" + "x" * 493}, ["link"]),
    ],
)
def test_a_session_that_cannot_be_is_refused_with_every_field(wanted: dict[str, Any], fields: list[str]) -> None:
    with pytest.raises(Invalid) as refused:
        group(**wanted)

    assert [fault.field for fault in refused.value.faults] == fields


@pytest.mark.parametrize("starts_at", [TEN - FURTHEST - 2 * HOUR, TEN + FURTHEST + HOUR])
async def test_a_session_lies_within_two_years(monday: Group, starts_at: datetime) -> None:
    with pytest.raises(Invalid, match="within two years"):
        await monday.plan(starts_at=starts_at, ends_at=starts_at + HOUR)


async def test_only_somebody_who_may_take_its_register_leads_a_session(monday: Group) -> None:
    with pytest.raises(Invalid) as refused:
        await monday.plan(facilitators=(ROBIN.id, StaffId(new_id())))

    assert [fault.field for fault in refused.value.faults] == ["facilitators.1"]


async def test_everything_about_sessions_needs_a_role_in_their_programme(monday: Group) -> None:
    session = await monday.plan(ADA)
    monday.by = counsellor(ProgrammeId(new_id()))

    with pytest.raises(NotPermitted):
        await monday.plan()
    with pytest.raises(NotPermitted):
        await monday.book(session, BEN)
    with pytest.raises(NotPermitted):
        await monday.cancel(session, ADA)
    with pytest.raises(NotPermitted):
        await monday.take(session, attended(ADA))
    with pytest.raises(NotPermitted):
        await monday.correct(session, attended(ADA))
    monday.by = counsellor(PROGRAMME, role=Role.NURSE)
    with pytest.raises(NotPermitted):
        await monday.take(session, attended(ADA))


async def test_the_register_is_for_whoever_leads_the_session_or_sees_the_programmes_clients(monday: Group) -> None:
    session = await monday.plan(ADA)
    on_duty = replace(
        counsellor(PROGRAMME), holdings=(Holding(role=Role.COUNSELLOR, programme=PROGRAMME, on_duty=True),)
    )
    colleague, supervisor = counsellor(PROGRAMME), counsellor(PROGRAMME, role=Role.SUPERVISOR)

    seeing = {
        each.id: sees_everybody(session, by=each, act=Act.TAKE_REGISTER)
        for each in (ROBIN, colleague, on_duty, supervisor)
    }
    assert seeing == {ROBIN.id: True, colleague.id: False, on_duty.id: True, supervisor.id: True}
    monday.by = colleague
    with pytest.raises(NotYourSession):
        await monday.take(session, attended(ADA))
    with pytest.raises(NotYourSession):
        await monday.correct(session, attended(ADA))


async def test_with_a_restricted_client_on_it_a_roster_is_whole_for_whoever_leads_and_whoever_is_named(
    monday: Group,
) -> None:
    session = await monday.plan(ADA)
    supervisor = counsellor(PROGRAMME, role=Role.SUPERVISOR)
    closed = Apart(closed=((ADA, PROGRAMME),))
    for by, all_of_it in (
        (supervisor, True),
        (replace(supervisor, apart=closed), False),
        (replace(supervisor, apart=Apart(closed=((STRANGER, PROGRAMME),))), True),
        (replace(supervisor, apart=Apart(named=frozenset({ADA}))), True),
        (replace(ROBIN, apart=closed), True),
        (counsellor(PROGRAMME), False),
    ):
        assert sees_everybody(session, by=by, act=Act.TAKE_REGISTER) is all_of_it
    waits = replace(session, roster=(), waiting=(ADA,))
    assert not sees_everybody(waits, by=replace(supervisor, apart=closed), act=Act.TAKE_REGISTER)


async def test_nobody_is_booked_twice_or_from_outside_ones_reach(monday: Group) -> None:
    session = await monday.plan(ADA)

    with pytest.raises(Invalid) as refused:
        await monday.book(session, BEN, BEN, STRANGER)
    assert [fault.field for fault in refused.value.faults] == ["clients.1", "clients.2"]
    with pytest.raises(AlreadyOnRoster):
        await monday.book(session, BEN, ADA)


async def test_a_session_takes_as_many_as_it_has_places_and_a_cancelled_place_is_free_again(monday: Group) -> None:
    session = await monday.plan(ADA, BEN, capacity=2)

    with pytest.raises(SessionFull):
        await monday.book(session, CLEO)
    session = await monday.cancel(session, ADA)
    session = await monday.book(session, CLEO)

    assert session.expected == {BEN, CLEO}
    with pytest.raises(AlreadyOnRoster):
        await monday.book(session, ADA)


async def test_a_group_has_no_more_places_than_the_programme_says(monday: Group) -> None:
    assert (await monday.plan(capacity=12)).wanted.places == 12
    assert (await monday.plan()).wanted.places == 12, "where nobody said how many"
    with pytest.raises(Invalid) as refused:
        await monday.plan(capacity=13)
    assert [fault.field for fault in refused.value.faults] == ["capacity"]
    assert "12" in refused.value.detail
    assert (await monday.plan(kind=SessionKind.INDIVIDUAL, capacity=13)).wanted.places == 1


def a_clash() -> Clash:
    return Clash(on=ClaimOn.ROOM, session=TherapySessionId(new_id()), starts_at=TEN, ends_at=TEN + HOUR)


async def test_a_taken_room_or_leader_is_refused_with_what_it_clashes_unless_somebody_means_it(monday: Group) -> None:
    monday.kept.taken = [a_clash()]
    with pytest.raises(SessionClashes) as refused:
        await monday.plan(place="Room 3")
    assert refused.value.facts["clashes"] == [
        {
            "of": "room",
            "session_id": str(monday.kept.taken[0].session),
            "starts_at": TEN.isoformat(),
            "ends_at": (TEN + HOUR).isoformat(),
        }
    ]
    await monday.plan(place="Room 3", clashes_agreed=True)
    await monday.plan(place="Room 3", now=TEN + HOUR)
    assert monday.kept.agreed == [True, True], "what is over was, whatever it clashes with"
    monday.kept.taken = [a_clash() for _ in range(MOST_TOLD + 5)]
    with pytest.raises(SessionClashes) as many:
        await monday.plan(now=TEN + HOUR - MINUTE)
    assert (len(cast("list[object]", many.value.facts["clashes"])), many.value.facts["more"]) == (MOST_TOLD, 5)


def test_a_room_is_one_however_it_is_written_and_another_in_another_programme() -> None:
    def rooms(place: str | None, programme: ProgrammeId = PROGRAMME) -> list[str]:
        found = claims_of(programme, place=place, facilitators=(), starts_at=TEN, ends_at=TEN + HOUR)
        return [each.key for each in found]

    assert rooms("Room 3") == rooms("  ROOM\u00a0 3 ")
    assert rooms("Room 3") != rooms("Room 33")
    assert rooms("Room 3") != rooms("Room 3", ProgrammeId(new_id()))
    assert rooms(None) == []


async def test_a_session_that_is_called_off_lets_go_of_its_room_and_counts_against_nobody(monday: Group) -> None:
    session = await monday.plan(ADA, BEN)
    with pytest.raises(Invalid, match="say why"):
        await monday.call_off(session, " ")
    register = await monday.call_off(session, "The boiler is broken.")
    assert {line.status for line in register.lines} == {Status.CANCELLED_BY_PROVIDER}
    assert (register.note, monday.kept.released) == ("The boiler is broken.", [session.id])
    other = await monday.plan(ADA)
    await monday.take(other, attended(ADA))
    assert monday.kept.released == [session.id]


@pytest.mark.parametrize("kind", sorted(FOR_ONE))
async def test_a_session_about_one_client_has_one_place(monday: Group, kind: SessionKind) -> None:
    with pytest.raises(SessionFull):
        await monday.plan(ADA, BEN, kind=kind, capacity=5)


def test_peer_support_is_never_billable_and_therapy_is() -> None:
    assert SessionKind.PEER_SUPPORT in NEVER_BILLABLE
    assert SessionKind.GROUP not in NEVER_BILLABLE


@pytest.mark.parametrize("agreed", [False, True])
async def test_that_the_others_agreed_to_whoever_waits_is_a_fact_of_the_wait(monday: Group, *, agreed: bool) -> None:
    await wait(
        await monday.plan(ADA, capacity=1),
        [BEN],
        by=ROBIN,
        now=TEN,
        sessions=monday.kept,
        journal=monday.journal,
        others_agreed=agreed,
    )
    assert monday.journal.events[-1].facts == {"others_agreed": int(agreed)}


async def test_a_place_is_called_off_once_with_a_reason(monday: Group) -> None:
    session = await monday.plan(ADA)

    with pytest.raises(Invalid, match="say why"):
        await monday.cancel(session, ADA, reason=" ")
    with pytest.raises(Invalid, match="at most"):
        await monday.cancel(session, ADA, reason="x" * 4001)
    with pytest.raises(NotOnRoster):
        await monday.cancel(session, BEN)
    session = await monday.cancel(session, ADA)
    with pytest.raises(NotOnRoster):
        await monday.cancel(session, ADA)
    assert monday.journal.events[-1].facts == {"by": "client"}


# The register.


async def test_a_register_takes_everybody_in_one_call(monday: Group) -> None:
    session = await monday.plan(ADA, BEN, CLEO, DAN)

    register = await monday.take(
        session,
        attended(ADA, note="Spoke about work"),
        Line(client=BEN, status=Status.ATTENDED_LATE, late_minutes=10),
        Line(client=CLEO, status=Status.LEFT_EARLY, late_minutes=5, left_early_minutes=20),
        stayed_away(DAN),
        note="Triggers",
    )

    assert [register.minutes(line) for line in register.lines] == [60, 50, 35, 0]
    assert (register.version, register.reason, register.taken_by) == (1, None, ROBIN.id)
    assert monday.told()[-4:] == ["session.register_taken"] * 4
    assert [event.client for event in monday.journal.events[-4:]] == [ADA, BEN, CLEO, DAN]


async def test_a_register_sent_twice_is_refused_and_says_when_it_was_taken(monday: Group) -> None:
    session = await monday.plan(ADA)
    await monday.take(session, attended(ADA))

    with pytest.raises(RegisterAlreadyTaken) as refused:
        await monday.take(monday.kept.sessions[session.id], attended(ADA))

    assert refused.value.facts == {"taken_at": (TEN + HOUR).isoformat(), "version": 1}
    with pytest.raises(RosterClosed):
        await monday.book(monday.kept.sessions[session.id], BEN)
    with pytest.raises(RosterClosed):
        await monday.cancel(monday.kept.sessions[session.id], ADA)


async def test_nobody_expected_is_left_out_and_nobody_has_two_lines(monday: Group) -> None:
    session = await monday.plan(ADA, BEN, CLEO)

    with pytest.raises(Invalid) as refused:
        await monday.take(session, attended(ADA), stayed_away(ADA))

    assert [(fault.field, fault.problem) for fault in refused.value.faults] == [
        ("lines.1.client_id", "has a line already"),
        ("lines", "2 of those expected have no line"),
    ]


async def test_a_place_called_off_before_has_its_line_by_itself(monday: Group) -> None:
    session = await monday.plan(ADA, BEN, CLEO)
    session = await monday.cancel(session, BEN, by=CancelledBy.PROVIDER)
    session = await monday.cancel(session, CLEO)

    register = await monday.take(session, attended(ADA))

    assert [(line.client, line.status) for line in register.lines] == [
        (ADA, Status.ATTENDED),
        (BEN, Status.CANCELLED_BY_PROVIDER),
        (CLEO, Status.CANCELLED_BY_CLIENT),
    ]


async def test_whoever_called_off_and_came_all_the_same_attended(monday: Group) -> None:
    session = await monday.cancel(await monday.plan(ADA), ADA)

    register = await monday.take(session, attended(ADA))

    assert [line.status for line in register.lines] == [Status.ATTENDED]


async def test_a_walk_in_is_somebody_in_care_whom_nobody_expected(monday: Group) -> None:
    session = await monday.plan(ADA)

    register = await monday.take(session, attended(ADA), attended(BEN, walk_in=True))
    assert [line.walk_in for line in register.lines] == [False, True]


@pytest.mark.parametrize(
    ("lines", "fields"),
    [
        ([attended(BEN)], ["lines.0.walk_in"]),
        ([attended(ADA, walk_in=True)], ["lines.0.walk_in"]),
        ([attended(ADA), attended(STRANGER, walk_in=True)], ["lines.1.client_id"]),
        ([attended(ADA), Line(client=BEN, status=Status.DID_NOT_ATTEND, walk_in=True)], ["lines.1.status"]),
        ([Line(client=ADA, status=Status.ATTENDED_LATE)], ["lines.0.late_minutes"]),
        ([Line(client=ADA, status=Status.ATTENDED_LATE, late_minutes=0)], ["lines.0.late_minutes"]),
        ([Line(client=ADA, status=Status.ATTENDED_LATE, late_minutes=60)], ["lines.0"]),
        ([Line(client=ADA, status=Status.ATTENDED, late_minutes=5)], ["lines.0.late_minutes"]),
        ([Line(client=ADA, status=Status.LEFT_EARLY)], ["lines.0.left_early_minutes"]),
        ([Line(client=ADA, status=Status.LEFT_EARLY, left_early_minutes=0)], ["lines.0.left_early_minutes"]),
        ([Line(client=ADA, status=Status.LEFT_EARLY, late_minutes=30, left_early_minutes=30)], ["lines.0"]),
        (
            [Line(client=ADA, status=Status.DID_NOT_ATTEND, left_early_minutes=5)],
            ["lines.0.left_early_minutes"],
        ),
        ([attended(ADA, note="x" * 4001)], ["lines.0.note"]),
    ],
)
async def test_a_line_that_contradicts_itself_is_named(monday: Group, lines: list[Line], fields: list[str]) -> None:
    session = await monday.plan(ADA)

    with pytest.raises(Invalid) as refused:
        await monday.take(session, *lines)

    found = [fault.field for fault in refused.value.faults]
    assert [field for field in found if field != "lines"] == fields


async def test_a_session_about_one_client_has_no_walk_ins(monday: Group) -> None:
    session = await monday.plan(ADA, kind=SessionKind.INDIVIDUAL)

    with pytest.raises(Invalid, match="about one client"):
        await monday.take(session, attended(ADA), attended(BEN, walk_in=True))


async def test_before_a_session_begins_only_cancellations_can_be_recorded(monday: Group) -> None:
    session = await monday.plan(ADA, BEN)
    called_off = [Line(client=client, status=Status.CANCELLED_BY_PROVIDER) for client in (ADA, BEN)]

    with pytest.raises(Invalid, match="only cancellations"):
        await monday.take(session, called_off[0], stayed_away(BEN), now=TEN - MINUTE)
    register = await monday.take(session, *called_off, now=TEN - MINUTE)

    assert {line.status for line in register.lines} == {Status.CANCELLED_BY_PROVIDER}


@pytest.mark.parametrize(
    ("times", "now"),
    [
        ({"ended_at": TEN}, TEN + HOUR),
        ({"ended_at": TEN + 13 * HOUR}, TEN + 14 * HOUR),
        ({"ended_at": TEN + HOUR + MINUTE}, TEN + MINUTE),
    ],
)
async def test_a_register_says_when_the_session_really_was(monday: Group, times: dict[str, Any], now: datetime) -> None:
    session = await monday.plan(ADA)

    with pytest.raises(Invalid, match="ended_at"):
        await monday.take(session, attended(ADA), now=now, **times)


async def test_a_register_can_be_taken_while_the_session_goes_on(monday: Group) -> None:
    session = await monday.plan(ADA)

    register = await monday.take(session, attended(ADA), now=TEN + MINUTE)

    assert register.ended_at == TEN + HOUR


async def test_a_group_has_two_hundred_members_at_most(monday: Group) -> None:
    crowd = [ClientId(new_id()) for _ in range(201)]
    monday.kept.clients |= set(crowd)
    with pytest.raises(SessionFull):
        await monday.plan(*crowd[:200])
    session = await monday.plan(*crowd[:200], rules=replace(RULES, group_places=200))

    with pytest.raises(Invalid, match="200 at most"):
        await monday.take(session, *(attended(each, walk_in=each == crowd[-1]) for each in crowd))
    register = await monday.take(session, *(attended(each) for each in crowd[:200]))
    assert len(register.lines) == 200


async def test_a_correction_is_the_next_version_with_its_reason(monday: Group) -> None:
    session = await monday.plan(ADA, BEN)
    first = await monday.take(session, attended(ADA), stayed_away(BEN))

    second = await monday.correct(session, attended(ADA), Line(client=BEN, status=Status.CANCELLED_BY_PROVIDER))

    assert monday.kept.registers == [first, second]
    assert (second.version, second.reason) == (2, "Wrong line")
    assert monday.told()[-2:] == ["session.register_corrected"] * 2


async def test_a_correction_drops_nobody_but_can_say_that_somebody_was_never_there(monday: Group) -> None:
    session = await monday.plan(ADA)
    await monday.take(session, attended(ADA), attended(BEN, walk_in=True))

    with pytest.raises(Invalid, match="1 of those expected"):
        await monday.correct(session, attended(ADA))
    corrected = await monday.correct(
        session, attended(ADA), Line(client=BEN, status=Status.RECORDED_IN_ERROR, walk_in=True)
    )

    assert corrected.minutes(corrected.lines[1]) == 0


async def test_a_correction_needs_a_register_a_reason_and_the_version_one_saw(monday: Group) -> None:
    session = await monday.plan(ADA)

    with pytest.raises(RegisterMissing):
        await monday.correct(session, attended(ADA))
    await monday.take(session, attended(ADA))
    with pytest.raises(RegisterChanged):
        await monday.correct(session, attended(ADA), version=2)
    with pytest.raises(Invalid) as refused:
        await monday.correct(session, attended(ADA), reason=" ", note="x" * 4001)
    assert [fault.field for fault in refused.value.faults] == ["note", "reason"]


# What it adds up to.


def test_a_cancellation_by_the_provider_never_counts_against_the_client() -> None:
    told = totals(
        [
            Attendance(status=Status.ATTENDED, minutes=60),
            Attendance(status=Status.CANCELLED_BY_PROVIDER, minutes=0),
            Attendance(status=Status.RECORDED_IN_ERROR, minutes=0),
            Attendance(status=None, minutes=None),
        ],
        minimum_minutes=8,
    )

    assert (told.counted, told.rate_percent) == (1, 100)
    assert (told.cancelled_by_provider, told.recorded_in_error, told.not_known) == (1, 1, 1)


def test_whoever_stayed_too_short_neither_attended_nor_stayed_away() -> None:
    told = totals(
        [
            Attendance(status=Status.ATTENDED_LATE, minutes=7),
            Attendance(status=Status.ATTENDED_LATE, minutes=8),
            Attendance(status=Status.LEFT_EARLY, minutes=None),
            Attendance(status=Status.DID_NOT_ATTEND, minutes=None),
            Attendance(status=Status.CANCELLED_BY_CLIENT, minutes=None),
        ],
        minimum_minutes=8,
    )

    assert (told.attended, told.too_short, told.did_not_attend, told.cancelled_by_client) == (2, 1, 1, 1)
    assert (told.minutes, told.counted, told.rate_percent) == (15, 5, 40)


def test_of_nothing_there_is_no_rate() -> None:
    assert totals([], minimum_minutes=8).rate_percent is None


attendances = st.lists(
    st.builds(
        Attendance,
        status=st.none() | st.sampled_from(Status),
        minutes=st.none() | st.integers(0, 180),
    )
)


@given(attendances, attendances, st.integers(0, 30))
def test_totals_account_for_every_place_and_add_up(
    some: list[Attendance], others: list[Attendance], minimum: int
) -> None:
    here, there, both = (totals(each, minimum_minutes=minimum) for each in (some, others, some + others))

    for told, places in ((here, some), (both, some + others)):
        excluded = told.cancelled_by_provider + told.recorded_in_error + told.not_known
        assert told.counted + excluded == len(places)
        assert told.attended + told.too_short == sum(1 for each in places if each.status in WAS_THERE)
    assert both.attended == here.attended + there.attended
    assert both.minutes == here.minutes + there.minutes
