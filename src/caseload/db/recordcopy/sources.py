"""From which tables the copy of a record is made, what of them is held back, and which tables are in no copy and why.

Every table that says something of a client stands in `SOURCES` or in `LEFT_OUT`: a test looks for any that does not.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Table, and_, exists, or_, select, true

from caseload.db.recordcopy.naming import names_somebody_of, names_somebody_there
from caseload.db.tables.attendance import therapy_session
from caseload.db.tables.base import complete
from caseload.db.tables.family import family_information_confided, family_information_taken_back
from caseload.db.tables.note import session_note, session_note_signature
from caseload.db.tables.session_relative import session_relative
from caseload.domain.attendance import ComesAs
from caseload.domain.disclosure import Ground
from caseload.domain.note import NoteKind, SignedAs
from caseload.domain.profiles.rights import WithholdingReason
from caseload.domain.recordcopy import Section

Where = Callable[[Table], ColumnElement[bool]]
Beside = Callable[[Table], ColumnElement[object]]

_TABLES: Final = complete().tables


def _always(_: Table) -> ColumnElement[bool]:
    return true()


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The rows of one table that say something of a client."""

    section: Section
    name: str
    by: str = "client_id"
    """The column that leads to the client, if need be by way of the table that it refers to."""
    told: str | None = "recorded_at"
    """When a row was recorded; none of what is part of another row."""
    only: Where = _always
    held_for: WithholdingReason | None = None
    held_where: Where = _always
    """Which of the rows are held back, where not all."""
    is_apart: bool = False
    """It is counted, and what it says is not read."""
    beside: Mapping[str, Beside] | None = None
    """What else an entry says, from another table."""

    @property
    def table(self) -> Table:
        """Where it stands."""
        return _TABLES[f"clinic.{self.name}"]


def _in(section: Section, *names: str, **more: str) -> list[Source]:
    """Plain ones: those that name the client, and those that lead there by a column (`name=column`)."""
    return [Source(section=section, name=name, told=_told(name)) for name in names] + [
        Source(section=section, name=name, by=by, told=_told(name)) for name, by in more.items()
    ]


def _told(name: str) -> str | None:
    columns = _TABLES[f"clinic.{name}"].c
    return next((told for told in _WHEN_TOLD if told in columns), None)


_WHEN_TOLD: Final = (
    "recorded_at", "written_at", "done_at", "raised_at", "asked_at", "answered_at", "decided_at", "signed_at", "stopped_at",
    "suspended_at", "reviewed_at", "said_at", "witnessed_at", "verified_at", "withdrawn_at", "corrected_at", "confirmed_at",
    "replaced_at", "passed_at", "booked_at", "left_at", "cleared_at", "voided_at", "opened_at", "closed_at", "made_at",
)  # fmt: skip
"""What tables call the moment at which a row was recorded; of several the first."""


def _is_confided_or_taken_back(table: Table) -> ColumnElement[bool]:
    """What was taken back was told of somebody else, or never: the privacy officer looks."""
    return or_(
        table.c.confidential.is_(other=True),
        exists().where(family_information_confided.c.information_id == table.c.id),
        exists().where(family_information_taken_back.c.information_id == table.c.id),
    )


def _in_own_right(table: Table) -> ColumnElement[bool]:
    """A relative who came for themselves: that is theirs to tell."""
    return table.c.comes_as == ComesAs.IN_OWN_RIGHT.value


def _in_own_right_or_names_others(table: Table) -> ColumnElement[bool]:
    return or_(_in_own_right(table), names_somebody_there("note", "in_spite_because")(table))


def _place_in_own_right_or_names_others(table: Table) -> ColumnElement[bool]:
    return exists().where(
        session_relative.c.id == table.c.place_id,
        or_(_in_own_right(session_relative), names_somebody_of(table.c.reason, session_relative)),
    )


def _was_not_consented(table: Table) -> ColumnElement[bool]:
    return table.c.ground != Ground.CONSENT.value


def _signed(table: Table) -> ColumnElement[bool]:
    return exists().where(
        session_note_signature.c.note_id == table.c.note_id,
        session_note_signature.c.version == table.c.version,
        session_note_signature.c.signed_as == SignedAs.AUTHOR.value,
    )


def _names_others(table: Table) -> ColumnElement[bool]:
    return exists().where(
        session_note_signature.c.note_id == table.c.note_id,
        session_note_signature.c.version == table.c.version,
        session_note_signature.c.names_others,
    )


def _of_kind(kind: NoteKind) -> Where:
    def of_kind(table: Table) -> ColumnElement[bool]:
        return exists().where(session_note.c.id == table.c.note_id, session_note.c.kind == kind.value)

    return of_kind


def _signed_of_kind(kind: NoteKind) -> Where:
    of_kind = _of_kind(kind)
    return lambda table: and_(_signed(table), of_kind(table))


def _of_session(column: str) -> Beside:
    return lambda table: (
        select(therapy_session.c[column]).where(therapy_session.c.id == table.c.session_id).scalar_subquery()
    )


def _of_the_notes_session(column: str) -> Beside:
    return lambda table: (
        select(therapy_session.c[column])
        .join(session_note, session_note.c.session_id == therapy_session.c.id)
        .where(session_note.c.id == table.c.note_id)
        .scalar_subquery()
    )


_SESSION: Final[Mapping[str, Beside]] = {
    "session": _of_session("title"),
    "session_starts_at": _of_session("starts_at"),
}
_NOTES_SESSION: Final[Mapping[str, Beside]] = {
    "session": _of_the_notes_session("title"),
    "session_starts_at": _of_the_notes_session("starts_at"),
}

SOURCES: Final[tuple[Source, ...]] = (
    *_in(
        Section.PERSON,
        "client_identity", "client_identifier", "photograph", "client_death",
        client="id", client_death_correction="death_id",
    ),
    *_in(
        Section.CARE,
        "episode", "responsibility", "responsibility_taken_back", "cover", "cover_taken_back", "keyworker", "waiting_word",
        "guest_stay", "handover_offer", "guest_agreement", "interim_treatment", "discharge_asked", "care_task", "client_transfer",
        episode_phase="episode_id", level_of_care="episode_id", admission_done="episode_id", discharge="episode_id",
        admission_done_taken_back="admission_done_id", guest_end="agreement_id", interim_plan="interim_treatment_id",
        interim_end="interim_treatment_id", interim_taken_back="interim_treatment_id", discharge_answer="asked_id",
        care_task_done="task_id",
    ),
    *_in(
        Section.MEDICINES,
        "medication_order", "medication_order_days", "guest_order", "hold", "medication_decision", "medication_task",
        "named_delivery", "excusal",
        medication_order_signature="order_id", medication_order_confirmation="order_id",
        medication_order_replacement="order_id", medication_order_stop="order_id", medication_task_done="task_id",
        excusal_end="excusal_id",
    ),
    *_in(
        Section.DOSES,
        "dose", "dose_correction", "dose_replacement", "dose_not_given", "dose_injection", "dose_spill", "dose_vomited",
        "dose_statement", "dose_statement_day", "pre_dose_observation",
        dose_review="dose_id", dose_giver_word="dose_id", dose_identity_check="dose_id", dose_spill_witness="spill_id",
        dose_statement_verification="statement_id", dose_statement_withdrawal="statement_id",
    ),
    *_in(
        Section.TAKE_HOME,
        "take_home_decision", "take_home_suspension", "take_home_dispense", "take_home_unit", "take_home_return",
        "take_home_outcome", "naloxone",
        naloxone_taken_back="naloxone_id", takehome_recovery="death_id", takehome_recovery_closed="death_id",
    ),
    *_in(
        Section.CHECK_INS,
        "check_in_plan", "check_in", "arrival",
        check_in_plan_version="plan_id", check_in_plan_phase="plan_id", check_in_step_up="plan_id",
        check_in_move="check_in_id", check_in_attempt="check_in_id", check_in_outcome="check_in_id",
        check_in_answers="check_in_id",
    ),
    *_in(Section.MEASURES, "observation", "drug_screen", drug_screen_result="screen_id"),
    *(
        Source(section=Section.SESSIONS, name=name, told=_told(name), beside=_SESSION)
        for name in ("therapy_session_booking", "therapy_session_wait", "therapy_session_wait_over")
    ),
    *(
        Source(
            section=Section.SESSIONS,
            name=name,
            told=_told(name),
            held_for=WithholdingReason.ANOTHER_CLIENT,
            held_where=names_somebody_there(said),
            beside=_SESSION,
        )
        for name, said in (("therapy_session_cancellation", "reason"), ("therapy_session_line", "note"))
    ),
    *(
        Source(
            section=Section.SESSIONS,
            name=name,
            told=told,
            held_for=WithholdingReason.ANOTHER_PERSON,
            held_where=held,
            beside=_SESSION,
        )
        for name, told, held in (
            ("session_relative", "booked_at", _in_own_right),
            ("session_relative_line", None, _in_own_right_or_names_others),
        )
    ),
    Source(
        section=Section.SESSIONS,
        name="session_relative_cancellation",
        by="place_id",
        held_for=WithholdingReason.ANOTHER_PERSON,
        held_where=_place_in_own_right_or_names_others,
    ),
    Source(
        section=Section.NOTES,
        name="session_note_version",
        by="note_id",
        told="written_at",
        only=_signed_of_kind(NoteKind.PROGRESS),
        held_for=WithholdingReason.ANOTHER_CLIENT,
        held_where=_names_others,
        beside=_NOTES_SESSION,
    ),
    Source(
        section=Section.NOTES,
        name="session_note_version",
        by="note_id",
        told="written_at",
        only=_signed_of_kind(NoteKind.COUNSELLING),
        held_for=WithholdingReason.COUNSELLING_NOTE,
        is_apart=True,
    ),
    *(
        Source(section=Section.NOTES, name=name, by="note_id", told=_told(name), only=_of_kind(NoteKind.PROGRESS))
        for name in ("session_note_signature", "session_note_voided")
    ),
    *_in(Section.PEOPLE, "related_person", "related_person_involvement"),
    Source(
        section=Section.PEOPLE,
        name="related_person_version",
        by="person_id",
        held_for=WithholdingReason.ANOTHER_PERSON,
    ),
    Source(section=Section.PEOPLE, name="related_person_warning", held_for=WithholdingReason.SERIOUS_HARM),
    Source(
        section=Section.PEOPLE,
        name="family_information",
        held_for=WithholdingReason.IN_CONFIDENCE,
        held_where=_is_confided_or_taken_back,
    ),
    *(
        Source(section=Section.PEOPLE, name=name, by="information_id", held_for=WithholdingReason.IN_CONFIDENCE)
        for name in ("family_information_confided", "family_information_taken_back")
    ),
    *_in(
        Section.CONSENTS,
        "consent", "consent_recipient",
        consent_event="consent_id", consent_revocation="consent_id",
    ),
    Source(
        section=Section.DISCLOSURES,
        name="disclosure_made",
        held_for=WithholdingReason.TIP_OFF,
        held_where=_was_not_consented,
    ),
    Source(
        section=Section.DISCLOSURES,
        name="disclosure_completed",
        by="disclosure_id",
        held_for=WithholdingReason.TIP_OFF,
    ),
    Source(section=Section.DISCLOSURES, name="redisclosure", held_for=WithholdingReason.ANOTHER_PERSON),
    *_in(
        Section.REQUESTS,
        "rights_request", "rights_accounting", "rights_entry", "rights_amendment", "rights_dispute", "rights_restriction", "rights_contact",
        "patient_notice_given",
        rights_restriction_end="request_id", rights_contact_end="request_id", rights_restriction_termination="request_id",
        rights_put_off="request_id", rights_answer="request_id", rights_statement="request_id",
        rights_asked_along="request_id", patient_notice_taken_back="given_id",
    ),
    *_in(
        Section.CONTACT,
        "client_contact", "outreach_step_asked", "window_message",
        window_message_cleared="message_id",
    ),
    Source(section=Section.CONTACT, name="outreach_step", told="taken_at"),
    Source(section=Section.SAFETY, name="flag", held_for=WithholdingReason.SERIOUS_HARM),
    Source(section=Section.SAFETY, name="flag_end", by="flag_id", held_for=WithholdingReason.SERIOUS_HARM),
    Source(section=Section.SAFETY, name="escalation", held_for=WithholdingReason.SERIOUS_HARM),
    Source(
        section=Section.SAFETY,
        name="escalation_acknowledgement",
        by="escalation_id",
        held_for=WithholdingReason.SERIOUS_HARM,
    ),
    Source(section=Section.SAFETY, name="restriction", held_for=WithholdingReason.ANOTHER_PERSON),
    *_in(
        Section.HISTORY,
        "client_history", "history_visit", "history_drug_screen", "history_replaced_dose", "history_verification",
    ),
)  # fmt: skip
"""In the order in which a copy shows them."""

_DERIVED: Final = "it follows from what is in the copy"
_OF_COPIES: Final = "what was decided of an earlier copy or report would show what it withheld"
_MERGE: Final = "it is about two registrations, of which the other may be somebody else's"
_STOCK: Final = "it is the ledger of the stock; the dose or the unit is in the copy"
_GLASS: Final = "who opened a record in an emergency is told by the report of accesses"
_STAFF: Final = "it says which staff were called, or read something, and nothing of the client"
_ALERT: Final = "it says that staff were told once; the task that it raised is in the copy"

LEFT_OUT: Final[Mapping[str, str]] = {
    "check_in_plan_current": _DERIVED,
    "check_in_waiting": _DERIVED,
    "care_task_open": _DERIVED,
    "escalation_open": _DERIVED,
    "medication_record": _DERIVED,
    "session_note_current": _DERIVED,
    "outreach_standing": _DERIVED,
    "outreach_failure": "it says when the service tries again by itself",
    "session_note": "each of its signed versions is in the copy",
    "session_note_sent_back": "it is a supervisor's word to a colleague about a draft",
    "escalation_passing": _STAFF,
    "escalation_recipient": _STAFF,
    "related_person_link": "it says that somebody else is a client: no copy of either tells of the other",
    "consent_alert": _ALERT,
    "release_alert": _ALERT,
    "restriction_naming": _STAFF,
    "glass": _GLASS,
    "glass_review": _GLASS,
    "access_report": _OF_COPIES,
    "access_report_release": _OF_COPIES,
    "access_report_withheld": _OF_COPIES,
    "record_copy": _OF_COPIES,
    "record_copy_entry": _OF_COPIES,
    "record_copy_decision": _OF_COPIES,
    "record_copy_release": _OF_COPIES,
    "client_merge": _MERGE,
    "client_merge_answer": _MERGE,
    "client_merge_side": _MERGE,
    "client_merge_undoing": _MERGE,
    "match_decision_use": _MERGE,
    "stock_take_home": _STOCK,
    "stock_taking": _STOCK,
    "stock_waste": _STOCK,
    "stock_waste_settled": _STOCK,
    "downtime_line": "a line of a sheet became a dose or an entry of its own",
    "screen_draw_line": "it is one line of a draw among everybody; the sample is in the copy",
}
"""Tables that say something of a client and are in no copy, each with the reason."""
