"""Turns directory audit and sign-in records of Microsoft Graph into facts. Called by collect; never raises on odd
shapes: what cannot be understood is left empty, and a record without id or time is no record.

Facts: Microsoft Graph reference (directoryAudit, signIn, targetResource, modifiedProperty).
"""

import ipaddress
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

ActorType = Literal["user", "application", "unknown"]

_GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_NOBODY = "00000000-0000-0000-0000-000000000000"
_SUMMARY = "included updated properties"
_PSEUDO = "targetid."
_MOST_NAMES = 100
_MOST_TARGETS = 50
_MOST_TEXT = 400

_INTERNAL = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::/127",
        "fc00::/7",
        "fe80::/10",
    )
)
"""Addresses inside Microsoft's own network, which the log gives where it does not know the actor's."""


@dataclass(frozen=True)
class Target:
    """One object that an event is about."""

    id: str = ""
    name: str = ""
    type: str = ""
    user_principal_name: str = ""
    properties: tuple[str, ...] = ()
    """Names of the properties that the event says were modified."""
    mentions: tuple[str, ...] = ()
    """Ids of other objects that stand alone as a modified property's value (the client of a grant, a role)."""

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "type": self.type,
            "userPrincipalName": self.user_principal_name,
            "properties": list(self.properties),
            "mentions": list(self.mentions),
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Target":
        return cls(
            id=kept.get("id", ""),
            name=kept.get("name", ""),
            type=kept.get("type", ""),
            user_principal_name=kept.get("userPrincipalName", ""),
            properties=tuple(kept.get("properties", ())),
            mentions=tuple(kept.get("mentions", ())),
        )


@dataclass(frozen=True)
class AuditEventFacts:
    """What is kept in clear of a directory audit event."""

    event_id: str
    activity: str
    category: str
    service: str
    result: str
    occurred_at: datetime
    correlation_id: str
    actor_type: ActorType
    actor_id: str
    actor_name: str
    actor_app_id: str
    ip: str
    targets: tuple[Target, ...] = ()


@dataclass(frozen=True)
class SignInFacts:
    """What is kept of a sign-in."""

    event_id: str
    principal_id: str
    user_principal_name: str
    app_id: str
    ip: str
    country: str
    city: str
    occurred_at: datetime


@dataclass(frozen=True)
class _Actor:
    type: ActorType = "unknown"
    id: str = ""
    name: str = ""
    app_id: str = ""
    ip: str = ""


def audit_event(record: object) -> AuditEventFacts | None:
    """The facts of a directoryAudit record; None where it has no id or no time."""
    event_id = _text(record, "id", 200)
    occurred_at = moment(_value(record, "activityDateTime"))
    if not event_id or occurred_at is None:
        return None
    actor = _actor(_value(record, "initiatedBy"))
    return AuditEventFacts(
        event_id=event_id,
        activity=_text(record, "activityDisplayName", 300),
        category=_text(record, "category", 100),
        service=_text(record, "loggedByService", 100),
        result=_text(record, "result", 20).lower(),
        occurred_at=occurred_at,
        correlation_id=_text(record, "correlationId", 100),
        actor_type=actor.type,
        actor_id=actor.id,
        actor_name=actor.name,
        actor_app_id=actor.app_id,
        ip=actor.ip,
        targets=tuple(_target(each) for each in _list(record, "targetResources")[:_MOST_TARGETS]),
    )


def sign_in(record: object) -> SignInFacts | None:
    """The facts of a signIn record; None where it has no id, no time or nobody who signed in."""
    event_id = _text(record, "id", 200)
    occurred_at = moment(_value(record, "createdDateTime"))
    principal_id = _id(record, "userId") or _id(record, "servicePrincipalId")
    if not event_id or occurred_at is None or not principal_id:
        return None
    location = _value(record, "location")
    country = _text(location, "countryOrRegion", 3).upper()
    return SignInFacts(
        event_id=event_id,
        principal_id=principal_id,
        user_principal_name=_text(record, "userPrincipalName", 400),
        app_id=_id(record, "appId"),
        ip=address(_value(record, "ipAddress")),
        country=country if re.fullmatch(r"[A-Z]{2}", country) else "",
        city=_text(location, "city", 200),
        occurred_at=occurred_at,
    )


def moment(value: object) -> datetime | None:
    """A time of Graph, in UTC; Graph writes seven digits of a second's fraction."""
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value.strip())
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def address(value: object) -> str:
    """An IP address in normal form, without port; empty where there is none or it is an internal one."""
    if not isinstance(value, str):
        return ""
    text = value.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        parsed = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return "" if any(parsed in network for network in _INTERNAL) else str(parsed)


def _actor(initiated_by: object) -> _Actor:
    user, app = _value(initiated_by, "user"), _value(initiated_by, "app")
    app_id = _id(app, "appId")
    user_id = _id(user, "id")
    user_name = _text(user, "userPrincipalName", 400) or _text(user, "displayName", 400)
    if user_id or user_name:
        return _Actor("user", user_id, user_name, app_id, address(_value(user, "ipAddress")))
    principal_id = _id(app, "servicePrincipalId")
    app_name = _text(app, "displayName", 400) or _text(app, "servicePrincipalName", 400) or app_id
    if principal_id or app_name:
        return _Actor("application", principal_id, app_name, app_id, address(_value(app, "ipAddress")))
    return _Actor()


def _target(record: object) -> Target:
    modified = _list(record, "modifiedProperties")
    names: dict[str, None] = {}
    mentions: dict[str, None] = {}
    for entry in modified:
        old, new = (_decoded(_value(entry, side)) for side in ("oldValue", "newValue"))
        names.update(dict.fromkeys(_modified_names(_text(entry, "displayName", 200), old, new)))
        mentions.update(dict.fromkeys([*_lone_ids(old), *_lone_ids(new)]))
    return Target(
        id=_id(record, "id", 200),
        name=_text(record, "displayName", 400),
        type=_text(record, "type", 100),
        user_principal_name=_text(record, "userPrincipalName", 400),
        properties=tuple(names)[:_MOST_NAMES],
        mentions=tuple(mentions)[:_MOST_NAMES],
    )


def _modified_names(name: str, old: object, new: object) -> Iterator[str]:
    """The property's own name; for a whole object as one value, the names that differ inside it as well, and
    `name[id]` for an element that differs of a list inside it."""
    if name.lower().startswith(_PSEUDO):
        return
    if name.lower() == _SUMMARY:
        listed = new if isinstance(new, str) else ""
        yield from (word[:200] for word in re.split(r"[,\s]+", listed) if word)
        return
    if name:
        yield name
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            if old.get(key) != new.get(key):
                yield _clean(key, 200)
                yield from (f"{_clean(key, 100)}[{each}]" for each in _differing(old.get(key), new.get(key)))


def _differing(old: object, new: object) -> list[str]:
    """Ids of the elements that two lists of objects do not have alike."""
    before, after = _by_id(old), _by_id(new)
    return sorted(each for each in before.keys() | after.keys() if before.get(each) != after.get(each))


def _by_id(elements: object) -> dict[str, object]:
    if not isinstance(elements, list):
        return {}
    return {name: element for element in elements if (name := _text(element, "id", 100))}


def _lone_ids(value: object) -> Iterator[str]:
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, str) and _GUID.fullmatch(each.strip()):
            yield each.strip().lower()


def _decoded(value: object) -> object:
    """Values are JSON in a string, sometimes twice, sometimes plain text."""
    for _ in range(2):
        if not isinstance(value, str):
            break
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            break
    return value


def _value(record: object, name: str) -> object:
    """A member by name; Graph capitalises some names in some records."""
    if not isinstance(record, Mapping):
        return None
    if name in record:
        found: object = record[name]
        return found
    return next(
        (each for key, each in record.items() if isinstance(key, str) and key.lower() == name.lower()), None
    )


def _list(record: object, name: str) -> list[object]:
    found = _value(record, name)
    return found if isinstance(found, list) else []


def _text(record: object, name: str, most: int = _MOST_TEXT) -> str:
    found = _value(record, name)
    return _clean(found, most) if isinstance(found, str) else ""


def _clean(text: str, most: int) -> str:
    """What every database takes: no NUL, no half of a surrogate pair, no more than the column holds."""
    return text.replace("\0", "").encode("utf-8", "replace").decode().strip()[:most]


def _id(record: object, name: str, most: int = 64) -> str:
    found = _text(record, name, most)
    return "" if found == _NOBODY else found
