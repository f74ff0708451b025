"""Flags on the wire."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from caseload.api.amounts import written
from caseload.api.wire import Wire
from caseload.domain.dosing import Due
from caseload.domain.flag import SAYS, Flag, FlagKind, SeeFirst, high_dose
from caseload.domain.profiles import Profile


class FlagIn(Wire, frozen=True, kw_only=True):
    """What whoever orders or gives a medicine should see first."""

    kind: FlagKind
    what: str
    """What exactly: the substance, the medicine and its dose."""
    since: date | None = None
    """The first day; today when left out."""


class FlagEndIn(Wire, frozen=True, kw_only=True):
    """That a flag counts no longer."""

    reason: str
    ended_on: date | None = None
    """The first day on which it counts no longer; today when left out."""


class FlagOut(Wire, frozen=True, kw_only=True):
    """A flag with its end, if it has one."""

    id: UUID
    client_id: UUID
    kind: FlagKind
    what: str
    says: str
    since: date
    recorded_by: UUID
    recorded_at: datetime
    ended_on: date | None
    end_reason: str | None
    ended_by: UUID | None
    end_recorded_at: datetime | None

    @classmethod
    def of(cls, flag: Flag) -> "FlagOut":
        """From the domain."""
        end = flag.end
        return cls(
            id=flag.id,
            client_id=flag.client,
            kind=flag.said.kind,
            what=flag.said.what,
            says=SAYS[flag.said.kind],
            since=flag.said.since,
            recorded_by=flag.recorded_by,
            recorded_at=flag.recorded_at,
            ended_on=None if end is None else end.ended_on,
            end_reason=None if end is None else end.reason,
            ended_by=None if end is None else end.ended_by,
            end_recorded_at=None if end is None else end.recorded_at,
        )


class ShownOut(Wire, frozen=True, kw_only=True):
    """A flag as it is shown beside what is due. It never refuses anything."""

    kind: str
    """A kind of flag; or one that nobody raises: `high_dose`, `high_qtc`."""
    what: str
    says: str
    since: date | None
    """Null where nobody raised it."""
    facts: dict[str, Any]
    """For `high_dose` the rule with its number and source; for `high_qtc` when it was observed."""


def shown(first: SeeFirst, due: Due, profile: Profile) -> list[ShownOut]:
    """What is shown beside what is due: the flags that somebody raised, a high daily dose, and a high QTc."""
    found = [
        ShownOut(kind=each.kind, what=each.what, says=SAYS[each.kind], since=each.since, facts={})
        for each in first.flags
    ]
    rule = profile.monitoring.high_dose
    medicine = due.order.medicine if due.order is not None else None
    total = high_dose(medicine, [part.amount_mg for part in due.parts], rule)
    if total is not None:
        facts = {
            "rule": f"{rule.rule} of {profile.label}",
            "above_mg": rule.methadone_mg_a_day_above,
            "source": rule.source,
        }
        what = f"{written(total)} mg a day"
        found.append(ShownOut(kind="high_dose", what=what, says=rule.says, since=None, facts=facts))
    if first.qtc is not None and first.qtc.says is not None:
        facts = {"observed_at": first.qtc.observed_at.isoformat()}
        what = f"QTc {first.qtc.milliseconds} ms"
        found.append(ShownOut(kind="high_qtc", what=what, says=first.qtc.says, since=None, facts=facts))
    return found
