"""Clients in PostgreSQL."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Row, Uuid, any_, bindparam, exists, func, insert, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db import locks
from caseload.db.access import reach_of, within_reach
from caseload.db.tables.caseload import (
    client,
    client_identifier,
    client_identity,
    match_decision,
    match_decision_use,
)
from caseload.db.tables.merge import client_merge_side
from caseload.domain.access import Reach
from caseload.domain.client import (
    Client,
    ClientUnknown,
    Identifier,
    IdentifierKind,
    Identity,
    IdentityChanged,
    Likely,
    ProbableMatch,
    Sex,
    Wanted,
)
from caseload.domain.ids import ClientId, MatchDecisionId, ProgrammeId, StaffId, new_id
from caseload.domain.journal import Journal
from caseload.domain.merge import Side, Standing

LIKE_ENOUGH: Final = 0.55
"""Trigram similarity of two whole names, on one date of birth, from which they are taken for one person."""

_newest = client_identity.alias("newest")
_newer = client_identity.alias("newer")
_searched = client_identity.alias("searched")

_IS_NEWEST = ~exists().where(_newer.c.client_id == _newest.c.client_id, _newer.c.version > _newest.c.version)

_NUMBERS = func.array(
    select(client_identifier.c.kind + ":" + client_identifier.c.value)
    .where(client_identifier.c.client_id == client.c.id)
    .order_by(client_identifier.c.kind, client_identifier.c.value)
    .scalar_subquery()
)

_CLIENT = (
    select(
        client.c.id,
        client.c.programme_id,
        client.c.registered_by,
        client.c.recorded_at,
        client.c.has_merges,
        _newest.c.version,
        _newest.c.given_name,
        _newest.c.family_name,
        _newest.c.birth_date,
        _newest.c.birth_date_estimated,
        _newest.c.sex,
        _NUMBERS.label("numbers"),
    )
    .join(_newest, _newest.c.client_id == client.c.id)
    .where(_IS_NEWEST)
)

_GET = _CLIENT.where(client.c.id == bindparam("client"), within_reach())

_WITHIN_REACH = _CLIENT.where(within_reach())

_MATCH_DECISION = (
    select(match_decision.c.id)
    .where(
        match_decision.c.likeness == bindparam("likeness"),
        match_decision.c.recorded_at >= bindparam("since"),
        ~exists().where(match_decision_use.c.decision_id == match_decision.c.id),
    )
    .order_by(match_decision.c.recorded_at)
    .limit(1)
)

_survivor = client.alias("survivor")
_SURVIVORS = (
    select(client_merge_side.c.client_id, client_merge_side.c.survivor_id, within_reach(_survivor).label("is_seen"))
    .join(_survivor, _survivor.c.id == client_merge_side.c.survivor_id)
    .where(
        client_merge_side.c.client_id == any_(bindparam("clients", type_=ARRAY(Uuid()))),
        client_merge_side.c.side == Side.DUPLICATE.value,
        client_merge_side.c.standing == Standing.MERGED.value,
    )
)

_LIKE = (
    select(
        client.c.id,
        client.c.programme_id,
        _newest.c.given_name,
        _newest.c.family_name,
        _newest.c.birth_date,
        _newest.c.birth_date_estimated,
        _newest.c.sex,
        _NUMBERS.label("numbers"),
    )
    .join(_newest, _newest.c.client_id == client.c.id)
    .where(
        _IS_NEWEST,
        or_(
            client.c.id.in_(
                select(_searched.c.client_id).where(
                    _searched.c.birth_date == bindparam("birth_date"),
                    func.similarity(_searched.c.whole_name, func.lower(bindparam("name"))) >= LIKE_ENOUGH,
                )
            ),
            client.c.id.in_(
                select(client_identifier.c.client_id).where(
                    client_identifier.c.kind + ":" + func.lower(client_identifier.c.value)
                    == func.any(bindparam("numbers"))
                )
            ),
        ),
    )
    .order_by(client.c.id)
    .limit(50)
)


class Clients:
    """Satisfies `domain.client.Clients`."""

    def __init__(self, connection: AsyncConnection, journal: Journal, *, now: datetime) -> None:
        self._connection = connection
        self._journal = journal
        self._now = now

    async def add(self, new: Client) -> None:
        """See `domain.client.Clients.add`."""
        await self._connection.execute(
            insert(client).values(
                id=new.id, programme_id=new.programme, registered_by=new.registered_by, recorded_at=new.registered_at
            )
        )
        await self._insert_identity(
            new.id, new.identity, version=1, reason=None, by=new.registered_by, at=new.registered_at
        )
        if new.identifiers:
            try:
                await self._connection.execute(
                    insert(client_identifier),
                    [
                        {
                            "client_id": new.id,
                            "kind": each.kind,
                            "value": each.value.strip(),
                            "recorded_by": new.registered_by,
                            "recorded_at": new.registered_at,
                        }
                        for each in new.identifiers
                    ],
                )
            except IntegrityError as taken:
                raise ProbableMatch from taken

    async def _insert_identity(
        self, of: ClientId, identity: Identity, *, version: int, reason: str | None, by: StaffId, at: datetime
    ) -> None:
        await self._connection.execute(
            insert(client_identity).values(
                client_id=of,
                version=version,
                given_name=identity.given_name.strip(),
                family_name=identity.family_name.strip(),
                birth_date=identity.birth_date,
                birth_date_estimated=identity.birth_date_estimated,
                sex=identity.sex,
                reason=reason,
                recorded_by=by,
                recorded_at=at,
            )
        )

    async def get(self, wanted: ClientId, *, reach: Reach, shows_survivor: bool = False) -> Client:
        """See `domain.client.Clients.get`."""
        row = (
            await self._connection.execute(
                _GET, {"client": wanted, **reach_of(reach, at=self._now, by_identifier=True)}
            )
        ).first()
        if row is None:
            raise ClientUnknown
        self._journal.saw(wanted, "identity")
        if not shows_survivor:
            return _client(row)
        [found] = await self._with_survivors([row], reach=reach, by_identifier=True)
        return found

    async def add_identity(
        self, of: ClientId, identity: Identity, *, version: int, reason: str, by: StaffId, at: datetime
    ) -> None:
        """See `domain.client.Clients.add_identity`."""
        try:
            await self._insert_identity(of, identity, version=version, reason=reason, by=by, at=at)
        except IntegrityError as raced:
            raise IdentityChanged("Read the client again and decide whether the correction still holds.") from raced

    async def search(self, wanted: Wanted, *, reach: Reach, limit: int) -> Sequence[Client]:
        """See `domain.client.Clients.search`."""
        statement = _WITHIN_REACH.limit(limit)
        given = reach_of(reach, at=self._now, by_identifier=wanted.is_one)
        if wanted.name is not None:
            name = func.lower(bindparam("name"))
            given["name"] = wanted.name.strip()
            matching = select(_searched.c.client_id).where(_searched.c.whole_name.op("%>")(name))
            statement = statement.where(client.c.id.in_(matching)).order_by(
                func.word_similarity(name, _newest.c.whole_name).desc(), client.c.id
            )
        if wanted.birth_date is not None:
            given["birth_date"] = wanted.birth_date
            born = select(_searched.c.client_id).where(_searched.c.birth_date == bindparam("birth_date"))
            statement = statement.where(client.c.id.in_(born))
        if wanted.identifier is not None:
            given["number"] = wanted.identifier.strip()
            numbered = select(client_identifier.c.client_id).where(
                client_identifier.c.kind.in_(tuple(IdentifierKind)),
                func.lower(client_identifier.c.value) == func.lower(bindparam("number")),
            )
            statement = statement.where(client.c.id.in_(numbered))
        rows = (await self._connection.execute(statement, given)).all()
        for row in rows:
            self._journal.saw(row.id, "identity")
        return await self._with_survivors(rows, reach=reach, by_identifier=wanted.is_one)

    async def _with_survivors(
        self, rows: Sequence[Row[*tuple[Any, ...]]], *, reach: Reach, by_identifier: bool
    ) -> Sequence[Client]:
        """The clients of these rows; of a registration that is closed, the one that is used."""
        asked = [row.id for row in rows if row.has_merges]
        if not asked:
            return [_client(row) for row in rows]
        given = {"clients": asked, **reach_of(reach, at=self._now, by_identifier=by_identifier)}
        closed = {row.client_id: row for row in (await self._connection.execute(_SURVIVORS, given)).all()}
        found: list[Client] = []
        for row in rows:
            into = closed.get(row.id)
            survivor = ClientId(into.survivor_id) if into is not None and into.is_seen else None
            if survivor is not None:
                self._journal.saw(survivor, "identity")
            found.append(replace(_client(row), is_closed=into is not None, survivor=survivor))
        return found

    async def like(self, identity: Identity, identifiers: Sequence[Identifier]) -> Sequence[Likely]:
        """See `domain.client.Clients.like`. Whoever is not shown the result does not cause an entry about them."""
        numbers = [f"{each.kind}:{each.value.strip().lower()}" for each in identifiers]
        rows = await self._connection.execute(
            _LIKE,
            {
                "birth_date": identity.birth_date,
                "name": f"{identity.given_name.strip()} {identity.family_name.strip()}",
                "numbers": numbers,
            },
        )
        return [
            Likely(
                client=ClientId(row.id),
                programme=ProgrammeId(row.programme_id),
                identity=_identity(row),
                because="identifier" if set(numbers) & {n.lower() for n in row.numbers} else "name and date of birth",
            )
            for row in rows
        ]

    async def hold_still(self, born: date) -> None:
        """See `domain.client.Clients.hold_still`. Whom `like` takes for one person share a date of birth."""
        await locks.hold(self._connection, f"registration {born}")

    async def match_decision(self, identity: Identity, *, since: datetime) -> MatchDecisionId | None:
        """See `domain.client.Clients.match_decision`."""
        found = await self._connection.execute(_MATCH_DECISION, {"likeness": identity.likeness, "since": since})
        decision = found.scalar_one_or_none()
        return None if decision is None else MatchDecisionId(decision)

    async def use_match_decision(self, decision: MatchDecisionId, *, by: ClientId) -> None:
        """See `domain.client.Clients.use_match_decision`."""
        try:
            await self._connection.execute(insert(match_decision_use).values(decision_id=decision, client_id=by))
        except IntegrityError as used:
            raise ProbableMatch from used

    async def keep_match_decision(self, identity: Identity, *, reason: str, by: StaffId, at: datetime) -> None:
        """See `domain.client.Clients.keep_match_decision`."""
        await self._connection.execute(
            insert(match_decision).values(
                id=new_id(), likeness=identity.likeness, reason=reason, decided_by=by, recorded_at=at
            )
        )


def _identity(row: Row[*tuple[Any, ...]]) -> Identity:
    return Identity(
        given_name=row.given_name,
        family_name=row.family_name,
        birth_date=row.birth_date,
        birth_date_estimated=row.birth_date_estimated,
        sex=Sex(row.sex),
    )


def _client(row: Row[*tuple[Any, ...]]) -> Client:
    numbers = (number.partition(":") for number in row.numbers)
    return Client(
        id=ClientId(row.id),
        programme=ProgrammeId(row.programme_id),
        identity=_identity(row),
        version=row.version,
        identifiers=tuple(Identifier(kind=IdentifierKind(kind), value=value) for kind, _, value in numbers),
        registered_by=StaffId(row.registered_by),
        registered_at=row.recorded_at,
    )
