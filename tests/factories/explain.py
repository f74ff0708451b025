"""How PostgreSQL would carry a statement out: for tests that no list walks a table that grows."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ClauseElement, Executable
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.ext.compiler import compiles


class _Explain(Executable, ClauseElement):
    inherit_cache = False

    def __init__(self, statement: ClauseElement) -> None:
        self.statement = statement


@compiles(_Explain)
def _compile(element: _Explain, compiler: Any, **options: Any) -> str:
    return "EXPLAIN " + compiler.process(element.statement, **options)


async def plan_of(connection: AsyncConnection, statement: ClauseElement, given: Mapping[str, Any]) -> Sequence[str]:
    """The lines of the plan, without executing the statement."""
    return (await connection.execute(_Explain(statement), dict(given))).scalars().all()
