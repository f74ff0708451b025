"""The question whose dose it was can be closed where its named giver has left: by neither of those who wrote the record.

That the giver has left is the domain's to know; the trigger holds that nobody else confirms or disputes, and that whoever
closes it has no hand in the dose.
"""

from alembic import op

revision = "20261123_282"
down_revision = "20261123_310"

STATEMENTS = (
    """
    -- squawk-ignore ban-drop-constraint
    ALTER TABLE clinic.dose_giver_word DROP CONSTRAINT dose_giver_word_word_check
    """,
    """
    ALTER TABLE clinic.dose_giver_word ADD CONSTRAINT dose_giver_word_word_check
        CHECK (word IN ('confirmed', 'disputed', 'closed')) NOT VALID
    """,
    """
    -- squawk-ignore constraint-missing-not-valid
    ALTER TABLE clinic.dose_giver_word VALIDATE CONSTRAINT dose_giver_word_word_check
    """,
    """
    -- squawk-ignore ban-drop-constraint
    ALTER TABLE clinic.dose_giver_word DROP CONSTRAINT dose_giver_word_disputed_with_a_reason_check
    """,
    """
    ALTER TABLE clinic.dose_giver_word ADD CONSTRAINT dose_giver_word_all_but_yes_with_a_reason_check
        CHECK ((word <> 'confirmed') = (reason IS NOT NULL)) NOT VALID
    """,
    """
    -- squawk-ignore constraint-missing-not-valid
    ALTER TABLE clinic.dose_giver_word VALIDATE CONSTRAINT dose_giver_word_all_but_yes_with_a_reason_check
    """,
    """
    comment on table clinic.dose_giver_word is $$Whether whoever stands on a dose as its giver says so too, once of each \
version; where they have left somebody else closes the question (a trigger).$$
    """,
    """
    create or replace function clinic.check_giver_word() returns trigger
    language plpgsql set search_path = pg_catalog as $$
    begin
      if not exists (
        select from clinic.dose
        where id = new.dose_id and version = new.dose_version and entry = 'late'
          and given_by <> coalesce(amended_by, recorded_by)
          and case when new.word = 'closed'
                then new.said_by not in (given_by, recorded_by, coalesce(amended_by, recorded_by))
                else new.said_by = given_by end
      ) then
        raise exception 'the word about a dose that somebody else entered is its named giver''s'
          using errcode = 'integrity_constraint_violation', constraint = 'dose_giver_word_of_the_giver';
      end if;
      return new;
    end $$
    """,
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '1min'")
    for statement in STATEMENTS:
        op.execute(statement)
