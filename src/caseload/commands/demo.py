"""Fill an empty database with a made-up clinic to look at."""

import asyncio
from typing import TYPE_CHECKING

import rich_click as click

from caseload.commands import terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caseload.demo.filling import Size
    from caseload.demo.hiring import SignIn
    from caseload.settings import Settings

FEWEST_CLIENTS = 70
SHORTEST_DAYS = 28
"""The same as in `demo.stories`, said again so that help need not load it; a test compares."""


@click.command(
    epilog="""\b
Examples:
  caseload demo
  CASELOAD_DATA_DIR=/tmp/large caseload demo --clients 2000 --days 90 --seed 7
"""
)
@click.option("--clients", type=click.IntRange(FEWEST_CLIENTS), default=300, show_default=True, help="How many.")
@click.option("--days", type=click.IntRange(SHORTEST_DAYS, 365), default=60, show_default=True, help="How far back.")
@click.option("--seed", default=1, show_default=True, help="The same seed tells the same stories.")
def command(*, clients: int, days: int, seed: int) -> None:
    """Fill an empty database with a made-up clinic: three programmes, 24 of the staff, and what happened there.

    The weeks up to yesterday are told through the rules of the clinic itself; today is yours. Everything is one
    transaction: stopped half way, nothing is left. Refuses a database with a clinic in it, and production mode.
    """
    from caseload.demo.filling import PEOPLE, Size, people_text

    with terminal.database() as settings:
        sign_ins = asyncio.run(_fill(settings, Size(clients=clients, days=days, seed=seed)))
        click.echo(people_text(sign_ins))
        click.echo(f"This stands in {settings.data_dir / PEOPLE}, which only you can read.")


async def _fill(settings: "Settings", size: "Size") -> "Sequence[SignIn]":
    from caseload.app import open_service
    from caseload.demo.filling import fill

    with terminal.progress("Making up the demo clinic", total=1) as bar:
        async with open_service(settings) as service:
            return await fill(
                service, size, progress=lambda done, of: bar.update(bar.task_ids[0], completed=done, total=of)
            )
