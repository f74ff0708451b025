"""The keys that sign the audit log: make one, hand over to the next, and say which to believe."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from caseload.commands import terminal
from caseload.settings import OperatorError

if TYPE_CHECKING:
    from caseload.audit.keystore import FolderOfKeys
    from caseload.audit.leaf import KeyHandover
    from caseload.audit.tlog.note import Signer, VerifierKey
    from caseload.request.work import Service


@click.command(epilog="Example: CASELOAD_DATA_DIR=/var/lib/caseload-sequencer caseload audit keygen")
def keygen() -> None:
    """Make the key that signs the audit log, where there is none yet. Run it where the sequencer runs.

    Keep a copy apart from the database and its backups. Whoever administers the database should not be able to read
    it: together they could rewrite the log, and only a witness would notice. The log names the key when it begins.
    """
    from caseload.audit.keystore import KeyName, key_store
    from caseload.settings import read

    # Where the sequencer runs alone there is nothing else that production asks for.
    store = key_store(read())
    if store.has(KeyName.SIGNING):
        raise OperatorError("There is a signing key already: `caseload audit rotate` hands over to a new one.")
    click.echo(f"Made {store.add(KeyName.SIGNING)}: keep a copy of it apart from the database and its backups.")


@click.command(epilog="Example: caseload audit rotate --as ida")
@terminal.signing_in("Who hands over: the log names them.")
def rotate(*, user_name: str, password_file: Path | None) -> None:
    """Hand over from the signing key to a new one, by an entry that the old key signs. Run it where the keys are.

    For CASELOAD_AUDIT_KEY_OVERLAP_DAYS both sign; give auditors the new policy in that time. A key that may be in the
    hands of somebody else is not rotated away: whoever has it could hand over too. Open a new
    epoch instead (`caseload audit epoch --key-stolen`).
    """
    from caseload.commands.signed_in import password_of, signed_in

    password = password_of(user_name, password_file)

    async def rotated(service: "Service") -> None:
        from caseload.audit.trail import Op, Purpose

        async with (
            signed_in(service, user_name, password) as by,
            service.work(by=by, event="key.rotate") as work,
        ):
            keys = await _signing_keys(service)
            said = work.circumstances
            said.op, said.purpose = Op.EXECUTE, Purpose.ADMINISTRATION
            said.handover, new = _handed_over(_store(), keys)
        click.echo(f"The log is handed over to {new}")
        click.echo("From its next round on the sequencer signs with both keys: give auditors the new policy.", err=True)

    terminal.with_service(rotated)


@click.command(epilog="Example: caseload audit policy > clinic.policy")
def policy() -> None:
    """Print whom to believe about this log, in the format of C2SP tlog-policy: the file that an auditor keeps.

    Run it where the sequencer runs: a key that the database names and the key store does not hold is not printed, but
    refused, because whoever administers the database could have put it there.

    Hand it over on a way of its own, never together with an export: what comes with the data proves nothing.
    """

    async def printed(service: "Service") -> None:
        from caseload.audit.tlog.policy import KnownLog, Policy

        keys = await _signing_keys(service)
        for key in keys:
            _held(_store(), key)
        named = service.settings.audit_policy
        known = Policy() if named is None else Policy.parse(named.read_bytes())
        click.echo(replace(known, logs=tuple(KnownLog(key) for key in keys)).encode(), nl=False)

    terminal.with_service(printed)


def _store() -> "FolderOfKeys":
    from caseload.audit.keystore import key_store

    return key_store(terminal.settings())


async def _signing_keys(service: "Service") -> "list[VerifierKey]":
    """The public keys that sign at this moment, the newest last."""
    from datetime import timedelta

    from caseload.audit.published import TreeReader
    from caseload.audit.tree import in_force

    async with service.engine.connect() as connection:
        tree = TreeReader(connection)
        origin = await tree.origin()
        if origin is None:
            raise OperatorError("The log has no name and no key yet: start the sequencer once (`caseload serve`).")
        keys = await tree.keys(origin)
    return in_force(keys, now=service.clock(), overlap=timedelta(days=service.settings.audit_key_overlap_days))


def _handed_over(store: "FolderOfKeys", keys: "list[VerifierKey]") -> "tuple[KeyHandover, VerifierKey]":
    """The old key's word for the new one: the one that was made for it before, or one that is made now."""
    from caseload.audit.keystore import KeyName
    from caseload.audit.leaf import KeyHandover
    from caseload.audit.tlog.rotation import hand_over

    old = _held(store, keys[-1])
    if store.signers(old.key.name)[-1].key == old.key:
        store.add(KeyName.SIGNING)
    new = store.signers(old.key.name)[-1].key
    said_old, said_new, signature = hand_over(old, new).encode()
    return KeyHandover(old=said_old, new=said_new, sig=signature), new


def _held(store: "FolderOfKeys", key: "VerifierKey") -> "Signer":
    from caseload.audit.keystore import KeyName

    for signer in store.signers(key.name) if store.has(KeyName.SIGNING) else ():
        if signer.key == key:
            return signer
    raise OperatorError(f"The key store does not hold the key in force, {key}: run this where the sequencer runs.")
