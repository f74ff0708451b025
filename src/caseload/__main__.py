"""The command line: `caseload COMMAND`, or `python -m caseload COMMAND`.

Nothing but the named subcommand is imported, so help and completion answer at once. What there is to know about
adding one stands in `caseload.commands`.
"""

import sys
from typing import NoReturn

import rich_click as click

from caseload.commands import ModuleCommands, explained


@click.command(cls=ModuleCommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="caseload")  # pyright: ignore[reportUnknownMemberType] rich-click leaves a parameter open
def cli() -> None:
    """Run and look after a caseload clinic: the service, its database, its staff and its audit log.

    Settings are environment variables: `caseload settings` lists them. Everything kept lies under CASELOAD_DATA_DIR.
    """


def main() -> None:
    """Run the command line. A foreseen failure is one line on standard error and exit code 1, a wrong call 2."""
    try:
        # What it returns is the exit code, where a command has asked for one.
        sys.exit(cli.main(prog_name="caseload", standalone_mode=False))
    except click.Abort:
        _fail("Stopped.", 130)
    except click.ClickException as error:
        where = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "caseload"
        _fail(f"{' '.join(error.format_message().split())} See `{where} --help`.", error.exit_code)
    except BrokenPipeError:
        # Whoever read our output (`| head`) has had enough.
        sys.stderr.close()
        sys.exit(141)
    except Exception as error:
        line = explained(error)
        if line is None:
            raise
        _fail(line, 1)


def _fail(line: str, code: int) -> NoReturn:
    click.echo(f"caseload: {line}", err=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
