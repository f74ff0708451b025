"""One row of a table, and of every table that it refers to: as plain as the constraints let it be.

For tests that ask who reaches a record, whatever it says. Keys to other tables and triggers are not looked at, so what could not
be together (a death, a transfer, a take-home) can be; every CHECK holds. Needs the connection of the database's owner.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from decimal import Decimal
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    Numeric,
    Table,
    Time,
    insert,
    text,
)
from sqlalchemy import Uuid as UuidType
from sqlalchemy.dialects.postgresql import JSONB, TSTZRANGE, Range
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.tables.base import complete
from caseload.domain.ids import ClientId, ProgrammeId, StaffId, new_id

_TABLES: Final = complete().tables
_LATER: Final = ("ends_at", "until_at", "due_at", "grace_ends_at", "review_due_at", "sign_by", "witness_by")
_LATER_DAYS: Final = ("due_on", "review_on")
_METHADONE: Final = {"medicine": "methadone", "form": "oral_solution"}


@dataclass(frozen=True, slots=True)
class Of:
    """The identifier of the row of that table."""

    table: str


def _today(planting: "Planting") -> object:
    return planting.now.date()


def _now(planting: "Planting") -> object:
    return planting.now


def _long_ago(planting: "Planting") -> object:
    return planting.now - timedelta(days=9)


def _client(planting: "Planting") -> object:
    return planting.client


def _staff(planting: "Planting") -> object:
    return planting.staff


def _other_programme(planting: "Planting") -> object:
    return planting.other_programme


SAYS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType({
    "care_task": {"kind": "asked"},
    "check_in_plan_version": {
        "mode": "telephone", "every": 7, "unit": "days", "local_time": time(9), "starts_on": _today, "grace_days": 1,
        "early_days": 0, "time_zone": "Europe/London",
    },
    "consent": {
        "purposes": ["family_involvement"], "categories": ["presence"], "expiry_event": "Discharge", "never_expires": False,
    },
    "discharge_asked": {"orders": [new_id()]},
    "disclosure_made": {
        "ground": "emergency", "emergency": "Found unconscious.", "named": "County ED", "manner": "spoken",
        "purpose": "treatment", "categories": ["emergency"], "disputes": [],
    },
    "dose": {
        **_METHADONE, "entry": "window", "order_id": Of("medication_order"), "given_at": _now, "given_by": _staff,
        "supervised": True,
    },
    "dose_replacement": {"verdict": "leave"},
    "dose_spill": {**_METHADONE, "hold_id": Of("hold")},
    "dose_statement": {**_METHADONE, "source": "programme"},
    "downtime_line": {
        "outcome": "recorded", "client_id": _client, "written_by": _staff, "record_id": Of("medication_order"),
    },
    "drug_screen": {"why": "clinical", "collected_at": _now, "matrix": "urine", "observed": True, "refused": False},
    "family_information": {"source": "A neighbour.", "received_at": _long_ago},
    "guest_agreement": {**_METHADONE, "direction": "elsewhere", "host_programme_id": _other_programme},
    "hold": {"reason": "sedation"},
    "interim_treatment": {"episode_id": Of("episode")},
    "medication_decision": {"hold_id": Of("hold")},
    "medication_order": {**_METHADONE, "whole_mg": Decimal(60)},
    "medication_task": {"kind": "contact_prescriber", "order_id": Of("medication_order")},
    "naloxone": {"outcome": "declined"},
    "observation": {"instrument": "gad7", "answers": [0] * 7, "total": 0, "band": "minimal"},
    "patient_notice_given": {"acknowledgement": "declined", "why_not": "Would not."},
    "record_copy": {"kind": "record_copy"},
    "related_person_involvement": {"kind": "family_therapy"},
    "restriction": {"starts_at": _long_ago, "ended_at": _long_ago, "ended_by": _staff, "ended_because": "Asked."},
    "rights_accounting": {"kind": "accounting", "written": b"{}", "sha256": sha256(b"{}").digest()},
    "rights_request": {"kind": "record_copy", "is_self_paid": False},
    "session_note": {"client_id": _client},
    "session_note_current": {"standing": "signed"},
    "session_note_signature": {"signed_as": "author"},
    "session_relative": {"comes_as": "in_own_right"},
    "session_series": {"unit": "days"},
    "signature": {
        "role": "counsellor", "methods": ["password"], "signed_bytes": b"", "digest": sha256(b"").digest(), "seal_key": 1,
        "seal": bytes(64),
    },
    "take_home_decision": {"days": 0},
    "therapy_session": {"series_id": Of("session_series"), "series_on": _today},
})  # fmt: skip
"""What a row says where the first word of a list, or nothing, is not enough."""


@dataclass(kw_only=True)
class Planting:
    """Rows about one client of one programme."""

    connection: AsyncConnection
    client: ClientId
    programme: ProgrammeId
    other_programme: ProgrammeId
    other_client: ClientId
    staff: StaffId
    now: datetime
    rows: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])

    async def one(self, name: str) -> dict[str, Any]:
        """The row of a table, made when it is first asked for."""
        if name in self.rows:
            return self.rows[name]
        table = _TABLES[f"clinic.{name}"]
        row = {column: await self._said(value) for column, value in SAYS.get(name, {}).items()}
        for column in table.columns:
            if column.name not in row and not column.nullable and column.server_default is None:
                row[column.name] = await self._value(table, column, row)
        self.rows[name] = row
        await self.connection.execute(text("set local session_replication_role = replica"))
        await self.connection.execute(insert(table), row)
        return row

    async def _said(self, value: Any) -> Any:
        if isinstance(value, Of):
            return (await self.one(value.table))["id"]
        return value(self) if callable(value) else value

    async def _value(self, table: Table, column: Column[Any], row: Mapping[str, Any]) -> Any:
        named = {
            "client_id": self.client,
            "programme_id": self.programme,
            "discloser_id": self.programme,
            "duplicate_id": self.client,
        }
        if column.name in named:
            return named[column.name]
        known = {"staff": self.staff, "programme": self.other_programme, "client": self.other_client}
        leads_to = {(key.column.table.name, key.column.name) for key in column.foreign_keys}
        for name, value in known.items():
            if (name, "id") in leads_to:
                return value
        for name, referred in sorted(leads_to):
            if name != table.name and isinstance(column.type, UuidType):
                return (await self.one(name))[referred]
        if isinstance(column.type, UuidType):
            return row.get("id") or new_id()
        return self._plain(table, column)

    def _plain(self, table: Table, column: Column[Any]) -> Any:
        today = self.now.date()
        by_type: Mapping[type[Any], Any] = {
            DateTime: self.now + timedelta(hours=1) if column.name in _LATER else self.now,
            Date: today + timedelta(days=30) if column.name in _LATER_DAYS else today,
            Time: time(9),
            TSTZRANGE: Range(self.now, None),
            Boolean: True,
            Integer: 1,
            Numeric: 1,
            LargeBinary: bytes(32),
            JSONB: {},
        }
        if isinstance(column.type, ARRAY):
            return _first(table, column, lists=True)
        found = [value for kind, value in by_type.items() if isinstance(column.type, kind)]
        return found[0] if found else (_first(table, column) or ["Said"])[0]


def _first(table: Table, column: Column[Any], *, lists: bool = False) -> list[str]:
    """The first word that a CHECK lets a column be."""
    begins = rf"{column.name} <@ ARRAY\['(\w+)'" if lists else rf"^{column.name} IN \('(\w+)'"
    checks = (str(each.sqltext) for each in table.constraints if isinstance(each, CheckConstraint))
    found = (re.search(begins, check) for check in checks)
    return [match[1] for match in found if match is not None][:1]


def identifier(row: Mapping[str, Any]) -> UUID:
    """Its own."""
    return row["id"]
