"""Converts directory audit and sign-in records of Microsoft Graph into facts. Called by `collect`. Never
raises on unexpected formats: unreadable values are left empty, and records without ID or time are skipped.
Sources: Microsoft Graph reference (directoryAudit, signIn, targetResource, modifiedProperty).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from changes.audit.fields import (
    address,
    clean,
    decoded,
    identifier,
    listed,
    lone_ids,
    member,
    moment,
    text_of,
)

ActorType = Literal["user", "application", "unknown"]

_SUMMARY = "included updated properties"
_PSEUDO = "targetid."
_MOST_NAMES = 100
MOST_TARGETS = 50


@dataclass(frozen=True)
class Target:
    """One object that an event is about."""

    id: str = ""
    name: str = ""
    type: str = ""
    user_principal_name: str = ""
    properties: tuple[str, ...] = ()
    """Names of the properties modified according to the event."""
    mentions: tuple[str, ...] = ()
    """IDs of other objects that are the value of a modified property (the client of a grant, a role)."""

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
    def from_json(cls, stored: Mapping[str, Any]) -> "Target":
        return cls(
            id=stored.get("id", ""),
            name=stored.get("name", ""),
            type=stored.get("type", ""),
            user_principal_name=stored.get("userPrincipalName", ""),
            properties=tuple(stored.get("properties", ())),
            mentions=tuple(stored.get("mentions", ())),
        )


@dataclass(frozen=True)
class AuditEventFacts:
    """The facts of an audit event that are stored unencrypted."""

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
    """The stored facts of a sign-in."""

    event_id: str
    principal_id: str
    user_principal_name: str
    app_id: str
    ip: str
    country: str
    city: str
    occurred_at: datetime


@dataclass(frozen=True)
class ActorFacts:
    """The actor of a record."""

    type: ActorType = "unknown"
    id: str = ""
    name: str = ""
    app_id: str = ""
    ip: str = ""


def audit_event(record: object) -> AuditEventFacts | None:
    """The facts of a directoryAudit record; None without ID or time."""
    event_id = text_of(record, "id", 200)
    occurred_at = moment(member(record, "activityDateTime"))
    if not event_id or occurred_at is None:
        return None
    actor = _actor(member(record, "initiatedBy"))
    return AuditEventFacts(
        event_id=event_id,
        activity=text_of(record, "activityDisplayName", 300),
        category=text_of(record, "category", 100),
        service=text_of(record, "loggedByService", 100),
        result=text_of(record, "result", 20).lower(),
        occurred_at=occurred_at,
        correlation_id=text_of(record, "correlationId", 100),
        actor_type=actor.type,
        actor_id=actor.id,
        actor_name=actor.name,
        actor_app_id=actor.app_id,
        ip=actor.ip,
        targets=tuple(target_of(each) for each in listed(record, "targetResources")[:MOST_TARGETS]),
    )


def sign_in(record: object) -> SignInFacts | None:
    """The facts of a signIn record; None without ID, time or principal."""
    event_id = text_of(record, "id", 200)
    occurred_at = moment(member(record, "createdDateTime"))
    principal_id = identifier(record, "userId") or identifier(record, "servicePrincipalId")
    if not event_id or occurred_at is None or not principal_id:
        return None
    location = member(record, "location")
    country = text_of(location, "countryOrRegion", 3).upper()
    return SignInFacts(
        event_id=event_id,
        principal_id=principal_id,
        user_principal_name=text_of(record, "userPrincipalName", 400),
        app_id=identifier(record, "appId"),
        ip=address(member(record, "ipAddress")),
        country=country if re.fullmatch(r"[A-Z]{2}", country) else "",
        city=text_of(location, "city", 200),
        occurred_at=occurred_at,
    )


def _actor(initiated_by: object) -> ActorFacts:
    user, app = member(initiated_by, "user"), member(initiated_by, "app")
    app_id = identifier(app, "appId")
    user_id = identifier(user, "id")
    user_name = text_of(user, "userPrincipalName", 400) or text_of(user, "displayName", 400)
    if user_id or user_name:
        return ActorFacts("user", user_id, user_name, app_id, address(member(user, "ipAddress")))
    principal_id = identifier(app, "servicePrincipalId")
    app_name = text_of(app, "displayName", 400) or text_of(app, "servicePrincipalName", 400) or app_id
    if principal_id or app_name:
        return ActorFacts("application", principal_id, app_name, app_id, address(member(app, "ipAddress")))
    return ActorFacts()


def target_of(record: object, identifier_name: str = "id") -> Target:
    """A target with its modified properties."""
    modified = listed(record, "modifiedProperties")
    names: dict[str, None] = {}
    mentions: dict[str, None] = {}
    for entry in modified:
        old, new = (decoded(member(entry, side)) for side in ("oldValue", "newValue"))
        names.update(dict.fromkeys(_modified_names(text_of(entry, "displayName", 200), old, new)))
        mentions.update(dict.fromkeys([*lone_ids(old), *lone_ids(new)]))
    return Target(
        id=identifier(record, identifier_name, 400),
        name=text_of(record, "displayName", 400),
        type=text_of(record, "type", 100),
        user_principal_name=text_of(record, "userPrincipalName", 400),
        properties=tuple(names)[:_MOST_NAMES],
        mentions=tuple(mentions)[:_MOST_NAMES],
    )


def _modified_names(name: str, old: object, new: object) -> Iterator[str]:
    """The property name. If the value is a whole object, also the names that differ inside it, and `name[id]`
    for changed elements of a list inside it.
    """
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
                yield clean(key, 200)
                yield from (f"{clean(key, 100)}[{each}]" for each in _differing(old.get(key), new.get(key)))


def _differing(old: object, new: object) -> list[str]:
    """IDs of the elements that differ between two lists of objects."""
    before, after = _by_id(old), _by_id(new)
    return sorted(each for each in before.keys() | after.keys() if before.get(each) != after.get(each))


def _by_id(elements: object) -> dict[str, object]:
    if not isinstance(elements, list):
        return {}
    return {name: element for element in elements if (name := text_of(element, "id", 100))}
