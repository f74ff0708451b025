"""What `caseload import` tells people of a folder, before and after: the account in tables and sentences.

The account names clients by the identifier of their files and by nothing else; keep it as you keep the files.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from caseload.domain.history import LONG_RUN, QuestionKind, Refusal, Shown, would_have_stopped
from caseload.domain.history.importing import Result
from caseload.domain.profiles import profiles
from caseload.imports.account import Account, Ran
from caseload.imports.folder import FolderRead

SHOWN_OF_A_LIST = 20
"""How much of a long list people are shown unless they ask for all of it."""

_Row = TypeVar("_Row")

_ASKED = {
    QuestionKind.TWO_DOSES_ON_ONE_DAY: (
        "Two doses on one day: a second part, or a correction?",
        "Undecided, both are kept and the day counts once. Decide in decisions.csv.",
    ),
    QuestionKind.OUTCOME_UNKNOWN: (
        "Visits whose outcome is unknown",
        "They stay unknown: neither attended nor missed. Who knows better writes it into visits.csv.",
    ),
    QuestionKind.DOSE_BEFORE_ADMISSION: (
        "Doses before the day of admission",
        "They are kept as recorded. Is the day of the dose wrong, or that of admission?",
    ),
    QuestionKind.POSSIBLY_ONE_PERSON: (
        "Clients who may be one person: same names, same day of birth",
        "Each is brought in as a client of their own, as the clinic kept them. Ask the records lead.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading, a table and what is to be said about it."""

    title: str
    columns: tuple[str, ...] = ()
    rows: Sequence[tuple[str, ...]] = ()
    remarks: Sequence[str] = ()
    numbers: frozenset[int] = field(default_factory=frozenset[int])
    """Which columns are set to the right."""


def sections(account: Account, *, everything: bool) -> Iterator[Section]:
    """The account for people, in the order in which it is read."""
    yield _files(account)
    if not account.read.usable:
        return
    if account.refused:
        yield _refused(account.refused, everything=everything)
    yield from _questions(account, everything=everything)
    yield _runs(account.shown)
    yield _stopped(account.shown)
    yield _medicines(account.shown)
    yield _attendance(account.shown)
    yield _last_known(account.shown, everything=everything)


def _files(account: Account) -> Section:
    files = account.read.files
    return Section(
        title="Files",
        columns=("file", "rows", "accepted", "refused", "read as"),
        rows=[
            (file.file, f"{file.rows:,}", f"{file.accepted:,}", f"{file.refused:,}", file.encoding or "not read")
            for file in files
        ],
        remarks=[
            *(f"{file.file} {problem}" for file in files for problem in file.problems),
            *(f"{file.file} {note}" for file in files for note in file.notes),
            *account.read.notes,
        ],
        numbers=frozenset({1, 2, 3}),
    )


def _refused(refused: Sequence[Refusal], *, everything: bool) -> Section:
    kept, more = _cut(refused, everything=everything)
    return Section(
        title=f"Refused rows, left out ({len(refused):,})",
        columns=("file", "line", "why"),
        rows=[(refusal.file, str(refusal.line), refusal.reason) for refusal in kept],
        remarks=more,
        numbers=frozenset({1}),
    )


def _questions(account: Account, *, everything: bool) -> Iterator[Section]:
    for kind, (title, remark) in _ASKED.items():
        asked = [question for question in account.questions if question.kind is kind]
        if not asked:
            continue
        kept, more = _cut(asked, everything=everything)
        answered = sum(question.answer is not None for question in asked)
        yield _without_empty_columns(
            Section(
                title=f"To decide: {title} ({len(asked) - answered:,}"
                + (f", {answered:,} decided)" if answered else ")"),
                columns=("client", "day", "file", "lines", "mg", "decided"),
                rows=[
                    (
                        question.external_id,
                        str(question.day or ""),
                        question.file,
                        ", ".join(map(str, question.lines)),
                        " + ".join(map(str, question.amounts_mg)),
                        question.answer or "",
                    )
                    for question in kept
                ],
                remarks=[*more, remark],
            )
        )


def _without_empty_columns(section: Section) -> Section:
    kept = [number for number in range(len(section.columns)) if any(row[number] for row in section.rows)]
    return replace(
        section,
        columns=tuple(section.columns[number] for number in kept),
        rows=[tuple(row[number] for number in kept) for row in section.rows],
    )


def _runs(shown: Shown) -> Section:
    return Section(
        title="Runs of consecutive missed days between two days with a dose of daily medicine",
        columns=("days missed", "runs"),
        rows=[(run_length(length), f"{shown.missed_runs[length]:,}") for length in range(1, LONG_RUN + 1)],
        remarks=[f"{shown.people_with_daily_doses:,} of {shown.people:,} people had at least one daily dose."],
        numbers=frozenset({0, 1}),
    )


def _stopped(shown: Shown) -> Section:
    return Section(
        title="Doses that the missed-dose ladder of each profile would have stopped",
        columns=("profile", "doses"),
        rows=[
            (versions[-1].label, f"{would_have_stopped(shown.after_missed, versions[-1]):,}")
            for _, versions in sorted(profiles().items())
        ],
        remarks=["They would have waited for a prescriber. The doses of one medicine on one day are one."],
        numbers=frozenset({1}),
    )


def run_length(days: int) -> str:
    """A run of missed days by its length; the longest ones are counted together."""
    return f"{days} or more" if days == LONG_RUN else str(days)


def _medicines(shown: Shown) -> Section:
    return Section(
        title="Doses by medicine",
        columns=("medicine", "form", "doses", "largest mg", "in line"),
        rows=[
            (
                *made,
                f"{doses:,}",
                str(shown.largest_mg[made].amount_mg),
                str(shown.largest_mg[made].line),
            )
            for made, doses in shown.doses.most_common()
        ],
        numbers=frozenset({2, 3, 4}),
    )


def _attendance(shown: Shown) -> Section:
    return Section(
        title="Visits",
        columns=("outcome", "visits"),
        rows=[(outcome, f"{visits:,}") for outcome, visits in sorted(shown.visits.items())],
        remarks=[f"{shown.visits_without_day:,} of them have no day; they count, but on no day."]
        if shown.visits_without_day
        else [],
        numbers=frozenset({1}),
    )


def _last_known(shown: Shown, *, everything: bool) -> Section:
    kept, more = _cut(shown.last_known, everything=everything)
    return Section(
        title="Last dose and last day covered, by client",
        columns=("client", "last dose", "medicine", "mg", "last day covered"),
        rows=[
            (
                known.external_id,
                str(known.last_doses[0].given_on) if known.last_doses else "never",
                ", ".join(dict.fromkeys(dose.medicine for dose in known.last_doses)),
                " + ".join(str(dose.amount_mg) for dose in known.last_doses),
                str(known.last_day_covered),
            )
            for known in kept
        ],
        remarks=[*more, "Days after the last day covered are not known; they are not missed. Verify them."],
        numbers=frozenset({3}),
    )


def _cut(rows: Sequence[_Row], *, everything: bool) -> tuple[Sequence[_Row], list[str]]:
    if everything or len(rows) <= SHOWN_OF_A_LIST:
        return rows, []
    return rows[:SHOWN_OF_A_LIST], [f"and {len(rows) - SHOWN_OF_A_LIST:,} more; --all shows them"]


def verdict(account: Account) -> str:
    """What would happen, in one sentence."""
    if not account.read.usable:
        return "Nothing can be brought in until these files can be read."
    people, refused = account.shown.people, len(account.refused)
    left_out = f"{refused:,} {'row' if refused == 1 else 'rows'} would be left out" if refused else "no row is refused"
    return f"{people:,} {'person' if people == 1 else 'people'} would be brought in; {left_out}."


def plain(account: Account, *, everything: bool) -> Iterator[str]:
    """The account as lines of plain text, for files, pipes and printers."""
    for section in sections(account, everything=everything):
        yield from _lines(section)
    yield verdict(account)


def unusable(read: FolderRead) -> Iterator[str]:
    """Why nothing of a folder can be brought in."""
    for file in read.files:
        yield from (f"{file.file} {problem}" for problem in file.problems)
    yield "Nothing was brought in: put these files in order first."


def ran(read: FolderRead, done: Ran, *, everything: bool) -> Iterator[str]:
    """What an import did, as lines of plain text."""
    if read.history.refused:
        yield from _lines(_refused(read.history.refused, everything=everything))
    if done.left_out:
        kept, more = _cut(done.left_out, everything=everything)
        yield from _lines(
            Section(
                title=f"People left out ({len(done.left_out):,})", columns=("client", "why"), rows=kept, remarks=more
            )
        )
    said = {
        Result.BROUGHT_IN: "brought in",
        Result.ADDED_TO: "added to",
        Result.UNCHANGED: "unchanged since they were brought in before",
    }
    counts = ", ".join(f"{done.results[result]:,} {words}" for result, words in said.items() if done.results[result])
    yield f"People: {counts or 'none'}."
    if done.results[Result.BROUGHT_IN]:
        yield "What happened to them after their last day covered is not known: they stand on the worklist to verify."


def _lines(section: Section) -> Iterator[str]:
    yield section.title
    yield from _aligned(section)
    yield from (f"  {remark}" for remark in section.remarks)
    yield ""


def _aligned(section: Section) -> Iterator[str]:
    table = [section.columns, *section.rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = (
            cell.rjust(width) if index in section.numbers else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield f"  {'  '.join(cells)}".rstrip()
