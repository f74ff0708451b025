"""The rules of the product itself: what no profile decides and no programme can change, with the version they stand in.

They are named as those of a profile are, rule and version: `caseload.already_given of caseload-1`. Whoever changes what
one of them asks gives them the next version, so that what was decided before still points to what it was decided by.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

VERSION: Final = 1
LABEL: Final = f"caseload-{VERSION}"
PRODUCT_RULES: Final[Mapping[str, str]] = MappingProxyType({
    "already_given": "What is in the record as given, or covered by a dose taken elsewhere, is not given again.",
    "no_order_in_force": "Nothing is given without an order that is signed and in force on its day.",
    "not_scheduled": "An order that is not for every day is given on its own days.",
    "part_not_ordered": "Only the parts of the day that the order names are given.",
    "another_medicine": "Only the medicine and the form that the order names are given.",
    "more_than_ordered": "No more is given than the order says.",
    "more_than_decided": "No more is given than a clinician decided for a restart, or in the place of a lost dose.",
    "client_held": "Nothing is given to a client who is held.",
    "order_held": "Nothing is given under an order that is held.",
    "dose_held": "A dose that is held is not given.",
    "ordered_beside": "Two medicines that a prescriber ordered beside each other are each shown beside the other.",
    "supplied_elsewhere": "What a pharmacy supplies is not given at our window as well.",
    "not_decided": "A decision about a lost dose counts on the day of that dose.",
    "take_home_covers": "A day for which another programme has handed out a dose has its dose.",
    "guest_elsewhere": "Whoever is a guest elsewhere is given nothing here.",
    "guest_over": "A guest is given something on the agreed days alone.",
    "not_its_guest_order": "A guest is given what was ordered for that stay.",
    "other_registration": "While two registrations may be one person's, what one took stands in the way of the other.",
    "future": "What lies in the future cannot have been given.",
    "never_taken_home": "A long-acting injection is given here and never handed out.",
    "dispensed_already": "A day for which a dose has been handed out is not handed out again.",
    "another_amount": "What is handed out for a day is what was ordered for that day.",
    "take_home_suspended": "Nothing is handed out on a decision that a prescriber has suspended.",
    "take_home_more_than_decided": "No more days are handed out at once than the prescriber decided.",
    "exception_holds_next": "A dose that broke a rule holds the next one until a prescriber has looked.",
    "taken_twice_holds_next": "A day that turns out to have been taken twice holds the next dose.",
    "giver_disputes": "A dose whose named giver says otherwise holds the next one.",
    "registered_twice_holds": "Two registrations that may be one person's are both held.",
    "hold_tells_pharmacy": "Whoever supplies an order is told when it is held, and when it is not any more.",
})  # fmt: skip
"""Every rule of the product that stands in the way of a dose or asks somebody to act, with what it asks. Product convention."""


def policy_of(rule: str, label: str) -> str:
    """A rule with the version that it stands in: the product's own, or one of the profile of this label."""
    return product_policy(rule) if rule in PRODUCT_RULES else f"{rule} of {label}"


def product_policy(rule: str) -> str:
    """A rule of the product with the version that it stands in, in the shape in which a profile's rules are named."""
    return f"caseload.{rule} of {LABEL}"
