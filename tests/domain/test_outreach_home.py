"""Which ways to a client are closed because a safety warning stands about somebody at their number or in their home."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseload.domain.family import WarningKind
from caseload.domain.ids import ClientId, RightsRequestId, new_id
from caseload.domain.outreach import AgreedContact, Channel, Contact, Reachable, Skipped, Warned, way, ways_to
from caseload.domain.outreach.home import is_same_address, is_same_number
from caseload.domain.profiles.outreach import OutreachStep

HOME = Reachable(allowed=frozenset(Channel), telephone="555 0100", address="1 Example Street")
CONTACT = Contact(client=ClientId(new_id()), version=1, said=HOME)
BY_TELEPHONE = (Channel.TELEPHONE, Channel.VOICEMAIL, Channel.TEXT)
RISK, NO_CALL = WarningKind.DOMESTIC_RISK, WarningKind.DO_NOT_CALL


@pytest.mark.parametrize(
    ("warned", "closed", "beware"),
    [
        (Warned(kind=RISK, address="1 example street, Springfield"), (Channel.POST, Channel.VISIT), RISK),
        (Warned(kind=RISK, in_household=True), (Channel.POST, Channel.VISIT), RISK),
        (Warned(kind=RISK, phone="+1 555-0100"), BY_TELEPHONE, RISK),
        (Warned(kind=RISK, phone="555 0199", address="9 Other Road"), (), None),
        (Warned(kind=NO_CALL, phone="5550100"), BY_TELEPHONE, NO_CALL),
        (Warned(kind=NO_CALL, address="1 Example Street"), (), NO_CALL),
        (Warned(kind=NO_CALL, in_household=True), (), NO_CALL),
        (Warned(kind=RISK), (), None),
    ],
)
def test_a_warning_closes_what_it_reaches(
    warned: Warned, closed: tuple[Channel, ...], beware: WarningKind | None
) -> None:
    ways = ways_to(replace(CONTACT, warned=(warned,)))

    assert (ways.closed, ways.beware) == (closed, beware)
    assert set(ways.by) == set(Channel) - set(closed)


def test_the_graver_warning_is_said_and_both_close() -> None:
    both = (Warned(kind=NO_CALL, phone="555 0100"), Warned(kind=RISK, in_household=True))

    ways = ways_to(replace(CONTACT, warned=both))

    assert (ways.by, ways.beware) == ((), RISK)
    assert (ways.telephone, ways.address) == (None, None)


def test_a_step_that_a_warning_leaves_no_way_is_skipped_and_says_so() -> None:
    at_home = replace(CONTACT, warned=(Warned(kind=RISK, in_household=True),))

    assert way(OutreachStep.LETTER, at_home) is Skipped.WARNED_OF
    assert way(OutreachStep.NEXT_DAY, at_home) == (Channel.TELEPHONE, Channel.VOICEMAIL)
    only_text = replace(at_home, said=replace(HOME, allowed=frozenset({Channel.TEXT})))
    assert way(OutreachStep.LETTER, only_text) is Skipped.NO_ALLOWED_CHANNEL


def test_where_it_was_agreed_the_warning_is_about_what_was_agreed() -> None:
    elsewhere = Reachable(allowed=frozenset({Channel.POST}), address="PO Box 9")
    agreed = AgreedContact(request=RightsRequestId(new_id()), to=elsewhere)

    ways = ways_to(replace(CONTACT, agreed=agreed, warned=(Warned(kind=RISK, address="1 Example Street"),)))

    assert (ways.by, ways.closed, ways.beware, ways.address) == ((Channel.POST,), (), None, "PO Box 9")


@given(
    allowed=st.frozensets(st.sampled_from(Channel)),
    kind=st.sampled_from(WarningKind),
    phone=st.booleans(),
    home=st.booleans(),
)
def test_what_is_closed_is_never_used(
    *, allowed: frozenset[Channel], kind: WarningKind, phone: bool, home: bool
) -> None:
    warned = Warned(kind=kind, phone="555 0100" if phone else None, in_household=home)
    ways = ways_to(replace(CONTACT, said=replace(HOME, allowed=allowed), warned=(warned,)))

    assert not set(ways.by) & set(ways.closed)
    assert set(ways.by) | set(ways.closed) == allowed
    assert (ways.telephone is None) == (not set(ways.by) & set(BY_TELEPHONE))
    assert (ways.address is None) == (not set(ways.by) & {Channel.POST, Channel.VISIT})


def test_what_is_not_there_is_the_same_as_nothing() -> None:
    assert is_same_number("(303) 555-0100", "555 0100")
    assert not is_same_number(None, None)
    assert not is_same_number("", "555 0100")
    assert not is_same_address(None, None)
    assert not is_same_address("-", "1 Example Street")
