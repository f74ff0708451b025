"""Whatever is refused, warned of or asked for says by which rule of which version."""

import ast
import re
from collections.abc import Iterator

import pytest

from caseload.domain.dosing import Refusal, Rule
from caseload.domain.dosing.giver import GIVER_DISPUTES
from caseload.domain.dosing.twice import TAKEN_TWICE_HOLDS
from caseload.domain.medication import EXCEPTION_HOLDS_NEXT
from caseload.domain.merge import SUSPICION_HOLDS
from caseload.domain.profiles.product import PRODUCT_RULES, product_policy
from tests.architecture.source import ROOT, Place, calls, modules

SHAPE = re.compile(r"caseload\.[a-z_]+ of caseload-[0-9]+")
NO_RULE_OF_A_DOSE = frozenset({
    "hold_tells_pharmacy",
    EXCEPTION_HOLDS_NEXT,
    TAKEN_TWICE_HOLDS,
    GIVER_DISPUTES,
    SUSPICION_HOLDS,
})  # fmt: skip
"""What asks somebody to act, or holds what comes next."""
WHERE_NO_PROFILE_SAID_SO = frozenset({"take_home_suspended", "ordered_beside"})
"""By a profile's rule where one led to it, else by the product's: a prescriber suspended it, or nobody was asked."""


def refusals() -> Iterator[tuple[Place, str, bool]]:
    """Every place that makes a refusal, with its rule, and whether it names who says so itself."""
    for module in modules():
        for name, call in calls(module):
            given = {each.arg: each.value for each in call.keywords}
            if name == "Refusal" and "rule" in given:
                rule = given["rule"]
                named = Rule[rule.attr].value if isinstance(rule, ast.Attribute) else ast.unparse(rule)
                yield Place(path=module.path, line=call.lineno, what=named), named, "policy" in given


def test_no_refusal_has_an_empty_source() -> None:
    nameless = [
        f"{place}: name the profile's rule (`policy=`), or say in `domain/profiles/product.py` what the product's own asks."
        for place, rule, names_a_profile in refusals()
        if not names_a_profile and rule not in PRODUCT_RULES
    ]
    assert not nameless, "\n".join(nameless)


def test_every_rule_of_the_product_is_one_that_something_rests_on() -> None:
    used = {rule for _, rule, names_a_profile in refusals() if not names_a_profile}
    assert set(PRODUCT_RULES) == used | WHERE_NO_PROFILE_SAID_SO | NO_RULE_OF_A_DOSE


@pytest.mark.parametrize("rule", Rule)
def test_what_names_no_profile_names_the_product_and_its_version(rule: Rule) -> None:
    assert SHAPE.fullmatch(Refusal(rule=rule, says="").policy)
    assert Refusal(rule=rule, says="", policy="uk.missed.3 of UK-1").policy == "uk.missed.3 of UK-1"


@pytest.mark.parametrize("rule", PRODUCT_RULES)
def test_the_rules_of_the_product_stand_in_the_clinicians_words(rule: str) -> None:
    told = (ROOT / "docs" / "medication.md").read_text()
    assert f"| `{rule}` | {PRODUCT_RULES[rule]} |" in told, (
        f"docs/medication.md does not tell of {product_policy(rule)}."
    )
