"""What deciding costs: one question against fifty consents, and what a refusal of somebody known costs beside a stranger's.

python -m benchmarks.consents
"""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta

from caseload.domain.consent import (
    Category,
    Consent,
    ConsentKind,
    Expiry,
    Purpose,
    Question,
    Recipient,
    Signatory,
    Signature,
    may_tell,
    rules_on,
)
from caseload.domain.ids import ClientId, ConsentId, ProgrammeId, RelatedPersonId, StaffId, new_id

CONSENTS = 50
TIMES = 2_000
MOST_MS = 0.3
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PROGRAMME, MOTHER = ProgrammeId(new_id()), RelatedPersonId(new_id())
RULES = rules_on("US", date(2026, 11, 23))


def decisions(said: Callable[[str], None]) -> None:
    """Milliseconds of CPU per decision: allowed, refused to somebody known, to a stranger, and without a check."""
    given = [_consent(number) for number in range(CONSENTS)]
    last = Recipient(name=f"Clinic {CONSENTS - 1}")
    cases = {
        "allowed by the last of them": (last, given, True),
        "refused to a stranger": (Recipient(name="Nobody in particular"), given, True),
        "refused of a client without consents": (last, (), True),
        "without a check of who asks": (last, given, False),
        "without a check, of a client without consents": (last, (), False),
    }
    for name, (recipient, consents, checked) in cases.items():
        took = _milliseconds(recipient, consents, checked=checked)
        said(f"{name}: {took:.3f} ms{'' if took < MOST_MS else f', more than {MOST_MS} ms'}")


def _milliseconds(recipient: Recipient, consents: Sequence[Consent], *, checked: bool) -> float:
    asked = Question(
        programme=PROGRAMME,
        recipient=recipient,
        category=Category.ATTENDANCE,
        purpose=Purpose.FAMILY_INVOLVEMENT,
        checked=checked,
    )
    began = time.process_time()
    for _ in range(TIMES):
        may_tell(asked, at=NOW, consents=consents, rules=RULES)
    return (time.process_time() - began) / TIMES * 1000


def _consent(number: int) -> Consent:
    signed_at = NOW - timedelta(days=100 - number)
    return Consent(
        id=ConsentId(new_id()),
        client=ClientId(new_id()),
        kind=ConsentKind.NAMED,
        form="us-named-2026-02",
        form_digest=bytes(32),
        discloser=PROGRAMME,
        recipients=(
            Recipient(name=f"Clinic {number}"),
            Recipient(name=f"Nurse of clinic {number}"),
            Recipient(person=MOTHER),
        ),
        categories=frozenset({Category.ATTENDANCE}),
        purposes=frozenset({Purpose.FAMILY_INVOLVEMENT}),
        expiry=Expiry(event="discharge"),
        expires_at=None,
        signature=Signature(signatory=Signatory.CLIENT, name="Sam Example", signed_at=signed_at),
        recorded_at=signed_at,
        recorded_by=StaffId(new_id()),
    )


if __name__ == "__main__":
    decisions(print)
