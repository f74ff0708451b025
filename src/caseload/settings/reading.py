"""Every setting the service reads, in one place: `CASELOAD_*` variables, and `CASELOAD_*_FILE` for secrets.

A variable that starts with `CASELOAD_` and names no setting is refused, so that a misspelt safety switch is a
clear error and not a silent default. Errors name variables, never their values.
"""

import difflib
import hmac
import os
import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from caseload.settings.errors import SettingsError
from caseload.settings.secret import LOCAL_PASSWORDS, ROOT_KEY, Secret, brought_secret, kept_secret

PREFIX = "CASELOAD_"
FILE_SUFFIX = "_FILE"

Port = Annotated[int, Meta(ge=1, le=65535)]
Count = Annotated[int, Meta(ge=1, le=256)]
Seconds = Annotated[float, Meta(gt=0, le=3600)]


Address = IPv4Address | IPv6Address
SOCKET = "socket"


class Proxies:
    """The proxies whose word for the address of a caller is taken, from `10.0.0.7, 192.168.0.0/16, socket`."""

    __slots__ = ("_by_socket", "_networks")

    def __init__(self, text: str = "") -> None:
        """Raises `ValueError` with what is no address, no network and not `socket`."""
        named = [name for name in re.split(r"[\s,]+", text) if name]
        self._by_socket = SOCKET in named
        self._networks = tuple(ip_network(name) for name in named if name != SOCKET)

    def trusts(self, caller: str) -> bool:
        """Whether this caller is one of them."""
        if not caller:
            return self._by_socket
        try:
            address = ip_address(caller)
        except ValueError:
            return False
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in network for network in self._networks)

    def __bool__(self) -> bool:
        return bool(self._networks) or self._by_socket

    def __str__(self) -> str:
        return ", ".join([*map(str, self._networks), *([SOCKET] if self._by_socket else [])]) or "(none)"


def default_data_dir() -> Path:
    """Where everything is kept unless said otherwise: /var/lib/caseload for root, the XDG data folder for others."""
    if os.geteuid() == 0:
        return Path("/var/lib/caseload")
    base = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(base).expanduser() / "caseload"


def default_workers() -> int:
    """One worker process per processor, up to four: a clinic needs no more, and each takes memory."""
    return min(os.cpu_count() or 1, 4)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an operator can decide. The variable of `data_dir` is `CASELOAD_DATA_DIR`, and so on."""

    data_dir: Path = msgspec.field(default_factory=default_data_dir)
    """The one folder that holds everything kept: the local database, generated secrets, demo passwords."""
    profiles_dir: Path | None = None
    """A folder with the clinic's own profile files, each a variant of one of ours that may only tighten it. Without it
    there are the profiles of this version."""
    host: str = "127.0.0.1"
    """Address the service listens on. Leave it on the loopback unless a proxy with TLS stands in front."""
    port: Port = 8000
    """TCP port the service listens on."""
    socket: Path | None = None
    """Unix socket to listen on instead of `host` and `port`, for a proxy on the same machine: its user must be in the
    group of whoever runs the service."""
    workers: Count = msgspec.field(default_factory=default_workers)
    """Worker processes. Each takes up to 150 MB and `db_pool_size` database connections."""
    jobs: Literal["beside", "apart"] = "beside"
    """Who does what is done beside the requests, such as making the check-ins of the coming weeks: `caseload serve` starts
    a worker `beside` it; `apart` leaves it to `caseload jobs run` elsewhere. Any number of them may run at once."""
    production: bool = False
    """Refuses secrets that caseload made up at a start of its own, and the demo clinic: run `caseload keys make`. Set it
    wherever real people are in the record."""
    organisation: str = "caseload"
    """The clinic's name in the audit log: small letters, digits, dots, dashes. Never change it once entries exist."""
    audit_origin: str | None = None
    """The name under which the audit log is signed, like an address without its scheme (`audit.clinic.example/log`).
    Made up once and kept in the database when missing; it cannot be changed afterwards."""
    audit_policy: Path | None = None
    """A file in the format of C2SP tlog-policy that names the witnesses to be asked for cosignatures (`witness NAME
    VKEY URL`) and how many it takes (`quorum`). With a quorum no checkpoint is shown before it is met. Without the
    file nobody elsewhere remembers how far the audit log had come, and a restored backup goes on unseen."""
    audit_key_overlap_days: Annotated[int, Meta(ge=0, le=3660)] = 30
    """For how long after a rotation the audit log is signed with the old key too, so that auditors can follow."""
    root_key: Secret | None = None
    """64 hexadecimal digits (32 bytes) from which the service derives its own secrets. Without it the one in `secrets`
    below `data_dir` is used. The keys of the audit log are others: they lie in `keys` below `data_dir`."""

    database_url: Secret | None = None
    """The service's own connection, `postgresql://user:password@host/database`, as a member of the role
    `caseload_app`. Several hosts may be listed with `?target_session_attrs=read-write`. Without it the local
    PostgreSQL in `data_dir` is started."""
    database_owner_url: Secret | None = None
    """The connection of the role that migrates. Only `caseload db` uses it; the service never needs it."""
    sequencer_database_url: Secret | None = None
    """The connection of whoever puts the audit log in order, as a member of the role `audit_sequencer`, never through
    a pooler. With it `caseload serve` runs the sequencer beside its workers; without it, and with an outside database,
    `caseload sequencer` has to run elsewhere."""
    db_pooler: Literal["none", "transaction"] = "none"
    """`transaction` when a pooler such as PgBouncer hands out server connections per transaction. Prepared
    statements and session settings are then left out: set timeouts with `ALTER ROLE ... SET`."""
    db_pool_size: Annotated[int, Meta(ge=4, le=256)] = 10
    """Database connections per worker, one of which only writes to the log. Workers times this stays below the server's
    `max_connections`."""
    db_pool_timeout_seconds: Seconds = 5.0
    """How long a request waits for a free connection before it is answered 503."""
    db_statement_timeout_seconds: Seconds = 15.0
    """The longest a single statement of the service may take."""
    db_lock_timeout_seconds: Seconds = 2.0
    """How long a request waits for somebody else who is working on the same record before it is answered 409."""
    db_idle_transaction_timeout_seconds: Seconds = 30.0
    """When the server ends a transaction in which nothing happens."""
    pg_bin: Path | None = None
    """Folder with the PostgreSQL programs (`postgres`, `initdb`, `pg_dump`). Found by itself when missing."""

    session_idle_seconds: Annotated[int, Meta(ge=60, le=3600)] = 900
    """How long a station may stand unused before its session is over. Use is noted to the minute."""
    session_longest_seconds: Annotated[int, Meta(ge=900, le=86_400)] = 43_200
    """After this long a session is over however busy it was."""
    password_shortest: Annotated[int, Meta(ge=12, le=64)] = 15
    """Characters a password has at least. NIST SP 800-63B-4 asks for 15 where nothing else is asked for."""

    keep_access_years: Annotated[int, Meta(ge=10, le=100)] = 10
    """For how many years after the last look a client cannot be erased from the audit log."""
    keep_record_years: Annotated[int, Meta(ge=10, le=100)] = 10
    """For how many years after the end of care a client cannot be erased from the audit log."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least serious line that is logged."""
    log_format: Literal["auto", "console", "json"] = "auto"
    """`json` for machines, `console` for people, `auto` to decide by whether standard error is a terminal."""
    access_log: bool = True
    """Whether each request leaves a line: its id, method, route template, status, duration and who asked."""
    body_seconds: Seconds = 10.0
    """How long the body of a request may take to arrive before it is refused."""
    request_seconds: Seconds = 20.0
    """How long the service works on an answer before it stops and says so. Longer than a single statement may take."""
    behind_tls: bool = False
    """Set it where a proxy with TLS stands in front: browsers are then told to come only that way."""
    trusted_proxies: Proxies = Proxies()
    """Addresses and networks of the clinic's own proxies, `10.0.0.7, 192.168.0.0/16`, or `socket` for one that calls
    through a Unix socket. Only they are believed who a caller is; without them each caller is who connects."""
    proxy_header: Literal["x-forwarded-for", "forwarded"] = "x-forwarded-for"
    """The header in which those proxies write whom they were called by. The other one is not read: a proxy that does
    not write it hands it on as the caller sent it."""
    drain_seconds: Seconds = 15.0
    """How long a stopping worker may finish the requests it has begun."""

    def key_for(self, purpose: str) -> bytes:
        """A 32-byte key for one purpose, derived from the root key (HKDF-Expand, RFC 5869, section 2.3).

        Raises `SettingsError` in production when it is not one that was brought, or when it is not 64 hex digits.
        """
        return hmac.digest(self._root_key(), purpose.encode() + b"\x01", "sha256")

    def _root_key(self) -> bytes:
        if self.root_key is not None:
            return _root_key_bytes(self.root_key)
        return _root_key_bytes(self.secret("root.key"))

    def secret(self, name: str) -> Secret:
        """A secret of this installation by its file in `secrets`: made up when missing, and in production refused."""
        path = self.data_dir / "secrets" / name
        return brought_secret(path) if self.production else kept_secret(path)


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings and refuse, in production, secrets that nobody brought. Raises `SettingsError`."""
    settings = read(environ)
    if settings.production:
        _refuse_made_up(settings)
    return settings


def _refuse_made_up(settings: Settings) -> None:
    needed = () if settings.root_key is not None else (ROOT_KEY,)
    if settings.database_url is None and settings.database_owner_url is None:
        needed += LOCAL_PASSWORDS
    for name in needed:
        settings.secret(name)


def read(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings from the environment. Raises `SettingsError` with the variable and what is wrong."""
    found = _named(environ)
    for name in SECRETS:
        _read_file(environ, name, found)
    try:
        settings = msgspec.convert(found, Settings, strict=False, dec_hook=_decode)
    except msgspec.ValidationError as error:
        raise SettingsError(_explained(str(error))) from None
    if settings.root_key is not None:
        _root_key_bytes(settings.root_key)
    return settings


SECRETS = ("ROOT_KEY", "DATABASE_URL", "DATABASE_OWNER_URL", "SEQUENCER_DATABASE_URL")


def _decode(wanted: type, value: object) -> object:
    if wanted is Secret:
        return Secret(str(value))
    if wanted is Proxies:
        return Proxies(str(value))
    if wanted is Path:
        return Path(str(value)).expanduser().absolute()
    message = f"no way to read {wanted}"
    raise TypeError(message)


def _named(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that name a setting, by field. An empty one counts as unset."""
    fields = {name.upper(): name for name in Settings.__struct_fields__}
    found: dict[str, str] = {}
    for variable, value in environ.items():
        if not variable.startswith(PREFIX) or not value:
            continue
        name = variable.removeprefix(PREFIX)
        if name in fields:
            found[fields[name]] = value
        elif not name.endswith(FILE_SUFFIX) or name.removesuffix(FILE_SUFFIX) not in SECRETS:
            raise SettingsError(_unknown(variable, fields))
    return found


def _read_file(environ: Mapping[str, str], name: str, found: dict[str, str]) -> None:
    variable = f"{PREFIX}{name}{FILE_SUFFIX}"
    path = environ.get(variable)
    if not path:
        return
    if name.lower() in found:
        message = f"{PREFIX}{name} and {variable} are both set: keep one of them."
        raise SettingsError(message)
    try:
        found[name.lower()] = Path(path).expanduser().read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        message = f"{variable} names a file that cannot be read ({type(error).__name__}): check its path and mode."
        raise SettingsError(message) from None


def _unknown(variable: str, fields: Mapping[str, str]) -> str:
    known = [PREFIX + name for name in fields] + [f"{PREFIX}{name}{FILE_SUFFIX}" for name in SECRETS]
    close = difflib.get_close_matches(variable, known, n=1)
    hint = f"did you mean {close[0]}?" if close else "unset it, or see `caseload serve --help` for the settings."
    return f"{variable} is not a setting: {hint}"


def _explained(problem: str) -> str:
    said = re.fullmatch(r"(?P<what>.*) - at `\$\.(?P<field>\w+)`", problem)
    if said is None:
        return f"The settings cannot be used: {problem}"
    return f"{PREFIX}{said['field'].upper()} cannot be used: {said['what'][0].lower()}{said['what'][1:]}."


def _root_key_bytes(key: Secret) -> bytes:
    text = key.reveal()
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        message = "CASELOAD_ROOT_KEY must be 64 hexadecimal digits: make one with `openssl rand -hex 32`."
        raise SettingsError(message)
    return bytes.fromhex(text)
