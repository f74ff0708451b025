"""List every setting: its variable, the value in force and what it is for."""

import ast
import inspect

import rich_click as click

from caseload import settings as module
from caseload.settings import PREFIX, SECRETS, read


@click.command(epilog="Example: CASELOAD_PORT=8080 caseload settings")
def command() -> None:
    """List every setting: its variable, the value in force and what it is for.

    Secrets show as ***. Each of them can be read from a file instead: CASELOAD_DATABASE_URL_FILE=/run/secrets/url.
    """
    found = read()
    for name, meaning in meanings().items():
        variable = PREFIX + name.upper()
        also = f" (or {variable}_FILE)" if name.upper() in SECRETS else ""
        click.secho(f"{variable}{also} = {_shown(getattr(found, name))}", bold=True)
        click.echo(f"    {meaning}")


def meanings() -> dict[str, str]:
    """The docstring under each field of `Settings`, on one line."""
    (tree,) = ast.parse(inspect.getsource(module.Settings)).body
    if not isinstance(tree, ast.ClassDef):
        raise TypeError(tree)
    found: dict[str, str] = {}
    for field, meaning in zip(tree.body, tree.body[1:], strict=False):
        match field, meaning:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = " ".join(text.split())
            case _:
                continue
    return found


def _shown(value: object) -> str:
    match value:
        case None:
            return "(not set)"
        case bool():
            return str(value).lower()
        case _:
            return str(value)
