"""What people left in the log, added up by person and day."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.audit.leaf import made_at
from caseload.audit.traces import LogTraces
from caseload.audit.trail import AuditTrail, Circumstances, Entry, Outcome, Pending, Purpose
from caseload.domain.accesslog import LogScope
from caseload.domain.ids import ClientId, EntryId, ProgrammeId, new_id
from caseload.domain.oversight import NamedFor, Places, RestrictedWhile, Span
from tests.factories.audit import Someone, a_client, a_pending, a_trail, seen

pytestmark = pytest.mark.anyio

EVERYTHING = LogScope(programmes=None)
HERE, THERE = ProgrammeId(new_id()), ProgrammeId(new_id())
# A day ahead of and a day behind each other at every moment.
PLACES = Places(zones={HERE: ZoneInfo("Pacific/Kiritimati"), THERE: ZoneInfo("Pacific/Niue"), None: ZoneInfo("UTC")})
ONE = "GET /api/v1/clients/{client_id}"
LIST = "GET /api/v1/check-ins/overdue"


@pytest.fixture
def trail() -> AuditTrail:
    return a_trail()


def around(*entries: Entry) -> Span:
    times = [made_at(entry.id) for entry in entries]
    return Span(since=min(times), until=max(times) + timedelta(milliseconds=1))


async def left(
    connection: AsyncConnection,
    trail: AuditTrail,
    *clients: ClientId,
    by: Someone,
    route: str = ONE,
    event: str = "client.read",
    purpose: Purpose = Purpose.TREATMENT,
    outcome: Outcome = Outcome.DONE,
    status: int = 200,
    programme: ProgrammeId | None = HERE,
) -> Entry:
    said = Circumstances(route=route, event=event, purpose=purpose, programme=programme)
    pending = a_pending(seen(clients), actor=by, circumstances=said, outcome=outcome, status=status)
    return await trail.append(connection, pending)


async def test_opened_is_one_record_by_its_own_route_and_not_a_list_or_a_look_at_the_log(
    connection: AsyncConnection, trail: AuditTrail
) -> None:
    nurse, other, client, second = Someone(), Someone(), a_client(), a_client()
    written = [
        await left(connection, trail, client, by=nurse),
        await left(connection, trail, client, by=nurse),
        await left(connection, trail, client, by=nurse, route=LIST),
        await left(connection, trail, client, second, by=nurse),
        await left(connection, trail, client, by=nurse, purpose=Purpose.COMPLIANCE),
        await left(connection, trail, client, by=nurse, outcome=Outcome.REFUSED, status=404),
        await left(connection, trail, second, by=other, programme=THERE),
        await left(connection, trail, by=nurse),
    ]
    span, traces = around(*written), LogTraces(connection, trail)
    found = {trace.actor: trace for trace in await traces.opened(span, EVERYTHING, PLACES)}
    assert found.keys() == {nurse.id, other.id}
    mine = found[nurse.id]
    assert (mine.client, mine.entries, mine.first) == (client, 2, written[0].id)
    assert (mine.first_at, mine.last_at) == (made_at(written[0].id), made_at(written[1].id))
    assert (found[other.id].client, found[other.id].clients) == (second, 1)
    assert (mine.day - found[other.id].day).days == 1, "a day is that of the programme's own clock"
    [scoped] = await traces.opened(span, LogScope(programmes=frozenset({THERE})), PLACES)
    assert scoped.actor == other.id
    [earlier] = await traces.opened(Span(since=span.since, until=made_at(written[1].id)), EVERYTHING, PLACES) or [None]
    assert earlier is None or earlier.entries == 1


async def test_reading_is_counted_by_quarters_of_an_hour(connection: AsyncConnection, trail: AuditTrail) -> None:
    nurse = Someone()
    written = [await left(connection, trail, a_client(), by=nurse) for _ in range(3)]
    written.append(await left(connection, trail, by=nurse))
    quarters = await LogTraces(connection, trail).quarters(around(*written), EVERYTHING)
    assert sum(each.entries for each in quarters) == 3, "an entry that names nobody is no reading of client data"
    first = min(quarters, key=lambda each: each.first)
    assert (first.actor, first.programme, first.first) == (nurse.id, HERE, written[0].id)
    assert first.begins <= made_at(written[0].id) < first.begins + timedelta(minutes=15)
    assert first.begins.minute % 15 == first.begins.second == 0


async def test_whoever_is_shown_twice_counts_once(connection: AsyncConnection, trail: AuditTrail) -> None:
    nurse, clients = Someone(), [a_client() for _ in range(5)]
    written = [
        await left(connection, trail, *clients[:3], by=nurse, route=LIST),
        await left(connection, trail, *clients[1:], by=nurse, route=LIST),
        await left(connection, trail, *[a_client() for _ in range(9)], by=nurse, event="downtime_sheet.print"),
    ]
    [day] = await LogTraces(connection, trail).shown(around(*written), EVERYTHING, PLACES, but=["downtime_sheet.print"])
    assert (day.actor, day.clients, day.entries, day.first) == (nurse.id, 5, 2, written[0].id)


async def test_events_are_counted_by_name(connection: AsyncConnection, trail: AuditTrail) -> None:
    auditor = Someone()
    written = [
        await left(connection, trail, by=auditor, event=event) for event in ("audit_log.exported", "client.read")
    ]
    [day] = await LogTraces(connection, trail).told(around(*written), EVERYTHING, PLACES, events=["audit_log.exported"])
    assert (day.actor, day.entries, day.first, day.clients) == (auditor.id, 1, written[0].id, 0)


async def test_refusals_are_what_was_not_allowed_or_not_there(connection: AsyncConnection, trail: AuditTrail) -> None:
    nurse, client = Someone(), a_client()
    written = [
        await left(connection, trail, client, by=nurse, outcome=Outcome.REFUSED, status=status)
        for status in (403, 404, 409, 422)
    ]
    written.append(await left(connection, trail, client, by=nurse, outcome=Outcome.FAILED, status=500))
    [day] = await LogTraces(connection, trail).refused(around(*written), EVERYTHING, PLACES)
    assert (day.actor, day.entries) == (nurse.id, 2)


async def test_what_somebody_did_after_their_end(connection: AsyncConnection, trail: AuditTrail) -> None:
    gone, other = Someone(), Someone()
    written = [await left(connection, trail, by=gone) for _ in range(3)]
    written.append(await left(connection, trail, by=other))
    traces, ended = LogTraces(connection, trail), made_at(written[1].id)
    found = await traces.after({gone.id: ended}, around(*written), PLACES)
    assert {trace.actor for trace in found} == {gone.id}
    assert sum(trace.entries for trace in found) == sum(made_at(entry.id) >= ended for entry in written[:3])
    assert await traces.after({}, around(*written), PLACES) == []


async def test_who_left_an_entry(connection: AsyncConnection, trail: AuditTrail) -> None:
    nurse = Someone()
    entry = await left(connection, trail, by=nurse)
    said = Circumstances(route=LIST, event="session.sign_in")
    anonymous = await trail.append(connection, Pending(actor=None, circumstances=said, outcome=Outcome.REFUSED))
    traces = LogTraces(connection, trail)
    assert await traces.actor_of(entry.id, EVERYTHING) == nurse.id
    assert await traces.actor_of(entry.id, LogScope(programmes=frozenset({THERE}))) is None
    for nobody in (anonymous.id, EntryId(new_id())):
        assert await traces.actor_of(nobody, EVERYTHING) is None


async def test_restricted_is_whoever_was_shown_them_unnamed_while_they_were_restricted(
    connection: AsyncConnection, trail: AuditTrail
) -> None:
    nurse, named, officer, client, other = Someone(), Someone(), Someone(), a_client(), a_client()
    before = await left(connection, trail, client, by=nurse)
    first = await left(connection, trail, client, other, by=nurse, route=LIST)
    written = [
        first,
        await left(connection, trail, client, by=named),
        await left(connection, trail, client, by=officer, purpose=Purpose.COMPLIANCE),
        await left(connection, trail, client, by=officer, purpose=Purpose.BREAK_GLASS),
        await left(connection, trail, client, by=officer, outcome=Outcome.REFUSED, status=404),
        await left(connection, trail, other, by=officer),
    ]
    late = await left(connection, trail, client, by=named)
    span, traces = around(before, late), LogTraces(connection, trail)
    since, over, ends = made_at(first.id), made_at(late.id) + timedelta(seconds=1), made_at(late.id)
    assert made_at(before.id) <= since <= made_at(written[1].id) <= ends
    restricted = [
        RestrictedWhile(
            client=client, since=since, until=over, named=(NamedFor(staff=named.id, since=since, until=None),)
        ),
        RestrictedWhile(client=a_client(), since=since, until=None, named=()),
    ]
    [found] = await traces.restricted(span, EVERYTHING, PLACES, restricted)
    assert (found.actor, found.client) == (nurse.id, client)
    assert found.first in {before.id, first.id}  # within the same millisecond as its beginning
    assert await traces.restricted(span, LogScope(programmes=frozenset({THERE})), PLACES, restricted) == []

    for_a_moment = [RestrictedWhile(client=client, since=since, until=over, named=(
        NamedFor(staff=nurse.id, since=since, until=None), NamedFor(staff=named.id, since=since, until=since)
    ))]  # fmt: skip
    assert {each.actor for each in await traces.restricted(span, EVERYTHING, PLACES, for_a_moment)} == {named.id}
    nobody_yet = [RestrictedWhile(client=client, since=over, until=None, named=())]
    assert await traces.restricted(span, EVERYTHING, PLACES, nobody_yet) == []
