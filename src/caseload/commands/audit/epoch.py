"""The way on after a restore: a new epoch of the audit log, decided by two people."""

from dataclasses import dataclass
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
@click.option(
    "--key-stolen", is_flag=True, help="Somebody else may have the signing key: go on although nothing is lost."
)
def epoch(
    *,
    user_name: str,
    approved_by: str,
    password_file: Path | None,
    approval_file: Path | None,
    seen: Path,
    key_stolen: bool,
) -> None:
    """Go on under a new name after entries that a witness has seen are lost for good. Run it where the sequencer runs.

    The service and every sequencer must be stopped. Whoever approves may read the log: an auditor or a privacy officer.
    An entry says how far the log had come under its old name, with which root, what was restored, and who decided it.
    Keep SEEN: it proves what was lost. The new name has a key of its own: keep a copy of it, and give auditors and
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
        from caseload.domain.access import Act, may

        with address_of(service.settings) as address:
            async with (
                signed_in(service, user_name, passwords[0]) as by,
                signed_in(service, approved_by, passwords[1]) as approver,
            ):
                if by.id == approver.id:
                    raise OperatorError("Two people decide this: --approved-by is somebody else.")
                if not may(approver.holdings, Act.SEE_AUDIT_LOG):
                    raise OperatorError(
                        f"{approved_by} may not read the log: an auditor or a privacy officer approves."
                    )
                decided = _Decided(by=by, approver=approver, note=note, is_key_stolen=key_stolen)
                await _open(service, address, decided)

    terminal.with_service(opened)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decided:
    by: "Staff"
    approver: "Staff"
    note: bytes
    is_key_stolen: bool


async def _open(service: "Service", address: Secret, decided: _Decided) -> None:
    from caseload.audit import epoch as epochs
    from caseload.audit.keystore import KeyName, key_store
    from caseload.audit.standing import connected
    from caseload.audit.trail import Op, Purpose

    connection = await connected(address)
    try:
        tree = await epochs.held_still(connection)
        seen, store = _witnessed(service.settings, decided.note, tree.epoch.origin), key_store(service.settings)
        lost = await epochs.what_is_lost(connection, tree, seen, is_key_stolen=decided.is_key_stolen)
        async with service.work(by=decided.by, event=epochs.NAME) as work:
            said = work.circumstances
            said.route, said.op, said.purpose = lost.said, Op.EXECUTE, Purpose.COMPLIANCE
            facts = {
                **lost.facts(approved_by=decided.approver.id),
                "key_stolen": "yes" if decided.is_key_stolen else "no",
            }
            work.journal.tell(epochs.EpochOpened(facts=facts))
        store.add(KeyName.SIGNING)
        key = await epochs.begin(connection, tree, store, now=service.clock())
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
