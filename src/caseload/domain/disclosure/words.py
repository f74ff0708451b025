"""The words of disclosures, stored and sent as they stand here."""

from enum import StrEnum


class Ground(StrEnum):
    """What allows telling something: a consent, an emergency, or an exception that the country's rules know."""

    CONSENT = "consent"
    EMERGENCY = "emergency"
    """A medical emergency in which consent cannot be had; to medical personnel only (42 CFR 2.51)."""
    WITHIN_PROGRAMME = "within_programme"
    SERVICE_ORGANISATION = "service_organisation"
    CHILD_ABUSE = "child_abuse"
    CRIME_ON_PREMISES = "crime_on_premises"
    CAUSE_OF_DEATH = "cause_of_death"
    DIRECTORS_CONSENT = "directors_consent"
    """The programme director consents for somebody who cannot act for themselves (42 CFR 2.15(a)(2)); for payment alone."""
    CENTRAL_REGISTRY = "central_registry"
    OTHER_PROGRAMME = "other_programme"
    PRESCRIPTION_MONITORING = "prescription_monitoring"
    AUDIT_EVALUATION = "audit_evaluation"
    COURT_ORDER = "court_order"
    SAFEGUARDING = "safeguarding"
    SERIOUS_HARM = "serious_harm"
    CORONER = "coroner"
    BEST_INTERESTS = "best_interests"
    """Somebody who cannot decide about it is helped by it (Mental Capacity Act 2005, sections 1 to 4)."""
    RESEARCH = "research"
    """Not supported anywhere here: refused, and said so."""


EXCEPTIONS = frozenset(Ground) - {Ground.CONSENT, Ground.EMERGENCY}

NEED_CONSENT = frozenset({
    Ground.CONSENT, Ground.CENTRAL_REGISTRY, Ground.OTHER_PROGRAMME, Ground.PRESCRIPTION_MONITORING,
})  # fmt: skip
"""The grounds that stand on a consent: the last three ask for more besides (2.34(a)(3), 2.36)."""


class Manner(StrEnum):
    """How something leaves."""

    WRITTEN = "written"
    """As a document that this service makes."""
    SPOKEN = "spoken"


class NoticeHow(StrEnum):
    """How the notice of 42 CFR 2.32 went with it."""

    ON_THE_DOCUMENT = "on_the_document"
    READ_OUT = "read_out"
    HANDED_OVER = "handed_over"
    SENT = "sent"


BY_WORD = frozenset(NoticeHow) - {NoticeHow.ON_THE_DOCUMENT}
"""How it can go with what was spoken."""
