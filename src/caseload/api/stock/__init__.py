"""Stock over HTTP: what came, where it is, what went, and what two people say about it."""

from litestar import Router

from caseload.api.stock.books import add_dispenser, begin_stock, open_station, receive_stock
from caseload.api.stock.containers import (
    close_container,
    pour_container,
    put_container,
    read_container,
    use_container,
)
from caseload.api.stock.counts import assign_dose, confirm_count, count_container, read_count
from caseload.api.stock.duties import report_loss, take_inventory, tell_authority
from caseload.api.stock.ledger import export_register, read_stock_ledger
from caseload.api.stock.overview import read_stock
from caseload.api.stock.waste import waste_stock, withdraw_waste, witness_waste

router = Router(
    "/",
    route_handlers=[
        read_stock,
        begin_stock,
        open_station,
        receive_stock,
        add_dispenser,
        read_container,
        use_container,
        put_container,
        pour_container,
        close_container,
        waste_stock,
        witness_waste,
        withdraw_waste,
        count_container,
        read_count,
        confirm_count,
        assign_dose,
        take_inventory,
        report_loss,
        tell_authority,
        read_stock_ledger,
        export_register,
    ],
    tags=["Stock"],
)

__all__ = ["router"]
