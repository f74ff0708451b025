"""What operators see: structured lines for one pipeline, ours and those of granian, Alembic and asyncio alike.

A line carries ids, counts, durations and names of rules. It never carries what a person said, is called or takes:
the text of an exception may hold any of it (a refused row, a decoded value), so only its type and place are logged.
"""

import logging
import os
import sys
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, cast

import structlog
from structlog.typing import Processor, WrappedLogger

from caseload.settings import Settings

QUIET = ("httpx", "httpcore", "asyncio", "hpack", "alembic", "granian.access")
"""Libraries that would log addresses or chatter at the level of information."""


MOST_FRAMES = 20

COUNTS = "PROMETHEUS_MULTIPROC_DIR"
KINDS = ("counter", "histogram", "gauge_livesum", "gauge_livemax")
"""Of what the service counts; the library names its files so (`request/metrics.py` has the counters)."""
RESERVED_BYTES = 1_048_576
"""Twice what every route with every status takes."""


def configure(settings: Settings, *, least: str = "debug") -> None:
    """Set up logging for this process, once, before anything else logs; nothing below `least` is shown."""
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())
    renderer: Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = _Lines(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_shared(),
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    levels = logging.getLevelNamesMapping()
    root.setLevel(max(levels[settings.log_level.upper()], levels[least.upper()]))
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


class _Lines(logging.StreamHandler[Any]):
    """Writes lines; one that cannot be written is lost, for what the library would say instead is all of it."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  the library calls it so
        """Say nothing of the line, nor of the exception in it."""


def count_together(settings: Settings) -> None:
    """Let this process and all it starts count into one folder, so that any worker can answer for all.

    Called once by the process that starts the workers, before anything imports the counters: the library decides at
    its import whether numbers are its own or shared. What an earlier run left there is removed.
    """
    folder = settings.data_dir / "run" / "metrics"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file in folder.glob("*.db"):
        file.unlink(missing_ok=True)
    os.environ[COUNTS] = str(folder)


def reserve_counts() -> None:
    """Take the room on the disk that the counts of this process need, before the first one.

    Their files are mapped into memory, full of holes: on a full disk the next count would not fail but end the process
    (SIGBUS), which has better things to do then. Without room already it starts all the same.
    """
    folder = Path(os.environ[COUNTS])
    for kind in KINDS:
        with suppress(OSError), (folder / f"{kind}_{os.getpid()}.db").open("xb") as file:
            file.write(bytes(RESERVED_BYTES))


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of a module."""
    return structlog.stdlib.get_logger(name)


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        without_exception_text,
    ]


def without_exception_text(_logger: WrappedLogger, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Replace an exception by its type, its SQLSTATE and where it came from, for itself and what caused it."""
    told = event.pop("exc_info", None)
    event.pop("exception", None)
    event.pop("stack_info", None)
    error = _error_of(told)
    if error is not None:
        event["error"] = describe(error)
    return event


def describe(error: BaseException) -> dict[str, Any]:
    """Type, place and cause of an exception, without its text."""
    found: dict[str, Any] = {"type": f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")}
    sqlstate = getattr(getattr(error, "orig", error), "sqlstate", None)
    if isinstance(sqlstate, str):
        found["sqlstate"] = sqlstate
    found["at"] = _places(error.__traceback__)
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and cause is not error:
        found["because"] = describe(cause)
    if isinstance(error, BaseExceptionGroup):
        found["parts"] = [describe(part) for part in cast("BaseExceptionGroup[BaseException]", error).exceptions]
    return found


def _error_of(told: object) -> BaseException | None:
    if isinstance(told, BaseException):
        return told
    if isinstance(told, tuple):
        return cast("tuple[object, BaseException | None, object]", told)[1]
    return sys.exc_info()[1] if told else None


def _places(trace: TracebackType | None) -> list[str]:
    places: list[str] = []
    while trace is not None:
        frame: FrameType = trace.tb_frame
        places.append(f"{frame.f_globals.get('__name__', '?')}:{trace.tb_lineno} {frame.f_code.co_name}")
        trace = trace.tb_next
    return places[-MOST_FRAMES:]
