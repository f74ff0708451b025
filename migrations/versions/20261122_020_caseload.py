"""Clients, episodes of care, and who looks after whom; and the keys of requests that were carried out.

Two rules are held here and not only in code: one episode and one responsible counsellor at a time (exclusion
constraints), and no moment of an episode without one (deferred constraint triggers, so that a handover may close one
period and open the next within its transaction).
"""

from alembic import op

revision = "20261122_020"
down_revision = "20261122_003"

TABLES = (
    """
    CREATE TABLE clinic.client (
        id UUID NOT NULL,
        programme_id UUID NOT NULL,
        registered_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT client_pkey PRIMARY KEY (id),
        CONSTRAINT client_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT client_registered_by_fkey FOREIGN KEY(registered_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.match_decision (
        id UUID NOT NULL,
        likeness BYTEA NOT NULL,
        reason TEXT NOT NULL,
        decided_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT match_decision_pkey PRIMARY KEY (id),
        CONSTRAINT match_decision_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT match_decision_likeness_check CHECK (octet_length(likeness) = 32),
        CONSTRAINT match_decision_decided_by_fkey FOREIGN KEY(decided_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.request_key (
        staff_id UUID NOT NULL,
        route TEXT NOT NULL,
        key TEXT NOT NULL,
        digest BYTEA NOT NULL,
        status SMALLINT NOT NULL,
        resource UUID NOT NULL,
        version SMALLINT,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT request_key_pkey PRIMARY KEY (staff_id, route, key),
        CONSTRAINT request_key_digest_check CHECK (octet_length(digest) = 32),
        CONSTRAINT request_key_key_check CHECK (length(key) BETWEEN 1 AND 255),
        CONSTRAINT request_key_only_successes_check CHECK (status BETWEEN 200 AND 299),
        CONSTRAINT request_key_staff_id_fkey FOREIGN KEY(staff_id) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.client_identifier (
        client_id UUID NOT NULL,
        kind TEXT NOT NULL,
        value TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT client_identifier_pkey PRIMARY KEY (client_id, kind, value),
        CONSTRAINT client_identifier_kind_check CHECK (kind IN ('chart', 'national_health', 'medicaid', 'brought_in')),
        CONSTRAINT client_identifier_value_not_blank_check CHECK (btrim(value) <> ''),
        CONSTRAINT client_identifier_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT client_identifier_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.client_identity (
        client_id UUID NOT NULL,
        version SMALLINT NOT NULL,
        given_name TEXT NOT NULL,
        family_name TEXT NOT NULL,
        birth_date DATE NOT NULL,
        birth_date_estimated BOOLEAN NOT NULL,
        sex TEXT NOT NULL,
        whole_name TEXT GENERATED ALWAYS AS (lower(((given_name || ' '::text) || family_name))) STORED NOT NULL,
        reason TEXT,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT client_identity_pkey PRIMARY KEY (client_id, version),
        CONSTRAINT client_identity_given_name_not_blank_check CHECK (btrim(given_name) <> ''),
        CONSTRAINT client_identity_family_name_not_blank_check CHECK (btrim(family_name) <> ''),
        CONSTRAINT client_identity_sex_check CHECK (sex IN ('female', 'male', 'other', 'unknown')),
        CONSTRAINT client_identity_version_check CHECK (version >= 1),
        CONSTRAINT client_identity_correction_has_reason_check CHECK (version = 1 OR reason IS NOT NULL),
        CONSTRAINT client_identity_birth_date_check CHECK (birth_date >= DATE '1880-01-01'),
        CONSTRAINT client_identity_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT client_identity_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.cover (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        counsellor_id UUID NOT NULL,
        period TSTZRANGE NOT NULL,
        reason TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT cover_pkey PRIMARY KEY (id),
        CONSTRAINT cover_period_has_an_end_check CHECK (NOT isempty(period) AND NOT lower_inf(period) AND NOT upper_inf(period)),
        CONSTRAINT cover_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT cover_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT cover_counsellor_id_fkey FOREIGN KEY(counsellor_id) REFERENCES clinic.staff (id),
        CONSTRAINT cover_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.episode (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        admitted_on DATE NOT NULL,
        period TSTZRANGE NOT NULL,
        returns_from UUID,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT episode_pkey PRIMARY KEY (id),
        CONSTRAINT episode_period_check CHECK (NOT isempty(period) AND NOT lower_inf(period)),
        CONSTRAINT episode_one_at_a_time EXCLUDE USING gist (client_id WITH =, period WITH &&),
        CONSTRAINT episode_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT episode_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT episode_returns_from_fkey FOREIGN KEY(returns_from) REFERENCES clinic.episode (id),
        CONSTRAINT episode_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.guest_stay (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        host_programme_id UUID NOT NULL,
        period TSTZRANGE NOT NULL,
        reason TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT guest_stay_pkey PRIMARY KEY (id),
        CONSTRAINT guest_stay_period_has_an_end_check CHECK (NOT isempty(period) AND NOT lower_inf(period) AND NOT upper_inf(period)),
        CONSTRAINT guest_stay_one_at_a_time EXCLUDE USING gist (client_id WITH =, period WITH &&),
        CONSTRAINT guest_stay_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT guest_stay_host_programme_id_fkey FOREIGN KEY(host_programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT guest_stay_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.discharge (
        episode_id UUID NOT NULL,
        effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
        reason TEXT NOT NULL,
        note TEXT,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT discharge_pkey PRIMARY KEY (episode_id),
        CONSTRAINT discharge_reason_check CHECK (reason IN ('completed', 'dropped_out', 'terminated', 'transferred', 'incarcerated', 'died', 'other')),
        CONSTRAINT discharge_not_in_the_future_check CHECK (effective_at <= recorded_at),
        CONSTRAINT discharge_episode_id_fkey FOREIGN KEY(episode_id) REFERENCES clinic.episode (id),
        CONSTRAINT discharge_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.level_of_care (
        episode_id UUID NOT NULL,
        from_on DATE NOT NULL,
        edition TEXT NOT NULL,
        level TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT level_of_care_pkey PRIMARY KEY (episode_id, from_on),
        CONSTRAINT level_of_care_episode_id_fkey FOREIGN KEY(episode_id) REFERENCES clinic.episode (id),
        CONSTRAINT level_of_care_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.responsibility (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        episode_id UUID NOT NULL,
        counsellor_id UUID NOT NULL,
        period TSTZRANGE NOT NULL,
        note TEXT,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT responsibility_pkey PRIMARY KEY (id),
        CONSTRAINT responsibility_period_check CHECK (NOT isempty(period) AND NOT lower_inf(period)),
        CONSTRAINT responsibility_one_at_a_time EXCLUDE USING gist (client_id WITH =, period WITH &&),
        CONSTRAINT responsibility_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT responsibility_episode_id_fkey FOREIGN KEY(episode_id) REFERENCES clinic.episode (id),
        CONSTRAINT responsibility_counsellor_id_fkey FOREIGN KEY(counsellor_id) REFERENCES clinic.staff (id),
        CONSTRAINT responsibility_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
)

INDEXES = (
    "CREATE INDEX client_programme_id_id_idx ON clinic.client (programme_id, id)",
    "CREATE INDEX match_decision_likeness_recorded_at_idx ON clinic.match_decision (likeness, recorded_at)",
    "CREATE INDEX request_key_recorded_at_idx ON clinic.request_key (recorded_at)",
    "CREATE UNIQUE INDEX client_identifier_value_key ON clinic.client_identifier (kind, lower(value))",
    "CREATE INDEX client_identity_birth_date_idx ON clinic.client_identity (birth_date)",
    "CREATE INDEX client_identity_name_idx ON clinic.client_identity USING gin (whole_name gin_trgm_ops)",
    "CREATE INDEX cover_client_id_idx ON clinic.cover (client_id)",
    "CREATE INDEX cover_counsellor_idx ON clinic.cover USING gist (counsellor_id, period)",
    "CREATE INDEX episode_client_id_idx ON clinic.episode (client_id)",
    "CREATE INDEX responsibility_client_id_idx ON clinic.responsibility (client_id)",
    "CREATE INDEX responsibility_counsellor_id_client_id_idx ON clinic.responsibility (counsellor_id, client_id)",
    "CREATE INDEX responsibility_episode_id_idx ON clinic.responsibility (episode_id)",
)

COMMENTS = {
    "client": "A person known to the clinic. The home programme fixes the zone of every dosing day.",
    "match_decision": "The records lead's word that somebody about to be registered is nobody we know yet.",
    "request_key": "Kept in the transaction that did the work; holds no client data, only which record was made.",
    "client_identifier": "Numbers by which a client is known: ours, a health service's, another system's.",
    "client_identity": "What the client is called, as versions: a former name still finds the client.",
    "cover": "Who stands in for the responsible counsellor, from when to when; it ends by itself.",
    "episode": "From admission to discharge. Only its end is ever written after the fact, by the discharge.",
    "guest_stay": "Another programme hosts the client for a while; it ends by itself.",
    "discharge": "How and when an episode ended: both clocks.",
    "level_of_care": "Moves between levels of care; the newest that has begun is in force.",
    "responsibility": "Exactly one responsible counsellor at every moment of an episode; only the end of a period is written later.",
}

MAY_ALSO = (
    "grant update (period) on clinic.episode to caseload_app",
    "grant update (period), delete on clinic.responsibility to caseload_app",
    "grant delete on clinic.request_key to caseload_app",
)

ALWAYS_SOMEBODY_RESPONSIBLE = (
    """
    create function clinic.require_responsible(asked uuid) returns void
    language plpgsql set search_path = pg_catalog as $$
    begin
      if exists (
        select from clinic.episode
        where episode.id = asked
          and coalesce(
            (select range_agg(responsibility.period) from clinic.responsibility
             where responsibility.episode_id = asked),
            '{}'::tstzmultirange
          ) <> tstzmultirange(episode.period)
      ) then
        raise exception 'episode % has a moment without a responsible counsellor', asked
          using errcode = 'integrity_constraint_violation', constraint = 'episode_always_somebody_responsible';
      end if;
    end $$
    """,
    """
    create function clinic.check_responsible() returns trigger
    language plpgsql set search_path = pg_catalog as $$
    begin
      if tg_table_name = 'episode' then
        perform clinic.require_responsible(new.id);
      elsif tg_op = 'DELETE' then
        perform clinic.require_responsible(old.episode_id);
      else
        perform clinic.require_responsible(new.episode_id);
      end if;
      return null;
    end $$
    """,
    """
    create constraint trigger episode_always_somebody_responsible after insert or update on clinic.episode
    deferrable initially deferred for each row execute function clinic.check_responsible()
    """,
    """
    create constraint trigger responsibility_always_somebody_responsible
    after insert or update or delete on clinic.responsibility
    deferrable initially deferred for each row execute function clinic.check_responsible()
    """,
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in (*TABLES, *INDEXES):
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
    for statement in (*MAY_ALSO, *ALWAYS_SOMEBODY_RESPONSIBLE):
        op.execute(statement)
