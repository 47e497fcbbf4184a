"""Facts from the context about the object of a change: names, role holders, referring policies. Used by the
rules. Every fact is for one side, before or after the change.
"""

from collections.abc import Iterator

from changes.severity import reference
from changes.severity.model import Context, PrincipalFacts, Severity, Side
from changes.severity.readers import keyed, listed, short_type, text, word, words
from changes.severity.reference import AppPermission, Role
from snapshots.catalog.spec import Document

SIDES: tuple[Side, Side] = ("after", "before")


def either(context: Context, resource_type: str, resource_id: str) -> Document | None:
    """The latest document of a resource in the context."""
    for side in SIDES:
        if (document := context.get(side, resource_type, resource_id)) is not None:
            return document
    return None


def display_name(context: Context, resource_type: str, resource_id: str) -> str:
    return text(either(context, resource_type, resource_id), "displayName") or resource_id


def principal(context: Context, principal_id: str) -> PrincipalFacts:
    """The known facts about a principal; an unknown one has its ID as its name."""
    facts = context.principal(principal_id)
    if facts is not None:
        return PrincipalFacts(facts.kind, facts.name or principal_id, facts.is_guest, facts.break_glass)
    for kind in ("group", "servicePrincipal"):
        if (document := either(context, kind, principal_id)) is not None:
            return PrincipalFacts(kind, text(document, "displayName") or principal_id)
    return PrincipalFacts("", principal_id)


def principal_names(context: Context, ids: frozenset[str]) -> str:
    return listed(principal(context, key).name for key in ids)


def app_name(context: Context, app_id: str) -> str:
    if app_id in reference.SENSITIVE_TARGETS:
        return reference.SENSITIVE_TARGETS[app_id]
    for kind in ("servicePrincipal", "application"):
        for side in SIDES:
            for document in context.all(side, kind).values():
                if word(document, "appId") == app_id and text(document, "displayName"):
                    return text(document, "displayName")
    return app_id


def role_of(context: Context, role_id: str) -> Role | None:
    """A built-in role by its template ID, or a custom role if the context knows it."""
    known = reference.ROLES.get(role_id.casefold())
    if known is not None:
        return known
    document = either(context, "unifiedRoleDefinition", role_id)
    if document is None:
        return None
    template = reference.ROLES.get(word(document, "templateId"))
    return template or Role(text(document, "displayName") or role_id, Severity.MEDIUM, direct=False)


def held_roles(context: Context, principal_id: str, side: Side) -> list[Role]:
    wanted = principal_id.casefold()
    return [
        role
        for document in context.all(side, "unifiedRoleAssignment").values()
        if word(document, "principalId") == wanted
        and (role := role_of(context, text(document, "roleDefinitionId"))) is not None
    ]


def highest_role(context: Context, principal_id: str) -> Role | None:
    roles = [role for side in SIDES for role in held_roles(context, principal_id, side)]
    return max(roles, key=lambda role: (role.severity, role.name), default=None)


def is_privileged_principal(context: Context, principal_id: str) -> bool:
    role = highest_role(context, principal_id)
    if role is not None and role.severity >= Severity.HIGH:
        return True
    return any(
        principal_id.casefold() in keyed(document, "members")
        and (held := highest_role(context, group_id)) is not None
        and held.severity >= Severity.HIGH
        for side in SIDES
        for group_id, document in context.all(side, "group").items()
    )


def resource_app_id(context: Context, service_principal_id: str) -> str:
    return word(either(context, "servicePrincipal", service_principal_id), "appId")


def app_permission(context: Context, resource_id: str, app_role_id: str) -> AppPermission | None:
    """The permission of an app role. The same ID can have different meanings on different resources."""
    app_id, wanted = resource_app_id(context, resource_id), app_role_id.casefold()
    if app_id:
        return reference.APP_PERMISSIONS.get(app_id, {}).get(wanted)
    candidates = [table[wanted] for table in reference.APP_PERMISSIONS.values() if wanted in table]
    return max(candidates, key=lambda permission: (permission.severity, permission.name), default=None)


def service_principals_of(context: Context, app_id: str) -> Iterator[str]:
    seen: set[str] = set()
    for side in SIDES:
        for key, document in context.all(side, "servicePrincipal").items():
            if key not in seen and app_id and word(document, "appId") == app_id.casefold():
                seen.add(key)
                yield key


def powers(context: Context, service_principal_id: str) -> list[tuple[str, Severity]]:
    """The severe roles and application permissions of a service principal: (name, severity)."""
    found = {
        (role.name, role.severity)
        for side in SIDES
        for role in held_roles(context, service_principal_id, side)
        if role.severity >= Severity.HIGH
    }
    for side in SIDES:
        for document in context.all(side, "appRoleAssignment").values():
            if word(document, "principalId") != service_principal_id.casefold():
                continue
            granted = app_permission(context, text(document, "resourceId"), text(document, "appRoleId"))
            if granted is not None and granted.severity >= Severity.HIGH:
                found.add((granted.name, granted.severity))
    return sorted(found)


def has_fresh_secret(context: Context, service_principal_id: str) -> bool:
    """Whether a credential appeared on the service principal or its application in the same snapshot."""
    before = context.get("before", "servicePrincipal", service_principal_id)
    after = context.get("after", "servicePrincipal", service_principal_id)
    app_id = word(after, "appId")
    pairs = [(before, after)]
    for key, document in context.all("after", "application").items():
        if app_id and word(document, "appId") == app_id:
            pairs.append((context.get("before", "application", key), document))
    return any(new_credentials(old, new) for old, new in pairs)


def new_credentials(before: Document | None, after: Document | None) -> dict[str, str]:
    """Key IDs that only `after` contains, with display names."""
    found: dict[str, str] = {}
    for name, noun in (("passwordCredentials", "secret"), ("keyCredentials", "certificate")):
        old = keyed(before, name, key="keyId")
        for key, row in keyed(after, name, key="keyId").items():
            if key not in old:
                label = row.get("displayName") or row.get("hint")
                found[key] = f"{noun} {label}" if isinstance(label, str) and label else f"{noun} {key}"
    return found


def kind_of(row: Document | None, facts: PrincipalFacts) -> str:
    """The kind of a principal: from the document's annotation, otherwise from the context."""
    return short_type(row) or facts.kind


def policies_that(
    context: Context, side: Side, section: str, names: tuple[str, ...], wanted: str
) -> list[Document]:
    """Conditional Access policies whose `conditions.<section>` names `wanted` in one of the lists."""
    return [
        document
        for _, document in sorted(context.all(side, "conditionalAccessPolicy").items())
        if any(wanted in words(document, "conditions", section, name) for name in names)
    ]


def is_enforced(policy: Document | None) -> bool:
    return text(policy, "state") == "enabled"
