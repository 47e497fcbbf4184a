"""Custom security attributes: sets, definitions and the values that users and applications have, declared.

Facts: Microsoft Graph's v1.0 metadata and reference pages of these types.
"""

from typing import Any

from snapshots.catalog.places import ODATA_TYPE
from snapshots.catalog.spec import (
    AlsoListedAt,
    AuditHints,
    ChosenKeys,
    Comparison,
    Create,
    Delete,
    Document,
    GraphEntity,
    Identity,
    Loss,
    Order,
    Part,
    Permissions,
    Read,
    Reference,
    RepeatsId,
    RepeatsLive,
    ResourceType,
    Restore,
    Retired,
    RetiredElements,
    SetOf,
    TypedValues,
    Update,
)

_SETS = "/v1.0/directory/attributeSets"
_DEFINITIONS = "/v1.0/directory/customSecurityAttributeDefinitions"
_AREA = "Custom security attributes"

_PERMISSIONS = Permissions(
    read=("CustomSecAttributeDefinition.Read.All",),
    write=("CustomSecAttributeDefinition.ReadWrite.All",),
    read_also=("CustomSecAttributeDefinition.ReadWrite.All",),
)

ATTRIBUTE_SET = ResourceType(
    key="attributeSet",
    label="Attribute set",
    plural="Attribute sets",
    area=_AREA,
    read=Read(path=_SETS, item_path=f"{_SETS}/{{id}}"),
    permissions=_PERMISSIONS,
    restore=Restore(
        writable=("description", "maxAttributesPerSet"),
        create=Create(
            path=_SETS,
            only=("id",),
            caller_chooses_id=True,
        ),
        update=Update(path=f"{_SETS}/{{id}}"),
        order=Order(rank=10),
    ),
    audit=AuditHints(
        log="attributeAudit",
        activities=("add attribute set", "update attribute set"),
        services=("Core Directory",),
    ),
    licence="Microsoft Entra ID P1",
    notes=("Microsoft cannot delete attribute sets. An unwanted one stays, and the plan says so.",),
)

_VALUES_PATH = f"{_DEFINITIONS}/{{id}}/allowedValues"

DEFINITION = ResourceType(
    key="customSecurityAttributeDefinition",
    label="Custom security attribute",
    plural="Custom security attributes",
    area=_AREA,
    read=Read(path=_DEFINITIONS, item_path=f"{_DEFINITIONS}/{{id}}"),
    permissions=_PERMISSIONS,
    identity=Identity(name=lambda raw: f"{raw.get('attributeSet') or ''}_{raw.get('name') or ''}"),
    parts=(
        Part(
            name="allowedValues",
            path=_VALUES_PATH,
            create_path=_VALUES_PATH,
            element_path=f"{_VALUES_PATH}/{{element}}",
            quirks=(
                ChosenKeys(),
                RetiredElements({"isActive": False}),
            ),
        ),
    ),
    references=(Reference("attributeSet", to="attributeSet"),),
    restore=Restore(
        writable=("description", "status"),
        create=Create(
            path=_DEFINITIONS,
            only=(
                "allowedValues",
                "attributeSet",
                "isCollection",
                "isSearchable",
                "name",
                "type",
                "usePreDefinedValuesOnly",
            ),
            caller_chooses_id=True,
        ),
        update=Update(path=f"{_DEFINITIONS}/{{id}}"),
        delete=Delete(quirks=(Retired({"status": "Deprecated"}),)),
        order=Order(rank=11),
        losses=(
            Loss("allowedValues", "Microsoft cannot remove allowed values; an added one is deactivated"),
            Loss(
                "usePreDefinedValuesOnly",
                "once other values are allowed, Microsoft does not allow restricting them again",
                fixed=True,
            ),
        ),
    ),
    audit=AuditHints(
        log="attributeAudit",
        activities=(
            "add custom security attribute definition in an attribute set",
            "update custom security attribute definition in an attribute set",
        ),
        services=("Core Directory",),
        targets=("attributeSet", "name"),
    ),
    licence="Microsoft Entra ID P1",
    notes=(
        "Microsoft cannot delete definitions. An unwanted one is deprecated, so that it cannot be used.",
        "Set, name, type and whether it is a collection or searchable cannot be changed.",
    ),
)

_HELD = "customSecurityAttributes"
_SELECTED = {"$select": f"id,displayName,{_HELD}"}


def _has_values(raw: Document) -> bool:
    return bool(raw.get(_HELD))


def _emptied(live: Document) -> Document:
    """The body that takes every value away: null, or the empty list for a collection."""
    return {
        _HELD: {name: _cleared(values) for name, values in live[_HELD].items() if isinstance(values, dict)}
    }


def _with_emptied_sets(body: Document, live: Document) -> Document:
    """A set that nobody wants any more is emptied value by value: Microsoft takes no null for a whole set."""
    held = live.get(_HELD) or {}
    return {
        **body,
        _HELD: {
            name: _cleared(held[name]) if values is None and isinstance(held.get(name), dict) else values
            for name, values in (body.get(_HELD) or {}).items()
        },
    }


def _cleared(values: Document) -> Document:
    """One set's attributes without their values. The set's own type stays, those of single values go."""
    cleared: dict[str, Any] = {
        name: [] if isinstance(value, list) else None
        for name, value in values.items()
        if not name.endswith(ODATA_TYPE)
    }
    return {ODATA_TYPE: values[ODATA_TYPE], **cleared} if ODATA_TYPE in values else cleared


ASSIGNMENT = ResourceType(
    key="customSecurityAttributeAssignment",
    label="Custom security attribute values",
    plural="Custom security attribute values",
    area=_AREA,
    read=Read(
        path="/v1.0/users",
        params={**_SELECTED, "$top": "999"},
        exists=_has_values,
        item_path="/v1.0/{heldBy}/{principalId}",
        item_params=_SELECTED,
        quirks=(
            AlsoListedAt(("/v1.0/servicePrincipals",), path_key="heldBy"),
            RepeatsId("principalId"),
        ),
    ),
    permissions=Permissions(
        read=("CustomSecAttributeAssignment.Read.All", "User.Read.All", "Application.Read.All"),
        write=("CustomSecAttributeAssignment.ReadWrite.All", "User.Read.All", "Application.Read.All"),
    ),
    identity=Identity(
        properties=("heldBy", "principalId"),
        natural_key=("heldBy", "principalId"),
        quirks=(GraphEntity("user"),),
    ),
    comparison=Comparison(computed=("displayName",), sets=(SetOf(f"{_HELD}.*.*"),), quirks=(TypedValues(),)),
    references=(Reference("principalId", to="directoryObject"),),
    restore=Restore(
        writable=(_HELD,),
        create=Create(path="/v1.0/{heldBy}/{principalId}", method="PATCH", caller_chooses_id=True),
        update=Update(path="/v1.0/{heldBy}/{principalId}", quirks=(RepeatsLive(_with_emptied_sets),)),
        delete=Delete(path="/v1.0/{heldBy}/{principalId}", method="PATCH", shape=_emptied),
        order=Order(rank=35),
    ),
    audit=AuditHints(
        log="attributeAudit",
        activities=(
            "update attribute values assigned to a user",
            "update attribute values assigned to a service principal",
            "update attribute values assigned to a serviceprincipal",
        ),
        services=("Core Directory",),
        targets=("principalId",),
    ),
    licence="Microsoft Entra ID P1",
    notes=(
        "Every user and service principal with at least one value is a resource.",
        "Values keep their types, which must be included in every write.",
        "Microsoft records these changes in a separate log, which needs a separate permission.",
    ),
)

TYPES = (ATTRIBUTE_SET, DEFINITION, ASSIGNMENT)
