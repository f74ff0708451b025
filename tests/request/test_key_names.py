"""Keys are entries: whoever meets the log with a key that it has not named names it, once, and shows nothing of it."""

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from caseload.app import Application
from caseload.audit import tree
from caseload.audit.key_names import NAMED
from caseload.audit.keystore import FolderOfKeys, KeyName, key_store
from caseload.audit.leaf import Leaf, decode
from caseload.audit.standing import connected, sequencer_of
from caseload.request.key_names import KeyNames
from caseload.request.service import open_service
from caseload.settings import Secret, Settings
from tests.shared_server import Addresses

pytestmark = pytest.mark.anyio

Named = Callable[[], Awaitable[list[Leaf]]]
AT_ONCE = 4


@pytest.fixture
def own_settings(throwaway_database: Addresses, tmp_path: Path) -> Settings:
    return Settings(database_url=Secret(throwaway_database.service), data_dir=tmp_path)


@pytest.fixture
def named(throwaway_database: Addresses) -> Named:
    """Reads the entries that name keys, in or before the tree."""

    async def read() -> list[Leaf]:
        connection = await asyncpg.connect(throwaway_database.owner)
        rows = await connection.fetch("select leaf from audit.log where event = $1 order by entry_id", NAMED)
        await connection.close()
        return [decode(row["leaf"]) for row in rows]

    return read


async def open_once(settings: Settings) -> None:
    async with open_service(settings):
        pass


async def sequence(settings: Settings, addresses: Addresses) -> None:
    """A sequencer that is stopped at once still begins the log and empties its queue."""
    stop = asyncio.Event()
    running = asyncio.create_task(sequencer_of(settings, Secret(addresses.sequencer)).run(stop))
    await asyncio.sleep(0.5)
    stop.set()
    await running


def keys_in(leaves: list[Leaf]) -> list[str]:
    """Which keys they name, without the fingerprints."""
    return sorted(leaf.route.split()[2] for leaf in leaves)


async def test_processes_that_begin_together_leave_one_entry_for_each_key(own_settings: Settings, named: Named) -> None:
    await asyncio.gather(*(open_once(own_settings) for _ in range(AT_ONCE)))
    found = await named()
    assert keys_in(found) == ["client-keys.1", "log.1", "root", "signatures.1"]
    assert {(leaf.op, leaf.out, leaf.purp, leaf.act.auth) for leaf in found} == {("E", 0, "HSYSADMIN", "system")}


async def test_what_is_said_of_a_key_is_its_fingerprint_and_nothing_of_it(own_settings: Settings, named: Named) -> None:
    await open_once(own_settings)
    found = await named()
    for leaf in found:
        assert re.fullmatch(
            r"caseload key ((root|log\.1|client-keys\.1) [0-9a-f]{32}|signatures\.1 sha256:[0-9a-f]{64})", leaf.route
        )
        assert leaf.obj is None, "everything stands in the open part"
    assert len({leaf.route.split()[3] for leaf in found}) == len(found)
    store = key_store(own_settings)
    secrets = [store.current(name).secret.hex() for name in (KeyName.CLIENT_KEYS, KeyName.LOG, KeyName.SIGNATURES)]
    for part in (*secrets, own_settings.secret("root.key").reveal()):
        assert not any(part[:16] in leaf.route for leaf in found)


async def test_a_key_that_comes_later_is_named_alone(own_settings: Settings, named: Named) -> None:
    await open_once(own_settings)
    first = await named()
    FolderOfKeys(own_settings.data_dir / "keys", may_make=True).add(KeyName.CLIENT_KEYS)
    await open_once(own_settings)
    await open_once(own_settings)
    assert keys_in((await named())[len(first) :]) == ["client-keys.2"]


async def test_another_key_under_a_number_that_was_named_is_named_too(own_settings: Settings, named: Named) -> None:
    await open_once(own_settings)
    (own_settings.data_dir / "keys" / "log.1.key").write_text("ab" * 32)
    await open_once(own_settings)
    twice = [leaf.route for leaf in await named() if " log.1 " in leaf.route]
    assert (len(twice), len(set(twice))) == (2, 2)


async def test_the_first_key_under_each_name_of_the_log_is_named_and_one_that_was_handed_over_to_is_not(
    own_settings: Settings, named: Named, throwaway_database: Addresses
) -> None:
    async with open_service(own_settings) as service:
        keys = KeyNames(service)
        assert await keys.tell() == 0, "there is no log yet, and the others were named at the start"
        await sequence(own_settings, throwaway_database)
        assert await keys.tell() == 1
        assert await keys.tell() == 0
        signs = await connected(Secret(throwaway_database.sequencer))
        (first,) = ((found := await tree.load(signs)) and found.keys) or []
        store = FolderOfKeys(own_settings.data_dir / "keys", may_make=True)
        store.add(KeyName.SIGNING)
        name, key = first.key.name.rpartition("/")[0] + "/2", store.signers(first.key.name + "x")[-1].key
        await signs.execute(
            "insert into audit.signing_key (vkey, origin, idx, at) values ($1, $2, 7, $3)",
            str(key), first.key.name, datetime.now(UTC),
        )  # fmt: skip
        assert await keys.tell() == 0, "the entry `key.rotate` has named it"
        await tree.begin(signs, origin=name, key=store.signers(name)[-1].key, number=2, size=1, now=datetime.now(UTC))
        await signs.close()
        assert await keys.tell() == 1
    said = [leaf.route for leaf in await named() if " log-signing " in leaf.route]
    assert said[0].split()[3] == first.key.key_id.hex()
    assert len({route.split()[4] for route in said}) == 2


async def test_a_process_that_serves_names_its_keys_after_it_has_said_that_it_begins(
    own_settings: Settings, named: Named
) -> None:
    for _ in range(2):
        async with Application(own_settings).litestar.lifespan():
            pass
    found = await named()
    assert Counter(keys_in(found)) == {"root": 1, "log.1": 1, "client-keys.1": 1, "signatures.1": 1}
    assert sorted(leaf.ctr for leaf in found) == [2, 3, 4, 5]
