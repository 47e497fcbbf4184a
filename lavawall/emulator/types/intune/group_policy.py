"""Administrative templates: policies whose values refer to definitions and presentations by address."""

import copy
import re
from typing import Any

from lavawall.emulator import entities, registry
from lavawall.emulator.errors import GraphError, bad_request
from lavawall.emulator.model import BETA, Action, Write
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
from lavawall.emulator.validation import WriteRules, checked_body

POLICY = "groupPolicyConfiguration"
DEFINITION = "groupPolicyDefinition"
PRESENTATION = "groupPolicyPresentation"
VALUE = "groupPolicyDefinitionValue"
PRESENTED = "groupPolicyPresentationValue"
POLICIES = "/deviceManagement/groupPolicyConfigurations"
ADDRESS = re.compile(
    r"groupPolicyDefinitions(?:\('|/)([^')/]+)'?\)?(?:/presentations(?:\('|/)([^')/]+)'?\)?)?$"
)
FITTING = {
    "#microsoft.graph.groupPolicyPresentationCheckBox": "groupPolicyPresentationValueBoolean",
    "#microsoft.graph.groupPolicyPresentationDecimalTextBox": "groupPolicyPresentationValueDecimal",
    "#microsoft.graph.groupPolicyPresentationDropdownList": "groupPolicyPresentationValueText",
    "#microsoft.graph.groupPolicyPresentationListBox": "groupPolicyPresentationValueList",
    "#microsoft.graph.groupPolicyPresentationTextBox": "groupPolicyPresentationValueText",
}
VALUE_RULES = WriteRules(
    computed=frozenset({"createdDateTime", "lastModifiedDateTime"}),
    writable=frozenset({"id"}),
    inline=frozenset({"presentationValues"}),
    bindable=frozenset({"definition"}),
)
PRESENTED_RULES = WriteRules(
    computed=frozenset({"createdDateTime", "lastModifiedDateTime"}),
    writable=frozenset({"id"}),
    bindable=frozenset({"presentation", "definitionValue"}),
)


def _bound(body: Json, name: str) -> tuple[str, str | None]:
    """The ids of the definition and the presentation in an address."""
    found = ADDRESS.search(str(body.get(f"{name}@odata.bind") or ""))
    if found is None:
        raise bad_request(f"'{name}@odata.bind' must hold the address of a {name}.", "BadRequest")
    return found[1], found[2]


def values_of(session: Session, policy_id: str) -> list[Record]:
    return [each for each in session.directory.all(VALUE) if each.parent_id == policy_id]


def _presented_of(session: Session, value_id: str) -> list[Record]:
    return [each for each in session.directory.all(PRESENTED) if each.parent_id == value_id]


def _add(session: Session, policy: Record, body: Json) -> Record:
    """One configured definition with the values of its presentations."""
    definition_id, _ = _bound(body, "definition")
    if session.directory.get(DEFINITION, definition_id) is None:
        raise bad_request(f"The definition '{definition_id}' does not exist.", "BadRequest")
    if any(definition_id in each.links["definition"] for each in values_of(session, policy.id)):
        raise bad_request(f"The definition '{definition_id}' is configured already.", "BadRequest")
    value = _stored_value(session, policy, body, session.randomness.guid())
    value.links["definition"][definition_id] = None
    return value


def _stored_value(session: Session, policy: Record, body: Json, identifier: str) -> Record:
    header = {name: item for name, item in body.items() if name != "presentationValues"}
    checked = checked_body(header, VALUE, VALUE_RULES, creating=True, version=session.version)
    after = {"enabled": True, "configurationType": "policy", **checked, "id": identifier}
    return entities.create(
        session,
        registry.kind(VALUE),
        {name: after[name] for name in ("enabled", "configurationType")},
        computed={"id": identifier},
        parent_id=policy.id,
    )


def _present_values(session: Session, value: Record, bodies: Any) -> None:
    """Puts the values of the presentations in the place of those that were there."""
    if bodies is None:
        return
    definition_id = next(iter(value.links["definition"]))
    for old in _presented_of(session, value.id):
        session.directory.remove(old)
    for body in bodies:
        _, presentation_id = _bound(body, "presentation")
        presentation = session.directory.get(PRESENTATION, str(presentation_id))
        if presentation is None or presentation.parent_id != definition_id:
            raise bad_request(
                f"The presentation '{presentation_id}' does not belong to the definition.", "BadRequest"
            )
        checked = checked_body(body, PRESENTED, PRESENTED_RULES, creating=True, version=session.version)
        wanted = FITTING[presentation.body["@odata.type"]]
        if checked.get("@odata.type") != f"#microsoft.graph.{wanted}":
            raise bad_request(f"The presentation '{presentation_id}' takes a {wanted}.", "BadRequest")
        given = {name: item for name, item in checked.items() if name != "id"}
        made = entities.create(session, registry.kind(PRESENTED), given, parent_id=value.id)
        made.links["presentation"][presentation.id] = None


def _change(session: Session, policy: Record, body: Json) -> None:
    value = _value(session, policy, body.get("id"))
    apart = {"id", "presentationValues", "definition@odata.bind"}
    header = {name: item for name, item in body.items() if name not in apart}
    if "definition@odata.bind" in body:
        definition_id, _ = _bound(body, "definition")
        if definition_id not in value.links["definition"]:
            raise bad_request("The definition of a configured value cannot be changed.", "BadRequest")
    entities.update(session, registry.kind(VALUE), value, header)
    _present_values(session, value, body.get("presentationValues"))


def _value(session: Session, policy: Record, identifier: Any) -> Record:
    value = session.directory.get(VALUE, str(identifier))
    if value is None or value.parent_id != policy.id:
        raise bad_request(f"The definition value '{identifier}' does not exist.", "BadRequest")
    return value


def update_definition_values(call: Call) -> Answer:
    """Adds, changes and deletes configured definitions in one go: all of it or nothing."""
    session, policy = call.session, located(call, registry.kind(POLICY))
    body = payload(call, "added", "updated", "deletedIds")
    records = session.directory.records
    stored = {
        name: {key: copy.copy(record) for key, record in records[name].items()} for name in (VALUE, PRESENTED)
    }
    try:
        _apply(session, policy, body)
    except GraphError:
        records |= stored
        raise
    touch(session, registry.kind(POLICY), policy)
    add_event(session, "Patch", policy)
    return Answer(204)


def _apply(session: Session, policy: Record, body: Json) -> None:
    for identifier in body.get("deletedIds") or []:
        entities.delete(session, registry.kind(VALUE), _value(session, policy, identifier))
    for each in entries({"updated": [], **body}, "updated"):
        _change(session, policy, each)
    for each in entries({"added": [], **body}, "added"):
        _present_values(session, _add(session, policy, each), each.get("presentationValues"))


def add_value(call: Call) -> Answer:
    session, policy, body = call.session, located(call, registry.kind(POLICY), "parent"), call.json()
    if not isinstance(body, dict):
        raise bad_request("Unable to read JSON request payload. An object is expected.", "BadRequest")
    value = _add(session, policy, body)
    _present_values(session, value, body.get("presentationValues"))
    return Answer(201, present(session, registry.kind(VALUE), value, single=True))


def expand_definition(session: Session, record: Record) -> Json | None:
    found = session.directory.get(DEFINITION, next(iter(record.links["definition"]), ""))
    return present(session, registry.kind(DEFINITION), found) if found else None


def expand_presentation(session: Session, record: Record) -> Json | None:
    found = session.directory.get(PRESENTATION, next(iter(record.links["presentation"]), ""))
    return present(session, registry.kind(PRESENTATION), found) if found else None


def expand_presented(session: Session, record: Record) -> list[Json]:
    kind = registry.kind(PRESENTED)
    return [present(session, kind, each) for each in _presented_of(session, record.id)]


def expand_presented_whole(session: Session, record: Record) -> list[Json]:
    kind = registry.kind(PRESENTED)
    return [
        present(session, kind, each, expand=("presentation",)) for each in _presented_of(session, record.id)
    ]


def expand_presentations(session: Session, record: Record) -> list[Json]:
    every = session.directory.all(PRESENTATION)
    return [
        present(session, registry.kind(PRESENTATION), each) for each in every if each.parent_id == record.id
    ]


def value_definition(call: Call) -> Answer:
    value = located_value(call)
    return Answer(200, expand_definition(call.session, value))


def located_value(call: Call) -> Record:
    return entities.find(
        call.session, registry.kind(VALUE), call.parameter("id"), parent_id=call.parameter("parent")
    )


def check_type(write: Write) -> None:
    write.after.setdefault("policyConfigurationIngestionType", "builtIn")


POLICY_TYPE, POLICY_ASSIGNMENT = assignable(
    intune_type(
        POLICY,
        POLICIES,
        CONFIGURATION,
        rules=WriteRules(required=("displayName",), computed=frozenset({"policyConfigurationIngestionType"})),
        checks=(check_type,),
        actions=(Action("POST", "updateDefinitionValues", update_definition_values, CONFIGURATION.write),),
        versions=BETA,
    ),
    Assigning("groupPolicyConfigurationAssignment", answers=True),
)
KINDS = (
    POLICY_TYPE,
    POLICY_ASSIGNMENT,
    intune_type(
        VALUE,
        f"{POLICIES}/{{parent}}/definitionValues",
        CONFIGURATION,
        verbs=frozenset({"list", "get", "update", "delete"}),
        parent=POLICY,
        actions=(
            Action("POST", f"{POLICIES}/{{parent}}/definitionValues", add_value, CONFIGURATION.write),
            Action(
                "GET",
                f"{POLICIES}/{{parent}}/definitionValues/{{id}}/definition",
                value_definition,
                CONFIGURATION.read,
            ),
        ),
        expand={
            "definition": expand_definition,
            "presentationValues": expand_presented,
            "presentationValues($expand=presentation)": expand_presented_whole,
        },
        expands_together=True,
        audit_writer=None,
        versions=BETA,
    ),
    intune_type(
        PRESENTED,
        f"{POLICIES}/{{policy}}/definitionValues/{{parent}}/presentationValues",
        CONFIGURATION,
        verbs=frozenset({"list", "get", "update", "delete"}),
        parent=VALUE,
        expand={"presentation": expand_presentation},
        ordered=frozenset({"values"}),
        audit_writer=None,
        versions=BETA,
    ),
    intune_type(
        DEFINITION,
        "/deviceManagement/groupPolicyDefinitions",
        CONFIGURATION,
        verbs=frozenset({"list", "get"}),
        expand={"presentations": expand_presentations},
        versions=BETA,
    ),
    intune_type(
        PRESENTATION,
        "/deviceManagement/groupPolicyDefinitions/{parent}/presentations",
        CONFIGURATION,
        verbs=frozenset({"list", "get"}),
        parent=DEFINITION,
        versions=BETA,
    ),
)
