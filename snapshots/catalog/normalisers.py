"""Normalisers of single values in the canonical form, by the names that specs use. Pure functions of a
string.
"""

import base64
import ipaddress
import json
import plistlib
import re
from collections.abc import Callable, Mapping
from uuid import UUID

from snapshots.catalog.spec import GUID

_DAYS_AND_TIME = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


def cidr(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value.strip(), strict=False))
    except ValueError:
        return value


def _separated_by(separator: str) -> Callable[[str], str]:
    def normalise(value: str) -> str:
        words = value.split() if separator == " " else [word.strip() for word in value.split(separator)]
        return separator.join(sorted({word for word in words if word}))

    return normalise


def _json(value: str) -> str:
    try:
        return json.dumps(json.loads(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    except ValueError:
        return value


def _truth(value: str) -> str:
    return value.lower() if value.lower() in {"true", "false"} else value


def _duration(value: str) -> str:
    """Days and time only: how long a month or a year is, nobody knows."""
    found = _DAYS_AND_TIME.fullmatch(value)
    if found is None or not any(found.groups()):
        return value
    days, hours, minutes, seconds = (int(each or 0) for each in found.groups())
    minutes, seconds = divmod(((days * 24 + hours) * 60 + minutes) * 60 + seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    time = "".join(f"{n}{unit}" for n, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if n)
    return f"P{f'{days}D' if days else ''}{f'T{time}' if time else ''}" if days or time else "PT0S"


def _base64(value: str) -> str:
    return "".join(value.split())


def _compact(value: str) -> str:
    return "".join(value.split()).lower()


def _unless(nothing: str) -> Callable[[str], str | None]:
    """For a word that says the same as a missing value."""
    return lambda value: None if value == nothing else value


def _id(value: str) -> str | None:
    """For an id of zeros, which names nothing."""
    return None if value in {"", str(UUID(int=0))} else value.lower() if GUID.fullmatch(value) else value


def _plist(value: str) -> str:
    """For a property list in base64: its content, however it is laid out."""
    try:
        content = plistlib.loads(base64.b64decode(value, validate=True))
    except Exception:  # noqa: BLE001 - the parser raises whatever a broken file makes it stumble on
        return _base64(value)
    return base64.b64encode(plistlib.dumps(content, sort_keys=True)).decode()


NORMALISERS: Mapping[str, Callable[[str], str | None]] = {
    "cidr": cidr,
    "space_set": _separated_by(" "),
    "comma_set": _separated_by(","),
    "lower": str.lower,
    "json": _json,
    "truth": _truth,
    "duration": _duration,
    "base64": _base64,
    "capitalised": str.capitalize,
    "compact": _compact,
    "verbatim": str,
    "plist": _plist,
    "id": _id,
    "unless_none": _unless("none"),
}
"""Each is a fixed point: applying it twice changes nothing. None: the value says nothing."""
