"""Parts of an answer as they were written before.

A list that is read again and again is mostly made of the same objects as the last time (`db.dosing.remembered` gives the
same one again while its facts are the same). Such a part is put into the answer as the bytes that it was written as:
the encoder copies them, and nothing is made of it anew.
"""

from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar, cast

import msgspec
from litestar.serialization import encode_json

from caseload.api.wire import Wire

MOST: Final = 20_000
"""Parts of one kind. When there are more it begins anew."""

FromT = TypeVar("FromT")
WireT = TypeVar("WireT", bound=Wire)


class Written(Generic[FromT, WireT]):
    """The parts of one kind that this process wrote last, one about each thing."""

    def __init__(self, make: Callable[[FromT, str], WireT]) -> None:
        """`make` says what is written of an object that never changes, and of one word beside it."""
        self._make = make
        self._found: dict[Hashable, tuple[FromT, str, msgspec.Raw]] = {}

    def of(self, about: Hashable, said: FromT, beside: str) -> WireT:
        """What is written of this very object about something. Only an encoder may look into it: it is bytes."""
        found = self._found.get(about)
        if found is None or found[0] is not said or found[1] != beside:
            if len(self._found) >= MOST:
                self._found.clear()
            raw = msgspec.Raw(encode_json(self._make(said, beside)))
            found = self._found[about] = said, beside, raw
        return cast("WireT", found[2])
