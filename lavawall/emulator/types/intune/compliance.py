"""Compliance policies of both generations with their scheduled actions, and the messages that these send."""

from lavawall.emulator.errors import bad_request
from lavawall.emulator.model import BETA, Action, EntityType, Write
from lavawall.emulator.presentation import present
from lavawall.emulator.requests import Answer, Call
from lavawall.emulator.store import Json, Record, Session
from lavawall.emulator.types.intune import settings_catalog
from lavawall.emulator.types.intune.assignments import Assigning, assignable
from lavawall.emulator.types.intune.core import (
    CONFIGURATION,
    SERVICE_CONFIG,
    add_event,
    entries,
    intune_type,
    located,
    payload,
    touch,
)
from lavawall.emulator.types.intune.parts import Parts
from lavawall.emulator.validation import WriteRules, checked_body

RULES = "scheduledActionsForRule"
ACTIONS = "scheduledActionConfigurations"
NO_TEMPLATE = "00000000-0000-0000-0000-000000000000"
TEMPLATES = "notificationMessageTemplate"
RULE_WRITES = WriteRules(writable=frozenset({"id"}), inline=frozenset({ACTIONS}))


def check_scheduled_actions(write: Write) -> None:
    if write.before is None or RULES in write.body:
        write.after[RULES] = scheduled_actions(write.session, write.body.get(RULES) or [])
    else:
        write.after[RULES] = write.before[RULES]


def scheduled_actions(session: Session, rules: list[Json]) -> list[Json]:
    """The rules as they are kept, each with ids of its own; refuses them without one block action."""
    stored = [_kept_rule(session, rule) for rule in rules]
    blocks = [each for rule in stored for each in rule[ACTIONS] if each["actionType"] == "block"]
    if len(blocks) != 1:
        raise bad_request(f"'{RULES}' must hold one action of the type 'block'.", "BadRequest")
    return stored


def _kept_rule(session: Session, rule: Json) -> Json:
    actions = [_kept_action(session, action) for action in rule.get(ACTIONS) or []]
    return {**rule, "id": session.randomness.guid(), "ruleName": rule.get("ruleName"), ACTIONS: actions}


def _kept_action(session: Session, action: Json) -> Json:
    template_id = action.get("notificationTemplateId") or NO_TEMPLATE
    if template_id != NO_TEMPLATE and session.directory.get(TEMPLATES, template_id) is None:
        raise bad_request(f"The notification template '{template_id}' does not exist.", "BadRequest")
    if "actionType" not in action:
        raise bad_request("A scheduled action needs an 'actionType'.", "BadRequest")
    return {
        **action,
        "id": session.randomness.guid(),
        "gracePeriodHours": action.get("gracePeriodHours", 0),
        "notificationMessageCCList": action.get("notificationMessageCCList") or [],
        "notificationTemplateId": template_id,
    }


def show_actions(_session: Session, record: Record) -> list[Json]:
    found: list[Json] = record.body[ACTIONS]
    return found


def _scheduled(schema: str) -> Parts:
    return Parts(RULES, schema, expand={ACTIONS: show_actions})


FIRST_RULES = _scheduled("deviceComplianceScheduledActionForRule")
SECOND_RULES = _scheduled("deviceManagementComplianceScheduledActionForRule")


def _set_actions(call: Call, kind: EntityType, parameter: str, parts: Parts) -> Record:
    record, session = located(call, kind), call.session
    rules = [
        checked_body(each, parts.schema, RULE_WRITES, creating=True, version=session.version)
        for each in entries(payload(call, parameter), parameter)
    ]
    record.body[RULES] = scheduled_actions(session, rules)
    touch(session, kind, record)
    add_event(session, "Patch", record)
    return record


def schedule_actions_for_rules(call: Call) -> Answer:
    _set_actions(call, FIRST, "deviceComplianceScheduledActionForRules", FIRST_RULES)
    return Answer(204)


def set_scheduled_actions(call: Call) -> Answer:
    record = _set_actions(call, SECOND, "scheduledActions", SECOND_RULES)
    shown = SECOND_RULES.expansions()[RULES](call.session, record)
    return Answer(
        200,
        {"@odata.context": f"{call.root}/$metadata#Collection({SECOND_RULES.schema})", "value": shown},
    )


FIRST, FIRST_ASSIGNMENT = assignable(
    intune_type(
        "deviceCompliancePolicy",
        "/deviceManagement/deviceCompliancePolicies",
        CONFIGURATION,
        rules=WriteRules(
            required=("displayName",),
            immutable=frozenset({RULES}),
            inline=frozenset({RULES, ACTIONS}),
        ),
        checks=(check_scheduled_actions,),
        actions=(Action("POST", "scheduleActionsForRules", schedule_actions_for_rules, CONFIGURATION.write),),
        expand=FIRST_RULES.expansions(),
        on_request=frozenset({RULES}),
    ),
    Assigning("deviceCompliancePolicyAssignment", answers=True),
)
SECOND, SECOND_ASSIGNMENT = assignable(
    intune_type(
        "deviceManagementCompliancePolicy",
        "/deviceManagement/compliancePolicies",
        CONFIGURATION,
        rules=WriteRules(
            required=("name",),
            immutable=frozenset({RULES, "platforms", "settings", "technologies"}),
            inline=frozenset({RULES, ACTIONS, "settings"}),
        ),
        verbs=frozenset({"list", "get", "create", "update", "replace", "delete"}),
        checks=(check_scheduled_actions, settings_catalog.keep_settings),
        actions=(Action("POST", "setScheduledActions", set_scheduled_actions, CONFIGURATION.write),),
        expand={**SECOND_RULES.expansions(), **settings_catalog.SETTINGS.expansions()},
        on_request=frozenset({RULES, "settings"}),
        versions=BETA,
    ),
    Assigning("deviceManagementConfigurationPolicyAssignment", answers=True),
)


def check_message(write: Write) -> None:
    """One message of a template is its default, and each language has one."""
    siblings = [
        each
        for each in write.session.directory.all(write.type.name)
        if each.parent_id == write.parent_id and each.id != write.after.get("id")
    ]
    if any(each.body["locale"] == write.after.get("locale") for each in siblings):
        raise bad_request("The template has a message in this language already.", "BadRequest")
    write.after["isDefault"] = bool(write.after.get("isDefault")) or not siblings
    if write.after["isDefault"]:
        for each in siblings:
            each.body["isDefault"] = False


MESSAGE = intune_type(
    "localizedNotificationMessage",
    f"/deviceManagement/{TEMPLATES}s/{{parent}}/localizedNotificationMessages",
    SERVICE_CONFIG,
    rules=WriteRules(required=("locale", "subject", "messageTemplate"), immutable=frozenset({"locale"})),
    parent=TEMPLATES,
    checks=(check_message,),
)


def expand_messages(session: Session, record: Record) -> list[Json]:
    every = session.directory.all(MESSAGE.name)
    return [present(session, MESSAGE, each) for each in every if each.parent_id == record.id]


KINDS = (
    FIRST,
    FIRST_ASSIGNMENT,
    FIRST_RULES.kind(FIRST),
    SECOND,
    SECOND_ASSIGNMENT,
    SECOND_RULES.kind(SECOND),
    settings_catalog.SETTINGS.kind(SECOND),
    intune_type(
        TEMPLATES,
        f"/deviceManagement/{TEMPLATES}s",
        SERVICE_CONFIG,
        rules=WriteRules(required=("displayName",)),
        defaults={"brandingOptions": "none"},
        expand={"localizedNotificationMessages": expand_messages},
    ),
    MESSAGE,
)
