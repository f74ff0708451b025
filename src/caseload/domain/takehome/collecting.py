"""Who collects what is handed out, and whether they showed who they are, as the register of controlled drugs asks.

Source: Misuse of Drugs Regulations 2001, regulation 19 (Schedule 2, methadone: the person collecting, whether proof of
identity was requested and provided; of a healthcare professional name and address); buprenorphine is Schedule 3,
where a register is recommended and not required, so that its want is pointed out and refuses nothing. Which medicine is which, the
profile says (`stock.register`). What has been handed out before it is written down is recorded all the same.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from caseload.domain.dosing import Refusal, Rule
from caseload.domain.dosing.refusal import policy
from caseload.domain.errors import Faults
from caseload.domain.medicines import Medicine
from caseload.domain.profiles import Profile


class Collector(StrEnum):
    """Who collected it."""

    CLIENT = "client"
    OTHER = "other"
    """Somebody else on the client's behalf, by name: a representative."""
    HEALTH_PROFESSIONAL = "health_professional"
    """A healthcare professional on the client's behalf, by name and address."""
    NOT_SAID = "not_said"


@dataclass(frozen=True, slots=True)
class Identity:
    """Proof of identity of whoever collects it."""

    requested: bool
    provided: bool


LONGEST_NAME: Final = 200
LONGEST_ADDRESS: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Collecting:
    """Who collects it, as it is said."""

    by_client: bool = False
    name: str | None = None
    """Of somebody else."""
    address: str | None = None
    """Of a healthcare professional: it says that they are one."""
    identity: Identity | None = None
    """None where nobody says whether it was asked for."""

    @property
    def collector(self) -> Collector:
        """The client, somebody by name, or nobody said."""
        if self.address is not None:
            return Collector.HEALTH_PROFESSIONAL
        if self.name is not None:
            return Collector.OTHER
        return Collector.CLIENT if self.by_client else Collector.NOT_SAID

    def check(self, faults: Faults) -> None:
        """Add what cannot be meant."""
        faults.check(
            when=self.by_client and self.name is not None,
            where="collected_by_client",
            problem="either the client collects it, or whoever is named",
        )
        faults.check(
            when=self.name is not None and not 0 < len(self.name.strip()) <= LONGEST_NAME,
            where="collected_by",
            problem=f"a name of 1 to {LONGEST_NAME} characters, or nothing when it was the client",
        )
        faults.check(
            when=self.address is not None
            and (self.name is None or not 0 < len(self.address.strip()) <= LONGEST_ADDRESS),
            where="collector_address",
            problem=f"1 to {LONGEST_ADDRESS} characters, of the healthcare professional named under `collected_by`",
        )


NOBODY_SAID: Final = Collecting()


def against_collector(collector: Collector, medicines: Iterable[Medicine], rules: Profile) -> list[Refusal]:
    """What stands in the way where nobody says who collects what the register must tell of."""
    return _unsaid(collector, medicines, rules.stock.register.collector_required, rules)


def collector_asked(collecting: Collecting, medicines: Iterable[Medicine], rules: Profile) -> list[Refusal]:
    """What is pointed out of what the register tells of: nobody has said who collected it, or of proof of identity."""
    register, handed = rules.stock.register, frozenset(medicines)
    told = (*register.collector_required, *register.collector_asked)
    unsaid = _unsaid(collecting.collector, handed, told, rules)
    if collecting.identity is not None:
        return unsaid
    return unsaid + [
        Refusal(
            rule=Rule.PROOF_OF_IDENTITY_NOT_SAID,
            says="Say whether whoever collected it was asked for proof of identity, and showed any.",
            policy=policy(register.rule, rules),
            facts={"medicine": medicine},
        )
        for medicine in sorted(handed & set(told))
    ]


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
