"""The witness over real HTTP and a real file, and the sequencer's side of it: what is cosigned, refused, and proved."""

import asyncio
import http.client
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import pytest

from caseload.audit.tlog.checkpoint import Checkpoint, open_checkpoint
from caseload.audit.tlog.consistency import consistency_path
from caseload.audit.tlog.merkle import leaf_hash, root_of
from caseload.audit.tlog.note import Kind, LocalSigner, open_note, sign_text, write_note
from caseload.audit.tlog.policy import KnownLog, KnownWitness, Policy
from caseload.audit.witness import keys
from caseload.audit.witness.client import RolledBack, Witnesses
from caseload.audit.witness.judging import LARGEST_REQUEST, MOST_HASHES, Request
from caseload.audit.witness.server import MOST_AT_ONCE, SIZE_TYPE, Server
from tests import processes
from tests.factories.witnesses import answering

pytestmark = pytest.mark.anyio

ORIGIN = "log.example/clinic/1"
LOG = LocalSigner(b"\x01" * 32, name=ORIGIN)
WITNESS = LocalSigner(b"\x02" * 32, name="witness.example/w1", kind=Kind.COSIGNATURE)
NOW = 1_795_000_000


@dataclass(frozen=True)
class Tree:
    """A log's tree, one leaf hash after another."""

    hashes: tuple[bytes, ...]
    origin: str = ORIGIN
    signer: LocalSigner = LOG

    @classmethod
    def of(cls, size: int, *, about: str = "entry") -> "Tree":
        return cls(tuple(leaf_hash(f"{about} {number}".encode()) for number in range(size)))

    def at(self, size: int) -> Checkpoint:
        return Checkpoint(origin=self.origin, size=size, root=root_of(self.hashes[:size]))

    def note(self, size: int) -> bytes:
        text = self.at(size).text()
        return write_note(text, [sign_text(text, self.signer)])

    def request(self, old: int, new: int, *, proof: Sequence[bytes] | None = None) -> bytes:
        path = consistency_path(self.hashes[:new], old) if proof is None and 0 < old < new else proof or ()
        return Request(old, tuple(path), self.note(new)).encode()

    async def proved(self, old: int) -> Sequence[bytes]:
        return consistency_path(self.hashes, old)

    async def root_at(self, size: int) -> bytes:
        return root_of(self.hashes[:size])

    async def check(self, witnesses: Witnesses) -> None:
        await witnesses.check(self.at(len(self.hashes)), self.root_at)

    async def cosigned(self, witnesses: Witnesses) -> bytes:
        """The newest checkpoint with what the witnesses said, as it would be stored."""
        size = len(self.hashes)
        got = await witnesses.cosign(self.note(size), self.at(size), self.proved)
        text = self.at(size).text()
        return write_note(text, [sign_text(text, self.signer), *got])


TREE = Tree.of(40)
FORKED = Tree.of(40, about="other")


@pytest.fixture
def server(tmp_path: Path) -> Generator[Server]:
    with answering(WITNESS, [LOG.key], tmp_path, now=NOW) as found:
        yield found


def ask(server: Server, body: bytes, *, method: str = "POST", path: str = "/add-checkpoint") -> tuple[int, str, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read()
    finally:
        connection.close()


def shown(server: Server, origin: str = ORIGIN) -> tuple[int, bytes]:
    status, _, body = ask(server, b"", method="GET", path=f"/{sha256(origin.encode()).hexdigest()}/checkpoint")
    return status, body


def policy_of(*ports: int) -> Policy:
    return Policy(
        logs=(KnownLog(LOG.key),),
        witnesses=tuple(
            KnownWitness(f"w{at}", WITNESS.key, f"http://127.0.0.1:{port}/") for at, port in enumerate(ports)
        ),
    )


# What it answers.


def test_what_follows_is_cosigned_and_shown(server: Server) -> None:
    for old, new in ((0, 7), (7, 8), (8, 8), (8, 40), (40, 40)):
        status, _, lines = ask(server, TREE.request(old, new))
        assert status == 200, (old, new)
        opened = open_note(TREE.at(new).text().encode() + b"\n" + lines, [WITNESS.key])
        assert opened.verified[0].at == NOW
    status, note = shown(server)
    checkpoint, opened = open_checkpoint(note, [LOG.key, WITNESS.key])
    assert (status, checkpoint) == (200, TREE.at(40))
    assert {each.key for each in opened.verified} == {LOG.key, WITNESS.key}


def test_the_first_request_may_be_of_any_size_and_has_no_proof(server: Server) -> None:
    assert ask(server, TREE.request(0, 5, proof=[bytes(32)]))[0] == 422
    assert ask(server, TREE.request(0, 5))[0] == 200


def test_an_empty_log_is_cosigned_and_begun_from(server: Server) -> None:
    assert ask(server, TREE.request(0, 0))[0] == 200
    assert ask(server, TREE.request(0, 3))[0] == 200


def test_whoever_begins_from_another_size_is_told_the_one_that_counts(server: Server) -> None:
    assert ask(server, TREE.request(0, 20))[0] == 200
    for old, new in ((0, 30), (19, 30), (21, 30), (0, 20)):
        assert ask(server, TREE.request(old, new)) == (409, SIZE_TYPE, b"20\n")
    assert ask(server, TREE.request(10, 15)) == (409, SIZE_TYPE, b"20\n"), "it never goes back"
    assert open_checkpoint(shown(server)[1], [LOG.key])[0].size == 20


def test_another_tree_of_the_same_size_is_refused(server: Server) -> None:
    assert ask(server, TREE.request(0, 20))[0] == 200
    assert ask(server, FORKED.request(20, 20)) == (409, SIZE_TYPE, b"20\n")


def test_another_history_is_refused(server: Server) -> None:
    assert ask(server, TREE.request(0, 20))[0] == 200
    good = consistency_path(TREE.hashes[:30], 20)
    for body in (
        FORKED.request(20, 30),
        TREE.request(20, 30, proof=()),
        TREE.request(20, 30, proof=good[:-1]),
        TREE.request(20, 30, proof=[*good, bytes(32)]),
        TREE.request(20, 30, proof=good[::-1]),
        TREE.request(20, 20, proof=[bytes(32)]),
    ):
        assert ask(server, body)[0] == 422
    assert ask(server, TREE.request(20, 30))[0] == 200


def test_a_log_that_it_does_not_know_and_a_key_that_is_not_the_logs_are_refused(server: Server) -> None:
    stranger = LocalSigner(b"\x03" * 32, name="log.example/other/1")
    assert ask(server, replace(TREE, origin=stranger.key.name, signer=stranger).request(0, 5))[0] == 404
    thief = LocalSigner(b"\x04" * 32, name=ORIGIN)
    assert ask(server, replace(TREE, signer=thief).request(0, 5))[0] == 403
    signed = TREE.request(0, 5)
    assert ask(server, signed.replace(b"\n5\n", b"\n6\n"))[0] == 403
    assert shown(server)[0] == 404
    assert shown(server, stranger.key.name)[0] == 404


GOOD = TREE.request(0, 5)
NO_REQUESTS = [
    b"",
    b"old 0\n",
    *(GOOD.replace(b"old 0", b"old " + size) for size in (b"00", b"-1", b" 0", b"6", b"9223372036854775808")),
    GOOD.replace(b"old 0", b"new 0"),
    GOOD.replace(b"old 0\n", b"old 0\nAAAA\n"),
    GOOD.replace(b"old 0\n", "old 0\né\n".encode()),
    GOOD.replace(b"old 0\n", b"old 0\n" + (b"A" * 43 + b"=\n") * (MOST_HASHES + 1)),
    GOOD[:-10],
    GOOD.rpartition(b"\n\n")[0],
    b"\xff" + GOOD,
]


@pytest.mark.parametrize("body", NO_REQUESTS)
def test_what_is_no_request_is_said_to_be_none(server: Server, body: bytes) -> None:
    assert ask(server, body)[0] == 400
    assert shown(server)[0] == 404


# Bounds.


def test_a_request_has_a_length_and_it_is_bounded(server: Server) -> None:
    assert ask(server, b"a" * (LARGEST_REQUEST + 1))[0] == 413
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=20) as line:
        line.sendall(b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert line.recv(100).startswith(b"HTTP/1.1 411 ")
    assert ask(server, b"", path="/elsewhere")[0] == 404
    assert ask(server, b"", method="GET", path="/")[0] == 404


def test_whoever_holds_all_places_keeps_nobody_waiting_for_an_answer_that_never_comes(server: Server) -> None:
    lines = [socket.create_connection(("127.0.0.1", server.server_port), timeout=20) for _ in range(MOST_AT_ONCE)]
    try:
        processes.until(lambda: not _is_served(server), "all places are taken")
    finally:
        for line in lines:
            line.close()
    processes.until(lambda: _is_served(server), "a place is free again")


def _is_served(server: Server) -> bool:
    try:
        return shown(server)[0] == 404
    except (OSError, http.client.HTTPException):
        return False


# Races and crashes.


def test_of_many_that_race_none_takes_the_witness_back(server: Server) -> None:
    assert ask(server, TREE.request(0, 1))[0] == 200
    answers: list[int] = []

    def push(new: int) -> None:
        old = 1
        while True:
            status, _, body = ask(server, TREE.request(old, new))
            answers.append(status)
            if status == 200 or int(body) > new:
                return
            old = int(body)

    threads = [threading.Thread(target=push, args=(new,)) for new in (5, 40, 9, 33, 12, 40, 21, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert open_checkpoint(shown(server)[1], [LOG.key])[0] == TREE.at(40)
    assert 409 in answers


KILLED_BETWEEN = """
    import os, signal, sys
    from pathlib import Path
    from caseload.audit.witness.server import Witness
    add = Witness.add_checkpoint
    def killed(witness, body):
        add(witness, body)
        os.kill(os.getpid(), signal.SIGKILL)
    Witness.add_checkpoint = killed
    from caseload.__main__ import main
    sys.argv = ["caseload", "witness", "serve", *sys.argv[1:]]
    main()
"""


def test_a_witness_killed_between_storing_and_answering_has_not_forgotten(tmp_path: Path) -> None:
    signer = keys.make(tmp_path / "w", "witness.example/w1")
    logs = tmp_path / "logs.policy"
    logs.write_bytes(Policy(logs=(KnownLog(LOG.key),)).encode())
    arguments = ["--folder", str(tmp_path / "w"), "--logs", str(logs), "--port", "0"]

    def started(*program: str) -> tuple[subprocess.Popen[str], Policy]:
        process = subprocess.Popen(
            [sys.executable, *program, *arguments], env=processes.environment(), stderr=subprocess.PIPE, text=True
        )
        assert process.stderr
        said = process.stderr.readline()
        address = said.strip().rpartition(" ")[2]
        assert address.startswith("http://"), said
        witness = KnownWitness("w", signer.key, address)
        return process, Policy(logs=(KnownLog(LOG.key),), witnesses=(witness,))

    first, policy = started("-c", textwrap.dedent(KILLED_BETWEEN))
    with first, pytest.raises(ConnectionError):
        asyncio.run(TREE.cosigned(Witnesses(policy)))
    assert first.returncode == -signal.SIGKILL
    second, policy = started("-m", "caseload", "witness", "serve")
    with second:
        with pytest.raises(RolledBack, match="has seen 40 entries"):
            asyncio.run(Tree(TREE.hashes[:39]).check(Witnesses(policy)))
        note = asyncio.run(TREE.cosigned(Witnesses(policy)))
        second.send_signal(signal.SIGTERM)
    assert second.returncode == 0
    assert open_note(note, [signer.key]).verified[0].key == signer.key


# The sequencer's side.


async def test_the_sequencer_catches_up_with_one_proof_whatever_the_witness_had(server: Server) -> None:
    for size, known in ((3, True), (9, True), (31, False), (31, False), (40, True)):
        witnesses = Witnesses(policy_of(server.server_port))
        tree = Tree(TREE.hashes[:size])
        if known:
            await tree.check(witnesses)
        note = await tree.cosigned(witnesses)
        assert {each.key for each in open_note(note, [LOG.key, WITNESS.key]).verified} == {LOG.key, WITNESS.key}
        assert witnesses.standing["w0"].size == size


async def test_a_log_that_has_lost_entries_does_not_start_and_says_both_numbers(server: Server) -> None:
    await TREE.cosigned(Witnesses(policy_of(server.server_port)))
    with pytest.raises(RolledBack, match=r"has seen 40 entries .* the database holds 25: 15 entries are gone"):
        await Tree(TREE.hashes[:25]).check(Witnesses(policy_of(server.server_port)))
    with pytest.raises(RolledBack, match=r"has seen 40 entries .* the database holds 25"):
        await Tree(TREE.hashes[:25]).cosigned(Witnesses(policy_of(server.server_port)))


@pytest.mark.parametrize("size", [40, 41, 100])
async def test_a_clone_that_signs_with_the_same_key_is_caught(server: Server, size: int) -> None:
    await TREE.cosigned(Witnesses(policy_of(server.server_port)))
    clone = Tree((*TREE.hashes[:30], *(leaf_hash(b"clone %d" % at) for at in range(size - 30))))
    for attempt in (clone.check, clone.cosigned):
        with pytest.raises(RolledBack, match="another history"):
            await attempt(Witnesses(policy_of(server.server_port)))


async def test_a_witness_that_is_away_is_missed_and_does_not_stop_the_log(server: Server) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        witnesses = Witnesses(policy_of(closed.getsockname()[1]))
        await TREE.check(witnesses)
        assert witnesses.standing["w0"].trouble
        with pytest.raises(OSError, match="No witness has answered"):
            await TREE.cosigned(witnesses)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"", "text/plain"),
        (200, b"\xe2\x80\x94 witness.example/w1 AAAAAAAA\n", "text/plain"),
        (409, b"9999999\n", SIZE_TYPE),
        (409, b"no number\n", SIZE_TYPE),
        (422, b"no\n", "text/plain"),
        (500, b"", "text/plain"),
        (200, b"a" * 100_000, "text/plain"),
    ],
)
async def test_the_mere_word_of_whoever_answers_neither_stops_the_log_nor_counts(
    status: int, body: bytes, kind: str
) -> None:
    with _liar(status, body, kind) as port:
        witnesses = Witnesses(policy_of(port))
        await TREE.check(witnesses)
        with pytest.raises(OSError, match="No witness has answered"):
            await TREE.cosigned(witnesses)
        assert witnesses.standing["w0"].trouble


@pytest.mark.parametrize(
    "url", ["http://[::1", "http://h:99999/", "http://h:x/", "ftp://h/", "http://../", "https:///"]
)
async def test_a_witness_whose_address_is_none_is_missed(url: str) -> None:
    policy = policy_of(1)
    witnesses = Witnesses(replace(policy, witnesses=tuple(each._replace(url=url) for each in policy.witnesses)))
    await TREE.check(witnesses)
    assert witnesses.standing["w0"].trouble


@pytest.mark.parametrize("drips", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n"])
async def test_whoever_answers_a_byte_at_a_time_holds_nothing_for_long(drips: bytes) -> None:
    with _dripping(drips) as port:
        witnesses = Witnesses(policy_of(port), patience_seconds=0.3)
        before = threading.active_count()
        began = time.monotonic()
        await TREE.check(witnesses)
        assert time.monotonic() - began < 3
        assert witnesses.standing["w0"].trouble
        # The thread that asked waits for its next errand: it and whoever answers are all there are.
        processes.until(lambda: threading.active_count() <= before + 2, "nobody goes on reading")
        processes.until(
            lambda: not [each for each in threading.enumerate() if isinstance(each, threading.Timer)], "cut"
        )


@contextmanager
def _dripping(first: bytes) -> Generator[int]:
    """Begins an answer, and goes on with it a byte at a time until nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            line, _ = listening.accept()
            with line, suppress(OSError):
                line.sendall(first)
                while True:
                    line.sendall(b"a")
                    time.sleep(0.05)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(processes.PATIENCE_SECONDS)
        assert not thread.is_alive(), "the line was cut"


@contextmanager
def _liar(status: int, body: bytes, kind: str) -> Generator[int]:
    """Answers the same to everything."""
    answer = b"HTTP/1.1 %d X\r\nContent-Type: %b\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b"
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    line, _ = listening.accept()
                except OSError:
                    return
                with line:
                    line.recv(65_536)
                    line.sendall(answer % (status, kind.encode(), len(body), body))

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


# Keys.


def test_a_witness_keeps_its_key_to_itself(tmp_path: Path) -> None:
    made = keys.make(tmp_path, "witness.example/w1")
    assert keys.read(tmp_path).key == made.key
    with pytest.raises(keys.WitnessKeyUnusable, match="is there already"):
        keys.make(tmp_path, "witness.example/w1")
    (tmp_path / keys.FILE).chmod(0o640)
    with pytest.raises(keys.WitnessKeyUnusable, match="chmod 600"):
        keys.read(tmp_path)
    with pytest.raises(keys.WitnessKeyUnusable, match="cannot be the name"):
        keys.make(tmp_path / "other", "two words")
    with pytest.raises(keys.WitnessKeyUnusable, match="cannot be read"):
        keys.read(tmp_path / "nowhere")
