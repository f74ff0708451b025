"""The kinds of refusal: four about what was asked, two about who asks. A feature subclasses one of them.

The docstring of a subclass is the title that a caller sees; the detail says what to do next. Neither ever
holds client data: an error may travel to places that have no right to know who is in treatment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


class CaseloadError(Exception):
    """The request could not be carried out."""

    def __init__(self, detail: str = "", /, **facts: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.facts: Mapping[str, object] = facts
        """What the refusal rests on: rules, days, ids and amounts, never names."""


class NotFound(CaseloadError):
    """There is no such record within your reach."""


class Conflict(CaseloadError):
    """The record has moved on."""


class NotPermitted(CaseloadError):
    """Your role does not allow this."""


class NotSignedIn(CaseloadError):
    """Sign in first."""


class TooManyAttempts(CaseloadError):
    """Too many attempts. Wait before the next one."""

    def __init__(self, detail: str, /, *, retry_after_s: int) -> None:
        super().__init__(detail, retry_after_s=retry_after_s)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Fault:
    """One field that cannot be accepted, and what would be."""

    field: str
    """Where in the request: a dotted path such as `parts.0.amount_mg`."""
    problem: str


class Invalid(CaseloadError):
    """Some of what was sent cannot be accepted."""

    def __init__(self, faults: Sequence[Fault] | Fault | str, /, **facts: object) -> None:
        listed = (
            [Fault("", faults)] if isinstance(faults, str) else [faults] if isinstance(faults, Fault) else list(faults)
        )
        super().__init__("; ".join(f"{fault.field}: {fault.problem}".removeprefix(": ") for fault in listed), **facts)
        self.faults = tuple(listed)


@dataclass(slots=True)
class Faults:
    """Collects every fault of a request, so that a caller learns all of them at once."""

    found: list[Fault] = field(default_factory=list[Fault])

    def add(self, where: str, problem: str) -> None:
        self.found.append(Fault(where, problem))

    def check(self, *, when: bool, where: str, problem: str) -> None:
        """Add the fault when the condition holds."""
        if when:
            self.add(where, problem)

    def raise_if_any(self) -> None:
        """Raise `Invalid` with everything found so far."""
        if self.found:
            raise Invalid(self.found)
