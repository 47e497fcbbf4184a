"""PIM: schedules of roles and groups, and the settings that say what a role costs."""

from typing import Any

from tests.changes.severity.casebook import Case, both_sides
from tests.changes.severity.casebook_settings import MISSING, OFF, ON, at, loosened, untouched
from tests.changes.severity.test_conditional_access import GLOBAL_ADMINISTRATOR, REPORTS_READER

USER_ADMINISTRATOR = "fe930be7-5e62-47db-91af-98c3a49a38b1"
ELIGIBLE, ACTIVE = "unifiedRoleEligibilitySchedule", "unifiedRoleAssignmentSchedule"
MAY_JOIN, JOINED = "privilegedAccessGroupEligibilitySchedule", "privilegedAccessGroupAssignmentSchedule"
RULE = "unifiedRoleManagementPolicyRule"
FOREVER = {"type": "noExpiration"}
UNTIL_MAY = {"type": "afterDateTime", "endDateTime": "2026-05-01T00:00:00Z"}
UNTIL_JUNE = {"type": "afterDateTime", "endDateTime": "2026-06-01T00:00:00.0000000Z"}
EIGHT_HOURS = {"type": "afterDuration", "duration": "PT8H"}


def schedule(role: str, end: dict[str, Any] = FOREVER, **more: Any) -> dict[str, Any]:
    return {
        "roleDefinitionId": role,
        "principalId": "eve",
        "directoryScopeId": "/",
        "memberType": "Direct",
        "scheduleInfo": {"expiration": end},
        **more,
    }


def location(end: dict[str, Any] = FOREVER, access: str = "member") -> dict[str, Any]:
    return {
        "groupId": "admins",
        "principalId": "eve",
        "accessId": access,
        "scheduleInfo": {"expiration": end},
    }


def case(
    kind: str,
    rule: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    severity: str | None,
    direction: str = "weakens",
    context: dict[str, Any] | None = None,
    resource_id: str = "subject-id",
) -> Case:
    title = f"{kind} {severity} {'deleted' if after is None else 'there'}"
    return Case(title, rule, kind, before, after, severity, direction, context or {}, resource_id)


POWERFUL_GROUP = both_sides(
    unifiedRoleAssignment={"a": {"roleDefinitionId": GLOBAL_ADMINISTRATOR, "principalId": "ADMINS"}}
)
ENABLING, APPROVING = "Enablement_EndUser_Assignment", "Approval_EndUser_Assignment"
MFA, WHY = "MultiFactorAuthentication", "Justification"
OF_READERS = both_sides(
    unifiedRoleManagementPolicyAssignment={"x": {"policyId": "policy", "roleDefinitionId": REPORTS_READER}}
)
GUARDED = {
    "after": {
        RULE: {"policy|authenticationcontext_enduser_assignment": {"isEnabled": True, "claimValue": "c1"}}
    }
}


def approvers(*ids: str) -> dict[str, Any]:
    people = [{"@odata.type": "#microsoft.graph.singleUser", "userId": key} for key in ids]
    return {"setting": {"isApprovalRequired": True, "approvalStages": [{"primaryApprovers": people}]}}


def demands(
    before: list[str], after: list[str], severity: str | None, direction: str = "weakens", **more: Any
) -> Case:
    return case(
        RULE,
        "pim-activation-eased",
        {"enabledRules": before},
        {"enabledRules": after},
        severity,
        direction,
        **more,
    )


CASES = [
    case(ELIGIBLE, "pim-role-scheduled", None, schedule(GLOBAL_ADMINISTRATOR), "high"),
    case(ELIGIBLE, "pim-role-scheduled", None, schedule(GLOBAL_ADMINISTRATOR.upper()), "high"),
    case(ELIGIBLE, "pim-role-scheduled", None, schedule(USER_ADMINISTRATOR), "high"),
    case(ELIGIBLE, "pim-role-scheduled", None, schedule(REPORTS_READER), "low"),
    case(ACTIVE, "pim-role-scheduled", None, schedule(GLOBAL_ADMINISTRATOR, UNTIL_MAY), "critical"),
    case(ACTIVE, "pim-role-scheduled", None, schedule(USER_ADMINISTRATOR), "high"),
    case(
        ACTIVE, "pim-role-scheduled", None, schedule(GLOBAL_ADMINISTRATOR, assignmentType="Activated"), None
    ),
    case(ELIGIBLE, "pim-role-scheduled", schedule(GLOBAL_ADMINISTRATOR), None, None),
    case(MAY_JOIN, "pim-member-scheduled", None, location(), "medium"),
    case(MAY_JOIN, "pim-member-scheduled", None, location(access="owner"), "high", context=POWERFUL_GROUP),
    case(JOINED, "pim-member-scheduled", None, location(), "critical", context=POWERFUL_GROUP),
    case(JOINED, "pim-member-scheduled", None, {**location(), "assignmentType": "activated"}, None),
    case(
        ELIGIBLE,
        "pim-schedule-prolonged",
        schedule(USER_ADMINISTRATOR, UNTIL_MAY),
        schedule(USER_ADMINISTRATOR),
        "high",
    ),
    case(
        ELIGIBLE,
        "pim-schedule-prolonged",
        schedule(USER_ADMINISTRATOR, UNTIL_MAY),
        schedule(USER_ADMINISTRATOR, UNTIL_JUNE),
        "medium",
    ),
    case(
        ACTIVE,
        "pim-schedule-prolonged",
        schedule(REPORTS_READER, UNTIL_MAY),
        schedule(REPORTS_READER),
        "medium",
    ),
    case(
        ACTIVE,
        "pim-schedule-prolonged",
        schedule(REPORTS_READER),
        schedule(REPORTS_READER, UNTIL_MAY),
        "low",
        "strengthens",
    ),
    case(MAY_JOIN, "pim-schedule-prolonged", location(UNTIL_MAY), location(), "high", context=POWERFUL_GROUP),
    case(
        ACTIVE,
        "pim-schedule-prolonged",
        schedule(REPORTS_READER, EIGHT_HOURS),
        schedule(REPORTS_READER, {"type": "afterDuration", "duration": "PT480M"}),
        None,
    ),
    case(
        ACTIVE,
        "pim-schedule-prolonged",
        schedule(REPORTS_READER, EIGHT_HOURS),
        schedule(REPORTS_READER, UNTIL_MAY),
        None,
    ),
    case(ELIGIBLE, "pim-schedule-removed", schedule(GLOBAL_ADMINISTRATOR), None, "low", "strengthens"),
    case(MAY_JOIN, "pim-schedule-removed", location(), None, "low", "strengthens"),
    case(
        ACTIVE,
        "pim-schedule-removed",
        schedule(USER_ADMINISTRATOR, assignmentType="Activated"),
        None,
        "informational",
        "neutral",
    ),
    case(ELIGIBLE, "pim-schedule-removed", None, schedule(USER_ADMINISTRATOR), None),
    demands([MFA, WHY], [WHY], "high"),
    demands([MFA], [], "medium", context=OF_READERS, resource_id="Policy|" + ENABLING),
    demands([MFA], [], "low", "neutral", context=GUARDED, resource_id="Policy|" + ENABLING),
    demands([MFA, WHY], [MFA], "medium"),
    demands([WHY, "Ticketing"], [WHY], "low"),
    demands([], [MFA], "low", "strengthens"),
    demands([MFA, WHY], [WHY, MFA.upper()], None),
    *loosened(RULE, "pim-approval", "setting/isApprovalRequired", ON, OFF, "high"),
    *loosened(RULE, "pim-approval", "setting/isApprovalRequiredForExtension", ON, OFF, "medium"),
    *loosened(RULE, "pim-approval", "setting/isRequestorJustificationRequired", ON, OFF, "low"),
    untouched(RULE, "pim-approval"),
    case(RULE, "pim-approvers", approvers("anna"), approvers("anna", "eve"), "medium"),
    case(RULE, "pim-approvers", approvers("anna"), approvers(), "medium"),
    case(RULE, "pim-approvers", approvers(), approvers("anna"), "medium", "neutral"),
    case(RULE, "pim-approvers", approvers("anna", "bert"), approvers("anna"), "low", "strengthens"),
    case(RULE, "pim-approvers", approvers("anna", "bert"), approvers("BERT", "anna"), None),
    *loosened(RULE, "pim-expiration", "isExpirationRequired", ON, OFF, "high"),
    *loosened(RULE, "pim-expiration", "maximumDuration", "PT8H", "P1D", "medium"),
    *loosened(RULE, "pim-expiration", "maximumDuration", "PT8H", MISSING, "medium"),
    untouched(RULE, "pim-expiration", "maximumDuration", "PT8H", "PT480M"),
    untouched(RULE, "pim-expiration", "maximumDuration", "P1Y", "P365D"),
    *loosened(RULE, "pim-context", "isEnabled", ON, OFF, "high"),
    untouched(RULE, "pim-context"),
    case(RULE, "pim-context-replaced", {"claimValue": "c1"}, {"claimValue": "c2"}, "medium", "neutral"),
    case(RULE, "pim-context-replaced", {"claimValue": "c1"}, {"claimValue": "C1"}, None),
    *loosened(RULE, "pim-notices", "isDefaultRecipientsEnabled", ON, OFF, "medium"),
    *loosened(RULE, "pim-notices", "notificationLevel", "All", "Critical", "low"),
    *loosened(RULE, "pim-notices", "notificationRecipients", ["soc@example.org"], [], "medium"),
    untouched(RULE, "pim-notices", "notificationRecipients", ["a@x.org", "b@x.org"], ["B@x.org", "a@x.org"]),
]


def test_the_reason_names_the_role_whose_setting_was_loosened() -> None:
    before, after = at("isExpirationRequired", ON), at("isExpirationRequired", OFF)
    one = case(
        RULE, "", before, after, None, context=OF_READERS, resource_id="policy|Expiration_Admin_Assignment"
    )
    finding = one.verdict().findings[0]
    assert (finding.severity.value, finding.reason.endswith("The role is Reports Reader.")) == (
        "medium",
        True,
    )
