"""The statements that add up what people left in the log, over the span's range of the key.

The columns beside a leaf choose the rows; what they do not hold is looked for in the leaf's own bytes, which are canonical
JSON: every string in them comes from a closed vocabulary, so that a piece such as `"st":404,` can only be what it looks like.
"""

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import (
    BigInteger,
    Date,
    DateTime,
    Interval,
    LargeBinary,
    SmallInteger,
    Text,
    Uuid,
    any_,
    bindparam,
    cast,
    column,
    distinct,
    exists,
    func,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY

from caseload.audit.accesslog import holds
from caseload.audit.leaf import Outcome
from caseload.audit.tables import disclosure, log

_QUARTER: Final = "15 minutes"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_IDENTIFIER_LENGTH: Final = 36
"""A staff identifier as text; `anonymous` and `system` are shorter."""


_INSTANTS = ARRAY(DateTime(timezone=True))
_place = (
    func.unnest(
        bindparam("places", type_=ARRAY(Uuid())),
        bindparam("zones", type_=ARRAY(Text())),
        bindparam("zones_since", type_=_INSTANTS),
        bindparam("zones_until", type_=_INSTANTS),
    )
    .table_valued(
        column("programme", Uuid()),
        column("zone", Text()),
        column("since", DateTime(timezone=True)),
        column("until", DateTime(timezone=True)),
        name="place",
    )
    .render_derived()
)
"""The zone of each programme from a moment to a moment: one that has moved has several."""
_anywhere = (
    func.unnest(
        bindparam("otherwise", type_=ARRAY(Text())),
        bindparam("otherwise_since", type_=_INSTANTS),
        bindparam("otherwise_until", type_=_INSTANTS),
    )
    .table_valued(
        column("zone", Text()),
        column("since", DateTime(timezone=True)),
        column("until", DateTime(timezone=True)),
        name="anywhere",
    )
    .render_derived()
)
_DAY = cast(func.timezone(func.coalesce(_place.c.zone, _anywhere.c.zone), log.c.at), Date()).label("day")
_ENTRIES = func.count(distinct(log.c.entry_id)).label("entries")
# The least and greatest of text are those of the identifiers: PostgreSQL 15 has no minimum of these.
_FIRST = func.min(cast(log.c.entry_id, Text())).label("first")
_LAST = func.max(cast(log.c.entry_id, Text())).label("last")
_NOBODY = literal_column("0", BigInteger()).label("clients")

_IN_SCOPE = or_(bindparam("everything"), log.c.programme == any_(bindparam("programmes", type_=ARRAY(Uuid()))))
_IN_SPAN = (
    log.c.entry_id >= bindparam("begins", type_=Uuid()),
    log.c.entry_id < bindparam("ends", type_=Uuid()),
    func.length(log.c.actor) == _IDENTIFIER_LENGTH,
    _IN_SCOPE,
)
_DONE = log.c.outcome == literal_column(str(Outcome.DONE.value), SmallInteger())
_NOT_DONE = log.c.outcome != literal_column("0", SmallInteger())
"""Said in the words of the partial index."""
_NAMES_SOMEBODY = func.cardinality(disclosure.c.refs) > 0

_by_day = log.join(_anywhere, (log.c.at >= _anywhere.c.since) & (log.c.at < _anywhere.c.until)).outerjoin(
    _place,
    (_place.c.programme == log.c.programme) & (log.c.at >= _place.c.since) & (log.c.at < _place.c.until),
)
_with_clients = log.join(disclosure, disclosure.c.entry_id == log.c.entry_id)
_with_clients_by_day = _by_day.join(disclosure, disclosure.c.entry_id == log.c.entry_id)

_REFERENCE = disclosure.c.refs[1].label("reference")
OPENED: Final = (
    select(log.c.actor, _REFERENCE, _DAY, _ENTRIES, _FIRST, _LAST, literal_column("1", BigInteger()).label("clients"))
    .select_from(_with_clients_by_day)
    .where(
        *_IN_SPAN,
        _DONE,
        func.cardinality(disclosure.c.refs) == 1,
        # A route that names one record, and not a list which happens to have one line.
        holds(log.c.leaf, b"_id}"),
        ~holds(log.c.leaf, b'"purp":"HCOMPL"'),
    )
    .group_by(log.c.actor, _REFERENCE, _DAY)
)

_BEGINS = func.date_bin(
    cast(bindparam(None, _QUARTER, Text()), Interval()), log.c.at, bindparam(None, _EPOCH, DateTime(timezone=True))
).label("begins")
QUARTERS: Final = (
    select(log.c.actor, log.c.programme, _BEGINS, _ENTRIES, _FIRST, _LAST)
    .select_from(_with_clients)
    .where(*_IN_SPAN, _DONE, _NAMES_SOMEBODY)
    .group_by(log.c.actor, log.c.programme, literal_column("3"))
)

_ref = func.unnest(disclosure.c.refs).table_valued("reference", name="ref").render_derived().lateral()
SHOWN: Final = (
    select(log.c.actor, _DAY, _ENTRIES, _FIRST, _LAST, func.count(distinct(_ref.c.reference)).label("clients"))
    .select_from(_with_clients_by_day.join(_ref, literal_column("true")))
    .where(*_IN_SPAN, _DONE, log.c.event != func.all(bindparam("but", type_=ARRAY(Text()))))
    .group_by(log.c.actor, _DAY)
)
TOLD: Final = (
    select(log.c.actor, _DAY, _ENTRIES, _FIRST, _LAST, _NOBODY)
    .select_from(_by_day)
    .where(*_IN_SPAN, log.c.event == any_(bindparam("events", type_=ARRAY(Text()))))
    .group_by(log.c.actor, _DAY)
)
REFUSED: Final = (
    select(log.c.actor, _DAY, _ENTRIES, _FIRST, _LAST, _NOBODY)
    .select_from(_by_day)
    .where(*_IN_SPAN, _NOT_DONE, or_(holds(log.c.leaf, b'"st":403,'), holds(log.c.leaf, b'"st":404,')))
    .group_by(log.c.actor, _DAY)
)

_end = (
    func.unnest(bindparam("actors", type_=ARRAY(Text())), bindparam("ended", type_=ARRAY(Uuid())))
    .table_valued(column("actor", Text()), column("ended", Uuid()), name="ending")
    .render_derived()
)
AFTER: Final = (
    select(log.c.actor, _DAY, _ENTRIES, _FIRST, _LAST, _NOBODY)
    .select_from(_by_day.join(_end, _end.c.actor == log.c.actor))
    .where(*_IN_SPAN, log.c.entry_id >= _end.c.ended)
    .group_by(log.c.actor, _DAY)
)
_wanted = (
    func.unnest(
        bindparam("refs", type_=ARRAY(LargeBinary())),
        bindparam("since", type_=_INSTANTS),
        bindparam("until", type_=_INSTANTS),
    )
    .table_valued(
        column("reference", LargeBinary()),
        column("since", DateTime(timezone=True)),
        column("until", DateTime(timezone=True)),
        name="wanted",
    )
    .render_derived()
)
_named = (
    func.unnest(
        bindparam("named_refs", type_=ARRAY(LargeBinary())),
        bindparam("named", type_=ARRAY(Text())),
        bindparam("named_since", type_=_INSTANTS),
        bindparam("named_until", type_=_INSTANTS),
    )
    .table_valued(
        column("reference", LargeBinary()),
        column("actor", Text()),
        column("since", DateTime(timezone=True)),
        column("until", DateTime(timezone=True)),
        name="named",
    )
    .render_derived()
)
RESTRICTED: Final = (
    select(
        log.c.actor,
        _wanted.c.reference,
        _DAY,
        _ENTRIES,
        _FIRST,
        _LAST,
        literal_column("1", BigInteger()).label("clients"),
    )
    .select_from(_with_clients_by_day.join(_wanted, _wanted.c.reference == any_(disclosure.c.refs)))
    .where(
        *_IN_SPAN,
        _DONE,
        log.c.at >= _wanted.c.since,
        func.coalesce(log.c.at < _wanted.c.until, true()),
        ~holds(log.c.leaf, b'"purp":"HCOMPL"'),
        ~holds(log.c.leaf, b'"purp":"BTG"'),
        ~exists().where(
            _named.c.reference == _wanted.c.reference,
            _named.c.actor == log.c.actor,
            log.c.at >= _named.c.since,
            func.coalesce(log.c.at < _named.c.until, true()),
        ),
    )
    .group_by(log.c.actor, _wanted.c.reference, _DAY)
)
ACTOR: Final = select(log.c.actor).where(
    log.c.entry_id == bindparam("entry", type_=Uuid()), func.length(log.c.actor) == _IDENTIFIER_LENGTH, _IN_SCOPE
)
