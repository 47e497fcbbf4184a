"""Groups with their members and owners, declared for the registry.

Facts: Microsoft Graph's v1.0 metadata and reference pages of the group type.
"""

from typing import Any

from snapshots.catalog.entra.roles.roles import comes_from_a_schedule
from snapshots.catalog.spec import (
    Action,
    AuditHints,
    Comparison,
    Create,
    Delete,
    DerivedFrom,
    Document,
    Guards,
    Identity,
    Loss,
    OnlyWhen,
    Order,
    Part,
    Permissions,
    Read,
    ResourceType,
    Restore,
    SetOf,
    Undelete,
    Update,
)
from snapshots.catalog.texts import membership_rule

_GROUPS = "/v1.0/groups"
_DELETED = "/v1.0/directory/deletedItems"

_SELECTED = (
    "id,displayName,description,groupTypes,securityEnabled,mailEnabled,mailNickname,"
    "isAssignableToRole,membershipRule,membershipRuleProcessingState,visibility,classification,"
    "theme,preferredDataLocation,preferredLanguage,resourceBehaviorOptions,assignedLabels,"
    "assignedLicenses,onPremisesSyncEnabled,uniqueName"
)


def _has_chosen_members(raw: Document) -> bool:
    """A dynamic group's members follow from its rule and are no state of their own."""
    return "DynamicMembership" not in (raw.get("groupTypes") or ())


def _protected(document: Document) -> str | None:
    if document.get("onPremisesSyncEnabled") is True:
        return "The group is synchronised from an on-premises directory and must be changed there."
    if document.get("mailEnabled") is True and "Unified" not in (document.get("groupTypes") or ()):
        return (
            "Distribution lists and mail-enabled security groups are changed in Exchange, not through Graph."
        )
    return None


def _licences(wanted: Any, live: Any) -> Document | None:
    """Licences that are kept with other plans are given again, which replaces their choice of plans."""
    have = {licence["skuId"]: licence for licence in live or ()}
    want = {licence["skuId"]: licence for licence in wanted or ()}
    given = [
        {"skuId": sku, "disabledPlans": licence.get("disabledPlans", [])}
        for sku, licence in want.items()
        if licence != have.get(sku)
    ]
    taken = [sku for sku in have if sku not in want]
    return {"addLicenses": given, "removeLicenses": taken} if given or taken else None


def _what_hangs_on_it(document: Document) -> list[str]:
    """A group of Microsoft 365 has contents beside its configuration."""
    unified = "Unified" in (document.get("groupTypes") or ())
    return [f"mailbox {document.get('mailNickname') or ''}".rstrip(), "files", "team"] if unified else []


def _through_pim(access: str) -> DerivedFrom:
    """Whoever PIM made a member or an owner for a time belongs to that schedule, and must not come back for good."""

    def is_source(schedule: Document) -> bool:
        return str(schedule.get("accessId") or "").lower() == access and comes_from_a_schedule(schedule)

    path = "/v1.0/identityGovernance/privilegedAccess/group/assignmentSchedules"
    return DerivedFrom(path, ("principalId",), is_source, params={"$filter": "groupId eq '{id}'"})


def _people(name: str) -> Part:
    return Part(
        name=name,
        path=f"{_GROUPS}/{{id}}/{name}",
        params={"$select": "id", "$top": "999"},
        projected_fields=("@odata.type", "id"),
        add_ref=f"{_GROUPS}/{{id}}/{name}/$ref",
        remove_ref=f"{_GROUPS}/{{id}}/{name}/{{element}}/$ref",
        reference="directoryObject",
        quirks=(
            *((OnlyWhen(_has_chosen_members),) if name == "members" else ()),
            _through_pim(name.removesuffix("s")),
        ),
    )


GROUP = ResourceType(
    key="group",
    label="Group",
    plural="Groups",
    area="Groups",
    read=Read(
        path=_GROUPS,
        params={"$select": _SELECTED, "$top": "999"},
        item_path=f"{_GROUPS}/{{id}}",
        item_params={"$select": _SELECTED},
    ),
    permissions=Permissions(
        read=("Group.Read.All",),
        write=("Group.ReadWrite.All", "RoleManagement.ReadWrite.Directory"),
        read_also=("Directory.Read.All", "Directory.ReadWrite.All", "Group.ReadWrite.All"),
    ),
    identity=Identity(natural_key=("displayName",)),
    comparison=Comparison(
        volatile=("unseenConversationsCount", "unseenCount", "unseenMessagesCount"),
        computed=(
            "assignedLabels[].displayName",
            "createdByAppId",
            "creationOptions",
            "expirationDateTime",
            "hasMembersWithLicenseErrors",
            "isManagementRestricted",
            "licenseProcessingState",
            "mail",
            "membershipRuleProcessingStatus",
            "onPremisesDomainName",
            "onPremisesNetBiosName",
            "onPremisesProvisioningErrors",
            "onPremisesSamAccountName",
            "onPremisesSecurityIdentifier",
            "organizationId",
            "proxyAddresses",
            "resourceProvisioningOptions",
            "securityIdentifier",
            "serviceProvisioningErrors",
        ),
        sets=(
            SetOf("assignedLabels", key="labelId"),
            SetOf("assignedLicenses", key="skuId"),
            SetOf("assignedLicenses[].disabledPlans"),
            SetOf("groupTypes"),
            SetOf("infoCatalogs"),
            SetOf("resourceBehaviorOptions"),
        ),
        unread={
            "cloudLicensing": "only the beta version has it; licences are kept as assignedLicenses",
            "disableNesting": "only the beta version has it",
            "writebackConfiguration": "only the beta version has it; it belongs to the local directory",
        },
    ),
    parts=(_people("members"), _people("owners")),
    references=membership_rule("membershipRule"),
    not_references={
        "assignedLabels[].labelId": "a sensitivity label of Microsoft Purview, which only signed-in people set",
        "createdByAppId": "which application made the group; never written",
    },
    restore=Restore(
        writable=(
            "classification",
            "description",
            "displayName",
            "groupTypes",
            "mailNickname",
            "membershipRule",
            "membershipRuleProcessingState",
            "preferredDataLocation",
            "preferredLanguage",
            "securityEnabled",
            "theme",
            "visibility",
        ),
        create=Create(
            path=_GROUPS,
            only=("isAssignableToRole", "mailEnabled", "resourceBehaviorOptions"),
            new_id_note=(
                "Policies, role assignments, app roles and memberships that refer to the old group are "
                "updated, as are roles and access policies in Azure. Permissions in SharePoint or Exchange "
                "are not."
            ),
        ),
        update=Update(
            path=f"{_GROUPS}/{{id}}",
            actions=(Action("assignedLicenses", f"{_GROUPS}/{{id}}/assignLicense", _licences),),
        ),
        delete=Delete(path=f"{_GROUPS}/{{id}}"),
        undelete=Undelete(
            item_path=f"{_DELETED}/{{id}}",
            restore_path=f"{_DELETED}/{{id}}/restore",
            days=30,
            doubt="Not every tenant keeps deleted security groups.",
        ),
        order=Order(rank=20),
        guards=Guards(protected=_protected),
        losses=(
            Loss("isAssignableToRole", "cannot be changed on an existing group"),
            Loss("assignedLabels", "Microsoft lets only signed-in people set labels: set them by hand"),
            Loss("uniqueName", "cannot be set again"),
            Loss(
                "mail",
                "a recreated group does not have the mailbox, files or team of the old one",
                recreated_only=True,
                items=_what_hangs_on_it,
            ),
        ),
    ),
    audit=AuditHints(
        activities=(
            "add group",
            "update group",
            "delete group",
            "hard delete group",
            "restore group",
            "add member to group",
            "remove member from group",
            "add owner to group",
            "remove owner from group",
            "set group license",
            "assign label to group",
            "remove label from group",
        ),
        services=("Core Directory", "Self-service Group Management"),
    ),
    notes=(
        "Not every tenant keeps deleted security groups for 30 days; the deleted items are checked first.",
        "Members of dynamic groups are determined by the rule and are not stored.",
        "Temporary members through PIM are stored with their schedule instead, if it is readable.",
        "Synchronised groups and Exchange groups are read but never written.",
        "Licences of a group are assigned and removed with an action; licences of its members follow.",
        (
            "Mail settings of a Microsoft 365 group belong to Exchange. Graph returns them for one group "
            "at a time; they are not stored."
        ),
        "A group that becomes dynamic loses its members; they are added again when its rule is removed.",
    ),
)

TYPES = (GROUP,)
