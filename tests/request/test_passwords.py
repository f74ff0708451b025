"""What hashing leaves behind in a process that lives for weeks."""

import subprocess
import sys

_HASHING = """
import asyncio
from caseload.request.passwords import Lane, Passwords

def held():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4 // 1024

async def main():
    passwords = Passwords()
    before = held()
    kept = await passwords.hash("a password of some length")
    for _ in range(3):
        assert all(await asyncio.gather(*(passwords.fits("a password of some length", kept) for _ in range(4))))
    passwords.close()
    print(held() - before)

asyncio.run(main())
"""


def test_the_memory_of_a_hash_goes_back_to_the_system() -> None:
    found = subprocess.run([sys.executable, "-c", _HASHING], check=True, capture_output=True, text=True)
    assert int(found.stdout) < 10, "each of the threads would keep 19 MiB"
