"""Take-home decisions and their suspensions in PostgreSQL."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import (
    Date,
    Uuid,
    any_,
    bindparam,
    case,
    exists,
    func,
    insert,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of, within_reach
from caseload.db.direct import Named
from caseload.db.dosing.taken import is_of_kind, is_taken
from caseload.db.medication.record import KIND, MedicationRecords
from caseload.db.programme import zone_at
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client, episode
from caseload.db.tables.dosing import dose
from caseload.db.tables.programme import programme
from caseload.db.tables.takehome import take_home_decision, take_home_suspension
from caseload.db.tables.transfer import client_transfer
from caseload.db.takehome.suspending import IS_NEWEST
from caseload.domain.access import Act
from caseload.domain.ids import ClientId, DoseId, ProgrammeId, StaffId, SuspensionId, TakeHomeDecisionId
from caseload.domain.medication import MedicationRecord
from caseload.domain.medicines import Medicine
from caseload.domain.people import Staff
from caseload.domain.signature import Signature
from caseload.domain.takehome import (
    Answer,
    Criterion,
    DecisionReplaced,
    Suspension,
    TakeHomeDecision,
    TakeHomeDecisionUnknown,
)

_OF_SUSPENSION = tuple(
    column.label(f"suspension_{column.name}") for column in take_home_suspension.c if column.name != "signature_id"
)
DECISIONS: Final = select(
    *(column for column in take_home_decision.c if column.name != "signature_id"), *_OF_SUSPENSION
).select_from(
    take_home_decision.outerjoin(take_home_suspension, take_home_suspension.c.decision_id == take_home_decision.c.id)
)
OF_CLIENT: Final = DECISIONS.where(take_home_decision.c.client_id == bindparam("client")).order_by(
    take_home_decision.c.decided_at.desc(), take_home_decision.c.id.desc()
)
NEWEST_OF_CLIENT: Final = DECISIONS.where(take_home_decision.c.client_id == bindparam("client"), IS_NEWEST)
IN_FORCE: Final = DECISIONS.where(
    take_home_decision.c.client_id == any_(bindparam("clients", type_=ARRAY(Uuid()))),
    IS_NEWEST,
    take_home_suspension.c.id.is_(None),
    take_home_decision.c.days > 0,
    take_home_decision.c.review_on >= bindparam("day", type_=Date()),
).order_by(take_home_decision.c.client_id, take_home_decision.c.medicine)
_ONE = DECISIONS.join(client, client.c.id == take_home_decision.c.client_id).where(
    take_home_decision.c.id == bindparam("decision"), within_reach()
)

_CLIENT, _DAY = bindparam("client", type_=Uuid()), bindparam("day", type_=Date())
_now = episode.c.period.op("@>")(bindparam("at", type_=INSTANT))
_last = (
    select(func.max(func.upper(episode.c.period)).label("at")).where(episode.c.client_id == _CLIENT).subquery("last")
)
_ENDED_ON = (
    select(func.timezone(zone_at(_last.c.at), _last.c.at).cast(Date()))
    .select_from(client.join(programme, programme.c.id == client.c.programme_id).join(_last, true()))
    .where(client.c.id == _CLIENT)
    .scalar_subquery()
)
_begun = func.lower(episode.c.period) <= bindparam("at", type_=INSTANT)
_went_on = exists().where(client_transfer.c.into_episode_id == episode.c.id)
"""It goes on from another programme's: the treatment began before it."""
_FROM = (
    select(
        func.coalesce(
            case((func.bool_or(_now), func.max(episode.c.admitted_on).filter(_begun, ~_went_on))),
            _ENDED_ON,
            func.make_date(1, 1, 1),
        )
    )
    .where(episode.c.client_id == _CLIENT)
    .scalar_subquery()
)
BEGAN: Final = select(
    func.min(
        union_all(
            *(
                select(func.min(dose.c.dosing_day).label("day")).where(
                    dose.c.client_id == _CLIENT,
                    dose.c.dosing_day <= _DAY,
                    dose.c.dosing_day >= _FROM,
                    is_taken(dose),
                    kind,
                )
                for kind in is_of_kind()
            )
        )
        .subquery("firsts")
        .c.day
    )
)
"""The first dosing day of the episode, with those before it from which the client was transferred; after a discharge of what
follows on it, else of everything."""

_THESE = DECISIONS.where(take_home_decision.c.id == any_(bindparam("wanted", type_=ARRAY(Uuid()))))
_ENDED_BY = DECISIONS.where(take_home_suspension.c.id == any_(bindparam("wanted", type_=ARRAY(Uuid()))))
_ADD = insert(take_home_decision)
_SUSPEND = insert(take_home_suspension)


class TakeHomeDecisions(MedicationRecords):
    """Satisfies `domain.takehome.decision.TakeHomeDecisions`."""

    async def treatment_began(self, record: MedicationRecord, day: date) -> date | None:
        """See `domain.takehome.decision.TakeHomeDecisions.treatment_began`."""
        given = {"client": record.client, "day": day, "at": self._now}
        self._journal.saw(record.client, KIND)
        return (await self._connection.execute(BEGAN, given)).scalar_one()

    async def decision_in_force(self, wanted: ClientId, medicine: Medicine) -> TakeHomeDecision | None:
        """See `domain.takehome.decision.TakeHomeDecisions.decision_in_force`."""
        return (await self.newest_decisions(wanted)).get(medicine)

    async def newest_decisions(self, wanted: ClientId) -> Mapping[Medicine, TakeHomeDecision]:
        """The newest decision of a client about each medicine."""
        rows = (await self._connection.execute(NEWEST_OF_CLIENT, {"client": wanted})).mappings().all()
        self._journal.saw(wanted, KIND)
        return {Medicine(row["medicine"]): decision_of(row) for row in rows}

    async def take_home_decisions_of(self, wanted: ClientId) -> Sequence[TakeHomeDecision]:
        """Every take-home decision about a client, newest first."""
        rows = (await self._connection.execute(OF_CLIENT, {"client": wanted})).mappings().all()
        self._journal.saw(wanted, KIND)
        return [decision_of(row) for row in rows]

    async def may_take_home(
        self, clients: Sequence[ClientId], day: date
    ) -> Mapping[ClientId, Sequence[TakeHomeDecision]]:
        """The decisions in force on a day by which clients may take something home: neither suspended nor to be reviewed.

        Whoever asks has been let through to the clients.
        """
        found: dict[ClientId, list[TakeHomeDecision]] = defaultdict(list)
        rows = (await self._connection.execute(IN_FORCE, {"clients": list(clients), "day": day})).mappings().all()
        for row in rows:
            self._journal.saw(ClientId(row["client_id"]), KIND)
            found[ClientId(row["client_id"])].append(decision_of(row))
        return found

    async def take_home_decision(self, wanted: TakeHomeDecisionId, *, by: Staff, act: Act) -> TakeHomeDecision:
        """See `domain.takehome.decision.TakeHomeDecisions.take_home_decision`."""
        given = {"decision": wanted, **reach_of(by.reach(act), at=self._now)}
        row = (await self._connection.execute(_ONE, given)).mappings().first()
        if row is None:
            raise TakeHomeDecisionUnknown
        found = decision_of(row)
        self._journal.saw(found.client, KIND)
        return found

    async def add_take_home_decision(self, decision: TakeHomeDecision, signature: Signature) -> None:
        """See `domain.takehome.decision.TakeHomeDecisions.add_take_home_decision`."""
        await self.add(signature)
        await self._connection.execute(
            _ADD,
            {
                "id": decision.id,
                "client_id": decision.client,
                "programme_id": decision.programme,
                "medicine": decision.medicine,
                "days": decision.days,
                **{criterion.value: answer.met for criterion, answer in decision.answers.items()},
                **{f"{criterion}_note": answer.note for criterion, answer in decision.answers.items()},
                "rationale": decision.rationale,
                "review_on": decision.review_on,
                "decided_on": decision.decided_on,
                "decided_by": decision.decided_by,
                "decided_at": decision.decided_at,
                "day_of_treatment": decision.day_of_treatment,
                "first_dose_on": decision.first_dose_on,
                "ceiling_days": decision.ceiling_days,
                "ceiling_rule": decision.ceiling_rule,
                "profile": decision.profile,
                "profile_version": decision.profile_version,
                "signature_id": signature.id,
            },
        )

    async def add_suspension(self, suspension: Suspension, signature: Signature) -> None:
        """See `domain.takehome.decision.TakeHomeDecisions.add_suspension`."""
        await self.add(signature)
        try:
            await self._connection.execute(
                _SUSPEND,
                {
                    "id": suspension.id,
                    "decision_id": suspension.decision,
                    "client_id": suspension.client,
                    "programme_id": suspension.programme,
                    "reason": suspension.reason,
                    "review_on": suspension.review_on,
                    "suspended_by": suspension.suspended_by,
                    "suspended_at": suspension.suspended_at,
                    "profile": suspension.profile,
                    "profile_version": suspension.profile_version,
                    "signature_id": signature.id,
                },
            )
        except IntegrityError as raced:
            raise DecisionReplaced from raced


async def take_homes_named(connection: AsyncConnection, wanted: Sequence[UUID]) -> Sequence[TakeHomeDecision]:
    """These decisions, whoever asks: for the verifier of signatures."""
    return [decision_of(row) for row in (await connection.execute(_THESE, {"wanted": list(wanted)})).mappings()]


async def suspensions_named(connection: AsyncConnection, wanted: Sequence[UUID]) -> Sequence[Suspension]:
    """These suspensions, whoever asks: for the verifier of signatures."""
    rows = (await connection.execute(_ENDED_BY, {"wanted": list(wanted)})).mappings()
    return [_suspension(row) for row in rows]


def decision_of(row: Named) -> TakeHomeDecision:
    """The decision in a row of `DECISIONS`, with its suspension."""
    return TakeHomeDecision(
        id=TakeHomeDecisionId(row["id"]),
        client=ClientId(row["client_id"]),
        programme=ProgrammeId(row["programme_id"]),
        medicine=Medicine(row["medicine"]),
        days=row["days"],
        answers={each: Answer(met=row[each.value], note=row[f"{each}_note"]) for each in Criterion},
        rationale=row["rationale"],
        review_on=row["review_on"],
        decided_on=row["decided_on"],
        decided_by=StaffId(row["decided_by"]),
        decided_at=row["decided_at"],
        day_of_treatment=row["day_of_treatment"],
        first_dose_on=row["first_dose_on"],
        ceiling_days=row["ceiling_days"],
        ceiling_rule=row["ceiling_rule"],
        profile=row["profile"],
        profile_version=row["profile_version"],
        suspension=None if row["suspension_id"] is None else _suspension(row),
    )


def _suspension(row: Named) -> Suspension:
    return Suspension(
        id=SuspensionId(row["suspension_id"]),
        decision=TakeHomeDecisionId(row["suspension_decision_id"]),
        client=ClientId(row["suspension_client_id"]),
        programme=ProgrammeId(row["suspension_programme_id"]),
        reason=row["suspension_reason"],
        review_on=row["suspension_review_on"],
        suspended_by=StaffId(row["suspension_suspended_by"]),
        suspended_at=row["suspension_suspended_at"],
        profile=row["suspension_profile"],
        profile_version=row["suspension_profile_version"],
        by_rule=row["suspension_by_rule"],
        dose=None if row["suspension_dose_id"] is None else DoseId(row["suspension_dose_id"]),
        missed=row["suspension_missed"],
    )
