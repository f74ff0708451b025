"""What a password may be, after NIST SP 800-63B-4, section 3.1.1.2: long, not commonplace, and otherwise anything.

No rules about kinds of characters and no expiry: they make passwords worse. Whatever somebody else sets is a one-time
secret that only buys a password of one's own.
"""

import gzip
import re
import secrets
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from itertools import pairwise

from caseload.domain.errors import Conflict, Fault, NotPermitted
from caseload.domain.ids import StaffId
from caseload.domain.people.staff import Staff

LONGEST = 256
"""Characters of a password; the standard asks for room for 64 at least."""
FEWEST_PIECES = 4
"""A password made of fewer commonplace pieces than this is commonplace itself."""
_SHORTEST_PIECE = 3
_SECRET_ALPHABET = "ABCDEFGHJKMNPQRSTVWXYZ23456789"  # noqa: S105 - letters that are not taken for one another
_SECRET_GROUP = 5
_SECRET_GROUPS = 5
_NOT_LETTERS_OR_DIGITS = re.compile(r"[\W_]+")
_REPEATED = re.compile(r"(.+?)\1+")
_LOOK_ALIKE = str.maketrans("013457", "oleast")


class PasswordMustBeChosen(NotPermitted):
    """Choose a password of your own."""

    def __init__(self) -> None:
        super().__init__(
            "What you were given is good for this only. Sign in once more with it and send `new_password` as well."
        )


class OneTimeSecretExpired(NotPermitted):
    """Your one-time secret has expired."""

    def __init__(self) -> None:
        super().__init__("Ask an administrator to reset your password.")


class PasswordJustChanged(Conflict):
    """The password was changed at the same moment."""

    def __init__(self) -> None:
        super().__init__("Sign in with the newer one.")


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordRules:
    """What a clinic asks of a password."""

    shortest: int = 15
    """Characters. The standard asks for 15 where the password is the only factor."""
    one_time_for: timedelta = timedelta(hours=72)
    """How long a one-time secret may wait for its first and only use."""

    def faults(self, password: str, *, field: str, about: Iterable[str]) -> list[Fault]:
        """Everything that is wrong with a new password; `about` are the names it must not be made of."""
        text = normalised(password)
        if len(text) < self.shortest:
            return [Fault(field, f"must have at least {self.shortest} characters; several unrelated words do well")]
        if len(text) > LONGEST:
            return [Fault(field, f"must have at most {LONGEST} characters")]
        if is_commonplace(text, about=about):
            return [Fault(field, "is made of what everybody tries first; take several unrelated words")]
        return []


@dataclass(frozen=True, slots=True, kw_only=True)
class Password:
    """A password as it is kept: who set it, and until when it may be used if that was somebody else."""

    staff: StaffId
    number: int
    hash: str
    set_by: StaffId
    set_at: datetime
    one_time_until: datetime | None


def one_time(
    staff: StaffId, number: int, secret_hash: str, *, by: Staff, now: datetime, rules: PasswordRules
) -> Password:
    """A password that somebody else sets, good for one use."""
    return Password(
        staff=staff,
        number=number,
        hash=secret_hash,
        set_by=by.id,
        set_at=now,
        one_time_until=now + rules.one_time_for,
    )


def normalised(password: str) -> str:
    """The password as it is hashed: NFKC, so that it does not matter which keyboard composed an accent."""
    return unicodedata.normalize("NFKC", password)


def new_secret() -> str:
    """A fresh one-time secret to be read out and typed: 25 letters and digits in groups of five, 122 bits."""
    letters = [secrets.choice(_SECRET_ALPHABET) for _ in range(_SECRET_GROUPS * _SECRET_GROUP)]
    return "-".join("".join(letters[at : at + _SECRET_GROUP]) for at in range(0, len(letters), _SECRET_GROUP))


def is_commonplace(password: str, *, about: Iterable[str] = ()) -> bool:
    """Whether it is nothing but a few commonplace pieces strung together.

    A piece is one of the 30,000 passwords that people use most, a word of `about`, a number, or a run (`aaaa`, `cdef`). A whole
    that repeats itself counts once, look-alikes (`p4ssw0rd`) count as what they look like, and what is neither letter
    nor digit is left out.
    """
    plain = _NOT_LETTERS_OR_DIGITS.sub("", unicodedata.normalize("NFKD", password).casefold())
    own = {piece for word in about for piece in _pieces_of(word)}
    if repeated := _REPEATED.fullmatch(plain):
        plain = repeated[1]
    return any(_fewest_pieces(text, own) < FEWEST_PIECES for text in {plain, plain.translate(_LOOK_ALIKE)})


def _pieces_of(word: str) -> Iterable[str]:
    return (piece for piece in _NOT_LETTERS_OR_DIGITS.split(word.casefold()) if len(piece) >= _SHORTEST_PIECE)


def _fewest_pieces(text: str, own: set[str]) -> int:
    """How few commonplace pieces make up the whole text; a letter that fits into none counts as a piece of its own."""
    longest = max(map(len, common_passwords()))
    fewest = [0] * (len(text) + 1)
    for end in range(1, len(text) + 1):
        fewest[end] = fewest[end - 1] + 1
        for start in range(max(0, end - longest), end):
            if fewest[start] + 1 < fewest[end] and _is_piece(text[start:end], own):
                fewest[end] = fewest[start] + 1
    return fewest[-1]


def _is_piece(text: str, own: set[str]) -> bool:
    if len(text) < _SHORTEST_PIECE:
        return False
    steps = {ord(after) - ord(before) for before, after in pairwise(text)}
    return text.isdigit() or steps in ({0}, {1}, {-1}) or text in own or text in common_passwords()


@cache
def common_passwords() -> frozenset[str]:
    """The passwords that people use most, letters and digits only; read when a password is first chosen, about 3 MB."""
    packed = files("caseload.domain.people").joinpath("common_passwords.txt.gz").read_bytes()
    words = (_NOT_LETTERS_OR_DIGITS.sub("", word) for word in gzip.decompress(packed).decode().split())
    return frozenset(word for word in words if len(word) >= _SHORTEST_PIECE)
