"""Print the description of the API."""

import json
from pathlib import Path

import rich_click as click


@click.command(
    epilog="""\b
Examples:
  caseload openapi > openapi.json
  caseload openapi --out src/caseload/web/static/openapi.json
"""
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it to this file instead.")
def command(*, out: Path | None) -> None:
    """Print the description of the API (OpenAPI 3.1), as this version has it."""
    from caseload.api.description import describe
    from caseload.app import described

    text = json.dumps(describe(described()), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text)
