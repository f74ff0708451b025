"""The scales and measures that can be recorded, with their items, answers and bands."""

from caseload.api.route import reading
from caseload.api.wire import Wire
from caseload.domain.access import Act
from caseload.domain.observation import Instrument, InstrumentName, Item, instruments


class ItemOut(Wire, frozen=True, kw_only=True):
    """One item of an instrument: an answer is one of the values, or lies in the range where there are none."""

    code: str
    asks: str
    values: list[int]
    lowest: int
    highest: int

    @classmethod
    def of(cls, item: Item) -> "ItemOut":
        """From the domain."""
        lowest, highest = item.reaches
        return cls(code=item.code, asks=item.asks, values=list(item.values), lowest=lowest, highest=highest)


class BandOut(Wire, frozen=True, kw_only=True):
    """What a total means from here on, until the next band begins."""

    from_total: int
    name: str
    says: str


class SubscaleOut(Wire, frozen=True, kw_only=True):
    """Some items that are added up on their own."""

    code: str
    title: str
    items: list[str]
    flag_from: int | None
    """From this sum on it is flagged."""
    flag_up_to: int | None
    """Up to this sum it is flagged."""


class InstrumentOut(Wire, frozen=True, kw_only=True):
    """One version of a scale or measure."""

    name: InstrumentName
    version: int
    title: str
    source: str
    unit: str
    items: list[ItemOut]
    bands: list[BandOut]
    """None where there is no total."""
    subscales: list[SubscaleOut]

    @classmethod
    def of(cls, one: Instrument) -> "InstrumentOut":
        """From the domain."""
        return cls(
            name=one.name,
            version=one.version,
            title=one.title,
            source=one.source,
            unit=one.unit,
            items=[ItemOut.of(item) for item in one.items],
            bands=[BandOut(from_total=band.from_total, name=band.name, says=band.says) for band in one.bands],
            subscales=[
                SubscaleOut(
                    code=each.code,
                    title=each.title,
                    items=list(each.items),
                    flag_from=each.flag_from,
                    flag_up_to=each.flag_up_to,
                )
                for each in one.subscales
            ],
        )


class InstrumentsOut(Wire, frozen=True, kw_only=True):
    """What can be recorded now, and what each answer and total means."""

    items: list[InstrumentOut]


@reading(
    "/instruments", act=Act.SEE_OBSERVATIONS, name="list_instruments", problems=(), unaudited="it shows nobody's data"
)
async def list_instruments() -> InstrumentsOut:
    """The scales and measures that can be recorded, with their items, answers and bands."""
    return InstrumentsOut(items=[InstrumentOut.of(versions[-1]) for versions in instruments().values()])
