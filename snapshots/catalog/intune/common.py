"""What the types of Intune have in common: permissions, scope tags, assignments, and how these are written.

Facts: Microsoft Graph's metadata and reference pages of Intune. Most of it is beta: only there are scope tags.
"""

from collections.abc import Mapping
from dataclasses import replace

from snapshots.catalog.spec import (
    EVERYTHING,
    Action,
    AuditHints,
    Comparison,
    Document,
    Identity,
    Part,
    Permissions,
    Read,
    Reference,
    ReplacedElements,
    ResourceType,
    Restore,
    Secret,
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
        quirks=(ReplacedElements(),),
    )


BY_NAME = Identity(natural_key=("displayName",))
IN_FULL = Restore(writable=EVERYTHING)
AS_GRAPH_RETURNS = Comparison()


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
    each: bool = False,
    secrets: tuple[Secret, ...] = (),
    identity: Identity = BY_NAME,
    comparison: Comparison = AS_GRAPH_RETURNS,
    parts: tuple[Part, ...] = (),
    references: tuple[Reference, ...] = TAGS,
    not_references: Mapping[str, str] | None = None,
    restore: Restore = IN_FULL,
    rank: int = 85,
    notes: tuple[str, ...] = (),
) -> ResourceType:
    """A type of Intune at a listing of its own, with the usual verbs.

    `assigned` are the members of an assignment that are state; none: the type is not assigned. `assign_key` is what
    `assign` calls the assignments; empty: there is no such action. What the groups leave out is as for most types.
    """
    return ResourceType(
        key=key,
        label=label,
        plural=plural,
        area=AREA,
        read=Read(
            path=path,
            service="intune",
            params=expand,
            each=each,
            item_path=f"{path}/{{id}}",
            item_params=expand,
            quirks=secrets,
        ),
        permissions=allowed,
        identity=identity,
        comparison=_compared(comparison, assigned),
        parts=parts,
        references=(*references, *(ASSIGNMENT_REFERENCES if assigned else ())),
        not_references={**(ASSIGNMENT_IDS if assigned else {}), **(not_references or {})},
        restore=_restored(
            restore, path, rank, (assign(path, assign_key),) if assigned and assign_key else ()
        ),
        audit=AUDIT,
        licence=LICENCE,
        notes=notes,
    )


def _compared(own: Comparison, assigned: tuple[str, ...]) -> Comparison:
    return replace(
        own,
        version=3,
        nested_fields={**({"assignments[]": assigned} if assigned else {}), **own.nested_fields},
        ordered=own.ordered or (),
        element_keys=ELEMENT_KEYS,
        normalise={**(ASSIGNMENT_SPELLING if assigned else {}), **own.normalise},
    )


def _restored(own: Restore, path: str, rank: int, acting: tuple[Action, ...]) -> Restore:
    create, update, item = own.create, own.update, f"{path}/{{id}}"
    return replace(
        own,
        writable=own.writable or EVERYTHING,
        create=replace(create, path=create.path or path, new_id_note=create.new_id_note or NEW_ID),
        update=replace(update, path=item, actions=(*update.actions, *acting)),
        delete=replace(own.delete, path=item),
        order=replace(own.order, rank=rank),
    )


def built_in(document: Document) -> str | None:
    return "it is built in." if document.get("isBuiltIn") is True else None
