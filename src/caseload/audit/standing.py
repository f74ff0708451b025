"""The sequencer as an installation has it: its own login, its key store, its name."""

from datetime import timedelta

import asyncpg

from caseload.audit.keystore import SigningKeys, key_store
from caseload.audit.sequencer import Sequencer
from caseload.audit.tlog.policy import Policy
from caseload.audit.tlog.spelling import Malformed
from caseload.audit.witness.client import Witnesses
from caseload.settings import Secret, Settings, SettingsError

STATEMENT_SECONDS = 60.0


async def connected(address: Secret) -> asyncpg.Connection:
    """A connection as a member of `audit_sequencer`."""
    return await asyncpg.connect(
        address.reveal(),
        command_timeout=STATEMENT_SECONDS,
        # Whatever it asks for it knows by key, and plans are made while the queue happens to be empty.
        server_settings={
            "application_name": "caseload-sequencer",
            "jit": "off",
            "timezone": "UTC",
            "enable_seqscan": "off",
        },
    )


def sequencer_of(settings: Settings, address: Secret) -> Sequencer:
    """A sequencer that connects to this address, as a member of `audit_sequencer`."""
    keys = key_store(settings)
    return Sequencer(
        lambda: connected(address),
        keys,
        name=settings.audit_origin,
        organisation=settings.organisation,
        overlap=timedelta(days=settings.audit_key_overlap_days),
        witness=witnesses_of(settings, keys),
    )


def policy_of(settings: Settings) -> Policy | None:
    """The policy that the settings name, with its witnesses; None where they name none. Raises `SettingsError`."""
    file = settings.audit_policy
    if file is None:
        return None
    try:
        policy = Policy.parse(file.read_bytes())
    except (OSError, Malformed) as problem:
        raise SettingsError(f"CASELOAD_AUDIT_POLICY names {file}, which is no policy: {problem}") from None
    if not any(each.url for each in policy.witnesses):
        raise SettingsError(f"CASELOAD_AUDIT_POLICY names {file}, in which no witness has an address to be asked at.")
    return policy


def witnesses_of(settings: Settings, keys: SigningKeys) -> Witnesses | None:
    """The witnesses of that policy, to be asked. Raises `SettingsError`."""
    policy = policy_of(settings)
    if policy is None:
        return None
    return Witnesses(policy, log_keys=lambda origin: [signer.key for signer in keys.signers(origin)])
