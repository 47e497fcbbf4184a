"""What users, guests and administrators may do and consent to in a tenant, declared for the registry.

Facts: Microsoft Graph's metadata and reference pages of these types.
"""

from collections.abc import Iterator

from snapshots.catalog.spec import (
    AuditHints,
    Comparison,
    Create,
    Delete,
    Document,
    Guards,
    Identity,
    Order,
    Part,
    Permissions,
    Read,
    Reference,
    ReplacedElements,
    ResourceType,
    Restore,
    SetOf,
    Update,
)

_AREA = "Tenant policies"
_AUTHORIZATION = "/v1.0/policies/authorizationPolicy"
_CONSENT_REQUESTS = "/v1.0/policies/adminConsentRequestPolicy"
_GRANT_POLICIES = "/v1.0/policies/permissionGrantPolicies"
_GROUP_SETTINGS = "/v1.0/groupSettings"
_EXTERNAL = "/beta/policies/externalIdentitiesPolicy"

_ASSIGNED = "defaultUserRolePermissions.permissionGrantPoliciesAssigned"
_CONSENT_FOR = ("ManagePermissionGrantsForSelf.", "ManagePermissionGrantsForOwnedResource.")

AUTHORIZATION_POLICY = ResourceType(
    key="authorizationPolicy",
    label="Authorization policy",
    plural="Authorization policies",
    area=_AREA,
    read=Read(path=_AUTHORIZATION, singleton=True),
    permissions=Permissions(
        read=("Policy.Read.All",),
        write=("Policy.ReadWrite.Authorization",),
        read_also=("Policy.ReadWrite.Authorization",),
    ),
    comparison=Comparison(
        computed=("description", "displayName", "permissionGrantPolicyIdsAssignedToDefaultUserRole"),
        sets=(SetOf(_ASSIGNED),),
        unread={"enabledPreviewFeatures": "only the beta version has it"},
    ),
    references=tuple(
        Reference(f"{_ASSIGNED}[]", to="permissionGrantPolicy", prefix=prefix)
        for spelling in _CONSENT_FOR
        for prefix in (spelling, spelling[0].lower() + spelling[1:])
    ),
    not_references={"guestUserRoleId": "one of three roles of Microsoft"},
    restore=Restore(
        writable=(
            "allowEmailVerifiedUsersToJoinOrganization",
            "allowInvitesFrom",
            "allowUserConsentForRiskyApps",
            "allowedToSignUpEmailBasedSubscriptions",
            "allowedToUseSSPR",
            "blockMsolPowerShell",
            "defaultUserRolePermissions",
            "guestUserRoleId",
        ),
        update=Update(path=_AUTHORIZATION),
        order=Order(rank=56),
    ),
    audit=AuditHints(
        activities=("update authorization policy",), services=("Core Directory",), singleton=True
    ),
    notes=("Consent policies assigned by it are restored first.",),
)

_REVIEWERS = "reviewers[].query"
_ROLE_FILTER = "roleManagement/directory/roleAssignments?$filter=roleDefinitionId eq '"


def _reviewers() -> Iterator[Reference]:
    """Reviewers are named by relative addresses, with or without an API version."""
    for root in ("/", "/v1.0/", "/beta/"):
        yield Reference(_REVIEWERS, to="user", prefix=f"{root}users/")
        for members in ("transitiveMembers", "members"):
            for cast in ("/microsoft.graph.user", ""):
                yield Reference(_REVIEWERS, to="group", prefix=f"{root}groups/", suffix=f"/{members}{cast}")
        yield Reference(_REVIEWERS, to="unifiedRoleDefinition", prefix=f"{root}{_ROLE_FILTER}", suffix="'")


ADMIN_CONSENT_REQUESTS = ResourceType(
    key="adminConsentRequestPolicy",
    label="Admin consent request policy",
    plural="Admin consent request policies",
    area=_AREA,
    read=Read(path=_CONSENT_REQUESTS, singleton=True),
    permissions=Permissions(
        read=("Policy.Read.All",),
        write=("Policy.ReadWrite.ConsentRequest",),
        read_also=("Directory.Read.All", "Directory.ReadWrite.All", "Policy.ReadWrite.ConsentRequest"),
        write_also=("Directory.ReadWrite.All",),
    ),
    identity=Identity(name=lambda _raw: "Admin consent requests"),
    comparison=Comparison(
        computed=("reviewers[].reviewerId", "reviewers[].scopeType"), sets=(SetOf("reviewers", key="query"),)
    ),
    references=(*_reviewers(), Reference("reviewers[].reviewerId", to="directoryObject")),
    restore=Restore(
        writable=("isEnabled", "notifyReviewers", "remindersEnabled", "requestDurationInDays", "reviewers"),
        update=Update(path=_CONSENT_REQUESTS, method="PUT"),
        order=Order(rank=57),
    ),
    audit=AuditHints(
        activities=("update admin consent request policy", "update policy", "set company information"),
        services=("Core Directory",),
        singleton=True,
    ),
    notes=("Written as a whole. Reviewers (URLs of users, groups and roles) are updated to new IDs.",),
)


def _condition_sets(name: str) -> Part:
    path = f"{_GRANT_POLICIES}/{{id}}/{name}"
    return Part(
        name=name,
        path=path,
        create_path=path,
        element_path=f"{path}/{{element}}",
        quirks=(ReplacedElements(),),
    )


def _protected_grant_policy(document: Document) -> str | None:
    if str(document.get("id", "")).startswith("microsoft-"):
        return "Microsoft's own consent policies cannot be changed."
    return None


_CONDITION_SETS = ("includes", "excludes")
_CONDITIONS = (
    "clientApplicationIds",
    "clientApplicationPublisherIds",
    "clientApplicationTenantIds",
    "permissions",
)

PERMISSION_GRANT_POLICY = ResourceType(
    key="permissionGrantPolicy",
    label="Consent policy",
    plural="Consent policies",
    area=_AREA,
    read=Read(path=_GRANT_POLICIES, item_path=f"{_GRANT_POLICIES}/{{id}}"),
    permissions=Permissions(
        read=("Policy.Read.PermissionGrant",),
        write=("Policy.ReadWrite.PermissionGrant",),
        read_also=("Policy.ReadWrite.PermissionGrant",),
    ),
    comparison=Comparison(
        sets=tuple(SetOf(f"{where}[].{what}") for where in _CONDITION_SETS for what in _CONDITIONS),
        unread={
            "includeAllPreApprovedApplications": "only the beta version has it",
            "resourceScopeType": "only the beta version has it; it is settled when a policy is created",
        },
    ),
    parts=tuple(_condition_sets(name) for name in _CONDITION_SETS),
    references=tuple(
        Reference(
            f"{where}[].clientApplicationIds[]",
            to="servicePrincipal",
            by="appId",
            words=frozenset({"all"}),
            if_gone="kept",
        )
        for where in _CONDITION_SETS
    )
    + tuple(
        Reference(
            f"{where}[].resourceApplication",
            to="servicePrincipal",
            by="appId",
            words=frozenset({"any"}),
            if_gone="kept",
        )
        for where in _CONDITION_SETS
    ),
    not_references={
        name: what
        for where in _CONDITION_SETS
        for name, what in (
            (f"{where}[].clientApplicationPublisherIds[]", "a publisher, by its number at Microsoft"),
            (f"{where}[].clientApplicationTenantIds[]", "other directories"),
            (f"{where}[].permissions[]", "roles and scopes of the resource, whose ids a new one keeps"),
        )
    },
    restore=Restore(
        writable=("description", "displayName"),
        create=Create(
            path=_GRANT_POLICIES,
            only=("id",),
            caller_chooses_id=True,
        ),
        update=Update(path=f"{_GRANT_POLICIES}/{{id}}"),
        delete=Delete(path=f"{_GRANT_POLICIES}/{{id}}"),
        order=Order(rank=55),
        guards=Guards(protected=_protected_grant_policy),
    ),
    audit=AuditHints(
        activities=(
            "add permission grant policy",
            "update permission grant policy",
            "delete permission grant policy",
            "add policy",
            "update policy",
            "delete policy",
        ),
        services=("Core Directory",),
    ),
    notes=(
        "Condition sets cannot be updated: a changed one is deleted and recreated under a new ID.",
        "Cannot be deleted while the authorization policy assigns it.",
    ),
)

GROUP_SETTING = ResourceType(
    key="groupSetting",
    label="Group setting",
    plural="Group settings",
    area=_AREA,
    read=Read(path=_GROUP_SETTINGS, item_path=f"{_GROUP_SETTINGS}/{{id}}"),
    permissions=Permissions(
        read=("GroupSettings.Read.All",),
        write=("GroupSettings.ReadWrite.All",),
        read_also=(
            "Directory.Read.All",
            "Directory.ReadWrite.All",
            "Group.Read.All",
            "Group.ReadWrite.All",
            "GroupSettings.ReadWrite.All",
        ),
        write_also=("Directory.ReadWrite.All",),
    ),
    identity=Identity(natural_key=("templateId",)),
    comparison=Comparison(
        computed=("displayName",), sets=(SetOf("values", key="name"),), normalise={"values[].value": "truth"}
    ),
    references=(Reference("values[].value", to="group", guids=True),),
    not_references={"templateId": "a template of Microsoft"},
    restore=Restore(
        writable=("values",),
        create=Create(
            path=_GROUP_SETTINGS,
            only=("templateId",),
            new_id_note="Nothing refers to a setting; it is identified by its template.",
        ),
        update=Update(path=f"{_GROUP_SETTINGS}/{{id}}"),
        delete=Delete(path=f"{_GROUP_SETTINGS}/{{id}}"),
    ),
    audit=AuditHints(
        activities=("create group settings", "update group settings", "delete group settings"),
        services=("Core Directory",),
    ),
    notes=(
        "All values are written together. Without the object, the template's defaults apply.",
        "There is one object per template and tenant; settings of individual groups are not read.",
    ),
)

EXTERNAL_IDENTITIES = ResourceType(
    key="externalIdentitiesPolicy",
    label="External identities policy",
    plural="External identities policies",
    area=_AREA,
    read=Read(path=_EXTERNAL, singleton=True),
    permissions=Permissions(
        read=("Policy.Read.All",),
        write=("Policy.ReadWrite.ExternalIdentities",),
        read_also=("Policy.ReadWrite.ExternalIdentities",),
    ),
    restore=Restore(
        writable=("allowDeletedIdentitiesDataRemoval", "allowExternalIdentitiesToLeave"),
        update=Update(path=_EXTERNAL),
    ),
    audit=AuditHints(
        activities=("update external identities policy", "update policy"),
        services=("Core Directory",),
        singleton=True,
    ),
    notes=("Known to Microsoft Graph's beta only.",),
)

TYPES = (
    AUTHORIZATION_POLICY,
    ADMIN_CONSENT_REQUESTS,
    PERMISSION_GRANT_POLICY,
    GROUP_SETTING,
    EXTERNAL_IDENTITIES,
)
