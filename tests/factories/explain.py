"""How PostgreSQL would carry a statement out: for tests that no list walks a table that grows.

A statement that is asked again and again gets a plan that is made once, without its parameters (the generic one), and
that plan may be quite another than the one for these parameters.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import Any

from sqlalchemy import ClauseElement, Executable
from sqlalchemy.dialects.postgresql import asyncpg as dialect
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


async def generic_plan_of(
    connection: AsyncConnection, statement: ClauseElement, given: Mapping[str, Any]
) -> Sequence[str]:
    """The lines of the plan that serves whatever the parameters are. Of `given` it only matters how long lists are."""
    compiled = statement.params(dict(given)).compile(
        dialect=dialect.dialect(), compile_kwargs={"render_postcompile": True}
    )
    nothing = ", ".join(["null"] * len(getattr(compiled, "positiontup", None) or ()))
    await connection.exec_driver_sql("set local plan_cache_mode = force_generic_plan")
    await connection.exec_driver_sql(f"prepare shown as {compiled}")
    try:
        lines = (await connection.exec_driver_sql(f"explain execute shown({nothing})")).scalars().all()
    finally:
        await connection.exec_driver_sql("deallocate shown")
        await connection.exec_driver_sql("set local plan_cache_mode = auto")
    return lines


def walks(plan: Sequence[str]) -> bool:
    """Whether a plan goes through a whole table."""
    return any("Seq Scan" in line for line in plan)


def walks_all_that_runs(plan: Sequence[str], table: str) -> bool:
    """Whether a plan goes through every row of a table whose period is running."""
    scans = (pair for pair in pairwise(plan) if f" {table}_one_at_a_time" in pair[0])
    return any(re.search(r"Index Cond: \((\w+\.)?period @> [^()]+\)$", condition) for _, condition in scans)


def walks_an_index(plan: Sequence[str], *, besides: Collection[str] = ()) -> bool:
    """Whether a plan goes through a whole index of a table that is not among these."""
    for line, under in pairwise([*plan, ""]):
        scan = re.search(r"Index (?:Only )?Scan(?: Backward)? using \w+ on (\w+)", line)
        if scan is not None and scan[1] not in besides and "Index Cond" not in under:
            return True
    return False
