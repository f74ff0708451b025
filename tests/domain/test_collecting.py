"""Who collects what is handed out: what the register of a country asks, and how a variant may tighten it."""

from dataclasses import replace
from typing import Any

import pytest

from caseload.domain.dosing import Rule
from caseload.domain.errors import Faults, Invalid
from caseload.domain.medicines import Medicine
from caseload.domain.profiles import profile_version
from caseload.domain.takehome.collecting import (
    NOBODY_SAID,
    Collecting,
    Collector,
    Identity,
    against_collector,
    collector_asked,
)

METHADONE, BUPRENORPHINE = Medicine.METHADONE, Medicine.BUPRENORPHINE


@pytest.mark.parametrize(
    ("profile", "medicine", "refused", "pointed_out"),
    [
        ("UK", METHADONE, True, True),
        ("UK", BUPRENORPHINE, False, True),
        ("UK", Medicine.BUPRENORPHINE_NALOXONE, False, True),
        ("UK", Medicine.NALTREXONE, False, False),
        ("US", METHADONE, False, False),
        ("AU", METHADONE, False, False),
        ("US-CA-BRIDGE", METHADONE, False, False),
    ],
)
def test_what_the_register_of_a_country_asks(
    profile: str, medicine: Medicine, *, refused: bool, pointed_out: bool
) -> None:
    rules = profile_version(profile, 1)
    unsaid = against_collector(Collector.NOT_SAID, [medicine, medicine], rules)
    assert [each.rule for each in unsaid] == ([Rule.COLLECTOR_NOT_SAID] if refused else [])
    asked = [each.rule for each in collector_asked(NOBODY_SAID, [medicine], rules)]
    assert asked == ([Rule.COLLECTOR_NOT_SAID, Rule.PROOF_OF_IDENTITY_NOT_SAID] if pointed_out else [])
    known: list[dict[str, Any]] = [
        {"by_client": True},
        {"name": "May"},
        {"name": "Dr Iqbal", "address": "12 Mill Lane"},
    ]
    for who in known:
        said = Collecting(**who)
        assert against_collector(said.collector, [medicine], rules) == []
        asked = [each.rule for each in collector_asked(said, [medicine], rules)]
        assert asked == ([Rule.PROOF_OF_IDENTITY_NOT_SAID] if pointed_out else [])
        for identity in (Identity(requested=True, provided=True), Identity(requested=False, provided=False)):
            assert collector_asked(replace(said, identity=identity), [medicine], rules) == []


@pytest.mark.parametrize(
    ("said", "is_who"),
    [
        (Collecting(by_client=True), Collector.CLIENT),
        (Collecting(name="May"), Collector.OTHER),
        (Collecting(name="x" * 200), Collector.OTHER),
        (Collecting(name="Dr Iqbal", address="12 Mill Lane"), Collector.HEALTH_PROFESSIONAL),
        (Collecting(name="Dr Iqbal", address="x" * 500), Collector.HEALTH_PROFESSIONAL),
        (Collecting(identity=Identity(requested=True, provided=False)), Collector.NOT_SAID),
        (NOBODY_SAID, Collector.NOT_SAID),
    ],
)
def test_who_it_is_follows_from_what_was_said(said: Collecting, is_who: Collector) -> None:
    said.check(faults := Faults())
    faults.raise_if_any()
    assert said.collector is is_who


@pytest.mark.parametrize(
    ("said", "field"),
    [
        (Collecting(by_client=True, name="May"), "collected_by_client"),
        (Collecting(name=" "), "collected_by"),
        (Collecting(name="x" * 201), "collected_by"),
        (Collecting(address="12 Mill Lane"), "collector_address"),
        (Collecting(name="Dr Iqbal", address=" "), "collector_address"),
        (Collecting(name="Dr Iqbal", address="x" * 501), "collector_address"),
    ],
)
def test_nobody_collects_it_beside_somebody_else_nor_without_a_name(said: Collecting, field: str) -> None:
    said.check(faults := Faults())
    with pytest.raises(Invalid) as refused:
        faults.raise_if_any()
    assert [fault.field for fault in refused.value.faults] == [field]
