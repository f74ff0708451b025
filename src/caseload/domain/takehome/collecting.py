"""Who collects what is handed out: the client or somebody else by name, as the register of controlled drugs asks.

Source: Misuse of Drugs Regulations 2001, regulation 19 (Schedule 2, methadone: the person collecting); buprenorphine is Schedule 3,
where a register is recommended and not required, so that its want is pointed out and refuses nothing. Which medicine is which, the
profile says (`stock.register`). What has been handed out before it is written down is recorded all the same.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum

from caseload.domain.dosing import Refusal, Rule
from caseload.domain.dosing.refusal import policy
from caseload.domain.errors import Faults
from caseload.domain.medicines import Medicine
from caseload.domain.profiles import Profile


class Collector(StrEnum):
    """Who collected it."""

    CLIENT = "client"
    OTHER = "other"
    """Somebody else, by name."""
    NOT_SAID = "not_said"


def collector_of(*, by_client: bool, name: str | None) -> Collector:
    """As it was said: the client, somebody by name, or nothing."""
    if name is not None:
        return Collector.OTHER
    return Collector.CLIENT if by_client else Collector.NOT_SAID


def check_collector(*, by_client: bool, name: str | None, faults: Faults) -> None:
    """Add a fault where both are said."""
    faults.check(
        when=by_client and name is not None,
        where="collected_by_client",
        problem="either the client collects it, or whoever is named",
    )


def against_collector(collector: Collector, medicines: Iterable[Medicine], rules: Profile) -> list[Refusal]:
    """What stands in the way where nobody says who collects what the register must tell of."""
    return _unsaid(collector, medicines, rules.stock.register.collector_required, rules)


def collector_asked(collector: Collector, medicines: Iterable[Medicine], rules: Profile) -> list[Refusal]:
    """What is pointed out where nobody has said who collected it, and what the register wants to tell of."""
    register = rules.stock.register
    return _unsaid(collector, medicines, (*register.collector_required, *register.collector_asked), rules)


def _unsaid(
    collector: Collector, medicines: Iterable[Medicine], told: Sequence[Medicine], rules: Profile
) -> list[Refusal]:
    if collector is not Collector.NOT_SAID:
        return []
    return [
        Refusal(
            rule=Rule.COLLECTOR_NOT_SAID,
            says="Say who collects it: the client, or somebody else by name. The register asks for it.",
            policy=policy(rules.stock.register.rule, rules),
            facts={"medicine": medicine},
        )
        for medicine in sorted(set(medicines) & set(told))
    ]
