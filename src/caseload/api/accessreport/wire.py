"""Reports of accesses on the wire."""

from base64 import b64encode
from datetime import date, datetime
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from caseload.api.reaching import ReachByOut
from caseload.api.wire import Instant, Wire
from caseload.domain.accesslog import LogOutcome
from caseload.domain.accessreport import Evidence, Line, Manner, Reason, Release, Report, Shown, Withheld, why_in_words


class AccessReportIn(Wire, frozen=True, kw_only=True):
    """From when on somebody wants to know who looked."""

    since: Instant | None = None
    """Everything, if not given."""


class WithholdIn(Wire, frozen=True, kw_only=True):
    """Lines that must not leave, and why."""

    entries: Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=200)]
    """The entries of the lines."""
    reason: Reason
    note: str
    """What the reason rests on. It stays in the record and does not leave with the report."""


class ReleaseOut(Wire, frozen=True, kw_only=True):
    """Somebody's word that the report may leave as it is."""

    released_by: UUID
    released_at: datetime
    lines: int
    """How many accesses there were."""
    withheld: int
    """How many of them do not leave."""

    @classmethod
    def of(cls, release: Release) -> "ReleaseOut":
        """From the domain."""
        return cls(
            released_by=release.released_by,
            released_at=release.released_at,
            lines=release.lines,
            withheld=release.withheld,
        )


class AccessReportOut(Wire, frozen=True, kw_only=True):
    """A report of who looked at a client's record, as far as it has come."""

    id: UUID
    client_id: UUID
    since: datetime | None
    size: int
    """How many entries the log had: the report is as of that tree."""
    prepared_by: UUID
    prepared_at: datetime
    release: ReleaseOut | None
    reach_by: ReachByOut
    """How and where the client is reached: where the report is sent, if they do not fetch it."""

    @classmethod
    def of(cls, report: Report, reach_by: ReachByOut) -> "AccessReportOut":
        """From the domain."""
        return cls(
            id=report.id,
            client_id=report.client,
            since=report.since,
            size=report.size,
            prepared_by=report.prepared_by,
            prepared_at=report.prepared_at,
            release=None if report.release is None else ReleaseOut.of(report.release),
            reach_by=reach_by,
        )


class AccessReportsOut(Wire, frozen=True, kw_only=True):
    """Reports about one client, the newest first."""

    items: list[AccessReportOut]
    merged_with: list[UUID]
    """Other registrations of the same client: each is asked about in a report of its own, as its entries are sealed apart."""


class ItemProofOut(Wire, frozen=True, kw_only=True):
    """That the entry commits to what the line says of this client."""

    position: int
    """The client's place among those the entry names; how many these are stands in the leaf (`subj.n`)."""
    salt: str
    """Base64."""
    text: str
    """The item: its commitment is SHA-256(0x00 || salt || item)."""
    hashes: list[str]
    """From the commitment to `subj.root` of the leaf, base64. They say nothing of anybody else."""


class LineProofOut(Wire, frozen=True, kw_only=True):
    """That the entry is in the tree of the checkpoint."""

    index: int
    hashes: list[str]
    """From SHA-256(0x00 || leaf) to the root of the checkpoint (RFC 6962, section 2.1.1), base64."""
    leaf: str
    """The entry itself, byte for byte. It names no client."""
    item: ItemProofOut

    @classmethod
    def of(cls, evidence: Evidence) -> "LineProofOut":
        """From the domain."""
        return cls(
            index=evidence.index,
            hashes=[_base64(each) for each in evidence.path],
            leaf=evidence.leaf.decode(),
            item=ItemProofOut(
                position=evidence.position,
                salt=_base64(evidence.salt),
                text=evidence.item.decode(),
                hashes=[_base64(each) for each in evidence.item_path],
            ),
        )


class WithheldOut(Wire, frozen=True, kw_only=True):
    """Why a line does not leave."""

    reason: Reason
    note: str
    by: UUID
    at: datetime

    @classmethod
    def of(cls, withheld: Withheld) -> "WithheldOut":
        """From the domain."""
        return cls(reason=withheld.reason, note=withheld.note, by=withheld.by, at=withheld.at)


class AccessLineOut(Wire, frozen=True, kw_only=True):
    """One access."""

    entry: UUID
    day: date
    """By the clock of the client's programme. Lines of one day, person, manner and event belong together."""
    at: datetime
    who: str
    """The printed name; `anonymous` where nobody was signed in."""
    actor: str
    """A staff identifier, `anonymous` or `system`."""
    roles: list[str]
    """At the time."""
    manner: Manner
    event: str
    what: list[str]
    """The kinds of data that were shown, and what was done."""
    why: str
    outcome: LogOutcome
    route: str
    withheld: WithheldOut | None
    proof: LineProofOut | None
    """Null where what lies beside the entry cannot be read any more, or is not what the entry commits to."""

    @classmethod
    def of(cls, line: Line, *, who: str, zone: ZoneInfo, withheld: Withheld | None = None) -> "AccessLineOut":
        """From the domain."""
        entry = line.access.entry
        return cls(
            entry=entry.id,
            day=line.group(zone).day,
            at=entry.at,
            who=who,
            actor=entry.actor,
            roles=list(entry.roles),
            manner=line.manner,
            event=entry.event,
            what=list(line.what),
            why=why_in_words(entry.purpose),
            outcome=entry.outcome,
            route=entry.route,
            withheld=None if withheld is None else WithheldOut.of(withheld),
            proof=None if line.evidence is None else LineProofOut.of(line.evidence),
        )

    @classmethod
    def reviewed(cls, shown: Shown, *, who: str, zone: ZoneInfo) -> "AccessLineOut":
        """As whoever reviews the report sees it."""
        return cls.of(shown.line, who=who, zone=zone, withheld=shown.withheld)


def _base64(data: bytes) -> str:
    return b64encode(data).decode()
