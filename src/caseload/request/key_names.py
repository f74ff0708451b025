"""A process that meets a log with keys that the log has not named yet tells it of them, one entry for each."""

from dataclasses import dataclass, field

from caseload.audit import key_names
from caseload.audit.keystore import key_store
from caseload.audit.trail import Auth, Op, Purpose
from caseload.domain.people import the_command_line
from caseload.request.work import Service


@dataclass(slots=True)
class KeyNames:
    """What one process knows of the keys that the log has named, so that it asks once and not every minute."""

    service: Service
    _told: set[str] = field(default_factory=set[str])

    async def tell(self) -> int:
        """Leave an entry for each key that has none; return how many. Of several processes one leaves it."""
        met = await self._met()
        if met <= self._told:
            return 0
        async with self.service.engine.connect() as connection:
            self._told |= await key_names.named(connection)
        told = 0
        for name in sorted(met - self._told):
            told += await self._name(name)
            self._told.add(name)
        return told

    async def _met(self) -> set[str]:
        """What this process holds, and what signs the log, wherever it is held."""
        settings = self.service.settings
        async with self.service.engine.connect() as connection:
            signers = await key_names.of_signers(connection)
        root = key_names.of_secret("root", settings.key_for("fingerprint"))
        return {root, *key_names.of_store(key_store(settings)), *signers}

    async def _name(self, name: str) -> bool:
        async with self.service.work(by=the_command_line(), event=key_names.NAMED) as work:
            await key_names.one_at_a_time(work.connection)
            if name in await key_names.named(work.connection):
                await work.drop()
                return False
            said = work.circumstances
            said.route, said.op, said.purpose, said.auth = name, Op.EXECUTE, Purpose.ADMINISTRATION, Auth.SYSTEM
        return True
