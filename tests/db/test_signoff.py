"""The second look at a dose, in PostgreSQL: the queue, signatures, rejections, and what cannot be stored."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.dosing import Charts
from caseload.db.signature import signature_of
from caseload.db.tables import before_dose, second_look
from caseload.db.tables import dosing as tables
from caseload.db.tables.caseload import guest_stay
from caseload.db.tables.people import staff_deactivation
from caseload.db.tables.signature import signature
from caseload.domain import signoff
from caseload.domain.access import Act, Role
from caseload.domain.client import ClientUnknown
from caseload.domain.dosing import (
    BroughtInDose,
    Dose,
    DoseMoved,
    DoseStanding,
    DoseUnknown,
    Kind,
    OwnDose,
)
from caseload.domain.errors import Invalid, NotPermitted
from caseload.domain.ids import DoseId, ProgrammeId, new_id
from caseload.domain.people import ProofSpent, Staff
from caseload.domain.profiles import Profile, profile_on
from caseload.domain.signature import Meaning, Version
from caseload.domain.signoff import NotForYourRole, Rejection, Risk, SignedOff, looking, sign_off, signed_before
from tests.db.test_dosing import brought_in, change, correct
from tests.factories import people
from tests.factories.window import MORNING, TODAY, Window, clinician, proof, window

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)


async def sign(
    here: Window, *doses: Dose, by: Staff | None = None, meaning: Meaning = Meaning.REVIEWED, version: int = 0
) -> SignedOff:
    signer = by or here.prescriber
    return await sign_off(
        {dose.id: version or dose.version for dose in doses},
        by=signer,
        proof=proof(signer, MORNING),
        meaning=meaning,
        now=MORNING,
        sign_offs=here.sign_offs(),
        journal=here.journal,
    )


async def reject(here: Window, dose: Dose, *, by: Staff | None = None, reason: str = "Which bottle?") -> Rejection:
    return await signoff.reject(
        dose.id,
        dose.version,
        reason,
        by=by or here.prescriber,
        now=MORNING,
        sign_offs=here.sign_offs(),
        journal=here.journal,
    )


async def waiting(here: Window, *, after: DoseId | None = None, limit: int = 50) -> list[DoseId]:
    found = await here.queue().waiting([here.programme], by=here.prescriber, after=after, limit=limit)
    return [each.dose.id for each in found]


async def standing(here: Window, dose: Dose) -> DoseStanding:
    charts = Charts(here.connection, here.journal, now=MORNING)
    return (await charts.versions(dose.id, by=here.nurse, act=Act.SEE_MEDICATION))[0].standing


async def test_a_recorded_dose_waits_until_a_second_clinician_has_signed(connection: AsyncConnection) -> None:
    here = await window(connection)
    dose = await here.give(await here.order())
    line = (await here.queue().waiting([here.programme], by=here.prescriber, after=None, limit=50))[0]
    assert (line.dose, line.sign_by, line.is_late(MORNING)) == (dose, MORNING + DAY, False)
    assert line.is_late(MORNING + 2 * DAY)
    outcome = await sign(here, dose, by=here.colleague, meaning=Meaning.WITNESSED)
    assert outcome.signed[dose.id].statement.printed_name == "Imran Shah"
    assert await waiting(here) == []
    assert await standing(here, dose) is DoseStanding.SIGNED
    assert here.journal.names()[-1] == "dose.signed_off"


async def test_whoever_gave_recorded_or_amended_a_dose_never_signs_for_it(connection: AsyncConnection) -> None:
    """Worked example 45: the recorder tries to countersign."""
    here = await window(connection)
    order = await here.order()
    dose = await here.late(order, given_at=MORNING, given_by=here.colleague)
    for own in (here.nurse, here.colleague):
        outcome = await sign(here, dose, by=own)
        assert isinstance(outcome.refused[dose.id], OwnDose)
        with pytest.raises(OwnDose):
            await reject(here, dose, by=own)
    amended = await change(here, dose, by=here.prescriber, amount_mg=Decimal(50))
    assert isinstance((await sign(here, amended)).refused[dose.id], OwnDose)


async def test_what_changed_since_it_was_displayed_is_refused_by_name_and_the_rest_is_signed(
    connection: AsyncConnection,
) -> None:
    here = await window(connection)
    first = await here.give(await here.order())
    second = await here.give(await here.order(client=await here.another_client()))
    await change(here, first, amount_mg=Decimal(55))
    outcome = await sign(here, first, second)
    assert isinstance(outcome.refused[first.id], DoseMoved)
    assert list(outcome.signed) == [second.id]


async def test_a_version_is_signed_once(connection: AsyncConnection) -> None:
    here = await window(connection)
    dose = await here.give(await here.order())
    await sign(here, dose)
    assert isinstance((await sign(here, dose, by=here.colleague)).refused[dose.id], DoseMoved)


async def test_an_amendment_voids_the_signature_and_asks_for_a_new_one(connection: AsyncConnection) -> None:
    here = await window(connection)
    dose = await here.give(await here.order())
    outcome = await sign(here, dose)
    amended = await change(here, dose, amount_mg=Decimal(55))
    assert await waiting(here) == [dose.id]
    assert await standing(here, dose) is DoseStanding.WAITING
    assert not outcome.signed[dose.id].covers(amended.as_signed())
    await sign(here, amended)
    assert await standing(here, dose) is DoseStanding.SIGNED


async def test_a_rejected_version_goes_back_to_its_recorder_until_it_is_amended(connection: AsyncConnection) -> None:
    here = await window(connection)
    order = await here.order()
    dose = await here.give(order)
    await reject(here, dose)
    assert await waiting(here) == []
    back = await here.queue().sent_back(by=here.nurse)
    assert [(line.dose.id, line.rejection) for line in back] == [(dose.id, "Which bottle?")]
    assert await here.queue().sent_back(by=here.colleague) == []
    assert await standing(here, dose) is DoseStanding.SENT_BACK
    assert isinstance((await sign(here, dose)).refused[dose.id], DoseMoved)
    with pytest.raises(DoseMoved):
        await reject(here, dose)
    # Sent back, it counts as swallowed all the same and does not delay tomorrow's.
    assert (await here.give(order, at=MORNING + DAY)).kind is Kind.ORDINARY
    amended = await change(here, dose)
    assert (await waiting(here))[0] == dose.id
    assert await here.queue().sent_back(by=here.nurse) == []
    assert (await sign(here, amended)).signed


@dataclass(frozen=True)
class GoneHome:
    """A dose that a guest was given where they stayed, and who works there. The stay is over at `OVER`."""

    here: Window
    dose: Dose
    host: ProgrammeId
    giver: Staff
    colleague: Staff
    supervisor: Staff

    async def waiting(self, by: Staff) -> list[DoseId]:
        found = await self.here.queue(OVER).waiting([self.host], by=by, after=None, limit=50)
        return [each.dose.id for each in found]

    async def sign(self, dose: Dose, *, by: Staff) -> SignedOff:
        return await sign_off(
            {dose.id: dose.version},
            by=by,
            proof=proof(by, OVER),
            meaning=Meaning.REVIEWED,
            now=OVER,
            sign_offs=self.here.sign_offs(OVER),
            journal=self.here.journal,
        )

    async def newest(self, dose: Dose, *, by: Staff) -> list[Dose]:
        return list(await self.here.sign_offs(OVER).newest([dose.id], by=by))


OVER = MORNING + DAY


async def gone_home(connection: AsyncConnection) -> GoneHome:
    here = await window(connection)
    host = await people.programme(connection)
    giver = await clinician(connection, host, Role.NURSE, "Nia Host")
    await connection.execute(
        insert(guest_stay).values(
            id=new_id(),
            client_id=here.client,
            host_programme_id=host,
            period=Range(MORNING - DAY, OVER),
            reason="holiday",
            recorded_by=here.nurse.id,
            recorded_at=MORNING - DAY,
        )
    )
    dose = await here.give(await here.order(), by=giver)
    assert dose.programme == host
    return GoneHome(
        here=here,
        dose=dose,
        host=host,
        giver=giver,
        colleague=await clinician(connection, host, Role.NURSE, "Tom Host"),
        supervisor=await people.staff(connection, holds=[(Role.SUPERVISOR, host)]),
    )


async def test_what_a_guest_was_given_is_signed_for_where_it_was_given_after_they_have_gone_home(
    connection: AsyncConnection,
) -> None:
    guest = await gone_home(connection)
    assert await guest.waiting(guest.colleague) == [guest.dose.id]
    at_home = await guest.sign(guest.dose, by=guest.here.prescriber)
    assert isinstance(at_home.refused[guest.dose.id], NotPermitted), "it is not theirs to sign"
    assert isinstance((await guest.sign(guest.dose, by=guest.giver)).refused[guest.dose.id], OwnDose)
    guest.here.journal.seen.clear()

    signed = await guest.sign(guest.dose, by=guest.colleague)

    assert list(signed.signed) == [guest.dose.id]
    assert {client for client, _ in guest.here.journal.seen} == {guest.here.client}, "the log names whose dose it was"
    assert await guest.waiting(guest.colleague) == []


async def test_whoever_signs_for_a_guest_gone_home_sees_that_dose_until_it_is_signed_and_nothing_else(
    connection: AsyncConnection,
) -> None:
    guest = await gone_home(connection)
    here, order = guest.here, (await guest.here.doses(OVER).orders_of(guest.here.client))[0]
    at_home = await here.give(order, at=OVER)
    elsewhere = await clinician(connection, await people.programme(connection), Role.NURSE)

    assert await guest.newest(guest.dose, by=guest.colleague) == [guest.dose]
    assert await guest.newest(at_home, by=guest.colleague) == [], "what was given elsewhere is not theirs"
    assert isinstance((await guest.sign(at_home, by=guest.colleague)).refused[at_home.id], DoseUnknown)
    for stranger in (elsewhere, guest.supervisor):
        assert await guest.newest(guest.dose, by=stranger) == []
        assert await guest.waiting(stranger) == []
    charts = Charts(connection, here.journal, now=OVER)
    for act in (Act.SEE_MEDICATION, Act.RECORD_DOSE, Act.SIGN_OFF_DOSE):
        with pytest.raises(DoseUnknown):
            await charts.versions(guest.dose.id, by=guest.colleague, act=act)
        with pytest.raises(ClientUnknown):
            await charts.chart(here.client, by=guest.colleague, act=act, days=7)

    prescriber = await clinician(connection, guest.host, Role.PRESCRIBER, "Dr Kim Host")
    await guest.sign(guest.dose, by=prescriber)

    assert await guest.newest(guest.dose, by=guest.colleague) == [], "nothing is left to sign"
    told = await signed_before({guest.dose.id: 1}, by=prescriber, sign_offs=here.sign_offs(OVER))
    assert list(told.signed) == [guest.dose.id], "a retry by who signed learns the same"
    told = await signed_before({guest.dose.id: 1}, by=guest.colleague, sign_offs=here.sign_offs(OVER))
    assert isinstance(told.refused[guest.dose.id], DoseUnknown)


async def test_what_a_guest_was_given_and_is_sent_back_is_put_right_at_home_and_signed_for_by_the_host(
    connection: AsyncConnection,
) -> None:
    guest = await gone_home(connection)
    here = guest.here
    await reject(here, guest.dose, by=guest.colleague)
    assert await guest.newest(guest.dose, by=guest.colleague) == [], "nothing to sign while it is sent back"
    assert await here.queue(OVER).sent_back(by=guest.giver) == [], "nor to amend: they see the client no more"

    amended = await change(here, guest.dose, by=here.nurse)

    assert await guest.waiting(guest.colleague) == [guest.dose.id]
    assert (await guest.sign(amended, by=guest.colleague)).signed


async def test_what_was_sent_back_to_somebody_who_has_left_waits_for_their_colleagues(
    connection: AsyncConnection,
) -> None:
    here = await window(connection)
    dose = await here.give(await here.order())
    await reject(here, dose)
    stranger = await clinician(connection, await people.programme(connection), Role.NURSE)
    await connection.execute(
        insert(staff_deactivation).values(
            staff_id=here.nurse.id,
            deactivated_at=MORNING,
            deactivated_by=here.prescriber.id,
            reason="The locum's contract has ended.",
        )
    )
    for colleague, seen in ((here.colleague, [dose.id]), (here.prescriber, [dose.id]), (stranger, [])):
        assert [line.dose.id for line in await here.queue().sent_back(by=colleague)] == seen


async def test_a_rejection_needs_a_reason(connection: AsyncConnection) -> None:
    here = await window(connection)
    with pytest.raises(Invalid, match="reason"):
        await reject(here, await here.give(await here.order()), reason=" ")


async def test_a_corrected_dose_waits_no_longer(connection: AsyncConnection) -> None:
    here = await window(connection)
    dose = await here.give(await here.order())
    await correct(here, dose)
    assert await waiting(here) == []
    assert await standing(here, dose) is DoseStanding.NOT_GIVEN
    assert isinstance((await sign(here, dose)).refused[dose.id], DoseMoved)


async def test_a_brought_in_dose_needs_no_signature(connection: AsyncConnection) -> None:
    here = await window(connection)
    dose = await here.doses().dose(await brought_in(here, days_ago=1), by=here.nurse, act=Act.SEE_MEDICATION)
    assert await waiting(here) == []
    assert await standing(here, dose) is DoseStanding.BROUGHT_IN
    assert isinstance((await sign(here, dose)).refused[dose.id], BroughtInDose)


async def test_a_dose_outside_the_reach_is_unknown(connection: AsyncConnection) -> None:
    here, elsewhere = await window(connection), await window(connection)
    dose = await elsewhere.give(await elsewhere.order())
    assert isinstance((await sign(here, dose)).refused[dose.id], DoseUnknown)
    with pytest.raises(DoseUnknown):
        await reject(here, dose)


async def test_the_profile_says_which_clinicians_sign(
    connection: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = await window(connection)
    dose = await here.give(await here.order())
    rules = profile_on("UK", TODAY)
    asked = msgspec.structs.replace(rules.sign_off, roles=(Role.PHARMACIST,))
    pharmacists = msgspec.structs.replace(rules, sign_off=asked)

    def asks_pharmacists(_name: str, _version: int) -> Profile:
        return pharmacists

    monkeypatch.setattr(looking, "profile_version", asks_pharmacists)
    assert isinstance((await sign(here, dose)).refused[dose.id], NotForYourRole)
    pharmacist = await clinician(connection, here.programme, Role.PHARMACIST, "Pat Mortar")
    outcome = await sign(here, dose, by=pharmacist)
    assert outcome.signed[dose.id].statement.role is Role.PHARMACIST


async def test_nobody_signs_as_the_author_of_a_dose_and_no_more_than_a_hundred_at_once(
    connection: AsyncConnection,
) -> None:
    here = await window(connection)
    dose = await here.give(await here.order())
    with pytest.raises(Invalid, match="author"):
        await sign(here, dose, meaning=Meaning.AUTHORED)
    with pytest.raises(Invalid, match="1 to 100"):
        await sign(here)


async def test_a_proof_signs_one_batch(connection: AsyncConnection) -> None:
    here = await window(connection)
    dose = await here.give(await here.order())
    spent = proof(here.prescriber, MORNING)
    spent.spend(by=here.prescriber)
    with pytest.raises(ProofSpent):
        await sign_off(
            {dose.id: 1},
            by=here.prescriber,
            proof=spent,
            meaning=Meaning.REVIEWED,
            now=MORNING,
            sign_offs=here.sign_offs(),
            journal=here.journal,
        )


async def test_an_identical_request_learns_how_the_first_one_ended(connection: AsyncConnection) -> None:
    here = await window(connection)
    first = await here.give(await here.order())
    second = await here.give(await here.order(client=await here.another_client()))
    outcome = await sign(here, first)
    asked = {first.id: 1, second.id: 1}
    again = await signed_before(asked, by=here.prescriber, sign_offs=here.sign_offs())
    assert again.signed == outcome.signed
    assert list(again.refused) == [second.id]


async def test_the_queue_has_the_highest_risk_first_then_the_oldest_in_pages(connection: AsyncConnection) -> None:
    here = await window(connection)

    async def routine() -> Dose:
        return await here.give(await here.order(client=await here.another_client()))

    async def entered_late(amount_mg: str = "60") -> Dose:
        order = await here.order(client=await here.another_client())
        return await here.late(order, given_at=MORNING, amount_mg=amount_mg)

    ordinary, late = [await routine() for _ in range(3)], [await entered_late() for _ in range(2)]
    changed = await change(here, ordinary[1], amount_mg=Decimal(55))
    odd = [await entered_late("90") for _ in range(2)]
    everything = [dose.id for dose in (*odd, changed, *late, ordinary[0], ordinary[2])]
    ranks = [Risk.EXCEPTION] * 2 + [Risk.AMENDED] + [Risk.LATE] * 2 + [Risk.ROUTINE] * 2
    lines = await here.queue().waiting([here.programme], by=here.prescriber, after=None, limit=50)
    assert [(line.dose.id, line.risk) for line in lines] == list(zip(everything, ranks, strict=True))
    pages: list[DoseId] = []
    after: DoseId | None = None
    while page := await waiting(here, after=after, limit=2):
        pages += page
        after = page[-1]
    assert pages == everything
    await sign(here, ordinary[0])
    assert await waiting(here, after=ordinary[0].id) == [ordinary[2].id], "also after one that has left the queue"


async def test_a_dose_on_a_prescribers_decision_ranks_above_one_entered_late(connection: AsyncConnection) -> None:
    here = await window(connection, profile="AU")
    order = await here.order()
    await sign(here, await here.give(order))
    back = MORNING + 6 * DAY
    await here.allow(back.date(), at=back, at_most_mg="30")
    restarted = await here.give(order, at=back, amount_mg="30")
    (line,) = await here.queue(back).waiting([here.programme], by=here.prescriber, after=None, limit=50)
    assert (line.dose.id, line.risk) == (restarted.id, Risk.DECIDED)


async def test_in_their_own_queue_nobody_meets_what_they_gave_recorded_or_amended(connection: AsyncConnection) -> None:
    here = await window(connection)
    by_nurse = await here.give(await here.order(client=await here.another_client()))
    for_colleague = await here.late(
        await here.order(client=await here.another_client()), given_at=MORNING, given_by=here.colleague
    )
    amended = await here.give(await here.order(client=await here.another_client()))
    await change(here, amended, by=here.prescriber, amount_mg=Decimal(50))

    async def theirs(by: Staff) -> set[DoseId]:
        lines = await here.queue().waiting([here.programme], by=by, after=None, limit=50, for_them=True)
        return {line.dose.id for line in lines}

    assert await theirs(here.nurse) == set()
    assert await theirs(here.colleague) == {by_nurse.id, amended.id}
    assert await theirs(here.prescriber) == {by_nurse.id, for_colleague.id}


async def test_of_several_programmes_the_queue_is_one(connection: AsyncConnection) -> None:
    here, there = await window(connection), await window(connection)
    by = await people.staff(
        connection, holds=[(Role.NURSE, here.programme), (Role.NURSE, there.programme)], printed_name="Lee Locum"
    )
    routine = await here.give(await here.order())
    odd = await there.late(await there.order(), given_at=MORNING, amount_mg="90")
    both = [there.programme, here.programme]
    lines = await here.queue().waiting(both, by=by, after=None, limit=1)
    assert [line.dose.id for line in lines] == [odd.id]
    lines = await here.queue().waiting(both, by=by, after=odd.id, limit=5)
    assert [line.dose.id for line in lines] == [routine.id]
    assert await here.queue().waiting(both, by=here.nurse, after=odd.id, limit=5) != []
    assert await there.queue().waiting([here.programme], by=there.nurse, after=None, limit=5) == [], "not theirs to see"


async def test_every_signature_covers_what_is_stored_and_nothing_else(connection: AsyncConnection) -> None:
    here = await window(connection, profile="AU")
    order = await here.order()
    await sign(here, await here.give(order))
    back = MORNING + 6 * DAY
    decision = await here.allow(back.date(), at=back, at_most_mg="30")
    restarted = await here.give(order, at=back, amount_mg="30")
    correction = await correct(here, restarted, at=back)
    store = here.doses()
    contents: list[Version] = [
        (await store.orders_of(here.client))[0].as_signed(),
        (await store.decision(decision.id, by=here.prescriber, act=Act.DECIDE_MEDICATION)).as_signed(),
        correction.as_signed(),
        *[
            (await store.dose(DoseId(row), by=here.nurse, act=Act.SEE_MEDICATION)).as_signed()
            for row in (await connection.execute(select(second_look.dose_review.c.dose_id))).scalars()
        ],
    ]
    made = {row.subject_id: signature_of(row) for row in await connection.execute(select(*signature.c))}
    assert len(contents) == len(made) == 4
    for version in contents:
        assert made[version.id].covers(version), version
        assert not made[version.id].covers(replace(version, number=version.number + 1))


STEPS = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from(["give", "amend", "sign", "reject", "correct"])), max_size=12
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
async def test_the_queue_is_what_the_record_says_waits(
    connection: AsyncConnection, steps: list[tuple[int, str]]
) -> None:
    async with connection.begin_nested() as nested:
        here = await window(connection)
        orders = [await here.order(client=await here.another_client()) for _ in range(3)]
        doses: dict[int, Dose] = {}
        for who, step in steps:
            if step == "give" and who not in doses:
                doses[who] = await here.give(orders[who])
            elif who in doses:
                await try_to(here, doses, who, step)
        assert await waiting(here) == await what_waits(here)
        await nested.rollback()


async def try_to(here: Window, doses: dict[int, Dose], who: int, step: str) -> None:
    try:
        if step == "amend":
            doses[who] = await change(here, doses[who], amount_mg=doses[who].amount_mg + 1)
        elif step == "sign":
            await sign(here, doses[who])
        elif step == "reject":
            await reject(here, doses[who])
        else:
            await correct(here, doses[who])
    except DoseMoved:
        pass


async def what_waits(here: Window) -> list[DoseId]:
    """The definition, from the record alone: newest versions that nobody has signed, sent back or corrected."""
    doses = (await here.connection.execute(select(tables.dose.c.id, tables.dose.c.version, tables.dose.c.kind))).all()
    newest: Mapping[Any, Any] = {row.id: row for row in sorted(doses, key=lambda row: row.version)}
    corrected = set((await here.connection.execute(select(tables.dose_correction.c.dose_id))).scalars())
    reviews = await here.connection.execute(
        select(second_look.dose_review.c.dose_id, second_look.dose_review.c.dose_version)
    )
    reviewed = {tuple(row) for row in reviews}
    left = [row for row in newest.values() if row.id not in corrected and (row.id, row.version) not in reviewed]
    return [row.id for row in sorted(left, key=lambda row: (row.kind != "exception", row.version == 1, row.id))]


# What the database holds by itself, tried as the service's own role


def a_dose(here: Window, **changed: object) -> dict[str, object]:
    return {
        "id": new_id(),
        "version": 1,
        "client_id": here.client,
        "programme_id": here.programme,
        "dosing_day": TODAY,
        "part": "whole",
        "medicine": "methadone",
        "form": "oral_solution",
        "amount_mg": Decimal(60),
        "supervised": True,
        "given_at": MORNING,
        "given_by": here.nurse.id,
        "recorded_at": MORNING,
        "recorded_by": here.nurse.id,
        "kind": "ordinary",
        "entry": "window",
        "profile": "UK",
        "profile_version": 1,
        **changed,
    }


SOURCE = {"kind": "brought_in", "entry": "source", "source_id": new_id(), "source_line": 1, "given_by": None}
ODD = {"kind": "exception", "entry": "late", "late_reason": "Paper.", "rules": ["client_held"]}


@pytest.mark.parametrize(
    ("changed", "constraint"),
    [
        ({"amount_mg": Decimal(0)}, "dose_amount_mg_check"),
        ({"amount_ml": 60}, "dose_mg_are_ml_times_strength_check"),
        ({"strength_mg": 1}, "dose_mg_are_ml_times_strength_check"),
        ({"amount_ml": Decimal("59.99"), "strength_mg": 1}, "dose_mg_are_ml_times_strength_check"),
        ({"form": "tablet", "amount_ml": 60, "strength_mg": 1}, "dose_mg_are_ml_times_strength_check"),
        (
            {"medicine": "naltrexone", "form": "extended_release_injection", "supervised": False},
            "dose_injection_is_given_here_check",
        ),
        ({"part": "noon"}, "dose_part_check"),
        ({"medicine": "methadone", "form": "sublingual_film"}, "dose_made_as_check"),
        ({"given_at": MORNING + DAY}, "dose_not_in_the_future_check"),
        ({"given_at": None}, "dose_known_in_full_check"),
        ({"supervised": None}, "dose_known_in_full_check"),
        ({"kind": "exception", "rules": ["client_held"]}, "dose_refused_at_the_window_check"),
        ({"rules": ["client_held"]}, "dose_exception_names_its_rules_check"),
        (ODD | {"rules": None}, "dose_exception_names_its_rules_check"),
        (ODD | {"rules": []}, "dose_rules_check"),
        ({"entry": "late"}, "dose_late_has_a_reason_check"),
        ({"entry": "late", "late_reason": " "}, "dose_late_reason_not_blank_check"),
        ({"less_reason": " "}, "dose_less_reason_not_blank_check"),
        ({"amended_at": MORNING}, "dose_amendment_check"),
        ({"version": 0}, "dose_version_check|dose_amendment_check"),
        ({"source_id": new_id(), "source_line": 1}, "dose_brought_in_has_a_source_check"),
        (SOURCE | {"source_id": None, "source_line": None}, "dose_brought_in_has_a_source_check"),
        (SOURCE | {"source_line": None}, "dose_brought_in_has_a_source_check"),
        (SOURCE | {"entry": "window"}, "dose_brought_in_has_a_source_check"),
        ({"client_id": new_id()}, "dose_order_fkey|dose_client_id_fkey"),
        ({"recorded_by": new_id()}, "dose_given_by_who_records_check"),
        ({"given_by": None}, "dose_given_by_somebody_check"),
        ({"decision_id": new_id()}, "dose_decision_fkey"),
    ],
)
async def test_a_dose_that_the_rules_forbid_cannot_be_stored(
    connection: AsyncConnection, changed: dict[str, object], constraint: str
) -> None:
    here = await window(connection)
    order = await here.order()
    ordered = {} if changed.get("kind") == "brought_in" else {"order_id": order.id}
    with pytest.raises(IntegrityError, match=constraint):
        await connection.execute(insert(tables.dose).values(a_dose(here, **(ordered | changed))))


@pytest.mark.parametrize(
    ("changed", "constraint"),
    [
        ({}, "dose_without_an_order_check"),
        (ODD, "dose_without_an_order_check"),
    ],
)
async def test_a_dose_without_an_order_is_brought_in_or_an_exception_that_says_so(
    connection: AsyncConnection, changed: dict[str, object], constraint: str
) -> None:
    here = await window(connection)
    with pytest.raises(IntegrityError, match=constraint):
        async with connection.begin_nested():
            await connection.execute(insert(tables.dose).values(a_dose(here, **changed)))
    for allowed in (SOURCE | {"source_id": await here.source()}, ODD | {"rules": ["no_order_in_force"]}):
        await connection.execute(insert(tables.dose).values(a_dose(here, **allowed)))


async def test_a_brought_in_dose_has_no_order(connection: AsyncConnection) -> None:
    here = await window(connection)
    order = await here.order()
    with pytest.raises(IntegrityError, match="dose_brought_in_has_no_order_check"):
        await connection.execute(insert(tables.dose).values(a_dose(here, **SOURCE, order_id=order.id)))


async def test_a_second_ordinary_dose_of_a_part_of_a_day_cannot_be_stored_unless_the_first_was_corrected(
    connection: AsyncConnection,
) -> None:
    here = await window(connection)
    order = await here.order()
    first = await here.give(order)
    with pytest.raises(IntegrityError, match="dose_one_ordinary_per_part_key"):
        async with connection.begin_nested():
            await connection.execute(insert(tables.dose).values(a_dose(here, order_id=order.id)))
    freed = a_dose(here, order_id=order.id, freed_by=(await correct(here, first)).id)
    for changed in ({"dosing_day": TODAY + DAY}, {"part": "morning"}):
        with pytest.raises(IntegrityError, match="dose_freed_by_fkey"):
            async with connection.begin_nested():
                await connection.execute(insert(tables.dose).values(freed | changed))
    await connection.execute(insert(tables.dose).values(freed))
    with pytest.raises(IntegrityError, match="dose_one_ordinary_per_part_key"):
        await connection.execute(insert(tables.dose).values(freed | {"id": new_id()}))


async def test_the_correction_of_an_exception_frees_nothing(connection: AsyncConnection) -> None:
    here = await window(connection)
    order = await here.order()
    await here.give(order)
    odd = await here.late(order, given_at=MORNING)
    correction = await correct(here, odd)
    with pytest.raises(IntegrityError, match="only the correction of an ordinary dose"):
        await connection.execute(insert(tables.dose).values(a_dose(here, order_id=order.id, freed_by=correction.id)))


@pytest.mark.parametrize(
    "changed", [{"dosing_day": TODAY + DAY}, {"part": "morning"}, {"entry": "late", "late_reason": "x"}]
)
async def test_an_amendment_keeps_whose_dose_it_is_and_of_which_day(
    connection: AsyncConnection, changed: dict[str, object]
) -> None:
    here = await window(connection)
    order = await here.order()
    first = a_dose(here, order_id=order.id)
    await connection.execute(insert(tables.dose).values(first))
    second = first | {
        "version": 2,
        "amended_at": MORNING,
        "amended_by": here.nurse.id,
        "amendment_reason": "Misread.",
    }
    with pytest.raises(IntegrityError, match="an amendment keeps"):
        async with connection.begin_nested():
            await connection.execute(insert(tables.dose).values(second | changed))
    with pytest.raises(IntegrityError, match=r"an amendment keeps|dose_previous_fkey"):
        async with connection.begin_nested():
            await connection.execute(insert(tables.dose).values(second | {"version": 3}))
    await connection.execute(insert(tables.dose).values(second))


async def test_the_database_itself_refuses_ones_own_second_look(connection: AsyncConnection) -> None:
    here = await window(connection)
    dose = await here.give(await here.order())
    row = {
        "dose_id": dose.id,
        "dose_version": 1,
        "verdict": "rejected",
        "reviewed_by": here.nurse.id,
        "reviewed_at": MORNING,
        "reason": "Looks fine to me.",
    }
    with pytest.raises(IntegrityError, match="second pair of eyes"):
        async with connection.begin_nested():
            await connection.execute(insert(second_look.dose_review).values(row))
    await change(here, dose)
    with pytest.raises(IntegrityError, match="newest version"):
        await connection.execute(insert(second_look.dose_review).values(row | {"reviewed_by": here.prescriber.id}))


async def test_a_signature_under_one_dose_cannot_be_moved_to_another(connection: AsyncConnection) -> None:
    here = await window(connection)
    first = await here.give(await here.order())
    second = await here.give(await here.order(client=await here.another_client()))
    made = (await sign(here, first)).signed[first.id]
    row = {
        "dose_id": second.id,
        "dose_version": 1,
        "verdict": "signed",
        "reviewed_by": here.prescriber.id,
        "reviewed_at": MORNING,
        "signature_id": made.id,
    }
    with pytest.raises(IntegrityError, match="another record"):
        await connection.execute(insert(second_look.dose_review).values(row))


@pytest.mark.parametrize(
    "table", [tables.dose, tables.dose_correction, second_look.dose_review, before_dose.dose_not_given]
)
async def test_the_service_can_neither_change_nor_delete_a_dose(connection: AsyncConnection, table: Any) -> None:
    column = next(iter(table.primary_key.columns)).name
    for statement in (update(table).values({column: new_id()}), delete(table)):
        with pytest.raises(ProgrammingError, match="permission denied"):
            async with connection.begin_nested():
                await connection.execute(statement)
