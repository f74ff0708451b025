"""The lines of a register for relatives: what became of their places, and on what those who sat with a client rested.

Whoever came with a client was let in by a consent that was in force when they came in, with the client there and after
somebody had made sure who it was. Who was there all the same stays in the register, with why.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar, Protocol

from caseload.domain.attendance.door import Door, Seats
from caseload.domain.attendance.lines import check_line, check_text
from caseload.domain.attendance.register import CALLED_OFF_BY, WAS_THERE, Line, RelativeLine
from caseload.domain.attendance.relative import ComesAs, RelativePlace
from caseload.domain.attendance.session import Session
from caseload.domain.consent import Reason, check_asker
from caseload.domain.errors import Faults
from caseload.domain.ids import ClientId, ConsentId
from caseload.domain.journal import Event, Journal


class RelativeSatIn(Event):
    """A relative sat in a session with a client, by a consent or although nothing allowed it."""

    name: ClassVar[str] = "disclosure.sat_in"


class Handed(Protocol):
    """A register as it is handed in (`domain.attendance.Taking`)."""

    @property
    def started_at(self) -> datetime:
        """When the session really began."""
        ...

    @property
    def ended_at(self) -> datetime:
        """When it really ended."""
        ...

    @property
    def lines(self) -> Sequence[Line]:
        """What became of the clients' places."""
        ...

    @property
    def relatives(self) -> Sequence[RelativeLine]:
        """What became of the relatives' places."""
        ...


def completed(session: Session, lines: Iterable[RelativeLine]) -> tuple[RelativeLine, ...]:
    """The lines that were handed in, and one for each place that was called off and has none."""
    handed = tuple(lines)
    given = {line.place for line in handed}
    called_off = [
        RelativeLine(place=place.id, status=CALLED_OFF_BY[by])
        for place in session.relatives
        if place.id not in given and (by := session.called_off_by(place)) is not None
    ]
    return (*handed, *called_off)


async def judged(
    session: Session, taking: Handed, *, faults: Faults, sessions: Seats, journal: Journal
) -> tuple[RelativeLine, ...]:
    """The lines of the relatives with the consent on which each rests; every fault of them is added.

    Whoever has a place has a line, in each version.
    """
    places = {place.id: place for place in session.relatives}
    with_clients = {place.client for place in session.relatives if place.comes_as is ComesAs.WITH_CLIENT}
    door = await sessions.door(with_clients, of=session.programme) if with_clients else None
    seen = set[RelativePlace]()
    found: list[RelativeLine] = []
    for number, line in enumerate(taking.relatives):
        where, place = f"relatives.{number}", places.get(line.place)
        if place is None or place in seen:
            faults.add(f"{where}.place_id", "is no relative's place here" if place is None else "has a line already")
            continue
        seen.add(place)
        check_line(faults, line, where, lasted=taking.ended_at - taking.started_at)
        check_text(faults, f"{where}.in_spite_because", line.in_spite_because)
        together = place.comes_as is ComesAs.WITH_CLIENT and line.status in WAS_THERE
        if together and door is not None:
            found.append(_let_in(line, place, where, door=door, taking=taking, faults=faults, journal=journal))
            continue
        faults.check(
            when=line.check is not None or line.in_spite_because is not None,
            where=f"{where}.check",
            problem="is only for whoever was there with a client",
        )
        found.append(line)
    missing = len(places) - len(seen)
    faults.check(when=missing > 0, where="relatives", problem=f"{missing} of the relatives expected have no line")
    return tuple(found)


def _let_in(
    line: RelativeLine,
    place: RelativePlace,
    where: str,
    *,
    door: Door,
    taking: Handed,
    faults: Faults,
    journal: Journal,
) -> RelativeLine:
    """The line with what let them in when they came in, or with why they were there although nothing did."""
    asked = Faults()
    check_asker(line.check, place.asker, {person.id: person for person in door.around[place.client]}, asked)
    for fault in asked.found:
        faults.add(f"{where}.{fault.field}", fault.problem)
    came_at = taking.started_at + timedelta(minutes=line.late_minutes or 0)
    answer = door.answer(place, line.check, at=came_at, journal=journal)
    allowed = answer.allowed and place.client in _there(taking.lines)
    if allowed:
        faults.check(
            when=line.in_spite_because is not None,
            where=f"{where}.in_spite_because",
            problem="is only for whom nothing let in: a consent of the client did",
        )
        _tell_sat_in(place, by=answer.consent, journal=journal)
        return replace(line, consent=answer.consent)
    if line.in_spite_because is None or not line.in_spite_because.strip():
        unchecked = answer.reason is Reason.ASKER_NOT_CHECKED
        faults.add(
            f"{where}.check" if unchecked else f"{where}.in_spite_because",
            "say how you made sure who it was"
            if unchecked
            else "nothing let them in when they came: no consent of the client covered it then, or the client was not "
            "there. If they did not sit in, say so; if they were there all the same, say why",
        )
    else:
        _tell_sat_in(place, by=None, journal=journal)
    return line


def _tell_sat_in(place: RelativePlace, *, by: ConsentId | None, journal: Journal) -> None:
    records = (place.id,) if by is None else (place.id, by)
    ground = "none" if by is None else Reason.CONSENT.value
    journal.tell(RelativeSatIn(client=place.client, records=records, facts={"ground": ground}))


def _there(lines: Iterable[Line]) -> frozenset[ClientId]:
    return frozenset(line.client for line in lines if line.status in WAS_THERE)
