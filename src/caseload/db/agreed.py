"""What was agreed with clients and stands: the one definition, for whoever decides by it.

An agreement stands until the client gives it up or, of a contact, another one replaces it. That a programme ended a restriction by
itself ends nothing of what came into the record before the client was told (45 CFR 164.522(a)(2)(iii)(B)): it stands `until` then.
"""

from sqlalchemy import Subquery, exists, select

from caseload.db.tables.rights import rights_request
from caseload.db.tables.rights_agreed import (
    rights_contact,
    rights_contact_end,
    rights_restriction,
    rights_restriction_end,
    rights_restriction_termination,
)


def standing_restrictions(name: str) -> Subquery:
    """Every restriction that stands, with `until`, which is null while the programme has not ended it, and `is_self_paid`."""
    until = (
        select(rights_restriction_termination.c.told_at)
        .where(rights_restriction_termination.c.request_id == rights_restriction.c.request_id)
        .correlate(rights_restriction)
        .scalar_subquery()
    )
    is_self_paid = (
        select(rights_request.c.is_self_paid)
        .where(rights_request.c.id == rights_restriction.c.request_id)
        .correlate(rights_restriction)
        .scalar_subquery()
    )
    return (
        select(*rights_restriction.c, until.label("until"), is_self_paid.label("is_self_paid"))
        .where(~exists().where(rights_restriction_end.c.request_id == rights_restriction.c.request_id))
        .subquery(name)
    )


def standing_contacts(name: str) -> Subquery:
    """Every agreement on how a client is reached that stands; of one client at most one."""
    return (
        select(rights_contact)
        .where(~exists().where(rights_contact_end.c.request_id == rights_contact.c.request_id))
        .subquery(name)
    )
