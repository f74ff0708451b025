"""The one MetaData of schema `clinic`, and the column shapes that every table shares."""

import importlib
import pkgutil
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, DateTime, ForeignKey, MetaData, SmallInteger, Text, Uuid, text
from sqlalchemy.dialects.postgresql import TSTZRANGE, Range
from sqlalchemy.types import TypeEngine

SCHEMAS = ("clinic", "audit", "keys", "jobs")
"""`clinic` holds the record, `audit` the log, `keys` the per-client keys, `jobs` what is done beside the requests."""

metadata = MetaData(
    schema="clinic",
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    },
)


def complete() -> MetaData:
    """The metadata with every subject's tables on it, whatever has been imported so far."""
    package = importlib.import_module("caseload.db.tables")
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
    return metadata


INSTANT: TypeEngine[datetime] = DateTime(timezone=True)
"""An instant: aware, UTC, `timestamptz`."""


def identifier(name: str = "id", *, primary_key: bool = True) -> Column[UUID]:
    """A UUIDv7 made by `domain/ids.py`, never by the database."""
    return Column(name, Uuid(), primary_key=primary_key)


def reference(name: str, table: str, *, primary_key: bool = False, nullable: bool = False) -> Column[UUID]:
    """A column that names a row of another table of the clinic."""
    return Column(name, Uuid(), ForeignKey(f"clinic.{table}.id"), primary_key=primary_key, nullable=nullable)


def recorded_at() -> Column[object]:
    """When we were told, as distinct from when it happened."""
    return Column("recorded_at", INSTANT, nullable=False)


def recorded() -> tuple[Column[UUID], Column[object]]:
    """Who told us, and when."""
    return reference("recorded_by", "staff"), recorded_at()


def period() -> Column[Range[datetime]]:
    """From when to when: the first instant is in it, the last is not."""
    return Column("period", TSTZRANGE(), nullable=False)


def begins() -> CheckConstraint:
    """A CHECK that a period has a beginning, and may stay open."""
    return CheckConstraint(text("NOT isempty(period) AND NOT lower_inf(period)"), name="period")


def begins_and_ends() -> CheckConstraint:
    """A CHECK that a period ends by itself."""
    return CheckConstraint(
        text("NOT isempty(period) AND NOT lower_inf(period) AND NOT upper_inf(period)"), name="period_has_an_end"
    )


def version() -> Column[int]:
    """Which version of what the other columns of the key name, the first being 1."""
    return Column("version", SmallInteger(), primary_key=True, autoincrement=False)


def one_of(column: str, words: type[StrEnum] | Iterable[str], *, name: str | None = None) -> CheckConstraint:
    """A CHECK that a text column holds one of the words."""
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(text(f"{column} IN ({listed})"), name=name or column)


def any_of(column: str, words: type[StrEnum] | Iterable[str]) -> CheckConstraint:
    """A CHECK that a column of text arrays holds none, one or several of the words."""
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(text(f"{column} <@ ARRAY[{listed}]"), name=column)


def some_of(column: str, words: type[StrEnum] | Iterable[str]) -> CheckConstraint:
    """A CHECK that a column of text arrays holds one or more of the words."""
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(text(f"cardinality({column}) >= 1 AND {column} <@ ARRAY[{listed}]"), name=column)


def not_blank(column: str) -> CheckConstraint:
    """A CHECK that a text column says something."""
    return CheckConstraint(text(f"btrim({column}) <> ''"), name=f"{column}_not_blank")


def from_one(column: str) -> CheckConstraint:
    """A CHECK that a number counts from one."""
    return CheckConstraint(text(f"{column} >= 1"), name=column)


def of_32_bytes(column: str) -> CheckConstraint:
    """A CHECK that bytes are as many as SHA-256 makes, plain or keyed."""
    return CheckConstraint(text(f"octet_length({column}) = 32"), name=column)


def words(name: str, *, nullable: bool = False) -> Column[str]:
    """A text column."""
    return Column(name, Text(), nullable=nullable)
