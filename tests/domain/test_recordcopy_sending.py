"""Where a copy of a record goes: to the client as they are reached, whatever else is on file."""

from dataclasses import replace

import pytest

from caseload.domain.ids import ClientId, RightsRequestId, new_id
from caseload.domain.outreach import AgreedContact, Channel, Contact, Reachable
from caseload.domain.recordcopy import HandedOver, NotThatWay, Releasing
from caseload.domain.recordcopy.copying import posted_to

HOME = Reachable(allowed=frozenset({Channel.POST}), address="1 Example Street")
CONTACT = Contact(client=ClientId(new_id()), version=1, said=HOME)
AGREED = AgreedContact(
    request=RightsRequestId(new_id()), to=Reachable(allowed=frozenset({Channel.POST}), address="PO Box 9")
)


def released(manner: HandedOver, *, to_representative: bool = False) -> Releasing:
    return Releasing(to_representative=to_representative, manner=manner, detail="Seen.")


@pytest.mark.parametrize("manner", HandedOver)
def test_to_whoever_acts_for_the_client_it_goes_where_they_say(manner: HandedOver) -> None:
    assert posted_to(released(manner, to_representative=True), replace(CONTACT, agreed=AGREED)) is None


def test_it_is_posted_where_the_client_is_reached_or_not_at_all() -> None:
    assert posted_to(released(HandedOver.POST), CONTACT) == "1 Example Street"
    assert posted_to(released(HandedOver.POST), replace(CONTACT, agreed=AGREED)) == "PO Box 9"
    for never in (Contact(client=CONTACT.client, version=0), replace(CONTACT, said=Reachable())):
        with pytest.raises(NotThatWay):
            posted_to(released(HandedOver.POST), never)


def test_nothing_electronic_leaves_where_something_else_was_agreed() -> None:
    assert posted_to(released(HandedOver.ELECTRONIC), CONTACT) is None
    with pytest.raises(NotThatWay):
        posted_to(released(HandedOver.ELECTRONIC), replace(CONTACT, agreed=AGREED))
    assert posted_to(released(HandedOver.IN_PERSON), replace(CONTACT, agreed=AGREED)) is None
