"""Whether what lies beside the entries is whole."""

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from caseload.commands import terminal
from caseload.settings import OperatorError

if TYPE_CHECKING:
    from caseload.audit.beside import Looked
    from caseload.request.work import Service


@click.command(epilog="Example: caseload audit check --as ida")
@terminal.signing_in("Who looks: the log names them.")
def check(*, user_name: str, password_file: Path | None) -> None:
    """Look whether what lies beside the entries is whole, so that no client's report misses an access.

    What says whom an entry is about lies beside it, sealed, and goes when somebody is erased. An export proves the
    entries; this finds what was taken away beside them, or put there. Exit code 1 when something was.
    """
    from caseload.commands.signed_in import password_of, signed_in

    password = password_of(user_name, password_file)

    async def checked(service: "Service") -> None:
        from caseload.audit.beside import LogChecked, look
        from caseload.audit.trail import Op, Purpose
        from caseload.domain.accesslog import check_may_read_tree

        async with signed_in(service, user_name, password) as by:
            async with service.work(by=by, event="audit_log.check", writes=False) as work:
                said = work.circumstances
                said.op, said.purpose = Op.EXECUTE, Purpose.COMPLIANCE
                check_may_read_tree(by)
                found = await look(work.connection, service.trail)
                facts = {"entries": found.entries, "whole": "yes" if found.is_whole else "no"}
                work.journal.tell(LogChecked(facts=facts))
            _say(found)

    terminal.with_service(checked)


def _say(found: "Looked") -> None:
    """Raises `OperatorError` when something is wanting."""
    click.echo(f"Looked at {found.entries} entries, which name a client {found.mentions} times.")
    for sentence in found.named:
        click.echo(sentence)
    if found.more:
        click.echo(f"And {found.more} other entries.")
    if found.strangers:
        click.echo(f"{len(found.strangers)} clients cannot be told any more; {found.erased} were erased.")
    if not found.is_whole:
        raise OperatorError("What lies beside the entries is not whole: reports miss accesses. See docs/audit.md.")
