"""Compliance policies of both generations with their scheduled actions, and the messages that these send.

Facts: Microsoft Graph's beta metadata and reference pages.
"""

from collections.abc import Callable
from typing import Any

from snapshots.catalog.intune.common import DEVICES, SERVICE_CONFIG, TAGS, intune, listed_assignments
from snapshots.catalog.intune.settings_catalog import (
    ORDERED,
    REUSABLE_SETTINGS,
    SECRETS,
    SETTINGS_KEPT,
    STATE_OF_POLICIES,
    policy_name,
    settings_of,
)
from snapshots.catalog.spec import (
    Action,
    Comparison,
    Create,
    Document,
    Identity,
    Part,
    Reference,
    Restore,
    Update,
)

_FIRST = f"{DEVICES}/deviceCompliancePolicies"
_SECOND = f"{DEVICES}/compliancePolicies"
_MESSAGES = f"{DEVICES}/notificationMessageTemplates"

_RULES, _ACTIONS = "scheduledActionsForRule", "scheduledActionConfigurations"
_MESSAGE = f"{_RULES}[].{_ACTIONS}[].notificationTemplateId"
_RULE_NAME = "PasswordRequired"
"""What the one rule of a policy is called in a write; answers do not always repeat it."""

_SENDS = (
    Reference(_MESSAGE, to="notificationMessageTemplate"),
    Reference(f"{_RULES}[].{_ACTIONS}[].notificationMessageCCList[]", to="group"),
)
_SPELLING = {_MESSAGE: "id"}
_NUMBERS = (f"{_RULES}[].id", f"{_RULES}[].ruleName", f"{_RULES}[].{_ACTIONS}[].id")


def _named(rules: Any) -> list[Document]:
    return [{"ruleName": _RULE_NAME, **rule} for rule in rules or ()]


def _scheduled(parameter: str) -> Callable[[Any, Any], Document | None]:
    """Without a rule nothing is sent: a policy must keep its blocking action."""
    return lambda wanted, _live: {parameter: _named(wanted)} if wanted else None


def _with_rules(body: Document) -> Document:
    return {**body, _RULES: _named(body.get(_RULES))}


COMPLIANCE_POLICY = intune(
    "deviceCompliancePolicy",
    "Compliance policy",
    "Compliance policies",
    _FIRST,
    expand={"$expand": f"assignments,{_RULES}($expand={_ACTIONS})"},
    comparison=Comparison(volatile=_NUMBERS, normalise=_SPELLING),
    references=(
        *TAGS,
        *_SENDS,
        Reference("deviceCompliancePolicyScript.deviceComplianceScriptId", to="deviceComplianceScript"),
    ),
    not_references={
        "conditionStatementId": "set by Microsoft for Android devices",
        "restrictedApps[].appId": "an app, by the name that its publisher gave it",
    },
    restore=Restore(
        typed=True,
        create=Create(only=(_RULES,), shape=_with_rules),
        update=Update(
            actions=(
                Action(
                    _RULES,
                    f"{_FIRST}/{{id}}/scheduleActionsForRules",
                    _scheduled("deviceComplianceScheduledActionForRules"),
                ),
            )
        ),
    ),
    notes=("A policy cannot be created without a blocking action; the name of its only rule is fixed.",),
)

COMPLIANCE_POLICY_OF_CATALOG = intune(
    "deviceManagementCompliancePolicy",
    "Compliance policy (settings catalog)",
    "Compliance policies (settings catalog)",
    _SECOND,
    expand={},
    identity=Identity(
        natural_key=("name",),
        name=policy_name,
    ),
    comparison=Comparison(
        volatile=STATE_OF_POLICIES,
        computed=_NUMBERS,
        nested_fields=SETTINGS_KEPT,
        ordered=ORDERED,
        normalise=_SPELLING,
    ),
    references=(*TAGS, *_SENDS, *REUSABLE_SETTINGS),
    parts=(
        settings_of(_SECOND),
        Part(_RULES, f"{_SECOND}/{{id}}/{_RULES}", params={"$expand": _ACTIONS}, key=None),
        listed_assignments(_SECOND),
    ),
    restore=Restore(
        writable=("description", "name", "platforms", "roleScopeTagIds", "settings", "technologies"),
        create=Create(only=(_RULES,), shape=_with_rules),
        update=Update(
            method="PUT",
            actions=(
                Action(_RULES, f"{_SECOND}/{{id}}/setScheduledActions", _scheduled("scheduledActions")),
            ),
        ),
        losses=(SECRETS,),
    ),
    notes=("Written as a whole: Intune cannot change individual settings.",),
)

MESSAGE_TEMPLATE = intune(
    "notificationMessageTemplate",
    "Notification message template",
    "Notification message templates",
    _MESSAGES,
    allowed=SERVICE_CONFIG,
    assigned=(),
    expand={},
    comparison=Comparison(
        volatile=("localizedNotificationMessages[].lastModifiedDateTime",),
        normalise={"brandingOptions": "comma_set"},
    ),
    not_references={"localizedNotificationMessages[].id": "the message's own id"},
    parts=(
        Part(
            "localizedNotificationMessages",
            f"{_MESSAGES}/{{id}}/localizedNotificationMessages",
            projected_fields=("id", "isDefault", "locale", "messageTemplate", "subject"),
            create_path=f"{_MESSAGES}/{{id}}/localizedNotificationMessages",
            element_path=f"{_MESSAGES}/{{id}}/localizedNotificationMessages/{{element}}",
        ),
    ),
    rank=82,
    restore=Restore(
        writable=("brandingOptions", "defaultLocale", "description", "displayName", "roleScopeTagIds")
    ),
    notes=("Actions of compliance policies that send the old template are updated.",),
)

TYPES = (COMPLIANCE_POLICY, COMPLIANCE_POLICY_OF_CATALOG, MESSAGE_TEMPLATE)
