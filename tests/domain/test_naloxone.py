"""Naloxone: what is offered, supplied and shown, and what contradicts itself."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from caseload.domain.access import Role
from caseload.domain.errors import Invalid
from caseload.domain.ids import ClientId, NaloxoneId, ProgrammeId, new_id
from caseload.domain.naloxone import (
    LONGEST_TEXT,
    MOST_UNITS,
    Naloxone,
    NaloxoneForm,
    NaloxoneTakenBack,
    Offer,
    Outcome,
    Recipient,
    offer,
    take_back,
)
from caseload.domain.taken_back import TakenBack
from tests.factories.checkin import Remembered
from tests.factories.staff import somebody

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
TODAY = date(2026, 11, 22)
ADA, HOUSE = ClientId(new_id()), ProgrammeId(new_id())
NURSE = somebody((Role.NURSE, HOUSE))
DECLINED = Offer(offered_on=TODAY, recipient=Recipient.CLIENT, person=None, outcome=Outcome.DECLINED, trained=False)
SUPPLIED = replace(DECLINED, outcome=Outcome.SUPPLIED, form=NaloxoneForm.NASAL_SPRAY, units=2, trained=True)
HOUSEHOLD = replace(SUPPLIED, recipient=Recipient.HOUSEHOLD, person=new_id())


class Kept:
    """Keeps records in memory."""

    def __init__(self) -> None:
        self.records: list[Naloxone] = []
        self.taken_back: list[TakenBack] = []

    async def add(self, naloxone: Naloxone, /) -> None:
        self.records.append(naloxone)

    async def add_taken_back(self, naloxone: Naloxone, taken_back: TakenBack, /) -> None:
        assert naloxone.taken_back is None
        self.taken_back.append(taken_back)


async def offered(kept: Kept, said: Offer, journal: Remembered | None = None) -> Naloxone:
    return await offer(
        ADA,
        said,
        as_id=NaloxoneId(new_id()),
        programme=HOUSE,
        today=TODAY,
        by=NURSE,
        now=NOW,
        supplies=kept,
        journal=journal or Remembered(),
    )


@pytest.mark.parametrize(
    "said",
    [
        DECLINED,
        replace(DECLINED, outcome=Outcome.HAS_SOME, trained=True),
        SUPPLIED,
        replace(SUPPLIED, units=1),
        replace(SUPPLIED, units=MOST_UNITS),
        HOUSEHOLD,
        replace(HOUSEHOLD, person=None),
    ],
)
async def test_what_was_offered_is_kept_and_told_without_a_name(said: Offer) -> None:
    kept, journal = Kept(), Remembered()
    made = await offered(kept, said, journal)
    assert (kept.records, made.offer) == ([made], said)
    (event,) = journal.events
    assert (event.name, event.facts) == (
        "naloxone.offered",
        {"outcome": said.outcome, "recipient": said.recipient, "trained": int(said.trained)},
    )


@pytest.mark.parametrize(
    ("said", "field"),
    [
        (replace(DECLINED, offered_on=TODAY + timedelta(days=1)), "offered_on"),
        (replace(DECLINED, form=NaloxoneForm.INJECTION), "form"),
        (replace(DECLINED, units=1), "units"),
        (replace(SUPPLIED, form=None), "form"),
        (replace(SUPPLIED, units=None), "units"),
        (replace(SUPPLIED, units=0), "units"),
        (replace(SUPPLIED, units=MOST_UNITS + 1), "units"),
        (replace(SUPPLIED, person=new_id()), "person_id"),
        (replace(DECLINED, note="x" * (LONGEST_TEXT + 1)), "note"),
    ],
)
async def test_what_contradicts_itself_is_refused_and_not_kept(said: Offer, field: str) -> None:
    kept = Kept()
    with pytest.raises(Invalid) as refused:
        await offered(kept, said)
    assert ([fault.field for fault in refused.value.faults], kept.records) == ([field], [])


async def test_a_mistake_is_taken_back_once_with_a_reason() -> None:
    kept, journal = Kept(), Remembered()
    made = await offered(kept, SUPPLIED)
    for reason in (" ", "x" * (LONGEST_TEXT + 1)):
        with pytest.raises(Invalid):
            await take_back(made, reason, by=NURSE, now=NOW, supplies=kept, journal=journal)
    wrong = await take_back(made, "Another client.", by=NURSE, now=NOW, supplies=kept, journal=journal)
    assert wrong.taken_back == kept.taken_back[0]
    with pytest.raises(NaloxoneTakenBack):
        await take_back(wrong, "Another client.", by=NURSE, now=NOW, supplies=kept, journal=journal)
    assert [event.name for event in journal.events] == ["naloxone.taken_back"]
