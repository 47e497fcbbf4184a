"""AES-256-GCM envelopes. Pure: keys and bytes in, bytes out. Used by the vault only. An envelope is one
format byte, a 12-byte random nonce, then ciphertext and tag. The caller's `context` is included as associated
data, so that an envelope that is moved to another row, field or tenant cannot be opened.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tenants.errors import StorageError

KEY_BYTES = 32
NONCE_BYTES = 12
FORMAT = b"\x01"


class SealBroken(StorageError):
    """An envelope cannot be opened: wrong key, wrong place or altered bytes."""


def new_key() -> bytes:
    return os.urandom(KEY_BYTES)


def seal(key: bytes, plaintext: bytes, context: str) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return FORMAT + nonce + AESGCM(key).encrypt(nonce, plaintext, context.encode())


def unseal(key: bytes, envelope: bytes | memoryview, context: str) -> bytes:
    """The plaintext. Raises SealBroken."""
    envelope = bytes(envelope)
    if len(envelope) <= len(FORMAT) + NONCE_BYTES or not envelope.startswith(FORMAT):
        raise SealBroken(f"The stored envelope of {context} is malformed.")
    nonce, sealed = envelope[1 : 1 + NONCE_BYTES], envelope[1 + NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, sealed, context.encode())
    except InvalidTag as error:
        raise SealBroken(
            f"The stored envelope of {context} cannot be opened: it was altered, moved, or encrypted "
            "with another key."
        ) from error


def derive(key: bytes, purpose: str) -> bytes:
    """Derives a key for one purpose (digests, ledger), so that no key is used by two algorithms."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose.encode()).derive(key)
