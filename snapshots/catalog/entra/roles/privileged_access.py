"""Privileged Identity Management of directory roles: schedules and role settings, declared for the registry.

Facts: Microsoft Graph's v1.0 metadata and reference pages of role schedules and role management policies.
"""

from collections.abc import Callable

from snapshots.catalog.entra.roles.roles import APP_SCOPE, SCOPE_REFERENCES, comes_from_a_schedule
from snapshots.catalog.spec import (
    AuditHints,
    AutoCreatedWith,
    Comparison,
    Create,
    Delete,
    Document,
    EndsByItself,
    Guards,
    Identity,
    Nested,
    Order,
    Permissions,
    RankWithinType,
    Read,
    Reference,
    ResourceType,
    Restore,
    SetOf,
    Update,
)

_DIRECTORY = "/v1.0/roleManagement/directory"
_POLICIES = "/v1.0/policies"

JUSTIFICATION = "Brought back by Lavawall"
LICENCE = "Microsoft Entra ID P2 or Governance"
END = "scheduleInfo.expiration.endDateTime"
SCHEDULE_COMPUTED = (
    "createdUsing",
    "memberType",
    "principal",
    "scheduleInfo.startDateTime",
    "status",
)
SCHEDULE_NOTES = (
    "A schedule gets a new ID each time it is created. It is identified by its principal and what it grants.",
    "The start time is not part of the state: Microsoft sets it to the time of the write.",
    "Only direct schedules are stored: activations are temporary, and inherited ones follow from a group.",
    "Expired schedules are not restored.",
    "Microsoft accepts the request and performs it later; the role's settings also apply to it.",
)


def is_direct(schedule: Document) -> bool:
    return str(schedule.get("memberType") or "Direct").lower() == "direct"


def is_assigned_for_a_time(schedule: Document) -> bool:
    """Direct, assigned, and with an end: a permanent one is stored as what it gives, such as a role assignment."""
    is_assigned = str(schedule.get("assignmentType") or "").lower() != "activated"
    return is_direct(schedule) and is_assigned and comes_from_a_schedule(schedule)


def _asking(action: str, *names: str) -> Callable[[Document], Document]:
    """The body of a schedule request about the object, by the names that tell which it is."""

    def body(document: Document) -> Document:
        key_fields = {name: document[name] for name in names if name in document}
        return {"action": action, "justification": JUSTIFICATION, **key_fields}

    return body


def written_by_requests(
    root: str, segment: str, identity: tuple[str, ...], *further: str, rank: int
) -> Restore:
    """Schedules are written by requests, which name the schedule by its identity and the `further` properties."""
    requests, names = f"{root}/{segment}ScheduleRequests", (*identity, *further)
    update = _asking("adminUpdate", *names, "scheduleInfo")
    return Restore(
        writable=("scheduleInfo",),
        create=Create(
            path=requests,
            only=names,
            given=("assignmentType", "status"),
            listing=f"{root}/{segment}Schedules",
            shape=_asking("adminAssign", *names, "scheduleInfo"),
            new_id_note="Nothing refers to a schedule.",
        ),
        update=Update(path=requests, method="POST", shape=lambda body, wanted: update({**wanted, **body})),
        delete=Delete(path=requests, method="POST", shape=_asking("adminRemove", *names)),
        order=Order(rank=rank),
        guards=Guards(quirks=(EndsByItself(END),)),
    )


_IDENTITY = ("principalId", "roleDefinitionId", "directoryScopeId")


def _schedule_name(raw: Document) -> str:
    scope = raw.get("directoryScopeId")
    where = "" if scope in (None, "/") else f" in {scope}"
    return f"{raw.get('principalId', '')} as {raw.get('roleDefinitionId', '')}{where}"


_RULES = {
    "Approval": "Approval",
    "AuthenticationContext": "Authentication context",
    "Enablement": "Requirements",
    "Expiration": "Expiration",
    "Notification_Admin": "Notification of administrators",
    "Notification_Approver": "Notification of approvers",
    "Notification_Requestor": "Notification of assignees",
}
_ASSIGNMENTS = {
    "Admin_Assignment": "active assignments",
    "Admin_Eligibility": "eligible assignments",
    "EndUser_Assignment": "activations",
}


def _rule_in_words(rule_id: str) -> str:
    """`Expiration_Admin_Eligibility` → `Expiration of eligible assignments`."""
    what, _, level = rule_id.rpartition("_")
    what, _, caller = what.rpartition("_")
    if what in _RULES and f"{caller}_{level}" in _ASSIGNMENTS:
        return f"{_RULES[what]} of {_ASSIGNMENTS[f'{caller}_{level}']}"
    return rule_id


def _role_schedule(
    key: str,
    label: str,
    plural: str,
    segment: str,
    *,
    exists: Callable[[Document], bool],
    permission: str,
    activities: tuple[str, ...],
    notes: tuple[str, ...],
    order: int,
) -> ResourceType:
    return ResourceType(
        key=key,
        label=label,
        plural=plural,
        area="Roles",
        read=Read(
            path=f"{_DIRECTORY}/{segment}Schedules",
            exists=exists,
            find_params={
                "$filter": "principalId eq '{principalId}' and roleDefinitionId eq '{roleDefinitionId}'"
            },
        ),
        permissions=Permissions(
            read=(f"{permission}.Read.Directory",),
            write=(f"{permission}.ReadWrite.Directory",),
            read_also=("RoleManagement.Read.All", "RoleManagement.Read.Directory"),
            write_also=("RoleManagement.ReadWrite.Directory",),
        ),
        identity=Identity(
            properties=_IDENTITY,
            natural_key=_IDENTITY,
            name=_schedule_name,
        ),
        comparison=Comparison(computed=(*SCHEDULE_COMPUTED, "appScope", "directoryScope", "roleDefinition")),
        references=(
            Reference("principalId", to="directoryObject"),
            Reference("roleDefinitionId", to="unifiedRoleDefinition"),
            *SCOPE_REFERENCES,
        ),
        not_references=APP_SCOPE,
        restore=written_by_requests(_DIRECTORY, segment, _IDENTITY, "appScopeId", rank=order),
        audit=AuditHints(
            activities=activities,
            services=("PIM", "Core Directory"),
            targets=("principalId", "roleDefinitionId"),
        ),
        licence=LICENCE,
        notes=(*SCHEDULE_NOTES, *notes),
    )


ELIGIBLE_ROLE = _role_schedule(
    "unifiedRoleEligibilitySchedule",
    "Eligible role",
    "Eligible roles",
    "roleEligibility",
    exists=is_direct,
    permission="RoleEligibilitySchedule",
    activities=(
        "add eligible member to role",
        "add eligible member to role in pim completed (permanent)",
        "add eligible member to role in pim completed (timebound)",
        "add eligible member to role in pim requested (permanent)",
        "add eligible member to role in pim requested (timebound)",
        "remove eligible member from role",
        "remove eligible member from role in pim completed (permanent)",
        "remove eligible member from role in pim completed (timebound)",
        "update eligible member in pim",
        "update eligible member in role in pim completed",
    ),
    notes=(),
    order=74,
)

ACTIVE_ROLE = _role_schedule(
    "unifiedRoleAssignmentSchedule",
    "Role assigned for a time",
    "Roles assigned for a time",
    "roleAssignment",
    exists=is_assigned_for_a_time,
    permission="RoleAssignmentSchedule",
    activities=(
        "add member to role",
        "add member to role in pim completed (timebound)",
        "add member to role in pim requested (timebound)",
        "remove member from role",
        "remove member from role in pim completed (timebound)",
        "update member in pim",
        "update member in role in pim completed",
    ),
    notes=(
        (
            "A permanent assignment is stored as `unifiedRoleAssignment`, which can be written without "
            "PIM and is listed in every tenant. This type contains assignments with an end date."
        ),
    ),
    order=75,
)


def _rule_turn(wanted: Document) -> int:
    """A rule that asks for an authentication context excludes MFA in its neighbour: it gives way first, comes last."""
    if "AuthenticationContextRule" not in str(wanted.get("@odata.type")):
        return 1
    return 2 if wanted.get("isEnabled") is True else 0


def _whole_rule(body: Document, wanted: Document) -> Document:
    """Microsoft wants the rule with its target, not only what differs."""
    return {**{name: wanted[name] for name in wanted if name != "roleDefinitionId"}, **body}


_APPROVERS = "setting.approvalStages[].primaryApprovers"
_ESCALATION = "setting.approvalStages[].escalationApprovers"
_APPROVER_KINDS = (
    ("connectedOrganizationId", "connectedOrganization"),
    ("groupId", "group"),
    ("id", "directoryObject"),
    ("servicePrincipalId", "servicePrincipal"),
    ("userId", "user"),
)

ROLE_SETTING = ResourceType(
    key="unifiedRoleManagementPolicyRule",
    label="PIM role setting",
    plural="PIM role settings",
    area="Roles",
    read=Read(
        path=f"{_POLICIES}/roleManagementPolicyAssignments",
        params={
            "$filter": "scopeId eq '/' and scopeType eq 'DirectoryRole'",
            "$expand": "policy($expand=rules)",
        },
        find_params={
            "$filter": "scopeId eq '/' and scopeType eq 'DirectoryRole' and roleDefinitionId eq '{roleDefinitionId}'",
            "$expand": "policy($expand=rules)",
        },
        quirks=(
            Nested("policy.rules", inject={"roleDefinitionId": "roleDefinitionId", "policyId": "policyId"}),
        ),
    ),
    permissions=Permissions(
        read=("RoleManagement.Read.Directory",),
        write=("RoleManagementPolicy.ReadWrite.Directory",),
        read_also=("RoleManagement.Read.All", "RoleManagement.ReadWrite.Directory"),
    ),
    identity=Identity(
        properties=("roleDefinitionId", "id"),
        name=lambda raw: f"{_rule_in_words(str(raw.get('id', '')))} for {raw.get('roleDefinitionId', '')}",
    ),
    comparison=Comparison(
        computed=(
            "policyId",
            *(f"{where}[].{name}" for where in (_APPROVERS, _ESCALATION) for name in ("description", "id")),
        ),
        sets=(
            SetOf("enabledRules"),
            SetOf("notificationRecipients"),
            SetOf("target.enforcedSettings"),
            SetOf("target.inheritableSettings"),
            SetOf("target.operations"),
            SetOf(_APPROVERS),
            SetOf(_ESCALATION),
        ),
        normalise={"maximumDuration": "duration", "target.operations[]": "lower"},
    ),
    references=(
        Reference("roleDefinitionId", to="unifiedRoleDefinition"),
        Reference("claimValue", to="authenticationContextClassReference"),
        *(
            Reference(f"{approvers}[].{name}", to=kind)
            for approvers in (_APPROVERS, _ESCALATION)
            for name, kind in _APPROVER_KINDS
        ),
    ),
    restore=Restore(
        writable=(
            "claimValue",
            "enabledRules",
            "isDefaultRecipientsEnabled",
            "isEnabled",
            "isExpirationRequired",
            "maximumDuration",
            "notificationLevel",
            "notificationRecipients",
            "setting",
        ),
        typed=True,
        create=Create(quirks=(AutoCreatedWith("roleDefinitionId"),)),
        update=Update(
            path=f"{_POLICIES}/roleManagementPolicies/{{policyId}}/rules/{{id}}", shape=_whole_rule
        ),
        order=Order(rank=65, quirks=(RankWithinType(_rule_turn),)),
    ),
    audit=AuditHints(
        activities=("update role setting in pim", "update role setting", "disable pim alert"),
        services=("PIM",),
        targets=("roleDefinitionId",),
    ),
    licence=LICENCE,
    notes=(
        (
            "Microsoft's documentation is contradictory on whether an application may write role "
            "settings. Lavawall tries it and reports a refusal with its remedy (grant the permission, "
            "or change the setting manually)."
        ),
        (
            "Rules are identified by their role and fixed ID; durations of days and times are compared by "
            "length."
        ),
        "A rule is written as a whole, as Microsoft requires.",
        "A recreated role gets a policy with Microsoft's defaults; its rules are then restored.",
    ),
)

TYPES = (ELIGIBLE_ROLE, ACTIVE_ROLE, ROLE_SETTING)
