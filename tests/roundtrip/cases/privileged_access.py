"""PIM: eligible and active schedules of roles and of groups, and the settings of roles."""

from typing import Any
from urllib.parse import quote

from tests.roundtrip.model import Act, Case, Json, World, impossible

ROLES = "/v1.0/roleManagement/directory"
GROUPS = "/v1.0/identityGovernance/privilegedAccess/group"
POLICIES = "/v1.0/policies"
HELPDESK, GLOBAL_ADMINISTRATOR = (
    "729827e3-9c14-49f7-bb1b-9608f156bbb8",
    "62e90394-69f5-4237-9190-012177145e10",
)
FOR_GOOD: Json = {"expiration": {"type": "noExpiration"}}
FOR_LONG: Json = {"expiration": {"type": "afterDateTime", "endDateTime": "2098-01-01T00:00:00Z"}}
UNTIL_LATER: Json = {"expiration": {"type": "afterDateTime", "endDateTime": "2098-12-31T00:00:00Z"}}


def filtered(path: str, condition: str) -> str:
    return f"{path}?$filter={quote(condition)}"


def schedules(path: str, *, ending: bool = False) -> Any:
    """Picks the first direct schedule of a listing, with what names it in a request."""

    def pick(world: World) -> Json:
        found = world.read(path)["value"]
        return next(
            each
            for each in found
            if each["memberType"].lower() == "direct"
            and (not ending or each["scheduleInfo"]["expiration"]["type"] == "afterDateTime")
        )

    return pick


def group_schedules(segment: str) -> Any:
    def pick(world: World) -> Json:
        for group in world.read("/v1.0/groups")["value"]:
            listing = filtered(f"{GROUPS}/{segment}Schedules", f"groupId eq '{group['id']}'")
            found: list[Json] = world.read(listing)["value"]
            for schedule in found:
                if schedule["scheduleInfo"]["expiration"]["type"] == "afterDateTime":
                    return schedule
        raise LookupError(segment)

    return pick


def asking(action: str, names: tuple[str, ...], **more: Any) -> Any:
    def body(_world: World, subject: Json) -> Json:
        return {
            "action": action,
            "justification": "planted",
            **{name: subject[name] for name in names},
            **more,
        }

    return body


def given_to_somebody(**facts: Any) -> Any:
    def body(world: World, _subject: Json) -> Json:
        return {
            "action": "adminAssign",
            "justification": "planted",
            "principalId": world.named("/v1.0/users", "Lena")["id"],
            **{name: value(world) if callable(value) else value for name, value in facts.items()},
        }

    return body


def team(world: World) -> str:
    return str(world.named("/v1.0/groups", "IT Administrators")["id"])


ROLE = ("principalId", "roleDefinitionId", "directoryScopeId")
MEMBER = ("groupId", "principalId", "accessId")


def _prolonged(world: World, subject: Json, properties: Json) -> Json:
    names = ROLE if "roleDefinitionId" in subject else MEMBER
    body: Json = asking("adminUpdate", names)(world, subject)
    return {**body, **properties}


def role_case(key: str, segment: str, role: str, info: Json, *, ending: bool = False) -> Case:
    requests = f"{ROLES}/{segment}ScheduleRequests"
    return Case(
        key=key,
        subject=schedules(f"{ROLES}/{segment}Schedules", ending=ending),
        path=requests,
        method="POST",
        shape=_prolonged,
        updates={"scheduleInfo": UNTIL_LATER},
        create=[
            Act(
                "POST",
                requests,
                given_to_somebody(roleDefinitionId=role, directoryScopeId="/", scheduleInfo=info),
            )
        ],
        delete=[Act("POST", requests, asking("adminRemove", ROLE))],
        more={"made permanent": [Act("POST", requests, asking("adminUpdate", ROLE, scheduleInfo=FOR_GOOD))]}
        if ending
        else {},
        types=("unifiedRoleAssignment",),
    )


def group_case(key: str, segment: str, info: Json) -> Case:
    requests = f"{GROUPS}/{segment}ScheduleRequests"
    return Case(
        key=key,
        subject=group_schedules(segment),
        path=requests,
        method="POST",
        shape=_prolonged,
        updates={"scheduleInfo": UNTIL_LATER},
        create=[Act("POST", requests, given_to_somebody(groupId=team, accessId="owner", scheduleInfo=info))],
        delete=[Act("POST", requests, asking("adminRemove", MEMBER))],
        more={
            "made permanent": [Act("POST", requests, asking("adminUpdate", MEMBER, scheduleInfo=FOR_GOOD))]
        },
        types=("group",),
    )


RULES = f"{POLICIES}/roleManagementPolicies/{{policyId}}/rules"
ENABLEMENT: Json = {
    "@odata.type": "#microsoft.graph.unifiedRoleManagementPolicyEnablementRule",
    "id": "Enablement_EndUser_Assignment",
}


def rule(name: str) -> Any:
    """One rule of the Global Administrator's settings."""

    def pick(world: World) -> Json:
        listing = filtered(
            f"{POLICIES}/roleManagementPolicyAssignments", "scopeId eq '/' and scopeType eq 'DirectoryRole'"
        )
        policy = next(
            each["policyId"]
            for each in world.read(listing)["value"]
            if each["roleDefinitionId"] == GLOBAL_ADMINISTRATOR
        )
        return {**world.read(f"{POLICIES}/roleManagementPolicies/{policy}/rules/{name}"), "policyId": policy}

    return pick


def _whole(_world: World, subject: Json, properties: Json) -> Json:
    stored = {
        name: value for name, value in subject.items() if "@odata.context" not in name and name != "policyId"
    }
    return {**stored, **properties}


def rule_case(name: str, more: dict[str, Any] | None = None, **updates: Any) -> Case:
    return Case(
        key="unifiedRoleManagementPolicyRule",
        variant=name,
        subject=rule(name),
        path=f"{RULES}/{{id}}",
        shape=_whole,
        updates=updates,
        more=more or {},
        create="rules come into being with the role's policy",
        delete="rules go with the role's policy",
    )


def _approved_by_somebody(world: World, subject: Json) -> Json:
    (stage, *_) = subject["setting"]["approvalStages"]
    approver = {
        "@odata.type": "#microsoft.graph.singleUser",
        "userId": world.named("/v1.0/users", "Lena")["id"],
    }
    return {
        **subject["setting"],
        "isApprovalRequired": True,
        "approvalStages": [{**stage, "primaryApprovers": [approver]}],
    }


def held_for_good(world: World) -> Json:
    found: list[Json] = world.read(f"{ROLES}/roleAssignments")["value"]
    return next(each for each in found if each["roleDefinitionId"] == HELPDESK)


def member_for_good(world: World) -> Json:
    """A group, as PIM names one of its members."""
    group = world.named("/v1.0/groups", "IT Administrators")
    listing = filtered(f"{GROUPS}/assignmentSchedules", f"groupId eq '{group['id']}'")
    found: list[Json] = world.read(listing)["value"]
    return next(
        {**group, **{name: each[name] for name in MEMBER}}
        for each in found
        if each["accessId"] == "member" and each["scheduleInfo"]["expiration"]["type"] == "noExpiration"
    )


CASES = (
    Case(
        key="group",
        variant="a member given an end",
        subject=member_for_good,
        path="/v1.0/groups/{id}",
        more={
            "a member given an end": [
                Act(
                    "POST",
                    f"{GROUPS}/assignmentScheduleRequests",
                    asking("adminUpdate", MEMBER, scheduleInfo=FOR_LONG),
                )
            ]
        },
        types=("privilegedAccessGroupAssignmentSchedule",),
    ),
    Case(
        key="unifiedRoleAssignment",
        variant="given an end",
        subject=held_for_good,
        path=f"{ROLES}/roleAssignments/{{id}}",
        more={
            "given an end": [
                Act(
                    "POST",
                    f"{ROLES}/roleAssignmentScheduleRequests",
                    asking("adminUpdate", ROLE, scheduleInfo=FOR_LONG),
                )
            ]
        },
        types=("unifiedRoleAssignmentSchedule",),
    ),
    role_case("unifiedRoleEligibilitySchedule", "roleEligibility", GLOBAL_ADMINISTRATOR, FOR_GOOD),
    role_case("unifiedRoleAssignmentSchedule", "roleAssignment", HELPDESK, FOR_LONG, ending=True),
    group_case("privilegedAccessGroupEligibilitySchedule", "eligibility", FOR_LONG),
    group_case("privilegedAccessGroupAssignmentSchedule", "assignment", FOR_LONG),
    rule_case("Expiration_EndUser_Assignment", maximumDuration="PT1H30M", isExpirationRequired=False),
    rule_case("Enablement_EndUser_Assignment", enabledRules=["Justification"]),
    rule_case(
        "AuthenticationContext_EndUser_Assignment",
        {
            "isEnabled, and MFA no longer asked for": [
                Act("PATCH", f"{RULES}/Enablement_EndUser_Assignment", {**ENABLEMENT, "enabledRules": []}),
                Act(
                    "PATCH",
                    f"{RULES}/{{id}}",
                    lambda world, subject: _whole(world, subject, {"isEnabled": True, "claimValue": "c1"}),
                ),
            ]
        },
        isEnabled=impossible("not while MFA is asked for: see below"),
        claimValue="c7",
    ),
    rule_case("Approval_EndUser_Assignment", setting=_approved_by_somebody),
    rule_case(
        "Notification_Admin_Admin_Assignment",
        isDefaultRecipientsEnabled=False,
        notificationLevel="Critical",
        notificationRecipients=["intruder@example.com"],
    ),
)
