"""Computes the display names of objects. Most objects have their own name, as declared in
`ResourceType.name`. Objects that connect others, such as assignments, are named after everything they
connect, so that no two look alike; those names come from the same snapshot. Called at the end of a
collection, when all names are known. Pages, plans, API and commands show the stored name.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from snapshots.catalog.spec import Document, ResourceType

NO_ROLE = "00000000-0000-0000-0000-000000000000"
"""The role ID in assignments to an application without roles."""
_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Surroundings(Protocol):
    """Lookups in the same snapshot."""

    def name(self, identifier: str) -> str:
        """The name of the resource or principal with this ID, or the ID itself if it is unknown."""
        ...

    def app_role(self, resource_id: str, role_id: str) -> str:
        """The name of a service principal's role, such as `Mail.ReadWrite`; empty if unknown."""
        ...


Namer = Callable[[Document, Surroundings], str]


def joins_others(spec: ResourceType) -> bool:
    """Whether the object's own content is needed to name it."""
    return spec.key in _NAMERS


def name(spec: ResourceType, own: str, document: Document | None, known: Surroundings) -> str:
    """`own`: the name from the declaration, which may contain IDs. `document` is needed only if
    `joins_others`.
    """
    namer = _NAMERS.get(spec.key)
    if namer is not None and document is not None:
        return namer(document, known)
    return _GUID.sub(lambda match: known.name(match[0]), own)


def app_roles(spec: ResourceType, raw: Document) -> dict[str, str]:
    """The names of the roles that a service principal defines, by ID. They are not part of its state: they
    belong to its application, which for Microsoft's services is in another tenant.
    """
    roles = raw.get("appRoles") if spec.key == "servicePrincipal" else None
    return {
        str(role.get("id")).casefold(): str(role.get("value") or role.get("displayName") or "")
        for role in (roles if isinstance(roles, list) else ())
        if isinstance(role, dict)
    }


def _app_role_assignment(document: Document, known: Surroundings) -> str:
    resource, role = _text(document, "resourceId"), _text(document, "appRoleId")
    what = known.app_role(resource, role) or role
    if role == NO_ROLE:
        what = "Default access"
    who = known.name(_text(document, "principalId"))
    return f"{what} on {known.name(resource)} for {who}"


def _permission_grant(document: Document, known: Surroundings) -> str:
    scopes = _text(document, "scope").split()
    what = ", ".join(scopes) if scopes else "No permission"
    user = _text(document, "principalId")
    for_whom = f"for {known.name(user)}" if user else "for all users"
    resource, client = (known.name(_text(document, key)) for key in ("resourceId", "clientId"))
    return f"{what} on {resource} by {client} {for_whom}"


def _directory_role(document: Document, known: Surroundings) -> str:
    who, role = (known.name(_text(document, key)) for key in ("principalId", "roleDefinitionId"))
    return f"{who} as {role}{_within(_text(document, 'directoryScopeId'), known)}"


def _group_place(document: Document, known: Surroundings) -> str:
    who, group = (known.name(_text(document, key)) for key in ("principalId", "groupId"))
    return f"{who} as {_text(document, 'accessId')} of {group}"


def _within(scope: str, known: Surroundings) -> str:
    """` in Front of House`; empty for the whole directory."""
    unit = scope.rpartition("/")[2]
    return f" in {known.name(unit)}" if unit else ""


def _text(document: Mapping[str, Any], key: str) -> str:
    value = document.get(key)
    return value if isinstance(value, str) else ""


_NAMERS: Mapping[str, Namer] = {
    "appRoleAssignment": _app_role_assignment,
    "oAuth2PermissionGrant": _permission_grant,
    "unifiedRoleAssignment": _directory_role,
    "unifiedRoleAssignmentSchedule": _directory_role,
    "unifiedRoleEligibilitySchedule": _directory_role,
    "privilegedAccessGroupAssignmentSchedule": _group_place,
    "privilegedAccessGroupEligibilitySchedule": _group_place,
}
