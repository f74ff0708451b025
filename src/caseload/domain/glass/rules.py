"""What breaking the glass asks for and gives, as data (`rules.toml`)."""

from functools import cache
from importlib.resources import files

import msgspec


class GlassRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One version of the rules."""

    version: int
    minutes: int
    """How long a glass stays broken at most."""
    shortest_reason: int
    guesses: int
    """So many tries that opened nothing are let pass."""
    guessing_minutes: int
    """Within so many minutes."""

    @property
    def rule(self) -> str:
        """The name of the rule, with its version."""
        return f"break_glass/{self.version}"


@cache
def rules() -> GlassRules:
    """The rules in force."""
    return msgspec.toml.decode((files("caseload.domain.glass") / "rules.toml").read_bytes(), type=GlassRules)
