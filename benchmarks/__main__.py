"""`make bench`: every case beside what PostgreSQL alone does, one table, ratios measured in one run.

python -m benchmarks [--seconds 9] [--clients 20000] [--cases read,dose,overdue,audit,proved,exports,memory,search,batch,signoff-queue,queue,
                     register,consent,refusal,day]
                     [--requests 50000] [--entries 100000] [--quick]
"""

import argparse
import asyncio
import random
import statistics
import sys
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks import consents, day, mixed, pgbench, proof, queue, search, sessions, signoff, wrk
from benchmarks.checkins import PER_CLIENT, plan_check_ins
from benchmarks.clinic import PER_COUNSELLOR, Clinic, fill
from benchmarks.scripts import DOSE_ROWS, dose, overdue, read
from benchmarks.stage import Served, Stage, stage
from benchmarks.wrk import Load

CONNECTIONS = (1, 8, 32)
WARM_SECONDS = 2
ALONE_SECONDS = 2
TURNS = 3
FEW_COUNSELLORS = 4
ON_FILE = 1_000_000
ROUNDS, ROUND_SECONDS = 3, 4
"""Not longer: each client can be given the evening's dose only once."""
AUDITED = "caseload.app:create_app"
APPENDED_NOWHERE, UNLOGGED = "benchmarks.unaudited:appended_nowhere", "benchmarks.unaudited:unlogged"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table."""

    case: str
    connections: int
    load: Load
    worker_cpu: float
    """Microseconds of the workers' processor time per request."""
    postgres_cpu: float
    pss: float
    """Of the largest worker, in MB."""
    beside: float = 0.0
    """Transactions per second of PostgreSQL alone, asked as pgbench asks when it is told nothing."""
    prepared: float = 0.0
    """The same with prepared statements."""

    @property
    def ratio(self) -> float:
        """What the service reaches of what it is set beside."""
        return self.load.rate / self.beside


@dataclass
class Run:
    """One run: where it happens, with what, and what it found."""

    stage: Stage
    clinic: Clinic
    seconds: int
    connections: tuple[int, ...]
    requests: int
    entries: int
    lines: list[Line] = field(default_factory=list[Line])

    def measure(self, case: str, served: Served, script: str, beside: Callable[[int, str], float]) -> None:
        """Drive one script at each number of connections, in turns with PostgreSQL alone.

        What else runs on the machine changes by the second. So each turn stands beside the mean of what PostgreSQL
        reached right before and right after it, and the line shows the middle one of the turns.
        """
        wrk.run(served.url, script, connections=8, seconds=WARM_SECONDS, scratch=self.stage.scratch)
        for connections in self.connections:
            turns: list[Line] = []
            before = beside(connections, "simple")
            for _ in range(TURNS):
                turn = self._turn(case, served, script, connections)
                after = beside(connections, "simple")
                turns.append(replace(turn, beside=statistics.mean((before, after))))
                before = after
            line = replace(sorted(turns, key=_ratio)[TURNS // 2], prepared=beside(connections, "prepared"))
            self.lines.append(line)
            print(_row(line), flush=True)
            refused, lost = sum(turn.load.refused for turn in turns), sum(turn.load.lost for turn in turns)
            if refused > sum(turn.load.requests for turn in turns) * 0.01 or lost:
                print(f"  {refused} answers of 400 and above, {lost} lost connections", flush=True)

    def _turn(self, case: str, served: Served, script: str, connections: int) -> Line:
        workers, postgres = served.usage(), self.stage.postgres()
        load = wrk.run(
            served.url, script, connections=connections, seconds=self.seconds // TURNS, scratch=self.stage.scratch
        )
        used, pg_used = served.usage(), self.stage.postgres()
        done = max(1, load.requests)
        return Line(
            case,
            connections,
            load,
            worker_cpu=(used.cpu - workers.cpu) / done * 1e6,
            postgres_cpu=(pg_used.cpu - postgres.cpu) / done * 1e6,
            pss=max(used.pss, default=0.0),
        )

    def select_only(self, connections: int, protocol: str) -> float:
        """`pgbench -S`."""
        return pgbench.read_only(
            self.stage.pgbench,
            self.stage.owner,
            protocol=protocol,
            connections=connections,
            seconds=ALONE_SECONDS,
        )

    def bare_inserts(self, connections: int, protocol: str) -> float:
        """The rows of one recorded dose, inserted by pgbench.

        Ten thousand of them in seconds: autovacuum would look at the tables within the minute, and is not waited for.
        """
        rate = pgbench.script(
            self.stage.pgbench,
            self.stage.owner,
            DOSE_ROWS,
            protocol=protocol,
            connections=connections,
            seconds=ALONE_SECONDS,
            scratch=self.stage.scratch,
            variables={"pairs": len(self.clinic.clients), "nurses": len(self.clinic.nurses)},
        )
        asyncio.run(self.stage.renew_statistics())
        return rate


def reads(run: Run) -> None:
    """A client's summary, audited, beside `pgbench -S`."""
    with run.stage.serving() as served:
        run.measure("read a client", served, read(run.clinic, run.stage.scratch), run.select_only)


def doses(run: Run) -> None:
    """Recording a dose with every check, beside the bare inserts of the same rows."""
    with run.stage.serving() as served:
        run.measure("record a dose", served, dose(run.clinic, run.stage.scratch, "morning"), run.bare_inserts)


def overdue_lists(run: Run) -> None:
    """A counsellor's overdue list of 50 rows, beside `pgbench -S`: with few check-ins, and with a hundred times more.

    The counsellors are the same, so that only what is around them grows.
    """
    few = FEW_COUNSELLORS * PER_COUNSELLOR
    looked_at = run.clinic.counsellors[:FEW_COUNSELLORS]
    p50: list[dict[int, float]] = []
    for clients in (run.clinic.clients[:few], run.clinic.clients[few:]):
        asyncio.run(plan_check_ins(run.stage.owner, run.clinic.programme, clients))
        scheduled = (few if not p50 else len(run.clinic.clients)) * PER_CLIENT
        with run.stage.serving() as served:
            before = len(run.lines)
            script = overdue(looked_at, run.stage.scratch)
            run.measure(f"overdue of {scheduled:,}", served, script, run.select_only)
            p50.append({line.connections: line.load.p50 for line in run.lines[before:]})
    for connections in run.connections:
        print(
            f"overdue list at {connections}: p50 grows {p50[1][connections] / p50[0][connections]:.2f}-fold", flush=True
        )


def cost_of_auditing(run: Run) -> None:
    """The same requests with and without the log, turn about, the sequencer at work; the medians are compared."""
    for name, script in (
        ("read", read(run.clinic, run.stage.scratch)),
        ("dose", dose(run.clinic, run.stage.scratch, "evening")),
        ("mixture", mixed.script(run.clinic, run.stage, "evening")),
    ):
        rates: dict[str, list[float]] = {APPENDED_NOWHERE: [], UNLOGGED: [], AUDITED: []}
        for app in tuple(rates) * ROUNDS:
            with run.stage.serving(app) as served:
                wrk.run(served.url, script, connections=8, seconds=WARM_SECONDS, scratch=run.stage.scratch)
                load = wrk.run(
                    served.url,
                    script,
                    connections=32,
                    seconds=min(run.seconds, ROUND_SECONDS),
                    scratch=run.stage.scratch,
                )
                rates[app].append(load.rate)
        nowhere, unlogged, audited = (statistics.median(each) for each in rates.values())
        print(f"auditing a {name} at 32: {audited:,.0f}/s; {nowhere:,.0f}/s with nothing appended, so that appending costs "
              f"{1 - audited / nowhere:.1%}; {unlogged:,.0f}/s without making entries either, so that the log costs "
              f"{1 - audited / unlogged:.1%} of throughput", flush=True)  # fmt: skip


def proved(run: Run) -> None:
    """Requests of the mixture; then the whole log is exported and verified, and every request is in it."""
    mixed.prove(run.stage, run.clinic, run.requests, lambda said: print(f"proved: {said}", flush=True))


def exports(run: Run) -> None:
    """A log of its own, taken away as NDJSON beside a bare COPY and as bundles, which one process verifies, and two."""
    with stage() as apart:
        proof.measure(apart, run.entries, lambda said: print(f"exports: {said}", flush=True))


def memory(run: Run) -> None:
    """PSS of a worker over 100,000 requests."""
    with run.stage.serving() as served:
        script = read(run.clinic, run.stage.scratch)
        done, sizes = 0, list[str]()
        while done < 100_000:
            load = wrk.run(served.url, script, connections=32, seconds=10, scratch=run.stage.scratch)
            done += load.requests
            sizes.append(f"{done // 1000}k: {max(served.usage().pss):.0f}")
        print(f"PSS of the largest worker in MB, after requests: {', '.join(sizes)}", flush=True)


def searches(run: Run) -> None:
    """Looking for somebody by name among a million, beside `pgbench -S`."""
    with _said(f"{ON_FILE:,} people on file"):
        names = asyncio.run(search.put_on_file(run.stage.owner, run.clinic.programme, ON_FILE))
    with run.stage.serving() as served:
        asked = search.script(search.whole_names(names), run.clinic.nurses, run.stage.scratch)
        run.measure(f"search {ON_FILE:,}", served, asked, run.select_only)


def batches(run: Run) -> None:
    """Fifty doses signed in one request, one after another."""
    asyncio.run(signoff.batch(run.stage, run.clinic, lambda said: print(f"batch: {said}", flush=True)))


def sign_off_queues(run: Run) -> None:
    """What waits for a signer, with a thousand and with a million doses of the past behind it."""
    asyncio.run(signoff.queue(run.stage, run.clinic, lambda said: print(f"signoff-queue: {said}", flush=True)))


def queues(run: Run) -> None:
    """The dosing queue of a programme with 500 expected clients, in one page."""
    queue.queue(run.stage, run.clinic, lambda said: print(f"queue: {said}", flush=True))


def registers(run: Run) -> None:
    """The register of twelve, one after another."""
    sessions.registers(run.stage, run.clinic, lambda said: print(f"register: {said}", flush=True))


def deciding(run: Run) -> None:
    """Whether something may be told, against fifty consents: nothing but CPU."""
    del run
    consents.decisions(lambda said: print(f"may tell: {said}", flush=True))


def refusals(run: Run) -> None:
    """What a question about somebody out of reach takes, beside one about nobody."""
    consents.refusals(run.stage, run.clinic, lambda said: print(f"refusal: {said}", flush=True))


def days(run: Run) -> None:
    """A counsellor's overdue list and day, and the dashboard of a programme: after everything else, which it rearranges."""
    day.day(run.stage, run.clinic, lambda said: print(f"day: {said}", flush=True))


CASES: dict[str, Callable[[Run], None]] = {
    "read": reads,
    "dose": doses,
    "overdue": overdue_lists,
    "audit": cost_of_auditing,
    "proved": proved,
    "exports": exports,
    "memory": memory,
    "search": searches,
    "batch": batches,
    "signoff-queue": sign_off_queues,
    "queue": queues,
    "register": registers,
    "consent": deciding,
    "refusal": refusals,
    "day": days,
}


def _ratio(line: Line) -> float:
    return line.ratio


def _row(line: Line) -> str:
    load = line.load
    return (
        f"{line.case:<22}{line.connections:>4}{load.rate:>10,.0f}{line.beside:>11,.0f}{line.ratio:>8.3f}"
        f"{line.prepared:>11,.0f}{load.rate / line.prepared:>8.3f}"
        f"{load.mean:>8.1f}{load.p50:>8.1f}{load.p95:>8.1f}{load.p99:>8.1f}"
        f"{line.worker_cpu:>9,.0f}{line.postgres_cpu:>9,.0f}{line.pss:>7.0f}"
    )


HEAD = (
    f"{'case':<22}{'conn':>4}{'req/s':>10}{'pgbench/s':>11}{'ratio':>8}{'prepared/s':>11}{'ratio':>8}"
    f"{'mean ms':>8}{'p50':>8}{'p95':>8}{'p99':>8}{'us work':>9}{'us pg':>9}{'PSS MB':>7}"
)


@contextmanager
def _said(what: str) -> Generator[None]:
    began = time.perf_counter()
    print(f"{what} ...", end="", flush=True)
    yield
    print(f" {time.perf_counter() - began:.1f} s", flush=True)


def main(arguments: Iterable[str]) -> None:
    """Run the cases."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--seconds", type=int, default=9, help="length of each load, in three turns")
    parser.add_argument("--clients", type=int, default=20_000)
    parser.add_argument("--requests", type=int, default=50_000, help="of the mixture, before its log is verified")
    parser.add_argument("--entries", type=int, default=100_000, help="of the log that is taken away and verified")
    parser.add_argument("--cases", default=",".join(CASES))
    parser.add_argument("--quick", action="store_true", help="6 seconds each, at 32 connections only")
    given = parser.parse_args(list(arguments))
    random.seed(1)
    with stage() as ready:
        with _said(f"{given.clients:,} clients"):
            clinic = asyncio.run(fill(ready.owner, ready.service, Path(ready.scratch), clients=given.clients))
        with _said("pgbench's own tables"):
            pgbench.prepare(ready.pgbench, ready.owner)
        seconds, connections = (6, (32,)) if given.quick else (given.seconds, CONNECTIONS)
        run = Run(ready, clinic, seconds, connections, given.requests, given.entries)
        print(HEAD, flush=True)
        for case in given.cases.split(","):
            CASES[case](run)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except wrk.NoWrk as missing:
        sys.exit(str(missing))
