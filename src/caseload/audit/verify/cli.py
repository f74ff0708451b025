"""The command: arguments, progress, and the report in sentences or as JSON. `python -m caseload.audit.verify`."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from itertools import groupby, islice
from operator import attrgetter
from pathlib import Path
from typing import Final, Self, TextIO

from caseload.audit.verify.check import Report, verify
from caseload.audit.verify.folder import opened
from caseload.audit.verify.history import keep_evidence, read_known, read_policy
from caseload.audit.verify.receipts import Receipts
from caseload.audit.verify.verdict import Unusable, Verdict

_EXIT_CODES: Final = """\
exit codes:
  0  valid: everything here is what the log's key signed, and the policy is met
  1  invalid: something was changed, taken out or put in, or a proof does not hold
  2  unusable: this is no bundle, no policy or no checkpoint
  3  fork or rollback: the log has shown somebody another history; both notes are kept in the evidence folder
  4  valid, but the policy is not met (witnesses), or a comparison you asked for cannot be made
"""
_AMOUNTS_TO: Final = {
    Verdict.VALID: "VALID",
    Verdict.INVALID: "INVALID",
    Verdict.UNUSABLE: "UNUSABLE",
    Verdict.FORK: "FORK OR ROLLBACK",
    Verdict.POLICY_UNMET: "VALID, BUT THE POLICY IS NOT MET",
}
_BETWEEN_UPDATES: Final = 0.2
_OF_ONE_KIND: Final = 20
"""Findings that are read by people; JSON has more."""


def arguments() -> argparse.ArgumentParser:
    """What can be said on the command line."""
    parser = argparse.ArgumentParser(
        prog="caseload audit verify",
        description="Verify an export of the audit log, without a network and without the service that made it.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("bundle", type=Path, help="the export: a folder, or a zip archive")
    parser.add_argument("--policy", type=Path, required=True, help="whom you trust: the policy file that you keep")
    parser.add_argument(
        "--known", type=Path, action="append", default=[], metavar="CHECKPOINT",
        help="a checkpoint that you kept from before, or have from somebody else; may be given more than once",
    )  # fmt: skip
    parser.add_argument(
        "--receipts", type=Path, metavar="FILE",
        help="receipts of answers that somebody kept: lines of `Audit-Entry` and `Audit-Receipt`",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the report as one JSON object")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="how many processes to use (1)")
    parser.add_argument(
        "--evidence", type=Path, default=Path("evidence"), metavar="DIR",
        help="where contradicting notes are written to (./evidence)",
    )  # fmt: skip
    return parser


def main(given: Sequence[str] | None = None, *, out: TextIO | None = None) -> int:
    """Verify, print, and return the exit code."""
    asked = arguments().parse_args(given)
    to = out or sys.stdout
    report, kept = Report(), list[Path]()
    try:
        policy = read_policy(asked.policy)
        known = [read_known(path, policy) for path in asked.known]
        receipts = Receipts.read(asked.receipts)
        with opened(asked.bundle) as files, _Progress(sys.stderr) as progress:
            report = verify(files, policy, known, receipts, jobs=asked.jobs, progress=progress.show)
        if report.evidence:
            kept += keep_evidence(asked.evidence, report.evidence)
    except Unusable as problem:
        _say(to, Verdict.UNUSABLE, report, kept, str(problem), as_json=asked.json)
        return Verdict.UNUSABLE.value
    _say(to, report.findings.verdict, report, kept, "", as_json=asked.json)
    return report.findings.verdict.value


class _Progress:
    """One line on a terminal that says how far it is; nothing where nobody watches."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown = stream.isatty()
        self._next = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            self._stream.write("\r\033[K")
            self._stream.flush()

    def show(self, done: int, of: int) -> None:
        now = time.monotonic()
        if self._shown and now >= self._next:
            self._next = now + _BETWEEN_UPDATES
            self._stream.write(f"\r\033[KVerified {done:,} of {of:,} entries ({done * 100 // max(of, 1)} %)")
            self._stream.flush()


def _say(to: TextIO, verdict: Verdict, report: Report, kept: Sequence[Path], problem: str, *, as_json: bool) -> None:
    if as_json:
        to.write(json.dumps(_as_object(verdict, report, kept, problem), indent=2) + "\n")
        return
    to.writelines(f"{line}\n" for line in _lines(verdict, report, kept, problem))


def _as_object(verdict: Verdict, report: Report, kept: Sequence[Path], problem: str) -> dict[str, object]:
    found = report.findings
    return {
        "verdict": verdict.name.lower(),
        "exit": verdict.value,
        "problem": problem or None,
        "findings": [{"kind": each.kind.value, "entry": each.entry, "says": each.sentence} for each in found.kept],
        "further_findings": found.more,
        "log": report.origin or None,
        "size": report.size,
        "root": report.root or None,
        "scope": report.scope or None,
        "first": report.first,
        "entries": report.entries,
        "earliest": report.earliest or None,
        "latest": report.latest or None,
        "laid_open": {
            "clients": report.laid.clients,
            "of_clients": report.laid.of_clients,
            "facts": report.laid.facts,
            "of_facts": report.laid.of_facts,
        },
        "views": list(report.views),
        "witnesses": list(report.witnesses),
        "heads_compared": report.compared,
        "evidence": [str(path) for path in kept],
    }


def _lines(verdict: Verdict, report: Report, kept: Sequence[Path], problem: str) -> list[str]:
    found = report.findings
    lines = [f"{_AMOUNTS_TO[verdict]}{f': {problem}' if problem else ''}"]
    shown = [each for _, same in groupby(found.kept, attrgetter("kind")) for each in islice(same, _OF_ONE_KIND)]
    lines += [f"  - {each.sentence}" for each in shown]
    if more := found.more + len(found.kept) - len(shown):
        lines.append(f"  - and {more:,} more of these kinds")
    if kept:
        lines.append(f"  Kept as evidence: {', '.join(str(path) for path in kept)}")
    if report.size:
        lines += ["", *_verified(report)]
    return lines


def _verified(report: Report) -> list[str]:
    what = {
        "whole": f"all {report.size:,} entries",
        "span": f"entries {report.first:,} to {report.first + report.entries - 1:,} of {report.size:,}, with none left out",
        "choice": f"{report.entries:,} entries out of {report.size:,}; what else there is cannot be seen from them",
    }[report.scope]
    laid = report.laid
    opened = f"{laid.clients:,} of {laid.of_clients:,} mentions of clients, {laid.facts:,} of {laid.of_facts:,} facts of requests"
    between = f", from {report.earliest} to {report.latest}" if report.earliest else ""
    return [
        f"Log        {report.origin}",
        f"Looked at  {what}{between}",
        f"Head       size {report.size:,}, root {report.root}",
        f"Witnesses  {', '.join(report.witnesses) or 'none that the policy knows'}",
        f"Compared   with {report.compared:,} other heads of this log",
        f"Laid open  {opened}",
        f"Views      {', '.join(report.views) or 'none'}",
    ]
