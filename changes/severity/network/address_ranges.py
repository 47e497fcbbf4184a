"""The number of addresses in a list of CIDR ranges, and the difference between two lists. Used by the rules
on named locations. Unreadable ranges are ignored.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network

SITE_BITS = 64
"""An IPv6 /64 is the network of one site and counts as much as one IPv4 address."""
FEW = 256
MANY = 65_536


@dataclass(frozen=True)
class AddressSet:
    v4: tuple[IPv4Network, ...]
    v6: tuple[IPv6Network, ...]

    @classmethod
    def of(cls, ranges: Iterable[str]) -> "AddressSet":
        v4: list[IPv4Network] = []
        v6: list[IPv6Network] = []
        for text in ranges:
            try:
                network = ip_network(text.strip(), strict=False)
            except ValueError:
                continue
            if isinstance(network, IPv4Network):
                v4.append(network)
            else:
                v6.append(network)
        return cls(tuple(collapse_addresses(v4)), tuple(collapse_addresses(v6)))

    @property
    def size(self) -> int:
        sites = sum(max(1, network.num_addresses >> SITE_BITS) for network in self.v6)
        return sum(network.num_addresses for network in self.v4) + sites

    @property
    def everything(self) -> bool:
        widest = [network.prefixlen for network in self.v4] + [network.prefixlen for network in self.v6]
        return 0 in widest

    def beyond(self, other: "AddressSet") -> int:
        """The number of addresses in this set that are not in the other."""
        return self.united(other).size - other.size

    def united(self, other: "AddressSet") -> "AddressSet":
        return AddressSet(
            tuple(collapse_addresses([*self.v4, *other.v4])),
            tuple(collapse_addresses([*self.v6, *other.v6])),
        )
