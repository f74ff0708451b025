"""Levels of care by the edition that names them, as `levels.toml` says them with their sources."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

import msgspec


class Edition(StrEnum):
    """Whose levels of care: the same number means different things in different editions."""

    ASAM_4 = "asam_4"
    UK_MODALITY = "uk_modality"
    LOCAL = "local"


class EditionRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One edition and the levels that it knows."""

    edition: Edition
    name: str
    usual_in: tuple[str, ...]
    """The countries of jurisdiction profiles whose programmes usually speak so."""
    complete: bool
    """Whether a level that does not stand here is no level of this edition; else it is kept as it is written."""
    source: str
    levels: Mapping[str, str]
    """Their names, by what they are written as."""


class _Levels(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    version: int
    editions: tuple[EditionRule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """Every edition, and the version of the file that says so."""

    version: int
    editions: Mapping[Edition, EditionRule]


@cache
def known_levels() -> Levels:
    """The levels there are, read once."""
    text = (files("caseload.domain.caseload") / "levels.toml").read_bytes()
    read = msgspec.toml.decode(text, type=_Levels)
    return Levels(version=read.version, editions={each.edition: each for each in read.editions})


def name_of(edition: Edition, level: str) -> str | None:
    """What a level is called; None where its edition does not know it."""
    return known_levels().editions[edition].levels.get(level)
