"""One piece of work, one transaction, one place that ends it; and statements that are built, not written as text."""

import ast

from tests.architecture.source import Module, Place, calls, modules, unexpected

MAY_END_A_TRANSACTION = {
    "request/work.py": "the one piece of work of a request, a command or a job",
    "db/migrate.py": "commits each revision together with the entry that tells of it",
    "audit/accesslog.py": "reads as another role, for which a read needs a transaction around its statement",
    "audit/snapshot.py": "reads one moment as another role for as long as an export is being taken",
    "request/bundling.py": "says that a worker is at an export, and how it ended; its two entries enclose what is taken",
    "jobs/worker.py": "counts an attempt before it is made, so that one which ends its worker is counted too",
    "request/door.py": "counts a failed sign-in for good, although the request that failed rolls back",
    "request/housekeeping.py": "forgets old counts of failed sign-ins, which are nobody's piece of work",
    "audit/owner.py": "leaves the entry of a backup or a restore, which has no piece of work",
    "audit/room.py": "makes the log's next partition, which is nobody's piece of work",
    "db/readers.py": "connections for work that only reads, each statement of which stands by itself",
    "audit/batcher.py": "appends the entries of reads and refusals, which have no transaction of their own",
}

MAY_WRITE_SQL_AS_TEXT = {
    "db/migrate.py": "the advisory lock around the migrations, and questions to the catalogue before there are tables",
}

TABLES = ("db/tables/", "audit/tables.py")
"""A CHECK and the WHERE of an index are conditions that SQLAlchemy takes as text."""

ENDS = frozenset({"commit", "rollback"})


def _ending(module: Module) -> list[Place]:
    found = [
        Place(module.path, call.lineno, f"{ast.unparse(call.func)}()")
        for name, call in calls(module)
        if isinstance(call.func, ast.Attribute) and _ends(name, call.func.value)
    ]
    # A connection on which every statement commits itself.
    return found + [
        Place(module.path, node.lineno, "AUTOCOMMIT")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and node.value == "AUTOCOMMIT"
    ]


def _ends(name: str, receiver: ast.expr) -> bool:
    """`async with engine.begin()` commits when it ends; a connection's own `begin()` only opens."""
    return name in ENDS or (name == "begin" and "engine" in ast.unparse(receiver))


def _written(module: Module) -> list[Place]:
    raw = {
        imported.asname or imported.name
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy")
        for imported in node.names
        if imported.name == "text"
    }
    return [
        Place(module.path, call.lineno, f"{name}()")
        for name, call in calls(module)
        if (isinstance(call.func, ast.Name) and name in raw) or name == "exec_driver_sql"
    ]


def _by_path(places: list[Place]) -> dict[str, list[Place]]:
    found: dict[str, list[Place]] = {}
    for place in places:
        found.setdefault(place.path, []).append(place)
    return found


def test_only_a_piece_of_work_ends_a_transaction() -> None:
    found = _by_path([place for module in modules() for place in _ending(module)])
    said = unexpected(
        found,
        MAY_END_A_TRANSACTION,
        advice="let the piece of work commit or roll back, so that its entry goes with it.",
    )
    assert not said, said


def test_statements_are_built_and_not_written_as_text() -> None:
    found = _by_path(
        [place for module in modules() if not module.path.startswith(TABLES) for place in _written(module)]
    )
    said = unexpected(
        found, MAY_WRITE_SQL_AS_TEXT, advice="build it with SQLAlchemy Core from the tables in db/tables."
    )
    assert not said, said


ALL_THAT_WORK_KNOWS = frozenset({"AsyncConnection", "AsyncEngine", "DBAPIError", "InterfaceError", "SQLAlchemyError"})


def _imports_of_sqlalchemy(module: Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(module.tree):
        match node:
            case ast.ImportFrom(module=str(source), names=names) if source.startswith("sqlalchemy"):
                found |= {imported.name for imported in names}
            case ast.Import(names=names):
                found |= {imported.name for imported in names if imported.name.startswith("sqlalchemy")}
            case _:
                continue
    return found


def test_a_piece_of_work_knows_of_the_database_only_that_there_is_a_connection() -> None:
    for module in modules():
        if module.path.startswith("request/"):
            more = _imports_of_sqlalchemy(module) - ALL_THAT_WORK_KNOWS
            assert not more, f"src/caseload/{module.path}: {', '.join(more)} belongs in db/."
