"""Where notes are kept, for one piece of work, and how one is shown."""

from litestar import Response

from caseload.api.note.wire import NoteOut
from caseload.api.work import versioned
from caseload.db.note import Notes
from caseload.domain.ids import ClientId
from caseload.domain.note import Note, NoteStanding, named_in
from caseload.request.work import Work


def notes(work: Work) -> Notes:
    """The notes, in this piece of work."""
    return Notes(work.connection, work.journal, now=work.now)


async def shown(work: Work, note: Note, status: int = 200) -> Response[NoteOut]:
    """A note as this person may read it; their own draft with whom its text seems to name."""
    named: frozenset[ClientId] = frozenset()
    if note.author == work.by.id and note.standing is NoteStanding.DRAFT:
        named = named_in(note.newest.text, (await notes(work).names_around(note)).clients)
        for client in named:
            work.journal.saw(client, "session")
    out = NoteOut.of(note, reader=work.by, now=work.now, names=named)
    return versioned(out, out.newest.version, status)
