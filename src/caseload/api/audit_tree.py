"""The tree over the audit log, in the layout of C2SP tlog-tiles, for programs that verify; and proofs made from it.

Whoever checks brings the keys along (`caseload audit policy`): nothing here says whom to believe.
"""

from typing import Annotated, Final
from uuid import UUID

from litestar import Response, Router
from litestar.params import FromPath, QueryParameter

from caseload.api.filed import filed
from caseload.api.route import reading
from caseload.api.wire import Wire
from caseload.api.work import TheWork
from caseload.audit.canonical import LARGEST_INTEGER
from caseload.audit.published import TreeReader
from caseload.audit.tlog.spelling import Malformed, base64
from caseload.audit.tlog.tile import TileName
from caseload.domain.access import Act
from caseload.domain.accesslog import NotInTree, check_may_read_tree
from caseload.domain.ids import EntryId

TEXT: Final = "text/plain"
OCTETS: Final = "application/octet-stream"
NOTE: Final = filed("The text, as C2SP has it.", TEXT)

Place = Annotated[
    int, QueryParameter(name="index", ge=0, le=LARGEST_INTEGER, description="Where the entry stands, from 0.")
]
Size = Annotated[
    int, QueryParameter(name="size", ge=1, le=LARGEST_INTEGER, description="How many entries the tree has.")
]
OldSize = Annotated[
    int, QueryParameter(name="old", ge=1, le=LARGEST_INTEGER, description="How many entries the smaller tree has.")
]
NewSize = Annotated[
    int, QueryParameter(name="new", ge=1, le=LARGEST_INTEGER, description="How many entries the larger tree has.")
]


class TreeProofOut(Wire, frozen=True, kw_only=True):
    """A proof, as the hashes of RFC 9162 in its order."""

    hashes: list[str]
    """Base64, 32 bytes each."""


def _tree(work: TheWork) -> TreeReader:
    check_may_read_tree(work.by)
    return TreeReader(work.connection)


@reading(
    "/audit/log/checkpoint",
    act=Act.SEE_AUDIT_LOG,
    name="read_log_checkpoint",
    operation_class=NOTE,
)
async def read_log_checkpoint(work: TheWork) -> Response[bytes]:
    """The newest signed state of the log: origin, size and root, with its signatures (C2SP tlog-checkpoint)."""
    return Response(await _tree(work).note(), media_type=TEXT)


@reading(
    "/audit/log/tile/{tile:path}",
    act=Act.SEE_AUDIT_LOG,
    name="read_log_tile",
    operation_class=filed("The bytes, as C2SP tlog-tiles has them.", OCTETS),
)
async def read_log_tile(tile: FromPath[str], work: TheWork) -> Response[bytes]:
    """Hashes (`1/x001/234`, `0/007.p/12`) or entries (`entries/007`) of the tree (C2SP tlog-tiles).

    Partial ones exist for every size up to that of the newest checkpoint.
    """
    tree = _tree(work)
    try:
        name = TileName.parse(f"tile/{tile.removeprefix('/')}")
    except Malformed:
        raise NotInTree from None
    return Response(await (tree.bundle(name) if name.level is None else tree.tile(name)), media_type=OCTETS)


@reading("/audit/log/proofs/inclusion", act=Act.SEE_AUDIT_LOG, name="prove_log_inclusion")
async def prove_log_inclusion(work: TheWork, index: Place, size: Size) -> TreeProofOut:
    """That an entry stands at its place in the tree of this size (RFC 9162, section 2.1.3)."""
    return TreeProofOut(hashes=[base64(each) for each in await _tree(work).inclusion_path(index, size)])


@reading("/audit/log/proofs/consistency", act=Act.SEE_AUDIT_LOG, name="prove_log_consistency")
async def prove_log_consistency(work: TheWork, old: OldSize, new: NewSize) -> TreeProofOut:
    """That the tree of `new` entries begins with all of the tree of `old` (RFC 9162, section 2.1.4)."""
    return TreeProofOut(hashes=[base64(each) for each in await _tree(work).consistency_path(old, new)])


@reading(
    "/audit/entries/{entry_id:uuid}/proof",
    act=Act.SEE_AUDIT_LOG,
    name="prove_audit_entry",
    operation_class=NOTE,
)
async def prove_audit_entry(entry_id: FromPath[UUID], work: TheWork) -> Response[bytes]:
    """That one entry is in the newest signed tree, as a text to keep (C2SP tlog-proof).

    Not found for about a second after the entry was made.
    """
    return Response((await _tree(work).inclusion(EntryId(entry_id))).encode(), media_type=TEXT)


router = Router(
    "/",
    route_handlers=[
        read_log_checkpoint,
        read_log_tile,
        prove_log_inclusion,
        prove_log_consistency,
        prove_audit_entry,
    ],
    tags=["Audit log"],
)
