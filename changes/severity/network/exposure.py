"""What the internet can reach through a network security group, computed from its rules. Used by the rules on
network security groups. Ports are bits of one number per protocol, so that union and difference of port
ranges are simple arithmetic.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_network

from changes.severity import reference
from changes.severity.network.address_ranges import AddressSet
from changes.severity.readers import dig, number, rows, text, texts, word
from snapshots.catalog.spec import Document

PORTS = 65_536
ALL_PORTS = (1 << PORTS) - 1
PROTOCOLS = ("tcp", "udp")
STRANGERS = frozenset({"azurecloud"})
"""Service tags that include addresses which anyone can rent."""
WIDE = 1 << 24
"""This many public addresses count as the whole internet, which can also be written as two halves."""
LAST = 65_001.0


@dataclass(frozen=True)
class Filter:
    """One rule for incoming traffic. `ports` is a set of bits."""

    priority: float
    allows: bool
    protocols: tuple[str, ...]
    ports: int
    from_strangers: bool
    from_everybody: bool
    to_everything: bool


def _values(properties: Document, name: str) -> list[str]:
    """Azure uses different properties for one and several values (`…Prefix`, `…Prefixes`)."""
    plural = f"{name}es" if name.endswith("x") else f"{name}s"
    return [value for value in (text(properties, name), *texts(properties, plural)) if value]


def _ports(properties: Document) -> int:
    found = 0
    for written in _values(properties, "destinationPortRange"):
        for part in written.split(","):
            first, _, last = part.strip().partition("-")
            if first == "*":
                return ALL_PORTS
            if all(end.isascii() and end.isdigit() and len(end) <= 5 for end in (first, last or first)):
                low, high = int(first), min(int(last or first), PORTS - 1)
                found |= ((1 << max(high - low + 1, 0)) - 1) << low
    return found & ALL_PORTS


def _is_public(prefix: str) -> bool:
    try:
        return not ip_network(prefix.strip(), strict=False).is_private
    except ValueError:
        return False


def _filter(properties: Document) -> Filter:
    sources = [source.casefold() for source in _values(properties, "sourceAddressPrefix")]
    public = AddressSet.of(source for source in sources if _is_public(source))
    everybody = any(source in reference.ANY_SOURCE for source in sources) or public.everything
    tagged = any(source.split(".", 1)[0] in STRANGERS for source in sources)
    protocol = word(properties, "protocol")
    targets = {target.casefold() for target in _values(properties, "destinationAddressPrefix")}
    priority = number(properties, "priority")
    return Filter(
        priority=LAST if priority is None else priority,
        allows=word(properties, "access") == "allow",
        protocols=PROTOCOLS if protocol in {"*", ""} else (protocol,),
        ports=_ports(properties),
        from_strangers=everybody or tagged or public.size >= WIDE,
        from_everybody=everybody,
        to_everything=not targets or bool(targets & {"*", "0.0.0.0/0", "any"}),
    )


def _incoming(document: Document | None) -> Iterator[Filter]:
    for row in rows(document, "properties", "securityRules"):
        inner = dig(dict(row), "properties")
        properties = dict(inner) if isinstance(inner, Mapping) else dict(row)
        if word(properties, "direction") == "inbound":
            yield _filter(properties)


def reachable(document: Document | None) -> dict[str, int]:
    """The ports reachable from the internet, by protocol: each allow rule minus the ports that a
    higher-priority rule denies to all.
    """
    open_ports = dict.fromkeys(PROTOCOLS, 0)
    denied = dict.fromkeys(PROTOCOLS, 0)
    for one in sorted(_incoming(document), key=lambda one: (one.priority, one.allows)):
        for protocol in one.protocols:
            if protocol not in open_ports:
                continue
            if one.allows and one.from_strangers:
                open_ports[protocol] |= one.ports & ~denied[protocol]
            elif not one.allows and one.from_everybody and one.to_everything:
                denied[protocol] |= one.ports
    return open_ports


def ranges(ports: int) -> list[str]:
    """`22`, `80-90`: the bits as readable ranges."""
    found, start = [], 0
    while ports >> start:
        rest = ports >> start
        start += (rest & -rest).bit_length() - 1
        run = ports >> start
        length = (~run & (run + 1)).bit_length() - 1
        found.append(str(start) if length == 1 else f"{start}-{start + length - 1}")
        start += length
    return found


def management(ports: int) -> list[int]:
    return sorted(port for port in reference.MANAGEMENT_PORTS if ports >> port & 1)
