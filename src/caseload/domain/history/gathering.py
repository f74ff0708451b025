"""A clinic's history put together person by person, with what was refused and what somebody must decide.

Rows are taken in the order of `SHEETS`: programmes, clients, then what happened to them. A row whose client was
refused is refused with it, so that nothing of a person is brought in without the person.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from caseload.domain.errors import Fault, Invalid
from caseload.domain.history import rows
from caseload.domain.history.rows import (
    ClientRow,
    Decision,
    DoseRow,
    Outcome,
    ProgrammeRow,
    ScreenRow,
    Sheet,
    VisitRow,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A row that is left out, and every reason why."""

    file: str
    line: int
    faults: tuple[Fault, ...]

    @property
    def reason(self) -> str:
        """Every fault in one sentence. It names a column and what is wrong with it, never what stands there."""
        return "; ".join(f"{fault.field} {fault.problem}".strip() for fault in self.faults)


class QuestionKind(StrEnum):
    """What the rows alone do not settle."""

    OUTCOME_UNKNOWN = "outcome_unknown"
    """A visit of which nobody wrote down whether it took place."""
    TWO_DOSES_ON_ONE_DAY = "two_doses_on_one_day"
    """A second part of the day's dose, or a correction of the first row?"""
    DOSE_BEFORE_ADMISSION = "dose_before_admission"
    """The dose or the day of admission is dated wrongly, or there was an episode before."""
    POSSIBLY_ONE_PERSON = "possibly_one_person"
    """Two clients with the same names and day of birth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Something for a person to decide. Until then both readings stay possible and nothing is thrown away."""

    kind: QuestionKind
    external_id: str
    file: str
    lines: tuple[int, ...]
    day: date | None = None
    amounts_mg: tuple[Decimal, ...] = ()
    """Of doses, in the order of the lines."""
    answer: Decision | None = None


@dataclass(slots=True, kw_only=True)
class Person:
    """Everything that was accepted of one person."""

    client: ClientRow
    today: date
    """The local day in the person's programme when the history was read."""
    doses: list[DoseRow] = field(default_factory=list[DoseRow])
    visits: list[VisitRow] = field(default_factory=list[VisitRow])
    screens: list[ScreenRow] = field(default_factory=list[ScreenRow])
    decisions: dict[date, Decision] = field(default_factory=dict[date, Decision])

    def doses_by_day(self) -> dict[date, list[DoseRow]]:
        """The dose rows of each day, in the order of the file."""
        days: defaultdict[date, list[DoseRow]] = defaultdict(list)
        for dose in self.doses:
            days[dose.given_on].append(dose)
        return days

    def replaced_doses(self) -> frozenset[int]:
        """The lines of dose rows which a decision says were corrected by a lower line of the same day."""
        corrected = {day for day, decision in self.decisions.items() if decision is Decision.CORRECTION}
        if not corrected:
            return frozenset()
        days = self.doses_by_day()
        return frozenset(line for day in corrected for line in [dose.line for dose in days[day]][:-1])

    def last_doses(self) -> tuple[DoseRow, ...]:
        """The doses of the latest day on which there is one, in the order of the file."""
        last = max((dose.given_on for dose in self.doses), default=None)
        return tuple(dose for dose in self.doses if dose.given_on == last)

    def last_day_covered(self) -> date:
        """The last day of which the history says whether a dose was taken; what follows is not known.

        The clinic's own word (`covered_until`) if it gave one and no dose is later; else the day of the last dose,
        because a record that stops does not say that the doses stopped. Somebody who never had a dose is covered
        up to the last day on which they were seen, or up to admission.
        """
        last = max((dose.given_on for dose in self.doses), default=None)
        said = self.client.covered_until
        if last is not None:
            return max(last, said) if said else last
        if said:
            return said
        attended = [v.scheduled_on for v in self.visits if v.scheduled_on and v.status is Outcome.ATTENDED]
        return max([*attended, *(screen.collected_on for screen in self.screens), self.client.admitted_on])

    def questions(self) -> Iterator[Question]:
        """What somebody must decide about this person's rows."""
        about = self.client.external_id
        for visit in self.visits:
            if visit.status is Outcome.UNKNOWN:
                yield Question(
                    kind=QuestionKind.OUTCOME_UNKNOWN,
                    external_id=about,
                    file=rows.VISITS.file,
                    lines=(visit.line,),
                    day=visit.scheduled_on,
                )
        for day, doses in self.doses_by_day().items():
            lines = tuple(dose.line for dose in doses)
            amounts_mg = tuple(dose.amount_mg for dose in doses)
            if len(doses) > 1:
                yield Question(
                    kind=QuestionKind.TWO_DOSES_ON_ONE_DAY,
                    external_id=about,
                    file=rows.DOSES.file,
                    lines=lines,
                    day=day,
                    amounts_mg=amounts_mg,
                    answer=self.decisions.get(day),
                )
            if day < self.client.admitted_on:
                yield Question(
                    kind=QuestionKind.DOSE_BEFORE_ADMISSION,
                    external_id=about,
                    file=rows.DOSES.file,
                    lines=lines,
                    day=day,
                    amounts_mg=amounts_mg,
                )


_Cells = Mapping[str, str]


@dataclass(slots=True, kw_only=True)
class History:
    """The accepted rows of a folder, and the refused ones."""

    now: datetime
    programmes: dict[str, ProgrammeRow] = field(default_factory=dict[str, ProgrammeRow])
    people: dict[str, Person] = field(default_factory=dict[str, Person])
    refused: list[Refusal] = field(default_factory=list[Refusal])
    _refused_programmes: dict[str, int] = field(default_factory=dict[str, int])
    _refused_clients: dict[str, int] = field(default_factory=dict[str, int])
    _client_lines: dict[str, int] = field(default_factory=dict[str, int])
    """By identifier in small letters: two that differ by capitals only are one to whoever types them."""
    _seen: dict[tuple[object, ...], int] = field(default_factory=dict[tuple[object, ...], int])
    _takes: Mapping[str, Callable[[int, _Cells], None]] = field(init=False)

    def __post_init__(self) -> None:
        self._takes = {
            rows.PROGRAMMES.file: self._take_programme,
            rows.CLIENTS.file: self._take_client,
            rows.DOSES.file: self._take_dose,
            rows.VISITS.file: self._take_visit,
            rows.DRUG_SCREENS.file: self._take_screen,
            rows.DECISIONS.file: self._take_decision,
        }

    def take(self, sheet: Sheet, line: int, cells: _Cells) -> bool:
        """Accept a row of a sheet, or list it as refused; says which."""
        try:
            self._takes[sheet.file](line, cells)
        except Invalid as invalid:
            self.refuse(sheet, line, *invalid.faults)
            return False
        return True

    def refuse(self, sheet: Sheet, line: int, *faults: Fault) -> None:
        """List a row as refused."""
        self.refused.append(Refusal(file=sheet.file, line=line, faults=faults))

    def questions(self) -> Iterator[Question]:
        """What somebody must decide, person by person."""
        alike: defaultdict[bytes, list[ClientRow]] = defaultdict(list)
        for person in self.people.values():
            yield from person.questions()
            alike[person.client.identity.likeness].append(person.client)
        for clients in alike.values():
            if len(clients) > 1:
                yield Question(
                    kind=QuestionKind.POSSIBLY_ONE_PERSON,
                    external_id=clients[0].external_id,
                    file=rows.CLIENTS.file,
                    lines=tuple(client.line for client in clients),
                )

    def _take_programme(self, line: int, cells: _Cells) -> None:
        code = cells.get("code", "")
        if code in self.programmes:
            raise Invalid(Fault("code", f"stands already in line {self.programmes[code].line}"))
        try:
            self.programmes[code] = rows.programme_row(line, cells)
        except Invalid:
            self._refused_programmes.setdefault(code, line)
            raise

    def _take_client(self, line: int, cells: _Cells) -> None:
        external_id = cells.get("external_id", "")
        before = self._client_lines.get(external_id.lower())
        if before is not None:
            raise Invalid(Fault("external_id", f"stands already in line {before}"))
        try:
            client = rows.client_row(line, cells)
            today = self._today_in(client.programme)
            _not_after(today, birth_date=client.identity.birth_date, admitted_on=client.admitted_on)
            if client.covered_until:
                _not_after(today, covered_until=client.covered_until)
        except Invalid:
            self._refused_clients.setdefault(external_id, line)
            raise
        self.people[external_id] = Person(client=client, today=today)
        self._client_lines[external_id.lower()] = line

    def _today_in(self, code: str) -> date:
        programme = self.programmes.get(code)
        if programme is None:
            refused = self._refused_programmes.get(code)
            raise Invalid(
                Fault(
                    "programme",
                    f"was refused in line {refused} of {rows.PROGRAMMES.file}"
                    if refused
                    else f"does not stand in {rows.PROGRAMMES.file}",
                )
            )
        return self.now.astimezone(ZoneInfo(programme.time_zone)).date()

    def _person(self, cells: _Cells) -> Person:
        external_id = cells.get("external_id", "")
        person = self.people.get(external_id)
        if person is not None:
            return person
        refused = self._refused_clients.get(external_id)
        if not external_id:
            problem = "is empty"
        elif refused:
            problem = f"belongs to a client who was refused in line {refused} of {rows.CLIENTS.file}"
        else:
            problem = f"does not stand in {rows.CLIENTS.file}"
        raise Invalid(Fault("external_id", problem))

    def _take_dose(self, line: int, cells: _Cells) -> None:
        person = self._person(cells)
        dose = rows.dose_row(line, cells)
        _within_life(person, given_on=dose.given_on)
        person.doses.append(dose)

    def _take_visit(self, line: int, cells: _Cells) -> None:
        person = self._person(cells)
        visit = rows.visit_row(line, cells)
        if visit.scheduled_on:
            _within_life(person, scheduled_on=visit.scheduled_on)
            self._once(line, "visit", person, visit.scheduled_on, visit.label, visit.status, visit.reason)
        person.visits.append(visit)

    def _take_screen(self, line: int, cells: _Cells) -> None:
        person = self._person(cells)
        screen = rows.screen_row(line, cells)
        _within_life(person, collected_on=screen.collected_on)
        self._once(line, "screen", person, screen.collected_on, screen.substance, screen.result)
        person.screens.append(screen)

    def _take_decision(self, line: int, cells: _Cells) -> None:
        person = self._person(cells)
        decided = rows.decision_row(line, cells)
        if decided.day in person.decisions:
            raise Invalid(Fault("day", "is decided already in a line above"))
        if sum(dose.given_on == decided.day for dose in person.doses) < 2:
            raise Invalid(Fault("day", f"has no two accepted rows of this client in {rows.DOSES.file}"))
        person.decisions[decided.day] = decided.decision

    def _once(self, line: int, kind: str, person: Person, *what: object) -> None:
        before = self._seen.setdefault((kind, person.client.external_id, *what), line)
        if before != line:
            raise Invalid(Fault("", f"says the same as line {before}"))


def _within_life(person: Person, **days: date) -> None:
    """Refuse a day that has not come yet in the person's programme, or lies before the person's birth."""
    _not_after(person.today, **days)
    for column, day in days.items():
        if day < person.client.identity.birth_date:
            raise Invalid(Fault(column, "lies before the client's day of birth"))


def _not_after(today: date, **days: date) -> None:
    late = [Fault(column, "lies in the future; history ends today") for column, day in days.items() if day > today]
    if late:
        raise Invalid(late)
