"""Copies of records: how an entry stands, and of what a copy says that it is withheld."""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseload.domain.ids import CopyEntryId, StaffId, new_id
from caseload.domain.profiles import profile_version
from caseload.domain.profiles.rights import WithholdingReason
from caseload.domain.recordcopy import CopyEntry, Counts, Decision, Section, rule_for, withheld_by_rule
from tests.factories.people import NOW

PLAIN = CopyEntry(
    id=CopyEntryId(new_id()), section=Section.DOSES, kind="dose", told_at=NOW, held_for=None, content="{}"
)
HELD = replace(PLAIN, held_for=WithholdingReason.IN_CONFIDENCE)
APART = replace(PLAIN, held_for=WithholdingReason.COUNSELLING_NOTE, content=None)


def decided(entry: CopyEntry, reason: WithholdingReason | None) -> CopyEntry:
    return replace(entry, decision=Decision(reason=reason, note="They agree.", by=StaffId(new_id()), at=NOW))


@pytest.mark.parametrize(
    ("entry", "how_many_wait", "withheld_for"),
    [
        (PLAIN, 0, None),
        (HELD, 1, WithholdingReason.IN_CONFIDENCE),
        (APART, 0, WithholdingReason.COUNSELLING_NOTE),
        (decided(HELD, None), 0, None),
        (decided(PLAIN, WithholdingReason.TIP_OFF), 0, WithholdingReason.TIP_OFF),
    ],
)
def test_what_is_held_back_waits_until_somebody_decides(
    entry: CopyEntry, how_many_wait: int, withheld_for: WithholdingReason | None
) -> None:
    assert (int(entry.waits), entry.withheld_for) == (how_many_wait, withheld_for)


@given(st.dictionaries(st.sampled_from(WithholdingReason), st.integers(0, 9)), st.sampled_from(["US", "UK", "AU"]))
def test_everything_withheld_is_counted_once_and_silence_needs_a_rule(
    withheld: dict[WithholdingReason, int], country: str
) -> None:
    rights = profile_version(country, 1).rights
    told, unsaid = withheld_by_rule(withheld, rights)
    assert sum(told.values()) + unsaid == sum(withheld.values())
    for reason in withheld.keys() - told.keys():
        rule = rule_for(reason, rights)
        assert rule is not None
        assert not rule.told


def test_what_the_profile_does_not_know_is_said() -> None:
    rights = msgspec.structs.replace(profile_version("US", 1).rights, withholding=())
    told, unsaid = withheld_by_rule({WithholdingReason.TIP_OFF: 2}, rights)
    assert (told, unsaid) == ({WithholdingReason.TIP_OFF: 2}, 0)
    assert rule_for(WithholdingReason.TIP_OFF, rights) is None


def test_what_waits_does_not_leave() -> None:
    counts = Counts(entries=9, waiting=2, withheld={WithholdingReason.IN_CONFIDENCE: 3})
    assert counts.leaving == 4
