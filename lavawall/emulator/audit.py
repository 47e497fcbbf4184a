"""Writes directory audit records and sign-ins the way Microsoft's services word them."""

import json
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from lavawall.emulator.geography import location_of
from lavawall.emulator.model import Audit
from lavawall.emulator.store import Caller, Json, Record, Session, precise_timestamp

HIDDEN = frozenset({"id", "customSecurityAttributes"})
ATTRIBUTES = "customSecurityAttributes"
CORE_DIRECTORY = "Core Directory"
CONDITIONAL_ACCESS = "Conditional Access"
AUTHENTICATION_METHODS = "Authentication Methods"
PIM = "PIM"
TARGET_TYPES = {
    "user": "User",
    "group": "Group",
    "application": "Application",
    "servicePrincipal": "ServicePrincipal",
    "administrativeUnit": "AdministrativeUnit",
    "device": "Device",
    "directoryRole": "Role",
    "unifiedRoleDefinition": "Role",
}


def property_change(name: str, old: Any, new: Any) -> Json:
    """One modifiedProperties entry; values are JSON in a string, as Microsoft writes them."""
    return {
        "displayName": name,
        "oldValue": None if old is None else json.dumps(old),
        "newValue": None if new is None else json.dumps(new),
    }


def target(record: Record, changes: Sequence[Json] = (), *, target_type: str = "") -> Json:
    return {
        "id": record.id,
        "displayName": record.name or None,
        "type": target_type or TARGET_TYPES.get(record.type_name, "Other"),
        "userPrincipalName": record.body.get("userPrincipalName"),
        "groupType": _group_type(record),
        "modifiedProperties": list(changes),
    }


def _group_type(record: Record) -> str | None:
    if record.type_name != "group":
        return None
    return "unifiedGroups" if "Unified" in record.body.get("groupTypes", []) else "azureAD"


def changes_between(before: Json | None, after: Json | None, names: Audit) -> list[Json]:
    """What changed, in the style of the service: the whole object as one value, or one entry per property."""
    if names.whole_value:
        return [property_change(names.whole_value, before, after)]
    old, new = before or {}, after or {}
    changed = [name for name in {**old, **new} if old.get(name) != new.get(name) and name not in HIDDEN]
    entries = [
        property_change(
            name[0].upper() + name[1:],
            [] if old.get(name) is None else [old[name]],
            [] if new.get(name) is None else [new[name]],
        )
        for name in changed
        if "@odata" not in name
    ]
    summary = ", ".join(name[0].upper() + name[1:] for name in changed if "@odata" not in name)
    return [*entries, property_change("Included Updated Properties", None, summary)]


def _initiated_by(caller: Caller) -> Json:
    if caller.kind == "user":
        return {
            "user": {
                "id": caller.object_id,
                "displayName": caller.display_name,
                "userPrincipalName": caller.user_principal_name,
                "ipAddress": caller.ip_address or "",
            },
            "app": None,
        }
    return {
        "user": None,
        "app": {
            "appId": caller.app_id,
            "displayName": caller.display_name,
            "servicePrincipalId": caller.object_id,
            "servicePrincipalName": None,
        },
    }


def write(
    session: Session,
    activity: str,
    *,
    service: str,
    category: str,
    operation: str,
    targets: Iterable[Json],
    result: str = "success",
    log: deque[Record] | None = None,
) -> None:
    """Appends one audit record to the directory's log or another one, which readers see after the configured delay.

    Seeding leaves no trace.
    """
    if session.is_seeding or not activity:
        return
    prefix = {CORE_DIRECTORY: "Directory", CONDITIONAL_ACCESS: "IPCGraph", PIM: "PIM"}.get(service, "Policy")
    body = {
        "id": f"{prefix}_{session.correlation_id}_{session.randomness.guid()[:8].upper()}",
        "category": category,
        "correlationId": session.correlation_id,
        "result": result,
        "resultReason": "",
        "activityDisplayName": activity,
        "activityDateTime": precise_timestamp(session.now),
        "loggedByService": service,
        "operationType": operation,
        "initiatedBy": _initiated_by(session.caller),
        "targetResources": list(targets),
        "additionalDetails": [],
    }
    visible_from = session.now + timedelta(seconds=session.options.audit_delay)
    chosen = session.directory.audits if log is None else log
    chosen.append(Record("directoryAudit", body, visible_from))


def _only_attributes_changed(session: Session, record: Record, before: Json) -> bool:
    """Logs changed values of custom security attributes, which have a log of their own."""
    old, new = before.get(ATTRIBUTES), record.body.get(ATTRIBUTES)
    if old == new:
        return False
    noun = "a user" if record.type_name == "user" else "a servicePrincipal"
    write(
        session,
        f"Update attribute values assigned to {noun}",
        service=CORE_DIRECTORY,
        category="AttributeManagement",
        operation="Update",
        targets=[target(record, [property_change("CustomSecurityAttributes", old, new)])],
        log=session.directory.attribute_audits,
    )
    return {**before, ATTRIBUTES: None} == {**record.body, ATTRIBUTES: None}


def write_change(session: Session, names: Audit, verb: str, record: Record, before: Json | None) -> None:
    """The audit record of a create, update or delete, in the words of the type's declaration."""
    if verb == "Update" and _only_attributes_changed(session, record, before or {}):
        return
    activity = {"Add": names.create, "Update": names.update, "Delete": names.delete}[verb]
    after = None if verb == "Delete" else record.body
    write(
        session,
        activity,
        service=names.service,
        category=names.category,
        operation=verb,
        targets=[target(record, changes_between(before, after, names), target_type=names.target_type)],
    )


def write_sign_in(session: Session, user: Record, app_id: str, app_name: str, user_agent: str) -> None:
    """An interactive sign-in of a user, with the place of the address."""
    caller = session.caller
    body = {
        "id": session.randomness.guid(),
        "createdDateTime": precise_timestamp(session.now),
        "userDisplayName": user.name,
        "userPrincipalName": user.body["userPrincipalName"],
        "userId": user.id,
        "appId": app_id,
        "appDisplayName": app_name,
        "ipAddress": caller.ip_address,
        "clientAppUsed": "Browser",
        "correlationId": session.correlation_id,
        "conditionalAccessStatus": "success",
        "isInteractive": True,
        "riskDetail": "none",
        "riskLevelAggregated": "none",
        "riskLevelDuringSignIn": "none",
        "riskState": "none",
        "riskEventTypes": [],
        "riskEventTypes_v2": [],
        "resourceDisplayName": "Microsoft Graph",
        "resourceId": "00000003-0000-0000-c000-000000000000",
        "userAgent": user_agent or None,
        "status": {"errorCode": 0, "failureReason": "Other.", "additionalDetails": None},
        "location": location_of(caller.ip_address or ""),
        "appliedConditionalAccessPolicies": [],
    }
    visible_from = session.now + timedelta(seconds=session.options.audit_delay)
    session.directory.sign_ins.append(Record("signIn", body, visible_from))
