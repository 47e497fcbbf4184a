"""Endpoint security of the first generation: intents made from templates, settings changed by an action."""

import json

from lavawall.emulator import entities, registry
from lavawall.emulator.errors import bad_request
from lavawall.emulator.model import BETA, Action, EntityType
from lavawall.emulator.presentation import present
from lavawall.emulator.requests import Answer, Call
from lavawall.emulator.store import Json, Record, Session
from lavawall.emulator.types.intune.assignments import Assigning, assignable
from lavawall.emulator.types.intune.core import (
    CONFIGURATION,
    add_event,
    entries,
    intune_type,
    located,
    payload,
    touch,
)
from lavawall.emulator.types.intune.parts import Parts
from lavawall.emulator.validation import WriteRules, checked_body

INTENT = "deviceManagementIntent"
TEMPLATE = "deviceManagementTemplate"
SETTINGS = Parts("settings", "deviceManagementSettingInstance")
SETTING_RULES = WriteRules(writable=frozenset({"id"}), inline=frozenset({"value"}))


def changed_settings(session: Session, settings: list[Json], changes: list[Json]) -> list[Json]:
    """Settings after a change: each is named by its definition, which the template must hold."""
    by_definition = {each["definitionId"]: each for each in settings}
    for change in changes:
        checked = checked_body(change, SETTINGS.schema, SETTING_RULES, creating=True, version=session.version)
        current = by_definition.get(checked.get("definitionId"))
        if current is None:
            raise bad_request(f"The template has no setting '{checked.get('definitionId')}'.", "BadRequest")
        if checked["@odata.type"] != current["@odata.type"]:
            raise bad_request(f"The setting takes a '{current['@odata.type']}'.", "BadRequest")
        by_definition[current["definitionId"]] = {**current, **_values(checked), "id": current["id"]}
    return list(by_definition.values())


def _values(setting: Json) -> Json:
    """`value` and `valueJson` say the same; one of them is enough."""
    if "valueJson" in setting and "value" not in setting:
        try:
            return {**setting, "value": json.loads(setting["valueJson"])}
        except ValueError as error:
            raise bad_request("'valueJson' is not JSON.", "BadRequest") from error
    return {**setting, "valueJson": json.dumps(setting.get("value"))}


def create_instance(call: Call) -> Answer:
    session, template = call.session, located(call, registry.kind(TEMPLATE))
    body = payload(call, "displayName", "description", "settingsDelta", "roleScopeTagIds")
    changes = entries({"settingsDelta": [], **body}, "settingsDelta")
    intent = make_intent(
        session,
        registry.kind(INTENT),
        template.id,
        {name: value for name, value in body.items() if name != "settingsDelta"},
        changes,
    )
    return Answer(200, present(session, registry.kind(INTENT), intent, single=True))


def make_intent(
    session: Session,
    kind: EntityType,
    template_id: str,
    body: Json,
    changes: list[Json],
    computed: Json | None = None,
) -> Record:
    template = session.directory.records[TEMPLATE][template_id]
    own = [{**each, "id": session.randomness.guid()} for each in template.body["settings"]]
    settings = changed_settings(session, own, changes)
    return entities.create(
        session, kind, body, computed={"templateId": template_id, "settings": settings, **(computed or {})}
    )


def update_settings(call: Call) -> Answer:
    kind = registry.kind(INTENT)
    intent = located(call, kind)
    changes = entries(payload(call, "settings"), "settings")
    intent.body["settings"] = changed_settings(call.session, intent.body["settings"], changes)
    touch(call.session, kind, intent)
    add_event(call.session, "UpdateSettings", intent)
    return Answer(204)


INTENT_TYPE, INTENT_ASSIGNMENT = assignable(
    intune_type(
        INTENT,
        "/deviceManagement/intents",
        CONFIGURATION,
        rules=WriteRules(
            required=("displayName",),
            computed=frozenset({"templateId", "isMigratingToConfigurationPolicy"}),
        ),
        verbs=frozenset({"list", "get", "update", "delete"}),
        actions=(Action("POST", "updateSettings", update_settings, CONFIGURATION.write),),
        expand=SETTINGS.expansions(),
        on_request=frozenset({"settings"}),
        versions=BETA,
    ),
    Assigning("deviceManagementIntentAssignment"),
)
TEMPLATE_TYPE = intune_type(
    TEMPLATE,
    "/deviceManagement/templates",
    CONFIGURATION,
    verbs=frozenset({"list", "get"}),
    rules=WriteRules(inline=frozenset({"settings"})),
    actions=(Action("POST", "createInstance", create_instance, CONFIGURATION.write),),
    expand=SETTINGS.expansions(),
    on_request=frozenset({"settings"}),
    versions=BETA,
)
KINDS = (
    INTENT_TYPE,
    INTENT_ASSIGNMENT,
    SETTINGS.kind(INTENT_TYPE),
    TEMPLATE_TYPE,
    SETTINGS.kind(TEMPLATE_TYPE),
)
