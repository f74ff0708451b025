"""Entries of writes: in the same transaction as the change, made of canonical bytes, with every number accounted for."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from caseload.audit import canonical
from caseload.audit.journal import RequestJournal
from caseload.audit.keystore import KeyName
from caseload.audit.leaf import BadLeaf, Leaf, base64url, decode, made_at
from caseload.audit.tables import client_key
from caseload.audit.tlog.merkle import leaf_hash
from caseload.audit.trail import AuditTrail, Auth, Circumstances, Entry, Op, Outcome, Pending, Purpose, append
from caseload.domain.access import Act, Holding, Role
from caseload.domain.ids import ClientId, ProgrammeId, new_id
from caseload.settings import OperatorError
from tests.factories.audit import KeysInMemory, Someone, SomethingHappened, a_client, a_pending, a_trail, seen

pytestmark = pytest.mark.anyio

PROGRAMME = ProgrammeId(UUID("0197f0a0-0000-7000-8000-00000000000a"))


async def stored(connection: AsyncConnection, *entries: Entry) -> list[dict[str, object]]:
    """The rows of these entries, read as the role that may."""
    await connection.execute(text("set local role audit_reader"))
    rows = await connection.execute(
        text("select * from audit.log join audit.disclosure using (entry_id) where entry_id = any(:ids) order by 1"),
        {"ids": [entry.id for entry in entries]},
    )
    found = [dict(row) for row in rows.mappings()]
    await connection.execute(text("set local role none"))
    return found


async def test_what_is_stored_is_what_was_hashed_and_the_columns_say_what_the_leaf_says(
    connection: AsyncConnection,
) -> None:
    someone, clients = Someone(), [a_client() for _ in range(3)]
    before = datetime.now(UTC)
    entry = await a_trail().append(
        connection, a_pending(seen(clients), actor=someone, programme=PROGRAMME, outcome=Outcome.REFUSED, status=404)
    )
    [row] = await stored(connection, entry)
    assert row["leaf"] == entry.leaf
    assert canonical.encode(canonical.parse(entry.leaf)) == entry.leaf
    said = decode(entry.leaf)
    assert (row["entry_id"], row["idx"]) == (UUID(said.id), None)
    assert row["at"] == datetime.fromisoformat(said.t) == made_at(entry.id)
    assert abs((made_at(entry.id) - before).total_seconds()) < 5
    assert (row["actor"], row["event"], row["outcome"]) == (str(someone.id), "check_in.listed", 4)
    assert row["programme"] == PROGRAMME
    assert row["refs"] == entry.references
    assert len(entry.references) == 3
    assert said.subj is not None
    assert said.subj.n == 3


async def test_a_leaf_says_who_when_what_how_and_why(connection: AsyncConnection) -> None:
    someone = Someone(
        holdings=tuple(
            Holding(role=role, programme=PROGRAMME) for role in (Role.SUPERVISOR, Role.COUNSELLOR, Role.NURSE)
        )
    )
    circumstances = Circumstances(
        source="192.0.2.7",
        route="POST /api/v1/caseloads/{staff}/handover",
        op=Op.UPDATE,
        act=Act.HAND_OVER,
        purpose=Purpose.OPERATIONS,
        programme=PROGRAMME,
    )
    client, journal = a_client(), RequestJournal()
    journal.tell(SomethingHappened(client=client))
    pending = Pending(actor=someone, circumstances=circumstances, outcome=Outcome.DONE, journal=journal, status=201)
    said = decode((await a_trail().append(connection, pending)).leaf)
    assert said == Leaf(
        act=said.act,
        boot=said.boot,
        ctr=1,
        ev="thing.happened",
        id=said.id,
        obj=said.obj,
        op="U",
        org="clinic-01",
        out=0,
        prog=str(PROGRAMME),
        purp="HOPERAT",
        req=str(circumstances.request),
        route="POST /api/v1/caseloads/{staff}/handover",
        st=201,
        subj=said.subj,
        t=said.t,
        v=1,
    )
    assert (said.act.id, said.act.auth) == (str(someone.id), "password")
    assert said.act.role == ("supervisor",), "only roles that allow the act"
    assert said.act.sess is not None
    assert someone.session is not None
    assert str(someone.session) not in repr(said)


async def test_nobody_identified_is_anonymous_and_a_command_needs_no_status(connection: AsyncConnection) -> None:
    trail = a_trail()
    failed = Circumstances(route="POST /api/v1/sessions", event="sign_in.failed", op=Op.EXECUTE)
    unknown = decode(
        (await trail.append(connection, Pending(actor=None, circumstances=failed, outcome=Outcome.REFUSED))).leaf
    )
    assert (unknown.act.id, unknown.act.auth, unknown.act.role, unknown.act.sess) == ("anonymous", "none", (), None)
    command = Circumstances(route="caseload staff add", event="staff.added", auth=Auth.COMMAND_LINE)
    added = decode(
        (
            await trail.append(
                connection, Pending(actor=Someone(session=None), circumstances=command, outcome=Outcome.DONE)
            )
        ).leaf
    )
    assert (added.act.auth, added.st, added.ctr) == ("command_line", None, 2)


ELSEWHERE = ProgrammeId(UUID("0197f0a0-0000-7000-8000-00000000000b"))


@pytest.mark.parametrize(
    ("held", "act", "named", "programme"),
    [
        ([(Role.NURSE, PROGRAMME)], None, None, PROGRAMME),
        ([(Role.NURSE, PROGRAMME), (Role.COUNSELLOR, PROGRAMME)], None, None, PROGRAMME),
        ([(Role.NURSE, PROGRAMME), (Role.NURSE, ELSEWHERE)], None, None, None),
        ([(Role.NURSE, PROGRAMME), (Role.NURSE, ELSEWHERE)], None, ELSEWHERE, ELSEWHERE),
        ([(Role.NURSE, PROGRAMME), (Role.SUPERVISOR, ELSEWHERE)], Act.HAND_OVER, None, ELSEWHERE),
        ([(Role.AUDITOR, None)], None, None, None),
        ([(Role.AUDITOR, None), (Role.NURSE, PROGRAMME)], None, None, None),
        ([], None, None, None),
    ],
)
async def test_an_entry_belongs_to_the_programme_named_or_to_the_one_of_the_roles_used(
    connection: AsyncConnection,
    held: list[tuple[Role, ProgrammeId | None]],
    act: Act | None,
    named: ProgrammeId | None,
    programme: ProgrammeId | None,
) -> None:
    someone = Someone(holdings=tuple(Holding(role=role, programme=where) for role, where in held))
    said = Circumstances(event="client.read", act=act, programme=named)
    entry = await a_trail().append(connection, a_pending(actor=someone, circumstances=said))
    assert decode(entry.leaf).prog == (str(programme) if programme else None)


@pytest.mark.parametrize(
    "circumstances",
    [
        Circumstances(route=f"GET /api/v1/clients/{new_id()}", event="client.read"),
        Circumstances(event="Client Read"),
        Circumstances(event="client.read", filter={"name": "e\u0301"}),
        Circumstances(event="client.read", filter={"limit": 0.5}),  # pyright: ignore[reportArgumentType]  a fraction is what is refused
    ],
)
async def test_what_may_not_stand_in_the_log_is_refused_and_takes_no_number(
    connection: AsyncConnection, circumstances: Circumstances
) -> None:
    trail = a_trail()
    with pytest.raises((BadLeaf, canonical.NotCanonical)):
        await trail.append(connection, a_pending(circumstances=circumstances))
    assert decode((await trail.append(connection, a_pending())).leaf).ctr == 1


async def test_the_log_shows_no_client_to_somebody_without_keys(connection: AsyncConnection) -> None:
    client = a_client()
    journal = seen([client])
    journal.tell(SomethingHappened(client=client, records=(record := new_id(),)))
    entry = await a_trail().append(connection, a_pending(journal))
    [row] = await stored(connection, entry)
    for column in ("leaf", "sealed"):
        held = row[column]
        assert isinstance(held, bytes)
        for identifier in (client, record):
            assert identifier.bytes not in held
            assert str(identifier).encode() not in held


async def test_an_entry_comes_and_goes_with_its_transaction(own_engine: AsyncEngine) -> None:
    trail, client = a_trail(), a_client()
    async with own_engine.connect() as connection:
        undone = await trail.append(connection, a_pending(seen([client])))
        await connection.rollback()
        trail.settle([undone], kept=False)
        kept = await trail.append(connection, a_pending(seen([client])))
        await connection.commit()
        trail.settle([kept], kept=True)
        assert [row["entry_id"] for row in await stored(connection, undone, kept)] == [kept.id]
    said = decode(kept.leaf)
    assert (said.ctr, said.void) == (2, ((1, 1),)), "the number that never came to be is declared"


async def test_a_key_made_by_work_that_was_undone_seals_nothing(own_engine: AsyncEngine) -> None:
    """Were it remembered, later entries would be sealed with a key that nobody has."""
    trail, client = a_trail(), a_client()
    async with own_engine.connect() as connection:
        undone = await trail.append(connection, a_pending(seen([client])))
        await connection.rollback()
        trail.settle([undone], kept=False)
        kept = await trail.append(connection, a_pending(seen([client])))
        await connection.commit()
        trail.settle([kept], kept=True)
        assert kept.references != undone.references
        key = await trail.keys.existing(connection, client)
        assert key is not None
        assert [key.reference] == kept.references


async def test_gaps_are_joined_declared_once_and_again_when_the_declaration_is_lost(
    own_engine: AsyncEngine,
) -> None:
    trail = a_trail()
    async with own_engine.connect() as connection:
        lost = await trail.prepare(connection, [a_pending() for _ in range(5)])
        trail.settle([lost[0], lost[1], lost[3]], kept=False)
        trail.settle([lost[2], lost[4]], kept=True)
        [declares] = await trail.prepare(connection, [a_pending()])
        assert decode(declares.leaf).void == ((1, 2), (4, 4))
        trail.settle([declares], kept=False)
        [again, silent] = await trail.prepare(connection, [a_pending(), a_pending()])
    assert decode(again.leaf).void == ((1, 2), (4, 4), (6, 6))
    assert decode(silent.leaf).void == ()


async def test_very_many_gaps_are_declared_over_several_leaves(connection: AsyncConnection) -> None:
    trail = a_trail()
    entries = await trail.prepare(connection, [a_pending() for _ in range(301)])
    trail.settle(entries[::2], kept=False)
    declared = [decode(entry.leaf).void for entry in await trail.prepare(connection, [a_pending() for _ in range(4)])]
    assert [len(ranges) for ranges in declared] == [64, 64, 23, 0]
    assert [low for ranges in declared for low, _ in ranges] == list(range(1, 302, 2))


async def test_every_entry_of_a_batch_gets_its_own_references(connection: AsyncConnection) -> None:
    trail = a_trail()
    lists = [[a_client() for _ in range(size)] for size in (0, 3, 1, 0, 50, 2)]
    entries = await trail.prepare(connection, [a_pending(seen(clients)) for clients in lists])
    await append(connection, entries)
    rows = {row["entry_id"]: row for row in await stored(connection, *entries)}
    for entry, clients in zip(entries, lists, strict=True):
        keys = (await trail.keys.of(connection, clients)).keys
        assert rows[entry.id]["refs"] == [keys[client].reference for client in clients]
        assert rows[entry.id]["sealed"] == entry.sealed


def changed(entry: Entry, *, leaf: bytes | None = None, references: Sequence[bytes] | None = None) -> Entry:
    return entry._replace(leaf=leaf or entry.leaf, references=list(references or entry.references))


@pytest.mark.parametrize("fault", ["more", "fewer", "not json", "no instant", "too large", "twice"])
async def test_the_append_function_refuses_what_does_not_fit_together(connection: AsyncConnection, fault: str) -> None:
    [entry] = await a_trail().prepare(connection, [a_pending(seen([a_client(), a_client()]))])
    entries = {
        "more": [changed(entry, references=[*entry.references, bytes(16)])],
        "fewer": [changed(entry, references=entry.references[:1])],
        "not json": [changed(entry, leaf=b"leaf")],
        "no instant": [changed(entry, leaf=entry.leaf.replace(b'"t":"2', b'"t":"x'))],
        "too large": [changed(entry, leaf=entry.leaf + b" " * 16_384)],
        "twice": [entry, entry],
    }[fault]
    with pytest.raises(asyncpg.PostgresError):
        await append(connection, entries)


async def test_a_transaction_with_an_entry_waits_for_the_disk_whatever_its_session_says(
    own_engine: AsyncEngine,
) -> None:
    asked = text("select current_setting('synchronous_commit')")
    async with own_engine.connect() as connection:
        await connection.execute(text("set synchronous_commit = off"))
        await connection.commit()
        assert (await connection.execute(asked)).scalar_one() == "off"
        await a_trail().append(connection, a_pending())
        assert (await connection.execute(asked)).scalar_one() == "on"
        await connection.commit()
        assert (await connection.execute(asked)).scalar_one() == "off"


async def test_leaves_with_and_without_a_sealed_part_do_not_mix(connection: AsyncConnection) -> None:
    with pytest.raises(DBAPIError, match="as many sealed parts as leaves"):
        await connection.execute(text("select audit.append(array['{}'::bytea], '{}', '{}')"))


async def test_the_database_computes_the_same_leaf_hash(connection: AsyncConnection) -> None:
    entry = await a_trail().append(connection, a_pending())
    computed = await connection.execute(select(func.sha256(b"\x00" + entry.leaf)))
    assert computed.scalar_one() == leaf_hash(entry.leaf)


async def test_a_process_names_its_run_and_numbers_its_entries(connection: AsyncConnection) -> None:
    store = KeysInMemory()
    first, second = AuditTrail(store, organisation="clinic-01"), AuditTrail(store, organisation="clinic-01")
    said = [decode((await trail.append(connection, a_pending())).leaf) for trail in (first, second, first)]
    assert [(each.boot, each.ctr) for each in said] == [(first.boot, 1), (second.boot, 1), (first.boot, 2)]
    assert first.boot != second.boot
    assert len(first.boot) == len(base64url(bytes(12)))


async def test_an_organisation_is_named_without_free_text() -> None:
    with pytest.raises(BadLeaf):
        AuditTrail(KeysInMemory(), organisation="Harbour House, London")


@pytest.mark.parametrize("missing", [KeyName.CLIENT_KEYS, KeyName.LOG])
async def test_a_missing_key_stops_the_start_and_not_the_first_client(missing: KeyName) -> None:
    store = KeysInMemory()
    del store.kept[missing, 1]
    with pytest.raises(OperatorError, match=missing.value):
        AuditTrail(store, organisation="clinic-01")


async def test_a_large_entry_of_one_person_is_appended_whole(connection: AsyncConnection) -> None:
    """A brought-in history is one entry: thousands of records of one client."""
    client, journal = a_client(), RequestJournal()
    records = tuple(new_id() for _ in range(5000))
    journal.tell(SomethingHappened(client=client, records=records))
    entry = await a_trail().append(connection, a_pending(journal))
    [row] = await stored(connection, entry)
    assert row["sealed"] == entry.sealed
    assert len(entry.leaf) < 1000


async def test_work_that_was_undone_makes_no_key_for_whom_it_would_have_registered(
    connection: AsyncConnection,
) -> None:
    unborn, journal = a_client(), RequestJournal()
    journal.tell(SomethingHappened(client=unborn))
    entry = await a_trail().append(connection, a_pending(journal, outcome=Outcome.FAILED, status=503))
    assert entry.references == []
    held = select(func.count()).where(client_key.c.client_id == unborn)
    assert (await connection.execute(held)).scalar_one() == 0


async def test_the_first_entry_about_a_client_makes_the_clients_key(connection: AsyncConnection) -> None:
    client = ClientId(new_id())
    held = select(func.count()).select_from(client_key).where(client_key.c.client_id == client)
    assert (await connection.execute(held)).scalar_one() == 0
    await a_trail().append(connection, a_pending(seen([client])))
    assert (await connection.execute(held)).scalar_one() == 1
