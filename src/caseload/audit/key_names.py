"""By what the log calls a key, and which keys it has named: one entry `key.named` for each key that is used with it.

A key may be made where there is no database yet, or none that can be reached: so it is named when somebody who holds it
first meets the log. What is said stands in the open part of the entry and is a fingerprint: of a secret key 128 bits of
HMAC-SHA256 under it, of a signing key the identifier that policies show, and SHA-256 of the public key; of a key that
seals signatures its number and the SHA-256 of the public key.
"""

import hashlib
import hmac
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.audit.accesslog import read_as_reader
from caseload.audit.keystore import KeyName, KeyStore, KeyStoreUnusable
from caseload.audit.leaf import decode
from caseload.audit.tables import log, signing_key
from caseload.audit.tlog.note import LocalSigner, VerifierKey

NAMED: Final = "key.named"

_ONE_AT_A_TIME: Final = 4_711_202_614
_FINGERPRINT_BYTES: Final = 16
_OF_THE_SERVICE: Final = (KeyName.CLIENT_KEYS, KeyName.LOG)


def of_secret(name: str, secret: bytes) -> str:
    """By what the log calls a secret key. Nobody can tell the key from it."""
    return f"caseload key {name} {hmac.digest(secret, b'fingerprint', 'sha256')[:_FINGERPRINT_BYTES].hex()}"


def of_signing_key(key: VerifierKey) -> str:
    """By what the log calls a key that signs it."""
    return f"caseload key {KeyName.SIGNING} {key.key_id.hex()} sha256:{hashlib.sha256(key.public).hexdigest()}"


def of_sealing_key(number: int, public: bytes) -> str:
    """By what the log calls a key that seals what people sign."""
    return f"caseload key {KeyName.SIGNATURES}.{number} sha256:{hashlib.sha256(public).hexdigest()}"


def of_store(store: KeyStore) -> Iterator[str]:
    """What the keys of a store that the service uses are called, the older ones too as far as they are there."""
    for number in range(1, store.current(KeyName.SIGNATURES).number + 1):
        with suppress(KeyStoreUnusable):
            secret = store.numbered(KeyName.SIGNATURES, number).secret
            yield of_sealing_key(number, LocalSigner(secret, name=KeyName.SIGNATURES).key.public)
    for name in _OF_THE_SERVICE:
        for number in range(1, store.current(name).number + 1):
            with suppress(KeyStoreUnusable):
                yield of_secret(f"{name}.{number}", store.numbered(name, number).secret)


async def of_signers(connection: AsyncConnection) -> list[str]:
    """What the first key of each of the log's names is called. The later ones are named by the entry that brings them."""
    rows = await read_as_reader(connection, _FIRST_KEYS)
    return [of_signing_key(VerifierKey.parse(row.vkey)) for row in rows]


async def named(connection: AsyncConnection) -> set[str]:
    """Every key that the log has named."""
    rows = await read_as_reader(connection, _NAMED)
    return {decode(row.leaf).route for row in rows}


async def one_at_a_time(connection: AsyncConnection) -> None:
    """Wait until nobody else names keys; until the transaction ends nobody else does."""
    await connection.execute(_LOCK)


_FIRST_KEYS: Final = select(signing_key.c.vkey).where(signing_key.c.idx.is_(None)).order_by(signing_key.c.at)
_NAMED: Final = select(log.c.leaf).where(log.c.event == bindparam("event", NAMED))
_LOCK: Final = select(func.pg_advisory_xact_lock(_ONE_AT_A_TIME))
