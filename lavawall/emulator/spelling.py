"""The other ways in which Microsoft's services spell one and the same value from read to read."""

import ipaddress
import random
import re

from lavawall.emulator import schema

_SECONDS = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?Z$")
_NETWORK_PROPERTIES = frozenset({"cidrAddress"})


def respelling(value: str, declared: schema.Property, source: random.Random) -> str:
    """The value in one of its equal spellings: time formats, IPv6 notation."""
    if declared.type == "Edm.DateTimeOffset":
        return moment(value, source)
    if declared.name in _NETWORK_PROPERTIES:
        return network(value, source)
    return value


def network(value: str, source: random.Random) -> str:
    """An IPv6 network or address compressed or written out; anything else as it is."""
    address, slash, length = value.partition("/")
    try:
        parsed = ipaddress.IPv6Address(address)
    except ValueError:
        return value
    formatted = source.choice([parsed.compressed, parsed.exploded, parsed.compressed.upper()])
    return f"{formatted}{slash}{length}"


def moment(value: str, source: random.Random) -> str:
    """A time with more or fewer digits, with Z or an offset; anything else as it is."""
    found = _SECONDS.match(value)
    if found is None:
        return value
    fraction = found[2] or ""
    padded = f".{fraction[1:]:0<7}" if fraction else ".0000000"
    return found[1] + source.choice([f"{fraction}Z", f"{padded}Z", f"{fraction}+00:00"])
