"""The way on after a restore: a new epoch of the audit log, decided by two people."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from caseload.commands import terminal
from caseload.settings import OperatorError, Settings

if TYPE_CHECKING:
    import asyncpg

    from caseload.audit.epoch import Loss
    from caseload.audit.tlog.checkpoint import Checkpoint
    from caseload.audit.tree import Tree
    from caseload.request.work import Service


@click.command(epilog="Example: caseload audit epoch --as ida --approved-by tom --seen last-witnessed")
@click.option("--as", "user_name", metavar="USER", required=True, help="Who opens it: the log names them.")
@click.option("--approved-by", metavar="USER", required=True, help="Who else has decided it. They sign in too.")
@click.option("--password-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Of --as.")
@click.option("--approval-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Of --approved-by.")
@click.option(
    "--seen",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="The last checkpoint that was witnessed: what GET HEX/checkpoint of the witness shows.",
)
def epoch(
    *, user_name: str, approved_by: str, password_file: Path | None, approval_file: Path | None, seen: Path
) -> None:
    """Go on under a new name after entries that a witness has seen are lost for good. Run it where the sequencer runs.

    The service and every sequencer must be stopped. An entry says how far the log had come under its old name, with
    which root, what was restored, and who decided it. Keep SEEN: it proves what was lost. Afterwards give auditors and
    witnesses the new policy.
    """
    from caseload.commands.sequencer import address_of
    from caseload.commands.signed_in import password_of

    if user_name.strip().lower() == approved_by.strip().lower():
        raise OperatorError("Two people decide this: --approved-by is somebody else.")
    passwords = password_of(user_name, password_file), password_of(approved_by, approval_file)
    note = seen.read_bytes()

    async def opened(service: "Service") -> None:
        from caseload.commands.signed_in import signed_in

        with address_of(service.settings) as address:
            async with signed_in(service, user_name, passwords[0]) as by, signed_in(
                service, approved_by, passwords[1]
            ) as approver:
                if by.id == approver.id:
                    raise OperatorError("Two people decide this: --approved-by is somebody else.")
                await _open(service, address.reveal(), note, by=by, approver=approver)

    terminal.with_service(opened)
