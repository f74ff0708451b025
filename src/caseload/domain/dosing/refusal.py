"""A rule that stands in the way of a dose, and how it speaks."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from caseload.domain.profiles import Profile
from caseload.domain.profiles.product import product_policy


class Rule(StrEnum):
    """The rules that can stand in the way of a dose, at the window or taken home."""

    ALREADY_GIVEN = "already_given"
    NO_ORDER_IN_FORCE = "no_order_in_force"
    NOT_SCHEDULED = "not_scheduled"
    PART_NOT_ORDERED = "part_not_ordered"
    ANOTHER_MEDICINE = "another_medicine"
    MORE_THAN_ORDERED = "more_than_ordered"
    MORE_THAN_DECIDED = "more_than_decided"
    CLIENT_HELD = "client_held"
    ORDER_HELD = "order_held"
    DOSE_HELD = "dose_held"
    MISSED_DOSES = "missed_doses"
    DAYS_NOT_KNOWN = "days_not_known"
    REPEATED_GAPS = "repeated_gaps"
    TOLERANCE_LOST = "tolerance_lost"
    MISSED_IN_TITRATION = "missed_in_titration"
    """It stands in no way: the dose may be given, and the prescriber is told."""
    TOO_SOON = "too_soon"
    INJECTION_EARLY = "injection_early"
    INJECTION_OVERDUE = "injection_overdue"
    DELIVERED_TOO_LONG_AGO = "delivered_too_long_ago"
    OPIOID_TOO_RECENT = "opioid_too_recent"
    ANOTHER_ACTS = "another_acts"
    ORDERED_BESIDE = "ordered_beside"
    """It stands in no way: two medicines are ordered, each in its part of the day, and a prescriber signed that."""
    STEP_WAITS = "step_waits"
    COUNTERSIGN_OVERDUE = "countersign_overdue"
    SUPPLIED_ELSEWHERE = "supplied_elsewhere"
    NOT_DECIDED = "not_decided"
    IDENTITY_NOT_CHECKED = "identity_not_checked"
    TAKE_HOME_COVERS = "take_home_covers"
    GUEST_ELSEWHERE = "guest_elsewhere"
    """Our client is a guest of another programme on this day."""
    GUEST_OVER = "guest_over"
    """A guest on a day that is not among the agreed ones."""
    NOT_ITS_GUEST_ORDER = "not_its_guest_order"
    OTHER_REGISTRATION = "other_registration"
    """The client may be registered twice, and the other registration took something, is held or keeps something at home."""
    FUTURE = "future"
    NEVER_TAKEN_HOME = "never_taken_home"
    DISPENSED_ALREADY = "dispensed_already"
    ANOTHER_AMOUNT = "another_amount"
    TAKE_HOME_NOT_DECIDED = "take_home_not_decided"
    TAKE_HOME_SUSPENDED = "take_home_suspended"
    TAKE_HOME_REVIEW_DUE = "take_home_review_due"
    TAKE_HOME_CEILING = "take_home_ceiling"
    TAKE_HOME_MORE_THAN_DECIDED = "take_home_more_than_decided"
    COLLECTOR_NOT_SAID = "collector_not_said"
    PROOF_OF_IDENTITY_NOT_SAID = "proof_of_identity_not_said"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One rule that stands in the way, in words that tell what to do, with what it rests on."""

    rule: Rule
    says: str
    policy: str = ""
    """By which rule of which version: the profile's own name of it (`uk.missed.3 of UK-1`), or, where none is given, the
    product's (`caseload.already_given of caseload-1`). It is never empty."""
    facts: dict[str, object] = field(default_factory=dict[str, object])

    def __post_init__(self) -> None:
        """What no profile decides is the product's own rule."""
        if not self.policy:
            object.__setattr__(self, "policy", product_policy(self.rule))


def policy(rule: str, rules: Profile) -> str:
    """The rule and the version of the profile that it stands in."""
    return f"{rule} of {rules.label}"


def text(instant: datetime) -> str:
    """An instant as facts carry it."""
    return instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
