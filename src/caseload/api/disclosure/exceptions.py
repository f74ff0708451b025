"""The exceptions of every country, as staff look them up."""

from caseload.api.route import reading
from caseload.api.wire import Wire
from caseload.domain.access import Act
from caseload.domain.consent import Category, Purpose, RecipientClass
from caseload.domain.disclosure import ExceptionRule, Ground, RuleSet, StatedField, rule_sets


class StatedFieldOut(Wire, frozen=True, kw_only=True):
    """Something that an exception asks to be stated."""

    name: str
    says: str
    choices: list[str]
    """What can be stated; any text where it is empty."""
    within_days: int | None
    """It is a day written as 2026-03-01, not to come and at most so many days ago; null: it is no day."""

    @classmethod
    def of(cls, one: StatedField) -> "StatedFieldOut":
        """From the domain."""
        return cls(name=one.name, says=one.says, choices=list(one.choices), within_days=one.within_days)


class ExceptionOut(Wire, frozen=True, kw_only=True):
    """One exception, in one country."""

    jurisdiction: str
    version: str
    ground: Ground
    rule: str
    says: str
    purpose: Purpose
    categories: list[Category]
    fields: list[StatedFieldOut]
    recipients: list[RecipientClass]
    """The classes to which alone it tells; anybody where it is empty."""
    from_age: int | None
    """It is for clients of that age and older; null: for everybody."""
    needs_consent: bool
    unsupported: str | None
    """Why nothing can be told by it through this service."""

    @classmethod
    def of(cls, one: ExceptionRule, known: RuleSet) -> "ExceptionOut":
        """From the domain."""
        return cls(
            jurisdiction=known.jurisdiction,
            version=known.version,
            ground=one.ground,
            rule=one.rule,
            says=one.says,
            purpose=one.purpose,
            categories=sorted(one.categories),
            fields=[StatedFieldOut.of(each) for each in one.fields],
            recipients=sorted(one.recipients),
            from_age=one.from_age,
            needs_consent=one.needs_consent,
            unsupported=one.unsupported,
        )


class ExceptionsOut(Wire, frozen=True, kw_only=True):
    """The exceptions of every country."""

    items: list[ExceptionOut]


@reading(
    "/disclosure-exceptions",
    act=Act.SEE_PROGRAMMES,
    name="list_disclosure_exceptions",
    problems=(),
    unaudited="the wording of rules is nobody's data",
)
async def list_disclosure_exceptions() -> ExceptionsOut:
    """By what something may be told without, or with more than, a consent, and what each asks to be stated."""
    return ExceptionsOut(items=[ExceptionOut.of(one, known) for known in rule_sets() for one in known.exceptions])
