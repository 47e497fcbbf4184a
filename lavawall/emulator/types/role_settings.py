"""PIM's settings: a policy of seventeen rules for each directory role, and for members and owners of each group.

Microsoft makes the policies by itself, so they are worked out here; stored is only what differs from the default.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from lavawall.emulator import audit, registry
from lavawall.emulator.errors import bad_request, denied, resource_not_found
from lavawall.emulator.model import Action, EntityType, Permissions
from lavawall.emulator.odata import listing, parse_query
from lavawall.emulator.permissions import app_permissions
from lavawall.emulator.presentation import View, present
from lavawall.emulator.requests import Answer, Call
from lavawall.emulator.store import Directory, Json, Record, Session, timestamp
from lavawall.emulator.types.role_rules import CONTEXT_RULE, DEFAULT_RULES, ENABLEMENTS, MFA_RULE
from lavawall.emulator.validation import WriteRules, checked_body

POLICY = "unifiedRoleManagementPolicy"
ASSIGNMENT = "unifiedRoleManagementPolicyAssignment"
RULE = "unifiedRoleManagementPolicyRule"
POLICIES = "/policies/roleManagementPolicies"
ASSIGNMENTS = "/policies/roleManagementPolicyAssignments"
READ_BY_SCOPE: dict[str, Permissions] = {
    "DirectoryRole": (
        "RoleManagement.Read.All",
        "RoleManagement.Read.Directory",
        "RoleManagement.ReadWrite.Directory",
        "RoleManagementPolicy.Read.Directory",
        "RoleManagementPolicy.ReadWrite.Directory",
    ),
    "Group": ("RoleManagementPolicy.Read.AzureADGroup", "RoleManagementPolicy.ReadWrite.AzureADGroup"),
}
WRITE_BY_SCOPE: dict[str, Permissions] = {
    "DirectoryRole": ("RoleManagementPolicy.ReadWrite.Directory",),
    "Group": ("RoleManagementPolicy.ReadWrite.AzureADGroup",),
}
READ = (*READ_BY_SCOPE["DirectoryRole"], *READ_BY_SCOPE["Group"])
WRITE = (*WRITE_BY_SCOPE["DirectoryRole"], *WRITE_BY_SCOPE["Group"])


@dataclass(frozen=True)
class Subject:
    """What a policy is about: a role in the directory, or being member or owner of a group."""

    scope_type: str
    scope_id: str
    role_id: str

    def policy_id(self, directory: Directory) -> str:
        owner = self.scope_id if self.scope_type == "Group" else directory.directory_id
        name = f"{self.scope_type}/{self.scope_id}/{self.role_id}"
        return f"{self.scope_type}_{owner}_{uuid5(UUID(directory.directory_id), name)}"


def role_subject(role_id: str) -> Subject:
    return Subject("DirectoryRole", "/", role_id)


def group_subject(group_id: str, access_id: str) -> Subject:
    return Subject("Group", group_id, access_id)


def can_be_managed(group: Record) -> bool:
    """Whether PIM takes a group: neither one whose members follow a rule nor one kept on premises."""
    body = group.body
    return "DynamicMembership" not in (body.get("groupTypes") or []) and not body.get("onPremisesSyncEnabled")


def subjects(directory: Directory) -> Iterator[Subject]:
    for role in directory.all("unifiedRoleDefinition"):
        yield role_subject(role.id)
    for group in directory.all("group"):
        if can_be_managed(group):
            yield group_subject(group.id, "member")
            yield group_subject(group.id, "owner")


def policy(directory: Directory, subject: Subject) -> Record:
    """The policy as stored, or as Microsoft made it."""
    identifier = subject.policy_id(directory)
    body = {
        "id": identifier,
        "displayName": subject.scope_type,
        "description": subject.scope_type,
        "isOrganizationDefault": False,
        "scopeId": subject.scope_id,
        "scopeType": subject.scope_type,
        "lastModifiedDateTime": None,
        "lastModifiedBy": {"displayName": None, "id": None},
        "rules": [],
    }
    return directory.get(POLICY, identifier) or Record(POLICY, body, directory.clock())


def _said(rule: Json) -> Json:
    """Without nulls and empty arrays, which say no more than a property that is missing."""
    found = {name: _said(value) if isinstance(value, dict) else value for name, value in rule.items()}
    return {name: value for name, value in found.items() if value not in (None, [])}


def _rules(found: Record) -> dict[str, Json]:
    return DEFAULT_RULES | {rule["id"]: rule for rule in found.body["rules"]}


def rule(directory: Directory, subject: Subject, rule_id: str) -> Json:
    """One rule as it stands for a role or for the members or owners of a group."""
    return _rules(policy(directory, subject))[rule_id]


def stored_policies(directory: Directory, scope_id: str, role_id: str = "") -> list[Record]:
    """What is stored for a group, or for one role of the directory."""
    pairs = (
        [role_subject(role_id)]
        if role_id
        else [group_subject(scope_id, each) for each in ("member", "owner")]
    )
    found = [directory.get(POLICY, each.policy_id(directory)) for each in pairs]
    return [each for each in found if each is not None]


def _policy_assignment(directory: Directory, subject: Subject) -> Record:
    policy_id = subject.policy_id(directory)
    body = {
        "id": f"{policy_id}_{subject.role_id}",
        "policyId": policy_id,
        "scopeId": subject.scope_id,
        "scopeType": subject.scope_type,
        "roleDefinitionId": subject.role_id,
    }
    return Record(ASSIGNMENT, body, directory.clock())


def _allow(session: Session, scope_type: str, permissions: dict[str, Permissions]) -> None:
    caller = session.caller
    if caller.kind == "app" and not app_permissions(session.directory, caller.object_id).intersection(
        permissions[scope_type]
    ):
        raise denied()


def _need_scope(call: Call) -> None:
    text = call.query.get("$filter", "")
    if "$skiptoken" not in call.query and not ("scopeId" in text and "scopeType" in text):
        raise bad_request("A filter on scopeId and scopeType is required.", "MissingProvider")
    _allow(call.session, "DirectoryRole" if "'DirectoryRole'" in text else "Group", READ_BY_SCOPE)


def list_policies(call: Call) -> Answer:
    _need_scope(call)
    directory = call.session.directory
    records = [policy(directory, each) for each in subjects(directory)]
    return Answer(200, listing(call, registry.kind(POLICY), records))


def list_policy_assignments(call: Call) -> Answer:
    _need_scope(call)
    directory = call.session.directory
    records = [_policy_assignment(directory, each) for each in subjects(directory)]
    return Answer(200, listing(call, registry.kind(ASSIGNMENT), records))


def _subject(call: Call) -> Subject:
    directory, identifier = call.session.directory, call.parameter("id")
    for each in subjects(directory):
        if identifier.startswith(each.policy_id(directory)):
            _allow(call.session, each.scope_type, READ_BY_SCOPE)
            return each
    raise resource_not_found(identifier)


def get_policy(call: Call) -> Answer:
    kind, found = registry.kind(POLICY), policy(call.session.directory, _subject(call))
    body = present(call.session, kind, found, expand=parse_query(call, kind).expand, single=True)
    return Answer(200, {"@odata.context": f"{call.root}/$metadata#{POLICIES[1:]}/$entity", **body})


def get_policy_assignment(call: Call) -> Answer:
    kind = registry.kind(ASSIGNMENT)
    found = _policy_assignment(call.session.directory, _subject(call))
    body = present(call.session, kind, found, expand=parse_query(call, kind).expand, single=True)
    return Answer(200, {"@odata.context": f"{call.root}/$metadata#{ASSIGNMENTS[1:]}/$entity", **body})


def _rule_records(found: Record) -> list[Record]:
    return [Record(RULE, body, found.visible_from, parent_id=found.id) for body in _rules(found).values()]


def list_rules(call: Call) -> Answer:
    found = policy(call.session.directory, _subject(call))
    context = f"{POLICIES[1:]}('{found.id}')/rules"
    return Answer(200, listing(call, registry.kind(RULE), _rule_records(found), context=context))


def _rule_record(call: Call, found: Record) -> Record:
    for each in _rule_records(found):
        if each.id == call.parameter("rule"):
            return each
    raise resource_not_found(call.parameter("rule"))


def get_rule(call: Call) -> Answer:
    found = policy(call.session.directory, _subject(call))
    body = present(call.session, registry.kind(RULE), _rule_record(call, found), single=True)
    context = f"{call.root}/$metadata#{POLICIES[1:]}('{found.id}')/rules/$entity"
    return Answer(200, {"@odata.context": context, **body})


def update_rule(call: Call) -> Answer:
    session, subject = call.session, _subject(call)
    _allow(session, subject.scope_type, WRITE_BY_SCOPE)
    if (
        subject.scope_type == "DirectoryRole"
        and session.caller.kind == "app"
        and not session.options.role_settings_by_apps
    ):
        raise denied()
    change_rule(session, subject, call.parameter("rule"), call.json())
    return Answer(204)


def change_rule(session: Session, subject: Subject, rule_id: str, body: Any) -> None:
    """Replaces what is sent of one rule of a policy; its id and type are fixed."""
    found = policy(session.directory, subject)
    rules = _rules(found)
    if rule_id not in rules:
        raise resource_not_found(rule_id)
    before = rules[rule_id]
    after = {**before, **_checked_rule(session, body, before)}
    _check_together({**rules, rule_id: after})
    stored = [
        rule for rule in {**rules, rule_id: after}.values() if _said(rule) != _said(DEFAULT_RULES[rule["id"]])
    ]
    changed = {
        **found.body,
        "rules": stored,
        "lastModifiedDateTime": timestamp(session.now),
        "lastModifiedBy": {"displayName": session.caller.display_name, "id": None},
    }
    session.directory.add(Record(POLICY, changed, found.visible_from))
    _write_audit(session, subject, before, after)


def _checked_rule(session: Session, body: Any, before: Json) -> Json:
    sent = dict(body) if isinstance(body, dict) else {}
    if sent.pop("id", before["id"]) != before["id"]:
        raise bad_request("The id of a rule cannot be changed.", "InvalidPolicyRule")
    operations = (sent.get("target") or {}).get("operations")
    if isinstance(operations, list):
        sent["target"] = {**sent["target"], "operations": [str(each).lower() for each in operations]}
    checked = checked_body(sent, RULE, WriteRules(typed=True), creating=False, version=session.version)
    if isinstance(operations, list):
        checked["target"]["operations"] = operations
    if checked["@odata.type"] != before["@odata.type"]:
        raise bad_request(f"The rule '{before['id']}' has another type.", "InvalidPolicyRule")
    unknown = set(checked.get("enabledRules", ())) - ENABLEMENTS
    if unknown:
        raise bad_request(f"Unknown enabled rules: {sorted(unknown)}.", "InvalidPolicyRule")
    return checked


def _check_together(rules: dict[str, Json]) -> None:
    """An authentication context takes the place of MFA, so both at once are refused."""
    context = rules[CONTEXT_RULE]
    if not context["isEnabled"]:
        return
    if not context.get("claimValue"):
        raise bad_request("An enabled authentication context needs a claimValue.", "InvalidPolicyRule")
    if "MultiFactorAuthentication" in rules[MFA_RULE]["enabledRules"]:
        raise bad_request(
            "MultiFactorAuthentication and an authentication context cannot be required together.",
            "InvalidPolicyRule",
        )


def _write_audit(session: Session, subject: Subject, before: Json, after: Json) -> None:
    directory = session.directory
    if subject.scope_type == "Group":
        target = directory.get("group", subject.scope_id)
    else:
        target = directory.get("unifiedRoleDefinition", subject.role_id)
    if target is None:
        return
    changes = [audit.property_change(before["id"], before, after)]
    audit.write(
        session,
        "Update role setting in PIM",
        service=audit.PIM,
        category="RoleManagement",
        operation="Update",
        targets=[audit.target(target, changes)],
    )


def hide_rules(view: View) -> None:
    view.body.pop("rules", None)


def show_rules(session: Session, found: Record) -> list[Json]:
    return [present(session, registry.kind(RULE), each) for each in _rule_records(found)]


def _policy_of(*expand: str) -> Any:
    def shown(session: Session, assignment: Record) -> Json:
        body = assignment.body
        subject = Subject(body["scopeType"], body["scopeId"], body["roleDefinitionId"])
        return present(session, registry.kind(POLICY), policy(session.directory, subject), expand=expand)

    return shown


KINDS = (
    EntityType(
        name=POLICY,
        path=POLICIES,
        verbs=frozenset(),
        read=READ,
        write=WRITE,
        actions=(
            Action("GET", POLICIES, list_policies, READ),
            Action("GET", f"{POLICIES}/{{id}}", get_policy, READ),
            Action("GET", "rules", list_rules, READ),
            Action("GET", "effectiveRules", list_rules, READ),
            Action("GET", "rules/{rule}", get_rule, READ),
            Action("PATCH", "rules/{rule}", update_rule, WRITE),
        ),
        filterable=frozenset({"scopeId", "scopeType"}),
        expand={"rules": show_rules, "effectiveRules": show_rules},
        expands_together=True,
        present=hide_rules,
    ),
    EntityType(
        name=ASSIGNMENT,
        path=ASSIGNMENTS,
        verbs=frozenset(),
        read=READ,
        actions=(
            Action("GET", ASSIGNMENTS, list_policy_assignments, READ),
            Action("GET", f"{ASSIGNMENTS}/{{id}}", get_policy_assignment, READ),
        ),
        filterable=frozenset({"scopeId", "scopeType", "roleDefinitionId"}),
        expand={
            "policy": _policy_of(),
            "policy($expand=rules)": _policy_of("rules"),
            "policy($expand=rules,effectiveRules)": _policy_of("rules", "effectiveRules"),
        },
    ),
    EntityType(
        name=RULE,
        path=f"{POLICIES}/{{parent}}/rules",
        verbs=frozenset(),
        read=READ,
        ordered=frozenset({"approvalStages"}),
    ),
)
