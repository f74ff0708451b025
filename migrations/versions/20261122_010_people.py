"""People and access: programmes, staff, registrations, roles, duty, passwords and sessions.

The service may read and add (the defaults of the first revision); it may also touch and end sessions, and count and
forget failures to sign in. A role that is revoked ends through a trigger, so that the service can end a role but
never lengthen one.
"""

from alembic import op

revision = "20261122_010"
down_revision = "20261122_001"

TABLES = (
    """
    CREATE TABLE clinic.programme (
        id UUID NOT NULL,
        code TEXT NOT NULL,
        name TEXT NOT NULL,
        time_zone TEXT NOT NULL,
        profile TEXT NOT NULL,
        opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT programme_pkey PRIMARY KEY (id),
        CONSTRAINT programme_code_key UNIQUE (code),
        CONSTRAINT programme_code_check CHECK (code ~ '^[A-Z0-9][A-Z0-9-]{0,15}$'),
        CONSTRAINT programme_name_not_blank_check CHECK (btrim(name) <> ''),
        CONSTRAINT programme_time_zone_check CHECK (time_zone ~ '^[A-Za-z0-9_+/-]{1,64}$'),
        CONSTRAINT programme_profile_check CHECK (profile ~ '^[A-Z]{2}(-[A-Z0-9-]{1,30})?$')
    )
    """,
    """
    CREATE TABLE clinic.staff (
        id UUID NOT NULL,
        user_name TEXT NOT NULL,
        printed_name TEXT NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        created_by UUID NOT NULL,
        CONSTRAINT staff_pkey PRIMARY KEY (id),
        CONSTRAINT staff_user_name_key UNIQUE (user_name),
        CONSTRAINT staff_user_name_check CHECK (user_name ~ '^[a-z0-9][a-z0-9._@+-]{1,63}$'),
        CONSTRAINT staff_printed_name_not_blank_check CHECK (btrim(printed_name) <> ''),
        CONSTRAINT staff_created_by_fkey FOREIGN KEY(created_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.staff_password (
        staff_id UUID NOT NULL,
        number INTEGER NOT NULL,
        set_at TIMESTAMP WITH TIME ZONE NOT NULL,
        set_by UUID NOT NULL,
        hash TEXT NOT NULL,
        one_time_until TIMESTAMP WITH TIME ZONE,
        CONSTRAINT staff_password_pkey PRIMARY KEY (staff_id, number),
        CONSTRAINT staff_password_number_check CHECK (number >= 1),
        CONSTRAINT staff_password_hash_check CHECK (hash LIKE '$argon2id$%'),
        CONSTRAINT staff_password_set_by_another_is_one_time_check CHECK
            ((one_time_until IS NULL) = (set_by = staff_id)),
        CONSTRAINT staff_password_one_time_until_check CHECK (one_time_until > set_at),
        CONSTRAINT staff_password_a_person_check CHECK (staff_id <> '00000000-0000-7000-8000-000000000001'::uuid),
        CONSTRAINT staff_password_staff_id_fkey FOREIGN KEY(staff_id) REFERENCES clinic.staff (id),
        CONSTRAINT staff_password_set_by_fkey FOREIGN KEY(set_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.staff_deactivation (
        staff_id UUID NOT NULL,
        deactivated_at TIMESTAMP WITH TIME ZONE NOT NULL,
        deactivated_by UUID NOT NULL,
        reason TEXT NOT NULL,
        CONSTRAINT staff_deactivation_pkey PRIMARY KEY (staff_id),
        CONSTRAINT staff_deactivation_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT staff_deactivation_by_another_check CHECK (deactivated_by <> staff_id),
        CONSTRAINT staff_deactivation_a_person_check CHECK (staff_id <> '00000000-0000-7000-8000-000000000001'::uuid),
        CONSTRAINT staff_deactivation_staff_id_fkey FOREIGN KEY(staff_id) REFERENCES clinic.staff (id),
        CONSTRAINT staff_deactivation_deactivated_by_fkey FOREIGN KEY(deactivated_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.password_reset (
        id UUID NOT NULL,
        staff_id UUID NOT NULL,
        reset_by UUID NOT NULL,
        reset_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT password_reset_pkey PRIMARY KEY (id),
        CONSTRAINT password_reset_id_staff_id_reset_by_key UNIQUE (id, staff_id, reset_by),
        CONSTRAINT password_reset_by_another_check CHECK (reset_by <> staff_id),
        CONSTRAINT password_reset_staff_id_fkey FOREIGN KEY(staff_id) REFERENCES clinic.staff (id),
        CONSTRAINT password_reset_reset_by_fkey FOREIGN KEY(reset_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.reset_confirmation (
        reset_id UUID NOT NULL,
        staff_id UUID NOT NULL,
        reset_by UUID NOT NULL,
        confirmed_by UUID NOT NULL,
        confirmed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT reset_confirmation_pkey PRIMARY KEY (reset_id),
        CONSTRAINT reset_confirmation_of_reset_fkey FOREIGN KEY(reset_id, staff_id, reset_by)
            REFERENCES clinic.password_reset (id, staff_id, reset_by),
        CONSTRAINT reset_confirmation_by_a_third_person_check CHECK
            (confirmed_by <> reset_by AND confirmed_by <> staff_id),
        CONSTRAINT reset_confirmation_by_a_person_check CHECK
            (confirmed_by <> '00000000-0000-7000-8000-000000000001'::uuid),
        CONSTRAINT reset_confirmation_staff_id_fkey FOREIGN KEY(staff_id) REFERENCES clinic.staff (id),
        CONSTRAINT reset_confirmation_reset_by_fkey FOREIGN KEY(reset_by) REFERENCES clinic.staff (id),
        CONSTRAINT reset_confirmation_confirmed_by_fkey FOREIGN KEY(confirmed_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.registration (
        id UUID NOT NULL,
        staff_id UUID NOT NULL,
        body TEXT NOT NULL,
        number TEXT NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        recorded_by UUID NOT NULL,
        CONSTRAINT registration_pkey PRIMARY KEY (id),
        CONSTRAINT registration_id_staff_id_key UNIQUE (id, staff_id),
        CONSTRAINT registration_body_number_key UNIQUE (body, number),
        CONSTRAINT registration_body_check CHECK (body ~ '^[A-Z][A-Z0-9 .&/-]{0,31}$'),
        CONSTRAINT registration_number_check CHECK (number ~ '^[A-Z0-9][A-Z0-9 ./-]{0,31}$'),
        CONSTRAINT registration_by_another_check CHECK (recorded_by <> staff_id),
        CONSTRAINT registration_staff_id_fkey FOREIGN KEY(staff_id) REFERENCES clinic.staff (id),
        CONSTRAINT registration_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.registration_check (
        registration_id UUID NOT NULL,
        number INTEGER NOT NULL,
        staff_id UUID NOT NULL,
        expires_on DATE NOT NULL,
        checked_at TIMESTAMP WITH TIME ZONE NOT NULL,
        checked_by UUID NOT NULL,
        CONSTRAINT registration_check_pkey PRIMARY KEY (registration_id, number),
        CONSTRAINT registration_check_of_registration_fkey FOREIGN KEY(registration_id, staff_id)
            REFERENCES clinic.registration (id, staff_id),
        CONSTRAINT registration_check_number_check CHECK (number >= 1),
        CONSTRAINT registration_check_by_another_check CHECK (checked_by <> staff_id),
        CONSTRAINT registration_check_staff_id_fkey FOREIGN KEY(staff_id) REFERENCES clinic.staff (id),
        CONSTRAINT registration_check_checked_by_fkey FOREIGN KEY(checked_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.role_grant (
        id UUID NOT NULL,
        staff_id UUID NOT NULL,
        programme_id UUID,
        role TEXT NOT NULL,
        starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
        ends_at TIMESTAMP WITH TIME ZONE,
        granted_by UUID NOT NULL,
        granted_at TIMESTAMP WITH TIME ZONE NOT NULL,
        registration_id UUID,
        revoked_at TIMESTAMP WITH TIME ZONE,
        period TSTZRANGE GENERATED ALWAYS AS (
                tstzrange(starts_at, CASE WHEN ends_at IS NULL AND revoked_at IS NULL
                          THEN NULL::timestamp with time zone
                          ELSE GREATEST(starts_at, LEAST(ends_at, revoked_at)) END)) STORED NOT NULL,
        CONSTRAINT role_grant_pkey PRIMARY KEY (id),
        CONSTRAINT role_grant_id_staff_id_key UNIQUE (id, staff_id),
        CONSTRAINT role_grant_id_staff_id_granted_by_key UNIQUE (id, staff_id, granted_by),
        CONSTRAINT role_grant_own_registration_fkey FOREIGN KEY(registration_id, staff_id)
            REFERENCES clinic.registration (id, staff_id),
        CONSTRAINT role_grant_role_check CHECK
            (role IN ('nurse', 'prescriber', 'pharmacist', 'counsellor', 'supervisor',
             'medical_director', 'front_desk', 'auditor', 'privacy_officer', 'inspector', 'administrator')),
        CONSTRAINT role_grant_programme_where_one_is_needed_check CHECK
            (programme_id IS NOT NULL OR role IN ('administrator', 'auditor', 'privacy_officer')),
        CONSTRAINT role_grant_registration_for_clinical_roles_check CHECK
            ((registration_id IS NOT NULL) = (role IN ('medical_director', 'nurse', 'pharmacist', 'prescriber'))),
        CONSTRAINT role_grant_ends_after_start_check CHECK (ends_at > starts_at),
        CONSTRAINT role_grant_inspector_ends_check CHECK (role <> 'inspector' OR ends_at IS NOT NULL),
        CONSTRAINT role_grant_by_another_check CHECK (granted_by <> staff_id),
        CONSTRAINT role_grant_command_line_administrators_only_check CHECK
            (granted_by <> '00000000-0000-7000-8000-000000000001'::uuid OR role = 'administrator'),
        CONSTRAINT role_grant_to_a_person_check CHECK (staff_id <> '00000000-0000-7000-8000-000000000001'::uuid),
        CONSTRAINT role_grant_administrator_apart_from_clinic
            EXCLUDE USING gist (staff_id WITH =, ((role = 'administrator')::integer) WITH <>, period WITH &&)
            WHERE (role IN ('administrator', 'medical_director', 'nurse', 'pharmacist', 'prescriber')),
        CONSTRAINT role_grant_once_at_a_time
            EXCLUDE USING gist (staff_id WITH =, role WITH =,
                COALESCE(programme_id, '00000000-0000-0000-0000-000000000000'::uuid) WITH =, period WITH &&),
        CONSTRAINT role_grant_staff_id_fkey FOREIGN KEY(staff_id) REFERENCES clinic.staff (id),
        CONSTRAINT role_grant_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT role_grant_granted_by_fkey FOREIGN KEY(granted_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.role_confirmation (
        grant_id UUID NOT NULL,
        staff_id UUID NOT NULL,
        granted_by UUID NOT NULL,
        confirmed_by UUID NOT NULL,
        confirmed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT role_confirmation_pkey PRIMARY KEY (grant_id),
        CONSTRAINT role_confirmation_of_grant_fkey FOREIGN KEY(grant_id, staff_id, granted_by)
            REFERENCES clinic.role_grant (id, staff_id, granted_by),
        CONSTRAINT role_confirmation_by_a_third_person_check CHECK
            (confirmed_by <> granted_by AND confirmed_by <> staff_id),
        CONSTRAINT role_confirmation_by_a_person_check CHECK
            (confirmed_by <> '00000000-0000-7000-8000-000000000001'::uuid),
        CONSTRAINT role_confirmation_staff_id_fkey FOREIGN KEY(staff_id) REFERENCES clinic.staff (id),
        CONSTRAINT role_confirmation_granted_by_fkey FOREIGN KEY(granted_by) REFERENCES clinic.staff (id),
        CONSTRAINT role_confirmation_confirmed_by_fkey FOREIGN KEY(confirmed_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.role_revocation (
        grant_id UUID NOT NULL,
        staff_id UUID NOT NULL,
        revoked_by UUID NOT NULL,
        revoked_at TIMESTAMP WITH TIME ZONE NOT NULL,
        reason TEXT NOT NULL,
        CONSTRAINT role_revocation_pkey PRIMARY KEY (grant_id),
        CONSTRAINT role_revocation_of_grant_fkey FOREIGN KEY(grant_id, staff_id)
            REFERENCES clinic.role_grant (id, staff_id),
        CONSTRAINT role_revocation_by_another_check CHECK (revoked_by <> staff_id),
        CONSTRAINT role_revocation_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT role_revocation_staff_id_fkey FOREIGN KEY(staff_id) REFERENCES clinic.staff (id),
        CONSTRAINT role_revocation_revoked_by_fkey FOREIGN KEY(revoked_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.duty_shift (
        id UUID NOT NULL,
        staff_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        period TSTZRANGE NOT NULL,
        set_by UUID NOT NULL,
        set_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT duty_shift_pkey PRIMARY KEY (id),
        CONSTRAINT duty_shift_period_has_an_end_check CHECK
            (NOT isempty(period) AND NOT lower_inf(period) AND NOT upper_inf(period)),
        CONSTRAINT duty_shift_one_day_at_most_check CHECK (upper(period) - lower(period) <= interval '24 hours'),
        CONSTRAINT duty_shift_by_another_check CHECK (set_by <> staff_id),
        CONSTRAINT duty_shift_staff_id_fkey FOREIGN KEY(staff_id) REFERENCES clinic.staff (id),
        CONSTRAINT duty_shift_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT duty_shift_set_by_fkey FOREIGN KEY(set_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.duty_shift_cancellation (
        shift_id UUID NOT NULL,
        cancelled_by UUID NOT NULL,
        cancelled_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT duty_shift_cancellation_pkey PRIMARY KEY (shift_id),
        CONSTRAINT duty_shift_cancellation_shift_id_fkey FOREIGN KEY(shift_id) REFERENCES clinic.duty_shift (id),
        CONSTRAINT duty_shift_cancellation_cancelled_by_fkey FOREIGN KEY(cancelled_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.sign_in_session (
        id UUID NOT NULL,
        token_digest BYTEA NOT NULL,
        staff_id UUID NOT NULL,
        source_digest BYTEA NOT NULL,
        methods TEXT[] NOT NULL,
        started_at TIMESTAMP WITH TIME ZONE NOT NULL,
        last_used_at TIMESTAMP WITH TIME ZONE NOT NULL,
        expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
        ended_at TIMESTAMP WITH TIME ZONE,
        end_reason TEXT,
        CONSTRAINT sign_in_session_pkey PRIMARY KEY (id),
        CONSTRAINT sign_in_session_token_digest_key UNIQUE (token_digest),
        CONSTRAINT sign_in_session_token_digest_check CHECK (octet_length(token_digest) = 32),
        CONSTRAINT sign_in_session_source_digest_check CHECK (octet_length(source_digest) = 32),
        CONSTRAINT sign_in_session_expires_after_start_check CHECK (expires_at > started_at),
        CONSTRAINT sign_in_session_used_after_start_check CHECK (last_used_at >= started_at),
        CONSTRAINT sign_in_session_methods_check CHECK (cardinality(methods) >= 1),
        CONSTRAINT sign_in_session_end_check CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
        CONSTRAINT sign_in_session_end_reason_check CHECK
            (end_reason IN ('signed_out', 'password_changed', 'password_reset', 'deactivated')),
        CONSTRAINT sign_in_session_a_person_check CHECK (staff_id <> '00000000-0000-7000-8000-000000000001'::uuid),
        CONSTRAINT sign_in_session_staff_id_fkey FOREIGN KEY(staff_id) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.sign_in_failure (
        account_digest BYTEA NOT NULL,
        source_digest BYTEA NOT NULL,
        failures INTEGER NOT NULL,
        last_at TIMESTAMP WITH TIME ZONE NOT NULL,
        blocked_until TIMESTAMP WITH TIME ZONE,
        CONSTRAINT sign_in_failure_pkey PRIMARY KEY (account_digest, source_digest),
        CONSTRAINT sign_in_failure_account_digest_check CHECK (octet_length(account_digest) = 32),
        CONSTRAINT sign_in_failure_source_digest_check CHECK (octet_length(source_digest) = 32),
        CONSTRAINT sign_in_failure_failures_check CHECK (failures >= 1)
    )
    """,
    """
    CREATE TABLE clinic.sign_in_failure_minute (
        minute TIMESTAMP WITH TIME ZONE NOT NULL,
        source_digest BYTEA NOT NULL,
        failures INTEGER NOT NULL,
        CONSTRAINT sign_in_failure_minute_pkey PRIMARY KEY (minute, source_digest),
        CONSTRAINT sign_in_failure_minute_source_digest_check CHECK (octet_length(source_digest) = 32),
        CONSTRAINT sign_in_failure_minute_failures_check CHECK (failures >= 1)
    )
    """,
)

INDEXES = (
    "CREATE INDEX password_reset_staff_id_idx ON clinic.password_reset (staff_id)",
    "CREATE INDEX registration_staff_id_idx ON clinic.registration (staff_id)",
    "CREATE INDEX role_grant_staff_id_idx ON clinic.role_grant (staff_id)",
    "CREATE INDEX duty_shift_programme_idx ON clinic.duty_shift USING gist (programme_id, period)",
    "CREATE INDEX duty_shift_staff_idx ON clinic.duty_shift USING gist (staff_id, period)",
    "CREATE INDEX sign_in_session_open_idx ON clinic.sign_in_session (staff_id) WHERE ended_at IS NULL",
    "CREATE INDEX sign_in_session_staff_id_source_digest_idx ON clinic.sign_in_session (staff_id, source_digest)",
)

COMMENTS = {
    "programme": "A site of the clinic, with the time zone of its days and the jurisdiction profile of its rules.",
    "staff": "A person who works here. Never deleted; a user name is one person's for ever.",
    "staff_password": "Passwords, newest number counts. Set by another it is a one-time secret for choosing one.",
    "staff_deactivation": "An account that is closed for good. What the person recorded and signed stays.",
    "password_reset": "Somebody was given a one-time secret. Until it is confirmed they may not sign.",
    "reset_confirmation": "A third person, not who reset nor who was reset, vouches for who asked.",
    "registration": "A person's entry with a professional body. One number is one person's.",
    "registration_check": "What the body's register said when somebody looked; the newest number counts.",
    "role_grant": "A role, in a programme or everywhere, from when to when. A trigger sets `revoked_at`.",
    "role_confirmation": "A third person, not who granted nor who holds it, confirms a role.",
    "role_revocation": "A role taken away before its end. A trigger writes the moment into the grant.",
    "duty_shift": "A counsellor on duty sees the whole programme for the length of the shift.",
    "duty_shift_cancellation": "A shift that does not take place, or ends early.",
    "sign_in_session": "Sessions, found by the SHA-256 of their token. Expiry is a question, not an update.",
    "sign_in_failure": "Failures by account and source; 32 zero bytes stand for any account or any source.",
    "sign_in_failure_minute": "Failures of a minute by source, until they are told to the audit log as one entry each.",
}

MAY_ALSO = (
    "grant update (last_used_at, ended_at, end_reason) on clinic.sign_in_session to caseload_app",
    "grant update (failures, last_at, blocked_until), delete on clinic.sign_in_failure to caseload_app",
    "grant update (failures), delete on clinic.sign_in_failure_minute to caseload_app",
    # All but `revoked_at`, which only the trigger below writes.
    "revoke insert on clinic.role_grant from caseload_app",
    """
    grant insert (id, staff_id, programme_id, role, starts_at, ends_at, granted_by, granted_at, registration_id)
    on clinic.role_grant to caseload_app
    """,
)

TRIGGERS = (
    """
    create function clinic.end_revoked_role() returns trigger
    language plpgsql security definer set search_path = pg_catalog as $$
    begin
      update clinic.role_grant set revoked_at = new.revoked_at where id = new.grant_id;
      return null;
    end $$
    """,
    "revoke execute on function clinic.end_revoked_role() from public",
    """
    create trigger role_revocation_ends_role after insert on clinic.role_revocation
    for each row execute function clinic.end_revoked_role()
    """,
    """
    create function clinic.keep_session_ended() returns trigger
    language plpgsql set search_path = pg_catalog as $$
    begin
      raise exception 'session % has ended', old.id using errcode = 'integrity_constraint_violation';
    end $$
    """,
    """
    create trigger sign_in_session_stays_ended before update on clinic.sign_in_session
    for each row when (old.ended_at is not null) execute function clinic.keep_session_ended()
    """,
)

THE_COMMAND_LINE = """
insert into clinic.staff (id, user_name, printed_name, created_at, created_by)
values ('00000000-0000-7000-8000-000000000001', 'command-line', 'Command line of the server',
        transaction_timestamp(), '00000000-0000-7000-8000-000000000001')
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in (*TABLES, *INDEXES):
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
    for statement in (*MAY_ALSO, *TRIGGERS, THE_COMMAND_LINE):
        op.execute(statement)
