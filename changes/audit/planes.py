"""Converts audit records of Intune and Azure into facts of an audit event. Called by `collect`. Sources:
Microsoft Graph reference (Intune's auditEvent), Azure Monitor reference (event data of the activity log).
Intune rarely records an address. Azure records no old values, and for long operations both start and end.
"""

import re
from collections.abc import Iterator

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
from changes.audit.parse import MOST_TARGETS, ActorFacts, AuditEventFacts, Target, target_of

_CLAIM = "http://schemas.microsoft.com/identity/claims/objectidentifier"
_UPN = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"
_AZURE_RESULTS = {"succeeded": "success", "failed": "failure"}
_LONGEST_ID = 1000
_PARENT = re.compile(
    r"(?P<parent>.+/providers/[^/]+(?:/(?!providers/)[^/]+/[^/]+)+)/(?!providers/)[^/]+/[^/]+", re.IGNORECASE
)
"""`…/providers/Microsoft.Network/networkSecurityGroups/x/securityRules/y` → the group."""


def is_intune_write(record: object) -> bool:
    return text_of(record, "activityOperationType").lower() != "get"


def intune_event(record: object) -> AuditEventFacts | None:
    """The facts of an Intune auditEvent; None without ID or time."""
    event_id = text_of(record, "id", 200)
    occurred_at = moment(member(record, "activityDateTime"))
    if not event_id or occurred_at is None:
        return None
    actor = _intune_actor(member(record, "actor"))
    return AuditEventFacts(
        event_id=event_id,
        activity=text_of(record, "activityType", 300) or text_of(record, "displayName", 300),
        category=text_of(record, "category", 100),
        service=text_of(record, "componentName", 100),
        result=text_of(record, "activityResult", 20).lower(),
        occurred_at=occurred_at,
        correlation_id=text_of(record, "correlationId", 100),
        actor_type=actor.type,
        actor_id=actor.id,
        actor_name=actor.name,
        actor_app_id=actor.app_id,
        ip=actor.ip,
        targets=tuple(target_of(each, "resourceId") for each in listed(record, "resources")[:MOST_TARGETS]),
    )


def _intune_actor(actor: object) -> ActorFacts:
    app_id, ip = identifier(actor, "applicationId"), address(member(actor, "ipAddress"))
    user_id, user_name = identifier(actor, "userId"), text_of(actor, "userPrincipalName", 400)
    if user_id or user_name:
        return ActorFacts("user", user_id, user_name, app_id, ip)
    principal = text_of(actor, "servicePrincipalName")
    name = text_of(actor, "applicationDisplayName", 400) or principal or app_id
    if name:
        return ActorFacts("application", next(lone_ids(principal), ""), name, app_id, ip)
    return ActorFacts(ip=ip)


def is_azure_outcome(record: object) -> bool:
    """Final events of operations only: start events, health notices and alerts are skipped."""
    category = _name(record, "category").lower()
    return category in {"", "administrative"} and _name(record, "status").lower() in {"", *_AZURE_RESULTS}


def azure_event(record: object) -> AuditEventFacts | None:
    """The facts of an activity log event; None without ID or time."""
    event_id = text_of(record, "eventDataId", 200) or text_of(record, "id", 200)
    occurred_at = moment(member(record, "eventTimestamp"))
    if not event_id or occurred_at is None:
        return None
    actor = _azure_actor(record)
    status = _name(record, "status").lower()
    return AuditEventFacts(
        event_id=event_id,
        activity=clean(_name(record, "operationName"), 300),
        category=clean(_name(record, "category"), 100),
        service=clean(_name(record, "resourceProviderName"), 100),
        result=clean(_AZURE_RESULTS.get(status, status), 20),
        occurred_at=occurred_at,
        correlation_id=text_of(record, "correlationId", 100),
        actor_type=actor.type,
        actor_id=actor.id,
        actor_name=actor.name,
        actor_app_id=actor.app_id,
        ip=actor.ip,
        targets=tuple(_azure_targets(record)),
    )


def _azure_actor(record: object) -> ActorFacts:
    """The caller is a UPN or the object ID of an application."""
    claims = member(record, "claims")
    caller = text_of(record, "caller", 400)
    principal_id, app_id = identifier(claims, _CLAIM), identifier(claims, "appid")
    http = member(record, "httpRequest")
    ip = address(member(http, "clientIpAddress")) or address(member(claims, "ipaddr"))
    user_name = text_of(claims, _UPN, 400) or (caller if "@" in caller else "")
    if user_name:
        return ActorFacts("user", principal_id, user_name, app_id, ip)
    name = text_of(claims, "name", 400) or app_id or caller
    if name:
        return ActorFacts("application", principal_id or next(lone_ids(caller), ""), name, app_id, ip)
    return ActorFacts(ip=ip)


def _azure_targets(record: object) -> Iterator[Target]:
    """The resource and its parents. For assignments, the request body names principal and role."""
    resource_id = identifier(record, "resourceId", _LONGEST_ID)
    if not resource_id:
        return
    written = _written(record)
    yield Target(
        id=resource_id,
        name=text_of(written, "name") or resource_id.rpartition("/")[2][:400],
        type=_name(record, "resourceType")[:100],
        mentions=tuple(dict.fromkeys(_principals(member(written, "properties")))),
    )
    if parent := _PARENT.fullmatch(resource_id):
        yield Target(id=parent["parent"])


def _written(record: object) -> object:
    properties = member(record, "properties")
    return decoded(member(properties, "requestbody")) or decoded(member(properties, "responseBody"))


def _principals(properties: object) -> Iterator[str]:
    for name in ("principalId", "roleDefinitionId"):
        yield from lone_ids(text_of(properties, name, _LONGEST_ID).rpartition("/")[2])


def _name(record: object, name: str) -> str:
    """Localised strings come as `{value, localizedValue}`, and in some records as plain text."""
    found = member(record, name)
    return text_of(found, "value") if not isinstance(found, str) else clean(found, 400)
