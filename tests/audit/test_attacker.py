"""Somebody with a superuser's rights and sometimes the signing key, against an auditor with a policy and a checkpoint.

Every attack is on a real database, exported afterwards as always. What can be done to the export itself is in
`tests/audit/verify/test_attacks.py`, what hurts whoever opens it in `test_hostile_bundles.py`.
"""

from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from caseload.audit import tree as trees
from caseload.audit.tlog.merkle import leaf_hash, root_of
from caseload.domain.accesslog import LaidOpen, LogFilter
from tests.audit.verify.conftest import Auditor
from tests.audit.verify.test_attacks import a_leaf, a_rotation
from tests.factories.bundles import a_signer
from tests.factories.exported import NOW, Sequenced

pytestmark = pytest.mark.anyio

CHANGED = """
    update audit.entry
    set leaf = convert_to(replace(convert_from(leaf, 'UTF8'), '"op":"R"', '"op":"D"'), 'UTF8') where idx = 17
"""
SWAPPED = """
    update audit.entry set leaf = other.leaf from audit.entry as other
    where (entry.idx, other.idx) in ((4, 300), (300, 4))
"""
TAIL = (
    "delete from audit.checkpoint_signature where size > {0}",
    "delete from audit.checkpoint where size > {0}",
    "delete from audit.entry where idx >= {0}",
    """
    update audit.tile set hashes = substring(hashes for 32 * greatest(0, ({0} >> 8 * level) - 256 * number)::int)
    where (number + 1) * 256 > {0} >> 8 * level and number * 256 < {0} >> 8 * level
    """,
    "delete from audit.tile where number * 256 >= {0} >> 8 * level",
)
"""The log as it was when it had so many entries: what a dump of then holds, and what hides that there were more."""


@pytest.fixture
async def log(own_engine: AsyncEngine, owner: asyncpg.Connection) -> Sequenced:
    """A log of 310 entries: a tile that is full, and one that is not."""
    return await Sequenced.of(310, own_engine, owner)


@pytest.fixture
def auditor(tmp_path: Path) -> Auditor:
    folder = tmp_path / "auditor"
    folder.mkdir()
    return Auditor(folder)


@pytest.mark.parametrize(
    ("statement", "code", "sentence"),
    [
        (
            CHANGED,
            1,
            "Entry 17 has been changed since it was logged.",
        ),
        ("update audit.entry set leaf = '\\x7b7d' where idx = 17", 1, "Entry 17 is not what an entry is"),
        (SWAPPED, 1, "Entries 4 and 300 have changed places."),
        (
            "delete from audit.entry where idx = 17",
            1,
            "Entry 17 is missing: the log has its hash, and the entry is gone.",
        ),
        ("delete from audit.entry where idx >= 300", 1, "Entry 309 is missing"),
        (
            "update audit.entry set actor = 'system' where idx = 17",
            1,
            "The database's columns for entry 17 say something",
        ),
        (
            "update audit.tile set hashes = set_byte(hashes, 3, 0) || '' where level = 0",
            1,
            "The hash tiles were changed",
        ),
        (
            "delete from audit.tile where level = 0 and number = 1",
            1,
            "tile/0/001.p/54 belongs to such an export and is not there",
        ),
        ("update audit.checkpoint set root = sha256('x')", 1, "is not signed as your policy asks"),
        ("update audit.checkpoint_signature set signature = sha256('x') || sha256('y')", 1, "is not good"),
        (
            "delete from audit.checkpoint_signature where key_name = 'witness.example'",
            4,
            "does not have the cosignatures",
        ),
        (
            "delete from audit.disclosure where entry_id in (select entry_id from audit.entry where idx = 17)",
            1,
            "Of entry 17, 3 of its clients are not laid open, and the log tells of 0 erasures",
        ),
        (
            "update audit.disclosure set refs = refs[1:2] where entry_id in (select entry_id from audit.entry where idx = 17)",
            1,
            "Of entry 17, 3 of its clients are not laid open",
        ),
        (
            "update audit.disclosure set sealed = sealed || '\\x00'",
            1,
            "What entry 0 says of its request is not laid open",
        ),
    ],
)
async def test_what_is_changed_in_the_tables(
    log: Sequenced, auditor: Auditor, tmp_path: Path, statement: str, code: int, sentence: str
) -> None:
    await log.as_superuser(statement)
    await log.export(tmp_path / "out")
    found = auditor.verify(tmp_path / "out", log.policy())
    assert (found.code, sentence in found.text) == (code, True), found.text


async def test_a_column_is_changed_to_hide_an_entry_from_a_search(
    log: Sequenced, auditor: Auditor, tmp_path: Path
) -> None:
    """A choice cannot show what is not in it; the whole log can, and does."""
    await log.as_superuser("update audit.entry set event = 'nothing.happened' where idx = 17")
    chosen = await log.export(tmp_path / "choice", LogFilter(event="check_in"))
    assert (chosen.entries, auditor.verify(tmp_path / "choice", log.policy()).code) == (309, 0)
    await log.export(tmp_path / "whole", laid_open=LaidOpen.NOTHING)
    found = auditor.verify(tmp_path / "whole", log.policy())
    assert (found.code, found.says("The database's columns for entry 17")) == (1, True)


async def test_the_tail_is_cut_off_with_everything_that_told_of_it(
    log: Sequenced, auditor: Auditor, tmp_path: Path
) -> None:
    kept = await log.sequence()
    await log.write(40)
    await log.sequence()
    await log.as_superuser(*(each.format(310) for each in TAIL))
    await log.export(tmp_path / "out")
    assert auditor.verify(tmp_path / "out", log.policy(), kept).code == 0, "310 entries were shown, and 310 are there"
    await log.as_superuser(*(each.format(256) for each in TAIL))
    tree = await _signed_again(log)
    assert 256 <= tree.size < 310
    await log.export(tmp_path / "out")
    found = auditor.verify(tmp_path / "out", log.policy(), kept)
    assert (found.code, found.says(f"{310 - tree.size} entries were taken off the end of the log")) == (3, True)
    assert len(list(auditor.evidence.iterdir())) == 2


async def test_the_tree_is_built_again_with_the_stolen_key(log: Sequenced, auditor: Auditor, tmp_path: Path) -> None:
    kept = await log.sequence()
    await _rebuilt(log, CHANGED)
    await log.export(tmp_path / "out")
    found = auditor.verify(tmp_path / "out", log.policy(), kept)
    assert (found.code, found.says("There are two histories", "Both are signed by the log's key")) == (3, True), (
        found.text
    )


async def test_last_weeks_dump_is_restored_and_the_log_goes_on(
    log: Sequenced, auditor: Auditor, tmp_path: Path
) -> None:
    await log.write(100)
    kept = await log.sequence()
    await log.as_superuser(*(each.format(310) for each in TAIL))
    await log.write(200)
    await log.sequence()
    await log.export(tmp_path / "out")
    found = auditor.verify(tmp_path / "out", log.policy(), kept)
    assert (found.code, found.says("with 410 entries", "is not how the log in this bundle begins")) == (3, True), (
        found.text
    )


async def test_entries_are_dropped_before_they_get_a_place(log: Sequenced, auditor: Auditor, tmp_path: Path) -> None:
    await log.write(10)
    await log.as_superuser(
        "delete from audit.queue where convert_from(leaf, 'UTF8')::jsonb ->> 'ctr' in ('313', '314')"
    )
    later = a_leaf(321, boot=log.trail.boot, milliseconds=120_000)
    await log.owner.execute("select audit.append($1, '{}', $2)", [later], [bytes(12)])
    await log.sequence()
    await log.export(tmp_path / "out")
    found = auditor.verify(tmp_path / "out", log.policy())
    assert found.code == 1
    assert found.says(
        f"2 entries are missing: numbers 313 to 314 of process {log.trail.boot} never got a place in the log."
    )


async def test_a_rotation_is_forged(log: Sequenced, auditor: Auditor, tmp_path: Path) -> None:
    """The thief has no key of the log, only the database: the sequencer does not follow, and the auditor sees it."""
    thief = a_signer()
    forged = a_rotation(1, str(log.signer.key), str(thief.key), "A" * 86 + "==")
    await log.owner.execute("select audit.append($1, '{}', $2)", [forged], [bytes(12)])
    await log.sequence()
    await log.export(tmp_path / "out")
    found = auditor.verify(tmp_path / "out", log.policy())
    assert (found.code, found.says("Entry 310 says that the log has a new key")) == (1, True), found.text


async def test_disclosures_are_sealed_again_with_other_words(log: Sequenced, auditor: Auditor, tmp_path: Path) -> None:
    """Whoever has the log's own key can seal what they like, and cannot make the leaf commit to it."""
    entry, sealed = await log.owner.fetchrow(
        "select entry_id, sealed from audit.entry join audit.disclosure using (entry_id) where idx = 0"
    ) or (None, b"")
    assert entry is not None
    nonce = sealed[:12]
    said = bytes(32) + b'{"source":"198.51.100.9"}\n'
    again = log.trail.box.seal(nonce, said, entry.bytes)
    rest = sealed[16 + int.from_bytes(sealed[12:16], "big") :]
    packed = nonce + len(again).to_bytes(4, "big") + again + rest
    await log.as_superuser("update audit.disclosure set sealed = $1 where entry_id = $2", given=[packed, entry])
    await log.export(tmp_path / "out", laid_open=LaidOpen.FACTS)
    found = auditor.verify(tmp_path / "out", log.policy())
    assert found.code == 1
    assert found.says(
        "What is laid open of the facts of entry 0 does not hold: what it shows is not what the entry commits"
    )


async def _signed_again(log: Sequenced) -> trees.Tree:
    """Sign whatever is there now, as whoever has the key can."""
    await log.as_superuser("delete from audit.checkpoint_signature", "delete from audit.checkpoint")
    leaves = [row["leaf"] for row in await log.owner.fetch("select leaf from audit.entry order by idx")]
    root = root_of([leaf_hash(leaf) for leaf in leaves])
    origin = log.signer.key.name
    await log.owner.execute("insert into audit.checkpoint values ($1, $2, $3, $4)", len(leaves), root, origin, NOW)
    await log.sequence()
    tree = await trees.load(log.owner)
    assert tree is not None
    return tree


async def _rebuilt(log: Sequenced, *statements: str) -> None:
    """Change something, and make tiles, head and signatures fit."""
    await log.as_superuser(*statements, "delete from audit.checkpoint_signature", "delete from audit.checkpoint")
    rows = await log.owner.fetch(
        "select entry_id, at, actor, event, outcome, programme, leaf from audit.entry order by idx"
    )
    await log.as_superuser("delete from audit.entry", "delete from audit.tile")
    await log.owner.executemany(
        "insert into audit.queue (entry_id, at, actor, event, outcome, programme, leaf) values ($1,$2,$3,$4,$5,$6,$7)",
        [tuple(row) for row in rows],
    )
    await log.sequence()
