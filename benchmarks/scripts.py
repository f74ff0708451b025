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


def overdue(clinic: Clinic, scratch: Path) -> str:
    """Counsellors look at their own overdue check-ins."""
    counsellors = _written(scratch / "counsellors.txt", clinic.counsellors)
    return f"""
{lines_of("counsellors", counsellors)}
local headers = {{}}
request = function()
  headers["Authorization"] = "Bearer " .. counsellors[math.random(#counsellors)]
  return wrk.format("GET", "/api/v1/overdue-check-ins?limit=50", headers)
end
"""


DOSE_ROWS = """
begin;
select 1;
commit;
"""
