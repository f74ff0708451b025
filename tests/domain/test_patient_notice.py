"""Patient notices: which version is in force, how it was given, and what contradicts itself."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from caseload.domain.access import Role
from caseload.domain.errors import Invalid, NotPermitted
from caseload.domain.ids import ClientId, NoticeGivenId, NoticeId, ProgrammeId, new_id
from caseload.domain.patient_notice import (
    LONGEST_NAME,
    LONGEST_TEXT,
    Acknowledgement,
    Giving,
    Manner,
    NoNoticeInForce,
    Notice,
    NoticeGiven,
    NoticeGivenTakenBack,
    NoticeUnknown,
    Wording,
    give,
    in_force,
    put_in_force,
    take_back,
)
from caseload.domain.profiles.selected import Selected
from caseload.domain.programme import Programme
from caseload.domain.taken_back import TakenBack
from tests.factories.checkin import Remembered
from tests.factories.staff import somebody

pytestmark = pytest.mark.anyio

HOUSE = Programme(
    id=ProgrammeId(new_id()), code="H", name="House", time_zone="America/New_York", profiles=Selected("US")
)
NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
"""In New York it is the evening of the 21st."""
TODAY = date(2026, 11, 21)
ADA = ClientId(new_id())
DESK, OFFICER = somebody((Role.FRONT_DESK, HOUSE.id)), somebody((Role.PRIVACY_OFFICER, HOUSE.id))
WORDING = Wording(title="Notice of privacy practices", version="2026-1", in_force_from=TODAY, text_sha256="a1" * 32)
SIGNED = Giving(given_at=NOW, manner=Manner.PAPER, acknowledgement=Acknowledgement.SIGNED)
DECLINED = replace(SIGNED, acknowledgement=Acknowledgement.DECLINED, why_not="Asked twice; signs nothing.")


class Kept:
    """Keeps notices in memory."""

    def __init__(self, *from_days: date) -> None:
        self.notices = [
            Notice(
                id=NoticeId(new_id()),
                programme=HOUSE.id,
                wording=replace(WORDING, version=str(day), in_force_from=day),
                recorded_by=OFFICER.id,
                recorded_at=NOW,
            )
            for day in from_days
        ]
        self.given: list[NoticeGiven] = []
        self.taken_back: list[TakenBack] = []

    async def hold_still(self, programme: ProgrammeId, /) -> None:
        assert programme == HOUSE.id

    async def versions(self, programme: ProgrammeId, /) -> Sequence[Notice]:
        assert programme == HOUSE.id
        return self.notices

    async def add_version(self, new: Notice, /) -> None:
        self.notices.append(new)

    async def add_given(self, new: NoticeGiven, /) -> None:
        self.given.append(new)

    async def add_taken_back(self, wrong: NoticeGiven, taken_back: TakenBack, /) -> None:
        assert wrong.taken_back is None
        self.taken_back.append(taken_back)


async def put(kept: Kept, said: Wording, journal: Remembered | None = None) -> Notice:
    return await put_in_force(
        HOUSE,
        said,
        as_id=NoticeId(new_id()),
        by=OFFICER,
        now=NOW,
        notices=kept,
        journal=journal or Remembered(),
    )


async def given(
    kept: Kept, said: Giving, *, version: NoticeId | None = None, journal: Remembered | None = None
) -> NoticeGiven:
    return await give(
        ADA,
        said,
        version=version,
        programme=HOUSE,
        as_id=NoticeGivenId(new_id()),
        by=DESK,
        now=NOW,
        notices=kept,
        journal=journal or Remembered(),
    )


def test_of_several_versions_the_last_whose_day_has_come_is_in_force() -> None:
    first, second = TODAY - timedelta(days=30), TODAY
    versions = Kept(second, first, TODAY + timedelta(days=1)).notices
    days = {
        day: in_force(versions, day) for day in (first - timedelta(days=1), first, TODAY - timedelta(days=1), TODAY)
    }
    assert [found and found.wording.in_force_from for found in days.values()] == [None, first, first, second]


async def test_a_version_is_put_in_force_by_the_privacy_officer_and_told_with_its_digest() -> None:
    kept, journal = Kept(), Remembered()
    made = await put(kept, WORDING, journal)
    assert (kept.notices, made.wording, made.recorded_by) == ([made], WORDING, OFFICER.id)
    (event,) = journal.events
    assert (event.name, event.client, event.records) == ("notice.put_in_force", None, (made.id,))
    assert event.facts == {"programme": str(HOUSE.id), "sha256": "a1" * 32, "in_force_from": str(TODAY)}
    with pytest.raises(NotPermitted):
        await put_in_force(HOUSE, WORDING, as_id=made.id, by=DESK, now=NOW, notices=kept, journal=journal)


async def test_only_the_first_version_may_have_been_in_force_before_the_local_day() -> None:
    kept, yesterday = Kept(), replace(WORDING, in_force_from=TODAY - timedelta(days=1))
    await put(kept, yesterday)
    with pytest.raises(Invalid) as refused:
        await put(kept, replace(yesterday, version="2026-2"))
    assert [fault.field for fault in refused.value.faults] == ["in_force_from"]
    await put(kept, replace(WORDING, version="2026-2"))


@pytest.mark.parametrize(
    ("said", "field"),
    [
        (replace(WORDING, title=" "), "title"),
        (replace(WORDING, title="x" * (LONGEST_NAME + 1)), "title"),
        (replace(WORDING, version=""), "version"),
        (replace(WORDING, text_sha256="a1" * 31), "text_sha256"),
        (replace(WORDING, text_sha256="A1" * 32), "text_sha256"),
    ],
)
async def test_a_version_that_says_too_little_is_refused(said: Wording, field: str) -> None:
    kept = Kept()
    with pytest.raises(Invalid) as refused:
        await put(kept, said)
    assert ([fault.field for fault in refused.value.faults], kept.notices) == ([field], [])


@pytest.mark.parametrize("said", [SIGNED, DECLINED])
async def test_that_a_client_was_given_the_version_in_force_is_kept_and_told_without_words(said: Giving) -> None:
    kept, journal = Kept(TODAY, TODAY + timedelta(days=1)), Remembered()
    made = await given(kept, said, journal=journal)
    assert (kept.given, made.notice, made.giving) == ([made], kept.notices[0], said)
    (event,) = journal.events
    assert (event.name, event.client) == ("notice.given", ADA)
    assert event.facts == {"manner": "paper", "acknowledgement": said.acknowledgement}


async def test_what_was_given_earlier_is_the_version_that_was_in_force_then_and_may_be_named() -> None:
    kept = Kept(TODAY, TODAY - timedelta(days=9))
    assert (await given(kept, replace(SIGNED, given_at=NOW - timedelta(days=1)))).notice == kept.notices[1]
    assert (await given(kept, SIGNED, version=kept.notices[1].id)).notice == kept.notices[1]


async def test_a_version_that_nobody_has_cannot_be_given() -> None:
    with pytest.raises(NoNoticeInForce):
        await given(Kept(TODAY + timedelta(days=1)), SIGNED)
    with pytest.raises(NoticeUnknown):
        await given(Kept(TODAY), SIGNED, version=NoticeId(new_id()))
    with pytest.raises(NotPermitted):
        await give(
            ADA,
            SIGNED,
            version=None,
            programme=HOUSE,
            as_id=NoticeGivenId(new_id()),
            by=OFFICER,
            now=NOW,
            notices=Kept(TODAY),
            journal=Remembered(),
        )


@pytest.mark.parametrize(
    ("said", "field"),
    [
        (replace(SIGNED, given_at=NOW + timedelta(seconds=1)), "given_at"),
        (replace(SIGNED, given_at=NOW - timedelta(days=1)), "given_at"),
        (replace(SIGNED, why_not="Did not want to."), "why_not"),
        (replace(DECLINED, why_not=None), "why_not"),
        (replace(DECLINED, acknowledgement=Acknowledgement.NOT_ASKED, why_not=" "), "why_not"),
        (replace(DECLINED, why_not="x" * (LONGEST_TEXT + 1)), "why_not"),
    ],
)
async def test_what_contradicts_itself_is_refused_and_not_kept(said: Giving, field: str) -> None:
    kept = Kept(TODAY)
    with pytest.raises(Invalid) as refused:
        await given(kept, said, version=kept.notices[0].id)
    assert ([fault.field for fault in refused.value.faults], kept.given) == ([field], [])


async def test_a_mistake_is_taken_back_once_with_a_reason() -> None:
    kept, journal = Kept(TODAY), Remembered()
    made = await given(kept, SIGNED)
    for reason in (" ", "x" * (LONGEST_TEXT + 1)):
        with pytest.raises(Invalid):
            await take_back(made, reason, by=DESK, now=NOW, notices=kept, journal=journal)
    wrong = await take_back(made, "Another client.", by=DESK, now=NOW, notices=kept, journal=journal)
    assert wrong.taken_back == kept.taken_back[0]
    with pytest.raises(NoticeGivenTakenBack):
        await take_back(wrong, "Another client.", by=DESK, now=NOW, notices=kept, journal=journal)
    assert [event.name for event in journal.events] == ["notice.taken_back"]
