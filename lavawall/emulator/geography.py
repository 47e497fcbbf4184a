"""A small table of where IP addresses are, over networks that the RFCs reserve for documentation."""

import ipaddress
from dataclasses import dataclass

from lavawall.emulator.store import Json


@dataclass(frozen=True)
class Place:
    network: ipaddress.IPv4Network | ipaddress.IPv6Network
    city: str
    state: str
    country: str
    latitude: float
    longitude: float


def _place(network: str, city: str, state: str, country: str, latitude: float, longitude: float) -> Place:
    return Place(ipaddress.ip_network(network), city, state, country, latitude, longitude)


PLACES = (
    _place("203.0.113.0/25", "Calgary", "Alberta", "CA", 51.05, -114.07),
    _place("203.0.113.128/25", "Hamburg", "Hamburg", "DE", 53.55, 9.99),
    _place("198.51.100.0/26", "Bucharest", "Bucuresti", "RO", 44.43, 26.10),
    _place("198.51.100.64/26", "Lagos", "Lagos", "NG", 6.45, 3.39),
    _place("198.51.100.128/25", "Singapore", "Central Singapore", "SG", 1.29, 103.85),
    _place("192.0.2.0/24", "Toronto", "Ontario", "CA", 43.65, -79.38),
    _place("2001:db8::/33", "Frankfurt", "Hessen", "DE", 50.11, 8.68),
    _place("2001:db8:8000::/33", "Minsk", "Minsk", "BY", 53.90, 27.57),
)


def location_of(address: str) -> Json | None:
    """Graph's signInLocation for an address; None where the table does not know it."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    for location in PLACES:
        if parsed in location.network:
            return {
                "city": location.city,
                "state": location.state,
                "countryOrRegion": location.country,
                "geoCoordinates": {
                    "altitude": None,
                    "latitude": location.latitude,
                    "longitude": location.longitude,
                },
            }
    return None
