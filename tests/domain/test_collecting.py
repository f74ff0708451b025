"""Who collects what is handed out: what the register of a country asks, and how a variant may tighten it."""

import pytest

from caseload.domain.dosing import Rule
from caseload.domain.errors import Faults, Invalid
from caseload.domain.medicines import Medicine
from caseload.domain.profiles import profile_version
from caseload.domain.takehome.collecting import (
    Collector,
    against_collector,
    check_collector,
    collector_asked,
    collector_of,
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
    assert bool(collector_asked(Collector.NOT_SAID, [medicine], rules)) is pointed_out
    for said in (Collector.CLIENT, Collector.OTHER):
        assert against_collector(said, [medicine], rules) == collector_asked(said, [medicine], rules) == []


@pytest.mark.parametrize(
    ("by_client", "name", "is_who"),
    [(True, None, Collector.CLIENT), (False, "May", Collector.OTHER), (False, None, Collector.NOT_SAID)],
)
def test_who_it_is_follows_from_what_was_said(*, by_client: bool, name: str | None, is_who: Collector) -> None:
    check_collector(by_client=by_client, name=name, faults=(faults := Faults()))
    faults.raise_if_any()
    assert collector_of(by_client=by_client, name=name) is is_who


def test_nobody_collects_it_beside_somebody_else() -> None:
    check_collector(by_client=True, name="May", faults=(faults := Faults()))
    with pytest.raises(Invalid):
        faults.raise_if_any()
