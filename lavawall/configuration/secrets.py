"""The sources of the platform's two secrets. Called only by the settings. Production (a database server, or a
public host name) needs both and refuses to start without them. The embedded mode (SQLite, loopback) generates
them once and stores them next to the database file.
"""

import base64
import binascii
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from lavawall.configuration import environment

MASTER_KEY_BYTES = 32
MINIMUM_SECRET_KEY_LENGTH = 32
FEWEST_DIFFERENT_BYTES = 8
"""32 random bytes or hexadecimal digits have fewer different ones only once in a million keys."""
PLACEHOLDERS = (
    "changeme",
    "change-me",
    "change_me",
    "insecure",
    "secret-key",
    "example",
    "default",
    "placeholder",
)
HOW_TO_MAKE_ONE = 'python3 -c "import base64, os; print(base64.b64encode(os.urandom(32)).decode())"'


@dataclass(frozen=True, repr=False)
class Secrets:
    secret_key: str
    master_key: bytes
    previous_master_key: bytes | None = None


def load(*, production: bool, keep_in: Path | None) -> Secrets:
    """The secrets of this installation. `keep_in` is the file for secrets generated in embedded mode; None
    keeps them in memory only. Raises ImproperlyConfigured if a secret is missing in production, a placeholder
    or malformed.
    """
    secret_key = environment.secret("SECRET_KEY")
    master_key = environment.secret("LAVAWALL_MASTER_KEY")
    if production:
        missing = [
            name
            for name, value in (("SECRET_KEY", secret_key), ("LAVAWALL_MASTER_KEY", master_key))
            if not value
        ]
        if missing:
            raise ImproperlyConfigured(
                f"{' and '.join(missing)} must be set in production. Generate each with: {HOW_TO_MAKE_ONE}"
            )
    else:
        generated = _generated(keep_in) if not (secret_key and master_key) else {}
        secret_key = secret_key or generated["SECRET_KEY"]
        master_key = master_key or generated["LAVAWALL_MASTER_KEY"]
    if secret_key == master_key:
        raise ImproperlyConfigured(
            "SECRET_KEY and LAVAWALL_MASTER_KEY have the same value. Generate a separate value for "
            "each with: " + HOW_TO_MAKE_ONE
        )
    previous = environment.secret("LAVAWALL_PREVIOUS_MASTER_KEY")
    return Secrets(
        secret_key=_checked_secret_key(secret_key),
        master_key=_decoded_master_key(master_key, "LAVAWALL_MASTER_KEY"),
        previous_master_key=(
            _decoded_master_key(previous, "LAVAWALL_PREVIOUS_MASTER_KEY") if previous else None
        ),
    )


def _generated(keep_in: Path | None) -> dict[str, str]:
    if keep_in is not None and keep_in.exists():
        return _kept(keep_in)
    made = {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "LAVAWALL_MASTER_KEY": base64.b64encode(os.urandom(MASTER_KEY_BYTES)).decode(),
    }
    if keep_in is not None:
        _write_once(keep_in, "".join(f"{name}={value}\n" for name, value in made.items()))
        return _generated(keep_in)
    return made


def _kept(path: Path) -> dict[str, str]:
    existing = dict(line.split("=", 1) for line in path.read_text(encoding="utf-8").split() if "=" in line)
    missing = {"SECRET_KEY", "LAVAWALL_MASTER_KEY"} - existing.keys()
    if missing:
        raise ImproperlyConfigured(
            f"{path} has no {' and no '.join(sorted(missing))}. Restore the file. Without its key, the "
            "data in this database cannot be read."
        )
    return existing


def _write_once(path: Path, content: str) -> None:
    """Two processes may start at the same time: the first one's secrets are used, and neither sees a
    partially written file.
    """
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _checked_secret_key(value: str) -> str:
    if len(value) < MINIMUM_SECRET_KEY_LENGTH or any(word in value.lower() for word in PLACEHOLDERS):
        raise ImproperlyConfigured(
            f"SECRET_KEY is a placeholder or shorter than {MINIMUM_SECRET_KEY_LENGTH} characters. "
            f"Generate one with: {HOW_TO_MAKE_ONE}"
        )
    if _is_repetitive(value.encode()):
        raise ImproperlyConfigured(f"SECRET_KEY is not random. Generate one with: {HOW_TO_MAKE_ONE}")
    return value


def _decoded_master_key(value: str, name: str) -> bytes:
    try:
        key = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ImproperlyConfigured(f"{name} is not base64. Generate one with: {HOW_TO_MAKE_ONE}") from error
    if len(key) != MASTER_KEY_BYTES or _is_repetitive(key):
        raise ImproperlyConfigured(
            f"{name} must be {MASTER_KEY_BYTES} random bytes. Generate one with: {HOW_TO_MAKE_ONE}"
        )
    return key


def _is_repetitive(key: bytes) -> bool:
    """Whether a value is not random: few different bytes, or a repeated pattern."""
    return len(set(key)) < FEWEST_DIFFERENT_BYTES or key in (key + key)[1:-1]
