"""Who signs for a minor, as state law has it (42 CFR 2.14).

Where state law lets a minor apply for treatment alone, nobody but the minor consents to a disclosure (2.14(b)). Where it asks the
parent or guardian too, both do (2.14(c)). Until which age is state law: a programme's own variant of the profile says it.
"""

from collections.abc import Iterable
from datetime import date

from caseload.domain.profiles.said import SaidBy


class Minors(SaidBy, frozen=True):
    """Until which age a client is a minor, and from which age a minor signs alone."""

    until_age: int
    """Years; from this birthday on a client is of age."""
    alone_from_age: int | None = None
    """Years; from this birthday on a minor signs alone. None: a parent or guardian always signs with them."""

    def is_minor(self, born: date, on: date) -> bool:
        """Whether a client is a minor on a day of the programme's own calendar."""
        return on < birthday(born, self.until_age)

    def needs_parent(self, born: date, on: date) -> bool:
        """Whether a parent or guardian signs with them on that day."""
        alone = self.alone_from_age is not None and on >= birthday(born, self.alone_from_age)
        return self.is_minor(born, on) and not alone

    def looser_than(self, base: "Minors") -> Iterable[str]:
        """What `base` asks and this does not. From which age minors sign alone is their state's to say."""
        if self.until_age < base.until_age:
            yield "minors.until_age: of age earlier"


def birthday(born: date, years: int) -> date:
    """The day on which somebody reaches an age. Born on 29 February, it is 1 March of a year that has none (convention)."""
    try:
        return born.replace(year=born.year + years)
    except ValueError:
        return date(born.year + years, 3, 1)
