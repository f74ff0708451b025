"""A day's requests together, and what their log is worth afterwards: taken away, verified, and every request found in it.

Of ten requests six read a client, three a counsellor's overdue list, and one records a dose.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

import asyncpg

from benchmarks import wrk
from benchmarks.clinic import Clinic
from benchmarks.commands import Commands
from benchmarks.scripts import dose, overdue, read
from benchmarks.stage import Stage
from caseload.audit.keystore import FolderOfKeys
from caseload.audit.tlog.policy import KnownLog, Policy
from caseload.domain.accesslog import LaidOpen

CONNECTIONS: Final = 32
CHUNK_SECONDS: Final = 10
SEQUENCED_WITHIN_SECONDS: Final = 60.0
PARTS: Final = ("read", "overdue", "dose")


class NotProved(Exception):
    """The log of the run is not what it has to be."""


def script(clinic: Clinic, stage: Stage, part: str) -> str:
    """The mixture, as lua for wrk. Each part keeps its own tables to itself."""
    parts = (
        read(clinic, stage.scratch),
        overdue(clinic.counsellors, stage.scratch),
        dose(clinic, stage.scratch, part),
    )
    scoped = "\n".join(
        f"local {name}\ndo\n{lua}\n{name} = request\nend" for name, lua in zip(PARTS, parts, strict=True)
    )
    return f"""
{scoped}
local turn = 0
request = function()
  turn = turn + 1
  if turn % 10 == 0 then return dose() end
  if turn % 10 >= 7 then return overdue() end
  return read()
end
"""


def prove(stage: Stage, clinic: Clinic, requests: int, say: Callable[[str], None]) -> None:
    """So many requests of the mixture; then the whole log is exported and verified. Raises `NotProved`."""
    before, answered, loads = _entries(stage), 0, 0
    with stage.serving() as served:
        lua = script(clinic, stage, "evening")
        while answered < requests:
            load = wrk.run(served.url, lua, connections=CONNECTIONS, seconds=CHUNK_SECONDS, scratch=stage.scratch)
            if load.lost:
                raise NotProved(f"{load.lost} connections were lost.")
            answered, loads = answered + load.requests, loads + 1
            say(f"{answered:,} requests, {load.rate:,.0f}/s, {load.refused} answers of 400 and above")
        waited = asyncio.run(_until_signed(stage))
    say(f"everything was signed {waited:.1f} s after the last answer")
    # What was under way when a load ended was answered to nobody, and is in the log all the same.
    made = _entries(stage) - before
    if not answered <= made <= answered + loads * CONNECTIONS * 2 + 16:
        raise NotProved(f"{answered:,} requests were answered and {made:,} entries were made.")
    say(f"{made:,} entries for {answered:,} answers")
    out, policy = stage.scratch / "whole-log", stage.scratch / "mixed.policy"
    policy.write_bytes(asyncio.run(_policy(stage)).encode())
    commands = Commands(stage)
    say(f"export   {commands.export(out, LaidOpen.FACTS)}")
    verified = commands.verify(out, policy, jobs=2)
    say(f"verify   {verified}")
    if verified.code:
        raise NotProved(f"The export does not verify: {verified.said}")


def _entries(stage: Stage) -> int:
    return asyncio.run(_asked(stage, "select count(*) from audit.log"))


async def _until_signed(stage: Stage) -> float:
    """Seconds until there is a signature under everything that is in the log."""
    began = time.perf_counter()
    while time.perf_counter() - began < SEQUENCED_WITHIN_SECONDS:
        if await _asked(stage, _ALL_SIGNED):
            return time.perf_counter() - began
        await asyncio.sleep(0.05)
    raise NotProved(f"{SEQUENCED_WITHIN_SECONDS:.0f} s after the last answer there are entries without a signature.")


async def _policy(stage: Stage) -> Policy:
    origin = await _asked(stage, "select origin from audit.epoch order by number desc limit 1")
    signers = FolderOfKeys(stage.scratch / "keys", may_make=True).signers(str(origin))
    return Policy(logs=tuple(KnownLog(signer.key) for signer in signers))


async def _asked(stage: Stage, query: str) -> Any:
    owner = await asyncpg.connect(stage.owner)
    try:
        return await owner.fetchval(query)
    finally:
        await owner.close()


_ALL_SIGNED: Final = """
select not exists (select from audit.queue)
    and exists (select from audit.checkpoint_signature where size = (select max(idx) + 1 from audit.entry))
"""
