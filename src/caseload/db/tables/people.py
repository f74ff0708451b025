"""Staff, their registrations, roles and duty, and their passwords.

A state that the rules forbid cannot be stored: who granted and who confirmed stand in one row of the confirmation,
so that a CHECK can compare them; an exclusion constraint keeps administrators and clinicians apart.
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Computed,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    UniqueConstraint,
    Uuid,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint

from caseload.db.tables.base import (
    INSTANT,
    begins_and_ends,
    from_one,
    identifier,
    metadata,
    not_blank,
    one_of,
    period,
    reference,
    words,
)
from caseload.domain.access import CLINICIANS, WITHOUT_PROGRAMME, Role
from caseload.domain.people.staff import COMMAND_LINE

_CLINICAL = ", ".join(f"'{role}'" for role in sorted(CLINICIANS))
_WITHOUT_PROGRAMME = ", ".join(f"'{role}'" for role in sorted(WITHOUT_PROGRAMME))
_NOT_THE_COMMAND_LINE = f"<> '{COMMAND_LINE}'::uuid"


staff = Table(
    "staff",
    metadata,
    identifier(),
    words("user_name"),
    words("printed_name"),
    Column("created_at", INSTANT, nullable=False),
    reference("created_by", "staff"),
    UniqueConstraint("user_name"),
    CheckConstraint(text("user_name ~ '^[a-z0-9][a-z0-9._@+-]{1,63}$'"), name="user_name"),
    not_blank("printed_name"),
    comment="A person who works here. Never deleted; a user name is one person's for ever.",
)

staff_password = Table(
    "staff_password",
    metadata,
    reference("staff_id", "staff", primary_key=True),
    Column("number", Integer(), primary_key=True, autoincrement=False),
    Column("set_at", INSTANT, nullable=False),
    reference("set_by", "staff"),
    words("hash"),
    Column("one_time_until", INSTANT),
    from_one("number"),
    CheckConstraint(text("hash LIKE '$argon2id$%'"), name="hash"),
    CheckConstraint(text("(one_time_until IS NULL) = (set_by = staff_id)"), name="set_by_another_is_one_time"),
    CheckConstraint(text("one_time_until > set_at"), name="one_time_until"),
    CheckConstraint(text(f"staff_id {_NOT_THE_COMMAND_LINE}"), name="a_person"),
    comment="Passwords, newest number counts. Set by another it is a one-time secret for choosing one.",
)

staff_deactivation = Table(
    "staff_deactivation",
    metadata,
    reference("staff_id", "staff", primary_key=True),
    Column("deactivated_at", INSTANT, nullable=False),
    reference("deactivated_by", "staff"),
    words("reason"),
    not_blank("reason"),
    CheckConstraint(text("deactivated_by <> staff_id"), name="by_another"),
    CheckConstraint(text(f"staff_id {_NOT_THE_COMMAND_LINE}"), name="a_person"),
    comment="An account that is closed for good. What the person recorded and signed stays.",
)

password_reset = Table(
    "password_reset",
    metadata,
    identifier(),
    reference("staff_id", "staff"),
    reference("reset_by", "staff"),
    Column("reset_at", INSTANT, nullable=False),
    UniqueConstraint("id", "staff_id", "reset_by"),
    CheckConstraint(text("reset_by <> staff_id"), name="by_another"),
    Index(None, "staff_id"),
    comment="Somebody was given a one-time secret. Until it is confirmed they may not sign.",
)

reset_confirmation = Table(
    "reset_confirmation",
    metadata,
    Column("reset_id", Uuid(), primary_key=True),
    reference("staff_id", "staff"),
    reference("reset_by", "staff"),
    reference("confirmed_by", "staff"),
    Column("confirmed_at", INSTANT, nullable=False),
    ForeignKeyConstraint(
        ["reset_id", "staff_id", "reset_by"],
        ["clinic.password_reset.id", "clinic.password_reset.staff_id", "clinic.password_reset.reset_by"],
        name="reset_confirmation_of_reset_fkey",
    ),
    CheckConstraint(text("confirmed_by <> reset_by AND confirmed_by <> staff_id"), name="by_a_third_person"),
    CheckConstraint(text(f"confirmed_by {_NOT_THE_COMMAND_LINE}"), name="by_a_person"),
    comment="A third person, not who reset nor who was reset, vouches for who asked.",
)

registration = Table(
    "registration",
    metadata,
    identifier(),
    reference("staff_id", "staff"),
    words("body"),
    words("number"),
    Column("recorded_at", INSTANT, nullable=False),
    reference("recorded_by", "staff"),
    UniqueConstraint("id", "staff_id"),
    UniqueConstraint("body", "number"),
    CheckConstraint(text("body ~ '^[A-Z][A-Z0-9 .&/-]{0,31}$'"), name="body"),
    CheckConstraint(text("number ~ '^[A-Z0-9][A-Z0-9 ./-]{0,31}$'"), name="number"),
    CheckConstraint(text("recorded_by <> staff_id"), name="by_another"),
    Index(None, "staff_id"),
    comment="A person's entry with a professional body. One number is one person's.",
)

registration_check = Table(
    "registration_check",
    metadata,
    Column("registration_id", Uuid(), primary_key=True),
    Column("number", Integer(), primary_key=True, autoincrement=False),
    reference("staff_id", "staff"),
    Column("expires_on", Date(), nullable=False),
    Column("checked_at", INSTANT, nullable=False),
    reference("checked_by", "staff"),
    ForeignKeyConstraint(
        ["registration_id", "staff_id"],
        ["clinic.registration.id", "clinic.registration.staff_id"],
        name="registration_check_of_registration_fkey",
    ),
    from_one("number"),
    CheckConstraint(text("checked_by <> staff_id"), name="by_another"),
    comment="What the body's register said when somebody looked; the newest number counts.",
)

role_grant = Table(
    "role_grant",
    metadata,
    identifier(),
    reference("staff_id", "staff"),
    reference("programme_id", "programme", nullable=True),
    words("role"),
    Column("starts_at", INSTANT, nullable=False),
    Column("ends_at", INSTANT),
    reference("granted_by", "staff"),
    Column("granted_at", INSTANT, nullable=False),
    Column("registration_id", Uuid()),
    Column("revoked_at", INSTANT),
    Column(
        "period",
        TSTZRANGE(),
        Computed(
            "tstzrange(starts_at, CASE WHEN ends_at IS NULL AND revoked_at IS NULL THEN NULL::timestamp with time zone "
            "ELSE GREATEST(starts_at, LEAST(ends_at, revoked_at)) END)",
            persisted=True,
        ),
        nullable=False,
    ),
    UniqueConstraint("id", "staff_id"),
    UniqueConstraint("id", "staff_id", "granted_by"),
    Index(None, "staff_id"),
    ForeignKeyConstraint(
        ["registration_id", "staff_id"],
        ["clinic.registration.id", "clinic.registration.staff_id"],
        name="role_grant_own_registration_fkey",
    ),
    one_of("role", Role),
    CheckConstraint(
        text(f"programme_id IS NOT NULL OR role IN ({_WITHOUT_PROGRAMME})"), name="programme_where_one_is_needed"
    ),
    CheckConstraint(
        text(f"(registration_id IS NOT NULL) = (role IN ({_CLINICAL}))"), name="registration_for_clinical_roles"
    ),
    CheckConstraint(text("ends_at > starts_at"), name="ends_after_start"),
    CheckConstraint(text("role <> 'inspector' OR ends_at IS NOT NULL"), name="inspector_ends"),
    CheckConstraint(text("granted_by <> staff_id"), name="by_another"),
    CheckConstraint(
        text(f"granted_by {_NOT_THE_COMMAND_LINE} OR role = 'administrator'"), name="command_line_administrators_only"
    ),
    CheckConstraint(text(f"staff_id {_NOT_THE_COMMAND_LINE}"), name="to_a_person"),
    ExcludeConstraint(
        ("staff_id", "="),
        (literal_column("((role = 'administrator')::integer)", Integer()), "<>"),
        ("period", "&&"),
        name="role_grant_administrator_apart_from_clinic",
        using="gist",
        where=text(f"role IN ('administrator', {_CLINICAL})"),
    ),
    ExcludeConstraint(
        ("staff_id", "="),
        ("role", "="),
        (literal_column("COALESCE(programme_id, '00000000-0000-0000-0000-000000000000'::uuid)", Uuid()), "="),
        ("period", "&&"),
        name="role_grant_once_at_a_time",
        using="gist",
    ),
    comment="A role, in a programme or everywhere, from when to when. A trigger sets `revoked_at`.",
)

role_confirmation = Table(
    "role_confirmation",
    metadata,
    Column("grant_id", Uuid(), primary_key=True),
    reference("staff_id", "staff"),
    reference("granted_by", "staff"),
    reference("confirmed_by", "staff"),
    Column("confirmed_at", INSTANT, nullable=False),
    ForeignKeyConstraint(
        ["grant_id", "staff_id", "granted_by"],
        ["clinic.role_grant.id", "clinic.role_grant.staff_id", "clinic.role_grant.granted_by"],
        name="role_confirmation_of_grant_fkey",
    ),
    CheckConstraint(text("confirmed_by <> granted_by AND confirmed_by <> staff_id"), name="by_a_third_person"),
    CheckConstraint(text(f"confirmed_by {_NOT_THE_COMMAND_LINE}"), name="by_a_person"),
    comment="A third person, not who granted nor who holds it, confirms a role.",
)

role_revocation = Table(
    "role_revocation",
    metadata,
    Column("grant_id", Uuid(), primary_key=True),
    reference("staff_id", "staff"),
    reference("revoked_by", "staff"),
    Column("revoked_at", INSTANT, nullable=False),
    words("reason"),
    ForeignKeyConstraint(
        ["grant_id", "staff_id"],
        ["clinic.role_grant.id", "clinic.role_grant.staff_id"],
        name="role_revocation_of_grant_fkey",
    ),
    CheckConstraint(text("revoked_by <> staff_id"), name="by_another"),
    not_blank("reason"),
    comment="A role taken away before its end. A trigger writes the moment into the grant.",
)

duty_shift = Table(
    "duty_shift",
    metadata,
    identifier(),
    reference("staff_id", "staff"),
    reference("programme_id", "programme"),
    period(),
    reference("set_by", "staff"),
    Column("set_at", INSTANT, nullable=False),
    begins_and_ends(),
    CheckConstraint(text("upper(period) - lower(period) <= interval '24 hours'"), name="one_day_at_most"),
    CheckConstraint(text("set_by <> staff_id"), name="by_another"),
    Index("duty_shift_staff_idx", "staff_id", "period", postgresql_using="gist"),
    Index("duty_shift_programme_idx", "programme_id", "period", postgresql_using="gist"),
    comment="A counsellor on duty sees the whole programme for the length of the shift.",
)

duty_shift_cancellation = Table(
    "duty_shift_cancellation",
    metadata,
    reference("shift_id", "duty_shift", primary_key=True),
    reference("cancelled_by", "staff"),
    Column("cancelled_at", INSTANT, nullable=False),
    comment="A shift that does not take place, or ends early.",
)
