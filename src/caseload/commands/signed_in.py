"""Somebody of the staff at the command line, for subcommands that act on clients: the log must name a person."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import rich_click as click

from caseload.audit.trail import Circumstances, Op, Purpose
from caseload.domain.people import Staff
from caseload.request import sign_in as door
from caseload.request.work import Service


def password_of(user_name: str, file: Path | None) -> str:
    """The password from a file that only its owner should be able to read, or as it is typed."""
    if file is not None:
        return file.read_text().rstrip("\r\n")
    return click.prompt(f"Password of {user_name}", hide_input=True, err=True)


@asynccontextmanager
async def signed_in(service: Service, user_name: str, password: str) -> AsyncGenerator[Staff]:
    """Sign in as on any other station, and out again at the end. Raises what `sign_in` raises."""
    staff = await _enter(service, user_name, password)
    try:
        yield staff
    finally:
        async with service.work(by=staff, event="sign_in.end") as work:
            await door.sign_out(work)


async def _enter(service: Service, user_name: str, password: str) -> Staff:
    said = Circumstances(route="caseload sign in", op=Op.EXECUTE, purpose=Purpose.ADMINISTRATION)
    work = service.begin(said)
    try:
        _, staff = await door.sign_in(work, user_name, password, new_password=None)
        await work.conclude()
    except BaseException:
        await work.drop()
        raise
    return staff
