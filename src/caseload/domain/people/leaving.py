"""Leaving: whoever stops working here, or stops counselling, leaves no client without somebody who answers for them."""

from caseload.domain.errors import Conflict


class StillResponsible(Conflict):
    """Clients would be left with nobody who answers for them."""

    def __init__(self, clients: int) -> None:
        them = "one client" if clients == 1 else f"{clients} clients"
        super().__init__(
            f"They answer for {them}, now or from a planned handover on. A supervisor or medical director hands every "
            "client over first, or cancels the handover. To shut somebody out at once, reset their password.",
            clients=clients,
        )


def require_nobody_left(clients: int) -> None:
    """Raise `StillResponsible` when somebody who is about to leave answers for clients."""
    if clients:
        raise StillResponsible(clients)
