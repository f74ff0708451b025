"""The load generator: Debian's `wrk`, cheap enough to share a machine with what it measures."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_REPORT = """
done = function(summary, latency, requests)
  io.write(string.format("REPORT %d %d %d %d %f %f %f %f\\n",
    summary.requests, summary.duration, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50), latency:percentile(95), latency:percentile(99), latency.mean))
end
"""

_THREADS = """
local counter = 0
function setup(thread)
  thread:set("number", counter)
  counter = counter + 1
end
"""


class NoWrk(Exception):
    """The load generator is missing."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one load reached. Times in milliseconds."""

    requests: int
    seconds: float
    refused: int
    """Answers of 400 and above."""
    lost: int
    """Connections that broke or timed out."""
    p50: float
    p95: float
    p99: float
    mean: float

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds


def run(url: str, script: str, *, connections: int, seconds: int, scratch: Path) -> Load:
    """Drive the address with a lua script for that long. Raises `NoWrk`."""
    wrk = shutil.which("wrk")
    if wrk is None:
        message = "wrk is missing: on Debian, `apt-get install wrk`."
        raise NoWrk(message)
    path = scratch / "load.lua"
    path.write_text(_THREADS + script + _REPORT)
    threads = min(2, connections)
    told = subprocess.run(
        [wrk, f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(path), url],
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds + 60,
    ).stdout
    found = re.search(r"^REPORT (.*)$", told, re.MULTILINE)
    if found is None:
        raise RuntimeError(told)
    requests, micros, refused, lost, *times = map(float, found[1].split())
    p50, p95, p99, mean = (each / 1000 for each in times)
    return Load(int(requests), micros / 1e6, int(refused), int(lost), p50, p95, p99, mean)


def lines_of(name: str, path: Path) -> str:
    """Lua that reads a file of lines into a table, each thread from a place of its own."""
    return f"""
local {name} = {{}}
for line in io.lines("{path}") do {name}[#{name} + 1] = line end
"""
