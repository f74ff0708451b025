"""A large clinic, loaded in bulk past the rules: 20,000 clients with orders, counsellors and nurses to look after them.

Only benchmarks do this. The rows satisfy every constraint; nothing of it was decided by the domain.
"""

import asyncio
import hashlib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from asyncpg.types import Range as AsyncpgRange

from caseload.audit.keys import ClientKeys
from caseload.audit.keystore import FolderOfKeys
from caseload.db.engine import make_engine
from caseload.domain.ids import new_id
from caseload.domain.people import new_token, token_digest
from caseload.settings import Secret, Settings

_NUMBERED = (
    """
    create table bench_pair as
    select row_number() over () as number, client_id, programme_id, id as order_id from clinic.medication_order
    """,
    "create unique index on bench_pair (number)",
    """
    create table bench_nurse as
    select row_number() over () as number, staff_id from clinic.role_grant where role = 'nurse'
    """,
    "create unique index on bench_nurse (number)",
    # Entries that nobody made stay out of the log: it is verified in the end.
    "create table bench_queue (like audit.queue including all)",
    "create table bench_disclosure (like audit.disclosure including all)",
)
"""Who is dosed by whom, by number: pgbench draws numbers, not identifiers."""

PER_COUNSELLOR = 50
NURSES = 64
KEYS_AT_ONCE = 2000


@dataclass
class Clinic:
    """What a load needs to know of the clinic."""

    programme: UUID
    nurses: list[str] = field(default_factory=list[str])
    """Tokens of nurses."""
    counsellors: list[str] = field(default_factory=list[str])
    """Tokens of counsellors, each with 50 clients."""
    clients: list[UUID] = field(default_factory=list[UUID])
    orders: list[UUID] = field(default_factory=list[UUID])
    """One order in force per client, in two parts of a day."""


@dataclass
class _Rows:
    """Rows of one table, to be copied."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]] = field(default_factory=list[tuple[Any, ...]])


async def fill(owner: str, service: str, data_dir: Path, *, clients: int) -> Clinic:
    """Fill an empty, migrated database."""
    connection = await asyncpg.connect(owner)
    try:
        async with connection.transaction():
            clinic = await _fill(connection, clients)
            for statement in _NUMBERED:
                await connection.execute(statement)
        await connection.execute("vacuum analyze")
    finally:
        await connection.close()
    await _make_keys(service, data_dir, clinic.clients)
    return clinic


async def _fill(connection: Any, count: int) -> Clinic:
    now = datetime.now(UTC)
    since = now - timedelta(days=400)
    programme = new_id()
    tables = _tables()
    granter, confirmer = new_id(), new_id()
    tables["programme"].rows.append((programme, "BENCH", "Bench", "Etc/UTC", "US", since))
    for person, name in ((granter, "granter"), (confirmer, "confirmer")):
        tables["staff"].rows.append((person, name, name, since, person))
    people = _People(tables, programme, granter, confirmer, since, now)
    clinic = Clinic(programme)
    clinic.nurses = [people.add("nurse", f"nurse-{n}")[1] for n in range(NURSES)]
    prescriber, _ = people.add("prescriber", "prescriber")
    counsellor = granter
    for number in range(count):
        if number % PER_COUNSELLOR == 0:
            counsellor, token = people.add("counsellor", f"counsellor-{number // PER_COUNSELLOR}")
            clinic.counsellors.append(token)
        _client(tables, clinic, number, programme, counsellor, prescriber, since, now)
    for name, table in tables.items():
        await connection.copy_records_to_table(name, schema_name="clinic", columns=table.columns, records=table.rows)
    return clinic


@dataclass
class _People:
    """Adds people who are signed in."""

    tables: dict[str, _Rows]
    programme: UUID
    granter: UUID
    confirmer: UUID
    since: datetime
    now: datetime

    def add(self, role: str, name: str) -> tuple[UUID, str]:
        """Somebody with this role in the programme, and the token of their session."""
        person, grant, token = new_id(), new_id(), new_token()
        self.tables["staff"].rows.append((person, name, name, self.since, self.granter))
        registration = None
        if role in {"nurse", "prescriber"}:
            registration = new_id()
            self.tables["registration"].rows.append(
                (registration, person, "BENCH", name.upper(), self.since, self.granter)
            )
            self.tables["registration_check"].rows.append(
                (registration, 1, person, date(2099, 1, 1), self.since, self.granter)
            )
        self.tables["role_grant"].rows.append(
            (grant, person, self.programme, role, self.since, self.granter, self.since, registration)
        )
        if registration is not None:
            self.tables["role_confirmation"].rows.append((grant, person, self.granter, self.confirmer, self.since))
        self.tables["sign_in_session"].rows.append((
            new_id(), token_digest(token), person, bytes(32), ["password"],
            self.now, self.now, self.now + timedelta(hours=12),
        ))  # fmt: skip
        return person, token


def _client(
    tables: dict[str, _Rows],
    clinic: Clinic,
    number: int,
    programme: UUID,
    counsellor: UUID,
    prescriber: UUID,
    since: datetime,
    now: datetime,
) -> None:
    client, episode, order, signature = new_id(), new_id(), new_id(), new_id()
    clinic.clients.append(client)
    clinic.orders.append(order)
    period = AsyncpgRange(since, None)
    born = date(1950, 1, 1) + timedelta(days=number % 18000)
    tables["client"].rows.append((client, programme, counsellor, since))
    tables["client_identity"].rows.append(
        (client, 1, f"Given{number % 977}", f"Family{number}", born, False, "unknown", counsellor, since)
    )
    tables["episode"].rows.append((episode, client, programme, since.date(), period, counsellor, since))
    tables["level_of_care"].rows.append((episode, since.date(), "asam_4", "1.5", counsellor, since))
    tables["responsibility"].rows.append((new_id(), client, episode, counsellor, period, counsellor, since))
    tables["medication_record"].rows.append((client,))
    part = Decimal("40.000")
    tables["medication_order"].rows.append((
        order, order, 1, client, programme, "methadone", "oral_solution", Decimal("10.000"), part, part, 1,
        now.date(), True, "", prescriber, since,
    ))  # fmt: skip
    signed = order.bytes
    tables["signature"].rows.append((
        signature, "order", order, 1, prescriber, "prescriber", "prescriber", "BENCH PRESCRIBER", "authored", since,
        ["password"], 1, signed, hashlib.sha256(signed).digest(), 1, bytes(64),
    ))  # fmt: skip
    tables["medication_order_signature"].rows.append((order, signature, since))


def _tables() -> dict[str, _Rows]:
    """In the order in which rows may refer to one another."""
    return {
        name: _Rows(tuple(columns.split()))
        for name, columns in {
            "programme": "id code name time_zone profile opened_at",
            "staff": "id user_name printed_name created_at created_by",
            "registration": "id staff_id body number recorded_at recorded_by",
            "registration_check": "registration_id number staff_id expires_on checked_at checked_by",
            "role_grant": "id staff_id programme_id role starts_at granted_by granted_at registration_id",
            "role_confirmation": "grant_id staff_id granted_by confirmed_by confirmed_at",
            "sign_in_session": "id token_digest staff_id source_digest methods started_at last_used_at expires_at",
            "client": "id programme_id registered_by recorded_at",
            "client_identity": "client_id version given_name family_name birth_date birth_date_estimated sex "
            "recorded_by recorded_at",
            "episode": "id client_id programme_id admitted_on period recorded_by recorded_at",
            "level_of_care": "episode_id from_on edition level recorded_by recorded_at",
            "responsibility": "id client_id episode_id counsellor_id period recorded_by recorded_at",
            "medication_record": "client_id",
            "medication_order": "id chain_id version client_id programme_id medicine form strength_mg morning_mg "
            "evening_mg every_days starts_on supervised note written_by written_at",
            "signature": "id subject subject_id subject_version signer_id printed_name role registration meaning "
            "signed_at methods format_version signed_bytes digest seal_key seal",
            "medication_order_signature": "order_id signature_id signed_at",
        }.items()
    }


async def _make_keys(service: str, data_dir: Path, clients: list[UUID]) -> None:
    """Every client has a key from the first day; here they are made in batches."""
    keys = ClientKeys(FolderOfKeys(data_dir / "keys", may_make=True))
    engine = make_engine(Settings(database_url=Secret(service), data_dir=data_dir))
    try:
        for start in range(0, len(clients), KEYS_AT_ONCE):
            async with engine.begin() as connection:
                await keys.of(connection, clients[start : start + KEYS_AT_ONCE])
            await asyncio.sleep(0)
    finally:
        await engine.dispose()
