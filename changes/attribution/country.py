"""Finds the country of an audit event: from the actor's own sign-in, otherwise from the GeoIP file, otherwise
unknown. Called by attribution. Never calls an internet service.
"""

import logging
import struct
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import maxminddb

SIGN_IN = "sign-in"
GEOIP = "geoip"
UNKNOWN = ("", "")
TOKEN_LIFE = timedelta(hours=24)
"""How long a session may be used after its sign-in."""

_DAMAGED = (
    OSError,
    ValueError,
    TypeError,
    LookupError,
    RuntimeError,
    struct.error,
)
"""Errors of the GeoIP reader for a missing or damaged file, including its InvalidDatabaseError (a
RuntimeError).
"""

_log = logging.getLogger(__name__)


class SignInCountries:
    """Where principals signed in from: (principal id, ip, time, country) of each sign-in."""

    def __init__(self, sign_ins: Iterable[tuple[str, str, datetime, str]]) -> None:
        self._seen: dict[tuple[str, str], list[tuple[datetime, str]]] = defaultdict(list)
        for principal_id, ip, at, country in sign_ins:
            if ip and country:
                self._seen[principal_id.lower(), ip].append((at, country))
        for seen in self._seen.values():
            seen.sort()

    def country(self, principal_id: str, ip: str, at: datetime) -> str:
        """The country of the latest sign-in before `at` by the same principal from the same address, within a
        token's lifetime.
        """
        seen = self._seen.get((principal_id.lower(), ip), [])
        before = bisect_right(seen, at, key=lambda each: each[0])
        if not before:
            return ""
        signed_in_at, country = seen[before - 1]
        return country if at - signed_in_at <= TOKEN_LIFE else ""


def country_of(
    principal_id: str, ip: str, at: datetime, sign_ins: SignInCountries, geoip_file: str
) -> tuple[str, str]:
    """The country and its source."""
    if not ip:
        return UNKNOWN
    if principal_id and (country := sign_ins.country(principal_id, ip, at)):
        return country, SIGN_IN
    if geoip_file and (country := _looked_up(ip, Path(geoip_file))):
        return country, GEOIP
    return UNKNOWN


def _looked_up(ip: str, file: Path) -> str:
    try:
        changed_at = file.stat().st_mtime_ns
    except OSError:
        changed_at = 0
    reader = _reader(file, changed_at)
    if reader is None:
        return ""
    try:
        return _iso_code(reader.get(ip))
    except _DAMAGED as error:
        if reader.metadata().ip_version == 6 or ":" not in ip:
            _warn(error)
        return ""


def _iso_code(record: Any) -> str:
    country = record.get("country") if isinstance(record, dict) else None
    code = country.get("iso_code") if isinstance(country, dict) else None
    return code.upper() if isinstance(code, str) and len(code) == 2 else ""


@lru_cache(maxsize=2)
def _reader(file: Path, _changed_at: int) -> maxminddb.Reader | None:
    """Cached until the file changes. Read into memory, because replacing a memory-mapped file in place
    crashes the process.
    """
    try:
        return maxminddb.open_database(str(file), maxminddb.MODE_MEMORY)
    except _DAMAGED as error:
        _warn(error)
        return None


def _warn(error: Exception) -> None:
    _log.warning(
        "The GeoIP file of LAVAWALL_GEOIP_DB cannot be used (%s). Countries come from sign-ins only, "
        "until this is a readable MaxMind database with country codes.",
        error,
    )
