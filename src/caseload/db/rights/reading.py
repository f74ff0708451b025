"""The one statement by which requests are read, and what its rows say."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, Row, and_, select

from caseload.db.access import within_reach
from caseload.db.rights.amending import AMENDING, about, amended, asked_along
from caseload.db.rights.contacting import CONTACTING, contact
from caseload.db.tables.caseload import client
from caseload.db.tables.rights import rights_answer, rights_put_off, rights_request, rights_statement
from caseload.db.tables.rights_agreed import (
    rights_contact,
    rights_contact_end,
    rights_restriction,
    rights_restriction_end,
    rights_restriction_termination,
)
from caseload.db.tables.rights_amended import rights_amendment, rights_asked_along, rights_dispute, rights_entry
from caseload.domain.consent import Category, CheckMethod, IdentityCheck, Purpose, Recipient, RecipientClass
from caseload.domain.ids import ClientId, ProgrammeId, RelatedPersonId, RightsRequestId, StaffId
from caseload.domain.profiles.rights import DenialGround, RightKind
from caseload.domain.rights import (
    Agreed,
    AskedFor,
    EndedHow,
    Outcome,
    PutOff,
    Restricting,
    RestrictionEnd,
    RightsAnswer,
    RightsRequest,
    Side,
    Statement,
    Termination,
)


def _of_side(statement: FromClause, side: Side) -> ColumnElement[bool]:
    return and_(statement.c.request_id == rights_request.c.id, statement.c.side == side.value)


_disagreement, _rebuttal = rights_statement.alias("disagreement"), rights_statement.alias("rebuttal")

EVERY: Final = (
    select(
        *rights_request.c,
        rights_put_off.c.until_on,
        rights_put_off.c.reason,
        rights_put_off.c.told_on,
        rights_put_off.c.recorded_by.label("put_off_by"),
        rights_put_off.c.recorded_at.label("put_off_at"),
        rights_answer.c.outcome,
        rights_answer.c.ground,
        rights_answer.c.rule.label("answer_rule"),
        rights_answer.c.says.label("answer_says"),
        rights_answer.c.recorded_by.label("answered_by"),
        rights_answer.c.recorded_at.label("answered_at"),
        _disagreement.c.says.label("disagreement_says"),
        _disagreement.c.recorded_by.label("disagreement_by"),
        _disagreement.c.recorded_at.label("disagreement_at"),
        _rebuttal.c.says.label("rebuttal_says"),
        _rebuttal.c.recorded_by.label("rebuttal_by"),
        _rebuttal.c.recorded_at.label("rebuttal_at"),
        rights_restriction.c.categories.label("restricts"),
        rights_restriction.c.purposes.label("restricts_for"),
        rights_restriction.c.person_id.label("restricts_person"),
        rights_restriction.c.name.label("restricts_name"),
        rights_restriction.c.group.label("restricts_group"),
        rights_restriction_end.c.how.label("ended_how"),
        rights_restriction_end.c.says.label("end_says"),
        rights_restriction_end.c.recorded_by.label("ended_by"),
        rights_restriction_end.c.recorded_at.label("ended_at"),
        rights_restriction_termination.c.told_at.label("terminated_told_at"),
        rights_restriction_termination.c.says.label("termination_says"),
        rights_restriction_termination.c.rule.label("termination_rule"),
        rights_restriction_termination.c.recorded_by.label("terminated_by"),
        rights_restriction_termination.c.recorded_at.label("terminated_at"),
        *CONTACTING,
        *AMENDING,
    )
    .select_from(rights_request)
    .join(client, client.c.id == rights_request.c.client_id)
    .outerjoin(rights_put_off, rights_put_off.c.request_id == rights_request.c.id)
    .outerjoin(rights_answer, rights_answer.c.request_id == rights_request.c.id)
    .outerjoin(rights_restriction, rights_restriction.c.request_id == rights_request.c.id)
    .outerjoin(rights_restriction_end, rights_restriction_end.c.request_id == rights_request.c.id)
    .outerjoin(rights_restriction_termination, rights_restriction_termination.c.request_id == rights_request.c.id)
    .outerjoin(rights_contact, rights_contact.c.request_id == rights_request.c.id)
    .outerjoin(rights_contact_end, rights_contact_end.c.request_id == rights_request.c.id)
    .outerjoin(rights_entry, rights_entry.c.request_id == rights_request.c.id)
    .outerjoin(rights_amendment, rights_amendment.c.request_id == rights_request.c.id)
    .outerjoin(rights_dispute, rights_dispute.c.request_id == rights_request.c.id)
    .outerjoin(rights_asked_along, rights_asked_along.c.request_id == rights_request.c.id)
    .outerjoin(_disagreement, _of_side(_disagreement, Side.DISAGREEMENT))
    .outerjoin(_rebuttal, _of_side(_rebuttal, Side.REBUTTAL))
    .where(within_reach())
)
"""Every request of clients within reach; a row is what `request_of` reads."""


def request_of(row: Row[*tuple[Any, ...]]) -> RightsRequest:
    """The request that a row of `EVERY` tells of."""
    put_off = answer = None
    if row.put_off_at is not None:
        put_off = PutOff(
            until=row.until_on, reason=row.reason, told_on=row.told_on, by=StaffId(row.put_off_by), at=row.put_off_at
        )
    if row.answered_at is not None:
        answer = RightsAnswer(
            outcome=Outcome(row.outcome),
            ground=None if row.ground is None else DenialGround(row.ground),
            rule=row.answer_rule,
            says=row.answer_says,
            by=StaffId(row.answered_by),
            at=row.answered_at,
        )
    return RightsRequest(
        id=RightsRequestId(row.id),
        client=ClientId(row.client_id),
        programme=ProgrammeId(row.programme_id),
        asked=AskedFor(
            kind=RightKind(row.kind),
            says=row.says,
            received_at=row.received_at,
            check=IdentityCheck(method=CheckMethod(row.check_method), detail=row.check_detail),
            representative=None if row.representative_id is None else RelatedPersonId(row.representative_id),
            is_self_paid=row.is_self_paid,
            about=about(row),
        ),
        received_on=row.received_on,
        rule=row.rule,
        due_on=row.due_on,
        recorded_by=StaffId(row.recorded_by),
        recorded_at=row.recorded_at,
        put_off=put_off,
        answer=answer,
        statements=tuple(_statements(row)),
        agreed=_agreed(row),
        contact=contact(row),
        amended=amended(row),
        disputed=tuple(Category(each) for each in row.disputed or ()),
        asked_along=asked_along(row),
    )


def _agreed(row: Row[*tuple[Any, ...]]) -> Agreed | None:
    if row.restricts is None:
        return None
    recipient = None
    if any(each is not None for each in (row.restricts_person, row.restricts_name, row.restricts_group)):
        recipient = Recipient(
            person=None if row.restricts_person is None else RelatedPersonId(row.restricts_person),
            name=row.restricts_name,
            group=None if row.restricts_group is None else RecipientClass(row.restricts_group),
        )
    end = None
    if row.ended_at is not None:
        end = RestrictionEnd(how=EndedHow(row.ended_how), says=row.end_says, by=StaffId(row.ended_by), at=row.ended_at)
    restricting = Restricting(
        categories=tuple(Category(each) for each in row.restricts),
        recipient=recipient,
        purposes=tuple(Purpose(each) for each in row.restricts_for),
    )
    restriction = restricting.agreed(RightsRequestId(row.id))
    if row.terminated_at is None:
        return Agreed(restriction=restriction, end=end)
    termination = Termination(
        told_at=row.terminated_told_at,
        says=row.termination_says,
        rule=row.termination_rule,
        by=StaffId(row.terminated_by),
        at=row.terminated_at,
    )
    return Agreed(restriction=replace(restriction, until=termination.told_at), end=end, termination=termination)


def _statements(row: Row[*tuple[Any, ...]]) -> Iterator[Statement]:
    for side, says, by, at in (
        (Side.DISAGREEMENT, row.disagreement_says, row.disagreement_by, row.disagreement_at),
        (Side.REBUTTAL, row.rebuttal_says, row.rebuttal_by, row.rebuttal_at),
    ):
        if at is not None:
            yield Statement(side=side, says=says, by=StaffId(by), at=at)
