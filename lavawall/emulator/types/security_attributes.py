"""Custom security attributes: sets, definitions and allowed values, none of which can be deleted."""

import re

from lavawall.emulator import audit, entities, registry
from lavawall.emulator.errors import bad_request, resource_not_found
from lavawall.emulator.licences import ENTRA_P1
from lavawall.emulator.model import EntityType, Permissions, Write
from lavawall.emulator.presentation import present
from lavawall.emulator.store import Json, Record, Session
from lavawall.emulator.validation import WriteRules

READ: Permissions = ("CustomSecAttributeDefinition.Read.All", "CustomSecAttributeDefinition.ReadWrite.All")
WRITE: Permissions = ("CustomSecAttributeDefinition.ReadWrite.All",)
SET = "attributeSet"
DEFINITION = "customSecurityAttributeDefinition"
VALUE = "allowedValue"
NAME = re.compile(r"^[A-Za-z0-9]{1,32}$")
MOST_SETS = 500
MOST_ACTIVE_DEFINITIONS = 500
MOST_ALLOWED_VALUES = 100
LONGEST_VALUE = 64
TYPES = frozenset({"Boolean", "Integer", "String"})
STATES = frozenset({"Available", "Deprecated"})
ACTIVITIES = {
    (SET, "Add"): "Add attribute set",
    (SET, "Update"): "Update attribute set",
    (DEFINITION, "Add"): "Add custom security attribute definition in an attribute set",
    (DEFINITION, "Update"): "Update custom security attribute definition in an attribute set",
    (VALUE, "Add"): "Update custom security attribute definition in an attribute set",
    (VALUE, "Update"): "Update custom security attribute definition in an attribute set",
}


def _active(session: Session, attribute_set: str = "") -> list[Record]:
    return [
        each
        for each in session.directory.records[DEFINITION].values()
        if each.body["status"] == "Available" and attribute_set in ("", each.body["attributeSet"])
    ]


def check_set(write: Write) -> None:
    identifier, most = str(write.after["id"]), write.after.get("maxAttributesPerSet")
    if not NAME.match(identifier):
        raise bad_request("The name of an attribute set takes 1 to 32 letters and digits.")
    if write.creating and len(write.session.directory.records[SET]) >= MOST_SETS:
        raise bad_request(f"A tenant has at most {MOST_SETS} attribute sets.")
    used = len(_active(write.session, identifier))
    if most is not None and not max(1, used) <= most <= MOST_ACTIVE_DEFINITIONS:
        raise bad_request(f"'maxAttributesPerSet' is between {max(1, used)} and {MOST_ACTIVE_DEFINITIONS}.")


def check_definition(write: Write) -> None:
    after, before = write.after, write.before or {}
    if after["status"] not in STATES or after["type"] not in TYPES:
        raise bad_request(f"'status' is one of {sorted(STATES)}, 'type' one of {sorted(TYPES)}.")
    if write.creating:
        _check_new(write)
    if after["type"] == "Boolean" and (after.get("isCollection") or after.get("usePreDefinedValuesOnly")):
        raise bad_request("A Boolean attribute has one value and no predefined values.")
    if before.get("usePreDefinedValuesOnly") is False and after.get("usePreDefinedValuesOnly"):
        raise bad_request("'usePreDefinedValuesOnly' cannot be changed from false to true.")
    if after["status"] == "Available" and before.get("status") != "Available":
        _check_room(write)


def _check_new(write: Write) -> None:
    after, directory = write.after, write.session.directory
    if not NAME.match(str(after["name"])):
        raise bad_request("The name of an attribute takes 1 to 32 letters and digits.")
    if directory.get(SET, str(after["attributeSet"])) is None:
        raise bad_request(f"The attribute set '{after['attributeSet']}' does not exist.")
    if definition_id(write) in directory.records[DEFINITION]:
        raise bad_request(f"The attribute '{definition_id(write)}' exists already.")


def _check_room(write: Write) -> None:
    if len(_active(write.session)) >= MOST_ACTIVE_DEFINITIONS:
        raise bad_request(f"A tenant has at most {MOST_ACTIVE_DEFINITIONS} active attributes.")
    owner = write.session.directory.records[SET][write.after["attributeSet"]]
    most = owner.body.get("maxAttributesPerSet") or MOST_ACTIVE_DEFINITIONS
    if len(_active(write.session, owner.id)) >= most:
        raise bad_request(f"The attribute set '{owner.id}' has its {most} active attributes already.")


def definition_id(write: Write) -> str:
    return f"{write.after['attributeSet']}_{write.after['name']}"


def keep_values_apart(session: Session, record: Record) -> None:
    """Values that come along with a new definition are objects below it."""
    for value in record.body.pop("allowedValues", None) or []:
        entities.create(session, registry.kind(VALUE), value, parent_id=record.id)


def check_value(write: Write) -> None:
    definition = write.session.directory.get(DEFINITION, write.parent_id)
    if definition is None:
        raise resource_not_found(write.parent_id)
    if definition.body["type"] == "Boolean":
        raise bad_request("A Boolean attribute has no predefined values.")
    if not 0 < len(str(write.after["id"])) <= LONGEST_VALUE:
        raise bad_request(f"A predefined value has at most {LONGEST_VALUE} characters.")
    if write.creating and len(_values(write.session, definition.id)) >= MOST_ALLOWED_VALUES:
        raise bad_request(f"An attribute has at most {MOST_ALLOWED_VALUES} predefined values.")


def _values(session: Session, definition: str) -> list[Record]:
    return [each for each in session.directory.records[VALUE].values() if each.parent_id == definition]


def expand_values(session: Session, record: Record) -> list[Json]:
    return [present(session, registry.kind(VALUE), each) for each in _values(session, record.id)]


def write_definition_audit(session: Session, verb: str, record: Record, before: Json | None) -> None:
    owner = session.directory.records[DEFINITION][record.parent_id] if record.parent_id else record
    changes = [audit.property_change(record.type_name, before, record.body)]
    audit.write(
        session,
        ACTIVITIES[record.type_name, verb],
        service=audit.CORE_DIRECTORY,
        category="AttributeManagement",
        operation=verb,
        targets=[audit.target(owner, changes, target_type="CustomSecurityAttribute")],
        log=session.directory.attribute_audits,
    )


KINDS = (
    EntityType(
        name=SET,
        path="/directory/attributeSets",
        verbs=frozenset({"list", "get", "create", "update"}),
        read=READ,
        write=WRITE,
        licence=ENTRA_P1,
        rules=WriteRules(writable=frozenset({"id"}), immutable=frozenset({"id"})),
        checks=(check_set,),
        audit_writer=write_definition_audit,
        dates=(),
        client_key="id",
        repeatable=frozenset({"id"}),
    ),
    EntityType(
        name=DEFINITION,
        path="/directory/customSecurityAttributeDefinitions",
        verbs=frozenset({"list", "get", "create", "update"}),
        read=READ,
        write=WRITE,
        licence=ENTRA_P1,
        rules=WriteRules(
            immutable=frozenset({"name", "attributeSet", "type", "isCollection", "isSearchable"}),
            required=(
                "attributeSet",
                "name",
                "type",
                "status",
                "isCollection",
                "isSearchable",
                "usePreDefinedValuesOnly",
            ),
            inline=frozenset({"allowedValues"}),
        ),
        checks=(check_definition,),
        created=(keep_values_apart,),
        audit_writer=write_definition_audit,
        new_id=definition_id,
        dates=(),
        repeatable=frozenset({"name", "attributeSet", "type", "isCollection", "isSearchable"}),
        expand={"allowedValues": expand_values},
    ),
    EntityType(
        name=VALUE,
        path="/directory/customSecurityAttributeDefinitions/{parent}/allowedValues",
        parent=DEFINITION,
        verbs=frozenset({"list", "get", "create", "update"}),
        read=READ,
        write=WRITE,
        licence=ENTRA_P1,
        rules=WriteRules(writable=frozenset({"id"}), immutable=frozenset({"id"}), required=("isActive",)),
        checks=(check_value,),
        audit_writer=write_definition_audit,
        dates=(),
        client_key="id",
        scoped_ids=True,
        repeatable=frozenset({"id"}),
    ),
)
