"""What the loads ask, as lua for wrk; and the bare rows of a recorded dose, as SQL for pgbench."""

import random
from pathlib import Path

from benchmarks.clinic import Clinic
from benchmarks.wrk import lines_of


def _written(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def read(clinic: Clinic, scratch: Path) -> str:
    """Nurses read clients at random."""
    clients = _written(
        scratch / "clients.txt", random.sample([str(each) for each in clinic.clients], k=len(clinic.clients))
    )
    nurses = _written(scratch / "nurses.txt", clinic.nurses)
    return f"""
{lines_of("clients", clients)}
{lines_of("nurses", nurses)}
local headers = {{}}
request = function()
  headers["Authorization"] = "Bearer " .. nurses[math.random(#nurses)]
  return wrk.format("GET", "/api/v1/clients/" .. clients[math.random(#clients)] .. "/summary", headers)
end
"""


def dose(clinic: Clinic, scratch: Path, part: str) -> str:
    """Nurses record one part of the day for one client after another; each client once."""
    pairs = [f"{client} {order}" for client, order in zip(clinic.clients, clinic.orders, strict=True)]
    listed = _written(scratch / f"orders-{part}.txt", random.sample(pairs, k=len(pairs)))
    nurses = _written(scratch / "nurses.txt", clinic.nurses)
    place = scratch / f"place-{part}"
    return f"""
{lines_of("pairs", listed)}
{lines_of("nurses", nurses)}
local headers = {{["Content-Type"] = "application/json"}}
local place = nil
local boot = tostring(os.time()) .. tostring(math.random(1000000))
local function start()
  local file = io.open("{place}-" .. number, "r")
  local at = file and tonumber(file:read("*a")) or 0
  if file then file:close() end
  return at
end
request = function()
  if place == nil then place = start() end
  place = place + 1
  local file = nil
  if place % 25 == 0 then
    file = io.open("{place}-" .. number, "w"); file:write(tostring(place + 25)); file:close()
  end
  local pair = pairs[(place * 2 + number) % #pairs + 1]
  local client, order = pair:match("(%S+) (%S+)")
  headers["Authorization"] = "Bearer " .. nurses[place % #nurses + 1]
  headers["Idempotency-Key"] = boot .. "-" .. number .. "-" .. place
  local body = '{{"order_id":"' .. order .. '","part":"{part}","amount_mg":"40","medicine":"methadone",' ..
    '"form":"oral_solution","supervised":true}}'
  return wrk.format("POST", "/api/v1/clients/" .. client .. "/doses", headers, body)
end
"""


def overdue(counsellors: list[str], scratch: Path) -> str:
    """These counsellors look at their own overdue check-ins."""
    tokens = _written(scratch / "counsellors.txt", counsellors)
    return f"""
{lines_of("counsellors", tokens)}
local headers = {{}}
request = function()
  headers["Authorization"] = "Bearer " .. counsellors[math.random(#counsellors)]
  return wrk.format("GET", "/api/v1/overdue-check-ins?limit=50", headers)
end
"""


DOSE_ROWS = """
\\set pair random(1, :pairs)
\\set nurse random(1, :nurses)
\\set day random(1, 1000000)
begin;
insert into clinic.request_key (staff_id, route, key, digest, status, resource, version, recorded_at)
  select staff_id, 'POST /api/v1/clients/{client_id}/doses', uuidv7()::text, sha256('x'), 201, uuidv7(), 1, now()
  from bench_nurse where number = :nurse::int;
with kept as (
  insert into clinic.dose (id, version, client_id, programme_id, order_id, dosing_day, part, medicine, form, amount_mg,
      supervised, given_at, given_by, recorded_at, recorded_by, kind, entry, profile, profile_version)
    select uuidv7(), 1, client_id, programme_id, order_id, date '2100-01-01' + :day::int, 'morning', 'methadone',
      'oral_solution', 40, true, now(), staff_id, now(), staff_id, 'ordinary', 'window', 'US', 1
    from bench_pair, bench_nurse where bench_pair.number = :pair::int and bench_nurse.number = :nurse::int
    returning id, version, programme_id, recorded_by, kind
)
insert into clinic.dose_waiting (dose_id, dose_version, programme_id, recorded_by, risk, sign_by)
  select id, version, programme_id, recorded_by, 5, now() from kept;
insert into bench_queue (entry_id, at, actor, event, outcome, leaf)
  select uuidv7(), now(), 'nurse', 'dose.recorded', 0, convert_to(repeat('x', 900), 'UTF8');
insert into bench_disclosure (entry_id, refs, sealed)
  select uuidv7(), array[sha256(uuidv7()::text::bytea)], sha256(uuidv7()::text::bytea);
commit;
"""
"""One transaction with the rows that recording a dose adds: its request key, itself, its place in the queue, its entry.
The days lie far ahead, so that these rows stand in nobody's way; the entry goes into tables like those of the log."""
