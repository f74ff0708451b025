"""An amendment keeps whether a dose was an opioid or naltrexone, and whether it was an injection that lasts for weeks.

The first version decides for which ladder a dose counts. Such a change is another dose: the first is corrected as not
given, and what was given is recorded anew.
"""

from alembic import op

revision = "20261123_283"
down_revision = "20261123_282"

AMENDED = """
    create or replace function clinic.check_amended_dose() returns trigger
    language plpgsql set search_path = pg_catalog as $$
    declare
      before clinic.dose;
    begin
      select * into before from clinic.dose where id = new.id and version = new.version - 1;
      if (new.client_id, new.programme_id, new.order_id, new.dosing_day, new.part, new.given_by, new.recorded_at,
          new.recorded_by, new.entry, new.late_reason, new.decision_id, new.freed_by, new.replacement_id,
          new.medicine = 'naltrexone', new.form = 'extended_release_injection')
          is distinct from
         (before.client_id, before.programme_id, before.order_id, before.dosing_day, before.part, before.given_by,
          before.recorded_at, before.recorded_by, before.entry, before.late_reason, before.decision_id,
          before.freed_by, before.replacement_id,
          before.medicine = 'naltrexone', before.form = 'extended_release_injection') then
        raise exception 'an amendment keeps whose dose it is, its day, its part, who recorded it and what kind it was'
          using errcode = 'integrity_constraint_violation', constraint = 'dose_amendment_keeps';
      end if;
      return new;
    end $$
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '1min'")
    op.execute(AMENDED)
