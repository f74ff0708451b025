"""Watch over somebody's audit log: remember how far it had come, and cosign what follows from that."""

from pathlib import Path

import rich_click as click

from caseload.settings import OperatorError

FOLDER = click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Where the witness keeps its key and what it has seen. In no backup of the clinic's.",
)


@click.group(
    epilog="""\b
Examples:
  caseload witness keygen witness.example/w1 --folder witness
  caseload witness serve --folder witness --logs clinic.policy
"""
)
def command() -> None:
    """Watch over somebody's audit log: remember how far it had come, and cosign what follows from that.

    Runs on a machine that whoever administers the clinic's servers does not administer. It needs no database and
    learns nothing of what is in the log. Others can do it as well: it speaks C2SP tlog-witness.
    """


@command.command(epilog="Example: caseload witness keygen witness.example/w1 --folder /var/lib/witness")
@click.argument("name")
@FOLDER
def keygen(name: str, folder: Path) -> None:
    """Make the key of a new witness called NAME, and print the public half for the clinic's policy."""
    from caseload.audit.witness import keys

    click.echo(str(keys.make(folder, name).key))


@command.command(epilog="Example: caseload witness key --folder /var/lib/witness")
@FOLDER
def key(folder: Path) -> None:
    """Print the public half of the witness' key again."""
    from caseload.audit.witness import keys

    click.echo(str(keys.read(folder).key))


@command.command(epilog="Example: caseload witness serve --folder /var/lib/witness --logs clinic.policy")
@FOLDER
@click.option(
    "--logs",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="Which logs to watch over, as `caseload audit policy` prints them. Only the lines `log` count.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8001, show_default=True, help="Port; 0 for any.")
def serve(folder: Path, logs: Path, host: str, port: int) -> None:
    """Cosign what follows from what was seen, until told to stop. Put a proxy with TLS in front."""
    import signal
    import threading

    from caseload.audit.tlog.policy import Policy
    from caseload.audit.tlog.spelling import Malformed
    from caseload.audit.witness import keys
    from caseload.audit.witness.server import Server, Witness
    from caseload.audit.witness.state import State
    from caseload.observability import configure
    from caseload.settings import Settings

    configure(Settings())
    signer = keys.read(folder)
    try:
        known = [log.key for log in Policy.parse(logs.read_bytes()).logs]
    except Malformed as problem:
        raise OperatorError(f"{logs} is no policy: {problem}") from None
    if not known:
        raise OperatorError(f"{logs} names no log: a line `log VKEY` for each, as `caseload audit policy` prints it.")
    with Server((host, port), Witness(signer, known, State(folder / "seen.sqlite3"))) as server:

        def stop(*_: object) -> None:
            # Waits for the loop that this interrupts, so it cannot be called from here.
            threading.Thread(target=server.shutdown).start()

        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, stop)
        click.echo(f"{signer.key.name} watches over {len(known)} keys at http://{host}:{server.server_port}/", err=True)
        server.serve_forever()
