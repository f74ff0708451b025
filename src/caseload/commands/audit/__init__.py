"""Read the audit log, take it away, verify what was taken, and look after the keys that sign it."""

import rich_click as click

from caseload.commands.audit import checking, epoch, exporting, keys, listing, verifying


@click.group(
    epilog="""\b
Examples:
  caseload audit list --as ida --outcome refused --since 2026-11-01
  caseload audit list --as ida --client 01a20266-0818-7150-a091-3a47a294e1dc
  caseload audit export --as ida --format csv --out nov.csv --since 2026-11-01
"""
)
def command() -> None:
    """Read the audit log, take it away, verify what was taken, and look after the keys that sign it.

    Whoever asks for something of the log signs in, and needs a role that allows it; what they read and what they take stands in the log.
    """


for each in (
    keys.keygen,
    keys.rotate,
    keys.policy,
    epoch.epoch,
    listing.list_,
    checking.check,
    exporting.export,
    verifying.verify,
):
    command.add_command(each)
