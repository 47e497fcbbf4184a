"""What principals were granted: app role assignments and delegated permission grants."""

import base64
from typing import Any
from uuid import UUID

from lavawall.emulator import audit, entities, registry
from lavawall.emulator.errors import bad_request, conflict, resource_not_found
from lavawall.emulator.model import Action, EntityType, Write
from lavawall.emulator.odata import listing
from lavawall.emulator.presentation import View, present
from lavawall.emulator.requests import Answer, Call
from lavawall.emulator.store import Json, Record, Session
from lavawall.emulator.types.people import GROUP_READ, USER_READ
from lavawall.emulator.validation import WriteRules

READ = ("Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All")
WRITE = ("AppRoleAssignment.ReadWrite.All",)
GRANT_READ = ("Directory.Read.All", "Directory.ReadWrite.All", "DelegatedPermissionGrant.ReadWrite.All")
GRANT_WRITE = ("DelegatedPermissionGrant.ReadWrite.All", "Directory.ReadWrite.All")
DEFAULT_ACCESS = "00000000-0000-0000-0000-000000000000"
PRINCIPALS = ("user", "group", "servicePrincipal")
PRINCIPAL_NAMES = {"user": "User", "group": "Group", "servicePrincipal": "ServicePrincipal"}
ROLE_ACTIVITIES = {
    "user": "app role assignment grant to user",
    "group": "app role assignment to group",
    "servicePrincipal": "app role assignment to service principal",
}


def check_assignment(write: Write) -> None:
    directory, after = write.session.directory, write.after
    principal = directory.directory_object(str(after["principalId"]), PRINCIPALS)
    if principal is None:
        raise resource_not_found(str(after["principalId"]))
    resource = directory.get("servicePrincipal", str(after["resourceId"]))
    if resource is None:
        raise resource_not_found(str(after["resourceId"]))
    roles = {role["id"] for role in resource.body.get("appRoles") or []}
    if after["appRoleId"] not in roles | {DEFAULT_ACCESS} or (after["appRoleId"] == DEFAULT_ACCESS and roles):
        raise bad_request(
            f"Permission '{after['appRoleId']}' was not found on application '{resource.name}'."
        )
    parts = ("principalId", "resourceId", "appRoleId")
    others = directory.written(write.type.name)
    if any(all(each.body[name] == after[name] for name in parts) for each in others):
        raise bad_request("Permission being assigned already exists on the object")
    after["principalDisplayName"] = principal.name
    after["principalType"] = PRINCIPAL_NAMES[principal.type_name]
    after["resourceDisplayName"] = resource.name


def _random_id(write: Write) -> str:
    return base64.urlsafe_b64encode(write.session.randomness.bytes(32)).decode().rstrip("=")


def write_assignment_audit(session: Session, verb: str, record: Record, _before: Json | None) -> None:
    """Microsoft names the resource and the principal as targets; the assignment's own id does not appear."""
    directory = session.directory
    resource = directory.get("servicePrincipal", record.body["resourceId"])
    principal = directory.directory_object(record.body["principalId"], PRINCIPALS)
    if resource is None or principal is None:
        return
    value = next(
        (
            role["value"]
            for role in resource.body.get("appRoles") or []
            if role["id"] == record.body["appRoleId"]
        ),
        None,
    )
    kind = PRINCIPAL_NAMES[principal.type_name]
    values = [
        ("AppRole.Id", record.body["appRoleId"]),
        ("AppRole.Value", value),
        (f"{kind}.ObjectID", principal.id),
        (f"{kind}.DisplayName", principal.name),
        (f"{kind}.AppId", principal.body.get("appId")),
    ]
    adding = verb == "Add"
    changes = [
        audit.property_change(name, None if adding else item, item if adding else None)
        for name, item in values
    ]
    audit.write(
        session,
        f"{'Add' if adding else 'Remove'} {ROLE_ACTIVITIES[principal.type_name]}".replace(
            "Remove app role assignment to", "Remove app role assignment from"
        ),
        service=audit.CORE_DIRECTORY,
        category="ApplicationManagement" if kind == "ServicePrincipal" else "UserManagement",
        operation="Assign" if adding else "Unassign",
        targets=[audit.target(resource, changes), audit.target(principal)],
    )


def _assignments(call: Call, owner: str, property_name: str) -> Answer:
    record = entities.find(call.session, registry.kind(owner), call.parameter("id"))
    kind = registry.kind("appRoleAssignment")
    found = [each for each in call.session.directory.all(kind.name) if each.body[property_name] == record.id]
    return Answer(200, listing(call, kind, found, context="appRoleAssignments"))


def assigned_to(call: Call) -> Answer:
    return _assignments(call, "servicePrincipal", "resourceId")


def assignments_of_service_principal(call: Call) -> Answer:
    return _assignments(call, "servicePrincipal", "principalId")


def assignments_of_user(call: Call) -> Answer:
    return _assignments(call, "user", "principalId")


def assignments_of_group(call: Call) -> Answer:
    return _assignments(call, "group", "principalId")


def _add_assignment(call: Call, property_name: str) -> Answer:
    body: Any = call.json()
    if not isinstance(body, dict) or body.get(property_name) != call.parameter("id"):
        raise bad_request(f"'{property_name}' must be the id of the object in the address.")
    kind = registry.kind("appRoleAssignment")
    record = entities.create(call.session, kind, body)
    return Answer(201, present(call.session, kind, record, single=True))


def assign_to(call: Call) -> Answer:
    return _add_assignment(call, "resourceId")


def assign(call: Call) -> Answer:
    return _add_assignment(call, "principalId")


def _assignment_at(call: Call, property_name: str) -> Record:
    record = entities.find(call.session, registry.kind("appRoleAssignment"), call.parameter("assignment"))
    if record.body[property_name] != call.parameter("id"):
        raise resource_not_found(record.id)
    return record


def get_assigned(call: Call) -> Answer:
    kind = registry.kind("appRoleAssignment")
    return Answer(200, present(call.session, kind, _assignment_at(call, "resourceId"), single=True))


def unassign_from(call: Call) -> Answer:
    entities.delete(call.session, registry.kind("appRoleAssignment"), _assignment_at(call, "resourceId"))
    return Answer(204)


def unassign(call: Call) -> Answer:
    entities.delete(call.session, registry.kind("appRoleAssignment"), _assignment_at(call, "principalId"))
    return Answer(204)


def check_grant(write: Write) -> None:
    directory, after = write.session.directory, write.after
    if not write.creating:
        return
    for name in ("clientId", "resourceId"):
        if directory.get("servicePrincipal", after[name]) is None:
            raise resource_not_found(after[name])
    if after["consentType"] not in {"AllPrincipals", "Principal"}:
        raise bad_request(f"Invalid consentType '{after['consentType']}'.")
    principal_id = after.get("principalId")
    if (after["consentType"] == "Principal") != bool(principal_id):
        raise bad_request(
            "principalId is needed for consentType 'Principal' and refused for 'AllPrincipals'."
        )
    if principal_id and directory.get("user", principal_id) is None:
        raise resource_not_found(principal_id)
    parts = ("clientId", "resourceId", "consentType", "principalId")
    if any(
        all(each.body.get(name) == after.get(name) for name in parts)
        for each in directory.written(write.type.name)
    ):
        raise conflict("Permission entry already exists.", "Request_MultipleObjectsWithSameKeyValue")


def grant_id(write: Write) -> str:
    """Graph derives the id of a grant from its parts: the same grant made again gets the same id."""
    parts = [write.after["clientId"], write.after["resourceId"], write.after.get("principalId")]
    return (
        base64.urlsafe_b64encode(b"".join(UUID(part).bytes_le for part in parts if part)).decode().rstrip("=")
    )


def show_scope(view: View) -> None:
    """The scope is a set written as text: its order and a leading blank mean nothing."""
    if view.session.options.shuffle:
        source = view.session.randomness.fork()
        scopes = str(view.body.get("scope") or "").split()
        view.body["scope"] = source.choice(("", " ")) + " ".join(source.sample(scopes, len(scopes)))


def write_grant_audit(session: Session, verb: str, record: Record, before: Json | None) -> None:
    """Targets are the resource and the client; consent for everybody also counts as consent to the application."""
    directory = session.directory
    resource = directory.get("servicePrincipal", record.body["resourceId"])
    client = directory.get("servicePrincipal", record.body["clientId"])
    if resource is None or client is None:
        return
    old = (before or {}).get("scope")
    new = None if verb == "Delete" else record.body["scope"]
    changes = [
        audit.property_change("DelegatedPermissionGrant.Scope", old, new),
        audit.property_change("DelegatedPermissionGrant.ConsentType", None, record.body["consentType"]),
        audit.property_change("ServicePrincipal.ObjectID", None, client.id),
        audit.property_change("ServicePrincipal.AppId", None, client.body["appId"]),
    ]
    activities = {
        "Add": "Add delegated permission grant",
        "Update": "Update delegated permission grant",
        "Delete": "Remove delegated permission grant",
    }
    audit.write(
        session,
        activities[verb],
        service=audit.CORE_DIRECTORY,
        category="ApplicationManagement",
        operation={"Add": "Assign", "Update": "Update", "Delete": "Unassign"}[verb],
        targets=[audit.target(resource, changes), audit.target(client)],
    )
    if verb == "Add":
        _write_consent_audit(session, record, client)


def _write_consent_audit(session: Session, record: Record, client: Record) -> None:
    for_all = record.body["consentType"] == "AllPrincipals"
    changes = [
        audit.property_change("ConsentContext.IsAdminConsent", None, str(for_all)),
        audit.property_change("ConsentContext.OnBehalfOfAll", None, str(for_all)),
        audit.property_change("ConsentAction.Permissions", None, f"Scope: {record.body['scope']}"),
    ]
    audit.write(
        session,
        "Consent to application",
        service=audit.CORE_DIRECTORY,
        category="ApplicationManagement",
        operation="Assign",
        targets=[audit.target(client, changes)],
    )


def grants_of_client(call: Call) -> Answer:
    record = entities.find(call.session, registry.kind("servicePrincipal"), call.parameter("id"))
    kind = registry.kind("oAuth2PermissionGrant")
    found = [each for each in call.session.directory.all(kind.name) if each.body["clientId"] == record.id]
    return Answer(200, listing(call, kind, found))


KINDS = (
    EntityType(
        name="appRoleAssignment",
        path="/servicePrincipals/{id}/appRoleAssignedTo",
        verbs=frozenset(),
        read=READ,
        write=WRITE,
        rules=WriteRules(
            computed=frozenset({"deletedDateTime", "resourceDisplayName"}),
            required=("principalId", "resourceId", "appRoleId"),
        ),
        checks=(check_assignment,),
        audit_writer=write_assignment_audit,
        new_id=_random_id,
        filterable=frozenset({"resourceId", "principalId", "principalDisplayName", "appRoleId", "id"}),
        actions=(
            Action("GET", "/servicePrincipals/{id}/appRoleAssignedTo", assigned_to, READ),
            Action("POST", "/servicePrincipals/{id}/appRoleAssignedTo", assign_to, WRITE),
            Action("GET", "/servicePrincipals/{id}/appRoleAssignedTo/{assignment}", get_assigned, READ),
            Action("DELETE", "/servicePrincipals/{id}/appRoleAssignedTo/{assignment}", unassign_from, WRITE),
            Action(
                "GET", "/servicePrincipals/{id}/appRoleAssignments", assignments_of_service_principal, READ
            ),
            Action("POST", "/servicePrincipals/{id}/appRoleAssignments", assign, WRITE),
            Action("DELETE", "/servicePrincipals/{id}/appRoleAssignments/{assignment}", unassign, WRITE),
            Action("GET", "/users/{id}/appRoleAssignments", assignments_of_user, USER_READ),
            Action("POST", "/users/{id}/appRoleAssignments", assign, WRITE),
            Action("DELETE", "/users/{id}/appRoleAssignments/{assignment}", unassign, WRITE),
            Action("GET", "/groups/{id}/appRoleAssignments", assignments_of_group, GROUP_READ),
            Action("POST", "/groups/{id}/appRoleAssignments", assign, WRITE),
            Action("DELETE", "/groups/{id}/appRoleAssignments/{assignment}", unassign, WRITE),
        ),
    ),
    EntityType(
        name="oAuth2PermissionGrant",
        path="/oauth2PermissionGrants",
        read=GRANT_READ,
        write=GRANT_WRITE,
        rules=WriteRules(
            immutable=frozenset({"clientId", "consentType", "principalId", "resourceId"}),
            required=("clientId", "consentType", "resourceId", "scope"),
        ),
        checks=(check_grant,),
        audit_writer=write_grant_audit,
        new_id=grant_id,
        dates=(),
        present=show_scope,
        filterable=frozenset({"clientId", "consentType", "principalId", "resourceId", "id"}),
        actions=(
            Action("GET", "/servicePrincipals/{id}/oauth2PermissionGrants", grants_of_client, GRANT_READ),
        ),
    ),
)
