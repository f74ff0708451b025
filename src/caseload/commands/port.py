"""Making sure that nobody else serves on our port: the server itself would share it without a word."""

import socket
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

from caseload.settings import OperatorError, Settings


class PortTaken(OperatorError):
    """Somebody else listens on the port, or it may not be listened on."""


@contextmanager
def port_held(settings: Settings) -> Generator[Callable[[], None]]:
    """Hold the port against another service of ours, after looking whether anybody listens there.

    The workers listen with `SO_REUSEPORT`, so two services would take turns at answering. The look is a bind without
    it, which fails when anybody has the port. Between the look and the workers the port is free again; there another
    of ours is kept out by a name in the abstract socket namespace, which the kernel frees whatever way we end
    (unix(7); Linux only, elsewhere the look must do). Yields what a forked worker calls to let go of that name.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as name:
        if sys.platform == "linux":
            try:
                name.bind(f"\0caseload-port-{settings.port}")
            except OSError:
                message = f"A caseload already serves on port {settings.port}: use that one, or set CASELOAD_PORT."
                raise PortTaken(message) from None
        _look(settings)
        yield name.close


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
