"""Who may do what in Intune: scope tags with small numbers as ids, role definitions and their assignments."""

from lavawall.emulator import entities, registry
from lavawall.emulator.errors import bad_request
from lavawall.emulator.model import BETA, Action, EntityType, Write
from lavawall.emulator.odata import listing
from lavawall.emulator.presentation import present
from lavawall.emulator.requests import Answer, Call
from lavawall.emulator.store import Json, Record, Session
from lavawall.emulator.types.intune.assignments import Assigning, assignable
from lavawall.emulator.types.intune.core import CONFIGURATION, RBAC, intune_type, located
from lavawall.emulator.validation import WriteRules

TAG = "roleScopeTag"
DEFINITION = "roleDefinition"
ASSIGNMENT = "deviceAndAppManagementRoleAssignment"
ASSIGNMENTS = "/deviceManagement/roleAssignments"


def next_number(write: Write) -> str:
    """Numbers are never given twice."""
    numbers = write.session.directory.numbers
    numbers[TAG] += 1
    return str(numbers[TAG])


def check_tag_name(write: Write) -> None:
    name = str(write.after["displayName"]).lower()
    for each in write.session.directory.all(TAG):
        if each.name.lower() == name and each.id != write.after.get("id"):
            raise bad_request(f"A scope tag named '{each.name}' exists already.", "BadRequest")


def refuse_built_in_change(write: Write) -> None:
    if write.before is not None and write.before.get("isBuiltIn"):
        raise bad_request("What is built in cannot be changed.", "BadRequest")
    write.after.setdefault("isBuiltIn", False)


def refuse_built_in(_session: Session, record: Record) -> None:
    if record.body.get("isBuiltIn"):
        raise bad_request("What is built in cannot be deleted.", "BadRequest")


def assignments_of(session: Session, definition_id: str) -> list[Record]:
    return [
        each for each in session.directory.all(ASSIGNMENT) if definition_id in each.links["roleDefinition"]
    ]


def refuse_assigned(session: Session, record: Record) -> None:
    if assignments_of(session, record.id):
        raise bad_request("The role definition has assignments and cannot be deleted.", "BadRequest")


def check_definition(write: Write) -> None:
    """Both names of the permissions show the same."""
    given = write.body.get("rolePermissions") or write.body.get("permissions")
    if given is not None:
        write.after["rolePermissions"] = given
    write.after["isBuiltInRoleDefinition"] = write.after["isBuiltIn"]
    write.after.pop("permissions", None)


def check_assignment(write: Write) -> None:
    directory, after = write.session.directory, write.after
    for name in ("members", "resourceScopes", "scopeMembers"):
        missing = [each for each in after.get(name) or [] if directory.get("group", str(each)) is None]
        if name in write.body and missing:
            raise bad_request(f"The groups {missing} in '{name}' do not exist.", "BadRequest")
    if write.creating and not after.get("members"):
        raise bad_request("A role assignment needs 'members'.", "BadRequest")
    after.setdefault("scopeType", "resourceScope")


def create_assignment(call: Call) -> Answer:
    """The definition is named by its address, and cannot be changed later."""
    session, body, kind = call.session, call.json(), registry.kind(ASSIGNMENT)
    if not isinstance(body, dict) or not isinstance(body.get("roleDefinition@odata.bind"), str):
        raise bad_request("'roleDefinition@odata.bind' is required.", "BadRequest")
    record = assign_role(session, kind, body)
    return Answer(201, present(session, kind, record, single=True))


def assign_role(session: Session, kind: EntityType, body: Json, computed: Json | None = None) -> Record:
    address = str(body["roleDefinition@odata.bind"]).rstrip("/')")
    definition_id = address.replace("('", "/").rsplit("/", 1)[-1]
    if session.directory.get(DEFINITION, definition_id) is None:
        raise bad_request(f"The role definition '{definition_id}' does not exist.", "BadRequest")
    unbound = {name: value for name, value in body.items() if name != "roleDefinition@odata.bind"}
    record = entities.create(session, kind, unbound, computed=computed)
    record.links["roleDefinition"][definition_id] = None
    return record


def expand_definition(session: Session, record: Record) -> Json | None:
    found = session.directory.get(DEFINITION, next(iter(record.links["roleDefinition"]), ""))
    return present(session, registry.kind(DEFINITION), found) if found else None


def expand_assignments(session: Session, record: Record) -> list[Json]:
    kind = registry.kind(ASSIGNMENT)
    return [present(session, kind, each) for each in assignments_of(session, record.id)]


def list_assignments(call: Call) -> Answer:
    record = located(call, registry.kind(DEFINITION))
    return Answer(200, listing(call, registry.kind(ASSIGNMENT), assignments_of(call.session, record.id)))


def get_definition(call: Call) -> Answer:
    return Answer(200, expand_definition(call.session, located(call, registry.kind(ASSIGNMENT))))


KINDS = (
    *assignable(
        intune_type(
            TAG,
            "/deviceManagement/roleScopeTags",
            CONFIGURATION | RBAC,
            rules=WriteRules(required=("displayName",)),
            checks=(refuse_built_in_change, check_tag_name),
            delete_checks=(refuse_built_in,),
            new_id=next_number,
            versions=BETA,
        ),
        Assigning("roleScopeTagAutoAssignment", answers=True),
    ),
    intune_type(
        DEFINITION,
        "/deviceManagement/roleDefinitions",
        RBAC,
        rules=WriteRules(required=("displayName",)),
        checks=(refuse_built_in_change, check_definition),
        delete_checks=(refuse_built_in, refuse_assigned),
        actions=(Action("GET", "roleAssignments", list_assignments, RBAC.read),),
        expand={"roleAssignments": expand_assignments},
    ),
    intune_type(
        ASSIGNMENT,
        ASSIGNMENTS,
        RBAC,
        rules=WriteRules(required=("displayName",)),
        checks=(check_assignment,),
        verbs=frozenset({"list", "get", "update", "delete"}),
        actions=(
            Action("POST", ASSIGNMENTS, create_assignment, RBAC.write),
            Action("GET", "roleDefinition", get_definition, RBAC.read),
        ),
        expand={"roleDefinition": expand_definition},
    ),
)
