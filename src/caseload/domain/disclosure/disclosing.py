"""Disclosing: the one operation that produces what is released, or refuses.

The decision is made inside the piece of work that records it, while no consent of the client can be ended: what was
allowed a minute ago and has been revoked since is refused. One consent, or one exception, covers all that is told at
once; what takes several is told separately, each with its own notice and scope.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from caseload.domain.access import Act
from caseload.domain.client import Client
from caseload.domain.consent import (
    ADVICE_WHEN_RESTRICTED,
    RESTRICTION_RULE,
    Asked,
    Category,
    Consents,
    DisclosureRules,
    Purpose,
    Reason,
    rules_on,
    sound,
)
from caseload.domain.disclosure.deciding import Covering, covering
from caseload.domain.disclosure.disputes import carried
from caseload.domain.disclosure.made import (
    Disclosure,
    DisclosureMade,
    Disclosures,
    NothingAllowsIt,
    Telling,
    scope_of,
    tell_refused,
)
from caseload.domain.disclosure.making import Making, require_complete
from caseload.domain.disclosure.rules import ExceptionRule, RuleSet, exceptions_on
from caseload.domain.disclosure.words import Ground, Manner, NoticeHow
from caseload.domain.errors import Fault, Invalid
from caseload.domain.family import Families
from caseload.domain.ids import DisclosureId
from caseload.domain.journal import Journal
from caseload.domain.people import Staff
from caseload.domain.programme import Programme

Refused = tuple[Reason, NothingAllowsIt]
"""The reason that counted, and what whoever asks is told."""


class Rendering(Protocol):
    """What the record holds of each kind, as a document can say it."""

    async def rendered(self, client: Client, category: Category, /, *, by: Staff, since: datetime | None) -> object:
        """The record's content of one kind: texts, numbers, and lists and mappings of them.

        Of what belongs to a day, only what is of later than `since`, where that is given.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What lies before whoever discloses: the consents, the family, the record, and the book in which it is written."""

    consents: Consents
    families: Families
    rendering: Rendering
    disclosures: Disclosures


async def disclose(
    making: Making,
    client: Client,
    programme: Programme,
    *,
    as_id: DisclosureId,
    by: Staff,
    now: datetime,
    desk: Desk,
    journal: Journal,
) -> Disclosure:
    """Release something about a client, and keep what was released. `programme` is the client's own.

    Raises `NotPermitted`, `Invalid`, or `NothingAllowsIt` with the rule and what to do instead.
    """
    by.require(Act.DISCLOSE, client.programme)
    day = programme.today(now)
    known = exceptions_on(programme.profiles.name_on(day), day)
    exception = (
        None
        if making.ground is Ground.CONSENT
        else _exception(making, known, client, programme, day=day, journal=journal)
    )
    asked = Asked(
        recipient=making.recipient,
        categories=tuple(dict.fromkeys(making.categories)),
        purpose=_purpose(making, exception),
        check=making.check,
        by_name=making.name,
        since=making.since,
    )
    await desk.consents.hold(client.id)
    asked = await sound(asked, client, desk.families, by=by, now=now)
    rules = rules_on(known.jurisdiction, day)
    require_complete(making, exception, client, by, notice=rules.notice, day=day)
    covered = None
    if exception is None or exception.needs_consent:
        covered = await covering(
            asked, client, programme, now=now, consents=desk.consents, journal=journal, ground=making.ground
        )
    else:
        refused = (
            _why_not_checked(asked, exception, known)
            or _why_not_warned(asked, exception, rules)
            or await _why_not_agreed(asked, exception, known, client, desk.consents)
        )
        if refused is not None:
            reason, refusal = refused
            tell_refused(
                client.id, making.ground, rule=exception.rule, rules=known.version, reason=reason, journal=journal
            )
            raise refusal
    made = Disclosure(
        id=as_id,
        client=client.id,
        programme=client.programme,
        telling=_telling(making, asked),
        ground=making.ground,
        consent=None if covered is None else covered.consent.id,
        categories=asked.categories,
        rule=_rule(exception, covered),
        rules_version=_version(exception, covered, known),
        manner=making.manner,
        notice=_notice(exception, covered, rules),
        notice_how=_notice_how(making, _notice(exception, covered, rules)),
        scope=_scope(exception, covered, programme),
        stated=making.stated,
        content={}
        if making.manner is Manner.SPOKEN
        else await document(client, programme, asked.categories, by=by, rendering=desk.rendering, since=asked.since),
        since=asked.since,
        disputes=carried(await desk.disclosures.disputes_of(client.id), asked.categories, making.manner),
        disclosed_by=by.id,
        disclosed_at=now,
        recorded_by=by.id,
        recorded_at=now,
    )
    await desk.disclosures.add_disclosure(made)
    tell_made(made, journal)
    return made


def tell_made(made: Disclosure, journal: Journal) -> None:
    """Put what was told into the log, by its kind only."""
    journal.tell(
        DisclosureMade(
            client=made.client,
            records=(made.id,) if made.consent is None else (made.id, made.consent),
            facts={
                "ground": made.ground.value,
                "purpose": made.telling.purpose.value,
                "manner": made.manner.value,
                "categories": ",".join(made.categories),
                "rules": made.rules_version,
            },
        )
    )


def _exception(
    making: Making, known: RuleSet, client: Client, programme: Programme, *, day: date, journal: Journal
) -> ExceptionRule:
    """The exception that is named, if this country knows it, supports it, and what is stated goes with it."""
    found = known.on(making.ground)
    if found is None:
        tell_refused(
            client.id, making.ground, rule=None, rules=known.version, reason="no_such_exception", journal=journal
        )
        raise NothingAllowsIt(
            f"The rules of this programme's country know no such exception: {making.ground}. Ask the client for a consent.",
            rules_version=known.version,
            ground=making.ground,
        )
    young = found.too_young(client.identity.birth_date, day, programme.rules_on(day).minors)
    if advice := found.refusal(making.stated) or young:
        tell_refused(
            client.id, making.ground, rule=found.rule, rules=known.version, reason="not_by_this", journal=journal
        )
        raise NothingAllowsIt(advice, rule=found.rule, rules_version=known.version, ground=making.ground)
    return found


def _purpose(making: Making, exception: ExceptionRule | None) -> Purpose:
    if exception is not None:
        return exception.purpose
    if making.purpose is None:
        raise Invalid(Fault("purpose", "say what it is for (42 CFR 2.31(a)(5))"))
    return making.purpose


def _why_not_checked(asked: Asked, exception: ExceptionRule, known: RuleSet) -> Refused | None:
    """Without a check of who asks nothing is told by an exception either."""
    if asked.check is not None:
        return None
    return Reason.ASKER_NOT_CHECKED, NothingAllowsIt(
        "Neither confirm nor deny. First make sure who is asking: call back to the number on file, in person, or by "
        "a document.",
        rule=exception.rule,
        rules_version=known.version,
        reason=Reason.ASKER_NOT_CHECKED,
    )


def _why_not_warned(asked: Asked, exception: ExceptionRule, rules: DisclosureRules) -> Refused | None:
    """Whoever a safety warning is about is told nothing by an exception either; a duty towards them is met by others."""
    if not asked.warned:
        return None
    advice = asked.addressee.advised(rules.advice_when_warned) if asked.may_know_why else rules.advice_when_refused
    reason = Reason.SAFETY_WARNING if asked.may_know_why else Reason.NO_CONSENT
    shown = NothingAllowsIt(advice, rule=exception.rule, rules_version=rules.version, reason=reason)
    return Reason.SAFETY_WARNING, shown


async def _why_not_agreed(
    asked: Asked, exception: ExceptionRule, known: RuleSet, client: Client, consents: Consents
) -> Refused | None:
    """What the programme has agreed with the client not to tell, nobody decides otherwise in the client's place."""
    if not exception.in_clients_place:
        return None
    agreed = await consents.restrictions(client.id)
    if not any(
        each.forbids(asked.addressee, category, asked.purpose, since=asked.since)
        for each in agreed
        for category in asked.categories
    ):
        return None
    refusal = NothingAllowsIt(
        asked.addressee.advised(ADVICE_WHEN_RESTRICTED),
        rule=RESTRICTION_RULE,
        rules_version=known.version,
        reason=Reason.AGREED_RESTRICTION,
    )
    return Reason.AGREED_RESTRICTION, refusal


def _telling(making: Making, asked: Asked) -> Telling:
    return Telling(
        recipient=making.recipient,
        name=making.name,
        purpose=asked.purpose,
        facility=making.facility,
        address=making.address,
        check=making.check,
    )


def _rule(exception: ExceptionRule | None, covered: Covering | None) -> str:
    rules = (None if exception is None else exception.rule, None if covered is None else covered.answer.rule)
    return " and ".join(rule for rule in rules if rule is not None)


def _version(exception: ExceptionRule | None, covered: Covering | None, known: RuleSet) -> str:
    return known.version if exception is not None or covered is None else covered.answer.rules_version


def _notice(exception: ExceptionRule | None, covered: Covering | None, rules: DisclosureRules) -> str | None:
    """What goes with it: under a consent, also one that somebody else gives in the client's place."""
    if covered is not None:
        return covered.answer.notice
    return None if exception is None or exception.scope is None else rules.notice


def _scope(exception: ExceptionRule | None, covered: Covering | None, programme: Programme) -> str | None:
    if covered is not None:
        return scope_of(covered.consent, programme)
    return None if exception is None else exception.scope


def _notice_how(making: Making, notice: str | None) -> NoticeHow | None:
    if notice is None:
        return None
    return NoticeHow.ON_THE_DOCUMENT if making.manner is Manner.WRITTEN else making.notice_how


async def document(
    client: Client,
    programme: Programme,
    categories: Iterable[Category],
    *,
    by: Staff,
    rendering: Rendering,
    since: datetime | None = None,
) -> Mapping[str, object]:
    """What a document says: whom it is about and who tells, and of each category what the record holds."""
    identity = client.identity
    about = {
        "given_name": identity.given_name,
        "family_name": identity.family_name,
        "birth_date": str(identity.birth_date),
        "programme": programme.name,
    }
    told = {category.value: await rendering.rendered(client, category, by=by, since=since) for category in categories}
    return {"about": about, **told}
