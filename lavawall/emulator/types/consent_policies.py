"""Permission grant policies: who may consent to what, as sets of conditions that include and exclude."""

from functools import partial

from lavawall.emulator import audit, registry
from lavawall.emulator.errors import bad_request, resource_not_found
from lavawall.emulator.model import Audit, EntityType, Permissions, Write
from lavawall.emulator.presentation import View, present
from lavawall.emulator.store import Json, Record, Session
from lavawall.emulator.types.tenant_policies import ASSIGNED, assigned_policy
from lavawall.emulator.validation import WriteRules

READ: Permissions = ("Policy.Read.PermissionGrant", "Policy.ReadWrite.PermissionGrant")
WRITE: Permissions = ("Policy.ReadWrite.PermissionGrant",)
POLICY = "permissionGrantPolicy"
BUILT_IN = "microsoft-"
CONDITION_KINDS = {"includes": "permissionGrantInclude", "excludes": "permissionGrantExclude"}
MATCH_ALL: Json = {
    "permissionClassification": "all",
    "resourceApplication": "any",
    "permissions": ["all"],
    "clientApplicationIds": ["all"],
    "clientApplicationTenantIds": ["all"],
    "clientApplicationPublisherIds": ["all"],
    "clientApplicationsFromVerifiedPublisherOnly": False,
}


def check_own(write: Write) -> None:
    refuse_built_in(write.session, str(write.after["id"]))


def refuse_built_in(session: Session, identifier: str) -> None:
    if identifier.startswith(BUILT_IN) and not session.is_seeding:
        raise bad_request(f"Policies that start with '{BUILT_IN}' are built in and cannot be written.")


def check_unassigned(session: Session, record: Record) -> None:
    refuse_built_in(session, record.id)
    for policy in session.directory.records["authorizationPolicy"].values():
        assigned = policy.body["defaultUserRolePermissions"].get(ASSIGNED) or []
        if record.id in {assigned_policy(each) for each in assigned}:
            raise bad_request("The permission grant policy is assigned to the default user role.")


def check_condition(write: Write) -> None:
    if write.session.directory.get(POLICY, write.parent_id) is None:
        raise resource_not_found(write.parent_id)
    refuse_built_in(write.session, write.parent_id)


def refuse_built_in_parent(session: Session, record: Record) -> None:
    refuse_built_in(session, record.parent_id)


def _shown(name: str, session: Session, record: Record) -> list[Json]:
    kind = registry.kind(CONDITION_KINDS[name])
    conditions = [each for each in session.directory.all(kind.name) if each.parent_id == record.id]
    return [present(session, kind, each) for each in conditions]


def show_conditions(view: View) -> None:
    for name in CONDITION_KINDS:
        view.body[name] = _shown(name, view.session, view.record)


def write_condition_audit(session: Session, verb: str, record: Record, _before: Json | None) -> None:
    """A condition set has no event of its own: its policy was updated."""
    policy = session.directory.records[POLICY].get(record.parent_id)
    if policy is None:
        return
    name = next(name for name, kind in CONDITION_KINDS.items() if kind == record.type_name)
    old, new = (None, record.body) if verb == "Add" else (record.body, None)
    audit.write(
        session,
        "Update permission grant policy",
        service=audit.CORE_DIRECTORY,
        category="AuthorizationPolicy",
        operation="Update",
        targets=[
            audit.target(policy, [audit.property_change(name, old, new)], target_type="PermissionGrantPolicy")
        ],
    )


def _conditions(name: str) -> EntityType:
    return EntityType(
        name=CONDITION_KINDS[name],
        schema="permissionGrantConditionSet",
        path=f"/policies/permissionGrantPolicies/{{parent}}/{name}",
        parent=POLICY,
        verbs=frozenset({"list", "get", "create", "delete"}),
        read=(*READ, "Directory.Read.All"),
        write=WRITE,
        rules=WriteRules(required=("permissionType",)),
        defaults=MATCH_ALL,
        checks=(check_condition,),
        delete_checks=(refuse_built_in_parent,),
        audit_writer=write_condition_audit,
        dates=(),
    )


KINDS = (
    EntityType(
        name=POLICY,
        path="/policies/permissionGrantPolicies",
        read=READ,
        write=WRITE,
        rules=WriteRules(
            computed=frozenset({"deletedDateTime"}),
            writable=frozenset({"id"}),
            immutable=frozenset({"id"}),
            required=("displayName",),
        ),
        audit=Audit(
            service=audit.CORE_DIRECTORY,
            category="AuthorizationPolicy",
            target_type="PermissionGrantPolicy",
            create="Add permission grant policy",
            update="Update permission grant policy",
            delete="Delete permission grant policy",
        ),
        checks=(check_own,),
        delete_checks=(check_unassigned,),
        dates=(),
        client_key="id",
        repeatable=frozenset({"id"}),
        present=show_conditions,
        expand={name: partial(_shown, name) for name in CONDITION_KINDS},
        expands_together=True,
    ),
    _conditions("includes"),
    _conditions("excludes"),
)
