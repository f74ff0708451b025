"""The named giver of a dose that somebody else entered says whether it was so, once of each version.

The trigger holds that only they do. The index finds what waits for a giver's word, and takes in nothing of what is recorded
at the window.
"""

from alembic import op

revision = "20261123_240"
down_revision = "20261123_244"

STATEMENTS = (
    """
    CREATE TABLE clinic.dose_giver_word (
        dose_id UUID NOT NULL,
        dose_version SMALLINT NOT NULL,
        word TEXT NOT NULL,
        reason TEXT,
        said_by UUID NOT NULL,
        said_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT dose_giver_word_pkey PRIMARY KEY (dose_id, dose_version),
        CONSTRAINT dose_giver_word_dose_fkey FOREIGN KEY(dose_id, dose_version) REFERENCES clinic.dose (id, version),
        CONSTRAINT dose_giver_word_word_check CHECK (word IN ('confirmed', 'disputed')),
        CONSTRAINT dose_giver_word_disputed_with_a_reason_check CHECK ((word = 'disputed') = (reason IS NOT NULL)),
        CONSTRAINT dose_giver_word_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT dose_giver_word_said_by_fkey FOREIGN KEY(said_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    comment on table clinic.dose_giver_word is $$Whether whoever stands on a dose as its giver says so too; only they do, and \
once of each version (a trigger).$$
    """,
    """
    create function clinic.check_giver_word() returns trigger
    language plpgsql set search_path = pg_catalog as $$
    begin
      if not exists (
        select from clinic.dose
        where id = new.dose_id and version = new.dose_version and given_by = new.said_by and entry = 'late'
          and given_by <> coalesce(amended_by, recorded_by)
      ) then
        raise exception 'the word about a dose that somebody else entered is its named giver''s'
          using errcode = 'integrity_constraint_violation', constraint = 'dose_giver_word_of_the_giver';
      end if;
      return new;
    end $$
    """,
    """
    create trigger dose_giver_word_of_the_giver before insert on clinic.dose_giver_word
    for each row execute function clinic.check_giver_word()
    """,
    """
    -- squawk-ignore require-concurrent-index-creation
    CREATE INDEX dose_entered_by_another_idx ON clinic.dose (given_by, id)
        WHERE entry = 'late' AND given_by <> COALESCE(amended_by, recorded_by)
    """,
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in STATEMENTS:
        op.execute(statement)
