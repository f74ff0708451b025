"""Who it is that a dose is given to: how whoever gives it made sure, and what the profile asks of that."""

from caseload.domain.dosing.refusal import Refusal, Rule, policy
from caseload.domain.profiles import Profile
from caseload.domain.profiles.around import IdentifiedBy


def against_identity(identified_by: IdentifiedBy | None, rules: Profile) -> list[Refusal]:
    """What stands in the way of a dose at the window: no check where one is required, or one that does not count."""
    said = rules.around_the_dose.identity
    if identified_by in said.accepts or (identified_by is None and not said.required):
        return []
    return [
        Refusal(
            rule=Rule.IDENTITY_NOT_CHECKED,
            says=said.says,
            policy=policy(said.rule, rules),
            facts={"identified_by": identified_by, "accepts": list(said.accepts)},
        )
    ]
