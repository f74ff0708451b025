"""The sequencer as an installation has it: its own login, its key store, its name."""

from datetime import timedelta

import asyncpg

from caseload.audit.keystore import key_store
from caseload.audit.sequencer import Sequencer
from caseload.settings import Secret, Settings

STATEMENT_SECONDS = 60.0


def sequencer_of(settings: Settings, address: Secret) -> Sequencer:
    """A sequencer that connects to this address, as a member of `audit_sequencer`."""

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(
            address.reveal(),
            command_timeout=STATEMENT_SECONDS,
            server_settings={"application_name": "caseload-sequencer", "jit": "off", "timezone": "UTC"},
        )

    return Sequencer(
        connect,
        key_store(settings),
        name=settings.audit_origin,
        organisation=settings.organisation,
        overlap=timedelta(days=settings.audit_key_overlap_days),
    )
