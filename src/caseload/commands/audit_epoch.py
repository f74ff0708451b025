"""The way on after a restore: a new epoch of the audit log, decided by two people."""

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from caseload.commands import terminal
from caseload.settings import OperatorError, Secret, Settings

if TYPE_CHECKING:
    from caseload.audit.tlog.checkpoint import Checkpoint
    from caseload.domain.people import Staff
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
            async with (
                signed_in(service, user_name, passwords[0]) as by,
                signed_in(service, approved_by, passwords[1]) as approver,
            ):
                if by.id == approver.id:
                    raise OperatorError("Two people decide this: --approved-by is somebody else.")
                await _open(service, address, note, by=by, approver=approver)

    terminal.with_service(opened)


async def _open(service: "Service", address: Secret, note: bytes, *, by: "Staff", approver: "Staff") -> None:
    from caseload.audit import epoch as epochs
    from caseload.audit.keystore import key_store
    from caseload.audit.standing import connected
    from caseload.audit.trail import Op, Purpose

    connection = await connected(address)
    try:
        tree = await epochs.held_still(connection)
        lost = await epochs.what_is_lost(connection, tree, _witnessed(service.settings, note, tree.epoch.origin))
        async with service.work(by=by, event=epochs.NAME) as work:
            said = work.circumstances
            said.route, said.op, said.purpose = lost.said, Op.EXECUTE, Purpose.COMPLIANCE
            work.journal.tell(epochs.EpochOpened(facts={**lost.facts(approved_by=approver.id)}))
        key = await epochs.begin(connection, tree, key_store(service.settings), now=service.clock())
    finally:
        await connection.close()
    click.echo(f"The log had come to {lost.seen.size} entries and goes on from {lost.restored.size} as {key.name}.")
    click.echo(f"Its key is {key}", err=True)
    click.echo("Give auditors and witnesses the new policy, and start the service.", err=True)


def _witnessed(settings: Settings, note: bytes, origin: str) -> "Checkpoint":
    """A checkpoint that our log signed and a witness of our policy cosigned."""
    from caseload.audit.keystore import key_store
    from caseload.audit.standing import witnesses_of
    from caseload.audit.tlog.note import NotSigned
    from caseload.audit.tlog.spelling import Malformed

    witnesses = witnesses_of(settings, key_store(settings))
    if witnesses is None:
        raise OperatorError(
            "CASELOAD_AUDIT_POLICY is not set: it names the witnesses, one of whom has to have seen it."
        )
    for witness in witnesses.policy.witnesses:
        try:
            return witnesses.opened(note, witness, origin)
        except (Malformed, NotSigned):
            continue
    raise OperatorError("No witness of the policy has cosigned this as a checkpoint of this log.")
