"""What a pharmacy delivered for one client by name never was in our stock: giving it takes nothing from there."""

from alembic import op

revision = "20261123_244"
down_revision = "20261122_250"

DELIVERED_BY_NAME = """
    create or replace function clinic.check_stock_of_dose() returns trigger
    language plpgsql set search_path = pg_catalog as $$
    declare
      asked uuid;
      newest record;
      is_taken boolean;
    begin
      if tg_table_name = 'dose' then
        asked := new.id;
      else
        asked := new.dose_id;
      end if;
      select programme_id, dosing_day, medicine, form, amount_mg, entry into newest
      from clinic.dose where id = asked order by version desc limit 1;
      if newest.entry not in ('window', 'late') or not exists (
        select from clinic.stock_keeping
        where programme_id = newest.programme_id and from_on <= newest.dosing_day
      ) or exists (
        select from clinic.dose_injection where dose_id = asked and delivery_id is not null
      ) then
        if tg_table_name = 'stock_taking' then
          raise exception 'this dose came from no stock of ours: it was given elsewhere, delivered for the client by '
            'name, or its programme kept no stock with us on that day'
            using errcode = 'integrity_constraint_violation', constraint = 'stock_taking_is_kept';
        end if;
        return null;
      end if;
      is_taken := not exists (select from clinic.dose_correction where dose_id = asked);
      if not exists (select from clinic.stock_taking where dose_id = asked) or exists (
        select from clinic.stock_taking where dose_id = asked and programme_id <> newest.programme_id
      ) or exists (
        select from clinic.stock_taking where dose_id = asked group by medicine, form
        having sum(amount_mg) <> case
          when is_taken and medicine = newest.medicine and form = newest.form then -newest.amount_mg
          else 0
        end
      ) or (is_taken and not exists (
        select from clinic.stock_taking
        where dose_id = asked and medicine = newest.medicine and form = newest.form
      )) then
        raise exception 'what dose % took from stock is not what it says', asked
          using errcode = 'integrity_constraint_violation', constraint = 'stock_agrees_with_dose';
      end if;
      return null;
    end $$
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '1min'")
    op.execute(DELIVERED_BY_NAME)
