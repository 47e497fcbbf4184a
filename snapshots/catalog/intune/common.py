"""What the types of Intune have in common: permissions, scope tags, assignments, and how these are written.

Facts: Microsoft Graph's metadata and reference pages of Intune. Most of it is beta: only there are scope tags.
"""

from collections.abc import Mapping
from typing import Any

from snapshots.catalog.spec import (
    EVERYTHING,
    Action,
    AuditHints,
    Document,
    Part,
    Permissions,
    Read,
    Reference,
    ResourceType,
    Restore,
)

AREA = "Intune"
DEVICES, APPS = "/beta/deviceManagement", "/beta/deviceAppManagement"
LICENCE = "Microsoft Intune"
FILTER = "deviceAndAppManagementAssignmentFilter"
NEW_ID = (
    "Intune does not keep deleted objects. Devices get the new one at their next check-in, and reports "
    "under the old ID are lost."
)


def permissions(area: str) -> Permissions:
    """One of Intune's pairs: `Configuration`, `ServiceConfig`, `Apps`, `RBAC` or `Scripts`."""
    read, write = f"DeviceManagement{area}.Read.All", f"DeviceManagement{area}.ReadWrite.All"
    return Permissions(read=(read,), write=(write,), read_also=(write,))


CONFIGURATION = permissions("Configuration")
SERVICE_CONFIG = permissions("ServiceConfig")
AUDIT = AuditHints(services=("Intune",))
"""Intune's events name the object by its id; their activities are named nowhere, so that any of them fits."""

ASSIGNMENT_REFERENCES = (
    Reference("assignments[].target.groupId", to="group"),
    Reference(f"assignments[].target.{FILTER}Id", to=FILTER),
)
ASSIGNMENT_IDS: Mapping[str, str] = {
    "assignments[].id": "its own id, which follows from the two that it joins",
    "assignments[].target.collectionId": "a collection of Configuration Manager, outside the directory",
}
ASSIGNMENT_SPELLING: Mapping[str, str] = {
    f"assignments[].target.{FILTER}Id": "id",
    f"assignments[].target.{FILTER}Type": "unless_none",
}
ELEMENT_KEYS: Mapping[str, str | tuple[str, ...]] = {
    "assignments": ("target.@odata.type", "target.groupId"),
    "children": "settingDefinitionId",
    "omaSettings": "omaUri",
    "settings": "settingInstance.settingDefinitionId",
}
"""By what a device's configuration names its parts: one target, one setting."""
TAGS = (Reference("roleScopeTagIds[]", to="roleScopeTag", words=frozenset({"0"})),)
EXPANDED = {"$expand": "assignments"}


def assign(path: str, key: str = "assignments") -> Action:
    """Replaces all assignments; `key` is what the action calls them."""
    return Action("assignments", f"{path}/{{id}}/assign", lambda wanted, _live: {key: wanted or []})


def listed_assignments(path: str) -> Part:
    """For types whose listing does not expand them."""
    return Part("assignments", f"{path}/{{id}}/assignments", key=None)


def single_assignments(path: str) -> Part:
    """For types that have no `assign`: each is added and taken away by itself."""
    return Part(
        "assignments",
        f"{path}/{{id}}/assignments",
        create_path=f"{path}/{{id}}/assignments",
        element_path=f"{path}/{{id}}/assignments/{{element}}",
        replaced=True,
    )


def intune(
    key: str,
    label: str,
    plural: str,
    path: str,
    *,
    allowed: Permissions = CONFIGURATION,
    assigned: tuple[str, ...] = ("target",),
    assign_key: str = "assignments",
    expand: Mapping[str, str] = EXPANDED,
    read: Mapping[str, Any] | None = None,
    actions: tuple[Action, ...] = (),
    references: tuple[Reference, ...] = TAGS,
    not_references: Mapping[str, str] | None = None,
    normalise: Mapping[str, str] | None = None,
    nested_fields: Mapping[str, tuple[str, ...]] | None = None,
    natural_key: tuple[str, ...] = ("displayName",),
    order: int = 85,
    restore: Mapping[str, Any] | None = None,
    **more: Any,
) -> ResourceType:
    """A type of Intune at a listing of its own, with the usual verbs.

    `assigned` are the members of an assignment that are state; none: the type is not assigned. `assign_key` is what
    `assign` calls the assignments; empty: there is no such action. `read`, `restore` and `more` are further members
    of Read, Restore and ResourceType.
    """
    acting = (assign(path, assign_key),) if assigned and assign_key else ()
    return ResourceType(
        key=key,
        label=label,
        plural=plural,
        area=AREA,
        read=Read(
            path=path,
            service="intune",
            params=expand,
            item_path=f"{path}/{{id}}",
            item_params=expand,
            **(read or {}),
        ),
        permissions=allowed,
        natural_key=natural_key,
        ordered=more.pop("ordered", ()),
        element_keys=ELEMENT_KEYS,
        version=3,
        nested_fields={**({"assignments[]": assigned} if assigned else {}), **(nested_fields or {})},
        normalise={**(ASSIGNMENT_SPELLING if assigned else {}), **(normalise or {})},
        references=(*references, *(ASSIGNMENT_REFERENCES if assigned else ())),
        not_references={**(ASSIGNMENT_IDS if assigned else {}), **(not_references or {})},
        restore=Restore(
            **{
                "writable": EVERYTHING,
                "create_path": path,
                "update_path": f"{path}/{{id}}",
                "delete_path": f"{path}/{{id}}",
                "actions": (*actions, *acting),
                "new_id_note": NEW_ID,
                "order": order,
                **(restore or {}),
            }
        ),
        audit=AUDIT,
        licence=LICENCE,
        **more,
    )


def built_in(document: Document) -> str | None:
    return "it is built in." if document.get("isBuiltIn") is True else None
