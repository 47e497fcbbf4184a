"""How an answer of Azure differs from the last though nothing changed: order, nulls, letter case, notations."""

import ipaddress
import random
from typing import Any

from lavawall.emulator.spelling import moment, network
from lavawall.emulator.store import Json, Session

NULL_DROP_RATE = 0.3
ADDRESSES = frozenset(
    {
        "sourceAddressPrefix",
        "sourceAddressPrefixes",
        "destinationAddressPrefix",
        "destinationAddressPrefixes",
        "value",
    }
)
MOMENTS = frozenset(
    {
        "createdOn",
        "updatedOn",
        "createdAt",
        "lastModifiedAt",
        "eventTimestamp",
        "submissionTimestamp",
        "deletionDate",
        "scheduledPurgeDate",
    }
)
LOOSE_LISTS = frozenset(
    {
        "sourceAddressPrefixes",
        "destinationAddressPrefixes",
        "sourcePortRanges",
        "destinationPortRanges",
        "sourceApplicationSecurityGroups",
        "destinationApplicationSecurityGroups",
    }
)
"""Set-valued members that are left out as well as shown empty."""
VERBATIM = frozenset({"tags", "claims", "responseBody", "name"})


def respelling(session: Session, body: Json) -> Json:
    """The body in one of its equal spellings; as it is where the cloud does not shuffle."""
    if not session.options.shuffle:
        return body
    found: Json = _spelled(body, "", session.randomness.fork())
    return found


def _spelled(value: Any, name: str, source: random.Random) -> Any:
    if name in VERBATIM:
        return value
    if isinstance(value, dict):
        stored = [(key, item) for key, item in value.items() if not _drops(key, item, source)]
        return {key: _spelled(item, key, source) for key, item in source.sample(stored, len(stored))}
    if isinstance(value, list):
        return [_spelled(item, name, source) for item in source.sample(value, len(value))]
    if isinstance(value, str):
        return _text(value, name, source)
    return value


def _drops(name: str, value: Any, source: random.Random) -> bool:
    is_unset = value is None or (value == [] and name in LOOSE_LISTS)
    return is_unset and source.random() < NULL_DROP_RATE


def _text(value: str, name: str, source: random.Random) -> str:
    if value.lower().startswith(("/subscriptions/", "/providers/")):
        return resource_id(value, source)
    if name in MOMENTS:
        return moment(value, source)
    if name in ADDRESSES:
        return _address(value, source)
    return value


def resource_id(identifier: str, source: random.Random) -> str:
    """An id with its keywords, provider, types and resource group in another letter case, all names as they are."""
    segments = identifier.split("/")
    types_from = next((at for at in range(len(segments), 0, -1) if _is(segments, at - 1, "providers")), 0)
    for at, segment in enumerate(segments):
        is_type = types_from and at > types_from and (at - types_from) % 2 == 1
        if _is(segments, at, "resourcegroups") or _is(segments, at - 1, "providers") or is_type:
            segments[at] = source.choice([segment, segment.lower()])
        elif _is(segments, at - 1, "resourcegroups"):
            segments[at] = source.choice([segment, segment.lower(), segment.upper()])
    return "/".join(segments)


def _is(segments: list[str], at: int, word: str) -> bool:
    return at >= 0 and segments[at].lower() == word


def _address(value: str, source: random.Random) -> str:
    """One host with or without its prefix length; IPv6 compressed or written out."""
    try:
        parsed = ipaddress.ip_network(value)
    except ValueError:
        return value
    host, _, _ = value.partition("/")
    if parsed.prefixlen == parsed.max_prefixlen:
        value = source.choice([host, f"{host}/{parsed.max_prefixlen}"])
    return network(value, source)
