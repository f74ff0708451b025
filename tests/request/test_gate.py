"""The gate: nothing unaudited leaves, nothing is half done, and no connection is lost, whatever happens when."""

import asyncio
import json
import random
from contextlib import suppress
from dataclasses import replace
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import insert, select, text

from caseload.audit import batcher as batching
from caseload.audit.leaf import Outcome
from caseload.db.tables import idempotency
from caseload.domain.errors import Conflict
from caseload.domain.ids import ClientId, new_id
from caseload.request.asgi import App, Message, Receive, Scope, Send
from caseload.request.gate import REQUEST, Gate, StreamBroke, work_of
from caseload.request.intake import BODY, FAULT, BodyFault, Limits
from caseload.request.work import NotOpen, Work
from caseload.settings import Proxies
from tests.request.conftest import Answer, Bench, application, keep_a_row

pytestmark = pytest.mark.anyio

UNAVAILABLE = "urn:caseload:problem:unavailable"
UNKNOWN = "urn:caseload:problem:outcome-unknown"
CHANGED_AT_THE_END = "urn:caseload:problem:conflict"


def problem(answer: Answer) -> str:
    """The type of the problem that left."""
    assert answer.headers[b"content-type"] == b"application/problem+json"
    return json.loads(answer.body)["type"]


async def look(work: Work) -> None:
    """Read something about a client."""
    await work.connection.execute(select(1))
    work.journal.saw(ClientId(new_id()), "identity")


class HeldBack:
    """Holds every append to the log back until the test lets it go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached = asyncio.Event()
        self.go = asyncio.Event()
        original = batching._Line._append

        async def append(line: batching._Line, entries: object) -> None:
            self.reached.set()
            await self.go.wait()
            await original(line, entries)  # type: ignore[arg-type]  the method, stood in for and called as one

        monkeypatch.setattr(batching._Line, "_append", append)


# What is kept, and when the answer may leave.


async def test_a_write_and_its_entry_are_kept_together_before_the_answer_leaves(bench: Bench) -> None:
    answer = Answer()

    async def doing(work: Work) -> None:
        await keep_a_row(work)
        assert await bench.rows() == 0
        assert answer.messages == []

    await bench.ask(bench.gate(application(bench, doing)), answer=answer)

    assert (answer.status, answer.body) == (201, b"done")
    assert await bench.rows() == 1
    (entry,) = await bench.entries()
    assert (entry.event, entry.outcome, entry.status) == ("thing.tried", Outcome.DONE, 201)
    assert bench.connections_out() == 0


@pytest.mark.parametrize(("proxies", "source"), [("192.0.2.7", "198.51.100.4"), ("", "192.0.2.7")])
async def test_whoever_a_proxy_of_ours_names_is_the_source(bench: Bench, proxies: str, source: str) -> None:
    settings = msgspec.structs.replace(bench.service.settings, trusted_proxies=Proxies(proxies))
    seen: list[str] = []

    async def doing(work: Work) -> None:
        seen.append(work.circumstances.source)

    inner = Gate(application(bench, doing), lambda: replace(bench.service, settings=settings))

    async def behind_proxy(scope: Scope, receive: Receive, send: Send) -> None:
        await inner({**scope, "headers": [(b"x-forwarded-for", b"6.6.6.6, 198.51.100.4")]}, receive, send)

    await bench.ask(behind_proxy)
    assert seen == [source]


async def test_a_read_does_not_leave_before_its_entry_is_durable(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    held = HeldBack(monkeypatch)
    answer = Answer()

    asking = asyncio.create_task(
        bench.ask(bench.gate(application(bench, look, writes=False, status=200)), answer=answer)
    )
    await held.reached.wait()
    await asyncio.sleep(0.05)

    assert answer.messages == []
    assert bench.connections_out() == 0, "a read gives its connection back before it waits"
    held.go.set()
    await asking
    assert answer.status == 200
    (entry,) = await bench.entries()
    assert (entry.clients, entry.status) == (1, 200)
    assert answer.headers[b"audit-entry"]


async def test_what_a_stream_sends_leaves_after_its_entry_and_has_no_connection(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = HeldBack(monkeypatch)
    answer = Answer()
    told: list[type[BaseException]] = []

    async def streaming(scope: Scope, _receive: Receive, send: Send) -> None:
        work = work_of(scope)
        await work.open()
        work.staff = bench.staff
        await look(work)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for use in (lambda: work.connection, work.open):
            try:
                used = use()
                if asyncio.iscoroutine(used):
                    await used
            except NotOpen as refused:
                told.append(type(refused))
        for _ in range(3):
            await send({"type": "http.response.body", "body": b"line\n", "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    asking = asyncio.create_task(bench.ask(bench.gate(streaming), answer=answer))
    await held.reached.wait()
    await asyncio.sleep(0.05)
    assert answer.messages == []
    held.go.set()
    await asking

    assert answer.body == b"line\n" * 3
    assert told == [NotOpen, NotOpen]


async def test_a_stream_that_breaks_off_ends_the_connection_and_says_nothing_of_why(bench: Bench) -> None:
    async def breaking(scope: Scope, _receive: Receive, send: Send) -> None:
        work = work_of(scope)
        await work.open()
        work.staff = bench.staff
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        message = "Ada Lindqvist"
        raise RuntimeError(message)

    with pytest.raises(StreamBroke) as broke:
        await bench.ask(bench.gate(breaking))

    assert broke.value.__cause__ is None
    assert broke.value.__suppress_context__
    assert "Ada" not in str(broke.value)
    (entry,) = await bench.entries()
    assert (entry.outcome, entry.status) == (Outcome.DONE, 200)


async def test_whoever_is_shown_leaves_an_entry_even_where_nobody_is_signed_in(bench: Bench) -> None:
    async def public(scope: Scope, _receive: Receive, send: Send) -> None:
        work = work_of(scope)
        work.audited = False
        await work.open()
        await look(work)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    await bench.ask(bench.gate(public))

    (entry,) = await bench.entries()
    assert (entry.outcome, entry.clients) == (Outcome.DONE, 1)


# What fails.


@pytest.mark.parametrize(("status", "outcome"), [(403, Outcome.REFUSED), (404, Outcome.REFUSED), (500, Outcome.FAILED)])
async def test_a_refusal_undoes_the_work_and_leaves_an_entry_that_says_how_it_ended(
    bench: Bench, status: int, outcome: Outcome
) -> None:
    answer = await bench.ask(bench.gate(application(bench, keep_a_row, status=status)))

    assert answer.status == status
    assert await bench.rows() == 0
    (entry,) = await bench.entries()
    assert (entry.outcome, entry.status) == (outcome, status)
    assert bench.connections_out() == 0


async def test_an_exception_that_nobody_answers_undoes_the_work_and_is_told_without_its_text(bench: Bench) -> None:
    async def doing(work: Work) -> None:
        await keep_a_row(work)
        message = "Ada Lindqvist is not a number"
        raise ValueError(message)

    answer = await bench.ask(bench.gate(application(bench, doing)))

    assert (answer.status, problem(answer)) == (500, "urn:caseload:problem:unexpected")
    assert b"Ada" not in answer.body
    assert await bench.rows() == 0
    (entry,) = await bench.entries()
    assert (entry.outcome, entry.status) == (Outcome.FAILED, 500)
    assert json.loads(answer.body)["request"] == entry.request


async def test_what_the_database_refuses_at_the_commit_is_no_success(bench: Bench) -> None:
    await bench.owner.execute(
        "alter table clinic.request_key add constraint late unique (resource) deferrable initially deferred"
    )
    same = new_id()

    async def doing(work: Work) -> None:
        for _ in range(2):
            await work.connection.execute(
                insert(idempotency.request_key).values(
                    staff_id=work.by.id, route="POST /thing", key=str(new_id()), digest=bytes(32), status=201,
                    resource=same, recorded_at=work.now,
                )
            )  # fmt: skip

    try:
        answer = await bench.ask(bench.gate(application(bench, doing)))
    finally:
        await bench.owner.execute("alter table clinic.request_key drop constraint late")

    assert (answer.status, problem(answer)) == (409, CHANGED_AT_THE_END)
    assert b"done" not in answer.body
    assert await bench.rows() == 0
    (entry,) = await bench.entries()
    assert (entry.outcome, entry.status) == (Outcome.REFUSED, 409)
    assert bench.connections_out() == 0


async def test_a_transaction_whose_entry_cannot_be_made_is_refused(bench: Bench) -> None:
    async def doing(work: Work) -> None:
        await keep_a_row(work)
        work.circumstances.event = "Not A Name Of An Event"

    answer = await bench.ask(bench.gate(application(bench, doing)))

    assert (answer.status, problem(answer)) == (503, "urn:caseload:problem:log-unavailable")
    assert await bench.rows() == 0
    assert bench.connections_out() == 0


async def test_a_database_that_is_down_is_told_as_such_and_nothing_leaves(bench: Bench) -> None:
    async def doing(work: Work) -> None:
        await keep_a_row(work)
        bench.line.cut()

    answer = await bench.ask(bench.gate(application(bench, doing)))

    assert (answer.status, problem(answer)) == (503, UNAVAILABLE)
    assert answer.headers[b"retry-after"] == b"5"
    assert await bench.rows() == 0
    assert await bench.entries() == []


async def test_a_read_whose_entry_cannot_be_kept_shows_nothing(bench: Bench) -> None:
    async def doing(work: Work) -> None:
        await look(work)
        bench.line.cut()

    answer = await bench.ask(bench.gate(application(bench, doing, writes=False, status=200, body=(b"Ada", b"Lind"))))

    assert (answer.status, problem(answer)) == (503, UNAVAILABLE)
    assert b"Ada" not in answer.body
    assert b"Lind" not in answer.body


async def test_the_service_works_again_as_soon_as_the_database_does(bench: Bench) -> None:
    gate = bench.gate(application(bench, look, writes=False, status=200))
    assert (await bench.ask(gate)).status == 200
    bench.line.cut()
    with suppress(OSError):
        assert (await bench.ask(gate)).status != 200
    bench.line.mend()

    answers = [(await bench.ask(gate)).status for _ in range(8)]

    assert answers[-1] == 200
    assert bench.connections_out() == 0


async def test_a_commit_that_nobody_heard_of_is_told_as_unknown_and_was_not_kept(bench: Bench) -> None:
    async def doing(work: Work) -> None:
        await keep_a_row(work)
        bench.line.cut_at(b"COMMIT", passing=False)

    answer = await bench.ask(bench.gate(application(bench, doing)))

    assert (answer.status, problem(answer)) == (503, UNKNOWN)
    assert answer.headers[b"retry-after"]
    assert await bench.rows() == 0
    (entry,) = await bench.entries()
    assert (entry.outcome, entry.status) == (Outcome.FAILED, 503)


async def test_a_commit_whose_answer_is_lost_is_told_as_unknown_and_was_kept_with_its_entry(bench: Bench) -> None:
    async def doing(work: Work) -> None:
        await keep_a_row(work)
        bench.line.cut_at(b"COMMIT", passing=True)

    answer = await bench.ask(bench.gate(application(bench, doing)))

    assert (answer.status, problem(answer)) == (503, UNKNOWN)
    assert await bench.rows() == 1
    entries = await bench.entries()
    assert [entry.status for entry in entries] == [201, 503], "what was done, and what the caller was told"
    assert len({entry.request for entry in entries}) == 1


# Time, and callers who go away.


async def test_what_takes_too_long_is_stopped_undone_and_entered(bench: Bench) -> None:
    bench.limits = replace(bench.limits, handling_seconds=0.3)

    async def doing(work: Work) -> None:
        await keep_a_row(work)
        await work.connection.execute(text("select pg_sleep(30)"))

    answer = await bench.ask(bench.gate(application(bench, doing)))

    assert (answer.status, problem(answer)) == (503, "urn:caseload:problem:too-slow")
    assert answer.headers[b"retry-after"]
    assert await bench.rows() == 0
    (entry,) = await bench.entries()
    assert (entry.outcome, entry.status) == (Outcome.FAILED, 503)
    assert bench.connections_out() == 0


async def test_a_stream_may_take_longer_than_an_answer_may_take_to_make(bench: Bench) -> None:
    bench.limits = replace(bench.limits, handling_seconds=0.3)

    async def slow(scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(0.6)
        await send({"type": "http.response.body", "body": b"all of it"})
        assert scope[REQUEST]

    assert (await bench.ask(bench.gate(slow))).body == b"all of it"


async def test_a_caller_who_hangs_up_during_the_work_leaves_an_entry_and_no_change(bench: Bench) -> None:
    reached = asyncio.Event()

    async def doing(work: Work) -> None:
        await keep_a_row(work)
        work.journal.saw(ClientId(new_id()), "identity")
        reached.set()
        await work.connection.execute(text("select pg_sleep(30)"))

    asking = asyncio.create_task(bench.ask(bench.gate(application(bench, doing))))
    await reached.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking

    assert await bench.rows() == 0
    (entry,) = await bench.entries()
    assert (entry.outcome, entry.status, entry.clients) == (Outcome.ABORTED, None, 1)
    assert bench.connections_out() == 0


async def test_a_caller_who_hangs_up_while_the_entry_is_written_leaves_it_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = HeldBack(monkeypatch)
    asking = asyncio.create_task(bench.ask(bench.gate(application(bench, look, writes=False, status=200))))
    await held.reached.wait()

    asking.cancel()
    await asyncio.sleep(0.05)
    assert not asking.done(), "it waits for what it has begun"
    held.go.set()
    with pytest.raises(asyncio.CancelledError):
        await asking

    (entry,) = await bench.entries()
    assert (entry.outcome, entry.status) == (Outcome.DONE, 200)


async def test_a_commit_that_has_begun_ends_although_the_caller_has_gone_twice(bench: Bench) -> None:
    gate = bench.gate(application(bench, keep_a_row))
    frozen = asyncio.Event()

    async def freezing(work: Work) -> None:
        await keep_a_row(work)
        bench.line.freeze()
        frozen.set()

    gate = bench.gate(application(bench, freezing))
    asking = asyncio.create_task(bench.ask(gate))
    await frozen.wait()
    await asyncio.sleep(0.05)
    for _ in range(2):
        asking.cancel()
        await asyncio.sleep(0.02)
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert await bench.rows() == 0

    draining = asyncio.create_task(gate.drain())
    await asyncio.sleep(0.05)
    assert not draining.done()
    bench.line.mend()
    await draining

    assert await bench.rows() == 1
    assert [entry.status for entry in await bench.entries()] == [201]
    assert bench.connections_out() == 0


async def test_cancellations_at_any_moment_lose_no_connection_and_keep_every_row_with_its_entry(bench: Bench) -> None:
    chance = random.Random(20261122)  # noqa: S311  when to hang up is no secret

    async def doing(work: Work) -> None:
        await keep_a_row(work)
        if chance.random() < 0.2:
            raise Conflict

    write = bench.gate(application(bench, doing))
    read = bench.gate(application(bench, look, writes=False, status=200))

    async def one(number: int) -> None:
        asking = asyncio.create_task(bench.ask(write if number % 2 else read))
        if chance.random() < 0.7:
            await asyncio.sleep(chance.random() * 0.02)
            asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking

    for _ in range(8):
        await asyncio.gather(*(one(number) for number in range(25)))
    await asyncio.gather(write.drain(), read.drain())
    await bench.logged()

    assert bench.connections_out() == 0
    kept = [entry for entry in await bench.entries() if entry.status == 201]
    assert len(kept) == await bench.rows()
    answers = await asyncio.gather(*(bench.ask(read) for _ in range(12)))
    assert {answer.status for answer in answers} == {200}, "the pool still serves"


# What a request may bring.


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Says how much of a body it was given, and twice the same."""
    message = await receive()
    said = json.dumps({"body": len(message["body"]), "scope": len(scope[BODY]), "fault": scope.get(FAULT)})
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": said.encode()})


async def asked(gate: App, receive: Receive, **scope: object) -> Answer:
    answer = Answer()

    async def send(message: Message) -> None:
        answer.messages.append(message)

    usual: dict[str, object] = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "query_string": b"",
        "headers": [],
        "client": None,
    }
    await gate({**usual, **scope}, receive, send)
    return answer


async def test_a_body_in_many_pieces_is_one_body(bench: Bench) -> None:
    answer = await bench.ask(bench.gate(echo), body=[b"ab", b"", b"cd", b"e"])

    assert json.loads(answer.body) == {"body": 5, "scope": 5, "fault": None}


async def test_a_body_that_is_too_large_is_not_read_to_its_end(bench: Bench) -> None:
    bench.limits = Limits(body_bytes=1000)
    read = 0

    async def endless() -> Message:
        nonlocal read
        read += 100
        return {"type": "http.request", "body": bytes(100), "more_body": True}

    answer = await asked(bench.gate(echo), endless)

    assert json.loads(answer.body) == {"body": 0, "scope": 0, "fault": BodyFault.TOO_LARGE}
    assert read == 1100


async def test_a_body_that_announces_too_much_is_not_read_at_all(bench: Bench) -> None:
    async def never() -> Message:
        message = "the body was read"
        raise AssertionError(message)

    for announced, fault in ((b"10000000", "too_large"), (b"9" * 5000, "too_large"), (b"-1", "bad_length")):
        answer = await asked(bench.gate(echo), never, headers=[(b"content-length", announced)])
        assert json.loads(answer.body)["fault"] == fault


async def test_a_body_that_trickles_in_holds_no_connection_and_is_given_up(bench: Bench) -> None:
    bench.limits = Limits(body_seconds=0.2)
    out: list[int] = []

    async def trickle() -> Message:
        await asyncio.sleep(0.05)
        out.append(bench.connections_out())
        return {"type": "http.request", "body": b"x", "more_body": True}

    answer = await asked(bench.gate(echo), trickle)

    assert json.loads(answer.body)["fault"] == "too_slow"
    assert set(out) == {0}


async def test_whoever_goes_away_before_asking_is_not_answered(bench: Bench) -> None:
    async def gone() -> Message:
        return {"type": "http.disconnect"}

    assert (await asked(bench.gate(echo), gone)).messages == []


@pytest.mark.parametrize(
    ("scope", "status"),
    [
        ({"path": "/" + "a" * 9000}, 414),
        ({"query_string": b"a" * 9000}, 414),
        ({"headers": [(b"x", b"a" * 40_000)]}, 431),
        ({"headers": [(b"x", b"a")] * 20_000}, 431),
    ],
)
async def test_what_stands_before_the_body_is_limited_too(bench: Bench, scope: dict[str, object], status: int) -> None:
    async def nothing() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    answer = await asked(bench.gate(echo), nothing, **scope)

    assert answer.status == status
    assert UUID(json.loads(answer.body)["request"]).version == 7
    assert answer.headers[b"connection"] == b"close"
