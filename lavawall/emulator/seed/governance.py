"""Governs one tenant of the demo: administrative units, who is eligible for or active in a role, and PIM's settings."""

from lavawall.emulator.permissions import GLOBAL_ADMINISTRATOR
from lavawall.emulator.seed.builder import TenantBuilder, UserLogin, reference_data
from lavawall.emulator.store import Json
from lavawall.emulator.types import role_settings

FOREVER: Json = {"expiration": {"type": "noExpiration"}}
LONG: Json = {"expiration": {"type": "afterDateTime", "endDateTime": "2099-06-30T00:00:00Z"}}


def _role(name: str) -> str:
    found: str = reference_data("directory_roles")["roles"][name]
    return found


def govern(
    builder: TenantBuilder,
    people: list[UserLogin],
    administrator: UserLogin,
    emergency: list[UserLogin],
    *,
    administrators: str,
    team: str,
) -> None:
    """`administrators` is the role-assignable group of the IT, `team` a group of the front of the house."""
    front = _units(builder, people, emergency, team)
    scope = f"/administrativeUnits/{front}"
    builder.role(_role("Helpdesk Administrator"), people[1].id, scope=scope)
    eligible = (
        (administrator.id, "Privileged Role Administrator", "/", FOREVER),
        (administrators, "Security Administrator", "/", LONG),
        (people[1].id, "Groups Administrator", scope, LONG),
    )
    for principal_id, role, where, info in eligible:
        _request(builder, "Eligibility", "adminAssign", principal_id, _role(role), where, info)
    _request(builder, "Assignment", "adminUpdate", people[0].id, _role("Exchange Administrator"), "/", LONG)
    _settings(builder, administrators)
    builder.add(
        "privilegedAccessGroupEligibilityScheduleRequest",
        {
            "action": "adminAssign",
            "groupId": administrators,
            "principalId": people[0].id,
            "accessId": "member",
            "justification": "Stands in for the IT during holidays",
            "scheduleInfo": LONG,
        },
        name="stand-in",
    )
    builder.add(
        "privilegedAccessGroupAssignmentScheduleRequest",
        {
            "action": "adminAssign",
            "groupId": administrators,
            "principalId": people[2].id,
            "accessId": "member",
            "justification": "Helps the IT until the move is done",
            "scheduleInfo": LONG,
        },
        name="helper",
    )


def _units(builder: TenantBuilder, people: list[UserLogin], emergency: list[UserLogin], team: str) -> str:
    """The units; returns the id of the first."""
    first = builder.add(
        "administrativeUnit",
        {"displayName": "Front of House", "description": "Managed by the people on site"},
        links={"members": [team, people[3].id, people[4].id]},
    )
    builder.add(
        "administrativeUnit",
        {"displayName": "Confidential", "visibility": "HiddenMembership"},
        links={"members": [people[5].id]},
    )
    builder.add(
        "administrativeUnit",
        {
            "displayName": "Finance by Rule",
            "membershipType": "Dynamic",
            "membershipRule": '(user.department -eq "Finance")',
            "membershipRuleProcessingState": "On",
        },
        links={"members": [people[6].id]},
    )
    builder.add(
        "administrativeUnit",
        {"displayName": "Protected Accounts", "isMemberManagementRestricted": True},
        links={"members": [login.id for login in emergency]},
    )
    return first.id


def _request(
    builder: TenantBuilder, level: str, action: str, principal_id: str, role_id: str, scope: str, info: Json
) -> None:
    builder.add(
        f"unifiedRole{level}ScheduleRequest",
        {
            "action": action,
            "principalId": principal_id,
            "roleDefinitionId": role_id,
            "directoryScopeId": scope,
            "justification": "Set up with the tenant",
            "scheduleInfo": info,
        },
        name=f"{principal_id}/{role_id}/{scope}",
    )


def _settings(builder: TenantBuilder, approvers: str) -> None:
    """Global Administrators are activated for a short time, with a ticket and the approval of the IT."""
    stage = {
        "approvalStageTimeOutInDays": 1,
        "isApproverJustificationRequired": True,
        "escalationTimeInMinutes": 0,
        "isEscalationEnabled": False,
        "primaryApprovers": [{"@odata.type": "#microsoft.graph.groupMembers", "groupId": approvers}],
        "escalationApprovers": [],
    }
    setting = {
        "isApprovalRequired": True,
        "isApprovalRequiredForExtension": False,
        "isRequestorJustificationRequired": True,
        "approvalMode": "SingleStage",
        "approvalStages": [stage],
    }
    changes: tuple[tuple[str, str, Json], ...] = (
        ("Expiration", "Expiration_EndUser_Assignment", {"maximumDuration": "PT4H"}),
        (
            "Enablement",
            "Enablement_EndUser_Assignment",
            {"enabledRules": ["MultiFactorAuthentication", "Justification", "Ticketing"]},
        ),
        ("Approval", "Approval_EndUser_Assignment", {"setting": setting}),
    )
    for kind, rule_id, settings in changes:
        body = {"@odata.type": f"#microsoft.graph.unifiedRoleManagementPolicy{kind}Rule", **settings}
        subject = role_settings.role_subject(GLOBAL_ADMINISTRATOR)
        role_settings.change_rule(builder.session(), subject, rule_id, body)
