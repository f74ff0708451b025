"""Requests of clients in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, Uuid, bindparam, exists, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db import locks
from caseload.db.access import reach_of
from caseload.db.consent import hold_what_may_be_told
from caseload.db.merge import Merges
from caseload.db.outreach import KeptContacts
from caseload.db.periods import running
from caseload.db.rights.amending import answered, naming
from caseload.db.rights.contacting import agreed, end_contact
from caseload.db.rights.entries import has_entry
from caseload.db.rights.reading import EVERY, request_of
from caseload.db.tables.accessreport import access_report, access_report_release
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client
from caseload.db.tables.family import related_person, related_person_involvement
from caseload.db.tables.recordcopy import record_copy_release
from caseload.db.tables.rights import rights_accounting, rights_answer, rights_put_off, rights_request, rights_statement
from caseload.db.tables.rights_agreed import rights_restriction, rights_restriction_end, rights_restriction_termination
from caseload.db.tables.rights_amended import rights_asked_along
from caseload.domain.access import Act
from caseload.domain.client import RegistrationClosed
from caseload.domain.consent import Recipient
from caseload.domain.family import InvolvementKind
from caseload.domain.ids import ClientId, RelatedPersonId, RightsRequestId
from caseload.domain.journal import Journal
from caseload.domain.outreach import Contact
from caseload.domain.people import Staff
from caseload.domain.profiles.rights import RightKind
from caseload.domain.rights import (
    AlreadyAskedAlong,
    Answering,
    AskedAlong,
    CannotBePutOff,
    ContactEnd,
    Entry,
    Fulfilled,
    Outcome,
    PutOff,
    Restricting,
    RestrictionEnd,
    RestrictionOver,
    RestrictionTerminated,
    RightsAnswer,
    RightsRequest,
    RightsRequestAnswered,
    RightsRequestUnknown,
    Side,
    Statement,
    StatementMade,
    Termination,
)

KIND: Final = "rights_request"
"""What the journal calls it."""
MOST: Final = 500
"""Open requests in one list: an office with more has another trouble than this list."""


_ONE = EVERY.where(rights_request.c.id == bindparam("request", type_=Uuid()))
_OF_CLIENT = EVERY.where(rights_request.c.client_id == bindparam("client", type_=Uuid())).order_by(
    rights_request.c.id.desc()
)
_OPEN = EVERY.where(rights_answer.c.request_id.is_(None)).order_by(rights_request.c.due_on).limit(MOST + 1)
_HOLD_REGISTRATION = (
    select(client.c.id)
    .where(client.c.id == bindparam("client", type_=Uuid()))
    .with_for_update(key_share=True, read=True)
)
_ACTS_FOR = select(
    exists().where(
        related_person_involvement.c.person_id == bindparam("person", type_=Uuid()),
        related_person_involvement.c.client_id == bindparam("client", type_=Uuid()),
        related_person_involvement.c.kind == InvolvementKind.LEGAL_REPRESENTATIVE.value,
        running(related_person_involvement.c.period, bindparam("at", type_=INSTANT)),
    )
)
_IS_LISTED = select(
    exists().where(
        related_person.c.id == bindparam("person", type_=Uuid()),
        related_person.c.client_id == bindparam("client", type_=Uuid()),
    )
)
_REPORTS_RELEASED = (
    select(access_report_release.c.withheld)
    .join(access_report, access_report.c.id == access_report_release.c.report_id)
    .where(
        access_report.c.client_id == bindparam("client", type_=Uuid()),
        access_report.c.prepared_at >= bindparam("since"),
    )
    .order_by(access_report.c.id.desc())
    .limit(1)
)
_COPY_RELEASED = select(record_copy_release.c.withheld, record_copy_release.c.unsaid).where(
    record_copy_release.c.request_id == bindparam("request", type_=Uuid())
)
_ACCOUNTING_MADE = select(exists().where(rights_accounting.c.request_id == bindparam("request", type_=Uuid())))


class KeptRights:
    """Satisfies `domain.rights.Answers`."""

    def __init__(self, connection: AsyncConnection, journal: Journal, *, now: datetime) -> None:
        self._connection = connection
        self._journal = journal
        self._now = now
        self._contacts = KeptContacts(connection, journal)

    async def acts_for(self, person: RelatedPersonId, of: ClientId, *, at: datetime) -> bool:
        """See `domain.rights.RightsRequests.acts_for`."""
        given = {"person": person, "client": of, "at": at}
        return bool((await self._connection.execute(_ACTS_FOR, given)).scalar_one())

    async def has_entry(self, entry: Entry, of: ClientId) -> bool:
        """See `domain.rights.RightsRequests.has_entry`."""
        return await has_entry(self._connection, entry, of)

    async def add(self, new: RightsRequest) -> None:
        """See `domain.rights.RightsRequests.add`."""
        await self._connection.execute(
            insert(rights_request).values(
                id=new.id,
                client_id=new.client,
                programme_id=new.programme,
                kind=new.asked.kind,
                says=new.asked.says,
                received_at=new.asked.received_at,
                received_on=new.received_on,
                representative_id=new.asked.representative,
                check_method=new.asked.check.method,
                check_detail=new.asked.check.detail,
                is_self_paid=new.asked.is_self_paid,
                rule=new.rule,
                due_on=new.due_on,
                recorded_by=new.recorded_by,
                recorded_at=new.recorded_at,
            )
        )
        for named in naming(new):
            await self._connection.execute(named)

    async def get(self, wanted: RightsRequestId, *, by: Staff, act: Act) -> RightsRequest:
        """One request of a client within reach; or `RightsRequestUnknown`."""
        row = (await self._connection.execute(_ONE, {"request": wanted, **self._reach(by, act)})).first()
        if row is None:
            raise RightsRequestUnknown
        return self._seen(row)

    async def hold(self, wanted: RightsRequestId, *, by: Staff, act: Act) -> RightsRequest:
        """See `domain.rights.RightsRequests.hold`."""
        await locks.hold(self._connection, f"rights request {wanted}")
        return await self.get(wanted, by=by, act=act)

    async def of_client(self, of: ClientId, *, by: Staff, act: Act) -> Sequence[RightsRequest]:
        """Everything that a client has asked for, the last first."""
        self._journal.saw(of, KIND)
        rows = await self._connection.execute(_OF_CLIENT, {"client": of, **self._reach(by, act)})
        return [self._seen(row) for row in rows]

    async def open_requests(self, *, by: Staff, act: Act) -> Sequence[RightsRequest]:
        """See `domain.rights.RightsRequests.open_requests`. A privacy officer's duty, so their reach counts here."""
        return [self._seen(row) for row in await self._connection.execute(_OPEN, self._reach(by, act))]

    async def add_put_off(self, request: RightsRequestId, put_off: PutOff) -> None:
        """See `domain.rights.RightsRequests.add_put_off`."""
        try:
            await self._connection.execute(
                insert(rights_put_off).values(
                    request_id=request,
                    until_on=put_off.until,
                    reason=put_off.reason,
                    told_on=put_off.told_on,
                    recorded_by=put_off.by,
                    recorded_at=put_off.at,
                )
            )
        except IntegrityError as twice:
            raise CannotBePutOff("Read the request for its last day.") from twice

    async def fulfilled(self, request: RightsRequest) -> Fulfilled | None:
        """See `domain.rights.Answers.fulfilled`."""
        if request.asked.kind is RightKind.RECORD_COPY:
            row = (await self._connection.execute(_COPY_RELEASED, {"request": request.id})).first()
            return None if row is None else Fulfilled(withheld=row.withheld, unsaid=row.unsaid)
        if request.asked.kind is RightKind.ACCOUNTING:
            made = (await self._connection.execute(_ACCOUNTING_MADE, {"request": request.id})).scalar_one()
            return Fulfilled(withheld=0) if made else None
        given = {"client": request.client, "since": request.asked.received_at}
        lines = (await self._connection.execute(_REPORTS_RELEASED, given)).scalar_one_or_none()
        return None if lines is None else Fulfilled(withheld=lines)

    async def is_listed(self, person: RelatedPersonId, of: ClientId) -> bool:
        """See `domain.rights.Restrictions.is_listed`."""
        return bool((await self._connection.execute(_IS_LISTED, {"person": person, "client": of})).scalar_one())

    async def hold_registration(self, of: ClientId, *, by: Staff, act: Act) -> None:
        """See `domain.rights.Answers.hold_registration`. A merge that is being confirmed is waited for."""
        await self._connection.execute(_HOLD_REGISTRATION, {"client": of})
        merges = Merges(self._connection, self._journal, now=self._now)
        is_closed, survivor = await merges.closed_into(of, reach=by.reach(act))
        if is_closed:
            raise RegistrationClosed(survivor)

    async def add_answer(self, request: RightsRequest, answer: RightsAnswer, answering: Answering) -> None:
        """See `domain.rights.Answers.add_answer`."""
        try:
            await self._connection.execute(
                insert(rights_answer).values(
                    request_id=request.id,
                    outcome=answer.outcome,
                    ground=answer.ground,
                    rule=answer.rule,
                    says=answer.says,
                    recorded_by=answer.by,
                    recorded_at=answer.at,
                )
            )
        except IntegrityError as twice:
            raise RightsRequestAnswered from twice
        if answering.restricts is not None:
            await self._restrict(request, answer, answering.restricts)
        for more in (*agreed(request, answer, answering), *answered(request, answer, answering)):
            await self._connection.execute(more)

    async def contact(self, of: ClientId) -> Contact:
        """See `domain.rights.AgreedContacts.contact`."""
        return await self._contacts.contact(of)

    async def add_contact(self, contact: Contact) -> None:
        """See `domain.outreach.Contacts.add_contact`."""
        await self._contacts.add_contact(contact)

    async def end_contact(self, request: RightsRequestId, end: ContactEnd) -> None:
        """See `domain.rights.AgreedContacts.end_contact`."""
        await end_contact(self._connection, request, end)

    async def add_asked_along(self, request: RightsRequest, asked: AskedAlong) -> None:
        """See `domain.rights.Amendments.add_asked_along`."""
        await hold_what_may_be_told(self._connection, request.client)
        try:
            await self._connection.execute(
                insert(rights_asked_along).values(
                    request_id=request.id, says=asked.says, recorded_by=asked.by, recorded_at=asked.at
                )
            )
        except IntegrityError as twice:
            raise AlreadyAskedAlong from twice

    async def end_restriction(self, request: RightsRequest, end: RestrictionEnd) -> None:
        """See `domain.rights.Restrictions.end_restriction`."""
        await hold_what_may_be_told(self._connection, request.client)
        try:
            await self._connection.execute(
                insert(rights_restriction_end).values(
                    request_id=request.id, how=end.how, says=end.says, recorded_by=end.by, recorded_at=end.at
                )
            )
        except IntegrityError as twice:
            raise RestrictionOver from twice

    async def terminate_restriction(self, request: RightsRequest, termination: Termination) -> None:
        """See `domain.rights.Restrictions.terminate_restriction`."""
        await hold_what_may_be_told(self._connection, request.client)
        try:
            await self._connection.execute(
                insert(rights_restriction_termination).values(
                    request_id=request.id,
                    told_at=termination.told_at,
                    says=termination.says,
                    rule=termination.rule,
                    recorded_by=termination.by,
                    recorded_at=termination.at,
                )
            )
        except IntegrityError as twice:
            raise RestrictionTerminated from twice

    async def _restrict(self, request: RightsRequest, answer: RightsAnswer, restricting: Restricting) -> None:
        """Whoever is telling something about the client now is waited for; whoever comes later obeys it."""
        await hold_what_may_be_told(self._connection, request.client)
        recipient = restricting.recipient or Recipient()
        await self._connection.execute(
            insert(rights_restriction).values(
                request_id=request.id,
                kind=request.asked.kind,
                client_id=request.client,
                outcome=answer.outcome,
                categories=sorted(restricting.categories),
                purposes=sorted(restricting.purposes),
                person_id=recipient.person,
                name=recipient.name,
                group=recipient.group,
                recorded_by=answer.by,
                recorded_at=answer.at,
            )
        )

    async def add_statement(self, request: RightsRequest, statement: Statement) -> None:
        """See `domain.rights.Statements.add_statement`. Whoever is telling something about the client now is waited for."""
        await hold_what_may_be_told(self._connection, request.client)
        replies_to = Side.DISAGREEMENT if statement.side is Side.REBUTTAL else None
        try:
            await self._connection.execute(
                insert(rights_statement).values(
                    request_id=request.id,
                    side=statement.side,
                    outcome=Outcome.DENIED,
                    replies_to=replies_to,
                    says=statement.says,
                    recorded_by=statement.by,
                    recorded_at=statement.at,
                )
            )
        except IntegrityError as twice:
            raise StatementMade from twice

    def _reach(self, by: Staff, act: Act) -> dict[str, object]:
        return reach_of(by.reach(act), at=self._now, by_identifier=True)

    def _seen(self, row: Row[*tuple[Any, ...]]) -> RightsRequest:
        self._journal.saw(ClientId(row.client_id), KIND)
        return request_of(row)
