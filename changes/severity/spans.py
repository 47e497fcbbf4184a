"""Converts a period to seconds: ISO 8601 (`PT8H`, `P1Y`) or `1.02:00:00`. Used by the rules that compare
lifetimes. A year has 365 days and a month 30, as Microsoft rounds them.
"""

import re
from math import inf

ISO = re.compile(
    r"P(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?",
    re.IGNORECASE | re.ASCII,
)
CLOCK = re.compile(
    r"(?:(?P<days>\d+)\.)?(?P<hours>\d+):(?P<minutes>\d+):(?P<seconds>\d+(?:\.\d+)?)", re.ASCII
)
DAY = 86_400
SECONDS = {
    "years": 365 * DAY,
    "months": 30 * DAY,
    "weeks": 7 * DAY,
    "days": DAY,
    "hours": 3_600,
    "minutes": 60,
    "seconds": 1,
}
ENDLESS = frozenset({"until-revoked"})


def seconds_of(text: str) -> float | None:
    """None if the text is not a period."""
    if text.strip().casefold() in ENDLESS:
        return inf
    found = ISO.fullmatch(text.strip()) or CLOCK.fullmatch(text.strip())
    parts = {name: value for name, value in found.groupdict().items() if value} if found else {}
    return sum(float(value) * SECONDS[name] for name, value in parts.items()) if parts else None
