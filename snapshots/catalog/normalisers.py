"""How one value is spelled in the canonical form, by the names that specs use. Pure functions of a string."""

import ipaddress
import json
from collections.abc import Callable, Mapping


def _cidr(value: str) -> str:
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


NORMALISERS: Mapping[str, Callable[[str], str]] = {
    "cidr": _cidr,
    "space_set": _separated_by(" "),
    "comma_set": _separated_by(","),
    "lower": str.lower,
    "json": _json,
    "truth": _truth,
}
"""Each is a fixed point: applying it twice changes nothing."""
