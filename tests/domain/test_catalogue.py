"""The catalogue of medicines: what it lists, what would make it unusable, and millilitres against milligrams."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseload.domain.catalogue import (
    CatalogueBroken,
    Country,
    ProductUnknown,
    acts_for_days,
    agree,
    catalogue,
    listed,
    millilitres,
    product,
    read_catalogue,
    strengths,
)
from caseload.domain.medicines import FORMS, LIQUIDS, Form, Medicine

A_HUNDREDTH = Decimal("0.01")
WINDOW = {"earliest_days": 26, "late_days": 2, "sites": ["abdomen"], "source": "Label", "confirmed": True}


def changed(*, of: str = "methadone_solution_1", **fields: Any) -> bytes:
    """The catalogue with one product changed."""
    whole = msgspec.json.decode(msgspec.json.encode(catalogue()))
    next(one for one in whole["products"] if one["product"] == of).update(fields)
    return msgspec.json.encode(whole)


def test_every_medicine_has_products_in_every_form_in_which_it_is_made() -> None:
    assert {(one.medicine, one.form) for one in catalogue().products} == {
        (medicine, form) for medicine, forms in FORMS.items() for form in forms
    }


@pytest.mark.parametrize("country", list(Country))
def test_every_country_has_every_medicine_and_a_long_acting_one(country: Country) -> None:
    there = [one for one in catalogue().products if country in one.countries]
    assert {one.medicine for one in there} == set(Medicine)
    assert any(one.long_acting for one in there)


def test_every_fact_has_a_source_and_says_whether_it_could_be_read() -> None:
    assert all(one.source.strip() and one.acts_source.strip() for one in catalogue().products)
    assert {one.confirmed for one in catalogue().products} == {True, False}


@pytest.mark.parametrize(
    ("name", "at_least"),
    [("sublocade_300", 31), ("buvidal_monthly_96", 31), ("vivitrol_380", 31), ("brixadi_weekly_24", 7)],
)
def test_a_depot_of_last_month_still_acts(name: str, at_least: int) -> None:
    assert product(name).acts_for_days >= at_least
    assert product(name).long_acting


def test_a_product_is_found_by_medicine_form_strength_and_country() -> None:
    found = listed(Medicine.METHADONE, Form.ORAL_SOLUTION, Decimal("1.000"), Country.UK)
    assert found is product("methadone_solution_1")
    assert listed(Medicine.METHADONE, Form.ORAL_SOLUTION, Decimal(1), Country.AU) is None
    assert strengths(Medicine.METHADONE, Form.ORAL_SOLUTION, Country.AU) == [Decimal(5)]
    weekly = listed(Medicine.BUPRENORPHINE, Form.EXTENDED_RELEASE_INJECTION, Decimal(24), Country.UK)
    assert weekly is product("buvidal_weekly_24")


def test_an_unknown_product_is_not_found() -> None:
    with pytest.raises(ProductUnknown):
        product("laudanum")


def test_what_is_not_listed_acts_as_long_as_the_longest_of_its_form() -> None:
    assert acts_for_days(None, Medicine.BUPRENORPHINE, Form.EXTENDED_RELEASE_INJECTION) == 31
    assert acts_for_days("buvidal_weekly_8", Medicine.BUPRENORPHINE, Form.EXTENDED_RELEASE_INJECTION) == 9


@pytest.mark.parametrize(
    ("of", "fields", "complaint"),
    [
        ("methadone_solution_1", {"form": "sublingual_film"}, "not made as"),
        ("methadone_solution_1", {"route": "subcutaneous"}, "not given by route"),
        ("methadone_solution_1", {"action": "antagonist"}, "action must be agonist"),
        ("methadone_solution_1", {"concentration_mg_per_ml": "2"}, "is its concentration"),
        ("methadone_solution_1", {"concentration_mg_per_ml": None}, "is its concentration"),
        ("methadone_solution_1", {"volume_ml": "5"}, "no volume of one"),
        ("methadone_solution_1", {"long_acting": True}, "long_acting must agree"),
        ("methadone_solution_1", {"naloxone_mg": "0.25"}, "naloxone_mg stands with"),
        ("methadone_solution_1", {"acts_for_days": 0}, "must say something"),
        ("methadone_solution_1", {"countries": []}, "must say something"),
        ("methadone_solution_1", {"product": "methadone_solution_2"}, "name of its own"),
        ("methadone_solution_1", {"strength_mg": "2", "concentration_mg_per_ml": "2"}, "cannot be told apart"),
        ("methadone_solution_1", {"strength_mg": "-1", "concentration_mg_per_ml": "-1"}, "must say something"),
        ("methadone_solution_1", {"colour": "green"}, "unknown field"),
        ("methadone_tablet_5", {"volume_ml": "1"}, "neither volume nor concentration"),
        ("sublocade_300", {"volume_ml": "0.5"}, "mg must be mL times mg/mL"),
        ("sublocade_300", {"volume_ml": None}, "or neither"),
        ("sublocade_300", {"window": None}, "an injection has a window"),
        ("methadone_tablet_5", {"window": WINDOW}, "and nothing else does"),
        ("sublocade_300", {"window": {**WINDOW, "sites": []}}, "sites of the window must say something"),
        ("sublocade_300", {"window": {**WINDOW, "earliest_days": 0}}, "earliest_days, late_days"),
        ("sublocade_300", {"window": {**WINDOW, "late_days": -1}}, "earliest_days, late_days"),
        ("sublocade_300", {"window": {**WINDOW, "rapid_second_day": 26}}, "before earliest_days"),
        ("sublocade_300", {"window": {**WINDOW, "rapid_second_day": 0}}, "before earliest_days"),
        ("buprenorphine_naloxone_film_8", {"naloxone_mg": "1"}, "4 to 1"),
        ("buprenorphine_naloxone_film_8", {"naloxone_mg": None}, "naloxone_mg stands with"),
    ],
)
def test_a_catalogue_that_contradicts_itself_is_refused(of: str, fields: dict[str, Any], complaint: str) -> None:
    with pytest.raises(CatalogueBroken, match=complaint):
        read_catalogue(changed(of=of, **fields), "medicines.json")


def test_every_medicine_is_described_once_and_scheduled_in_every_country() -> None:
    whole = msgspec.json.decode(msgspec.json.encode(catalogue()))
    whole["medicines"][0]["schedules"].pop()
    whole["medicines"][1]["action"] = "antagonist"
    whole["medicines"].append(whole["medicines"][0])
    with pytest.raises(CatalogueBroken) as refused:
        read_catalogue(msgspec.json.encode(whole), "medicines.json")
    for complaint in ("described once", "one schedule", "buprenorphine: action must be agonist"):
        assert complaint in str(refused.value)


AMOUNTS = st.decimals("0.001", "9999", places=3)
STRENGTHS = st.decimals("0.5", "500", places=3)


@given(amount=AMOUNTS, strength=STRENGTHS, form=st.sampled_from(sorted(LIQUIDS)))
def test_millilitres_and_milligrams_agree_by_the_concentration(amount: Decimal, strength: Decimal, form: Form) -> None:
    volume = millilitres(amount, form, strength)
    if volume is None:
        assert amount < strength * A_HUNDREDTH
        return
    assert agree(amount, volume, strength)
    beside = (volume - A_HUNDREDTH, volume + A_HUNDREDTH)
    assert not all(agree(amount, other, strength) for other in beside)


@given(volume=st.decimals("0.01", "999", places=2), strength=STRENGTHS, slips=st.integers(1, 500))
def test_a_slip_of_a_hundredth_of_a_millilitre_is_seen(volume: Decimal, strength: Decimal, slips: int) -> None:
    assert agree(volume * strength, volume, strength)
    assert not agree(volume * strength, volume + slips * A_HUNDREDTH, strength)


@pytest.mark.parametrize(
    ("amount", "strength", "volume"),
    [("60", "1", "60"), ("60", "5", "12"), ("32.5", "5", "6.5"), ("33", "10", "3.3"), ("0.001", "1", None)],
)
def test_an_amount_is_said_in_millilitres(amount: str, strength: str, volume: str | None) -> None:
    found = millilitres(Decimal(amount), Form.ORAL_SOLUTION, Decimal(strength))
    assert found == (None if volume is None else Decimal(volume))


def test_nobody_measures_many_litres_or_a_tablet() -> None:
    assert millilitres(Decimal(9999), Form.ORAL_SOLUTION, Decimal("0.001")) is None
    assert millilitres(Decimal(40), Form.TABLET, Decimal(5)) is None
