"""What the survivor would lack of what protects the client, or whoever orders, rings, writes or tells something."""

from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, Select, and_, exists, func, literal, or_, select

from caseload.db.agreed import standing_contacts, standing_restrictions
from caseload.db.merge.lines import DUPLICATE, NOW, SURVIVOR, line
from caseload.db.periods import running
from caseload.db.tables.family import related_person_version, related_person_warning
from caseload.db.tables.family_link import related_person_link
from caseload.db.tables.flag import flag, flag_end
from caseload.db.tables.restriction import restriction
from caseload.db.tables.rights import rights_answer, rights_request
from caseload.domain.family import WarningKind
from caseload.domain.merge import OpenKind
from caseload.domain.outreach import LOCAL_DIGITS

_flag, _same = flag.alias("of_duplicate_flag"), flag.alias("of_survivor_flag")
_end, _same_end = flag_end.alias("flag_is_over"), flag_end.alias("same_is_over")
_restricted = restriction.alias("other_restriction")
_contact, _agreed_contact = standing_contacts("of_duplicate_contact"), standing_contacts("of_survivor_contact")
_told, _agreed = standing_restrictions("of_duplicate_agreed"), standing_restrictions("of_survivor_agreed")


def _forbids_as_much(one: FromClause, other: FromClause) -> ColumnElement[bool]:
    """It forbids to the same recipient whatever the other forbids, and for as long; whether two lists of people name one, people say."""
    return and_(
        one.c.categories.bool_op("@>")(other.c.categories),
        one.c.purposes == other.c.purposes,
        one.c.name.is_not_distinct_from(other.c.name),
        one.c.group.is_not_distinct_from(other.c.group),
        one.c.person_id.is_(None) == other.c.person_id.is_(None),
        or_(one.c.until.is_(None), one.c.until >= other.c.until),
        or_(one.c.is_self_paid, ~other.c.is_self_paid),
    )


_warning, _other_warning = related_person_warning.alias("warned"), related_person_warning.alias("other_warned")
_person, _other_person = related_person_version.alias("person"), related_person_version.alias("other_person")


def _warned_of(warning: FromClause, person: FromClause, newer: str) -> ColumnElement[bool]:
    """The warning stands, and this is what is known now of the person whom it is about."""
    later = related_person_version.alias(newer)
    return and_(
        warning.c.lifted_at.is_(None),
        person.c.person_id == warning.c.person_id,
        ~exists().where(later.c.person_id == person.c.person_id, later.c.version > person.c.version),
    )


def _plain(column: ColumnElement[Any]) -> ColumnElement[str]:
    return func.btrim(func.regexp_replace(func.lower(func.coalesce(column, "")), r"\W+", " ", "g"))


def _digits(column: ColumnElement[Any]) -> ColumnElement[str]:
    return func.right(func.regexp_replace(func.coalesce(column, ""), r"\D", "", "g"), LOCAL_DIGITS)


def _closes_as_much(one: FromClause, its: FromClause, other: FromClause, whom: FromClause) -> ColumnElement[bool]:
    """It is as grave, of somebody of the same name, and knows the number, address and household that close ways to the client."""
    return and_(
        or_(one.c.kind == other.c.kind, one.c.kind == WarningKind.DOMESTIC_RISK.value),
        _plain(its.c.name) == _plain(whom.c.name),
        or_(_digits(whom.c.phone) == "", _digits(its.c.phone) == _digits(whom.c.phone)),
        or_(_plain(whom.c.address) == "", _plain(its.c.address) == _plain(whom.c.address)),
        or_(its.c.in_household, ~whom.c.in_household),
    )


_same_link = related_person_link.alias("of_survivor_link")
_IS_UNANSWERED = exists().where(
    rights_request.c.client_id == DUPLICATE, ~exists().where(rights_answer.c.request_id == rights_request.c.id)
)
_IS_NOT_LINKED = exists().where(
    related_person_link.c.client_id == DUPLICATE,
    related_person_link.c.undone_at.is_(None),
    ~exists().where(
        _same_link.c.client_id == SURVIVOR,
        _same_link.c.own_client_id == related_person_link.c.own_client_id,
        _same_link.c.undone_at.is_(None),
    ),
)
_FOR_THE_PRIVACY_OFFICER: Select[*tuple[Any, ...]] = select(
    literal(OpenKind.PRIVACY_OFFICER.value).label("kind"), DUPLICATE.label("record")
).where(or_(_IS_UNANSWERED, _IS_NOT_LINKED))
"""One line, whatever it is, and it names the registration: whoever confirms reads neither a request nor who else is a client."""

LACKING: Final = (
    line(
        OpenKind.FLAG,
        _flag.c.id,
        _flag,
        _flag.c.client_id == DUPLICATE,
        ~exists().where(_end.c.flag_id == _flag.c.id),
        ~exists().where(
            _same.c.client_id == SURVIVOR,
            _same.c.kind == _flag.c.kind,
            func.lower(_same.c.what) == func.lower(_flag.c.what),
            ~exists().where(_same_end.c.flag_id == _same.c.id),
        ),
    ),
    line(
        OpenKind.WARNING,
        _warning.c.id,
        _warning.join(_person, _warned_of(_warning, _person, "newer")),
        _warning.c.client_id == DUPLICATE,
        ~exists().where(
            _other_warning.c.client_id == SURVIVOR,
            _warned_of(_other_warning, _other_person, "other_newer"),
            _closes_as_much(_other_warning, _other_person, _warning, _person),
        ),
    ),
    line(
        OpenKind.RESTRICTION,
        restriction.c.id,
        restriction,
        restriction.c.client_id == DUPLICATE,
        running(restriction.c.period, NOW),
        ~exists().where(_restricted.c.client_id == SURVIVOR, running(_restricted.c.period, NOW)),
    ),
    line(
        OpenKind.AGREED_CONTACT,
        _contact.c.request_id,
        _contact,
        _contact.c.client_id == DUPLICATE,
        ~exists().where(_agreed_contact.c.client_id == SURVIVOR),
    ),
    line(
        OpenKind.AGREED_RESTRICTION,
        _told.c.request_id,
        _told,
        _told.c.client_id == DUPLICATE,
        ~exists().where(_agreed.c.client_id == SURVIVOR, _forbids_as_much(_agreed, _told)),
    ),
    _FOR_THE_PRIVACY_OFFICER,
)
