"""The whole log of a service, looked at from outside: is every entry what it must be, down to the last commitment?"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from sqlalchemy import Row, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.audit import canonical
from caseload.audit.commitment import LogBox, disclose_client, disclose_request
from caseload.audit.item import Disclosure, Sealed, unpack
from caseload.audit.keys import ClientKey
from caseload.audit.leaf import Leaf, Root, decode, from_base64url, made_at, timestamp
from caseload.audit.tables import client_key, disclosure, erased, log
from caseload.audit.tlog.merkle import root_of
from caseload.audit.trail import Circumstances, Outcome, Pending
from caseload.request.work import Service

_ENTRIES = select(log, disclosure.c.refs, disclosure.c.sealed).select_from(
    log.outerjoin(disclosure, disclosure.c.entry_id == log.c.entry_id)
)

Line = Row[*tuple[Any, ...]]


async def faults_in_log(outside: AsyncConnection, service: Service) -> list[str]:
    """What is wrong with the log; what lies beside a leaf is looked at where this service has made it.

    Others may have written here under keys of their own, which this one cannot open.
    """
    trail = service.trail
    # The last entry declares the numbers of those that never came to be.
    closing = Circumstances(route="tests", event="log.looked_at")
    await service.batcher.add(Pending(actor=None, circumstances=closing, outcome=Outcome.DONE))
    lines = (await outside.execute(_ENTRIES)).all()
    own = [line for line in lines if decode(line.leaf).boot == trail.boot]
    clients = (await outside.execute(select(client_key.c.client_id))).scalars().all()
    keys = (await trail.keys.of(outside, (), asked=clients)).keys
    by_reference = {key.reference: (client, key) for client, key in keys.items()}
    gone = (await outside.execute(select(func.count()).select_from(erased))).scalar_one()
    return [
        *(f"{line.entry_id}: {fault}" for line in lines for fault in _in_leaf(line)),
        *(f"{line.entry_id}: {fault}" for line in own for fault in _beside_leaf(line, by_reference, trail.box)),
        *_in_numbers([decode(line.leaf) for line in own]),
        *_of_nobody({reference for line in own for reference in line.refs or ()} - by_reference.keys(), gone),
    ]


def _in_leaf(line: Line) -> Iterator[str]:
    """What stands in the leaf is canonical, and what stands beside it for searching says the same."""
    try:
        canonical.parse(line.leaf)
    except canonical.NotCanonical as fault:
        yield f"not canonical: {fault}"
    leaf = decode(line.leaf)
    cached = (line.actor, line.event, line.outcome, line.programme, line.at)
    if cached != (leaf.act.id, leaf.ev, leaf.out, leaf.prog and UUID(leaf.prog), made_at(line.entry_id)):
        yield "the columns do not say what the leaf says"
    if (leaf.id, leaf.t) != (str(line.entry_id), timestamp(line.entry_id)):
        yield "the leaf has another name or another time"


def _beside_leaf(line: Line, keys: Mapping[bytes, tuple[UUID, ClientKey]], box: LogBox) -> Iterator[str]:
    """Everything that was disclosed hashes to what the leaf commits to, and nothing is committed to in secret."""
    leaf = decode(line.leaf)
    if leaf.obj is None and leaf.subj is None:
        return
    try:
        beside = unpack(line.sealed)
        yield from _unproved(
            "the request", leaf.obj, [proof for _, proof in disclose_request(line.entry_id, beside, box)]
        )
        gone = sum(reference not in keys for reference in line.refs)
        yield from _unproved("the clients", leaf.subj, list(_of_clients(line, beside, keys)), gone=gone)
        if len(line.refs) > 1 and leaf.subj and root_of(beside.commitments) != from_base64url(leaf.subj.root):
            yield "the commitments are not those that the leaf stands for"
    except (InvalidTag, KeyError, ValueError) as fault:
        yield f"what lies beside the leaf cannot be opened: {type(fault).__name__} {fault}"


def _of_clients(line: Line, beside: Sealed, keys: Mapping[bytes, tuple[UUID, ClientKey]]) -> Iterator[Disclosure]:
    for reference in line.refs:
        if reference not in keys:
            continue
        client, key = keys[reference]
        disclosed = disclose_client(client, key, line.entry_id, line.refs, beside)
        assert disclosed is not None
        yield disclosed[1]


def _of_nobody(references: set[bytes], gone: int) -> Iterator[str]:
    """Only an erasure leaves references behind that no key makes any more."""
    if len(references) > gone:
        yield f"{len(references)} references without a key, and {gone} erased clients"


def _unproved(whom: str, committed: Root | None, proofs: Sequence[Disclosure], *, gone: int = 0) -> Iterator[str]:
    count = committed.n if committed else 0
    if len(proofs) + gone != count:
        yield f"{len(proofs)} disclosures of {whom}, and {count} commitments"
    for proof in proofs:
        canonical.parse(proof.item)
        if committed is None or not proof.proves(root=from_base64url(committed.root), count=count):
            yield f"a disclosure of {whom} does not hash to its commitment"


def _in_numbers(leaves: Sequence[Leaf]) -> Iterator[str]:
    """No number of this process is missing without a word."""
    made = [leaf.ctr for leaf in leaves]
    declared = {number for leaf in leaves for low, high in leaf.void for number in range(low, high + 1)}
    if len(set(made)) != len(made):
        yield "a number was given twice"
    if silent := set(range(1, max(made) + 1)) - set(made) - declared:
        yield f"numbers missing without a word: {sorted(silent)}"
