"""Who there is: three programmes, their staff, and names for as many clients as are wanted. All made up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from caseload.domain.access import Role
from caseload.domain.caseload import Edition, LevelOfCare
from caseload.domain.client import Sex


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A programme of the demo clinic."""

    code: str
    name: str
    time_zone: str
    profile: str
    level: LevelOfCare


SITES: Final[Sequence[Site]] = (
    Site(
        code="HARBOR",
        name="Harbor Street Recovery",
        time_zone="America/New_York",
        profile="US",
        level=LevelOfCare(edition=Edition.ASAM_4, level="1.7"),
    ),
    Site(
        code="MILL-LANE",
        name="Mill Lane Clinic",
        time_zone="Europe/London",
        profile="UK",
        level=LevelOfCare(edition=Edition.UK_MODALITY, level="pharmacological"),
    ),
    Site(
        code="BANKSIA",
        name="Banksia House",
        time_zone="Australia/Sydney",
        profile="AU",
        level=LevelOfCare(edition=Edition.LOCAL, level="opioid treatment programme"),
    ),
)
HARBOR, MILL_LANE, BANKSIA = (site.code for site in SITES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """Somebody of the staff, and what they hold: roles with the programme, or none for the whole clinic."""

    user_name: str
    printed_name: str
    holds: Sequence[tuple[Role, str | None]]
    registration: tuple[str, str] | None = None
    """Body and number, for clinical roles."""
    leaves_in_days: int | None = None
    """The roles of a locum, and of an inspector, end by themselves; fewer than none: they ended so many days ago."""

    @property
    def has_left(self) -> bool:
        """Whether every role of theirs is over."""
        return self.leaves_in_days is not None and self.leaves_in_days < 0


COLLEAGUES: Final[Sequence[Colleague]] = (
    Colleague(
        user_name="nurse",
        printed_name="Imelda Carrowmere",
        holds=[(Role.NURSE, HARBOR)],
        registration=("MA BORN", "DEMO-RN-0101"),
    ),
    Colleague(
        user_name="nurse2",
        printed_name="Tobias Larkstow",
        holds=[(Role.NURSE, HARBOR)],
        registration=("MA BORN", "DEMO-RN-0102"),
    ),
    Colleague(
        user_name="prescriber",
        printed_name="Anneke Thornwick",
        holds=[(Role.PRESCRIBER, HARBOR)],
        registration=("MA BORM", "DEMO-MD-0103"),
    ),
    Colleague(
        user_name="pharmacist",
        printed_name="Olu Kestley",
        holds=[(Role.PHARMACIST, HARBOR)],
        registration=("MA BORP", "DEMO-PH-0104"),
    ),
    Colleague(
        user_name="bank-nurse",
        printed_name="Leonie Ardwick",
        holds=[(Role.NURSE, HARBOR)],
        registration=("MA BORN", "DEMO-RN-0105"),
        leaves_in_days=-2,
    ),
    Colleague(user_name="counsellor", printed_name="Marta Fernshaw", holds=[(Role.COUNSELLOR, HARBOR)]),
    Colleague(user_name="counsellor2", printed_name="Desmond Quillford", holds=[(Role.COUNSELLOR, HARBOR)]),
    Colleague(user_name="supervisor", printed_name="Yasmin Oakenhurst", holds=[(Role.SUPERVISOR, HARBOR)]),
    Colleague(
        user_name="inspector",
        printed_name="Corin Yarrowgate",
        holds=[(Role.INSPECTOR, HARBOR)],
        leaves_in_days=90,
    ),
    Colleague(user_name="desk", printed_name="Perry Wrenton", holds=[(Role.FRONT_DESK, HARBOR)]),
    Colleague(
        user_name="mill-nurse",
        printed_name="Bronwen Hollowdale",
        holds=[(Role.NURSE, MILL_LANE)],
        registration=("NMC", "DEMO-0201"),
    ),
    Colleague(
        user_name="mill-locum",
        printed_name="Kofi Stanrick",
        holds=[(Role.NURSE, MILL_LANE)],
        registration=("NMC", "DEMO-0202"),
        leaves_in_days=30,
    ),
    Colleague(
        user_name="mill-prescriber",
        printed_name="Hester Vanebury",
        holds=[(Role.PRESCRIBER, MILL_LANE)],
        registration=("GMC", "DEMO-0203"),
    ),
    Colleague(user_name="mill-counsellor", printed_name="Rafi Elderstow", holds=[(Role.COUNSELLOR, MILL_LANE)]),
    Colleague(user_name="mill-counsellor2", printed_name="Siobhan Pelcombe", holds=[(Role.COUNSELLOR, MILL_LANE)]),
    Colleague(user_name="mill-supervisor", printed_name="Gwendolyn Morgate", holds=[(Role.SUPERVISOR, MILL_LANE)]),
    Colleague(
        user_name="banksia-nurse",
        printed_name="Jarrah Nettleton",
        holds=[(Role.NURSE, BANKSIA)],
        registration=("AHPRA", "DEMO-0301"),
    ),
    Colleague(
        user_name="banksia-nurse2",
        printed_name="Linh Rookley",
        holds=[(Role.NURSE, BANKSIA)],
        registration=("AHPRA", "DEMO-0302"),
    ),
    Colleague(
        user_name="banksia-prescriber",
        printed_name="Caspian Dunworth",
        holds=[(Role.PRESCRIBER, BANKSIA)],
        registration=("AHPRA", "DEMO-0303"),
    ),
    Colleague(user_name="banksia-counsellor", printed_name="Mele Underhurst", holds=[(Role.COUNSELLOR, BANKSIA)]),
    Colleague(
        user_name="banksia-lead",
        printed_name="Odette Brackham",
        holds=[(Role.COUNSELLOR, BANKSIA), (Role.SUPERVISOR, BANKSIA)],
    ),
    Colleague(
        user_name="director",
        printed_name="Ulrich Garthmore",
        holds=[(Role.MEDICAL_DIRECTOR, site.code) for site in SITES],
        registration=("MA BORM", "DEMO-MD-0001"),
    ),
    Colleague(user_name="auditor", printed_name="Xenia Ivergate", holds=[(Role.AUDITOR, None)]),
    Colleague(user_name="privacy", printed_name="Ambrose Valecombe", holds=[(Role.PRIVACY_OFFICER, None)]),
)
"""Everybody but the two administrators, who must be there before anybody can be given a role."""

ADMINISTRATORS: Final[Sequence[Colleague]] = (
    Colleague(user_name="admin", printed_name="Philippa Ashdown", holds=[(Role.ADMINISTRATOR, None)]),
    Colleague(user_name="admin2", printed_name="Leander Elderley", holds=[(Role.ADMINISTRATOR, None)]),
)
"""One grants, the other confirms: a role that signs needs two people."""

SHOWN_FIRST: Final = ("nurse", "prescriber", "counsellor", "auditor")
"""The four people a newcomer is told of; all but the auditor work at the first programme."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A client's name, birth date and sex."""

    given_name: str
    family_name: str
    birth_date: date
    sex: Sex


_WOMEN: Final = (
    "Ada", "Beatrix", "Carmel", "Dilys", "Esther", "Freya", "Greta", "Hana", "Ines", "Jocasta", "Keziah", "Lorna",
    "Maud", "Nerys", "Odile", "Petra", "Quenby", "Rhona", "Saskia", "Thea", "Una", "Verity", "Wilma", "Yolanda",
)  # fmt: skip
_MEN: Final = (
    "Alaric", "Bertram", "Cuthbert", "Dorian", "Emeka", "Fergus", "Gideon", "Humphrey", "Isidore", "Jethro", "Kelvin",
    "Linus", "Magnus", "Ned", "Osric", "Piers", "Quentin", "Rufus", "Silas", "Tarquin", "Ulric", "Victor", "Wilfred",
)  # fmt: skip
_BEGINNINGS: Final = (
    "Ash", "Brack", "Carrow", "Dun", "Elder", "Fern", "Garth", "Hollow", "Iver", "Kest", "Lark", "Mor", "Nettle",
    "Oaken", "Pel", "Quill", "Rook", "Stan", "Thorn", "Under", "Vane", "Wren", "Yarrow",
)  # fmt: skip
_ENDINGS: Final = (
    "bury", "combe", "dale", "ford", "gate", "ham", "hurst", "ley", "mere", "more", "rick", "shaw", "stow", "ton",
    "wick", "worth", "ridge",
)  # fmt: skip

_YOUNGEST: Final = date(2006, 1, 1)
_BIRTH_DAYS: Final = 16_001
"""A prime: counting on by any step reaches every one of these days before the first comes again."""


def person(number: int) -> Person:
    """The made-up client of this number. No two of the first 16,001 share a birth date, so nobody is a probable match."""
    given = _WOMEN if number % 2 else _MEN
    half = number // 2
    return Person(
        given_name=given[half % len(given)],
        family_name=_BEGINNINGS[number % len(_BEGINNINGS)] + _ENDINGS[number % len(_ENDINGS)],
        birth_date=_YOUNGEST - timedelta(days=number * 5_003 % _BIRTH_DAYS),
        sex=Sex.FEMALE if number % 2 else Sex.MALE,
    )


def relative(number: int) -> str:
    """A name for somebody around the client of this number, who shares the family name."""
    given = _WOMEN if number % 3 else _MEN
    return f"{given[number * 7 % len(given)]} {person(number).family_name}"
