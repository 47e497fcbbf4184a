"""Activated directory roles and the scoped members of administrative units: older views of role assignments."""

import base64
from collections.abc import Iterator
from uuid import UUID

from lavawall.emulator import entities, recycle, registry
from lavawall.emulator.errors import bad_request, resource_not_found
from lavawall.emulator.model import NO_PAGING, Action, EntityType, Write
from lavawall.emulator.odata import listing
from lavawall.emulator.presentation import present
from lavawall.emulator.requests import Answer, Call
from lavawall.emulator.store import Json, Record, Session
from lavawall.emulator.types import administrative_units, roles
from lavawall.emulator.validation import WriteRules

PATH = "/directoryRoles"
SCOPED_PATH = f"{administrative_units.PATH}/{{id}}/scopedRoleMembers"
SCOPED_READ = roles.READ[:2] + roles.READ[3:]
SCOPED = "scopedRoleMembership"


def check_activation(write: Write) -> None:
    directory, template_id = write.session.directory, write.after["roleTemplateId"]
    template = directory.get("unifiedRoleDefinition", template_id)
    if template is None or not template.body.get("isBuiltIn"):
        raise resource_not_found(template_id)
    if directory.by_property("directoryRole", "roleTemplateId", template_id) is not None:
        raise bad_request(
            "A conflicting object with one or more of the specified property values is present in the directory."
        )
    write.after |= {"displayName": template.name, "description": template.body.get("description")}


def activated_id(write: Write) -> str:
    return roles.activated_role_id(write.session, write.after["roleTemplateId"])


def _role(call: Call) -> Record:
    return entities.find(call.session, registry.kind("directoryRole"), call.parameter("id"))


def _assignments(session: Session, role: Record) -> Iterator[Record]:
    return (
        each
        for each in session.directory.all("unifiedRoleAssignment")
        if each.body["roleDefinitionId"] == role.body["roleTemplateId"]
    )


def _members(call: Call) -> dict[str, Record]:
    """The tenant-wide assignments of a role by principal."""
    held = _assignments(call.session, _role(call))
    return {each.body["principalId"]: each for each in held if each.body["directoryScopeId"] == "/"}


def list_members(call: Call) -> Answer:
    return recycle.list_objects(call, list(_members(call)), context="directoryObjects")


def add_member(call: Call) -> Answer:
    body, role = call.json(), _role(call)
    url = body.get("@odata.id") if isinstance(body, dict) else None
    if not isinstance(url, str):
        raise bad_request("A '@odata.id' with the address of a directory object is required.")
    _assign(call, role, url.rstrip("/").rsplit("/", 1)[-1].lower(), "/")
    return Answer(204)


def remove_member(call: Call) -> Answer:
    assignment = _members(call).get(call.parameter("target"))
    if assignment is None:
        raise resource_not_found(call.parameter("target"))
    entities.delete(call.session, registry.kind("unifiedRoleAssignment"), assignment)
    return Answer(204)


def _assign(call: Call, role: Record, principal_id: str, scope: str) -> Record:
    body = {
        "roleDefinitionId": role.body["roleTemplateId"],
        "principalId": principal_id,
        "directoryScopeId": scope,
    }
    return entities.create(call.session, registry.kind("unifiedRoleAssignment"), body)


def _scoped(session: Session, assignment: Record) -> Record:
    """An assignment in the scope of an administrative unit as its scoped membership."""
    body = assignment.body
    unit_id = body["directoryScopeId"].rsplit("/", 1)[-1]
    role_id = roles.activated_role_id(session, body["roleDefinitionId"])
    parts = b"".join(UUID(each).bytes_le for each in (role_id, unit_id, body["principalId"]))
    principal = session.directory.directory_object(body["principalId"])
    shown: Json = {
        "id": base64.urlsafe_b64encode(parts).decode().rstrip("="),
        "administrativeUnitId": unit_id,
        "roleId": role_id,
        "roleMemberInfo": {"id": body["principalId"], "displayName": principal.name if principal else None},
    }
    return Record(SCOPED, shown, assignment.visible_from, secrets={"assignment": assignment.id})


def _unit_members(call: Call) -> list[Record]:
    """The scoped memberships of a unit; custom roles have none, for they are never activated."""
    session = call.session
    unit = entities.find(session, registry.kind("administrativeUnit"), call.parameter("id"))
    scope = administrative_units.scope_of(unit.id)
    return [
        _scoped(session, each)
        for each in session.directory.all("unifiedRoleAssignment")
        if each.body["directoryScopeId"] == scope
        and session.directory.by_property("directoryRole", "roleTemplateId", each.body["roleDefinitionId"])
    ]


def list_scoped_members(call: Call) -> Answer:
    return Answer(200, listing(call, registry.kind(SCOPED), _unit_members(call)))


def list_scoped_of_role(call: Call) -> Answer:
    found = _assignments(call.session, _role(call))
    prefix = administrative_units.scope_of("")
    scoped = [each for each in found if each.body["directoryScopeId"].startswith(prefix)]
    return Answer(200, listing(call, registry.kind(SCOPED), [_scoped(call.session, each) for each in scoped]))


def _scoped_member(call: Call) -> Record:
    found = next((each for each in _unit_members(call) if each.id == call.parameter("member")), None)
    if found is None:
        raise resource_not_found(call.parameter("member"))
    return found


def _scoped_answer(call: Call, record: Record, status: int) -> Answer:
    body = present(call.session, registry.kind(SCOPED), record, single=True)
    return Answer(status, {"@odata.context": f"{call.root}/$metadata#scopedRoleMemberships/$entity", **body})


def get_scoped_member(call: Call) -> Answer:
    return _scoped_answer(call, _scoped_member(call), 200)


def add_scoped_member(call: Call) -> Answer:
    body = call.json()
    member = body.get("roleMemberInfo") if isinstance(body, dict) else None
    if not isinstance(member, dict) or not member.get("id") or not body.get("roleId"):
        raise bad_request("'roleId' and 'roleMemberInfo/id' are required.")
    unit = entities.find(call.session, registry.kind("administrativeUnit"), call.parameter("id"))
    role = entities.find(call.session, registry.kind("directoryRole"), str(body["roleId"]).lower())
    assignment = _assign(call, role, str(member["id"]).lower(), administrative_units.scope_of(unit.id))
    return _scoped_answer(call, _scoped(call.session, assignment), 201)


def remove_scoped_member(call: Call) -> Answer:
    kind = registry.kind("unifiedRoleAssignment")
    assignment = entities.find(call.session, kind, _scoped_member(call).secrets["assignment"])
    entities.delete(call.session, kind, assignment)
    return Answer(204)


KINDS = (
    EntityType(
        name="directoryRole",
        path=PATH,
        verbs=frozenset({"list", "get", "create"}),
        read=roles.READ,
        write=roles.WRITE,
        rules=WriteRules(
            computed=frozenset({"deletedDateTime"}),
            writable=frozenset({"roleTemplateId"}),
            required=("roleTemplateId",),
        ),
        checks=(check_activation,),
        new_id=activated_id,
        dates=(),
        alternate_keys=("roleTemplateId",),
        largest_page=NO_PAGING,
        actions=(
            Action("GET", "members", list_members, roles.READ),
            Action("POST", "members/$ref", add_member, roles.WRITE),
            Action("DELETE", "members/{target}/$ref", remove_member, roles.WRITE),
            Action("GET", "scopedMembers", list_scoped_of_role, roles.READ),
        ),
    ),
    EntityType(
        name=SCOPED,
        path=SCOPED_PATH,
        verbs=frozenset(),
        read=SCOPED_READ,
        actions=(
            Action("GET", SCOPED_PATH, list_scoped_members, SCOPED_READ),
            Action("POST", SCOPED_PATH, add_scoped_member, roles.WRITE),
            Action("GET", SCOPED_PATH + "/{member}", get_scoped_member, SCOPED_READ),
            Action("DELETE", SCOPED_PATH + "/{member}", remove_scoped_member, roles.WRITE),
        ),
    ),
)
