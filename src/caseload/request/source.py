"""Where a request comes from when a proxy of the clinic's own stands in front (`CASELOAD_TRUSTED_PROXIES`).

Each proxy writes whom it was called by behind what stood in the header already, so the right end was written by the
proxy that calls us and the left end by anybody. It is read from the right, past every proxy that is trusted, and the
first address that is not one of them is the caller: what a caller has written there is never reached. One header alone
is read, the one the proxies write: they hand on the other as the caller sent it.
"""

import re
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final

from caseload.request.asgi import Headers, Scope
from caseload.settings import Address, Settings

_WITH_PORT: Final = re.compile(r"\[(?P<six>[^\]]+)\](?::[0-9]+)?|(?P<four>[0-9.]+):[0-9]+")
"""`[2001:db8::7]:4711`, `[2001:db8::7]` or `192.0.2.7:4711` (RFC 7239, section 6)."""
_PAIR: Final = re.compile(r'\s*(?P<name>[a-z]+)=(?:(?P<token>[^\s",;=]+)|"(?P<quoted>[^",;]*)")\s*', re.IGNORECASE)
"""One parameter of an element of `Forwarded` (RFC 7239, section 4)."""


def source_of(scope: Scope, settings: Settings) -> str:
    """The address of whoever asked; nothing when there is none, as on a socket of this machine.

    Where a trusted proxy does not say whom it was called by, or not as an address, it is taken for the caller itself.
    """
    peer = scope.get("client")
    called_by = str(peer[0]) if peer else ""
    proxies = settings.trusted_proxies
    if not proxies or not proxies.trusts(called_by):
        return called_by
    for hop in _hops(scope["headers"], settings.proxy_header):
        address = _address(hop)
        if address is None:
            return called_by
        called_by = str(address)
        if not proxies.trusts(called_by):
            return called_by
    return called_by


def _hops(headers: Headers, header: str) -> Iterator[str | None]:
    """What each proxy wrote, the nearest first; None for what is not written as it should be."""
    wanted = header.encode()
    written = b",".join(value for name, value in headers if name.lower() == wanted).decode("latin-1")
    if not written.strip():
        return
    for element in reversed(written.split(",")):
        yield _forwarded_for(element) if header == "forwarded" else element.strip()


def _forwarded_for(element: str) -> str | None:
    """The `for` of one element. A quoted comma or semicolon, which no address has, makes it unreadable."""
    found: str | None = None
    for part in element.split(";"):
        pair = _PAIR.fullmatch(part)
        if pair is None:
            return None
        if pair["name"].lower() == "for":
            found = pair["token"] or pair["quoted"]
    return found


def _address(hop: str | None) -> Address | None:
    """The address in it, an IPv4 address also where it is written as an IPv6 one; None for `unknown` and the like."""
    if hop is None:
        return None
    port = _WITH_PORT.fullmatch(hop)
    try:
        found = ip_address((port["six"] or port["four"]) if port else hop)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
