"""A plan for going on after an interim treatment is put right by a further version."""

from alembic import op

revision = "20261123_342"
down_revision = "20261123_354"


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '1min'")
    op.execute(
        # Such plans are few; what is checked anew holds for all that there are.
        "-- squawk-ignore constraint-missing-not-valid, ban-drop-constraint, disallowed-unique-constraint,"
        " ban-drop-not-null, adding-serial-primary-key-field\n"
        "ALTER TABLE clinic.interim_plan ADD COLUMN version SMALLINT DEFAULT 1 NOT NULL, ADD COLUMN reason TEXT,"
        " ALTER COLUMN made_on DROP NOT NULL, ALTER COLUMN made_by DROP NOT NULL,"
        " DROP CONSTRAINT interim_plan_pkey,"
        " ADD CONSTRAINT interim_plan_pkey PRIMARY KEY (interim_treatment_id, version),"
        " ADD CONSTRAINT interim_plan_version_check CHECK (version >= 1),"
        " ADD CONSTRAINT interim_plan_reason_not_blank_check CHECK (btrim(reason) <> ''),"
        " ADD CONSTRAINT interim_plan_says_why_check CHECK ((version = 1) = (reason IS NULL)),"
        " ADD CONSTRAINT interim_plan_whole_check CHECK ((made_on IS NULL) = (made_by IS NULL)),"
        " ADD CONSTRAINT interim_plan_first_check CHECK (version > 1 OR made_on IS NOT NULL)"
    )
    op.execute("-- squawk-ignore ban-drop-default\nALTER TABLE clinic.interim_plan ALTER COLUMN version DROP DEFAULT")
    op.execute(
        "COMMENT ON TABLE clinic.interim_plan IS 'That there is a plan for going on after an interim treatment; a version"
        " without one takes it back.'"
    )
