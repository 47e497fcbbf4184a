"""Cross-tenant access: which clouds, the default, partners and their synchronisation, declared for the registry.

Facts: Microsoft Graph's metadata and reference pages of these types. Default, partners and synchronisation are read and
written at beta, which alone knows groups that are synchronised and the access of service providers.
"""

from snapshots.catalog.spec import (
    Action,
    AuditHints,
    Comparison,
    Create,
    Delete,
    Document,
    Identity,
    OnePerParent,
    Order,
    Permissions,
    Read,
    Reference,
    ResourceType,
    Restore,
    SetOf,
    Update,
)

_POLICY = "/v1.0/policies/crossTenantAccessPolicy"
_WHOLE = "/beta/policies/crossTenantAccessPolicy"
_PARTNERS = f"{_WHOLE}/partners"
_AREA = "Tenant policies"

_PERMISSIONS = Permissions(
    read=("Policy.Read.All",),
    write=("Policy.ReadWrite.CrossTenantAccess",),
    read_also=("Policy.ReadWrite.CrossTenantAccess",),
)

_SETTINGS = (
    "appServiceConnectInbound",
    "automaticUserConsentSettings",
    "b2bCollaborationInbound",
    "b2bCollaborationOutbound",
    "b2bDirectConnectInbound",
    "b2bDirectConnectOutbound",
    "blockServiceProviderOutboundAccess",
    "inboundTrust",
    "m365CollaborationInbound",
    "m365CollaborationOutbound",
    "tenantRestrictions",
)
_OUR_PEOPLE = (
    "b2bCollaborationOutbound.usersAndGroups",
    "b2bDirectConnectOutbound.usersAndGroups",
    "m365CollaborationOutbound.usersAndGroups",
)
"""Where a target is a user or group of this tenant; elsewhere it is one of the other tenant."""
_OUR_APPLICATIONS = (
    "appServiceConnectInbound.applications",
    "b2bCollaborationInbound.applications",
    "b2bDirectConnectInbound.applications",
)

_TARGET_SETS = (SetOf("*.*.targets", key=("target", "targetType")),)
_TARGETS = (
    *(
        Reference(
            f"{where}.targets[].target", to="directoryObject", words=frozenset({"AllUsers"}), guids=True
        )
        for where in _OUR_PEOPLE
    ),
    *(
        Reference(
            f"{where}.targets[].target",
            to="servicePrincipal",
            by="appId",
            words=frozenset({"AllApplications", "Office365"}),
        )
        for where in _OUR_APPLICATIONS
    ),
)
_NOT_OURS = {
    "*.*.targets[].target": "a user, group or application of the other tenant",
    "tenantId": "the other tenant",
}
_FOREIGN = "Users, groups and applications of the other tenant are stored as IDs and never updated."
_SERVICES = ("Core Directory",)

POLICY = ResourceType(
    key="crossTenantAccessPolicy",
    label="Cross-tenant access policy",
    plural="Cross-tenant access policies",
    area=_AREA,
    read=Read(path=_POLICY, singleton=True),
    permissions=_PERMISSIONS,
    comparison=Comparison(
        computed=("default", "description", "displayName", "partners", "templates"),
        sets=(SetOf("allowedCloudEndpoints"),),
    ),
    restore=Restore(writable=("allowedCloudEndpoints",), update=Update(path=_POLICY), order=Order(rank=82)),
    audit=AuditHints(
        activities=("update cross-tenant access setting", "update a cross-tenant access setting"),
        services=_SERVICES,
        singleton=True,
    ),
    notes=("The default and the partners are separate resources.",),
)

DEFAULT = ResourceType(
    key="crossTenantAccessPolicyConfigurationDefault",
    label="Cross-tenant access default",
    plural="Cross-tenant access defaults",
    area=_AREA,
    read=Read(path=f"{_WHOLE}/default", singleton=True),
    permissions=_PERMISSIONS,
    identity=Identity(name=lambda _raw: "Cross-tenant access default"),
    comparison=Comparison(first_read={"blockServiceProviderOutboundAccess": 2}, sets=_TARGET_SETS),
    references=_TARGETS,
    not_references=_NOT_OURS,
    restore=Restore(
        writable=(*_SETTINGS, "invitationRedemptionIdentityProviderConfiguration"),
        update=Update(
            path=f"{_WHOLE}/default",
            actions=(
                Action(
                    property="isServiceDefault",
                    path=f"{_WHOLE}/default/resetToSystemDefault",
                    body=lambda wanted, live: {} if wanted is True and live is not True else None,
                ),
            ),
        ),
        order=Order(rank=83),
    ),
    audit=AuditHints(
        activities=(
            "update the company default cross-tenant access setting",
            "reset the cross-tenant access default setting",
        ),
        services=_SERVICES,
        singleton=True,
    ),
    notes=(
        "After the first change the default is no longer managed by Microsoft, until it is reset.",
        "The order of identity providers for redemption is significant and preserved.",
        _FOREIGN,
    ),
)

PARTNER = ResourceType(
    key="crossTenantAccessPolicyConfigurationPartner",
    label="Cross-tenant access partner",
    plural="Cross-tenant access partners",
    area=_AREA,
    read=Read(path=_PARTNERS, item_path=f"{_PARTNERS}/{{tenantId}}"),
    permissions=_PERMISSIONS,
    identity=Identity(
        properties=("tenantId",),
        natural_key=("tenantId",),
        name=lambda raw: str(raw.get("tenantId") or ""),
    ),
    comparison=Comparison(
        first_read={"blockServiceProviderOutboundAccess": 2},
        computed=("identitySynchronization", "isInMultiTenantOrganization", "serviceProviderConstraints"),
        sets=_TARGET_SETS,
    ),
    references=_TARGETS,
    not_references=_NOT_OURS,
    restore=Restore(
        writable=(*_SETTINGS, "isServiceProvider"),
        create=Create(
            path=_PARTNERS,
            only=("tenantId",),
            caller_chooses_id=True,
        ),
        update=Update(path=f"{_PARTNERS}/{{tenantId}}"),
        delete=Delete(path=f"{_PARTNERS}/{{tenantId}}"),
        order=Order(rank=84),
    ),
    audit=AuditHints(
        activities=(
            "add a partner to cross-tenant access setting",
            "update a partner cross-tenant access setting",
            "delete partner specific cross-tenant access setting",
        ),
        services=_SERVICES,
    ),
    notes=(
        "A block that is missing (or null) inherits the default: it is cleared with an explicit null.",
        "A recreated partner keeps its tenant ID, and its synchronisation is restored after it.",
        "Microsoft's container of deleted partners is beta and not used.",
        _FOREIGN,
    ),
)


def _tenant_id(raw: Document) -> str:
    return str(raw.get("displayName") or raw.get("tenantId") or "")


SYNCHRONISATION = ResourceType(
    key="crossTenantIdentitySyncPolicyPartner",
    label="Cross-tenant synchronisation",
    plural="Cross-tenant synchronisations",
    area=_AREA,
    read=Read(
        path=f"{_PARTNERS}/{{parent}}/identitySynchronization",
        parent="crossTenantAccessPolicyConfigurationPartner",
        parent_key="tenantId",
        item_path=f"{_PARTNERS}/{{tenantId}}/identitySynchronization",
        quirks=(OnePerParent(),),
    ),
    permissions=_PERMISSIONS,
    identity=Identity(
        properties=("tenantId",),
        natural_key=("tenantId",),
        name=_tenant_id,
    ),
    comparison=Comparison(
        first_read={
            "externalCloudAuthorizedApplicationId": 2,
            "groupSyncInbound": 2,
            "roleEnabledGroupSyncInbound": 2,
        }
    ),
    references=(Reference("tenantId", to="crossTenantAccessPolicyConfigurationPartner", by="tenantId"),),
    not_references={"externalCloudAuthorizedApplicationId": "an application of the other tenant"},
    restore=Restore(
        writable=(
            "displayName",
            "externalCloudAuthorizedApplicationId",
            "groupSyncInbound",
            "roleEnabledGroupSyncInbound",
            "userSyncInbound",
        ),
        create=Create(
            path=f"{_PARTNERS}/{{tenantId}}/identitySynchronization", method="PUT", caller_chooses_id=True
        ),
        update=Update(path=f"{_PARTNERS}/{{tenantId}}/identitySynchronization"),
        delete=Delete(path=f"{_PARTNERS}/{{tenantId}}/identitySynchronization"),
        order=Order(rank=85),
    ),
    audit=AuditHints(
        activities=(
            "create a partner cross-tenant identity sync setting",
            "update a partner cross-tenant identity sync setting",
            "delete a partner cross-tenant identity sync setting",
        ),
        services=_SERVICES,
        targets=("tenantId",),
    ),
    licence="Microsoft Entra ID P1",
    notes=("Each partner has at most one; without one, Graph returns 404.",),
)

TYPES = (POLICY, DEFAULT, PARTNER, SYNCHRONISATION)
