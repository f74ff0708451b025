"""A programme goes over to another profile from a later local day on; the profile it was opened with stays its first."""

from alembic import op

revision = "20261122_134"
down_revision = "20261122_148"

PROGRAMME_PROFILE = """
    CREATE TABLE clinic.programme_profile (
        id UUID NOT NULL,
        programme_id UUID NOT NULL,
        number SMALLINT NOT NULL,
        from_on DATE NOT NULL,
        profile TEXT NOT NULL,
        profile_version SMALLINT NOT NULL,
        loosens TEXT[] NOT NULL,
        reason TEXT NOT NULL,
        selected_by UUID NOT NULL,
        selected_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT programme_profile_pkey PRIMARY KEY (id),
        CONSTRAINT programme_profile_programme_id_number_key UNIQUE (programme_id, number),
        CONSTRAINT programme_profile_number_check CHECK (number >= 1),
        CONSTRAINT programme_profile_profile_version_check CHECK (profile_version >= 1),
        CONSTRAINT programme_profile_profile_check CHECK (profile ~ '^[A-Z]{2}(-[A-Z0-9-]{1,30})?$'),
        CONSTRAINT programme_profile_from_a_later_day_check
            CHECK (from_on >= CAST(selected_at AT TIME ZONE 'UTC' AS date)),
        CONSTRAINT programme_profile_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT programme_profile_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT programme_profile_selected_by_fkey FOREIGN KEY(selected_by) REFERENCES clinic.staff (id)
    )
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '1min'")
    op.execute(PROGRAMME_PROFILE)
    op.execute(
        "comment on table clinic.programme_profile is"
        " 'From a later local day on a programme goes by another profile: the last word whose day has come counts.'"
    )
    op.execute(
        "comment on table clinic.programme is"
        " 'A site of the clinic, with the time zone of its days and the jurisdiction profile it was opened with.'"
    )
