"""The second look at each dose: signed, sent back, put right, or taken back as not given."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from caseload.db.signoff import SignOffs
from caseload.demo.telling.medicine.dispensary import Dispensary
from caseload.demo.telling.stage import Life
from caseload.domain.dosing import Amendment, Dose, Kind, amend, correct_as_not_given
from caseload.domain.ids import CorrectionId, new_id
from caseload.domain.people import Staff
from caseload.domain.signature import Meaning
from caseload.domain.signoff import MOST_AT_ONCE, reject, sign_off


async def sign(here: Dispensary, doses: Iterable[Dose], now: datetime) -> None:
    """Each dose is signed by a nurse who had no hand in it, or else by the prescriber."""
    team = here.stage.team
    by_signer: dict[int, list[Dose]] = {}
    signers = (*team.nurses, team.prescriber)
    for dose in doses:
        place = next(place for place, signer in enumerate(signers) if signer.id not in dose.hands)
        by_signer.setdefault(place, []).append(dose)
    for place, theirs in by_signer.items():
        routine = [dose for dose in theirs if dose.kind is not Kind.EXCEPTION]
        for first in range(0, len(routine), MOST_AT_ONCE):
            await _sign_together(here, signers[place], routine[first : first + MOST_AT_ONCE], now)
        for dose in theirs:
            if dose.kind is Kind.EXCEPTION:
                await _sign_together(here, signers[place], [dose], now)


async def _sign_together(here: Dispensary, signer: Staff, doses: Iterable[Dose], now: datetime) -> None:
    await sign_off(
        {dose.id: dose.version for dose in doses},
        by=signer,
        proof=here.stage.proof(signer, now),
        meaning=Meaning.WITNESSED,
        now=now,
        sign_offs=SignOffs(here.work.connection, here.work.journal, now=now),
        journal=here.work.journal,
    )


async def send_back(here: Dispensary, life: Life, dose: Dose, reason: str, ago: int) -> None:
    """Refuse to sign for a dose, with a question to whoever recorded it."""
    here.to_sign.remove(dose)
    life.dose = dose
    now = here.stage.moment(ago, 16)
    await here.doses(now).keep()
    await reject(
        dose.id,
        dose.version,
        reason,
        by=here.other_nurse(ago),
        now=now,
        sign_offs=SignOffs(here.work.connection, here.work.journal, now=now),
        journal=here.work.journal,
    )


async def put_right(here: Dispensary, dose: Dose, amount_mg: Decimal, reason: str, now: datetime, ago: int) -> Dose:
    """Record what was in fact given."""
    return await amend(
        dose.id,
        dose.version,
        Amendment(
            medicine=dose.medicine,
            form=dose.form,
            amount_mg=amount_mg,
            given_at=dose.given_at or now,
            supervised=True,
            reason=reason,
        ),
        by=here.nurse(ago),
        now=now,
        doses=here.doses(now),
        journal=here.work.journal,
    )


async def take_back(here: Dispensary, dose: Dose, ago: int) -> None:
    """Sign that a dose was in fact not given."""
    here.to_sign.remove(dose)
    other, now = here.other_nurse(ago), here.stage.moment(ago, 12)
    await correct_as_not_given(
        dose.id,
        dose.version,
        "Recorded on the wrong chart: this client was not here.",
        as_id=CorrectionId(new_id()),
        by=other,
        proof=here.stage.proof(other, now),
        now=now,
        doses=here.doses(now),
        journal=here.work.journal,
    )
