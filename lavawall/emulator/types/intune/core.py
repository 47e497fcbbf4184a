"""What all types of Intune share: permissions by area, versions that grow, scope tags, audit events."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from lavawall.emulator import entities, schema
from lavawall.emulator.errors import bad_request
from lavawall.emulator.licences import INTUNE
from lavawall.emulator.model import EntityType, Permissions, Write
from lavawall.emulator.requests import Call
from lavawall.emulator.store import Json, Record, Session, precise_timestamp, timestamp
from lavawall.emulator.validation import WriteRules

DEFAULT_SCOPE_TAG = "0"
ADDRESS_EVERY = 8
"""Intune's audit knows the address of a caller in few events only."""

COMPUTED = frozenset(
    {
        "createdDateTime",
        "creationSource",
        "dependentAppCount",
        "deployedAppCount",
        "deviceEnrollmentConfigurationType",
        "deviceHealthScriptType",
        "highestAvailableVersion",
        "isAssigned",
        "isBuiltIn",
        "isBuiltInRoleDefinition",
        "lastModifiedDateTime",
        "modifiedDateTime",
        "priority",
        "settingCount",
        "supersededAppCount",
        "supersedingAppCount",
        "supportsScopeTags",
        "uploadState",
        "version",
    }
)
DATES = ("createdDateTime",)
MODIFIED = ("lastModifiedDateTime",)
UNSET: dict[str, Any] = {"Edm.Boolean": False, "Edm.Int32": 0}
NEVER_SHOWN = ("preSharedKey", "sharedSecret")
"""Written, never read: no answer and no audit event shows them."""


@dataclass(frozen=True)
class Area:
    """One of Intune's pairs of permissions."""

    read: Permissions
    write: Permissions

    def __or__(self, other: "Area") -> "Area":
        return Area(self.read + other.read, self.write + other.write)


def _area(name: str) -> Area:
    return Area((f"{name}.Read.All", f"{name}.ReadWrite.All"), (f"{name}.ReadWrite.All",))


CONFIGURATION = _area("DeviceManagementConfiguration")
SERVICE_CONFIG = _area("DeviceManagementServiceConfig")
APPS = _area("DeviceManagementApps")
RBAC = _area("DeviceManagementRBAC")
SCRIPTS = _area("DeviceManagementScripts")


def keep_type(write: Write) -> None:
    if write.before is not None and write.before.get("@odata.type") != write.after.get("@odata.type"):
        raise bad_request("The type of an object of Intune cannot be changed.", "BadRequest")


def grow_version(write: Write) -> None:
    declared = schema.type_named(write.type.schema_name).properties.get("version")
    if declared is not None and declared.type in {"Edm.Int32", "Edm.String"}:
        grown = int((write.before or {}).get("version") or 0) + 1
        write.after["version"] = grown if declared.type == "Edm.Int32" else str(grown)


def check_scope_tags(write: Write) -> None:
    known = schema.type_named(write.type.schema_name).properties
    for name in ("roleScopeTagIds", "roleScopeTags"):
        if name not in known:
            continue
        tags = write.after.get(name) or []
        unknown = [tag for tag in tags if write.session.directory.get("roleScopeTag", str(tag)) is None]
        if unknown and name in write.body:
            raise bad_request(f"The scope tags {unknown} do not exist.", "BadRequest")
        write.after[name] = tags or [DEFAULT_SCOPE_TAG]


def fill_defaults(write: Write) -> None:
    """The service sets what cannot be null and was not sent: false, zero, the first word of an enumeration."""
    for name, declared in schema.type_of(write.after, write.type.schema_name).properties.items():
        if declared.nullable or declared.is_collection or declared.beta or name in write.after:
            continue
        if declared.type in UNSET:
            write.after[name] = UNSET[declared.type]
        elif schema.exists(declared.type) and schema.type_named(declared.type).is_enum:
            write.after[name] = schema.type_named(declared.type).members[0]


def intune_type(
    name: str,
    path: str,
    area: Area,
    *,
    rules: WriteRules | None = None,
    checks: tuple[Callable[[Write], None], ...] = (),
    **more: Any,
) -> EntityType:
    """A type of Intune: `more` are further members of EntityType."""
    properties = schema.type_named(more.get("schema") or name).properties
    own = rules or WriteRules()
    given: dict[str, Any] = {
        "dates": tuple(each for each in DATES if each in properties),
        "modified": tuple(each for each in MODIFIED if each in properties),
        "shows_update": True,
        "audit_writer": write_event,
        **more,
        "defaults": {
            **({"isAssigned": False} if "isAssigned" in properties else {}),
            **more.get("defaults", {}),
        },
    }
    return EntityType(
        name=name,
        path=path,
        read=area.read,
        write=area.write,
        service="intune",
        licence=INTUNE,
        rules=replace(own, computed=(own.computed | COMPUTED) - own.writable),
        checks=(keep_type, grow_version, check_scope_tags, *checks, fill_defaults),
        **given,
    )


def located(call: Call, kind: EntityType, key: str = "id") -> Record:
    """The object of that type which the path names."""
    return entities.find(call.session, kind, call.parameter(key))


def touch(session: Session, kind: EntityType, record: Record) -> None:
    """Marks an object as written where an action changed it."""
    write = Write(session, kind, {}, record.body, dict(record.body), record.parent_id)
    grow_version(write)
    for name in kind.modified:
        record.body[name] = timestamp(session.now)


def payload(call: Call, *names: str) -> Json:
    """The body of an action, which holds nothing but these parameters."""
    body = call.json()
    if not isinstance(body, dict):
        raise bad_request("Unable to read JSON request payload. An object is expected.", "BadRequest")
    unknown = [name for name in body if name not in names and "@odata." not in name]
    if unknown:
        raise bad_request(f"The parameter '{unknown[0]}' is not a parameter of this action.", "BadRequest")
    return body


def entries(body: Json, name: str) -> list[Json]:
    """A parameter that is a list of objects."""
    found = body.get(name)
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise bad_request(f"The parameter '{name}' must be a list of objects.", "BadRequest")
    return found


def write_event(session: Session, verb: str, record: Record, before: Json | None) -> None:
    """The audit event of a usual write."""
    operation = {"Add": "Create", "Update": "Patch", "Delete": "Delete"}[verb]
    add_event(session, operation, record, _changes(before, None if verb == "Delete" else record.body))


def _changes(before: Json | None, after: Json | None) -> list[Json]:
    old, new = before or {}, after or {}
    return [
        {"displayName": name, "oldValue": _text(old.get(name)), "newValue": _text(new.get(name))}
        for name in {**old, **new}
        if old.get(name) != new.get(name) and "@odata." not in name and name not in NEVER_SHOWN
    ]


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)


def add_event(session: Session, operation: str, record: Record, changes: list[Json] | None = None) -> None:
    """Appends one event to Intune's own audit, seen after the configured delay. Seeding leaves no trace."""
    if session.is_seeding:
        return
    component = record.type_name[0].upper() + record.type_name[1:]
    log = session.directory.intune_events
    body = {
        "id": session.randomness.guid(),
        "displayName": f"{operation} {component}",
        "componentName": component,
        "category": component,
        "activity": f"{operation} {component}",
        "activityType": f"{operation} {component}",
        "activityOperationType": operation,
        "activityResult": "Success",
        "activityDateTime": precise_timestamp(session.now),
        "correlationId": session.correlation_id,
        "actor": _actor(session, knows_address=len(log) % ADDRESS_EVERY == ADDRESS_EVERY - 1),
        "resources": [
            {
                "displayName": record.name or record.body.get("name"),
                "auditResourceType": component,
                "type": component,
                "resourceId": record.id,
                "modifiedProperties": changes or [],
            }
        ],
    }
    visible_from = session.now + timedelta(seconds=session.options.audit_delay)
    log.append(Record("auditEvent", body, visible_from))


def _actor(session: Session, *, knows_address: bool) -> Json:
    caller = session.caller
    is_user = caller.kind == "user"
    return {
        "auditActorType": "ItPro" if is_user else "Application",
        "type": "ItPro" if is_user else "Application",
        "applicationId": caller.app_id,
        "applicationDisplayName": None if is_user else caller.display_name,
        "servicePrincipalName": None if is_user else caller.object_id,
        "userId": caller.object_id if is_user else None,
        "userPrincipalName": caller.user_principal_name,
        "userPermissions": ["*"],
        "ipAddress": caller.ip_address if knows_address else None,
    }
