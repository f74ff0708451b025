"""What whoever signs sends along: who they are, proved once more (21 CFR 11.200(a)(1))."""

from caseload.api.wire import Wire
from caseload.domain.people import Evidence


class ProvedIn(Wire, frozen=True, kw_only=True):
    """Your password once more; the first time you sign in a session, your second factor too if your account has one."""

    password: str
    second_factor: str | None = None

    def evidence(self) -> Evidence:
        """For the domain."""
        return Evidence(password=self.password, second_factor=self.second_factor)
