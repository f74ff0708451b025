"""Consents as they are kept: complete, unchangeable, and ended only by rows of their own."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Table, insert, text
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.consent import Consents
from caseload.db.tables.consent import consent as consent_table
from caseload.db.tables.consent import consent_event, consent_recipient, consent_revocation
from caseload.domain.consent import (
    AlreadyRevoked,
    Category,
    Consent,
    ConsentKind,
    ConsentUnknown,
    EventAlreadyRecorded,
    EventHappened,
    Expiry,
    How,
    Purpose,
    Recipient,
    RecipientClass,
    Revocation,
    Signatory,
    Signature,
    forms,
)
from caseload.domain.family import InvolvementKind
from caseload.domain.ids import ClientId, ConsentId, new_id
from tests.factories import families
from tests.factories.families import MOTHER, Place, Seen, refused
from tests.factories.people import NOW

pytestmark = pytest.mark.anyio

SIGNED = NOW - timedelta(days=10)


@pytest.fixture
async def place(connection: AsyncConnection) -> Place:
    return await families.place(connection)


def consent(place: Place, client: ClientId, *recipients: Recipient, **changes: Any) -> Consent:
    made = Consent(
        id=ConsentId(new_id()),
        client=client,
        kind=ConsentKind.NAMED,
        form="uk-named-2024-01",
        form_digest=forms()["uk-named-2024-01"].digest,
        discloser=place.programme,
        recipients=recipients,
        categories=frozenset({Category.ATTENDANCE, Category.PLAN}),
        purposes=frozenset({Purpose.FAMILY_INVOLVEMENT}),
        expiry=Expiry(event="discharge"),
        expires_at=None,
        signature=Signature(signatory=Signatory.CLIENT, name="Sam Example", signed_at=SIGNED),
        recorded_at=NOW,
        recorded_by=place.recorder,
    )
    return replace(made, **changes)


async def settle(connection: AsyncConnection) -> None:
    """Check now what the database checks at the end of a transaction."""
    await connection.execute(text("set constraints all immediate"))


async def test_a_consent_comes_back_as_it_was_signed(place: Place) -> None:
    seen = Seen()
    consents = Consents(place.connection, seen)
    sam = await place.client()
    mother = await place.person(sam)
    guardian = await place.person(sam, MOTHER)
    await place.involved(guardian, InvolvementKind.LEGAL_REPRESENTATIVE)
    made = consent(
        place,
        sam,
        Recipient(person=mother.id),
        Recipient(name="Dr Example"),
        Recipient(group=RecipientClass.TREATING_PROVIDERS),
        expiry=Expiry(last_day=date(2027, 1, 31)),
        expires_at=datetime(2027, 2, 1, tzinfo=UTC),
        signature=Signature(
            signatory=Signatory.REPRESENTATIVE, name="G. Example", signed_at=SIGNED, representative=guardian.id
        ),
    )
    await consents.add(made)
    await settle(place.connection)
    assert await consents.get(made.id, client=sam) == made
    assert seen.clients == [(sam, "consent")]


async def test_the_list_holds_every_consent_of_one_client_the_newest_signature_first(place: Place) -> None:
    seen = Seen()
    consents = Consents(place.connection, seen)
    sam, alex = await place.client(), await place.client()
    doctor = Recipient(name="Dr Example")
    older, newer = consent(place, sam, doctor), consent(place, sam, doctor)
    newer = replace(newer, signature=replace(newer.signature, signed_at=SIGNED + timedelta(seconds=1)))
    for made in (newer, older, consent(place, alex, doctor)):
        await consents.add(made)
    assert await consents.of(sam) == [newer, older]
    assert seen.clients == [(sam, "consent")]
    with pytest.raises(ConsentUnknown):
        await consents.get(older.id, client=alex)


async def test_what_ended_a_consent_comes_back_with_it_and_ends_it_once(place: Place) -> None:
    consents = Consents(place.connection, Seen())
    sam = await place.client()
    made = consent(place, sam, Recipient(name="Dr Example"))
    await consents.add(made)
    revocation = Revocation(
        consent=made.id, how=How.SPOKEN, received_at=NOW, recorded_at=NOW, recorded_by=place.recorder, note="by phone"
    )
    event = EventHappened(
        consent=made.id, happened_at=NOW - timedelta(hours=1), recorded_at=NOW, recorded_by=place.recorder
    )
    await consents.add_revocation(revocation, of=made)
    await consents.add_event(event, of=made)
    kept = await consents.get(made.id, client=sam)
    assert (kept.revoked_at, kept.event_at) == (NOW, event.happened_at)
    for again, expected in (
        (lambda: consents.add_revocation(revocation, of=made), AlreadyRevoked),
        (lambda: consents.add_event(event, of=made), EventAlreadyRecorded),
    ):
        savepoint = await place.connection.begin_nested()
        with pytest.raises(expected):
            await again()
        await savepoint.rollback()


async def test_what_2_31_forbids_cannot_be_stored(place: Place) -> None:
    consents = Consents(place.connection, Seen())
    sam = await place.client()
    doctor = Recipient(name="Dr Example")
    early = Signature(signatory=Signatory.CLIENT, name="Sam Example", signed_at=NOW + timedelta(seconds=1))
    for wrong, constraint in (
        ({"expiry": Expiry(never=True)}, "only_operations_never_expire"),
        ({"expiry": Expiry()}, "one_expiry"),
        ({"expiry": Expiry(event="discharge", never=True)}, "one_expiry"),
        ({"expiry": Expiry(last_day=date(2027, 1, 1))}, "last_day_has_instant"),
        ({"expiry": Expiry(last_day=SIGNED.date()), "expires_at": SIGNED}, "expires_after_signature"),
        ({"categories": frozenset[Category]()}, "consent_categories_check"),
        ({"categories": frozenset({Category.BEING_HEARD})}, "consent_categories_check"),
        ({"categories": frozenset({Category.COUNSELLING_NOTES})}, "counselling_notes_alone"),
        ({"purposes": frozenset[Purpose]()}, "consent_purposes_check"),
        ({"purposes": frozenset({Purpose.LEGAL_PROCEEDINGS})}, "legal_proceedings_alone"),
        ({"kind": ConsentKind.LEGAL_PROCEEDINGS}, "legal_proceedings_alone"),
        ({"kind": ConsentKind.COUNSELLING_NOTES}, "counselling_notes_alone"),
        ({"kind": ConsentKind.TREATMENT_PAYMENT_OPERATIONS}, "legal_proceedings_alone"),
        ({"signature": early}, "not_in_the_future"),
        ({"signature": replace(early, signed_at=SIGNED, name=" ")}, "signed_name_not_blank"),
        ({"signature": replace(early, signed_at=SIGNED, signatory=Signatory.REPRESENTATIVE)}, "representative_named"),
        ({"form_digest": b"short"}, "form_digest"),
    ):
        made = replace(consent(place, sam, doctor), **wrong)
        await refused(place.connection, lambda made=made: consents.add(made), constraint)


async def test_a_recipient_belongs_to_the_client_and_never_to_a_consent_for_operations(place: Place) -> None:
    consents = Consents(place.connection, Seen())
    sam, alex = await place.client(), await place.client()
    mother = Recipient(person=(await place.person(sam)).id)
    await refused(place.connection, lambda: consents.add(consent(place, alex, mother)), "consent_recipient_person_fkey")
    operations = consent(
        place,
        sam,
        mother,
        kind=ConsentKind.TREATMENT_PAYMENT_OPERATIONS,
        purposes=frozenset({Purpose.PAYMENT}),
    )
    await refused(place.connection, lambda: consents.add(operations), "relatives_need_their_own")
    nobody = consent(place, sam, Recipient())
    await refused(place.connection, lambda: consents.add(nobody), "exactly_one")


async def test_nobody_is_added_to_a_consent_after_it_was_signed_and_nobody_is_left_out(place: Place) -> None:
    sam = await place.client()
    made = consent(place, sam, Recipient(name="Dr Example"), Recipient(name="Dr Other"))
    await Consents(place.connection, Seen()).add(made)
    third: dict[str, Any] = {
        "consent_id": made.id,
        "place": 3,
        "client_id": sam,
        "kind": "named",
        "recipient_count": 2,
        "name": "Dr Third",
    }
    for wrong, constraint in (({}, "place_check"), ({"recipient_count": 3}, "consent_recipient_consent_fkey")):
        statement = insert(consent_recipient).values(third | wrong)
        await refused(place.connection, lambda s=statement: place.connection.execute(s), constraint)
    await settle(place.connection)

    short = consent(place, sam, Recipient(name="Dr Example"))
    columns = "id, client_id, kind, form, form_digest, discloser_id, recipient_count, categories, purposes, "
    columns += "expiry_event, never_expires, signatory, signed_name, signed_at, recorded_by, recorded_at"
    copied = text(
        f"insert into clinic.consent ({columns}) select :id, {columns[4:]} from clinic.consent where id = :of"  # noqa: S608  columns of our own
    )
    savepoint = await place.connection.begin_nested()
    with pytest.raises(IntegrityError, match="signed for more recipients"):
        await place.connection.execute(copied, {"id": short.id, "of": made.id})
    await savepoint.rollback()


async def test_an_end_before_the_signature_or_for_a_consent_without_event_cannot_be_stored(place: Place) -> None:
    sam = await place.client()
    dated = consent(
        place,
        sam,
        Recipient(name="Dr Example"),
        expiry=Expiry(last_day=date(2027, 1, 31)),
        expires_at=datetime(2027, 2, 1, tzinfo=UTC),
    )
    await Consents(place.connection, Seen()).add(dated)
    by: dict[str, Any] = {
        "consent_id": dated.id,
        "signed_at": SIGNED,
        "recorded_by": place.recorder,
        "recorded_at": NOW,
    }
    before, after = SIGNED - timedelta(seconds=1), NOW + timedelta(seconds=1)
    revoked = insert(consent_revocation)
    for statement, constraint in (
        (revoked.values(by | {"how": "spoken", "received_at": before}), "received"),
        (revoked.values(by | {"how": "spoken", "received_at": after}), "received"),
        (revoked.values(by | {"how": "spoken", "received_at": before, "signed_at": before}), "consent_fkey"),
        (revoked.values(by | {"how": "hinted", "received_at": NOW}), "how"),
        (insert(consent_event).values(by | {"expiry_event": "discharge", "happened_at": NOW}), "consent_fkey"),
    ):
        await refused(place.connection, lambda s=statement: place.connection.execute(s), constraint)


@pytest.mark.parametrize("table", [consent_table, consent_recipient, consent_revocation, consent_event])
@pytest.mark.parametrize("verb", ["update clinic.{table} set {column} = null", "delete from clinic.{table}"])
async def test_nothing_kept_about_consents_can_be_changed_or_deleted(
    connection: AsyncConnection, table: Table, verb: str
) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        await connection.execute(text(verb.format(table=table.name, column=table.columns[0].name)))
