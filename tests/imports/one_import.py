"""An import in a process of its own, to be killed: `python -m tests.imports.one_import DSN DATA FOLDER STAFF`."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from caseload.domain.access import Holding, Role
from caseload.domain.ids import StaffId
from caseload.domain.people import Staff
from caseload.imports.folder import read
from caseload.imports.run import Runner
from caseload.request.service import open_service
from caseload.settings import Secret, Settings


async def main(dsn: str, data: str, folder: str, staff: str) -> None:
    """Say `.` for each person who is in."""
    by = Staff(
        id=StaffId(UUID(staff)),
        user_name="admin",
        printed_name="Admin",
        session=None,
        holdings=(Holding(role=Role.ADMINISTRATOR, programme=None),),
    )
    async with open_service(Settings(database_url=Secret(dsn), data_dir=Path(data))) as service:
        runner = Runner(service=service, by=by, source="old record")
        await runner.run(
            read(Path(folder), now=datetime(2026, 11, 22, 12, tzinfo=UTC)),
            counsellors={"*": "anna"},
            progress=lambda: print(".", end="", flush=True),  # noqa: T201 read by the test
        )


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
