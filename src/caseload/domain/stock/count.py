"""Counts: somebody counts, signs and explains a difference; a second person counts again and signs; then it is so.

One person alone changes nothing in the books: whoever takes something could else count it away. Source: 21 CFR
1304.11(e)(6) (exact count or measure); the second person is the rule of 21 CFR 11.200(a)(3) and of the clinic.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Protocol

from caseload.domain.access import Act
from caseload.domain.errors import Conflict, Faults, NotFound, NotPermitted
from caseload.domain.ids import ContainerId, CountId, ProgrammeId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Proof, Staff
from caseload.domain.signature import Meaning, Signature, Signatures, Subject, Version, sign, signing_role
from caseload.domain.stock.container import Containers, held_still
from caseload.domain.stock.words import Cause, check_amount, check_text


class CountUnknown(NotFound):
    """There is no such count within your reach."""

    def __init__(self) -> None:
        super().__init__("Read the container for its newest count.")


class OwnCount(NotPermitted):
    """You counted it yourself."""

    def __init__(self) -> None:
        super().__init__("Ask a colleague to count it again and to sign in their own session.")


class CountOver(Conflict):
    """This count has been confirmed, or a newer one has taken its place."""

    def __init__(self) -> None:
        super().__init__("Read the container for its newest count.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted(Event):
    """Somebody counted what is in a container."""

    name: ClassVar[str] = "stock.counted"


@dataclass(frozen=True, slots=True, kw_only=True)
class CountConfirmed(Event):
    """A second person signed a count; what it found is in the books."""

    name: ClassVar[str] = "stock.count_confirmed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What somebody found in a container, beside what the books said at that moment."""

    id: CountId
    container: ContainerId
    programme: ProgrammeId
    number: int
    expected_mg: Decimal
    counted_mg: Decimal
    cause: Cause | None
    explanation: str | None
    counted_by: StaffId
    counted_at: datetime
    confirmed_by: StaffId | None = None
    confirmed_at: datetime | None = None
    is_newest: bool = True

    @property
    def variance_mg(self) -> Decimal:
        """What was found more than the books say; less is negative."""
        return self.counted_mg - self.expected_mg

    def as_signed(self) -> Version:
        """What both people sign."""
        return Version(
            subject=Subject.STOCK_COUNT,
            id=self.id,
            number=1,
            content={
                "cause": self.cause,
                "container": self.container,
                "counted_at": self.counted_at,
                "counted_by": self.counted_by,
                "counted_mg": self.counted_mg,
                "expected_mg": self.expected_mg,
                "explanation": self.explanation,
                "number": self.number,
                "programme": self.programme,
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What somebody found, and why it differs from the books, if it does."""

    counted_mg: Decimal
    cause: Cause | None = None
    explanation: str | None = None


class Counts(Containers, Signatures, Protocol):
    """Where counts are kept."""

    async def count(self, wanted: CountId, /, *, by: Staff, act: Act) -> Count:
        """One count; raises `CountUnknown` outside the programmes where this person may act."""
        ...

    async def counts_of(self, container: ContainerId, /) -> int:
        """How many counts of a container there are."""
        ...

    async def add_count(self, count: Count, signature: Signature, /) -> None:
        """Keep a signed count."""
        ...

    async def confirm_count(self, count: Count, signature: Signature, /, *, by: StaffId, at: datetime) -> None:
        """Keep the second signature; `CountOver`."""
        ...


async def count(
    container: ContainerId,
    version: int,
    what: Found,
    *,
    as_id: CountId,
    by: Staff,
    proof: Proof,
    now: datetime,
    counts: Counts,
    journal: Journal,
) -> Count:
    """Sign what was counted in a container, as the books stood when it was counted.

    A difference has a cause and an explanation. Nothing in the books changes before a second person has signed.
    Raises `Invalid`, `ContainerUnknown`, `ContainerClosed`, `ContainerMoved`, and what `sign` raises.
    """
    faults = Faults()
    check_amount(what.counted_mg, "counted_mg", faults, zero=True)
    faults.raise_if_any()
    found = await held_still(container, by=by, act=Act.COUNT_STOCK, containers=counts, version=version)
    is_same = what.counted_mg == found.balance_mg
    if is_same:
        faults.check(when=what.cause is not None, where="cause", problem="there is no difference to explain")
        faults.check(
            when=what.explanation is not None, where="explanation", problem="there is no difference to explain"
        )
    else:
        differs = f"the books say {found.balance_mg:f} mg"
        faults.check(when=what.cause is None, where="cause", problem=f"{differs}: name the cause of the difference")
        check_text(what.explanation or "", "explanation", faults)
    faults.raise_if_any()
    made = Count(
        id=as_id,
        container=found.id,
        programme=found.programme,
        number=await counts.counts_of(found.id) + 1,
        expected_mg=found.balance_mg,
        counted_mg=what.counted_mg,
        cause=what.cause,
        explanation=what.explanation,
        counted_by=by.id,
        counted_at=now,
    )
    role = signing_role(by, Act.COUNT_STOCK, found.programme)
    signature = sign(made.as_signed(), by=by, role=role, meaning=Meaning.AUTHORED, proof=proof, now=now)
    await counts.add_count(made, signature)
    journal.tell(
        Counted(
            records=(made.id, made.container, signature.id),
            facts={"programme": str(made.programme), "variance": int(not is_same)},
        )
    )
    return made


async def confirm_count(
    wanted: CountId, *, by: Staff, proof: Proof, now: datetime, counts: Counts, journal: Journal
) -> None:
    """Sign, as the second person who counted, what the first one found; from here on it is in the books.

    What was given meanwhile does not matter: the difference is what it was. Raises `CountUnknown`, `OwnCount`,
    `CountOver`, `ContainerClosed`, and what `sign` raises.
    """
    seen = await counts.count(wanted, by=by, act=Act.COUNT_STOCK)
    if seen.counted_by == by.id:
        raise OwnCount
    await held_still(seen.container, by=by, act=Act.COUNT_STOCK, containers=counts)
    found = await counts.count(wanted, by=by, act=Act.COUNT_STOCK)
    if found.confirmed_by is not None or not found.is_newest:
        raise CountOver
    role = signing_role(by, Act.COUNT_STOCK, found.programme)
    signature = sign(found.as_signed(), by=by, role=role, meaning=Meaning.WITNESSED, proof=proof, now=now)
    await counts.confirm_count(found, signature, by=by.id, at=now)
    journal.tell(
        CountConfirmed(
            records=(found.id, found.container, signature.id),
            facts={"programme": str(found.programme), "variance": int(found.variance_mg != 0)},
        )
    )
