"""The catalogue: the products that can be ordered, as validated data, and millilitres checked against milligrams.

The facts stand in `catalogue_data/medicines.json`, each with its source and whether that source could be read. Nothing
here refuses an order: a product that the catalogue does not list asks the prescriber for a reason, by a rule of the
profile (a strength may be new, and what stands unconfirmed may be wrong).
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Final

import msgspec

from caseload.domain.errors import NotFound
from caseload.domain.medicines import ACTION, FORMS, LIQUIDS, LONG_ACTING, Action, Form, Medicine

NALOXONE_RATIO: Final = 4
"""Milligrams of buprenorphine to one of naloxone, in every combination that is listed (BCCSU, appendix 3)."""
UNLISTED_DEPOT_DAYS: Final = 31
"""How long an injection acts of which only the form is known (HEDIS POD, default days supply)."""
UNLISTED_DAYS: Final = 3
"""How long anything else acts of which only the form is known: methadone, and naltrexone every third day."""

_HUNDREDTHS: Final = Decimal("0.01")
_HALF: Final = Decimal("0.005")
_MOST_ML: Final = Decimal("99999.99")


class Country(StrEnum):
    """Where a product is on the market and a schedule is law."""

    US = "US"
    UK = "UK"
    AU = "AU"


class Region(StrEnum):
    """Where in the body an injection may be given."""

    ABDOMEN = "abdomen"
    THIGH = "thigh"
    BUTTOCK = "buttock"
    UPPER_ARM = "upper_arm"


class Route(StrEnum):
    """How a product reaches the body."""

    ORAL = "oral"
    SUBLINGUAL = "sublingual"
    SUBCUTANEOUS = "subcutaneous"
    INTRAMUSCULAR = "intramuscular"


ROUTES: Final[Mapping[Form, frozenset[Route]]] = MappingProxyType({
    Form.ORAL_SOLUTION: frozenset({Route.ORAL}),
    Form.ORAL_CONCENTRATE: frozenset({Route.ORAL}),
    Form.TABLET: frozenset({Route.ORAL}),
    Form.DISPERSIBLE_TABLET: frozenset({Route.ORAL}),
    Form.SUBLINGUAL_TABLET: frozenset({Route.SUBLINGUAL}),
    Form.SUBLINGUAL_FILM: frozenset({Route.SUBLINGUAL}),
    Form.ORAL_LYOPHILISATE: frozenset({Route.ORAL}),
    Form.EXTENDED_RELEASE_INJECTION: frozenset({Route.SUBCUTANEOUS, Route.INTRAMUSCULAR}),
})  # fmt: skip


class CatalogueBroken(ValueError):
    """The catalogue contradicts itself; its message says where."""


class ProductUnknown(NotFound):
    """There is no such product in the catalogue."""


class _Data(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of the catalogue."""


class Schedule(_Data, frozen=True):
    """How a country controls a medicine."""

    country: Country
    schedule: str
    source: str
    confirmed: bool


class Substance(_Data, frozen=True, kw_only=True):
    """What is true of a medicine in every form."""

    medicine: Medicine
    action: Action
    rxnorm: str | None = None
    """The RxNorm concept of the ingredient (RXCUI), where known."""
    schedules: tuple[Schedule, ...]


class Window(_Data, frozen=True, kw_only=True):
    """When the next injection of a product may come, counted from the last one, and where it may be given."""

    earliest_days: int
    """Days that must have passed since the last one."""
    late_days: int
    """Days after the due date on which it is not overdue yet."""
    rapid_second_day: int | None = None
    """Under rapid start the second one may come from this day on."""
    sites: tuple[Region, ...]
    source: str
    confirmed: bool
    """Whether the source could be read: outside the due date an unconfirmed window asks."""


class Product(_Data, frozen=True, kw_only=True):
    """One product, as an order names it."""

    product: str
    name: str
    medicine: Medicine
    form: Form
    route: Route
    strength_mg: Decimal
    """Milligrams in one millilitre of a liquid, else in one tablet, film or injection."""
    concentration_mg_per_ml: Decimal | None = None
    volume_ml: Decimal | None = None
    """Of one injection, where the label says it."""
    window: Window | None = None
    """Of an injection."""
    naloxone_mg: Decimal | None = None
    action: Action
    long_acting: bool
    acts_for_days: int
    """Days from a dose on in which it still acts at the receptor, for what is given beside it."""
    acts_source: str
    countries: tuple[Country, ...]
    source: str
    confirmed: bool
    """Whether the source could be read; what could not is no hard rule anywhere."""

    def is_(self, medicine: Medicine, form: Form, strength_mg: Decimal) -> bool:
        """Whether it is this medicine in this form and strength."""
        return (self.medicine, self.form, self.strength_mg) == (medicine, form, strength_mg)


class Catalogue(_Data, frozen=True):
    """Everything the catalogue lists."""

    medicines: tuple[Substance, ...]
    products: tuple[Product, ...]


def read_catalogue(text: bytes, where: str) -> Catalogue:
    """The catalogue in a file; raises `CatalogueBroken` with everything that is wrong in it."""
    try:
        found = msgspec.json.decode(text, type=Catalogue)
    except msgspec.DecodeError as error:
        message = f"{where}: {error}"
        raise CatalogueBroken(message) from error
    wrong = list(_contradictions(found))
    if wrong:
        message = f"{where}: {'; '.join(wrong)}"
        raise CatalogueBroken(message)
    return found


def _contradictions(found: Catalogue) -> Iterable[str]:
    yield from _wrong_substances(found)
    names = [product.product for product in found.products]
    if len(set(names)) != len(names):
        yield "every product must have a name of its own"
    for country in Country:
        there = [(one.medicine, one.form, one.strength_mg) for one in found.products if country in one.countries]
        if len(set(there)) != len(there):
            yield f"{country}: two products of one medicine, form and strength cannot be told apart"
    for product in found.products:
        yield from (f"{product.product}: {problem}" for problem in _wrong_product(product))


def _wrong_substances(found: Catalogue) -> Iterable[str]:
    if sorted(each.medicine for each in found.medicines) != sorted(Medicine):
        yield "every medicine must be described once"
    for substance in found.medicines:
        if substance.action is not ACTION[substance.medicine]:
            yield f"{substance.medicine}: action must be {ACTION[substance.medicine]}"
        if sorted(each.country for each in substance.schedules) != sorted(Country):
            yield f"{substance.medicine}: every country must have one schedule"


def _wrong_product(product: Product) -> Iterable[str]:
    if product.form not in FORMS[product.medicine]:
        yield f"{product.medicine} is not made as {product.form}"
    if product.route not in ROUTES[product.form]:
        yield f"{product.form} is not given by route {product.route}"
    if product.action is not ACTION[product.medicine]:
        yield f"action must be {ACTION[product.medicine]}"
    if product.long_acting is not (product.form in LONG_ACTING):
        yield "long_acting must agree with the form"
    if product.strength_mg <= 0 or product.acts_for_days < 1 or not product.countries:
        yield "strength_mg, acts_for_days and countries must say something"
    yield from _wrong_volume(product)
    yield from _wrong_window(product)
    naloxone = product.medicine is Medicine.BUPRENORPHINE_NALOXONE
    if naloxone is not (product.naloxone_mg is not None):
        yield "naloxone_mg stands with the combination, and with nothing else"
    if product.naloxone_mg is not None and product.naloxone_mg * NALOXONE_RATIO != product.strength_mg:
        yield f"buprenorphine and naloxone must stand {NALOXONE_RATIO} to 1"


def _wrong_window(product: Product) -> Iterable[str]:
    window = product.window
    if (window is None) is product.long_acting:
        yield "an injection has a window, and nothing else does"
    if window is None:
        return
    if window.earliest_days < 1 or window.late_days < 0 or not window.sites:
        yield "earliest_days, late_days and sites of the window must say something"
    if window.rapid_second_day is not None and not 0 < window.rapid_second_day < window.earliest_days:
        yield "rapid_second_day must lie before earliest_days"


def _wrong_volume(product: Product) -> Iterable[str]:
    concentration, volume = product.concentration_mg_per_ml, product.volume_ml
    if product.form in LIQUIDS:
        if concentration != product.strength_mg or volume is not None:
            yield "the strength of a liquid is its concentration, and it has no volume of one"
    elif product.form in LONG_ACTING:
        if (concentration is None) is not (volume is None):
            yield "an injection has both a volume and a concentration, or neither"
        elif concentration is not None and volume is not None and not agree(product.strength_mg, volume, concentration):
            yield "mg must be mL times mg/mL"
    elif concentration is not None or volume is not None:
        yield "what is not liquid has neither volume nor concentration"


@cache
def catalogue() -> Catalogue:
    """What the service's own file says. Raises `CatalogueBroken`."""
    file = resources.files("caseload.domain") / "catalogue_data" / "medicines.json"
    return read_catalogue(file.read_bytes(), file.name)


@cache
def product(name: str) -> Product:
    """The product of this name; raises `ProductUnknown`."""
    found = next((one for one in catalogue().products if one.product == name), None)
    if found is None:
        raise ProductUnknown("Look at the list of medicines for the products there are.")
    return found


def listed(medicine: Medicine, form: Form, strength_mg: Decimal, country: Country) -> Product | None:
    """The product that a country's catalogue lists for a medicine, form and strength; None when it lists none."""
    return next(
        (one for one in catalogue().products if country in one.countries and one.is_(medicine, form, strength_mg)), None
    )


def strengths(medicine: Medicine, form: Form, country: Country) -> Sequence[Decimal]:
    """The strengths that a country's catalogue lists."""
    return sorted(
        one.strength_mg
        for one in catalogue().products
        if country in one.countries and (one.medicine, one.form) == (medicine, form)
    )


def acts_for_days(name: str | None, medicine: Medicine, form: Form) -> int:
    """How long a dose acts: as its product says, else the longest of its medicine and form."""
    if name is not None:
        return product(name).acts_for_days
    known = [one.acts_for_days for one in catalogue().products if (one.medicine, one.form) == (medicine, form)]
    return max(known, default=UNLISTED_DEPOT_DAYS if form in LONG_ACTING else UNLISTED_DAYS)


def agree(amount_mg: Decimal, amount_ml: Decimal, mg_per_ml: Decimal) -> bool:
    """Whether milligrams are the millilitres times the concentration, to the hundredth of a millilitre."""
    return abs(amount_mg - amount_ml * mg_per_ml) <= _HALF * mg_per_ml


def millilitres(amount_mg: Decimal, form: Form, strength_mg: Decimal) -> Decimal | None:
    """How many millilitres of a liquid hold the amount, to the hundredth that is measured.

    None for what is no liquid, and for a volume that nobody can measure: under a hundredth, or of many litres.
    """
    if form not in LIQUIDS:
        return None
    found = (amount_mg / strength_mg).quantize(_HUNDREDTHS, rounding=ROUND_HALF_UP)
    return found if 0 < found <= _MOST_ML else None
