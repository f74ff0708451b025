"""Notes: who may do what with which version, and whether a text names somebody else of the group."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseload.domain.access import Act, Role
from caseload.domain.attendance import (
    Booking,
    Line,
    NotYourSession,
    Register,
    Session,
    SessionKind,
    Status,
    Wanted,
)
from caseload.domain.attendance.rules import LONGEST_SIGNING_HOURS, usual, usual_rules
from caseload.domain.errors import Invalid, NotPermitted
from caseload.domain.ids import ClientId, NoteId, ProgrammeId, RelativePlaceId, TherapySessionId, new_id
from caseload.domain.note import (
    Around,
    Note,
    NoteKind,
    NoteMoved,
    NoteNamesOthers,
    NoteStanding,
    NoteVoided,
    NotYourNote,
    OwnNote,
    SentBack,
    SignedAs,
    Voided,
    change_note,
    co_sign_note,
    named_in,
    send_back,
    sign_note,
    void_note,
    write_note,
)
from caseload.domain.note.note import LONGEST_REASON, LONGEST_TEXT
from caseload.domain.people import Proof, Staff
from caseload.domain.signature import NotRegistered, Signature
from tests.factories.checkin import Remembered
from tests.factories.seals import SEALING
from tests.factories.staff import somebody

pytestmark = pytest.mark.anyio

TEN = datetime(2026, 6, 1, 14, tzinfo=UTC)
HOUR = timedelta(hours=1)
NOW = TEN + 2 * HOUR
HERE = ProgrammeId(new_id())
ADA, BEN, CLEO = (ClientId(new_id()) for _ in range(3))
ROBIN, KIM = somebody((Role.COUNSELLOR, HERE)), somebody((Role.COUNSELLOR, HERE))
BOSS, OTHER = somebody((Role.SUPERVISOR, HERE)), somebody((Role.SUPERVISOR, HERE))
USUAL = usual_rules()
ASKS = replace(USUAL, notes_co_signed=True)


@dataclass
class Kept:
    """Notes in memory."""

    names: dict[ClientId, tuple[str, ...]] = field(default_factory=dict[ClientId, tuple[str, ...]])
    relatives: dict[RelativePlaceId, tuple[str, ...]] = field(default_factory=dict[RelativePlaceId, tuple[str, ...]])
    signatures: list[Signature] = field(default_factory=list[Signature])
    acts: list[object] = field(default_factory=list[object])
    named_others: list[bool] = field(default_factory=list[bool])

    async def add(self, signature: Signature) -> None:
        raise NotImplementedError

    async def hold(self, wanted: NoteId, *, by: Staff, act: Act) -> Note:
        raise NotImplementedError

    async def names_around(self, note: Note) -> Around:
        clients = {client: names for client, names in self.names.items() if client != note.client}
        return Around(clients=clients, relatives=self.relatives)

    async def add_note(self, note: Note) -> None:
        self.acts.append(note)

    async def add_version(self, changed: Note) -> None:
        self.acts.append(changed)

    async def add_signature(
        self, note: Note, signature: Signature, *, signed_as: SignedAs, names_others: bool, standing: NoteStanding
    ) -> None:
        self.signatures.append(signature)
        self.acts.append((signed_as, standing))
        self.named_others.append(names_others)

    async def add_sent_back(self, note: Note, sent_back: SentBack) -> None:
        self.acts.append(sent_back)

    async def add_voided(self, note: Note, voided: Voided) -> None:
        self.acts.append(voided)


def session(register: Register | None = None) -> Session:
    return Session(
        id=TherapySessionId(new_id()),
        programme=HERE,
        wanted=Wanted(
            kind=SessionKind.GROUP, title="Group", starts_at=TEN, ends_at=TEN + HOUR, facilitators=(ROBIN.id,)
        ),
        planned_by=ROBIN.id,
        planned_at=TEN - HOUR,
        roster=(Booking(client=ADA, booked_by=ROBIN.id, booked_at=TEN - HOUR),),
        register=register,
    )


def proof(of: Staff) -> Proof:
    return Proof(staff=of.id, at=NOW, methods=("password",), sealing=SEALING)


@dataclass
class Desk:
    """Somebody at work on notes."""

    kept: Kept = field(default_factory=Kept)
    journal: Remembered = field(default_factory=Remembered)

    async def write(
        self, client: ClientId | None = ADA, text: str = "Was well.", *, by: Staff = ROBIN, **said: Any
    ) -> Note:
        return await write_note(
            said.pop("session", None) or session(),
            client,
            NoteKind.PROGRESS,
            text,
            as_id=NoteId(new_id()),
            rules=USUAL,
            by=by,
            now=said.pop("now", NOW),
            notes=self.kept,
            journal=self.journal,
        )

    async def change(
        self, note: Note, text: str = "Was very well.", reason: str | None = None, *, by: Staff = ROBIN, **said: Any
    ) -> Note:
        return await change_note(
            note,
            text,
            reason,
            version=said.get("version", note.newest.number),
            rules=USUAL,
            by=by,
            now=said.get("now", NOW),
            notes=self.kept,
            journal=self.journal,
        )

    async def sign(self, note: Note, *, by: Staff = ROBIN, rules: Any = USUAL, **said: Any) -> Note:
        return await sign_note(
            note,
            said.get("version", note.newest.number),
            names_confirmed=said.get("names_confirmed", False),
            rules=rules,
            by=by,
            proof=proof(by),
            now=NOW,
            notes=self.kept,
            journal=self.journal,
        )

    async def co_sign(self, note: Note, *, by: Staff = BOSS, version: int | None = None) -> Note:
        return await co_sign_note(
            note,
            version or note.newest.number,
            by=by,
            proof=proof(by),
            now=NOW,
            notes=self.kept,
            journal=self.journal,
        )

    async def send_back(self, note: Note, reason: str = "Say more.", *, by: Staff = BOSS) -> Note:
        return await send_back(note, note.newest.number, reason, by=by, now=NOW, notes=self.kept, journal=self.journal)

    async def void(self, note: Note, reason: str = "Wrong client.", *, by: Staff = ROBIN) -> Note:
        return await void_note(note, reason, by=by, now=NOW, notes=self.kept, journal=self.journal)


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_a_note_is_begun_from_the_moment_its_session_begins(desk: Desk) -> None:
    note = await desk.write(now=TEN)
    assert (note.standing, note.newest.number, note.sign_by) == (NoteStanding.DRAFT, 1, TEN + HOUR + 72 * HOUR)
    with pytest.raises(Invalid) as early:
        await desk.write(now=TEN - timedelta(seconds=1))
    assert [each.field for each in early.value.faults] == ["session_id"]


async def test_a_note_is_about_somebody_on_the_roster_or_the_register_or_about_everybody(desk: Desk) -> None:
    register = Register(
        session=TherapySessionId(new_id()),
        version=1,
        started_at=TEN,
        ended_at=TEN + HOUR,
        lines=(Line(client=BEN, status=Status.ATTENDED, walk_in=True),),
        note=None,
        reason=None,
        taken_by=ROBIN.id,
        taken_at=NOW,
    )
    there = session(register=register)
    for client in (ADA, BEN, None):
        assert (await desk.write(client, session=there)).client == client
    with pytest.raises(Invalid) as stranger:
        await desk.write(CLEO, session=there)
    assert [each.field for each in stranger.value.faults] == ["client_id"]


@pytest.mark.parametrize(
    ("text", "fits"), [("x", True), ("x" * LONGEST_TEXT, True), ("", False), (" \n", False), ("x" * 20_001, False)]
)
async def test_a_note_says_something_and_not_too_much(desk: Desk, text: str, fits: bool) -> None:  # noqa: FBT001  a parameter of the test, given by name
    if fits:
        assert (await desk.write(text=text)).newest.text == text
        return
    with pytest.raises(Invalid):
        await desk.write(text=text)


async def test_whoever_does_not_lead_the_session_and_does_not_see_its_clients_writes_no_note(desk: Desk) -> None:
    with pytest.raises(NotYourSession):
        await desk.write(by=KIM)
    with pytest.raises(NotPermitted):
        await desk.write(by=somebody((Role.NURSE, HERE)))
    assert (await desk.write(by=BOSS)).author == BOSS.id


async def test_only_its_author_changes_a_note_and_a_reason_belongs_to_what_was_signed(desk: Desk) -> None:
    note = await desk.write()
    with pytest.raises(NotYourNote):
        await desk.change(note, by=BOSS)
    with pytest.raises(NoteMoved):
        await desk.change(note, version=2)
    with pytest.raises(Invalid):
        await desk.change(note, reason="Too soon for one")
    changed = await desk.change(note)
    assert ([each.number for each in changed.versions], changed.sign_by) == ([1, 2], note.sign_by)
    signed = await desk.sign(changed)
    for reason in (None, "  ", "x" * (LONGEST_REASON + 1)):
        with pytest.raises(Invalid):
            await desk.change(signed, reason=reason)
    amended = await desk.change(signed, reason="x" * LONGEST_REASON)
    assert (amended.standing, amended.sign_by) == (NoteStanding.DRAFT, NOW + 72 * HOUR)
    assert [each.number for each in amended.shown_to(BOSS.id)] == [2]
    assert [each.number for each in amended.shown_to(ROBIN.id)] == [1, 2, 3]


async def test_the_author_signs_the_newest_version_and_no_other(desk: Desk) -> None:
    note = await desk.write()
    with pytest.raises(NotYourNote):
        await desk.sign(note, by=BOSS)
    with pytest.raises(NotPermitted):
        await desk.sign(note, by=somebody((Role.NURSE, HERE)))
    with pytest.raises(NoteMoved):
        await desk.sign(note, version=2)
    signed = await desk.sign(note)
    assert (signed.standing, signed.newest.signed_at) == (NoteStanding.SIGNED, NOW)
    assert desk.kept.signatures[0].covers(note.as_signed(note.newest))
    with pytest.raises(NoteMoved):
        await desk.sign(signed)


async def test_a_counsellor_signs_without_a_registration_and_a_prescriber_does_not(desk: Desk) -> None:
    doctor = somebody((Role.PRESCRIBER, HERE))
    note = await desk.write(by=doctor)
    with pytest.raises(NotRegistered):
        await desk.sign(note, by=doctor)
    registered = replace(doctor, registration="GMC 7654321")
    await desk.sign(note, by=registered)
    await desk.sign(await desk.write(by=replace(ROBIN, registration="NMC 1")), by=replace(ROBIN, registration="NMC 1"))
    said = [(each.statement.role, each.statement.registration) for each in desk.kept.signatures]
    assert said == [(Role.PRESCRIBER, "GMC 7654321"), (Role.COUNSELLOR, None)]


async def test_only_what_a_counsellor_signed_waits_and_only_where_the_programme_asks(desk: Desk) -> None:
    assert (await desk.sign(await desk.write())).standing is NoteStanding.SIGNED
    assert (await desk.sign(await desk.write(), rules=ASKS)).standing is NoteStanding.WAITS
    assert (await desk.sign(await desk.write(by=BOSS), by=BOSS, rules=ASKS)).standing is NoteStanding.SIGNED


async def test_a_second_person_signs_what_waits(desk: Desk) -> None:
    waits = await desk.sign(await desk.write(), rules=ASKS)
    with pytest.raises(NotPermitted):
        await desk.co_sign(waits, by=KIM)
    with pytest.raises(NoteMoved):
        await desk.co_sign(waits, version=2)
    done = await desk.co_sign(waits)
    assert (done.standing, done.newest.co_signed_by) == (NoteStanding.SIGNED, BOSS.id)
    with pytest.raises(NoteMoved):
        await desk.co_sign(done, by=OTHER)
    both = replace(BOSS, holdings=(*ROBIN.holdings, *BOSS.holdings))
    own = await desk.sign(await desk.write(by=both), by=both, rules=ASKS)
    assert own.standing is NoteStanding.SIGNED, "whoever countersigns needs nobody"
    own = replace(own, standing=NoteStanding.WAITS)
    with pytest.raises(OwnNote):
        await desk.co_sign(own, by=both)
    with pytest.raises(OwnNote):
        await desk.send_back(own, by=both)


async def test_what_was_sent_back_is_signed_again_in_its_next_version(desk: Desk) -> None:
    waits = await desk.sign(await desk.write(), rules=ASKS)
    for reason in ("", " ", "x" * (LONGEST_REASON + 1)):
        with pytest.raises(Invalid):
            await desk.send_back(waits, reason)
    with pytest.raises(NotPermitted):
        await desk.send_back(waits, by=KIM)
    back = await desk.send_back(waits, "x" * LONGEST_REASON)
    assert back.standing is NoteStanding.DRAFT
    with pytest.raises(NoteMoved):
        await desk.sign(back)
    with pytest.raises(NoteMoved):
        await desk.send_back(back)
    again = await desk.sign(await desk.change(back, reason="Asked for"), rules=ASKS)
    assert again.standing is NoteStanding.WAITS


async def test_a_voided_note_is_touched_no_more(desk: Desk) -> None:
    note = await desk.write()
    for by in (KIM, somebody((Role.NURSE, HERE))):
        with pytest.raises(NotYourNote):
            await desk.void(note, by=by)
    with pytest.raises(Invalid):
        await desk.void(note, " ")
    voided = await desk.void(note, by=BOSS)
    assert (voided.standing, (await desk.void(note)).voided) == (
        NoteStanding.VOIDED,
        Voided(reason="Wrong client.", by=ROBIN.id, at=NOW),
    )
    for act in (
        desk.void(voided),
        desk.change(voided),
        desk.sign(voided),
        desk.co_sign(voided),
        desk.send_back(voided),
    ):
        with pytest.raises(NoteVoided):
            await act
    moved = replace(ROBIN, holdings=())
    with pytest.raises(NotPermitted):
        await desk.void(note, by=moved)


async def test_a_note_that_names_a_relative_who_came_in_their_own_right_names_somebody_else(desk: Desk) -> None:
    desk.kept.relatives = {RelativePlaceId(new_id()): ("Olu Okafor",)}
    note = await desk.write(text="Olu Okafor asked about naloxone.")
    with pytest.raises(NoteNamesOthers):
        await desk.sign(note)
    await desk.sign(note, names_confirmed=True)
    assert desk.kept.named_others == [True]


async def test_a_note_that_names_somebody_else_is_signed_only_by_whoever_has_seen_it(desk: Desk) -> None:
    desk.kept.names = {ADA: ("Ada", "Lindqvist"), BEN: ("Ben", "Okafor")}
    note = await desk.write(text="Ada and BEN spoke.")
    with pytest.raises(NoteNamesOthers) as warned:
        await desk.sign(note)
    assert warned.value.facts == {"people": 1, "version": 1}
    await desk.sign(note, names_confirmed=True)
    await desk.sign(await desk.write(text="Ada spoke."), names_confirmed=True)
    said = desk.kept.named_others
    assert said == [True, False], "what was confirmed is kept only where there was something to confirm"


@pytest.mark.parametrize(
    ("name", "text", "named"),
    [
        ("Zoë", "zoe came", True),
        ("Zoe", "ZOË came", True),
        ("Zoe\u0308", "Zoë", True),
        ("Zoë", "zoetrope", False),
        ("Al", "Al, then", True),
        ("Al", "also always al-", True),
        ("Al", "also always", False),
        ("van der Berg", "the Berg", True),
        ("van der Berg", "a van on the road", False),
        ("O'Brien", "O\u2019Brien's", True),
        ("O'Brien", "brien", True),
        ("Łęcki", "lecki", True),
        ("Strauß", "STRAUSS", True),
        ("İpek", "ipek", True),
        ("Smith-Jones", "smith_jones", True),
        ("Smith-Jones", "Jonestown", False),
        ("Anna Maria", "maria", True),
        ("Bo Li", "bo was here", False),
        ("Bo Li", "bo  li", True),
        ("-", "a - b", False),
        ("", "", False),
    ],
)
def test_names_are_looked_for_as_whole_words_whatever_case_and_accents(name: str, text: str, named: bool) -> None:  # noqa: FBT001  a parameter of the test, given by name
    assert (named_in(text, {ADA: [name]}) == {ADA}) is named


WORDS = st.text(alphabet="abcdeéßŁ", min_size=4, max_size=8)


@given(name=WORDS, before=st.lists(WORDS, max_size=4), after=st.lists(WORDS, max_size=4))
def test_whoever_stands_in_a_text_as_a_word_of_their_own_is_found(
    name: str, before: list[str], after: list[str]
) -> None:
    for written in (name, name.upper(), name.lower()):
        assert named_in("; ".join([*before, written, *after]), {ADA: [name], BEN: ["Nobody"]}) == {ADA}


def test_what_is_usual_is_within_what_a_programme_may_say() -> None:
    said = usual()
    assert 1 <= said.group.places <= 200
    assert 1 <= said.notes.sign_within_hours <= LONGEST_SIGNING_HOURS
    assert all(each.source for each in (said.group, said.notes, *said.hours))
