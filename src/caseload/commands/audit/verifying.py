"""What was taken away, verified."""

import sys

import rich_click as click


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def verify(arguments: tuple[str, ...]) -> None:
    """Verify an export: a folder or archive, with the policy that you keep. Needs neither service nor network.

    The same program as the one file that `make verifier` builds; `caseload audit verify --help` says the rest.
    """
    from caseload.audit.verify.cli import main

    sys.exit(main(arguments))
