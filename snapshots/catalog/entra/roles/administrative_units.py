"""Administrative units with their members, declared for the registry.

Facts: Microsoft Graph's v1.0 metadata and reference pages of the administrativeUnit type.
"""

from snapshots.catalog.spec import (
    AuditHints,
    Create,
    Delete,
    Document,
    Identity,
    Loss,
    OnlyWhen,
    Order,
    Part,
    Permissions,
    Read,
    ResourceType,
    Restore,
    Undelete,
    Update,
)
from snapshots.catalog.texts import membership_rule

_UNITS = "/v1.0/directory/administrativeUnits"
_DELETED = "/v1.0/directory/deletedItems"


def _has_chosen_members(raw: Document) -> bool:
    """A dynamic unit's members follow from its rule and are no state of their own."""
    return str(raw.get("membershipType") or "").lower() != "dynamic"


ADMINISTRATIVE_UNIT = ResourceType(
    key="administrativeUnit",
    label="Administrative unit",
    plural="Administrative units",
    area="Roles",
    read=Read(path=_UNITS, item_path=f"{_UNITS}/{{id}}"),
    permissions=Permissions(
        read=("AdministrativeUnit.Read.All",),
        write=("AdministrativeUnit.ReadWrite.All",),
        read_also=("AdministrativeUnit.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"),
    ),
    identity=Identity(natural_key=("displayName",)),
    parts=(
        Part(
            name="members",
            path=f"{_UNITS}/{{id}}/members",
            params={"$select": "id", "$top": "999"},
            projected_fields=("@odata.type", "id"),
            add_ref=f"{_UNITS}/{{id}}/members/$ref",
            remove_ref=f"{_UNITS}/{{id}}/members/{{element}}/$ref",
            reference="directoryObject",
            quirks=(OnlyWhen(_has_chosen_members),),
        ),
    ),
    references=membership_rule("membershipRule"),
    restore=Restore(
        writable=(
            "description",
            "displayName",
            "membershipRule",
            "membershipRuleProcessingState",
            "membershipType",
        ),
        create=Create(
            path=_UNITS,
            only=("isMemberManagementRestricted", "visibility"),
            new_id_note="Roles scoped to the old unit are recreated for the new one.",
        ),
        update=Update(path=f"{_UNITS}/{{id}}"),
        delete=Delete(path=f"{_UNITS}/{{id}}"),
        undelete=Undelete(item_path=f"{_DELETED}/{{id}}", restore_path=f"{_DELETED}/{{id}}/restore", days=30),
        order=Order(rank=22),
        losses=(
            Loss("isMemberManagementRestricted", "is chosen when the unit is created", fixed=True),
            Loss("visibility", "is chosen when the unit is created", fixed=True),
        ),
    ),
    audit=AuditHints(
        activities=(
            "add administrative unit",
            "update administrative unit",
            "delete administrative unit",
            "restore administrative unit",
            "add member to administrative unit",
            "remove member from administrative unit",
            "add member to restricted management administrative unit",
            "remove member from restricted management administrative unit",
            "bulk add members to administrative unit",
            "bulk remove members from administrative unit",
        ),
        services=("Core Directory",),
    ),
    licence="Microsoft Entra ID P1 for each administrator of a unit",
    notes=(
        "Members of dynamic units are determined by the rule and are not stored.",
        "Roles scoped to the unit are stored as `unifiedRoleAssignment`, which contains the role itself.",
        (
            "A unit with restricted management protects its users and groups: writing them needs a role "
            "scoped to the unit."
        ),
    ),
)

TYPES = (ADMINISTRATIVE_UNIT,)
