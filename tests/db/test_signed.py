"""Every signature is verified against its seal, its row, its record and its act: whatever is altered in one of them shows.

What the service itself cannot do, the owner of the tables does here: that is whom the seal is there for.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from caseload.audit.keystore import KeyName
from caseload.db.engine import make_engine
from caseload.db.signature import Signatures
from caseload.db.signed import ACTS, STORED, SignedRecords
from caseload.db.tables.base import complete
from caseload.domain.dosing import Dose
from caseload.domain.ids import DoseId, SignatureId
from caseload.domain.medication import stop_order
from caseload.domain.people import Proof
from caseload.domain.signature import Meaning, Signature, Subject, sign, verifying
from caseload.domain.signature.verifying import Failed, Flaw, Verified, verify
from caseload.request.seals import Seals
from caseload.settings import Secret, Settings
from tests.db.test_dosing import correct
from tests.db.test_signoff import DAY, STEPS, try_to
from tests.db.test_signoff import sign as sign_off
from tests.factories.audit import KeysInMemory
from tests.factories.seals import SEALS
from tests.factories.window import MORNING, Window, proof, window

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def owners(anyio_backend: object, owner_dsn: str) -> AsyncIterator[AsyncEngine]:
    made = make_engine(Settings(database_url=Secret(owner_dsn)), application_name="caseload-test-owner")
    yield made
    await made.dispose()


@pytest.fixture
async def owner(owners: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Whoever owns the tables, in a transaction that is rolled back, with nothing in the way of an update."""
    async with owners.connect() as opened:
        transaction = await opened.begin()
        yield opened
        await transaction.rollback()


@dataclass(frozen=True)
class Two:
    """Two signed doses of two clients."""

    here: Window
    first: Dose
    second: Dose
    signatures: tuple[Signature, Signature]

    @property
    def ids(self) -> list[SignatureId]:
        return [each.id for each in self.signatures]

    async def alter(self, *statements: str, third: DoseId | None = None) -> None:
        """Do something that only the owner of the tables can."""
        connection = self.here.connection
        await connection.execute(text("set constraints all immediate"))
        await connection.execute(text("set local session_replication_role = replica"))
        known = {
            "one": self.first.id,
            "two": self.second.id,
            "s1": self.ids[0],
            "s2": self.ids[1],
            "nurse": self.here.nurse.id,
            "third": third,
        }
        for statement in statements:
            given = {name: each for name, each in known.items() if f":{name}" in statement}
            await connection.execute(text(statement), given)

    async def failing(self) -> dict[SignatureId, set[str]]:
        found = await verified(self.here.connection)
        return {each.signature: set(each.flaws) for each in found.failed if each.subject is Subject.DOSE}


async def verified(connection: AsyncConnection, seals: Seals = SEALS) -> Verified:
    return await verify(SignedRecords(connection), seals.is_good, progress=lambda _: None)


async def two_signed(connection: AsyncConnection) -> Two:
    here = await window(connection)
    first = await here.give(await here.order())
    second = await here.give(await here.order(client=await here.another_client()))
    signed = (await sign_off(here, first, second)).signed
    return Two(here, first, second, (signed[first.id], signed[second.id]))


async def test_signatures_of_every_kind_under_doses_orders_stops_and_decisions_are_verified(
    connection: AsyncConnection,
) -> None:
    here = await window(connection, profile="AU")
    order = await here.order()
    await sign_off(here, await here.give(order))
    back = MORNING + 6 * DAY
    await here.allow(back.date(), at=back, at_most_mg="30")
    await correct(here, await here.give(order, at=back, amount_mg="30"), at=back)
    await stop_order(
        order.id,
        "Moves away.",
        by=here.prescriber,
        proof=proof(here.prescriber, back),
        now=back,
        orders=here.doses(back),
        journal=here.journal,
    )
    found = await verified(connection)
    assert (found.signatures, found.failed, found.is_whole) == (5, [], True)


async def test_a_database_without_signatures_is_whole(connection: AsyncConnection) -> None:
    assert (await verified(connection)).is_whole


ALTERED = {
    "the amount of the dose that was signed": (
        ["update clinic.dose set amount_mg = 90, amount_ml = 90 where id = :one"],
        {0: {Flaw.CONTENT}},
    ),
    "the name that the signature shows": (
        ["update clinic.signature set printed_name = 'Dr Somebody Else' where id = :s1"],
        {0: {Flaw.SHOWN}},
    ),
    "the time that the signature shows": (
        ["update clinic.signature set signed_at = signed_at - interval '1 day' where id = :s1"],
        {0: {Flaw.SHOWN, Flaw.ACT}},
    ),
    "the bytes that were signed, with a new digest": (
        [
            """update clinic.signature set signed_bytes = altered.bytes, digest = sha256(altered.bytes)
            from (select convert_to(replace(convert_from(signed_bytes, 'UTF8'), '"60.000"', '"90.000"'), 'UTF8') as bytes
                  from clinic.signature where id = :s1) altered where id = :s1""",
            "update clinic.dose set amount_mg = 90, amount_ml = 90 where id = :one",
        ],
        {0: {Flaw.SEAL}},
    ),
    "the bytes that were signed, without one": (
        [
            "alter table clinic.signature drop constraint signature_digest_check",
            "update clinic.signature set signed_bytes = 'anything' where id = :s1",
        ],
        {0: {Flaw.SEAL, Flaw.DIGEST}},
    ),
    "bytes that are none of ours": (
        ["update clinic.signature set signed_bytes = '[]', digest = sha256('[]') where id = :s1"],
        {0: {Flaw.SEAL, Flaw.FORMAT}},
    ),
    "bytes that are no JSON": (
        ["update clinic.signature set signed_bytes = '{', digest = sha256('{') where id = :s1"],
        {0: {Flaw.SEAL, Flaw.FORMAT}},
    ),
    "bytes without a content": (
        [
            """update clinic.signature set signed_bytes = '{"subject":{"content": 1.5}}',
            digest = sha256('{"subject":{"content": 1.5}}') where id = :s1"""
        ],
        {0: {Flaw.SEAL, Flaw.FORMAT}},
    ),
    "the number of the format": (
        ["update clinic.signature set format_version = 2 where id = :s1"],
        {0: {Flaw.FORMAT}},
    ),
    "the record that the signature lies under": (
        ["update clinic.signature set subject_id = :two where id = :s1"],
        {0: {Flaw.SHOWN, Flaw.CONTENT, Flaw.ACT}},
    ),
    "a record that is gone": (
        [
            "delete from clinic.dose where id = :one",
        ],
        {0: {Flaw.NO_RECORD}},
    ),
    "two signatures, swapped under their acts": (
        [
            "alter table clinic.dose_review drop constraint dose_review_signature_id_key",
            """update clinic.dose_review
            set signature_id = case dose_id when cast(:one as uuid) then cast(:s2 as uuid) else cast(:s1 as uuid) end
            where dose_id in (cast(:one as uuid), cast(:two as uuid))""",
        ],
        {0: {Flaw.ACT}, 1: {Flaw.ACT}},
    ),
    "two seals, swapped": (
        [
            """update clinic.signature made set seal = other.seal from clinic.signature other
            where made.id in (:s1, :s2) and other.id in (:s1, :s2) and other.id <> made.id"""
        ],
        {0: {Flaw.SEAL}, 1: {Flaw.SEAL}},
    ),
    "the number of the key": (
        ["update clinic.signature set seal_key = 7 where id = :s2"],
        {1: {Flaw.SEAL}},
    ),
    "a seal that was taken off": (
        [
            "alter table clinic.signature drop constraint signature_seal_check",
            "update clinic.signature set seal = null, seal_key = null where id = :s2",
        ],
        {1: {Flaw.NOT_SEALED}},
    ),
    "who signed for the dose": (
        ["update clinic.dose_review set reviewed_by = :nurse where dose_id = :one"],
        {0: {Flaw.ACT}},
    ),
    "that the dose was signed for": (
        ["delete from clinic.dose_review where dose_id = :one"],
        {0: {Flaw.NO_ACT}},
    ),
    "one signature under two acts": (
        [
            "alter table clinic.dose_review drop constraint dose_review_signature_id_key",
            "update clinic.dose_review set signature_id = :s1 where dose_id = :two",
        ],
        {0: {Flaw.ACT}, 1: {Flaw.NO_ACT}},
    ),
}


@pytest.mark.parametrize("which", ALTERED)
async def test_whatever_is_altered_copied_or_swapped_in_the_database_fails_and_is_named(
    owner: AsyncConnection, which: str
) -> None:
    two = await two_signed(owner)
    assert await two.failing() == {}
    statements, expected = ALTERED[which]
    await two.alter(*statements)
    assert await two.failing() == {two.ids[place]: {flaw.value for flaw in flaws} for place, flaws in expected.items()}


async def test_a_signature_copied_to_another_dose_fails(owner: AsyncConnection) -> None:
    two = await two_signed(owner)
    third = await two.here.give(await two.here.order(client=await two.here.another_client()))
    await two.alter(
        """insert into clinic.signature
        select '00000000-0000-7000-8000-00000000abcd', subject, cast(:third as uuid), subject_version, signer_id, printed_name,
               role, registration, meaning, signed_at, methods, format_version, signed_bytes, digest, seal_key, seal
        from clinic.signature where id = :s1""",
        """insert into clinic.dose_review (dose_id, dose_version, verdict, reviewed_by, reviewed_at, signature_id)
        select cast(:third as uuid), 1, 'signed', reviewed_by, reviewed_at, '00000000-0000-7000-8000-00000000abcd'
        from clinic.dose_review where dose_id = :one""",
        third=third.id,
    )
    ((_, flaws),) = (await two.failing()).items()
    assert flaws == {Flaw.SHOWN.value, Flaw.CONTENT.value}, "the seal is good, and it is another dose's"


async def test_an_act_whose_signature_is_gone_is_named(owner: AsyncConnection) -> None:
    two = await two_signed(owner)
    await two.alter(
        "delete from clinic.signature where id = :s1",
    )
    (failed,) = (await verified(owner)).failed
    assert failed == Failed(
        signature=two.ids[0],
        subject=Subject.DOSE,
        record=two.first.id,
        version=1,
        flaws=("the signature that the act names is not there",),
    )


async def test_what_was_sealed_with_an_older_key_is_verified_as_long_as_the_key_is_kept(
    connection: AsyncConnection,
) -> None:
    here = await window(connection)
    dose, other = (
        await here.give(await here.order()),
        await here.give(await here.order(client=await here.another_client())),
    )
    keys = KeysInMemory()
    seals = Seals(keys)
    for each in (dose, other):
        made = sign(
            each.as_signed(),
            by=here.prescriber,
            role=here.prescriber.holdings[0].role,
            meaning=Meaning.REVIEWED,
            proof=Proof(staff=here.prescriber.id, at=MORNING, methods=("password",), sealing=seals.newest()),
            now=MORNING,
        )
        await Signatures(connection).add(made)
        keys.kept[KeyName.SIGNATURES, 2] = bytes(range(32))
    rows = await connection.execute(text("select seal_key from clinic.signature where subject = 'dose' order by id"))
    assert list(rows.scalars()) == [1, 2]

    async def unsealed(with_keys: Seals) -> int:
        found = await verified(connection, with_keys)
        return sum(Flaw.SEAL.value in each.flaws for each in found.failed if each.subject is Subject.DOSE)

    assert await unsealed(Seals(keys)) == 0
    del keys.kept[KeyName.SIGNATURES, 1]
    assert await unsealed(Seals(keys)) == 1


async def test_many_are_verified_in_pages_and_no_more_are_named_than_somebody_can_read(
    owner: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "PAGE", 2)
    monkeypatch.setattr(verifying, "MOST_NAMED", 1)
    two = await two_signed(owner)
    await two.alter("update clinic.signature set printed_name = 'Dr Somebody Else'")
    told: list[int] = []
    found = await verify(SignedRecords(owner), SEALS.is_good, progress=told.append)
    assert (told, found.signatures, len(found.failed), found.more, found.is_whole) == ([2, 4], 4, 1, 3, False)


def test_whatever_can_be_signed_can_be_verified() -> None:
    assert set(STORED) == set(ACTS) == set(Subject)
    naming = {
        table.name
        for table in complete().tables.values()
        for key in table.foreign_keys
        if key.column.table.name == "signature"
    }
    known = {str(each.selected_columns.signature_id).split(".")[-2] for acts in ACTS.values() for each in acts}
    assert naming == known, "a table names a signature: say in db/signed.py how it is verified"


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
async def test_whatever_people_do_every_signature_covers_what_is_stored(
    connection: AsyncConnection, steps: list[tuple[int, str]]
) -> None:
    async with connection.begin_nested() as nested:
        here = await window(connection)
        orders = [await here.order(client=await here.another_client()) for _ in range(3)]
        doses: dict[int, Dose] = {}
        for who, step in steps:
            if step == "give" and who not in doses:
                doses[who] = await here.give(orders[who])
            elif who in doses:
                await try_to(here, doses, who, step)
        found = await verified(connection)
        assert found.is_whole, found.failed
        assert found.signatures >= len(orders)
        await nested.rollback()
