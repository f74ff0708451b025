"""Session notes over HTTP: written, signed, countersigned, read."""

from litestar import Router

from caseload.api.note.reading import (
    list_client_notes,
    list_note_signatures,
    list_note_versions,
    list_session_notes,
    read_note,
)
from caseload.api.note.signing import co_sign_note, send_back_note, sign_note
from caseload.api.note.writing import change_note, void_note, write_note

router = Router(
    "/",
    route_handlers=[
        write_note,
        change_note,
        void_note,
        sign_note,
        co_sign_note,
        send_back_note,
        read_note,
        list_note_versions,
        list_note_signatures,
        list_session_notes,
        list_client_notes,
    ],
    tags=["Notes"],
)

__all__ = ["router"]
