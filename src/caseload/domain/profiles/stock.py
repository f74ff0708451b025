"""What a profile asks of whoever keeps controlled medicine."""

from caseload.domain.medicines import Medicine
from caseload.domain.profiles.said import Data, SaidBy


class StockInventory(SaidBy, frozen=True):
    """By when everything must be counted again."""

    every_days: int


class StockWitness(SaidBy, frozen=True):
    """By when somebody who did not handle it must have signed for waste, or for a count."""

    within_hours: int


class StockLoss(SaidBy, frozen=True):
    """What the authority is sent about a theft or a loss, counted from its discovery."""

    notice_business_days: int
    form_days: int | None = None


class StockRegister(SaidBy, frozen=True):
    """Which medicines stand in the register of controlled drugs, and whether it names whom they were supplied to."""

    medicines: tuple[Medicine, ...]
    names_clients: bool
    collector_required: tuple[Medicine, ...]
    """Nothing of these is handed out unless somebody says who collects it."""
    collector_asked: tuple[Medicine, ...]
    """Of these it is pointed out that nobody has said so."""


class StockRules(Data, frozen=True):
    """What a jurisdiction asks of whoever keeps controlled medicine."""

    inventory: StockInventory
    witness: StockWitness
    loss: StockLoss
    register: StockRegister
