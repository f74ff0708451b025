"""What clients asked for about their own record.

A copy that is overdue and waits for the privacy officer, an entry that was not changed and what the client says to that, an
accounting, something that is not told any more, a place where somebody is reached, and a copy that left.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from caseload.db.disclosure import KeptDisclosures
from caseload.db.family import Families
from caseload.db.recordcopy import AT_ONCE, Digested, KeptCopies
from caseload.db.rights import KeptAccountings, KeptRights
from caseload.demo.telling.stage import Stage
from caseload.domain.client import Client
from caseload.domain.consent import Category, CheckMethod, IdentityCheck, Purpose
from caseload.domain.disclosure import AccountingKind
from caseload.domain.ids import AccountingId, CopyEntryId, RecordCopyId, RightsRequestId, new_id
from caseload.domain.outreach import Channel, Reachable
from caseload.domain.profiles.rights import DenialGround, RightKind
from caseload.domain.recordcopy import (
    MOST_DECIDED,
    CopyEntry,
    HandedOver,
    RecordCopy,
    Releasing,
    decide_entries,
    labels,
    prepare_copy,
    release_copy,
)
from caseload.domain.rights import (
    Answering,
    AskedFor,
    Outcome,
    Restricting,
    RightsRequest,
    Side,
    add_statement,
    answer_request,
    make_accounting,
    take_request,
)
from caseload.request.work import Work

OVERDUE_SINCE: Final = timedelta(days=2)
ASKED_BEFORE: Final = timedelta(days=12)
ANSWERED_BEFORE: Final = timedelta(days=5)
DISAGREED_BEFORE: Final = timedelta(days=3)
COPY_ASKED_BEFORE: Final = timedelta(days=2)


async def tell_rights(stage: Stage, *, work: Work) -> None:
    """Of the first two clients in care here who came before they asked."""
    clocks = stage.programme.rules_on(stage.today).rights.clocks
    long_ago = OVERDUE_SINCE + (clocks.record_copy.last_day(stage.today) - stage.today)
    since = work.now - long_ago
    there = [
        life.client
        for life in stage.lives
        if life.client is not None
        and life.episode is not None
        and life.story.discharged is None
        and life.episode.starts_at < since
    ]
    for client in there[:1]:
        says = "A copy of everything, for my lawyer."
        asked = await _take(client, RightKind.RECORD_COPY, says, long_ago, stage, work)
        await _prepare(asked, stage, work)
        says = "I paid for the screens of last month myself; my health plan is not to be told of them."
        asked = await _take(client, RightKind.RESTRICTION, says, ASKED_BEFORE, stage, work, is_self_paid=True)
        await _agree(asked, stage, work)
    for client in there[1:2]:
        says = "I was not late on Tuesday; please take that out."
        asked = await _take(client, RightKind.AMENDMENT, says, ASKED_BEFORE, stage, work)
        await _deny(asked, stage, work)
        await _disagree(asked, stage, work)
    for client in there[1:2] if clocks.accounting is not None else ():
        says = "Whom you told about me, and what."
        asked = await _take(client, RightKind.ACCOUNTING, says, ASKED_BEFORE, stage, work)
        await _account(asked, client, stage, work)
    for client in there[-1:]:
        says = "Please write to my sister's, and do not ring: my landlord picks up."
        asked = await _take(client, RightKind.CONFIDENTIAL_CONTACT, says, ASKED_BEFORE, stage, work)
        await _reach_elsewhere(asked, stage, work)
    confided = await _of_whom_something_was_confided(stage, work)
    if confided is not None:
        says = "A copy of my record, to take to the new clinic."
        asked = await _take(confided, RightKind.RECORD_COPY, says, COPY_ASKED_BEFORE, stage, work)
        await _give_copy(asked, stage, work)


async def _of_whom_something_was_confided(stage: Stage, work: Work) -> Client | None:
    families = Families(work.connection, work.journal)
    for life in stage.lives:
        if life.client is not None and any(
            each.told.confidential for each in await families.information(life.client.id)
        ):
            return life.client
    return None


async def _take(
    client: Client,
    kind: RightKind,
    says: str,
    before: timedelta,
    stage: Stage,
    work: Work,
    *,
    is_self_paid: bool = False,
) -> RightsRequest:
    now = work.now - before
    check = IdentityCheck(method=CheckMethod.IN_PERSON)
    return await take_request(
        AskedFor(kind=kind, says=says, received_at=now, check=check, is_self_paid=is_self_paid),
        client,
        stage.programme,
        as_id=RightsRequestId(new_id()),
        by=stage.team.counsellors[0],
        now=now,
        requests=KeptRights(work.connection, work.journal, now=now),
        journal=work.journal,
    )


async def _deny(asked: RightsRequest, stage: Stage, work: Work) -> None:
    now = work.now - ANSWERED_BEFORE
    await _answer(
        asked,
        Answering(
            outcome=Outcome.DENIED,
            ground=DenialGround.ACCURATE_AND_COMPLETE,
            disputed=(Category.ATTENDANCE,),
            says="Told in a letter, with how to disagree and where to complain: the register was taken by two people.",
        ),
        stage,
        work,
        now=now,
    )


async def _account(asked: RightsRequest, client: Client, stage: Stage, work: Work) -> None:
    now = work.now
    await make_accounting(
        asked,
        AccountingKind.PART_2,
        client,
        stage.programme,
        as_id=AccountingId(new_id()),
        by=stage.team.privacy,
        now=now,
        disclosures=KeptDisclosures(work.connection, work.journal, now=now),
        accountings=KeptAccountings(work.connection, work.journal, now=now),
        journal=work.journal,
    )
    await _answer(
        asked,
        Answering(outcome=Outcome.GRANTED, says="Handed over at the desk, and gone through together."),
        stage,
        work,
        now=now,
    )


async def _disagree(asked: RightsRequest, stage: Stage, work: Work) -> None:
    """The client's own words, which go with the entry from then on."""
    now = work.now - DISAGREED_BEFORE
    await add_statement(
        asked.id,
        Side.DISAGREEMENT,
        "The bus was late and the door was locked; the second person came after me.",
        by=stage.team.privacy,
        now=now,
        statements=KeptRights(work.connection, work.journal, now=now),
        journal=work.journal,
    )


async def _agree(asked: RightsRequest, stage: Stage, work: Work) -> None:
    """What somebody paid for themselves is told to nobody for payment: no name of a payer slips through."""
    now = work.now - ANSWERED_BEFORE
    await _answer(
        asked,
        Answering(
            outcome=Outcome.GRANTED,
            says="Agreed, and said to the front desk and to whoever sends the bills.",
            restricts=Restricting(
                categories=(Category.DRUG_SCREENS,),
                purposes=(Purpose.PAYMENT, Purpose.OPERATIONS),
            ),
        ),
        stage,
        work,
        now=now,
    )


async def _reach_elsewhere(asked: RightsRequest, stage: Stage, work: Work) -> None:
    """Letters to somebody else's address, and nothing else."""
    now = work.now - ANSWERED_BEFORE
    await _answer(
        asked,
        Answering(
            outcome=Outcome.GRANTED,
            says="Told at the desk: letters to this address, and nothing else.",
            contact=Reachable(
                allowed=frozenset({Channel.POST}),
                address="77 Demo Lane, care of A. Person",
                heed="Plain envelopes, without the clinic's name.",
            ),
        ),
        stage,
        work,
        now=now,
    )


async def _answer(asked: RightsRequest, said: Answering, stage: Stage, work: Work, *, now: datetime) -> None:
    await answer_request(
        asked.id,
        said,
        programme=stage.programme,
        by=stage.team.privacy,
        now=now,
        answers=KeptRights(work.connection, work.journal, now=now),
        journal=work.journal,
    )


async def _prepare(asked: RightsRequest, stage: Stage, work: Work) -> RecordCopy:
    """A copy that waits until the privacy officer has looked it through."""
    copy = RecordCopy(
        id=RecordCopyId(new_id()),
        request=asked.id,
        client=asked.client,
        programme=asked.programme,
        prepared_by=stage.team.privacy.id,
        prepared_at=work.now,
        labels=labels(),
    )
    kept = KeptCopies(work.connection, work.journal, now=work.now)
    await prepare_copy(copy, asked, stage.programme, copies=kept, journal=work.journal)
    return copy


async def _give_copy(asked: RightsRequest, stage: Stage, work: Work) -> None:
    """What is held back is withheld, the rest is handed over."""
    officer, now = stage.team.privacy, work.now
    rights = stage.programme.rules_on(asked.received_on).rights
    kept = KeptCopies(work.connection, work.journal, now=now)
    copy = await _prepare(asked, stage, work)
    while waiting := await kept.page(copy.id, after=None, limit=MOST_DECIDED, waiting=True):
        for reason in {each.held_for for each in waiting}:
            await decide_entries(
                copy,
                [each.id for each in waiting if each.held_for is reason],
                reason,
                "Looked through with the counsellor, who asked those whom it is about.",
                rights=rights,
                by=officer,
                now=now,
                copies=kept,
                journal=work.journal,
            )

    async def pages(after: CopyEntryId | None) -> Sequence[CopyEntry]:
        return await kept.leaving(copy.id, after=after, limit=AT_ONCE)

    await release_copy(
        copy,
        Releasing(to_representative=False, manner=HandedOver.IN_PERSON, detail="At the desk; driving licence seen."),
        asked,
        rights=rights,
        by=officer,
        now=now,
        copies=kept,
        requests=KeptRights(work.connection, work.journal, now=now),
        written=Digested(pages, rights, stage.programme.zone),
        journal=work.journal,
    )
    await _answer(
        asked,
        Answering(
            outcome=Outcome.GRANTED_IN_PART, says="Handed over, with what is withheld and why, and how to complain."
        ),
        stage,
        work,
        now=now,
    )
