"""Directory role definitions and their assignments."""

import base64
from uuid import UUID, uuid5

from lavawall.emulator import audit, registry
from lavawall.emulator.errors import bad_request, resource_not_found
from lavawall.emulator.model import Audit, EntityType, Write
from lavawall.emulator.permissions import GLOBAL_ADMINISTRATOR, global_administrators
from lavawall.emulator.presentation import present, shown_objects
from lavawall.emulator.store import Json, Record, Session
from lavawall.emulator.types import pim, role_settings
from lavawall.emulator.validation import WriteRules

READ = (
    "RoleManagement.Read.Directory",
    "RoleManagement.ReadWrite.Directory",
    "RoleManagement.Read.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
)
WRITE = ("RoleManagement.ReadWrite.Directory",)
UNIT_SCOPE = "/administrativeUnits/"
ROLE_SCHEDULES = ("unifiedRoleEligibilitySchedule", "unifiedRoleAssignmentSchedule")
ASSIGNMENT_KEY = ("principalId", "roleDefinitionId", "directoryScopeId")
PRINCIPALS = ("user", "group", "servicePrincipal")


def check_definition(write: Write) -> None:
    if write.before is not None:
        refuse_built_in(write.session, Record(write.type.name, write.before, write.session.now))
    for permission in write.after.get("rolePermissions") or []:
        actions = permission.get("allowedResourceActions") or []
        wrong = [action for action in actions if not str(action).startswith("microsoft.")]
        if wrong:
            raise bad_request(f"Role permissions hold unknown resource actions: {wrong}.")
    if not write.creating or write.session.is_seeding:
        return
    template_id = write.after.get("templateId")
    if template_id and write.session.directory.get(write.type.name, template_id):
        raise bad_request(f"A role definition with the template id '{template_id}' exists already.")


def definition_id(write: Write) -> str:
    identifier = str(write.after.get("templateId") or write.session.randomness.guid())
    write.after["templateId"] = identifier
    return identifier


def refuse_built_in(session: Session, record: Record) -> None:
    if record.body.get("isBuiltIn") and not session.is_seeding:
        raise bad_request("Built-in role definitions are read-only.")


def refuse_assigned(session: Session, record: Record) -> None:
    if any(
        each.body["roleDefinitionId"] == record.id
        for name in ("unifiedRoleAssignment", *ROLE_SCHEDULES)
        for each in session.directory.all(name)
    ):
        raise bad_request("The role definition has assignments; remove them first.")


def check_scope(session: Session, scope: str) -> None:
    """A scope is the tenant as "/", an administrative unit, or an application by its object id."""
    unit_id = scope.removeprefix(UNIT_SCOPE) if scope.startswith(UNIT_SCOPE) else None
    if unit_id is not None:
        found = session.directory.get("administrativeUnit", unit_id)
    else:
        found = session.directory.directory_object(scope.strip("/"), ("application", "servicePrincipal"))
    if scope != "/" and found is None:
        raise bad_request(f"The directory scope '{scope}' does not exist.")


def activated_role_id(session: Session, template_id: str) -> str:
    """The id under which a built-in role is once it is activated in this directory."""
    return str(uuid5(UUID(session.directory.directory_id), f"directoryRole/{template_id}"))


def activate_role(session: Session, assignment: Record) -> None:
    """The first assignment of a built-in role makes it appear among the activated ones, for good."""
    directory = session.directory
    role = directory.get("unifiedRoleDefinition", assignment.body["roleDefinitionId"])
    if role is None or not role.body.get("isBuiltIn"):
        return
    body = {
        "id": activated_role_id(session, role.id),
        "displayName": role.name,
        "description": role.body.get("description"),
        "roleTemplateId": role.id,
    }
    if body["id"] not in directory.records["directoryRole"]:
        directory.add(Record("directoryRole", body, assignment.visible_from))


def check_assignment(write: Write) -> None:
    directory, after = write.session.directory, write.after
    principal = directory.directory_object(str(after["principalId"]), PRINCIPALS)
    if principal is None:
        raise resource_not_found(str(after["principalId"]))
    if principal.type_name == "group" and not principal.body.get("isAssignableToRole"):
        raise bad_request("The group cannot be assigned to a role: isAssignableToRole is not true.")
    if directory.get("unifiedRoleDefinition", str(after["roleDefinitionId"])) is None:
        raise resource_not_found(str(after["roleDefinitionId"]))
    check_scope(write.session, str(after["directoryScopeId"]))
    others = directory.written("unifiedRoleAssignment")
    if any(pim.matches(each.body, after, ASSIGNMENT_KEY) for each in others):
        raise bad_request(
            "A conflicting object with one or more of the specified property values is present."
        )


def settings_of(session: Session, role: Record) -> list[Record]:
    return role_settings.stored_policies(session.directory, "/", role.id)


def end_schedule(session: Session, assignment: Record) -> None:
    """Who takes an assignment away takes its schedule in PIM away with it."""
    pim.forget(session.directory, "unifiedRoleAssignmentSchedule", assignment.body, ASSIGNMENT_KEY)


def keep_an_administrator(session: Session, record: Record) -> None:
    remaining = [each for each in global_administrators(session.directory) if each.id != record.id]
    if record.body["roleDefinitionId"] == GLOBAL_ADMINISTRATOR and not remaining:
        raise bad_request("The last Global Administrator of the directory cannot be removed.")


def assignment_id(write: Write) -> str:
    return base64.urlsafe_b64encode(write.session.randomness.bytes(32)).decode().rstrip("=") + "-1"


def write_assignment_audit(session: Session, verb: str, record: Record, _before: Json | None) -> None:
    """Microsoft names the principal and the role as targets; the assignment's own id does not appear."""
    directory = session.directory
    role = directory.get("unifiedRoleDefinition", record.body["roleDefinitionId"])
    principal = directory.directory_object(record.body["principalId"], PRINCIPALS)
    if role is None or principal is None:
        return
    values = [
        ("Role.ObjectID", role.id),
        ("Role.DisplayName", role.name),
        ("Role.TemplateId", role.body.get("templateId")),
    ]
    adding = verb == "Add"
    scoped = "scoped " if record.body["directoryScopeId"].startswith(UNIT_SCOPE) else ""
    changes = [
        audit.property_change(name, None if adding else value, value if adding else None)
        for name, value in values
    ]
    audit.write(
        session,
        f"Add {scoped}member to role" if adding else f"Remove {scoped}member from role",
        service=audit.CORE_DIRECTORY,
        category="RoleManagement",
        operation="Assign" if adding else "Unassign",
        targets=[audit.target(principal, changes), audit.target(role)],
    )


def expand_principal(session: Session, record: Record) -> Json | None:
    return next(iter(shown_objects(session, [record.body["principalId"]])), None)


def expand_definition(session: Session, record: Record) -> Json | None:
    kind = registry.kind("unifiedRoleDefinition")
    found = session.directory.get(kind.name, record.body["roleDefinitionId"])
    return present(session, kind, found) if found else None


KINDS = (
    EntityType(
        name="unifiedRoleDefinition",
        path="/roleManagement/directory/roleDefinitions",
        read=READ,
        write=WRITE,
        rules=WriteRules(
            computed=frozenset({"isBuiltIn", "resourceScopes"}),
            immutable=frozenset({"templateId"}),
            writable=frozenset(
                {"description", "displayName", "isEnabled", "rolePermissions", "templateId", "version"}
            ),
            required=("displayName", "isEnabled", "rolePermissions"),
        ),
        defaults={"isBuiltIn": False, "resourceScopes": ["/"]},
        audit=Audit(
            service=audit.CORE_DIRECTORY,
            category="RoleManagement",
            target_type="Role",
            create="Add role definition",
            update="Update role definition",
            delete="Delete role definition",
            restore="Restore role definition",
            purge="Hard Delete role definition",
        ),
        checks=(check_definition,),
        delete_checks=(refuse_built_in, refuse_assigned),
        recycle="/roleManagement/directory/deletedItems/roleDefinitions",
        recycle_option="soft_deleted_roles",
        dependants=settings_of,
        new_id=definition_id,
        dates=(),
        filterable=frozenset({"displayName", "isBuiltIn", "isEnabled", "templateId", "id"}),
    ),
    EntityType(
        name="unifiedRoleAssignment",
        path="/roleManagement/directory/roleAssignments",
        verbs=frozenset({"list", "get", "create", "delete"}),
        read=READ[:2] + READ[3:],
        write=WRITE,
        rules=WriteRules(
            computed=frozenset({"principalOrganizationId"}),
            writable=frozenset({"roleDefinitionId"}),
            required=("principalId", "roleDefinitionId", "directoryScopeId"),
        ),
        checks=(check_assignment,),
        delete_checks=(keep_an_administrator,),
        created=(activate_role,),
        deleted=(end_schedule,),
        audit_writer=write_assignment_audit,
        new_id=assignment_id,
        dates=(),
        filterable=frozenset({"principalId", "roleDefinitionId", "directoryScopeId", "id"}),
        expand={"principal": expand_principal, "roleDefinition": expand_definition},
    ),
)
