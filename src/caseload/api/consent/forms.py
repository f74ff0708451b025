"""The consent forms of every jurisdiction."""

from datetime import date

from caseload.api.route import reading
from caseload.api.wire import Wire
from caseload.domain.access import Act
from caseload.domain.consent import ConsentKind, Form, forms, rules_on


class FormOut(Wire, frozen=True, kw_only=True):
    """One version of a consent form, as a client reads it."""

    version: str
    kind: ConsentKind
    jurisdiction: str
    in_force_from: date
    source: str
    right_to_revoke: str
    how_to_revoke: str
    redisclosure: str | None
    refusal: str | None
    typed_signature: str
    """What you attest by recording a typed signature, as it reads now."""

    @classmethod
    def of(cls, form: Form) -> "FormOut":
        """From the domain."""
        return cls(
            version=form.version,
            kind=form.kind,
            jurisdiction=form.jurisdiction,
            in_force_from=form.in_force_from,
            source=form.source,
            right_to_revoke=form.right_to_revoke,
            how_to_revoke=form.how_to_revoke,
            redisclosure=form.redisclosure,
            refusal=form.refusal,
            typed_signature=rules_on(form.jurisdiction, date.max).typed_signature,
        )


class FormsOut(Wire, frozen=True, kw_only=True):
    """Every version of every consent form."""

    items: list[FormOut]


@reading(
    "/consent-forms",
    act=Act.SEE_PROGRAMMES,
    name="list_consent_forms",
    problems=(),
    unaudited="the wording of forms is nobody's data",
)
async def list_consent_forms() -> FormsOut:
    """The consent forms of every jurisdiction, as clients read them."""
    return FormsOut(items=[FormOut.of(form) for form in forms().values()])
