"""How one value is spelled in the canonical form, by the names that specs use. Pure functions of a string."""

import ipaddress
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


NORMALISERS: Mapping[str, Callable[[str], str]] = {
    "cidr": _cidr,
    "space_set": _separated_by(" "),
    "comma_set": _separated_by(","),
    "lower": str.lower,
}
"""Each is a fixed point: applying it twice changes nothing."""
