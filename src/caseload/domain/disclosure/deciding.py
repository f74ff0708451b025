"""Which one consent a disclosure rests on, decided at the moment at which it is recorded."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from caseload.domain.client import Client
from caseload.domain.consent import (
    Answer,
    Asked,
    Category,
    Consent,
    Consents,
    Reason,
    answers_to,
    as_shown,
    tell_asked,
)
from caseload.domain.consent.near import near_consents
from caseload.domain.disclosure.made import NothingAllowsIt, tell_refused
from caseload.domain.disclosure.words import Ground
from caseload.domain.journal import Journal
from caseload.domain.programme import Programme

DID_YOU_MEAN: Final = (
    "Did you mean the recipient of a consent in `near_consents`? Read it, and if it is the same, disclose to the "
    "recipient as that consent names them."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Covering:
    """The consent that allows it, and what of it is covered."""

    consent: Consent
    answer: Answer
    categories: tuple[Category, ...]


async def covering(
    asked: Asked,
    client: Client,
    programme: Programme,
    *,
    now: datetime,
    consents: Consents,
    journal: Journal,
    needed: Collection[Category] = (),
    ground: Ground = Ground.CONSENT,
) -> Covering:
    """The one consent that covers everything asked, or all that is `needed` and as much of the rest as any does.

    No consent of the client can be ended until this piece of work is over, and whatever was ended before counts, also when
    that was after this work began. Question and answers are in the log. Raises `NothingAllowsIt`.
    """
    at = max(now, await consents.hold(client.id) or now)
    given = await consents.of(client.id)
    answers = answers_to(asked, given, programme=programme, at=at)
    tell_asked(asked, answers, client=client.id, journal=journal)
    must = frozenset(needed or asked.categories)
    for answer in answers:
        if answer.category in must and not answer.allowed:
            _refused(client, ground, answer, answer.reason.value, journal)
            raise _nothing_allows(as_shown(answer, asked, programme=programme, at=at), asked, given, at=at)
    found = [alone for one in given if (alone := _alone(one, asked, programme, at)) and must <= {*alone.categories}]
    if not found:
        _refused(client, ground, answers[0], "several_consents", journal)
        raise NothingAllowsIt(
            "It takes several consents: disclose what each of them covers by itself, with its own notice.",
            rule=answers[0].rule,
            rules_version=answers[0].rules_version,
            reason="several_consents",
        )
    return max(found, key=lambda each: len(each.categories))


def _nothing_allows(shown: Answer, asked: Asked, given: Iterable[Consent], *, at: datetime) -> NothingAllowsIt:
    """What whoever discloses is told. Who sees the client's consents is told which names somebody spelled nearly so."""
    facts: dict[str, object] = {
        "rule": shown.rule,
        "rules_version": shown.rules_version,
        "reason": shown.reason,
        "category": shown.category,
    }
    advice = shown.advice or ""
    if shown.reason is Reason.NO_CONSENT and asked.may_know_why:
        near = dict.fromkeys(consent.id for _, consent in near_consents(asked.recipient, given, asked.around, at=at))
        if near:
            return NothingAllowsIt(f"{advice} {DID_YOU_MEAN}", **facts, near_consents=[str(each) for each in near])
    return NothingAllowsIt(advice, **facts)


def _refused(client: Client, ground: Ground, answer: Answer, reason: str, journal: Journal) -> None:
    tell_refused(client.id, ground, rule=answer.rule, rules=answer.rules_version, reason=reason, journal=journal)


def _alone(consent: Consent, asked: Asked, programme: Programme, at: datetime) -> Covering | None:
    allowed: Sequence[Answer] = [
        answer
        for answer in answers_to(asked, (consent,), programme=programme, at=at)
        if answer.consent and answer.allowed
    ]
    if not allowed:
        return None
    return Covering(consent=consent, answer=allowed[0], categories=tuple(answer.category for answer in allowed))
