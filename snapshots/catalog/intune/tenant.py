"""Intune itself: settings of the tenant, who may do what in it, and what assignments are limited by.

Facts: Microsoft Graph's beta metadata and reference pages.
"""

from snapshots.catalog.intune.common import (
    AREA,
    AUDIT,
    CONFIGURATION,
    DEVICES,
    FILTER,
    LICENCE,
    TAGS,
    built_in,
    intune,
    listed_assignments,
    permissions,
)
from snapshots.catalog.spec import (
    Comparison,
    Create,
    Document,
    Guards,
    Identity,
    Order,
    Read,
    Reference,
    ResourceType,
    Restore,
    Update,
)

_RBAC = permissions("RBAC")
_ROLES = f"{DEVICES}/roleDefinitions"

TENANT = ResourceType(
    key="deviceManagement",
    label="Intune tenant settings",
    plural="Intune tenant settings",
    area=AREA,
    read=Read(path=DEVICES, params={"$select": "settings,intuneBrand"}, service="intune", singleton=True),
    permissions=CONFIGURATION,
    identity=Identity(name=lambda _raw: "Intune tenant settings"),
    comparison=Comparison(ordered=()),
    references=(Reference("intuneBrand.roleScopeTagIds[]", to="roleScopeTag", words=frozenset({"0"})),),
    restore=Restore(writable=("intuneBrand", "settings"), update=Update(path=DEVICES), order=Order(rank=84)),
    audit=AUDIT,
    licence=LICENCE,
    notes=("What counts as compliant where no policy says it is decided here.",),
)

SCOPE_TAG = intune(
    "roleScopeTag",
    "Scope tag",
    "Scope tags",
    f"{DEVICES}/roleScopeTags",
    expand={},
    references=(),
    parts=(listed_assignments(f"{DEVICES}/roleScopeTags"),),
    rank=80,
    restore=Restore(
        writable=("description", "displayName"),
        create=Create(
            given=("isBuiltIn",),
            new_id_note="Its ID is a number that is never reused; objects with the old tag get the new one.",
        ),
        guards=Guards(protected=built_in),
    ),
)

ASSIGNMENT_FILTER = intune(
    FILTER,
    "Assignment filter",
    "Assignment filters",
    f"{DEVICES}/assignmentFilters",
    assigned=(),
    expand={},
    references=(Reference("roleScopeTags[]", to="roleScopeTag", words=frozenset({"0"})),),
    comparison=Comparison(volatile=("payloads",)),
    rank=81,
    restore=Restore(
        writable=("description", "displayName", "roleScopeTags", "rule"),
        create=Create(
            only=("assignmentFilterManagementType", "platform"),
            new_id_note="Assignments that use it are updated.",
        ),
    ),
    notes=("Intune refuses to delete a filter that an assignment uses.",),
)

ROLE_DEFINITION = intune(
    "deviceAndAppManagementRoleDefinition",
    "Intune role",
    "Intune roles",
    _ROLES,
    allowed=_RBAC,
    assigned=(),
    expand={},
    comparison=Comparison(volatile=("isBuiltInRoleDefinition", "permissions", "rolePermissions[].actions")),
    rank=90,
    restore=Restore(
        writable=("description", "displayName", "rolePermissions", "roleScopeTagIds"),
        typed=True,
        create=Create(given=("isBuiltIn",), new_id_note="Its assignments are recreated."),
        guards=Guards(protected=built_in),
    ),
)


def _bound(body: Document) -> Document:
    """The role is named by its address."""
    remaining = {name: value for name, value in body.items() if name != "roleDefinition"}
    if remaining == body:
        return body
    return {**remaining, "roleDefinition@odata.bind": f"{_ROLES}('{body['roleDefinition']['id']}')"}


_MEMBERS = ("members", "resourceScopes", "scopeMembers")

ROLE_ASSIGNMENT = intune(
    "deviceAndAppManagementRoleAssignment",
    "Intune role assignment",
    "Intune role assignments",
    f"{DEVICES}/roleAssignments",
    allowed=_RBAC,
    assigned=(),
    expand={"$expand": "roleDefinition"},
    comparison=Comparison(nested_fields={"roleDefinition": ("id",)}),
    references=(
        *TAGS,
        *(Reference(f"{name}[]", to="group") for name in _MEMBERS),
        Reference("roleDefinition.id", to="deviceAndAppManagementRoleDefinition"),
    ),
    rank=91,
    restore=Restore(
        writable=("description", "displayName", *_MEMBERS, "roleScopeTagIds", "scopeType"),
        typed=True,
        create=Create(
            only=("roleDefinition",),
            shape=_bound,
            recreate_for=("roleDefinition",),
            new_id_note="Nothing refers to an assignment.",
        ),
    ),
)

TYPES = (TENANT, SCOPE_TAG, ASSIGNMENT_FILTER, ROLE_DEFINITION, ROLE_ASSIGNMENT)
