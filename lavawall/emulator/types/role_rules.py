"""The rules that every policy of PIM begins with, as Microsoft sets them."""

from collections.abc import Iterator
from typing import Any

from lavawall.emulator.store import Json

ENABLEMENTS = frozenset({"MultiFactorAuthentication", "Justification", "Ticketing"})
MFA_RULE = "Enablement_EndUser_Assignment"
CONTEXT_RULE = "AuthenticationContext_EndUser_Assignment"


def _rule(kind: str, name: str, caller: str, level: str, **settings: Any) -> Json:
    return {
        "@odata.type": f"#microsoft.graph.unifiedRoleManagementPolicy{kind}Rule",
        "id": f"{name}_{caller}_{level}",
        **settings,
        "target": {
            "caller": caller,
            "operations": ["All"],
            "level": level,
            "inheritableSettings": [],
            "enforcedSettings": [],
        },
    }


def _expiration(caller: str, level: str, longest: str, *, required: bool) -> Json:
    return _rule(
        "Expiration", "Expiration", caller, level, isExpirationRequired=required, maximumDuration=longest
    )


def _enablement(caller: str, level: str, *enabled: str) -> Json:
    return _rule("Enablement", "Enablement", caller, level, enabledRules=list(enabled))


def _notifications(caller: str, level: str) -> Iterator[Json]:
    for recipient in ("Admin", "Requestor", "Approver"):
        yield _rule(
            "Notification",
            f"Notification_{recipient}",
            caller,
            level,
            notificationType="Email",
            recipientType=recipient,
            notificationLevel="All",
            isDefaultRecipientsEnabled=True,
            notificationRecipients=[],
        )


NO_APPROVAL = {
    "isApprovalRequired": False,
    "isApprovalRequiredForExtension": False,
    "isRequestorJustificationRequired": True,
    "approvalMode": "SingleStage",
    "approvalStages": [
        {
            "approvalStageTimeOutInDays": 1,
            "isApproverJustificationRequired": True,
            "escalationTimeInMinutes": 0,
            "isEscalationEnabled": False,
            "primaryApprovers": [],
            "escalationApprovers": [],
        }
    ],
}
DEFAULT_RULES: dict[str, Json] = {
    rule["id"]: rule
    for rule in (
        _expiration("Admin", "Eligibility", "P365D", required=False),
        _enablement("Admin", "Eligibility"),
        *_notifications("Admin", "Eligibility"),
        _expiration("Admin", "Assignment", "P180D", required=False),
        _enablement("Admin", "Assignment", "Justification"),
        *_notifications("Admin", "Assignment"),
        _expiration("EndUser", "Assignment", "PT8H", required=True),
        _enablement("EndUser", "Assignment", "MultiFactorAuthentication", "Justification"),
        _rule("Approval", "Approval", "EndUser", "Assignment", setting=NO_APPROVAL),
        _rule(
            "AuthenticationContext",
            "AuthenticationContext",
            "EndUser",
            "Assignment",
            isEnabled=False,
            claimValue=None,
        ),
        *_notifications("EndUser", "Assignment"),
    )
}
