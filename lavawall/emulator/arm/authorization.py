"""Role assignments and role definitions: guids that the client chooses, and what may not be changed under them."""

import re
from typing import Any
from uuid import UUID

from lavawall.emulator.arm import resources
from lavawall.emulator.arm.builtin import BUILT_IN
from lavawall.emulator.arm.errors import ArmError, bad_request, conflict, not_found
from lavawall.emulator.arm.ids import covers, key, last_segment, subscription_of
from lavawall.emulator.arm.model import ArmCall, ArmType, ArmWrite
from lavawall.emulator.arm.rbac import ROLE_ASSIGNMENTS, ROLE_DEFINITIONS, identities_of, role_definition
from lavawall.emulator.arm.state import Resource
from lavawall.emulator.requests import Answer
from lavawall.emulator.store import Json, precise_timestamp

VERSIONS = ("2022-04-01", "2022-05-01-preview")
MOST_ASSIGNMENTS = 4_000
PRINCIPAL_TYPES = {"user": "User", "group": "Group", "servicePrincipal": "ServicePrincipal"}
TERM = re.compile(
    r"(?P<at>atScope\(\))|(?P<below>atScopeAndBelow\(\))|principalId eq '(?P<principal>[^']*)'"
    r"|assignedTo\('(?P<assigned>[^']*)'\)|type eq '(?P<type>[^']*)'|roleName eq '(?P<role>[^']*)'",
    re.IGNORECASE,
)


def _filter(call: ArmCall, allowed: tuple[str, ...]) -> dict[str, str]:
    """The terms of a $filter by name; 400 for one that this listing does not know."""
    text = call.query.get("$filter", "").strip()
    terms: dict[str, str] = {}
    for part in re.split(r"\s+and\s+", text, flags=re.IGNORECASE) if text else []:
        found = TERM.fullmatch(part.strip())
        name = str(found.lastgroup) if found else ""
        if found is None or name not in allowed:
            raise bad_request(f"The filter '{text}' is not supported.", "UnsupportedQuery")
        terms[name] = found[name]
    return terms


def _check_guid(name: str, code: str) -> None:
    try:
        UUID(name)
    except ValueError as error:
        raise bad_request(f"The id '{name}' is not a valid GUID.", code) from error


def _stamp(write: ArmWrite) -> None:
    properties, moment = write.after.properties, precise_timestamp(write.call.session.now)
    author = write.call.session.caller.object_id or None
    if write.before is None:
        properties |= {"createdOn": moment, "createdBy": author}
    properties |= {"updatedOn": moment, "updatedBy": author}


def check_assignment(write: ArmWrite) -> None:
    call, after = write.call, write.after
    properties = after.properties
    _check_guid(after.name, "InvalidRoleAssignmentId")
    properties["scope"] = resources.canonical_scope(call, call.target.scope) or "/"
    role_id = str(properties.get("roleDefinitionId") or "")
    if role_definition(call.azure, role_id) is None:
        raise not_found(
            f"The specified role definition with ID '{last_segment(role_id)}' does not exist.",
            "RoleDefinitionDoesNotExist",
        )
    subscription_id = subscription_of(properties["scope"])
    location = f"/subscriptions/{subscription_id}" if subscription_id else ""
    properties["roleDefinitionId"] = (
        f"{location}/providers/{ROLE_DEFINITIONS}/{last_segment(role_id).lower()}"
    )
    properties["principalId"] = str(properties.get("principalId") or "").lower()
    if write.before is not None:
        _check_unchanged(write)
    else:
        _check_new(write, subscription_id)
    if properties.get("condition") and properties.get("conditionVersion") not in {"1.0", "2.0"}:
        raise bad_request("A condition needs a conditionVersion.", "InvalidConditionVersion")
    for name in ("description", "condition", "conditionVersion", "delegatedManagedIdentityResourceId"):
        properties.setdefault(name, None)
    _stamp(write)


def _same_grant(one: Resource, other: Resource) -> bool:
    names = ("principalId", "roleDefinitionId", "scope")
    return all(key(one.properties[name]) == key(other.properties[name]) for name in names)


def _check_unchanged(write: ArmWrite) -> None:
    if write.before is not None and not _same_grant(write.before, write.after):
        raise conflict(
            "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
            "RoleAssignmentUpdateNotPermitted",
        )
    write.after.properties["principalType"] = write.before.properties["principalType"] if write.before else ""


def _check_new(write: ArmWrite, subscription_id: str) -> None:
    known = list(write.call.azure.all(ROLE_ASSIGNMENTS))
    if any(_same_grant(each, write.after) or each.name.lower() == write.after.name.lower() for each in known):
        raise conflict("The role assignment already exists.", "RoleAssignmentExists")
    if sum(covers(f"/subscriptions/{subscription_id}", each.id) for each in known) >= MOST_ASSIGNMENTS:
        raise bad_request(
            "No more role assignments can be created in the subscription.", "RoleAssignmentLimitExceeded"
        )
    properties = write.after.properties
    properties["principalType"] = _principal_type(
        write.call, properties["principalId"], properties.get("principalType")
    )


def _principal_type(call: ArmCall, principal_id: str, given: Any) -> str:
    """The kind of the principal. One that has not reached every replica is only found when its kind is given."""
    directory = call.azure.directory
    known = directory.directory_object(principal_id, tuple(PRINCIPAL_TYPES))
    if known is None and given:
        kinds = [kind for kind in PRINCIPAL_TYPES if principal_id in directory.records[kind]]
        known = directory.records[kinds[0]][principal_id] if kinds else None
    if known is None:
        raise bad_request(
            f"Principal {principal_id} does not exist in the directory {directory.directory_id}. Check that you "
            "have the correct principal ID. If you are creating this principal and then immediately assigning a "
            "role, this error might be related to a replication delay. In this case, set the role assignment "
            "principalType property to a value, such as ServicePrincipal, User, or Group.",
            "PrincipalNotFound",
        )
    actual = PRINCIPAL_TYPES[known.type_name]
    if given and given != actual:
        raise bad_request(
            f"The PrincipalId '{principal_id}' has type '{actual}', which is different from specified "
            f"PrincipalType '{given}'.",
            "UnmatchedPrincipalType",
        )
    return actual


def list_assignments(call: ArmCall) -> Answer:
    """Assignments above, at and below the scope; with atScope() none below it."""
    resources.require_place(call)
    terms, scope = _filter(call, ("at", "principal", "assigned")), call.target.scope
    holders = {terms["principal"].lower()} if "principal" in terms else None
    if "assigned" in terms:
        holders = identities_of(call.azure.directory, terms["assigned"].lower())
    found = [
        each
        for each in call.azure.all(ROLE_ASSIGNMENTS)
        if _is_listed(each, scope, at_scope="at" in terms)
        and (holders is None or each.properties["principalId"] in holders)
    ]
    return resources.page(call, found)


def _is_listed(assignment: Resource, scope: str, *, at_scope: bool) -> bool:
    own = assignment.properties["scope"]
    return covers(own, scope) or (not at_scope and covers(scope, own))


def delete_assignment(call: ArmCall) -> Answer:
    """The answer shows what was deleted."""
    found = call.azure.get(call.target.id)
    if found is None:
        return Answer(204)
    call.azure.remove(found)
    return Answer(200, resources.shown(call, found))


def check_definition(write: ArmWrite) -> None:
    call, after = write.call, write.after
    properties = after.properties
    _check_guid(after.name, "InvalidRoleDefinitionId")
    _refuse_built_in(call)
    name = str(properties.get("roleName") or "")
    others = [each.properties for each in call.azure.all(ROLE_DEFINITIONS) if key(each.id) != key(after.id)]
    if not name:
        raise bad_request("A role definition needs a roleName.", "RoleDefinitionNameNullOrEmpty")
    if any(each["roleName"].lower() == name.lower() for each in [*others, *BUILT_IN.values()]):
        raise conflict(
            f"A custom role with the name '{name}' exists in the tenant.", "RoleDefinitionWithSameNameExists"
        )
    if not isinstance(properties.get("permissions"), list) or not properties["permissions"]:
        raise bad_request("A role definition needs permissions.", "RoleDefinitionPermissionsMissing")
    properties["permissions"] = [_permission(each) for each in properties["permissions"]]
    _check_scopes(call, properties.get("assignableScopes"))
    properties["type"] = "CustomRole"
    properties.setdefault("description", None)
    _stamp(write)


def _permission(given: Any) -> Json:
    if not isinstance(given, dict):
        raise bad_request("A permission is an object.", "InvalidRequestContent")
    names = ("actions", "notActions", "dataActions", "notDataActions")
    return {name: list(given.get(name) or []) for name in names}


def _check_scopes(call: ArmCall, scopes: Any) -> None:
    if not isinstance(scopes, list) or not scopes:
        raise bad_request("A role definition needs assignableScopes.", "MissingAssignableScopes")
    for scope in scopes:
        is_subscription = str(scope).strip("/").count("/") == 1
        known = subscription_of(scope) in call.azure.subscriptions
        if not known or not (is_subscription or call.azure.get(scope)):
            raise bad_request(f"The assignable scope '{scope}' does not exist.", "InvalidAssignableScope")


def _refuse_built_in(call: ArmCall) -> None:
    if call.target.name.lower() in BUILT_IN:
        raise ArmError(400, "BuiltInRoleCannotBeModified", "A built-in role cannot be changed or deleted.")


def _built_in(call: ArmCall, identifier: str) -> Resource:
    scope = f"/subscriptions/{call.subscription_id}" if call.subscription_id else ""
    return Resource(
        f"{scope}/providers/{ROLE_DEFINITIONS}/{identifier}",
        ROLE_DEFINITIONS,
        {"properties": dict(BUILT_IN[identifier])},
    )


def _custom(call: ArmCall) -> Resource | None:
    """A custom role is one and the same at every scope of the tenant."""
    name = call.target.name.lower()
    return next((each for each in call.azure.all(ROLE_DEFINITIONS) if each.name.lower() == name), None)


def list_definitions(call: ArmCall) -> Answer:
    resources.require_place(call)
    terms, scope = _filter(call, ("at", "below", "type", "role")), call.target.scope
    custom = [
        each
        for each in call.azure.all(ROLE_DEFINITIONS)
        if not scope
        or any(covers(at, scope) or covers(scope, at) for at in each.properties["assignableScopes"])
    ]
    every = [*(_built_in(call, identifier) for identifier in BUILT_IN), *custom]
    wanted = {"type": terms.get("type"), "roleName": terms.get("role")}
    found = [
        each
        for each in every
        if all(
            value is None or each.properties[name].lower() == value.lower() for name, value in wanted.items()
        )
    ]
    return resources.page(call, found)


def get_definition(call: ArmCall) -> Answer:
    name = call.target.name.lower()
    found = _built_in(call, name) if name in BUILT_IN else _custom(call)
    if found is None:
        raise not_found(
            f"The specified role definition with ID '{name}' does not exist.", "RoleDefinitionDoesNotExist"
        )
    return Answer(200, resources.read(call, found))


def put_definition(call: ArmCall) -> Answer:
    """Creates or replaces a custom role, which is known by its guid whatever the scope in the path."""
    before, body = _custom(call), call.body()
    after = Resource(before.id if before else resources.canonical_id(call), call.kind.name, {})
    stored = {name: before.properties[name] for name in ("createdOn", "createdBy")} if before else {}
    after.body["properties"] = stored | resources.known_properties(call.kind, body)
    answer = resources.store(ArmWrite(call, body, after, before))
    answer.status = 201
    return answer


def delete_definition(call: ArmCall) -> Answer:
    _refuse_built_in(call)
    found = _custom(call)
    if found is None:
        return Answer(204)
    assigned = [
        each
        for each in call.azure.all(ROLE_ASSIGNMENTS)
        if last_segment(each.properties["roleDefinitionId"]).lower() == found.name.lower()
    ]
    if assigned:
        raise ArmError(
            400,
            "RoleDefinitionHasAssignments",
            f"There are existing role assignments referencing role '{found.name}'.",
        )
    call.azure.remove(found)
    return Answer(200, resources.shown(call, found))


TYPES = (
    ArmType(
        name=ROLE_ASSIGNMENTS,
        versions=VERSIONS,
        handlers={**resources.CRUD, "list": list_assignments, "delete": delete_assignment},
        writable=frozenset(
            {
                "principalId",
                "roleDefinitionId",
                "principalType",
                "description",
                "condition",
                "conditionVersion",
                "delegatedManagedIdentityResourceId",
            }
        ),
        computed=frozenset({"createdOn", "createdBy"}),
        check=check_assignment,
    ),
    ArmType(
        name=ROLE_DEFINITIONS,
        versions=VERSIONS,
        handlers={
            "list": list_definitions,
            "get": get_definition,
            "put": put_definition,
            "delete": delete_definition,
        },
        writable=frozenset({"roleName", "description", "permissions", "assignableScopes"}),
        open_at_root=True,
        check=check_definition,
    ),
)
