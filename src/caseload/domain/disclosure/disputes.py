"""What a client disputes of the record, and how it goes along with what is told of it.

45 CFR 164.526(d)(5): a disclosure of what a denied request was about includes the request, the denial, the client's
statement of disagreement and the rebuttal; without a statement the request and the denial, where the client asked for
that. Entries are matched by the kind of information: a dispute goes with every disclosure of its kind, because neither a
document nor a spoken word says which entries it rests on.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from caseload.domain.consent import Category
from caseload.domain.disclosure.words import Manner
from caseload.domain.ids import RightsRequestId

SAY: Final = "The client disputes what the record says of this; an amendment was asked for and denied."
"""What is said of it with what is spoken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """A denied amendment that goes along: with the client's disagreement, or because the client asked for that."""

    request: RightsRequestId
    categories: tuple[Category, ...]
    """In which kinds of information the entry is disclosed."""
    received_on: date
    asked: str
    """What the client asked for, in their words."""
    denied: str
    """What they were told."""
    disagreement: str | None
    rebuttal: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeTold:
    """What went along with a disclosure, as it went."""

    request: RightsRequestId
    categories: tuple[Category, ...]
    says: str
    words: Mapping[str, str] = field(default_factory=dict[str, str])
    """The request, the denial, and what both said to it; nothing of them where it was spoken."""


def carried(disputes: Sequence[Dispute], told: Iterable[Category], manner: Manner) -> tuple[DisputeTold, ...]:
    """What goes along with what is told: each dispute of one of these kinds of information."""
    kinds = frozenset(told)
    return tuple(
        DisputeTold(
            request=each.request,
            categories=each.categories,
            says=SAY,
            words=_words(each) if manner is Manner.WRITTEN else {},
        )
        for each in disputes
        if not kinds.isdisjoint(each.categories)
    )


def _words(dispute: Dispute) -> Mapping[str, str]:
    words = {
        "received_on": str(dispute.received_on),
        "request": dispute.asked,
        "denial": dispute.denied,
        "disagreement": dispute.disagreement,
        "rebuttal": dispute.rebuttal,
    }
    return {name: text for name, text in words.items() if text is not None}
