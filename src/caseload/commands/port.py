"""Making sure that nobody else serves on our port or socket: the server itself would share the one, take the other."""

import socket
import stat
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from caseload.settings import OperatorError, Settings


class PortTaken(OperatorError):
    """Somebody else listens on the port, or it may not be listened on."""


@contextmanager
def port_held(settings: Settings) -> Generator[Callable[[], None]]:
    """Hold the port against another service of ours, after looking whether anybody listens there.

    The workers listen with `SO_REUSEPORT`, so two services would take turns at answering. The look is a bind without
    it, which fails when anybody has the port. Between the look and the workers the port is free again; there another
    of ours is kept out by a name in the abstract socket namespace, which the kernel frees whatever way we end
    (unix(7); Linux only, elsewhere the look must do). Yields what a forked worker calls to let go of that name. A Unix
    socket needs none of this: binding fails while its file is there, so only a file that was left behind is removed.
    """
    if settings.socket is not None:
        _clear(settings.socket)
        yield lambda: None
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as name:
        if sys.platform == "linux":
            try:
                name.bind(f"\0caseload-port-{settings.port}")
            except OSError:
                message = f"A caseload already serves on port {settings.port}: use that one, or set CASELOAD_PORT."
                raise PortTaken(message) from None
        _look(settings)
        yield name.close


def _clear(path: Path) -> None:
    """Remove the socket that a killed service has left, after asking whether anybody listens there."""
    try:
        if not stat.S_ISSOCK(path.stat().st_mode):
            message = f"CASELOAD_SOCKET {path} is there already and no socket: name another file."
            raise PortTaken(message)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.connect(str(path))
    except FileNotFoundError:
        return
    except ConnectionRefusedError:
        path.unlink()
        return
    except OSError as error:
        raise PortTaken(_unusable(path, error)) from None
    message = f"Somebody else listens on {path}: stop that, or set CASELOAD_SOCKET."
    raise PortTaken(message)


def _unusable(path: Path, error: OSError) -> str:
    return f"CASELOAD_SOCKET {path} cannot be used ({error.strerror or error}): name another file."


def _look(settings: Settings) -> None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError:
        message = f"CASELOAD_HOST {settings.host} is no address of this machine."
        raise PortTaken(message) from None
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except PermissionError:
            message = f"Port {settings.port} needs rights that this user lacks: set CASELOAD_PORT to 1024 or above."
            raise PortTaken(message) from None
        except OSError:
            raise PortTaken(_taken(settings)) from None


def _taken(settings: Settings) -> str:
    return f"Somebody else listens on {settings.host}:{settings.port}: stop that, or set CASELOAD_PORT."
