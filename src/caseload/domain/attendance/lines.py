"""What a line of a register may say, of a client and of a relative alike."""

from datetime import timedelta

from caseload.domain.attendance.register import WAS_THERE, Line, RelativeLine, Status
from caseload.domain.attendance.session import LONGEST_NOTE
from caseload.domain.errors import Faults


def check_line(faults: Faults, line: Line | RelativeLine, where: str, *, lasted: timedelta) -> None:
    """Add every fault of what became of somebody's place in a session that lasted so long."""
    may_be_late = line.status in {Status.ATTENDED_LATE, Status.LEFT_EARLY}
    faults.check(
        when=line.status is Status.ATTENDED_LATE and line.late_minutes is None,
        where=f"{where}.late_minutes",
        problem="say how many minutes late",
    )
    faults.check(
        when=line.late_minutes is not None and not (may_be_late and line.late_minutes >= 1),
        where=f"{where}.late_minutes",
        problem="is for whoever came late, from 1 minute on",
    )
    faults.check(
        when=(line.status is Status.LEFT_EARLY) != (line.left_early_minutes is not None),
        where=f"{where}.left_early_minutes",
        problem="is for whoever left early, and only for them",
    )
    faults.check(
        when=line.left_early_minutes is not None and line.left_early_minutes < 1,
        where=f"{where}.left_early_minutes",
        problem="must be 1 or more",
    )
    whole = lasted // timedelta(minutes=1)
    faults.check(
        when=line.status in WAS_THERE and (line.late_minutes or 0) + (line.left_early_minutes or 0) >= whole,
        where=where,
        problem="leaves no minute of the session",
    )
    check_text(faults, f"{where}.note", line.note)


def check_text(faults: Faults, where: str, text: str | None) -> None:
    """Add a fault where a text is too long."""
    faults.check(
        when=text is not None and len(text) > LONGEST_NOTE,
        where=where,
        problem=f"must have at most {LONGEST_NOTE} characters",
    )
