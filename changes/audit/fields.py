"""Reads members of log records, whose formats vary. Unreadable values are left empty; nothing raises."""

import ipaddress
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

_GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_NOBODY = "00000000-0000-0000-0000-000000000000"
_MOST_TEXT = 400

_INTERNAL = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::/127",
        "fc00::/7",
        "fe80::/10",
    )
)
"""Addresses inside Microsoft's network, which the log contains if it does not know the actor's address."""


def moment(value: object) -> datetime | None:
    """Parses a time of Graph, in UTC. Graph uses seven digits for fractions of a second."""
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value.strip())
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def address(value: object) -> str:
    """A normalised IP address without port; empty if missing or internal."""
    if not isinstance(value, str):
        return ""
    text = value.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        parsed = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return "" if any(parsed in network for network in _INTERNAL) else str(parsed)


def lone_ids(value: object) -> Iterator[str]:
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, str) and _GUID.fullmatch(each.strip()):
            yield each.strip().lower()


def decoded(value: object) -> object:
    """Values are JSON in a string, sometimes encoded twice, sometimes plain text."""
    for _ in range(2):
        if not isinstance(value, str):
            break
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            break
    return value


def member(record: object, name: str) -> object:
    """A member by name, ignoring capitalisation, which varies between records."""
    if not isinstance(record, Mapping):
        return None
    if name in record:
        found: object = record[name]
        return found
    return next(
        (each for key, each in record.items() if isinstance(key, str) and key.lower() == name.lower()), None
    )


def listed(record: object, name: str) -> list[object]:
    found = member(record, name)
    return found if isinstance(found, list) else []


def text_of(record: object, name: str, most: int = _MOST_TEXT) -> str:
    found = member(record, name)
    return clean(found, most) if isinstance(found, str) else ""


def clean(text: str, most: int) -> str:
    """Text that every database accepts: no NUL, no lone surrogates, not longer than the column."""
    return text.replace("\0", "").encode("utf-8", "replace").decode().strip()[:most]


def identifier(record: object, name: str, most: int = 64) -> str:
    found = text_of(record, name, most)
    return "" if found == _NOBODY else found
