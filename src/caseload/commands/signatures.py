"""Verify every signature, and look after the key of the service that seals them."""

from typing import TYPE_CHECKING

import rich_click as click

from caseload.commands import terminal
from caseload.settings import OperatorError

if TYPE_CHECKING:
    from caseload.domain.signature.verifying import Verified
    from caseload.request.work import Service


class SignaturesFail(OperatorError):
    """Some signatures do not prove what they say."""


@click.group(
    epilog="""\b
Examples:
  caseload signatures verify
  caseload signatures keys > signature-keys.txt
"""
)
def command() -> None:
    """Verify every signature, and look after the key of the service that seals them.

    Run these where the service runs: the keys lie in the folder `keys` of CASELOAD_DATA_DIR, and never in the database.
    """


@command.command(epilog="Example: caseload signatures verify")
def verify() -> None:
    """Verify every signature of the database against its seal, its row, its record and the act it lies under.

    Exit code 1 when one fails; each that fails is named with its record and the reason. No client is named. What was
    taken out whole, record and signature, is found in the audit log and not here.
    """

    async def verified(service: "Service") -> None:
        from caseload.audit.trail import Op, Purpose
        from caseload.db.signed import SignedRecords
        from caseload.domain.people import the_command_line
        from caseload.domain.signature import verifying

        with terminal.progress("Verifying signatures") as bar:
            async with service.work(by=the_command_line(), event="signatures.verify", writes=False) as work:
                said = work.circumstances
                said.op, said.purpose = Op.EXECUTE, Purpose.COMPLIANCE
                found = await verifying.verify(
                    SignedRecords(work.connection),
                    service.seals.is_good,
                    progress=lambda done: bar.update(bar.task_ids[0], description=f"Verified {done:,} signatures"),
                )
                facts: dict[str, str | int] = {
                    "signatures": found.signatures,
                    "failed": len(found.failed) + found.more,
                }
                work.journal.tell(verifying.SignaturesVerified(facts=facts))
        _say(found)

    terminal.with_service(verified)


@command.command(epilog="Example: caseload signatures keys > signature-keys.txt")
def keys() -> None:
    """Print the public keys of the service, the oldest first: number and key, 32 bytes in base 64.

    With them anybody can verify a signature without us: Ed25519 (RFC 8032) over the bytes that were signed.
    """
    from base64 import b64encode

    from caseload.audit.keystore import KeyName, key_store
    from caseload.request.seals import Seals

    store = key_store(terminal.settings())
    seals = Seals(store)
    for number in range(1, store.current(KeyName.SIGNATURES).number + 1):
        click.echo(f"{number} {b64encode(seals.numbered(number).public).decode()}")


@command.command(epilog="Example: caseload signatures rotate")
def rotate() -> None:
    """Make the next key: whatever is signed from now on is sealed with it, also by a service that is running.

    The older keys stay in the key store, so that what they sealed can be verified; the log names the new one. Keep a copy
    of it with the others, apart from the database and its backups.
    """
    from caseload.audit.keystore import KeyName, key_store

    async def rotated(service: "Service") -> None:
        from caseload.request.key_names import KeyNames

        made = key_store(service.settings).add(KeyName.SIGNATURES)
        await KeyNames(service).tell()
        click.echo(f"Made {made}: keep a copy of it apart from the database and its backups.")

    terminal.with_service(rotated)


def _say(found: "Verified") -> None:
    """Raises `SignaturesFail` when one does not prove what it says."""
    for each in found.failed:
        which = f"{each.subject} {each.record}" + ("" if each.version is None else f" version {each.version}")
        click.echo(f"Signature {each.signature} under {which}: {'; '.join(each.flaws)}.")
    if found.more:
        click.echo(f"And {found.more:,} others.")
    if not found.is_whole:
        failed = len(found.failed) + found.more
        raise SignaturesFail(f"{failed:,} of {found.signatures:,} signatures fail. See docs/signing.md.")
    click.echo(f"All {found.signatures:,} signatures prove what they say.")
