"""Named locations: the same edit weakens or strengthens, depending on how policies use the location."""

from typing import Any

from changes.severity.network.address_ranges import AddressSet
from tests.changes.severity.casebook import Case, both_sides, changed
from tests.changes.severity.test_conditional_access import EVERYBODY, LEGACY, conditions

OFFICE: dict[str, Any] = {
    "@odata.type": "#microsoft.graph.ipNamedLocation",
    "displayName": "Office",
    "isTrusted": False,
    "ipRanges": [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "198.51.100.0/24"}],
}
COUNTRIES: dict[str, Any] = {
    "@odata.type": "#microsoft.graph.countryNamedLocation",
    "displayName": "Countries",
    "countriesAndRegions": ["CH", "DE"],
    "countryLookupMethod": "clientIpAddress",
    "includeUnknownCountriesAndRegions": False,
}
LETS_OUT = both_sides(
    conditionalAccessPolicy={
        "p": conditions(
            EVERYBODY, locations={"includeLocations": ["All"], "excludeLocations": ["subject-id"]}
        )
    }
)
LETS_TRUSTED_OUT = both_sides(
    conditionalAccessPolicy={
        "p": conditions(
            EVERYBODY, locations={"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}
        )
    }
)
BLOCKED_THERE = both_sides(
    conditionalAccessPolicy={"p": conditions(LEGACY, locations={"includeLocations": ["subject-id"]})}
)


def ranges(*cidrs: str) -> dict[str, Any]:
    return changed(OFFICE, lambda d: d.update(ipRanges=[{"cidrAddress": cidr} for cidr in cidrs]))


def countries(*codes: str) -> dict[str, Any]:
    return changed(COUNTRIES, lambda d: d.update(countriesAndRegions=list(codes)))


def case(
    title: str,
    rule: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    severity: str | None,
    direction: str = "weakens",
    context: dict[str, Any] | None = None,
) -> Case:
    return Case(title, rule, "namedLocation", before, after, severity, direction, context or {})


OFFICE_AND_HOST = ranges("198.51.100.0/24", "203.0.113.7/32")
TRUSTED = changed(OFFICE, lambda d: d.update(isTrusted=True))
GPS = changed(COUNTRIES, lambda d: d.update(countryLookupMethod="authenticatorAppGps"))

CASES = [
    case("a single host", "named-location-widened", OFFICE, OFFICE_AND_HOST, "medium"),
    case(
        "a single host, let out",
        "named-location-widened",
        OFFICE,
        OFFICE_AND_HOST,
        "medium",
        context=LETS_OUT,
    ),
    case("a large range", "named-location-widened", OFFICE, ranges("198.0.0.0/8"), "high"),
    case("the internet", "named-location-widened", OFFICE, ranges("0.0.0.0/0"), "high"),
    case("the internet in IPv6", "named-location-widened", OFFICE, ranges("198.51.100.0/24", "::/0"), "high"),
    case(
        "a site's range, let out",
        "named-location-widened",
        OFFICE,
        ranges("198.51.100.0/22"),
        "high",
        context=LETS_OUT,
    ),
    case(
        "more is blocked",
        "named-location-widened",
        OFFICE,
        OFFICE_AND_HOST,
        "low",
        "strengthens",
        context=BLOCKED_THERE,
    ),
    case("a country", "named-location-widened", COUNTRIES, countries("CH", "DE", "KP"), "medium"),
    case(
        "the same network in other words",
        "named-location-widened",
        OFFICE,
        ranges("198.51.100.0/25", "198.51.100.128/25"),
        None,
    ),
    case(
        "less is let out", "named-location-narrowed", OFFICE_AND_HOST, OFFICE, "low", "strengthens", LETS_OUT
    ),
    case("fewer countries", "named-location-narrowed", COUNTRIES, countries("CH"), "low", "strengthens"),
    case(
        "a blocked country is free again",
        "named-location-narrowed",
        COUNTRIES,
        countries("CH"),
        "medium",
        context=BLOCKED_THERE,
    ),
    case("renamed", "named-location-narrowed", OFFICE, {**OFFICE, "displayName": "Main office"}, None),
    case("trusted", "named-location-trusted", OFFICE, TRUSTED, "medium"),
    case(
        "trusted, and trust lets out",
        "named-location-trusted",
        OFFICE,
        TRUSTED,
        "high",
        context=LETS_TRUSTED_OUT,
    ),
    case(
        "the whole internet trusted",
        "named-location-trusted",
        None,
        {**ranges("0.0.0.0/0"), "isTrusted": True},
        "high",
    ),
    case("no longer trusted", "named-location-trusted", TRUSTED, OFFICE, "low", "strengthens"),
    case("still trusted", "named-location-trusted", TRUSTED, {**TRUSTED, "displayName": "HQ"}, None),
    case("deleted", "named-location-deleted", OFFICE, None, "medium", "neutral"),
    case(
        "deleted where it is blocked",
        "named-location-deleted",
        COUNTRIES,
        None,
        "high",
        context=BLOCKED_THERE,
    ),
    case("created", "named-location-deleted", None, OFFICE, None),
    case("position to address", "named-location-lookup", GPS, COUNTRIES, "medium"),
    case("address to position", "named-location-lookup", COUNTRIES, GPS, "low", "strengthens"),
    case("another country", "named-location-lookup", COUNTRIES, countries("CH"), None),
]


def test_the_reason_names_the_policy_that_lets_the_location_out() -> None:
    verdict = case("", "", OFFICE, OFFICE_AND_HOST, None, context=LETS_OUT).verdict()
    assert "excluded from policy Baseline" in verdict.findings[0].reason


def test_addresses_count_once_however_they_are_written() -> None:
    overlapping = AddressSet.of(["10.0.0.0/24", "10.0.0.128/25", "10.0.0.77/24", "nonsense"])
    assert overlapping.size == 256
    assert AddressSet.of(["2001:db8::/64"]).size == 1
    assert AddressSet.of(["10.0.0.0/23"]).beyond(overlapping) == 256
    assert overlapping.beyond(AddressSet.of(["10.0.0.0/8"])) == 0
