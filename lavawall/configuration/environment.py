"""Reads settings from the environment. An invalid value raises ImproperlyConfigured with a clear message,
which never repeats a value that may contain a password or key.
"""

import os
from pathlib import Path
from typing import Any, TypeVar

import environ
from django.core.exceptions import ImproperlyConfigured

Word = TypeVar("Word", bound=str)

ON = frozenset({"on", "true", "yes", "1"})
OFF = frozenset({"off", "false", "no", "0"})
DATABASES = "Use postgres://USER:PASSWORD@HOST:PORT/NAME or sqlite:///PATH."
POSTGRESQL, SQLITE = "django.db.backends.postgresql", "django.db.backends.sqlite3"
BROKERS = ("redis://", "rediss://", "unix://")


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def secret(name: str) -> str:
    """The variable, or the content of the file named by `<name>_FILE` (for container secrets)."""
    value, path = text(name), text(f"{name}_FILE")
    if value or not path:
        return value
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"{name}_FILE points to {path}, which cannot be read: {error.strerror}."
        ) from error
    except UnicodeDecodeError as error:
        raise ImproperlyConfigured(f"{name}_FILE points to {path}, which is not a text file.") from error


def flag(name: str, *, default: bool) -> bool:
    value = text(name).lower()
    if not value:
        return default
    if value not in ON | OFF:
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be on or off.")
    return value in ON


def whole_number(name: str, default: int, *, least: int, most: int) -> int:
    value = text(name)
    if not value:
        return default
    if not (value.isascii() and value.isdigit() and least <= int(value) <= most):
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be a whole number from {least} to {most}.")
    return int(value)


def choice(name: str, default: Word, allowed: tuple[Word, ...]) -> Word:
    value = text(name, default)
    for each in allowed:
        if each.lower() == value.lower():
            return each
    raise ImproperlyConfigured(f"{name} is {value!r}; it must be {', '.join(allowed[:-1])} or {allowed[-1]}.")


def items(name: str, default: list[str] | None = None) -> list[str]:
    """A comma-separated list."""
    return [each.strip() for each in text(name).split(",") if each.strip()] or list(default or ())


def host_names(name: str, default: list[str]) -> list[str]:
    hosts = items(name, default)
    if any("*" in host or host == "." for host in hosts):
        raise ImproperlyConfigured(
            f"{name} contains a wildcard, which would allow links to other hosts. Set the public host name."
        )
    if any("/" in host or " " in host for host in hosts):
        raise ImproperlyConfigured(f"{name} must contain host names such as lavawall.example.com, not URLs.")
    return hosts


def proxies(name: str) -> int:
    """The number of proxies in front: `off`, `on` (one), or a number."""
    value = text(name, "off").lower()
    if value in ON | OFF:
        return int(value in ON)
    if not (value.isascii() and value.isdigit() and int(value) <= 9):
        raise ImproperlyConfigured(
            f"{name} is {value!r}; it must be off, on, or the number of proxies in front."
        )
    return int(value)


def broker(name: str) -> str:
    value = text(name)
    if value and not value.startswith(BROKERS):
        raise ImproperlyConfigured(f"{name} must start with {', '.join(BROKERS[:-1])} or {BROKERS[-1]}.")
    return value


def readable_file(name: str) -> str:
    path = text(name)
    if path and not os.access(path, os.R_OK):
        raise ImproperlyConfigured(f"{name} points to {path}, which cannot be read.")
    return path


def database(name: str, default: str) -> dict[str, Any]:
    """Django's database settings. The password can be set separately as DATABASE_PASSWORD (or `_FILE`)."""
    url = text(name, default)
    if not url.startswith(("postgres://", "postgresql://", "sqlite://")):
        raise ImproperlyConfigured(f"{name} is not a supported database. {DATABASES}")
    try:
        described: dict[str, Any] = environ.Env.db_url_config(url)
    except (ValueError, KeyError) as error:
        raise ImproperlyConfigured(f"{name} is malformed. {DATABASES}") from error
    if described.get("ENGINE") not in (POSTGRESQL, SQLITE) or not described.get("NAME"):
        raise ImproperlyConfigured(f"{name} is malformed or has no database name. {DATABASES}")
    if described["ENGINE"] == POSTGRESQL and (password := secret("DATABASE_PASSWORD")):
        described["PASSWORD"] = password
    return described
