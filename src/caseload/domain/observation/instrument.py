"""Instruments: what is measured and rated, with the answers there are and what a score means, as data.

The data stand in `instruments.toml`. Answers are enumerated, because the published scales leave numbers out; a score is
the sum of all answers, and there is none while one is missing: what nobody knows is not zero. Some instruments have no
total but subscales, each the sum of its own items, and none while one of these is missing.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Final, NamedTuple

import msgspec

from caseload.domain.errors import Faults


class InstrumentName(StrEnum):
    """What can be observed."""

    COWS = "cows"
    SOWS = "sows"
    QTC = "qtc"
    BAM = "bam"
    """With answers from 0 to 4."""
    BAM_CONTINUOUS = "bam_continuous"
    """With answers from 0 to 30: another measure, whose scores are never mixed with those of `BAM`."""
    TOP = "top"
    PHQ9 = "phq9"
    GAD7 = "gad7"
    CIWA_AR = "ciwa_ar"


ASKED_IN_CHECK_INS: Final = frozenset(
    {InstrumentName.BAM, InstrumentName.BAM_CONTINUOUS, InstrumentName.TOP, InstrumentName.PHQ9, InstrumentName.GAD7}
)
"""What is asked in a conversation, so that whoever completes a check-in may fill it in; the others are a clinician's."""


class InstrumentBroken(ValueError):
    """An instrument in the file contradicts itself; the message says which and how."""


class _Data(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of the file."""


class Item(_Data, frozen=True):
    """One thing to answer: by one of several values, or by any whole number in a range."""

    code: str
    asks: str
    values: tuple[int, ...] = ()
    lowest: int = 0
    highest: int = 0

    def takes(self, answer: int) -> bool:
        """Whether this is an answer."""
        return answer in self.values if self.values else self.lowest <= answer <= self.highest

    @property
    def says(self) -> str:
        """Which answers there are, in words."""
        if self.values:
            return f"must be one of {', '.join(map(str, self.values))}"
        return f"must lie between {self.lowest} and {self.highest}"

    @property
    def reaches(self) -> tuple[int, int]:
        """The lowest and the highest answer."""
        return (min(self.values), max(self.values)) if self.values else (self.lowest, self.highest)


class Band(_Data, frozen=True):
    """What a score means from here on, until the next band begins."""

    from_total: int
    name: str
    says: str


class Subscale(_Data, frozen=True):
    """Some items that are added up on their own."""

    code: str
    title: str
    items: tuple[str, ...]
    flag_from: int | None = None
    """From this sum on it is flagged."""
    flag_up_to: int | None = None
    """Up to this sum it is flagged."""


class Subscore(NamedTuple):
    """What the answers to the items of a subscale come to."""

    subscale: Subscale
    total: int | None
    """None while an answer is missing."""
    flagged: bool


class Instrument(_Data, frozen=True):
    """One version of one scale or measure."""

    name: InstrumentName
    version: int
    title: str
    source: str
    unit: str
    items: tuple[Item, ...]
    bands: tuple[Band, ...] = ()
    """None where there is no total score."""
    subscales: tuple[Subscale, ...] = ()

    @property
    def highest(self) -> int:
        """The highest score there is."""
        return sum(item.reaches[1] for item in self.items)

    def band(self, total: int) -> Band:
        """What a score means."""
        return next(band for band in reversed(self.bands) if band.from_total <= total)

    def subscores(self, answers: Sequence[int | None]) -> Sequence[Subscore]:
        """What answers in the order of the items come to, by subscale."""
        by_code = dict(zip((item.code for item in self.items), answers, strict=True))
        return [_subscore(subscale, [by_code[code] for code in subscale.items]) for subscale in self.subscales]


def _subscore(subscale: Subscale, answers: Sequence[int | None]) -> Subscore:
    known = [answer for answer in answers if answer is not None]
    if len(known) < len(answers):
        return Subscore(subscale, None, flagged=False)
    total, least, most = sum(known), subscale.flag_from, subscale.flag_up_to
    return Subscore(
        subscale, total, flagged=(least is not None and total >= least) or (most is not None and total <= most)
    )


class Score(NamedTuple):
    """What the answers come to."""

    answers: tuple[int | None, ...]
    """In the order of the items; None for what could not be observed."""
    total: int | None
    """None while an answer is missing, and where the instrument has no total."""
    band: str | None


def score(instrument: Instrument, answers: Mapping[str, int | None], *, where: str) -> Score:
    """Check answers by the codes of their items, and add them up. Raises `Invalid` with every fault, under `where`."""
    faults = Faults()
    for code in answers.keys() - {item.code for item in instrument.items}:
        faults.add(where, f"{code[:40]!r} is no item of {instrument.title}")
    for item in instrument.items:
        if item.code not in answers:
            faults.add(f"{where}.{item.code}", "is missing; say null for what could not be observed")
        elif (answer := answers[item.code]) is not None:
            faults.check(when=not item.takes(answer), where=f"{where}.{item.code}", problem=item.says)
    faults.check(
        when=bool(answers) and all(answer is None for answer in answers.values()),
        where=where,
        problem="at least one item must have been observed",
    )
    faults.raise_if_any()
    given = tuple(answers[item.code] for item in instrument.items)
    known = [answer for answer in given if answer is not None]
    if len(known) < len(given) or not instrument.bands:
        return Score(given, None, None)
    return Score(given, sum(known), instrument.band(sum(known)).name)


def instrument(name: InstrumentName, version: int | None = None) -> Instrument:
    """One version of an instrument; the newest when none is named. Raises `KeyError` for a version that never was."""
    versions = instruments()[name]
    return versions[-1] if version is None else {each.version: each for each in versions}[version]


@cache
def instruments() -> Mapping[InstrumentName, Sequence[Instrument]]:
    """Every version of every instrument, oldest first. Raises `InstrumentBroken`."""
    return read_instruments((files("caseload.domain.observation") / "instruments.toml").read_bytes())


def read_instruments(text: bytes) -> Mapping[InstrumentName, Sequence[Instrument]]:
    """The instruments in a file. Raises `InstrumentBroken`."""
    try:
        read = msgspec.toml.decode(text, type=dict[str, tuple[Instrument, ...]])["instruments"]
    except (msgspec.DecodeError, KeyError) as error:
        message = f"instruments.toml: {error}"
        raise InstrumentBroken(message) from error
    found: dict[InstrumentName, list[Instrument]] = {}
    for each in read:
        if wrong := _wrong(each, found.setdefault(each.name, [])):
            message = f"{each.name} {each.version}: {wrong}"
            raise InstrumentBroken(message)
        found[each.name].append(each)
    if missing := set(InstrumentName) - set(found):
        message = f"there is no {', '.join(sorted(missing))}"
        raise InstrumentBroken(message)
    return found


def _wrong(one: Instrument, before: Sequence[Instrument]) -> str:
    codes = [item.code for item in one.items]
    if one.version != len(before) + 1:
        return "versions count from one, without a gap"
    if not codes or len(set(codes)) < len(codes):
        return "items need codes of their own"
    if any(item.reaches[0] >= item.reaches[1] for item in one.items):
        return "an item needs two answers at least"
    if any(not subscale.items or not set(subscale.items) <= set(codes) for subscale in one.subscales):
        return "a subscale adds up items that there are"
    return "" if one.subscales and not one.bands else _wrong_bands(one)


def _wrong_bands(one: Instrument) -> str:
    starts = [band.from_total for band in one.bands]
    if not starts or starts[0] != sum(item.reaches[0] for item in one.items):
        return "the first band begins at the lowest score"
    if any(later <= earlier for earlier, later in pairwise(starts)) or starts[-1] > one.highest:
        return "bands rise, and the last one can be reached"
    return ""
