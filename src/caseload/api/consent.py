"""Consents, what ends them, and the question whether something may be told."""

from datetime import date, datetime
from uuid import UUID

from litestar import Router
from litestar.params import FromPath, JSONBody

from caseload.api.route import reading, searching, writing
from caseload.api.wire import Instant, Wire
from caseload.api.work import TheKey, TheWork
from caseload.db.client import Clients
from caseload.db.consent import Consents
from caseload.db.family import Families
from caseload.db.idempotency import Kept
from caseload.db.programme import Programmes
from caseload.domain import consent as domain
from caseload.domain.access import Act
from caseload.domain.client import Client
from caseload.domain.consent import (
    Answer,
    Asked,
    Category,
    Consent,
    ConsentKind,
    Draft,
    Expiry,
    Form,
    How,
    Purpose,
    Reason,
    Recipient,
    RecipientClass,
    Signatory,
    Signature,
    Standing,
    forms,
)
from caseload.domain.ids import ClientId, ConsentId, ProgrammeId, RelatedPersonId, new_id
from caseload.request.idempotency import once
from caseload.request.work import Work


class RecipientWire(Wire, frozen=True, kw_only=True, omit_defaults=True):
    """Whoever may be or wants to be told: exactly one of a person on the client's list, a name, or a class."""

    person_id: UUID | None = None
    name: str | None = None
    group: RecipientClass | None = None

    def read(self) -> Recipient:
        """As the domain speaks of it."""
        person = None if self.person_id is None else RelatedPersonId(self.person_id)
        return Recipient(person=person, name=self.name, group=self.group)


class ExpiryWire(Wire, frozen=True, kw_only=True, omit_defaults=True):
    """When a consent ends by itself: exactly one of the three."""

    last_day: date | None = None
    """The last day on which it is in force, in the programme's calendar."""
    event: str | None = None
    never: bool = False
    """For treatment, payment and operations only."""

    def read(self) -> Expiry:
        """As the domain speaks of it."""
        return Expiry(last_day=self.last_day, event=self.event, never=self.never)


class SignatureWire(Wire, frozen=True, kw_only=True, omit_defaults=True):
    """Who signed and when."""

    signatory: Signatory
    name: str
    """As written or typed by whoever signed."""
    signed_at: Instant
    representative_id: UUID | None = None
    """Who signed for the client, if somebody did."""

    def read(self) -> Signature:
        """As the domain speaks of it."""
        return Signature(
            signatory=self.signatory,
            name=self.name,
            signed_at=self.signed_at,
            representative=None if self.representative_id is None else RelatedPersonId(self.representative_id),
        )


class ConsentIn(Wire, frozen=True, kw_only=True):
    """A consent as it was filled in; it is kept only when every element of 42 CFR 2.31(a) is there."""

    kind: ConsentKind
    form: str
    """The version of the form that was signed, from the list of forms."""
    discloser_id: UUID | None = None
    """The programme whose staff may tell."""
    recipients: tuple[RecipientWire, ...] = ()
    categories: tuple[Category, ...] = ()
    purposes: tuple[Purpose, ...] = ()
    expiry: ExpiryWire = ExpiryWire()
    signature: SignatureWire | None = None

    def read(self) -> Draft:
        """As the domain speaks of it."""
        return Draft(
            kind=self.kind,
            form=self.form,
            discloser=None if self.discloser_id is None else ProgrammeId(self.discloser_id),
            recipients=tuple(recipient.read() for recipient in self.recipients),
            categories=frozenset(self.categories),
            purposes=frozenset(self.purposes),
            expiry=self.expiry.read(),
            signature=None if self.signature is None else self.signature.read(),
        )


class ConsentOut(Wire, frozen=True, kw_only=True):
    """A consent, and what it is worth at the moment of the answer."""

    id: UUID
    client_id: UUID
    kind: ConsentKind
    form: str
    discloser_id: UUID
    recipients: list[RecipientWire]
    categories: list[Category]
    purposes: list[Purpose]
    expiry: ExpiryWire
    expires_at: datetime | None
    signature: SignatureWire
    recorded_at: datetime
    revoked_at: datetime | None
    ended_by_event_at: datetime | None
    standing: Standing

    @classmethod
    def of(cls, consent: Consent, *, at: datetime) -> "ConsentOut":
        """From the domain."""
        signature = consent.signature
        return cls(
            id=consent.id,
            client_id=consent.client,
            kind=consent.kind,
            form=consent.form,
            discloser_id=consent.discloser,
            recipients=[
                RecipientWire(person_id=each.person, name=each.name, group=each.group) for each in consent.recipients
            ],
            categories=sorted(consent.categories),
            purposes=sorted(consent.purposes),
            expiry=ExpiryWire(last_day=consent.expiry.last_day, event=consent.expiry.event, never=consent.expiry.never),
            expires_at=consent.expires_at,
            signature=SignatureWire(
                signatory=signature.signatory,
                name=signature.name,
                signed_at=signature.signed_at,
                representative_id=signature.representative,
            ),
            recorded_at=consent.recorded_at,
            revoked_at=consent.revoked_at,
            ended_by_event_at=consent.event_at,
            standing=consent.standing(at),
        )


class ConsentsOut(Wire, frozen=True, kw_only=True):
    """Every consent a client ever gave, the newest signature first."""

    items: list[ConsentOut]


class RevocationIn(Wire, frozen=True, kw_only=True):
    """A client's word that a consent no longer holds."""

    how: How
    received_at: Instant | None = None
    """When we received it; now when left out. It counts from then on."""
    note: str | None = None


class ExpiryEventIn(Wire, frozen=True, kw_only=True):
    """The event has come with which a consent ends."""

    happened_at: Instant | None = None
    """When it happened; now when left out."""


class QuestionIn(Wire, frozen=True, kw_only=True):
    """What you would tell, to whom, for what. Each category gets an answer of its own."""

    recipient: RecipientWire
    categories: tuple[Category, ...]
    purpose: Purpose
    known_already: bool = False
    """Whoever asks has shown to know it without being told."""


class AnswerOut(Wire, frozen=True, kw_only=True):
    """Whether one category may be told, with what the answer rests on. It is not yet a disclosure."""

    category: Category
    allowed: bool
    reason: Reason
    consent_id: UUID | None
    """What an allowance rests on; for a refusal, the consent that comes nearest."""
    rule: str
    rules_version: str
    advice: str | None
    """What to do or say instead."""
    notice: str | None
    """What must accompany the disclosure (42 CFR 2.32)."""

    @classmethod
    def of(cls, answer: Answer) -> "AnswerOut":
        """From the domain."""
        return cls(
            category=answer.category,
            allowed=answer.allowed,
            reason=answer.reason,
            consent_id=answer.consent,
            rule=answer.rule,
            rules_version=answer.rules_version,
            advice=answer.advice,
            notice=answer.notice,
        )


class AnswersOut(Wire, frozen=True, kw_only=True):
    """One answer per category, in the order in which they were asked."""

    items: list[AnswerOut]


class FormOut(Wire, frozen=True, kw_only=True):
    """One version of a consent form, as a client reads it."""

    version: str
    kind: ConsentKind
    jurisdiction: str
    in_force_from: date
    source: str
    right_to_revoke: str
    how_to_revoke: str
    redisclosure: str | None
    refusal: str | None

    @classmethod
    def of(cls, form: Form) -> "FormOut":
        """From the domain."""
        return cls(
            version=form.version,
            kind=form.kind,
            jurisdiction=form.jurisdiction,
            in_force_from=form.in_force_from,
            source=form.source,
            right_to_revoke=form.right_to_revoke,
            how_to_revoke=form.how_to_revoke,
            redisclosure=form.redisclosure,
            refusal=form.refusal,
        )


class FormsOut(Wire, frozen=True, kw_only=True):
    """Every version of every consent form."""

    items: list[FormOut]


async def _client(work: Work, client_id: UUID, act: Act) -> Client:
    clients = Clients(work.connection, work.journal, now=work.now)
    return await clients.get(ClientId(client_id), reach=work.by.reach(act))


@reading(
    "/consent-forms",
    act=Act.SEE_PROGRAMMES,
    name="list_consent_forms",
    problems=(),
    unaudited="the wording of forms is nobody's data",
)
async def list_consent_forms() -> FormsOut:
    """The consent forms of every jurisdiction, as clients read them."""
    return FormsOut(items=[FormOut.of(form) for form in forms().values()])


@reading("/clients/{client_id:uuid}/consents", act=Act.SEE_CONSENT, name="list_consents")
async def list_consents(client_id: FromPath[UUID], work: TheWork) -> ConsentsOut:
    """Every consent the client ever gave, whatever it is worth now."""
    client = await _client(work, client_id, Act.SEE_CONSENT)
    given = await Consents(work.connection, work.journal).of(client.id)
    return ConsentsOut(items=[ConsentOut.of(consent, at=work.now) for consent in given])


@writing("/clients/{client_id:uuid}/consents", act=Act.RECORD_CONSENT, name="give_consent")
async def give_consent(client_id: FromPath[UUID], data: JSONBody[ConsentIn], work: TheWork, key: TheKey) -> ConsentOut:
    """Record a consent that was signed; refused with every element of 42 CFR 2.31(a) that is missing."""
    client = await _client(work, client_id, Act.RECORD_CONSENT)
    programme = await Programmes(work.connection).get(client.programme)
    consents = Consents(work.connection, work.journal)
    new = ConsentId(new_id())

    async def give() -> Consent:
        return await domain.give_consent(
            client,
            data.read(),
            as_id=new,
            programme=programme,
            by=work.by,
            now=work.now,
            families=Families(work.connection, work.journal),
            consents=consents,
            journal=work.journal,
        )

    async def again(kept: Kept) -> Consent:
        return await consents.get(ConsentId(kept.resource), client=client.id)

    given = await once(work, key, Kept(status=201, resource=new), do=give, again=again)
    return ConsentOut.of(given, at=work.now)


@reading("/clients/{client_id:uuid}/consents/{consent_id:uuid}", act=Act.SEE_CONSENT, name="read_consent")
async def read_consent(client_id: FromPath[UUID], consent_id: FromPath[UUID], work: TheWork) -> ConsentOut:
    """One consent, and what it is worth now."""
    client = await _client(work, client_id, Act.SEE_CONSENT)
    consent = await Consents(work.connection, work.journal).get(ConsentId(consent_id), client=client.id)
    return ConsentOut.of(consent, at=work.now)


@writing(
    "/clients/{client_id:uuid}/consents/{consent_id:uuid}/revocation",
    act=Act.RECORD_CONSENT,
    name="revoke_consent",
)
async def revoke_consent(
    client_id: FromPath[UUID], consent_id: FromPath[UUID], data: JSONBody[RevocationIn], work: TheWork, key: TheKey
) -> ConsentOut:
    """Record that the client has revoked a consent, written or spoken. It counts from the receipt on."""
    client = await _client(work, client_id, Act.RECORD_CONSENT)
    consents = Consents(work.connection, work.journal)
    consent = await consents.get(ConsentId(consent_id), client=client.id)

    async def revoke() -> Consent:
        await domain.revoke_consent(
            consent,
            how=data.how,
            received_at=data.received_at or work.now,
            note=data.note,
            client=client,
            by=work.by,
            now=work.now,
            consents=consents,
            journal=work.journal,
        )
        return await consents.get(consent.id, client=client.id)

    async def again(kept: Kept) -> Consent:
        return await consents.get(ConsentId(kept.resource), client=client.id)

    revoked = await once(work, key, Kept(status=201, resource=consent.id), do=revoke, again=again)
    return ConsentOut.of(revoked, at=work.now)


@writing(
    "/clients/{client_id:uuid}/consents/{consent_id:uuid}/expiry-event",
    act=Act.RECORD_CONSENT,
    name="record_consent_event",
)
async def record_consent_event(
    client_id: FromPath[UUID], consent_id: FromPath[UUID], data: JSONBody[ExpiryEventIn], work: TheWork, key: TheKey
) -> ConsentOut:
    """Record that the event has come with which a consent ends."""
    client = await _client(work, client_id, Act.RECORD_CONSENT)
    consents = Consents(work.connection, work.journal)
    consent = await consents.get(ConsentId(consent_id), client=client.id)

    async def record() -> Consent:
        await domain.record_event(
            consent,
            happened_at=data.happened_at or work.now,
            client=client,
            by=work.by,
            now=work.now,
            consents=consents,
            journal=work.journal,
        )
        return await consents.get(consent.id, client=client.id)

    async def again(kept: Kept) -> Consent:
        return await consents.get(ConsentId(kept.resource), client=client.id)

    ended = await once(work, key, Kept(status=201, resource=consent.id), do=record, again=again)
    return ConsentOut.of(ended, at=work.now)


@searching(
    "/clients/{client_id:uuid}/disclosure-questions",
    act=Act.ASK_CONSENT,
    name="ask_disclosure",
    problems=(404,),
)
async def ask_disclosure(client_id: FromPath[UUID], data: JSONBody[QuestionIn], work: TheWork) -> AnswersOut:
    """May I tell this person this, for this purpose, now? Question and answer go into the log, allowed or not."""
    client = await _client(work, client_id, Act.ASK_CONSENT)
    answers = await domain.ask(
        Asked(
            recipient=data.recipient.read(),
            categories=data.categories,
            purpose=data.purpose,
            known_already=data.known_already,
        ),
        client=client,
        programme=await Programmes(work.connection).get(client.programme),
        by=work.by,
        now=work.now,
        consents=Consents(work.connection, work.journal),
        journal=work.journal,
    )
    return AnswersOut(items=[AnswerOut.of(answer) for answer in answers])


router = Router(
    "/",
    route_handlers=[
        list_consent_forms,
        list_consents,
        give_consent,
        read_consent,
        revoke_consent,
        record_consent_event,
        ask_disclosure,
    ],
    tags=["Consent"],
)
