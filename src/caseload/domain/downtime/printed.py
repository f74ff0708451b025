"""What the printed sheet leaves room for, beside where in the form it is entered: the paper asks for all that the form takes.

Whatever happens at the window on paper must have a place on the paper, or it is forgotten before anybody types it in. The
sheet is printed from `BLANKS`; a test holds them against the form, field by field.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from caseload.domain.dosing import NotGivenReason, Sedation, Site
from caseload.domain.profiles.around import IdentifiedBy


@dataclass(frozen=True, slots=True, kw_only=True)
class Blank:
    """Something that is written by hand on each line."""

    says: str
    """As it stands on the paper, with room to write."""
    fields: tuple[str, ...]
    """Where it is entered: fields of a line of the form."""


_SHORT, _LONG = "_" * 6, "_" * 14


def _one_of(answers: Iterable[StrEnum]) -> str:
    """Every answer that the form takes, to be ringed."""
    return " / ".join(each.replace("_", " ") for each in answers)


BLANKS: Final = (
    Blank(
        says=f"BEFORE at {_SHORT} {_one_of(Sedation)}, intoxicated yes / no, COWS on its own form, seen: {_LONG}",
        fields=("observed.seen_at", "observed.sedation", "observed.intoxicated", "observed.cows", "observed.note"),
    ),
    Blank(
        says=f"GIVEN {_SHORT} mg {_SHORT} mL at {_SHORT} watched yes / no, by {_LONG}, by {_one_of(IdentifiedBy)}",
        fields=(
            "given.amount_mg",
            "given.amount_ml",
            "given.given_at",
            "given.supervised",
            "given.observed_by",
            "given.identified_by",
        ),
    ),
    Blank(says=f"less, because {_LONG}", fields=("given.less_reason",)),
    Blank(
        says=f"injected into {_one_of(Site)}, same place because {_LONG}, delivery {_SHORT}",
        fields=("given.injection.site", "given.injection.same_site_reason", "given.injection.delivery_id"),
    ),
    Blank(
        says=f"CAME BACK after {_SHORT} min, one of us saw it yes / no: {_LONG}",
        fields=("vomited.minutes_after", "vomited.witnessed", "vomited.note"),
    ),
    Blank(
        says=f"SPILLED {_SHORT} mg at {_SHORT} because {_LONG}",
        fields=("spilled.amount_mg", "spilled.happened_at", "spilled.reason"),
    ),
    Blank(
        says=f"NOT GIVEN: {_one_of(NotGivenReason)}: {_LONG}",
        fields=("not_given.reason", "not_given.note"),
    ),
    Blank(
        says=f"TAKEN HOME at {_SHORT}, for each day its mg: {_LONG}{_LONG} told how to keep it yes / no: {_LONG}"
        f" fetched by the client / by {_LONG}, a professional of {_LONG}; identity asked yes / no, shown yes / no",
        fields=(
            "taken_home.dispensed_at",
            "taken_home.units.for_on",
            "taken_home.units.amount_mg",
            "taken_home.educated",
            "taken_home.education_note",
            "taken_home.collected_by",
            "taken_home.collected_by_client",
            "taken_home.collector_address",
            "taken_home.identity.requested",
            "taken_home.identity.provided",
        ),
    ),
    Blank(says=f"NAME {_LONG}", fields=("written_by",)),
)
PRINTED: Final[Mapping[str, str]] = {
    "line": "No.",
    "client_id": "Client",
    "given.order_id": "Order",
    "given.medicine": "Medicine",
    "given.form": "Medicine",
    "given.part": "Due",
    "spilled.order_id": "Order",
    "spilled.part": "Due",
    "not_given.order_id": "Order",
    "not_given.part": "Due",
    "taken_home.units.part": "Due",
    "taken_home.units.order_id": "Order",
}
"""What stands on each line already, and in which column."""
ENTERED_ONLY: Final[Mapping[str, str]] = {
    "given.station_id": "the station where the sheet lay; may be left out where one is in use",
    "spilled.container_id": "the bottle that the station used",
    "taken_home.station_id": "as of a dose",
    "taken_home.container_id": "as of a spill, where nobody can tell it by station and time",
}
"""What whoever enters the sheet finds in the stock and need not read on the paper."""
